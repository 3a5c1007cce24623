/*
 * lookup.c
 *		person_of(): who an identifier is.
 */
#include "postgres.h"

#include "common/args.h"
#include "identity/identity.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(personalize_person_of);

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
