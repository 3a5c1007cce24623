/*
 * rules.c
 *		Types, rules and blocked values of a graph, which may change at any time:
 *		the people of today then follow from the new ones.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/args.h"
#include "compat.h"
#include "executor/spi.h"
#include "identity/identity.h"
#include "miscadmin.h"
#include "text/text.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(personalize_set_identifier_type);
PG_FUNCTION_INFO_V1(personalize_set_link_rule);
PG_FUNCTION_INFO_V1(personalize_block_identifier);
PG_FUNCTION_INFO_V1(personalize_unblock_identifier);
PG_FUNCTION_INFO_V1(personalize_rebuild_identity_graph);

/* A statement of ours with up to eight parameters, NULL where text is NULL. */
typedef struct Parameters
{
	int n;
	Oid types[8];
	Datum values[8];
	char nulls[9];
} Parameters;

static void
add_parameter(Parameters *p, Oid type, Datum value, bool isnull)
{
	p->types[p->n] = type;
	p->values[p->n] = value;
	p->nulls[p->n++] = isnull ? 'n' : ' ';
}

static void
add_int(Parameters *p, int value)
{
	add_parameter(p, INT4OID, Int32GetDatum(value), false);
}

/* An int that is NULL where it is 0 */
static void
add_optional_int(Parameters *p, int value)
{
	add_parameter(p, INT4OID, Int32GetDatum(value), value == 0);
}

static void
add_text(Parameters *p, const char *value)
{
	add_parameter(p, TEXTOID,
				  value == NULL ? (Datum) 0 : CStringGetTextDatum(value),
				  value == NULL);
}

static uint64
run(const char *sql, Parameters *p)
{
	int result = SPI_execute_with_args(sql, p->n, p->types, p->values, p->nulls,
									   false, 0);

	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", sql,
			 SPI_result_code_string(result));
	return SPI_processed;
}

/* Go on with the graph as it is now. */
static void
reload(Operation *op)
{
	char *name = pstrdup(op->graph->name);

	graph_changed();
	CommandCounterIncrement();
	op->graph = graph_find(name);
	op->tables.graph = op->graph;
	tables_refresh(&op->tables);
}

static void
log_rule(Operation *op, const char *detail)
{
	Rows *log = rows_create(ADD_LOG);
	LogEntry entry = { .action = "rule", .rule = -1, .detail = detail };

	log_add(log, op, &entry);
	rows_write_all(log, ADD_LOG);
}

static void
seed_type(Restate *r, int type)
{
	TableScan scan;
	Vertex vertex;

	vertices_begin(&scan, &r->op->tables, type);
	while (member_next(&scan, &vertex))
	{
		CHECK_FOR_INTERRUPTS();
		restate_seed(r, vertex.id);
	}
	scan_end(&scan);
}

typedef struct TypeChange
{
	char *type;
	int max_per_person;
	int max_degree;
	int priority;
	char *normalize;
	char *region;
} TypeChange;

/* A change of normal forms would have to change what is stored. */
static void
check_normal(Operation *op, const TypeChange *change)
{
	TableScan scan;
	Vertex vertex;
	bool used;
	int type = -1;

	for (int i = 0; i < op->graph->n_types; i++)
	{
		if (strcmp(op->graph->types[i].name, change->type) == 0)
			type = i;
	}
	if (type < 0)
		return;
	vertices_begin(&scan, &op->tables, type);
	used = member_next(&scan, &vertex);
	scan_end(&scan);
	if (used)
	{
		static const char *const names[] = { "none", "lower", "email",
											 "phone" };
		const IdentifierType *t = &op->graph->types[type];

		if (strcmp(names[t->normal], change->normalize) != 0 ||
			strcmp(t->region ? t->region : "",
				   change->region ? change->region : "") != 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_IN_USE),
					 errmsg("cannot change how identifiers of type \"%s\" are normalised",
							change->type),
					 errdetail("The graph has identifiers of this type, by \"%s\".",
							   names[t->normal]),
					 errhint(
						 "Give normal_form and region as they are, or declare another type and link its identifiers.")));
	}
}

static OperationResult
set_type(Operation *op, void *arg)
{
	TypeChange *change = arg;
	LogEntry cause = { .rule = -1 };
	Parameters p = { 0 };
	Restate r;

	check_normal(op, change);
	add_int(&p, op->graph->id);
	add_text(&p, change->type);
	add_optional_int(&p, change->max_per_person);
	add_optional_int(&p, change->max_degree);
	add_int(&p, change->priority);
	add_text(&p, change->normalize);
	add_text(&p, change->region);
	run("INSERT INTO personalize.identity_type AS t (graph_id, type, max_per_person, max_degree, priority, normal_form, region) "
		"VALUES ($1, $2, $3, $4, $5, $6, $7) "
		"ON CONFLICT (graph_id, type) DO UPDATE SET max_per_person = excluded.max_per_person, "
		"max_degree = excluded.max_degree, priority = excluded.priority, normal_form = excluded.normal_form, region = excluded.region",
		&p);
	reload(op);
	cause.detail =
		psprintf("type \"%s\": max_per_person %d, max_degree %d (0 is no limit), priority %d",
				 change->type, change->max_per_person, change->max_degree,
				 change->priority);
	log_rule(op, cause.detail);
	restate_begin(&r, op);
	seed_type(&r, graph_type(op->graph, change->type));
	restate_shared(&r);
	(void) restate_end(&r, &cause);
	return OPERATION_DONE;
}

