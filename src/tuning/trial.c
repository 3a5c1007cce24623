/*
 * trial.c
 *		Lists in memory, and the answers they give.
 */
#include "postgres.h"

#include "utils/float.h"
#include "utils/memutils.h"

#include "tuning/tuning.h"

/* ---- lists of the items that a trial needs ---- */

void
sim_trial_lists_begin(SimTrialLists *lists, uint32 nsources, int width)
{
	Size room = (Size) nsources * width + 1;

	lists->width = width;
	lists->lengths = MemoryContextAllocHuge(CurrentMemoryContext,
											(nsources + 1) * sizeof(int));
	lists->items =
		MemoryContextAllocHuge(CurrentMemoryContext, room * sizeof(uint32));
	lists->weights =
		MemoryContextAllocHuge(CurrentMemoryContext, room * sizeof(float));
}

void
sim_trial_lists_end(SimTrialLists *lists)
{
	pfree(lists->lengths);
	pfree(lists->items);
	pfree(lists->weights);
}

/* Fill the lists as a training would make them. */
void
sim_trial_lists_compute(SimTrialLists *lists, SimTrial *trial,
						const SimParams *params)
{
	SimRows *rows = sim_rows_begin(&trial->training, params);
	uint32 i;

	for (i = 0; i < trial->nsources; i++)
	{
		const SimRow *row;

		sim_training_pause(&trial->training);
		row = sim_rows_read(rows, trial->sources[i]);
		Assert(row->n <= lists->width);
		lists->lengths[i] = row->n;
		memcpy(lists->items + (Size) i * lists->width, row->items,
			   row->n * sizeof(uint32));
		memcpy(lists->weights + (Size) i * lists->width, row->weights,
			   row->n * sizeof(float));
	}
	sim_rows_end(rows);
}

/* ---- answers ---- */

void
sim_scorer_begin(SimScorer *scorer, const SimTrial *trial, int k)
{
	Size nitems = (Size) trial->training.nitems + 1;

	memset(scorer, 0, sizeof(*scorer));
	scorer->trial = trial;
	scorer->scores =
		MemoryContextAllocExtended(CurrentMemoryContext,
								   nitems * sizeof(double),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	scorer->touched =
		MemoryContextAllocExtended(CurrentMemoryContext, nitems,
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	scorer->items =
		MemoryContextAllocHuge(CurrentMemoryContext, nitems * sizeof(uint32));
	sim_nearest_begin(&scorer->best, k);
}

void
sim_scorer_end(SimScorer *scorer)
{
	pfree(scorer->scores);
	pfree(scorer->touched);
	pfree(scorer->items);
	pfree(scorer->best.heap);
}

/* What the subject has is not to be recommended, whatever is added to it. */
static void
exclude(SimScorer *scorer, const uint32 *items, uint32 n)
{
	uint32 i;

	for (i = 0; i < n; i++)
	{
		if (!scorer->touched[items[i]])
			scorer->items[scorer->n++] = items[i];
		scorer->touched[items[i]] = true;
		scorer->scores[items[i]] = -get_float8_infinity();
	}
}

static void
add_list(SimScorer *scorer, const uint32 *items, const float *weights, int n,
		 double weight)
{
	double *scores = scorer->scores;
	char *touched = scorer->touched;
	uint32 *list = scorer->items;
	uint32 end = scorer->n;
	int i;

	for (i = 0; i < n; i++)
	{
		uint32 item = items[i];

		list[end] = item;
		end += !touched[item];
		touched[item] = true;
		scores[item] += weight * weights[i];
	}
	scorer->n = end;
}

/* Offer what has a score. */
static void
find_best(SimScorer *scorer)
{
	SimNearest *best = &scorer->best;
	uint32 i;

	best->n = 0;
	for (i = 0; i < scorer->n; i++)
	{
		uint32 item = scorer->items[i];
		SimCandidate candidate;

		candidate.value = scorer->scores[item];
		if (candidate.value <= 0 || !sim_nearest_wants(best, candidate.value))
			continue;
		candidate.hash = scorer->trial->training.item_hashes[item];
		candidate.item = item;
		candidate.support = 0;
		sim_nearest_offer(best, &candidate);
	}
}

/* All that reach the last of the best, in no order. */
static void
find_ties(SimScorer *scorer)
{
	const SimNearest *best = &scorer->best;
	double least = best->n == best->k ? best->heap[0].value : 0;
	uint32 i;

	scorer->nties = 0;
	for (i = 0; i < scorer->n; i++)
	{
		uint32 item = scorer->items[i];
		double value = scorer->scores[item];

		if (value <= 0 || value < least)
			continue;
		if (scorer->nties == scorer->max_ties)
		{
			scorer->max_ties = Max(1024, 2 * scorer->max_ties);
			scorer->ties = scorer->ties == NULL ?
				palloc(scorer->max_ties * sizeof(SimCandidate)) :
				repalloc_huge(scorer->ties,
							  scorer->max_ties * sizeof(SimCandidate));
		}
		scorer->ties[scorer->nties].item = item;
		scorer->ties[scorer->nties++].value = value;
	}
}

static void
clear_scores(SimScorer *scorer)
{
	uint32 i;

	for (i = 0; i < scorer->n; i++)
	{
		scorer->scores[scorer->items[i]] = 0;
		scorer->touched[scorer->items[i]] = false;
	}
	scorer->n = 0;
}

static void
add_lists(SimScorer *scorer, const SimTrialLists *lists,
		  const SimTrialSubject *subject)
{
	uint32 i;

	exclude(scorer, subject->items, subject->n);
	exclude(scorer, subject->seen, subject->nseen);
	for (i = 0; i < subject->n; i++)
	{
		Size place = scorer->trial->place[subject->items[i]];
		Size start = place * lists->width;

		add_list(scorer, lists->items + start, lists->weights + start,
				 lists->lengths[place],
				 subject->weights ? subject->weights[i] : 1);
	}
}

/* The answer for a subject, in scorer->best until the next one. */
void
sim_score(SimScorer *scorer, const SimTrialLists *lists,
		  const SimTrialSubject *subject)
{
	add_lists(scorer, lists, subject);
	find_best(scorer);
	clear_scores(scorer);
	sim_nearest_sort(&scorer->best);
}

/* The same with all that tie with the last, in scorer->ties. */
void
sim_score_with_ties(SimScorer *scorer, const SimTrialLists *lists,
					const SimTrialSubject *subject)
{
	add_lists(scorer, lists, subject);
	find_best(scorer);
	find_ties(scorer);
	clear_scores(scorer);
}
