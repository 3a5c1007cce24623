/*
 * log.c
 *		The log: a row for every change, with what caused it.
 */
#include "postgres.h"

#include "evidence/evidence.h"
#include "utils/builtins.h"

void
log_add(Rows *rows, const Operation *op, const LogEntry *entry)
{
	Datum values[10] = { 0 };
	bool nulls[10] = { false };

	values[0] = Int32GetDatum(op->graph->id);
	nulls[1] = entry->rule < 0;
	if (!nulls[1])
		values[1] = Int32GetDatum(op->graph->rules[entry->rule].id);
	values[2] = Int64GetDatum(entry->person);
	nulls[2] = entry->person == 0;
	values[3] = Int64GetDatum(entry->former);
	nulls[3] = entry->former == 0;
	values[4] = Int64GetDatum(entry->a);
	nulls[4] = entry->a == 0;
	values[5] = Int64GetDatum(entry->b);
	nulls[5] = entry->b == 0;
	values[6] = Int32GetDatum(entry->identifiers);
	nulls[6] = entry->identifiers == 0;
	values[7] = CStringGetTextDatum(entry->action);
	nulls[8] = entry->detail == NULL;
	if (!nulls[8])
		values[8] = CStringGetTextDatum(entry->detail);
	values[9] = CStringGetTextDatum(op->actor);
	rows_add(rows, values, nulls);
}
