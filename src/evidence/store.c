/*
 * store.c
 *		A batch of links, written.
 *
 * Identifiers go in with the person that was decided for them; those of dirty
 * persons as persons of their own, until they are computed anew.
 */
#include "postgres.h"

#include "evidence/apply.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Identifiers go in by type and value, so that sessions never wait in a circle. */
static int
compare_new(const void *a, const void *b, void *arg)
{
	const Apply *apply = arg;
	const Identifier *x = &apply->batch->identifiers[*(const int *) a];
	const Identifier *y = &apply->batch->identifiers[*(const int *) b];

	if (x->type != y->type)
		return apply->op->graph->types[x->type].id <
					   apply->op->graph->types[y->type].id ?
				   -1 :
				   1;
	return strcmp(x->value, y->value);
}

static void
add_vertex(Apply *apply, Rows *rows, Identifier *identifier)
{
	const Graph *graph = apply->op->graph;
	int64 id = identifier->vertex.id;
	PersonGroup *group = NULL;
	int64 root = id;
	bool is_root = false;
	Datum values[10];
	bool nulls[10] = { false };

	if (identifier->group >= 0)
		group = &apply->groups->groups[groups_find(apply->groups,
												   identifier->group)];
	if (group != NULL && !group->dirty)
	{
		root = group->root != 0 ? group->root : group->person;
		is_root = root == id;
	}
	values[0] = Int64GetDatum(id);
	values[1] = Int64GetDatum(root);
	values[2] = Int64GetDatum(is_root ? group->person : id);
	values[3] = Int32GetDatum(graph->id);
	values[4] = Int32GetDatum(graph->types[identifier->type].id);
	values[5] = Int32GetDatum(is_root ? group->size : 1);
	values[6] = CharGetDatum(identifier->turns_shared ?
								 VERTEX_SHARED :
								 identifier->vertex.state);
	values[7] = BoolGetDatum(false);
	values[8] = CStringGetTextDatum(identifier->value);
	nulls[9] = identifier->original == NULL;
	values[9] = nulls[9] ? (Datum) 0 : CStringGetTextDatum(identifier->original);
	rows_add(rows, values, nulls);
}

/* Where somebody else has added one of them, that ends the attempt. */
static void
store_vertices(Apply *apply)
{
	Batch *batch = apply->batch;
	Rows *rows = rows_create(ADD_VERTICES);
	int *order = palloc(sizeof(int) * (batch->n_identifiers + 1));
	int n = 0;

	for (int i = 0; i < batch->n_identifiers; i++)
	{
		if (batch->identifiers[i].is_new)
			order[n++] = i;
	}
	if (n == 0)
		return;
	qsort_arg(order, n, sizeof(int), compare_new, apply);
	for (int i = 0; i < n; i++)
		add_vertex(apply, rows, &batch->identifiers[order[i]]);
	apply->requests->added = n;
	rows_write_all(rows, ADD_VERTICES);
}

/* A link with the numbers of its ends, to be sorted */
typedef struct StoredLink
{
	int64 a;
	int64 b;
	const Link *link;
} StoredLink;

/* Evidence, too, goes in in one order: not all of its identifiers are locked. */
static int
compare_stored(const void *a, const void *b)
{
	const StoredLink *x = a;
	const StoredLink *y = b;

	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	if (x->b != y->b)
		return x->b < y->b ? -1 : 1;
	if (x->link->rule != y->link->rule)
		return x->link->rule < y->link->rule ? -1 : 1;
	return strcmp(x->link->source, y->link->source);
}

static int
links_to_store(Apply *apply, StoredLink *links)
{
	Batch *batch = apply->batch;
	int n = 0;

	for (int i = 0; i < batch->n_links; i++)
	{
		Link *link = &batch->links[i];
		int64 a;
		int64 b;

		if (link->status == LINK_ALONE || link->same_as >= 0 || link->unchanged)
			continue;
		a = batch->identifiers[link->a].vertex.id;
		b = batch->identifiers[link->b].vertex.id;
		links[n].a = Min(a, b);
		links[n].b = Max(a, b);
		links[n++].link = link;
	}
	qsort(links, n, sizeof(StoredLink), compare_stored);
	return n;
}

static void
store_evidence(Apply *apply)
{
	const Graph *graph = apply->op->graph;
	const Identifier *identifiers = apply->batch->identifiers;
	Rows *added = rows_create(ADD_EVIDENCE);
	Rows *merged = rows_create(MERGE_EVIDENCE);
	StoredLink *links =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   sizeof(StoredLink) *
								   (apply->batch->n_links + 1));
	int n = links_to_store(apply, links);

	for (int i = 0; i < n; i++)
	{
		const Link *link = links[i].link;
		Datum values[8];

		values[0] = Int64GetDatum(links[i].a);
		values[1] = Int64GetDatum(links[i].b);
		values[2] = Int32GetDatum(graph->id);
		values[3] = Int32GetDatum(graph->rules[link->rule].id);
		values[4] = Float8GetDatum(link->weight);
		values[5] = TimestampTzGetDatum(link->first_seen);
		values[6] = TimestampTzGetDatum(link->last_seen);
		values[7] = CStringGetTextDatum(link->source);
		/* if one end's person is locked, nobody else adds the same */
		rows_add(link->known || (identifiers[link->a].group < 0 &&
								 identifiers[link->b].group < 0) ?
					 merged :
					 added,
				 values, NULL);
	}
	rows_write_all(added, ADD_EVIDENCE);
	rows_write_all(merged, MERGE_EVIDENCE);
}

