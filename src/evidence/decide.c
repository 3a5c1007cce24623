/*
 * decide.c
 *		What links make of persons, without weighing all evidence anew.
 *
 * People are what is left when evidence is accepted in its order, each piece
 * unless it would break a limit.  Three things follow (src/README has the
 * proofs): a link between two who can be one person makes them one, whatever its
 * place in the order; a link inside a person changes nothing; and a link between
 * two who cannot be one changes nothing if it is weighed after all that holds
 * each of them together.  What is left over, few links, marks the persons as
 * dirty, and they are computed anew (partition.c).
 */
#include "postgres.h"

#include "evidence/apply.h"
#include "miscadmin.h"

static void
build_key(Apply *apply, int i)
{
	Link *link = &apply->batch->links[i];
	Identifier *a = &apply->batch->identifiers[link->a];
	Identifier *b = &apply->batch->identifiers[link->b];

	order_key(&apply->keys[i], apply->op->graph, a->type, a->value, b->type,
			  b->value, link->rule, link->weight, link->first_seen,
			  link->source);
}

static int
compare_links(const void *a, const void *b, void *arg)
{
	const Apply *apply = arg;

	return order_compare(&apply->keys[*(const int *) a],
						 &apply->keys[*(const int *) b]);
}

/* What can be said of a link without looking at persons; false if nothing. */
static bool
decide_alone(Apply *apply, Link *link)
{
	const Graph *graph = apply->op->graph;
	Identifier *ends[2];

	if (link->status == LINK_REVOKED)
	{
		link->reason = "it was revoked, and has not been seen since";
		return true;
	}
	ends[0] = &apply->batch->identifiers[link->a];
	ends[1] = &apply->batch->identifiers[link->b];
	for (int i = 0; i < 2; i++)
	{
		if (!identifier_inert(ends[i]))
			continue;
		link->status = LINK_INERT;
		link->reason = ends[i]->vertex.state == VERTEX_BLOCKED ?
			blocked_reason(&graph->types[ends[i]->type], ends[i]->value) :
			psprintf("%s \"%s\" is linked with more than %d others",
					 graph->types[ends[i]->type].name, ends[i]->value,
					 graph->types[ends[i]->type].max_degree);
		return true;
	}
	if (link->weight < graph->rules[link->rule].min_weight)
	{
		link->status = LINK_INERT;
		link->reason =
			psprintf("its weight is below %g, the least of rule \"%s\"",
					 graph->rules[link->rule].min_weight,
					 graph->rules[link->rule].name);
		return true;
	}
	return false;
}

static void
merge(Apply *apply, int i, int a, int b)
{
	PersonGroup *x = &apply->groups->groups[a];
	PersonGroup *y = &apply->groups->groups[b];
	Merge *entry = &apply->merges[apply->n_merges++];

	entry->group = a;
	entry->link = i;
	entry->person = Min(x->person, y->person);
	if (x->person < y->person)
		x = y;
	/* nobody has seen the number of an identifier that is new */
	entry->former = x->root == 0 ? 0 : x->person;
	entry->identifiers = x->size;
	groups_merge(apply->groups, a, b);
}

/* Decide on a link; those before it in the order are decided. */
static void
decide(Apply *apply, int i)
{
	Batch *batch = apply->batch;
	Link *link = &batch->links[i];
	Groups *groups = apply->groups;
	int a = groups_find(groups, batch->identifiers[link->a].group);
	int b = groups_find(groups, batch->identifiers[link->b].group);
	bool dirty = groups->groups[a].dirty || groups->groups[b].dirty;

	link->status = LINK_ACCEPTED;
	if (a == b)
		return;
	link->reason = groups_conflict(groups, a, b);
	if (link->reason == NULL && !dirty)
	{
		merge(apply, i, a, b);
		return;
	}
	link->status = LINK_REJECTED;
	if (!dirty &&
		(link->unchanged ||
		 (groups_before(groups, a, &apply->keys[i]) &&
		  groups_before(groups, b, &apply->keys[i]))))
		return;
	link->status = LINK_PENDING;
	groups->groups[a].dirty = true;
	groups->groups[b].dirty = true;
}

/* Persons whose identifiers turn shared fall apart. */
static void
mark_shared(Apply *apply)
{
	Batch *batch = apply->batch;

	for (int i = 0; i < batch->n_identifiers; i++)
	{
		Identifier *identifier = &batch->identifiers[i];

		if (identifier->turns_shared && !identifier->is_new &&
			identifier->group >= 0)
			apply->groups->groups[identifier->group].dirty = true;
	}
}

void
decide_links(Apply *apply)
{
	Batch *batch = apply->batch;

	apply->keys =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   sizeof(OrderKey) * (batch->n_links + 1));
	apply->order = palloc(sizeof(int) * (batch->n_links + 1));
	apply->merges =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   sizeof(Merge) * (batch->n_links + 1));
	mark_shared(apply);
	for (int i = 0; i < batch->n_links; i++)
	{
		Link *link = &batch->links[i];

		if (link->status == LINK_ALONE || link->same_as >= 0 ||
			decide_alone(apply, link))
			continue;
		build_key(apply, i);
		apply->order[apply->n_order++] = i;
	}
	qsort_arg(apply->order, apply->n_order, sizeof(int), compare_links, apply);
	for (int i = 0; i < apply->n_order; i++)
	{
		CHECK_FOR_INTERRUPTS();
		decide(apply, apply->order[i]);
	}
}
