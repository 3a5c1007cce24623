/*
 * groups.c
 *		Persons while they are put together in memory.
 *
 * A group is a stored person, a new identifier, or what links have made of them.
 * Of stored persons no more is read than what a decision needs: how many members
 * they have of each limited type, which is never more than the limit, and whom
 * they must not be linked with.
 */
#include "postgres.h"

#include "evidence/groups.h"
#include "miscadmin.h"
#include "utils/hsearch.h"

typedef struct RootEntry
{
	int64 root;
	int group;
	bool before; /* all that holds it together is weighed before what comes */
} RootEntry;

Groups *
groups_create(Operation *op)
{
	Groups *groups = palloc0(sizeof(Groups));
	HASHCTL control = { 0 };

	groups->op = op;
	groups->allocated = 16;
	groups->groups = palloc(sizeof(PersonGroup) * groups->allocated);
	control.keysize = sizeof(int64);
	control.entrysize = sizeof(RootEntry);
	control.hcxt = CurrentMemoryContext;
	groups->by_root = hash_create("persons of a batch", 64, &control,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return groups;
}

static PersonGroup *
add_group(Groups *groups)
{
	PersonGroup *group;

	if (groups->n == groups->allocated)
	{
		groups->allocated *= 2;
		groups->groups = repalloc_huge(groups->groups,
									   sizeof(PersonGroup) * groups->allocated);
	}
	group = &groups->groups[groups->n];
	memset(group, 0, sizeof(PersonGroup));
	group->parent = groups->n++;
	group->type = -1;
	return group;
}

static IdList *
list_add(IdList *list, int64 id)
{
	IdList *cell = palloc(sizeof(IdList));

	cell->id = id;
	cell->next = list;
	return cell;
}

static IdList *
list_join(IdList *a, IdList *b)
{
	IdList *last = a;

	if (a == NULL)
		return b;
	while (last->next != NULL)
		last = last->next;
	last->next = b;
	return a;
}

/* What the row of a person's root tells. */
static void
read_root(Groups *groups, const Vertex *member, PersonGroup *group)
{
	const LockedRoot *locked = locked_root(groups->op, member->root);
	Vertex vertex = *member;

	if (locked != NULL)
	{
		group->person = locked->person;
		group->size = group->stored = locked->size;
		group->type = locked->type;
		return;
	}
	if (member->id != member->root &&
		!vertex_by_id(&groups->op->tables, member->root, &vertex))
		elog(ERROR, "identity graph has lost the root " INT64_FORMAT,
			 member->root);
	group->person = vertex.person;
	group->size = group->stored = vertex.size;
	group->type = vertex.type;
}

/* The group of a stored person, by one of its members. */
int
groups_add_person(Groups *groups, const Vertex *member)
{
	int64 root = member->root;
	RootEntry *entry;
	bool found;

	entry = hash_search(groups->by_root, &root, HASH_ENTER, &found);
	if (!found)
	{
		PersonGroup *group = add_group(groups);

		read_root(groups, member, group);
		group->root = root;
		group->roots = list_add(NULL, root);
		if (group->size > 1)
			group->uncounted = list_add(NULL, root);
		entry->group = groups->n - 1;
		entry->before = false;
	}
	return entry->group;
}

int
groups_add_new(Groups *groups, int64 id, int type)
{
	PersonGroup *group = add_group(groups);

	group->person = id;
	group->size = 1;
	group->type = type;
	return groups->n - 1;
}

int
groups_find(Groups *groups, int i)
{
	while (groups->groups[i].parent != i)
	{
		int parent = groups->groups[i].parent;

		groups->groups[i].parent = groups->groups[parent].parent;
		i = groups->groups[i].parent;
	}
	return i;
}

static void
load_aparts(Groups *groups, PersonGroup *group)
{
	Tables *tables = &groups->op->tables;
	TableScan members;
	Vertex vertex;

	if (group->root == 0 || !any_apart(tables))
		return;
	aparts_begin(&members, tables, group->root);
	while (member_next(&members, &vertex))
	{
		TableScan others;
		int64 other;

		apart_begin(&others, tables, vertex.id);
		while (apart_next(&others, &other))
		{
			group->aparts = list_add(group->aparts, other);
			group->n_aparts++;
		}
		scan_end(&others);
	}
	scan_end(&members);
}

/* Read what decides whether a person may grow, but for members to be counted. */
static void
load(Groups *groups, PersonGroup *group)
{
	const Graph *graph = groups->op->graph;
	int limit = graph->types[group->type].limit;

	if (group->loaded)
		return;
	group->loaded = true;
	group->counts = palloc0(sizeof(int) * (graph->n_limits + 1));
	if (group->size == 1 && limit >= 0)
		group->counts[limit] = 1;
	load_aparts(groups, group);
}

/* Count the members of limited types that persons were stored with. */
static void
count_stored(Groups *groups, PersonGroup *group)
{
	const Graph *graph = groups->op->graph;

	for (IdList *cell = group->uncounted; cell != NULL; cell = cell->next)
	{
		for (int i = 0; i < graph->n_limits; i++)
		{
			int type = graph->limits[i];

			group->counts[i] +=
				count_of_type(&groups->op->tables, cell->id, type,
							  graph->types[type].max_per_person + 1);
		}
	}
	group->uncounted = NULL;
}

/* Whether a group has no member of a limited type, as far as that is known. */
static bool
surely_none(const PersonGroup *group, int limit)
{
	return group->uncounted == NULL && group->counts[limit] == 0;
}

/* The limited type of which two groups together have too many, or -1. */
static int
exceeded_limit(Groups *groups, PersonGroup *x, PersonGroup *y)
{
	const Graph *graph = groups->op->graph;

	for (int i = 0; i < graph->n_limits; i++)
	{
		if (surely_none(x, i) || surely_none(y, i))
			continue;
		count_stored(groups, x);
		count_stored(groups, y);
		if (x->counts[i] > 0 && y->counts[i] > 0 &&
			x->counts[i] + y->counts[i] >
				graph->types[graph->limits[i]].max_per_person)
			return i;
	}
	return -1;
}

/* The group of a stored identifier, -1 if it is in none. */
static int
group_of_vertex(Groups *groups, int64 id)
{
	Vertex vertex;
	RootEntry *entry;

	if (!vertex_by_id(&groups->op->tables, id, &vertex))
		return -1;
	entry = hash_search(groups->by_root, &vertex.root, HASH_FIND, NULL);
	return entry == NULL ? -1 : groups_find(groups, entry->group);
}

/* Say that an identifier must not be linked with somebody of a group. */
static const char *
tell_apart(Groups *groups, int64 id, int group)
{
	Tables *tables = &groups->op->tables;
	const IdentifierType *types = groups->op->graph->types;
	TableScan scan;
	Vertex a;
	Vertex b;
	int64 other = 0;

	apart_begin(&scan, tables, id);
	while (apart_next(&scan, &other) && group_of_vertex(groups, other) != group)
		;
	scan_end(&scan);
	if (!vertex_by_id(tables, id, &a) || !vertex_by_id(tables, other, &b))
		elog(ERROR, "identity graph has lost the identifier " INT64_FORMAT, id);
	return psprintf("must_not_link() keeps %s \"%s\" and %s \"%s\" apart",
					types[a.type].name, a.value, types[b.type].name, b.value);
}

const char *
groups_conflict(Groups *groups, int a, int b)
{
	const Graph *graph = groups->op->graph;
	PersonGroup *x = &groups->groups[a];
	PersonGroup *y = &groups->groups[b];
	int limit;

	load(groups, x);
	load(groups, y);
	limit = exceeded_limit(groups, x, y);
	if (limit >= 0)
	{
		const IdentifierType *type = &graph->types[graph->limits[limit]];

		return psprintf("one person would have %d identifiers of type \"%s\", at most %d allowed",
						x->counts[limit] + y->counts[limit], type->name,
						type->max_per_person);
	}
	if (x->n_aparts > y->n_aparts)
	{
		PersonGroup *swap = x;
		int swap_a = a;

		x = y;
		y = swap;
		a = b;
		b = swap_a;
	}
	for (IdList *cell = x->aparts; y->n_aparts > 0 && cell != NULL;
		 cell = cell->next)
	{
		if (group_of_vertex(groups, cell->id) == b)
			return tell_apart(groups, cell->id, a);
	}
	return NULL;
}

/* Make one group of two, which must be possible. */
void
groups_merge(Groups *groups, int a, int b)
{
	int n_limits = groups->op->graph->n_limits;
	PersonGroup *x;
	PersonGroup *y;

	if (groups->groups[a].stored < groups->groups[b].stored)
	{
		int swap = a;

		a = b;
		b = swap;
	}
	x = &groups->groups[a];
	y = &groups->groups[b];
	load(groups, x);
	load(groups, y);
	y->parent = a;
	x->person = Min(x->person, y->person);
	x->size += y->size;
	x->dirty |= y->dirty;
	for (int i = 0; i < n_limits; i++)
		x->counts[i] += y->counts[i];
	x->aparts = list_join(y->aparts, x->aparts);
	x->n_aparts += y->n_aparts;
	x->roots = list_join(y->roots, x->roots);
	x->uncounted = list_join(y->uncounted, x->uncounted);
}

/* What can be told without knowing the other end. */
static bool
surely_before(const Graph *graph, const Evidence *e, const OrderKey *key)
{
	int priority = graph->rules[e->rule].priority;

	return priority < key->rule_priority ||
		(priority == key->rule_priority && graph->one_priority &&
		 (e->weight > key->weight ||
		  (e->weight == key->weight && e->first_seen < key->first_seen)));
}

/* Whether any evidence inside a stored person is weighed at or after the key. */
static bool
person_has_later(Tables *tables, int64 root, const OrderKey *key)
{
	TableScan members;
	Vertex vertex;
	bool later = false;

	members_begin(&members, tables, root);
	while (!later && member_next(&members, &vertex))
	{
		TableScan edges;
		Evidence e;

		CHECK_FOR_INTERRUPTS();
		evidence_of_first_begin(&edges, tables, vertex.id);
		while (!later && evidence_next(&edges, &e))
		{
			OrderKey other;
			Vertex end;

			if (!evidence_unrevoked(&e) ||
				e.weight < tables->graph->rules[e.rule].min_weight ||
				surely_before(tables->graph, &e, key) ||
				!vertex_by_id(tables, e.b, &end) || end.root != root)
				continue;
			order_key(&other, tables->graph, vertex.type, vertex.value,
					  end.type, end.value, e.rule, e.weight, e.first_seen,
					  e.source);
			later = order_compare(&other, key) >= 0;
		}
		scan_end(&edges);
	}
	scan_end(&members);
	return later;
}

/*
 * Keys must come in their order: what is before one of them is before the next,
 * so that each person is looked through once, however many links it rejects.
 */
bool
groups_before(Groups *groups, int group, const OrderKey *key)
{
	for (IdList *cell = groups->groups[group].roots; cell != NULL;
		 cell = cell->next)
	{
		RootEntry *entry =
			hash_search(groups->by_root, &cell->id, HASH_FIND, NULL);

		if (entry->before)
			continue;
		if (person_has_later(&groups->op->tables, cell->id, key))
			return false;
		entry->before = true;
	}
	return true;
}
