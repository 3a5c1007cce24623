/*
 * counted.c
 *		One counting of pairs for many candidates.
 *
 * Candidates that share the subject's exponent share the counts: what else
 * they differ in is a rescaling of the pairs that lead, which costs a tenth.
 * The leaders are those by a middling exponent of popularity, some more than
 * any list is long; a candidate of another exponent may miss a neighbour that
 * stands at the end of its lists.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "tuning/tuning.h"

#define MIDDLING_EXPONENT 0.35

static double *
make_damping(const SimTraining *training, double exponent)
{
	uint32 nitems = training->nitems;
	double *damping = MemoryContextAllocHuge(CurrentMemoryContext,
											 (nitems + 1) * sizeof(double));
	uint32 i;

	for (i = 0; i < nitems; i++)
		damping[i] = pow(Max(training->histories.degrees[i], 1), -exponent);
	return damping;
}

/* Offer all pairs of a source. */
static void
offer_pairs(SimNearest *nearest, const SimPairs *pairs, uint32 source,
			const double *damping)
{
	const SimTraining *training = pairs->training;
	uint32 i;

	nearest->n = 0;
	for (i = 0; i < pairs->n; i++)
	{
		uint32 item = pairs->items[i];
		const SimTally *tally = &pairs->tally[item];
		SimCandidate candidate;

		candidate.value = (double) tally->weight * damping[item];
		if (!sim_nearest_wants(nearest, candidate.value) || item == source ||
			tally->n < training->options.min_support)
			continue;
		candidate.hash = training->item_hashes[item];
		candidate.item = item;
		candidate.support = 0;
		sim_nearest_offer(nearest, &candidate);
	}
}

/* Count the pairs of the trial's sources, and keep `width` of each. */
void
sim_count_sources(SimCounted *counted, SimTrial *trial, double subject_exponent,
				  int width)
{
	SimTraining *training = &trial->training;
	double *damping = make_damping(training, MIDDLING_EXPONENT);
	Size room = (Size) trial->nsources * width + 1;
	SimNearest nearest;
	SimPairs pairs;
	uint32 i;
	int j;

	counted->subject_exponent = subject_exponent;
	counted->width = width;
	counted->lengths =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   (trial->nsources + 1) * sizeof(int));
	counted->items =
		MemoryContextAllocHuge(CurrentMemoryContext, room * sizeof(uint32));
	counted->counts =
		MemoryContextAllocHuge(CurrentMemoryContext, room * sizeof(float));
	sim_pairs_begin(&pairs, training, subject_exponent);
	sim_nearest_begin(&nearest, width);
	for (i = 0; i < trial->nsources; i++)
	{
		Size start = (Size) i * width;

		sim_training_pause(training);
		sim_pairs_count(&pairs, trial->sources[i]);
		offer_pairs(&nearest, &pairs, trial->sources[i], damping);
		sim_nearest_sort(&nearest);
		for (j = 0; j < nearest.n; j++)
		{
			uint32 item = nearest.heap[j].item;

			counted->items[start + j] = item;
			counted->counts[start + j] =
				(float) ((double) pairs.tally[item].weight * pairs.unit);
		}
		counted->lengths[i] = nearest.n;
		sim_pairs_clear(&pairs);
	}
	sim_pairs_end(&pairs);
	pfree(nearest.heap);
	pfree(damping);
}

void
sim_counted_end(SimCounted *counted)
{
	pfree(counted->lengths);
	pfree(counted->items);
	pfree(counted->counts);
	counted->lengths = NULL;
}

/* Sharpen and normalise the best of a source into its list. */
static void
fill_list(SimTrialLists *lists, uint32 place, const SimNearest *nearest,
		  double sharpness)
{
	SimCandidate *best = nearest->heap;
	Size start = (Size) place * lists->width;
	double sum = 0;
	int i;

	for (i = nearest->n; i-- > 0;)
	{
		best[i].value = pow(best[i].value / best[0].value, sharpness);
		sum += best[i].value;
	}
	for (i = 0; i < nearest->n; i++)
	{
		lists->items[start + i] = best[i].item;
		lists->weights[start + i] = (float) (best[i].value / sum);
	}
	lists->lengths[place] = nearest->n;
}

/* The lists of co-occurrence by these parameters, from the counts. */
void
sim_trial_lists_rescale(SimTrialLists *lists, const SimTrial *trial,
						const SimCounted *counted, const SimParams *params)
{
	const SimTraining *training = &trial->training;
	double *damping = make_damping(training, params->popularity_exponent);
	SimNearest nearest;
	uint32 i;
	int j;

	sim_nearest_begin(&nearest, Min(params->neighbors, lists->width));
	for (i = 0; i < trial->nsources; i++)
	{
		Size start = (Size) i * counted->width;

		CHECK_FOR_INTERRUPTS();
		nearest.n = 0;
		for (j = 0; j < counted->lengths[i]; j++)
		{
			SimCandidate candidate;

			candidate.item = counted->items[start + j];
			candidate.value =
				counted->counts[start + j] * damping[candidate.item];
			if (!sim_nearest_wants(&nearest, candidate.value))
				continue;
			candidate.hash = training->item_hashes[candidate.item];
			candidate.support = 0;
			sim_nearest_offer(&nearest, &candidate);
		}
		sim_nearest_sort(&nearest);
		fill_list(lists, i, &nearest, params->sharpness);
	}
	pfree(nearest.heap);
	pfree(damping);
}
