/*
 * normal.c
 *		The normal form of a value, by the kind of its column.
 *
 * Small letters without accents, single spaces, abbreviations of streets
 * written out, digits alone for telephones.  What only says that nothing is
 * known becomes no value at all.
 */
#include "postgres.h"

#include <ctype.h>

#include "match/match.h"
#include "mb/pg_wchar.h"

/* Latin letters U+00C0 .. U+017F without their accents. */
static const char *const plain_letters[] = {
	"a", "a", "a",	"a",  "a", "a", "ae", "c",	"e", "e", "e",	"e", "i", "i",
	"i", "i", "d",	"n",  "o", "o", "o",  "o",	"o", " ", "o",	"u", "u", "u",
	"u", "y", "th", "ss", "a", "a", "a",  "a",	"a", "a", "ae", "c", "e", "e",
	"e", "e", "i",	"i",  "i", "i", "d",  "n",	"o", "o", "o",	"o", "o", " ",
	"o", "u", "u",	"u",  "u", "y", "th", "y",	"a", "a", "a",	"a", "a", "a",
	"c", "c", "c",	"c",  "c", "c", "c",  "c",	"d", "d", "d",	"d", "e", "e",
	"e", "e", "e",	"e",  "e", "e", "e",  "e",	"g", "g", "g",	"g", "g", "g",
	"g", "g", "h",	"h",  "h", "h", "i",  "i",	"i", "i", "i",	"i", "i", "i",
	"i", "i", "ij", "ij", "j", "j", "k",  "k",	"k", "l", "l",	"l", "l", "l",
	"l", "l", "l",	"l",  "l", "n", "n",  "n",	"n", "n", "n",	"n", "n", "n",
	"o", "o", "o",	"o",  "o", "o", "oe", "oe", "r", "r", "r",	"r", "r", "r",
	"s", "s", "s",	"s",  "s", "s", "s",  "s",	"t", "t", "t",	"t", "t", "t",
	"u", "u", "u",	"u",  "u", "u", "u",  "u",	"u", "u", "u",	"u", "w", "w",
	"y", "y", "y",	"z",  "z", "z", "z",  "z",	"z", "s"
};

StaticAssertDecl(lengthof(plain_letters) == 0x180 - 0xC0,
				 "a letter for each code point");

/* Abbreviations in addresses, each before what it stands for. */
static const char *const abbreviations[][2] = {
	{ "st", "street" },
	{ "str", "street" },
	{ "rd", "road" },
	{ "ave", "avenue" },
	{ "av", "avenue" },
	{ "dr", "drive" },
	{ "drv", "drive" },
	{ "ln", "lane" },
	{ "ct", "court" },
	{ "crt", "court" },
	{ "pl", "place" },
	{ "cres", "crescent" },
	{ "cr", "crescent" },
	{ "crs", "crescent" },
	{ "cct", "circuit" },
	{ "cir", "circle" },
	{ "blvd", "boulevard" },
	{ "bvd", "boulevard" },
	{ "boul", "boulevard" },
	{ "hwy", "highway" },
	{ "pde", "parade" },
	{ "tce", "terrace" },
	{ "ter", "terrace" },
	{ "terr", "terrace" },
	{ "cl", "close" },
	{ "gr", "grove" },
	{ "gv", "grove" },
	{ "sq", "square" },
	{ "pkwy", "parkway" },
	{ "pky", "parkway" },
	{ "gdns", "gardens" },
	{ "gdn", "garden" },
	{ "hts", "heights" },
	{ "mt", "mount" },
	{ "ft", "fort" },
	{ "n", "north" },
	{ "s", "south" },
	{ "e", "east" },
	{ "w", "west" },
	{ "apt", "apartment" },
	{ "bldg", "building" },
	{ "fl", "floor" },
	{ "ste", "suite" },
	{ "rm", "room" },
	{ "trl", "trail" },
	{ "vlg", "village" },
	{ "vlge", "village" },
	{ "retrmnt", "retirement" },
	{ "strasse", "street" },
	{ "no", "" },
	{ "nr", "" },
};

/* What stands for an unknown value. */
static const char *const unknowns[] = {
	"unknown", "unk",		 "null", "none",
	"nan",	   "not known",	 "n a",	 "not applicable",
	"missing", "not stated", "nil",	 "tbd"
};

static const char *const titles[] = { "mr",	  "mrs", "ms",	   "miss", "dr",
									  "prof", "sir", "mister", "jr",   "sr",
									  "esq",  "phd", "md" };

typedef enum CharClass
{
	CHAR_KEEP,
	CHAR_SPACE,
	CHAR_DROP
} CharClass;

static CharClass
class_of(MatchKind kind, unsigned char c)
{
	if (c >= 128)
		return CHAR_KEEP;
	if (kind == KIND_PHONE)
		return isdigit(c) ? CHAR_KEEP : CHAR_DROP;
	if (isalnum(c))
		return CHAR_KEEP;
	if (kind == KIND_EMAIL)
		return isspace(c) ? CHAR_DROP : CHAR_KEEP;
	if (kind == KIND_CODE)
		return CHAR_DROP;
	if (kind == KIND_NUMBER && (c == '.' || c == '-'))
		return CHAR_KEEP;
	return c == '\'' || c == '`' ? CHAR_DROP : CHAR_SPACE;
}

