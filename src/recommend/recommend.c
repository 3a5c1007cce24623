/*
 * recommend.c
 *		recommend(), recommend_at(), recommend_from(), recommend_session(): what
 *		a subject may want next.
 *
 * The score of an item j is the sum over the items i of the history of
 * weight_i * S(i, j), S being the neighbour lists of the index.  What lists
 * leave open is filled with what is popular.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "recommend/session.h"
#include "utils/builtins.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_recommend);
PG_FUNCTION_INFO_V1(personalize_recommend_typed);
PG_FUNCTION_INFO_V1(personalize_recommend_at);
PG_FUNCTION_INFO_V1(personalize_recommend_at_typed);
PG_FUNCTION_INFO_V1(personalize_recommend_from);
PG_FUNCTION_INFO_V1(personalize_recommend_from_typed);
PG_FUNCTION_INFO_V1(personalize_recommend_session);
PG_FUNCTION_INFO_V1(personalize_recommend_session_typed);

typedef struct NumberList
{
	int n;
	ItemNumber *items;
} NumberList;

/* A neighbour list that was copied. */
typedef struct ReadList
{
	SimNeighbors list; /* but for its supports */
	ItemNumber source;
	double weight;
} ReadList;

/* The item of a list, and its key once that is known. */
typedef struct Source
{
	ItemNumber item;
	bool has_key;
	Datum key;
} Source;

/* A row to return. */
typedef struct Recommendation
{
	Datum item;
	double score;
	Datum because;
	bool popular; /* then there is no because */
} Recommendation;

typedef struct RecommendCall
{
	SimReader *reader;

	/* what was asked for */
	bool stored; /* the history is that of subject ... */
	bool known;
	Datum subject;
	KeyList basket; /* ... or else these, oldest first */
	int k;
	bool seen;
	KeyList among;
	KeyList exclude;
	double half_life; /* 0: none */
	bool by_session;  /* by the nearest sessions, not by lists */
	SessionTerms session_terms;

	/* the same in item numbers, anew at each attempt */
	SimHistoryItem *history;
	int *places; /* of a basket's items, 0 being its last element's */
	NumberList history_items; /* those that count */
	NumberList seen_items;	  /* they, and older ones */
	NumberList among_items;
	NumberList exclude_items;
	Source *sources; /* of the lists, in the order of adding */
	uint32 nsources;

	/* the answer */
	Recommendation *rows;
	NumberList row_items;
	int nrows;
} RecommendCall;

/* Take the arguments from `argno` on: k, seen, among, exclude. */
static void
take_options(RecommendCall *call, FunctionCallInfo fcinfo, int argno)
{
	TypedKey *key = &call->reader->item_key;

	call->k = arg_k(fcinfo, argno);
	call->seen = arg_bool(fcinfo, argno + 1, false);
	arg_keys(fcinfo, argno + 2, "among", key, &call->among);
	arg_keys(fcinfo, argno + 3, "exclude", key, &call->exclude);
}

/* The numbers of those keys that the index knows. */
static void
find_items(SimReader *reader, const KeyList *keys, NumberList *numbers)
{
	numbers->n = 0;
	numbers->items =
		palloc_extended(Max(keys->n, 1) * sizeof(ItemNumber), MCXT_ALLOC_HUGE);
	for (int i = 0; i < keys->n; i++)
	{
		ItemNumber item;

		CHECK_FOR_INTERRUPTS();
		item = sim_find_item(reader, keys->keys[i]);
		if (item != INVALID_ITEM)
			numbers->items[numbers->n++] = item;
	}
}

/*
 * The items of the caller's array as a history, latest mention first.  Its
 * elements have places whether the index knows them or not: what it knows
 * depends on rows that may long be gone.
 */
static void
history_from_basket(RecommendCall *call)
{
	const KeyList *basket = &call->basket;
	Size room = Max(basket->n, 1);
	ItemNumber *found =
		palloc_extended(room * sizeof(ItemNumber), MCXT_ALLOC_HUGE);
	int n = 0;

	for (int i = 0; i < basket->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		found[i] = sim_find_item(call->reader, basket->keys[i]);
	}
	call->history =
		palloc_extended(room * sizeof(SimHistoryItem), MCXT_ALLOC_HUGE);
	call->places = palloc_extended(room * sizeof(int), MCXT_ALLOC_HUGE);
	scores_begin(call->reader->nitems);
	for (int i = basket->n - 1; i >= 0; i--)
	{
		if (found[i] == INVALID_ITEM || !scores_add_new(found[i]))
			continue;
		call->history[n].item = found[i];
		call->history[n].time = SIM_NO_TIME;
		call->history[n].strength = 1;
		call->places[n] = basket->n - 1 - i;
		n++;
	}
	call->history_items.n = call->seen_items.n = n;
}

