/*
 * subjects.c
 *		Subjects and their interactions.
 *
 * A subject's record leads to its newest chunk of postings, each chunk to the
 * next older one.  Whoever adds to a subject holds its bucket's lock in share
 * mode meanwhile, so that VACUUM, which takes it exclusively, can unlink
 * chunks and records.
 */
#include "postgres.h"

#include "storage/freespace.h"

#include "similarity/records.h"
#include "similarity/similarity.h"

typedef struct SubjectMatch
{
	Datum key;
	SimSubjectRef ref;
} SubjectMatch;

static void
fill_ref(SimSubjectRef *ref, const SimEntry *entry,
		 const SimSubjectRecord *record)
{
	ref->block = entry->block;
	ref->offset = entry->offset;
	ref->hash = record->hash;
	ref->head_block = record->head_block;
	ref->head_offset = record->head_offset;
}

static bool
match_subject(SimIndex *ix, const SimEntry *entry, void *arg)
{
	SubjectMatch *wanted = (SubjectMatch *) arg;
	Buffer buffer = sim_read(ix, entry->block, BUFFER_LOCK_SHARE);
	SimSubjectRecord *record;
	bool result = false;

	record =
		sim_record_at(BufferGetPage(buffer), SIM_PAGE_SUBJECT, entry->offset);
	if (record && record->hash == entry->hash &&
		typed_key_equal(&ix->subject, wanted->key,
						typed_key_read(&ix->subject,
									   (char *) record + SIM_RECORD_KEY)))
	{
		fill_ref(&wanted->ref, entry, record);
		result = true;
	}
	UnlockReleaseBuffer(buffer);
	return result;
}

bool
sim_subject_find(SimIndex *ix, Datum key, uint64 hash, SimSubjectRef *ref)
{
	SubjectMatch wanted;
	SimEntry entry;
	Buffer bucket = sim_directory_lock(ix, false, hash, BUFFER_LOCK_SHARE);
	bool found;

	wanted.key = key;
	found = sim_bucket_find(ix, bucket, hash, match_subject, &wanted, &entry);
	UnlockReleaseBuffer(bucket);
	if (found)
		*ref = wanted.ref;
	return found;
}

/* ---- adding ---- */

/* Register a page from sim_chunk_buffer(), initialising it if it was free. */
static Page
write_chunk_page(SimWrite *write, Buffer buffer)
{
	if (sim_page_is(BufferGetPage(buffer), SIM_PAGE_CHUNK))
		return sim_write_page(write, buffer);
	return sim_write_new_page(write, buffer, SIM_PAGE_CHUNK, 0);
}

/*
 * Append to a chunk in place.  On false the chunk is full, and *full is a
 * copy of its header.
 */
static bool
append_in_place(SimIndex *ix, const SimSubjectRef *ref,
				const SimPosting *posting, SimChunk *full)
{
	Buffer buffer;
	SimChunk *chunk;
	SimWrite write;
	bool room;

	/* A crash may have stopped VACUUM between a chain and its record. */
	memset(full, 0, sizeof(*full));
	if (ref->head_block == InvalidBlockNumber)
		return false;
	buffer = sim_read(ix, ref->head_block, BUFFER_LOCK_EXCLUSIVE);
	chunk =
		sim_chunk_at(ix, BufferGetPage(buffer), ref->head_offset, ref->hash);
	if (chunk == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has no chunk of postings at block %u offset %u",
						RelationGetRelationName(ix->rel), ref->head_block,
						ref->head_offset),
				 errhint("Please REINDEX it.")));
	memcpy(full, chunk, SIM_CHUNK_HEADER);
	room = chunk->n < chunk->capacity;
	if (room)
	{
		sim_write_begin(&write, ix);
		chunk = sim_chunk_at(ix, sim_write_page(&write, buffer),
							 ref->head_offset, ref->hash);
		sim_posting_write(ix, chunk, chunk->n, posting);
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
static int
next_capacity(SimIndex *ix, const SimChunk *full)
{
	if (!(full->flags & SIM_CHUNK_GROWN))
		return SIM_FIRST_CAPACITY;
	return Min(Min(full->capacity * 2, SIM_MAX_GROWTH), sim_chunk_max(ix));
}

/* Put a new chunk in front, on a record page that is locked exclusively. */
static void
add_chunk(SimIndex *ix, Buffer record_buffer, SimSubjectRef *ref,
		  SimChunk *header, const SimPosting *postings)
{
	Buffer buffer = sim_chunk_buffer(ix, sim_chunk_size(ix, header->capacity));
	SimSubjectRecord *record;
	SimWrite write;
	Page record_page;

	header->owner = ref->hash;
	header->next_block = ref->head_block;
	header->next_offset = ref->head_offset;
	sim_write_begin(&write, ix);
	record_page = sim_write_page(&write, record_buffer);
	record = sim_record_at(record_page, SIM_PAGE_SUBJECT, ref->offset);
	ref->head_block = BufferGetBlockNumber(buffer);
	ref->head_offset =
		sim_chunk_add(ix, write_chunk_page(&write, buffer), header, postings);
	record->head_block = ref->head_block;
	record->head_offset = ref->head_offset;
	sim_write_end(&write);
	UnlockReleaseBuffer(buffer);
}

/* The record's page, exclusively locked, with *ref brought up to date. */
static Buffer
lock_record(SimIndex *ix, SimSubjectRef *ref)
{
	Buffer buffer = sim_read(ix, ref->block, BUFFER_LOCK_EXCLUSIVE);
	SimSubjectRecord *record;

	record =
		sim_record_at(BufferGetPage(buffer), SIM_PAGE_SUBJECT, ref->offset);
	if (record == NULL || record->hash != ref->hash)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has no record of a subject at block %u offset %u",
						RelationGetRelationName(ix->rel), ref->block,
						ref->offset),
				 errhint("Please REINDEX it.")));
	ref->head_block = record->head_block;
	ref->head_offset = record->head_offset;
	return buffer;
}

