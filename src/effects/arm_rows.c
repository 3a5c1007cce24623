/*
 * arm_rows.c
 *		All rows of both arms, as the state of an aggregate.
 */
#include "postgres.h"

#include <math.h>

#include "common/number_list.h"
#include "compat.h"
#include "effects/arm_rows.h"
#include "libpq/pqformat.h"

#define FIRST_CAPACITY 8

#define row_size(width) ((Size) (width) * sizeof(double))
#define rows_size(width, n) \
	(offsetof(ArmRows, values) + (Size) (n) *row_size(width))

/* Where the treatment's rows begin in a state of this size. */
static double *
treatment_start(ArmRows *rows, Size size)
{
	Size length = (Size) rows->n[TREATMENT] * row_size(arm_rows_width(rows));

	return (double *) ((char *) rows + size - length);
}

static double *
arm_start(const ArmRows *rows, int arm)
{
	ArmRows *writable = unconstify(ArmRows *, rows);

	return arm == CONTROL ? writable->values :
							treatment_start(writable, VARSIZE(rows));
}

ArmRows *
arm_rows_new(const StateType *type, int width, double option)
{
	ArmRows *rows = state_alloc(type, rows_size(width, FIRST_CAPACITY));

	rows->head.unused = width;
	rows->option = option;
	return rows;
}

/* Room for `more` rows: the state itself, or a larger copy. */
static ArmRows *
reserve(const StateType *type, ArmRows *rows, int64 more)
{
	int width = arm_rows_width(rows);
	Size old_size = VARSIZE(rows);
	Size size = rows_size(width, arm_rows_count(rows) + more);

	if (size <= old_size)
		return rows;
	/* twice as large, but never too large before it must be */
	if (size <= STATE_MAX_SIZE)
		size = Max(size, Min(STATE_MAX_SIZE, 2 * old_size));
	rows = state_resize(type, rows, size);
	memmove(treatment_start(rows, size), treatment_start(rows, old_size),
			(Size) rows->n[TREATMENT] * row_size(width));
	return rows;
}

/* Put rows beside those of an arm; there is room for them. */
static void
put(ArmRows *rows, int arm, const double *from, int64 n)
{
	int width = arm_rows_width(rows);
	double *to = rows->values + (Size) rows->n[CONTROL] * width;

	if (arm == TREATMENT)
		to = arm_start(rows, TREATMENT) - (Size) n * width;
	memcpy(to, from, (Size) n * row_size(width));
	rows->n[arm] += n;
}

ArmRows *
arm_rows_add(const StateType *type, ArmRows *rows, int arm, const double *row)
{
	rows = reserve(type, rows, 1);
	put(rows, arm, row, 1);
	return rows;
}

ArmRows *
arm_rows_append(const StateType *type, ArmRows *rows, const ArmRows *other)
{
	rows = reserve(type, rows, arm_rows_count(other));
	for (int arm = CONTROL; arm <= TREATMENT; arm++)
		put(rows, arm, arm_start(other, arm), other->n[arm]);
	return rows;
}

/* ---- sorting ---- */

typedef struct Pair
{
	double first;
	double second;
} Pair;

static inline int
compare_pairs(const Pair *a, const Pair *b)
{
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (a->second > b->second) - (a->second < b->second);
}

#define ST_SORT sort_pairs
#define ST_ELEMENT_TYPE Pair
#define ST_COMPARE(a, b) compare_pairs(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

double *
arm_rows_sorted(const ArmRows *rows, int arm)
{
	int width = arm_rows_width(rows);
	int64 n = rows->n[arm];
	const double *values = arm_start(rows, arm);
	double *sorted =
		palloc_extended(Max(n, 1) * row_size(width), MCXT_ALLOC_HUGE);

	/* adding 0 turns -0 into 0 */
	for (int64 i = 0; i < n * width; i++)
		sorted[i] = values[i] + 0.0;
	if (width == 1)
		sort_doubles(sorted, n);
	else
		sort_pairs((Pair *) sorted, n);
	return sorted;
}

/* ---- outside ---- */

void
arm_rows_send(StringInfo buf, const ArmRows *rows)
{
	pq_sendint64(buf, rows->n[CONTROL]);
	pq_sendint64(buf, rows->n[TREATMENT]);
	for (int arm = CONTROL; arm <= TREATMENT; arm++)
	{
		/* sorted, so that equal rows have equal forms */
		double *sorted = arm_rows_sorted(rows, arm);

		for (int64 i = 0; i < rows->n[arm] * arm_rows_width(rows); i++)
			pq_sendfloat8(buf, sorted[i]);
		pfree(sorted);
	}
}

ArmRows *
arm_rows_recv(StringInfo buf, const StateType *type, int width, double option)
{
	int64 n_control = pq_getmsgint64(buf);
	int64 n_treatment = pq_getmsgint64(buf);
	Size left = state_bytes_left(buf);
	int64 n = left / row_size(width);
	ArmRows *rows;

	if (n_control < 0 || n_treatment < 0 || n_control > n ||
		n_treatment != n - n_control || left % row_size(width) != 0)
		state_malformed(type, "Its counts do not fit its size.");
	if (n == 0)
		state_malformed(type, "It has no rows.");
	rows = state_alloc(type, rows_size(width, n));
	rows->head.unused = width;
	rows->option = option;
	rows->n[CONTROL] = n_control;
	rows->n[TREATMENT] = n_treatment;
	/* there is no gap */
	for (int64 i = 0; i < n * width; i++)
	{
		rows->values[i] = pq_getmsgfloat8(buf);
		if (!isfinite(rows->values[i]))
			state_malformed(type, "A number is not finite.");
	}
	return rows;
}
