/*
 * fit.c
 *		The most likely parameters of a model.
 *
 * The search is for the logarithms of the parameters, which keeps them
 * positive and makes their units a matter of where it starts.  It begins from
 * several places on a part of a large sample, goes on from the best on all of
 * it, and ends with Newton's method, whose second derivatives tell how sure
 * the result is: the standard errors are those of the logarithms times the
 * parameters (delta method).
 *
 * Some samples have no most likely parameters: where customers do not differ
 * in some respect, the likelihood rises for ever as two parameters grow
 * together or one vanishes.  Newton's method then goes on by about the same
 * factor with each step, until the likelihood is so flat in that direction
 * that parameters are as likely as others of other magnitudes; that is how
 * such a case is recognised, and the slope along it names the parameters.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "numeric/numeric.h"
#include "value/value.h"

/* Starts are tried on so many customers. */
#define START_CUSTOMERS 20000

/*
 * Logarithms may move so far from the scale of the data; second derivatives
 * are taken a little beyond.
 */
#define LOG_LIMIT 16
#define LOG_MARGIN 1

#define MAX_NEWTON 20

/*
 * What the log likelihood of all customers may still gain at the end: of
 * itself, if that is more, the part that rounding leaves open.
 */
#define GAIN_SOUGHT 1e-12
#define GAIN_SOUGHT_PART 1e-18
#define GAIN_ACCEPTED 1e-6
#define GAIN_ACCEPTED_PART 1e-14

/* A step that small, in logarithms, is none. */
#define LAST_STEP 1e-4

/*
 * Second derivatives below this cannot be told from 0: of one customer, by
 * rounding, and of all, where a standard error of 100 in logarithms says that
 * the sample tells nothing.
 */
#define LEAST_INFORMATION_EACH 1e-9
#define LEAST_INFORMATION 1e-4

typedef struct Search
{
	const FitModel *model;
	const FitSet *set;
	double log_scale[MODEL_MAX_PARAMS];
	double limit; /* how far from there logarithms may be now */

	Minimum best; /* minus the log likelihood a customer */
	int iterations;

	/* second derivatives there, as of all customers */
	double information[MODEL_MAX_PARAMS * MODEL_MAX_PARAMS];
	double eigenvalues[MODEL_MAX_PARAMS];
	double eigenvectors[MODEL_MAX_PARAMS * MODEL_MAX_PARAMS];
	double gain;  /* of the next step of Newton's method */
	bool arrived; /* that step leads nowhere else */
} Search;

/* The sum over rows one by one, where the model has no better way. */
static double
sum_each(const PurchaseModel *model, const FitSet *set, const double *params,
		 double *gradient)
{
	double slopes[MODEL_MAX_PARAMS] = { 0 };
	double total = 0;

	for (int i = 0; i < set->ngroups; i++)
	{
		const FitGroup *group = &set->groups[i];
		const double *points = group_points(set, group);
		Customer customer = { .x = group->x };

		for (int64 row = group->first; row < group->first + group->n; row++)
		{
			double weight = set->weights[row];

			CHECK_FOR_INTERRUPTS();
			customer.t_x = points[set->t_x[row]];
			customer.T = points[set->T[row]];
			total += weight *
				model->log_likelihood(params, &customer, weight, slopes);
		}
	}
	for (int i = 0; gradient != NULL && i < model->nparams; i++)
		gradient[i] += slopes[i] * params[i];
	return total;
}

/* Minus the log likelihood a customer, by the logarithms of the parameters. */
static double
objective(const double *x, double *gradient, void *context)
{
	const Search *search = context;
	const FitModel *model = search->model;
	double params[MODEL_MAX_PARAMS];
	double total;

	for (int i = 0; i < model->nparams; i++)
	{
		if (!(fabs(x[i] - search->log_scale[i]) < search->limit))
			return INFINITY;
		params[i] = exp(x[i]);
	}
	if (model->log_likelihood_sum != NULL)
		total = model->log_likelihood_sum(search->set, params, gradient);
	else
		total = sum_each(model->model, search->set, params, gradient);
	for (int i = 0; gradient != NULL && i < model->nparams; i++)
		gradient[i] /= -search->set->weight;
	return -total / search->set->weight;
}

