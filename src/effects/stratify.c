/*
 * stratify.c
 *		post_stratify(): the effect of a treatment, as if both arms had the same
 *		share of units in each stratum.
 *
 * Arms are compared within strata, and strata weighted by their shares of the
 * units of both arms (Miratrix, Sekhon and Yu 2013).  The shares are estimated
 * as well, from a multinomial sample, which adds to the variance where effects
 * differ by stratum.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "common/sum.h"
#include "effects/arm_arrays.h"

PG_FUNCTION_INFO_V1(personalize_post_stratify);

typedef struct Strata
{
	int n;
	const Arm *control;
	const Arm *treatment;
	double units;
	double *shares;
	double theta; /* 0 without a covariate */
	double control_mean;
	double treatment_mean;
} Strata;

/* ---- what is there ---- */

static void
check_arm(const Arm *arm, const char *name, int stratum)
{
	if (arm->n < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must have two units at least in each stratum",
						name),
				 errdetail("In stratum %d it has %lld.", stratum,
						   (long long) arm->n),
				 errhint("Merge stratum %d with another one that is like it.",
						 stratum)));
}

static void
read_strata(FunctionCallInfo fcinfo, Strata *strata)
{
	Arm *control;
	Arm *treatment;

	strata->n = arg_arm_arrays(fcinfo, 0, &control, &treatment);
	if (strata->n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("control must not be empty"),
				 errhint("Pass an element for each stratum.")));
	strata->control = control;
	strata->treatment = treatment;
	strata->shares = palloc(strata->n * sizeof(double));
	strata->units = 0;
	for (int i = 0; i < strata->n; i++)
	{
		check_arm(&control[i], "control", i + 1);
		check_arm(&treatment[i], "treatment", i + 1);
		strata->units += (double) control[i].n + treatment[i].n;
	}
	for (int i = 0; i < strata->n; i++)
		strata->shares[i] =
			((double) control[i].n + treatment[i].n) / strata->units;
}

/* ---- the coefficient of the covariate ---- */

/*
 * Slope of the outcome on the covariate within strata, over the units of both
 * arms: pooled_theta() of one stratum, added up over all.
 */
static double
theta_within(const Strata *strata)
{
	Sum squares = { 0 };
	Sum products = { 0 };

	for (int i = 0; i < strata->n; i++)
	{
		const Arm *a = &strata->control[i];
		const Arm *b = &strata->treatment[i];
		double n_a = (double) a->n;
		double n_b = (double) b->n;
		double apart = n_a * n_b / (n_a + n_b) * (b->before - a->before);

		if (!a->adjusted)
			return 0;
		sum_add(&squares,
				a->before_variance * (n_a - 1) +
					b->before_variance * (n_b - 1) +
					apart * (b->before - a->before));
		sum_add(&products,
				a->covariance * (n_a - 1) + b->covariance * (n_b - 1) +
					apart * (b->mean - a->mean));
	}
	return sum_value(&squares) > 0 ?
		sum_value(&products) / sum_value(&squares) :
		0;
}

/* ---- estimate and variance ---- */

static double
weighted_mean(const Strata *strata, const Arm *arms)
{
	Sum sum = { 0 };

	for (int i = 0; i < strata->n; i++)
		sum_add(&sum, strata->shares[i] * arms[i].mean);
	return sum_value(&sum);
}

/* Of the mean of scale * outcome - theta * covariate. */
static double
mean_variance(const Arm *arm, double scale, double theta)
{
	double variance = scale * scale * arm->variance;

	if (theta != 0)
		variance += theta *
			(theta * arm->before_variance - 2 * scale * arm->covariance);
	return Max(variance, 0) / arm->n;
}

/* In a stratum, the treatment less `scale` times the control, adjusted. */
static double
stratum_contrast(const Strata *strata, int i, double scale)
{
	const Arm *a = &strata->control[i];
	const Arm *b = &strata->treatment[i];
	double contrast = b->mean - scale * a->mean;

	if (strata->theta != 0)
		contrast -= strata->theta * (b->before - a->before);
	return contrast;
}

/*
 * The same of all strata: a mean of differences, as the difference of means
 * would lose the digits of means that are large beside it.
 */
static double
mean_contrast(const Strata *strata, double scale)
{
	Sum sum = { 0 };

	for (int i = 0; i < strata->n; i++)
		sum_add(&sum, strata->shares[i] * stratum_contrast(strata, i, scale));
	return sum_value(&sum);
}

