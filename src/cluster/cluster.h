/*
 * cluster.h
 *		Clustering of rows of features: what the files of this part share.
 */
#ifndef PERSONALIZE_CLUSTER_H
#define PERSONALIZE_CLUSTER_H

#include "common/state.h"
#include "common/sum.h"
#include "utils/array.h"

/*
 * Features are below this in magnitude, so that no sum of their squares leaves
 * a double's range.
 */
#define FEATURE_LIMIT 1e140

#define MAX_FEATURES 10000
#define MAX_CLUSTERS 10000

/* Between looks for a cancelled query, when a row costs little. */
#define ROWS_PER_CHECK 4096

/* ---- features.c: arrays of features from SQL ---- */

/* ARR_DATA_PTR, whose types differ in sign */
static inline double *
array_numbers(ArrayType *array)
{
	Size offset = ARR_HASNULL(array) ? (Size) array->dataoffset :
									   ARR_OVERHEAD_NONULLS(ARR_NDIM(array));

	return (double *) ((char *) array + offset);
}

/* The numbers of a row, checked; `name` is for messages. */
extern const double *
features_read(ArrayType *array, const char *name, int *width);

/* The same for centroids, one or more rows of them. */
extern const double *
matrix_read(ArrayType *array, const char *name, int *rows, int *width);

extern void features_check_width(int width, int expected);

/* ---- points.c: the rows of a group as an aggregate's state ---- */

typedef struct Points
{
	StateHeader head;
	int32 k;
	int32 width; /* numbers in a row */
	int64 seed;
	int64 rows;
	double values[FLEXIBLE_ARRAY_MEMBER]; /* row by row */
} Points;

extern const StateType points_type;

/* ---- rows.c: the same rows in an order that their contents decide ---- */

/* Distinct rows and how many rows each stands for. */
typedef struct RowSet
{
	int64 n;
	int width;
	double *values;
	double *weights;
} RowSet;

#define row_of(set, i) ((set)->values + (Size) (i) * (set)->width)

/* Row numbers of the points in that order. */
extern uint32 *rows_order(const Points *points);

extern void rows_distinct(const Points *points, RowSet *set);

/* About `size` of the rows, or all of them, standing for the whole. */
extern void
rows_sample(const RowSet *all, int64 size, uint64 seed, RowSet *sample);
extern void rows_free(RowSet *set);

/* ---- lloyd.c: from any centroids to a local optimum ---- */

typedef struct Clusters
{
	int k;
	int width;
	double *centroids; /* k rows */
	double *weights;   /* rows in each, by their weight */
	double inertia;	   /* sum of squared distances */
	int iterations;
	bool converged;
	bool settled; /* the last iteration changed no row's cluster */
} Clusters;

extern void clusters_init(Clusters *clusters, int k, int width);
extern void clusters_copy(Clusters *to, const Clusters *from);

/*
 * Improves the centroids and sets the rest.  labels[n] gets every row's
 * cluster.  Adds to the iterations there were.
 */
extern void
lloyd(const RowSet *rows, Clusters *clusters, int32 *labels, bool exchange);

/*
 * Exact means of the clusters by labels; then labels, weights and inertia by
 * the nearest centroid, the first of several, returning how many labels
 * changed.
 */
extern void
set_means(const RowSet *rows, Clusters *clusters, const int32 *labels);
extern int64
assign_nearest(const RowSet *rows, Clusters *clusters, int32 *labels);

/* ---- seeding.c: where to begin ---- */

/* k-means++, from a state of the random generator that it advances. */
extern void
seed_centroids(const RowSet *rows, Clusters *clusters, uint64 *random);

/* ---- distances ---- */

static inline double
squared_distance(const double *a, const double *b, int width)
{
	double sum = 0;

	for (int f = 0; f < width; f++)
		sum += (a[f] - b[f]) * (a[f] - b[f]);
	return sum;
}

#endif
