/*
 * arguments.c
 *		Arguments of the aggregates of activity.
 */
#include "postgres.h"

#include "activity/activity.h"
#include "common/args.h"
#include "common/float_numeric.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

double
arg_finite_numeric(FunctionCallInfo fcinfo, int argno, const char *name)
{
	return finite_value(float_from_numeric(PG_GETARG_NUMERIC(argno)), name);
}

void
not_constant(const char *name, const char *one, const char *other)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be the same for all rows of a group", name),
			 errdetail("It is \"%s\" in one row and \"%s\" in another.", one,
					   other),
			 errhint("Use a constant, or add it to GROUP BY.")));
	pg_unreachable();
}

static char *
duration_text(int64 us)
{
	Interval interval = { .time = us % USECS_PER_DAY,
						  .day = us / USECS_PER_DAY };

	return DatumGetCString(
		DirectFunctionCall1(interval_out, IntervalPGetDatum(&interval)));
}

void
duration_not_constant(const char *name, int64 one, int64 other)
{
	not_constant(name, duration_text(one), duration_text(other));
}

void
check_same_duration(FunctionCallInfo fcinfo, int argno, const char *name,
					int64 us)
{
	int64 given = arg_duration(fcinfo, argno, name);

	if (given != us)
		duration_not_constant(name, us, given);
}
