/*
 * decayed_sum.c
 *		decayed_sum(): numbers that halve in every half-life, summed.
 *
 * A state has what there is as of its latest event, from which any later time
 * can be told, but no earlier one.  A state with an as_of has the rows up to
 * then, as of then.
 */
#include "postgres.h"

#include "activity/activity.h"
#include "common/args.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/timestamp.h"

/* flags of a state */
#define HAS_AS_OF 1
#define HAS_ROWS 2 /* always, without as_of */

/* indexes of sums */
#define VALUES 0
#define WEIGHTS 1
#define NSUMS 2

/*
 * 64 bytes, the most that fit the memory allocator's chunk of that size: there
 * may be millions of groups.
 */
typedef struct DecayedSum
{
	StateHeader head;  /* unused: the flags */
	int64 half_life;   /* in microseconds */
	uint64 landmark;   /* the one that belongs to as_of */
	TimestampTz as_of; /* or the latest event */
	Sum sums[NSUMS];
} DecayedSum;

StaticAssertDecl(sizeof(DecayedSum) == 64,
				 "states of decayed_sum fill a chunk");

#define flags_of(state) ((state)->head.unused)

static void decayed_sum_send(StringInfo buf, const void *state);
static void *decayed_sum_recv(StringInfo buf, uint8 version);

static const StateType decayed_sum_type = {
	.name = "decayed_sum_state",
	.kind = STATE_DECAYED_SUM,
	.version = 1,
	.send = decayed_sum_send,
	.recv = decayed_sum_recv,
};

STATE_TYPE_FUNCTIONS(decayed_sum_state, decayed_sum_type);

PG_FUNCTION_INFO_V1(personalize_decayed_sum_add);
PG_FUNCTION_INFO_V1(personalize_decayed_sum_add_numeric);
PG_FUNCTION_INFO_V1(personalize_decayed_sum_add_as_of);
PG_FUNCTION_INFO_V1(personalize_decayed_sum_add_numeric_as_of);
PG_FUNCTION_INFO_V1(personalize_decayed_sum_combine);
PG_FUNCTION_INFO_V1(personalize_decayed_sum_combine_as_of);
PG_FUNCTION_INFO_V1(personalize_decayed_sum_result);
PG_FUNCTION_INFO_V1(personalize_decayed_value);
PG_FUNCTION_INFO_V1(personalize_decayed_count);
PG_FUNCTION_INFO_V1(personalize_decayed_mean);
PG_FUNCTION_INFO_V1(personalize_decayed_rate);

static void
decayed_sum_send(StringInfo buf, const void *state)
{
	const DecayedSum *sum = state;

	pq_sendbyte(buf, flags_of(sum));
	pq_sendint64(buf, sum->half_life);
	pq_sendint64(buf, sum->as_of);
	for (int i = 0; i < NSUMS; i++)
	{
		pq_sendfloat8(buf, sum->sums[i].high);
		pq_sendfloat8(buf, sum->sums[i].low);
	}
}

static void *
decayed_sum_recv(StringInfo buf, uint8 version)
{
	DecayedSum *sum = state_alloc(&decayed_sum_type, sizeof(DecayedSum));
	const Sum *weights = &sum->sums[WEIGHTS];

	flags_of(sum) = pq_getmsgbyte(buf);
	sum->half_life = pq_getmsgint64(buf);
	sum->as_of = pq_getmsgint64(buf);
	for (int i = 0; i < NSUMS; i++)
	{
		sum->sums[i].high = pq_getmsgfloat8(buf);
		sum->sums[i].low = pq_getmsgfloat8(buf);
		if (!isfinite(sum_value(&sum->sums[i])))
			state_malformed(&decayed_sum_type, "A sum is not finite.");
	}

	if (flags_of(sum) < HAS_AS_OF || flags_of(sum) > (HAS_AS_OF | HAS_ROWS))
		state_malformed(&decayed_sum_type, "Its flags are not known.");
	if (sum->half_life <= 0 || sum->half_life > END_TIMESTAMP)
		state_malformed(&decayed_sum_type, "Its half-life is out of range.");
	if (!IS_VALID_TIMESTAMP(sum->as_of))
		state_malformed(&decayed_sum_type, "Its time is out of range.");
	/* with an as_of, rows of long before may have lost all their weight */
	if (sum_value(weights) < 0 ||
		(sum_value(weights) == 0 && !(flags_of(sum) & HAS_AS_OF)) ||
		(sum_value(weights) > 0 && !(flags_of(sum) & HAS_ROWS)))
		state_malformed(&decayed_sum_type, "Its weight is out of range.");
	sum->landmark = decay_landmark(sum->as_of, sum->half_life);
	return sum;
}

