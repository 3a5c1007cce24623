/*
 * kmeans.c
 *		kmeans(features, k [, seed]): the final function.
 *
 * Several beginnings are tried on a sample, and the best is brought to its end
 * on all rows.  Everything goes by the canonical order of the rows, so that
 * the result is the same to the last bit however the rows came.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "cluster/cluster.h"
#include "common/mix.h"
#include "funcapi.h"

/* Local optima differ: as many beginnings as a measure of work allows. */
#define STARTS_WORK 7.5e6 /* differences of numbers in one iteration of each */
#define MIN_STARTS 3
#define MAX_STARTS 100
#define SAMPLE_STARTS 16 /* its optimum is only near that of all rows */

/* Numbers in a sample of rows, and rows at least. */
#define SAMPLE_NUMBERS 30000
#define SAMPLE_MIN_ROWS 2000
#define SAMPLE_ROWS_PER_CLUSTER 30

/* Rows at the same distance of two centroids: turns of giving them away. */
#define MAX_TURNS 10

PG_FUNCTION_INFO_V1(personalize_kmeans_final);

static int64
sample_size(int k, int width)
{
	int64 size = Max(SAMPLE_NUMBERS / width, SAMPLE_MIN_ROWS);

	return Max(size, (int64) k * SAMPLE_ROWS_PER_CLUSTER);
}

static int
number_of_starts(const RowSet *rows, int k, bool sample)
{
	double work = (double) rows->n * rows->width * k;
	double most = sample ? SAMPLE_STARTS : MAX_STARTS;

	return (int) Max(MIN_STARTS, Min(most, STARTS_WORK / work));
}

/* The best of several local optima, of all rows or of a sample. */
static void
best_start(const RowSet *rows, Clusters *best, uint64 seed, bool sample)
{
	uint64 random = mix64(seed);
	int starts = number_of_starts(rows, best->k, sample);
	int32 *labels = palloc_extended(rows->n * sizeof(int32), MCXT_ALLOC_HUGE);
	Clusters clusters;

	best->inertia = INFINITY;
	for (int i = 0; i < starts; i++)
	{
		clusters_init(&clusters, best->k, best->width);
		seed_centroids(rows, &clusters, &random);
		lloyd(rows, &clusters, labels, !sample);
		if (clusters.inertia < best->inertia)
			clusters_copy(best, &clusters);
		pfree(clusters.centroids);
		pfree(clusters.weights);
	}
	pfree(labels);
}

/* Larger clusters first, equally large ones by their centroids. */
static int
compare_clusters(const void *a, const void *b, void *context)
{
	const Clusters *clusters = context;
	int i = *(const int *) a;
	int j = *(const int *) b;
	const double *left = clusters->centroids + (Size) i * clusters->width;
	const double *right = clusters->centroids + (Size) j * clusters->width;

	if (clusters->weights[i] != clusters->weights[j])
		return clusters->weights[i] > clusters->weights[j] ? -1 : 1;
	for (int f = 0; f < clusters->width; f++)
		if (left[f] != right[f])
			return left[f] < right[f] ? -1 : 1;
	return i - j;
}

/* Brings the clusters into that order; were they not? */
static bool
arrange(Clusters *clusters, int32 *labels, int64 n)
{
	int k = clusters->k;
	Size row = clusters->width * sizeof(double);
	int *order = palloc(k * sizeof(int));
	int *place = palloc(k * sizeof(int));
	Clusters old;
	bool changed = false;

	clusters_init(&old, k, clusters->width);
	clusters_copy(&old, clusters);
	for (int j = 0; j < k; j++)
		order[j] = j;
	qsort_arg(order, k, sizeof(int), compare_clusters, &old);
	for (int j = 0; j < k; j++)
	{
		place[order[j]] = j;
		changed |= order[j] != j;
		clusters->weights[j] = old.weights[order[j]];
		memcpy((char *) clusters->centroids + j * row,
			   (char *) old.centroids + order[j] * row, row);
	}
	for (int64 i = 0; changed && i < n; i++)
		labels[i] = place[labels[i]];
	pfree(old.centroids);
	pfree(old.weights);
	pfree(order);
	pfree(place);
	return changed;
}

