/*
 * suggest.c
 *		A model for a relation, from the names, types and values of its columns.
 */
#include "postgres.h"

#include <ctype.h>

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "match/match.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Rows that are looked at for what a column holds. */
#define LOOKED_AT 20000

/* What the values of a column look like, as shares of those not null */
typedef struct Look
{
	double n;
	double distinct;
	double length;
	double words;
	double digits; /* nothing else */
	double has_digit;
	double date;
	double email;
} Look;

typedef struct Column
{
	char *name;
	char *plain; /* small letters and digits, words between spaces */
	Oid type;
	Look look;
	bool given;	  /* a first name, */
	bool surname; /* a last one */
} Column;

/*
 * Names are qualified, as the caller's search path may have others.  Regular
 * expressions need a collation that is deterministic, as the default one is.
 */
#define MATCHES " OPERATOR(pg_catalog.~) "
#define MATCHES_ANY_CASE " OPERATOR(pg_catalog.~*) "

static const char look_sql[] =
	"SELECT pg_catalog.count(v)::pg_catalog.float8,"
	" pg_catalog.count(DISTINCT v)::pg_catalog.float8,"
	" coalesce(pg_catalog.avg(pg_catalog.length(v)), 0)::pg_catalog.float8,"
	" coalesce(pg_catalog.avg(pg_catalog.array_length(pg_catalog.regexp_split_to_array(v, '[\\s,]+'), 1)), 0)::pg_catalog.float8,"
	" pg_catalog.count(*) FILTER (WHERE v" MATCHES
	"'^[\\s\\d]+$')::pg_catalog.float8,"
	" pg_catalog.count(*) FILTER (WHERE v" MATCHES "'\\d')::pg_catalog.float8,"
	" pg_catalog.count(*) FILTER (WHERE v" MATCHES
	"'^\\s*(1[5-9]|20)\\d\\d(0[1-9]|1[0-2])(0[1-9]|[12]\\d|3[01])\\s*$'"
	" OR v" MATCHES "'^\\s*\\d{4}[-/. ]\\d{1,2}[-/. ]\\d{1,2}([ T].*)?$'"
	" OR v" MATCHES "'^\\s*\\d{1,2}[-/. ]\\d{1,2}[-/. ]\\d{2,4}([ T].*)?$'"
	" OR v" MATCHES_ANY_CASE "'^\\s*\\d{1,2}[-/. ]+[a-z]{3,9}[-/., ]+\\d{2,4}$'"
	" OR v" MATCHES_ANY_CASE
	"'^\\s*[a-z]{3,9}[-/. ]+\\d{1,2}[-/., ]+\\d{4}$')::pg_catalog.float8,"
	" pg_catalog.count(*) FILTER (WHERE v" MATCHES
	"'^\\S+@\\S+$')::pg_catalog.float8"
	" FROM (SELECT pg_catalog.btrim(r.%s::pg_catalog.text) COLLATE pg_catalog.\"default\" AS v"
	" FROM %s r ORDER BY r.%s LIMIT %d) x"
	" WHERE v OPERATOR(pg_catalog.<>) ''";

static void
take_look(Oid relation, const char *id, Column *column)
{
	Look *look = &column->look;
	double *fields[] = { &look->n,	   &look->distinct, &look->length,
						 &look->words, &look->digits,	&look->has_digit,
						 &look->date,  &look->email };
	char *name = quote_qualified_identifier(get_namespace_name(
												get_rel_namespace(relation)),
											get_rel_name(relation));
	char *sql = psprintf(look_sql, quote_identifier(column->name), name,
						 quote_identifier(id), LOOKED_AT);
	MemoryContext mine = CurrentMemoryContext;
	bool isnull;

	if (SPI_execute(sql, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "column cannot be read");
	for (int i = 0; i < (int) lengthof(fields); i++)
		*fields[i] = DatumGetFloat8(SPI_getbinval(SPI_tuptable->vals[0],
												  SPI_tuptable->tupdesc, i + 1,
												  &isnull));
	for (int i = 4; i < (int) lengthof(fields); i++)
		*fields[i] /= Max(look->n, 1);
	SPI_freetuptable(SPI_tuptable);
	/* SPI leaves us in a context that ends with it */
	MemoryContextSwitchTo(mine);
}

/* firstName, first_name and "First Name" are all " first name ". */
static char *
plain_name(const char *name)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, ' ');
	for (const char *p = name; *p != '\0'; p++)
	{
		unsigned char c = *p;

		if (isupper(c) && p > name && islower((unsigned char) p[-1]))
			appendStringInfoChar(&out, ' ');
		appendStringInfoChar(&out, isalnum(c) ? tolower(c) : ' ');
	}
	appendStringInfoChar(&out, ' ');
	return out.data;
}

/* Each of the hints, parted by |, is looked for; spaces bound a word. */
static bool
says(const Column *column, const char *hints)
{
	char *list = pstrdup(hints);
	char *state = NULL;

	for (char *hint = strtok_r(list, "|", &state); hint != NULL;
		 hint = strtok_r(NULL, "|", &state))
	{
		if (strstr(column->plain, hint) != NULL)
			return true;
	}
	return false;
}

