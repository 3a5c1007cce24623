/*
 * feature_stats.c
 *		feature_stats(features): means and standard deviations, as an aggregate
 *		with SQL type feature_stats_state.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "cluster/cluster.h"
#include "cluster/long_sum.h"
#include "common/int.h"
#include "compat.h"
#include "funcapi.h"
#include "libpq/pqformat.h"

typedef struct FeatureSums
{
	LongSum sum;
	LongSum squares;
} FeatureSums;

typedef struct FeatureStats
{
	StateHeader head;
	int64 rows;
	int32 width;
	int32 unused;
	FeatureSums features[FLEXIBLE_ARRAY_MEMBER];
} FeatureStats;

#define SUM_BYTES (6 * sizeof(double))

static const StateType stats_type;

static FeatureStats *
stats_new(int width)
{
	FeatureStats *stats = state_alloc(&stats_type,
									  offsetof(FeatureStats, features) +
										  width * sizeof(FeatureSums));

	stats->width = width;
	return stats;
}

static void
send_sum(StringInfo buf, LongSum sum)
{
	/* so that equal groups have equal forms */
	long_sum_normalise(&sum);
	pq_sendfloat8(buf, sum.high);
	pq_sendfloat8(buf, sum.middle);
	pq_sendfloat8(buf, sum.low);
}

static void
recv_sum(StringInfo buf, LongSum *sum, double limit)
{
	sum->high = pq_getmsgfloat8(buf);
	sum->middle = pq_getmsgfloat8(buf);
	sum->low = pq_getmsgfloat8(buf);
	/* false for NaN as well */
	if (!(fabs(sum->high) < limit && fabs(sum->middle) < limit &&
		  fabs(sum->low) < limit))
		state_malformed(&stats_type, "A sum is out of range.");
}

static void
stats_send(StringInfo buf, const void *state)
{
	const FeatureStats *stats = state;

	pq_sendint64(buf, stats->rows);
	pq_sendint32(buf, stats->width);
	for (int f = 0; f < stats->width; f++)
	{
		send_sum(buf, stats->features[f].sum);
		send_sum(buf, stats->features[f].squares);
	}
}

static void *
stats_recv(StringInfo buf, uint8 version)
{
	int64 rows = pq_getmsgint64(buf);
	int32 width = pq_getmsgint(buf, 4);
	FeatureStats *stats;

	if (rows < 1)
		state_malformed(&stats_type, "It has no rows.");
	if (width < 1 || width > MAX_FEATURES ||
		width != (int64) (state_bytes_left(buf) / SUM_BYTES))
		state_malformed(&stats_type, "Its count does not fit its size.");
	stats = stats_new(width);
	stats->rows = rows;
	for (int f = 0; f < width; f++)
	{
		recv_sum(buf, &stats->features[f].sum, FEATURE_LIMIT * rows);
		recv_sum(buf, &stats->features[f].squares,
				 FEATURE_LIMIT * FEATURE_LIMIT * rows);
		if (long_sum_value(&stats->features[f].squares) < 0)
			state_malformed(&stats_type, "A sum of squares is negative.");
	}
	return stats;
}

static const StateType stats_type = {
	.name = "feature_stats_state",
	.kind = STATE_FEATURE_STATS,
	.version = 1,
	.send = stats_send,
	.recv = stats_recv,
};

STATE_TYPE_FUNCTIONS(feature_stats_state, stats_type);

PG_FUNCTION_INFO_V1(personalize_feature_stats_state_add);
PG_FUNCTION_INFO_V1(personalize_feature_stats_state_combine);
PG_FUNCTION_INFO_V1(personalize_feature_stats_final);

Datum
personalize_feature_stats_state_add(PG_FUNCTION_ARGS)
{
	FeatureStats *stats;
	const double *row;
	int width;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	row = features_read(PG_GETARG_ARRAYTYPE_P(1), "features", &width);

	if (PG_ARGISNULL(0))
		stats = stats_new(width);
	else
		stats = state_writable(fcinfo, 0);
	features_check_width(width, stats->width);
	stats->rows++;
	for (int f = 0; f < width; f++)
	{
		long_sum_add(&stats->features[f].sum, row[f]);
		long_sum_add_product(&stats->features[f].squares, row[f], row[f]);
	}
	PG_RETURN_POINTER(stats);
}

Datum
personalize_feature_stats_state_combine(PG_FUNCTION_ARGS)
{
	FeatureStats *stats;
	FeatureStats *other;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state_readable(fcinfo, 0));
	other = state_readable(fcinfo, 1);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);

	stats = state_writable(fcinfo, 0);
	features_check_width(other->width, stats->width);
	/* only states that no rows made can have that many */
	if (pg_add_s64_overflow(stats->rows, other->rows, &stats->rows))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the number of rows is out of range")));
	for (int f = 0; f < stats->width; f++)
	{
		long_sum_merge(&stats->features[f].sum, &other->features[f].sum);
		long_sum_merge(&stats->features[f].squares,
					   &other->features[f].squares);
	}
	PG_RETURN_POINTER(stats);
}

/* How far the mean lies above a number that is near it. */
static double
mean_above(const LongSum *sum, double n, double number)
{
	LongSum rest = *sum;

	long_sum_add_product(&rest, -n, number);
	return long_sum_value(&rest) / n;
}

/*
 * Of the squared differences from the mean.  They are summed up from the mean
 * as rounded, so that equal numbers have exactly 0.
 */
static double
variance_of(const FeatureSums *sums, double n, double mean)
{
	LongSum rest = sums->squares;
	double above = mean_above(&sums->sum, n, mean);
	double square_rest;
	double square = two_product(mean, mean, &square_rest);

	long_sum_add_product(&rest, -2 * mean, sums->sum.high);
	long_sum_add_product(&rest, -2 * mean, sums->sum.middle);
	long_sum_add_product(&rest, -2 * mean, sums->sum.low);
	long_sum_add_product(&rest, n, square);
	long_sum_add_product(&rest, n, square_rest);
	return Max(long_sum_value(&rest) / n - above * above, 0);
}

static Datum
float_array(Datum *elements, int n)
{
	return PointerGetDatum(construct_array(elements, n, FLOAT8OID,
										   sizeof(float8), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

Datum
personalize_feature_stats_final(PG_FUNCTION_ARGS)
{
	FeatureStats *stats;
	TupleDesc tupdesc;
	Datum *means;
	Datum *sds;
	Datum values[3];
	bool nulls[3] = { false };

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "result type must be a row");

	stats = state_readable(fcinfo, 0);
	means = palloc(stats->width * sizeof(Datum));
	sds = palloc(stats->width * sizeof(Datum));
	for (int f = 0; f < stats->width; f++)
	{
		FeatureSums *sums = &stats->features[f];
		double mean = long_sum_value(&sums->sum) / stats->rows;

		/* so that equal numbers have themselves as mean */
		mean += mean_above(&sums->sum, stats->rows, mean);
		means[f] = Float8GetDatum(mean);
		sds[f] = Float8GetDatum(sqrt(variance_of(sums, stats->rows, mean)));
	}
	values[0] = Int64GetDatum(stats->rows);
	values[1] = float_array(means, stats->width);
	values[2] = float_array(sds, stats->width);
	PG_RETURN_DATUM(HeapTupleGetDatum(
		heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}
