/*
 * report.c
 *		What experiment_report() cannot say in SQL: it runs the caller's query,
 *		and complains.
 *
 * The query is checked by itself first, as in select_query.c, and becomes part
 * of one that aggregates it, which may be a parallel one.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/args.h"
#include "common/select_query.h"
#include "executor/spi.h"
#include "experiment/experiment.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

/* A split as unlikely as this is a defect of the experiment. */
#define BROKEN_SPLIT 0.001

/* How many arms a message names. */
#define ARMS_LISTED 20

#define COLUMNS_HINT \
	"The query is to return one row a unit: arm and outcome and, if wanted, covariate; or, for a ratio, arm, numerator and denominator and, if wanted, numerator_before and denominator_before. With a column unit it is made sure that no unit has two rows."

PG_FUNCTION_INFO_V1(personalize_experiment_arms);
PG_FUNCTION_INFO_V1(personalize_experiment_control);
PG_FUNCTION_INFO_V1(personalize_split_is_broken);

/* ---- the query ---- */

typedef enum ReportColumn
{
	ARM,
	OUTCOME,
	COVARIATE,
	NUMERATOR,
	DENOMINATOR,
	NUMERATOR_BEFORE,
	DENOMINATOR_BEFORE,
	FIGURES, /* those above but the arm */
	UNIT = FIGURES,
	COLUMNS
} ReportColumn;

static const char *const column_names[COLUMNS] = {
	"arm",		   "outcome",		   "covariate",			 "numerator",
	"denominator", "numerator_before", "denominator_before", "unit"
};

/* The types of the columns that there are, without domains. */
typedef struct Columns
{
	Oid types[COLUMNS];
	bool is_ratio;
} Columns;

static bool
is_number(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return true;
		default:
			return false;
	}
}

static int
find_column(const char *name)
{
	for (int i = 0; i < COLUMNS; i++)
	{
		if (strcmp(column_names[i], name) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of the query is none that experiment_report() knows",
					name),
			 errhint(COLUMNS_HINT)));
	return -1;
}

static void
check_column(Form_pg_attribute attribute, Columns *columns)
{
	const char *name = NameStr(attribute->attname);
	int column = find_column(name);
	Oid type = getBaseType(attribute->atttypid);

	if (OidIsValid(columns->types[column]))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("the query returns column \"%s\" twice", name),
				 errhint(COLUMNS_HINT)));
	if (column != ARM && column != UNIT && !is_number(type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the query must be a number or boolean",
						name),
				 errdetail("It is of type %s.",
						   format_type_be(attribute->atttypid)),
				 errhint(
					 "Make it one, such as extract(epoch FROM duration) or answer = 'yes'.")));
	columns->types[column] = type;
}

static void
need_column(const Columns *columns, ReportColumn column)
{
	if (!OidIsValid(columns->types[column]))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the query returns no column \"%s\"",
						column_names[column]),
				 errhint(COLUMNS_HINT)));
}

static bool
has_column(const Columns *columns, ReportColumn column)
{
	return OidIsValid(columns->types[column]);
}

static void
check_columns(TupleDesc desc, Columns *columns)
{
	memset(columns, 0, sizeof(*columns));
	for (int i = 0; i < desc->natts; i++)
		check_column(TupleDescAttr(desc, i), columns);

	columns->is_ratio =
		has_column(columns, NUMERATOR) || has_column(columns, DENOMINATOR);
	need_column(columns, ARM);
	if (!columns->is_ratio)
	{
		need_column(columns, OUTCOME);
		columns->is_ratio = has_column(columns, NUMERATOR_BEFORE) ||
			has_column(columns, DENOMINATOR_BEFORE);
	}
	if (!columns->is_ratio)
		return;

	need_column(columns, NUMERATOR);
	need_column(columns, DENOMINATOR);
	if (has_column(columns, NUMERATOR_BEFORE) ||
		has_column(columns, DENOMINATOR_BEFORE))
	{
		need_column(columns, NUMERATOR_BEFORE);
		need_column(columns, DENOMINATOR_BEFORE);
	}
	if (has_column(columns, OUTCOME) || has_column(columns, COVARIATE))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(
					 "the query returns the columns of a mean and those of a ratio"),
				 errhint(COLUMNS_HINT)));
}

