/*
 * compat.h
 *		Every difference between the supported PostgreSQL versions, 15 to 18.
 */
#ifndef PERSONALIZE_COMPAT_H
#define PERSONALIZE_COMPAT_H

#include "catalog/objectaddress.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "postmaster/autovacuum.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/rel.h"

#if PG_VERSION_NUM < 150000
#error "personalize requires PostgreSQL 15 or later"
#endif

/* PostgreSQL 16 folded the ownership checks of all classes into one. */
#if PG_VERSION_NUM >= 160000
#define relation_owned_by(relid, roleid) \
	object_ownercheck(RelationRelationId, relid, roleid)
#include "varatt.h"
#else
#define relation_owned_by(relid, roleid) pg_class_ownercheck(relid, roleid)
#endif

/* PostgreSQL 18 moved this to the front of a declaration, under a new name. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* PostgreSQL 17 made this one of a family. */
#if PG_VERSION_NUM >= 170000
#define is_autovacuum_worker() AmAutoVacuumWorkerProcess()
#else
#define is_autovacuum_worker() IsAutoVacuumWorkerProcess()
#endif

/* PostgreSQL 18 tells whether the delay is one of ANALYZE. */
#if PG_VERSION_NUM >= 180000
#define vacuum_pause() vacuum_delay_point(false)
#else
#define vacuum_pause() vacuum_delay_point()
#endif

/* Pin a buffer if it still holds the block of the main fork. */
#if PG_VERSION_NUM >= 160000
#define read_recent_buffer(rel, block, buffer) \
	ReadRecentBuffer((rel)->rd_locator, MAIN_FORKNUM, block, buffer)
#define relation_file(rel) ((rel)->rd_locator.relNumber)
#else
#define relation_file(rel) ((rel)->rd_node.relNode)
#define read_recent_buffer(rel, block, buffer) \
	ReadRecentBuffer((rel)->rd_node, MAIN_FORKNUM, block, buffer)
#endif

/* PostgreSQL 18 can count what an index scan does. */
#if PG_VERSION_NUM >= 180000
#define begin_index_scan(table, index, snapshot, nkeys) \
	index_beginscan(table, index, snapshot, NULL, nkeys, 0)
#else
#define begin_index_scan(table, index, snapshot, nkeys) \
	index_beginscan(table, index, snapshot, nkeys, 0)
#endif

/* One new block at the end of the main or init fork, exclusively locked. */
static inline Buffer
extend_relation(Relation rel, ForkNumber fork)
{
#if PG_VERSION_NUM >= 160000
	return ExtendBufferedRel(BMR_REL(rel), fork, NULL, EB_LOCK_FIRST);
#else
	Buffer buffer;
	bool lock = !RELATION_IS_LOCAL(rel);

	if (lock)
		LockRelationForExtension(rel, ExclusiveLock);
	buffer = ReadBufferExtended(rel, fork, P_NEW, RBM_ZERO_AND_LOCK, NULL);
	if (lock)
		UnlockRelationForExtension(rel, ExclusiveLock);
	return buffer;
#endif
}

#endif
