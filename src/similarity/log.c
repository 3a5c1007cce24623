/*
 * log.c
 *		The interactions since the last training, for trending().
 *
 * Counting every insert in a counter of its item would queue all inserters of
 * a popular item on one page.  Instead they append to one of a few striped
 * logs, and the longer a stripe gets, the fewer of them: after every
 * SIM_LOG_PAGES_PER_LEVEL pages only every second row that would have been
 * logged still is, and stands for twice as many.  So the log stays small, costs
 * nothing worth mentioning per row, and a row's own place decides whether it
 * is in the sample.
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "similarity/similarity.h"

#define ENTRIES_PER_PAGE ((int) (SIM_PAGE_SPACE / sizeof(SimLogEntry)))

static int
level_of(uint32 pages)
{
	if (pages == 0)
		return 0;
	return Min((pages - 1) / SIM_LOG_PAGES_PER_LEVEL, SIM_MAX_LEVEL);
}

/* Is this row one of the 1 in 2^level that are logged? */
static bool
in_sample(const SimPosting *posting, int level)
{
	uint64 place = ((uint64) ItemPointerGetBlockNumber(&posting->tid) << 16) |
		ItemPointerGetOffsetNumber(&posting->tid);

	return (murmurhash32((uint32) (place ^ (place >> 32))) &
			((1U << level) - 1)) == 0;
}

/* Append to the stripe's last page; false when it is full or of a past epoch. */
static bool
append_to_tail(SimIndex *ix, BlockNumber tail, uint32 epoch,
			   const SimLogEntry *entry)
{
	Buffer buffer = sim_read(ix, tail, BUFFER_LOCK_EXCLUSIVE);
	Page page = BufferGetPage(buffer);
	SimWrite write;
	int n = 0;
	bool room;

	room = sim_page_is(page, SIM_PAGE_LOG) &&
		SimPageGetOpaque(page)->generation == epoch &&
		(n = sim_page_count(page, sizeof(SimLogEntry))) < ENTRIES_PER_PAGE;
	if (room)
	{
		sim_write_begin(&write, ix);
		page = sim_write_page(&write, buffer);
		((SimLogEntry *) sim_page_array(page))[n] = *entry;
		sim_page_set_count(page, n + 1, sizeof(SimLogEntry));
		sim_write_end(&write);
	}
	UnlockReleaseBuffer(buffer);
	return room;
}

/*
 * Give a stripe a new last page, unless somebody just did.  The old last page
 * is locked before the metapage and stays the last while both are.
 */
static void
extend_stripe(SimIndex *ix, int stripe, BlockNumber tail)
{
	Buffer tail_buffer = tail == InvalidBlockNumber ?
		InvalidBuffer :
		sim_read(ix, tail, BUFFER_LOCK_EXCLUSIVE);
	Buffer meta_buffer = sim_read(ix, SIM_META_BLOCK, BUFFER_LOCK_EXCLUSIVE);
	SimMeta *meta = SimPageGetMeta(BufferGetPage(meta_buffer));

	if (meta->log[stripe].tail == tail)
	{
		Buffer buffer = sim_new_buffer(ix);
		BlockNumber block = BufferGetBlockNumber(buffer);
		SimWrite write;
		Page page;

		sim_write_begin(&write, ix);
		if (tail != InvalidBlockNumber)
			SimPageGetOpaque(sim_write_page(&write, tail_buffer))->next = block;
		meta = sim_write_meta(&write, meta_buffer);
		if (tail == InvalidBlockNumber)
			meta->log[stripe].head = block;
		meta->log[stripe].tail = block;
		meta->log[stripe].pages++;
		page =
			sim_write_new_page(&write, buffer, SIM_PAGE_LOG, meta->log_epoch);
		SimPageGetOpaque(page)->bucket = level_of(meta->log[stripe].pages);
		sim_write_end(&write);
		UnlockReleaseBuffer(buffer);
	}
	UnlockReleaseBuffer(meta_buffer);
	if (tail_buffer != InvalidBuffer)
		UnlockReleaseBuffer(tail_buffer);
}

void
sim_log_append(SimIndex *ix, uint64 subject_hash, const SimPosting *posting)
{
	int stripe = (subject_hash >> 40) % SIM_LOG_STRIPES;
	SimLogEntry entry;

	memset(&entry, 0, sizeof(entry));
	entry.time = posting->time;
	entry.item = posting->item;
	entry.tid = posting->tid;
	for (;;)
	{
		SimMeta meta;
		SimLogStripe *log = &meta.log[stripe];

		sim_read_meta(ix, &meta);
		if (!in_sample(posting, level_of(log->pages)))
			return;
		if (log->tail != InvalidBlockNumber &&
			append_to_tail(ix, log->tail, meta.log_epoch, &entry))
			return;
		extend_stripe(ix, stripe, log->tail);
	}
}

/*
 * Begin a new epoch: what is logged from now on is on pages of its own, so
 * that the training that begins can drop what came before it.
 */
uint32
sim_log_seal(SimIndex *ix)
{
	Buffer buffer = sim_read(ix, SIM_META_BLOCK, BUFFER_LOCK_EXCLUSIVE);
	SimMeta *meta;
	SimWrite write;
	uint32 epoch;
	int i;

	sim_write_begin(&write, ix);
	meta = sim_write_meta(&write, buffer);
	epoch = ++meta->log_epoch;
	meta->last_generation++;
	for (i = 0; i < SIM_LOG_STRIPES; i++)
		meta->log[i].pages = 0;
	sim_write_end(&write);
	UnlockReleaseBuffer(buffer);
	return epoch;
}

/* The first page of a stripe that is not of an epoch before this one. */
BlockNumber
sim_log_first_since(SimIndex *ix, BlockNumber block, uint32 epoch)
{
	while (block != InvalidBlockNumber)
	{
		Buffer buffer = sim_read(ix, block, BUFFER_LOCK_SHARE);
		SimPageOpaque *opaque = SimPageGetOpaque(BufferGetPage(buffer));
		bool found = opaque->generation >= epoch;
		BlockNumber next = opaque->next;

		UnlockReleaseBuffer(buffer);
		if (found)
			break;
		block = next;
	}
	return block;
}
