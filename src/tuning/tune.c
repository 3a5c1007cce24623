/*
 * tune.c
 *		tune(): the choice of parameters on demand.
 *
 * It makes the choice that a training would make, whatever was chosen before,
 * and shows it.  With apply it also sets the storage parameters and trains by
 * them.  Without, it writes nothing and runs on a standby.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common/args.h"
#include "tuning/tuning.h"

#define TUNE_COLUMNS (SIM_CANDIDATE_COLUMNS + 1)

/* For an index that is told not to choose, when it is asked to all the same. */
#define USUAL_BUDGET 60
#define MAX_BUDGET 86400

PG_FUNCTION_INFO_V1(personalize_tune);

typedef struct TuneCall
{
	Oid source;
	bool apply;
	bool anew;	   /* choose what is set, too */
	double budget; /* seconds, or 0 for the index's own */
} TuneCall;

static void
take_arguments(FunctionCallInfo fcinfo, TuneCall *call)
{
	call->source = arg_source(fcinfo, 0);
	call->apply = arg_bool(fcinfo, 1, false);
	call->budget = 0;
	if (!PG_ARGISNULL(2))
	{
		call->budget = PG_GETARG_FLOAT8(2);
		if (!(call->budget > 0 && call->budget <= MAX_BUDGET))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("budget must be above 0 and at most %d",
							MAX_BUDGET),
					 errdetail("budget is %g.", call->budget),
					 errhint(
						 "Leave it NULL for the index's tuning_budget, which is in seconds as well.")));
	}
	call->anew = arg_bool(fcinfo, 3, false);
	if (!call->apply)
		return;
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recovery is in progress"),
				 errhint(
					 "tune() can only be applied on the primary; without apply it works here.")));
	PreventCommandIfReadOnly("tune(apply => true)");
}

/* Leave open what the user has set of the formula. */
static void
forget_options(SimOptions *options)
{
	SimOptions open = *sim_default_options();

	open.history = options->history;
	open.min_support = options->min_support;
	open.retrain_after = options->retrain_after;
	open.tuning_budget = options->tuning_budget;
	open.seed = options->seed;
	open.direction = options->direction;
	open.forward_window = options->forward_window;
	open.forward_decay = options->forward_decay;
	open.backward_weight = options->backward_weight;
	open.postings = options->postings;
	open.strength_scale = options->strength_scale;
	open.training_strength = options->training_strength;
	*options = open;
}

/* Make the choice; it is kept in the current context. */
static void
choose(const TuneCall *call, SimIndex *ix, SimTuning *tuning)
{
	MemoryContext old_context;
	SimTraining training;
	SimClock clock;

	memset(&clock, 0, sizeof(clock));
	sim_training_begin(&training, ix, false, &clock);
	training.unlocked = !call->apply;
	if (call->anew)
		forget_options(&training.options);
	if (call->budget > 0)
		training.options.tuning_budget = call->budget;
	else if (training.options.tuning_budget == 0)
		training.options.tuning_budget = USUAL_BUDGET;
	old_context = MemoryContextSwitchTo(training.context);
	sim_training_load_items(&training);
	sim_training_load_histories(&training);
	MemoryContextSwitchTo(old_context);
	sim_tune(&training, tuning);
	sim_training_end(&training);
}

static void
report_reason(Relation index, const SimChoice *choice)
{
	if (choice->reason == SIM_CHOICE_TOO_LITTLE)
		ereport(NOTICE,
				(errmsg("similarity index \"%s\" has too little data to choose parameters by",
						RelationGetRelationName(index)),
				 errdetail("Of %u subjects " UINT64_FORMAT
						   " interactions can be held out; it takes %d and %d.",
						   choice->subjects, choice->held_out,
						   SIM_TRIAL_MIN_SUBJECTS, SIM_TRIAL_MIN_HELD_OUT),
				 errhint(
					 "The defaults, or the parameters that are set, hold until there is more.")));
	else if (choice->reason == SIM_CHOICE_NO_BUDGET)
		ereport(NOTICE,
				(errmsg("a budget of %g s does not suffice for one candidate",
						choice->budget),
				 errhint("Pass a larger budget.")));
	else if (choice->reason == SIM_CHOICE_NO_MEMORY)
		ereport(NOTICE,
				(errmsg("the memory does not suffice for one candidate"),
				 errhint("Increase maintenance_work_mem.")));
}

static char *
alter_command(Relation index, const SimParams *params)
{
	char *name = quote_qualified_identifier(get_namespace_name(
												RelationGetNamespace(index)),
											RelationGetRelationName(index));

	return psprintf("ALTER INDEX %s SET (%s)", name,
					sim_params_options(params));
}

/* Set the storage parameters; nobody has the index open, its lock is kept. */
static void
set_parameters(const char *command)
{
	int result;

	SPI_connect();
	result = SPI_execute(command, false, 0);
	if (result != SPI_OK_UTILITY)
		elog(ERROR, "%s returned %s", command, SPI_result_code_string(result));
	SPI_finish();
}

static void
train_by(Oid index_oid, const SimTuning *tuning)
{
	Relation index = index_open(index_oid, RowExclusiveLock);
	SimIndex ix;
	SimClock clock;

	memset(&clock, 0, sizeof(clock));
	sim_index_open(&ix, index);
	sim_train_given(&ix, false, &clock, tuning);
	ForceSyncCommit();
	index_close(index, NoLock);
}

static void
return_candidates(FunctionCallInfo fcinfo, Relation index,
				  const SimTuning *tuning)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	uint32 i;

	for (i = 0; i < tuning->ncandidates; i++)
	{
		Datum values[TUNE_COLUMNS];
		bool nulls[TUNE_COLUMNS] = { false };

		sim_candidate_values(i + 1, &tuning->candidates[i], values);
		values[SIM_CANDIDATE_COLUMNS] = CStringGetTextDatum(
			alter_command(index, &tuning->candidates[i].params));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

Datum
personalize_tune(PG_FUNCTION_ARGS)
{
	TuneCall call;
	Relation heap;
	Relation index;
	Oid index_oid;
	SimIndex ix;
	SimTuning tuning;
	char *command = NULL;

	take_arguments(fcinfo, &call);
	sim_check_owner(sim_source_table(call.source));
	index_oid = sim_source_index(call.source,
								 call.apply ? ShareUpdateExclusiveLock :
											  AccessShareLock,
								 &heap);
	sim_check_owner(RelationGetRelid(heap));
	index =
		index_open(index_oid, call.apply ? RowExclusiveLock : AccessShareLock);
	sim_check_state(heap, index);
	sim_index_open(&ix, index);
	InitMaterializedSRF(fcinfo, 0);
	choose(&call, &ix, &tuning);
	report_reason(index, &tuning.choice);
	return_candidates(fcinfo, index, &tuning);
	if (call.apply && tuning.choice.reason == SIM_CHOICE_MADE)
		command = alter_command(index, &tuning.choice.params);
	index_close(index, NoLock);
	if (command != NULL)
	{
		set_parameters(command);
		train_by(index_oid, &tuning);
	}
	relation_close(heap, NoLock);
	return (Datum) 0;
}
