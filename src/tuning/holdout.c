/*
 * holdout.c
 *		Interactions that are held out of a trial.
 *
 * Which subjects are asked, and which of their items are held out, is decided
 * by hashes of subject, item and seed: the same on every node, whatever the
 * order of rows and the numbers of items.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "common/mix.h"
#include "tuning/tuning.h"

/* What tells the draws apart, from each other and from those of training. */
#define DRAW_SUBJECTS UINT64CONST(0x9e3779b97f4a7c15)
#define DRAW_ITEMS UINT64CONST(0xd1b54a32d192ed03)

/* The place of a subject in a sample: those come first that are lowest. */
uint64
sim_holdout_order(uint64 subject_hash, int seed)
{
	return mix64(subject_hash ^ mix64(DRAW_SUBJECTS + (uint64) seed));
}

static uint64
item_order(uint64 subject_hash, uint64 item_hash, int seed)
{
	return mix64(sim_sample_order(item_hash, subject_hash) ^
				 mix64(DRAW_ITEMS + (uint64) seed));
}

bool
sim_holds_out(uint64 subject_hash, uint64 item_hash, double share, int seed)
{
	/* 53 bits, as a double holds them */
	return (double) (item_order(subject_hash, item_hash, seed) >> 11) <
		ldexp(share, 53);
}

typedef struct Drawn
{
	uint64 order;
	uint64 hash;
	uint32 subject;
} Drawn;

static int
by_order(const void *a, const void *b)
{
	const Drawn *p = a;
	const Drawn *q = b;

	if (p->order != q->order)
		return p->order < q->order ? -1 : 1;
	return p->hash < q->hash ? -1 : p->hash > q->hash ? 1 : 0;
}

typedef struct HashedItem
{
	uint64 hash;
	uint32 item;
	double weight;
} HashedItem;

static int
by_hash(const void *a, const void *b)
{
	uint64 x = ((const HashedItem *) a)->hash;
	uint64 y = ((const HashedItem *) b)->hash;

	return x < y ? -1 : x > y ? 1 : 0;
}

/*
 * What each item that is left counts in an answer: by a directed model, whose
 * histories come latest first, less for every one that is more recent.
 */
static void
weigh_left(const SimTraining *training, const Drawn *drawn, double share,
		   int seed, HashedItem *items, uint32 n)
{
	double weight = 1;
	uint32 i;

	for (i = 0; i < n; i++)
	{
		items[i].weight = weight;
		if (sim_is_directed(training) &&
			!sim_holds_out(drawn->hash, items[i].hash, share, seed))
			weight *= training->options.forward_decay;
	}
}

/*
 * Divide a history.  Items come in the order of their hashes, so that sums
 * over them do not depend on where they stood.  Returns false where nothing is
 * held out, or nothing left.
 */
static bool
split_subject(const SimTraining *training, const Drawn *drawn, double share,
			  int seed, HashedItem *sorted, SimTrialSubject *subject)
{
	const SimHistories *h = &training->histories;
	const uint32 *items = h->items + h->starts[drawn->subject];
	uint32 n = h->starts[drawn->subject + 1] - h->starts[drawn->subject];
	uint32 i;

	memset(subject, 0, sizeof(*subject));
	for (i = 0; i < n; i++)
	{
		sorted[i].item = items[i];
		sorted[i].hash = training->item_hashes[items[i]];
		subject->nheld +=
			sim_holds_out(drawn->hash, sorted[i].hash, share, seed);
	}
	if (subject->nheld == 0 || subject->nheld == n)
		return false;
	weigh_left(training, drawn, share, seed, sorted, n);
	qsort(sorted, n, sizeof(HashedItem), by_hash);
	subject->order = drawn->order;
	subject->hash = drawn->hash;
	subject->items = palloc(n * sizeof(uint32));
	subject->weights = palloc(n * sizeof(double));
	subject->held = subject->items + n - subject->nheld;
	subject->nheld = 0;
	for (i = 0; i < n; i++)
		if (sim_holds_out(drawn->hash, sorted[i].hash, share, seed))
			subject->held[subject->nheld++] = sorted[i].item;
		else
		{
			subject->weights[subject->n] = sorted[i].weight;
			subject->items[subject->n++] = sorted[i].item;
		}
	return true;
}

