/*
 * rfm.c
 *		rfm(): a customer's purchases as recency, frequency and monetary value.
 *
 * The state is made to be small, for there is one a customer and most of the
 * time goes into fetching it from memory: with up to sixteen periods of days
 * or weeks it takes 128 bytes, which is what the allocator would take anyway.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "common/float_numeric.h"
#include "libpq/pqformat.h"
#include "segment/rfm.h"
#include "utils/float.h"
#include "utils/timestamp.h"

/* Columns of the type rfm_summary. */
enum
{
	FIRST_AT,
	LAST_AT,
	ORDERS,
	FREQUENCY,
	RECENCY,
	TENURE,
	SINCE_LAST,
	MONETARY,
	MEAN_VALUE,
	REFUNDED,
	LATER,
	COLUMNS
};

#define FIRST_SIZE 128

static void rfm_state_write(StringInfo buf, const void *value);
static void *rfm_state_read(StringInfo buf, uint8 version);

static const StateType rfm_type = {
	.name = "rfm_state",
	.kind = STATE_RFM,
	.version = 1,
	.send = rfm_state_write,
	.recv = rfm_state_read,
};

STATE_TYPE_FUNCTIONS(rfm_state, rfm_type);

PG_FUNCTION_INFO_V1(personalize_rfm_float8_add);
PG_FUNCTION_INFO_V1(personalize_rfm_numeric_add);
PG_FUNCTION_INFO_V1(personalize_rfm_final);

static RfmState *
rfm_new(int64 unit, TimestampTz as_of, Size size)
{
	RfmState *state = state_alloc(&rfm_type, size);

	state->unit = unit;
	state->as_of = as_of;
	period_set_init(&state->periods);
	return state;
}

RfmState *
rfm_with_rare(RfmState *state)
{
	Size used = (Size) state->periods.n << state->periods.width;

	if (state->has_rare)
		return state;
	while (rfm_room(state) < used + sizeof(RfmRare))
		state = state_resize(&rfm_type, state, (Size) VARSIZE(state) * 2);
	memmove((char *) state->data + sizeof(RfmRare), state->data, used);
	memset(state->data, 0, sizeof(RfmRare));
	state->has_rare = true;
	return state;
}

RfmState *
rfm_add_period(RfmState *state, int64 period)
{
	while (!period_set_add(&state->periods, rfm_entries(state), rfm_room(state),
						   period))
		state = state_resize(&rfm_type, state, (Size) VARSIZE(state) * 2);
	return state;
}

void
rfm_check_sum(const Sum *sum)
{
	if (unlikely(!isfinite(sum->high)))
		float_overflow_error();
}

void
rfm_new_first_period(RfmState *state, const Sum *first)
{
	sum_merge(&state->rest, &state->first);
	rfm_check_sum(&state->rest);
	state->first = *first;
}

static RfmState *
add_order(RfmState *state, TimestampTz at, double amount)
{
	int64 period = period_of(at, state->unit);

	if (state->orders++ == 0)
	{
		state->first_at = state->last_at = at;
		state->first.high = amount;
	}
	else if (at >= state->first_at)
	{
		/* a division less in most rows; unsigned, as time spans more than 2^63 */
		uint64 since_first = (uint64) at - (uint64) state->first_at;
		bool is_first = since_first < (uint64) state->unit &&
			period == period_of(state->first_at, state->unit);
		Sum *sum = is_first ? &state->first : &state->rest;

		sum_add(sum, amount);
		rfm_check_sum(sum);
		state->last_at = Max(state->last_at, at);
	}
	else
	{
		Sum first = { amount, 0 };

		if (period == period_of(state->first_at, state->unit))
		{
			sum_add(&state->first, amount);
			rfm_check_sum(&state->first);
		}
		else
			rfm_new_first_period(state, &first);
		state->first_at = at;
	}
	return rfm_add_period(state, period);
}

static void
add_refund(RfmRare *rare, TimestampTz at, double amount)
{
	if (rare->refunded.high == 0 || at > rare->last_refund_at)
		rare->last_refund_at = at;
	sum_add(&rare->refunded, amount);
	rfm_check_sum(&rare->refunded);
}

