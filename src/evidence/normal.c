/*
 * normal.c
 *		The form in which identifiers are compared, and those that tell nothing.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "compat.h"
#include "evidence/evidence.h"
#include "text/text.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

/* What a btree can hold with room to spare */
#define MAX_VALUE 2000

/* Without white space around it, and ASCII letters in lower case. */
char *
lower_form(const char *value)
{
	int n = strlen(value);
	char *form;

	while (n > 0 && strchr(" \t\r\n", value[n - 1]) != NULL)
		n--;
	while (n > 0 && strchr(" \t\r\n", value[0]) != NULL)
	{
		value++;
		n--;
	}
	form = pnstrdup(value, n);
	for (char *c = form; *c != '\0'; c++)
	{
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	}
	return form;
}

/* The normal form by the type's rule, NULL where the value has none. */
static char *
form_of_type(const IdentifierType *type, const char *value)
{
	switch (type->normal)
	{
		case NORMAL_EMAIL:
			return email_normal_form(value, false);
		case NORMAL_PHONE:
			return phone_normal_form(value, type->region);
		case NORMAL_LOWER:
			return lower_form(value);
		default:
			return pstrdup(value);
	}
}

/*
 * The form in which a value is kept and compared.  What should be an address or
 * a number and is none is kept too, and blocked.
 */
char *
normal_value(const IdentifierType *type, const char *value)
{
	char *form;

	if (strlen(value) > MAX_VALUE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("identifier of type \"%s\" is too long", type->name),
				 errdetail("It has %zu bytes, the limit is %d.", strlen(value),
						   MAX_VALUE),
				 errhint(
					 "Link a hash of it, such as encode(sha256(...), 'hex').")));
	form = form_of_type(type, value);
	return form != NULL ? form : lower_form(value);
}

/* Say that a value is blocked, or what should be of its type and is not. */
char *
blocked_reason(const IdentifierType *type, const char *value)
{
	if (form_of_type(type, value) != NULL)
		return psprintf("%s \"%s\" is blocked", type->name, value);
	if (type->normal == NORMAL_EMAIL)
		return psprintf("%s \"%s\" is no e-mail address", type->name, value);
	return psprintf(type->region != NULL ?
						"%s \"%s\" is no telephone number" :
						"%s \"%s\" is no telephone number with a country's code",
					type->name, value);
}

/* Whether a value, in its normal form, is one that anybody may have. */
bool
value_blocked(const Graph *graph, int type, const char *value)
{
	const IdentifierType *identifier = &graph->types[type];
	char *form = form_of_type(identifier, value);
	char *lower;
	text *as_text = NULL;

	if (form == NULL)
		return true;
	lower = lower_form(value);
	for (int i = 0; i < graph->n_blocked; i++)
	{
		const Blocked *blocked = &graph->blocked[i];

		if (blocked->type_id != 0 && blocked->type_id != identifier->id)
			continue;
		if (blocked->value != NULL)
		{
			if (strcmp(blocked->value, lower) == 0)
				return true;
			continue;
		}
		if (as_text == NULL)
			as_text = cstring_to_text(lower);
		if (DatumGetBool(
				DirectFunctionCall2Coll(textregexeq, C_COLLATION_OID,
										PointerGetDatum(as_text),
										PointerGetDatum(blocked->pattern))))
			return true;
	}
	return false;
}
