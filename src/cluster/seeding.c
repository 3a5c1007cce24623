/*
 * seeding.c
 *		Where to begin: k-means++ (Arthur and Vassilvitskii 2007).
 *
 * The first centroid is a random row, each further one a row that is chosen
 * with a probability by its squared distance from the nearest so far.  Of a
 * few such choices the one that leaves the least inertia is taken, the greedy
 * variant that the authors recommend.
 */
#include "postgres.h"

#include <math.h>

#include "cluster/cluster.h"
#include "common/mix.h"
#include "miscadmin.h"

typedef struct Seeding
{
	const RowSet *rows;
	double *nearest; /* weighted squared distance to the nearest centroid */
	double *trial;	 /* the same with one more centroid */
	double *best;
	uint64 *random;
} Seeding;

/* SplitMix64, evenly in [0, 1). */
static double
draw(uint64 *random)
{
	*random += UINT64CONST(0x9e3779b97f4a7c15);
	return (mix64(*random) >> 11) * 0x1p-53;
}

static double
total_of(const double *values, int64 n)
{
	double total = 0;

	for (int64 i = 0; i < n; i++)
		total += values[i];
	return total;
}

/* A row, by shares of a total.  No shares: any row. */
static int64
choose(Seeding *seeding, const double *shares, double total)
{
	int64 n = seeding->rows->n;
	double left = draw(seeding->random) * total;
	int64 chosen = -1;

	if (total <= 0)
		return (int64) (draw(seeding->random) * n);
	for (int64 i = 0; i < n; i++)
	{
		if (shares[i] <= 0)
			continue;
		chosen = i;
		left -= shares[i];
		if (left < 0)
			break;
	}
	return chosen;
}

/* What would be left with one more centroid; the total. */
static double
try_row(Seeding *seeding, int64 row)
{
	const RowSet *rows = seeding->rows;
	const double *centroid = row_of(rows, row);
	double total = 0;

	for (int64 i = 0; i < rows->n; i++)
	{
		double distance = rows->weights[i] *
			squared_distance(row_of(rows, i), centroid, rows->width);

		seeding->trial[i] = Min(distance, seeding->nearest[i]);
		total += seeding->trial[i];
	}
	return total;
}

static void
swap(double **a, double **b)
{
	double *kept = *a;

	*a = *b;
	*b = kept;
}

/* The best of some choices for the next centroid. */
static int64
next_row(Seeding *seeding, int trials)
{
	double before = total_of(seeding->nearest, seeding->rows->n);
	double least = INFINITY;
	int64 row = 0;

	for (int t = 0; t < trials; t++)
	{
		int64 candidate = choose(seeding, seeding->nearest, before);
		double left = try_row(seeding, candidate);

		CHECK_FOR_INTERRUPTS();
		if (left < least)
		{
			least = left;
			row = candidate;
			swap(&seeding->trial, &seeding->best);
		}
	}
	swap(&seeding->best, &seeding->nearest);
	return row;
}

void
seed_centroids(const RowSet *rows, Clusters *clusters, uint64 *random)
{
	Size size = rows->n * sizeof(double);
	int width = rows->width;
	int trials = 2 + (int) log(clusters->k);
	Seeding seeding = { .rows = rows, .random = random };
	int64 row;

	seeding.nearest = palloc_extended(size, MCXT_ALLOC_HUGE);
	seeding.trial = palloc_extended(size, MCXT_ALLOC_HUGE);
	seeding.best = palloc_extended(size, MCXT_ALLOC_HUGE);

	row = choose(&seeding, rows->weights, total_of(rows->weights, rows->n));
	for (int64 i = 0; i < rows->n; i++)
		seeding.nearest[i] = INFINITY;
	try_row(&seeding, row);
	swap(&seeding.trial, &seeding.nearest);
	for (int j = 0; j < clusters->k; j++)
	{
		if (j > 0)
			row = next_row(&seeding, trials);
		memcpy(clusters->centroids + (Size) j * width, row_of(rows, row),
			   width * sizeof(double));
	}

	pfree(seeding.nearest);
	pfree(seeding.trial);
	pfree(seeding.best);
}
