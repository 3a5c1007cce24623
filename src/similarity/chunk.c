/*
 * chunk.c
 *		Packed postings on a page.
 *
 * A chunk has a fixed capacity and is filled in place, so that an insert
 * changes a few bytes of its page.  Fields are not aligned.
 */
#include "postgres.h"

#include "similarity/similarity.h"

Size
sim_chunk_size(SimIndex *ix, int capacity)
{
	return MAXALIGN(SIM_CHUNK_HEADER + capacity * ix->posting_size);
}

int
sim_chunk_max(SimIndex *ix)
{
	return (SIM_ITEM_SPACE - SIM_CHUNK_HEADER - MAXIMUM_ALIGNOF) /
		ix->posting_size;
}

/* The chunk there, or NULL when it is not (any more) one of that owner. */
SimChunk *
sim_chunk_at(SimIndex *ix, Page page, OffsetNumber offset, uint64 owner)
{
	SimChunk *chunk;
	ItemId id;

	if (!sim_page_is(page, SIM_PAGE_CHUNK) || offset < FirstOffsetNumber ||
		offset > PageGetMaxOffsetNumber(page))
		return NULL;
	id = PageGetItemId(page, offset);
	if (!ItemIdIsUsed(id))
		return NULL;
	chunk = (SimChunk *) PageGetItem(page, id);
	return chunk->owner == owner ? chunk : NULL;
}

void
sim_posting_write(SimIndex *ix, SimChunk *chunk, int i,
				  const SimPosting *posting)
{
	char *p = (char *) chunk + SIM_CHUNK_HEADER + i * ix->posting_size;

	memcpy(p, &posting->tid, sizeof(ItemPointerData));
	p += sizeof(ItemPointerData);
	memcpy(p, &posting->item, sizeof(ItemNumber));
	p += sizeof(ItemNumber);
	if (ix->has_time)
	{
		memcpy(p, &posting->time, sizeof(int64));
		p += sizeof(int64);
	}
	if (ix->has_strength)
		memcpy(p, &posting->strength, sizeof(float));
}

void
sim_posting_read(SimIndex *ix, const SimChunk *chunk, int i,
				 SimPosting *posting)
{
	const char *p =
		(const char *) chunk + SIM_CHUNK_HEADER + i * ix->posting_size;

	memcpy(&posting->tid, p, sizeof(ItemPointerData));
	p += sizeof(ItemPointerData);
	memcpy(&posting->item, p, sizeof(ItemNumber));
	p += sizeof(ItemNumber);
	posting->time = SIM_NO_TIME;
	if (ix->has_time)
	{
		memcpy(&posting->time, p, sizeof(int64));
		p += sizeof(int64);
	}
	posting->strength = 1;
	if (ix->has_strength)
		memcpy(&posting->strength, p, sizeof(float));
}

/* Add a chunk with header->n postings to a page that has room for it. */
OffsetNumber
sim_chunk_add(SimIndex *ix, Page page, SimChunk *header,
			  const SimPosting *postings)
{
	Size size = sim_chunk_size(ix, header->capacity);
	SimChunk *chunk = palloc0(size);
	OffsetNumber offset;
	int i;

	memcpy(chunk, header, SIM_CHUNK_HEADER);
	for (i = 0; i < header->n; i++)
		sim_posting_write(ix, chunk, i, &postings[i]);
	offset = PageAddItem(page, (Item) chunk, size, InvalidOffsetNumber, false,
						 false);
	if (offset == InvalidOffsetNumber)
		elog(ERROR, "no room for a chunk of %zu bytes", size);
	pfree(chunk);
	return offset;
}
