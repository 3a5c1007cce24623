/*
 * bayes.c
 *		Bayesian readings of an experiment.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "common/record.h"
#include "numeric/numeric.h"
#include "planning/planning.h"
#include "planning/posterior.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_bayes_effect);
PG_FUNCTION_INFO_V1(personalize_bayes_proportion);
PG_FUNCTION_INFO_V1(personalize_bayes_rate);

/* From here on the series has converged. */
#define FAR 10

/*
 * The average by which a standard normal variable is above x, where it is, and
 * else 0: density(x) - x tail(x), far out by its asymptotic series.
 */
static double
normal_excess(double x)
{
	double term = 1;
	double sum = 0;

	if (x <= FAR)
		return normal_density(x) - x * normal_tail(x);
	for (int n = 1; n < 25; n++)
	{
		sum += term;
		term *= -(2 * n + 1) / (x * x);
	}
	return normal_density(x) / (x * x) * sum;
}

static Datum
effect_row(FunctionCallInfo fcinfo, double mean, double sd, double alpha)
{
	double z = mean / sd;
	double halfwidth = -normal_quantile(alpha / 2) * sd;
	double numbers[] = {
		mean,
		sd,
		mean - halfwidth,
		mean + halfwidth,
		normal_cdf(z),
		sd * normal_excess(-z),
		sd * normal_excess(z),
	};

	if (!isfinite(z) || !isfinite(fabs(mean) + halfwidth))
		float_overflow_error();
	return number_row(fcinfo, numbers, lengthof(numbers));
}

/*
 * The effect is normal, as its estimate is; a normal prior adds its precision,
 * and a flat one nothing.
 */
Datum
personalize_bayes_effect(PG_FUNCTION_ARGS)
{
	double estimate = arg_real(fcinfo, 0, "estimate");
	double standard_error = arg_positive(fcinfo, 1, "stderr");
	double prior_mean = arg_real(fcinfo, 2, "prior_mean");
	double alpha = arg_alpha(fcinfo, 4, TWO_SIDED);
	double mean = estimate;
	double sd = standard_error;

	if (!PG_ARGISNULL(3))
	{
		double prior_sd = sqrt(arg_positive(fcinfo, 3, "prior_variance"));
		double both = hypot(prior_sd, standard_error);
		double weight = prior_sd / both; /* squared, of the estimate */

		mean = prior_mean + (estimate - prior_mean) * weight * weight;
		sd = standard_error * weight;
	}
	PG_RETURN_DATUM(effect_row(fcinfo, mean, sd, alpha));
}

/* ---- proportions ---- */

static int64
arg_count(FunctionCallInfo fcinfo, int argno, const char *name)
{
	int64 count;

	arg_not_null(fcinfo, argno, name);
	count = PG_GETARG_INT64(argno);
	if (count < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", name),
				 errdetail("%s is %lld.", name, (long long) count),
				 errhint("Pass a number of units.")));
	return count;
}

static Posterior
arg_proportion_posterior(FunctionCallInfo fcinfo, int argno,
						 const char *success_name, const char *n_name)
{
	int64 successes = arg_count(fcinfo, argno, success_name);
	int64 n = arg_count(fcinfo, argno + 1, n_name);
	Posterior posterior = { false, arg_positive(fcinfo, 4, "prior_alpha"),
							arg_positive(fcinfo, 5, "prior_beta") };

	if (successes > n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be above %s", success_name, n_name),
				 errdetail("%s is %lld, and %s is %lld.", success_name,
						   (long long) successes, n_name, (long long) n),
				 errhint("Count each unit once: %s is the number of units, %s of those that converted. For events, of which a unit may have many, use bayes_rate().",
						 n_name, success_name)));
	posterior.a += successes;
	posterior.b += n - successes;
	return posterior;
}

Datum
personalize_bayes_proportion(PG_FUNCTION_ARGS)
{
	Posterior a = arg_proportion_posterior(fcinfo, 0, "success_a", "n_a");
	Posterior b = arg_proportion_posterior(fcinfo, 2, "success_b", "n_b");
	double alpha = arg_alpha(fcinfo, 6, TWO_SIDED);
	Comparison result = compare_posteriors(&a, &b, alpha);

	PG_RETURN_DATUM(comparison_row(fcinfo, &result));
}

/* ---- rates ---- */

static Posterior
arg_rate_posterior(FunctionCallInfo fcinfo, int argno, const char *count_name,
				   const char *exposure_name)
{
	double count = arg_not_negative(fcinfo, argno, count_name);
	double exposure = arg_positive(fcinfo, argno + 1, exposure_name);
	double shape = arg_positive(fcinfo, 4, "prior_shape");
	double rate = arg_not_negative(fcinfo, 5, "prior_rate");

	return (Posterior){ true, shape + count, rate + exposure };
}

/*
 * x / (x + y) of gamma variables is a beta variable, which tells the chance
 * without an integral.
 */
Datum
personalize_bayes_rate(PG_FUNCTION_ARGS)
{
	Posterior a = arg_rate_posterior(fcinfo, 0, "count_a", "exposure_a");
	Posterior b = arg_rate_posterior(fcinfo, 2, "count_b", "exposure_b");
	double alpha = arg_alpha(fcinfo, 6, TWO_SIDED);
	Comparison result = compare_posteriors(&a, &b, alpha);
	double share = a.b / (a.b + b.b);

	result.chance_to_win =
		exp(log_beta_inc_rest(a.a, b.a, share, b.b / (a.b + b.b)));
	PG_RETURN_DATUM(comparison_row(fcinfo, &result));
}
