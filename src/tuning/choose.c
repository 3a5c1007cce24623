/*
 * choose.c
 *		Choosing the parameters that the user left open.
 *
 * Candidates are tried one after the other, each differing a little from the
 * best so far, in the order that doc/similarity-index.md gives.  What the user
 * has set is the same in all of them.  The best by NDCG on what was held out
 * is the choice; of equal ones the first.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "tuning/chooser.h"

/* Interactions an item from which on regressions are tried. */
#define DENSE 40

/* A method whose first candidate is further behind the best is given up. */
#define PROMISING 0.95

/* No walk along an edge of the grid is longer. */
#define MAX_STEPS 4

static const SimParams *
best_params(const Chooser *c)
{
	return &c->tuning->candidates[c->best].params;
}

static double
tidy(double value)
{
	return rint(value * 1e4) / 1e4;
}

/* ---- trying one ---- */

static bool
is_known(const Chooser *c, const SimParams *params)
{
	uint32 i;

	for (i = 0; i < c->tuning->ncandidates; i++)
		if (sim_params_equal(&c->tuning->candidates[i].params, params))
			return true;
	return false;
}

static SimCandidateParams *
add_candidate(Chooser *c, const SimParams *params)
{
	SimTuning *tuning = c->tuning;
	SimCandidateParams *candidate;

	if (tuning->ncandidates == c->max_candidates)
	{
		c->max_candidates = Max(32, 2 * c->max_candidates);
		tuning->candidates = tuning->candidates == NULL ?
			palloc(c->max_candidates * sizeof(SimCandidateParams)) :
			repalloc(tuning->candidates,
					 c->max_candidates * sizeof(SimCandidateParams));
	}
	candidate = &tuning->candidates[tuning->ncandidates++];
	memset(candidate, 0, sizeof(*candidate));
	candidate->params = *params;
	return candidate;
}

/* Measure a candidate; its lists are gone afterwards. */
static void
measure(Chooser *c, SimCandidateParams *candidate)
{
	double start = sim_cpu_now();
	SimMetrics metrics;
	SimTrialLists lists;

	sim_trial_lists_begin(&lists, c->trial->nsources,
						  candidate->params.neighbors);
	sim_chooser_lists(c, &lists, &candidate->params);
	sim_trial_measure(c->trial, &lists, SIM_TRIAL_K, &metrics);
	sim_trial_lists_end(&lists);
	candidate->ndcg = metrics.ndcg;
	candidate->recall = metrics.recall;
	candidate->hit_rate = metrics.hit_rate;
	candidate->mrr = metrics.mrr;
	candidate->precision = metrics.precision;
	candidate->cpu = sim_cpu_now() - start;
}

/*
 * Try a candidate, unless it has been tried or there is no room or budget for
 * it; cheaper ones may still follow.  Returns whether it is the best now.
 */
static bool
try_params(Chooser *c, const SimParams *wish)
{
	SimParams params = *wish;
	SimCandidateParams *candidate;
	double cost;

	sim_params_set(&params, &c->training->options);
	if (is_known(c, &params))
		return false;

	/* these take counts that are the same both ways */
	if (sim_is_directed(c->training) &&
		(params.method == SIM_METHOD_RIDGE || params.low_pass > 0))
		return false;
	if (!sim_chooser_has_room(c, &params))
	{
		c->no_room++;
		return false;
	}
	cost = sim_chooser_cost(c, &params);
	if (c->spent + cost > c->budget)
	{
		c->too_dear++;
		return false;
	}
	candidate = add_candidate(c, &params);
	candidate->cost = cost / SIM_NOMINAL_RATE;
	c->spent += cost;
	measure(c, candidate);
	sim_phase_done(c->training->clock, c->tuning->ncandidates);
	if (c->tuning->ncandidates > 1 &&
		candidate->ndcg <= c->tuning->candidates[c->best].ndcg)
		return false;
	c->best = c->tuning->ncandidates - 1;
	return true;
}

static bool
try_exponents(Chooser *c, double g, double q, double s)
{
	SimParams params =
		c->tuning->ncandidates > 0 ? *best_params(c) : sim_default_params;

	params.subject_exponent = tidy(g);
	params.popularity_exponent = tidy(q);
	params.sharpness = tidy(s);
	return try_params(c, &params);
}

static void
try_neighbors(Chooser *c, const int *neighbors, int n)
{
	SimParams params = *best_params(c);
	int i;

	for (i = 0; i < n; i++)
	{
		params.neighbors = neighbors[i];
		try_params(c, &params);
	}
}

/* ---- the steps ---- */

