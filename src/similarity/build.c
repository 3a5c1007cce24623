/*
 * build.c
 *		CREATE INDEX: load the table's interactions, then train.
 *
 * Rows are collected in memory up to maintenance_work_mem, grouped by subject
 * and appended to the index's own structures batch by batch; only the last
 * batch is ever in memory, whatever the size of the table.  The pages are
 * WAL-logged at the end, all at once.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "access/xloginsert.h"
#include "nodes/execnodes.h"
#include "utils/memutils.h"

#include "compat.h"
#include "similarity/progress.h"
#include "similarity/similarity.h"
#include "training/training.h"

/* A hash table from keys to numbers. */
typedef struct KeyId
{
	uint64 hash;
	Datum key;
} KeyId;

typedef struct KeyEntry
{
	KeyId id;
	uint32 value;
	char status;
} KeyEntry;

#define SH_PREFIX keytable
#define SH_ELEMENT_TYPE KeyEntry
#define SH_KEY_TYPE KeyId
#define SH_KEY id
#define SH_HASH_KEY(tb, k) ((uint32) ((k).hash >> 32))
#define SH_EQUAL(tb, a, b)   \
	((a).hash == (b).hash && \
	 typed_key_equal((TypedKey *) (tb)->private_data, (a).key, (b).key))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* Memory of one row while it waits for its batch: posting, subject, order. */
#define ROW_SIZE (sizeof(SimPosting) + 2 * sizeof(uint32))

/* Pages logged between two reports of progress. */
#define LOG_PAGES 1024

typedef struct Build
{
	SimIndex ix;
	SimClock clock;
	double heap_tuples;
	double indexed;
	Size budget;

	/* items seen, a cache above the index's own directory */
	MemoryContext item_context;
	keytable_hash *items;

	/* the batch */
	MemoryContext batch_context;
	keytable_hash *subjects;
	uint32 nrows;
	uint32 max_rows;
	SimPosting *postings;
	uint32 *owners;			   /* subject of the posting, by number in batch */
	SimItemPosting *by_item;   /* the batch's once more, or NULL */
	MemoryContext row_context; /* reset for each row */
} Build;

static keytable_hash *
new_table(MemoryContext context, TypedKey *key)
{
	return keytable_create(context, 1024, key);
}

static void
start_batch(Build *build)
{
	MemoryContextReset(build->batch_context);
	build->subjects = new_table(build->batch_context, &build->ix.subject);
	build->nrows = 0;
}

/* Row numbers of the batch ordered by subject; starts[s] is s's first. */
static uint32 *
group_rows(Build *build, uint32 nsubjects, uint32 *starts)
{
	uint32 *order = MemoryContextAllocHuge(build->batch_context,
										   build->nrows * sizeof(uint32));
	uint32 i;

	for (i = 0; i < build->nrows; i++)
		starts[build->owners[i] + 1]++;
	for (i = 0; i < nsubjects; i++)
		starts[i + 1] += starts[i];
	for (i = 0; i < build->nrows; i++)
		order[starts[build->owners[i]]++] = i;
	memmove(starts + 1, starts, nsubjects * sizeof(uint32));
	starts[0] = 0;
	return order;
}

/* By item, oldest first, so that the newest come to the head of a chain. */
static inline int
compare_item_postings(const SimItemPosting *a, const SimItemPosting *b)
{
	if (a->item != b->item)
		return a->item < b->item ? -1 : 1;
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return ItemPointerCompare((ItemPointer) &a->tid, (ItemPointer) &b->tid);
}

#define ST_SORT sort_item_postings
#define ST_ELEMENT_TYPE SimItemPosting
#define ST_COMPARE(a, b) compare_item_postings(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* Append the batch to the chains of its items. */
static void
flush_items(Build *build)
{
	SimIndex *ix = &build->ix;
	SimItemPosting *postings = build->by_item;
	SimMeta meta;
	uint32 first;
	uint32 end;

	sort_item_postings(postings, build->nrows);
	sim_read_meta(ix, &meta);
	for (first = 0; first < build->nrows; first = end)
	{
		ItemPointerData place;

		CHECK_FOR_INTERRUPTS();
		end = first + 1;
		while (end < build->nrows && postings[end].item == postings[first].item)
			end++;
		if (!sim_item_place(ix, &meta.locator, postings[first].item, &place))
			elog(ERROR, "item %u has no record", postings[first].item);
		sim_item_append_many(ix, &place, postings + first, end - first);
	}
}

