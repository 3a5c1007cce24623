/*
 * trending.c
 *		trending(): what is popular lately, and whether it is rising.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "recommend/recommend.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(personalize_trending);
PG_FUNCTION_INFO_V1(personalize_trending_typed);

/* Is the time column of a type without time zone, its values wall-clock times? */
static bool
times_are_local(Relation index)
{
	TupleDesc columns = RelationGetDescr(index);

	for (int i = IndexRelationGetNumberOfKeyAttributes(index);
		 i < columns->natts; i++)
	{
		Oid type = getBaseType(TupleDescAttr(columns, i)->atttypid);

		if (type == TIMESTAMPOID || type == DATEOID)
			return true;
	}
	return false;
}

/* A moment, comparable with the times of the index. */
static TimestampTz
index_time(SimReader *reader, TimestampTz moment)
{
	if (!times_are_local(reader->index))
		return moment;
	return DatumGetTimestamp(DirectFunctionCall1(timestamptz_timestamp,
												 TimestampTzGetDatum(moment)));
}

/* A time of the index, as a timestamptz. */
Datum
index_moment(SimReader *reader, TimestampTz time)
{
	if (!times_are_local(reader->index))
		return TimestampTzGetDatum(time);
	return DirectFunctionCall1(timestamp_timestamptz, TimestampGetDatum(time));
}

TimestampTz
current_time(SimReader *reader)
{
	return index_time(reader, GetCurrentTransactionStartTimestamp());
}

static TimestampTz
take_as_of(SimReader *reader, FunctionCallInfo fcinfo, int argno)
{
	TimestampTz as_of;

	if (PG_ARGISNULL(argno))
		return current_time(reader);
	as_of = PG_GETARG_TIMESTAMPTZ(argno);
	if (TIMESTAMP_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("as_of must be finite"),
				 errdetail("Ages cannot be taken from an infinite time."),
				 errhint("Pass the time as of which to count, such as now().")));
	return index_time(reader, as_of);
}

static void
take_terms(SimReader *reader, FunctionCallInfo fcinfo, int argno,
		   PopularityTerms *terms)
{
	terms->decay = reader->has_time;
	terms->half_life = take_half_life(reader, fcinfo, argno);
	terms->as_of =
		reader->has_time ? take_as_of(reader, fcinfo, argno + 1) : PG_INT64_MAX;
	if (terms->half_life == 0)
		terms->half_life = DEFAULT_POPULAR_HALF_LIFE;
}

/*
 * The k most popular items; ref leads into sums, whose scores have been scaled
 * to as_of.
 */
static int
read_trending(SimReader *reader, const PopularityTerms *terms, int k,
			  Popularity **sums, RankedItem **items)
{
	SimPopularEntry *entries;
	int nentries = sim_read_popular(reader, &entries);
	int nsums = sum_popularity(entries, nentries, terms, sums);
	int n = top_popularity(*sums, nsums, k, items);

	if (terms->decay && nsums > 0)
	{
		double scale = age_factor(terms->as_of,
								  newest_entry(entries, nentries, terms->as_of),
								  terms->half_life);

		for (int i = 0; i < nsums; i++)
			(*sums)[i].score *= scale;
	}
	return rank_items(reader, *items, n, k);
}

static Datum
trending(FunctionCallInfo fcinfo, int type_argno)
{
	SimReader *reader = sim_reader_open(arg_source(fcinfo, 0));
	int options = type_argno < 0 ? 1 : 2;
	int k = arg_k(fcinfo, options);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	PopularityTerms terms;
	KeyOutput output;
	Popularity *sums = NULL;
	RankedItem *items = NULL;
	int n = 0;

	take_terms(reader, fcinfo, options + 1, &terms);
	key_output_init(&output, &reader->item_key, fcinfo, type_argno);
	InitMaterializedSRF(fcinfo, 0);
	if (k > 0)
		n = read_trending(reader, &terms, k, &sums, &items);

	for (int i = 0; i < n; i++)
	{
		const Popularity *sum = &sums[items[i].ref];
		Datum values[4];
		bool nulls[4] = { false, false, false, !terms.decay };

		values[0] = key_output(&output, items[i].key);
		values[1] = Float8GetDatum(sum->score);
		values[2] = Float8GetDatum(sum->recent);
		values[3] = Float8GetDatum(sum->before);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	sim_reader_close(reader);
	return (Datum) 0;
}

Datum
personalize_trending(PG_FUNCTION_ARGS)
{
	return trending(fcinfo, -1);
}

Datum
personalize_trending_typed(PG_FUNCTION_ARGS)
{
	return trending(fcinfo, 1);
}
