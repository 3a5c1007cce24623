/*
 * metrics.c
 *		How good a list is, by what was held out.
 *
 * For a subject with held-out items T and a list L of up to k:
 *
 *		recall		hits / |T|
 *		ndcg		sum of 1/log2(rank + 1) over the hits, divided by that of
 *					the best list there could be, min(k, |T|) hits in front
 *		hit rate	1 if there is a hit
 *		mrr			1 / rank of the first hit, 0 without one
 *		precision	hits / k
 *
 * Each is averaged over the subjects.  These are the definitions of the
 * published splits; doc/evaluation.md has the papers.
 */
#include "postgres.h"

#include <math.h>

#include "tuning/tuning.h"

/* Add a list of n items, of which hits tells what was held out. */
void
sim_metrics_add(SimMetrics *metrics, const bool *hits, int n, int k,
				uint32 held)
{
	int found = 0;
	int first = 0;
	double gain = 0;
	double ideal = 0;
	int i;

	for (i = 0; i < n; i++)
	{
		if (!hits[i])
			continue;
		if (found++ == 0)
			first = i + 1;
		gain += 1 / log2(i + 2);
	}
	for (i = 0; i < k && i < (int) held; i++)
		ideal += 1 / log2(i + 2);
	metrics->subjects++;
	metrics->held_out += held;
	metrics->recall += (double) found / held;
	metrics->ndcg += gain / ideal;
	metrics->precision += (double) found / k;
	if (found > 0)
	{
		metrics->hit_rate += 1;
		metrics->mrr += 1.0 / first;
	}
}

/* Turn sums into means. */
void
sim_metrics_end(SimMetrics *metrics)
{
	double n = Max(metrics->subjects, 1);

	metrics->recall /= n;
	metrics->ndcg /= n;
	metrics->hit_rate /= n;
	metrics->mrr /= n;
	metrics->precision /= n;
}

static bool
is_held(const SimTrialSubject *subject, uint32 item)
{
	uint32 i;

	for (i = 0; i < subject->nheld; i++)
		if (subject->held[i] == item)
			return true;
	return false;
}

/* The metrics of the answers that these lists give. */
void
sim_trial_measure(SimTrial *trial, const SimTrialLists *lists, int k,
				  SimMetrics *metrics)
{
	SimScorer scorer;
	bool *hits = palloc(k * sizeof(bool));
	uint32 s;
	int i;

	memset(metrics, 0, sizeof(*metrics));
	sim_scorer_begin(&scorer, trial, k);
	for (s = 0; s < trial->nsubjects; s++)
	{
		const SimTrialSubject *subject = &trial->subjects[s];

		sim_training_pause(&trial->training);
		sim_score(&scorer, lists, subject);
		for (i = 0; i < scorer.best.n; i++)
			hits[i] = is_held(subject, scorer.best.heap[i].item);
		sim_metrics_add(metrics, hits, scorer.best.n, k, subject->nheld);
	}
	sim_metrics_end(metrics);
	sim_scorer_end(&scorer);
	pfree(hits);
}
