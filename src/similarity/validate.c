/*
 * validate.c
 *		Checking operator classes of the similarity access method.
 *
 * The access method compares keys by the hash and equality of their type, so
 * an operator class has neither operators nor support functions: it only says
 * for which type there is one.  One for anyelement serves every type.
 */
#include "postgres.h"

#include "access/amvalidate.h"
#include "access/htup_details.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "similarity/similarity.h"

static bool
complain(const char *name, const char *what)
{
	ereport(INFO,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("operator class \"%s\" of access method %s %s", name,
					"similarity", what)));
	return false;
}

static bool
family_is_empty(Oid family, const char *name)
{
	CatCList *operators;
	CatCList *functions;
	bool valid = true;

	operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(family));
	functions = SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(family));
	if (operators->n_members > 0)
		valid =
			complain(name,
					 "is in a family with operators, of which it uses none");
	if (functions->n_members > 0)
		valid =
			complain(name,
					 "is in a family with support functions, of which it uses none");
	ReleaseCatCacheList(operators);
	ReleaseCatCacheList(functions);
	return valid;
}

/* A concrete input type must be one that can be a key. */
static bool
type_can_be_key(Oid type, const char *name)
{
	TypeCacheEntry *entry;

	if (IsPolymorphicType(type))
		return true;
	entry = lookup_type_cache(type, TYPECACHE_HASH_PROC | TYPECACHE_EQ_OPR);
	if (OidIsValid(entry->hash_proc) && OidIsValid(entry->eq_opr))
		return true;
	return complain(name,
					psprintf("is for type %s, which cannot be hashed",
							 format_type_be(type)));
}

bool
sim_validate(Oid opclass)
{
	HeapTuple tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));
	Form_pg_opclass form;
	bool valid;
	char *name;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u", opclass);
	form = (Form_pg_opclass) GETSTRUCT(tuple);
	name = NameStr(form->opcname);
	valid = family_is_empty(form->opcfamily, name);
	if (!type_can_be_key(form->opcintype, name))
		valid = false;
	if (OidIsValid(form->opckeytype) && form->opckeytype != form->opcintype)
		valid = complain(name, "stores another type than it takes");
	ReleaseSysCache(tuple);
	return valid;
}
