/*
 * off_policy.h
 *		The state of ope().
 */
#ifndef PERSONALIZE_OFF_POLICY_H
#define PERSONALIZE_OFF_POLICY_H

#include "cluster/long_sum.h"
#include "common/state.h"

/*
 * What is summed up of a row with weight w = target_p / logged_p.  The sums
 * have three times a double's precision, as variances are differences of them.
 */
typedef enum OpeSum
{
	OPE_WEIGHT,			 /* w */
	OPE_WEIGHT_SQUARE,	 /* w^2 */
	OPE_VALUE,			 /* v = w reward */
	OPE_VALUE_SQUARE,	 /* v^2 */
	OPE_WEIGHT_VALUE,	 /* w v */
	OPE_CLIPPED,		 /* min(w, clip) reward */
	OPE_CLIPPED_SQUARE,	 /* its square */
	OPE_MODEL,			 /* q_target */
	OPE_MODEL_SQUARE,	 /* its square */
	OPE_CORRECTED,		 /* q_target + w (reward - q_logged) */
	OPE_CORRECTED_SQUARE /* its square */
} OpeSum;

#define OPE_SUMS (OPE_CORRECTED_SQUARE + 1)

typedef struct OffPolicy
{
	StateHeader head; /* unused: whether there is a model */
	int64 n;
	double clip; /* 0 for none */
	double max_weight;
	LongSum sums[OPE_SUMS];
} OffPolicy;

#define has_model(ope) ((ope)->head.unused)

#endif
