/*
 * moments_type.c
 *		The SQL type moments and its aggregate.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "common/float_numeric.h"
#include "common/record.h"
#include "experiment/experiment.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/float.h"

static void moments_send(StringInfo buf, const void *state);
static void *moments_recv(StringInfo buf, uint8 version);

const StateType moments_type = {
	.name = "moments",
	.kind = STATE_MOMENTS,
	.version = 1,
	.send = moments_send,
	.recv = moments_recv,
};

STATE_TYPE_FUNCTIONS(moments, moments_type);

PG_FUNCTION_INFO_V1(personalize_moments_add);
PG_FUNCTION_INFO_V1(personalize_moments_add_numeric);
PG_FUNCTION_INFO_V1(personalize_moments_add_pair);
PG_FUNCTION_INFO_V1(personalize_moments_add_pair_numeric);
PG_FUNCTION_INFO_V1(personalize_moments_add_four);
PG_FUNCTION_INFO_V1(personalize_moments_combine);
PG_FUNCTION_INFO_V1(personalize_moments_of);
PG_FUNCTION_INFO_V1(personalize_moments_of_matrix);
PG_FUNCTION_INFO_V1(personalize_moments_summary);

static void
moments_send(StringInfo buf, const void *state)
{
	const Moments *moments = state;

	pq_sendbyte(buf, moments_k(moments));
	arm_send(buf, moments_arm(moments), moments_k(moments));
}

static void *
moments_recv(StringInfo buf, uint8 version)
{
	int k = pq_getmsgbyte(buf);
	Moments *moments;

	if (k != 1 && k != 2 && k != MAX_VARIABLES)
		state_malformed(&moments_type, "Its number of variables is not known.");
	moments = moments_new(k);
	arm_recv(buf, moments_arm(moments), k, &moments_type);
	if (moments_arm(moments)->n == 0)
		state_malformed(&moments_type, "It has no rows.");
	return moments;
}

Moments *
moments_new(int k)
{
	Moments *moments =
		state_alloc(&moments_type, sizeof(StateHeader) + arm_sums_size(k));

	moments->head.unused = k;
	return moments;
}

void
summary_of(Datum value, bool isnull, Summary *summary)
{
	const Moments *moments;

	if (!isnull)
	{
		moments = (const Moments *) PG_DETOAST_DATUM(value);
		arm_summary(moments_arm(moments), moments_k(moments), summary);
		return;
	}
	memset(summary, 0, sizeof(*summary));
	for (int i = 0; i < MAX_VARIABLES; i++)
	{
		summary->mean[i] = NAN;
		for (int j = 0; j < MAX_VARIABLES; j++)
			summary->covariance[i][j] = NAN;
	}
}

void
arg_summary(FunctionCallInfo fcinfo, int argno, Summary *summary)
{
	summary_of(PG_GETARG_DATUM(argno), PG_ARGISNULL(argno), summary);
}

/* ---- the aggregate ---- */

/* The transition functions, of which the compiler makes one for each k. */
static pg_attribute_always_inline Datum
moments_add(FunctionCallInfo fcinfo, int k, bool is_numeric)
{
	double row[MAX_VARIABLES];
	Moments *moments;

	for (int i = 0; i < k; i++)
	{
		if (PG_ARGISNULL(1 + i))
			return unchanged_state(fcinfo);
		row[i] = is_numeric ? float_from_numeric(PG_GETARG_NUMERIC(1 + i)) :
							  PG_GETARG_FLOAT8(1 + i);
		if (unlikely(!isfinite(row[i])))
			finite_value(row[i], variable_names[i]);
	}
	moments = PG_ARGISNULL(0) ? moments_new(k) : state_writable(fcinfo, 0);
	if (unlikely(moments_k(moments) != k))
		elog(ERROR, "moments of %d variables cannot take a row of %d",
			 moments_k(moments), k);
	arm_add(moments_arm(moments), k, row);
	PG_RETURN_POINTER(moments);
}

Datum
personalize_moments_add(PG_FUNCTION_ARGS)
{
	return moments_add(fcinfo, 1, false);
}

Datum
personalize_moments_add_numeric(PG_FUNCTION_ARGS)
{
	return moments_add(fcinfo, 1, true);
}

Datum
personalize_moments_add_pair(PG_FUNCTION_ARGS)
{
	return moments_add(fcinfo, 2, false);
}

Datum
personalize_moments_add_pair_numeric(PG_FUNCTION_ARGS)
{
	return moments_add(fcinfo, 2, true);
}

Datum
personalize_moments_add_four(PG_FUNCTION_ARGS)
{
	return moments_add(fcinfo, MAX_VARIABLES, false);
}

