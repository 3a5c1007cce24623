/*
 * history.c
 *		Reading a subject's history as the caller's snapshot sees it.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "similarity/reader_state.h"
#include "similarity/records.h"
#include "training/training.h"

/* VACUUM does not cross anyone's way that often. */
#define MAX_ROUNDS 100000

/* A posting that was read, perhaps known to be visible to everyone. */
typedef struct Seen
{
	SimPosting posting;
	bool all_visible;
} Seen;

typedef struct History
{
	SimReader *reader;
	SimReaderState *state;
	Datum subject;
	const ItemPointerData *place; /* of the record, or NULL: look it up */
	uint64 hash;				  /* of the subject */
	Seen *seen;
	int nseen;
	int max_seen;

	/* distinct visible items, newest first, and a hash table of them */
	SimHistoryItem *items;
	int nitems;
	int *table;
	uint32 table_mask;
} History;

/* ---- collecting postings ---- */

/*
 * Copy a chunk's postings.  The visibility map is asked while the page is
 * still pinned: VACUUM cannot remove a posting from it, and so no other row
 * can take its place, before the answer is in.
 */
static bool
collect_chunk(History *history, uint64 owner, BlockNumber *block,
			  OffsetNumber *offset)
{
	SimReaderState *state = history->state;
	Buffer buffer = sim_read(&state->ix, *block, BUFFER_LOCK_SHARE);
	SimChunk *chunk = sim_chunk_at(&state->ix, BufferGetPage(buffer), *offset,
								   SIM_PAGE_SUBJECT, owner);
	int first = history->nseen;
	int i;

	if (chunk == NULL)
	{
		UnlockReleaseBuffer(buffer);
		return false;
	}
	if (first + chunk->n > history->max_seen)
	{
		history->max_seen = Max(2 * (first + chunk->n), 64);
		history->seen = history->seen == NULL ?
			palloc_extended(history->max_seen * sizeof(Seen), MCXT_ALLOC_HUGE) :
			repalloc_huge(history->seen, history->max_seen * sizeof(Seen));
	}

	/* From the end: what came last is most often the newest, as we want it. */
	for (i = chunk->n; i-- > 0;)
	{
		Seen *seen = &history->seen[history->nseen++];

		sim_posting_read(&state->ix, chunk, i, &seen->posting);
		seen->all_visible = false;
	}
	*block = chunk->next_block;
	*offset = chunk->next_offset;
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	for (i = first; state->use_map && i < history->nseen; i++)
		history->seen[i].all_visible =
			VM_ALL_VISIBLE(history->reader->heap,
						   ItemPointerGetBlockNumber(
							   &history->seen[i].posting.tid),
						   &state->vm_buffer);
	ReleaseBuffer(buffer);
	return true;
}

/* Where a subject's chain begins now; false if the subject is not there. */
static bool
find_head(History *history, BlockNumber *block, OffsetNumber *offset)
{
	SimIndex *ix = &history->state->ix;
	SimRecordRef ref;

	if (history->place)
	{
		BlockNumber at = ItemPointerGetBlockNumber(history->place);
		Buffer buffer = sim_read(ix, at, BUFFER_LOCK_SHARE);
		SimRecord *record =
			sim_record_at(BufferGetPage(buffer), SIM_PAGE_SUBJECT,
						  ItemPointerGetOffsetNumber(history->place));
		bool found = record != NULL && record->hash == history->hash;

		if (found)
		{
			*block = record->head_block;
			*offset = record->head_offset;
		}
		UnlockReleaseBuffer(buffer);
		return found;
	}
	if (!sim_subject_find(ix, history->subject, history->hash, &ref))
		return false;
	*block = ref.head_block;
	*offset = ref.head_offset;
	return true;
}

/*
 * All postings of a subject.  If VACUUM unlinks the chunk we are on the way
 * to, we find another owner's or none, and start again.
 */
static bool
collect(History *history)
{
	BlockNumber block;
	OffsetNumber offset;
	int rounds = 0;

	for (;;)
	{
		bool whole = true;

		CHECK_FOR_INTERRUPTS();
		history->nseen = 0;
		if (!find_head(history, &block, &offset))
			return false;
		while (whole && block != InvalidBlockNumber)
		{
			CHECK_FOR_INTERRUPTS();
			whole = collect_chunk(history, history->hash, &block, &offset);
		}
		if (whole)
			return true;
		if (++rounds == MAX_ROUNDS)
			ereport(ERROR,
					(errcode(ERRCODE_INDEX_CORRUPTED),
					 errmsg("index \"%s\" has a broken chain of postings at block %u offset %u",
							RelationGetRelationName(history->reader->index),
							block, offset),
					 errhint("Please REINDEX it.")));
	}
}

/* ---- visibility ---- */

/* Does the snapshot see a row, as its table says? */
bool
sim_row_visible(SimReaderState *state, Relation heap,
				const ItemPointerData *row)
{
	bool again = false;
	bool dead;
	bool found;
	ItemPointerData tid = *row;

	if (state->fetch == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(state->context);

		state->slot = table_slot_create(heap, NULL);
		state->fetch = table_index_fetch_begin(heap);
		MemoryContextSwitchTo(old);
	}
	found = table_index_fetch_tuple(state->fetch, &tid, state->snapshot,
									state->slot, &again, &dead);
	ExecClearTuple(state->slot);
	return found;
}

