/*
 * value.h
 *		Models of purchases and spending: what their functions share.
 */
#ifndef PERSONALIZE_VALUE_H
#define PERSONALIZE_VALUE_H

#include "fmgr.h"

/* What a model knows of a customer; T counts opportunities in BG/BB. */
typedef struct Customer
{
	double x;	/* repeat purchases */
	double t_x; /* time of the last one since the first purchase, 0 if none */
	double T;	/* time since the first purchase */
} Customer;

#define MODEL_MAX_PARAMS 4

/*
 * A model of purchases.  All functions take its parameters, positive, in the
 * order of its paper.
 */
typedef struct PurchaseModel
{
	const char *name;  /* as in purchase_fit.model */
	const char *title; /* as in its paper, for messages */
	int nparams;
	const char *param_names[MODEL_MAX_PARAMS];
	bool discrete; /* T, t_x and horizons count opportunities */

	/* places to start a fit from, on time scaled so that the mean T is 1 */
	int nstarts;
	const double (*starts)[MODEL_MAX_PARAMS];

	/* which parameters are times: they scale with T in a fit */
	bool is_time[MODEL_MAX_PARAMS];

	/*
	 * ln likelihood of one customer; adds its derivatives by the parameters
	 * themselves (not their logarithms), times weight, to gradient if not NULL.
	 */
	double (*log_likelihood)(const double *params, const Customer *customer,
							 double weight, double *gradient);

	/*
	 * The chance that the customer is still one at T; what one who is will
	 * buy within the horizon after T, on average; what a new customer will;
	 * and the chance of n purchases of a new customer.
	 */
	double (*p_alive)(const double *params, const Customer *customer);
	double (*expected_if_alive)(const double *params, const Customer *customer,
								double horizon);
	double (*expected)(const double *params, double horizon);
	double (*pmf)(const double *params, double n, double horizon);
} PurchaseModel;

extern const PurchaseModel bgnbd_model;
extern const PurchaseModel mbgnbd_model;
extern const PurchaseModel pareto_nbd_model;
extern const PurchaseModel bgbb_model;

/* BG/BB: the chance that the customer takes the opportunity T + ahead. */
extern double bgbb_p_alive_ahead(const double *params, const Customer *customer,
								 double ahead);

/* Pareto/NBD: purchases that are left, discounted at a rate per unit of time. */
extern double pareto_nbd_dert(const double *params, const Customer *customer,
							  double discount);

/* By its name, NULL if there is none. */
extern const PurchaseModel *purchase_model_by_name(const char *name);

/* Gamma-Gamma with params p, q, v: of x purchases of mean value m. */
#define GAMMA_GAMMA_PARAMS 3
extern double
gamma_gamma_log_likelihood(const double *params, double x, double m,
						   double weight, double *gradient);
extern double gamma_gamma_expected(const double *params, double x, double m);

/* ---- rising.c: ratios of gamma functions, x >= 0 whole ---- */

/* ln of a (a + 1) ... (a + x - 1), and its derivative by a. */
extern double log_rising(double a, double x);
extern double log_rising_slope(double a, double x);

/* ---- beta_geometric.c: what BG/NBD and MBG/NBD have in common ---- */

/*
 * Params r, alpha, a, b.  A customer has had so many chances to leave: in
 * BG/NBD one with each repeat purchase, in MBG/NBD one more, with the first.
 */
extern double
beta_geometric_log_likelihood(const double *params, const Customer *customer,
							  double chances, double weight, double *gradient);
extern double beta_geometric_p_alive(const double *params,
									 const Customer *customer, double chances);
extern double beta_geometric_pmf(const double *params, double n, double chances,
								 double horizon);

/* Of n purchases within t by one who buys at a Gamma(r, alpha) rate. */
extern double
negative_binomial(double r, double alpha, double n, double horizon);

/* ---- dropout_mean.c ---- */

/*
 * Mean number of purchases within t by one who buys at a Gamma(r, alpha) rate
 * and leaves after each purchase with a Beta(a, b) chance.
 */
extern double
dropout_mean(double r, double alpha, double a, double b, double t);

/* ---- models.c ---- */

/* Names of all models, for hints. */
#define PURCHASE_MODELS "bgnbd, mbgnbd, pareto_nbd and bgbb"

/* Opportunities that a discrete model can have: it counts them one by one. */
#define MAX_OPPORTUNITIES 1000000

/* Errors unless 0 <= t_x <= T, x whole, t_x = 0 where x = 0, all finite. */
extern void
check_customer(const PurchaseModel *model, const Customer *customer);

/* Errors unless finite, not negative and, if the model is discrete, whole. */
extern void
check_horizon(const PurchaseModel *model, double horizon, const char *name);

/* Errors unless x is whole and m is finite, both not negative. */
extern void check_spending(double x, double m);

/* ---- fit_arg.c: fits as arguments ---- */

/* Parameters out of an argument of type purchase_fit, and its model. */
extern const double *arg_purchase_fit(FunctionCallInfo fcinfo, int argno,
									  const PurchaseModel **model);

/* Parameters out of an argument of type spend_fit. */
extern const double *arg_spend_fit(FunctionCallInfo fcinfo, int argno);

#endif
