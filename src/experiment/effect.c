/*
 * effect.c
 *		From an estimate and its variance to a p-value and an interval.
 */
#include "postgres.h"

#include <math.h>

#include "experiment/experiment.h"
#include "numeric/numeric.h"

/* The tail or tails that are as far out as t. */
static double
fixed_p_value(double t, double df, Alternative alternative)
{
	switch (alternative)
	{
		case GREATER:
			return student_tail(t, df);
		case LESS:
			return student_tail(-t, df);
		default:
			return Min(2 * student_tail(fabs(t), df), 1);
	}
}

/* The same for any number of looks. */
static double
valid_p_value(double t, double n, const CompareOptions *options)
{
	if (options->alternative == LESS)
		t = -t;
	return always_valid_p_value(t, n, options->alpha, options->tuning,
								options->alternative != TWO_SIDED);
}

static double
half_width(const Effect *effect, double n, const CompareOptions *options)
{
	double alpha = options->alpha;

	if (options->always_valid)
		return always_valid_halfwidth(effect->stderror, n, alpha,
									  options->tuning,
									  options->alternative != TWO_SIDED);
	if (options->alternative == TWO_SIDED)
		alpha /= 2;
	return -student_quantile(alpha, effect->df) * effect->stderror;
}

void
effect_infer(Effect *effect, double estimate, double variance, double df,
			 double n, const CompareOptions *options)
{
	double width;

	effect->estimate = estimate;
	effect->stderror = sqrt(variance);
	effect->df = effect->t = effect->p = effect->low = effect->high = NAN;
	/* of constant outcomes there is no telling */
	if (!isfinite(estimate) || !(variance > 0) || !isfinite(variance))
		return;

	effect->df = options->always_valid ? INFINITY : df;
	effect->t = estimate / effect->stderror;
	effect->p = options->always_valid ?
		valid_p_value(effect->t, n, options) :
		fixed_p_value(effect->t, df, options->alternative);
	width = half_width(effect, n, options);
	effect->low = options->alternative == LESS ? -INFINITY : estimate - width;
	effect->high =
		options->alternative == GREATER ? INFINITY : estimate + width;
}
