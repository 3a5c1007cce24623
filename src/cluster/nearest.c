/*
 * nearest.c
 *		The cluster of a row: nearest_centroid(), centroid_distance().
 */
#include "postgres.h"

#include <math.h>

#include "cluster/cluster.h"

PG_FUNCTION_INFO_V1(personalize_nearest_centroid);
PG_FUNCTION_INFO_V1(personalize_centroid_distance);

/* Number of the nearest centroid, from 0, and its squared distance. */
static int
nearest(FunctionCallInfo fcinfo, double *least)
{
	int width;
	int k;
	int length;
	int found = 0;
	const double *row =
		features_read(PG_GETARG_ARRAYTYPE_P(0), "features", &width);
	const double *centroids =
		matrix_read(PG_GETARG_ARRAYTYPE_P(1), "centroids", &k, &length);

	if (width != length)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("features and centroids must have the same length"),
				 errdetail("There are %d features, and centroids of %d.", width,
						   length)));

	*least = INFINITY;
	for (int j = 0; j < k; j++, centroids += width)
	{
		double distance = squared_distance(row, centroids, width);

		if (distance < *least)
		{
			*least = distance;
			found = j;
		}
	}
	return found;
}

Datum
personalize_nearest_centroid(PG_FUNCTION_ARGS)
{
	double distance;

	PG_RETURN_INT32(nearest(fcinfo, &distance) + 1);
}

Datum
personalize_centroid_distance(PG_FUNCTION_ARGS)
{
	double distance;

	nearest(fcinfo, &distance);
	PG_RETURN_FLOAT8(sqrt(distance));
}
