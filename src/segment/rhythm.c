/*
 * rhythm.c
 *		What follows from the rhythm of a customer's purchases: when the next one
 *		is due, how long it has been due, and the stage of life.
 *
 * Few customers have enough gaps to trust their median.  With the usual gap of
 * the population given, that counts as so many gaps more: a customer's own
 * rhythm takes over as it becomes known.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "executor/executor.h"
#include "segment/segment.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Some of the columns of interpurchase_summary. */
enum
{
	GAPS = 2,
	FIRST_AT = 3,
	PREVIOUS_AT = 4,
	LAST_AT = 5,
	MEDIAN = 7,
	UNIT = 10
};

typedef struct Rhythm
{
	bool known; /* false: no purchase, and nothing else is set */
	TimestampTz first_at;
	TimestampTz previous_at; /* equal to last_at if there is none */
	TimestampTz last_at;
	double gaps;
	double median; /* 0 without a gap */
	double unit;   /* microseconds */
} Rhythm;

PG_FUNCTION_INFO_V1(personalize_next_purchase);
PG_FUNCTION_INFO_V1(personalize_purchase_overdue);
PG_FUNCTION_INFO_V1(personalize_lifecycle_stage_rhythm);

/* Someone may have made a summary that no aggregate would. */
static void
check_rhythm(const Rhythm *rhythm, const Interval *unit)
{
	if (unit == NULL || unit->month != 0 || !(rhythm->unit > 0) ||
		TIMESTAMP_NOT_FINITE(rhythm->first_at) ||
		TIMESTAMP_NOT_FINITE(rhythm->last_at) ||
		rhythm->first_at > rhythm->previous_at ||
		rhythm->previous_at > rhythm->last_at || rhythm->gaps < 0 ||
		(rhythm->gaps > 0 && !(isfinite(rhythm->median) && rhythm->median > 0)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rhythm contradicts itself"),
				 errhint("Pass the result of interpurchase().")));
}

static void
arg_rhythm(FunctionCallInfo fcinfo, int argno, Rhythm *rhythm)
{
	HeapTupleHeader row;
	Datum value;
	bool isnull;
	Interval *unit;

	memset(rhythm, 0, sizeof(*rhythm));
	if (PG_ARGISNULL(argno))
		return;
	row = PG_GETARG_HEAPTUPLEHEADER(argno);
	value = GetAttributeByNum(row, LAST_AT, &isnull);
	if (isnull)
		return;

	rhythm->known = true;
	rhythm->last_at = DatumGetTimestampTz(value);
	value = GetAttributeByNum(row, FIRST_AT, &isnull);
	rhythm->first_at = isnull ? rhythm->last_at : DatumGetTimestampTz(value);
	value = GetAttributeByNum(row, PREVIOUS_AT, &isnull);
	rhythm->previous_at = isnull ? rhythm->last_at : DatumGetTimestampTz(value);
	value = GetAttributeByNum(row, GAPS, &isnull);
	rhythm->gaps = isnull ? 0 : DatumGetInt64(value);
	value = GetAttributeByNum(row, MEDIAN, &isnull);
	rhythm->median = isnull ? 0 : DatumGetFloat8(value);
	value = GetAttributeByNum(row, UNIT, &isnull);
	unit = isnull ? NULL : DatumGetIntervalP(value);
	if (unit != NULL)
		rhythm->unit = (double) unit->day * USECS_PER_DAY + unit->time;
	check_rhythm(rhythm, unit);
}

/* The usual gap, 0 if the argument is NULL. */
static double
arg_usual(FunctionCallInfo fcinfo, int argno)
{
	double usual;

	if (PG_ARGISNULL(argno))
		return 0;
	usual = arg_finite(fcinfo, argno, "usual");
	if (usual <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("usual must be positive"),
				 errdetail("usual is %g.", usual),
				 errhint(
					 "It is the gap to expect of a customer without a history, in units of the rhythm.")));
	return usual;
}

static double
arg_weight(FunctionCallInfo fcinfo, int argno)
{
	double weight = arg_finite(fcinfo, argno, "weight");

	if (weight < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight must not be negative"),
				 errdetail("weight is %g.", weight),
				 errhint(
					 "It is the number of gaps that usual counts for; with 0 only the customer's own count.")));
	return weight;
}

/* The gap to expect, in units; 0 if nothing tells. */
static double
expected_gap(const Rhythm *rhythm, double usual, double weight)
{
	if (usual == 0)
		weight = 0;
	if (rhythm->gaps + weight == 0)
		return 0;
	return (rhythm->gaps * rhythm->median + weight * usual) /
		(rhythm->gaps + weight);
}

static bool
next_purchase(FunctionCallInfo fcinfo, int usual_argno, Rhythm *rhythm,
			  TimestampTz *next)
{
	double usual = arg_usual(fcinfo, usual_argno);
	double weight = arg_weight(fcinfo, usual_argno + 1);
	double gap;
	double us;

	arg_rhythm(fcinfo, 0, rhythm);
	if (!rhythm->known)
		return false;
	gap = expected_gap(rhythm, usual, weight);
	if (gap == 0)
		return false;

	us = rint(gap * rhythm->unit);
	if (us >= (double) END_TIMESTAMP - rhythm->last_at)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range"),
				 errdetail("The next purchase is expected in %g days.",
						   us / USECS_PER_DAY)));
	*next = rhythm->last_at + (int64) us;
	return true;
}

Datum
personalize_next_purchase(PG_FUNCTION_ARGS)
{
	Rhythm rhythm;
	TimestampTz next;

	if (!next_purchase(fcinfo, 1, &rhythm, &next))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(next);
}

Datum
personalize_purchase_overdue(PG_FUNCTION_ARGS)
{
	TimestampTz as_of = arg_time(fcinfo, 1, "as_of");
	Rhythm rhythm;
	TimestampTz next;

	if (!next_purchase(fcinfo, 2, &rhythm, &next))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(((double) as_of - next) / rhythm.unit);
}

Datum
personalize_lifecycle_stage_rhythm(PG_FUNCTION_ARGS)
{
	TimestampTz as_of = arg_time(fcinfo, 1, "as_of");
	double usual;
	StageLimits limits;
	double weight;
	Rhythm rhythm;
	double gap;
	StageTimes times;

	arg_not_null(fcinfo, 2, "usual");
	usual = arg_usual(fcinfo, 2);
	limits.active = arg_finite(fcinfo, 3, "active");
	limits.risk = arg_finite(fcinfo, 4, "risk");
	limits.lapse = arg_finite(fcinfo, 5, "lapse");
	check_ascending(&limits);
	weight = arg_weight(fcinfo, 6);

	arg_rhythm(fcinfo, 0, &rhythm);
	if (!rhythm.known || rhythm.first_at > as_of)
		PG_RETURN_TEXT_P(cstring_to_text(STAGE_PROSPECT));
	check_not_later(rhythm.last_at, as_of);

	gap = expected_gap(&rhythm, usual, weight);
	if (gap == 0)
		gap = usual;
	gap *= rhythm.unit;
	times.since_first = ((double) as_of - rhythm.first_at) / gap;
	times.since_last = ((double) as_of - rhythm.last_at) / gap;
	times.last_gap = ((double) rhythm.last_at - rhythm.previous_at) / gap;
	PG_RETURN_TEXT_P(cstring_to_text(stage_by_time(&times, &limits)));
}
