/*
 * batch.c
 *		Links to be made: their identifiers, each once.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "evidence/batch.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

typedef struct IdentifierKey
{
	int type;
	const char *value;
} IdentifierKey;

typedef struct IdentifierEntry
{
	IdentifierKey key;
	int position;
} IdentifierEntry;

static uint32
hash_key(const void *key, Size size)
{
	const IdentifierKey *k = key;

	return hash_bytes((const unsigned char *) k->value, strlen(k->value)) ^
		murmurhash32(k->type);
}

static int
match_key(const void *a, const void *b, Size size)
{
	const IdentifierKey *x = a;
	const IdentifierKey *y = b;

	return x->type != y->type || strcmp(x->value, y->value) != 0;
}

static void
create_index(Batch *batch, int n)
{
	HASHCTL control = { 0 };

	control.keysize = sizeof(IdentifierKey);
	control.entrysize = sizeof(IdentifierEntry);
	control.hash = hash_key;
	control.match = match_key;
	control.hcxt = CurrentMemoryContext;
	batch->index =
		hash_create("identifiers of a batch", n, &control,
					HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

static Identifier *
add_identifier(Batch *batch)
{
	if (batch->n_identifiers == batch->allocated)
	{
		batch->allocated *= 2;
		batch->identifiers =
			repalloc_huge(batch->identifiers,
						  sizeof(Identifier) * batch->allocated);
	}
	memset(&batch->identifiers[batch->n_identifiers], 0, sizeof(Identifier));
	return &batch->identifiers[batch->n_identifiers++];
}

/* The position of an identifier, which is added if it is new. */
static int
find_identifier(Batch *batch, const Graph *graph, const char *type_name,
				const char *value)
{
	int type = graph_type(graph, type_name);
	char *form = normal_value(&graph->types[type], value);
	IdentifierKey key = { type, form };
	IdentifierEntry *entry;
	bool found;

	entry = hash_search(batch->index, &key, HASH_ENTER, &found);
	if (!found)
	{
		Identifier *identifier = add_identifier(batch);

		entry->position = batch->n_identifiers - 1;
		identifier->type = type;
		identifier->value = form;
		if (strcmp(form, value) != 0)
			identifier->original = pstrdup(value);
		identifier->blocked = value_blocked(graph, type, form);
	}
	return entry->position;
}

Batch *
batch_create(const Graph *graph, const LinkRequests *requests)
{
	Batch *batch = palloc0(sizeof(Batch));

	create_index(batch, Max(16, requests->n));
	batch->allocated = Max(4, requests->n);
	batch->identifiers =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   sizeof(Identifier) * batch->allocated);
	batch->n_links = requests->n;
	batch->links = MemoryContextAllocHuge(CurrentMemoryContext,
										  sizeof(Link) * (requests->n + 1));
	for (int i = 0; i < requests->n; i++)
	{
		const LinkRequest *request = &requests->links[i];
		Link *link = &batch->links[i];

		CHECK_FOR_INTERRUPTS();
		memset(link, 0, sizeof(Link));
		link->a =
			find_identifier(batch, graph, request->type_a, request->value_a);
		link->b = request->type_b == NULL ?
			-1 :
			find_identifier(batch, graph, request->type_b, request->value_b);
		link->rule = graph_rule(graph, request->rule);
		link->weight = request->weight;
		link->first_seen = request->first_seen;
		link->last_seen = request->last_seen;
		link->source = request->source;
		link->same_as = -1;
	}
	return batch;
}
