/*
 * optimise.c
 *		Minimisation of smooth functions of a few variables.
 *
 * L-BFGS: J. Nocedal, "Updating quasi-Newton matrices with limited storage",
 * 1980; D. Liu and J. Nocedal, 1989.  The line search is that of Nocedal and
 * Wright, "Numerical Optimization", 2006, algorithms 3.5 and 3.6, except that
 * near the minimum, where values differ by rounding alone, a value counts as
 * no worse if rounding explains it (Hager and Zhang 2005): the slopes still
 * tell which way is down.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "numeric/numeric.h"

#define MEMORY 8		   /* pairs of steps and changes of the gradient */
#define MAX_ITERATIONS 500 /* of L-BFGS */
#define MAX_BRACKETING 30  /* evaluations to find an interval */
#define MAX_ZOOMING 40	   /* evaluations within it */

/* A gradient this small, against the value, is that of a minimum. */
#define GRADIENT_TOLERANCE 1e-8

/* Steps in a row whose gain may be less than rounding. */
#define MAX_IDLE 3

/* The Wolfe conditions: enough decrease, and enough less slope. */
#define DECREASE 1e-4
#define CURVATURE 0.9

/* A point on the line that is searched. */
typedef struct Point
{
	double step;
	double value; /* infinity where there is none */
	double slope; /* along the line */
	double x[MAX_PARAMETERS];
	double gradient[MAX_PARAMETERS];
} Point;

typedef struct Line
{
	Objective f;
	void *context;
	int n;
	double direction[MAX_PARAMETERS];
	Point start;
} Line;

/* The last steps s and the changes y of the gradient that they made. */
typedef struct History
{
	int n;
	int count; /* of all so far; the last MEMORY of them are kept */
	double s[MEMORY][MAX_PARAMETERS];
	double y[MEMORY][MAX_PARAMETERS];
	double rho[MEMORY];
} History;

static double
dot(const double *a, const double *b, int n)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

static double
largest(const double *a, int n)
{
	double max = 0;

	for (int i = 0; i < n; i++)
		max = Max(max, fabs(a[i]));
	return max;
}

static bool
all_finite(const double *a, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (!isfinite(a[i]))
			return false;
	}
	return true;
}

/* By how much values may differ that should be equal. */
static double
rounding_of(double value)
{
	return 4 * DBL_EPSILON * fabs(value);
}

/* A value without a gradient is of no use. */
static void
evaluate(Objective f, void *context, int n, Point *point)
{
	CHECK_FOR_INTERRUPTS();
	memset(point->gradient, 0, sizeof(point->gradient));
	point->value = f(point->x, point->gradient, context);
	if (isnan(point->value) || !all_finite(point->gradient, n))
		point->value = INFINITY;
}

static void
evaluate_on(const Line *line, double step, Point *point)
{
	point->step = step;
	for (int i = 0; i < line->n; i++)
		point->x[i] = line->start.x[i] + step * line->direction[i];
	evaluate(line->f, line->context, line->n, point);
	point->slope = dot(point->gradient, line->direction, line->n);
}

static bool
decreases(const Line *line, const Point *point)
{
	const Point *start = &line->start;

	return point->value <= start->value +
		DECREASE * point->step * start->slope + rounding_of(start->value);
}

static bool
is_flat(const Line *line, const Point *point)
{
	return fabs(point->slope) <= -CURVATURE * line->start.slope;
}

/* Where the cubic through two points and their slopes is lowest. */
static double
cubic_step(const Point *a, const Point *b)
{
	double width = b->step - a->step;
	double chord = a->slope + b->slope - 3 * (b->value - a->value) / width;
	double square = chord * chord - a->slope * b->slope;
	double root;
	double step;

	if (!(square >= 0) || !isfinite(b->value))
		return NAN;
	root = copysign(sqrt(square), width);
	step = b->step -
		width * (b->slope + root - chord) / (b->slope - a->slope + 2 * root);
	return step;
}

/* Algorithm 3.6: `low` is the better end of an interval with a good point. */
static void
zoom(const Line *line, Point low, Point high, Point *result)
{
	for (int i = 0; i < MAX_ZOOMING; i++)
	{
		double width = high.step - low.step;
		double step = cubic_step(&low, &high);
		double share = (step - low.step) / width;

		/* every third time halve, should the cubic get nowhere */
		if (!(share >= 0.1 && share <= 0.9) || i % 3 == 2)
			step = low.step + width / 2;
		if (step == low.step || step == high.step)
			break;
		evaluate_on(line, step, result);
		if (!decreases(line, result) || result->value > low.value)
			high = *result;
		else
		{
			if (is_flat(line, result))
				return;
			if (result->slope * width >= 0)
				high = low;
			low = *result;
		}
	}
	*result = low;
}

/* Algorithm 3.5.  The result may be the start: nothing better was found. */
static void
search_line(const Line *line, double step, Point *result)
{
	Point previous = line->start;

	for (int i = 0; i < MAX_BRACKETING; i++)
	{
		evaluate_on(line, step, result);
		if (!decreases(line, result) ||
			(i > 0 && result->value > previous.value))
		{
			zoom(line, previous, *result, result);
			return;
		}
		if (is_flat(line, result))
			return;
		if (result->slope >= 0)
		{
			zoom(line, *result, previous, result);
			return;
		}
		previous = *result;
		step *= 2;
	}
}

