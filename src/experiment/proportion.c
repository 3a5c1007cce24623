/*
 * proportion.c
 *		lift_proportion() and compare_proportions(): the difference of shares.
 *
 * The interval of a share is Wilson's (1927), that of the difference is
 * Newcombe's (1998, method 10), which is made of these, beside Wald's; that of
 * the relative difference is Katz's (1978), on the logarithm.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "common/record.h"
#include "experiment/lift.h"
#include "experiment/proportion.h"
#include "numeric/numeric.h"

PG_FUNCTION_INFO_V1(personalize_lift_proportion_add);
PG_FUNCTION_INFO_V1(personalize_lift_proportion_result);
PG_FUNCTION_INFO_V1(personalize_compare_proportions);

typedef struct Interval2
{
	double low;
	double high;
} Interval2;

/* Wilson's interval at z standard errors. */
static Interval2
wilson(double successes, double failures, double z)
{
	double n = successes + failures;
	double p = successes / n;
	double scale = 1 + z * z / n;
	double centre = (p + z * z / (2 * n)) / scale;
	double width =
		z * sqrt(p * (failures / n) / n + z * z / (4 * n * n)) / scale;

	/* at the ends rounding must not leave a trace of the other side */
	return (Interval2){ successes == 0 ? 0 : Max(centre - width, 0),
						failures == 0 ? 1 : Min(centre + width, 1) };
}

/*
 * Counts are exact, so what is left of a rate near 1 is taken from the units
 * that have not succeeded, never as 1 less the rate.
 */
typedef struct Share
{
	double n;
	double successes;
	double failures;
	double rate; /* NaN of none */
	double rest; /* 1 - rate */
	Interval2 interval;
	double below; /* from the rate to the ends of the interval */
	double above;
} Share;

static Share
share_of(int64 successes, int64 n, double z)
{
	Share share = { .n = (double) n,
					.successes = (double) successes,
					.failures = (double) (n - successes) };

	if (!(n > 0))
	{
		share.rate = share.rest = share.below = share.above = NAN;
		share.interval = (Interval2){ NAN, NAN };
		return share;
	}
	share.rate = share.successes / share.n;
	share.rest = share.failures / share.n;
	if (share.rate <= share.rest)
	{
		share.interval = wilson(share.successes, share.failures, z);
		share.below = share.rate - share.interval.low;
		share.above = share.interval.high - share.rate;
	}
	else
	{
		Interval2 rest = wilson(share.failures, share.successes, z);

		share.interval = (Interval2){ 1 - rest.high, 1 - rest.low };
		share.below = rest.high - share.rest;
		share.above = share.rest - rest.low;
	}
	return share;
}

/* Of two rates that are nearly the same, too: of products without rounding. */
static double
rate_difference(const Share *a, const Share *b)
{
	double of_b = b->successes * a->n;
	double of_a = a->successes * b->n;
	double low =
		fma(b->successes, a->n, -of_b) - fma(a->successes, b->n, -of_a);

	return (of_b - of_a + low) / a->n / b->n;
}

static double
hypotenuse(double a, double b)
{
	return sqrt(a * a + b * b);
}

/* A one-sided interval is open to the end of what there can be. */
static Interval2
one_sided(Interval2 interval, Alternative alternative, double least,
		  double most)
{
	if (alternative == LESS && !isnan(interval.high))
		interval.low = least;
	if (alternative == GREATER && !isnan(interval.low))
		interval.high = most;
	return interval;
}

static Interval2
newcombe(const Share *a, const Share *b)
{
	double difference = rate_difference(a, b);

	return (Interval2){
		difference - hypotenuse(b->below, a->above),
		difference + hypotenuse(b->above, a->below),
	};
}

/* Katz's: none where a share is 0, for it has no logarithm. */
static Interval2
relative_interval(const Share *a, const Share *b, double z)
{
	double width;

	if (!(a->successes > 0 && b->successes > 0))
		return (Interval2){ NAN, NAN };
	width = z * sqrt(a->rest / a->successes + b->rest / b->successes);
	return (Interval2){ expm1(log(b->rate / a->rate) - width),
						expm1(log(b->rate / a->rate) + width) };
}

static double
tail_of(double z, Alternative alternative)
{
	switch (alternative)
	{
		case GREATER:
			return normal_tail(z);
		case LESS:
			return normal_tail(-z);
		default:
			return Min(2 * normal_tail(fabs(z)), 1);
	}
}

/* Pearson's chi-square of two by two with Yates' correction: always two-sided. */
static double
yates_p_value(const Share *a, const Share *b, double error)
{
	double apart = fabs(rate_difference(a, b));
	double z = (apart - Min((1 / a->n + 1 / b->n) / 2, apart)) / error;

	return Min(2 * normal_tail(z), 1);
}

/* The score test of one common rate, which is its p-value's statistic. */
typedef struct Score
{
	double z;
	double p;
	double yates_p;
} Score;

static Score
score_of(const Share *a, const Share *b, Alternative alternative)
{
	double n = a->n + b->n;
	double error =
		sqrt((a->successes + b->successes) / n *
			 ((a->failures + b->failures) / n) * (1 / a->n + 1 / b->n));
	Score score;

	if (!(a->n > 0 && b->n > 0))
		return (Score){ NAN, NAN, NAN };
	/* all alike: nothing speaks for a difference */
	score.z = error > 0 ? rate_difference(a, b) / error : 0;
	score.p = tail_of(score.z, alternative);
	score.yates_p = error > 0 ? yates_p_value(a, b, error) : 1;
	return score;
}

