/*
 * means.c
 *		Sample size, power and detectable effect of a difference of means.
 *
 * By the t test of equal variances, whose power is a tail of the noncentral t
 * (Cohen, "Statistical Power Analysis", 1988, chapter 2), or by the normal
 * distribution in its place.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "numeric/numeric.h"
#include "planning/planning.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_sample_size_means);
PG_FUNCTION_INFO_V1(personalize_power_means);
PG_FUNCTION_INFO_V1(personalize_minimum_detectable_effect_means);

/* Fewest units of an arm in a plan for a t test. */
#define FEWEST 2

typedef struct MeansPlan
{
	Design design;
	bool student;
	double n;	   /* of the first arm */
	double size;   /* the effect in standard deviations, directed */
	double wanted; /* probit of the power that is wanted */
} MeansPlan;

static bool
arg_student(FunctionCallInfo fcinfo, int argno)
{
	static const char *const methods[] = { "t", "z", NULL };

	return arg_choice(fcinfo, argno, "method", methods) == 0;
}

/* The standard deviation that is left after an adjustment such as CUPED. */
static double
arg_adjusted_sd(FunctionCallInfo fcinfo, int sd_argno, int reduction_argno)
{
	double sd = arg_positive(fcinfo, sd_argno, "sd");
	double reduction =
		arg_not_negative(fcinfo, reduction_argno, "variance_reduction");

	if (reduction >= 1)
		out_of_range("variance_reduction", reduction, "below 1",
					 "It is the part of the variance that a covariate explains: the square of their correlation.");
	return sd * sqrt(1 - reduction);
}

static double
arg_n(FunctionCallInfo fcinfo, const MeansPlan *plan, int argno)
{
	double n = arg_positive(fcinfo, argno, "n");

	if (plan->student && !(n * Min(1, plan->design.ratio) >= FEWEST))
		out_of_range("n", n, "2 or more in both arms for a t test",
					 "n counts the units of the first arm, and the second has ratio times as many. method => 'z' takes any n.");
	return n;
}

/* Standard errors of the difference in a standard deviation. */
static double
precision(const MeansPlan *plan)
{
	return sqrt(plan->n * (plan->design.ratio / (1 + plan->design.ratio)));
}

static Power
student_power(const MeansPlan *plan)
{
	const Design *design = &plan->design;
	double df = plan->n * (1 + design->ratio) - 2;
	double critical = -student_quantile(design->tail_alpha, df);
	/* further out nothing changes but squares that leave a double's range */
	double shift = Max(Min(plan->size * precision(plan), 1e100), -1e100);
	Power power = { exp(log_student_noncentral_tail(critical, df, shift)),
					exp(log_student_noncentral_tail(-critical, df, -shift)) };

	if (design->alternative == TWO_SIDED)
	{
		double wrong_side =
			exp(log_student_noncentral_tail(critical, df, -shift));

		power.reject += wrong_side;
		power.miss -= wrong_side;
	}
	return power;
}

static double
excess_for_root_n(double root_n, void *context)
{
	MeansPlan *plan = context;

	plan->n = root_n * root_n;
	return power_probit(student_power(plan)) - plan->wanted;
}

static double
excess_for_size(double size, void *context)
{
	MeansPlan *plan = context;

	plan->size = size;
	return power_probit(student_power(plan)) - plan->wanted;
}

Datum
personalize_sample_size_means(PG_FUNCTION_ARGS)
{
	MeansPlan plan = { .design = arg_design(fcinfo, 2, 4, 5),
					   .student = arg_student(fcinfo, 6) };
	double effect = arg_real(fcinfo, 0, "effect");
	double sd = arg_adjusted_sd(fcinfo, 1, 7);
	double power = arg_power(fcinfo, 3, &plan.design);
	double root_n;

	check_effect(effect, "effect", &plan.design);
	plan.size = directed(&plan.design, effect) / sd;
	root_n = needed_z(&plan.design, power) / plan.size *
		sqrt(1 + 1 / plan.design.ratio);
	if (!isfinite(root_n * root_n))
		float_overflow_error();
	if (plan.student)
	{
		double fewest = FEWEST / Min(1, plan.design.ratio);

		plan.wanted = normal_quantile(power);
		if (excess_for_root_n(sqrt(fewest), &plan) >= 0)
			PG_RETURN_FLOAT8(fewest);
		root_n = find_zero_above(excess_for_root_n, &plan, sqrt(fewest), root_n,
								 EXACT);
	}
	PG_RETURN_FLOAT8(root_n * root_n);
}

Datum
personalize_power_means(PG_FUNCTION_ARGS)
{
	MeansPlan plan = { .design = arg_design(fcinfo, 3, 4, 5),
					   .student = arg_student(fcinfo, 6) };
	double effect = arg_real(fcinfo, 0, "effect");
	double sd = arg_adjusted_sd(fcinfo, 1, 7);
	Power power;

	plan.n = arg_n(fcinfo, &plan, 2);
	plan.size = directed(&plan.design, effect) / sd;
	if (plan.student)
		power = student_power(&plan);
	else
		power = normal_power(&plan.design, plan.size * precision(&plan));
	PG_RETURN_FLOAT8(Min(power.reject, 1));
}

Datum
personalize_minimum_detectable_effect_means(PG_FUNCTION_ARGS)
{
	MeansPlan plan = { .design = arg_design(fcinfo, 2, 4, 5),
					   .student = arg_student(fcinfo, 6) };
	double sd = arg_adjusted_sd(fcinfo, 1, 7);
	double power = arg_power(fcinfo, 3, &plan.design);
	double size;

	plan.n = arg_n(fcinfo, &plan, 0);
	size = needed_z(&plan.design, power) / precision(&plan);
	if (plan.student)
	{
		plan.wanted = normal_quantile(power);
		size = find_zero_above(excess_for_size, &plan, 0, size, EXACT);
	}
	if (!isfinite(size * sd))
		float_overflow_error();
	PG_RETURN_FLOAT8(plan.design.alternative == LESS ? -size * sd : size * sd);
}
