/*
 * weights.c
 *		What the interactions of a history weigh in training: by strength and
 *		by age.
 *
 * A pair of items counts the product of both weights.  They are taken from
 * the subject's strongest interaction and from its newest, so that they are at
 * most 1 and sums in fixed point cannot overflow; what a subject loses to the
 * newest interaction of all is a factor of the subject.  A pair of interactions
 * of ages a and b counts 2^(-(a + b) / 2 / half_life): as much as one of their
 * mean age.
 */
#include "postgres.h"

#include <math.h>

#include "utils/timestamp.h"

#include "training/training.h"

/*
 * A parameter that needs a column which the index does not have.  VACUUM must
 * not fail for it.
 */
static void
report_missing(const SimIndex *ix, const char *parameter, const char *what,
			   const char *types)
{
	ereport(ix->building ? ERROR : WARNING,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s needs the %s of interactions, which index \"%s\" does not have",
					parameter, what, RelationGetRelationName(ix->rel)),
			 errhint("Create the index with a column of type %s in INCLUDE.",
					 types)));
}

/* Does the index have the columns that its parameters need? */
void
sim_check_weights(const SimIndex *ix)
{
	const SimOptions *options = sim_options(ix->rel);

	if (sim_training_half_life(options) > 0 && !ix->has_time)
		report_missing(ix, "training_half_life", "times",
					   "timestamptz, timestamp or date");
	if (options->training_strength && !ix->has_strength)
		report_missing(ix, "training_strength", "strengths",
					   "integer, float8 or numeric");
}

/* Read the parameters; do interactions differ in weight? */
void
sim_weights_begin(SimTraining *training)
{
	const SimIndex *ix = training->ix;
	const SimOptions *options = &training->options;

	sim_check_weights(ix);
	/* not of the copy: the text stands behind the options */
	if (ix->has_time)
		training->half_life = sim_training_half_life(sim_options(ix->rel));
	training->weighted = training->half_life > 0 ||
		(ix->has_strength && options->training_strength &&
		 options->strength_scale != SIM_STRENGTH_NONE);
}

/* Half-lives from time to newest. */
static double
age(const SimTraining *training, TimestampTz newest, TimestampTz time)
{
	return (double) ((uint64) newest - (uint64) time) / training->half_life;
}

static double
strength_weight(const SimTraining *training, double strength)
{
	if (!training->ix->has_strength || !training->options.training_strength)
		return 1;
	return sim_strength_weight(training->options.strength_scale, strength);
}

/*
 * The weights of n distinct items, newest first.  Without a time an interaction
 * is as old as can be, unless the times of all are missing.
 */
void
sim_weigh_history(const SimTraining *training, const SimPosting *postings,
				  Size n, float *weights)
{
	TimestampTz newest = postings[0].time;
	double strongest = 0;
	Size i;

	for (i = 0; i < n; i++)
		strongest =
			Max(strongest, strength_weight(training, postings[i].strength));
	for (i = 0; i < n; i++)
	{
		double weight =
			strength_weight(training, postings[i].strength) / strongest;

		if (training->half_life > 0 && newest != SIM_NO_TIME)
			weight *= postings[i].time == SIM_NO_TIME ?
				0 :
				exp2(-age(training, newest, postings[i].time) / 2);
		weights[i] = (float) weight;
	}
}

/*
 * When the newest interaction of all is known: what each subject counts.  The
 * future does not make the present old.
 */
void
sim_weigh_subjects(SimTraining *training)
{
	SimHistories *h = &training->histories;
	TimestampTz newest = Min(training->newest, GetCurrentTimestamp());
	uint32 i;

	for (i = 0; i < h->nsubjects; i++)
	{
		TimestampTz time = h->subject_times[i];

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		h->subject_weights[i] = 1;
		if (training->half_life == 0 || training->newest == SIM_NO_TIME ||
			time >= newest)
			continue;
		h->subject_weights[i] =
			time == SIM_NO_TIME ? 0 : exp2(-age(training, newest, time));
	}
}