/* Subjects that can be divided whose order has `level` zeros at the front. */
static Drawn *
draw_subjects(const SimTraining *training, int seed, int level, uint32 *ndrawn)
{
	const SimHistories *h = &training->histories;
	Size room = 1024;
	Drawn *drawn = palloc(room * sizeof(Drawn));
	uint32 n = 0;
	uint32 i;

	for (i = 0; i < h->nsubjects; i++)
	{
		uint64 order = sim_holdout_order(h->subject_hashes[i], seed);

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (h->starts[i + 1] - h->starts[i] < 2 ||
			(level > 0 && order >> (64 - level) != 0))
			continue;
		if (n == room)
		{
			room *= 2;
			drawn = repalloc_huge(drawn, room * sizeof(Drawn));
		}
		drawn[n].order = order;
		drawn[n].hash = h->subject_hashes[i];
		drawn[n++].subject = i;
	}
	qsort(drawn, n, sizeof(Drawn), by_order);
	*ndrawn = n;
	return drawn;
}

/*
 * Choose the subjects of a trial and divide their histories.  Only as many
 * are sorted as will probably do: far fewer than there are, in a large table.
 */
void
sim_holdout_split(SimTrial *trial, const SimTraining *training, double share,
				  int seed)
{
	const SimHistories *h = &training->histories;
	HashedItem *sorted =
		palloc((training->options.history + 1) * sizeof(HashedItem));
	int level = 0;

	trial->subjects = palloc(SIM_TRIAL_SUBJECTS * sizeof(SimTrialSubject));
	while (h->nsubjects >> level > 16 * SIM_TRIAL_SUBJECTS)
		level++;
	for (;; level = Max(level - 3, 0))
	{
		uint32 ndrawn;
		Drawn *drawn = draw_subjects(training, seed, level, &ndrawn);
		uint32 i;

		trial->nsubjects = 0;
		trial->held_out = 0;
		for (i = 0; i < ndrawn && trial->nsubjects < SIM_TRIAL_SUBJECTS; i++)
		{
			SimTrialSubject *subject = &trial->subjects[trial->nsubjects];

			CHECK_FOR_INTERRUPTS();
			if (!split_subject(training, &drawn[i], share, seed, sorted,
							   subject))
				continue;
			trial->held_out += subject->nheld;
			trial->nsubjects++;
		}
		pfree(drawn);
		if (level == 0 || trial->nsubjects == SIM_TRIAL_SUBJECTS)
			break;
	}
	pfree(sorted);
}

/* Is it enough to choose by? */
bool
sim_holdout_suffices(const SimTrial *trial)
{
	return trial->nsubjects >= SIM_TRIAL_MIN_SUBJECTS &&
		trial->held_out >= SIM_TRIAL_MIN_HELD_OUT;
}

/* ---- what is left, to train on ---- */

