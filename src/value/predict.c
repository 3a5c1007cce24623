/*
 * predict.c
 *		SQL functions of a fit and a customer.
 */
#include "postgres.h"

#include <math.h>

#include "value/value.h"

PG_FUNCTION_INFO_V1(personalize_log_likelihood_purchases);
PG_FUNCTION_INFO_V1(personalize_log_likelihood_spending);
PG_FUNCTION_INFO_V1(personalize_p_alive);
PG_FUNCTION_INFO_V1(personalize_bgbb_p_alive);
PG_FUNCTION_INFO_V1(personalize_expected_purchases);
PG_FUNCTION_INFO_V1(personalize_conditional_expected_purchases);
PG_FUNCTION_INFO_V1(personalize_purchase_pmf);
PG_FUNCTION_INFO_V1(personalize_pareto_nbd_dert);
PG_FUNCTION_INFO_V1(personalize_expected_spend);
PG_FUNCTION_INFO_V1(personalize_customer_lifetime_value);

/* Months of a lifetime: a typing mistake would take long otherwise. */
#define MAX_MONTHS 1200

/* frequency, recency and tenure from argno on. */
static Customer
arg_customer(FunctionCallInfo fcinfo, int argno, const PurchaseModel *model)
{
	Customer customer = {
		PG_GETARG_FLOAT8(argno),
		PG_GETARG_FLOAT8(argno + 1),
		PG_GETARG_FLOAT8(argno + 2),
	};

	check_customer(model, &customer);
	return customer;
}

/* Parameters that no fit has may lead beyond what doubles can tell. */
static Datum
known(double value)
{
	if (isnan(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg(
					 "parameters of the fit are too large, too small or too far apart"),
				 errdetail("The result cannot be computed.")));
	return Float8GetDatum(value);
}

static void
check_model(const PurchaseModel *is, const PurchaseModel *should_be,
			const char *function)
{
	if (is != should_be)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s() needs a fit of %s, not of %s", function,
						should_be->title, is->title)));
}

Datum
personalize_log_likelihood_purchases(PG_FUNCTION_ARGS)
{
	const PurchaseModel *model;
	const double *params = arg_purchase_fit(fcinfo, 0, &model);
	Customer customer = arg_customer(fcinfo, 1, model);

	PG_RETURN_DATUM(known(model->log_likelihood(params, &customer, 1, NULL)));
}

/* NULL for customers of whom Gamma-Gamma says nothing, which no fit uses. */
Datum
personalize_log_likelihood_spending(PG_FUNCTION_ARGS)
{
	const double *params = arg_spend_fit(fcinfo, 0);
	double x = PG_GETARG_FLOAT8(1);
	double m = PG_GETARG_FLOAT8(2);

	check_spending(x, m);
	if (x == 0 || m == 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(known(gamma_gamma_log_likelihood(params, x, m, 1, NULL)));
}

Datum
personalize_p_alive(PG_FUNCTION_ARGS)
{
	const PurchaseModel *model;
	const double *params = arg_purchase_fit(fcinfo, 0, &model);
	Customer customer = arg_customer(fcinfo, 1, model);

	/* customers leave at opportunities: is there one for whom the next is one */
	if (model == &bgbb_model)
		PG_RETURN_DATUM(known(bgbb_p_alive_ahead(params, &customer, 1)));
	PG_RETURN_DATUM(known(model->p_alive(params, &customer)));
}

Datum
personalize_bgbb_p_alive(PG_FUNCTION_ARGS)
{
	const PurchaseModel *model;
	const double *params = arg_purchase_fit(fcinfo, 0, &model);
	Customer customer = arg_customer(fcinfo, 1, model);
	int ahead = PG_GETARG_INT32(4);

	check_model(model, &bgbb_model, "bgbb_p_alive");
	if (ahead < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ahead must not be negative"),
				 errdetail("It is %d.", ahead)));
	PG_RETURN_DATUM(known(bgbb_p_alive_ahead(params, &customer, ahead)));
}

Datum
personalize_expected_purchases(PG_FUNCTION_ARGS)
{
	const PurchaseModel *model;
	const double *params = arg_purchase_fit(fcinfo, 0, &model);
	double horizon = PG_GETARG_FLOAT8(1);

	check_horizon(model, horizon, "horizon");
	PG_RETURN_DATUM(known(model->expected(params, horizon)));
}

