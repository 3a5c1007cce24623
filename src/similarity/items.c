/*
 * items.c
 *		Items and their numbers.
 *
 * An item gets the next number when it is first seen and keeps it as long as
 * the index exists, so postings and neighbour lists hold four bytes instead
 * of a key.  Its record never moves; the locator array leads to it.
 */
#include "postgres.h"

#include "compat.h"
#include "similarity/records.h"
#include "similarity/similarity.h"

typedef struct ItemMatch
{
	Datum		key;
	ItemNumber	item;
} ItemMatch;

static bool
match_item(SimIndex *ix, const SimEntry *entry, void *arg)
{
	ItemMatch  *wanted = (ItemMatch *) arg;
	Buffer		buffer = sim_read(ix, entry->block, BUFFER_LOCK_SHARE);
	SimItemRecord *record;
	bool		result = false;

	record = sim_record_at(BufferGetPage(buffer), SIM_PAGE_ITEM, entry->offset);
	if (record && record->hash == entry->hash &&
		typed_key_equal(&ix->item, wanted->key,
						typed_key_read(&ix->item, (char *) record + SIM_RECORD_KEY)))
	{
		wanted->item = record->item;
		result = true;
	}
	UnlockReleaseBuffer(buffer);
	return result;
}

ItemNumber
sim_item_lookup(SimIndex *ix, Datum key, uint64 hash)
{
	ItemMatch	wanted = {key, INVALID_ITEM};
	SimEntry	entry;
	Buffer		bucket = sim_directory_lock(ix, true, hash, BUFFER_LOCK_SHARE);

	(void) sim_bucket_find(ix, bucket, hash, match_item, &wanted, &entry);
	UnlockReleaseBuffer(bucket);
	return wanted.item;
}

/*
 * Write record, directory entry, locator and counter in one change.  The
 * bucket is locked exclusively and SIM_LOCK_ITEMS is held.
 */
static ItemNumber
create_item(SimIndex *ix, Buffer bucket, Datum key, uint64 hash, bool *crowded)
{
	SimMeta		meta;
	SimArray	locator;
	SimItemRecord *record;
	Size		size = sim_record_size(&ix->item, key);
	BlockNumber leaf_block;
	Buffer		room;
	Buffer		records;
	Buffer		leaf;
	Buffer		meta_buffer;
	SimWrite	write;
	ItemPointerData place;
	SimMeta    *new_meta;

	sim_read_meta(ix, &meta);
	if (meta.nitems >= PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("similarity index \"%s\" has no numbers left for items",
						RelationGetRelationName(ix->rel)),
				 errhint("REINDEX it to drop items that no row has any more.")));
	record = sim_record_form(&ix->item, key, hash, size);
	record->item = meta.nitems;
	locator = meta.locator;
	leaf_block = sim_array_grow(ix, &locator,
								meta.nitems / sim_array_per_leaf(&locator), NULL);
	room = sim_bucket_room(ix, bucket, crowded);
	records = sim_record_buffer(ix, SIM_PAGE_ITEM, size);
	leaf = sim_read(ix, leaf_block, BUFFER_LOCK_EXCLUSIVE);
	meta_buffer = sim_read(ix, SIM_META_BLOCK, BUFFER_LOCK_EXCLUSIVE);

	sim_write_begin(&write, ix);
	{
		Page		bucket_page = sim_write_page(&write, room);
		Page		record_page = sim_write_page(&write, records);
		Page		leaf_page = sim_write_page(&write, leaf);

		ItemPointerSet(&place, BufferGetBlockNumber(records),
					   sim_record_add(record_page, record, size));
		sim_bucket_put(bucket_page, hash, ItemPointerGetBlockNumber(&place),
					   ItemPointerGetOffsetNumber(&place));
		memcpy(sim_array_slot(leaf_page, &locator, meta.nitems), &place,
			   sizeof(place));
		new_meta = sim_write_meta(&write, meta_buffer);
		new_meta->locator = locator;
		new_meta->nitems = meta.nitems + 1;
	}
	sim_write_end(&write);
	UnlockReleaseBuffer(meta_buffer);
	UnlockReleaseBuffer(leaf);
	UnlockReleaseBuffer(records);
	if (room != bucket)
		UnlockReleaseBuffer(room);
	pfree(record);
	return meta.nitems;
}

/* The item's number, given to it now if it is new. */
ItemNumber
sim_item_intern(SimIndex *ix, Datum key, uint64 hash)
{
	ItemMatch	wanted = {key, INVALID_ITEM};
	SimEntry	entry;
	Buffer		bucket;
	bool		crowded = false;
	ItemNumber	item = sim_item_lookup(ix, key, hash);

	if (item != INVALID_ITEM)
		return item;
	if (!ix->building)
		LockPage(ix->rel, SIM_LOCK_ITEMS, ExclusiveLock);
	bucket = sim_directory_lock(ix, true, hash, BUFFER_LOCK_EXCLUSIVE);
	if (sim_bucket_find(ix, bucket, hash, match_item, &wanted, &entry))
		item = wanted.item;
	else
		item = create_item(ix, bucket, key, hash, &crowded);
	UnlockReleaseBuffer(bucket);
	if (crowded)
		sim_directory_split(ix, true);
	if (!ix->building)
		UnlockPage(ix->rel, SIM_LOCK_ITEMS, ExclusiveLock);
	return item;
}

/*
 * The key of an item, palloc'd, and its hash.  False if the locator, which
 * may be older than the item, does not lead to it.
 */
bool
sim_item_read(SimIndex *ix, const SimArray *locator, ItemNumber item,
			  Datum *key, uint64 *hash)
{
	ItemPointerData place;
	Buffer		buffer;
	SimItemRecord *record;

	if (!sim_array_get(ix, locator, item, &place) ||
		ItemPointerGetBlockNumberNoCheck(&place) == InvalidBlockNumber)
		return false;
	buffer = sim_read(ix, ItemPointerGetBlockNumber(&place), BUFFER_LOCK_SHARE);
	record = sim_record_at(BufferGetPage(buffer), SIM_PAGE_ITEM,
						   ItemPointerGetOffsetNumber(&place));
	if (record == NULL || record->item != item)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has no record of item %u at block %u offset %u",
						RelationGetRelationName(ix->rel), item,
						ItemPointerGetBlockNumber(&place),
						ItemPointerGetOffsetNumber(&place)),
				 errhint("Please REINDEX it.")));
	*hash = record->hash;
	if (key)
		*key = typed_key_copy(&ix->item,
							  typed_key_read(&ix->item,
											 (char *) record + SIM_RECORD_KEY));
	UnlockReleaseBuffer(buffer);
	return true;
}
