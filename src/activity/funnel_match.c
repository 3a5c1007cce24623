/*
 * funnel_match.c
 *		How far events go through a funnel.
 *
 * Steps are taken by rows in the order of time, each by another row; rows of
 * the same time may follow each other in any order.  So rows of one time, a
 * *moment*, are taken together: from a step before it, the furthest step after
 * it is found by matching steps to rows (augmenting paths; Kuhn 1955).  To be
 * further is never worse, so a chain may always take the furthest.
 *
 * For each step the latest entry from which it can be reached is kept, as that
 * one has the most time left.  When the furthest step is known, and the first
 * moment at which it is reached, the earliest entry is the first within the
 * window before that moment: whoever enters earlier reaches it as well by
 * then, but no chain reaches it before.
 */
#include "postgres.h"

#include "activity/activity.h"
#include "miscadmin.h"

#define NOBODY DT_NOBEGIN

/* Rows of one moment, and which step each of them takes, or -1. */
typedef struct Moment
{
	int nsteps;
	int n;
	uint64 *rows;
	int8 *taken;
	bool *visited;
} Moment;

#define has_step(steps, step) (((steps) >> (step)) & 1)

static void
moment_init(Moment *moment, int nsteps, int64 nevents)
{
	/* see collect_rows() */
	int64 max_rows = Min(nevents, nsteps * nsteps);

	moment->nsteps = nsteps;
	moment->n = 0;
	moment->rows = palloc(Max(max_rows, 1) * sizeof(uint64));
	moment->taken = palloc(Max(max_rows, 1) * sizeof(int8));
	moment->visited = palloc(Max(max_rows, 1) * sizeof(bool));
}

/*
 * A row can be left out when for each of its steps there are already as many
 * others as there are steps: in any matching one of those is free instead.
 */
static void
collect_rows(Moment *moment, const FunnelEvent *events, int64 n)
{
	int counts[FUNNEL_MAX_STEPS] = { 0 };
	uint64 wanted = PG_UINT64_MAX;

	moment->n = 0;
	for (int64 i = 0; i < n; i++)
	{
		if ((events[i].steps & wanted) == 0)
			continue;
		moment->taken[moment->n] = -1;
		moment->rows[moment->n++] = events[i].steps;
		for (int step = 0; step < moment->nsteps; step++)
		{
			if (has_step(events[i].steps, step) &&
				++counts[step] == moment->nsteps)
				wanted &= ~(UINT64CONST(1) << step);
		}
	}
}

/* Find a row for a step, moving other steps to other rows where need be. */
static bool
take_step(Moment *moment, int step)
{
	for (int row = 0; row < moment->n; row++)
	{
		if (moment->taken[row] < 0 && has_step(moment->rows[row], step))
		{
			moment->taken[row] = step;
			return true;
		}
	}
	for (int row = 0; row < moment->n; row++)
	{
		if (moment->visited[row] || !has_step(moment->rows[row], step))
			continue;
		moment->visited[row] = true;
		if (take_step(moment, moment->taken[row]))
		{
			moment->taken[row] = step;
			return true;
		}
	}
	return false;
}

static void
leave_step(Moment *moment, int step)
{
	for (int row = 0; row < moment->n; row++)
	{
		if (moment->taken[row] == step)
			moment->taken[row] = -1;
	}
}

/* furthest[i]: the number of steps reached after the moment, i before it. */
static void
find_furthest(Moment *moment, const FunnelEvent *events, int64 n, int *furthest)
{
	int reached = 0;

	if (n == 1)
	{
		for (int i = 0; i < moment->nsteps; i++)
			furthest[i] = i + has_step(events[0].steps, i);
		return;
	}

	collect_rows(moment, events, n);
	for (int i = 0; i < moment->nsteps; i++)
	{
		if (reached < i)
			reached = i;
		while (reached < moment->nsteps)
		{
			memset(moment->visited, 0, moment->n * sizeof(bool));
			if (!take_step(moment, reached))
				break;
			reached++;
		}
		furthest[i] = reached;
		leave_step(moment, i);
	}
}

static int64
moment_length(const FunnelEvent *events, int64 n)
{
	int64 length = 1;

	while (length < n && events[length].at == events[0].at)
		length++;
	return length;
}

/* The difference of two times may not fit a signed number. */
static inline bool
is_within(TimestampTz entry, TimestampTz at, int64 within)
{
	return (uint64) at - (uint64) entry <= (uint64) within;
}

/*
 * A moment takes the chains further: entries[i] is the latest entry of those
 * that have reached i steps.  Returns the furthest step reached in time.
 */
static int
advance_entries(TimestampTz *entries, const int *furthest, int nsteps,
				TimestampTz at, int64 within)
{
	int best = 0;
	int from = nsteps - 1;

	entries[0] = at;
	for (int step = nsteps; step > 0; step--)
	{
		/* the fewest steps from which this one is reached: the latest entry */
		from = Min(from, step - 1);
		while (from > 0 && furthest[from - 1] >= step)
			from--;
		if (furthest[from] >= step)
			entries[step] = entries[from];
		if (best == 0 && entries[step] != NOBODY &&
			is_within(entries[step], at, within))
			best = step;
	}
	return best;
}

/* The furthest step, and when it is reached for the first time. */
static int
furthest_step(Moment *moment, const FunnelEvent *events, int64 n, int64 within,
			  TimestampTz *done)
{
	TimestampTz entries[FUNNEL_MAX_STEPS + 1];
	int furthest[FUNNEL_MAX_STEPS];
	int best = 0;
	int64 length;

	for (int step = 0; step <= moment->nsteps; step++)
		entries[step] = NOBODY;
	for (int64 i = 0; i < n && best < moment->nsteps; i += length)
	{
		int reached;

		CHECK_FOR_INTERRUPTS();
		length = moment_length(events + i, n - i);
		find_furthest(moment, events + i, length, furthest);
		reached = advance_entries(entries, furthest, moment->nsteps,
								  events[i].at, within);
		if (reached > best)
		{
			best = reached;
			*done = events[i].at;
		}
	}
	return best;
}

int
funnel_match(const FunnelEvent *events, int64 n, int nsteps, int64 within,
			 TimestampTz *times)
{
	Moment moment;
	TimestampTz done = 0;
	int furthest[FUNNEL_MAX_STEPS];
	int best;
	int reached = 0;
	int64 length;

	moment_init(&moment, nsteps, n);
	best = furthest_step(&moment, events, n, within, &done);
	for (int64 i = 0; reached < best; i += length)
	{
		int next;

		CHECK_FOR_INTERRUPTS();
		length = moment_length(events + i, n - i);
		/* before the entry */
		if (!is_within(events[i].at, done, within))
			continue;
		find_furthest(&moment, events + i, length, furthest);
		for (next = furthest[reached]; reached < next; reached++)
			times[reached] = events[i].at;
	}
	return best;
}
