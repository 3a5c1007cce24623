/*
 * tuning.h
 *		Measuring models on interactions that were held out, and choosing
 *		parameters by it.
 *
 * A trial is a training on what is left when some interactions of some
 * subjects are held out.  Nothing of it is written: lists are made in memory
 * for the items that those subjects have, scored, and measured by what was
 * held out.
 */
#ifndef PERSONALIZE_TUNING_H
#define PERSONALIZE_TUNING_H

#include "training/training.h"

#define SIM_TRIAL_K 20			/* length of the lists that are judged */
#define SIM_TRIAL_SUBJECTS 3000 /* as many are enough */
#define SIM_TRIAL_SHARE 0.2		/* of their interactions, held out */

/* Less tells nothing: the differences between candidates are chance. */
#define SIM_TRIAL_MIN_SUBJECTS 200
#define SIM_TRIAL_MIN_HELD_OUT 1000

/* ---- holdout.c ---- */

/* A subject of which interactions are held out; items are sorted. */
typedef struct SimTrialSubject
{
	uint64 order; /* of the sample */
	uint64 hash;
	uint32 n;
	uint32 *items;	 /* what is left, in the order of adding */
	double *weights; /* of these, or NULL: 1 each */
	uint32 nheld;
	uint32 *held; /* what was held out */
	uint32 nseen;
	uint32 *seen; /* not to be recommended; among them items, or NULL */
} SimTrialSubject;

typedef struct SimTrial
{
	SimTraining training; /* on what is left */
	SimClock clock;		  /* reports to nobody */
	SimTrialSubject *subjects;
	uint32 nsubjects;
	uint64 held_out;
	double sampled; /* share of the subjects that train it */

	/* the items that are left to the subjects, whose lists are needed */
	uint32 *sources;
	uint32 nsources;
	uint32 *place; /* by item: place among sources, or SIM_NO_PLACE */
} SimTrial;

#define SIM_NO_PLACE PG_UINT32_MAX

extern uint64 sim_holdout_order(uint64 subject_hash, int seed);
extern bool
sim_holds_out(uint64 subject_hash, uint64 item_hash, double share, int seed);
extern void sim_holdout_split(SimTrial *trial, const SimTraining *training,
							  double share, int seed);
extern bool sim_holdout_suffices(const SimTrial *trial);
extern void
sim_trial_train(SimTrial *trial, const SimTraining *training, int sample_level);
extern void sim_trial_find_sources(SimTrial *trial);

/* ---- trial.c: lists in memory, and the answers they give ---- */

typedef struct SimTrialLists
{
	int width; /* room of a list */
	int *lengths;
	uint32 *items;
	float *weights;
} SimTrialLists;

#define SIM_LIST_ENTRY (sizeof(uint32) + sizeof(float))

extern void
sim_trial_lists_begin(SimTrialLists *lists, uint32 nsources, int width);
extern void sim_trial_lists_end(SimTrialLists *lists);
extern void sim_trial_lists_compute(SimTrialLists *lists, SimTrial *trial,
									const SimParams *params);

typedef struct SimScorer
{
	const SimTrial *trial;
	double *scores; /* by item */
	char *touched;
	uint32 *items; /* that are touched */
	uint32 n;
	SimNearest best; /* the answer, best first */
	SimCandidate *ties;
	uint32 nties;
	uint32 max_ties;
} SimScorer;

extern void sim_scorer_begin(SimScorer *scorer, const SimTrial *trial, int k);
extern void sim_score(SimScorer *scorer, const SimTrialLists *lists,
					  const SimTrialSubject *subject);
extern void sim_score_with_ties(SimScorer *scorer, const SimTrialLists *lists,
								const SimTrialSubject *subject);
extern void sim_scorer_end(SimScorer *scorer);

/* ---- metrics.c ---- */

typedef struct SimMetrics
{
	uint32 subjects;
	uint64 held_out;
	double recall;
	double ndcg;
	double hit_rate;
	double mrr;
	double precision;
} SimMetrics;

extern void sim_metrics_add(SimMetrics *metrics, const bool *hits, int n, int k,
							uint32 held);
extern void sim_metrics_end(SimMetrics *metrics);
extern void sim_trial_measure(SimTrial *trial, const SimTrialLists *lists,
							  int k, SimMetrics *metrics);

/* ---- counted.c: one counting of pairs for many candidates ---- */

typedef struct SimCounted
{
	double subject_exponent;
	int width;
	int *lengths;
	uint32 *items;
	float *counts;
	float *logs;	  /* of counts over popularity to the exponent */
	double sorted_by; /* this exponent */
} SimCounted;

extern void sim_count_sources(SimCounted *counted, SimTrial *trial,
							  double subject_exponent, int width);
extern void sim_counted_end(SimCounted *counted);
extern void
sim_trial_lists_rescale(SimTrialLists *lists, const SimTrial *trial,
						SimCounted *counted, const SimParams *params);

/* ---- choose.c: the procedure ---- */

typedef struct SimTuning
{
	SimChoice choice; /* but for its pages */
	SimCandidateParams *candidates;
	uint32 ncandidates;
} SimTuning;

extern void sim_tune(SimTraining *training, SimTuning *tuning);

/* ---- choice.c: what an index keeps of it ---- */

extern void sim_choose_params(SimTraining *training, const SimTuning *given,
							  SimChoice *choice);
extern SimCandidateParams *
sim_read_candidates(SimIndex *ix, const SimChoice *choice, uint32 *n);
extern const char *sim_choice_name(int reason);

/* ---- candidates.c ---- */

#define SIM_CANDIDATE_COLUMNS 10

extern void
sim_candidate_values(int number, const SimCandidateParams *candidate,
					 Datum *values);

#endif