/* Columns about the record, and those that cannot tell people apart. */
static bool
is_useless(const Column *column)
{
	bool time = column->type == TIMESTAMPOID || column->type == TIMESTAMPTZOID;

	if (column->look.distinct <= 1)
		return true;
	return (time || column->look.date > 0.5) &&
		says(column,
			 "created|updated|modified|inserted|loaded|changed|"
			 " login |last seen| seen |imported|deleted|registered|signup|sign up");
}

static bool
is_comparable(Oid type)
{
	char category;
	bool preferred;

	if (type == BYTEAOID || type == UUIDOID)
		return type == UUIDOID;
	get_type_category_preferred(type, &category, &preferred);
	return strchr("SNDBE", category) != NULL;
}

static MatchKind
kind_by_values(const Look *look)
{
	if (look->digits > 0.8)
		return look->length >= 4 ? KIND_CODE : KIND_NUMBER;
	if (look->has_digit > 0.5)
		return look->words >= 2 ? KIND_ADDRESS : KIND_CODE;
	if (look->distinct <= 30 && look->distinct < look->n / 10)
		return KIND_CATEGORY;
	return look->words < 1.5 ? KIND_NAME : KIND_TEXT;
}

static MatchKind
kind_of_name(Column *column)
{
	bool given = says(column,
					  "first|given|fore|middle|christian|vorname|"
					  "prenom| fname | nick");
	bool surname = says(column, "surname|last|family|maiden|nachname| lname ");

	if ((given && surname) ||
		(!given && !surname && column->look.words >= 1.5) ||
		says(column, "full|complete|whole"))
		return KIND_FULL_NAME;
	column->given = given && !says(column, "middle| nick");
	column->surname = surname && !says(column, "maiden");
	return KIND_NAME;
}

static bool
says_place(const Column *column)
{
	return says(column,
				"city|suburb|town|place|county|country|state|province|"
				"region|district|village|parish|locality|ort |"
				"municipality|commune|borough|nationality");
}

static bool
says_name(const Column *column)
{
	return says(column, "name|surname|given| fname | lname ") &&
		!says(column, "user|file|host|company|street|city|place|country");
}

static bool
says_code(const Column *column)
{
	return says(column,
				"post code|postcode|postal|zip| plz |pin code|pincode|"
				" ssn |soc sec|social sec|national|passport|tax| nino |"
				"licen|medicare|iban|account|insurance|id number|"
				" card ");
}

static MatchKind
kind_of(Column *column)
{
	const Look *look = &column->look;

	if (column->type == DATEOID || column->type == TIMESTAMPOID ||
		column->type == TIMESTAMPTZOID || look->date > 0.6 ||
		(look->date > 0.25 && says(column, "date|dob|birth|born")))
		return KIND_DATE;
	if (look->email > 0.5 || says(column, "email|e mail"))
		return KIND_EMAIL;
	if (says(column, "phone|mobile| tel |telefon|cell| fax "))
		return KIND_PHONE;
	if (column->type == BOOLOID || says(column, "gender| sex "))
		return KIND_CATEGORY;
	if (says_code(column) && !says_place(column))
		return KIND_CODE;
	if (look->digits > 0.5 && says(column, "number| no | nr | num "))
		return look->length >= 6 ? KIND_CODE : KIND_NUMBER;
	if (says_place(column))
		return look->distinct <= 30 && look->distinct < look->n / 5 ?
			KIND_CATEGORY :
			KIND_TEXT;
	if (says_name(column))
		return kind_of_name(column);
	if (says(column, "address|addr|street|road|avenue|strasse"))
		return KIND_ADDRESS;
	if (says(column, "occupation| job |profession|employer|company"))
		return look->distinct <= 30 && look->distinct < look->n / 10 ?
			KIND_CATEGORY :
			KIND_TEXT;
	return kind_by_values(look);
}

/* What the caller says of the column; false: leave it out. */
static bool
ask_caller(Jsonb *columns, const char *name, MatchKind *kind, bool *said)
{
	JsonbValue *value;
	char *word;
	int found;

	*said = false;
	if (columns == NULL)
		return true;
	value =
		getKeyJsonValueFromContainer(&columns->root, name, strlen(name), NULL);
	if (value == NULL)
		return true;
	if (value->type == jbvNull)
		return false;
	if (value->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the kind of column \"%s\" must be a string or null",
						name),
				 errhint("The kinds are: %s; null leaves the column out.",
						 list_names(kind_names, N_KINDS))));
	word = pnstrdup(value->val.string.val, value->val.string.len);
	found = find_name(kind_names, N_KINDS, word);
	if (found < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown kind \"%s\" of column \"%s\"", word, name),
				 errhint("The kinds are: %s; null leaves the column out.",
						 list_names(kind_names, N_KINDS))));
	*kind = found;
	*said = true;
	return true;
}

