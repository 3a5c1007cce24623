/*
 * solve.c
 *		Zeros of increasing functions.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "planning/planning.h"

#define MAX_STEPS 200

/*
 * Until the bracket, or a step, is as small as `close` against x.  Secants, an end that stays being given half its weight (the Illinois
 * method), and a bisection whenever three of them have not halved the bracket.
 */
double
find_zero(Increasing f, void *context, double low, double high, double close)
{
	double at_low = f(low, context);
	double at_high = f(high, context);
	double width = high - low;
	double last = NAN;
	int stayed = 0; /* which end did last: -1 low, 1 high */

	for (int i = 1; i < MAX_STEPS && high - low > close * fabs(high); i++)
	{
		double x = low + (high - low) * (at_low / (at_low - at_high));
		double value;

		CHECK_FOR_INTERRUPTS();
		if (i % 3 == 0)
		{
			if (high - low > 0.5 * width)
				x = 0.5 * (low + high);
			width = high - low;
		}
		if (!(x > low && x < high))
			x = 0.5 * (low + high);
		value = f(x, context);
		if (value == 0 || fabs(x - last) <= close * fabs(x))
			return x;
		last = x;
		if (value < 0)
		{
			low = x;
			at_low = value;
			if (stayed == 1)
				at_high /= 2;
			stayed = 1;
		}
		else
		{
			high = x;
			at_high = value;
			if (stayed == -1)
				at_low /= 2;
			stayed = -1;
		}
	}
	return 0.5 * (low + high);
}

double
find_zero_above(Increasing f, void *context, double low, double start,
				double close)
{
	double high = Max(start, low + DBL_MIN);

	while (f(high, context) < 0 && high < DBL_MAX / 4)
	{
		double step = Max(high - low, 0.25 * fabs(high));

		low = high;
		high += step;
	}
	return find_zero(f, context, low, high, close);
}