/* Remember a step, if the curvature along it is positive. */
static void
remember(History *history, const Point *from, const Point *to)
{
	int slot = history->count % MEMORY;
	double *s = history->s[slot];
	double *y = history->y[slot];
	double curvature;

	for (int i = 0; i < history->n; i++)
	{
		s[i] = to->x[i] - from->x[i];
		y[i] = to->gradient[i] - from->gradient[i];
	}
	curvature = dot(s, y, history->n);
	if (curvature <= DBL_EPSILON * dot(y, y, history->n))
		return;
	history->rho[slot] = 1 / curvature;
	history->count++;
}

/* The two loops: direction = -H gradient, with H from the history. */
static void
quasi_newton(const History *history, const double *gradient, double *direction)
{
	int n = history->n;
	int first = Max(history->count - MEMORY, 0);
	double alpha[MEMORY];

	for (int i = 0; i < n; i++)
		direction[i] = -gradient[i];
	if (history->count == 0)
		return;

	for (int k = history->count - 1; k >= first; k--)
	{
		int slot = k % MEMORY;

		alpha[slot] = history->rho[slot] * dot(history->s[slot], direction, n);
		for (int i = 0; i < n; i++)
			direction[i] -= alpha[slot] * history->y[slot][i];
	}
	{
		int last = (history->count - 1) % MEMORY;
		const double *y = history->y[last];
		double scale = 1 / (history->rho[last] * dot(y, y, n));

		for (int i = 0; i < n; i++)
			direction[i] *= scale;
	}
	for (int k = first; k < history->count; k++)
	{
		int slot = k % MEMORY;
		double beta = history->rho[slot] * dot(history->y[slot], direction, n);

		for (int i = 0; i < n; i++)
			direction[i] += (alpha[slot] - beta) * history->s[slot][i];
	}
}

/* Where to go from the start, and how far at first. */
static double
choose_direction(Line *line, History *history)
{
	double *gradient = line->start.gradient;

	quasi_newton(history, gradient, line->direction);
	line->start.slope = dot(gradient, line->direction, line->n);
	if (!(line->start.slope < 0) || !all_finite(line->direction, line->n))
	{
		history->count = 0;
		quasi_newton(history, gradient, line->direction);
		line->start.slope = dot(gradient, line->direction, line->n);
	}
	return history->count > 0 ? 1 : Min(1, 1 / largest(gradient, line->n));
}

static bool
is_minimum(const Point *point, int n)
{
	return largest(point->gradient, n) <=
		GRADIENT_TOLERANCE * Max(1, fabs(point->value));
}

/* One step: false if none was found, not even straight down. */
static bool
advance(Line *line, History *history, int *idle)
{
	Point next;

	for (;;)
	{
		double step = choose_direction(line, history);
		bool straight = history->count == 0;

		search_line(line, step, &next);
		if (next.step > 0 && isfinite(next.value))
			break;
		if (straight)
			return false;
		history->count = 0;
	}
	remember(history, &line->start, &next);
	if (next.value < line->start.value - rounding_of(next.value))
		*idle = 0;
	else
		(*idle)++;
	line->start = next;
	line->start.step = 0;
	return true;
}

void
minimise(Objective f, void *context, const double *start, int n,
		 Minimum *result)
{
	Line line = { .f = f, .context = context, .n = n };
	History history = { .n = n };
	int idle = 0;

	Assert(n <= MAX_PARAMETERS);
	memset(result, 0, sizeof(*result));
	result->n = n;
	memcpy(line.start.x, start, sizeof(double) * n);
	evaluate(f, context, n, &line.start);

	if (!isfinite(line.start.value))
		result->reason = "the function is not defined at the start";
	while (result->reason == NULL && !result->converged)
	{
		if (is_minimum(&line.start, n))
			result->converged = true;
		else if (result->iterations == MAX_ITERATIONS)
			result->reason = "it took too many iterations";
		else if (idle == MAX_IDLE || !advance(&line, &history, &idle))
			result->reason =
				"no better point was found, but the gradient is not zero";
		else
			result->iterations++;
	}

	memcpy(result->x, line.start.x, sizeof(double) * n);
	memcpy(result->gradient, line.start.gradient, sizeof(double) * n);
	result->value = line.start.value;
}

/*
 * The step balances what the next term of the series leaves out, its square,
 * against the rounding of gradients, divided by it.
 */
void
hessian(Objective f, void *context, const double *x, int n, double *matrix)
{
	Point low;
	Point high;

	for (int i = 0; i < n; i++)
	{
		double step = 1e-4 * Max(1, fabs(x[i]));

		memcpy(low.x, x, sizeof(double) * n);
		memcpy(high.x, x, sizeof(double) * n);
		low.x[i] -= step;
		high.x[i] += step;
		evaluate(f, context, n, &low);
		evaluate(f, context, n, &high);
		for (int j = 0; j < n; j++)
			matrix[i * n + j] =
				(high.gradient[j] - low.gradient[j]) / (high.x[i] - low.x[i]);
	}
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < i; j++)
			matrix[i * n + j] = matrix[j * n + i] =
				(matrix[i * n + j] + matrix[j * n + i]) / 2;
	}
}
