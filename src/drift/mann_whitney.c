/*
 * mann_whitney.c
 *		Are the values of one sample larger than those of the other?
 */
#include "postgres.h"

#include <math.h>

#include "drift/drift.h"
#include "numeric/numeric.h"

PG_FUNCTION_INFO_V1(personalize_mann_whitney);

/* How many numbers of a sorted sample, from *i on, are `value`. */
static double
pass_equal(const Sample *sample, int *i, double value)
{
	int start = *i;

	while (*i < sample->n && sample->values[*i] == value)
		(*i)++;
	return *i - start;
}

/*
 * Walks both sorted samples.  U counts the pairs of which the value of a is
 * larger, equal ones as one half; ties is the sum of t^3 - t over the groups of
 * t equal values.
 */
static double
count_pairs(const Sample *a, const Sample *b, double *ties)
{
	double u = 0;
	int i = 0;
	int j = 0;

	*ties = 0;
	while (i < a->n || j < b->n)
	{
		double value = j == b->n || (i < a->n && a->values[i] <= b->values[j]) ?
			a->values[i] :
			b->values[j];
		double passed = j;
		double of_a = pass_equal(a, &i, value);
		double of_b = pass_equal(b, &j, value);
		double equal = of_a + of_b;

		u += of_a * (passed + of_b / 2);
		*ties += equal * (equal * equal - 1);
	}
	return u;
}

/* The normal approximation, corrected for continuity and for ties. */
static double
standard_score(double u, double m, double n, double ties)
{
	double all = m + n;
	double variance = m * n / 12 * (all + 1 - ties / (all * (all - 1)));
	double apart = u - m * n / 2;

	if (!(variance > 0))
		return 0;
	apart = copysign(Max(fabs(apart) - 0.5, 0), apart);
	return apart / sqrt(variance) + 0.0;
}

Datum
personalize_mann_whitney(PG_FUNCTION_ARGS)
{
	Sample a = arg_sample(fcinfo, 0, "a");
	Sample b = arg_sample(fcinfo, 1, "b");
	double ties;
	double u;
	double z;
	Datum values[3];

	if (a.n == 0 || b.n == 0)
		PG_RETURN_NULL();
	u = count_pairs(&a, &b, &ties);
	z = standard_score(u, a.n, b.n, ties);
	values[0] = Float8GetDatum(u);
	values[1] = Float8GetDatum(z);
	values[2] = Float8GetDatum(Min(2 * normal_tail(fabs(z)), 1));
	PG_RETURN_DATUM(make_row(result_type(fcinfo), values));
}
