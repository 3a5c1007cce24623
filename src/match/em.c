/*
 * em.c
 *		One step of expectation and maximisation on a histogram of patterns.
 *
 * Within a class of pairs the comparisons are taken as independent.  Two
 * people of one household are a class of their own, as they agree in address,
 * telephone and surname together; without it they would look like one person,
 * and where they are many, teach the model that first names and dates of
 * birth differ.
 */
#include "postgres.h"

#include "match/match.h"

/* As many matches as it takes to outweigh what is assumed before training. */
#define ASSUMED_MATCHES 10.0
#define ASSUMED_HOUSEHOLDS 10.0

/* A level that no random pair was on counts as this many pairs. */
#define ASSUMED_PAIRS 0.5

/* Twins, and children called after their parents */
#define NAMESAKES 0.01

/* Shares are kept within these. */
#define SMALLEST_SHARE 1e-12
#define LARGEST_SHARE 0.5

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

static bool
is_shared_kind(MatchKind kind)
{
	switch (kind)
	{
		case KIND_TEXT:
		case KIND_ADDRESS:
		case KIND_CODE:
		case KIND_NUMBER:
		case KIND_PHONE:
			return true;
		default:
			return false;
	}
}

/* First names, and dates: those of birth, as far as matching is concerned */
static uint32
personal_comparisons(const MatchModel *model)
{
	uint32 bits = 0;
	bool others = false;

	for (int c = 0; c < model->n; c++)
	{
		if (model->comparisons[c].personal)
			bits |= (uint32) 1 << c;
		else if (is_shared_kind(model->comparisons[c].kind))
			others = true;
	}
	return others ? bits : 0;
}

void
estimate_start(const MatchModel *model, Estimate *estimate)
{
	memset(estimate, 0, sizeof(Estimate));
	estimate->personal = personal_comparisons(model);
	for (int c = 0; c < model->n; c++)
	{
		for (int k = 0; k < PAIR_CLASSES; k++)
			estimate->levels[k][c][0] = 1;
		for (int l = 1; l <= model->comparisons[c].n_levels; l++)
		{
			estimate->levels[PAIR_MATCH][c][l] =
				assumed_m(&model->comparisons[c], l);
			estimate->levels[PAIR_STRANGERS][c][l] =
				1.0 / model->comparisons[c].n_levels;
		}
	}
	estimate->share[PAIR_STRANGERS] = 1;
}

static double
count_of(const MatchModel *model, const LevelTable counts, int c)
{
	double sum = 0;

	for (int l = 1; l <= model->comparisons[c].n_levels; l++)
		sum += counts[c][l];
	return sum;
}

void
estimate_matches(const MatchModel *model, const LevelTable counts,
				 Estimate *estimate)
{
	for (int c = 0; c < model->n; c++)
	{
		double n = count_of(model, counts, c);

		for (int l = 1; l <= model->comparisons[c].n_levels; l++)
			estimate->levels[PAIR_MATCH][c][l] =
				(counts[c][l] +
				 ASSUMED_MATCHES * assumed_m(&model->comparisons[c], l)) /
				(n + ASSUMED_MATCHES);
	}
}

/*
 * A household before any data: one surname, address and telephone, otherwise
 * strangers.  What is personal stays that of strangers, whatever the data say:
 * that is what makes them two people.
 */
static double
assumed_h(const MatchModel *model, const Estimate *estimate, int c, int l)
{
	double m = assumed_m(&model->comparisons[c], l);
	double u = estimate->levels[PAIR_STRANGERS][c][l];

	if (estimate->personal >> c & 1)
		return (1 - NAMESAKES) * u + NAMESAKES * m;
	if (model->comparisons[c].kind == KIND_NAME ||
		is_shared_kind(model->comparisons[c].kind))
		return m;
	return u;
}

