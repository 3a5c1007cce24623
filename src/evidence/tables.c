/*
 * tables.c
 *		Reading the graph by its indexes.
 *
 * What is read here is read thousands of times in a call, one row at a time, and
 * must never become a scan of a table because of a plan that was made when the
 * table was small.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "compat.h"
#include "evidence/evidence.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

/* Columns as sql/51-identity.sql has them */
enum
{
	VERTEX_ID = 1,
	VERTEX_ROOT,
	VERTEX_PERSON,
	VERTEX_GRAPH,
	VERTEX_TYPE,
	VERTEX_SIZE,
	VERTEX_STATE,
	VERTEX_APART,
	VERTEX_VALUE,
	VERTEX_ORIGINAL,
	VERTEX_COLUMNS = VERTEX_ORIGINAL
};

enum
{
	EVIDENCE_A = 1,
	EVIDENCE_B,
	EVIDENCE_GRAPH,
	EVIDENCE_RULE,
	EVIDENCE_WEIGHT,
	EVIDENCE_FIRST,
	EVIDENCE_LAST,
	EVIDENCE_REVOKED,
	EVIDENCE_SOURCE,
	EVIDENCE_COLUMNS = EVIDENCE_SOURCE
};

enum
{
	APART_A = 1,
	APART_B,
	APART_REVOKED = 6
};

enum
{
	LOG_ID = 1,
	LOG_PERSON = 5,
	LOG_FORMER = 6
};

/* What a TableScan goes through */
enum
{
	SCAN_MEMBERS,
	SCAN_EVIDENCE_A,
	SCAN_EVIDENCE_B,
	SCAN_EVIDENCE_FIRST,
	SCAN_EVIDENCE_ALL,
	SCAN_APART_A,
	SCAN_APART_B
};

/* With InvalidSnapshot, read the newest state. */
void
tables_open(Tables *tables, const Graph *graph, Snapshot snapshot)
{
	memset(tables, 0, sizeof(Tables));
	tables->graph = graph;
	tables->ids = relation_ids();
	tables->any_apart = -1;
	tables->registered = snapshot == InvalidSnapshot;
	tables->snapshot = tables->registered ?
						   RegisterSnapshot(GetLatestSnapshot()) :
						   snapshot;
}

static void
close_points(Tables *tables)
{
	point_close(&tables->by_id);
	point_close(&tables->by_value);
	point_close(&tables->by_root);
	point_close(&tables->by_ends);
}

void
tables_close(Tables *tables)
{
	close_points(tables);
	if (tables->registered)
		UnregisterSnapshot(tables->snapshot);
	if (tables->apart != NULL)
		table_close(tables->apart, AccessShareLock);
	if (tables->evidence != NULL)
		table_close(tables->evidence, AccessShareLock);
	if (tables->vertex != NULL)
		table_close(tables->vertex, AccessShareLock);
}

static Relation
vertex_table(Tables *tables)
{
	if (tables->vertex == NULL)
		tables->vertex = table_open(tables->ids->vertex, AccessShareLock);
	return tables->vertex;
}

static Relation
evidence_table(Tables *tables)
{
	if (tables->evidence == NULL)
		tables->evidence = table_open(tables->ids->evidence, AccessShareLock);
	return tables->evidence;
}

static Relation
apart_table(Tables *tables)
{
	if (tables->apart == NULL)
		tables->apart = table_open(tables->ids->apart, AccessShareLock);
	return tables->apart;
}

/* See what has been committed meanwhile, and what we wrote ourselves. */
void
tables_refresh(Tables *tables)
{
	Assert(tables->registered);
	close_points(tables);
	UnregisterSnapshot(tables->snapshot);
	CommandCounterIncrement();
	tables->snapshot = RegisterSnapshot(GetLatestSnapshot());
	tables->any_apart = -1;
}

static void
vertex_from(Tables *tables, const Datum *values, const bool *nulls,
			Vertex *vertex)
{
	vertex->id = DatumGetInt64(values[VERTEX_ID - 1]);
	vertex->root = DatumGetInt64(values[VERTEX_ROOT - 1]);
	vertex->person = DatumGetInt64(values[VERTEX_PERSON - 1]);
	vertex->graph_id = DatumGetInt32(values[VERTEX_GRAPH - 1]);
	vertex->type = vertex->graph_id == tables->graph->id ?
					   graph_type_of_id(tables->graph,
										DatumGetInt32(values[VERTEX_TYPE - 1])) :
					   -1;
	vertex->size = DatumGetInt32(values[VERTEX_SIZE - 1]);
	vertex->state = DatumGetChar(values[VERTEX_STATE - 1]);
	vertex->apart = DatumGetBool(values[VERTEX_APART - 1]);
	vertex->value = TextDatumGetCString(values[VERTEX_VALUE - 1]);
	vertex->original = nulls[VERTEX_ORIGINAL - 1] ?
						   NULL :
						   TextDatumGetCString(values[VERTEX_ORIGINAL - 1]);
}

