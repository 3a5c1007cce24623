/*
 * fairness.c
 *		Are groups selected at the same rates?  The aggregate group_fairness().
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "drift/drift.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(personalize_group_fairness_add);
PG_FUNCTION_INFO_V1(personalize_group_fairness_combine);
PG_FUNCTION_INFO_V1(personalize_group_fairness_final);

/* ---- state ---- */

static void
fairness_send(StringInfo buf, const void *state)
{
	GroupTable *table = unconstify(void *, state);
	GroupEntry **groups = group_table_sorted(table);

	pq_sendint32(buf, table->n);
	for (int32 i = 0; i < table->n; i++)
	{
		const FairnessCounts *counts = &groups[i]->fairness;

		group_send_key(buf, table, groups[i]);
		pq_sendint64(buf, counts->n);
		pq_sendint64(buf, counts->selected);
		pq_sendint64(buf, counts->positives);
		pq_sendint64(buf, counts->positives_selected);
		pq_sendint64(buf, counts->negatives);
		pq_sendint64(buf, counts->negatives_selected);
	}
	pfree(groups);
}

/* Is each part within its whole?  Subtracted, as a sum might overflow. */
static bool
counts_are_sound(const FairnessCounts *counts)
{
	int64 unlabelled = counts->n - counts->positives - counts->negatives;
	int64 unlabelled_selected = counts->selected - counts->positives_selected -
		counts->negatives_selected;

	return counts->n > 0 && counts->selected >= 0 &&
		counts->selected <= counts->n && counts->positives >= 0 &&
		counts->positives <= counts->n && counts->negatives >= 0 &&
		counts->negatives <= counts->n && counts->positives_selected >= 0 &&
		counts->positives_selected <= counts->positives &&
		counts->negatives_selected >= 0 &&
		counts->negatives_selected <= counts->negatives && unlabelled >= 0 &&
		unlabelled_selected >= 0 && unlabelled_selected <= unlabelled;
}

static void *fairness_recv(StringInfo buf, uint8 version);

static const StateType fairness_type = {
	.name = "group_fairness_state",
	.kind = STATE_GROUP_FAIRNESS,
	.version = 1,
	.send = fairness_send,
	.recv = fairness_recv,
};

static void *
fairness_recv(StringInfo buf, uint8 version)
{
	GroupTable *table = group_table_new(&fairness_type);
	int n = group_table_recv_count(buf, &fairness_type);

	for (int i = 0; i < n; i++)
	{
		FairnessCounts *counts =
			&group_recv_key(buf, &fairness_type, &table)->fairness;

		counts->n = pq_getmsgint64(buf);
		counts->selected = pq_getmsgint64(buf);
		counts->positives = pq_getmsgint64(buf);
		counts->positives_selected = pq_getmsgint64(buf);
		counts->negatives = pq_getmsgint64(buf);
		counts->negatives_selected = pq_getmsgint64(buf);
		if (!counts_are_sound(counts))
			state_malformed(&fairness_type,
							"The counts of a group contradict each other.");
	}
	return table;
}

STATE_TYPE_FUNCTIONS(group_fairness_state, fairness_type);

/* With the arguments (state, grp, selected) or (state, grp, selected, label). */
Datum
personalize_group_fairness_add(PG_FUNCTION_ARGS)
{
	bool labelled = PG_NARGS() > 3 && !PG_ARGISNULL(3);
	GroupTable *table;
	FairnessCounts *counts;
	text *key;
	int64 selected;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	table = PG_ARGISNULL(0) ? group_table_new(&fairness_type) :
							  state_writable(fcinfo, 0);
	key = PG_GETARG_TEXT_PP(1);
	counts = &group_table_get(&fairness_type, &table, VARDATA_ANY(key),
							  VARSIZE_ANY_EXHDR(key))
				  ->fairness;

	selected = PG_GETARG_BOOL(2);
	counts->n++;
	counts->selected += selected;
	if (labelled && PG_GETARG_BOOL(3))
	{
		counts->positives++;
		counts->positives_selected += selected;
	}
	else if (labelled)
	{
		counts->negatives++;
		counts->negatives_selected += selected;
	}
	PG_RETURN_POINTER(table);
}

