/*
 * interpurchase.c
 *		interpurchase(): the gaps between a customer's purchases.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "common/int.h"
#include "common/number_list.h"
#include "compat.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "segment/segment.h"
#include "utils/timestamp.h"

typedef struct Purchases
{
	StateHeader head;
	int64 unit; /* microseconds */
	PeriodSet periods;
	double data[FLEXIBLE_ARRAY_MEMBER];
} Purchases;

#define FIRST_SIZE 64

#define room_of(state) (VARSIZE(state) - offsetof(Purchases, data))

static void purchases_write(StringInfo buf, const void *value);
static void *purchases_read(StringInfo buf, uint8 version);

static const StateType purchases_type = {
	.name = "interpurchase_state",
	.kind = STATE_INTERPURCHASE,
	.version = 1,
	.send = purchases_write,
	.recv = purchases_read,
};

STATE_TYPE_FUNCTIONS(interpurchase_state, purchases_type);

PG_FUNCTION_INFO_V1(personalize_interpurchase_add);
PG_FUNCTION_INFO_V1(personalize_interpurchase_combine);
PG_FUNCTION_INFO_V1(personalize_interpurchase_final);

static Purchases *
purchases_new(int64 unit)
{
	Purchases *state = state_alloc(&purchases_type, FIRST_SIZE);

	state->unit = unit;
	period_set_init(&state->periods);
	return state;
}

static Purchases *
add_period(Purchases *state, int64 period)
{
	while (
		!period_set_add(&state->periods, state->data, room_of(state), period))
		state = state_resize(&purchases_type, state, (Size) VARSIZE(state) * 2);
	return state;
}

static Datum
unchanged(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return PG_GETARG_DATUM(0);
}

Datum
personalize_interpurchase_add(PG_FUNCTION_ARGS)
{
	TimestampTz at;
	Purchases *state;

	if (PG_ARGISNULL(1))
		return unchanged(fcinfo);
	at = arg_time(fcinfo, 1, "at");
	if (PG_ARGISNULL(0))
		state = purchases_new(arg_unit(fcinfo, 2, 0));
	else
	{
		state = state_writable(fcinfo, 0);
		arg_unit(fcinfo, 2, state->unit);
	}
	PG_RETURN_POINTER(add_period(state, period_of(at, state->unit)));
}

Datum
personalize_interpurchase_combine(PG_FUNCTION_ARGS)
{
	Purchases *state;
	Purchases *other;

	if (PG_ARGISNULL(1))
		return unchanged(fcinfo);
	other = state_readable(fcinfo, 1);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);

	state = state_writable(fcinfo, 0);
	if (state->unit != other->unit)
		option_differs("unit");
	for (uint32 i = 0; i < other->periods.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		state = add_period(state,
						   period_set_entry(&other->periods, other->data, i));
	}
	PG_RETURN_POINTER(state);
}

/* Mean, median, deviation and its ratio to the mean. */
static void
describe_gaps(const int64 *periods, int64 n, Datum *values, bool *nulls)
{
	int64 ngaps = n - 1;
	double *gaps;
	double mean;
	double squares = 0;
	double sd;

	values[0] = values[1] = values[2] = values[3] = (Datum) 0;
	nulls[0] = nulls[1] = ngaps < 1;
	nulls[2] = nulls[3] = ngaps < 2;
	if (ngaps < 1)
		return;

	gaps = palloc_extended(ngaps * sizeof(double), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < ngaps; i++)
		gaps[i] = (double) periods[i + 1] - periods[i];
	sort_doubles(gaps, ngaps);

	mean = ((double) periods[n - 1] - periods[0]) / ngaps;
	values[0] = Float8GetDatum(mean);
	values[1] = Float8GetDatum(sorted_quantile(gaps, ngaps, 0.5));
	if (ngaps < 2)
		return;
	for (int64 i = 0; i < ngaps; i++)
		squares += (gaps[i] - mean) * (gaps[i] - mean);
	sd = sqrt(squares / (ngaps - 1));
	values[2] = Float8GetDatum(sd);
	values[3] = Float8GetDatum(sd / mean);
	pfree(gaps);
}

static Datum
period_start(int64 period, int64 unit)
{
	TimestampTz start;

	if (pg_mul_s64_overflow(period, unit, &start) || !IS_VALID_TIMESTAMP(start))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range"),
				 errdetail("A period of this unit starts before all times."),
				 errhint("Use a shorter unit.")));
	return TimestampTzGetDatum(start);
}

/* In days as far as it goes, as a person would write it. */
static Interval *
unit_interval(int64 unit)
{
	Interval *interval = palloc0(sizeof(Interval));

	interval->day = unit / USECS_PER_DAY;
	interval->time = unit % USECS_PER_DAY;
	return interval;
}

Datum
personalize_interpurchase_final(PG_FUNCTION_ARGS)
{
	Purchases *state;
	int64 n;
	int64 *periods;
	Datum values[10];
	bool nulls[10] = { false };

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = state_readable(fcinfo, 0);
	periods = period_set_sorted(&state->periods, state->data, &n);

	values[0] = Int64GetDatum(n);
	values[1] = Int64GetDatum(n - 1);
	values[2] = period_start(periods[0], state->unit);
	nulls[3] = n < 2;
	values[3] = period_start(periods[Max(n - 2, 0)], state->unit);
	values[4] = period_start(periods[n - 1], state->unit);
	describe_gaps(periods, n, values + 5, nulls + 5);
	values[9] = IntervalPGetDatum(unit_interval(state->unit));
	pfree(periods);
	return composite_result(fcinfo, values, nulls);
}

static void
purchases_write(StringInfo buf, const void *value)
{
	const Purchases *state = value;

	pq_sendint64(buf, state->unit);
	period_set_send(buf, &state->periods, state->data);
}

static void *
purchases_read(StringInfo buf, uint8 version)
{
	int64 unit = pq_getmsgint64(buf);
	int64 n;
	int64 *periods;
	Purchases *state;

	if (unit <= 0 || unit > END_TIMESTAMP)
		state_malformed(&purchases_type, "Its unit is out of range.");
	periods = period_set_recv(buf, &purchases_type, &n);
	if (n < 1)
		state_malformed(&purchases_type, "It holds no purchase.");
	if (periods[0] < period_of(MIN_TIMESTAMP, unit) ||
		periods[n - 1] > period_of(END_TIMESTAMP - 1, unit))
		state_malformed(&purchases_type, "A time is out of range.");

	state = purchases_new(unit);
	for (int64 i = 0; i < n; i++)
		state = add_period(state, periods[i]);
	pfree(periods);
	return state;
}
