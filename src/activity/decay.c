/*
 * decay.c
 *		Weights that halve in every half-life: the arithmetic.
 */
#include "postgres.h"

#include "activity/activity.h"

uint64
decay_landmark(TimestampTz at, int64 half_life)
{
	uint64 length = (uint64) half_life * DECAY_STRETCH;

	if (half_life > LONG_HALF_LIFE)
		return END_OF_TIME;
	return (decay_clock(at) / length + 1) * length;
}

void
decay_move(Sum *sums, int nsums, uint64 from, uint64 to, int64 half_life)
{
	uint64 half_lives = (to - from) / (uint64) half_life;
	int halvings = (int) Min(half_lives, ALL_HALVINGS);

	for (int i = 0; i < nsums; i++)
	{
		sums[i].high = decay_halve(sums[i].high, halvings);
		sums[i].low = decay_halve(sums[i].low, halvings);
	}
}

double
decay_value(double sum, uint64 landmark, TimestampTz at, int64 half_life)
{
	uint64 clock = decay_clock(at);
	int halvings;

	if (clock > landmark)
	{
		uint64 age = clock - landmark;
		uint64 half_lives = age / (uint64) half_life;

		halvings = (int) Min(half_lives, ALL_HALVINGS);
		sum *= exp2(-(double) (age % (uint64) half_life) / (double) half_life);
		return ldexp(sum, -halvings);
	}
	/* back to a time within the stretch */
	sum /= decay_weight(at, landmark, half_life, &halvings);
	return ldexp(sum, halvings);
}
