/*
 * ruleset_check.c
 *		What is wrong with a rule set, said to whoever changes it.
 *
 * The triggers of rfm_rule call this once a statement.  Scores without a
 * segment and rules that never match are mistakes when a set is complete, but
 * a set may be entered rule by rule: so they are warnings.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "compat.h"
#include "executor/spi.h"
#include "score/score.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Gaps that a message lists. */
#define SHOWN 3

PG_FUNCTION_INFO_V1(personalize_rfm_rule_changed);

static void
report_gaps(const RuleSet *set)
{
	StringInfoData first;
	int cells = set->scale * set->scale * set->scale;
	int gaps = 0;

	initStringInfo(&first);
	for (int cell = 0; cell < cells; cell++)
	{
		if (set->cells[cell] >= 0)
			continue;
		if (gaps++ < SHOWN)
			appendStringInfo(&first, "%s(%d,%d,%d)", gaps > 1 ? ", " : "",
							 cell / set->scale / set->scale + 1,
							 cell / set->scale % set->scale + 1,
							 cell % set->scale + 1);
	}
	if (gaps == 0)
		return;
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("rule set \"%s\" has no segment for %d of %d scores",
					set->name, gaps, cells),
			 errdetail("Of (r,f,m) %s %s%s.", gaps > 1 ? "these are" : "it is",
					   first.data, gaps > SHOWN ? " and more" : ""),
			 errhint("Enter the rules of a set in one statement; a last rule over all scores takes what is left. SELECT * FROM personalize.rfm_ruleset_gaps(%s) lists the scores.",
					 quote_literal_cstr(set->name))));
}

static void
report_shadowed(const RuleSet *set)
{
	for (int i = 0; i < set->nrules; i++)
	{
		const Rule *rule = &set->rules[i];

		if (rule->matches)
			continue;
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("rule %d of rule set \"%s\", \"%s\", never matches",
						rule->priority, set->name,
						text_to_cstring(rule->segment)),
				 errdetail(
					 "Rules of a lower priority number match all of its scores."),
				 errhint("Give it a lower priority number, or delete it.")));
	}
}

/* pg_dump leaves the sets that the extension brings out, the trigger's arguments. */
static void
refuse_shipped(const Trigger *trigger, const char *name)
{
	if (creating_extension)
		return;
	for (int i = 0; i < trigger->tgnargs; i++)
	{
		if (name == NULL || strcmp(trigger->tgargs[i], name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("rule set \"%s\" belongs to the extension and cannot be changed",
							trigger->tgargs[i]),
					 errdetail("A dump would not contain the change."),
					 errhint(
						 "Insert a copy under a name of your own, and change that.")));
	}
}

/* The sets that a statement changed, as a query on its transition tables. */
static const char *
changed_sets(TriggerEvent event)
{
	if (TRIGGER_FIRED_BY_INSERT(event))
		return "SELECT DISTINCT ruleset FROM new_rules ORDER BY 1";
	if (TRIGGER_FIRED_BY_DELETE(event))
		return "SELECT DISTINCT ruleset FROM old_rules ORDER BY 1";
	return "SELECT ruleset FROM new_rules UNION SELECT ruleset FROM old_rules"
		   " ORDER BY 1";
}

static void
check_changed(TriggerData *data)
{
	SPITupleTable *changed;
	uint64 n;

	SPI_connect();
	if (SPI_register_trigger_data(data) < 0 ||
		SPI_execute(changed_sets(data->tg_event), true, 0) != SPI_OK_SELECT)
		elog(ERROR, "the changed rules cannot be read");
	changed = SPI_tuptable;
	n = SPI_processed;

	for (uint64 i = 0; i < n; i++)
		refuse_shipped(data->tg_trigger,
					   SPI_getvalue(changed->vals[i], changed->tupdesc, 1));
	for (uint64 i = 0; i < n; i++)
	{
		char *name = SPI_getvalue(changed->vals[i], changed->tupdesc, 1);
		RuleSet *set = rule_set_load(name, false, CurrentMemoryContext);

		report_gaps(set);
		report_shadowed(set);
		/* of many sets, one at a time */
		pfree(set->cells);
	}
	SPI_finish();
}

static bool
is_named(const char *transition_table, const char *name)
{
	return transition_table != NULL && strcmp(transition_table, name) == 0;
}

/*
 * Whoever may call the function may make it a trigger of a table of their own,
 * where nothing is as expected here: names may be null, for one.  The same
 * holds for a table that is found in place of a transition table.
 */
static bool
is_trigger_of_rules(FunctionCallInfo fcinfo)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	Oid schema;
	bool has_new;
	bool has_old;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_FOR_STATEMENT(data->tg_event))
		return false;
	schema = get_namespace_oid("personalize", true);
	if (RelationGetRelid(data->tg_relation) !=
		get_relname_relid("rfm_rule", schema))
		return false;
	has_new = is_named(data->tg_trigger->tgnewtable, "new_rules");
	has_old = is_named(data->tg_trigger->tgoldtable, "old_rules");
	return TRIGGER_FIRED_BY_TRUNCATE(data->tg_event) ||
		((has_new || TRIGGER_FIRED_BY_DELETE(data->tg_event)) &&
		 (has_old || TRIGGER_FIRED_BY_INSERT(data->tg_event)));
}

Datum
personalize_rfm_rule_changed(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!is_trigger_of_rules(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg(
					 "rfm_rule_changed() is called by the triggers of rfm_rule only")));
	if (TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
		refuse_shipped(data->tg_trigger, NULL);
	else
		check_changed(data);
	return PointerGetDatum(NULL);
}
