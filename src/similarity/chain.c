/*
 * chain.c
 *		The chunks of a subject or an item: adding to them.
 *
 * A record leads to its newest chunk of postings, each chunk to the next older
 * one.  How others are kept from unlinking a chunk meanwhile is up to
 * subjects.c and item_postings.c.
 */
#include "postgres.h"

#include "similarity/records.h"
#include "similarity/similarity.h"

/* Register a page from sim_chunk_buffer(), initialising it if it was free. */
Page
sim_chunk_page(SimWrite *write, Buffer buffer)
{
	if (sim_page_is(BufferGetPage(buffer), SIM_PAGE_CHUNK))
		return sim_write_page(write, buffer);
	return sim_write_new_page(write, buffer, SIM_PAGE_CHUNK, 0);
}

/* The newest chunk, locked with its page. */
static SimChunk *
lock_head(SimIndex *ix, const SimRecordRef *ref, int mode, Buffer *buffer)
{
	SimChunk *chunk;

	*buffer = sim_read(ix, ref->head_block, mode);
	chunk = sim_chunk_at(ix, BufferGetPage(*buffer), ref->head_offset,
						 ref->kind, ref->hash);
	if (chunk == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has no chunk of postings at block %u offset %u",
						RelationGetRelationName(ix->rel), ref->head_block,
						ref->head_offset),
				 errhint("Please REINDEX it.")));
	return chunk;
}

/*
 * Append to the newest chunk in place.  On false it is full, and *full is a
 * copy of its header.
 */
bool
sim_chain_append(SimIndex *ix, const SimRecordRef *ref, const void *posting,
				 SimChunk *full)
{
	Buffer buffer;
	SimChunk *chunk;
	SimWrite write;
	bool room;

	/* An item's chain may be empty; a subject's, after a crash of VACUUM. */
	memset(full, 0, sizeof(*full));
	if (ref->head_block == InvalidBlockNumber)
		return false;
	chunk = lock_head(ix, ref, BUFFER_LOCK_EXCLUSIVE, &buffer);
	memcpy(full, chunk, SIM_CHUNK_HEADER);
	room = chunk->n < chunk->capacity;
	if (room)
	{
		sim_write_begin(&write, ix);
		chunk = sim_chunk_at(ix, sim_write_page(&write, buffer),
							 ref->head_offset, ref->kind, ref->hash);
		sim_chunk_set(ix, chunk, chunk->n, posting);
		chunk->n++;
		sim_write_end(&write);
	}
	UnlockReleaseBuffer(buffer);
	return room;
}

/*
 * A chunk made by an insert doubles up to a limit; after a build, which packs
 * a history into one full chunk, growth starts small again.
 */
int
sim_chain_capacity(SimIndex *ix, SimPageKind kind, const SimChunk *full)
{
	int most = kind == SIM_PAGE_ITEM ? SIM_ITEM_MAX_GROWTH : SIM_MAX_GROWTH;

	if (!(full->flags & SIM_CHUNK_GROWN))
		return SIM_FIRST_CAPACITY;
	return Min(Min(full->capacity * 2, most), sim_chunk_max(ix, kind));
}

/* The latest time in an item's chain; nobody else can add to it. */
static TimestampTz
latest_time(SimIndex *ix, const SimRecordRef *ref)
{
	TimestampTz latest = SIM_NO_TIME;
	SimChunk *chunk;
	Buffer buffer;
	int i;

	if (ref->head_block == InvalidBlockNumber)
		return latest;
	chunk = lock_head(ix, ref, BUFFER_LOCK_SHARE, &buffer);
	latest = sim_chunk_older(chunk);
	for (i = 0; i < chunk->n; i++)
	{
		SimItemPosting posting;

		sim_item_posting_read(ix, chunk, i, &posting);
		latest = Max(latest, posting.time);
	}
	UnlockReleaseBuffer(buffer);
	return latest;
}

/* Put a new chunk in front, on a record page that is locked exclusively. */
void
sim_chain_add_chunk(SimIndex *ix, Buffer record_buffer, SimRecordRef *ref,
					SimChunk *header, const void *postings)
{
	bool of_item = ref->kind == SIM_PAGE_ITEM;
	TimestampTz older = of_item ? latest_time(ix, ref) : SIM_NO_TIME;
	Buffer buffer =
		sim_chunk_buffer(ix, sim_chunk_size(ix, ref->kind, header->capacity));
	SimRecord *record;
	SimWrite write;
	Page record_page;

	header->owner = ref->hash;
	header->next_block = ref->head_block;
	header->next_offset = ref->head_offset;
	if (of_item)
		header->flags |= SIM_CHUNK_OF_ITEM;
	sim_write_begin(&write, ix);
	record_page = sim_write_page(&write, record_buffer);
	record = sim_record_at(record_page, ref->kind, ref->offset);
	ref->head_block = BufferGetBlockNumber(buffer);
	ref->head_offset = sim_chunk_add(ix, sim_chunk_page(&write, buffer), header,
									 older, postings);
	record->head_block = ref->head_block;
	record->head_offset = ref->head_offset;
	sim_write_end(&write);
	UnlockReleaseBuffer(buffer);
}

/* Add postings in chunks that fit exactly: what a build does. */
void
sim_chain_add_many(SimIndex *ix, Buffer record_buffer, SimRecordRef *ref,
				   const void *postings, int n)
{
	Size width = ref->kind == SIM_PAGE_ITEM ? sizeof(SimItemPosting) :
											  sizeof(SimPosting);
	int done;

	Assert(ix->building);
	for (done = 0; done < n;)
	{
		SimChunk header = { 0 };

		header.n = header.capacity =
			Min(n - done, sim_chunk_max(ix, ref->kind));
		sim_chain_add_chunk(ix, record_buffer, ref, &header,
							(const char *) postings + done * width);
		done += header.n;
	}
}

/* The record's page, locked, with *ref brought up to date. */
Buffer
sim_record_lock(SimIndex *ix, SimRecordRef *ref, int mode)
{
	Buffer buffer = sim_read(ix, ref->block, mode);
	SimRecord *record =
		sim_record_at(BufferGetPage(buffer), ref->kind, ref->offset);

	if (record == NULL || record->hash != ref->hash)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has no record of %s at block %u offset %u",
						RelationGetRelationName(ix->rel),
						ref->kind == SIM_PAGE_ITEM ? "an item" : "a subject",
						ref->block, ref->offset),
				 errhint("Please REINDEX it.")));
	ref->head_block = record->head_block;
	ref->head_offset = record->head_offset;
	return buffer;
}
