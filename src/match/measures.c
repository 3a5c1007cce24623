/*
 * measures.c
 *		Whether two values are on a level.
 */
#include "postgres.h"

#include <math.h>

#include "match/match.h"
#include "port/pg_bitutils.h"

#define MAX_WORDS 12

typedef struct Words
{
	int n;
	int letters;
	Points words[MAX_WORDS];
} Words;

static void
take_words(const Value *value, Words *words)
{
	const char *at = value->bytes;
	const char *end = value->bytes + value->length;

	words->n = 0;
	words->letters = 0;
	while (at < end && words->n < MAX_WORDS)
	{
		const char *stop = memchr(at, ' ', end - at);
		Points *word = &words->words[words->n];

		if (stop == NULL)
			stop = end;
		if (stop > at)
		{
			points_init(word, at, stop - at);
			words->letters += word->n;
			words->n++;
		}
		at = stop + 1;
	}
}

/* Pairs are many, and a call's memory is only given back at its end. */
static void
free_words(Words *words)
{
	for (int i = 0; i < words->n; i++)
	{
		if (!words->words[i].ascii)
			pfree(unconstify(uint32 *, words->words[i].points));
	}
}

/* Whether the shorter begins the longer. */
static bool
begins(const Points *a, const Points *b)
{
	int n = Min(a->n, b->n);

	for (int i = 0; i < n; i++)
	{
		if (point_at(a, i) != point_at(b, i))
			return false;
	}
	return true;
}

static bool
ends(const Points *a, const Points *b)
{
	int n = Min(a->n, b->n);

	for (int i = 1; i <= n; i++)
	{
		if (point_at(a, a->n - i) != point_at(b, b->n - i))
			return false;
	}
	return true;
}

/* Letters of both words that count as alike. */
static double
word_likeness(const Points *a, const Points *b)
{
	int shorter = Min(a->n, b->n);

	if (a->n == b->n && begins(a, b))
		return a->n + b->n;
	if (shorter == 1 || shorter >= 3)
	{
		/* an initial, an abbreviation */
		if (begins(a, b))
			return 0.8 * (a->n + b->n);
	}
	if (shorter >= 4 && damerau_levenshtein_distance(a, b, 1) <= 1)
		return 0.9 * (a->n + b->n);
	return 0;
}

/*
 * Share of the letters that stand in words alike, the words in any order: each
 * word of one value takes the best of the other that is still free.
 */
static double
words_likeness(const Value *a, const Value *b)
{
	Words x;
	Words y;
	bool taken[MAX_WORDS] = { false };
	double letters;
	double sum = 0;

	take_words(a, &x);
	take_words(b, &y);
	letters = x.letters + y.letters;
	for (int i = 0; i < x.n; i++)
	{
		double best = 0;
		int found = 0;

		for (int j = 0; j < y.n; j++)
		{
			double likeness =
				taken[j] ? 0 : word_likeness(&x.words[i], &y.words[j]);

			if (likeness > best)
			{
				best = likeness;
				found = j;
			}
		}
		if (best > 0)
			taken[found] = true;
		sum += best;
	}
	free_words(&x);
	free_words(&y);
	return letters == 0 ? 0 : sum / letters;
}

static bool
day_month_exchanged(int a, int b)
{
	return a != 0 && b != 0 && a / 10000 == b / 10000 &&
		a / 100 % 100 == b % 100 && a % 100 == b / 100 % 100;
}

static int
equal_date_parts(int a, int b)
{
	if (a == 0 || b == 0)
		return 0;
	return (a / 10000 == b / 10000) + (a / 100 % 100 == b / 100 % 100) +
		(a % 100 == b % 100);
}

static bool
years_within(int a, int b, int years)
{
	return a != 0 && b != 0 && abs(a / 10000 - b / 10000) <= years;
}

static bool
numbers_within(const Value *a, const Value *b, double distance)
{
	char *a_end;
	char *b_end;
	double x = strtod(a->bytes, &a_end);
	double y = strtod(b->bytes, &b_end);

	return *a_end == '\0' && *b_end == '\0' && fabs(x - y) <= distance;
}

static bool
local_parts_equal(const Value *a, const Value *b)
{
	const char *x = strchr(a->bytes, '@');
	const char *y = strchr(b->bytes, '@');
	int x_length = x == NULL ? a->length : x - a->bytes;
	int y_length = y == NULL ? b->length : y - b->bytes;

	return x_length == y_length && x_length > 0 &&
		memcmp(a->bytes, b->bytes, x_length) == 0;
}

/*
 * A lower bound: no edit takes away or brings more than one letter that the
 * other string does not have at all.
 */
static bool
edits_within(const Value *a, const Value *b, int limit)
{
	if (pg_popcount64(a->letters & ~b->letters) > limit ||
		pg_popcount64(b->letters & ~a->letters) > limit ||
		abs(a->points.n - b->points.n) > limit)
		return false;
	return damerau_levenshtein_distance(&a->points, &b->points, limit) <= limit;
}

/* What several levels of a comparison ask for is computed once; -1: not yet. */
typedef struct Likeness
{
	double jaro_winkler;
	double words;
} Likeness;

static bool
jaro_winkler_reaches(const Value *a, const Value *b, double threshold,
					 Likeness *known)
{
	if (known->jaro_winkler < 0)
		known->jaro_winkler =
			jaro_winkler_similarity(&a->points, &b->points, 0.1);
	return known->jaro_winkler >= threshold;
}

static bool
words_reach(const Value *a, const Value *b, double threshold, Likeness *known)
{
	if (known->words < 0)
		known->words = words_likeness(a, b);
	return known->words >= threshold;
}

static bool
level_holds(const MatchLevel *level, const Value *a, const Value *b,
			Likeness *known)
{
	int n = (int) level->threshold;

	switch (level->test)
	{
		case TEST_EDITS:
			return edits_within(a, b, n);
		case TEST_JARO_WINKLER:
			return jaro_winkler_reaches(a, b, level->threshold, known);
		case TEST_WORDS:
			return words_reach(a, b, level->threshold, known);
		case TEST_PREFIX:
			return Min(a->points.n, b->points.n) >= n &&
				begins(&a->points, &b->points);
		case TEST_SUFFIX:
			return Min(a->points.n, b->points.n) >= n &&
				ends(&a->points, &b->points);
		case TEST_NICKNAME:
			return (a->families[0] & b->families[0]) != 0 ||
				(a->families[1] & b->families[1]) != 0;
		case TEST_DAY_MONTH:
			return day_month_exchanged(a->number, b->number);
		case TEST_DATE_PARTS:
			return equal_date_parts(a->number, b->number) >= n;
		case TEST_YEARS:
			return years_within(a->number, b->number, n);
		case TEST_WITHIN:
			return numbers_within(a, b, level->threshold);
		case TEST_LOCAL_PART:
			return local_parts_equal(a, b);
		case TEST_EQUAL:
		case TEST_SWAPPED:
			/* found by their numbers, before */
			return false;
		case TEST_ELSE:
		case N_TESTS:
			break;
	}
	return true;
}

/* The first level that two unequal values are on. */
int
find_level(const MatchComparison *comparison, const Value *a, const Value *b)
{
	Likeness known = { -1, -1 };
	int level = 1;

	while (level < comparison->n_levels &&
		   !level_holds(&comparison->levels[level], a, b, &known))
		level++;
	return level;
}
