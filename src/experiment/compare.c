/*
 * compare.c
 *		The difference between two arms: of means by Welch's test, of ratios by
 *		the delta method, both adjusted for a covariate where there is one.
 *
 * Adjustment is that of Deng, Xu, Kohavi and Walker (2013), CUPED: what the
 * covariate predicts is taken off both arms with one coefficient theta, so
 * that chance differences before the experiment do not count.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "common/record.h"
#include "experiment/experiment.h"

#define OUTCOME 0
#define COVARIATE 1

/* numerator and denominator now, and before */
#define NOW 0
#define BEFORE 2

PG_FUNCTION_INFO_V1(personalize_compare);
PG_FUNCTION_INFO_V1(personalize_compare_ratio);

/* ---- arms ---- */

void
arm_of_means(const Summary *summary, Arm *arm)
{
	arm->n = summary->n;
	arm->mean = summary->mean[OUTCOME];
	arm->variance = summary->covariance[OUTCOME][OUTCOME];
	arm->adjusted = summary->k > 1;
	if (!arm->adjusted)
		return;
	arm->before = summary->mean[COVARIATE];
	arm->before_variance = summary->covariance[COVARIATE][COVARIATE];
	arm->covariance = summary->covariance[OUTCOME][COVARIATE];
}

/* Rounding may leave a variance below 0; NaN stays what it is. */
static double
not_negative(double variance)
{
	return variance < 0 ? 0 : variance;
}

/* How a ratio of means moves with numerator and denominator. */
static void
ratio_gradient(const Summary *summary, int at, double *gradient)
{
	double denominator = summary->mean[at + 1];

	gradient[0] = 1 / denominator;
	gradient[1] = -summary->mean[at] / (denominator * denominator);
}

/* Covariance of a ratio at `at` and one at `other`, by the delta method. */
static double
ratio_covariance(const Summary *summary, int at, int other)
{
	double one[2];
	double two[2];
	double covariance = 0;

	ratio_gradient(summary, at, one);
	ratio_gradient(summary, other, two);
	for (int i = 0; i < 2; i++)
	{
		for (int j = 0; j < 2; j++)
			covariance +=
				one[i] * two[j] * summary->covariance[at + i][other + j];
	}
	return covariance;
}

/* A ratio by 0 is none. */
static double
ratio(const Summary *summary, int at)
{
	return summary->mean[at + 1] == 0 ?
		NAN :
		summary->mean[at] / summary->mean[at + 1];
}

void
arm_of_ratio(const Summary *summary, Arm *arm)
{
	arm->n = summary->n;
	arm->mean = ratio(summary, NOW);
	arm->variance = not_negative(ratio_covariance(summary, NOW, NOW));
	arm->adjusted = summary->k > 2;
	if (!arm->adjusted)
		return;
	arm->before = ratio(summary, BEFORE);
	arm->before_variance =
		not_negative(ratio_covariance(summary, BEFORE, BEFORE));
	arm->covariance = ratio_covariance(summary, NOW, BEFORE);
}

/* ---- the coefficient ---- */

/* Sum of squares or products about the mean; none of a single unit. */
static double
co_moment(double covariance, int64 n)
{
	return n > 1 ? covariance * (n - 1) : 0;
}

/* Slope of the outcome on the covariate, over the units of both arms. */
double
pooled_theta(const Arm *a, const Arm *b)
{
	double n = (double) a->n + b->n;
	double apart = (double) a->n * b->n / n * (b->before - a->before);
	double squares = co_moment(a->before_variance, a->n) +
		co_moment(b->before_variance, b->n) + apart * (b->before - a->before);
	double products = co_moment(a->covariance, a->n) +
		co_moment(b->covariance, b->n) + apart * (b->mean - a->mean);

	return squares > 0 ? products / squares : 0;
}

double
ratio_theta(const Arm *a, const Arm *b)
{
	double variance = a->before_variance + b->before_variance;

	return variance > 0 ? (a->covariance + b->covariance) / variance : 0;
}

/* ---- the comparison ---- */

/* Variance of scale * outcome - theta * covariate, of the mean of n units. */
static double
arm_variance(const Arm *arm, double scale, double theta)
{
	double variance = scale * scale * arm->variance;

	if (arm->adjusted)
		variance += theta *
			(theta * arm->before_variance - 2 * scale * arm->covariance);
	return not_negative(variance) / arm->n;
}

/* Welch and Satterthwaite; v1 and v2 are variances of the means. */
static double
welch_df(double v1, int64 n1, double v2, int64 n2)
{
	return (v1 + v2) * (v1 + v2) / (v1 * v1 / (n1 - 1) + v2 * v2 / (n2 - 1));
}

