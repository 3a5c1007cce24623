/*
 * session.c
 *		recommend_session(): nearest sessions that are recent (VMIS-kNN).
 *
 * The rows that have an item of the current session are gone through from the
 * latest one back, until enough sessions are met.  Those most similar to the
 * current one score their items.  See doc/recommend.md for the formula.
 *
 * Its weights are fractions, of n = the length of the current session and of
 * 10: sums are made of their numerators, so that they are exact and what ties
 * does so whatever the order of adding.
 */
#include "postgres.h"

#include <math.h>

#include "common/topk.h"
#include "lib/binaryheap.h"
#include "miscadmin.h"
#include "recommend/session.h"
#include "utils/memutils.h"

/* A session that was met. */
typedef struct Session
{
	SimHolder holder; /* its latest row with an item of ours */
	int64 similarity; /* in units of 1/n */
	int match;		  /* our most recent item that it has */
	uint32 *shared;	  /* our items that it has, the most recent first */
	int nshared;
	ItemNumber *items; /* all of its own, of a neighbour */
	int nitems;
} Session;

/* A session has an item of ours. */
typedef struct Hit
{
	uint32 session;
	uint32 item;
} Hit;

typedef struct PlaceEntry
{
	uint64 place;
	uint32 session;
	char status;
} PlaceEntry;

#define SH_PREFIX places
#define SH_ELEMENT_TYPE PlaceEntry
#define SH_KEY_TYPE uint64
#define SH_KEY place
#define SH_HASH_KEY(tb, k) \
	((uint32) (((k) *UINT64CONST(0x9E3779B97F4A7C15)) >> 32))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct ItemEntry
{
	ItemNumber item;
	uint32 index;
	char status;
} ItemEntry;

#define SH_PREFIX itemset
#define SH_ELEMENT_TYPE ItemEntry
#define SH_KEY_TYPE ItemNumber
#define SH_KEY item
#define SH_HASH_KEY(tb, k) ((k) *2654435769U)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct SessionCall
{
	SimReader *reader;
	const CurrentSession *ours;
	int max_sessions;

	SimHolders **streams; /* of the rows with each of ours */
	places_hash *places;
	Session *sessions;
	uint32 nsessions;
	uint32 session_room;
	Hit *hits;
	Size nhits;
	Size hit_room;
	Session **neighbors;
	int nneighbors;
} SessionCall;

/* ---- sessions that are recent ---- */

static int
compare_heads(const SimHolder *a, const SimHolder *b)
{
	if (a->time != b->time)
		return a->time > b->time ? -1 : 1;
	return a->hash < b->hash ? -1 : a->hash > b->hash ? 1 : 0;
}

/* The heap has the latest on top. */
static int
compare_streams(Datum a, Datum b, void *arg)
{
	SimHolders **streams = ((SessionCall *) arg)->streams;

	return -compare_heads(sim_holders_peek(streams[DatumGetInt32(a)]),
						  sim_holders_peek(streams[DatumGetInt32(b)]));
}

static uint64
place_of(const SimHolder *holder)
{
	return ((uint64) ItemPointerGetBlockNumber(&holder->subject) << 16) |
		ItemPointerGetOffsetNumber(&holder->subject);
}

static uint32
add_session(SessionCall *call, const SimHolder *holder)
{
	Session *session;

	if (call->nsessions == call->session_room)
	{
		call->session_room *= 2;
		call->sessions =
			repalloc_huge(call->sessions, call->session_room * sizeof(Session));
	}
	session = &call->sessions[call->nsessions];
	memset(session, 0, sizeof(*session));
	session->holder = *holder;
	return call->nsessions++;
}

static void
add_hit(SessionCall *call, uint32 session, uint32 item)
{
	if (call->nhits == call->hit_room)
	{
		call->hit_room *= 2;
		call->hits = repalloc_huge(call->hits, call->hit_room * sizeof(Hit));
	}
	call->hits[call->nhits].session = session;
	call->hits[call->nhits++].item = item;
}

