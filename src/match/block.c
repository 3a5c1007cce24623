/*
 * block.c
 *		Candidates: the pairs that agree in all keys of a blocking rule.
 *
 * A pair that several rules find is new to the first of them only.  To know,
 * nothing is remembered: the keys of a pair tell which rules find it.
 */
#include "postgres.h"

#include "match/match.h"
#include "utils/memutils.h"

#define RADIX_BITS 16
#define RADIX (1 << RADIX_BITS)
#define PASSES 3
#define HASH_MASK ((UINT64CONST(1) << (RADIX_BITS * PASSES)) - 1)

typedef struct Entry
{
	uint64 hash;
	int32 record;
} Entry;

typedef struct Entries
{
	int n;
	Entry *entries;
	Entry *other; /* the same room again */
} Entries;

static void
sort_entries(Entries *entries)
{
	int32 *starts = palloc(RADIX * sizeof(int32));

	for (int pass = 0; pass < PASSES; pass++)
	{
		int shift = pass * RADIX_BITS;
		Entry *swap = entries->entries;
		int32 sum = 0;

		memset(starts, 0, RADIX * sizeof(int32));
		for (int i = 0; i < entries->n; i++)
			starts[(entries->entries[i].hash >> shift) & (RADIX - 1)]++;
		for (int i = 0; i < RADIX; i++)
		{
			int32 count = starts[i];

			starts[i] = sum;
			sum += count;
		}
		for (int i = 0; i < entries->n; i++)
			entries->other[starts[(swap[i].hash >> shift) & (RADIX - 1)]++] =
				swap[i];
		entries->entries = entries->other;
		entries->other = swap;
	}
	pfree(starts);
}

/* Records that have all of the keys, in groups of equal hashes. */
static void
take_entries(MatchRecords *records, uint64 mask, int n_records,
			 Entries *entries)
{
	int n_keys = records->model->n_keys;

	entries->n = 0;
	entries->entries = palloc_extended(Max((Size) n_records, 1) * sizeof(Entry),
									   MCXT_ALLOC_HUGE);
	entries->other = palloc_extended(Max((Size) n_records, 1) * sizeof(Entry),
									 MCXT_ALLOC_HUGE);
	for (int i = 0; i < n_records; i++)
	{
		const int32 *keys = records->keys + (Size) i * n_keys;
		uint64 hash = 0;
		bool all = true;

		for (int k = 0; k < n_keys; k++)
		{
			if ((mask >> k & 1) == 0)
				continue;
			all = all && keys[k] >= 0;
			hash = mix64(hash + (uint32) keys[k] + 1);
		}
		if (!all)
			continue;
		entries->entries[entries->n].hash = hash & HASH_MASK;
		entries->entries[entries->n++].record = i;
	}
	sort_entries(entries);
}

static void
free_entries(Entries *entries)
{
	pfree(entries->entries);
	pfree(entries->other);
}

static int
group_end(const Entries *entries, int start)
{
	int end = start + 1;

	while (end < entries->n &&
		   entries->entries[end].hash == entries->entries[start].hash)
		end++;
	return end;
}

static double
pairs_in_group(MatchRecords *records, const Entries *entries, int start,
			   int end)
{
	double n = end - start;
	double first = 0;

	if (!records->linkage)
		return n * (n - 1) / 2;
	for (int i = start; i < end; i++)
		first += entries->entries[i].record < records->n_first;
	return first * (n - first);
}

/*
 * How many pairs of the first so many records agree in these keys, in blocks
 * of no more than `limit`.
 */
double
block_pairs_of(MatchRecords *records, uint64 mask, int n_records, int limit)
{
	Entries entries;
	double pairs = 0;

	take_entries(records, mask, n_records, &entries);
	for (int start = 0; start < entries.n;)
	{
		int end = group_end(&entries, start);

		if (end - start <= limit)
			pairs += pairs_in_group(records, &entries, start, end);
		start = end;
	}
	free_entries(&entries);
	return pairs;
}

static char *
group_name(MatchRecords *records, const BlockRule *rule, int record)
{
	const MatchModel *model = records->model;
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < rule->n; i++)
	{
		int32 value =
			records->keys[(Size) record * model->n_keys + rule->keys[i]];

		appendStringInfo(&out, "%s%s = \"%s\"", i > 0 ? ", " : "",
						 key_name(model, rule->keys[i]),
						 records->values.values[value].bytes);
	}
	return out.data;
}

/* Mark the records of blocks that are too large, and tell of them. */
static void
cap_blocks(MatchRecords *records, int rule, const Entries *entries)
{
	const MatchModel *model = records->model;
	int capped = 0;
	int largest = 0;
	int size = 0;

	for (int start = 0; start < entries->n;)
	{
		int end = group_end(entries, start);

		if (end - start > model->block_limit)
		{
			capped++;
			if (end - start > size)
			{
				size = end - start;
				largest = entries->entries[start].record;
			}
			for (int i = start; i < end; i++)
				records->capped[entries->entries[i].record] |= UINT64CONST(1)
					<< rule;
		}
		start = end;
	}
	if (capped > 0)
		ereport(NOTICE,
				(errmsg_plural("blocking rule (%s): %d block of more than %d records is left out",
							   "blocking rule (%s): %d blocks of more than %d records are left out",
							   capped, rule_name(model, &model->rules[rule]),
							   capped, model->block_limit),
				 errdetail("The largest has %d records: %s.", size,
						   group_name(records, &model->rules[rule], largest))));
}

/* Whether this rule finds the pair, and no earlier one does. */
static inline bool
is_new_pair(MatchRecords *records, int rule, int a, int b, bool *found)
{
	const MatchModel *model = records->model;
	int n_keys = model->n_keys;
	const int32 *x = records->keys + (Size) a * n_keys;
	const int32 *y = records->keys + (Size) b * n_keys;
	uint64 equal = 0;
	uint64 capped = records->capped[a];

	for (int k = 0; k < n_keys; k++)
		equal |= (uint64) (x[k] == y[k]) << k;
	/* hashes may be equal where keys are not */
	*found = (equal & model->rules[rule].mask) == model->rules[rule].mask;
	for (int r = 0; r < rule; r++)
	{
		if ((equal & model->rules[r].mask) == model->rules[r].mask &&
			(capped >> r & 1) == 0)
			return false;
	}
	return *found;
}

static void
group_pairs(MatchRecords *records, int rule, const Entries *entries, int start,
			int end, pair_callback fn, void *arg)
{
	for (int i = start; i < end; i++)
	{
		int a = entries->entries[i].record;

		CHECK_FOR_INTERRUPTS();
		if (records->linkage && a >= records->n_first)
			break;
		for (int j = i + 1; j < end; j++)
		{
			int b = entries->entries[j].record;
			bool found;
			bool first;

			if (records->linkage && b < records->n_first)
				continue;
			first = is_new_pair(records, rule, a, b, &found);
			if (found)
				fn(arg, a, b, first);
		}
	}
}

/*
 * Call fn for each pair of a rule.  Rules must be taken in their order, as a
 * pair in a block that an earlier rule left out is new to a later one.
 */
void
block_each_pair(MatchRecords *records, int rule, pair_callback fn, void *arg)
{
	Entries entries;

	take_entries(records, records->model->rules[rule].mask, records->n,
				 &entries);
	cap_blocks(records, rule, &entries);
	for (int start = 0; start < entries.n;)
	{
		int end = group_end(&entries, start);

		if (end - start > 1 && end - start <= records->model->block_limit)
			group_pairs(records, rule, &entries, start, end, fn, arg);
		start = end;
	}
	free_entries(&entries);
}
