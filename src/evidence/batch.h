/*
 * batch.h
 *		Links to be made, with their identifiers, each once.
 */
#ifndef PERSONALIZE_BATCH_H
#define PERSONALIZE_BATCH_H

#include "evidence/evidence.h"

typedef struct Identifier
{
	int type;
	char *value;
	char *original; /* NULL: the same */
	bool blocked;
	bool is_new;
	bool turns_shared;
	int degree; /* links of the batch that count */
	int group;	/* -1: none, as it is blocked or shared */
	Vertex vertex;
} Identifier;

typedef struct Link
{
	int a; /* positions among the batch's identifiers */
	int b; /* -1: none */
	int rule;
	double weight;
	TimestampTz first_seen;
	TimestampTz last_seen;
	const char *source;
	LinkStatus status;
	bool unchanged;
	bool known; /* this evidence is stored */
	const char *reason;
	int same_as; /* the link of the batch that stands for it, or -1 */
} Link;

typedef struct Batch
{
	int n_identifiers;
	int allocated;
	Identifier *identifiers;
	void *index;
	int n_links;
	Link *links;
} Batch;

extern Batch *batch_create(const Graph *graph, const LinkRequests *requests);

#endif
