/*
 * rows.c
 *		The rows of a model: by which method, and what of them is kept.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "training/methods.h"

/* Sources by which the scale of the low-pass part is set. */
#define SCALE_SOURCES 1024

/*
 * What the low-pass part says of pairs that are nothing else is believed only
 * above this part of the row's largest value; the rest may be rounding.
 */
#define ROUNDING 1e-5

struct SimRows
{
	SimTraining *training;
	SimParams params;
	SimCooccurrence co;
	const SimSecondStep *second;
	bool low_passed; /* is low used? */
	SimLowPass low;
	SimSums sums;
	SimNearest nearest; /* what is kept of sums */
	SimRidgeRow ridge;
	SimRow row;
};

/* Copy what was selected into rows->row. */
static void
keep(SimRows *rows, const SimNearest *nearest)
{
	int i;

	for (i = 0; i < nearest->n; i++)
	{
		rows->row.items[i] = nearest->heap[i].item;
		rows->row.weights[i] = (float) nearest->heap[i].value;
		rows->row.supports[i] = nearest->heap[i].support;
	}
	rows->row.n = nearest->n;
}

/* ---- rows that are sums of several parts ---- */

/* Start a row with similarities. */
static void
sum_first(SimSums *sums, const SimNearest *first, int n)
{
	int i;

	for (i = 0; i < n; i++)
		sim_sums_add(sums, first->heap[i].item, first->heap[i].value);
}

static void
sum_row(SimRows *rows, uint32 source)
{
	SimCooccurrence *co = &rows->co;

	sim_cooccurrence_select(co, source);
	if (rows->params.method == SIM_METHOD_RIDGE)
	{
		sim_ridge_row(&rows->ridge, source);
		sum_first(&rows->sums, &rows->ridge.nearest, rows->ridge.nearest.n);
		return;
	}
	sum_first(&rows->sums, &co->nearest, Min(co->nearest.n, co->neighbors));
	if (rows->params.method == SIM_METHOD_SHARPENED)
		sim_sharpen(&rows->sums, &co->nearest, rows->second,
					rows->params.two_step_weight);
}

/* Values from here on are not rounding. */
static double
least_value(const SimRows *rows)
{
	const SimSums *sums = &rows->sums;
	double largest = 0;
	uint32 i;

	for (i = 0; i < sums->n; i++)
		largest = Max(largest, fabs(sums->values[sums->items[i]]));
	return largest * ROUNDING;
}

/*
 * The highest of the sums.  Pairs that never occurred are among them, as long
 * as no support is asked for.
 */
static void
select_sums(SimRows *rows, uint32 source)
{
	SimTraining *training = rows->training;
	SimSums *sums = &rows->sums;
	int min_support = training->options.min_support;
	double least = rows->low_passed ? least_value(rows) : 0;
	uint32 i;

	rows->nearest.n = 0;
	for (i = 0; i < sums->n; i++)
	{
		uint32 item = sums->items[i];
		int64 support = rows->co.pairs.tally[item].n;
		SimCandidate candidate;

		candidate.value = sums->values[item];
		if (!sim_nearest_wants(&rows->nearest, candidate.value) ||
			item == source || candidate.value == 0 ||
			(min_support > 1 && support < min_support) ||
			(support == 0 && fabs(candidate.value) <= least))
			continue;
		candidate.hash = training->item_hashes[item];
		candidate.item = item;
		candidate.support = Min(support, PG_UINT32_MAX);
		sim_nearest_offer(&rows->nearest, &candidate);
	}
	sim_nearest_sort(&rows->nearest);
}

static void
clear_sums(SimSums *sums)
{
	uint32 i;

	for (i = 0; i < sums->n; i++)
	{
		sums->values[sums->items[i]] = 0;
		sums->marks[sums->items[i]] = false;
	}
	sums->n = 0;
}

