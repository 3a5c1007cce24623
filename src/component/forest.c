/*
 * forest.c
 *		Union-find over nodes in an open-addressing hash table.
 *
 * The table has 8 bytes a slot, so that many are in one cache line, and nodes
 * stand in an array in the order of their coming, 16 or 24 bytes each.  A
 * slot's place is given by the upper bits of its hash: when the table grows,
 * slots move in ascending order, and no node has to be read.
 *
 * The root of a tree is always its smallest member, so nothing depends on the
 * order of the edges.  Linking in an order that has nothing to do with the
 * trees' sizes costs no more than a logarithm as long as paths are shortened
 * on the way (Tarjan and van Leeuwen 1984).
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "common/mix.h"
#include "compat.h"
#include "component/component.h"
#include "miscadmin.h"

#define FIRST_BITS 10
#define MAX_BITS 32
#define FIRST_NODES 256
#define FIRST_PENDING (16 * 1024)
#define MIN_CHUNK ((Size) 8 * 1024)
#define MAX_CHUNK ((Size) 8 * 1024 * 1024)
#define FETCH_DISTANCE 16
#define NODES_PER_CHECK 65536

/* Three quarters of the slots are used before there are more of them. */
#define MAX_NODES(bits) ((UINT64CONST(3) << (bits)) / 4)

void
forest_init(Forest *forest, NodeKind kind, MemoryContext context)
{
	memset(forest, 0, sizeof(*forest));
	forest->kind = kind;
	budget_init(&forest->budget, context);
	forest->bits = FIRST_BITS;
	forest->slots =
		budget_alloc(&forest->budget, sizeof(uint64) << FIRST_BITS, true);
	forest->capacity = FIRST_NODES;
	forest->nodes =
		budget_alloc(&forest->budget, FIRST_NODES * node_width(kind), false);
	if (kind == NODE_TEXT)
	{
		forest->pending_size = FIRST_PENDING;
		forest->pending = budget_alloc(&forest->budget, FIRST_PENDING, false);
	}
}

/* ---- growth ---- */

static void
grow_slots(Forest *forest)
{
	uint64 old_count = UINT64CONST(1) << forest->bits;
	uint64 *old = forest->slots;
	uint64 mask = 2 * old_count - 1;
	int shift = MAX_BITS - (forest->bits + 1);
	uint64 *slots;

	slots = budget_alloc(&forest->budget, 2 * old_count * sizeof(uint64), true);
	for (uint64 i = 0; i < old_count; i++)
	{
		uint64 pos;

		if (i % NODES_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (old[i] == 0)
			continue;
		pos = (old[i] >> 32) >> shift;
		while (slots[pos] != 0)
			pos = (pos + 1) & mask;
		slots[pos] = old[i];
	}
	budget_free(&forest->budget, old, old_count * sizeof(uint64));
	forest->slots = slots;
	forest->bits++;
}

/* By half, or by what the limit still allows. */
static void
grow_nodes(Forest *forest)
{
	Size width = node_width(forest->kind);
	uint64 most = forest->capacity + budget_left(&forest->budget) / width;
	uint64 capacity = Max(forest->capacity + UINT64CONST(2) * BATCH_KEYS,
						  Min(forest->capacity * UINT64CONST(3) / 2, most));

	capacity = Min(capacity, MAX_NODES(MAX_BITS));
	forest->nodes = budget_realloc(&forest->budget, forest->nodes,
								   forest->capacity * width, capacity * width);
	forest->capacity = capacity;
}

/* Room for a batch of new nodes, so that no place changes within it. */
static void
reserve_nodes(Forest *forest)
{
	uint64 needed = (uint64) forest->n + forest->keys;

	if (needed > MAX_NODES(forest->bits))
	{
		if (forest->bits == MAX_BITS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("stitch() cannot hold more than %llu nodes",
							(unsigned long long) MAX_NODES(MAX_BITS)),
					 errhint("Stitch a part of the edges.")));
		grow_slots(forest);
	}
	if (needed > forest->capacity)
		grow_nodes(forest);
}

/* A place for a text that stays; long ones have a header to be aligned. */
static char *
reserve_text(Forest *forest, Size size)
{
	Size aligned = INTALIGN(size);
	char *place;

	if (aligned > forest->chunk_left)
	{
		Size chunk = Max(MIN_CHUNK, Min(MAX_CHUNK, forest->texts / 4));

		if (aligned > chunk / 4)
			return budget_alloc(&forest->budget, aligned, false);
		forest->chunk = budget_alloc(&forest->budget, chunk, false);
		forest->chunk_left = chunk;
		forest->texts += chunk;
	}
	place = forest->chunk;
	forest->chunk += aligned;
	forest->chunk_left -= aligned;
	return place;
}

/* ---- keys: with `kind` a constant, each of these is a few instructions ---- */

static pg_attribute_always_inline uint32
key_hash(NodeKind kind, const NodeKey *key)
{
	if (kind == NODE_INTEGER)
		return mix64(key->high) >> 32;
	if (kind == NODE_UUID)
		return mix64(key->high + mix64(key->low)) >> 32;
	return hash_bytes((const unsigned char *) (uintptr_t) key->high, key->low);
}

