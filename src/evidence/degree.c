/*
 * degree.c
 *		Identifiers that are linked with more others than one person has.
 *
 * What counts is evidence, not what became of it: distinct identifiers, blocked
 * ones left out, over evidence that is not revoked and not too weak.
 */
#include "postgres.h"

#include "evidence/apply.h"
#include "evidence/degree.h"
#include "miscadmin.h"

static int
compare_ids(const void *a, const void *b)
{
	int64 x = *(const int64 *) a;
	int64 y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

/* Numbers of identifiers, as they are found */
typedef struct Neighbours
{
	int n;
	int allocated;
	int64 *ids;
} Neighbours;

static void
add_neighbour(Neighbours *set, int64 id)
{
	if (set->n == set->allocated)
	{
		set->allocated = Max(32, set->allocated * 2);
		set->ids = set->ids == NULL ?
			palloc(sizeof(int64) * set->allocated) :
			repalloc_huge(set->ids, sizeof(int64) * set->allocated);
	}
	set->ids[set->n++] = id;
}

static int
count_distinct(Neighbours *set)
{
	int distinct = 0;

	if (set->n > 1)
		qsort(set->ids, set->n, sizeof(int64), compare_ids);
	for (int i = 0; i < set->n; i++)
	{
		if (i == 0 || set->ids[i] != set->ids[i - 1])
			distinct++;
	}
	return distinct;
}

static bool
is_blocked(Tables *tables, int64 id)
{
	Vertex vertex;

	if (!vertex_by_id(tables, id, &vertex))
		return false;
	pfree(vertex.value);
	if (vertex.original != NULL)
		pfree(vertex.original);
	return vertex.state == VERTEX_BLOCKED;
}

/* Nothing else is kept of what is read: callers ask for all of a graph. */
static void
add_stored_neighbours(Tables *tables, int64 id, Neighbours *set)
{
	TableScan scan;
	Evidence e;

	evidence_begin(&scan, tables, id);
	while (evidence_next(&scan, &e))
	{
		int64 other = e.a == id ? e.b : e.a;

		CHECK_FOR_INTERRUPTS();
		if (evidence_unrevoked(&e) &&
			e.weight >= tables->graph->rules[e.rule].min_weight &&
			!is_blocked(tables, other))
			add_neighbour(set, other);
		pfree(e.source);
	}
	scan_end(&scan);
}

/* With how many others an identifier is linked. */
int
stored_degree(Tables *tables, int64 id)
{
	Neighbours set = { 0 };
	int degree;

	add_stored_neighbours(tables, id, &set);
	degree = count_distinct(&set);
	if (set.ids != NULL)
		pfree(set.ids);
	return degree;
}

/* Whether a link of the batch counts. */
static bool
link_counts(const Apply *apply, const Link *link)
{
	return link->b >= 0 && link->a != link->b && link->same_as < 0 &&
		link->status != LINK_REVOKED &&
		link->weight >= apply->op->graph->rules[link->rule].min_weight;
}

static void
count_link(Apply *apply, int a, int b)
{
	if (apply->batch->identifiers[b].vertex.state != VERTEX_BLOCKED)
		apply->batch->identifiers[a].degree++;
}

/* More rows than this cannot be too many, whatever they are. */
static bool
may_exceed(Tables *tables, const Identifier *identifier, int max)
{
	TableScan scan;
	Evidence e;
	int n = identifier->degree;

	if (!identifier->is_new && n <= max)
	{
		evidence_begin(&scan, tables, identifier->vertex.id);
		while (n <= max && evidence_next(&scan, &e))
			n++;
		scan_end(&scan);
	}
	return n > max;
}

/* The neighbours that the batch brings to those identifiers that want them. */
static void
add_new_neighbours(Apply *apply, Neighbours *sets)
{
	Batch *batch = apply->batch;

	for (int i = 0; i < batch->n_links; i++)
	{
		Link *link = &batch->links[i];
		int ends[2] = { link->a, link->b };

		if (!link_counts(apply, link))
			continue;
		for (int e = 0; e < 2; e++)
		{
			Identifier *other = &batch->identifiers[ends[1 - e]];

			if (batch->identifiers[ends[e]].turns_shared &&
				other->vertex.state != VERTEX_BLOCKED)
				add_neighbour(&sets[ends[e]], other->vertex.id);
		}
	}
}

/* Find the identifiers that the batch makes shared. */
void
find_shared(Apply *apply)
{
	Batch *batch = apply->batch;
	const Graph *graph = apply->op->graph;
	Tables *tables = &apply->op->tables;
	Neighbours *sets;
	bool any = false;

	for (int i = 0; i < batch->n_links; i++)
	{
		Link *link = &batch->links[i];

		if (link_counts(apply, link))
		{
			count_link(apply, link->a, link->b);
			count_link(apply, link->b, link->a);
		}
	}
	for (int i = 0; i < batch->n_identifiers; i++)
	{
		Identifier *identifier = &batch->identifiers[i];
		int max = graph->types[identifier->type].max_degree;

		CHECK_FOR_INTERRUPTS();
		identifier->turns_shared = max > 0 && identifier->degree > 0 &&
			identifier->vertex.state == VERTEX_ACTIVE &&
			may_exceed(tables, identifier, max);
		any |= identifier->turns_shared;
	}
	if (!any)
		return;

	sets = palloc0(sizeof(Neighbours) * batch->n_identifiers);
	add_new_neighbours(apply, sets);
	for (int i = 0; i < batch->n_identifiers; i++)
	{
		Identifier *identifier = &batch->identifiers[i];

		if (!identifier->turns_shared)
			continue;
		if (!identifier->is_new)
			add_stored_neighbours(tables, identifier->vertex.id, &sets[i]);
		identifier->turns_shared = count_distinct(&sets[i]) >
			graph->types[identifier->type].max_degree;
	}
}
