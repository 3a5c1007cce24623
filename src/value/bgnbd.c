/*
 * bgnbd.c
 *		BG/NBD: a customer may leave after each repeat purchase.
 *
 * Fader, Hardie and Lee 2005, "Counting your customers the easy way: an
 * alternative to the Pareto/NBD model", Marketing Science 24(2).
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
bgnbd_log_likelihood(const double *params, const Customer *customer,
					 double weight, double *gradient)
{
	return beta_geometric_log_likelihood(params, customer, customer->x, weight,
										 gradient);
}

static double
bgnbd_p_alive(const double *params, const Customer *customer)
{
	return beta_geometric_p_alive(params, customer, customer->x);
}

/*
 * Equation 10.  Given that the customer is still one, what is known of the
 * rate is Gamma(r + x, alpha + T) distributed, of the probability of leaving
 * Beta(a, b + x), and both are independent.
 */
static double
bgnbd_expected_if_alive(const double *params, const Customer *customer,
						double horizon)
{
	return dropout_mean(params[0] + customer->x, params[1] + customer->T,
						params[2], params[3] + customer->x, horizon);
}

/* Equation 9. */
static double
bgnbd_expected(const double *params, double horizon)
{
	return dropout_mean(params[0], params[1], params[2], params[3], horizon);
}

/* Equation 8. */
static double
bgnbd_pmf(const double *params, double n, double horizon)
{
	return beta_geometric_pmf(params, n, n, horizon);
}

const PurchaseModel bgnbd_model = {
	.name = "bgnbd",
	.title = "BG/NBD",
	.nparams = 4,
	.param_names = { "r", "alpha", "a", "b" },
	.nstarts = lengthof(starts),
	.starts = starts,
	.is_time = { false, true, false, false },
	.log_likelihood = bgnbd_log_likelihood,
	.log_likelihood_sum = bgnbd_log_likelihood_sum,
	.p_alive = bgnbd_p_alive,
	.expected_if_alive = bgnbd_expected_if_alive,
	.expected = bgnbd_expected,
	.pmf = bgnbd_pmf,
};
