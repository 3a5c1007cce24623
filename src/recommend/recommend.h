/*
 * recommend.h
 *		What reads a similarity index: recommendations, similar and popular
 *		items.
 *
 * The functions share one shape.  Keys from the caller become item numbers,
 * numbers are scored without calling any function of the key's type, the few
 * best become keys again, and keys decide the order where scores are equal:
 * item numbers differ from node to node and must never show.
 */
#ifndef PERSONALIZE_RECOMMEND_H
#define PERSONALIZE_RECOMMEND_H

#include "common/args.h"
#include "similarity/reader.h"

/* The half-life of popularity where the caller names none. */
#define DEFAULT_POPULAR_HALF_LIFE (7 * (double) USECS_PER_DAY)

/* An item that may be returned. */
typedef struct RankedItem
{
	double rank; /* higher comes first */
	Datum key;
	ItemNumber item;
	uint32 ref; /* where the caller keeps what it knows of it */
} RankedItem;

/* How popular one item is. */
typedef struct Popularity
{
	double rank;   /* orders as score, but never underflows */
	double score;  /* decayed relative to the newest entry */
	double recent; /* interactions in the last half-life */
	double before; /* interactions in the half-life before */
	ItemNumber item;
} Popularity;

/* What counts as popular. */
typedef struct PopularityTerms
{
	bool decay;		   /* false: all entries count alike */
	double half_life;  /* microseconds */
	TimestampTz as_of; /* later entries do not count */
} PopularityTerms;

/* What a subject has. */
typedef struct History
{
	SimReader *reader;
	bool stored; /* items of equal time have no order */
	int n;		 /* how many count */
	int nall;	 /* they, and older ones */
	SimHistoryItem *items;
	int *places; /* of each, counted from the end, if not stored */
} History;

/* place is that of the list's item in the history */
typedef void (*ListVisitor)(void *arg, const SimNeighbors *list, double weight,
							int place);

/* An item and its score. */
typedef struct ScoredItem
{
	ItemNumber item;
	double score;
} ScoredItem;

typedef struct NumberList
{
	int n;
	ItemNumber *items;
} NumberList;

/* Items that the caller wants, or does not. */
typedef struct Filter
{
	KeyList keys;
	struct key_table_hash *table; /* of the keys, if they are many ... */
	NumberList numbers;			  /* ... and otherwise their items */
} Filter;

/* filters.c */
extern void
find_items(SimReader *reader, const KeyList *keys, NumberList *numbers);
extern void filter_take(Filter *filter, FunctionCallInfo fcinfo, int argno,
						const char *name, SimReader *reader);
extern void filter_load(Filter *filter, SimReader *reader);
extern int filter_ranked(const Filter *among, const Filter *exclude,
						 SimReader *reader, RankedItem *items, int n, int k);
extern int filter_popular(const Filter *among, const Filter *exclude,
						  SimReader *reader, Popularity *sums, int n);
extern void
filter_find(Filter *among, const Filter *exclude, SimReader *reader);

/* history.c; "read_history" would be found in libedit once the JIT is loaded */
extern void
subject_history(SimReader *reader, bool known, Datum subject, History *history);
extern ItemNumber *history_numbers(const History *history);
extern void visit_lists(const History *history, double half_life,
						ListVisitor visit, void *arg);

/* ranking.c */
extern double
take_half_life(SimReader *reader, FunctionCallInfo fcinfo, int argno);
extern int rank_items(SimReader *reader, RankedItem *items, int n, int k);
extern void retry_read(SimReader *reader, int attempt);

/* trending.c */
extern TimestampTz current_time(SimReader *reader);
extern Datum index_moment(SimReader *reader, TimestampTz time);

/* popular.c */
extern int sum_popularity(SimPopularEntry *entries, int nentries,
						  const PopularityTerms *terms, Popularity **sums);
extern TimestampTz
newest_entry(const SimPopularEntry *entries, int nentries, TimestampTz as_of);
extern int
top_popularity(const Popularity *sums, int nsums, int k, RankedItem **items);
extern double
age_factor(TimestampTz newest, TimestampTz time, double half_life);

/*
 * scores.c: scores by item number, in memory that outlives the call and must
 * not be entered twice.  Between scores_begin() and the end no function
 * of a user's type may run: it could call recommend() itself.
 */
extern void scores_begin(uint32 nitems);
extern void scores_restrict(const ItemNumber *items, int n);
extern void scores_exclude(const ItemNumber *items, int n);
extern void scores_add(const SimNeighbors *list, double weight, uint32 ref);
extern bool scores_add_new(ItemNumber item);
extern bool scores_admit(ItemNumber item);
extern int scores_top(int k, RankedItem **items);
extern int scores_all(ScoredItem **items);

#endif
