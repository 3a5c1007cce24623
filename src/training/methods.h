/*
 * methods.h
 *		What the methods of training share with each other.
 */
#ifndef PERSONALIZE_METHODS_H
#define PERSONALIZE_METHODS_H

#include "training/training.h"

/* ---- order.c: orders that do not depend on numbers ---- */

#define SIM_NO_RANK PG_UINT32_MAX

typedef struct SimOrder
{
	uint32 n;
	uint32 *items; /* those with a history, by hash */
	uint32 *ranks; /* by item: its place there, or SIM_NO_RANK */
} SimOrder;

extern void sim_sort_by_hash(SimTraining *training, const uint64 *hashes,
							 uint32 *numbers, uint32 n);
extern void sim_order_items(SimTraining *training, SimOrder *order);

/* ---- cooccurrence.c: normalised co-occurrence ---- */

struct SimPairLists;

typedef struct SimCooccurrence
{
	SimTraining *training;
	const struct SimPairLists *served; /* to be read instead of counting */
	double sharpness;
	int neighbors;
	SimPairs pairs;
	double *damping; /* d_j^-q, by item */
	SimNearest nearest;
} SimCooccurrence;

extern void
sim_cooccurrence_begin(SimCooccurrence *co, SimTraining *training,
					   double subject_exponent, double popularity_exponent,
					   double sharpness, int neighbors, int candidates);
extern void sim_cooccurrence_count(SimCooccurrence *co, uint32 source);
extern void sim_cooccurrence_select(SimCooccurrence *co, uint32 source);
extern void sim_cooccurrence_counts(SimCooccurrence *co, uint32 source);
extern void sim_cooccurrence_end(SimCooccurrence *co);

/* ---- sums of one row, by item ---- */

typedef struct SimSums
{
	double *values; /* all 0 but for those in items */
	bool *marks;	/* by item: is it in items? */
	uint32 *items;
	uint32 n;
} SimSums;

#define SIM_MEMORY_PER_SUM (sizeof(double) + sizeof(bool) + sizeof(uint32))

static inline void
sim_sums_add(SimSums *sums, uint32 item, double value)
{
	if (!sums->marks[item])
	{
		sums->marks[item] = true;
		sums->items[sums->n++] = item;
	}
	sums->values[item] += value;
}

/* ---- lists.c: lists of all items in memory ---- */

typedef struct SimLists
{
	Size *starts;  /* nitems + 1 */
	uint32 *items; /* each list in an order of its own */
	float *values;
	Size max; /* entries that there is room for */
} SimLists;

#define SIM_MEMORY_PER_LISTED (sizeof(uint32) + sizeof(float))

extern void sim_lists_begin(SimLists *lists, uint32 nitems);
extern void
sim_lists_add(SimLists *lists, uint32 list, int n, const SimCandidate *entries);
extern void sim_lists_transpose(SimTraining *training, SimLists *lists);
extern Size sim_lists_memory(const SimLists *lists, uint32 nitems);
extern void sim_lists_end(SimLists *lists);

/* ---- prepared.c ---- */

/* The pairs of an item with the others, c_ij; and with itself, c_ii. */
typedef struct SimPairLists
{
	bool valid;
	bool serve; /* instead of counting */
	double subject_exponent;
	int length;
	SimLists lists;
	float *diagonal;
	float *rest; /* what G_ij of the pairs that are not listed sums to */
	double total_rest;
} SimPairLists;

/* Normalised co-occurrence as of a second step. */
typedef struct SimSecondStep
{
	bool valid;
	double subject_exponent;
	double popularity_exponent;
	double sharpness;
	int neighbors;
	SimLists lists;
} SimSecondStep;

/* The leading right singular vectors of the scaled interactions. */
typedef struct SimFactors
{
	bool valid;
	int wanted; /* factors asked for */
	double subject_exponent;
	double item_exponent;
	int seed;
	SimOrder order;
	int n;			/* factors there are */
	int width;		/* of a row, the rest being 0 */
	float *vectors; /* by rank */
	double *sigma;	/* n, descending */
} SimFactors;

/* Positive coefficients of each item's regression, by source. */
typedef struct SimRegressions
{
	bool valid;
	double subject_exponent;
	double penalty;
	int sources;
	SimLists lists;
} SimRegressions;

typedef struct SimPrepared
{
	SimPairLists pairs;
	SimSecondStep second;
	SimFactors factors;
	SimRegressions regressions;
} SimPrepared;

extern SimPrepared *sim_prepared(SimTraining *training);
extern Size sim_prepared_memory(SimTraining *training);
extern const SimPairLists *
sim_pair_lists(SimTraining *training, double subject_exponent, int length);
extern const SimPairLists *
sim_served_pairs(SimTraining *training, double subject_exponent);
extern const SimSecondStep *
sim_second_step(SimTraining *training, const SimParams *params);
extern const SimFactors *
sim_factors(SimTraining *training, const SimParams *params);
extern const SimRegressions *
sim_regressions(SimTraining *training, const SimParams *params);

/* ---- fit.c ---- */

extern Size sim_memory_left(SimTraining *training);
extern Size sim_pairs_memory(SimTraining *training, int length);
extern int sim_ridge_length(SimTraining *training, const SimParams *params);
extern void sim_report_fit(SimTraining *training, const SimParams *wanted,
						   const SimParams *params);

/* ---- the methods ---- */

/* The pairs that are listed are those of the highest c_ij / d_j^this. */
#define SIM_PAIRS_EXPONENT 0.35

extern void sim_sharpen(SimSums *sums, const SimNearest *first,
						const SimSecondStep *second, double weight);
extern int sim_factor_columns(int factors);
extern Size sim_factor_memory(SimTraining *training, int factors);
extern void sim_factor(SimTraining *training, SimFactors *factors);

/* Candidates of a row of k that the low-pass part is computed for. */
#define SIM_LOW_PASS_CANDIDATES(k) Max(300, (k) + (k) / 2)

typedef struct SimLowPass
{
	SimTraining *training;
	const SimFactors *factors;
	double weight;			/* alpha, scaled to the other part */
	double source_exponent; /* a */
	float *spectrum;		/* (sigma / sigma_1)^f */
	float *targets;			/* d_j^c, by rank */
	float *source;			/* a source's row, scaled */
	SimNearest candidates;
} SimLowPass;

extern void sim_low_pass_begin(SimLowPass *low, SimTraining *training,
							   const SimParams *params);
extern double
sim_low_pass_squares(SimLowPass *low, const uint32 *sources, uint32 n);
extern void sim_low_pass_add(SimLowPass *low, SimSums *sums,
							 const SimNearest *more, uint32 source);
extern void sim_low_pass_end(SimLowPass *low);

extern void sim_regress(SimTraining *training, const SimPairLists *pairs,
						SimRegressions *regressions);

typedef struct SimRidgeRow
{
	SimTraining *training;
	const SimRegressions *regressions;
	double sharpness;
	double *boost; /* d_j^(1/2 - q), by item */
	SimNearest nearest;
} SimRidgeRow;

extern void sim_ridge_begin(SimRidgeRow *row, SimTraining *training,
							const SimParams *params);
extern void sim_ridge_row(SimRidgeRow *row, uint32 source);
extern void sim_ridge_end(SimRidgeRow *row);

#endif
