/*
 * match.h
 *		Probabilistic record linkage after Fellegi and Sunter (1969): models,
 *		records, comparisons, candidates, training and scores.
 *
 * A call reads a model from its jsonb, loads the records once, with every
 * distinct string of a kind stored once, and works on numbers from there on:
 * a pair of records becomes a pattern of levels, a pattern a weight.
 */
#ifndef PERSONALIZE_MATCH_H
#define PERSONALIZE_MATCH_H

#include "postgres.h"

#include "common/mix.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "text/text.h"
#include "utils/jsonb.h"

/* A pattern is a number of four bits a comparison; level 0 is "no evidence". */
#define MAX_COMPARISONS 16
#define MAX_LEVELS 15
#define MAX_RULES 60
#define MAX_KEYS 60
#define MAX_RULE_KEYS 4
#define DEFAULT_BLOCK_LIMIT 1000

/* No probability of a level is smaller, in estimates and in what is read. */
#define LEAST_PROBABILITY 1e-12

/* What a column holds, and so how its values are brought to a normal form. */
typedef enum MatchKind
{
	KIND_NAME, /* one part of a name */
	KIND_FULL_NAME,
	KIND_TEXT, /* a place, an occupation: words */
	KIND_ADDRESS,
	KIND_CODE, /* postcodes, numbers of documents */
	KIND_NUMBER,
	KIND_DATE,
	KIND_CATEGORY,
	KIND_EMAIL,
	KIND_PHONE,
	N_KINDS
} MatchKind;

/* How two values are found to be on a level. */
typedef enum MatchTest
{
	TEST_EQUAL,
	TEST_SWAPPED,	   /* each equal or close to the other's partner column */
	TEST_EDITS,		   /* Damerau-Levenshtein distance at most */
	TEST_JARO_WINKLER, /* at least */
	TEST_WORDS,		   /* share of letters in words alike, in any order */
	TEST_PREFIX,	   /* one begins with the other, so many letters at least */
	TEST_SUFFIX,
	TEST_NICKNAME,
	TEST_DAY_MONTH,	 /* day and month exchanged */
	TEST_DATE_PARTS, /* so many of year, month and day are equal */
	TEST_YEARS,		 /* years at most so many apart */
	TEST_WITHIN,	 /* numbers at most so far apart */
	TEST_LOCAL_PART, /* what stands before the @ */
	TEST_ELSE,
	N_TESTS
} MatchTest;

/*
 * How two people may be related.  A household shares surname, address and
 * telephone; neighbours share a place, which several columns tell.
 */
typedef enum MatchRelation
{
	HOUSEHOLD,
	NEIGHBOURS,
	RELATIONS
} MatchRelation;

typedef struct MatchLevel
{
	MatchTest test;
	double threshold;		  /* of those that have one */
	double m;				  /* probability among matches, */
	double u;				  /* among strangers, */
	double r[RELATIONS];	  /* and among people who are related */
	double weight;			  /* log2(m / u) */
	double shared[RELATIONS]; /* log2(r / u) */
} MatchLevel;

typedef struct MatchComparison
{
	char *column; /* also its name in explanations */
	MatchKind kind;
	char *with;	   /* the partner column of TEST_SWAPPED, or NULL */
	int partner;   /* its comparison, -1 if none */
	bool personal; /* tells the people of a household apart */
	bool term_frequency;
	int swapped; /* its level of TEST_SWAPPED, 0 if none */
	int n_levels;
	MatchLevel levels[MAX_LEVELS + 1]; /* from 1 on */
} MatchComparison;

/* What a blocking key takes of a column. */
typedef enum KeyPart
{
	KEY_VALUE,
	KEY_PREFIX, /* of four letters */
	KEY_SOUNDEX,
	KEY_FIRST_WORD,
	KEY_LAST_WORD,
	KEY_SORTED, /* the words in order */
	KEY_YEAR,
	KEY_MONTH_DAY,
	KEY_LOCAL_PART,
	N_KEY_PARTS
} KeyPart;

