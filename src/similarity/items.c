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
	Datum key;
	ItemNumber item;
} ItemMatch;

static bool
match_item(SimIndex *ix, const SimEntry *entry, void *arg)
{
	ItemMatch *wanted = (ItemMatch *) arg;
	Buffer buffer = sim_read(ix, entry->block, BUFFER_LOCK_SHARE);
	SimItemRecord *record;
	bool result = false;

	record = sim_record_at(BufferGetPage(buffer), SIM_PAGE_ITEM, entry->offset);
	if (record && record->record.hash == entry->hash &&
		typed_key_equal(&ix->item, wanted->key,
						sim_record_key(SIM_PAGE_ITEM, &ix->item, record)))
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
	ItemMatch wanted = { key, INVALID_ITEM };
	SimEntry entry;
	Buffer bucket = sim_directory_lock(ix, true, hash, BUFFER_LOCK_SHARE);

	(void) sim_bucket_find(ix, bucket, hash, match_item, &wanted, &entry);
	UnlockReleaseBuffer(bucket);
	return wanted.item;
}

/* The pages that a new item changes, in lock order. */
typedef struct ItemPages
{
	Buffer room; /* of the bucket */
	Buffer records;
	Buffer leaf; /* of the locator */
	Buffer meta;
} ItemPages;

static void
refuse_more_items(SimIndex *ix)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("similarity index \"%s\" has no numbers left for items",
					RelationGetRelationName(ix->rel)),
			 errhint("REINDEX it to drop items that no row has any more.")));
}

/* Write record, directory entry, locator and counter in one change. */
static void
write_item(SimIndex *ix, const ItemPages *pages, const SimArray *locator,
		   SimItemRecord *record, Size size)
{
	ItemPointerData place;
	SimWrite write;
	Page bucket;
	Page records;
	SimMeta *meta;

	sim_write_begin(&write, ix);
	bucket = sim_write_page(&write, pages->room);
	records = sim_write_page(&write, pages->records);
	ItemPointerSet(&place, BufferGetBlockNumber(pages->records),
				   sim_record_add(records, record, size));
	sim_bucket_put(bucket, record->record.hash,
				   ItemPointerGetBlockNumber(&place),
				   ItemPointerGetOffsetNumber(&place));
	memcpy(sim_array_slot(sim_write_page(&write, pages->leaf), locator,
						  record->item),
		   &place, sizeof(place));
	meta = sim_write_meta(&write, pages->meta);
	meta->locator = *locator;
	meta->nitems = record->item + 1;
	sim_write_end(&write);
}

/* Make an item; its bucket is locked exclusively and SIM_LOCK_ITEMS is held. */
static ItemNumber
create_item(SimIndex *ix, Buffer bucket, Datum key, uint64 hash, bool *crowded)
{
	Size size = sim_record_size(SIM_PAGE_ITEM, &ix->item, key);
	SimItemRecord *record =
		sim_record_form(SIM_PAGE_ITEM, &ix->item, key, hash, size);
	ItemPages pages;
	SimMeta meta;
	BlockNumber leaf;

	sim_read_meta(ix, &meta);
	if (meta.nitems >= PG_INT32_MAX)
		refuse_more_items(ix);
	record->item = meta.nitems;
	leaf =
		sim_array_grow(ix, &meta.locator,
					   meta.nitems / sim_array_per_leaf(&meta.locator), NULL);
	pages.room = sim_bucket_room(ix, bucket, crowded);
	pages.records = sim_record_buffer(ix, SIM_PAGE_ITEM, size);
	pages.leaf = sim_read(ix, leaf, BUFFER_LOCK_EXCLUSIVE);
	pages.meta = sim_read(ix, SIM_META_BLOCK, BUFFER_LOCK_EXCLUSIVE);
	write_item(ix, &pages, &meta.locator, record, size);
	UnlockReleaseBuffer(pages.meta);
	UnlockReleaseBuffer(pages.leaf);
	UnlockReleaseBuffer(pages.records);
	if (pages.room != bucket)
		UnlockReleaseBuffer(pages.room);
	pfree(record);
	return meta.nitems;
}

/* The item's number, given to it now if it is new. */
ItemNumber
sim_item_intern(SimIndex *ix, Datum key, uint64 hash)
{
	ItemMatch wanted = { key, INVALID_ITEM };
	SimEntry entry;
	Buffer bucket;
	bool crowded = false;
	ItemNumber item = sim_item_lookup(ix, key, hash);

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

/* The place of an item's record; false if the locator does not lead to it. */
bool
sim_item_place(SimIndex *ix, const SimArray *locator, ItemNumber item,
			   ItemPointer place)
{
	return sim_array_get(ix, locator, item, place) &&
		ItemPointerGetBlockNumberNoCheck(place) != InvalidBlockNumber;
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
	Buffer buffer;
	SimItemRecord *record;

	if (!sim_item_place(ix, locator, item, &place))
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
	*hash = record->record.hash;
	if (key)
		*key = typed_key_copy(&ix->item,
							  sim_record_key(SIM_PAGE_ITEM, &ix->item, record));
	UnlockReleaseBuffer(buffer);
	return true;
}
