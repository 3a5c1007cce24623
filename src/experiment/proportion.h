/*
 * proportion.h
 *		Two shares, such as of visitors who bought.
 */
#ifndef PERSONALIZE_PROPORTION_H
#define PERSONALIZE_PROPORTION_H

#include "experiment/experiment.h"

typedef struct Counts
{
	int64 successes_control;
	int64 n_control;
	int64 successes_treatment;
	int64 n_treatment;
} Counts;

/* ---- fisher.c ---- */

/*
 * NaN if an arm has no units, or both together more than FISHER_LIMIT: it takes
 * as many steps as there are tables that may well be, which go with the root of
 * the units, and counts must be exact in a double.
 */
#define FISHER_LIMIT 1e12

extern double fisher_p_value(const Counts *counts, Alternative alternative);

#endif
