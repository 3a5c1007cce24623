/*
 * rules.c
 *		Blocking rules for a model: what two records of one person share, and
 *		few others do.
 *
 * Every combination of up to three keys is weighed by the pairs that it finds.
 * One that finds few is taken, and not made narrower.
 */
#include "postgres.h"

#include "match/match.h"

/* Records by which combinations are weighed. */
#define WEIGHED 20000

/* Pairs that a rule may find, and all together, for each record */
#define RULE_PAIRS 8.0
#define ALL_PAIRS 80.0

/* ... or that are few enough, however few records there are */
#define FEW_RULE_PAIRS 100000.0
#define FEW_PAIRS 1000000.0

typedef struct Candidate
{
	BlockRule rule;
	double pairs;
	bool implied; /* by another */
} Candidate;

typedef struct Choice
{
	MatchModel *model;
	MatchRecords *records;
	int n_records;
	double factor; /* from pairs among those looked at to all */
	int n;
	int capacity;
	Candidate *candidates;
} Choice;

/* The values of all columns come first where a wide relation has many keys. */
static void
add_key(MatchModel *model, int c, KeyPart part)
{
	if (model->n_keys < MAX_KEYS - (model->n - 1 - c))
		model_key(model, c, part);
}

static void
add_keys_of(MatchModel *model, int c)
{
	add_key(model, c, KEY_VALUE);
	switch (model->comparisons[c].kind)
	{
		case KIND_NAME:
			add_key(model, c, KEY_SOUNDEX);
			add_key(model, c, KEY_PREFIX);
			break;
		case KIND_FULL_NAME:
			add_key(model, c, KEY_SORTED);
			add_key(model, c, KEY_FIRST_WORD);
			add_key(model, c, KEY_LAST_WORD);
			add_key(model, c, KEY_SOUNDEX);
			break;
		case KIND_DATE:
			add_key(model, c, KEY_YEAR);
			add_key(model, c, KEY_MONTH_DAY);
			break;
		case KIND_EMAIL:
			add_key(model, c, KEY_LOCAL_PART);
			break;
		case KIND_ADDRESS:
			add_key(model, c, KEY_LAST_WORD);
			add_key(model, c, KEY_FIRST_WORD);
			add_key(model, c, KEY_PREFIX);
			break;
		case KIND_TEXT:
			add_key(model, c, KEY_PREFIX);
			break;
		default:
			break;
	}
}

/* Whether whatever agrees in the key `fine` agrees in `coarse` too */
static bool
key_implies(const MatchModel *model, int fine, int coarse)
{
	return fine == coarse ||
		(model->keys[fine].comparison == model->keys[coarse].comparison &&
		 model->keys[fine].part == KEY_VALUE);
}

static bool
rule_implies(const MatchModel *model, const BlockRule *fine,
			 const BlockRule *coarse)
{
	for (int i = 0; i < coarse->n; i++)
	{
		bool implied = false;

		for (int j = 0; j < fine->n; j++)
			implied =
				implied || key_implies(model, fine->keys[j], coarse->keys[i]);
		if (!implied)
			return false;
	}
	return true;
}

static bool
is_found_already(const Choice *choice, const BlockRule *rule)
{
	for (int i = 0; i < choice->n; i++)
	{
		if (rule_implies(choice->model, rule, &choice->candidates[i].rule))
			return true;
	}
	return false;
}

static void
add_candidate(Choice *choice, const BlockRule *rule, double pairs)
{
	if (choice->n == choice->capacity)
	{
		choice->capacity = Max(choice->capacity * 2, 64);
		choice->candidates = choice->candidates == NULL ?
			palloc(choice->capacity * sizeof(Candidate)) :
			repalloc(choice->candidates, choice->capacity * sizeof(Candidate));
	}
	choice->candidates[choice->n].implied = false;
	choice->candidates[choice->n].rule = *rule;
	choice->candidates[choice->n++].pairs = pairs;
}

static void
weigh(Choice *choice, const BlockRule *rule)
{
	double pairs;

	if (is_found_already(choice, rule))
		return;
	CHECK_FOR_INTERRUPTS();
	pairs = block_pairs_of(choice->records, rule->mask, choice->n_records,
						   INT_MAX) *
		choice->factor;
	if (pairs >= 1 &&
		pairs <= Max(RULE_PAIRS * choice->records->n, FEW_RULE_PAIRS))
		add_candidate(choice, rule, pairs);
}

/* All combinations of so many keys of different columns, from key `from` on */
static void
weigh_combinations(Choice *choice, BlockRule *rule, int size, int from)
{
	const MatchModel *model = choice->model;

	if (rule->n == size)
	{
		weigh(choice, rule);
		return;
	}
	for (int k = from; k < model->n_keys; k++)
	{
		bool same_column = false;

		for (int i = 0; i < rule->n; i++)
			same_column = same_column ||
				model->keys[rule->keys[i]].comparison ==
					model->keys[k].comparison;
		if (same_column)
			continue;
		rule->keys[rule->n++] = k;
		rule->mask |= UINT64CONST(1) << k;
		weigh_combinations(choice, rule, size, k + 1);
		rule->n--;
		rule->mask &= ~(UINT64CONST(1) << k);
	}
}

static int
by_pairs(const void *a, const void *b)
{
	const Candidate *x = a;
	const Candidate *y = b;

	if (x->pairs != y->pairs)
		return x->pairs < y->pairs ? -1 : 1;
	return x->rule.mask < y->rule.mask ? -1 : x->rule.mask > y->rule.mask;
}

/* A rule that a wider one makes needless goes. */
static void
drop_implied(Choice *choice)
{
	int n = 0;

	for (int i = 0; i < choice->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < choice->n && !choice->candidates[i].implied; j++)
			choice->candidates[i].implied = j != i &&
				rule_implies(choice->model, &choice->candidates[i].rule,
							 &choice->candidates[j].rule);
	}
	for (int i = 0; i < choice->n; i++)
	{
		if (!choice->candidates[i].implied)
			choice->candidates[n++] = choice->candidates[i];
	}
	choice->n = n;
}

static void
take_rules(Choice *choice)
{
	MatchModel *model = choice->model;
	double budget = Max(ALL_PAIRS * choice->records->n, FEW_PAIRS);

	qsort(choice->candidates, choice->n, sizeof(Candidate), by_pairs);
	for (int i = 0; i < choice->n && model->n_rules < MAX_RULES; i++)
	{
		budget -= choice->candidates[i].pairs;
		if (budget < 0)
			break;
		model->rules[model->n_rules++] = choice->candidates[i].rule;
	}
}

void
choose_rules(MatchModel *model, MatchRecords *records)
{
	Choice choice = { .model = model, .records = records };

	for (int c = 0; c < model->n; c++)
		add_keys_of(model, c);
	records_make_keys(records);
	choice.n_records = Min(records->n, WEIGHED);
	choice.factor = (double) records->n / Max(choice.n_records, 1);
	choice.factor *= choice.factor;
	for (int size = 1; size <= Min(3, model->n); size++)
	{
		BlockRule rule = { 0 };

		weigh_combinations(&choice, &rule, size, 0);
	}
	drop_implied(&choice);
	take_rules(&choice);
}
