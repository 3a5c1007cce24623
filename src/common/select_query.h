/*
 * select_query.h
 *		The text of a query that a caller passed.
 */
#ifndef PERSONALIZE_SELECT_QUERY_H
#define PERSONALIZE_SELECT_QUERY_H

#include "access/tupdesc.h"

typedef struct SelectQuery
{
	char *text; /* without what may surround it, such as a semicolon */
	TupleDesc desc;
} SelectQuery;

/* A column that a query must return, once. */
typedef struct QueryColumn
{
	const char *name;
	Oid type; /* InvalidOid: any */
} QueryColumn;

/*
 * Make sure that a text is one SELECT, within SPI; its text may then become
 * part of another.  function and hint are for messages.
 */
extern SelectQuery
select_query(const char *query, const char *function, const char *hint);

/* Make sure that it returns these columns and no others. */
extern void
check_query_columns(const SelectQuery *query, const QueryColumn *columns, int n,
					const char *function, const char *hint);

#endif
