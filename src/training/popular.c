/*
 * popular.c
 *		What a model knows of popularity over time.
 *
 * trending() takes any half-life, so a decayed counter per item would not do.
 * A small table is kept as it is: one entry an interaction.  A large one is
 * summed up by item and age, in coarser steps the older, for the items that
 * lead under any of a few half-lives; an entry then has the mean time of
 * what it stands for.  Ages count from the newest interaction, not from the
 * clock, so that an archive trains as well as a live table; but one that lies
 * in the future does not make all others old.
 */
#include "postgres.h"

#include <math.h>

#include "port/pg_bitutils.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "training/training.h"

#define EXACT_INTERACTIONS 16384
#define MAX_CANDIDATES 1024
#define FIRST_DAY 34  /* buckets of less than a day come before */
#define FIRST_LONG 65 /* buckets of 32 days and more begin here */
#define AGES 120
#define TIMELESS (2 * AGES) /* behind those of the past and the future */
#define BUCKETS (TIMELESS + 1)
#define HALF_LIVES 4

typedef struct Popular
{
	SimTraining *training;
	TimestampTz anchor; /* ages count from here */
	SimPopularOnPage *entries;
	Size nentries;
	Size max_entries;
	int64 (*decayed)[HALF_LIVES]; /* by item */
	int32 *slot;				  /* by item: its row in counts, or -1 */
	int nslots;
	uint32 *slot_items;
	int64 *counts; /* nslots x BUCKETS */
	int64 *ages;   /* sums of seconds, likewise */
	int64 weights[BUCKETS][HALF_LIVES];
} Popular;

typedef void (*PostingVisit)(Popular *popular, const SimPosting *posting);

static int64
age_of(const Popular *popular, TimestampTz time)
{
	if (time > popular->anchor)
		return -(int64) (((uint64) time - (uint64) popular->anchor) /
						 USECS_PER_SEC);
	return (int64) (((uint64) popular->anchor - (uint64) time) / USECS_PER_SEC);
}

/* So many steps an octave, a power of two, from the number's highest bits. */
static int
octave_step(uint64 x, int steps)
{
	int high = pg_leftmost_one_pos64(x);

	return high * steps + (int) ((x * steps >> high) & (steps - 1));
}

static double
octave_start(int step, int steps)
{
	return ldexp(1 + (double) (step % steps) / steps, step / steps);
}

/*
 * A bucket's ages: half octaves of seconds up to a day; days up to 32, because
 * half-lives and the windows of trending() are mostly whole days; from there
 * on quarter octaves of days.
 */
static int
age_bucket(uint64 age)
{
	uint64 days = age / SECS_PER_DAY;

	if (days < 1)
		return octave_step(age + 1, 2);
	if (days < 32)
		return FIRST_DAY + (int) days - 1;
	return Min(FIRST_LONG + octave_step(days, 4) - octave_step(32, 4),
			   AGES - 1);
}

/* The least age of a bucket, in seconds. */
static double
bucket_start(int bucket)
{
	if (bucket < FIRST_DAY)
		return octave_start(bucket, 2) - 1;
	if (bucket < FIRST_LONG)
		return (bucket - FIRST_DAY + 1) * (double) SECS_PER_DAY;
	return octave_start(bucket - FIRST_LONG + octave_step(32, 4), 4) *
		SECS_PER_DAY;
}

static int
bucket_of(const Popular *popular, TimestampTz time)
{
	if (time == SIM_NO_TIME)
		return TIMELESS;
	return age_bucket(llabs(age_of(popular, time))) +
		(time > popular->anchor ? AGES : 0);
}

static void
add_entry(Popular *popular, ItemNumber item, TimestampTz time, float weight)
{
	SimPopularOnPage *entry;

	if (popular->nentries == popular->max_entries)
	{
		popular->max_entries = Max(1024, popular->max_entries * 2);
		popular->entries = popular->entries == NULL ?
			palloc(popular->max_entries * sizeof(SimPopularOnPage)) :
			repalloc_huge(popular->entries,
						  popular->max_entries * sizeof(SimPopularOnPage));
	}
	entry = &popular->entries[popular->nentries++];
	entry->time = time;
	entry->item = item;
	entry->weight = weight;
}

static void
visit_exact(Popular *popular, const SimPosting *posting)
{
	add_entry(popular, posting->item, posting->time, 1);
}

static void
visit_decayed(Popular *popular, const SimPosting *posting)
{
	const int64 *weights = popular->weights[bucket_of(popular, posting->time)];
	int i;

	for (i = 0; i < HALF_LIVES; i++)
		popular->decayed[posting->item][i] += weights[i];
}

static void
visit_candidate(Popular *popular, const SimPosting *posting)
{
	int slot = popular->slot[posting->item];
	int bucket;

	if (slot < 0)
		return;
	bucket = slot * BUCKETS + bucket_of(popular, posting->time);
	popular->counts[bucket]++;
	if (posting->time != SIM_NO_TIME)
		popular->ages[bucket] += age_of(popular, posting->time);
}

/* All postings of a page of chunks. */
static void
visit_page(Popular *popular, Page page, PostingVisit visit)
{
	SimIndex *ix = popular->training->ix;
	OffsetNumber offset;
	int i;

	for (offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page);
		 offset++)
	{
		ItemId id = PageGetItemId(page, offset);
		SimChunk *chunk;

		if (!ItemIdIsUsed(id))
			continue;
		chunk = (SimChunk *) PageGetItem(page, id);
		if (sim_chunk_of_item(chunk))
			continue;
		for (i = 0; i < chunk->n; i++)
		{
			SimPosting posting;

			sim_posting_read(ix, chunk, i, &posting);

			/* Newer ones came during training and are in the log. */
			if (posting.item < popular->training->nitems &&
				(posting.time == SIM_NO_TIME ||
				 posting.time <= popular->training->newest))
				visit(popular, &posting);
		}
	}
}

