/*
 * em.c
 *		One step of expectation and maximisation on a histogram of patterns.
 *
 * Within a class of pairs the comparisons are taken as independent.  Two
 * people of one household are a class of their own, as they agree in address,
 * telephone and surname together; without it they would look like one person,
 * and where they are many, teach the model that first names and dates of
 * birth differ.  Neighbours are another, as town, county and postcode are not
 * three agreements but one.
 */
#include "postgres.h"

#include "match/match.h"

/* As many matches as it takes to outweigh what is assumed before training. */
#define ASSUMED_MATCHES 10.0
#define ASSUMED_RELATED 10.0

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

/* Places that two columns may tell, as a town and its postcode */
static bool
is_place_kind(MatchKind kind)
{
	return kind == KIND_TEXT || kind == KIND_CODE || kind == KIND_CATEGORY ||
		kind == KIND_ADDRESS;
}

/*
 * Households differ in what is personal, neighbours in all names too.  They
 * can be told from matches by nothing else, and there must be something to
 * share; for neighbours twice, as one agreement is what any strangers have.
 */
static void
find_relations(const MatchModel *model, uint32 without, Estimate *estimate)
{
	int shared = 0;
	int places = 0;
	bool personal = false;

	memset(estimate->fixed, 0, sizeof(estimate->fixed));
	for (int c = 0; c < model->n; c++)
	{
		const MatchComparison *comparison = &model->comparisons[c];
		bool name =
			comparison->kind == KIND_NAME || comparison->kind == KIND_FULL_NAME;

		if (comparison->personal)
			estimate->fixed[HOUSEHOLD] |= (uint32) 1 << c;
		if (comparison->personal || name || comparison->kind == KIND_EMAIL)
			estimate->fixed[NEIGHBOURS] |= (uint32) 1 << c;
		if (without >> c & 1)
			continue;
		personal = personal || comparison->personal;
		shared += is_shared_kind(comparison->kind);
		places += is_place_kind(comparison->kind);
	}
	estimate->possible[HOUSEHOLD] = personal && shared > 0;
	estimate->possible[NEIGHBOURS] =
		places > 1 && (estimate->fixed[NEIGHBOURS] & ~without) != 0;
}

/*
 * Before any data: m as assumed, everything else not known yet.  Comparisons
 * in `without`, as bits, will say nothing.
 */
void
estimate_start(const MatchModel *model, uint32 without, Estimate *estimate)
{
	memset(estimate, 0, sizeof(Estimate));
	find_relations(model, without, estimate);
	for (int c = 0; c < model->n; c++)
	{
		for (int k = 0; k < PAIR_CLASSES; k++)
			estimate->levels[k][c][0] = 1;
		for (int l = 1; l <= model->comparisons[c].n_levels; l++)
		{
			for (int k = 0; k < PAIR_CLASSES; k++)
				estimate->levels[k][c][l] =
					1.0 / model->comparisons[c].n_levels;
			estimate->levels[PAIR_MATCH][c][l] =
				assumed_m(&model->comparisons[c], l);
		}
	}
	estimate->share[PAIR_STRANGERS] = 1;
}

/* So much of the pairs for each class that is possible, the rest strangers */
void
estimate_set_shares(Estimate *estimate, double share)
{
	double rest = 1 - share;

	estimate->share[PAIR_MATCH] = share;
	for (int r = 0; r < RELATIONS; r++)
	{
		estimate->share[r] = estimate->possible[r] ? share : 0;
		rest -= estimate->share[r];
	}
	estimate->share[PAIR_STRANGERS] = rest;
}

static double
count_of(const MatchModel *model, const LevelTable counts, int c)
{
	double sum = 0;

	for (int l = 1; l <= model->comparisons[c].n_levels; l++)
		sum += counts[c][l];
	return sum;
}

/*
 * How many matches at most may look like strangers in a column.  Where there
 * are no matches, or few, expectation would otherwise take for one whatever
 * agrees most, such as neighbours: but people keep their names and the date of
 * their birth.
 */
static double
largest_disagreement(const MatchComparison *comparison)
{
	return comparison->personal || comparison->kind == KIND_FULL_NAME ? 0.25 :
																		0.6;
}

/*
 * Full names that have only one of their words in common do not agree, either:
 * the last levels but "else", where there are that many.
 */
