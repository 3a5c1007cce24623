/*
 * explain.c
 *		explain_recommendation(): what each item of a history adds to a score.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "recommend/recommend.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(personalize_explain_recommendation);
PG_FUNCTION_INFO_V1(personalize_explain_recommendation_typed);

/* What one item of the history adds. */
typedef struct Contribution
{
	int place; /* in the history */
	int order; /* in that of adding */
	float similarity;
	double value;
	Datum key;
} Contribution;

typedef struct Explanation
{
	ItemNumber item;
	History history;
	Contribution *contributions;
	int n;
} Explanation;

/* Take what the list says of the item. */
static void
take_contribution(void *arg, const SimNeighbors *list, double weight, int place)
{
	Explanation *explanation = arg;
	Contribution *mine = &explanation->contributions[explanation->n];

	for (int i = 0; i < list->n; i++)
	{
		if (list->items[i] != explanation->item)
			continue;
		mine->place = place;
		mine->order = explanation->n;
		mine->similarity = list->weights[i];
		mine->value = weight * list->weights[i];
		if (mine->value != 0)
			explanation->n++;
		return;
	}
}

/*
 * The largest first, of equal ones the first that was added: recommend()
 * compares in the precision of float, too, and names the first as the reason.
 */
static int
compare_contributions(const void *a, const void *b)
{
	const Contribution *x = a;
	const Contribution *y = b;

	if ((float) x->value != (float) y->value)
		return (float) x->value > (float) y->value ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order ? 1 : 0;
}

static void
read_contributions(SimReader *reader, bool known, Datum subject, Datum item,
				   double half_life, Explanation *explanation)
{
	History *history = &explanation->history;

	explanation->n = 0;
	explanation->item = sim_find_item(reader, item);
	if (!reader->trained || explanation->item == INVALID_ITEM)
		return;
	subject_history(reader, known, subject, history);
	explanation->contributions =
		palloc_extended(Max(history->n, 1) * sizeof(Contribution),
						MCXT_ALLOC_HUGE);
	sim_prepare_neighbors(reader, history_numbers(history), history->n);
	visit_lists(history, half_life, take_contribution, explanation);
	qsort(explanation->contributions, explanation->n, sizeof(Contribution),
		  compare_contributions);
	for (int i = 0; i < explanation->n; i++)
	{
		Contribution *mine = &explanation->contributions[i];

		CHECK_FOR_INTERRUPTS();
		mine->key = sim_item_key(reader, history->items[mine->place].item);
	}
}

static void
return_contributions(SimReader *reader, const Explanation *explanation,
					 FunctionCallInfo fcinfo, int type_argno)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	KeyOutput output;

	key_output_init(&output, &reader->item_key, fcinfo, type_argno);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < explanation->n; i++)
	{
		const Contribution *mine = &explanation->contributions[i];
		TimestampTz time = explanation->history.items[mine->place].time;
		Datum values[4] = { 0 };
		bool nulls[4] = { false };

		values[0] = key_output(&output, mine->key);
		nulls[1] = time == SIM_NO_TIME;
		if (!nulls[1])
			values[1] = index_moment(reader, time);
		values[2] = Float8GetDatum(mine->similarity);
		values[3] = Float8GetDatum(mine->value);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

static Datum
explain_recommendation(FunctionCallInfo fcinfo, int type_argno)
{
	SimReader *reader = sim_reader_open(arg_source(fcinfo, 0));
	double half_life = take_half_life(reader, fcinfo, type_argno < 0 ? 3 : 4);
	bool known = !PG_ARGISNULL(1);
	Datum subject = (Datum) 0;
	Explanation explanation;

	memset(&explanation, 0, sizeof(explanation));
	if (known)
		subject = arg_key(fcinfo, 1, &reader->subject_key);
	if (!PG_ARGISNULL(2))
	{
		Datum item = arg_key(fcinfo, 2, &reader->item_key);

		read_contributions(reader, known, subject, item, half_life,
						   &explanation);
		for (int attempt = 1; !sim_reader_is_current(reader); attempt++)
		{
			retry_read(reader, attempt);
			read_contributions(reader, known, subject, item, half_life,
							   &explanation);
		}
	}
	return_contributions(reader, &explanation, fcinfo, type_argno);
	sim_reader_close(reader);
	return (Datum) 0;
}

Datum
personalize_explain_recommendation(PG_FUNCTION_ARGS)
{
	return explain_recommendation(fcinfo, -1);
}

Datum
personalize_explain_recommendation_typed(PG_FUNCTION_ARGS)
{
	return explain_recommendation(fcinfo, 3);
}
