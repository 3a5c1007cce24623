/*
 * phone.c
 *		The normal form of a telephone number: E.164, a plus sign and digits.
 *
 * Whether a number is in use, or could be by its country's plan, is not asked:
 * that changes by the month.  What is known of a country is how it is dialled.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "text/text.h"

#define MIN_DIGITS 7
#define MAX_DIGITS 15 /* E.164 */

/* With prefixes and a trunk zero in the middle */
#define MAX_DIALLED 32

typedef struct Dialled
{
	char digits[MAX_DIALLED + 1];
	int n;
	bool plus;
} Dialled;

/* Other than in ASCII, points are those of Unicode in UTF-8 only. */
static bool
is_unicode(uint32 point)
{
	return point > 127 && GetDatabaseEncoding() == PG_UTF8;
}

/* The value of a digit: ASCII, Arabic, Persian, full width; or -1. */
static int
digit_value(uint32 point)
{
	static const uint32 zeros[] = { 0x660, 0x6F0, 0xFF10 };

	if (point >= '0' && point <= '9')
		return (int) (point - '0');
	for (int i = 0; i < (int) lengthof(zeros) && is_unicode(point); i++)
	{
		if (point >= zeros[i] && point <= zeros[i] + 9)
			return (int) (point - zeros[i]);
	}
	return -1;
}

/* What people and programs put between digits, invisible marks among it. */
static bool
is_separator(uint32 point)
{
	if (point <= 127)
		return point != 0 && strchr(" \t\n\v\f\r-./()", (int) point) != NULL;
	return is_unicode(point) &&
		(point == 0xA0 || point == 0xAD ||
		 (point >= 0x2000 && point <= 0x2015) ||
		 (point >= 0x2028 && point <= 0x202F) || point == 0x2060 ||
		 point == 0x2212 || point == 0x3000 || point == 0xFEFF ||
		 point == 0xFF08 || point == 0xFF09 || point == 0xFF0D);
}

static bool
is_plus(uint32 point)
{
	return point == '+' || (point == 0xFF0B && is_unicode(point));
}

/* Step over a word, whatever its case. */
static bool
skip_word(const Points *points, int *at, const char *word)
{
	int length = strlen(word);

	if (points->n - *at < length)
		return false;
	for (int i = 0; i < length; i++)
	{
		uint32 point = point_at(points, *at + i);

		if (point > 127 || pg_ascii_tolower((unsigned char) point) != word[i])
			return false;
	}
	*at += length;
	return true;
}

/* Does all from there on name an extension: x 12, ext. 12, #12, ;ext=12? */
static bool
is_extension(const Points *points, int at)
{
	static const char *const words[] = { ";ext=", "extension", "extn",
										 "ext",	  "x",		   "#" };
	bool marked = false;
	int digits = 0;

	for (int i = 0; i < (int) lengthof(words) && !marked; i++)
		marked = skip_word(points, &at, words[i]);
	for (; marked && at < points->n; at++)
	{
		uint32 point = point_at(points, at);

		if (digit_value(point) >= 0)
			digits++;
		else if (!is_separator(point) && (digits > 0 || point != ':'))
			return false;
	}
	return marked && digits > 0;
}

static bool
read_dialled(const Points *points, Dialled *dialled)
{
	int i = 0;

	memset(dialled, 0, sizeof(*dialled));
	while (i < points->n && is_separator(point_at(points, i)))
		i++;
	skip_word(points, &i, "tel:");
	for (; i < points->n; i++)
	{
		uint32 point = point_at(points, i);
		int digit = digit_value(point);

		if (digit >= 0)
		{
			if (dialled->n == MAX_DIALLED)
				return false;
			dialled->digits[dialled->n++] = '0' + digit;
		}
		else if (is_plus(point) && dialled->n == 0 && !dialled->plus)
			dialled->plus = true;
		else if (!is_separator(point))
			return dialled->n > 0 && is_extension(points, i);
	}
	return dialled->n > 0;
}

/* Step over the first of some prefixes that leaves as many digits as wanted. */
static bool
skip_prefix(const char **digits, const char *prefixes, const PhonePlan *plan)
{
	const char *prefix = prefixes;

	while (*prefix != '\0')
	{
		int length = strcspn(prefix, "|");
		int left = (int) strlen(*digits) - length;

		if (strncmp(*digits, prefix, length) == 0 &&
			(plan == NULL ||
			 (left >= plan->min_digits && left <= plan->max_digits)))
		{
			*digits += length;
			return true;
		}
		prefix += length;
		if (*prefix == '|')
			prefix++;
	}
	return false;
}

static bool
has_planned_length(const char *digits, const PhonePlan *plan)
{
	int n = strlen(digits);

	return n >= plan->min_digits && n <= plan->max_digits;
}

/*
 * The number within its country, or NULL.  No number begins with the zero that
 * the trunk prefix has, nor in North America with its one.
 */
static const char *
national_number(const char *digits, const PhoneRegion *region, bool code_left)
{
	PhonePlan plan = phone_plan(region->calling_code);

	if (plan.max_digits == 0)
		skip_prefix(&digits, region->trunk, NULL);
	else if (digits[0] == '0' || !has_planned_length(digits, &plan))
	{
		if (!skip_prefix(&digits, region->trunk, &plan) && code_left)
			skip_prefix(&digits, region->calling_code, &plan);
		if (!has_planned_length(digits, &plan))
			return NULL;
	}
	if (region->trunk[0] != '\0' && digits[0] == '0')
		return NULL;
	if (strcmp(region->trunk, "1") == 0 && digits[0] == '1')
		return NULL;
	return digits;
}

static const PhoneRegion *
known_region(const char *name)
{
	const PhoneRegion *region = find_phone_region(name);

	if (region == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("region \"%s\" is not known", name),
				 errhint(
					 "Use the two letters of ISO 3166, such as 'DE', 'GB' or 'US'.")));
	return region;
}

static char *
form_in_region(const char *digits, const PhoneRegion *region, bool code_left)
{
	int n;

	digits = national_number(digits, region, code_left);
	if (digits == NULL)
		return NULL;
	n = strlen(region->calling_code) + strlen(digits);
	if (n < MIN_DIGITS || n > MAX_DIGITS)
		return NULL;
	return psprintf("+%s%s", region->calling_code, digits);
}

static char *
international_form(const char *digits)
{
	const PhoneRegion *region = find_calling_code(digits);

	if (region == NULL)
		return NULL;
	return form_in_region(digits + strlen(region->calling_code), region, false);
}

/*
 * What is not dialled in a region may still be written there: 00 is tried even
 * where it is no prefix, or the beginning of another.
 */
static char *
normal_form(const Dialled *dialled, const PhoneRegion *region)
{
	const char *own = dialled->digits;
	const char *usual = dialled->digits;
	bool has_own = region && skip_prefix(&own, region->international, NULL);
	bool has_usual = skip_prefix(&usual, "00", NULL);
	char *result = NULL;

	if (dialled->plus)
		return international_form(usual);
	if (has_own)
		result = international_form(own);
	if (result == NULL && has_usual)
		result = international_form(usual);
	if (has_own || has_usual)
		return result;
	return region ? form_in_region(dialled->digits, region, true) : NULL;
}

char *
phone_normal_form(const char *phone, const char *region)
{
	const PhoneRegion *default_region = region ? known_region(region) : NULL;
	Points points;
	Dialled dialled;
	bool read;

	points_init(&points, phone, strlen(phone));
	read = read_dialled(&points, &dialled);
	if (!points.ascii)
		pfree(unconstify(uint32 *, points.points));
	return read ? normal_form(&dialled, default_region) : NULL;
}
