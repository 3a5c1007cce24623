/*
 * lloyd.h
 *		A run of Lloyd's iterations: what lloyd.c and exchange.c share.
 */
#ifndef PERSONALIZE_LLOYD_H
#define PERSONALIZE_LLOYD_H

#include <math.h>

#include "cluster/cluster.h"

/*
 * Distances are computed to so many centroids at once; a constant, so that the
 * compiler unrolls and vectorises.
 */
#define TILE 8

typedef struct Lloyd
{
	const RowSet *rows;
	Clusters *clusters;
	int32 *labels;

	double *tiles;	   /* centroids: [tile][feature][TILE] */
	double *distances; /* squared, of one row to all of them */
	double *upper;	   /* less moved[label] */
	double *lower;	   /* plus moved_most */
	double *moved;	   /* by each centroid */
	double moved_most; /* by any centroid in each iteration */
	double *apart;	   /* half the distance to the next centroid */

	double *sums; /* of the rows of each cluster */
	int64 *counts;
	double inertia; /* not above this */
	bool first;		/* no row has been placed */
} Lloyd;

#define centroid_of(clusters, j) \
	((clusters)->centroids + (Size) (j) * (clusters)->width)
#define tiles_of(k) (((k) + TILE - 1) / TILE)

/* Adds features in order, as squared_distance() does: the results are equal. */
static inline void
measure(const double *tiles, int n, const double *row, int width,
		double *distances)
{
	for (int t = 0; t < n; t++)
	{
		double sums[TILE] = { 0 };

		for (int f = 0; f < width; f++, tiles += TILE)
			for (int j = 0; j < TILE; j++)
				sums[j] += (row[f] - tiles[j]) * (row[f] - tiles[j]);
		memcpy(distances + t * TILE, sums, sizeof(sums));
	}
}

/* The nearest, the first of several, and the distance of the next. */
static inline int
nearest_two(const double *distances, int k, double *second)
{
	int nearest = 0;
	double least = distances[0];
	double next = INFINITY;

	for (int j = 1; j < k; j++)
	{
		double distance = distances[j];
		bool nearer = distance < least;

		next = Min(next, Max(distance, least));
		nearest = nearer ? j : nearest;
		least = nearer ? distance : least;
	}
	*second = next;
	return nearest;
}

/* lloyd.c */
extern void move_row(Lloyd *run, int64 i, int j);
extern double move_centroid(Lloyd *run, int j);
extern void fill_tile(double *tiles, const Clusters *clusters, int j);

/* exchange.c: rows one by one to where they leave less inertia, until none is
 * left that would. */
extern void exchange_rows(Lloyd *run);

#endif
