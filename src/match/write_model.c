/*
 * write_model.c
 *		A model as jsonb.
 */
#include "postgres.h"

#include "match/match.h"
#include "utils/builtins.h"
#include "utils/json.h"

static void
write_string(StringInfo out, const char *key, const char *value)
{
	escape_json(out, key);
	appendStringInfoString(out, ": ");
	escape_json(out, value);
}

/* Six digits are more than an estimate has, and read well. */
static void
write_number(StringInfo out, const char *key, double value)
{
	appendStringInfo(out, ", \"%s\": %.6g", key, value);
}

static void
write_level(StringInfo out, const MatchModel *model, const MatchLevel *level)
{
	if (!model->trained)
	{
		escape_json(out, level_name(level));
		return;
	}
	appendStringInfoChar(out, '{');
	write_string(out, "level", level_name(level));
	write_number(out, "m", level->m);
	write_number(out, "u", level->u);
	for (int r = 0; r < RELATIONS; r++)
	{
		if (model->related[r] > 0)
			write_number(out, relation_keys[r], level->r[r]);
	}
	appendStringInfoChar(out, '}');
}

static void
write_comparison(StringInfo out, const MatchModel *model, int c)
{
	const MatchComparison *comparison = &model->comparisons[c];

	appendStringInfoString(out, c > 0 ? ", {" : "{");
	write_string(out, "column", comparison->column);
	appendStringInfoString(out, ", ");
	write_string(out, "kind", kind_names[comparison->kind]);
	if (comparison->with != NULL)
	{
		appendStringInfoString(out, ", ");
		write_string(out, "with", comparison->with);
	}
	if (comparison->personal)
		appendStringInfoString(out, ", \"personal\": true");
	appendStringInfo(out, ", \"term_frequency\": %s, \"levels\": [",
					 comparison->term_frequency ? "true" : "false");
	for (int l = 1; l <= comparison->n_levels; l++)
	{
		if (l > 1)
			appendStringInfoString(out, ", ");
		write_level(out, model, &comparison->levels[l]);
	}
	appendStringInfoString(out, "]}");
}

static void
write_rule(StringInfo out, const MatchModel *model, int r)
{
	const BlockRule *rule = &model->rules[r];

	appendStringInfoString(out, r > 0 ? ", [" : "[");
	for (int i = 0; i < rule->n; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		escape_json(out, key_name(model, rule->keys[i]));
	}
	appendStringInfoChar(out, ']');
}

Jsonb *
model_write(const MatchModel *model)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	write_string(&out, "id", model->id);
	appendStringInfoString(&out, ", \"comparisons\": [");
	for (int c = 0; c < model->n; c++)
		write_comparison(&out, model, c);
	appendStringInfoString(&out, "], \"blocking\": [");
	for (int r = 0; r < model->n_rules; r++)
		write_rule(&out, model, r);
	appendStringInfo(&out, "], \"block_limit\": %d", model->block_limit);
	if (model->trained)
	{
		write_number(&out, "prior", model->prior);
		appendStringInfo(&out,
						 ", \"related\": {\"household\": %.6g, \"neighbours\": %.6g}",
						 model->related[HOUSEHOLD], model->related[NEIGHBOURS]);
		appendStringInfo(&out,
						 ", \"training\": {\"records\": %.0f, \"pairs\": %.0f, \"candidates\": %.0f, \"matches\": %.1f}",
						 model->trained_records, model->trained_pairs,
						 model->trained_candidates, model->trained_matches);
	}
	appendStringInfoChar(&out, '}');
	return DatumGetJsonbP(
		DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}
