/*
 * fit_set.c
 *		A sample, prepared to be evaluated many times.
 *
 * What depends on x alone is computed once a group of equal x, what depends
 * on x and a time once for each of the group's times, however many rows share
 * it.  Rows stand in canonical order, so that sums over them come out the same
 * to the last bit in whatever order the customers came.
 */
#include "postgres.h"

#include <math.h>

#include "common/number_list.h"
#include "miscadmin.h"
#include "numeric/numeric.h"
#include "value/value.h"

/* Beyond so many steps the gamma function is quicker than their sum. */
#define MAX_STEPS 100

static void *
allocate(int64 n, Size size)
{
	return palloc_extended(Max(n, 1) * size, MCXT_ALLOC_HUGE);
}

static int64
drop_repeated(double *sorted, int64 n)
{
	int64 kept = 0;

	for (int64 i = 0; i < n; i++)
	{
		if (kept == 0 || sorted[i] != sorted[kept - 1])
			sorted[kept++] = sorted[i];
	}
	return kept;
}

static int32
position(const double *sorted, int64 n, double value)
{
	int64 low = 0;

	while (n > 1)
	{
		int64 half = n / 2;

		if (sorted[low + half] <= value)
			low += half;
		n -= half;
	}
	return (int32) low;
}

/* The points of a group, and which of them its rows have. */
static void
place_points(FitSet *set, FitGroup *group, const SampleRow *rows)
{
	double *points = set->points + group->first_point;

	for (int64 i = 0; i < group->n; i++)
	{
		points[2 * i] = rows[i].customer.t_x;
		points[2 * i + 1] = rows[i].customer.T;
	}
	sort_doubles(points, 2 * group->n);
	group->npoints = drop_repeated(points, 2 * group->n);
	for (int64 i = 0; i < group->n; i++)
	{
		const Customer *customer = &rows[i].customer;
		int64 at = group->first + i;

		set->t_x[at] = position(points, group->npoints, customer->t_x);
		set->T[at] = position(points, group->npoints, customer->T);
	}
}

static void
add_group(FitSet *set, const SampleRow *rows, int64 first, int64 n)
{
	FitGroup *group = &set->groups[set->ngroups];
	FitGroup *previous = set->ngroups > 0 ? group - 1 : NULL;

	CHECK_FOR_INTERRUPTS();
	group->x = rows[first].customer.x;
	group->first = first;
	group->n = n;
	group->weight = 0;
	for (int64 i = first; i < first + n; i++)
	{
		set->weights[i] = sum_value(&rows[i].weight);
		group->weight += set->weights[i];
	}
	group->first_point =
		previous ? previous->first_point + previous->npoints : 0;
	place_points(set, group, rows + first);
	set->ngroups++;
}

static void
summarise(FitSet *set, const SampleRow *rows)
{
	set->min_t_x = set->max_t_x = rows[0].customer.t_x;
	for (int64 i = 0; i < set->n; i++)
	{
		const Customer *customer = &rows[i].customer;
		double weight = set->weights[i];

		set->weight += weight;
		set->purchases += weight * customer->x;
		set->mean_t_x += weight * customer->t_x;
		set->mean_T += weight * customer->T;
		set->min_t_x = Min(set->min_t_x, customer->t_x);
		set->max_t_x = Max(set->max_t_x, customer->t_x);
	}
	set->mean_t_x /= set->weight;
	set->mean_T /= set->weight;
}

static int64
count_groups(const SampleRow *rows, int64 n)
{
	int64 groups = 1;

	for (int64 i = 1; i < n; i++)
		groups += rows[i].customer.x != rows[i - 1].customer.x;
	return groups;
}

FitSet *
fit_set_build(const SampleRow *rows, int64 n)
{
	FitSet *set = palloc0(sizeof(FitSet));
	int64 most = 0;

	set->n = n;
	set->groups = allocate(count_groups(rows, n), sizeof(FitGroup));
	set->points = allocate(2 * n, sizeof(double));
	set->weights = allocate(n, sizeof(double));
	set->t_x = allocate(n, sizeof(int32));
	set->T = allocate(n, sizeof(int32));

	for (int64 first = 0, i = 1; i <= n; i++)
	{
		if (i < n && rows[i].customer.x == rows[first].customer.x)
			continue;
		add_group(set, rows, first, i - first);
		first = i;
	}
	for (int i = 0; i < set->ngroups; i++)
		most = Max(most, set->groups[i].npoints);
	set->scratch = allocate(most * FIT_SCRATCH, sizeof(double));
	summarise(set, rows);
	return set;
}

/* Every (total / size)th customer of the ordered sample, from the middle. */
SampleRow *
sample_rows(const SampleRow *rows, int64 n, int64 size, int64 *nsampled)
{
	SampleRow *sampled = allocate(Min(n, size), sizeof(SampleRow));
	double total = 0;
	double passed = 0;
	int64 taken = 0;
	int64 count = 0;

	for (int64 i = 0; i < n; i++)
		total += sum_value(&rows[i].weight);
	for (int64 i = 0; i < n; i++)
	{
		int64 reached;

		passed += sum_value(&rows[i].weight);
		reached = Min((int64) floor(passed / total * size + 0.5), size);
		if (reached <= taken)
			continue;
		sampled[count].customer = rows[i].customer;
		sampled[count].weight.high = (reached - taken) * (total / size);
		sampled[count].weight.low = 0;
		count++;
		taken = reached;
	}
	*nsampled = count;
	return sampled;
}

void
rising_advance(Rising *rising, double x)
{
	if (x - rising->x > MAX_STEPS)
	{
		rising->value = log_gamma(x) - log_beta(rising->start, x);
		rising->slope = digamma(rising->start + x) - digamma(rising->start);
		rising->x = x;
	}
	for (; rising->x < x; rising->x++)
	{
		rising->value += log(rising->start + rising->x);
		rising->slope += 1 / (rising->start + rising->x);
	}
}