/* The arguments of moments(): as numeric if all are, otherwise as float8. */
static void
append_arguments(StringInfo sql, const Columns *columns)
{
	const char *separator = "";
	bool all_numeric = true;

	for (int i = OUTCOME; i < FIGURES; i++)
	{
		if (has_column(columns, i) && columns->types[i] != NUMERICOID)
			all_numeric = false;
	}
	for (int i = OUTCOME; i < FIGURES; i++)
	{
		if (!has_column(columns, i))
			continue;
		appendStringInfo(sql, "%sq.%s%s::pg_catalog.%s", separator,
						 column_names[i],
						 columns->types[i] == BOOLOID ? "::pg_catalog.int4" :
														"",
						 all_numeric ? "numeric" : "float8");
		separator = ", ";
	}
}

/* Whether moments() skips the row. */
static void
append_is_skipped(StringInfo sql, const Columns *columns)
{
	const char *separator = "";

	appendStringInfoString(sql, "pg_catalog.num_nulls(");
	for (int i = OUTCOME; i < FIGURES; i++)
	{
		if (!has_column(columns, i))
			continue;
		appendStringInfo(sql, "%sq.%s", separator, column_names[i]);
		separator = ", ";
	}
	appendStringInfoString(sql, ") OPERATOR(pg_catalog.>) 0");
}

/* A row for each arm: its name, the moments of its units, how many were skipped. */
static void
run_query(const SelectQuery *query, const Columns *columns)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql,
						   "SELECT q.arm::pg_catalog.text COLLATE pg_catalog.\"C\", personalize.moments(");
	append_arguments(&sql, columns);
	appendStringInfoString(&sql, "), pg_catalog.count(*) FILTER (WHERE ");
	append_is_skipped(&sql, columns);
	appendStringInfo(&sql,
					 ") FROM (%s\n) q WHERE q.arm IS NOT NULL GROUP BY 1 ORDER BY 1",
					 query->text);
	if (SPI_execute(sql.data, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "the query of experiment_report() cannot be run");
}

/*
 * A customer without an order has often a NULL where a 0 is meant, and then
 * buyers are compared with buyers.
 */
static void
tell_of_skipped(const Columns *columns)
{
	int64 skipped = 0;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool isnull;

		skipped +=
			DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
										SPI_tuptable->tupdesc, 3, &isnull));
	}
	if (skipped > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld row with a null was left out",
							   "%lld rows with a null were left out",
							   (unsigned long) skipped, (long long) skipped),
				 errhint("Where null means none, say so, as in coalesce(%s, 0).",
						 column_names[columns->is_ratio ? NUMERATOR :
														  OUTCOME])));
}

static int64
count_column(int column)
{
	bool isnull;

	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, column, &isnull));
}

/*
 * Rows of one unit are not independent, and taking them for such makes
 * intervals far too narrow.  It costs another run of the query, so it is done
 * only if units are named.
 */
static void
check_units(const SelectQuery *query)
{
	StringInfoData sql;
	const char *unit;

	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "SELECT q.unit::pg_catalog.text, pg_catalog.count(*), pg_catalog.count(DISTINCT q.arm::pg_catalog.text),"
					 " pg_catalog.count(*) OVER ()"
					 " FROM (%s\n) q WHERE q.arm IS NOT NULL GROUP BY q.unit"
					 " HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 ORDER BY 2 DESC, 1 LIMIT 1",
					 query->text);
	if (SPI_execute(sql.data, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "the query of experiment_report() cannot be run");
	if (SPI_processed == 0)
		return;
	unit = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	ereport(ERROR,
			(errcode(ERRCODE_CARDINALITY_VIOLATION),
			 errmsg("a unit must have one row"),
			 errdetail("%lld of them have more, such as %s with %lld rows, arms: %lld.",
					   (long long) count_column(4),
					   unit ? quote_literal_cstr(unit) : "NULL",
					   (long long) count_column(2),
					   (long long) count_column(3)),
			 errhint(
				 "Sum up what belongs to a unit with GROUP BY; a unit in two arms belongs in none.")));
}

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
	Columns columns;
	SelectQuery query;

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
	query = select_query(text_to_cstring(PG_GETARG_TEXT_PP(0)),
						 "experiment_report", COLUMNS_HINT);
	check_columns(query.desc, &columns);
	if (has_column(&columns, UNIT))
		check_units(&query);
	run_query(&query, &columns);
	tell_of_skipped(&columns);
	if (PG_ARGISNULL(1))
		return_arms(result, columns.is_ratio);
	else
		return_variants(result, PG_GETARG_ARRAYTYPE_P(1), columns.is_ratio);
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
