/*
 * names.c
 *		What things are called in a model.
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "match/match.h"
#include "utils/builtins.h"
#include "utils/float.h"

typedef struct TestName
{
	const char *name;
	bool has_threshold;
	double m; /* before any training, a share of the matches */
} TestName;

const char *const kind_names[N_KINDS] = { "name",	 "full_name", "text",
										  "address", "code",	  "number",
										  "date",	 "category",  "email",
										  "phone" };

const char *const key_part_names[N_KEY_PARTS] = {
	"value",  "prefix", "soundex",	 "first_word", "last_word",
	"sorted", "year",	"month_day", "local_part"
};

/* ... and what their probabilities are called in a level */
const char *const relation_names[RELATIONS] = { "household", "neighbours" };
const char *const relation_keys[RELATIONS] = { "h", "n" };

static const TestName tests[N_TESTS] = {
	[TEST_EQUAL] = { "equal", false, 0.80 },
	[TEST_SWAPPED] = { "swapped", false, 0.01 },
	[TEST_EDITS] = { "edits", true, 0.08 },
	[TEST_JARO_WINKLER] = { "jaro_winkler", true, 0.03 },
	[TEST_WORDS] = { "words", true, 0.03 },
	[TEST_PREFIX] = { "prefix", true, 0.01 },
	[TEST_SUFFIX] = { "suffix", true, 0.02 },
	[TEST_NICKNAME] = { "nickname", false, 0.01 },
	[TEST_DAY_MONTH] = { "day_month", false, 0.01 },
	[TEST_DATE_PARTS] = { "date_parts", true, 0.02 },
	[TEST_YEARS] = { "years", true, 0.01 },
	[TEST_WITHIN] = { "within", true, 0.02 },
	[TEST_LOCAL_PART] = { "local_part", false, 0.02 },
	[TEST_ELSE] = { "else", false, 0.05 },
};

const char *
test_name(MatchTest test)
{
	return tests[test].name;
}

bool
test_has_threshold(MatchTest test)
{
	return tests[test].has_threshold;
}

double
default_m(MatchTest test, double threshold)
{
	double m = tests[test].m;

	/* the looser of two levels of one test takes what the other left */
	if (test == TEST_EDITS && threshold > 1)
		m /= 2;
	return m;
}

/* As a reader knows it: "edits 1". */
char *
level_name(const MatchLevel *level)
{
	char threshold[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (!tests[level->test].has_threshold)
		return pstrdup(tests[level->test].name);
	/* in full, as a model that is written is read again */
	double_to_shortest_decimal_buf(level->threshold, threshold);
	return psprintf("%s %s", tests[level->test].name, threshold);
}

int
find_name(const char *const *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return -1;
}

char *
key_name(const MatchModel *model, int key)
{
	const BlockKey *k = &model->keys[key];
	const char *column = model->comparisons[k->comparison].column;

	if (k->part == KEY_VALUE)
		return pstrdup(column);
	return psprintf("%s(%s)", key_part_names[k->part], column);
}

char *
rule_name(const MatchModel *model, const BlockRule *rule)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < rule->n; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "",
						 key_name(model, rule->keys[i]));
	return buf.data;
}

char *
list_names(const char *const *names, int n)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < n; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "", names[i]);
	return buf.data;
}
