/*
 * topk.c
 *		The k highest of many scores: a binary heap with the lowest on top.
 */
#include "postgres.h"

#include "common/topk.h"
#include "utils/float.h"
#include "utils/memutils.h"

void
topk_init(TopK *top, int k, int total)
{
	top->k = Min(k, total);
	top->n = 0;
	top->scores =
		palloc_extended(Max(top->k, 1) * sizeof(double), MCXT_ALLOC_HUGE);
}

static void
sift_up(double *heap, int child, double score)
{
	while (child > 0)
	{
		int parent = (child - 1) / 2;

		if (heap[parent] <= score)
			break;
		heap[child] = heap[parent];
		child = parent;
	}
	heap[child] = score;
}

static void
sift_down(double *heap, int n, double score)
{
	int parent = 0;

	while (parent < n / 2)
	{
		int child = 2 * parent + 1;

		if (child + 1 < n && heap[child + 1] < heap[child])
			child++;
		if (heap[child] >= score)
			break;
		heap[parent] = heap[child];
		parent = child;
	}
	heap[parent] = score;
}

/* topk_add() has found that the score belongs in. */
void
topk_insert(TopK *top, double score)
{
	if (top->n < top->k)
		sift_up(top->scores, top->n++, score);
	else
		sift_down(top->scores, top->n, score);
}

double
topk_threshold(const TopK *top)
{
	if (top->n < top->k || top->k == 0)
		return -get_float8_infinity();
	return top->scores[0];
}
