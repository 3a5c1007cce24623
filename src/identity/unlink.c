/*
 * unlink.c
 *		Evidence that is revoked: of two identifiers, of a source, of old times.
 */
#include "postgres.h"

#include "common/args.h"
#include "compat.h"
#include "evidence/degree.h"
#include "identity/identity.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(personalize_unlink);
PG_FUNCTION_INFO_V1(personalize_unlink_source);
PG_FUNCTION_INFO_V1(personalize_expire_links);

typedef struct Unlink
{
	char *type_a;
	char *value_a;
	char *type_b;
	char *value_b;
	char *rule;	  /* NULL: any */
	char *source; /* NULL: any */
	char *type;	  /* of either end, NULL: any */
	TimestampTz before;
	bool by_time;
	const char *action;
	int64 revoked;
} Unlink;

static bool
matches(const Unlink *u, const Graph *graph, const Evidence *e)
{
	return evidence_unrevoked(e) &&
		(u->rule == NULL || strcmp(graph->rules[e->rule].name, u->rule) == 0) &&
		(u->source == NULL || strcmp(e->source, u->source) == 0) &&
		(!u->by_time || e->last_seen < u->before);
}

static void
revoke_evidence(Operation *op, Unlink *u, const Evidence *e, Rows *rows,
				Rows *log)
{
	TimestampTz now = GetCurrentTimestamp();
	Datum values[5];
	LogEntry entry = {
		.action = u->action, .a = e->a, .b = e->b, .rule = e->rule
	};

	values[0] = Int64GetDatum(e->a);
	values[1] = Int64GetDatum(e->b);
	values[2] = Int32GetDatum(op->graph->rules[e->rule].id);
	values[3] = CStringGetTextDatum(e->source);
	values[4] = TimestampTzGetDatum(Max(now, e->last_seen));
	rows_add(rows, values, NULL);
	if (e->source[0] != '\0')
		entry.detail = psprintf("source \"%s\"", e->source);
	log_add(log, op, &entry);
	u->revoked++;
}

/* An identifier by its type and value, in whatever form it is given. */
static bool
find_identifier(Operation *op, const char *type_name, const char *value,
				Vertex *vertex)
{
	int type = graph_type(op->graph, type_name);

	return vertex_by_value(&op->tables, type,
						   normal_value(&op->graph->types[type], value),
						   vertex);
}

/* Whether an identifier that was shared has few enough links again. */
static bool
turns_unshared(Operation *op, const Vertex *vertex)
{
	int max = op->graph->types[vertex->type].max_degree;

	return vertex->state == VERTEX_SHARED &&
		(max == 0 || stored_degree(&op->tables, vertex->id) <= max);
}

static OperationResult
unshare(Operation *op, const Vertex *a, const Vertex *b, const LogEntry *cause)
{
	const Vertex *ends[2] = { a, b };
	Restate r;

	if (!op->global)
		return OPERATION_GLOBAL;
	restate_begin(&r, op);
	for (int i = 0; i < 2; i++)
	{
		restate_seed(&r, ends[i]->id);
		if (turns_unshared(op, ends[i]))
			restate_vertex(&r, ends[i], VERTEX_ACTIVE);
	}
	(void) restate_end(&r, cause);
	return OPERATION_DONE;
}

/* The persons of a and b, after evidence of them has changed. */
static OperationResult
settle_two(Operation *op, const Vertex *a, const Vertex *b,
		   const LogEntry *cause)
{
	Partition *p;

	tables_refresh(&op->tables);
	if (turns_unshared(op, a) || turns_unshared(op, b))
		return unshare(op, a, b, cause);
	if (a->root != b->root)
		return OPERATION_DONE;
	p = partition_create(op);
	partition_seed(p, a->id);
	p = partition_solve(p);
	if (p == NULL)
		return OPERATION_GLOBAL;
	(void) partition_write(p, cause);
	return OPERATION_DONE;
}

