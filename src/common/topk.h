/*
 * topk.h
 *		The k highest of many scores, in memory for k.
 *
 * Only the scores are kept: a caller adds all of them, then takes every
 * candidate that reaches topk_threshold().  That keeps candidates which tie
 * at the cut, among which a later order can choose; a heap of candidates
 * would have dropped an arbitrary part of them.
 */
#ifndef PERSONALIZE_TOPK_H
#define PERSONALIZE_TOPK_H

typedef struct TopK
{
	int k;
	int n;
	double *scores; /* a heap with the lowest on top */
} TopK;

/* Keep the k highest of at most `total` scores. */
extern void topk_init(TopK *top, int k, int total);
extern void topk_insert(TopK *top, double score);

/* The lowest score that is among the k highest; -infinity if all are. */
extern double topk_threshold(const TopK *top);

static inline void
topk_add(TopK *top, double score)
{
	if (top->n < top->k || (top->k > 0 && score > top->scores[0]))
		topk_insert(top, score);
}

#endif
