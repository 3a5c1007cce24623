/*
 * normal.c
 *		The normal distribution and Student's t.
 *
 * A tail is computed as the tail it is, never as 1 less the other one, so that
 * small chances keep their digits down to where a double underflows.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "numeric/numeric.h"

/* From here on erfc() nears underflow. */
#define FAR_TAIL 35

/* Newton's method doubles the digits: after a step this small all are there. */
#define MAX_STEPS 200
#define CLOSE 1e-9

/* This near to 1/2, quantiles are found from the middle. */
#define NEAR_HALF 0.01

/*
 * From here on Student's t is the normal distribution and a first correction,
 * where t is not large.
 */
#define MANY_DEGREES 1e15
#define MODERATE 100

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

/* The x > 0 of which normal_cdf(x) - 1/2 is a small part > 0. */
static double
normal_middle_quantile(double part)
{
	double x = 0;

	for (int i = 0; i < MAX_STEPS; i++)
	{
		double step = (part - 0.5 * erf(x * M_SQRT1_2)) / normal_density(x);

		x += step;
		if (fabs(step) <= CLOSE * x)
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
	if (fabs(p - 0.5) < NEAR_HALF)
		return copysign(normal_middle_quantile(fabs(p - 0.5)), p - 0.5);
	if (p < 0.5)
		return -normal_upper_quantile(p);
	return normal_upper_quantile(1 - p);
}

/* ---- Student's t ---- */

/* ln(1 + t^2 / df), where the square may leave a double's range */
static double
log_spread(double t, double df)
{
	double ratio = t / sqrt(df);

	if (fabs(ratio) < 1e150)
		return log1p(ratio * ratio);
	return 2 * (log(fabs(t)) - 0.5 * log(df));
}

/* ln of the upper tail at t >= 0 for very many degrees of freedom. */
static double
log_tail_many(double t, double df)
{
	double log_tail = log_normal_tail(t);
	double hazard = exp(-0.5 * t * t - log_tail) * (M_2_SQRTPI * M_SQRT1_2 / 2);

	return log_tail + log1p(hazard * t * (t * t + 1) / 4 / df);
}

double
log_student_tail(double t, double df)
{
	double square = t * t;

	if (isinf(df) && !isinf(t))
		return log_normal_tail(t);
	if (isinf(t))
		return t > 0 ? -INFINITY : 0;
	if (t < 0)
		return log1p(-exp(log_student_tail(-t, df)));
	if (df > MANY_DEGREES && t < MODERATE)
		return log_tail_many(t, df);
	/* so far out, the first term is all: x^(df / 2) / (df / 2 B(df / 2, 1/2)) */
	if (isinf(square) || df / square < 1e-17)
		return -0.5 * df * log_spread(t, df) - log(df) -
			log_beta(0.5 * df, 0.5);
	return log_beta_inc_rest(df / 2, 0.5, df / (df + square),
							 square / (df + square)) -
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

static double
log_student_density(double t, double df)
{
	return -0.5 * (df + 1) * log_spread(t, df) - 0.5 * log(df) -
		log_beta(0.5 * df, 0.5);
}

double
student_density(double t, double df)
{
	if (isinf(df) || (df > MANY_DEGREES && fabs(t) < MODERATE))
		return normal_density(t);
	return exp(log_student_density(t, df));
}

/*
 * Newton's method for the t > 0 whose upper tail is q < 1/2, kept between
 * bounds that close in: on ln t far out, where the logarithm of the tail is
 * nearly linear in it, and on t near 0.  Infinite if beyond a double's range.
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
		double step = (log_tail - log_q) *
			exp(log_tail - log_student_density(t, df)); /* in t */
		double next;

		if (log_tail > log_q)
			low = t;
		else
			high = t;
		if (low == DBL_MAX)
			return INFINITY;
		next = t > 1 ? t * exp(step / t) : t + step;
		if (fabs(next - t) <= CLOSE * t)
			return next;
		if (!(next > low && next < high))
			next = isinf(high) ? DBL_MAX : 0.5 * low + 0.5 * high;
		t = next;
	}
	return t;
}

/*
 * The t > 0 between which and 0 a small part > 0 lies: from 0, as the chance
 * is concave in t.
 */
static double
student_middle_quantile(double part, double df)
{
	double t = 0;

	for (int i = 0; i < MAX_STEPS && t < sqrt(DBL_MAX); i++)
	{
		double square = t * t;
		double chance = 0.5 *
			exp(log_beta_inc_rest(0.5, df / 2, square / (df + square),
								  df / (df + square)));
		double step = (part - chance) / student_density(t, df);

		t += step;
		if (fabs(step) <= CLOSE * t)
			return t;
	}
	return student_upper_quantile(0.5 - part, df);
}

/* For t in the upper half, of which part lies below, and q above. */
static double
student_half_quantile(double q, double part, double df)
{
	if (df > MANY_DEGREES)
	{
		double x = part < NEAR_HALF ? normal_middle_quantile(part) :
									  normal_upper_quantile(q);

		return x + x * (x * x + 1) / 4 / df;
	}
	if (part < NEAR_HALF)
		return student_middle_quantile(part, df);
	return student_upper_quantile(q, df);
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
		return -student_half_quantile(p, 0.5 - p, df);
	return student_half_quantile(1 - p, p - 0.5, df);
}
