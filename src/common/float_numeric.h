/*
 * float_numeric.h
 *		numeric as double, quickly.
 */
#ifndef PERSONALIZE_FLOAT_NUMERIC_H
#define PERSONALIZE_FLOAT_NUMERIC_H

#include "utils/numeric.h"

/*
 * The same as the cast to double precision, which goes by way of text and
 * takes several times as long.  NaN and infinities become themselves.
 */
extern double float_from_numeric(Numeric value);

#endif
