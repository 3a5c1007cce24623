/*
 * count.c
 *		Counting what an index holds, and giving back what nobody uses.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/freespace.h"

#include "similarity/similarity.h"

/*
 * A page that a crash or a cancelled training left behind: of a model that is
 * not the current one, or of a log that the current one has taken in.  Only who keeps trainings away may act on this.
 */
static bool
is_orphan(Page page, const SimMeta *meta)
{
	SimPageOpaque *opaque = SimPageGetOpaque(page);

	switch (opaque->kind)
	{
		case SIM_PAGE_INNER:
		case SIM_PAGE_LEAF:
			return opaque->generation != 0 &&
				opaque->generation != meta->generation;
		case SIM_PAGE_LIST:
		case SIM_PAGE_POPULAR:
			return opaque->generation != meta->generation;
		case SIM_PAGE_LOG:
			return opaque->generation < meta->log_since;
		default:
			return false;
	}
}

static int
used_items(Page page)
{
	OffsetNumber offset;
	int			n = 0;

	for (offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page);
		 offset++)
		if (ItemIdIsUsed(PageGetItemId(page, offset)))
			n++;
	return n;
}

static void
count_page(Page page, SimCounts *counts)
{
	OffsetNumber offset;
	int			kind = SimPageGetOpaque(page)->kind;

	if (kind <= SIM_PAGE_LOG)
		counts->pages[kind]++;
	if (kind == SIM_PAGE_SUBJECT)
		counts->subjects += used_items(page);
	if (kind != SIM_PAGE_CHUNK)
		return;
	for (offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page);
		 offset++)
	{
		ItemId		id = PageGetItemId(page, offset);

		if (ItemIdIsUsed(id))
			counts->interactions += ((SimChunk *) PageGetItem(page, id))->n;
	}
}

/*
 * Walk all pages.  With reclaim, which is VACUUM's, orphans become free and
 * the free space map is told of every page with room.
 */
void
sim_count(SimIndex *ix, SimCounts *counts, bool reclaim)
{
	BlockNumber nblocks = RelationGetNumberOfBlocks(ix->rel);
	BlockNumber block;
	SimMeta		meta;

	memset(counts, 0, sizeof(*counts));
	sim_read_meta(ix, &meta);
	counts->total_pages = nblocks;
	for (block = 0; block < nblocks; block++)
	{
		Buffer		buffer;
		Page		page;
		Size		room = 0;
		bool		orphan = false;

		CHECK_FOR_INTERRUPTS();
		buffer = sim_read(ix, block, BUFFER_LOCK_SHARE);
		page = BufferGetPage(buffer);
		if (PageIsNew(page) || sim_page_is(page, SIM_PAGE_FREE))
		{
			counts->pages[SIM_PAGE_FREE]++;
			room = BLCKSZ - 1;
		}
		else if (!reclaim || !(orphan = is_orphan(page, &meta)))
		{
			count_page(page, counts);
			if (sim_page_is(page, SIM_PAGE_CHUNK))
				room = PageGetFreeSpace(page);
		}
		UnlockReleaseBuffer(buffer);
		if (orphan)
		{
			sim_free_page(ix, block);
			counts->pages[SIM_PAGE_FREE]++;
		}
		else if (reclaim)
			RecordPageWithFreeSpace(ix->rel, block, room);
	}
}
