/*
 * normal.c
 *		The normal distribution and Student's t.
 *
 * A tail is computed as the tail it is, never as 1 less the other one, so that
 * small chances keep their digits down to where a double underflows.
 */
#include "postgres.h"

#include <math.h>

#include "numeric/numeric.h"

/* From here on erfc() nears underflow. */
#define FAR_TAIL 35

#define MAX_STEPS 200
#define CLOSE 4e-16

double
normal_density(double x)
{
	return exp(-0.5 * x * x) * (M_2_SQRTPI * M_SQRT1_2 * 0.5);
}

double
normal_tail(double x)
{
	return 0.5 * erfc(x * M_SQRT1_2);
}

double
normal_cdf(double x)
{
	return normal_tail(-x);
}

/*
 * Mills' ratio, tail by density, for large x: Laplace's continued fraction
 * (Abramowitz and Stegun 26.2.14), from its end.
 */
static double
mills_ratio(double x)
{
	double fraction = x;

	for (int i = 40; i > 0; i--)
		fraction = x + i / fraction;
	return 1 / fraction;
}

double
log_normal_tail(double x)
{
	if (x > FAR_TAIL)
		return -0.5 * x * x + log(mills_ratio(x)) -
			log(2 / (M_2_SQRTPI * M_SQRT1_2));
	if (x < -1)
		return log1p(-normal_tail(-x));
	return log(normal_tail(x));
}

/*
 * Where the upper tail is q <= 1/2: Newton's method on its logarithm, which is
 * concave, so that it converges from anywhere.
 */
static double
normal_upper_quantile(double q)
{
	double log_q = log(q);
	double x = q > 0.1 ? (0.5 - q) * 2.5 : sqrt(-2 * log_q);

	for (int i = 0; i < MAX_STEPS; i++)
	{
		double log_tail = log_normal_tail(x);
		double hazard = x > FAR_TAIL ? 1 / mills_ratio(x) :
									   normal_density(x) / normal_tail(x);
		double step = (log_tail - log_q) / hazard;

		x += step;
		if (fabs(step) <= CLOSE * fabs(x))
			break;
	}
	return x;
}

double
normal_quantile(double p)
{
	if (isnan(p) || p < 0 || p > 1)
		return NAN;
	if (p == 0)
		return -INFINITY;
	if (p == 1)
		return INFINITY;
	if (p == 0.5)
		return 0;
	if (p < 0.5)
		return -normal_upper_quantile(p);
	return normal_upper_quantile(1 - p);
}

/* ---- Student's t ---- */

double
log_student_tail(double t, double df)
{
	double square = t * t;
	double below;

	if (isinf(df))
		return log_normal_tail(t);
	if (t < 0)
		return log1p(-exp(log_student_tail(-t, df)));
	/* t * t may leave a double's range */
	if (isinf(square))
		below = t > 1e300 && isinf(t) ? 0 : df / t / t;
	else
		below = df / (df + square);
	return log_beta_inc_rest(df / 2, 0.5, below,
							 isinf(square) ? 1 : square / (df + square)) -
		M_LN2;
}

double
student_tail(double t, double df)
{
	if (isinf(df))
		return normal_tail(t);
	/* the lower half from the upper one */
	if (t < 0)
		return 1 - student_tail(-t, df);
	return exp(log_student_tail(t, df));
}

double
student_density(double t, double df)
{
	if (isinf(df))
		return normal_density(t);
	return exp(-0.5 * (df + 1) * log1p(t * t / df) - 0.5 * log(df) -
			   log_beta(0.5 * df, 0.5));
}

/*
 * Newton's method for the t > 0 whose upper tail is q < 1/2, kept between
 * bounds that close in: on ln t far out, where the logarithm of the tail is
 * nearly linear in it, and on t near 0.
 */
static double
student_upper_quantile(double q, double df)
{
	double log_q = log(q);
	double low = 0;
	double high = INFINITY;
	double t = normal_upper_quantile(q);

	for (int i = 0; i < MAX_STEPS; i++)
	{
		double log_tail = log_student_tail(t, df);
		double step = (log_tail - log_q) * exp(log_tail) /
			student_density(t, df); /* in t */
		double next;

		if (log_tail > log_q)
			low = t;
		else
			high = t;
		next = t > 1 ? t * exp(Min(step / t, 200)) : t + step;
		if (!(next > low && next < high))
			next = isinf(high) ? 2 * t + 1 : 0.5 * (low + high);
		if (fabs(next - t) <= CLOSE * t)
			return next;
		t = next;
	}
	return t;
}

double
student_quantile(double p, double df)
{
	if (isnan(p) || p < 0 || p > 1 || !(df > 0))
		return NAN;
	if (isinf(df))
		return normal_quantile(p);
	if (p == 0)
		return -INFINITY;
	if (p == 1)
		return INFINITY;
	if (p == 0.5)
		return 0;
	if (p < 0.5)
		return -student_upper_quantile(p, df);
	return student_upper_quantile(1 - p, df);
}