static bool
is_disagreement(const MatchComparison *comparison, int l, double u)
{
	int n = comparison->n_levels;

	return assumed_m(comparison, l) < u ||
		(comparison->kind == KIND_FULL_NAME && l >= Max(n - 2, (n + 3) / 2));
}

static void
limit_disagreement(const MatchModel *model, int c, Estimate *estimate)
{
	const MatchComparison *comparison = &model->comparisons[c];
	double *m = estimate->levels[PAIR_MATCH][c];
	const double *u = estimate->levels[PAIR_STRANGERS][c];
	double limit = largest_disagreement(comparison);
	double disagree = 0;

	for (int l = 1; l <= comparison->n_levels; l++)
	{
		if (is_disagreement(comparison, l, u[l]))
			disagree += m[l];
	}
	if (disagree <= limit)
		return;
	for (int l = 1; l <= comparison->n_levels; l++)
		m[l] *= is_disagreement(comparison, l, u[l]) ?
			limit / disagree :
			(1 - limit) / (1 - disagree);
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
		limit_disagreement(model, c, estimate);
	}
}

/*
 * Related people before any data: what they share is as in matches.  Where
 * they are strangers they stay so, whatever the data say: that is what makes
 * them two people.
 */
static double
assumed_related(const MatchModel *model, MatchRelation relation,
				const Estimate *estimate, int c, int l)
{
	MatchKind kind = model->comparisons[c].kind;
	double m = assumed_m(&model->comparisons[c], l);
	double u = estimate->levels[PAIR_STRANGERS][c][l];

	if (estimate->fixed[relation] >> c & 1)
		return relation == HOUSEHOLD ? (1 - NAMESAKES) * u + NAMESAKES * m : u;
	if (relation == HOUSEHOLD ? kind == KIND_NAME || is_shared_kind(kind) :
								kind == KIND_TEXT || kind == KIND_CATEGORY)
		return m;
	return u;
}

/* A household has one surname: those who have two live together as neighbours. */
static bool
is_settled(const MatchModel *model, MatchRelation relation,
		   const Estimate *estimate, int c)
{
	return (estimate->fixed[relation] >> c & 1) != 0 ||
		(relation == HOUSEHOLD && model->comparisons[c].kind == KIND_NAME);
}

void
estimate_related(const MatchModel *model, MatchRelation relation,
				 const LevelTable counts, Estimate *estimate)
{
	for (int c = 0; c < model->n; c++)
	{
		double n = count_of(model, counts, c);

		for (int l = 1; l <= model->comparisons[c].n_levels; l++)
		{
			double r = assumed_related(model, relation, estimate, c, l);

			if (!is_settled(model, relation, estimate, c))
				r = (counts[c][l] + ASSUMED_RELATED * r) /
					(n + ASSUMED_RELATED);
			estimate->levels[relation][c][l] = r;
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

/* Shares are of all pairs, also of those not counted: they are strangers. */
void
estimate_shares(const LevelCounts *counts, double pairs, Estimate *estimate)
{
	double rest = 1;

	for (int k = 0; k < PAIR_STRANGERS; k++)
	{
		double share = counts->pairs[k] / pairs;

		share = Min(Max(share, SMALLEST_SHARE), LARGEST_SHARE);
		if (k < RELATIONS && !estimate->possible[k])
			share = 0;
		estimate->share[k] = share;
		rest -= share;
	}
	estimate->share[PAIR_STRANGERS] = Max(rest, SMALLEST_SHARE);
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
					(without >> c & 1) == 0 ?
				estimate->levels[class][c][l] /
					estimate->levels[PAIR_STRANGERS][c][l] :
				1;
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
	LevelTable ratios[PAIR_STRANGERS];

	for (int k = 0; k < PAIR_STRANGERS; k++)
		make_ratios(model, estimate, without, k, ratios[k]);
	memset(counts, 0, sizeof(LevelCounts));
	for (uint32 i = 0; i < histogram->n_slots; i++)
	{
		const PatternCount *found = &histogram->slots[i];
		double odds[PAIR_CLASSES];
		double sum = 0;

		if (found->count == 0)
			continue;
		for (int k = 0; k < PAIR_CLASSES; k++)
		{
			odds[k] = estimate->share[k];
			if (k < PAIR_STRANGERS && odds[k] > 0)
				odds[k] *= product(model, found->pattern, ratios[k]);
			sum += odds[k];
		}
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