/* Step 1: the popularity of the item and sharpness, by a coarse grid. */
static void
choose_coarsely(Chooser *c)
{
	static const double exponents[] = { 0.2, 0.3, 0.4, 0.5 };
	static const double sharpness[] = { 1, 1.5, 2.2, 3.2 };
	double g = sim_default_params.subject_exponent;
	int i;
	int j;

	for (i = 0; i < (int) lengthof(exponents); i++)
		for (j = 0; j < (int) lengthof(sharpness); j++)
			try_exponents(c, g, exponents[i], sharpness[j]);
	if (c->tuning->ncandidates == 0)
		return;

	/* What wins at an edge may win by more beyond it. */
	for (i = 0; i < MAX_STEPS && best_params(c)->popularity_exponent >= 0.5;
		 i++)
		if (!try_exponents(c, g, best_params(c)->popularity_exponent + 0.1,
						   best_params(c)->sharpness))
			break;
	for (i = 0; i < 2 && best_params(c)->popularity_exponent <= 0.2; i++)
		if (!try_exponents(c, g, best_params(c)->popularity_exponent - 0.1,
						   best_params(c)->sharpness))
			break;
	for (i = 0; i < 2 && best_params(c)->sharpness >= 3.2; i++)
		if (!try_exponents(c, g, best_params(c)->popularity_exponent,
						   best_params(c)->sharpness * 1.45))
			break;
}

/* Step 2: how much less a subject with many items counts. */
static void
choose_subject_exponent(Chooser *c)
{
	static const double exponents[] = { 0.25, 0.75 };
	double q = best_params(c)->popularity_exponent;
	double s = best_params(c)->sharpness;
	int i;

	for (i = 0; i < (int) lengthof(exponents); i++)
	{
		try_exponents(c, exponents[i], q, s);
		try_exponents(c, exponents[i], q + 0.1, s);
	}
	for (i = 0; i < MAX_STEPS; i++)
	{
		double g = best_params(c)->subject_exponent;
		double next = g >= 0.75 ? g + 0.25 : g <= 0.25 ? g - 0.25 : g;
		bool better;

		q = best_params(c)->popularity_exponent;
		if (next == g || next < 0 || next > 2)
			break;
		better = try_exponents(c, next, q, s);
		better |= try_exponents(c, next, q + 0.1, s);
		if (!better)
			break;
	}
}

/* Step 3: the length of lists, then all but it in small steps, and again. */
static void
choose_finely(Chooser *c)
{
	static const int lengths[] = { 20, 50, 200 };
	static const int all_lengths[] = { 20, 50, 100, 200 };
	int i;

	try_neighbors(c, lengths, lengthof(lengths));
	for (i = 0; i < 2; i++)
	{
		SimParams at = *best_params(c);

		try_exponents(c, at.subject_exponent,
					  Max(at.popularity_exponent - 0.05, 0), at.sharpness);
		try_exponents(c, at.subject_exponent, at.popularity_exponent + 0.05,
					  at.sharpness);
		at = *best_params(c);
		try_exponents(c, at.subject_exponent, at.popularity_exponent,
					  at.sharpness / 1.2);
		try_exponents(c, at.subject_exponent, at.popularity_exponent,
					  at.sharpness * 1.2);
	}
	try_neighbors(c, all_lengths, lengthof(all_lengths));
}

/* Lists that have room for what the other methods find. */
static void
widen(SimParams *params)
{
	params->neighbors = Max(params->neighbors, SIM_WIDE_LISTS);
}

/* Was it tried, and is it near the best?  Others of its kind may be better. */
static bool
try_promising(Chooser *c, const SimParams *params)
{
	const SimTuning *tuning = c->tuning;
	uint32 before = tuning->ncandidates;

	try_params(c, params);
	return tuning->ncandidates > before &&
		tuning->candidates[before].ndcg >=
		PROMISING * tuning->candidates[c->best].ndcg;
}

/* Step 4: subtracting what two steps explain. */
static void
choose_sharpening(Chooser *c)
{
	SimParams at = *best_params(c);

	at.method = SIM_METHOD_SHARPENED;
	widen(&at);
	at.two_step_popularity_exponent = 0.5;
	at.two_step_sharpness = 1.6;
	at.two_step_neighbors = SIM_USUAL_STEP;
	at.two_step_weight = 0.6;
	if (!try_promising(c, &at))
		return;
	at.two_step_weight = 0.3;
	try_params(c, &at);
	at.two_step_neighbors = 100;
	at.two_step_weight = 0.9;
	try_params(c, &at);
	at.two_step_popularity_exponent = tidy(at.popularity_exponent + 0.2);
	at.two_step_sharpness = at.sharpness;
	at.two_step_neighbors = SIM_USUAL_STEP;
	at.two_step_weight = 0.6;
	try_params(c, &at);
}