static void
visit_all(Popular *popular, PostingVisit visit)
{
	SimTraining *training = popular->training;
	BlockNumber nblocks = RelationGetNumberOfBlocks(training->ix->rel);
	PGAlignedBlock copy;
	BlockNumber block;

	for (block = 0; block < nblocks; block++)
	{
		Buffer buffer;
		bool chunks;

		sim_training_pause(training);
		buffer = sim_read(training->ix, block, BUFFER_LOCK_SHARE);
		chunks = sim_page_is(BufferGetPage(buffer), SIM_PAGE_CHUNK);
		if (chunks)
			memcpy(copy.data, BufferGetPage(buffer), BLCKSZ);
		UnlockReleaseBuffer(buffer);
		if (chunks)
			visit_page(popular, (Page) copy.data, visit);
	}
}

/* ---- choosing the items to keep ---- */

static void
set_weights(Popular *popular)
{
	static const double days[HALF_LIVES] = { 1, 8, 64, 512 };
	int bucket;
	int i;

	for (bucket = 0; bucket < TIMELESS; bucket++)
	{
		double age = bucket >= AGES ? 0 : bucket_start(bucket);

		for (i = 0; i < HALF_LIVES; i++)
			popular->weights[bucket][i] =
				llrint(ldexp(exp2(-age / (days[i] * SECS_PER_DAY)), 20));
	}
	for (i = 0; i < HALF_LIVES; i++)
		popular->weights[TIMELESS][i] = popular->training->ix->has_time ? 0 : 1;
}

static const Popular *sorting;
static int sorting_by;

static int
by_decayed(const void *a, const void *b)
{
	uint32 p = *(const uint32 *) a;
	uint32 q = *(const uint32 *) b;
	int64 x = sorting->decayed[p][sorting_by];
	int64 y = sorting->decayed[q][sorting_by];

	if (x != y)
		return x > y ? -1 : 1;
	if (sorting->training->item_hashes[p] == sorting->training->item_hashes[q])
		return 0;
	return sorting->training->item_hashes[p] <
			sorting->training->item_hashes[q] ?
		-1 :
		1;
}

static void
add_slot(Popular *popular, uint32 item)
{
	if (popular->slot[item] >= 0)
		return;
	popular->slot[item] = popular->nslots;
	popular->slot_items[popular->nslots++] = item;
}

/* The leaders under each half-life, an equal number of each. */
static void
choose_candidates(Popular *popular)
{
	uint32 nitems = popular->training->nitems;
	uint32 *order =
		MemoryContextAllocHuge(CurrentMemoryContext, nitems * sizeof(uint32));
	uint32 i;

	popular->decayed =
		MemoryContextAllocExtended(CurrentMemoryContext,
								   nitems * sizeof(*popular->decayed),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	set_weights(popular);
	visit_all(popular, visit_decayed);
	sorting = popular;
	for (i = 0; i < nitems; i++)
		order[i] = i;
	for (sorting_by = 0; sorting_by < HALF_LIVES; sorting_by++)
	{
		qsort(order, nitems, sizeof(uint32), by_decayed);
		for (i = 0; i < MAX_CANDIDATES / HALF_LIVES; i++)
			add_slot(popular, order[i]);
	}

	/* Those that lead under several leave room for more by the longest. */
	for (i = 0; i < nitems && popular->nslots < MAX_CANDIDATES; i++)
		add_slot(popular, order[i]);
	pfree(order);
	pfree(popular->decayed);
}

/* ---- summing up ---- */

static void
sum_up(Popular *popular)
{
	Size size = popular->nslots * BUCKETS * sizeof(int64);
	int i;

	popular->counts = palloc0(size);
	popular->ages = palloc0(size);
	visit_all(popular, visit_candidate);
	for (i = 0; i < popular->nslots * BUCKETS; i++)
	{
		int64 count = popular->counts[i];
		TimestampTz time = SIM_NO_TIME;

		if (count == 0)
			continue;
		if (i % BUCKETS != TIMELESS)
			time = popular->anchor -
				(TimestampTz) ((double) popular->ages[i] / count *
							   USECS_PER_SEC);
		add_entry(popular, popular->slot_items[i / BUCKETS], time, count);
	}
}

void
sim_train_popular(SimTraining *training)
{
	Popular *popular = palloc0(sizeof(Popular));
	uint32 i;

	popular->training = training;
	popular->anchor = Min(training->newest, GetCurrentTimestamp());
	if (training->interactions <= EXACT_INTERACTIONS)
		visit_all(popular, visit_exact);
	else
	{
		popular->slot =
			MemoryContextAllocHuge(CurrentMemoryContext,
								   training->nitems * sizeof(int32));
		memset(popular->slot, 0xFF, training->nitems * sizeof(int32));
		popular->slot_items = palloc(MAX_CANDIDATES * sizeof(uint32));
		if (training->nitems <= MAX_CANDIDATES)
			for (i = 0; i < training->nitems; i++)
				add_slot(popular, i);
		else
			choose_candidates(popular);
		sum_up(popular);
	}
	sim_write_popular(training, popular->entries, popular->nentries);
}
