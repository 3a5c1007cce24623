/*
 * ridge.c
 *		A local ridge regression for each item.
 *
 * For a target j let C be the M items that occur most with it, by
 * G_ij = c_ij / sqrt(d_i d_j); b solves (G_CC + lambda I) b = G_Cj.  The row of
 * a source has (b_i d_j^(1/2 - q))^s for the targets with b_i > 0, divided by
 * their sum; the K highest are kept.  See doc/recommend.md.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "training/dense.h"
#include "training/methods.h"

/* One regression at a time. */
typedef struct Regression
{
	SimTraining *training;
	const SimPairLists *pairs;
	double penalty;
	double *scale; /* d_i^-1/2, by item */
	int32 *places; /* by item: its place among the sources, or -1 */
	SimNearest sources;
	double *matrix;
	double *lower; /* a copy, which is solved */
	double *solution;
} Regression;

static void
begin_regression(Regression *r, SimTraining *training,
				 const SimPairLists *pairs, const SimRegressions *settings)
{
	Size n = (Size) training->nitems + 1;
	Size m = settings->sources;
	uint32 i;

	r->training = training;
	r->pairs = pairs;
	r->penalty = settings->penalty;
	r->scale = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(double));
	r->places = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(int32));
	for (i = 0; i < training->nitems; i++)
	{
		r->scale[i] = 1 / sqrt(Max(training->histories.degrees[i], 1));
		r->places[i] = -1;
	}
	sim_nearest_begin(&r->sources, settings->sources);
	r->matrix = palloc(m * m * sizeof(double));
	r->lower = palloc(m * m * sizeof(double));
	r->solution = palloc(m * sizeof(double));
}

static void
end_regression(Regression *r)
{
	pfree(r->scale);
	pfree(r->places);
	pfree(r->sources.heap);
	pfree(r->matrix);
	pfree(r->lower);
	pfree(r->solution);
}

/* The items that occur most with the target. */
static void
choose_sources(Regression *r, uint32 target)
{
	const SimLists *lists = &r->pairs->lists;
	Size entry;
	int i;

	r->sources.n = 0;
	for (entry = lists->starts[target]; entry < lists->starts[target + 1];
		 entry++)
	{
		SimCandidate candidate;

		candidate.item = lists->items[entry];
		candidate.value =
			lists->values[entry] * r->scale[candidate.item] * r->scale[target];
		candidate.hash = r->training->item_hashes[candidate.item];
		candidate.support = 0;
		sim_nearest_offer(&r->sources, &candidate);
	}
	sim_nearest_sort(&r->sources);
	for (i = 0; i < r->sources.n; i++)
		r->places[r->sources.heap[i].item] = i;
}

/*
 * What pairs that neither item lists may be: as if what is not listed of each
 * were spread over all others in proportion to theirs.
 */
static void
fill_rest(Regression *r)
{
	const float *rest = r->pairs->rest;
	int n = r->sources.n;
	int i;
	int j;

	for (i = 0; i < n; i++)
	{
		double *row = r->matrix + (Size) i * n;
		double share = r->pairs->total_rest > 0 ?
			rest[r->sources.heap[i].item] / r->pairs->total_rest :
			0;

		for (j = 0; j < i; j++)
			row[j] = share * rest[r->sources.heap[j].item];
	}
}

/* The lower triangle of G_CC.  A pair is known if either item lists it. */
static void
fill_matrix(Regression *r)
{
	const SimLists *lists = &r->pairs->lists;
	int n = r->sources.n;
	Size entry;
	int i;

	fill_rest(r);
	for (i = 0; i < n; i++)
	{
		uint32 item = r->sources.heap[i].item;
		double scale = r->scale[item];

		CHECK_FOR_INTERRUPTS();
		for (entry = lists->starts[item]; entry < lists->starts[item + 1];
			 entry++)
		{
			uint32 other = lists->items[entry];
			int place = r->places[other];

			if (place >= 0)
				r->matrix[(Size) Max(i, place) * n + Min(i, place)] =
					lists->values[entry] * scale * r->scale[other];
		}
		r->matrix[(Size) i * n + i] = r->pairs->diagonal[item] * scale * scale;
	}
	for (i = 0; i < n; i++)
		r->places[r->sources.heap[i].item] = -1;
}

