/*
 * linucb.c
 *		linucb(features, reward): what an arm's rewards say of its features, as
 *		an aggregate with SQL type linucb_state.
 *
 * The state is X'X, X'y and the number of rows.  The penalty is added when it
 * is read, so that one state serves any.
 */
#include "postgres.h"

#include <math.h>

#include "bandit/linucb.h"
#include "cluster/cluster.h"
#include "common/int.h"
#include "libpq/pqformat.h"
#include "utils/float.h"

#define SUM_BYTES (2 * sizeof(double))

static void linucb_send(StringInfo buf, const void *state);
static void *linucb_recv(StringInfo buf, uint8 version);

static const StateType linucb_type = {
	.name = "linucb_state",
	.kind = STATE_LINUCB,
	.version = 1,
	.send = linucb_send,
	.recv = linucb_recv,
};

STATE_TYPE_FUNCTIONS(linucb_state, linucb_type);

PG_FUNCTION_INFO_V1(personalize_linucb_add);
PG_FUNCTION_INFO_V1(personalize_linucb_combine);
PG_FUNCTION_INFO_V1(personalize_linucb_count);

/* Sums of a state: the upper triangle of X'X by rows, and X'y. */
static inline int
linucb_sums(int width)
{
	return width * (width + 1) / 2 + width;
}

static LinUcb *
linucb_new(int width)
{
	LinUcb *arm =
		state_alloc(&linucb_type,
					offsetof(LinUcb, sums) + linucb_sums(width) * sizeof(Sum));

	arm->width = width;
	return arm;
}

static void
linucb_send(StringInfo buf, const void *state)
{
	const LinUcb *arm = state;

	pq_sendint64(buf, arm->n);
	pq_sendint32(buf, arm->width);
	for (int i = 0; i < linucb_sums(arm->width); i++)
	{
		const Sum *sum = &arm->sums[i];
		double high = sum_value(sum);

		/* so that equal groups have equal forms */
		pq_sendfloat8(buf, high);
		pq_sendfloat8(buf, sum->low - (high - sum->high));
	}
}

static void *
linucb_recv(StringInfo buf, uint8 version)
{
	int64 n = pq_getmsgint64(buf);
	int32 width = pq_getmsgint(buf, 4);
	LinUcb *arm;
	int i;

	if (n < 1)
		state_malformed(&linucb_type, "It has no rows.");
	if (width < 1 || width > LINUCB_MAX_WIDTH ||
		linucb_sums(width) * SUM_BYTES != state_bytes_left(buf))
		state_malformed(&linucb_type, "Its count does not fit its size.");
	arm = linucb_new(width);
	arm->n = n;
	for (i = 0; i < linucb_sums(width); i++)
	{
		arm->sums[i].high = pq_getmsgfloat8(buf);
		arm->sums[i].low = pq_getmsgfloat8(buf);
		if (!isfinite(arm->sums[i].high) || !isfinite(arm->sums[i].low))
			state_malformed(&linucb_type, "A sum is not finite.");
	}
	for (i = 0; i < width; i++)
	{
		if (sum_value(linucb_product(arm, i, i)) < 0)
			state_malformed(&linucb_type, "A sum of squares is negative.");
	}
	return arm;
}

const double *
linucb_features(ArrayType *array, int *width)
{
	const double *features = features_read(array, "features", width);

	if (*width > LINUCB_MAX_WIDTH)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("features must be at most %d numbers",
						LINUCB_MAX_WIDTH),
				 errdetail("There are %d.", *width),
				 errhint(
					 "A state has a sum for each pair of them: choose the features that matter.")));
	return features;
}

static double
arg_reward(FunctionCallInfo fcinfo, int argno)
{
	double reward = arg_finite(fcinfo, argno, "reward");

	if (fabs(reward) >= FEATURE_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("reward must be smaller than %g", FEATURE_LIMIT),
				 errdetail("reward is %s.", float8out_internal(reward)),
				 errhint("Use a larger unit for rewards.")));
	return reward;
}

Datum
personalize_linucb_add(PG_FUNCTION_ARGS)
{
	LinUcb *arm;
	const double *features;
	double reward;
	int width;
	Sum *sum;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	features = linucb_features(PG_GETARG_ARRAYTYPE_P(1), &width);
	reward = arg_reward(fcinfo, 2);
	arm = PG_ARGISNULL(0) ? linucb_new(width) : state_writable(fcinfo, 0);
	features_check_width(width, arm->width);

	arm->n++;
	sum = arm->sums;
	for (int i = 0; i < width; i++)
	{
		for (int j = i; j < width; j++)
			sum_add(sum++, features[i] * features[j]);
	}
	for (int i = 0; i < width; i++)
		sum_add(sum++, features[i] * reward);
	PG_RETURN_POINTER(arm);
}

Datum
personalize_linucb_combine(PG_FUNCTION_ARGS)
{
	LinUcb *arm;
	const LinUcb *other;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state_readable(fcinfo, 0));
	other = state_readable(fcinfo, 1);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);

	arm = state_writable(fcinfo, 0);
	features_check_width(other->width, arm->width);
	/* only states that no rows made can have that many */
	if (pg_add_s64_overflow(arm->n, other->n, &arm->n))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the number of rows is out of range")));
	for (int i = 0; i < linucb_sums(arm->width); i++)
		sum_merge(&arm->sums[i], &other->sums[i]);
	PG_RETURN_POINTER(arm);
}

Datum
personalize_linucb_count(PG_FUNCTION_ARGS)
{
	const LinUcb *arm = state_readable(fcinfo, 0);

	PG_RETURN_INT64(arm->n);
}
