/*
 * report_query.c
 *		The query that experiment_report() is given.
 *
 * It is checked by itself first, as in select_query.c, and becomes part of one
 * that aggregates it, which may be a parallel one.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/select_query.h"
#include "executor/spi.h"
#include "experiment/report.h"
#include "utils/builtins.h"

#define COLUMNS_HINT \
	"The query is to return one row a unit: arm and outcome and, if wanted, covariate; or, for a ratio, arm, numerator and denominator and, if wanted, numerator_before and denominator_before. With a column unit it is made sure that no unit has two rows."

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

static const QueryColumn columns_known[COLUMNS] = {
	{ .name = "arm", .kind = QUERY_ANY },
	{ .name = "outcome", .kind = QUERY_NUMBER_OR_BOOLEAN, .optional = true },
	{ .name = "covariate", .kind = QUERY_NUMBER_OR_BOOLEAN, .optional = true },
	{ .name = "numerator", .kind = QUERY_NUMBER_OR_BOOLEAN, .optional = true },
	{ .name = "denominator", .kind = QUERY_NUMBER_OR_BOOLEAN, .optional = true },
	{ .name = "numerator_before",
	  .kind = QUERY_NUMBER_OR_BOOLEAN,
	  .optional = true },
	{ .name = "denominator_before",
	  .kind = QUERY_NUMBER_OR_BOOLEAN,
	  .optional = true },
	{ .name = "unit", .kind = QUERY_ANY, .optional = true },
};

/* The types of the columns that there are. */
typedef struct Columns
{
	Oid types[COLUMNS];
	bool is_ratio;
} Columns;

static void
need_column(const Columns *columns, ReportColumn column)
{
	if (!OidIsValid(columns->types[column]))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("the query returns no column \"%s\"",
						columns_known[column].name),
				 errhint(COLUMNS_HINT)));
}

static bool
has_column(const Columns *columns, ReportColumn column)
{
	return OidIsValid(columns->types[column]);
}

/* Those of a mean, or those of a ratio. */
static void
check_columns(const SelectQuery *query, Columns *columns)
{
	check_query_columns(query, columns_known, COLUMNS, "experiment_report",
						COLUMNS_HINT, columns->types);
	columns->is_ratio =
		has_column(columns, NUMERATOR) || has_column(columns, DENOMINATOR);
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
						 columns_known[i].name,
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
		appendStringInfo(sql, "%sq.%s", separator, columns_known[i].name);
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
						 columns_known[columns->is_ratio ? NUMERATOR : OUTCOME]
							 .name)));
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

bool
report_run_query(const char *given)
{
	SelectQuery query = select_query(given, "experiment_report", COLUMNS_HINT);
	Columns columns;

	check_columns(&query, &columns);
	if (has_column(&columns, UNIT))
		check_units(&query);
	run_query(&query, &columns);
	tell_of_skipped(&columns);
	return columns.is_ratio;
}
