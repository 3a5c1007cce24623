/*
 * pareto_nbd.c
 *		Pareto/NBD: a customer may leave at any moment.
 *
 * Schmittlein, Morrison and Colombo 1987, "Counting your customers", Management
 * Science 33(1).  Rates of buying are Gamma(r, alpha) distributed, rates of
 * leaving Gamma(s, beta).  The likelihood of x purchases within T, the last one
 * at t_x, is
 *
 *		(r)_x alpha^r beta^s [(alpha + T)^-k (beta + T)^-s + s I],
 *		I = integral from t_x to T of (alpha + y)^-k (beta + y)^-(s + 1) dy,
 *
 * where k = r + x (Fader and Hardie 2005, "A note on deriving the Pareto/NBD
 * model and related expressions", www.brucehardie.com/notes/009, before the
 * integral becomes a difference of two 2F1).  The integral itself is computed
 * here: it is positive where the difference cancels, for t_x near T and for
 * many purchases; it does not ask which of alpha and beta is larger; and its
 * derivatives by the parameters are integrals over the same points.  A series
 * is faster where alpha and beta are of the same size and no gradient is asked
 * for.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "numeric/numeric.h"
#include "value/value.h"

/*
 * The integral in a variable in which the integrand is nearly polynomial.
 *
 * Near t_x the integrand behaves as (1 + (y - t_x) / scale)^-(p + 1) does,
 * which has the same first and second logarithmic derivatives there; if alpha
 * = beta, it is the same.  In w = (1 + (y - t_x) / scale)^-p it is constant
 * then, but its products with logarithms, which the gradient needs, are not
 * smooth at w = 0.  In the n-th root of w they are, nearly, while the
 * integrand becomes the (n - 1)-th power.
 */
typedef struct Silence
{
	double k;
	double m;		/* s + 1 */
	double buying;	/* alpha + t_x */
	double leaving; /* beta + t_x */
	double scale;
	double power; /* p / n */
} Silence;

#define SMOOTHNESS 4 /* n */

/* The integral takes about as long as so many terms of the series. */
#define MAX_TERMS 100

/* Below it, w would change too little with y. */
#define MIN_POWER 0.05

/*
 * 0: the integrand in w against its value at t_x; times 1: ln((alpha + y) /
 * (alpha + t_x)), 2: ln((beta + y) / (beta + t_x)), 3: 1 / (alpha + y),
 * 4: 1 / (beta + y).
 */
enum
{
	SILENCE,
	LOG_BUYING,
	LOG_LEAVING,
	PER_BUYING,
	PER_LEAVING,
	N_SILENCES
};

static inline double
silence_at(double w, const Silence *s, double *y, double *log_buying,
		   double *log_leaving)
{
	double stretch = -log(w) / s->power;

	*y = s->scale * expm1(stretch);
	*log_buying = log1p(*y / s->buying);
	*log_leaving = log1p(*y / s->leaving);
	return exp((s->power + 1) * stretch - s->k * *log_buying -
			   s->m * *log_leaving);
}

static void
silence(double w, double *values, void *context)
{
	double y;
	double log_buying;
	double log_leaving;

	values[0] = silence_at(w, context, &y, &log_buying, &log_leaving);
}

static void
silence_slopes(double w, double *values, void *context)
{
	const Silence *s = context;
	double y;
	double log_buying;
	double log_leaving;
	double value = silence_at(w, s, &y, &log_buying, &log_leaving);

	values[SILENCE] = value;
	values[LOG_BUYING] = value * log_buying;
	values[LOG_LEAVING] = value * log_leaving;
	values[PER_BUYING] = value / (s->buying + y);
	values[PER_LEAVING] = value / (s->leaving + y);
}

/*
 * ln of the integral times s (alpha + T)^k (beta + T)^s: the odds that the
 * customer left between t_x and T.  And the means of the functions above over
 * that time, if means is not NULL.
 */
