/*
 * assign_sessions.c
 *		assign_sessions(): whose the anonymous events of a device are.
 *
 * The caller's rows are sorted by device and time, by PostgreSQL, which spills
 * what is too much for memory, and pass by once.  Events wait until a login
 * comes or none can come any more.  A login settles all that wait, so those
 * that do have the same login before them: of a device nothing is kept but
 * that, and the times of events within `forward`.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/args.h"
#include "common/select_query.h"
#include "compat.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define FUNCTION_NAME "assign_sessions"
#define COLUMNS_HINT \
	"The query is to return device, at and person: one row an event, person being NULL where nobody was logged in."

/* Room for times at first */
#define FIRST_CAPACITY 64

/* As they come sorted, and as they are returned. */
enum
{
	COLUMN_DEVICE,
	COLUMN_AT,
	COLUMN_PERSON,
	COLUMN_ASSIGNED_BY,
	COLUMNS
};

typedef struct Assigner
{
	DestReceiver receiver; /* must be first */
	Tuplestorestate *store;
	TupleDesc desc;
	uint64 back;
	uint64 forward;
	MemoryContext row_context;
	MemoryContext context; /* of what follows */
	text *device;		   /* NULL: none yet */
	text *person;		   /* of the last login; NULL: none yet */
	TimestampTz login_at;
	TimestampTz *waiting; /* times in order: from start, n of them */
	int64 start;
	int64 n;
	int64 capacity;
	Datum login_word;
	Datum forward_word;
	Datum back_word;
} Assigner;

PG_FUNCTION_INFO_V1(personalize_assign_sessions);

/* No time is left between two that fits a signed number. */
static inline bool
within(TimestampTz earlier, TimestampTz later, uint64 length)
{
	return (uint64) later - (uint64) earlier <= length;
}

static void
put_row(Assigner *assigner, const text *device, TimestampTz at,
		const text *person, Datum assigned_by)
{
	Datum values[COLUMNS];
	bool nulls[COLUMNS] = { false };

	values[COLUMN_DEVICE] = PointerGetDatum(device);
	values[COLUMN_AT] = TimestampTzGetDatum(at);
	values[COLUMN_PERSON] = PointerGetDatum(person);
	values[COLUMN_ASSIGNED_BY] = assigned_by;
	nulls[COLUMN_DEVICE] = device == NULL;
	nulls[COLUMN_PERSON] = nulls[COLUMN_ASSIGNED_BY] = person == NULL;
	tuplestore_putvalues(assigner->store, assigner->desc, values, nulls);
}

/* The first event that waits is not followed by a login soon enough. */
static void
settle_back(Assigner *assigner)
{
	TimestampTz at = assigner->waiting[assigner->start];
	bool is_back =
		assigner->person && within(assigner->login_at, at, assigner->back);

	put_row(assigner, assigner->device, at, is_back ? assigner->person : NULL,
			assigner->back_word);
	assigner->start++;
	assigner->n--;
}

/* Those that a login at this time would come too late for. */
static void
settle_expired(Assigner *assigner, TimestampTz at)
{
	while (assigner->n > 0 &&
		   !within(assigner->waiting[assigner->start], at, assigner->forward))
	{
		CHECK_FOR_INTERRUPTS();
		settle_back(assigner);
	}
}

static void
settle_all(Assigner *assigner)
{
	while (assigner->n > 0)
	{
		CHECK_FOR_INTERRUPTS();
		settle_back(assigner);
	}
}

/* To the front again, if that frees half of the room; otherwise to more. */
static void
make_room(Assigner *assigner)
{
	if (assigner->start + assigner->n < assigner->capacity)
		return;
	if (assigner->start >= assigner->capacity / 2)
		memmove(assigner->waiting, assigner->waiting + assigner->start,
				assigner->n * sizeof(TimestampTz));
	else
	{
		TimestampTz *larger =
			MemoryContextAllocHuge(assigner->context,
								   (Size) assigner->capacity * 2 *
									   sizeof(TimestampTz));

		memcpy(larger, assigner->waiting + assigner->start,
			   assigner->n * sizeof(TimestampTz));
		pfree(assigner->waiting);
		assigner->waiting = larger;
		assigner->capacity *= 2;
	}
	assigner->start = 0;
}