static OperationResult
unlink_two(Operation *op, void *arg)
{
	Unlink *u = arg;
	LogEntry cause = { .rule = -1, .detail = "unlink" };
	Rows *rows = rows_create(REVOKE_EVIDENCE);
	Rows *log = rows_create(ADD_LOG);
	TableScan scan;
	Evidence e;
	Vertex a;
	Vertex b;

	u->revoked = 0;
	if (u->rule != NULL)
		(void) graph_rule(op->graph, u->rule);
	if (!find_identifier(op, u->type_a, u->value_a, &a) ||
		!find_identifier(op, u->type_b, u->value_b, &b) || a.id == b.id)
		return OPERATION_DONE;
	if (!operation_lock_two(op, &a, &b))
		return OPERATION_RETRY;
	evidence_begin(&scan, &op->tables, a.id);
	while (evidence_next(&scan, &e))
	{
		CHECK_FOR_INTERRUPTS();
		if ((e.a == b.id || e.b == b.id) && matches(u, op->graph, &e))
			revoke_evidence(op, u, &e, rows, log);
	}
	scan_end(&scan);
	if (u->revoked == 0)
		return OPERATION_DONE;
	cause.a = Min(a.id, b.id);
	cause.b = Max(a.id, b.id);
	rows_write_all(rows, REVOKE_EVIDENCE);
	rows_write_all(log, ADD_LOG);
	return settle_two(op, &a, &b, &cause);
}

/* Revoke all evidence of the graph that matches. */
static OperationResult
unlink_many(Operation *op, void *arg)
{
	Unlink *u = arg;
	int type = u->type == NULL ? -1 : graph_type(op->graph, u->type);
	LogEntry cause = { .rule = -1, .detail = u->action };
	Rows *rows = rows_create(REVOKE_EVIDENCE);
	Rows *log = rows_create(ADD_LOG);
	TableScan scan;
	Evidence e;
	Restate r;

	u->revoked = 0;
	restate_begin(&r, op);
	evidence_all_begin(&scan, &op->tables);
	while (evidence_next(&scan, &e))
	{
		Vertex a;
		Vertex b;

		CHECK_FOR_INTERRUPTS();
		if (!matches(u, op->graph, &e))
			continue;
		if (type >= 0 && vertex_by_id(&op->tables, e.a, &a) &&
			vertex_by_id(&op->tables, e.b, &b) && a.type != type &&
			b.type != type)
			continue;
		revoke_evidence(op, u, &e, rows, log);
		restate_seed(&r, e.a);
		restate_seed(&r, e.b);
	}
	scan_end(&scan);
	if (u->revoked == 0)
		return OPERATION_DONE;
	rows_write_all(rows, REVOKE_EVIDENCE);
	rows_write_all(log, ADD_LOG);
	tables_refresh(&op->tables);
	restate_shared(&r);
	(void) restate_end(&r, &cause);
	return OPERATION_DONE;
}

Datum
personalize_unlink(PG_FUNCTION_ARGS)
{
	char *graph = pstrdup(owned_graph(fcinfo)->name);
	Unlink u = { .action = "revoke" };

	u.type_a = text_argument(fcinfo, 1, "type_a");
	u.value_a = text_argument(fcinfo, 2, "value_a");
	u.type_b = text_argument(fcinfo, 3, "type_b");
	u.value_b = text_argument(fcinfo, 4, "value_b");
	u.rule = optional_text(fcinfo, 5);
	u.source = optional_text(fcinfo, 6);
	operation_run(graph, false, unlink_two, &u);
	if (u.revoked == 0)
		ereport(NOTICE,
				(errmsg("no evidence links %s \"%s\" with %s \"%s\"", u.type_a,
						u.value_a, u.type_b, u.value_b),
				 errhint(
					 "why() shows the evidence between two identifiers, must_not_link() keeps them apart whatever the evidence.")));
	PG_RETURN_INT64(u.revoked);
}

Datum
personalize_unlink_source(PG_FUNCTION_ARGS)
{
	char *graph = pstrdup(owned_graph(fcinfo)->name);
	Unlink u = { .action = "revoke" };

	u.source = text_argument(fcinfo, 1, "source");
	operation_run(graph, true, unlink_many, &u);
	PG_RETURN_INT64(u.revoked);
}

Datum
personalize_expire_links(PG_FUNCTION_ARGS)
{
	char *graph = pstrdup(owned_graph(fcinfo)->name);
	Unlink u = { .action = "expire", .by_time = true };

	arg_not_null(fcinfo, 1, "before");
	u.before = PG_GETARG_TIMESTAMPTZ(1);
	u.type = optional_text(fcinfo, 2);
	operation_run(graph, true, unlink_many, &u);
	PG_RETURN_INT64(u.revoked);
}
