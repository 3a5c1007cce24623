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
			 errdetail("frequency is %g, recency %g, tenure %g.", customer->x,
					   customer->t_x, customer->T),
			 errhint(
				 "frequency counts repeat purchases, recency is the time from the first purchase to the last one, tenure from the first purchase to now.")));
}

void
check_customer(const PurchaseModel *model, const Customer *customer)
{
	double x = customer->x;
	double t_x = customer->t_x;
	double T = customer->T;

	/* comparisons that NaN fails, and infinity */
	if (!(x >= 0 && x <= PG_INT32_MAX && x == floor(x)))
		invalid_customer(customer,
						 "frequency must be a whole number, not negative");
	if (!(t_x >= 0))
		invalid_customer(customer, "recency must not be negative or NaN");
	if (!(T >= 0 && T < INFINITY))
		invalid_customer(customer, "tenure must be finite and not negative");
	if (t_x > T)
		invalid_customer(customer, "recency must not exceed tenure");
	if (x == 0 && t_x > 0)
		invalid_customer(customer, "recency must be 0 if frequency is 0");
	if (model->discrete)
	{
		if (t_x != floor(t_x) || T != floor(T) || T > PG_INT32_MAX)
			invalid_customer(customer,
							 psprintf("recency and tenure must be whole numbers for %s",
									  model->title));
		if (x > t_x)
			invalid_customer(customer,
							 psprintf("frequency must not exceed recency for %s",
									  model->title));
	}
}
