/*
 * uplift.h
 *		Does a score find those whom the treatment moves?
 */
#ifndef PERSONALIZE_UPLIFT_H
#define PERSONALIZE_UPLIFT_H

#include "effects/arm_rows.h"

/* Rows of score and outcome. */
extern const StateType qini_type;

/*
 * The curve where a share of the units has been targeted, the highest scores
 * first.  Units of one score make one point: who of them comes first is chance.
 */
typedef struct CurvePoint
{
	double n;			/* units targeted */
	double n_treatment; /* of which in the treatment */
	double n_control;	/* and in the control, which may be 0 exactly */
	double gain; /* outcomes of these beyond what the control's predict */
} CurvePoint;

typedef struct UpliftCurve
{
	int64 n; /* points, the first of which is the origin */
	CurvePoint *points;
} UpliftCurve;

extern UpliftCurve *uplift_curve(const ArmRows *rows);

/* At any n between its ends; `from` is where the last call ended, first 0. */
extern CurvePoint
uplift_curve_at(const UpliftCurve *curve, double n, int64 *from);

/* Trapezoids under it. */
extern double uplift_curve_area(const UpliftCurve *curve);

/* The same under the curve of an order that knows the outcomes. */
extern double perfect_area(const ArmRows *rows);

#endif
