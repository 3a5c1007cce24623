/*
 * dropout_mean.c
 *		Mean number of purchases of customers who may leave after each.
 *
 * One who buys at rate lambda, and leaves after a purchase with probability p,
 * makes (1 - exp(-lambda p t)) / p purchases within t on average.  With rates
 * Gamma(r, alpha) and p Beta(a, b) distributed, that is the mean over p of
 *
 *		(1 - (1 + p z)^-r) / p,	z = t / alpha,
 *
 * which Fader, Hardie and Lee 2005 write (equation 9) as
 *
 *		(a+b-1) / (a-1) [1 - (1-w)^r 2F1(r, b; a+b-1; w)],	w = z / (1+z),
 *
 * where 1 - w = alpha / (alpha + t).  Euler's transformation (DLMF 15.8.1)
 * makes it 2F1(a+b-1-r, a-1; a+b-1; w) (1-w)^(a-1), which converges faster the
 * more purchases the customer has made: they add to a + b - 1, but neither to
 * a - 1 nor, as they add to r as well, to a + b - 1 - r.  Its first term
 * belongs to the 1; the others have a factor a - 1, so that it cancels:
 *
 *		(a+b-1) (1 - (1-w)^(a-1)) / (a-1) - (1-w)^(a-1) (a+b-1-r) w S,
 *		S = sum over n of (a+b-r)_n (a)_n / ((a+b)_n (n+1)!) w^n.
 *
 * That is exact at a = 1 and where a + b < 1.  Where the sum is long or its
 * terms cancel, the mean over p is computed as the integral that it is.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "numeric/numeric.h"
#include "value/value.h"

/* The integral takes about as long as so many terms. */
#define MAX_TERMS 1500

/* So many times the result, and a number has too few digits in common. */
#define MAX_CANCELLATION 1e3

typedef struct Mean
{
	double r;
	double log_z;
	double a;
	double b;
} Mean;

/* ln of p^a (1-p)^b (1 - (1 + p z)^-r) / p at the logit of p. */
static double
log_integrand(double logit, void *context)
{
	const Mean *mean = context;
	double odds = exp(-fabs(logit));
	double log_p = -log1p(odds) + Min(logit, 0);
	double log_rest = -log1p(odds) - Max(logit, 0);
	double log_bought = log(mean->r) + mean->log_z + log_p;

	/* unless that is all that counts, and p z may underflow */
	if (log_bought > -100)
		log_bought = log(-expm1(-mean->r * log1p(exp(mean->log_z + log_p))));
	return (mean->a - 1) * log_p + mean->b * log_rest + log_bought;
}

static double
mean_by_integral(const Mean *mean)
{
	/* a point near which p a z is 1, or p is its mean */
	double start = Min(-mean->log_z, log(mean->a) - log(mean->b));

	return exp(log_integral(log_integrand, (void *) mean, INFINITY, start) -
			   log_beta(mean->a, mean->b));
}

/* S, and its largest term; NaN if the sum is too long. */
static double
sum_series(const Mean *mean, double w, double *largest)
{
	double p = mean->a + mean->b - mean->r;
	double q = mean->a;
	double c = mean->a + mean->b;
	double enough = DBL_EPSILON / 2 * (1 - w);
	double sum = 1;
	double term = 1;

	*largest = 1;
	for (double n = 0; n < MAX_TERMS; n++)
	{
		double size;

		term *= w * ((p + n) * (q + n)) / ((c + n) * (n + 2));
		sum += term;
		size = fabs(term);
		if (size > *largest)
			*largest = size;
		else if (size <= enough * fabs(sum))
			return sum;
	}
	return NAN;
}

double
dropout_mean(double r, double alpha, double a, double b, double t)
{
	Mean mean = { r, 0, a, b };
	double z = t / alpha;
	double w = t / (alpha + t);
	double log_time = isinf(z) ? log(t) - log(alpha) : log1p(z);
	double power = -(a - 1) * log_time; /* ln of (1-w)^(a-1) */
	double first;
	double factor;
	double largest;
	double result;

	if (t == 0)
		return 0;

	/* the limit for a = 1 is a logarithm */
	first = a + b - 1;
	first *= a == 1 ? log_time : -expm1(power) / (a - 1);
	factor = (a + b - 1 - r) * w * exp(power);
	result = first - factor * sum_series(&mean, w, &largest);

	/* true for NaN, too */
	if (!(Max(fabs(first), fabs(factor * largest)) <=
		  MAX_CANCELLATION * result))
	{
		mean.log_z = log(t) - log(alpha);
		return mean_by_integral(&mean);
	}
	return result;
}
