/*
 * similar_subjects.c
 *		similar_subjects(): whose items are most like those of a subject.
 *
 * Two subjects are as similar as the cosine of their sets of items: shared /
 * sqrt(d_u d_v).  By the postings of u's items it is known how many each v
 * shares.  As d_v is not below that, shared also bounds the score, so that the
 * items of those who share few need not be read at all.
 */
#include "postgres.h"

#include <math.h>

#include "common/topk.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "recommend/session.h"
#include "utils/memutils.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(personalize_similar_subjects);
PG_FUNCTION_INFO_V1(personalize_similar_subjects_typed);

/* A subject that shares items. */
typedef struct Candidate
{
	uint64 place; /* identity, in this index */
	SimHolder holder;
	int shared;
	int last; /* the item that it shared last */
	char status;
} Candidate;

#define SH_PREFIX candidates
#define SH_ELEMENT_TYPE Candidate
#define SH_KEY_TYPE uint64
#define SH_KEY place
#define SH_HASH_KEY(tb, k) \
	((uint32) (((k) *UINT64CONST(0x9E3779B97F4A7C15)) >> 32))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* One that is scored, and may be returned. */
typedef struct Scored
{
	double score;
	int shared;
	SimHolder holder;
	Datum key;
} Scored;

typedef struct SubjectCall
{
	SimReader *reader;
	Datum subject;
	int k;
	SimHistoryItem *items; /* of the subject */
	int nitems;
	uint64 hash; /* of the subject's key */
	MemoryContext scratch;

	TopK top;
	Scored *scored;
	int nscored;
	int room;
} SubjectCall;

static uint64
place_of(const SimHolder *holder)
{
	return ((uint64) ItemPointerGetBlockNumber(&holder->subject) << 16) |
		ItemPointerGetOffsetNumber(&holder->subject);
}

/* The items of another subject; they are gone at the next call. */
static int
read_items(SubjectCall *call, const SimHolder *holder, SimHistoryItem **items)
{
	MemoryContext old;
	int n;

	MemoryContextReset(call->scratch);
	old = MemoryContextSwitchTo(call->scratch);
	(void) sim_read_history_of(call->reader, holder, items, &n);
	MemoryContextSwitchTo(old);
	return n;
}

/* Is it the subject itself? */
static bool
is_self(SubjectCall *call, const SimHolder *holder)
{
	Datum key;

	return holder->hash == call->hash &&
		sim_holder_key(call->reader, holder, &key) &&
		typed_key_equal(&call->reader->subject_key, key, call->subject);
}

static void
add_scored(SubjectCall *call, const SimHolder *holder, int shared, int nitems)
{
	double score = shared / sqrt((double) call->nitems * nitems);
	Scored *scored;

	if (score < topk_threshold(&call->top) || is_self(call, holder))
		return;
	topk_add(&call->top, score);
	if (call->nscored == call->room)
	{
		call->room = Max(2 * call->room, 64);
		call->scored = call->scored == NULL ?
			palloc(call->room * sizeof(Scored)) :
			repalloc_huge(call->scored, call->room * sizeof(Scored));
	}
	scored = &call->scored[call->nscored++];
	scored->score = score;
	scored->shared = shared;
	scored->holder = *holder;
}

/* ---- by the postings of the subject's items ---- */

static void
count_item(SubjectCall *call, candidates_hash *candidates, int i)
{
	SimHolders *holders = sim_holders_open(call->reader, call->items[i].item);
	const SimHolder *holder;

	for (; (holder = sim_holders_peek(holders)) != NULL;
		 sim_holders_take(holders))
	{
		uint64 place = place_of(holder);
		Candidate *candidate = candidates_lookup(candidates, place);
		bool found;

		CHECK_FOR_INTERRUPTS();
		if ((candidate && candidate->last == i) ||
			!sim_holder_visible(call->reader, holder))
			continue;
		candidate = candidates_insert(candidates, place, &found);
		if (!found)
		{
			candidate->holder = *holder;
			candidate->shared = 0;
		}
		candidate->shared++;
		candidate->last = i;
	}
	sim_holders_close(holders);
}

static int
most_shared_first(const void *a, const void *b)
{
	int x = (*(Candidate *const *) a)->shared;
	int y = (*(Candidate *const *) b)->shared;

	return x > y ? -1 : x < y ? 1 : 0;
}

static void
score_by_items(SubjectCall *call)
{
	candidates_hash *candidates =
		candidates_create(CurrentMemoryContext, 1024, NULL);
	candidates_iterator iterator;
	Candidate *candidate;
	Candidate **order;
	uint32 n = 0;

	for (int i = 0; i < call->nitems; i++)
		count_item(call, candidates, i);
	order = palloc_extended(Max(candidates->members, 1) * sizeof(Candidate *),
							MCXT_ALLOC_HUGE);
	candidates_start_iterate(candidates, &iterator);
	while ((candidate = candidates_iterate(candidates, &iterator)) != NULL)
		order[n++] = candidate;
	topk_init(&call->top, call->k, Min(n, PG_INT32_MAX));
	qsort(order, n, sizeof(Candidate *), most_shared_first);
	for (uint32 i = 0; i < n; i++)
	{
		SimHistoryItem *items;
		int shared = order[i]->shared;
		int nitems;

		CHECK_FOR_INTERRUPTS();

		/* Computed as a score is, so that rounding cannot cut one off. */
		if (shared / sqrt((double) call->nitems * shared) <
			topk_threshold(&call->top))
			break;
		nitems = read_items(call, &order[i]->holder, &items);
		add_scored(call, &order[i]->holder, shared, Max(nitems, shared));
	}
}

