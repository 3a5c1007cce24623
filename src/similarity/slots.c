/*
 * slots.c
 *		Where the lists of a model are, remembered by the backend.
 *
 * A model never changes, so a copy of its slots stays right for as long as its
 * generation is the current one, which every call checks anyway.  Six bytes an
 * item save half of the pages that an answer would read.  A large catalogue's
 * slots are read from their pages instead.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "compat.h"
#include "similarity/reader_state.h"

#define MAX_ITEMS		(1 << 18)
#define MAX_MODELS		4

typedef struct Model
{
	Oid			index;
	Oid			file;			/* a rebuilt index counts generations anew */
	uint32		generation;		/* 0: unused */
	MemoryContext context;
	ItemPointerData *places;
} Model;

static Model models[MAX_MODELS];
static int	next_model;

static Model *
find_model(SimIndex *ix, const SimMeta *meta)
{
	int			i;

	for (i = 0; i < MAX_MODELS; i++)
		if (models[i].generation == meta->generation &&
			models[i].index == RelationGetRelid(ix->rel) &&
			models[i].file == relation_file(ix->rel))
			return &models[i];
	return NULL;
}

/* Forget a model; first another generation of the same index. */
static Model *
make_room(SimIndex *ix)
{
	Model	   *model = NULL;
	int			i;

	for (i = 0; i < MAX_MODELS; i++)
		if (models[i].index == RelationGetRelid(ix->rel))
			model = &models[i];
	if (model == NULL)
		model = &models[next_model++ % MAX_MODELS];
	model->generation = 0;
	if (model->context)
		MemoryContextReset(model->context);
	else
		model->context = AllocSetContextCreate(TopMemoryContext,
											   "similarity slots",
											   ALLOCSET_SMALL_SIZES);
	return model;
}

/* Copy all leaves; false if the model is replaced meanwhile. */
static bool
read_all(SimIndex *ix, const SimMeta *meta, ItemPointerData *places)
{
	uint32		per_leaf = sim_array_per_leaf(&meta->slots);
	uint32		first;

	for (first = 0; first < meta->model_items; first += per_leaf)
	{
		BlockNumber block = sim_array_leaf(ix, &meta->slots, first / per_leaf);
		uint32		n = Min(per_leaf, meta->model_items - first);
		Buffer		buffer;
		bool		ours;

		CHECK_FOR_INTERRUPTS();
		if (block == InvalidBlockNumber)
			return false;
		buffer = sim_read(ix, block, BUFFER_LOCK_SHARE);
		ours = sim_array_is_leaf(BufferGetPage(buffer), &meta->slots);
		if (ours)
			memcpy(places + first, sim_page_array(BufferGetPage(buffer)),
				   n * sizeof(ItemPointerData));
		UnlockReleaseBuffer(buffer);
		if (!ours)
			return false;
	}
	return true;
}

/*
 * The places of all lists of a model, or NULL where they are too many.  Good
 * until the next call of this function.
 */
const ItemPointerData *
sim_slots(SimIndex *ix, const SimMeta *meta)
{
	Model	   *model = find_model(ix, meta);

	if (meta->generation == 0 || meta->model_items > MAX_ITEMS)
		return NULL;
	if (model)
		return model->places;
	model = make_room(ix);
	model->places = MemoryContextAlloc(model->context,
									   (meta->model_items + 1) *
									   sizeof(ItemPointerData));
	if (!read_all(ix, meta, model->places))
		return NULL;
	model->index = RelationGetRelid(ix->rel);
	model->file = relation_file(ix->rel);
	model->generation = meta->generation;
	return model->places;
}
