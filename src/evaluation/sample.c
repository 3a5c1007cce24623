/*
 * sample.c
 *		Whom evaluate() asks, and what it holds out.
 *
 * Subjects are drawn by hash from the postings.  What is held out of them, and
 * what is left, is taken from their histories as the caller's snapshot sees
 * them, as recommend() does.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "similarity/records.h"
#include "evaluation/evaluate.h"

static int
by_order(const void *a, const void *b)
{
	const EvalSubject *p = a;
	const EvalSubject *q = b;

	if (p->order != q->order)
		return p->order < q->order ? -1 : 1;
	return p->hash < q->hash ? -1 : p->hash > q->hash ? 1 : 0;
}

/* Keep those that come first. */
static void
cut_sample(Evaluation *e)
{
	qsort(e->subjects, e->nsubjects, sizeof(EvalSubject), by_order);
	e->nsubjects = Min(e->nsubjects, e->max_subjects);
}

/* Is there something to hold out, and will something be left? */
static bool
can_be_divided(Contender *c, uint64 hash, const SimPosting *postings, Size n)
{
	Evaluation *e = c->evaluation;
	bool held = false;
	bool left = false;
	Size i;

	for (i = 0; i < n && !(held && left); i++)
	{
		uint32 item = postings[i].item;
		bool out;

		if (e->last)
			out = item != postings[0].item;
		else
			out = sim_holds_out(hash, c->trial.training.item_hashes[item],
								e->share, e->seed);
		held |= out;
		left |= !out;
	}
	return held && left;
}

/* For the loading of histories: note the subject, and load nothing. */
static bool
note_subject(void *arg, const SimRecordRef *ref, SimPosting *postings, Size *n)
{
	Contender *c = arg;
	Evaluation *e = c->evaluation;
	EvalSubject *subject;

	if (!can_be_divided(c, ref->hash, postings, *n))
		return false;
	if (e->nsubjects == e->room)
	{
		if (e->nsubjects >= e->max_subjects)
			cut_sample(e);
		if (e->nsubjects > e->room / 2)
		{
			e->room *= 2;
			e->subjects =
				repalloc_huge(e->subjects, e->room * sizeof(EvalSubject));
		}
	}
	subject = &e->subjects[e->nsubjects++];
	memset(subject, 0, sizeof(*subject));
	subject->order = sim_holdout_order(ref->hash, e->seed);
	subject->hash = ref->hash;
	subject->block = ref->block;
	subject->offset = ref->offset;
	return false;
}

/* The key in a subject's record, unless VACUUM has removed that. */
static bool
read_key(SimIndex *ix, EvalSubject *subject)
{
	Buffer buffer = sim_read(ix, subject->block, BUFFER_LOCK_SHARE);
	SimRecord *record =
		sim_record_at(BufferGetPage(buffer), SIM_PAGE_SUBJECT, subject->offset);
	bool found = record != NULL && record->hash == subject->hash;

	if (found)
		subject->key =
			typed_key_copy(&ix->subject,
						   typed_key_read(&ix->subject,
										  (char *) record +
											  SIM_RECORD_KEY(SIM_PAGE_SUBJECT)));
	UnlockReleaseBuffer(buffer);
	return found;
}

/* The item of the last interaction; of several at that time one by hash. */
static int
last_item(const Contender *c, uint64 hash, const SimHistoryItem *items, int n)
{
	const uint64 *hashes = c->trial.training.item_hashes;
	int last = 0;
	int i;

	if (items[0].time == SIM_NO_TIME)
		return -1;
	for (i = 1; i < n && items[i].time == items[0].time; i++)
		if (sim_sample_order(hashes[items[i].item], hash) <
			sim_sample_order(hashes[items[last].item], hash))
			last = i;
	return last;
}

/* Items that are newer than the trial are not there for it. */
static int
drop_new_items(const Contender *c, SimHistoryItem *items, int n)
{
	int kept = 0;
	int i;

	for (i = 0; i < n; i++)
		if (items[i].item < c->trial.training.nitems)
			items[kept++] = items[i];
	return kept;
}

/* Decide what is held out of one subject. */
static void
divide(Contender *c, EvalSubject *subject)
{
	Evaluation *e = c->evaluation;
	SimHistoryItem *items;
	int last = -1;
	int n;
	int i;

	if (!read_key(&c->reader->state->ix, subject))
		return;
	(void) sim_read_history(c->reader, subject->key, &items, &n);
	n = drop_new_items(c, items, n);
	if (n < 2)
		return;
	if (e->last)
		last = last_item(c, subject->hash, items, n);
	subject->held = palloc(n * sizeof(Datum));
	for (i = 0; i < n; i++)
		if (e->last ?
				i == last :
				sim_holds_out(subject->hash,
							  c->trial.training.item_hashes[items[i].item],
							  e->share, e->seed))
			subject->held[subject->nheld++] =
				sim_contender_key(c, items[i].item);
	subject->usable = subject->nheld > 0 && (int) subject->nheld < n;
	pfree(items);
}

/* Draw the subjects from the first contender's index, and divide them. */
void
sim_eval_draw(Evaluation *e, Contender *c)
{
	SimTraining *training = &c->trial.training;
	int kept = 0;
	int i;

	e->room = 4096;
	e->subjects = palloc(e->room * sizeof(EvalSubject));
	training->filter = note_subject;
	training->filter_arg = c;
	sim_load_histories(training);
	sim_free_histories(&training->histories);
	memset(&training->histories, 0, sizeof(SimHistories));
	cut_sample(e);
	for (i = 0; i < e->nsubjects; i++)
	{
		CHECK_FOR_INTERRUPTS();
		divide(c, &e->subjects[i]);
		if (e->subjects[i].usable)
			e->subjects[kept++] = e->subjects[i];
	}
	e->nsubjects = kept;
}
