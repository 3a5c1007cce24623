/*
 * page.c
 *		Pages of a similarity index: initialising, finding room, changing them.
 */
#include "postgres.h"

#include "access/xloginsert.h"
#include "access/htup_details.h"
#include "storage/freespace.h"
#include "storage/indexfsm.h"

#include "compat.h"
#include "similarity/similarity.h"

/* What the free space map is told of a page that anyone may take. */
#define WHOLE_PAGE (BLCKSZ - 1)
#define WANT_WHOLE_PAGE MaxHeapTupleSize

void
sim_init_page(Page page, SimPageKind kind, uint32 generation)
{
	SimPageOpaque *opaque;

	PageInit(page, BLCKSZ, sizeof(SimPageOpaque));
	opaque = SimPageGetOpaque(page);
	opaque->generation = generation;
	opaque->next = InvalidBlockNumber;
	opaque->kind = kind;
	opaque->page_id = SIM_PAGE_ID;
}

bool
sim_page_is(Page page, SimPageKind kind)
{
	return !PageIsNew(page) && SimPageGetOpaque(page)->kind == kind;
}

/*
 * Array pages hold fixed-size elements from the first byte on; pd_lower marks
 * their end, so that the hole is left out of WAL and of page comparison.
 */
char *
sim_page_array(Page page)
{
	return PageGetContents(page);
}

int
sim_page_count(Page page, Size element_size)
{
	return (((PageHeader) page)->pd_lower - MAXALIGN(SizeOfPageHeaderData)) /
		element_size;
}

void
sim_page_set_count(Page page, int count, Size element_size)
{
	((PageHeader) page)->pd_lower =
		MAXALIGN(SizeOfPageHeaderData) + count * element_size;
}

/*
 * Where this backend found blocks last.  Looking a block up in the shared
 * buffer table costs more than anything else that is done to a page here;
 * ReadRecentBuffer() makes sure that the buffer still holds the block.  It
 * does not tell the buffer manager that the page is in use, though, so every
 * now and then the table is asked all the same.
 */
#define RECENT_BUFFERS 32768
#define ASK_AGAIN 16

static Buffer recent_buffers[RECENT_BUFFERS];

static Buffer *
recent_slot(SimIndex *ix, BlockNumber block)
{
	return &recent_buffers[(RelationGetRelid(ix->rel) * 31 + block) %
						   RECENT_BUFFERS];
}

/* Where a block probably is, or InvalidBuffer: good for a prefetch only. */
Buffer
sim_recent_buffer(SimIndex *ix, BlockNumber block)
{
	Buffer buffer = *recent_slot(ix, block);

	return BufferIsLocal(buffer) ? InvalidBuffer : buffer;
}

static void
refuse_block(SimIndex *ix, BlockNumber block)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" has a page that is not of a similarity index at block %u",
					RelationGetRelationName(ix->rel), block),
			 errhint("Please REINDEX it.")));
}

/* Read and lock a block; the caller makes sure that it is what it looks for. */
Buffer
sim_read_unchecked(SimIndex *ix, BlockNumber block, int mode)
{
	static uint32 reads = 0;
	Buffer *recent = recent_slot(ix, block);

	/* To the buffer manager that would be a wish for a new block. */
	if (block == InvalidBlockNumber)
		refuse_block(ix, block);
	if (!BufferIsValid(*recent) ||
		BufferIsLocal(*recent) != RelationUsesLocalBuffers(ix->rel) ||
		++reads % ASK_AGAIN == 0 ||
		!read_recent_buffer(ix->rel, block, *recent))
		*recent = ReadBuffer(ix->rel, block);
	LockBuffer(*recent, mode);
	return *recent;
}

static Buffer
check_page(SimIndex *ix, Buffer buffer)
{
	Page page = BufferGetPage(buffer);

	if (!PageIsNew(page) &&
		(PageGetSpecialSize(page) != MAXALIGN(sizeof(SimPageOpaque)) ||
		 SimPageGetOpaque(page)->page_id != SIM_PAGE_ID))
		refuse_block(ix, BufferGetBlockNumber(buffer));
	return buffer;
}

/* Read and lock a block, and make sure that it is one of ours. */
Buffer
sim_read(SimIndex *ix, BlockNumber block, int mode)
{
	return check_page(ix, sim_read_unchecked(ix, block, mode));
}

/*
 * The same for the few pages that everybody reads all the time: the shared
 * table is the better way to these, as ReadRecentBuffer() locks the header.
 */
Buffer
sim_read_hot(SimIndex *ix, BlockNumber block, int mode)
{
	Buffer buffer;

	if (block == InvalidBlockNumber)
		refuse_block(ix, block);
	buffer = ReadBuffer(ix->rel, block);
	LockBuffer(buffer, mode);
	return check_page(ix, buffer);
}

