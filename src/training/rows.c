/*
 * rows.c
 *		The neighbours of every item: normalised co-occurrence.
 *
 * The raw similarity of j to i is (c_ij / d_j^q)^s; the K highest of a row are
 * kept and divided by their sum.  See doc/recommend.md for where this comes
 * from.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "training/training.h"

struct SimRows
{
	SimTraining *training;
	SimParams params;
	SimPairs pairs;
	double *damping; /* d_j^-q, by item */
	SimNearest nearest;
	SimRow row;
};

/* The best of a source's pairs. */
static void
select_pairs(SimRows *rows, uint32 source)
{
	SimTraining *training = rows->training;
	SimNearest *nearest = &rows->nearest;
	uint32 i;

	nearest->n = 0;
	for (i = 0; i < rows->pairs.n; i++)
	{
		uint32 item = rows->pairs.items[i];
		SimTally *tally = &rows->pairs.tally[item];
		SimCandidate candidate;

		candidate.value = (double) tally->weight * rows->damping[item];
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

/* Sharpen and normalise the candidates into rows->row. */
static void
finish_row(SimRows *rows)
{
	SimCandidate *best = rows->nearest.heap;
	double sum = 0;
	int i;

	/* Relative to the best, so that no power over- or underflows. */
	for (i = rows->nearest.n; i-- > 0;)
	{
		best[i].value =
			pow(best[i].value / best[0].value, rows->params.sharpness);
		sum += best[i].value;
	}
	for (i = 0; i < rows->nearest.n; i++)
	{
		rows->row.items[i] = best[i].item;
		rows->row.weights[i] = (float) (best[i].value / sum);
		rows->row.supports[i] = best[i].support;
	}
	rows->row.n = rows->nearest.n;
}

SimRows *
sim_rows_begin(SimTraining *training, const SimParams *params)
{
	SimRows *rows = palloc0(sizeof(SimRows));
	uint32 nitems = training->nitems;
	int k = params->neighbors;
	uint32 i;

	rows->training = training;
	rows->params = *params;
	sim_pairs_begin(&rows->pairs, training, params->subject_exponent);
	rows->damping = MemoryContextAllocHuge(CurrentMemoryContext,
										   (nitems + 1) * sizeof(double));
	for (i = 0; i < nitems; i++)
		rows->damping[i] = pow(Max(training->histories.degrees[i], 1),
							   -params->popularity_exponent);
	sim_nearest_begin(&rows->nearest, k);
	rows->row.items = palloc(k * sizeof(uint32));
	rows->row.weights = palloc(k * sizeof(float));
	rows->row.supports = palloc(k * sizeof(uint32));
	return rows;
}

const SimRow *
sim_rows_read(SimRows *rows, uint32 source)
{
	sim_pairs_count(&rows->pairs, source);
	select_pairs(rows, source);
	sim_pairs_clear(&rows->pairs);
	finish_row(rows);
	return &rows->row;
}

void
sim_rows_end(SimRows *rows)
{
	sim_pairs_end(&rows->pairs);
	pfree(rows->damping);
	pfree(rows->nearest.heap);
	pfree(rows->row.items);
	pfree(rows->row.weights);
	pfree(rows->row.supports);
	pfree(rows);
}
