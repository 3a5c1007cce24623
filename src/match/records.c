/*
 * records.c
 *		The records of one or two relations, as numbers of values.
 *
 * They are read in the order of their id, so nothing that follows depends on
 * where rows happen to lie.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "match/match.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#define FETCH 1000
#define FIRST_RECORDS 1024

void
records_check_memory(MatchRecords *records)
{
	Size limit = (Size) maintenance_work_mem * 1024;

	if (MemoryContextMemAllocated(records->context, true) <= limit)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg(
				 "the records to be matched do not fit into maintenance_work_mem"),
			 errdetail("%d records were read when %d kB were used.", records->n,
					   maintenance_work_mem),
			 errhint("SET maintenance_work_mem = '%dMB'; or match fewer records at a time.",
					 maintenance_work_mem / 1024 * 4 + 4)));
}

/* Zeroed memory that counts against the limit, and may be huge. */
void *
records_alloc(MatchRecords *records, Size size)
{
	void *p = MemoryContextAllocExtended(records->context, Max(size, 1),
										 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	records_check_memory(records);
	return p;
}

static MatchRecords *
records_new(const MatchModel *model)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "match records",
							  ALLOCSET_DEFAULT_SIZES);
	MatchRecords *records =
		MemoryContextAllocZero(context, sizeof(MatchRecords));

	records->context = context;
	records->model = model;
	values_init(&records->values, context);
	return records;
}

static void
make_room(MatchRecords *records)
{
	Size n = records->model->n;

	if (records->n < records->capacity)
		return;
	if (records->capacity == 0)
	{
		records->capacity = FIRST_RECORDS;
		records->ids =
			MemoryContextAllocHuge(records->context,
								   records->capacity * sizeof(char *));
		records->fields =
			MemoryContextAllocHuge(records->context,
								   records->capacity * n * sizeof(int32));
		return;
	}
	if (records->capacity > INT_MAX / 4)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many records to be matched")));
	records->capacity *= 2;
	records->ids =
		repalloc_huge(records->ids, (Size) records->capacity * sizeof(char *));
	records->fields =
		repalloc_huge(records->fields,
					  (Size) records->capacity * n * sizeof(int32));
}

static char *
relation_name(Oid relation)
{
	char *name = get_rel_name(relation);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relation)));
	return quote_qualified_identifier(get_namespace_name(
										  get_rel_namespace(relation)),
									  name);
}

static Oid
column_type(Oid relation, const char *column)
{
	AttrNumber number = get_attnum(relation, column);

	if (number == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of the match model does not exist in relation \"%s\"",
						column, get_rel_name(relation)),
				 errhint(
					 "Match a view that gives the columns the names of the model, or edit the model.")));
	return getBaseType(get_atttype(relation, number));
}

static bool
is_time_type(Oid type)
{
	return type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID;
}

/* A column as text: dates must not depend on DateStyle. */
static void
append_column(StringInfo sql, Oid relation, const char *column)
{
	const char *quoted = quote_identifier(column);

	if (is_time_type(column_type(relation, column)))
		appendStringInfo(sql,
						 ", pg_catalog.to_char(%s::pg_catalog.timestamp, 'YYYYMMDD')",
						 quoted);
	else
		appendStringInfo(sql, ", pg_catalog.lower(%s::pg_catalog.text)",
						 quoted);
}

/*
 * Whether a column of dates as text has the month before the day, which is
 * told by those where one of both is more than 12.
 */
static bool
month_first(Oid relation, const char *column)
{
	StringInfoData sql;
	bool isnull;
	bool result;

	if (is_time_type(column_type(relation, column)))
		return false;
	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "SELECT pg_catalog.count(*) FILTER (WHERE v OPERATOR(pg_catalog.~) '^\\s*\\d?\\d\\D(1[3-9]|2\\d|3[01])\\D')"
					 " OPERATOR(pg_catalog.>) pg_catalog.count(*) FILTER (WHERE v OPERATOR(pg_catalog.~) '^\\s*(1[3-9]|2\\d|3[01])\\D\\d?\\d\\D')"
					 " FROM (SELECT %s::pg_catalog.text COLLATE pg_catalog.\"default\" AS v FROM %s) x",
					 quote_identifier(column), relation_name(relation));
	if (SPI_execute(sql.data, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "dates cannot be read");
	result = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0],
										SPI_tuptable->tupdesc, 1, &isnull));
	return result && !isnull;
}

static void
add_field(MatchRecords *records, int c, bool month_first_here, char *raw)
{
	int32 *field = &records->fields[(Size) records->n * records->model->n + c];
	char *form = NULL;
	int length = 0;

	if (raw != NULL)
		form = normal_form(records->model->comparisons[c].kind,
						   month_first_here, raw, &length);
	*field = form == NULL ? NO_VALUE : value_of(&records->values, form, length);
}

