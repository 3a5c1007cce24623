/*
 * best_arm.c
 *		The probability of each arm to be the best one.
 *
 * Arms are put in an order that their posteriors decide, and equal ones are
 * made one: so the order in which the user has them changes nothing, and equal
 * arms have equal probabilities, to the last bit.
 */
#include "postgres.h"

#include <math.h>

#include "bandit/bandit.h"

/* A point, the posterior of rewards that were all alike, is made so wide, by
 * its distance from the others. */
#define POINT 1e-10

static int
compare_posteriors(const Posterior *x, const Posterior *y)
{
	double xs[] = { x->mode, x->scale, x->a, x->b };
	double ys[] = { y->mode, y->scale, y->a, y->b };

	for (int i = 0; i < (int) lengthof(xs); i++)
	{
		if (xs[i] != ys[i])
			return xs[i] < ys[i] ? -1 : 1;
	}
	return 0;
}

static int
compare_arms(const void *x, const void *y, void *posteriors)
{
	return compare_posteriors((Posterior *) posteriors + *(const int *) x,
							  (Posterior *) posteriors + *(const int *) y);
}

/*
 * Where it begins to matter who is there: where the highest posterior begins,
 * or, for the second place, the second one.
 */
static double
race_start(const Racer *racers, int n, bool top_two)
{
	double first = -INFINITY;
	double second = -INFINITY;

	for (int i = 0; i < n; i++)
	{
		double low = racers[i].posterior.low;

		if (low > first)
		{
			second = racers[i].count > 1 ? low : first;
			first = low;
		}
		else
			second = Max(second, low);
	}
	return top_two && !isinf(second) ? second : first;
}

/* A distance as seen from the origin that is not 0. */
static double
smallest_reach(const Racer *racers, int n, double origin)
{
	double smallest = INFINITY;

	for (int i = 0; i < n; i++)
	{
		double reach =
			fabs(racers[i].posterior.mode - origin) + racers[i].posterior.scale;

		if (reach > 0)
			smallest = Min(smallest, reach);
	}
	return isinf(smallest) ? 1 : smallest;
}

/*
 * Move normal posteriors to where the narrowest one is the origin, as
 * differences of means have more digits than the means, and widen points.
 */
static void
make_comparable(Racer *racers, int n)
{
	const Racer *narrowest = &racers[0];
	double origin;
	double smallest;

	for (int i = 1; i < n; i++)
	{
		if (racers[i].posterior.scale <= narrowest->posterior.scale)
			narrowest = &racers[i];
	}
	origin = narrowest->posterior.mode;
	smallest = smallest_reach(racers, n, origin);
	for (int i = 0; i < n; i++)
	{
		double mean = racers[i].posterior.mode - origin;
		double point = POINT * Max(fabs(mean), smallest);

		posterior_normal(&racers[i].posterior, mean,
						 Max(racers[i].posterior.scale, point));
	}
}

/* The distinct posteriors; racer_of[] tells which one each arm has. */
static int
line_up(const Posterior *posteriors, int k, Racer *racers, int *racer_of)
{
	int *order = palloc(k * sizeof(int));
	int n = 0;

	for (int i = 0; i < k; i++)
		order[i] = i;
	qsort_arg(order, k, sizeof(int), compare_arms,
			  unconstify(Posterior *, posteriors));
	for (int i = 0; i < k; i++)
	{
		const Posterior *posterior = &posteriors[order[i]];

		if (n == 0 ||
			compare_posteriors(posterior, &racers[n - 1].posterior) != 0)
		{
			memset(&racers[n], 0, sizeof(Racer));
			racers[n++].posterior = *posterior;
		}
		racers[n - 1].count++;
		racer_of[order[i]] = n - 1;
	}
	pfree(order);
	return n;
}

/* Let those race who can win; the others lose. */
static void
race_some(Racer *racers, int n, bool top_two)
{
	double start = race_start(racers, n, top_two);
	Racer *some = palloc(n * sizeof(Racer));
	int *which = palloc(n * sizeof(int));
	int m = 0;

	for (int i = 0; i < n; i++)
	{
		if (racers[i].posterior.high >= start)
		{
			which[m] = i;
			some[m++] = racers[i];
		}
	}
	if (some[0].posterior.a == 0)
	{
		make_comparable(some, m);
		start = race_start(some, m, top_two);
	}
	race_run(some, m, start);
	for (int i = 0; i < m; i++)
		racers[which[i]] = some[i];
	pfree(some);
	pfree(which);
}

void
best_arm_probabilities(const Posterior *posteriors, int k, bool top_two,
					   double *probabilities)
{
	Racer *racers = palloc(k * sizeof(Racer));
	int *racer_of = palloc(k * sizeof(int));
	int n = line_up(posteriors, k, racers, racer_of);
	double total = 0;

	top_two = top_two && k > 1;
	if (n > 1)
		race_some(racers, n, top_two);
	for (int i = 0; i < n; i++)
	{
		Racer *racer = &racers[i];

		if (n == 1)
			racer->best = racer->top_two = 1;
		total += racer->count * (top_two ? racer->top_two : racer->best);
	}
	for (int i = 0; i < k; i++)
	{
		const Racer *racer = &racers[racer_of[i]];

		probabilities[i] = (top_two ? racer->top_two : racer->best) / total;
	}
	pfree(racers);
	pfree(racer_of);
}
