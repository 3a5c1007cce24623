/*
 * evaluate.c
 *		evaluate() and evaluation_lists().
 *
 * Interactions are held out of a sample of subjects, the index is trained anew
 * in memory on what is left, by the parameters of its model, and answers for
 * these subjects as recommend() would.  doc/evaluation.md has the metrics.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "common/args.h"
#include "evaluation/evaluate.h"

#define EVALUATE_COLUMNS 14
#define LIST_COLUMNS 6
#define MAX_CONTENDERS 3
#define MAX_K 10000

PG_FUNCTION_INFO_V1(personalize_evaluate);
PG_FUNCTION_INFO_V1(personalize_evaluation_lists);

typedef struct EvaluateCall
{
	Evaluation evaluation;
	Contender *contenders[MAX_CONTENDERS];
	int n;
} EvaluateCall;

static void
refuse_argument(const char *name, const char *value, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s is out of range", name),
			 errdetail("%s is %s.", name, value), errhint("%s", hint)));
}

static void
refuse_null(FunctionCallInfo fcinfo, int argno, const char *name)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name),
				 errhint("Leave %s out for its default.", name)));
}

static void
take_holdout(FunctionCallInfo fcinfo, int argno, Evaluation *e)
{
	char *holdout;

	refuse_null(fcinfo, argno, "holdout");
	holdout = text_to_cstring(PG_GETARG_TEXT_PP(argno));
	e->last = strcmp(holdout, "last") == 0;
	if (!e->last && strcmp(holdout, "random") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown holdout \"%s\"", holdout),
				 errhint(
					 "holdout is \"random\", a share of each subject's items, or \"last\", the item of its last interaction.")));
}

/* k, holdout, share, seed, subjects */
static void
take_arguments(FunctionCallInfo fcinfo, Evaluation *e)
{
	refuse_null(fcinfo, 1, "k");
	e->k = PG_GETARG_INT32(1);
	if (e->k < 1 || e->k > MAX_K)
		refuse_argument("k", psprintf("%d", e->k),
						"k is the length of the lists, from 1 to 10000.");
	take_holdout(fcinfo, 2, e);
	refuse_null(fcinfo, 3, "share");
	e->share = PG_GETARG_FLOAT8(3);
	if (!(e->share > 0 && e->share < 1))
		refuse_argument("share", psprintf("%g", e->share),
						"share is what is held out of each subject's items, above 0 and below 1.");
	refuse_null(fcinfo, 4, "seed");
	e->seed = PG_GETARG_INT32(4);
	if (e->seed < 0)
		refuse_argument("seed", psprintf("%d", e->seed),
						"seed is any number from 0 on; each draws another sample.");
	refuse_null(fcinfo, 5, "subjects");
	e->max_subjects = PG_GETARG_INT32(5);
	if (e->max_subjects < 1)
		refuse_argument("subjects", psprintf("%d", e->max_subjects),
						"subjects is the largest number of subjects to evaluate, 1 or more.");
}

/* Keys of two indexes must mean the same. */
static void
check_key_types(const TypedKey *a, const TypedKey *b, const char *what)
{
	if (getBaseType(a->typid) == getBaseType(b->typid) &&
		a->collation == b->collation)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the two indexes have %ss of different types", what),
			 errdetail("They are of type %s and %s.", format_type_be(a->typid),
					   format_type_be(b->typid)),
			 errhint(
				 "Compare with an index whose columns have the same types; a cast in an expression index will do.")));
}

static void
check_times(const Evaluation *e, const SimReader *reader)
{
	if (e->last && !reader->has_time)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("holdout \"last\" needs the times of interactions, which index \"%s\" does not have",
						RelationGetRelationName(reader->index)),
				 errhint(
					 "Create the index with a column of type timestamptz, timestamp or date in INCLUDE, or hold out at random.")));
}

/* Open, draw and train all contenders. */
static void
begin_call(FunctionCallInfo fcinfo, EvaluateCall *call)
{
	Evaluation *e = &call->evaluation;
	Contender *first;
	Contender *other = NULL;

	memset(call, 0, sizeof(*call));
	take_arguments(fcinfo, e);
	first = sim_contender_open(e, arg_source(fcinfo, 0));
	check_times(e, first->reader);
	if (!PG_ARGISNULL(6))
	{
		other = sim_contender_open(e, PG_GETARG_OID(6));
		check_key_types(&first->reader->subject_key,
						&other->reader->subject_key, "subject");
		check_key_types(&first->reader->item_key, &other->reader->item_key,
						"item");
	}
	sim_eval_draw(e, first);
	sim_contender_prepare(first);
	if (other)
		sim_contender_prepare(other);
	call->contenders[call->n++] = first;
	if (other)
		call->contenders[call->n++] = other;
	call->contenders[call->n++] = sim_contender_popularity(first);
	if (e->nsubjects == 0)
		ereport(NOTICE,
				(errmsg("no subject of index \"%s\" has an item to hold out and one that is left",
						RelationGetRelationName(first->reader->index)),
				 errhint("Try another share, or come back with more data.")));
}

