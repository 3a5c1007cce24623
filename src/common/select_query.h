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

typedef enum QueryColumnKind
{
	QUERY_TYPE, /* of the given type */
	QUERY_ANY,
	QUERY_NUMBER,
	QUERY_NUMBER_OR_BOOLEAN
} QueryColumnKind;

/* A column that a query must, or may, return, once. */
typedef struct QueryColumn
{
	const char *name;
	QueryColumnKind kind;
	Oid type; /* of QUERY_TYPE */
	bool optional;
} QueryColumn;

/*
 * Make sure that a text is one SELECT, within SPI; its text may then become
 * part of another.  function and hint are for messages.
 */
extern SelectQuery
select_query(const char *query, const char *function, const char *hint);

/*
 * Make sure that it returns these columns and no others.  Sets the type of
 * each, without domains, InvalidOid where it is not there.
 */
extern void
check_query_columns(const SelectQuery *query, const QueryColumn *columns, int n,
					const char *function, const char *hint, Oid *types);

#endif
