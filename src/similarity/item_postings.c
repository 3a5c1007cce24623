/*
 * item_postings.c
 *		Which subjects have an item: the chains of items, where they are kept.
 *
 * Whether they are is decided when an index is built, and holds for every row
 * that comes afterwards: an index has all of them or none.
 *
 * The page of an item's record is locked in share mode while its newest chunk
 * takes a posting, exclusively while it gets another chunk; VACUUM locks it
 * exclusively to unlink one.  Records of items stay where they are, so that
 * nothing else needs a lock.
 */
#include "postgres.h"

#include "similarity/records.h"
#include "similarity/similarity.h"

bool
sim_keeps_item_postings(SimIndex *ix)
{
	SimMeta meta;

	sim_read_meta(ix, &meta);
	return meta.item_postings;
}

/* The page of an item's record, locked, and what the record says. */
static Buffer
lock_item(SimIndex *ix, ItemPointer place, int mode, SimRecordRef *ref)
{
	Buffer buffer = sim_read(ix, ItemPointerGetBlockNumber(place), mode);
	SimRecord *record;

	memset(ref, 0, sizeof(*ref));
	ref->kind = SIM_PAGE_ITEM;
	ref->block = ItemPointerGetBlockNumber(place);
	ref->offset = ItemPointerGetOffsetNumber(place);
	record = sim_record_at(BufferGetPage(buffer), ref->kind, ref->offset);
	if (record == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has no record of an item at block %u offset %u",
						RelationGetRelationName(ix->rel), ref->block,
						ref->offset),
				 errhint("Please REINDEX it.")));
	ref->hash = record->hash;
	ref->head_block = record->head_block;
	ref->head_offset = record->head_offset;
	return buffer;
}

/* Add a posting to the chain of the item whose record is there. */
void
sim_item_append(SimIndex *ix, ItemPointer place, const SimItemPosting *posting)
{
	SimRecordRef ref;
	SimChunk full;
	Buffer buffer = lock_item(ix, place, BUFFER_LOCK_SHARE, &ref);
	bool done = sim_chain_append(ix, &ref, posting, &full);

	UnlockReleaseBuffer(buffer);
	if (done)
		return;
	buffer = lock_item(ix, place, BUFFER_LOCK_EXCLUSIVE, &ref);
	if (!sim_chain_append(ix, &ref, posting, &full))
	{
		SimChunk header = { 0 };

		header.n = 1;
		header.capacity = sim_chain_capacity(ix, ref.kind, &full);
		header.flags = SIM_CHUNK_GROWN;
		sim_chain_add_chunk(ix, buffer, &ref, &header, posting);
	}
	UnlockReleaseBuffer(buffer);
}

/* Add many, oldest first, in chunks that fit exactly: what a build does. */
void
sim_item_append_many(SimIndex *ix, ItemPointer place,
					 const SimItemPosting *postings, int n)
{
	SimRecordRef ref;
	Buffer buffer = lock_item(ix, place, BUFFER_LOCK_EXCLUSIVE, &ref);

	sim_chain_add_many(ix, buffer, &ref, postings, n);
	UnlockReleaseBuffer(buffer);
}
