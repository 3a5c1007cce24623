/*
 * source.c
 *		From the relation a caller names to an index that may be read.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "similarity/similarity.h"

/* What a similarity index is built on, for messages; missing names are fine. */
static char *
relation_name(Oid relid)
{
	char *name = get_rel_name(relid);

	return name ? name : psprintf("%u", relid);
}

static bool
uses_similarity(Oid index, Oid am)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
	bool result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_class) GETSTRUCT(tuple))->relam == am;
	ReleaseSysCache(tuple);
	return result;
}

static bool
index_is_valid(Oid index)
{
	HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	bool result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_index) GETSTRUCT(tuple))->indisvalid;
	ReleaseSysCache(tuple);
	return result;
}

static void
refuse_ambiguous(Oid table, List *indexes)
{
	StringInfoData names;
	ListCell *lc;

	initStringInfo(&names);
	foreach (lc, indexes)
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 relation_name(lfirst_oid(lc)));
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
			 errmsg("table \"%s\" has more than one similarity index",
					relation_name(table)),
			 errdetail("They are: %s.", names.data),
			 errhint("Pass the index instead of the table.")));
}

static void
refuse_index(Oid index)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("index \"%s\" is not a similarity index",
					relation_name(index)),
			 errhint(
				 "Pass the table, or an index made by CREATE INDEX ... USING similarity.")));
}

static void
refuse_without_index(Relation table)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("table \"%s\" has no similarity index",
					RelationGetRelationName(table)),
			 errhint("Create one, as in CREATE INDEX ON %s USING similarity (subject, item).",
					 quote_identifier(RelationGetRelationName(table)))));
}

/* Valid similarity indexes of a table; *invalid tells of one that is not. */
static List *
similarity_indexes(Relation table, Oid *invalid)
{
	Oid am = get_index_am_oid("similarity", true);
	List *all = RelationGetIndexList(table);
	List *result = NIL;
	ListCell *lc;

	foreach (lc, all)
	{
		Oid index = lfirst_oid(lc);

		if (!uses_similarity(index, am))
			continue;
		if (index_is_valid(index))
			result = lappend_oid(result, index);
		else
			*invalid = index;
	}
	list_free(all);
	return result;
}

static Oid
index_of_table(Relation table)
{
	Oid invalid = InvalidOid;
	List *indexes;
	Oid result;

	if (table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("\"%s\" is a partitioned table, which has one model a partition and none of the whole",
						RelationGetRelationName(table)),
				 errhint(
					 "Create a materialized view over it and a similarity index on the view, or ask one partition's model with recommend_at().")));
	if (table->rd_rel->relkind != RELKIND_RELATION &&
		table->rd_rel->relkind != RELKIND_MATVIEW)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table, materialized view or similarity index",
						RelationGetRelationName(table)),
				 errhint(
					 "Pass a table with a similarity index; a view can be made a materialized one, which can have an index.")));
	indexes = similarity_indexes(table, &invalid);
	if (list_length(indexes) > 1)
		refuse_ambiguous(RelationGetRelid(table), indexes);
	if (indexes == NIL && OidIsValid(invalid))
		return invalid; /* refused for that when it is opened */
	if (indexes == NIL)
		refuse_without_index(table);
	result = linitial_oid(indexes);
	list_free(indexes);
	return result;
}

static Relation
open_or_refuse(Oid relation, int lockmode)
{
	Relation rel =
		OidIsValid(relation) ? try_relation_open(relation, lockmode) : NULL;

	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relation)));
	return rel;
}

/* The table of a source, not locked, perhaps gone. */
Oid
sim_source_table(Oid source)
{
	char kind = get_rel_relkind(source);

	if (kind == RELKIND_INDEX || kind == RELKIND_PARTITIONED_INDEX)
		return IndexGetRelation(source, true);
	return source;
}

/*
 * The similarity index that a table or index stands for; *heap is its table,
 * locked in lockmode.
 */
Oid
sim_source_index(Oid source, int lockmode, Relation *heap)
{
	Oid table = sim_source_table(source);
	char kind = get_rel_relkind(source);
	bool is_index = kind == RELKIND_INDEX || kind == RELKIND_PARTITIONED_INDEX;

	*heap = open_or_refuse(table, lockmode);
	if (kind == RELKIND_PARTITIONED_INDEX)
		(void) index_of_table(*heap); /* refuses it */
	if (!is_index)
		return index_of_table(*heap);
	if (!uses_similarity(source, get_index_am_oid("similarity", true)))
		refuse_index(source);
	return source;
}

/* ---- a partition or shard by itself ---- */

/* The only similarity index of a source that need not have a model itself. */
static Oid
model_index(Oid source)
{
	Oid am = get_index_am_oid("similarity", true);
	char kind = get_rel_relkind(source);
	Relation table;
	List *indexes;
	List *found = NIL;
	ListCell *lc;
	Oid result;

	if (kind == RELKIND_INDEX || kind == RELKIND_PARTITIONED_INDEX)
	{
		if (!uses_similarity(source, am))
			refuse_index(source);
		return source;
	}
	table = open_or_refuse(source, AccessShareLock);
	indexes = RelationGetIndexList(table);
	foreach (lc, indexes)
		if (uses_similarity(lfirst_oid(lc), am))
			found = lappend_oid(found, lfirst_oid(lc));
	if (list_length(found) > 1)
		refuse_ambiguous(source, found);
	if (found == NIL)
		refuse_without_index(table);
	result = linitial_oid(found);
	relation_close(table, AccessShareLock);
	return result;
}

