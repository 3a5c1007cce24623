/*
 * fit_sample.c
 *		What the fits have seen: distinct customers and how many of each.
 *
 * A likelihood depends on few numbers of a customer, in whole days or weeks
 * mostly, so that many are equal; each evaluation of a fit then costs by
 * distinct customers.  The rows stand one after another, and behind them a
 * hash table of their numbers, so that a state grows by what there is and a
 * lookup touches little memory.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "common/mix.h"
#include "compat.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "value/value.h"

#define FIRST_CAPACITY 16

/* At most 2/3 of the slots are taken, mostly half or less. */
#define MIN_SLOTS(capacity) ((int64) (capacity) *3 / 2)

/* So that no sum of weights overflows. */
#define MAX_WEIGHT 1e100

/* As sent: three numbers and the two of a Sum. */
#define ROW_BYTES 40

PG_FUNCTION_INFO_V1(personalize_fit_sample_add_customer);
PG_FUNCTION_INFO_V1(personalize_fit_sample_add_opportunities);
PG_FUNCTION_INFO_V1(personalize_fit_sample_add_spend);
PG_FUNCTION_INFO_V1(personalize_fit_sample_combine);

static void sample_send(StringInfo buf, const void *state);
static void *sample_recv(StringInfo buf, uint8 version);

const StateType fit_sample_type = {
	.name = "fit_sample",
	.kind = STATE_FIT_SAMPLE,
	.version = 1,
	.send = sample_send,
	.recv = sample_recv,
};

STATE_TYPE_FUNCTIONS(fit_sample, fit_sample_type);

static Size
sample_size(int64 capacity, int64 nslots)
{
	return offsetof(FitSample, rows) + capacity * sizeof(SampleRow) +
		nslots * sizeof(int32);
}

/* Each 0, or the number of a row, counted from 1. */
static int32 *
sample_slots(FitSample *sample)
{
	return (int32 *) (sample->rows + sample->capacity);
}

/* A power of two. */
static int64
slots_for(int64 capacity)
{
	int64 nslots = 2 * FIRST_CAPACITY;

	while (nslots < MIN_SLOTS(capacity))
		nslots *= 2;
	return nslots;
}

static bool
is_possible_size(int64 capacity)
{
	return sample_size(capacity, slots_for(capacity)) <= STATE_MAX_SIZE;
}

static FitSample *
sample_new(SampleKind kind, int64 capacity)
{
	int64 nslots = slots_for(capacity);
	FitSample *sample =
		state_alloc(&fit_sample_type, sample_size(capacity, nslots));

	sample->kind = kind;
	sample->capacity = capacity;
	sample->nslots = nslots;
	return sample;
}

static inline uint64
double_bits(double value)
{
	uint64 bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static inline uint64
hash_customer(const Customer *customer)
{
	uint64 hash = mix64(double_bits(customer->x) + 1);

	hash = mix64(hash ^ double_bits(customer->t_x));
	return mix64(hash + double_bits(customer->T));
}

static inline bool
same_customer(const Customer *a, const Customer *b)
{
	return a->x == b->x && a->t_x == b->t_x && a->T == b->T;
}

/* The slot of a customer, or an empty one for it. */
static int32 *
find_slot(FitSample *sample, const Customer *customer)
{
	int32 *slots = sample_slots(sample);
	uint64 mask = sample->nslots - 1;
	uint64 at = hash_customer(customer) & mask;

	while (slots[at] != 0 &&
		   !same_customer(&sample->rows[slots[at] - 1].customer, customer))
		at = (at + 1) & mask;
	return &slots[at];
}

/* Twice as large, or by a quarter where that is too much. */
static FitSample *
sample_grow(FitSample *sample)
{
	int64 capacity = (int64) sample->capacity * 2;
	FitSample *grown;

	if (!is_possible_size(capacity))
		capacity = (int64) sample->capacity * 5 / 4;
	if (!is_possible_size(capacity))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many distinct customers for one fit"),
				 errdetail("A value of type fit_sample would exceed %zu MB with more than %d.",
						   STATE_MAX_SIZE / (1024 * 1024), sample->n),
				 errhint(
					 "Count times in whole days or weeks, or fit to a random sample of the customers.")));
	grown = sample_new(sample->kind, capacity);
	memcpy(grown->rows, sample->rows, sample->n * sizeof(SampleRow));
	grown->n = sample->n;
	for (int32 i = 0; i < grown->n; i++)
		*find_slot(grown, &grown->rows[i].customer) = i + 1;
	return grown;
}

