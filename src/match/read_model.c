/*
 * read_model.c
 *		A model from its jsonb, with everything checked that can be checked
 *		without the data.
 */
#include "postgres.h"

#include <math.h>

#include "match/match.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#define HINT_MODEL \
	"SELECT personalize.match_model('people', 'id') suggests a model to start from."

static void
bad_model(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("not a match model"), errdetail("%s", detail),
			 errhint(HINT_MODEL)));
}

static const char *
type_word(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return "null";
		case jbvString:
			return "a string";
		case jbvNumeric:
			return "a number";
		case jbvBool:
			return "a boolean";
		default:
			if (value->type == jbvBinary &&
				JsonContainerIsArray(value->val.binary.data))
				return "an array";
			return "an object";
	}
}

static void
bad_type(const char *key, const JsonbValue *value, const char *expected)
{
	bad_model(psprintf("\"%s\" must be %s, but is %s.", key, expected,
					   type_word(value)));
}

static char *
string_of(const char *key, const JsonbValue *value)
{
	if (value->type != jbvString)
		bad_type(key, value, "a string");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static double
number_of(const char *key, const JsonbValue *value)
{
	if (value->type != jbvNumeric)
		bad_type(key, value, "a number");
	return DatumGetFloat8(
		DirectFunctionCall1(numeric_float8_no_overflow,
							NumericGetDatum(value->val.numeric)));
}

static double
number_within(const char *key, const JsonbValue *value, double low, double high)
{
	double number = number_of(key, value);

	if (!(number >= low && number <= high))
		bad_model(psprintf("\"%s\" must lie between %g and %g, but is %g.", key,
						   low, high, number));
	return number;
}

static JsonbContainer *
container_of(const char *key, const JsonbValue *value, bool array)
{
	if (value->type != jbvBinary ||
		JsonContainerIsArray(value->val.binary.data) != array)
		bad_type(key, value, array ? "an array" : "an object");
	return value->val.binary.data;
}

static JsonbValue *
member(JsonbContainer *object, const char *key)
{
	return getKeyJsonValueFromContainer(object, key, strlen(key), NULL);
}

static JsonbValue *
needed(JsonbContainer *object, const char *key, const char *where)
{
	JsonbValue *value = member(object, key);

	if (value == NULL)
		bad_model(psprintf("%s has no \"%s\".", where, key));
	return value;
}

static void
check_keys(JsonbContainer *object, const char *const *known, int n,
		   const char *where)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue value;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		char *key;

		if (token != WJB_KEY)
			continue;
		key = pnstrdup(value.val.string.val, value.val.string.len);
		if (find_name(known, n, key) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown key \"%s\" in %s of a match model", key,
							where),
					 errhint("The keys are: %s.", list_names(known, n))));
	}
}

static void
read_level(MatchLevel *level, const JsonbValue *value, int *trained)
{
	static const char *const known[] = { "level", "m", "u", "h", "n" };
	JsonbContainer *object;
	JsonbValue *m;
	JsonbValue *u;

	if (value->type == jbvString)
	{
		level_read(level, string_of("level", value));
		return;
	}
	object = container_of("level", value, false);
	check_keys(object, known, lengthof(known), "a level");
	level_read(level, string_of("level", needed(object, "level", "A level")));
	m = member(object, "m");
	u = member(object, "u");
	if ((m == NULL) != (u == NULL))
		bad_model(psprintf("Level \"%s\" has only one of \"m\" and \"u\".",
						   level_name(level)));
	if (m == NULL)
		return;
	level->m = number_within("m", m, LEAST_PROBABILITY, 1);
	level->u = number_within("u", u, LEAST_PROBABILITY, 1);
	for (int r = 0; r < RELATIONS; r++)
	{
		JsonbValue *v = member(object, relation_keys[r]);

		/* what is not said is as among strangers */
		level->r[r] = v == NULL ?
			level->u :
			number_within(relation_keys[r], v, LEAST_PROBABILITY, 1);
	}
	(*trained)++;
}

