/*
 * evidence.h
 *		The living graph: evidence as edges between identifiers, and the people
 *		who follow from it.
 *
 * Evidence is the truth; who is one person is a function of it.  src/README
 * says why that function can be kept up to date edge by edge.
 */
#ifndef PERSONALIZE_EVIDENCE_H
#define PERSONALIZE_EVIDENCE_H

#include "access/skey.h"
#include "datatype/timestamp.h"
#include "storage/itemptr.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

/* How the values of a type are brought into one form before they are compared */
typedef enum Normal
{
	NORMAL_NONE,
	NORMAL_LOWER,
	NORMAL_EMAIL,
	NORMAL_PHONE
} Normal;

typedef struct IdentifierType
{
	int id;
	char *name;
	int max_per_person; /* 0: any number */
	int max_degree;		/* 0: any number */
	int priority;
	Normal normal;
	char *region; /* of phone numbers, or NULL */
	int limit;	  /* which of the graph's limited types this is, or -1 */
} IdentifierType;

typedef struct LinkRule
{
	int id;
	char *name;
	int priority;
	double min_weight;
} LinkRule;

typedef struct Blocked
{
	int type_id;   /* 0: of any type */
	char *value;   /* in lower case, or NULL */
	void *pattern; /* a regular expression as text, or NULL */
} Blocked;

typedef struct Graph
{
	int id;
	char *name;
	char *owner;
	char *reader; /* or NULL */
	int n_types;
	bool one_priority; /* of all types */
	IdentifierType *types;
	int n_limits;
	int *limits; /* which types have one, as positions in types */
	int n_rules;
	LinkRule *rules;
	int n_blocked;
	Blocked *blocked;
} Graph;

/* graph.c: what is known of a graph, valid until the next call */
extern const Graph *graph_find(const char *name);
extern void graph_changed(void);
extern void graph_check_owner(const Graph *graph, Oid user);
extern void graph_check_reader(const Graph *graph);
extern int graph_type(const Graph *graph, const char *name);
extern int graph_type_of_id(const Graph *graph, int id);
extern int graph_rule(const Graph *graph, const char *name);
extern int graph_rule_of_id(const Graph *graph, int id);

/* What an identifier is to its graph */
#define VERTEX_ACTIVE 'a'
#define VERTEX_BLOCKED 'b' /* its value is one that anybody may have */
#define VERTEX_SHARED 's'  /* it is linked with more than max_degree others */

/* An identifier as it is stored; person and size are those of a root */
typedef struct Vertex
{
	int64 id;
	int64 root;
	int64 person;
	int graph_id;
	int type; /* position in the graph's types; -1 if of another graph */
	int size;
	char state;
	bool apart;
	char *value;
	char *original; /* NULL: the same */
} Vertex;

/* A piece of evidence as it is stored, a < b */
typedef struct Evidence
{
	int64 a;
	int64 b;
	int rule; /* position in the graph's rules */
	double weight;
	TimestampTz first_seen;
	TimestampTz last_seen;
	TimestampTz revoked_at; /* or NO_TIME */
	char *source;
} Evidence;

#define NO_TIME DT_NOEND

static inline bool
evidence_unrevoked(const Evidence *e)
{
	return e->revoked_at == NO_TIME || e->last_seen > e->revoked_at;
}

/* relations.c: the tables and indexes, by number, until one of them changes */
typedef struct RelationIds
{
	Oid graph;
	Oid vertex;
	Oid vertex_pkey;
	Oid vertex_value;
	Oid vertex_root;
	Oid vertex_apart;
	Oid evidence;
	Oid evidence_pkey;
	Oid evidence_b;
	Oid apart;
	Oid apart_pkey;
	Oid apart_b;
	Oid log;
	Oid log_former;
} RelationIds;

extern Oid table_of(const char *name);
extern void relation_ids_read(RelationIds *ids);
extern const RelationIds *relation_ids(void); /* graph.c */

/* point.c: looking up one row, again and again */
typedef struct PointLookup
{
	Relation index; /* NULL until it is used */
	struct IndexScanDescData *scan;
	struct TupleTableSlot *slot;
} PointLookup;

