/*
 * incomplete.c
 *		Incomplete gamma and beta functions, and distributions made of them.
 *
 * Each function is computed where it is the smaller part, so that its
 * relative error is small far out in a tail, and is otherwise 1 less the
 * other.  Where that would cancel, because a parameter near 0 lets the
 * smaller part come close to 1, there is a series for the rest.
 */
#include "postgres.h"

#include <math.h>

#include "numeric/numeric.h"

/* Below this the smaller part may be close to 1. */
#define SMALL GAMMA_STEP_MAX

/* From here on the expansions for large parameters have converged. */
#define GAMMA_LARGE 1e5
#define BETA_LARGE 1e8

/* Continued fractions: a divisor that should be 0, and the end. */
#define TINY 1e-300
#define PRECISION 4e-16
#define MAX_TERMS 1000000

/* ---- continued fractions ---- */

/* A continued fraction by Lentz's method (DLMF 3.10(iii), modified). */
typedef struct Fraction
{
	double value;
	double c;
	double d;
	double change; /* factor of the last step */
} Fraction;

static inline double
not_zero(double x)
{
	return fabs(x) < TINY ? TINY : x;
}

static inline void
fraction_start(Fraction *f, double b)
{
	f->value = f->c = not_zero(b);
	f->d = 0;
	f->change = 0;
}

static inline void
fraction_step(Fraction *f, double a, double b)
{
	f->d = 1 / not_zero(b + a * f->d);
	f->c = not_zero(b + a / f->c);
	f->change = f->c * f->d;
	f->value *= f->change;
}

static inline bool
fraction_done(const Fraction *f)
{
	return fabs(f->change - 1) <= PRECISION;
}

/* ---- incomplete gamma ---- */

/* x^a e^-x / Gamma(a) */
static double
gamma_prefix(double a, double x)
{
	if (a < 1 || x < 0.1 * a || x > 10 * a)
		return exp(a * log(x) - x - log_gamma(a));

	/* Stirling: only the distance of x from a is left in the exponent */
	return exp(a * log1p_less((x - a) / a) - gamma_correction(a)) *
		sqrt(a / (2 * M_PI));
}

/* P(a, x) by DLMF 8.11.4, good for x < a + 1. */
static double
gamma_p_series(double a, double x)
{
	double term = 1 / a;
	double sum = term;

	for (int n = 1; n < MAX_TERMS && term > sum * PRECISION; n++)
	{
		term *= x / (a + n);
		sum += term;
	}
	return sum * gamma_prefix(a, x);
}

/* Q(a, x) by DLMF 8.9.2 contracted, good for x > a + 1. */
static double
gamma_q_fraction(double a, double x)
{
	Fraction f;

	fraction_start(&f, x + 1 - a);
	for (int n = 1; n < MAX_TERMS && !fraction_done(&f); n++)
		fraction_step(&f, -n * (n - a), x + 2 * n + 1 - a);
	return gamma_prefix(a, x) / f.value;
}

/* Either for small a and x < a + 1, where P is close to 1, by DLMF 8.7.3. */
static double
gamma_small(double a, double x, bool upper)
{
	double power = a * log(x) - log_gamma_step(1, a);
	double term = 1;
	double sum = 0;

	for (int n = 1; fabs(term) > PRECISION; n++)
	{
		term *= -x / n;
		sum += term / (a + n);
	}
	if (upper)
		return -expm1(power) - exp(power) * a * sum;
	return exp(power) * (1 + a * sum);
}

/*
 * The smaller of P and Q by Temme's uniform expansion, DLMF 8.12, for a so
 * large that three terms do.  The coefficients are the series of DLMF 8.12.9.
 */