typedef struct BlockKey
{
	int comparison;
	KeyPart part;
} BlockKey;

typedef struct BlockRule
{
	int n;
	int keys[MAX_RULE_KEYS]; /* of the model's */
	uint64 mask;			 /* the same as bits */
} BlockRule;

typedef struct MatchModel
{
	char *id; /* the column that identifies a record */
	int n;
	MatchComparison comparisons[MAX_COMPARISONS];
	int n_keys;
	BlockKey keys[MAX_KEYS];
	int n_rules;
	BlockRule rules[MAX_RULES];
	int block_limit;
	bool trained;
	double prior;			   /* probability that two records match */
	double related[RELATIONS]; /* ... that they are of related people */
	double prior_weight;
	double related_weight[RELATIONS];

	/* what it was trained on, for the reader */
	double trained_records;
	double trained_pairs;
	double trained_candidates;
	double trained_matches;
} MatchModel;

/* A distinct string in normal form, of any column. */
typedef struct Value
{
	uint32 hash;
	int32 length;
	int32 number;		/* of a date, 10000 y + 100 m + d; 0 if it is none */
	uint64 letters;		/* that it has, as bits */
	uint64 families[2]; /* of first names that it may stand for, as bits */
	char *bytes;
	Points points; /* of the string without its spaces */
} Value;

#define NO_VALUE (-1)

typedef struct ValueSet
{
	MemoryContext context;
	int n;
	int capacity;
	Value *values;
	uint32 n_slots; /* a power of two */
	int32 *slots;
} ValueSet;

typedef struct MatchRecords
{
	MemoryContext context; /* of all below, and of this */
	const MatchModel *model;
	ValueSet values;
	bool linkage;
	int n;		 /* records, those of the first relation first, */
	int n_first; /* so many */
	int capacity;
	char **ids;
	int32 *fields;		/* record by record, a value for each comparison */
	int32 *keys;		/* record by record, a value for each key */
	uint64 *capped;		/* rules under which a record's block is too large */
	float **term;		/* comparison, value: log2 of what a term adds */
	float **term_share; /* ... and the frequency it was made of */
} MatchRecords;

/* The best level of a pair of values, remembered. */
typedef struct CompareCache
{
	uint64 *keys;
	uint64 mask;
} CompareCache;

typedef struct PatternCount
{
	uint64 pattern;
	double count;
} PatternCount;

typedef struct Histogram
{
	int n;
	uint32 n_slots;
	PatternCount *slots; /* count 0: free */
} Histogram;

typedef void (*pair_callback)(void *arg, int a, int b, bool first);

/* names.c */
extern const char *const kind_names[N_KINDS];
extern const char *const key_part_names[N_KEY_PARTS];
extern const char *const relation_names[RELATIONS];
extern const char *const relation_keys[RELATIONS];
extern const char *test_name(MatchTest test);
extern bool test_has_threshold(MatchTest test);
extern char *level_name(const MatchLevel *level);
extern int find_name(const char *const *names, int n, const char *name);
extern char *key_name(const MatchModel *model, int key);
extern char *rule_name(const MatchModel *model, const BlockRule *rule);
extern char *list_names(const char *const *names, int n);
extern double default_m(MatchTest test, double threshold);

/* levels.c */
extern void default_levels(MatchComparison *comparison);
extern void level_read(MatchLevel *level, const char *text);

/* read_model.c, write_model.c */
extern MatchModel *model_read(Jsonb *json);
extern Jsonb *model_write(const MatchModel *model);
extern int model_key(MatchModel *model, int comparison, KeyPart part);
extern int model_comparison(const MatchModel *model, const char *column);
extern bool is_reserved_column(const char *column);
extern void model_prepare(MatchModel *model);

/* normal.c, dates.c, nickname.c */
extern char *
normal_form(MatchKind kind, bool month_first, const char *value, int *length);
extern char *date_form(const char *value, bool month_first);
extern int date_number(const char *form, int length);
extern void nickname_families(const char *name, uint64 families[2]);

