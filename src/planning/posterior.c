/*
 * posterior.c
 *		Comparison of two beta or two gamma distributions.
 *
 * There are closed forms (Evan Miller, "Formulas for Bayesian A/B Testing"),
 * but as sums of as many terms as there are successes, or as differences that
 * cancel.  Here all are integrals of positive functions, by the logit of a
 * proportion or the logarithm of a rate: on these scales the integrands are
 * log-concave, and nearly normal for large counts.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/record.h"
#include "numeric/numeric.h"
#include "planning/planning.h"
#include "planning/posterior.h"

/* As good as the integrals are. */
#define CLOSE 1e-11

/* A proportion and what it leaves of 1, or a rate. */
typedef struct Point
{
	double x;
	double rest;
	double log_least; /* of the smaller one, which can underflow */
} Point;

static double
mean_of(const Posterior *p)
{
	return p->is_gamma ? p->a / p->b : p->a / (p->a + p->b);
}

static double
sd_of(const Posterior *p)
{
	double n = p->a + p->b;

	if (p->is_gamma)
		return sqrt(p->a) / p->b;
	return sqrt((p->a / n) * (p->b / n) / (n + 1));
}

/* About the standard deviation of the logarithm or logit. */
static double
spread_of(const Posterior *p)
{
	return sqrt(1 / p->a + (p->is_gamma ? 0 : 1 / p->b));
}

/* The point at a distance from the mean on the scale of the integral. */
static Point
point_at(const Posterior *p, double distance)
{
	double up = distance > 0 ? 1 : exp(distance);
	double down = distance > 0 ? exp(-distance) : 1;
	double a = p->a * up;
	double b = p->b * down;

	if (p->is_gamma)
		return (Point){ a / b, 1, distance + log(p->a / p->b) };
	return (Point){ a / (a + b), b / (a + b),
					-fabs(distance + log(p->a / p->b)) };
}

/* ln of the chance to be below x, of which ln is given, where x underflows. */
static double
log_near_0(double a, double b, bool is_gamma, double log_x)
{
	double log_chance = is_gamma ? a * (log_x + log(b)) - log_gamma(a + 1) :
								   a * log_x - log(a) - log_beta(a, b);

	return Min(log_chance, 0);
}

/* ln of the chance to be below or above. */
static double
log_below(const Posterior *p, const Point *point)
{
	if (point->x < DBL_MIN)
		return log_near_0(p->a, p->b, p->is_gamma, point->log_least);
	if (p->is_gamma)
		return log_gamma_p(p->a, p->b * point->x);
	if (point->rest < DBL_MIN)
		return log_diff_exp(0, log_near_0(p->b, p->a, false, point->log_least));
	return log_beta_inc_rest(p->a, p->b, point->x, point->rest);
}

static double
log_above(const Posterior *p, const Point *point)
{
	if (point->x < DBL_MIN)
		return log_diff_exp(0,
							log_near_0(p->a, p->b, p->is_gamma,
									   point->log_least));
	if (p->is_gamma)
		return log(gamma_q(p->a, p->b * point->x));
	if (point->rest < DBL_MIN)
		return log_near_0(p->b, p->a, false, point->log_least);
	return log_beta_inc_rest(p->b, p->a, point->rest, point->x);
}

/*
 * ln of the density on the scale of the integral: what it is at the mean, and
 * what it falls from there, which does not lose the digits that the
 * logarithms of large powers would.
 */
static double
log_density(const Posterior *p, double distance)
{
	double a = p->a;
	double b = p->b;
	double top = 0.5 * log(a / (2 * M_PI)) - gamma_correction(a);

	if (p->is_gamma && fabs(distance) < 0.4)
		return top + a * log1p_less(expm1(distance));
	if (p->is_gamma)
		return top + a * (distance - expm1(distance));

	top += gamma_correction(a + b) - gamma_correction(b) - 0.5 * log1p(a / b);
	if (fabs(distance) < 0.4)
	{
		double excess = b * (a * expm1(distance) / (a * exp(distance) + b));

		return top + a * log1p_less(excess / a) + b * log1p_less(-excess / b);
	}
	/* the same in two forms: that which cancels less, if in range */
	if ((a < b || distance < -700) && distance < 700)
		return top + a * distance -
			(a + b) * log1p(a / (a + b) * expm1(distance));
	return top - b * distance - (a + b) * log1p(b / (a + b) * expm1(-distance));
}

/*
 * All integrals are of the density of one belief by the chance that the other
 * is on the right side of it.  That of the narrower one does: the chance hardly
 * changes where it is, while the chance of the narrower would be a step.
 */
