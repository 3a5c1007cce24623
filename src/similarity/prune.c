/*
 * prune.c
 *		Unlinking what VACUUM emptied: chunks, records, directory entries.
 *
 * A reader may stand between two chunks without a lock.  It finds its way by
 * the owner's hash in every chunk: where the next chunk is gone or somebody
 * else's, it starts again from the record.
 */
#include "postgres.h"

#include "storage/freespace.h"

#include "compat.h"
#include "similarity/records.h"
#include "similarity/similarity.h"


/*
 * A record with this hash that was not looked at yet.  Two records with one
 * hash are next to impossible, but for types that have 32 bits of it only.
 */
#define MAX_NAMESAKES 8

typedef struct HashMatch
{
	SimRecordRef ref;
	int ndone;
	SimRecordRef done[MAX_NAMESAKES];
} HashMatch;

static bool
is_done(const HashMatch *wanted, const SimEntry *entry)
{
	int i;

	for (i = 0; i < wanted->ndone; i++)
		if (wanted->done[i].block == entry->block &&
			wanted->done[i].offset == entry->offset)
			return true;
	return wanted->ndone == MAX_NAMESAKES;
}

static bool
match_hash(SimIndex *ix, const SimEntry *entry, void *arg)
{
	HashMatch *wanted = (HashMatch *) arg;
	SimRecordRef *ref = &wanted->ref;
	Buffer buffer = sim_read(ix, entry->block, BUFFER_LOCK_SHARE);
	SimRecord *record;
	bool result = false;

	record = sim_record_at(BufferGetPage(buffer), ref->kind, entry->offset);
	if (record && record->hash == entry->hash && !is_done(wanted, entry))
	{
		ref->block = entry->block;
		ref->offset = entry->offset;
		ref->hash = record->hash;
		result = true;
	}
	UnlockReleaseBuffer(buffer);
	return result;
}

static bool
page_has_items(Page page)
{
	OffsetNumber offset;

	for (offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page);
		 offset++)
		if (ItemIdIsUsed(PageGetItemId(page, offset)))
			return true;
	return false;
}

/*
 * Delete an item without moving others' line pointers; an emptied page
 * becomes free.  Returns whether it did.
 */
static bool
delete_item(Page page, OffsetNumber offset, bool may_free)
{
	PageIndexTupleDeleteNoCompact(page, offset);
	PageSetHasFreeLinePointers(page);
	if (!may_free || page_has_items(page))
		return false;
	sim_init_page(page, SIM_PAGE_FREE, 0);
	return true;
}

/* Point the link in front of a chunk (in a record or a chunk) past it. */
static void
set_link(SimIndex *ix, Page page, OffsetNumber offset, bool in_record,
		 const SimRecordRef *ref, const SimChunk *gone)
{
	if (in_record)
	{
		SimRecord *record = sim_record_at(page, ref->kind, offset);

		record->head_block = gone->next_block;
		record->head_offset = gone->next_offset;
	}
	else
	{
		SimChunk *chunk = sim_chunk_at(ix, page, offset, ref->kind, ref->hash);

		chunk->next_block = gone->next_block;
		chunk->next_offset = gone->next_offset;
	}
}

/* Where a link stands: in the record, or in a chunk on a locked page. */
typedef struct Link
{
	Buffer buffer;
	OffsetNumber offset;
	bool in_record;
} Link;

/* Unlink and delete one empty chunk; link and chunk may share a page. */
static void
unlink_chunk(SimIndex *ix, const Link *link, Buffer buffer, OffsetNumber offset,
			 const SimRecordRef *ref, const SimChunk *gone)
{
	SimWrite write;
	Page page;
	bool freed;

	sim_write_begin(&write, ix);
	page = sim_write_page(&write, link->buffer);
	set_link(ix, page, link->offset, link->in_record, ref, gone);
	if (buffer != link->buffer)
		page = sim_write_page(&write, buffer);
	freed = delete_item(page, offset, true);
	sim_write_end(&write);
	page = BufferGetPage(buffer);
	RecordPageWithFreeSpace(ix->rel, BufferGetBlockNumber(buffer),
							freed ? BLCKSZ - 1 : PageGetFreeSpace(page));
}

/* The chunk at a place of a chain, on a page that is locked. */
static SimChunk *
chain_chunk(SimIndex *ix, Buffer buffer, OffsetNumber offset,
			const SimRecordRef *ref)
{
	SimChunk *chunk =
		sim_chunk_at(ix, BufferGetPage(buffer), offset, ref->kind, ref->hash);

	if (chunk == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has a broken chain of postings at block %u offset %u",
						RelationGetRelationName(ix->rel),
						BufferGetBlockNumber(buffer), offset),
				 errhint("Please REINDEX it.")));
	return chunk;
}

/*
 * Go one chunk further along a chain: unlink it if it is empty, otherwise make
 * it the link to the next.  Returns that one's place.
 */
