/*
 * levels.c
 *		The levels of a comparison: those of a kind, and their notation.
 */
#include "postgres.h"

#include "match/match.h"
#include "utils/builtins.h"

/* What a model has if it does not say; SWAPPED goes second where it can be. */
static const char *const kind_levels[N_KINDS] = {
	[KIND_NAME] = "edits 1;jaro_winkler 0.92;nickname;prefix 3;"
				  "jaro_winkler 0.84;prefix 1;jaro_winkler 0.75",
	[KIND_FULL_NAME] = "words 1;edits 1;words 0.9;jaro_winkler 0.95;words 0.75;"
					   "jaro_winkler 0.88;words 0.5",
	[KIND_TEXT] = "edits 1;words 0.9;jaro_winkler 0.92;words 0.65;"
				  "jaro_winkler 0.84;words 0.4",
	[KIND_ADDRESS] = "edits 1;words 0.9;edits 3;words 0.65;"
					 "jaro_winkler 0.88;words 0.4",
	[KIND_CODE] = "edits 1;edits 2;prefix 2",
	[KIND_NUMBER] = "edits 1;prefix 1",
	[KIND_DATE] = "day_month;edits 1;date_parts 2;edits 2;years 0;"
				  "date_parts 1;years 2",
	[KIND_CATEGORY] = "prefix 1",
	[KIND_EMAIL] = "edits 1;local_part;edits 2;jaro_winkler 0.92;"
				   "jaro_winkler 0.84",
	[KIND_PHONE] = "suffix 7;edits 1;edits 2",
};

static void
bad_level(const char *text)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" is not a level of a comparison", text),
			 errhint(
				 "A level is equal, swapped, nickname, day_month, local_part or else, or one of these with a number: edits, jaro_winkler, words, prefix, suffix, date_parts, years, within; as in \"edits 1\".")));
}

static bool
threshold_fits(MatchTest test, double threshold)
{
	switch (test)
	{
		case TEST_JARO_WINKLER:
		case TEST_WORDS:
			return threshold > 0 && threshold <= 1;
		case TEST_DATE_PARTS:
			return threshold == 1 || threshold == 2;
		case TEST_WITHIN:
			return threshold >= 0 && threshold <= 1e15;
		default:
			return threshold >= 0 && threshold <= 1000 &&
				threshold == (int) threshold;
	}
}

/* "edits 1", "equal" */
void
level_read(MatchLevel *level, const char *text)
{
	const char *space = strchr(text, ' ');
	int length = space == NULL ? (int) strlen(text) : space - text;
	char *end;

	for (int t = 0; t < N_TESTS; t++)
	{
		if ((int) strlen(test_name(t)) != length ||
			strncmp(test_name(t), text, length) != 0)
			continue;
		if (test_has_threshold(t) != (space != NULL))
			bad_level(text);
		level->test = t;
		level->threshold = 0;
		if (space != NULL)
		{
			level->threshold = strtod(space + 1, &end);
			if (end == space + 1 || *end != '\0' ||
				!threshold_fits(t, level->threshold))
				bad_level(text);
		}
		return;
	}
	bad_level(text);
}

static void
add_level(MatchComparison *comparison, const char *text)
{
	level_read(&comparison->levels[++comparison->n_levels], text);
}

void
default_levels(MatchComparison *comparison)
{
	char *levels = pstrdup(kind_levels[comparison->kind]);
	char *state = NULL;

	comparison->n_levels = 0;
	add_level(comparison, "equal");
	if (comparison->with != NULL)
		add_level(comparison, "swapped");
	for (char *text = strtok_r(levels, ";", &state); text != NULL;
		 text = strtok_r(NULL, ";", &state))
		add_level(comparison, text);
	add_level(comparison, "else");
}