/*
 * What is reported is what nearest_centroid() finds.  Where a row is as near
 * to another centroid, that may differ from what the iterations left; then it
 * goes over, and the means follow.
 */
static void
finish(const RowSet *rows, Clusters *clusters, int32 *labels)
{
	set_means(rows, clusters, labels);
	arrange(clusters, labels, rows->n);
	for (int turn = 0; turn < MAX_TURNS; turn++)
	{
		int64 changed = assign_nearest(rows, clusters, labels);
		bool arranged = arrange(clusters, labels, rows->n);

		if (!arranged && (changed == 0 || !clusters->settled))
			break;
		if (clusters->settled && changed > 0)
			set_means(rows, clusters, labels);
	}
}

static void
check_distinct(const RowSet *rows, int k)
{
	if (rows->n < k)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must not exceed the number of distinct rows"),
				 errdetail_plural("k is %d, and there is %lld distinct row.",
								  "k is %d, and there are %lld distinct rows.",
								  (unsigned long) rows->n, k,
								  (long long) rows->n),
				 errhint("Use a smaller k.")));
}

/*
 * Hashes decide what is in the sample, and rows can be made whose hashes leave
 * it short of k: then all rows take its place.
 */
static void
begin(const RowSet *rows, Clusters *clusters, uint64 seed)
{
	int64 size = sample_size(clusters->k, clusters->width);
	RowSet sample;

	if (rows->n <= 2 * size)
	{
		best_start(rows, clusters, seed, false);
		return;
	}
	rows_sample(rows, size, seed, &sample);
	best_start(sample.n < clusters->k ? rows : &sample, clusters, seed, true);
	rows_free(&sample);
}

static void
cluster_points(const Points *points, Clusters *clusters)
{
	RowSet rows;
	int32 *labels;

	rows_distinct(points, &rows);
	check_distinct(&rows, points->k);
	begin(&rows, clusters, points->seed);

	labels = palloc_extended(rows.n * sizeof(int32), MCXT_ALLOC_HUGE);
	lloyd(&rows, clusters, labels, false);
	finish(&rows, clusters, labels);
	pfree(labels);
	rows_free(&rows);
}

static Datum
centroids_array(const Clusters *clusters)
{
	int n = clusters->k * clusters->width;
	Datum *elements = palloc(n * sizeof(Datum));
	int dims[2] = { clusters->k, clusters->width };
	int bounds[2] = { 1, 1 };

	for (int i = 0; i < n; i++)
		elements[i] = Float8GetDatum(clusters->centroids[i]);
	return PointerGetDatum(
		construct_md_array(elements, NULL, 2, dims, bounds, FLOAT8OID,
						   sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static Datum
sizes_array(const Clusters *clusters)
{
	Datum *elements = palloc(clusters->k * sizeof(Datum));

	for (int j = 0; j < clusters->k; j++)
		elements[j] = Int64GetDatum((int64) clusters->weights[j]);
	return PointerGetDatum(construct_array(elements, clusters->k, INT8OID,
										   sizeof(int64), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

Datum
personalize_kmeans_final(PG_FUNCTION_ARGS)
{
	Points *points;
	Clusters clusters;
	TupleDesc tupdesc;
	Datum values[6];
	bool nulls[6] = { false };

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "result type must be a row");

	points = state_readable(fcinfo, 0);
	clusters_init(&clusters, points->k, points->width);
	cluster_points(points, &clusters);

	values[0] = centroids_array(&clusters);
	values[1] = sizes_array(&clusters);
	values[2] = Float8GetDatum(clusters.inertia);
	values[3] = Int32GetDatum(clusters.iterations);
	values[4] = BoolGetDatum(clusters.converged);
	values[5] = Int64GetDatum(points->rows);
	PG_RETURN_DATUM(HeapTupleGetDatum(
		heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}
