/*
 * relevance.c
 *		relevance() and relevances(): the scores of items that the caller chooses.
 *
 * They are made for queries that rank rows of their own, so the same subject is
 * asked for once a row.  The subject's scores are kept from call to call: for
 * as long as the snapshot, the user, the model and whatever else they follow
 * from are the same.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "recommend/item_map.h"
#include "recommend/recommend.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(personalize_relevance);
PG_FUNCTION_INFO_V1(personalize_relevances);

/*
 * What a snapshot sees, apart from time itself.  The subtransaction is there
 * because one that rolls back takes its rows with it and leaves a snapshot of
 * the transaction as it was.
 */
typedef struct SnapshotMark
{
	TimestampTz transaction;
	uint64 completions;
	SubTransactionId subtransaction;
	TransactionId xmin;
	TransactionId xmax;
	uint32 xcnt;
	int32 subxcnt;
	CommandId command;
} SnapshotMark;

/* The scores of one subject, kept in fn_extra. */
typedef struct SubjectScores
{
	MemoryContext context; /* of all that follows */
	bool valid;			   /* false: nothing does */
	Oid source;
	Oid user;
	SnapshotMark mark;
	bool known;
	Datum subject;
	double half_life;
	SimReader *reader; /* closed between calls */
	item_map_hash *map;
} SubjectScores;

static SnapshotMark
current_mark(void)
{
	Snapshot snapshot = GetActiveSnapshot();
	SnapshotMark mark;

	/* all of it, as marks are compared byte by byte */
	memset(&mark, 0, sizeof(mark));
	mark.transaction = GetCurrentTransactionStartTimestamp();
	mark.completions = snapshot->snapXactCompletionCount;
	mark.subtransaction = GetCurrentSubTransactionId();
	mark.xmin = snapshot->xmin;
	mark.xmax = snapshot->xmax;
	mark.xcnt = snapshot->xcnt;
	mark.subxcnt = snapshot->subxcnt;
	mark.command = snapshot->curcid;
	return mark;
}

/* The place where this function keeps its scores. */
static SubjectScores *
get_kept(FmgrInfo *flinfo)
{
	SubjectScores *kept = flinfo->fn_extra;

	if (kept == NULL)
	{
		kept = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(SubjectScores));
		kept->context =
			AllocSetContextCreate(flinfo->fn_mcxt, "personalize relevance",
								  ALLOCSET_DEFAULT_SIZES);
		flinfo->fn_extra = kept;
	}
	return kept;
}

/* Does what is kept answer this call?  Then its reader is open again. */
static bool
reuse_kept(SubjectScores *kept, FunctionCallInfo fcinfo)
{
	SnapshotMark mark;

	if (!kept->valid || kept->source != PG_GETARG_OID(0) ||
		kept->user != GetUserId() || kept->known == PG_ARGISNULL(1))
		return false;
	mark = current_mark();
	if (memcmp(&mark, &kept->mark, sizeof(mark)) != 0)
		return false;
	if (kept->half_life != arg_half_life(fcinfo, 3))
		return false;
	if (kept->known &&
		!typed_key_equal(&kept->reader->subject_key, kept->subject,
						 arg_key(fcinfo, 1, &kept->reader->subject_key)))
		return false;
	return sim_reader_reopen(kept->reader);
}

static void
add_scores(void *arg, const SimNeighbors *list, double weight, int place)
{
	scores_add(list, weight, (uint32) place);
}

/* The scores that recommend(seen => true) chooses from. */
static int
score_subject(SubjectScores *kept, ScoredItem **items)
{
	SimReader *reader = kept->reader;
	History history;

	subject_history(reader, kept->known, kept->subject, &history);
	if (!reader->trained || history.n == 0)
		return 0;
	sim_prepare_neighbors(reader, history_numbers(&history), history.n);
	scores_begin(reader->nitems);
	visit_lists(&history, kept->half_life, add_scores, NULL);
	return scores_all(items);
}

static void
fill_map(SubjectScores *kept, const ScoredItem *items, int n)
{
	kept->map = item_map_create(kept->context, n, NULL);
	for (int i = 0; i < n; i++)
	{
		bool found;

		item_map_insert(kept->map, items[i].item, &found)->value =
			items[i].score;
	}
}

/* Take the subject of this call into what is kept. */
static void
take_subject(SubjectScores *kept, FunctionCallInfo fcinfo)
{
	kept->source = arg_source(fcinfo, 0);
	kept->user = GetUserId();
	kept->mark = current_mark();
	kept->reader = sim_reader_open(kept->source);
	kept->half_life = take_half_life(kept->reader, fcinfo, 3);
	kept->known = !PG_ARGISNULL(1);
	if (kept->known)
		kept->subject =
			typed_key_copy(&kept->reader->subject_key,
						   arg_key(fcinfo, 1, &kept->reader->subject_key));
}

/* The scores of the subject that the call names; the reader is open. */
static SubjectScores *
get_scores(FunctionCallInfo fcinfo)
{
	SubjectScores *kept = get_kept(fcinfo->flinfo);
	MemoryContext caller;
	ScoredItem *items;
	int n;

	if (!PG_ARGISNULL(0) && reuse_kept(kept, fcinfo))
		return kept;

	kept->valid = false;
	MemoryContextReset(kept->context);
	caller = MemoryContextSwitchTo(kept->context);
	take_subject(kept, fcinfo);
	MemoryContextSwitchTo(caller);

	n = score_subject(kept, &items);
	for (int attempt = 1; !sim_reader_is_current(kept->reader); attempt++)
	{
		retry_read(kept->reader, attempt);
		n = score_subject(kept, &items);
	}
	fill_map(kept, items, n);
	kept->valid = true;
	return kept;
}

static double
score_of(SubjectScores *kept, Datum key)
{
	ItemNumber item = sim_find_item(kept->reader, key);
	ItemMapEntry *entry =
		item == INVALID_ITEM ? NULL : item_map_lookup(kept->map, item);

	return entry ? entry->value : 0;
}

Datum
personalize_relevance(PG_FUNCTION_ARGS)
{
	SubjectScores *kept = get_scores(fcinfo);
	double score = 0;

	if (!PG_ARGISNULL(2))
		score = score_of(kept, arg_key(fcinfo, 2, &kept->reader->item_key));
	sim_reader_close(kept->reader);
	if (PG_ARGISNULL(2))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(score);
}

Datum
personalize_relevances(PG_FUNCTION_ARGS)
{
	SubjectScores *kept = get_scores(fcinfo);
	KeyArray items;
	Datum *values;
	ArrayType *result;
	int lower = 1;

	arg_key_array(fcinfo, 2, "items", &kept->reader->item_key, &items);
	values = palloc_extended(Max(items.n, 1) * sizeof(Datum), MCXT_ALLOC_HUGE);
	for (int i = 0; i < items.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		values[i] = items.nulls[i] ?
			(Datum) 0 :
			Float8GetDatum(score_of(kept, items.keys[i]));
	}
	sim_reader_close(kept->reader);
	if (!items.given)
		PG_RETURN_NULL();
	if (items.n == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(FLOAT8OID));
	result =
		construct_md_array(values, items.nulls, 1, &items.n, &lower, FLOAT8OID,
						   sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
	PG_RETURN_ARRAYTYPE_P(result);
}
