/*
 * models.c
 *		The models there are, and what they accept.
 */
#include "postgres.h"

#include <math.h>

#include "value/value.h"

static const PurchaseModel *const models[] = {
	&bgnbd_model,
	&mbgnbd_model,
	&pareto_nbd_model,
	&bgbb_model,
};

const PurchaseModel *
purchase_model_by_name(const char *name)
{
	for (int i = 0; i < (int) lengthof(models); i++)
	{
		if (strcmp(models[i]->name, name) == 0)
			return models[i];
	}
	return NULL;
}

static void
invalid_customer(const Customer *customer, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", what),
			 errdetail("frequency is %.15g, recency %.15g, tenure %.15g.",
					   customer->x, customer->t_x, customer->T),
			 errhint(
				 "frequency counts repeat purchases, recency is the time from the first purchase to the last, tenure from the first purchase to now.")));
}

static void
check_opportunities(const PurchaseModel *model, const Customer *customer)
{
	double t_x = customer->t_x;
	double T = customer->T;

	if (t_x != floor(t_x) || T != floor(T))
		invalid_customer(customer,
						 psprintf("recency and tenure must be whole numbers in %s",
								  model->title));
	if (T > MAX_OPPORTUNITIES)
		invalid_customer(customer,
						 psprintf("tenure must not exceed %d in %s",
								  MAX_OPPORTUNITIES, model->title));
	if (customer->x > t_x)
		invalid_customer(customer,
						 psprintf("frequency must not exceed recency in %s",
								  model->title));
}

void
check_customer(const PurchaseModel *model, const Customer *customer)
{
	double x = customer->x;
	double t_x = customer->t_x;
	double T = customer->T;

	/* written so that NaN fails as well */
	if (!(x >= 0 && x <= PG_INT32_MAX && x == floor(x)))
		invalid_customer(customer,
						 "frequency must be a whole number, 0 or more");
	if (!(t_x >= 0 && t_x < INFINITY))
		invalid_customer(customer, "recency must be finite, 0 or more");
	if (!(T >= 0 && T < INFINITY))
		invalid_customer(customer, "tenure must be finite, 0 or more");
	if (t_x > T)
		invalid_customer(customer, "recency must not exceed tenure");
	if (x == 0 && t_x > 0)
		invalid_customer(customer, "recency must be 0 where frequency is 0");
	if (model->discrete)
		check_opportunities(model, customer);
}

void
check_horizon(const PurchaseModel *model, double horizon, const char *name)
{
	if (!(horizon >= 0 && horizon < INFINITY))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be finite, 0 or more", name),
				 errdetail("It is %.15g.", horizon)));
	if (model->discrete &&
		(horizon != floor(horizon) || horizon > MAX_OPPORTUNITIES))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a whole number up to %d in %s", name,
						MAX_OPPORTUNITIES, model->title),
				 errdetail("It is %.15g.", horizon),
				 errhint("%s counts opportunities to buy, not time.",
						 model->title)));
}

void
check_spending(double x, double m)
{
	if (!(x >= 0 && x <= PG_INT32_MAX && x == floor(x)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("frequency must be a whole number, 0 or more"),
				 errdetail("It is %.15g.", x)));
	if (!(m >= 0 && m < INFINITY))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mean value must be finite, 0 or more"),
				 errdetail("It is %.15g.", m)));
}
