/*
 * similarity.h
 *		The similarity index: what its files share.
 *
 * src/README explains the pages, the lock order and why crashes and
 * concurrent sessions leave the index consistent.  This header defines the
 * on-disk structures.
 */
#ifndef PERSONALIZE_SIMILARITY_H
#define PERSONALIZE_SIMILARITY_H

#include "access/amapi.h"
#include "access/generic_xlog.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

#include "common/typed_key.h"
#include "similarity/params.h"
#include "similarity/reader.h"

#define SIM_MAGIC 0x50534958
#define SIM_VERSION 2
#define SIM_PAGE_ID 0xFF9A /* last two bytes, as pg_filedump expects */
#define SIM_META_BLOCK 0

/* Tags of heavyweight page locks; they guard growth, not these blocks. */
#define SIM_LOCK_SUBJECTS 1
#define SIM_LOCK_ITEMS 2

#define SIM_LOG_STRIPES 4
#define SIM_LOG_PAGES_PER_LEVEL 4
#define SIM_MAX_LEVEL 30

typedef enum SimPageKind
{
	SIM_PAGE_FREE = 1,
	SIM_PAGE_META,
	SIM_PAGE_INNER,	  /* array: block numbers of pages below */
	SIM_PAGE_LEAF,	  /* array: elements */
	SIM_PAGE_BUCKET,  /* directory: entries of one hash bucket */
	SIM_PAGE_SUBJECT, /* records of subjects */
	SIM_PAGE_ITEM,	  /* records of items */
	SIM_PAGE_CHUNK,	  /* postings */
	SIM_PAGE_LIST,	  /* neighbour lists */
	SIM_PAGE_POPULAR, /* counts by item and time, of the model */
	SIM_PAGE_LOG,	  /* interactions since the last training */
	SIM_PAGE_CHOICE	  /* candidates of the choice of parameters */
} SimPageKind;

typedef struct SimPageOpaque
{
	uint32 generation; /* of the model, or epoch of the log; or 0 */
	BlockNumber next;  /* overflow, next log page, next model page */
	uint32 bucket;	   /* bucket number; level of a log page */
	uint32 mask;	   /* hash & mask == bucket for all its entries */
	uint32 unused;
	uint16 kind;
	uint16 page_id;
} SimPageOpaque;

StaticAssertDecl(sizeof(SimPageOpaque) == MAXALIGN(sizeof(SimPageOpaque)),
				 "page_id must be the last thing on a page");

#define SimPageGetOpaque(page) ((SimPageOpaque *) PageGetSpecialPointer(page))
#define SIM_PAGE_SPACE \
	(BLCKSZ - MAXALIGN(SizeOfPageHeaderData) - MAXALIGN(sizeof(SimPageOpaque)))

/* Room for one item pointer and its item on an empty page. */
#define SIM_ITEM_SPACE (SIM_PAGE_SPACE - sizeof(ItemIdData) - MAXIMUM_ALIGNOF)

/* ---- growable arrays: a radix tree of pages ---- */

typedef struct SimArray
{
	BlockNumber root;
	uint16 depth; /* 0: the root is the only leaf */
	uint16 element_size;
	uint32 generation; /* its pages carry it; 0 outside models */
} SimArray;

#define SIM_FANOUT ((uint32) (SIM_PAGE_SPACE / sizeof(BlockNumber)))

/* ---- directories: linear hashing ---- */

typedef struct SimDirectory
{
	uint32 nbuckets;
	SimArray buckets; /* bucket number -> block of its first page */
} SimDirectory;

typedef struct SimEntry
{
	uint64 hash;
	BlockNumber block; /* of the record */
	OffsetNumber offset;
	uint16 unused;
} SimEntry;

#define SIM_BUCKET_CAPACITY ((int) (SIM_PAGE_SPACE / sizeof(SimEntry)))
#define SIM_BUCKET_FULL (SIM_BUCKET_CAPACITY * 3 / 4)

