/*
 * fit_result.c
 *		Fits as final functions of aggregates.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/args.h"
#include "compat.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "value/value.h"

PG_FUNCTION_INFO_V1(personalize_bgnbd_fit_final);
PG_FUNCTION_INFO_V1(personalize_mbgnbd_fit_final);
PG_FUNCTION_INFO_V1(personalize_pareto_nbd_fit_final);
PG_FUNCTION_INFO_V1(personalize_bgbb_fit_final);
PG_FUNCTION_INFO_V1(personalize_fit_best_final);
PG_FUNCTION_INFO_V1(personalize_gamma_gamma_fit_final);

/* A sample with what is computed from it once, whatever is fitted. */
typedef struct Prepared
{
	SampleRow *rows;
	int64 n;
	FitSet *set;
} Prepared;

static const char *const gamma_gamma_names[] = { "p", "q", "v" };

/*
 * What the data are measured in may not be so large or small that doubles
 * cannot hold a ratio or a product of two of them.
 */
#define MIN_SCALE 1e-150
#define MAX_SCALE 1e150

/* v in units of the mean value. */
static const double gamma_gamma_starts[][MODEL_MAX_PARAMS] = {
	{ 6, 4, 0.5 },
	{ 1, 2, 1 },
	{ 20, 2, 0.1 },
	{ 2, 10, 5 },
};

static void
prepare(FunctionCallInfo fcinfo, SampleKind kind, Prepared *prepared)
{
	const FitSample *sample = arg_fit_sample(fcinfo, 0, kind);

	prepared->n = sample->n;
	prepared->rows = fit_sample_sorted(sample);
	prepared->set = fit_set_build(prepared->rows, prepared->n);
}

static const char *
too_few(const FitSet *set, const char *who)
{
	if (set->weight >= MIN_FIT_CUSTOMERS)
		return NULL;
	return psprintf("too few customers: a fit needs at least %d%s, there are %g",
					MIN_FIT_CUSTOMERS, who, set->weight);
}

/* NaN is not. */
static bool
is_scale(double mean)
{
	return mean > MIN_SCALE && mean < MAX_SCALE;
}

/* Why no model of purchases can be fitted, or NULL. */
static const char *
why_no_purchase_fit(const FitSet *set)
{
	const char *reason = too_few(set, "");

	if (reason == NULL && set->mean_T == 0)
		reason =
			"no customer was observed after the first purchase: every tenure is 0";
	if (reason == NULL && !is_scale(set->mean_T))
		reason = "tenures are too large or too small: take another unit";
	if (reason == NULL && set->purchases == 0)
		reason = "no customer has a repeat purchase";
	return reason;
}

static const char *
why_no_spend_fit(const FitSet *set)
{
	const char *reason = too_few(set, " with repeat purchases of some value");

	if (reason == NULL && !is_scale(set->mean_t_x))
		reason = "mean values are too large or too small: take another unit";
	if (reason == NULL && set->min_t_x == set->max_t_x)
		reason = "every customer has the same mean value";
	return reason;
}

static void
fit_purchases(const PurchaseModel *purchases, const Prepared *prepared,
			  FitResult *result)
{
	FitModel model = {
		.nparams = purchases->nparams,
		.param_names = purchases->param_names,
		.nstarts = purchases->nstarts,
		.starts = purchases->starts,
		.model = purchases,
		.log_likelihood_sum = purchases->log_likelihood_sum,
	};

	for (int i = 0; i < purchases->nparams; i++)
		model.scale[i] = purchases->is_time[i] ? prepared->set->mean_T : 1;
	fit_model(&model, prepared->rows, prepared->n, prepared->set, result);
}

static void
no_fit(const FitSet *set, const char *reason, FitResult *result)
{
	memset(result, 0, sizeof(*result));
	result->customers = set->weight;
	result->reason = reason;
}

