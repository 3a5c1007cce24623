/*
 * score.h
 *		Scores, tiers and rule sets: what their files share.
 */
#ifndef PERSONALIZE_SCORE_H
#define PERSONALIZE_SCORE_H

#include "compat.h"
#include "fmgr.h"
#include "windowapi.h"

/* The largest k: a score is to fit a smallint column. */
#define SCORE_MAX_K 32767

/* Numbers in ascending order that cut the line into n + 1 parts. */
typedef struct Cuts
{
	int n;
	const double *values;
} Cuts;

/*
 * An array argument as cuts; they point into the argument.  Errors if it is
 * null, has more than one dimension, or holds a null, something not finite or
 * a number smaller than the one before it.
 */
extern void
arg_cuts(FunctionCallInfo fcinfo, int argno, const char *name, Cuts *cuts);

/* An integer argument between 1 and SCORE_MAX_K; isnull as SQL tells it. */
extern int check_k(int k, bool isnull);

/* The k - 1 quantiles i / k of n > 0 sorted numbers, as percentile_cont. */
extern void quantile_edges(const double *sorted, int64 n, int k, double *edges);

/*
 * The number of values[0 .. n-1], ascending, that are less than v, or not
 * greater than it.
 */
extern int count_less(const double *values, int n, double v);
extern int count_not_greater(const double *values, int n, double v);

/* A row of a window partition: its number there, and its first argument. */
typedef struct RankedRow
{
	double value;
	int64 row;
} RankedRow;

typedef struct Ranked
{
	int64 n;
	RankedRow *rows; /* those whose value is not null, in the order asked for */
	MemoryContext context; /* lives as long as the partition */
} Ranked;

/*
 * All rows of the partition by the number that is argument 0, rows with equal
 * numbers in the order of the window.  `local` is what the caller got from
 * WinGetPartitionLocalMemory().
 */
extern void ranked_read(WindowObject winobj, void *local, const char *name,
						bool descending, Ranked *ranked);

/* Scores of a rule set are 1 .. scale, at most this. */
#define RULE_MAX_SCALE 100

/* The scores, in the order of the columns of rfm_rule. */
enum
{
	RULE_R,
	RULE_F,
	RULE_M,
	RULE_SCORES
};

typedef struct Rule
{
	int priority;
	int low[RULE_SCORES];
	int high[RULE_SCORES];
	text *segment;
	bool matches; /* it is the first to match something */
} Rule;

typedef struct RuleSet
{
	char *name;
	int nrules; /* 0 if there is no such set */
	int scale;	/* the highest bound of all its rules */
	Rule *rules;
	int *cells; /* by rule_cell(): which rule matches, -1 if none */
	struct RuleSet *next;
} RuleSet;

static inline int
rule_cell(const RuleSet *set, int r, int f, int m)
{
	return ((r - 1) * set->scale + (f - 1)) * set->scale + (m - 1);
}

/*
 * Read a rule set into `context`.  read_only: as the running query sees the
 * table; otherwise with all that was changed up to now.
 */
extern RuleSet *
rule_set_load(const char *name, bool read_only, MemoryContext context);

/* Raise the error for a set that does not exist. */
pg_noreturn extern void rule_set_unknown(const char *name);

#endif
