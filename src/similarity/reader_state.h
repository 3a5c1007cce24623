/*
 * reader_state.h
 *		The private part of a SimReader.
 */
#ifndef PERSONALIZE_READER_STATE_H
#define PERSONALIZE_READER_STATE_H

#include "access/tableam.h"
#include "similarity/similarity.h"
#include "utils/snapshot.h"

/* Where an item's neighbour list is. */
typedef struct SimPlace
{
	ItemNumber item;
	ItemPointerData tid;
} SimPlace;

/* Keys read lately: a few items are the reason for most of an answer. */
#define SIM_KEY_MEMO 64

typedef struct SimKeyMemo
{
	ItemNumber item;
	bool used;
	Datum key;
} SimKeyMemo;

typedef struct SimReaderState
{
	MemoryContext context; /* lives as long as the reader */
	SimIndex ix;
	SimMeta meta;
	Oid index; /* what to open again */
	Oid heap;
	Oid file; /* of the index */
	Snapshot snapshot;
	bool use_map; /* may trust the visibility map */
	Buffer vm_buffer;
	IndexFetchTableData *fetch; /* for rows that the map does not know */
	TupleTableSlot *slot;
	const ItemPointerData *slots; /* of all items, or NULL */
	SimPlace *places;			  /* without slots: of some, ascending */
	int nplaces;
	SimKeyMemo memo[SIM_KEY_MEMO];
} SimReaderState;

extern const ItemPointerData *sim_slots(SimIndex *ix, const SimMeta *meta);
extern bool sim_row_visible(SimReaderState *state, Relation heap,
							const ItemPointerData *row);
extern void sim_reader_item(SimReaderState *state, ItemNumber item, Datum *key,
							uint64 *hash);

#endif
