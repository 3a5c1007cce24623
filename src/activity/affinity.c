/*
 * affinity.c
 *		affinity(): the keys that have the largest shares of a total.
 */
#include "postgres.h"

#include "activity/activity.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/args.h"
#include "compat.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(personalize_affinity_add);
PG_FUNCTION_INFO_V1(personalize_affinity_add_timeless);
PG_FUNCTION_INFO_V1(personalize_affinity_combine);
PG_FUNCTION_INFO_V1(personalize_affinity_result);

static int32
arg_positive_k(FunctionCallInfo fcinfo, int argno)
{
	int32 k;

	arg_not_null(fcinfo, argno, "k");
	k = PG_GETARG_INT32(argno);
	if (k < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be positive"), errdetail("k is %d.", k),
				 errhint("k is the largest number of keys to return.")));
	return k;
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
					 "Shares are parts of a total of what adds to it. Leave other rows out, with FILTER or WHERE.")));
	return weight;
}

static void
check_same_k(int32 one, int32 other)
{
	if (one != other)
		not_constant("k", psprintf("%d", one), psprintf("%d", other));
}

/* Move a key to the landmark of a later event. */
static void
move_key(AffinityKey *key, uint64 landmark, int64 half_life)
{
	if (landmark <= key->landmark)
		return;
	decay_move(&key->weight, 1, key->landmark, landmark, half_life);
	key->landmark = landmark;
}

static void
add_weight(AffinityKey *key, int64 half_life, double weight, TimestampTz at)
{
	if (half_life > 0)
	{
		int halvings;

		weight *= decay_weight(at, key->landmark, half_life, &halvings);
		weight = decay_halve(weight, halvings);
	}
	sum_add(&key->weight, weight);
	if (unlikely(isinf(key->weight.high)))
		float_overflow_error();
}

static AffinityState *
add_row(AffinityState *state, text *key, double weight, TimestampTz at)
{
	uint64 landmark =
		state->half_life > 0 ? decay_landmark(at, state->half_life) : 0;
	int32 number = affinity_key(&state, VARDATA_ANY(key),
								VARSIZE_ANY_EXHDR(key), landmark);

	move_key(&state->keys[number], landmark, state->half_life);
	add_weight(&state->keys[number], state->half_life, weight, at);
	if (at > state->latest)
		state->latest = at;
	return state;
}

/* (state, key, weight, at, half_life, k) */
Datum
personalize_affinity_add(PG_FUNCTION_ARGS)
{
	AffinityState *state;
	double weight;
	TimestampTz at;
	int32 k;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return unchanged_state(fcinfo);
	weight = arg_weight(fcinfo, 2);
	at = arg_time(fcinfo, 3, "at");
	k = arg_positive_k(fcinfo, 5);

	if (PG_ARGISNULL(0))
		state = affinity_new(arg_duration(fcinfo, 4, "half_life"), at, k);
	else
	{
		state = state_writable(fcinfo, 0);
		arg_same_duration(fcinfo, 4, "half_life", state->half_life);
		check_same_k(state->k, k);
	}
	PG_RETURN_POINTER(add_row(state, PG_GETARG_TEXT_PP(1), weight, at));
}

/* (state, key, weight, k) */
Datum
personalize_affinity_add_timeless(PG_FUNCTION_ARGS)
{
	AffinityState *state;
	double weight;
	int32 k;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return unchanged_state(fcinfo);
	weight = arg_weight(fcinfo, 2);
	k = arg_positive_k(fcinfo, 3);

	if (PG_ARGISNULL(0))
		state = affinity_new(0, 0, k);
	else
	{
		state = state_writable(fcinfo, 0);
		check_same_k(state->k, k);
	}
	PG_RETURN_POINTER(add_row(state, PG_GETARG_TEXT_PP(1), weight, 0));
}

/* Add a key's weight to the same key of another state. */
static void
merge_key(AffinityKey *key, const AffinityKey *other, int64 half_life)
{
	AffinityKey moved = *other;

	if (half_life > 0)
	{
		move_key(key, other->landmark, half_life);
		move_key(&moved, key->landmark, half_life);
	}
	sum_merge(&key->weight, &moved.weight);
	if (isinf(key->weight.high))
		float_overflow_error();
}

static AffinityState *
merge_states(AffinityState *state, const AffinityState *other)
{
	if ((state->half_life == 0) != (other->half_life == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("states with and without decay cannot be merged"),
				 errhint("Merge states of one kind only.")));
	if (state->half_life != other->half_life)
		duration_not_constant("half_life", state->half_life, other->half_life);
	check_same_k(state->k, other->k);

	for (int32 i = 0; i < other->n; i++)
	{
		const AffinityKey *key = &other->keys[i];
		uint32 len;
		const char *bytes = affinity_key_bytes(other, i, &len);
		int32 number = affinity_key(&state, bytes, len, key->landmark);

		CHECK_FOR_INTERRUPTS();
		merge_key(&state->keys[number], key, state->half_life);
	}
	state->latest = Max(state->latest, other->latest);
	return state;
}

Datum
personalize_affinity_combine(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(state_readable(fcinfo, 1));
	PG_RETURN_POINTER(
		merge_states(state_writable(fcinfo, 0), state_readable(fcinfo, 1)));
}

static Datum
form_share(TupleDesc desc, const AffinityRank *rank, double total)
{
	Datum values[3];
	bool nulls[3] = { false, false, false };

	values[0] =
		PointerGetDatum(cstring_to_text_with_len(rank->bytes, rank->len));
	values[1] = Float8GetDatum(rank->weight / total);
	values[2] = Float8GetDatum(rank->weight);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/* Keys of no weight, or of none left, have no share. */
Datum
personalize_affinity_result(PG_FUNCTION_ARGS)
{
	Oid element = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	const AffinityState *state;
	AffinityRank *ranks;
	Sum total = { 0, 0 };
	TupleDesc desc;
	Datum *shares;
	int n = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = state_readable(fcinfo, 0);
	ranks = affinity_ranks(state, true);
	for (int32 i = 0; i < state->n; i++)
		sum_add(&total, ranks[i].weight);
	if (isinf(total.high))
		float_overflow_error();

	shares = palloc(Max(Min(state->n, state->k), 1) * sizeof(Datum));
	desc = lookup_rowtype_tupdesc(element, -1);
	while (n < state->n && n < state->k && ranks[n].weight > 0)
	{
		shares[n] = form_share(desc, &ranks[n], sum_value(&total));
		n++;
	}
	ReleaseTupleDesc(desc);
	PG_RETURN_ARRAYTYPE_P(
		construct_array(shares, n, element, -1, false, TYPALIGN_DOUBLE));
}
