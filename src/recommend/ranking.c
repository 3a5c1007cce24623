/*
 * ranking.c
 *		What the functions share: the half-life that is asked for, the order of
 *		the answer, and what to do when it mixes two models.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "recommend/recommend.h"
#include "utils/rel.h"

/* How often an answer is begun anew because the index was retrained. */
#define MAX_ATTEMPTS 10

/* In microseconds; 0 for NULL. */
double
take_half_life(SimReader *reader, FunctionCallInfo fcinfo, int argno)
{
	double half_life = arg_half_life(fcinfo, argno);

	if (half_life > 0 && !reader->has_time)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("half_life needs the times of interactions, which index \"%s\" does not have",
						RelationGetRelationName(reader->index)),
				 errhint(
					 "Create the index with a column of type timestamptz, timestamp or date in INCLUDE.")));
	return half_life;
}

static int
compare_ranked(const void *a, const void *b, void *key)
{
	const RankedItem *x = a;
	const RankedItem *y = b;

	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	return typed_key_compare(key, x->key, y->key);
}

/*
 * Look up the keys of the items, order them by rank, equal ranks by key, and
 * cut at k.  Returns what is left of n.
 */
int
rank_items(SimReader *reader, RankedItem *items, int n, int k)
{
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		items[i].key = sim_item_key(reader, items[i].item);
	}
	qsort_arg(items, n, sizeof(RankedItem), compare_ranked, &reader->item_key);
	return Min(n, k);
}

/*
 * What was read mixes two models.  A training takes far longer than an answer,
 * so that one new attempt nearly always suffices.
 */
void
retry_read(SimReader *reader, int attempt)
{
	CHECK_FOR_INTERRUPTS();
	if (attempt >= MAX_ATTEMPTS)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("index \"%s\" was retrained %d times while it was read",
						RelationGetRelationName(reader->index), attempt),
				 errhint("Try again, or retrain less often.")));
	sim_reader_refresh(reader);
}
