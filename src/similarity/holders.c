/*
 * holders.c
 *		Reading which subjects have an item, the most recent first.
 *
 * The chain of an item begins with what was inserted last, which need not be
 * the latest.  Each chunk says up to which time there is anything behind it:
 * once the next posting in order is later than that, no more need be read.
 */
#include "postgres.h"

#include "access/visibilitymap.h"
#include "access/xlog.h"
#include "miscadmin.h"

#include "similarity/reader_state.h"
#include "similarity/records.h"

/* VACUUM does not cross anyone's way that often. */
#define MAX_ROUNDS 100000

struct SimHolders
{
	SimReader *reader;
	ItemNumber item;
	uint64 owner; /* the item's hash */
	SimHolder *entries;
	int pos; /* the next to take */
	int n;
	int max;
	BlockNumber block; /* of the chunk to read next; invalid at the end */
	OffsetNumber offset;
	TimestampTz older; /* nothing from there on is later */
	int rounds;
	bool again;		 /* the chain was begun anew: */
	SimHolder taken; /* the last one that was taken before, if any */
	bool has_taken;
};

/* Latest first, then an order that is the same on every node. */
static inline int
compare_holders(const SimHolder *a, const SimHolder *b)
{
	int order;

	if (a->time != b->time)
		return a->time > b->time ? -1 : 1;
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	order = ItemPointerCompare((ItemPointer) &a->subject,
							   (ItemPointer) &b->subject);
	if (order != 0)
		return order;
	return ItemPointerCompare((ItemPointer) &a->tid, (ItemPointer) &b->tid);
}

#define ST_SORT sort_holders
#define ST_ELEMENT_TYPE SimHolder
#define ST_COMPARE(a, b) compare_holders(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* Where the item's chain begins, as of now. */
static void
find_head(SimHolders *holders)
{
	SimIndex *ix = &holders->reader->state->ix;
	ItemPointerData place;
	SimMeta now;
	Buffer buffer;
	SimRecord *record;

	sim_read_meta(ix, &now);
	if (!sim_item_place(ix, &now.locator, holders->item, &place))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" does not know its item %u",
						RelationGetRelationName(ix->rel), holders->item),
				 errhint("Please REINDEX it.")));
	buffer = sim_read(ix, ItemPointerGetBlockNumber(&place), BUFFER_LOCK_SHARE);
	record = sim_record_at(BufferGetPage(buffer), SIM_PAGE_ITEM,
						   ItemPointerGetOffsetNumber(&place));
	if (record == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has no record of item %u at block %u offset %u",
						RelationGetRelationName(ix->rel), holders->item,
						ItemPointerGetBlockNumber(&place),
						ItemPointerGetOffsetNumber(&place)),
				 errhint("Please REINDEX it.")));
	holders->owner = record->hash;
	holders->block = record->head_block;
	holders->offset = record->head_offset;
	holders->older = PG_INT64_MAX;
	UnlockReleaseBuffer(buffer);
}

/* Copy what the chunk has; after a new beginning, only what is still to come. */
static void
copy_chunk(SimHolders *holders, const SimChunk *chunk)
{
	SimIndex *ix = &holders->reader->state->ix;
	int i;

	/* From the end: what came last is most often the latest. */
	for (i = chunk->n; i-- > 0;)
	{
		SimHolder *holder = &holders->entries[holders->n];
		SimItemPosting posting;

		sim_item_posting_read(ix, chunk, i, &posting);
		holder->time = posting.time;
		holder->hash = posting.hash;
		holder->subject = posting.subject;
		holder->tid = posting.tid;
		holder->all_visible = false;
		if (!holders->again || !holders->has_taken ||
			compare_holders(holder, &holders->taken) > 0)
			holders->n++;
	}
}

/*
 * Read the next chunk, and ask the visibility map while it is pinned, as
 * history.c does.  False if the chunk is not there any more.
 */
static bool
read_chunk(SimHolders *holders)
{
	SimReaderState *state = holders->reader->state;
	Buffer buffer = sim_read(&state->ix, holders->block, BUFFER_LOCK_SHARE);
	SimChunk *chunk =
		sim_chunk_at(&state->ix, BufferGetPage(buffer), holders->offset,
					 SIM_PAGE_ITEM, holders->owner);
	int first = holders->n;
	int i;

	if (chunk == NULL)
	{
		UnlockReleaseBuffer(buffer);
		return false;
	}
	if (first + chunk->n > holders->max)
	{
		/* Most items of a long session have few rows, and each is read. */
		holders->max = Max(2 * (first + chunk->n), 16);
		holders->entries = holders->entries == NULL ?
			palloc_extended(holders->max * sizeof(SimHolder), MCXT_ALLOC_HUGE) :
			repalloc_huge(holders->entries, holders->max * sizeof(SimHolder));
	}
	copy_chunk(holders, chunk);
	holders->block = chunk->next_block;
	holders->offset = chunk->next_offset;
	holders->older = sim_chunk_older(chunk);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	for (i = first; state->use_map && i < holders->n; i++)
		holders->entries[i].all_visible =
			VM_ALL_VISIBLE(holders->reader->heap,
						   ItemPointerGetBlockNumber(&holders->entries[i].tid),
						   &state->vm_buffer);
	ReleaseBuffer(buffer);
	return true;
}

