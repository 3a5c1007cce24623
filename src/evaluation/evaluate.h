/*
 * evaluate.h
 *		evaluate() while it runs.
 */
#ifndef PERSONALIZE_EVALUATE_H
#define PERSONALIZE_EVALUATE_H

#include "similarity/reader_state.h"
#include "tuning/tuning.h"

/* A subject that is asked, in the order of the sample. */
typedef struct EvalSubject
{
	uint64 order;
	uint64 hash;
	BlockNumber block; /* of its record */
	OffsetNumber offset;
	bool usable; /* something is held out, and something left */
	Datum key;
	uint32 nheld;
	Datum *held; /* keys of what is held out */
} EvalSubject;

typedef struct Evaluation
{
	int k;
	bool last; /* hold out the last interaction, not a random share */
	double share;
	int seed;
	int max_subjects;
	EvalSubject *subjects;
	int nsubjects;
	int room; /* of subjects, while they are drawn */
} Evaluation;

/* An item of an answer. */
typedef struct EvalItem
{
	double score;
	Datum key;
	uint32 item;
	bool hit;
} EvalItem;

/* Who answers: an index, or what is popular in it. */
typedef struct Contender
{
	Evaluation *evaluation;
	MemoryContext context; /* of all that lasts */
	SimReader *reader;
	SimClock clock;
	SimTrial trial; /* subject i is evaluation->subjects[i] */
	SimTrialLists lists;
	SimScorer scorer;
	SimParams params;
	Datum *keys; /* by item, 0 where not yet read */
	bool popularity;
	uint32 *popular; /* all items, most subjects first */
	char *seen;		 /* by item, of the subject at hand */
	EvalItem *answer;
	int nanswer;

	/* what is summed up over subjects */
	SimMetrics metrics;
	uint64 *exposure; /* by item: answers that have it */
	double information;
	uint64 places;
} Contender;

/* sample.c */
extern void sim_eval_draw(Evaluation *evaluation, Contender *contender);

/* contender.c */
extern Contender *sim_contender_open(Evaluation *evaluation, Oid source);
extern void sim_contender_prepare(Contender *contender);
extern Contender *sim_contender_popularity(Contender *of);
extern void sim_contender_answer(Contender *contender, int subject);
extern Datum sim_contender_key(Contender *contender, uint32 item);

/* exposure.c: what is said of all answers together */
extern void sim_exposure_add(Contender *contender);
extern uint32 sim_exposure_items(const Contender *contender);
extern uint32 sim_exposure_covered(const Contender *contender);
extern double sim_exposure_gini(const Contender *contender);
extern double sim_exposure_novelty(const Contender *contender);

#endif
