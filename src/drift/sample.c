/*
 * sample.c
 *		Arrays of numbers as arguments.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/number_list.h"
#include "drift/drift.h"
#include "utils/array.h"
#include "utils/float.h"

static void
check_number(double value, const char *name, int position)
{
	if (isfinite(value))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must hold finite numbers only", name),
			 errdetail("Element %d is %s.", position,
					   float8out_internal(value)),
			 errhint(
				 "Leave such rows out when the array is made, as in array_agg(x) FILTER (WHERE ...).")));
}

static void
null_element(const char *name, int position)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("%s must not hold nulls", name),
			 errdetail("Element %d is null.", position)));
}

static Sample
read_array(FunctionCallInfo fcinfo, int argno, const char *name,
		   bool skip_nulls)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(argno);
	Sample sample = { 0 };
	Datum *elements;
	bool *nulls;
	int n;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must have one dimension", name),
				 errdetail("It has %d.", ARR_NDIM(array))));

	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &elements, &nulls, &n);
	sample.values =
		palloc_extended(Max(n, 1) * sizeof(double), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		double value;

		if (nulls[i] && skip_nulls)
			continue;
		if (nulls[i])
			null_element(name, i + 1);
		value = DatumGetFloat8(elements[i]);
		check_number(value, name, i + 1);
		sample.values[sample.n++] = value + 0.0; /* -0 becomes 0 */
	}
	pfree(elements);
	pfree(nulls);
	return sample;
}

Sample
arg_sample(FunctionCallInfo fcinfo, int argno, const char *name)
{
	Sample sample = { 0 };

	if (PG_ARGISNULL(argno))
		return sample;
	sample = read_array(fcinfo, argno, name, true);
	sort_doubles(sample.values, sample.n);
	return sample;
}

Sample
arg_numbers(FunctionCallInfo fcinfo, int argno, const char *name)
{
	return read_array(fcinfo, argno, name, false);
}

static double
counts_total(const Sample *counts, const char *name)
{
	double total = 0;

	for (int i = 0; i < counts->n; i++)
	{
		if (counts->values[i] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s must hold counts", name),
					 errdetail("Element %d is %s.", i + 1,
							   float8out_internal(counts->values[i]))));
		total += counts->values[i];
	}
	if (isinf(total))
		float_overflow_error();
	if (total == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must hold something", name),
				 errdetail("All of its counts are 0.")));
	return total;
}

bool
arg_counts(FunctionCallInfo fcinfo, const char *name_a, const char *name_b,
		   CountPair *pair)
{
	Sample a;
	Sample b;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return false;
	a = arg_numbers(fcinfo, 0, name_a);
	b = arg_numbers(fcinfo, 1, name_b);
	if (a.n != b.n)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s and %s must count the same categories", name_a,
						name_b),
				 errdetail("One has %d elements, the other %d.", a.n, b.n),
				 errhint("Write a category that a sample has none of as 0.")));
	pair->n = a.n;
	pair->a = a.values;
	pair->b = b.values;
	pair->total_a = counts_total(&a, name_a);
	pair->total_b = counts_total(&b, name_b);
	return true;
}
