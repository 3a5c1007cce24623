/*
 * item_map.h
 *		A number for each of some items.
 */
#ifndef PERSONALIZE_ITEM_MAP_H
#define PERSONALIZE_ITEM_MAP_H

#include "common/hashfn.h"
#include "similarity/reader.h"

typedef struct ItemMapEntry
{
	ItemNumber item;
	char status; /* simplehash's own */
	double value;
} ItemMapEntry;

#define SH_PREFIX item_map
#define SH_ELEMENT_TYPE ItemMapEntry
#define SH_KEY_TYPE ItemNumber
#define SH_KEY item
#define SH_HASH_KEY(table, key) murmurhash32(key)
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#endif
