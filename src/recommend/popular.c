/*
 * popular.c
 *		How popular items are: entries of recent popularity summed by item.
 *
 * An entry of weight w and age a counts w * 2^(-a / half_life).  Which moment
 * ages are taken from scales all sums alike, so they are taken from the newest
 * entry that counts; what is much older still underflows to a score of 0, and
 * then the logarithm keeps its order.
 */
#include "postgres.h"

#include <math.h>

#include "common/topk.h"
#include "miscadmin.h"
#include "recommend/recommend.h"
#include "utils/memutils.h"

/*
 * Below this, the rank is the score's logarithm: far above the end of the
 * exponent range, and less than any score that is its own rank.
 */
#define LEAST_PLAIN_RANK 1e-250

/*
 * By item, then newest first: sums do not depend on the order in which the
 * index keeps its entries.
 */
static inline int
compare_entries(const SimPopularEntry *a, const SimPopularEntry *b)
{
	if (a->item != b->item)
		return a->item < b->item ? -1 : 1;
	if (a->time != b->time)
		return a->time > b->time ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return 0;
}

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE SimPopularEntry
#define ST_COMPARE(a, b) compare_entries(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* Half-lives from time to newest, which may be 600,000 years apart. */
static inline double
age(TimestampTz newest, TimestampTz time, double half_life)
{
	return (double) ((uint64) newest - (uint64) time) / half_life;
}

double
age_factor(TimestampTz newest, TimestampTz time, double half_life)
{
	return exp2(-age(newest, time, half_life));
}

/* The latest time up to as_of, SIM_NO_TIME if there is none. */
TimestampTz
newest_entry(const SimPopularEntry *entries, int nentries, TimestampTz as_of)
{
	TimestampTz newest = SIM_NO_TIME;

	for (int i = 0; i < nentries; i++)
	{
		if (entries[i].time <= as_of && entries[i].time > newest)
			newest = entries[i].time;
	}
	return newest;
}

static inline bool
counts(const SimPopularEntry *entry, const PopularityTerms *terms)
{
	return !terms->decay ||
		(entry->time != SIM_NO_TIME && entry->time <= terms->as_of);
}

/* Sum the n entries of one item. */
static void
sum_item(const SimPopularEntry *entries, int n, const PopularityTerms *terms,
		 TimestampTz newest, Popularity *sum)
{
	TimestampTz latest = SIM_NO_TIME; /* of this item */
	double total = 0;
	double since;

	memset(sum, 0, sizeof(*sum));
	sum->item = entries[0].item;
	for (int i = 0; i < n; i++)
	{
		double weight = entries[i].weight;

		if (!counts(&entries[i], terms))
			continue;
		if (!terms->decay)
		{
			total += weight;
			sum->recent += weight;
			continue;
		}
		if (latest == SIM_NO_TIME)
			latest = entries[i].time;
		total += weight * age_factor(latest, entries[i].time, terms->half_life);

		since = age(terms->as_of, entries[i].time, terms->half_life);
		if (since < 1)
			sum->recent += weight;
		else if (since < 2)
			sum->before += weight;
	}

	since = terms->decay ? age(newest, latest, terms->half_life) : 0;
	sum->score = total * exp2(-since);
	sum->rank = sum->score;
	if (total > 0 && sum->score < LEAST_PLAIN_RANK)
		sum->rank = log2(total) - since;
}

/*
 * Popularity of every item that has an entry which counts, as a palloc'd
 * array.  Sorts the entries.
 */
int
sum_popularity(SimPopularEntry *entries, int nentries,
			   const PopularityTerms *terms, Popularity **sums)
{
	TimestampTz newest = newest_entry(entries, nentries, terms->as_of);
	int nitems = 0;
	int n = 0;
	int end;

	sort_entries(entries, nentries);
	for (int i = 0; i < nentries; i++)
		nitems += i == 0 || entries[i].item != entries[i - 1].item;
	*sums =
		palloc_extended(Max(nitems, 1) * sizeof(Popularity), MCXT_ALLOC_HUGE);

	for (int start = 0; start < nentries; start = end)
	{
		bool any = false;

		for (end = start;
			 end < nentries && entries[end].item == entries[start].item; end++)
			any |= counts(&entries[end], terms);
		if (any)
			sum_item(&entries[start], end - start, terms, newest,
					 &(*sums)[n++]);
	}
	return n;
}

/*
 * The k most popular, in no order, and all that tie with the last of them.
 * ref is the place in sums.
 */
int
top_popularity(const Popularity *sums, int nsums, int k, RankedItem **items)
{
	double threshold;
	TopK top;
	int n = 0;
	int room = 0;

	topk_init(&top, k, nsums);
	for (int i = 0; i < nsums; i++)
		topk_add(&top, sums[i].rank);
	threshold = topk_threshold(&top);

	for (int i = 0; i < nsums; i++)
		room += sums[i].rank >= threshold;
	*items =
		palloc_extended(Max(room, 1) * sizeof(RankedItem), MCXT_ALLOC_HUGE);
	for (int i = 0; i < nsums; i++)
	{
		RankedItem *item = &(*items)[n];

		if (sums[i].rank < threshold)
			continue;
		item->rank = sums[i].rank;
		item->key = (Datum) 0;
		item->item = sums[i].item;
		item->ref = i;
		n++;
	}
	return n;
}
