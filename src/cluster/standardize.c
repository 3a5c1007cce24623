/*
 * standardize.c
 *		standardize(features, stats) and back.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "cluster/cluster.h"
#include "executor/executor.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_standardize);
PG_FUNCTION_INFO_V1(personalize_unstandardize);

/*
 * The statistics of the last call, taken apart.  Mostly all rows have the same,
 * and taking them apart takes longer than all the rest.
 */
typedef struct Scale
{
	MemoryContext context; /* of all below */
	Size size;			   /* 0: nothing there */
	HeapTupleHeader stats; /* as passed */
	int width;
	const double *means;
	const double *sds;
} Scale;

static const double *
stats_field(HeapTupleHeader stats, const char *name, int *width)
{
	bool null;
	Datum value = GetAttributeByName(stats, name, &null);

	if (null)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s of stats must not be null", name),
				 errhint("Pass what feature_stats() returns.")));
	return features_read(DatumGetArrayTypeP(value), name, width);
}

static void
scale_fill(Scale *scale, HeapTupleHeader stats, Size size)
{
	int sds;

	scale->stats = memcpy(palloc(size), stats, size);
	scale->means = stats_field(scale->stats, "means", &scale->width);
	scale->sds = stats_field(scale->stats, "sds", &sds);
	if (sds != scale->width)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("stats must have as many sds as means"),
				 errdetail("There are %d sds and %d means.", sds, scale->width),
				 errhint("Pass what feature_stats() returns.")));
	for (int f = 0; f < sds; f++)
		if (scale->sds[f] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("sds of stats must not be negative"),
					 errhint("Pass what feature_stats() returns.")));
}

static const Scale *
scale_argument(FunctionCallInfo fcinfo, int argno)
{
	HeapTupleHeader stats = PG_GETARG_HEAPTUPLEHEADER(argno);
	Size size = HeapTupleHeaderGetDatumLength(stats);
	Scale *scale = fcinfo->flinfo->fn_extra;
	MemoryContext old;

	if (scale == NULL)
	{
		scale = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Scale));
		scale->context =
			AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "personalize scale",
								  ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = scale;
	}
	if (scale->size == size && memcmp(scale->stats, stats, size) == 0)
		return scale;

	scale->size = 0;
	MemoryContextReset(scale->context);
	old = MemoryContextSwitchTo(scale->context);
	scale_fill(scale, stats, size);
	MemoryContextSwitchTo(old);
	scale->size = size;
	return scale;
}

/* A row of features, or several, such as centroids: as many numbers in each. */
static ArrayType *
copy_argument(FunctionCallInfo fcinfo, int argno, const Scale *scale, int *rows)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P_COPY(argno);
	int width;

	*rows = 1;
	if (ARR_NDIM(array) == 2)
		matrix_read(array, "features", rows, &width);
	else
		features_read(array, "features", &width);
	if (width != scale->width)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("features and stats must have the same length"),
				 errdetail("There are %d features, and stats of %d.", width,
						   scale->width)));
	return array;
}

/* Where all numbers were equal there is no scale: 0, whatever the number. */
static double
to_standard(double value, double mean, double sd)
{
	double result = sd > 0 ? (value - mean) / sd : 0;

	if (unlikely(isinf(result)))
		float_overflow_error();
	return result;
}

Datum
personalize_standardize(PG_FUNCTION_ARGS)
{
	const Scale *scale = scale_argument(fcinfo, 1);
	int rows;
	ArrayType *array = copy_argument(fcinfo, 0, scale, &rows);
	double *values = array_numbers(array);

	for (int i = 0; i < rows; i++, values += scale->width)
		for (int f = 0; f < scale->width; f++)
			values[f] = to_standard(values[f], scale->means[f], scale->sds[f]);
	PG_RETURN_ARRAYTYPE_P(array);
}

Datum
personalize_unstandardize(PG_FUNCTION_ARGS)
{
	const Scale *scale = scale_argument(fcinfo, 1);
	int rows;
	ArrayType *array = copy_argument(fcinfo, 0, scale, &rows);
	double *values = array_numbers(array);

	for (int i = 0; i < rows; i++, values += scale->width)
		for (int f = 0; f < scale->width; f++)
			values[f] = values[f] * scale->sds[f] + scale->means[f];
	PG_RETURN_ARRAYTYPE_P(array);
}
