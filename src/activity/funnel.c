/*
 * funnel.c
 *		funnel(): the furthest step that is reached in order and in time.
 */
#include "postgres.h"

#include "activity/activity.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/args.h"
#include "compat.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

/* A new state fills a chunk of the memory allocator. */
#define FIRST_CAPACITY 6

/* The rows in which a step is true, in the order of their arrival. */
typedef struct FunnelState
{
	StateHeader head;
	int64 within; /* in microseconds */
	int64 n;
	int32 steps;
	int32 unused;
	FunnelEvent events[FLEXIBLE_ARRAY_MEMBER];
} FunnelState;

#define funnel_size(capacity) \
	(offsetof(FunnelState, events) + (Size) (capacity) * sizeof(FunnelEvent))

static void funnel_send(StringInfo buf, const void *state);
static void *funnel_recv(StringInfo buf, uint8 version);

static const StateType funnel_type = {
	.name = "funnel_state",
	.kind = STATE_FUNNEL,
	.version = 1,
	.send = funnel_send,
	.recv = funnel_recv,
};

STATE_TYPE_FUNCTIONS(funnel_state, funnel_type);

PG_FUNCTION_INFO_V1(personalize_funnel_add);
PG_FUNCTION_INFO_V1(personalize_funnel_combine);
PG_FUNCTION_INFO_V1(personalize_funnel_result);

static inline int
compare_events(const FunnelEvent *a, const FunnelEvent *b)
{
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return (a->steps > b->steps) - (a->steps < b->steps);
}

#define ST_SORT sort_events
#define ST_ELEMENT_TYPE FunnelEvent
#define ST_COMPARE(a, b) compare_events(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* A sorted copy, as the state may be in use elsewhere. */
static FunnelEvent *
sorted_events(const FunnelState *state)
{
	Size size = state->n * sizeof(FunnelEvent);
	FunnelEvent *events = palloc_extended(Max(size, 1), MCXT_ALLOC_HUGE);

	memcpy(events, state->events, size);
	sort_events(events, state->n);
	return events;
}

static void
funnel_send(StringInfo buf, const void *state)
{
	const FunnelState *funnel = state;
	FunnelEvent *events = sorted_events(funnel);

	pq_sendint64(buf, funnel->within);
	pq_sendint32(buf, funnel->steps);
	pq_sendint64(buf, funnel->n);
	for (int64 i = 0; i < funnel->n; i++)
	{
		pq_sendint64(buf, events[i].at);
		pq_sendint64(buf, events[i].steps);
	}
	pfree(events);
}

static FunnelState *
funnel_new(int64 within, int32 steps, int64 capacity)
{
	FunnelState *state = state_alloc(&funnel_type, funnel_size(capacity));

	state->within = within;
	state->steps = steps;
	return state;
}

static inline uint64
all_steps(int32 steps)
{
	return PG_UINT64_MAX >> (FUNNEL_MAX_STEPS - steps);
}

static void *
funnel_recv(StringInfo buf, uint8 version)
{
	int64 within = pq_getmsgint64(buf);
	int32 steps = pq_getmsgint(buf, 4);
	int64 n = pq_getmsgint64(buf);
	FunnelState *state;

	if (within <= 0 || within > END_TIMESTAMP)
		state_malformed(&funnel_type, "Its duration is out of range.");
	if (steps < 1 || steps > FUNNEL_MAX_STEPS)
		state_malformed(&funnel_type, "Its number of steps is out of range.");
	if (n < 0 || n != (int64) (state_bytes_left(buf) / sizeof(FunnelEvent)))
		state_malformed(&funnel_type, "Its count does not fit its size.");

	state = funnel_new(within, steps, n);
	state->n = n;
	for (int64 i = 0; i < n; i++)
	{
		FunnelEvent *event = &state->events[i];

		event->at = pq_getmsgint64(buf);
		event->steps = pq_getmsgint64(buf);
		if (!IS_VALID_TIMESTAMP(event->at))
			state_malformed(&funnel_type, "A time is out of range.");
		if (event->steps == 0 || (event->steps & ~all_steps(steps)) != 0)
			state_malformed(&funnel_type, "A step is not one of its steps.");
		if (i > 0 && compare_events(event - 1, event) > 0)
			state_malformed(&funnel_type, "Its rows are not in order.");
	}
	return state;
}

