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

/* A factor that keeps a sum within the range of a double. */
#define RESCALE 1e-200

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

/* Equation 11. */
double
bgbb_p_alive_ahead(const double *params, const Customer *customer, double ahead)
{
	double stay = params[3] + customer->T;

	return bgbb_p_alive(params, customer) *
		exp(log_rising(stay, ahead) - log_rising(params[2] + stay, ahead));
}

/* A loop over more opportunities than that would take long. */
#define MANY_OPPORTUNITIES 1000

/* The sum below from its closed form, for delta >= MANY_OPPORTUNITIES. */
static double
many_opportunities(double gamma, double delta, double m)
{
	double slope; /* ln ((delta+1)_m / (gamma+delta)_m) / (gamma - 1) */

	/* for gamma near 1, by the derivatives there */
	if (fabs(gamma - 1) < 1e-3)
		slope = (digamma(delta + 1) - digamma(delta + 1 + m)) +
			(gamma - 1) / 2 * (trigamma(delta + 1) - trigamma(delta + 1 + m));
	else
		slope = (log((delta + m) / delta) + log_beta(delta + m, gamma) -
				 log_beta(delta, gamma)) /
			(gamma - 1);
	if (gamma == 1)
		return -delta * slope;
	return -delta * expm1((gamma - 1) * slope) / (gamma - 1);
}

/*
 * Opportunities out of m that one takes who leaves with a Beta(gamma, delta)
 * chance at each: the sum over j = 1 ... m of (delta)_j / (gamma+delta)_j,
 * which is delta / (gamma - 1) (1 - (delta+1)_m / (gamma+delta)_m).
 */
static double
mean_opportunities(double gamma, double delta, double m)
{
	double sum = 0;
	double stayed = 1;
	double loops = Min(m, MANY_OPPORTUNITIES);

	for (double j = 0; j < loops; j++)
	{
		stayed *= (delta + j) / (gamma + delta + j);
		sum += stayed;
	}
	if (m > loops)
		sum += stayed * many_opportunities(gamma, delta + loops, m - loops);
	return sum;
}

/* Equation 13, as a sum over opportunities of the chance to take them. */
static double
bgbb_expected_if_alive(const double *params, const Customer *customer,
					   double horizon)
{
	double n = customer->T;

	return (params[0] + customer->x) / (params[0] + params[1] + n) *
		mean_opportunities(params[2], params[3] + n, horizon);
}

/* Equation 8. */
static double
bgbb_expected(const double *params, double horizon)
{
	return params[0] / (params[0] + params[1]) *
		mean_opportunities(params[2], params[3], horizon);
}

/* Equation 7: n purchases at the first i opportunities, and then leaving. */
static double
bgbb_pmf(const double *params, double n, double horizon)
{
	double both = params[0] + params[1];
	double stay = params[2] + params[3];
	double log_first;
	double factor = 1;
	double sum = 0;

	if (n > horizon)
		return 0;
	log_first = log_rising(params[0], n) - log_rising(both, n) +
		log_rising(params[3], n) - log_rising(stay, n);
	for (double i = n; i < horizon; i++)
	{
		sum += factor * params[2] / (stay + i);
		factor *= (i + 1) / (i + 1 - n) * (params[1] + i - n) / (both + i) *
			(params[3] + i) / (stay + i);
		if (factor * RESCALE > 1)
		{
			factor *= RESCALE;
			sum *= RESCALE;
			log_first -= log(RESCALE);
		}
	}
	return exp(log_first + log(sum + factor));
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
	.expected_if_alive = bgbb_expected_if_alive,
	.expected = bgbb_expected,
	.pmf = bgbb_pmf,
};
