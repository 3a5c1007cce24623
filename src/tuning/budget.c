/*
 * budget.c
 *		What a choice of parameters may cost, in time and memory.
 *
 * Time is counted in operations, never taken from the clock: nodes that see
 * the same rows must try the same candidates.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "training/methods.h"
#include "tuning/chooser.h"

/* Pairs that are kept of each item, and the fewest that make sense. */
#define WIDTH 300
#define USUAL_WIDTH 100
#define LEAST_WIDTH 20

/* Fewer subjects are not asked, and fewer do not train a trial. */
#define FEWEST_SUBJECTS 500
#define FEWEST_TRAINED 1000

/* What things count as, in additions of a pair. */
#define KEEP_PAIR 40 /* finding one of the best among all */
#define SORT_PAIR 6	 /* putting one of these into another order */
#define LIST_PAIR 4	 /* raising one to a power */
#define SCORE_PAIR 1
#define TOUCH_ITEM 0.5 /* looking at a score once more */
#define STEP_PAIR 3	   /* adding one of a second step */
#define REGRESS_PAIR 4 /* looking one up for a regression */
#define FLOPS 10	   /* of dense loops, in the time of an addition */

/* What the low-pass part does. */
#define FACTOR_OVER 16
#define FACTOR_APPLICATIONS 4
#define SCALE_ROWS 2048

/* Counting is done for this many exponents of the subject. */
#define USUAL_COUNTINGS 4

/* Squares of the lengths of histories: additions that all pairs take. */
static double
pair_work(const SimHistories *h)
{
	double work = 0;
	uint32 i;

	for (i = 0; i < h->nsubjects; i++)
	{
		double n = h->starts[i + 1] - h->starts[i];

		work += n * n;
	}
	return work;
}

static double
score_work(const SimTrial *trial)
{
	double work = 0;
	uint32 i;

	for (i = 0; i < trial->nsubjects; i++)
		work += trial->subjects[i].n;
	return work;
}

static double
score_cost(const Chooser *c, int neighbors)
{
	double adds = c->score_work * neighbors;

	return adds * SCORE_PAIR +
		Min(adds, (double) c->trial->nsubjects * c->trial->training.nitems) *
		TOUCH_ITEM;
}

/* Is it made by counting and rescaling alone? */
static bool
is_plain(const SimParams *params)
{
	return params->method == SIM_METHOD_COOCCURRENCE && params->low_pass <= 0;
}

/* Does a plain candidate need other counts than those at hand? */
static bool
must_count(const Chooser *c, const SimParams *params)
{
	return c->counted.lengths == NULL ||
		c->counted.subject_exponent != params->subject_exponent;
}

static double
plain_cost(const Chooser *c, const SimParams *params)
{
	double pairs = (double) c->trial->nsources * c->width;
	double cost = (double) c->trial->nsources * params->neighbors * LIST_PAIR;

	if (must_count(c, params))
		cost += c->pair_work + pairs * KEEP_PAIR;
	if (must_count(c, params) ||
		c->counted.sorted_by != params->popularity_exponent)
		cost += pairs * SORT_PAIR;
	return cost;
}

/* ---- the other methods: what they prepare, and their rows ---- */

static bool
must_pair(const Chooser *c, const SimParams *params)
{
	return !c->has_pairs ||
		c->made.subject_exponent != params->subject_exponent;
}

static bool
must_step(const Chooser *c, const SimParams *params)
{
	return params->method == SIM_METHOD_SHARPENED &&
		(!c->has_second ||
		 c->made.subject_exponent != params->subject_exponent ||
		 c->made.two_step_popularity_exponent !=
			 params->two_step_popularity_exponent ||
		 c->made.two_step_sharpness != params->two_step_sharpness ||
		 c->made.two_step_neighbors != params->two_step_neighbors);
}

static bool
must_factor(const Chooser *c, const SimParams *params)
{
	return params->low_pass > 0 &&
		(!c->has_factors ||
		 c->made.low_pass_factors != params->low_pass_factors ||
		 c->made.low_pass_subject_exponent !=
			 params->low_pass_subject_exponent ||
		 c->made.low_pass_item_exponent != params->low_pass_item_exponent);
}

static bool
must_regress(const Chooser *c, const SimParams *params)
{
	return params->method == SIM_METHOD_RIDGE &&
		(!c->has_regressions ||
		 c->made.subject_exponent != params->subject_exponent ||
		 c->made.ridge_penalty != params->ridge_penalty ||
		 c->made.ridge_sources != params->ridge_sources);
}

