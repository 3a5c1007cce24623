/*
 * admin.c
 *		Graphs, created and dropped.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/args.h"
#include "compat.h"
#include "executor/spi.h"
#include "identity/identity.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(personalize_create_identity_graph);
PG_FUNCTION_INFO_V1(personalize_alter_identity_graph);
PG_FUNCTION_INFO_V1(personalize_drop_identity_graph);

/*
 * Statements as the owner of the tables, with $1 the graph and two roles; returns
 * how many rows the last one changed.
 */
static uint64
run_as_owner(const char *const *statements, int n, const char *graph,
			 const char *owner, const char *reader)
{
	Oid types[3] = { TEXTOID, TEXTOID, TEXTOID };
	Datum values[3] = { 0 };
	char nulls[4] = "   ";
	Relation rel = RelationIdGetRelation(table_of("identity_graph"));
	uint64 changed = 0;
	int sec_context;
	Oid user;

	values[0] = CStringGetTextDatum(graph);
	nulls[1] = owner == NULL ? 'n' : ' ';
	values[1] = owner == NULL ? (Datum) 0 : CStringGetTextDatum(owner);
	nulls[2] = reader == NULL ? 'n' : ' ';
	values[2] = reader == NULL ? (Datum) 0 : CStringGetTextDatum(reader);
	GetUserIdAndSecContext(&user, &sec_context);
	SetUserIdAndSecContext(rel->rd_rel->relowner,
						   sec_context | SECURITY_LOCAL_USERID_CHANGE);
	RelationClose(rel);
	SPI_connect();
	for (int i = 0; i < n; i++)
	{
		int result = SPI_execute_with_args(statements[i], 3, types, values,
										   nulls, false, 0);

		if (result < 0)
			elog(ERROR, "could not execute \"%s\": %s", statements[i],
				 SPI_result_code_string(result));
		changed = SPI_processed;
	}
	SPI_finish();
	SetUserIdAndSecContext(user, sec_context);
	graph_changed();
	CommandCounterIncrement();
	return changed;
}

/* A role that the graph is to belong to, or be read by. */
static char *
role_argument(FunctionCallInfo fcinfo, int argno, bool must_be_member)
{
	char *role;
	Oid oid;

	if (PG_ARGISNULL(argno))
		return NULL;
	role = NameStr(*PG_GETARG_NAME(argno));
	oid = get_role_oid(role, false);
	if (must_be_member && !superuser() && !has_privs_of_role(GetUserId(), oid))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be member of role \"%s\"", role)));
	return pstrdup(role);
}

/*
 * The caller's graph, that nobody else drops or gives away.  Before it was
 * locked it may have been dropped, and another one created.
 */
static const Graph *
locked_graph(FunctionCallInfo fcinfo, LOCKMODE mode)
{
	int id = owned_graph(fcinfo)->id;
	const Graph *graph;

	LockDatabaseObject(table_of("identity_graph"), id, 0, mode);
	graph = owned_graph(fcinfo);
	if (graph->id != id)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("identity graph \"%s\" was dropped and created anew",
						graph->name)));
	return graph;
}

#define GRAPH_ID \
	"(SELECT g.id FROM personalize.identity_graph g WHERE g.graph OPERATOR(pg_catalog.=) $1)"

Datum
personalize_create_identity_graph(PG_FUNCTION_ARGS)
{
	static const char *const add_graph[] = {
		"INSERT INTO personalize.identity_graph (graph, owner, reader) VALUES ($1, $2, $3) "
		"ON CONFLICT (graph) DO NOTHING"
	};
	static const char *const add_defaults[] = {
		"INSERT INTO personalize.identity_rule (graph_id, rule, priority, min_weight) "
		"VALUES (" GRAPH_ID ", 'observed', 100, '-infinity')",
		"INSERT INTO personalize.identity_blocked (graph_id, value, pattern) "
		"SELECT " GRAPH_ID
		", d.value, d.pattern FROM personalize.identity_blocked_default d"
	};
	char *graph = text_argument(fcinfo, 0, "graph");
	char *owner = role_argument(fcinfo, 1, true);
	char *reader = role_argument(fcinfo, 2, false);

	if (graph[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("the name of an identity graph must not be empty")));
	if (owner == NULL)
		owner = GetUserNameFromId(GetUserId(), false);
	if (run_as_owner(add_graph, 1, graph, owner, reader) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("identity graph \"%s\" already exists", graph)));
	(void) run_as_owner(add_defaults, lengthof(add_defaults), graph, owner,
						reader);
	PG_RETURN_VOID();
}

Datum
personalize_alter_identity_graph(PG_FUNCTION_ARGS)
{
	static const char *const statements[] = {
		"UPDATE personalize.identity_graph SET owner = $2::pg_catalog.name, reader = $3::pg_catalog.name "
		"WHERE graph OPERATOR(pg_catalog.=) $1"
	};
	const Graph *graph = locked_graph(fcinfo, ShareUpdateExclusiveLock);
	char *name = pstrdup(graph->name);
	char *former = pstrdup(graph->owner);
	char *owner = role_argument(fcinfo, 1, true);
	char *reader = role_argument(fcinfo, 2, false);

	if (owner == NULL)
		owner = former;
	(void) run_as_owner(statements, lengthof(statements), name, owner, reader);
	PG_RETURN_VOID();
}

Datum
personalize_drop_identity_graph(PG_FUNCTION_ARGS)
{
	static const char *const statements[] = {
		"DELETE FROM personalize.identity_vertex WHERE graph_id OPERATOR(pg_catalog.=) " GRAPH_ID,
		"DELETE FROM personalize.identity_evidence WHERE graph_id OPERATOR(pg_catalog.=) " GRAPH_ID,
		"DELETE FROM personalize.identity_apart WHERE graph_id OPERATOR(pg_catalog.=) " GRAPH_ID,
		"DELETE FROM personalize.identity_log WHERE graph_id OPERATOR(pg_catalog.=) " GRAPH_ID,
		"DELETE FROM personalize.identity_graph WHERE graph OPERATOR(pg_catalog.=) $1"
	};
	char *name = pstrdup(locked_graph(fcinfo, AccessExclusiveLock)->name);

	(void) run_as_owner(statements, lengthof(statements), name, NULL, NULL);
	PG_RETURN_VOID();
}
