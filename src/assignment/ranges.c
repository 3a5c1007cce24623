/*
 * ranges.c
 *		Ranges of buckets: those of variants under one hash, as GrowthBook's SDK
 *		has them, namespaces and holdouts.
 */
#include "postgres.h"

#include <math.h>

#include "assignment/assignment.h"
#include "catalog/pg_type.h"
#include "common/args.h"
#include "utils/array.h"
#include "utils/float.h"

/* The SDK takes weights whose sum is from 0.99 to 1.01. */
#define SDK_TOLERANCE 0.01

PG_FUNCTION_INFO_V1(personalize_variant_ranges);
PG_FUNCTION_INFO_V1(personalize_choose_variant);

double
arg_part_of_units(FunctionCallInfo fcinfo, int argno, const char *name)
{
	double share;

	arg_not_null(fcinfo, argno, name);
	share = PG_GETARG_FLOAT8(argno);
	/* NaN is not, either */
	if (unlikely(!(share >= 0 && share <= 1)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 0 and 1", name),
				 errdetail("%s is %s.", name, float8out_internal(share)),
				 errhint("Write ten percent as 0.1.")));
	return share;
}

static void
check_weight(double weight, int position)
{
	if (isfinite(weight) && weight >= 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("weights must be finite and not negative"),
			 errdetail("Element %d is %s.", position,
					   float8out_internal(weight)),
			 errhint("A variant that nobody is to get has a weight of 0.")));
}

/* The elements where they stand: without nulls they are one after the other. */
static const double *
plain_doubles(const ArrayType *array, const char *name)
{
	Size offset = ARR_OVERHEAD_NONULLS(ARR_NDIM(array));

	if (array_contains_nulls((ArrayType *) array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not hold nulls", name),
				 errhint("Give each variant its own.")));
	/* there may be a bitmap of nulls all the same */
	if (ARR_HASNULL(array))
		offset = array->dataoffset;
	return (const double *) ((const char *) array + offset);
}

const double *
variant_weights(const ArrayType *array, double tolerance, int *n)
{
	const double *weights;
	double sum = 0;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("weights must have one dimension"),
				 errdetail("They have %d.", ARR_NDIM(array)),
				 errhint("Give one weight for each variant.")));
	*n = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	if (*n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("weights must not be empty"),
				 errhint("Give one weight for each variant.")));
	weights = plain_doubles(array, "weights");
	for (int i = 0; i < *n; i++)
	{
		check_weight(weights[i], i + 1);
		sum += weights[i];
	}
	/* an allowance for the sum's own rounding at the edge of the tolerance */
	if (!(fabs(sum - 1) <= tolerance + 1e-12))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weights must sum to one"),
				 errdetail("Their sum is %s.", float8out_internal(sum)),
				 errhint(
					 "Divide each weight by the sum. To have only a part of all units in the experiment, use coverage.")));
	return weights;
}

Datum
personalize_variant_ranges(PG_FUNCTION_ARGS)
{
	double coverage = arg_part_of_units(fcinfo, 1, "coverage");
	double start = 0;
	int dims[2] = { 0, 2 };
	int lower_bounds[2] = { 1, 1 };
	const double *weights;
	Datum *ends;

	arg_not_null(fcinfo, 0, "weights");
	weights =
		variant_weights(PG_GETARG_ARRAYTYPE_P(0), SDK_TOLERANCE, &dims[0]);
	ends = palloc(2 * dims[0] * sizeof(Datum));
	for (int i = 0; i < dims[0]; i++)
	{
		ends[2 * i] = Float8GetDatum(start);
		ends[2 * i + 1] = Float8GetDatum(start + coverage * weights[i]);
		start += weights[i];
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(ends, NULL, 2, dims, lower_bounds,
											 FLOAT8OID, sizeof(float8),
											 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* The ranges of an array of n pairs, in place. */
static const double *
checked_ranges(const ArrayType *array, int *n)
{
	const double *ranges;

	if (ARR_NDIM(array) != 2 || ARR_DIMS(array)[1] != 2)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("ranges must be pairs of low and high"),
				 errhint(
					 "Use variant_ranges(), or an array such as {{0,0.5},{0.5,1}}.")));
	*n = ARR_DIMS(array)[0];
	ranges = plain_doubles(array, "ranges");
	for (int i = 0; i < *n; i++)
	{
		double low = ranges[2 * i];
		double high = ranges[2 * i + 1];

		if (!isfinite(low) || !isfinite(high) || low > high)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("ranges must be finite and go from low to high"),
					 errdetail("Range %d goes from %s to %s.", i + 1,
							   float8out_internal(low),
							   float8out_internal(high)),
					 errhint("A range that nobody is in is {0,0}.")));
	}
	return ranges;
}

Datum
personalize_choose_variant(PG_FUNCTION_ARGS)
{
	const double *ranges;
	double bucket;
	int n;

	arg_not_null(fcinfo, 1, "ranges");
	ranges = checked_ranges(PG_GETARG_ARRAYTYPE_P(1), &n);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	bucket = arg_finite(fcinfo, 0, "bucket");
	for (int i = 0; i < n; i++)
	{
		if (bucket >= ranges[2 * i] && bucket < ranges[2 * i + 1])
			PG_RETURN_INT32(i + 1);
	}
	PG_RETURN_NULL();
}

static Datum
in_namespace(FunctionCallInfo fcinfo, UnitKind kind)
{
	double start = arg_part_of_units(fcinfo, 2, "range_start");
	double end = arg_part_of_units(fcinfo, 3, "range_end");
	char buffer[UNIT_BUFFER];
	double bucket;

	arg_not_null(fcinfo, 0, "namespace");
	if (start > end)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("range_start must not be above range_end"),
				 errdetail("The range goes from %s to %s.",
						   float8out_internal(start), float8out_internal(end)),
				 errhint("Exchange them.")));
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	bucket = bucket_v1("__", text_utf8(fcinfo, 0),
					   unit_utf8(fcinfo, 1, kind, buffer)) /
		(double) BUCKETS_V1;
	PG_RETURN_BOOL(bucket >= start && bucket < end);
}

UNIT_FUNCTIONS(in_namespace);

/* By a salt of its own: who is held out says nothing about variants. */
static Datum
in_holdout(FunctionCallInfo fcinfo, UnitKind kind)
{
	double share = arg_part_of_units(fcinfo, 2, "share");
	char buffer[UNIT_BUFFER];
	uint32 bucket;

	arg_not_null(fcinfo, 0, "seed");
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	bucket = bucket_v2(arg_seed_hash_v2(fcinfo, 0, ":holdout"),
					   unit_utf8(fcinfo, 1, kind, buffer));
	PG_RETURN_BOOL(bucket / (double) BUCKETS_V2 < share);
}

UNIT_FUNCTIONS(in_holdout);
