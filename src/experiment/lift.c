/*
 * lift.c
 *		lift() and lift_ratio(): both arms of an experiment in one aggregate.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "common/float_numeric.h"
#include "common/record.h"
#include "experiment/lift.h"
#include "libpq/pqformat.h"

static void lift_send(StringInfo buf, const void *state);
static void *lift_recv(StringInfo buf, uint8 version);

const StateType lift_type = {
	.name = "lift_state",
	.kind = STATE_LIFT,
	.version = 1,
	.send = lift_send,
	.recv = lift_recv,
};

STATE_TYPE_FUNCTIONS(lift_state, lift_type);

PG_FUNCTION_INFO_V1(personalize_lift_add);
PG_FUNCTION_INFO_V1(personalize_lift_add_numeric);
PG_FUNCTION_INFO_V1(personalize_lift_add_covariate);
PG_FUNCTION_INFO_V1(personalize_lift_add_covariate_numeric);
PG_FUNCTION_INFO_V1(personalize_lift_ratio_add);
PG_FUNCTION_INFO_V1(personalize_lift_ratio_add_numeric);
PG_FUNCTION_INFO_V1(personalize_lift_ratio_add_before);
PG_FUNCTION_INFO_V1(personalize_lift_combine);
PG_FUNCTION_INFO_V1(personalize_lift_result);
PG_FUNCTION_INFO_V1(personalize_compare_lift);

LiftState *
lift_new(int k, LiftKind kind)
{
	LiftState *lift = state_alloc(&lift_type, lift_size(k));

	lift->head.unused = kind << 8 | k;
	return lift;
}

static void
lift_send(StringInfo buf, const void *state)
{
	LiftState *lift = unconstify(LiftState *, (const LiftState *) state);
	int k = lift_k(lift);

	pq_sendbyte(buf, lift_kind(lift));
	pq_sendbyte(buf, k);
	arm_send(buf, lift_arm(lift, k, CONTROL), k);
	arm_send(buf, lift_arm(lift, k, TREATMENT), k);
}

static void *
lift_recv(StringInfo buf, uint8 version)
{
	int kind = pq_getmsgbyte(buf);
	int k = pq_getmsgbyte(buf);
	LiftState *lift;

	if (!((kind == LIFT_MEAN && (k == 1 || k == 2)) ||
		  (kind == LIFT_RATIO && (k == 2 || k == MAX_VARIABLES)) ||
		  (kind == LIFT_PROPORTION && k == 1)))
		state_malformed(&lift_type, "Its kind is not known.");
	lift = lift_new(k, kind);
	arm_recv(buf, lift_arm(lift, k, CONTROL), k, &lift_type);
	arm_recv(buf, lift_arm(lift, k, TREATMENT), k, &lift_type);
	if (lift_arm(lift, k, CONTROL)->n == 0 &&
		lift_arm(lift, k, TREATMENT)->n == 0)
		state_malformed(&lift_type, "It has no rows.");
	for (int i = CONTROL; i <= TREATMENT; i++)
	{
		if (kind == LIFT_PROPORTION && !arm_is_share(lift_arm(lift, k, i)))
			state_malformed(&lift_type,
							"Its successes are not among its rows.");
	}
	return lift;
}

/* ---- rows ---- */

/*
 * A row: `before` arguments come before `treated`, the others after it.  The
 * compiler makes a function of each call.
 */
static pg_attribute_always_inline Datum
lift_add(FunctionCallInfo fcinfo, LiftKind kind, int k, int before,
		 bool is_numeric)
{
	double row[MAX_VARIABLES];
	LiftState *lift;
	int treated = 1 + before;

	if (PG_ARGISNULL(treated))
		return unchanged_state(fcinfo);
	for (int i = 0; i < k; i++)
	{
		int argno = 1 + i + (i >= before);

		if (PG_ARGISNULL(argno))
			return unchanged_state(fcinfo);
		row[i] = is_numeric ? float_from_numeric(PG_GETARG_NUMERIC(argno)) :
							  PG_GETARG_FLOAT8(argno);
		if (unlikely(!isfinite(row[i])))
			finite_value(row[i],
						 kind == LIFT_RATIO ? ratio_names[i] :
											  variable_names[i]);
	}
	lift = PG_ARGISNULL(0) ? lift_new(k, kind) : state_writable(fcinfo, 0);
	if (unlikely(lift->head.unused != (kind << 8 | k)))
		elog(ERROR, "lift_state of another aggregate");
	arm_add(lift_arm(lift, k, PG_GETARG_BOOL(treated)), k, row);
	PG_RETURN_POINTER(lift);
}

