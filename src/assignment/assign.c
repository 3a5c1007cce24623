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
#include "compat.h"
#include "miscadmin.h"
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
	uint32 *ends; /* the first bucket above each variant's range */
	/* if the arguments are constants of the query, they are not looked at */
	bool is_const;
	/* the same of the experiment, and what it comes to */
	bool experiment_is_const;
	uint32 variant_hash;
	uint32 coverage_hash;
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
				 errdetail("They have %d.", ARR_NDIM(array)),
				 errhint("Name the variants, such as '{control,treatment}'.")));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &variants,
					  &nulls, n);
	if (*n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("variants must not be empty"),
				 errhint("Name the variants, such as '{control,treatment}'.")));
	for (int i = 0; i < *n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("variants must not hold nulls"),
					 errdetail("Element %d is null.", i + 1),
					 errhint(
						 "Give each variant a name, or take it out of variants and weights.")));
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
										  n * (sizeof(uint32) + sizeof(int)));
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
	arms->ends = (uint32 *) memory;
	arms->offsets = (int *) (arms->ends + n);
	return arms;
}

/* The first bucket that is not below a number, as doubles compare. */
static uint32
first_bucket(double end)
{
	uint32 bucket = Min(end, 1) * BUCKETS_V2;

	while (bucket > 0 && (bucket - 1) / (double) BUCKETS_V2 >= end)
		bucket--;
	while (bucket < BUCKETS_V2 && bucket / (double) BUCKETS_V2 < end)
		bucket++;
	return bucket;
}

/* Before their sum, which one too few or too many has wrong as well. */
static void
check_as_many(const ArrayType *weights, int n)
{
	int n_weights = ARR_NDIM(weights) == 1 ? ARR_DIMS(weights)[0] : n;

	if (n_weights != n)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("weights must be as many as variants"),
				 errdetail("There are %d weights of %d variants.", n_weights,
						   n),
				 errhint("Leave weights out for equal ones.")));
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
		check_as_many(weights, n);
		shares = variant_weights(weights, SUM_TOLERANCE, &n_shares);
	}

	arms = arms_alloc(context, n, variants, weights);
	for (int i = 0; i < n; i++)
	{
		end += shares == NULL ? 1.0 / n : shares[i];
		arms->ends[i] = first_bucket(end);
		arms->offsets[i] = DatumGetPointer(elements[i]) - (char *) variants;
	}
	arms->ends[n - 1] = BUCKETS_V2; /* rounding loses nobody */
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

static void
hash_experiment(FunctionCallInfo fcinfo, Arms *arms)
{
	Bytes experiment = text_utf8(fcinfo, 0);

	arms->variant_hash = seed_hash_v2(experiment, "");
	arms->coverage_hash = seed_hash_v2(experiment, ":coverage");
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
	next->is_const = arg_is_const(fcinfo, 2) && arg_is_const(fcinfo, 3);
	next->experiment_is_const = arg_is_const(fcinfo, 0);
	if (next->experiment_is_const)
		hash_experiment(fcinfo, next);
	if (arms != NULL)
		pfree(arms);
	fcinfo->flinfo->fn_extra = next;
	return next;
}

/* The range that has the bucket; without a branch that nobody can foretell. */
static inline int
variant_of(const Arms *arms, uint32 bucket)
{
	int variant = 0;

	for (int i = 0; i < arms->n - 1; i++)
		variant += bucket >= arms->ends[i];
	return variant;
}

static Datum
assign(FunctionCallInfo fcinfo, UnitKind kind)
{
	double coverage = PG_GETARG_FLOAT8(4);
	Arms *arms = fcinfo->flinfo->fn_extra;
	char *variants;
	char buffer[UNIT_BUFFER];
	Bytes unit;

	/* 1 is the usual one */
	if (unlikely(PG_ARGISNULL(4) || coverage != 1))
		coverage = arg_part_of_units(fcinfo, 4, "coverage");
	if (unlikely(PG_ARGISNULL(0)))
		arg_not_null(fcinfo, 0, "experiment");
	if (likely(arms != NULL && arms->is_const))
		variants = (char *) arms->variants;
	else
	{
		arg_not_null(fcinfo, 2, "variants");
		variants = (char *) PG_GETARG_ARRAYTYPE_P(2);
		arms = arms_of(fcinfo, (ArrayType *) variants,
					   PG_ARGISNULL(3) ? NULL : PG_GETARG_ARRAYTYPE_P(3));
	}
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();

	if (!arms->experiment_is_const)
		hash_experiment(fcinfo, arms);
	unit = unit_utf8(fcinfo, 1, kind, buffer);
	if (coverage < 1 &&
		bucket_v2(arms->coverage_hash, unit) / (double) BUCKETS_V2 >= coverage)
		PG_RETURN_NULL();
	/* the array's own bytes, as where an element of an array is read */
	PG_RETURN_POINTER(
		variants +
		arms->offsets[variant_of(arms, bucket_v2(arms->variant_hash, unit))]);
}

UNIT_FUNCTIONS(assign);
