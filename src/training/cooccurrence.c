/*
 * cooccurrence.c
 *		Normalised co-occurrence.
 *
 * The raw similarity of j to i is (c_ij / d_j^q)^s; the K highest of a row are
 * kept and divided by their sum.  See doc/recommend.md for where this comes
 * from.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "training/methods.h"

/*
 * Besides the neighbors, so many candidates in all are selected, which have no
 * similarity.
 */
void
sim_cooccurrence_begin(SimCooccurrence *co, SimTraining *training,
					   double subject_exponent, double popularity_exponent,
					   double sharpness, int neighbors, int candidates)
{
	uint32 i;

	co->training = training;
	co->sharpness = sharpness;
	co->neighbors = neighbors;
	co->served = sim_served_pairs(training, subject_exponent);
	sim_pairs_begin(&co->pairs, training, subject_exponent);
	co->damping =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   ((Size) training->nitems + 1) * sizeof(double));
	for (i = 0; i < training->nitems; i++)
		co->damping[i] =
			pow(Max(training->histories.degrees[i], 1), -popularity_exponent);
	sim_nearest_begin(&co->nearest, Max(neighbors, candidates));
}

/* The counts as listed; all that is listed has enough support. */
static void
count_served(SimCooccurrence *co, uint32 source)
{
	const SimLists *lists = &co->served->lists;
	SimPairs *pairs = &co->pairs;
	Size i;

	for (i = lists->starts[source]; i < lists->starts[source + 1]; i++)
	{
		SimTally *tally = &pairs->tally[lists->items[i]];

		tally->weight = llrint(lists->values[i] / pairs->unit);
		tally->n = co->training->options.min_support;
		pairs->items[pairs->n++] = lists->items[i];
	}
}

/* Count the pairs of a source; sim_pairs_clear() makes ready for another. */
void
sim_cooccurrence_count(SimCooccurrence *co, uint32 source)
{
	if (co->served)
		count_served(co, source);
	else
		sim_pairs_count(&co->pairs, source);
}

/* The best of a source's pairs, by their damped counts. */
static void
select_pairs(SimCooccurrence *co, uint32 source)
{
	SimTraining *training = co->training;
	SimNearest *nearest = &co->nearest;
	uint32 i;

	nearest->n = 0;
	for (i = 0; i < co->pairs.n; i++)
	{
		uint32 item = co->pairs.items[i];
		SimTally *tally = &co->pairs.tally[item];
		SimCandidate candidate;

		candidate.value = (double) tally->weight * co->damping[item];
		if (!sim_nearest_wants(nearest, candidate.value) || item == source ||
			tally->n < training->options.min_support)
			continue;
		candidate.hash = training->item_hashes[item];
		candidate.item = item;
		candidate.support = Min(tally->n, PG_UINT32_MAX);
		sim_nearest_offer(nearest, &candidate);
	}
	sim_nearest_sort(nearest);
}

/* The best of a source's pairs, by their similarity. */
void
sim_cooccurrence_select(SimCooccurrence *co, uint32 source)
{
	SimCandidate *best = co->nearest.heap;
	int n;
	double sum = 0;
	int i;

	select_pairs(co, source);
	n = Min(co->nearest.n, co->neighbors);

	/* Relative to the best, so that no power over- or underflows. */
	for (i = n; i-- > 0;)
	{
		best[i].value = pow(best[i].value / best[0].value, co->sharpness);
		sum += best[i].value;
	}
	for (i = 0; i < n; i++)
		best[i].value /= sum;
	for (; i < co->nearest.n; i++)
		best[i].value = 0;
}

/* The same ones with their counts as values. */
void
sim_cooccurrence_counts(SimCooccurrence *co, uint32 source)
{
	SimCandidate *best = co->nearest.heap;
	int i;

	select_pairs(co, source);
	for (i = 0; i < co->nearest.n; i++)
		best[i].value = co->pairs.tally[best[i].item].weight * co->pairs.unit;
}

void
sim_cooccurrence_end(SimCooccurrence *co)
{
	sim_pairs_end(&co->pairs);
	pfree(co->damping);
	pfree(co->nearest.heap);
}
