/*
 * factors.c
 *		The factors of the low-pass part: the leading right singular vectors of
 *		A, a_ui = d_u^(-gs/2) d_i^(-p) where u has i, times the weight of that.
 *
 * By randomised subspace iteration (Halko, Martinsson and Tropp 2011,
 * algorithms 4.4 and 5.3).  Items are in order of their hashes, so are subjects,
 * and the start is drawn by them, so that the result depends on no number.
 * A catalogue with no more items than columns is factored exactly.
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"

#include "common/mix.h"
#include "training/dense.h"
#include "training/methods.h"

#define ITERATIONS 3

/* Columns that are multiplied at a time. */
#define BLOCK (2 * DENSE_STEP)

/* Squared singular values below this part of the first are noise. */
#define NOISE 1e-6

typedef struct Matrix
{
	SimTraining *training;
	uint32 n; /* items */
	uint32 nsubjects;
	Size *starts;		   /* of subjects, by hash */
	uint32 *items;		   /* ranks, ascending */
	float *entries;		   /* their weights, or NULL: 1 each */
	float *subject_weight; /* d_u^-gs, by history length */
	float *item_weight;	   /* d_i^-p, by rank */
	int64 done;
} Matrix;

/* Columns to iterate: some more than the factors, so that these converge. */
int
sim_factor_columns(int factors)
{
	return TYPEALIGN(DENSE_STEP, factors + 16);
}

/* The bytes that factoring takes at its peak. */
Size
sim_factor_memory(SimTraining *training, int factors)
{
	Size l = sim_factor_columns(factors);
	SimHistories *h = &training->histories;

	return training->nitems * (l + BLOCK + 1) * sizeof(float) +
		(Size) training->nitems * 2 * sizeof(uint32) +
		h->nentries *
		(sizeof(uint32) + (training->weighted ? sizeof(float) : 0)) +
		h->nsubjects * (sizeof(Size) + 2 * sizeof(uint32)) +
		l * l * 2 * (sizeof(double) + sizeof(float));
}

/* Where each subject's items begin; places[] by subject, for filling. */
static uint32 *
order_subjects(Matrix *matrix, const SimHistories *h)
{
	uint32 *subjects =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   ((Size) h->nsubjects + 1) * sizeof(uint32));
	uint32 i;

	for (i = 0; i < h->nsubjects; i++)
		subjects[i] = i;
	sim_sort_by_hash(matrix->training, h->subject_hashes, subjects,
					 h->nsubjects);
	matrix->nsubjects = h->nsubjects;
	matrix->starts =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   ((Size) h->nsubjects + 1) * sizeof(Size));
	matrix->starts[0] = 0;
	for (i = 0; i < h->nsubjects; i++)
		matrix->starts[i + 1] = matrix->starts[i] + h->starts[subjects[i] + 1] -
			h->starts[subjects[i]];
	return subjects;
}

/* Going through the items by rank, each subject gets its ranks ascending. */
static void
fill_matrix(Matrix *matrix, const SimHistories *h, const SimOrder *order)
{
	uint32 *subjects = order_subjects(matrix, h);
	uint32 *places =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   ((Size) h->nsubjects + 1) * sizeof(uint32));
	bool weighted = matrix->training->weighted;
	uint32 i;
	Size s;

	matrix->entries = NULL;
	if (weighted)
		matrix->entries =
			MemoryContextAllocHuge(CurrentMemoryContext,
								   (h->nentries + 1) * sizeof(float));
	matrix->items = MemoryContextAllocHuge(CurrentMemoryContext,
										   (h->nentries + 1) * sizeof(uint32));
	for (i = 0; i < h->nsubjects; i++)
		places[subjects[i]] = i;
	for (i = 0; i < order->n; i++)
	{
		uint32 item = order->items[i];

		sim_training_pause(matrix->training);
		for (s = h->item_starts[item]; s < h->item_starts[item + 1]; s++)
		{
			uint32 subject = h->item_subjects[s];
			Size place = matrix->starts[places[subject]]++;

			matrix->items[place] = i;
			if (weighted)
				matrix->entries[place] =
					(float) (h->item_weights[s] *
							 sqrt(h->subject_weights[subject]));
		}
	}
	memmove(matrix->starts + 1, matrix->starts, h->nsubjects * sizeof(Size));
	matrix->starts[0] = 0;
	pfree(subjects);
	pfree(places);
}