static DecayedSum *
decayed_sum_new(int64 half_life, TimestampTz as_of, int flags)
{
	DecayedSum *sum = state_alloc(&decayed_sum_type, sizeof(DecayedSum));

	flags_of(sum) = flags;
	sum->half_life = half_life;
	sum->as_of = as_of;
	sum->landmark = decay_landmark(as_of, half_life);
	return sum;
}

static void
as_of_not_constant(TimestampTz one, TimestampTz other)
{
	char *text = pstrdup(timestamptz_to_str(one));

	not_constant("as_of", text, timestamptz_to_str(other));
}

static inline void
add_row(DecayedSum *sum, double value, TimestampTz at)
{
	int halvings;
	double weight = decay_weight(at, sum->landmark, sum->half_life, &halvings);

	sum_add(&sum->sums[VALUES], decay_halve(value * weight, halvings));
	sum_add(&sum->sums[WEIGHTS], decay_halve(weight, halvings));
	if (unlikely(isinf(sum->sums[VALUES].high)))
		float_overflow_error();
	flags_of(sum) |= HAS_ROWS;
}

/* A state without as_of has seen an event. */
static inline void
move_on(DecayedSum *sum, TimestampTz at)
{
	if (at <= sum->as_of)
		return;
	sum->as_of = at;
	if (unlikely(decay_clock(at) >= sum->landmark))
	{
		uint64 landmark = decay_landmark(at, sum->half_life);

		decay_move(sum->sums, NSUMS, sum->landmark, landmark, sum->half_life);
		sum->landmark = landmark;
	}
}

/* The transition functions, of which the compiler makes four. */
static pg_attribute_always_inline Datum
decayed_sum_add(FunctionCallInfo fcinfo, bool is_numeric, bool has_as_of)
{
	DecayedSum *sum;
	double value;
	TimestampTz at;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return unchanged_state(fcinfo);
	value = is_numeric ? arg_finite_numeric(fcinfo, 1, "value") :
						 arg_finite(fcinfo, 1, "value");
	at = arg_time(fcinfo, 2, "at");

	if (PG_ARGISNULL(0))
		sum = decayed_sum_new(arg_duration(fcinfo, 3, "half_life"),
							  has_as_of ? arg_time(fcinfo, 4, "as_of") : at,
							  has_as_of ? HAS_AS_OF : HAS_ROWS);
	else
	{
		sum = state_writable(fcinfo, 0);
		arg_same_duration(fcinfo, 3, "half_life", sum->half_life);
	}

	if (has_as_of)
	{
		TimestampTz as_of = arg_time(fcinfo, 4, "as_of");

		if (as_of != sum->as_of)
			as_of_not_constant(sum->as_of, as_of);
		if (at > as_of)
			PG_RETURN_POINTER(sum);
	}
	else
		move_on(sum, at);
	add_row(sum, value, at);
	PG_RETURN_POINTER(sum);
}

Datum
personalize_decayed_sum_add(PG_FUNCTION_ARGS)
{
	return decayed_sum_add(fcinfo, false, false);
}

Datum
personalize_decayed_sum_add_numeric(PG_FUNCTION_ARGS)
{
	return decayed_sum_add(fcinfo, true, false);
}

Datum
personalize_decayed_sum_add_as_of(PG_FUNCTION_ARGS)
{
	return decayed_sum_add(fcinfo, false, true);
}

Datum
personalize_decayed_sum_add_numeric_as_of(PG_FUNCTION_ARGS)
{
	return decayed_sum_add(fcinfo, true, true);
}

/* Add the sums of another state, whose landmark may be earlier or later. */
static void
merge_sums(DecayedSum *sum, const DecayedSum *other)
{
	Sum others[NSUMS];

	memcpy(others, other->sums, sizeof(others));
	if (sum->landmark < other->landmark)
	{
		decay_move(sum->sums, NSUMS, sum->landmark, other->landmark,
				   sum->half_life);
		sum->landmark = other->landmark;
	}
	else
		decay_move(others, NSUMS, other->landmark, sum->landmark,
				   sum->half_life);

	for (int i = 0; i < NSUMS; i++)
		sum_merge(&sum->sums[i], &others[i]);
	if (isinf(sum->sums[VALUES].high))
		float_overflow_error();
	flags_of(sum) |= flags_of(other);
}

