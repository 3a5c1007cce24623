/*
 * drift.h
 *		Drift between samples, fairness between groups: what the parts share.
 */
#ifndef PERSONALIZE_DRIFT_H
#define PERSONALIZE_DRIFT_H

#include <math.h>

#include "common/record.h"
#include "common/state.h"
#include "common/sum.h"

/* ---- sample.c: arrays of numbers as arguments ---- */

typedef struct Sample
{
	int n;
	double *values;
} Sample;

/*
 * The numbers of an array in ascending order, NULL elements left out; empty
 * if the argument is NULL.
 */
extern Sample arg_sample(FunctionCallInfo fcinfo, int argno, const char *name);

/* Numbers in the order of the array, none of them NULL. */
extern Sample arg_numbers(FunctionCallInfo fcinfo, int argno, const char *name);

/*
 * The first two arguments as counts of the same categories, none of them
 * negative nor all 0.  False if either argument is NULL.
 */
typedef struct CountPair
{
	int n;
	double *a; /* counts */
	double *b;
	double total_a;
	double total_b;
} CountPair;

extern bool arg_counts(FunctionCallInfo fcinfo, const char *name_a,
					   const char *name_b, CountPair *pair);

/* ---- the lowest and highest of some numbers ---- */

/* Both NaN without any. */
typedef struct Range
{
	double low;
	double high;
} Range;

#define EMPTY_RANGE \
	{               \
		NAN, NAN    \
	}

/* NaN is left out. */
static inline void
range_add(Range *range, double value)
{
	if (!isnan(value) && !(range->low <= value))
		range->low = value;
	if (!isnan(value) && !(range->high >= value))
		range->high = value;
}

/* ---- groups.c: a table of groups by key, as the state of an aggregate ---- */

typedef struct FairnessCounts
{
	int64 n;
	int64 selected;
	int64 positives; /* of known label */
	int64 positives_selected;
	int64 negatives;
	int64 negatives_selected;
} FairnessCounts;

typedef struct ExposureSums
{
	int64 items;
	int64 rated; /* of known relevance */
	Sum exposure;
	Sum relevance;
} ExposureSums;

typedef struct GroupEntry
{
	int32 key; /* where it begins among the keys */
	int32 key_length;
	union
	{
		FairnessCounts fairness;
		ExposureSums exposure;
	};
} GroupEntry;

/*
 * The groups stand in the order in which they came.  Slots are a hash table of
 * their numbers, 0 for none.
 */
typedef struct GroupTable
{
	StateHeader head;
	int32 n;
	int32 capacity; /* a power of 2 */
	int32 keys_used;
	int32 keys_size;
	GroupEntry groups[FLEXIBLE_ARRAY_MEMBER];
	/* then int32 slots[2 * capacity], and char keys[keys_size] */
} GroupTable;

extern GroupTable *group_table_new(const StateType *type);

/* The group of a key, added if need be, which may move the table. */
extern GroupEntry *group_table_get(const StateType *type, GroupTable **table,
								   const char *key, int key_length);
extern const char *group_key(const GroupTable *table, const GroupEntry *group);

/* All groups by key, byte by byte. */
extern GroupEntry **group_table_sorted(GroupTable *table);

/*
 * Parts of send and recv: of the table as a whole the number of its groups,
 * of each group its key and then its own fields.
 */
extern void group_send_key(StringInfo buf, const GroupTable *table,
						   const GroupEntry *group);
extern int group_table_recv_count(StringInfo buf, const StateType *type);
extern GroupEntry *
group_recv_key(StringInfo buf, const StateType *type, GroupTable **table);

#endif
