/*
 * sum.h
 *		Sums of doubles that do not depend on the order of the summands.
 *
 * The running sum is kept as two doubles, the second holding what the first
 * rounded off (TwoSum, Knuth 1969): some 106 bits, rounded to 53 only at the
 * end.  Any order and any split of the input then gives the same double, but
 * for sums that cancel to a millionth of a billionth of their summands.
 */
#ifndef PERSONALIZE_SUM_H
#define PERSONALIZE_SUM_H

typedef struct Sum
{
	double high;
	double low;
} Sum;

static inline void
sum_add(Sum *sum, double value)
{
	double high = sum->high + value;
	double part = high - sum->high;

	sum->low += (sum->high - (high - part)) + (value - part);
	sum->high = high;
}

static inline void
sum_merge(Sum *sum, const Sum *other)
{
	sum_add(sum, other->high);
	sum->low += other->low;
}

static inline double
sum_value(const Sum *sum)
{
	return sum->high + sum->low;
}

/* Multiply by a power of two: exact, as long as nothing underflows. */
static inline void
sum_scale(Sum *sum, double factor)
{
	sum->high *= factor;
	sum->low *= factor;
}

#endif