static void
read_levels(MatchComparison *comparison, JsonbContainer *array, int *trained)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbValue value;
	JsonbIteratorToken token;

	comparison->n_levels = 0;
	token = JsonbIteratorNext(&it, &value, false);
	while ((token = JsonbIteratorNext(&it, &value, true)) == WJB_ELEM)
	{
		if (comparison->n_levels == MAX_LEVELS)
			bad_model(psprintf("Column \"%s\" has more than %d levels.",
							   comparison->column, MAX_LEVELS));
		read_level(&comparison->levels[++comparison->n_levels], &value,
				   trained);
	}
}

/* Levels are tried in their order, so the first and the last are given. */
static void
check_levels(MatchComparison *comparison)
{
	int n = comparison->n_levels;

	if (n < 2 || comparison->levels[1].test != TEST_EQUAL ||
		comparison->levels[n].test != TEST_ELSE)
		bad_model(
			psprintf("The levels of column \"%s\" must begin with \"equal\" and end with \"else\".",
					 comparison->column));
	for (int i = 2; i <= n; i++)
	{
		MatchLevel *level = &comparison->levels[i];

		if (level->test == TEST_EQUAL || (level->test == TEST_ELSE && i < n))
			bad_model(
				psprintf("Column \"%s\" has level \"%s\" where nothing can reach it.",
						 comparison->column, level_name(level)));
		if (level->test != TEST_SWAPPED)
			continue;
		if (comparison->with == NULL)
			bad_model(
				psprintf("Column \"%s\" has level \"swapped\" but does not say with which column.",
						 comparison->column));
		comparison->swapped = i;
	}
}

/* What stands beside the columns where a pair is explained */
bool
is_reserved_column(const char *column)
{
	return strcmp(column, "prior") == 0 || strcmp(column, "related") == 0;
}

static bool
is_true(JsonbContainer *object, const char *key)
{
	JsonbValue *v = member(object, key);

	if (v != NULL && v->type != jbvBool)
		bad_type(key, v, "true or false");
	return v != NULL && v->val.boolean;
}

static void
read_comparison(MatchModel *model, const JsonbValue *value, int *trained)
{
	static const char *const known[] = {
		"column", "kind", "with", "personal", "term_frequency", "levels"
	};
	MatchComparison *comparison = &model->comparisons[model->n];
	JsonbContainer *object = container_of("comparisons", value, false);
	JsonbValue *v;
	char *kind;
	int found;

	check_keys(object, known, lengthof(known), "a comparison");
	comparison->column =
		string_of("column", needed(object, "column", "A comparison"));
	if (model_comparison(model, comparison->column) >= 0)
		bad_model(
			psprintf("Column \"%s\" is compared twice.", comparison->column));
	if (is_reserved_column(comparison->column))
		bad_model(
			psprintf("Column \"%s\" cannot be compared, as explanations use its name.",
					 comparison->column));
	kind = string_of("kind", needed(object, "kind", "A comparison"));
	found = find_name(kind_names, N_KINDS, kind);
	if (found < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown kind \"%s\" of column \"%s\"", kind,
						comparison->column),
				 errhint("The kinds are: %s.",
						 list_names(kind_names, N_KINDS))));
	comparison->kind = found;
	v = member(object, "with");
	comparison->with =
		v == NULL || v->type == jbvNull ? NULL : string_of("with", v);
	comparison->term_frequency = is_true(object, "term_frequency");
	comparison->personal = is_true(object, "personal");
	v = member(object, "levels");
	if (v == NULL)
		default_levels(comparison);
	else
		read_levels(comparison, container_of("levels", v, true), trained);
	check_levels(comparison);
	model->n++;
}

int
model_comparison(const MatchModel *model, const char *column)
{
	for (int c = 0; c < model->n; c++)
	{
		if (strcmp(model->comparisons[c].column, column) == 0)
			return c;
	}
	return -1;
}

