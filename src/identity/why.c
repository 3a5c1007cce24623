/*
 * why.c
 *		why(): the evidence that leads from one identifier to another.
 *
 * The path is one of fewest pieces of evidence that a limit rejected, and among
 * those one of fewest steps; inside a person there are none of the former.
 */
#include "postgres.h"

#include <limits.h>

#include "common/args.h"
#include "evidence/groups.h"
#include "funcapi.h"
#include "identity/identity.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(personalize_why);
PG_FUNCTION_INFO_V1(personalize_why_values);

/* An identifier that was reached, and how */
typedef struct Reached
{
	int64 id;
	Vertex vertex;
	Evidence by; /* from `from` to here */
	int64 from;	 /* 0: the start */
	int rejections;
	bool settled;
} Reached;

typedef struct Waiting
{
	Reached *reached;
	struct Waiting *next;
} Waiting;

typedef struct Queue
{
	Waiting *first;
	Waiting *last;
} Queue;

typedef struct Search
{
	Operation op; /* for what reads by one: the graph and its tables */
	FunctionCallInfo fcinfo;
	HTAB *reached;
	Queue now;	 /* as many rejections as what is settled */
	Queue later; /* one more */
} Search;

static void
enqueue(Queue *queue, Reached *reached)
{
	Waiting *waiting = palloc(sizeof(Waiting));

	waiting->reached = reached;
	waiting->next = NULL;
	if (queue->first == NULL)
		queue->first = waiting;
	else
		queue->last->next = waiting;
	queue->last = waiting;
}

static Reached *
dequeue(Search *s)
{
	Waiting *waiting;

	if (s->now.first == NULL)
	{
		s->now = s->later;
		s->later.first = NULL;
	}
	waiting = s->now.first;
	if (waiting == NULL)
		return NULL;
	s->now.first = waiting->next;
	return waiting->reached;
}

/* Reach an identifier, if that has not been done with less. */
static void
reach(Search *s, int64 id, const Reached *from, const Evidence *by)
{
	Reached *r;
	bool found;
	int rejections = 0;

	r = hash_search(s->reached, &id, HASH_ENTER, &found);
	if (!found)
	{
		r->settled = false;
		r->rejections = INT_MAX;
		if (!vertex_by_id(&s->op.tables, id, &r->vertex))
			elog(ERROR, "identity graph has lost the identifier " INT64_FORMAT,
				 id);
	}
	if (r->settled)
		return;
	if (from != NULL)
	{
		if (r->vertex.state != VERTEX_ACTIVE)
			return;
		rejections =
			from->rejections + (from->vertex.root == r->vertex.root ? 0 : 1);
		if (rejections >= r->rejections)
			return;
		r->by = *by;
	}
	r->from = from == NULL ? 0 : from->id;
	r->rejections = rejections;
	enqueue(from == NULL || rejections == from->rejections ? &s->now :
															 &s->later,
			r);
}

static bool
counts(Search *s, const Evidence *e)
{
	return evidence_unrevoked(e) &&
		e->weight >= s->op.graph->rules[e->rule].min_weight;
}

/* Go from one identifier until the other is reached. */
static Reached *
search(Search *s, int64 from, int64 to)
{
	Reached *r;

	reach(s, from, NULL, NULL);
	while ((r = dequeue(s)) != NULL)
	{
		TableScan scan;
		Evidence e;

		CHECK_FOR_INTERRUPTS();
		if (r->settled)
			continue;
		r->settled = true;
		if (r->id == to)
			return r;
		if (r->vertex.state != VERTEX_ACTIVE)
			continue;
		evidence_begin(&scan, &s->op.tables, r->id);
		while (evidence_next(&scan, &e))
		{
			if (counts(s, &e))
				reach(s, e.a == r->id ? e.b : e.a, r, &e);
		}
		scan_end(&scan);
	}
	return NULL;
}

/* Why evidence does not join its ends; NULL if it does. */
static const char *
why_not(Search *s, const Vertex *a, const Vertex *b, const Evidence *e,
		const char **status)
{
	const Graph *graph = s->op.graph;
	const char *reason;
	Groups *groups;

	*status = "revoked";
	if (!evidence_unrevoked(e))
		return psprintf("it was revoked at %s",
						timestamptz_to_str(e->revoked_at));
	*status = "inert";
	if (a->state != VERTEX_ACTIVE || b->state != VERTEX_ACTIVE)
	{
		const Vertex *v = a->state != VERTEX_ACTIVE ? a : b;

		return v->state == VERTEX_BLOCKED ?
			blocked_reason(&graph->types[v->type], v->value) :
			psprintf("%s \"%s\" is linked with more than %d others",
					 graph->types[v->type].name, v->value,
					 graph->types[v->type].max_degree);
	}
	if (e->weight < graph->rules[e->rule].min_weight)
		return psprintf("its weight is below %g, the least of rule \"%s\"",
						graph->rules[e->rule].min_weight,
						graph->rules[e->rule].name);
	*status = "accepted";
	if (a->root == b->root)
		return NULL;
	*status = "rejected";
	groups = groups_create(&s->op);
	reason = groups_conflict(groups, groups_add_person(groups, a),
							 groups_add_person(groups, b));
	return reason != NULL ? reason : "other evidence comes first";
}

