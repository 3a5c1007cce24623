/*
 * candidates.c
 *		similarity_candidates(): what an index keeps of a choice.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "common/args.h"
#include "tuning/tuning.h"

PG_FUNCTION_INFO_V1(personalize_similarity_candidates);

/* The columns that tune() has too. */
void
sim_candidate_values(int number, const SimCandidateParams *candidate,
					 Datum *values)
{
	values[0] = Int32GetDatum(number);
	values[1] = DirectFunctionCall1(jsonb_in,
									CStringGetDatum(
										sim_params_json(&candidate->params)));
	values[2] = Float8GetDatum(candidate->ndcg);
	values[3] = Float8GetDatum(candidate->recall);
	values[4] = Float8GetDatum(candidate->hit_rate);
	values[5] = Float8GetDatum(candidate->mrr);
	values[6] = Float8GetDatum(candidate->precision);
	values[7] = Float8GetDatum(candidate->cost);
	values[8] = Float8GetDatum(candidate->cpu);
	values[9] = BoolGetDatum(candidate->chosen);
}

Datum
personalize_similarity_candidates(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Relation heap;
	Relation index = index_open(sim_source_index(arg_source(fcinfo, 0),
												 AccessShareLock, &heap),
								AccessShareLock);
	SimCandidateParams *candidates;
	SimIndex ix;
	SimMeta meta;
	uint32 n;
	uint32 i;

	sim_check_readable(heap, index);
	sim_index_open(&ix, index);
	sim_read_meta(&ix, &meta);
	candidates = sim_read_candidates(&ix, &meta.choice, &n);
	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < n; i++)
	{
		Datum values[SIM_CANDIDATE_COLUMNS];
		bool nulls[SIM_CANDIDATE_COLUMNS] = { false };

		sim_candidate_values(i + 1, &candidates[i], values);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	index_close(index, AccessShareLock);
	relation_close(heap, AccessShareLock);
	return (Datum) 0;
}