static int32
check_steps(ArrayType *array)
{
	int n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("steps must be a one-dimensional array"),
				 errhint("Pass one boolean for each step.")));
	if (n < 1 || n > FUNNEL_MAX_STEPS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a funnel must have between 1 and %d steps",
						FUNNEL_MAX_STEPS),
				 errdetail("This one has %d.", n),
				 errhint(
					 "Pass one boolean for each step, in the order of the steps.")));
	return n;
}

/* The true elements as bits. */
static uint64
true_steps(ArrayType *array, int32 n)
{
	/* ARR_DATA_PTR() mixes signs */
	Size offset =
		ARR_HASNULL(array) ? (Size) array->dataoffset : ARR_OVERHEAD_NONULLS(1);
	const bool *value = (const bool *) array + offset;
	const uint8 *present = ARR_NULLBITMAP(array);
	uint64 steps = 0;

	for (int32 i = 0; i < n; i++)
	{
		if (present != NULL && !(present[i / 8] & (1 << (i % 8))))
			continue;
		if (*value++)
			steps |= UINT64CONST(1) << i;
	}
	return steps;
}

static void
check_same_steps(int32 one, int32 other)
{
	if (one != other)
		not_constant("the number of steps", psprintf("%d", one),
					 psprintf("%d", other));
}

/* Room for so many more events: the state itself or a larger copy. */
static FunnelState *
reserve(FunnelState *state, int64 more)
{
	int64 capacity =
		(VARSIZE(state) - offsetof(FunnelState, events)) / sizeof(FunnelEvent);

	if (state->n + more <= capacity)
		return state;
	return state_resize(&funnel_type, state,
						funnel_size(Max(capacity * 2, state->n + more)));
}

/* (state, at, within, steps) */
Datum
personalize_funnel_add(PG_FUNCTION_ARGS)
{
	FunnelState *state;
	TimestampTz at;
	ArrayType *array;
	int32 n;
	uint64 steps;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(3))
		return unchanged_state(fcinfo);
	at = arg_time(fcinfo, 1, "at");
	array = PG_GETARG_ARRAYTYPE_P(3);
	n = check_steps(array);
	steps = true_steps(array, n);

	if (PG_ARGISNULL(0))
		state =
			funnel_new(arg_duration(fcinfo, 2, "within"), n, FIRST_CAPACITY);
	else
	{
		state = state_writable(fcinfo, 0);
		arg_same_duration(fcinfo, 2, "within", state->within);
		check_same_steps(state->steps, n);
	}
	if (steps != 0)
	{
		state = reserve(state, 1);
		state->events[state->n].at = at;
		state->events[state->n].steps = steps;
		state->n++;
	}
	PG_RETURN_POINTER(state);
}

static FunnelState *
merge_states(FunnelState *state, const FunnelState *other)
{
	if (state->within != other->within)
		duration_not_constant("within", state->within, other->within);
	check_same_steps(state->steps, other->steps);

	state = reserve(state, other->n);
	memcpy(state->events + state->n, other->events,
		   other->n * sizeof(FunnelEvent));
	state->n += other->n;
	return state;
}

Datum
personalize_funnel_combine(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(state_readable(fcinfo, 1));
	PG_RETURN_POINTER(
		merge_states(state_writable(fcinfo, 0), state_readable(fcinfo, 1)));
}

static Datum
form_result(Oid type, int reached, const TimestampTz *times)
{
	TupleDesc desc = lookup_rowtype_tupdesc(type, -1);
	Datum elements[FUNNEL_MAX_STEPS];
	Datum values[2];
	bool nulls[2] = { false, false };
	Datum result;

	for (int i = 0; i < reached; i++)
		elements[i] = TimestampTzGetDatum(times[i]);
	values[0] = Int32GetDatum(reached);
	values[1] = PointerGetDatum(
		construct_array(elements, reached, TIMESTAMPTZOID, sizeof(TimestampTz),
						FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	result = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	ReleaseTupleDesc(desc);
	return result;
}

Datum
personalize_funnel_result(PG_FUNCTION_ARGS)
{
	const FunnelState *state;
	TimestampTz times[FUNNEL_MAX_STEPS];
	int reached;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = state_readable(fcinfo, 0);
	reached = funnel_match(sorted_events(state), state->n, state->steps,
						   state->within, times);
	PG_RETURN_DATUM(
		form_result(get_func_rettype(fcinfo->flinfo->fn_oid), reached, times));
}
