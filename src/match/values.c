/*
 * values.c
 *		Every distinct string once: from then on it is a number.
 */
#include "postgres.h"

#include "match/match.h"
#include "utils/memutils.h"

#define FIRST_SLOTS 1024

static uint32
hash_bytes_of(const char *bytes, int length)
{
	uint64 hash = UINT64CONST(0xcbf29ce484222325);

	for (int i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) bytes[i]) * UINT64CONST(0x100000001b3);
	return (uint32) mix64(hash);
}

static void
make_slots(ValueSet *values, uint32 n_slots)
{
	if (values->slots != NULL)
		pfree(values->slots);
	values->n_slots = n_slots;
	values->slots =
		MemoryContextAllocHuge(values->context, (Size) n_slots * sizeof(int32));
	memset(values->slots, 0xFF, (Size) n_slots * sizeof(int32));
	for (int i = 0; i < values->n; i++)
	{
		uint32 slot = values->values[i].hash & (n_slots - 1);

		while (values->slots[slot] >= 0)
			slot = (slot + 1) & (n_slots - 1);
		values->slots[slot] = i;
	}
}

void
values_init(ValueSet *values, MemoryContext context)
{
	memset(values, 0, sizeof(ValueSet));
	values->context = context;
	values->capacity = FIRST_SLOTS / 2;
	values->values =
		MemoryContextAllocHuge(context,
							   (Size) values->capacity * sizeof(Value));
	make_slots(values, FIRST_SLOTS);
}

static void
grow(ValueSet *values)
{
	values->capacity *= 2;
	values->values =
		repalloc_huge(values->values, (Size) values->capacity * sizeof(Value));
	make_slots(values, values->n_slots * 2);
}

/* Spaces come and go by mistake, so distances are taken without them. */
static void
take_points(Value *value)
{
	char *compact = value->bytes;
	int n = 0;

	if (memchr(value->bytes, ' ', value->length) != NULL)
	{
		compact = palloc(value->length + 1);
		for (int i = 0; i < value->length; i++)
		{
			if (value->bytes[i] != ' ')
				compact[n++] = value->bytes[i];
		}
		compact[n] = '\0';
	}
	else
		n = value->length;
	points_init(&value->points, compact, n);
	value->letters = 0;
	for (int i = 0; i < value->points.n; i++)
		value->letters |= UINT64CONST(1) << (point_at(&value->points, i) & 63);
}

/* The number of a string that need not end in a zero. */
int
value_of(ValueSet *values, const char *bytes, int length)
{
	uint32 hash = hash_bytes_of(bytes, length);
	uint32 slot = hash & (values->n_slots - 1);
	MemoryContext old;
	Value *value;

	while (values->slots[slot] >= 0)
	{
		value = &values->values[values->slots[slot]];
		if (value->hash == hash && value->length == length &&
			memcmp(value->bytes, bytes, length) == 0)
			return values->slots[slot];
		slot = (slot + 1) & (values->n_slots - 1);
	}
	if (values->n == values->capacity)
	{
		grow(values);
		slot = hash & (values->n_slots - 1);
		while (values->slots[slot] >= 0)
			slot = (slot + 1) & (values->n_slots - 1);
	}
	old = MemoryContextSwitchTo(values->context);
	value = &values->values[values->n];
	value->hash = hash;
	value->length = length;
	value->bytes = palloc(length + 1);
	memcpy(value->bytes, bytes, length);
	value->bytes[length] = '\0';
	value->number = date_number(value->bytes, length);
	nickname_families(value->bytes, value->families);
	take_points(value);
	MemoryContextSwitchTo(old);
	values->slots[slot] = values->n;
	return values->n++;
}
