/*
 * exposure.c
 *		What can be said of all answers together: how many items they show,
 *		how evenly, and how little known these are.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "evaluation/evaluate.h"

void
sim_exposure_add(Contender *c)
{
	const SimHistories *h = &c->trial.training.histories;
	double subjects = Max(h->nsubjects, 1);
	int i;

	for (i = 0; i < c->nanswer; i++)
	{
		uint32 item = c->answer[i].item;

		c->exposure[item]++;
		c->information += log2(subjects / Max(h->degrees[item], 1));
		c->places++;
	}
}

/* Items that could be shown: those that somebody has. */
uint32
sim_exposure_items(const Contender *c)
{
	const SimTraining *training = &c->trial.training;
	uint32 items = 0;
	uint32 i;

	for (i = 0; i < training->nitems; i++)
		items += training->histories.degrees[i] > 0;
	return items;
}

uint32
sim_exposure_covered(const Contender *c)
{
	uint32 covered = 0;
	uint32 i;

	for (i = 0; i < c->trial.training.nitems; i++)
		covered += c->exposure[i] > 0;
	return covered;
}

static int
by_value(const void *a, const void *b)
{
	uint64 x = *(const uint64 *) a;
	uint64 y = *(const uint64 *) b;

	return x < y ? -1 : x > y ? 1 : 0;
}

/*
 * The Gini coefficient of exposure over the items that could be shown: 0 where
 * all are shown equally often, towards 1 where few take all places.
 */
double
sim_exposure_gini(const Contender *c)
{
	const SimTraining *training = &c->trial.training;
	uint64 *shown =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   (training->nitems + 1) * sizeof(uint64));
	double weighted = 0;
	double sum = 0;
	uint32 n = 0;
	uint32 i;

	for (i = 0; i < training->nitems; i++)
		if (training->histories.degrees[i] > 0)
			shown[n++] = c->exposure[i];
	qsort(shown, n, sizeof(uint64), by_value);
	for (i = 0; i < n; i++)
	{
		weighted += (2.0 * (i + 1) - n - 1) * shown[i];
		sum += shown[i];
	}
	pfree(shown);
	return sum > 0 ? weighted / (n * sum) : 0;
}

/* The mean self-information of a place, in bits. */
double
sim_exposure_novelty(const Contender *c)
{
	return c->places > 0 ? c->information / c->places : 0;
}