static int
put_share(Datum *values, const Share *share)
{
	values[0] = Float8GetDatum(share->rate);
	values[1] = Float8GetDatum(share->interval.low);
	values[2] = Float8GetDatum(share->interval.high);
	return 3;
}

static int
put_interval(Datum *values, Interval2 interval)
{
	values[0] = Float8GetDatum(interval.low);
	values[1] = Float8GetDatum(interval.high);
	return 2;
}

/* The columns from difference on. */
static int
put_difference(Datum *values, const Share *a, const Share *b, double z,
			   Alternative alternative)
{
	double difference = rate_difference(a, b);
	double stderror = sqrt(a->rate * a->rest / a->n + b->rate * b->rest / b->n);
	Interval2 wald = { difference - z * stderror, difference + z * stderror };
	int n = 0;

	values[n++] = Float8GetDatum(difference);
	values[n++] = Float8GetDatum(stderror);
	n +=
		put_interval(values + n, one_sided(newcombe(a, b), alternative, -1, 1));
	n += put_interval(values + n, one_sided(wald, alternative, -1, 1));
	values[n++] = Float8GetDatum(a->rate > 0 ? difference / a->rate : NAN);
	n += put_interval(values + n,
					  one_sided(relative_interval(a, b, z), alternative, -1,
								INFINITY));
	return n;
}

static Datum
proportion_row(FunctionCallInfo fcinfo, const Counts *counts, double alpha,
			   Alternative alternative)
{
	double z = -normal_quantile(alternative == TWO_SIDED ? alpha / 2 : alpha);
	Share a = share_of(counts->successes_control, counts->n_control, z);
	Share b = share_of(counts->successes_treatment, counts->n_treatment, z);
	Score score = score_of(&a, &b, alternative);
	Datum values[23];
	int n = 0;

	values[n++] = Int64GetDatum(counts->n_control);
	values[n++] = Int64GetDatum(counts->n_treatment);
	values[n++] = Int64GetDatum(counts->successes_control);
	values[n++] = Int64GetDatum(counts->successes_treatment);
	n += put_share(values + n, &a);
	n += put_share(values + n, &b);
	n += put_difference(values + n, &a, &b, z, alternative);
	values[n++] = Float8GetDatum(score.z);
	values[n++] = Float8GetDatum(score.p);
	values[n++] = Float8GetDatum(score.yates_p);
	values[n++] = Float8GetDatum(fisher_p_value(counts, alternative));
	return make_row(result_type(fcinfo), values);
}

/* ---- the aggregate ---- */

Datum
personalize_lift_proportion_add(PG_FUNCTION_ARGS)
{
	LiftState *lift;
	double row;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return unchanged_state(fcinfo);
	lift = PG_ARGISNULL(0) ? lift_new(1, LIFT_PROPORTION) :
							 state_writable(fcinfo, 0);
	lift_expect(lift, LIFT_PROPORTION, "lift_proportion()");
	row = PG_GETARG_BOOL(1);
	arm_add(lift_arm(lift, 1, PG_GETARG_BOOL(2)), 1, &row);
	PG_RETURN_POINTER(lift);
}

/* Whole numbers of this size have been summed exactly. */
static double
sum_of_rows(ArmSums *arm)
{
	return arm->n * arm->numbers[0] + sum_value(arm_deviations(arm, 1));
}

bool
arm_is_share(ArmSums *arm)
{
	double sum = sum_of_rows(arm);

	return sum >= 0 && sum <= (double) arm->n && sum == rint(sum);
}

static int64
successes(ArmSums *arm)
{
	return (int64) sum_of_rows(arm);
}

Datum
personalize_lift_proportion_result(PG_FUNCTION_ARGS)
{
	LiftState *lift;
	Counts counts;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	lift = state_readable(fcinfo, 0);
	lift_expect(lift, LIFT_PROPORTION, "lift_proportion_merge()");
	counts.n_control = lift_arm(lift, 1, CONTROL)->n;
	counts.n_treatment = lift_arm(lift, 1, TREATMENT)->n;
	counts.successes_control = successes(lift_arm(lift, 1, CONTROL));
	counts.successes_treatment = successes(lift_arm(lift, 1, TREATMENT));
	PG_RETURN_DATUM(proportion_row(fcinfo, &counts, default_options.alpha,
								   default_options.alternative));
}

/* ---- from counts ---- */

static void
arg_counts_of(FunctionCallInfo fcinfo, int argno, const char *which,
			  int64 *count, int64 *n)
{
	char name[64];

	snprintf(name, sizeof(name), "successes_%s", which);
	arg_not_null(fcinfo, argno, name);
	snprintf(name, sizeof(name), "n_%s", which);
	arg_not_null(fcinfo, argno + 1, name);
	*count = PG_GETARG_INT64(argno);
	*n = PG_GETARG_INT64(argno + 1);
	if (*count < 0 || *n < *count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("successes_%s must be from 0 to n_%s", which, which),
				 errdetail("successes_%s is %lld, n_%s is %lld.", which,
						   (long long) *count, which, (long long) *n),
				 errhint("Count units, each at most once, not events.")));
}

Datum
personalize_compare_proportions(PG_FUNCTION_ARGS)
{
	Counts counts;
	Alternative alternative = arg_alternative(fcinfo, 5);
	double alpha = arg_alpha(fcinfo, 4, alternative);

	arg_counts_of(fcinfo, 0, "control", &counts.successes_control,
				  &counts.n_control);
	arg_counts_of(fcinfo, 2, "treatment", &counts.successes_treatment,
				  &counts.n_treatment);
	PG_RETURN_DATUM(proportion_row(fcinfo, &counts, alpha, alternative));
}