static double
prepare_cost(const Chooser *c, const SimParams *params)
{
	double nitems = c->trial->training.nitems;
	double entries = c->trial->training.histories.nentries;
	double columns = params->low_pass_factors + FACTOR_OVER;
	double m = params->ridge_sources;
	double cost = 0;

	if (must_pair(c, params))
		cost += c->pair_work + nitems * c->width * KEEP_PAIR;
	if (must_step(c, params))
		cost += nitems *
			((double) c->width * SORT_PAIR +
			 (double) params->two_step_neighbors * LIST_PAIR);
	if (must_factor(c, params))
		cost += (entries * columns * FACTOR_APPLICATIONS * 2 +
				 nitems * columns * columns * FACTOR_APPLICATIONS) /
			FLOPS;
	if (must_regress(c, params))
		cost += nitems * (m * m * m / 6 / FLOPS + m * m * REGRESS_PAIR);
	return cost;
}

static double
rows_cost(const Chooser *c, const SimParams *params)
{
	double rows = c->trial->nsources;
	double k = params->neighbors;
	double cost = c->width * SORT_PAIR + k * LIST_PAIR;

	if (params->method == SIM_METHOD_SHARPENED)
		cost += k * params->two_step_neighbors * STEP_PAIR;
	if (params->low_pass > 0)
	{
		cost += (double) SIM_LOW_PASS_CANDIDATES(params->neighbors) *
			params->low_pass_factors / FLOPS;
		rows += SCALE_ROWS;
	}
	return rows * cost;
}

/* What a candidate costs, given what is at hand. */
double
sim_chooser_cost(const Chooser *c, const SimParams *params)
{
	double cost = score_cost(c, params->neighbors);

	if (is_plain(params))
		return cost + plain_cost(c, params);
	return cost + prepare_cost(c, params) + rows_cost(c, params);
}

bool
sim_chooser_has_room(Chooser *c, const SimParams *params)
{
	SimParams fit = *params;
	SimTraining *training = &c->trial->training;

	if (is_plain(params))
		return params->neighbors <= c->width;

	/* Counted pairs are given back first; the others are counted with them. */
	training->reserved = sim_memory_budget() - c->room +
		c->trial->nsources * params->neighbors * SIM_LIST_ENTRY;
	return !sim_params_fit(training, &fit);
}

static void
note_made(Chooser *c, const SimParams *params)
{
	if (must_pair(c, params))
	{
		c->has_second = false;
		c->has_regressions = false;
	}
	c->has_second |= params->method == SIM_METHOD_SHARPENED;
	c->has_factors |= params->low_pass > 0;
	c->has_regressions |= params->method == SIM_METHOD_RIDGE;
	c->has_pairs = true;
	c->made = *params;
}

/* Pairs for all methods, of the length that memory allows; or none. */
static void
make_pairs(Chooser *c, const SimParams *params)
{
	SimTraining *training = &c->trial->training;
	Size needed = sim_rows_memory(training, params);
	Size left = sim_memory_left(training);
	int length = c->width;

	while (length > LEAST_WIDTH &&
		   sim_pairs_memory(training, length) + needed > left)
		length -= 10;
	(void) sim_prepare_pairs(training, params->subject_exponent, length);
}

/* Make a candidate's lists. */
void
sim_chooser_lists(Chooser *c, SimTrialLists *lists, const SimParams *params)
{
	bool plain = is_plain(params);

	if (c->counted.lengths != NULL && (!plain || must_count(c, params)))
		sim_counted_end(&c->counted);
	if (!plain)
	{
		if (must_pair(c, params))
			make_pairs(c, params);
		sim_trial_lists_compute(lists, c->trial, params);
		note_made(c, params);
		return;
	}
	if (c->has_pairs)
		sim_prepared_forget(&c->trial->training);
	c->has_pairs = c->has_second = c->has_factors = c->has_regressions = false;
	if (must_count(c, params))
		sim_count_sources(&c->counted, c->trial, params->subject_exponent,
						  c->width);
	sim_trial_lists_rescale(lists, c->trial, &c->counted, params);
}

/* ---- how much of it is possible ---- */

/* Halve the subjects that train until half the budget is enough for counting. */
static int
level_by_budget(const Chooser *c)
{
	double work = pair_work(&c->training->histories) * USUAL_COUNTINGS;
	uint32 subjects = c->training->histories.nsubjects;
	int level = 0;

	while (work > c->budget / 2 && subjects >> (level + 1) >= FEWEST_TRAINED)
	{
		work /= 2;
		level++;
	}
	return level;
}

