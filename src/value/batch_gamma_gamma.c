/*
 * batch_gamma_gamma.c
 *		Log likelihood of a sample of spending under Gamma-Gamma.
 *
 * Of x purchases of mean value m (P. Fader and B. Hardie, "The Gamma-Gamma
 * Model of Monetary Value", 2013):
 *
 *		Gamma(px + q) / (Gamma(px) Gamma(q)) v^q m^(px - 1) x^(px)
 *			/ (v + mx)^(px + q)
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "numeric/numeric.h"
#include "value/value.h"

/* What depends on m: adds its derivatives by ln p, ln q, ln v to gradient. */
static double
sum_rows(const FitSet *set, const FitGroup *group, const double *params,
		 double *gradient)
{
	const double *values = group_points(set, group);
	double px = params[0] * group->x;
	double q = params[1];
	double v = params[2];
	double total = 0;
	double log_own = 0;
	double log_prior = 0;
	double scale = 0;

	for (int64 i = group->first; i < group->first + group->n; i++)
	{
		double weight = set->weights[i];
		double m = values[set->t_x[i]];
		double spent = m * group->x;
		double own = log1p(v / spent);	 /* -ln(spent / (v + spent)) */
		double prior = log1p(spent / v); /* -ln(v / (v + spent)) */

		total -= weight * (px * own + q * prior + log(m));
		log_own += weight * own;
		log_prior += weight * prior;
		scale += weight * (q * spent - px * v) / (v + spent);
	}
	gradient[0] -= px * log_own;
	gradient[1] -= q * log_prior;
	gradient[2] += scale;
	return total;
}

double
gamma_gamma_log_likelihood_sum(const FitSet *set, const double *params,
							   double *gradient)
{
	double q = params[1];
	double sums[GAMMA_GAMMA_PARAMS] = { 0 };
	double total = 0;

	for (int i = 0; i < set->ngroups; i++)
	{
		const FitGroup *group = &set->groups[i];
		double px = params[0] * group->x;
		double weight = group->weight;
		double slope = digamma(px + q);

		CHECK_FOR_INTERRUPTS();
		total += sum_rows(set, group, params, sums) - weight * log_beta(px, q);
		sums[0] += weight * px * (slope - digamma(px));
		sums[1] += weight * q * (slope - digamma(q));
	}
	if (gradient != NULL)
	{
		for (int i = 0; i < GAMMA_GAMMA_PARAMS; i++)
			gradient[i] += sums[i];
	}
	return total;
}
