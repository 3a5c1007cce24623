/*
 * hypergeometric.c
 *		Gauss's 2F1 and Tricomi's U, in log space.
 *
 * Both are integrals of positive functions (DLMF 15.6.1, 13.4.4), and so they
 * are computed, but for arguments where the series of 2F1 is short.  That
 * knows no near poles, as the connection formulas do.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "numeric/numeric.h"

#define MAX_TERMS 500

/* Of the recurrence: a fraction of a second. */
#define MAX_STEPS 1e6

/* A factor that keeps a sum or a recurrence within the range of a double. */
#define RESCALE 1e-200

typedef struct Hypergeometric
{
	double a;
	double b;
	double c;
	double z;
	double rest; /* 1 - z, without what rounding takes away */
} Hypergeometric;

static double positive(const Hypergeometric *h);

static double
log_rest(const Hypergeometric *h)
{
	return fabs(h->z) < 0.5 ? log1p(-h->z) : log(h->rest);
}

/* DLMF 15.2.1, all terms positive; NaN if it is too long. */
static double
series(const Hypergeometric *h)
{
	double term = 1;
	double sum = 0; /* without the first term, 1 */
	double log_scale = 0;

	for (double n = 0; n < MAX_TERMS; n++)
	{
		double ratio = (h->a + n) * (h->b + n) / ((h->c + n) * (n + 1)) * h->z;

		term *= ratio;
		sum += term;
		if (ratio < 1 && term <= DBL_EPSILON / 4 * (1 - ratio) * sum)
			return log_scale > 0 ? log(sum) + log_scale : log1p(sum);
		if (sum * RESCALE > 1)
		{
			sum *= RESCALE;
			term *= RESCALE;
			log_scale -= log(RESCALE);
		}
	}
	return NAN;
}

/* ln of t^b (1-t)^(c-b) (1 - z t)^-a at the logit of t. */
static double
euler_integrand(double logit, void *context)
{
	const Hypergeometric *h = context;
	double odds = exp(-fabs(logit));
	double log_t = -log1p(odds) + Min(logit, 0);
	double log_rest = -log1p(odds) - Max(logit, 0);
	double t = exp(log_t);

	return h->b * log_t + (h->c - h->b) * log_rest -
		h->a * log(exp(log_rest) + h->rest * t);
}

/* DLMF 15.6.1, for c > b. */
static double
by_integral(const Hypergeometric *h)
{
	double start = Min(log(h->b) - log(h->c - h->b), -log(h->rest));

	return log_integral(euler_integrand, (void *) h, INFINITY, start) -
		log_beta(h->b, h->c - h->b);
}

/* ln of t^-q (1-t)^(c+q) (1 - (1 - z t)^p), p = a - c, q = b - c. */
static double
excess_integrand(double logit, void *context)
{
	const Hypergeometric *h = context;
	double odds = exp(-fabs(logit));
	double log_t = -log1p(odds) + Min(logit, 0);
	double log_rest = -log1p(odds) - Max(logit, 0);
	double t = exp(log_t);
	double p = h->a - h->c;
	double log_power = log(p * h->z) + log_t;

	/* unless that is all that counts, and t may underflow */
	if (log_power > -100)
		log_power = log(-expm1(
			p *
			(t < 0.5 ? log1p(-h->z * t) : log(exp(log_rest) + h->rest * t))));
	return (h->c - h->b) * log_t + h->b * log_rest + log_power;
}

/*
 * For b - 1 < c < b <= a.  Euler's transformation (DLMF 15.8.1) leaves 2F1(-p,
 * -q; c; z), of which the part above 1 is p q z / c times the integral of
 * 2F1(1-p, 1-q; 1+c; z s) over s from 0 to 1 (DLMF 15.5.1).  In 15.6.1 for
 * that, s can be integrated first.
 */
static double
by_excess(const Hypergeometric *h)
{
	double q = h->b - h->c;
	double factor = q / h->c * exp(-log_beta(1 - q, h->c + q));

	return log1p(factor *
				 exp(log_integral(excess_integrand, (void *) h, INFINITY,
								  -log(h->rest)))) -
		(h->a + q) * log_rest(h);
}

/* For c < b <= a, from two larger c downward by DLMF 15.5.18: all positive. */
static double
by_recurrence(const Hypergeometric *h)
{
	double steps = ceil(h->b - h->c) - 1;
	Hypergeometric start = *h;
	double log_scale;
	double value = 1;
	double above;

	if (!(steps <= MAX_STEPS))
		return NAN;
	start.c = h->c + steps;
	log_scale = start.c < h->b ? by_excess(&start) : positive(&start);
	if (steps == 0)
		return log_scale;
	start.c++;
	above = exp(positive(&start) - log_scale);

	for (double n = steps; n > 0; n--)
	{
		double c = h->c + n;
		double below;

		below = c * (h->rest * (c - 1) + (h->a + h->b - c) * h->z) * value +
			(c - h->a) * (c - h->b) * h->z * above;
		below /= c * (c - 1) * h->rest;
		above = value;
		value = below;
		if (value * RESCALE > 1)
		{
			value *= RESCALE;
			above *= RESCALE;
			log_scale -= log(RESCALE);
		}
	}
	return log(value) + log_scale;
}

/* Pfaff's transformation (DLMF 15.8.1) of z < 0 to 0 < z < 1, for c > b. */
static double
by_pfaff(const Hypergeometric *h)
{
	Hypergeometric pfaff;

	pfaff.a = h->a;
	pfaff.b = h->c - h->b;
	pfaff.c = h->c;
	pfaff.z = -h->z / h->rest;
	pfaff.rest = 1 / h->rest;
	return positive(&pfaff) - h->a * log1p(-h->z);
}

/* With b the smaller one of a and b. */
static double
positive(const Hypergeometric *h)
{
	double value;

	if (h->a < h->b)
	{
		Hypergeometric swapped = *h;

		swapped.a = h->b;
		swapped.b = h->a;
		return positive(&swapped);
	}
	if (h->c == h->a)
		return -h->b * log_rest(h);
	if (h->c == h->b)
		return -h->a * log_rest(h);
	if (h->z < 0)
		return by_pfaff(h);

	value = series(h);
	if (!isnan(value))
		return value;
	return h->c > h->b ? by_integral(h) : by_recurrence(h);
}

double
log_hyp2f1(double a, double b, double c, double z)
{
	Hypergeometric h = { a, b, c, z, 1 - z };

	if (!(a > 0 && b > 0 && c > 0 && z < 1))
		return NAN;
	if (z < 0 && c < a && c < b)
		return NAN; /* it oscillates */
	return positive(&h);
}

typedef struct Confluent
{
	double a;
	double b;
	double z;
} Confluent;

/* ln of exp(-z t) t^a (1 + t)^(b-a-1) at ln t. */
static double
tricomi_integrand(double log_t, void *context)
{
	const Confluent *u = context;
	double t = exp(log_t);
	double log_more = log_t > 0 ? log_t + log1p(1 / t) : log1p(t);

	return u->a * log_t + (u->b - u->a - 1) * log_more - u->z * t;
}

/* DLMF 13.4.4. */
double
log_hyperu(double a, double b, double z)
{
	Confluent u = { a, b, z };

	if (!(a > 0 && z > 0) || isnan(b))
		return NAN;
	return log_integral(tricomi_integrand, &u, INFINITY, log(a) - log(a + z)) -
		log_gamma(a);
}