/* tables.c: direct reading, by index */
typedef struct Tables
{
	const Graph *graph;
	const RelationIds *ids;
	Snapshot snapshot;
	bool registered;
	Relation vertex; /* NULL until it is used, likewise below */
	Relation evidence;
	Relation apart;
	PointLookup by_id;
	PointLookup by_value;
	PointLookup by_root;
	PointLookup by_ends;
	int any_apart; /* whether there are pairs to keep apart; -1: not known */
} Tables;

extern struct TupleTableSlot *
point_lookup(PointLookup *point, Relation table, Oid index, Snapshot snapshot,
			 ScanKey keys, int n);
extern struct TupleTableSlot *point_next(PointLookup *point);
extern void point_close(PointLookup *point);

typedef struct TableScan
{
	Tables *tables;
	void *scan;
	int kind;
	int64 key;
} TableScan;

extern void tables_open(Tables *tables, const Graph *graph, Snapshot snapshot);
extern void tables_close(Tables *tables);
extern void tables_refresh(Tables *tables);
extern bool
vertex_by_value(Tables *tables, int type, const char *value, Vertex *vertex);
extern bool vertex_by_id(Tables *tables, int64 id, Vertex *vertex);
extern bool evidence_find(Tables *tables, int64 a, int64 b, int rule,
						  const char *source, Evidence *evidence);
extern int count_of_type(Tables *tables, int64 root, int type, int enough);
extern bool any_apart(Tables *tables);
/* Who took over from a person that is no more, by the log; 0 for nobody */
extern int64 successor(Tables *tables, int64 person);

/* Members of a person; members that must not be linked with somebody */
extern void members_begin(TableScan *scan, Tables *tables, int64 root);
extern void aparts_begin(TableScan *scan, Tables *tables, int64 root);
extern bool member_next(TableScan *scan, Vertex *vertex);
/* Every identifier of the graph, of one type if type >= 0 */
extern void vertices_begin(TableScan *scan, Tables *tables, int type);
/* Evidence of an identifier, revoked or not, whichever end it is */
extern void evidence_begin(TableScan *scan, Tables *tables, int64 id);
/* Only where it is the first end, so that each piece is met once */
extern void evidence_of_first_begin(TableScan *scan, Tables *tables, int64 id);
/* All evidence of the graph */
extern void evidence_all_begin(TableScan *scan, Tables *tables);
extern bool evidence_next(TableScan *scan, Evidence *evidence);
/* The identifiers that one must not be linked with */
extern void apart_begin(TableScan *scan, Tables *tables, int64 id);
extern bool apart_next(TableScan *scan, int64 *other);
extern void scan_end(TableScan *scan);

/*
 * operation.c: a change of the graph.  The body is run under the graph's lock,
 * anew when what it read has changed before it held the locks it needs, or with
 * the graph to itself when it cannot do with less.
 */
typedef enum OperationResult
{
	OPERATION_DONE,
	OPERATION_RETRY,
	OPERATION_GLOBAL
} OperationResult;

/* A root whose row is locked, as it is then */
typedef struct LockedRoot
{
	int64 id;
	int64 person;
	int size;
	int type;
	ItemPointerData at;
} LockedRoot;

typedef struct Operation
{
	const Graph *graph;
	bool global;
	Tables tables;
	Oid user; /* who asks for it */
	char *actor;
	int n_locked; /* roots, in order */
	LockedRoot *locked;
	bool moved; /* what was read before they were locked may have changed */
	int n_new;	/* identifiers that it adds, in order */
	int64 *added;
} Operation;

typedef OperationResult (*OperationBody)(Operation *op, void *arg);

extern void
operation_run(const char *graph, bool global, OperationBody body, void *arg);
extern bool operation_lock(Operation *op, int64 *roots, int n);
extern bool operation_lock_two(Operation *op, Vertex *a, Vertex *b);
extern bool operation_locked(const Operation *op, int64 root);
extern const LockedRoot *locked_root(const Operation *op, int64 root);

