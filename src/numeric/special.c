/*
 * special.c
 *		SQL functions of the special functions.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "numeric/numeric.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_log_gamma);
PG_FUNCTION_INFO_V1(personalize_digamma);
PG_FUNCTION_INFO_V1(personalize_trigamma);
PG_FUNCTION_INFO_V1(personalize_log_beta);
PG_FUNCTION_INFO_V1(personalize_gamma_p);
PG_FUNCTION_INFO_V1(personalize_gamma_q);
PG_FUNCTION_INFO_V1(personalize_beta_inc);
PG_FUNCTION_INFO_V1(personalize_log_beta_inc);
PG_FUNCTION_INFO_V1(personalize_chi_square_tail);
PG_FUNCTION_INFO_V1(personalize_log_hyp2f1);
PG_FUNCTION_INFO_V1(personalize_log_hyperu);
PG_FUNCTION_INFO_V1(personalize_normal_cdf);
PG_FUNCTION_INFO_V1(personalize_normal_tail);
PG_FUNCTION_INFO_V1(personalize_normal_quantile);
PG_FUNCTION_INFO_V1(personalize_student_t_tail);
PG_FUNCTION_INFO_V1(personalize_student_t_quantile);

static void
out_of_domain(const char *name, double value, const char *domain)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%s must be %s", name, domain),
			 errdetail("%s is %s.", name, float8out_internal(value))));
}

static double
positive(FunctionCallInfo fcinfo, int argno, const char *name)
{
	double value = PG_GETARG_FLOAT8(argno);

	if (!(value > 0) || isinf(value))
		out_of_domain(name, value, "a finite number above 0");
	return value;
}

static double
not_negative(FunctionCallInfo fcinfo, int argno, const char *name)
{
	double value = PG_GETARG_FLOAT8(argno);

	if (!(value >= 0))
		out_of_domain(name, value, "0 or more");
	return value;
}

static double
probability(FunctionCallInfo fcinfo, int argno, const char *name)
{
	double value = PG_GETARG_FLOAT8(argno);

	if (!(value >= 0 && value <= 1))
		out_of_domain(name, value, "from 0 to 1");
	return value;
}

static double
not_nan(FunctionCallInfo fcinfo, int argno, const char *name)
{
	double value = PG_GETARG_FLOAT8(argno);

	if (isnan(value))
		out_of_domain(name, value, "a number");
	return value;
}

/* Degrees of freedom, which may be infinite. */
static double
degrees(FunctionCallInfo fcinfo, int argno)
{
	double value = PG_GETARG_FLOAT8(argno);

	if (!(value > 0))
		out_of_domain("df", value, "above 0");
	return value;
}

/* What is too large for a double, or for the ways there are to compute it. */
static double
finite_result(double value)
{
	if (isnan(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the arguments are too large or too far apart")));
	if (isinf(value))
		float_overflow_error();
	return value;
}

Datum
personalize_log_gamma(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(finite_result(log_gamma(positive(fcinfo, 0, "x"))));
}

Datum
personalize_digamma(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(finite_result(digamma(positive(fcinfo, 0, "x"))));
}

Datum
personalize_trigamma(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(finite_result(trigamma(positive(fcinfo, 0, "x"))));
}

Datum
personalize_log_beta(PG_FUNCTION_ARGS)
{
	double a = positive(fcinfo, 0, "a");
	double b = positive(fcinfo, 1, "b");

	PG_RETURN_FLOAT8(finite_result(log_beta(a, b)));
}

Datum
personalize_gamma_p(PG_FUNCTION_ARGS)
{
	double a = positive(fcinfo, 0, "a");
	double x = not_negative(fcinfo, 1, "x");

	PG_RETURN_FLOAT8(gamma_p(a, x));
}

Datum
personalize_gamma_q(PG_FUNCTION_ARGS)
{
	double a = positive(fcinfo, 0, "a");
	double x = not_negative(fcinfo, 1, "x");

	PG_RETURN_FLOAT8(gamma_q(a, x));
}

Datum
personalize_beta_inc(PG_FUNCTION_ARGS)
{
	double a = positive(fcinfo, 0, "a");
	double b = positive(fcinfo, 1, "b");
	double x = probability(fcinfo, 2, "x");

	PG_RETURN_FLOAT8(beta_inc(a, b, x));
}

/* minus infinity for x = 0 */
Datum
personalize_log_beta_inc(PG_FUNCTION_ARGS)
{
	double a = positive(fcinfo, 0, "a");
	double b = positive(fcinfo, 1, "b");
	double x = probability(fcinfo, 2, "x");

	PG_RETURN_FLOAT8(log_beta_inc(a, b, x));
}

Datum
personalize_chi_square_tail(PG_FUNCTION_ARGS)
{
	double x = not_negative(fcinfo, 0, "x");
	double df = positive(fcinfo, 1, "df");

	PG_RETURN_FLOAT8(chi_square_tail(x, df));
}

Datum
personalize_log_hyp2f1(PG_FUNCTION_ARGS)
{
	double a = positive(fcinfo, 0, "a");
	double b = positive(fcinfo, 1, "b");
	double c = positive(fcinfo, 2, "c");
	double z = PG_GETARG_FLOAT8(3);

	if (!(z < 1) || isinf(z))
		out_of_domain("z", z, "a finite number below 1");
	if (z < 0 && c < a && c < b)
		out_of_domain("c", c, "at least a or b where z is negative");
	PG_RETURN_FLOAT8(finite_result(log_hyp2f1(a, b, c, z)));
}

Datum
personalize_log_hyperu(PG_FUNCTION_ARGS)
{
	double a = positive(fcinfo, 0, "a");
	double b = PG_GETARG_FLOAT8(1);
	double z = positive(fcinfo, 2, "z");

	if (isnan(b) || isinf(b))
		out_of_domain("b", b, "finite");
	PG_RETURN_FLOAT8(finite_result(log_hyperu(a, b, z)));
}

Datum
personalize_normal_cdf(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(normal_cdf(not_nan(fcinfo, 0, "x")));
}

Datum
personalize_normal_tail(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(normal_tail(not_nan(fcinfo, 0, "x")));
}

Datum
personalize_normal_quantile(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(normal_quantile(probability(fcinfo, 0, "p")));
}

Datum
personalize_student_t_tail(PG_FUNCTION_ARGS)
{
	double t = not_nan(fcinfo, 0, "t");
	double df = degrees(fcinfo, 1);

	PG_RETURN_FLOAT8(student_tail(t, df));
}

Datum
personalize_student_t_quantile(PG_FUNCTION_ARGS)
{
	double p = probability(fcinfo, 0, "p");
	double df = degrees(fcinfo, 1);

	if (p == 0 || p == 1)
		PG_RETURN_FLOAT8(student_quantile(p, df));
	PG_RETURN_FLOAT8(finite_result(student_quantile(p, df)));
}
