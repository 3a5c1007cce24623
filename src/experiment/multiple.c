/*
 * multiple.c
 *		Whether arms got their shares of units, and p-values of several tests.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/args.h"
#include "common/sum.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "numeric/numeric.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_srm);
PG_FUNCTION_INFO_V1(personalize_p_adjust);

/* ---- srm ---- */

typedef struct Arms
{
	int n;
	double *counts;
	double *expected;
	double total;
	int weighted; /* arms whose weight is not 0 */
} Arms;

/* The elements of an array of one dimension, none of them null. */
static Datum *
array_elements(FunctionCallInfo fcinfo, int argno, const char *name, Oid type,
			   int *n)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(argno);
	Datum *elements;
	bool *nulls;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must have one dimension", name),
				 errdetail("It has %d.", ARR_NDIM(array)),
				 errhint("Pass one number for each arm.")));
	deconstruct_array(array, type, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &elements, &nulls, n);
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not hold nulls", name),
					 errdetail("Element %d is null.", i + 1),
					 errhint("Write an arm that has none as 0.")));
	}
	return elements;
}

static void
read_counts(FunctionCallInfo fcinfo, Arms *arms)
{
	Datum *elements = array_elements(fcinfo, 0, "counts", INT8OID, &arms->n);
	Sum total = { 0 };

	if (arms->n < 2)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("counts must have two arms at least"),
				 errdetail("There are %d.", arms->n),
				 errhint(
					 "Count the units of each arm; write an arm that has none as 0.")));
	arms->counts = palloc(arms->n * sizeof(double));
	for (int i = 0; i < arms->n; i++)
	{
		int64 count = DatumGetInt64(elements[i]);

		if (count < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("counts must not be negative"),
					 errdetail("Element %d is %lld.", i + 1, (long long) count),
					 errhint("Count the units of each arm.")));
		arms->counts[i] = count;
		sum_add(&total, count);
	}
	arms->total = sum_value(&total);
}

static double
checked_weight(Datum element, int position)
{
	double weight = DatumGetFloat8(element);

	if (!isfinite(weight) || weight < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weights must be finite and not negative"),
				 errdetail("Element %d is %s.", position,
						   float8out_internal(weight)),
				 errhint("Weights are shares, such as 0.5 and 0.5.")));
	return weight;
}

static double *
read_weights(FunctionCallInfo fcinfo, int n)
{
	double *weights = palloc(n * sizeof(double));
	Datum *elements;
	int n_weights;

	if (PG_ARGISNULL(1))
	{
		for (int i = 0; i < n; i++)
			weights[i] = 1;
		return weights;
	}
	elements = array_elements(fcinfo, 1, "weights", FLOAT8OID, &n_weights);
	if (n_weights != n)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("weights must be as many as counts"),
				 errdetail("There are %d weights of %d arms.", n_weights, n),
				 errhint("Leave weights out for equal ones.")));
	for (int i = 0; i < n; i++)
		weights[i] = checked_weight(elements[i], i + 1);
	return weights;
}

static void
expect(FunctionCallInfo fcinfo, Arms *arms)
{
	double *weights = read_weights(fcinfo, arms->n);
	Sum sum = { 0 };
	double all;

	arms->weighted = 0;
	for (int i = 0; i < arms->n; i++)
	{
		sum_add(&sum, weights[i]);
		arms->weighted += weights[i] > 0;
	}
	all = sum_value(&sum);
	if (!isfinite(all))
		float_overflow_error();
	if (all == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weights must not all be 0"),
				 errhint("Leave weights out for equal ones.")));
	arms->expected = weights;
	for (int i = 0; i < arms->n; i++)
		arms->expected[i] = arms->total * (weights[i] / all);
}

/*
 * Pearson's chi-square.  An arm that should have nobody and has nobody does not
 * count; one that should have nobody and has somebody makes it infinite.
 */
static double
chi_square_of(const Arms *arms, int *df)
{
	Sum sum = { 0 };
	bool impossible = false;

	*df = -1;
	for (int i = 0; i < arms->n; i++)
	{
		double distance = arms->counts[i] - arms->expected[i];

		if (arms->expected[i] > 0)
			sum_add(&sum, distance * (distance / arms->expected[i]));
		else if (arms->counts[i] > 0)
			impossible = true;
		else
			continue;
		++*df;
	}
	return impossible ? get_float8_infinity() : sum_value(&sum);
}

static double
srm_p_value(double statistic, int df)
{
	if (statistic == 0 || df == 0)
		return 1;
	return isinf(statistic) ? 0 : chi_square_tail(statistic, df);
}

