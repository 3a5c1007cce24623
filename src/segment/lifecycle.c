/*
 * lifecycle.c
 *		lifecycle_stage(): where a customer stands between the first purchase and
 *		the last one.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "segment/segment.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(personalize_lifecycle_stage_days);
PG_FUNCTION_INFO_V1(personalize_lifecycle_stage_alive);

void
check_ascending(const StageLimits *limits)
{
	if (limits->active < 0 || limits->active > limits->risk ||
		limits->risk > limits->lapse)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(
					 "active, risk and lapse must not be negative and must ascend"),
				 errdetail("They are %g, %g and %g.", limits->active,
						   limits->risk, limits->lapse)));
}

void
check_not_later(TimestampTz last_at, TimestampTz as_of)
{
	if (last_at > as_of)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the last purchase is later than as_of"),
				 errdetail("What came before is not known any more."),
				 errhint(
					 "Aggregate purchases up to as_of only, with FILTER or WHERE.")));
}

const char *
stage_by_time(const StageTimes *times, const StageLimits *limits)
{
	if (times->since_first <= limits->active)
		return "new";
	if (times->since_last <= limits->active)
		return times->last_gap > limits->lapse ? "reactivated" : "active";
	if (times->since_last <= limits->risk)
		return "at_risk";
	return times->since_last <= limits->lapse ? "lapsing" : "lost";
}

static double
days_between(TimestampTz from, TimestampTz to)
{
	return (double) period_of(to, USECS_PER_DAY) -
		period_of(from, USECS_PER_DAY);
}

/* A threshold in days; it may be 0. */
static double
arg_days(FunctionCallInfo fcinfo, int argno, const char *name)
{
	Interval *interval;

	arg_not_null(fcinfo, argno, name);
	interval = PG_GETARG_INTERVAL_P(argno);
	if (interval->month == 0 && interval->day == 0 && interval->time == 0)
		return 0;
	return (double) arg_duration(fcinfo, argno, name) / USECS_PER_DAY;
}

/* Two purchases that came one after the other, if both are known. */
static void
check_order(TimestampTz earlier, TimestampTz later, const char *names)
{
	if (earlier > later)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", names),
				 errhint(
					 "The arguments are the first purchase, the last one, and the one before that.")));
}

Datum
personalize_lifecycle_stage_days(PG_FUNCTION_ARGS)
{
	TimestampTz as_of = arg_time(fcinfo, 3, "as_of");
	TimestampTz first_at;
	TimestampTz last_at;
	StageLimits limits;
	StageTimes times;

	limits.active = arg_days(fcinfo, 4, "active");
	limits.risk = arg_days(fcinfo, 5, "risk");
	limits.lapse = arg_days(fcinfo, 6, "lapse");
	check_ascending(&limits);

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_TEXT_P(cstring_to_text(STAGE_PROSPECT));
	first_at = arg_time(fcinfo, 0, "first_at");
	last_at = arg_time(fcinfo, 1, "last_at");
	check_order(first_at, last_at, "first_at must not be later than last_at");
	if (first_at > as_of)
		PG_RETURN_TEXT_P(cstring_to_text(STAGE_PROSPECT));
	check_not_later(last_at, as_of);

	times.since_first = days_between(first_at, as_of);
	times.since_last = days_between(last_at, as_of);
	times.last_gap = 0;
	if (!PG_ARGISNULL(2))
	{
		TimestampTz previous_at = arg_time(fcinfo, 2, "previous_at");

		check_order(previous_at, last_at,
					"previous_at must not be later than last_at");
		/* by days, as interpurchase() has the start of that day */
		if (days_between(first_at, previous_at) < 0)
			check_order(first_at, previous_at,
						"previous_at must not be earlier than first_at");
		times.last_gap = days_between(previous_at, last_at);
	}
	PG_RETURN_TEXT_P(cstring_to_text(stage_by_time(&times, &limits)));
}

static double
arg_probability(FunctionCallInfo fcinfo, int argno, const char *name)
{
	double p = arg_finite(fcinfo, argno, name);

	if (p < 0 || p > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 0 and 1", name),
				 errdetail("%s is %g.", name, p)));
	return p;
}

Datum
personalize_lifecycle_stage_alive(PG_FUNCTION_ARGS)
{
	double active = arg_probability(fcinfo, 2, "active");
	double risk = arg_probability(fcinfo, 3, "risk");
	double lapse = arg_probability(fcinfo, 4, "lapse");
	double p_alive;
	double frequency;
	const char *stage;

	if (active < risk || risk < lapse)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("active, risk and lapse must descend"),
				 errdetail("They are %g, %g and %g.", active, risk, lapse)));
	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_TEXT_P(cstring_to_text(STAGE_PROSPECT));
	p_alive = arg_probability(fcinfo, 0, "p_alive");
	frequency = arg_finite(fcinfo, 1, "frequency");
	if (frequency < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("frequency must not be negative"),
				 errdetail("frequency is %g.", frequency)));

	if (p_alive >= active)
		stage = frequency == 0 ? "new" : "active";
	else if (p_alive >= risk)
		stage = "at_risk";
	else
		stage = p_alive >= lapse ? "lapsing" : "lost";
	PG_RETURN_TEXT_P(cstring_to_text(stage));
}
