/*
 * experiment.h
 *		Did it work?  What the analysis of experiments shares.
 */
#ifndef PERSONALIZE_EXPERIMENT_H
#define PERSONALIZE_EXPERIMENT_H

#include "experiment/moments.h"
#include "fmgr.h"
#include "planning/planning.h"

/* ---- arguments.c ---- */

/* What the variables of a row are called, in a mean and in a ratio. */
extern const char *const variable_names[MAX_VARIABLES];
extern const char *const ratio_names[MAX_VARIABLES];

/* Finite numbers of an array of so many dimensions, none of them NULL. */
extern const double *arg_doubles(FunctionCallInfo fcinfo, int argno,
								 const char *name, int dimensions, int *n);

/*
 * Two arrays of moments of the same length, NULL for an arm without rows.
 * Returns the length.
 */
extern int arg_summaries(FunctionCallInfo fcinfo, int argno, const char *name_a,
						 const char *name_b, Summary **a, Summary **b);

/* How two arms are compared: arguments from argno on. */
typedef struct CompareOptions
{
	double alpha;
	Alternative alternative;
	bool always_valid;
	double tuning;
} CompareOptions;

extern void arg_compare_options(FunctionCallInfo fcinfo, int argno,
								CompareOptions *options);
extern const CompareOptions default_options;

/* ---- effect.c: from estimate and standard error to an interval ---- */

typedef struct Effect
{
	double estimate;
	double stderror;
	double low;
	double high;
	double t;
	double df; /* infinite for the normal distribution */
	double p;
} Effect;

/* n is the number of units, which only the always-valid interval asks for. */
extern void effect_infer(Effect *effect, double estimate, double variance,
						 double df, double n, const CompareOptions *options);

/* ---- compare.c ---- */

/*
 * An arm as a comparison sees it: the mean, or the ratio of two means, and
 * that of the covariate; variances are those of a unit.
 */
typedef struct Arm
{
	int64 n;
	double mean;
	double variance;
	bool adjusted; /* is there a covariate? */
	double before;
	double before_variance;
	double covariance;
} Arm;

typedef struct LiftTest
{
	Arm control;
	Arm treatment;
	Effect absolute;
	Effect relative;
	double theta; /* NaN without a covariate */
	double variance_reduction;
	double fieller_low; /* of the relative difference, see fieller.c */
	double fieller_high;
} LiftTest;

extern void arm_of_means(const Summary *summary, Arm *arm);
extern void arm_of_ratio(const Summary *summary, Arm *arm);
extern double pooled_theta(const Arm *a, const Arm *b);
extern double ratio_theta(const Arm *a, const Arm *b);
extern void
compare_arms(LiftTest *test, bool is_ratio, const CompareOptions *options);

/* ---- fieller.c ---- */

/*
 * Sets the interval by Fieller from the absolute difference, the control's
 * mean, its variance, and the covariance of both.
 */
extern void fieller_interval(LiftTest *test, double base, double base_variance,
							 double covariance, const CompareOptions *options);

/* ---- compare.c ---- */

extern Datum lift_test_row(FunctionCallInfo fcinfo, const LiftTest *test);

#endif
