/*
 * row.c
 *		Composite results that are numbers all through.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "planning/planning.h"

Datum
number_row(FunctionCallInfo fcinfo, const double *numbers, int n)
{
	TupleDesc type;
	Datum *values = palloc(n * sizeof(Datum));
	bool *nulls = palloc(n * sizeof(bool));

	if (get_call_result_type(fcinfo, NULL, &type) != TYPEFUNC_COMPOSITE ||
		type->natts != n)
		elog(ERROR, "function does not return a row of %d numbers", n);
	for (int i = 0; i < n; i++)
	{
		values[i] = Float8GetDatum(numbers[i]);
		nulls[i] = isnan(numbers[i]);
	}
	return HeapTupleGetDatum(heap_form_tuple(type, values, nulls));
}
