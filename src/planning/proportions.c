/*
 * proportions.c
 *		Sample size, power and detectable effect of a difference of proportions.
 *
 * All by normal approximations: that of the difference, with the variance of
 * both arms (unpooled) or, to reject, that of their mean (pooled; Fleiss,
 * "Statistical Methods for Rates and Proportions", 1981, 3.2), and that of the
 * arcsine of the root, whose variance does not depend on the proportion
 * (Cohen 1988, chapter 6).
 */
#include "postgres.h"

#include <math.h>

#include "numeric/numeric.h"
#include "planning/planning.h"
#include "utils/builtins.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_sample_size_proportions);
PG_FUNCTION_INFO_V1(personalize_power_proportions);
PG_FUNCTION_INFO_V1(personalize_minimum_detectable_effect_proportions);

typedef enum Method
{
	UNPOOLED,
	POOLED,
	ARCSINE
} Method;

typedef struct ProportionsPlan
{
	Design design;
	Method method;
	double p1;
	double power;
	double wanted; /* probit of it */
	double n;	   /* of the first arm */
	double sign;   /* of the effect that is looked for */
} ProportionsPlan;

/* Two proportions; their difference is known better than they are. */
typedef struct Pair
{
	double p1;
	double p2;
	double difference;
} Pair;

static Method
arg_method(FunctionCallInfo fcinfo, int argno)
{
	/* in the order of the enum */
	static const char *const methods[] = { "unpooled", "pooled", "arcsine",
										   NULL };

	return arg_choice(fcinfo, argno, "method", methods);
}

/* Standard errors of the difference, times the root of n: as it is ... */
static double
unpooled_error(const Design *design, const Pair *p)
{
	return sqrt(p->p1 * (1 - p->p1) + p->p2 * (1 - p->p2) / design->ratio);
}

/* ... and if both arms had their mean */
static double
pooled_error(const Design *design, const Pair *p)
{
	double share = 1 / (1 + design->ratio); /* of the first arm */
	double mean = p->p1 * share + p->p2 * (1 - share);

	return sqrt(mean * (1 - mean) * (1 + 1 / design->ratio));
}

/*
 * Cohen's h, 2 asin(sqrt(p2)) - 2 asin(sqrt(p1)), by the sine of a difference,
 * in standard errors if n is 1.
 */
static double
arcsine_distance(const Design *design, const Pair *p)
{
	double sine =
		p->difference / (sqrt(p->p2 * (1 - p->p1)) + sqrt(p->p1 * (1 - p->p2)));

	return 2 * asin(Max(Min(sine, 1), -1)) *
		sqrt(design->ratio / (1 + design->ratio));
}

static double
excess_for_mean(double mean, void *context)
{
	const ProportionsPlan *plan = context;

	return power_probit(normal_power(&plan->design, mean)) - plan->wanted;
}

/* The mean in standard errors that has exactly the power. */
static double
exact_needed_z(ProportionsPlan *plan)
{
	return find_zero_above(excess_for_mean, plan, 0,
						   needed_z(&plan->design, plan->power), EXACT);
}

/* The root of the n that a difference needs. */
static double
root_n(ProportionsPlan *plan, const Pair *p)
{
	const Design *design = &plan->design;
	double distance = fabs(p->difference);

	if (plan->method == UNPOOLED)
		return needed_z(design, plan->power) * unpooled_error(design, p) /
			distance;
	if (plan->method == POOLED)
		return (critical_z(design) * pooled_error(design, p) +
				plan->wanted * unpooled_error(design, p)) /
			distance;
	return exact_needed_z(plan) / fabs(arcsine_distance(design, p));
}

static Power
power_of(const ProportionsPlan *plan, const Pair *p)
{
	Design design = plan->design;
	double root = sqrt(plan->n);
	double error;

	if (plan->method == ARCSINE)
		return normal_power(&design,
							directed(&design,
									 root * arcsine_distance(&design, p)));
	error = unpooled_error(&design, p);
	if (plan->method == POOLED)
	{
		/* the critical value in units of the other error */
		double critical =
			critical_z(&design) * (pooled_error(&design, p) / error);

		design.tail_alpha = normal_tail(critical);
	}
	return normal_power(&design,
						directed(&design, root * p->difference / error));
}