static void
check_id(MatchRecords *records, const char *id, Oid relation, int first)
{
	if (id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("column \"%s\" of relation \"%s\" is null in a record",
						records->model->id, get_rel_name(relation)),
				 errhint(
					 "The id of a match model must identify every record.")));
	if (records->n > first && strcmp(id, records->ids[records->n - 1]) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("two records of relation \"%s\" have the %s \"%s\"",
						get_rel_name(relation), records->model->id, id),
				 errhint(
					 "The id of a match model must identify every record.")));
}

static void
add_row(MatchRecords *records, HeapTuple tuple, TupleDesc desc, Oid relation,
		const bool *month_first_in, int first)
{
	char *id = SPI_getvalue(tuple, desc, 1);

	check_id(records, id, relation, first);
	make_room(records);
	for (int c = 0; c < records->model->n; c++)
		add_field(records, c, month_first_in[c],
				  SPI_getvalue(tuple, desc, c + 2));
	records->ids[records->n++] = MemoryContextStrdup(records->context, id);
	if (records->values.n >= 1 << 28)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many different values to be matched")));
}

/* Read all that the cursor has; row by row, memory is given back in between. */
static void
read_rows(MatchRecords *records, Portal portal, Oid relation,
		  const bool *month_first_in)
{
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "match row",
											  ALLOCSET_DEFAULT_SIZES);
	int first = records->n;

	for (;;)
	{
		uint64 n;

		SPI_cursor_fetch(portal, true, FETCH);
		n = SPI_processed;
		for (uint64 i = 0; i < n; i++)
		{
			MemoryContext old = MemoryContextSwitchTo(row);

			add_row(records, SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
					relation, month_first_in, first);
			MemoryContextSwitchTo(old);
			MemoryContextReset(row);
		}
		SPI_freetuptable(SPI_tuptable);
		records_check_memory(records);
		CHECK_FOR_INTERRUPTS();
		if (n < FETCH)
			break;
	}
	MemoryContextDelete(row);
}

static void
read_relation(MatchRecords *records, Oid relation)
{
	const MatchModel *model = records->model;
	const char *id = quote_identifier(model->id);
	const char *name = relation_name(relation);
	bool month_first_in[MAX_COMPARISONS] = { false };
	StringInfoData sql;
	SPIPlanPtr plan;
	Portal portal;

	SPI_connect();
	initStringInfo(&sql);
	column_type(relation, model->id);
	appendStringInfo(&sql, "SELECT r.%s::pg_catalog.text", id);
	for (int c = 0; c < model->n; c++)
	{
		append_column(&sql, relation, model->comparisons[c].column);
		if (model->comparisons[c].kind == KIND_DATE)
			month_first_in[c] =
				month_first(relation, model->comparisons[c].column);
	}
	appendStringInfo(&sql, " FROM %s r ORDER BY r.%s", name, id);
	plan = SPI_prepare(sql.data, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "records cannot be read: %s",
			 SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	read_rows(records, portal, relation, month_first_in);
	SPI_cursor_close(portal);
	SPI_finish();
}

/* other is InvalidOid for pairs within one relation */
MatchRecords *
records_load(const MatchModel *model, Oid relation, Oid other)
{
	MatchRecords *records = records_new(model);

	read_relation(records, relation);
	records->n_first = records->n;
	records->linkage = OidIsValid(other);
	if (records->linkage)
		read_relation(records, other);
	return records;
}

static char *
member_text(Jsonb *record, const char *key)
{
	JsonbValue *value;

	if (!JB_ROOT_IS_OBJECT(record))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a record to be compared must be a json object"),
				 errhint(
					 "Pass to_jsonb() of a row, or an object with a member for each column.")));
	value = getKeyJsonValueFromContainer(&record->root, key, strlen(key), NULL);
	if (value == NULL || value->type == jbvNull)
		return NULL;
	if (value->type == jbvString)
		return str_tolower(value->val.string.val, value->val.string.len,
						   DEFAULT_COLLATION_OID);
	if (value->type == jbvNumeric)
		return DatumGetCString(
			DirectFunctionCall1(numeric_out,
								NumericGetDatum(value->val.numeric)));
	if (value->type == jbvBool)
		return pstrdup(value->val.boolean ? "true" : "false");
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("column \"%s\" of a record to be compared is no single value",
					key)));
	return NULL;
}

static void
add_record(MatchRecords *records, Jsonb *record)
{
	char *id = member_text(record, records->model->id);

	make_room(records);
	for (int c = 0; c < records->model->n; c++)
		add_field(records, c, false,
				  member_text(record, records->model->comparisons[c].column));
	records->ids[records->n++] =
		id == NULL ? NULL : MemoryContextStrdup(records->context, id);
}

MatchRecords *
records_of_pair(const MatchModel *model, Jsonb *a, Jsonb *b)
{
	MatchRecords *records = records_new(model);

	add_record(records, a);
	records->n_first = 1;
	records->linkage = true;
	add_record(records, b);
	return records;
}

/* Pairs that there are, candidates or not. */
double
records_pairs(const MatchRecords *records)
{
	double n = records->n;
	double first = records->n_first;

	return records->linkage ? first * (n - first) : n * (n - 1) / 2;
}