static void
find_partners(MatchModel *model)
{
	for (int c = 0; c < model->n; c++)
	{
		MatchComparison *comparison = &model->comparisons[c];

		comparison->partner = -1;
		if (comparison->with == NULL)
			continue;
		comparison->partner = model_comparison(model, comparison->with);
		if (comparison->partner < 0 || comparison->partner == c)
			bad_model(
				psprintf("Column \"%s\" is compared with \"%s\", which is no other column of the model.",
						 comparison->column, comparison->with));
	}
}

/* The number of a key, which is new if the model does not have it yet. */
int
model_key(MatchModel *model, int comparison, KeyPart part)
{
	for (int k = 0; k < model->n_keys; k++)
	{
		if (model->keys[k].comparison == comparison &&
			model->keys[k].part == part)
			return k;
	}
	if (model->n_keys == MAX_KEYS)
		bad_model(
			psprintf("The blocking rules have more than %d different keys.",
					 MAX_KEYS));
	model->keys[model->n_keys].comparison = comparison;
	model->keys[model->n_keys].part = part;
	return model->n_keys++;
}

/* surname, or soundex(surname) */
static int
read_key(MatchModel *model, const char *text)
{
	int comparison = model_comparison(model, text);
	const char *open = strchr(text, '(');
	int length = strlen(text);
	int part;
	char *column;

	if (comparison >= 0)
		return model_key(model, comparison, KEY_VALUE);
	if (open == NULL || text[length - 1] != ')')
		bad_model(psprintf("Blocking key \"%s\" is no compared column.", text));
	part = find_name(key_part_names, N_KEY_PARTS, pnstrdup(text, open - text));
	if (part < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown blocking key \"%s\"", text),
				 errhint("A key is a compared column, or one of these of a column: %s; as in soundex(surname).",
						 list_names(key_part_names, N_KEY_PARTS))));
	column = pnstrdup(open + 1, text + length - 1 - (open + 1));
	comparison = model_comparison(model, column);
	if (comparison < 0)
		bad_model(
			psprintf("Blocking key \"%s\" is of no compared column.", text));
	return model_key(model, comparison, part);
}

static void
read_rule(MatchModel *model, JsonbContainer *array)
{
	BlockRule *rule = &model->rules[model->n_rules];
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbValue value;

	memset(rule, 0, sizeof(BlockRule));
	JsonbIteratorNext(&it, &value, false);
	while (JsonbIteratorNext(&it, &value, true) == WJB_ELEM)
	{
		int key = read_key(model, string_of("blocking", &value));

		if (rule->n == MAX_RULE_KEYS)
			bad_model(psprintf("A blocking rule has more than %d keys.",
							   MAX_RULE_KEYS));
		rule->keys[rule->n++] = key;
		rule->mask |= UINT64CONST(1) << key;
	}
	if (rule->n == 0)
		bad_model("A blocking rule has no keys.");
	model->n_rules++;
}

static void
read_blocking(MatchModel *model, JsonbContainer *array)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbValue value;

	JsonbIteratorNext(&it, &value, false);
	while (JsonbIteratorNext(&it, &value, true) == WJB_ELEM)
	{
		if (model->n_rules == MAX_RULES)
			bad_model(
				psprintf("There are more than %d blocking rules.", MAX_RULES));
		read_rule(model, container_of("blocking rule", &value, true));
	}
}

static void
read_comparisons(MatchModel *model, JsonbContainer *array, int *trained)
{
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbValue value;

	JsonbIteratorNext(&it, &value, false);
	while (JsonbIteratorNext(&it, &value, true) == WJB_ELEM)
	{
		if (model->n == MAX_COMPARISONS)
			bad_model(psprintf("There are more than %d comparisons.",
							   MAX_COMPARISONS));
		read_comparison(model, &value, trained);
	}
	if (model->n == 0)
		bad_model("There are no comparisons.");
	find_partners(model);
}