static bool
is_narrower(const Posterior *a, const Posterior *b)
{
	return sd_of(a) < sd_of(b);
}

/*
 * The logarithm of such an integral.  The density of a parameter near 0 falls
 * off so slowly that equal steps would be very many.
 */
#define SLOW 0.1

static double
log_integral_by(const Posterior *by, LogIntegrand f, void *context)
{
	if (by->a < SLOW || (!by->is_gamma && by->b < SLOW))
		return log_integral(f, context, INFINITY, 0);
	return log_line_integral(f, context, 0, 1);
}

/* ---- the chance that b is above a ---- */

typedef struct Pair
{
	const Posterior *a;
	const Posterior *b;
	bool by_a; /* which the variable is */
	double unit;
} Pair;

static double
log_density_above(double v, void *context)
{
	const Pair *pair = context;
	const Posterior *by = pair->by_a ? pair->a : pair->b;
	double distance = v * pair->unit;
	Point point = point_at(by, distance);

	return log_density(by, distance) +
		(pair->by_a ? log_above(pair->b, &point) : log_below(pair->a, &point));
}

double
log_chance_above(const Posterior *a, const Posterior *b)
{
	bool by_a = is_narrower(a, b);
	const Posterior *by = by_a ? a : b;
	Pair pair = { a, b, by_a, spread_of(by) };

	return Min(log_integral_by(by, log_density_above, &pair) + log(pair.unit),
			   0);
}

/* ---- the chance that it is above by more than a number ---- */

/*
 * The variable is the logit or logarithm of the lower of two numbers that
 * differ by so much, on the range where both can be, so that the integrand
 * falls off smoothly at both ends.
 */
typedef struct Excess
{
	const Posterior *a;
	const Posterior *b;
	bool by_a;
	double a_least; /* one of the two is 0 */
	double b_least;
	double center;
	double unit;
} Excess;

/* ln of the density by logit or logarithm, of which the logarithms are given */
static double
log_density_at(const Posterior *p, double log_x, double log_rest)
{
	double n = p->a + p->b;

	if (p->is_gamma)
		return log_density(p, log_x - log(mean_of(p)));
	return log_density(p, log_x - log_rest - log(p->a / n) + log(p->b / n));
}

static double
log_excess_density(double v, void *context)
{
	const Excess *e = context;
	const Posterior *by = e->by_a ? e->a : e->b;
	double logit = e->center + v * e->unit;
	double room = 1 - e->a_least - e->b_least;
	double low = e->b->is_gamma ? exp(logit) : room / (1 + exp(-logit));
	double high = room / (1 + exp(logit)); /* what is left of the room */
	double log_low = logit < 0 ? logit : 0;
	double log_high = logit < 0 ? 0 : -logit;
	Point a = { e->a_least + low, e->b_least + high, 0 };
	Point b = { e->b_least + low, e->a_least + high, 0 };
	const Point *point = e->by_a ? &a : &b;
	double log_other;
	double log_x;
	double log_rest;

	/* where low and high underflow, their logarithms do not */
	if (e->b->is_gamma)
		log_x = log_rest = log_low = log_high = logit;
	else
	{
		log_x = log_low += log(room) - log1p(exp(-fabs(logit)));
		log_rest = log_high += log(room) - log1p(exp(-fabs(logit)));
	}
	a.log_least = b.log_least = Min(log_low, log_high);
	log_other = e->by_a ? log_above(e->b, &b) : log_below(e->a, &a);
	if (point->x != low)
		log_x = log(point->x);
	if (e->b->is_gamma)
		return log_density_at(by, log_x, 0) + log_low - log_x + log_other;
	if (point->rest != high)
		log_rest = log(point->rest);
	return log_density_at(by, log_x, log_rest) + log_low - log_x + log_high -
		log_rest - log(room) + log_other;
}

/* Begins at the mean of the density, or, if that is outside, near the end. */
static void
set_center(Excess *e)
{
	const Posterior *by = e->by_a ? e->a : e->b;
	double room = by->is_gamma ? INFINITY : 1 - e->a_least - e->b_least;
	double sd = sd_of(by);
	double low = mean_of(by) - (e->by_a ? e->a_least : e->b_least);
	double end = Min(sd, 0.5 * room);

	low = Max(Min(low, room - end), end);
	if (by->is_gamma)
	{
		e->center = log(low);
		e->unit = Min(sd / low, 1);
		return;
	}
	e->center = log(low / (room - low));
	e->unit = Min(sd / low * (room / (room - low)), 1);
}

