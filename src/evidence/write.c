/*
 * write.c
 *		Writing the graph's rows, many in a statement.
 *
 * Rows go in as arrays, one a column.  Planning is told not to think of reading
 * whole tables (operation.c), so that a plan which is kept stays right while the
 * tables grow.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "evidence/evidence.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "tcop/dest.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#define MAX_COLUMNS 11

typedef struct ColumnType
{
	Oid type;
	Oid array;
	int16 length;
	bool by_value;
	char align;
} ColumnType;

static const ColumnType int8_column = { INT8OID, INT8ARRAYOID, 8, true, 'd' };
static const ColumnType int4_column = { INT4OID, INT4ARRAYOID, 4, true, 'i' };
static const ColumnType float8_column = { FLOAT8OID, FLOAT8ARRAYOID, 8, true,
										  'd' };
static const ColumnType bool_column = { BOOLOID, BOOLARRAYOID, 1, true, 'c' };
static const ColumnType char_column = { CHAROID, CHARARRAYOID, 1, true, 'c' };
static const ColumnType tid_column = { TIDOID, TIDARRAYOID, 6, false, 's' };
static const ColumnType text_column = { TEXTOID, TEXTARRAYOID, -1, false, 'i' };
static const ColumnType time_column = { TIMESTAMPTZOID, TIMESTAMPTZARRAYOID, 8,
										true, 'd' };

typedef struct StatementText
{
	const char *sql;
	int columns;
	const ColumnType *types[MAX_COLUMNS];
} StatementText;

static const StatementText statements[STATEMENTS] = {
	[LOCK_ROOTS] = {
		"SELECT id, root, person, size, type_id, xmin, ctid FROM personalize.identity_vertex WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE",
		1, { &int8_column } },
	[ADD_VERTICES] = {
		"INSERT INTO personalize.identity_vertex (id, root, person, graph_id, type_id, size, state, apart, value, original) "
		"OVERRIDING SYSTEM VALUE "
		"SELECT u.* FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) u",
		10, { &int8_column, &int8_column, &int8_column, &int4_column,
			  &int4_column, &int4_column, &char_column, &bool_column,
			  &text_column, &text_column } },
	[ADD_EVIDENCE] = {
		"INSERT INTO personalize.identity_evidence (a, b, graph_id, rule_id, weight, first_seen, last_seen, source) "
		"SELECT u.* FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) u",
		8, { &int8_column, &int8_column, &int4_column, &int4_column,
			 &float8_column, &time_column, &time_column, &text_column } },
	[MERGE_EVIDENCE] = {
		"INSERT INTO personalize.identity_evidence AS e (a, b, graph_id, rule_id, weight, first_seen, last_seen, source) "
		"SELECT u.* FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) u "
		"ON CONFLICT (a, b, rule_id, source) DO UPDATE SET weight = GREATEST(e.weight, excluded.weight), "
		"first_seen = LEAST(e.first_seen, excluded.first_seen), last_seen = GREATEST(e.last_seen, excluded.last_seen)",
		8, { &int8_column, &int8_column, &int4_column, &int4_column,
			 &float8_column, &time_column, &time_column, &text_column } },
	[REVOKE_EVIDENCE] = {
		"UPDATE personalize.identity_evidence e SET revoked_at = u.revoked_at "
		"FROM unnest($1, $2, $3, $4, $5) u (a, b, rule_id, source, revoked_at) "
		"WHERE e.a = u.a AND e.b = u.b AND e.rule_id = u.rule_id AND e.source = u.source COLLATE \"C\"",
		5, { &int8_column, &int8_column, &int4_column, &text_column,
			 &time_column } },
	[SET_ROOTS] = {
		"UPDATE personalize.identity_vertex v SET root = u.root "
		"FROM unnest($1, $2) u (id, root) WHERE v.id = u.id",
		2, { &int8_column, &int8_column } },
	[SET_PERSONS] = {
		"UPDATE personalize.identity_vertex v SET person = u.person, size = u.size "
		"FROM unnest($1, $2, $3) u (id, person, size) WHERE v.id = u.id",
		3, { &int8_column, &int8_column, &int4_column } },
	[SET_PERSONS_AT] = {
		"UPDATE personalize.identity_vertex v SET person = u.person, size = u.size "
		"FROM unnest($1, $2, $3) u (at, person, size) WHERE v.ctid = u.at",
		3, { &tid_column, &int8_column, &int4_column } },
	[SET_STATES] = {
		"UPDATE personalize.identity_vertex v SET state = u.state "
		"FROM unnest($1, $2) u (id, state) WHERE v.id = u.id",
		2, { &int8_column, &char_column } },
	[SET_APART_FLAGS] = {
		"UPDATE personalize.identity_vertex v SET apart = u.apart "
		"FROM unnest($1, $2) u (id, apart) WHERE v.id = u.id",
		2, { &int8_column, &bool_column } },
	[ADD_APARTS] = {
		"INSERT INTO personalize.identity_apart AS x (a, b, graph_id, created_at, source) "
		"SELECT u.* FROM unnest($1, $2, $3, $4, $5) u "
		"ON CONFLICT (a, b) DO UPDATE SET revoked_at = NULL, created_at = excluded.created_at, source = excluded.source",
		5, { &int8_column, &int8_column, &int4_column, &time_column,
			 &text_column } },
	[REVOKE_APARTS] = {
		"UPDATE personalize.identity_apart x SET revoked_at = u.revoked_at "
		"FROM unnest($1, $2, $3) u (a, b, revoked_at) WHERE x.a = u.a AND x.b = u.b",
		3, { &int8_column, &int8_column, &time_column } },
	[ADD_LOG] = {
		"INSERT INTO personalize.identity_log (graph_id, rule_id, person, former, a, b, identifiers, action, detail, actor) "
		"SELECT u.* FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) u",
		10, { &int4_column, &int4_column, &int8_column, &int8_column,
			  &int8_column, &int8_column, &int4_column, &text_column,
			  &text_column, &text_column } },
};

static SPIPlanPtr plans[STATEMENTS];

Rows *
rows_create(Statement statement)
{
	Rows *rows = palloc0(sizeof(Rows));

	rows->columns = statements[statement].columns;
	rows->values = palloc0(sizeof(Datum *) * rows->columns);
	rows->nulls = palloc0(sizeof(bool *) * rows->columns);
	return rows;
}

static void
rows_grow(Rows *rows)
{
	bool first = rows->allocated == 0;

	rows->allocated = first ? 8 : rows->allocated * 2;
	for (int i = 0; i < rows->columns; i++)
	{
		Size values = sizeof(Datum) * rows->allocated;

		if (first)
		{
			rows->values[i] = palloc(values);
			rows->nulls[i] = palloc(rows->allocated);
		}
		else
		{
			rows->values[i] = repalloc_huge(rows->values[i], values);
			rows->nulls[i] = repalloc(rows->nulls[i], rows->allocated);
		}
	}
}

/* Values by reference must live until the rows are written. */
void
rows_add(Rows *rows, const Datum *values, const bool *nulls)
{
	if (rows->n == rows->allocated)
		rows_grow(rows);
	for (int i = 0; i < rows->columns; i++)
	{
		rows->values[i][rows->n] = values[i];
		rows->nulls[i][rows->n] = nulls != NULL && nulls[i];
	}
	rows->n++;
}

