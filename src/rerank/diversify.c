/*
 * diversify.c
 *		diversify(): a list without too much of the same, by maximal marginal
 *		relevance.
 *
 * Item after item is chosen by trade_off * (its score / the highest score) -
 * (1 - trade_off) * (its largest similarity to one chosen before): Carbonell and
 * Goldstein, SIGIR 1998.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/key_table.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "recommend/item_map.h"
#include "recommend/recommend.h"
#include "utils/array.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(personalize_diversify);
PG_FUNCTION_INFO_V1(personalize_diversify_typed);

#define DEFAULT_TRADE_OFF 0.7

typedef struct Candidate
{
	Datum key;
	double score;
	double closest;	 /* to one chosen before */
	double nearness; /* to the one chosen now */
	bool chosen;
	Size first_edge; /* in edges */
	int nedges;
} Candidate;

/* What one of two lists says of how similar two candidates are. */
typedef struct Edge
{
	int from;
	int to;
	double similarity;
} Edge;

typedef struct EdgeList
{
	Size n;
	Size room;
	Edge *edges;
} EdgeList;

typedef struct Diversify
{
	SimReader *reader;
	double trade_off;
	int n;
	Candidate *candidates; /* by score, then by key */
	Edge *edges;		   /* by from */
} Diversify;

/* ---- arguments ---- */

static double
take_trade_off(FunctionCallInfo fcinfo, int argno)
{
	double trade_off =
		PG_ARGISNULL(argno) ? DEFAULT_TRADE_OFF : PG_GETARG_FLOAT8(argno);

	if (!(trade_off >= 0 && trade_off <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trade_off must be between 0 and 1"),
				 errdetail("trade_off is %g.", trade_off),
				 errhint("1 keeps the order of the scores, 0 looks at nothing but differences; the default is %g.",
						 DEFAULT_TRADE_OFF)));
	return trade_off;
}

/* The scores, as many as there are items. */
static double *
take_scores(FunctionCallInfo fcinfo, int argno, int nitems)
{
	Datum *values = NULL;
	bool *nulls = NULL;
	double *scores;
	int n = 0;

	if (!PG_ARGISNULL(argno))
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(argno), FLOAT8OID,
						  sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
						  &values, &nulls, &n);
	if (n != nitems)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scores must have as many elements as items"),
				 errdetail("There are %d items and %d scores.", nitems, n),
				 errhint(
					 "Take both from one query, as in SELECT array_agg(item), array_agg(score).")));
	scores = palloc_extended(Max(n, 1) * sizeof(double), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		scores[i] = nulls[i] ? 0 : DatumGetFloat8(values[i]);
		if (nulls[i] || !(scores[i] >= 0) || isinf(scores[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg(
						 "scores must be finite numbers that are not negative"),
					 nulls[i] ? errdetail("Score %d is null.", i + 1) :
								errdetail("Score %d is %g.", i + 1, scores[i]),
					 errhint(
						 "Scores of recommend() and blend() are; shift others, so that the worst is 0.")));
	}
	return scores;
}

static int
compare_candidates(const void *a, const void *b, void *key)
{
	const Candidate *x = a;
	const Candidate *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return typed_key_compare(key, x->key, y->key);
}