/* Add one posting to a subject whose bucket is locked. */
static void
append_to_subject(SimIndex *ix, SimSubjectRef *ref, const SimPosting *posting)
{
	SimChunk full;

	while (!append_in_place(ix, ref, posting, &full))
	{
		SimSubjectRef seen = *ref;
		Buffer record_buffer = lock_record(ix, ref);
		bool ours = ref->head_block == seen.head_block &&
			ref->head_offset == seen.head_offset;

		if (ours)
		{
			SimChunk header = { 0 };

			header.n = 1;
			header.capacity = next_capacity(ix, &full);
			header.flags = SIM_CHUNK_GROWN;
			add_chunk(ix, record_buffer, ref, &header, posting);
		}
		UnlockReleaseBuffer(record_buffer);
		if (ours)
			break;
	}
}

/* A new subject with its first chunk; the bucket is locked exclusively. */
static void
create_subject(SimIndex *ix, Buffer bucket, Datum key, uint64 hash,
			   SimChunk *header, const SimPosting *postings, bool *crowded,
			   SimSubjectRef *ref)
{
	Size size = sim_record_size(&ix->subject, key);
	SimSubjectRecord *record = sim_record_form(&ix->subject, key, hash, size);
	Buffer room = sim_bucket_room(ix, bucket, crowded);
	Buffer records = sim_record_buffer(ix, SIM_PAGE_SUBJECT, size);
	Buffer chunks = sim_chunk_buffer(ix, sim_chunk_size(ix, header->capacity));
	SimWrite write;
	Page bucket_page;
	Page record_page;

	header->owner = hash;
	header->next_block = InvalidBlockNumber;
	header->next_offset = InvalidOffsetNumber;
	sim_write_begin(&write, ix);
	bucket_page = sim_write_page(&write, room);
	record_page = sim_write_page(&write, records);
	record->head_block = BufferGetBlockNumber(chunks);
	record->head_offset =
		sim_chunk_add(ix, write_chunk_page(&write, chunks), header, postings);
	ref->hash = hash;
	ref->block = BufferGetBlockNumber(records);
	ref->offset = sim_record_add(record_page, record, size);
	ref->head_block = record->head_block;
	ref->head_offset = record->head_offset;
	sim_bucket_put(bucket_page, hash, ref->block, ref->offset);
	sim_write_end(&write);
	UnlockReleaseBuffer(chunks);
	UnlockReleaseBuffer(records);
	if (room != bucket)
		UnlockReleaseBuffer(room);
	pfree(record);
}

/* Add one interaction: what an INSERT does. */
void
sim_subject_append(SimIndex *ix, Datum key, uint64 hash,
				   const SimPosting *posting)
{
	SubjectMatch wanted;
	SimEntry entry;
	SimChunk header = { 0 };
	bool crowded = false;
	Buffer bucket = sim_directory_lock(ix, false, hash, BUFFER_LOCK_SHARE);

	wanted.key = key;
	if (!sim_bucket_find(ix, bucket, hash, match_subject, &wanted, &entry))
	{
		UnlockReleaseBuffer(bucket);
		bucket = sim_directory_lock(ix, false, hash, BUFFER_LOCK_EXCLUSIVE);
		if (!sim_bucket_find(ix, bucket, hash, match_subject, &wanted, &entry))
		{
			header.n = 1;
			header.capacity = SIM_FIRST_CAPACITY;
			header.flags = SIM_CHUNK_GROWN;
			create_subject(ix, bucket, key, hash, &header, posting, &crowded,
						   &wanted.ref);
			UnlockReleaseBuffer(bucket);
			if (crowded)
				sim_directory_split(ix, false);
			return;
		}
	}
	append_to_subject(ix, &wanted.ref, posting);
	UnlockReleaseBuffer(bucket);
}

/* Add many interactions in chunks that fit exactly: what a build does. */
void
sim_subject_append_many(SimIndex *ix, Datum key, uint64 hash,
						const SimPosting *postings, int n)
{
	SubjectMatch wanted;
	SimEntry entry;
	SimChunk header = { 0 };
	bool crowded = false;
	Buffer bucket = sim_directory_lock(ix, false, hash, BUFFER_LOCK_EXCLUSIVE);
	Buffer record_buffer;

	Assert(ix->building);
	wanted.key = key;
	header.n = header.capacity = Min(n, sim_chunk_max(ix));
	if (!sim_bucket_find(ix, bucket, hash, match_subject, &wanted, &entry))
	{
		create_subject(ix, bucket, key, hash, &header, postings, &crowded,
					   &wanted.ref);
		postings += header.n;
		n -= header.n;
	}
	record_buffer = lock_record(ix, &wanted.ref);
	while (n > 0)
	{
		header.n = header.capacity = Min(n, sim_chunk_max(ix));
		add_chunk(ix, record_buffer, &wanted.ref, &header, postings);
		postings += header.n;
		n -= header.n;
	}
	UnlockReleaseBuffer(record_buffer);
	UnlockReleaseBuffer(bucket);
	if (crowded)
		sim_directory_split(ix, false);
}