/* Append the rows of one subject: those in order from first to end. */
static void
flush_subject(Build *build, const KeyId *subject, const uint32 *order,
			  SimPosting *group, uint32 first, uint32 end)
{
	SimRecordRef ref;
	uint32 i;

	for (i = first; i < end; i++)
		group[i - first] = build->postings[order[i]];
	sim_subject_append_many(&build->ix, subject->key, subject->hash, group,
							end - first, &ref);
	for (i = first; i < end && build->by_item; i++)
	{
		SimItemPosting *mine = &build->by_item[i];

		mine->item = group[i - first].item;
		mine->time = group[i - first].time;
		mine->tid = group[i - first].tid;
		mine->hash = ref.hash;
		ItemPointerSet(&mine->subject, ref.block, ref.offset);
	}
}

/* Append the batch to the index. */
static void
flush_batch(Build *build)
{
	uint32 nsubjects = build->subjects->members;
	uint32 *starts;
	uint32 *order;
	SimPosting *group = NULL;
	uint32 group_size = 0;
	uint32 done = 0;
	keytable_iterator iterator;
	KeyEntry *entry;

	if (build->nrows == 0)
		return;
	sim_phase(&build->clock, SIM_PHASE_GROUPING, nsubjects);
	starts = MemoryContextAllocExtended(build->batch_context,
										(nsubjects + 1) * sizeof(uint32),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	order = group_rows(build, nsubjects, starts);
	keytable_start_iterate(build->subjects, &iterator);
	while ((entry = keytable_iterate(build->subjects, &iterator)) != NULL)
	{
		uint32 first = starts[entry->value];
		uint32 end = starts[entry->value + 1];

		CHECK_FOR_INTERRUPTS();
		if (end - first > group_size)
		{
			group_size = end - first;
			if (group)
				pfree(group);
			group = MemoryContextAllocHuge(build->batch_context,
										   group_size * sizeof(SimPosting));
		}
		flush_subject(build, &entry->id, order, group, first, end);
		sim_phase_done(&build->clock, ++done);
	}
	if (build->by_item)
		flush_items(build);
	start_batch(build);
	sim_phase(&build->clock, SIM_PHASE_LOADING, 0);
}

/* The number of a key in a table, which keeps a copy of a new one. */
static KeyEntry *
intern(keytable_hash *table, MemoryContext context, TypedKey *type, Datum key,
	   uint64 hash, bool *found)
{
	KeyId id = { hash, key };
	KeyEntry *entry = keytable_insert(table, id, found);

	if (!*found)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		entry->id.key = typed_key_copy(type, key);
		MemoryContextSwitchTo(old);
	}
	return entry;
}

static ItemNumber
item_number(Build *build, Datum key)
{
	uint64 hash = typed_key_hash(&build->ix.item, key);
	bool found;
	KeyEntry *entry;

	/* The index knows all items: the cache may be emptied at any time. */
	if (build->items->members % 1024 == 1023 &&
		MemoryContextMemAllocated(build->item_context, true) >
			build->budget / 4)
	{
		MemoryContextReset(build->item_context);
		build->items = new_table(build->item_context, &build->ix.item);
	}
	entry = intern(build->items, build->item_context, &build->ix.item, key,
				   hash, &found);
	if (!found)
		entry->value = sim_item_intern(&build->ix, key, hash);
	return entry->value;
}

static bool
batch_is_full(Build *build)
{
	if (build->nrows == build->max_rows)
		return true;
	return build->nrows % 1024 == 1023 &&
		MemoryContextMemAllocated(build->batch_context, true) >
		build->budget / 4;
}

static void
build_callback(Relation index, ItemPointer tid, Datum *values, bool *isnull,
			   bool alive, void *arg)
{
	Build *build = (Build *) arg;
	SimIndex *ix = &build->ix;
	SimPosting *posting;
	MemoryContext old;
	Datum subject;
	bool found;
	KeyEntry *entry;

	if (isnull[0] || isnull[1])
		return;
	old = MemoryContextSwitchTo(build->row_context);
	if (batch_is_full(build))
		flush_batch(build);
	posting = &build->postings[build->nrows];
	posting->tid = *tid;
	posting->time = sim_value_time(ix, values, isnull);
	posting->strength = sim_value_strength(ix, values, isnull);
	posting->item = item_number(build, typed_key_plain(&ix->item, values[1]));
	subject = typed_key_plain(&ix->subject, values[0]);
	entry = intern(build->subjects, build->batch_context, &ix->subject, subject,
				   typed_key_hash(&ix->subject, subject), &found);
	if (!found)
		entry->value = build->subjects->members - 1;
	build->owners[build->nrows++] = entry->value;
	build->indexed++;
	MemoryContextSwitchTo(old);
	MemoryContextReset(build->row_context);
}

