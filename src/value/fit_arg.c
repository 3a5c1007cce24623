/*
 * fit_arg.c
 *		Fits as arguments of functions.
 *
 * A query applies one fit to a million customers.  The fit is a composite
 * value that holds an array; taking it apart costs more than the prediction.
 * So what came out is kept for as long as the same bytes come in.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "value/value.h"

PG_FUNCTION_INFO_V1(personalize_purchase_model);
PG_FUNCTION_INFO_V1(personalize_spend_model);

/* Columns of the types purchase_fit and spend_fit. */
#define PURCHASE_FIT_MODEL 1
#define PURCHASE_FIT_PARAMS 2
#define PURCHASE_FIT_CONVERGED 7
#define PURCHASE_FIT_REASON 8
#define PURCHASE_FIT_COLUMNS 8

#define SPEND_FIT_PARAMS 1
#define SPEND_FIT_CONVERGED 6
#define SPEND_FIT_REASON 7
#define SPEND_FIT_COLUMNS 7

/* Fits are the first arguments, at most two of them. */
#define MAX_FIT_ARGS 2

typedef struct CachedFit
{
	Size size; /* 0 if there is none */
	char *bytes;
	const PurchaseModel *model;
	double params[MODEL_MAX_PARAMS];
} CachedFit;

static const char *const spend_param_names[] = { "p", "q", "v" };

static CachedFit *
cached_fit(FunctionCallInfo fcinfo, int argno)
{
	FmgrInfo *flinfo = fcinfo->flinfo;

	Assert(argno < MAX_FIT_ARGS);
	if (flinfo->fn_extra == NULL)
		flinfo->fn_extra =
			MemoryContextAllocZero(flinfo->fn_mcxt,
								   MAX_FIT_ARGS * sizeof(CachedFit));
	return (CachedFit *) flinfo->fn_extra + argno;
}

static inline bool
is_cached(const CachedFit *cached, struct varlena *value)
{
	return cached->size == VARSIZE_ANY_EXHDR(value) &&
		memcmp(cached->bytes, VARDATA_ANY(value), cached->size) == 0;
}

static void
remember(CachedFit *cached, FunctionCallInfo fcinfo, struct varlena *value)
{
	Size size = VARSIZE_ANY_EXHDR(value);
	char *bytes = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, size);

	memcpy(bytes, VARDATA_ANY(value), size);
	if (cached->bytes != NULL)
		pfree(cached->bytes);
	cached->bytes = bytes;
	cached->size = size;
}

static void
no_parameters(HeapTupleHeader fit, int reason_column)
{
	bool isnull;
	Datum reason = GetAttributeByNum(fit, reason_column, &isnull);

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the fit has no parameters"),
			 isnull ? 0 :
					  errdetail("It failed: %s.", TextDatumGetCString(reason)),
			 errhint(
				 "Check params IS NOT NULL, and converged, before you apply a fit.")));
}

/* Parameters from an array, each of them checked. */
static void
read_params(ArrayType *array, const char *title, const char *const *names,
			int nparams, double *params)
{
	Datum *values;
	bool *nulls;
	int n;

	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &values, &nulls, &n);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("parameters of %s must be an array of one dimension",
						title)));
	if (n != nparams)
	{
		char *list = pstrdup(names[0]);

		for (int i = 1; i < nparams; i++)
			list = psprintf("%s, %s", list, names[i]);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s has %d parameters, not %d", title, nparams, n),
				 errdetail("They are %s.", list)));
	}
	for (int i = 0; i < n; i++)
	{
		double value = nulls[i] ? 0 : DatumGetFloat8(values[i]);

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("parameter %s of %s must not be null", names[i],
							title)));
		if (!(value > 0 && value < INFINITY))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("parameter %s of %s must be finite and above 0",
							names[i], title),
					 errdetail("It is %.15g.", value)));
		params[i] = value;
	}
}

static const PurchaseModel *
model_by_name(const char *name)
{
	const PurchaseModel *model = purchase_model_by_name(name);

	if (model == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no purchase model \"%s\"", name),
				 errhint("The models are %s.", PURCHASE_MODELS)));
	return model;
}

