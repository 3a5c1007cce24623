/*
 * ruleset.c
 *		Rule sets: from the table rfm_rule to a segment for every score.
 *
 * A set is read once a query and unfolded into a table of all its scores, so
 * that a call costs one look there.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/args.h"
#include "compat.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "score/score.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/*
 * What fn_extra holds: the sets that were asked for, as a snapshot saw them.
 * A function's fn_extra may outlive the query, up to the end of a transaction
 * (in PL/pgSQL), and rules may change meanwhile.  Within a transaction, two
 * snapshots that agree in all of this see the same rows: other transactions
 * that end move xmax or leave xip, and own changes move curcid, but for a
 * rollback to a savepoint, which leaves the subtransaction.
 */
typedef struct RuleCache
{
	MemoryContext context; /* of the sets */
	SubTransactionId subxact;
	CommandId curcid;
	TransactionId xmin;
	TransactionId xmax;
	uint32 xcnt;
	int32 subxcnt;
	RuleSet *sets;
} RuleCache;

PG_FUNCTION_INFO_V1(personalize_rfm_segment);
PG_FUNCTION_INFO_V1(personalize_rfm_segments);

static int
result_int(int row, int column)
{
	bool isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
								column, &isnull);

	return DatumGetInt32(value);
}

static void
read_rule(int row, Rule *rule)
{
	bool isnull;
	Datum segment = SPI_getbinval(SPI_tuptable->vals[row],
								  SPI_tuptable->tupdesc, 2, &isnull);

	rule->priority = result_int(row, 1);
	rule->segment = DatumGetTextPCopy(segment);
	for (int s = 0; s < RULE_SCORES; s++)
	{
		rule->low[s] = result_int(row, 3 + 2 * s);
		rule->high[s] = result_int(row, 4 + 2 * s);
	}
	rule->matches = false;
}

/* Give the rule all of its scores that no earlier one has. */
static void
unfold_rule(RuleSet *set, int number)
{
	Rule *rule = &set->rules[number];

	for (int r = rule->low[RULE_R]; r <= rule->high[RULE_R]; r++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int f = rule->low[RULE_F]; f <= rule->high[RULE_F]; f++)
		{
			for (int m = rule->low[RULE_M]; m <= rule->high[RULE_M]; m++)
			{
				int *cell = &set->cells[rule_cell(set, r, f, m)];

				if (*cell < 0)
				{
					*cell = number;
					rule->matches = true;
				}
			}
		}
	}
}

static void
unfold(RuleSet *set)
{
	int cells;

	for (int i = 0; i < set->nrules; i++)
	{
		for (int s = 0; s < RULE_SCORES; s++)
			set->scale = Max(set->scale, set->rules[i].high[s]);
	}
	cells = set->scale * set->scale * set->scale;
	set->cells = palloc(Max(cells, 1) * sizeof(int));
	memset(set->cells, 0xFF, cells * sizeof(int));
	for (int i = 0; i < set->nrules; i++)
		unfold_rule(set, i);
}

RuleSet *
rule_set_load(const char *name, bool read_only, MemoryContext context)
{
	Oid type = TEXTOID;
	Datum value;
	MemoryContext old;
	RuleSet *set;

	SPI_connect();
	value = CStringGetTextDatum(name);
	if (SPI_execute_with_args("SELECT priority, segment, r_min::pg_catalog.int4, r_max::pg_catalog.int4,"
							  " f_min::pg_catalog.int4, f_max::pg_catalog.int4,"
							  " m_min::pg_catalog.int4, m_max::pg_catalog.int4"
							  " FROM personalize.rfm_rule WHERE ruleset OPERATOR(pg_catalog.=) $1"
							  " ORDER BY priority",
							  1, &type, &value, NULL, read_only,
							  0) != SPI_OK_SELECT)
		elog(ERROR, "rfm_rule cannot be read");

	old = MemoryContextSwitchTo(context);
	set = palloc0(sizeof(RuleSet));
	set->name = pstrdup(name);
	set->nrules = SPI_processed;
	set->rules = palloc0(Max(set->nrules, 1) * sizeof(Rule));
	for (int i = 0; i < set->nrules; i++)
		read_rule(i, &set->rules[i]);
	unfold(set);
	MemoryContextSwitchTo(old);
	SPI_finish();
	return set;
}

