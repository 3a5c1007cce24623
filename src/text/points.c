/*
 * points.c
 *		Strings as code points.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "text/text.h"

#define HIGH_BITS UINT64CONST(0x8080808080808080)

static bool
is_ascii(const char *bytes, int n)
{
	uint64 bits = 0;
	uint64 word;

	for (; n >= (int) sizeof(word); n -= sizeof(word))
	{
		memcpy(&word, bytes, sizeof(word));
		bits |= word;
		bytes += sizeof(word);
	}
	for (; n > 0; n--)
		bits |= (unsigned char) *bytes++;
	return (bits & HIGH_BITS) == 0;
}

/* No character of a server's encoding has fewer bytes than points. */
void
points_init(Points *points, const char *bytes, int n_bytes)
{
	pg_wchar *wide;

	points->bytes = (const unsigned char *) bytes;
	points->points = NULL;
	points->n = n_bytes;
	points->ascii = is_ascii(bytes, n_bytes);
	if (points->ascii)
		return;

	wide = palloc_extended(((Size) n_bytes + 1) * sizeof(pg_wchar),
						   MCXT_ALLOC_HUGE);
	points->n = pg_mb2wchar_with_len(bytes, wide, n_bytes);
	points->points = wide;
}
