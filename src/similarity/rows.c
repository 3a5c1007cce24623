/*
 * rows.c
 *		The neighbours of every item: normalised co-occurrence.
 *
 * c_ij sums d_u^-g over the subjects u that hold both items; the raw
 * similarity of j to i is (c_ij / d_j^q)^s; the K highest of a row are kept
 * and divided by their sum.  See doc/recommend.md for where this comes from.
 */
#include "postgres.h"

#include <math.h>

#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "similarity/train.h"

typedef struct Candidate
{
	double value; /* c_ij / d_j^q, in units of the fixed point */
	uint64 hash;  /* breaks ties */
	uint32 item;
	uint32 support;
} Candidate;

typedef struct Rows
{
	SimTraining *training;
	SimTally *tally; /* by item; all zero between rows */
	int64 *weights;	 /* d^-g in fixed point, by history length */
	double *damping; /* d_j^-q, by item */
	uint32 *touched;
	uint32 ntouched;
	Candidate *heap; /* the best so far, the worst on top */
	int n;
	int k;
	SimRow row;
} Rows;

/* Is a worse than b? */
static inline bool
worse(const Candidate *a, const Candidate *b)
{
	if (a->value != b->value)
		return a->value < b->value;
	return a->hash > b->hash;
}

static void
sift_down(Candidate *heap, int n, int i)
{
	Candidate moving = heap[i];

	for (;;)
	{
		int child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n && worse(&heap[child + 1], &heap[child]))
			child++;
		if (!worse(&heap[child], &moving))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = moving;
}

static void
offer(Rows *rows, const Candidate *candidate)
{
	int i;

	if (rows->n == rows->k)
	{
		if (!worse(&rows->heap[0], candidate))
			return;
		rows->heap[0] = *candidate;
		sift_down(rows->heap, rows->n, 0);
		return;
	}
	rows->heap[rows->n++] = *candidate;
	if (rows->n == rows->k)
		for (i = rows->n / 2; i-- > 0;)
			sift_down(rows->heap, rows->n, i);
}

static inline void
consider(Rows *rows, uint32 source, uint32 item)
{
	SimTally *tally = &rows->tally[item];
	SimTraining *training = rows->training;
	Candidate candidate;

	candidate.value = (double) tally->weight * rows->damping[item];
	if (rows->n == rows->k && candidate.value < rows->heap[0].value)
		return;
	if (item == source || tally->n < training->options.min_support)
		return;
	candidate.hash = training->item_hashes[item];
	candidate.item = item;
	candidate.support = Min(tally->n, PG_UINT32_MAX);
	offer(rows, &candidate);
}

/* Add up a row where most items will occur; all are looked at afterwards. */
static void
count_dense(Rows *rows, uint32 source)
{
	SimHistories *h = &rows->training->histories;
	SimTally *tally = rows->tally;
	uint32 nitems = rows->training->nitems;
	Size s;
	uint32 j;

	for (s = h->item_starts[source]; s < h->item_starts[source + 1]; s++)
	{
		uint32 subject = h->item_subjects[s];
		const uint32 *item = h->items + h->starts[subject];
		const uint32 *end = h->items + h->starts[subject + 1];
		int64 weight = rows->weights[end - item];

		CHECK_FOR_INTERRUPTS();
		for (; item < end; item++)
		{
			tally[*item].weight += weight;
			tally[*item].n++;
		}
	}
	for (j = 0; j < nitems; j++)
		if (tally[j].n > 0)
			consider(rows, source, j);
	memset(tally, 0, nitems * sizeof(SimTally));
}

