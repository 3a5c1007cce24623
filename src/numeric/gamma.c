/*
 * gamma.c
 *		The gamma function and its kin, in log space.
 */
#include "postgres.h"

#include <math.h>

#include "numeric/numeric.h"

/* From here on the asymptotic series below are as exact as a double. */
#define LARGE 10.0

#define LN_SQRT_2PI 0.91893853320467274178

/* The polynomial of these coefficients, constant first, at x. */
static inline double
polynomial(const double *coefficients, int n, double x)
{
	double value = 0;

	while (n-- > 0)
		value = value * x + coefficients[n];
	return value;
}

/* lgamma() would write to the global signgam. */
double
log_gamma(double x)
{
	int sign;

	if (!(x >= 0))
		return NAN;
	return lgamma_r(x, &sign);
}

/* DLMF 5.11.2, with the recurrence 5.5.2 where x is small. */
double
digamma(double x)
{
	/* the Bernoulli numbers B2k / 2k */
	static const double series[] = {
		1.0 / 12,  -1.0 / 120,	   1.0 / 252, -1.0 / 240,
		1.0 / 132, -691.0 / 32760, 1.0 / 12,
	};
	double shift = 0;
	double y;

	if (!(x > 0))
		return NAN;
	for (; x < LARGE; x++)
		shift += 1 / x;
	y = 1 / x / x;
	return log(x) - 0.5 / x - y * polynomial(series, lengthof(series), y) -
		shift;
}

/* The derivative of the above. */
double
trigamma(double x)
{
	/* the Bernoulli numbers B2k */
	static const double series[] = {
		1.0 / 6,  -1.0 / 30,	 1.0 / 42, -1.0 / 30,
		5.0 / 66, -691.0 / 2730, 7.0 / 6,
	};
	double shift = 0;
	double y;

	if (!(x > 0))
		return NAN;
	for (; x < LARGE; x++)
		shift += 1 / x / x;
	y = 1 / x / x;
	return (1 + 0.5 / x + y * polynomial(series, lengthof(series), y)) / x +
		shift;
}

/* The series of DLMF 5.11.1. */
double
gamma_correction(double x)
{
	static const double series[] = {
		1.0 / 12,	1.0 / -360,		 1.0 / 1260, 1.0 / -1680,
		1.0 / 1188, 691.0 / -360360, 1.0 / 156,
	};

	if (x < LARGE)
		return log_gamma(x) - (x - 0.5) * log(x) + x - LN_SQRT_2PI;
	return polynomial(series, lengthof(series), 1 / x / x) / x;
}

/*
 * ln(1 + x) is 2 artanh(r), r = x / (2 + x): its series converges fast, and x
 * can be taken from the first term beforehand.
 */
double
log1p_less(double x)
{
	double r = x / (2 + x);
	double square = r * r;
	double power = 1;
	double sum = 0;

	if (!(fabs(x) < 0.5))
		return log1p(x) - x;
	for (int n = 3; power > 1e-17; n += 2)
	{
		sum += power / n;
		power *= square;
	}
	return r * (2 * square * sum - x);
}

/*
 * Where an argument is large, ln Gamma by its asymptotic series, so that what
 * is common to its values at b and a + b cancels before it is rounded
 * (DiDonato and Morris, ACM TOMS 708, 1992).
 */
double
log_beta(double a, double b)
{
	double ratio;

	if (!(a > 0 && b > 0))
		return NAN;
	if (a > b)
	{
		double larger = a;

		a = b;
		b = larger;
	}
	if (isinf(b))
		return -INFINITY;
	if (b < LARGE)
		return log_gamma(a) + (log_gamma(b) - log_gamma(a + b));

	/* a / b, and without an overflow b / (a + b) and a + b follow from it */
	ratio = a / b;
	if (a < LARGE)
		return log_gamma(a) + gamma_correction(b) - gamma_correction(a + b) +
			(a - a * (log(b) + log1p(ratio))) - (b - 0.5) * log1p(ratio);
	return LN_SQRT_2PI - 0.5 * log(b) + gamma_correction(a) +
		gamma_correction(b) - gamma_correction(a + b) +
		(a - 0.5) * (log(ratio) - log1p(ratio)) - b * log1p(ratio);
}

/*
 * The integral of digamma from a to a + step, by Gauss-Legendre quadrature of
 * three points from where digamma is smooth: exact to 1e-12 of it.
 */
double
log_gamma_step(double a, double step)
{
	static const double offset = 0.77459666924148337704; /* sqrt(3 / 5) */
	double middle = 1 + a + step / 2;
	double half = step / 2;

	if (!(step <= GAMMA_STEP_MAX))
		return log_gamma(a + step) - log_gamma(a);
	return step *
		(5 * digamma(middle - offset * half) + 8 * digamma(middle) +
		 5 * digamma(middle + offset * half)) /
		18 -
		log1p(step / a);
}

double
log_sum_exp(double a, double b)
{
	double high = Max(a, b);
	double low = Min(a, b);

	if (isnan(a) || isnan(b))
		return NAN;
	if (isinf(high) || isinf(low))
		return high;
	return high + log1p(exp(low - high));
}

double
log_diff_exp(double a, double b)
{
	double ratio;

	if (!(a >= b))
		return NAN;
	if (b == -INFINITY || (isinf(a) && !isinf(b)))
		return a;
	if (a == b)
		return isinf(a) ? NAN : -INFINITY;

	/* each form where it cancels least */
	ratio = b - a;
	if (ratio > -M_LN2)
		return a + log(-expm1(ratio));
	return a + log1p(-exp(ratio));
}
