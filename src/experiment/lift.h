/*
 * lift.h
 *		The state of aggregates over both arms: SQL type lift_state.
 */
#ifndef PERSONALIZE_LIFT_H
#define PERSONALIZE_LIFT_H

#include "experiment/experiment.h"

typedef enum LiftKind
{
	LIFT_MEAN,
	LIFT_RATIO,
	LIFT_PROPORTION
} LiftKind;

/* head.unused is the kind, and in its low byte k */
typedef struct LiftState
{
	StateHeader head;
	/* then ArmSums of control, and of treatment */
} LiftState;

#define CONTROL 0
#define TREATMENT 1

#define lift_k(lift) ((int) (lift)->head.unused & 0xFF)
#define lift_kind(lift) ((LiftKind) ((lift)->head.unused >> 8))
#define lift_size(k) (sizeof(StateHeader) + 2 * arm_sums_size(k))
#define lift_arm(lift, k, which)                          \
	((ArmSums *) ((char *) (lift) + sizeof(StateHeader) + \
				  (which) *arm_sums_size(k)))

extern const StateType lift_type;
extern LiftState *lift_new(int k, LiftKind kind);

/* Of the arm of a proportion: are there from 0 to n successes? */
extern bool arm_is_share(ArmSums *arm);

/* An error if the state is of another kind. */
extern void
lift_expect(const LiftState *lift, LiftKind kind, const char *function);

#endif
