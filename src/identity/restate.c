/*
 * restate.c
 *		Identifiers that become blocked or shared, or are so no more, and the
 *		people of everybody whom that concerns.  The graph is locked.
 */
#include "postgres.h"

#include "compat.h"
#include "evidence/degree.h"
#include "identity/identity.h"
#include "miscadmin.h"

void
restate_begin(Restate *r, Operation *op)
{
	r->op = op;
	r->n_seeds = 0;
	r->allocated = 64;
	r->seeds = palloc(sizeof(int64) * r->allocated);
	r->states = rows_create(SET_STATES);
	r->log = rows_create(ADD_LOG);
}

/* Whoever is stored or linked with this identifier is concerned. */
void
restate_seed(Restate *r, int64 id)
{
	if (r->n_seeds == r->allocated)
	{
		r->allocated *= 2;
		r->seeds = repalloc_huge(r->seeds, sizeof(int64) * r->allocated);
	}
	r->seeds[r->n_seeds++] = id;
}

static const char *
action_of(char before, char after)
{
	if (after == VERTEX_BLOCKED)
		return "blocked";
	if (after == VERTEX_SHARED)
		return "shared";
	return before == VERTEX_BLOCKED ? "unblocked" : "unshared";
}

/* Give an identifier its new state. */
void
restate_vertex(Restate *r, const Vertex *vertex, char state)
{
	Datum values[2] = { Int64GetDatum(vertex->id), CharGetDatum(state) };
	LogEntry entry = { .rule = -1, .a = vertex->id };

	if (vertex->state == state)
		return;
	entry.action = action_of(vertex->state, state);
	entry.detail = psprintf("%s \"%s\"", r->op->graph->types[vertex->type].name,
							vertex->value);
	log_add(r->log, r->op, &entry);
	rows_add(r->states, values, NULL);
	restate_seed(r, vertex->id);
}

/* Look at all identifiers, whether they are blocked. */
void
restate_blocked(Restate *r)
{
	TableScan scan;
	Vertex vertex;

	vertices_begin(&scan, &r->op->tables, -1);
	while (member_next(&scan, &vertex))
	{
		CHECK_FOR_INTERRUPTS();
		if (value_blocked(r->op->graph, vertex.type, vertex.value))
			restate_vertex(r, &vertex, VERTEX_BLOCKED);
		else if (vertex.state == VERTEX_BLOCKED)
			restate_vertex(r, &vertex, VERTEX_ACTIVE);
	}
	scan_end(&scan);
	rows_write_all(r->states, SET_STATES);
	tables_refresh(&r->op->tables);
}

/* Look at all identifiers, whether they are shared. */
void
restate_shared(Restate *r)
{
	const Graph *graph = r->op->graph;

	for (int type = 0; type < graph->n_types; type++)
	{
		int max = graph->types[type].max_degree;
		TableScan scan;
		Vertex vertex;

		vertices_begin(&scan, &r->op->tables, type);
		while (member_next(&scan, &vertex))
		{
			bool shared;

			CHECK_FOR_INTERRUPTS();
			if (vertex.state == VERTEX_BLOCKED ||
				(max == 0 && vertex.state == VERTEX_ACTIVE))
				continue;
			shared = max > 0 && stored_degree(&r->op->tables, vertex.id) > max;
			restate_vertex(r, &vertex, shared ? VERTEX_SHARED : VERTEX_ACTIVE);
		}
		scan_end(&scan);
	}
}

/* Write states, then the people who follow from them. */
Changes
restate_end(Restate *r, const LogEntry *cause)
{
	Partition *p;

	rows_write_all(r->states, SET_STATES);
	rows_write_all(r->log, ADD_LOG);
	tables_refresh(&r->op->tables);
	p = partition_create(r->op);
	for (int i = 0; i < r->n_seeds; i++)
	{
		CHECK_FOR_INTERRUPTS();
		partition_seed(p, r->seeds[i]);
	}
	p = partition_solve(p);
	if (p == NULL)
		elog(ERROR, "identity graph is not locked");
	return partition_write(p, cause);
}
