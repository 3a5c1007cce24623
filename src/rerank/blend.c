/*
 * blend.c
 *		blend(): one list from several, by reciprocal rank fusion.
 *
 * An item's score is the sum of weight / (smoothing + place) over the lists
 * that it is in.  Only places count, so lists whose scores have nothing to do
 * with each other can be blended (Cormack, Clarke and Büttcher, SIGIR 2009).
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/args.h"
#include "common/key_table.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(personalize_blend);
PG_FUNCTION_INFO_V1(personalize_blend_typed);

#define DEFAULT_SMOOTHING 60.0

/* A value of type item_list. */
typedef struct ItemList
{
	Datum name;
	double weight;
	int n;
	Datum *items;
	bool *nulls;
} ItemList;

/* What one list adds to one item. */
typedef struct Share
{
	int item;
	int list;
	double value;
} Share;

typedef struct BlendedItem
{
	Datum key;
	double score;
	Share *shares; /* in the order of lists */
	int nshares;
} BlendedItem;

typedef struct Blend
{
	TypedKey key;
	double smoothing;
	int nlists;
	ItemList *lists;
	int nitems;
	BlendedItem *items;
} Blend;

/* ---- arguments ---- */

static double
take_smoothing(FunctionCallInfo fcinfo, int argno)
{
	double smoothing =
		PG_ARGISNULL(argno) ? DEFAULT_SMOOTHING : PG_GETARG_FLOAT8(argno);

	if (!(smoothing >= 0) || isinf(smoothing))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(
					 "smoothing must be a finite number that is not negative"),
				 errdetail("smoothing is %g.", smoothing),
				 errhint("Leave smoothing out for its default of %g.",
						 DEFAULT_SMOOTHING)));
	return smoothing;
}

static void
check_weight(double weight, Datum name)
{
	if (!(weight >= 0) || isinf(weight))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight of list \"%s\" must be a finite number that is not negative",
						TextDatumGetCString(name)),
				 errdetail("The weight is %g.", weight),
				 errhint(
					 "To keep items out of the answer, leave them out of all lists, as with exclude => ... of recommend().")));
}

/* Take apart a value of type item_list; place is for the message. */
static void
take_list(Datum value, int place, ItemList *list)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(value);
	TupleDesc desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header),
											HeapTupleHeaderGetTypMod(header));
	HeapTupleData tuple;
	Datum values[3];
	bool nulls[3];

	memset(list, 0, sizeof(*list));
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, desc, values, nulls);
	ReleaseTupleDesc(desc);

	if (nulls[0])
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("name of list %d must not be null", place),
				 errhint("Name each list, as in item_list('bought', items).")));
	list->name = values[0];
	list->weight = nulls[2] ? 1 : DatumGetFloat8(values[2]);
	check_weight(list->weight, list->name);
	if (!nulls[1])
		deconstruct_array(DatumGetArrayTypeP(values[1]), TEXTOID, -1, false,
						  TYPALIGN_INT, &list->items, &list->nulls, &list->n);
}

static void
take_lists(FunctionCallInfo fcinfo, Blend *blend)
{
	ArrayType *array;
	Oid type;
	int16 len;
	bool byval;
	char align;
	Datum *values;
	bool *nulls;
	int n;

	if (PG_ARGISNULL(0))
		return;
	array = PG_GETARG_ARRAYTYPE_P(0);
	type = ARR_ELEMTYPE(array);
	get_typlenbyvalalign(type, &len, &byval, &align);
	deconstruct_array(array, type, len, byval, align, &values, &nulls, &n);
	blend->lists = palloc(Max(n, 1) * sizeof(ItemList));
	for (int i = 0; i < n; i++)
	{
		if (!nulls[i])
			take_list(values[i], i + 1, &blend->lists[blend->nlists++]);
	}
}

/*
 * The type in which items are compared: text, or the caller's.  Collations
 * that depend on the server would order equal scores by where it runs.
 */
static void
take_type(FunctionCallInfo fcinfo, int type_argno, TypedKey *key)
{
	Oid type = TEXTOID;

	if (type_argno >= 0)
		type = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, type_argno));
	typed_key_init(key, type,
				   type_is_collatable(type) ? C_COLLATION_OID : InvalidOid,
				   fcinfo->flinfo->fn_mcxt);
}

/* ---- the sums ---- */

/* Room for what is collected: as many items as all lists have elements. */
typedef struct Collector
{
	key_table_hash *table; /* n is the item's number */
	int *latest;		   /* list that added to an item last */
	Share *shares;
	int nshares;
} Collector;

/*
 * Take what a list adds to the item at a place.  An item counts once in a
 * list, where it stands first.
 */
static void
collect_share(Blend *blend, Collector *all, int list, int place)
{
	const ItemList *from = &blend->lists[list];
	Datum key = typed_key_from(&blend->key, from->items[place], TEXTOID);
	bool found;
	KeyTableEntry *entry = key_table_insert(all->table, key, &found);
	Share *share = &all->shares[all->nshares];

	if (!found)
	{
		blend->items[blend->nitems].key = key;
		all->latest[blend->nitems] = -1;
		entry->n = blend->nitems++;
	}
	if (all->latest[entry->n] == list)
		return;
	all->latest[entry->n] = list;
	share->item = entry->n;
	share->list = list;
	share->value = from->weight / (blend->smoothing + place + 1);
	all->nshares++;
}

