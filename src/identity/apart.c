/*
 * apart.c
 *		must_not_link() and may_link(): who are two people, whatever the evidence.
 */
#include "postgres.h"

#include "common/args.h"
#include "compat.h"
#include "identity/identity.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(personalize_must_not_link);
PG_FUNCTION_INFO_V1(personalize_may_link);

typedef struct Apart
{
	LinkRequest ends[2];
	LinkRequests requests; /* that the two be known */
	char *source;
	bool changed;
} Apart;

static bool
find_end(Operation *op, const LinkRequest *end, Vertex *vertex)
{
	int type = graph_type(op->graph, end->type_a);

	return vertex_by_value(&op->tables, type,
						   normal_value(&op->graph->types[type], end->value_a),
						   vertex);
}

static bool
both_known(Operation *op, const Apart *apart, Vertex *a, Vertex *b)
{
	bool a_known = find_end(op, &apart->ends[0], a);

	return find_end(op, &apart->ends[1], b) && a_known;
}

/* The other identifiers that one must not be linked with. */
static bool
is_apart(Operation *op, int64 id, int64 other, bool other_only)
{
	TableScan scan;
	int64 found;
	bool any = false;

	apart_begin(&scan, &op->tables, id);
	while (!any && apart_next(&scan, &found))
		any = (found == other) == other_only;
	scan_end(&scan);
	return any;
}

static void
set_flags(Operation *op, const Vertex *a, const Vertex *b, bool apart)
{
	const Vertex *ends[2] = { a, b };
	Rows *rows = rows_create(SET_APART_FLAGS);

	for (int i = 0; i < 2; i++)
	{
		Datum values[2] = { Int64GetDatum(ends[i]->id) };
		bool flag = apart || is_apart(op, ends[i]->id, ends[1 - i]->id, false);

		values[1] = BoolGetDatum(flag);
		if (flag != ends[i]->apart)
			rows_add(rows, values, NULL);
	}
	rows_write_all(rows, SET_APART_FLAGS);
}

static void
write_apart(Operation *op, const Apart *apart, const LogEntry *cause, bool add)
{
	Rows *rows = rows_create(add ? ADD_APARTS : REVOKE_APARTS);
	Rows *log = rows_create(ADD_LOG);
	Datum now = TimestampTzGetDatum(GetCurrentTimestamp());
	Datum values[5];

	values[0] = Int64GetDatum(cause->a);
	values[1] = Int64GetDatum(cause->b);
	values[2] = add ? Int32GetDatum(op->graph->id) : now;
	values[3] = now;
	values[4] = add ? CStringGetTextDatum(apart->source) : (Datum) 0;
	rows_add(rows, values, NULL);
	rows_write_all(rows, add ? ADD_APARTS : REVOKE_APARTS);
	log_add(log, op, cause);
	rows_write_all(log, ADD_LOG);
	tables_refresh(&op->tables);
}

static OperationResult
change(Operation *op, Apart *apart, bool add)
{
	LogEntry cause = { .rule = -1,
					   .action = add ? "must_not_link" : "may_link" };
	Vertex a;
	Vertex b;
	Partition *p;

	apart->changed = false;
	if (add && !both_known(op, apart, &a, &b))
	{
		/* in this operation, as one after another may wait in a circle */
		OperationResult result = apply_links(op, &apart->requests);

		if (result != OPERATION_DONE)
			return result;
	}
	if (!both_known(op, apart, &a, &b))
		return OPERATION_DONE;
	if (a.id == b.id)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an identifier cannot be kept apart from itself"),
				 errdetail("Both are %s \"%s\".", apart->ends[0].type_a,
						   a.value)));
	if (!operation_lock_two(op, &a, &b))
		return OPERATION_RETRY;
	if (is_apart(op, a.id, b.id, true) == add)
		return OPERATION_DONE;
	apart->changed = true;
	cause.a = Min(a.id, b.id);
	cause.b = Max(a.id, b.id);
	set_flags(op, &a, &b, add);
	write_apart(op, apart, &cause, add);
	cause.detail = cause.action;
	/* two persons who are two already stay so */
	if (add && a.root != b.root)
		return OPERATION_DONE;
	p = partition_create(op);
	partition_seed(p, a.id);
	partition_seed(p, b.id);
	p = partition_solve(p);
	if (p == NULL)
		return OPERATION_GLOBAL;
	(void) partition_write(p, &cause);
	return OPERATION_DONE;
}

static OperationResult
add_apart(Operation *op, void *arg)
{
	return change(op, arg, true);
}

static OperationResult
remove_apart(Operation *op, void *arg)
{
	return change(op, arg, false);
}

static void
read_ends(FunctionCallInfo fcinfo, Apart *apart)
{
	for (int i = 0; i < 2; i++)
	{
		LinkRequest *end = &apart->ends[i];

		memset(end, 0, sizeof(LinkRequest));
		end->type_a = text_argument(fcinfo, 1 + 2 * i, i ? "type_b" : "type_a");
		end->value_a =
			text_argument(fcinfo, 2 + 2 * i, i ? "value_b" : "value_a");
		end->rule = "observed";
		end->source = "";
	}
}

Datum
personalize_must_not_link(PG_FUNCTION_ARGS)
{
	char *name = pstrdup(owned_graph(fcinfo)->name);
	Apart apart = { .requests = { .context = CurrentMemoryContext, .n = 2 } };

	read_ends(fcinfo, &apart);
	apart.source = text_argument(fcinfo, 5, "source");
	apart.requests.links = apart.ends;
	operation_run(name, false, add_apart, &apart);
	PG_RETURN_BOOL(apart.changed);
}

Datum
personalize_may_link(PG_FUNCTION_ARGS)
{
	char *name = pstrdup(owned_graph(fcinfo)->name);
	Apart apart;

	read_ends(fcinfo, &apart);
	operation_run(name, false, remove_apart, &apart);
	if (!apart.changed)
		ereport(NOTICE,
				(errmsg("nothing keeps %s \"%s\" and %s \"%s\" apart",
						apart.ends[0].type_a, apart.ends[0].value_a,
						apart.ends[1].type_a, apart.ends[1].value_a)));
	PG_RETURN_BOOL(apart.changed);
}
