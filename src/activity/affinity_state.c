/*
 * affinity_state.c
 *		The state of affinity(): a table of keys with decayed weights.
 *
 * Keys are equal when their bytes are.  Few of them are searched one by one,
 * so that the state of a customer with a handful of keys stays small.
 */
#include "postgres.h"

#include "activity/activity.h"
#include "common/hashfn.h"
#include "compat.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/timestamp.h"

/* A new state fills a chunk of the memory allocator. */
#define FIRST_SIZE 256
#define FIRST_CAPACITY 4

/* Up to here there is no hash table. */
#define MAX_SEARCHED 8

/* The least that a key takes in the outside form. */
#define KEY_SENT_SIZE (4 + 8 + 8 + 8)

static void affinity_send(StringInfo buf, const void *state);
static void *affinity_recv(StringInfo buf, uint8 version);

const StateType affinity_type = {
	.name = "affinity_state",
	.kind = STATE_AFFINITY,
	.version = 1,
	.send = affinity_send,
	.recv = affinity_recv,
};

STATE_TYPE_FUNCTIONS(affinity_state, affinity_type);

static inline Size
slot_count(int32 capacity)
{
	return capacity <= MAX_SEARCHED ? 0 : (Size) capacity * 2;
}

static inline uint32 *
slots_of(const AffinityState *state)
{
	return (uint32 *) &state->keys[state->capacity];
}

/* Bytes in front of those of the keys. */
static inline Size
table_size(int32 capacity)
{
	return offsetof(AffinityState, keys) +
		(Size) capacity * sizeof(AffinityKey) +
		slot_count(capacity) * sizeof(uint32);
}

static inline char *
bytes_of(const AffinityState *state)
{
	return (char *) state + table_size(state->capacity);
}

const char *
affinity_key_bytes(const AffinityState *state, int32 key, uint32 *len)
{
	uint32 end = key + 1 < state->n ? state->keys[key + 1].start : state->used;

	*len = end - state->keys[key].start;
	return bytes_of(state) + state->keys[key].start;
}

AffinityState *
affinity_new(int64 half_life, TimestampTz at, int32 k)
{
	AffinityState *state = state_alloc(&affinity_type, FIRST_SIZE);

	state->half_life = half_life;
	state->latest = at;
	state->k = k;
	state->capacity = FIRST_CAPACITY;
	return state;
}

static void
fill_slot(AffinityState *state, int32 key)
{
	uint32 *slots = slots_of(state);
	Size mask = slot_count(state->capacity) - 1;
	Size slot = state->keys[key].hash & mask;

	while (slots[slot] != 0)
		slot = (slot + 1) & mask;
	slots[slot] = key + 1;
}

/* Room for one more key of so many bytes: the state itself or a larger copy. */
static AffinityState *
reserve(AffinityState *state, uint32 len)
{
	Size room = VARSIZE(state) - table_size(state->capacity);
	int32 capacity = state->capacity;
	Size needed = (Size) state->used + len;
	AffinityState *larger;

	if (state->n < capacity && needed <= room)
		return state;
	if (needed > room)
		room = Max(room * 2, needed);
	if (state->n == capacity)
		capacity *= 2;

	larger = state_alloc(&affinity_type, table_size(capacity) + room);
	memcpy((char *) larger + sizeof(StateHeader),
		   (char *) state + sizeof(StateHeader),
		   offsetof(AffinityState, keys[state->n]) - sizeof(StateHeader));
	larger->capacity = capacity;
	memcpy(bytes_of(larger), bytes_of(state), state->used);
	if (slot_count(capacity) > 0)
	{
		for (int32 key = 0; key < larger->n; key++)
			fill_slot(larger, key);
	}
	return larger;
}

static bool
is_key(const AffinityState *state, int32 key, uint32 hash, const char *bytes,
	   uint32 len)
{
	const char *key_bytes;
	uint32 key_len;

	if (state->keys[key].hash != hash)
		return false;
	key_bytes = affinity_key_bytes(state, key, &key_len);
	return key_len == len && memcmp(key_bytes, bytes, len) == 0;
}

/* -1: not there */
static int32
find_key(const AffinityState *state, uint32 hash, const char *bytes, uint32 len)
{
	const uint32 *slots = slots_of(state);
	Size mask = slot_count(state->capacity) - 1;

	if (slot_count(state->capacity) == 0)
	{
		for (int32 key = 0; key < state->n; key++)
		{
			if (is_key(state, key, hash, bytes, len))
				return key;
		}
		return -1;
	}
	for (Size slot = hash & mask; slots[slot] != 0; slot = (slot + 1) & mask)
	{
		if (is_key(state, slots[slot] - 1, hash, bytes, len))
			return slots[slot] - 1;
	}
	return -1;
}

int32
affinity_key(AffinityState **state, const char *bytes, uint32 len,
			 uint64 landmark)
{
	uint32 hash = hash_bytes((const unsigned char *) bytes, len);
	int32 found = find_key(*state, hash, bytes, len);
	AffinityState *room;
	AffinityKey *key;

	if (found >= 0)
		return found;
	*state = room = reserve(*state, len);
	key = &room->keys[room->n];
	memset(key, 0, sizeof(*key));
	key->landmark = landmark;
	key->hash = hash;
	key->start = room->used;
	memcpy(bytes_of(room) + room->used, bytes, len);
	room->used += len;
	if (slot_count(room->capacity) > 0)
		fill_slot(room, room->n);
	return room->n++;
}

