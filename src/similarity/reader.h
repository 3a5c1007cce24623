/*
 * reader.h
 *		What a similarity index offers to those who read it.
 *
 * This is the only header of src/similarity that other parts include.  Items
 * are dense numbers (ItemNumber) inside one index; a reader works in numbers
 * and turns the few that it returns into keys at the end.
 */
#ifndef PERSONALIZE_READER_H
#define PERSONALIZE_READER_H

#include "common/typed_key.h"
#include "datatype/timestamp.h"
#include "storage/block.h"
#include "storage/buf.h"
#include "storage/itemptr.h"
#include "utils/relcache.h"

typedef uint32 ItemNumber;

#define INVALID_ITEM PG_UINT32_MAX

/* Interactions without a time (no column, NULL, infinite) carry this. */
#define SIM_NO_TIME PG_INT64_MIN

typedef struct SimReader
{
	Relation index;
	Relation heap;
	TypedKey subject_key;
	TypedKey item_key;
	bool has_time;				  /* the index includes a time column */
	bool has_strength;			  /* the index includes a strength column */
	int strength_scale;			  /* for sim_strength_weight() */
	bool has_item_postings;		  /* sim_holders_open() may be called */
	bool trained;				  /* false: no neighbour lists yet */
	uint32 generation;			  /* of the model; 0 while untrained */
	bool directed;				  /* the model tells what comes after */
	double forward_decay;		  /* the weight of each step back, then */
	uint32 nitems;				  /* item numbers are below this */
	uint64 trained_subjects;	  /* that the model was made of */
	struct SimReaderState *state; /* private to src/similarity */
} SimReader;

/* What a strength weighs: a SimStrengthScale of the index's options. */
extern double sim_strength_weight(int scale, double strength);

/* One distinct item of a history. */
typedef struct SimHistoryItem
{
	ItemNumber item;
	TimestampTz time; /* latest interaction, or SIM_NO_TIME */
	double strength;  /* sum over interactions; count without column */
} SimHistoryItem;

/*
 * A subject that has an item, by one of its rows; where only the subject
 * counts, hash and subject are what matters.
 */
typedef struct SimHolder
{
	TimestampTz time;		 /* of the row, or SIM_NO_TIME */
	uint64 hash;			 /* of the subject's key: the same on every node */
	ItemPointerData subject; /* tells subjects apart in this index */
	ItemPointerData tid;
	bool all_visible;
} SimHolder;

typedef struct SimHolders SimHolders;

/*
 * A neighbour list.  The arrays lie on a page of the index, which stays locked
 * until sim_release_neighbors(): look at them, and do not tarry.  Highest
 * weight first.  Weights of plain co-occurrence sum to 1; other methods have
 * negative ones, too.
 */
typedef struct SimNeighbors
{
	int n;
	const uint32 *items; /* ItemNumber */
	const float *weights;
	const uint32 *supports; /* subjects that hold both items */
	ItemNumber last_item;	/* the highest of items */
	uint64 source_hash;		/* of the item's key: the same on every node */
	Buffer buffer;
} SimNeighbors;

/* One (possibly aggregated) entry of recent popularity. */
typedef struct SimPopularEntry
{
	ItemNumber item;
	float weight;	  /* interactions it stands for */
	TimestampTz time; /* theirs, or SIM_NO_TIME */
} SimPopularEntry;

/*
 * Open the similarity index of a table or materialized view, or the index
 * itself, for reading by the current user.  Takes AccessShareLock on both,
 * checks privileges, row-level security and validity, counts an index scan.
 * Every refusal is an ereport(ERROR).
 */
extern SimReader *sim_reader_open(Oid source);

/* The same for one partition or shard of a source that has no model itself. */
extern SimReader *sim_reader_open_at(Oid relation, Oid source);
extern void sim_reader_close(SimReader *reader);

/*
 * Open a closed reader again, for another call of the same function by the same
 * user in the same command, so that nothing is checked anew and no scan counted.
 * False, and then it stays closed, if the index is not the same one any more,
 * or its model another.
 */
extern bool sim_reader_reopen(SimReader *reader);

/*
 * The subject's distinct items that the active snapshot sees, most recent
 * first, as a palloc'd array of *nitems.  Returns how many of them, at most
 * `history`, count for scoring; 0 for an unknown subject.  subject must be of
 * the column's type.
 */
extern int sim_read_history(SimReader *reader, Datum subject,
							SimHistoryItem **items, int *nitems);

/* The same for a subject that holders led to; 0 if it is gone. */
extern int sim_read_history_of(SimReader *reader, const SimHolder *holder,
							   SimHistoryItem **items, int *nitems);

/*
 * The rows that have an item, where item postings are kept: latest first, rows
 * at the same time in the order of hash.  A subject comes once for each of its
 * rows with the item.  Whether the active snapshot sees a row is to be asked
 * before it counts; peeked at is the next one, until it is taken.
 */
extern SimHolders *sim_holders_open(SimReader *reader, ItemNumber item);
extern const SimHolder *sim_holders_peek(SimHolders *holders);
extern void sim_holders_take(SimHolders *holders);
extern void sim_holders_close(SimHolders *holders);
extern bool sim_holder_visible(SimReader *reader, const SimHolder *holder);

/* The key of its subject, palloc'd; false if that is gone. */
extern bool
sim_holder_key(SimReader *reader, const SimHolder *holder, Datum *key);

/*
 * All subjects, page by page: those of a page, of which there are at most
 * SIM_SUBJECTS_PER_PAGE.  Their rows may all be invisible.
 */
#define SIM_SUBJECTS_PER_PAGE (BLCKSZ / 16)

extern BlockNumber sim_subject_pages(SimReader *reader);
extern int
sim_read_subjects(SimReader *reader, BlockNumber block, SimHolder *subjects);

/* How many subjects had each of these items when the model was made. */
extern void sim_read_degrees(SimReader *reader, const ItemNumber *items, int n,
							 uint32 *degrees);

/* INVALID_ITEM when the index has never seen the item. */
extern ItemNumber sim_find_item(SimReader *reader, Datum item);

/* The item's key, palloc'd; not to be freed, it may be returned again. */
extern Datum sim_item_key(SimReader *reader, ItemNumber item);

/*
 * Prepare reading the lists of these items: after it, sim_read_neighbors() of
 * each of them takes one page access.
 */
extern void
sim_prepare_neighbors(SimReader *reader, const ItemNumber *items, int nitems);

/* The item's neighbours; n = 0 without any, and then nothing to release. */
extern void
sim_read_neighbors(SimReader *reader, ItemNumber item, SimNeighbors *list);
extern void sim_release_neighbors(SimNeighbors *list);

/*
 * All entries of recent popularity as one palloc'd array: counts by item and
 * time as of the last training, then what was inserted since.
 */
extern int sim_read_popular(SimReader *reader, SimPopularEntry **entries);

/*
 * False when a retraining finished since the reader was opened, so that what
 * was read may mix two models: the caller refreshes and starts again.
 */
extern bool sim_reader_is_current(SimReader *reader);
extern void sim_reader_refresh(SimReader *reader);

#endif
