/*
 * arms.c
 *		What is known of the arms of a bandit, as arguments of SQL functions.
 */
#include "postgres.h"

#include <math.h>

#include "bandit/bandit.h"
#include "catalog/pg_type.h"
#include "common/args.h"
#include "drift/drift.h"
#include "utils/array.h"
#include "utils/float.h"

Datum
number_array(const double *values, int n)
{
	Datum *elements = palloc(Max(n, 1) * sizeof(Datum));

	for (int i = 0; i < n; i++)
		elements[i] = Float8GetDatum(values[i]);
	return PointerGetDatum(construct_array(elements, n, FLOAT8OID,
										   sizeof(float8), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

double
arg_within(FunctionCallInfo fcinfo, int argno, const char *name, double low,
		   double high, const char *must, const char *hint)
{
	double value;

	arg_not_null(fcinfo, argno, name);
	value = PG_GETARG_FLOAT8(argno);
	/* true for NaN as well */
	if (!(value >= low && value <= high) || isinf(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be %s", name, must),
				 errdetail("%s is %s.", name, float8out_internal(value)),
				 errhint("%s", hint)));
	return value;
}

static void
read_counts(FunctionCallInfo fcinfo, int argno, Arms *arms)
{
	ArrayType *array;
	Datum *elements;
	bool *nulls;

	arg_not_null(fcinfo, argno, "n");
	array = PG_GETARG_ARRAYTYPE_P(argno);
	if (ARR_NDIM(array) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 ARR_NDIM(array) > 1 ? errmsg("n must have one dimension") :
									   errmsg("n must not be empty"),
				 errhint("Pass one number for each arm.")));
	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &elements, &nulls, &arms->k);

	arms->n = palloc(arms->k * sizeof(double));
	for (int i = 0; i < arms->k; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("n must not hold nulls"),
					 errdetail("Element %d is null.", i + 1),
					 errhint("An arm that was never tried has n = 0.")));
		arms->n[i] = DatumGetInt64(elements[i]);
		if (arms->n[i] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("n must not be negative"),
					 errdetail("Element %d is %.0f.", i + 1, arms->n[i]),
					 errhint("It is how often each arm was tried.")));
		arms->total += arms->n[i];
	}
}

static double *
read_sums(FunctionCallInfo fcinfo, int argno, const char *name,
		  const Arms *arms)
{
	Sample sums;

	arg_not_null(fcinfo, argno, name);
	sums = arg_numbers(fcinfo, argno, name);
	if (sums.n != arms->k)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("n and %s must be of the same arms", name),
				 errdetail("One has %d elements, the other %d.", arms->k,
						   sums.n),
				 errhint("An arm that was never tried has a sum of 0.")));
	for (int i = 0; i < arms->k; i++)
	{
		if (arms->n[i] == 0 && sums.values[i] != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s must be 0 where n is 0", name),
					 errdetail("Element %d is %s.", i + 1,
							   float8out_internal(sums.values[i])),
					 errhint(
						 "Count only those trials whose rewards are summed, and all of them.")));
	}
	return sums.values;
}

/* n squares - sum^2 is never negative, but for what was rounded off. */
static void
check_squares(const Arms *arms)
{
	for (int i = 0; i < arms->k; i++)
	{
		double mean = arms->n[i] > 0 ? arms->sums[i] / arms->n[i] : 0;

		if (arms->squares[i] < mean * arms->sums[i] * (1 - 1e-9))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("sum_squares is less than it can be"),
					 errdetail("Element %d is %s, but %.0f rewards whose sum is %s have squares of %s at least.",
							   i + 1, float8out_internal(arms->squares[i]),
							   arms->n[i], float8out_internal(arms->sums[i]),
							   float8out_internal(mean * arms->sums[i])),
					 errhint("Pass sum(reward * reward) of each arm.")));
	}
}

Arms
arg_arms(FunctionCallInfo fcinfo, int argno, bool with_squares)
{
	Arms arms = { 0 };

	read_counts(fcinfo, argno, &arms);
	arms.sums = read_sums(fcinfo, argno + 1, "sums", &arms);
	if (with_squares && !PG_ARGISNULL(argno + 2))
	{
		arms.squares = read_sums(fcinfo, argno + 2, "sum_squares", &arms);
		check_squares(&arms);
	}
	return arms;
}
