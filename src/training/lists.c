/*
 * lists.c
 *		A list for each item, in memory, one behind the other.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "training/methods.h"

/* Lists are added in the order of their items, all of them. */
void
sim_lists_begin(SimLists *lists, uint32 nitems)
{
	lists->starts = MemoryContextAllocHuge(CurrentMemoryContext,
										   ((Size) nitems + 1) * sizeof(Size));
	lists->starts[0] = 0;
	lists->max = 1024;
	lists->items = palloc(lists->max * sizeof(uint32));
	lists->values = palloc(lists->max * sizeof(float));
}

static void
make_room(SimLists *lists, Size n)
{
	if (n <= lists->max)
		return;
	lists->max = Max(n, lists->max + lists->max / 4);
	lists->items = repalloc_huge(lists->items, lists->max * sizeof(uint32));
	lists->values = repalloc_huge(lists->values, lists->max * sizeof(float));
}

void
sim_lists_add(SimLists *lists, uint32 list, int n, const SimCandidate *entries)
{
	Size end = lists->starts[list];
	int i;

	make_room(lists, end + n);
	for (i = 0; i < n; i++)
	{
		lists->items[end] = entries[i].item;
		lists->values[end++] = (float) entries[i].value;
	}
	lists->starts[list + 1] = end;
}

/*
 * What list i says of j, list j says of i now; each list is in order of the
 * items' hashes.
 */
void
sim_lists_transpose(SimTraining *training, SimLists *lists)
{
	uint32 nitems = training->nitems;
	Size n = lists->starts[nitems];
	SimLists other;
	SimOrder order;
	Size entry;
	uint32 i;

	sim_order_items(training, &order);
	sim_lists_begin(&other, nitems);
	make_room(&other, n);
	memset(other.starts, 0, ((Size) nitems + 1) * sizeof(Size));
	for (entry = 0; entry < n; entry++)
	{
		if (entry % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		other.starts[lists->items[entry] + 1]++;
	}
	for (i = 0; i < nitems; i++)
		other.starts[i + 1] += other.starts[i];
	for (i = 0; i < order.n; i++)
	{
		uint32 item = order.items[i];

		sim_training_pause(training);
		for (entry = lists->starts[item]; entry < lists->starts[item + 1];
			 entry++)
		{
			Size place = other.starts[lists->items[entry]]++;

			other.items[place] = item;
			other.values[place] = lists->values[entry];
		}
	}
	memmove(other.starts + 1, other.starts, nitems * sizeof(Size));
	other.starts[0] = 0;
	pfree(order.items);
	pfree(order.ranks);
	sim_lists_end(lists);
	*lists = other;
}

Size
sim_lists_memory(const SimLists *lists, uint32 nitems)
{
	return lists->max * SIM_MEMORY_PER_LISTED + (Size) nitems * sizeof(Size);
}

void
sim_lists_end(SimLists *lists)
{
	pfree(lists->starts);
	pfree(lists->items);
	pfree(lists->values);
}
