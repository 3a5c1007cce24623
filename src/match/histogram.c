/*
 * histogram.c
 *		How many pairs have which pattern of levels.
 *
 * All estimates are made from this, so their cost does not depend on pairs.
 */
#include "postgres.h"

#include "match/match.h"
#include "utils/memutils.h"

#define FIRST_SLOTS 1024

static void
make_slots(Histogram *histogram, uint32 n_slots)
{
	PatternCount *old = histogram->slots;
	uint32 n_old = histogram->n_slots;

	histogram->n_slots = n_slots;
	histogram->slots = palloc_extended((Size) n_slots * sizeof(PatternCount),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	histogram->n = 0;
	for (uint32 i = 0; i < n_old; i++)
	{
		if (old[i].count > 0)
			histogram_add(histogram, old[i].pattern, old[i].count);
	}
	if (old != NULL)
		pfree(old);
}

Histogram *
histogram_new(void)
{
	Histogram *histogram = palloc0(sizeof(Histogram));

	make_slots(histogram, FIRST_SLOTS);
	return histogram;
}

void
histogram_add(Histogram *histogram, uint64 pattern, double count)
{
	uint32 slot = (uint32) mix64(pattern) & (histogram->n_slots - 1);
	PatternCount *found = &histogram->slots[slot];

	while (found->count > 0 && found->pattern != pattern)
	{
		slot = (slot + 1) & (histogram->n_slots - 1);
		found = &histogram->slots[slot];
	}
	if (found->count == 0)
	{
		if (histogram->n >= (int) (histogram->n_slots / 2))
		{
			make_slots(histogram, histogram->n_slots * 2);
			histogram_add(histogram, pattern, count);
			return;
		}
		found->pattern = pattern;
		histogram->n++;
	}
	found->count += count;
}

void
histogram_free(Histogram *histogram)
{
	pfree(histogram->slots);
	pfree(histogram);
}
