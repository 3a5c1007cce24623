/*
 * apply.c
 *		Links, made.
 */
#include "postgres.h"

#include "evidence/apply.h"
#include "evidence/partition.h"
#include "miscadmin.h"

/* Look the identifiers up; what is known only by its value may be new. */
static void
look_up(Apply *apply)
{
	Batch *batch = apply->batch;

	for (int i = 0; i < batch->n_identifiers; i++)
	{
		Identifier *identifier = &batch->identifiers[i];

		CHECK_FOR_INTERRUPTS();
		identifier->group = -1;
		identifier->is_new =
			!vertex_by_value(&apply->op->tables, identifier->type,
							 identifier->value, &identifier->vertex);
		if (identifier->is_new)
		{
			memset(&identifier->vertex, 0, sizeof(Vertex));
			identifier->vertex.state =
				identifier->blocked ? VERTEX_BLOCKED : VERTEX_ACTIVE;
		}
	}
}

/* Lock the persons; false if they are others than they were. */
static bool
lock_persons(Apply *apply)
{
	Batch *batch = apply->batch;
	int64 *roots = palloc(sizeof(int64) * (batch->n_identifiers + 1));
	int n = 0;

	for (int i = 0; i < batch->n_identifiers; i++)
	{
		Identifier *identifier = &batch->identifiers[i];

		if (!identifier->is_new && identifier->vertex.state == VERTEX_ACTIVE)
			roots[n++] = identifier->vertex.root;
	}
	if (!operation_lock(apply->op, roots, n))
		return true;
	for (int i = 0; i < batch->n_identifiers; i++)
	{
		Identifier *identifier = &batch->identifiers[i];
		int64 root = identifier->vertex.root;

		if (identifier->is_new || identifier->vertex.state != VERTEX_ACTIVE)
			continue;
		if (!vertex_by_id(&apply->op->tables, identifier->vertex.id,
						  &identifier->vertex) ||
			identifier->vertex.root != root)
			return false;
	}
	return true;
}

/* Number what is new, and find everybody's group. */
static void
find_groups(Apply *apply)
{
	Batch *batch = apply->batch;
	Operation *op = apply->op;

	apply->groups = groups_create(op);
	op->added = palloc(sizeof(int64) * (batch->n_identifiers + 1));
	for (int i = 0; i < batch->n_identifiers; i++)
	{
		Identifier *identifier = &batch->identifiers[i];

		if (identifier->is_new)
		{
			identifier->vertex.id = next_vertex_id();
			op->added[op->n_new++] = identifier->vertex.id;
		}
		if (identifier->vertex.state != VERTEX_ACTIVE)
			continue;
		identifier->group = identifier->is_new ?
			groups_add_new(apply->groups, identifier->vertex.id,
						   identifier->type) :
			groups_add_person(apply->groups, &identifier->vertex);
	}
}

static int
compare_evidence(const void *a, const void *b, void *arg)
{
	Batch *batch = arg;
	int i = *(const int *) a;
	int j = *(const int *) b;
	const Link *x = &batch->links[i];
	const Link *y = &batch->links[j];
	int c;

	if (Min(x->a, x->b) != Min(y->a, y->b))
		return Min(x->a, x->b) < Min(y->a, y->b) ? -1 : 1;
	if (Max(x->a, x->b) != Max(y->a, y->b))
		return Max(x->a, x->b) < Max(y->a, y->b) ? -1 : 1;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	c = strcmp(x->source, y->source);
	return c != 0 ? c : i < j ? -1 : i > j;
}

/* Links that are the same evidence become one, the first. */
static void
fold_links(Batch *batch)
{
	int *order = palloc(sizeof(int) * (batch->n_links + 1));
	int n = 0;

	for (int i = 0; i < batch->n_links; i++)
	{
		Link *link = &batch->links[i];

		link->same_as = -1;
		link->status =
			link->b < 0 || link->a == link->b ? LINK_ALONE : LINK_PENDING;
		if (link->status != LINK_ALONE)
			order[n++] = i;
	}
	qsort_arg(order, n, sizeof(int), compare_evidence, batch);
	for (int i = 1; i < n; i++)
	{
		Link *link = &batch->links[order[i]];
		Link *before = &batch->links[order[i - 1]];
		Link *first =
			before->same_as >= 0 ? &batch->links[before->same_as] : before;

		if (Min(link->a, link->b) != Min(first->a, first->b) ||
			Max(link->a, link->b) != Max(first->a, first->b) ||
			link->rule != first->rule ||
			strcmp(link->source, first->source) != 0)
			continue;
		link->same_as = first - batch->links;
		first->weight = Max(first->weight, link->weight);
		first->first_seen = Min(first->first_seen, link->first_seen);
		first->last_seen = Max(first->last_seen, link->last_seen);
	}
}

/* Take in what is known of the same evidence. */
static void
find_evidence(Apply *apply)
{
	Batch *batch = apply->batch;

	for (int i = 0; i < batch->n_links; i++)
	{
		Link *link = &batch->links[i];
		Identifier *a = &batch->identifiers[link->a];
		Identifier *b;
		Evidence e;

		link->unchanged = false;
		if (link->status == LINK_ALONE || link->same_as >= 0)
			continue;
		b = &batch->identifiers[link->b];
		if (a->is_new || b->is_new ||
			!evidence_find(&apply->op->tables, a->vertex.id, b->vertex.id,
						   link->rule, link->source, &e))
			continue;
		link->known = true;
		link->unchanged = link->weight <= e.weight &&
			link->first_seen >= e.first_seen && link->last_seen <= e.last_seen;
		e.weight = link->weight = Max(link->weight, e.weight);
		e.first_seen = link->first_seen = Min(link->first_seen, e.first_seen);
		e.last_seen = link->last_seen = Max(link->last_seen, e.last_seen);
		if (!evidence_unrevoked(&e))
			link->status = LINK_REVOKED;
	}
}

