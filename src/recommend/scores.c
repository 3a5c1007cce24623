/*
 * scores.c
 *		Scores by item number: where recommend() spends its time.
 *
 * A call adds some thousands of contributions to as many items of a catalogue
 * of any size.  Each item has a slot, at the position of its number while the
 * catalogue is small, at a hashed position in a large one.  The memory lives
 * as long as the backend and is all zero but for the slots that `touched`
 * lists; the next call clears those.  So neither a call that failed nor one
 * that was cancelled needs cleaning up after.
 *
 * The inner loop has no branch that data decide: at two or three contributions
 * an item, a mispredicted branch would cost more than all the rest of it.
 */
#include "postgres.h"

#include "common/topk.h"
#include "port/pg_bitutils.h"
#include "recommend/recommend.h"
#include "utils/float.h"
#include "utils/memutils.h"

typedef struct ScoreSlot
{
	double score; /* -infinity: excluded, whatever is added */
	int64 best;	  /* largest contribution, see contribution() */
} ScoreSlot;

typedef struct ScoreTable
{
	MemoryContext context;
	ScoreSlot *slots;  /* not touched if best is 0 */
	ItemNumber *items; /* whose slot it is, if hashed */
	uint32 *touched;   /* positions */
	Size allocated;	   /* slots in memory */
	Size size;		   /* of which in use, a power of two if hashed */
	Size room;		   /* in touched */
	uint32 ntouched;
	int shift;
	bool hashed;
	bool restricted; /* only touched items are scored */
} ScoreTable;

/* Touched, but without a contribution. */
#define NO_CONTRIBUTION 1

#define MIN_SIZE ((Size) 1 << 14)
#define MAX_HASHED_SIZE ((Size) 1 << 31)

/* Numbers up to here are positions: 8 MB, which is also all that is kept. */
#define MAX_DIRECT_SIZE ((Size) 1 << 19)

static ScoreTable scores;

/* The bits of a float, of a negative one those of zero, without a branch. */
static inline int32
positive_bits(int32 bits)
{
	return bits & ~(bits >> 31);
}

/*
 * A contribution and whose it is as one number: a higher one is greater, of
 * equal ones that with the lower ref.  Negative ones count as zero here: they
 * are no reason for anything, and a slot that has one is touched all the same.
 */
static inline int64
contribution(double value, uint32 ref)
{
	union
	{
		float f;
		int32 i;
	} bits;

	/* floats that are not negative are ordered as their bits are */
	bits.f = (float) value;
	return (int64) (((uint64) positive_bits(bits.i) << 32) | (uint32) ~ref);
}

static inline uint32
contribution_ref(int64 best)
{
	return ~(uint32) best;
}

/* Find the position of an item, or where it belongs: is it touched? */
static inline bool
locate(const ScoreTable *t, ItemNumber item, uint32 *position)
{
	uint32 p = item;

	if (t->hashed)
	{
		p = (item * (uint32) 2654435769U) >> t->shift;
		while (t->slots[p].best != 0 && t->items[p] != item)
			p = (p + 1) & (uint32) (t->size - 1);
	}
	*position = p;
	return p < t->size && t->slots[p].best != 0;
}