static const SimTrialSubject *
find_subject(const SimTrial *trial, uint64 order, uint64 hash)
{
	uint32 low = 0;
	uint32 high = trial->nsubjects;

	while (low < high)
	{
		uint32 middle = (low + high) / 2;
		const SimTrialSubject *s = &trial->subjects[middle];

		if (s->order == order && s->hash == hash)
			return s;
		if (s->order < order || (s->order == order && s->hash < hash))
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool
in_sample(uint64 subject_hash, int level)
{
	return level == 0 || mix64(subject_hash) >> (64 - level) == 0;
}

/* Copy a history but for what is held out. */
static void
copy_history(const SimTraining *training, uint32 i,
			 const SimTrialSubject *subject, SimHistories *to)
{
	const SimHistories *from = &training->histories;
	Size entry;

	if (training->weighted)
	{
		to->subject_times[to->nsubjects] = from->subject_times[i];
		to->subject_weights[to->nsubjects] = from->subject_weights[i];
	}
	for (entry = from->starts[i]; entry < from->starts[i + 1]; entry++)
	{
		uint32 item = from->items[entry];

		if (subject != NULL &&
			sim_holds_out(subject->hash, training->item_hashes[item],
						  SIM_TRIAL_SHARE, training->options.seed))
			continue;
		if (training->weighted)
			to->weights[to->nentries] = from->weights[entry];
		to->items[to->nentries++] = item;
	}
	to->subject_hashes[to->nsubjects++] = from->subject_hashes[i];
	to->starts[to->nsubjects] = to->nentries;
}

/*
 * Make the histories that the trial is trained on: those of 1 in
 * 2^sample_level subjects, without what is held out.
 */
void
sim_trial_train(SimTrial *trial, const SimTraining *training, int sample_level)
{
	const SimHistories *from = &training->histories;
	SimHistories *to = &trial->training.histories;
	uint32 i;

	trial->training = *training;
	trial->training.prepared = NULL;
	trial->training.fit_reported = true; /* the chooser reports */
	trial->training.clock = &trial->clock;
	trial->training.context = CurrentMemoryContext;
	memset(to, 0, sizeof(*to));
	to->max_subjects = from->nsubjects + 1;
	to->max_entries = from->nentries + 1;
	to->starts = MemoryContextAllocHuge(CurrentMemoryContext,
										to->max_subjects * sizeof(Size));
	to->subject_hashes =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   to->max_subjects * sizeof(uint64));
	to->items = MemoryContextAllocHuge(CurrentMemoryContext,
									   to->max_entries * sizeof(uint32));
	if (training->weighted)
	{
		to->weights = MemoryContextAllocHuge(CurrentMemoryContext,
											 to->max_entries * sizeof(float));
		to->subject_times =
			MemoryContextAllocHuge(CurrentMemoryContext,
								   to->max_subjects * sizeof(TimestampTz));
		to->subject_weights =
			MemoryContextAllocHuge(CurrentMemoryContext,
								   to->max_subjects * sizeof(double));
	}
	to->starts[0] = 0;
	for (i = 0; i < from->nsubjects; i++)
	{
		uint64 hash = from->subject_hashes[i];
		int seed = training->options.seed;

		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (!in_sample(hash, sample_level + training->sample_level))
			continue;
		copy_history(training, i,
					 find_subject(trial, sim_holdout_order(hash, seed), hash),
					 to);
	}
	trial->training.sample_level += sample_level;
	trial->sampled = training->all_subjects == 0 ?
		1 :
		(double) to->nsubjects / training->all_subjects;
	sim_transpose_histories(&trial->training);
}

/* Which items' lists are needed. */
void
sim_trial_find_sources(SimTrial *trial)
{
	uint32 nitems = trial->training.nitems;
	uint32 s;
	uint32 i;

	trial->place = MemoryContextAllocHuge(CurrentMemoryContext,
										  (nitems + 1) * sizeof(uint32));
	trial->sources = MemoryContextAllocHuge(CurrentMemoryContext,
											(nitems + 1) * sizeof(uint32));
	memset(trial->place, 0xFF, nitems * sizeof(uint32));
	trial->nsources = 0;
	for (s = 0; s < trial->nsubjects; s++)
	{
		CHECK_FOR_INTERRUPTS();
		for (i = 0; i < trial->subjects[s].n; i++)
		{
			uint32 item = trial->subjects[s].items[i];

			if (trial->place[item] != SIM_NO_PLACE)
				continue;
			trial->place[item] = trial->nsources;
			trial->sources[trial->nsources++] = item;
		}
	}
}
