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
	char digits[16];
	int length = pg_ultoa_n(fnv(seed_hash, unit.data, unit.length), digits);

	return fnv(FNV_BASIS, digits, length) % BUCKETS_V2;
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

	arg_not_null(fcinfo, 0, "seed");
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
