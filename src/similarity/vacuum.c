/*
 * vacuum.c
 *		VACUUM: forgetting dead rows, giving back pages, retraining.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "storage/freespace.h"
#include "storage/indexfsm.h"
#include "utils/memutils.h"

#include "compat.h"
#include "similarity/similarity.h"

/* Owners of chunks left without postings. */
typedef struct Emptied
{
	uint64 *owners;
	Size n;
	Size max;
} Emptied;

typedef struct Vacuum
{
	SimIndex ix;
	IndexVacuumInfo *info;
	IndexBulkDeleteResult *stats;
	IndexBulkDeleteCallback callback;
	void *callback_state;
	BlockNumber nblocks;
	bool items_clean; /* the items' chunks have been gone through */
	Emptied subjects;
	Emptied items;
	Size limit; /* of either */
} Vacuum;

/* Remember whose chain to prune; what does not fit waits for another VACUUM. */
static void
note_emptied(Vacuum *vacuum, const SimChunk *chunk)
{
	Emptied *emptied =
		sim_chunk_of_item(chunk) ? &vacuum->items : &vacuum->subjects;

	if (emptied->n == emptied->max)
	{
		if (emptied->max >= vacuum->limit)
			return;
		emptied->max = Max(1024, Min(emptied->max * 2, vacuum->limit));
		emptied->owners = emptied->owners == NULL ?
			MemoryContextAllocHuge(CurrentMemoryContext,
								   emptied->max * sizeof(uint64)) :
			repalloc_huge(emptied->owners, emptied->max * sizeof(uint64));
	}
	emptied->owners[emptied->n++] = chunk->owner;
}

static bool
posting_is_dead(Vacuum *vacuum, const SimChunk *chunk, int i)
{
	ItemPointerData tid = sim_chunk_tid(&vacuum->ix, chunk, i);

	return vacuum->callback(&tid, vacuum->callback_state);
}

/* Remove the dead postings of one chunk; returns how many. */
static int
clean_chunk(Vacuum *vacuum, SimChunk *chunk)
{
	int kept = 0;
	int i;

	for (i = 0; i < chunk->n; i++)
	{
		if (posting_is_dead(vacuum, chunk, i))
			continue;
		if (kept < i)
			sim_chunk_move(&vacuum->ix, chunk, kept, i);
		kept++;
	}
	i = chunk->n - kept;
	chunk->n = kept;
	return i;
}

static bool
chunk_has_dead(Vacuum *vacuum, const SimChunk *chunk)
{
	int i;

	for (i = 0; i < chunk->n; i++)
		if (posting_is_dead(vacuum, chunk, i))
			return true;
	return false;
}

/*
 * Look at every posting of a page, of the items' chunks or of the subjects';
 * returns whether one must go.
 */
static bool
examine_chunks(Vacuum *vacuum, Page page, bool items)
{
	OffsetNumber offset;
	bool dead = false;

	for (offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page);
		 offset++)
	{
		ItemId id = PageGetItemId(page, offset);
		SimChunk *chunk;

		if (!ItemIdIsUsed(id))
			continue;
		chunk = (SimChunk *) PageGetItem(page, id);
		if (sim_chunk_of_item(chunk) != items)
			continue;
		if (!items)
			vacuum->stats->num_index_tuples += chunk->n;
		if (chunk->n == 0)
			note_emptied(vacuum, chunk);
		else if (chunk_has_dead(vacuum, chunk))
			dead = true;
	}
	return dead;
}

static void
clean_chunks(Vacuum *vacuum, Buffer buffer, bool items)
{
	SimWrite write;
	OffsetNumber offset;
	Page page;

	sim_write_begin(&write, &vacuum->ix);
	page = sim_write_page(&write, buffer);
	for (offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page);
		 offset++)
	{
		ItemId id = PageGetItemId(page, offset);
		SimChunk *chunk;
		int removed;

		if (!ItemIdIsUsed(id))
			continue;
		chunk = (SimChunk *) PageGetItem(page, id);
		if (chunk->n == 0 || sim_chunk_of_item(chunk) != items)
			continue;
		removed = clean_chunk(vacuum, chunk);
		if (chunk->n == 0)
			note_emptied(vacuum, chunk);
		if (items)
			continue;
		vacuum->stats->num_index_tuples -= removed;
		vacuum->stats->tuples_removed += removed;
	}
	sim_write_end(&write);
}

