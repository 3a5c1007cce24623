/*
 * arm_arrays.h
 *		Moments of both arms by stratum or segment.
 */
#ifndef PERSONALIZE_ARM_ARRAYS_H
#define PERSONALIZE_ARM_ARRAYS_H

#include <math.h>

#include "experiment/experiment.h"
#include "utils/float.h"

/*
 * Arguments control and treatment from argno on: arrays of moments of one or
 * two variables, as many of each and the same for all.  Returns how many
 * elements they have; an arm without rows has n = 0.
 */
extern int arg_arm_arrays(FunctionCallInfo fcinfo, int argno, Arm **control,
						  Arm **treatment);

/* Options alpha and alternative, at two places. */
extern CompareOptions
arg_fixed_options(FunctionCallInfo fcinfo, int alpha, int alternative);

/* The columns of an effect in a composite result; returns how many. */
static inline int
effect_columns(Datum *values, const Effect *effect)
{
	if (isinf(effect->estimate) || isinf(effect->stderror))
		float_overflow_error();
	values[0] = Float8GetDatum(effect->estimate);
	values[1] = Float8GetDatum(effect->stderror);
	values[2] = Float8GetDatum(effect->low);
	values[3] = Float8GetDatum(effect->high);
	values[4] = Float8GetDatum(effect->p);
	return 5;
}

#endif
