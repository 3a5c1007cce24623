/*
 * spending.c
 *		Bounds of a group-sequential test that spends its alpha over looks.
 *
 * Lan and DeMets, "Discrete sequential boundaries for clinical trials",
 * Biometrika 70 (1983), by the recursion of Armitage, McPherson and Rowe
 * (1969): the statistic is a Brownian motion seen at the information of each
 * look; its density, where the test goes on, is carried from look to look, and
 * a bound is where the part that leaves is what there is to spend.
 *
 * Densities are kept at the nodes of Gauss's rule in panels that are narrow
 * against the steps before and after, on which all depends.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/args.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "numeric/numeric.h"
#include "planning/planning.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_sequential_bounds);

/* one a day for a year */
#define MAX_LOOKS 366

/* Steps of information below this take very many panels. */
#define SMALLEST_STEP 1e-6

#define POINTS 16 /* of Gauss's rule in a panel */
#define PANEL 2.0 /* standard deviations of a step */

/*
 * Standard deviations beyond which no path counts: of those that still may
 * leave, and, on the other side, of those that may come back.  A bound so far
 * out is none.
 */
#define FAR_OUT 38
#define FAR_BACK 12

/* A kernel is nothing this many of its standard deviations away. */
#define KERNEL_REACH 39

typedef enum Spending
{
	OBRIEN_FLEMING,
	POCOCK,
	POWER_FAMILY
} Spending;

typedef struct SpendingPlan
{
	int looks;
	double *information;
	Alternative alternative;
	double alpha;	   /* of both sides together */
	double tail_alpha; /* of one */
	Spending spending;
	double rho;
} SpendingPlan;

/* Density of the statistic where the test goes on after a look. */
typedef struct Density
{
	int n;
	double *nodes;	/* ascending */
	double *masses; /* density times weight */
} Density;

typedef struct GaussRule
{
	double nodes[POINTS]; /* from -1 to 1 */
	double weights[POINTS];
} GaussRule;

/* Zeros of Legendre's polynomial by Newton's method. */
static void
init_rule(GaussRule *rule)
{
	for (int i = 0; i < POINTS; i++)
	{
		double x = -cos(M_PI * (i + 0.75) / (POINTS + 0.5));
		double slope = 1;

		for (int step = 0; step < 8; step++)
		{
			double before = 1;
			double p = x;

			for (int k = 2; k <= POINTS; k++)
			{
				double next = ((2 * k - 1) * x * p - (k - 1) * before) / k;

				before = p;
				p = next;
			}
			slope = POINTS * (x * p - before) / (x * x - 1);
			x -= p / slope;
		}
		rule->nodes[i] = x;
		rule->weights[i] = 2 / ((1 - x * x) * slope * slope);
	}
}

/* What one side has spent when a part of the information is there. */
static double
spent(const SpendingPlan *plan, double information)
{
	double alpha = plan->tail_alpha;

	if (plan->spending == POCOCK)
		return alpha * log1p((M_E - 1) * information);
	if (plan->spending == POWER_FAMILY)
		return alpha * pow(information, plan->rho);
	return 2 * normal_tail(-normal_quantile(alpha / 2) / sqrt(information));
}

/* ---- one look ---- */

/* Nodes from low to high, without masses yet. */
static Density
make_nodes(const GaussRule *rule, double low, double high, double widest)
{
	int panels = (int) ceil((high - low) / widest);
	double half = (high - low) / (2 * panels);
	Density density;

	density.n = panels * POINTS;
	density.nodes =
		palloc_extended(density.n * sizeof(double), MCXT_ALLOC_HUGE);
	density.masses =
		palloc_extended(density.n * sizeof(double), MCXT_ALLOC_HUGE);
	for (int i = 0; i < density.n; i++)
	{
		double middle = low + (2 * (i / POINTS) + 1) * half;

		density.nodes[i] = middle + half * rule->nodes[i % POINTS];
		density.masses[i] = half * rule->weights[i % POINTS];
	}
	return density;
}

