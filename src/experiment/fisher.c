/*
 * fisher.c
 *		Fisher's exact test of a table of two by two.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "experiment/proportion.h"
#include "miscadmin.h"

/* Tables this little likelier than the observed one count as as likely. */
#define AS_LIKELY (1 + 1e-7)

/*
 * Given the margins, the treatment's successes x are hypergeometric.  All
 * chances are relative to that of the mode.
 */
typedef struct Margins
{
	double n_control;
	double n_treatment;
	double successes;
	double low; /* of x */
	double high;
	double mode;
} Margins;

static Margins
margins_of(const Counts *counts)
{
	Margins m;

	m.n_control = (double) counts->n_control;
	m.n_treatment = (double) counts->n_treatment;
	m.successes =
		(double) counts->successes_control + counts->successes_treatment;
	m.low = Max(0, m.successes - m.n_control);
	m.high = Min(m.n_treatment, m.successes);
	m.mode = floor((m.n_treatment + 1) * (m.successes + 1) /
				   (m.n_treatment + m.n_control + 2));
	m.mode = Min(Max(m.mode, m.low), m.high);
	return m;
}

/* Chance of x + 1 by that of x. */
static inline double
step_up(const Margins *m, double x)
{
	return (m->n_treatment - x) / (x + 1) * (m->successes - x) /
		(m->n_control - m->successes + x + 1);
}

/*
 * Sums of chances from the mode outward, up or down, until they underflow:
 * of all, of those not likelier than `limit`, and of those at or beyond x, on
 * the side of x.
 */
typedef struct Walk
{
	double all;
	double unlikely_ones;
	double upper;
	double lower;
	double at; /* chance of x itself */
} Walk;

static void
walk_outward(const Margins *m, bool up, double x, double limit, Walk *sums)
{
	double at = m->mode;
	double chance = 1;
	int64 steps = 0;

	for (;;)
	{
		if (up || at != m->mode)
		{
			sums->all += chance;
			if (chance <= limit)
				sums->unlikely_ones += chance;
			if (at >= x)
				sums->upper += chance;
			if (at <= x)
				sums->lower += chance;
			if (at == x)
				sums->at = chance;
		}
		if (up ? at >= m->high : at <= m->low)
			break;
		chance = up ? chance * step_up(m, at) : chance / step_up(m, at - 1);
		at += up ? 1 : -1;
		/* beyond, steps are rounded away, and it would never become 0 */
		if (chance < DBL_MIN)
			break;
		if ((++steps & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

double
fisher_p_value(const Counts *counts, Alternative alternative)
{
	Margins m = margins_of(counts);
	double x = (double) counts->successes_treatment;
	Walk first = { 0 };
	Walk sums = { 0 };

	if (counts->n_control == 0 || counts->n_treatment == 0 ||
		m.n_control + m.n_treatment > FISHER_LIMIT)
		return NAN;
	walk_outward(&m, true, x, 0, &first);
	walk_outward(&m, false, x, 0, &first);
	if (alternative == GREATER)
		return Min(first.upper / first.all, 1);
	if (alternative == LESS)
		return Min(first.lower / first.all, 1);
	walk_outward(&m, true, x, first.at * AS_LIKELY, &sums);
	walk_outward(&m, false, x, first.at * AS_LIKELY, &sums);
	return Min(sums.unlikely_ones / sums.all, 1);
}
