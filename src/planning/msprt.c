/*
 * msprt.c
 *		The mixture sequential probability ratio test of two means.
 *
 * Johari, Pekelis and Walsh, "Always valid inference: continuous monitoring of
 * A/B tests" (arXiv:1512.04922; Operations Research 70, 2022): the effect has
 * a normal prior of mean 0 and variance tau2 under the alternative.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "common/record.h"
#include "planning/planning.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_msprt);

Datum
personalize_msprt(PG_FUNCTION_ARGS)
{
	double difference = arg_real(fcinfo, 0, "mean_difference");
	double variance = arg_positive(fcinfo, 1, "variance");
	double n = arg_positive(fcinfo, 2, "n_per_arm");
	double tau2 = arg_positive(fcinfo, 3, "tau2");
	double alpha = arg_alpha(fcinfo, 4, TWO_SIDED);
	double of_difference = 2 * (variance / n);
	double log_root = 0.5 * log1p(tau2 / of_difference);
	double shrunk = 1 + of_difference / tau2;
	double z = difference / sqrt(of_difference);
	double log_ratio = z * z / 2 / shrunk - log_root;
	double numbers[] = {
		exp(log_ratio),
		exp(Min(-log_ratio, 0)),
		sqrt(2 * of_difference * shrunk * (log_root - log(alpha))),
	};

	if (!isfinite(numbers[2]) || isnan(log_ratio))
		float_overflow_error();
	PG_RETURN_DATUM(number_row(fcinfo, numbers, lengthof(numbers)));
}