static void
check_columns(Oid relation, Jsonb *columns)
{
	JsonbIterator *it;
	JsonbValue value;
	JsonbIteratorToken token;

	if (columns == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(columns))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("columns must be a json object"),
				 errhint(
					 "Give columns their kinds, as in '{\"place\": \"text\", \"remark\": null}'.")));
	it = JsonbIteratorInit(&columns->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		char *name;

		if (token != WJB_KEY)
			continue;
		name = pnstrdup(value.val.string.val, value.val.string.len);
		if (get_attnum(relation, name) <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of relation \"%s\" does not exist",
							name, get_rel_name(relation))));
	}
}

static void
add_comparison(MatchModel *model, Column *columns, const Column *column,
			   MatchKind kind)
{
	MatchComparison *comparison = &model->comparisons[model->n];

	columns[model->n] = *column;
	comparison->column = column->name;
	comparison->kind = kind;
	comparison->partner = -1;
	comparison->term_frequency = true;
	/* the suggestion: a first name, and when somebody was born */
	comparison->personal =
		kind == KIND_DATE || (kind == KIND_NAME && column->given);
	model->n++;
}

static void
drop_comparison(MatchModel *model, Column *columns, int c)
{
	for (int i = c + 1; i < model->n; i++)
	{
		model->comparisons[i - 1] = model->comparisons[i];
		columns[i - 1] = columns[i];
	}
	model->n--;
}

/* Two columns whose values may have been taken for one another */
static void
pair_up(MatchModel *model, int a, int b)
{
	model->comparisons[a].with = model->comparisons[b].column;
	model->comparisons[a].partner = b;
}

static void
find_pairs(MatchModel *model, Column *columns)
{
	int given = -1;
	int surname = -1;
	int addresses = 0;
	int address[2];

	for (int c = 0; c < model->n; c++)
	{
		if (columns[c].given && given < 0)
			given = c;
		if (columns[c].surname && surname < 0)
			surname = c;
		if (model->comparisons[c].kind == KIND_ADDRESS && addresses < 2)
			address[addresses++] = c;
	}
	if (given >= 0 && surname >= 0)
		pair_up(model, given, surname);
	if (addresses == 2)
		pair_up(model, address[0], address[1]);
	if (given < 0 || surname < 0)
		return;
	/* the whole says nothing that its parts do not */
	for (int c = model->n - 1; c >= 0; c--)
	{
		if (model->comparisons[c].kind == KIND_FULL_NAME)
			drop_comparison(model, columns, c);
	}
}

/* One column of the relation, if it is of use. */
static void
consider(MatchModel *model, Column *columns, Oid relation,
		 Form_pg_attribute attribute, Jsonb *wishes)
{
	Column column = { .name = pstrdup(NameStr(attribute->attname)),
					  .type = getBaseType(attribute->atttypid) };
	MatchKind kind = KIND_TEXT;
	bool said;

	if (attribute->attisdropped || strcmp(column.name, model->id) == 0 ||
		is_reserved_column(column.name) || model->n == MAX_COMPARISONS ||
		!ask_caller(wishes, column.name, &kind, &said) ||
		(!said && !is_comparable(column.type)))
		return;
	column.plain = plain_name(column.name);
	if (!said)
	{
		take_look(relation, model->id, &column);
		if (is_useless(&column))
			return;
		kind = kind_of(&column);
	}
	else if (kind == KIND_NAME)
		kind_of_name(&column);
	add_comparison(model, columns, &column, kind);
}

static void
drop_partners(MatchModel *model)
{
	for (int c = 0; c < model->n; c++)
	{
		MatchComparison *comparison = &model->comparisons[c];

		if (comparison->with != NULL)
			comparison->partner = model_comparison(model, comparison->with);
		default_levels(comparison);
		if (comparison->with != NULL)
			comparison->swapped = 2;
	}
}

MatchModel *
suggest_model(Oid relation, const char *id, Jsonb *wishes)
{
	MatchModel *model = palloc0(sizeof(MatchModel));
	Column *columns = palloc0((MAX_COMPARISONS + 1) * sizeof(Column));
	MemoryContext mine = CurrentMemoryContext;
	Relation rel;
	TupleDesc desc;

	model->id = pstrdup(id);
	model->block_limit = DEFAULT_BLOCK_LIMIT;
	rel = relation_open(relation, AccessShareLock);
	desc = CreateTupleDescCopy(RelationGetDescr(rel));
	relation_close(rel, NoLock);
	if (get_attnum(relation, id) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist", id,
						get_rel_name(relation)),
				 errhint("id names the column that identifies a record.")));
	check_columns(relation, wishes);
	SPI_connect();
	MemoryContextSwitchTo(mine);
	for (int i = 0; i < desc->natts; i++)
		consider(model, columns, relation, TupleDescAttr(desc, i), wishes);
	SPI_finish();
	if (model->n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("relation \"%s\" has no columns to compare",
						get_rel_name(relation)),
				 errdetail(
					 "A column with fewer than two different values says nothing of who is who.")));
	find_pairs(model, columns);
	drop_partners(model);
	choose_rules(model, records_load(model, relation, InvalidOid));
	return model;
}
