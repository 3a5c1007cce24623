/*
 * nearest.c
 *		The k candidates of highest value, equal ones by the hash of the item.
 */
#include "postgres.h"

#include "training/training.h"

/* Is a worse than b? */
static inline bool
worse(const SimCandidate *a, const SimCandidate *b)
{
	if (a->value != b->value)
		return a->value < b->value;
	return a->hash > b->hash;
}

static void
sift_down(SimCandidate *heap, int n, int i)
{
	SimCandidate moving = heap[i];

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

void
sim_nearest_begin(SimNearest *nearest, int k)
{
	nearest->heap = palloc(k * sizeof(SimCandidate));
	nearest->k = k;
	nearest->n = 0;
}

void
sim_nearest_offer(SimNearest *nearest, const SimCandidate *candidate)
{
	int i;

	if (nearest->n == nearest->k)
	{
		if (!worse(&nearest->heap[0], candidate))
			return;
		nearest->heap[0] = *candidate;
		sift_down(nearest->heap, nearest->n, 0);
		return;
	}
	nearest->heap[nearest->n++] = *candidate;
	if (nearest->n == nearest->k)
		for (i = nearest->n / 2; i-- > 0;)
			sift_down(nearest->heap, nearest->n, i);
}

static int
best_first(const void *a, const void *b)
{
	const SimCandidate *p = a;
	const SimCandidate *q = b;

	return worse(p, q) ? 1 : worse(q, p) ? -1 : 0;
}

/* The best first; no more can be offered until n is set to 0. */
void
sim_nearest_sort(SimNearest *nearest)
{
	qsort(nearest->heap, nearest->n, sizeof(SimCandidate), best_first);
}
