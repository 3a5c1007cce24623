/*
 * period_set.c
 *		Sets of periods, made for many small ones.
 *
 * A customer has few purchases, mostly in the order of time: so the set is an
 * array, and a period that belongs near its end is put there at once.  In a
 * large array other ones wait at the end unsorted.  When the array is full
 * they are sorted and merged; it has to grow if more than three quarters
 * remain.  So each merge pays for as many new entries as a quarter of it, and
 * n periods in any order cost O(n log n).
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "segment/segment.h"

/* So many entries may move to make place for one. */
#define MAX_MOVED 64

#define ST_SORT sort_periods
#define ST_ELEMENT_TYPE int64
#define ST_COMPARE(a, b) ((*(a) > *(b)) - (*(a) < *(b)))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static inline int64
entry(const void *entries, int width, uint32 i)
{
	if (width == 1)
		return ((const int16 *) entries)[i];
	if (width == 2)
		return ((const int32 *) entries)[i];
	return ((const int64 *) entries)[i];
}

static inline void
set_entry(void *entries, int width, uint32 i, int64 period)
{
	if (width == 1)
		((int16 *) entries)[i] = period;
	else if (width == 2)
		((int32 *) entries)[i] = period;
	else
		((int64 *) entries)[i] = period;
}

static inline int
width_of(int64 period)
{
	if (period == (int16) period)
		return 1;
	return period == (int32) period ? 2 : 3;
}

void
period_set_init(PeriodSet *set)
{
	set->n = 0;
	set->sorted = 0;
	set->width = 1;
}

int64
period_set_entry(const PeriodSet *set, const void *entries, uint32 i)
{
	return entry(entries, set->width, i);
}

