/*
 * relabel.c
 *		People that were computed anew, written where they are others than before.
 *
 * A person keeps the root that most of its identifiers had, so that few rows
 * change; its number is the smallest among its identifiers, so that whoever is
 * parted again gets the number back that he had before.
 */
#include "postgres.h"

#include "evidence/partition.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* A set of identifiers that are one person now */
typedef struct NewPerson
{
	int64 person;
	int64 root;
	int size;
	int kept; /* identifiers that had this root */
	bool changed;
} NewPerson;

/* A member with what it was and what it is, to be sorted */
typedef struct Passage
{
	int set;
	int64 root;
	int member;
} Passage;

typedef struct Relabel
{
	Partition *p;
	NewPerson *sets; /* at the positions of their heads */
	Passage *passages;
} Relabel;

static int
compare_passages(const void *a, const void *b)
{
	const Passage *x = a;
	const Passage *y = b;

	if (x->set != y->set)
		return x->set < y->set ? -1 : 1;
	if (x->root != y->root)
		return x->root < y->root ? -1 : 1;
	return x->member < y->member ? -1 : x->member > y->member;
}

static void
find_sets(Relabel *r)
{
	Partition *p = r->p;

	for (int i = 0; i < p->n; i++)
	{
		int head = partition_find(p, i);
		NewPerson *set = &r->sets[head];
		int64 id = p->members[i].vertex.id;

		if (set->size++ == 0 || id < set->person)
			set->person = id;
		r->passages[i].set = head;
		r->passages[i].root = p->members[i].vertex.root;
		r->passages[i].member = i;
	}
	qsort(r->passages, p->n, sizeof(Passage), compare_passages);
}

/* Where the members of one set that had one root end. */
static int
run_end(const Relabel *r, int i)
{
	int end = i;

	while (end < r->p->n && r->passages[end].set == r->passages[i].set &&
		   r->passages[end].root == r->passages[i].root)
		end++;
	return end;
}

static void
choose_roots(Relabel *r)
{
	int end;

	for (int i = 0; i < r->p->n; i = end)
	{
		int root = partition_position(r->p, r->passages[i].root);
		NewPerson *set = &r->sets[r->passages[i].set];

		end = run_end(r, i);
		if (root < 0)
			elog(ERROR, "identity graph has lost the root " INT64_FORMAT,
				 r->passages[i].root);
		if (partition_find(r->p, root) == r->passages[i].set &&
			end - i > set->kept)
		{
			set->root = r->passages[i].root;
			set->kept = end - i;
		}
	}
	for (int i = 0; i < r->p->n; i++)
	{
		if (r->sets[i].size > 0 && r->sets[i].kept == 0)
			r->sets[i].root = r->sets[i].person;
	}
}

/*
 * Persons with other members than before, if only as many.  Their roots' rows are
 * written, because that tells others that what they have read is out of date.
 */
static void
find_changed(Relabel *r)
{
	Partition *p = r->p;

	for (int i = 0; i < p->n; i++)
	{
		int64 before = p->members[i].vertex.root;
		NewPerson *set = &r->sets[partition_find(p, i)];
		NewPerson *left;

		if (before == set->root)
			continue;
		set->changed = true;
		left = &r->sets[partition_find(p, partition_position(p, before))];
		if (left->root == before)
			left->changed = true;
	}
}

static void
write_roots(Relabel *r)
{
	Partition *p = r->p;
	Rows *roots = rows_create(SET_ROOTS);
	Rows *persons = rows_create(SET_PERSONS);

	for (int i = 0; i < p->n; i++)
	{
		const Vertex *vertex = &p->members[i].vertex;
		const NewPerson *set = &r->sets[partition_find(p, i)];
		Datum values[3] = { Int64GetDatum(vertex->id),
							Int64GetDatum(set->root) };

		if (vertex->root != set->root)
			rows_add(roots, values, NULL);
		if (vertex->id != set->root ||
			(!set->changed && vertex->person == set->person &&
			 vertex->size == set->size))
			continue;
		values[1] = Int64GetDatum(set->person);
		values[2] = Int32GetDatum(set->size);
		rows_add(persons, values, NULL);
	}
	rows_write_all(roots, SET_ROOTS);
	rows_write_all(persons, SET_PERSONS);
}

/* Tell of everybody who has another number than before. */
static Changes
write_log(Relabel *r, const LogEntry *cause)
{
	Partition *p = r->p;
	Rows *log = rows_create(ADD_LOG);
	Changes changes = { 0 };
	int end;

	for (int i = 0; i < p->n; i = end)
	{
		int root = partition_position(p, r->passages[i].root);
		int64 former = p->members[root].vertex.person;
		int64 person = r->sets[r->passages[i].set].person;
		int canonical = partition_position(p, former);
		LogEntry entry = *cause;

		end = run_end(r, i);
		if (former == person)
			continue;
		entry.person = person;
		entry.former = former;
		entry.identifiers = end - i;
		/* a number that is nobody's is what a damaged table has */
		if (canonical >= 0 &&
			r->sets[partition_find(p, canonical)].person == former)
		{
			entry.action = "split";
			changes.splits++;
		}
		else
		{
			entry.action = "merge";
			changes.merges++;
		}
		log_add(log, p->op, &entry);
	}
	rows_write_all(log, ADD_LOG);
	return changes;
}

Changes
partition_write(Partition *p, const LogEntry *cause)
{
	Relabel r = { .p = p };

	r.sets = MemoryContextAllocExtended(CurrentMemoryContext,
										sizeof(NewPerson) * ((Size) p->n + 1),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	r.passages = MemoryContextAllocHuge(CurrentMemoryContext,
										sizeof(Passage) * ((Size) p->n + 1));
	find_sets(&r);
	choose_roots(&r);
	find_changed(&r);
	write_roots(&r);
	return write_log(&r, cause);
}
