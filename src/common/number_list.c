/*
 * number_list.c
 *		A list of numbers as the state of an aggregate: SQL type sample_state.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "common/number_list.h"
#include "compat.h"
#include "libpq/pqformat.h"

#define FIRST_CAPACITY 8

#define list_size(capacity) \
	(offsetof(NumberList, values) + (Size) (capacity) * sizeof(double))

static void
list_send(StringInfo buf, const void *state)
{
	const NumberList *list = state;
	double *sorted = number_list_sorted(list);

	/* sorted, so that equal lists have equal forms */
	pq_sendint32(buf, list->k);
	pq_sendint64(buf, list->n);
	for (int64 i = 0; i < list->n; i++)
		pq_sendfloat8(buf, sorted[i]);
	pfree(sorted);
}

static void *
list_recv(StringInfo buf, uint8 version)
{
	int32 k = pq_getmsgint(buf, 4);
	int64 n = pq_getmsgint64(buf);
	NumberList *list;

	if (k < 0 || k > NUMBER_LIST_MAX_K)
		state_malformed(&number_list_type, "Its k is out of range.");
	if (n < 0 || n != (int64) (state_bytes_left(buf) / sizeof(double)))
		state_malformed(&number_list_type, "Its count does not fit its size.");
	list = state_alloc(&number_list_type, list_size(n));
	list->n = n;
	list->k = k;
	for (int64 i = 0; i < n; i++)
	{
		list->values[i] = pq_getmsgfloat8(buf);
		if (!isfinite(list->values[i]))
			state_malformed(&number_list_type, "A number is not finite.");
	}
	return list;
}

const StateType number_list_type = {
	.name = "sample_state",
	.kind = STATE_SAMPLE,
	.version = 1,
	.send = list_send,
	.recv = list_recv,
};

STATE_TYPE_FUNCTIONS(sample_state, number_list_type);

PG_FUNCTION_INFO_V1(personalize_sample_state_add);
PG_FUNCTION_INFO_V1(personalize_sample_state_combine);

/* Room for `more` numbers: the list itself, or a larger copy. */
static NumberList *
list_reserve(NumberList *list, int64 more)
{
	Size size;

	if (list == NULL)
		return state_alloc(&number_list_type,
						   list_size(Max(more, FIRST_CAPACITY)));
	size = list_size(list->n + more);
	if (size <= VARSIZE(list))
		return list;
	/* twice as large, but never too large before it must be */
	if (size <= STATE_MAX_SIZE)
		size = Max(size, Min(STATE_MAX_SIZE, 2 * (Size) VARSIZE(list)));
	return state_resize(&number_list_type, list, size);
}

NumberList *
number_list_add(NumberList *list, double value)
{
	list = list_reserve(list, 1);
	list->values[list->n++] = value;
	return list;
}

NumberList *
number_list_append(NumberList *list, const NumberList *other)
{
	list = list_reserve(list, other->n);
	memcpy(list->values + list->n, other->values, other->n * sizeof(double));
	list->n += other->n;
	return list;
}

void
number_list_set_k(NumberList *list, int k)
{
	if (list->k != 0 && list->k != k)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be the same for all rows of a group"),
				 errdetail("One row has k = %d, another k = %d.", list->k, k)));
	list->k = k;
}

Datum
personalize_sample_state_add(PG_FUNCTION_ARGS)
{
	NumberList *list = NULL;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	if (!PG_ARGISNULL(0))
		list = state_writable(fcinfo, 0);
	PG_RETURN_POINTER(number_list_add(list, arg_finite(fcinfo, 1, "value")));
}

Datum
personalize_sample_state_combine(PG_FUNCTION_ARGS)
{
	NumberList *list;
	NumberList *other;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state_readable(fcinfo, 0));
	other = state_readable(fcinfo, 1);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);

	list = number_list_append(state_writable(fcinfo, 0), other);
	if (other->k != 0)
		number_list_set_k(list, other->k);
	PG_RETURN_POINTER(list);
}

static inline int
compare_doubles(double a, double b)
{
	return (a > b) - (a < b);
}

#define ST_SORT sort_plain_doubles
#define ST_ELEMENT_TYPE double
#define ST_COMPARE(a, b) compare_doubles(*(a), *(b))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

void
sort_doubles(double *values, int64 n)
{
	sort_plain_doubles(values, n);
}

double *
number_list_sorted(const NumberList *list)
{
	double *sorted =
		palloc_extended(Max(list->n, 1) * sizeof(double), MCXT_ALLOC_HUGE);

	/* adding 0 turns -0 into 0 */
	for (int64 i = 0; i < list->n; i++)
		sorted[i] = list->values[i] + 0.0;
	sort_doubles(sorted, list->n);
	return sorted;
}

double
sorted_quantile(const double *sorted, int64 n, double p)
{
	double position = p * (n - 1);
	int64 low = (int64) floor(position);
	int64 high = (int64) ceil(position);
	double part = position - low;
	double distance = sorted[high] - sorted[low];

	/* of numbers at both ends of the range */
	if (unlikely(isinf(distance)))
		return sorted[low] * (1 - part) + sorted[high] * part;
	return sorted[low] + distance * part;
}
