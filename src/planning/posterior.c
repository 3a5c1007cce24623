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

#include <math.h>

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
		return (Point){ a / b, 1 };
	return (Point){ a / (a + b), b / (a + b) };
}

/* ln of the chance to be below or above. */
static double
log_below(const Posterior *p, const Point *point)
{
	if (p->is_gamma)
		return log(gamma_p(p->a, p->b * point->x));
	return log_beta_inc_rest(p->a, p->b, point->x, point->rest);
}

static double
log_above(const Posterior *p, const Point *point)
{
	if (p->is_gamma)
		return log(gamma_q(p->a, p->b * point->x));
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
 * ln of an integral over the whole line.  Where one belief is far narrower
 * than the other the integrand is steep at one side and flat at the other,
 * and equal steps would be very many.
 */
#define ALIKE 16

static double
log_integral_of(LogIntegrand f, void *context, const Posterior *a,
				const Posterior *b)
{
	double ratio = spread_of(a) / spread_of(b);

	if (ratio < ALIKE && ratio > 1.0 / ALIKE)
		return log_line_integral(f, context, 0, 1);
	/* nothing is left there */
	if (!isfinite(f(0, context)))
		return -INFINITY;
	return log_integral(f, context, INFINITY, 0);
}

/* ---- the chance that b is above a ---- */

typedef struct Pair
{
	const Posterior *a;
	const Posterior *b;
	double unit; /* of the variable */
} Pair;

static double
log_density_above(double v, void *context)
{
	const Pair *pair = context;
	double distance = v * pair->unit;
	Point point = point_at(pair->b, distance);

	return log_density(pair->b, distance) + log_below(pair->a, &point);
}

double
log_chance_above(const Posterior *a, const Posterior *b)
{
	Pair pair = { a, b, spread_of(b) };

	return Min(log_integral_of(log_density_above, &pair, a, b) + log(pair.unit),
			   0);
}

/* ---- the chance that it is above by more than a number ---- */

/*
 * The variable is the logit or logarithm of b on what is left of its range
 * above `least`, so that the integrand falls off smoothly at both ends.
 */
typedef struct Excess
{
	const Posterior *a;
	const Posterior *b;
	double least; /* 0 or more */
	double center;
	double unit;
} Excess;

/* ln of the density of b by b itself, at a point, but for what is constant */
static double
log_kernel(const Posterior *p, const Point *point)
{
	double ratio = log(point->x / mean_of(p));

	if (p->is_gamma)
		return log_density(p, ratio) - log(point->x);
	return log_density(p, ratio - log(point->rest / (p->b / (p->a + p->b)))) -
		log(point->x) - log(point->rest);
}

static double
log_excess_density(double v, void *context)
{
	const Excess *e = context;
	double logit = e->center + v * e->unit;
	double room = 1 - e->least;
	double share = 1 / (1 + exp(-logit));
	Point above = { e->least + room * share, room / (1 + exp(logit)) };
	Point below = { room * share, e->least + above.rest };

	if (e->b->is_gamma)
	{
		below.x = exp(logit);
		above.x = e->least + below.x;
		return log_kernel(e->b, &above) + log_below(e->a, &below) + logit;
	}
	return log_kernel(e->b, &above) + log_below(e->a, &below) + log(below.x) +
		log(above.rest) - log(room);
}

static double
chance_of_excess(const Posterior *a, const Posterior *b, double least)
{
	Excess excess = { a, b, least, 0, Max(spread_of(a), spread_of(b)) };
	double room = mean_of(b) - least;

	if (least < 0)
		return 1 - chance_of_excess(b, a, -least);
	if (room <= 0)
		room = mean_of(b) * (b->is_gamma ? 1 : 1 - least);
	excess.center = log(room) -
		(b->is_gamma ? 0 : log(Max(1 - least - room, 1e-3 * (1 - least))));
	return exp(Min(log_integral_of(log_excess_density, &excess, a, b) +
					   log(excess.unit),
				   0));
}

/* ---- the average of b - a where that is positive ---- */

typedef struct Overlap
{
	const Posterior *a;
	const Posterior *b;
	Posterior both;
	double unit;
} Overlap;

static double
log_overlap(double v, void *context)
{
	const Overlap *o = context;
	Point point = point_at(&o->both, v * o->unit);

	return log_below(o->a, &point) + log_above(o->b, &point) + log(point.x) +
		log(point.rest);
}

/* The integral of P(a < x < b) by x. */
double
expected_excess(const Posterior *a, const Posterior *b)
{
	Overlap overlap = { a,
						b,
						{ a->is_gamma, a->a + b->a, a->b + b->b },
						Max(spread_of(a), spread_of(b)) };

	return overlap.unit * exp(log_integral_of(log_overlap, &overlap, a, b));
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
	return tail.middle + v * tail.unit;
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
	result.expected_loss_a = expected_excess(a, b);
	result.expected_loss_b = expected_excess(b, a);
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
