/*
 * segment_tests.c
 *		The effect in each segment: what segment_effects() adjusts.
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "effects/arm_arrays.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/tuplestore.h"

/* segment, two n, two means, two effects of five numbers, adjusted p-value */
#define SEGMENT_COLUMNS 16

PG_FUNCTION_INFO_V1(personalize_segment_tests);

static Datum *
arg_segments(FunctionCallInfo fcinfo, int argno, int count, bool **nulls)
{
	ArrayType *array;
	Datum *segments;
	int n;

	array = PG_GETARG_ARRAYTYPE_P(argno);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("segments must be an array of one dimension"),
				 errdetail("It has %d.", ARR_NDIM(array)),
				 errhint("Pass a name for each segment.")));
	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_INT,
					  &segments, nulls, &n);
	if (n != count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("segments must have an element for each one of control"),
				 errdetail("They have %d and %d.", n, count),
				 errhint(
					 "Make both with array_agg() in one query, so that they are in the same order.")));
	return segments;
}

static void
put_segment(ReturnSetInfo *result, Datum segment, bool isnull,
			const LiftTest *test)
{
	Datum values[SEGMENT_COLUMNS];
	bool nulls[SEGMENT_COLUMNS] = { isnull };
	int n = 0;

	values[n++] = segment;
	values[n++] = Int64GetDatum(test->control.n);
	values[n++] = Int64GetDatum(test->treatment.n);
	values[n++] = Float8GetDatum(test->control.mean);
	values[n++] = Float8GetDatum(test->treatment.mean);
	n += effect_columns(values + n, &test->absolute);
	values[n++] = Float8GetDatum(NAN);
	n += effect_columns(values + n, &test->relative);
	for (int i = 3; i < n; i++)
		nulls[i] = isnan(DatumGetFloat8(values[i]));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
personalize_segment_tests(PG_FUNCTION_ARGS)
{
	CompareOptions options = arg_fixed_options(fcinfo, 3, 4);
	Arm *control;
	Arm *treatment;
	Datum *segments;
	bool *nulls;
	int n;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("segments must not be null"),
				 errhint("Pass a name for each segment.")));
	n = arg_arm_arrays(fcinfo, 1, &control, &treatment);
	segments = arg_segments(fcinfo, 0, n, &nulls);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n; i++)
	{
		LiftTest test = { .control = control[i], .treatment = treatment[i] };

		compare_arms(&test, false, &options);
		put_segment((ReturnSetInfo *) fcinfo->resultinfo, segments[i], nulls[i],
					&test);
	}
	return (Datum) 0;
}
