/*
 * numeric.h
 *		Special functions and optimisation.
 *
 * Plain C on doubles: no part of PostgreSQL but its error reporting.  All
 * functions work in log space where their values could leave a double's range.
 * Accuracy: relative error below 1e-10 (absolute near zeros), as tested
 * against values of 40 digits.
 */
#ifndef PERSONALIZE_NUMERIC_H
#define PERSONALIZE_NUMERIC_H

/* ---- gamma.c: gamma function and its kin, arguments > 0 ---- */

/* ln Gamma(x), reentrant and without a side effect on signgam. */
extern double log_gamma(double x);
extern double digamma(double x);
extern double trigamma(double x);

/* ln B(a, b), also where a and b differ by many magnitudes. */
extern double log_beta(double a, double b);

/*
 * Parts of the above: what Stirling's formula leaves of ln Gamma(x), and
 * ln(1 + x) - x.
 */
extern double gamma_correction(double x);
extern double log1p_less(double x);

/*
 * ln(Gamma(a + step) / Gamma(a)), not losing digits where the step is small,
 * that is up to the maximum.  For a near 0, ln Gamma(1 + step) is its value
 * at a = 1.
 */
#define GAMMA_STEP_MAX 0.05
extern double log_gamma_step(double a, double step);

/* ---- incomplete.c: distribution functions ---- */

/* Regularised lower and upper incomplete gamma functions P(a, x), Q(a, x). */
extern double gamma_p(double a, double x);
extern double gamma_q(double a, double x);

/* ln of the former, also where that underflows. */
extern double log_gamma_p(double a, double x);

/* Regularised incomplete beta function I_x(a, b), and ln of it. */
extern double beta_inc(double a, double b, double x);
extern double log_beta_inc(double a, double b, double x);

/* The latter where 1 - x is known better than a subtraction would tell. */
extern double log_beta_inc_rest(double a, double b, double x, double rest);

/* Upper tail of chi-square. */
extern double chi_square_tail(double x, double df);

/* ---- normal.c: the normal distribution and Student's t ---- */

extern double normal_density(double x);
extern double normal_cdf(double x);
/* Upper tail, and ln of it, also where the tail itself underflows. */
extern double normal_tail(double x);
extern double log_normal_tail(double x);

/*
 * Where the lower tail is p, -infinity for 0 and infinity for 1.  By symmetry
 * an upper tail of q is at -normal_quantile(q), which keeps the digits of a
 * small q where 1 - q would lose them.
 */
extern double normal_quantile(double p);

/* The same of Student's t; df > 0 may be infinite, which is the normal. */
extern double student_density(double t, double df);
extern double student_tail(double t, double df);
extern double log_student_tail(double t, double df);
extern double student_quantile(double p, double df);

/* ---- student_noncentral.c ---- */

/*
 * ln of the upper tail at t of (x + shift) / s, where x / s is Student's t of
 * df degrees of freedom.  The lower tail is the upper one at -t by -shift.
 */
extern double log_student_noncentral_tail(double t, double df, double shift);

/* ---- kolmogorov.c ---- */

/*
 * Upper tail at d of the distance between the distribution of n numbers and
 * the one they were drawn from.
 */
extern double kolmogorov_tail(double n, double d);

/* ---- hypergeometric.c ---- */

/*
 * ln 2F1(a, b; c; z) for a, b, c > 0 and z < 1; if z < 0, only for c >= a or
 * c >= b: otherwise it can be negative.  NaN if that would take too long, as
 * where c is more than a million below a and b.
 */
extern double log_hyp2f1(double a, double b, double c, double z);

/* ln U(a, b, z), Tricomi's confluent hypergeometric function, a, z > 0. */
extern double log_hyperu(double a, double b, double z);

/* ---- sums of exponentials ---- */

/* ln(exp(a) + exp(b)), and ln(exp(a) - exp(b)) for a >= b. */
extern double log_sum_exp(double a, double b);
extern double log_diff_exp(double a, double b);

/* ---- quadrature.c ---- */

#define MAX_INTEGRALS 5

/* Sets values[] at x. */
typedef void (*Integrand)(double x, double *values, void *context);

/*
 * The integrals of n <= MAX_INTEGRALS functions of constant sign over a finite
 * interval.
 */
extern void integrate(Integrand f, int n, double low, double high,
					  void *context, double *integrals);

/*
 * ln of the integral of exp(f) from -infinity to high, which may be infinite,
 * for f that rises to one maximum and then falls.  The search for it begins at
 * start < high.
 */
typedef double (*LogIntegrand)(double x, void *context);
extern double
log_integral(LogIntegrand f, void *context, double high, double start);

/* ---- trapezoid.c ---- */

/*
 * ln of the integral of exp(f) over the whole line, for analytic f that rises
 * to one maximum and falls off on both sides.  The search for it begins at
 * start, where f is finite, with that step.
 */
extern double
log_line_integral(LogIntegrand f, void *context, double start, double step);

/* ---- optimise.c ---- */

#define MAX_PARAMETERS 8

/*
 * The function to be minimised: value at x[n], and its gradient where gradient
 * is not NULL.  It may return infinity or NaN where it is not defined.
 */
typedef double (*Objective)(const double *x, double *gradient, void *context);

typedef struct Minimum
{
	int n;
	double x[MAX_PARAMETERS];
	double value;
	double gradient[MAX_PARAMETERS];
	int iterations;
	bool converged;
	const char *reason; /* why not, if not converged */
} Minimum;

/*
 * L-BFGS from a start (Liu and Nocedal 1989) with a line search that meets the
 * strong Wolfe conditions (Nocedal and Wright 2006, algorithms 3.5 and 3.6).
 */
extern void minimise(Objective f, void *context, const double *start, int n,
					 Minimum *result);

/*
 * Second derivatives by central differences of the gradient, symmetric, row by
 * row.
 */
extern void
hessian(Objective f, void *context, const double *x, int n, double *matrix);

/* ---- linear.c: symmetric matrices, row by row, n <= MAX_PARAMETERS ---- */

/* The inverse in place; false, and no matrix, if not positive definite. */
extern bool invert_positive(double *matrix, int n);

/*
 * Eigenvalues, ascending, and for each a row of `vectors`: its eigenvector of
 * length 1.
 */
extern void
symmetric_eigen(const double *matrix, int n, double *values, double *vectors);

#endif
