/*
 * partition.h
 *		People of whole components of evidence.
 */
#ifndef PERSONALIZE_PARTITION_H
#define PERSONALIZE_PARTITION_H

#include "evidence/groups.h"

/* An identifier, and the set it is in */
typedef struct Member
{
	Vertex vertex;
	int parent;
	bool ring; /* of a person that is looked at, and should not change */
	int n_aparts;
	IdList *aparts;
	int *counts; /* of limited types, of the set's head */
} Member;

typedef struct Edge
{
	int a; /* positions among the members */
	int b;
	int rule;
	double weight;
	TimestampTz first_seen;
	const char *source;
} Edge;

struct Partition
{
	Operation *op;
	int n;
	int allocated;
	Member *members;
	void *by_id;
	void *roots;  /* persons whose members are all there */
	int n_region; /* members before those of the ring */
	bool complete;
	int n_promoted; /* roots of persons that change after all */
	int allocated_promoted;
	int64 *promoted;
	int64 n_edges;
	int64 allocated_edges;
	Edge *edges;
};

extern int partition_find(Partition *p, int i);
extern int partition_position(Partition *p, int64 id);

#endif