static DecayedSum *
merge_states(DecayedSum *sum, const DecayedSum *other)
{
	if (sum->half_life != other->half_life)
		duration_not_constant("half_life", sum->half_life, other->half_life);
	if ((flags_of(sum) | flags_of(other)) & HAS_AS_OF)
	{
		if (sum->as_of != other->as_of)
			as_of_not_constant(sum->as_of, other->as_of);
	}
	else
		sum->as_of = Max(sum->as_of, other->as_of);
	merge_sums(sum, other);
	return sum;
}

Datum
personalize_decayed_sum_combine(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(state_readable(fcinfo, 1));
	PG_RETURN_POINTER(
		merge_states(state_writable(fcinfo, 0), state_readable(fcinfo, 1)));
}

static void
check_not_before(const DecayedSum *sum, TimestampTz at, const char *name)
{
	char *text;

	if (at >= sum->as_of)
		return;
	text = pstrdup(timestamptz_to_str(at));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s is before the latest event", name),
			 errdetail("%s is %s, the latest event of the state is of %s.",
					   name, text, timestamptz_to_str(sum->as_of)),
			 errhint(
				 "A state cannot go back in time. To leave later rows out, use decayed_sum(value, at, half_life, as_of).")));
}

/* States without as_of into one with: rows are as old as it says. */
Datum
personalize_decayed_sum_combine_as_of(PG_FUNCTION_ARGS)
{
	DecayedSum *sum;
	const DecayedSum *other;
	TimestampTz as_of;

	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	other = state_readable(fcinfo, 1);
	as_of = arg_time(fcinfo, 2, "as_of");
	check_not_before(other, as_of, "as_of");

	if (PG_ARGISNULL(0))
		sum = decayed_sum_new(other->half_life, as_of, HAS_AS_OF);
	else
		sum = state_writable(fcinfo, 0);
	if (sum->as_of != as_of)
		as_of_not_constant(sum->as_of, as_of);
	if (sum->half_life != other->half_life)
		duration_not_constant("half_life", sum->half_life, other->half_life);
	merge_sums(sum, other);
	PG_RETURN_POINTER(sum);
}

/* One of the sums, as of a time. */
static double
sum_as_of(const DecayedSum *sum, int which, TimestampTz at)
{
	double value = decay_value(sum_value(&sum->sums[which]), sum->landmark, at,
							   sum->half_life);

	if (isinf(value))
		float_overflow_error();
	/* no -0 */
	return value + 0.0;
}

Datum
personalize_decayed_sum_result(PG_FUNCTION_ARGS)
{
	const DecayedSum *sum;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	sum = state_readable(fcinfo, 0);
	if (!(flags_of(sum) & HAS_ROWS))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sum_as_of(sum, VALUES, sum->as_of));
}

static double
arg_sum_as_of(FunctionCallInfo fcinfo, int which)
{
	const DecayedSum *sum = state_readable(fcinfo, 0);
	TimestampTz at = arg_time(fcinfo, 1, "at");

	check_not_before(sum, at, "at");
	return sum_as_of(sum, which, at);
}

Datum
personalize_decayed_value(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(arg_sum_as_of(fcinfo, VALUES));
}

Datum
personalize_decayed_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(arg_sum_as_of(fcinfo, WEIGHTS));
}

/* Decay multiplies both sums alike, so that the mean has no time. */
Datum
personalize_decayed_mean(PG_FUNCTION_ARGS)
{
	const DecayedSum *sum = state_readable(fcinfo, 0);
	double weight = sum_value(&sum->sums[WEIGHTS]);

	if (weight <= 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sum_value(&sum->sums[VALUES]) / weight + 0.0);
}

/* Of a steady stream of r a unit of time, r * half_life / ln 2 are left. */
Datum
personalize_decayed_rate(PG_FUNCTION_ARGS)
{
	const DecayedSum *sum = state_readable(fcinfo, 0);
	double value = arg_sum_as_of(fcinfo, VALUES);
	double per = arg_duration(fcinfo, 2, "per");
	double rate = value * (M_LN2 / (double) sum->half_life * per);

	if (isinf(rate))
		float_overflow_error();
	PG_RETURN_FLOAT8(rate);
}
