/*
 * assignment.h
 *		Units in buckets by a hash that applications can compute as well.
 */
#ifndef PERSONALIZE_ASSIGNMENT_H
#define PERSONALIZE_ASSIGNMENT_H

#include "fmgr.h"

/* ---- hash.c ---- */

/* The types that a unit may have. */
typedef enum UnitKind
{
	UNIT_TEXT,
	UNIT_BIGINT,
	UNIT_UUID
} UnitKind;

/* Bytes of UTF-8. */
typedef struct Bytes
{
	const char *data;
	int length;
} Bytes;

#define UNIT_BUFFER 40 /* for a bigint or a uuid */

/* An argument of type text, not NULL. */
extern Bytes text_utf8(FunctionCallInfo fcinfo, int argno);

/* A unit, not NULL, as text; of another kind it is written into the buffer. */
extern Bytes
unit_utf8(FunctionCallInfo fcinfo, int argno, UnitKind kind, char *buffer);

/* Whether an argument is a constant of the query, the same for all rows. */
extern bool arg_is_const(FunctionCallInfo fcinfo, int argno);

/*
 * The buckets of version 1, of BUCKETS_V1 from 0 on, and of version 2, of
 * BUCKETS_V2.  Version 1 hashes prefix and seed behind the unit, version 2
 * seed and suffix before it, so that what these come to can be kept.
 */
#define BUCKETS_V1 1000
#define BUCKETS_V2 10000

extern uint32 bucket_v1(const char *prefix, Bytes seed, Bytes unit);
extern uint32 seed_hash_v2(Bytes seed, const char *suffix);
extern uint32 bucket_v2(uint32 seed_hash, Bytes unit);

/*
 * The seed's hash, kept in fn_extra if the seed is a constant of the query.
 * For functions that keep nothing else there.
 */
extern uint32
arg_seed_hash_v2(FunctionCallInfo fcinfo, int argno, const char *suffix);

/*
 * Defines the SQL-callable functions NAME_text, NAME_bigint and NAME_uuid by
 * a function of the same call and the kind of the unit.
 */
#define UNIT_FUNCTION(name, kind_name, kind)                         \
	extern Datum personalize_##name##_##kind_name(PG_FUNCTION_ARGS); \
	Datum personalize_##name##_##kind_name(PG_FUNCTION_ARGS)         \
	{                                                                \
		return name(fcinfo, kind);                                   \
	}                                                                \
	PG_FUNCTION_INFO_V1(personalize_##name##_##kind_name)
#define UNIT_FUNCTIONS(name)                  \
	UNIT_FUNCTION(name, text, UNIT_TEXT);     \
	UNIT_FUNCTION(name, bigint, UNIT_BIGINT); \
	UNIT_FUNCTION(name, uuid, UNIT_UUID)

/* ---- ranges.c ---- */

/* An argument from 0 to 1, not NULL. */
extern double
arg_part_of_units(FunctionCallInfo fcinfo, int argno, const char *name);

/*
 * The weights of an array: one dimension, at least one, each finite and not
 * negative, their sum 1 but for the tolerance.  In place, as they stand there.
 */
struct ArrayType;
extern const double *
variant_weights(const struct ArrayType *array, double tolerance, int *n);

#endif