/*
 * Take one row into account.  A session beyond those wanted is not: what comes
 * now is of interest only for the others, at the same time as the last of them.
 */
static void
meet(SessionCall *call, const SimHolder *holder, int item)
{
	uint64 place = place_of(holder);
	PlaceEntry *entry = places_lookup(call->places, place);
	bool found;

	if (entry == NULL && call->nsessions == (uint32) call->max_sessions)
		return;
	if (!sim_holder_visible(call->reader, holder))
		return;
	if (entry == NULL)
	{
		entry = places_insert(call->places, place, &found);
		entry->session = add_session(call, holder);
	}
	add_hit(call, entry->session, item);
}

static binaryheap *
open_streams(SessionCall *call)
{
	binaryheap *heap;

	call->streams =
		palloc_extended(call->ours->n * sizeof(SimHolders *), MCXT_ALLOC_HUGE);
	heap = binaryheap_allocate(call->ours->n, compare_streams, call);
	for (int i = 0; i < call->ours->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		call->streams[i] = sim_holders_open(call->reader, call->ours->items[i]);
		if (sim_holders_peek(call->streams[i]) != NULL)
			binaryheap_add_unordered(heap, Int32GetDatum(i));
	}
	binaryheap_build(heap);
	return heap;
}

/* Go through the rows with an item of ours, from the latest one back. */
static void
find_sessions(SessionCall *call)
{
	binaryheap *heap = open_streams(call);

	while (!binaryheap_empty(heap))
	{
		int item = DatumGetInt32(binaryheap_first(heap));
		SimHolders *stream = call->streams[item];
		const SimHolder *holder = sim_holders_peek(stream);

		CHECK_FOR_INTERRUPTS();
		if (call->nsessions == (uint32) call->max_sessions &&
			holder->time < call->sessions[call->nsessions - 1].holder.time)
			break;
		meet(call, holder, item);
		sim_holders_take(stream);
		if (sim_holders_peek(stream) != NULL)
			binaryheap_replace_first(heap, Int32GetDatum(item));
		else
			(void) binaryheap_remove_first(heap);
	}
	for (int i = 0; i < call->ours->n; i++)
		sim_holders_close(call->streams[i]);
	binaryheap_free(heap);
}

/* ---- those that are most similar ---- */

static inline int
compare_hits(const Hit *a, const Hit *b)
{
	if (a->session != b->session)
		return a->session < b->session ? -1 : 1;
	return a->item < b->item ? -1 : a->item > b->item ? 1 : 0;
}

#define ST_SORT sort_hits
#define ST_ELEMENT_TYPE Hit
#define ST_COMPARE(a, b) compare_hits(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* How much our item counts, in units of 1/n: from n for the last to 1. */
static int64
position_weight(const SessionCall *call, uint32 item)
{
	return call->ours->length - call->ours->places[item];
}

static void
compare_sessions(SessionCall *call)
{
	uint32 *shared =
		palloc_extended(call->nhits * sizeof(uint32), MCXT_ALLOC_HUGE);

	sort_hits(call->hits, call->nhits);
	for (Size i = 0; i < call->nhits; i++)
	{
		const Hit *hit = &call->hits[i];
		Session *session = &call->sessions[hit->session];

		if (i > 0 && compare_hits(hit - 1, hit) == 0)
			continue;
		if (session->nshared == 0)
		{
			session->match = hit->item;
			session->shared = &shared[i];
		}
		session->shared[session->nshared++] = hit->item;
		session->similarity += position_weight(call, hit->item);
	}
}

/* What the order of sessions depends on, and which it is. */
typedef struct Ranked
{
	int64 similarity;
	TimestampTz time;
	uint64 hash;
	uint32 session;
} Ranked;

static inline int
most_similar_first(const Ranked *a, const Ranked *b)
{
	if (a->similarity != b->similarity)
		return a->similarity > b->similarity ? -1 : 1;
	if (a->time != b->time)
		return a->time > b->time ? -1 : 1;
	return a->hash < b->hash ? -1 : a->hash > b->hash ? 1 : 0;
}

