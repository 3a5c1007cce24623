/*
 * heterogeneity.c
 *		Does the effect of a treatment differ by segment?
 *
 * Cochran's Q and I-squared (Higgins and Thompson 2002), the effect common to
 * all, and the mean of effects that differ (DerSimonian and Laird 1986).
 */
#include "postgres.h"

#include <math.h>

#include "common/record.h"
#include "common/sum.h"
#include "effects/arm_arrays.h"
#include "numeric/numeric.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_segment_heterogeneity);
PG_FUNCTION_INFO_V1(personalize_segment_heterogeneity_of_moments);

/* segments, two effects of five numbers, q, df, q_p_value, i2, tau2 */
#define TEST_COLUMNS 16

/* ---- effects and their standard errors ---- */

static void
no_standard_error(double value, int segment)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg(
				 "the effect of each segment must have a standard error above 0"),
			 errdetail("That of segment %d is %s.", segment,
					   isnan(value) ? "not known" : float8out_internal(value)),
			 errhint("Leave segment %d out, or merge it with another one that is like it.",
					 segment)));
}

typedef struct Effects
{
	int n;
	const double *effects;
	const double *errors;
	double least; /* of the errors, by which weights are scaled */
	int surest;	  /* whose it is */
} Effects;

static void
check_effects(Effects *e)
{
	if (e->n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("there must be one segment at least"),
				 errhint("Pass an element for each segment.")));
	e->least = INFINITY;
	for (int i = 0; i < e->n; i++)
	{
		if (!(e->errors[i] > 0))
			no_standard_error(e->errors[i], i + 1);
		if (e->errors[i] < e->least)
		{
			e->least = e->errors[i];
			e->surest = i;
		}
	}
}

/* ---- means ---- */

/* Weights are inverse variances, in units of the smallest error's. */
static double
weight_of(const Effects *e, int i, double tau2)
{
	double error = e->errors[i] / e->least;

	return 1 / (error * error + tau2);
}

/* tau2 too is in units of the smallest error's variance. */
static double
weighted_mean(const Effects *e, double tau2, double *variance)
{
	Sum weights = { 0 };
	Sum sum = { 0 };

	for (int i = 0; i < e->n; i++)
	{
		sum_add(&weights, weight_of(e, i, tau2));
		sum_add(&sum, weight_of(e, i, tau2) * e->effects[i]);
	}
	*variance = e->least * e->least / sum_value(&weights);
	return sum_value(&sum) / sum_value(&weights);
}

static double
cochran_q(const Effects *e, double mean)
{
	Sum q = { 0 };

	for (int i = 0; i < e->n; i++)
	{
		double apart = (e->effects[i] - mean) / e->errors[i];

		sum_add(&q, apart * apart);
	}
	return sum_value(&q);
}

/*
 * DerSimonian and Laird's estimate of the variance between segments.  Its
 * divisor, the sum of weights less that of their squares by it, is the sum of
 * each weight times that of all others: so it keeps its digits where one
 * segment has nearly all of the weight.
 */
static double
between_variance(const Effects *e, double q)
{
	Sum others = { 0 }; /* than the surest, whose weight is 1 */
	Sum products = { 0 };
	double total;

	for (int i = 0; i < e->n; i++)
	{
		if (i != e->surest)
			sum_add(&others, weight_of(e, i, 0));
	}
	total = 1 + sum_value(&others);
	for (int i = 0; i < e->n; i++)
	{
		double w = weight_of(e, i, 0);

		sum_add(&products,
				i == e->surest ? sum_value(&others) : w * (total - w));
	}
	if (q <= e->n - 1)
		return 0;
	return (q - (e->n - 1)) * total / sum_value(&products);
}

static Datum
heterogeneity_row(FunctionCallInfo fcinfo, Effects *e, int alpha_argno)
{
	CompareOptions options = default_options;
	Datum values[TEST_COLUMNS];
	Effect fixed;
	Effect random;
	double variance;
	double mean;
	double q;
	double tau2 = NAN; /* of one segment there is no telling */
	int df = e->n - 1;
	int n = 0;

	options.alpha = arg_alpha(fcinfo, alpha_argno, TWO_SIDED);
	check_effects(e);
	mean = weighted_mean(e, 0, &variance);
	effect_infer(&fixed, mean, variance, INFINITY, e->n, &options);
	q = cochran_q(e, mean);
	if (!isfinite(mean) || !isfinite(q))
		float_overflow_error();
	if (df > 0)
		tau2 = between_variance(e, q);
	if (isinf(tau2 * e->least * e->least))
		float_overflow_error();
	mean = weighted_mean(e, tau2, &variance);
	effect_infer(&random, mean, variance, INFINITY, e->n, &options);

	values[n++] = Int32GetDatum(e->n);
	n += effect_columns(values + n, &fixed);
	values[n++] = Float8GetDatum(q);
	values[n++] = Int32GetDatum(df);
	values[n++] = Float8GetDatum(df > 0 ? chi_square_tail(q, df) : NAN);
	values[n++] = Float8GetDatum(df == 0 ? NAN : q > df ? (q - df) / q : 0);
	values[n++] = Float8GetDatum(tau2 * e->least * e->least);
	n += effect_columns(values + n, &random);
	return make_row(result_type(fcinfo), values);
}

/* ---- SQL ---- */

Datum
personalize_segment_heterogeneity(PG_FUNCTION_ARGS)
{
	Effects e;
	int n;

	e.effects = arg_doubles(fcinfo, 0, "effects", 1, &e.n);
	e.errors = arg_doubles(fcinfo, 1, "stderrs", 1, &n);
	if (n != e.n)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg(
					 "effects and stderrs must have the same number of elements"),
				 errdetail("They have %d and %d.", e.n, n),
				 errhint("Pass an element of both for each segment.")));
	PG_RETURN_DATUM(heterogeneity_row(fcinfo, &e, 2));
}

Datum
personalize_segment_heterogeneity_of_moments(PG_FUNCTION_ARGS)
{
	LiftTest test;
	Effects e;
	Arm *control;
	Arm *treatment;
	double *effects;
	double *errors;

	e.n = arg_arm_arrays(fcinfo, 0, &control, &treatment);
	e.effects = effects = palloc(Max(e.n, 1) * sizeof(double));
	e.errors = errors = palloc(Max(e.n, 1) * sizeof(double));
	for (int i = 0; i < e.n; i++)
	{
		test.control = control[i];
		test.treatment = treatment[i];
		compare_arms(&test, false, &default_options);
		effects[i] = test.absolute.estimate;
		errors[i] = test.absolute.stderror;
	}
	PG_RETURN_DATUM(heterogeneity_row(fcinfo, &e, 2));
}