void
sim_write_begin(SimWrite *write, SimIndex *ix)
{
	write->xlog = ix->building ? NULL : GenericXLogStart(ix->rel);
}

/* The page to change; while logging, a copy that sim_write_end() applies. */
Page
sim_write_page(SimWrite *write, Buffer buffer)
{
	if (write->xlog)
		return GenericXLogRegisterBuffer(write->xlog, buffer, 0);
	MarkBufferDirty(buffer);
	return BufferGetPage(buffer);
}

/* The same for a page to fill from scratch. */
Page
sim_write_new_page(SimWrite *write, Buffer buffer, SimPageKind kind,
				   uint32 generation)
{
	Page page;

	if (write->xlog)
		page = GenericXLogRegisterBuffer(write->xlog, buffer,
										 GENERIC_XLOG_FULL_IMAGE);
	else
	{
		MarkBufferDirty(buffer);
		page = BufferGetPage(buffer);
	}
	sim_init_page(page, kind, generation);
	return page;
}

void
sim_write_end(SimWrite *write)
{
	if (write->xlog)
		GenericXLogFinish(write->xlog);
}

static bool
page_is_free(Page page)
{
	return PageIsNew(page) || sim_page_is(page, SIM_PAGE_FREE);
}

/*
 * A free page, exclusively locked; the caller initialises it.  The free space
 * map is only a hint: what it offers is checked under the lock.
 */
Buffer
sim_new_buffer(SimIndex *ix)
{
	while (!ix->building)
	{
		BlockNumber block = GetPageWithFreeSpace(ix->rel, WANT_WHOLE_PAGE);
		Buffer buffer;

		if (block == InvalidBlockNumber)
			break;
		RecordPageWithFreeSpace(ix->rel, block, 0);
		buffer = ReadBuffer(ix->rel, block);
		if (ConditionalLockBuffer(buffer))
		{
			if (page_is_free(BufferGetPage(buffer)))
				return buffer;
			LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		}
		ReleaseBuffer(buffer);
	}
	return extend_relation(ix->rel, MAIN_FORKNUM);
}

/* Does this block take a chunk of that size?  If so it returns locked. */
static bool
try_chunk_buffer(SimIndex *ix, BlockNumber block, Size size, Buffer *result)
{
	Buffer buffer = ReadBuffer(ix->rel, block);
	Page page = BufferGetPage(buffer);

	/*
	 * A stale free space map may offer any page, even one that stands before
	 * ours in the lock order: never wait for it.
	 */
	if (!ConditionalLockBuffer(buffer))
	{
		ReleaseBuffer(buffer);
		return false;
	}
	if (page_is_free(page) ||
		(sim_page_is(page, SIM_PAGE_CHUNK) && PageGetFreeSpace(page) >= size))
	{
		*result = buffer;
		return true;
	}
	RecordPageWithFreeSpace(ix->rel, block,
							sim_page_is(page, SIM_PAGE_CHUNK) ?
								PageGetFreeSpace(page) :
								0);
	UnlockReleaseBuffer(buffer);
	return false;
}

/*
 * A page with room for a chunk of that size, exclusively locked: a chunk
 * page, or a free one that the caller initialises.  Each backend stays on its
 * own page while it has room.
 */
Buffer
sim_chunk_buffer(SimIndex *ix, Size size)
{
	BlockNumber block = RelationGetTargetBlock(ix->rel);
	Buffer buffer;
	int tries;

	for (tries = 0; tries < 4; tries++)
	{
		if (block == InvalidBlockNumber && !ix->building)
			block = GetPageWithFreeSpace(ix->rel, size);
		if (block == InvalidBlockNumber)
			break;
		if (try_chunk_buffer(ix, block, size, &buffer))
		{
			RelationSetTargetBlock(ix->rel, block);
			return buffer;
		}
		block = InvalidBlockNumber;
	}
	buffer = sim_new_buffer(ix);
	RelationSetTargetBlock(ix->rel, BufferGetBlockNumber(buffer));
	return buffer;
}

/* Give a page back.  Nobody may be led to it any more, except stale readers. */
void
sim_free_page(SimIndex *ix, BlockNumber block)
{
	Buffer buffer = sim_read(ix, block, BUFFER_LOCK_EXCLUSIVE);
	SimWrite write;

	sim_write_begin(&write, ix);
	sim_init_page(sim_write_page(&write, buffer), SIM_PAGE_FREE, 0);
	sim_write_end(&write);
	UnlockReleaseBuffer(buffer);
	RecordPageWithFreeSpace(ix->rel, block, WHOLE_PAGE);
}