Datum
personalize_lift_add(PG_FUNCTION_ARGS)
{
	return lift_add(fcinfo, LIFT_MEAN, 1, 1, false);
}

Datum
personalize_lift_add_numeric(PG_FUNCTION_ARGS)
{
	return lift_add(fcinfo, LIFT_MEAN, 1, 1, true);
}

Datum
personalize_lift_add_covariate(PG_FUNCTION_ARGS)
{
	return lift_add(fcinfo, LIFT_MEAN, 2, 1, false);
}

Datum
personalize_lift_add_covariate_numeric(PG_FUNCTION_ARGS)
{
	return lift_add(fcinfo, LIFT_MEAN, 2, 1, true);
}

Datum
personalize_lift_ratio_add(PG_FUNCTION_ARGS)
{
	return lift_add(fcinfo, LIFT_RATIO, 2, 2, false);
}

Datum
personalize_lift_ratio_add_numeric(PG_FUNCTION_ARGS)
{
	return lift_add(fcinfo, LIFT_RATIO, 2, 2, true);
}

Datum
personalize_lift_ratio_add_before(PG_FUNCTION_ARGS)
{
	return lift_add(fcinfo, LIFT_RATIO, 4, 2, false);
}

/* ---- merging ---- */

static const char *
lift_description(const LiftState *lift)
{
	switch (lift_kind(lift))
	{
		case LIFT_RATIO:
			return lift_k(lift) > 2 ? "a ratio with a covariate" : "a ratio";
		case LIFT_PROPORTION:
			return "a proportion";
		default:
			return lift_k(lift) > 1 ? "a mean with a covariate" : "a mean";
	}
}

Datum
personalize_lift_combine(PG_FUNCTION_ARGS)
{
	LiftState *lift;
	LiftState *other;

	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(state_readable(fcinfo, 1));
	lift = state_writable(fcinfo, 0);
	other = state_readable(fcinfo, 1);
	if (lift->head.unused != other->head.unused)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("states of different metrics cannot be merged"),
				 errdetail("There is %s and %s.", lift_description(lift),
						   lift_description(other)),
				 errhint("Merge only what the same aggregate has made.")));
	for (int i = CONTROL; i <= TREATMENT; i++)
		arm_merge(lift_arm(lift, lift_k(lift), i),
				  lift_arm(other, lift_k(other), i), lift_k(lift));
	PG_RETURN_POINTER(lift);
}

/* ---- results ---- */

void
lift_expect(const LiftState *lift, LiftKind kind, const char *function)
{
	if (lift_kind(lift) == kind)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s cannot read the state of %s", function,
					lift_description(lift)),
			 errhint(
				 "A mean is read by lift_merge() and compare(), a ratio by lift_ratio_merge() and compare(), a proportion by lift_proportion_merge().")));
}

static Datum
compare_lift(FunctionCallInfo fcinfo, LiftState *lift,
			 const CompareOptions *options)
{
	bool is_ratio = lift_kind(lift) == LIFT_RATIO;
	int k = lift_k(lift);
	LiftTest test;
	Arm *arms[2] = { &test.control, &test.treatment };

	for (int i = CONTROL; i <= TREATMENT; i++)
	{
		Summary summary;

		arm_summary(lift_arm(lift, k, i), k, &summary);
		if (is_ratio)
			arm_of_ratio(&summary, arms[i]);
		else
			arm_of_means(&summary, arms[i]);
	}
	compare_arms(&test, is_ratio, options);
	return lift_test_row(fcinfo, &test);
}

/* Final function of lift() and lift_ratio(). */
Datum
personalize_lift_result(PG_FUNCTION_ARGS)
{
	LiftState *lift;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	lift = state_readable(fcinfo, 0);
	if (lift_kind(lift) == LIFT_PROPORTION)
		lift_expect(lift, LIFT_MEAN, "lift_merge()");
	PG_RETURN_DATUM(compare_lift(fcinfo, lift, &default_options));
}

Datum
personalize_compare_lift(PG_FUNCTION_ARGS)
{
	CompareOptions options;
	LiftState *lift;

	arg_compare_options(fcinfo, 1, &options);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	lift = state_readable(fcinfo, 0);
	if (lift_kind(lift) == LIFT_PROPORTION)
		lift_expect(lift, LIFT_MEAN, "compare()");
	PG_RETURN_DATUM(compare_lift(fcinfo, lift, &options));
}