static double
gamma_smaller_large(double a, double x)
{
	static const double c[3][8] = {
		{ -1.0 / 3, 1.0 / 12, -2.0 / 135, 1.0 / 864, 1.0 / 2835,
		  -139.0 / 777600, 1.0 / 25515, -571.0 / 261273600 },
		{ -1.0 / 540, -1.0 / 288, 1.0 / 378, -77.0 / 77760, 1.0 / 4860,
		  -1.0 / 2488320 },
		{ 25.0 / 6048, -139.0 / 51840, 1.0 / 1296 },
	};
	double exponent = -a * log1p_less((x - a) / a);
	double eta = copysign(sqrt(2 * exponent / a), x - a);
	double rest = 0;

	/* so far from the mean nothing is left, and the series may not converge */
	if (!(exponent < 800))
		return 0;
	for (int k = lengthof(c) - 1; k >= 0; k--)
	{
		double term = 0;

		for (int n = lengthof(c[k]) - 1; n >= 0; n--)
			term = term * eta + c[k][n];
		rest = rest / a + term;
	}
	return 0.5 * erfc(sqrt(exponent)) +
		(x > a ? 1 : -1) * exp(-exponent) / sqrt(2 * M_PI * a) * rest;
}

/* Either function; `upper` for Q. */
static double
gamma_part(double a, double x, bool upper)
{
	double part;
	bool part_is_upper = x > a + 1;

	if (!(a > 0 && x >= 0) || isinf(a))
		return NAN;
	if (x == 0 || isinf(x))
		return (x == 0) == upper;

	if (a >= GAMMA_LARGE)
	{
		part_is_upper = x > a;
		part = gamma_smaller_large(a, x);
	}
	else if (part_is_upper)
		part = gamma_q_fraction(a, x);
	else if (a < SMALL)
		return gamma_small(a, x, upper);
	else
		part = gamma_p_series(a, x);
	return part_is_upper == upper ? part : 1 - part;
}

double
gamma_p(double a, double x)
{
	return gamma_part(a, x, false);
}

double
log_gamma_p(double a, double x)
{
	double p = gamma_p(a, x);
	double term = 1;
	double sum = 0;

	if (!(p < TINY) || !(x > 0))
		return log(p);
	/* the series of above, on the far side of which P does not underflow */
	for (int n = 1; n < MAX_TERMS && term > sum * PRECISION; n++)
	{
		sum += term;
		term *= x / (a + n);
	}
	if (a < 1 || x < 0.1 * a)
		return a * log(x) - x - log_gamma(a + 1) + log(sum);
	return a * log1p_less((x - a) / a) - gamma_correction(a) -
		0.5 * log(2 * M_PI * a) + log(sum);
}

double
gamma_q(double a, double x)
{
	return gamma_part(a, x, true);
}

/* ---- incomplete beta; always y = 1 - x ---- */

/*
 * a ln(x / mean) less its linear part, where x / mean = 1 + excess / a; near
 * the mean the excess tells more than the ratio.
 */
static inline double
log_excess(double a, double excess, double ratio)
{
	if (fabs(excess) < 0.5 * a)
		return a * log1p_less(excess / a);
	return a * log(ratio) - excess;
}

/* ln of (x / x0)^a (y / y0)^b, where x0 = a / (a + b) is the mean. */
static double
log_beta_ratio(double a, double b, double x, double y)
{
	double excess = b * x - a * y;

	return log_excess(a, excess, x + b / a * x) +
		log_excess(b, -excess, y + a / b * y);
}

/* ln of x^a y^b / B(a, b) */
static double
log_beta_prefix(double a, double b, double x, double y)
{
	if (Min(a, b) < 10)
		return a * (x < 0.5 ? log(x) : log1p(-y)) +
			b * (y < 0.5 ? log(y) : log1p(-x)) - log_beta(a, b);
	return log_beta_ratio(a, b, x, y) - gamma_correction(a) -
		gamma_correction(b) + gamma_correction(a + b) +
		0.5 * (log(a / (2 * M_PI)) - log1p(a / b));
}

/*
 * ln I_x(a, b), good for x < (a + 1) / (a + b + 2), by the even part of DLMF
 * 8.17.22 in terms of the distance from the mean (DiDonato and Morris): the
 * fraction itself cancels where a is far larger than b.
 */
