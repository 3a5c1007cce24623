/*
 * receiver.c
 *		Takes rows from the executor into a forest, without copying them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "component/component.h"
#include "executor/tuptable.h"
#include "port/pg_bswap.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"

static inline NodeKey
integer_key(Oid type, Datum value)
{
	int64 key;

	if (type == INT8OID)
		key = DatumGetInt64(value);
	else if (type == INT4OID)
		key = DatumGetInt32(value);
	else
		key = DatumGetInt16(value);
	return (NodeKey){ (uint64) key, 0 };
}

static inline NodeKey
uuid_key(Datum value)
{
	NodeKey key;

	memcpy(&key, DatumGetUUIDP(value)->data, UUID_LEN);
	return (NodeKey){ pg_ntoh64(key.high), pg_ntoh64(key.low) };
}

/* A row with one end is a node alone, and one without any is nothing. */
static bool
receive_edge(TupleTableSlot *slot, DestReceiver *self)
{
	EdgeReceiver *receiver = (EdgeReceiver *) self;
	int a = 0;
	int b = 1;

	slot_getsomeattrs(slot, 2);
	if (slot->tts_isnull[a])
		a = b;
	else if (slot->tts_isnull[b])
		b = a;
	if (slot->tts_isnull[a])
		return true;

	switch (receiver->forest->kind)
	{
		case NODE_INTEGER:
			forest_add(receiver->forest,
					   integer_key(receiver->types[a], slot->tts_values[a]),
					   integer_key(receiver->types[b], slot->tts_values[b]));
			break;
		case NODE_UUID:
			forest_add(receiver->forest, uuid_key(slot->tts_values[a]),
					   uuid_key(slot->tts_values[b]));
			break;
		case NODE_TEXT:
			forest_add_texts(receiver->forest, slot->tts_values[a],
							 slot->tts_values[b]);
			break;
	}
	return true;
}

/*
 * Checked again: between its planning and this, what a query like EXECUTE
 * returns can have changed.
 */
static void
start_edges(DestReceiver *self, int operation, TupleDesc columns)
{
	EdgeReceiver *receiver = (EdgeReceiver *) self;

	columns_check(columns, receiver->node_type);
	for (int i = 0; i < 2; i++)
		receiver->types[i] = getBaseType(TupleDescAttr(columns, i)->atttypid);
}

/* What there is to release is in the caller's memory context. */
static void
end_edges(DestReceiver *self)
{
}

void
edge_receiver_init(EdgeReceiver *receiver, Forest *forest,
				   const NodeType *node_type)
{
	memset(receiver, 0, sizeof(*receiver));
	receiver->pub.receiveSlot = receive_edge;
	receiver->pub.rStartup = start_edges;
	receiver->pub.rShutdown = end_edges;
	receiver->pub.rDestroy = end_edges;
	receiver->pub.mydest = DestNone;
	receiver->forest = forest;
	receiver->node_type = node_type;
}
