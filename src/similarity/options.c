/*
 * options.c
 *		The storage parameters of a similarity index.
 *
 * All of them live in reloptions and none in a GUC: they travel with the
 * table to dumps, standbys and other nodes.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/reloptions.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "common/args.h"
#include "similarity/options.h"
#include "similarity/similarity.h"

static relopt_kind sim_relopt_kind;

/* What holds without a parameter; SIM_UNSET is for the training to choose. */
static const SimOptions defaults = { .history = 200,
									 .min_support = 1,
									 .retrain_after = 0.1,
									 .method = SIM_METHOD_AUTO,
									 .neighbors = SIM_UNSET,
									 .subject_exponent = SIM_UNSET,
									 .popularity_exponent = SIM_UNSET,
									 .sharpness = SIM_UNSET,
									 .two_step_weight = SIM_UNSET,
									 .two_step_popularity_exponent = SIM_UNSET,
									 .two_step_sharpness = SIM_UNSET,
									 .two_step_neighbors = SIM_UNSET,
									 .ridge_penalty = SIM_UNSET,
									 .ridge_sources = SIM_UNSET,
									 .low_pass = SIM_UNSET,
									 .low_pass_factors = SIM_UNSET,
									 .low_pass_subject_exponent = SIM_UNSET,
									 .low_pass_item_exponent = SIM_UNSET,
									 .low_pass_source_exponent = SIM_UNSET,
									 .low_pass_target_exponent = SIM_UNSET,
									 .low_pass_spectrum = SIM_UNSET,
									 .tuning_budget = 60,
									 .seed = 0,
									 .direction = SIM_DIRECTION_BOTH,
									 .forward_window = 10,
									 .forward_decay = 0.7,
									 .backward_weight = 0.3,
									 .postings = false };

typedef struct Parameter
{
	const char *name;
	const char *description;
	relopt_type type;
	int offset;
	double min; /* of a number */
	double max;
	relopt_enum_elt_def *values; /* of an enum */
	const char *detail;
} Parameter;

static relopt_enum_elt_def methods[] = { { "auto", SIM_METHOD_AUTO },
										 { "cooccurrence",
										   SIM_METHOD_COOCCURRENCE },
										 { "sharpened", SIM_METHOD_SHARPENED },
										 { "ridge", SIM_METHOD_RIDGE },
										 { NULL, 0 } };

static relopt_enum_elt_def directions[] = { { "both", SIM_DIRECTION_BOTH },
											{ "forward",
											  SIM_DIRECTION_FORWARD },
											{ NULL, 0 } };

static relopt_enum_elt_def strength_scales[] = { { "log", SIM_STRENGTH_LOG },
												 { "raw", SIM_STRENGTH_RAW },
												 { "none", SIM_STRENGTH_NONE },
												 { NULL, 0 } };

#define INT(name, min, max, description)                                      \
	{                                                                         \
#name, description, RELOPT_TYPE_INT, offsetof(SimOptions, name), min, \
			max, NULL, NULL                                                   \
	}
#define REAL(name, min, max, description)                                      \
	{                                                                          \
#name, description, RELOPT_TYPE_REAL, offsetof(SimOptions, name), min, \
			max, NULL, NULL                                                    \
	}
#define BOOL(name, description)                                              \
	{                                                                        \
#name, description, RELOPT_TYPE_BOOL, offsetof(SimOptions, name), 0, \
			0, NULL, NULL                                                    \
	}
#define ENUM(name, values, detail, description)                              \
	{                                                                        \
#name, description, RELOPT_TYPE_ENUM, offsetof(SimOptions, name), 0, \
			0, values, detail                                                \
	}