Datum
personalize_moments_combine(PG_FUNCTION_ARGS)
{
	Moments *moments;
	const Moments *other;

	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(state_readable(fcinfo, 1));
	moments = state_writable(fcinfo, 0);
	other = state_readable(fcinfo, 1);
	if (moments_k(moments) != moments_k(other))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(
					 "moments of different numbers of variables cannot be merged"),
				 errdetail("There are moments of %d and of %d.",
						   moments_k(moments), moments_k(other)),
				 errhint("Merge only what the same aggregate has made.")));
	arm_merge(moments_arm(moments), moments_arm(other), moments_k(moments));
	PG_RETURN_POINTER(moments);
}

/* ---- from numbers and to numbers ---- */

static int64
arg_rows(FunctionCallInfo fcinfo)
{
	int64 n;

	arg_not_null(fcinfo, 0, "n");
	n = PG_GETARG_INT64(0);
	if (n < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("n must be positive"),
				 errdetail("n is %lld.", (long long) n),
				 errhint("An arm without units is NULL.")));
	return n;
}

/* As arg_finite(), but for its advice, which is for rows. */
static double
arg_figure(FunctionCallInfo fcinfo, int argno, const char *name)
{
	double value;

	arg_not_null(fcinfo, argno, name);
	value = PG_GETARG_FLOAT8(argno);
	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a finite number", name),
				 errdetail("%s is %s.", name, float8out_internal(value)),
				 errhint("An arm without units is NULL.")));
	return value;
}

static void
check_variance(double variance)
{
	if (variance < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("variance must not be negative"),
				 errdetail("It is %s.", float8out_internal(variance)),
				 errhint("It is the square of the standard deviation.")));
}

/* Moments with these means and this covariance of variables i and j. */
static void
set_moment(Moments *moments, int i, int j, double covariance)
{
	int k = moments_k(moments);
	ArmSums *arm = moments_arm(moments);
	Sum *products = arm_deviations(arm, k) + k;

	products[arm_products(i) + j].high = covariance * (arm->n - 1);
}

Datum
personalize_moments_of(PG_FUNCTION_ARGS)
{
	int64 n = arg_rows(fcinfo);
	double mean = arg_figure(fcinfo, 1, "mean");
	double variance = arg_figure(fcinfo, 2, "variance");
	Moments *moments = moments_new(1);

	check_variance(variance);
	moments_arm(moments)->n = n;
	moments_arm(moments)->numbers[0] = mean;
	set_moment(moments, 0, 0, variance);
	PG_RETURN_POINTER(moments);
}

Datum
personalize_moments_of_matrix(PG_FUNCTION_ARGS)
{
	int64 n = arg_rows(fcinfo);
	int k;
	const double *means = arg_doubles(fcinfo, 1, "means", 1, &k);
	int cells;
	const double *covariances =
		arg_doubles(fcinfo, 2, "covariances", 2, &cells);
	Moments *moments;

	if ((k != 1 && k != 2 && k != MAX_VARIABLES) || cells != k * k ||
		ARR_DIMS(PG_GETARG_ARRAYTYPE_P(2))[0] != k)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("means and covariances do not fit each other"),
				 errdetail("There are %d means and %d covariances.", k, cells),
				 errhint(
					 "Pass 1, 2 or 4 means, and for each of them a row of as many covariances.")));
	moments = moments_new(k);
	moments_arm(moments)->n = n;
	memcpy(moments_arm(moments)->numbers, means, k * sizeof(double));
	for (int i = 0; i < k; i++)
	{
		check_variance(covariances[i * k + i]);
		for (int j = 0; j <= i; j++)
		{
			if (covariances[i * k + j] != covariances[j * k + i])
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("covariances must be symmetric"),
						 errhint(
							 "Write the covariance of two variables in both places.")));
			set_moment(moments, i, j, covariances[i * k + j]);
		}
	}
	PG_RETURN_POINTER(moments);
}

/*
 * n, mean, variance, stddev, stderr, and with a covariate its mean, its
 * variance, the covariance and the correlation.
 */
Datum
personalize_moments_summary(PG_FUNCTION_ARGS)
{
	Summary summary;
	double variance;
	bool pair;
	Datum values[9];

	arg_summary(fcinfo, 0, &summary);
	variance = summary.covariance[0][0];
	pair = summary.k > 1;
	values[0] = Int64GetDatum(summary.n);
	values[1] = Float8GetDatum(summary.mean[0]);
	values[2] = Float8GetDatum(variance);
	values[3] = Float8GetDatum(sqrt(variance));
	values[4] = Float8GetDatum(sqrt(variance / summary.n));
	values[5] = Float8GetDatum(pair ? summary.mean[1] : NAN);
	values[6] = Float8GetDatum(pair ? summary.covariance[1][1] : NAN);
	values[7] = Float8GetDatum(pair ? summary.covariance[1][0] : NAN);
	values[8] =
		Float8GetDatum(pair && variance > 0 && summary.covariance[1][1] > 0 ?
						   summary.covariance[1][0] / sqrt(variance) /
							   sqrt(summary.covariance[1][1]) :
						   NAN);
	PG_RETURN_DATUM(make_row(result_type(fcinfo), values));
}
