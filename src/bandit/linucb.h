/*
 * linucb.h
 *		The state of linucb().
 */
#ifndef PERSONALIZE_LINUCB_H
#define PERSONALIZE_LINUCB_H

#include "common/args.h"
#include "common/state.h"
#include "common/sum.h"
#include "utils/array.h"

/* A state of so many features has 82 kB. */
#define LINUCB_MAX_WIDTH 100

typedef struct LinUcb
{
	StateHeader head;
	int64 n;
	int32 width;
	int32 unused;
	Sum sums[FLEXIBLE_ARRAY_MEMBER]; /* upper triangle of X'X by rows, X'y */
} LinUcb;

/* Sum of the products of features i <= j. */
static inline const Sum *
linucb_product(const LinUcb *arm, int i, int j)
{
	return &arm->sums[i * arm->width - i * (i - 1) / 2 + j - i];
}

/* Sum of the products of a feature and the reward. */
static inline const Sum *
linucb_reward(const LinUcb *arm, int i)
{
	return &arm->sums[arm->width * (arm->width + 1) / 2 + i];
}

/* The features of a row, checked. */
extern const double *linucb_features(ArrayType *array, int *width);

#endif
