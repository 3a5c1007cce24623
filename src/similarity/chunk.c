/*
 * chunk.c
 *		Packed postings on a page.
 *
 * A chunk has a fixed capacity and is filled in place, so that an insert
 * changes a few bytes of its page.  Fields are not aligned.  Chunks of
 * subjects and of items lie on the same pages; either kind of posting begins
 * with its row's TID.
 */
#include "postgres.h"

#include "similarity/similarity.h"

static Size
header_size(bool of_item)
{
	return of_item ? SIM_ITEM_CHUNK_HEADER : SIM_CHUNK_HEADER;
}

static Size
posting_size(SimIndex *ix, bool of_item)
{
	return of_item ? ix->item_posting_size : ix->posting_size;
}

Size
sim_chunk_size(SimIndex *ix, SimPageKind kind, int capacity)
{
	bool of_item = kind == SIM_PAGE_ITEM;

	return MAXALIGN(header_size(of_item) +
					capacity * posting_size(ix, of_item));
}

int
sim_chunk_max(SimIndex *ix, SimPageKind kind)
{
	bool of_item = kind == SIM_PAGE_ITEM;

	return (SIM_ITEM_SPACE - header_size(of_item) - MAXIMUM_ALIGNOF) /
		posting_size(ix, of_item);
}

/* The chunk there, or NULL when it is not (any more) one of that owner. */
SimChunk *
sim_chunk_at(SimIndex *ix, Page page, OffsetNumber offset, SimPageKind kind,
			 uint64 owner)
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
	if (chunk->owner != owner ||
		sim_chunk_of_item(chunk) != (kind == SIM_PAGE_ITEM))
		return NULL;
	return chunk;
}

static char *
posting_at(SimIndex *ix, const SimChunk *chunk, int i)
{
	bool of_item = sim_chunk_of_item(chunk);

	return (char *) chunk + header_size(of_item) +
		i * posting_size(ix, of_item);
}

static char *
put(char *p, const void *field, Size size)
{
	memcpy(p, field, size);
	return p + size;
}

static const char *
take(const char *p, void *field, Size size)
{
	memcpy(field, p, size);
	return p + size;
}

static void
write_posting(SimIndex *ix, char *p, const SimPosting *posting)
{
	p = put(p, &posting->tid, sizeof(ItemPointerData));
	p = put(p, &posting->item, sizeof(ItemNumber));
	if (ix->has_time)
		p = put(p, &posting->time, sizeof(int64));
	if (ix->has_strength)
		put(p, &posting->strength, sizeof(float));
}

static void
write_item_posting(SimIndex *ix, char *p, const SimItemPosting *posting)
{
	p = put(p, &posting->tid, sizeof(ItemPointerData));
	p = put(p, &posting->subject, sizeof(ItemPointerData));
	p = put(p, &posting->hash, sizeof(uint64));
	if (ix->has_time)
		put(p, &posting->time, sizeof(int64));
}

/* Write a posting, of the kind that the chunk holds, in its place. */
void
sim_chunk_set(SimIndex *ix, SimChunk *chunk, int i, const void *posting)
{
	if (sim_chunk_of_item(chunk))
		write_item_posting(ix, posting_at(ix, chunk, i), posting);
	else
		write_posting(ix, posting_at(ix, chunk, i), posting);
}

void
sim_posting_read(SimIndex *ix, const SimChunk *chunk, int i,
				 SimPosting *posting)
{
	const char *p = posting_at(ix, chunk, i);

	p = take(p, &posting->tid, sizeof(ItemPointerData));
	p = take(p, &posting->item, sizeof(ItemNumber));
	posting->time = SIM_NO_TIME;
	if (ix->has_time)
		p = take(p, &posting->time, sizeof(int64));
	posting->strength = 1;
	if (ix->has_strength)
		take(p, &posting->strength, sizeof(float));
}

void
sim_item_posting_read(SimIndex *ix, const SimChunk *chunk, int i,
					  SimItemPosting *posting)
{
	const char *p = posting_at(ix, chunk, i);

	p = take(p, &posting->tid, sizeof(ItemPointerData));
	p = take(p, &posting->subject, sizeof(ItemPointerData));
	p = take(p, &posting->hash, sizeof(uint64));
	posting->time = SIM_NO_TIME;
	if (ix->has_time)
		take(p, &posting->time, sizeof(int64));
	posting->item = INVALID_ITEM;
}

ItemPointerData
sim_chunk_tid(SimIndex *ix, const SimChunk *chunk, int i)
{
	ItemPointerData tid;

	memcpy(&tid, posting_at(ix, chunk, i), sizeof(tid));
	return tid;
}

void
sim_chunk_move(SimIndex *ix, SimChunk *chunk, int to, int from)
{
	memmove(posting_at(ix, chunk, to), posting_at(ix, chunk, from),
			posting_size(ix, sim_chunk_of_item(chunk)));
}

/* Of an item's chunk: no posting in the chunks behind it is later. */
TimestampTz
sim_chunk_older(const SimChunk *chunk)
{
	TimestampTz older;

	memcpy(&older, (const char *) chunk + SIM_CHUNK_HEADER, sizeof(older));
	return older;
}

/* Add a chunk with header->n postings to a page that has room for it. */
OffsetNumber
sim_chunk_add(SimIndex *ix, Page page, SimChunk *header, TimestampTz older,
			  const void *postings)
{
	bool of_item = sim_chunk_of_item(header);
	Size size = sim_chunk_size(ix, of_item ? SIM_PAGE_ITEM : SIM_PAGE_SUBJECT,
							   header->capacity);
	Size width = of_item ? sizeof(SimItemPosting) : sizeof(SimPosting);
	SimChunk *chunk = palloc0(size);
	OffsetNumber offset;
	int i;

	memcpy(chunk, header, SIM_CHUNK_HEADER);
	if (of_item)
		memcpy((char *) chunk + SIM_CHUNK_HEADER, &older, sizeof(older));
	for (i = 0; i < header->n; i++)
		sim_chunk_set(ix, chunk, i, (const char *) postings + i * width);
	offset = PageAddItem(page, (Item) chunk, size, InvalidOffsetNumber, false,
						 false);
	if (offset == InvalidOffsetNumber)
		elog(ERROR, "no room for a chunk of %zu bytes", size);
	pfree(chunk);
	return offset;
}