static void
put_row(Search *s, int step, const Vertex *a, const Vertex *b,
		const Evidence *e)
{
	ReturnSetInfo *result = (ReturnSetInfo *) s->fcinfo->resultinfo;
	const Graph *graph = s->op.graph;
	const char *status;
	const char *reason = why_not(s, a, b, e, &status);
	Datum values[12];
	bool nulls[12] = { false };

	values[0] = Int32GetDatum(step);
	values[1] = CStringGetTextDatum(graph->types[a->type].name);
	values[2] = CStringGetTextDatum(a->value);
	values[3] = CStringGetTextDatum(graph->types[b->type].name);
	values[4] = CStringGetTextDatum(b->value);
	values[5] = CStringGetTextDatum(graph->rules[e->rule].name);
	values[6] = Float8GetDatum(e->weight);
	values[7] = TimestampTzGetDatum(e->first_seen);
	values[8] = TimestampTzGetDatum(e->last_seen);
	values[9] = CStringGetTextDatum(e->source);
	values[10] = CStringGetTextDatum(status);
	nulls[11] = reason == NULL;
	values[11] = nulls[11] ? (Datum) 0 : CStringGetTextDatum(reason);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The path, from its start. */
static void
put_path(Search *s, Reached *end)
{
	List *path = NIL;
	int step = 0;
	ListCell *cell;

	for (Reached *r = end; r->from != 0;
		 r = hash_search(s->reached, &r->from, HASH_FIND, NULL))
		path = lcons(r, path);
	foreach (cell, path)
	{
		Reached *r = lfirst(cell);
		Reached *from = hash_search(s->reached, &r->from, HASH_FIND, NULL);

		put_row(s, ++step, &from->vertex, &r->vertex, &r->by);
	}
}

/* Where nothing leads from one to the other: what once did, or nearly does. */
static void
put_direct(Search *s, const Vertex *a, const Vertex *b)
{
	TableScan scan;
	Evidence e;
	int step = 0;

	evidence_begin(&scan, &s->op.tables, a->id);
	while (evidence_next(&scan, &e))
	{
		if (e.a == b->id || e.b == b->id)
			put_row(s, ++step, a, b, &e);
	}
	scan_end(&scan);
}

static Search *
begin_search(FunctionCallInfo fcinfo)
{
	Search *s = palloc0(sizeof(Search));
	HASHCTL control = { 0 };

	s->fcinfo = fcinfo;
	s->op.graph = readable_graph(fcinfo);
	s->op.global = true;
	control.keysize = sizeof(int64);
	control.entrysize = sizeof(Reached);
	control.hcxt = CurrentMemoryContext;
	s->reached = hash_create("identifiers of a path", 256, &control,
							 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	InitMaterializedSRF(fcinfo, 0);
	tables_open(&s->op.tables, s->op.graph, GetActiveSnapshot());
	return s;
}

static Datum
end_search(Search *s, const Vertex *a, const Vertex *b)
{
	if (a->id != b->id)
	{
		Reached *end = search(s, a->id, b->id);

		if (end != NULL)
			put_path(s, end);
		else
			put_direct(s, a, b);
	}
	tables_close(&s->op.tables);
	return (Datum) 0;
}

static void
find_identifier(Search *s, int argno, Vertex *vertex)
{
	const Graph *graph = s->op.graph;
	char *type_name = text_argument(s->fcinfo, argno, "type");
	char *value = text_argument(s->fcinfo, argno + 1, "value");
	int type = graph_type(graph, type_name);

	if (!vertex_by_value(&s->op.tables, type,
						 normal_value(&graph->types[type], value), vertex))
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("identity graph \"%s\" does not know %s \"%s\"",
						graph->name, type_name, value)));
}

/* The identifier of a value, of whatever type. */
static void
find_value(Search *s, int argno, Vertex *vertex)
{
	const Graph *graph = s->op.graph;
	char *value = text_argument(s->fcinfo, argno, "value");
	int found = -1;

	for (int type = 0; type < graph->n_types; type++)
	{
		Vertex candidate;

		if (!vertex_by_value(&s->op.tables, type,
							 normal_value(&graph->types[type], value),
							 &candidate))
			continue;
		if (found >= 0)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
					 errmsg("\"%s\" is an identifier of type \"%s\" and one of type \"%s\" in identity graph \"%s\"",
							value, graph->types[found].name,
							graph->types[type].name, graph->name),
					 errhint(
						 "Give the types: why(graph, type_a, value_a, type_b, value_b).")));
		*vertex = candidate;
		found = type;
	}
	if (found < 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("identity graph \"%s\" does not know \"%s\"",
						graph->name, value)));
}

Datum
personalize_why(PG_FUNCTION_ARGS)
{
	Search *s = begin_search(fcinfo);
	Vertex a;
	Vertex b;

	find_identifier(s, 1, &a);
	find_identifier(s, 3, &b);
	return end_search(s, &a, &b);
}

Datum
personalize_why_values(PG_FUNCTION_ARGS)
{
	Search *s = begin_search(fcinfo);
	Vertex a;
	Vertex b;

	find_value(s, 1, &a);
	find_value(s, 2, &b);
	return end_search(s, &a, &b);
}
