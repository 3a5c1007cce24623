/*
 * fieller.c
 *		An interval of the relative difference that agrees with the test of the
 *		difference (Fieller 1954).
 *
 * A relative difference r is in it if a test does not tell that the treatment
 * is other than 1 + r times the control: if difference - r base, which is
 * normal where both are, is not far from 0.  So 0 is in it exactly if the
 * interval of the difference holds 0, which the delta method cannot promise.
 * It is not symmetric, and it is bounded only where the base is far from 0
 * itself.
 */
#include "postgres.h"

#include <math.h>

#include "experiment/experiment.h"

void
fieller_interval(LiftTest *test, double base, double base_variance,
				 double covariance, const CompareOptions *options)
{
	const Effect *effect = &test->absolute;
	double half = options->alternative == LESS ?
		effect->high - effect->estimate :
		effect->estimate - effect->low;
	double reach = half / effect->stderror;
	double size = fabs(base);
	/* a r^2 - 2 b r + c <= 0 */
	double a = size * size - reach * reach * base_variance;
	double b = effect->estimate * size -
		reach * reach * (base < 0 ? -covariance : covariance);
	double c = (effect->estimate - half) * (effect->estimate + half);
	double root = sqrt(Max(b * b - a * c, 0));

	test->fieller_low = test->fieller_high = NAN;
	if (!(a > 0) || isnan(effect->p) || isnan(b))
		return;
	/* the larger root first, from which the other one follows without loss */
	if (b > 0)
	{
		test->fieller_high = (b + root) / a;
		test->fieller_low = c / (b + root);
	}
	else
	{
		test->fieller_low = (b - root) / a;
		test->fieller_high = b - root == 0 ? 0 : c / (b - root);
	}
	if (options->alternative == LESS)
		test->fieller_low = -INFINITY;
	if (options->alternative == GREATER)
		test->fieller_high = INFINITY;
}
