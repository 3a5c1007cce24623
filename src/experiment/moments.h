/*
 * moments.h
 *		Means, variances and covariances in one pass: what the aggregates of
 *		experiments keep of the rows of an arm.
 *
 * Sums of squares of the outcomes themselves lose the variance where the mean
 * is large beside it: of prices in the billions that differ by one, nothing is
 * left.  So the first row's outcome is taken off all others, and sums are kept
 * to twice the precision (common/sum.h).  The first row is one of the data, so
 * that even if it lies far from the others, the sums are no more than n times
 * larger than what is wanted of them.  Deviations and their products are not
 * rounded either: from a first row that lies far off, n deviations would all
 * miss the same.
 *
 * The number of variables, k, is a constant wherever rows are added, so that
 * the compiler unrolls the loops.
 */
#ifndef PERSONALIZE_MOMENTS_H
#define PERSONALIZE_MOMENTS_H

#include <math.h>

#include "common/state.h"
#include "common/sum.h"

/* outcome, or numerator; covariate, or denominator; both of these before */
#define MAX_VARIABLES 4

/*
 * The rows of an arm: for each variable its shift, then for each the sum of
 * the deviations from it, then the sums of their products, of variables (0, 0),
 * (1, 0), (1, 1), (2, 0) and so on.
 */
typedef struct ArmSums
{
	int64 n;
	double numbers[FLEXIBLE_ARRAY_MEMBER];
} ArmSums;

#define arm_products(k) ((k) * ((k) + 1) / 2)
#define arm_sums_size(k)                                    \
	(sizeof(int64) + (k) * (sizeof(double) + sizeof(Sum)) + \
	 arm_products(k) * sizeof(Sum))

/* The value of SQL type moments: one arm.  head.unused is k. */
typedef struct Moments
{
	StateHeader head;
	/* then ArmSums */
} Moments;

#define moments_k(m) ((int) (m)->head.unused)
#define moments_arm(m) ((ArmSums *) ((char *) (m) + sizeof(StateHeader)))

extern const StateType moments_type;
extern Moments *moments_new(int k);

/* What the sums say. */
typedef struct Summary
{
	int k;
	int64 n;
	double mean[MAX_VARIABLES];						 /* NaN if n = 0 */
	double covariance[MAX_VARIABLES][MAX_VARIABLES]; /* NaN if n < 2 */
} Summary;

extern void arm_merge(ArmSums *arm, const ArmSums *other, int k);
extern void arm_summary(const ArmSums *arm, int k, Summary *summary);

/* Parts of send and recv. */
extern void arm_send(StringInfo buf, const ArmSums *arm, int k);
extern void
arm_recv(StringInfo buf, ArmSums *arm, int k, const StateType *type);

/* An argument of type moments; NULL is an arm without rows, of k variables. */
extern void arg_summary(FunctionCallInfo fcinfo, int argno, Summary *summary);

/* The same of a value that was read in another way, as from an array. */
extern void summary_of(Datum value, bool isnull, Summary *summary);

/* ---- numbers of twice the precision: a Sum whose low part is small ---- */

/* a - b without error (Knuth 1969) */
static inline Sum
sum_difference(double a, double b)
{
	double high = a - b;
	double part = high - a;

	return (Sum){ high, (a - (high - part)) - (b + part) };
}

static inline Sum
sum_product(Sum a, Sum b)
{
	double high = a.high * b.high;

	return (Sum){
		high, fma(a.high, b.high, -high) + a.high * b.low + a.low * b.high
	};
}

/* ---- rows ---- */

static inline Sum *
arm_deviations(ArmSums *arm, int k)
{
	return (Sum *) (arm->numbers + k);
}

/* Add a row.  Overflow shows in the sums, for arm_summary() to find. */
static pg_attribute_always_inline void
arm_add(ArmSums *arm, int k, const double *row)
{
	Sum *deviations = arm_deviations(arm, k);
	Sum *products = deviations + k;
	Sum d[MAX_VARIABLES];

	if (unlikely(arm->n == 0))
		memcpy(arm->numbers, row, k * sizeof(double));
	arm->n++;
	for (int i = 0; i < k; i++)
	{
		d[i] = sum_difference(row[i], arm->numbers[i]);
		sum_merge(&deviations[i], &d[i]);
	}
	for (int i = 0; i < k; i++)
	{
		for (int j = 0; j <= i; j++, products++)
		{
			Sum d_product = sum_product(d[i], d[j]);

			sum_merge(products, &d_product);
		}
	}
}

#endif
