/*
 * train.c
 *		Training a model from the index's own postings.
 *
 * CREATE INDEX, retrain() and VACUUM all come here: read every subject's
 * history, compute every item's neighbours, write both to new pages that
 * nobody is led to yet, and make them the model by one write of the metapage.
 * Readers go on with the old model until then, inserters are never waited
 * for, and a crash leaves the old model in place.
 *
 * The same interactions give the same model whatever their order, so that
 * nodes which build the index by themselves agree.  Therefore counts are
 * integers (weights in fixed point), ties are broken by the hash of the item,
 * and samples are drawn by hash.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "storage/indexfsm.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "similarity/records.h"
#include "training/training.h"
#include "tuning/tuning.h"

Size
sim_memory_budget(void)
{
	int kilobytes = maintenance_work_mem;

	if (is_autovacuum_worker() && autovacuum_work_mem != -1)
		kilobytes = autovacuum_work_mem;
	return (Size) kilobytes * 1024;
}

/* The hashes of all items, read from their records. */
static void
load_item_hashes(SimTraining *training)
{
	SimIndex *ix = training->ix;
	BlockNumber nblocks = RelationGetNumberOfBlocks(ix->rel);
	BlockNumber block;

	for (block = 0; block < nblocks; block++)
	{
		Buffer buffer;
		Page page;
		OffsetNumber offset;

		sim_training_pause(training);
		buffer = sim_read(ix, block, BUFFER_LOCK_SHARE);
		page = BufferGetPage(buffer);
		if (sim_page_is(page, SIM_PAGE_ITEM))
			for (offset = FirstOffsetNumber;
				 offset <= PageGetMaxOffsetNumber(page); offset++)
			{
				SimItemRecord *record =
					sim_record_at(page, SIM_PAGE_ITEM, offset);

				if (record && record->item < training->nitems)
					training->item_hashes[record->item] = record->record.hash;
			}
		UnlockReleaseBuffer(buffer);
	}
}

/* Make room for what follows; the counts stay. */
void
sim_free_histories(SimHistories *histories)
{
	pfree(histories->starts);
	pfree(histories->subject_hashes);
	pfree(histories->item_starts);
	pfree(histories->item_subjects);
	pfree(histories->degrees);
	if (histories->weights)
	{
		pfree(histories->weights);
		pfree(histories->item_weights);
		pfree(histories->subject_weights);
		pfree(histories->subject_times);
	}
	if (histories->items)
		pfree(histories->items);
}

/* In autovacuum there is nobody to notice; the log takes it. */
static void
report_sample(SimTraining *training, Size needed)
{
	bool worker = is_autovacuum_worker() && autovacuum_work_mem != -1;
	const char *setting =
		worker ? "autovacuum_work_mem" : "maintenance_work_mem";

	ereport(is_autovacuum_worker() ? LOG : NOTICE,
			(errmsg("similarity index \"%s\" is trained on a sample of 1 in %d subjects",
					RelationGetRelationName(training->ix->rel),
					1 << training->sample_level),
			 errdetail("Training on all of them takes %zu MB; %s is %zu MB.",
					   needed / (1024 * 1024) + 1, setting,
					   sim_memory_budget() / (1024 * 1024)),
			 errhint("Increase %s and retrain.", setting)));
}

/* What a training of all subjects takes, as similarity_stats() reports it. */
static Size
memory_of_all(const SimTraining *training)
{
	return sim_training_fixed_memory(training->nitems) +
		sim_histories_memory(training, training->all_entries,
							 training->all_subjects);
}