/* The items that are not NULL, each once, where it stands first. */
static void
take_candidates(Diversify *call, FunctionCallInfo fcinfo)
{
	TypedKey *type = &call->reader->item_key;
	KeyArray items;
	double *scores;
	key_table_hash *table;

	arg_key_array(fcinfo, 1, "items", type, &items);
	scores = take_scores(fcinfo, 2, items.n);
	call->candidates = palloc_extended(Max(items.n, 1) * sizeof(Candidate),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	table = key_table_create(CurrentMemoryContext, items.n, type);
	for (int i = 0; i < items.n; i++)
	{
		bool found;

		CHECK_FOR_INTERRUPTS();
		if (items.nulls[i])
			continue;
		(void) key_table_insert(table, items.keys[i], &found);
		if (found)
			continue;
		call->candidates[call->n].key = items.keys[i];
		call->candidates[call->n++].score = scores[i];
	}
	qsort_arg(call->candidates, call->n, sizeof(Candidate), compare_candidates,
			  type);
}

/* ---- similarities ---- */

static void
add_edge(EdgeList *list, int from, int to, double similarity)
{
	if (list->n == list->room)
	{
		list->room *= 2;
		list->edges = repalloc_huge(list->edges, list->room * sizeof(Edge));
	}
	list->edges[list->n].from = from;
	list->edges[list->n].to = to;
	list->edges[list->n++].similarity = similarity;
}

/*
 * How near the neighbours of one candidate are that are candidates too: their
 * weight in its list, the nearest neighbour's being 1.  The similarity of two
 * is the mean of what both lists say, so each says half of it to both.
 */
static void
add_edges(EdgeList *edges, item_map_hash *map, const SimNeighbors *list,
		  int from)
{
	for (int i = 0; i < list->n && list->weights[i] > 0; i++)
	{
		ItemMapEntry *entry = item_map_lookup(map, list->items[i]);
		double similarity = (double) list->weights[i] / list->weights[0] / 2;

		if (entry == NULL)
			continue;
		add_edge(edges, from, (int) entry->value, similarity);
		add_edge(edges, (int) entry->value, from, similarity);
	}
}

static EdgeList
read_edges(Diversify *call)
{
	ItemNumber *numbers =
		palloc_extended(Max(call->n, 1) * sizeof(ItemNumber), MCXT_ALLOC_HUGE);
	item_map_hash *map =
		item_map_create(CurrentMemoryContext, Max(call->n, 1), NULL);
	EdgeList edges = { 0, 1024, NULL };

	edges.edges = palloc(edges.room * sizeof(Edge));
	for (int i = 0; i < call->n; i++)
	{
		bool found;

		CHECK_FOR_INTERRUPTS();
		numbers[i] = sim_find_item(call->reader, call->candidates[i].key);
		if (numbers[i] != INVALID_ITEM)
			item_map_insert(map, numbers[i], &found)->value = i;
	}
	sim_prepare_neighbors(call->reader, numbers, call->n);
	for (int i = 0; i < call->n; i++)
	{
		SimNeighbors list;

		CHECK_FOR_INTERRUPTS();
		if (numbers[i] == INVALID_ITEM)
			continue;
		sim_read_neighbors(call->reader, numbers[i], &list);
		add_edges(&edges, map, &list, i);
		sim_release_neighbors(&list);
	}
	return edges;
}

/* Put the edges of each candidate together. */
static void
group_edges(Diversify *call, const EdgeList *list)
{
	Edge *grouped =
		palloc_extended(Max(list->n, 1) * sizeof(Edge), MCXT_ALLOC_HUGE);
	Size start = 0;

	for (Size i = 0; i < list->n; i++)
		call->candidates[list->edges[i].from].nedges++;
	for (int i = 0; i < call->n; i++)
	{
		Candidate *candidate = &call->candidates[i];

		candidate->first_edge = start;
		start += candidate->nedges;
		candidate->nedges = 0;
	}
	for (Size i = 0; i < list->n; i++)
	{
		Candidate *from = &call->candidates[list->edges[i].from];

		grouped[from->first_edge + from->nedges++] = list->edges[i];
	}
	call->edges = grouped;
}

static void
find_similarities(Diversify *call)
{
	EdgeList edges;

	if (!call->reader->trained)
	{
		ereport(NOTICE,
				(errmsg("index \"%s\" is not trained yet, so that no items are similar",
						RelationGetRelationName(call->reader->index)),
				 errhint("VACUUM the table, or call personalize.retrain().")));
		return;
	}
	edges = read_edges(call);
	for (int attempt = 1; !sim_reader_is_current(call->reader); attempt++)
	{
		retry_read(call->reader, attempt);
		edges = read_edges(call);
	}
	group_edges(call, &edges);
}

/* ---- the choice ---- */

/*
 * The next one: the highest value, of equal ones the first, which is that of
 * the higher score or of the lower key.
 */
static Candidate *
choose(Diversify *call)
{
	double highest = call->candidates[0].score;
	double best_value = 0;
	Candidate *best = NULL;

	for (int i = 0; i < call->n; i++)
	{
		Candidate *candidate = &call->candidates[i];
		double score = highest > 0 ? candidate->score / highest : 0;
		double value = call->trade_off * score -
			(1 - call->trade_off) * candidate->closest;

		if (candidate->chosen || (best && value <= best_value))
			continue;
		best = candidate;
		best_value = value;
	}
	best->chosen = true;
	return best;
}

/* Tell the others how similar they are to one that was chosen. */
static void
spread(Diversify *call, const Candidate *chosen)
{
	const Edge *edges = &call->edges[chosen->first_edge];

	for (int i = 0; i < chosen->nedges; i++)
		call->candidates[edges[i].to].nearness += edges[i].similarity;
	for (int i = 0; i < chosen->nedges; i++)
	{
		Candidate *other = &call->candidates[edges[i].to];

		if (!other->chosen)
			other->closest = Max(other->closest, other->nearness);
	}
	for (int i = 0; i < chosen->nedges; i++)
		call->candidates[edges[i].to].nearness = 0;
}

static Datum
diversify(FunctionCallInfo fcinfo, int type_argno)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int options = type_argno < 0 ? 3 : 4;
	Diversify call;
	KeyOutput output;
	int k;

	memset(&call, 0, sizeof(call));
	call.reader = sim_reader_open(arg_source(fcinfo, 0));
	k = arg_k(fcinfo, options);
	call.trade_off = take_trade_off(fcinfo, options + 1);
	take_candidates(&call, fcinfo);
	key_output_init(&output, &call.reader->item_key, fcinfo, type_argno);
	InitMaterializedSRF(fcinfo, 0);
	if (k > 0 && call.n > 0)
		find_similarities(&call);
	for (int i = 0; i < Min(k, call.n); i++)
	{
		Candidate *chosen = choose(&call);
		Datum values[3];
		bool nulls[3] = { false };

		CHECK_FOR_INTERRUPTS();
		spread(&call, chosen);
		values[0] = key_output(&output, chosen->key);
		values[1] = Float8GetDatum(chosen->score);
		values[2] = Float8GetDatum(chosen->closest);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	sim_reader_close(call.reader);
	return (Datum) 0;
}

Datum
personalize_diversify(PG_FUNCTION_ARGS)
{
	return diversify(fcinfo, -1);
}

Datum
personalize_diversify_typed(PG_FUNCTION_ARGS)
{
	return diversify(fcinfo, 3);
}
