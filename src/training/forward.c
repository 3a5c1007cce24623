/*
 * forward.c
 *		Directed pairs: what comes after an item, and how soon.
 *
 * Where a history has b after a, t steps of distinct items later, the pair
 * counts d_u^-g * decay^(t-1) from a to b, and backward_weight times that from
 * b to a; pairs more than `window` steps apart do not count.  A history comes
 * in canonical order here (histories.c), latest first.
 */
#include "postgres.h"

#include <math.h>

#include "training/training.h"

bool
sim_is_directed(const SimTraining *training)
{
	return training->options.direction == SIM_DIRECTION_FORWARD;
}

/* Is what the parameters ask for possible?  Says why not at that level. */
bool
sim_check_direction(SimIndex *ix, int level)
{
	const SimOptions *options = sim_options(ix->rel);
	const char *name = RelationGetRelationName(ix->rel);
	bool ridge = options->method == SIM_METHOD_RIDGE;

	if (options->direction != SIM_DIRECTION_FORWARD)
		return true;
	if (!ix->has_time)
		ereport(level,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("direction = forward needs the times of interactions, which index \"%s\" does not have",
						name),
				 errhint(
					 "Create the index with a column of type timestamptz, timestamp or date in INCLUDE, or without direction.")));
	else if (ridge || options->low_pass > 0)
		ereport(level,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("direction = forward of index \"%s\" cannot be combined with %s",
						name, ridge ? "method = ridge" : "low_pass"),
				 errdetail("It takes counts that are the same both ways."),
				 errhint("Leave out %s, or direction.",
						 ridge ? "method" : "low_pass")));
	else
		return true;
	return false;
}

/* decay^(t-1) by t, from 1 up to the window. */
double *
sim_forward_steps(const SimTraining *training)
{
	int window = training->options.forward_window;
	double *steps = palloc((window + 1) * sizeof(double));
	int t;

	steps[0] = 0;
	for (t = 1; t <= window; t++)
		steps[t] = pow(training->options.forward_decay, t - 1);
	return steps;
}

static inline void
add(SimPairs *pairs, uint32 item, double weight)
{
	SimTally *tally = &pairs->tally[item];
	int64 units = llrint(weight);

	if (tally->n++ == 0)
		pairs->items[pairs->n++] = item;
	tally->weight += Max(units, 1);
}

/* Add the pairs of one history, at whose place p the source is. */
static void
add_history(SimPairs *pairs, const uint32 *items, const float *weights, int n,
			int p, double unit)
{
	const SimOptions *options = &pairs->training->options;
	int t;

	add(pairs, items[p], unit * (weights ? weights[p] : 1));
	for (t = 1; t <= options->forward_window; t++)
	{
		double weight = unit * pairs->steps[t];

		/* With a decay or a backward weight of 0 there are no such pairs. */
		if (weight == 0)
			break;
		if (p - t >= 0)
			add(pairs, items[p - t], weight * (weights ? weights[p - t] : 1));
		if (p + t < n && options->backward_weight > 0)
			add(pairs, items[p + t],
				weight * options->backward_weight *
					(weights ? weights[p + t] : 1));
	}
}

/* Count the pairs of a source, itself among them. */
void
sim_forward_count(SimPairs *pairs, uint32 source)
{
	SimHistories *h = &pairs->training->histories;
	Size s;

	for (s = h->item_starts[source]; s < h->item_starts[source + 1]; s++)
	{
		uint32 subject = h->item_subjects[s];
		const uint32 *items = h->items + h->starts[subject];
		const float *weights = NULL;
		int n = h->starts[subject + 1] - h->starts[subject];
		double unit = (double) pairs->weights[n];
		int p = 0;

		CHECK_FOR_INTERRUPTS();
		while (items[p] != source)
			p++;
		if (pairs->training->weighted)
		{
			weights = h->weights + h->starts[subject];
			unit *= h->subject_weights[subject] * h->item_weights[s];
		}
		add_history(pairs, items, weights, n, p, unit);
	}
}
