/*
 * histories.c
 *		Reading the histories that a model is trained on.
 */
#include "postgres.h"

#include <float.h>

#include "access/itup.h"
#include "utils/memutils.h"

#include "common/mix.h"
#include "similarity/records.h"
#include "training/training.h"

/* VACUUM does not cross anyone's way that often. */
#define MAX_TRIES 100000

/* One subject while it is read. */
typedef struct Reading
{
	SimTraining *training;
	BlockNumber block;
	SimRecordRef *refs; /* of one page of records */
	int nrefs;
	SimPosting *postings;
	double *strengths; /* sums by item, of the distinct postings */
	float *weights;
	Size npostings;
	Size max_postings;
	uint32 *marks;	/* by item: serial of the last subject with it */
	uint32 *places; /* by item: place of its posting, if weights matter */
	uint32 serial;
} Reading;

uint64
sim_sample_order(uint64 item_hash, uint64 subject_hash)
{
	return mix64(item_hash ^ mix64(subject_hash));
}

/* ---- the arrays ---- */

static void *
grow(void *array, Size size)
{
	return array == NULL ? MemoryContextAllocHuge(CurrentMemoryContext, size) :
						   repalloc_huge(array, size);
}

static bool
in_sample(const SimTraining *training, uint64 subject_hash)
{
	int level = training->sample_level;

	return level == 0 || mix64(subject_hash) >> (64 - level) == 0;
}

static Size
memory_used(const SimTraining *training)
{
	return sim_histories_memory(training, training->histories.nentries,
								training->histories.nsubjects);
}

/*
 * Use half as many subjects from here on and drop the others.  The level ends
 * at the lowest one whose subjects all fit, whatever the order they come in.
 */
static void
thin_out(SimTraining *training)
{
	SimHistories *h = &training->histories;
	uint32 kept = 0;
	Size end = 0;
	uint32 i;

	training->sample_level++;
	for (i = 0; i < h->nsubjects; i++)
	{
		Size first = h->starts[i];
		Size n = h->starts[i + 1] - first;

		if (!in_sample(training, h->subject_hashes[i]))
			continue;
		memmove(h->items + end, h->items + first, n * sizeof(uint32));
		if (training->weighted)
		{
			memmove(h->weights + end, h->weights + first, n * sizeof(float));
			h->subject_times[kept] = h->subject_times[i];
		}
		h->starts[kept] = end;
		h->subject_hashes[kept++] = h->subject_hashes[i];
		end += n;
	}
	h->starts[kept] = end;
	h->nsubjects = kept;
	h->nentries = end;
}

static void
make_room(const SimTraining *training, SimHistories *h, Size n)
{
	if (h->nsubjects + 2 > h->max_subjects)
	{
		h->max_subjects = Max(1024, h->max_subjects * 2);
		h->starts = grow(h->starts, h->max_subjects * sizeof(Size));
		h->subject_hashes =
			grow(h->subject_hashes, h->max_subjects * sizeof(uint64));
		if (training->weighted)
			h->subject_times =
				grow(h->subject_times, h->max_subjects * sizeof(TimestampTz));
		h->starts[h->nsubjects] = h->nentries;
	}
	if (h->nentries + n > h->max_entries)
	{
		h->max_entries = Max(h->nentries + n,
							 Max(16384, h->max_entries + h->max_entries / 2));
		h->items = grow(h->items, h->max_entries * sizeof(uint32));
		if (training->weighted)
			h->weights = grow(h->weights, h->max_entries * sizeof(float));
	}
}

static void
add_history(SimTraining *training, uint64 subject_hash,
			const SimPosting *postings, const float *weights, Size n)
{
	SimHistories *h = &training->histories;
	Size i;

	training->all_subjects++;
	training->all_entries += n;
	if (!in_sample(training, subject_hash))
		return;
	make_room(training, h, n);
	if (training->weighted)
	{
		memcpy(h->weights + h->nentries, weights, n * sizeof(float));
		h->subject_times[h->nsubjects] = postings[0].time;
	}
	for (i = 0; i < n; i++)
		h->items[h->nentries++] = postings[i].item;
	h->subject_hashes[h->nsubjects++] = subject_hash;
	h->starts[h->nsubjects] = h->nentries;
	while (memory_used(training) > training->budget && h->nsubjects > 1)
		thin_out(training);
}

