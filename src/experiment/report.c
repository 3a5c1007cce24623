/*
 * report.c
 *		What experiment_report() cannot say in SQL: the arms of the caller's
 *		query, and complaints.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/args.h"
#include "executor/spi.h"
#include "experiment/experiment.h"
#include "experiment/report.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

/* A split as unlikely as this is a defect of the experiment. */
#define BROKEN_SPLIT 0.001

/* How many arms a message names. */
#define ARMS_LISTED 20

PG_FUNCTION_INFO_V1(personalize_experiment_arms);
PG_FUNCTION_INFO_V1(personalize_experiment_control);
PG_FUNCTION_INFO_V1(personalize_split_is_broken);

/* ---- arms ---- */

/* The first of them, for there may be as many as units, by mistake. */
static char *
arm_list(const Datum *arms, int n)
{
	StringInfoData list;
	int listed = Min(n, ARMS_LISTED);

	initStringInfo(&list);
	for (int i = 0; i < listed; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "",
						 TextDatumGetCString(arms[i]));
	if (listed < n)
		appendStringInfo(&list, " and %d more", n - listed);
	return list.data;
}

static void
check_distinct(const Datum *arms, int n)
{
	const char **names = palloc(Max(n, 1) * sizeof(char *));

	for (int i = 0; i < n; i++)
		names[i] = TextDatumGetCString(arms[i]);
	qsort(names, n, sizeof(char *), pg_qsort_strcmp);
	for (int i = 1; i < n; i++)
	{
		if (strcmp(names[i - 1], names[i]) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("arms must not contain \"%s\" twice", names[i]),
					 errhint(
						 "Name each arm once; merge moments of the same arm with moments_merge().")));
	}
}

static void
check_arms(const Datum *arms, const bool *nulls, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("arms must not contain nulls"),
					 errhint("Leave out units that are in no arm.")));
	}
	check_distinct(arms, n);
	if (n < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an experiment needs at least two arms"),
				 errdetail("There is %s.", n == 0 ? "none" : "one"),
				 errhint(
					 "Name them with variants, if some have had no units yet.")));
}

static bool
is_among(const char *name, const Datum *arms, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(TextDatumGetCString(arms[i]), name) == 0)
			return true;
	}
	return false;
}

static void
put_arm(ReturnSetInfo *result, Datum arm, Datum outcome, bool isnull,
		bool is_ratio)
{
	Datum values[3] = { arm, outcome, BoolGetDatum(is_ratio) };
	bool nulls[3] = { false, isnull, false };

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The arms that there are. */
static void
return_arms(ReturnSetInfo *result, bool is_ratio)
{
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool isnull;
		Datum arm = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
								  1, &isnull);
		Datum outcome = SPI_getbinval(SPI_tuptable->vals[i],
									  SPI_tuptable->tupdesc, 2, &isnull);

		put_arm(result, arm, outcome, isnull, is_ratio);
	}
}

/* The row of an arm, or -1. */
static int64
find_arm(const char *name)
{
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		if (strcmp(SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
								1),
				   name) == 0)
			return (int64) i;
	}
	return -1;
}

/* The arms that there should be, in their order, some of them without units. */
static void
return_variants(ReturnSetInfo *result, ArrayType *variants, bool is_ratio)
{
	Datum *arms;
	bool *nulls;
	int n;
	uint64 found = 0;

	deconstruct_array(variants, TEXTOID, -1, false, TYPALIGN_INT, &arms, &nulls,
					  &n);
	check_arms(arms, nulls, n);
	for (int i = 0; i < n; i++)
	{
		int64 row = find_arm(TextDatumGetCString(arms[i]));
		bool isnull = true;
		Datum outcome = (Datum) 0;

		if (row >= 0)
			outcome = SPI_getbinval(SPI_tuptable->vals[row],
									SPI_tuptable->tupdesc, 2, &isnull);
		found += row >= 0;
		put_arm(result, arms[i], outcome, isnull, is_ratio);
	}
	for (uint64 i = 0; i < SPI_processed && found < SPI_processed; i++)
	{
		const char *name =
			SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);

		if (!is_among(name, arms, n))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("arm \"%s\" of the query is none of the variants",
							name),
					 errdetail("The variants are: %s.", arm_list(arms, n)),
					 errhint(
						 "Leave such units out of the query, or name the arm with the variants.")));
	}
}

Datum
personalize_experiment_arms(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool is_ratio;

	arg_not_null(fcinfo, 0, "query");
	/* arms come in an order of their own, which is not that of assign() */
	if (!PG_ARGISNULL(2) && PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weights need variants"),
				 errdetail("Arms of a query have no order, and weights do."),
				 errhint("Pass variants and weights as to assign().")));
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	is_ratio = report_run_query(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (PG_ARGISNULL(1))
		return_arms(result, is_ratio);
	else
		return_variants(result, PG_GETARG_ARRAYTYPE_P(1), is_ratio);
	SPI_finish();
	return (Datum) 0;
}

/* ---- parts of experiment_report() ---- */

static void
check_planned(FunctionCallInfo fcinfo, int argno)
{
	if (PG_ARGISNULL(argno) || PG_GETARG_INT64(argno) > 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("planned_units must be positive"),
			 errdetail("planned_units is %lld.",
					   (long long) PG_GETARG_INT64(argno)),
			 errhint(
				 "It is the number of units of each arm, as sample_size_means() and sample_size_proportions() tell it.")));
}

/* The place of the control among the arms, from 1 on. */
Datum
personalize_experiment_control(PG_FUNCTION_ARGS)
{
	const char *control = "control";
	Datum *arms;
	bool *nulls;
	int n;

	arg_not_null(fcinfo, 0, "arms");
	arg_not_null(fcinfo, 1, "outcomes");
	check_planned(fcinfo, 3);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false,
					  TYPALIGN_INT, &arms, &nulls, &n);
	check_arms(arms, nulls, n);
	if (PG_GETARG_INT32(1) != n)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg(
					 "arms and outcomes must have the same number of elements"),
				 errdetail("They have %d and %d.", n, PG_GETARG_INT32(1)),
				 errhint("An arm without units has NULL for its outcome.")));
	if (!PG_ARGISNULL(2))
		control = text_to_cstring(PG_GETARG_TEXT_PP(2));
	for (int i = 0; i < n; i++)
	{
		if (strcmp(TextDatumGetCString(arms[i]), control) == 0)
			PG_RETURN_INT32(i + 1);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no arm \"%s\" to be the control", control),
			 errdetail("The arms are: %s.", arm_list(arms, n)),
			 errhint("Name one of them with the argument control.")));
	PG_RETURN_NULL(); /* not reached */
}

/* Warns. */
Datum
personalize_split_is_broken(PG_FUNCTION_ARGS)
{
	double p = PG_GETARG_FLOAT8(0);

	if (p < BROKEN_SPLIT)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("units are not split as the weights have it"),
				 errdetail("By chance alone that would be so with a probability of %s.",
						   p > 0 ? psprintf("%.2g", p) : "less than 1e-300"),
				 errhint(
					 "Pass the variants and weights of assign() if they are not equal. If they are right, find out what lost or doubled units of some arms before you read any result.")));
	PG_RETURN_BOOL(p < BROKEN_SPLIT);
}