static void
read_vertex(Tables *tables, HeapTuple tuple, Vertex *vertex)
{
	Datum values[VERTEX_COLUMNS];
	bool nulls[VERTEX_COLUMNS];

	heap_deform_tuple(tuple, RelationGetDescr(tables->vertex), values, nulls);
	vertex_from(tables, values, nulls, vertex);
}

static void
evidence_from(Tables *tables, const Datum *values, const bool *nulls,
			  Evidence *e)
{
	e->a = DatumGetInt64(values[EVIDENCE_A - 1]);
	e->b = DatumGetInt64(values[EVIDENCE_B - 1]);
	e->rule = graph_rule_of_id(tables->graph,
							   DatumGetInt32(values[EVIDENCE_RULE - 1]));
	e->weight = DatumGetFloat8(values[EVIDENCE_WEIGHT - 1]);
	e->first_seen = DatumGetTimestampTz(values[EVIDENCE_FIRST - 1]);
	e->last_seen = DatumGetTimestampTz(values[EVIDENCE_LAST - 1]);
	e->revoked_at = nulls[EVIDENCE_REVOKED - 1] ?
						NO_TIME :
						DatumGetTimestampTz(values[EVIDENCE_REVOKED - 1]);
	e->source = TextDatumGetCString(values[EVIDENCE_SOURCE - 1]);
}

static void
read_evidence(Tables *tables, HeapTuple tuple, Evidence *e)
{
	Datum values[EVIDENCE_COLUMNS];
	bool nulls[EVIDENCE_COLUMNS];

	heap_deform_tuple(tuple, RelationGetDescr(tables->evidence), values, nulls);
	evidence_from(tables, values, nulls, e);
}

static void
int8_key(ScanKey key, int attno, int64 value)
{
	ScanKeyInit(key, attno, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(value));
}

static void
int4_key(ScanKey key, int attno, int value)
{
	ScanKeyInit(key, attno, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(value));
}

static void
text_key(ScanKey key, int attno, const char *value)
{
	ScanKeyEntryInitialize(key, 0, attno, BTEqualStrategyNumber, InvalidOid,
						   C_COLLATION_OID, F_TEXTEQ,
						   CStringGetTextDatum(value));
}

bool
vertex_by_value(Tables *tables, int type, const char *value, Vertex *vertex)
{
	ScanKeyData keys[2];
	TupleTableSlot *slot;

	int4_key(&keys[0], 1, tables->graph->types[type].id);
	text_key(&keys[1], 2, value);
	slot = point_lookup(&tables->by_value, vertex_table(tables),
						tables->ids->vertex_value, tables->snapshot, keys, 2);
	if (slot != NULL)
		vertex_from(tables, slot->tts_values, slot->tts_isnull, vertex);
	return slot != NULL;
}

bool
vertex_by_id(Tables *tables, int64 id, Vertex *vertex)
{
	ScanKeyData key;
	TupleTableSlot *slot;

	int8_key(&key, 1, id);
	slot = point_lookup(&tables->by_id, vertex_table(tables),
						tables->ids->vertex_pkey, tables->snapshot, &key, 1);
	if (slot != NULL)
		vertex_from(tables, slot->tts_values, slot->tts_isnull, vertex);
	return slot != NULL;
}

bool
evidence_find(Tables *tables, int64 a, int64 b, int rule, const char *source,
			  Evidence *evidence)
{
	ScanKeyData keys[4];
	TupleTableSlot *slot;

	int8_key(&keys[0], 1, Min(a, b));
	int8_key(&keys[1], 2, Max(a, b));
	int4_key(&keys[2], 3, tables->graph->rules[rule].id);
	text_key(&keys[3], 4, source);
	slot = point_lookup(&tables->by_ends, evidence_table(tables),
						tables->ids->evidence_pkey, tables->snapshot, keys, 4);
	if (slot != NULL)
		evidence_from(tables, slot->tts_values, slot->tts_isnull, evidence);
	return slot != NULL;
}

/* How many members of a type a person has; counting ends at `enough`. */
int
count_of_type(Tables *tables, int64 root, int type, int enough)
{
	ScanKeyData keys[2];
	TupleTableSlot *slot;
	int n = 0;

	int8_key(&keys[0], 1, root);
	int4_key(&keys[1], 2, tables->graph->types[type].id);
	slot = point_lookup(&tables->by_root, vertex_table(tables),
						tables->ids->vertex_root, tables->snapshot, keys, 2);
	while (slot != NULL && ++n < enough)
		slot = point_next(&tables->by_root);
	return n;
}

/* Whether anybody must be kept apart at all, in any graph. */
bool
any_apart(Tables *tables)
{
	if (tables->any_apart < 0)
	{
		SysScanDesc scan = systable_beginscan(apart_table(tables), InvalidOid,
											  false, tables->snapshot, 0, NULL);

		tables->any_apart = HeapTupleIsValid(systable_getnext(scan));
		systable_endscan(scan);
	}
	return tables->any_apart;
}

static void
scan_begin(TableScan *scan, Tables *tables, int kind, Relation rel, Oid index,
		   int attno, int64 key)
{
	ScanKeyData keys[1];

	scan->tables = tables;
	scan->kind = kind;
	scan->key = key;
	int8_key(&keys[0], attno, key);
	scan->scan = systable_beginscan(rel, index, OidIsValid(index),
									tables->snapshot, 1, keys);
}