/* ---- one subject ---- */

static int
newest_first(const void *a, const void *b)
{
	const SimPosting *p = a;
	const SimPosting *q = b;

	if (p->time != q->time)
		return p->time > q->time ? -1 : 1;

	/* so that sums of strengths do not depend on the order of rows */
	return p->strength > q->strength ? -1 : p->strength < q->strength ? 1 : 0;
}

/* The same, and items that share a time by their hash. */
static int
canonical_order(const void *a, const void *b, void *arg)
{
	const uint64 *hashes = ((SimTraining *) arg)->item_hashes;
	const SimPosting *p = a;
	const SimPosting *q = b;

	if (p->time != q->time)
		return p->time > q->time ? -1 : 1;
	return hashes[p->item] < hashes[q->item] ? -1 :
		hashes[p->item] > hashes[q->item]	 ? 1 :
											   0;
}

/*
 * Keep one posting of each item, the first that comes; of the others, the
 * strength.
 */
static void
remove_duplicates(Reading *reading)
{
	Size kept = 0;
	Size i;

	if (++reading->serial == 0)
	{
		memset(reading->marks, 0, reading->training->nitems * sizeof(uint32));
		reading->serial = 1;
	}
	for (i = 0; i < reading->npostings; i++)
	{
		ItemNumber item = reading->postings[i].item;

		if (reading->marks[item] == reading->serial)
		{
			if (reading->places)
				reading->strengths[reading->places[item]] +=
					reading->postings[i].strength;
			continue;
		}
		reading->marks[item] = reading->serial;
		if (reading->places)
		{
			reading->places[item] = kept;
			reading->strengths[kept] = reading->postings[i].strength;
		}
		reading->postings[kept++] = reading->postings[i];
	}
	reading->npostings = kept;
	if (reading->places)
		for (i = 0; i < kept; i++)
			reading->postings[i].strength =
				(float) Min(reading->strengths[i], FLT_MAX);
}

typedef struct SampleKey
{
	uint64 order;
	SimPosting posting;
} SampleKey;

static int
by_order(const void *a, const void *b)
{
	uint64 x = ((const SampleKey *) a)->order;
	uint64 y = ((const SampleKey *) b)->order;

	return x < y ? -1 : x > y ? 1 : 0;
}

/*
 * Cut a history (distinct items, newest first) at its limit.  Of the items
 * that share the time at the cut, a sample by hash stays.
 */
static Size
cut_history(SimTraining *training, SimPosting *postings, Size n, Size limit,
			uint64 subject_hash)
{
	TimestampTz time = postings[limit - 1].time;
	Size first = limit - 1;
	Size end = limit;
	SampleKey *keys;
	Size i;

	while (first > 0 && postings[first - 1].time == time)
		first--;
	while (end < n && postings[end].time == time)
		end++;
	if (end == limit)
		return limit;
	keys = MemoryContextAllocHuge(CurrentMemoryContext,
								  (end - first) * sizeof(SampleKey));
	for (i = first; i < end; i++)
	{
		keys[i - first].posting = postings[i];
		keys[i - first].order =
			sim_sample_order(training->item_hashes[postings[i].item],
							 subject_hash);
	}
	qsort(keys, end - first, sizeof(SampleKey), by_order);
	for (i = first; i < limit; i++)
		postings[i] = keys[i - first].posting;
	pfree(keys);
	return limit;
}

