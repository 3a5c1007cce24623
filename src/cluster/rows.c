/*
 * rows.c
 *		Rows in an order that their contents decide.
 *
 * Sums of doubles and random choices depend on the order of rows, and that of
 * an aggregate's input is nobody's to promise.  So the rows are ordered by a
 * hash of their contents, and equal rows become one with a weight.
 */
#include "postgres.h"

#include "cluster/cluster.h"
#include "common/mix.h"
#include "miscadmin.h"

/* A row's place in the order. */
typedef struct Place
{
	uint64 hash;
	uint32 row;
} Place;

/* -0 is taken for 0 */
static uint64
row_hash(const double *row, int width)
{
	uint64 hash = 0;

	for (int f = 0; f < width; f++)
	{
		double value = row[f] + 0.0;
		uint64 bits;

		memcpy(&bits, &value, sizeof(bits));
		hash = mix64(hash * UINT64CONST(0x9e3779b97f4a7c15) + bits + 1);
	}
	return hash;
}

static int
compare_rows(const double *a, const double *b, int width)
{
	for (int f = 0; f < width; f++)
		if (a[f] != b[f])
			return a[f] < b[f] ? -1 : 1;
	return 0;
}

static inline int
compare_places(const Place *a, const Place *b, const Points *points)
{
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return compare_rows(row_of(points, a->row), row_of(points, b->row),
						points->width);
}

#define ST_SORT sort_places
#define ST_ELEMENT_TYPE Place
#define ST_COMPARE_ARG_TYPE const Points
#define ST_COMPARE(a, b, points) compare_places(a, b, points)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static void *
allocate(Size n, Size size)
{
	return palloc_extended(Max(n, 1) * size, MCXT_ALLOC_HUGE);
}

static Place *
sorted_places(const Points *points)
{
	Place *places = allocate(points->rows, sizeof(Place));

	for (int64 i = 0; i < points->rows; i++)
	{
		if (i % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		places[i].hash = row_hash(row_of(points, i), points->width);
		places[i].row = i;
	}
	sort_places(places, points->rows, points);
	return places;
}

uint32 *
rows_order(const Points *points)
{
	Place *places = sorted_places(points);
	uint32 *order = allocate(points->rows, sizeof(uint32));

	for (int64 i = 0; i < points->rows; i++)
		order[i] = places[i].row;
	pfree(places);
	return order;
}

void
rows_distinct(const Points *points, RowSet *set)
{
	Place *places = sorted_places(points);
	int width = points->width;

	set->n = 0;
	set->width = width;
	set->values = allocate(points->rows * width, sizeof(double));
	set->weights = allocate(points->rows, sizeof(double));
	for (int64 i = 0; i < points->rows; i++)
	{
		const double *row = row_of(points, places[i].row);
		double *copy = row_of(set, set->n);

		if (i > 0 && places[i].hash == places[i - 1].hash &&
			compare_rows(copy - width, row, width) == 0)
		{
			set->weights[set->n - 1]++;
			continue;
		}
		for (int f = 0; f < width; f++)
			copy[f] = row[f] + 0.0;
		set->weights[set->n++] = 1;
	}
	pfree(places);
}

/* From a row's contents and a seed, evenly between 0 and 1. */
static double
row_draw(const double *row, int width, uint64 seed)
{
	return (mix64(row_hash(row, width) ^ seed) >> 11) * 0x1p-53;
}

/*
 * Each row is drawn with a probability of its own and stands for as many as
 * make up for that (Horvitz and Thompson 1952).  Half of the probability is
 * by weight, so that what many rows have is not missed; half is equal, so that
 * there are enough distinct rows.
 */
void
rows_sample(const RowSet *all, int64 size, uint64 seed, RowSet *sample)
{
	int64 most = Min(all->n, 2 * size);
	double total = 0;

	for (int64 i = 0; i < all->n; i++)
		total += all->weights[i];

	sample->n = 0;
	sample->width = all->width;
	sample->values = allocate(most * all->width, sizeof(double));
	sample->weights = allocate(most, sizeof(double));
	for (int64 i = 0; i < all->n && sample->n < most; i++)
	{
		const double *row = row_of(all, i);
		double share = (all->weights[i] / total + 1.0 / all->n) / 2;
		double chance = Min(1, share * size);

		if (i % ROWS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (row_draw(row, all->width, mix64(seed)) >= chance)
			continue;
		memcpy(row_of(sample, sample->n), row, all->width * sizeof(double));
		sample->weights[sample->n++] = all->weights[i] / chance;
	}
}

void
rows_free(RowSet *set)
{
	pfree(set->values);
	pfree(set->weights);
}
