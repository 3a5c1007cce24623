/*
 * hour_of_week.c
 *		hour_of_week(): when in a week, a key for affinity().
 */
#include "postgres.h"

#include "common/args.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

/* Times count from 2000-01-01, a Saturday. */
#define DAYS_FROM_MONDAY 5

PG_FUNCTION_INFO_V1(personalize_hour_of_week);

Datum
personalize_hour_of_week(PG_FUNCTION_ARGS)
{
	TimestampTz at = arg_time(fcinfo, 0, "at");
	Timestamp local = DatumGetTimestamp(
		DirectFunctionCall2(timestamptz_zone, PG_GETARG_DATUM(1),
							TimestampTzGetDatum(at)));
	int64 hour = local / USECS_PER_HOUR;

	if (local % USECS_PER_HOUR < 0)
		hour--;
	hour = (hour + DAYS_FROM_MONDAY * HOURS_PER_DAY) % (7 * HOURS_PER_DAY);
	if (hour < 0)
		hour += 7 * HOURS_PER_DAY;
	PG_RETURN_INT32((int32) hour);
}