/* ---- records: an item on a page, with the stored key behind it ---- */

/* How each begins: whose it is, and where its chain of chunks starts. */
typedef struct SimRecord
{
	uint64 hash;
	BlockNumber head_block; /* the newest chunk, or invalid */
	OffsetNumber head_offset;
	uint16 unused;
} SimRecord;

typedef struct SimItemRecord
{
	SimRecord record; /* its chain: the item's postings, if they are kept */
	ItemNumber item;
	uint32 unused;
} SimItemRecord;

/* Where the key stands, by the kind of the record's page. */
#define SIM_RECORD_KEY(kind)                                     \
	((kind) == SIM_PAGE_ITEM ? MAXALIGN(sizeof(SimItemRecord)) : \
							   MAXALIGN(sizeof(SimRecord)))

/* ---- postings ---- */

typedef struct SimChunk
{
	uint64 owner;			/* the hash of the subject or item */
	BlockNumber next_block; /* the next older chunk, or invalid */
	OffsetNumber next_offset;
	uint16 n;
	uint16 capacity;
	uint16 flags;
} SimChunk;

#define SIM_CHUNK_GROWN 1	/* made by an insert, not by a build */
#define SIM_CHUNK_OF_ITEM 2 /* of an item's chain; otherwise of a subject's */
#define SIM_CHUNK_HEADER 20
#define SIM_FIRST_CAPACITY 4
#define SIM_MAX_GROWTH 64
#define SIM_ITEM_MAX_GROWTH 128

/*
 * In an item's chunk a time follows the header: none in the chunks behind it
 * is later.  Whoever looks for what is recent stops by it.
 */
#define SIM_ITEM_CHUNK_HEADER (SIM_CHUNK_HEADER + sizeof(int64))

/* In memory; on disk tid, item[, time][, strength] are packed. */
typedef struct SimPosting
{
	TimestampTz time;
	ItemNumber item;
	float strength;
	ItemPointerData tid;
} SimPosting;

/* In memory; on disk tid, subject, hash[, time] are packed. */
typedef struct SimItemPosting
{
	TimestampTz time;
	uint64 hash;			 /* the subject's */
	ItemPointerData subject; /* the place of its record */
	ItemPointerData tid;
	ItemNumber item; /* not stored: a chunk is one item's */
} SimItemPosting;

/* ---- the model ---- */

/*
 * A neighbour list on a page: items, then weights, then supports.  Lists have
 * no line pointers; the offset in a list's TID counts SIM_LIST_ALIGN bytes
 * from the start of the page, so that who has the TID knows the address and
 * can prefetch it.
 */
typedef struct SimListHeader
{
	uint64 source_hash;
	uint32 generation;
	ItemNumber source;
	uint32 n;
	ItemNumber last_item; /* the highest number in the list */
} SimListHeader;

#define SIM_LIST_ALIGN 8
#define SIM_LIST_SIZE(n) (sizeof(SimListHeader) + (n) *3 * sizeof(uint32))
#define SIM_LIST_READ_SIZE(n) (sizeof(SimListHeader) + (n) *2 * sizeof(uint32))
#define SIM_MAX_NEIGHBORS 500

typedef struct SimPopularOnPage
{
	int64 time;
	uint32 item;
	float weight;
} SimPopularOnPage;

typedef struct SimLogEntry
{
	int64 time;
	uint32 item;
	ItemPointerData tid;
	uint16 dead;
} SimLogEntry;

typedef struct SimLogStripe
{
	BlockNumber head;
	BlockNumber tail;
	uint32 pages; /* since the last training; gives the level */
} SimLogStripe;

