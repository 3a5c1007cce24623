/*
 * policy.c
 *		bandit_probabilities(): with which probability to choose each arm.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "bandit/bandit.h"
#include "common/args.h"
#include "utils/builtins.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_bandit_probabilities);

/* The arguments, by their places. */
enum
{
	METHOD,
	N,
	SUMS,
	SUM_SQUARES,
	EPSILON,
	TEMPERATURE,
	EXPLORATION,
	PRIOR_SUCCESS,
	PRIOR_FAILURE,
	PRIOR_MEAN,
	PRIOR_VARIANCE,
	MIN_WEIGHT,
	TOP_TWO
};

/* Parameters of beta distributions for which the quadrature is tested. */
#define PRIOR_MIN 1e-3
#define PRIOR_MAX 1e12

typedef struct Policy
{
	double epsilon;
	double temperature;
	double exploration;
	double prior_success;
	double prior_failure;
	NormalPrior normal;
	double min_weight;
	bool top_two;
} Policy;

typedef void (*Method)(const Arms *arms, const Policy *policy,
					   double *probabilities);

/* The first of the highest scores. */
static int
first_highest(const double *scores, int k)
{
	int best = 0;

	for (int i = 1; i < k; i++)
	{
		if (scores[i] > scores[best])
			best = i;
	}
	return best;
}

static void
epsilon_greedy(const Arms *arms, const Policy *policy, double *probabilities)
{
	int best;

	for (int i = 0; i < arms->k; i++)
		probabilities[i] = arm_mean(arms, i);
	best = first_highest(probabilities, arms->k);
	for (int i = 0; i < arms->k; i++)
		probabilities[i] = policy->epsilon / arms->k;
	probabilities[best] += 1 - policy->epsilon;
}

static void
softmax(const Arms *arms, const Policy *policy, double *probabilities)
{
	double total = 0;
	double highest;

	for (int i = 0; i < arms->k; i++)
		probabilities[i] = arm_mean(arms, i);
	highest = probabilities[first_highest(probabilities, arms->k)];
	for (int i = 0; i < arms->k; i++)
	{
		double mean = probabilities[i];

		if (isinf(highest))
			probabilities[i] = isinf(mean) ? 1 : 0;
		else
			probabilities[i] = exp((mean - highest) / policy->temperature);
		total += probabilities[i];
	}
	for (int i = 0; i < arms->k; i++)
		probabilities[i] /= total;
}

static void
ucb1(const Arms *arms, const Policy *policy, double *probabilities)
{
	int best;

	ucb1_scores(arms, policy->exploration, probabilities);
	best = first_highest(probabilities, arms->k);
	for (int i = 0; i < arms->k; i++)
		probabilities[i] = i == best;
}

static void
thompson(const Arms *arms, const Policy *policy, double *probabilities)
{
	thompson_bernoulli(arms, policy->prior_success, policy->prior_failure,
					   policy->top_two, probabilities);
}

static void
gaussian(const Arms *arms, const Policy *policy, double *probabilities)
{
	if (!arms->squares)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("sum_squares must not be null"),
				 errhint(
					 "Method thompson_gaussian needs sum(reward * reward) of each arm.")));
	thompson_gaussian(arms, &policy->normal, policy->top_two, probabilities);
}

static const struct
{
	const char *name;
	Method method;
	bool knows_top_two;
} methods[] = {
	{ "epsilon_greedy", epsilon_greedy, false },
	{ "softmax", softmax, false },
	{ "ucb1", ucb1, false },
	{ "thompson", thompson, true },
	{ "thompson_gaussian", gaussian, true },
};