void
compare_arms(LiftTest *test, bool is_ratio, const CompareOptions *options)
{
	const Arm *a = &test->control;
	const Arm *b = &test->treatment;
	bool adjusted = a->adjusted && b->adjusted;
	double theta = 0;
	double base = fabs(a->mean);
	double difference = b->mean - a->mean;
	double quotient = b->mean / a->mean;
	double before = NAN;
	double shared; /* covariance of the control's mean, adjusted and not */
	double v_a;
	double v_b;
	double df;

	if (adjusted)
	{
		theta = is_ratio ? ratio_theta(a, b) : pooled_theta(a, b);
		before = arm_variance(a, 1, 0) + arm_variance(b, 1, 0);
		difference -= theta * (b->before - a->before);
		/* of means, chance differences before are left out of it: they are 0
		 * in the limit, and it is how the reference implementations do it */
		if (is_ratio)
			quotient -= theta * (b->before - a->before) / a->mean;
	}
	v_a = arm_variance(a, 1, theta);
	v_b = arm_variance(b, 1, theta);
	df = welch_df(v_a, a->n, v_b, b->n);

	test->theta = adjusted ? theta : NAN;
	test->variance_reduction = before > 0 ? 1 - (v_a + v_b) / before : NAN;
	effect_infer(&test->absolute, difference, v_a + v_b, df,
				 (double) a->n + b->n, options);
	effect_infer(&test->relative, base > 0 ? difference / base : NAN,
				 base > 0 ?
					 (arm_variance(a, quotient, theta) + v_b) / (base * base) :
					 NAN,
				 df, (double) a->n + b->n, options);
	shared = a->variance - (adjusted ? theta * a->covariance : 0);
	fieller_interval(test, a->mean, arm_variance(a, 1, 0), -shared / a->n,
					 options);
}

/* ---- SQL ---- */

static int
put_effect(Datum *values, const Effect *effect)
{
	values[0] = Float8GetDatum(effect->estimate);
	values[1] = Float8GetDatum(effect->stderror);
	values[2] = Float8GetDatum(effect->low);
	values[3] = Float8GetDatum(effect->high);
	values[4] = Float8GetDatum(effect->p);
	return 5;
}

Datum
lift_test_row(FunctionCallInfo fcinfo, const LiftTest *test)
{
	Datum values[22];
	int n = 0;

	values[n++] = Int64GetDatum(test->control.n);
	values[n++] = Int64GetDatum(test->treatment.n);
	values[n++] = Float8GetDatum(test->control.mean);
	values[n++] = Float8GetDatum(test->treatment.mean);
	n += put_effect(values + n, &test->absolute);
	n += put_effect(values + n, &test->relative);
	values[n++] = Float8GetDatum(test->fieller_low);
	values[n++] = Float8GetDatum(test->fieller_high);
	values[n++] = Float8GetDatum(test->absolute.t);
	values[n++] = Float8GetDatum(test->absolute.df);
	values[n++] = Float8GetDatum(test->theta);
	values[n++] = Float8GetDatum(test->variance_reduction);
	return make_row(result_type(fcinfo), values);
}

static void
check_same_variables(const Summary *a, const Summary *b, int least)
{
	if (a->n > 0 && b->n > 0 && a->k != b->k)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(
					 "control and treatment have different numbers of variables"),
				 errdetail("They have %d and %d.", a->k, b->k),
				 errhint("Use the same arguments of moments() for both.")));
	if ((a->n > 0 && a->k < least) || (b->n > 0 && b->k < least))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a ratio needs moments of numerator and denominator"),
				 errhint("Use moments(numerator, denominator).")));
}

Datum
personalize_compare(PG_FUNCTION_ARGS)
{
	CompareOptions options;
	LiftTest test;
	Summary a;
	Summary b;

	arg_compare_options(fcinfo, 2, &options);
	arg_summary(fcinfo, 0, &a);
	arg_summary(fcinfo, 1, &b);
	check_same_variables(&a, &b, 1);
	if (Max(a.k, b.k) > 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("moments of four variables are those of a ratio"),
				 errhint("Use compare_ratio().")));
	arm_of_means(&a, &test.control);
	arm_of_means(&b, &test.treatment);
	compare_arms(&test, false, &options);
	PG_RETURN_DATUM(lift_test_row(fcinfo, &test));
}

Datum
personalize_compare_ratio(PG_FUNCTION_ARGS)
{
	CompareOptions options;
	LiftTest test;
	Summary a;
	Summary b;

	arg_compare_options(fcinfo, 2, &options);
	arg_summary(fcinfo, 0, &a);
	arg_summary(fcinfo, 1, &b);
	check_same_variables(&a, &b, 2);
	arm_of_ratio(&a, &test.control);
	arm_of_ratio(&b, &test.treatment);
	compare_arms(&test, true, &options);
	PG_RETURN_DATUM(lift_test_row(fcinfo, &test));
}