typedef struct SimMeta
{
	uint32 magic;
	uint32 version;
	SimDirectory subjects;
	SimDirectory items;
	SimArray locator; /* item number -> its record */
	uint32 nitems;
	BlockNumber subject_tail; /* page that takes new subject records */
	BlockNumber item_tail;
	SimLogStripe log[SIM_LOG_STRIPES];
	uint32 log_epoch;
	bool item_postings; /* kept for every row, since the index was built */

	/* the model, replaced as a whole by one write of this page */
	uint32 generation;		 /* 0: untrained */
	uint32 last_generation;	 /* highest ever begun */
	uint32 model_items;		 /* slots cover items below */
	SimArray slots;			 /* item number -> its list */
	SimArray degrees;		 /* item number -> subjects that have it */
	BlockNumber model_pages; /* all pages of the model, chained */
	BlockNumber popular;	 /* the first of the popular ones, chained */
	uint32 log_since;		 /* epoch; log pages before it are orphans */
	TimestampTz trained_at;
	double sampled;			/* share of subjects that trained it */
	uint64 training_memory; /* bytes a training of everything takes */
	SimParams params;		/* that the model was made by */
	SimChoice choice;		/* of them */
	bool directed;			/* its pairs have an order */
	double forward_decay;	/* of which this is the weight of a step */

	/* what the model was trained on, and the changes VACUUM saw since */
	uint64 trained_interactions;
	uint64 trained_subjects; /* of which degrees counts */
	uint64 removed;
} SimMeta;

#define SimPageGetMeta(page) ((SimMeta *) PageGetContents(page))

/* ---- index.c: an index opened for work ---- */

typedef struct SimIndex
{
	Relation rel;
	bool building; /* no WAL, nobody else */
	bool has_time;
	bool has_strength;
	int time_column; /* 0-based, or -1 */
	int strength_column;
	Oid time_type;
	Oid strength_type;
	Size posting_size;		/* packed */
	Size item_posting_size; /* packed */
	TypedKey subject;
	TypedKey item;
} SimIndex;

extern void sim_index_open(SimIndex *ix, Relation rel);
extern TimestampTz sim_value_time(SimIndex *ix, Datum *values, bool *isnull);
extern float sim_value_strength(SimIndex *ix, Datum *values, bool *isnull);

#if defined(__GNUC__)
#define sim_prefetch(address) __builtin_prefetch(address, 0, 2)
#else
#define sim_prefetch(address) ((void) (address))
#endif

/* ---- page.c: pages, free space, logged changes ---- */

/*
 * A change of up to MAX_GENERIC_XLOG_PAGES pages, applied and logged as one.
 * Register buffers in lock order: replay locks them in that order too.
 */
typedef struct SimWrite
{
	GenericXLogState *xlog; /* NULL while building */
} SimWrite;

extern void sim_write_begin(SimWrite *write, SimIndex *ix);
extern Page sim_write_page(SimWrite *write, Buffer buffer);
extern Page sim_write_new_page(SimWrite *write, Buffer buffer, SimPageKind kind,
							   uint32 generation);
extern void sim_write_end(SimWrite *write);

extern void sim_init_page(Page page, SimPageKind kind, uint32 generation);
extern bool sim_page_is(Page page, SimPageKind kind);
extern char *sim_page_array(Page page);
extern int sim_page_count(Page page, Size element_size);
extern void sim_page_set_count(Page page, int count, Size element_size);
extern Buffer sim_read(SimIndex *ix, BlockNumber block, int mode);
extern Buffer sim_read_hot(SimIndex *ix, BlockNumber block, int mode);
extern Buffer sim_read_unchecked(SimIndex *ix, BlockNumber block, int mode);
extern Buffer sim_recent_buffer(SimIndex *ix, BlockNumber block);
extern Buffer sim_new_buffer(SimIndex *ix);
extern Buffer sim_chunk_buffer(SimIndex *ix, Size size);
extern void sim_free_page(SimIndex *ix, BlockNumber block);
extern void sim_read_meta(SimIndex *ix, SimMeta *meta);
extern SimMeta *sim_write_meta(SimWrite *write, Buffer buffer);
extern void sim_init_index(Relation rel, ForkNumber fork);

/* ---- array.c ---- */

extern void sim_array_init(SimArray *array, BlockNumber root, Size element_size,
						   uint32 generation);
