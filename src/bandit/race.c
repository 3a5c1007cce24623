/*
 * race.c
 *		Which of several independent random numbers is the highest?
 *
 * The chance of each is the integral of its own density times the distribution
 * functions of the others.  All are computed together, from left to right in
 * panels short enough for each density to be nearly a polynomial in them.
 * In a panel it is known at Gauss's nodes; the polynomial through these gives
 * the distribution function at each node, so that no function but the density
 * is ever computed.  All that is added is positive: small chances keep their
 * digits.
 */
#include "postgres.h"

#include <math.h>

#include "bandit/bandit.h"
#include "miscadmin.h"

#define NODES 16

/*
 * A panel's length in scales of each density near its mode, and in distances
 * from the mode further away, where densities are exponentials of the distance
 * or fall faster.
 */
#define NEAR_LENGTH 1.5
#define FAR_LENGTH (1.0 / 3)

/* The density of ln(p / (1 - p)) changes its course around 0 and at its edge. */
#define LOGIT_SCALE 1.0

/* Gauss's rule for [-1, 1], and integrals from -1 to each node. */
typedef struct Rule
{
	bool known;
	double node[NODES];
	double weight[NODES];
	double upto[NODES][NODES];
} Rule;

static Rule rule;

/* Of numbers of which all, and all but one, are below x. */
typedef struct Below
{
	double all;
	double all_but_one;
} Below;

typedef struct Race
{
	Racer *racers;
	int n;
	double (*density)[NODES]; /* of each racer, at the nodes of the panel */
	double (*below)[NODES];
	Below *ahead; /* of the racers before each */
} Race;

/* Legendre's polynomials of degree 0 to n at x. */
static void
legendre(double x, int n, double *p)
{
	p[0] = 1;
	p[1] = x;
	for (int l = 2; l <= n; l++)
		p[l] = ((2 * l - 1) * x * p[l - 1] - (l - 1) * p[l - 2]) / l;
}

/* Newton's method from the usual approximation of the roots. */
static void
make_nodes(void)
{
	double p[NODES + 1];

	for (int i = 0; i < NODES; i++)
	{
		double x = -cos(M_PI * (i + 0.75) / (NODES + 0.5));
		double slope = 1;

		for (int step = 0; step < 10; step++)
		{
			legendre(x, NODES, p);
			slope = NODES * (x * p[NODES] - p[NODES - 1]) / (x * x - 1);
			x -= p[NODES] / slope;
		}
		rule.node[i] = x;
		rule.weight[i] = 2 / ((1 - x * x) * slope * slope);
	}
}

/*
 * The polynomial through values at the nodes, as a series of Legendre's, is
 * integrated term by term: the integral of P_l is (P_l+1 - P_l-1) / (2 l + 1).
 */
static void
make_rule(void)
{
	double p[NODES][NODES + 1];

	make_nodes();
	for (int i = 0; i < NODES; i++)
		legendre(rule.node[i], NODES, p[i]);
	for (int i = 0; i < NODES; i++)
	{
		for (int k = 0; k < NODES; k++)
		{
			double sum = 0.5 * (rule.node[i] + 1);

			for (int l = 1; l < NODES; l++)
				sum += 0.5 * p[k][l] * (p[i][l + 1] - p[i][l - 1]);
			rule.upto[i][k] = rule.weight[k] * sum;
		}
	}
	rule.known = true;
}

static inline double
length_around(double centre, double scale, double x)
{
	double distance = x - centre;

	/* on the left it is the far end that must be at such a distance */
	if (distance < 0)
		distance = -distance / (1 + FAR_LENGTH);
	return Max(NEAR_LENGTH * scale, FAR_LENGTH * distance);
}

static double
panel_length(const Racer *racer, double x)
{
	const Posterior *posterior = &racer->posterior;
	double length = length_around(posterior->mode, posterior->scale, x);

	if (posterior->a > 0)
	{
		length = Min(length, length_around(0, LOGIT_SCALE, x));
		length = Min(length,
					 length_around(posterior_edge(posterior), LOGIT_SCALE, x));
	}
	return length;
}

