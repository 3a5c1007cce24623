/*
 * em.c
 *		One step of expectation and maximisation on a histogram of patterns.
 *
 * The comparisons are taken as independent among matches, and among the rest.
 */
#include "postgres.h"

#include "match/match.h"

/* As many matches as it takes to outweigh what is assumed before training. */
#define ASSUMED_MATCHES 10.0

/* A level that no random pair was on counts as this many pairs. */
#define ASSUMED_PAIRS 0.5

/* m of each level before any data: shares of its test, all levels summing to 1. */
static double
assumed_m(const MatchComparison *comparison, int level)
{
	double sum = 0;

	for (int l = 1; l <= comparison->n_levels; l++)
		sum += default_m(comparison->levels[l].test,
						 comparison->levels[l].threshold);
	return default_m(comparison->levels[level].test,
					 comparison->levels[level].threshold) /
		sum;
}

void
estimate_start(const MatchModel *model, Estimate *estimate)
{
	memset(estimate, 0, sizeof(Estimate));
	for (int c = 0; c < model->n; c++)
	{
		estimate->m[c][0] = 1;
		estimate->u[c][0] = 1;
		for (int l = 1; l <= model->comparisons[c].n_levels; l++)
		{
			estimate->m[c][l] = assumed_m(&model->comparisons[c], l);
			estimate->u[c][l] = 1.0 / model->comparisons[c].n_levels;
		}
	}
}

static double
count_of(const MatchModel *model, const LevelCounts *counts, int c)
{
	double sum = 0;

	for (int l = 1; l <= model->comparisons[c].n_levels; l++)
		sum += counts->counts[c][l];
	return sum;
}

void
estimate_m(const MatchModel *model, const LevelCounts *counts,
		   Estimate *estimate)
{
	for (int c = 0; c < model->n; c++)
	{
		double n = count_of(model, counts, c);

		for (int l = 1; l <= model->comparisons[c].n_levels; l++)
			estimate->m[c][l] =
				(counts->counts[c][l] +
				 ASSUMED_MATCHES * assumed_m(&model->comparisons[c], l)) /
				(n + ASSUMED_MATCHES);
	}
}

void
estimate_u(const MatchModel *model, const LevelCounts *counts,
		   Estimate *estimate)
{
	for (int c = 0; c < model->n; c++)
	{
		int levels = model->comparisons[c].n_levels;
		double n = count_of(model, counts, c) + levels * ASSUMED_PAIRS;

		for (int l = 1; l <= levels; l++)
			estimate->u[c][l] = (counts->counts[c][l] + ASSUMED_PAIRS) / n;
	}
}

static double
odds_of(const MatchModel *model, uint64 pattern,
		const double ratio[MAX_COMPARISONS][MAX_LEVELS + 1])
{
	double odds = 1;

	for (int c = 0; c < model->n; c++)
		odds *= ratio[c][pattern_level(pattern, c)];
	return odds;
}

/*
 * Add up the matches that are expected among the pairs, or those that are
 * none, by their levels.  Comparisons in `without`, as bits, say nothing of
 * a pair.
 */
void
expect_pairs(const MatchModel *model, const Histogram *histogram,
			 const Estimate *estimate, uint32 without, bool matches,
			 LevelCounts *counts)
{
	double ratio[MAX_COMPARISONS][MAX_LEVELS + 1];
	double prior_odds = estimate->prior / (1 - estimate->prior);

	for (int c = 0; c < model->n; c++)
	{
		for (int l = 0; l <= MAX_LEVELS; l++)
			ratio[c][l] = l > 0 && l <= model->comparisons[c].n_levels &&
					(without >> c & 1) == 0
				? estimate->m[c][l] / estimate->u[c][l]
				: 1;
	}
	memset(counts, 0, sizeof(LevelCounts));
	for (uint32 i = 0; i < histogram->n_slots; i++)
	{
		const PatternCount *found = &histogram->slots[i];
		double odds;
		double expected;

		if (found->count == 0)
			continue;
		odds = prior_odds * odds_of(model, found->pattern, ratio);
		expected = found->count / (matches ? 1 + 1 / odds : 1 + odds);
		counts->pairs += expected;
		for (int c = 0; c < model->n; c++)
			counts->counts[c][pattern_level(found->pattern, c)] += expected;
	}
}
