/*
 * cholesky.c
 *		Solving a system of a symmetric positive definite matrix.
 *
 * numeric/linear.c has one for a handful of parameters; this is for hundreds.
 */
#include "postgres.h"

#include <math.h>

#include "training/dense.h"

#define PARTS 8

/* The product of two vectors; parts is n rounded down to whole PARTS. */
static inline double
dot(const double *a, const double *b, int n)
{
	double sums[PARTS] = { 0 };
	double sum = 0;
	int i;
	int j;

	for (i = 0; i + PARTS <= n; i += PARTS)
		for (j = 0; j < PARTS; j++)
			sums[j] += a[i + j] * b[i + j];
	for (; i < n; i++)
		sum += a[i] * b[i];
	for (j = 0; j < PARTS; j++)
		sum += sums[j];
	return sum;
}

/* L of L L' in the lower triangle; false if it is not positive definite. */
static bool
factorise(double *matrix, int n)
{
	int i;
	int j;

	for (i = 0; i < n; i++)
	{
		double *row = matrix + (Size) i * n;
		double least = row[i] * 1e-12;
		double pivot;

		if (i % 64 == 0)
			CHECK_FOR_INTERRUPTS();
		for (j = 0; j < i; j++)
		{
			const double *other = matrix + (Size) j * n;

			row[j] = (row[j] - dot(row, other, j)) / other[j];
		}
		pivot = row[i] - dot(row, row, i);
		if (!(pivot > least))
			return false;
		row[i] = sqrt(pivot);
	}
	return true;
}

/* x with matrix x = x; of the matrix only the lower triangle is read. */
bool
dense_solve(double *matrix, int n, double *x)
{
	int i;
	int j;

	if (!factorise(matrix, n))
		return false;
	for (i = 0; i < n; i++)
	{
		const double *row = matrix + (Size) i * n;

		x[i] = (x[i] - dot(row, x, i)) / row[i];
	}
	for (i = n; i-- > 0;)
	{
		const double *row = matrix + (Size) i * n;

		x[i] /= row[i];
		for (j = 0; j < i; j++)
			x[j] -= x[i] * row[j];
	}
	return true;
}
