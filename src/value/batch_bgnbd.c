/*
 * batch_bgnbd.c
 *		Log likelihoods of samples under BG/NBD and MBG/NBD.
 *
 * Both are, for a customer (P. Fader, B. Hardie and K. Lee 2005; E. Batislam,
 * M. Denizel and A. Filiztekin 2007),
 *
 *		Gamma(r + x) / Gamma(r) alpha^-x  B(a, b + m) / B(a, b)
 *			[ (1 + T/alpha)^-(r + x) + k (1 + t_x/alpha)^-(r + x) ]
 *
 * with k = a / (b + m - 1), where m = x occasions to leave were survived in
 * BG/NBD and m = x + 1 in MBG/NBD; without the second term where m = 0.  The
 * first term is that of who is still a customer.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "value/value.h"

/* Sums over the rows of a group. */
typedef struct GroupSums
{
	double log_likelihood; /* of what stands in brackets */
	double alive;		   /* weight times share of the first term */
	double log_time;	   /* ... times ln(1 + t/alpha), t as the share goes */
	double time;		   /* ... times t / (alpha + t) */
} GroupSums;

typedef struct Point
{
	double log;	  /* ln(1 + t/alpha) */
	double share; /* t / (alpha + t) */
} Point;

static const Point *
tabulate(const FitSet *set, const FitGroup *group, double alpha)
{
	const double *times = group_points(set, group);
	Point *points = (Point *) set->scratch;

	for (int64 i = 0; i < group->npoints; i++)
	{
		points[i].log = log1p(times[i] / alpha);
		points[i].share = times[i] / (alpha + times[i]);
	}
	return points;
}

/* Nobody who never came again can have left, in BG/NBD. */
static void
sum_alive(const FitSet *set, const FitGroup *group, const Point *points,
		  double power, GroupSums *sums)
{
	for (int64 i = group->first; i < group->first + group->n; i++)
	{
		double weight = set->weights[i];
		const Point *T = &points[set->T[i]];

		sums->log_likelihood -= weight * power * T->log;
		sums->log_time += weight * T->log;
		sums->time += weight * T->share;
	}
	sums->alive = group->weight;
}

static void
sum_rows(const FitSet *set, const FitGroup *group, const Point *points,
		 double power, double log_k, GroupSums *sums)
{
	for (int64 i = group->first; i < group->first + group->n; i++)
	{
		double weight = set->weights[i];
		const Point *t_x = &points[set->t_x[i]];
		const Point *T = &points[set->T[i]];
		double alive = -power * T->log;
		double left = log_k - power * t_x->log;
		double ratio = exp(-fabs(alive - left));
		double share = (alive > left ? 1 : ratio) / (1 + ratio);

		sums->log_likelihood += weight * (Max(alive, left) + log1p(ratio));
		sums->alive += weight * share;
		sums->log_time += weight * (t_x->log + share * (T->log - t_x->log));
		sums->time += weight * (t_x->share + share * (T->share - t_x->share));
	}
}

static double
log_likelihood_sum(const FitSet *set, const double *params, double *gradient,
				   int occasions)
{
	double r = params[0];
	double alpha = params[1];
	double a = params[2];
	double b = params[3];
	Rising purchases = { .start = r };
	Rising survived = { .start = b };
	Rising met = { .start = a + b };
	double total = 0;

	for (int i = 0; i < set->ngroups; i++)
	{
		const FitGroup *group = &set->groups[i];
		double x = group->x;
		double m = x + occasions;
		double weight = group->weight;
		const Point *points = tabulate(set, group, alpha);
		GroupSums sums = { 0 };

		CHECK_FOR_INTERRUPTS();
		rising_advance(&purchases, x);
		rising_advance(&survived, m);
		rising_advance(&met, m);
		if (m == 0)
			sum_alive(set, group, points, r + x, &sums);
		else
			sum_rows(set, group, points, r + x, log(a / (b + m - 1)), &sums);

		total += sums.log_likelihood +
			weight *
				(purchases.value - x * log(alpha) + survived.value - met.value);
		if (gradient == NULL)
			continue;
		gradient[0] += r * (weight * purchases.slope - sums.log_time);
		gradient[1] += (r + x) * sums.time - weight * x;
		gradient[2] += weight - sums.alive - a * weight * met.slope;
		gradient[3] += b * weight * (survived.slope - met.slope);
		if (m > 0)
			gradient[3] -= b / (b + m - 1) * (weight - sums.alive);
	}
	return total;
}

double
bgnbd_log_likelihood_sum(const FitSet *set, const double *params,
						 double *gradient)
{
	return log_likelihood_sum(set, params, gradient, 0);
}

double
mbgnbd_log_likelihood_sum(const FitSet *set, const double *params,
						  double *gradient)
{
	return log_likelihood_sum(set, params, gradient, 1);
}
