/*
 * lloyd.c
 *		From any centroids to a local optimum (Lloyd 1982).
 *
 * Most rows keep their cluster in most iterations.  To know that without
 * looking at them, an upper bound of each row's distance to its centroid and a
 * lower bound of that to all others are kept (Hamerly 2010).  Centroids that
 * move loosen the bounds; instead of changing them all, they are stored
 * relative to how far centroids have moved since the beginning.
 */
#include "postgres.h"

#include <math.h>

#include "cluster/lloyd.h"
#include "miscadmin.h"

#define MAX_ITERATIONS 300

/*
 * The end: an update of the centroids that takes off less than this part of
 * the inertia.  What many more such could take off is still nothing to see.
 */
#define TOLERANCE 1e-9

void
clusters_init(Clusters *clusters, int k, int width)
{
	memset(clusters, 0, sizeof(*clusters));
	clusters->k = k;
	clusters->width = width;
	clusters->centroids = palloc0((Size) k * width * sizeof(double));
	clusters->weights = palloc0(k * sizeof(double));
}

void
clusters_copy(Clusters *to, const Clusters *from)
{
	double *centroids = to->centroids;
	double *weights = to->weights;

	*to = *from;
	to->centroids = centroids;
	to->weights = weights;
	memcpy(centroids, from->centroids,
		   (Size) from->k * from->width * sizeof(double));
	memcpy(weights, from->weights, from->k * sizeof(double));
}

void
fill_tile(double *tiles, const Clusters *clusters, int j)
{
	double *tile = tiles + (Size) (j / TILE) * clusters->width * TILE;

	for (int f = 0; f < clusters->width; f++)
		tile[f * TILE + j % TILE] = centroid_of(clusters, j)[f];
}

static void
fill_tiles(double *tiles, const Clusters *clusters)
{
	for (int j = 0; j < clusters->k; j++)
		fill_tile(tiles, clusters, j);
}

static void
add_row(Lloyd *run, int64 i, int j, int sign)
{
	const RowSet *rows = run->rows;
	const double *row = row_of(rows, i);
	double *sums = run->sums + (Size) j * rows->width;
	double weight = sign * rows->weights[i];

	for (int f = 0; f < rows->width; f++)
		sums[f] += weight * row[f];
	run->clusters->weights[j] += weight;
	run->counts[j] += sign;
}

void
move_row(Lloyd *run, int64 i, int j)
{
	if (run->labels[i] >= 0)
		add_row(run, i, run->labels[i], -1);
	add_row(run, i, j, 1);
	run->labels[i] = j;
}

/* Looks at a row whose bounds leave it open where it belongs. */
static bool
place_row(Lloyd *run, int64 i)
{
	const double *row = row_of(run->rows, i);
	int k = run->clusters->k;
	bool moves;
	double second;
	int j;

	CHECK_FOR_INTERRUPTS();
	measure(run->tiles, tiles_of(k), row, run->rows->width, run->distances);
	j = nearest_two(run->distances, k, &second);
	moves = j != run->labels[i];
	if (moves)
		move_row(run, i, j);
	run->upper[i] = sqrt(run->distances[j]) - run->moved[j];
	run->lower[i] = sqrt(second) + run->moved_most;
	return moves;
}

/* May a row be nearer to another centroid?  Tightens its upper bound. */
static inline bool
is_open(Lloyd *run, int64 i)
{
	int j = run->labels[i];
	double other = Max(run->apart[j], run->lower[i] - run->moved_most);
	double distance;

	if (likely(run->upper[i] + run->moved[j] <= other))
		return false;
	distance =
		sqrt(squared_distance(row_of(run->rows, i),
							  centroid_of(run->clusters, j), run->rows->width));
	run->upper[i] = distance - run->moved[j];
	return distance > other;
}

