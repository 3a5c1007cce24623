/*
 * winsorize.c
 *		winsorize(): a value, drawn in where it lies outside of bounds.
 *
 * Not GREATEST() and LEAST(), which would let NaN pass, and bounds in the wrong
 * order.
 */
#include "postgres.h"

#include "common/args.h"
#include "common/float_numeric.h"
#include "fmgr.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(personalize_winsorize);
PG_FUNCTION_INFO_V1(personalize_winsorize_numeric);

#define VALUE 0
#define LOW 1
#define HIGH 2

static const char *const names[] = { "value", "low", "high" };

static void
bounds_crossed(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("low must not be above high"),
			 errhint("Pass the lower bound first, and null for none.")));
}

Datum
personalize_winsorize(PG_FUNCTION_ARGS)
{
	double value;

	for (int i = LOW; i <= HIGH; i++)
	{
		if (!PG_ARGISNULL(i))
			finite_value(PG_GETARG_FLOAT8(i), names[i]);
	}
	if (!PG_ARGISNULL(LOW) && !PG_ARGISNULL(HIGH) &&
		PG_GETARG_FLOAT8(LOW) > PG_GETARG_FLOAT8(HIGH))
		bounds_crossed();
	if (PG_ARGISNULL(VALUE))
		PG_RETURN_NULL();
	value = finite_value(PG_GETARG_FLOAT8(VALUE), names[VALUE]);
	if (!PG_ARGISNULL(LOW) && value < PG_GETARG_FLOAT8(LOW))
		value = PG_GETARG_FLOAT8(LOW);
	if (!PG_ARGISNULL(HIGH) && value > PG_GETARG_FLOAT8(HIGH))
		value = PG_GETARG_FLOAT8(HIGH);
	PG_RETURN_FLOAT8(value);
}

static int
compare_numeric(Datum a, Datum b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, a, b));
}

static void
check_finite(Datum value, const char *name)
{
	Numeric number = DatumGetNumeric(value);

	/* finite_value() raises the error */
	if (numeric_is_nan(number) || numeric_is_inf(number))
		finite_value(float_from_numeric(number), name);
}

Datum
personalize_winsorize_numeric(PG_FUNCTION_ARGS)
{
	Datum value;

	for (int i = LOW; i <= HIGH; i++)
	{
		if (!PG_ARGISNULL(i))
			check_finite(PG_GETARG_DATUM(i), names[i]);
	}
	if (!PG_ARGISNULL(LOW) && !PG_ARGISNULL(HIGH) &&
		compare_numeric(PG_GETARG_DATUM(LOW), PG_GETARG_DATUM(HIGH)) > 0)
		bounds_crossed();
	if (PG_ARGISNULL(VALUE))
		PG_RETURN_NULL();
	value = PG_GETARG_DATUM(VALUE);
	check_finite(value, names[VALUE]);
	if (!PG_ARGISNULL(LOW) && compare_numeric(value, PG_GETARG_DATUM(LOW)) < 0)
		value = PG_GETARG_DATUM(LOW);
	if (!PG_ARGISNULL(HIGH) &&
		compare_numeric(value, PG_GETARG_DATUM(HIGH)) > 0)
		value = PG_GETARG_DATUM(HIGH);
	PG_RETURN_DATUM(value);
}
