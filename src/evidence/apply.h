/*
 * apply.h
 *		What the steps of apply_links() share.
 */
#ifndef PERSONALIZE_APPLY_H
#define PERSONALIZE_APPLY_H

#include "evidence/batch.h"
#include "evidence/groups.h"

/* A merge that the log will tell of, if nothing spoils it */
typedef struct Merge
{
	int group;
	int link;
	int64 person;
	int64 former;
	int identifiers;
} Merge;

typedef struct Apply
{
	Operation *op;
	LinkRequests *requests;
	Batch *batch;
	Groups *groups;
	int n_order;
	int *order;		/* links that may join persons, as they are weighed */
	OrderKey *keys; /* of all links */
	int n_merges;
	Merge *merges;
	Partition *anew; /* persons that were computed anew, or NULL */
} Apply;

/* degree.c */
extern void find_shared(Apply *apply);
/* decide.c */
extern void decide_links(Apply *apply);
/* store.c */
extern void store_batch(Apply *apply);
extern void store_rejections(Apply *apply);

static inline bool
identifier_inert(const Identifier *identifier)
{
	return identifier->vertex.state != VERTEX_ACTIVE ||
		identifier->turns_shared;
}

#endif
