/*
 * groups.c
 *		A table of groups by key, as the state of an aggregate.
 *
 * One flat piece of memory, like every state.  It is hashed, because a group
 * may be a seller among a hundred thousand.  The hash decides where a key
 * stands in stored states too, so it must never change.
 */
#include "postgres.h"

#include "common/mix.h"
#include "compat.h"
#include "drift/drift.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"

#define FIRST_CAPACITY 4
#define FIRST_KEYS_SIZE 32

static Size
table_size(int32 capacity, int32 keys_size)
{
	return offsetof(GroupTable, groups) + (Size) capacity * sizeof(GroupEntry) +
		2 * (Size) capacity * sizeof(int32) + keys_size;
}

static int32 *
table_slots(const GroupTable *table)
{
	return (int32 *) (table->groups + table->capacity);
}

static char *
table_keys(const GroupTable *table)
{
	return (char *) (table_slots(table) + 2 * table->capacity);
}

const char *
group_key(const GroupTable *table, const GroupEntry *group)
{
	return table_keys(table) + group->key;
}

/* FNV-1a (Fowler, Noll and Vo), its bits mixed. */
static uint32
hash_key(const char *key, int key_length)
{
	uint64 hash = UINT64CONST(0xcbf29ce484222325);

	for (int i = 0; i < key_length; i++)
		hash = (hash ^ (unsigned char) key[i]) * UINT64CONST(0x100000001b3);
	return (uint32) mix64(hash);
}

/* The slot that holds the key, or the free one where it would stand. */
static int32 *
find_slot(const GroupTable *table, const char *key, int key_length)
{
	int32 *slots = table_slots(table);
	uint32 mask = 2 * table->capacity - 1;
	uint32 i = hash_key(key, key_length) & mask;

	for (; slots[i] != 0; i = (i + 1) & mask)
	{
		const GroupEntry *group = &table->groups[slots[i] - 1];

		if (group->key_length == key_length &&
			memcmp(group_key(table, group), key, key_length) == 0)
			break;
	}
	return &slots[i];
}

static GroupTable *
table_alloc(const StateType *type, int32 capacity, int32 keys_size)
{
	GroupTable *table = state_alloc(type, table_size(capacity, keys_size));

	table->capacity = capacity;
	table->keys_size = keys_size;
	return table;
}

GroupTable *
group_table_new(const StateType *type)
{
	return table_alloc(type, FIRST_CAPACITY, FIRST_KEYS_SIZE);
}

/* Room for one more group, in a copy if need be. */
static GroupTable *
table_reserve(const StateType *type, GroupTable *table, int key_length)
{
	int32 capacity = table->capacity;
	int64 keys_size = table->keys_size;
	GroupTable *larger;

	if (table->n < capacity && table->keys_used + key_length <= keys_size)
		return table;
	if (table->n == capacity)
		capacity *= 2;
	if (table->keys_used + key_length > keys_size)
		keys_size =
			Min(Max(2 * keys_size, (int64) table->keys_used + key_length),
				(int64) STATE_MAX_SIZE);

	larger = table_alloc(type, capacity, (int32) keys_size);
	larger->n = table->n;
	larger->keys_used = table->keys_used;
	memcpy(larger->groups, table->groups, table->n * sizeof(GroupEntry));
	memcpy(table_keys(larger), table_keys(table), table->keys_used);
	for (int32 i = 0; i < larger->n; i++)
	{
		const GroupEntry *group = &larger->groups[i];

		*find_slot(larger, group_key(larger, group), group->key_length) = i + 1;
	}
	return larger;
}

GroupEntry *
group_table_get(const StateType *type, GroupTable **table, const char *key,
				int key_length)
{
	int32 slot = *find_slot(*table, key, key_length);
	GroupEntry *group;

	if (slot != 0)
		return &(*table)->groups[slot - 1];

	*table = table_reserve(type, *table, key_length);
	group = &(*table)->groups[(*table)->n++];
	group->key = (*table)->keys_used;
	group->key_length = key_length;
	memcpy(table_keys(*table) + group->key, key, key_length);
	(*table)->keys_used += key_length;
	*find_slot(*table, key, key_length) = (*table)->n;
	return group;
}

static int
compare_groups(const void *a, const void *b, void *table)
{
	const GroupEntry *left = *(GroupEntry *const *) a;
	const GroupEntry *right = *(GroupEntry *const *) b;
	int order = memcmp(group_key(table, left), group_key(table, right),
					   Min(left->key_length, right->key_length));

	return order != 0 ? order : left->key_length - right->key_length;
}

GroupEntry **
group_table_sorted(GroupTable *table)
{
	GroupEntry **groups = palloc(Max(table->n, 1) * sizeof(GroupEntry *));

	for (int32 i = 0; i < table->n; i++)
		groups[i] = &table->groups[i];
	qsort_arg(groups, table->n, sizeof(GroupEntry *), compare_groups, table);
	return groups;
}

/* ---- outside ---- */

/* Keys travel in UTF-8, if the database knows what its own encoding is. */
static int
key_encoding(void)
{
	return GetDatabaseEncoding() == PG_SQL_ASCII ? PG_SQL_ASCII : PG_UTF8;
}

void
group_send_key(StringInfo buf, const GroupTable *table, const GroupEntry *group)
{
	const char *key = group_key(table, group);
	char *sent = pg_server_to_any(key, group->key_length, key_encoding());
	int length = sent == key ? group->key_length : (int) strlen(sent);

	pq_sendint32(buf, length);
	appendBinaryStringInfo(buf, sent, length);
}

int
group_table_recv_count(StringInfo buf, const StateType *type)
{
	int32 n = pq_getmsgint(buf, 4);

	/* even an empty key has its length */
	if (n < 0 || (Size) n > state_bytes_left(buf) / 4)
		state_malformed(type, "Its count does not fit its size.");
	return n;
}

GroupEntry *
group_recv_key(StringInfo buf, const StateType *type, GroupTable **table)
{
	int32 length = pq_getmsgint(buf, 4);
	int32 before = (*table)->n;
	const char *sent;
	char *key;
	GroupEntry *group;

	if (length < 0 || (Size) length > state_bytes_left(buf))
		state_malformed(type, "A key is longer than what is left.");
	sent = pq_getmsgbytes(buf, length);
	key = pg_any_to_server(sent, length, key_encoding());
	if (key != sent)
		length = strlen(key);

	group = group_table_get(type, table, key, length);
	if ((*table)->n == before)
		state_malformed(type, "A group comes twice.");
	return group;
}