static void
keep_text(Assigner *assigner, text **kept, const text *value)
{
	Size size = value ? VARSIZE_ANY(value) : 0;

	if (*kept)
		pfree(*kept);
	*kept = NULL;
	if (value == NULL)
		return;
	*kept = MemoryContextAlloc(assigner->context, size);
	memcpy(*kept, value, size);
}

static bool
same_text(const text *a, const text *b)
{
	return a && VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

static void
begin_device(Assigner *assigner, const text *device)
{
	settle_all(assigner);
	keep_text(assigner, &assigner->device, device);
	keep_text(assigner, &assigner->person, NULL);
}

/* Of several at one instant the first to come stands for all. */
static void
add_login(Assigner *assigner, TimestampTz at, const text *person)
{
	settle_expired(assigner, at);
	for (; assigner->n > 0; assigner->start++, assigner->n--)
	{
		CHECK_FOR_INTERRUPTS();
		put_row(assigner, assigner->device, assigner->waiting[assigner->start],
				person, assigner->forward_word);
	}
	assigner->start = 0;
	put_row(assigner, assigner->device, at, person, assigner->login_word);
	if (assigner->person && assigner->login_at == at)
		return;
	keep_text(assigner, &assigner->person, person);
	assigner->login_at = at;
}

static void
add_event(Assigner *assigner, TimestampTz at)
{
	if (assigner->person && assigner->login_at == at)
	{
		put_row(assigner, assigner->device, at, assigner->person,
				assigner->forward_word);
		return;
	}
	settle_expired(assigner, at);
	make_room(assigner);
	assigner->waiting[assigner->start + assigner->n++] = at;
}

static text *
slot_text(TupleTableSlot *slot, int column)
{
	return slot->tts_isnull[column] ? NULL :
									  DatumGetTextPP(slot->tts_values[column]);
}

static void
bad_time(int code, const char *message, const text *device)
{
	ereport(ERROR,
			(errcode(code), errmsg("%s", message),
			 device ? errdetail("Device \"%s\" has such an event.",
								text_to_cstring(device)) :
					  0,
			 errhint("Leave such rows out of the query.")));
}

static TimestampTz
event_time(TupleTableSlot *slot, const text *device)
{
	TimestampTz at = DatumGetTimestampTz(slot->tts_values[COLUMN_AT]);

	if (slot->tts_isnull[COLUMN_AT])
		bad_time(ERRCODE_NULL_VALUE_NOT_ALLOWED, "at must not be null", device);
	if (TIMESTAMP_NOT_FINITE(at))
		bad_time(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE, "at must be finite",
				 device);
	return at;
}

static void
assign_event(Assigner *assigner, TupleTableSlot *slot)
{
	text *device = slot_text(slot, COLUMN_DEVICE);
	text *person = slot_text(slot, COLUMN_PERSON);
	TimestampTz at = event_time(slot, device);

	if (device == NULL)
		put_row(assigner, NULL, at, person, assigner->login_word);
	else
	{
		if (!same_text(assigner->device, device))
			begin_device(assigner, device);
		if (person)
			add_login(assigner, at, person);
		else
			add_event(assigner, at);
	}
}

/* Texts may have to be detoasted. */
static bool
receive_event(TupleTableSlot *slot, DestReceiver *self)
{
	Assigner *assigner = (Assigner *) self;
	MemoryContext before = MemoryContextSwitchTo(assigner->row_context);

	slot_getallattrs(slot);
	assign_event(assigner, slot);
	MemoryContextSwitchTo(before);
	MemoryContextReset(assigner->row_context);
	return true;
}

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
receiver_done(DestReceiver *self)
{
}

static Assigner *
create_assigner(ReturnSetInfo *rsinfo, int64 back, int64 forward)
{
	Assigner *assigner = palloc0(sizeof(Assigner));

	assigner->receiver.receiveSlot = receive_event;
	assigner->receiver.rStartup = receiver_startup;
	assigner->receiver.rShutdown = receiver_done;
	assigner->receiver.rDestroy = receiver_done;
	assigner->receiver.mydest = DestTuplestore;
	assigner->store = rsinfo->setResult;
	assigner->desc = rsinfo->setDesc;
	assigner->back = back;
	assigner->forward = forward;
	assigner->context = CurrentMemoryContext;
	assigner->row_context =
		AllocSetContextCreate(CurrentMemoryContext, "assign_sessions row",
							  ALLOCSET_SMALL_SIZES);
	assigner->capacity = FIRST_CAPACITY;
	assigner->waiting = palloc(FIRST_CAPACITY * sizeof(TimestampTz));
	assigner->login_word = CStringGetTextDatum("login");
	assigner->forward_word = CStringGetTextDatum("forward");
	assigner->back_word = CStringGetTextDatum("back");
	return assigner;
}

/* Logins come before events of the same instant, the least by its bytes first. */
static void
run_query(const char *query, Assigner *assigner)
{
	SPIExecuteOptions options = { 0 };
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "SELECT q.device::pg_catalog.text COLLATE pg_catalog.\"C\","
					 " q.at::pg_catalog.timestamptz,"
					 " q.person::pg_catalog.text COLLATE pg_catalog.\"C\""
					 " FROM (%s\n) q ORDER BY 1, 2, 3",
					 query);
	options.dest = &assigner->receiver;
	if (SPI_execute_extended(sql.data, &options) != SPI_OK_SELECT)
		elog(ERROR, "the query of %s() cannot be run", FUNCTION_NAME);
	settle_all(assigner);
}

