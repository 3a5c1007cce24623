/*
 * filters.c
 *		The filters `among` and `exclude`.
 *
 * A short filter is looked up in the index, and its item numbers go into the
 * score table.  Of a long one, most elements have nothing to do with the
 * subject: a look-up each would take longer than all the rest.  So it becomes
 * a table of keys, and the items that have a score are looked up in that.
 */
#include "postgres.h"

#include "common/key_table.h"
#include "miscadmin.h"
#include "recommend/recommend.h"

/* Filters up to here are short. */
#define SHORT_FILTER 4096

/* The numbers of those keys that the index knows. */
void
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

/* Take a filter from the arguments. */
void
filter_take(Filter *filter, FunctionCallInfo fcinfo, int argno,
			const char *name, SimReader *reader)
{
	bool found;

	memset(filter, 0, sizeof(*filter));
	arg_keys(fcinfo, argno, name, &reader->item_key, &filter->keys);
	if (filter->keys.n <= SHORT_FILTER)
		return;
	filter->table = key_table_create(CurrentMemoryContext, filter->keys.n,
									 &reader->item_key);
	for (int i = 0; i < filter->keys.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		(void) key_table_insert(filter->table, filter->keys.keys[i], &found);
	}
}

/* Its item numbers, anew at each attempt; of a long filter none. */
void
filter_load(Filter *filter, SimReader *reader)
{
	filter->numbers.n = 0;
	if (filter->table == NULL)
		find_items(reader, &filter->keys, &filter->numbers);
}

/* Do long filters let a key through? */
static bool
admit_key(const Filter *among, const Filter *exclude, Datum key)
{
	return (among->table == NULL || key_table_lookup(among->table, key)) &&
		(exclude->table == NULL || !key_table_lookup(exclude->table, key));
}

#define ST_SORT sort_by_rank
#define ST_ELEMENT_TYPE RankedItem
#define ST_COMPARE(a, b) \
	((a)->rank > (b)->rank ? -1 : (a)->rank < (b)->rank ? 1 : 0)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Of the items that long filters let through the k best, and all that tie with
 * the last of them.  Returns how many are left.
 */
int
filter_ranked(const Filter *among, const Filter *exclude, SimReader *reader,
			  RankedItem *items, int n, int k)
{
	int kept = 0;

	sort_by_rank(items, n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (kept >= k && (k == 0 || items[i].rank < items[k - 1].rank))
			break;
		if (admit_key(among, exclude, sim_item_key(reader, items[i].item)))
			items[kept++] = items[i];
	}
	return kept;
}

/* The same for popularity, without a cut. */
int
filter_popular(const Filter *among, const Filter *exclude, SimReader *reader,
			   Popularity *sums, int n)
{
	int kept = 0;

	if (among->table == NULL && exclude->table == NULL)
		return n;
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (admit_key(among, exclude, sim_item_key(reader, sums[i].item)))
			sums[kept++] = sums[i];
	}
	return kept;
}

/* All items that `among` leaves and a long `exclude` lets through. */
void
filter_find(Filter *among, const Filter *exclude, SimReader *reader)
{
	KeyList keys = among->keys;

	if (among->table == NULL && exclude->table == NULL)
		return;
	keys.keys =
		palloc_extended(Max(keys.n, 1) * sizeof(Datum), MCXT_ALLOC_HUGE);
	keys.n = 0;
	for (int i = 0; i < among->keys.n; i++)
		if (admit_key(among, exclude, among->keys.keys[i]))
			keys.keys[keys.n++] = among->keys.keys[i];
	find_items(reader, &keys, &among->numbers);
}
