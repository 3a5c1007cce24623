/*
 * activity.h
 *		What the parts of activity share: decay, and arguments of aggregates.
 *
 * What happened at a time t counts 2^(-(now - t) / half_life).  While rows are
 * added, now is not known, so weights are relative to a landmark.  Time is cut
 * into stretches of 32 half-lives, and the landmark is the end of the stretch
 * of the latest event: weights relative to it are at most 1.  When a later
 * event moves it, all that has been summed is divided by the same power of two,
 * which is exact: so the order in which rows come does not matter, and nothing
 * overflows, however short the half-life.  What is too old to be told from 0 is.
 *
 * Times are counted here from the first that there is, so that they and their
 * differences fit 64 bits without a sign.
 */
#ifndef PERSONALIZE_ACTIVITY_H
#define PERSONALIZE_ACTIVITY_H

#include <math.h>

#include "compat.h"
#include "common/int.h"
#include "common/state.h"
#include "common/sum.h"
#include "datatype/timestamp.h"

/* ---- decay ---- */

#define DECAY_STRETCH 32

/*
 * All of time is few half-lives that are longer than this, and so a single
 * stretch.  The ends of shorter stretches fit 64 bits.
 */
#define LONG_HALF_LIFE (INT64CONST(1) << 57)
#define END_OF_TIME ((uint64) END_TIMESTAMP - (uint64) MIN_TIMESTAMP)

/* More halvings than this leave nothing of any double. */
#define ALL_HALVINGS 4096

/* The end of the stretch that a time falls into. */
extern uint64 decay_landmark(TimestampTz at, int64 half_life);

/* Move sums from one landmark to a later one. */
extern void
decay_move(Sum *sums, int nsums, uint64 from, uint64 to, int64 half_life);

/* A sum that is relative to a landmark, as of a time. */
extern double
decay_value(double sum, uint64 landmark, TimestampTz at, int64 half_life);

static inline uint64
decay_clock(TimestampTz at)
{
	return (uint64) at - (uint64) MIN_TIMESTAMP;
}

/*
 * The weight at a landmark of a time that is not after it, as a number above
 * 1/2 and how often to halve it.
 */
static inline double
decay_weight(TimestampTz at, uint64 landmark, int64 half_life, int *halvings)
{
	uint64 age = landmark - decay_clock(at);
	uint64 half_lives = age / (uint64) half_life;
	uint64 rest = age % (uint64) half_life;

	*halvings = (int) Min(half_lives, ALL_HALVINGS);
	return exp2(-(double) rest / (double) half_life);
}

/* As ldexp(value, -halvings), quickly while the factor is a normal number. */
static inline double
decay_halve(double value, int halvings)
{
	union
	{
		uint64 bits;
		double value;
	} factor;

	if (unlikely(halvings > 1000))
		return ldexp(value, -halvings);
	factor.bits = (uint64) (1023 - halvings) << 52;
	return value * factor.value;
}

/* ---- arguments ---- */

/* A number of type double precision or numeric, not NULL; errors as args.h. */
extern double
arg_finite_numeric(FunctionCallInfo fcinfo, int argno, const char *name);

/* An argument that must be the same in all rows of a group was not. */
pg_noreturn extern void
not_constant(const char *name, const char *one, const char *other);
pg_noreturn extern void
duration_not_constant(const char *name, int64 one, int64 other);

/* Slow path of arg_same_duration(). */
extern void check_same_duration(FunctionCallInfo fcinfo, int argno,
								const char *name, int64 us);

/* Check a duration against the one that earlier rows of the group had. */
static inline void
arg_same_duration(FunctionCallInfo fcinfo, int argno, const char *name,
				  int64 us)
{
	if (!PG_ARGISNULL(argno))
	{
		/* the raw bytes, as this is done on each row */
		const Interval *interval = (const Interval *) PG_GETARG_POINTER(argno);
		int64 length;

		if (interval->month == 0 &&
			!pg_mul_s64_overflow(interval->day, USECS_PER_DAY, &length) &&
			!pg_add_s64_overflow(length, interval->time, &length) &&
			length == us)
			return;
	}
	check_same_duration(fcinfo, argno, name, us);
}

/* ---- affinity_state.c ---- */

/* A key; its bytes end where those of the next key begin. */
typedef struct AffinityKey
{
	Sum weight; /* relative to landmark */
	uint64 landmark;
	uint32 hash;
	uint32 start; /* of its bytes, among those of all keys */
} AffinityKey;

/*
 * The keys in the order of their arrival; behind their full capacity a hash
 * table of their numbers, if there is room for many, and then their bytes.
 */
typedef struct AffinityState
{
	StateHeader head;
	int64 half_life; /* in microseconds; 0: weights do not decay */
	TimestampTz latest;
	int32 k;
	int32 n;
	int32 capacity; /* a power of two */
	uint32 used;	/* bytes of keys */
	AffinityKey keys[FLEXIBLE_ARRAY_MEMBER];
} AffinityState;

/* A key as of the latest event of all; its bytes lie in the state. */
typedef struct AffinityRank
{
	double weight;
	const char *bytes;
	uint32 len;
	int32 key;
} AffinityRank;

extern const StateType affinity_type;

extern AffinityState *affinity_new(int64 half_life, TimestampTz at, int32 k);

/*
 * The number of a key, which is added with this landmark if it is not there
 * yet: that may move the state.
 */
extern int32 affinity_key(AffinityState **state, const char *bytes, uint32 len,
						  uint64 landmark);

extern const char *
affinity_key_bytes(const AffinityState *state, int32 key, uint32 *len);

/* All keys by their weights, or only in the order of their bytes. */
extern AffinityRank *affinity_ranks(const AffinityState *state, bool by_weight);

/* ---- funnel_match.c ---- */

#define FUNNEL_MAX_STEPS 64

/* A row in which steps are true: step 1 is the lowest bit. */
typedef struct FunnelEvent
{
	TimestampTz at;
	uint64 steps;
} FunnelEvent;

/*
 * How far events, sorted by time, go through a funnel of so many steps, and
 * when each of them is reached.
 */
extern int funnel_match(const FunnelEvent *events, int64 n, int nsteps,
						int64 within, TimestampTz *times);

#endif