static SPIPlanPtr
plan_of(Statement statement)
{
	const StatementText *text = &statements[statement];
	Oid types[MAX_COLUMNS];

	if (plans[statement] != NULL)
		return plans[statement];
	for (int i = 0; i < text->columns; i++)
		types[i] = text->types[i]->array;
	plans[statement] = SPI_prepare(text->sql, text->columns, types);
	if (plans[statement] == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", text->sql,
			 SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plans[statement]) != 0)
		elog(ERROR, "could not keep a plan");
	return plans[statement];
}

static Datum
column_array(Rows *rows, int column, const ColumnType *type, int from, int n)
{
	int lower = 1;

	return PointerGetDatum(construct_md_array(rows->values[column] + from,
											  rows->nulls[column] + from, 1, &n,
											  &lower, type->type, type->length,
											  type->by_value, type->align));
}

/* Write the rows, and forget them; returns how many were found or new. */
uint64
rows_write(Rows *rows, Statement statement)
{
	const StatementText *text = &statements[statement];
	uint64 written = 0;

	/* an array of too many texts would not fit into one value */
	for (int from = 0; from < rows->n; from += 50000)
	{
		int n = Min(rows->n - from, 50000);
		Datum arrays[MAX_COLUMNS];
		int result;

		for (int i = 0; i < text->columns; i++)
			arrays[i] = column_array(rows, i, text->types[i], from, n);
		result = SPI_execute_plan(plan_of(statement), arrays, NULL, false, 0);
		if (result < 0)
			elog(ERROR, "could not execute \"%s\": %s", text->sql,
				 SPI_result_code_string(result));
		written += SPI_processed;
		SPI_freetuptable(SPI_tuptable);
		for (int i = 0; i < text->columns; i++)
			pfree(DatumGetPointer(arrays[i]));
		CHECK_FOR_INTERRUPTS();
	}
	rows->n = 0;
	return written;
}