static ItemPointerData
prune_step(SimIndex *ix, Link *link, ItemPointerData place,
		   const SimRecordRef *ref)
{
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(&place);
	OffsetNumber offset = ItemPointerGetOffsetNumberNoCheck(&place);
	bool same = BufferGetBlockNumber(link->buffer) == block;
	Buffer buffer =
		same ? link->buffer : sim_read(ix, block, BUFFER_LOCK_EXCLUSIVE);
	SimChunk chunk;

	memcpy(&chunk, chain_chunk(ix, buffer, offset, ref), SIM_CHUNK_HEADER);
	if (chunk.n == 0)
	{
		unlink_chunk(ix, link, buffer, offset, ref, &chunk);
		if (!same)
			UnlockReleaseBuffer(buffer);
	}
	else
	{
		if (!same && !link->in_record)
			UnlockReleaseBuffer(link->buffer);
		link->buffer = buffer;
		link->offset = offset;
		link->in_record = false;
	}
	ItemPointerSet(&place, chunk.next_block, chunk.next_offset);
	return place;
}

/*
 * Walk a chain and unlink its empty chunks, but only so many at a time: nobody
 * can add to the chain meanwhile, and we cannot be interrupted.  *from is
 * the chunk to go on from, which holds postings and so cannot go away, or
 * invalid for the start, which it is again while all chunks are empty.  Returns false if there is more.
 */
#define PRUNE_AT_ONCE 256

static bool
prune_chain(SimIndex *ix, Buffer record_buffer, const SimRecordRef *ref,
			ItemPointerData *from)
{
	Link link = { record_buffer, ref->offset, true };
	SimRecord *record =
		sim_record_at(BufferGetPage(record_buffer), ref->kind, ref->offset);
	ItemPointerData place;
	int steps = 0;

	ItemPointerSet(&place, record->head_block, record->head_offset);
	if (ItemPointerIsValid(from))
		place = *from;
	while (ItemPointerGetBlockNumberNoCheck(&place) != InvalidBlockNumber &&
		   steps++ < PRUNE_AT_ONCE)
		place = prune_step(ix, &link, place, ref);
	ItemPointerSetInvalid(from);
	if (!link.in_record)
	{
		ItemPointerSet(from, BufferGetBlockNumber(link.buffer), link.offset);
		UnlockReleaseBuffer(link.buffer);
	}
	return ItemPointerGetBlockNumberNoCheck(&place) == InvalidBlockNumber;
}

/* Remove a subject that has no chunk left. */
static void
delete_record(SimIndex *ix, Buffer bucket, Buffer record_buffer,
			  const SimRecordRef *ref)
{
	SimEntry entry = { ref->hash, ref->block, ref->offset, 0 };
	SimMeta meta;
	SimWrite write;
	Page page;
	SimEntry *entries;
	int position;
	int n;
	bool freed;
	Buffer place = sim_bucket_locate(ix, bucket, &entry, &position);

	if (place == InvalidBuffer)
		return;
	sim_read_meta(ix, &meta);
	sim_write_begin(&write, ix);
	page = sim_write_page(&write, place);
	entries = (SimEntry *) sim_page_array(page);
	n = sim_page_count(page, sizeof(SimEntry));
	entries[position] = entries[n - 1];
	sim_page_set_count(page, n - 1, sizeof(SimEntry));
	freed = delete_item(sim_write_page(&write, record_buffer), ref->offset,
						meta.subject_tail != ref->block);
	sim_write_end(&write);
	if (place != bucket)
		UnlockReleaseBuffer(place);
	if (freed)
		RecordPageWithFreeSpace(ix->rel, ref->block, BLCKSZ - 1);
}

/*
 * Prune one chain; returns false if it is to be called again.  An item's
 * record stays, so that its bucket need not be locked against others.
 */
static bool
prune_record(SimIndex *ix, uint64 hash, HashMatch *wanted,
			 ItemPointerData *from, bool *found)
{
	SimRecordRef *ref = &wanted->ref;
	bool of_item = ref->kind == SIM_PAGE_ITEM;
	SimEntry entry;
	Buffer bucket =
		sim_directory_lock(ix, of_item, hash,
						   of_item ? BUFFER_LOCK_SHARE : BUFFER_LOCK_EXCLUSIVE);
	bool finished = true;

	*found = sim_bucket_find(ix, bucket, hash, match_hash, wanted, &entry);
	if (*found)
	{
		Buffer record_buffer = sim_read(ix, ref->block, BUFFER_LOCK_EXCLUSIVE);
		SimRecord *record;

		finished = prune_chain(ix, record_buffer, ref, from);
		record =
			sim_record_at(BufferGetPage(record_buffer), ref->kind, ref->offset);
		if (!of_item && record->head_block == InvalidBlockNumber)
			delete_record(ix, bucket, record_buffer, ref);
		UnlockReleaseBuffer(record_buffer);
	}
	UnlockReleaseBuffer(bucket);
	return finished;
}

/*
 * Unlink the empty chunks of the subjects, or items, with this hash, and the
 * subjects of which nothing is left.
 */
void
sim_chain_prune(SimIndex *ix, SimPageKind kind, uint64 hash)
{
	HashMatch wanted;
	bool found = true;

	memset(&wanted, 0, sizeof(wanted));
	wanted.ref.kind = kind;
	while (found && wanted.ndone < MAX_NAMESAKES)
	{
		ItemPointerData from;

		ItemPointerSetInvalid(&from);
		while (!prune_record(ix, hash, &wanted, &from, &found))
			vacuum_pause();
		wanted.done[wanted.ndone++] = wanted.ref;
	}
}