/* The first node that is not below x. */
static int
first_node(const Density *density, double x)
{
	int low = 0;
	int high = density->n;

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (density->nodes[middle] < x)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The density at x after a step of that standard deviation. */
static double
density_after(const Density *before, double x, double sd)
{
	double sum = 0;

	for (int i = first_node(before, x - KERNEL_REACH * sd);
		 i < before->n && before->nodes[i] < x + KERNEL_REACH * sd; i++)
		sum += before->masses[i] * normal_density((x - before->nodes[i]) / sd);
	return sum / sd;
}

/* The chance to be above x after it. */
static double
chance_above(const Density *before, double x, double sd)
{
	double sum = 0;

	for (int i = first_node(before, x - KERNEL_REACH * sd); i < before->n; i++)
		sum += before->masses[i] * normal_tail((x - before->nodes[i]) / sd);
	return sum;
}

/*
 * Where the chance to be above is `part`: Newton's method on its logarithm,
 * which is concave, within a bracket, as far out the chance underflows.
 */
static double
bound_after(const Density *before, double sd, double part, double start,
			double farthest)
{
	double low = -farthest;
	double high = farthest;
	double x = Min(start, before->nodes[before->n - 1] + 5 * sd);

	for (int i = 0; i < 100; i++)
	{
		double chance = chance_above(before, x, sd);
		double next =
			x + log(chance / part) * chance / density_after(before, x, sd);

		CHECK_FOR_INTERRUPTS();
		if (chance > part)
			low = x;
		else
			high = x;
		if (fabs(next - x) <= 1e-9 * (1 + fabs(x)))
			return Min(next, farthest);
		x = next > low && next < high ? next : 0.5 * (low + high);
	}
	return x;
}

/* ---- all of them ---- */

/*
 * z of each look, infinite where nothing can be spent; positive, whatever the
 * alternative.
 */
static double *
find_bounds(const SpendingPlan *plan)
{
	GaussRule rule;
	double *z = palloc(plan->looks * sizeof(double));
	double origin = 0;
	double all = 1;
	Density before = { 1, &origin, &all };

	init_rule(&rule);
	for (int k = 0; k < plan->looks; k++)
	{
		double information = plan->information[k];
		double step = information - (k > 0 ? plan->information[k - 1] : 0);
		double part = spent(plan, information) -
			(k > 0 ? spent(plan, plan->information[k - 1]) : 0);
		double sd = sqrt(step);
		double root = sqrt(information);
		double farthest = FAR_OUT * root;
		double start = -normal_quantile(Min(part, 0.5)) * root;
		double bound = farthest;
		double narrower = sd;
		Density after;

		if (part > 1e-300)
			bound =
				bound_after(&before, sd, part, Min(start, farthest), farthest);
		z[k] = bound < farthest ? bound / root : INFINITY;
		if (k == plan->looks - 1)
			break;

		narrower = Min(sd, sqrt(plan->information[k + 1] - information));
		after = make_nodes(&rule,
						   -(plan->alternative == TWO_SIDED ?
								 Min(bound, FAR_BACK * root) :
								 FAR_BACK * root),
						   bound, PANEL * narrower);
		for (int i = 0; i < after.n; i++)
		{
			if (i % POINTS == 0)
				CHECK_FOR_INTERRUPTS();
			after.masses[i] *= density_after(&before, after.nodes[i], sd);
		}
		/* short steps have many nodes: hundreds of them would be gigabytes */
		if (k > 0)
		{
			pfree(before.nodes);
			pfree(before.masses);
		}
		before = after;
	}
	return z;
}

/* ---- the SQL function ---- */

static void
check_information(const double *information, int looks)
{
	for (int i = 0; i < looks; i++)
	{
		double before = i > 0 ? information[i - 1] : 0;

		if (!(information[i] > 0 && information[i] <= 1))
			out_of_range("information", information[i],
						 "above 0 and not above 1",
						 "It is the part of all units that has been seen at each look, such as '{0.25,0.5,0.75,1}'.");
		if (!(information[i] - before >= SMALLEST_STEP))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("information must increase from look to look by %g or more",
							SMALLEST_STEP),
					 errdetail("%s follows %s.",
							   float8out_internal(information[i]),
							   float8out_internal(before)),
					 errhint(
						 "List the looks in the order of time, each once.")));
	}
}

static void
arg_information(FunctionCallInfo fcinfo, int argno, SpendingPlan *plan)
{
	ArrayType *array;
	Datum *numbers;
	bool *nulls;

	arg_not_null(fcinfo, argno, "information");
	array = PG_GETARG_ARRAYTYPE_P(argno);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("information must be a one-dimensional array"),
				 errdetail("It has %d dimensions.", ARR_NDIM(array)),
				 errhint("Pass a list such as '{0.25,0.5,0.75,1}'.")));
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &numbers, &nulls, &plan->looks);
	if (plan->looks < 1 || plan->looks > MAX_LOOKS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("information must have from 1 to %d looks", MAX_LOOKS),
				 errdetail("It has %d.", plan->looks),
				 errhint(
					 "For looks at any time use always_valid_halfwidth().")));
	plan->information = palloc(plan->looks * sizeof(double));
	for (int i = 0; i < plan->looks; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("information must not contain nulls"),
					 errhint(
						 "Leave out looks of which the time is not known.")));
		plan->information[i] = DatumGetFloat8(numbers[i]);
	}
	check_information(plan->information, plan->looks);
}

static SpendingPlan
arg_plan(FunctionCallInfo fcinfo)
{
	/* in the order of the enum */
	static const char *const spendings[] = { "obrien_fleming", "pocock",
											 "power", NULL };
	SpendingPlan plan;

	arg_information(fcinfo, 0, &plan);
	plan.alternative = arg_alternative(fcinfo, 3);
	plan.alpha = arg_alpha(fcinfo, 1, plan.alternative);
	plan.tail_alpha =
		plan.alternative == TWO_SIDED ? plan.alpha / 2 : plan.alpha;
	plan.spending = arg_choice(fcinfo, 2, "spending", spendings);
	plan.rho = arg_positive(fcinfo, 4, "rho");
	return plan;
}

Datum
personalize_sequential_bounds(PG_FUNCTION_ARGS)
{
	SpendingPlan plan = arg_plan(fcinfo);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	double *z = find_bounds(&plan);
	int sides = plan.alternative == TWO_SIDED ? 2 : 1;

	InitMaterializedSRF(fcinfo, 0);
	for (int k = 0; k < plan.looks; k++)
	{
		bool nulls[5] = { false };
		Datum values[5] = {
			Int32GetDatum(k + 1),
			Float8GetDatum(plan.information[k]),
			Float8GetDatum(sides * spent(&plan, plan.information[k])),
			Float8GetDatum(plan.alternative == LESS ? -z[k] : z[k]),
			Float8GetDatum(sides * normal_tail(z[k])),
		};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
