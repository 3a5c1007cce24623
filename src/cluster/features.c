/*
 * features.c
 *		Arrays of features from SQL.
 */
#include "postgres.h"

#include <math.h>

#include "cluster/cluster.h"
#include "utils/fmgroids.h"

/* Enough of an array to recognise the row it came from. */
#define EXCERPT 100

static const char *
excerpt(ArrayType *array)
{
	char *text = OidOutputFunctionCall(F_ARRAY_OUT, PointerGetDatum(array));

	if (strlen(text) > EXCERPT)
		strcpy(text + EXCERPT - 3, "...");
	return text;
}

static const char *
number_text(double value)
{
	return isnan(value) ? "NaN" :
		!isinf(value)	? psprintf("%g", value) :
		value > 0		? "Infinity" :
						  "-Infinity";
}

/* One null or one number that cannot be, by its place in the array. */
static void
report_element(ArrayType *array, const char *name)
{
	const double *values = array_numbers(array);
	bits8 *present = array_contains_nulls(array) ? ARR_NULLBITMAP(array) : NULL;
	bool one_row = ARR_NDIM(array) == 1;
	int place = 0;

	while (present ? present[place / 8] & (1 << place % 8) :
					 fabs(values[place]) < FEATURE_LIMIT)
		place++;
	if (present)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not contain nulls", name),
				 errdetail("Element %d of %s is null.", place + 1,
						   excerpt(array)),
				 one_row ?
					 errhint(
						 "Leave such rows out, with FILTER or WHERE, or put a number in their place, with coalesce().") :
					 0));
	ereport(ERROR,
			(errcode(isfinite(values[place]) ?
						 ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE :
						 ERRCODE_INVALID_PARAMETER_VALUE),
			 isfinite(values[place]) ?
				 errmsg("%s must be smaller than %g", name, FEATURE_LIMIT) :
				 errmsg("%s must be finite numbers", name),
			 errdetail("Element %d of %s is %s.", place + 1, excerpt(array),
					   number_text(values[place])),
			 one_row ? errhint("Leave such rows out, with FILTER or WHERE.") :
					   0));
}

static const double *
elements_read(ArrayType *array, const char *name, int n)
{
	const double *values = array_numbers(array);
	bool good = true;

	if (ARR_HASNULL(array) && array_contains_nulls(array))
		report_element(array, name);
	/* false for NaN as well */
	for (int i = 0; i < n; i++)
		good &= fabs(values[i]) < FEATURE_LIMIT;
	if (!good)
		report_element(array, name);
	return values;
}

const double *
features_read(ArrayType *array, const char *name, int *width)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be an array of one dimension", name),
				 errdetail("%s has %d dimensions.", excerpt(array),
						   ARR_NDIM(array)),
				 errhint("Pass the features of one row at a time.")));
	if (ARR_NDIM(array) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must not be empty", name),
				 errhint("Leave such rows out, with FILTER or WHERE.")));
	*width = ARR_DIMS(array)[0];
	if (*width > MAX_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s must be at most %d numbers", name, MAX_FEATURES),
				 errdetail("There are %d.", *width)));
	return elements_read(array, name, *width);
}

const double *
matrix_read(ArrayType *array, const char *name, int *rows, int *width)
{
	if (ARR_NDIM(array) != 2)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be an array of two dimensions", name),
				 errdetail("%s has %d.", excerpt(array), ARR_NDIM(array)),
				 errhint(
					 "Pass one row of numbers for each centroid, such as the centroids that kmeans() returns.")));
	*rows = ARR_DIMS(array)[0];
	*width = ARR_DIMS(array)[1];
	return elements_read(array, name, *rows * *width);
}

void
features_check_width(int width, int expected)
{
	if (width != expected)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("all rows must have the same number of features"),
				 errdetail("One has %d, another has %d.", Min(width, expected),
						   Max(width, expected)),
				 errhint(
					 "Leave out rows of another length, with FILTER or WHERE.")));
}
