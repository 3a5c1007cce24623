/*
 * bandit.h
 *		Bandits: what the files of this part share.
 */
#ifndef PERSONALIZE_BANDIT_H
#define PERSONALIZE_BANDIT_H

#include <math.h>

#include "fmgr.h"

/* ---- arms.c: what is known of the arms, and arrays with a number for each ---- */

typedef struct Arms
{
	int k;
	double *n; /* how often each was tried */
	double *sums;
	double *squares; /* NULL if not given */
	double total;	 /* of n */
} Arms;

/* The first of the arguments is n, the next one sums, and perhaps sum_squares. */
extern Arms arg_arms(FunctionCallInfo fcinfo, int argno, bool with_squares);

/* A number from low to high, or an error that says what it must be. */
extern double
arg_within(FunctionCallInfo fcinfo, int argno, const char *name, double low,
		   double high, const char *must, const char *hint);

extern Datum number_array(const double *values, int n);

/* Mean reward of an arm, infinite if it was never tried. */
static inline double
arm_mean(const Arms *arms, int i)
{
	return arms->n[i] > 0 ? arms->sums[i] / arms->n[i] : INFINITY;
}

/* ---- ucb1.c ---- */

extern double arg_exploration(FunctionCallInfo fcinfo, int argno);
extern void ucb1_scores(const Arms *arms, double exploration, double *scores);

/* ---- posterior.c: what is believed of the mean of an arm ---- */

/*
 * A density on the real line whose logarithm is concave: a normal one, or that
 * of ln(p / (1 - p)) for a p of a beta distribution.  The latter is concave
 * for all a, b > 0, while that of p has poles where a or b is below 1.
 */
typedef struct Posterior
{
	double mode;
	double scale;	  /* the standard deviation, by the curvature at the mode */
	double log_top;	  /* ln of the density at the mode */
	double low, high; /* outside, the density is nothing */
	double a, b;	  /* of the beta distribution, 0 for a normal one */
} Posterior;

extern void posterior_normal(Posterior *posterior, double mean, double sd);
extern void posterior_beta(Posterior *posterior, double a, double b);

/*
 * The density at x + further.  Where x is near the mode, their difference is
 * exact, and a small step further keeps its digits.
 */
extern double
posterior_density(const Posterior *posterior, double x, double further);

/*
 * Where a beta distribution ends on its steep side: the density is one of
 * exp(c x - exp(x)) there, of scale 1 whatever the scale at the mode.
 */
static inline double
posterior_edge(const Posterior *posterior)
{
	if (posterior->a <= posterior->b)
		return posterior->mode - log(Min(posterior->a, 1));
	return posterior->mode + log(Min(posterior->b, 1));
}

/* ---- best_arm.c ---- */

/*
 * The probability of each arm that a draw of its posterior is the highest of
 * all, or, with top_two, half of that to be the highest or the second.
 */
extern void best_arm_probabilities(const Posterior *posteriors, int k,
								   bool top_two, double *probabilities);

/* ---- race.c: the integrals behind it ---- */

/* Arms that are believed to be the same, and what is found for each of them. */
typedef struct Racer
{
	Posterior posterior;
	int count;
	double below; /* distribution function, up to where the race has come */
	double best;
	double top_two;
} Racer;

/* The race of n of them, from start on. */
extern void race_run(Racer *racers, int n, double start);

/* ---- thompson.c ---- */

typedef struct NormalPrior
{
	double mean;
	double variance; /* infinite: nothing is known */
} NormalPrior;

extern void thompson_bernoulli(const Arms *arms, double success, double failure,
							   bool top_two, double *probabilities);
extern void thompson_gaussian(const Arms *arms, const NormalPrior *prior,
							  bool top_two, double *probabilities);

#endif