/* Collect what the lists add to each distinct item, list by list. */
static Share *
collect_shares(Blend *blend, int *nshares)
{
	Collector all;
	Size room = 1;

	for (int i = 0; i < blend->nlists; i++)
		room += blend->lists[i].n;
	all.table = key_table_create(CurrentMemoryContext, 256, &blend->key);
	all.latest = palloc_extended(room * sizeof(int), MCXT_ALLOC_HUGE);
	all.shares = palloc_extended(room * sizeof(Share), MCXT_ALLOC_HUGE);
	all.nshares = 0;
	blend->items = palloc_extended(room * sizeof(BlendedItem),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < blend->nlists; i++)
	{
		const ItemList *list = &blend->lists[i];

		for (int place = 0; place < list->n && list->weight > 0; place++)
		{
			CHECK_FOR_INTERRUPTS();
			if (!list->nulls[place])
				collect_share(blend, &all, i, place);
		}
	}
	*nshares = all.nshares;
	return all.shares;
}

/* Group the shares by item, each item's in the order of lists. */
static void
group_shares(Blend *blend, const Share *shares, int n)
{
	Share *grouped =
		palloc_extended(Max(n, 1) * sizeof(Share), MCXT_ALLOC_HUGE);
	Size start = 0;

	for (int i = 0; i < n; i++)
		blend->items[shares[i].item].nshares++;
	for (int i = 0; i < blend->nitems; i++)
	{
		blend->items[i].shares = &grouped[start];
		start += blend->items[i].nshares;
		blend->items[i].nshares = 0;
	}
	for (int i = 0; i < n; i++)
	{
		BlendedItem *item = &blend->items[shares[i].item];

		item->shares[item->nshares++] = shares[i];
	}
}

static int
descending(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return x > y ? -1 : x < y ? 1 : 0;
}

/* Beyond what a number can be nothing would be left of the order of items. */
static void
refuse_sum(Blend *blend, const BlendedItem *item)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("score of item \"%s\" is out of range for type double precision",
					typed_key_text(&blend->key, item->key)),
			 errhint(
				 "Use smaller weights; the order depends on nothing but their ratios.")));
}

/* The same sum in whatever order the lists come: from the largest on. */
static void
sum_shares(Blend *blend)
{
	double *values = palloc(Max(blend->nlists, 1) * sizeof(double));

	for (int i = 0; i < blend->nitems; i++)
	{
		BlendedItem *item = &blend->items[i];

		for (int j = 0; j < item->nshares; j++)
			values[j] = item->shares[j].value;
		qsort(values, item->nshares, sizeof(double), descending);
		for (int j = 0; j < item->nshares; j++)
			item->score += values[j];
		if (isinf(item->score))
			refuse_sum(blend, item);
	}
}

static int
compare_items(const void *a, const void *b, void *key)
{
	const BlendedItem *x = a;
	const BlendedItem *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return typed_key_compare(key, x->key, y->key);
}

/* ---- the answer ---- */

static Datum
source_names(const Blend *blend, const BlendedItem *item)
{
	Datum *names = palloc(item->nshares * sizeof(Datum));

	for (int i = 0; i < item->nshares; i++)
		names[i] = blend->lists[item->shares[i].list].name;
	return PointerGetDatum(construct_array(names, item->nshares, TEXTOID, -1,
										   false, TYPALIGN_INT));
}

static Datum
blend(FunctionCallInfo fcinfo, int type_argno)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int options = type_argno + 1;
	Blend call;
	KeyOutput output;
	Share *shares;
	int nshares;
	int k = arg_k(fcinfo, options);

	memset(&call, 0, sizeof(call));
	call.smoothing = take_smoothing(fcinfo, options + 1);
	take_type(fcinfo, type_argno > 0 ? type_argno : -1, &call.key);
	take_lists(fcinfo, &call);
	key_output_init(&output, &call.key, fcinfo,
					type_argno > 0 ? type_argno : -1);
	InitMaterializedSRF(fcinfo, 0);

	shares = collect_shares(&call, &nshares);
	group_shares(&call, shares, nshares);
	sum_shares(&call);
	qsort_arg(call.items, call.nitems, sizeof(BlendedItem), compare_items,
			  &call.key);
	for (int i = 0; i < Min(call.nitems, k); i++)
	{
		Datum values[3];
		bool nulls[3] = { false };

		values[0] = key_output(&output, call.items[i].key);
		values[1] = Float8GetDatum(call.items[i].score);
		values[2] = source_names(&call, &call.items[i]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
personalize_blend(PG_FUNCTION_ARGS)
{
	return blend(fcinfo, 0);
}

Datum
personalize_blend_typed(PG_FUNCTION_ARGS)
{
	return blend(fcinfo, 1);
}