/* Every row to its nearest centroid; how many changed. */
static int64
place_rows(Lloyd *run)
{
	int64 changed = 0;

	for (int64 i = 0; i < run->rows->n; i++)
	{
		if (i % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (run->first || is_open(run, i))
			changed += place_row(run, i);
	}
	return changed;
}

/* The row that is farthest from its centroid, not alone there. */
static int64
farthest_row(Lloyd *run)
{
	double most = -1;
	int64 farthest = -1;

	for (int64 i = 0; i < run->rows->n; i++)
	{
		int j = run->labels[i];
		double distance =
			squared_distance(row_of(run->rows, i),
							 centroid_of(run->clusters, j), run->rows->width);

		if (i % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (distance > most && run->counts[j] > 1)
		{
			most = distance;
			farthest = i;
		}
	}
	return farthest;
}

/* There are k distinct rows at least, so somewhere are two in one. */
static int64
fill_empty_clusters(Lloyd *run)
{
	int64 filled = 0;

	for (int j = 0; j < run->clusters->k; j++)
	{
		int64 i;

		if (run->counts[j] > 0)
			continue;
		i = farthest_row(run);
		move_row(run, i, j);
		run->upper[i] = INFINITY;
		filled++;
	}
	return filled;
}

/* Half the distance of each centroid from the next one. */
static void
measure_apart(Lloyd *run)
{
	const Clusters *clusters = run->clusters;
	int k = clusters->k;

	for (int j = 0; j < k; j++)
	{
		double least = INFINITY;

		CHECK_FOR_INTERRUPTS();
		measure(run->tiles, tiles_of(k), centroid_of(clusters, j),
				clusters->width, run->distances);
		for (int other = 0; other < k; other++)
			if (other != j)
				least = Min(least, run->distances[other]);
		run->apart[j] = sqrt(least) / 2;
	}
}

/* A centroid to its mean; the squared distance. */
double
move_centroid(Lloyd *run, int j)
{
	Clusters *clusters = run->clusters;
	double *centroid = centroid_of(clusters, j);
	const double *sums = run->sums + (Size) j * clusters->width;
	double squared = 0;

	for (int f = 0; f < clusters->width; f++)
	{
		double mean = sums[f] / clusters->weights[j];

		squared += (mean - centroid[f]) * (mean - centroid[f]);
		centroid[f] = mean;
	}
	run->moved[j] += sqrt(squared);
	fill_tile(run->tiles, clusters, j);
	return squared;
}

/* All of them; how much inertia that takes off. */
static double
move_centroids(Lloyd *run)
{
	double gain = 0;
	double most = 0;

	for (int j = 0; j < run->clusters->k; j++)
	{
		double squared = move_centroid(run, j);

		gain += run->clusters->weights[j] * squared;
		most = Max(most, squared);
	}
	run->moved_most += sqrt(most);
	measure_apart(run);
	return gain;
}

static double
inertia_of(Lloyd *run)
{
	double inertia = 0;

	for (int64 i = 0; i < run->rows->n; i++)
		inertia += run->rows->weights[i] *
			squared_distance(row_of(run->rows, i),
							 centroid_of(run->clusters, run->labels[i]),
							 run->rows->width);
	return inertia;
}

static void
lloyd_begin(Lloyd *run, const RowSet *rows, Clusters *clusters, int32 *labels)
{
	int k = clusters->k;
	Size padded = (Size) tiles_of(k) * TILE;

	memset(run, 0, sizeof(*run));
	run->rows = rows;
	run->clusters = clusters;
	run->labels = labels;
	run->tiles = palloc0(padded * rows->width * sizeof(double));
	run->distances = palloc(padded * sizeof(double));
	run->upper = palloc_extended(rows->n * sizeof(double), MCXT_ALLOC_HUGE);
	run->lower = palloc_extended(rows->n * sizeof(double), MCXT_ALLOC_HUGE);
	run->moved = palloc0(k * sizeof(double));
	run->apart = palloc0(k * sizeof(double));
	run->sums = palloc0((Size) k * rows->width * sizeof(double));
	run->counts = palloc0(k * sizeof(int64));
	memset(clusters->weights, 0, k * sizeof(double));
	for (int64 i = 0; i < rows->n; i++)
		labels[i] = -1;
	fill_tiles(run->tiles, clusters);
	run->first = true;
}

static void
lloyd_end(Lloyd *run)
{
	pfree(run->tiles);
	pfree(run->distances);
	pfree(run->upper);
	pfree(run->lower);
	pfree(run->moved);
	pfree(run->apart);
	pfree(run->sums);
	pfree(run->counts);
}

void
lloyd(const RowSet *rows, Clusters *clusters, int32 *labels, bool exchange)
{
	Lloyd run;
	int left = MAX_ITERATIONS;

	lloyd_begin(&run, rows, clusters, labels);
	clusters->converged = false;
	clusters->settled = false;
	while (!clusters->converged && left-- > 0)
	{
		int64 changed = place_rows(&run) + fill_empty_clusters(&run);
		double gain = 0;

		clusters->iterations++;
		clusters->settled = changed == 0;
		if (!clusters->settled)
			gain = move_centroids(&run);
		if (run.first)
			run.inertia = inertia_of(&run);
		else
			run.inertia -= gain;
		clusters->converged =
			clusters->settled || gain < TOLERANCE * run.inertia;
		run.first = false;
	}
	if (exchange)
		exchange_rows(&run);
	clusters->inertia = inertia_of(&run);
	lloyd_end(&run);
}

void
set_means(const RowSet *rows, Clusters *clusters, const int32 *labels)
{
	int width = clusters->width;
	Sum *sums = palloc0((Size) clusters->k * width * sizeof(Sum));

	memset(clusters->weights, 0, clusters->k * sizeof(double));
	for (int64 i = 0; i < rows->n; i++)
	{
		Sum *sum = sums + (Size) labels[i] * width;

		if (i % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		clusters->weights[labels[i]] += rows->weights[i];
		for (int f = 0; f < width; f++)
			sum_add(&sum[f], rows->weights[i] * row_of(rows, i)[f]);
	}
	for (int j = 0; j < clusters->k; j++)
		for (int f = 0; f < width && clusters->weights[j] > 0; f++)
			centroid_of(clusters, j)[f] =
				sum_value(&sums[(Size) j * width + f]) / clusters->weights[j];
	pfree(sums);
}

int64
assign_nearest(const RowSet *rows, Clusters *clusters, int32 *labels)
{
	Size padded = (Size) tiles_of(clusters->k) * TILE;
	double *tiles = palloc0(padded * rows->width * sizeof(double));
	double *distances = palloc(padded * sizeof(double));
	Sum inertia = { 0 };
	int64 changed = 0;

	fill_tiles(tiles, clusters);
	memset(clusters->weights, 0, clusters->k * sizeof(double));
	for (int64 i = 0; i < rows->n; i++)
	{
		double second;
		int j;

		CHECK_FOR_INTERRUPTS();
		measure(tiles, tiles_of(clusters->k), row_of(rows, i), rows->width,
				distances);
		j = nearest_two(distances, clusters->k, &second);
		changed += j != labels[i];
		labels[i] = j;
		clusters->weights[j] += rows->weights[i];
		sum_add(&inertia, rows->weights[i] * distances[j]);
	}
	clusters->inertia = sum_value(&inertia);
	pfree(tiles);
	pfree(distances);
	return changed;
}
