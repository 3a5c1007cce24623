/*
 * train.c
 *		m, u and the prior of a model.
 *
 * u comes from random pairs.  m comes first from each blocking rule by itself,
 * the columns of the rule left out, as all its pairs agree in them; and then
 * from the candidates of all rules together, where each column is free to
 * differ in pairs that other rules find.  There the prior is a share of all
 * pairs, not of the candidates, and u stays that of random pairs: fitted to
 * the candidates, u would learn that strangers agree, and the prior would run
 * towards 1.
 */
#include "postgres.h"

#include "match/match.h"
#include "utils/memutils.h"

#define RANDOM_PAIRS 1000000
#define SEED UINT64CONST(0x9e3779b97f4a7c15)
#define RULE_STEPS 25
#define JOINT_STEPS 60

typedef struct Training
{
	MatchModel *model;
	MatchRecords *records;
	CompareCache *cache;
	Histogram *random;	   /* patterns of random pairs */
	Histogram *rule;	   /* ... of the pairs of one rule */
	Histogram *candidates; /* ... of all candidates */
	double pairs;
	double candidate_pairs;
	uint64 keep; /* a pair is looked at if its hash is not above */
	double weight;
	double matches;						 /* most that one rule found */
	LevelTable expected[PAIR_STRANGERS]; /* levels, from all rules */
} Training;

/* All pairs where there are few, each once. */
static void
all_pairs(Training *t)
{
	MatchRecords *records = t->records;

	for (int a = 0; a < (records->linkage ? records->n_first : records->n); a++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int b = records->linkage ? records->n_first : a + 1;
			 b < records->n; b++)
			histogram_add(t->random, compare_pair(records, t->cache, a, b), 1);
	}
}

static uint64
draw(uint64 *state, uint64 n)
{
	*state += SEED;
	return mix64(*state) % n;
}

static void
random_pairs(Training *t)
{
	MatchRecords *records = t->records;
	uint64 state = SEED;

	if (t->pairs <= RANDOM_PAIRS)
	{
		all_pairs(t);
		return;
	}
	for (int i = 0; i < RANDOM_PAIRS; i++)
	{
		int a;
		int b;

		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (records->linkage)
		{
			a = draw(&state, records->n_first);
			b = records->n_first + draw(&state, records->n - records->n_first);
		}
		else
		{
			a = draw(&state, records->n);
			b = draw(&state, records->n - 1);
			b += b >= a;
		}
		histogram_add(t->random, compare_pair(records, t->cache, a, b), 1);
	}
}

static void
count_pair(void *arg, int a, int b, bool first)
{
	Training *t = arg;
	uint64 pattern;

	if (first)
		t->candidate_pairs++;
	if (mix64((uint64) Min(a, b) << 32 | Max(a, b)) > t->keep)
		return;
	pattern = compare_pair(t->records, t->cache, a, b);
	histogram_add(t->rule, pattern, t->weight);
	if (first)
		histogram_add(t->candidates, pattern, t->weight);
}

/* The comparisons that a rule makes agree, as bits */
static uint32
compared_by(const MatchModel *model, const BlockRule *rule)
{
	uint32 bits = 0;

	for (int i = 0; i < rule->n; i++)
		bits |= (uint32) 1 << model->keys[rule->keys[i]].comparison;
	return bits;
}

/* What was expected of the pairs makes the next estimate. */
static void
maximise(const MatchModel *model, const LevelCounts *counts, double pairs,
		 Estimate *estimate)
{
	estimate_shares(counts, pairs, estimate);
	estimate_matches(model, counts->counts[PAIR_MATCH], estimate);
	for (int r = 0; r < RELATIONS; r++)
		estimate_related(model, r, counts->counts[r], estimate);
	CHECK_FOR_INTERRUPTS();
}

/* Keep what a rule found, but for the columns in which its pairs agree. */
static void
keep_expected(Training *t, uint32 without, const LevelCounts *counts)
{
	const MatchModel *model = t->model;

	t->matches = Max(t->matches, counts->pairs[PAIR_MATCH]);
	for (int k = 0; k < PAIR_STRANGERS; k++)
	{
		for (int c = 0; c < model->n; c++)
		{
			if (without >> c & 1)
				continue;
			for (int l = 1; l <= model->comparisons[c].n_levels; l++)
				t->expected[k][c][l] += counts->counts[k][c][l];
		}
	}
}

