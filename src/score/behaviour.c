/*
 * behaviour.c
 *		The aggregate behaviour_class: how far a visitor came.
 *
 * Its state is the number of the furthest step, which pg_catalog.int4larger
 * combines.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/args.h"
#include "compat.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define STEPS 5

static const char *const step_events[STEPS] = { "view", "search", "add_to_cart",
												"checkout_start", "purchase" };
static const char *const step_classes[STEPS] = {
	"browser", "searcher", "cart_abandoner", "checkout_abandoner", "purchaser"
};

PG_FUNCTION_INFO_V1(personalize_behaviour_class_add);
PG_FUNCTION_INFO_V1(personalize_behaviour_class_add_named);
PG_FUNCTION_INFO_V1(personalize_behaviour_class_final);

static Datum
furthest(FunctionCallInfo fcinfo, int step)
{
	int before = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT32(0);

	if (Max(before, step) == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(Max(before, step));
}

static bool
same_text(const text *value, const char *other, Size length)
{
	return VARSIZE_ANY_EXHDR(value) == length &&
		memcmp(VARDATA_ANY(value), other, length) == 0;
}

Datum
personalize_behaviour_class_add(PG_FUNCTION_ARGS)
{
	text *event;
	int step;

	if (PG_ARGISNULL(1))
		return furthest(fcinfo, 0);
	event = PG_GETARG_TEXT_PP(1);
	for (step = STEPS; step > 0; step--)
	{
		if (same_text(event, step_events[step - 1],
					  strlen(step_events[step - 1])))
			break;
	}
	return furthest(fcinfo, step);
}

/* A null among the names is a step that there is no event for. */
Datum
personalize_behaviour_class_add_named(PG_FUNCTION_ARGS)
{
	text *event;
	Datum *names;
	bool *nulls;
	int n;
	int step;

	arg_not_null(fcinfo, 2, "names");
	if (ARR_NDIM(PG_GETARG_ARRAYTYPE_P(2)) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("names must have one dimension")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false,
					  TYPALIGN_INT, &names, &nulls, &n);
	if (n != STEPS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("names must be %d event names", STEPS),
				 errdetail("There are %d.", n),
				 errhint(
					 "Pass your events for view, search, add_to_cart, checkout_start and purchase, in this order, and NULL for one that there is not.")));
	if (PG_ARGISNULL(1))
		return furthest(fcinfo, 0);

	event = PG_GETARG_TEXT_PP(1);
	for (step = STEPS; step > 0; step--)
	{
		text *name = nulls[step - 1] ? NULL : DatumGetTextPP(names[step - 1]);

		if (name &&
			same_text(event, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)))
			break;
	}
	return furthest(fcinfo, step);
}

Datum
personalize_behaviour_class_final(PG_FUNCTION_ARGS)
{
	int step;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	step = PG_GETARG_INT32(0);
	if (step < 1 || step > STEPS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d is not a partial result of behaviour_class", step),
				 errhint(
					 "Use only values that behaviour_class_partial() has returned.")));
	PG_RETURN_TEXT_P(cstring_to_text(step_classes[step - 1]));
}
