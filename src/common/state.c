/*
 * state.c
 *		States of aggregates, as values of base types.
 */
#include "postgres.h"

#include "common/state.h"
#include "compat.h"
#include "libpq/pqformat.h"
#include "port/pg_crc32c.h"
#include "utils/builtins.h"

/* The first byte of the outside form. */
#define STATE_MAGIC 0xA5
#define STATE_CRC_SIZE 4

void *
state_alloc(const StateType *type, Size size)
{
	StateHeader *state;

	if (size > STATE_MAX_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a value of type %s would exceed %zu MB", type->name,
						STATE_MAX_SIZE / (1024 * 1024)),
				 errhint("Aggregate fewer rows in one group.")));

	state = palloc0(size);
	SET_VARSIZE(state, size);
	state->kind = type->kind;
	state->version = type->version;
	return state;
}

void *
state_resize(const StateType *type, void *state, Size size)
{
	void *resized = state_alloc(type, size);
	Size head = offsetof(StateHeader, kind);

	memcpy((char *) resized + head, (char *) state + head,
		   Min(size, VARSIZE(state)) - head);
	return resized;
}

void *
state_readable(FunctionCallInfo fcinfo, int argno)
{
	return PG_GETARG_VARLENA_P(argno);
}

void *
state_writable(FunctionCallInfo fcinfo, int argno)
{
	if (AggCheckCallContext(fcinfo, NULL))
		return PG_GETARG_VARLENA_P(argno);
	return PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(argno));
}

void
state_malformed(const StateType *type, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid value of type %s", type->name),
			 errdetail("%s", why),
			 errhint("Use only values that an aggregate has returned.")));
	pg_unreachable();
}

static uint32
checksum(const char *data, Size len)
{
	pg_crc32c crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, data, len);
	FIN_CRC32C(crc);
	return crc;
}

/* The outside form: magic, kind, version, fields, checksum of all before it. */
static bytea *
to_bytes(const StateType *type, const void *state)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, STATE_MAGIC);
	pq_sendbyte(&buf, type->kind);
	pq_sendbyte(&buf, type->version);
	type->send(&buf, state);
	pq_sendint32(&buf, checksum(buf.data + VARHDRSZ, buf.len - VARHDRSZ));
	return pq_endtypsend(&buf);
}

static void *
from_bytes(const StateType *type, const char *data, Size len)
{
	StringInfoData buf = { .data = unconstify(char *, data), .len = len };
	uint8 version;
	void *state;

	if (len < 3 + STATE_CRC_SIZE || pq_getmsgbyte(&buf) != STATE_MAGIC ||
		pq_getmsgbyte(&buf) != type->kind)
		state_malformed(type, "It does not begin as values of this type do.");
	version = pq_getmsgbyte(&buf);
	if (version == 0 || version > type->version)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("version %u of type %s is not known here", version,
						type->name),
				 errdetail("Versions up to %u are.", type->version),
				 errhint("Install the release that wrote it, or a later one.")));

	buf.cursor = len - STATE_CRC_SIZE;
	if ((uint32) pq_getmsgint(&buf, 4) != checksum(data, len - STATE_CRC_SIZE))
		state_malformed(type, "Its checksum does not match.");

	buf.len = len - STATE_CRC_SIZE;
	buf.cursor = 3;
	state = type->recv(&buf, version);
	if (buf.cursor != buf.len)
		state_malformed(type, "It is longer than its contents.");
	return state;
}

Datum
state_send(FunctionCallInfo fcinfo, const StateType *type)
{
	PG_RETURN_BYTEA_P(to_bytes(type, state_readable(fcinfo, 0)));
}

Datum
state_recv(FunctionCallInfo fcinfo, const StateType *type)
{
	StringInfo message = (StringInfo) PG_GETARG_POINTER(0);
	Size len = message->len - message->cursor;
	const char *data = pq_getmsgbytes(message, len);

	PG_RETURN_POINTER(from_bytes(type, data, len));
}

Datum
state_out(FunctionCallInfo fcinfo, const StateType *type)
{
	bytea *bytes = to_bytes(type, state_readable(fcinfo, 0));
	Size len = VARSIZE(bytes) - VARHDRSZ;
	char *text = palloc(2 * len + 1);

	text[hex_encode(VARDATA(bytes), len, text)] = '\0';
	PG_RETURN_CSTRING(text);
}

Datum
state_in(FunctionCallInfo fcinfo, const StateType *type)
{
	const char *text = PG_GETARG_CSTRING(0);
	Size len = strlen(text);
	char *bytes = palloc(len / 2 + 1);

	if (len % 2 != 0 || strspn(text, "0123456789abcdefABCDEF") != len)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s", type->name),
				 errdetail(
					 "The text form is an even number of hexadecimal digits."),
				 errhint("Use only values that an aggregate has returned.")));
	PG_RETURN_POINTER(from_bytes(type, bytes, hex_decode(text, len, bytes)));
}