static void
start_build(Build *build, Relation index)
{
	MemoryContext parent = CurrentMemoryContext;
	bool by_item = sim_options(index)->postings;
	Size row_size = ROW_SIZE + (by_item ? sizeof(SimItemPosting) : 0);

	memset(build, 0, sizeof(*build));
	sim_index_open(&build->ix, index);
	build->ix.building = true;
	build->budget = sim_memory_budget();
	build->item_context = AllocSetContextCreate(parent, "similarity items",
												ALLOCSET_DEFAULT_SIZES);
	build->batch_context = AllocSetContextCreate(parent, "similarity batch",
												 ALLOCSET_DEFAULT_SIZES);
	build->row_context =
		AllocSetContextCreate(parent, "similarity row", ALLOCSET_DEFAULT_SIZES);
	build->max_rows = Min(build->budget / 2 / row_size, PG_INT32_MAX);
	build->postings =
		MemoryContextAllocHuge(parent, build->max_rows * sizeof(SimPosting));
	build->owners =
		MemoryContextAllocHuge(parent, build->max_rows * sizeof(uint32));
	if (by_item)
		build->by_item =
			MemoryContextAllocHuge(parent,
								   build->max_rows * sizeof(SimItemPosting));
	build->items = new_table(build->item_context, &build->ix.item);
	start_batch(build);
}

static void
end_load(Build *build)
{
	flush_batch(build);
	pfree(build->postings);
	pfree(build->owners);
	if (build->by_item)
		pfree(build->by_item);
	MemoryContextDelete(build->item_context);
	MemoryContextDelete(build->batch_context);
	MemoryContextDelete(build->row_context);
}

/* For CREATE INDEX, not for TRUNCATE and its like. */
static void
notice_untrained(Relation index)
{
	ereport(NOTICE,
			(errmsg("similarity index \"%s\" is untrained because its table has no interactions",
					RelationGetRelationName(index)),
			 errdetail("Until it is trained it recommends what is popular."),
			 errhint(
				 "The first VACUUM after rows have come, by autovacuum or by hand, trains it; so does personalize.retrain().")));
}

/* WAL-log the finished pages, some at a time to show progress. */
static void
log_pages(SimClock *clock, Relation index)
{
	BlockNumber nblocks = RelationGetNumberOfBlocks(index);
	BlockNumber block;

	sim_phase(clock, SIM_PHASE_WRITING, nblocks);
	if (!RelationNeedsWAL(index))
		return;
	for (block = 0; block < nblocks; block += LOG_PAGES)
	{
		log_newpage_range(index, MAIN_FORKNUM, block,
						  Min(block + LOG_PAGES, nblocks), true);
		sim_phase_done(clock, Min(block + LOG_PAGES, nblocks));
	}
}

IndexBuildResult *
sim_build(Relation heap, Relation index, IndexInfo *info)
{
	Build build;
	IndexBuildResult *result;

	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data",
			 RelationGetRelationName(index));
	start_build(&build, index);
	(void) sim_check_direction(&build.ix, ERROR);
	sim_check_weights(&build.ix);
	sim_init_index(index, MAIN_FORKNUM);
	build.clock.report = true;
	sim_phase(&build.clock, SIM_PHASE_LOADING, -1);
	build.clock.cpu[0] = 0;
	build.heap_tuples = table_index_build_scan(heap, index, info, true, true,
											   build_callback, &build, NULL);
	end_load(&build);
	if (build.indexed > 0)
		sim_train_timed(&build.ix, false, &build.clock);
	else if (index->rd_createSubid != InvalidSubTransactionId)
		notice_untrained(index);
	log_pages(&build.clock, index);
	sim_clock_report(&build.clock, index);

	result = palloc0(sizeof(IndexBuildResult));
	result->heap_tuples = build.heap_tuples;
	result->index_tuples = build.indexed;
	return result;
}

void
sim_buildempty(Relation index)
{
	SimIndex ix;

	sim_index_open(&ix, index);
	sim_init_index(index, INIT_FORKNUM);
}
