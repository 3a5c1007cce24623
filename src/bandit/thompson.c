/*
 * thompson.c
 *		Thompson sampling (Thompson 1933): arms are chosen with the probability
 *		that they are the best ones, which is computed rather than drawn.
 */
#include "postgres.h"

#include <math.h>

#include "bandit/bandit.h"
#include "utils/float.h"

/* Rewards are 0 or 1, and the mean of an arm has a beta distribution. */
void
thompson_bernoulli(const Arms *arms, double success, double failure,
				   bool top_two, double *probabilities)
{
	Posterior *posteriors = palloc(arms->k * sizeof(Posterior));

	for (int i = 0; i < arms->k; i++)
	{
		if (arms->sums[i] < 0 || arms->sums[i] > arms->n[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("sums must be from 0 to n"),
					 errdetail("Element %d is %s, of %.0f trials.", i + 1,
							   float8out_internal(arms->sums[i]), arms->n[i]),
					 errhint(
						 "Method thompson is for rewards of 0 and 1. For others use thompson_gaussian.")));
		posterior_beta(&posteriors[i], success + arms->sums[i],
					   failure + (arms->n[i] - arms->sums[i]));
	}
	best_arm_probabilities(posteriors, arms->k, top_two, probabilities);
	pfree(posteriors);
}

/*
 * A mean of known variance and a prior: precisions add up.  Each share is
 * computed by itself, as one that is nearly 1 has no digits of the other, and
 * the mean is found from the nearer end.
 */
static void
combine_normal(Posterior *posterior, double mean, double variance,
			   const NormalPrior *prior)
{
	double prior_share;
	double own_share;

	if (isinf(prior->variance))
	{
		posterior_normal(posterior, mean, sqrt(variance));
		return;
	}
	prior_share = 1 / (1 + prior->variance / variance);
	own_share = 1 / (1 + variance / prior->variance);
	if (prior_share < own_share)
		mean += prior_share * (prior->mean - mean);
	else
		mean = prior->mean + own_share * (mean - prior->mean);
	posterior_normal(posterior, mean,
					 sqrt(prior_share < own_share ?
							  variance * own_share :
							  prior->variance * prior_share));
}

/*
 * The mean of an arm, whose rewards' variance is taken to be that of the
 * sample.  False if nothing is known of it: without a prior, an arm needs two
 * rewards.
 */
static bool
normal_posterior(const Arms *arms, int i, const NormalPrior *prior,
				 Posterior *posterior)
{
	double n = arms->n[i];
	double mean = n > 0 ? arms->sums[i] / n : 0;
	double variance; /* of the mean */

	if (n < 2)
	{
		if (isinf(prior->variance))
			return false;
		posterior_normal(posterior, prior->mean, sqrt(prior->variance));
		return true;
	}
	variance = Max(arms->squares[i] - mean * arms->sums[i], 0) / (n - 1) / n;
	if (!isfinite(variance))
		float_overflow_error();
	combine_normal(posterior, mean, variance, prior);
	return true;
}

/*
 * Arms of which nothing is known are the limit of ever wider posteriors: each
 * is above or below all known ones with a chance of one half, and two of them
 * are never near each other.
 */
static void
add_unknown(const double *best, int known, int unknown, bool top_two,
			const bool *is_known, int k, double *probabilities)
{
	double none_above = ldexp(1, -unknown);
	double one_above = unknown * none_above;
	double share = none_above; /* of the known arms together */
	int next = 0;

	if (top_two)
	{
		/* with none above, they have both places, if they are two */
		none_above *= known > 1 ? 1 : 0.5;
		share = none_above + 0.5 * one_above;
	}
	for (int i = 0; i < k; i++)
	{
		if (!is_known[i])
			probabilities[i] = (known > 0 ? 1 - share : 1) / unknown;
		else
		{
			probabilities[i] *= none_above;
			if (top_two)
				probabilities[i] += 0.5 * one_above * best[next];
			next++;
		}
	}
}

void
thompson_gaussian(const Arms *arms, const NormalPrior *prior, bool top_two,
				  double *probabilities)
{
	Posterior *posteriors = palloc(arms->k * sizeof(Posterior));
	double *best = palloc(arms->k * sizeof(double));
	double *found = palloc(arms->k * sizeof(double));
	bool *is_known = palloc(arms->k * sizeof(bool));
	int known = 0;

	for (int i = 0; i < arms->k; i++)
	{
		is_known[i] = normal_posterior(arms, i, prior, &posteriors[known]);
		known += is_known[i];
	}
	if (known > 0)
	{
		best_arm_probabilities(posteriors, known, top_two, found);
		if (top_two && known < arms->k)
			best_arm_probabilities(posteriors, known, false, best);
	}
	for (int i = 0, next = 0; i < arms->k; i++)
		probabilities[i] = is_known[i] ? found[next++] : 0;
	if (known < arms->k)
		add_unknown(best, known, arms->k - known, top_two, is_known, arms->k,
					probabilities);
	pfree(posteriors);
	pfree(best);
	pfree(found);
	pfree(is_known);
}
