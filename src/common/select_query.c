/*
 * select_query.c
 *		The text of a query that a caller passed.
 *
 * It is prepared by itself first: that names its columns, and makes sure that
 * it is one whole statement, before its text becomes part of another.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/select_query.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

static char *
statement_text(const char *query, const RawStmt *raw)
{
	int length = raw->stmt_len ? raw->stmt_len :
								 (int) strlen(query) - raw->stmt_location;

	return pnstrdup(query + raw->stmt_location, length);
}

SelectQuery
select_query(const char *query, const char *function, const char *hint)
{
	SPIPlanPtr plan = SPI_prepare(query, 0, NULL);
	List *sources;
	CachedPlanSource *source;
	SelectQuery select;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	source = list_length(sources) == 1 ? linitial(sources) : NULL;
	if (source == NULL || source->resultDesc == NULL ||
		!IsA(source->raw_parse_tree->stmt, SelectStmt))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query of %s() must be one SELECT", function),
				 errhint("%s", hint)));
	select.text = statement_text(query, source->raw_parse_tree);
	select.desc = CreateTupleDescCopy(source->resultDesc);
	SPI_freeplan(plan);
	return select;
}

static int
find_column(const char *name, const QueryColumn *columns, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(columns[i].name, name) == 0)
			return i;
	}
	return -1;
}

static bool
is_number(Oid type)
{
	switch (type)
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

static bool
has_kind(const QueryColumn *column, Oid type)
{
	switch (column->kind)
	{
		case QUERY_TYPE:
			return type == column->type;
		case QUERY_NUMBER:
			return is_number(type);
		case QUERY_NUMBER_OR_BOOLEAN:
			return is_number(type) || type == BOOLOID;
		default:
			return true;
	}
}

static void
check_type(Oid type, const QueryColumn *column)
{
	if (has_kind(column, getBaseType(type)))
		return;
	if (column->kind == QUERY_TYPE)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the query must be of type %s",
						column->name, format_type_be(column->type)),
				 errdetail("It is of type %s.", format_type_be(type)),
				 errhint("Cast it to %s.", format_type_be(column->type))));
	if (column->kind == QUERY_NUMBER)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the query must be a number",
						column->name),
				 errdetail("It is of type %s.", format_type_be(type)),
				 errhint("Cast it to numeric or double precision.")));
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of the query must be a number or boolean",
					column->name),
			 errdetail("It is of type %s.", format_type_be(type)),
			 errhint(
				 "Make it one, such as extract(epoch FROM duration) or answer = 'yes'.")));
}

void
check_query_columns(const SelectQuery *query, const QueryColumn *columns, int n,
					const char *function, const char *hint, Oid *types)
{
	memset(types, 0, n * sizeof(Oid));
	for (int i = 0; i < query->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(query->desc, i);
		const char *name = NameStr(attribute->attname);
		int column = find_column(name, columns, n);

		if (column < 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of the query is none that %s() knows",
							name, function),
					 errhint("%s", hint)));
		if (OidIsValid(types[column]))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("the query returns column \"%s\" twice", name),
					 errhint("%s", hint)));
		check_type(attribute->atttypid, &columns[column]);
		types[column] = getBaseType(attribute->atttypid);
	}
	for (int i = 0; i < n; i++)
	{
		if (!OidIsValid(types[i]) && !columns[i].optional)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the query returns no column \"%s\"",
							columns[i].name),
					 errhint("%s", hint)));
	}
}