/*
 * Pairs that are not listed count as none, which may leave a matrix that no
 * regression has.  Then the penalty must be larger.
 */
static void
solve(Regression *r)
{
	int n = r->sources.n;
	double penalty = r->penalty;
	int i;

	for (;;)
	{
		memcpy(r->lower, r->matrix, (Size) n * n * sizeof(double));
		for (i = 0; i < n; i++)
		{
			r->lower[(Size) i * n + i] += penalty;
			r->solution[i] = r->sources.heap[i].value;
		}
		if (dense_solve(r->lower, n, r->solution))
			break;
		penalty *= 4;
	}
}

/* Leave the sources of positive coefficients, with these as values. */
static void
keep_positive(Regression *r)
{
	SimCandidate *sources = r->sources.heap;
	int kept = 0;
	int i;

	for (i = 0; i < r->sources.n; i++)
		if (r->solution[i] > 0)
		{
			sources[kept] = sources[i];
			sources[kept++].value = r->solution[i];
		}
	r->sources.n = kept;
}

/* The coefficients of every item's regression, by target. */
void
sim_regress(SimTraining *training, const SimPairLists *pairs,
			SimRegressions *regressions)
{
	Regression r;
	uint32 j;

	begin_regression(&r, training, pairs, regressions);
	sim_lists_begin(&regressions->lists, training->nitems);
	for (j = 0; j < training->nitems; j++)
	{
		sim_training_pause(training);
		choose_sources(&r, j);
		fill_matrix(&r);
		solve(&r);
		keep_positive(&r);
		sim_lists_add(&regressions->lists, j, r.sources.n, r.sources.heap);
		if (j % 64 == 63)
			sim_phase_done(training->clock, j + 1);
	}
	end_regression(&r);
}

/* ---- rows ---- */

void
sim_ridge_begin(SimRidgeRow *row, SimTraining *training,
				const SimParams *params)
{
	uint32 i;

	row->training = training;
	row->regressions = sim_regressions(training, params);
	row->sharpness = params->sharpness;
	row->boost =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   ((Size) training->nitems + 1) * sizeof(double));
	for (i = 0; i < training->nitems; i++)
		row->boost[i] = pow(Max(training->histories.degrees[i], 1),
							0.5 - params->popularity_exponent);
	sim_nearest_begin(&row->nearest, params->neighbors);
}

static double
similarity(const SimRidgeRow *row, Size entry)
{
	const SimLists *lists = &row->regressions->lists;

	return lists->values[entry] * row->boost[lists->items[entry]];
}

/* The targets of a source, divided by the sum of all, kept or not. */
void
sim_ridge_row(SimRidgeRow *row, uint32 source)
{
	const SimLists *lists = &row->regressions->lists;
	SimCandidate *best = row->nearest.heap;
	Size first = lists->starts[source];
	Size end = lists->starts[source + 1];
	double largest = 0;
	double sum = 0;
	Size entry;
	int i;

	row->nearest.n = 0;
	for (entry = first; entry < end; entry++)
	{
		SimCandidate candidate;

		candidate.item = lists->items[entry];
		candidate.value = similarity(row, entry);
		candidate.hash = row->training->item_hashes[candidate.item];
		candidate.support = 0;
		largest = Max(largest, candidate.value);
		sim_nearest_offer(&row->nearest, &candidate);
	}
	for (entry = first; entry < end; entry++)
		sum += pow(similarity(row, entry) / largest, row->sharpness);
	sim_nearest_sort(&row->nearest);
	for (i = 0; i < row->nearest.n; i++)
		best[i].value = pow(best[i].value / largest, row->sharpness) / sum;
}

void
sim_ridge_end(SimRidgeRow *row)
{
	pfree(row->boost);
	pfree(row->nearest.heap);
}