void
scan_end(TableScan *scan)
{
	systable_endscan(scan->scan);
}

void
members_begin(TableScan *scan, Tables *tables, int64 root)
{
	scan_begin(scan, tables, SCAN_MEMBERS, vertex_table(tables),
			   tables->ids->vertex_root,
			   VERTEX_ROOT, root);
}

void
aparts_begin(TableScan *scan, Tables *tables, int64 root)
{
	scan_begin(scan, tables, SCAN_MEMBERS, vertex_table(tables),
			   tables->ids->vertex_apart,
			   VERTEX_ROOT, root);
}

void
vertices_begin(TableScan *scan, Tables *tables, int type)
{
	ScanKeyData key;

	scan->tables = tables;
	scan->kind = SCAN_MEMBERS;
	if (type >= 0)
		int4_key(&key, VERTEX_TYPE, tables->graph->types[type].id);
	else
		int4_key(&key, VERTEX_GRAPH, tables->graph->id);
	scan->scan = systable_beginscan(vertex_table(tables),
									type >= 0 ? tables->ids->vertex_value :
												InvalidOid,
									type >= 0, tables->snapshot, 1, &key);
}

bool
member_next(TableScan *scan, Vertex *vertex)
{
	HeapTuple tuple = systable_getnext(scan->scan);

	if (!HeapTupleIsValid(tuple))
		return false;
	read_vertex(scan->tables, tuple, vertex);
	return true;
}

void
evidence_begin(TableScan *scan, Tables *tables, int64 id)
{
	scan_begin(scan, tables, SCAN_EVIDENCE_A,
			   evidence_table(tables), tables->ids->evidence_pkey, EVIDENCE_A, id);
}

void
evidence_of_first_begin(TableScan *scan, Tables *tables, int64 id)
{
	scan_begin(scan, tables, SCAN_EVIDENCE_FIRST, evidence_table(tables),
			   tables->ids->evidence_pkey, EVIDENCE_A, id);
}

void
evidence_all_begin(TableScan *scan, Tables *tables)
{
	ScanKeyData key;

	scan->tables = tables;
	scan->kind = SCAN_EVIDENCE_ALL;
	int4_key(&key, EVIDENCE_GRAPH, tables->graph->id);
	scan->scan = systable_beginscan(evidence_table(tables), InvalidOid, false,
									tables->snapshot, 1, &key);
}

bool
evidence_next(TableScan *scan, Evidence *evidence)
{
	HeapTuple tuple = systable_getnext(scan->scan);
	Tables *tables = scan->tables;

	if (!HeapTupleIsValid(tuple) && scan->kind == SCAN_EVIDENCE_A)
	{
		scan_end(scan);
		scan_begin(scan, tables, SCAN_EVIDENCE_B, evidence_table(tables),
				   tables->ids->evidence_b, EVIDENCE_B, scan->key);
		tuple = systable_getnext(scan->scan);
	}
	if (!HeapTupleIsValid(tuple))
		return false;
	read_evidence(tables, tuple, evidence);
	return true;
}

void
apart_begin(TableScan *scan, Tables *tables, int64 id)
{
	scan_begin(scan, tables, SCAN_APART_A, apart_table(tables),
			   tables->ids->apart_pkey,
			   APART_A, id);
}

bool
apart_next(TableScan *scan, int64 *other)
{
	Tables *tables = scan->tables;
	TupleDesc desc = RelationGetDescr(tables->apart);

	for (;;)
	{
		HeapTuple tuple = systable_getnext(scan->scan);
		bool isnull;

		if (HeapTupleIsValid(tuple))
		{
			if (!heap_attisnull(tuple, APART_REVOKED, desc))
				continue;
			*other = DatumGetInt64(heap_getattr(tuple,
												scan->kind == SCAN_APART_A ?
													APART_B :
													APART_A,
												desc, &isnull));
			return true;
		}
		if (scan->kind == SCAN_APART_B)
			return false;
		scan_end(scan);
		scan_begin(scan, tables, SCAN_APART_B, apart_table(tables),
				   tables->ids->apart_b,
				   APART_B, scan->key);
	}
}

/*
 * A person whose number is that of an identifier which is shared or blocked by
 * now lives on where its identifiers went last.
 */
int64
successor(Tables *tables, int64 person)
{
	Relation log = table_open(tables->ids->log, AccessShareLock);
	TupleDesc desc = RelationGetDescr(log);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple tuple;
	int64 last = 0;
	int64 found = 0;

	int8_key(&key, LOG_FORMER, person);
	scan = systable_beginscan(log, tables->ids->log_former, true,
							  tables->snapshot, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool isnull;
		int64 id = DatumGetInt64(heap_getattr(tuple, LOG_ID, desc, &isnull));
		Datum value = heap_getattr(tuple, LOG_PERSON, desc, &isnull);

		if (isnull || id < last)
			continue;
		last = id;
		found = DatumGetInt64(value);
	}
	systable_endscan(scan);
	table_close(log, AccessShareLock);
	return found;
}
