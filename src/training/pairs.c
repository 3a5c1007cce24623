/*
 * pairs.c
 *		How often items occur together, one source at a time.
 *
 * c_ij sums d_u^-g over the subjects u that hold both.  The sums are integers
 * in fixed point, so that they do not depend on the order of subjects.
 */
#include "postgres.h"

#include <math.h>

#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "training/training.h"

/* Add up a row where most items will occur; all are looked at afterwards. */
static void
count_dense(SimPairs *pairs, uint32 source)
{
	SimHistories *h = &pairs->training->histories;
	SimTally *tally = pairs->tally;
	uint32 nitems = pairs->training->nitems;
	Size s;
	uint32 j;

	for (s = h->item_starts[source]; s < h->item_starts[source + 1]; s++)
	{
		uint32 subject = h->item_subjects[s];
		const uint32 *item = h->items + h->starts[subject];
		const uint32 *end = h->items + h->starts[subject + 1];
		int64 weight = pairs->weights[end - item];

		CHECK_FOR_INTERRUPTS();
		for (; item < end; item++)
		{
			tally[*item].weight += weight;
			tally[*item].n++;
		}
	}
	for (j = 0; j < nitems; j++)
	{
		pairs->items[pairs->n] = j;
		pairs->n += tally[j].n > 0;
	}
}

/* Add up a row where few items occur, and remember which. */
static void
count_sparse(SimPairs *pairs, uint32 source)
{
	SimHistories *h = &pairs->training->histories;
	SimTally *tally = pairs->tally;
	Size s;

	for (s = h->item_starts[source]; s < h->item_starts[source + 1]; s++)
	{
		uint32 subject = h->item_subjects[s];
		const uint32 *item = h->items + h->starts[subject];
		const uint32 *end = h->items + h->starts[subject + 1];
		int64 weight = pairs->weights[end - item];

		CHECK_FOR_INTERRUPTS();
		for (; item < end; item++)
		{
			if (tally[*item].n++ == 0)
				pairs->items[pairs->n++] = *item;
			tally[*item].weight += weight;
		}
	}
}

/* Add up a row of interactions that have weights. */
static void
count_weighted(SimPairs *pairs, uint32 source)
{
	SimHistories *h = &pairs->training->histories;
	SimTally *tally = pairs->tally;
	Size s;

	for (s = h->item_starts[source]; s < h->item_starts[source + 1]; s++)
	{
		uint32 subject = h->item_subjects[s];
		Size entry = h->starts[subject];
		Size end = h->starts[subject + 1];
		double weight = (double) pairs->weights[end - entry] *
			h->subject_weights[subject] * h->item_weights[s];

		CHECK_FOR_INTERRUPTS();
		for (; entry < end; entry++)
		{
			uint32 item = h->items[entry];
			int64 product = (int64) (weight * h->weights[entry]);

			if (tally[item].n++ == 0)
				pairs->items[pairs->n++] = item;
			tally[item].weight += Max(product, 1);
		}
	}
}

/* Multiply-adds that a row takes. */
static Size
row_work(const SimHistories *h, uint32 source)
{
	Size work = 0;
	Size s;

	for (s = h->item_starts[source]; s < h->item_starts[source + 1]; s++)
		work +=
			h->starts[h->item_subjects[s] + 1] - h->starts[h->item_subjects[s]];
	return work;
}

/*
 * The weights by history length.  The fixed point leaves room for the sum
 * over all subjects, which are at most one each.
 */
static void
set_weights(SimPairs *pairs, double subject_exponent)
{
	SimTraining *training = pairs->training;
	int bits = 61 - pg_leftmost_one_pos64(training->histories.nsubjects + 1);
	double scale = ldexp(1, Min(bits, 52));
	int d;

	pairs->unit = 1 / scale;
	pairs->weights = palloc0((training->options.history + 1) * sizeof(int64));
	for (d = 1; d <= training->options.history; d++)
	{
		int64 weight = llrint(scale * pow(d, -subject_exponent));

		pairs->weights[d] = Max(weight, 1);
	}
}

void
sim_pairs_begin(SimPairs *pairs, SimTraining *training, double subject_exponent)
{
	Size n = (Size) training->nitems + 1;

	memset(pairs, 0, sizeof(*pairs));
	pairs->training = training;
	pairs->tally =
		MemoryContextAllocExtended(CurrentMemoryContext, n * sizeof(SimTally),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	pairs->items =
		MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(uint32));
	set_weights(pairs, subject_exponent);
	if (sim_is_directed(training))
		pairs->steps = sim_forward_steps(training);
}

/* Count the pairs of a source, itself among them. */
void
sim_pairs_count(SimPairs *pairs, uint32 source)
{
	Assert(pairs->n == 0);
	if (pairs->steps)
		sim_forward_count(pairs, source);
	else if (pairs->training->weighted)
		count_weighted(pairs, source);
	else if (row_work(&pairs->training->histories, source) >
			 pairs->training->nitems / 4)
		count_dense(pairs, source);
	else
		count_sparse(pairs, source);
}

/* Make ready for another source. */
void
sim_pairs_clear(SimPairs *pairs)
{
	uint32 i;

	if (pairs->n > pairs->training->nitems / 4)
		memset(pairs->tally, 0, pairs->training->nitems * sizeof(SimTally));
	else
		for (i = 0; i < pairs->n; i++)
			memset(&pairs->tally[pairs->items[i]], 0, sizeof(SimTally));
	pairs->n = 0;
}

void
sim_pairs_end(SimPairs *pairs)
{
	pfree(pairs->tally);
	pfree(pairs->items);
	pfree(pairs->weights);
	if (pairs->steps)
		pfree(pairs->steps);
}