static pg_attribute_always_inline bool
key_is(NodeKind kind, const NodeKey *key, const ForestNode *node)
{
	if (kind == NODE_INTEGER)
		return node->key[0] == key->high;
	if (kind == NODE_UUID)
		return node->key[0] == key->high && node->key[1] == key->low;
	return node->size == key->low &&
		memcmp((const char *) (uintptr_t) node->key[0],
			   (const char *) (uintptr_t) key->high, node->size) == 0;
}

static bool
text_less(const ForestNode *a, const ForestNode *b)
{
	const char *one = (const char *) (uintptr_t) a->key[0];
	const char *two = (const char *) (uintptr_t) b->key[0];
	Size one_length = VARSIZE_ANY_EXHDR(one);
	Size two_length = VARSIZE_ANY_EXHDR(two);
	int order =
		memcmp(VARDATA_ANY(one), VARDATA_ANY(two), Min(one_length, two_length));

	return order != 0 ? order < 0 : one_length < two_length;
}

static pg_attribute_always_inline bool
node_less(NodeKind kind, const ForestNode *a, const ForestNode *b)
{
	if (kind == NODE_INTEGER)
		return (int64) a->key[0] < (int64) b->key[0];
	if (kind == NODE_UUID)
		return a->key[0] != b->key[0] ? a->key[0] < b->key[0] :
										a->key[1] < b->key[1];
	return text_less(a, b);
}

static pg_attribute_always_inline uint32
add_node(Forest *forest, NodeKind kind, const NodeKey *key)
{
	uint32 i = forest->n;
	ForestNode *node = forest_node(forest, kind, i);

	node->parent = i;
	node->size = 0;
	node->key[0] = key->high;
	if (kind == NODE_UUID)
		node->key[1] = key->low;
	if (kind == NODE_TEXT)
	{
		char *place = reserve_text(forest, key->low);

		memcpy(place, (const char *) (uintptr_t) key->high, key->low);
		node->key[0] = (uintptr_t) place;
		node->size = key->low;
	}
	forest->n++;
	return i;
}

/* ---- joining ---- */

static pg_attribute_always_inline uint32
find_or_add(Forest *forest, NodeKind kind, const NodeKey *key, uint32 hash)
{
	uint64 mask = (UINT64CONST(1) << forest->bits) - 1;
	uint64 pos = hash >> (MAX_BITS - forest->bits);
	uint64 slot;
	uint32 i;

	while ((slot = forest->slots[pos]) != 0)
	{
		i = (uint32) slot - 1;
		if (slot >> 32 == hash &&
			key_is(kind, key, forest_node(forest, kind, i)))
			return i;
		pos = (pos + 1) & mask;
	}
	i = add_node(forest, kind, key);
	forest->slots[pos] = (uint64) hash << 32 | (i + 1);
	return i;
}

/* Halves the path on the way. */
static pg_attribute_always_inline uint32
find_root(Forest *forest, NodeKind kind, uint32 i)
{
	for (;;)
	{
		ForestNode *node = forest_node(forest, kind, i);
		uint32 parent = node->parent;
		uint32 grandparent = forest_node(forest, kind, parent)->parent;

		if (parent == grandparent)
			return parent;
		node->parent = grandparent;
		i = grandparent;
	}
}

static pg_attribute_always_inline void
join_nodes(Forest *forest, NodeKind kind, uint32 a, uint32 b)
{
	ForestNode *one;
	ForestNode *two;

	if (a == b)
		return;
	a = find_root(forest, kind, a);
	b = find_root(forest, kind, b);
	if (a == b)
		return;
	one = forest_node(forest, kind, a);
	two = forest_node(forest, kind, b);
	if (node_less(kind, one, two))
		two->parent = a;
	else
		one->parent = b;
}

/* The node in the first slot that a key looks at, as far as it can be it. */
static pg_attribute_always_inline ForestNode *
likely_node(const Forest *forest, NodeKind kind, uint32 hash)
{
	uint64 slot = forest->slots[hash >> (MAX_BITS - forest->bits)];

	return slot >> 32 == hash && slot != 0 ?
		forest_node(forest, kind, (uint32) slot - 1) :
		NULL;
}

/* Fetch what the keys of the batch will look at; their hashes. */
static pg_attribute_always_inline void
fetch_batch(const Forest *forest, NodeKind kind, uint32 *hashes)
{
	ForestNode *node;

	for (int i = 0; i < forest->keys; i++)
	{
		hashes[i] = key_hash(kind, &forest->batch[i]);
		fetch_ahead(&forest->slots[hashes[i] >> (MAX_BITS - forest->bits)]);
	}
	for (int i = 0; i < forest->keys; i++)
	{
		if ((node = likely_node(forest, kind, hashes[i])) != NULL)
			fetch_ahead(node);
	}
	if (kind != NODE_TEXT)
		return;
	for (int i = 0; i < forest->keys; i++)
	{
		if ((node = likely_node(forest, kind, hashes[i])) != NULL)
			fetch_ahead((const char *) (uintptr_t) node->key[0]);
	}
}