/* ---- by the items of all subjects ---- */

static void
notice_scan(SimReader *reader)
{
	ereport(NOTICE,
			(errmsg("similar_subjects() reads all of index \"%s\", which does not keep the postings of items",
					RelationGetRelationName(reader->index)),
			 errhint("%s", item_postings_hint(reader))));
}

static void
score_all(SubjectCall *call)
{
	SimReader *reader = call->reader;
	BlockNumber nblocks = sim_subject_pages(reader);
	SimHolder *subjects = palloc(SIM_SUBJECTS_PER_PAGE * sizeof(SimHolder));
	uint64 most = (uint64) nblocks * SIM_SUBJECTS_PER_PAGE;
	Size size = 0;
	bool *ours;

	topk_init(&call->top, call->k, Min(most, PG_INT32_MAX));
	for (int i = 0; i < call->nitems; i++)
		size = Max(size, (Size) call->items[i].item + 1);
	ours =
		palloc_extended(size * sizeof(bool), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < call->nitems; i++)
		ours[call->items[i].item] = true;
	for (BlockNumber block = 0; block < nblocks; block++)
	{
		int n = sim_read_subjects(reader, block, subjects);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
		{
			SimHistoryItem *items;
			int nitems = read_items(call, &subjects[i], &items);
			int shared = 0;

			for (int j = 0; j < nitems; j++)
				shared += items[j].item < size && ours[items[j].item];
			if (shared > 0)
				add_scored(call, &subjects[i], shared, nitems);
		}
	}
}

/* ---- the answer ---- */

static int
best_first(const void *a, const void *b, void *key)
{
	const Scored *x = a;
	const Scored *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return typed_key_compare(key, x->key, y->key);
}

/* The k best, equal scores in the order of the keys; returns how many. */
static int
rank_subjects(SubjectCall *call)
{
	double threshold = topk_threshold(&call->top);
	int n = 0;

	for (int i = 0; i < call->nscored; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (call->scored[i].score < threshold)
			continue;
		call->scored[n] = call->scored[i];

		/* What the snapshot sees is there; a rolled back key may be gone. */
		n += sim_holder_key(call->reader, &call->scored[n].holder,
							&call->scored[n].key);
	}
	qsort_arg(call->scored, n, sizeof(Scored), best_first,
			  &call->reader->subject_key);
	return Min(n, call->k);
}

static int
find_subjects(SubjectCall *call)
{
	(void) sim_read_history(call->reader, call->subject, &call->items,
							&call->nitems);
	if (call->nitems == 0)
		return 0;
	call->hash = typed_key_hash(&call->reader->subject_key, call->subject);
	call->scratch =
		AllocSetContextCreate(CurrentMemoryContext, "similar_subjects",
							  ALLOCSET_DEFAULT_SIZES);
	if (call->reader->has_item_postings)
		score_by_items(call);
	else
		score_all(call);
	return rank_subjects(call);
}

static Datum
similar_subjects(FunctionCallInfo fcinfo, int type_argno)
{
	SimReader *reader = sim_reader_open(arg_source(fcinfo, 0));
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	KeyOutput output;
	SubjectCall call;
	int n = 0;

	memset(&call, 0, sizeof(call));
	call.reader = reader;
	call.k = arg_k(fcinfo, type_argno < 0 ? 2 : 3);
	subject_output_init(&output, &reader->subject_key, fcinfo, type_argno);
	InitMaterializedSRF(fcinfo, 0);
	if (!reader->has_item_postings)
		notice_scan(reader);
	if (call.k > 0 && !PG_ARGISNULL(1))
	{
		call.subject = arg_key(fcinfo, 1, &reader->subject_key);
		n = find_subjects(&call);
	}
	for (int i = 0; i < n; i++)
	{
		Datum values[3];
		bool nulls[3] = { false };

		values[0] = key_output(&output, call.scored[i].key);
		values[1] = Float8GetDatum(call.scored[i].score);
		values[2] = Int64GetDatum((int64) call.scored[i].shared);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	sim_reader_close(reader);
	return (Datum) 0;
}

Datum
personalize_similar_subjects(PG_FUNCTION_ARGS)
{
	return similar_subjects(fcinfo, -1);
}

Datum
personalize_similar_subjects_typed(PG_FUNCTION_ARGS)
{
	return similar_subjects(fcinfo, 2);
}
