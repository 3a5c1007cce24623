/*
 * value_tier.c
 *		The window function value_tier: A for those who bring the first 80 %.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "common/sum.h"
#include "compat.h"
#include "score/score.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

/* A to Z */
#define MAX_TIERS 26

typedef struct TierState
{
	char *tiers; /* by row, 0 for a null; NULL before the first row */
	int ncuts;
	double cuts[MAX_TIERS - 1];
} TierState;

PG_FUNCTION_INFO_V1(personalize_value_tier);

static void
check_cuts(const Cuts *cuts)
{
	if (cuts->n >= MAX_TIERS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cuts must be at most %d numbers", MAX_TIERS - 1),
				 errdetail("There are %d, and tiers are named A to Z.",
						   cuts->n)));
	if (cuts->n > 0 && (cuts->values[0] <= 0 || cuts->values[cuts->n - 1] > 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cuts must be shares above 0 and up to 1"),
				 errdetail("They go from %s to %s.",
						   float8out_internal(cuts->values[0]),
						   float8out_internal(cuts->values[cuts->n - 1])),
				 errhint("Pass such as '{0.8,0.95}'.")));
}

static void
read_cuts(WindowObject winobj, FunctionCallInfo fcinfo, Cuts *cuts)
{
	NullableDatum *arg = &fcinfo->args[1];

	/* to arg_cuts() it looks like the argument of a plain function */
	arg->value = WinGetFuncArgCurrent(winobj, 1, &arg->isnull);
	arg_cuts(fcinfo, 1, "cuts", cuts);
	check_cuts(cuts);
}

static double
revenue(double monetary)
{
	return Max(monetary, 0);
}

/*
 * A row belongs to the tier in which the revenue of the rows before it ends.
 * Who brings nothing comes after all revenue: the share before them is 1.
 */
static void
tier_rows(const Ranked *ranked, TierState *state)
{
	Sum total = { 0 };
	Sum before = { 0 };

	for (int64 i = 0; i < ranked->n; i++)
		sum_add(&total, revenue(ranked->rows[i].value));
	if (!isfinite(sum_value(&total)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the total of monetary is out of range")));

	for (int64 i = 0; i < ranked->n; i++)
	{
		double value = revenue(ranked->rows[i].value);
		double share = value > 0 ? sum_value(&before) / sum_value(&total) : 1.0;

		state->tiers[ranked->rows[i].row] =
			'A' + count_not_greater(state->cuts, state->ncuts, share);
		sum_add(&before, value);
	}
}

static void
tier_partition(WindowObject winobj, const Cuts *cuts, TierState *state)
{
	int64 total = WinGetPartitionRowCount(winobj);
	Ranked ranked;

	state->ncuts = cuts->n;
	memcpy(state->cuts, cuts->values, cuts->n * sizeof(double));
	ranked_read(winobj, state, "monetary", true, &ranked);
	state->tiers = MemoryContextAllocHuge(ranked.context, total);
	memset(state->tiers, 0, total);
	tier_rows(&ranked, state);
	pfree(ranked.rows);
}

Datum
personalize_value_tier(PG_FUNCTION_ARGS)
{
	WindowObject winobj = PG_WINDOW_OBJECT();
	TierState *state = WinGetPartitionLocalMemory(winobj, sizeof(TierState));
	int64 row = WinGetCurrentPosition(winobj);
	Cuts cuts;
	char tier;

	read_cuts(winobj, fcinfo, &cuts);
	if (state->tiers == NULL)
		tier_partition(winobj, &cuts, state);
	else if (cuts.n != state->ncuts ||
			 memcmp(cuts.values, state->cuts, cuts.n * sizeof(double)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cuts must be the same for all rows of a partition"),
				 errhint("Divide the rows with PARTITION BY.")));

	tier = state->tiers[row];
	WinSetMarkPosition(winobj, row);
	if (tier == '\0')
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(&tier, 1));
}
