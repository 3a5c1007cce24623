/*
 * arm_arrays.c
 *		Moments of both arms by stratum or segment.
 */
#include "postgres.h"

#include "effects/arm_arrays.h"

/* All that have rows must have the same variables. */
static void
check_variables(const Summary *summary, int place, int *k)
{
	if (summary->n == 0)
		return;
	if (summary->k > 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("moments of four variables are those of a ratio"),
				 errdetail("Element %d has them.", place),
				 errhint(
					 "Use moments(outcome) or moments(outcome, covariate).")));
	if (*k != 0 && summary->k != *k)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("moments must all be of the same variables"),
				 errdetail("Element %d has %d, another one %d.", place,
						   summary->k, *k),
				 errhint("Use the same arguments of moments() for all.")));
	*k = summary->k;
}

int
arg_arm_arrays(FunctionCallInfo fcinfo, int argno, Arm **control,
			   Arm **treatment)
{
	Summary *a;
	Summary *b;
	int n = arg_summaries(fcinfo, argno, "control", "treatment", &a, &b);
	int k = 0;

	*control = palloc0(Max(n, 1) * sizeof(Arm));
	*treatment = palloc0(Max(n, 1) * sizeof(Arm));
	for (int i = 0; i < n; i++)
	{
		check_variables(&a[i], i + 1, &k);
		check_variables(&b[i], i + 1, &k);
		arm_of_means(&a[i], &(*control)[i]);
		arm_of_means(&b[i], &(*treatment)[i]);
	}
	return n;
}

CompareOptions
arg_fixed_options(FunctionCallInfo fcinfo, int alpha, int alternative)
{
	CompareOptions options = default_options;

	options.alternative = arg_alternative(fcinfo, alternative);
	options.alpha = arg_alpha(fcinfo, alpha, options.alternative);
	return options;
}