Datum
personalize_conditional_expected_purchases(PG_FUNCTION_ARGS)
{
	const PurchaseModel *model;
	const double *params = arg_purchase_fit(fcinfo, 0, &model);
	Customer customer = arg_customer(fcinfo, 1, model);
	double horizon = PG_GETARG_FLOAT8(4);

	check_horizon(model, horizon, "horizon");
	PG_RETURN_DATUM(
		known(model->p_alive(params, &customer) *
			  model->expected_if_alive(params, &customer, horizon)));
}

Datum
personalize_purchase_pmf(PG_FUNCTION_ARGS)
{
	const PurchaseModel *model;
	const double *params = arg_purchase_fit(fcinfo, 0, &model);
	int n = PG_GETARG_INT32(1);
	double horizon = PG_GETARG_FLOAT8(2);

	check_horizon(model, horizon, "horizon");
	if (n < 0)
		PG_RETURN_FLOAT8(0);
	PG_RETURN_DATUM(known(model->pmf(params, n, horizon)));
}

Datum
personalize_pareto_nbd_dert(PG_FUNCTION_ARGS)
{
	const PurchaseModel *model;
	const double *params = arg_purchase_fit(fcinfo, 0, &model);
	Customer customer = arg_customer(fcinfo, 1, model);
	double discount = PG_GETARG_FLOAT8(4);

	check_model(model, &pareto_nbd_model, "pareto_nbd_dert");
	if (!(discount > 0 && discount < INFINITY))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("discount must be finite and above 0"),
				 errdetail("It is %.15g.", discount),
				 errhint(
					 "It is a continuous rate for a unit of time: ln(1.15) / 52 for 15 %% a year and a model in weeks.")));
	PG_RETURN_DATUM(known(pareto_nbd_dert(params, &customer, discount)));
}

Datum
personalize_expected_spend(PG_FUNCTION_ARGS)
{
	const double *params = arg_spend_fit(fcinfo, 0);
	double x = PG_GETARG_FLOAT8(1);
	double m = PG_GETARG_FLOAT8(2);

	check_spending(x, m);
	PG_RETURN_DATUM(known(gamma_gamma_expected(params, x, m)));
}

static void
check_lifetime(double period, int months, double discount, double margin)
{
	if (!(period > 0 && period < INFINITY))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period must be finite and above 0"),
				 errdetail("It is %.15g.", period),
				 errhint(
					 "It is the length of a month in the fit's unit of time: 30.4 for days, 4.345 for weeks.")));
	if (months < 0 || months > MAX_MONTHS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("months must be from 0 to %d", MAX_MONTHS),
				 errdetail("It is %d.", months)));
	if (!(discount > -1 && discount < INFINITY))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("discount must be finite and above -1"),
				 errdetail("It is %.15g.", discount),
				 errhint("It is a rate a month: 0.01 is 1 %%.")));
	if (isnan(margin) || isinf(margin))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("margin must be finite"),
				 errdetail("It is %.15g.", margin)));
}

/* Purchases of each month to come, discounted by its end. */
static double
discounted_purchases(const PurchaseModel *model, const double *params,
					 const Customer *customer, double period, int months,
					 double discount)
{
	double total = 0;
	double before = 0;
	double factor = 1;

	for (int month = 1; month <= months; month++)
	{
		double purchases =
			model->expected_if_alive(params, customer, month * period);

		factor /= 1 + discount;
		total += (purchases - before) * factor;
		before = purchases;
	}
	return total * model->p_alive(params, customer);
}

Datum
personalize_customer_lifetime_value(PG_FUNCTION_ARGS)
{
	const PurchaseModel *model;
	const double *params = arg_purchase_fit(fcinfo, 0, &model);
	const double *spend_params = arg_spend_fit(fcinfo, 1);
	Customer customer = arg_customer(fcinfo, 2, model);
	double mean_value = PG_GETARG_FLOAT8(5);
	double period = PG_GETARG_FLOAT8(6);
	int months = PG_GETARG_INT32(7);
	double discount = PG_GETARG_FLOAT8(8);
	double margin = PG_GETARG_FLOAT8(9);
	double purchases;

	check_spending(customer.x, mean_value);
	check_lifetime(period, months, discount, margin);
	if (model->discrete)
		check_horizon(model, period, "period");
	check_horizon(model, period * months, "period * months");

	purchases = discounted_purchases(model, params, &customer, period, months,
									 discount);

	/* whatever nobody buys is worth nothing */
	if (purchases == 0 || margin == 0)
		PG_RETURN_FLOAT8(0);
	PG_RETURN_DATUM(
		known(margin * purchases *
			  gamma_gamma_expected(spend_params, customer.x, mean_value)));
}
