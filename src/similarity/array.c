/*
 * array.c
 *		Growable arrays on pages.
 *
 * An array is a radix tree: inner pages of block numbers, leaves of elements.
 * It grows by a leaf at a time and by a root above the root, so nothing that
 * exists ever moves and nothing has to be sized in advance.  Elements are
 * addressed by number; a page of 0xFF bytes is a leaf without values.
 */
#include "postgres.h"

#include "similarity/similarity.h"

void
sim_array_init(SimArray *array, BlockNumber root, Size element_size,
			   uint32 generation)
{
	array->root = root;
	array->depth = 0;
	array->element_size = element_size;
	array->generation = generation;
}

uint32
sim_array_per_leaf(const SimArray *array)
{
	return SIM_PAGE_SPACE / array->element_size;
}

/* Leaves below one child of a node at this height above the leaves. */
static uint64
leaves_per_child(int height)
{
	uint64 n = 1;

	while (--height > 0)
		n *= SIM_FANOUT;
	return n;
}

/* False for a page that a newer model has taken over since. */
static bool
is_node(Page page, SimPageKind kind, const SimArray *array)
{
	return sim_page_is(page, kind) &&
		SimPageGetOpaque(page)->generation == array->generation;
}

bool
sim_array_is_leaf(Page page, const SimArray *array)
{
	return is_node(page, SIM_PAGE_LEAF, array);
}

/* The block of a leaf, or InvalidBlockNumber if it does not exist. */
BlockNumber
sim_array_leaf(SimIndex *ix, const SimArray *array, uint32 leaf)
{
	BlockNumber block = array->root;
	uint64 rest = leaf;
	int height;

	if (block == InvalidBlockNumber ||
		rest >= leaves_per_child(array->depth + 1))
		return InvalidBlockNumber;
	for (height = array->depth; height > 0; height--)
	{
		uint64 below = leaves_per_child(height);
		Buffer buffer = sim_read_hot(ix, block, BUFFER_LOCK_SHARE);
		Page page = BufferGetPage(buffer);

		if (is_node(page, SIM_PAGE_INNER, array))
			block = ((BlockNumber *) sim_page_array(page))[rest / below];
		else
			block = InvalidBlockNumber;
		UnlockReleaseBuffer(buffer);
		if (block == InvalidBlockNumber)
			break;
		rest %= below;
	}
	return block;
}

void *
sim_array_slot(Page leaf, const SimArray *array, uint32 index)
{
	return sim_page_array(leaf) +
		(index % sim_array_per_leaf(array)) * array->element_size;
}

/* Copy an element; false when its leaf does not exist. */
bool
sim_array_get(SimIndex *ix, const SimArray *array, uint32 index, void *element)
{
	BlockNumber block;
	Buffer buffer;
	bool found;

	block = sim_array_leaf(ix, array, index / sim_array_per_leaf(array));
	if (block == InvalidBlockNumber)
		return false;
	buffer = sim_read_hot(ix, block, BUFFER_LOCK_SHARE);
	found = sim_array_is_leaf(BufferGetPage(buffer), array);
	if (found)
		memcpy(element, sim_array_slot(BufferGetPage(buffer), array, index),
			   array->element_size);
	UnlockReleaseBuffer(buffer);
	return found;
}

/* An empty node, linked into the model's chain of pages where there is one. */
static Page
new_node(SimIndex *ix, SimWrite *write, Buffer buffer, const SimArray *array,
		 bool leaf, BlockNumber *chain)
{
	Page page =
		sim_write_new_page(write, buffer, leaf ? SIM_PAGE_LEAF : SIM_PAGE_INNER,
						   array->generation);
	Size size = leaf ? array->element_size : sizeof(BlockNumber);
	int n = SIM_PAGE_SPACE / size;

	memset(sim_page_array(page), 0xFF, n * size);
	sim_page_set_count(page, n, size);
	if (chain)
	{
		SimPageGetOpaque(page)->next = *chain;
		*chain = BufferGetBlockNumber(buffer);
	}
	return page;
}

/* Put a root above the root; array changes in memory only. */
static void
raise_root(SimIndex *ix, SimArray *array, BlockNumber *chain)
{
	Buffer buffer = sim_new_buffer(ix);
	SimWrite write;
	Page page;

	sim_write_begin(&write, ix);
	page = new_node(ix, &write, buffer, array, false, chain);
	((BlockNumber *) sim_page_array(page))[0] = array->root;
	sim_write_end(&write);
	array->root = BufferGetBlockNumber(buffer);
	array->depth++;
	UnlockReleaseBuffer(buffer);
}

/* The child of an inner page, made if missing. */
static BlockNumber
grow_child(SimIndex *ix, BlockNumber parent, uint32 slot, bool leaf,
		   const SimArray *array, BlockNumber *chain)
{
	Buffer parent_buffer = sim_read(ix, parent, BUFFER_LOCK_EXCLUSIVE);
	BlockNumber *children;
	BlockNumber child;

	children = (BlockNumber *) sim_page_array(BufferGetPage(parent_buffer));
	child = children[slot];
	if (child == InvalidBlockNumber)
	{
		Buffer buffer = sim_new_buffer(ix);
		SimWrite write;
		Page page;

		child = BufferGetBlockNumber(buffer);
		sim_write_begin(&write, ix);
		page = sim_write_page(&write, parent_buffer);
		((BlockNumber *) sim_page_array(page))[slot] = child;
		(void) new_node(ix, &write, buffer, array, leaf, chain);
		sim_write_end(&write);
		UnlockReleaseBuffer(buffer);
	}
	UnlockReleaseBuffer(parent_buffer);
	return child;
}

/*
 * Make sure that a leaf exists and return its block.  The caller is the only
 * one who grows this array; when array->root changed it must store *array
 * where readers find it.  Until then readers use the old root, which remains
 * a valid, smaller tree.
 */
BlockNumber
sim_array_grow(SimIndex *ix, SimArray *array, uint32 leaf, BlockNumber *chain)
{
	BlockNumber block;
	uint64 rest = leaf;
	int height;

	if (array->root == InvalidBlockNumber)
	{
		Buffer buffer = sim_new_buffer(ix);
		SimWrite write;

		sim_write_begin(&write, ix);
		(void) new_node(ix, &write, buffer, array, true, chain);
		sim_write_end(&write);
		array->root = BufferGetBlockNumber(buffer);
		UnlockReleaseBuffer(buffer);
	}
	while (rest >= leaves_per_child(array->depth + 1))
		raise_root(ix, array, chain);
	block = array->root;
	for (height = array->depth; height > 0; height--)
	{
		uint64 below = leaves_per_child(height);

		block = grow_child(ix, block, rest / below, height == 1, array, chain);
		rest %= below;
	}
	return block;
}
