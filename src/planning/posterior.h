/*
 * posterior.h
 *		What is believed of a proportion (beta) or of a rate (gamma), and the
 *		comparison of two such beliefs.
 */
#ifndef PERSONALIZE_POSTERIOR_H
#define PERSONALIZE_POSTERIOR_H

#include "fmgr.h"

typedef struct Posterior
{
	bool is_gamma;
	double a; /* beta(a, b), or gamma of shape a ... */
	double b; /* ... and rate b */
} Posterior;

typedef struct Comparison
{
	double mean_a;
	double mean_b;
	double difference;
	double ci_low; /* of the difference */
	double ci_high;
	double chance_to_win;	/* that b is above a */
	double expected_loss_a; /* what choosing a loses on average */
	double expected_loss_b;
} Comparison;

/* ln P(b > a) */
extern double log_chance_above(const Posterior *a, const Posterior *b);

/* The average of b - a where that is positive, and else of 0. */
extern double expected_excess(const Posterior *a, const Posterior *b);

extern Comparison
compare_posteriors(const Posterior *a, const Posterior *b, double alpha);

/* As a row of numbers, in that order. */
extern Datum comparison_row(FunctionCallInfo fcinfo, const Comparison *result);

#endif
