/*
 * rising.c
 *		Ratios of gamma functions whose arguments differ by a whole number.
 *
 * Gamma(a + x) / Gamma(a) is the rising factorial (a)_x (DLMF 5.2.5).  Of few
 * factors, the product is both faster and more accurate than a difference of
 * two log gammas; most customers have few purchases.
 */
#include "postgres.h"

#include <math.h>

#include "numeric/numeric.h"
#include "value/value.h"

#define MAX_FACTORS 24

/* Below it no product of MAX_FACTORS overflows. */
#define MAX_FACTOR 1e12

double
log_rising(double a, double x)
{
	double product = 1;
	int n = (int) x;

	if (x > MAX_FACTORS || (a > MAX_FACTOR && x > 0))
		return log_gamma(x) - log_beta(a, x);

	for (int i = 0; i < n; i++)
		product *= a + i;
	return log(product);
}

double
log_rising_slope(double a, double x)
{
	double sum = 0;
	int n = (int) x;

	if (x > MAX_FACTORS)
		return digamma(a + x) - digamma(a);

	for (int i = 0; i < n; i++)
		sum += 1 / (a + i);
	return sum;
}
