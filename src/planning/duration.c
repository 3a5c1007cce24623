/*
 * duration.c
 *		How long an experiment must run, and how much longer one that runs.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/args.h"
#include "numeric/numeric.h"
#include "planning/planning.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_experiment_duration);
PG_FUNCTION_INFO_V1(personalize_additional_sample);

#define DAYS_OF_WEEK 7

static int
arg_arms(FunctionCallInfo fcinfo, int argno)
{
	int arms;

	arg_not_null(fcinfo, argno, "arms");
	arms = PG_GETARG_INT32(argno);
	if (arms < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arms must be 2 or more"),
				 errdetail("arms is %d.", arms),
				 errhint("Count the control group too.")));
	return arms;
}

static double
arg_coverage(FunctionCallInfo fcinfo, int argno)
{
	double coverage = arg_positive(fcinfo, argno, "coverage");

	if (coverage > 1)
		out_of_range("coverage", coverage, "1 or less",
					 "It is the part of the traffic that takes part in the experiment, such as 0.2.");
	return coverage;
}

/* What is whole but for a rounding, such as 200 * 0.29 units a day, is so. */
static double
round_up(double x)
{
	return ceil(x * (1 - 4 * DBL_EPSILON));
}

Datum
personalize_experiment_duration(PG_FUNCTION_ARGS)
{
	double n = arg_positive(fcinfo, 0, "n");
	double daily = arg_positive(fcinfo, 1, "daily_traffic");
	double coverage = arg_coverage(fcinfo, 2);
	int arms = arg_arms(fcinfo, 3);
	double ratio = arg_positive(fcinfo, 4, "ratio");
	bool weeks = arg_bool(fcinfo, 5, false);
	double units = round_up(n) + (arms - 1.0) * round_up(n * ratio);
	double days = round_up(units / (daily * coverage));

	if (weeks)
		days = ceil(days / DAYS_OF_WEEK) * DAYS_OF_WEEK;
	if (!(days <= PG_INT32_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("experiment would run for more than %d days",
						PG_INT32_MAX),
				 errhint("Plan for a larger effect, or for fewer arms.")));
	PG_RETURN_INT32((int32) days);
}

/* ---- while it runs ---- */

typedef struct Midway
{
	Design design;
	double z; /* the effect in standard errors of today */
	double n; /* units today */
	double tuning;
	double wanted; /* probit of the power that is wanted */
} Midway;

/*
 * The standard error falls with the root of the number of units; how many
 * standard errors an always-valid interval takes changes as well.
 */
static double
excess_for_growth(double log_factor, void *context)
{
	const Midway *midway = context;
	double halfwidth =
		always_valid_halfwidth(1, midway->n * exp(log_factor),
							   midway->design.alpha, midway->tuning,
							   midway->design.alternative != TWO_SIDED);

	return midway->z * exp(0.5 * log_factor) - halfwidth - midway->wanted;
}

/* ln of how many times the units of today are needed. */
static double
log_growth(Midway *midway, bool sequential, double power)
{
	if (!sequential)
		return 2 * log(needed_z(&midway->design, power) / midway->z);
	if (excess_for_growth(0, midway) >= 0)
		return 0;
	return find_zero_above(excess_for_growth, midway, 0, 1, EXACT);
}

Datum
personalize_additional_sample(PG_FUNCTION_ARGS)
{
	Midway midway = { .n = arg_positive(fcinfo, 0, "n") };
	double standard_error = arg_positive(fcinfo, 1, "stderr");
	double effect = arg_real(fcinfo, 2, "effect");
	bool sequential = !PG_ARGISNULL(5);
	double power;
	double more;

	midway.design.alternative = arg_alternative(fcinfo, 6);
	midway.design.alpha = arg_alpha(fcinfo, 3, midway.design.alternative);
	midway.design.tail_alpha = midway.design.alternative == TWO_SIDED ?
		midway.design.alpha / 2 :
		midway.design.alpha;
	power = arg_power(fcinfo, 4, &midway.design);
	check_effect(effect, "effect", &midway.design);

	midway.z = directed(&midway.design, effect) / standard_error;
	midway.wanted = normal_quantile(power);
	if (sequential)
		midway.tuning = arg_positive(fcinfo, 5, "tuning");
	more = midway.n * expm1(Max(log_growth(&midway, sequential, power), 0));
	if (!isfinite(more))
		float_overflow_error();
	PG_RETURN_FLOAT8(more);
}
