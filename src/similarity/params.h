/*
 * params.h
 *		How a model is made: storage parameters, and how those that the user
 *		left open were chosen.
 */
#ifndef PERSONALIZE_PARAMS_H
#define PERSONALIZE_PARAMS_H

#include "storage/block.h"
#include "utils/rel.h"

/*
 * How a model is made: every storage parameter of the formula, none left
 * open.  doc/recommend.md has the formulas.
 */
typedef enum SimMethod
{
	SIM_METHOD_AUTO, /* of options only */
	SIM_METHOD_COOCCURRENCE,
	SIM_METHOD_SHARPENED,
	SIM_METHOD_RIDGE
} SimMethod;

typedef struct SimParams
{
	int32 method;
	int32 neighbors;
	double subject_exponent;
	double popularity_exponent;
	double sharpness;
	double two_step_weight;
	double two_step_popularity_exponent;
	double two_step_sharpness;
	double ridge_penalty;
	double low_pass;
	double low_pass_subject_exponent;
	double low_pass_item_exponent;
	double low_pass_source_exponent;
	double low_pass_target_exponent;
	double low_pass_spectrum;
	int32 two_step_neighbors;
	int32 ridge_sources;
	int32 low_pass_factors;
	int32 unused;
} SimParams;

/*
 * How the parameters that the user left open came about.  It is of an index,
 * not of a model: trainings keep it.
 */
typedef enum SimChoiceReason
{
	SIM_CHOICE_NONE,	   /* never tried */
	SIM_CHOICE_MADE,	   /* the best of the candidates */
	SIM_CHOICE_TOO_LITTLE, /* data; the defaults stand */
	SIM_CHOICE_OPTIONS,	   /* nothing was left open */
	SIM_CHOICE_NO_BUDGET,  /* tuning_budget does not allow one candidate */
	SIM_CHOICE_NO_MEMORY   /* maintenance_work_mem does not */
} SimChoiceReason;

typedef struct SimChoice
{
	int32 reason;
	int32 seed;
	uint32 fixed;	 /* set by the user then, see sim_params_fixed() */
	uint32 subjects; /* of which interactions were held out */
	uint64 held_out;
	uint64 interactions; /* of the index then */
	double sampled;		 /* share of subjects that trained the trials */
	double ndcg;		 /* of the chosen one, at 20 */
	double recall;
	double budget; /* of it, seconds of the nominal processor */
	double cost;
	double cpu;		   /* seconds that it really took */
	uint32 candidates; /* tried */
	uint32 left_out;   /* for want of budget or memory */
	uint32 generation; /* of the pages */
	BlockNumber pages; /* that hold the candidates, chained */
	SimParams params;
} SimChoice;

/* A candidate, in memory as on a page. */
typedef struct SimCandidateParams
{
	SimParams params;
	double ndcg;
	double recall;
	double hit_rate;
	double mrr;
	double precision;
	double cost; /* seconds of the nominal processor */
	double cpu;
	int32 chosen;
	int32 unused;
} SimCandidateParams;

/* ---- options.c ---- */

/* What of a strength counts. */
typedef enum SimStrengthScale
{
	SIM_STRENGTH_LOG, /* log2(1 + strength) */
	SIM_STRENGTH_RAW,
	SIM_STRENGTH_NONE /* all alike */
} SimStrengthScale;

/* What is left to the training to choose is SIM_UNSET. */
#define SIM_UNSET (-100)

typedef enum SimDirection
{
	SIM_DIRECTION_BOTH,
	SIM_DIRECTION_FORWARD
} SimDirection;

typedef struct SimOptions
{
	int32 vl_len_;
	int history;
	int min_support;
	double retrain_after;
	int method;
	int neighbors;
	double subject_exponent;
	double popularity_exponent;
	double sharpness;
	double two_step_weight;
	double two_step_popularity_exponent;
	double two_step_sharpness;
	int two_step_neighbors;
	double ridge_penalty;
	int ridge_sources;
	double low_pass;
	int low_pass_factors;
	double low_pass_subject_exponent;
	double low_pass_item_exponent;
	double low_pass_source_exponent;
	double low_pass_target_exponent;
	double low_pass_spectrum;
	double tuning_budget;
	int seed;
	int direction;
	int forward_window;
	double forward_decay;
	double backward_weight;
	bool postings;
	int strength_scale;
	bool training_strength;
	int training_half_life; /* offset of the interval's text, or 0 */
} SimOptions;

extern const SimOptions *sim_options(Relation index);
extern const SimOptions *sim_default_options(void);
extern double sim_training_half_life(const SimOptions *options);

/* ---- params.c ---- */

extern const SimParams sim_default_params;
extern const char *sim_method_name(int method);
extern void sim_params_set(SimParams *params, const SimOptions *options);
extern uint32 sim_params_fixed(const SimOptions *options);
extern bool
sim_params_all_fixed(const SimParams *params, const SimOptions *options);
extern bool sim_params_equal(const SimParams *a, const SimParams *b);
extern char *sim_params_json(const SimParams *params);
extern char *sim_params_options(const SimParams *params);

#endif
