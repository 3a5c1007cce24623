/*
 * graph.c
 *		What is known of a graph: its types, rules and blocked values, kept by
 *		the backend until one of them changes.
 *
 * The rows are read with a snapshot of their own, the newest, because what is
 * kept outlives the transaction.  Whoever changes them says so by
 * graph_changed(), which invalidates the relation's cache entry everywhere, on
 * standbys too.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "compat.h"
#include "evidence/evidence.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

typedef struct GraphEntry
{
	struct GraphEntry *next;
	Graph graph;
} GraphEntry;

static MemoryContext graph_context = NULL;
static GraphEntry *graphs = NULL;
static RelationIds ids;
static bool ids_valid = false;
static bool graphs_valid = false;
static uint64 n_forgotten = 0;

static void
forget_graphs(Datum arg, Oid relid)
{
	if (relid != InvalidOid && relid != ids.graph)
		return;
	graphs_valid = ids_valid = false;
	n_forgotten++;
}

/*
 * The tables; what is known of graphs stays as it is.  They count as known once
 * all are found, since the search may end in an error, and not if they change
 * meanwhile.
 */
const RelationIds *
relation_ids(void)
{
	uint64 before = n_forgotten;

	if (!ids_valid)
	{
		relation_ids_read(&ids);
		ids_valid = before == n_forgotten;
	}
	return &ids;
}

/* Start with an empty memory if what it holds may be out of date. */
static void
graphs_prepare(void)
{
	static bool registered = false;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(forget_graphs, (Datum) 0);
		registered = true;
	}
	if (graph_context == NULL)
		graph_context =
			AllocSetContextCreate(CacheMemoryContext, "personalize graphs",
								  ALLOCSET_SMALL_SIZES);
	if (!graphs_valid)
	{
		MemoryContextReset(graph_context);
		graphs = NULL;
		graphs_valid = true;
		(void) relation_ids();
	}
}

/* Say that a graph, a type, a rule or a blocked value has changed. */
void
graph_changed(void)
{
	CacheInvalidateRelcacheByRelid(table_of("identity_graph"));
}

