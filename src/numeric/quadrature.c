/*
 * quadrature.c
 *		Integrals of positive functions.
 *
 * A likelihood that is an average over customers is best computed as one: all
 * that is added up is positive, so that nothing cancels where closed forms are
 * differences of nearly equal hypergeometric functions.
 *
 * The rule is that of Kronrod with 15 points, which contains the one of Gauss
 * with 7; nodes and weights are those of QUADPACK (Piessens et al. 1983,
 * qk15).  Intervals are halved where the two differ.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "numeric/numeric.h"

/*
 * For smooth functions, the error of Kronrod's rule is about that of Gauss's
 * to the power 23/14, so that results which agree to 1e-10 are as good as can
 * be.
 */
#define AGREEMENT 1e-10

/* An interval that can be wrong altogether by this part of the whole. */
#define NEGLIGIBLE 1e-15

/* A function that is not smooth after all must not take forever. */
#define MAX_HALVINGS 40
#define MAX_PARTS 5000

/* exp(f) does not count this far below its maximum. */
#define LOG_NEGLIGIBLE 42.0

/* A maximum is found well enough if it is this near in f. */
#define LOG_NEAR 0.5

#define GOLDEN 0.38196601125010515 /* (3 - sqrt 5) / 2 */

/* The odd ones are Gauss's. */
static const double node[8] = {
	0.991455371120812639206854697526329, 0.949107912342758524526189684047851,
	0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
	0.586087235467691130294144838258730, 0.405845151377397166906606412076961,
	0.207784955007898467600689403773245, 0,
};

static const double weight[8] = {
	0.022935322010529224963732008058970, 0.063092092629978553290700663189204,
	0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
	0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
	0.204432940075298892414161999234649, 0.209482141084727828012999174891714,
};

static const double gauss_weight[8] = {
	0, 0.129484966168869693270611432679082,
	0, 0.279705391489276667901467771423780,
	0, 0.381830050505118944950369775488975,
	0, 0.417959183673469387755102040816327,
};

typedef struct Integration
{
	Integrand f;
	void *context;
	int n;
	int parts; /* intervals seen */
	double *total;
} Integration;

/* Both rules on one interval; false if they do not agree. */
static bool
apply_rules(const Integration *in, double middle, double half, double *sum)
{
	double gauss[MAX_INTEGRALS] = { 0 };
	double values[MAX_INTEGRALS];

	for (int i = 0; i < 15; i++)
	{
		int k = i < 8 ? i : 14 - i;

		in->f(middle + (i < 8 ? -half : half) * node[k], values, in->context);
		for (int j = 0; j < in->n; j++)
		{
			sum[j] += weight[k] * values[j];
			gauss[j] += gauss_weight[k] * values[j];
		}
	}

	for (int j = 0; j < in->n; j++)
	{
		double difference = fabs(sum[j] - gauss[j]);

		if (difference > AGREEMENT * fabs(sum[j]) &&
			difference * half > NEGLIGIBLE * fabs(in->total[j]))
			return false;
	}
	return true;
}

static void
integrate_part(Integration *in, double low, double high, int halvings)
{
	double middle = (low + high) / 2;
	double half = (high - low) / 2;
	double sum[MAX_INTEGRALS] = { 0 };

	in->parts++;
	if (!apply_rules(in, middle, half, sum) && halvings < MAX_HALVINGS &&
		in->parts < MAX_PARTS)
	{
		integrate_part(in, low, middle, halvings + 1);
		integrate_part(in, middle, high, halvings + 1);
		return;
	}
	for (int j = 0; j < in->n; j++)
		in->total[j] += half * sum[j];
}

void
integrate(Integrand f, int n, double low, double high, void *context,
		  double *integrals)
{
	Integration in = { f, context, n, 0, integrals };

	Assert(n <= MAX_INTEGRALS);
	CHECK_FOR_INTERRUPTS();
	for (int j = 0; j < n; j++)
		integrals[j] = 0;
	integrate_part(&in, low, high, 0);
}

/* A maximum between two places that are lower, or ends of the interval. */
typedef struct Peak
{
	LogIntegrand f;
	void *context;
	double low;
	double top;
	double high;
	double log_top; /* f(top) */
	double end;		/* of the interval */
} Peak;

/* Walk with growing steps for as long as f rises; false if it never did. */
static bool
climb(Peak *peak, double step)
{
	double behind = peak->top;
	double front;
	bool risen = false;

	for (;;)
	{
		double value;

		front = Min(peak->top + step, peak->end);
		value = peak->f(front, peak->context);
		if (!(value > peak->log_top))
			break;
		behind = peak->top;
		peak->top = front;
		peak->log_top = value;
		step *= 2;
		risen = true;
	}
	peak->low = Min(behind, front);
	peak->high = Max(behind, front);
	return risen;
}

/* Golden section, until the top is hardly higher than the next try. */
static void
narrow(Peak *peak)
{
	double difference = INFINITY;

	while (difference > LOG_NEAR)
	{
		bool right = peak->high - peak->top > peak->top - peak->low;
		double x =
			peak->top + GOLDEN * ((right ? peak->high : peak->low) - peak->top);
		double value = peak->f(x, peak->context);

		if (x == peak->top)
			break;
		difference = fabs(value - peak->log_top);
		if (value > peak->log_top)
		{
			*(right ? &peak->low : &peak->high) = peak->top;
			peak->top = x;
			peak->log_top = value;
		}
		else
			*(right ? &peak->high : &peak->low) = x;
	}
}

static void
exponential(double x, double *values, void *context)
{
	const Peak *peak = context;

	values[0] = exp(peak->f(x, peak->context) - peak->log_top);
}

/*
 * The integral on one side of the top, in pieces of double length each, lest
 * few points far away overlook what is near the top; until exp(f) is nothing.
 */
static double
integrate_side(Peak *peak, double step)
{
	double total = 0;
	double part;
	double x = peak->top;
	double next;

	do
	{
		next = Min(x + step, peak->end);
		integrate(exponential, 1, Min(x, next), Max(x, next), peak, &part);
		total += part;
		x = next;
		step *= 2;
	} while (x < peak->end &&
			 peak->f(x, peak->context) > peak->log_top - LOG_NEGLIGIBLE);
	return total;
}

double
log_integral(LogIntegrand f, void *context, double high, double start)
{
	Peak peak = { f, context, 0, start, 0, f(start, context), high };
	double step = Min(1, high - start);
	double total;

	if (!climb(&peak, step))
	{
		double above = peak.high;

		if (!climb(&peak, -step))
			peak.high = above;
	}
	narrow(&peak);

	step = (peak.high - peak.low) / 2;
	total = integrate_side(&peak, -step);
	if (peak.top < high)
		total += integrate_side(&peak, step);
	return peak.log_top + log(total);
}
