/*
 * link.c
 *		link(): evidence that identifiers are one person's.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/args.h"
#include "compat.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "identity/identity.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(personalize_link);
PG_FUNCTION_INFO_V1(personalize_link_arrays);
PG_FUNCTION_INFO_V1(personalize_link_query);

static const char *const status_names[] = {
	[LINK_ACCEPTED] = "accepted", [LINK_REJECTED] = "rejected",
	[LINK_INERT] = "inert",		  [LINK_REVOKED] = "revoked",
	[LINK_ALONE] = "alone",		  [LINK_PENDING] = "pending",
};

static HeapTuple
result_tuple(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return heap_form_tuple(BlessTupleDesc(desc), values, nulls);
}

static void
check_pair(const char *type_a, const char *value_a, const char *type_b,
		   const char *value_b)
{
	if (type_a != NULL && value_a != NULL &&
		(type_b == NULL) == (value_b == NULL))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("an identifier must have a type and a value"),
			 errhint(
				 "For an identifier that is known alone, give NULL as both type and value of the second one.")));
}

Datum
personalize_link(PG_FUNCTION_ARGS)
{
	const Graph *graph = owned_graph(fcinfo);
	LinkRequest link = { 0 };
	LinkRequests requests = { CurrentMemoryContext, 1, &link, true, 0, 0, 0 };
	Datum values[3];
	bool nulls[3];

	link.type_a = optional_text(fcinfo, 1);
	link.value_a = optional_text(fcinfo, 2);
	link.type_b = optional_text(fcinfo, 3);
	link.value_b = optional_text(fcinfo, 4);
	check_pair(link.type_a, link.value_a, link.type_b, link.value_b);
	link.rule = text_argument(fcinfo, 5, "rule");
	arg_not_null(fcinfo, 6, "weight");
	link.weight = link_weight(PG_GETARG_FLOAT8(6));
	link.first_seen = link.last_seen = PG_ARGISNULL(7) ?
		GetCurrentTimestamp() :
		link_time(PG_GETARG_TIMESTAMPTZ(7));
	link.source = text_argument(fcinfo, 8, "source");
	requests_run(graph, &requests);

	values[0] = CStringGetTextDatum(status_names[link.status]);
	nulls[0] = false;
	values[1] = Int64GetDatum(requests.person);
	nulls[1] = requests.person == 0;
	nulls[2] = link.reason == NULL;
	values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(link.reason);
	PG_RETURN_DATUM(HeapTupleGetDatum(result_tuple(fcinfo, values, nulls)));
}

/* What became of many links, as a row. */
static Datum
summary(FunctionCallInfo fcinfo, const LinkRequests *requests)
{
	int64 counts[LINK_PENDING + 1] = { 0 };
	int64 unchanged = 0;
	Datum values[8];
	bool nulls[8] = { false };

	for (int i = 0; i < requests->n; i++)
	{
		counts[requests->links[i].status]++;
		unchanged += requests->links[i].unchanged;
	}
	values[0] = Int64GetDatum(requests->n - counts[LINK_ALONE]);
	values[1] = Int64GetDatum(counts[LINK_ACCEPTED]);
	values[2] = Int64GetDatum(counts[LINK_REJECTED]);
	values[3] = Int64GetDatum(counts[LINK_INERT]);
	values[4] = Int64GetDatum(counts[LINK_REVOKED]);
	values[5] = Int64GetDatum(unchanged);
	values[6] = Int64GetDatum(requests->added);
	values[7] = Int64GetDatum(requests->merged);
	return HeapTupleGetDatum(result_tuple(fcinfo, values, nulls));
}

static void
text_elements(FunctionCallInfo fcinfo, int argno, const char *name,
			  Datum **values, bool **nulls, int *n)
{
	arg_not_null(fcinfo, argno, name);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argno), TEXTOID, -1, false, 'i',
					  values, nulls, n);
}

