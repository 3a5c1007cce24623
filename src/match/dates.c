/*
 * dates.c
 *		Dates as people write them, brought to YYYYMMDD.
 *
 * What is compared must keep its mistakes: the 31st of February stays one, as
 * the other record may tell which digit is wrong.
 */
#include "postgres.h"

#include <ctype.h>

#include "match/match.h"

/* A year of two digits up to this is one of this century. */
#define LAST_SHORT_YEAR 30

typedef struct DateParts
{
	int n; /* numbers found */
	int number[3];
	int digits[3];	/* how many each was written with */
	int month_name; /* 1 .. 12, 0 if there is none */
	int at;			/* numbers that stood before it */
} DateParts;

static int
month_of(const char *letters)
{
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	for (int m = 0; m < 12; m++)
	{
		if (pg_strncasecmp(letters, months + 3 * m, 3) == 0)
			return m + 1;
	}
	return 0;
}

static void
take_apart(const char *value, DateParts *parts)
{
	memset(parts, 0, sizeof(DateParts));
	while (*value != '\0' && parts->n < 3)
	{
		if (isdigit((unsigned char) *value))
		{
			int digits = 0;
			int number = 0;

			for (; isdigit((unsigned char) *value); value++, digits++)
				number = digits < 9 ? number * 10 + (*value - '0') : number;
			parts->number[parts->n] = number;
			parts->digits[parts->n++] = digits;
		}
		else if (isalpha((unsigned char) *value))
		{
			if (parts->month_name == 0 && month_of(value) > 0)
			{
				parts->month_name = month_of(value);
				parts->at = parts->n;
			}
			while (isalpha((unsigned char) *value))
				value++;
		}
		else
			value++;
	}
}

static int
full_year(int year, int digits)
{
	if (digits > 2)
		return year;
	return year + (year <= LAST_SHORT_YEAR ? 2000 : 1900);
}

static bool
is_year(int number)
{
	return number >= 1500 && number <= 2200;
}

static char *
put_together(int year, int month, int day)
{
	return psprintf("%04d%02d%02d", year % 10000, month % 100, day % 100);
}

/* One number: 19081209, 09121908, 1908. */
static char *
from_one(const DateParts *parts, bool month_first)
{
	int number = parts->number[0];
	int first = number / 1000000;
	int second = number / 10000 % 100;

	if (number == 0)
		return NULL;
	if (parts->digits[0] != 8)
		return psprintf("%0*d", Min(parts->digits[0], 9), number);
	if (is_year(number / 10000) || !is_year(number % 10000))
		return psprintf("%08d", number);
	if ((month_first && first <= 12) || second > 12)
		return put_together(number % 10000, first, second);
	return put_together(number % 10000, second, first);
}

static char *
from_three(const DateParts *parts, bool month_first)
{
	int first = parts->number[0];
	int second = parts->number[1];
	int third = parts->number[2];

	if (parts->digits[0] > 2)
		return put_together(first, second, third);
	third = full_year(third, parts->digits[2]);
	if ((month_first && first <= 12) || second > 12)
		return put_together(third, first, second);
	return put_together(third, second, first);
}

/* 9 December 1908, Dec 9, 1908, 1908-Dec-09, December 1908 */
static char *
from_named_month(const DateParts *parts)
{
	int day = parts->number[0];
	int year = parts->number[1];
	int year_digits = parts->digits[1];

	if (parts->n == 1)
		return psprintf("%04d%02d",
						full_year(parts->number[0], parts->digits[0]) % 10000,
						parts->month_name);
	if (parts->digits[0] > 2)
	{
		day = parts->number[1];
		year = parts->number[0];
		year_digits = parts->digits[0];
	}
	return put_together(full_year(year, year_digits), parts->month_name, day);
}

/*
 * The normal form, palloc'd, or NULL where there is no number in it.
 * month_first decides what the order alone does not.
 */
char *
date_form(const char *value, bool month_first)
{
	DateParts parts;

	take_apart(value, &parts);
	if (parts.n == 0)
		return NULL;
	if (parts.month_name > 0 && parts.at <= 1)
		return from_named_month(&parts);
	if (parts.n == 1)
		return from_one(&parts, month_first);
	if (parts.n == 2)
		return psprintf("%04d%02d",
						(parts.digits[0] > 2 ? parts.number[0] :
											   parts.number[1]) %
							10000,
						(parts.digits[0] > 2 ? parts.number[1] :
											   parts.number[0]) %
							100);
	return from_three(&parts, month_first);
}

/* 10000 y + 100 m + d of a normal form, 0 of anything else. */
int
date_number(const char *form, int length)
{
	int number = 0;

	if (length != 8 && length != 6 && length != 4)
		return 0;
	for (int i = 0; i < length; i++)
	{
		if (!isdigit((unsigned char) form[i]))
			return 0;
		number = number * 10 + (form[i] - '0');
	}
	return length == 8 ? number : length == 6 ? number * 100 : number * 10000;
}
