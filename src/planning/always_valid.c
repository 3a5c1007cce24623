/*
 * always_valid.c
 *		Intervals and p-values that hold at all looks at once.
 *
 * An asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and
 * Ramdas, "Time-uniform central limit theory and asymptotic confidence
 * sequences", arXiv:2103.06476v7): the mixture over normal effects of Robbins,
 * for an estimate whose standard error shrinks as units come in.  Equation 9
 * is the interval, 155 its p-value, 134 the one-sided interval.
 *
 * All depend on n rho^2 alone, the number of units seen by the number that
 * the mixture is tuned for, but for a factor that alpha makes.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "planning/planning.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_sequential_rho);
PG_FUNCTION_INFO_V1(personalize_always_valid_halfwidth);
PG_FUNCTION_INFO_V1(personalize_always_valid_p);

/* rho^2 tuning: a one-sided interval is nearly the two-sided of 2 alpha */
static double
tuned_scale(double alpha, bool one_sided)
{
	double log_alpha = log(one_sided ? 2 * alpha : alpha);

	return -2 * log_alpha + log1p(-2 * log_alpha);
}

double
always_valid_rho(double alpha, double tuning, bool one_sided)
{
	return sqrt(tuned_scale(alpha, one_sided) / tuning);
}

double
always_valid_halfwidth(double standard_error, double n, double alpha,
					   double tuning, bool one_sided)
{
	double scale = tuned_scale(alpha, one_sided) * (n / tuning); /* n rho^2 */
	double log_root = 0.5 * log1p(scale);
	double log_factor;

	if (one_sided)
		log_factor = log1p(exp(log_root) / (2 * alpha));
	else
		log_factor = log_root - log(alpha);
	return standard_error * sqrt(2 * (1 + 1 / scale) * log_factor);
}

double
always_valid_p_value(double z, double n, double alpha, double tuning,
					 bool one_sided)
{
	double scale = tuned_scale(alpha, one_sided) * (n / tuning);
	double log_root = 0.5 * log1p(scale);
	double gain = z * z / (2 * (1 + 1 / scale));
	double log_p = log_root - gain;

	if (one_sided && !(z > 0))
		return isnan(z) ? z : 1;
	/* solved for p: gain = ln(1 + exp(log_root) / (2 p)) */
	if (one_sided)
		log_p -= M_LN2 + log(-expm1(-gain));
	return exp(Min(log_p, 0));
}

/* ---- SQL functions ---- */

Datum
personalize_sequential_rho(PG_FUNCTION_ARGS)
{
	Alternative alternative = arg_alternative(fcinfo, 2);
	double alpha = arg_alpha(fcinfo, 0, alternative);
	double tuning = arg_positive(fcinfo, 1, "tuning");

	PG_RETURN_FLOAT8(always_valid_rho(alpha, tuning, alternative != TWO_SIDED));
}

Datum
personalize_always_valid_halfwidth(PG_FUNCTION_ARGS)
{
	Alternative alternative = arg_alternative(fcinfo, 4);
	double standard_error = arg_not_negative(fcinfo, 0, "stderr");
	double n = arg_positive(fcinfo, 1, "n");
	double alpha = arg_alpha(fcinfo, 2, alternative);
	double tuning = arg_positive(fcinfo, 3, "tuning");
	double halfwidth = always_valid_halfwidth(standard_error, n, alpha, tuning,
											  alternative != TWO_SIDED);

	if (!isfinite(halfwidth))
		float_overflow_error();
	PG_RETURN_FLOAT8(halfwidth);
}

/* Without a spread only an estimate of 0 is compatible with no effect. */
static double
in_standard_errors(double estimate, double standard_error)
{
	return estimate == 0 ? 0 : estimate / standard_error;
}

Datum
personalize_always_valid_p(PG_FUNCTION_ARGS)
{
	Alternative alternative = arg_alternative(fcinfo, 5);
	double estimate = arg_real(fcinfo, 0, "estimate");
	double standard_error = arg_not_negative(fcinfo, 1, "stderr");
	double n = arg_positive(fcinfo, 2, "n");
	double alpha = arg_alpha(fcinfo, 3, alternative);
	double tuning = arg_positive(fcinfo, 4, "tuning");
	double z = in_standard_errors(estimate, standard_error);

	PG_RETURN_FLOAT8(always_valid_p_value(alternative == LESS ? -z : z, n,
										  alpha, tuning,
										  alternative != TWO_SIDED));
}
