/*
 * report.c
 *		segment_report(): the segments that a query tells, side by side.
 *
 * The sums are the executor's work; what compares one segment with all of them
 * is done here.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "common/select_query.h"
#include "compat.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"

typedef enum ReportColumn
{
	COLUMN_SEGMENT,
	COLUMN_ORDERS,
	COLUMN_MONETARY,
	COLUMN_LIFETIME_VALUE,
	COLUMNS
} ReportColumn;

static const QueryColumn columns[COLUMNS] = {
	{ .name = "segment", .kind = QUERY_ANY },
	{ .name = "orders", .kind = QUERY_NUMBER },
	{ .name = "monetary", .kind = QUERY_NUMBER },
	{ .name = "lifetime_value", .kind = QUERY_NUMBER, .optional = true },
};

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
	Oid types[COLUMNS];
	Totals all = { 0 };
	SelectQuery query;

	arg_not_null(fcinfo, 0, "query");
	InitMaterializedSRF(fcinfo, 0);

	SPI_connect();
	query = select_query(text_to_cstring(PG_GETARG_TEXT_PP(0)),
						 "segment_report", COLUMNS_HINT);
	check_query_columns(&query, columns, COLUMNS, "segment_report",
						COLUMNS_HINT, types);
	run_sums(query.text, OidIsValid(types[COLUMN_LIFETIME_VALUE]));
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
