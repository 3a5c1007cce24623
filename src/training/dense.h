/*
 * dense.h
 *		Dense matrices, row by row: tall ones of floats, small ones of doubles.
 *
 * Sums are added in an order that is the same on every processor: loops that
 * the compiler turns into vector instructions work element by element, and
 * sums over a row have a fixed number of parts.
 */
#ifndef PERSONALIZE_DENSE_H
#define PERSONALIZE_DENSE_H

#include "training/training.h"

/* Columns of a tall matrix come in multiples of this. */
#define DENSE_STEP 16

/* ---- dense.c ---- */

/*
 * The product of two rows; n is a multiple of DENSE_STEP.  Compilers make no
 * vector instructions of the plain loop, so GCC and Clang are told the type;
 * the sums are the same.
 */
#if defined(__GNUC__)
typedef float DenseStep __attribute__((vector_size(DENSE_STEP * sizeof(float)),
									   aligned(4), may_alias));
#endif

static inline float
dense_dot(const float *a, const float *b, int n)
{
	float sums[DENSE_STEP] = { 0 };
	float sum = 0;
	int i;
	int j;

#if defined(__GNUC__)
	DenseStep parts = { 0 };

	for (i = 0; i < n; i += DENSE_STEP)
		parts += *(const DenseStep *) (a + i) * *(const DenseStep *) (b + i);
	memcpy(sums, &parts, sizeof(sums));
#else
	for (i = 0; i < n; i += DENSE_STEP)
		for (j = 0; j < DENSE_STEP; j++)
			sums[j] += a[i + j] * b[i + j];
#endif
	for (j = 0; j < DENSE_STEP; j++)
		sum += sums[j];
	return sum;
}

/* product[l x width] = a' b for n rows; stride: of a row of product. */
extern void
dense_product(SimTraining *training, const float *a, int l, const float *b,
			  int width, uint32 n, double *product, int stride);

/* Add the lower triangle of a' a. */
extern void
dense_gram(SimTraining *training, const float *a, int l, uint32 n, double *g);

/* a[n x l] becomes a m, m being l x k, k <= l; triangle: 0 below the diagonal. */
extern void dense_times(SimTraining *training, float *a, int l, uint32 n,
						const float *m, int k, bool triangle);

/* Make columns orthonormal, or 0 where they depend on those before them. */
extern void
dense_orthonormalise(SimTraining *training, float *a, int l, uint32 n);

/* ---- eigen.c ---- */

/*
 * Eigenvalues of a symmetric matrix, descending, and for each a row of
 * vectors; matrix is lost.
 */
extern void dense_eigen(double *matrix, int n, double *values, double *vectors);

/* ---- cholesky.c ---- */

/*
 * Solve matrix x = x for a symmetric matrix, of which the lower triangle is
 * read and lost; false if it is not positive definite.
 */
extern bool dense_solve(double *matrix, int n, double *x);

#endif
