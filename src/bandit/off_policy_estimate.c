/*
 * off_policy_estimate.c
 *		The result of ope(): what the target policy would have earned, by
 *		several estimators, with their standard errors.
 */
#include "postgres.h"

#include <math.h>

#include "bandit/off_policy.h"
#include "drift/drift.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_ope_final);

/* The fields of off_policy_estimate, by their places. */
enum
{
	N,
	IPS,
	IPS_SE,
	SNIPS,
	SNIPS_SE,
	CLIPPED_IPS,
	CLIPPED_IPS_SE,
	CLIP,
	DM,
	DM_SE,
	DR,
	DR_SE,
	ESS,
	MEAN_WEIGHT,
	MAX_WEIGHT,
	NFIELDS
};

/* The squares of weights that are all below this are lost: as if all were 0. */
#define LEAST_WEIGHT 1e-150

/* Add sum * factor, each part by itself. */
static void
add_multiple(LongSum *to, const LongSum *sum, double factor)
{
	long_sum_add_product(to, factor, sum->high);
	long_sum_add_product(to, factor, sum->middle);
	long_sum_add_product(to, factor, sum->low);
}

/*
 * Sum of (y - centre x)^2, by the sums of y^2, x y and x^2: digits that cancel
 * are beyond those of a double.
 */
static double
squares_around(const LongSum *yy, const LongSum *xy, const LongSum *xx,
			   double centre)
{
	LongSum rest = *yy;
	double square_rest;
	double square = two_product(centre, centre, &square_rest);

	add_multiple(&rest, xy, -2 * centre);
	add_multiple(&rest, xx, square);
	add_multiple(&rest, xx, square_rest);
	return Max(long_sum_value(&rest), 0);
}

/* A mean and its standard error, of sums of numbers and of their squares. */
static void
set_mean(double *fields, int field, const OffPolicy *ope, OpeSum which)
{
	const LongSum *sum = &ope->sums[which];
	const LongSum *squares = &ope->sums[which + 1];
	LongSum n = { ope->n, 0, 0 };
	LongSum rest = *sum;
	double mean = long_sum_value(sum) / ope->n;
	double above;

	/* how far the mean lies above the one that was rounded */
	long_sum_add_product(&rest, -(double) ope->n, mean);
	above = long_sum_value(&rest) / ope->n;

	fields[field] = mean + above;
	if (ope->n > 1)
	{
		double total =
			squares_around(squares, sum, &n, mean) - ope->n * above * above;

		fields[field + 1] =
			sqrt(Max(total, 0) / (ope->n - 1.0) / (double) ope->n);
	}
}

/*
 * A ratio of means: its standard error is by the delta method, that is of the
 * residuals w (reward - snips).
 */
static void
set_snips(double *fields, const OffPolicy *ope)
{
	double weight = long_sum_value(&ope->sums[OPE_WEIGHT]);
	double snips;

	if (ope->max_weight < LEAST_WEIGHT)
		return;
	snips = long_sum_value(&ope->sums[OPE_VALUE]) / weight;
	fields[SNIPS] = snips;
	if (ope->n > 1)
		fields[SNIPS_SE] =
			sqrt(squares_around(&ope->sums[OPE_VALUE_SQUARE],
								&ope->sums[OPE_WEIGHT_VALUE],
								&ope->sums[OPE_WEIGHT_SQUARE], snips)) /
			weight;
}

static void
set_weights(double *fields, const OffPolicy *ope)
{
	double weight = long_sum_value(&ope->sums[OPE_WEIGHT]);
	double square = long_sum_value(&ope->sums[OPE_WEIGHT_SQUARE]);

	fields[MEAN_WEIGHT] = weight / ope->n;
	fields[MAX_WEIGHT] = ope->max_weight;
	fields[ESS] = ope->max_weight < LEAST_WEIGHT ? 0 : weight / square * weight;
}

Datum
personalize_ope_final(PG_FUNCTION_ARGS)
{
	double fields[NFIELDS];
	Datum values[NFIELDS];
	const OffPolicy *ope;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	ope = state_readable(fcinfo, 0);

	/* NaN becomes NULL */
	for (int i = 0; i < NFIELDS; i++)
		fields[i] = NAN;
	set_mean(fields, IPS, ope, OPE_VALUE);
	set_snips(fields, ope);
	set_weights(fields, ope);
	if (ope->clip > 0)
	{
		set_mean(fields, CLIPPED_IPS, ope, OPE_CLIPPED);
		fields[CLIP] = ope->clip;
	}
	if (has_model(ope))
	{
		set_mean(fields, DM, ope, OPE_MODEL);
		set_mean(fields, DR, ope, OPE_CORRECTED);
	}

	values[N] = Int64GetDatum(ope->n);
	for (int i = N + 1; i < NFIELDS; i++)
	{
		if (isinf(fields[i]))
			float_overflow_error();
		values[i] = Float8GetDatum(fields[i]);
	}
	PG_RETURN_DATUM(make_row(result_type(fcinfo), values));
}
