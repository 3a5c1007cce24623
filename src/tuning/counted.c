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
	counted->logs =
		MemoryContextAllocHuge(CurrentMemoryContext, room * sizeof(float));
	counted->sorted_by = -1;
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
	pfree(counted->logs);
	counted->lengths = NULL;
}

/* ---- lists of another exponent of popularity, sharpness and length ---- */

typedef struct Pair
{
	double value;
	uint64 hash;
	uint32 item;
	float count;
} Pair;

static inline int
best_first(const Pair *a, const Pair *b)
{
	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	return a->hash < b->hash ? -1 : a->hash > b->hash ? 1 : 0;
}

#define ST_SORT sort_pairs
#define ST_ELEMENT_TYPE Pair
#define ST_COMPARE(a, b) best_first(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Bring each source's pairs into the order that an exponent gives them. */
static void
sort_counted(SimCounted *counted, const SimTrial *trial, double exponent)
{
	const SimTraining *training = &trial->training;
	double *damping = make_damping(training, exponent);
	Pair *pairs = palloc((counted->width + 1) * sizeof(Pair));
	uint32 i;
	int j;

	for (i = 0; i < trial->nsources; i++)
	{
		Size start = (Size) i * counted->width;

		CHECK_FOR_INTERRUPTS();
		for (j = 0; j < counted->lengths[i]; j++)
		{
			pairs[j].item = counted->items[start + j];
			pairs[j].count = counted->counts[start + j];
			pairs[j].hash = training->item_hashes[pairs[j].item];
			pairs[j].value = pairs[j].count * damping[pairs[j].item];
		}
		sort_pairs(pairs, counted->lengths[i]);
		for (j = 0; j < counted->lengths[i]; j++)
		{
			counted->items[start + j] = pairs[j].item;
			counted->counts[start + j] = pairs[j].count;
			counted->logs[start + j] = (float) log(pairs[j].value);
		}
	}
	counted->sorted_by = exponent;
	pfree(pairs);
	pfree(damping);
}

/*
 * The lists of co-occurrence by these parameters, from the counts.  Sharpness
 * and length leave the order of pairs alone, so it is kept for them.
 */
void
sim_trial_lists_rescale(SimTrialLists *lists, const SimTrial *trial,
						SimCounted *counted, const SimParams *params)
{
	uint32 i;
	int j;

	if (counted->sorted_by != params->popularity_exponent)
		sort_counted(counted, trial, params->popularity_exponent);
	for (i = 0; i < trial->nsources; i++)
	{
		Size from = (Size) i * counted->width;
		Size to = (Size) i * lists->width;
		int n = Min(counted->lengths[i], params->neighbors);
		double sum = 0;

		if (i % 256 == 0)
			CHECK_FOR_INTERRUPTS();
		for (j = 0; j < n; j++)
		{
			lists->items[to + j] = counted->items[from + j];
			lists->weights[to + j] =
				(float) exp(params->sharpness *
							(counted->logs[from + j] - counted->logs[from]));
		}
		for (j = n; j-- > 0;)
			sum += lists->weights[to + j];
		for (j = 0; j < n; j++)
			lists->weights[to + j] = (float) (lists->weights[to + j] / sum);
		lists->lengths[i] = n;
	}
}
