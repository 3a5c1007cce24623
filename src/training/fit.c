/*
 * fit.c
 *		The memory that a method takes, and what to do where there is less.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "postmaster/autovacuum.h"
#include "utils/rel.h"

#include "training/methods.h"

/* Fewer factors than these are no low-pass part worth having. */
#define FEWEST_FACTORS 32

/* Pairs of an item that are listed for regressions. */
#define PAIRS_PER_SOURCE 3
#define FEWEST_PAIRS 200

/* Histories, and what a training keeps besides them. */
static Size
basic_memory(SimTraining *training)
{
	SimHistories *h = &training->histories;

	return training->reserved + sim_training_fixed_memory(training->nitems) +
		sim_histories_memory(training, h->nentries, h->nsubjects);
}

static Size
budget_of(SimTraining *training)
{
	Size budget = sim_memory_budget();
	Size used = basic_memory(training);

	return budget > used ? budget - used : 0;
}

Size
sim_memory_left(SimTraining *training)
{
	Size budget = budget_of(training);
	Size used = sim_prepared_memory(training);

	return budget > used ? budget - used : 0;
}

static Size
list_memory(SimTraining *training, int length)
{
	uint32 nitems = training->nitems;

	return (Size) nitems * Min((uint32) length, nitems) *
		SIM_MEMORY_PER_LISTED +
		nitems * sizeof(Size);
}

Size
sim_pairs_memory(SimTraining *training, int length)
{
	return list_memory(training, length) + training->nitems * 2 * sizeof(float);
}

int
sim_ridge_length(SimTraining *training, const SimParams *params)
{
	return Max(params->ridge_sources * PAIRS_PER_SOURCE, FEWEST_PAIRS);
}

/*
 * The lists of all pairs and those of the coefficients, and the latter twice
 * while they are transposed.  Hardly half of them are positive.
 */
static Size
ridge_memory(SimTraining *training, const SimParams *params)
{
	Size pairs = sim_pairs_memory(training, sim_ridge_length(training, params));
	Size coefficients = list_memory(training, params->ridge_sources);
	Size m = params->ridge_sources;

	return Max(pairs + coefficients, 2 * coefficients) +
		training->nitems * (sizeof(double) + sizeof(int32)) +
		2 * m * m * sizeof(double);
}

static Size
method_memory(SimTraining *training, const SimParams *params)
{
	switch (params->method)
	{
		case SIM_METHOD_SHARPENED:
			return list_memory(training, params->two_step_neighbors) +
				training->nitems * SIM_MEMORY_PER_SUM;
		case SIM_METHOD_RIDGE:
			return ridge_memory(training, params) +
				training->nitems * SIM_MEMORY_PER_SUM;
		default:
			return 0;
	}
}

/* What the factors take when they are done. */
static Size
factors_kept(SimTraining *training, int factors)
{
	Size width = TYPEALIGN(16, factors);

	return training->nitems *
		(width * sizeof(float) + 3 * sizeof(uint32) + SIM_MEMORY_PER_SUM) +
		2 * width * width * sizeof(double);
}

/* Factors are made first; then they stay while the method does its part. */
Size
sim_rows_memory(SimTraining *training, const SimParams *params)
{
	Size method = method_memory(training, params);

	if (params->low_pass <= 0)
		return method;
	return Max(sim_factor_memory(training, params->low_pass_factors),
			   factors_kept(training, params->low_pass_factors) + method);
}

bool
sim_params_fit(SimTraining *training, SimParams *params)
{
	Size budget = budget_of(training);
	bool changed = false;

	while (sim_rows_memory(training, params) > budget)
	{
		if (params->low_pass > 0 && params->low_pass_factors > FEWEST_FACTORS)
			params->low_pass_factors =
				Max(FEWEST_FACTORS, params->low_pass_factors - 16);
		else if (params->low_pass > 0)
			params->low_pass = 0;
		else if (params->method != SIM_METHOD_COOCCURRENCE)
			params->method = SIM_METHOD_COOCCURRENCE;
		else
			break;
		changed = true;
	}
	return changed;
}

static const char *
method_name(int method)
{
	return method == SIM_METHOD_RIDGE  ? "ridge" :
		method == SIM_METHOD_SHARPENED ? "sharpened" :
										 "cooccurrence";
}

/* Say once what a training does without. */
void
sim_report_fit(SimTraining *training, const SimParams *wanted,
			   const SimParams *params)
{
	bool worker = is_autovacuum_worker();
	const char *setting = worker && autovacuum_work_mem != -1 ?
		"autovacuum_work_mem" :
		"maintenance_work_mem";
	Size needed = basic_memory(training) + sim_rows_memory(training, wanted);
	char *what;

	if (training->fit_reported)
		return;
	training->fit_reported = true;
	if (params->method != wanted->method)
		what = psprintf("by method \"cooccurrence\" instead of \"%s\"",
						method_name(wanted->method));
	else if (params->low_pass <= 0)
		what = pstrdup("without its low-pass part");
	else
		what = psprintf("with %d instead of %d low-pass factors",
						params->low_pass_factors, wanted->low_pass_factors);
	ereport(worker ? LOG : NOTICE,
			(errmsg("similarity index \"%s\" is trained %s",
					RelationGetRelationName(training->ix->rel), what),
			 errdetail("Training as its parameters say takes %zu MB; %s is %zu MB.",
					   needed / (1024 * 1024) + 1, setting,
					   sim_memory_budget() / (1024 * 1024)),
			 errhint("Increase %s and retrain.", setting)));
}
