/*
 * keys.c
 *		What blocking takes of a value.
 */
#include "postgres.h"

#include <ctype.h>

#include "match/match.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#define PREFIX_LETTERS 4

/* The code of Russell and Odell: a letter and three digits. */
static int
soundex(const char *bytes, int length, char *out)
{
	static const char codes[] = "01230120022455012623010202";
	int n = 0;
	char last = 0;

	for (int i = 0; i < length && n < 4; i++)
	{
		unsigned char c = bytes[i];
		char code;

		if (c < 'a' || c > 'z')
			continue;
		code = codes[c - 'a'];
		if (n == 0)
			out[n++] = c;
		else if (code != '0' && code != last)
			out[n++] = code;
		/* h and w do not part equal codes, vowels do */
		if (c != 'h' && c != 'w')
			last = code;
	}
	return n;
}

static int
compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The words in order, or their codes: how a name sounds, either way round. */
static int32
sorted_words(ValueSet *values, const char *bytes, bool codes)
{
	char *copy = pstrdup(bytes);
	char *words[16];
	int n = 0;
	char *state = NULL;
	StringInfoData out;

	for (char *word = strtok_r(copy, " ", &state); word != NULL && n < 16;
		 word = strtok_r(NULL, " ", &state))
	{
		char code[5] = "";

		if (codes && soundex(word, strlen(word), code) > 0)
			word = pstrdup(code);
		words[n++] = word;
	}
	qsort(words, n, sizeof(char *), compare_words);
	initStringInfo(&out);
	for (int i = 0; i < n; i++)
		appendStringInfo(&out, "%s%s", i > 0 ? " " : "", words[i]);
	return value_of(values, out.data, out.len);
}

static int
prefix_length(const Value *value, int letters)
{
	int n = 0;

	for (; letters > 0 && n < value->length; letters--)
		n += pg_mblen(value->bytes + n);
	return Min(n, value->length);
}

static int32
date_key(ValueSet *values, const Value *value, KeyPart part)
{
	char buf[16];

	if (value->number == 0)
		return NO_VALUE;
	if (part == KEY_MONTH_DAY && value->number % 10000 == 0)
		return NO_VALUE;
	snprintf(buf, sizeof(buf), "%d",
			 part == KEY_YEAR ? value->number / 10000 : value->number % 10000);
	return value_of(values, buf, strlen(buf));
}

/* The key of a value as the number of a value, which may be a new one. */
int32
key_value(MatchRecords *records, const BlockKey *key, int32 number)
{
	ValueSet *values = &records->values;
	Value value;
	const char *found;

	if (number == NO_VALUE || key->part == KEY_VALUE)
		return number;
	/* the set may move when it grows */
	value = values->values[number];
	switch (key->part)
	{
		case KEY_PREFIX:
			return value_of(values, value.bytes,
							prefix_length(&value, PREFIX_LETTERS));
		case KEY_SOUNDEX:
			return sorted_words(values, value.bytes, true);
		case KEY_FIRST_WORD:
			found = strchr(value.bytes, ' ');
			return found == NULL ?
				number :
				value_of(values, value.bytes, found - value.bytes);
		case KEY_LAST_WORD:
			found = strrchr(value.bytes, ' ');
			return found == NULL ?
				number :
				value_of(values, found + 1, strlen(found + 1));
		case KEY_SORTED:
			return sorted_words(values, value.bytes, false);
		case KEY_YEAR:
		case KEY_MONTH_DAY:
			return date_key(values, &value, key->part);
		case KEY_LOCAL_PART:
			found = strchr(value.bytes, '@');
			return found == NULL ?
				number :
				value_of(values, value.bytes, found - value.bytes);
		case KEY_VALUE:
		case N_KEY_PARTS:
			break;
	}
	return number;
}

/* Keys by value, so that each is made once; -2: not made yet. */
static int32 *
keys_of_values(MatchRecords *records, int n_values)
{
	int32 *made = records_alloc(records, (Size) n_values * sizeof(int32));

	for (int i = 0; i < n_values; i++)
		made[i] = -2;
	return made;
}

static void
make_key(MatchRecords *records, int k, int n_values)
{
	const MatchModel *model = records->model;
	const BlockKey *key = &model->keys[k];
	int32 *made = keys_of_values(records, n_values);

	for (int i = 0; i < records->n; i++)
	{
		int32 value = records->fields[(Size) i * model->n + key->comparison];
		int32 *slot = &records->keys[(Size) i * model->n_keys + k];

		if (value == NO_VALUE)
		{
			/* unlike any other, so that equality alone decides */
			*slot = -2 - i;
			continue;
		}
		if (made[value] == -2)
			made[value] = key_value(records, key, value);
		*slot = made[value] == NO_VALUE ? -2 - i : made[value];
	}
	pfree(made);
	CHECK_FOR_INTERRUPTS();
}

/* The model must not get more keys from here on. */
void
records_make_keys(MatchRecords *records)
{
	int n_values = records->values.n;
	MemoryContext scratch =
		AllocSetContextCreate(CurrentMemoryContext, "match keys",
							  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;

	records->keys = records_alloc(records,
								  (Size) records->n * records->model->n_keys *
									  sizeof(int32));
	records->capped =
		records_alloc(records, (Size) records->n * sizeof(uint64));
	old = MemoryContextSwitchTo(scratch);
	for (int k = 0; k < records->model->n_keys; k++)
	{
		make_key(records, k, n_values);
		records_check_memory(records);
		MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
}
