/*
 * score.c
 *		Weights of pairs, and what they are made of.
 */
#include "postgres.h"

#include <math.h>

#include "match/match.h"
#include "utils/builtins.h"
#include "utils/json.h"

/* A rare value says more than the average one, but not endlessly more. */
#define RAREST 64.0

/* More records than one person is likely to have */
#define MANY 6.0
#define FEW 2.0

/* Matches that a record is expected to have. */
static double
matches_of_record(const MatchRecords *records)
{
	double pairs = records_pairs(records);

	if (records->n == 0)
		return 0;
	return 2 * records->model->prior * pairs / records->n;
}

/* Whether the frequency of the value counts on this level. */
static bool
is_same_value(const MatchLevel *level)
{
	return level->test == TEST_EQUAL ||
		(level->test == TEST_WORDS && level->threshold == 1);
}

/*
 * Add to the count of each word of a value, and return the product of their
 * shares; without counts, only make the words values.
 */
static double
words_of(MatchRecords *records, int32 value, float *counts, double add,
		 double total)
{
	Value copy = records->values.values[value];
	const char *at = copy.bytes;
	double product = 1;

	while (*at != '\0')
	{
		int length = strcspn(at, " ");
		int32 word = value_of(&records->values, at, length);

		if (counts != NULL)
		{
			counts[word] += add;
			product *= Min(counts[word] / total, 1);
		}
		at += length + (at[length] == ' ');
	}
	return product;
}

/*
 * Full names are mostly rarer than they can be counted, but what they are made
 * of is not: their words as if independent.  NULL for other kinds.
 */
static float *
word_shares(MatchRecords *records, int c, const float *share, double n,
			int n_values)
{
	float *counts;
	float *product;

	if (records->model->comparisons[c].kind != KIND_FULL_NAME)
		return NULL;
	for (int v = 0; v < n_values; v++)
	{
		if (share[v] > 0)
			words_of(records, v, NULL, 0, n);
	}
	counts = records_alloc(records, records->values.n * sizeof(float));
	product = records_alloc(records, n_values * sizeof(float));
	for (int v = 0; v < n_values; v++)
	{
		if (share[v] > 0)
			words_of(records, v, counts, share[v], n);
	}
	for (int v = 0; v < n_values; v++)
	{
		if (share[v] > 0)
			product[v] = words_of(records, v, counts, 0, n);
	}
	return product;
}

/*
 * The frequency of a value that so many others have, of n.  A few say little,
 * above all where hardly any value is met twice but for duplicates, so the
 * count is drawn to the average u (the mean of a gamma distribution that saw
 * one more); many are what they are.
 */
static double
frequency(double others, double n, double u)
{
	return Max((others + 1) / (n + 1 / u), (others - MANY) / n);
}

/*
 * How often a value is met in records of other people: without the record
 * itself, and without the duplicates that it is expected to have.
 */
static void
prepare_terms_of(MatchRecords *records, int c)
{
	const MatchModel *model = records->model;
	const MatchLevel *equal = &model->comparisons[c].levels[1];
	double duplicates = matches_of_record(records) * equal->m;
	int n_values = records->values.n;
	float *share = records_alloc(records, n_values * sizeof(float));
	float *gain = records_alloc(records, n_values * sizeof(float));
	float *words;
	double n = 0;

	for (int i = 0; i < records->n; i++)
	{
		int32 value = records->fields[(Size) i * model->n + c];

		if (value == NO_VALUE)
			continue;
		share[value]++;
		n++;
	}
	words = word_shares(records, c, share, n, n_values);
	for (int v = 0; v < n_values; v++)
	{
		double others = Max(share[v] - 1 - duplicates, 0);
		double u;

		if (share[v] == 0)
			continue;
		u = words == NULL ? frequency(others, n, equal->u) :
							Max(words[v], (others - FEW) / n);
		u = Min(Max(u, equal->u / RAREST), 1);
		share[v] = u;
		gain[v] = log2(equal->u / u);
	}
	records->term[c] = gain;
	records->term_share[c] = share;
}