#define ST_SORT sort_ranked
#define ST_ELEMENT_TYPE Ranked
#define ST_COMPARE(a, b) most_similar_first(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* The sessions most similar to ours. */
static void
choose_neighbors(SessionCall *call, int most)
{
	Ranked *ranked = palloc_extended(Max(call->nsessions, 1) * sizeof(Ranked),
									 MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < call->nsessions; i++)
	{
		ranked[i].similarity = call->sessions[i].similarity;
		ranked[i].time = call->sessions[i].holder.time;
		ranked[i].hash = call->sessions[i].holder.hash;
		ranked[i].session = i;
	}
	sort_ranked(ranked, call->nsessions);
	call->nneighbors = Min(call->nsessions, (uint32) most);
	call->neighbors =
		palloc_extended(Max(call->nneighbors, 1) * sizeof(Session *),
						MCXT_ALLOC_HUGE);
	for (int i = 0; i < call->nneighbors; i++)
		call->neighbors[i] = &call->sessions[ranked[i].session];
	pfree(ranked);
}

/* ---- their items ---- */

/*
 * How much a session counts by its match, in units of 1/10: 1 - p/10 if that is
 * the p-th of our items from the end, but not less than nothing.
 */
static int64
match_weight(const SessionCall *call, const Session *session)
{
	return Max(0, 10 - (call->ours->places[session->match] + 1));
}

static void
read_items(SessionCall *call, Session *session)
{
	SimHistoryItem *history;
	int all;

	session->nitems =
		sim_read_history_of(call->reader, &session->holder, &history, &all);
	session->items =
		palloc_extended(Max(session->nitems, 1) * sizeof(ItemNumber),
						MCXT_ALLOC_HUGE);
	for (int i = 0; i < session->nitems; i++)
		session->items[i] = history[i].item;
	if (history)
		pfree(history);
}

/* A sum by item, over the neighbours. */
typedef struct Sums
{
	itemset_hash *set;
	ItemNumber *items;
	int64 *sums; /* in units of 1/10n */
	int n;
	int room;
} Sums;

static void
add_to_sum(Sums *sums, ItemNumber item, int64 value)
{
	bool found;
	ItemEntry *entry = itemset_insert(sums->set, item, &found);

	if (!found)
	{
		if (sums->n == sums->room)
		{
			sums->room *= 2;
			sums->items =
				repalloc_huge(sums->items, sums->room * sizeof(ItemNumber));
			sums->sums = repalloc_huge(sums->sums, sums->room * sizeof(int64));
		}
		entry->index = sums->n++;
		sums->items[entry->index] = item;
		sums->sums[entry->index] = 0;
	}
	sums->sums[entry->index] += value;
}

static void
sum_items(SessionCall *call, Sums *sums)
{
	sums->set = itemset_create(CurrentMemoryContext, 1024, NULL);
	sums->n = 0;
	sums->room = 1024;
	sums->items = palloc(sums->room * sizeof(ItemNumber));
	sums->sums = palloc(sums->room * sizeof(int64));
	for (int i = 0; i < call->nneighbors; i++)
	{
		Session *session = call->neighbors[i];
		int64 weight = match_weight(call, session) * session->similarity;

		CHECK_FOR_INTERRUPTS();
		if (weight == 0)
			continue;
		read_items(call, session);
		for (int j = 0; j < session->nitems; j++)
			add_to_sum(sums, session->items[j], weight);
	}
}

/*
 * log(sessions / sessions with the item), as of the last training; an item
 * that came later counts as one of a single session.
 */
static double
rarity(const SimReader *reader, uint32 degree)
{
	if (!reader->trained)
		return 1;
	return log((double) Max(reader->trained_subjects, 1) / Max(degree, 1));
}

#define ST_SORT sort_by_item
#define ST_ELEMENT_TYPE RankedItem
#define ST_COMPARE(a, b) \
	((a)->item < (b)->item ? -1 : (a)->item > (b)->item ? 1 : 0)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* The items that may be returned, with their scores. */