static void
load_numbers(RecommendCall *call)
{
	NumberList *items = &call->seen_items;

	if (!call->stored)
		history_from_basket(call);
	else if (call->known)
		call->history_items.n = sim_read_history(call->reader, call->subject,
												 &call->history, &items->n);
	else
		call->history_items.n = items->n = 0;

	items->items =
		palloc_extended(Max(items->n, 1) * sizeof(ItemNumber), MCXT_ALLOC_HUGE);
	for (int i = 0; i < items->n; i++)
		items->items[i] = call->history[i].item;
	call->history_items.items = items->items;

	find_items(call->reader, &call->among, &call->among_items);
	find_items(call->reader, &call->exclude, &call->exclude_items);
}

/*
 * How much each item of the history counts.  By a directed model, each counts
 * less for every item that is more recent.  An item without a time is as old
 * as can be, unless the times of all are missing and nothing tells them apart.
 */
static double *
history_weights(const RecommendCall *call)
{
	int n = call->history_items.n;
	double *weights =
		palloc_extended(Max(n, 1) * sizeof(double), MCXT_ALLOC_HUGE);
	TimestampTz newest = SIM_NO_TIME;
	double step = call->reader->directed ? call->reader->forward_decay : 1;
	int later = 0; /* items that are more recent */

	for (int i = 0; i < n; i++)
		newest = Max(newest, call->history[i].time);

	for (int i = 0; i < n; i++)
	{
		const SimHistoryItem *item = &call->history[i];

		weights[i] = 1;
		if (call->reader->has_strength)
			weights[i] = log2(1 + Min(item->strength, DBL_MAX / 2));
		if (item->time != call->history[later].time)
			later = i;
		weights[i] *= pow(step, call->stored ? later : call->places[i]);
		if (call->half_life == 0 || newest == SIM_NO_TIME)
			continue;
		weights[i] *= item->time == SIM_NO_TIME ?
			0 :
			age_factor(newest, item->time, call->half_life);
	}
	return weights;
}

/* Take the caller's wishes into the score table. */
static void
begin_scores(const RecommendCall *call)
{
	scores_begin(call->reader->nitems);
	if (call->among.given)
		scores_restrict(call->among_items.items, call->among_items.n);
	scores_exclude(call->exclude_items.items, call->exclude_items.n);
	if (!call->seen)
		scores_exclude(call->seen_items.items, call->seen_items.n);
}

static void
add_list(RecommendCall *call, const SimNeighbors *list, double weight,
		 ItemNumber source)
{
	scores_add(list, weight, call->nsources);
	call->sources[call->nsources].item = source;
	call->sources[call->nsources++].has_key = false;
}

static int
by_source_hash(const void *a, const void *b)
{
	const ReadList *x = a;
	const ReadList *y = b;

	if (x->list.source_hash != y->list.source_hash)
		return x->list.source_hash < y->list.source_hash ? -1 : 1;
	return x->source < y->source ? -1 : x->source > y->source ? 1 : 0;
}

/*
 * Add the lists of the history's items from first to end, which share a time.
 * They come in the order of item numbers; sums of floating point and the
 * choice among equal reasons need one that is the same on every node.
 */
static void
add_tied(RecommendCall *call, const double *weights, int first, int end)
{
	ReadList *lists = palloc((end - first) * sizeof(ReadList));
	int n = 0;

	for (int i = first; i < end; i++)
	{
		ReadList *copy = &lists[n];
		SimNeighbors list;

		CHECK_FOR_INTERRUPTS();
		copy->source = call->history[i].item;
		copy->weight = weights[i];
		sim_read_neighbors(call->reader, copy->source, &list);
		if (list.n == 0)
			continue;
		copy->list = list;
		copy->list.items = memcpy(palloc(list.n * sizeof(uint32)), list.items,
								  list.n * sizeof(uint32));
		copy->list.weights = memcpy(palloc(list.n * sizeof(float)),
									list.weights, list.n * sizeof(float));
		sim_release_neighbors(&list);
		n++;
	}
	qsort(lists, n, sizeof(ReadList), by_source_hash);
	for (int i = 0; i < n; i++)
		add_list(call, &lists[i].list, lists[i].weight, lists[i].source);
}

static void
add_single(RecommendCall *call, const double *weights, int i)
{
	SimNeighbors list;

	CHECK_FOR_INTERRUPTS();
	sim_read_neighbors(call->reader, call->history[i].item, &list);
	add_list(call, &list, weights[i], call->history[i].item);
	sim_release_neighbors(&list);
}