void
rule_set_unknown(const char *name)
{
	char *known;

	SPI_connect();
	if (SPI_execute("SELECT pg_catalog.string_agg(r.ruleset, ', ' ORDER BY r.ruleset COLLATE pg_catalog.\"C\")"
					" FROM (SELECT DISTINCT ruleset FROM personalize.rfm_rule) r",
					true, 1) != SPI_OK_SELECT)
		elog(ERROR, "rfm_rule cannot be read");
	known = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("rule set \"%s\" does not exist", name),
			 errhint("There are: %s. Insert rules of your own into personalize.rfm_rule.",
					 known ? known : "none")));
	pg_unreachable();
}

static bool
cache_is_current(const RuleCache *cache, Snapshot snapshot)
{
	return cache->subxact == GetCurrentSubTransactionId() &&
		cache->curcid == snapshot->curcid && cache->xmin == snapshot->xmin &&
		cache->xmax == snapshot->xmax && cache->xcnt == snapshot->xcnt &&
		cache->subxcnt == snapshot->subxcnt;
}

/* The cache of this call site, emptied if it does not hold any more. */
static RuleCache *
current_cache(FunctionCallInfo fcinfo)
{
	RuleCache *cache = fcinfo->flinfo->fn_extra;
	Snapshot snapshot = GetActiveSnapshot();

	if (cache == NULL)
	{
		cache =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(RuleCache));
		cache->context =
			AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "rule sets",
								  ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = cache;
	}
	else if (cache_is_current(cache, snapshot))
		return cache;

	cache->sets = NULL;
	MemoryContextReset(cache->context);
	cache->subxact = GetCurrentSubTransactionId();
	cache->curcid = snapshot->curcid;
	cache->xmin = snapshot->xmin;
	cache->xmax = snapshot->xmax;
	cache->xcnt = snapshot->xcnt;
	cache->subxcnt = snapshot->subxcnt;
	return cache;
}

static RuleSet *
cached_set(FunctionCallInfo fcinfo, text *name)
{
	RuleCache *cache = current_cache(fcinfo);
	RuleSet *set;
	char *loaded;

	for (set = cache->sets; set != NULL; set = set->next)
	{
		if (strlen(set->name) == VARSIZE_ANY_EXHDR(name) &&
			memcmp(set->name, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) == 0)
			return set;
	}
	loaded = text_to_cstring(name);
	set = rule_set_load(loaded, true, cache->context);
	if (set->nrules == 0)
		rule_set_unknown(loaded);
	set->next = cache->sets;
	cache->sets = set;
	return set;
}

/* Rule of a cell, or NULL, also for scores that the set does not know. */
static const Rule *
find_rule(const RuleSet *set, int r, int f, int m)
{
	int rule;

	if (r < 1 || r > set->scale || f < 1 || f > set->scale || m < 1 ||
		m > set->scale)
		return NULL;
	rule = set->cells[rule_cell(set, r, f, m)];
	return rule < 0 ? NULL : &set->rules[rule];
}

Datum
personalize_rfm_segment(PG_FUNCTION_ARGS)
{
	const RuleSet *set;
	const Rule *rule;

	arg_not_null(fcinfo, 3, "ruleset");
	set = cached_set(fcinfo, PG_GETARG_TEXT_PP(3));
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	rule = find_rule(set, PG_GETARG_INT32(0), PG_GETARG_INT32(1),
					 PG_GETARG_INT32(2));
	if (rule == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(rule->segment);
}

static void
put_cell(ReturnSetInfo *rsinfo, const RuleSet *set, int r, int f, int m)
{
	const Rule *rule = find_rule(set, r, f, m);
	Datum values[4] = { Int32GetDatum(r), Int32GetDatum(f), Int32GetDatum(m),
						rule ? PointerGetDatum(rule->segment) : (Datum) 0 };
	bool nulls[4] = { false, false, false, rule == NULL };

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

Datum
personalize_rfm_segments(PG_FUNCTION_ARGS)
{
	RuleSet *set;
	char *name;

	arg_not_null(fcinfo, 0, "ruleset");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	set = rule_set_load(name, true, CurrentMemoryContext);
	if (set->nrules == 0)
		rule_set_unknown(name);

	InitMaterializedSRF(fcinfo, 0);
	for (int r = 1; r <= set->scale; r++)
	{
		for (int f = 1; f <= set->scale; f++)
		{
			CHECK_FOR_INTERRUPTS();
			for (int m = 1; m <= set->scale; m++)
				put_cell((ReturnSetInfo *) fcinfo->resultinfo, set, r, f, m);
		}
	}
	return (Datum) 0;
}