/* A column of a row as a string, NULL if it is null. */
static char *
column_text(TupleDesc desc, HeapTuple tuple, int attno)
{
	bool isnull;
	Datum value = heap_getattr(tuple, attno, desc, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static char *
column_name(TupleDesc desc, HeapTuple tuple, int attno)
{
	bool isnull;
	Datum value = heap_getattr(tuple, attno, desc, &isnull);

	return isnull ? NULL : pstrdup(NameStr(*DatumGetName(value)));
}

static int
column_int(TupleDesc desc, HeapTuple tuple, int attno)
{
	bool isnull;
	Datum value = heap_getattr(tuple, attno, desc, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

typedef void (*RowReader)(Graph *graph, TupleDesc desc, HeapTuple tuple);

/* Read the rows of a small table whose column attno is the graph's number. */
static void
read_rows(const char *table, int attno, Graph *graph, RowReader reader)
{
	Relation rel = table_open(table_of(table), AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple tuple;

	ScanKeyInit(&key, attno, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(graph->id));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		reader(graph, RelationGetDescr(rel), tuple);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

static void
read_type(Graph *graph, TupleDesc desc, HeapTuple tuple)
{
	IdentifierType *type;
	char *normal;

	graph->types =
		repalloc(graph->types, sizeof(IdentifierType) * (graph->n_types + 1));
	type = &graph->types[graph->n_types++];
	type->id = column_int(desc, tuple, 1);
	type->name = column_text(desc, tuple, 3);
	type->max_per_person = column_int(desc, tuple, 4);
	type->max_degree = column_int(desc, tuple, 5);
	type->priority = column_int(desc, tuple, 6);
	normal = column_text(desc, tuple, 7);
	type->normal = strcmp(normal, "email") == 0 ? NORMAL_EMAIL :
		strcmp(normal, "phone") == 0			? NORMAL_PHONE :
		strcmp(normal, "lower") == 0			? NORMAL_LOWER :
												  NORMAL_NONE;
	type->region = column_text(desc, tuple, 8);
	type->limit = -1;
}

static void
read_rule(Graph *graph, TupleDesc desc, HeapTuple tuple)
{
	LinkRule *rule;
	bool isnull;

	graph->rules =
		repalloc(graph->rules, sizeof(LinkRule) * (graph->n_rules + 1));
	rule = &graph->rules[graph->n_rules++];
	rule->id = column_int(desc, tuple, 1);
	rule->name = column_text(desc, tuple, 3);
	rule->priority = column_int(desc, tuple, 4);
	rule->min_weight = DatumGetFloat8(heap_getattr(tuple, 5, desc, &isnull));
}

static void
read_blocked(Graph *graph, TupleDesc desc, HeapTuple tuple)
{
	Blocked *blocked;
	bool isnull;
	Datum pattern;

	graph->blocked =
		repalloc(graph->blocked, sizeof(Blocked) * (graph->n_blocked + 1));
	blocked = &graph->blocked[graph->n_blocked++];
	blocked->type_id = column_int(desc, tuple, 2);
	blocked->value = column_text(desc, tuple, 3);
	pattern = heap_getattr(tuple, 4, desc, &isnull);
	blocked->pattern = isnull ? NULL : DatumGetTextPCopy(pattern);
}

static int
compare_types(const void *a, const void *b)
{
	return strcmp(((const IdentifierType *) a)->name,
				  ((const IdentifierType *) b)->name);
}

static void
read_details(Graph *graph)
{
	graph->types = palloc(sizeof(IdentifierType));
	graph->rules = palloc(sizeof(LinkRule));
	graph->blocked = palloc(sizeof(Blocked));
	read_rows("identity_type", 2, graph, read_type);
	read_rows("identity_rule", 2, graph, read_rule);
	read_rows("identity_blocked", 1, graph, read_blocked);
	qsort(graph->types, graph->n_types, sizeof(IdentifierType), compare_types);

	graph->limits = palloc(sizeof(int) * (graph->n_types + 1));
	graph->one_priority = true;
	for (int i = 0; i < graph->n_types; i++)
	{
		graph->one_priority &=
			graph->types[i].priority == graph->types[0].priority;
		if (graph->types[i].max_per_person > 0)
		{
			graph->types[i].limit = graph->n_limits;
			graph->limits[graph->n_limits++] = i;
		}
	}
}

/* Read a graph into the current memory context; false if there is none. */
static bool
graph_read(const char *name, Graph *graph)
{
	Relation rel = table_open(table_of("identity_graph"), AccessShareLock);
	TupleDesc desc = RelationGetDescr(rel);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple tuple;
	bool found;

	memset(graph, 0, sizeof(Graph));
	ScanKeyEntryInitialize(&key, 0, 2, BTEqualStrategyNumber, InvalidOid,
						   C_COLLATION_OID, F_TEXTEQ,
						   CStringGetTextDatum(name));
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 1, &key);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
	{
		graph->id = column_int(desc, tuple, 1);
		graph->name = column_text(desc, tuple, 2);
		graph->owner = column_name(desc, tuple, 3);
		graph->reader = column_name(desc, tuple, 4);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

const Graph *
graph_find(const char *name)
{
	GraphEntry *entry;
	MemoryContext caller;

	graphs_prepare();
	for (entry = graphs; entry != NULL; entry = entry->next)
	{
		if (strcmp(entry->graph.name, name) == 0)
			return &entry->graph;
	}

	caller = MemoryContextSwitchTo(graph_context);
	entry = palloc(sizeof(GraphEntry));
	if (!graph_read(name, &entry->graph))
	{
		pfree(entry);
		MemoryContextSwitchTo(caller);
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("identity graph \"%s\" does not exist", name),
				 errhint(
					 "Create it with create_identity_graph(), or choose one of the view identity_graphs.")));
	}
	read_details(&entry->graph);
	entry->next = graphs;
	graphs = entry;
	MemoryContextSwitchTo(caller);
	return &entry->graph;
}

static bool
has_role(Oid user, const char *role)
{
	Oid oid = role == NULL ? InvalidOid : get_role_oid(role, true);

	return OidIsValid(oid) && has_privs_of_role(user, oid);
}

void
graph_check_owner(const Graph *graph, Oid user)
{
	if (superuser_arg(user) || has_role(user, graph->owner))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("must be owner of identity graph \"%s\"", graph->name),
			 errdetail("It is owned by role \"%s\".", graph->owner)));
}

void
graph_check_reader(const Graph *graph)
{
	Oid user = GetUserId();

	if (superuser_arg(user) || has_role(user, graph->owner) ||
		has_role(user, graph->reader))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for identity graph \"%s\"", graph->name),
			 errdetail("It is owned by role \"%s\".", graph->owner)));
}

/* The position of a type by its name. */
int
graph_type(const Graph *graph, const char *name)
{
	for (int i = 0; i < graph->n_types; i++)
	{
		if (strcmp(graph->types[i].name, name) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("identity graph \"%s\" has no identifier type \"%s\"",
					graph->name, name),
			 errhint("Declare it: SELECT personalize.set_identifier_type(%s, %s, max_per_person => 1), or NULL for any number.",
					 quote_literal_cstr(graph->name),
					 quote_literal_cstr(name))));
	return -1;
}

int
graph_type_of_id(const Graph *graph, int id)
{
	for (int i = 0; i < graph->n_types; i++)
	{
		if (graph->types[i].id == id)
			return i;
	}
	elog(ERROR, "identity graph \"%s\" has no type of number %d", graph->name,
		 id);
	return -1;
}

int
graph_rule(const Graph *graph, const char *name)
{
	for (int i = 0; i < graph->n_rules; i++)
	{
		if (strcmp(graph->rules[i].name, name) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("identity graph \"%s\" has no rule \"%s\"", graph->name,
					name),
			 errhint("Declare it: SELECT personalize.set_link_rule(%s, %s).",
					 quote_literal_cstr(graph->name),
					 quote_literal_cstr(name))));
	return -1;
}

int
graph_rule_of_id(const Graph *graph, int id)
{
	for (int i = 0; i < graph->n_rules; i++)
	{
		if (graph->rules[i].id == id)
			return i;
	}
	elog(ERROR, "identity graph \"%s\" has no rule of number %d", graph->name,
		 id);
	return -1;
}