/* A key column of an index as it is written in its definition. */
static char *
column_of(Oid index, int column)
{
	return TextDatumGetCString(
		DirectFunctionCall3(pg_get_indexdef_ext, ObjectIdGetDatum(index),
							Int32GetDatum(column), BoolGetDatum(true)));
}

static bool
is_child_of(Oid index, Oid model)
{
	return get_rel_relispartition(index) &&
		list_member_oid(get_partition_ancestors(index), model);
}

/* Do two indexes have the same subject and item, by name or expression? */
static bool
same_columns(Oid a, Oid b)
{
	int i;

	for (i = 1; i <= 2; i++)
		if (strcmp(column_of(a, i), column_of(b, i)) != 0)
			return false;
	return true;
}

/*
 * Of the indexes of a partition or shard, those that belong to the model: its
 * children, or on another server those on the same columns.
 */
static List *
indexes_of_model(List *indexes, Oid model)
{
	List *children = NIL;
	List *alike = NIL;
	ListCell *lc;

	foreach (lc, indexes)
	{
		Oid index = lfirst_oid(lc);

		if (index == model || is_child_of(index, model))
			children = lappend_oid(children, index);
		else if (same_columns(index, model))
			alike = lappend_oid(alike, index);
	}
	return children != NIL ? children : alike;
}

/*
 * The index of one partition or shard that is of the same kind as the source's
 * own.  Numbers of relations may come from another server, where they are
 * other relations: only one with a similarity index on the same columns is
 * taken.
 */
Oid
sim_leaf_index(Oid relation, Oid source, Relation *heap)
{
	Oid model = model_index(source);
	Oid invalid = InvalidOid;
	List *indexes;

	*heap = open_or_refuse(relation, AccessShareLock);
	if ((*heap)->rd_rel->relkind != RELKIND_RELATION &&
		(*heap)->rd_rel->relkind != RELKIND_MATVIEW)
		(void) index_of_table(*heap); /* refuses it */
	indexes = indexes_of_model(similarity_indexes(*heap, &invalid), model);
	if (list_length(indexes) > 1)
		refuse_ambiguous(relation, indexes);
	if (indexes == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("\"%s\" has no valid similarity index on (%s, %s)",
						RelationGetRelationName(*heap), column_of(model, 1),
						column_of(model, 2)),
				 errhint("Pass the tableoid of a row of the source.")));
	return linitial_oid(indexes);
}

/* SELECT on the table, or on every indexed column. */
static bool
may_select(Relation heap, Relation index)
{
	Oid table = RelationGetRelid(heap);
	int i;

	if (pg_class_aclcheck(table, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
		return true;
	if (!heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, NULL) ||
		!heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
		return false;
	for (i = 0; i < index->rd_index->indnatts; i++)
		if (pg_attribute_aclcheck(table, index->rd_index->indkey.values[i],
								  GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			return false;
	return true;
}

/* Is the index older than a broken HOT chain this snapshot could follow? */
static bool
must_wait(Relation index)
{
	return index->rd_index->indcheckxmin &&
		!TransactionIdPrecedes(HeapTupleHeaderGetXmin(
								   index->rd_indextuple->t_data),
							   TransactionXmin);
}

/* Refuse an index that is there but cannot be used now. */
void
sim_check_state(Relation heap, Relation index)
{
	if (!index->rd_index->indisvalid || !index->rd_index->indisready)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("similarity index \"%s\" is not valid",
						RelationGetRelationName(index)),
				 errdetail(
					 "A CREATE INDEX CONCURRENTLY or REINDEX CONCURRENTLY is under way or has failed."),
				 errhint("Wait for it, or REINDEX or drop the index.")));
	if (RELATION_IS_OTHER_TEMP(heap))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary tables of other sessions")));
	if (RecoveryInProgress() && !RelationIsPermanent(heap))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg(
					 "cannot access temporary or unlogged relations during recovery")));
	if (must_wait(index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("similarity index \"%s\" cannot be used by this transaction yet",
						RelationGetRelationName(index)),
				 errdetail(
					 "It was created after rows had been changed that this transaction may still see in their old form."),
				 errhint("Try again in a new transaction.")));
}

void
sim_check_readable(Relation heap, Relation index)
{
	sim_check_state(heap, index);
	if (!may_select(heap, index))
		aclcheck_error(ACLCHECK_NO_PRIV,
					   get_relkind_objtype(heap->rd_rel->relkind),
					   RelationGetRelationName(heap));
	if (check_enable_rls(RelationGetRelid(heap), InvalidOid, true) ==
		RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("row-level security of table \"%s\" applies to the current user",
						RelationGetRelationName(heap)),
				 errdetail(
					 "A model is trained on all rows and would tell of rows that the user must not see."),
				 errhint(
					 "Have a role that is exempt own a SECURITY DEFINER function that calls this one and returns what the user may know.")));
}