/* Below 0 where the difference is too small to be found. */
static double
excess_for_difference(double distance, void *context)
{
	ProportionsPlan *plan = context;
	double difference = plan->sign * distance;
	Pair p = { plan->p1, Max(Min(plan->p1 + difference, 1), 0), difference };
	double root;

	if (distance == 0)
		return -1 / sqrt(plan->n);
	root = root_n(plan, &p);
	/* power below 1/2, near a proportion of 0 or 1 */
	if (!(root > 0))
		return INFINITY;
	return 1 / root - 1 / sqrt(plan->n);
}

/*
 * A difference from p1 that is found, or one that is not if there is none: the
 * farthest one, but that a power below 1/2 of the pooled variance can fall
 * again on the way there.
 */
static double
found_difference(ProportionsPlan *plan)
{
	const int tries = 256;
	double farthest = plan->sign > 0 ? 1 - plan->p1 : plan->p1;

	for (int i = tries; i > 0; i--)
	{
		double difference = farthest * ((double) i / tries);

		if (excess_for_difference(difference, plan) >= 0)
			return difference;
		if (plan->method != POOLED || plan->wanted >= 0)
			break;
	}
	return farthest;
}

static double
direction(FunctionCallInfo fcinfo, int argno, Alternative alternative)
{
	static const char *const directions[] = { "increase", "decrease", NULL };
	double sign;

	if (PG_ARGISNULL(argno))
		return alternative == LESS ? -1 : 1;
	sign = arg_choice(fcinfo, argno, "direction", directions) == 0 ? 1 : -1;
	if (alternative == (sign > 0 ? LESS : GREATER))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("direction is opposite to the alternative"),
				 errhint(
					 "Leave direction out: a one-sided alternative has its own.")));
	return sign;
}

/* ---- SQL functions ---- */

Datum
personalize_sample_size_proportions(PG_FUNCTION_ARGS)
{
	ProportionsPlan plan = { .design = arg_design(fcinfo, 2, 4, 5),
							 .method = arg_method(fcinfo, 6) };
	Pair p = { arg_proportion(fcinfo, 0, "p1"), arg_proportion(fcinfo, 1, "p2"),
			   0 };
	double root;

	p.difference = p.p2 - p.p1;
	plan.power = arg_power(fcinfo, 3, &plan.design);
	plan.wanted = normal_quantile(plan.power);
	check_effect(p.difference, "p2 - p1", &plan.design);
	root = root_n(&plan, &p);
	if (!(root > 0))
		root = 0;
	if (isinf(root * root))
		float_overflow_error();
	PG_RETURN_FLOAT8(root * root);
}

Datum
personalize_power_proportions(PG_FUNCTION_ARGS)
{
	ProportionsPlan plan = { .design = arg_design(fcinfo, 3, 4, 5),
							 .method = arg_method(fcinfo, 6) };
	Pair p = { arg_proportion(fcinfo, 0, "p1"), arg_proportion(fcinfo, 1, "p2"),
			   0 };

	p.difference = p.p2 - p.p1;
	plan.n = arg_positive(fcinfo, 2, "n");
	PG_RETURN_FLOAT8(Min(power_of(&plan, &p).reject, 1));
}

Datum
personalize_minimum_detectable_effect_proportions(PG_FUNCTION_ARGS)
{
	ProportionsPlan plan = { .design = arg_design(fcinfo, 2, 4, 5),
							 .method = arg_method(fcinfo, 6) };
	double found;

	plan.n = arg_positive(fcinfo, 0, "n");
	plan.p1 = arg_proportion(fcinfo, 1, "p1");
	plan.power = arg_power(fcinfo, 3, &plan.design);
	plan.wanted = normal_quantile(plan.power);
	plan.sign = direction(fcinfo, 7, plan.design.alternative);

	found = found_difference(&plan);
	if (excess_for_difference(found, &plan) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("n is too small to find any %s from p1",
						plan.sign > 0 ? "increase" : "decrease"),
				 errdetail("n is %s, and p1 is %s.", float8out_internal(plan.n),
						   float8out_internal(plan.p1)),
				 errhint("Plan for more units, or for less power.")));
	PG_RETURN_FLOAT8(plan.sign *
					 find_zero(excess_for_difference, &plan, 0, found, EXACT));
}