Datum
personalize_link_arrays(PG_FUNCTION_ARGS)
{
	const Graph *graph = owned_graph(fcinfo);
	LinkRequests requests = { .context = CurrentMemoryContext };
	LinkRequest pattern = { 0 };
	Datum *a;
	Datum *b;
	bool *a_nulls;
	bool *b_nulls;
	int n;
	int n_b;

	pattern.type_a = text_argument(fcinfo, 1, "type_a");
	text_elements(fcinfo, 2, "values_a", &a, &a_nulls, &n);
	pattern.type_b = text_argument(fcinfo, 3, "type_b");
	text_elements(fcinfo, 4, "values_b", &b, &b_nulls, &n_b);
	pattern.rule = text_argument(fcinfo, 5, "rule");
	arg_not_null(fcinfo, 6, "weight");
	pattern.weight = link_weight(PG_GETARG_FLOAT8(6));
	pattern.first_seen = pattern.last_seen = PG_ARGISNULL(7) ?
		GetCurrentTimestamp() :
		link_time(PG_GETARG_TIMESTAMPTZ(7));
	pattern.source = text_argument(fcinfo, 8, "source");
	if (n != n_b)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("arrays of identifiers must have the same length"),
				 errdetail("values_a has %d elements, values_b has %d.", n,
						   n_b)));

	requests.links = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(LinkRequest) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		LinkRequest *link = &requests.links[requests.n];

		if (a_nulls[i] && b_nulls[i])
			continue;
		*link = pattern;
		if (a_nulls[i])
			link->type_a = pattern.type_b;
		link->value_a = TextDatumGetCString(a_nulls[i] ? b[i] : a[i]);
		if (a_nulls[i] || b_nulls[i])
			link->type_b = NULL;
		else
			link->value_b = TextDatumGetCString(b[i]);
		requests.n++;
	}
	requests_run(graph, &requests);
	PG_RETURN_DATUM(summary(fcinfo, &requests));
}

/* The columns that a query of links may have */
typedef enum LinkColumn
{
	COLUMN_TYPE_A,
	COLUMN_VALUE_A,
	COLUMN_TYPE_B,
	COLUMN_VALUE_B,
	COLUMN_RULE,
	COLUMN_WEIGHT,
	COLUMN_AT,
	COLUMN_FIRST_SEEN,
	COLUMN_LAST_SEEN,
	COLUMN_SOURCE,
	COLUMNS
} LinkColumn;

static const char *const column_names[COLUMNS] = {
	"type_a", "value_a", "type_b",	   "value_b",	"rule",
	"weight", "at",		 "first_seen", "last_seen", "source"
};

#define COLUMNS_HINT \
	"The query is to return type_a, value_a, type_b, value_b, and may return rule, weight, at (or first_seen and last_seen) and source."

/* Where the columns are, 0 for those that are not there. */
static void
find_columns(TupleDesc desc, int *positions)
{
	memset(positions, 0, sizeof(int) * COLUMNS);
	for (int i = 0; i < desc->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(desc, i)->attname);
		int c = 0;

		while (c < COLUMNS && strcmp(name, column_names[c]) != 0)
			c++;
		if (c == COLUMNS)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of the query is none that link() knows",
							name),
					 errhint(COLUMNS_HINT)));
		if (positions[c] != 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("the query returns column \"%s\" twice", name)));
		positions[c] = i + 1;
		if (c >= COLUMN_AT && c <= COLUMN_LAST_SEEN &&
			TupleDescAttr(desc, i)->atttypid != TIMESTAMPTZOID)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of the query must be of type timestamp with time zone",
							name),
					 errhint("Cast it: %s::timestamptz.", name)));
	}
	for (int c = COLUMN_TYPE_A; c <= COLUMN_VALUE_B; c++)
	{
		if (positions[c] == 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the query returns no column \"%s\"",
							column_names[c]),
					 errhint(COLUMNS_HINT)));
	}
	if (positions[COLUMN_AT] != 0 &&
		(positions[COLUMN_FIRST_SEEN] != 0 || positions[COLUMN_LAST_SEEN] != 0))
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_COLUMN),
				 errmsg(
					 "the query returns both \"at\" and \"first_seen\" or \"last_seen\""),
				 errhint(COLUMNS_HINT)));
}

static char *
row_text(HeapTuple tuple, TupleDesc desc, int position, char *if_missing)
{
	char *value;

	if (position == 0)
		return if_missing;
	value = SPI_getvalue(tuple, desc, position);
	return value == NULL ? if_missing : value;
}