void
sim_training_begin(SimTraining *training, SimIndex *ix, bool vacuum,
				   SimClock *clock)
{
	Size budget = sim_memory_budget();
	Size fixed;
	SimMeta meta;

	memset(training, 0, sizeof(*training));
	training->ix = ix;
	training->vacuum = vacuum;
	training->clock = clock;
	training->options = *sim_options(ix->rel);

	/* VACUUM goes on without what cannot be. */
	if (!sim_check_direction(ix, vacuum ? WARNING : ERROR))
		training->options.direction = SIM_DIRECTION_BOTH;
	sim_weights_begin(training);
	training->params = sim_default_params;
	sim_params_set(&training->params, &training->options);
	training->context =
		AllocSetContextCreate(CurrentMemoryContext, "similarity training",
							  ALLOCSET_DEFAULT_SIZES);
	training->newest = SIM_NO_TIME;
	training->chain = InvalidBlockNumber;
	sim_read_meta(ix, &meta);
	training->generation = meta.last_generation;
	training->nitems = meta.nitems;
	fixed = sim_training_fixed_memory(meta.nitems);
	training->budget =
		budget > fixed + budget / 4 ? budget - fixed : budget / 4;
}

/* Read the items' hashes; the current context keeps them. */
void
sim_training_load_items(SimTraining *training)
{
	training->item_hashes =
		MemoryContextAllocExtended(CurrentMemoryContext,
								   (training->nitems + 1) * sizeof(uint64),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	load_item_hashes(training);
}

/* Read histories, and say so where they are sampled. */
void
sim_training_load_histories(SimTraining *training)
{
	sim_load_histories(training);
	if (training->sample_level > 0)
		report_sample(training, memory_of_all(training));
}

void
sim_training_end(SimTraining *training)
{
	MemoryContextDelete(training->context);
}

/*
 * What the log will be once the training is published: in *meta each stripe
 * begins with its first page since the epoch.  *old_heads is where it begins
 * now.
 */
static void
cut_log(SimIndex *ix, uint32 epoch, BlockNumber *old_heads, SimMeta *meta)
{
	int i;

	for (i = 0; i < SIM_LOG_STRIPES; i++)
	{
		old_heads[i] = meta->log[i].head;
		meta->log[i].head = sim_log_first_since(ix, meta->log[i].head, epoch);
		if (meta->log[i].head == InvalidBlockNumber)
			meta->log[i].tail = InvalidBlockNumber;
	}
}

/* Did a stripe that looked empty get a page meanwhile? */
static bool
log_moved(const SimMeta *seen, const SimMeta *now, const SimMeta *cut)
{
	int i;

	for (i = 0; i < SIM_LOG_STRIPES; i++)
		if (cut->log[i].head == InvalidBlockNumber &&
			seen->log[i].tail != now->log[i].tail)
			return true;
	return false;
}

/* Install the model in the metapage. */
static void
set_model(SimMeta *meta, const SimTraining *training, const SimChoice *choice,
		  uint32 epoch, const SimMeta *cut)
{
	int i;

	meta->generation = training->generation;
	meta->model_items = training->nitems;
	meta->slots = training->slots;
	meta->degrees = training->degrees;
	meta->model_pages = training->chain;
	meta->popular = training->popular;
	meta->trained_at = GetCurrentTimestamp();
	meta->sampled = training->all_subjects == 0 ?
		1 :
		(double) training->histories.nsubjects / training->all_subjects;
	meta->training_memory = memory_of_all(training);
	meta->params = training->params;
	meta->choice = *choice;
	meta->trained_interactions = training->interactions;
	meta->directed = sim_is_directed(training);
	meta->forward_decay = training->options.forward_decay;
	meta->trained_subjects = training->histories.nsubjects;
	meta->removed = 0;
	meta->log_since = epoch;
	for (i = 0; i < SIM_LOG_STRIPES; i++)
	{
		meta->log[i].head = cut->log[i].head;
		if (cut->log[i].head == InvalidBlockNumber)
			meta->log[i].tail = InvalidBlockNumber;
	}
}

/* Publish: from this write on, readers see the new model. */
static void
publish(SimTraining *training, uint32 epoch, const SimChoice *choice,
		SimMeta *old, BlockNumber *old_heads, BlockNumber *new_heads)
{
	SimIndex *ix = training->ix;
	int i;

	for (;;)
	{
		SimMeta cut;
		Buffer buffer;
		SimWrite write;
		bool moved;

		sim_read_meta(ix, old);
		cut = *old;
		cut_log(ix, epoch, old_heads, &cut);
		buffer = sim_read(ix, SIM_META_BLOCK, BUFFER_LOCK_EXCLUSIVE);
		moved = log_moved(old, SimPageGetMeta(BufferGetPage(buffer)), &cut);
		if (!moved)
		{
			sim_write_begin(&write, ix);
			set_model(sim_write_meta(&write, buffer), training, choice, epoch,
					  &cut);
			sim_write_end(&write);
		}
		UnlockReleaseBuffer(buffer);
		for (i = 0; i < SIM_LOG_STRIPES; i++)
			new_heads[i] = cut.log[i].head;
		if (!moved)
			break;
	}
}

/* Free a chain of pages up to (not including) a block. */
static void
free_chain(SimTraining *training, BlockNumber block, BlockNumber end)
{
	while (block != end && block != InvalidBlockNumber)
	{
		Buffer buffer;
		BlockNumber next;

		sim_training_pause(training);
		buffer = sim_read(training->ix, block, BUFFER_LOCK_SHARE);
		next = SimPageGetOpaque(BufferGetPage(buffer))->next;
		UnlockReleaseBuffer(buffer);
		sim_free_page(training->ix, block);
		block = next;
	}
}

/* Compute every item's neighbours and write them. */
static void
write_rows(SimTraining *training)
{
	SimRows *rows = sim_rows_begin(training, &training->params);
	uint32 i;

	training->places = MemoryContextAllocHuge(CurrentMemoryContext,
											  (training->nitems + 1) *
												  sizeof(ItemPointerData));
	for (i = 0; i < training->nitems; i++)
	{
		const SimRow *row;

		sim_training_pause(training);
		ItemPointerSetInvalid(&training->places[i]);
		row = sim_rows_read(rows, i);
		if (row->n > 0)
			sim_write_row(training, i, row);
		if (i % 256 == 255)
			sim_phase_done(training->clock, i + 1);
	}
	sim_rows_end(rows);
}

/*
 * Train and replace the model.  The caller makes sure that only one session
 * does this to an index, and that VACUUM removes nothing meanwhile.  given is
 * a choice of parameters that tune() has made, or NULL.
 */
void
sim_train_given(SimIndex *ix, bool vacuum, SimClock *clock,
				const struct SimTuning *given)
{
	SimTraining training;
	SimChoice choice;
	MemoryContext old_context;
	SimMeta old;
	BlockNumber old_heads[SIM_LOG_STRIPES];
	BlockNumber new_heads[SIM_LOG_STRIPES];
	uint32 epoch = sim_log_seal(ix);
	int i;

	sim_training_begin(&training, ix, vacuum, clock);
	old_context = MemoryContextSwitchTo(training.context);
	sim_phase(clock, SIM_PHASE_TRAINING, -1);
	sim_training_load_items(&training);
	sim_training_load_histories(&training);
	sim_choose_params(&training, given, &choice);
	sim_phase(clock, SIM_PHASE_TRAINING, training.nitems);
	write_rows(&training);
	sim_phase(clock, SIM_PHASE_WRITING, -1);
	sim_write_slots(&training);
	sim_write_degrees(&training);
	sim_free_histories(&training.histories);
	sim_train_popular(&training);
	publish(&training, epoch, &choice, &old, old_heads, new_heads);
	free_chain(&training, old.model_pages, InvalidBlockNumber);
	if (old.choice.pages != choice.pages)
		free_chain(&training, old.choice.pages, InvalidBlockNumber);
	for (i = 0; i < SIM_LOG_STRIPES; i++)
		free_chain(&training, old_heads[i], new_heads[i]);
	if (!ix->building)
		IndexFreeSpaceMapVacuum(ix->rel);
	MemoryContextSwitchTo(old_context);
	sim_training_end(&training);
}

void
sim_train_timed(SimIndex *ix, bool vacuum, SimClock *clock)
{
	sim_train_given(ix, vacuum, clock, NULL);
}

void
sim_train(SimIndex *ix, bool vacuum)
{
	SimClock clock;

	memset(&clock, 0, sizeof(clock));
	sim_train_timed(ix, vacuum, &clock);
}