static void
check_meta(Relation rel, Page page)
{
	const SimMeta *meta = SimPageGetMeta(page);

	if (!sim_page_is(page, SIM_PAGE_META) || meta->magic != SIM_MAGIC)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has no valid metapage",
						RelationGetRelationName(rel)),
				 errhint("Please REINDEX it.")));
	if (meta->version != SIM_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("index \"%s\" has version %u of the similarity format, this library reads version %u",
						RelationGetRelationName(rel), meta->version,
						SIM_VERSION),
				 errhint("Please REINDEX it.")));
}

void
sim_read_meta(SimIndex *ix, SimMeta *meta)
{
	Buffer buffer = sim_read_hot(ix, SIM_META_BLOCK, BUFFER_LOCK_SHARE);

	check_meta(ix->rel, BufferGetPage(buffer));
	memcpy(meta, SimPageGetMeta(BufferGetPage(buffer)), sizeof(SimMeta));
	UnlockReleaseBuffer(buffer);
}

SimMeta *
sim_write_meta(SimWrite *write, Buffer buffer)
{
	return SimPageGetMeta(sim_write_page(write, buffer));
}

/* ---- a new index: the metapage and two empty directories ---- */

static void
init_bucket(Page page)
{
	sim_init_page(page, SIM_PAGE_BUCKET, 0);
	SimPageGetOpaque(page)->bucket = 0;
	SimPageGetOpaque(page)->mask = 0;
}

static void
init_array_root(Page page, const SimArray *array)
{
	uint32 n = sim_array_per_leaf(array);

	sim_init_page(page, SIM_PAGE_LEAF, 0);
	memset(sim_page_array(page), 0xFF, n * array->element_size);
	sim_page_set_count(page, n, array->element_size);
}

static void
init_directory(SimDirectory *directory, BlockNumber root)
{
	directory->nbuckets = 1;
	sim_array_init(&directory->buckets, root, sizeof(BlockNumber), 0);
}

static void
init_meta(Page page, bool item_postings)
{
	SimMeta *meta = SimPageGetMeta(page);
	int i;

	sim_init_page(page, SIM_PAGE_META, 0);
	memset(meta, 0, sizeof(SimMeta));
	meta->magic = SIM_MAGIC;
	meta->version = SIM_VERSION;
	init_directory(&meta->subjects, 1);
	init_directory(&meta->items, 3);
	sim_array_init(&meta->locator, 5, sizeof(ItemPointerData), 0);
	meta->subject_tail = InvalidBlockNumber;
	meta->item_tail = InvalidBlockNumber;
	meta->item_postings = item_postings;
	for (i = 0; i < SIM_LOG_STRIPES; i++)
	{
		meta->log[i].head = InvalidBlockNumber;
		meta->log[i].tail = InvalidBlockNumber;
	}
	sim_array_init(&meta->slots, InvalidBlockNumber, sizeof(ItemPointerData),
				   0);
	sim_array_init(&meta->degrees, InvalidBlockNumber, sizeof(uint32), 0);
	meta->model_pages = InvalidBlockNumber;
	meta->popular = InvalidBlockNumber;
	meta->choice.pages = InvalidBlockNumber;
	meta->sampled = 1;
	((PageHeader) page)->pd_lower =
		((char *) meta + sizeof(SimMeta)) - (char *) page;
}

/*
 * Write the six pages of an empty index.  The init fork of an unlogged index
 * is WAL-logged page by page; the main fork when the build ends.
 */
void
sim_init_index(Relation rel, ForkNumber fork)
{
	static const int nblocks = 6;
	SimArray map;
	SimArray locator;
	int block;

	sim_array_init(&map, 0, sizeof(BlockNumber), 0);
	sim_array_init(&locator, 0, sizeof(ItemPointerData), 0);
	for (block = 0; block < nblocks; block++)
	{
		Buffer buffer = extend_relation(rel, fork);
		Page page = BufferGetPage(buffer);
		BlockNumber *root;

		Assert(BufferGetBlockNumber(buffer) == (BlockNumber) block);
		START_CRIT_SECTION();
		MarkBufferDirty(buffer);
		if (block == SIM_META_BLOCK)
			init_meta(page, sim_options(rel)->postings);
		else if (block == 2 || block == 4)
			init_bucket(page);
		else
			init_array_root(page, block == 5 ? &locator : &map);
		if (block == 1 || block == 3)
		{
			root = (BlockNumber *) sim_page_array(page);
			root[0] = block + 1;
		}
		if (fork == INIT_FORKNUM)
			log_newpage_buffer(buffer, true);
		END_CRIT_SECTION();
		UnlockReleaseBuffer(buffer);
	}
}
