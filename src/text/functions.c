/*
 * functions.c
 *		The measures and normalisers of text as functions of SQL.
 */
#include "postgres.h"

#include <limits.h>

#include "compat.h"
#include "fmgr.h"
#include "text/text.h"
#include "utils/builtins.h"

/* With four points alike, more than this would leave nothing to tell. */
#define MAX_PREFIX_WEIGHT 0.25

PG_FUNCTION_INFO_V1(personalize_jaro);
PG_FUNCTION_INFO_V1(personalize_jaro_winkler);
PG_FUNCTION_INFO_V1(personalize_damerau_levenshtein);
PG_FUNCTION_INFO_V1(personalize_normalize_email);
PG_FUNCTION_INFO_V1(personalize_normalize_phone);

static void
argument_points(FunctionCallInfo fcinfo, int argno, Points *points)
{
	const text *value = PG_GETARG_TEXT_PP(argno);

	points_init(points, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

Datum
personalize_jaro(PG_FUNCTION_ARGS)
{
	Points a;
	Points b;

	argument_points(fcinfo, 0, &a);
	argument_points(fcinfo, 1, &b);
	PG_RETURN_FLOAT8(jaro_similarity(&a, &b));
}

Datum
personalize_jaro_winkler(PG_FUNCTION_ARGS)
{
	double prefix_weight = PG_GETARG_FLOAT8(2);
	Points a;
	Points b;

	/* NaN is not, either */
	if (!(prefix_weight >= 0 && prefix_weight <= MAX_PREFIX_WEIGHT))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("prefix_weight must be between 0 and 0.25"),
				 errdetail("prefix_weight is %g.", prefix_weight),
				 errhint("Leave it out for Winkler's own, 0.1.")));
	argument_points(fcinfo, 0, &a);
	argument_points(fcinfo, 1, &b);
	PG_RETURN_FLOAT8(jaro_winkler_similarity(&a, &b, prefix_weight));
}

Datum
personalize_damerau_levenshtein(PG_FUNCTION_ARGS)
{
	Points a;
	Points b;

	argument_points(fcinfo, 0, &a);
	argument_points(fcinfo, 1, &b);
	PG_RETURN_INT32(damerau_levenshtein_distance(&a, &b, INT_MAX));
}

Datum
personalize_normalize_email(PG_FUNCTION_ARGS)
{
	char *email = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *normal = email_normal_form(email, PG_GETARG_BOOL(1));

	if (normal == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(normal));
}

/* Not strict: without a region, numbers with a calling code are understood. */
Datum
personalize_normalize_phone(PG_FUNCTION_ARGS)
{
	const char *region =
		PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	char *normal;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	normal = phone_normal_form(text_to_cstring(PG_GETARG_TEXT_PP(0)), region);
	if (normal == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(normal));
}