/*
 * A transaction that keeps its first snapshot does not see rows that came after
 * it, although we have read them.
 */
static void
check_all_found(uint64 found, uint64 expected)
{
	if (found != expected)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update of the identity graph"),
				 errhint("Retry the transaction.")));
}

void
rows_write_all(Rows *rows, Statement statement)
{
	uint64 expected = rows->n;

	check_all_found(rows_write(rows, statement), expected);
}

/* Rows as they are locked, and where that ends */
typedef struct LockReceiver
{
	DestReceiver receiver;
	Operation *op;
	bool stale;
} LockReceiver;

static void
lock_startup(DestReceiver *self, int operation, TupleDesc desc)
{
}

/* Whether a row has come after what we read before. */
static bool
came_later(const Operation *op, TransactionId xmin)
{
	return !TransactionIdIsCurrentTransactionId(xmin) &&
		   XidInMVCCSnapshot(xmin, op->tables.snapshot);
}

/* A row is locked.  One that is no root any more is the last. */
static bool
lock_receive(TupleTableSlot *slot, DestReceiver *self)
{
	LockReceiver *r = (LockReceiver *) self;
	LockedRoot *root = &r->op->locked[r->op->n_locked++];

	slot_getallattrs(slot);
	root->id = DatumGetInt64(slot->tts_values[0]);
	root->person = DatumGetInt64(slot->tts_values[2]);
	root->size = DatumGetInt32(slot->tts_values[3]);
	root->type = graph_type_of_id(r->op->graph,
								  DatumGetInt32(slot->tts_values[4]));
	root->at = *(ItemPointer) DatumGetPointer(slot->tts_values[6]);
	r->stale = root->id != DatumGetInt64(slot->tts_values[1]);
	r->op->moved |=
		r->stale ||
		came_later(r->op, DatumGetTransactionId(slot->tts_values[5]));
	return !r->stale;
}

static void
lock_end(DestReceiver *self)
{
}

/*
 * Lock the rows of roots, in the order in which they are given.  If one of them
 * is no root any more, no further row is waited for, because whoever holds that
 * one's person may want to change the row that we have locked.
 */
void
rows_lock_roots(Rows *rows, Operation *op)
{
	LockReceiver r = { .receiver = { lock_receive, lock_startup, lock_end,
									 lock_end, DestNone } };
	SPIExecuteOptions options = { 0 };
	ParamListInfo params = makeParamList(1);
	int result;

	r.op = op;
	params->params[0].value = column_array(rows, 0, &int8_column, 0, rows->n);
	params->params[0].isnull = false;
	params->params[0].pflags = PARAM_FLAG_CONST;
	params->params[0].ptype = INT8ARRAYOID;
	options.params = params;
	options.dest = &r.receiver;
	result = SPI_execute_plan_extended(plan_of(LOCK_ROOTS), &options);
	if (result < 0)
		elog(ERROR, "could not lock persons: %s",
			 SPI_result_code_string(result));
	if (!r.stale)
		check_all_found(op->n_locked, rows->n);
}

int64
next_vertex_id(void)
{
	return nextval_internal(table_of("identity_vertex_id_seq"), false);
}
