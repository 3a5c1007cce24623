/*
 * record.h
 *		Composite results.
 */
#ifndef PERSONALIZE_RECORD_H
#define PERSONALIZE_RECORD_H

#include "access/tupdesc.h"
#include "fmgr.h"

/* The row type that the function returns. */
extern TupleDesc result_type(FunctionCallInfo fcinfo);

/* Of an array column of that type: the type of its elements. */
extern TupleDesc element_row_type(TupleDesc type, int column);
extern Datum row_array(TupleDesc element, Datum *rows, int n);

/* A row; NaN stands for NULL in columns of type float8. */
extern Datum make_row(TupleDesc type, Datum *values);
extern Datum make_row_with_nulls(TupleDesc type, Datum *values, bool *nulls);

/* A row of numbers all through, in the type that the function returns. */
extern Datum number_row(FunctionCallInfo fcinfo, const double *numbers, int n);

#endif
