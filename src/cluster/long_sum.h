/*
 * long_sum.h
 *		Sums of doubles to three times their precision.
 *
 * common/sum.h with one more double.  Squares of numbers that all lie far from
 * zero cancel in their variance; with some 159 bits that loses nothing, and
 * leaves nothing of the order of the summands.
 */
#ifndef PERSONALIZE_LONG_SUM_H
#define PERSONALIZE_LONG_SUM_H

typedef struct LongSum
{
	double high;
	double middle;
	double low;
} LongSum;

/* a + b as a double and what that rounds off (TwoSum, Knuth 1969). */
static inline double
two_sum(double a, double b, double *rest)
{
	double sum = a + b;
	double part = sum - a;

	*rest = (a - (sum - part)) + (b - part);
	return sum;
}

/* a * b likewise (Dekker 1971). */
static inline double
two_product(double a, double b, double *rest)
{
	double product = a * b;
	double a_shifted = 134217729.0 * a;
	double b_shifted = 134217729.0 * b;
	double a_high = a_shifted - (a_shifted - a);
	double b_high = b_shifted - (b_shifted - b);
	double a_low = a - a_high;
	double b_low = b - b_high;

	*rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) +
		a_low * b_low;
	return product;
}

static inline void
long_sum_add(LongSum *sum, double value)
{
	sum->high = two_sum(sum->high, value, &value);
	sum->middle = two_sum(sum->middle, value, &value);
	sum->low += value;
}

static inline void
long_sum_add_product(LongSum *sum, double a, double b)
{
	double rest;

	long_sum_add(sum, two_product(a, b, &rest));
	long_sum_add(sum, rest);
}

static inline void
long_sum_merge(LongSum *sum, const LongSum *other)
{
	long_sum_add(sum, other->high);
	long_sum_add(sum, other->middle);
	sum->low += other->low;
}

/* The same sum, its first part as near to it as a double can be. */
static inline void
long_sum_normalise(LongSum *sum)
{
	double rest;

	sum->middle = two_sum(sum->middle, sum->low, &sum->low);
	sum->high = two_sum(sum->high, sum->middle, &rest);
	sum->middle = two_sum(rest, sum->low, &sum->low);
	sum->high = two_sum(sum->high, sum->middle, &sum->middle);
}

static inline double
long_sum_value(const LongSum *sum)
{
	LongSum copy = *sum;

	long_sum_normalise(&copy);
	return copy.high;
}

#endif
