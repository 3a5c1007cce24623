/*
 * columns.c
 *		Types of nodes, and of the columns that hold them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "component/component.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define COLUMNS_HINT \
	"Return the two nodes of each edge, as in stitch('SELECT a, b FROM edges')."

/* Whether values of a type can be nodes, and what kind of. */
static bool
kind_of_type(Oid base, NodeKind *kind)
{
	switch (base)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			*kind = NODE_INTEGER;
			return true;
		case UUIDOID:
			*kind = NODE_UUID;
			return true;
		case TEXTOID:
		case VARCHAROID:
			*kind = NODE_TEXT;
			return true;
		default:
			return false;
	}
}

void
node_type_init(NodeType *node_type, Oid type)
{
	int32 length = -1;

	node_type->type = type;
	node_type->base = getBaseTypeAndTypmod(type, &length);
	if (!kind_of_type(node_type->base, &node_type->kind))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("nodes cannot be of type %s", format_type_be(type)),
				 errhint(
					 "They are bigint, integer, smallint, uuid or text. Cast what is of another type, as in stitch('SELECT a::text, b::text FROM edges', NULL::text).")));
	/* only a cast would check it, as PostgreSQL does not for a domain's value */
	if (length >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("nodes cannot be of type %s", format_type_be(type)),
				 errdetail("It is a domain that limits the length of a text."),
				 errhint(
					 "Use stitch(query, NULL::text), and cast what it returns.")));
}

/* Whether every value of a column is one of the nodes' type. */
static bool
fits(Oid column, const NodeType *node_type)
{
	NodeKind kind;

	if (!kind_of_type(column, &kind) || kind != node_type->kind)
		return false;
	return kind != NODE_INTEGER ||
		get_typlen(column) <= get_typlen(node_type->base);
}

static const char *
allowed_types(const NodeType *node_type)
{
	switch (node_type->base)
	{
		case INT8OID:
			return "bigint, integer or smallint";
		case INT4OID:
			return "integer or smallint";
		case TEXTOID:
		case VARCHAROID:
			return "text or character varying";
		default:
			return format_type_be(node_type->base);
	}
}

/* The two columns cannot be made to fit by naming another type. */
static void
check_alike(Form_pg_attribute a, Form_pg_attribute b)
{
	NodeKind one;
	NodeKind two;

	if (kind_of_type(getBaseType(a->atttypid), &one) &&
		kind_of_type(getBaseType(b->atttypid), &two) && one != two)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("columns \"%s\" and \"%s\" of the query differ in type",
						NameStr(a->attname), NameStr(b->attname)),
				 errdetail("They are of types %s and %s.",
						   format_type_be(a->atttypid),
						   format_type_be(b->atttypid)),
				 errhint(
					 "Make text of both, and tell one kind of node from the other, as in stitch('SELECT ''account:'' || a, ''cookie:'' || b FROM edges', NULL::text).")));
}

/* The next thing to try: to name the column's type, or to cast the column. */
static int
node_hint(Form_pg_attribute column, Form_pg_attribute other,
		  const NodeType *node_type)
{
	const char *name = quote_identifier(NameStr(column->attname));
	Oid base = getBaseType(column->atttypid);
	Oid other_base = getBaseType(other->atttypid);
	NodeKind kind;
	NodeKind other_kind;

	if (!kind_of_type(other_base, &other_kind))
		other_base = TEXTOID;
	if (kind_of_type(base, &kind))
	{
		/* the wider of two integers */
		if (kind == NODE_INTEGER && kind_of_type(other_base, &other_kind) &&
			other_kind == kind && get_typlen(other_base) > get_typlen(base))
			base = other_base;
		return errhint("Use stitch(query, NULL::%s).", format_type_be(base));
	}
	if (fits(other_base, node_type))
		return errhint("Cast it in the query, as in %s::%s.", name,
					   format_type_be(other_base));
	return errhint("Cast it in the query, as in %s::%s, and use stitch(query, NULL::%s).",
				   name, format_type_be(other_base),
				   format_type_be(other_base));
}

static void
check_node(Form_pg_attribute column, Form_pg_attribute other,
		   const NodeType *node_type)
{
	if (fits(getBaseType(column->atttypid), node_type))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of the query must be of type %s",
					NameStr(column->attname), allowed_types(node_type)),
			 errdetail("It is of type %s.", format_type_be(column->atttypid)),
			 node_hint(column, other, node_type)));
}

static bool
is_number(Oid type)
{
	switch (getBaseType(type))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return true;
		default:
			return false;
	}
}

static bool
is_string(Oid type)
{
	char category;
	bool preferred;

	get_type_category_preferred(getBaseType(type), &category, &preferred);
	return category == TYPCATEGORY_STRING || category == TYPCATEGORY_ENUM;
}

/* Reserved: what it will mean must not depend on what it was called before. */
static void
check_third(Form_pg_attribute column)
{
	const char *name = NameStr(column->attname);
	bool weight = strcmp(name, "weight") == 0;

	if (!weight && strcmp(name, "kind") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg(
					 "third column of the query must be named weight or kind"),
				 errdetail("It is named \"%s\".", name),
				 errhint("Leave it out, or name it, as in %s AS weight.",
						 quote_identifier(name))));
	if (weight ? !is_number(column->atttypid) : !is_string(column->atttypid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the query must be %s", name,
						weight ? "a number" : "text"),
				 errdetail("It is of type %s.",
						   format_type_be(column->atttypid)),
				 errhint("Leave it out, or cast it, as in %s::%s.", name,
						 weight ? "numeric" : "text")));
}

void
columns_check(TupleDesc columns, const NodeType *node_type)
{
	Form_pg_attribute a;
	Form_pg_attribute b;

	if (columns->natts < 2 || columns->natts > 3)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("query must return two columns, or three"),
				 errdetail("It returns %d.", columns->natts),
				 errhint(COLUMNS_HINT)));
	a = TupleDescAttr(columns, 0);
	b = TupleDescAttr(columns, 1);
	check_alike(a, b);
	check_node(a, b, node_type);
	check_node(b, a, node_type);
	if (columns->natts == 3)
		check_third(TupleDescAttr(columns, 2));
}