static void
begin_matrix(Matrix *matrix, SimTraining *training, const SimFactors *factors)
{
	SimHistories *h = &training->histories;
	uint32 history = training->options.history;
	uint32 i;

	matrix->training = training;
	matrix->n = factors->order.n;
	matrix->done = 0;
	fill_matrix(matrix, h, &factors->order);
	matrix->subject_weight = palloc((history + 1) * sizeof(float));
	for (i = 0; i <= history; i++)
		matrix->subject_weight[i] =
			(float) pow(Max(i, 1), -factors->subject_exponent);
	matrix->item_weight =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   ((Size) matrix->n + 1) * sizeof(float));
	for (i = 0; i < matrix->n; i++)
		matrix->item_weight[i] =
			(float) pow(h->degrees[factors->order.items[i]],
						-factors->item_exponent);
}

static void
end_matrix(Matrix *matrix)
{
	pfree(matrix->starts);
	pfree(matrix->items);
	if (matrix->entries)
		pfree(matrix->entries);
	pfree(matrix->subject_weight);
	pfree(matrix->item_weight);
}

/* a_ui but for what is the subject's. */
static inline float
entry_weight(const Matrix *matrix, Size s)
{
	float weight = matrix->item_weight[matrix->items[s]];

	return matrix->entries ? weight * matrix->entries[s] : weight;
}

static inline void
add_scaled(float *sum, const float *row, float factor, int width)
{
	int c;
	int j;

	for (c = 0; c < width; c += DENSE_STEP)
		for (j = 0; j < DENSE_STEP; j++)
			sum[c + j] += factor * row[c + j];
}

/* y[n x width] = A'A z, z being some columns of rows of stride. */
static void
multiply(Matrix *matrix, const float *z, int stride, float *y, int width)
{
	float sum[BLOCK];
	uint32 u;
	Size s;
	int c;

	memset(y, 0, (Size) matrix->n * width * sizeof(float));
	for (u = 0; u < matrix->nsubjects; u++)
	{
		Size first = matrix->starts[u];
		Size end = matrix->starts[u + 1];

		if (u % 64 == 0)
			sim_training_pause(matrix->training);
		memset(sum, 0, sizeof(sum));
		for (s = first; s < end; s++)
			add_scaled(sum, z + (Size) matrix->items[s] * stride,
					   entry_weight(matrix, s), width);
		for (c = 0; c < width; c++)
			sum[c] *= matrix->subject_weight[end - first];
		for (s = first; s < end; s++)
			add_scaled(y + (Size) matrix->items[s] * width, sum,
					   entry_weight(matrix, s), width);
	}
	sim_phase_done(matrix->training->clock, ++matrix->done);
}

/* z = A'A z, some columns at a time. */
static void
multiply_all(Matrix *matrix, float *z, int l, float *y)
{
	int first;
	uint32 i;

	for (first = 0; first < l; first += BLOCK)
	{
		int width = Min(BLOCK, l - first);

		multiply(matrix, z + first, l, y, width);
		for (i = 0; i < matrix->n; i++)
			memcpy(z + (Size) i * l + first, y + (Size) i * width,
				   width * sizeof(float));
	}
}

/* About normal, each row by the hash of its item. */
static void
draw_start(SimTraining *training, const SimFactors *factors, float *z, int l)
{
	uint64 seed = mix64((uint64) factors->seed + 1);
	uint32 i;
	int c;

	for (i = 0; i < factors->order.n; i++)
	{
		uint64 hash =
			mix64(training->item_hashes[factors->order.items[i]] ^ seed);

		if (i % 1024 == 0)
			sim_training_pause(training);
		for (c = 0; c < l; c++)
		{
			uint64 x = mix64(hash + c);

			z[(Size) i * l + c] =
				(float) ((int) (x & 0xFFFF) + (int) (x >> 16 & 0xFFFF) +
						 (int) (x >> 32 & 0xFFFF) + (int) (x >> 48) - 131070) /
				37837;
		}
	}
}