/* Dead rows must leave the log too: their places will be other rows'. */
static bool
is_dead(Vacuum *vacuum, SimLogEntry *entry)
{
	return !entry->dead &&
		vacuum->callback(&entry->tid, vacuum->callback_state);
}

static void
clean_log(Vacuum *vacuum, Buffer buffer)
{
	Page page = BufferGetPage(buffer);
	SimLogEntry *entries = (SimLogEntry *) sim_page_array(page);
	int n = sim_page_count(page, sizeof(SimLogEntry));
	SimWrite write;
	int first;
	int i;

	for (first = 0; first < n && !is_dead(vacuum, &entries[first]); first++)
		;
	if (first == n)
		return;
	sim_write_begin(&write, &vacuum->ix);
	entries = (SimLogEntry *) sim_page_array(sim_write_page(&write, buffer));
	for (i = first; i < n; i++)
		if (is_dead(vacuum, &entries[i]))
			entries[i].dead = 1;
	sim_write_end(&write);
}

static SimPageKind
kind_of(Buffer buffer)
{
	Page page = BufferGetPage(buffer);

	return PageIsNew(page) ? SIM_PAGE_FREE :
							 (SimPageKind) SimPageGetOpaque(page)->kind;
}

static Buffer
read_block(Vacuum *vacuum, BlockNumber block)
{
	return ReadBufferExtended(vacuum->ix.rel, MAIN_FORKNUM, block, RBM_NORMAL,
							  vacuum->info->strategy);
}

static SimPageKind
kind_of_block(Buffer buffer)
{
	SimPageKind kind;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	kind = kind_of(buffer);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	return kind;
}

/* Remove the dead postings of items, on all pages. */
static void
clean_items(Vacuum *vacuum)
{
	BlockNumber block;

	for (block = SIM_META_BLOCK + 1; block < vacuum->nblocks; block++)
	{
		Buffer buffer;

		vacuum_pause();
		buffer = read_block(vacuum, block);
		if (kind_of_block(buffer) == SIM_PAGE_CHUNK)
		{
			LockBufferForCleanup(buffer);
			if (examine_chunks(vacuum, BufferGetPage(buffer), true))
				clean_chunks(vacuum, buffer, true);
			LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		}
		ReleaseBuffer(buffer);
	}
	vacuum->items_clean = true;
}

/*
 * Readers use the visibility map for a posting as long as they have its page
 * pinned; so wait for them before the row may be replaced.
 *
 * A row is asked about by its subject's posting.  Its item's must not outlive
 * that one, as nothing would lead here again if VACUUM were stopped in between:
 * so before the first of them goes, all of those do.  Where no row is dead,
 * which is always so for CREATE INDEX CONCURRENTLY, none is asked about twice.
 */
static Buffer
vacuum_chunks(Vacuum *vacuum, Buffer buffer)
{
	BlockNumber block = BufferGetBlockNumber(buffer);
	bool dead;

	LockBufferForCleanup(buffer);

	/* Nobody but VACUUM frees such a page. */
	Assert(kind_of(buffer) == SIM_PAGE_CHUNK);
	dead = examine_chunks(vacuum, BufferGetPage(buffer), false);
	if (dead && !vacuum->items_clean)
	{
		UnlockReleaseBuffer(buffer);
		clean_items(vacuum);
		buffer = read_block(vacuum, block);
		LockBufferForCleanup(buffer);
	}
	if (dead)
		clean_chunks(vacuum, buffer, false);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	return buffer;
}

static void
vacuum_block(Vacuum *vacuum, BlockNumber block)
{
	Buffer buffer;
	SimPageKind kind;

	vacuum_pause();
	buffer = read_block(vacuum, block);
	kind = kind_of_block(buffer);
	if (kind == SIM_PAGE_CHUNK)
		buffer = vacuum_chunks(vacuum, buffer);
	else if (kind == SIM_PAGE_LOG)
	{
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		clean_log(vacuum, buffer);
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	}
	ReleaseBuffer(buffer);
}