static double
chance_of_excess(const Posterior *a, const Posterior *b, double least)
{
	Excess excess = { .a = a,
					  .b = b,
					  .by_a = is_narrower(a, b),
					  .a_least = Max(-least, 0),
					  .b_least = Max(least, 0) };
	double chance;

	set_center(&excess);
	chance =
		exp(log_integral_by(excess.by_a ? a : b, log_excess_density, &excess) +
			log(excess.unit));
	/* what cannot be: the other one would have to be out of its range */
	if (least < 0)
	{
		Point a_end = { -least, 1 + least, log(-least) };
		Point b_end = { 1 + least, -least, log(-least) };

		if (excess.by_a)
			chance += exp(log_below(a, &a_end));
		else if (!b->is_gamma)
			chance += exp(log_above(b, &b_end));
	}
	return Min(chance, 1);
}

/* ---- the average of b - a where that is positive ---- */

typedef struct Overlap
{
	const Posterior *a;
	const Posterior *b;
	Posterior center; /* at the mean of this the variable is 0 */
	double unit;
} Overlap;

static double
log_overlap(double v, void *context)
{
	const Overlap *o = context;
	Point point = point_at(&o->center, v * o->unit);

	return log_below(o->a, &point) + log_above(o->b, &point) + log(point.x) +
		log(point.rest);
}

/*
 * The integral of P(a < x < b) by x, for a that is not below b on average.  Where
 * one belief is far narrower than the other it is a cliff for the integrand,
 * which is then flat at one side, and equal steps would be very many; seen from
 * the cliff, in its own unit, nothing is overlooked.
 */
#define ALIKE 16

double
expected_excess(const Posterior *a, const Posterior *b)
{
	double ratio = spread_of(a) / spread_of(b);
	Overlap overlap = { a, b, ratio < 1 ? *a : *b,
						Min(spread_of(a), spread_of(b)) };
	double log_sum;

	if (ratio < ALIKE && ratio > 1.0 / ALIKE)
	{
		overlap.center = (Posterior){ a->is_gamma, a->a + b->a, a->b + b->b };
		log_sum = log_line_integral(log_overlap, &overlap, 0, 1);
	}
	/* nothing is left there */
	else if (!isfinite(log_overlap(0, &overlap)))
		return 0;
	else
		log_sum = log_integral(log_overlap, &overlap, INFINITY, 0);
	return overlap.unit * exp(log_sum);
}

/* ---- the interval ---- */

typedef struct Tail
{
	const Posterior *a;
	const Posterior *b;
	double middle;
	double unit;
	double wanted; /* normal quantile */
} Tail;

static double
above_quantile(double v, void *context)
{
	const Tail *tail = context;
	double least = tail->middle + v * tail->unit;

	/* a difference of proportions is within -1 and 1 */
	if (!tail->a->is_gamma && fabs(least) >= 1)
		return least > 0 ? INFINITY : -INFINITY;
	return tail->wanted -
		normal_quantile(chance_of_excess(tail->a, tail->b, least));
}

/* What b - a is above with chance part. */
static double
upper_bound(const Posterior *a, const Posterior *b, double part)
{
	Tail tail = { a, b, mean_of(b) - mean_of(a), hypot(sd_of(a), sd_of(b)),
				  normal_quantile(part) };
	double low = -2;
	double v;

	while (above_quantile(low, &tail) >= 0)
		low *= 2;
	v = find_zero_above(above_quantile, &tail, low, -tail.wanted + 0.1, CLOSE);
	v = tail.middle + v * tail.unit;
	return a->is_gamma ? v : Max(Min(v, 1), -1);
}

Comparison
compare_posteriors(const Posterior *a, const Posterior *b, double alpha)
{
	Comparison result;

	result.mean_a = mean_of(a);
	result.mean_b = mean_of(b);
	result.difference = result.mean_b - result.mean_a;
	result.ci_low = -upper_bound(b, a, alpha / 2);
	result.ci_high = upper_bound(a, b, alpha / 2);
	result.chance_to_win = exp(log_chance_above(a, b));

	/* the smaller one by its integral, and the larger by their difference */
	if (result.difference > 0)
	{
		result.expected_loss_b = expected_excess(b, a);
		result.expected_loss_a = result.expected_loss_b + result.difference;
	}
	else
	{
		result.expected_loss_a = expected_excess(a, b);
		result.expected_loss_b = result.expected_loss_a - result.difference;
	}
	return result;
}

Datum
comparison_row(FunctionCallInfo fcinfo, const Comparison *result)
{
	double numbers[] = {
		result->mean_a,			 result->mean_b,		  result->difference,
		result->ci_low,			 result->ci_high,		  result->chance_to_win,
		result->expected_loss_a, result->expected_loss_b,
	};

	return number_row(fcinfo, numbers, lengthof(numbers));
}
