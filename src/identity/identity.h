/*
 * identity.h
 *		What the functions of identity graphs share.
 */
#ifndef PERSONALIZE_IDENTITY_H
#define PERSONALIZE_IDENTITY_H

#include "evidence/evidence.h"
#include "fmgr.h"

/* request.c: arguments */
extern char *
text_argument(FunctionCallInfo fcinfo, int argno, const char *name);
extern char *optional_text(FunctionCallInfo fcinfo, int argno);
extern const Graph *owned_graph(FunctionCallInfo fcinfo);
extern const Graph *readable_graph(FunctionCallInfo fcinfo);
extern double link_weight(double weight);
extern TimestampTz link_time(TimestampTz at);
extern void requests_run(const Graph *graph, LinkRequests *requests);

/* restate.c: what a change of rules or evidence leads to, graph in hand */
typedef struct Restate
{
	Operation *op;
	int n_seeds; /* identifiers whom it concerns */
	int allocated;
	int64 *seeds;
	Rows *states;
	Rows *log;
} Restate;

extern void restate_begin(Restate *r, Operation *op);
extern void restate_seed(Restate *r, int64 id);
extern void restate_blocked(Restate *r);
extern void restate_shared(Restate *r);
extern void restate_vertex(Restate *r, const Vertex *vertex, char state);
extern Changes restate_end(Restate *r, const LogEntry *cause);

#endif
