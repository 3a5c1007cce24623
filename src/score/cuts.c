/*
 * cuts.c
 *		Numbers against an array of cuts: rfm_score and engagement_level.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "compat.h"
#include "score/score.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_rfm_score);
PG_FUNCTION_INFO_V1(personalize_engagement_level);

static void
check_shape(ArrayType *array, const char *name)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must have one dimension", name),
				 errdetail("It has %d.", ARR_NDIM(array))));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not contain nulls", name)));
}

/* ARR_DATA_OFFSET() compares signed with unsigned. */
static Size
data_offset(ArrayType *array)
{
	return ARR_HASNULL(array) ? (Size) array->dataoffset :
								ARR_OVERHEAD_NONULLS(ARR_NDIM(array));
}

static void
check_order(const Cuts *cuts, const char *name)
{
	for (int i = 0; i < cuts->n; i++)
	{
		const double *v = &cuts->values[i];

		if (unlikely(!isfinite(*v)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s must be finite numbers", name),
					 errdetail("Element %d is %s.", i + 1,
							   float8out_internal(*v))));
		if (unlikely(i > 0 && v[0] < v[-1]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s must be in ascending order", name),
					 errdetail("Element %d is %s, and element %d is %s.", i,
							   float8out_internal(v[-1]), i + 1,
							   float8out_internal(v[0]))));
	}
}

void
arg_cuts(FunctionCallInfo fcinfo, int argno, const char *name, Cuts *cuts)
{
	ArrayType *array;

	arg_not_null(fcinfo, argno, name);
	array = PG_GETARG_ARRAYTYPE_P(argno);
	check_shape(array, name);
	cuts->n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	cuts->values = (const double *) ((const char *) array + data_offset(array));
	check_order(cuts, name);
}

int
count_less(const double *values, int n, double v)
{
	int low = 0;

	while (n > low)
	{
		int middle = low + (n - low) / 2;

		if (values[middle] < v)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

int
count_not_greater(const double *values, int n, double v)
{
	int low = 0;

	while (n > low)
	{
		int middle = low + (n - low) / 2;

		if (values[middle] <= v)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

Datum
personalize_rfm_score(PG_FUNCTION_ARGS)
{
	Cuts breaks;
	int less;

	/* no value, no score: not even breaks, if there were none but nulls */
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	arg_cuts(fcinfo, 1, "breaks", &breaks);
	arg_not_null(fcinfo, 2, "reverse");

	less = count_less(breaks.values, breaks.n, arg_finite(fcinfo, 0, "value"));
	PG_RETURN_INT32(1 + (PG_GETARG_BOOL(2) ? breaks.n - less : less));
}

Datum
personalize_engagement_level(PG_FUNCTION_ARGS)
{
	static const char *const levels[] = { "dormant", "low", "medium", "high" };
	Cuts cuts;
	int level;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	arg_cuts(fcinfo, 1, "cuts", &cuts);
	if (cuts.n != lengthof(levels) - 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cuts must be three numbers"),
				 errdetail("There are %d.", cuts.n),
				 errhint(
					 "Pass where low, medium and high begin, such as '{0.5,2,8}'.")));
	level = count_not_greater(cuts.values, cuts.n,
							  arg_finite(fcinfo, 0, "activity"));
	PG_RETURN_TEXT_P(cstring_to_text(levels[level]));
}
