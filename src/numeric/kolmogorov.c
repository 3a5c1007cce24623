/*
 * kolmogorov.c
 *		The distribution of Kolmogorov's distance for a finite sample.
 *
 * Methods as Simard and L'Ecuyer chose them (Computing the two-sided
 * Kolmogorov-Smirnov distribution, J. Stat. Software 39(11), 2011): exact for
 * small samples, and at both ends for larger ones; between them the expansion of
 * Pelz and Good, whose error is below 1e-5 of the probability.
 */
#include "postgres.h"

#include <math.h>

#include "numeric/numeric.h"

/* Samples up to this size are small. */
#define SMALL_N 140

/* From these values of n d^2 on, both sides can be taken one by one. */
#define TAIL_SMALL 4.0
#define TAIL_LARGE 2.2

/* Below this value of n d^2 the tail is 1 to the last digit. */
#define TAIL_ALL 0.018

/* No more terms than this need to be added up for a smooth sum. */
#define SUM_TERMS 8192

/* Twice the largest n d of the exact method, which small samples reach. */
#define MATRIX_SIZE 48

/* Up to this value of n d^(3/2) the exact method is taken if it can be. */
#define NEAR_ONE 1.4

/*
 * ln of the binomial probability of j in n by the chance d + j / n, as a
 * saddle point (Loader 2000), so that nothing large is left to cancel.
 */
static double
log_binomial(double n, double j, double shift)
{
	double rest = n - j;

	if (j == 0)
		return n * log1p(-shift / n);
	return j * log1p_less(shift / j) + rest * log1p_less(-shift / rest) +
		gamma_correction(n) - gamma_correction(j) - gamma_correction(rest) +
		0.5 * log(n / (2 * M_PI * j * rest));
}

/*
 * The upper tail of the one-sided distance: the sum of Smirnov (1944).  Of a
 * large sample every few terms are taken: the summands then rise from and fall
 * to nothing so smoothly that the trapezoidal rule is as good as the sum.
 */
static double
one_sided_tail(double n, double d)
{
	double stride = ceil(n / SUM_TERMS);
	double sum = 0;

	for (double j = 0; j < n * (1 - d); j += stride)
		sum += exp(log_binomial(n, j, n * d)) / (d + j / n);
	return Min(sum * d * stride, 1);
}

/* Durbin's matrix for n d = middle - h, 0 <= h < 1. */
static void
durbin_matrix(double matrix[MATRIX_SIZE][MATRIX_SIZE], int size, double h)
{
	for (int i = 0; i < size; i++)
	{
		for (int j = 0; j < size; j++)
		{
			double value = j <= i + 1;

			if (j == 0)
				value -= pow(h, i + 1);
			if (i == size - 1)
				value -= pow(h, size - j);
			if (j == 0 && i == size - 1 && h > 0.5)
				value += pow(2 * h - 1, size);
			matrix[i][j] = j > i ? value : value / tgamma(i - j + 2);
		}
	}
}

/*
 * One minus the tail, as Marsaglia, Tsang and Wang took it from that matrix
 * (J. Stat. Software 8(18), 2003): n! / n^n times an element of its n-th power.
 */
static double
exact_rest(int n, double d)
{
	double matrix[MATRIX_SIZE][MATRIX_SIZE];
	double vector[MATRIX_SIZE] = { 0 };
	double product[MATRIX_SIZE];
	int middle = (int) ceil(n * d);
	int size = 2 * middle - 1;

	Assert(size <= MATRIX_SIZE);
	durbin_matrix(matrix, size, middle - n * d);
	vector[middle - 1] = 1;
	for (int step = 1; step <= n; step++)
	{
		for (int i = 0; i < size; i++)
		{
			product[i] = 0;
			for (int j = 0; j < size; j++)
				product[i] += matrix[i][j] * vector[j];
		}
		for (int i = 0; i < size; i++)
			vector[i] = product[i] * exp(-1);
	}

	/* n! / n^n is e^-n times this */
	return vector[middle - 1] * sqrt(2 * M_PI * n) * exp(gamma_correction(n));
}

/*
 * One minus the tail, by Pelz and Good (J. Royal Stat. Soc. B 38, 1976): the
 * limit for large n and three terms in powers of 1 / sqrt(n).
 */
static double
expanded_rest(double n, double d)
{
	double z = sqrt(n) * d;
	double z2 = z * z;
	double z4 = z2 * z2;
	double z6 = z4 * z2;
	double pi2 = M_PI * M_PI;
	double k[4] = { 0 };
	double k2_more = 0;
	double k3_more = 0;

	for (int i = 1; i <= 8; i++)
	{
		double m = (2 * i - 1) * (2 * i - 1) * pi2 / 4;
		double weight = exp(-m / (2 * z2));

		k[0] += weight;
		k[1] += weight * (m - z2);
		k[2] += weight *
			(6 * z6 + 2 * z4 + (2 * z4 - 5 * z2) * m + (1 - 2 * z2) * m * m);
		k[3] += weight *
			(-30 * z6 - 90 * z4 * z4 + (135 * z4 - 96 * z6) * m +
			 (212 * z4 - 60 * z2) * m * m + (5 - 30 * z2) * m * m * m);

		m = i * i * pi2;
		weight = m * exp(-m / (2 * z2));
		k2_more += weight;
		k3_more += weight * (3 * z2 - m);
	}
	k[1] /= 6 * z2 * z;
	k[2] = (k[2] / 2 - z4 * k2_more) / (36 * z6);
	k[3] = (k[3] / 30 + z4 * k3_more) / (216 * z6 * z2 * z);
	return sqrt(2 * M_PI) / z *
		(k[0] + (k[1] + (k[2] + k[3] / sqrt(n)) / sqrt(n)) / sqrt(n));
}

double
kolmogorov_tail(double n, double d)
{
	double nd2 = n * d * d;

	if (!(n >= 1) || isnan(d))
		return NAN;
	if (d <= 0.5 / n || nd2 <= TAIL_ALL)
		return 1;
	if (d >= 1)
		return 0;
	if (d >= 0.5 || nd2 >= (n > SMALL_N ? TAIL_LARGE : TAIL_SMALL))
		return Min(2 * one_sided_tail(n, d), 1);
	if ((n <= SMALL_N || n * pow(d, 1.5) <= NEAR_ONE) &&
		n * d <= MATRIX_SIZE / 2)
		return 1 - exact_rest((int) n, d);
	return Max(1 - expanded_rest(n, d), 0);
}
