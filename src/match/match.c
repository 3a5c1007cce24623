/*
 * match.c
 *		The functions of SQL.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/args.h"
#include "funcapi.h"
#include "match/match.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#define PAIR_COLUMNS 5

PG_FUNCTION_INFO_V1(personalize_match_model);
PG_FUNCTION_INFO_V1(personalize_match_train);
PG_FUNCTION_INFO_V1(personalize_match_pairs);
PG_FUNCTION_INFO_V1(personalize_match_compare);

typedef struct Pairs
{
	MatchRecords *records;
	CompareCache *cache;
	double lowest; /* weight that is asked for */
	ReturnSetInfo *result;
	MemoryContext row;
} Pairs;

static MatchModel *
model_arg(FunctionCallInfo fcinfo, int argno)
{
	arg_not_null(fcinfo, argno, "model");
	return model_read(PG_GETARG_JSONB_P(argno));
}

static void
check_trained(const MatchModel *model)
{
	if (!model->trained)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the match model is not trained"),
				 errhint(
					 "personalize.match_train(model, 'people') returns it trained.")));
}

static void
check_rules(const MatchModel *model)
{
	if (model->n_rules == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the match model has no blocking rules"),
				 errhint(
					 "Add some to the model, as in {\"blocking\": [[\"surname\", \"postcode\"], [\"date_of_birth\"]]}.")));
}

static MatchRecords *
load_arg(FunctionCallInfo fcinfo, const MatchModel *model, int argno)
{
	Oid other = PG_ARGISNULL(argno + 1) ? InvalidOid : PG_GETARG_OID(argno + 1);
	MatchRecords *records;

	arg_not_null(fcinfo, argno, "relation");
	/* '-' is a regclass, but none to be taken for NULL */
	if (!PG_ARGISNULL(argno + 1) && !OidIsValid(other))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("other is no relation"),
				 errhint("Leave other out for the pairs within one relation.")));
	records = records_load(model, PG_GETARG_OID(argno), other);
	records_make_keys(records);
	return records;
}

Datum
personalize_match_model(PG_FUNCTION_ARGS)
{
	Jsonb *columns = NULL;

	arg_not_null(fcinfo, 0, "relation");
	arg_not_null(fcinfo, 1, "id");
	if (!PG_ARGISNULL(2))
		columns = PG_GETARG_JSONB_P(2);
	PG_RETURN_JSONB_P(model_write(
		suggest_model(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)), columns)));
}

Datum
personalize_match_train(PG_FUNCTION_ARGS)
{
	MatchModel *model = model_arg(fcinfo, 0);
	MatchRecords *records;
	double max_pairs = 5e6;

	check_rules(model);
	if (!PG_ARGISNULL(3))
		max_pairs = PG_GETARG_INT64(3);
	if (max_pairs < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_pairs must be positive"),
				 errhint("Leave max_pairs out for its default.")));
	records = load_arg(fcinfo, model, 1);
	if (records_pairs(records) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are no pairs to train a match model on"),
				 errdetail("%d records were read.", records->n)));
	model_train(model, records, max_pairs);
	PG_RETURN_JSONB_P(model_write(model));
}

static void
fill_pair(MatchRecords *records, uint64 pattern, int a, int b, Datum *values,
		  bool *nulls)
{
	double weight = pair_weight(records, pattern, a, b, -INFINITY);

	memset(nulls, 0, PAIR_COLUMNS * sizeof(bool));
	nulls[0] = records->ids[a] == NULL;
	nulls[1] = records->ids[b] == NULL;
	if (!nulls[0])
		values[0] = CStringGetTextDatum(records->ids[a]);
	if (!nulls[1])
		values[1] = CStringGetTextDatum(records->ids[b]);
	values[2] = Float8GetDatum(weight);
	values[3] = Float8GetDatum(weight_probability(weight));
	values[4] = JsonbPGetDatum(pair_explain(records, pattern, a, b));
}

static void
put_pair(void *arg, int a, int b, bool first)
{
	Pairs *pairs = arg;
	uint64 pattern;
	Datum values[PAIR_COLUMNS];
	bool nulls[PAIR_COLUMNS];
	MemoryContext old;

	if (!first)
		return;
	pattern = compare_pair(pairs->records, pairs->cache, a, b);
	if (pair_weight(pairs->records, pattern, a, b, pairs->lowest) <
		pairs->lowest)
		return;
	old = MemoryContextSwitchTo(pairs->row);
	fill_pair(pairs->records, pattern, a, b, values, nulls);
	tuplestore_putvalues(pairs->result->setResult, pairs->result->setDesc,
						 values, nulls);
	MemoryContextSwitchTo(old);
	MemoryContextReset(pairs->row);
}

static double
lowest_weight(FunctionCallInfo fcinfo)
{
	double threshold = arg_finite(fcinfo, 3, "threshold");

	if (threshold < 0 || threshold > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("threshold must lie between 0 and 1"),
				 errdetail("threshold is %g.", threshold),
				 errhint(
					 "threshold is the lowest probability of a pair to be returned.")));
	if (threshold == 0)
		return -INFINITY;
	/* from there on, probabilities cannot be told from 1 */
	return threshold == 1 ? DBL_MANT_DIG : log2(threshold / (1 - threshold));
}

Datum
personalize_match_pairs(PG_FUNCTION_ARGS)
{
	MatchModel *model = model_arg(fcinfo, 0);
	Pairs pairs;

	check_rules(model);
	check_trained(model);
	pairs.lowest = lowest_weight(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	pairs.result = (ReturnSetInfo *) fcinfo->resultinfo;
	pairs.records = load_arg(fcinfo, model, 1);
	pairs.cache = compare_cache(pairs.records);
	terms_prepare(pairs.records);
	pairs.row = AllocSetContextCreate(CurrentMemoryContext, "match pair",
									  ALLOCSET_DEFAULT_SIZES);
	for (int r = 0; r < model->n_rules; r++)
		block_each_pair(pairs.records, r, put_pair, &pairs);
	MemoryContextDelete(pairs.records->context);
	return (Datum) 0;
}

Datum
personalize_match_compare(PG_FUNCTION_ARGS)
{
	MatchModel *model = model_arg(fcinfo, 0);
	MatchRecords *records;
	CompareCache *cache;
	TupleDesc desc;
	Datum values[PAIR_COLUMNS];
	bool nulls[PAIR_COLUMNS];

	check_trained(model);
	arg_not_null(fcinfo, 1, "a");
	arg_not_null(fcinfo, 2, "b");
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	records =
		records_of_pair(model, PG_GETARG_JSONB_P(1), PG_GETARG_JSONB_P(2));
	cache = compare_cache(records);
	fill_pair(records, compare_pair(records, cache, 0, 1), 0, 1, values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(
		heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