static void
use_subject(Reading *reading, const SimRecordRef *ref)
{
	SimTraining *training = reading->training;
	uint64 hash = ref->hash;
	Size limit = training->options.history;
	bool directed = sim_is_directed(training);
	bool sorted;
	Size i;

	if (training->filter &&
		!training->filter(training->filter_arg, ref, reading->postings,
						  &reading->npostings))
		return;
	sorted = training->weighted || directed || reading->npostings > limit;
	training->interactions += reading->npostings;
	for (i = 0; i < reading->npostings; i++)
		training->newest = Max(training->newest, reading->postings[i].time);
	if (sorted)
		qsort(reading->postings, reading->npostings, sizeof(SimPosting),
			  newest_first);
	remove_duplicates(reading);
	if (reading->npostings > limit)
		reading->npostings = cut_history(training, reading->postings,
										 reading->npostings, limit, hash);
	if (reading->npostings == 0)
		return;
	if (directed)
		qsort_arg(reading->postings, reading->npostings, sizeof(SimPosting),
				  canonical_order, training);
	if (training->weighted)
		sim_weigh_history(training, reading->postings, reading->npostings,
						  reading->weights);
	add_history(training, hash, reading->postings, reading->weights,
				reading->npostings);
}

/* Make room for more postings of the subject. */
static void
reserve_postings(Reading *reading, Size n)
{
	if (reading->npostings + n <= reading->max_postings)
		return;
	reading->max_postings = (reading->npostings + n) * 2;
	reading->postings =
		grow(reading->postings, reading->max_postings * sizeof(SimPosting));
	if (!reading->training->weighted)
		return;
	reading->strengths =
		grow(reading->strengths, reading->max_postings * sizeof(double));
	reading->weights =
		grow(reading->weights, reading->max_postings * sizeof(float));
}

static void
report_broken_chain(SimIndex *ix, BlockNumber block, OffsetNumber offset)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" has a broken chain of postings at block %u offset %u",
					RelationGetRelationName(ix->rel), block, offset),
			 errhint("Please REINDEX it.")));
}

/* Copy the postings of one chunk; returns false where it is not (any more). */
static bool
read_chunk(Reading *reading, uint64 owner, BlockNumber *block,
		   OffsetNumber *offset)
{
	SimIndex *ix = reading->training->ix;
	Buffer buffer = sim_read(ix, *block, BUFFER_LOCK_SHARE);
	SimChunk *chunk = sim_chunk_at(ix, BufferGetPage(buffer), *offset,
								   SIM_PAGE_SUBJECT, owner);
	int i;

	if (chunk == NULL)
	{
		UnlockReleaseBuffer(buffer);
		return false;
	}
	reserve_postings(reading, chunk->n);
	for (i = 0; i < chunk->n; i++)
	{
		SimPosting *posting = &reading->postings[reading->npostings];

		sim_posting_read(ix, chunk, i, posting);
		if (posting->item < reading->training->nitems)
			reading->npostings++;
	}
	*block = chunk->next_block;
	*offset = chunk->next_offset;
	UnlockReleaseBuffer(buffer);
	return true;
}

/* Look again where a subject's chain begins; false if there is none. */
static bool
find_chain(SimIndex *ix, SimRecordRef *ref)
{
	Buffer buffer = sim_read(ix, ref->block, BUFFER_LOCK_SHARE);
	SimRecord *record =
		sim_record_at(BufferGetPage(buffer), SIM_PAGE_SUBJECT, ref->offset);
	bool found = record != NULL && record->hash == ref->hash;

	if (found)
	{
		ref->head_block = record->head_block;
		ref->head_offset = record->head_offset;
	}
	UnlockReleaseBuffer(buffer);
	return found;
}

/*
 * Read a subject's chain.  Who trains keeps VACUUM away; who only looks does
 * not, and begins again where VACUUM has unlinked the next chunk.
 */
static void
read_subject(Reading *reading, SimRecordRef *ref)
{
	SimTraining *training = reading->training;
	int tries = 0;

	for (;;)
	{
		BlockNumber block = ref->head_block;
		OffsetNumber offset = ref->head_offset;
		bool whole = true;

		reading->npostings = 0;
		while (whole && block != InvalidBlockNumber)
		{
			sim_training_pause(training);
			whole = read_chunk(reading, ref->hash, &block, &offset);
		}
		if (whole)
			break;
		if (!training->unlocked || ++tries == MAX_TRIES)
			report_broken_chain(training->ix, block, offset);
		if (!find_chain(training->ix, ref))
			return;
	}
	use_subject(reading, ref);
}