const SimRow *
sim_rows_read(SimRows *rows, uint32 source)
{
	sim_cooccurrence_count(&rows->co, source);
	if (rows->sums.values == NULL)
	{
		sim_cooccurrence_select(&rows->co, source);
		keep(rows, &rows->co.nearest);
	}
	else
	{
		sum_row(rows, source);
		if (rows->low_passed)
			sim_low_pass_add(&rows->low, &rows->sums, &rows->co.nearest,
							 source);
		select_sums(rows, source);
		clear_sums(&rows->sums);
		keep(rows, &rows->nearest);
	}
	sim_pairs_clear(&rows->co.pairs);
	return &rows->row;
}

/* ---- beginning and end ---- */

/*
 * Scale the low-pass part: alpha 1 gives it the same root mean square over
 * all pairs as the other part has.  A sample of the sources by hash tells.
 */
static void
scale_low_pass(SimRows *rows)
{
	const SimOrder *order = &rows->low.factors->order;
	uint32 n = Min(order->n, SCALE_SOURCES);
	double squares = 0;
	double low;
	uint32 i;
	int j;

	for (i = 0; i < n; i++)
	{
		const SimRow *row = sim_rows_read(rows, order->items[i]);

		sim_training_pause(rows->training);
		for (j = 0; j < row->n; j++)
			squares += (double) row->weights[j] * row->weights[j];
	}
	low = sim_low_pass_squares(&rows->low, order->items, n);
	rows->low.weight *= low > 0 ? sqrt(squares / low) : 0;
}

static void
begin_sums(SimRows *rows)
{
	Size n = (Size) rows->training->nitems + 1;

	rows->sums.values =
		MemoryContextAllocExtended(CurrentMemoryContext, n * sizeof(double),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	rows->sums.marks =
		MemoryContextAllocExtended(CurrentMemoryContext, n * sizeof(bool),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	rows->sums.items =
		MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(uint32));
	sim_nearest_begin(&rows->nearest, rows->params.neighbors);
}

static void
begin_low_pass(SimRows *rows)
{
	sim_low_pass_begin(&rows->low, rows->training, &rows->params);
	scale_low_pass(rows);
	rows->low_passed = true;
}

SimRows *
sim_rows_begin(SimTraining *training, const SimParams *wanted)
{
	SimRows *rows = palloc0(sizeof(SimRows));
	SimParams *params = &rows->params;
	int k = wanted->neighbors;
	bool low_pass;

	rows->training = training;
	*params = *wanted;
	if (sim_params_fit(training, params))
		sim_report_fit(training, wanted, params);
	low_pass = params->low_pass > 0;

	/* What takes most memory comes first, before there is anything else. */
	if (low_pass)
		(void) sim_factors(training, params);
	if (params->method == SIM_METHOD_SHARPENED)
		rows->second = sim_second_step(training, params);
	if (params->method == SIM_METHOD_RIDGE)
		sim_ridge_begin(&rows->ridge, training, params);
	sim_cooccurrence_begin(&rows->co, training, params->subject_exponent,
						   params->popularity_exponent, params->sharpness, k,
						   low_pass && params->method != SIM_METHOD_SHARPENED ?
							   SIM_LOW_PASS_CANDIDATES(k) :
							   0);
	rows->row.items = palloc(k * sizeof(uint32));
	rows->row.weights = palloc(k * sizeof(float));
	rows->row.supports = palloc(k * sizeof(uint32));
	if (low_pass || params->method != SIM_METHOD_COOCCURRENCE)
		begin_sums(rows);
	if (low_pass)
		begin_low_pass(rows);
	return rows;
}

void
sim_rows_end(SimRows *rows)
{
	sim_cooccurrence_end(&rows->co);
	if (rows->params.method == SIM_METHOD_RIDGE)
		sim_ridge_end(&rows->ridge);
	if (rows->low_passed)
		sim_low_pass_end(&rows->low);
	if (rows->sums.values)
	{
		pfree(rows->sums.values);
		pfree(rows->sums.marks);
		pfree(rows->sums.items);
		pfree(rows->nearest.heap);
	}
	pfree(rows->row.items);
	pfree(rows->row.weights);
	pfree(rows->row.supports);
	pfree(rows);
}