static int
by_value(const void *a, const void *b)
{
	uint64 x = *(const uint64 *) a;
	uint64 y = *(const uint64 *) b;

	return x < y ? -1 : x > y ? 1 : 0;
}

static void
prune_emptied(Vacuum *vacuum, SimPageKind kind, Emptied *emptied)
{
	Size i;

	if (emptied->n == 0)
		return;
	qsort(emptied->owners, emptied->n, sizeof(uint64), by_value);
	for (i = 0; i < emptied->n; i++)
	{
		vacuum_pause();
		if (i == 0 || emptied->owners[i] != emptied->owners[i - 1])
			sim_chain_prune(&vacuum->ix, kind, emptied->owners[i]);
	}
	pfree(emptied->owners);
}

/* Add to the changes since training, which decide on the next one. */
static void
count_removed(SimIndex *ix, double removed)
{
	Buffer buffer;
	SimWrite write;

	if (removed <= 0)
		return;
	buffer = sim_read(ix, SIM_META_BLOCK, BUFFER_LOCK_EXCLUSIVE);
	sim_write_begin(&write, ix);
	sim_write_meta(&write, buffer)->removed += (uint64) removed;
	sim_write_end(&write);
	UnlockReleaseBuffer(buffer);
}

/*
 * Every row is reported to the callback exactly once: CREATE INDEX
 * CONCURRENTLY takes what is not reported for missing and inserts it again.
 */
IndexBulkDeleteResult *
sim_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
			   IndexBulkDeleteCallback callback, void *callback_state)
{
	Vacuum vacuum;
	BlockNumber block;
	double removed_before;

	if (stats == NULL)
		stats = palloc0(sizeof(IndexBulkDeleteResult));
	memset(&vacuum, 0, sizeof(vacuum));
	sim_index_open(&vacuum.ix, info->index);
	vacuum.info = info;
	vacuum.nblocks = RelationGetNumberOfBlocks(info->index);
	vacuum.items_clean = !sim_keeps_item_postings(&vacuum.ix);
	vacuum.stats = stats;
	vacuum.callback = callback;
	vacuum.callback_state = callback_state;
	vacuum.limit = Max(1024, sim_memory_budget() / sizeof(uint64));
	removed_before = stats->tuples_removed;
	stats->num_index_tuples = 0;
	for (block = SIM_META_BLOCK + 1; block < vacuum.nblocks; block++)
		vacuum_block(&vacuum, block);
	prune_emptied(&vacuum, SIM_PAGE_SUBJECT, &vacuum.subjects);
	prune_emptied(&vacuum, SIM_PAGE_ITEM, &vacuum.items);
	count_removed(&vacuum.ix, stats->tuples_removed - removed_before);
	return stats;
}

/* Interactions changed since training, given how many there are now. */
uint64
sim_changed(const SimMeta *meta, uint64 interactions)
{
	int64 inserted = (int64) interactions + (int64) meta->removed -
		(int64) meta->trained_interactions;

	return Max(inserted, 0) + meta->removed;
}

static bool
wants_training(SimIndex *ix, uint64 interactions)
{
	double threshold = sim_options(ix->rel)->retrain_after;
	SimMeta meta;
	uint64 changed;

	if (threshold == 0)
		return false;
	sim_read_meta(ix, &meta);
	if (meta.generation == 0)
		return interactions > 0;
	changed = sim_changed(&meta, interactions);
	return changed > 0 && changed >= threshold * meta.trained_interactions;
}

IndexBulkDeleteResult *
sim_vacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	SimIndex ix;
	SimCounts counts;

	if (info->analyze_only)
		return stats;
	if (stats == NULL)
		stats = palloc0(sizeof(IndexBulkDeleteResult));
	sim_index_open(&ix, info->index);
	sim_count(&ix, &counts, true, info->strategy);
	if (wants_training(&ix, counts.interactions))
	{
		sim_train(&ix, true);
		sim_count(&ix, &counts, true, info->strategy);
	}
	IndexFreeSpaceMapVacuum(info->index);
	stats->num_pages = counts.total_pages;
	stats->num_index_tuples = counts.interactions;
	stats->estimated_count = false;
	stats->pages_free = counts.pages[SIM_PAGE_FREE];
	return stats;
}
