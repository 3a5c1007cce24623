/*
 * args.c
 *		Arguments of SQL functions: checks, defaults and keys.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/args.h"
#include "datatype/timestamp.h"
#include "parser/parse_coerce.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

Oid
arg_source(FunctionCallInfo fcinfo, int argno)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("source must not be null"),
				 errhint(
					 "Pass a table or materialized view that has a similarity index, or the index itself.")));
	return PG_GETARG_OID(argno);
}

/*
 * A NULL here is rarely meant for k: in third place, NULL::int is one that was
 * to name the type of the items.
 */
int
arg_k(FunctionCallInfo fcinfo, int argno)
{
	int k;

	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("k must not be null"),
				 errhint(
					 "Leave k out for its default. For items in their own type, name the argument, as in item_type => NULL::integer.")));
	k = PG_GETARG_INT32(argno);
	if (k < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must not be negative"), errdetail("k is %d.", k),
				 errhint("k is the largest number of rows to return.")));
	return k;
}

bool
arg_bool(FunctionCallInfo fcinfo, int argno, bool value_if_null)
{
	return PG_ARGISNULL(argno) ? value_if_null : PG_GETARG_BOOL(argno);
}

/* In floating point, an infinite interval needs no special case. */
double
interval_us(const Interval *interval)
{
	double days = interval->day + (double) interval->month * DAYS_PER_MONTH;

	return days * USECS_PER_DAY + interval->time;
}

static char *
interval_text(Interval *interval)
{
	return DatumGetCString(
		DirectFunctionCall1(interval_out, IntervalPGetDatum(interval)));
}

double
arg_half_life(FunctionCallInfo fcinfo, int argno)
{
	Interval *interval;
	double us;

	if (PG_ARGISNULL(argno))
		return 0;
	interval = PG_GETARG_INTERVAL_P(argno);
	us = interval_us(interval);
	if (us <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("half_life must be positive"),
				 errdetail("half_life is \"%s\".", interval_text(interval)),
				 errhint(
					 "Pass the time after which an interaction counts half, such as '30 days'.")));
	return us;
}

void
arg_not_null(FunctionCallInfo fcinfo, int argno, const char *name)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

int64
arg_duration(FunctionCallInfo fcinfo, int argno, const char *name)
{
	Interval *interval;
	double us;

	arg_not_null(fcinfo, argno, name);
	interval = PG_GETARG_INTERVAL_P(argno);
	us = interval_us(interval);
	if (interval->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be of fixed length", name),
				 errdetail("%s is \"%s\", and months differ in length.", name,
						   interval_text(interval)),
				 errhint("Use weeks, days or less, such as '30 days'.")));
	if (us <= 0 || us > (double) END_TIMESTAMP)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be positive and finite", name),
				 errdetail("%s is \"%s\".", name, interval_text(interval)),
				 errhint("Use an interval such as '1 day'.")));
	return (int64) us;
}

TimestampTz
arg_time(FunctionCallInfo fcinfo, int argno, const char *name)
{
	TimestampTz time;

	arg_not_null(fcinfo, argno, name);
	time = PG_GETARG_TIMESTAMPTZ(argno);
	if (TIMESTAMP_NOT_FINITE(time))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s must be finite", name)));
	return time;
}

double
finite_value(double value, const char *name)
{
	if (unlikely(!isfinite(value)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a finite number", name),
				 errdetail("%s is %s.", name,
						   isnan(value)	 ? "NaN" :
							   value > 0 ? "Infinity" :
										   "-Infinity"),
				 errhint("Leave such rows out, with FILTER or WHERE.")));
	return value;
}

double
arg_finite(FunctionCallInfo fcinfo, int argno, const char *name)
{
	arg_not_null(fcinfo, argno, name);
	return finite_value(PG_GETARG_FLOAT8(argno), name);
}

