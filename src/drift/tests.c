/*
 * tests.c
 *		Do two samples come from the same distribution?
 */
#include "postgres.h"

#include <math.h>

#include "drift/drift.h"
#include "miscadmin.h"
#include "numeric/numeric.h"
#include "utils/float.h"

/* Below this the approximation for larger samples is poor. */
#define SMALL_WORTH 10

PG_FUNCTION_INFO_V1(personalize_ks_2samp);
PG_FUNCTION_INFO_V1(personalize_wasserstein);
PG_FUNCTION_INFO_V1(personalize_chi_square);

/*
 * Walks two sorted samples together.  Each step passes all numbers equal to
 * the next one, in either sample.
 */
typedef struct Walk
{
	const Sample *a;
	const Sample *b;
	int i; /* passed so far */
	int j;
} Walk;

/* False at the end. */
static bool
walk_next(Walk *walk, double *value)
{
	const Sample *a = walk->a;
	const Sample *b = walk->b;

	if (walk->i == a->n && walk->j == b->n)
		return false;
	if (walk->j == b->n ||
		(walk->i < a->n && a->values[walk->i] <= b->values[walk->j]))
		*value = a->values[walk->i];
	else
		*value = b->values[walk->j];

	while (walk->i < a->n && a->values[walk->i] == *value)
		walk->i++;
	while (walk->j < b->n && b->values[walk->j] == *value)
		walk->j++;
	return true;
}

/* The distance of the distribution functions where the walk stands. */
static double
walk_distance(const Walk *walk)
{
	return fabs((double) walk->i / walk->a->n - (double) walk->j / walk->b->n);
}

/*
 * How likely two samples of one distribution are d or more apart, if none of
 * their m + n numbers are equal: the part of all ways from (0, 0) to (m, n)
 * that stray so far (Kim and Jennrich 1970).
 */
static double
small_sample_tail(int m, int n, double d)
{
	/* distances are multiples of 1 / (m n): below d by half a step */
	double limit = d - 0.5 / ((double) m * n);
	double *ways =
		palloc_extended(((Size) n + 1) * sizeof(double), MCXT_ALLOC_HUGE);
	double tail;

	for (int j = 0; j <= n; j++)
		ways[j] = (double) j / n <= limit;
	for (int i = 1; i <= m; i++)
	{
		double weight = i / ((double) i + n);

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j <= n; j++)
		{
			ways[j] *= weight;
			if (j > 0)
				ways[j] += ways[j - 1];
			if (fabs((double) i / m - (double) j / n) > limit)
				ways[j] = 0;
		}
	}
	tail = 1 - ways[n];
	pfree(ways);
	return Min(Max(tail, 0), 1);
}

/*
 * Of larger samples that of one sample of as many numbers as the two are
 * worth, against a known distribution.
 */
static double
ks_p_value(int m, int n, double distance)
{
	double worth = rint((double) m * n / ((double) m + n));

	if (distance == 0)
		return 1;
	if (worth < SMALL_WORTH)
		return small_sample_tail(Min(m, n), Max(m, n), distance);
	return kolmogorov_tail(worth, distance);
}

Datum
personalize_ks_2samp(PG_FUNCTION_ARGS)
{
	Sample a = arg_sample(fcinfo, 0, "reference");
	Sample b = arg_sample(fcinfo, 1, "current");
	Walk walk = { &a, &b, 0, 0 };
	double distance = 0;
	double value;
	Datum values[2];

	if (a.n == 0 || b.n == 0)
		PG_RETURN_NULL();
	while (walk_next(&walk, &value))
		distance = Max(distance, walk_distance(&walk));

	values[0] = Float8GetDatum(distance);
	values[1] = Float8GetDatum(ks_p_value(a.n, b.n, distance));
	PG_RETURN_DATUM(make_row(result_type(fcinfo), values));
}

/* The area between the distribution functions. */
Datum
personalize_wasserstein(PG_FUNCTION_ARGS)
{
	Sample a = arg_sample(fcinfo, 0, "a");
	Sample b = arg_sample(fcinfo, 1, "b");
	Walk walk = { &a, &b, 0, 0 };
	Sum area = { 0 };
	double value;
	double before;

	if (a.n == 0 || b.n == 0)
		PG_RETURN_NULL();
	for (walk_next(&walk, &before);; before = value)
	{
		double distance = walk_distance(&walk);

		if (!walk_next(&walk, &value))
			break;
		sum_add(&area, distance * (value - before));
	}
	if (!isfinite(area.high))
		float_overflow_error();
	PG_RETURN_FLOAT8(sum_value(&area));
}

/* Of a table of two rows; categories that neither row has do not count. */
Datum
personalize_chi_square(PG_FUNCTION_ARGS)
{
	CountPair pair;
	Sum sum = { 0 };
	int categories = 0;
	double statistic;
	Datum values[3];

	if (!arg_counts(fcinfo, "counts_a", "counts_b", &pair))
		PG_RETURN_NULL();
	for (int i = 0; i < pair.n; i++)
	{
		double both = pair.a[i] + pair.b[i];
		double a = pair.a[i] / pair.total_a;
		double b = pair.b[i] / pair.total_b;

		if (both == 0)
			continue;
		categories++;
		sum_add(&sum, (a - b) * (a - b) / both);
	}

	statistic = sum_value(&sum) * pair.total_a * pair.total_b;
	if (!isfinite(statistic))
		float_overflow_error();
	values[0] = Float8GetDatum(statistic);
	values[1] = Int32GetDatum(categories - 1);
	values[2] = Float8GetDatum(
		categories == 1 ? 1 : chi_square_tail(statistic, categories - 1));
	PG_RETURN_DATUM(make_row(result_type(fcinfo), values));
}
