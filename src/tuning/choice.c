/*
 * choice.c
 *		The choice of parameters that an index keeps.
 *
 * What was chosen and why stands in the metapage, the candidates on pages of
 * their own.  Both are published with the model that was trained by them, by
 * one write of the metapage, and stay when that model is replaced.
 */
#include "postgres.h"

#include "tuning/tuning.h"

/* A choice is made anew when there is so much more to choose by. */
#define GROWTH 10

const char *
sim_choice_name(int reason)
{
	switch (reason)
	{
		case SIM_CHOICE_MADE:
			return "choice";
		case SIM_CHOICE_TOO_LITTLE:
			return "defaults: too little data";
		case SIM_CHOICE_OPTIONS:
			return "options";
		case SIM_CHOICE_NO_BUDGET:
			return "defaults: no tuning_budget";
		case SIM_CHOICE_NO_MEMORY:
			return "defaults: too little memory";
		default:
			return "defaults";
	}
}

/* ---- pages ---- */

#define PER_PAGE ((uint32) (SIM_PAGE_SPACE / sizeof(SimCandidateParams)))

/* Write candidates; the first page leads to the others. */
static void
write_candidates(SimTraining *training, const SimTuning *tuning,
				 SimChoice *choice)
{
	uint32 first = (tuning->ncandidates + PER_PAGE - 1) / PER_PAGE * PER_PAGE;

	choice->generation = training->generation;
	choice->pages = InvalidBlockNumber;
	while (first > 0)
	{
		uint32 n;
		Buffer buffer = sim_new_buffer(training->ix);
		SimWrite write;
		Page page;

		first -= PER_PAGE;
		n = Min(PER_PAGE, tuning->ncandidates - first);
		sim_write_begin(&write, training->ix);
		page = sim_write_new_page(&write, buffer, SIM_PAGE_CHOICE,
								  training->generation);
		SimPageGetOpaque(page)->next = choice->pages;
		memcpy(sim_page_array(page), tuning->candidates + first,
			   n * sizeof(SimCandidateParams));
		sim_page_set_count(page, n, sizeof(SimCandidateParams));
		sim_write_end(&write);
		choice->pages = BufferGetBlockNumber(buffer);
		UnlockReleaseBuffer(buffer);
	}
}

/*
 * The candidates of a choice, as long as it stands: a training that chooses
 * anew gives the pages back, and then there are fewer, or none.
 */
SimCandidateParams *
sim_read_candidates(SimIndex *ix, const SimChoice *choice, uint32 *n)
{
	SimCandidateParams *candidates =
		palloc0((choice->candidates + 1) * sizeof(SimCandidateParams));
	BlockNumber block = choice->pages;

	*n = 0;
	while (block != InvalidBlockNumber)
	{
		Buffer buffer;
		Page page;
		uint32 count;

		CHECK_FOR_INTERRUPTS();
		buffer = sim_read(ix, block, BUFFER_LOCK_SHARE);
		page = BufferGetPage(buffer);
		block = InvalidBlockNumber;
		if (sim_page_is(page, SIM_PAGE_CHOICE) &&
			SimPageGetOpaque(page)->generation == choice->generation)
		{
			count = sim_page_count(page, sizeof(SimCandidateParams));
			count = Min(count, choice->candidates - *n);
			memcpy(candidates + *n, sim_page_array(page),
				   count * sizeof(SimCandidateParams));
			*n += count;
			block = SimPageGetOpaque(page)->next;
		}
		UnlockReleaseBuffer(buffer);
	}
	return candidates;
}

/* ---- keeping it ---- */

/* Does what was chosen before still stand? */
static bool
still_stands(const SimTraining *training, const SimChoice *old)
{
	const SimOptions *options = &training->options;
	SimParams params = old->params;

	if (old->reason != SIM_CHOICE_MADE)
		return false;
	sim_params_set(&params, options);

	/* it may have been made without a direction */
	if (sim_is_directed(training) &&
		(params.method == SIM_METHOD_RIDGE || params.low_pass > 0))
		return false;
	if (sim_params_all_fixed(&params, options))
		return sim_params_equal(&params, &old->params);
	return options->tuning_budget > 0 &&
		(old->fixed & ~sim_params_fixed(options)) == 0 &&
		training->interactions < GROWTH * old->interactions;
}

static void
set_by_options(SimTraining *training, SimTuning *tuning)
{
	memset(tuning, 0, sizeof(*tuning));
	tuning->choice.reason = SIM_CHOICE_OPTIONS;
	tuning->choice.params = training->params;
	tuning->choice.interactions = training->interactions;
	tuning->choice.sampled = 1;
}

/*
 * Set the training's parameters: by what tune() gives, by the choice that the
 * index has, or by a new one.  *choice is what the index keeps of it.
 */
void
sim_choose_params(SimTraining *training, const SimTuning *given,
				  SimChoice *choice)
{
	SimTuning tuning;
	SimMeta meta;

	sim_read_meta(training->ix, &meta);
	if (given == NULL && still_stands(training, &meta.choice))
		*choice = meta.choice;
	else
	{
		if (given == NULL)
		{
			if (sim_params_all_fixed(&training->params, &training->options))
				set_by_options(training, &tuning);
			else
				sim_tune(training, &tuning);
			given = &tuning;
		}
		*choice = given->choice;
		write_candidates(training, given, choice);
	}
	training->params = choice->params;
	sim_params_set(&training->params, &training->options);
}
