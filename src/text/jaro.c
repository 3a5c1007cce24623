/*
 * jaro.c
 *		Similarities of Jaro and of Winkler.
 *
 * Each point of a takes the first point of b that is equal, not yet taken, and
 * within the window around its own position.  Up to 64 points, what is taken
 * is a bit in a word.  Beyond, the positions of each point of b are a list: as
 * the window only moves ahead, what it has passed or taken is dropped from the
 * front, and the time is linear.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "text/text.h"

#define SHORT_POINTS 64
#define PREFIX_POINTS 4

/* As in the program of the Census Bureau: unlike strings are given nothing. */
#define BOOST_THRESHOLD 0.7

/* The positions of one point, from the first that may still be taken. */
typedef struct Places
{
	uint32 point;
	int first; /* -1: none left */
	bool used;
} Places;

typedef struct PlaceTable
{
	Places *slots;
	uint32 mask;
	int *next; /* by position, the next of the same point, or -1 */
} PlaceTable;

static int
match_window(const Points *a, const Points *b)
{
	return Max(Max(a->n, b->n) / 2 - 1, 0);
}

/* Out of order are always at least two; an odd one is not counted. */
static double
similarity(const Points *a, const Points *b, double matches, int misplaced)
{
	if (matches == 0)
		return 0;
	return (matches / a->n + matches / b->n +
			(matches - misplaced / 2) / matches) /
		3;
}

/* ---- up to 64 points ---- */

/* The bits of the positions that are within the window around i. */
static inline uint64
window_bits(int i, int window)
{
	uint64 bits = PG_UINT64_MAX;

	if (i > window)
		bits <<= i - window;
	if (i + window < SHORT_POINTS - 1)
		bits &= (UINT64CONST(1) << (i + window + 1)) - 1;
	return bits;
}

/*
 * Positions in b by the last bits of their points: of ASCII nothing else shares
 * them, of other points some do.  All zero between calls, as to clear it each
 * time would cost more.
 */
static uint64 places[128];

#define PLACE(point) places[(point) & (lengthof(places) - 1)]

/* The first place of b, as a bit, that is among the candidates; 0: none. */
static inline uint64
first_place(const Points *b, uint32 point, uint64 candidates)
{
	while (candidates != 0 &&
		   point_at(b, pg_rightmost_one_pos64(candidates)) != point)
		candidates &= candidates - 1;
	return candidates & (~candidates + 1);
}

static void
short_matches(const Points *a, const Points *b, uint64 *taken_a,
			  uint64 *taken_b)
{
	int window = match_window(a, b);

	for (int j = 0; j < b->n; j++)
		PLACE(point_at(b, j)) |= UINT64CONST(1) << j;
	for (int i = 0; i < a->n; i++)
	{
		uint32 point = point_at(a, i);
		uint64 place =
			first_place(b, point,
						PLACE(point) & window_bits(i, window) & ~*taken_b);

		*taken_b |= place;
		*taken_a |= (uint64) (place != 0) << i;
	}
	for (int j = 0; j < b->n; j++)
		PLACE(point_at(b, j)) = 0;
}

static double
short_jaro(const Points *a, const Points *b)
{
	uint64 taken_a = 0;
	uint64 taken_b = 0;
	int matches = 0;
	int misplaced = 0;

	short_matches(a, b, &taken_a, &taken_b);
	while (taken_a != 0)
	{
		misplaced += point_at(a, pg_rightmost_one_pos64(taken_a)) !=
			point_at(b, pg_rightmost_one_pos64(taken_b));
		matches++;
		taken_a &= taken_a - 1;
		taken_b &= taken_b - 1;
	}
	return similarity(a, b, matches, misplaced);
}

/* ---- more ---- */

static Places *
find_places(const PlaceTable *table, uint32 point)
{
	uint32 slot = murmurhash32(point) & table->mask;

	while (table->slots[slot].used && table->slots[slot].point != point)
		slot = (slot + 1) & table->mask;
	return &table->slots[slot];
}

static void
place_points(PlaceTable *table, const Points *b)
{
	uint32 distinct = b->ascii ? 128 : (uint32) b->n;
	uint64 size = pg_nextpower2_64((uint64) distinct * 2);

	table->mask = (uint32) (size - 1);
	table->slots = palloc_extended(size * sizeof(Places),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	table->next = palloc_extended((Size) b->n * sizeof(int), MCXT_ALLOC_HUGE);
	for (int j = b->n - 1; j >= 0; j--)
	{
		Places *places = find_places(table, point_at(b, j));

		CHECK_FOR_INTERRUPTS();
		table->next[j] = places->used ? places->first : -1;
		places->point = point_at(b, j);
		places->first = j;
		places->used = true;
	}
}

/* The position in b that point i of a takes, or -1. */
static int
take_place(const PlaceTable *table, uint32 point, int i, int window)
{
	Places *places = find_places(table, point);
	int j = places->used ? places->first : -1;

	while (j >= 0 && j < i - window)
		j = table->next[j];
	if (places->used)
		places->first = j;
	if (j < 0 || j - window > i)
		return -1;
	places->first = table->next[j];
	return j;
}

static double
long_jaro(const Points *a, const Points *b)
{
	int window = match_window(a, b);
	bool *taken = palloc_extended(b->n, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int *matched =
		palloc_extended((Size) Min(a->n, b->n) * sizeof(int), MCXT_ALLOC_HUGE);
	int matches = 0;
	int misplaced = 0;
	int next = 0;
	PlaceTable table;

	place_points(&table, b);
	for (int i = 0; i < a->n; i++)
	{
		int j = take_place(&table, point_at(a, i), i, window);

		CHECK_FOR_INTERRUPTS();
		if (j < 0)
			continue;
		taken[j] = true;
		matched[matches++] = i;
	}
	for (int j = 0; j < b->n; j++)
	{
		if (taken[j])
			misplaced += point_at(a, matched[next++]) != point_at(b, j);
	}
	pfree(table.slots);
	pfree(table.next);
	pfree(taken);
	pfree(matched);
	return similarity(a, b, matches, misplaced);
}

/* ---- both ---- */

double
jaro_similarity(const Points *a, const Points *b)
{
	if (a->n == 0 || b->n == 0)
		return a->n == b->n ? 1 : 0;
	if (a->n <= SHORT_POINTS && b->n <= SHORT_POINTS)
		return short_jaro(a, b);
	return long_jaro(a, b);
}

double
jaro_winkler_similarity(const Points *a, const Points *b, double prefix_weight)
{
	double jaro = jaro_similarity(a, b);
	int limit = Min(Min(a->n, b->n), PREFIX_POINTS);
	int prefix = 0;

	if (jaro <= BOOST_THRESHOLD)
		return jaro;
	while (prefix < limit && point_at(a, prefix) == point_at(b, prefix))
		prefix++;
	return jaro + prefix * prefix_weight * (1 - jaro);
}
