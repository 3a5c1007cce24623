/*
 * moments.c
 *		Arithmetic of the sums that an arm's rows are kept as.
 *
 * Merging follows Chan, Golub and LeVeque (1979): the sums of one part are
 * moved to the other's shift.  Moving and taking the mean off are done in
 * twice the precision, because what cancels there may be n times what is left.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "experiment/moments.h"
#include "libpq/pqformat.h"
#include "utils/float.h"

/* ---- more of numbers of twice the precision ---- */

static inline Sum
normalised(Sum x)
{
	double high = x.high + x.low;

	return (Sum){ high, x.low - (high - x.high) };
}

static inline Sum
times(Sum a, double factor)
{
	return sum_product(a, (Sum){ factor, 0 });
}

static inline Sum
divided(Sum a, double divisor)
{
	double high = a.high / divisor;

	return (Sum){ high, (fma(-high, divisor, a.high) + a.low) / divisor };
}

/* ---- merging ---- */

void
arm_merge(ArmSums *arm, const ArmSums *other, int k)
{
	Sum *deviations = arm_deviations(arm, k);
	const Sum *others = arm_deviations(unconstify(ArmSums *, other), k);
	Sum move[MAX_VARIABLES];
	double n = (double) other->n;
	int at = k;
	int64 both;

	if (other->n == 0)
		return;
	if (arm->n == 0)
	{
		memcpy(arm, other, arm_sums_size(k));
		return;
	}

	/* of moments_of(), that is: so many rows are never read */
	if (pg_add_s64_overflow(arm->n, other->n, &both))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("moments of too many rows cannot be merged"),
				 errdetail("Together they are more than a bigint can count."),
				 errhint("Check the n of moments_of().")));
	for (int i = 0; i < k; i++)
		move[i] = sum_difference(other->numbers[i], arm->numbers[i]);
	for (int i = 0; i < k; i++)
	{
		for (int j = 0; j <= i; j++, at++)
		{
			Sum by_i = sum_product(move[i], normalised(others[j]));
			Sum by_j = sum_product(move[j], normalised(others[i]));
			Sum by_both = times(sum_product(move[i], move[j]), n);

			sum_merge(&deviations[at], &others[at]);
			sum_merge(&deviations[at], &by_i);
			sum_merge(&deviations[at], &by_j);
			sum_merge(&deviations[at], &by_both);
		}
	}
	for (int i = 0; i < k; i++)
	{
		Sum moved = times(move[i], n);

		sum_merge(&deviations[i], &others[i]);
		sum_merge(&deviations[i], &moved);
	}
	arm->n = both;
}

/* ---- reading ---- */

static double
co_moment(Sum of_products, Sum deviation, Sum mean)
{
	Sum off = sum_product(deviation, mean);

	off.high = -off.high;
	off.low = -off.low;
	sum_merge(&of_products, &off);
	return sum_value(&of_products);
}

void
arm_summary(const ArmSums *arm, int k, Summary *summary)
{
	Sum *sums = arm_deviations(unconstify(ArmSums *, arm), k);
	double n = (double) arm->n;
	int at = k;

	summary->k = k;
	summary->n = arm->n;
	for (int i = 0; i < k + arm_products(k); i++)
	{
		/* low is NaN where high has overflowed */
		if (!isfinite(sum_value(&sums[i])))
			float_overflow_error();
	}
	for (int i = 0; i < k; i++)
	{
		Sum mean = divided(normalised(sums[i]), n);
		Sum shifted = mean;

		sum_add(&shifted, arm->numbers[i]);
		summary->mean[i] = arm->n > 0 ? sum_value(&shifted) : NAN;
		for (int j = 0; j <= i; j++, at++)
		{
			double moment = co_moment(sums[at], normalised(sums[j]), mean);

			if (i == j)
				moment = Max(moment, 0);
			summary->covariance[i][j] = summary->covariance[j][i] =
				arm->n > 1 ? moment / (n - 1) : NAN;
		}
	}
}

/* ---- outside ---- */

void
arm_send(StringInfo buf, const ArmSums *arm, int k)
{
	pq_sendint64(buf, arm->n);
	for (int i = 0; i < 3 * k + 2 * arm_products(k); i++)
		pq_sendfloat8(buf, arm->numbers[i]);
}

void
arm_recv(StringInfo buf, ArmSums *arm, int k, const StateType *type)
{
	Sum *products = arm_deviations(arm, k) + k;

	arm->n = pq_getmsgint64(buf);
	if (arm->n < 0)
		state_malformed(type, "Its count is negative.");
	for (int i = 0; i < 3 * k + 2 * arm_products(k); i++)
	{
		arm->numbers[i] = pq_getmsgfloat8(buf);
		if (!isfinite(arm->numbers[i]))
			state_malformed(type, "A sum is not finite.");
		if (arm->n == 0 && arm->numbers[i] != 0)
			state_malformed(type, "It has sums of no rows.");
	}
	for (int i = 0; i < k; i++)
	{
		/* of the products of a variable with itself */
		if (sum_value(&products[arm_products(i + 1) - 1]) < 0)
			state_malformed(type, "A sum of squares is negative.");
	}
}
