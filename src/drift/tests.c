/*
 * tests.c
 *		Do two samples come from the same distribution?
 */
#include "postgres.h"

#include <math.h>

#include "drift/drift.h"
#include "numeric/numeric.h"

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
 * The p-value is that of one sample of as many numbers as the two are worth,
 * m n / (m + n), against a known distribution.
 */
Datum
personalize_ks_2samp(PG_FUNCTION_ARGS)
{
	Sample a = arg_sample(fcinfo, 0, "reference");
	Sample b = arg_sample(fcinfo, 1, "current");
	Walk walk = { &a, &b, 0, 0 };
	double distance = 0;
	double value;
	double n;
	Datum values[2];

	if (a.n == 0 || b.n == 0)
		PG_RETURN_NULL();
	while (walk_next(&walk, &value))
		distance = Max(distance, walk_distance(&walk));

	n = rint((double) a.n * b.n / ((double) a.n + b.n));
	values[0] = Float8GetDatum(distance);
	values[1] = Float8GetDatum(kolmogorov_tail(Max(n, 1), distance));
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
	values[0] = Float8GetDatum(statistic);
	values[1] = Int32GetDatum(categories - 1);
	values[2] = Float8GetDatum(
		categories == 1 ? 1 : chi_square_tail(statistic, categories - 1));
	PG_RETURN_DATUM(make_row(result_type(fcinfo), values));
}
