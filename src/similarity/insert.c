/*
 * insert.c
 *		INSERT: one interaction at a time.
 *
 * What a statement can use for all its rows (the columns' types, the numbers
 * of items it has met) is kept in ii_AmCache for as long as it runs.
 */
#include "postgres.h"

#include "nodes/execnodes.h"
#include "utils/memutils.h"

#include "similarity/similarity.h"

#define KNOWN_ITEMS 1024

typedef struct KnownItem
{
	uint64 hash;
	Datum key;
	ItemNumber item;
	ItemPointerData place; /* of its record, where that is needed */
	bool used;
} KnownItem;

typedef struct InsertState
{
	SimIndex ix;
	bool item_postings;
	MemoryContext context;	   /* of the statement */
	MemoryContext row_context; /* reset for each row */
	KnownItem known[KNOWN_ITEMS];
} InsertState;

static InsertState *
insert_state(Relation index, IndexInfo *info)
{
	InsertState *state = (InsertState *) info->ii_AmCache;
	MemoryContext old;

	if (state)
		return state;
	old = MemoryContextSwitchTo(info->ii_Context);
	state = palloc0(sizeof(InsertState));
	sim_index_open(&state->ix, index);
	state->item_postings = sim_keeps_item_postings(&state->ix);
	state->context = info->ii_Context;
	state->row_context =
		AllocSetContextCreate(info->ii_Context, "similarity insert",
							  ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(old);
	info->ii_AmCache = state;
	return state;
}

static void
remember(InsertState *state, KnownItem *known, uint64 hash, Datum key,
		 ItemNumber item)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);

	if (known->used && !state->ix.item.byval)
		pfree(DatumGetPointer(known->key));
	known->used = false;
	known->key = typed_key_copy(&state->ix.item, key);
	known->hash = hash;
	known->item = item;
	known->used = true;
	MemoryContextSwitchTo(old);
}

static KnownItem *
find_item(InsertState *state, Datum key)
{
	SimIndex *ix = &state->ix;
	uint64 hash = typed_key_hash(&ix->item, key);
	KnownItem *known = &state->known[hash % KNOWN_ITEMS];
	SimMeta meta;

	if (known->used && known->hash == hash &&
		typed_key_equal(&ix->item, known->key, key))
		return known;
	remember(state, known, hash, key, sim_item_intern(ix, key, hash));
	if (!state->item_postings)
		return known;
	sim_read_meta(ix, &meta);
	if (!sim_item_place(ix, &meta.locator, known->item, &known->place))
		elog(ERROR, "item %u has no record", known->item);
	return known;
}

/* The item's part of a row whose subject has its posting already. */
static void
append_to_item(InsertState *state, KnownItem *known, const SimPosting *posting,
			   const SimRecordRef *subject)
{
	SimItemPosting mine;

	mine.tid = posting->tid;
	mine.time = posting->time;
	mine.hash = subject->hash;
	mine.item = posting->item;
	ItemPointerSet(&mine.subject, subject->block, subject->offset);
	sim_item_append(&state->ix, &known->place, &mine);
}

bool
sim_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
		   Relation heap, IndexUniqueCheck check_unique, bool unchanged,
		   IndexInfo *info)
{
	InsertState *state;
	SimIndex *ix;
	SimPosting posting;
	MemoryContext old;
	KnownItem *known;
	SimRecordRef ref;
	Datum subject;
	uint64 hash;

	if (isnull[0] || isnull[1])
		return false;
	state = insert_state(index, info);
	ix = &state->ix;
	ix->rel = index;
	old = MemoryContextSwitchTo(state->row_context);
	posting.tid = *tid;
	posting.time = sim_value_time(ix, values, isnull);
	posting.strength = sim_value_strength(ix, values, isnull);
	known = find_item(state, typed_key_plain(&ix->item, values[1]));
	posting.item = known->item;
	subject = typed_key_plain(&ix->subject, values[0]);
	hash = typed_key_hash(&ix->subject, subject);
	sim_subject_append(ix, subject, hash, &posting, &ref);
	if (state->item_postings)
		append_to_item(state, known, &posting, &ref);
	sim_log_append(ix, hash, &posting);
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->row_context);
	return false;
}