static int
score_items(SessionCall *call, const Sums *sums, RankedItem *ranked)
{
	ItemNumber *items =
		palloc_extended(Max(sums->n, 1) * sizeof(ItemNumber), MCXT_ALLOC_HUGE);
	uint32 *degrees =
		palloc_extended(Max(sums->n, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	int n = 0;
	int kept = 0;

	for (int i = 0; i < sums->n; i++)
	{
		if (!scores_admit(sums->items[i]))
			continue;
		ranked[n].item = sums->items[i];
		ranked[n].rank =
			(double) sums->sums[i] / (10 * (double) call->ours->length);
		ranked[n++].key = (Datum) 0;
	}
	sort_by_item(ranked, n);
	for (int i = 0; i < n; i++)
		items[i] = ranked[i].item;
	sim_read_degrees(call->reader, items, n, degrees);
	for (int i = 0; i < n; i++)
	{
		ranked[kept] = ranked[i];
		ranked[kept].rank *= rarity(call->reader, degrees[i]);
		kept += ranked[kept].rank > 0;
	}
	return kept;
}

/* Keep the k best and what ties with the last of them. */
static int
cut(RankedItem *ranked, int n, int k)
{
	TopK top;
	double threshold;
	int kept = 0;

	topk_init(&top, k, n);
	for (int i = 0; i < n; i++)
		topk_add(&top, ranked[i].rank);
	threshold = topk_threshold(&top);
	for (int i = 0; i < n; i++)
		if (ranked[i].rank >= threshold)
			ranked[kept++] = ranked[i];
	return kept;
}

/*
 * Which of our items each owes most to.  A score is a sum over neighbours of
 * sums over the items they share with us, so that each of ours has its part;
 * of equal parts the more recent item's counts.
 */
static void
find_reasons(SessionCall *call, RankedItem *ranked, int n)
{
	Size nours = call->ours->n;
	int64 *parts = palloc_extended(Max(n * nours, 1) * sizeof(int64),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	itemset_hash *rows = itemset_create(CurrentMemoryContext, 64, NULL);
	bool found;

	for (int i = 0; i < n; i++)
		itemset_insert(rows, ranked[i].item, &found)->index = i;
	for (int i = 0; i < call->nneighbors; i++)
	{
		Session *session = call->neighbors[i];

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < session->nitems; j++)
		{
			ItemEntry *row = itemset_lookup(rows, session->items[j]);

			for (int s = 0; row != NULL && s < session->nshared; s++)
				parts[row->index * nours + session->shared[s]] +=
					match_weight(call, session) *
					position_weight(call, session->shared[s]);
		}
	}
	for (int i = 0; i < n; i++)
	{
		const int64 *part = &parts[i * nours];

		ranked[i].ref = 0;
		for (Size s = 1; s < nours; s++)
			if (part[s] > part[ranked[i].ref])
				ranked[i].ref = s;
	}
}

/*
 * The k best items for a session, in no order, and all that tie with the last
 * of them.  scores_begin() and what follows it have said which may be returned.
 * ref is which of the session's items they owe most to.
 */
int
score_session(SimReader *reader, const CurrentSession *session,
			  const SessionTerms *terms, int k, RankedItem **ranked)
{
	SessionCall call;
	Sums sums;
	int n;

	*ranked = NULL;
	if (session->n == 0)
		return 0;
	memset(&call, 0, sizeof(call));
	call.reader = reader;
	call.ours = session;
	call.max_sessions = terms->recent_sessions;
	call.places = places_create(CurrentMemoryContext, 1024, NULL);
	call.session_room = 512;
	call.sessions = palloc(call.session_room * sizeof(Session));
	call.hit_room = 1024;
	call.hits = palloc(call.hit_room * sizeof(Hit));
	find_sessions(&call);
	compare_sessions(&call);
	choose_neighbors(&call, terms->neighbors);
	sum_items(&call, &sums);
	*ranked =
		palloc_extended(Max(sums.n, 1) * sizeof(RankedItem), MCXT_ALLOC_HUGE);
	n = cut(*ranked, score_items(&call, &sums, *ranked), k);
	find_reasons(&call, *ranked, n);
	return n;
}
