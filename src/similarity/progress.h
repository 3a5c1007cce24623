/*
 * progress.h
 *		The phases that pg_stat_progress_create_index names, and the CPU time
 *		of each, which DEBUG1 messages report.
 */
#ifndef PERSONALIZE_PROGRESS_H
#define PERSONALIZE_PROGRESS_H

#include "commands/progress.h"
#include "pgstat.h"

/* Subphase 1 is "initializing" for every access method. */
#define SIM_PHASE_LOADING 2
#define SIM_PHASE_GROUPING 3
#define SIM_PHASE_TRAINING 4
#define SIM_PHASE_WRITING 5
#define SIM_PHASE_PAIRING 6	   /* lists that other steps begin with */
#define SIM_PHASE_FACTORING 7  /* the low-pass part's factors */
#define SIM_PHASE_REGRESSION 8 /* ridge regressions */
#define SIM_PHASE_TUNING 9
#define SIM_PHASES 10

typedef struct SimClock
{
	bool report; /* to pg_stat_progress_create_index */
	int phase;
	double cpu[SIM_PHASES];
	double since;
} SimClock;

extern double sim_cpu_now(void);
extern void sim_phase(SimClock *clock, int phase, int64 total);
extern void sim_phase_done(SimClock *clock, int64 done);
extern void sim_clock_report(SimClock *clock, Relation index);
extern char *sim_phase_name(int64 phase);

#endif
