/*
 * email.c
 *		The normal form of an e-mail address.
 *
 * The grammar is RFC 5321's without what no customer's address has: quoted local
 * parts, comments, addresses of machines by number, domains of one label.  Bytes
 * beyond ASCII (RFC 6531) are taken as they are, as lower case would then depend
 * on a locale.
 */
#include "postgres.h"

#include "text/text.h"

/* RFC 5321, 4.5.3.1, and with the angle brackets around a path taken off */
#define MAX_LOCAL 64
#define MAX_LABEL 63
#define MAX_ADDRESS 254

/* Domains at which mail for name+tag reaches name. */
typedef struct Provider
{
	const char *domain;
	const char *main_domain; /* where the same names are the same mailboxes */
	bool ignores_dots;
} Provider;

static const Provider providers[] = {
	{ "gmail.com", NULL, true },		{ "googlemail.com", "gmail.com", true },
	{ "outlook.com", NULL, false },		{ "hotmail.com", NULL, false },
	{ "live.com", NULL, false },		{ "msn.com", NULL, false },
	{ "icloud.com", NULL, false },		{ "me.com", "icloud.com", false },
	{ "mac.com", "icloud.com", false }, { "fastmail.com", NULL, false },
	{ "fastmail.fm", NULL, false },		{ "proton.me", NULL, false },
	{ "protonmail.com", NULL, false },	{ "protonmail.ch", NULL, false },
	{ "pm.me", NULL, false },
};

/* Part of a string */
typedef struct Span
{
	const char *start;
	const char *end;
} Span;

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_letter_or_digit(char c)
{
	return IS_HIGHBIT_SET(c) || (c >= 'a' && c <= 'z') ||
		(c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void
trim(Span *span)
{
	while (span->start < span->end && is_space(*span->start))
		span->start++;
	while (span->start < span->end && is_space(span->end[-1]))
		span->end--;
}

static bool
holds(Span span, const char *any_of)
{
	for (const char *c = span.start; c < span.end; c++)
	{
		if (strchr(any_of, *c))
			return true;
	}
	return false;
}

/* Ann <ann@example.com>, but not a list of such: false. */
static bool
strip_name(Span *span)
{
	Span name = *span;
	Span address = { span->end - 1, span->end - 1 };

	if (span->start == span->end || span->end[-1] != '>')
		return true;
	while (address.start > span->start && address.start[-1] != '<')
		address.start--;
	if (address.start == span->start)
		return false;
	name.end = address.start - 1;
	if (holds(name, "<>") || (holds(name, "@") && holds(name, ",;")))
		return false;
	*span = address;
	trim(span);
	return true;
}

/* mailto:ann@example.com?subject=... (RFC 6068) */
static void
strip_scheme(Span *span)
{
	static const char scheme[] = "mailto:";
	int length = sizeof(scheme) - 1;

	if (span->end - span->start < length ||
		pg_strncasecmp(span->start, scheme, length) != 0)
		return;
	span->start += length;
	for (const char *c = span->start; c < span->end; c++)
	{
		if (*c == '?')
			span->end = c;
	}
	trim(span);
}

static bool
is_local_part(Span local)
{
	char before = '.';

	if (local.end - local.start > MAX_LOCAL)
		return false;
	for (const char *c = local.start; c < local.end; c++)
	{
		if (*c == '.' ? before == '.' :
						!is_letter_or_digit(*c) &&
					strchr("!#$%&'*+-/=?^_`{|}~", *c) == NULL)
			return false;
		before = *c;
	}
	return before != '.';
}

static bool
is_label(Span label, bool *numeric)
{
	if (label.start == label.end || label.end - label.start > MAX_LABEL ||
		*label.start == '-' || label.end[-1] == '-')
		return false;
	*numeric = true;
	for (const char *c = label.start; c < label.end; c++)
	{
		if (!is_letter_or_digit(*c) && *c != '-')
			return false;
		if (*c < '0' || *c > '9')
			*numeric = false;
	}
	return true;
}

/* Two labels at least, and no number at the end, as that is a machine's. */
static bool
is_domain(Span domain)
{
	Span label = { domain.start, domain.start };
	int labels = 0;
	bool numeric;

	for (;; label.start = ++label.end)
	{
		while (label.end < domain.end && *label.end != '.')
			label.end++;
		if (!is_label(label, &numeric))
			return false;
		labels++;
		if (label.end == domain.end)
			return labels > 1 && !numeric;
	}
}

static char *
copy_lower(char *to, Span from)
{
	for (const char *c = from.start; c < from.end; c++)
		*to++ = *c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c;
	*to = '\0';
	return to;
}

static const Provider *
find_provider(const char *domain)
{
	for (int i = 0; i < (int) lengthof(providers); i++)
	{
		if (strcmp(providers[i].domain, domain) == 0)
			return &providers[i];
	}
	return NULL;
}

/* Where the part ends once tags, and dots if they do not count, are gone. */
static char *
strip_tag(char *local, bool ignores_dots)
{
	char *to = local;

	for (char *c = local; *c != '\0' && (*c != '+' || to == local); c++)
	{
		if (*c != '.' || !ignores_dots)
			*to++ = *c;
	}
	*to = '\0';
	return to;
}

static char *
put_together(Span local, Span domain, bool provider_rules)
{
	char *result =
		palloc(local.end - local.start + domain.end - domain.start + 2);
	char lower_domain[MAX_ADDRESS + 1];
	const char *main_domain = lower_domain;
	const Provider *provider;
	char *end;

	end = copy_lower(result, local);
	copy_lower(lower_domain, domain);
	provider = provider_rules ? find_provider(lower_domain) : NULL;
	if (provider)
	{
		end = strip_tag(result, provider->ignores_dots);
		if (provider->main_domain)
		{
			main_domain = provider->main_domain;
			result = repalloc(result, end - result + strlen(main_domain) + 2);
			end = result + strlen(result);
		}
	}
	*end++ = '@';
	strcpy(end, main_domain);
	return result;
}

char *
email_normal_form(const char *email, bool provider_rules)
{
	Span span = { email, email + strlen(email) };
	Span local;
	Span domain;

	trim(&span);
	if (!strip_name(&span))
		return NULL;
	strip_scheme(&span);
	domain.start = memchr(span.start, '@', span.end - span.start);
	if (domain.start == NULL)
		return NULL;
	local.start = span.start;
	local.end = domain.start++;
	domain.end = span.end;
	if (domain.end > domain.start && domain.end[-1] == '.')
		domain.end--;
	if (domain.end - local.start > MAX_ADDRESS || !is_local_part(local) ||
		!is_domain(domain))
		return NULL;
	return put_together(local, domain, provider_rules);
}
