/*
 * params.c
 *		The parameters of a model, where the user leaves them open.
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"

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

/* ---- the parameters by name, for what treats them all alike ---- */

/* Which formula a parameter belongs to. */
typedef enum Part
{
	PART_ALL,
	PART_TWO_STEP,
	PART_RIDGE,
	PART_LOW_PASS
} Part;

typedef struct Parameter
{
	const char *name;
	bool integer;
	Part part;
	Size param;	 /* offset in SimParams */
	Size option; /* offset in SimOptions */
} Parameter;

#define INT(name, part)                               \
	{                                                 \
#name, true, part, offsetof(SimParams, name), \
			offsetof(SimOptions, name)                \
	}
#define REAL(name, part)                               \
	{                                                  \
#name, false, part, offsetof(SimParams, name), \
			offsetof(SimOptions, name)                 \
	}

static const Parameter parameters[] = {
	INT(neighbors, PART_ALL),
	REAL(subject_exponent, PART_ALL),
	REAL(popularity_exponent, PART_ALL),
	REAL(sharpness, PART_ALL),
	REAL(two_step_weight, PART_TWO_STEP),
	REAL(two_step_popularity_exponent, PART_TWO_STEP),
	REAL(two_step_sharpness, PART_TWO_STEP),
	INT(two_step_neighbors, PART_TWO_STEP),
	REAL(ridge_penalty, PART_RIDGE),
	INT(ridge_sources, PART_RIDGE),
	REAL(low_pass, PART_ALL),
	INT(low_pass_factors, PART_LOW_PASS),
	REAL(low_pass_subject_exponent, PART_LOW_PASS),
	REAL(low_pass_item_exponent, PART_LOW_PASS),
	REAL(low_pass_source_exponent, PART_LOW_PASS),
	REAL(low_pass_target_exponent, PART_LOW_PASS),
	REAL(low_pass_spectrum, PART_LOW_PASS)
};

static const char *const method_names[] = { "auto", "cooccurrence", "sharpened",
											"ridge" };

const char *
sim_method_name(int method)
{
	return method_names[method];
}

static int32 *
int_param(const SimParams *params, const Parameter *p)
{
	return (int32 *) ((char *) params + p->param);
}

static double *
real_param(const SimParams *params, const Parameter *p)
{
	return (double *) ((char *) params + p->param);
}

static bool
is_set(const SimOptions *options, const Parameter *p)
{
	const char *option = (const char *) options + p->option;

	if (p->integer)
		return *(const int *) option != SIM_UNSET;
	return *(const double *) option != SIM_UNSET;
}

/* Does the formula of these parameters use this one? */
static bool
uses(const SimParams *params, const Parameter *p)
{
	switch (p->part)
	{
		case PART_TWO_STEP:
			return params->method == SIM_METHOD_SHARPENED;
		case PART_RIDGE:
			return params->method == SIM_METHOD_RIDGE;
		case PART_LOW_PASS:
			return params->low_pass > 0;
		default:
			return true;
	}
}

/* What the user has set is obeyed, whatever was chosen. */
void
sim_params_set(SimParams *params, const SimOptions *options)
{
	int i;

	if (options->method != SIM_METHOD_AUTO)
		params->method = options->method;
	for (i = 0; i < (int) lengthof(parameters); i++)
	{
		const Parameter *p = &parameters[i];
		const char *option = (const char *) options + p->option;

		if (!is_set(options, p))
			continue;
		if (p->integer)
			*int_param(params, p) = *(const int *) option;
		else
			*real_param(params, p) = *(const double *) option;
	}
}

/* Which parameters the user has set, a bit each, the lowest for the method. */
uint32
sim_params_fixed(const SimOptions *options)
{
	uint32 fixed = options->method != SIM_METHOD_AUTO;
	int i;

	for (i = 0; i < (int) lengthof(parameters); i++)
		if (is_set(options, &parameters[i]))
			fixed |= 2U << i;
	return fixed;
}

/* Is nothing of the formula left to choose? */
bool
sim_params_all_fixed(const SimParams *params, const SimOptions *options)
{
	int i;

	if (options->method == SIM_METHOD_AUTO)
		return false;
	for (i = 0; i < (int) lengthof(parameters); i++)
		if (uses(params, &parameters[i]) && !is_set(options, &parameters[i]))
			return false;
	return true;
}

/* Do both stand for the same formula?  What it does not use may differ. */
bool
sim_params_equal(const SimParams *a, const SimParams *b)
{
	int i;

	if (a->method != b->method)
		return false;
	for (i = 0; i < (int) lengthof(parameters); i++)
	{
		const Parameter *p = &parameters[i];

		if (!uses(a, p) && !uses(b, p))
			continue;
		if (p->integer ? *int_param(a, p) != *int_param(b, p) :
						 *real_param(a, p) != *real_param(b, p))
			return false;
	}
	return true;
}

/* All digits, whatever extra_float_digits says. */
static char *
param_text(const SimParams *params, const Parameter *p)
{
	char *text;

	if (p->integer)
		return psprintf("%d", *int_param(params, p));
	text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);
	double_to_shortest_decimal_buf(*real_param(params, p), text);
	return text;
}

/* What the formula uses, as the text of a JSON object. */
char *
sim_params_json(const SimParams *params)
{
	StringInfoData buf;
	int i;

	initStringInfo(&buf);
	appendStringInfo(&buf, "{\"method\": \"%s\"",
					 sim_method_name(params->method));
	for (i = 0; i < (int) lengthof(parameters); i++)
		if (uses(params, &parameters[i]))
			appendStringInfo(&buf, ", \"%s\": %s", parameters[i].name,
							 param_text(params, &parameters[i]));
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

/* The same as storage parameters. */
char *
sim_params_options(const SimParams *params)
{
	StringInfoData buf;
	int i;

	initStringInfo(&buf);
	appendStringInfo(&buf, "method = %s", sim_method_name(params->method));
	for (i = 0; i < (int) lengthof(parameters); i++)
		if (uses(params, &parameters[i]))
			appendStringInfo(&buf, ", %s = %s", parameters[i].name,
							 param_text(params, &parameters[i]));
	return buf.data;
}