static const Parameter parameters[] = {
	INT(history, 1, 10000, "Most recent items of a subject that count"),
	INT(min_support, 1, INT_MAX,
		"Fewest subjects that make a pair of items neighbors"),
	REAL(retrain_after, 0, 100,
		 "Share of changed interactions at which VACUUM retrains, 0 for never"),
	ENUM(method, methods,
		 "Valid values are \"auto\", \"cooccurrence\", \"sharpened\" and \"ridge\".",
		 "How similarities are computed"),
	INT(neighbors, 1, SIM_MAX_NEIGHBORS, "Length of an item's neighbor list"),
	REAL(subject_exponent, 0, 2,
		 "How much less a subject with many items counts"),
	REAL(popularity_exponent, 0, 2, "How much less a popular item counts"),
	REAL(sharpness, 0.1, 10, "How much more the strongest neighbors count"),
	REAL(two_step_weight, 0, 2,
		 "How much of what two steps explain is subtracted"),
	REAL(two_step_popularity_exponent, 0, 2,
		 "popularity_exponent of the second step"),
	REAL(two_step_sharpness, 0.1, 10, "sharpness of the second step"),
	INT(two_step_neighbors, 1, SIM_MAX_NEIGHBORS,
		"Neighbors that the second step takes into account"),
	REAL(ridge_penalty, 1e-6, 1e6, "Penalty of the ridge regression"),
	INT(ridge_sources, 1, SIM_MAX_NEIGHBORS,
		"Items that the regression of an item takes into account"),
	REAL(low_pass, 0, 100, "Weight of the low-pass part, 0 for none"),
	INT(low_pass_factors, 1, 1024, "Dimensions of the low-pass part"),
	REAL(low_pass_subject_exponent, 0, 2,
		 "subject_exponent of the low-pass part"),
	REAL(low_pass_item_exponent, 0, 2,
		 "How much less a popular item counts in the low-pass part"),
	REAL(low_pass_source_exponent, -2, 2,
		 "How much less a popular source counts in the low-pass part"),
	REAL(low_pass_target_exponent, -2, 2,
		 "How much more a popular target counts in the low-pass part"),
	REAL(low_pass_spectrum, -2, 2,
		 "How much more the strongest dimensions count"),
	REAL(tuning_budget, 0, 86400,
		 "Seconds that the choice of parameters may take"),
	INT(seed, 0, INT_MAX, "Which samples are drawn"),
	ENUM(direction, directions, "Valid values are \"both\" and \"forward\".",
		 "Whether the order of interactions counts"),
	INT(forward_window, 1, 1000, "Steps that a directed pair may be apart"),
	REAL(forward_decay, 0, 1, "Weight of a pair for each step further apart"),
	REAL(backward_weight, 0, 1, "Weight of a directed pair the other way"),
	BOOL(postings, "Whether items know their recent subjects"),
	ENUM(strength_scale, strength_scales,
		 "Valid values are \"log\", \"raw\" and \"none\".",
		 "What of an interaction's strength counts"),
	BOOL(training_strength, "Whether strengths count in training"),
	{ "training_half_life",
	  "Age of an interaction at which it counts half in training",
	  RELOPT_TYPE_STRING, offsetof(SimOptions, training_half_life), 0, 0, NULL,
	  NULL }
};

/* Microseconds, as arg_half_life() has them. */
static double
parse_half_life(const char *text)
{
	Datum interval =
		DirectFunctionCall3(interval_in, CStringGetDatum(text),
							ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	double us = interval_us(DatumGetIntervalP(interval));

	if (us <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("training_half_life must be positive"),
				 errdetail("training_half_life is \"%s\".", text),
				 errhint(
					 "Set the age at which an interaction counts half, such as '180 days'.")));
	return us;
}

static void
check_half_life(const char *value)
{
	if (value)
		(void) parse_half_life(value);
}

static void
register_parameter(const Parameter *p)
{
	LOCKMODE lock = ShareUpdateExclusiveLock;
	const char *value = (const char *) &defaults + p->offset;

	switch (p->type)
	{
		case RELOPT_TYPE_INT:
			add_int_reloption(sim_relopt_kind, p->name, p->description,
							  *(const int *) value, p->min, p->max, lock);
			break;
		case RELOPT_TYPE_REAL:
			add_real_reloption(sim_relopt_kind, p->name, p->description,
							   *(const double *) value, p->min, p->max, lock);
			break;
		case RELOPT_TYPE_BOOL:
			add_bool_reloption(sim_relopt_kind, p->name, p->description,
							   *(const bool *) value, lock);
			break;
		case RELOPT_TYPE_ENUM:
			add_enum_reloption(sim_relopt_kind, p->name, p->description,
							   p->values, *(const int *) value, p->detail,
							   lock);
			break;
		case RELOPT_TYPE_STRING:
			add_string_reloption(sim_relopt_kind, p->name, p->description, NULL,
								 check_half_life, lock);
			break;
		default:
			elog(ERROR, "unexpected type of parameter \"%s\"", p->name);
	}
}

void
sim_register_options(void)
{
	int i;

	sim_relopt_kind = add_reloption_kind();
	for (i = 0; i < (int) lengthof(parameters); i++)
		register_parameter(&parameters[i]);
}

bytea *
sim_parse_options(Datum reloptions, bool validate)
{
	relopt_parse_elt table[lengthof(parameters)];
	int i;

	memset(table, 0, sizeof(table));
	for (i = 0; i < (int) lengthof(parameters); i++)
	{
		table[i].optname = parameters[i].name;
		table[i].opttype = parameters[i].type;
		table[i].offset = parameters[i].offset;
	}
	return (bytea *) build_reloptions(reloptions, validate, sim_relopt_kind,
									  sizeof(SimOptions), table,
									  lengthof(table));
}

const SimOptions *
sim_default_options(void)
{
	return &defaults;
}

const SimOptions *
sim_options(Relation index)
{
	if (index->rd_options)
		return (const SimOptions *) index->rd_options;
	return &defaults;
}

/* In microseconds; 0 for none.  Not of a copy: the text stands behind. */
double
sim_training_half_life(const SimOptions *options)
{
	if (options->training_half_life == 0)
		return 0;
	return parse_half_life((const char *) options +
						   options->training_half_life);
}

/* What a strength weighs. */
double
sim_strength_weight(int scale, double strength)
{
	switch (scale)
	{
		case SIM_STRENGTH_LOG:
			return log2(1 + Min(strength, DBL_MAX / 2));
		case SIM_STRENGTH_RAW:
			return strength;
		default:
			return 1;
	}
}