void
terms_prepare(MatchRecords *records)
{
	const MatchModel *model = records->model;

	records->term = records_alloc(records, model->n * sizeof(float *));
	records->term_share = records_alloc(records, model->n * sizeof(float *));
	for (int c = 0; c < model->n; c++)
	{
		if (model->comparisons[c].term_frequency)
			prepare_terms_of(records, c);
	}
}

static double
term_gain(const MatchRecords *records, int c, int level, int a)
{
	if (level == 0 || records->term == NULL || records->term[c] == NULL ||
		!is_same_value(&records->model->comparisons[c].levels[level]))
		return 0;
	return records->term[c][records->fields[(Size) a * records->model->n + c]];
}

/* log2 of the odds of people so related, against strangers */
static double
related_weight(MatchRecords *records, MatchRelation relation, uint64 pattern,
			   int a)
{
	const MatchModel *model = records->model;
	double weight = model->related_weight[relation];

	for (int c = 0; c < model->n; c++)
	{
		int level = pattern_level(pattern, c);

		weight += model->comparisons[c].levels[level].shared[relation] +
			term_gain(records, c, level, a);
	}
	return weight;
}

/*
 * What the pair loses because related people agree in as much: never more
 * than nothing.
 */
static double
related_loss(MatchRecords *records, uint64 pattern, int a)
{
	double odds = 0;

	for (int r = 0; r < RELATIONS; r++)
	{
		if (records->model->related[r] > 0)
			odds += exp2(related_weight(records, r, pattern, a));
	}
	return -log2(1 + odds);
}

/* Where it is below `lowest`, it may be returned higher than it is. */
double
pair_weight(MatchRecords *records, uint64 pattern, int a, int b, double lowest)
{
	const MatchModel *model = records->model;
	double weight = model->prior_weight;

	for (int c = 0; c < model->n; c++)
	{
		int level = pattern_level(pattern, c);

		weight += model->comparisons[c].levels[level].weight +
			term_gain(records, c, level, a);
	}
	if (weight < lowest)
		return weight;
	return weight + related_loss(records, pattern, a);
}

double
weight_probability(double weight)
{
	return 1 / (1 + exp2(-weight));
}

static void
explain_comparison(StringInfo out, MatchRecords *records, int c, int level,
				   int32 value)
{
	const MatchComparison *comparison = &records->model->comparisons[c];
	const MatchLevel *found = &comparison->levels[level];
	double weight = found->weight;

	appendStringInfoString(out, ", ");
	escape_json(out, comparison->column);
	if (level == 0)
	{
		appendStringInfoString(out, ": {\"level\": null, \"weight\": 0}");
		return;
	}
	appendStringInfoString(out, ": {\"level\": ");
	escape_json(out, level_name(found));
	appendStringInfo(out, ", \"m\": %.6g, \"u\": %.6g", found->m, found->u);
	if (records->term != NULL && records->term[c] != NULL &&
		is_same_value(found))
	{
		weight += records->term[c][value];
		appendStringInfo(out, ", \"term_frequency\": %.6g",
						 records->term_share[c][value]);
	}
	appendStringInfo(out, ", \"weight\": %.17g}", weight);
}

Jsonb *
pair_explain(MatchRecords *records, uint64 pattern, int a, int b)
{
	const MatchModel *model = records->model;
	StringInfoData out;
	Jsonb *result;

	initStringInfo(&out);
	appendStringInfo(&out,
					 "{\"prior\": {\"probability\": %.6g, \"weight\": %.17g}",
					 model->prior, model->prior_weight);
	for (int c = 0; c < model->n; c++)
		explain_comparison(&out, records, c, pattern_level(pattern, c),
						   records->fields[(Size) a * model->n + c]);
	appendStringInfo(&out, ", \"related\": {\"weight\": %.17g}",
					 related_loss(records, pattern, a));
	appendStringInfoChar(&out, '}');
	result = DatumGetJsonbP(
		DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
	pfree(out.data);
	return result;
}