/* Expectation and maximisation among the pairs of one rule. */
static void
train_rule(Training *t, int rule, const Estimate *start)
{
	const MatchModel *model = t->model;
	uint32 without = compared_by(model, &model->rules[rule]);
	Estimate estimate;
	LevelCounts counts;
	double pairs = 0;

	for (uint32 i = 0; i < t->rule->n_slots; i++)
		pairs += t->rule->slots[i].count;
	if (pairs == 0)
		return;
	estimate_start(model, without, &estimate);
	memcpy(estimate.levels, start->levels, sizeof(estimate.levels));
	estimate_set_shares(&estimate, 0.1);
	for (int step = 0; step < RULE_STEPS; step++)
	{
		expect_pairs(model, t->rule, &estimate, without, &counts);
		maximise(model, &counts, pairs, &estimate);
	}
	keep_expected(t, without, &counts);
}

static void
train_rules(Training *t, const Estimate *start)
{
	for (int r = 0; r < t->model->n_rules; r++)
	{
		t->rule = histogram_new();
		block_each_pair(t->records, r, count_pair, t);
		train_rule(t, r, start);
		histogram_free(t->rule);
	}
}

/* The matches among random pairs are no strangers. */
static void
refine_strangers(Training *t, Estimate *estimate)
{
	LevelCounts counts;

	expect_pairs(t->model, t->random, estimate, 0, &counts);
	estimate_strangers(t->model, counts.counts[PAIR_STRANGERS], estimate);
}

static void
train_jointly(Training *t, Estimate *estimate)
{
	const MatchModel *model = t->model;
	LevelCounts counts;

	for (int step = 0; step < JOINT_STEPS; step++)
	{
		refine_strangers(t, estimate);
		expect_pairs(model, t->candidates, estimate, 0, &counts);
		maximise(model, &counts, t->pairs, estimate);
	}
	t->model->trained_matches = counts.pairs[PAIR_MATCH];
}

static void
choose_sample(Training *t, double max_pairs)
{
	double total = 0;

	for (int r = 0; r < t->model->n_rules; r++)
		total += block_pairs_of(t->records, t->model->rules[r].mask,
								t->records->n, t->model->block_limit);
	t->keep = PG_UINT64_MAX;
	t->weight = 1;
	if (total > max_pairs)
	{
		t->keep = (uint64) (max_pairs / total * 18446744073709549568.0);
		t->weight = total / max_pairs;
	}
}

static void
take_estimate(Training *t, const Estimate *estimate)
{
	MatchModel *model = t->model;

	for (int c = 0; c < model->n; c++)
	{
		for (int l = 1; l <= model->comparisons[c].n_levels; l++)
		{
			MatchLevel *level = &model->comparisons[c].levels[l];

			level->m =
				Max(estimate->levels[PAIR_MATCH][c][l], LEAST_PROBABILITY);
			level->u =
				Max(estimate->levels[PAIR_STRANGERS][c][l], LEAST_PROBABILITY);
			for (int r = 0; r < RELATIONS; r++)
				level->r[r] = Max(estimate->levels[r][c][l], LEAST_PROBABILITY);
		}
	}
	model->prior = estimate->share[PAIR_MATCH];
	for (int r = 0; r < RELATIONS; r++)
		model->related[r] = estimate->share[r];
	model->trained = true;
	model->trained_records = t->records->n;
	model->trained_pairs = t->pairs;
	model->trained_candidates = t->candidate_pairs;
	model_prepare(model);
}

void
model_train(MatchModel *model, MatchRecords *records, double max_pairs)
{
	Training t = { .model = model, .records = records };
	Estimate estimate;

	t.pairs = records_pairs(records);
	t.cache = compare_cache(records);
	t.random = histogram_new();
	t.candidates = histogram_new();
	choose_sample(&t, max_pairs);
	random_pairs(&t);

	estimate_start(model, 0, &estimate);
	refine_strangers(&t, &estimate);
	for (int r = 0; r < RELATIONS; r++)
		estimate_related(model, r, t.expected[r], &estimate);
	train_rules(&t, &estimate);
	estimate_matches(model, t.expected[PAIR_MATCH], &estimate);
	for (int r = 0; r < RELATIONS; r++)
		estimate_related(model, r, t.expected[r], &estimate);
	estimate_set_shares(&estimate, Min(Max(t.matches / t.pairs, 1e-12), 0.2));
	train_jointly(&t, &estimate);
	take_estimate(&t, &estimate);
}
