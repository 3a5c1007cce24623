/*
 * key_table.h
 *		Keys of one type, each once, by hash.
 *
 * private_data is the TypedKey.  It runs functions of the keys' type.
 */
#ifndef PERSONALIZE_KEY_TABLE_H
#define PERSONALIZE_KEY_TABLE_H

#include "common/typed_key.h"

typedef struct KeyTableEntry
{
	Datum key;
	uint32 hash;
	char status; /* simplehash's own */
	int n;		 /* the caller's */
} KeyTableEntry;

#define SH_PREFIX key_table
#define SH_ELEMENT_TYPE KeyTableEntry
#define SH_KEY_TYPE Datum
#define SH_KEY key
#define SH_HASH_KEY(table, key) \
	((uint32) typed_key_hash((table)->private_data, key))
#define SH_EQUAL(table, a, b) typed_key_equal((table)->private_data, a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry) ((entry)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#endif