static inline int
compare_ranks(const AffinityRank *a, const AffinityRank *b)
{
	int result;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	result = memcmp(a->bytes, b->bytes, Min(a->len, b->len));
	return result != 0 ? result : (a->len > b->len) - (a->len < b->len);
}

#define ST_SORT sort_ranks
#define ST_ELEMENT_TYPE AffinityRank
#define ST_COMPARE(a, b) compare_ranks(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

AffinityRank *
affinity_ranks(const AffinityState *state, bool by_weight)
{
	AffinityRank *ranks =
		palloc_extended(Max(state->n, 1) * sizeof(AffinityRank),
						MCXT_ALLOC_HUGE);

	for (int32 i = 0; i < state->n; i++)
	{
		AffinityRank *rank = &ranks[i];
		const AffinityKey *key = &state->keys[i];

		rank->key = i;
		rank->bytes = affinity_key_bytes(state, i, &rank->len);
		rank->weight = by_weight ? sum_value(&key->weight) : 0;
		if (by_weight && state->half_life > 0)
			rank->weight = decay_value(rank->weight, key->landmark,
									   state->latest, state->half_life);
	}
	sort_ranks(ranks, state->n);
	return ranks;
}

/* Keys go out in their order, as bytes of the database's encoding. */
static void
affinity_send(StringInfo buf, const void *state)
{
	const AffinityState *table = state;
	AffinityRank *ranks = affinity_ranks(table, false);

	pq_sendint64(buf, table->half_life);
	pq_sendint64(buf, table->latest);
	pq_sendint32(buf, table->k);
	pq_sendbyte(buf, GetDatabaseEncoding());
	pq_sendint32(buf, table->n);
	for (int32 i = 0; i < table->n; i++)
	{
		const AffinityKey *key = &table->keys[ranks[i].key];

		pq_sendint32(buf, ranks[i].len);
		pq_sendbytes(buf, ranks[i].bytes, ranks[i].len);
		pq_sendint64(buf, key->landmark);
		pq_sendfloat8(buf, key->weight.high);
		pq_sendfloat8(buf, key->weight.low);
	}
	pfree(ranks);
}

/* The bytes of the next key, which must be after those before. */
static const char *
recv_bytes(StringInfo buf, const char *before, uint32 before_len, uint32 *len)
{
	const char *bytes;
	int result = -1;

	*len = pq_getmsgint(buf, 4);
	if (*len > state_bytes_left(buf))
		state_malformed(&affinity_type, "A key is longer than the value.");
	bytes = pq_getmsgbytes(buf, *len);
	if (before != NULL)
		result = memcmp(before, bytes, Min(before_len, *len));
	if (result > 0 || (result == 0 && before_len >= *len))
		state_malformed(&affinity_type, "Its keys are not in order.");
	return bytes;
}

static bool
is_landmark(uint64 landmark, const AffinityState *state)
{
	uint64 last = decay_landmark(state->latest, state->half_life);

	if (state->half_life > LONG_HALF_LIFE)
		return landmark == last;
	return landmark > 0 && landmark <= last &&
		landmark % ((uint64) state->half_life * DECAY_STRETCH) == 0;
}

static void
recv_weight(StringInfo buf, const AffinityState *state, AffinityKey *key)
{
	key->landmark = pq_getmsgint64(buf);
	key->weight.high = pq_getmsgfloat8(buf);
	key->weight.low = pq_getmsgfloat8(buf);
	if (!isfinite(sum_value(&key->weight)) || sum_value(&key->weight) < 0)
		state_malformed(&affinity_type, "A weight is out of range.");
	if (state->half_life == 0 ? key->landmark != 0 :
								!is_landmark(key->landmark, state))
		state_malformed(&affinity_type, "A key's time is out of range.");
}

static AffinityState *
recv_head(StringInfo buf)
{
	AffinityState *state = affinity_new(0, 0, 0);

	state->half_life = pq_getmsgint64(buf);
	state->latest = pq_getmsgint64(buf);
	state->k = pq_getmsgint(buf, 4);
	if (state->half_life < 0 || state->half_life > END_TIMESTAMP)
		state_malformed(&affinity_type, "Its half-life is out of range.");
	if (!IS_VALID_TIMESTAMP(state->latest))
		state_malformed(&affinity_type, "Its time is out of range.");
	if (state->k < 1)
		state_malformed(&affinity_type, "Its k is out of range.");
	return state;
}

static void *
affinity_recv(StringInfo buf, uint8 version)
{
	AffinityState *state = recv_head(buf);
	int encoding = pq_getmsgbyte(buf);
	int32 n = pq_getmsgint(buf, 4);
	const char *bytes = NULL;
	uint32 len = 0;

	if (!PG_VALID_BE_ENCODING(encoding))
		state_malformed(&affinity_type, "Its encoding is not known.");
	if (n < 0 || (Size) n > state_bytes_left(buf) / KEY_SENT_SIZE)
		state_malformed(&affinity_type, "Its count does not fit its size.");
	for (int32 i = 0; i < n; i++)
	{
		char *key;
		int32 number;

		bytes = recv_bytes(buf, bytes, len, &len);
		key = pg_any_to_server(bytes, len, encoding);
		number = affinity_key(&state, key, key == bytes ? len : strlen(key), 0);
		if (number != i)
			state_malformed(&affinity_type, "Two keys are the same.");
		recv_weight(buf, state, &state->keys[i]);
	}
	return state;
}
