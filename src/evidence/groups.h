/*
 * groups.h
 *		Persons while they are put together in memory.
 */
#ifndef PERSONALIZE_GROUPS_H
#define PERSONALIZE_GROUPS_H

#include "evidence/evidence.h"

/* A number in a list */
typedef struct IdList
{
	int64 id;
	struct IdList *next;
} IdList;

typedef struct PersonGroup
{
	int parent;
	int64 root;	  /* of its largest stored person, 0 if there is none */
	int64 person; /* the smallest number among its identifiers */
	int stored;	  /* the size of that stored person */
	int size;
	int type; /* of its root, or of the one identifier of a new group */
	bool dirty;
	bool loaded; /* counts and aparts */
	int *counts; /* members of each limited type */
	int n_aparts;
	IdList *aparts;	   /* whom its members must not be linked with */
	IdList *roots;	   /* of the stored persons that are in it */
	IdList *uncounted; /* those of them that are not in the counts yet */
} PersonGroup;

typedef struct Groups
{
	Operation *op;
	int n;
	int allocated;
	PersonGroup *groups;
	void *by_root;
} Groups;

extern Groups *groups_create(Operation *op);
extern int groups_add_person(Groups *groups, const Vertex *member);
extern int groups_add_new(Groups *groups, int64 id, int type);
extern int groups_find(Groups *groups, int i);
/* Why two groups cannot be one person; NULL if they can */
extern const char *groups_conflict(Groups *groups, int a, int b);
extern void groups_merge(Groups *groups, int a, int b);
/* Whether a link is weighed after everything that holds the group together;
   asked for links in their order */
extern bool groups_before(Groups *groups, int group, const OrderKey *key);

#endif
