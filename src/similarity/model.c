/*
 * model.c
 *		Writing a model to new pages: lists, their places, and popularity.
 *
 * Every page carries the model's generation and is linked to the page written
 * before it, so that the whole model can be given back when it is replaced.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "similarity/train.h"

/* Put a page that was filled in memory into the index. */
static BlockNumber
put_page(SimTraining *training, Page image)
{
	Buffer		buffer = sim_new_buffer(training->ix);
	BlockNumber block = BufferGetBlockNumber(buffer);
	SimWrite	write;
	Page		page;

	SimPageGetOpaque(image)->next = training->chain;
	sim_write_begin(&write, training->ix);
	page = sim_write_new_page(&write, buffer, SIM_PAGE_LIST,
							  training->generation);
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

/* Lists whose page is not written yet have their offset but no block. */
static void
flush_lists(SimTraining *training, ItemNumber last)
{
	OffsetNumber offset = PageGetMaxOffsetNumber(training->page);
	BlockNumber block;
	int64		item = last;

	if (offset == InvalidOffsetNumber)
		return;
	block = put_page(training, training->page);
	for (; offset > 0 && item >= 0; item--)
		if (ItemPointerGetOffsetNumberNoCheck(&training->places[item]) == offset)
		{
			ItemPointerSet(&training->places[item], block, offset);
			offset--;
		}
}

static char *
form_list(SimTraining *training, ItemNumber item, const SimRow *row)
{
	char	   *list = palloc(SIM_LIST_SIZE(row->n));
	SimListHeader *header = (SimListHeader *) list;
	char	   *p = list + sizeof(SimListHeader);

	header->source_hash = training->item_hashes[item];
	header->n = row->n;
	header->source = item;
	memcpy(p, row->items, row->n * sizeof(uint32));
	p += row->n * sizeof(uint32);
	memcpy(p, row->weights, row->n * sizeof(float));
	p += row->n * sizeof(float);
	memcpy(p, row->supports, row->n * sizeof(uint32));
	return list;
}

/* Write one list; items come in ascending order. */
void
sim_write_row(SimTraining *training, ItemNumber item, const SimRow *row)
{
	Size		size = MAXALIGN(SIM_LIST_SIZE(row->n));
	char	   *list = form_list(training, item, row);
	OffsetNumber offset;

	if (training->page == NULL)
		start_page(training, SIM_PAGE_LIST);
	if (PageGetFreeSpace(training->page) < size)
	{
		flush_lists(training, item == 0 ? 0 : item - 1);
		start_page(training, SIM_PAGE_LIST);
	}
	offset = PageAddItem(training->page, (Item) list, SIM_LIST_SIZE(row->n),
						 InvalidOffsetNumber, false, false);
	if (offset == InvalidOffsetNumber)
		elog(ERROR, "no room for a list of %d neighbors", row->n);
	ItemPointerSet(&training->places[item], InvalidBlockNumber, offset);
	pfree(list);
}

/* Write the array that leads from an item to its list. */
void
sim_write_slots(SimTraining *training)
{
	SimIndex   *ix = training->ix;
	SimArray   *slots = &training->slots;
	uint32		per_leaf;
	uint32		first;

	if (training->page != NULL && training->nitems > 0)
		flush_lists(training, training->nitems - 1);
	sim_array_init(slots, InvalidBlockNumber, sizeof(ItemPointerData),
				   training->generation);
	per_leaf = sim_array_per_leaf(slots);
	for (first = 0; first < training->nitems; first += per_leaf)
	{
		uint32		n = Min(per_leaf, training->nitems - first);
		BlockNumber block;
		Buffer		buffer;
		SimWrite	write;

		sim_training_pause(training);
		block = sim_array_grow(ix, slots, first / per_leaf, &training->chain);
		buffer = sim_read(ix, block, BUFFER_LOCK_EXCLUSIVE);
		sim_write_begin(&write, ix);
		memcpy(sim_page_array(sim_write_page(&write, buffer)),
			   training->places + first, n * sizeof(ItemPointerData));
		sim_write_end(&write);
		UnlockReleaseBuffer(buffer);
	}
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
	Size		per_page = SIM_PAGE_SPACE / sizeof(SimPopularOnPage);

	training->popular = InvalidBlockNumber;
	while (n > 0)
	{
		Size		part = Min(n, per_page);
		Page		page = start_page(training, SIM_PAGE_POPULAR);

		sim_training_pause(training);
		memcpy(sim_page_array(page), entries, part * sizeof(SimPopularOnPage));
		sim_page_set_count(page, part, sizeof(SimPopularOnPage));
		training->popular = put_page(training, page);
		entries += part;
		n -= part;
	}
}
