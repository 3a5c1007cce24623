/*
 * training.h
 *		Training: what its files share.
 */
#ifndef PERSONALIZE_TRAINING_H
#define PERSONALIZE_TRAINING_H

#include "compat.h"
#include "similarity/progress.h"
#include "similarity/similarity.h"

/* What a training keeps in memory: for each item, entry and subject. */
#define SIM_MEMORY_PER_ITEM                                                    \
	(sizeof(uint64) + sizeof(SimTally) + 4 * sizeof(uint32) + sizeof(double) + \
	 sizeof(ItemPointerData) + sizeof(Size))
#define SIM_MEMORY_PER_ENTRY (2 * sizeof(uint32))
#define SIM_MEMORY_PER_SUBJECT (sizeof(Size) + sizeof(uint64))

/* Where interactions have weights: as much more. */
#define SIM_MEMORY_PER_WEIGHT (2 * sizeof(float))
#define SIM_MEMORY_PER_WEIGHTED_SUBJECT (sizeof(TimestampTz) + sizeof(double))

/* Co-occurrence with one other item: sum of weights, in fixed point, and n. */
typedef struct SimTally
{
	int64 weight;
	int64 n;
} SimTally;

static inline Size
sim_training_fixed_memory(uint32 nitems)
{
	return (Size) nitems * SIM_MEMORY_PER_ITEM;
}

/*
 * The histories that a model is trained on, by subject and by item, as
 * compressed rows.  Subjects are numbered in the order they were found;
 * nothing of the result depends on it.
 */
typedef struct SimHistories
{
	uint32 nsubjects;
	Size nentries;
	Size *starts;  /* nsubjects + 1 */
	uint32 *items; /* nentries item numbers */
	uint64 *subject_hashes;
	Size max_entries;
	uint32 max_subjects;
	Size *item_starts;	   /* nitems + 1 */
	uint32 *item_subjects; /* nentries subject numbers */
	uint32 *degrees;	   /* nitems: subjects whose history holds it */

	/* what they weigh, all of these NULL if the same; see weights.c */
	float *weights;				/* by entry */
	float *item_weights;		/* by entry of item_subjects */
	double *subject_weights;	/* by subject */
	TimestampTz *subject_times; /* by subject, the newest */
} SimHistories;

struct SimPrepared;

typedef struct SimTraining
{
	SimIndex *ix;
	bool vacuum;   /* pause as VACUUM is told to */
	bool unlocked; /* VACUUM is not kept away: nothing is written */
	SimClock *clock;
	SimOptions options;
	SimParams params; /* of the model */
	double half_life; /* microseconds; 0: none */
	bool weighted;	  /* interactions differ in weight */
	MemoryContext context;
	uint32 generation;
	uint32 nitems;
	uint64 *item_hashes;
	SimHistories histories;
	Size budget;	  /* for histories */
	Size reserved;	  /* of the memory, for what is not this training's */
	int sample_level; /* 1 in 2^level subjects are used */
	uint64 all_subjects;
	uint64 all_entries; /* of histories, sampled or not */
	uint64 interactions;
	TimestampTz newest;
	struct SimPrepared *prepared; /* NULL: nothing yet */
	bool fit_reported;			  /* that a method does not fit in memory */

	/*
	 * Sees each subject's postings before anything else, and may take some
	 * out; a subject for which it returns false is left out.
	 */
	bool (*filter)(void *arg, const SimRecordRef *subject, SimPosting *postings,
				   Size *n);
	void *filter_arg;

	/* writing */
	BlockNumber chain;		 /* the model's pages, newest first */
	Page page;				 /* being filled, not yet in the index */
	ItemPointerData *places; /* of each item's list */
	SimArray slots;
	SimArray degrees;
	BlockNumber popular;
} SimTraining;

/* One row of the model, best neighbour first. */
typedef struct SimRow
{
	int n;
	uint32 *items;
	float *weights;
	uint32 *supports;
} SimRow;

struct SimTuning;

extern void sim_train_timed(SimIndex *ix, bool vacuum, SimClock *clock);
extern void sim_train_given(SimIndex *ix, bool vacuum, SimClock *clock,
							const struct SimTuning *given);

/* Start a training in memory; context holds all that it keeps. */
extern void sim_training_begin(SimTraining *training, SimIndex *ix, bool vacuum,
							   SimClock *clock);
extern void sim_training_load_items(SimTraining *training);
extern void sim_training_load_histories(SimTraining *training);
extern void sim_training_end(SimTraining *training);

extern void sim_load_histories(SimTraining *training);
extern void sim_transpose_histories(SimTraining *training);
extern void sim_free_histories(SimHistories *histories);