/* The best by the sessions nearest to the history; ref is as below. */
static int
score_by_session(RecommendCall *call, RankedItem **items)
{
	const NumberList *history = &call->history_items;
	CurrentSession session;

	call->sources =
		palloc_extended(Max(history->n, 1) * sizeof(Source), MCXT_ALLOC_HUGE);
	for (int i = 0; i < history->n; i++)
	{
		call->sources[i].item = history->items[i];
		call->sources[i].has_key = false;
	}
	begin_scores(call);
	session.length = call->basket.n;
	session.items = history->items;
	session.places = call->places;
	session.n = history->n;
	return score_session(call->reader, &session, &call->session_terms, call->k,
						 items);
}

/* The best by neighbour lists; ref is the place in sources. */
static int
score_similar(RecommendCall *call, RankedItem **items)
{
	const NumberList *history = &call->history_items;
	double *weights;
	int end;

	*items = NULL;
	if (!call->reader->trained || history->n == 0)
		return 0;

	weights = history_weights(call);
	call->sources =
		palloc_extended(history->n * sizeof(Source), MCXT_ALLOC_HUGE);
	call->nsources = 0;
	sim_prepare_neighbors(call->reader, history->items, history->n);
	begin_scores(call);
	for (int first = 0; first < history->n; first = end)
	{
		end = first + 1;
		while (call->stored && end < history->n &&
			   call->history[end].time == call->history[first].time)
			end++;
		if (end - first == 1)
			add_single(call, weights, first);
		else
			add_tied(call, weights, first, end);
	}
	return scores_top(call->k, items);
}

/*
 * Behind what is popular, the other items that the caller restricts the answer
 * to: the index counts but the leaders, and a filter must not starve.
 */
static int
add_unpopular(const RecommendCall *call, Popularity **sums, int n)
{
	const NumberList *among = &call->among_items;

	*sums =
		repalloc_huge(*sums, Max((Size) n + among->n, 1) * sizeof(Popularity));
	for (int i = 0; i < n; i++)
		scores_exclude(&(*sums)[i].item, 1);
	for (int i = 0; i < among->n; i++)
	{
		Popularity *sum = &(*sums)[n];

		if (!scores_admit(among->items[i]))
			continue;
		memset(sum, 0, sizeof(*sum));
		sum->item = among->items[i];
		sum->rank = -get_float8_infinity();
		scores_exclude(&sum->item, 1);
		n++;
	}
	return n;
}

/* The most popular of what may still be returned; ref leads into sums. */
static int
score_popular(RecommendCall *call, Popularity **sums, RankedItem **items)
{
	SimPopularEntry *entries;
	int nentries = sim_read_popular(call->reader, &entries);
	PopularityTerms terms;
	int nsums;
	int n = 0;

	/* What lies in the future counts only where there is nothing else. */
	terms.as_of = current_time(call->reader);
	if (newest_entry(entries, nentries, terms.as_of) == SIM_NO_TIME)
		terms.as_of = PG_INT64_MAX;
	terms.half_life = DEFAULT_POPULAR_HALF_LIFE;
	terms.decay = newest_entry(entries, nentries, terms.as_of) != SIM_NO_TIME;
	nsums = sum_popularity(entries, nentries, &terms, sums);

	begin_scores(call);
	scores_exclude(call->row_items.items, call->row_items.n);
	for (int i = 0; i < nsums; i++)
	{
		if (scores_admit((*sums)[i].item))
			(*sums)[n++] = (*sums)[i];
	}
	if (call->among.given)
		n = add_unpopular(call, sums, n);
	return top_popularity(*sums, n, call->k - call->nrows, items);
}

/* Most rows share their reasons with others. */
static Datum
source_key(RecommendCall *call, uint32 ref)
{
	Source *source = &call->sources[ref];

	if (!source->has_key)
		source->key = sim_item_key(call->reader, source->item);
	source->has_key = true;
	return source->key;
}

static void
add_similar(RecommendCall *call)
{
	RankedItem *items;
	int n = call->by_session ? score_by_session(call, &items) :
							   score_similar(call, &items);

	n = rank_items(call->reader, items, n, call->k);
	call->rows =
		palloc_extended(Max(n, 1) * sizeof(Recommendation), MCXT_ALLOC_HUGE);
	call->row_items.items =
		palloc_extended(Max(n, 1) * sizeof(ItemNumber), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		Recommendation *row = &call->rows[i];

		row->item = items[i].key;
		row->score = items[i].rank;
		row->because = source_key(call, items[i].ref);
		row->popular = false;
		call->row_items.items[i] = items[i].item;
	}
	call->nrows = n;
	call->row_items.n = n;
}

