/*
 * memory.c
 *		Memory for components, counted against personalize.stitch_memory.
 *
 * What is counted is what is asked for, before it is: a server that runs out
 * of memory takes other people's work with it.
 */
#include "postgres.h"

#include <limits.h>

#include "component/component.h"
#include "utils/guc.h"
#include "utils/memutils.h"

static int stitch_memory = 1024 * 1024; /* kB */

void
stitch_register_settings(void)
{
	DefineCustomIntVariable("personalize.stitch_memory",
							"Memory that one call of stitch() may use.",
							"The query itself and the rows that are returned "
							"are limited by work_mem instead.",
							&stitch_memory, 1024 * 1024, 64, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
	MarkGUCPrefixReserved("personalize");
}

void
budget_init(Budget *budget, MemoryContext context)
{
	budget->context = context;
	budget->used = 0;
	budget->limit = (Size) stitch_memory * 1024;
}

static void
budget_take(Budget *budget, Size size)
{
	Size needed = budget->used + size;

	if (size <= budget_left(budget))
	{
		budget->used = needed;
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg(
				 "stitch() needs more memory than personalize.stitch_memory allows"),
			 errdetail("%zu kB are allowed, and the next step needs %zu kB.",
					   budget->limit / 1024, needed / 1024 + 1),
			 errhint("Use SET personalize.stitch_memory = '%zuMB'.",
					 Min((Size) MAX_KILOBYTES / 1024,
						 2 * needed / (1024 * 1024) + 1))));
}

void *
budget_alloc(Budget *budget, Size size, bool zero)
{
	budget_take(budget, size);
	return MemoryContextAllocExtended(budget->context, size,
									  MCXT_ALLOC_HUGE |
										  (zero ? MCXT_ALLOC_ZERO : 0));
}

/*
 * Large pieces are moved in the page table rather than copied, where the
 * system can, so only the growth is counted.
 */
void *
budget_realloc(Budget *budget, void *memory, Size old_size, Size new_size)
{
	budget_take(budget, new_size - old_size);
	return repalloc_huge(memory, new_size);
}

void
budget_free(Budget *budget, void *memory, Size size)
{
	pfree(memory);
	budget->used -= size;
}