static pg_attribute_always_inline void
join_batch_of(Forest *forest, NodeKind kind)
{
	uint32 hashes[BATCH_KEYS];
	uint32 nodes[BATCH_KEYS];

	fetch_batch(forest, kind, hashes);
	for (int i = 0; i < forest->keys; i++)
	{
		nodes[i] = find_or_add(forest, kind, &forest->batch[i], hashes[i]);
		fetch_ahead(forest_node(forest, kind,
								forest_node(forest, kind, nodes[i])->parent));
	}
	/* most nodes are at most two steps from their root: fetch both */
	for (int i = 0; i < forest->keys; i++)
	{
		ForestNode *node = forest_node(forest, kind, nodes[i]);

		node = forest_node(forest, kind, node->parent);
		fetch_ahead(forest_node(forest, kind, node->parent));
	}
	for (int i = 0; i < forest->keys; i += 2)
		join_nodes(forest, kind, nodes[i], nodes[i + 1]);
}

static void
join_batch(Forest *forest)
{
	CHECK_FOR_INTERRUPTS();
	reserve_nodes(forest);
	if (forest->kind == NODE_INTEGER)
		join_batch_of(forest, NODE_INTEGER);
	else if (forest->kind == NODE_UUID)
		join_batch_of(forest, NODE_UUID);
	else
		join_batch_of(forest, NODE_TEXT);
	forest->keys = 0;
	forest->pending_used = 0;
}

/* ---- edges ---- */

void
forest_add(Forest *forest, NodeKey a, NodeKey b)
{
	forest->batch[forest->keys++] = a;
	forest->batch[forest->keys++] = b;
	if (forest->keys == BATCH_KEYS)
		join_batch(forest);
}

/* The size of the stored form: with a header of one byte wherever it fits. */
static Size
stored_size(const struct varlena *text)
{
	Size length = VARSIZE_ANY_EXHDR(text);

	return length + VARHDRSZ_SHORT <= VARATT_SHORT_MAX ?
		length + VARHDRSZ_SHORT :
		length + VARHDRSZ;
}

/* A text's stored form among the pending ones. */
static NodeKey
add_pending(Forest *forest, const struct varlena *text, Size size)
{
	char *place = forest->pending + forest->pending_used;
	Size length = VARSIZE_ANY_EXHDR(text);

	if (size - length == VARHDRSZ_SHORT)
	{
		SET_VARSIZE_SHORT(place, size);
		memcpy(place + VARHDRSZ_SHORT, VARDATA_ANY(text), length);
	}
	else
	{
		SET_VARSIZE(place, size);
		memcpy(place + VARHDRSZ, VARDATA_ANY(text), length);
	}
	forest->pending_used += INTALIGN(size);
	return (NodeKey){ (uintptr_t) place, size };
}

/* Texts are copied, because the row they stand in is gone when the next comes. */
void
forest_add_texts(Forest *forest, Datum a, Datum b)
{
	struct varlena *one = PG_DETOAST_DATUM_PACKED(a);
	struct varlena *two = b == a ? one : PG_DETOAST_DATUM_PACKED(b);
	Size one_size = stored_size(one);
	Size two_size = stored_size(two);
	Size needed = INTALIGN(one_size) + INTALIGN(two_size);
	NodeKey key;

	if (needed > forest->pending_size - forest->pending_used)
	{
		if (forest->keys > 0)
			join_batch(forest);
		if (needed > forest->pending_size)
		{
			budget_free(&forest->budget, forest->pending, forest->pending_size);
			forest->pending = budget_alloc(&forest->budget, needed, false);
			forest->pending_size = needed;
		}
	}
	key = add_pending(forest, one, one_size);
	forest_add(forest, key,
			   one == two ? key : add_pending(forest, two, two_size));
	if (two != one && (Pointer) two != DatumGetPointer(b))
		pfree(two);
	if ((Pointer) one != DatumGetPointer(a))
		pfree(one);
}

/* ---- the end ---- */

static pg_attribute_always_inline void
shorten_paths(Forest *forest, NodeKind kind)
{
	for (uint32 i = 0; i < forest->n; i++)
	{
		uint32 root = i;
		uint32 next = i;
		ForestNode *node;

		if (i % NODES_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		if (forest->n - i > FETCH_DISTANCE)
			fetch_ahead(
				forest_node(forest, kind,
							forest_node(forest, kind, i + FETCH_DISTANCE)
								->parent));
		while ((node = forest_node(forest, kind, root))->parent != root)
			root = node->parent;
		while (next != root)
		{
			node = forest_node(forest, kind, next);
			next = node->parent;
			node->parent = root;
		}
	}
}

/* Every node of a path then has the root as its parent, and is never again
 * part of a longer one: linear in the number of nodes. */
void
forest_finish(Forest *forest)
{
	join_batch(forest);
	budget_free(&forest->budget, forest->slots, sizeof(uint64) << forest->bits);
	forest->slots = NULL;
	if (forest->kind == NODE_UUID)
		shorten_paths(forest, NODE_UUID);
	else
		shorten_paths(forest, NODE_INTEGER);
}
