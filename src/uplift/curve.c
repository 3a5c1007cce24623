/*
 * curve.c
 *		The uplift curve of a score (Radcliffe 2007).
 */
#include "postgres.h"

#include <math.h>

#include "common/sum.h"
#include "compat.h"
#include "uplift/uplift.h"
#include "utils/float.h"

#define SCORE(rows, i) (rows)[2 * (i)]
#define OUTCOME(rows, i) (rows)[2 * (i) + 1]

/* An arm, from the highest score down. */
typedef struct Walk
{
	double *rows; /* ascending */
	int64 left;	  /* not yet targeted */
	double n;	  /* targeted */
	Sum outcomes;
} Walk;

static void
walk_start(Walk *walk, const ArmRows *rows, int arm)
{
	*walk = (Walk){ .rows = arm_rows_sorted(rows, arm), .left = rows->n[arm] };
}

/* Target all units of a score. */
static void
walk_score(Walk *walk, double score)
{
	while (walk->left > 0 && SCORE(walk->rows, walk->left - 1) == score)
	{
		walk->left--;
		walk->n++;
		sum_add(&walk->outcomes, OUTCOME(walk->rows, walk->left));
	}
}

static double
highest_score(const Walk *walk)
{
	return walk->left > 0 ? SCORE(walk->rows, walk->left - 1) : -INFINITY;
}

/* Outcomes of the treatment beyond those of as many units of the control. */
static double
gain(const Walk *control, const Walk *treatment)
{
	double expected = 0;
	double result;

	if (control->n > 0)
		expected = sum_value(&control->outcomes) * treatment->n / control->n;
	result = sum_value(&treatment->outcomes) - expected;
	if (!isfinite(result))
		float_overflow_error();
	return result;
}

UpliftCurve *
uplift_curve(const ArmRows *rows)
{
	UpliftCurve *curve = palloc(sizeof(UpliftCurve));
	Walk control;
	Walk treatment;

	walk_start(&control, rows, CONTROL);
	walk_start(&treatment, rows, TREATMENT);
	curve->points =
		palloc_extended((arm_rows_count(rows) + 1) * sizeof(CurvePoint),
						MCXT_ALLOC_HUGE);
	curve->points[0] = (CurvePoint){ 0 };
	curve->n = 1;
	while (control.left + treatment.left > 0)
	{
		double score = Max(highest_score(&control), highest_score(&treatment));

		CHECK_FOR_INTERRUPTS();
		walk_score(&control, score);
		walk_score(&treatment, score);
		curve->points[curve->n++] = (CurvePoint){
			.n = control.n + treatment.n,
			.n_treatment = treatment.n,
			.n_control = control.n,
			.gain = gain(&control, &treatment),
		};
	}
	pfree(control.rows);
	pfree(treatment.rows);
	return curve;
}

CurvePoint
uplift_curve_at(const UpliftCurve *curve, double n, int64 *from)
{
	const CurvePoint *a;
	const CurvePoint *b;
	double part;

	while (*from < curve->n - 2 && curve->points[*from + 1].n < n)
		(*from)++;
	a = &curve->points[*from];
	b = a + 1;
	if (n >= b->n)
		return *b;
	part = (n - a->n) / (b->n - a->n);
	return (CurvePoint){
		.n = n,
		.n_treatment =
			a->n_treatment + part * (b->n_treatment - a->n_treatment),
		.n_control = a->n_control + part * (b->n_control - a->n_control),
		.gain = a->gain + part * (b->gain - a->gain),
	};
}

static double
checked_area(const Sum *area)
{
	double value = sum_value(area);

	if (!isfinite(value))
		float_overflow_error();
	return value;
}

double
uplift_curve_area(const UpliftCurve *curve)
{
	Sum area = { 0 };

	for (int64 i = 1; i < curve->n; i++)
	{
		const CurvePoint *a = &curve->points[i - 1];
		const CurvePoint *b = &curve->points[i];

		sum_add(&area, (b->n - a->n) * (a->gain / 2 + b->gain / 2));
	}
	return checked_area(&area);
}

/* ---- the best that a curve could be ---- */

static int
compare_descending(const double *a, const double *b)
{
	return (*a < *b) - (*a > *b);
}

#define ST_SORT sort_descending
#define ST_ELEMENT_TYPE double
#define ST_COMPARE(a, b) compare_descending(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * What each unit adds to the last point of the curve: its outcome in the
 * treatment, and in the control the same times -n_treatment/n_control.
 */
static double *
contributions(const ArmRows *rows)
{
	double weight[2] = { -(double) rows->n[TREATMENT] / rows->n[CONTROL], 1 };
	double *result =
		palloc_extended(arm_rows_count(rows) * sizeof(double), MCXT_ALLOC_HUGE);
	int64 at = 0;

	for (int arm = CONTROL; arm <= TREATMENT; arm++)
	{
		double *sorted = arm_rows_sorted(rows, arm);

		for (int64 i = 0; i < rows->n[arm]; i++)
			result[at++] = weight[arm] * OUTCOME(sorted, i);
		pfree(sorted);
	}
	return result;
}

double
perfect_area(const ArmRows *rows)
{
	int64 n = arm_rows_count(rows);
	double *parts = contributions(rows);
	Sum area = { 0 };

	sort_descending(parts, n);
	/* each adds to all points from its own on, and half at its own */
	for (int64 i = 0; i < n; i++)
		sum_add(&area, parts[i] * (n - i - 0.5));
	pfree(parts);
	return checked_area(&area);
}
