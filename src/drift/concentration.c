/*
 * concentration.c
 *		How evenly something is spread over items, such as sales or exposure.
 */
#include "postgres.h"

#include <math.h>

#include "common/number_list.h"
#include "drift/drift.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_gini_final);
PG_FUNCTION_INFO_V1(personalize_concentration_final);

typedef struct Spread
{
	int64 n;
	double *values; /* ascending */
	double total;
} Spread;

static Spread
spread_of(NumberList *list)
{
	Spread spread = { list->n, number_list_sorted(list), 0 };
	Sum total = { 0 };

	if (spread.n > 0 && spread.values[0] < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value must not be negative"),
				 errdetail("The lowest one is %s.",
						   float8out_internal(spread.values[0])),
				 errhint(
					 "Shares of a total need amounts of one sign; leave others out, with FILTER or WHERE.")));
	for (int64 i = 0; i < spread.n; i++)
		sum_add(&total, spread.values[i]);
	spread.total = sum_value(&total);
	if (!isfinite(spread.total))
		float_overflow_error();
	return spread;
}

/*
 * Of all the items there are, not an estimate for more: without n / (n - 1).
 * NaN where the total is 0.
 */
static double
spread_gini(const Spread *spread)
{
	Sum sum = { 0 };

	if (spread->total == 0)
		return NAN;
	for (int64 i = 0; i < spread->n; i++)
		sum_add(&sum,
				(2 * (double) i + 1 - spread->n) / spread->n *
					(spread->values[i] / spread->total));
	return sum_value(&sum);
}

Datum
personalize_gini_final(PG_FUNCTION_ARGS)
{
	Spread spread;
	double gini;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	spread = spread_of(state_readable(fcinfo, 0));
	gini = spread_gini(&spread); /* of nothing at all NaN too */
	if (isnan(gini))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(gini);
}

Datum
personalize_concentration_final(PG_FUNCTION_ARGS)
{
	Spread spread;
	Sum entropy = { 0 };
	Sum squares = { 0 };
	int64 covered = 0;
	Datum values[5];

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	spread = spread_of(state_readable(fcinfo, 0));
	if (spread.n == 0)
		PG_RETURN_NULL();
	for (int64 i = 0; i < spread.n; i++)
	{
		double share = spread.values[i] / spread.total;

		if (spread.values[i] == 0)
			continue;
		covered++;
		sum_add(&squares, share * share);
		if (share > 0)
			sum_add(&entropy, -share * log(share));
	}

	values[0] = Int64GetDatum(spread.n);
	values[1] = Float8GetDatum(spread_gini(&spread));
	values[2] = Float8GetDatum(covered > 0 ? sum_value(&entropy) : NAN);
	values[3] = Float8GetDatum(covered > 0 ? sum_value(&squares) : NAN);
	values[4] = Float8GetDatum((double) covered / spread.n);
	PG_RETURN_DATUM(make_row(result_type(fcinfo), values));
}
