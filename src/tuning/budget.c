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

#include "tuning/chooser.h"

/* Pairs that are kept of each item, and the fewest that make sense. */
#define WIDTH 300
#define LEAST_WIDTH 20

/* What things count as, in additions of a pair. */
#define RESCALE_PAIR 4 /* offering one to a list */
#define SHARPEN_PAIR 8 /* raising one to a power */
#define SCORE_PAIR 1
#define TOUCH_ITEM 2 /* looking at a score once more */

/* Counting for this many exponents of the subject, and this many candidates. */
#define USUAL_COUNTINGS 4
#define USUAL_CANDIDATES 32

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
rescale_cost(const Chooser *c, int neighbors)
{
	double entries = (double) c->trial->nsources * neighbors;

	return (double) c->trial->nsources * c->width * RESCALE_PAIR +
		entries * SHARPEN_PAIR;
}

static double
score_cost(const Chooser *c, int neighbors)
{
	double adds = c->score_work * neighbors;

	return adds * SCORE_PAIR +
		Min(adds,
			(double) c->trial->nsubjects * c->trial->training.nitems) *
		TOUCH_ITEM;
}

/* Does counting the candidate need other counts than those at hand? */
static bool
must_count(const Chooser *c, const SimParams *params)
{
	return c->counted.lengths == NULL ||
		c->counted.subject_exponent != params->subject_exponent;
}

double
sim_chooser_cost(const Chooser *c, const SimParams *params)
{
	double cost =
		rescale_cost(c, params->neighbors) + score_cost(c, params->neighbors);

	if (must_count(c, params))
		cost += c->pair_work;
	return cost;
}

bool
sim_chooser_has_room(const Chooser *c, const SimParams *params)
{
	return params->neighbors <= c->width;
}

void
sim_chooser_lists(Chooser *c, SimLists *lists, const SimParams *params)
{
	if (must_count(c, params))
	{
		if (c->counted.lengths != NULL)
			sim_counted_end(&c->counted);
		sim_count_sources(&c->counted, c->trial, params->subject_exponent,
						  c->width);
	}
	sim_lists_rescale(lists, c->trial, &c->counted, params);
}

/* ---- how much of it is possible ---- */

/* Halve the subjects that train until half the budget is enough for counting. */
static int
level_by_budget(const Chooser *c)
{
	double work = pair_work(&c->training->histories) * USUAL_COUNTINGS;
	uint32 subjects = c->training->histories.nsubjects;
	int level = 0;

	while (work > c->budget / 2 && subjects >> (level + 1) >= 1000)
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
		h->nentries * SIM_MEMORY_PER_ENTRY +
		h->nsubjects * SIM_MEMORY_PER_SUBJECT;
	Size budget = sim_memory_budget();

	return budget > used ? budget - used : 0;
}

/* For histories at a level, and lists and pairs of `width` each. */
static Size
trial_memory(const Chooser *c, int level, int width)
{
	const SimHistories *h = &c->training->histories;

	return (h->nentries >> level) * SIM_MEMORY_PER_ENTRY +
		(h->nsubjects >> level) * SIM_MEMORY_PER_SUBJECT +
		(Size) c->training->nitems *
		(SIM_MEMORY_PER_ITEM + sizeof(double) + sizeof(uint32)) +
		(Size) c->trial->nsources * 2 * width * SIM_LIST_ENTRY;
}

/*
 * Make the trial.  Where memory does not suffice, pairs that are kept go first,
 * down to a third, and then subjects.
 */
bool
sim_chooser_begin(Chooser *c)
{
	int level;

	c->budget = c->training->options.tuning_budget * SIM_NOMINAL_RATE;
	c->room = free_memory(c->training);
	level = level_by_budget(c);
	c->sample_level = level;
	c->trial->training.nitems = c->training->nitems;
	sim_trial_find_sources(c->trial);
	c->width = WIDTH;
	c->needed = trial_memory(c, level, c->width);
	while (trial_memory(c, level, c->width) > c->room)
	{
		if (c->width > WIDTH / 3)
			c->width -= 10;
		else if (c->training->histories.nsubjects >> (level + 1) >= 1000)
			level++;
		else if (c->width > LEAST_WIDTH)
			c->width -= 10;
		else
			return false;
	}
	sim_trial_train(c->trial, c->training, level);
	c->sample_level = level;
	c->pair_work = pair_work(&c->trial->training.histories);
	c->score_work = score_work(c->trial);
	return true;
}

/* Say what was left out for want of memory or budget. */
void
sim_chooser_report(const Chooser *c)
{
	const SimTuning *tuning = c->tuning;
	int level = is_autovacuum_worker() ? LOG : NOTICE;
	const char *index = RelationGetRelationName(c->training->ix->rel);

	if (c->needed > c->room && (c->no_room > 0 || tuning->ncandidates == 0))
		ereport(level,
				(errmsg("the parameters of similarity index \"%s\" are chosen from fewer candidates, because memory does not suffice",
						index),
				 errdetail("Trying all of them takes %zu MB beside the histories; %zu MB are left.",
						   c->needed / (1024 * 1024) + 1,
						   c->room / (1024 * 1024)),
				 errhint("Increase maintenance_work_mem and REINDEX.")));
	if (c->too_dear > 0 || c->sample_level > 0)
		ereport(level,
				(errmsg("the parameters of similarity index \"%s\" are chosen within a tuning_budget of %g s",
						index, tuning->choice.budget),
				 errdetail("The candidates were trained on %.0f %% of the subjects, and %u were left out.",
						   100 * c->trial->sampled, c->too_dear),
				 errhint("Increase tuning_budget and REINDEX.")));
}
