/*
 * assign.c
 *		Which variant of an experiment a unit gets.
 *
 * Two buckets of different salts decide: one whether the unit is covered, the
 * other which variant it has.  With one for both, those who are covered would
 * be no random part of each variant's own, and raising the coverage would have
 * to move units between variants or leave gaps.
 */
#include "postgres.h"

#include "assignment/assignment.h"
#include "catalog/pg_type.h"
#include "common/args.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Enough for weights that are written with six or more digits. */
#define SUM_TOLERANCE 1e-6

/*
 * What variants and weights came to when they were checked, kept as long as
 * the next rows bring the same bytes.
 */
typedef struct Arms
{
	ArrayType *variants; /* copies of the arguments */
	ArrayType *weights;	 /* NULL: equal ones */
	int n;
	int *offsets; /* where each variant begins, from that of its array */
	double *ends; /* where each variant's range of buckets does */
} Arms;

static void
duplicate_variant(Datum variant, int first, int second)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("variants must differ"),
			 errdetail("Elements %d and %d are both \"%s\".", first, second,
					   TextDatumGetCString(variant)),
			 errhint(
				 "For a larger share of one variant, give it a larger weight.")));
}

static bool
same_text(Datum a, Datum b)
{
	text *x = DatumGetTextPP(a);
	text *y = DatumGetTextPP(b);

	return VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y) &&
		memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
}

/* The elements, which stand in the array itself. */
static Datum *
checked_variants(ArrayType *array, int *n)
{
	Datum *variants;
	bool *nulls;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("variants must have one dimension"),
				 errdetail("They have %d.", ARR_NDIM(array))));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &variants,
					  &nulls, n);
	if (*n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("variants must not be empty"),
				 errhint("Name the variants, such as '{control,treatment}'.")));
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("variants must not hold nulls"),
					 errdetail("Element %d is null.", i + 1)));
		for (int j = 0; j < i; j++)
		{
			if (same_text(variants[i], variants[j]))
				duplicate_variant(variants[i], j + 1, i + 1);
		}
	}
	return variants;
}

static Arms *
arms_alloc(MemoryContext context, int n, const ArrayType *variants,
		   const ArrayType *weights)
{
	Size copies = MAXALIGN(VARSIZE(variants)) +
		(weights == NULL ? 0 : MAXALIGN(VARSIZE(weights)));
	char *memory = MemoryContextAlloc(context,
									  MAXALIGN(sizeof(Arms)) + copies +
										  n * (sizeof(double) + sizeof(int)));
	Arms *arms = (Arms *) memory;

	memory += MAXALIGN(sizeof(Arms));
	arms->variants = memcpy(memory, variants, VARSIZE(variants));
	memory += MAXALIGN(VARSIZE(variants));
	arms->weights = NULL;
	if (weights != NULL)
	{
		arms->weights = memcpy(memory, weights, VARSIZE(weights));
		memory += MAXALIGN(VARSIZE(weights));
	}
	arms->n = n;
	arms->ends = (double *) memory;
	arms->offsets = (int *) (arms->ends + n);
	return arms;
}

static Arms *
arms_new(MemoryContext context, ArrayType *variants, ArrayType *weights)
{
	const double *shares = NULL;
	double end = 0;
	Datum *elements;
	Arms *arms;
	int n_shares;
	int n;

	elements = checked_variants(variants, &n);
	if (weights != NULL)
	{
		shares = variant_weights(weights, SUM_TOLERANCE, &n_shares);
		if (n_shares != n)
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("weights must be as many as variants"),
					 errdetail("There are %d weights of %d variants.", n_shares,
							   n),
					 errhint("Leave weights out for equal ones.")));
	}

	arms = arms_alloc(context, n, variants, weights);
	for (int i = 0; i < n; i++)
	{
		end += shares == NULL ? 1.0 / n : shares[i];
		arms->ends[i] = end;
		arms->offsets[i] = DatumGetPointer(elements[i]) - (char *) variants;
	}
	arms->ends[n - 1] = 1; /* rounding loses nobody */
	pfree(elements);
	return arms;
}

static inline bool
same_array(const ArrayType *a, const ArrayType *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

static Arms *
arms_of(FunctionCallInfo fcinfo, ArrayType *variants, ArrayType *weights)
{
	Arms *arms = fcinfo->flinfo->fn_extra;
	Arms *next;

	if (likely(arms != NULL && same_array(arms->variants, variants) &&
			   same_array(arms->weights, weights)))
		return arms;
	next = arms_new(fcinfo->flinfo->fn_mcxt, variants, weights);
	if (arms != NULL)
		pfree(arms);
	fcinfo->flinfo->fn_extra = next;
	return next;
}

static Datum
assign(FunctionCallInfo fcinfo, UnitKind kind)
{
	double coverage = arg_part_of_units(fcinfo, 4, "coverage");
	char buffer[UNIT_BUFFER];
	ArrayType *variants;
	ArrayType *weights;
	Bytes experiment;
	Bytes unit;
	Arms *arms;
	double bucket;
	int i = 0;

	arg_not_null(fcinfo, 0, "experiment");
	arg_not_null(fcinfo, 2, "variants");
	variants = PG_GETARG_ARRAYTYPE_P(2);
	weights = PG_ARGISNULL(3) ? NULL : PG_GETARG_ARRAYTYPE_P(3);
	arms = arms_of(fcinfo, variants, weights);
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();

	experiment = text_utf8(fcinfo, 0);
	unit = unit_utf8(fcinfo, 1, kind, buffer);
	if (coverage < 1 && bucket_v2(experiment, ":coverage", unit) >= coverage)
		PG_RETURN_NULL();
	bucket = bucket_v2(experiment, "", unit);
	while (bucket >= arms->ends[i])
		i++;
	/* the argument's own bytes, as an element of an array is returned */
	PG_RETURN_POINTER((char *) variants + arms->offsets[i]);
}

UNIT_FUNCTIONS(assign);
