/*
 * stitch.c
 *		stitch(): the connected components of a query's edges, in SQL.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "component/component.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(personalize_stitch);
PG_FUNCTION_INFO_V1(personalize_stitch_typed);

#define ROWS_PER_CHECK 1024
#define FETCH_DISTANCE 16

/* ---- the query ---- */

/* Plan the query and check what it returns, before anything of it runs. */
static SPIPlanPtr
prepare_query(const char *query, const NodeType *node_type)
{
	SPIPlanPtr plan =
		SPI_prepare_cursor(query, 0, NULL, CURSOR_OPT_PARALLEL_OK);
	List *sources;
	CachedPlanSource *source;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s",
			 SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	source = list_length(sources) == 1 ? linitial(sources) : NULL;
	if (source == NULL || source->resultDesc == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("query must be one statement that returns rows"),
				 errhint(
					 "Pass a query, as in stitch('SELECT a, b FROM edges').")));
	columns_check(source->resultDesc, node_type);
	return plan;
}

/* As the caller, with the caller's rights, and a snapshot of its own. */
static void
read_edges(const char *query, const NodeType *node_type, Forest *forest)
{
	EdgeReceiver receiver;
	SPIExecuteOptions options;
	int code;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	edge_receiver_init(&receiver, forest, node_type);
	memset(&options, 0, sizeof(options));
	options.dest = &receiver.pub;
	code = SPI_execute_plan_extended(prepare_query(query, node_type), &options);
	if (code < 0)
		elog(ERROR, "SPI_execute_plan_extended failed: %s",
			 SPI_result_code_string(code));
	forest_finish(forest);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

/* ---- the answer ---- */

/* The value of a node; *room holds it if it is a uuid. */
static inline Datum
node_datum(const ForestNode *node, Oid base, NodeKey *room)
{
	switch (base)
	{
		case INT8OID:
			return Int64GetDatum((int64) node->key[0]);
		case INT4OID:
			return Int32GetDatum((int32) node->key[0]);
		case INT2OID:
			return Int16GetDatum((int16) node->key[0]);
		case UUIDOID:
			room->high = pg_hton64(node->key[0]);
			room->low = pg_hton64(node->key[1]);
			return PointerGetDatum(room);
		default:
			return PointerGetDatum((void *) (uintptr_t) node->key[0]);
	}
}

/* What row i will need. */
static inline void
fetch_row(const Forest *forest, uint32 i)
{
	fetch_ahead(forest_node(forest, forest->kind,
							forest_node(forest, forest->kind, i)->parent));
}

static void
return_rows(const Forest *forest, const NodeType *node_type,
			ReturnSetInfo *result)
{
	bool domain = node_type->type != node_type->base;
	MemoryContext row_context =
		AllocSetContextCreate(forest->budget.context, "stitch row",
							  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(row_context);
	void *domain_cache = NULL;
	NodeKey room[2];
	Datum values[2];
	bool nulls[2] = { false, false };

	for (uint32 i = 0; i < forest->n; i++)
	{
		ForestNode *node = forest_node(forest, forest->kind, i);
		ForestNode *root = forest_node(forest, forest->kind, node->parent);

		if (i % ROWS_PER_CHECK == 0)
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(row_context);
		}
		if (forest->n - i > FETCH_DISTANCE)
			fetch_row(forest, i + FETCH_DISTANCE);
		values[0] = node_datum(node, node_type->base, &room[0]);
		values[1] = node_datum(root, node_type->base, &room[1]);
		if (domain)
			domain_check(values[0], false, node_type->type, &domain_cache,
						 forest->budget.context);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	MemoryContextSwitchTo(caller);
}

static void
stitch(FunctionCallInfo fcinfo, Oid type)
{
	MemoryContext context;
	NodeType node_type;
	Forest forest;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("query must not be null"),
				 errhint(
					 "Pass a query, as in stitch('SELECT a, b FROM edges').")));
	node_type_init(&node_type, type);
	InitMaterializedSRF(fcinfo, 0);

	context = AllocSetContextCreate(CurrentMemoryContext, "stitch",
									ALLOCSET_DEFAULT_SIZES);
	forest_init(&forest, node_type.kind, context);
	read_edges(text_to_cstring(PG_GETARG_TEXT_PP(0)), &node_type, &forest);
	return_rows(&forest, &node_type, (ReturnSetInfo *) fcinfo->resultinfo);
	MemoryContextDelete(context);
}

Datum
personalize_stitch(PG_FUNCTION_ARGS)
{
	stitch(fcinfo, INT8OID);
	return (Datum) 0;
}

Datum
personalize_stitch_typed(PG_FUNCTION_ARGS)
{
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, 1);

	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the type of the nodes"),
				 errhint("Use stitch(query, NULL::text) or another type.")));
	stitch(fcinfo, type);
	return (Datum) 0;
}
