/*
 * model.c
 *		Writing a model to new pages: lists, their places, and popularity.
 *
 * Every page carries the model's generation and is linked to the page written
 * before it, so that the whole model can be given back when it is replaced.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "training/training.h"

/* Put a page that was filled in memory into the index. */
static BlockNumber
put_page(SimTraining *training, Page image)
{
	Buffer buffer = sim_new_buffer(training->ix);
	BlockNumber block = BufferGetBlockNumber(buffer);
	SimWrite write;
	Page page;

	SimPageGetOpaque(image)->next = training->chain;
	sim_write_begin(&write, training->ix);
	page =
		sim_write_new_page(&write, buffer, SIM_PAGE_LIST, training->generation);
	memcpy(page, image, BLCKSZ);
	sim_write_end(&write);
	UnlockReleaseBuffer(buffer);
	training->chain = block;
	return block;
}

static Page
start_page(SimTraining *training, SimPageKind kind)
{
	if (training->page == NULL)
		training->page = palloc(BLCKSZ);
	sim_init_page(training->page, kind, training->generation);
	return training->page;
}

static uint16
page_end(Page page)
{
	return ((PageHeader) page)->pd_lower;
}

/* Put the page of lists into the index and say so in the items' places. */
static void
flush_lists(SimTraining *training, int64 item)
{
	BlockNumber block;

	if (sim_page_count(training->page, 1) == 0)
		return;
	block = put_page(training, training->page);
	for (; item >= 0; item--)
	{
		ItemPointer place = &training->places[item];

		if (ItemPointerGetOffsetNumberNoCheck(place) == InvalidOffsetNumber)
			continue;
		if (ItemPointerGetBlockNumberNoCheck(place) != InvalidBlockNumber)
			break; /* on an earlier page */
		ItemPointerSetBlockNumber(place, block);
	}
}

static void
fill_list(SimTraining *training, char *list, ItemNumber item, const SimRow *row)
{
	SimListHeader *header = (SimListHeader *) list;
	char *p = list + sizeof(SimListHeader);
	int i;

	header->source_hash = training->item_hashes[item];
	header->generation = training->generation;
	header->source = item;
	header->n = row->n;
	header->last_item = 0;
	for (i = 0; i < row->n; i++)
		header->last_item = Max(header->last_item, row->items[i]);
	memcpy(p, row->items, row->n * sizeof(uint32));
	p += row->n * sizeof(uint32);
	memcpy(p, row->weights, row->n * sizeof(float));
	p += row->n * sizeof(float);
	memcpy(p, row->supports, row->n * sizeof(uint32));
}

/* Write one list; items come in ascending order. */
void
sim_write_row(SimTraining *training, ItemNumber item, const SimRow *row)
{
	Size size = TYPEALIGN(SIM_LIST_ALIGN, SIM_LIST_SIZE(row->n));
	uint16 offset;

	if (training->page == NULL)
		start_page(training, SIM_PAGE_LIST);
	if (page_end(training->page) + size >
		((PageHeader) training->page)->pd_special)
	{
		flush_lists(training, (int64) item - 1);
		start_page(training, SIM_PAGE_LIST);
	}
	offset = page_end(training->page);
	fill_list(training, (char *) training->page + offset, item, row);
	sim_page_set_count(training->page,
					   offset + size - MAXALIGN(SizeOfPageHeaderData), 1);
	ItemPointerSet(&training->places[item], InvalidBlockNumber,
				   offset / SIM_LIST_ALIGN);
}

/* Write an array of the model with an element for each item. */
static void
write_array(SimTraining *training, SimArray *array, const void *elements,
			Size size)
{
	SimIndex *ix = training->ix;
	uint32 per_leaf;
	uint32 first;

	sim_array_init(array, InvalidBlockNumber, size, training->generation);
	per_leaf = sim_array_per_leaf(array);
	for (first = 0; first < training->nitems; first += per_leaf)
	{
		uint32 n = Min(per_leaf, training->nitems - first);
		BlockNumber block;
		Buffer buffer;
		SimWrite write;

		sim_training_pause(training);
		block = sim_array_grow(ix, array, first / per_leaf, &training->chain);
		buffer = sim_read(ix, block, BUFFER_LOCK_EXCLUSIVE);
		sim_write_begin(&write, ix);
		memcpy(sim_page_array(sim_write_page(&write, buffer)),
			   (const char *) elements + first * size, n * size);
		sim_write_end(&write);
		UnlockReleaseBuffer(buffer);
	}
}

/* Write the array that leads from an item to its list. */
void
sim_write_slots(SimTraining *training)
{
	if (training->page != NULL && training->nitems > 0)
		flush_lists(training, (int64) training->nitems - 1);
	write_array(training, &training->slots, training->places,
				sizeof(ItemPointerData));
}

/* Write how many subjects have each item, as far as their histories count. */
void
sim_write_degrees(SimTraining *training)
{
	write_array(training, &training->degrees, training->histories.degrees,
				sizeof(uint32));
}

/*
 * Write the entries of recent popularity.  Their pages are written without
 * another between them, so the model's chain, from the last one on, is theirs
 * until a page of another kind.
 */
void
sim_write_popular(SimTraining *training, const SimPopularOnPage *entries,
				  Size n)
{
	Size per_page = SIM_PAGE_SPACE / sizeof(SimPopularOnPage);

	training->popular = InvalidBlockNumber;
	while (n > 0)
	{
		Size part = Min(n, per_page);
		Page page = start_page(training, SIM_PAGE_POPULAR);

		sim_training_pause(training);
		memcpy(sim_page_array(page), entries, part * sizeof(SimPopularOnPage));
		sim_page_set_count(page, part, sizeof(SimPopularOnPage));
		training->popular = put_page(training, page);
		entries += part;
		n -= part;
	}
}
