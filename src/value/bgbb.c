/*
 * bgbb.c
 *		BG/BB: purchases at regular opportunities, as of a subscription.
 *
 * Fader, Hardie and Shang 2010, "Customer-base analysis in a discrete-time
 * noncontractual setting", Marketing Science 29(6).  At each opportunity a
 * customer leaves with a probability that is Beta(gamma, delta) distributed,
 * and otherwise buys with one that is Beta(alpha, beta) distributed.  The
 * likelihood of x purchases at n opportunities, the last one at t_x, is a sum
 * over the last opportunity j before the customer left (equation 5):
 *
 *		(alpha)_x (beta)_(j-x) / (alpha+beta)_j
 *			gamma (delta)_j / (gamma+delta)_(j+1),	j = t_x ... n - 1,
 *
 * and (alpha)_x (beta)_(n-x) / (alpha+beta)_n (delta)_n / (gamma+delta)_n for
 * one who has not.  Beta functions are written as rising factorials (DLMF
 * 5.2.5), so that each summand follows from the one before.
 */
#include "postgres.h"

#include <math.h>

#include "numeric/numeric.h"
#include "value/value.h"

/* The sum over j, divided by what is common to all of it. */
typedef struct Silence
{
	double sum;
	double alive; /* the summand of those who stayed */
	double slopes[4];
} Silence;

/* Add `part` of a common factor whose ln has the given derivatives. */
static inline void
add_part(Silence *s, double part, const double *slopes, double per_gamma,
		 double per_delta)
{
	s->sum += part;
	s->slopes[0] += part * slopes[0];
	s->slopes[1] += part * slopes[1];
	s->slopes[2] += part * (slopes[2] + per_gamma);
	s->slopes[3] += part * (slopes[3] + per_delta);
}

static void
sum_silence(const double *params, const Customer *customer, Silence *s)
{
	double both = params[0] + params[1];
	double gamma = params[2];
	double stay = params[2] + params[3];
	double factor = 1;
	double slopes[4] = { 0 };

	memset(s, 0, sizeof(*s));
	for (double j = customer->t_x; j < customer->T; j++)
	{
		double missed = params[1] + j - customer->x;
		double stayed = params[3] + j;

		add_part(s, factor * gamma / (stay + j), slopes,
				 1 / gamma - 1 / (stay + j), -1 / (stay + j));

		factor *= missed * stayed / ((both + j) * (stay + j));
		slopes[0] -= 1 / (both + j);
		slopes[1] += 1 / missed - 1 / (both + j);
		slopes[2] -= 1 / (stay + j);
		slopes[3] += 1 / stayed - 1 / (stay + j);
	}
	s->alive = factor;
	add_part(s, factor, slopes, 0, 0);
}

static double
bgbb_log_likelihood(const double *params, const Customer *customer,
					double weight, double *gradient)
{
	double alpha = params[0];
	double beta = params[1];
	double gamma = params[2];
	double delta = params[3];
	double x = customer->x;
	double t_x = customer->t_x;
	Silence s;

	sum_silence(params, customer, &s);
	if (gradient != NULL)
	{
		double buying = log_rising_slope(alpha + beta, t_x);
		double staying = log_rising_slope(gamma + delta, t_x);

		gradient[0] += weight *
			(s.slopes[0] / s.sum + log_rising_slope(alpha, x) - buying);
		gradient[1] += weight *
			(s.slopes[1] / s.sum + log_rising_slope(beta, t_x - x) - buying);
		gradient[2] += weight * (s.slopes[2] / s.sum - staying);
		gradient[3] += weight *
			(s.slopes[3] / s.sum + log_rising_slope(delta, t_x) - staying);
	}
	return log_rising(alpha, x) + log_rising(beta, t_x - x) -
		log_rising(alpha + beta, t_x) + log_rising(delta, t_x) -
		log_rising(gamma + delta, t_x) + log(s.sum);
}

static double
bgbb_p_alive(const double *params, const Customer *customer)
{
	Silence s;

	sum_silence(params, customer, &s);
	return s.alive / s.sum;
}

static const double starts[][MODEL_MAX_PARAMS] = {
	{ 1, 1, 0.5, 3 },
	{ 1, 0.5, 1, 10 },
	{ 0.5, 2, 1, 3 },
};

const PurchaseModel bgbb_model = {
	.name = "bgbb",
	.title = "BG/BB",
	.nparams = 4,
	.param_names = { "alpha", "beta", "gamma", "delta" },
	.discrete = true,
	.nstarts = lengthof(starts),
	.starts = starts,
	.log_likelihood = bgbb_log_likelihood,
	.p_alive = bgbb_p_alive,
};
