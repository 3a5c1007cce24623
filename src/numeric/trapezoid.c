/*
 * trapezoid.c
 *		Integrals over the whole line.
 *
 * Of a function that is analytic and falls off on both sides, the trapezoidal
 * rule has an error that is squared when its step is halved (Trefethen and
 * Weideman, "The exponentially convergent trapezoidal rule", SIAM Review 56,
 * 2014); some forty values do for a normal density.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "numeric/numeric.h"

/* Values that add less than this part of the sum end it. */
#define NEGLIGIBLE 1e-18

/* If a halved step changes so little, its own error is beyond double. */
#define AGREEMENT 1e-8

#define MAX_HALVINGS 12
#define MAX_SEARCH 4000
#define MAX_VALUES 4000000

/* Below this a logarithm has few digits left, and nothing underflows as much. */
#define HOPELESS -1e6

typedef struct Line
{
	LogIntegrand f;
	void *context;
	double top;		/* near the maximum */
	double log_top; /* f(top) */
	double step;
} Line;

/* Moves the top to a place that is higher. */
static bool
move_top(Line *line, double x)
{
	double value = line->f(x, line->context);

	if (!(value > line->log_top))
		return false;
	line->top = x;
	line->log_top = value;
	return true;
}

/* f falls by less than 1 a step, on both sides */
static bool
step_is_small(const Line *line)
{
	return line->log_top - line->f(line->top - line->step, line->context) < 1 &&
		line->log_top - line->f(line->top + line->step, line->context) < 1;
}

/* Up to the top in growing steps, then shorter ones, then a step that fits. */
static void
find_top(Line *line)
{
	for (int i = 0; i < MAX_SEARCH; i++)
	{
		if (move_top(line, line->top + line->step) ||
			move_top(line, line->top - line->step))
			line->step *= 2;
		else if (!step_is_small(line))
			line->step /= 2;
		else
			break;
	}
	for (int i = 0; i < MAX_SEARCH && step_is_small(line); i++)
		line->step *= 2;
	line->step /= 2;
}

/* The values at first, and in steps from there, in units of that at the top. */
static double
sum_values(const Line *line, double first, double step)
{
	double sum = 0;
	double value;
	int n = 0;

	do
	{
		value = exp(line->f(first + n * step, line->context) - line->log_top);
		sum += value;
		if (++n % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	} while (value > NEGLIGIBLE * sum && n < MAX_VALUES);
	return sum;
}

double
log_line_integral(LogIntegrand f, void *context, double start, double step)
{
	Line line = { f, context, start, f(start, context), step };
	double sum;

	if (!isfinite(line.log_top))
		return line.log_top;
	CHECK_FOR_INTERRUPTS();
	find_top(&line);
	if (line.log_top < HOPELESS)
		return line.log_top;
	step = line.step;
	sum = sum_values(&line, line.top, step) +
		sum_values(&line, line.top - step, -step);
	for (int i = 0; i < MAX_HALVINGS; i++)
	{
		double between = sum_values(&line, line.top + step / 2, step) +
			sum_values(&line, line.top - step / 2, -step);
		double difference = fabs(between - sum);

		sum += between;
		step /= 2;
		if (difference <= AGREEMENT * sum)
			break;
	}
	return line.log_top + log(sum) + log(step);
}