/* VACUUM has unlinked the chunk that was next: begin the chain anew. */
static void
start_again(SimHolders *holders)
{
	if (++holders->rounds == MAX_ROUNDS)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has a broken chain of postings at block %u offset %u",
						RelationGetRelationName(holders->reader->index),
						holders->block, holders->offset),
				 errhint("Please REINDEX it.")));
	holders->again = true;
	holders->n = 0;
	find_head(holders);
}

/* Read at least as much again as there is. */
static void
read_more(SimHolders *holders)
{
	int enough;

	holders->n -= holders->pos;
	memmove(holders->entries, holders->entries + holders->pos,
			holders->n * sizeof(SimHolder));
	holders->pos = 0;
	enough = Max(2 * holders->n, 1);
	while (holders->n < enough && holders->block != InvalidBlockNumber)
	{
		CHECK_FOR_INTERRUPTS();
		if (!read_chunk(holders))
			start_again(holders);
	}
	sort_holders(holders->entries, holders->n);
}

SimHolders *
sim_holders_open(SimReader *reader, ItemNumber item)
{
	SimHolders *holders = palloc0(sizeof(SimHolders));

	holders->reader = reader;
	holders->item = item;
	find_head(holders);
	return holders;
}

/* The next one, seen by the snapshot or not; NULL at the end. */
const SimHolder *
sim_holders_peek(SimHolders *holders)
{
	while (holders->block != InvalidBlockNumber &&
		   (holders->pos == holders->n ||
			holders->entries[holders->pos].time <= holders->older))
		read_more(holders);
	return holders->pos < holders->n ? &holders->entries[holders->pos] : NULL;
}

void
sim_holders_take(SimHolders *holders)
{
	holders->taken = holders->entries[holders->pos++];
	holders->has_taken = true;
}

void
sim_holders_close(SimHolders *holders)
{
	if (holders->entries)
		pfree(holders->entries);
	pfree(holders);
}

bool
sim_holder_visible(SimReader *reader, const SimHolder *holder)
{
	return holder->all_visible ||
		sim_row_visible(reader->state, reader->heap, &holder->tid);
}

/* ---- subjects by the place of their record ---- */

/* The key of a subject, palloc'd; false if it is not there any more. */
bool
sim_holder_key(SimReader *reader, const SimHolder *holder, Datum *key)
{
	SimIndex *ix = &reader->state->ix;
	Buffer buffer = sim_read(ix, ItemPointerGetBlockNumber(&holder->subject),
							 BUFFER_LOCK_SHARE);
	SimRecord *record =
		sim_record_at(BufferGetPage(buffer), SIM_PAGE_SUBJECT,
					  ItemPointerGetOffsetNumber(&holder->subject));
	bool found = record != NULL && record->hash == holder->hash;

	if (found)
		*key = typed_key_copy(&ix->subject,
							  sim_record_key(SIM_PAGE_SUBJECT, &ix->subject,
											 record));
	UnlockReleaseBuffer(buffer);
	return found;
}

BlockNumber
sim_subject_pages(SimReader *reader)
{
	return RelationGetNumberOfBlocks(reader->index);
}

/* The subjects whose records are on a page; there may be none. */
int
sim_read_subjects(SimReader *reader, BlockNumber block, SimHolder *subjects)
{
	Buffer buffer = sim_read(&reader->state->ix, block, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	OffsetNumber offset;
	int n = 0;

	for (offset = FirstOffsetNumber; sim_page_is(page, SIM_PAGE_SUBJECT) &&
		 offset <= PageGetMaxOffsetNumber(page);
		 offset++)
	{
		SimRecord *record = sim_record_at(page, SIM_PAGE_SUBJECT, offset);

		if (record == NULL)
			continue;
		memset(&subjects[n], 0, sizeof(SimHolder));
		subjects[n].hash = record->hash;
		ItemPointerSet(&subjects[n].subject, block, offset);
		n++;
	}
	UnlockReleaseBuffer(buffer);
	return n;
}

/* ---- how many subjects have an item ---- */

/*
 * As of the last training, whose histories are counted: 0 for items that came
 * later.  Items in order of their numbers take the fewest page accesses.
 */
void
sim_read_degrees(SimReader *reader, const ItemNumber *items, int n,
				 uint32 *degrees)
{
	SimReaderState *state = reader->state;
	const SimArray *array = &state->meta.degrees;
	uint32 per_leaf = sim_array_per_leaf(array);
	int first;
	int end;

	memset(degrees, 0, n * sizeof(uint32));
	for (first = 0; first < n; first = end)
	{
		uint32 leaf = items[first] / per_leaf;
		BlockNumber block = InvalidBlockNumber;
		Buffer buffer;
		Page page;
		int i;

		for (end = first + 1; end < n && items[end] / per_leaf == leaf; end++)
			;
		if (reader->trained)
			block = sim_array_leaf(&state->ix, array, leaf);
		if (block == InvalidBlockNumber)
			continue;
		buffer = sim_read(&state->ix, block, BUFFER_LOCK_SHARE);
		page = BufferGetPage(buffer);
		for (i = first; i < end && sim_array_is_leaf(page, array); i++)
			if (items[i] < state->meta.model_items)
				memcpy(&degrees[i], sim_array_slot(page, array, items[i]),
					   sizeof(uint32));
		UnlockReleaseBuffer(buffer);
	}
}
