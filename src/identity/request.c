/*
 * request.c
 *		Arguments of the functions that change identity graphs.
 */
#include "postgres.h"

#include <math.h>

#include "common/args.h"
#include "compat.h"
#include "identity/identity.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* More links than this are made with the graph to themselves ... */
#define MAX_SHARED 10000
/* ... in parts of so many */
#define MAX_AT_ONCE 200000
/* What a key has room for */
#define MAX_SOURCE 2000

char *
text_argument(FunctionCallInfo fcinfo, int argno, const char *name)
{
	arg_not_null(fcinfo, argno, name);
	return text_to_cstring(PG_GETARG_TEXT_PP(argno));
}

char *
optional_text(FunctionCallInfo fcinfo, int argno)
{
	return PG_ARGISNULL(argno) ? NULL :
								 text_to_cstring(PG_GETARG_TEXT_PP(argno));
}

const Graph *
owned_graph(FunctionCallInfo fcinfo)
{
	const Graph *graph = graph_find(text_argument(fcinfo, 0, "graph"));

	graph_check_owner(graph, GetUserId());
	return graph;
}

const Graph *
readable_graph(FunctionCallInfo fcinfo)
{
	const Graph *graph = graph_find(text_argument(fcinfo, 0, "graph"));

	graph_check_reader(graph);
	return graph;
}

double
link_weight(double weight)
{
	if (isnan(weight) || isinf(weight))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight of a link must be a finite number")));
	return weight;
}

TimestampTz
link_time(TimestampTz at)
{
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time of a link must be finite")));
	return at;
}

/* Sources are part of the key of evidence, which a btree must hold. */
static void
check_sources(const LinkRequests *requests)
{
	for (int i = 0; i < requests->n; i++)
	{
		const char *source = requests->links[i].source;

		if (strlen(source) > MAX_SOURCE)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("source of a link is too long"),
					 errdetail("It has %zu bytes, the limit is %d.",
							   strlen(source), MAX_SOURCE),
					 errhint("Give the source a short name.")));
	}
}

/* Make the links, and tell in them what became of each. */
void
requests_run(const Graph *graph, LinkRequests *requests)
{
	char *name = pstrdup(graph->name);
	LinkRequests part = *requests;

	check_sources(requests);
	if (requests->n <= MAX_SHARED)
	{
		if (requests->n > 0)
			operation_run(name, false, apply_links, requests);
		return;
	}
	for (int from = 0; from < requests->n; from += MAX_AT_ONCE)
	{
		part.links = requests->links + from;
		part.n = Min(MAX_AT_ONCE, requests->n - from);
		operation_run(name, true, apply_links, &part);
		requests->merged += part.merged;
		requests->added += part.added;
	}
}