/* Note where the subjects on a page have their chains. */
static void
collect_refs(Reading *reading, Page page)
{
	OffsetNumber offset;

	reading->nrefs = 0;
	if (!sim_page_is(page, SIM_PAGE_SUBJECT))
		return;
	for (offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page);
		 offset++)
	{
		SimRecord *record = sim_record_at(page, SIM_PAGE_SUBJECT, offset);
		SimRecordRef *ref = &reading->refs[reading->nrefs];

		if (record == NULL)
			continue;
		ref->kind = SIM_PAGE_SUBJECT;
		ref->block = reading->block;
		ref->offset = offset;
		ref->hash = record->hash;
		ref->head_block = record->head_block;
		ref->head_offset = record->head_offset;
		reading->nrefs++;
	}
}

/* The histories once more, by item. */
void
sim_transpose_histories(SimTraining *training)
{
	SimHistories *h = &training->histories;
	Size size = (training->nitems + 1) * sizeof(Size);
	Size entry = 0;
	uint32 i;

	h->degrees =
		MemoryContextAllocExtended(CurrentMemoryContext,
								   (training->nitems + 1) * sizeof(uint32),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	h->item_starts =
		MemoryContextAllocExtended(CurrentMemoryContext, size,
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	h->item_subjects =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   (h->nentries + 1) * sizeof(uint32));
	for (entry = 0; entry < h->nentries; entry++)
	{
		if (entry % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		h->degrees[h->items[entry]]++;
	}
	for (i = 0; i < training->nitems; i++)
		h->item_starts[i + 1] = h->item_starts[i] + h->degrees[i];
	if (training->weighted)
		h->item_weights =
			MemoryContextAllocHuge(CurrentMemoryContext,
								   (h->nentries + 1) * sizeof(float));
	for (i = 0; i < h->nsubjects; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (entry = h->starts[i]; entry < h->starts[i + 1]; entry++)
		{
			Size place = h->item_starts[h->items[entry]]++;

			h->item_subjects[place] = i;
			if (training->weighted)
				h->item_weights[place] = h->weights[entry];
		}
	}
	memmove(h->item_starts + 1, h->item_starts,
			training->nitems * sizeof(Size));
	h->item_starts[0] = 0;
}

void
sim_load_histories(SimTraining *training)
{
	SimIndex *ix = training->ix;
	BlockNumber nblocks = RelationGetNumberOfBlocks(ix->rel);
	BlockNumber block;
	Reading reading;
	int i;

	memset(&reading, 0, sizeof(reading));
	reading.training = training;
	reading.refs = palloc(sizeof(SimRecordRef) * MaxIndexTuplesPerPage);
	reading.marks =
		MemoryContextAllocExtended(CurrentMemoryContext,
								   (training->nitems + 1) * sizeof(uint32),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (training->weighted)
		reading.places =
			MemoryContextAllocHuge(CurrentMemoryContext,
								   (training->nitems + 1) * sizeof(uint32));
	make_room(training, &training->histories, 0);
	for (block = 0; block < nblocks; block++)
	{
		Buffer buffer = sim_read(ix, block, BUFFER_LOCK_SHARE);

		reading.block = block;
		collect_refs(&reading, BufferGetPage(buffer));
		UnlockReleaseBuffer(buffer);
		for (i = 0; i < reading.nrefs; i++)
			read_subject(&reading, &reading.refs[i]);
		sim_training_pause(training);
	}
	pfree(reading.refs);
	pfree(reading.marks);
	if (reading.postings)
		pfree(reading.postings);
	if (training->weighted)
	{
		pfree(reading.places);
		training->histories.subject_weights =
			MemoryContextAllocHuge(CurrentMemoryContext,
								   training->histories.max_subjects *
									   sizeof(double));
		sim_weigh_subjects(training);
	}
	sim_transpose_histories(training);
}
