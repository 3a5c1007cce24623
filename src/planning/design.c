/*
 * design.c
 *		What plans of means and of proportions have in common.
 */
#include "postgres.h"

#include <math.h>

#include "numeric/numeric.h"
#include "planning/planning.h"
#include "utils/builtins.h"
#include "utils/float.h"

Design
arg_design(FunctionCallInfo fcinfo, int alpha, int ratio, int alternative)
{
	Design design;

	design.alternative = arg_alternative(fcinfo, alternative);
	design.alpha = arg_alpha(fcinfo, alpha, design.alternative);
	design.tail_alpha =
		design.alternative == TWO_SIDED ? design.alpha / 2 : design.alpha;
	design.ratio = arg_positive(fcinfo, ratio, "ratio");
	return design;
}

double
arg_power(FunctionCallInfo fcinfo, int argno, const Design *design)
{
	double power = arg_proportion(fcinfo, argno, "power");

	if (!(power > design->alpha))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("power must be above alpha"),
				 errdetail("power is %s, and alpha is %s.",
						   float8out_internal(power),
						   float8out_internal(design->alpha)),
				 errhint(
					 "A test rejects with chance alpha even where there is no effect. Power is usually 0.8 or 0.9.")));
	return power;
}

void
check_effect(double effect, const char *name, const Design *design)
{
	if (effect == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be 0", name),
				 errhint("Pass the smallest effect that would matter to you.")));
	if (directed(design, effect) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is opposite to the alternative", name),
				 errdetail("%s is %s, and alternative is \"%s\".", name,
						   float8out_internal(effect),
						   design->alternative == LESS ? "less" : "greater"),
				 errhint("Use alternative => '%s', or change the sign of the effect.",
						 design->alternative == LESS ? "greater" : "less")));
}

double
critical_z(const Design *design)
{
	return -normal_quantile(design->tail_alpha);
}

double
needed_z(const Design *design, double power)
{
	return critical_z(design) + normal_quantile(power);
}

Power
normal_power(const Design *design, double mean)
{
	double critical = critical_z(design);
	Power power = { normal_tail(critical - mean),
					normal_tail(mean - critical) };

	if (design->alternative == TWO_SIDED)
	{
		double wrong_side = normal_tail(critical + mean);

		power.reject += wrong_side;
		power.miss -= wrong_side;
	}
	return power;
}

double
power_probit(Power power)
{
	if (power.reject < 0.5)
		return normal_quantile(power.reject);
	return -normal_quantile(Max(power.miss, 0));
}
