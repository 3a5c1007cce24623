/*
 * student_noncentral.c
 *		Student's noncentral t, which the power of a t test is a tail of.
 *
 * The average of normal tails over the standard deviation that is estimated:
 * all that is added up is positive, so that a tail is as exact as it is small.
 */
#include "postgres.h"

#include <math.h>

#include "numeric/numeric.h"

#define STEEP 20

/*
 * s is the estimated standard deviation in units of the true one, so that
 * df s^2 is a chi-square variable.  The variable of the integral is ln s in
 * units of about its own standard deviation.
 */
typedef struct Noncentral
{
	double t;
	double df;
	double shift; /* the noncentrality parameter */
	double unit;
	double log_scale; /* what does not depend on the variable */
} Noncentral;

static double
log_integrand(double x, void *context)
{
	const Noncentral *nc = context;
	double log_s = x * nc->unit;
	double excess = expm1(2 * log_s); /* s^2 - 1 */
	double exponent =
		fabs(log_s) < 0.2 ? log1p_less(excess) : 2 * log_s - excess;

	return nc->log_scale + 0.5 * nc->df * exponent +
		log_normal_tail(nc->t * exp(log_s) - nc->shift);
}

/*
 * Where t is large the normal tail is a step, far narrower than the rest: the
 * same chance as an average over the normal variable, by which x + shift, as
 * far as it has the sign of t, is y = scale exp(w), and s is beyond y / t.
 */
typedef struct Steep
{
	double t;
	double df;
	double shift; /* in the direction of t */
	double scale;
} Steep;

static double
log_steep_integrand(double w, void *context)
{
	const Steep *st = context;
	double y = st->scale * exp(w);
	double x = st->scale - st->shift + st->scale * expm1(w);
	double ratio = y / st->t;
	double half = 0.5 * st->df;
	double square = half * ratio * ratio;
	double log_chance =
		st->t > 0 ? log_gamma_p(half, square) : log(gamma_q(half, square));

	return log_chance - 0.5 * x * x + log(y) - 0.5 * log(2 * M_PI);
}

static double
log_steep_tail(double t, double df, double shift)
{
	Steep st = { t, df, t > 0 ? shift : -shift, 0 };
	double log_tail;

	st.scale = Max(st.shift, 1);
	log_tail = log_line_integral(log_steep_integrand, &st, 0, 1 / st.scale);
	/* of the other sign, x + shift is above t s whatever s */
	if (t < 0)
		log_tail = log_sum_exp(log_tail, log_normal_tail(st.shift));
	return log_tail;
}

double
log_student_noncentral_tail(double t, double df, double shift)
{
	double half = 0.5 * df;
	Noncentral nc = { t, df, shift, 1 / sqrt(2 * df), 0 };

	if (isinf(df))
		return log_normal_tail(t - shift);
	/* 2 half^half e^-half / Gamma(half), times the unit */
	nc.log_scale = 0.5 * log(half / (2 * M_PI)) - gamma_correction(half) +
		M_LN2 + log(nc.unit);
	if (fabs(t) * nc.unit > STEEP)
		return Min(log_steep_tail(t, df, shift), 0);
	return Min(log_line_integral(log_integrand, &nc, 0, 1), 0);
}