static void
end_call(EvaluateCall *call)
{
	int i;

	for (i = 0; i < call->n; i++)
		if (!call->contenders[i]->popularity)
		{
			sim_training_end(&call->contenders[i]->trial.training);
			sim_reader_close(call->contenders[i]->reader);
		}
}

static Datum
contender_name(const Contender *c)
{
	return CStringGetTextDatum(c->popularity ?
								   "popularity" :
								   RelationGetRelationName(c->reader->index));
}

/* A row of evaluate(). */
static void
contender_values(Contender *c, Datum *values, bool *nulls)
{
	uint32 items = sim_exposure_items(c);
	uint32 covered = sim_exposure_covered(c);
	SimMetrics *m = &c->metrics;
	int i;

	sim_metrics_end(m);
	values[0] = contender_name(c);
	values[1] = Float8GetDatum(m->recall);
	values[2] = Float8GetDatum(m->ndcg);
	values[3] = Float8GetDatum(m->hit_rate);
	values[4] = Float8GetDatum(m->mrr);
	values[5] = Float8GetDatum(m->precision);
	values[6] = Float8GetDatum(items > 0 ? (double) covered / items : 0);
	values[7] = Int64GetDatum(covered);
	values[8] = Float8GetDatum(sim_exposure_gini(c));
	values[9] = Float8GetDatum(sim_exposure_novelty(c));
	values[10] = Int64GetDatum(m->subjects);
	values[11] = Int64GetDatum(m->held_out);
	values[12] =
		Float8GetDatum(c->trial.training.all_subjects == 0 ?
						   1 :
						   (double) c->trial.training.histories.nsubjects /
							   c->trial.training.all_subjects);
	nulls[13] = c->popularity;
	if (!c->popularity)
		values[13] =
			DirectFunctionCall1(jsonb_in,
								CStringGetDatum(sim_params_json(&c->params)));
	for (i = 1; m->subjects == 0 && i <= 9; i++)
		nulls[i] = true;
	nulls[8] |= c->places == 0;
	nulls[9] |= c->places == 0;
}

Datum
personalize_evaluate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	EvaluateCall call;
	int i;
	int s;

	begin_call(fcinfo, &call);
	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < call.n; i++)
	{
		Datum values[EVALUATE_COLUMNS] = { 0 };
		bool nulls[EVALUATE_COLUMNS] = { false };

		for (s = 0; s < call.evaluation.nsubjects; s++)
			sim_contender_answer(call.contenders[i], s);
		contender_values(call.contenders[i], values, nulls);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	end_call(&call);
	return (Datum) 0;
}

/* ---- evaluation_lists() ---- */

static Datum
key_text(TypedKey *key, Datum value)
{
	return CStringGetTextDatum(typed_key_text(key, value));
}

static bool
is_answered(const Contender *c, Datum key)
{
	TypedKey *type = &c->reader->item_key;
	int i;

	for (i = 0; i < c->nanswer; i++)
		if (typed_key_equal(type, c->answer[i].key, key))
			return true;
	return false;
}

/* The list of a subject, then what was held out and is not on it. */
static void
return_list(Contender *c, int number, ReturnSetInfo *rsinfo)
{
	const EvalSubject *subject = &c->evaluation->subjects[number];
	TypedKey *item_key = &c->reader->item_key;
	Datum values[LIST_COLUMNS] = { 0 };
	bool nulls[LIST_COLUMNS] = { false };
	int i;

	values[0] = contender_name(c);
	values[1] = key_text(&c->reader->subject_key, subject->key);
	for (i = 0; i < c->nanswer; i++)
	{
		EvalItem *item = &c->answer[i];

		item->key = sim_contender_key(c, item->item);
		values[2] = Int32GetDatum(i + 1);
		values[3] = key_text(item_key, item->key);
		values[4] = Float8GetDatum(item->score);
		values[5] = BoolGetDatum(item->hit);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	nulls[2] = nulls[4] = true;
	values[5] = BoolGetDatum(true);
	for (i = 0; i < (int) subject->nheld; i++)
	{
		if (is_answered(c, subject->held[i]))
			continue;
		values[3] = key_text(item_key, subject->held[i]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

Datum
personalize_evaluation_lists(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	EvaluateCall call;
	MemoryContext context;
	MemoryContext old_context;
	int i;
	int s;

	begin_call(fcinfo, &call);
	InitMaterializedSRF(fcinfo, 0);
	context = AllocSetContextCreate(CurrentMemoryContext, "evaluation list",
									ALLOCSET_DEFAULT_SIZES);
	for (i = 0; i < call.n; i++)
		for (s = 0; s < call.evaluation.nsubjects; s++)
		{
			sim_contender_answer(call.contenders[i], s);
			old_context = MemoryContextSwitchTo(context);
			return_list(call.contenders[i], s, rsinfo);
			MemoryContextSwitchTo(old_context);
			MemoryContextReset(context);
		}
	end_call(&call);
	return (Datum) 0;
}
