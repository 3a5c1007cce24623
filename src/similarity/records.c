/*
 * records.c
 *		Records of subjects and items: a header and the key.
 *
 * Both kinds begin with a SimRecord.  Records never move: a directory entry is
 * a block and an offset.
 */
#include "postgres.h"

#include "similarity/records.h"

/* The record there, or NULL if there is none (any more). */
void *
sim_record_at(Page page, SimPageKind kind, OffsetNumber offset)
{
	ItemId id;

	if (!sim_page_is(page, kind) || offset < FirstOffsetNumber ||
		offset > PageGetMaxOffsetNumber(page))
		return NULL;
	id = PageGetItemId(page, offset);
	return ItemIdIsUsed(id) ? PageGetItem(page, id) : NULL;
}

Size
sim_record_size(SimPageKind kind, TypedKey *key, Datum value)
{
	Size size = typed_key_size(key, value);

	if (size > TYPED_KEY_MAX_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("key of %zu bytes is too long for a similarity index",
						size),
				 errdetail("The longest key it stores has %d bytes.",
						   TYPED_KEY_MAX_SIZE),
				 errhint(
					 "Consider an expression index on a hash of the value.")));
	return MAXALIGN(SIM_RECORD_KEY(kind) + size);
}

/* A record in memory, without a chain. */
void *
sim_record_form(SimPageKind kind, TypedKey *key, Datum value, uint64 hash,
				Size size)
{
	char *memory = palloc0(size);
	SimRecord *record = (SimRecord *) memory;

	record->hash = hash;
	record->head_block = InvalidBlockNumber;
	typed_key_write(key, value, memory + SIM_RECORD_KEY(kind));
	return record;
}

/* The key of a record, on its page. */
Datum
sim_record_key(SimPageKind kind, TypedKey *key, const void *record)
{
	return typed_key_read(key, (const char *) record + SIM_RECORD_KEY(kind));
}

OffsetNumber
sim_record_add(Page page, void *record, Size size)
{
	OffsetNumber offset = PageAddItem(page, (Item) record, size,
									  InvalidOffsetNumber, false, false);

	if (offset == InvalidOffsetNumber)
		elog(ERROR, "no room for a record of %zu bytes", size);
	return offset;
}

static BlockNumber *
tail_of(SimMeta *meta, SimPageKind kind)
{
	return kind == SIM_PAGE_ITEM ? &meta->item_tail : &meta->subject_tail;
}

/* Make a new page the one that takes records, unless somebody just did. */
static Buffer
new_tail(SimIndex *ix, SimPageKind kind, BlockNumber seen)
{
	Buffer meta_buffer = sim_read(ix, SIM_META_BLOCK, BUFFER_LOCK_EXCLUSIVE);
	SimMeta *meta = SimPageGetMeta(BufferGetPage(meta_buffer));
	Buffer buffer = InvalidBuffer;
	SimWrite write;

	if (*tail_of(meta, kind) == seen)
	{
		buffer = sim_new_buffer(ix);
		sim_write_begin(&write, ix);
		*tail_of(sim_write_meta(&write, meta_buffer), kind) =
			BufferGetBlockNumber(buffer);
		(void) sim_write_new_page(&write, buffer, kind, 0);
		sim_write_end(&write);
	}
	UnlockReleaseBuffer(meta_buffer);
	return buffer;
}

/* A page with room for a record of that size, exclusively locked. */
Buffer
sim_record_buffer(SimIndex *ix, SimPageKind kind, Size size)
{
	for (;;)
	{
		SimMeta meta;
		BlockNumber tail;
		Buffer buffer;

		sim_read_meta(ix, &meta);
		tail = *tail_of(&meta, kind);
		if (tail != InvalidBlockNumber)
		{
			buffer = sim_read(ix, tail, BUFFER_LOCK_EXCLUSIVE);
			if (sim_page_is(BufferGetPage(buffer), kind) &&
				PageGetFreeSpace(BufferGetPage(buffer)) >= size)
				return buffer;
			UnlockReleaseBuffer(buffer);
		}
		buffer = new_tail(ix, kind, tail);
		if (buffer != InvalidBuffer)
			return buffer;
	}
}
