/*
 * typed_key.c
 *		Values of any hashable type as keys.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupmacs.h"

#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "common/mix.h"
#include "common/typed_key.h"
#include "compat.h"

static void
check_collation(Oid typid, Oid collation)
{
	if (OidIsValid(collation) && !get_collation_isdeterministic(collation))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("nondeterministic collations are not supported by access method \"%s\"",
						"similarity"),
				 errhint(
					 "Index the expression with another collation, as in (column COLLATE \"C\").")));
}

void
typed_key_init(TypedKey *key, Oid typid, Oid collation, MemoryContext mcxt)
{
	TypeCacheEntry *type;

	type = lookup_type_cache(typid,
							 TYPECACHE_HASH_PROC | TYPECACHE_EQ_OPR |
								 TYPECACHE_HASH_EXTENDED_PROC |
								 TYPECACHE_CMP_PROC);
	if (!OidIsValid(type->hash_proc) || !OidIsValid(type->eq_opr))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("could not identify a hash function for type %s",
						format_type_be(typid)),
				 errhint(
					 "A similarity index needs types that can be hashed and compared for equality, such as bigint, uuid or text.")));
	check_collation(typid, collation);

	memset(key, 0, sizeof(*key));
	key->typid = typid;
	key->collation = collation;
	get_typlenbyvalalign(typid, &key->len, &key->byval, &key->align);
	key->hash_extended = OidIsValid(type->hash_extended_proc);
	fmgr_info_cxt(key->hash_extended ? type->hash_extended_proc :
									   type->hash_proc,
				  &key->hash, mcxt);
	fmgr_info_cxt(get_opcode(type->eq_opr), &key->equal, mcxt);
	key->has_compare = OidIsValid(type->cmp_proc);
	if (key->has_compare)
		fmgr_info_cxt(type->cmp_proc, &key->compare, mcxt);
}

uint64
typed_key_hash(TypedKey *key, Datum value)
{
	if (key->hash_extended)
		return DatumGetUInt64(FunctionCall2Coll(&key->hash, key->collation,
												value, Int64GetDatum(0)));
	return mix64(
		DatumGetUInt32(FunctionCall1Coll(&key->hash, key->collation, value)));
}

bool
typed_key_equal(TypedKey *key, Datum a, Datum b)
{
	return DatumGetBool(FunctionCall2Coll(&key->equal, key->collation, a, b));
}

int
typed_key_compare(TypedKey *key, Datum a, Datum b)
{
	uint64 hash_a;
	uint64 hash_b;

	if (key->has_compare)
		return DatumGetInt32(
			FunctionCall2Coll(&key->compare, key->collation, a, b));
	hash_a = typed_key_hash(key, a);
	hash_b = typed_key_hash(key, b);
	return hash_a < hash_b ? -1 : hash_a > hash_b ? 1 : 0;
}

Datum
typed_key_plain(TypedKey *key, Datum value)
{
	if (key->len == -1)
		return PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
	return value;
}

Size
typed_key_size(TypedKey *key, Datum value)
{
	if (key->byval)
		return sizeof(Datum);
	return datumGetSize(value, false, key->len);
}

void
typed_key_write(TypedKey *key, Datum value, char *dest)
{
	if (key->byval)
		memcpy(dest, &value, sizeof(Datum));
	else
		memcpy(dest, DatumGetPointer(value),
			   datumGetSize(value, false, key->len));
}

Datum
typed_key_read(TypedKey *key, const char *src)
{
	Datum value;

	if (!key->byval)
		return PointerGetDatum(src);
	memcpy(&value, src, sizeof(Datum));
	return value;
}

Datum
typed_key_copy(TypedKey *key, Datum value)
{
	return datumCopy(value, key->byval, key->len);
}

/* Through the text form: always possible, and errors are the type's own. */
static Datum
from_text(TypedKey *key, char *text)
{
	Oid input;
	Oid ioparam;

	getTypeInputInfo(key->typid, &input, &ioparam);
	return OidInputFunctionCall(input, text, ioparam, -1);
}

Datum
typed_key_from(TypedKey *key, Datum value, Oid value_type)
{
	Oid base = getBaseType(key->typid);
	Oid function;
	bool varlena;

	if (value_type == key->typid || getBaseType(value_type) == base)
		return typed_key_plain(key, value);
	if (value_type == UNKNOWNOID)
		return typed_key_plain(key, from_text(key, DatumGetCString(value)));
	if (find_coercion_pathway(base, value_type, COERCION_ASSIGNMENT,
							  &function) == COERCION_PATH_RELABELTYPE)
		return typed_key_plain(key, value);

	/*
	 * Casts between numeric types round; text forms do not, and they raise
	 * the input function's error for a value that cannot be a key.
	 */
	getTypeOutputInfo(value_type, &function, &varlena);
	return typed_key_plain(key,
						   from_text(key,
									 OidOutputFunctionCall(function, value)));
}

char *
typed_key_text(TypedKey *key, Datum value)
{
	Oid function;
	bool varlena;

	getTypeOutputInfo(key->typid, &function, &varlena);
	return OidOutputFunctionCall(function, value);
}
