/*
 * off_policy.c
 *		ope(): sums over the log of one policy, from which another one is
 *		judged; an aggregate with SQL type ope_state.
 */
#include "postgres.h"

#include <math.h>

#include "bandit/off_policy.h"
#include "common/args.h"
#include "common/int.h"
#include "libpq/pqformat.h"
#include "utils/float.h"

/* Numbers are below this, so that no sum of their squares overflows. */
#define OPE_LIMIT 1e140

/* The arguments after the state, by number: of a model, and where clip is. */
#define ARGS_CLIP 4
#define ARGS_MODEL 5
#define ARGS_BOTH 6

static void ope_send(StringInfo buf, const void *state);
static void *ope_recv(StringInfo buf, uint8 version);

static const StateType ope_type = {
	.name = "ope_state",
	.kind = STATE_OPE,
	.version = 1,
	.send = ope_send,
	.recv = ope_recv,
};

STATE_TYPE_FUNCTIONS(ope_state, ope_type);

PG_FUNCTION_INFO_V1(personalize_ope_add);
PG_FUNCTION_INFO_V1(personalize_ope_combine);

static void
ope_send(StringInfo buf, const void *state)
{
	const OffPolicy *ope = state;

	pq_sendbyte(buf, has_model(ope));
	pq_sendint64(buf, ope->n);
	pq_sendfloat8(buf, ope->clip);
	pq_sendfloat8(buf, ope->max_weight);
	for (int i = 0; i < OPE_SUMS; i++)
	{
		LongSum sum = ope->sums[i];

		/* so that equal groups have equal forms */
		long_sum_normalise(&sum);
		pq_sendfloat8(buf, sum.high);
		pq_sendfloat8(buf, sum.middle);
		pq_sendfloat8(buf, sum.low);
	}
}

static void
recv_sum(StringInfo buf, LongSum *sum)
{
	sum->high = pq_getmsgfloat8(buf);
	sum->middle = pq_getmsgfloat8(buf);
	sum->low = pq_getmsgfloat8(buf);
	if (!isfinite(sum->high) || !isfinite(sum->middle) || !isfinite(sum->low))
		state_malformed(&ope_type, "A sum is not finite.");
}

static bool
is_square(int sum)
{
	return sum == OPE_WEIGHT_SQUARE || sum == OPE_VALUE_SQUARE ||
		sum == OPE_CLIPPED_SQUARE || sum == OPE_MODEL_SQUARE ||
		sum == OPE_CORRECTED_SQUARE;
}

static void *
ope_recv(StringInfo buf, uint8 version)
{
	OffPolicy *ope = state_alloc(&ope_type, sizeof(OffPolicy));

	has_model(ope) = pq_getmsgbyte(buf);
	ope->n = pq_getmsgint64(buf);
	ope->clip = pq_getmsgfloat8(buf);
	ope->max_weight = pq_getmsgfloat8(buf);
	for (int i = 0; i < OPE_SUMS; i++)
	{
		recv_sum(buf, &ope->sums[i]);
		if ((is_square(i) || i == OPE_WEIGHT) &&
			long_sum_value(&ope->sums[i]) < 0)
			state_malformed(&ope_type, "A sum of squares is negative.");
	}

	if (has_model(ope) > 1)
		state_malformed(&ope_type, "Its flags are not known.");
	if (ope->n < 1)
		state_malformed(&ope_type, "It has no rows.");
	if (!(ope->clip >= 0 && isfinite(ope->clip)))
		state_malformed(&ope_type, "Its clip is out of range.");
	if (!(ope->max_weight >= 0 && isfinite(ope->max_weight)))
		state_malformed(&ope_type, "Its largest weight is out of range.");
	return ope;
}

static double
arg_logged_p(FunctionCallInfo fcinfo, int argno)
{
	double p = arg_finite(fcinfo, argno, "logged_p");

	if (!(p > 0 && p <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("logged_p must be above 0 and at most 1"),
				 errdetail("logged_p is %s.", float8out_internal(p)),
				 errhint(
					 "Log the probability with which the action was chosen, at the time it was chosen.")));
	return p;
}

static double
arg_target_p(FunctionCallInfo fcinfo, int argno)
{
	double p = arg_finite(fcinfo, argno, "target_p");

	if (!(p >= 0 && p <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("target_p must be from 0 to 1"),
				 errdetail("target_p is %s.", float8out_internal(p)),
				 errhint(
					 "Pass the probability with which the new policy would choose the action that was logged.")));
	return p;
}

