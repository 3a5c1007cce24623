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

/* Finite and above 0, finite and 0 or more, inside of (0, 1). */
extern double
arg_positive(FunctionCallInfo fcinfo, int argno, const char *name);
extern double
arg_not_negative(FunctionCallInfo fcinfo, int argno, const char *name);
extern double
arg_proportion(FunctionCallInfo fcinfo, int argno, const char *name);

/* ---- row.c: composite results ---- */

/* A row of numbers in the type that the function returns; NaN for NULL. */
extern Datum number_row(FunctionCallInfo fcinfo, const double *numbers, int n);

#endif