static double
log_beta_fraction(double a, double b, double x, double y)
{
	double distance = a * y - b * x;
	Fraction f;

	fraction_start(&f, (distance + 1) * (a / (a + 1)));
	for (int n = 1; n < MAX_TERMS && !fraction_done(&f); n++)
	{
		double below = a + 2 * n - 1;

		fraction_step(&f,
					  (a + n - 1) / below * (x * (a + b + n - 1) / below) * n *
						  (x * (b - n)),
					  n + n * (x * (b - n)) / below +
						  (a + n) / (below + 2) * (distance + 1 + n * (1 + y)));
	}
	return log_beta_prefix(a, b, x, y) - log(f.value);
}

/*
 * ln I_x(a, b) for small a, good for the same x, by the series of DLMF 8.17.7.
 * I is near 1, so that even its distance from 1 comes out of the logarithm.
 */
static double
log_beta_series(double a, double b, double x)
{
	double power = a * log(x) - (log_gamma_step(1, a) - log_gamma_step(b, a));
	double term = 1;
	double sum = 0;

	for (int n = 1; n < MAX_TERMS && fabs(term) > PRECISION; n++)
	{
		term *= (n - b) / n * x;
		sum += term / (a + n);
	}
	return power + log1p(a * sum);
}

/* exp(x^2) erfc(x) for x >= 10, DLMF 7.12.1. */
static double
scaled_erfc_large(double x)
{
	double term = 1;
	double sum = 0;

	for (int n = 1; n <= 8; n++)
	{
		sum += term;
		term *= -(2 * n - 1) / (2 * x * x);
	}
	return sum / (x * sqrt(M_PI));
}

/*
 * ln I_x(a, b) for large a and b, and x up to about the mean: the first term of
 * Temme's expansion, DLMF 8.18.9.
 */
static double
log_beta_large(double a, double b, double x, double y)
{
	double n = a + b;
	double width = sqrt(a / n) * sqrt(b / n);
	double excess = b * x - a * y;
	double exponent = Max(-log_beta_ratio(a, b, x, y), 0);
	double sigmas = sqrt(exponent);
	double rest;

	/* 1 / eta - width / (x - x0), which is smooth at 0 but cancels there */
	if (exponent < 1e-6)
		rest = (b - a) / n / (3 * width);
	else
		rest = copysign(sqrt(n / 2) / sigmas, excess) - width * n / excess;
	rest /= sqrt(2 * M_PI * n);

	if (sigmas < 10)
		return log(0.5 * erfc(copysign(sigmas, -excess)) +
				   exp(-exponent) * rest);
	return log(0.5 * scaled_erfc_large(sigmas) + rest) - exponent;
}

/* ln I_x(a, b) for x up to about the mean. */
static double
log_beta_below(double a, double b, double x, double y)
{
	if (Min(a, b) >= BETA_LARGE)
		return log_beta_large(a, b, x, y);
	if (a < SMALL)
		return log_beta_series(a, b, x);
	return log_beta_fraction(a, b, x, y);
}

double
log_beta_inc_rest(double a, double b, double x, double rest)
{
	double part;
	bool below;

	if (!(a > 0 && b > 0 && x >= 0 && rest >= 0) || isinf(a) || isinf(b))
		return NAN;
	if (x == 0 || rest == 0)
		return x == 0 ? -INFINITY : 0;

	/* by now a step from 0 to 1, which depends on the quotient alone */
	if (isinf(a + b))
	{
		a /= 2;
		b /= 2;
	}
	below = x <= (a + 1) / (a + b + 2);
	if (below)
		part = log_beta_below(a, b, x, rest);
	else
		part = log_beta_below(b, a, rest, x);
	part = Min(part, 0);
	return below ? part : log_diff_exp(0, part);
}

double
log_beta_inc(double a, double b, double x)
{
	return log_beta_inc_rest(a, b, x, 1 - x);
}

double
beta_inc(double a, double b, double x)
{
	return exp(log_beta_inc(a, b, x));
}

/* ---- distributions ---- */

double
chi_square_tail(double x, double df)
{
	return x <= 0 ? 1 : gamma_q(df / 2, x / 2);
}