static bool
is_visible(History *history, const Seen *seen)
{
	return seen->all_visible ||
		sim_row_visible(history->state, history->reader->heap,
						&seen->posting.tid);
}

/* ---- distinct items ---- */

static inline int
newest_first(const Seen *a, const Seen *b)
{
	const SimPosting *p = &a->posting;
	const SimPosting *q = &b->posting;

	if (p->time != q->time)
		return p->time > q->time ? -1 : 1;
	if (p->item != q->item)
		return p->item < q->item ? -1 : 1;
	return ItemPointerCompare((ItemPointer) &p->tid, (ItemPointer) &q->tid);
}

#define ST_SORT sort_newest_first
#define ST_ELEMENT_TYPE Seen
#define ST_COMPARE(a, b) newest_first(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* A chunk that was read again after it moved leaves the same row twice. */
static bool
is_repeated(const Seen *seen, int i)
{
	return i > 0 && newest_first(&seen[i - 1], &seen[i]) == 0;
}

static void
make_table(History *history)
{
	Size size = pg_nextpower2_64(Max(16, 2 * (uint64) history->nseen));

	history->table = palloc_extended(size * sizeof(int), MCXT_ALLOC_HUGE);
	memset(history->table, 0xFF, size * sizeof(int));
	history->table_mask = size - 1;
	history->items = palloc_extended(history->nseen * sizeof(SimHistoryItem),
									 MCXT_ALLOC_HUGE);
}

/* Add an interaction to its item. */
static void
add_posting(History *history, const SimPosting *posting)
{
	uint32 i = murmurhash32(posting->item) & history->table_mask;
	SimHistoryItem *item;

	while (history->table[i] >= 0)
	{
		item = &history->items[history->table[i]];
		if (item->item == posting->item)
		{
			item->strength += posting->strength;
			return;
		}
		i = (i + 1) & history->table_mask;
	}
	history->table[i] = history->nitems;
	item = &history->items[history->nitems++];
	item->item = posting->item;
	item->time = posting->time;
	item->strength = posting->strength;
}

/* The distinct visible items, newest first. */
static void
distinct_items(History *history)
{
	int i;

	sort_newest_first(history->seen, history->nseen);
	make_table(history);
	for (i = 0; i < history->nseen; i++)
	{
		if (i % 1024 == 1023)
			CHECK_FOR_INTERRUPTS();
		if (!is_repeated(history->seen, i) &&
			is_visible(history, &history->seen[i]))
			add_posting(history, &history->seen[i].posting);
	}
}

typedef struct Tied
{
	uint64 order;
	SimHistoryItem item;
} Tied;

static int
by_order(const void *a, const void *b)
{
	uint64 x = ((const Tied *) a)->order;
	uint64 y = ((const Tied *) b)->order;

	return x < y ? -1 : x > y ? 1 : 0;
}

/*
 * Put those items first that count when there are more than the limit.  Among
 * the items that share the time at the cut the same sample counts that
 * training takes.
 */
static void
order_at_cut(History *history, int limit, uint64 subject_hash)
{
	TimestampTz time = history->items[limit - 1].time;
	int first = limit - 1;
	int end = limit;
	Tied *tied;
	int i;

	while (first > 0 && history->items[first - 1].time == time)
		first--;
	while (end < history->nitems && history->items[end].time == time)
		end++;
	tied = palloc_extended((end - first) * sizeof(Tied), MCXT_ALLOC_HUGE);
	for (i = first; i < end; i++)
	{
		uint64 hash;

		CHECK_FOR_INTERRUPTS();
		tied[i - first].item = history->items[i];
		sim_reader_item(history->state, history->items[i].item, NULL, &hash);
		tied[i - first].order = sim_sample_order(hash, subject_hash);
	}
	qsort(tied, end - first, sizeof(Tied), by_order);
	for (i = first; i < end; i++)
		history->items[i] = tied[i - first].item;
	pfree(tied);
}

static int
read_history(History *history, SimHistoryItem **items, int *nitems)
{
	int limit = sim_options(history->reader->index)->history;

	*items = NULL;
	*nitems = 0;
	if (!collect(history) || history->nseen == 0)
		return 0;
	distinct_items(history);
	if (history->nitems > limit)
		order_at_cut(history, limit, history->hash);
	*items = history->items;
	*nitems = history->nitems;
	return Min(history->nitems, limit);
}

int
sim_read_history(SimReader *reader, Datum subject, SimHistoryItem **items,
				 int *nitems)
{
	History history;

	memset(&history, 0, sizeof(history));
	history.reader = reader;
	history.state = reader->state;
	history.subject = subject;
	history.hash = typed_key_hash(&reader->state->ix.subject, subject);
	return read_history(&history, items, nitems);
}

int
sim_read_history_of(SimReader *reader, const SimHolder *holder,
					SimHistoryItem **items, int *nitems)
{
	History history;

	memset(&history, 0, sizeof(history));
	history.reader = reader;
	history.state = reader->state;
	history.place = &holder->subject;
	history.hash = holder->hash;
	return read_history(&history, items, nitems);
}
