/*
 * arguments.c
 *		Arguments of the functions that compare arms.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/args.h"
#include "experiment/experiment.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define DEFAULT_ALPHA 0.05
#define DEFAULT_TUNING 5000

const CompareOptions default_options = {
	.alpha = DEFAULT_ALPHA,
	.alternative = TWO_SIDED,
	.always_valid = false,
	.tuning = DEFAULT_TUNING,
};

const char *const variable_names[MAX_VARIABLES] = { "outcome", "covariate",
													"outcome_before",
													"covariate_before" };

const char *const ratio_names[MAX_VARIABLES] = { "numerator", "denominator",
												 "numerator_before",
												 "denominator_before" };

const double *
arg_doubles(FunctionCallInfo fcinfo, int argno, const char *name,
			int dimensions, int *n)
{
	ArrayType *array;
	Size offset;
	const double *values;

	arg_not_null(fcinfo, argno, name);
	array = PG_GETARG_ARRAYTYPE_P(argno);
	if (ARR_NDIM(array) != dimensions && ARR_NDIM(array) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be an array of %d dimension%s", name,
						dimensions, dimensions == 1 ? "" : "s"),
				 errdetail("It has %d.", ARR_NDIM(array)),
				 errhint(dimensions == 1 ?
							 "Pass a list, such as '{0.1,0.2}'." :
							 "Pass rows, such as '{{1,0},{0,1}}'.")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not contain nulls", name),
				 errhint(
					 "Leave out what has no number, in all of the arrays.")));
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	/* a slice or an update may have left a bitmap of nulls that has none */
	offset = ARR_HASNULL(array) ? (Size) array->dataoffset :
								  ARR_OVERHEAD_NONULLS(ARR_NDIM(array));
	values = (const double *) ((char *) array + offset);
	for (int i = 0; i < *n; i++)
		finite_value(values[i], name);
	return values;
}

/* The elements of an array of moments. */
static int
summaries(FunctionCallInfo fcinfo, int argno, const char *name,
		  Summary **result)
{
	ArrayType *array;
	Datum *values;
	bool *nulls;
	int n;

	arg_not_null(fcinfo, argno, name);
	array = PG_GETARG_ARRAYTYPE_P(argno);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be an array of one dimension", name),
				 errhint("Make it with array_agg(moments).")));
	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE,
					  &values, &nulls, &n);
	*result = palloc0(Max(n, 1) * sizeof(Summary));
	for (int i = 0; i < n; i++)
		summary_of(values[i], nulls[i], &(*result)[i]);
	return n;
}

int
arg_summaries(FunctionCallInfo fcinfo, int argno, const char *name_a,
			  const char *name_b, Summary **a, Summary **b)
{
	int n = summaries(fcinfo, argno, name_a, a);
	int other = summaries(fcinfo, argno + 1, name_b, b);

	if (n != other)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s and %s must have the same number of elements",
						name_a, name_b),
				 errdetail("They have %d and %d.", n, other),
				 errhint(
					 "Pass an element of both for each segment or stratum, null for an arm without rows.")));
	return n;
}

void
arg_compare_options(FunctionCallInfo fcinfo, int argno, CompareOptions *options)
{
	options->alternative = arg_alternative(fcinfo, argno + 1);
	options->alpha = arg_alpha(fcinfo, argno, options->alternative);
	arg_not_null(fcinfo, argno + 2, "always_valid");
	options->always_valid = PG_GETARG_BOOL(argno + 2);
	options->tuning = arg_positive(fcinfo, argno + 3, "tuning");
}
