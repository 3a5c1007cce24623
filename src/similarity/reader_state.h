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

typedef struct SimReaderState
{
	SimIndex	ix;
	SimMeta		meta;
	Snapshot	snapshot;
	Buffer		vm_buffer;
	SimPlace   *places;			/* ascending */
	int			nplaces;
	char		list[SIM_LIST_SIZE(SIM_MAX_NEIGHBORS)] pg_attribute_aligned(8);
} SimReaderState;

#endif
