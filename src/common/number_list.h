/*
 * number_list.h
 *		A list of numbers as the state of an aggregate: SQL type sample_state.
 *
 * For aggregates that need every value, such as quantiles.  The numbers are
 * finite and stand in no order; final functions take them sorted.
 */
#ifndef PERSONALIZE_NUMBER_LIST_H
#define PERSONALIZE_NUMBER_LIST_H

#include "common/state.h"

typedef struct NumberList
{
	StateHeader head;
	int64 n;
	int32 k; /* into how many parts it is to be cut, 0 if nobody said */
	int32 unused;
	double values[FLEXIBLE_ARRAY_MEMBER];
} NumberList;

extern const StateType number_list_type;

/* k must fit the scores of a rule set. */
#define NUMBER_LIST_MAX_K 32767

/*
 * These change a list, which may be NULL for an empty one, and return it or,
 * where it had to grow, a larger copy.
 */
extern NumberList *number_list_add(NumberList *list, double value);
extern NumberList *
number_list_append(NumberList *list, const NumberList *other);

/* Note k, which must be the same whenever it is said. */
extern void number_list_set_k(NumberList *list, int k);

/*
 * The numbers in ascending order, in memory of their own, -0 as 0; the state
 * itself stays as it is, as other aggregates may share it.
 */
extern double *number_list_sorted(const NumberList *list);

/* Sorts doubles, none of them NaN, ascending. */
extern void sort_doubles(double *values, int64 n);

/* The quantile p of n > 0 sorted numbers, interpolated as percentile_cont. */
extern double sorted_quantile(const double *sorted, int64 n, double p);

#endif
