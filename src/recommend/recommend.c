/*
 * recommend.c
 *		recommend(), recommend_at(), recommend_from(), recommend_session(): what
 *		a subject may want next.
 *
 * The score of an item is what the lists of history.c add up to.  What lists
 * leave open is filled with what is popular.
 */
#include "postgres.h"

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
	Filter among;
	Filter exclude;
	double half_life; /* 0: none */
	bool by_session;  /* by the nearest sessions, not by lists */
	SessionTerms session_terms;

	/* as item numbers, anew at each attempt */
	History history;
	ItemNumber *history_items; /* its numbers */
	Source *sources;		   /* of the lists, in the order of adding */
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
	call->k = arg_k(fcinfo, argno);
	call->seen = arg_bool(fcinfo, argno + 1, false);
	filter_take(&call->among, fcinfo, argno + 2, "among", call->reader);
	filter_take(&call->exclude, fcinfo, argno + 3, "exclude", call->reader);
}

/*
 * The items of the caller's array as a history, latest mention first.  Its
 * elements have places whether the index knows them or not: what it knows
 * depends on rows that may long be gone.
 */
static void
history_from_basket(RecommendCall *call)
{
	History *history = &call->history;
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
	history->reader = call->reader;
	history->stored = false;
	history->items =
		palloc_extended(room * sizeof(SimHistoryItem), MCXT_ALLOC_HUGE);
	history->places = palloc_extended(room * sizeof(int), MCXT_ALLOC_HUGE);
	scores_begin(call->reader->nitems);
	for (int i = basket->n - 1; i >= 0; i--)
	{
		if (found[i] == INVALID_ITEM || !scores_add_new(found[i]))
			continue;
		history->items[n].item = found[i];
		history->items[n].time = SIM_NO_TIME;
		history->items[n].strength = 1;
		history->places[n] = basket->n - 1 - i;
		n++;
	}
	history->n = history->nall = n;
}

static void
load_numbers(RecommendCall *call)
{
	if (call->stored)
		subject_history(call->reader, call->known, call->subject,
						&call->history);
	else
		history_from_basket(call);
	call->history_items = history_numbers(&call->history);
	filter_load(&call->among, call->reader);
	filter_load(&call->exclude, call->reader);
}

/* Take the caller's wishes into the score table, but for long filters. */
static void
begin_scores(const RecommendCall *call)
{
	scores_begin(call->reader->nitems);
	if (call->among.keys.given && call->among.table == NULL)
		scores_restrict(call->among.numbers.items, call->among.numbers.n);
	scores_exclude(call->exclude.numbers.items, call->exclude.numbers.n);
	if (!call->seen)
		scores_exclude(call->history_items, call->history.nall);
}

static void
add_list(void *arg, const SimNeighbors *list, double weight, int place)
{
	RecommendCall *call = arg;

	scores_add(list, weight, call->nsources);
	call->sources[call->nsources].item = call->history.items[place].item;
	call->sources[call->nsources++].has_key = false;
}

/* The best by the sessions nearest to the history; ref is as below. */
static int
score_by_session(RecommendCall *call, RankedItem **items)
{
	const History *history = &call->history;
	bool long_filter = call->among.table || call->exclude.table;
	CurrentSession session;
	int n;

	call->sources =
		palloc_extended(Max(history->n, 1) * sizeof(Source), MCXT_ALLOC_HUGE);
	for (int i = 0; i < history->n; i++)
	{
		call->sources[i].item = call->history_items[i];
		call->sources[i].has_key = false;
	}
	begin_scores(call);
	session.length = call->basket.n;
	session.items = call->history_items;
	session.places = history->places;
	session.n = history->n;
	n = score_session(call->reader, &session, &call->session_terms,
					  long_filter ? PG_INT32_MAX : call->k, items);
	if (long_filter)
		n = filter_ranked(&call->among, &call->exclude, call->reader, *items, n,
						  call->k);
	return n;
}

/* The best by neighbour lists; ref is the place in sources. */
static int
score_similar(RecommendCall *call, RankedItem **items)
{
	const History *history = &call->history;
	bool long_filter = call->among.table || call->exclude.table;
	int n;

	*items = NULL;
	if (!call->reader->trained || history->n == 0)
		return 0;

	call->sources =
		palloc_extended(history->n * sizeof(Source), MCXT_ALLOC_HUGE);
	call->nsources = 0;
	sim_prepare_neighbors(call->reader, call->history_items, history->n);
	begin_scores(call);
	visit_lists(history, call->half_life, add_list, call);
	n = scores_top(long_filter ? PG_INT32_MAX : call->k, items);
	if (long_filter)
		n = filter_ranked(&call->among, &call->exclude, call->reader, *items, n,
						  call->k);
	return n;
}

/* From sums take what may not be returned, or is already. */
static int
admit_popular(const RecommendCall *call, Popularity *sums, int n)
{
	int admitted = 0;

	begin_scores(call);
	scores_exclude(call->row_items.items, call->row_items.n);
	for (int i = 0; i < n; i++)
	{
		if (scores_admit(sums[i].item))
			sums[admitted++] = sums[i];
	}
	return admitted;
}

/*
 * Behind what is popular, the other items that the caller restricts the answer
 * to: the index counts but the leaders, and a filter must not starve.
 */
static int
add_unpopular(RecommendCall *call, Popularity **sums, int n)
{
	const NumberList *among = &call->among.numbers;

	filter_find(&call->among, &call->exclude, call->reader);
	*sums =
		repalloc_huge(*sums, Max((Size) n + among->n, 1) * sizeof(Popularity));
	n = admit_popular(call, *sums, n);
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
	int wanted = call->k - call->nrows;
	int n;

	/* What lies in the future counts only where there is nothing else. */
	terms.as_of = current_time(call->reader);
	if (newest_entry(entries, nentries, terms.as_of) == SIM_NO_TIME)
		terms.as_of = PG_INT64_MAX;
	terms.half_life = DEFAULT_POPULAR_HALF_LIFE;
	terms.decay = newest_entry(entries, nentries, terms.as_of) != SIM_NO_TIME;
	n = sum_popularity(entries, nentries, &terms, sums);
	n = filter_popular(&call->among, &call->exclude, call->reader, *sums, n);
	n = admit_popular(call, *sums, n);
	if (call->among.keys.given && n < wanted)
		n = add_unpopular(call, sums, n);
	return top_popularity(*sums, n, wanted, items);
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
