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

typedef struct Chooser
{
	SimTraining *training;
	SimTuning *tuning;
	SimTrial *trial;
	uint32 max_candidates;
	uint32 best; /* of tuning's candidates */
	double budget;
	double spent; /* both in operations */
	uint32 too_dear;
	uint32 no_room; /* candidates left out */
	int sample_level;

	/* what candidates cost */
	double pair_work;  /* counting all pairs once */
	double score_work; /* adding one entry of each list of each history */

	/* memory */
	Size room;
	Size needed; /* for all candidates */
	int width;	 /* of counted pairs, the most neighbors there can be */
	SimCounted counted;
} Chooser;

extern bool sim_chooser_begin(Chooser *c);
extern bool sim_chooser_has_room(const Chooser *c, const SimParams *params);
extern double sim_chooser_cost(const Chooser *c, const SimParams *params);
extern void
sim_chooser_lists(Chooser *c, SimLists *lists, const SimParams *params);
extern void sim_chooser_report(const Chooser *c);

#endif