static Datum
rfm_add(FunctionCallInfo fcinfo, double amount)
{
	TimestampTz at = arg_time(fcinfo, 1, "at");
	TimestampTz as_of = arg_time(fcinfo, 3, "as_of");
	RfmState *state;

	finite_value(amount, "amount");
	if (PG_ARGISNULL(0))
		state = rfm_new(arg_unit(fcinfo, 4, 0), as_of, FIRST_SIZE);
	else
	{
		state = state_writable(fcinfo, 0);
		arg_unit(fcinfo, 4, state->unit);
		if (as_of != state->as_of)
			option_differs("as_of");
	}

	if (at > as_of)
	{
		state = rfm_with_rare(state);
		rfm_rare(state)->later++;
	}
	else if (amount < 0)
	{
		state = rfm_with_rare(state);
		add_refund(rfm_rare(state), at, -amount);
	}
	else
		state = add_order(state, at, amount);
	PG_RETURN_POINTER(state);
}

/* A row without time or amount is none. */
static inline bool
skipped(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(1) || PG_ARGISNULL(2);
}

static Datum
unchanged(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return PG_GETARG_DATUM(0);
}

Datum
personalize_rfm_float8_add(PG_FUNCTION_ARGS)
{
	if (skipped(fcinfo))
		return unchanged(fcinfo);
	return rfm_add(fcinfo, PG_GETARG_FLOAT8(2));
}

Datum
personalize_rfm_numeric_add(PG_FUNCTION_ARGS)
{
	if (skipped(fcinfo))
		return unchanged(fcinfo);
	return rfm_add(fcinfo,
				   float_from_numeric(
					   (Numeric) PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(2))));
}

static int64
count_periods(const RfmState *state)
{
	int64 n;

	if (state->periods.sorted == state->periods.n)
		return state->periods.n;
	pfree(period_set_sorted(&state->periods, rfm_entries(state), &n));
	return n;
}

/* The columns that are null without an order. */
static void
describe_orders(const RfmState *state, Datum *values, bool *nulls)
{
	int64 first = period_of(state->first_at, state->unit);
	int64 last = period_of(state->last_at, state->unit);
	int64 now = period_of(state->as_of, state->unit);
	int64 frequency = count_periods(state) - 1;
	double rest = frequency > 0 ? sum_value(&state->rest) / frequency : 0;

	values[FIRST_AT] = TimestampTzGetDatum(state->first_at);
	values[LAST_AT] = TimestampTzGetDatum(state->last_at);
	values[FREQUENCY] = Int64GetDatum(frequency);
	values[RECENCY] = Float8GetDatum((double) last - first);
	values[TENURE] = Float8GetDatum((double) now - first);
	values[SINCE_LAST] = Float8GetDatum((double) now - last);
	values[MEAN_VALUE] = Float8GetDatum(rest);
	nulls[FIRST_AT] = nulls[LAST_AT] = nulls[FREQUENCY] = false;
	nulls[RECENCY] = nulls[TENURE] = nulls[SINCE_LAST] = false;
	nulls[MEAN_VALUE] = false;
}

Datum
personalize_rfm_final(PG_FUNCTION_ARGS)
{
	RfmState *state;
	RfmRare rare = { { 0, 0 }, 0, 0 };
	Sum net;
	Datum values[COLUMNS] = { 0 };
	bool nulls[COLUMNS];

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = state_readable(fcinfo, 0);
	if (state->has_rare)
		rare = *rfm_rare(state);
	if (state->orders == 0 && rare.refunded.high == 0)
		PG_RETURN_NULL();

	memset(nulls, true, sizeof(nulls));
	if (state->orders > 0)
		describe_orders(state, values, nulls);

	net = rare.refunded;
	sum_scale(&net, -1);
	sum_merge(&net, &state->first);
	sum_merge(&net, &state->rest);
	rfm_check_sum(&net);
	values[ORDERS] = Int64GetDatum(state->orders);
	values[MONETARY] = Float8GetDatum(sum_value(&net));
	values[REFUNDED] = Float8GetDatum(sum_value(&rare.refunded));
	values[LATER] = Int64GetDatum(rare.later);
	nulls[ORDERS] = nulls[MONETARY] = nulls[REFUNDED] = nulls[LATER] = false;
	return composite_result(fcinfo, values, nulls);
}

