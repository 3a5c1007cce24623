/*
 * sharpen.c
 *		Sharpening: what two steps explain is taken off the first step.
 *
 * W = S - beta S B, S and B being rows of normalised co-occurrence.  See
 * doc/recommend.md.
 */
#include "postgres.h"

#include "training/methods.h"

/*
 * Take the second step from each of the neighbours off.  They come best
 * first, and an item is at most once in a list, so that the order in which an
 * item's parts are added does not depend on numbers.
 */
void
sim_sharpen(SimSums *sums, const SimNearest *first, const SimSecondStep *second,
			double weight)
{
	const SimLists *lists = &second->lists;
	int i;

	for (i = 0; i < first->n; i++)
	{
		uint32 between = first->heap[i].item;
		double step = -weight * first->heap[i].value;
		Size end = lists->starts[between + 1];
		Size entry;

		for (entry = lists->starts[between]; entry < end; entry++)
			sim_sums_add(sums, lists->items[entry],
						 step * lists->values[entry]);
	}
}
