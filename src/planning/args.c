/*
 * args.c
 *		Arguments of the functions that plan experiments.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "lib/stringinfo.h"
#include "planning/planning.h"
#include "utils/builtins.h"
#include "utils/float.h"

void
out_of_range(const char *name, double value, const char *range,
			 const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be %s", name, range),
			 errdetail("%s is %s.", name, float8out_internal(value)),
			 errhint("%s", hint)));
}

static double
arg_number(FunctionCallInfo fcinfo, int argno, const char *name)
{
	arg_not_null(fcinfo, argno, name);
	return PG_GETARG_FLOAT8(argno);
}

int
arg_choice(FunctionCallInfo fcinfo, int argno, const char *name,
		   const char *const *choices)
{
	char *given;
	StringInfoData known;

	arg_not_null(fcinfo, argno, name);
	given = text_to_cstring(PG_GETARG_TEXT_PP(argno));
	for (int i = 0; choices[i] != NULL; i++)
	{
		if (strcmp(given, choices[i]) == 0)
			return i;
	}

	initStringInfo(&known);
	for (int i = 0; choices[i] != NULL; i++)
		appendStringInfo(&known, "%s%s", i > 0 ? ", " : "", choices[i]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown %s \"%s\"", name, given),
			 errhint("Known are: %s.", known.data)));
	return -1;
}

Alternative
arg_alternative(FunctionCallInfo fcinfo, int argno)
{
	/* in the order of the enum */
	static const char *const names[] = { "two-sided", "greater", "less", NULL };

	return arg_choice(fcinfo, argno, "alternative", names);
}

double
arg_alpha(FunctionCallInfo fcinfo, int argno, Alternative alternative)
{
	double alpha = arg_number(fcinfo, argno, "alpha");

	if (!(alpha > 0 && alpha < 1))
		out_of_range("alpha", alpha, "above 0 and below 1",
					 "It is the chance of a false alarm that you accept, such as 0.05.");
	if (alternative != TWO_SIDED && alpha >= 0.5)
		out_of_range("alpha", alpha, "below 0.5 in a one-sided test",
					 "It is the chance of a false alarm that you accept, such as 0.05.");
	return alpha;
}

double
arg_real(FunctionCallInfo fcinfo, int argno, const char *name)
{
	double value = arg_number(fcinfo, argno, name);

	if (!isfinite(value))
		out_of_range(name, value, "a finite number",
					 psprintf("Pass %s as a finite number.", name));
	return value;
}

double
arg_positive(FunctionCallInfo fcinfo, int argno, const char *name)
{
	double value = arg_number(fcinfo, argno, name);

	if (!(value > 0) || isinf(value))
		out_of_range(name, value, "a finite number above 0",
					 psprintf("Pass %s as a positive number.", name));
	return value;
}

double
arg_not_negative(FunctionCallInfo fcinfo, int argno, const char *name)
{
	double value = arg_number(fcinfo, argno, name);

	if (!(value >= 0) || isinf(value))
		out_of_range(name, value, "a finite number, 0 or more",
					 psprintf("Pass %s as a number of 0 or more.", name));
	return value;
}

double
arg_proportion(FunctionCallInfo fcinfo, int argno, const char *name)
{
	double value = arg_number(fcinfo, argno, name);

	if (!(value > 0 && value < 1))
		out_of_range(name, value, "above 0 and below 1",
					 psprintf("Pass %s as a part of 1: 0.03 for 3 %%.", name));
	return value;
}
