/*
 * directory.c
 *		From a key's hash to its record: linear hashing.
 *
 * There is one directory for subjects and one for items.  Both grow by one
 * bucket at a time, so an index created on an empty table costs the same per
 * row at any size.  A bucket's first page says which hashes it holds (bucket
 * and mask), so a visitor who computed the bucket from an older metapage
 * notices that it was split and asks again.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"

#include "compat.h"
#include "similarity/similarity.h"

/* Splits do not overtake anyone that often. */
#define MAX_ROUNDS 1000

static SimDirectory *
directory_of(SimMeta *meta, bool items)
{
	return items ? &meta->items : &meta->subjects;
}

/* All bits that n buckets need. */
static uint32
high_mask(uint32 nbuckets)
{
	return nbuckets <= 1 ? 0 : pg_nextpower2_32(nbuckets) - 1;
}

static uint32
bucket_number(uint32 nbuckets, uint64 hash)
{
	uint32 mask = high_mask(nbuckets);
	uint32 bucket = (uint32) hash & mask;

	return bucket < nbuckets ? bucket : bucket & (mask >> 1);
}

/* The first page of the hash's bucket, locked. */
Buffer
sim_directory_lock(SimIndex *ix, bool items, uint64 hash, int mode)
{
	BlockNumber block = InvalidBlockNumber;
	int rounds;

	for (rounds = 0; rounds < MAX_ROUNDS; rounds++)
	{
		SimMeta meta;
		SimDirectory *directory;
		uint32 bucket;
		Buffer buffer;
		SimPageOpaque *opaque;

		sim_read_meta(ix, &meta);
		directory = directory_of(&meta, items);
		bucket = bucket_number(directory->nbuckets, hash);
		if (!sim_array_get(ix, &directory->buckets, bucket, &block) ||
			block == InvalidBlockNumber)
			break;
		buffer = sim_read(ix, block, mode);
		opaque = SimPageGetOpaque(BufferGetPage(buffer));
		if (sim_page_is(BufferGetPage(buffer), SIM_PAGE_BUCKET) &&
			opaque->bucket == bucket &&
			((uint32) hash & opaque->mask) == bucket)
			return buffer;
		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" has no bucket of its hash directory at block %u",
					RelationGetRelationName(ix->rel), block),
			 errhint("Please REINDEX it.")));
	return InvalidBuffer;
}

static bool
page_find(SimIndex *ix, Page page, uint64 hash, SimEntryMatch match, void *arg,
		  SimEntry *found)
{
	SimEntry *entries = (SimEntry *) sim_page_array(page);
	int n = sim_page_count(page, sizeof(SimEntry));
	int i;

	for (i = 0; i < n; i++)
	{
		if (entries[i].hash == hash && match(ix, &entries[i], arg))
		{
			*found = entries[i];
			return true;
		}
	}
	return false;
}

/* Look through a bucket whose first page the caller has locked. */
bool
sim_bucket_find(SimIndex *ix, Buffer bucket, uint64 hash, SimEntryMatch match,
				void *arg, SimEntry *found)
{
	Page page = BufferGetPage(bucket);
	BlockNumber next;
	bool result;

	if (page_find(ix, page, hash, match, arg, found))
		return true;
	next = SimPageGetOpaque(page)->next;
	while (next != InvalidBlockNumber)
	{
		Buffer buffer = sim_read(ix, next, BUFFER_LOCK_SHARE);

		page = BufferGetPage(buffer);
		next = SimPageGetOpaque(page)->next;
		result = page_find(ix, page, hash, match, arg, found);
		UnlockReleaseBuffer(buffer);
		if (result)
			return true;
	}
	return false;
}

/* Link an empty overflow page behind the last page of a bucket. */
static Buffer
add_overflow(SimIndex *ix, Buffer last)
{
	Buffer buffer = sim_new_buffer(ix);
	SimPageOpaque *opaque = SimPageGetOpaque(BufferGetPage(last));
	SimWrite write;
	Page page;

	sim_write_begin(&write, ix);
	page = sim_write_page(&write, last);
	SimPageGetOpaque(page)->next = BufferGetBlockNumber(buffer);
	page = sim_write_new_page(&write, buffer, SIM_PAGE_BUCKET, 0);
	SimPageGetOpaque(page)->bucket = opaque->bucket;
	SimPageGetOpaque(page)->mask = opaque->mask;
	sim_write_end(&write);
	return buffer;
}

/*
 * The page of a bucket that takes another entry: its first page, which the
 * caller has locked exclusively, or an overflow page, then locked too.
 * *crowded tells that the directory should grow.
 */
