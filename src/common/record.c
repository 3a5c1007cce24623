/*
 * record.c
 *		Composite results.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/record.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

TupleDesc
result_type(FunctionCallInfo fcinfo)
{
	TupleDesc type;

	if (get_call_result_type(fcinfo, NULL, &type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "function does not return a row");
	return type;
}

TupleDesc
element_row_type(TupleDesc type, int column)
{
	Oid element = get_element_type(TupleDescAttr(type, column)->atttypid);

	return lookup_rowtype_tupdesc_copy(element, -1);
}

Datum
row_array(TupleDesc element, Datum *rows, int n)
{
	return PointerGetDatum(construct_array(rows, n, element->tdtypeid, -1,
										   false, TYPALIGN_DOUBLE));
}

Datum
make_row(TupleDesc type, Datum *values)
{
	return make_row_with_nulls(type, values,
							   palloc0(type->natts * sizeof(bool)));
}

Datum
make_row_with_nulls(TupleDesc type, Datum *values, bool *nulls)
{
	for (int i = 0; i < type->natts; i++)
	{
		if (TupleDescAttr(type, i)->atttypid == FLOAT8OID &&
			isnan(DatumGetFloat8(values[i])))
			nulls[i] = true;
	}
	return HeapTupleGetDatum(heap_form_tuple(type, values, nulls));
}

Datum
number_row(FunctionCallInfo fcinfo, const double *numbers, int n)
{
	TupleDesc type = result_type(fcinfo);
	Datum *values = palloc(n * sizeof(Datum));

	if (type->natts != n)
		elog(ERROR, "function does not return a row of %d numbers", n);
	for (int i = 0; i < n; i++)
		values[i] = Float8GetDatum(numbers[i]);
	return make_row(type, values);
}