/* order.c: the order in which evidence is weighed */
typedef struct OrderKey
{
	int rule_priority;
	int type_priority;
	double weight;
	TimestampTz first_seen;
	const char *type_a;
	const char *value_a;
	const char *type_b;
	const char *value_b;
	const char *rule;
	const char *source;
} OrderKey;

extern void
order_key(OrderKey *key, const Graph *graph, int type_a, const char *value_a,
		  int type_b, const char *value_b, int rule, double weight,
		  TimestampTz first_seen, const char *source);
extern int order_compare(const OrderKey *a, const OrderKey *b);

/* write.c: rows written, in arrays that grow */
typedef struct Rows
{
	int n;
	int allocated;
	int columns;
	Datum **values;
	bool **nulls;
} Rows;

typedef enum Statement
{
	LOCK_ROOTS,
	ADD_VERTICES,
	ADD_EVIDENCE,
	MERGE_EVIDENCE,
	REVOKE_EVIDENCE,
	SET_ROOTS,
	SET_PERSONS,
	SET_PERSONS_AT, /* where the row is known, being locked */
	SET_STATES,
	SET_APART_FLAGS,
	ADD_APARTS,
	REVOKE_APARTS,
	ADD_LOG,
	STATEMENTS
} Statement;

extern Rows *rows_create(Statement statement);
extern void rows_add(Rows *rows, const Datum *values, const bool *nulls);
extern uint64 rows_write(Rows *rows, Statement statement);
/* The same, and each row must be there: a serialization failure if not */
extern void rows_write_all(Rows *rows, Statement statement);
extern void rows_lock_roots(Rows *rows, Operation *op);
extern int64 next_vertex_id(void);

/* log.c */
typedef struct LogEntry
{
	const char *action;
	int64 person; /* 0: none, likewise below */
	int64 former;
	int64 a;
	int64 b;
	int rule; /* -1: none */
	int identifiers;
	const char *detail;
} LogEntry;

extern void log_add(Rows *rows, const Operation *op, const LogEntry *entry);

/* A link that is asked for, and what became of it */
typedef enum LinkStatus
{
	LINK_ACCEPTED, /* the two are one person */
	LINK_REJECTED, /* a limit keeps them apart */
	LINK_INERT,	   /* an identifier that is blocked or shared, or too weak */
	LINK_REVOKED,  /* revoked, and not seen since */
	LINK_ALONE,	   /* one identifier only */
	LINK_PENDING   /* not known before all are in */
} LinkStatus;

typedef struct LinkRequest
{
	const char *type_a;
	const char *value_a;
	const char *type_b; /* NULL: none */
	const char *value_b;
	const char *rule;
	double weight;
	TimestampTz first_seen;
	TimestampTz last_seen;
	const char *source;
	LinkStatus status;
	bool unchanged; /* this evidence was there */
	char *reason;	/* NULL: none; it lives in the context of the requests */
} LinkRequest;

typedef struct LinkRequests
{
	MemoryContext context;
	int n;
	LinkRequest *links;
	bool want_person; /* of the first link's first identifier */
	int64 person;	  /* 0: none */
	int64 merged;	  /* persons that became part of others */
	int64 added;	  /* identifiers that are new */
} LinkRequests;

/* apply.c: an OperationBody */
extern OperationResult apply_links(Operation *op, void *requests);

/* normal.c */
extern char *lower_form(const char *value);
extern char *normal_value(const IdentifierType *type, const char *value);
extern char *blocked_reason(const IdentifierType *type, const char *value);
extern bool value_blocked(const Graph *graph, int type, const char *value);

/* partition.c: people computed anew */
typedef struct Partition Partition;

extern Partition *partition_create(Operation *op);
extern void partition_seed(Partition *p, int64 vertex);
extern void partition_seed_all(Partition *p);
extern Partition *partition_solve(Partition *p);

/* relabel.c */
typedef struct Changes
{
	int64 merges;
	int64 splits;
} Changes;

extern Changes partition_write(Partition *p, const LogEntry *cause);

#endif
