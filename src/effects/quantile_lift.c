/*
 * quantile_lift.c
 *		lift_quantile() and quantile_effect(): what a treatment did to a quantile
 *		of the outcome.
 *
 * The number of outcomes below a quantile is binomial.  Its normal
 * approximation tells between which order statistics the quantile lies, and
 * the width of that interval how uncertain it is: no density is estimated.
 * From there on the two quantiles are compared as two means are.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "common/number_list.h"
#include "common/record.h"
#include "effects/arm_arrays.h"
#include "effects/arm_rows.h"
#include "libpq/pqformat.h"
#include "numeric/numeric.h"
#include "utils/float.h"

/* Tail of the interval of a quantile: 95 percent, whatever alpha is. */
#define BOUND_TAIL 0.025

/* nu, two n, two quantiles, two effects of five numbers, t and df */
#define TEST_COLUMNS 17

static void quantile_lift_send(StringInfo buf, const void *state);
static void *quantile_lift_recv(StringInfo buf, uint8 version);

static const StateType quantile_lift_type = {
	.name = "quantile_lift_state",
	.kind = STATE_QUANTILE_LIFT,
	.version = 1,
	.send = quantile_lift_send,
	.recv = quantile_lift_recv,
};

STATE_TYPE_FUNCTIONS(quantile_lift_state, quantile_lift_type);

PG_FUNCTION_INFO_V1(personalize_lift_quantile_add);
PG_FUNCTION_INFO_V1(personalize_lift_quantile_combine);
PG_FUNCTION_INFO_V1(personalize_lift_quantile_result);
PG_FUNCTION_INFO_V1(personalize_quantile_effect_of_state);
PG_FUNCTION_INFO_V1(personalize_quantile_effect);

static void
quantile_lift_send(StringInfo buf, const void *state)
{
	const ArmRows *rows = state;

	pq_sendfloat8(buf, rows->option);
	arm_rows_send(buf, rows);
}

static void *
quantile_lift_recv(StringInfo buf, uint8 version)
{
	double nu = pq_getmsgfloat8(buf);

	if (!(nu > 0 && nu < 1))
		state_malformed(&quantile_lift_type, "Its nu is out of range.");
	return arm_rows_recv(buf, &quantile_lift_type, 1, nu);
}

/* ---- rows ---- */

static void
check_same_nu(const ArmRows *rows, double nu)
{
	if (rows->option != nu)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("nu must be the same for all rows of a group"),
				 errdetail("One row has nu = %s, another nu = %s.",
						   float8out_internal(rows->option),
						   float8out_internal(nu)),
				 errhint("Call the aggregate once for each quantile.")));
}

Datum
personalize_lift_quantile_add(PG_FUNCTION_ARGS)
{
	double outcome;
	double nu;
	ArmRows *rows;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return unchanged_state(fcinfo);
	outcome = arg_finite(fcinfo, 1, "outcome");
	nu = arg_proportion(fcinfo, 3, "nu");
	if (PG_ARGISNULL(0))
		rows = arm_rows_new(&quantile_lift_type, 1, nu);
	else
		rows = state_writable(fcinfo, 0);
	check_same_nu(rows, nu);
	PG_RETURN_POINTER(arm_rows_add(&quantile_lift_type, rows,
								   PG_GETARG_BOOL(2) ? TREATMENT : CONTROL,
								   &outcome));
}

Datum
personalize_lift_quantile_combine(PG_FUNCTION_ARGS)
{
	ArmRows *rows;
	const ArmRows *other;

	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(state_readable(fcinfo, 1));
	rows = state_writable(fcinfo, 0);
	other = state_readable(fcinfo, 1);
	check_same_nu(rows, other->option);
	PG_RETURN_POINTER(arm_rows_append(&quantile_lift_type, rows, other));
}

/* ---- the comparison ---- */

/*
 * A quantile between bounds, as a mean of which the variance is known.  Equal
 * bounds, of outcomes that many units share, do not tell it, and those of a
 * single unit are none.
 */
static void
arm_of_bounds(int64 n, double quantile, double lower, double upper, Arm *arm)
{
	double stderror = (upper - lower) / 2 / -normal_quantile(BOUND_TAIL);

	arm->n = n;
	arm->mean = quantile;
	arm->variance = stderror > 0 && n > 1 ? stderror * stderror * (n - 1) : NAN;
	arm->adjusted = false;
}