Datum
personalize_group_fairness_combine(PG_FUNCTION_ARGS)
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
		const FairnessCounts *more = &group->fairness;
		FairnessCounts *counts =
			&group_table_get(&fairness_type, &table, group_key(other, group),
							 group->key_length)
				 ->fairness;

		counts->n += more->n;
		counts->selected += more->selected;
		counts->positives += more->positives;
		counts->positives_selected += more->positives_selected;
		counts->negatives += more->negatives;
		counts->negatives_selected += more->negatives_selected;
	}
	PG_RETURN_POINTER(table);
}

/* ---- result ---- */

static double
rate(int64 part, int64 whole)
{
	return whole > 0 ? (double) part / whole : NAN;
}

/*
 * The rule of four fifths, by whole numbers, so that exactly four fifths pass:
 * no group's rate may be below 0.8 of another's.
 */
static bool
passes_four_fifths(GroupEntry **groups, int n)
{
	const FairnessCounts *low = &groups[0]->fairness;
	const FairnessCounts *high = low;

	for (int i = 1; i < n; i++)
	{
		const FairnessCounts *counts = &groups[i]->fairness;

		if ((double) counts->selected * low->n <
			(double) low->selected * counts->n)
			low = counts;
		if ((double) counts->selected * high->n >
			(double) high->selected * counts->n)
			high = counts;
	}
	return 5.0 * low->selected * high->n >= 4.0 * high->selected * low->n;
}

static Datum
group_rate_row(TupleDesc type, const GroupTable *table, const GroupEntry *group,
			   Range *rates, Range *tprs, Range *fprs)
{
	const FairnessCounts *counts = &group->fairness;
	double selected = rate(counts->selected, counts->n);
	double tpr = rate(counts->positives_selected, counts->positives);
	double fpr = rate(counts->negatives_selected, counts->negatives);
	Datum values[8];

	range_add(rates, selected);
	range_add(tprs, tpr);
	range_add(fprs, fpr);
	values[0] = PointerGetDatum(
		cstring_to_text_with_len(group_key(table, group), group->key_length));
	values[1] = Int64GetDatum(counts->n);
	values[2] = Int64GetDatum(counts->selected);
	values[3] = Float8GetDatum(selected);
	values[4] = Int64GetDatum(counts->positives);
	values[5] = Int64GetDatum(counts->negatives);
	values[6] = Float8GetDatum(tpr);
	values[7] = Float8GetDatum(fpr);
	return make_row(type, values);
}

Datum
personalize_group_fairness_final(PG_FUNCTION_ARGS)
{
	Range rates = EMPTY_RANGE;
	Range tprs = EMPTY_RANGE;
	Range fprs = EMPTY_RANGE;
	TupleDesc type;
	TupleDesc row_type;
	GroupTable *table;
	GroupEntry **groups;
	Datum *rows;
	double tpr_difference;
	double fpr_difference;
	Datum values[6];
	bool nulls[6] = { 0 };

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
		rows[i] =
			group_rate_row(row_type, table, groups[i], &rates, &tprs, &fprs);

	tpr_difference = tprs.high - tprs.low;
	fpr_difference = fprs.high - fprs.low;
	values[0] = row_array(row_type, rows, table->n);
	values[1] = Float8GetDatum(rates.high - rates.low);
	values[2] = Float8GetDatum(rates.high > 0 ? rates.low / rates.high : NAN);
	values[3] = Float8GetDatum(tpr_difference);

	/* unknown if either is: NaN + x */
	values[4] = Float8GetDatum(tpr_difference > fpr_difference ?
								   tpr_difference :
								   fpr_difference + 0 * tpr_difference);
	values[5] = BoolGetDatum(passes_four_fifths(groups, table->n));
	nulls[5] = rates.high == 0; /* there is nothing to compare */
	PG_RETURN_DATUM(make_row_with_nulls(type, values, nulls));
}
