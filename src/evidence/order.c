/*
 * order.c
 *		The order in which evidence is weighed, when not all of it can be true.
 *
 * It depends on nothing but the evidence: not on the order in which it came, nor
 * on the numbers that identifiers got.
 */
#include "postgres.h"

#include "evidence/evidence.h"

static int
compare_identifiers(const char *type_a, const char *value_a, const char *type_b,
					const char *value_b)
{
	int c = strcmp(type_a, type_b);

	return c != 0 ? c : strcmp(value_a, value_b);
}

void
order_key(OrderKey *key, const Graph *graph, int type_a, const char *value_a,
		  int type_b, const char *value_b, int rule, double weight,
		  TimestampTz first_seen, const char *source)
{
	const IdentifierType *a = &graph->types[type_a];
	const IdentifierType *b = &graph->types[type_b];
	bool swap = compare_identifiers(a->name, value_a, b->name, value_b) > 0;

	key->rule_priority = graph->rules[rule].priority;
	key->type_priority = Max(a->priority, b->priority);
	key->weight = weight;
	key->first_seen = first_seen;
	key->type_a = swap ? b->name : a->name;
	key->value_a = swap ? value_b : value_a;
	key->type_b = swap ? a->name : b->name;
	key->value_b = swap ? value_a : value_b;
	key->rule = graph->rules[rule].name;
	key->source = source;
}

/* Less than zero if a is weighed before b. */
int
order_compare(const OrderKey *a, const OrderKey *b)
{
	int c;

	if (a->rule_priority != b->rule_priority)
		return a->rule_priority < b->rule_priority ? -1 : 1;
	if (a->type_priority != b->type_priority)
		return a->type_priority < b->type_priority ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	if (a->first_seen != b->first_seen)
		return a->first_seen < b->first_seen ? -1 : 1;
	c = compare_identifiers(a->type_a, a->value_a, b->type_a, b->value_a);
	if (c == 0)
		c = compare_identifiers(a->type_b, a->value_b, b->type_b, b->value_b);
	if (c == 0)
		c = strcmp(a->rule, b->rule);
	return c != 0 ? c : strcmp(a->source, b->source);
}