static void
arm_of_rows(const ArmRows *rows, int which, Arm *arm)
{
	double nu = rows->option;
	int64 n = rows->n[which];
	double margin = -normal_quantile(BOUND_TAIL) * sqrt(nu * (1 - nu) / n);
	double *sorted;

	*arm = (Arm){ .n = n, .mean = NAN, .variance = NAN };
	if (n == 0)
		return;
	sorted = arm_rows_sorted(rows, which);
	/* of too few rows there is none that far out */
	if (nu - margin >= 0 && nu + margin <= 1)
		arm_of_bounds(n, sorted_quantile(sorted, n, nu),
					  sorted_quantile(sorted, n, nu - margin),
					  sorted_quantile(sorted, n, nu + margin), arm);
	else
		arm->mean = sorted_quantile(sorted, n, nu);
	pfree(sorted);
}

static Datum
quantile_test_row(FunctionCallInfo fcinfo, double nu, LiftTest *test,
				  const CompareOptions *options)
{
	Datum values[TEST_COLUMNS];
	int n = 0;

	compare_arms(test, false, options);
	values[n++] = Float8GetDatum(nu);
	values[n++] = Int64GetDatum(test->control.n);
	values[n++] = Int64GetDatum(test->treatment.n);
	values[n++] = Float8GetDatum(test->control.mean);
	values[n++] = Float8GetDatum(test->treatment.mean);
	n += effect_columns(values + n, &test->absolute);
	n += effect_columns(values + n, &test->relative);
	values[n++] = Float8GetDatum(test->absolute.t);
	values[n++] = Float8GetDatum(test->absolute.df);
	return make_row(result_type(fcinfo), values);
}

static Datum
compare_rows(FunctionCallInfo fcinfo, const ArmRows *rows,
			 const CompareOptions *options)
{
	LiftTest test;

	arm_of_rows(rows, CONTROL, &test.control);
	arm_of_rows(rows, TREATMENT, &test.treatment);
	return quantile_test_row(fcinfo, rows->option, &test, options);
}

/* ---- SQL ---- */

Datum
personalize_lift_quantile_result(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(
		compare_rows(fcinfo, state_readable(fcinfo, 0), &default_options));
}

Datum
personalize_quantile_effect_of_state(PG_FUNCTION_ARGS)
{
	CompareOptions options = arg_fixed_options(fcinfo, 1, 2);

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(compare_rows(fcinfo, state_readable(fcinfo, 0), &options));
}

/* n, the quantile and its bounds, from argno on. */
static void
arg_bounds(FunctionCallInfo fcinfo, int argno, const char *arm_name, Arm *arm)
{
	double quantile =
		arg_finite(fcinfo, argno + 1, psprintf("quantile_%s", arm_name));
	double lower =
		arg_finite(fcinfo, argno + 2, psprintf("lower_%s", arm_name));
	double upper =
		arg_finite(fcinfo, argno + 3, psprintf("upper_%s", arm_name));
	int64 n;

	arg_not_null(fcinfo, argno, psprintf("n_%s", arm_name));
	n = PG_GETARG_INT64(argno);
	if (n < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("n_%s must be positive", arm_name),
				 errdetail("It is %lld.", (long long) n),
				 errhint("Pass the number of units in that arm.")));
	if (!(lower <= quantile && quantile <= upper))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("quantile_%s must lie between its bounds", arm_name),
				 errdetail("It is %s, and the bounds are %s and %s.",
						   float8out_internal(quantile),
						   float8out_internal(lower),
						   float8out_internal(upper)),
				 errhint(
					 "Pass the ends of its interval of 95 percent, the lower one first.")));
	arm_of_bounds(n, quantile, lower, upper, arm);
}

Datum
personalize_quantile_effect(PG_FUNCTION_ARGS)
{
	double nu = arg_proportion(fcinfo, 0, "nu");
	CompareOptions options = arg_fixed_options(fcinfo, 9, 10);
	LiftTest test;

	arg_bounds(fcinfo, 1, "control", &test.control);
	arg_bounds(fcinfo, 5, "treatment", &test.treatment);
	PG_RETURN_DATUM(quantile_test_row(fcinfo, nu, &test, &options));
}
