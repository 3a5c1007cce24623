/*
 * reader_state.h
 *		The private part of a SimReader.
 */
#ifndef PERSONALIZE_READER_STATE_H
#define PERSONALIZE_READER_STATE_H

#include "similarity/similarity.h"
#include "utils/snapshot.h"

/* Where an item's neighbour list is. */
typedef struct SimPlace
{
	ItemNumber	item;
	ItemPointerData tid;
} SimPlace;

/* Keys read lately: a few items are the reason for most of an answer. */
#define SIM_KEY_MEMO	64

typedef struct SimKeyMemo
{
	ItemNumber	item;
	bool		used;
	Datum		key;
} SimKeyMemo;

typedef struct SimReaderState
{
	SimIndex	ix;
	SimMeta		meta;
	Snapshot	snapshot;
	Buffer		vm_buffer;
	SimPlace   *places;			/* ascending */
	int			nplaces;
	SimKeyMemo	memo[SIM_KEY_MEMO];
	char		list[SIM_LIST_SIZE(SIM_MAX_NEIGHBORS)] pg_attribute_aligned(8);
} SimReaderState;

extern void sim_reader_item(SimReaderState *state, ItemNumber item, Datum *key,
							uint64 *hash);

#endif