/* Larger ones with small weights would pass, and overflow in their squares. */
static double
arg_reward(FunctionCallInfo fcinfo, int argno)
{
	double reward = arg_finite(fcinfo, argno, "reward");

	if (fabs(reward) >= OPE_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("reward must be smaller than %g", OPE_LIMIT),
				 errdetail("reward is %s.", float8out_internal(reward)),
				 errhint("Use a larger unit for rewards.")));
	return reward;
}

static double
arg_clip(FunctionCallInfo fcinfo, int argno)
{
	double clip = arg_finite(fcinfo, argno, "clip");

	if (clip <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("clip must be positive"),
				 errdetail("clip is %s.", float8out_internal(clip)),
				 errhint("It is the largest weight that counts, such as 10.")));
	return clip;
}

static void
add_with_square(OffPolicy *ope, OpeSum which, double value)
{
	/* false for NaN as well */
	if (!(fabs(value) < OPE_LIMIT))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("reward or weight is out of range"),
				 errdetail("A row would count %s.", float8out_internal(value)),
				 errhint("Their product must be smaller than %g.", OPE_LIMIT)));
	long_sum_add(&ope->sums[which], value);
	long_sum_add_product(&ope->sums[which + 1], value, value);
}

/* Clip must be the same for all rows: 0 for none. */
static void
check_clip(const OffPolicy *ope, double clip)
{
	if (clip == ope->clip)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("clip must be the same for all rows of a group"),
			 errdetail("It is %s in one row and %s in another.",
					   ope->clip > 0 ? float8out_internal(ope->clip) : "none",
					   clip > 0 ? float8out_internal(clip) : "none"),
			 errhint("Use a constant, or add it to GROUP BY.")));
}

/* A row of another form comes from a call by hand only. */
static void
check_model(const OffPolicy *ope, bool model)
{
	if (has_model(ope) != model)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("states with and without a model cannot be merged"),
				 errhint(
					 "Pass q_logged and q_target for all rows of a group, or for none.")));
}

/*
 * Arguments after the state are reward, logged_p, target_p, then perhaps
 * q_logged and q_target, then perhaps clip.
 */
Datum
personalize_ope_add(PG_FUNCTION_ARGS)
{
	int nargs = PG_NARGS() - 1;
	bool model = nargs >= ARGS_MODEL;
	bool clipped = nargs == ARGS_CLIP || nargs == ARGS_BOTH;
	OffPolicy *ope;
	double reward;
	double weight;
	double clip;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	reward = arg_reward(fcinfo, 1);
	weight = arg_target_p(fcinfo, 3) / arg_logged_p(fcinfo, 2);
	clip = clipped ? arg_clip(fcinfo, nargs) : 0;

	if (PG_ARGISNULL(0))
	{
		ope = state_alloc(&ope_type, sizeof(OffPolicy));
		ope->clip = clip;
		has_model(ope) = model;
	}
	else
		ope = state_writable(fcinfo, 0);
	check_clip(ope, clip);
	check_model(ope, model);

	ope->n++;
	ope->max_weight = Max(ope->max_weight, weight);
	add_with_square(ope, OPE_WEIGHT, weight);
	add_with_square(ope, OPE_VALUE, weight * reward);
	long_sum_add_product(&ope->sums[OPE_WEIGHT_VALUE], weight, weight * reward);
	if (clipped)
		add_with_square(ope, OPE_CLIPPED, Min(weight, clip) * reward);
	if (model)
	{
		double q_logged = arg_finite(fcinfo, 4, "q_logged");
		double q_target = arg_finite(fcinfo, 5, "q_target");

		add_with_square(ope, OPE_MODEL, q_target);
		add_with_square(ope, OPE_CORRECTED,
						q_target + weight * (reward - q_logged));
	}
	PG_RETURN_POINTER(ope);
}

Datum
personalize_ope_combine(PG_FUNCTION_ARGS)
{
	OffPolicy *ope;
	const OffPolicy *other;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state_readable(fcinfo, 0));
	other = state_readable(fcinfo, 1);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);

	ope = state_writable(fcinfo, 0);
	check_clip(ope, other->clip);
	check_model(ope, has_model(other));
	/* only states that no rows made can have that many */
	if (pg_add_s64_overflow(ope->n, other->n, &ope->n))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the number of rows is out of range")));
	ope->max_weight = Max(ope->max_weight, other->max_weight);
	for (int i = 0; i < OPE_SUMS; i++)
		long_sum_merge(&ope->sums[i], &other->sums[i]);
	PG_RETURN_POINTER(ope);
}
