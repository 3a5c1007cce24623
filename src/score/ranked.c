/*
 * ranked.c
 *		The rows of a window's partition in order of a number.
 *
 * A window function that is asked for its first row reads all of them, and
 * answers the others from what it kept.  The order of the window itself stays
 * free, to say how rows of equal numbers follow each other.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "compat.h"
#include "score/score.h"
#include "utils/memutils.h"

static inline int
compare_rows(const RankedRow *a, const RankedRow *b)
{
	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return (a->row > b->row) - (a->row < b->row);
}

#define ST_SORT sort_rows
#define ST_ELEMENT_TYPE RankedRow
#define ST_COMPARE(a, b) compare_rows(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static double
row_value(WindowObject winobj, int64 row, const char *name, bool *isnull)
{
	bool isout;
	double value;

	value = DatumGetFloat8(WinGetFuncArgInPartition(winobj, 0, (int) row,
													WINDOW_SEEK_HEAD, false,
													isnull, &isout));
	if (isout)
		elog(ERROR, "no row " INT64_FORMAT " in the partition", row);
	if (!*isnull && !isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a finite number", name),
				 errdetail("%s is %s.", name,
						   isnan(value)	 ? "NaN" :
							   value > 0 ? "Infinity" :
										   "-Infinity"),
				 errhint("Leave such rows out, or make them null.")));
	return value;
}

/* Computing the argument may leave garbage, row by row. */
static void
read_rows(WindowObject winobj, int64 total, const char *name, Ranked *ranked)
{
	MemoryContext garbage =
		AllocSetContextCreate(CurrentMemoryContext, "window argument",
							  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(garbage);

	for (int64 row = 0; row < total; row++)
	{
		bool isnull;
		double value = row_value(winobj, row, name, &isnull);

		if (!isnull)
		{
			ranked->rows[ranked->n].value = value;
			ranked->rows[ranked->n].row = row;
			ranked->n++;
		}
		MemoryContextReset(garbage);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(garbage);
}

void
ranked_read(WindowObject winobj, void *local, const char *name, bool descending,
			Ranked *ranked)
{
	int64 total = WinGetPartitionRowCount(winobj);

	/* rows are asked for by an int */
	if (total > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a window partition may have at most %d rows here",
						PG_INT32_MAX),
				 errhint(
					 "Compute the cuts with rfm_breaks() and score by rfm_score().")));

	memset(ranked, 0, sizeof(*ranked));
	ranked->context = GetMemoryChunkContext(local);
	ranked->rows =
		MemoryContextAllocHuge(ranked->context, total * sizeof(RankedRow));
	read_rows(winobj, total, name, ranked);

	/* adding 0 turns the -0 of a negated 0 into 0 */
	for (int64 i = 0; descending && i < ranked->n; i++)
		ranked->rows[i].value = -ranked->rows[i].value + 0.0;
	sort_rows(ranked->rows, ranked->n);
	for (int64 i = 0; descending && i < ranked->n; i++)
		ranked->rows[i].value = -ranked->rows[i].value + 0.0;
}
