/*
 * reader.c
 *		Opening an index for reading, and what is read from its model.
 *
 * A model is never changed, only replaced.  Readers take no lock that would
 * keep it: they check at the end that the generation is still the one they
 * began with.  Pages of a replaced model may have been reused meanwhile; each
 * says what it is, so that a reader led astray stops there.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/visibilitymap.h"
#include "compat.h"
#include "access/xlog.h"
#include "pgstat.h"
#include "storage/buf_internals.h"
#include "storage/predicate.h"
#include "utils/snapmgr.h"

#include "similarity/reader_state.h"
#include "similarity/records.h"

/* Lists that are prefetched: what the caches hold. */
#define MAX_PREFETCH 512

static void
load_meta(SimReader *reader)
{
	SimMeta *meta = &reader->state->meta;

	sim_read_meta(&reader->state->ix, meta);
	reader->trained = meta->generation != 0;
	reader->generation = meta->generation;
	reader->directed = meta->directed;
	reader->forward_decay = meta->forward_decay;
	reader->nitems = meta->nitems;
	reader->has_item_postings = meta->item_postings;
	reader->trained_subjects = meta->trained_subjects;
}

static SimReader *
open_reader(Relation heap, Oid index)
{
	SimReader *reader = palloc0(sizeof(SimReader));
	SimReaderState *state = palloc0(sizeof(SimReaderState));
	Snapshot snapshot = GetActiveSnapshot();

	reader->heap = heap;
	reader->index = index_open(index, AccessShareLock);
	sim_check_readable(reader->heap, reader->index);
	reader->state = state;
	state->context = CurrentMemoryContext;
	sim_index_open(&state->ix, reader->index);
	state->index = index;
	state->heap = RelationGetRelid(heap);
	state->file = relation_file(reader->index);
	state->snapshot = snapshot;
	state->vm_buffer = InvalidBuffer;

	/* On a standby replay does not wait for our pins. */
	state->use_map = !RecoveryInProgress();
	reader->subject_key = state->ix.subject;
	reader->item_key = state->ix.item;
	reader->has_time = state->ix.has_time;
	reader->has_strength = state->ix.has_strength;
	reader->strength_scale = sim_options(state->ix.rel)->strength_scale;

	/* As index_beginscan() does; the heap because we skip visiting rows. */
	PredicateLockRelation(reader->index, snapshot);
	PredicateLockRelation(reader->heap, snapshot);
	pgstat_count_index_scan(reader->index);
	load_meta(reader);
	return reader;
}

SimReader *
sim_reader_open(Oid source)
{
	Relation heap;
	Oid index = sim_source_index(source, AccessShareLock, &heap);

	return open_reader(heap, index);
}

SimReader *
sim_reader_open_at(Oid relation, Oid source)
{
	Relation heap;
	Oid index = sim_leaf_index(relation, source, &heap);

	return open_reader(heap, index);
}

void
sim_reader_close(SimReader *reader)
{
	if (reader->state->vm_buffer != InvalidBuffer)
		ReleaseBuffer(reader->state->vm_buffer);
	if (reader->state->fetch)
	{
		table_index_fetch_end(reader->state->fetch);
		ExecDropSingleTupleTableSlot(reader->state->slot);
		reader->state->fetch = NULL;
	}
	reader->state->vm_buffer = InvalidBuffer;
	reader->state->fetch = NULL;
	reader->state->slot = NULL;
	index_close(reader->index, AccessShareLock);
	relation_close(reader->heap, AccessShareLock);
}

bool
sim_reader_reopen(SimReader *reader)
{
	SimReaderState *state = reader->state;
	uint32 generation = reader->generation;

	reader->heap = try_relation_open(state->heap, AccessShareLock);
	if (reader->heap == NULL)
		return false;
	reader->index = try_relation_open(state->index, AccessShareLock);
	if (reader->index == NULL)
	{
		relation_close(reader->heap, AccessShareLock);
		return false;
	}
	state->ix.rel = reader->index;
	state->snapshot = GetActiveSnapshot();
	state->vm_buffer = InvalidBuffer;
	if (relation_file(reader->index) == state->file)
	{
		sim_reader_refresh(reader);
		if (reader->generation == generation)
			return true;
	}
	sim_reader_close(reader);
	return false;
}

