/*
 * component.h
 *		Connected components of the edges that a query returns.
 *
 * Rows go from the executor straight into a forest: a hash table of nodes
 * that are joined in trees, one for each component (union-find), with the
 * smallest member as the root.
 */
#ifndef PERSONALIZE_COMPONENT_H
#define PERSONALIZE_COMPONENT_H

#include "access/tupdesc.h"
#include "tcop/dest.h"

/* ---- what nodes are ---- */

typedef enum NodeKind
{
	NODE_INTEGER,
	NODE_UUID,
	NODE_TEXT
} NodeKind;

typedef struct NodeType
{
	Oid type; /* as the caller named it, maybe a domain */
	Oid base;
	NodeKind kind;
} NodeType;

/*
 * A node as it comes.  Words compare as the type does: an integer is in `high`
 * alone, a uuid in both, its first byte the most significant.  Of a text,
 * `high` is the address of its stored form and `low` that form's size.
 */
typedef struct NodeKey
{
	uint64 high;
	uint64 low;
} NodeKey;

/* ---- memory.c: what is allocated is counted against a limit ---- */

typedef struct Budget
{
	MemoryContext context;
	Size used;
	Size limit;
} Budget;

/* Called when the module is loaded. */
extern void stitch_register_settings(void);

extern void budget_init(Budget *budget, MemoryContext context);
extern void *budget_alloc(Budget *budget, Size size, bool zero);
extern void *
budget_realloc(Budget *budget, void *memory, Size old_size, Size new_size);
extern void budget_free(Budget *budget, void *memory, Size size);

/* How much more may be allocated. */
static inline Size
budget_left(const Budget *budget)
{
	return budget->limit - budget->used;
}

/* ---- forest.c ---- */

/*
 * Edges are joined in batches, so that the processor fetches the memory that
 * one of them needs while it works on others.
 */
#define BATCH_EDGES 64
#define BATCH_KEYS (2 * BATCH_EDGES)

typedef struct ForestNode
{
	uint32 parent; /* itself: a root, the smallest of its tree */
	uint32 size;   /* of a text's stored form */
	uint64 key[FLEXIBLE_ARRAY_MEMBER]; /* two of them for a uuid */
} ForestNode;

typedef struct Forest
{
	NodeKind kind;
	Budget budget;

	/* 2^bits slots: 0, or a hash in the upper half, node + 1 in the lower */
	uint64 *slots;
	int bits;

	char *nodes; /* ForestNode, of a size that the kind decides */
	uint32 n;
	uint32 capacity;

	/* texts, in their stored form, never moved */
	char *chunk;
	Size chunk_left;
	Size texts;

	/* edges not yet joined; their texts are in `pending` */
	int keys;
	NodeKey batch[BATCH_KEYS];
	char *pending;
	Size pending_size;
	Size pending_used;
} Forest;

/* A forest that allocates in a context of the caller's. */
extern void forest_init(Forest *forest, NodeKind kind, MemoryContext context);

/* An edge, by the values of its ends; a node alone has itself at the other. */
extern void forest_add(Forest *forest, NodeKey a, NodeKey b);
extern void forest_add_texts(Forest *forest, Datum a, Datum b);

/* After the last edge: the parent of each node is its root. */
extern void forest_finish(Forest *forest);

static inline Size
node_width(NodeKind kind)
{
	return offsetof(ForestNode, key) +
		(kind == NODE_UUID ? 2 : 1) * sizeof(uint64);
}

static inline ForestNode *
forest_node(const Forest *forest, NodeKind kind, uint32 i)
{
	return (ForestNode *) (forest->nodes + i * node_width(kind));
}

/* Ask for memory that will be needed soon. */
#if defined(__GNUC__) || defined(__clang__)
#define fetch_ahead(address) __builtin_prefetch(address)
#else
#define fetch_ahead(address) ((void) (address))
#endif

/* ---- columns.c ---- */

extern void node_type_init(NodeType *node_type, Oid type);

/* Error, unless these are two columns of nodes and maybe a weight or kind. */
extern void columns_check(TupleDesc columns, const NodeType *node_type);

/* ---- receiver.c ---- */

typedef struct EdgeReceiver
{
	DestReceiver pub;
	Forest *forest;
	const NodeType *node_type;
	Oid types[2]; /* of the columns, domains looked through */
} EdgeReceiver;

extern void edge_receiver_init(EdgeReceiver *receiver, Forest *forest,
							   const NodeType *node_type);

#endif