static TimestampTz
row_time(HeapTuple tuple, TupleDesc desc, int position, TimestampTz if_missing)
{
	bool isnull;
	Datum value;

	if (position == 0)
		return if_missing;
	value = SPI_getbinval(tuple, desc, position, &isnull);
	return isnull ? if_missing : link_time(DatumGetTimestampTz(value));
}

/* A row of the query as a link; false if it tells nothing. */
static bool
read_link(HeapTuple tuple, TupleDesc desc, const int *positions,
		  TimestampTz now, LinkRequest *link)
{
	char *weight = row_text(tuple, desc, positions[COLUMN_WEIGHT], NULL);
	TimestampTz at = row_time(tuple, desc, positions[COLUMN_AT], now);

	memset(link, 0, sizeof(LinkRequest));
	link->type_a = row_text(tuple, desc, positions[COLUMN_TYPE_A], NULL);
	link->value_a = row_text(tuple, desc, positions[COLUMN_VALUE_A], NULL);
	link->type_b = row_text(tuple, desc, positions[COLUMN_TYPE_B], NULL);
	link->value_b = row_text(tuple, desc, positions[COLUMN_VALUE_B], NULL);
	if (link->value_a == NULL && link->value_b == NULL)
		return false;
	if (link->value_a == NULL)
	{
		link->type_a = link->type_b;
		link->value_a = link->value_b;
		link->value_b = NULL;
	}
	if (link->value_b == NULL)
		link->type_b = NULL;
	check_pair(link->type_a, link->value_a, link->type_b, link->value_b);
	link->rule = row_text(tuple, desc, positions[COLUMN_RULE], "observed");
	link->weight = 1;
	if (weight != NULL)
		link->weight = link_weight(DatumGetFloat8(
			DirectFunctionCall1(float8in, CStringGetDatum(weight))));
	link->first_seen = row_time(tuple, desc, positions[COLUMN_FIRST_SEEN], at);
	link->last_seen = row_time(tuple, desc, positions[COLUMN_LAST_SEEN],
							   Max(at, link->first_seen));
	if (link->last_seen < link->first_seen)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("last_seen of a link lies before its first_seen")));
	link->source = row_text(tuple, desc, positions[COLUMN_SOURCE], "");
	return true;
}

static void
add_rows(LinkRequests *requests, int *allocated, const int *positions,
		 TimestampTz now)
{
	MemoryContext caller = MemoryContextSwitchTo(requests->context);

	if (requests->n + SPI_processed > (uint64) INT_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many links in one query")));
	while (requests->n + (int) SPI_processed > *allocated)
	{
		*allocated *= 2;
		requests->links =
			repalloc_huge(requests->links, sizeof(LinkRequest) * *allocated);
	}
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		if (read_link(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, positions,
					  now, &requests->links[requests->n]))
			requests->n++;
	}
	MemoryContextSwitchTo(caller);
}

/* Run the query as whoever calls, and keep its rows. */
static void
read_query(const char *query, LinkRequests *requests)
{
	TimestampTz now = GetCurrentTimestamp();
	int positions[COLUMNS];
	int allocated = 1024;
	SPIPlanPtr plan;
	Portal portal;

	requests->links = palloc(sizeof(LinkRequest) * allocated);
	SPI_connect();
	plan = SPI_prepare(query, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "could not prepare the query: %s",
			 SPI_result_code_string(SPI_result));
	if (!SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("link() takes one query that returns rows"),
				 errhint(COLUMNS_HINT)));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, false);
	find_columns(portal->tupDesc, positions);
	do
	{
		SPI_cursor_fetch(portal, true, 1000);
		add_rows(requests, &allocated, positions, now);
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0);
	SPI_cursor_close(portal);
	SPI_finish();
}

Datum
personalize_link_query(PG_FUNCTION_ARGS)
{
	LinkRequests requests = { .context = CurrentMemoryContext };
	char *query = text_argument(fcinfo, 1, "query");

	(void) owned_graph(fcinfo);
	read_query(query, &requests);
	/* the query may have changed what is known of graphs */
	requests_run(owned_graph(fcinfo), &requests);
	PG_RETURN_DATUM(summary(fcinfo, &requests));
}