bool
sim_reader_is_current(SimReader *reader)
{
	SimMeta now;

	sim_read_meta(&reader->state->ix, &now);
	return now.generation == reader->generation;
}

void
sim_reader_refresh(SimReader *reader)
{
	load_meta(reader);
	reader->state->nplaces = 0;
	reader->state->slots = NULL;
}

/* ---- items ---- */

ItemNumber
sim_find_item(SimReader *reader, Datum item)
{
	SimIndex *ix = &reader->state->ix;

	return sim_item_lookup(ix, item, typed_key_hash(&ix->item, item));
}

/*
 * Read an item's record.  An item that is newer than the metapage we have may
 * need a locator that has grown since.
 */
void
sim_reader_item(SimReaderState *state, ItemNumber item, Datum *key,
				uint64 *hash)
{
	SimMeta now;

	if (sim_item_read(&state->ix, &state->meta.locator, item, key, hash))
		return;
	sim_read_meta(&state->ix, &now);
	if (!sim_item_read(&state->ix, &now.locator, item, key, hash))
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" does not know its item %u",
						RelationGetRelationName(state->ix.rel), item),
				 errhint("Please REINDEX it.")));
}

Datum
sim_item_key(SimReader *reader, ItemNumber item)
{
	SimKeyMemo *memo = &reader->state->memo[item % SIM_KEY_MEMO];
	uint64 hash;

	if (!memo->used || memo->item != item)
	{
		sim_reader_item(reader->state, item, &memo->key, &hash);
		memo->item = item;
		memo->used = true;
	}
	return memo->key;
}

/* ---- neighbours ---- */

#define ST_SORT sort_places
#define ST_ELEMENT_TYPE SimPlace
#define ST_COMPARE(a, b) ((a)->item < (b)->item ? -1 : (a)->item > (b)->item)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* The place of an item's list; invalid if it has none. */
static ItemPointerData
find_place(SimReaderState *state, ItemNumber item)
{
	int low = 0;
	int high = state->nplaces;
	ItemPointerData none;

	if (state->slots && item < state->meta.model_items)
		return state->slots[item];
	while (low < high)
	{
		int middle = (low + high) / 2;

		if (state->places[middle].item < item)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < state->nplaces && state->places[low].item == item)
		return state->places[low].tid;
	ItemPointerSetInvalid(&none);
	return none;
}