extern uint32 sim_array_per_leaf(const SimArray *array);
extern BlockNumber
sim_array_leaf(SimIndex *ix, const SimArray *array, uint32 leaf);
extern bool
sim_array_get(SimIndex *ix, const SimArray *array, uint32 index, void *element);
extern bool sim_array_is_leaf(Page page, const SimArray *array);
extern void *sim_array_slot(Page leaf, const SimArray *array, uint32 index);

extern BlockNumber
sim_array_grow(SimIndex *ix, SimArray *array, uint32 leaf, BlockNumber *chain);

/* ---- directory.c ---- */

typedef bool (*SimEntryMatch)(SimIndex *ix, const SimEntry *entry, void *arg);

extern Buffer
sim_directory_lock(SimIndex *ix, bool items, uint64 hash, int mode);
extern bool sim_bucket_find(SimIndex *ix, Buffer bucket, uint64 hash,
							SimEntryMatch match, void *arg, SimEntry *found);
extern Buffer sim_bucket_room(SimIndex *ix, Buffer bucket, bool *crowded);
extern void
sim_bucket_put(Page page, uint64 hash, BlockNumber block, OffsetNumber offset);
extern Buffer sim_bucket_locate(SimIndex *ix, Buffer bucket,
								const SimEntry *entry, int *position);
extern void sim_directory_split(SimIndex *ix, bool items);

/* ---- items.c ---- */

extern ItemNumber sim_item_lookup(SimIndex *ix, Datum key, uint64 hash);
extern ItemNumber sim_item_intern(SimIndex *ix, Datum key, uint64 hash);
extern bool sim_item_place(SimIndex *ix, const SimArray *locator,
						   ItemNumber item, ItemPointer place);
extern bool sim_item_read(SimIndex *ix, const SimArray *locator,
						  ItemNumber item, Datum *key, uint64 *hash);

/* ---- chain.c: the chunks of a subject or an item ---- */

/* A record: its kind is that of its page, SIM_PAGE_SUBJECT or _ITEM. */
typedef struct SimRecordRef
{
	SimPageKind kind;
	BlockNumber block;
	OffsetNumber offset;
	uint64 hash;
	BlockNumber head_block;
	OffsetNumber head_offset;
} SimRecordRef;

/* postings are SimPosting in a subject's chain, SimItemPosting in an item's. */
extern bool sim_chain_append(SimIndex *ix, const SimRecordRef *ref,
							 const void *posting, SimChunk *full);
extern void
sim_chain_add_chunk(SimIndex *ix, Buffer record_buffer, SimRecordRef *ref,
					SimChunk *header, const void *postings);
extern void sim_chain_add_many(SimIndex *ix, Buffer record_buffer,
							   SimRecordRef *ref, const void *postings, int n);
extern int
sim_chain_capacity(SimIndex *ix, SimPageKind kind, const SimChunk *full);
extern Buffer sim_record_lock(SimIndex *ix, SimRecordRef *ref, int mode);
extern Page sim_chunk_page(SimWrite *write, Buffer buffer);
extern void sim_chain_prune(SimIndex *ix, SimPageKind kind, uint64 hash);

/* ---- subjects.c: records, and their chunks ---- */

extern bool
sim_subject_find(SimIndex *ix, Datum key, uint64 hash, SimRecordRef *ref);
extern void sim_subject_append(SimIndex *ix, Datum key, uint64 hash,
							   const SimPosting *posting, SimRecordRef *ref);
extern void
sim_subject_append_many(SimIndex *ix, Datum key, uint64 hash,
						const SimPosting *postings, int n, SimRecordRef *ref);

/* ---- item_postings.c: which subjects have an item ---- */

extern bool sim_keeps_item_postings(SimIndex *ix);
extern void
sim_item_append(SimIndex *ix, ItemPointer place, const SimItemPosting *posting);
extern void sim_item_append_many(SimIndex *ix, ItemPointer place,
								 const SimItemPosting *postings, int n);

