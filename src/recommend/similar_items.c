/*
 * similar_items.c
 *		similar_items(): an item's neighbour list, as training left it.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "recommend/recommend.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(personalize_similar_items);
PG_FUNCTION_INFO_V1(personalize_similar_items_typed);

/*
 * The head of a list: k neighbours and all that tie with the last of them, but
 * none that speak against each other.  Returns copies, because the list is the
 * reader's.
 */
static int
copy_head(const SimNeighbors *list, int k, RankedItem **items,
		  uint32 **supports)
{
	int n = Min(k, list->n);

	while (n > 0 && n < list->n && list->weights[n] == list->weights[n - 1])
		n++;
	while (n > 0 && list->weights[n - 1] <= 0)
		n--;

	*items = palloc0(Max(n, 1) * sizeof(RankedItem));
	*supports = palloc(Max(n, 1) * sizeof(uint32));
	for (int i = 0; i < n; i++)
	{
		(*items)[i].rank = list->weights[i];
		(*items)[i].item = list->items[i];
		(*items)[i].ref = i;
		(*supports)[i] = list->supports[i];
	}
	return n;
}

/* The k nearest of an item, 0 of an unknown one. */
static int
read_neighbors(SimReader *reader, Datum key, int k, RankedItem **items,
			   uint32 **supports)
{
	for (int attempt = 1;; attempt++)
	{
		ItemNumber item = sim_find_item(reader, key);
		int n = 0;

		if (item != INVALID_ITEM)
		{
			SimNeighbors list;

			sim_prepare_neighbors(reader, &item, 1);
			sim_read_neighbors(reader, item, &list);
			n = copy_head(&list, k, items, supports);
			sim_release_neighbors(&list);
			n = rank_items(reader, *items, n, k);
		}
		if (sim_reader_is_current(reader))
			return n;
		retry_read(reader, attempt);
	}
}

static Datum
similar_items(FunctionCallInfo fcinfo, int type_argno)
{
	SimReader *reader = sim_reader_open(arg_source(fcinfo, 0));
	int k = arg_k(fcinfo, type_argno < 0 ? 2 : 3);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	KeyOutput output;
	RankedItem *items = NULL;
	uint32 *supports = NULL;
	int n = 0;

	key_output_init(&output, &reader->item_key, fcinfo, type_argno);
	InitMaterializedSRF(fcinfo, 0);
	if (!reader->trained)
		ereport(NOTICE,
				(errmsg("index \"%s\" is not trained yet, so that no items are similar",
						RelationGetRelationName(reader->index)),
				 errhint("VACUUM the table, or call personalize.retrain().")));
	else if (k > 0 && !PG_ARGISNULL(1))
		n = read_neighbors(reader, arg_key(fcinfo, 1, &reader->item_key), k,
						   &items, &supports);

	for (int i = 0; i < n; i++)
	{
		Datum values[3];
		bool nulls[3] = { false };

		values[0] = key_output(&output, items[i].key);
		values[1] = Float8GetDatum(items[i].rank);
		values[2] = Int64GetDatum((int64) supports[items[i].ref]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	sim_reader_close(reader);
	return (Datum) 0;
}

Datum
personalize_similar_items(PG_FUNCTION_ARGS)
{
	return similar_items(fcinfo, -1);
}

Datum
personalize_similar_items_typed(PG_FUNCTION_ARGS)
{
	return similar_items(fcinfo, 2);
}