static void *
allocate(ScoreTable *t, Size size, Size element_size)
{
	return MemoryContextAllocExtended(t->context, size * element_size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static void
set_hashed_size(ScoreTable *t, Size size)
{
	t->size = size;
	t->shift = 32 - pg_leftmost_one_pos64(size);
}

/* Move to larger arrays. Nothing can fail once the old ones are touched. */
static void
grow_hashed(ScoreTable *t, Size size)
{
	ScoreTable old = *t;
	ScoreSlot *slots = allocate(t, size, sizeof(ScoreSlot));
	ItemNumber *items = allocate(t, size, sizeof(ItemNumber));

	t->slots = slots;
	t->items = items;
	t->allocated = size;
	set_hashed_size(t, size);
	for (uint32 i = 0; i < t->ntouched; i++)
	{
		uint32 from = old.touched[i];
		uint32 to;

		locate(t, old.items[from], &to);
		t->slots[to] = old.slots[from];
		t->items[to] = old.items[from];
		t->touched[i] = to;
	}
	pfree(old.slots);
	pfree(old.items);
}

static void
grow_direct(ScoreTable *t, Size size)
{
	if (size > t->allocated)
	{
		size = pg_nextpower2_64(size);
		t->slots = repalloc_huge(t->slots, size * sizeof(ScoreSlot));
		memset(&t->slots[t->allocated], 0,
			   (size - t->allocated) * sizeof(ScoreSlot));
		t->allocated = size;
	}
	t->size = t->allocated;
}

/* Make room for n more items. */
static void
reserve(ScoreTable *t, Size n)
{
	Size needed = t->ntouched + n;
	Size size = t->size;

	if (needed > t->room)
	{
		Size room = Max(needed, 2 * t->room);

		t->touched = repalloc_huge(t->touched, room * sizeof(uint32));
		t->room = room;
	}
	if (!t->hashed || needed <= size / 2)
		return;
	if (needed > MAX_HASHED_SIZE / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many items to score at once")));
	while (needed > size / 2)
		size *= 2;
	grow_hashed(t, size);
}

/* The item's slot, touched; reserve() has made room. */
static inline ScoreSlot *
get_slot(ScoreTable *t, ItemNumber item)
{
	uint32 position;

	if (!t->hashed && item >= t->size)
		grow_direct(t, (Size) item + 1);
	if (!locate(t, item, &position))
	{
		t->slots[position].best = NO_CONTRIBUTION;
		if (t->hashed)
			t->items[position] = item;
		t->touched[t->ntouched++] = position;
	}
	return &t->slots[position];
}

static void
clear(ScoreTable *t)
{
	if (t->context == NULL)
		t->context =
			AllocSetContextCreate(TopMemoryContext, "personalize scores",
								  ALLOCSET_DEFAULT_SIZES);
	if (t->slots == NULL || t->items == NULL || t->touched == NULL ||
		Max(t->allocated, t->room) > MAX_DIRECT_SIZE)
	{
		MemoryContext context = t->context;

		MemoryContextReset(context);
		memset(t, 0, sizeof(*t));
		t->context = context;
		t->slots = allocate(t, MIN_SIZE, sizeof(ScoreSlot));
		t->items = allocate(t, MIN_SIZE, sizeof(ItemNumber));
		t->touched = allocate(t, MIN_SIZE, sizeof(uint32));
		t->allocated = MIN_SIZE;
		t->room = MIN_SIZE;
	}
	for (uint32 i = 0; i < t->ntouched; i++)
	{
		t->slots[t->touched[i]].score = 0;
		t->slots[t->touched[i]].best = 0;
	}
	t->ntouched = 0;
}

/* Start anew, for items with numbers below nitems and perhaps a few others. */
void
scores_begin(uint32 nitems)
{
	ScoreTable *t = &scores;

	clear(t);
	t->restricted = false;
	t->hashed = nitems > MAX_DIRECT_SIZE;
	if (t->hashed)
		set_hashed_size(t, MIN_SIZE);
	else
		grow_direct(t, nitems);
}

/* From now on only these items are scored. */
void
scores_restrict(const ItemNumber *items, int n)
{
	reserve(&scores, n);
	for (int i = 0; i < n; i++)
		get_slot(&scores, items[i]);
	scores.restricted = true;
}

/* These items are not returned. */
void
scores_exclude(const ItemNumber *items, int n)
{
	reserve(&scores, n);
	for (int i = 0; i < n; i++)
		get_slot(&scores, items[i])->score = -get_float8_infinity();
}

/* What a part of a list contributes, computed ahead in loops that vectorise. */
#define PART 128

typedef struct Part
{
	double values[PART];
	int64 contributions[PART];
} Part;

static void
fill_part(Part *part, const float *weights, int n, double weight, uint32 ref)
{
	union
	{
		float f[PART];
		int32 i[PART];
	} bits;
	int64 low = (uint32) ~ref;

	for (int i = 0; i < n; i++)
	{
		part->values[i] = weight * weights[i];
		bits.f[i] = (float) part->values[i];
	}
	for (int i = 0; i < n; i++)
		part->contributions[i] =
			(int64) ((uint64) positive_bits(bits.i[i]) << 32) | low;
}

static void
add_part(ScoreTable *t, const ItemNumber *items, int n, const Part *part)
{
	ScoreSlot *slots = t->slots;
	uint32 *touched = t->touched;
	uint32 ntouched = t->ntouched;

	for (int i = 0; i < n; i++)
	{
		ScoreSlot *slot = &slots[items[i]];
		int64 best = slot->best;

		touched[ntouched] = items[i];
		ntouched += best == 0;
		slot->score += part->values[i];
		slot->best = Max(best, part->contributions[i]);
	}
	t->ntouched = ntouched;
}

static void
add_direct(ScoreTable *t, const SimNeighbors *list, double weight, uint32 ref)
{
	int n;

	for (int first = 0; first < list->n; first += n)
	{
		Part part;

		n = Min(list->n - first, PART);
		fill_part(&part, list->weights + first, n, weight, ref);
		add_part(t, list->items + first, n, &part);
	}
}

/* Add a neighbour list; ref is what scores_top() returns as the reason. */
void
scores_add(const SimNeighbors *list, double weight, uint32 ref)
{
	ScoreTable *t = &scores;

	/* one more than can be added: add_part() writes before it counts */
	if (!t->restricted)
		reserve(t, (Size) list->n + 1);
	if (!t->restricted && !t->hashed)
	{
		if (list->last_item >= t->size)
			grow_direct(t, (Size) list->last_item + 1);
		add_direct(t, list, weight, ref);
		return;
	}

	for (int i = 0; i < list->n; i++)
	{
		double value = weight * list->weights[i];
		int64 mine = contribution(value, ref);
		uint32 position;
		ScoreSlot *slot;

		if (!t->restricted)
			slot = get_slot(t, list->items[i]);
		else if (locate(t, list->items[i], &position))
			slot = &t->slots[position];
		else
			continue;
		slot->score += value;
		slot->best = Max(slot->best, mine);
	}
}

/* Add an item as a member of a set: false if it is one already. */
bool
scores_add_new(ItemNumber item)
{
	uint32 ntouched = scores.ntouched;

	reserve(&scores, 1);
	get_slot(&scores, item);
	return scores.ntouched > ntouched;
}

/* May this item be returned, as far as exclusion and restriction go? */
bool
scores_admit(ItemNumber item)
{
	uint32 position;

	if (!locate(&scores, item, &position))
		return !scores.restricted;
	return scores.slots[position].score >= 0;
}

typedef struct Candidates
{
	RankedItem *items;
	Size n;
	Size room;
} Candidates;

static void
add_candidate(Candidates *candidates, const ScoreTable *t, uint32 position)
{
	const ScoreSlot *slot = &t->slots[position];
	RankedItem *item;

	if (candidates->n == candidates->room)
	{
		candidates->room *= 2;
		candidates->items =
			repalloc_huge(candidates->items,
						  candidates->room * sizeof(RankedItem));
	}
	item = &candidates->items[candidates->n++];
	item->rank = slot->score;
	item->key = (Datum) 0;
	item->item = t->hashed ? t->items[position] : position;
	item->ref = contribution_ref(slot->best);
}

/*
 * The k items of highest positive score, in no order, and all that tie with
 * the last of them.  The scores are gone afterwards: each slot is cleared
 * when it is looked at, while it is at hand.
 */
int
scores_top(int k, RankedItem **items)
{
	ScoreTable *t = &scores;
	Candidates candidates;
	double threshold;
	TopK top;
	int n = 0;

	topk_init(&top, k, t->ntouched);
	candidates.n = 0;
	candidates.room = (Size) top.k + 64;
	candidates.items =
		palloc_extended(candidates.room * sizeof(RankedItem), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < t->ntouched; i++)
	{
		ScoreSlot *slot = &t->slots[t->touched[i]];

		if (slot->score > 0 && slot->score >= topk_threshold(&top))
		{
			topk_add(&top, slot->score);
			add_candidate(&candidates, t, t->touched[i]);
		}
		slot->score = 0;
		slot->best = 0;
	}
	t->ntouched = 0;

	/* The threshold has risen since the first were added. */
	threshold = topk_threshold(&top);
	for (Size i = 0; i < candidates.n; i++)
		if (candidates.items[i].rank >= threshold)
			candidates.items[n++] = candidates.items[i];
	*items = candidates.items;
	return n;
}

/* All items of positive score, in no order.  Their scores are gone afterwards. */
int
scores_all(ScoredItem **items)
{
	ScoreTable *t = &scores;
	int n = 0;

	*items = palloc_extended(Max(t->ntouched, 1) * sizeof(ScoredItem),
							 MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < t->ntouched; i++)
	{
		uint32 position = t->touched[i];
		ScoreSlot *slot = &t->slots[position];

		(*items)[n].item = t->hashed ? t->items[position] : position;
		(*items)[n].score = slot->score;
		n += slot->score > 0;
		slot->score = 0;
		slot->best = 0;
	}
	t->ntouched = 0;
	return n;
}
