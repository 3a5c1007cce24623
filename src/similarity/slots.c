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

#define MAX_ITEMS (1 << 18)
#define MAX_MODELS 16

/* A model that was asked for within so many calls keeps its place. */
#define KEEP_CALLS 1000

/*
 * A model's identity: its file too, because a rebuilt index counts generations
 * anew, and time and root, because TRUNCATE may rebuild it in the same file.
 */
typedef struct ModelId
{
	Oid index;
	Oid file;
	uint32 generation;
	BlockNumber root;
	TimestampTz trained_at;
} ModelId;

typedef struct Model
{
	ModelId id; /* index invalid: unused */
	uint64 last_call;
	MemoryContext context;
	ItemPointerData *places;
} Model;

static Model models[MAX_MODELS];
static uint64 calls;

static ModelId
model_id(SimIndex *ix, const SimMeta *meta)
{
	ModelId id;

	id.index = RelationGetRelid(ix->rel);
	id.file = relation_file(ix->rel);
	id.generation = meta->generation;
	id.root = meta->slots.root;
	id.trained_at = meta->trained_at;
	return id;
}

static Model *
find_model(const ModelId *id)
{
	int i;

	for (i = 0; i < MAX_MODELS; i++)
		if (models[i].id.index == id->index && models[i].id.file == id->file &&
			models[i].id.generation == id->generation &&
			models[i].id.root == id->root &&
			models[i].id.trained_at == id->trained_at)
			return &models[i];
	return NULL;
}

/*
 * A place for a model: that of another one of the same index, or of the one
 * that was not asked for longest.  NULL if all are in use, so that a backend
 * which goes round many indexes does not copy one at each call.
 */
static Model *
make_room(Oid index)
{
	Model *model = &models[0];
	int i;

	for (i = 0; i < MAX_MODELS && model->id.index != index; i++)
		if (models[i].id.index == index ||
			models[i].last_call < model->last_call)
			model = &models[i];
	if (model->id.index != index && model->last_call != 0 &&
		calls - model->last_call < KEEP_CALLS)
		return NULL;
	model->id.index = InvalidOid;
	model->last_call = 0;
	if (model->context)
		MemoryContextReset(model->context);
	else
		model->context =
			AllocSetContextCreate(TopMemoryContext, "similarity slots",
								  ALLOCSET_SMALL_SIZES);
	return model;
}

/* Copy all leaves; false if the model is replaced meanwhile. */
static bool
read_all(SimIndex *ix, const SimMeta *meta, ItemPointerData *places)
{
	uint32 per_leaf = sim_array_per_leaf(&meta->slots);
	uint32 first;

	for (first = 0; first < meta->model_items; first += per_leaf)
	{
		BlockNumber block = sim_array_leaf(ix, &meta->slots, first / per_leaf);
		uint32 n = Min(per_leaf, meta->model_items - first);
		Buffer buffer;
		bool ours;

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
 * The places of all lists of a model, or NULL where they are not kept.  Good
 * until the next call of this function.
 */
const ItemPointerData *
sim_slots(SimIndex *ix, const SimMeta *meta)
{
	ModelId id = model_id(ix, meta);
	Model *model;

	if (meta->generation == 0 || meta->model_items > MAX_ITEMS)
		return NULL;
	calls++;
	model = find_model(&id);
	if (model == NULL)
	{
		model = make_room(id.index);
		if (model == NULL)
			return NULL;
		model->places = MemoryContextAlloc(model->context,
										   (meta->model_items + 1) *
											   sizeof(ItemPointerData));
		if (!read_all(ix, meta, model->places))
			return NULL;
		model->id = id;
	}
	model->last_call = calls;
	return model->places;
}
