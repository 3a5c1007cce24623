/*
 * point.c
 *		Looking up one row by an index, thousands of times in a call: what is
 *		needed for that is made once.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "compat.h"
#include "evidence/evidence.h"
#include "executor/tuptable.h"

/*
 * The first row that the keys tell, NULL if there is none.  The attributes of
 * keys are the index's own.  What is returned is valid until the next lookup.
 */
TupleTableSlot *
point_lookup(PointLookup *point, Relation table, Oid index, Snapshot snapshot,
			 ScanKey keys, int n)
{
	if (point->index == NULL)
	{
		point->index = index_open(index, AccessShareLock);
		point->slot = table_slot_create(table, NULL);
		point->scan = begin_index_scan(table, point->index, snapshot, n);
	}
	index_rescan(point->scan, keys, n, NULL, 0);
	return point_next(point);
}

/* Another row of the same keys. */
TupleTableSlot *
point_next(PointLookup *point)
{
	if (!index_getnext_slot(point->scan, ForwardScanDirection, point->slot))
		return NULL;
	slot_getallattrs(point->slot);
	return point->slot;
}

void
point_close(PointLookup *point)
{
	if (point->index == NULL)
		return;
	index_endscan(point->scan);
	ExecDropSingleTupleTableSlot(point->slot);
	index_close(point->index, AccessShareLock);
	point->index = NULL;
}