/* values.c */
extern void values_init(ValueSet *values, MemoryContext context);
extern int value_of(ValueSet *values, const char *bytes, int length);

/* records.c */
extern MatchRecords *
records_load(const MatchModel *model, Oid relation, Oid other);
extern MatchRecords *
records_of_pair(const MatchModel *model, Jsonb *a, Jsonb *b);
extern void records_check_memory(MatchRecords *records);
extern void *records_alloc(MatchRecords *records, Size size);
extern double records_pairs(const MatchRecords *records);

/* measures.c, compare.c */
extern int
find_level(const MatchComparison *comparison, const Value *a, const Value *b);
extern CompareCache *compare_cache(MatchRecords *records);
extern uint64
compare_pair(MatchRecords *records, CompareCache *cache, int a, int b);

static inline int
pattern_level(uint64 pattern, int comparison)
{
	return (int) ((pattern >> (4 * comparison)) & 15);
}

/* histogram.c */
extern Histogram *histogram_new(void);
extern void histogram_add(Histogram *histogram, uint64 pattern, double count);
extern void histogram_free(Histogram *histogram);

/* keys.c, block.c */
extern int32 key_value(MatchRecords *records, const BlockKey *key, int32 value);
extern void records_make_keys(MatchRecords *records);
extern double
block_pairs_of(MatchRecords *records, uint64 mask, int n_records, int limit);
extern void
block_each_pair(MatchRecords *records, int rule, pair_callback fn, void *arg);

/*
 * em.c, train.c.  Two records are of one person, of two who are related, or of
 * strangers.
 */
typedef enum PairClass
{
	PAIR_HOUSEHOLD = HOUSEHOLD,
	PAIR_NEIGHBOURS = NEIGHBOURS,
	PAIR_MATCH,
	PAIR_STRANGERS,
	PAIR_CLASSES
} PairClass;

typedef double LevelTable[MAX_COMPARISONS][MAX_LEVELS + 1];

typedef struct Estimate
{
	double share[PAIR_CLASSES]; /* of all pairs, summing to 1 */
	LevelTable levels[PAIR_CLASSES];
	bool possible[RELATIONS]; /* to be told from the others */
	uint32
		fixed[RELATIONS]; /* comparisons in which they are strangers, as bits */
} Estimate;

/* Expected numbers of pairs, of each class and on each level */
typedef struct LevelCounts
{
	double pairs[PAIR_CLASSES];
	LevelTable counts[PAIR_CLASSES];
} LevelCounts;

extern void
estimate_start(const MatchModel *model, uint32 without, Estimate *estimate);
extern void estimate_set_shares(Estimate *estimate, double share);
extern void estimate_matches(const MatchModel *model, const LevelTable counts,
							 Estimate *estimate);
extern void estimate_related(const MatchModel *model, MatchRelation relation,
							 const LevelTable counts, Estimate *estimate);
extern void estimate_strangers(const MatchModel *model, const LevelTable counts,
							   Estimate *estimate);
extern void
estimate_shares(const LevelCounts *counts, double pairs, Estimate *estimate);
extern void
expect_pairs(const MatchModel *model, const Histogram *histogram,
			 const Estimate *estimate, uint32 without, LevelCounts *counts);
extern void
model_train(MatchModel *model, MatchRecords *records, double max_pairs);

/* suggest.c, rules.c */
extern MatchModel *suggest_model(Oid relation, const char *id, Jsonb *columns);
extern void choose_rules(MatchModel *model, MatchRecords *records);

/* score.c */
extern void terms_prepare(MatchRecords *records);
extern double
pair_weight(MatchRecords *records, uint64 pattern, int a, int b, double lowest);
extern double weight_probability(double weight);
extern Jsonb *pair_explain(MatchRecords *records, uint64 pattern, int a, int b);

#endif
