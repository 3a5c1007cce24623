/*
 * prepared.c
 *		What the rows of several settings share: one of each kind, with the
 *		settings it was made by.
 */
#include "postgres.h"

#include <math.h>

#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "training/methods.h"

SimPrepared *
sim_prepared(SimTraining *training)
{
	if (training->prepared == NULL)
		training->prepared =
			MemoryContextAllocZero(training->context, sizeof(SimPrepared));
	return training->prepared;
}

static void
forget_pairs(SimPairLists *pairs)
{
	if (!pairs->valid)
		return;
	sim_lists_end(&pairs->lists);
	pfree(pairs->diagonal);
	pfree(pairs->rest);
	pairs->valid = false;
}

static void
forget_second(SimSecondStep *second)
{
	if (second->valid)
		sim_lists_end(&second->lists);
	second->valid = false;
}

static void
forget_factors(SimFactors *factors)
{
	if (!factors->valid)
		return;
	pfree(factors->order.items);
	pfree(factors->order.ranks);
	pfree(factors->vectors);
	pfree(factors->sigma);
	factors->valid = false;
}

static void
forget_regressions(SimRegressions *regressions)
{
	if (regressions->valid)
		sim_lists_end(&regressions->lists);
	regressions->valid = false;
}

void
sim_prepared_forget(SimTraining *training)
{
	SimPrepared *prepared = training->prepared;

	if (prepared == NULL)
		return;
	forget_pairs(&prepared->pairs);
	forget_second(&prepared->second);
	forget_factors(&prepared->factors);
	forget_regressions(&prepared->regressions);
}

/* Enter a phase of a step for each item; returns the one that was left. */
static int
begin_step(SimTraining *training, int phase)
{
	int before = training->clock->phase;

	sim_phase(training->clock, phase, training->nitems);
	return before;
}

static void
end_step(SimTraining *training, int before)
{
	sim_phase(training->clock, before, training->nitems);
}

/* ---- pairs ---- */

/* The sum of G_ij = c_ij / sqrt(d_i d_j) over pairs, as an integer. */
#define REST_UNIT 1073741824.0

static int64
sum_normalised(SimCooccurrence *co, uint32 source, const double *scale)
{
	int min_support = co->training->options.min_support;
	double unit = co->pairs.unit * scale[source] * REST_UNIT;
	int64 sum = 0;
	uint32 i;

	for (i = 0; i < co->pairs.n; i++)
	{
		uint32 item = co->pairs.items[i];
		const SimTally *tally = &co->pairs.tally[item];

		if (item != source && tally->n >= min_support)
			sum += llrint(tally->weight * (scale[item] * unit));
	}
	for (i = 0; i < (uint32) co->nearest.n; i++)
	{
		uint32 item = co->nearest.heap[i].item;

		sum -= llrint(co->pairs.tally[item].weight * (scale[item] * unit));
	}
	return sum;
}

static void
list_pairs(SimTraining *training, SimPairLists *pairs)
{
	SimCooccurrence co;
	double *scale =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   ((Size) training->nitems + 1) * sizeof(double));
	uint32 i;

	for (i = 0; i < training->nitems; i++)
		scale[i] = 1 / sqrt(Max(training->histories.degrees[i], 1));
	sim_cooccurrence_begin(&co, training, pairs->subject_exponent,
						   SIM_PAIRS_EXPONENT, 1, pairs->length, 0);
	for (i = 0; i < training->nitems; i++)
	{
		sim_training_pause(training);
		sim_cooccurrence_count(&co, i);
		sim_cooccurrence_counts(&co, i);
		pairs->rest[i] = sum_normalised(&co, i, scale) / REST_UNIT;
		pairs->diagonal[i] = co.pairs.tally[i].weight * co.pairs.unit;
		sim_lists_add(&pairs->lists, i, co.nearest.n, co.nearest.heap);
		sim_pairs_clear(&co.pairs);
		if (i % 256 == 255)
			sim_phase_done(training->clock, i + 1);
	}
	sim_cooccurrence_end(&co);
	pfree(scale);
}

/* In fixed point as well, with room for all items. */
static double
sum_rest(SimTraining *training, const SimPairLists *pairs)
{
	double unit = ldexp(1, 33 - pg_leftmost_one_pos32(training->nitems + 1));
	int64 sum = 0;
	uint32 i;

	for (i = 0; i < training->nitems; i++)
		sum += llrint(pairs->rest[i] * unit);
	return sum / unit;
}

/* The best so many pairs of each item. */
const SimPairLists *
sim_pair_lists(SimTraining *training, double subject_exponent, int length)
{
	SimPairLists *pairs = &sim_prepared(training)->pairs;
	MemoryContext old_context;
	int before;

	if (pairs->valid && pairs->subject_exponent == subject_exponent &&
		pairs->length >= length)
		return pairs;
	forget_pairs(pairs);
	before = begin_step(training, SIM_PHASE_PAIRING);
	old_context = MemoryContextSwitchTo(training->context);
	pairs->subject_exponent = subject_exponent;
	pairs->length = length;
	pairs->serve = false;
	sim_lists_begin(&pairs->lists, training->nitems);
	pairs->diagonal =
		MemoryContextAllocHuge(training->context,
							   (training->nitems + 1) * sizeof(float));
	pairs->rest =
		MemoryContextAllocHuge(training->context,
							   (training->nitems + 1) * sizeof(float));
	list_pairs(training, pairs);
	pairs->total_rest = sum_rest(training, pairs);
	pairs->valid = true;
	MemoryContextSwitchTo(old_context);
	end_step(training, before);
	return pairs;
}

