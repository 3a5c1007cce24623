/*
 * chooser.h
 *		The choice of parameters while it is made.
 */
#ifndef PERSONALIZE_CHOOSER_H
#define PERSONALIZE_CHOOSER_H

#include "tuning/tuning.h"

/*
 * Operations in a second of the nominal processor, which tuning_budget means.
 * An operation is the addition of one pair to a count: 5 ns on a server
 * processor of 2020.  Whatever else is done counts as so many of these.
 */
#define SIM_NOMINAL_RATE 2e8

/* Lists of methods that find more than co-occurrence does, and their B. */
#define SIM_WIDE_LISTS 200
#define SIM_USUAL_STEP 50

typedef struct Chooser
{
	SimTraining *training;
	SimTuning *tuning;
	SimTrial *trial;
	uint32 max_candidates;
	uint32 best;	 /* of tuning's candidates */
	double budget;	 /* in operations */
	double spent;	 /* likewise */
	uint32 too_dear; /* candidates left out for want of budget */
	uint32 no_room;	 /* and of memory */

	/* what candidates cost */
	double pair_work;  /* counting all pairs once */
	double score_work; /* items of all histories that are scored */

	/* memory */
	Size room;
	Size needed; /* for all candidates of co-occurrence */
	int width;	 /* of counted pairs: no list can be longer */

	/* what is there to make candidates from */
	SimCounted counted;
	bool has_pairs; /* of the other methods */
	SimParams made; /* what was made last for them, by its parameters */
	bool has_second;
	bool has_factors;
	bool has_regressions;
} Chooser;

extern bool sim_chooser_begin(Chooser *c);
extern bool sim_chooser_has_room(Chooser *c, const SimParams *params);
extern double sim_chooser_cost(const Chooser *c, const SimParams *params);
extern void
sim_chooser_lists(Chooser *c, SimTrialLists *lists, const SimParams *params);
extern void sim_chooser_report(const Chooser *c);

#endif
