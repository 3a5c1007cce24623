/*
 * linear.c
 *		Small symmetric matrices.
 *
 * Those of second derivatives by a handful of parameters, so neither blocking
 * nor pivoting pays.
 */
#include "postgres.h"

#include <math.h>

#include "numeric/numeric.h"

/* The lower triangle L of L L' = matrix (Cholesky), the rest left as it is. */
static bool
cholesky(double *matrix, int n)
{
	for (int j = 0; j < n; j++)
	{
		for (int i = j; i < n; i++)
		{
			double sum = matrix[i * n + j];

			for (int k = 0; k < j; k++)
				sum -= matrix[i * n + k] * matrix[j * n + k];
			if (i == j)
			{
				/* not `sum <= 0`: NaN must fail too */
				if (!(sum > 0) || isinf(sum))
					return false;
				matrix[j * n + j] = sqrt(sum);
			}
			else
				matrix[i * n + j] = sum / matrix[j * n + j];
		}
	}
	return true;
}

/* The inverse of a lower triangle, in place. */
static void
invert_lower(double *lower, int n)
{
	for (int j = 0; j < n; j++)
	{
		lower[j * n + j] = 1 / lower[j * n + j];
		for (int i = j + 1; i < n; i++)
		{
			double sum = 0;

			for (int k = j; k < i; k++)
				sum -= lower[i * n + k] * lower[k * n + j];
			lower[i * n + j] = sum / lower[i * n + i];
		}
	}
}

bool
invert_positive(double *matrix, int n)
{
	double lower[MAX_PARAMETERS * MAX_PARAMETERS];

	Assert(n <= MAX_PARAMETERS);
	memcpy(lower, matrix, sizeof(double) * n * n);
	if (!cholesky(lower, n))
		return false;
	invert_lower(lower, n);

	/* the inverse of L L' is L^-1' L^-1 */
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j <= i; j++)
		{
			double sum = 0;

			for (int k = i; k < n; k++)
				sum += lower[k * n + i] * lower[k * n + j];
			matrix[i * n + j] = matrix[j * n + i] = sum;
		}
	}
	return true;
}

/* Make elements (p, q) and (q, p) zero by a rotation, noted in vectors. */
static void
rotate(double *a, int n, int p, int q, double *vectors)
{
	double theta, t, c, s;

	if (a[p * n + q] == 0)
		return;
	theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
	t = 1 / (fabs(theta) + hypot(theta, 1));
	if (theta < 0)
		t = -t;
	c = 1 / hypot(t, 1);
	s = t * c;

	for (int k = 0; k < n; k++)
	{
		double kp = a[k * n + p];
		double kq = a[k * n + q];

		a[k * n + p] = c * kp - s * kq;
		a[k * n + q] = s * kp + c * kq;
	}
	for (int k = 0; k < n; k++)
	{
		double pk = a[p * n + k];
		double qk = a[q * n + k];
		double vp = vectors[p * n + k];
		double vq = vectors[q * n + k];

		a[p * n + k] = c * pk - s * qk;
		a[q * n + k] = s * pk + c * qk;
		vectors[p * n + k] = c * vp - s * vq;
		vectors[q * n + k] = s * vp + c * vq;
	}
}

/* Bring the eigenvalues, and their rows of vectors, into ascending order. */
static void
sort_eigen(double *values, double *vectors, int n)
{
	for (int i = 1; i < n; i++)
	{
		for (int j = i; j > 0 && values[j] < values[j - 1]; j--)
		{
			double value = values[j];

			values[j] = values[j - 1];
			values[j - 1] = value;
			for (int k = 0; k < n; k++)
			{
				double part = vectors[j * n + k];

				vectors[j * n + k] = vectors[(j - 1) * n + k];
				vectors[(j - 1) * n + k] = part;
			}
		}
	}
}

/* Jacobi's method, in cycles: a dozen is far more than is ever needed. */
void
symmetric_eigen(const double *matrix, int n, double *values, double *vectors)
{
	double a[MAX_PARAMETERS * MAX_PARAMETERS];

	Assert(n <= MAX_PARAMETERS);
	memcpy(a, matrix, sizeof(double) * n * n);
	for (int i = 0; i < n * n; i++)
		vectors[i] = i % (n + 1) == 0;

	for (int cycle = 0; cycle < 12; cycle++)
	{
		for (int p = 0; p < n; p++)
		{
			for (int q = p + 1; q < n; q++)
				rotate(a, n, p, q, vectors);
		}
	}
	for (int i = 0; i < n; i++)
		values[i] = a[i * n + i];
	sort_eigen(values, vectors, n);
}
