/*
 * gamma_gamma.c
 *		Gamma-Gamma: what customers spend on a purchase.
 *
 * Fader and Hardie 2013, "The Gamma-Gamma model of monetary value",
 * www.brucehardie.com/notes/025.  Values of one customer's purchases are
 * Gamma(p, nu) distributed, nu among customers Gamma(q, v).
 */
#include "postgres.h"

#include <math.h>

#include "numeric/numeric.h"
#include "value/value.h"

/* Equation 1a, for x > 0 and m > 0. */
double
gamma_gamma_log_likelihood(const double *params, double x, double m,
						   double weight, double *gradient)
{
	double p = params[0];
	double q = params[1];
	double v = params[2];
	double own = -log1p(v / (m * x));  /* ln of m x / (v + m x) */
	double others = -log1p(m * x / v); /* ln of v / (v + m x) */

	if (gradient != NULL)
	{
		double both = digamma(p * x + q);

		gradient[0] += weight * x * (both - digamma(p * x) + own);
		gradient[1] += weight * (both - digamma(q) + others);
		gradient[2] += weight * (q * m - p * v) * x / (v * (v + m * x));
	}
	return q * others + p * x * own - log(m) - log_beta(p * x, q);
}

/* Equation 5: the mean of the customer and of all, weighted. */
double
gamma_gamma_expected(const double *params, double x, double m)
{
	double p = params[0];
	double q = params[1];
	double v = params[2];

	/* no mean exists if too many customers spend very much */
	if (p * x + q <= 1)
		return INFINITY;
	return p * (v + m * x) / (p * x + q - 1);
}