static Method
arg_method(FunctionCallInfo fcinfo, bool top_two)
{
	char *name;

	arg_not_null(fcinfo, METHOD, "method");
	name = text_to_cstring(PG_GETARG_TEXT_PP(METHOD));
	for (int i = 0; i < (int) lengthof(methods); i++)
	{
		if (strcmp(name, methods[i].name) != 0)
			continue;
		if (top_two && !methods[i].knows_top_two)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("top_two is not for method %s", name),
					 errhint("Use it with thompson or thompson_gaussian.")));
		return methods[i].method;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("method \"%s\" is not known", name),
			 errhint(
				 "Methods are epsilon_greedy, softmax, ucb1, thompson and thompson_gaussian.")));
	pg_unreachable();
}

static double
arg_positive(FunctionCallInfo fcinfo, int argno, const char *name,
			 const char *hint)
{
	return arg_within(fcinfo, argno, name, DBL_MIN, INFINITY,
					  "positive and finite", hint);
}

static double
arg_prior(FunctionCallInfo fcinfo, int argno, const char *name)
{
	return arg_within(fcinfo, argno, name, PRIOR_MIN, PRIOR_MAX,
					  "from 0.001 to 1e12",
					  "It counts as so many trials before the first; 1 and 1 is a uniform prior.");
}

static double
arg_prior_variance(FunctionCallInfo fcinfo)
{
	arg_not_null(fcinfo, PRIOR_VARIANCE, "prior_variance");
	if (PG_GETARG_FLOAT8(PRIOR_VARIANCE) == INFINITY)
		return INFINITY;
	return arg_within(fcinfo, PRIOR_VARIANCE, "prior_variance", DBL_MIN,
					  INFINITY, "positive", "Infinity stands for no prior.");
}

static double
arg_min_weight(FunctionCallInfo fcinfo, int k)
{
	double weight =
		arg_within(fcinfo, MIN_WEIGHT, "min_weight", 0, INFINITY,
				   "finite, 0 or more",
				   "It is the probability that each arm gets at least.");

	/* 1 / k as written in decimals may be a little more */
	if (weight * k > 1 + 1e-9)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_weight is too large for the number of arms"),
				 errdetail("%d arms with %s each would have more than 1.", k,
						   float8out_internal(weight)),
				 errhint("It can be 1 / %d at most.", k)));
	return Min(weight, 1.0 / k);
}

static Policy
arg_policy(FunctionCallInfo fcinfo, int k)
{
	Policy policy;

	policy.epsilon = arg_within(fcinfo, EPSILON, "epsilon", 0, 1, "from 0 to 1",
								"It is the share of choices made at random.");
	policy.temperature =
		arg_positive(fcinfo, TEMPERATURE, "temperature",
					 "For choices of the best arm alone, use epsilon_greedy.");
	policy.exploration = arg_exploration(fcinfo, EXPLORATION);
	policy.prior_success = arg_prior(fcinfo, PRIOR_SUCCESS, "prior_success");
	policy.prior_failure = arg_prior(fcinfo, PRIOR_FAILURE, "prior_failure");
	policy.normal.mean =
		arg_within(fcinfo, PRIOR_MEAN, "prior_mean", -DBL_MAX, DBL_MAX,
				   "finite",
				   "It is the mean reward that is expected before the first.");
	policy.normal.variance = arg_prior_variance(fcinfo);
	policy.min_weight = arg_min_weight(fcinfo, k);
	arg_not_null(fcinfo, TOP_TWO, "top_two");
	policy.top_two = PG_GETARG_BOOL(TOP_TWO);
	return policy;
}

Datum
personalize_bandit_probabilities(PG_FUNCTION_ARGS)
{
	Arms arms = arg_arms(fcinfo, N, true);
	Policy policy = arg_policy(fcinfo, arms.k);
	Method method = arg_method(fcinfo, policy.top_two);
	double *probabilities = palloc(arms.k * sizeof(double));

	method(&arms, &policy, probabilities);
	for (int i = 0; i < arms.k; i++)
	{
		double free_part = Max(1 - arms.k * policy.min_weight, 0);

		probabilities[i] = policy.min_weight + free_part * probabilities[i];
	}
	return number_array(probabilities, arms.k);
}