/* Add up a row where few items occur, and remember which. */
static void
count_sparse(Rows *rows, uint32 source)
{
	SimHistories *h = &rows->training->histories;
	SimTally *tally = rows->tally;
	Size s;
	uint32 t;

	rows->ntouched = 0;
	for (s = h->item_starts[source]; s < h->item_starts[source + 1]; s++)
	{
		uint32 subject = h->item_subjects[s];
		const uint32 *item = h->items + h->starts[subject];
		const uint32 *end = h->items + h->starts[subject + 1];
		int64 weight = rows->weights[end - item];

		CHECK_FOR_INTERRUPTS();
		for (; item < end; item++)
		{
			if (tally[*item].n++ == 0)
				rows->touched[rows->ntouched++] = *item;
			tally[*item].weight += weight;
		}
	}
	for (t = 0; t < rows->ntouched; t++)
	{
		consider(rows, source, rows->touched[t]);
		memset(&tally[rows->touched[t]], 0, sizeof(SimTally));
	}
}

static int
best_first(const void *a, const void *b)
{
	const Candidate *p = a;
	const Candidate *q = b;

	return worse(p, q) ? 1 : worse(q, p) ? -1 : 0;
}

/* Sharpen and normalise the candidates into rows->row. */
static void
finish_row(Rows *rows)
{
	double sharpness = rows->training->options.sharpness;
	double sum = 0;
	int i;

	qsort(rows->heap, rows->n, sizeof(Candidate), best_first);

	/* Relative to the best, so that no power over- or underflows. */
	for (i = rows->n; i-- > 0;)
	{
		rows->heap[i].value =
			pow(rows->heap[i].value / rows->heap[0].value, sharpness);
		sum += rows->heap[i].value;
	}
	for (i = 0; i < rows->n; i++)
	{
		rows->row.items[i] = rows->heap[i].item;
		rows->row.weights[i] = (float) (rows->heap[i].value / sum);
		rows->row.supports[i] = rows->heap[i].support;
	}
	rows->row.n = rows->n;
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
set_weights(Rows *rows)
{
	SimTraining *training = rows->training;
	int bits = 61 - pg_leftmost_one_pos64(training->histories.nsubjects + 1);
	double scale = ldexp(1, Min(bits, 52));
	int d;

	rows->weights = palloc0((training->options.history + 1) * sizeof(int64));
	for (d = 1; d <= training->options.history; d++)
	{
		int64 weight =
			llrint(scale * pow(d, -training->options.subject_exponent));

		rows->weights[d] = Max(weight, 1);
	}
}

static void
start_rows(Rows *rows, SimTraining *training)
{
	uint32 nitems = training->nitems;
	uint32 i;

	memset(rows, 0, sizeof(*rows));
	rows->training = training;
	rows->k = training->options.neighbors;
	rows->tally = MemoryContextAllocExtended(CurrentMemoryContext,
											 (nitems + 1) * sizeof(SimTally),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	rows->touched = MemoryContextAllocHuge(CurrentMemoryContext,
										   (nitems + 1) * sizeof(uint32));
	rows->damping = MemoryContextAllocHuge(CurrentMemoryContext,
										   (nitems + 1) * sizeof(double));
	for (i = 0; i < nitems; i++)
		rows->damping[i] = pow(Max(training->histories.degrees[i], 1),
							   -training->options.popularity_exponent);
	rows->heap = palloc(rows->k * sizeof(Candidate));
	rows->row.items = palloc(rows->k * sizeof(uint32));
	rows->row.weights = palloc(rows->k * sizeof(float));
	rows->row.supports = palloc(rows->k * sizeof(uint32));
	set_weights(rows);
}

void
sim_train_rows(SimTraining *training)
{
	Rows rows;
	uint32 i;

	start_rows(&rows, training);
	training->places = MemoryContextAllocHuge(CurrentMemoryContext,
											  (training->nitems + 1) *
												  sizeof(ItemPointerData));
	for (i = 0; i < training->nitems; i++)
	{
		sim_training_pause(training);
		ItemPointerSetInvalid(&training->places[i]);
		rows.n = 0;
		if (row_work(&training->histories, i) > training->nitems / 4)
			count_dense(&rows, i);
		else
			count_sparse(&rows, i);
		if (rows.n > 0)
		{
			finish_row(&rows);
			sim_write_row(training, i, &rows.row);
		}
		if (i % 256 == 255)
			sim_phase_done(training->clock, i + 1);
	}
	pfree(rows.tally);
	pfree(rows.touched);
	pfree(rows.damping);
}
