/*
 * linucb_read.c
 *		What a state of linucb() says: LinUCB with disjoint linear models, after
 *		Li, Chu, Langford and Schapire (WWW 2010), algorithm 1.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "bandit/bandit.h"
#include "bandit/linucb.h"
#include "cluster/cluster.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_linucb_score);
PG_FUNCTION_INFO_V1(personalize_linucb_coefficients);

/*
 * What is left of a feature once those before it are taken off must be more
 * than this part of it, or there is nothing in it but what was rounded off.
 */
#define LEAST_REST 1e-12

/*
 * The lower triangle L of A = L L', A being X'X + l2 I, row by row (Cholesky).
 * In exact arithmetic there always is one.
 */
static double *
factorise(const LinUcb *arm, double l2)
{
	int n = arm->width;
	double *matrix = palloc(n * n * sizeof(double));

	for (int i = 0; i < n; i++)
	{
		double *row = matrix + i * n;

		for (int j = 0; j <= i; j++)
		{
			const double *other = matrix + j * n;
			double rest = sum_value(linucb_product(arm, j, i));
			double whole;

			if (i == j)
				rest += l2;
			whole = rest;
			for (int k = 0; k < j; k++)
				rest -= row[k] * other[k];
			if (j < i)
				row[j] = rest / other[j];
			else if (rest > LEAST_REST * whole && isfinite(rest))
				row[j] = sqrt(rest);
			else
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("l2 is too small for these features"),
						 errdetail("l2 is %s; feature %d depends on those before it.",
								   float8out_internal(l2), i + 1),
						 errhint(
							 "Use a larger l2, or bring the features to one scale.")));
		}
	}
	return matrix;
}

/* Solves L y = x, y taking the place of x. */
static void
solve_lower(const double *matrix, int n, double *x)
{
	for (int i = 0; i < n; i++)
	{
		for (int k = 0; k < i; k++)
			x[i] -= matrix[i * n + k] * x[k];
		x[i] /= matrix[i * n + i];
	}
}

/* Solves L' y = x. */
static void
solve_upper(const double *matrix, int n, double *x)
{
	for (int i = n - 1; i >= 0; i--)
	{
		for (int k = i + 1; k < n; k++)
			x[i] -= matrix[k * n + i] * x[k];
		x[i] /= matrix[i * n + i];
	}
}

static double *
rewards_of(const LinUcb *arm)
{
	double *rewards = palloc(arm->width * sizeof(double));

	for (int i = 0; i < arm->width; i++)
		rewards[i] = sum_value(linucb_reward(arm, i));
	return rewards;
}

static double
dot(const double *a, const double *b, int n)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

static double
arg_l2(FunctionCallInfo fcinfo, int argno)
{
	return arg_within(fcinfo, argno, "l2", DBL_MIN, INFINITY,
					  "positive and finite",
					  "It keeps the coefficients of few rows small; 1 is that of the paper.");
}

/* theta x + alpha sqrt(x' A^-1 x), with theta = A^-1 X'y. */
Datum
personalize_linucb_score(PG_FUNCTION_ARGS)
{
	double alpha =
		arg_within(fcinfo, 2, "alpha", 0, INFINITY, "finite, 0 or more",
				   "It is how much uncertainty is worth.");
	double l2 = arg_l2(fcinfo, 3);
	const double *features;
	double *x;
	double score;
	int width;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	features = linucb_features(PG_GETARG_ARRAYTYPE_P(1), &width);
	x = palloc(width * sizeof(double));
	memcpy(x, features, width * sizeof(double));

	if (PG_ARGISNULL(0))
		score = alpha * sqrt(dot(x, x, width) / l2);
	else
	{
		const LinUcb *arm = state_readable(fcinfo, 0);
		double *rewards;
		double *matrix;

		features_check_width(width, arm->width);
		matrix = factorise(arm, l2);
		rewards = rewards_of(arm);
		solve_lower(matrix, width, x);
		solve_lower(matrix, width, rewards);
		score = dot(x, rewards, width) + alpha * sqrt(dot(x, x, width));
	}
	if (!isfinite(score))
		float_overflow_error();
	PG_RETURN_FLOAT8(score);
}

Datum
personalize_linucb_coefficients(PG_FUNCTION_ARGS)
{
	double l2 = arg_l2(fcinfo, 1);
	const LinUcb *arm;
	double *matrix;
	double *theta;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	arm = state_readable(fcinfo, 0);
	matrix = factorise(arm, l2);
	theta = rewards_of(arm);
	solve_lower(matrix, arm->width, theta);
	solve_upper(matrix, arm->width, theta);
	for (int i = 0; i < arm->width; i++)
	{
		if (!isfinite(theta[i]))
			float_overflow_error();
	}
	return number_array(theta, arm->width);
}