/* Density and distribution function of a racer at the nodes. */
static void
run_panel(Racer *racer, double left, double length, double *density,
		  double *below)
{
	double half = length / 2;
	double whole = 0;

	for (int k = 0; k < NODES; k++)
	{
		density[k] = posterior_density(&racer->posterior, left,
									   half * (1 + rule.node[k]));
		whole += rule.weight[k] * density[k];
	}
	for (int i = 0; below && i < NODES; i++)
	{
		double sum = 0;

		for (int k = 0; k < NODES; k++)
			sum += rule.upto[i][k] * density[k];
		below[i] = Min(racer->below + half * Max(sum, 0), 1);
	}
	racer->below = Min(racer->below + half * whole, 1);
}

/* The racer's distribution function at the start. */
static void
run_alone(Racer *racer, double start)
{
	double density[NODES];
	double x = racer->posterior.low;

	racer->below = 0;
	if (start >= racer->posterior.high)
		racer->below = 1;
	else
	{
		while (x < start)
		{
			double next = Min(x + panel_length(racer, x), start);

			run_panel(racer, x, next - x, density, NULL);
			x = next;
		}
	}
}

/* Of `count` numbers, each below x with the same chance. */
static inline Below
below_power(double chance, int count)
{
	Below below = { 1, 0 };
	double all_others = count > 2 ? pow(chance, count - 1) :
		count == 2				  ? chance :
									1;

	if (count > 0)
	{
		below.all = all_others * chance;
		below.all_but_one = count * (1 - chance) * all_others;
	}
	return below;
}

static inline Below
below_both(Below a, Below b)
{
	Below both = { a.all * b.all,
				   a.all * b.all_but_one + a.all_but_one * b.all };

	return both;
}

/* What the neighbourhood of one node adds, `width` being its share of x. */
static void
add_node(Race *race, int node, double width)
{
	Below others = { 1, 0 };
	Below behind = { 1, 0 };

	for (int i = 0; i < race->n; i++)
	{
		race->ahead[i] = others;
		others = below_both(others,
							below_power(race->below[i][node],
										race->racers[i].count));
	}
	for (int i = race->n - 1; i >= 0; i--)
	{
		Racer *racer = &race->racers[i];
		double chance = race->below[i][node];
		double weight = width * race->density[i][node];

		others = below_both(below_both(race->ahead[i], behind),
							below_power(chance, racer->count - 1));
		racer->best += weight * others.all;
		racer->top_two += weight * (others.all + others.all_but_one);
		behind = below_both(behind, below_power(chance, racer->count));
	}
}

static void
add_panel(Race *race, double left, double length)
{
	for (int i = 0; i < race->n; i++)
	{
		Racer *racer = &race->racers[i];

		if (left < racer->posterior.high)
			run_panel(racer, left, length, race->density[i], race->below[i]);
		else
		{
			for (int k = 0; k < NODES; k++)
			{
				race->density[i][k] = 0;
				race->below[i][k] = 1;
			}
		}
	}
	for (int k = 0; k < NODES; k++)
		add_node(race, k, 0.5 * length * rule.weight[k]);
}

void
race_run(Racer *racers, int n, double start)
{
	Race race = { .racers = racers, .n = n };
	double x = start;

	if (!rule.known)
		make_rule();
	race.density = palloc_extended(n * sizeof(*race.density), MCXT_ALLOC_HUGE);
	race.below = palloc_extended(n * sizeof(*race.below), MCXT_ALLOC_HUGE);
	race.ahead = palloc(n * sizeof(Below));
	for (int i = 0; i < n; i++)
	{
		run_alone(&racers[i], start);
		racers[i].best = racers[i].top_two = 0;
	}

	for (;;)
	{
		double length = INFINITY;
		double next;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
		{
			if (x < racers[i].posterior.high)
				length = Min(length, panel_length(&racers[i], x));
		}
		if (isinf(length))
			break;
		/* the length that is left when the end is rounded */
		next = x + length;
		add_panel(&race, x, next - x);
		x = next;
	}
	pfree(race.density);
	pfree(race.below);
	pfree(race.ahead);
}