/* Fill the places of items from one leaf of the model's slots. */
static void
read_leaf(SimReaderState *state, BlockNumber block, SimPlace *places, int n)
{
	const SimArray *slots = &state->meta.slots;
	Buffer buffer = sim_read(&state->ix, block, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	int i;

	if (sim_page_is(page, SIM_PAGE_LEAF) &&
		SimPageGetOpaque(page)->generation == slots->generation)
		for (i = 0; i < n; i++)
			memcpy(&places[i].tid, sim_array_slot(page, slots, places[i].item),
				   sizeof(ItemPointerData));
	UnlockReleaseBuffer(buffer);
}

/* Fill state->places from the pages of the slots. */
static void
read_places(SimReader *reader, const ItemNumber *items, int nitems)
{
	SimReaderState *state = reader->state;
	uint32 per_leaf = sim_array_per_leaf(&state->meta.slots);
	int first;
	int end;
	int i;

	state->places =
		palloc_extended(Max(nitems, 1) * sizeof(SimPlace), MCXT_ALLOC_HUGE);
	state->nplaces = 0;
	for (i = 0; i < nitems; i++)
	{
		SimPlace *place = &state->places[state->nplaces];

		if (items[i] >= state->meta.model_items || !reader->trained)
			continue;
		place->item = items[i];
		ItemPointerSetInvalid(&place->tid);
		state->nplaces++;
	}
	sort_places(state->places, state->nplaces);
	for (first = 0; first < state->nplaces; first = end)
	{
		uint32 leaf = state->places[first].item / per_leaf;
		BlockNumber block =
			sim_array_leaf(&state->ix, &state->meta.slots, leaf);

		for (end = first + 1; end < state->nplaces; end++)
			if (state->places[end].item / per_leaf != leaf)
				break;
		if (block != InvalidBlockNumber)
			read_leaf(state, block, state->places + first, end - first);
	}
}

/*
 * Ask for a list before it is needed.  Lists lie all over the model and are
 * rarely in the processor's caches; waiting for one after the other would
 * take longer than all the rest of an answer.
 */
static void
prefetch_list(SimReaderState *state, const ItemPointerData *tid, Size size)
{
	Buffer buffer;
	char *list;
	Size line;

	if (!ItemPointerIsValid(tid))
		return;
	buffer = sim_recent_buffer(&state->ix, ItemPointerGetBlockNumber(tid));
	if (!BufferIsValid(buffer))
		return;
	sim_prefetch(GetBufferDescriptor(buffer - 1));
	list = (char *) BufferGetPage(buffer) +
		ItemPointerGetOffsetNumber(tid) * SIM_LIST_ALIGN;
	for (line = 0; line < size; line += PG_CACHE_LINE_SIZE / 2)
		sim_prefetch(list + line);
	sim_prefetch((char *) BufferGetPage(buffer) + BLCKSZ -
				 MAXALIGN(sizeof(SimPageOpaque)));
}

void
sim_prepare_neighbors(SimReader *reader, const ItemNumber *items, int nitems)
{
	SimReaderState *state = reader->state;
	Size size = SIM_LIST_READ_SIZE(state->meta.params.neighbors);
	int i;

	state->nplaces = 0;
	state->slots = sim_slots(&state->ix, &state->meta);
	if (state->slots == NULL)
		read_places(reader, items, nitems);
	for (i = 0; i < Min(nitems, MAX_PREFETCH); i++)
	{
		ItemPointerData tid = find_place(state, items[i]);

		prefetch_list(state, &tid, size);
	}
}

/*
 * The list at a place, if what stands there is (still) that list.  A page of
 * lists never changes, so one of our generation holds what was written there;
 * what looks like a list on another page is not to be believed.
 */
static SimListHeader *
list_at(SimReaderState *state, Page page, const ItemPointerData *tid,
		ItemNumber item)
{
	Size offset = (Size) ItemPointerGetOffsetNumber(tid) * SIM_LIST_ALIGN;
	SimListHeader *header = (SimListHeader *) ((char *) page + offset);

	if (!sim_page_is(page, SIM_PAGE_LIST) ||
		SimPageGetOpaque(page)->generation != state->meta.generation ||
		offset + sizeof(SimListHeader) > BLCKSZ ||
		header->generation != state->meta.generation ||
		header->source != item || header->n > SIM_MAX_NEIGHBORS ||
		offset + SIM_LIST_SIZE(header->n) > BLCKSZ)
		return NULL;
	return header;
}

static void
fill_list(SimNeighbors *list, const SimListHeader *header, Buffer buffer)
{
	list->n = header->n;
	list->last_item = header->last_item;
	list->source_hash = header->source_hash;
	list->items = (const uint32 *) (header + 1);
	list->weights = (const float *) (list->items + list->n);
	list->supports = (const uint32 *) (list->weights + list->n);
	list->buffer = buffer;
}

void
sim_read_neighbors(SimReader *reader, ItemNumber item, SimNeighbors *list)
{
	SimReaderState *state = reader->state;
	ItemPointerData tid = find_place(state, item);
	SimListHeader *header;
	Buffer buffer;

	memset(list, 0, sizeof(*list));
	if (!ItemPointerIsValid(&tid))
		return;
	buffer = sim_read_unchecked(&state->ix, ItemPointerGetBlockNumber(&tid),
								BUFFER_LOCK_SHARE);
	header = list_at(state, BufferGetPage(buffer), &tid, item);
	if (header && header->n > 0)
		fill_list(list, header, buffer);
	else
		UnlockReleaseBuffer(buffer);
}

void
sim_release_neighbors(SimNeighbors *list)
{
	if (list->n > 0)
		UnlockReleaseBuffer(list->buffer);
}

/* ---- recent popularity ---- */

typedef struct PopularEntries
{
	SimPopularEntry *entries;
	int n;
	int max;
} PopularEntries;

static SimPopularEntry *
add_popular(PopularEntries *all)
{
	if (all->n == all->max)
	{
		all->max = Max(512, all->max * 2);
		all->entries = all->entries == NULL ?
			palloc(all->max * sizeof(SimPopularEntry)) :
			repalloc_huge(all->entries, all->max * sizeof(SimPopularEntry));
	}
	return &all->entries[all->n++];
}

/* Append a page of the model's counts; returns the next, if there is one. */
static BlockNumber
read_counts(SimReaderState *state, BlockNumber block, PopularEntries *all)
{
	Buffer buffer = sim_read(&state->ix, block, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	BlockNumber next = InvalidBlockNumber;
	int i;

	if (sim_page_is(page, SIM_PAGE_POPULAR) &&
		SimPageGetOpaque(page)->generation == state->meta.generation)
	{
		SimPopularOnPage *entries = (SimPopularOnPage *) sim_page_array(page);
		int n = sim_page_count(page, sizeof(SimPopularOnPage));

		for (i = 0; i < n; i++)
		{
			SimPopularEntry *entry = add_popular(all);

			entry->item = entries[i].item;
			entry->weight = entries[i].weight;
			entry->time = entries[i].time;
		}
		next = SimPageGetOpaque(page)->next;
	}
	UnlockReleaseBuffer(buffer);
	return next;
}

/* Append a page of the log; each entry stands for 2^level rows. */
static BlockNumber
read_log(SimReaderState *state, BlockNumber block, PopularEntries *all)
{
	Buffer buffer = sim_read(&state->ix, block, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	BlockNumber next = InvalidBlockNumber;
	int i;

	if (sim_page_is(page, SIM_PAGE_LOG))
	{
		SimLogEntry *entries = (SimLogEntry *) sim_page_array(page);
		int n = sim_page_count(page, sizeof(SimLogEntry));
		uint32 level = Min(SimPageGetOpaque(page)->bucket, SIM_MAX_LEVEL);

		for (i = 0; i < n; i++)
		{
			SimPopularEntry *entry;

			if (entries[i].dead)
				continue;
			entry = add_popular(all);
			entry->item = entries[i].item;
			entry->weight = (float) (1U << level);
			entry->time = entries[i].time;
		}
		next = SimPageGetOpaque(page)->next;
	}
	UnlockReleaseBuffer(buffer);
	return next;
}

int
sim_read_popular(SimReader *reader, SimPopularEntry **entries)
{
	SimReaderState *state = reader->state;
	PopularEntries all;
	BlockNumber block;
	int i;

	memset(&all, 0, sizeof(all));
	do
	{
		sim_reader_refresh(reader);
		all.n = 0;
		for (block = state->meta.popular; block != InvalidBlockNumber;)
		{
			CHECK_FOR_INTERRUPTS();
			block = read_counts(state, block, &all);
		}
		for (i = 0; i < SIM_LOG_STRIPES; i++)
			for (block = state->meta.log[i].head; block != InvalidBlockNumber;)
			{
				CHECK_FOR_INTERRUPTS();
				block = read_log(state, block, &all);
			}
	} while (!sim_reader_is_current(reader));
	*entries = all.entries;
	return all.n;
}
