/*
 * segment.h
 *		What the parts of this folder share: periods of time, sets of them, and
 *		composite results.
 *
 * Purchases are placed on a grid: time is cut from 2000-01-01 00:00 UTC on, in
 * both directions, into periods of a unit's length, and a purchase is known by
 * its period's number.  So all groups use the same grid, and partial results
 * merge whoever made them.
 */
#ifndef PERSONALIZE_SEGMENT_H
#define PERSONALIZE_SEGMENT_H

#include "common/state.h"
#include "datatype/timestamp.h"

/*
 * A set of periods within a state.  The entries stand elsewhere in the state,
 * as the state may have grown around them; `width` is the binary logarithm of
 * the bytes that each takes, 1 to 3, and rises as large numbers come.
 *
 * The first `sorted` entries are ascending and distinct.  The others follow in
 * any order, may repeat each other, but none of the sorted ones.  There are
 * such only beyond a few dozen entries.
 */
typedef struct PeriodSet
{
	uint32 n;
	uint32 sorted;
	uint8 width;
} PeriodSet;

extern void period_set_init(PeriodSet *set);

/*
 * Adds a period, unless it is there already.  Returns false if `room`, in
 * bytes, does not suffice: then make it twice as large and try again.
 */
extern bool
period_set_add(PeriodSet *set, void *entries, Size room, int64 period);

/* The entry i < set->n, which may repeat another one. */
extern int64
period_set_entry(const PeriodSet *set, const void *entries, uint32 i);

/* The distinct periods, ascending, in memory of their own. */
extern int64 *
period_set_sorted(const PeriodSet *set, const void *entries, int64 *n);

/* Its outside form; recv returns what period_set_sorted() does. */
extern void
period_set_send(StringInfo buf, const PeriodSet *set, const void *entries);
extern int64 *period_set_recv(StringInfo buf, const StateType *type, int64 *n);

/* Room for the entries that the sorted periods will be, in bytes. */
extern Size period_set_room(const int64 *periods, int64 n);

/* The number of the period in which a time lies. */
static inline int64
period_of(TimestampTz at, int64 unit)
{
	int64 period;

	/* by a constant the compiler multiplies, which is several times faster */
	if (unit == USECS_PER_DAY)
		return at / USECS_PER_DAY - (at % USECS_PER_DAY < 0);
	period = at / unit;
	return period - (period * unit > at);
}

/*
 * The unit of time in an argument, in microseconds: a day if the function has
 * no such argument.  `expected` is what it should be, or 0; anything else is
 * an error.
 */
extern int64 arg_unit(FunctionCallInfo fcinfo, int argno, int64 expected);

/* The value of an argument differs from that of a group's other rows. */
pg_noreturn extern void option_differs(const char *name);

/*
 * Stages of a customer's life by how long ago the purchases were, in days or
 * in multiples of a gap.
 */
#define STAGE_PROSPECT "prospect" /* no purchase yet */

typedef struct StageTimes
{
	double since_first;
	double since_last;
	double last_gap; /* before the last purchase; 0 if it is the only one */
} StageTimes;

typedef struct StageLimits
{
	double active;
	double risk;
	double lapse;
} StageLimits;

extern const char *
stage_by_time(const StageTimes *times, const StageLimits *limits);
extern void check_ascending(const StageLimits *limits);
extern void check_not_later(TimestampTz last_at, TimestampTz as_of);

/* A row of the function's composite result type. */
extern Datum
composite_result(FunctionCallInfo fcinfo, Datum *values, bool *nulls);

#endif
