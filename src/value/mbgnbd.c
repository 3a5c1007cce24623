/*
 * mbgnbd.c
 *		MBG/NBD: a customer may leave after each purchase, the first one too.
 *
 * Batislam, Denizel and Filiztekin 2007, "Empirical validation and comparison of
 * models for customer base analysis", Int. J. of Research in Marketing 24(3).
 */
#include "postgres.h"

#include <math.h>

#include "value/value.h"

static const double starts[][MODEL_MAX_PARAMS] = {
	{ 0.25, 0.15, 0.8, 2.5 },
	{ 1, 0.5, 0.5, 4 },
	{ 2, 0.2, 2, 2 },
};

static double
mbgnbd_log_likelihood(const double *params, const Customer *customer,
					  double weight, double *gradient)
{
	return beta_geometric_log_likelihood(params, customer, customer->x + 1,
										 weight, gradient);
}

static double
mbgnbd_p_alive(const double *params, const Customer *customer)
{
	return beta_geometric_p_alive(params, customer, customer->x + 1);
}

/* As of BG/NBD, with one more chance to leave that was not taken. */
static double
mbgnbd_expected_if_alive(const double *params, const Customer *customer,
						 double horizon)
{
	return dropout_mean(params[0] + customer->x, params[1] + customer->T,
						params[2], params[3] + customer->x + 1, horizon);
}

/* Of those who did not leave after their first purchase. */
static double
mbgnbd_expected(const double *params, double horizon)
{
	double a = params[2];
	double b = params[3];

	return b / (a + b) * dropout_mean(params[0], params[1], a, b + 1, horizon);
}

static double
mbgnbd_pmf(const double *params, double n, double horizon)
{
	return beta_geometric_pmf(params, n, n + 1, horizon);
}

const PurchaseModel mbgnbd_model = {
	.name = "mbgnbd",
	.title = "MBG/NBD",
	.nparams = 4,
	.param_names = { "r", "alpha", "a", "b" },
	.nstarts = lengthof(starts),
	.starts = starts,
	.is_time = { false, true, false, false },
	.log_likelihood = mbgnbd_log_likelihood,
	.log_likelihood_sum = mbgnbd_log_likelihood_sum,
	.p_alive = mbgnbd_p_alive,
	.expected_if_alive = mbgnbd_expected_if_alive,
	.expected = mbgnbd_expected,
	.pmf = mbgnbd_pmf,
};
