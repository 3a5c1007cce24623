/*
 * float_numeric.c
 *		numeric as double, quickly.
 *
 * A numeric of few digits is an integer below 2^53 divided by a power of ten
 * up to 10^22: both are exact as doubles, so that their quotient is the double
 * nearest to the numeric (Clinger 1990), the same that the cast would give.
 * Everything else takes the cast's way.
 *
 * numeric.c keeps the layout of a stored value to itself, but as it is what
 * stands in tables it has not changed since 9.1: a word of flags, in the short
 * form with scale and weight in it, and digits of base 10,000.
 */
#include "postgres.h"

#include "common/float_numeric.h"
#include "compat.h"
#include "utils/fmgrprotos.h"

#define NBASE 10000
#define NBASE_DIGITS 4

#define FLAGS_MASK 0xC000
#define FLAGS_NEGATIVE 0x4000
#define FLAGS_SHORT 0x8000
#define FLAGS_SPECIAL 0xC000
#define SHORT_NEGATIVE 0x2000
#define SHORT_WEIGHT_SIGN 0x0040
#define SHORT_WEIGHT_MASK 0x003F

static const double powers_of_ten[] = { 1e0,  1e1,	1e2,  1e3,	1e4,  1e5,
										1e6,  1e7,	1e8,  1e9,	1e10, 1e11,
										1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
										1e18, 1e19, 1e20, 1e21, 1e22 };

/* The numbers of a stored numeric; the flags must not say special. */
typedef struct Digits
{
	bool negative;
	int weight; /* of the first digit, in powers of NBASE */
	int n;
	const int16 *digits;
} Digits;

static Digits
read_digits(const struct varlena *value)
{
	const char *data = VARDATA_ANY(value);
	int size = VARSIZE_ANY_EXHDR(value);
	uint16 flags;
	Digits d;

	memcpy(&flags, data, sizeof(flags));
	if ((flags & FLAGS_MASK) == FLAGS_SHORT)
	{
		d.negative = (flags & SHORT_NEGATIVE) != 0;
		d.weight = flags & SHORT_WEIGHT_MASK;
		if (flags & SHORT_WEIGHT_SIGN)
			d.weight |= ~SHORT_WEIGHT_MASK;
		d.digits = (const int16 *) (data + sizeof(uint16));
		d.n = (size - sizeof(uint16)) / sizeof(int16);
	}
	else
	{
		int16 weight;

		memcpy(&weight, data + sizeof(uint16), sizeof(weight));
		d.negative = (flags & FLAGS_MASK) == FLAGS_NEGATIVE;
		d.weight = weight;
		d.digits = (const int16 *) (data + 2 * sizeof(uint16));
		d.n = (size - 2 * sizeof(uint16)) / sizeof(int16);
	}
	return d;
}

double
float_from_numeric(Numeric value)
{
	struct varlena *stored = (struct varlena *) value;
	uint16 flags;
	Digits d;
	int64 digits = 0;
	int fraction;
	double result;

	memcpy(&flags, VARDATA_ANY(stored), sizeof(flags));
	if ((flags & FLAGS_MASK) == FLAGS_SPECIAL)
		return DatumGetFloat8(
			DirectFunctionCall1(numeric_float8, NumericGetDatum(value)));
	d = read_digits(stored);
	if (d.n == 0)
		return 0;

	/* digits behind the point; fewer than none is a factor */
	fraction = (d.n - 1 - d.weight) * NBASE_DIGITS;
	if (d.n > 4 || fraction < 0 || fraction > 20)
		return DatumGetFloat8(
			DirectFunctionCall1(numeric_float8, NumericGetDatum(value)));
	for (int i = 0; i < d.n; i++)
	{
		int16 digit;

		memcpy(&digit, d.digits + i, sizeof(digit));
		digits = digits * NBASE + digit;
	}
	if (digits >= (INT64CONST(1) << 53))
		return DatumGetFloat8(
			DirectFunctionCall1(numeric_float8, NumericGetDatum(value)));
	result = (double) digits / powers_of_ten[fraction];
	return d.negative ? -result : result;
}
