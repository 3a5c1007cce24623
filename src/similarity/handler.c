/*
 * handler.c
 *		The access method: what it can do, and its smaller callbacks.
 *
 * The planner never scans a similarity index: there is no amgettuple and no
 * amgetbitmap.  Functions read it.
 */
#include "postgres.h"

#include "access/amapi.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "optimizer/cost.h"
#include "commands/vacuum.h"

#include "similarity/progress.h"
#include "similarity/similarity.h"

PG_FUNCTION_INFO_V1(similarity_handler);

/* No path is ever built on the index; should one be, it must not be taken. */
static void
sim_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
				 Cost *startup, Cost *total, Selectivity *selectivity,
				 double *correlation, double *pages)
{
	*startup = disable_cost;
	*total = disable_cost;
	*selectivity = 1;
	*correlation = 0;
	*pages = 0;
}

static IndexScanDesc
sim_beginscan(Relation index, int nkeys, int norderbys)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("a similarity index cannot be scanned"),
			 errhint(
				 "Read it with personalize.recommend(), similar_items() or trending().")));
	return NULL;
}

static void
sim_rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys,
		   int norderbys)
{
}

static void
sim_endscan(IndexScanDesc scan)
{
}

Datum
similarity_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *routine = makeNode(IndexAmRoutine);

	routine->amsupport = 0;
	routine->amcanmulticol = true;
	routine->amoptionalkey = false;
	routine->amcaninclude = true;
	routine->amparallelvacuumoptions = VACUUM_OPTION_NO_PARALLEL;
	routine->ambuild = sim_build;
	routine->ambuildempty = sim_buildempty;
	routine->aminsert = sim_insert;
	routine->ambulkdelete = sim_bulkdelete;
	routine->amvacuumcleanup = sim_vacuumcleanup;
	routine->amcostestimate = sim_costestimate;
	routine->amoptions = sim_parse_options;
	routine->ambuildphasename = sim_phase_name;
	routine->amvalidate = sim_validate;
	routine->ambeginscan = sim_beginscan;
	routine->amrescan = sim_rescan;
	routine->amendscan = sim_endscan;
	PG_RETURN_POINTER(routine);
}
