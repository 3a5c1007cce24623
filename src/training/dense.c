/*
 * dense.c
 *		Products of tall matrices, and their orthonormalisation.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "training/dense.h"

/* Rows whose products are summed in single precision. */
#define BLOCK_ROWS 256

/* A column is 0 if less than this is left of its square. */
#define DEPENDENT 1e-7

/* sums += the outer product of four rows; of row p up to limits only. */
static void
add_outer(const float *a, int l, const float *b, int width, float *sums,
		  bool lower)
{
	const float *b0 = b;
	const float *b1 = b0 + width;
	const float *b2 = b1 + width;
	const float *b3 = b2 + width;
	int p;
	int q;

	for (p = 0; p < l; p++)
	{
		float f0 = a[p];
		float f1 = a[l + p];
		float f2 = a[2 * l + p];
		float f3 = a[3 * l + p];
		float *sum = sums + (Size) p * width;
		int end = lower ? (p / DENSE_STEP + 1) * DENSE_STEP : width;

		for (q = 0; q < end; q++)
			sum[q] += (f0 * b0[q] + f1 * b1[q]) + (f2 * b2[q] + f3 * b3[q]);
	}
}

static void
add_outer_single(const float *a, int l, const float *b, int width, float *sums)
{
	int p;
	int q;

	for (p = 0; p < l; p++)
	{
		float f = a[p];
		float *sum = sums + (Size) p * width;

		for (q = 0; q < width; q++)
			sum[q] += f * b[q];
	}
}

static void
add_products(SimTraining *training, const float *a, int l, const float *b,
			 int width, uint32 n, double *product, int stride, bool lower)
{
	float *sums = palloc((Size) l * width * sizeof(float));
	uint32 row = 0;
	int p;
	int q;

	while (row < n)
	{
		uint32 end = Min(n, row + BLOCK_ROWS);

		sim_training_pause(training);
		memset(sums, 0, (Size) l * width * sizeof(float));
		for (; row + 4 <= end; row += 4)
		{
			if (row % 32 == 0)
				CHECK_FOR_INTERRUPTS();
			add_outer(a + (Size) row * l, l, b + (Size) row * width, width,
					  sums, lower);
		}
		for (; row < end; row++)
			add_outer_single(a + (Size) row * l, l, b + (Size) row * width,
							 width, sums);
		for (p = 0; p < l; p++)
			for (q = 0; q < width; q++)
				product[(Size) p * stride + q] += sums[(Size) p * width + q];
	}
	pfree(sums);
}

void
dense_product(SimTraining *training, const float *a, int l, const float *b,
			  int width, uint32 n, double *product, int stride)
{
	int p;

	for (p = 0; p < l; p++)
		memset(product + (Size) p * stride, 0, width * sizeof(double));
	add_products(training, a, l, b, width, n, product, stride, false);
}

void
dense_gram(SimTraining *training, const float *a, int l, uint32 n, double *g)
{
	add_products(training, a, l, a, l, n, g, l, true);
}

/* out[rows x k] = rows of a times m, for up to four rows. */
static void
times_rows(const float *a, int l, int rows, const float *m, int k,
		   bool triangle, float *out)
{
	int p;
	int q;

	memset(out, 0, (Size) 4 * k * sizeof(float));
	for (p = 0; p < l; p++)
	{
		const float *factor = m + (Size) p * k;
		float f0 = a[p];
		float f1 = rows > 1 ? a[l + p] : 0;
		float f2 = rows > 2 ? a[2 * l + p] : 0;
		float f3 = rows > 3 ? a[3 * l + p] : 0;

		for (q = triangle ? p - p % DENSE_STEP : 0; q < k; q++)
		{
			out[q] += f0 * factor[q];
			out[k + q] += f1 * factor[q];
			out[2 * k + q] += f2 * factor[q];
			out[3 * k + q] += f3 * factor[q];
		}
	}
}

void
dense_times(SimTraining *training, float *a, int l, uint32 n, const float *m,
			int k, bool triangle)
{
	float *out = palloc((Size) 4 * k * sizeof(float));
	uint32 row;

	Assert(k <= l);
	for (row = 0; row < n; row += 4)
	{
		int rows = Min(4, n - row);

		if (row % 16 == 0)
			sim_training_pause(training);
		times_rows(a + (Size) row * l, l, rows, m, k, triangle, out);
		memcpy(a + (Size) row * k, out, (Size) rows * k * sizeof(float));
	}
	pfree(out);
}

/*
 * The Cholesky factor L of a Gram matrix, in its lower triangle.  Where a
 * column depends on those before it, its row and column of L are 0.
 */
static void
factor_gram(double *g, int l)
{
	int i;
	int j;
	int p;

	for (j = 0; j < l; j++)
	{
		double *row = g + (Size) j * l;
		double square = row[j];

		CHECK_FOR_INTERRUPTS();
		for (i = 0; i < j; i++)
		{
			const double *other = g + (Size) i * l;

			for (p = 0; p < i; p++)
				row[i] -= row[p] * other[p];
			row[i] = other[i] > 0 ? row[i] / other[i] : 0;
		}
		for (p = 0; p < j; p++)
			row[j] -= row[p] * row[p];
		if (row[j] > DEPENDENT * square)
			row[j] = sqrt(row[j]);
		else
			memset(row, 0, (j + 1) * sizeof(double));
	}
}

/* The transposed inverse of L, an upper triangle; 0 where L is. */
static void
invert_transposed(const double *lower, int l, float *upper)
{
	double *column = palloc(l * sizeof(double));
	int c;
	int i;
	int p;

	memset(upper, 0, (Size) l * l * sizeof(float));
	for (c = 0; c < l; c++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!(lower[(Size) c * l + c] > 0))
			continue;
		for (i = c; i < l; i++)
		{
			const double *row = lower + (Size) i * l;
			double sum = i == c;

			for (p = c; p < i; p++)
				sum -= row[p] * column[p];
			column[i] = row[i] > 0 ? sum / row[i] : 0;
			upper[(Size) c * l + i] = column[i];
		}
	}
	pfree(column);
}

void
dense_orthonormalise(SimTraining *training, float *a, int l, uint32 n)
{
	double *g = MemoryContextAllocHuge(CurrentMemoryContext,
									   (Size) l * l * sizeof(double));
	float *upper = MemoryContextAllocHuge(CurrentMemoryContext,
										  (Size) l * l * sizeof(float));

	memset(g, 0, (Size) l * l * sizeof(double));
	dense_gram(training, a, l, n, g);
	factor_gram(g, l);
	invert_transposed(g, l, upper);
	dense_times(training, a, l, n, upper, l, true);
	pfree(g);
	pfree(upper);
}
