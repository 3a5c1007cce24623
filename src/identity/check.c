/*
 * check.c
 *		check_identity_graph(): whether what is stored is what follows from the
 *		evidence.
 */
#include "postgres.h"

#include "common/args.h"
#include "evidence/degree.h"
#include "evidence/partition.h"
#include "funcapi.h"
#include "identity/identity.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(personalize_check_identity_graph);

typedef struct Check
{
	ReturnSetInfo *result;
	Partition *p;
	int64 *persons; /* smallest number of each set, at its head */
	int *sizes;
} Check;

static void
put_problem(Check *check, const Vertex *vertex, const char *problem,
			int64 stored, int64 computed)
{
	Datum values[5];
	bool nulls[5] = { false };

	values[0] =
		CStringGetTextDatum(check->p->op->graph->types[vertex->type].name);
	values[1] = CStringGetTextDatum(vertex->value);
	values[2] = CStringGetTextDatum(problem);
	values[3] = Int64GetDatum(stored);
	values[4] = Int64GetDatum(computed);
	tuplestore_putvalues(check->result->setResult, check->result->setDesc,
						 values, nulls);
}

static void
check_state(Check *check, const Vertex *vertex)
{
	Operation *op = check->p->op;
	int max = op->graph->types[vertex->type].max_degree;
	int degree;

	if (value_blocked(op->graph, vertex->type, vertex->value) !=
		(vertex->state == VERTEX_BLOCKED))
		put_problem(check, vertex, "blocked", vertex->state == VERTEX_BLOCKED,
					vertex->state != VERTEX_BLOCKED);
	if (vertex->state == VERTEX_BLOCKED ||
		(max == 0 && vertex->state == VERTEX_ACTIVE))
		return;
	degree = stored_degree(&op->tables, vertex->id);
	if ((max > 0 && degree > max) != (vertex->state == VERTEX_SHARED))
		put_problem(check, vertex, "shared", vertex->state == VERTEX_SHARED,
					vertex->state != VERTEX_SHARED);
}

static void
check_apart(Check *check, const Vertex *vertex)
{
	TableScan scan;
	int64 other;
	bool apart;

	apart_begin(&scan, &check->p->op->tables, vertex->id);
	apart = apart_next(&scan, &other);
	scan_end(&scan);
	if (apart != vertex->apart)
		put_problem(check, vertex, "apart", vertex->apart, apart);
}

static void
check_person(Check *check, int i)
{
	Partition *p = check->p;
	const Vertex *vertex = &p->members[i].vertex;
	int head = partition_find(p, i);
	int at = partition_position(p, vertex->root);
	const Vertex *root = at < 0 ? vertex : &p->members[at].vertex;

	if (at < 0 || root->root != root->id)
		put_problem(check, vertex, "root", vertex->root, 0);
	else if (root->person != check->persons[head])
		put_problem(check, vertex, "person", root->person,
					check->persons[head]);
	else if (vertex->id == vertex->root && vertex->size != check->sizes[head])
		put_problem(check, vertex, "size", vertex->size, check->sizes[head]);
}

static OperationResult
check_graph(Operation *op, void *arg)
{
	Check check = { .result = arg };
	Partition *p = partition_create(op);

	check.p = p;
	partition_seed_all(p);
	for (int i = 0; i < p->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		check_state(&check, &p->members[i].vertex);
		check_apart(&check, &p->members[i].vertex);
	}
	(void) partition_solve(p);
	check.persons =
		MemoryContextAllocExtended(CurrentMemoryContext,
								   sizeof(int64) * (p->n + 1),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	check.sizes = MemoryContextAllocExtended(CurrentMemoryContext,
											 sizeof(int) * (p->n + 1),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < p->n; i++)
	{
		int head = partition_find(p, i);
		int64 id = p->members[i].vertex.id;

		if (check.sizes[head]++ == 0 || id < check.persons[head])
			check.persons[head] = id;
	}
	for (int i = 0; i < p->n; i++)
		check_person(&check, i);
	return OPERATION_DONE;
}

Datum
personalize_check_identity_graph(PG_FUNCTION_ARGS)
{
	char *graph = pstrdup(owned_graph(fcinfo)->name);

	InitMaterializedSRF(fcinfo, 0);
	operation_run(graph, true, check_graph, fcinfo->resultinfo);
	return (Datum) 0;
}