void
estimate_households(const MatchModel *model, const LevelTable counts,
					Estimate *estimate)
{
	for (int c = 0; c < model->n; c++)
	{
		double n = count_of(model, counts, c);

		for (int l = 1; l <= model->comparisons[c].n_levels; l++)
		{
			double h = assumed_h(model, estimate, c, l);

			if ((estimate->personal >> c & 1) == 0)
				h = (counts[c][l] + ASSUMED_HOUSEHOLDS * h) /
					(n + ASSUMED_HOUSEHOLDS);
			estimate->levels[PAIR_HOUSEHOLD][c][l] = h;
		}
	}
}

void
estimate_strangers(const MatchModel *model, const LevelTable counts,
				   Estimate *estimate)
{
	for (int c = 0; c < model->n; c++)
	{
		int levels = model->comparisons[c].n_levels;
		double n = count_of(model, counts, c) + levels * ASSUMED_PAIRS;

		for (int l = 1; l <= levels; l++)
			estimate->levels[PAIR_STRANGERS][c][l] =
				(counts[c][l] + ASSUMED_PAIRS) / n;
	}
}

/* Matches and households are shares of all pairs, also of those not counted. */
void
estimate_shares(const LevelCounts *counts, double pairs, Estimate *estimate)
{
	double m = counts->pairs[PAIR_MATCH] / pairs;
	double h = counts->pairs[PAIR_HOUSEHOLD] / pairs;

	m = Min(Max(m, SMALLEST_SHARE), LARGEST_SHARE);
	h = Min(Max(h, SMALLEST_SHARE), LARGEST_SHARE - SMALLEST_SHARE);
	if (estimate->personal == 0)
		h = 0;
	estimate->share[PAIR_MATCH] = m;
	estimate->share[PAIR_HOUSEHOLD] = h;
	estimate->share[PAIR_STRANGERS] = 1 - m - h;
}

/* Probabilities relative to those of strangers; 1 where nothing is said */
static void
make_ratios(const MatchModel *model, const Estimate *estimate, uint32 without,
			PairClass class, LevelTable ratios)
{
	for (int c = 0; c < model->n; c++)
	{
		for (int l = 0; l <= MAX_LEVELS; l++)
			ratios[c][l] = l > 0 && l <= model->comparisons[c].n_levels &&
					(without >> c & 1) == 0
				? estimate->levels[class][c][l] /
					estimate->levels[PAIR_STRANGERS][c][l]
				: 1;
	}
}

static double
product(const MatchModel *model, uint64 pattern, const LevelTable ratios)
{
	double result = 1;

	for (int c = 0; c < model->n; c++)
		result *= ratios[c][pattern_level(pattern, c)];
	return result;
}

/*
 * Add up the pairs of each class that are expected, by their levels.
 * Comparisons in `without`, as bits, say nothing of a pair.
 */
void
expect_pairs(const MatchModel *model, const Histogram *histogram,
			 const Estimate *estimate, uint32 without, LevelCounts *counts)
{
	LevelTable match;
	LevelTable household;

	make_ratios(model, estimate, without, PAIR_MATCH, match);
	make_ratios(model, estimate, without, PAIR_HOUSEHOLD, household);
	memset(counts, 0, sizeof(LevelCounts));
	for (uint32 i = 0; i < histogram->n_slots; i++)
	{
		const PatternCount *found = &histogram->slots[i];
		double odds[PAIR_CLASSES];
		double sum;

		if (found->count == 0)
			continue;
		odds[PAIR_MATCH] = estimate->share[PAIR_MATCH] *
			product(model, found->pattern, match);
		odds[PAIR_HOUSEHOLD] = estimate->share[PAIR_HOUSEHOLD] == 0
			? 0
			: estimate->share[PAIR_HOUSEHOLD] *
				product(model, found->pattern, household);
		odds[PAIR_STRANGERS] = estimate->share[PAIR_STRANGERS];
		sum = odds[0] + odds[1] + odds[2];
		for (int k = 0; k < PAIR_CLASSES; k++)
		{
			double expected = found->count * odds[k] / sum;

			counts->pairs[k] += expected;
			for (int c = 0; c < model->n; c++)
				counts->counts[k][c][pattern_level(found->pattern, c)] +=
					expected;
		}
	}
}
