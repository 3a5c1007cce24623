/*
 * partition.c
 *		People computed anew, from the definition.
 *
 * Evidence is accepted in its order, as Kruskal's algorithm does, each piece
 * unless the person that it would make breaks a limit.  That is done for a
 * region, whole persons of today, within a ring: the persons to whom rejected
 * evidence leads from the region.  As long as all that evidence is rejected
 * again, nobody beyond the region is affected, and a person of the ring is made
 * by its own evidence alone.  A person of the ring for whom it is not joins the
 * region, and all is done again.
 */
#include "postgres.h"

#include <limits.h>

#include "evidence/partition.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

typedef struct MemberEntry
{
	int64 id;
	int position;
} MemberEntry;

static HTAB *
create_index(const char *name, Size entry)
{
	HASHCTL control = { 0 };

	control.keysize = sizeof(int64);
	control.entrysize = entry;
	control.hcxt = CurrentMemoryContext;
	return hash_create(name, 256, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

Partition *
partition_create(Operation *op)
{
	Partition *p = palloc0(sizeof(Partition));

	p->op = op;
	p->allocated = 64;
	p->members = palloc(sizeof(Member) * p->allocated);
	p->allocated_edges = 64;
	p->edges = palloc(sizeof(Edge) * p->allocated_edges);
	p->by_id = create_index("identifiers of a component", sizeof(MemberEntry));
	p->roots = create_index("persons of a component", sizeof(int64));
	return p;
}

static int
add_member(Partition *p, const Vertex *vertex)
{
	MemberEntry *entry;
	Member *member;
	bool found;

	entry = hash_search(p->by_id, &vertex->id, HASH_ENTER, &found);
	if (found)
		return entry->position;
	if (p->n == p->allocated)
	{
		if (p->allocated > INT_MAX / 2)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many identifiers in one component")));
		p->allocated *= 2;
		p->members = repalloc_huge(p->members, sizeof(Member) * p->allocated);
	}
	member = &p->members[p->n];
	memset(member, 0, sizeof(Member));
	member->vertex = *vertex;
	member->parent = p->n;
	entry->position = p->n++;
	return entry->position;
}

/* The position of an identifier, -1 if it is not there. */
int
partition_position(Partition *p, int64 id)
{
	MemberEntry *entry = hash_search(p->by_id, &id, HASH_FIND, NULL);

	return entry == NULL ? -1 : entry->position;
}

/* The position of an identifier that is added if it is not there. */
static int
reach(Partition *p, int64 id)
{
	int position = partition_position(p, id);
	Vertex vertex;

	if (position >= 0)
		return position;
	if (!vertex_by_id(&p->op->tables, id, &vertex))
		elog(ERROR, "identity graph has lost the identifier " INT64_FORMAT, id);
	return add_member(p, &vertex);
}

void
partition_seed(Partition *p, int64 vertex)
{
	(void) reach(p, vertex);
}

/* Everything that there is. */
void
partition_seed_all(Partition *p)
{
	TableScan scan;
	Vertex vertex;

	vertices_begin(&scan, &p->op->tables, -1);
	while (member_next(&scan, &vertex))
	{
		CHECK_FOR_INTERRUPTS();
		(void) add_member(p, &vertex);
	}
	scan_end(&scan);
	p->complete = true;
}

/* All of the person that a member is stored with; false if it is not ours. */
static bool
add_person(Partition *p, int i)
{
	int64 root = p->members[i].vertex.root;
	bool ring = p->members[i].ring;
	TableScan scan;
	Vertex vertex;
	bool found;

	(void) hash_search(p->roots, &root, HASH_ENTER, &found);
	if (found)
		return true;
	if (p->members[i].vertex.state == VERTEX_ACTIVE &&
		!operation_locked(p->op, root))
		return false;
	members_begin(&scan, &p->op->tables, root);
	while (member_next(&scan, &vertex))
	{
		/* it may move the members */
		int member = add_member(p, &vertex);

		p->members[member].ring = ring;
	}
	scan_end(&scan);
	return true;
}

static void
add_edge(Partition *p, int a, int b, const Evidence *e)
{
	Edge *edge;

	if (p->n_edges == p->allocated_edges)
	{
		p->allocated_edges *= 2;
		p->edges = repalloc_huge(p->edges, sizeof(Edge) * p->allocated_edges);
	}
	edge = &p->edges[p->n_edges++];
	edge->a = a;
	edge->b = b;
	edge->rule = e->rule;
	edge->weight = e->weight;
	edge->first_seen = e->first_seen;
	edge->source = e->source;
}

/* Add evidence whose ends are there, if it counts. */
static void
consider(Partition *p, int a, int b, const Evidence *e)
{
	if (p->members[a].vertex.state == VERTEX_ACTIVE &&
		p->members[b].vertex.state == VERTEX_ACTIVE && evidence_unrevoked(e) &&
		e->weight >= p->op->graph->rules[e->rule].min_weight)
		add_edge(p, a, b, e);
}

static bool
counts(const Partition *p, const Evidence *e)
{
	return evidence_unrevoked(e) &&
		e->weight >= p->op->graph->rules[e->rule].min_weight;
}

/* The evidence of a member of the region, and whom it leads to. */
static void
follow(Partition *p, int i)
{
	int64 id = p->members[i].vertex.id;
	TableScan scan;
	Evidence e;

	if (p->members[i].vertex.state != VERTEX_ACTIVE)
		return;
	evidence_begin(&scan, &p->op->tables, id);
	while (evidence_next(&scan, &e))
	{
		int other;

		if (!counts(p, &e))
			continue;
		other = partition_position(p, e.a == id ? e.b : e.a);
		if (other < 0)
		{
			other = reach(p, e.a == id ? e.b : e.a);
			p->members[other].ring = true;
		}
		/* inside the region it is met at both ends, and taken at one */
		if (e.a == id || p->members[other].ring)
			consider(p, i, other, &e);
	}
	scan_end(&scan);
}

/* The evidence that holds a person of the ring together. */
static void
follow_inside(Partition *p, int i)
{
	int64 id = p->members[i].vertex.id;
	TableScan scan;
	Evidence e;

	if (p->members[i].vertex.state != VERTEX_ACTIVE)
		return;
	evidence_of_first_begin(&scan, &p->op->tables, id);
	while (evidence_next(&scan, &e))
	{
		int other;

		if (!counts(p, &e))
			continue;
		other = partition_position(p, e.b);
		if (other >= 0 &&
			p->members[other].vertex.root == p->members[i].vertex.root)
			consider(p, i, other, &e);
	}
	scan_end(&scan);
}

static void
read_aparts(Partition *p, int i)
{
	TableScan scan;
	int64 other;

	if (!p->members[i].vertex.apart)
		return;
	apart_begin(&scan, &p->op->tables, p->members[i].vertex.id);
	while (apart_next(&scan, &other))
	{
		IdList *cell = palloc(sizeof(IdList));

		cell->id = other;
		cell->next = p->members[i].aparts;
		p->members[i].aparts = cell;
		p->members[i].n_aparts++;
	}
	scan_end(&scan);
}

/* The position of an identifier, where all are there. */
static int
position_of(Partition *p, int64 id)
{
	int position = partition_position(p, id);

	if (position < 0)
		elog(ERROR, "identity graph has lost the identifier " INT64_FORMAT, id);
	return position;
}

/* All evidence, when all identifiers are there. */
static void
gather_all_evidence(Partition *p)
{
	TableScan scan;
	Evidence e;

	evidence_all_begin(&scan, &p->op->tables);
	while (evidence_next(&scan, &e))
	{
		CHECK_FOR_INTERRUPTS();
		consider(p, position_of(p, e.a), position_of(p, e.b), &e);
	}
	scan_end(&scan);
}

/* Members are added while the loops go on. */
static bool
gather(Partition *p)
{
	int i;

	for (i = 0; i < p->n; i++)
	{
		if (!add_person(p, i))
			return false;
	}
	p->n_region = p->n;
	for (i = 0; i < p->n_region; i++)
	{
		CHECK_FOR_INTERRUPTS();
		follow(p, i);
		read_aparts(p, i);
	}
	for (; i < p->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!add_person(p, i))
			return false;
		follow_inside(p, i);
		read_aparts(p, i);
	}
	return true;
}

static void
gather_all(Partition *p)
{
	for (int i = 0; i < p->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		read_aparts(p, i);
	}
	gather_all_evidence(p);
}

int
partition_find(Partition *p, int i)
{
	Member *members = p->members;

	while (members[i].parent != i)
	{
		members[i].parent = members[members[i].parent].parent;
		i = members[i].parent;
	}
	return i;
}

static int
type_priority(const Partition *p, const Edge *edge)
{
	const IdentifierType *types = p->op->graph->types;

	return Max(types[p->members[edge->a].vertex.type].priority,
			   types[p->members[edge->b].vertex.type].priority);
}

static void
edge_key(const Partition *p, const Edge *edge, OrderKey *key)
{
	const Vertex *a = &p->members[edge->a].vertex;
	const Vertex *b = &p->members[edge->b].vertex;

	order_key(key, p->op->graph, a->type, a->value, b->type, b->value,
			  edge->rule, edge->weight, edge->first_seen, edge->source);
}

/* order_compare(), without building keys where numbers tell */
static int
compare_edges(const void *a, const void *b, void *arg)
{
	const Partition *p = arg;
	const Edge *x = a;
	const Edge *y = b;
	OrderKey key_x;
	OrderKey key_y;
	int px = p->op->graph->rules[x->rule].priority;
	int py = p->op->graph->rules[y->rule].priority;

	if (px != py)
		return px < py ? -1 : 1;
	px = type_priority(p, x);
	py = type_priority(p, y);
	if (px != py)
		return px < py ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	if (x->first_seen != y->first_seen)
		return x->first_seen < y->first_seen ? -1 : 1;
	edge_key(p, x, &key_x);
	edge_key(p, y, &key_y);
	return order_compare(&key_x, &key_y);
}

static bool
may_join(Partition *p, int a, int b)
{
	const Graph *graph = p->op->graph;
	Member *x = &p->members[a];
	Member *y = &p->members[b];
	int other = b;

	for (int i = 0; i < graph->n_limits; i++)
	{
		if (x->counts[i] > 0 && y->counts[i] > 0 &&
			x->counts[i] + y->counts[i] >
				graph->types[graph->limits[i]].max_per_person)
			return false;
	}
	if (x->n_aparts > y->n_aparts)
	{
		x = y;
		other = a;
	}
	for (IdList *cell = x->aparts; cell != NULL; cell = cell->next)
	{
		int i = partition_position(p, cell->id);

		if (i >= 0 && partition_find(p, i) == other)
			return false;
	}
	return true;
}

static void
join(Partition *p, int a, int b)
{
	Member *x = &p->members[a];
	Member *y = &p->members[b];
	IdList **end = &y->aparts;

	y->parent = a;
	for (int i = 0; i < p->op->graph->n_limits; i++)
		x->counts[i] += y->counts[i];
	while (*end != NULL)
		end = &(*end)->next;
	*end = x->aparts;
	x->aparts = y->aparts;
	x->n_aparts += y->n_aparts;
}

static void
start_counts(Partition *p)
{
	const Graph *graph = p->op->graph;
	int *counts;

	counts = MemoryContextAllocExtended(CurrentMemoryContext,
										sizeof(int) *
											(graph->n_limits * (Size) p->n + 1),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < p->n; i++)
	{
		int limit = graph->types[p->members[i].vertex.type].limit;

		p->members[i].counts = counts + (Size) i * graph->n_limits;
		if (limit >= 0)
			p->members[i].counts[limit] = 1;
	}
}

/* A person of the ring that is affected. */
static void
promote(Partition *p, int i)
{
	if (p->n_promoted == p->allocated_promoted)
	{
		p->allocated_promoted = Max(16, p->allocated_promoted * 2);
		p->promoted = p->promoted == NULL ?
			palloc(sizeof(int64) * p->allocated_promoted) :
			repalloc_huge(p->promoted, sizeof(int64) * p->allocated_promoted);
	}
	p->promoted[p->n_promoted++] = p->members[i].vertex.root;
}

static void
solve(Partition *p)
{
	start_counts(p);
	qsort_arg(p->edges, p->n_edges, sizeof(Edge), compare_edges, p);
	for (int64 i = 0; i < p->n_edges; i++)
	{
		const Edge *edge = &p->edges[i];
		int a = partition_find(p, edge->a);
		int b = partition_find(p, edge->b);

		CHECK_FOR_INTERRUPTS();
		if (a == b || !may_join(p, a, b))
			continue;
		if (p->members[edge->a].ring != p->members[edge->b].ring)
			promote(p, p->members[edge->a].ring ? edge->a : edge->b);
		join(p, Min(a, b), Max(a, b));
	}
}

/* The same region, with those who are affected too. */
static Partition *
widen(Partition *p)
{
	Partition *wider = partition_create(p->op);

	for (int i = 0; i < p->n_region; i++)
		partition_seed(wider, p->members[i].vertex.id);
	for (int i = 0; i < p->n_promoted; i++)
		partition_seed(wider, p->promoted[i]);
	return wider;
}

/*
 * The people of whoever was seeded; NULL if that leads to persons that are not
 * locked.
 */
Partition *
partition_solve(Partition *p)
{
	if (p->complete)
	{
		gather_all(p);
		solve(p);
		return p;
	}
	for (;;)
	{
		if (!gather(p))
			return NULL;
		solve(p);
		if (p->n_promoted == 0)
			return p;
		p = widen(p);
	}
}
