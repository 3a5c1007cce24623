/*
 * order.c
 *		Orders that do not depend on how items and subjects are numbered.
 *
 * Sums of floating-point numbers depend on their order, and numbers are given
 * by arrival.  So whatever is added up is added in order of hashes.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "training/methods.h"

typedef struct HashKey
{
	uint64 hash;
	uint32 number;
} HashKey;

static int
by_hash(const void *a, const void *b)
{
	const HashKey *p = a;
	const HashKey *q = b;

	if (p->hash != q->hash)
		return p->hash < q->hash ? -1 : 1;
	return p->number < q->number ? -1 : p->number > q->number ? 1 : 0;
}

/* So many high bits that few hashes share them. */
static int
bucket_bits(uint32 n)
{
	return n < 1024 ? 1 : Min(pg_leftmost_one_pos32(n) - 6, 20);
}

/* Numbers into order by the high bits of their hashes; ends[] of each part. */
static void
scatter(SimTraining *training, const uint64 *hashes, uint32 *numbers, uint32 n,
		HashKey *keys, uint32 *ends, int bits)
{
	uint32 nbuckets = (uint32) 1 << bits;
	uint32 i;

	for (i = 0; i < n; i++)
		ends[hashes[numbers[i]] >> (64 - bits)]++;
	for (i = 1; i < nbuckets; i++)
		ends[i] += ends[i - 1];
	sim_training_pause(training);
	for (i = n; i-- > 0;)
	{
		uint64 hash = hashes[numbers[i]];
		HashKey *key = &keys[--ends[hash >> (64 - bits)]];

		key->hash = hash;
		key->number = numbers[i];
	}
	for (i = 0; i + 1 < nbuckets; i++)
		ends[i] = ends[i + 1];
	ends[nbuckets - 1] = n;
}

/*
 * Sort numbers by their hashes.  In parts, because qsort() cannot be
 * interrupted.
 */
void
sim_sort_by_hash(SimTraining *training, const uint64 *hashes, uint32 *numbers,
				 uint32 n)
{
	int bits = bucket_bits(n);
	HashKey *keys =
		MemoryContextAllocHuge(CurrentMemoryContext, (n + 1) * sizeof(HashKey));
	uint32 *ends = palloc0(sizeof(uint32) << bits);
	uint32 start = 0;
	uint32 i;

	scatter(training, hashes, numbers, n, keys, ends, bits);
	for (i = 0; i < (uint32) 1 << bits; i++)
	{
		CHECK_FOR_INTERRUPTS();
		qsort(keys + start, ends[i] - start, sizeof(HashKey), by_hash);
		start = ends[i];
	}
	for (i = 0; i < n; i++)
		numbers[i] = keys[i].number;
	pfree(keys);
	pfree(ends);
}

/* The items that occur in a history, in order of their hashes. */
void
sim_order_items(SimTraining *training, SimOrder *order)
{
	uint32 nitems = training->nitems;
	uint32 i;

	order->items = MemoryContextAllocHuge(CurrentMemoryContext,
										  (nitems + 1) * sizeof(uint32));
	order->ranks = MemoryContextAllocHuge(CurrentMemoryContext,
										  (nitems + 1) * sizeof(uint32));
	order->n = 0;
	for (i = 0; i < nitems; i++)
	{
		order->ranks[i] = SIM_NO_RANK;
		if (training->histories.degrees[i] > 0)
			order->items[order->n++] = i;
	}
	sim_sort_by_hash(training, training->item_hashes, order->items, order->n);
	for (i = 0; i < order->n; i++)
		order->ranks[order->items[i]] = i;
}