/* Among the sorted entries, the first that is not below. */
static uint32
lower_bound(const PeriodSet *set, const void *entries, int64 period)
{
	uint32 low = 0;
	uint32 high = set->sorted;

	while (low < high)
	{
		uint32 middle = low + (high - low) / 2;

		if (entry(entries, set->width, middle) < period)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* From the last entry on, as each takes more bytes than before. */
static bool
widen(PeriodSet *set, void *entries, Size room, int width)
{
	if (((Size) set->n + 1) << width > room)
		return false;
	for (uint32 i = set->n; i-- > 0;)
		set_entry(entries, width, i, entry(entries, set->width, i));
	set->width = width;
	return true;
}

/* The unsorted entries, sorted and made distinct, in memory of their own. */
static int64 *
sorted_tail(const PeriodSet *set, const void *entries, uint32 *n)
{
	uint32 all = set->n - set->sorted;
	int64 *tail = palloc_extended(Max(all, 1) * sizeof(int64), MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < all; i++)
		tail[i] = entry(entries, set->width, set->sorted + i);
	sort_periods(tail, all);

	*n = 0;
	for (uint32 i = 0; i < all; i++)
	{
		if (i == 0 || tail[i] != tail[i - 1])
			tail[(*n)++] = tail[i];
	}
	return tail;
}

/* Sort everything, in place. */
static void
compact(PeriodSet *set, void *entries)
{
	uint32 tail_left;
	int64 *tail = sorted_tail(set, entries, &tail_left);
	uint32 front_left = set->sorted;
	uint32 to = front_left + tail_left;

	set->n = set->sorted = to;
	/* backwards, so that nothing is overwritten before it has moved */
	while (tail_left > 0)
	{
		int64 period = tail[tail_left - 1];

		if (front_left > 0 &&
			entry(entries, set->width, front_left - 1) > period)
			period = entry(entries, set->width, --front_left);
		else
			tail_left--;
		set_entry(entries, set->width, --to, period);
	}
	pfree(tail);
}

/* Put a period among the sorted entries, which are all there are. */
static void
insert_at(PeriodSet *set, void *entries, uint32 position, int64 period)
{
	char *place = (char *) entries + ((Size) position << set->width);

	memmove(place + ((Size) 1 << set->width), place,
			(Size) (set->n - position) << set->width);
	set_entry(entries, set->width, position, period);
	set->n++;
	set->sorted++;
}

bool
period_set_add(PeriodSet *set, void *entries, Size room, int64 period)
{
	uint32 position;

	/* several purchases in a period often follow each other */
	if (set->n > 0 && entry(entries, set->width, set->n - 1) == period)
		return true;

	position = lower_bound(set, entries, period);
	if (position < set->sorted &&
		entry(entries, set->width, position) == period)
		return true;

	if (width_of(period) > set->width &&
		!widen(set, entries, room, width_of(period)))
		return false;
	if (((Size) set->n + 1) << set->width > room)
	{
		if (set->n == set->sorted)
			return false;
		compact(set, entries);
		if ((Size) set->n << set->width > room / 4 * 3)
			return false;
		/* it may have been among the unsorted ones */
		return period_set_add(set, entries, room, period);
	}

	if (set->n == set->sorted && set->n - position <= MAX_MOVED)
		insert_at(set, entries, position, period);
	else
		set_entry(entries, set->width, set->n++, period);
	return true;
}

int64 *
period_set_sorted(const PeriodSet *set, const void *entries, int64 *n)
{
	uint32 ntail;
	int64 *tail = sorted_tail(set, entries, &ntail);
	int64 *periods;
	uint32 front = 0;
	uint32 back = 0;

	*n = (int64) set->sorted + ntail;
	periods = palloc_extended(Max(*n, 1) * sizeof(int64), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < *n; i++)
	{
		if (back == ntail ||
			(front < set->sorted &&
			 entry(entries, set->width, front) < tail[back]))
			periods[i] = entry(entries, set->width, front++);
		else
			periods[i] = tail[back++];
	}
	pfree(tail);
	return periods;
}

Size
period_set_room(const int64 *periods, int64 n)
{
	int width;

	if (n == 0)
		return 0;
	width = Max(width_of(periods[0]), width_of(periods[n - 1]));
	return (Size) n << width;
}

/*
 * The first period, and then what each is beyond the one before it: seven bits
 * a byte, the lowest first, the eighth bit set in all bytes but the last.
 */
void
period_set_send(StringInfo buf, const PeriodSet *set, const void *entries)
{
	int64 n;
	int64 *periods = period_set_sorted(set, entries, &n);

	pq_sendint64(buf, n);
	for (int64 i = 0; i < n; i++)
	{
		uint64 delta;

		if (i == 0)
		{
			pq_sendint64(buf, periods[0]);
			continue;
		}
		delta = (uint64) periods[i] - (uint64) periods[i - 1];
		for (; delta > 0x7F; delta >>= 7)
			pq_sendbyte(buf, (delta & 0x7F) | 0x80);
		pq_sendbyte(buf, delta);
	}
	pfree(periods);
}

static uint64
recv_delta(StringInfo buf, const StateType *type)
{
	uint64 delta = 0;
	uint8 byte;

	for (int shift = 0; shift < 64; shift += 7)
	{
		byte = pq_getmsgbyte(buf);
		delta |= (uint64) (byte & 0x7F) << shift;
		if ((byte & 0x80) != 0)
			continue;
		/* neither a zero nor digits that are not needed or have no place */
		if (byte == 0 || (shift == 63 && byte > 1))
			break;
		return delta;
	}
	state_malformed(type, "Its periods do not ascend.");
}

int64 *
period_set_recv(StringInfo buf, const StateType *type, int64 *n)
{
	int64 *periods;

	*n = pq_getmsgint64(buf);
	if (*n < 0 || *n > (int64) state_bytes_left(buf))
		state_malformed(type, "It counts more periods than it holds.");
	periods = palloc_extended(Max(*n, 1) * sizeof(int64), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < *n; i++)
	{
		uint64 delta;

		if (i == 0)
		{
			periods[0] = pq_getmsgint64(buf);
			continue;
		}
		delta = recv_delta(buf, type);
		if (delta > (uint64) PG_INT64_MAX - (uint64) periods[i - 1])
			state_malformed(type, "Its periods do not ascend.");
		periods[i] = periods[i - 1] + delta;
	}
	return periods;
}