/*
 * From every start, on a part of the sample if that is large.  False if none
 * has a likelihood that a double can hold.
 */
static bool
search_starts(Search *search, const SampleRow *rows, int64 n)
{
	const FitModel *model = search->model;
	const FitSet *all = search->set;
	bool found = false;

	if (n > 2 * START_CUSTOMERS)
	{
		int64 nsampled;
		SampleRow *sampled = sample_rows(rows, n, START_CUSTOMERS, &nsampled);

		search->set = fit_set_build(sampled, nsampled);
	}
	for (int i = 0; i < model->nstarts; i++)
	{
		double start[MODEL_MAX_PARAMS];
		Minimum minimum;

		for (int j = 0; j < model->nparams; j++)
			start[j] = log(model->starts[i][j]) + search->log_scale[j];
		minimise(objective, search, start, model->nparams, &minimum);
		search->iterations += minimum.iterations;
		if (isfinite(minimum.value) &&
			(!found || minimum.value < search->best.value))
		{
			search->best = minimum;
			found = true;
		}
	}
	if (found && search->set != all)
	{
		search->set = all;
		minimise(objective, search, search->best.x, model->nparams,
				 &search->best);
		search->iterations += search->best.iterations;
	}
	return found && isfinite(search->best.value);
}

/*
 * The second derivatives at the best point, and the step of Newton's method
 * from there; without one where the function is not convex.
 */
static bool
newton_step(Search *search, double *step)
{
	int n = search->model->nparams;
	double inverse[MODEL_MAX_PARAMS * MODEL_MAX_PARAMS];
	const double *gradient = search->best.gradient;
	double gain = 0;

	search->limit = LOG_LIMIT + LOG_MARGIN;
	hessian(objective, search, search->best.x, n, search->information);
	search->limit = LOG_LIMIT;
	for (int i = 0; i < n * n; i++)
		search->information[i] *= search->set->weight;
	symmetric_eigen(search->information, n, search->eigenvalues,
					search->eigenvectors);

	memcpy(inverse, search->information, sizeof(inverse));
	if (!invert_positive(inverse, n))
		return false;
	for (int i = 0; i < n; i++)
	{
		step[i] = 0;
		for (int j = 0; j < n; j++)
			step[i] -= inverse[i * n + j] * gradient[j] * search->set->weight;
		gain -= step[i] * gradient[i] * search->set->weight / 2;
	}
	search->gain = gain;
	return true;
}

/* Take the step, or half, or a quarter: false if none is better. */
static bool
take_step(Search *search, const double *step)
{
	int n = search->model->nparams;
	Minimum *best = &search->best;
	double rounding = 4 * DBL_EPSILON * fabs(best->value);

	for (double part = 1; part > 0.1; part /= 2)
	{
		Minimum next = { .n = n };

		for (int i = 0; i < n; i++)
			next.x[i] = best->x[i] + part * step[i];
		next.value = objective(next.x, next.gradient, search);
		if (next.value < best->value + rounding)
		{
			*best = next;
			return true;
		}
	}
	return false;
}

static double
least_information(const Search *search)
{
	return Max(LEAST_INFORMATION, LEAST_INFORMATION_EACH * search->set->weight);
}

static bool
is_determined(const Search *search)
{
	return search->eigenvalues[0] > least_information(search);
}

/* Newton's method, until it stands still or finds that there is no maximum. */
static void
polish(Search *search)
{
	double size = fabs(search->best.value) * search->set->weight;
	double sought = Max(GAIN_SOUGHT, GAIN_SOUGHT_PART * size);
	double accepted = Max(GAIN_ACCEPTED, GAIN_ACCEPTED_PART * size);

	for (int i = 0; i < MAX_NEWTON; i++)
	{
		double step[MODEL_MAX_PARAMS];
		double length = 0;

		if (!newton_step(search, step) || !is_determined(search))
			return;
		for (int j = 0; j < search->model->nparams; j++)
			length = Max(length, fabs(step[j]));
		search->arrived = length <= LAST_STEP && search->gain <= accepted;
		if (search->gain <= sought && search->arrived)
			return;
		if (!take_step(search, step))
			return;
		search->iterations++;
	}
}

