/*
 * rfm_merge.c
 *		States of rfm() put together, and taken as of a later time.
 *
 * Aggregates over rows know one as_of only.  States that were made day by day
 * are each as of their own day.  A state holds for any later time as well, as
 * long as it left out no row: so what decides is whether each state that is as
 * of an earlier time is complete, and the order of merging is all the same.
 */
#include "postgres.h"

#include "common/args.h"
#include "miscadmin.h"
#include "segment/rfm.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(personalize_rfm_combine);
PG_FUNCTION_INFO_V1(personalize_rfm_combine_same);
PG_FUNCTION_INFO_V1(personalize_rfm_combine_as_of);

/* The orders of another state of the same customer. */
static void
merge_orders(RfmState *state, const RfmState *other)
{
	int64 period;
	int64 other_period;

	if (state->orders == 0)
	{
		state->first_at = other->first_at;
		state->last_at = other->last_at;
		state->first = other->first;
		state->rest = other->rest;
		state->orders = other->orders;
		return;
	}

	period = period_of(state->first_at, state->unit);
	other_period = period_of(other->first_at, state->unit);
	if (other_period < period)
		rfm_new_first_period(state, &other->first);
	else
		sum_merge(other_period == period ? &state->first : &state->rest,
				  &other->first);
	sum_merge(&state->rest, &other->rest);
	rfm_check_sum(&state->first);
	rfm_check_sum(&state->rest);
	state->first_at = Min(state->first_at, other->first_at);
	state->last_at = Max(state->last_at, other->last_at);
	state->orders += other->orders;
}

static void
merge_rare(RfmRare *rare, const RfmRare *other)
{
	if (rare->refunded.high == 0)
		rare->last_refund_at = other->last_refund_at;
	else if (other->refunded.high > 0)
		rare->last_refund_at = Max(rare->last_refund_at, other->last_refund_at);
	sum_merge(&rare->refunded, &other->refunded);
	rfm_check_sum(&rare->refunded);
	rare->later += other->later;
}

/* All of another state but its as_of. */
static RfmState *
merge_states(RfmState *state, const RfmState *other)
{
	if (state->unit != other->unit)
		option_differs("unit");

	if (other->has_rare)
	{
		state = rfm_with_rare(state);
		merge_rare(rfm_rare(state), rfm_rare(other));
	}
	if (other->orders > 0)
		merge_orders(state, other);
	for (uint32 i = 0; i < other->periods.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		state = rfm_add_period(state,
							   period_set_entry(&other->periods,
												rfm_entries(other), i));
	}
	return state;
}

/* A state may be taken as of a later time if it left out nothing. */
static void
check_complete(const RfmState *state, TimestampTz as_of)
{
	char *text;

	if (state->as_of >= as_of || !state->has_rare ||
		rfm_rare(state)->later == 0)
		return;
	text = pstrdup(timestamptz_to_str(state->as_of));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg(
				 "a state that left out rows cannot be taken as of a later time"),
			 errdetail("Rows left out as later than %s: %lld. The result is to be as of %s.",
					   text, (long long) rfm_rare(state)->later,
					   timestamptz_to_str(as_of)),
			 errhint(
				 "Make partial states as of a time that is not before any of their rows, such as the end of their day.")));
}

/* It may be taken as of an earlier time if all that it counts was before. */
static void
check_not_before(const RfmState *state, TimestampTz as_of)
{
	TimestampTz last = DT_NOBEGIN;
	char *text;

	if (state->orders > 0)
		last = state->last_at;
	if (state->has_rare && rfm_rare(state)->refunded.high > 0)
		last = Max(last, rfm_rare(state)->last_refund_at);
	if (as_of >= last)
		return;
	text = pstrdup(timestamptz_to_str(as_of));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("as_of is before the last row of a state"),
			 errdetail("as_of is %s, the last row of the state is of %s.", text,
					   timestamptz_to_str(last)),
			 errhint(
				 "A state cannot go back in time. Aggregate the rows themselves with rfm(at, amount, as_of).")));
}

static Datum
unchanged(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return PG_GETARG_DATUM(0);
}

/* As of the latest time. */
Datum
personalize_rfm_combine(PG_FUNCTION_ARGS)
{
	RfmState *state;
	RfmState *other;

	if (PG_ARGISNULL(1))
		return unchanged(fcinfo);
	other = state_readable(fcinfo, 1);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);

	state = state_writable(fcinfo, 0);
	check_complete(state, other->as_of);
	check_complete(other, state->as_of);
	state->as_of = Max(state->as_of, other->as_of);
	PG_RETURN_POINTER(merge_states(state, other));
}

/*
 * Where as_of is an option of all rows, it is to be checked even if they are
 * divided among workers.
 */
Datum
personalize_rfm_combine_same(PG_FUNCTION_ARGS)
{
	RfmState *state;
	RfmState *other;

	if (PG_ARGISNULL(1))
		return unchanged(fcinfo);
	other = state_readable(fcinfo, 1);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);

	state = state_writable(fcinfo, 0);
	if (state->as_of != other->as_of)
		option_differs("as_of");
	PG_RETURN_POINTER(merge_states(state, other));
}

/* The first state is as of the time that the third argument says. */
Datum
personalize_rfm_combine_as_of(PG_FUNCTION_ARGS)
{
	RfmState *state;
	RfmState *other;
	TimestampTz as_of;

	if (PG_ARGISNULL(1))
		return unchanged(fcinfo);
	other = state_readable(fcinfo, 1);
	as_of = arg_time(fcinfo, 2, "as_of");
	check_complete(other, as_of);
	check_not_before(other, as_of);

	if (PG_ARGISNULL(0))
	{
		/* a copy, as the argument belongs to a row */
		state = (RfmState *) PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(1));
		state->as_of = as_of;
		PG_RETURN_POINTER(state);
	}
	state = state_writable(fcinfo, 0);
	if (state->as_of != as_of)
		option_differs("as_of");
	PG_RETURN_POINTER(merge_states(state, other));
}