static void
read_training(MatchModel *model, JsonbContainer *object)
{
	static const char *const known[] = { "records", "pairs", "candidates",
										 "matches" };
	double *numbers[] = { &model->trained_records, &model->trained_pairs,
						  &model->trained_candidates, &model->trained_matches };

	check_keys(object, known, lengthof(known), "\"training\"");
	for (int i = 0; i < (int) lengthof(known); i++)
	{
		JsonbValue *v = member(object, known[i]);

		if (v != NULL)
			*numbers[i] = number_within(known[i], v, 0, 1e300);
	}
}

static void
read_related(MatchModel *model, JsonbContainer *object)
{
	double sum = model->prior;

	check_keys(object, relation_names, RELATIONS, "\"related\"");
	for (int r = 0; r < RELATIONS; r++)
	{
		JsonbValue *v = member(object, relation_names[r]);

		if (v != NULL)
			model->related[r] = number_within(relation_names[r], v, 0, 1);
		sum += model->related[r];
	}
	if (sum >= 1)
		bad_model(
			"\"prior\" and the probabilities of \"related\" must sum to less than 1.");
}

/* Either all levels have their probabilities, and there is a prior, or none. */
static void
check_trained(MatchModel *model, int trained)
{
	int levels = 0;

	for (int c = 0; c < model->n; c++)
		levels += model->comparisons[c].n_levels;
	if (trained > 0 && trained < levels)
		bad_model("Some levels have \"m\" and \"u\" and some do not.");
	if ((trained > 0) != (model->prior > 0))
		bad_model(
			"A trained model has \"prior\", and \"m\" and \"u\" for every level; one that is not has none of them.");
	model->trained = trained > 0;
	if (model->trained)
		model_prepare(model);
}

void
model_prepare(MatchModel *model)
{
	double strangers = 1 - model->prior;

	for (int r = 0; r < RELATIONS; r++)
		strangers -= model->related[r];
	model->prior_weight = log2(model->prior / strangers);
	for (int r = 0; r < RELATIONS; r++)
		model->related_weight[r] = log2(model->related[r] / strangers);
	for (int c = 0; c < model->n; c++)
	{
		MatchComparison *comparison = &model->comparisons[c];

		comparison->levels[0].weight = 0;
		memset(comparison->levels[0].shared, 0, sizeof(double) * RELATIONS);
		for (int l = 1; l <= comparison->n_levels; l++)
		{
			MatchLevel *level = &comparison->levels[l];

			level->weight = log2(level->m / level->u);
			for (int r = 0; r < RELATIONS; r++)
				level->shared[r] = log2(level->r[r] / level->u);
		}
	}
}

MatchModel *
model_read(Jsonb *json)
{
	static const char *const known[] = { "id",		 "comparisons",
										 "blocking", "block_limit",
										 "prior",	 "related",
										 "training" };
	MatchModel *model = palloc0(sizeof(MatchModel));
	JsonbContainer *root = &json->root;
	JsonbValue *v;
	int trained = 0;

	if (!JB_ROOT_IS_OBJECT(json))
		bad_model("It must be an object.");
	check_keys(root, known, lengthof(known), "the top level");
	model->id = string_of("id", needed(root, "id", "The model"));
	v = needed(root, "comparisons", "The model");
	read_comparisons(model, container_of("comparisons", v, true), &trained);
	v = member(root, "blocking");
	if (v != NULL)
		read_blocking(model, container_of("blocking", v, true));
	v = member(root, "block_limit");
	model->block_limit = v == NULL ?
		DEFAULT_BLOCK_LIMIT :
		(int) number_within("block_limit", v, 2, 1000000);
	v = member(root, "prior");
	if (v != NULL)
		model->prior = number_within("prior", v, 1e-15, 1 - 1e-9);
	v = member(root, "related");
	if (v != NULL)
		read_related(model, container_of("related", v, false));
	v = member(root, "training");
	if (v != NULL)
		read_training(model, container_of("training", v, false));
	check_trained(model, trained);
	return model;
}
