/*
 * sessionize.c
 *		sessionize(): a window function that numbers sessions.
 */
#include "postgres.h"

#include "common/args.h"
#include "utils/timestamp.h"
#include "windowapi.h"

PG_FUNCTION_INFO_V1(personalize_sessionize);

/* What is kept from row to row of a partition, at first all zero. */
typedef struct Sessions
{
	int64 session; /* 0: no row yet */
	TimestampTz last;
} Sessions;

static int64
gap_argument(WindowObject window)
{
	LOCAL_FCINFO(args, 1);

	args->args[0].value =
		WinGetFuncArgCurrent(window, 1, &args->args[0].isnull);
	return arg_duration(args, 0, "gap");
}

/* False for NULL. */
static bool
at_argument(WindowObject window, TimestampTz *at)
{
	LOCAL_FCINFO(args, 1);

	args->args[0].value =
		WinGetFuncArgCurrent(window, 0, &args->args[0].isnull);
	if (args->args[0].isnull)
		return false;
	*at = arg_time(args, 0, "at");
	return true;
}

static void
check_order(TimestampTz last, TimestampTz at)
{
	char *text;

	if (at >= last)
		return;
	text = pstrdup(timestamptz_to_str(at));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("at must not go back in the order of the window"),
			 errdetail("%s comes after %s.", text, timestamptz_to_str(last)),
			 errhint(
				 "Order the window by the same time, as in sessionize(at) OVER (PARTITION BY visitor ORDER BY at).")));
}

Datum
personalize_sessionize(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	Sessions *sessions = WinGetPartitionLocalMemory(window, sizeof(Sessions));
	int64 gap;
	TimestampTz at;

	gap = gap_argument(window);
	if (!at_argument(window, &at))
		PG_RETURN_NULL();

	if (sessions->session == 0)
		sessions->session = 1;
	else
	{
		check_order(sessions->last, at);
		/* the difference of two times may not fit a signed number */
		if ((uint64) at - (uint64) sessions->last > (uint64) gap)
			sessions->session++;
	}
	sessions->last = at;
	PG_RETURN_INT64(sessions->session);
}
