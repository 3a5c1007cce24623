/*
 * session_args.c
 *		What recommend_session() asks of its arguments and of the index.
 */
#include "postgres.h"

#include "recommend/session.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static int
take_count(FunctionCallInfo fcinfo, int argno, const char *name, int if_null)
{
	int value;

	if (PG_ARGISNULL(argno))
		return if_null;
	value = PG_GETARG_INT32(argno);
	if (value < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be positive", name),
				 errdetail("%s is %d.", name, value),
				 errhint("Leave it out for its default of %d.", if_null)));
	return value;
}

void
take_session_terms(FunctionCallInfo fcinfo, int argno, SessionTerms *terms)
{
	terms->recent_sessions =
		take_count(fcinfo, argno, "recent_sessions", DEFAULT_RECENT_SESSIONS);
	terms->neighbors =
		take_count(fcinfo, argno + 1, "neighbors", DEFAULT_SESSION_NEIGHBORS);
}

/* What to type for an index that keeps the postings of items. */
char *
item_postings_hint(SimReader *reader)
{
	Relation index = reader->index;
	char *name = quote_qualified_identifier(get_namespace_name(
												RelationGetNamespace(index)),
											RelationGetRelationName(index));

	return psprintf("ALTER INDEX %s SET (postings = on); REINDEX INDEX %s;",
					name, name);
}

/* Refuse an index that cannot tell which sessions are recent. */
void
check_session_index(SimReader *reader)
{
	const char *name = RelationGetRelationName(reader->index);

	if (!reader->has_time)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommend_session() needs the times of interactions, which index \"%s\" does not have",
						name),
				 errhint(
					 "Create the index with a column of type timestamptz, timestamp or date in INCLUDE.")));
	if (!reader->has_item_postings)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("recommend_session() needs the postings of items, which index \"%s\" does not keep",
						name),
				 errdetail(
					 "They are kept by an index that was built with postings = on."),
				 errhint("%s", item_postings_hint(reader))));
}
