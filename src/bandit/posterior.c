/*
 * posterior.c
 *		What is believed of the mean of an arm.
 */
#include "postgres.h"

#include <math.h>

#include "bandit/bandit.h"
#include "numeric/numeric.h"

/* A density this far below its top, in logarithms, is nothing. */
#define LOG_NOTHING 80.0

#define LN_SQRT_2PI 0.91893853320467274178

void
posterior_normal(Posterior *posterior, double mean, double sd)
{
	double reach = sqrt(2 * LOG_NOTHING) * sd;

	memset(posterior, 0, sizeof(*posterior));
	posterior->mode = mean;
	posterior->scale = sd;
	posterior->log_top = -log(sd) - LN_SQRT_2PI;
	posterior->low = mean - reach;
	posterior->high = mean + reach;
}

/* ln(q + p exp(x)) for p + q = 1 and x <= 0. */
static inline double
log_mean_exp(double p, double q, double x)
{
	double less = p * expm1(x);

	return less > -0.5 ? log1p(less) : log(q + p * exp(x));
}

/*
 * ln of the density by that at the mode.  Of p^a (1 - p)^b both factors are
 * taken relative to the mode, lest the digits of a billion trials cancel.
 */
static double
beta_log_ratio(const Posterior *posterior, double x)
{
	double n = posterior->a + posterior->b;
	double p = posterior->a / n;
	double q = posterior->b / n;
	double step = x - posterior->mode;

	if (step <= 0)
		return posterior->a * step - n * log_mean_exp(p, q, step);
	return -posterior->b * step - n * log_mean_exp(q, p, -step);
}

double
posterior_density(const Posterior *posterior, double x)
{
	if (posterior->a > 0)
		return exp(posterior->log_top + beta_log_ratio(posterior, x));
	else
	{
		double z = (x - posterior->mode) / posterior->scale;

		return exp(posterior->log_top - 0.5 * z * z);
	}
}

/* Where the density is nothing on one side; a step too far does no harm. */
static double
beta_reach(const Posterior *posterior, double step)
{
	while (beta_log_ratio(posterior, posterior->mode + step) > -LOG_NOTHING)
		step *= 1.25;
	return posterior->mode + step;
}

void
posterior_beta(Posterior *posterior, double a, double b)
{
	memset(posterior, 0, sizeof(*posterior));
	posterior->a = a;
	posterior->b = b;
	posterior->mode = log(a / b);
	posterior->scale = sqrt((a + b) / a / b);
	posterior->log_top = -log(posterior->scale) - LN_SQRT_2PI +
		gamma_correction(a + b) - gamma_correction(a) - gamma_correction(b);
	posterior->low = beta_reach(posterior, -posterior->scale);
	posterior->high = beta_reach(posterior, posterior->scale);
}