/* What it adds to the variance that the shares are those of a sample. */
static double
share_variance(const Strata *strata, double scale)
{
	double mean = mean_contrast(strata, scale);
	Sum squares = { 0 };

	for (int i = 0; i < strata->n; i++)
	{
		double apart = stratum_contrast(strata, i, scale) - mean;

		sum_add(&squares, strata->shares[i] * apart * apart);
	}
	/* with one stratum there is nothing but rounding */
	return strata->n > 1 ? sum_value(&squares) / strata->units : 0;
}

/*
 * Variance of the weighted contrast, and its degrees of freedom by
 * Satterthwaite: each part of the variance has its own.
 */
static double
contrast_variance(const Strata *strata, double scale, double *df)
{
	double shares = share_variance(strata, scale);
	Sum variance = { 0 };
	Sum squares = { 0 };

	sum_add(&variance, shares);
	sum_add(&squares, shares * shares / (strata->units - 1));
	for (int i = 0; i < strata->n; i++)
	{
		double w2 = strata->shares[i] * strata->shares[i];
		double a =
			w2 * mean_variance(&strata->control[i], scale, strata->theta);
		double b = w2 * mean_variance(&strata->treatment[i], 1, strata->theta);

		sum_add(&variance, a);
		sum_add(&variance, b);
		sum_add(&squares,
				a * a / (strata->control[i].n - 1) +
					b * b / (strata->treatment[i].n - 1));
	}
	if (df != NULL)
		*df = sum_value(&variance) * sum_value(&variance) / sum_value(&squares);
	return sum_value(&variance);
}

/* ---- without strata, to compare with ---- */

/* Variance of the mean of all units of an arm; sets their number. */
static double
plain_variance(const Strata *strata, const Arm *arms, int64 *units)
{
	Sum mean = { 0 };
	Sum squares = { 0 };
	double n;

	*units = 0;
	for (int i = 0; i < strata->n; i++)
	{
		/* only moments that no rows made can have that many */
		if (pg_add_s64_overflow(*units, arms[i].n, units))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("the number of units is out of range")));
		sum_add(&mean, arms[i].mean * arms[i].n);
	}
	n = (double) *units;
	for (int i = 0; i < strata->n; i++)
	{
		double apart = arms[i].mean - sum_value(&mean) / n;

		sum_add(&squares,
				arms[i].variance * (arms[i].n - 1) + arms[i].n * apart * apart);
	}
	return sum_value(&squares) / (n - 1) / n;
}

/* ---- the test ---- */

/*
 * The variance of difference - r base is a square in r, which three of its
 * values tell.
 */
static void
stratified_fieller(const Strata *strata, const CompareOptions *options,
				   double variance, LiftTest *test)
{
	double less = contrast_variance(strata, 0, NULL);
	double more = contrast_variance(strata, 2, NULL);

	fieller_interval(test, strata->control_mean, (less + more) / 2 - variance,
					 (less - more) / 4, options);
}

static void
stratified_test(const Strata *strata, const CompareOptions *options,
				LiftTest *test)
{
	double a = strata->control_mean;
	double base = fabs(a);
	double difference = mean_contrast(strata, 1);
	double df;
	double variance = contrast_variance(strata, 1, &df);
	double before;

	before = plain_variance(strata, strata->control, &test->control.n) +
		plain_variance(strata, strata->treatment, &test->treatment.n);
	if (!isfinite(difference) || !isfinite(variance) || !isfinite(before))
		float_overflow_error();
	test->control.mean = a;
	test->treatment.mean = strata->treatment_mean;
	test->theta = strata->control[0].adjusted ? strata->theta : NAN;
	test->variance_reduction = before > 0 ? 1 - variance / before : NAN;
	effect_infer(&test->absolute, difference, variance, df, strata->units,
				 options);
	effect_infer(&test->relative, base > 0 ? difference / base : NAN,
				 base > 0 ?
					 contrast_variance(strata, strata->treatment_mean / a,
									   NULL) /
						 (base * base) :
					 NAN,
				 df, strata->units, options);
	stratified_fieller(strata, options, variance, test);
}

Datum
personalize_post_stratify(PG_FUNCTION_ARGS)
{
	CompareOptions options = arg_fixed_options(fcinfo, 2, 3);
	Strata strata;
	LiftTest test;

	read_strata(fcinfo, &strata);
	strata.theta = theta_within(&strata);
	strata.control_mean = weighted_mean(&strata, strata.control);
	strata.treatment_mean = weighted_mean(&strata, strata.treatment);
	stratified_test(&strata, &options, &test);
	PG_RETURN_DATUM(lift_test_row(fcinfo, &test));
}
