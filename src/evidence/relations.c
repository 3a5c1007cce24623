/*
 * relations.c
 *		The tables and indexes of identity graphs, by their numbers.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "evidence/evidence.h"
#include "utils/lsyscache.h"

/* A table, index or sequence of the extension's schema. */
Oid
table_of(const char *name)
{
	Oid schema = get_namespace_oid("personalize", false);
	Oid oid = get_relname_relid(name, schema);

	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"personalize.%s\" does not exist", name),
				 errhint("Create the extension anew, or ALTER EXTENSION personalize UPDATE.")));
	return oid;
}

void
relation_ids_read(RelationIds *ids)
{
	ids->graph = table_of("identity_graph");
	ids->vertex = table_of("identity_vertex");
	ids->vertex_pkey = table_of("identity_vertex_pkey");
	ids->vertex_value = table_of("identity_vertex_value_key");
	ids->vertex_root = table_of("identity_vertex_root_idx");
	ids->vertex_apart = table_of("identity_vertex_apart_idx");
	ids->evidence = table_of("identity_evidence");
	ids->evidence_pkey = table_of("identity_evidence_pkey");
	ids->evidence_b = table_of("identity_evidence_b_idx");
	ids->apart = table_of("identity_apart");
	ids->apart_pkey = table_of("identity_apart_pkey");
	ids->apart_b = table_of("identity_apart_b_idx");
	ids->log = table_of("identity_log");
	ids->log_former = table_of("identity_log_former_idx");
}