/* Step 5: regressions, where items have enough interactions for one. */
static void
choose_ridge(Chooser *c)
{
	static const double penalties[] = { 0.3, 0.1, 1 };
	const SimHistories *h = &c->training->histories;
	SimParams at = sim_default_params;
	uint32 before = c->best;
	int i;

	if (h->nentries < (Size) DENSE * c->training->nitems)
		return;
	at.method = SIM_METHOD_RIDGE;
	at.popularity_exponent = 0.2;
	at.sharpness = 1.3;
	at.ridge_sources = 100;
	for (i = 0; i < (int) lengthof(penalties); i++)
	{
		at.ridge_penalty = penalties[i];
		if (!try_promising(c, &at))
			break;
	}
	if (c->best == before)
		return;
	at = *best_params(c);
	at.popularity_exponent = 0.1;
	try_params(c, &at);
	at.popularity_exponent = 0.3;
	try_params(c, &at);
	at = *best_params(c);
	at.sharpness = 1;
	try_params(c, &at);
	at.sharpness = 1.6;
	try_params(c, &at);
}

/* Step 6: a low-pass part; more of it only where some has helped. */
static void
choose_low_pass(Chooser *c)
{
	static const double weights[] = { 0.4, 0.7, 1 };
	SimParams at = *best_params(c);
	int i;

	widen(&at);
	for (i = 0; i < (int) lengthof(weights); i++)
	{
		at.low_pass = weights[i];
		if (!try_params(c, &at))
			break;
	}
}

/* The procedure. */
static void
choose(Chooser *c)
{
	choose_coarsely(c);
	if (c->tuning->ncandidates == 0)
		return;
	choose_subject_exponent(c);
	choose_finely(c);
	choose_sharpening(c);
	choose_ridge(c);
	choose_low_pass(c);
}

/* Nothing was chosen: the defaults, and why. */
static void
refuse(SimTraining *training, SimTuning *tuning, SimChoiceReason reason)
{
	SimChoice *choice = &tuning->choice;

	choice->reason = reason;
	choice->params = sim_default_params;
	sim_params_set(&choice->params, &training->options);
}

static void
conclude(Chooser *c)
{
	SimChoice *choice = &c->tuning->choice;
	SimCandidateParams *best = &c->tuning->candidates[c->best];

	best->chosen = true;
	choice->reason = SIM_CHOICE_MADE;
	choice->params = best->params;
	choice->ndcg = best->ndcg;
	choice->recall = best->recall;
	choice->subjects = c->trial->nsubjects;
	choice->held_out = c->trial->held_out;
	choice->sampled = c->trial->sampled;
	choice->candidates = c->tuning->ncandidates;
	choice->left_out = c->no_room + c->too_dear;
	choice->cost = c->spent / SIM_NOMINAL_RATE;
}

/*
 * Choose by the histories that training has loaded.  tuning is kept in the
 * current context, all else goes.
 */
void
sim_tune(SimTraining *training, SimTuning *tuning)
{
	SimChoice *choice = &tuning->choice;
	double start = sim_cpu_now();
	MemoryContext result_context = CurrentMemoryContext;
	MemoryContext context;
	SimTrial trial;
	Chooser chooser;

	memset(tuning, 0, sizeof(*tuning));
	choice->seed = training->options.seed;
	choice->fixed = sim_params_fixed(&training->options);
	choice->interactions = training->interactions;
	choice->budget = training->options.tuning_budget;
	choice->sampled = 1;
	choice->pages = InvalidBlockNumber;
	if (training->options.tuning_budget == 0)
	{
		refuse(training, tuning, SIM_CHOICE_NO_BUDGET);
		return;
	}
	context = AllocSetContextCreate(CurrentMemoryContext, "similarity tuning",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	memset(&trial, 0, sizeof(trial));
	sim_holdout_split(&trial, training, SIM_TRIAL_SHARE,
					  training->options.seed);
	choice->subjects = trial.nsubjects;
	choice->held_out = trial.held_out;
	if (!sim_holdout_suffices(&trial))
		refuse(training, tuning, SIM_CHOICE_TOO_LITTLE);
	else
	{
		sim_phase(training->clock, SIM_PHASE_TUNING, 0);
		memset(&chooser, 0, sizeof(chooser));
		chooser.training = training;
		chooser.tuning = tuning;
		chooser.trial = &trial;
		MemoryContextSwitchTo(result_context);
		chooser.max_candidates = 64;
		tuning->candidates =
			palloc(chooser.max_candidates * sizeof(SimCandidateParams));
		MemoryContextSwitchTo(context);
		if (!sim_chooser_begin(&chooser))
			refuse(training, tuning, SIM_CHOICE_NO_MEMORY);
		else
		{
			choose(&chooser);
			if (tuning->ncandidates > 0)
				conclude(&chooser);
			else
				refuse(training, tuning,
					   chooser.too_dear > 0 ? SIM_CHOICE_NO_BUDGET :
											  SIM_CHOICE_NO_MEMORY);
		}
		choice->left_out = chooser.no_room + chooser.too_dear;
		sim_chooser_report(&chooser);
	}
	choice->cpu = sim_cpu_now() - start;
	MemoryContextSwitchTo(result_context);
	MemoryContextDelete(context);
}
