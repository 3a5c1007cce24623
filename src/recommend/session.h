/*
 * session.h
 *		Recommendations by the sessions nearest to the current one.
 */
#ifndef PERSONALIZE_SESSION_H
#define PERSONALIZE_SESSION_H

#include "recommend/recommend.h"

#define DEFAULT_RECENT_SESSIONS 500
#define DEFAULT_SESSION_NEIGHBORS 100

typedef struct SessionTerms
{
	int recent_sessions; /* among which neighbours are looked for */
	int neighbors;
} SessionTerms;

/* The session to go on from: its distinct items, the most recent first. */
typedef struct CurrentSession
{
	int length; /* with repeated and unknown ones */
	int n;
	const ItemNumber *items;
	const int *places; /* of each, counted from the end, 0 being the last */
} CurrentSession;

/* session_args.c */
extern void
take_session_terms(FunctionCallInfo fcinfo, int argno, SessionTerms *terms);
extern void check_session_index(SimReader *reader);
extern char *item_postings_hint(SimReader *reader);

/* session.c */
extern int score_session(SimReader *reader, const CurrentSession *session,
						 const SessionTerms *terms, int k, RankedItem **ranked);

#endif
