/*
 * histories.c
 *		Reading the histories that a model is trained on.
 */
#include "postgres.h"


#include "access/itup.h"
#include "utils/memutils.h"

#include "common/mix.h"
#include "similarity/records.h"
#include "training/training.h"

/* One subject while it is read. */
typedef struct Reading
{
	SimTraining *training;
	SimRecordRef *refs; /* of one page of records */
	int nrefs;
	SimPosting *postings;
	Size npostings;
	Size max_postings;
	uint32 *marks; /* by item: serial of the last subject with it */
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
memory_used(const SimHistories *histories)
{
	return histories->nentries * SIM_MEMORY_PER_ENTRY +
		histories->nsubjects * SIM_MEMORY_PER_SUBJECT;
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
		h->starts[kept] = end;
		h->subject_hashes[kept++] = h->subject_hashes[i];
		end += n;
	}
	h->starts[kept] = end;
	h->nsubjects = kept;
	h->nentries = end;
}

static void
make_room(SimHistories *h, Size n)
{
	if (h->nsubjects + 2 > h->max_subjects)
	{
		h->max_subjects = Max(1024, h->max_subjects * 2);
		h->starts = grow(h->starts, h->max_subjects * sizeof(Size));
		h->subject_hashes =
			grow(h->subject_hashes, h->max_subjects * sizeof(uint64));
		h->starts[h->nsubjects] = h->nentries;
	}
	if (h->nentries + n > h->max_entries)
	{
		h->max_entries = Max(h->nentries + n,
							 Max(16384, h->max_entries + h->max_entries / 2));
		h->items = grow(h->items, h->max_entries * sizeof(uint32));
	}
}

static void
add_history(SimTraining *training, uint64 subject_hash,
			const SimPosting *postings, Size n)
{
	SimHistories *h = &training->histories;
	Size i;

	training->all_subjects++;
	training->all_entries += n;
	if (!in_sample(training, subject_hash))
		return;
	make_room(h, n);
	for (i = 0; i < n; i++)
		h->items[h->nentries++] = postings[i].item;
	h->subject_hashes[h->nsubjects++] = subject_hash;
	h->starts[h->nsubjects] = h->nentries;
	while (memory_used(h) > training->budget && h->nsubjects > 1)
		thin_out(training);
}

/* ---- one subject ---- */

static int
newest_first(const void *a, const void *b)
{
	const SimPosting *p = a;
	const SimPosting *q = b;

	return p->time > q->time ? -1 : p->time < q->time ? 1 : 0;
}

/* The same, and items that share a time by their hash. */
static int
canonical_order(const void *a, const void *b, void *arg)
{
	const uint64 *hashes = ((SimTraining *) arg)->item_hashes;
	const SimPosting *p = a;
	const SimPosting *q = b;

	if (p->time != q->time)
		return newest_first(a, b);
	return hashes[p->item] < hashes[q->item] ? -1 :
		hashes[p->item] > hashes[q->item]	 ? 1 :
											   0;
}

/* Keep one posting of each item, the first that comes. */
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
			continue;
		reading->marks[item] = reading->serial;
		reading->postings[kept++] = reading->postings[i];
	}
	reading->npostings = kept;
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
use_subject(Reading *reading, uint64 hash)
{
	SimTraining *training = reading->training;
	Size limit = training->options.history;
	bool directed = sim_is_directed(training);
	bool long_history = reading->npostings > limit;
	Size i;

	training->interactions += reading->npostings;
	for (i = 0; i < reading->npostings; i++)
		training->newest = Max(training->newest, reading->postings[i].time);
	if (long_history || directed)
		qsort(reading->postings, reading->npostings, sizeof(SimPosting),
			  newest_first);
	remove_duplicates(reading);
	if (reading->npostings > limit)
		reading->npostings = cut_history(training, reading->postings,
										 reading->npostings, limit, hash);
	if (directed)
		qsort_arg(reading->postings, reading->npostings, sizeof(SimPosting),
				  canonical_order, training);
	if (reading->npostings > 0)
		add_history(training, hash, reading->postings, reading->npostings);
}

/* Copy the postings of one chunk; returns false where there is none. */
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
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has a broken chain of postings at block %u offset %u",
						RelationGetRelationName(ix->rel), *block, *offset),
				 errhint("Please REINDEX it.")));
	if (reading->npostings + chunk->n > reading->max_postings)
	{
		reading->max_postings = (reading->npostings + chunk->n) * 2;
		reading->postings =
			grow(reading->postings, reading->max_postings * sizeof(SimPosting));
	}
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
	return *block != InvalidBlockNumber;
}

static void
read_subject(Reading *reading, const SimRecordRef *ref)
{
	BlockNumber block = ref->head_block;
	OffsetNumber offset = ref->head_offset;

	reading->npostings = 0;
	while (block != InvalidBlockNumber)
	{
		sim_training_pause(reading->training);
		(void) read_chunk(reading, ref->hash, &block, &offset);
	}
	use_subject(reading, ref->hash);
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
		ref->hash = record->hash;
		ref->head_block = record->head_block;
		ref->head_offset = record->head_offset;
		reading->nrefs++;
	}
}

/* The histories once more, by item. */
static void
transpose(SimTraining *training)
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
	for (i = 0; i < h->nsubjects; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (entry = h->starts[i]; entry < h->starts[i + 1]; entry++)
			h->item_subjects[h->item_starts[h->items[entry]]++] = i;
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
	make_room(&training->histories, 0);
	for (block = 0; block < nblocks; block++)
	{
		Buffer buffer = sim_read(ix, block, BUFFER_LOCK_SHARE);

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
	transpose(training);
}
