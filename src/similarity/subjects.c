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
	SimRecordRef ref;
} SubjectMatch;

static void
fill_ref(SimRecordRef *ref, const SimEntry *entry, const SimRecord *record)
{
	ref->kind = SIM_PAGE_SUBJECT;
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
	SimRecord *record;
	bool result = false;

	record =
		sim_record_at(BufferGetPage(buffer), SIM_PAGE_SUBJECT, entry->offset);
	if (record && record->hash == entry->hash &&
		typed_key_equal(&ix->subject, wanted->key,
						sim_record_key(SIM_PAGE_SUBJECT, &ix->subject, record)))
	{
		fill_ref(&wanted->ref, entry, record);
		result = true;
	}
	UnlockReleaseBuffer(buffer);
	return result;
}

bool
sim_subject_find(SimIndex *ix, Datum key, uint64 hash, SimRecordRef *ref)
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

/* Add one posting to a subject whose bucket is locked. */
static void
append_to_subject(SimIndex *ix, SimRecordRef *ref, const SimPosting *posting)
{
	SimChunk full;

	while (!sim_chain_append(ix, ref, posting, &full))
	{
		SimRecordRef seen = *ref;
		Buffer record_buffer = sim_record_lock(ix, ref, BUFFER_LOCK_EXCLUSIVE);
		bool ours = ref->head_block == seen.head_block &&
			ref->head_offset == seen.head_offset;

		if (ours)
		{
			SimChunk header = { 0 };

			header.n = 1;
			header.capacity = sim_chain_capacity(ix, ref->kind, &full);
			header.flags = SIM_CHUNK_GROWN;
			sim_chain_add_chunk(ix, record_buffer, ref, &header, posting);
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
			   SimRecordRef *ref)
{
	Size size = sim_record_size(SIM_PAGE_SUBJECT, &ix->subject, key);
	SimRecord *record =
		sim_record_form(SIM_PAGE_SUBJECT, &ix->subject, key, hash, size);
	Buffer room = sim_bucket_room(ix, bucket, crowded);
	Buffer records = sim_record_buffer(ix, SIM_PAGE_SUBJECT, size);
	Buffer chunks = sim_chunk_buffer(ix,
									 sim_chunk_size(ix, SIM_PAGE_SUBJECT,
													header->capacity));
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
	record->head_offset = sim_chunk_add(ix, sim_chunk_page(&write, chunks),
										header, SIM_NO_TIME, postings);
	ref->kind = SIM_PAGE_SUBJECT;
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

/* Add one interaction: what an INSERT does.  *ref is its subject's record. */
void
sim_subject_append(SimIndex *ix, Datum key, uint64 hash,
				   const SimPosting *posting, SimRecordRef *ref)
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
						   ref);
			UnlockReleaseBuffer(bucket);
			if (crowded)
				sim_directory_split(ix, false);
			return;
		}
	}
	*ref = wanted.ref;
	append_to_subject(ix, ref, posting);
	UnlockReleaseBuffer(bucket);
}

/* Add many interactions: what a build does. */
void
sim_subject_append_many(SimIndex *ix, Datum key, uint64 hash,
						const SimPosting *postings, int n, SimRecordRef *ref)
{
	SubjectMatch wanted;
	SimEntry entry;
	SimChunk header = { 0 };
	bool crowded = false;
	Buffer bucket = sim_directory_lock(ix, false, hash, BUFFER_LOCK_EXCLUSIVE);
	Buffer record_buffer;

	wanted.key = key;
	header.n = header.capacity = Min(n, sim_chunk_max(ix, SIM_PAGE_SUBJECT));
	if (sim_bucket_find(ix, bucket, hash, match_subject, &wanted, &entry))
	{
		*ref = wanted.ref;
		header.n = 0;
	}
	else
		create_subject(ix, bucket, key, hash, &header, postings, &crowded, ref);
	record_buffer = sim_record_lock(ix, ref, BUFFER_LOCK_EXCLUSIVE);
	sim_chain_add_many(ix, record_buffer, ref, postings + header.n,
					   n - header.n);
	UnlockReleaseBuffer(record_buffer);
	UnlockReleaseBuffer(bucket);
	if (crowded)
		sim_directory_split(ix, false);
}