static void
fill_with_popular(RecommendCall *call)
{
	Popularity *sums;
	RankedItem *items;
	int n = score_popular(call, &sums, &items);

	n = rank_items(call->reader, items, n, call->k - call->nrows);
	call->rows =
		repalloc_huge(call->rows,
					  Max(call->nrows + n, 1) * sizeof(Recommendation));
	for (int i = 0; i < n; i++)
	{
		Recommendation *row = &call->rows[call->nrows++];

		row->item = items[i].key;
		row->score = sums[items[i].ref].score;
		row->because = (Datum) 0;
		row->popular = true;
	}
}

/*
 * Neighbour lists are of one model, or else are read again.  Popularity is read
 * in one go, and items keep their numbers, so that both go together whatever
 * happens in between.
 */
static void
find_answer(RecommendCall *call)
{
	load_numbers(call);
	add_similar(call);
	for (int attempt = 1; !sim_reader_is_current(call->reader); attempt++)
	{
		retry_read(call->reader, attempt);
		load_numbers(call);
		add_similar(call);
	}
	if (call->nrows < call->k)
		fill_with_popular(call);
}

static void
return_answer(const RecommendCall *call, FunctionCallInfo fcinfo,
			  int type_argno)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum similar = CStringGetTextDatum("similar");
	Datum popular = CStringGetTextDatum("popular");
	KeyOutput output;

	key_output_init(&output, &call->reader->item_key, fcinfo, type_argno);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < call->nrows; i++)
	{
		const Recommendation *row = &call->rows[i];
		Datum values[4] = { 0 };
		bool nulls[4] = { false };

		values[0] = key_output(&output, row->item);
		values[1] = Float8GetDatum(row->score);
		nulls[2] = row->popular;
		if (!row->popular)
			values[2] = key_output(&output, row->because);
		values[3] = row->popular ? popular : similar;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/*
 * The functions' common course.  first is the place of the subject or items,
 * behind which item_type follows in a typed form, and then the options.
 */
static Datum
recommend(FunctionCallInfo fcinfo, SimReader *reader, bool stored,
		  bool by_session, int first, bool typed)
{
	RecommendCall call;
	int options = first + (typed ? 2 : 1);

	memset(&call, 0, sizeof(call));
	call.reader = reader;
	call.stored = stored;
	call.by_session = by_session;
	take_options(&call, fcinfo, options);
	if (by_session)
	{
		check_session_index(reader);
		take_session_terms(fcinfo, options + 4, &call.session_terms);
	}
	if (!stored)
		arg_keys(fcinfo, first, "items", &reader->item_key, &call.basket);
	else
	{
		call.half_life = take_half_life(reader, fcinfo, options + 4);
		call.known = !PG_ARGISNULL(first);
		if (call.known)
			call.subject = arg_key(fcinfo, first, &reader->subject_key);
	}

	if (call.k > 0)
		find_answer(&call);
	return_answer(&call, fcinfo, typed ? first + 1 : -1);
	sim_reader_close(reader);
	return (Datum) 0;
}

static SimReader *
open_source(FunctionCallInfo fcinfo)
{
	return sim_reader_open(arg_source(fcinfo, 0));
}

static SimReader *
open_leaf(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("relation must not be null"),
				 errhint("Pass the tableoid of a row of the source.")));
	return sim_reader_open_at(PG_GETARG_OID(0), arg_source(fcinfo, 1));
}

Datum
personalize_recommend(PG_FUNCTION_ARGS)
{
	return recommend(fcinfo, open_source(fcinfo), true, false, 1, false);
}

Datum
personalize_recommend_typed(PG_FUNCTION_ARGS)
{
	return recommend(fcinfo, open_source(fcinfo), true, false, 1, true);
}

Datum
personalize_recommend_at(PG_FUNCTION_ARGS)
{
	return recommend(fcinfo, open_leaf(fcinfo), true, false, 2, false);
}

Datum
personalize_recommend_at_typed(PG_FUNCTION_ARGS)
{
	return recommend(fcinfo, open_leaf(fcinfo), true, false, 2, true);
}

Datum
personalize_recommend_from(PG_FUNCTION_ARGS)
{
	return recommend(fcinfo, open_source(fcinfo), false, false, 1, false);
}

Datum
personalize_recommend_from_typed(PG_FUNCTION_ARGS)
{
	return recommend(fcinfo, open_source(fcinfo), false, false, 1, true);
}

Datum
personalize_recommend_session(PG_FUNCTION_ARGS)
{
	return recommend(fcinfo, open_source(fcinfo), false, true, 1, false);
}

Datum
personalize_recommend_session_typed(PG_FUNCTION_ARGS)
{
	return recommend(fcinfo, open_source(fcinfo), false, true, 1, true);
}