/* The members of a person that another one takes in. */
static void
move_members(Apply *apply, Rows *roots, int64 from, int64 to)
{
	TableScan scan;
	Vertex vertex;

	members_begin(&scan, &apply->op->tables, from);
	while (member_next(&scan, &vertex))
	{
		Datum values[2] = { Int64GetDatum(vertex.id), Int64GetDatum(to) };

		rows_add(roots, values, NULL);
		pfree(vertex.value);
	}
	scan_end(&scan);
}

static void
store_persons(Apply *apply)
{
	Groups *groups = apply->groups;
	Rows *roots = rows_create(SET_ROOTS);
	Rows *persons = rows_create(SET_PERSONS);
	Rows *persons_at = rows_create(SET_PERSONS_AT);

	for (int i = 0; i < groups->n; i++)
	{
		PersonGroup *group = &groups->groups[i];
		const LockedRoot *locked;
		Datum values[3];

		if (group->parent != i || group->dirty || group->root == 0 ||
			group->size == group->stored)
			continue;
		locked = locked_root(apply->op, group->root);
		values[0] = locked != NULL ? PointerGetDatum(&locked->at) :
									 Int64GetDatum(group->root);
		values[1] = Int64GetDatum(group->person);
		values[2] = Int32GetDatum(group->size);
		rows_add(locked != NULL ? persons_at : persons, values, NULL);
		for (IdList *cell = group->roots; cell != NULL; cell = cell->next)
		{
			if (cell->id != group->root)
				move_members(apply, roots, cell->id, group->root);
		}
	}
	rows_write_all(roots, SET_ROOTS);
	rows_write_all(persons, SET_PERSONS);
	rows_write_all(persons_at, SET_PERSONS_AT);
}

static void
store_shared(Apply *apply, Rows *log)
{
	Batch *batch = apply->batch;
	Rows *rows = rows_create(SET_STATES);

	for (int i = 0; i < batch->n_identifiers; i++)
	{
		Identifier *identifier = &batch->identifiers[i];
		LogEntry entry = { .action = "shared" };
		Datum values[2];

		if (!identifier->turns_shared)
			continue;
		entry.a = identifier->vertex.id;
		entry.rule = -1;
		entry.detail = psprintf("%s \"%s\" is linked with more than %d others",
								apply->op->graph->types[identifier->type].name,
								identifier->value,
								apply->op->graph->types[identifier->type].max_degree);
		log_add(log, apply->op, &entry);
		if (identifier->is_new)
			continue;
		values[0] = Int64GetDatum(identifier->vertex.id);
		values[1] = CharGetDatum(VERTEX_SHARED);
		rows_add(rows, values, NULL);
	}
	rows_write_all(rows, SET_STATES);
}

static void
log_link(Apply *apply, Rows *log, LogEntry *entry, const Link *link)
{
	entry->a = apply->batch->identifiers[link->a].vertex.id;
	entry->b = apply->batch->identifiers[link->b].vertex.id;
	entry->rule = link->rule;
	log_add(log, apply->op, entry);
}

static void
store_log(Apply *apply, Rows *log)
{
	Batch *batch = apply->batch;

	for (int i = 0; i < apply->n_merges; i++)
	{
		Merge *merge = &apply->merges[i];
		LogEntry entry = { .action = "merge" };

		if (apply->groups->groups[groups_find(apply->groups, merge->group)].dirty)
			continue;
		entry.person = merge->person;
		entry.former = merge->former;
		if (merge->former == 0)
			entry.action = "add";
		entry.identifiers = merge->identifiers;
		log_link(apply, log, &entry, &batch->links[merge->link]);
		if (merge->former != 0)
			apply->requests->merged++;
	}
	for (int i = 0; i < apply->n_order; i++)
	{
		Link *link = &batch->links[apply->order[i]];
		LogEntry entry = { .action = "reject" };

		if (link->status != LINK_REJECTED || link->unchanged)
			continue;
		entry.detail = link->reason;
		log_link(apply, log, &entry, link);
	}
	rows_write_all(log, ADD_LOG);
}

void
store_batch(Apply *apply)
{
	Rows *log = rows_create(ADD_LOG);

	store_vertices(apply);
	store_evidence(apply);
	store_persons(apply);
	store_shared(apply, log);
	store_log(apply, log);
}