bool
sim_prepare_pairs(SimTraining *training, double subject_exponent, int length)
{
	SimPrepared *prepared = sim_prepared(training);

	if (sim_pairs_memory(training, length) > sim_memory_left(training))
		return false;
	(void) sim_pair_lists(training, subject_exponent, length);
	prepared->pairs.serve = true;
	return true;
}

/* Lists to make rows of, if there are any. */
const SimPairLists *
sim_served_pairs(SimTraining *training, double subject_exponent)
{
	const SimPairLists *pairs = &sim_prepared(training)->pairs;

	return pairs->valid && pairs->serve &&
			pairs->subject_exponent == subject_exponent ?
		pairs :
		NULL;
}

/* ---- the second step ---- */

static void
list_second(SimTraining *training, SimSecondStep *second)
{
	SimCooccurrence co;
	uint32 i;

	sim_cooccurrence_begin(&co, training, second->subject_exponent,
						   second->popularity_exponent, second->sharpness,
						   second->neighbors, 0);
	for (i = 0; i < training->nitems; i++)
	{
		sim_training_pause(training);
		sim_cooccurrence_count(&co, i);
		sim_cooccurrence_select(&co, i);
		sim_lists_add(&second->lists, i, co.nearest.n, co.nearest.heap);
		sim_pairs_clear(&co.pairs);
		if (i % 256 == 255)
			sim_phase_done(training->clock, i + 1);
	}
	sim_cooccurrence_end(&co);
}

const SimSecondStep *
sim_second_step(SimTraining *training, const SimParams *params)
{
	SimSecondStep *second = &sim_prepared(training)->second;
	MemoryContext old_context;
	int before;

	if (second->valid && second->subject_exponent == params->subject_exponent &&
		second->popularity_exponent == params->two_step_popularity_exponent &&
		second->sharpness == params->two_step_sharpness &&
		second->neighbors == params->two_step_neighbors)
		return second;
	forget_second(second);
	before = begin_step(training, SIM_PHASE_PAIRING);
	old_context = MemoryContextSwitchTo(training->context);
	second->subject_exponent = params->subject_exponent;
	second->popularity_exponent = params->two_step_popularity_exponent;
	second->sharpness = params->two_step_sharpness;
	second->neighbors = params->two_step_neighbors;
	sim_lists_begin(&second->lists, training->nitems);
	list_second(training, second);
	second->valid = true;
	MemoryContextSwitchTo(old_context);
	end_step(training, before);
	return second;
}

/* ---- factors ---- */

const SimFactors *
sim_factors(SimTraining *training, const SimParams *params)
{
	SimFactors *factors = &sim_prepared(training)->factors;
	MemoryContext old_context;
	int before;

	if (factors->valid && factors->wanted == params->low_pass_factors &&
		factors->subject_exponent == params->low_pass_subject_exponent &&
		factors->item_exponent == params->low_pass_item_exponent &&
		factors->seed == training->options.seed)
		return factors;
	forget_factors(factors);
	before = begin_step(training, SIM_PHASE_FACTORING);
	old_context = MemoryContextSwitchTo(training->context);
	factors->wanted = params->low_pass_factors;
	factors->subject_exponent = params->low_pass_subject_exponent;
	factors->item_exponent = params->low_pass_item_exponent;
	factors->seed = training->options.seed;
	sim_factor(training, factors);
	factors->valid = true;
	MemoryContextSwitchTo(old_context);
	end_step(training, before);
	return factors;
}

/* ---- regressions ---- */

const SimRegressions *
sim_regressions(SimTraining *training, const SimParams *params)
{
	SimRegressions *regressions = &sim_prepared(training)->regressions;
	const SimPairLists *pairs;
	MemoryContext old_context;
	int before;

	if (regressions->valid &&
		regressions->subject_exponent == params->subject_exponent &&
		regressions->penalty == params->ridge_penalty &&
		regressions->sources == params->ridge_sources)
		return regressions;
	forget_regressions(regressions);
	pairs = sim_pair_lists(training, params->subject_exponent,
						   sim_ridge_length(training, params));
	before = begin_step(training, SIM_PHASE_REGRESSION);
	old_context = MemoryContextSwitchTo(training->context);
	regressions->subject_exponent = params->subject_exponent;
	regressions->penalty = params->ridge_penalty;
	regressions->sources = params->ridge_sources;
	sim_regress(training, pairs, regressions);
	if (!pairs->serve)
		forget_pairs(&sim_prepared(training)->pairs);
	sim_lists_transpose(training, &regressions->lists);
	regressions->valid = true;
	MemoryContextSwitchTo(old_context);
	end_step(training, before);
	return regressions;
}

Size
sim_prepared_memory(SimTraining *training)
{
	SimPrepared *prepared = sim_prepared(training);
	uint32 nitems = training->nitems;
	Size size = 0;

	if (prepared->pairs.valid)
		size += sim_lists_memory(&prepared->pairs.lists, nitems) +
			nitems * 2 * sizeof(float);
	if (prepared->second.valid)
		size += sim_lists_memory(&prepared->second.lists, nitems);
	if (prepared->factors.valid)
		size += (Size) prepared->factors.order.n * prepared->factors.width *
				sizeof(float) +
			(Size) nitems * 2 * sizeof(uint32);
	if (prepared->regressions.valid)
		size += sim_lists_memory(&prepared->regressions.lists, nitems);
	return size;
}
