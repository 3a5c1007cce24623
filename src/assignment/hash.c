/*
 * hash.c
 *		The hash of units: FNV-1a with 32 bits (Fowler, Noll and Vo), made a
 *		number in [0, 1) as versions 1 and 2 of GrowthBook's SDK do.
 *
 * Version 1 is one hash of unit and seed, whose low bits are hardly mixed: two
 * seeds that differ in their last characters give buckets that go together.
 * Version 2 hashes the decimal digits of a first hash, and has no such fault.
 *
 * It is the bytes of UTF-8 that are hashed, whatever the server's encoding.
 */
#include "postgres.h"

#include "assignment/assignment.h"
#include "common/args.h"
#include "compat.h"
#include "mb/pg_wchar.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#define FNV_BASIS 0x811c9dc5U
#define FNV_PRIME 0x01000193U

static inline uint32
fnv(uint32 hash, const char *data, int length)
{
	for (int i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) data[i]) * FNV_PRIME;
	return hash;
}

/* ---- the hash of a number's decimal digits ---- */

/* of one digit, and of two */
#define HASH_1(a) ((uint32) ((FNV_BASIS ^ ('0' + (a))) * FNV_PRIME))
#define HASH_2(a, b) ((uint32) ((HASH_1(a) ^ ('0' + (b))) * FNV_PRIME))
#define HASHES_10(a)                                                      \
	HASH_2(a, 0), HASH_2(a, 1), HASH_2(a, 2), HASH_2(a, 3), HASH_2(a, 4), \
		HASH_2(a, 5), HASH_2(a, 6), HASH_2(a, 7), HASH_2(a, 8), HASH_2(a, 9)

/* Of the digits in front of the last eight, of which there is one at least. */
static const uint32 head_hashes[] = {
	0,
	HASH_1(1),
	HASH_1(2),
	HASH_1(3),
	HASH_1(4),
	HASH_1(5),
	HASH_1(6),
	HASH_1(7),
	HASH_1(8),
	HASH_1(9),
	HASHES_10(1),
	HASHES_10(2),
	HASHES_10(3),
	HASH_2(4, 0),
	HASH_2(4, 1),
	HASH_2(4, 2),
};

/*
 * The digits are taken from the front, where hashing begins, so that neither
 * waits for the other: n / 10^8 as a number of 32 bits before the point and 32
 * behind it, from which each multiplication by 100 brings two more digits in
 * front.  The factor is 2^57 / 10^8, rounded up; with what the shift cuts off
 * made up for by 1, it serves all n of 32 bits (each was tried).
 */
#define EIGHT_DIGITS 100000000
#define BY_EIGHT_DIGITS UINT64CONST(1441151881)

static inline uint32
fnv_decimal(uint32 n)
{
	uint64 digits;
	uint32 hash;

	if (unlikely(n < EIGHT_DIGITS))
	{
		char buffer[16];

		return fnv(FNV_BASIS, buffer, pg_ultoa_n(n, buffer));
	}
	digits = (n * BY_EIGHT_DIGITS >> 25) + 1;
	hash = head_hashes[digits >> 32];
	for (int i = 0; i < 4; i++)
	{
		uint32 pair;
		uint32 ten;

		digits = (digits & 0xFFFFFFFF) * 100;
		pair = digits >> 32;
		ten = pair * 103 >> 10; /* pair / 10 */
		hash = (hash ^ ('0' + ten)) * FNV_PRIME;
		hash = (hash ^ ('0' + pair - ten * 10)) * FNV_PRIME;
	}
	return hash;
}

/* ---- text ---- */

static bool
is_ascii_only(const char *data, int length)
{
	for (int i = 0; i < length; i++)
	{
		if (IS_HIGHBIT_SET(data[i]))
			return false;
	}
	return true;
}

/*
 * Of a database that does not know its encoding (SQL_ASCII) bytes are taken as
 * they are.
 */
