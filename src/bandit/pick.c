/*
 * pick.c
 *		bandit_pick(): an arm by its probability, the same for the same unit.
 *
 * The unit's hash is one that any language can compute in a few lines, so that
 * an application picks as the database does; doc/bandits.md has it with test
 * vectors.  It must never change.
 */
#include "postgres.h"

#include "bandit/bandit.h"
#include "catalog/pg_type.h"
#include "common/args.h"
#include "common/mix.h"
#include "drift/drift.h"
#include "lib/stringinfo.h"
#include "compat.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

/* Probabilities may miss a sum of 1 by this. */
#define TOLERANCE 1e-6

PG_FUNCTION_INFO_V1(personalize_bandit_uniform);
PG_FUNCTION_INFO_V1(personalize_bandit_uniform_bigint);
PG_FUNCTION_INFO_V1(personalize_bandit_pick);
PG_FUNCTION_INFO_V1(personalize_bandit_pick_bigint);
PG_FUNCTION_INFO_V1(personalize_bandit_pick_arm);
PG_FUNCTION_INFO_V1(personalize_bandit_pick_arm_bigint);

/* FNV-1a of Fowler, Noll and Vo, for 64 bits. */
static uint64
fnv1a(const char *bytes, int length)
{
	uint64 hash = UINT64CONST(0xcbf29ce484222325);

	for (int i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) bytes[i]) * UINT64CONST(0x100000001b3);
	return hash;
}

/* A number in [0, 1) that seed and unit decide, of 53 bits. */
static double
unit_number(FunctionCallInfo fcinfo, int seed_argno, bool is_bigint)
{
	StringInfoData buf;
	char *utf8;
	uint64 hash;

	initStringInfo(&buf);
	appendStringInfoString(&buf,
						   text_to_cstring(PG_GETARG_TEXT_PP(seed_argno)));
	appendStringInfoChar(&buf, ':');
	if (is_bigint)
		appendStringInfo(&buf, INT64_FORMAT, PG_GETARG_INT64(seed_argno + 1));
	else
		appendStringInfoString(&buf,
							   text_to_cstring(
								   PG_GETARG_TEXT_PP(seed_argno + 1)));
	utf8 = pg_server_to_any(buf.data, buf.len, PG_UTF8);
	hash = mix64(fnv1a(utf8, utf8 == buf.data ? buf.len : (int) strlen(utf8)));
	return (double) (hash >> 11) / 9007199254740992.0; /* 2^53 */
}

static Sample
arg_probabilities(FunctionCallInfo fcinfo, int argno)
{
	Sample sample;
	double total = 0;

	arg_not_null(fcinfo, argno, "probabilities");
	sample = arg_numbers(fcinfo, argno, "probabilities");
	for (int i = 0; i < sample.n; i++)
	{
		if (sample.values[i] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("probabilities must not be negative"),
					 errdetail("Element %d is %s.", i + 1,
							   float8out_internal(sample.values[i])),
					 errhint("Pass what bandit_probabilities() returns.")));
		total += sample.values[i];
	}
	if (!(total >= 1 - TOLERANCE && total <= 1 + TOLERANCE))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("probabilities must sum to 1"),
				 errdetail("They sum to %s.", float8out_internal(total)),
				 errhint(
					 "Pass what bandit_probabilities() returns, or divide by the sum.")));
	return sample;
}

/*
 * The first arm up to which probabilities exceed the number, which is scaled
 * to what they sum to; never one of probability 0.
 */
static int
pick(const Sample *probabilities, double number)
{
	double total = 0;
	double upto = 0;
	int last = 0;

	for (int i = 0; i < probabilities->n; i++)
		total += probabilities->values[i];
	for (int i = 0; i < probabilities->n; i++)
	{
		if (probabilities->values[i] == 0)
			continue;
		upto += probabilities->values[i];
		last = i;
		if (number * total < upto)
			break;
	}
	return last;
}

/* NULL without a unit. */
static Datum
pick_number(FunctionCallInfo fcinfo, bool is_bigint)
{
	Sample probabilities = arg_probabilities(fcinfo, 0);

	arg_not_null(fcinfo, 1, "seed");
	if (PG_ARGISNULL(2))
		PG_RETURN_NULL();
	PG_RETURN_INT32(pick(&probabilities, unit_number(fcinfo, 1, is_bigint)) +
					1);
}

static Datum
pick_arm(FunctionCallInfo fcinfo, bool is_bigint)
{
	ArrayType *array;
	Sample probabilities;
	Datum *arms;
	bool *nulls;
	int n;

	arg_not_null(fcinfo, 0, "arms");
	probabilities = arg_probabilities(fcinfo, 1);
	arg_not_null(fcinfo, 2, "seed");
	array = PG_GETARG_ARRAYTYPE_P(0);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("arms must have one dimension"),
				 errdetail("It has %d.", ARR_NDIM(array)),
				 errhint("Pass the name of each arm.")));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &arms, &nulls,
					  &n);
	if (n != probabilities.n)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("arms and probabilities must have the same length"),
				 errdetail("One has %d elements, the other %d.", n,
						   probabilities.n),
				 errhint(
					 "Pass the name of each arm, in the order of their probabilities.")));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("arms must not hold nulls"),
					 errdetail("Element %d is null.", i + 1),
					 errhint("Pass the name of each arm.")));
	}
	if (PG_ARGISNULL(3))
		PG_RETURN_NULL();
	return arms[pick(&probabilities, unit_number(fcinfo, 2, is_bigint))];
}

Datum
personalize_bandit_uniform(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(unit_number(fcinfo, 0, false));
}

Datum
personalize_bandit_uniform_bigint(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(unit_number(fcinfo, 0, true));
}

Datum
personalize_bandit_pick(PG_FUNCTION_ARGS)
{
	return pick_number(fcinfo, false);
}

Datum
personalize_bandit_pick_bigint(PG_FUNCTION_ARGS)
{
	return pick_number(fcinfo, true);
}

Datum
personalize_bandit_pick_arm(PG_FUNCTION_ARGS)
{
	return pick_arm(fcinfo, false);
}

Datum
personalize_bandit_pick_arm_bigint(PG_FUNCTION_ARGS)
{
	return pick_arm(fcinfo, true);
}