/* The declared or inferred type of an argument. */
static Oid
arg_type(FunctionCallInfo fcinfo, int argno)
{
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, argno);

	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the type of argument %d",
						argno + 1)));
	return type;
}

Datum
arg_key(FunctionCallInfo fcinfo, int argno, TypedKey *key)
{
	return typed_key_from(key, PG_GETARG_DATUM(argno), arg_type(fcinfo, argno));
}

/* The array that the caller passed, an untyped literal read as text[]. */
static ArrayType *
arg_array(FunctionCallInfo fcinfo, int argno, const char *name, Oid *element)
{
	Oid type = arg_type(fcinfo, argno);

	if (type == UNKNOWNOID)
	{
		char *literal = DatumGetCString(PG_GETARG_DATUM(argno));

		*element = TEXTOID;
		return DatumGetArrayTypeP(
			OidInputFunctionCall(F_ARRAY_IN, literal, TEXTOID, -1));
	}

	*element = get_base_element_type(type);
	if (!OidIsValid(*element))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s must be an array, not %s", name,
						format_type_be(type)),
				 errhint(
					 "Pass an array of items, such as ARRAY[...] or ARRAY(SELECT ...).")));
	return PG_GETARG_ARRAYTYPE_P(argno);
}

void
arg_key_array(FunctionCallInfo fcinfo, int argno, const char *name,
			  TypedKey *key, KeyArray *array)
{
	ArrayType *value;
	Oid element;
	int16 len;
	bool byval;
	char align;

	memset(array, 0, sizeof(*array));
	if (PG_ARGISNULL(argno))
		return;

	value = arg_array(fcinfo, argno, name, &element);
	get_typlenbyvalalign(element, &len, &byval, &align);
	deconstruct_array(value, element, len, byval, align, &array->keys,
					  &array->nulls, &array->n);
	array->given = true;
	for (int i = 0; i < array->n; i++)
	{
		if (!array->nulls[i])
			array->keys[i] = typed_key_from(key, array->keys[i], element);
	}
}

void
arg_keys(FunctionCallInfo fcinfo, int argno, const char *name, TypedKey *key,
		 KeyList *list)
{
	KeyArray array;

	arg_key_array(fcinfo, argno, name, key, &array);
	list->given = array.given;
	list->keys = array.keys;
	list->n = 0;
	for (int i = 0; i < array.n; i++)
	{
		if (!array.nulls[i])
			list->keys[list->n++] = array.keys[i];
	}
}

static void
init_output(KeyOutput *output, TypedKey *key, FunctionCallInfo fcinfo,
			int type_argno, const char *argument, const char *keys)
{
	Oid type;

	memset(output, 0, sizeof(*output));
	output->key = key;
	output->as_text = type_argno < 0;
	if (output->as_text)
		return;

	type = arg_type(fcinfo, type_argno);
	if (type == key->typid)
		return;
	if (!IsBinaryCoercible(key->typid, getBaseType(type)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s is %s, but the %s are %s", argument,
						format_type_be(type), keys, format_type_be(key->typid)),
				 errhint("Use %s => NULL::%s.", argument,
						 format_type_be(key->typid))));
	if (getBaseType(type) != type)
		output->domain = type;
}

void
key_output_init(KeyOutput *output, TypedKey *key, FunctionCallInfo fcinfo,
				int type_argno)
{
	init_output(output, key, fcinfo, type_argno, "item_type", "items");
}

void
subject_output_init(KeyOutput *output, TypedKey *key, FunctionCallInfo fcinfo,
					int type_argno)
{
	init_output(output, key, fcinfo, type_argno, "subject_type", "subjects");
}

Datum
key_output(KeyOutput *output, Datum value)
{
	if (output->as_text)
		return CStringGetTextDatum(typed_key_text(output->key, value));
	if (OidIsValid(output->domain))
		domain_check(value, false, output->domain, &output->domain_cache,
					 CurrentMemoryContext);
	return value;
}