/* Persons that are to be computed anew. */
static bool
settle_dirty(Apply *apply)
{
	Batch *batch = apply->batch;
	Partition *partition = NULL;
	LogEntry cause = { .action = "link" };

	cause.rule = -1;
	for (int i = 0; i < batch->n_identifiers; i++)
	{
		Identifier *identifier = &batch->identifiers[i];

		if (identifier->group < 0 ||
			!apply->groups
				 ->groups[groups_find(apply->groups, identifier->group)]
				 .dirty)
			continue;
		if (partition == NULL)
		{
			tables_refresh(&apply->op->tables);
			partition = partition_create(apply->op);
		}
		partition_seed(partition, identifier->vertex.id);
	}
	if (partition == NULL)
		return true;
	for (int i = 0; i < batch->n_links && cause.a == 0; i++)
	{
		if (batch->links[i].status != LINK_PENDING)
			continue;
		cause.a = batch->identifiers[batch->links[i].a].vertex.id;
		cause.b = batch->identifiers[batch->links[i].b].vertex.id;
		cause.rule = batch->links[i].rule;
	}
	/* without a link that waits, it is an identifier that turned shared */
	for (int i = 0; i < batch->n_identifiers && cause.a == 0; i++)
	{
		if (!batch->identifiers[i].turns_shared)
			continue;
		cause.a = batch->identifiers[i].vertex.id;
		cause.detail = "shared";
	}
	partition = partition_solve(partition);
	if (partition == NULL)
		return false;
	apply->requests->merged += partition_write(partition, &cause).merges;
	apply->anew = partition;
	return true;
}

/* What a link between persons that were computed anew came to. */
static void
settle_link(Apply *apply, Link *link)
{
	Partition *p = apply->anew;
	int a;
	int b;

	if (p == NULL || link->same_as >= 0 ||
		(link->status != LINK_PENDING && link->status != LINK_ACCEPTED &&
		 link->status != LINK_REJECTED))
		return;
	a = partition_position(p, apply->batch->identifiers[link->a].vertex.id);
	b = partition_position(p, apply->batch->identifiers[link->b].vertex.id);
	if (a >= 0 && b >= 0)
		link->status = partition_find(p, a) == partition_find(p, b) ?
			LINK_ACCEPTED :
			LINK_REJECTED;
}

/*
 * What became of the links that had to wait, and of those that were decided
 * before somebody whom they concern was computed anew.
 */
static void
settle_links(Apply *apply)
{
	Batch *batch = apply->batch;

	for (int i = 0; i < batch->n_links; i++)
	{
		Link *link = &batch->links[i];

		settle_link(apply, link);
		if (link->status == LINK_REJECTED && link->reason == NULL)
			link->reason = "other evidence comes first";
		if (link->status == LINK_ACCEPTED)
			link->reason = NULL;
	}
	for (int i = 0; i < batch->n_links; i++)
	{
		Link *link = &batch->links[i];

		if (link->same_as < 0)
			continue;
		link->status = batch->links[link->same_as].status;
		link->reason = batch->links[link->same_as].reason;
		link->unchanged = true;
	}
}

static int64
person_of_first(Apply *apply)
{
	Identifier *identifier =
		&apply->batch->identifiers[apply->batch->links[0].a];
	Vertex vertex;

	if (identifier_inert(identifier) ||
		!vertex_by_id(&apply->op->tables, identifier->vertex.id, &vertex) ||
		!vertex_by_id(&apply->op->tables, vertex.root, &vertex))
		return 0;
	return vertex.person;
}

/* Tell the caller, whose memory outlives the operation. */
static void
report(Apply *apply)
{
	LinkRequests *requests = apply->requests;

	for (int i = 0; i < requests->n; i++)
	{
		const Link *link = &apply->batch->links[i];
		LinkRequest *request = &requests->links[i];

		request->status = link->status;
		request->unchanged = link->unchanged;
		request->reason = link->reason == NULL || !requests->want_person ?
			NULL :
			MemoryContextStrdup(requests->context, link->reason);
	}
	if (requests->want_person)
		requests->person = person_of_first(apply);
}

OperationResult
apply_links(Operation *op, void *arg)
{
	Apply apply = { .op = op, .requests = arg };

	apply.requests->merged = apply.requests->added = 0;
	apply.batch = batch_create(op->graph, apply.requests);
	look_up(&apply);
	if (!lock_persons(&apply))
		return OPERATION_RETRY;
	find_groups(&apply);
	fold_links(apply.batch);
	find_evidence(&apply);
	find_shared(&apply);
	decide_links(&apply);
	store_batch(&apply);
	if (!settle_dirty(&apply))
		return OPERATION_GLOBAL;
	tables_refresh(&op->tables);
	settle_links(&apply);
	store_rejections(&apply);
	report(&apply);
	return OPERATION_DONE;
}
