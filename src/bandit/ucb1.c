/*
 * ucb1.c
 *		Upper confidence bounds: UCB1 of Auer, Cesa-Bianchi and Fischer (2002).
 */
#include "postgres.h"

#include <math.h>

#include "bandit/bandit.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_ucb1);

double
arg_exploration(FunctionCallInfo fcinfo, int argno)
{
	return arg_within(fcinfo, argno, "exploration", 0, INFINITY,
					  "finite, 0 or more",
					  "1 is that of the paper, and 0 leaves the mean alone.");
}

void
ucb1_scores(const Arms *arms, double exploration, double *scores)
{
	double log_total = arms->total > 1 ? log(arms->total) : 0;

	for (int i = 0; i < arms->k; i++)
	{
		scores[i] = arm_mean(arms, i);
		if (arms->n[i] > 0)
		{
			scores[i] += exploration * sqrt(2 * log_total / arms->n[i]);
			if (isinf(scores[i]))
				float_overflow_error();
		}
	}
}

Datum
personalize_ucb1(PG_FUNCTION_ARGS)
{
	Arms arms = arg_arms(fcinfo, 0, false);
	double exploration = arg_exploration(fcinfo, 2);
	double *scores = palloc(arms.k * sizeof(double));

	ucb1_scores(&arms, exploration, scores);
	return number_array(scores, arms.k);
}