/* The row of a customer, new ones with weight 0; the sample may move. */
static SampleRow *
sample_row(FitSample **sample, const Customer *customer)
{
	int32 *slot = find_slot(*sample, customer);

	if (*slot == 0)
	{
		if ((*sample)->n == (*sample)->capacity)
		{
			*sample = sample_grow(*sample);
			slot = find_slot(*sample, customer);
		}
		(*sample)->rows[(*sample)->n].customer = *customer;
		*slot = ++(*sample)->n;
	}
	return &(*sample)->rows[*slot - 1];
}

/* The weight in argument argno, 1 if the function has no such argument. */
static double
arg_weight(FunctionCallInfo fcinfo, int argno)
{
	double weight;

	if (PG_NARGS() <= argno)
		return 1;
	weight = arg_finite(fcinfo, argno, "weight");
	if (weight < 0 || weight > MAX_WEIGHT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight must be between 0 and %g", MAX_WEIGHT),
				 errdetail("weight is %g.", weight),
				 errhint("A weight is a number of equal customers.")));
	return weight;
}

static bool
any_null(FunctionCallInfo fcinfo)
{
	for (int i = 1; i < PG_NARGS(); i++)
	{
		if (PG_ARGISNULL(i))
			return true;
	}
	return false;
}

static Datum
unchanged(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

static void
check_kind(const FitSample *sample, SampleKind kind)
{
	static const char *const holds[] = {
		[SAMPLE_PURCHASES] = "purchases in continuous time",
		[SAMPLE_OPPORTUNITIES] = "purchases at discrete opportunities",
		[SAMPLE_SPEND] = "spending",
	};

	if (sample->kind != (int32) kind)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a sample of %s cannot be used as one of %s",
						holds[sample->kind], holds[kind]),
				 errhint(
					 "Merge samples that were taken for the same kind of model.")));
}

static Datum
sample_add(FunctionCallInfo fcinfo, SampleKind kind, Customer *customer,
		   double weight)
{
	FitSample *sample;

	if (weight == 0)
		return unchanged(fcinfo);
	if (PG_ARGISNULL(0))
		sample = sample_new(kind, FIRST_CAPACITY);
	else
	{
		sample = state_writable(fcinfo, 0);
		check_kind(sample, kind);
	}

	/* adding 0 turns -0 into 0 */
	customer->x += 0.0;
	customer->t_x += 0.0;
	customer->T += 0.0;
	sum_add(&sample_row(&sample, customer)->weight, weight);
	PG_RETURN_POINTER(sample);
}

static Datum
add_customer(FunctionCallInfo fcinfo, SampleKind kind,
			 const PurchaseModel *model)
{
	Customer customer;

	if (any_null(fcinfo))
		return unchanged(fcinfo);
	customer.x = PG_GETARG_FLOAT8(1);
	customer.t_x = PG_GETARG_FLOAT8(2);
	customer.T = PG_GETARG_FLOAT8(3);
	check_customer(model, &customer);
	return sample_add(fcinfo, kind, &customer, arg_weight(fcinfo, 4));
}

Datum
personalize_fit_sample_add_customer(PG_FUNCTION_ARGS)
{
	return add_customer(fcinfo, SAMPLE_PURCHASES, &bgnbd_model);
}

Datum
personalize_fit_sample_add_opportunities(PG_FUNCTION_ARGS)
{
	return add_customer(fcinfo, SAMPLE_OPPORTUNITIES, &bgbb_model);
}

/* Who has not come again, or spent nothing, tells nothing of spending. */
Datum
personalize_fit_sample_add_spend(PG_FUNCTION_ARGS)
{
	Customer customer = { 0 };
	double weight;

	if (any_null(fcinfo))
		return unchanged(fcinfo);
	customer.x = arg_finite(fcinfo, 1, "frequency");
	customer.t_x = arg_finite(fcinfo, 2, "mean_value");
	weight = arg_weight(fcinfo, 3);
	if (customer.x < 0 || customer.x > PG_INT32_MAX ||
		customer.x != floor(customer.x))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("frequency must be a whole number, 0 or more"),
				 errdetail("frequency is %g.", customer.x),
				 errhint("Pass the number of repeat purchases.")));
	if (customer.x == 0 || customer.t_x <= 0)
		return unchanged(fcinfo);
	return sample_add(fcinfo, SAMPLE_SPEND, &customer, weight);
}

Datum
personalize_fit_sample_combine(PG_FUNCTION_ARGS)
{
	FitSample *sample;
	const FitSample *other;

	if (PG_ARGISNULL(1))
		return unchanged(fcinfo);
	other = state_readable(fcinfo, 1);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(other);

	sample = state_writable(fcinfo, 0);
	check_kind(sample, other->kind);
	for (int32 i = 0; i < other->n; i++)
	{
		const SampleRow *row = &other->rows[i];

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		sum_merge(&sample_row(&sample, &row->customer)->weight, &row->weight);
	}
	PG_RETURN_POINTER(sample);
}

