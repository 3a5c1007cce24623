/*
 * exposure.c
 *		Are groups of items shown as much as each other?  The aggregate
 *		exposure(), after Singh and Joachims (KDD 2018).
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "compat.h"
#include "drift/drift.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(personalize_exposure_add);
PG_FUNCTION_INFO_V1(personalize_exposure_combine);
PG_FUNCTION_INFO_V1(personalize_exposure_final);

/* ---- state ---- */

static void
exposure_send(StringInfo buf, const void *state)
{
	GroupTable *table = unconstify(void *, state);
	GroupEntry **groups = group_table_sorted(table);

	pq_sendint32(buf, table->n);
	for (int32 i = 0; i < table->n; i++)
	{
		const ExposureSums *sums = &groups[i]->exposure;

		group_send_key(buf, table, groups[i]);
		pq_sendint64(buf, sums->items);
		pq_sendint64(buf, sums->rated);
		pq_sendfloat8(buf, sums->exposure.high);
		pq_sendfloat8(buf, sums->exposure.low);
		pq_sendfloat8(buf, sums->relevance.high);
		pq_sendfloat8(buf, sums->relevance.low);
	}
	pfree(groups);
}

/* A sum of numbers from 0 to `most` each, as sum_add() leaves it? */
static bool
sum_is_sound(const Sum *sum, double most)
{
	return sum->high >= 0 && isfinite(sum->high) &&
		fabs(sum->low) <= 1e-9 * sum->high && sum_value(sum) <= most;
}

static bool
sums_are_sound(const ExposureSums *sums)
{
	return sums->items > 0 && sums->rated >= 0 && sums->rated <= sums->items &&
		sums->exposure.high > 0 &&
		sum_is_sound(&sums->exposure, (double) sums->items) &&
		sum_is_sound(&sums->relevance, sums->rated > 0 ? INFINITY : 0);
}

static void *exposure_recv(StringInfo buf, uint8 version);

static const StateType exposure_type = {
	.name = "exposure_state",
	.kind = STATE_EXPOSURE,
	.version = 1,
	.send = exposure_send,
	.recv = exposure_recv,
};

static void *
exposure_recv(StringInfo buf, uint8 version)
{
	GroupTable *table = group_table_new(&exposure_type);
	int n = group_table_recv_count(buf, &exposure_type);

	for (int i = 0; i < n; i++)
	{
		ExposureSums *sums =
			&group_recv_key(buf, &exposure_type, &table)->exposure;

		sums->items = pq_getmsgint64(buf);
		sums->rated = pq_getmsgint64(buf);
		sums->exposure.high = pq_getmsgfloat8(buf);
		sums->exposure.low = pq_getmsgfloat8(buf);
		sums->relevance.high = pq_getmsgfloat8(buf);
		sums->relevance.low = pq_getmsgfloat8(buf);
		if (!sums_are_sound(sums))
			state_malformed(&exposure_type,
							"The sums of a group contradict each other.");
	}
	return table;
}

STATE_TYPE_FUNCTIONS(exposure_state, exposure_type);

static int
arg_rank(FunctionCallInfo fcinfo, int argno)
{
	int rank = PG_GETARG_INT32(argno);

	if (rank < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rank must be positive"),
				 errdetail("rank is %d.", rank),
				 errhint("The first item of a list has rank 1.")));
	return rank;
}

static double
arg_relevance(FunctionCallInfo fcinfo, int argno)
{
	double relevance = arg_finite(fcinfo, argno, "relevance");

	if (relevance < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("relevance must not be negative"),
				 errdetail("relevance is %s.", float8out_internal(relevance))));
	return relevance;
}

