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
#include "pgstat.h"
#include "storage/predicate.h"
#include "utils/snapmgr.h"

#include "similarity/reader_state.h"
#include "similarity/records.h"

static void
load_meta(SimReader *reader)
{
	SimMeta    *meta = &reader->state->meta;

	sim_read_meta(&reader->state->ix, meta);
	reader->trained = meta->generation != 0;
	reader->generation = meta->generation;
	reader->nitems = meta->nitems;
}

SimReader *
sim_reader_open(Oid source)
{
	SimReader  *reader = palloc0(sizeof(SimReader));
	SimReaderState *state = palloc0(sizeof(SimReaderState));
	Oid			index = sim_source_index(source, AccessShareLock, &reader->heap);
	Snapshot	snapshot = GetActiveSnapshot();

	reader->index = index_open(index, AccessShareLock);
	sim_check_readable(reader->heap, reader->index);
	reader->state = state;
	sim_index_open(&state->ix, reader->index);
	state->snapshot = snapshot;
	state->vm_buffer = InvalidBuffer;
	reader->subject_key = state->ix.subject;
	reader->item_key = state->ix.item;
	reader->has_time = state->ix.has_time;
	reader->has_strength = state->ix.has_strength;

	/* As index_beginscan() does; the heap because we skip visiting rows. */
	PredicateLockRelation(reader->index, snapshot);
	PredicateLockRelation(reader->heap, snapshot);
	pgstat_count_index_scan(reader->index);
	load_meta(reader);
	return reader;
}

void
sim_reader_close(SimReader *reader)
{
	index_close(reader->index, AccessShareLock);
	relation_close(reader->heap, AccessShareLock);
}

bool
sim_reader_is_current(SimReader *reader)
{
	SimMeta		now;

	sim_read_meta(&reader->state->ix, &now);
	return now.generation == reader->generation;
}

void
sim_reader_refresh(SimReader *reader)
{
	load_meta(reader);
	reader->state->nplaces = 0;
}

/* ---- items ---- */

ItemNumber
sim_find_item(SimReader *reader, Datum item)
{
	SimIndex   *ix = &reader->state->ix;

	return sim_item_lookup(ix, item, typed_key_hash(&ix->item, item));
}

Datum
sim_item_key(SimReader *reader, ItemNumber item)
{
	return sim_item_read(&reader->state->ix, item, NULL);
}

/* ---- neighbours ---- */

static int
by_item(const void *a, const void *b)
{
	uint32		x = ((const SimPlace *) a)->item;
	uint32		y = ((const SimPlace *) b)->item;

	return x < y ? -1 : x > y ? 1 : 0;
}

/* Fill the places of items from one leaf of the model's slots. */
static void
read_leaf(SimReaderState *state, BlockNumber block, SimPlace *places, int n)
{
	const SimArray *slots = &state->meta.slots;
	Buffer		buffer = sim_read(&state->ix, block, BUFFER_LOCK_SHARE);
	Page		page = BufferGetPage(buffer);
	int			i;

	if (sim_page_is(page, SIM_PAGE_LEAF) &&
		SimPageGetOpaque(page)->generation == slots->generation)
		for (i = 0; i < n; i++)
			memcpy(&places[i].tid, sim_array_slot(page, slots, places[i].item),
				   sizeof(ItemPointerData));
	UnlockReleaseBuffer(buffer);
}

void
sim_prepare_neighbors(SimReader *reader, const ItemNumber *items, int nitems)
{
	SimReaderState *state = reader->state;
	uint32		per_leaf = sim_array_per_leaf(&state->meta.slots);
	int			first;
	int			end;
	int			i;

	state->places = nitems == 0 ? NULL : palloc(nitems * sizeof(SimPlace));
	state->nplaces = 0;
	for (i = 0; i < nitems; i++)
	{
		SimPlace   *place = &state->places[state->nplaces];

		if (items[i] >= state->meta.model_items || !reader->trained)
			continue;
		place->item = items[i];
		ItemPointerSetInvalid(&place->tid);
		state->nplaces++;
	}
	qsort(state->places, state->nplaces, sizeof(SimPlace), by_item);
	for (first = 0; first < state->nplaces; first = end)
	{
		uint32		leaf = state->places[first].item / per_leaf;
		BlockNumber block = sim_array_leaf(&state->ix, &state->meta.slots, leaf);

		for (end = first + 1; end < state->nplaces; end++)
			if (state->places[end].item / per_leaf != leaf)
				break;
		if (block != InvalidBlockNumber)
			read_leaf(state, block, state->places + first, end - first);
	}
}

/* Copy a list out of its page; false if it is not there (any more). */
static bool
copy_list(SimReaderState *state, const SimPlace *place, SimNeighbors *list)
{
	Buffer		buffer = sim_read(&state->ix,
								  ItemPointerGetBlockNumberNoCheck(&place->tid),
								  BUFFER_LOCK_SHARE);
	Page		page = BufferGetPage(buffer);
	SimListHeader *header;
	bool		found = false;

	header = sim_record_at(page, SIM_PAGE_LIST,
						   ItemPointerGetOffsetNumberNoCheck(&place->tid));
	if (header && header->source == place->item &&
		header->n <= SIM_MAX_NEIGHBORS &&
		SimPageGetOpaque(page)->generation == state->meta.generation)
	{
		memcpy(state->list, header, SIM_LIST_SIZE(header->n));
		header = (SimListHeader *) state->list;
		list->n = header->n;
		list->source_hash = header->source_hash;
		list->items = (uint32 *) (state->list + sizeof(SimListHeader));
		list->weights = (float *) (list->items + list->n);
		list->supports = (uint32 *) (list->weights + list->n);
		found = true;
	}
	UnlockReleaseBuffer(buffer);
	return found;
}

void
sim_read_neighbors(SimReader *reader, ItemNumber item, SimNeighbors *list)
{
	SimReaderState *state = reader->state;
	SimPlace	wanted;
	SimPlace   *place;

	wanted.item = item;
	place = state->nplaces == 0 ? NULL :
		bsearch(&wanted, state->places, state->nplaces, sizeof(SimPlace),
				by_item);
	if (place == NULL || !ItemPointerIsValid(&place->tid) ||
		!copy_list(state, place, list))
		memset(list, 0, sizeof(*list));
}

/* ---- recent popularity ---- */

typedef struct PopularEntries
{
	SimPopularEntry *entries;
	int			n;
	int			max;
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
	Buffer		buffer = sim_read(&state->ix, block, BUFFER_LOCK_SHARE);
	Page		page = BufferGetPage(buffer);
	BlockNumber next = InvalidBlockNumber;
	int			i;

	if (sim_page_is(page, SIM_PAGE_POPULAR) &&
		SimPageGetOpaque(page)->generation == state->meta.generation)
	{
		SimPopularOnPage *entries = (SimPopularOnPage *) sim_page_array(page);
		int			n = sim_page_count(page, sizeof(SimPopularOnPage));

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
	Buffer		buffer = sim_read(&state->ix, block, BUFFER_LOCK_SHARE);
	Page		page = BufferGetPage(buffer);
	BlockNumber next = InvalidBlockNumber;
	int			i;

	if (sim_page_is(page, SIM_PAGE_LOG))
	{
		SimLogEntry *entries = (SimLogEntry *) sim_page_array(page);
		int			n = sim_page_count(page, sizeof(SimLogEntry));
		uint32		level = Min(SimPageGetOpaque(page)->bucket, SIM_MAX_LEVEL);

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
	int			i;

	do
	{
		sim_reader_refresh(reader);
		memset(&all, 0, sizeof(all));
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
