/*
 * options.c
 *		The storage parameters of a similarity index.
 *
 * All of them live in reloptions and none in a GUC: they travel with the
 * table to dumps, standbys and other nodes.
 */
#include "postgres.h"

#include "access/reloptions.h"

#include "similarity/options.h"
#include "similarity/similarity.h"

#define DEFAULT_NEIGHBORS 100
#define DEFAULT_HISTORY 200
#define DEFAULT_MIN_SUPPORT 1
#define DEFAULT_RETRAIN_AFTER 0.1
#define DEFAULT_SUBJECT_EXPONENT 0.5
#define DEFAULT_POPULARITY_EXPONENT 0.35
#define DEFAULT_SHARPNESS 1.3

static relopt_kind sim_relopt_kind;

void
sim_register_options(void)
{
	LOCKMODE lock = ShareUpdateExclusiveLock;

	sim_relopt_kind = add_reloption_kind();
	add_int_reloption(sim_relopt_kind, "neighbors",
					  "Length of an item's neighbor list", DEFAULT_NEIGHBORS, 1,
					  SIM_MAX_NEIGHBORS, lock);
	add_int_reloption(sim_relopt_kind, "history",
					  "Most recent items of a subject that count",
					  DEFAULT_HISTORY, 1, 10000, lock);
	add_int_reloption(sim_relopt_kind, "min_support",
					  "Fewest subjects that make a pair of items neighbors",
					  DEFAULT_MIN_SUPPORT, 1, INT_MAX, lock);
	add_real_reloption(sim_relopt_kind, "retrain_after",
					   "Share of changed interactions at which VACUUM retrains, 0 for never",
					   DEFAULT_RETRAIN_AFTER, 0, 100, lock);
	add_real_reloption(sim_relopt_kind, "subject_exponent",
					   "How much less a subject with many items counts",
					   DEFAULT_SUBJECT_EXPONENT, 0, 2, lock);
	add_real_reloption(sim_relopt_kind, "popularity_exponent",
					   "How much less a popular item counts",
					   DEFAULT_POPULARITY_EXPONENT, 0, 2, lock);
	add_real_reloption(sim_relopt_kind, "sharpness",
					   "How much more the strongest neighbors count",
					   DEFAULT_SHARPNESS, 0.1, 10, lock);
}

#define OPTION(name, type)                   \
	{                                        \
		.optname = #name, .opttype = type,   \
		.offset = offsetof(SimOptions, name) \
	}

bytea *
sim_parse_options(Datum reloptions, bool validate)
{
	static const relopt_parse_elt tab[] = {
		OPTION(neighbors, RELOPT_TYPE_INT),
		OPTION(history, RELOPT_TYPE_INT),
		OPTION(min_support, RELOPT_TYPE_INT),
		OPTION(retrain_after, RELOPT_TYPE_REAL),
		OPTION(subject_exponent, RELOPT_TYPE_REAL),
		OPTION(popularity_exponent, RELOPT_TYPE_REAL),
		OPTION(sharpness, RELOPT_TYPE_REAL)
	};

	return (bytea *) build_reloptions(reloptions, validate, sim_relopt_kind,
									  sizeof(SimOptions), tab, lengthof(tab));
}

const SimOptions *
sim_options(Relation index)
{
	static const SimOptions defaults = { 0,
										 DEFAULT_NEIGHBORS,
										 DEFAULT_HISTORY,
										 DEFAULT_MIN_SUPPORT,
										 DEFAULT_RETRAIN_AFTER,
										 DEFAULT_SUBJECT_EXPONENT,
										 DEFAULT_POPULARITY_EXPONENT,
										 DEFAULT_SHARPNESS };

	if (index->rd_options)
		return (const SimOptions *) index->rd_options;
	return &defaults;
}
