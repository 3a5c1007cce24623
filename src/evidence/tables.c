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
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "compat.h"
#include "evidence/evidence.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
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

/* What a TableScan goes through */
enum
{
	SCAN_MEMBERS,
	SCAN_EVIDENCE_A,
	SCAN_EVIDENCE_B,
	SCAN_EVIDENCE_ALL,
	SCAN_APART_A,
	SCAN_APART_B
};

/* A table or index of the extension's schema. */
Oid
table_of(const char *name)
{
	Oid schema = get_namespace_oid("personalize", false);
	Oid oid = get_relname_relid(name, schema);

	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"personalize.%s\" does not exist", name),
				 errhint("Create the extension anew, or ALTER EXTENSION personalize UPDATE.")));
	return oid;
}

/* Open what there is; with InvalidSnapshot, read the newest state. */
void
tables_open(Tables *tables, const Graph *graph, Snapshot snapshot)
{
	tables->graph = graph;
	tables->vertex = table_open(table_of("identity_vertex"), AccessShareLock);
	tables->evidence = table_open(table_of("identity_evidence"),
								  AccessShareLock);
	tables->apart = table_open(table_of("identity_apart"), AccessShareLock);
	tables->vertex_pkey = table_of("identity_vertex_pkey");
	tables->vertex_value = table_of("identity_vertex_value_key");
	tables->vertex_root = table_of("identity_vertex_root_idx");
	tables->vertex_apart = table_of("identity_vertex_apart_idx");
	tables->evidence_pkey = table_of("identity_evidence_pkey");
	tables->evidence_b = table_of("identity_evidence_b_idx");
	tables->apart_pkey = table_of("identity_apart_pkey");
	tables->apart_b = table_of("identity_apart_b_idx");
	tables->registered = snapshot == InvalidSnapshot;
	tables->snapshot = tables->registered ?
						   RegisterSnapshot(GetLatestSnapshot()) :
						   snapshot;
}

void
tables_close(Tables *tables)
{
	if (tables->registered)
		UnregisterSnapshot(tables->snapshot);
	table_close(tables->apart, AccessShareLock);
	table_close(tables->evidence, AccessShareLock);
	table_close(tables->vertex, AccessShareLock);
}

/* See what has been committed meanwhile, and what we wrote ourselves. */
void
tables_refresh(Tables *tables)
{
	Assert(tables->registered);
	UnregisterSnapshot(tables->snapshot);
	CommandCounterIncrement();
	tables->snapshot = RegisterSnapshot(GetLatestSnapshot());
}

static void
read_vertex(Tables *tables, HeapTuple tuple, Vertex *vertex)
{
	Datum values[VERTEX_COLUMNS];
	bool nulls[VERTEX_COLUMNS];

	heap_deform_tuple(tuple, RelationGetDescr(tables->vertex), values, nulls);
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
read_evidence(Tables *tables, HeapTuple tuple, Evidence *e)
{
	Datum values[EVIDENCE_COLUMNS];
	bool nulls[EVIDENCE_COLUMNS];

	heap_deform_tuple(tuple, RelationGetDescr(tables->evidence), values, nulls);
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

/* The one vertex that the keys tell. */
static bool
vertex_by_keys(Tables *tables, Oid index, ScanKey keys, int n, Vertex *vertex)
{
	SysScanDesc scan = systable_beginscan(tables->vertex, index, true,
										  tables->snapshot, n, keys);
	HeapTuple tuple = systable_getnext(scan);
	bool found = HeapTupleIsValid(tuple);

	if (found)
		read_vertex(tables, tuple, vertex);
	systable_endscan(scan);
	return found;
}

bool
vertex_by_value(Tables *tables, int type, const char *value, Vertex *vertex)
{
	ScanKeyData keys[2];

	int4_key(&keys[0], VERTEX_TYPE, tables->graph->types[type].id);
	text_key(&keys[1], VERTEX_VALUE, value);
	return vertex_by_keys(tables, tables->vertex_value, keys, 2, vertex);
}

bool
vertex_by_id(Tables *tables, int64 id, Vertex *vertex)
{
	ScanKeyData key;

	int8_key(&key, VERTEX_ID, id);
	return vertex_by_keys(tables, tables->vertex_pkey, &key, 1, vertex);
}

bool
evidence_find(Tables *tables, int64 a, int64 b, int rule, const char *source,
			  Evidence *evidence)
{
	ScanKeyData keys[4];
	SysScanDesc scan;
	HeapTuple tuple;
	bool found;

	int8_key(&keys[0], EVIDENCE_A, Min(a, b));
	int8_key(&keys[1], EVIDENCE_B, Max(a, b));
	int4_key(&keys[2], EVIDENCE_RULE, tables->graph->rules[rule].id);
	text_key(&keys[3], EVIDENCE_SOURCE, source);
	scan = systable_beginscan(tables->evidence, tables->evidence_pkey, true,
							  tables->snapshot, 4, keys);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
		read_evidence(tables, tuple, evidence);
	systable_endscan(scan);
	return found;
}

/* How many members of a type a person has; counting ends at `enough`. */
int
count_of_type(Tables *tables, int64 root, int type, int enough)
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	int n = 0;

	int8_key(&keys[0], VERTEX_ROOT, root);
	int4_key(&keys[1], VERTEX_TYPE, tables->graph->types[type].id);
	scan = systable_beginscan(tables->vertex, tables->vertex_root, true,
							  tables->snapshot, 2, keys);
	while (n < enough && HeapTupleIsValid(systable_getnext(scan)))
		n++;
	systable_endscan(scan);
	return n;
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
	scan_begin(scan, tables, SCAN_MEMBERS, tables->vertex, tables->vertex_root,
			   VERTEX_ROOT, root);
}

void
aparts_begin(TableScan *scan, Tables *tables, int64 root)
{
	scan_begin(scan, tables, SCAN_MEMBERS, tables->vertex, tables->vertex_apart,
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
	scan->scan = systable_beginscan(tables->vertex,
									type >= 0 ? tables->vertex_value :
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
	scan_begin(scan, tables, SCAN_EVIDENCE_A, tables->evidence,
			   tables->evidence_pkey, EVIDENCE_A, id);
}

void
evidence_all_begin(TableScan *scan, Tables *tables)
{
	ScanKeyData key;

	scan->tables = tables;
	scan->kind = SCAN_EVIDENCE_ALL;
	int4_key(&key, EVIDENCE_GRAPH, tables->graph->id);
	scan->scan = systable_beginscan(tables->evidence, InvalidOid, false,
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
		scan_begin(scan, tables, SCAN_EVIDENCE_B, tables->evidence,
				   tables->evidence_b, EVIDENCE_B, scan->key);
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
	scan_begin(scan, tables, SCAN_APART_A, tables->apart, tables->apart_pkey,
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
		scan_begin(scan, tables, SCAN_APART_B, tables->apart, tables->apart_b,
				   APART_B, scan->key);
	}
}
