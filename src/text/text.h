/*
 * text.h
 *		Measures of how alike two strings are, and normalisers of identifiers, for the
 *		functions of SQL and for the parts that compare or key by strings.
 */
#ifndef PERSONALIZE_TEXT_H
#define PERSONALIZE_TEXT_H

#include "postgres.h"

/* A string taken apart into code points; ASCII is read in place, one byte a point */
typedef struct Points
{
	int n;
	bool ascii;
	const unsigned char *bytes; /* n bytes, when ascii */
	const uint32 *points;		/* n code points, when not */
} Points;

/* Take a string of the server's encoding apart; what it needs is palloc'd */
extern void points_init(Points *points, const char *bytes, int n_bytes);

static inline uint32
point_at(const Points *points, int i)
{
	return points->ascii ? points->bytes[i] : points->points[i];
}

/* Similarities between 0 and 1; winkler adds for up to four leading points alike */
extern double jaro_similarity(const Points *a, const Points *b);
extern double
jaro_winkler_similarity(const Points *a, const Points *b, double prefix_weight);

/*
 * The number of insertions, deletions, substitutions and transpositions, not
 * restricted to the optimal alignment; limit + 1 for anything above limit, which
 * may be INT_MAX.
 */
extern int
damerau_levenshtein_distance(const Points *a, const Points *b, int limit);

/*
 * The normal form of an identifier, palloc'd and ended by a zero, or NULL where
 * the text is none.
 */
extern char *email_normal_form(const char *email, bool provider_rules);
extern char *phone_normal_form(const char *phone, const char *region);

/* ---- how telephone numbers are dialled (phone_regions.c) ---- */

/* Digits before a number; more than one of them are separated by | */
typedef struct PhoneRegion
{
	char name[3]; /* ISO 3166 */
	const char *calling_code;
	const char *trunk;		   /* within the country */
	const char *international; /* out of it */
} PhoneRegion;

/* A calling code, and how many digits follow it, if that is the same for all. */
typedef struct PhonePlan
{
	const char *calling_code;
	int min_digits; /* 0: not known */
	int max_digits;
} PhonePlan;

extern const PhoneRegion *find_phone_region(const char *name);

/* Any region with the calling code that a number begins with, or NULL. */
extern const PhoneRegion *find_calling_code(const char *digits);
extern PhonePlan phone_plan(const char *calling_code);

#endif
