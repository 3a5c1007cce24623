/*
 * compare.c
 *		A pair of records as a pattern of levels.
 *
 * The same names meet again and again, so the level of two values is kept in
 * a cache; whatever falls out of it is only computed again.
 */
#include "postgres.h"

#include "match/match.h"

#define CACHE_SLOTS (1 << 18)

/* ... of two records, which are compared once */
#define PAIR_SLOTS 64

/* how close the other half of a swap must be at least */
#define SWAP_LIKENESS 0.88

CompareCache *
compare_cache(MatchRecords *records)
{
	CompareCache *cache = records_alloc(records, sizeof(CompareCache));
	int slots = records->n > 2 ? CACHE_SLOTS : PAIR_SLOTS;

	cache->keys = records_alloc(records, slots * sizeof(uint64));
	cache->mask = slots - 1;
	return cache;
}

/* Levels are symmetric, so the smaller number goes first. */
static int
unequal_level(MatchRecords *records, CompareCache *cache, int c, int32 a,
			  int32 b)
{
	uint64 low = Min(a, b);
	uint64 high = Max(a, b);
	uint64 key = (uint64) c << 56 | low << 28 | high;
	uint64 *slot = &cache->keys[mix64(key) & cache->mask];
	int level;

	if (*slot >> 4 == key)
		return (int) (*slot & 15);
	level =
		find_level(&records->model->comparisons[c],
				   &records->values.values[low], &records->values.values[high]);
	*slot = key << 4 | level;
	return level;
}

static bool
values_close(MatchRecords *records, int32 a, int32 b)
{
	return a == b ||
		jaro_winkler_similarity(&records->values.values[a].points,
								&records->values.values[b].points,
								0.1) >= SWAP_LIKENESS;
}

/* One half of a swap must be exact: that is also quick to rule out. */
static bool
is_swapped(MatchRecords *records, const MatchComparison *comparison, int c,
		   const int32 *a, const int32 *b)
{
	int32 a_value = a[c];
	int32 b_value = b[c];
	int32 a_other = a[comparison->partner];
	int32 b_other = b[comparison->partner];

	if (a_value == b_value || a_other == b_other)
		return false;
	if (a_value == b_other && a_other == b_value)
		return true;
	if (a_value == NO_VALUE || a_other == NO_VALUE || b_value == NO_VALUE ||
		b_other == NO_VALUE || (a_value != b_other && a_other != b_value))
		return false;
	return values_close(records, a_value, b_other) &&
		values_close(records, a_other, b_value);
}

uint64
compare_pair(MatchRecords *records, CompareCache *cache, int a, int b)
{
	const MatchModel *model = records->model;
	const int32 *x = records->fields + (Size) a * model->n;
	const int32 *y = records->fields + (Size) b * model->n;
	uint64 pattern = 0;
	uint64 silent = 0;

	for (int c = 0; c < model->n; c++)
	{
		const MatchComparison *comparison = &model->comparisons[c];
		uint64 level = 0;

		/* where each names the other, the first has said it */
		if (silent >> (4 * c) & 15)
			continue;
		if (comparison->swapped > 0 && is_swapped(records, comparison, c, x, y))
		{
			/* its partner has nothing to add */
			level = comparison->swapped;
			silent |= UINT64CONST(15) << (4 * comparison->partner);
		}
		else if (x[c] == NO_VALUE || y[c] == NO_VALUE)
			continue;
		else if (x[c] == y[c])
			level = 1;
		else
			level = unequal_level(records, cache, c, x[c], y[c]);
		pattern |= level << (4 * c);
	}
	return pattern & ~silent;
}