/* A length of time that may be zero: then only the same instant is within. */
static int64
window_argument(FunctionCallInfo fcinfo, int argno, const char *name)
{
	Interval *interval;
	double us;

	arg_not_null(fcinfo, argno, name);
	interval = PG_GETARG_INTERVAL_P(argno);
	us = (double) interval->day * USECS_PER_DAY + interval->time;
	if (interval->month != 0 || us > 0)
		return arg_duration(fcinfo, argno, name);
	if (us < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", name),
				 errdetail("%s is \"%s\".", name,
						   DatumGetCString(DirectFunctionCall1(interval_out,
															   IntervalPGetDatum(
																   interval)))),
				 errhint(
					 "Use an interval such as '1 day', or '0' for the same instant only.")));
	return 0;
}

Datum
personalize_assign_sessions(PG_FUNCTION_ARGS)
{
	static const QueryColumn columns[] = {
		{ .name = "device", .kind = QUERY_ANY },
		{ .name = "at", .kind = QUERY_TYPE, .type = TIMESTAMPTZOID },
		{ .name = "person", .kind = QUERY_ANY },
	};
	Oid types[lengthof(columns)];
	int64 back = window_argument(fcinfo, 1, "back");
	int64 forward = window_argument(fcinfo, 2, "forward");
	SelectQuery query;
	char *given;

	arg_not_null(fcinfo, 0, "query");
	given = text_to_cstring(PG_GETARG_TEXT_PP(0));
	InitMaterializedSRF(fcinfo, 0);

	SPI_connect();
	query = select_query(given, FUNCTION_NAME, COLUMNS_HINT);
	check_query_columns(&query, columns, lengthof(columns), FUNCTION_NAME,
						COLUMNS_HINT, types);
	run_query(query.text,
			  create_assigner((ReturnSetInfo *) fcinfo->resultinfo, back,
							  forward));
	SPI_finish();
	return (Datum) 0;
}
