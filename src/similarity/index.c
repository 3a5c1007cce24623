/*
 * index.c
 *		An index opened for work: its columns and their types.
 */
#include "postgres.h"

#include <math.h>

#include "access/amapi.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/ruleutils.h"
#include "utils/timestamp.h"

#include "similarity/similarity.h"

/* What rd_amcache holds: everything that depends on the columns only. */
typedef struct SimCache
{
	int time_column;
	int strength_column;
	Oid time_type;
	Oid strength_type;
	TypedKey subject;
	TypedKey item;
} SimCache;

static bool
is_time_type(Oid type)
{
	return type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID;
}

static bool
is_strength_type(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID ||
		type == FLOAT4OID || type == FLOAT8OID || type == NUMERICOID;
}

static void
refuse_columns(Relation rel, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("index \"%s\" does not have the columns of a similarity index",
					RelationGetRelationName(rel)),
			 errdetail_internal("%s", detail),
			 errhint(
				 "Use the form USING similarity (subject, item) INCLUDE (time, strength), where the time is a timestamptz, timestamp or date column and the strength a number; both are optional.")));
}

/* Recognise the INCLUDE columns by type. */
static void
classify_columns(Relation rel, SimCache *cache)
{
	int i;

	if (IndexRelationGetNumberOfKeyAttributes(rel) != 2)
		refuse_columns(rel,
					   psprintf("The number of its key columns is %d, not two.",
								IndexRelationGetNumberOfKeyAttributes(rel)));
	cache->time_column = -1;
	cache->strength_column = -1;
	for (i = 2; i < IndexRelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), i);
		Oid type = getBaseType(att->atttypid);

		if (is_time_type(type) && cache->time_column < 0)
		{
			cache->time_column = i;
			cache->time_type = type;
		}
		else if (is_strength_type(type) && cache->strength_column < 0)
		{
			cache->strength_column = i;
			cache->strength_type = type;
		}
		else
			refuse_columns(rel,
						   psprintf("Included column \"%s\" of type %s is neither its first time nor its first strength.",
									NameStr(att->attname),
									format_type_be(att->atttypid)));
	}
}

static SimCache *
index_cache(Relation rel)
{
	SimCache *cache = (SimCache *) rel->rd_amcache;
	SimCache fresh;
	TupleDesc desc = RelationGetDescr(rel);

	if (cache)
		return cache;
	memset(&fresh, 0, sizeof(fresh));
	classify_columns(rel, &fresh);
	typed_key_init(&fresh.subject, TupleDescAttr(desc, 0)->atttypid,
				   rel->rd_indcollation[0], rel->rd_indexcxt);
	typed_key_init(&fresh.item, TupleDescAttr(desc, 1)->atttypid,
				   rel->rd_indcollation[1], rel->rd_indexcxt);
	cache = MemoryContextAlloc(rel->rd_indexcxt, sizeof(SimCache));
	*cache = fresh;
	rel->rd_amcache = cache;
	return cache;
}

/* A key of our own; what its functions cache lives as long as our context. */
static void
copy_key(TypedKey *copy, const TypedKey *key)
{
	*copy = *key;
	copy->hash.fn_mcxt = CurrentMemoryContext;
	copy->equal.fn_mcxt = CurrentMemoryContext;
	copy->compare.fn_mcxt = CurrentMemoryContext;
}

/*
 * Everything is copied: an invalidation message may free the cache whenever a
 * lock is taken.
 */
void
sim_index_open(SimIndex *ix, Relation rel)
{
	SimCache *cache = index_cache(rel);

	memset(ix, 0, sizeof(*ix));
	ix->rel = rel;
	ix->time_column = cache->time_column;
	ix->strength_column = cache->strength_column;
	ix->has_time = cache->time_column >= 0;
	ix->has_strength = cache->strength_column >= 0;
	ix->posting_size = sizeof(ItemPointerData) + sizeof(ItemNumber) +
		(ix->has_time ? sizeof(int64) : 0) +
		(ix->has_strength ? sizeof(float) : 0);
	ix->item_posting_size = 2 * sizeof(ItemPointerData) + sizeof(uint64) +
		(ix->has_time ? sizeof(int64) : 0);
	ix->time_type = cache->time_type;
	ix->strength_type = cache->strength_type;
	copy_key(&ix->subject, &cache->subject);
	copy_key(&ix->item, &cache->item);
}

/* Times without time zone count as UTC, so that every node agrees. */
TimestampTz
sim_value_time(SimIndex *ix, Datum *values, bool *isnull)
{
	Oid type = ix->time_type;
	TimestampTz time;

	if (!ix->has_time || isnull[ix->time_column])
		return SIM_NO_TIME;
	if (type == DATEOID)
	{
		DateADT date = DatumGetDateADT(values[ix->time_column]);

		if (DATE_NOT_FINITE(date))
			return SIM_NO_TIME;

		/* A date may lie beyond the last timestamp. */
		date = Min(date, TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE - 1);
		return (TimestampTz) date * USECS_PER_DAY;
	}
	time = DatumGetTimestampTz(values[ix->time_column]);
	return TIMESTAMP_NOT_FINITE(time) ? SIM_NO_TIME : time;
}

static double
number_as_double(Oid type, Datum value)
{
	switch (type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return (double) DatumGetInt64(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case FLOAT8OID:
			return DatumGetFloat8(value);
		default:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8, value));
	}
}

/*
 * The row's key for a message; NULL if the user may not read the table.
 * (BuildIndexValueDescription() prints by the operator class's input type,
 * which is anyelement.)
 */
static char *
describe_row(SimIndex *ix, Datum *values)
{
	Oid table = ix->rel->rd_index->indrelid;

	if (check_enable_rls(table, InvalidOid, true) == RLS_ENABLED ||
		pg_class_aclcheck(table, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		return NULL;
	return psprintf("row with (%s)=(%s, %s)",
					pg_get_indexdef_columns(RelationGetRelid(ix->rel), true),
					typed_key_text(&ix->subject, values[0]),
					typed_key_text(&ix->item, values[1]));
}

static void
refuse_strength(SimIndex *ix, Datum *values, double number)
{
	char *row = describe_row(ix, values);
	Form_pg_attribute att =
		TupleDescAttr(RelationGetDescr(ix->rel), ix->strength_column);

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 number > 0 ?
				 errmsg("strength %g of an interaction is out of range for type real",
						number) :
				 errmsg("strength of an interaction must be a positive number, not %g",
						number),
			 errdetail("Column \"%s\" is the strength in similarity index \"%s\".",
					   NameStr(att->attname), RelationGetRelationName(ix->rel)),
			 row ? errcontext("%s", row) : 0,
			 number > 0 ?
				 errhint(
					 "Use a unit in which strengths are between 1e-37 and 1e+38.") :
				 errhint("Leave the column NULL for strength 1, or make the index partial, as in WHERE %s > 0.",
						 NameStr(att->attname))));
}

float
sim_value_strength(SimIndex *ix, Datum *values, bool *isnull)
{
	double number;
	float strength;

	if (!ix->has_strength || isnull[ix->strength_column])
		return 1;
	number = number_as_double(ix->strength_type, values[ix->strength_column]);
	strength = (float) number;
	if (!(strength > 0) || isinf(strength))
		refuse_strength(ix, values, number);
	return strength;
}
