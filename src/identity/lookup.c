/*
 * lookup.c
 *		Who an identifier is, and what identifies a person.  Nothing is written
 *		here, so that standbys answer too.
 */
#include "postgres.h"

#include "common/args.h"
#include "funcapi.h"
#include "identity/identity.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(personalize_person_of);
PG_FUNCTION_INFO_V1(personalize_resolve_person);
PG_FUNCTION_INFO_V1(personalize_identifiers_of);

Datum
personalize_person_of(PG_FUNCTION_ARGS)
{
	const Graph *graph = readable_graph(fcinfo);
	int type = graph_type(graph, text_argument(fcinfo, 1, "type"));
	Tables tables;
	Vertex vertex;
	bool found;

	if (PG_ARGISNULL(2))
		PG_RETURN_NULL();
	tables_open(&tables, graph, GetActiveSnapshot());
	found = vertex_by_value(&tables, type,
							normal_value(&graph->types[type],
										 text_argument(fcinfo, 2, "value")),
							&vertex) &&
			vertex.state == VERTEX_ACTIVE &&
			(vertex.root == vertex.id ||
			 vertex_by_id(&tables, vertex.root, &vertex));
	tables_close(&tables);
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_INT64(vertex.person);
}

/* More takeovers than anybody sees; it only keeps a circle from being endless */
#define MAX_SUCCESSORS 100

/*
 * The root of the person that has or had a number.  A person's number is that
 * of one of its identifiers, so every number leads to where that one is now; or,
 * if that one is nobody's any more, to who took over.
 */
static bool
root_of_person(Tables *tables, int64 person, Vertex *root)
{
	for (int i = 0; i < MAX_SUCCESSORS && person != 0; i++)
	{
		if (!vertex_by_id(tables, person, root) ||
			root->graph_id != tables->graph->id)
			return false;
		if (root->state == VERTEX_ACTIVE)
			return root->root == root->id ||
				   vertex_by_id(tables, root->root, root);
		person = successor(tables, person);
	}
	return false;
}

Datum
personalize_resolve_person(PG_FUNCTION_ARGS)
{
	const Graph *graph = readable_graph(fcinfo);
	Tables tables;
	Vertex root;
	bool found;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	tables_open(&tables, graph, GetActiveSnapshot());
	found = root_of_person(&tables, PG_GETARG_INT64(1), &root);
	tables_close(&tables);
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_INT64(root.person);
}

Datum
personalize_identifiers_of(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const Graph *graph = readable_graph(fcinfo);
	Tables tables;
	TableScan scan;
	Vertex vertex;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	tables_open(&tables, graph, GetActiveSnapshot());
	if (root_of_person(&tables, PG_GETARG_INT64(1), &vertex))
	{
		members_begin(&scan, &tables, vertex.root);
		while (member_next(&scan, &vertex))
		{
			Datum values[3];
			bool nulls[3] = { false };

			CHECK_FOR_INTERRUPTS();
			values[0] = CStringGetTextDatum(graph->types[vertex.type].name);
			values[1] = CStringGetTextDatum(vertex.value);
			values[2] = vertex.original != NULL ?
							CStringGetTextDatum(vertex.original) :
							values[1];
			tuplestore_putvalues(result->setResult, result->setDesc, values,
								 nulls);
		}
		scan_end(&scan);
	}
	tables_close(&tables);
	PG_RETURN_NULL();
}