static void
read_purchase_fit(HeapTupleHeader fit, CachedFit *cached)
{
	bool isnull;
	Datum params = GetAttributeByNum(fit, PURCHASE_FIT_PARAMS, &isnull);
	Datum name;

	if (isnull)
		no_parameters(fit, PURCHASE_FIT_REASON);
	name = GetAttributeByNum(fit, PURCHASE_FIT_MODEL, &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the fit names no model"),
				 errhint("The models are %s.", PURCHASE_MODELS)));
	cached->model = model_by_name(TextDatumGetCString(name));
	read_params(DatumGetArrayTypeP(params), cached->model->title,
				cached->model->param_names, cached->model->nparams,
				cached->params);
}

const double *
arg_purchase_fit(FunctionCallInfo fcinfo, int argno,
				 const PurchaseModel **model)
{
	CachedFit *cached = cached_fit(fcinfo, argno);
	struct varlena *value = PG_GETARG_VARLENA_PP(argno);

	if (!is_cached(cached, value))
	{
		/* an error must not leave half of it behind */
		cached->size = 0;
		read_purchase_fit(PG_GETARG_HEAPTUPLEHEADER(argno), cached);
		remember(cached, fcinfo, value);
	}
	*model = cached->model;
	return cached->params;
}

const double *
arg_spend_fit(FunctionCallInfo fcinfo, int argno)
{
	CachedFit *cached = cached_fit(fcinfo, argno);
	struct varlena *value = PG_GETARG_VARLENA_PP(argno);

	if (!is_cached(cached, value))
	{
		HeapTupleHeader fit = PG_GETARG_HEAPTUPLEHEADER(argno);
		bool isnull;
		Datum params = GetAttributeByNum(fit, SPEND_FIT_PARAMS, &isnull);

		if (isnull)
			no_parameters(fit, SPEND_FIT_REASON);
		cached->size = 0;
		read_params(DatumGetArrayTypeP(params), "Gamma-Gamma",
					spend_param_names, GAMMA_GAMMA_PARAMS, cached->params);
		remember(cached, fcinfo, value);
	}
	return cached->params;
}

/* A row of the result type, of which the given columns are not null. */
static Datum
form_fit(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return HeapTupleGetDatum(
		heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

Datum
personalize_purchase_model(PG_FUNCTION_ARGS)
{
	const PurchaseModel *model =
		model_by_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(1);
	Datum values[PURCHASE_FIT_COLUMNS] = { 0 };
	bool nulls[PURCHASE_FIT_COLUMNS];
	double params[MODEL_MAX_PARAMS];

	read_params(array, model->title, model->param_names, model->nparams,
				params);

	memset(nulls, true, sizeof(nulls));
	values[PURCHASE_FIT_MODEL - 1] = CStringGetTextDatum(model->name);
	nulls[PURCHASE_FIT_MODEL - 1] = false;
	values[PURCHASE_FIT_PARAMS - 1] = PointerGetDatum(array);
	nulls[PURCHASE_FIT_PARAMS - 1] = false;
	values[PURCHASE_FIT_CONVERGED - 1] = BoolGetDatum(true);
	nulls[PURCHASE_FIT_CONVERGED - 1] = false;
	return form_fit(fcinfo, values, nulls);
}

Datum
personalize_spend_model(PG_FUNCTION_ARGS)
{
	Datum elements[GAMMA_GAMMA_PARAMS];
	Datum values[SPEND_FIT_COLUMNS] = { 0 };
	bool nulls[SPEND_FIT_COLUMNS];
	double params[MODEL_MAX_PARAMS];
	ArrayType *array;

	for (int i = 0; i < GAMMA_GAMMA_PARAMS; i++)
		elements[i] = PG_GETARG_DATUM(i);
	array = construct_array(elements, GAMMA_GAMMA_PARAMS, FLOAT8OID,
							sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
	read_params(array, "Gamma-Gamma", spend_param_names, GAMMA_GAMMA_PARAMS,
				params);

	memset(nulls, true, sizeof(nulls));
	values[SPEND_FIT_PARAMS - 1] = PointerGetDatum(array);
	nulls[SPEND_FIT_PARAMS - 1] = false;
	values[SPEND_FIT_CONVERGED - 1] = BoolGetDatum(true);
	nulls[SPEND_FIT_CONVERGED - 1] = false;
	return form_fit(fcinfo, values, nulls);
}
