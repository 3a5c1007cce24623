/*
 * lowpass.c
 *		The low-pass part: similarity by the leading factors alone.
 *
 * L_ij = d_i^-a d_j^c sum over m of (sigma_m / sigma_1)^f V_im V_jm; a row
 * becomes W + alpha L, L being scaled to the root mean square of W.  L is
 * computed for a limited number of candidates in each row, so that a large
 * catalogue takes no more than a small one for each of its items.  See
 * doc/recommend.md.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "training/dense.h"
#include "training/methods.h"

/* Rows of factors that are scaled at a time. */
#define SCALED_ROWS 1024

void
sim_low_pass_begin(SimLowPass *low, SimTraining *training,
				   const SimParams *params)
{
	const SimFactors *factors = sim_factors(training, params);
	uint32 i;
	int m;

	low->training = training;
	low->factors = factors;
	low->weight = params->low_pass;
	low->source_exponent = params->low_pass_source_exponent;
	low->spectrum = palloc0((factors->width + 1) * sizeof(float));
	for (m = 0; m < factors->n; m++)
		low->spectrum[m] = (float) pow(factors->sigma[m] / factors->sigma[0],
									   params->low_pass_spectrum);
	low->targets =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   ((Size) factors->order.n + 1) * sizeof(float));
	for (i = 0; i < factors->order.n; i++)
		low->targets[i] =
			(float) pow(training->histories.degrees[factors->order.items[i]],
						params->low_pass_target_exponent);
	low->source = palloc((factors->width + 1) * sizeof(float));
	sim_nearest_begin(&low->candidates,
					  SIM_LOW_PASS_CANDIDATES(params->neighbors));
}

/* The factors of a source times its weight, and those of the spectrum. */
static void
scale_source(SimLowPass *low, uint32 item, float *row)
{
	const SimFactors *factors = low->factors;
	const float *vector =
		factors->vectors + (Size) factors->order.ranks[item] * factors->width;
	float weight = (float) pow(low->training->histories.degrees[item],
							   -low->source_exponent);
	int m;

	for (m = 0; m < factors->width; m++)
		row[m] = weight * low->spectrum[m] * vector[m];
}

static void
scale_target(SimLowPass *low, uint32 item, float *row)
{
	const SimFactors *factors = low->factors;
	uint32 rank = factors->order.ranks[item];
	const float *vector = factors->vectors + (Size) rank * factors->width;
	int m;

	for (m = 0; m < factors->width; m++)
		row[m] = low->targets[rank] * vector[m];
}

/* The lower triangle of the Gram matrix of scaled rows. */
static double *
scaled_gram(SimLowPass *low, const uint32 *items, uint32 n,
			void (*scale)(SimLowPass *low, uint32 item, float *row))
{
	int width = low->factors->width;
	double *g =
		MemoryContextAllocExtended(CurrentMemoryContext,
								   (Size) width * width * sizeof(double),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	float *rows = palloc((Size) SCALED_ROWS * width * sizeof(float));
	uint32 first;
	uint32 i;

	for (first = 0; first < n; first += SCALED_ROWS)
	{
		uint32 part = Min(SCALED_ROWS, n - first);

		for (i = 0; i < part; i++)
			scale(low, items[first + i], rows + (Size) i * width);
		dense_gram(low->training, rows, width, part, g);
	}
	pfree(rows);
	return g;
}

/*
 * The sum of L_ij^2 over some sources and all targets, as the trace of a
 * product of two Gram matrices.
 */
double
sim_low_pass_squares(SimLowPass *low, const uint32 *sources, uint32 n)
{
	const SimFactors *factors = low->factors;
	int width = factors->width;
	double *p;
	double *q;
	double sum = 0;
	int i;
	int j;

	if (factors->n == 0)
		return 0;
	p = scaled_gram(low, sources, n, scale_source);
	q = scaled_gram(low, factors->order.items, factors->order.n, scale_target);
	for (i = 0; i < width; i++)
	{
		for (j = 0; j < i; j++)
			sum += 2 * p[(Size) i * width + j] * q[(Size) i * width + j];
		sum += p[(Size) i * width + i] * q[(Size) i * width + i];
	}
	pfree(p);
	pfree(q);
	return sum;
}

static void
offer(SimLowPass *low, uint32 item, double value)
{
	SimCandidate candidate;

	candidate.value = value;
	if (!sim_nearest_wants(&low->candidates, value))
		return;
	candidate.hash = low->training->item_hashes[item];
	candidate.item = item;
	candidate.support = 0;
	sim_nearest_offer(&low->candidates, &candidate);
}

/* Restrict a row to its values of the largest magnitude. */
static void
restrict_row(SimLowPass *low, SimSums *sums)
{
	SimNearest *best = &low->candidates;
	uint32 i;
	int c;

	if (sums->n <= (uint32) best->k)
		return;
	best->n = 0;
	for (i = 0; i < sums->n; i++)
		offer(low, sums->items[i], fabs(sums->values[sums->items[i]]));
	for (i = 0; i < sums->n; i++)
		sums->marks[sums->items[i]] = false;
	for (c = 0; c < best->n; c++)
		sums->marks[best->heap[c].item] = true;
	for (i = 0; i < sums->n; i++)
		if (!sums->marks[sums->items[i]])
			sums->values[sums->items[i]] = 0;
	for (c = 0; c < best->n; c++)
		sums->items[c] = best->heap[c].item;
	sums->n = best->n;
}

/* Take more items in: all, if they are few, or else the candidates given. */
static void
widen_row(SimLowPass *low, SimSums *sums, const SimNearest *more)
{
	const SimOrder *order = &low->factors->order;
	uint32 limit = low->candidates.k;
	uint32 i;

	if (order->n <= limit)
		for (i = 0; i < order->n; i++)
			sim_sums_add(sums, order->items[i], 0);
	else
		for (i = 0; i < (uint32) more->n && sums->n < limit; i++)
			sim_sums_add(sums, more->heap[i].item, 0);
}

/* Add the low-pass part to a row. */
void
sim_low_pass_add(SimLowPass *low, SimSums *sums, const SimNearest *more,
				 uint32 source)
{
	const SimFactors *factors = low->factors;
	uint32 i;

	if (factors->n == 0 || low->weight == 0 ||
		factors->order.ranks[source] == SIM_NO_RANK)
		return;
	restrict_row(low, sums);
	widen_row(low, sums, more);
	scale_source(low, source, low->source);
	for (i = 0; i < sums->n; i++)
	{
		uint32 item = sums->items[i];
		uint32 rank = factors->order.ranks[item];
		float product =
			dense_dot(low->source,
					  factors->vectors + (Size) rank * factors->width,
					  factors->width);

		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		sums->values[item] += low->weight * low->targets[rank] * product;
	}
}

void
sim_low_pass_end(SimLowPass *low)
{
	pfree(low->spectrum);
	pfree(low->targets);
	pfree(low->source);
	pfree(low->candidates.heap);
}
