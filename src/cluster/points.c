/*
 * points.c
 *		The rows of a group as the state of an aggregate: SQL type
 *		points_state.
 */
#include "postgres.h"

#include <math.h>

#include "cluster/cluster.h"
#include "common/args.h"
#include "compat.h"
#include "libpq/pqformat.h"

#define FIRST_ROWS 8

static Size
points_size(int64 rows, int width)
{
	return offsetof(Points, values) +
		(Size) rows * (Size) width * sizeof(double);
}

static void
points_send(StringInfo buf, const void *state)
{
	const Points *points = state;
	uint32 *order = rows_order(points);

	pq_sendint32(buf, points->k);
	pq_sendint32(buf, points->width);
	pq_sendint64(buf, points->seed);
	pq_sendint64(buf, points->rows);
	/* in order, so that equal groups have equal forms */
	for (int64 i = 0; i < points->rows; i++)
	{
		const double *row = row_of(points, order[i]);

		for (int f = 0; f < points->width; f++)
			pq_sendfloat8(buf, row[f] + 0.0);
	}
	pfree(order);
}

static void *
points_recv(StringInfo buf, uint8 version)
{
	int32 k = pq_getmsgint(buf, 4);
	int32 width = pq_getmsgint(buf, 4);
	int64 seed = pq_getmsgint64(buf);
	int64 rows = pq_getmsgint64(buf);
	Size numbers = state_bytes_left(buf) / sizeof(double);
	Points *points;

	if (k < 1 || k > MAX_CLUSTERS)
		state_malformed(&points_type, "Its k is out of range.");
	if (width < 1 || width > MAX_FEATURES)
		state_malformed(&points_type,
						"Its number of features is out of range.");
	if (rows < 1 || rows != (int64) (numbers / width) || numbers % width != 0)
		state_malformed(&points_type, "Its count does not fit its size.");

	points = state_alloc(&points_type, points_size(rows, width));
	points->k = k;
	points->width = width;
	points->seed = seed;
	points->rows = rows;
	for (int64 i = 0; i < rows * width; i++)
	{
		points->values[i] = pq_getmsgfloat8(buf);
		if (!(fabs(points->values[i]) < FEATURE_LIMIT))
			state_malformed(&points_type, "A number is out of range.");
	}
	return points;
}

const StateType points_type = {
	.name = "points_state",
	.kind = STATE_POINTS,
	.version = 1,
	.send = points_send,
	.recv = points_recv,
};

STATE_TYPE_FUNCTIONS(points_state, points_type);

PG_FUNCTION_INFO_V1(personalize_points_state_add);
PG_FUNCTION_INFO_V1(personalize_points_state_combine);

static Points *
points_new(int k, int64 seed, int width)
{
	Points *points;

	if (k < 1 || k > MAX_CLUSTERS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be from 1 to %d", MAX_CLUSTERS),
				 errdetail("k is %d.", k),
				 errhint("k is the number of clusters.")));

	points = state_alloc(&points_type, points_size(FIRST_ROWS, width));
	points->k = k;
	points->seed = seed;
	points->width = width;
	return points;
}

/* Room for `more` rows: the same state, or a larger copy. */
static Points *
points_reserve(Points *points, int64 more)
{
	Size size = points_size(points->rows + more, points->width);

	if (size <= VARSIZE(points))
		return points;
	if (size <= STATE_MAX_SIZE)
		size = Max(size, Min(STATE_MAX_SIZE, 2 * (Size) VARSIZE(points)));
	return state_resize(&points_type, points, size);
}

static void
check_same(const Points *points, int k, int64 seed, int width)
{
	if (k != points->k)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be the same for all rows of a group"),
				 errdetail("It is %d and %d.", Min(k, points->k),
						   Max(k, points->k))));
	if (seed != points->seed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("seed must be the same for all rows of a group"),
				 errdetail("It is %lld and %lld.",
						   (long long) Min(seed, points->seed),
						   (long long) Max(seed, points->seed))));
	features_check_width(width, points->width);
}

/* (state, features, k [, seed]) */
Datum
personalize_points_state_add(PG_FUNCTION_ARGS)
{
	Points *points;
	const double *row;
	int width;
	int k;
	int64 seed = 0;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	arg_not_null(fcinfo, 2, "k");
	k = PG_GETARG_INT32(2);
	if (PG_NARGS() > 3)
	{
		arg_not_null(fcinfo, 3, "seed");
		seed = PG_GETARG_INT64(3);
	}
	row = features_read(PG_GETARG_ARRAYTYPE_P(1), "features", &width);

	if (PG_ARGISNULL(0))
		points = points_new(k, seed, width);
	else
	{
		points = state_writable(fcinfo, 0);
		check_same(points, k, seed, width);
		points = points_reserve(points, 1);
	}
	memcpy(row_of(points, points->rows), row, width * sizeof(double));
	points->rows++;
	PG_RETURN_POINTER(points);
}

Datum
personalize_points_state_combine(PG_FUNCTION_ARGS)
{
	Points *points;
	Points *other;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state_readable(fcinfo, 0));
	other = state_readable(fcinfo, 1);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);

	points = state_writable(fcinfo, 0);
	check_same(points, other->k, other->seed, other->width);
	points = points_reserve(points, other->rows);
	memcpy(row_of(points, points->rows), other->values,
		   points_size(other->rows, other->width) - offsetof(Points, values));
	points->rows += other->rows;
	PG_RETURN_POINTER(points);
}