Buffer
sim_bucket_room(SimIndex *ix, Buffer bucket, bool *crowded)
{
	Buffer buffer = bucket;

	*crowded = sim_page_count(BufferGetPage(bucket), sizeof(SimEntry)) >=
		SIM_BUCKET_FULL;
	for (;;)
	{
		Page page = BufferGetPage(buffer);
		BlockNumber next = SimPageGetOpaque(page)->next;
		Buffer following;

		if (sim_page_count(page, sizeof(SimEntry)) < SIM_BUCKET_CAPACITY)
			return buffer;
		following = next == InvalidBlockNumber ?
			add_overflow(ix, buffer) :
			sim_read(ix, next, BUFFER_LOCK_EXCLUSIVE);
		if (buffer != bucket)
			UnlockReleaseBuffer(buffer);
		buffer = following;
	}
}

void
sim_bucket_put(Page page, uint64 hash, BlockNumber block, OffsetNumber offset)
{
	int n = sim_page_count(page, sizeof(SimEntry));
	SimEntry *entry = (SimEntry *) sim_page_array(page) + n;

	Assert(n < SIM_BUCKET_CAPACITY);
	entry->hash = hash;
	entry->block = block;
	entry->offset = offset;
	entry->unused = 0;
	sim_page_set_count(page, n + 1, sizeof(SimEntry));
}

/*
 * The page and position of an entry in a bucket that the caller has locked
 * exclusively; InvalidBuffer if it is not there.
 */
Buffer
sim_bucket_locate(SimIndex *ix, Buffer bucket, const SimEntry *entry,
				  int *position)
{
	Buffer buffer = bucket;

	for (;;)
	{
		Page page = BufferGetPage(buffer);
		SimEntry *entries = (SimEntry *) sim_page_array(page);
		int n = sim_page_count(page, sizeof(SimEntry));
		BlockNumber next = SimPageGetOpaque(page)->next;

		for (*position = 0; *position < n; (*position)++)
			if (entries[*position].block == entry->block &&
				entries[*position].offset == entry->offset)
				return buffer;
		if (buffer != bucket)
			UnlockReleaseBuffer(buffer);
		if (next == InvalidBlockNumber)
			return InvalidBuffer;
		buffer = sim_read(ix, next, BUFFER_LOCK_EXCLUSIVE);
	}
}

/* ---- splitting ---- */

typedef struct Split
{
	uint32 old_bucket;
	uint32 new_bucket;
	uint32 mask; /* of both, afterwards */
	int nmoved;
	SimEntry *moved;
} Split;

/* Note the entries of a page that belong into the new bucket. */
static void
collect_moved(Split *split, Page page)
{
	SimEntry *entries = (SimEntry *) sim_page_array(page);
	int n = sim_page_count(page, sizeof(SimEntry));
	int i;

	if (split->moved == NULL)
		split->moved = palloc(n * sizeof(SimEntry));
	else
		split->moved =
			repalloc(split->moved, (split->nmoved + n) * sizeof(SimEntry));
	for (i = 0; i < n; i++)
		if (((uint32) entries[i].hash & split->mask) == split->new_bucket)
			split->moved[split->nmoved++] = entries[i];
}

/* Drop from a page what does not belong into the old bucket any more. */
static void
keep_old(Split *split, Page page)
{
	SimEntry *entries = (SimEntry *) sim_page_array(page);
	int n = sim_page_count(page, sizeof(SimEntry));
	int kept = 0;
	int i;

	for (i = 0; i < n; i++)
		if (((uint32) entries[i].hash & split->mask) == split->old_bucket)
			entries[kept++] = entries[i];
	sim_page_set_count(page, kept, sizeof(SimEntry));
	SimPageGetOpaque(page)->mask = split->mask;
}

/* Write the new bucket, last page first; returns its first block. */
static BlockNumber
write_new_bucket(SimIndex *ix, Split *split)
{
	BlockNumber next = InvalidBlockNumber;
	int pages =
		Max(1, (split->nmoved + SIM_BUCKET_CAPACITY - 1) / SIM_BUCKET_CAPACITY);

	while (pages-- > 0)
	{
		int first = pages * SIM_BUCKET_CAPACITY;
		int n = Min(split->nmoved - first, SIM_BUCKET_CAPACITY);
		Buffer buffer = sim_new_buffer(ix);
		SimWrite write;
		Page page;

		sim_write_begin(&write, ix);
		page = sim_write_new_page(&write, buffer, SIM_PAGE_BUCKET, 0);
		if (n > 0)
			memcpy(sim_page_array(page), split->moved + first,
				   n * sizeof(SimEntry));
		sim_page_set_count(page, n, sizeof(SimEntry));
		SimPageGetOpaque(page)->bucket = split->new_bucket;
		SimPageGetOpaque(page)->mask = split->mask;
		SimPageGetOpaque(page)->next = next;
		sim_write_end(&write);
		next = BufferGetBlockNumber(buffer);
		UnlockReleaseBuffer(buffer);
	}
	return next;
}

