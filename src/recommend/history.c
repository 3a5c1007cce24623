/*
 * history.c
 *		A subject's history as neighbour lists, each with a weight.
 *
 * The score of an item j is the sum over the items i of the history of
 * weight_i * S(i, j), S being the neighbour lists of the index.  Who adds up
 * the lists in the order of visit_lists() has the same sums as recommend(), to
 * the last bit, on every node.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "recommend/recommend.h"

/* A neighbour list that was copied. */
typedef struct ReadList
{
	SimNeighbors list; /* but for its supports */
	int place;
} ReadList;

/*
 * How much each item of the history counts.  By a directed model, each counts
 * less for every item that is more recent.  An item without a time is as old
 * as can be, unless the times of all are missing and nothing tells them apart.
 */
static double *
history_weights(const History *history, double half_life)
{
	double *weights =
		palloc_extended(Max(history->n, 1) * sizeof(double), MCXT_ALLOC_HUGE);
	TimestampTz newest = SIM_NO_TIME;
	double step =
		history->reader->directed ? history->reader->forward_decay : 1;
	int later = 0; /* items that are more recent */

	for (int i = 0; i < history->n; i++)
		newest = Max(newest, history->items[i].time);

	for (int i = 0; i < history->n; i++)
	{
		const SimHistoryItem *item = &history->items[i];

		weights[i] = 1;
		if (history->reader->has_strength)
			weights[i] = sim_strength_weight(history->reader->strength_scale,
											 item->strength);
		if (item->time != history->items[later].time)
			later = i;
		if (history->reader->directed)
			weights[i] *=
				pow(step, history->stored ? later : history->places[i]);
		if (half_life == 0 || newest == SIM_NO_TIME)
			continue;
		weights[i] *= item->time == SIM_NO_TIME ?
			0 :
			age_factor(newest, item->time, half_life);
	}
	return weights;
}

static int
by_source_hash(const void *a, const void *b)
{
	const ReadList *x = a;
	const ReadList *y = b;

	if (x->list.source_hash != y->list.source_hash)
		return x->list.source_hash < y->list.source_hash ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place ? 1 : 0;
}

/*
 * Visit the lists of the items from first to end, which share a time.  They
 * come in the order of item numbers; sums of floating point and the choice
 * among equal reasons need one that is the same on every node.
 */
static void
visit_tied(const History *history, const double *weights, int first, int end,
		   ListVisitor visit, void *arg)
{
	ReadList *lists = palloc((end - first) * sizeof(ReadList));
	int n = 0;

	for (int i = first; i < end; i++)
	{
		ReadList *copy = &lists[n];
		SimNeighbors list;

		CHECK_FOR_INTERRUPTS();
		sim_read_neighbors(history->reader, history->items[i].item, &list);
		if (list.n == 0)
			continue;
		copy->place = i;
		copy->list = list;
		copy->list.items = memcpy(palloc(list.n * sizeof(uint32)), list.items,
								  list.n * sizeof(uint32));
		copy->list.weights = memcpy(palloc(list.n * sizeof(float)),
									list.weights, list.n * sizeof(float));
		sim_release_neighbors(&list);
		n++;
	}
	qsort(lists, n, sizeof(ReadList), by_source_hash);
	for (int i = 0; i < n; i++)
		visit(arg, &lists[i].list, weights[lists[i].place], lists[i].place);
}

static void
visit_single(const History *history, const double *weights, int place,
			 ListVisitor visit, void *arg)
{
	SimNeighbors list;

	CHECK_FOR_INTERRUPTS();
	sim_read_neighbors(history->reader, history->items[place].item, &list);
	if (list.n == 0)
		return;
	visit(arg, &list, weights[place], place);
	sim_release_neighbors(&list);
}

/* Visit the lists of the history's items, sim_prepare_neighbors() done. */
void
visit_lists(const History *history, double half_life, ListVisitor visit,
			void *arg)
{
	double *weights = history_weights(history, half_life);
	int end;

	for (int first = 0; first < history->n; first = end)
	{
		end = first + 1;
		while (history->stored && end < history->n &&
			   history->items[end].time == history->items[first].time)
			end++;
		if (end - first == 1)
			visit_single(history, weights, first, visit, arg);
		else
			visit_tied(history, weights, first, end, visit, arg);
	}
	pfree(weights);
}

/* The history that the index has of a subject; without one if not known. */
void
subject_history(SimReader *reader, bool known, Datum subject, History *history)
{
	memset(history, 0, sizeof(*history));
	history->reader = reader;
	history->stored = true;
	if (known)
		history->n =
			sim_read_history(reader, subject, &history->items, &history->nall);
}

/* The item numbers of the whole history, those that count first. */
ItemNumber *
history_numbers(const History *history)
{
	ItemNumber *numbers =
		palloc_extended(Max(history->nall, 1) * sizeof(ItemNumber),
						MCXT_ALLOC_HUGE);

	for (int i = 0; i < history->nall; i++)
		numbers[i] = history->items[i].item;
	return numbers;
}