static double
log_odds_by_integral(const double *params, const Customer *customer,
					 double *means)
{
	double time = customer->T - customer->t_x;
	double integrals[N_SILENCES];
	double rate;
	double curve;
	double start;
	Silence s;

	s.k = params[0] + customer->x;
	s.m = params[2] + 1;
	s.buying = params[1] + customer->t_x;
	s.leaving = params[3] + customer->t_x;
	rate = s.k / s.buying + s.m / s.leaving;
	curve = s.k / (s.buying * s.buying) + s.m / (s.leaving * s.leaving);
	s.scale = rate / curve;
	s.power = Max(rate * s.scale - 1, MIN_POWER) / SMOOTHNESS;

	start = exp(-s.power * log1p(time / s.scale));
	integrate(means ? silence_slopes : silence, means ? N_SILENCES : 1, start,
			  1, &s, integrals);
	for (int i = 0; means != NULL && i < N_SILENCES; i++)
		means[i] = integrals[i] / integrals[SILENCE];
	return log(params[2] * integrals[SILENCE] * s.scale /
			   (s.power * s.leaving)) +
		s.k * log1p(time / s.buying) + params[2] * log1p(time / s.leaving);
}

/*
 * The same by the binomial series of the smaller one of alpha + y and beta + y
 * in powers of their difference d over the larger one, as in the 2F1 of the
 * note, but with the difference taken term by term: of
 *
 *		(n)_j / j! d^j [1 - q^(k+s+j)] / (k+s+j),	q = (large + t_x) / (large + T),
 *
 * where n is the exponent of the smaller one.  NaN if it takes many terms, or
 * if a large n makes them too large.
 */
static double
log_odds_by_series(const double *params, const Customer *customer)
{
	double k = params[0] + customer->x;
	double large = Max(params[1], params[3]) + customer->t_x;
	double n = params[1] < params[3] ? k : params[2] + 1;
	double d = fabs(params[1] - params[3]) / large;
	double time = customer->T - customer->t_x;
	double power = k + params[2];
	double step = time / (large + time);				/* 1 - q */
	double rest = -expm1(-power * log1p(time / large)); /* 1 - q^(k+s+j) */
	double factor = 1;
	double sum = rest / power;

	for (double j = 0; j < MAX_TERMS; j++)
	{
		double term;

		factor *= d * (n + j) / (j + 1);
		rest += (1 - rest) * step;
		term = factor * rest / (power + j + 1);
		sum += term;
		if (!(sum < INFINITY))
			break;
		if (term <= DBL_EPSILON / 4 * sum)
			return log(params[2] * sum) +
				k * log((params[1] + customer->T) / large) +
				params[2] * log((params[3] + customer->T) / large);
	}
	return NAN;
}

static double
log_odds_gone(const double *params, const Customer *customer, double *means)
{
	double odds;

	if (customer->T <= customer->t_x)
	{
		for (int i = 0; means != NULL && i < N_SILENCES; i++)
			means[i] = 0;
		return -INFINITY;
	}
	if (means == NULL)
	{
		odds = log_odds_by_series(params, customer);
		if (!isnan(odds))
			return odds;
	}
	return log_odds_by_integral(params, customer, means);
}

static double
pareto_nbd_log_likelihood(const double *params, const Customer *customer,
						  double weight, double *gradient)
{
	double r = params[0];
	double alpha = params[1];
	double s = params[2];
	double beta = params[3];
	double x = customer->x;
	double T = customer->T;
	double buying = log1p(T / alpha);
	double leaving = log1p(T / beta);
	double mean[N_SILENCES];
	double odds;
	double gone;
	double likelihood;

	odds = log_odds_gone(params, customer, gradient == NULL ? NULL : mean);
	likelihood = log_rising(r, x) - r * buying - x * log(alpha + T) -
		s * leaving + log_sum_exp(0, odds);
	if (gradient == NULL)
		return likelihood;

	/* the integral's share of the likelihood */
	gone = odds > 0 ? 1 / (1 + exp(-odds)) : exp(odds) / (1 + exp(odds));

	gradient[0] += weight *
		(log_rising_slope(r, x) - buying +
		 gone *
			 (log((alpha + T) / (alpha + customer->t_x)) - mean[LOG_BUYING]));
	gradient[1] += weight *
		(r * T / (alpha * (alpha + T)) - x / (alpha + T) -
		 gone * (r + x) * (mean[PER_BUYING] - 1 / (alpha + T)));
	gradient[2] += weight *
		(-leaving +
		 gone *
			 (1 / s - mean[LOG_LEAVING] +
			  log((beta + T) / (beta + customer->t_x))));
	gradient[3] += weight *
		(s * T / (beta * (beta + T)) -
		 gone * ((s + 1) * mean[PER_LEAVING] - s / (beta + T)));
	return likelihood;
}

