/*
 * beta_geometric.c
 *		What BG/NBD and MBG/NBD have in common.
 *
 * A customer buys at a rate that is Gamma(r, alpha) distributed among
 * customers, and may leave after each purchase, with a probability that is
 * Beta(a, b) distributed.  After n chances to leave, none of them taken, the
 * likelihood of x purchases within T is
 *
 *		B(a, b + n) / B(a, b) (r)_x alpha^r / (alpha + T)^(r + x),
 *
 * and where the last chance was taken at t_x, it is
 *
 *		B(a + 1, b + n - 1) / B(a, b) (r)_x alpha^r / (alpha + t_x)^(r + x)
 *
 * (Fader, Hardie and Lee 2005, "Counting your customers the easy way",
 * Marketing Science 24(2), equation 6, with n = x; Batislam, Denizel and
 * Filiztekin 2007, "Empirical validation and comparison of models for customer
 * base analysis", Int. J. of Research in Marketing 24(3), with n = x + 1).
 * The odds of the second against the first are
 *
 *		a / (b + n - 1) ((alpha + T) / (alpha + t_x))^(r + x).
 */
#include "postgres.h"

#include <math.h>

#include "numeric/numeric.h"
#include "value/value.h"

/* ln of the odds that the customer left with the last chance; n > 0. */
static double
log_odds_gone(const double *params, const Customer *customer, double chances)
{
	double r = params[0];
	double alpha = params[1];
	double a = params[2];
	double b = params[3];
	double silence = customer->T - customer->t_x;

	return log(a / (b + (chances - 1))) +
		(r + customer->x) * log1p(silence / (alpha + customer->t_x));
}

double
beta_geometric_p_alive(const double *params, const Customer *customer,
					   double chances)
{
	if (chances == 0)
		return 1;
	return 1 / (1 + exp(log_odds_gone(params, customer, chances)));
}

double
beta_geometric_log_likelihood(const double *params, const Customer *customer,
							  double chances, double weight, double *gradient)
{
	double r = params[0];
	double alpha = params[1];
	double a = params[2];
	double b = params[3];
	double x = customer->x;
	double waiting = log1p(customer->T / alpha);
	double log_time = log(alpha + customer->T);
	double odds = -INFINITY;
	double gone;
	double likelihood;

	if (chances > 0)
		odds = log_odds_gone(params, customer, chances);

	likelihood = log_rising(r, x) - r * waiting - x * log_time +
		log_rising(b, chances) - log_rising(a + b, chances) +
		log_sum_exp(0, odds);
	if (gradient == NULL)
		return likelihood;

	/* the second term's share of the likelihood */
	gone = odds > 0 ? 1 / (1 + exp(-odds)) : exp(odds) / (1 + exp(odds));

	gradient[0] += weight *
		(log_rising_slope(r, x) - waiting +
		 gone * log1p((customer->T - customer->t_x) / (alpha + customer->t_x)));
	gradient[1] += weight *
		(r * customer->T / (alpha * (alpha + customer->T)) -
		 x / (alpha + customer->T) -
		 gone * (r + x) * (customer->T - customer->t_x) /
			 ((alpha + customer->T) * (alpha + customer->t_x)));
	gradient[2] += weight *
		((chances > 0 ? gone / a : 0) - log_rising_slope(a + b, chances));
	gradient[3] += weight *
		(log_rising_slope(b, chances) - log_rising_slope(a + b, chances) -
		 (chances > 0 ? gone / (b + (chances - 1)) : 0));
	return likelihood;
}

double
negative_binomial(double r, double alpha, double n, double horizon)
{
	double log_chance =
		log_rising(r, n) - log_gamma(n + 1) - r * log1p(horizon / alpha);

	/* 0 * infinity otherwise */
	if (n > 0)
		log_chance -= n * log1p(alpha / horizon);
	return exp(log_chance);
}

/*
 * Equation 8 of Fader, Hardie and Lee: n purchases, and then either no chance
 * to leave was taken or the last one was.  With the latter, time is not up:
 * the chance of at least n purchases is an incomplete beta function (DLMF
 * 8.17.5), while the paper's one minus a sum cancels.
 */
double
beta_geometric_pmf(const double *params, double n, double chances,
				   double horizon)
{
	double r = params[0];
	double alpha = params[1];
	double a = params[2];
	double b = params[3];
	double stayed = exp(log_rising(b, chances) - log_rising(a + b, chances));
	double chance = negative_binomial(r, alpha, n, horizon);

	if (chances > 0)
		chance += a / (b + (chances - 1)) *
			(n > 0 ? exp(log_beta_inc_rest(n, r, 1 / (1 + alpha / horizon),
										   1 / (1 + horizon / alpha))) :
					 1);
	return stayed * chance;
}
