/*
 * typed_key.h
 *		Values of any hashable type as keys.
 *
 * A similarity index is declared on columns of any type.  Whatever compares,
 * hashes, stores or prints such a value goes through a TypedKey, which holds
 * the type's own functions from the type cache: two keys are the same when
 * the type says so (numeric 1.0 and 1.00), never because their bytes are.
 */
#ifndef PERSONALIZE_TYPED_KEY_H
#define PERSONALIZE_TYPED_KEY_H

#include "fmgr.h"

typedef struct TypedKey
{
	Oid typid; /* the column's type, a domain as declared */
	Oid collation;
	int16 len;
	bool byval;
	char align;
	bool hash_extended; /* hash takes a seed and returns 64 bits */
	bool has_compare;	/* the type has a default btree order */
	FmgrInfo hash;
	FmgrInfo equal;
	FmgrInfo compare;
} TypedKey;

/* The longest key that fits beside others on an index page. */
#define TYPED_KEY_MAX_SIZE 2000

/* Fill *key; functions are cached in mcxt. Errors if typid has no hash. */
extern void
typed_key_init(TypedKey *key, Oid typid, Oid collation, MemoryContext mcxt);

extern uint64 typed_key_hash(TypedKey *key, Datum value);
extern bool typed_key_equal(TypedKey *key, Datum a, Datum b);

/* The type's own order, or the order of the hashes where it has none. */
extern int typed_key_compare(TypedKey *key, Datum a, Datum b);

/* Detoast; the result is what hash, equal, size and write expect. */
extern Datum typed_key_plain(TypedKey *key, Datum value);

/* Bytes of the stored form, storing, and reading in place (MAXALIGNed). */
extern Size typed_key_size(TypedKey *key, Datum value);
extern void typed_key_write(TypedKey *key, Datum value, char *dest);
extern Datum typed_key_read(TypedKey *key, const char *src);
extern Datum typed_key_copy(TypedKey *key, Datum value);

/*
 * A caller's value as a key: text and unknown literals go through the type's
 * input function, other types through their cast or their text form.  An
 * impossible value raises the input function's own error.
 */
extern Datum typed_key_from(TypedKey *key, Datum value, Oid value_type);

/* The value as text, palloc'd. */
extern char *typed_key_text(TypedKey *key, Datum value);

#endif