const FitSample *
arg_fit_sample(FunctionCallInfo fcinfo, int argno, SampleKind kind)
{
	const FitSample *sample = state_readable(fcinfo, argno);

	check_kind(sample, kind);
	return sample;
}

static inline int
compare_rows(const SampleRow *a, const SampleRow *b)
{
	if (a->customer.x != b->customer.x)
		return a->customer.x < b->customer.x ? -1 : 1;
	if (a->customer.t_x != b->customer.t_x)
		return a->customer.t_x < b->customer.t_x ? -1 : 1;
	if (a->customer.T != b->customer.T)
		return a->customer.T < b->customer.T ? -1 : 1;
	return 0;
}

#define ST_SORT sort_rows
#define ST_ELEMENT_TYPE SampleRow
#define ST_COMPARE(a, b) compare_rows(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

SampleRow *
fit_sample_sorted(const FitSample *sample)
{
	SampleRow *rows = palloc(Max(sample->n, 1) * sizeof(SampleRow));

	memcpy(rows, sample->rows, sample->n * sizeof(SampleRow));
	sort_rows(rows, sample->n);
	return rows;
}

/* Sorted, and sums as two numbers of which the first is the rounded one. */
static void
sample_send(StringInfo buf, const void *state)
{
	const FitSample *sample = state;
	SampleRow *rows = fit_sample_sorted(sample);

	pq_sendbyte(buf, sample->kind);
	pq_sendint32(buf, sample->n);
	enlargeStringInfo(buf, sample->n * ROW_BYTES);
	for (int32 i = 0; i < sample->n; i++)
	{
		const Sum *weight = &rows[i].weight;
		double high = sum_value(weight);

		pq_sendfloat8(buf, rows[i].customer.x);
		pq_sendfloat8(buf, rows[i].customer.t_x);
		pq_sendfloat8(buf, rows[i].customer.T);
		pq_sendfloat8(buf, high);
		pq_sendfloat8(buf, weight->high - high + weight->low);
	}
	pfree(rows);
}

static bool
is_whole(double value)
{
	return value == floor(value);
}

/* Could an aggregate have taken this row in?  See check_customer(). */
static bool
is_possible(SampleKind kind, const Customer *customer)
{
	double x = customer->x;
	double t_x = customer->t_x;
	double T = customer->T;

	/* comparisons that NaN fails */
	if (!(x >= 0 && x <= PG_INT32_MAX && is_whole(x)) || !isfinite(t_x) ||
		!isfinite(T))
		return false;
	if (kind == SAMPLE_SPEND)
		return x > 0 && t_x > 0 && T == 0;
	if (t_x < 0 || t_x > T || (x == 0 && t_x != 0))
		return false;
	return kind == SAMPLE_PURCHASES ||
		(is_whole(t_x) && is_whole(T) && T <= MAX_OPPORTUNITIES && x <= t_x);
}

static void
recv_row(StringInfo buf, SampleKind kind, SampleRow *row)
{
	row->customer.x = pq_getmsgfloat8(buf);
	row->customer.t_x = pq_getmsgfloat8(buf);
	row->customer.T = pq_getmsgfloat8(buf);
	row->weight.high = pq_getmsgfloat8(buf);
	row->weight.low = pq_getmsgfloat8(buf);
	if (!is_possible(kind, &row->customer) || signbit(row->customer.x) ||
		signbit(row->customer.t_x) || signbit(row->customer.T))
		state_malformed(&fit_sample_type, "There cannot be such a customer.");
	if (!isfinite(row->weight.high) || row->weight.high <= 0 ||
		row->weight.high + row->weight.low != row->weight.high)
		state_malformed(&fit_sample_type, "A weight is not positive.");
}

static void *
sample_recv(StringInfo buf, uint8 version)
{
	int kind = pq_getmsgbyte(buf);
	int32 n = pq_getmsgint(buf, 4);
	FitSample *sample;

	if (kind < SAMPLE_PURCHASES || kind > SAMPLE_SPEND)
		state_malformed(&fit_sample_type, "There is no such kind of sample.");
	if (n <= 0 || (Size) n != state_bytes_left(buf) / ROW_BYTES)
		state_malformed(&fit_sample_type, "Its count does not fit its size.");

	sample = sample_new(kind, Max(n, FIRST_CAPACITY));
	for (int32 i = 0; i < n; i++)
	{
		SampleRow *row = &sample->rows[i];

		/* colliding customers, made up to, would take long */
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		recv_row(buf, kind, row);
		if (i > 0 && compare_rows(row - 1, row) >= 0)
			state_malformed(&fit_sample_type,
							"Its customers are not in order.");
		*find_slot(sample, &row->customer) = i + 1;
	}
	sample->n = n;
	return sample;
}
