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

/* So far above the mode, exp() is left to the term that does not overflow. */
#define FAR_STEP 30

/* So near, differences of exponentials and logarithms are taken by series. */
#define NEAR_STEP 0.25

/* exp(x) - 1 - x for small x. */
static double
expm1_less(double x)
{
	double sum = 1;

	for (int i = 13; i > 2; i--)
		sum = 1 + sum * x / i;
	return 0.5 * x * x * sum;
}

/*
 * ln of p^a (1 - p)^b by that at the mode, where p = a / (a + b), for a <= b.
 * The other way around, or with each factor by itself, the digits of many
 * trials cancel.
 */
static double
log_ratio(double a, double b, double step)
{
	double n = a + b;
	double p = a / n;

	if (step > FAR_STEP)
		return -b * step - n * log(p + b / n * exp(-step));
	if (fabs(step) < NEAR_STEP)
		return -a * expm1_less(step) - n * log1p_less(p * expm1(step));
	return a * step - n * log1p(p * expm1(step));
}

static inline double
beta_log_ratio(const Posterior *posterior, double step)
{
	if (posterior->a <= posterior->b)
		return log_ratio(posterior->a, posterior->b, step);
	return log_ratio(posterior->b, posterior->a, -step);
}

double
posterior_density(const Posterior *posterior, double x, double further)
{
	double step = x - posterior->mode + further;
	double z;

	if (posterior->a > 0)
		return exp(posterior->log_top + beta_log_ratio(posterior, step));
	z = step / posterior->scale;
	return exp(posterior->log_top - 0.5 * z * z);
}

/* Where the density is nothing on one side; a step too far does no harm. */
static double
beta_reach(const Posterior *posterior, double step)
{
	while (beta_log_ratio(posterior, step) > -LOG_NOTHING)
		step *= 1.25;
	return posterior->mode + step;
}

void
posterior_beta(Posterior *posterior, double a, double b)
{
	memset(posterior, 0, sizeof(*posterior));
	posterior->a = a;
	posterior->b = b;
	/* near 0, by the difference, which has more digits than the ratio */
	posterior->mode = a < 2 * b && b < 2 * a ? log1p((a - b) / b) : log(a / b);
	posterior->scale = sqrt((a + b) / a / b);
	posterior->log_top = -log(posterior->scale) - LN_SQRT_2PI +
		gamma_correction(a + b) - gamma_correction(a) - gamma_correction(b);
	posterior->low = beta_reach(posterior, -posterior->scale);
	posterior->high = beta_reach(posterior, posterior->scale);
}