static double
pareto_nbd_p_alive(const double *params, const Customer *customer)
{
	return 1 / (1 + exp(log_odds_gone(params, customer, NULL)));
}

/*
 * The mean time that is left of the horizon to one who leaves at a rate that
 * is Gamma(s, beta) distributed: beta / (s - 1) (1 - (beta / (beta +
 * horizon))^(s - 1)), and its limit for s = 1.
 */
static double
mean_time(double s, double beta, double horizon)
{
	double log_time = log1p(horizon / beta);

	if (s == 1)
		return beta * log_time;
	return -beta * expm1(-(s - 1) * log_time) / (s - 1);
}

/* Equation 41 of the note. */
static double
pareto_nbd_expected_if_alive(const double *params, const Customer *customer,
							 double horizon)
{
	double T = customer->T;

	return (params[0] + customer->x) / (params[1] + T) *
		mean_time(params[2], params[3] + T, horizon);
}

/*
 * Fader, Hardie and Lee 2005, "RFM and CLV: using iso-value curves for customer
 * base analysis", J. of Marketing Research 42(4), equation 2.  The chance to
 * stay longer than t is (1 + t / (beta + T))^-s; its discounted integral is
 * Tricomi's U(1, 2 - s, z) times beta + T (DLMF 13.4.4).  The paper's U(s, s, z)
 * is z^(s - 1) of that (13.2.40).
 */
double
pareto_nbd_dert(const double *params, const Customer *customer, double discount)
{
	double time = params[3] + customer->T;

	return pareto_nbd_p_alive(params, customer) * (params[0] + customer->x) /
		(params[1] + customer->T) * time *
		exp(log_hyperu(1, 2 - params[2], discount * time));
}

/* Equation 27 of the note. */
static double
pareto_nbd_expected(const double *params, double horizon)
{
	return params[0] / params[1] * mean_time(params[2], params[3], horizon);
}

typedef struct Leaving
{
	const double *params;
	double n;
} Leaving;

/* ln of the density at ln y: n purchases, and then leaving at y. */
static double
log_leaving(double log_y, void *context)
{
	const Leaving *leaving = context;
	const double *params = leaving->params;
	double y = exp(log_y);

	return log_y + leaving->n * (log_y - log(params[1] + y)) -
		params[0] * log1p(y / params[1]) -
		(params[2] + 1) * log1p(y / params[3]);
}

/*
 * Fader and Hardie 2006, "Deriving an expression for P(X(t) = x) under the
 * Pareto/NBD model", www.brucehardie.com/notes/012: n purchases by a customer
 * who stays, or before leaving.  Again, the integral and not its 2F1.
 */
static double
pareto_nbd_pmf(const double *params, double n, double horizon)
{
	double end = log(horizon);
	double typical = log(params[1] * (n + 1) / (params[0] + params[2]));
	double chance;
	Leaving leaving = { params, n };

	if (horizon == 0)
		return n == 0 ? 1 : 0;
	chance = negative_binomial(params[0], params[1], n, horizon) *
		exp(-params[2] * log1p(horizon / params[3]));
	return chance +
		params[2] / params[3] *
		exp(log_rising(params[0], n) - log_gamma(n + 1) +
			log_integral(log_leaving, &leaving, end, Min(typical, end - 1)));
}

static const double starts[][MODEL_MAX_PARAMS] = {
	{ 0.5, 0.3, 0.6, 0.4 },
	{ 1, 0.5, 0.5, 1 },
	{ 2, 0.2, 1, 0.5 },
};

const PurchaseModel pareto_nbd_model = {
	.name = "pareto_nbd",
	.title = "Pareto/NBD",
	.nparams = 4,
	.param_names = { "r", "alpha", "s", "beta" },
	.nstarts = lengthof(starts),
	.starts = starts,
	.is_time = { false, true, false, true },
	.log_likelihood = pareto_nbd_log_likelihood,
	.log_likelihood_sum = pareto_nbd_log_likelihood_sum,
	.p_alive = pareto_nbd_p_alive,
	.expected_if_alive = pareto_nbd_expected_if_alive,
	.expected = pareto_nbd_expected,
	.pmf = pareto_nbd_pmf,
};