static void
send_sum(StringInfo buf, const Sum *sum)
{
	pq_sendfloat8(buf, sum->high);
	pq_sendfloat8(buf, sum->low);
}

static void
rfm_state_write(StringInfo buf, const void *value)
{
	const RfmState *state = value;
	RfmRare rare = { { 0, 0 }, 0, 0 };

	if (state->has_rare)
		rare = *rfm_rare(state);
	pq_sendint64(buf, state->unit);
	pq_sendint64(buf, state->as_of);
	pq_sendint64(buf, rare.later);
	send_sum(buf, &rare.refunded);
	if (rare.refunded.high > 0)
		pq_sendint64(buf, rare.last_refund_at);
	pq_sendint64(buf, state->orders);
	if (state->orders == 0)
		return;
	pq_sendint64(buf, state->first_at);
	pq_sendint64(buf, state->last_at);
	send_sum(buf, &state->first);
	send_sum(buf, &state->rest);
	period_set_send(buf, &state->periods, rfm_entries(state));
}

static Sum
recv_sum(StringInfo buf)
{
	Sum sum;

	sum.high = pq_getmsgfloat8(buf);
	sum.low = pq_getmsgfloat8(buf);
	/* nothing but amounts that are not negative has been added */
	if (!(isfinite(sum.high) && sum.high >= 0 && fabs(sum.low) <= sum.high))
		state_malformed(&rfm_type, "A sum is out of range.");
	return sum;
}

static TimestampTz
recv_time(StringInfo buf)
{
	TimestampTz at = pq_getmsgint64(buf);

	if (TIMESTAMP_NOT_FINITE(at) || !IS_VALID_TIMESTAMP(at))
		state_malformed(&rfm_type, "A time is out of range.");
	return at;
}

static RfmRare
recv_rare(StringInfo buf, TimestampTz as_of)
{
	RfmRare rare = { { 0, 0 }, 0, 0 };

	rare.later = pq_getmsgint64(buf);
	if (rare.later < 0)
		state_malformed(&rfm_type, "A count is negative.");
	rare.refunded = recv_sum(buf);
	if (rare.refunded.high == 0)
		return rare;
	rare.last_refund_at = recv_time(buf);
	if (rare.last_refund_at > as_of)
		state_malformed(&rfm_type, "A refund is later than as_of.");
	return rare;
}

static RfmState *
recv_orders(StringInfo buf, RfmState *state)
{
	int64 n;
	int64 *periods;

	state->first_at = recv_time(buf);
	state->last_at = recv_time(buf);
	state->first = recv_sum(buf);
	state->rest = recv_sum(buf);
	periods = period_set_recv(buf, &rfm_type, &n);
	if (n < 1 || n > state->orders || state->last_at < state->first_at ||
		state->last_at > state->as_of ||
		periods[0] != period_of(state->first_at, state->unit) ||
		periods[n - 1] != period_of(state->last_at, state->unit) ||
		(n == 1 && state->rest.high != 0))
		state_malformed(&rfm_type, "Its orders contradict each other.");

	while (rfm_room(state) < period_set_room(periods, n))
		state = state_resize(&rfm_type, state, (Size) VARSIZE(state) * 2);
	for (int64 i = 0; i < n; i++)
		state = rfm_add_period(state, periods[i]);
	pfree(periods);
	return state;
}

static void *
rfm_state_read(StringInfo buf, uint8 version)
{
	int64 unit = pq_getmsgint64(buf);
	TimestampTz as_of = recv_time(buf);
	RfmState *state;
	RfmRare rare;

	if (unit <= 0 || unit > END_TIMESTAMP)
		state_malformed(&rfm_type, "Its unit is out of range.");
	state = rfm_new(unit, as_of, FIRST_SIZE);
	rare = recv_rare(buf, as_of);
	if (rare.later > 0 || rare.refunded.high > 0)
	{
		state = rfm_with_rare(state);
		*rfm_rare(state) = rare;
	}
	state->orders = pq_getmsgint64(buf);
	if (state->orders < 0)
		state_malformed(&rfm_type, "A count is negative.");
	return state->orders == 0 ? state : recv_orders(buf, state);
}
