/*
 * arm_rows.h
 *		All rows of both arms, as the state of an aggregate.
 *
 * For aggregates that need every row in an order of its own, such as quantiles
 * and uplift curves.  A row is one or two finite numbers.
 */
#ifndef PERSONALIZE_ARM_ROWS_H
#define PERSONALIZE_ARM_ROWS_H

#include "common/state.h"
#include "experiment/lift.h"

/*
 * Rows of the control stand at the front of values and those of the treatment
 * at its end, so that neither needs a flag and there is one gap to grow into.
 * head.unused is the number of values in a row.
 */
typedef struct ArmRows
{
	StateHeader head;
	int64 n[2];	   /* by CONTROL and TREATMENT */
	double option; /* the same for all rows */
	double values[FLEXIBLE_ARRAY_MEMBER];
} ArmRows;

#define MAX_ROW_WIDTH 2
#define arm_rows_width(rows) ((int) (rows)->head.unused)
#define arm_rows_count(rows) ((rows)->n[CONTROL] + (rows)->n[TREATMENT])

extern ArmRows *arm_rows_new(const StateType *type, int width, double option);

/* These return the rows or, where they had to grow, a larger copy. */
extern ArmRows *
arm_rows_add(const StateType *type, ArmRows *rows, int arm, const double *row);
extern ArmRows *
arm_rows_append(const StateType *type, ArmRows *rows, const ArmRows *other);

/*
 * The rows of an arm in ascending order, in memory of their own, -0 as 0; the
 * state itself stays as it is, as other aggregates may share it.
 */
extern double *arm_rows_sorted(const ArmRows *rows, int arm);

/* All but the option, of send and recv. */
extern void arm_rows_send(StringInfo buf, const ArmRows *rows);
extern ArmRows *
arm_rows_recv(StringInfo buf, const StateType *type, int width, double option);

#endif
