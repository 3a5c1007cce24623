/*
 * qini.c
 *		qini() and uplift_curve().
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "common/record.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "uplift/uplift.h"
#include "utils/float.h"
#include "utils/tuplestore.h"

#define MAX_POINTS 100000

/* n, n_treatment, final, three areas, coefficient */
#define RESULT_COLUMNS 7

static void qini_send(StringInfo buf, const void *state);
static void *qini_recv(StringInfo buf, uint8 version);

const StateType qini_type = {
	.name = "qini_state",
	.kind = STATE_QINI,
	.version = 1,
	.send = qini_send,
	.recv = qini_recv,
};

STATE_TYPE_FUNCTIONS(qini_state, qini_type);

PG_FUNCTION_INFO_V1(personalize_qini_add);
PG_FUNCTION_INFO_V1(personalize_qini_combine);
PG_FUNCTION_INFO_V1(personalize_qini_result);
PG_FUNCTION_INFO_V1(personalize_uplift_curve);

static void
qini_send(StringInfo buf, const void *state)
{
	arm_rows_send(buf, state);
}

static void *
qini_recv(StringInfo buf, uint8 version)
{
	return arm_rows_recv(buf, &qini_type, 2, 0);
}

Datum
personalize_qini_add(PG_FUNCTION_ARGS)
{
	double row[2];
	ArmRows *rows;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return unchanged_state(fcinfo);
	row[0] = arg_finite(fcinfo, 1, "score");
	row[1] = arg_finite(fcinfo, 3, "outcome");
	rows = PG_ARGISNULL(0) ? arm_rows_new(&qini_type, 2, 0) :
							 state_writable(fcinfo, 0);
	PG_RETURN_POINTER(arm_rows_add(&qini_type, rows,
								   PG_GETARG_BOOL(2) ? TREATMENT : CONTROL,
								   row));
}

Datum
personalize_qini_combine(PG_FUNCTION_ARGS)
{
	ArmRows *rows;

	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(state_readable(fcinfo, 1));
	rows = state_writable(fcinfo, 0);
	PG_RETURN_POINTER(
		arm_rows_append(&qini_type, rows, state_readable(fcinfo, 1)));
}

/* Without one of the arms there is no uplift to be told. */
static bool
has_both_arms(const ArmRows *rows)
{
	return rows->n[CONTROL] > 0 && rows->n[TREATMENT] > 0;
}

typedef struct Qini
{
	double final;
	double curve;
	double random;
	double coefficient;
} Qini;

static Qini
qini_of(const ArmRows *rows)
{
	UpliftCurve *curve = uplift_curve(rows);
	Qini qini;
	double best;

	qini.final = curve->points[curve->n - 1].gain;
	qini.curve = uplift_curve_area(curve);
	qini.random = qini.final * arm_rows_count(rows) / 2;
	if (isinf(qini.random) || isinf(qini.curve - qini.random))
		float_overflow_error();
	best = perfect_area(rows) - qini.random;
	qini.coefficient = best > 0 ? (qini.curve - qini.random) / best : NAN;
	pfree(curve->points);
	return qini;
}

Datum
personalize_qini_result(PG_FUNCTION_ARGS)
{
	Qini qini = { NAN, NAN, NAN, NAN };
	Datum values[RESULT_COLUMNS];
	const ArmRows *rows;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	rows = state_readable(fcinfo, 0);
	if (has_both_arms(rows))
		qini = qini_of(rows);
	values[0] = Int64GetDatum(arm_rows_count(rows));
	values[1] = Int64GetDatum(rows->n[TREATMENT]);
	values[2] = Float8GetDatum(qini.final);
	values[3] = Float8GetDatum(qini.curve);
	values[4] = Float8GetDatum(qini.random);
	values[5] = Float8GetDatum(qini.curve - qini.random);
	values[6] = Float8GetDatum(qini.coefficient);
	PG_RETURN_DATUM(make_row(result_type(fcinfo), values));
}

/* ---- the curve ---- */

static int
arg_points(FunctionCallInfo fcinfo, int argno)
{
	int points;

	arg_not_null(fcinfo, argno, "points");
	points = PG_GETARG_INT32(argno);
	if (points < 1 || points > MAX_POINTS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("points must be between 1 and %d", MAX_POINTS),
				 errdetail("points is %d.", points),
				 errhint(
					 "Pass 10 for deciles; the curve begins with one more, at 0.")));
	return points;
}

/* targeted, n, gain, random_gain, uplift */
static void
put_point(ReturnSetInfo *result, const CurvePoint *point, double targeted,
		  double final)
{
	Datum values[5] = {
		Float8GetDatum(targeted),
		Float8GetDatum(point->n),
		Float8GetDatum(point->gain),
		Float8GetDatum(targeted * final),
		Float8GetDatum(point->gain / point->n_treatment),
	};
	bool nulls[5] = { false };

	/* of units of a single arm the uplift is not known */
	nulls[4] = !(point->n_treatment > 0 && point->n_control > 0);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
personalize_uplift_curve(PG_FUNCTION_ARGS)
{
	int points = arg_points(fcinfo, 1);
	const ArmRows *rows;
	UpliftCurve *curve;
	int64 from = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	rows = state_readable(fcinfo, 0);
	if (!has_both_arms(rows))
		return (Datum) 0;
	curve = uplift_curve(rows);
	for (int i = 0; i <= points; i++)
	{
		double n = (double) arm_rows_count(rows) * i / points;
		CurvePoint point = uplift_curve_at(curve, n, &from);

		put_point((ReturnSetInfo *) fcinfo->resultinfo, &point,
				  (double) i / points, curve->points[curve->n - 1].gain);
	}
	return (Datum) 0;
}
