/*
 * operation.c
 *		Changes of the graph beside other changes: locks, retries, privileges.
 *
 * Every change holds the graph's lock, shared with others, and the rows of the
 * roots of all persons that it touches; who holds a root's row is the only one
 * who may change that person.  The rows are locked in the order of their
 * numbers, and what was read before is read again once they are held.  If it
 * has changed, all locks are given back before the next attempt, so that nobody
 * ever waits for a lock that is out of order: hence each attempt is a
 * subtransaction.  Nor does anybody wait while he holds the row of an identifier
 * that is no root any more, since whoever holds its person may change that row.
 * A change that reaches beyond the persons it locked is done again with the
 * graph's lock held alone.
 */
#include "postgres.h"

#include "access/xact.h"
#include "compat.h"
#include "evidence/evidence.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"

static void
set_for_now(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/* Our statements: names as we mean them, and plans that go by indexes. */
static int
begin_settings(void)
{
	int level = NewGUCNestLevel();

	set_for_now("search_path", "pg_catalog, pg_temp");
	set_for_now("enable_seqscan", "off");
	set_for_now("enable_hashjoin", "off");
	set_for_now("enable_mergejoin", "off");
	set_for_now("plan_cache_mode", "force_generic_plan");
	return level;
}

/* Become who owns the graph's tables, on which others have no privileges. */
static void
become_table_owner(int sec_context)
{
	Relation rel = RelationIdGetRelation(relation_ids()->vertex);
	Oid owner;

	if (!RelationIsValid(rel))
		elog(ERROR, "could not open the tables of identity graphs");
	owner = rel->rd_rel->relowner;
	RelationClose(rel);
	SetUserIdAndSecContext(owner, sec_context | SECURITY_LOCAL_USERID_CHANGE);
}

/* While we waited, the graph may have been given to somebody else. */
static void
lock_graph(Operation *op, const char *name)
{
	int id = graph_find(name)->id;

	LockDatabaseObject(relation_ids()->graph, id, 0,
					   op->global ? ExclusiveLock : RowExclusiveLock);
	op->graph = graph_find(name);
	graph_check_owner(op->graph, op->user);
	if (op->graph->id != id)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("identity graph \"%s\" was dropped and created anew",
						name)));
}

static OperationResult
attempt(Operation *op, const char *graph, OperationBody body, void *arg)
{
	OperationResult result;

	op->n_locked = 0;
	op->locked = NULL;
	op->n_new = 0;
	op->added = NULL;
	lock_graph(op, graph);
	tables_open(&op->tables, op->graph, InvalidSnapshot);
	result = body(op, arg);
	tables_close(&op->tables);
	return result;
}

/*
 * Somebody else has added an identifier that was new to us when we looked: seen
 * by the error, because looking once more before each is added would cost more.
 */
static bool
added_meanwhile(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION &&
		error->constraint_name != NULL &&
		strcmp(error->constraint_name, "identity_vertex_value_key") == 0;
}

/* One attempt, undone unless it is done. */
static OperationResult
attempt_in_subtransaction(Operation *op, const char *graph, OperationBody body,
						  void *arg, MemoryContext context)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile OperationResult result = OPERATION_RETRY;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		result = attempt(op, graph, body, arg);
		if (result == OPERATION_DONE)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		if (!added_meanwhile(error))
			ReThrowError(error);
		FreeErrorData(error);
		result = OPERATION_RETRY;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return result;
}

/*
 * Run a change for an owner of the graph.
 */
void
operation_run(const char *graph, bool global, OperationBody body, void *arg)
{
	Operation op = { 0 };
	OperationResult result;
	MemoryContext context;
	int sec_context;
	int level;

	PreventCommandIfReadOnly("a change or check of an identity graph");
	PreventCommandIfParallelMode("a change or check of an identity graph");
	op.global = global;
	op.actor = GetUserNameFromId(GetUserId(), false);
	context = AllocSetContextCreate(CurrentMemoryContext,
									"personalize identity operation",
									ALLOCSET_DEFAULT_SIZES);
	GetUserIdAndSecContext(&op.user, &sec_context);
	SPI_connect();
	level = begin_settings();
	become_table_owner(sec_context);
	do
	{
		CHECK_FOR_INTERRUPTS();
		result = attempt_in_subtransaction(&op, graph, body, arg, context);
		if (result == OPERATION_GLOBAL)
		{
			if (op.global)
				elog(ERROR, "identity operation asked for more than the graph");
			op.global = true;
		}
		MemoryContextReset(context);
	} while (result != OPERATION_DONE);
	SetUserIdAndSecContext(op.user, sec_context);
	AtEOXact_GUC(true, level);
	SPI_finish();
	MemoryContextDelete(context);
}

static int
compare_ids(const void *a, const void *b)
{
	int64 x = *(const int64 *) a;
	int64 y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

/* The numbers in order, each once. */
static int
sort_roots(int64 *roots, int n)
{
	int distinct = 0;

	qsort(roots, n, sizeof(int64), compare_ids);
	for (int i = 0; i < n; i++)
	{
		if (i == 0 || roots[i] != roots[i - 1])
			roots[distinct++] = roots[i];
	}
	return distinct;
}

/*
 * Lock the roots of persons, of which there may be the same ones more than once.
 * What was read before must be read again if true is returned.  With the graph
 * to ourselves there is nothing to do.
 */
bool
operation_lock(Operation *op, int64 *roots, int n)
{
	Rows *rows;

	if (op->global || n == 0)
		return false;
	n = sort_roots(roots, n);
	rows = rows_create(LOCK_ROOTS);
	for (int i = 0; i < n; i++)
	{
		Datum id = Int64GetDatum(roots[i]);

		rows_add(rows, &id, NULL);
	}
	op->locked = palloc(sizeof(LockedRoot) * n);
	op->n_locked = 0;
	op->moved = false;
	rows_lock_roots(rows, op);
	tables_refresh(&op->tables);
	return op->moved;
}

/* What is known of a root since it was locked; NULL if it is not. */
const LockedRoot *
locked_root(const Operation *op, int64 root)
{
	return op->n_locked == 0 ? NULL :
							   bsearch(&root, op->locked, op->n_locked,
									   sizeof(LockedRoot), compare_ids);
}

/* Whether nobody else can change the person of that root. */
bool
operation_locked(const Operation *op, int64 root)
{
	return op->global || locked_root(op, root) != NULL ||
		(op->n_new > 0 &&
		 bsearch(&root, op->added, op->n_new, sizeof(int64), compare_ids) !=
			 NULL);
}

/*
 * Lock the persons of two identifiers, shared ones too, as two changes at once
 * may make those active again.  False if they have other persons by now.
 */
bool
operation_lock_two(Operation *op, Vertex *a, Vertex *b)
{
	int64 *roots = palloc(sizeof(int64) * 2);
	int64 root_a = a->root;
	int64 root_b = b->root;

	roots[0] = root_a;
	roots[1] = root_b;
	(void) operation_lock(op, roots, 2);
	return vertex_by_id(&op->tables, a->id, a) &&
		vertex_by_id(&op->tables, b->id, b) && a->root == root_a &&
		b->root == root_b;
}