/* The one of ASCII that a character beyond it stands for; 0: none. */
static unsigned char
ascii_like(pg_wchar point)
{
	if (point == 0xA0 || point == 0xD7 || point == 0xF7 ||
		(point >= 0x2000 && point <= 0x200A) || point == 0x202F ||
		point == 0x205F || point == 0x3000)
		return ' ';
	if ((point >= 0x2010 && point <= 0x2015) || point == 0x2212)
		return '-';
	return point == 0x2018 || point == 0x2019 ? '\'' : 0;
}

/* Accents that stand by themselves, and marks that nobody sees */
static bool
is_mark(pg_wchar point)
{
	return (point >= 0x300 && point < 0x370) || point == 0xAD ||
		(point >= 0x200B && point <= 0x200F) || point == 0x2016 ||
		point == 0x2017 || point == 0x2060 || point == 0xFEFF;
}

/* Append small letters, which may be several bytes for one. */
static void
fold(StringInfo out, const char *in, int length, pg_wchar point)
{
	if (point < 128)
		appendStringInfoChar(out,
							 point >= 'A' && point <= 'Z' ? point + 32 : point);
	else if (GetDatabaseEncoding() != PG_UTF8)
		appendStringInfoChar(out, *in);
	else if (point >= 0xC0 && point < 0x180)
		appendStringInfoString(out, plain_letters[point - 0xC0]);
	else if (!is_mark(point))
		appendBinaryStringInfo(out, in, length);
}

static void
keep_classes(StringInfo out, MatchKind kind, const char *value)
{
	int length;

	for (; *value != '\0'; value += length)
	{
		pg_wchar point = (unsigned char) *value;
		CharClass class;

		length = 1;
		if (point >= 128 && GetDatabaseEncoding() == PG_UTF8)
		{
			length = pg_utf_mblen((const unsigned char *) value);
			point = utf8_to_unicode((const unsigned char *) value);
			if (ascii_like(point))
				point = ascii_like(point);
		}
		class = class_of(kind, Min(point, 128));
		if (class == CHAR_KEEP)
			fold(out, value, length, point);
		else if (class == CHAR_SPACE && out->len > 0 &&
				 out->data[out->len - 1] != ' ')
			appendStringInfoChar(out, ' ');
	}
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
}

static bool
is_one_of(const char *const *list, int n, const char *word)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(list[i], word) == 0)
			return true;
	}
	return false;
}

static const char *
written_out(MatchKind kind, const char *word)
{
	if (kind == KIND_FULL_NAME)
		return is_one_of(titles, lengthof(titles), word) ? "" : word;
	for (int i = 0; i < (int) lengthof(abbreviations); i++)
	{
		if (strcmp(abbreviations[i][0], word) == 0)
			return abbreviations[i][1];
	}
	return word;
}

/* Each word in its long form; the first stays, so that something does. */
static void
write_out_words(StringInfo out, MatchKind kind)
{
	char *words = pstrdup(out->data);
	char *state = NULL;

	resetStringInfo(out);
	for (char *word = strtok_r(words, " ", &state); word != NULL;
		 word = strtok_r(NULL, " ", &state))
	{
		const char *form = written_out(kind, word);

		if (*form != '\0')
			appendStringInfo(out, "%s%s", out->len > 0 ? " " : "", form);
	}
	pfree(words);
}

static void
strip_leading(StringInfo out, char c)
{
	int n = 0;

	while (n < out->len && out->data[n] == c)
		n++;
	memmove(out->data, out->data + n, out->len - n + 1);
	out->len -= n;
}

/* A telephone without its extension and the zeros it is dialled with. */
static void
phone_form(StringInfo out, const char *value)
{
	int cut = 0;

	while (value[cut] != '\0' && value[cut] != 'x' && value[cut] != 'X' &&
		   value[cut] != '#' && pg_strncasecmp(value + cut, "ext", 3) != 0)
		cut++;
	keep_classes(out, KIND_PHONE, pnstrdup(value, cut));
	strip_leading(out, '0');
	if (out->len < 5)
		resetStringInfo(out);
}

/*
 * The normal form, palloc'd and ended by a zero, its length in *length; NULL
 * where the value says nothing.
 */
char *
normal_form(MatchKind kind, bool month_first, const char *value, int *length)
{
	StringInfoData out;

	if (kind == KIND_DATE)
	{
		char *form = date_form(value, month_first);

		*length = form == NULL ? 0 : strlen(form);
		return form;
	}
	initStringInfo(&out);
	if (kind == KIND_PHONE)
		phone_form(&out, value);
	else
		keep_classes(&out, kind, value);
	if (kind == KIND_ADDRESS || kind == KIND_FULL_NAME)
		write_out_words(&out, kind);
	if (kind == KIND_NUMBER)
		strip_leading(&out, '0');
	if (out.len == 0 || is_one_of(unknowns, lengthof(unknowns), out.data) ||
		(kind == KIND_CODE && (int) strspn(out.data, "0") == out.len))
	{
		pfree(out.data);
		return NULL;
	}
	*length = out.len;
	return out.data;
}