/* A limit: NULL for none, which is 0 to us. */
static int
limit_argument(FunctionCallInfo fcinfo, int argno, const char *name)
{
	if (PG_ARGISNULL(argno))
		return 0;
	if (PG_GETARG_INT32(argno) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be positive, or NULL for no limit", name)));
	return PG_GETARG_INT32(argno);
}

static char *
name_argument(FunctionCallInfo fcinfo, int argno, const char *name)
{
	char *value = text_argument(fcinfo, argno, name);

	if (value[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("%s must not be empty", name)));
	return value;
}

Datum
personalize_set_identifier_type(PG_FUNCTION_ARGS)
{
	char *graph = pstrdup(owned_graph(fcinfo)->name);
	TypeChange change = { 0 };

	change.type = name_argument(fcinfo, 1, "type");
	change.max_per_person = limit_argument(fcinfo, 2, "max_per_person");
	change.max_degree = limit_argument(fcinfo, 3, "max_degree");
	arg_not_null(fcinfo, 4, "priority");
	change.priority = PG_GETARG_INT32(4);
	change.normalize = text_argument(fcinfo, 5, "normal_form");
	change.region = optional_text(fcinfo, 6);
	if (strcmp(change.normalize, "none") != 0 &&
		strcmp(change.normalize, "lower") != 0 &&
		strcmp(change.normalize, "email") != 0 &&
		strcmp(change.normalize, "phone") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown normal form \"%s\"", change.normalize),
				 errhint("Choose none, lower, email or phone.")));
	if (change.region != NULL && strcmp(change.normalize, "phone") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("region is for phone numbers only"),
				 errhint("Give normal_form => 'phone'.")));
	/* a region that is none must not stay to fail later */
	if (change.region != NULL)
		(void) phone_normal_form("", change.region);
	operation_run(graph, true, set_type, &change);
	PG_RETURN_VOID();
}

typedef struct RuleChange
{
	char *rule;
	int priority;
	double min_weight;
} RuleChange;

static void
seed_rule(Restate *r, int rule)
{
	TableScan scan;
	Evidence e;

	evidence_all_begin(&scan, &r->op->tables);
	while (evidence_next(&scan, &e))
	{
		CHECK_FOR_INTERRUPTS();
		if (e.rule != rule)
			continue;
		restate_seed(r, e.a);
		restate_seed(r, e.b);
	}
	scan_end(&scan);
}

static OperationResult
set_rule(Operation *op, void *arg)
{
	RuleChange *change = arg;
	LogEntry cause = { .rule = -1 };
	Parameters p = { 0 };
	Restate r;

	add_int(&p, op->graph->id);
	add_text(&p, change->rule);
	add_int(&p, change->priority);
	add_parameter(&p, FLOAT8OID, Float8GetDatum(change->min_weight), false);
	run("INSERT INTO personalize.identity_rule AS r (graph_id, rule, priority, min_weight) VALUES ($1, $2, $3, $4) "
		"ON CONFLICT (graph_id, rule) DO UPDATE SET priority = excluded.priority, min_weight = excluded.min_weight",
		&p);
	reload(op);
	cause.detail = psprintf("rule \"%s\": priority %d, min_weight %g",
							change->rule, change->priority, change->min_weight);
	log_rule(op, cause.detail);
	restate_begin(&r, op);
	seed_rule(&r, graph_rule(op->graph, change->rule));
	restate_shared(&r);
	(void) restate_end(&r, &cause);
	return OPERATION_DONE;
}

Datum
personalize_set_link_rule(PG_FUNCTION_ARGS)
{
	char *graph = pstrdup(owned_graph(fcinfo)->name);
	RuleChange change;

	change.rule = name_argument(fcinfo, 1, "rule");
	arg_not_null(fcinfo, 2, "priority");
	change.priority = PG_GETARG_INT32(2);
	change.min_weight =
		PG_ARGISNULL(3) ? -get_float8_infinity() : PG_GETARG_FLOAT8(3);
	if (isnan(change.min_weight))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_weight must not be NaN")));
	operation_run(graph, true, set_rule, &change);
	PG_RETURN_VOID();
}

