/*
 * psi.c
 *		How far a distribution over bins has moved.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/args.h"
#include "common/number_list.h"
#include "drift/drift.h"
#include "utils/array.h"
#include "utils/float.h"

#define MAX_BINS 10000

PG_FUNCTION_INFO_V1(personalize_bin_edges);
PG_FUNCTION_INFO_V1(personalize_bin_counts);
PG_FUNCTION_INFO_V1(personalize_psi);
PG_FUNCTION_INFO_V1(personalize_psi_counts);
PG_FUNCTION_INFO_V1(personalize_js_divergence);

static int
arg_bins(FunctionCallInfo fcinfo, int argno)
{
	int bins;

	arg_not_null(fcinfo, argno, "bins");
	bins = PG_GETARG_INT32(argno);
	if (bins < 2 || bins > MAX_BINS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bins must be from 2 to %d", MAX_BINS),
				 errdetail("bins is %d.", bins)));
	return bins;
}

static double
arg_floor_share(FunctionCallInfo fcinfo, int argno)
{
	double share;

	arg_not_null(fcinfo, argno, "floor_share");
	share = PG_GETARG_FLOAT8(argno);
	if (!(share > 0 && share < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("floor_share must be above 0 and below 1"),
				 errdetail("floor_share is %s.", float8out_internal(share)),
				 errhint(
					 "It stands for the share of a bin that has none, or less.")));
	return share;
}

/* The inner edges of quantile bins, each once. */
static Sample
quantile_edges(const Sample *sorted, int bins)
{
	Sample edges = { 0, palloc((bins - 1) * sizeof(double)) };

	for (int i = 1; i < bins; i++)
	{
		double edge =
			sorted_quantile(sorted->values, sorted->n, (double) i / bins);

		if (edges.n == 0 || edge > edges.values[edges.n - 1])
			edges.values[edges.n++] = edge;
	}
	return edges;
}

/* How many numbers there are up to each edge and above the one before. */
static double *
count_bins(const Sample *sorted, const Sample *edges)
{
	double *counts = palloc0((edges->n + 1) * sizeof(double));
	int bin = 0;

	for (int i = 0; i < sorted->n; i++)
	{
		while (bin < edges->n && sorted->values[i] > edges->values[bin])
			bin++;
		counts[bin]++;
	}
	return counts;
}

static double
stability_index(const CountPair *pair, double floor_share)
{
	Sum sum = { 0 };

	for (int i = 0; i < pair->n; i++)
	{
		double a = Max(pair->a[i] / pair->total_a, floor_share);
		double b = Max(pair->b[i] / pair->total_b, floor_share);

		double ratio = b / a;

		/* a floor_share may be so small that the ratio overflows */
		sum_add(&sum, (b - a) * (isinf(ratio) ? log(b) - log(a) : log(ratio)));
	}
	return sum_value(&sum);
}

Datum
personalize_bin_edges(PG_FUNCTION_ARGS)
{
	Sample sample = arg_sample(fcinfo, 0, "values");
	Sample edges;
	Datum *elements;
	int bins = arg_bins(fcinfo, 1);

	if (sample.n == 0)
		PG_RETURN_NULL();
	edges = quantile_edges(&sample, bins);
	elements = palloc(edges.n * sizeof(Datum));
	for (int i = 0; i < edges.n; i++)
		elements[i] = Float8GetDatum(edges.values[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, edges.n, FLOAT8OID,
										  sizeof(float8), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}

Datum
personalize_bin_counts(PG_FUNCTION_ARGS)
{
	Sample sample = arg_sample(fcinfo, 0, "values");
	Sample edges;
	Datum *elements;
	double *counts;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	edges = arg_numbers(fcinfo, 1, "edges");
	for (int i = 1; i < edges.n; i++)
	{
		if (edges.values[i] <= edges.values[i - 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("edges must rise"),
					 errdetail("Element %d is %s, after %s.", i + 1,
							   float8out_internal(edges.values[i]),
							   float8out_internal(edges.values[i - 1]))));
	}

	counts = count_bins(&sample, &edges);
	elements = palloc((edges.n + 1) * sizeof(Datum));
	for (int i = 0; i <= edges.n; i++)
		elements[i] = Int64GetDatum((int64) counts[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, edges.n + 1, INT8OID,
										  sizeof(int64), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}

Datum
personalize_psi(PG_FUNCTION_ARGS)
{
	Sample reference = arg_sample(fcinfo, 0, "reference");
	Sample current = arg_sample(fcinfo, 1, "current");
	int bins = arg_bins(fcinfo, 2);
	double floor_share = arg_floor_share(fcinfo, 3);
	Sample edges;
	CountPair pair;

	if (reference.n == 0 || current.n == 0)
		PG_RETURN_NULL();
	edges = quantile_edges(&reference, bins);
	pair.n = edges.n + 1;
	pair.a = count_bins(&reference, &edges);
	pair.b = count_bins(&current, &edges);
	pair.total_a = reference.n;
	pair.total_b = current.n;
	PG_RETURN_FLOAT8(stability_index(&pair, floor_share));
}

Datum
personalize_psi_counts(PG_FUNCTION_ARGS)
{
	double floor_share = arg_floor_share(fcinfo, 2);
	CountPair pair;

	if (!arg_counts(fcinfo, "reference", "current", &pair))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(stability_index(&pair, floor_share));
}

/* One side of the divergence: the share's own part of ln(share / mean). */
static double
divergence(double share, double mean)
{
	return share > 0 ? share * log(share / mean) : 0;
}

Datum
personalize_js_divergence(PG_FUNCTION_ARGS)
{
	Sum sum = { 0 };
	CountPair pair;

	if (!arg_counts(fcinfo, "reference_counts", "current_counts", &pair))
		PG_RETURN_NULL();
	for (int i = 0; i < pair.n; i++)
	{
		double a = pair.a[i] / pair.total_a;
		double b = pair.b[i] / pair.total_b;

		sum_add(&sum, divergence(a, (a + b) / 2));
		sum_add(&sum, divergence(b, (a + b) / 2));
	}
	PG_RETURN_FLOAT8(Max(sum_value(&sum) / 2, 0));
}