/* Orthonormal columns that span what the leading factors span. */
static void
find_subspace(Matrix *matrix, const SimFactors *factors, float *z, int l,
			  float *y)
{
	uint32 i;

	if (matrix->n <= (uint32) l)
	{
		memset(z, 0, (Size) matrix->n * l * sizeof(float));
		for (i = 0; i < matrix->n; i++)
			z[(Size) i * l + i] = 1;
		return;
	}
	draw_start(matrix->training, factors, z, l);
	for (i = 0; i < ITERATIONS; i++)
	{
		multiply_all(matrix, z, l, y);
		dense_orthonormalise(matrix->training, z, l, matrix->n);
	}
}

/* The eigenvectors of Z'A'AZ; returns how many of them count. */
static int
solve_subspace(Matrix *matrix, const float *z, int l, float *y, int wanted,
			   double *values, double *vectors)
{
	double *g = MemoryContextAllocHuge(CurrentMemoryContext,
									   (Size) l * l * sizeof(double));
	int i;
	int j;
	int n;

	for (i = 0; i < l; i += BLOCK)
	{
		int width = Min(BLOCK, l - i);

		multiply(matrix, z + i, l, y, width);
		dense_product(matrix->training, z, l, y, width, matrix->n, g + i, l);
	}
	for (i = 0; i < l; i++)
		for (j = 0; j < i; j++)
		{
			double *a = &g[(Size) i * l + j];
			double *b = &g[(Size) j * l + i];

			*a = *b = (*a + *b) / 2;
		}
	dense_eigen(g, l, values, vectors);
	pfree(g);
	for (n = 0; n < wanted && n < l; n++)
		if (!(values[n] > NOISE * values[0]))
			break;
	return n;
}

/* z becomes the factors: its rows times the eigenvectors. */
static void
make_factors(SimTraining *training, SimFactors *factors, float *z, int l,
			 const double *values, const double *vectors)
{
	int n = factors->n;
	int width = TYPEALIGN(DENSE_STEP, n);
	float *m = palloc0((Size) l * width * sizeof(float));
	int i;
	int j;

	for (i = 0; i < l; i++)
		for (j = 0; j < n; j++)
			m[(Size) i * width + j] = vectors[(Size) j * l + i];
	dense_times(training, z, l, factors->order.n, m, width, false);
	pfree(m);
	factors->width = width;
	factors->vectors =
		repalloc_huge(z, ((Size) factors->order.n * width + 1) * sizeof(float));
	factors->sigma = palloc0((width + 1) * sizeof(double));
	for (j = 0; j < n; j++)
		factors->sigma[j] = sqrt(values[j]);
}

void
sim_factor(SimTraining *training, SimFactors *factors)
{
	int l = sim_factor_columns(factors->wanted);
	Matrix matrix;
	float *z;
	float *y;
	double *values;
	double *vectors;

	sim_order_items(training, &factors->order);
	begin_matrix(&matrix, training, factors);
	if (matrix.n < (uint32) l)
		l = TYPEALIGN(DENSE_STEP, Max(matrix.n, 1));
	sim_phase(training->clock, SIM_PHASE_FACTORING,
			  (int64) (ITERATIONS + 1) * ((l + BLOCK - 1) / BLOCK));
	z = MemoryContextAllocHuge(CurrentMemoryContext,
							   ((Size) matrix.n * l + 1) * sizeof(float));
	y = MemoryContextAllocHuge(CurrentMemoryContext,
							   ((Size) matrix.n * BLOCK + 1) * sizeof(float));
	values = palloc(l * sizeof(double));
	vectors = MemoryContextAllocHuge(CurrentMemoryContext,
									 (Size) l * l * sizeof(double));
	find_subspace(&matrix, factors, z, l, y);
	factors->n =
		solve_subspace(&matrix, z, l, y, factors->wanted, values, vectors);
	pfree(y);
	end_matrix(&matrix);
	make_factors(training, factors, z, l, values, vectors);
	pfree(values);
	pfree(vectors);
}
