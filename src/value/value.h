/*
 * value.h
 *		Models of purchases and spending: what their functions share.
 */
#ifndef PERSONALIZE_VALUE_H
#define PERSONALIZE_VALUE_H

#include "common/state.h"
#include "common/sum.h"
#include "fmgr.h"

/* What a model knows of a customer; T counts opportunities in BG/BB. */
typedef struct Customer
{
	double x;	/* repeat purchases */
	double t_x; /* time of the last one since the first purchase, 0 if none */
	double T;	/* time since the first purchase */
} Customer;

#define MODEL_MAX_PARAMS 4

typedef struct FitSet FitSet;

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

	/*
	 * The sum of log_likelihood over a sample, in less time than one by one,
	 * and its derivatives by the logarithms of the parameters.  NULL: there is
	 * no better way.
	 */
	double (*log_likelihood_sum)(const FitSet *set, const double *params,
								 double *gradient);
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

/* ---- fit_sample.c: what aggregates fit models to, SQL type fit_sample ---- */

typedef enum SampleKind
{
	SAMPLE_PURCHASES = 1,	  /* customers in continuous time */
	SAMPLE_OPPORTUNITIES = 2, /* customers in discrete time */
	SAMPLE_SPEND = 3		  /* x purchases of mean value m, as t_x; T is 0 */
} SampleKind;

/* Equal customers, and how many they are. */
typedef struct SampleRow
{
	Customer customer;
	Sum weight;
} SampleRow;

/* Distinct rows in the order of their coming, then a hash table of them. */
typedef struct FitSample
{
	StateHeader head;
	int32 kind;
	int32 n;
	int32 capacity; /* of rows */
	int32 nslots;	/* a power of two */
	SampleRow rows[FLEXIBLE_ARRAY_MEMBER];
} FitSample;

extern const StateType fit_sample_type;

/* An argument, which must be a sample of that kind. */
extern const FitSample *
arg_fit_sample(FunctionCallInfo fcinfo, int argno, SampleKind kind);

/* A copy of the rows, by x, t_x, T. */
extern SampleRow *fit_sample_sorted(const FitSample *sample);

/* ---- fit_set.c: a sample, prepared to be evaluated many times ---- */

/* The rows of one x. */
typedef struct FitGroup
{
	double x;
	double weight; /* of all of them */
	int64 first;   /* its rows */
	int64 n;
	int64 first_point; /* its distinct values of t_x and T, ascending */
	int64 npoints;
} FitGroup;

/* Numbers by point that an evaluation may keep. */
#define FIT_SCRATCH 8

struct FitSet
{
	int64 n;
	int ngroups;
	FitGroup *groups; /* by ascending x */
	double *points;
	double *weights; /* of each row */
	int32 *t_x;		 /* of each row, as a point of its group */
	int32 *T;
	double *scratch; /* FIT_SCRATCH for each point of any one group */

	double weight; /* in all: the number of customers */
	double purchases;
	double mean_t_x;
	double mean_T;
	double min_t_x;
	double max_t_x;
};

/* From sorted rows. */
extern FitSet *fit_set_build(const SampleRow *rows, int64 n);

/* Of so many customers drawn evenly: at most that many rows, sorted. */
extern SampleRow *
sample_rows(const SampleRow *rows, int64 n, int64 size, int64 *nsampled);

static inline const double *
group_points(const FitSet *set, const FitGroup *group)
{
	return set->points + group->first_point;
}

/*
 * ln Gamma(start + x) - ln Gamma(start) and its derivative by start, for x
 * that only grows: as a sum over the steps, nothing is lost by subtraction
 * where start is large.  Begin with { .start = start }.
 */
typedef struct Rising
{
	double start;
	double x;
	double value;
	double slope;
} Rising;

extern void rising_advance(Rising *rising, double x);

/* ---- batch_*.c: log likelihoods of samples ---- */

extern double bgnbd_log_likelihood_sum(const FitSet *set, const double *params,
									   double *gradient);
extern double mbgnbd_log_likelihood_sum(const FitSet *set, const double *params,
										double *gradient);
extern double
pareto_nbd_log_likelihood_sum(const FitSet *set, const double *params,
							  double *gradient);
extern double
gamma_gamma_log_likelihood_sum(const FitSet *set, const double *params,
							   double *gradient);

/* ---- fit.c: the most likely parameters ---- */

/* What is to be fitted; the members are those of PurchaseModel. */
typedef struct FitModel
{
	int nparams;
	const char *const *param_names;
	int nstarts;
	const double (*starts)[MODEL_MAX_PARAMS];
	double scale[MODEL_MAX_PARAMS]; /* of the starts */
	const PurchaseModel *model;		/* to be summed one by one, if no sum */
	double (*log_likelihood_sum)(const FitSet *set, const double *params,
								 double *gradient);
} FitModel;

typedef struct FitResult
{
	int nparams;
	bool has_params;
	bool has_errors; /* standard errors */
	double params[MODEL_MAX_PARAMS];
	double standard_errors[MODEL_MAX_PARAMS];
	double log_likelihood;
	double customers;
	int iterations;
	bool converged;
	const char *reason; /* why not, if not converged */
} FitResult;

/* Fewer tell nothing of how customers differ. */
#define MIN_FIT_CUSTOMERS 10

extern void fit_model(const FitModel *model, const SampleRow *rows, int64 n,
					  const FitSet *set, FitResult *result);

#endif