typedef struct BlockChange
{
	bool block;
	char *value;
	char *pattern;
	char *type; /* NULL: any */
	bool changed;
} BlockChange;

static OperationResult
set_blocked(Operation *op, void *arg)
{
	BlockChange *change = arg;
	const IdentifierType *type = NULL;
	char *value = change->value;
	LogEntry cause = { .rule = -1 };
	Parameters p = { 0 };
	Restate r;

	if (change->type != NULL)
		type = &op->graph->types[graph_type(op->graph, change->type)];
	add_int(&p, op->graph->id);
	add_optional_int(&p, type == NULL ? 0 : type->id);
	if (type != NULL && change->value != NULL)
		value = lower_form(normal_value(type, change->value));
	add_text(&p, value);
	add_text(&p, change->pattern);
	change->changed =
		run(change->block ?
				"INSERT INTO personalize.identity_blocked (graph_id, type_id, value, pattern) "
				"VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING" :
				"DELETE FROM personalize.identity_blocked WHERE graph_id = $1 AND type_id IS NOT DISTINCT FROM $2 "
				"AND value IS NOT DISTINCT FROM $3 COLLATE \"C\" AND pattern IS NOT DISTINCT FROM $4",
			&p) > 0;
	if (!change->changed)
		return OPERATION_DONE;
	reload(op);
	cause.detail =
		psprintf("%s %s \"%s\"", change->block ? "block" : "unblock",
				 value ? "value" : "pattern", value ? value : change->pattern);
	log_rule(op, cause.detail);
	restate_begin(&r, op);
	restate_blocked(&r);
	restate_shared(&r);
	(void) restate_end(&r, &cause);
	return OPERATION_DONE;
}

static Datum
change_blocked(FunctionCallInfo fcinfo, bool block)
{
	char *graph = pstrdup(owned_graph(fcinfo)->name);
	BlockChange change = { .block = block };

	change.value =
		PG_ARGISNULL(1) ? NULL : lower_form(text_argument(fcinfo, 1, "value"));
	change.pattern = optional_text(fcinfo, 2);
	change.type = optional_text(fcinfo, 3);
	if ((change.value == NULL) == (change.pattern == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("either value or pattern must be given"),
				 errhint(
					 "A pattern is a regular expression over the value in lower case, such as '^test'.")));
	/* a pattern that is none must not stay to fail later */
	if (change.pattern != NULL)
		(void) DirectFunctionCall2Coll(textregexeq, DEFAULT_COLLATION_OID,
									   CStringGetTextDatum(""),
									   CStringGetTextDatum(change.pattern));
	operation_run(graph, true, set_blocked, &change);
	PG_RETURN_BOOL(change.changed);
}

Datum
personalize_block_identifier(PG_FUNCTION_ARGS)
{
	return change_blocked(fcinfo, true);
}

Datum
personalize_unblock_identifier(PG_FUNCTION_ARGS)
{
	return change_blocked(fcinfo, false);
}

/* Note again who must be kept apart from anybody; returns how many were wrong. */
static int
rebuild_aparts(Operation *op)
{
	Rows *rows = rows_create(SET_APART_FLAGS);
	TableScan scan;
	Vertex vertex;
	int n;

	vertices_begin(&scan, &op->tables, -1);
	while (member_next(&scan, &vertex))
	{
		Datum values[2] = { Int64GetDatum(vertex.id),
							BoolGetDatum(!vertex.apart) };
		TableScan others;
		int64 other;

		CHECK_FOR_INTERRUPTS();
		apart_begin(&others, &op->tables, vertex.id);
		if (apart_next(&others, &other) != vertex.apart)
			rows_add(rows, values, NULL);
		scan_end(&others);
	}
	scan_end(&scan);
	n = rows->n;
	rows_write_all(rows, SET_APART_FLAGS);
	return n;
}

/* Everything anew, from the evidence. */
static OperationResult
rebuild(Operation *op, void *arg)
{
	LogEntry cause = { .rule = -1, .detail = "rebuild" };
	int64 *changed = arg;
	Changes changes;
	Partition *p;
	Restate r;

	restate_begin(&r, op);
	restate_blocked(&r);
	restate_shared(&r);
	*changed = r.n_seeds;
	rows_write_all(r.states, SET_STATES);
	rows_write_all(r.log, ADD_LOG);
	*changed += rebuild_aparts(op);
	tables_refresh(&op->tables);
	p = partition_create(op);
	partition_seed_all(p);
	p = partition_solve(p);
	changes = partition_write(p, &cause);
	*changed += changes.merges + changes.splits;
	return OPERATION_DONE;
}

Datum
personalize_rebuild_identity_graph(PG_FUNCTION_ARGS)
{
	char *graph = pstrdup(owned_graph(fcinfo)->name);
	int64 changed;

	operation_run(graph, true, rebuild, &changed);
	PG_RETURN_INT64(changed);
}
