/*
 * exchange.c
 *		From one of Lloyd's optima to a better one (Hartigan 1975).
 *
 * A row that goes over takes its weight with it: both centroids move, away
 * from it and towards it.  So it can leave less inertia in a cluster whose
 * centroid is farther off than its own.  Each row is offered that, and goes at
 * once.  With few rows, or many equal ones, Lloyd's iterations alone come to
 * rest in many places that differ by little; of these, few withstand this.
 */
#include "postgres.h"

#include <math.h>

#include "cluster/lloyd.h"
#include "miscadmin.h"

#define MAX_SWEEPS 100

/* What must be gained, as part of a distance: more than rounding may feign. */
#define LEAST_GAIN 1e-10

/* What a squared distance counts in a cluster that the row is to enter. */
static inline double
entering(double weight, double row)
{
	return weight / (weight + row);
}

/* The cluster where the row costs least, and its bounds anew. */
static int
cheapest(Lloyd *run, int64 i)
{
	const Clusters *clusters = run->clusters;
	int own = run->labels[i];
	double weight = run->rows->weights[i];
	double leaving = clusters->weights[own] / (clusters->weights[own] - weight);
	double other = INFINITY;
	double least;
	int found = own;

	CHECK_FOR_INTERRUPTS();
	measure(run->tiles, tiles_of(clusters->k), row_of(run->rows, i),
			clusters->width, run->distances);
	least = run->distances[own] * leaving * (1 - LEAST_GAIN);
	for (int j = 0; j < clusters->k; j++)
	{
		double cost =
			run->distances[j] * entering(clusters->weights[j], weight);

		if (j == own)
			continue;
		other = Min(other, run->distances[j]);
		if (cost < least)
		{
			least = cost;
			found = j;
		}
	}
	run->upper[i] = sqrt(run->distances[own]) - run->moved[own];
	run->lower[i] = sqrt(other) + run->moved_most;
	return found;
}

/* May it cost less elsewhere, by its bounds? */
static inline bool
may_go(Lloyd *run, int64 i, double smallest)
{
	int own = run->labels[i];
	double weight = run->rows->weights[i];
	double others = run->clusters->weights[own] - weight;
	double distance = run->upper[i] + run->moved[own];
	double other = Max(run->lower[i] - run->moved_most, 0);

	return run->counts[own] > 1 &&
		distance * distance * (others + weight) * (smallest + weight) >
		other * other * others * smallest;
}

static void
go(Lloyd *run, int64 i, int j)
{
	int own = run->labels[i];
	double left;
	double entered;

	move_row(run, i, j);
	left = move_centroid(run, own);
	entered = move_centroid(run, j);
	run->moved_most += sqrt(Max(left, entered));
	run->upper[i] = INFINITY;
}

static int64
sweep(Lloyd *run)
{
	const Clusters *clusters = run->clusters;
	double smallest = clusters->weights[0];
	int64 gone = 0;

	for (int j = 1; j < clusters->k; j++)
		smallest = Min(smallest, clusters->weights[j]);
	for (int64 i = 0; i < run->rows->n; i++)
	{
		int own = run->labels[i];
		int j;

		if (i % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (!may_go(run, i, smallest))
			continue;
		j = cheapest(run, i);
		if (j == own)
			continue;
		go(run, i, j);
		smallest = Min(smallest, clusters->weights[own]);
		gone++;
	}
	return gone;
}

void
exchange_rows(Lloyd *run)
{
	int left = MAX_SWEEPS;

	while (sweep(run) > 0 && left-- > 0)
		run->clusters->iterations++;
}
