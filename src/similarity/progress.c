/*
 * progress.c
 *		Phases of a build: their names, progress and CPU time.
 */
#include "postgres.h"

#include <sys/resource.h>

#include "utils/rel.h"

#include "similarity/progress.h"

double
sim_cpu_now(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
		(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

char *
sim_phase_name(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case SIM_PHASE_LOADING:
			return "loading";
		case SIM_PHASE_GROUPING:
			return "grouping";
		case SIM_PHASE_TRAINING:
			return "training";
		case SIM_PHASE_TUNING:
			return "tuning";
		case SIM_PHASE_WRITING:
			return "writing";
		case SIM_PHASE_PAIRING:
			return "pairing";
		case SIM_PHASE_FACTORING:
			return "factoring";
		case SIM_PHASE_REGRESSION:
			return "regression";
		default:
			return NULL;
	}
}

/* Enter a phase of so many steps; total < 0 leaves the counters alone. */
void
sim_phase(SimClock *clock, int phase, int64 total)
{
	double now = sim_cpu_now();

	clock->cpu[clock->phase] += now - clock->since;
	clock->since = now;
	clock->phase = phase;
	if (!clock->report)
		return;
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, phase);
	if (total >= 0)
	{
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL, total);
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, 0);
	}
}

void
sim_phase_done(SimClock *clock, int64 done)
{
	if (clock->report)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, done);
}

void
sim_clock_report(SimClock *clock, Relation index)
{
	sim_phase(clock, 0, -1);
	ereport(DEBUG1,
			(errmsg_internal("similarity index \"%s\": CPU s loading %.2f, grouping %.2f, tuning %.2f, pairing %.2f, factoring %.2f, regression %.2f, training %.2f, writing %.2f",
							 RelationGetRelationName(index),
							 clock->cpu[SIM_PHASE_LOADING],
							 clock->cpu[SIM_PHASE_GROUPING],
							 clock->cpu[SIM_PHASE_TUNING],
							 clock->cpu[SIM_PHASE_PAIRING],
							 clock->cpu[SIM_PHASE_FACTORING],
							 clock->cpu[SIM_PHASE_REGRESSION],
							 clock->cpu[SIM_PHASE_TRAINING],
							 clock->cpu[SIM_PHASE_WRITING])));
}