static Datum
float8_array(const double *values, int n)
{
	Datum elements[MODEL_MAX_PARAMS];

	for (int i = 0; i < n; i++)
		elements[i] = Float8GetDatum(values[i]);
	return PointerGetDatum(construct_array(elements, n, FLOAT8OID,
										   sizeof(float8), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

/* purchase_fit, or spend_fit, which is the same without the model's name. */
static Datum
result_tuple(FunctionCallInfo fcinfo, const char *name, const FitResult *result)
{
	TupleDesc desc;
	Datum values[8];
	bool nulls[8] = { false };
	int i = 0;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "a fit must return a composite type");
	desc = BlessTupleDesc(desc);

	if (name != NULL)
		values[i++] = CStringGetTextDatum(name);
	nulls[i] = !result->has_params;
	values[i++] = float8_array(result->params, result->nparams);
	nulls[i] = !result->has_errors;
	values[i++] = float8_array(result->standard_errors, result->nparams);
	nulls[i] = !result->has_params;
	values[i++] = Float8GetDatum(result->log_likelihood);
	values[i++] = Float8GetDatum(result->customers);
	values[i++] = Int32GetDatum(result->iterations);
	values[i++] = BoolGetDatum(result->converged);
	nulls[i] = result->reason == NULL;
	values[i++] = CStringGetTextDatum(result->reason ? result->reason : "");
	Assert(i == desc->natts);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

static Datum
purchase_fit(FunctionCallInfo fcinfo, const PurchaseModel *model)
{
	SampleKind kind = model->discrete ? SAMPLE_OPPORTUNITIES : SAMPLE_PURCHASES;
	Prepared prepared;
	FitResult result;
	const char *reason;

	prepare(fcinfo, kind, &prepared);
	reason = why_no_purchase_fit(prepared.set);
	if (reason != NULL)
		no_fit(prepared.set, reason, &result);
	else
		fit_purchases(model, &prepared, &result);
	return result_tuple(fcinfo, model->name, &result);
}

Datum
personalize_bgnbd_fit_final(PG_FUNCTION_ARGS)
{
	return purchase_fit(fcinfo, &bgnbd_model);
}

Datum
personalize_mbgnbd_fit_final(PG_FUNCTION_ARGS)
{
	return purchase_fit(fcinfo, &mbgnbd_model);
}

Datum
personalize_pareto_nbd_fit_final(PG_FUNCTION_ARGS)
{
	return purchase_fit(fcinfo, &pareto_nbd_model);
}

Datum
personalize_bgbb_fit_final(PG_FUNCTION_ARGS)
{
	return purchase_fit(fcinfo, &bgbb_model);
}

/* Convergence first, then likelihood: all have the same number of parameters. */
static bool
is_better(const FitResult *a, const FitResult *b)
{
	if (a->converged != b->converged)
		return a->converged;
	return a->log_likelihood > b->log_likelihood;
}

Datum
personalize_fit_best_final(PG_FUNCTION_ARGS)
{
	const PurchaseModel *models[] = { &bgnbd_model, &mbgnbd_model,
									  &pareto_nbd_model };
	const PurchaseModel *model = NULL;
	Prepared prepared;
	FitResult result;
	const char *reason;

	prepare(fcinfo, SAMPLE_PURCHASES, &prepared);
	reason = why_no_purchase_fit(prepared.set);
	if (reason != NULL)
	{
		no_fit(prepared.set, reason, &result);
		return result_tuple(fcinfo, models[0]->name, &result);
	}
	for (int i = 0; i < (int) lengthof(models); i++)
	{
		FitResult fitted;

		fit_purchases(models[i], &prepared, &fitted);
		if (model == NULL || is_better(&fitted, &result))
		{
			result = fitted;
			model = models[i];
		}
	}
	return result_tuple(fcinfo, model->name, &result);
}

Datum
personalize_gamma_gamma_fit_final(PG_FUNCTION_ARGS)
{
	FitModel model = {
		.nparams = GAMMA_GAMMA_PARAMS,
		.param_names = gamma_gamma_names,
		.nstarts = lengthof(gamma_gamma_starts),
		.starts = gamma_gamma_starts,
		.log_likelihood_sum = gamma_gamma_log_likelihood_sum,
	};
	Prepared prepared;
	FitResult result;
	const char *reason;

	prepare(fcinfo, SAMPLE_SPEND, &prepared);
	reason = why_no_spend_fit(prepared.set);
	if (reason != NULL)
		no_fit(prepared.set, reason, &result);
	else
	{
		model.scale[0] = model.scale[1] = 1;
		model.scale[2] = prepared.set->mean_t_x;
		fit_model(&model, prepared.rows, prepared.n, prepared.set, &result);
	}
	return result_tuple(fcinfo, NULL, &result);
}