Bytes
text_utf8(FunctionCallInfo fcinfo, int argno)
{
	text *value = PG_GETARG_TEXT_PP(argno);
	Bytes bytes = { VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value) };
	int encoding = GetDatabaseEncoding();

	if (likely(encoding == PG_UTF8) || encoding == PG_SQL_ASCII ||
		is_ascii_only(bytes.data, bytes.length))
		return bytes;
	bytes.data = pg_server_to_any(bytes.data, bytes.length, PG_UTF8);
	bytes.length = strlen(bytes.data);
	return bytes;
}

/* In lower case with hyphens, as uuid_out() writes it. */
static Bytes
uuid_text(const pg_uuid_t *uuid, char *buffer)
{
	static const char digits[] = "0123456789abcdef";
	char *to = buffer;

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		*to++ = digits[uuid->data[i] >> 4];
		*to++ = digits[uuid->data[i] & 15];
	}
	return (Bytes){ buffer, to - buffer };
}

Bytes
unit_utf8(FunctionCallInfo fcinfo, int argno, UnitKind kind, char *buffer)
{
	switch (kind)
	{
		case UNIT_BIGINT:
			return (Bytes){ buffer, pg_lltoa(PG_GETARG_INT64(argno), buffer) };
		case UNIT_UUID:
			return uuid_text(PG_GETARG_UUID_P(argno), buffer);
		default:
			return text_utf8(fcinfo, argno);
	}
}

bool
arg_is_const(FunctionCallInfo fcinfo, int argno)
{
	Node *call = fcinfo->flinfo->fn_expr;

	/* a parameter is none: PL/pgSQL keeps a call from one value to the next */
	return call != NULL && IsA(call, FuncExpr) &&
		argno < list_length(((FuncExpr *) call)->args) &&
		IsA(list_nth(((FuncExpr *) call)->args, argno), Const);
}

uint32
bucket_v1(const char *prefix, Bytes seed, Bytes unit)
{
	uint32 hash = fnv(FNV_BASIS, unit.data, unit.length);

	hash = fnv(hash, prefix, strlen(prefix));
	hash = fnv(hash, seed.data, seed.length);
	return hash % BUCKETS_V1;
}

uint32
seed_hash_v2(Bytes seed, const char *suffix)
{
	uint32 hash = fnv(FNV_BASIS, seed.data, seed.length);

	return fnv(hash, suffix, strlen(suffix));
}

uint32
bucket_v2(uint32 seed_hash, Bytes unit)
{
	return fnv_decimal(fnv(seed_hash, unit.data, unit.length)) % BUCKETS_V2;
}

uint32
arg_seed_hash_v2(FunctionCallInfo fcinfo, int argno, const char *suffix)
{
	uint32 *kept = fcinfo->flinfo->fn_extra;
	uint32 hash;

	if (kept != NULL)
		return *kept;
	hash = seed_hash_v2(text_utf8(fcinfo, argno), suffix);
	if (arg_is_const(fcinfo, argno))
	{
		kept = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(uint32));
		*kept = hash;
		fcinfo->flinfo->fn_extra = kept;
	}
	return hash;
}

static Datum
hash_bucket(FunctionCallInfo fcinfo, UnitKind kind)
{
	char buffer[UNIT_BUFFER];
	int version;
	Bytes unit;

	if (unlikely(PG_ARGISNULL(0)))
		arg_not_null(fcinfo, 0, "seed");
	if (unlikely(PG_ARGISNULL(2)))
		arg_not_null(fcinfo, 2, "version");
	version = PG_GETARG_INT32(2);
	if (version != 1 && version != 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("version of the hash is not known"),
				 errdetail("version is %d.", version),
				 errhint("Known versions are 1 and 2; use 2.")));
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();

	unit = unit_utf8(fcinfo, 1, kind, buffer);
	if (version == 1)
		PG_RETURN_FLOAT8(bucket_v1("", text_utf8(fcinfo, 0), unit) /
						 (double) BUCKETS_V1);
	PG_RETURN_FLOAT8(bucket_v2(arg_seed_hash_v2(fcinfo, 0, ""), unit) /
					 (double) BUCKETS_V2);
}

UNIT_FUNCTIONS(hash_bucket);
