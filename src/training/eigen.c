/*
 * eigen.c
 *		All eigenvalues and eigenvectors of a symmetric matrix.
 *
 * Householder's reduction to a tridiagonal matrix, and implicit QL steps on
 * that (Golub and Van Loan, Matrix Computations, 8.3).  Matrices and vectors
 * are gone through row by row only.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "utils/memutils.h"

#include "training/dense.h"

#define MAX_STEPS 60 /* QL takes two or three an eigenvalue */

static double
dot(const double *a, const double *b, int n)
{
	double sums[8] = { 0 };
	double sum = 0;
	int i;
	int j;

	for (i = 0; i + 8 <= n; i += 8)
		for (j = 0; j < 8; j++)
			sums[j] += a[i + j] * b[i + j];
	for (; i < n; i++)
		sum += a[i] * b[i];
	for (j = 0; j < 8; j++)
		sum += sums[j];
	return sum;
}

/*
 * The vector v of the reflection I - v v' that turns x into a multiple of the
 * first unit vector, which is returned.
 */
static double
reflection(const double *x, int n, double *v)
{
	double scale = 0;
	double norm;
	double length;
	int i;

	for (i = 0; i < n; i++)
		scale = Max(scale, fabs(x[i]));
	memset(v, 0, n * sizeof(double));
	if (scale == 0 || n == 1)
		return x[0];
	for (i = 0; i < n; i++)
		v[i] = x[i] / scale;
	norm = sqrt(dot(v, v, n));
	if (v[0] > 0)
		norm = -norm;
	v[0] -= norm;
	length = sqrt(dot(v, v, n) / 2);
	for (i = 0; i < n; i++)
		v[i] /= length;
	return norm * scale;
}

/* a becomes (I - v v') a (I - v v'), a being a part of n rows of stride. */
static void
reflect_both(double *a, int stride, int n, const double *v, double *w)
{
	double half;
	int i;
	int j;

	for (i = 0; i < n; i++)
		w[i] = dot(a + (Size) i * stride, v, n);
	half = dot(w, v, n) / 2;
	for (i = 0; i < n; i++)
		w[i] -= half * v[i];
	for (i = 0; i < n; i++)
	{
		double *row = a + (Size) i * stride;
		double vi = v[i];
		double wi = w[i];

		for (j = 0; j < n; j++)
			row[j] -= vi * w[j] + wi * v[j];
	}
}

/* Diagonal and off-diagonal; the reflections stay in the rows of a. */
static void
tridiagonalise(double *a, int n, double *diagonal, double *off)
{
	double *v = palloc(n * sizeof(double));
	double *w = palloc(n * sizeof(double));
	int k;

	for (k = 0; k < n; k++)
	{
		double *row = a + (Size) k * n;
		int rest = n - k - 1;

		CHECK_FOR_INTERRUPTS();
		diagonal[k] = row[k];
		off[k] = 0;
		if (rest == 0)
			break;
		off[k] = reflection(row + k + 1, rest, v);
		reflect_both(row + n + k + 1, n, rest, v, w);
		memcpy(row + k + 1, v, rest * sizeof(double));
	}
	pfree(v);
	pfree(w);
}

/* Turn rows i and i + 1 by an angle. */
static void
turn_rows(double *row, int n, double c, double s)
{
	double *next = row + n;
	int j;

	for (j = 0; j < n; j++)
	{
		double x = row[j];
		double y = next[j];

		next[j] = s * x + c * y;
		row[j] = c * x - s * y;
	}
}

/* The first m >= k whose off-diagonal element is next to nothing. */
static int
find_split(const double *d, const double *e, int n, int k)
{
	int m;

	for (m = k; m + 1 < n; m++)
		if (fabs(e[m]) <= DBL_EPSILON * (fabs(d[m]) + fabs(d[m + 1])))
			break;
	return m;
}

/* One implicit QL step on the elements k to m. */
static void
ql_step(double *d, double *e, int n, int k, int m, double *vectors)
{
	double g = (d[k + 1] - d[k]) / (2 * e[k]);
	double r = hypot(g, 1);
	double s = 1;
	double c = 1;
	double p = 0;
	int i;

	g = d[m] - d[k] + e[k] / (g + (g < 0 ? -r : r));
	for (i = m - 1; i >= k; i--)
	{
		double f = s * e[i];
		double b = c * e[i];

		r = hypot(f, g);
		e[i + 1] = r;
		if (r == 0)
		{
			d[i + 1] -= p;
			e[m] = 0;
			return;
		}
		s = f / r;
		c = g / r;
		g = d[i + 1] - p;
		r = (d[i] - g) * s + 2 * c * b;
		p = s * r;
		d[i + 1] = g + p;
		g = c * r - b;
		turn_rows(vectors + (Size) i * n, n, c, s);
	}
	d[k] -= p;
	e[k] = g;
	e[m] = 0;
}

static void
diagonalise(double *d, double *e, int n, double *vectors)
{
	int k;
	int step;
	int m;

	for (k = 0; k < n; k++)
		for (step = 0; (m = find_split(d, e, n, k)) != k; step++)
		{
			CHECK_FOR_INTERRUPTS();
			if (step == MAX_STEPS)
				elog(ERROR,
					 "eigenvalues of a matrix of %d rows do not converge", n);
			ql_step(d, e, n, k, m, vectors);
		}
}

/* From vectors of the tridiagonal matrix to those of the original one. */
static void
reflect_back(const double *a, int n, double *vectors)
{
	int i;
	int j;
	int k;

	for (i = 0; i < n; i++)
	{
		double *vector = vectors + (Size) i * n;

		CHECK_FOR_INTERRUPTS();
		for (k = n - 2; k >= 0; k--)
		{
			const double *v = a + (Size) k * n + k + 1;
			int rest = n - k - 1;
			double product = dot(v, vector + k + 1, rest);

			for (j = 0; j < rest; j++)
				vector[k + 1 + j] -= product * v[j];
		}
	}
}

typedef struct EigenPlace
{
	double value;
	int place;
} EigenPlace;

static int
largest_first(const void *a, const void *b)
{
	const EigenPlace *p = a;
	const EigenPlace *q = b;

	if (p->value != q->value)
		return p->value > q->value ? -1 : 1;
	return p->place - q->place;
}

/* The matrix is no longer needed, so that it takes the sorted rows. */
static void
sort_eigen(double *values, double *vectors, int n, double *matrix)
{
	EigenPlace *places = palloc(n * sizeof(EigenPlace));
	int i;

	for (i = 0; i < n; i++)
	{
		places[i].value = values[i];
		places[i].place = i;
	}
	qsort(places, n, sizeof(EigenPlace), largest_first);
	for (i = 0; i < n; i++)
	{
		values[i] = places[i].value;
		memcpy(matrix + (Size) i * n, vectors + (Size) places[i].place * n,
			   n * sizeof(double));
	}
	memcpy(vectors, matrix, (Size) n * n * sizeof(double));
	pfree(places);
}

void
dense_eigen(double *matrix, int n, double *values, double *vectors)
{
	double *off = palloc(n * sizeof(double));
	int i;

	memset(vectors, 0, (Size) n * n * sizeof(double));
	for (i = 0; i < n; i++)
		vectors[(Size) i * n + i] = 1;
	tridiagonalise(matrix, n, values, off);
	diagonalise(values, off, n, vectors);
	reflect_back(matrix, n, vectors);
	sort_eigen(values, vectors, n, matrix);
	pfree(off);
}
