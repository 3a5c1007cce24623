/*
 * count.c
 *		Counting what an index holds, and giving back what nobody uses.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/freespace.h"

#include "access/itup.h"
#include "compat.h"
#include "similarity/records.h"
#include "similarity/similarity.h"

static int
used_items(Page page)
{
	OffsetNumber offset;
	int n = 0;

	for (offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page);
		 offset++)
		if (ItemIdIsUsed(PageGetItemId(page, offset)))
			n++;
	return n;
}

/*
 * A page that a crash or a cancelled training left behind: of a model that is
 * not the current one, or of a log that the current one has taken in; or a
 * page of subjects that emptied while it still took new ones.  Only who keeps trainings away may act on this.
 */
static bool
is_orphan(Page page, BlockNumber block, const SimMeta *meta)
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
		case SIM_PAGE_SUBJECT:
			return block != meta->subject_tail && used_items(page) == 0;
		case SIM_PAGE_LOG:
			return opaque->generation < meta->log_since;
		case SIM_PAGE_CHOICE:
			return opaque->generation != meta->choice.generation;
		default:
			return false;
	}
}

static void
count_page(Page page, SimCounts *counts)
{
	OffsetNumber offset;
	int kind = SimPageGetOpaque(page)->kind;

	if (kind <= SIM_PAGE_CHOICE)
		counts->pages[kind]++;
	if (kind == SIM_PAGE_SUBJECT)
		counts->subjects += used_items(page);
	if (kind != SIM_PAGE_CHUNK)
		return;
	for (offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page);
		 offset++)
	{
		ItemId id = PageGetItemId(page, offset);
		SimChunk *chunk;

		if (!ItemIdIsUsed(id))
			continue;
		chunk = (SimChunk *) PageGetItem(page, id);
		if (sim_chunk_of_item(chunk))
			counts->item_bytes += ItemIdGetLength(id) + sizeof(ItemIdData);
		else
			counts->interactions += chunk->n;
	}
}

/* Free an orphan, if it still is one now that nobody else can touch it. */
static bool
free_orphan(SimIndex *ix, BlockNumber block, const SimMeta *meta)
{
	Buffer buffer = sim_read(ix, block, BUFFER_LOCK_EXCLUSIVE);
	bool orphan = is_orphan(BufferGetPage(buffer), block, meta);
	SimWrite write;

	if (orphan)
	{
		sim_write_begin(&write, ix);
		sim_init_page(sim_write_page(&write, buffer), SIM_PAGE_FREE, 0);
		sim_write_end(&write);
	}
	UnlockReleaseBuffer(buffer);
	if (orphan)
		RecordPageWithFreeSpace(ix->rel, block, BLCKSZ - 1);
	return orphan;
}

/*
 * Remove the records on a page that have no chain: a crash stopped VACUUM
 * before it came to them, and no chunk leads it there again.
 */
static int
drop_chainless(SimIndex *ix, BlockNumber block)
{
	uint64 hashes[MaxIndexTuplesPerPage];
	Buffer buffer = sim_read(ix, block, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	OffsetNumber offset;
	int n = 0;
	int i;

	for (offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page);
		 offset++)
	{
		SimRecord *record = sim_record_at(page, SIM_PAGE_SUBJECT, offset);

		if (record && record->head_block == InvalidBlockNumber)
			hashes[n++] = record->hash;
	}
	UnlockReleaseBuffer(buffer);
	for (i = 0; i < n; i++)
		sim_chain_prune(ix, SIM_PAGE_SUBJECT, hashes[i]);
	return n;
}

/*
 * Walk all pages.  With reclaim, which is VACUUM's, orphans become free and
 * the free space map is told of every page with room.
 */
void
sim_count(SimIndex *ix, SimCounts *counts, bool reclaim,
		  BufferAccessStrategy strategy)
{
	BlockNumber nblocks = RelationGetNumberOfBlocks(ix->rel);
	BlockNumber block;
	SimMeta meta;

	memset(counts, 0, sizeof(*counts));
	sim_read_meta(ix, &meta);
	counts->total_pages = nblocks;
	for (block = 0; block < nblocks; block++)
	{
		Buffer buffer;
		Page page;
		Size room = 0;
		bool orphan = false;
		bool subjects;

		CHECK_FOR_INTERRUPTS();
		if (reclaim)
			vacuum_pause();
		buffer = ReadBufferExtended(ix->rel, MAIN_FORKNUM, block, RBM_NORMAL,
									strategy);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		page = BufferGetPage(buffer);
		subjects = reclaim && sim_page_is(page, SIM_PAGE_SUBJECT);
		if (PageIsNew(page) || sim_page_is(page, SIM_PAGE_FREE))
		{
			counts->pages[SIM_PAGE_FREE]++;
			room = BLCKSZ - 1;
		}
		else if (!reclaim || !(orphan = is_orphan(page, block, &meta)))
		{
			count_page(page, counts);
			if (sim_page_is(page, SIM_PAGE_CHUNK))
				room = PageGetFreeSpace(page);
		}
		UnlockReleaseBuffer(buffer);
		if (orphan && free_orphan(ix, block, &meta))
			counts->pages[SIM_PAGE_FREE]++;
		else if (reclaim)
			RecordPageWithFreeSpace(ix->rel, block, room);
		if (subjects && !orphan)
			counts->subjects -= drop_chainless(ix, block);
	}
}
