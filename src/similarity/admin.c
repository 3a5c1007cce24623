/*
 * admin.c
 *		retrain() and similarity_stats().
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_class.h"
#include "funcapi.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "similarity/similarity.h"
#include "tuning/tuning.h"

/* Of similarity_stats(): those of the choice, and all. */
#define CHOICE_COLUMNS 12
#define STATS_COLUMNS (16 + CHOICE_COLUMNS)

PG_FUNCTION_INFO_V1(personalize_retrain);
PG_FUNCTION_INFO_V1(personalize_similarity_stats);

static void
check_source(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("source must not be null"),
				 errhint(
					 "Pass a table with a similarity index, or the index.")));
}

/* Before the table is locked: who may not train may not keep others away. */
void
sim_check_owner(Oid table)
{
	if (get_rel_name(table) != NULL && !relation_owned_by(table, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER,
					   get_relkind_objtype(get_rel_relkind(table)),
					   get_rel_name(table));
}

/* Item postings are all there or none; only a rebuild can change that. */
static void
notice_postings(SimIndex *ix)
{
	bool wanted = sim_options(ix->rel)->postings;

	if (wanted == sim_keeps_item_postings(ix))
		return;
	ereport(NOTICE,
			(errmsg("similarity index \"%s\" was built with postings = %s",
					RelationGetRelationName(ix->rel), wanted ? "off" : "on"),
			 errdetail(
				 "The parameter has been changed since, which a training does not put into effect."),
			 errhint("REINDEX the index.")));
}

/*
 * Train the model anew from the index's own postings.  The lock on the table
 * is VACUUM's: one of them at a time, while rows come and go.
 */
Datum
personalize_retrain(PG_FUNCTION_ARGS)
{
	Relation heap;
	Relation index;
	Oid index_oid;
	SimIndex ix;

	check_source(fcinfo);
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recovery is in progress"),
				 errhint(
					 "retrain() can only be executed on the primary; standbys get its result.")));
	PreventCommandIfReadOnly("retrain()");
	sim_check_owner(sim_source_table(PG_GETARG_OID(0)));
	index_oid =
		sim_source_index(PG_GETARG_OID(0), ShareUpdateExclusiveLock, &heap);
	sim_check_owner(RelationGetRelid(heap));
	index = index_open(index_oid, RowExclusiveLock);
	sim_check_state(heap, index);
	sim_index_open(&ix, index);
	notice_postings(&ix);
	sim_train(&ix, false);

	/* Without a transaction id nothing else would wait for the WAL. */
	ForceSyncCommit();
	index_close(index, NoLock);
	relation_close(heap, NoLock);
	PG_RETURN_VOID();
}

/* The model's parameters and how they came about, behind the other columns. */
static void
choice_values(const SimMeta *meta, Datum *values, bool *nulls)
{
	const SimChoice *choice = &meta->choice;
	bool made = choice->reason == SIM_CHOICE_MADE;
	bool tried = made || choice->subjects > 0;
	int i;

	for (i = 0; i < CHOICE_COLUMNS; i++)
		nulls[i] = meta->generation == 0;
	if (meta->generation == 0)
		return;
	values[0] = CStringGetTextDatum(sim_method_name(meta->params.method));
	values[1] =
		DirectFunctionCall1(jsonb_in,
							CStringGetDatum(sim_params_json(&meta->params)));
	values[2] = CStringGetTextDatum(sim_choice_name(choice->reason));
	values[3] = Float8GetDatum(choice->ndcg);
	values[4] = Float8GetDatum(choice->recall);
	values[5] = Int64GetDatum(choice->subjects);
	values[6] = Int64GetDatum(choice->held_out);
	values[7] = Int32GetDatum(choice->candidates);
	values[8] = Int32GetDatum(choice->left_out);
	values[9] = Float8GetDatum(choice->sampled);
	values[10] = Float8GetDatum(choice->budget);
	values[11] = Float8GetDatum(choice->cost);
	nulls[3] = nulls[4] = nulls[9] = nulls[11] = !made;
	nulls[5] = nulls[6] = !tried;
	nulls[10] = choice->reason == SIM_CHOICE_OPTIONS;
}

/* Fill the row of similarity_stats(). */
static void
stats_values(SimIndex *ix, Datum *values, bool *nulls)
{
	SimMeta meta;
	SimCounts counts;
	BlockNumber *pages = counts.pages;
	int i = 0;

	sim_count(ix, &counts, false, NULL);
	sim_read_meta(ix, &meta);
	values[i++] = ObjectIdGetDatum(RelationGetRelid(ix->rel));
	values[i++] = Int64GetDatum(counts.subjects);
	values[i++] = Int64GetDatum(meta.nitems);
	values[i++] = Int64GetDatum(counts.interactions);
	nulls[i] = meta.generation == 0;
	values[i++] = TimestampTzGetDatum(meta.trained_at);
	values[i++] = Int64GetDatum(meta.generation);
	values[i++] = Int64GetDatum(sim_changed(&meta, counts.interactions));
	nulls[i] = meta.generation == 0;
	values[i++] = Float8GetDatum(meta.sampled);
	nulls[i] = meta.generation == 0;
	values[i++] = Int64GetDatum(meta.training_memory);
	values[i++] = Int64GetDatum((int64) counts.total_pages * BLCKSZ);
	values[i++] =
		Int64GetDatum((int64) BLCKSZ *
					  (1 + pages[SIM_PAGE_BUCKET] + pages[SIM_PAGE_SUBJECT] +
					   pages[SIM_PAGE_ITEM]));
	values[i++] = Int64GetDatum((int64) BLCKSZ * pages[SIM_PAGE_CHUNK] -
								(int64) counts.item_bytes);
	values[i++] = Int64GetDatum((int64) counts.item_bytes);
	values[i++] =
		Int64GetDatum((int64) BLCKSZ *
					  (pages[SIM_PAGE_LIST] + pages[SIM_PAGE_LEAF] +
					   pages[SIM_PAGE_INNER] + pages[SIM_PAGE_CHOICE]));
	values[i++] = Int64GetDatum(
		(int64) BLCKSZ * (pages[SIM_PAGE_POPULAR] + pages[SIM_PAGE_LOG]));
	values[i++] = Int64GetDatum((int64) BLCKSZ * pages[SIM_PAGE_FREE]);
	choice_values(&meta, values + i, nulls + i);
}

Datum
personalize_similarity_stats(PG_FUNCTION_ARGS)
{
	Relation heap;
	Relation index;
	SimIndex ix;
	TupleDesc desc;
	Datum values[STATS_COLUMNS] = { 0 };
	bool nulls[STATS_COLUMNS] = { 0 };

	check_source(fcinfo);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	index =
		index_open(sim_source_index(PG_GETARG_OID(0), AccessShareLock, &heap),
				   AccessShareLock);
	sim_check_readable(heap, index);
	sim_index_open(&ix, index);
	stats_values(&ix, values, nulls);
	index_close(index, AccessShareLock);
	relation_close(heap, AccessShareLock);
	PG_RETURN_DATUM(HeapTupleGetDatum(
		heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
