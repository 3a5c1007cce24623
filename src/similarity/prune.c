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

#include "similarity/records.h"
#include "similarity/similarity.h"


/* Any record with this hash whose chain may hold empty chunks. */
static bool
match_hash(SimIndex *ix, const SimEntry *entry, void *arg)
{
	SimSubjectRef *ref = (SimSubjectRef *) arg;
	Buffer		buffer = sim_read(ix, entry->block, BUFFER_LOCK_SHARE);
	SimSubjectRecord *record;
	bool		result = false;

	record = sim_record_at(BufferGetPage(buffer), SIM_PAGE_SUBJECT,
						   entry->offset);
	if (record && record->hash == entry->hash)
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
	if (!may_free || page_has_items(page))
		return false;
	sim_init_page(page, SIM_PAGE_FREE, 0);
	return true;
}

/* Point the link in front of a chunk (in a record or a chunk) past it. */
static void
set_link(SimIndex *ix, Page page, OffsetNumber offset, bool in_record,
		 uint64 owner, const SimChunk *gone)
{
	if (in_record)
	{
		SimSubjectRecord *record = sim_record_at(page, SIM_PAGE_SUBJECT, offset);

		record->head_block = gone->next_block;
		record->head_offset = gone->next_offset;
	}
	else
	{
		SimChunk   *chunk = sim_chunk_at(ix, page, offset, owner);

		chunk->next_block = gone->next_block;
		chunk->next_offset = gone->next_offset;
	}
}

/* Where a link stands: in the record, or in a chunk on a locked page. */
typedef struct Link
{
	Buffer		buffer;
	OffsetNumber offset;
	bool		in_record;
} Link;

/* Unlink and delete one empty chunk; link and chunk may share a page. */
static void
unlink_chunk(SimIndex *ix, const Link *link, Buffer buffer,
			 OffsetNumber offset, uint64 owner, const SimChunk *gone)
{
	SimWrite	write;
	Page		page;
	bool		freed;

	sim_write_begin(&write, ix);
	page = sim_write_page(&write, link->buffer);
	set_link(ix, page, link->offset, link->in_record, owner, gone);
	if (buffer != link->buffer)
		page = sim_write_page(&write, buffer);
	freed = delete_item(page, offset, true);
	sim_write_end(&write);
	page = BufferGetPage(buffer);
	RecordPageWithFreeSpace(ix->rel, BufferGetBlockNumber(buffer),
							freed ? BLCKSZ - 1 : PageGetFreeSpace(page));
}

/* Walk a chain and unlink its empty chunks.  The record's page is locked. */
static void
prune_chain(SimIndex *ix, Buffer record_buffer, const SimSubjectRef *ref)
{
	Link		link = {record_buffer, ref->offset, true};
	SimSubjectRecord *record = sim_record_at(BufferGetPage(record_buffer),
											 SIM_PAGE_SUBJECT, ref->offset);
	BlockNumber block = record->head_block;
	OffsetNumber offset = record->head_offset;

	while (block != InvalidBlockNumber)
	{
		bool		same = BufferGetBlockNumber(link.buffer) == block;
		Buffer		buffer = same ? link.buffer :
			sim_read(ix, block, BUFFER_LOCK_EXCLUSIVE);
		SimChunk   *chunk = sim_chunk_at(ix, BufferGetPage(buffer), offset,
										 ref->hash);
		SimChunk	copy;
		bool		empty;

		if (chunk == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INDEX_CORRUPTED),
					 errmsg("index \"%s\" has a broken chain of postings at block %u offset %u",
							RelationGetRelationName(ix->rel), block, offset),
					 errhint("Please REINDEX it.")));
		memcpy(&copy, chunk, SIM_CHUNK_HEADER);
		empty = copy.n == 0;
		if (empty)
			unlink_chunk(ix, &link, buffer, offset, ref->hash, &copy);
		if (!empty && !same)
		{
			if (!link.in_record)
				UnlockReleaseBuffer(link.buffer);
			link.buffer = buffer;
		}
		else if (empty && !same)
			UnlockReleaseBuffer(buffer);
		if (!empty)
		{
			link.offset = offset;
			link.in_record = false;
		}
		block = copy.next_block;
		offset = copy.next_offset;
	}
	if (!link.in_record)
		UnlockReleaseBuffer(link.buffer);
}

/* Remove a subject that has no chunk left. */
static void
delete_record(SimIndex *ix, Buffer bucket, Buffer record_buffer,
			  const SimSubjectRef *ref)
{
	SimEntry	entry = {ref->hash, ref->block, ref->offset, 0};
	SimMeta		meta;
	SimWrite	write;
	Page		page;
	SimEntry   *entries;
	int			position;
	int			n;
	bool		freed;
	Buffer		place = sim_bucket_locate(ix, bucket, &entry, &position);

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
 * Unlink the empty chunks of a subject, and the subject itself if nothing is
 * left of it.  Two subjects with one 64-bit hash would share a chain's owner
 * but not a chain; the first is pruned and the other waits.
 */
bool
sim_subject_prune(SimIndex *ix, uint64 hash)
{
	SimSubjectRef ref;
	SimEntry	entry;
	Buffer		bucket = sim_directory_lock(ix, false, hash,
											BUFFER_LOCK_EXCLUSIVE);
	bool		found = sim_bucket_find(ix, bucket, hash, match_hash, &ref,
										&entry);

	if (found)
	{
		Buffer		record_buffer = sim_read(ix, ref.block,
											 BUFFER_LOCK_EXCLUSIVE);
		SimSubjectRecord *record;

		prune_chain(ix, record_buffer, &ref);
		record = sim_record_at(BufferGetPage(record_buffer), SIM_PAGE_SUBJECT,
							   ref.offset);
		if (record->head_block == InvalidBlockNumber)
			delete_record(ix, bucket, record_buffer, &ref);
		UnlockReleaseBuffer(record_buffer);
	}
	UnlockReleaseBuffer(bucket);
	return found;
}