/* What is left of the memory when the histories are there. */
static Size
free_memory(const SimTraining *training)
{
	const SimHistories *h = &training->histories;
	Size used = sim_training_fixed_memory(training->nitems) +
		sim_histories_memory(training, h->nentries, h->nsubjects);
	Size budget = sim_memory_budget();

	return budget > used ? budget - used : 0;
}

/* For histories at a level, and what every trial keeps. */
static Size
basic_memory(const Chooser *c, int level)
{
	const SimHistories *h = &c->training->histories;

	return sim_histories_memory(c->training, h->nentries >> level,
								h->nsubjects >> level) +
		(Size) c->training->nitems *
		(SIM_MEMORY_PER_ITEM + sizeof(double) + sizeof(uint32));
}

/* For candidates of co-occurrence: counts, and lists of that length. */
static Size
plain_memory(const Chooser *c, int level, int width)
{
	return basic_memory(c, level) +
		(Size) c->trial->nsources * width *
		(2 * SIM_LIST_ENTRY + sizeof(float));
}

/* For candidates of the other methods, the low-pass part apart. */
static Size
other_memory(const Chooser *c, int level)
{
	return basic_memory(c, level) +
		(Size) c->trial->nsources * SIM_WIDE_LISTS * SIM_LIST_ENTRY +
		(Size) c->training->nitems *
		(SIM_USUAL_STEP * SIM_LIST_ENTRY + SIM_MEMORY_PER_SUM);
}

/* Ask fewer subjects, the first of them. */
static void
cut_subjects(Chooser *c)
{
	SimTrial *trial = c->trial;
	uint32 i;

	trial->nsubjects = Max(FEWEST_SUBJECTS, trial->nsubjects * 3 / 4);
	trial->held_out = 0;
	for (i = 0; i < trial->nsubjects; i++)
		trial->held_out += trial->subjects[i].nheld;
	pfree(trial->place);
	pfree(trial->sources);
	sim_trial_find_sources(trial);
}

/*
 * Make the trial.  Where memory does not suffice fewer subjects are asked,
 * then less pairs are kept, and in the end fewer subjects train: that comes
 * last, because it makes the data sparser than they are.
 */
bool
sim_chooser_begin(Chooser *c)
{
	SimTrial *trial = c->trial;
	uint32 subjects = c->training->histories.nsubjects;
	SimParams set = sim_default_params;
	int width;
	int level;

	sim_params_set(&set, &c->training->options);
	width = Max(WIDTH, set.neighbors);

	c->budget = c->training->options.tuning_budget * SIM_NOMINAL_RATE;
	c->room = free_memory(c->training);
	level = level_by_budget(c);
	trial->training.nitems = c->training->nitems;
	sim_trial_find_sources(trial);
	c->needed = Max(plain_memory(c, level, width), other_memory(c, level));
	while (trial->nsubjects > FEWEST_SUBJECTS &&
		   Max(plain_memory(c, level, USUAL_WIDTH), other_memory(c, level)) >
			   c->room)
		cut_subjects(c);
	while (plain_memory(c, level, LEAST_WIDTH) > c->room)
		if (subjects >> ++level < FEWEST_TRAINED)
			return false;
	c->width = width;
	while (plain_memory(c, level, c->width) > c->room)
		c->width -= 10;
	sim_trial_train(trial, c->training, level);
	c->pair_work = pair_work(&trial->training.histories);
	c->score_work = score_work(trial);
	return true;
}

/* Say what was left out for want of memory or budget. */
void
sim_chooser_report(const Chooser *c)
{
	const SimTuning *tuning = c->tuning;
	int level = is_autovacuum_worker() ? LOG : NOTICE;
	const char *index = RelationGetRelationName(c->training->ix->rel);

	if (c->no_room > 0 || tuning->choice.reason == SIM_CHOICE_NO_MEMORY)
		ereport(level,
				(errmsg("the parameters of similarity index \"%s\" are chosen from fewer candidates, because memory does not suffice",
						index),
				 errdetail("Trying all of them takes %zu MB beside the histories; %zu MB are left.",
						   c->needed / (1024 * 1024) + 1,
						   c->room / (1024 * 1024)),
				 errhint("Increase maintenance_work_mem and REINDEX.")));
	if (c->too_dear > 0)
		ereport(level,
				(errmsg("the parameters of similarity index \"%s\" are chosen within a tuning_budget of %g s",
						index, tuning->choice.budget),
				 errdetail("The candidates were trained on %.0f %% of the subjects, and %u were left out.",
						   100 * c->trial->sampled, c->too_dear),
				 errhint(
					 "Increase tuning_budget and REINDEX, or pass tune() a larger budget.")));
}