/* ---- chunk.c: packed postings on a page ---- */

extern SimChunk *sim_chunk_at(SimIndex *ix, Page page, OffsetNumber offset,
							  SimPageKind kind, uint64 owner);
extern Size sim_chunk_size(SimIndex *ix, SimPageKind kind, int capacity);
extern int sim_chunk_max(SimIndex *ix, SimPageKind kind);
extern OffsetNumber sim_chunk_add(SimIndex *ix, Page page, SimChunk *header,
								  TimestampTz older, const void *postings);
extern void
sim_chunk_set(SimIndex *ix, SimChunk *chunk, int i, const void *posting);
extern void sim_posting_read(SimIndex *ix, const SimChunk *chunk, int i,
							 SimPosting *posting);
extern void sim_item_posting_read(SimIndex *ix, const SimChunk *chunk, int i,
								  SimItemPosting *posting);
extern TimestampTz sim_chunk_older(const SimChunk *chunk);
extern ItemPointerData
sim_chunk_tid(SimIndex *ix, const SimChunk *chunk, int i);
extern void sim_chunk_move(SimIndex *ix, SimChunk *chunk, int to, int from);

static inline bool
sim_chunk_of_item(const SimChunk *chunk)
{
	return (chunk->flags & SIM_CHUNK_OF_ITEM) != 0;
}

/* ---- log.c: interactions since the last training ---- */

extern void
sim_log_append(SimIndex *ix, uint64 subject_hash, const SimPosting *posting);
extern uint32 sim_log_seal(SimIndex *ix);
extern BlockNumber
sim_log_first_since(SimIndex *ix, BlockNumber block, uint32 epoch);

/* ---- train.c ---- */

extern void sim_train(SimIndex *ix, bool vacuum);
extern Size sim_memory_budget(void);

/* ---- forward.c ---- */

extern bool sim_check_direction(SimIndex *ix, int level);

/* ---- vacuum.c ---- */

extern uint64 sim_changed(const SimMeta *meta, uint64 interactions);

/* ---- admin.c ---- */

extern void sim_check_owner(Oid table);

/* ---- count.c ---- */

typedef struct SimCounts
{
	uint64 subjects;
	uint64 interactions;
	uint64 item_bytes; /* of items' chunks, part of the pages of chunks */
	BlockNumber pages[SIM_PAGE_CHOICE + 1];
	BlockNumber total_pages;
} SimCounts;

extern void sim_count(SimIndex *ix, SimCounts *counts, bool reclaim,
					  BufferAccessStrategy strategy);

/* ---- source.c ---- */

extern Oid sim_source_table(Oid source);
extern Oid sim_source_index(Oid source, int lockmode, Relation *heap);
extern Oid sim_leaf_index(Oid relation, Oid source, Relation *heap);
extern void sim_check_state(Relation heap, Relation index);
extern void sim_check_readable(Relation heap, Relation index);

/* ---- the access method's callbacks ---- */

struct IndexInfo;
struct IndexBuildResult;
struct IndexVacuumInfo;
struct IndexBulkDeleteResult;

extern struct IndexBuildResult *
sim_build(Relation heap, Relation index, struct IndexInfo *info);
extern void sim_buildempty(Relation index);
extern bool
sim_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
		   Relation heap, IndexUniqueCheck check_unique, bool unchanged,
		   struct IndexInfo *info);
extern struct IndexBulkDeleteResult *
sim_bulkdelete(struct IndexVacuumInfo *info,
			   struct IndexBulkDeleteResult *stats,
			   bool (*callback)(ItemPointer itemptr, void *state), void *state);
extern struct IndexBulkDeleteResult *
sim_vacuumcleanup(struct IndexVacuumInfo *info,
				  struct IndexBulkDeleteResult *stats);
extern bool sim_validate(Oid opclass);
extern bytea *sim_parse_options(Datum reloptions, bool validate);

#endif
