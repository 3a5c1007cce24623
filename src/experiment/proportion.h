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

/* Both arms have units. */
extern double fisher_p_value(const Counts *counts, Alternative alternative);

#endif
