/*
 * factorial.c
 *		factorial_2x2(): two treatments at once, each alone and both together.
 *
 * The model of cell means with one variance for all cells: the same as ordinary
 * least squares with effects coded as -1 and 1.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "common/record.h"
#include "experiment/experiment.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_factorial_2x2);

enum
{
	NEITHER,
	ONLY_A,
	ONLY_B,
	BOTH,
	CELLS
};

/* n, four means, three effects of six numbers, df, mse */
#define TEST_COLUMNS 25

static const char *const cell_names[CELLS] = { "neither", "only_a", "only_b",
											   "both" };

/* ---- arguments ---- */

static void
arg_cell(FunctionCallInfo fcinfo, int argno, Summary *cell)
{
	const char *name = cell_names[argno];

	arg_summary(fcinfo, argno, cell);
	if (cell->n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name),
				 errdetail("There are no units in that cell."),
				 errhint(
					 "Without one of its cells a design tells of single differences only: use compare().")));
	if (cell->k > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be moments of one variable", name),
				 errdetail("They are of %d.", cell->k),
				 errhint("Use moments(outcome).")));
}

/* ---- the model ---- */

typedef struct Model
{
	Summary cells[CELLS];
	int64 n;
	double df;
	double mse;
	double inverses; /* sum of 1/n of the cells */
} Model;

static void
fit_model(Model *model)
{
	double squares = 0;

	model->n = 0;
	model->inverses = 0;
	for (int i = 0; i < CELLS; i++)
	{
		const Summary *cell = &model->cells[i];

		/* only moments that no rows made can have that many */
		if (pg_add_s64_overflow(model->n, cell->n, &model->n))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("the number of units is out of range")));
		model->inverses += 1 / (double) cell->n;
		if (cell->n > 1)
			squares += cell->covariance[0][0] * (cell->n - 1);
	}
	if (isinf(squares))
		float_overflow_error();
	model->df = (double) (model->n - CELLS);
	model->mse = model->df > 0 ? squares / model->df : NAN;
}

/* `divisor` times an effect is the sum of the cells' means by their signs. */
static int
put_effect(Datum *values, const Model *model, const int *signs, double divisor,
		   const CompareOptions *options)
{
	Effect effect;
	double sum = 0;

	for (int i = 0; i < CELLS; i++)
		sum += signs[i] * model->cells[i].mean[0];
	effect_infer(&effect, sum / divisor,
				 model->mse * model->inverses / (divisor * divisor), model->df,
				 (double) model->n, options);
	if (!isfinite(sum))
		float_overflow_error();
	values[0] = Float8GetDatum(effect.estimate);
	values[1] = Float8GetDatum(effect.stderror);
	values[2] = Float8GetDatum(effect.low);
	values[3] = Float8GetDatum(effect.high);
	values[4] = Float8GetDatum(effect.t);
	values[5] = Float8GetDatum(effect.p);
	return 6;
}

Datum
personalize_factorial_2x2(PG_FUNCTION_ARGS)
{
	/* of neither, only a, only b, both */
	static const int a[CELLS] = { -1, 1, -1, 1 };
	static const int b[CELLS] = { -1, -1, 1, 1 };
	static const int interaction[CELLS] = { 1, -1, -1, 1 };
	CompareOptions options = default_options;
	Datum values[TEST_COLUMNS];
	Model model;
	int n = 0;

	options.alpha = arg_alpha(fcinfo, CELLS, TWO_SIDED);
	for (int i = 0; i < CELLS; i++)
		arg_cell(fcinfo, i, &model.cells[i]);
	fit_model(&model);

	values[n++] = Int64GetDatum(model.n);
	for (int i = 0; i < CELLS; i++)
		values[n++] = Float8GetDatum(model.cells[i].mean[0]);
	n += put_effect(values + n, &model, a, 2, &options);
	n += put_effect(values + n, &model, b, 2, &options);
	n += put_effect(values + n, &model, interaction, 1, &options);
	values[n++] = Float8GetDatum(model.df);
	values[n++] = Float8GetDatum(model.mse);
	PG_RETURN_DATUM(make_row(result_type(fcinfo), values));
}
