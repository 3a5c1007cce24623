/*
 * segment.c
 *		Arguments and results that the functions of this folder share.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/args.h"
#include "funcapi.h"
#include "segment/segment.h"
#include "utils/timestamp.h"

int64
arg_unit(FunctionCallInfo fcinfo, int argno, int64 expected)
{
	int64 unit = USECS_PER_DAY;

	if (PG_NARGS() > argno)
	{
		Interval *interval;

		arg_not_null(fcinfo, argno, "unit");
		interval = PG_GETARG_INTERVAL_P(argno);
		/* what most rows need of the checks, as this is done for each */
		if (interval->month == 0 && expected != 0 &&
			(uint32) interval->day <= PG_INT64_MAX / USECS_PER_DAY &&
			(uint64) interval->day * USECS_PER_DAY + (uint64) interval->time ==
				(uint64) expected)
			return expected;
		unit = arg_duration(fcinfo, argno, "unit");
	}
	if (expected != 0 && unit != expected)
		option_differs("unit");
	return unit;
}

void
option_differs(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be the same for all rows of a group", name),
			 errhint("Pass a constant, or group by it.")));
	pg_unreachable();
}

/* A type's description is looked up once a query, if the caller lets us. */
static TupleDesc
result_type(FunctionCallInfo fcinfo)
{
	FmgrInfo *flinfo = fcinfo->flinfo;
	MemoryContext caller;
	TupleDesc type;

	if (flinfo->fn_extra != NULL)
		return flinfo->fn_extra;

	caller = MemoryContextSwitchTo(flinfo->fn_mcxt);
	if (get_call_result_type(fcinfo, NULL, &type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "function %u does not return a composite type",
			 flinfo->fn_oid);
	type = BlessTupleDesc(type);
	MemoryContextSwitchTo(caller);
	flinfo->fn_extra = type;
	return type;
}

Datum
composite_result(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	return HeapTupleGetDatum(
		heap_form_tuple(result_type(fcinfo), values, nulls));
}
