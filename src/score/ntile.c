/*
 * ntile.c
 *		The window function rfm_ntile: scores from 1 to k within a partition.
 *
 * Where many values are equal, as numbers of orders are, it matters what
 * becomes of them.  By quantiles, the default, equal values score equally, the
 * lowest score 1, and all as rfm_score() has it by the breaks of rfm_breaks().
 * ntile() makes parts of equal size and tears equal values apart; cume_dist
 * leaves the lowest scores empty where the lowest value is frequent, and
 * percent_rank the highest where the highest is.
 */
#include "postgres.h"

#include "common/args.h"
#include "compat.h"
#include "score/score.h"
#include "utils/builtins.h"

typedef enum Ties
{
	TIES_QUANTILE,
	TIES_NTILE,
	TIES_CUME_DIST,
	TIES_PERCENT_RANK
} Ties;

static const char *const ties_names[] = { "quantile", "ntile", "cume_dist",
										  "percent_rank" };

typedef struct NtileOptions
{
	int k;
	bool reverse;
	Ties ties;
} NtileOptions;

typedef struct NtileState
{
	NtileOptions options;
	int16 *scores; /* by row, 0 for a null; NULL before the first row */
} NtileState;

PG_FUNCTION_INFO_V1(personalize_rfm_ntile);

static Ties
parse_ties(text *value)
{
	for (int i = 0; i < (int) lengthof(ties_names); i++)
	{
		if (strlen(ties_names[i]) == VARSIZE_ANY_EXHDR(value) &&
			memcmp(ties_names[i], VARDATA_ANY(value),
				   VARSIZE_ANY_EXHDR(value)) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown rule for ties: \"%s\"", text_to_cstring(value)),
			 errhint(
				 "ties is 'quantile', 'ntile', 'cume_dist' or 'percent_rank'.")));
	return TIES_QUANTILE;
}

static Datum
option(WindowObject winobj, int argno, const char *name)
{
	bool isnull;
	Datum value = WinGetFuncArgCurrent(winobj, argno, &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return value;
}

static NtileOptions
read_options(WindowObject winobj)
{
	NtileOptions options;

	options.k = check_k(DatumGetInt32(option(winobj, 1, "k")), false);
	options.reverse = DatumGetBool(option(winobj, 2, "reverse"));
	options.ties = parse_ties(DatumGetTextPP(option(winobj, 3, "ties")));
	return options;
}

static void
check_options(WindowObject winobj, const NtileOptions *options)
{
	NtileOptions here = read_options(winobj);

	if (here.k != options->k || here.reverse != options->reverse ||
		here.ties != options->ties)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(
					 "k, reverse and ties must be the same for all rows of a partition"),
				 errhint("Divide the rows with PARTITION BY.")));
}

/* Scores by quantiles, over values that ascend. */
static void
score_by_quantiles(const Ranked *ranked, NtileState *state)
{
	int k = state->options.k;
	int64 n = ranked->n;
	double *edges;
	double *sorted;
	int score = 1;

	edges = palloc(k * sizeof(double));
	sorted = palloc_extended(Max(n, 1) * sizeof(double), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < n; i++)
		sorted[i] = ranked->rows[i].value;
	quantile_edges(sorted, n, k, edges);
	for (int64 i = 0; i < n; i++)
	{
		while (score < k && edges[score - 1] < sorted[i])
			score++;
		state->scores[ranked->rows[i].row] =
			state->options.reverse ? k + 1 - score : score;
	}
	pfree(sorted);
	pfree(edges);
}

/* As ntile(): the first parts are one row longer where k does not divide n. */
static void
score_by_rows(const Ranked *ranked, NtileState *state)
{
	int64 size = ranked->n / state->options.k;
	int64 longer = ranked->n % state->options.k;

	for (int64 i = 0; i < ranked->n; i++)
	{
		int64 part =
			i < longer * (size + 1) ? i / (size + 1) : (i - longer) / size;

		state->scores[ranked->rows[i].row] = (int16) (part + 1);
	}
}

/*
 * ceil(cume_dist * k), or 1 + floor(percent_rank * k) and at most k, in whole
 * numbers: a product of rounded quotients may end on the wrong side.
 */
static void
score_by_rank(const Ranked *ranked, NtileState *state)
{
	const RankedRow *rows = ranked->rows;
	int64 k = state->options.k;
	int64 n = ranked->n;
	int64 end;

	for (int64 start = 0; start < n; start = end)
	{
		int64 score;

		for (end = start + 1; end < n; end++)
		{
			if (rows[end].value != rows[start].value)
				break;
		}
		if (state->options.ties == TIES_CUME_DIST)
			score = (end * k + n - 1) / n;
		else
			score = Min(k, 1 + start * k / Max(n - 1, 1));
		for (int64 i = start; i < end; i++)
			state->scores[rows[i].row] = (int16) score;
	}
}

static void
score_partition(WindowObject winobj, NtileState *state)
{
	Ranked ranked;
	bool descending;

	state->options = read_options(winobj);
	descending = state->options.reverse && state->options.ties != TIES_QUANTILE;
	ranked_read(winobj, state, "value", descending, &ranked);
	state->scores =
		MemoryContextAllocHuge(ranked.context,
							   WinGetPartitionRowCount(winobj) * sizeof(int16));
	memset(state->scores, 0, WinGetPartitionRowCount(winobj) * sizeof(int16));
	if (ranked.n == 0)
		return;

	switch (state->options.ties)
	{
		case TIES_QUANTILE:
			score_by_quantiles(&ranked, state);
			break;
		case TIES_NTILE:
			score_by_rows(&ranked, state);
			break;
		case TIES_CUME_DIST:
		case TIES_PERCENT_RANK:
			score_by_rank(&ranked, state);
			break;
	}
	pfree(ranked.rows);
}

Datum
personalize_rfm_ntile(PG_FUNCTION_ARGS)
{
	WindowObject winobj = PG_WINDOW_OBJECT();
	NtileState *state = WinGetPartitionLocalMemory(winobj, sizeof(NtileState));
	int64 row = WinGetCurrentPosition(winobj);
	int score;

	if (state->scores == NULL)
		score_partition(winobj, state);
	else
		check_options(winobj, &state->options);

	score = state->scores[row];
	/* rows before this one are not asked for again */
	WinSetMarkPosition(winobj, row);
	if (score == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(score);
}