/* ---- weights.c: what interactions count ---- */

extern void sim_check_weights(const SimIndex *ix);
extern void sim_weights_begin(SimTraining *training);
extern void
sim_weigh_history(const SimTraining *training, const SimPosting *postings,
				  Size n, float *weights);
extern void sim_weigh_subjects(SimTraining *training);

static inline Size
sim_histories_memory(const SimTraining *training, uint64 nentries,
					 uint64 nsubjects)
{
	Size per_entry = SIM_MEMORY_PER_ENTRY;
	Size per_subject = SIM_MEMORY_PER_SUBJECT;

	if (training->weighted)
	{
		per_entry += SIM_MEMORY_PER_WEIGHT;
		per_subject += SIM_MEMORY_PER_WEIGHTED_SUBJECT;
	}
	return nentries * per_entry + nsubjects * per_subject;
}

/* ---- pairs.c: how often items occur together ---- */

/*
 * c_ij of one source i at a time: tally[j] for the j in items, which come in
 * an order that must not show.
 */
typedef struct SimPairs
{
	SimTraining *training;
	SimTally *tally; /* by item; all zero but for those in items */
	uint32 *items;
	uint32 n;
	double unit;	/* of a tally's weight */
	int64 *weights; /* d^-g in units, by history length */
	double *steps;	/* of directed pairs, by how far apart */
} SimPairs;

extern void sim_pairs_begin(SimPairs *pairs, SimTraining *training,
							double subject_exponent);
extern void sim_pairs_count(SimPairs *pairs, uint32 source);
extern void sim_pairs_clear(SimPairs *pairs);
extern void sim_pairs_end(SimPairs *pairs);

/* ---- forward.c: pairs that have an order ---- */

extern bool sim_is_directed(const SimTraining *training);
extern double *sim_forward_steps(const SimTraining *training);
extern void sim_forward_count(SimPairs *pairs, uint32 source);

/* ---- nearest.c: the k candidates of highest value ---- */

typedef struct SimCandidate
{
	double value;
	uint64 hash; /* breaks ties, so that item numbers do not */
	uint32 item;
	uint32 support;
} SimCandidate;

typedef struct SimNearest
{
	SimCandidate *heap; /* the worst on top, once there are k */
	int n;
	int k;
} SimNearest;

extern void sim_nearest_begin(SimNearest *nearest, int k);
extern void
sim_nearest_offer(SimNearest *nearest, const SimCandidate *candidate);
extern void sim_nearest_sort(SimNearest *nearest);

/* Can a candidate of this value still be among the k? */
static inline bool
sim_nearest_wants(const SimNearest *nearest, double value)
{
	return nearest->n < nearest->k || value >= nearest->heap[0].value;
}

/* ---- rows.c: the rows of a model, by the method that params name ---- */

typedef struct SimRows SimRows;

extern SimRows *sim_rows_begin(SimTraining *training, const SimParams *params);

/* The row of a source, good until the next one; sources come in any order. */
extern const SimRow *sim_rows_read(SimRows *rows, uint32 source);
extern void sim_rows_end(SimRows *rows);

/* ---- prepared.c: what the rows of several settings share ---- */

/*
 * Keep the best pairs of each item: rows with this subject_exponent are then
 * made of them, without counting again.  Only for trials, because pairs that
 * are not kept are taken for none, and supports are not known.  False: there
 * is not enough memory, rows go on counting.
 */
extern bool
sim_prepare_pairs(SimTraining *training, double subject_exponent, int length);
extern void sim_prepared_forget(SimTraining *training);

/* ---- fit.c: the memory that a method takes ---- */

/* Bytes that rows take besides histories. */
extern Size sim_rows_memory(SimTraining *training, const SimParams *params);

/* Make do with the memory there is; true if that takes other parameters. */
extern bool sim_params_fit(SimTraining *training, SimParams *params);

/* ---- model.c: writing ---- */

extern void
sim_write_row(SimTraining *training, ItemNumber item, const SimRow *row);
extern void sim_write_slots(SimTraining *training);
extern void sim_write_degrees(SimTraining *training);
extern void sim_write_popular(SimTraining *training,
							  const SimPopularOnPage *entries, Size n);
extern void sim_train_popular(SimTraining *training);

static inline void
sim_training_pause(SimTraining *training)
{
	CHECK_FOR_INTERRUPTS();
	if (training->vacuum)
		vacuum_pause();
}

/* The place of an item in a sample of a subject's history. */
extern uint64 sim_sample_order(uint64 item_hash, uint64 subject_hash);

#endif
