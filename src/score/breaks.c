/*
 * breaks.c
 *		The aggregate rfm_breaks: quantiles that cut values into k parts.
 *
 * Its state is a list of numbers that knows k, so that a partial result is of
 * use to every aggregate over such lists, and to rfm_breaks with another k.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/args.h"
#include "common/number_list.h"
#include "compat.h"
#include "score/score.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(personalize_rfm_breaks_add);
PG_FUNCTION_INFO_V1(personalize_rfm_breaks_merge);
PG_FUNCTION_INFO_V1(personalize_rfm_breaks_final);

int
check_k(int k, bool isnull)
{
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("k must not be null")));
	if (k < 1 || k > SCORE_MAX_K)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be between 1 and %d", SCORE_MAX_K),
				 errdetail("k is %d.", k),
				 errhint(
					 "k is the number of parts, such as 5 for scores from 1 to 5.")));
	return k;
}

static int
arg_parts(FunctionCallInfo fcinfo, int argno)
{
	bool isnull = PG_ARGISNULL(argno);

	return check_k(isnull ? 0 : PG_GETARG_INT32(argno), isnull);
}

/*
 * The position i (n - 1) / k is split by whole numbers, so that a quantile
 * which is one of the values is exactly that value: the product of a rounded
 * i / k may fall just below it, and the value would then score above itself.
 */
void
quantile_edges(const double *sorted, int64 n, int k, double *edges)
{
	for (int i = 1; i < k; i++)
	{
		int64 low = (n - 1) * i / k;
		double part = (double) ((n - 1) * i % k) / k;
		double a = sorted[low];
		double b = part > 0 ? sorted[low + 1] : a;
		double edge = a + (b - a) * part;

		/* b - a may overflow though a and b do not */
		if (isinf(edge))
			edge = a * (1 - part) + b * part;
		edges[i - 1] = edge;
	}
}

Datum
personalize_rfm_breaks_add(PG_FUNCTION_ARGS)
{
	NumberList *list = NULL;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	if (!PG_ARGISNULL(0))
		list = state_writable(fcinfo, 0);
	list = number_list_add(list, arg_finite(fcinfo, 1, "value"));
	number_list_set_k(list, arg_parts(fcinfo, 2));
	PG_RETURN_POINTER(list);
}

/* Another state, of any k: the one given here counts. */
Datum
personalize_rfm_breaks_merge(PG_FUNCTION_ARGS)
{
	NumberList *list = NULL;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	if (!PG_ARGISNULL(0))
		list = state_writable(fcinfo, 0);
	list = number_list_append(list, state_readable(fcinfo, 1));
	number_list_set_k(list, arg_parts(fcinfo, 2));
	PG_RETURN_POINTER(list);
}

Datum
personalize_rfm_breaks_final(PG_FUNCTION_ARGS)
{
	NumberList *list;
	double *sorted;
	double *edges;
	Datum *values;
	int n;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	list = state_readable(fcinfo, 0);
	if (list->k == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k is not known"),
				 errdetail("The state was made by an aggregate without k."),
				 errhint("Use rfm_breaks_merge(state, k).")));
	if (list->n == 0)
		PG_RETURN_NULL();

	n = list->k - 1;
	if (n == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(FLOAT8OID));
	sorted = number_list_sorted(list);
	edges = palloc(n * sizeof(double));
	values = palloc(n * sizeof(Datum));
	quantile_edges(sorted, list->n, list->k, edges);
	for (int i = 0; i < n; i++)
		values[i] = Float8GetDatum(edges[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, n, FLOAT8OID, sizeof(double),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
