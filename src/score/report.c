/*
 * report.c
 *		segment_report(): the segments that a query tells, side by side.
 *
 * The caller's query is prepared by itself first: that names its columns, and
 * makes sure that it is one whole statement, before its text becomes part of
 * another.  The sums are the executor's work; what compares one segment with
 * all of them is done here.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/args.h"
#include "compat.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

typedef enum ReportColumn
{
	COLUMN_SEGMENT,
	COLUMN_ORDERS,
	COLUMN_MONETARY,
	COLUMN_LIFETIME_VALUE,
	COLUMNS
} ReportColumn;

static const char *const column_names[COLUMNS] = { "segment", "orders",
												   "monetary",
												   "lifetime_value" };

#define COLUMNS_HINT \
	"The query is to return segment, orders and monetary, one row a customer, and may return lifetime_value."

/* A row of the sums, and of all rows together. */
typedef struct Totals
{
	double customers;
	double orders;
	double revenue;
} Totals;

PG_FUNCTION_INFO_V1(personalize_segment_report);

static bool
is_number(Oid type)
{
	switch (getBaseType(type))
	{
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
			 errmsg("column \"%s\" of the query is none that segment_report() knows",
					name),
			 errhint(COLUMNS_HINT)));
	return -1;
}

static void
check_columns(TupleDesc desc, bool *found)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		const char *name = NameStr(attribute->attname);
		int column = find_column(name);

		if (found[column])
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("the query returns column \"%s\" twice", name)));
		found[column] = true;
		if (column != COLUMN_SEGMENT && !is_number(attribute->atttypid))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of the query must be a number",
							name),
					 errdetail("It is of type %s.",
							   format_type_be(attribute->atttypid)),
					 errhint("Cast it to numeric or double precision.")));
	}
	for (int i = 0; i < COLUMN_LIFETIME_VALUE; i++)
	{
		if (!found[i])
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the query returns no column \"%s\"",
							column_names[i]),
					 errhint(COLUMNS_HINT)));
	}
}

/* The statement without what may surround it, such as a semicolon. */
static char *
statement_text(const char *query, const RawStmt *raw)
{
	int length = raw->stmt_len ? raw->stmt_len :
								 (int) strlen(query) - raw->stmt_location;

	return pnstrdup(query + raw->stmt_location, length);
}

/* Check the query; its text, and which columns it returns. */
static char *
check_query(const char *query, bool *found)
{
	SPIPlanPtr plan = SPI_prepare(query, 0, NULL);
	List *sources;
	CachedPlanSource *source;
	char *statement;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	source = list_length(sources) == 1 ? linitial(sources) : NULL;
	if (source == NULL || source->resultDesc == NULL ||
		!IsA(source->raw_parse_tree->stmt, SelectStmt))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query of segment_report() must be one SELECT"),
				 errhint(COLUMNS_HINT)));
	check_columns(source->resultDesc, found);
	statement = statement_text(query, source->raw_parse_tree);
	SPI_freeplan(plan);
	return statement;
}

/* One row a segment: text, and then float8 all along. */
static void
run_sums(const char *statement, bool has_value)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "SELECT q.segment::pg_catalog.text, pg_catalog.count(*)::pg_catalog.float8,"
					 " pg_catalog.min(q.orders)::pg_catalog.float8,"
					 " coalesce(pg_catalog.sum(q.orders)::pg_catalog.float8, 0),"
					 " coalesce(pg_catalog.sum(q.monetary)::pg_catalog.float8, 0),"
					 " %s"
					 " FROM (%s\n) q GROUP BY 1"
					 " ORDER BY 5 DESC, q.segment::pg_catalog.text COLLATE pg_catalog.\"C\"",
					 has_value ?
						 "pg_catalog.avg(q.lifetime_value)::pg_catalog.float8" :
						 "NULL::pg_catalog.float8",
					 statement);
	if (SPI_execute(sql.data, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "the query of segment_report() cannot be run");
}

static double
sum_column(uint64 row, int column, bool *isnull)
{
	return DatumGetFloat8(SPI_getbinval(SPI_tuptable->vals[row],
										SPI_tuptable->tupdesc, column, isnull));
}

static void
check_sum(uint64 row, const char *name, double value)
{
	char *segment =
		SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1);

	if (isfinite(value))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be a finite number", name),
			 errdetail("It adds up to %s in segment %s.",
					   isnan(value) ? "NaN" : "infinity",
					   segment ? quote_literal_cstr(segment) : "NULL"),
			 errhint("Leave such rows out of the query.")));
}

static Totals
read_totals(uint64 row)
{
	bool isnull;
	double least = sum_column(row, 3, &isnull);
	Totals sums;

	if (!isnull && least < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("orders must not be negative"),
				 errdetail("A row of the query has %g.", least)));
	sums.customers = sum_column(row, 2, &isnull);
	sums.orders = sum_column(row, 4, &isnull);
	sums.revenue = sum_column(row, 5, &isnull);
	check_sum(row, "orders", sums.orders);
	check_sum(row, "monetary", sums.revenue);
	return sums;
}

static void
set_ratio(Datum *values, bool *nulls, int column, double part, double whole)
{
	nulls[column] = whole <= 0;
	if (!nulls[column])
		values[column] = Float8GetDatum(part / whole);
}

static void
put_segment(ReturnSetInfo *rsinfo, uint64 row, const Totals *all)
{
	Totals sums = read_totals(row);
	Datum values[8] = { 0 };
	bool nulls[8] = { false };
	double value;

	values[0] = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1,
							  &nulls[0]);
	values[1] = Int64GetDatum((int64) sums.customers);
	set_ratio(values, nulls, 2, sums.customers, all->customers);
	values[3] = Float8GetDatum(sums.revenue);
	set_ratio(values, nulls, 4, sums.revenue, all->revenue);
	set_ratio(values, nulls, 5, sums.revenue, sums.orders);
	set_ratio(values, nulls, 6, sums.orders, sums.customers);
	value = sum_column(row, 6, &nulls[7]);
	if (!nulls[7])
		check_sum(row, "lifetime_value", value);
	values[7] = Float8GetDatum(value);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

Datum
personalize_segment_report(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	bool found[COLUMNS] = { false };
	Totals all = { 0 };
	char *query;

	arg_not_null(fcinfo, 0, "query");
	query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	InitMaterializedSRF(fcinfo, 0);

	SPI_connect();
	query = check_query(query, found);
	run_sums(query, found[COLUMN_LIFETIME_VALUE]);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		Totals sums = read_totals(row);

		all.customers += sums.customers;
		all.orders += sums.orders;
		all.revenue += sums.revenue;
	}
	for (uint64 row = 0; row < SPI_processed; row++)
		put_segment(rsinfo, row, &all);
	SPI_finish();
	return (Datum) 0;
}
