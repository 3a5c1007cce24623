/*
 * contender.c
 *		Who is evaluated: an index, trained in memory on what is left.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "evaluation/evaluate.h"

/* ---- training on what is left ---- */

Contender *
sim_contender_open(Evaluation *evaluation, Oid source)
{
	Contender *c = palloc0(sizeof(Contender));
	SimTraining *training = &c->trial.training;
	SimMeta *meta;

	c->evaluation = evaluation;
	c->context = CurrentMemoryContext;
	c->reader = sim_reader_open(source);
	sim_training_begin(training, &c->reader->state->ix, false, &c->clock);
	training->unlocked = true;
	sim_training_load_items(training);
	c->keys = MemoryContextAllocExtended(CurrentMemoryContext,
										 (training->nitems + 1) * sizeof(Datum),
										 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	/* By what the model was made; an untrained index would be made so. */
	meta = &c->reader->state->meta;
	c->params = training->params;
	if (meta->generation > 0)
	{
		c->params = meta->params;
		training->options.direction =
			meta->directed ? SIM_DIRECTION_FORWARD : SIM_DIRECTION_BOTH;
		training->options.forward_decay = meta->forward_decay;
	}
	return c;
}

Datum
sim_contender_key(Contender *c, uint32 item)
{
	MemoryContext old_context;

	if (c->keys[item] == (Datum) 0)
	{
		old_context = MemoryContextSwitchTo(c->context);
		c->keys[item] = sim_item_key(c->reader, item);
		MemoryContextSwitchTo(old_context);
	}
	return c->keys[item];
}

static int
by_number(const void *a, const void *b)
{
	uint32 x = *(const uint32 *) a;
	uint32 y = *(const uint32 *) b;

	return x < y ? -1 : x > y ? 1 : 0;
}

static bool
is_held(const SimTrialSubject *subject, uint32 item)
{
	return bsearch(&item, subject->held, subject->nheld, sizeof(uint32),
				   by_number) != NULL;
}

typedef struct HistoryEntry
{
	SimHistoryItem item;
	uint64 hash;
	uint64 order; /* of the sample at the cut */
} HistoryEntry;

/* As recommend() adds lists. */
static int
newest_first(const void *a, const void *b)
{
	const HistoryEntry *p = a;
	const HistoryEntry *q = b;

	if (p->item.time != q->item.time)
		return p->item.time > q->item.time ? -1 : 1;
	return p->hash < q->hash ? -1 : p->hash > q->hash ? 1 : 0;
}

/* As training and recommend() cut a history. */
static int
newest_by_sample(const void *a, const void *b)
{
	const HistoryEntry *p = a;
	const HistoryEntry *q = b;

	if (p->item.time != q->item.time)
		return p->item.time > q->item.time ? -1 : 1;
	return p->order < q->order ? -1 : p->order > q->order ? 1 : 0;
}

/* Numbers of what is held out, as far as this index knows it. */
static void
find_held(Contender *c, const EvalSubject *drawn, SimTrialSubject *subject)
{
	uint32 i;

	subject->held = palloc((drawn->nheld + 1) * sizeof(uint32));
	for (i = 0; i < drawn->nheld; i++)
	{
		ItemNumber item = sim_find_item(c->reader, drawn->held[i]);

		if (item < c->trial.training.nitems)
			subject->held[subject->nheld++] = item;
	}
	qsort(subject->held, subject->nheld, sizeof(uint32), by_number);
}

/*
 * How much each item counts, as in recommend(): by a directed model, less for
 * every one that is more recent.
 */
static void
weigh_left(const Contender *c, const HistoryEntry *entries, uint32 n,
		   double *weights)
{
	const SimTraining *training = &c->trial.training;
	uint32 later = 0; /* items that are more recent */
	uint32 i;

	for (i = 0; i < n; i++)
	{
		weights[i] = c->reader->has_strength ?
			sim_strength_weight(c->reader->strength_scale,
								entries[i].item.strength) :
			1;
		if (entries[i].item.time != entries[later].item.time)
			later = i;
		if (sim_is_directed(training))
			weights[i] *= pow(training->options.forward_decay, later);
	}
}

/* What is left of a subject's history, and how much each item counts. */
static void
find_left(Contender *c, const EvalSubject *drawn, SimTrialSubject *subject)
{
	SimTraining *training = &c->trial.training;
	SimHistoryItem *items;
	HistoryEntry *entries;
	int n;
	int i;
	int kept = 0;

	(void) sim_read_history(c->reader, drawn->key, &items, &n);
	entries = palloc_extended((n + 1) * sizeof(HistoryEntry), MCXT_ALLOC_HUGE);
	for (i = 0; i < n; i++)
	{
		uint32 item = items[i].item;

		if (item >= training->nitems || is_held(subject, item))
			continue;
		entries[kept].item = items[i];
		entries[kept].hash = training->item_hashes[item];
		entries[kept].order =
			sim_sample_order(training->item_hashes[item], drawn->hash);
		kept++;
	}
	subject->n = Min(kept, training->options.history);
	if (kept > training->options.history)
		qsort(entries, kept, sizeof(HistoryEntry), newest_by_sample);
	qsort(entries, subject->n, sizeof(HistoryEntry), newest_first);
	subject->items = palloc((kept + 1) * sizeof(uint32));
	subject->weights = palloc((kept + 1) * sizeof(double));
	subject->seen = subject->items;
	subject->nseen = kept;
	for (i = 0; i < kept; i++)
		subject->items[i] = entries[i].item.item;
	weigh_left(c, entries, subject->n, subject->weights);
	pfree(entries);
	if (items)
		pfree(items);
}

static const SimTrialSubject *
find_subject(const Contender *c, uint64 hash)
{
	const Evaluation *e = c->evaluation;
	uint64 order = sim_holdout_order(hash, e->seed);
	int low = 0;
	int high = e->nsubjects;

	while (low < high)
	{
		int middle = (low + high) / 2;
		const EvalSubject *s = &e->subjects[middle];

		if (s->hash == hash)
			return &c->trial.subjects[middle];
		if (s->order < order || (s->order == order && s->hash < hash))
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* For the loading of histories: take out what is held out. */
static bool
take_out_held(void *arg, const SimRecordRef *ref, SimPosting *postings, Size *n)
{
	Contender *c = arg;
	const SimTrialSubject *subject = find_subject(c, ref->hash);
	Size kept = 0;
	Size i;

	if (subject == NULL)
		return true;
	for (i = 0; i < *n; i++)
		if (!is_held(subject, postings[i].item))
			postings[kept++] = postings[i];
	*n = kept;
	return true;
}

/*
 * Lists of the items that the subjects have, where memory allows: the first
 * half of the subjects, a quarter, ... otherwise.
 */
static void
fit_lists(Contender *c)
{
	SimTrial *trial = &c->trial;
	const SimHistories *h = &trial->training.histories;
	Size width = c->params.neighbors * SIM_LIST_ENTRY;
	Size budget = sim_memory_budget();
	Size used =
		sim_histories_memory(&trial->training, h->nentries, h->nsubjects) +
		sim_training_fixed_memory(trial->training.nitems);
	Size room = Max(budget > used ? budget - used : 0, budget / 4);
	uint32 all = trial->nsubjects;

	for (;;)
	{
		sim_trial_find_sources(trial);
		if (trial->nsources * width <= room || trial->nsubjects <= 1)
			break;
		trial->nsubjects /= 2;
		pfree(trial->place);
		pfree(trial->sources);
	}
	if (trial->nsubjects < all)
		ereport(NOTICE,
				(errmsg("only %u of %u subjects are evaluated, because memory does not suffice",
						trial->nsubjects, all),
				 errhint("Increase maintenance_work_mem.")));
	c->evaluation->nsubjects = trial->nsubjects;
}

static void
begin_answers(Contender *c)
{
	uint32 nitems = c->trial.training.nitems;

	c->answer = palloc_extended((c->evaluation->k + 1) * sizeof(EvalItem),
								MCXT_ALLOC_HUGE);
	c->seen = MemoryContextAllocExtended(CurrentMemoryContext, nitems + 1,
										 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	c->exposure = MemoryContextAllocExtended(CurrentMemoryContext,
											 (nitems + 1) * sizeof(uint64),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Train on what is left, once the subjects are drawn. */
void
sim_contender_prepare(Contender *c)
{
	Evaluation *e = c->evaluation;
	SimTrial *trial = &c->trial;
	int i;

	trial->nsubjects = e->nsubjects;
	trial->subjects = palloc0((e->nsubjects + 1) * sizeof(SimTrialSubject));
	for (i = 0; i < e->nsubjects; i++)
	{
		CHECK_FOR_INTERRUPTS();
		find_held(c, &e->subjects[i], &trial->subjects[i]);
		find_left(c, &e->subjects[i], &trial->subjects[i]);
	}
	trial->training.filter = take_out_held;
	trial->training.filter_arg = c;
	sim_training_load_histories(&trial->training);
	fit_lists(c);
	sim_trial_lists_begin(&c->lists, trial->nsources, c->params.neighbors);
	sim_trial_lists_compute(&c->lists, trial, &c->params);
	sim_scorer_begin(&c->scorer, trial, e->k);
	begin_answers(c);
}

/* ---- answers ---- */

static int
best_first(const void *a, const void *b, void *key)
{
	const EvalItem *p = a;
	const EvalItem *q = b;

	if (p->score != q->score)
		return p->score > q->score ? -1 : 1;
	return typed_key_compare(key, p->key, q->key);
}

/* As recommend() orders its answer: equal scores by the item's key. */
static void
order_answer(Contender *c, const SimTrialSubject *subject)
{
	SimScorer *scorer = &c->scorer;
	EvalItem *all = palloc_extended((scorer->nties + 1) * sizeof(EvalItem),
									MCXT_ALLOC_HUGE);
	uint32 i;

	for (i = 0; i < scorer->nties; i++)
	{
		all[i].item = scorer->ties[i].item;
		all[i].score = scorer->ties[i].value;
		all[i].key = sim_contender_key(c, all[i].item);
		all[i].hit = is_held(subject, all[i].item);
	}
	qsort_arg(all, scorer->nties, sizeof(EvalItem), best_first,
			  &c->reader->item_key);
	c->nanswer = Min((int) scorer->nties, c->evaluation->k);
	memcpy(c->answer, all, c->nanswer * sizeof(EvalItem));
	pfree(all);
}

/* What is most popular, but for what the subject has. */
static void
answer_popular(Contender *c, const SimTrialSubject *subject)
{
	const SimTraining *training = &c->trial.training;
	uint32 i;

	c->nanswer = 0;
	for (i = 0; i < subject->nseen; i++)
		c->seen[subject->seen[i]] = true;
	for (i = 0; i < training->nitems && c->nanswer < c->evaluation->k; i++)
	{
		uint32 item = c->popular[i];
		EvalItem *answer = &c->answer[c->nanswer];

		if (training->histories.degrees[item] == 0)
			break;
		if (c->seen[item])
			continue;
		answer->item = item;
		answer->score = training->histories.degrees[item];
		answer->key = (Datum) 0;
		answer->hit = is_held(subject, item);
		c->nanswer++;
	}
	for (i = 0; i < subject->nseen; i++)
		c->seen[subject->seen[i]] = false;
}

/* The answer for a subject, measured, in c->answer until the next one. */
void
sim_contender_answer(Contender *c, int number)
{
	const SimTrialSubject *subject = &c->trial.subjects[number];
	bool *hits = palloc((c->evaluation->k + 1) * sizeof(bool));
	int i;

	CHECK_FOR_INTERRUPTS();
	if (c->popularity)
		answer_popular(c, subject);
	else
	{
		sim_score_with_ties(&c->scorer, &c->lists, subject);
		order_answer(c, subject);
	}
	for (i = 0; i < c->nanswer; i++)
		hits[i] = c->answer[i].hit;
	sim_metrics_add(&c->metrics, hits, c->nanswer, c->evaluation->k,
					c->evaluation->subjects[number].nheld);
	sim_exposure_add(c);
	pfree(hits);
}

/* ---- popularity ---- */

typedef struct PopularItem
{
	uint32 degree;
	uint32 item;
	uint64 hash;
} PopularItem;

static int
by_degree(const void *a, const void *b)
{
	const PopularItem *p = a;
	const PopularItem *q = b;

	if (p->degree != q->degree)
		return p->degree > q->degree ? -1 : 1;
	return p->hash < q->hash ? -1 : p->hash > q->hash ? 1 : 0;
}

/* The baseline: for everyone what most subjects of that index have. */
Contender *
sim_contender_popularity(Contender *of)
{
	Contender *c = palloc(sizeof(Contender));
	const SimTraining *training = &of->trial.training;
	Size room = (Size) training->nitems + 1;
	PopularItem *items = MemoryContextAllocHuge(CurrentMemoryContext,
												room * sizeof(PopularItem));
	uint32 i;

	*c = *of;
	c->popularity = true;
	memset(&c->metrics, 0, sizeof(c->metrics));
	c->places = 0;
	c->information = 0;
	begin_answers(c);
	for (i = 0; i < training->nitems; i++)
	{
		items[i].degree = training->histories.degrees[i];
		items[i].item = i;
		items[i].hash = training->item_hashes[i];
	}
	qsort(items, training->nitems, sizeof(PopularItem), by_degree);
	c->popular =
		MemoryContextAllocHuge(CurrentMemoryContext, room * sizeof(uint32));
	for (i = 0; i < training->nitems; i++)
		c->popular[i] = items[i].item;
	pfree(items);
	return c;
}