/* With the arguments (state, grp, rank) or (state, grp, rank, relevance). */
Datum
personalize_exposure_add(PG_FUNCTION_ARGS)
{
	bool rated = PG_NARGS() > 3 && !PG_ARGISNULL(3);
	double relevance;
	GroupTable *table;
	ExposureSums *sums;
	text *key;
	int rank;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	rank = arg_rank(fcinfo, 2);
	relevance = rated ? arg_relevance(fcinfo, 3) : 0;
	table = PG_ARGISNULL(0) ? group_table_new(&exposure_type) :
							  state_writable(fcinfo, 0);
	key = PG_GETARG_TEXT_PP(1);
	sums = &group_table_get(&exposure_type, &table, VARDATA_ANY(key),
							VARSIZE_ANY_EXHDR(key))
				->exposure;

	sums->items++;
	sum_add(&sums->exposure, 1 / log2(1.0 + rank));
	sums->rated += rated;
	sum_add(&sums->relevance, relevance);
	PG_RETURN_POINTER(table);
}

Datum
personalize_exposure_combine(PG_FUNCTION_ARGS)
{
	GroupTable *table;
	GroupTable *other;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state_readable(fcinfo, 0));
	other = state_readable(fcinfo, 1);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);

	table = state_writable(fcinfo, 0);
	for (int32 i = 0; i < other->n; i++)
	{
		const GroupEntry *group = &other->groups[i];
		const ExposureSums *more = &group->exposure;
		ExposureSums *sums =
			&group_table_get(&exposure_type, &table, group_key(other, group),
							 group->key_length)
				 ->exposure;

		sums->items += more->items;
		sums->rated += more->rated;
		sum_merge(&sums->exposure, &more->exposure);
		sum_merge(&sums->relevance, &more->relevance);
	}
	PG_RETURN_POINTER(table);
}

/* ---- result ---- */

static Datum
exposure_group_row(TupleDesc type, const GroupTable *table,
				   const GroupEntry *group, double total, Range *parity,
				   Range *treatment)
{
	const ExposureSums *sums = &group->exposure;
	double exposure = sum_value(&sums->exposure);
	double mean_exposure = exposure / sums->items;
	double mean_relevance = NAN;
	double per_relevance = NAN;
	Datum values[7];

	if (!isfinite(sum_value(&sums->relevance)))
		float_overflow_error();
	if (sums->rated > 0)
		mean_relevance = sum_value(&sums->relevance) / sums->rated;
	if (mean_relevance > 0)
		per_relevance = mean_exposure / mean_relevance;
	range_add(parity, mean_exposure);
	range_add(treatment, per_relevance);

	values[0] = PointerGetDatum(
		cstring_to_text_with_len(group_key(table, group), group->key_length));
	values[1] = Int64GetDatum(sums->items);
	values[2] = Float8GetDatum(exposure);
	values[3] = Float8GetDatum(exposure / total);
	values[4] = Float8GetDatum(mean_exposure);
	values[5] = Float8GetDatum(mean_relevance);
	values[6] = Float8GetDatum(per_relevance);
	return make_row(type, values);
}

Datum
personalize_exposure_final(PG_FUNCTION_ARGS)
{
	Range parity = EMPTY_RANGE;
	Range treatment = EMPTY_RANGE;
	Sum total = { 0 };
	TupleDesc type;
	TupleDesc row_type;
	GroupTable *table;
	GroupEntry **groups;
	Datum *rows;
	Datum values[3];

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	table = state_readable(fcinfo, 0);
	if (table->n == 0)
		PG_RETURN_NULL();

	type = result_type(fcinfo);
	row_type = element_row_type(type, 0);
	groups = group_table_sorted(table);
	rows = palloc(table->n * sizeof(Datum));
	for (int32 i = 0; i < table->n; i++)
		sum_merge(&total, &groups[i]->exposure.exposure);
	for (int32 i = 0; i < table->n; i++)
		rows[i] = exposure_group_row(row_type, table, groups[i],
									 sum_value(&total), &parity, &treatment);

	values[0] = row_array(row_type, rows, table->n);
	values[1] = Float8GetDatum(parity.low / parity.high);
	values[2] = Float8GetDatum(treatment.low / treatment.high);
	PG_RETURN_DATUM(make_row(type, values));
}