/* The one change that makes the split visible: bucket, map and metapage. */
static void
publish_split(SimIndex *ix, Split *split, bool items, Buffer old,
			  BlockNumber new_block, const SimArray *map)
{
	Buffer leaf;
	Buffer meta_buffer;
	SimWrite write;
	SimDirectory *directory;
	uint32 per_leaf = sim_array_per_leaf(map);

	leaf = sim_read(ix, sim_array_leaf(ix, map, split->new_bucket / per_leaf),
					BUFFER_LOCK_EXCLUSIVE);
	meta_buffer = sim_read(ix, SIM_META_BLOCK, BUFFER_LOCK_EXCLUSIVE);
	sim_write_begin(&write, ix);
	keep_old(split, sim_write_page(&write, old));
	*(BlockNumber *) sim_array_slot(sim_write_page(&write, leaf), map,
									split->new_bucket) = new_block;
	directory = directory_of(sim_write_meta(&write, meta_buffer), items);
	directory->buckets = *map;
	directory->nbuckets = split->new_bucket + 1;
	sim_write_end(&write);
	UnlockReleaseBuffer(meta_buffer);
	UnlockReleaseBuffer(leaf);
}

/*
 * Move what belongs into the new bucket out of the old one.  Overflow pages
 * are cleaned after the split is published: what a crash leaves behind there
 * belongs to no bucket that anyone looks for it in.
 */
static void
split_bucket(SimIndex *ix, Split *split, bool items, Buffer old,
			 const SimArray *map)
{
	BlockNumber first_overflow = SimPageGetOpaque(BufferGetPage(old))->next;
	BlockNumber block;
	Buffer buffer;
	SimWrite write;
	Page page;

	collect_moved(split, BufferGetPage(old));
	for (block = first_overflow; block != InvalidBlockNumber;)
	{
		buffer = sim_read(ix, block, BUFFER_LOCK_SHARE);
		collect_moved(split, BufferGetPage(buffer));
		block = SimPageGetOpaque(BufferGetPage(buffer))->next;
		UnlockReleaseBuffer(buffer);
	}
	publish_split(ix, split, items, old, write_new_bucket(ix, split), map);
	for (block = first_overflow; block != InvalidBlockNumber;)
	{
		buffer = sim_read(ix, block, BUFFER_LOCK_EXCLUSIVE);
		sim_write_begin(&write, ix);
		page = sim_write_page(&write, buffer);
		keep_old(split, page);
		block = SimPageGetOpaque(page)->next;
		sim_write_end(&write);
		UnlockReleaseBuffer(buffer);
	}
	pfree(split->moved);
}

/*
 * Grow a directory by one bucket.  The caller holds no buffer lock.  Only one
 * session grows a directory at a time; who finds another at it leaves it to
 * that one.  The creator of an item already holds the lock.
 */
void
sim_directory_split(SimIndex *ix, bool items)
{
	SimMeta meta;
	SimDirectory *directory;
	SimArray map;
	Split split;
	BlockNumber block;
	Buffer old;

	if (!items && !ix->building &&
		!ConditionalLockPage(ix->rel, SIM_LOCK_SUBJECTS, ExclusiveLock))
		return;
	sim_read_meta(ix, &meta);
	directory = directory_of(&meta, items);
	map = directory->buckets;
	memset(&split, 0, sizeof(split));
	split.new_bucket = directory->nbuckets;
	split.mask = high_mask(split.new_bucket + 1);
	split.old_bucket = split.new_bucket & (split.mask >> 1);
	(void) sim_array_grow(ix, &map, split.new_bucket / sim_array_per_leaf(&map),
						  NULL);
	if (sim_array_get(ix, &map, split.old_bucket, &block))
	{
		old = sim_read(ix, block, BUFFER_LOCK_EXCLUSIVE);
		split_bucket(ix, &split, items, old, &map);
		UnlockReleaseBuffer(old);
	}
	if (!items && !ix->building)
		UnlockPage(ix->rel, SIM_LOCK_SUBJECTS, ExclusiveLock);
}