static Datum
float8_array(const double *values, int n)
{
	Datum *elements = palloc(n * sizeof(Datum));

	for (int i = 0; i < n; i++)
		elements[i] = Float8GetDatum(values[i]);
	return PointerGetDatum(construct_array(elements, n, FLOAT8OID,
										   sizeof(float8), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

Datum
personalize_srm(PG_FUNCTION_ARGS)
{
	bool nulls[4] = { false };
	double statistic = 0;
	Datum values[4];
	TupleDesc type;
	Arms arms;
	int df;

	arg_not_null(fcinfo, 0, "counts");
	read_counts(fcinfo, &arms);
	expect(fcinfo, &arms);
	if (arms.total > 0)
		statistic = chi_square_of(&arms, &df);
	else
		df = arms.weighted - 1;

	if (get_call_result_type(fcinfo, NULL, &type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "function does not return a row");
	values[0] = Float8GetDatum(statistic);
	values[1] = Int32GetDatum(df);
	values[2] = Float8GetDatum(srm_p_value(statistic, df));
	values[3] = float8_array(arms.expected, arms.n);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(type, values, nulls)));
}

/* ---- p_adjust ---- */

typedef struct Test
{
	double p;
	int place; /* in the array */
} Test;

/* n tests in ascending order of p, which becomes what it is adjusted to. */
typedef void (*Adjustment)(Test *tests, int n);

#define ST_SORT sort_tests
#define ST_ELEMENT_TYPE Test
#define ST_COMPARE(a, b) (((a)->p > (b)->p) - ((a)->p < (b)->p))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static void
bonferroni(Test *tests, int n)
{
	for (int i = 0; i < n; i++)
		tests[i].p = Min(1, n * tests[i].p);
}

/* 1 - (1 - p)^n without losing a small p */
static void
sidak(Test *tests, int n)
{
	for (int i = 0; i < n; i++)
		tests[i].p = tests[i].p == 1 ? 1 : -expm1(n * log1p(-tests[i].p));
}

static void
holm(Test *tests, int n)
{
	double highest = 0;

	for (int i = 0; i < n; i++)
	{
		highest = Max(highest, (n - i) * tests[i].p);
		tests[i].p = Min(1, highest);
	}
}

static void
hochberg(Test *tests, int n)
{
	double lowest = 1;

	for (int i = n - 1; i >= 0; i--)
	{
		lowest = Min(lowest, (n - i) * tests[i].p);
		tests[i].p = lowest;
	}
}

static void
step_up(Test *tests, int n, double factor)
{
	double lowest = 1;

	for (int i = n - 1; i >= 0; i--)
	{
		lowest = Min(lowest, tests[i].p * (factor * n / (i + 1)));
		tests[i].p = lowest;
	}
}

static void
benjamini_hochberg(Test *tests, int n)
{
	step_up(tests, n, 1);
}

static void
benjamini_yekutieli(Test *tests, int n)
{
	double harmonic = 0;

	for (int i = n; i > 0; i--)
	{
		CHECK_FOR_INTERRUPTS();
		harmonic += 1.0 / i;
	}
	step_up(tests, n, harmonic);
}

static const struct
{
	const char *name;
	Adjustment adjust;
} methods[] = {
	{ "bonferroni", bonferroni },
	{ "holm", holm },
	{ "hochberg", hochberg },
	{ "bh", benjamini_hochberg },
	{ "fdr", benjamini_hochberg },
	{ "by", benjamini_yekutieli },
	{ "sidak", sidak },
};

static Adjustment
arg_method(FunctionCallInfo fcinfo, int argno)
{
	char *name;

	arg_not_null(fcinfo, argno, "method");
	name = text_to_cstring(PG_GETARG_TEXT_PP(argno));
	for (int i = 0; i < (int) lengthof(methods); i++)
	{
		if (pg_strcasecmp(name, methods[i].name) == 0)
			return methods[i].adjust;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("method of p_adjust is not known"),
			 errdetail("method is \"%s\".", name),
			 errhint(
				 "Known methods are bonferroni, holm, hochberg, bh (or fdr), by and sidak.")));
	return NULL;
}

static void
check_p(double p, int position)
{
	/* NaN is not, either */
	if (!(p >= 0 && p <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("p must hold numbers between 0 and 1"),
				 errdetail("Element %d is %s.", position,
						   float8out_internal(p)),
				 errhint("A test that has no p-value is NULL.")));
}

/* Nulls stay where they are, and are no tests. */
Datum
personalize_p_adjust(PG_FUNCTION_ARGS)
{
	Adjustment adjust = arg_method(fcinfo, 1);
	ArrayType *array;
	Datum *elements;
	bool *nulls;
	Test *tests;
	int length;
	int n = 0;

	arg_not_null(fcinfo, 0, "p");
	array = PG_GETARG_ARRAYTYPE_P(0);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("p must have one dimension"),
				 errdetail("It has %d.", ARR_NDIM(array)),
				 errhint("Pass one p-value for each test.")));
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &elements, &nulls, &length);
	tests = palloc_extended(Max(length, 1) * sizeof(Test), MCXT_ALLOC_HUGE);
	for (int i = 0; i < length; i++)
	{
		if (nulls[i])
			continue;
		check_p(DatumGetFloat8(elements[i]), i + 1);
		tests[n++] = (Test){ DatumGetFloat8(elements[i]) + 0.0, i };
	}

	sort_tests(tests, n);
	adjust(tests, n);
	for (int i = 0; i < n; i++)
		elements[tests[i].place] = Float8GetDatum(tests[i].p);
	PG_RETURN_ARRAYTYPE_P(construct_md_array(elements, nulls, ARR_NDIM(array),
											 ARR_DIMS(array), ARR_LBOUND(array),
											 FLOAT8OID, sizeof(float8),
											 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
