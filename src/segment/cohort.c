/*
 * cohort.c
 *		cohort(): which calendar period a customer began in, and how many later
 *		an event is.
 */
#include "postgres.h"

#include "common/args.h"
#include "segment/segment.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

typedef enum CalendarUnit
{
	UNIT_DAY,
	UNIT_WEEK,
	UNIT_MONTH,
	UNIT_QUARTER,
	UNIT_YEAR
} CalendarUnit;

static const char *const unit_names[] = { "day", "week", "month", "quarter",
										  "year" };

PG_FUNCTION_INFO_V1(personalize_cohort);

static CalendarUnit
arg_calendar_unit(FunctionCallInfo fcinfo, int argno)
{
	char *name;

	arg_not_null(fcinfo, argno, "unit");
	name = text_to_cstring(PG_GETARG_TEXT_PP(argno));
	for (int i = 0; i < (int) lengthof(unit_names); i++)
	{
		if (pg_strcasecmp(name, unit_names[i]) == 0)
			return (CalendarUnit) i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unit \"%s\" is not known", name),
			 errhint("Units are day, week, month, quarter and year.")));
}

/* The Julian day on which a time falls in a time zone. */
static int
julian_day(TimestampTz at, Datum zone)
{
	Timestamp local = DatumGetTimestamp(
		DirectFunctionCall2(timestamptz_zone, zone, TimestampTzGetDatum(at)));

	return (int) period_of(local, USECS_PER_DAY) + POSTGRES_EPOCH_JDATE;
}

/* The number of the calendar period in which a day lies. */
static int
calendar_period(int julian, CalendarUnit unit)
{
	int year;
	int month;
	int day;

	j2date(julian, &year, &month, &day);
	switch (unit)
	{
		case UNIT_DAY:
			return julian;
		case UNIT_WEEK:
			return julian / 7; /* the first Julian day was a Monday */
		case UNIT_MONTH:
			return year * 12 + month - 1;
		case UNIT_QUARTER:
			return year * 4 + (month - 1) / 3;
		default:
			return year;
	}
}

/* The first day of the period in which a day lies. */
static int
calendar_start(int julian, CalendarUnit unit)
{
	int year;
	int month;
	int day;

	j2date(julian, &year, &month, &day);
	switch (unit)
	{
		case UNIT_DAY:
			return julian;
		case UNIT_WEEK:
			return julian - julian % 7;
		case UNIT_MONTH:
			return date2j(year, month, 1);
		case UNIT_QUARTER:
			return date2j(year, month - (month - 1) % 3, 1);
		default:
			return date2j(year, 1, 1);
	}
}

Datum
personalize_cohort(PG_FUNCTION_ARGS)
{
	CalendarUnit unit = arg_calendar_unit(fcinfo, 2);
	TimestampTz first_at;
	TimestampTz at;
	int first;
	int now;
	DateADT start;
	Datum values[2];
	bool nulls[2] = { false };

	arg_not_null(fcinfo, 3, "time_zone");
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	first_at = arg_time(fcinfo, 0, "first_at");
	at = arg_time(fcinfo, 1, "at");
	if (at < first_at)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("at must not be earlier than first_at"),
				 errdetail("They are %s and %s.",
						   pstrdup(timestamptz_to_str(at)),
						   pstrdup(timestamptz_to_str(first_at))),
				 errhint(
					 "first_at is the time of the customer's first event, such as min(at) OVER (PARTITION BY customer).")));

	first = julian_day(first_at, PG_GETARG_DATUM(3));
	now = julian_day(at, PG_GETARG_DATUM(3));
	start = calendar_start(first, unit) - POSTGRES_EPOCH_JDATE;
	if (!IS_VALID_DATE(start))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date out of range"),
				 errdetail("The cohort would begin before all dates."),
				 errhint("Use a shorter unit.")));
	values[0] = DateADTGetDatum(start);
	values[1] = Int32GetDatum(calendar_period(now, unit) -
							  calendar_period(first, unit));
	return composite_result(fcinfo, values, nulls);
}
