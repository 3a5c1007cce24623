/*
 * state.h
 *		States of aggregates, as values of base types.
 *
 * An aggregate's transition state is a value of a named type of ours, so that
 * parallel query, partitionwise aggregation, tables of partial results and
 * Citus can all move it.  In memory it is one flat varlena in native layout
 * that starts with a StateHeader and is changed in place: that costs no copy
 * a row and, unlike an expanded object, no memory context a group.  Only a
 * state that has to grow is allocated anew.
 *
 * Outside, as binary (send, recv) and as text (in, out: the binary form in
 * hexadecimal), it is written field by field in network byte order between a
 * head that names type and version and a checksum.  recv refuses whatever
 * it did not write.
 *
 * A transition function reads
 *
 *		state = PG_ARGISNULL(0) ? my_new(...) : state_writable(fcinfo, 0);
 *		...
 *		PG_RETURN_POINTER(state);
 *
 * and must not be STRICT.  Nothing is to be kept in fn_extra: it is NULL on
 * every row in some executors.
 */
#ifndef PERSONALIZE_STATE_H
#define PERSONALIZE_STATE_H

#include "compat.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

typedef struct StateHeader
{
	int32 vl_len_; /* varlena header, never touch directly */
	uint8 kind;	   /* of its StateType */
	uint8 version;
	uint16 unused;
} StateHeader;

/* The states there are.  A number is never given to another. */
typedef enum StateKind
{
	STATE_RFM = 1,
	STATE_INTERPURCHASE = 2,
	STATE_SAMPLE = 3, /* plain list of numbers */
	STATE_DECAYED_SUM = 4,
	STATE_AFFINITY = 5,
	STATE_FUNNEL = 6,
	STATE_POINTS = 7, /* vectors to be clustered */
	STATE_FEATURE_STATS = 8,
	STATE_GROUP_FAIRNESS = 9,
	STATE_EXPOSURE = 10,
	STATE_FIT_SAMPLE = 11,
	STATE_MOMENTS = 12,
	STATE_LIFT = 13,
	STATE_LINUCB = 14,
	STATE_OPE = 15,
	STATE_QINI = 16,
	STATE_QUANTILE_LIFT = 17
} StateKind;

typedef struct StateType
{
	const char *name; /* of the SQL type, for messages */
	uint8 kind;
	uint8 version;

	/* append the fields, without the head, in network byte order */
	void (*send)(StringInfo buf, const void *state);

	/*
	 * Read them back into a new state.  Reading past the end raises an error
	 * by itself; whatever else cannot be must end in state_malformed().
	 */
	void *(*recv)(StringInfo buf, uint8 version);
} StateType;

/* No state may become larger. */
#define STATE_MAX_SIZE ((Size) 512 * 1024 * 1024)

/* A new state of so many bytes, zeroed, with its header filled in. */
extern void *state_alloc(const StateType *type, Size size);

/* A copy with another size: larger, its tail zeroed, or cut to fit. */
extern void *state_resize(const StateType *type, void *state, Size size);

/* An argument that is only read, and one that is changed: a copy, unless it
 * is the running state of an aggregate. */
extern void *state_readable(FunctionCallInfo fcinfo, int argno);
extern void *state_writable(FunctionCallInfo fcinfo, int argno);

/* The state so far, for a row that is skipped. */
static inline Datum
unchanged_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return PG_GETARG_DATUM(0);
}

/* The four functions of the base type. */
extern Datum state_in(FunctionCallInfo fcinfo, const StateType *type);
extern Datum state_out(FunctionCallInfo fcinfo, const StateType *type);
extern Datum state_recv(FunctionCallInfo fcinfo, const StateType *type);
extern Datum state_send(FunctionCallInfo fcinfo, const StateType *type);

pg_noreturn extern void state_malformed(const StateType *type, const char *why);

/* Bytes that recv has still to read: check counts against it first. */
static inline Size
state_bytes_left(StringInfo buf)
{
	return buf->len - buf->cursor;
}

/*
 * Defines the SQL-callable personalize_NAME_in, _out, _recv and _send of a
 * state type.
 */
#define STATE_TYPE_FUNCTIONS(name, type)              \
	PG_FUNCTION_INFO_V1(personalize_##name##_in);     \
	Datum personalize_##name##_in(PG_FUNCTION_ARGS)   \
	{                                                 \
		return state_in(fcinfo, &(type));             \
	}                                                 \
	PG_FUNCTION_INFO_V1(personalize_##name##_out);    \
	Datum personalize_##name##_out(PG_FUNCTION_ARGS)  \
	{                                                 \
		return state_out(fcinfo, &(type));            \
	}                                                 \
	PG_FUNCTION_INFO_V1(personalize_##name##_recv);   \
	Datum personalize_##name##_recv(PG_FUNCTION_ARGS) \
	{                                                 \
		return state_recv(fcinfo, &(type));           \
	}                                                 \
	PG_FUNCTION_INFO_V1(personalize_##name##_send);   \
	Datum personalize_##name##_send(PG_FUNCTION_ARGS) \
	{                                                 \
		return state_send(fcinfo, &(type));           \
	}                                                 \
	StaticAssertDecl(sizeof(StateHeader) == 8, "states begin unpadded")

#endif
