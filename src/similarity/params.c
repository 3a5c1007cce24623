/*
 * params.c
 *		The parameters of a model, where the user leaves them open.
 */
#include "postgres.h"

#include "similarity/similarity.h"

/*
 * What small tables are trained by, and where a choice begins.  The last part
 * is used by other methods and if low_pass is set.
 */
const SimParams sim_default_params = { .method = SIM_METHOD_COOCCURRENCE,
									   .neighbors = 100,
									   .subject_exponent = 0.5,
									   .popularity_exponent = 0.35,
									   .sharpness = 1.3,
									   .two_step_weight = 0.6,
									   .two_step_popularity_exponent = 0.5,
									   .two_step_sharpness = 1.6,
									   .two_step_neighbors = 50,
									   .ridge_penalty = 0.3,
									   .ridge_sources = 100,
									   .low_pass = 0,
									   .low_pass_factors = 256,
									   .low_pass_subject_exponent = 0.6,
									   .low_pass_item_exponent = 0.4,
									   .low_pass_source_exponent = 0.5,
									   .low_pass_target_exponent = 0.05,
									   .low_pass_spectrum = -0.5 };

static void
set_int(int32 *param, int option)
{
	if (option != SIM_UNSET)
		*param = option;
}

static void
set_real(double *param, double option)
{
	if (option != SIM_UNSET)
		*param = option;
}

/* What the user has set is obeyed, whatever was chosen. */
void
sim_params_set(SimParams *params, const SimOptions *options)
{
	if (options->method != SIM_METHOD_AUTO)
		params->method = options->method;
	set_int(&params->neighbors, options->neighbors);
	set_real(&params->subject_exponent, options->subject_exponent);
	set_real(&params->popularity_exponent, options->popularity_exponent);
	set_real(&params->sharpness, options->sharpness);
	set_real(&params->two_step_weight, options->two_step_weight);
	set_real(&params->two_step_popularity_exponent,
			 options->two_step_popularity_exponent);
	set_real(&params->two_step_sharpness, options->two_step_sharpness);
	set_int(&params->two_step_neighbors, options->two_step_neighbors);
	set_real(&params->ridge_penalty, options->ridge_penalty);
	set_int(&params->ridge_sources, options->ridge_sources);
	set_real(&params->low_pass, options->low_pass);
	set_int(&params->low_pass_factors, options->low_pass_factors);
	set_real(&params->low_pass_subject_exponent,
			 options->low_pass_subject_exponent);
	set_real(&params->low_pass_item_exponent, options->low_pass_item_exponent);
	set_real(&params->low_pass_source_exponent,
			 options->low_pass_source_exponent);
	set_real(&params->low_pass_target_exponent,
			 options->low_pass_target_exponent);
	set_real(&params->low_pass_spectrum, options->low_pass_spectrum);
}
