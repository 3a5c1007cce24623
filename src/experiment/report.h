/*
 * report.h
 *		Parts of experiment_report().
 */
#ifndef PERSONALIZE_REPORT_H
#define PERSONALIZE_REPORT_H

/* ---- report_query.c ---- */

/*
 * Runs a query, within SPI, and leaves a row for each arm in SPI_tuptable, by
 * name: the name and the moments of its units.  Returns whether the outcome is
 * a ratio.
 */
extern bool report_run_query(const char *given);

#endif
