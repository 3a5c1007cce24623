/*
 * planning.h
 *		Planning an experiment, looking at it while it runs, and reading its
 *		result the Bayesian way: what the part's functions share.
 */
#ifndef PERSONALIZE_PLANNING_H
#define PERSONALIZE_PLANNING_H

#include "fmgr.h"

/* ---- always_valid.c: intervals and p-values that bear any number of looks */

/*
 * The parameter of the mixture that makes intervals of level 1 - alpha
 * narrowest when about `tuning` units have been seen; alpha is below 1, and
 * below 1/2 if one-sided.
 */
extern double always_valid_rho(double alpha, double tuning, bool one_sided);

/* From the estimate to an end of its interval, n > 0 units having been seen. */
extern double
always_valid_halfwidth(double standard_error, double n, double alpha,
					   double tuning, bool one_sided);

/*
 * The smallest level at which that interval leaves out 0, for an estimate of z
 * standard errors.  The mixture remains the one of alpha.  If one-sided, z > 0
 * speaks against the null hypothesis: the caller gives it its sign.
 */
extern double always_valid_p_value(double z, double n, double alpha,
								   double tuning, bool one_sided);

/* ---- args.c: arguments of SQL functions, not NULL, in their range ---- */

typedef enum Alternative
{
	TWO_SIDED,
	GREATER,
	LESS
} Alternative;

/* The number of a name in a list that NULL ends; an unknown one is an error. */
extern int arg_choice(FunctionCallInfo fcinfo, int argno, const char *name,
					  const char *const *choices);
extern Alternative arg_alternative(FunctionCallInfo fcinfo, int argno);

/* Above 0 and below 1, or 1/2 if one-sided. */
extern double
arg_alpha(FunctionCallInfo fcinfo, int argno, Alternative alternative);

/* Finite, finite and above 0, finite and 0 or more, inside of (0, 1). */
extern double arg_real(FunctionCallInfo fcinfo, int argno, const char *name);
extern double
arg_positive(FunctionCallInfo fcinfo, int argno, const char *name);
extern double
arg_not_negative(FunctionCallInfo fcinfo, int argno, const char *name);
extern double
arg_proportion(FunctionCallInfo fcinfo, int argno, const char *name);

/* Refuses a number, and says what to do. */
extern void out_of_range(const char *name, double value, const char *range,
						 const char *hint);

/* ---- design.c: what all plans have in common ---- */

typedef struct Design
{
	Alternative alternative;
	double alpha;
	double tail_alpha; /* of each tail that rejects */
	double ratio;	   /* units of the second arm by those of the first */
} Design;

/* From alpha, ratio and alternative, by their numbers as arguments. */
extern Design
arg_design(FunctionCallInfo fcinfo, int alpha, int ratio, int alternative);

/* A power that can be planned for: above alpha. */
extern double
arg_power(FunctionCallInfo fcinfo, int argno, const Design *design);

/* An effect that the test looks for: not 0, and of the sign it looks for. */
extern void check_effect(double effect, const char *name, const Design *design);

/* Standard errors from 0 that reject, and that have the power to. */
extern double critical_z(const Design *design);
extern double needed_z(const Design *design, double power);

/* The effect in the direction in which the test looks. */
static inline double
directed(const Design *design, double effect)
{
	if (design->alternative == TWO_SIDED)
		return effect < 0 ? -effect : effect;
	return design->alternative == LESS ? -effect : effect;
}

/*
 * The chance of rejecting and of not doing so, each as exact as it is small,
 * and a normal quantile of it, which is nearly linear in the effect.
 */
typedef struct Power
{
	double reject;
	double miss;
} Power;

/* Of a normal statistic of that mean, in standard errors. */
extern Power normal_power(const Design *design, double mean);
extern double power_probit(Power power);

/* ---- solve.c ---- */

/*
 * Where an increasing function is 0, between low, where it is negative, and
 * high, where it is not, to a part `close` of the answer.
 */
#define EXACT 1e-14

typedef double (*Increasing)(double x, void *context);
extern double
find_zero(Increasing f, void *context, double low, double high, double close);

/* The same above low, start being a guess at how far up. */
extern double find_zero_above(Increasing f, void *context, double low,
							  double start, double close);

#endif
