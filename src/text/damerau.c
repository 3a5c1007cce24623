/*
 * damerau.c
 *		The distance of Damerau and Levenshtein, in linear space.
 *
 * Lowrance and Wagner (1975) let two points change places with x points deleted
 * between them and y inserted, for x + y + 1.  If x and y are both above zero,
 * substitutions do the same for no more, so one of them may be taken as zero.
 * Then a cell looks back either two rows, or two columns to a row which that
 * column remembers: rows of the matrix, not all of it (Zhao and Sahni 2019).
 *
 * Cells that are further from the diagonal than the limit are beyond it.  So
 * are all rows after one that has no cell within it: an edit that skips a row
 * costs at least what it takes to reach the row.
 */
#include "postgres.h"

#include <limits.h>

#include "miscadmin.h"
#include "text/text.h"

/* No allocation up to so many points in the shorter string */
#define SHORT_POINTS 64

/* First limit to try between long strings, and what it is multiplied by. */
#define FIRST_LIMIT 32
#define LIMIT_FACTOR 4

/* More than any distance; a sum of two is still an int. */
#define BEYOND (INT_MAX / 2)

/* What is known of a column of the matrix. */
typedef struct Column
{
	uint32 point;
	int crossed_row; /* the last whose point is the same, from 1; 0: none */
	int crossed;	 /* the cell above that row, two columns to the left */
} Column;

/* What is left of two strings without the ends that they share. */
typedef struct Middle
{
	const Points *a;
	int a_start;
	int n_a;
	const Points *b; /* the shorter one */
	int b_start;
	int n_b;
} Middle;

/* Rows begin at -1, so that a look back two columns finds a cell. */
typedef struct Matrix
{
	Column *columns; /* from 1 */
	int *row;
	int *above;
	int *above2;
} Matrix;

static Middle
differing_middle(const Points *a, const Points *b)
{
	Middle m = { a, 0, a->n, b, 0, b->n };
	int start = 0;

	if (a->n < b->n)
		m = (Middle){ b, 0, b->n, a, 0, a->n };
	while (start < m.n_b && point_at(m.a, start) == point_at(m.b, start))
		start++;
	m.a_start = m.b_start = start;
	m.n_a -= start;
	m.n_b -= start;
	while (m.n_b > 0 &&
		   point_at(m.a, start + m.n_a - 1) == point_at(m.b, start + m.n_b - 1))
	{
		m.n_a--;
		m.n_b--;
	}
	return m;
}

/* To the right of the cells that are filled, rows stay as they are here. */
static void
start_matrix(Matrix *matrix, const Middle *m, int limit)
{
	for (int j = 1; j <= m->n_b; j++)
	{
		matrix->columns[j].point = point_at(m->b, m->b_start + j - 1);
		matrix->columns[j].crossed_row = 0;
		matrix->columns[j].crossed = BEYOND;
	}
	matrix->row[-1] = matrix->above[-1] = matrix->above2[-1] = BEYOND;
	for (int j = 0; j <= m->n_b; j++)
	{
		matrix->above2[j] = BEYOND;
		matrix->above[j] = BEYOND;
		matrix->row[j] = j <= limit ? j : BEYOND;
	}
}

static void
next_row(Matrix *matrix)
{
	int *spare = matrix->above2;

	matrix->above2 = matrix->above;
	matrix->above = matrix->row;
	matrix->row = spare;
}

/* Fill row i from column first to last; the least of its cells. */
static int
fill_row(Matrix *matrix, const Middle *m, int i, int first, int last)
{
	uint32 point = point_at(m->a, m->a_start + i - 1);
	bool swaps = i > 1; /* may be with the point of the row above */
	uint32 before = swaps ? point_at(m->a, m->a_start + i - 2) : 0;
	int *row = matrix->row;
	const int *above = matrix->above;
	const int *above2 = matrix->above2;
	int crossed_column = 0; /* the last whose point is the row's */
	int least = row[first - 1];

	for (int j = first; j <= last; j++)
	{
		Column *column = &matrix->columns[j];
		int cell = Min(above[j], row[j - 1]) + 1;

		if (column->point == point)
		{
			cell = Min(cell, above[j - 1]);
			column->crossed_row = i;
			column->crossed = above[j - 2];
			crossed_column = j;
		}
		else
		{
			cell = Min(cell, above[j - 1] + 1);
			if (crossed_column == j - 1 && crossed_column > 0)
				cell = Min(cell, column->crossed + i - column->crossed_row);
			if (swaps && column->point == before && crossed_column > 0)
				cell =
					Min(cell, above2[crossed_column - 1] + j - crossed_column);
		}
		row[j] = cell;
		least = Min(least, cell);
	}
	return least;
}

static int
matrix_distance(Matrix *matrix, const Middle *m, int limit)
{
	start_matrix(matrix, m, limit);
	for (int i = 1; i <= m->n_a; i++)
	{
		int first = Max(1, i - limit);
		int last = Min((int64) m->n_b, (int64) i + limit);

		CHECK_FOR_INTERRUPTS();
		next_row(matrix);
		matrix->row[first - 1] = first == 1 && i <= limit ? i : BEYOND;
		if (fill_row(matrix, m, i, first, last) > limit)
			return limit + 1;
	}
	return Min(matrix->row[m->n_b], limit + 1);
}

static int
short_distance(const Middle *m, int limit)
{
	Column columns[SHORT_POINTS + 1];
	int rows[3][SHORT_POINTS + 2];
	Matrix matrix = { columns, rows[0] + 1, rows[1] + 1, rows[2] + 1 };

	return matrix_distance(&matrix, m, limit);
}

/* Strings that are much alike are told so in much less time. */
static int
long_distance(const Middle *m, int limit)
{
	Size size = (Size) m->n_b + 2;
	Column *columns = palloc_extended(size * sizeof(Column), MCXT_ALLOC_HUGE);
	int *rows = palloc_extended(3 * size * sizeof(int), MCXT_ALLOC_HUGE);
	Matrix matrix = { columns, rows + 1, rows + size + 1, rows + 2 * size + 1 };
	int64 tried = Max(FIRST_LIMIT, m->n_a - m->n_b);
	int distance;

	for (;; tried *= LIMIT_FACTOR)
	{
		tried = Min(tried, limit);
		distance = matrix_distance(&matrix, m, (int) tried);
		if (distance <= tried || tried == limit)
			break;
	}
	pfree(columns);
	pfree(rows);
	return distance;
}

int
damerau_levenshtein_distance(const Points *a, const Points *b, int limit)
{
	Middle m = differing_middle(a, b);

	/* no distance is more than the longer string */
	limit = Min(limit, m.n_a);
	if (m.n_a - m.n_b > limit)
		return limit + 1;
	if (m.n_b == 0)
		return m.n_a;
	return m.n_b <= SHORT_POINTS ? short_distance(&m, limit) :
								   long_distance(&m, limit);
}
