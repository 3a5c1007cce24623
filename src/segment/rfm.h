/*
 * rfm.h
 *		The state of rfm(): what its files share.
 */
#ifndef PERSONALIZE_SEGMENT_RFM_H
#define PERSONALIZE_SEGMENT_RFM_H

#include "common/sum.h"
#include "segment/segment.h"

/* What few customers have. */
typedef struct RfmRare
{
	Sum refunded;				/* a positive number */
	TimestampTz last_refund_at; /* 0 if nothing was refunded */
	int64 later;				/* rows after as_of */
} RfmRare;

typedef struct RfmState
{
	StateHeader head;
	int64 unit; /* microseconds */
	TimestampTz as_of;
	int64 orders;
	TimestampTz first_at; /* of an order, as last_at */
	TimestampTz last_at;
	Sum first; /* orders in the first one's period */
	Sum rest;  /* and all others */
	PeriodSet periods;
	bool has_rare; /* a RfmRare stands before the periods */
	double data[FLEXIBLE_ARRAY_MEMBER];
} RfmState;

#define rare_size(state) ((state)->has_rare ? sizeof(RfmRare) : 0)
#define rfm_rare(state) ((RfmRare *) (state)->data)
#define rfm_entries(state) \
	((void *) ((char *) (state)->data + rare_size(state)))
#define rfm_room(state) \
	(VARSIZE(state) - offsetof(RfmState, data) - rare_size(state))

/* These return the state itself or, where it had to grow, a larger copy. */
extern RfmState *rfm_with_rare(RfmState *state);
extern RfmState *rfm_add_period(RfmState *state, int64 period);

/* Orders that came before all there are; theirs is the first period now. */
extern void rfm_new_first_period(RfmState *state, const Sum *first);

/* An error if it overflowed. */
extern void rfm_check_sum(const Sum *sum);

#endif