/* Where the likelihood rises, within the directions in which it is flat. */
static void
flat_direction(const Search *search, double *direction)
{
	int n = search->model->nparams;
	double longest = 0;

	memset(direction, 0, sizeof(double) * n);
	for (int k = 0; k < n; k++)
	{
		const double *vector = search->eigenvectors + k * n;
		double slope = 0;

		if (search->eigenvalues[k] > least_information(search))
			break;
		for (int i = 0; i < n; i++)
			slope -= search->best.gradient[i] * vector[i];
		for (int i = 0; i < n; i++)
			direction[i] += slope * vector[i];
	}
	for (int i = 0; i < n; i++)
		longest = Max(longest, fabs(direction[i]));
	for (int i = 0; longest > 0 && i < n; i++)
		direction[i] /= longest;
}

/* The parameters that a direction moves that way, as "r, s and beta grow". */
static void
append_names(StringInfo text, const FitModel *model, const double *direction,
			 double sign, const char *verb)
{
	const char *names[MODEL_MAX_PARAMS];
	int n = 0;

	for (int i = 0; i < model->nparams; i++)
	{
		/* a tenth of the longest part is no part */
		if (sign * direction[i] >= 0.1)
			names[n++] = model->param_names[i];
	}
	if (n == 0)
		return;
	if (text->len > 0)
		appendStringInfoString(text, " while ");
	for (int i = 0; i < n; i++)
		appendStringInfo(text, "%s%s", names[i],
						 i < n - 2		? ", " :
							 i == n - 2 ? " and " :
										  "");
	appendStringInfo(text, " %s%s", verb, n == 1 ? "s" : "");
}

/* Which parameters the sample leaves open, and which way they went. */
static const char *
undetermined(const Search *search)
{
	double direction[MODEL_MAX_PARAMS];
	StringInfoData text;

	flat_direction(search, direction);
	initStringInfo(&text);
	append_names(&text, search->model, direction, 1, "grow");
	append_names(&text, search->model, direction, -1, "shrink");
	return psprintf("the likelihood has no maximum: it rises, ever more slowly, as %s",
					text.data);
}

static void
conclude(const Search *search, FitResult *result)
{
	int n = search->model->nparams;
	double covariance[MODEL_MAX_PARAMS * MODEL_MAX_PARAMS];

	result->has_params = true;
	for (int i = 0; i < n; i++)
		result->params[i] = exp(search->best.x[i]);
	result->log_likelihood = -search->best.value * search->set->weight;
	result->iterations = search->iterations;

	memcpy(covariance, search->information, sizeof(covariance));
	if (!is_determined(search))
		result->reason = undetermined(search);
	else if (!search->arrived)
		result->reason = search->best.reason ? search->best.reason :
											   "it took too many iterations";
	else if (invert_positive(covariance, n))
	{
		result->converged = true;
		result->has_errors = true;
		for (int i = 0; i < n; i++)
			result->standard_errors[i] =
				result->params[i] * sqrt(covariance[i * n + i]);
	}
}

void
fit_model(const FitModel *model, const SampleRow *rows, int64 n,
		  const FitSet *set, FitResult *result)
{
	Search search = { .model = model, .set = set, .limit = LOG_LIMIT };

	memset(result, 0, sizeof(*result));
	result->nparams = model->nparams;
	result->customers = set->weight;
	for (int i = 0; i < model->nparams; i++)
		search.log_scale[i] = log(model->scale[i]);

	if (!search_starts(&search, rows, n))
	{
		result->reason =
			"the likelihood cannot be computed: numbers of the customers are too far apart";
		return;
	}
	polish(&search);
	conclude(&search, result);
}
