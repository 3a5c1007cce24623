/* Planning an experiment: sample size, power, detectable effect, duration. */

CREATE FUNCTION sample_size_means(
	effect float8,
	sd float8 DEFAULT 1,
	alpha float8 DEFAULT 0.05,
	power float8 DEFAULT 0.8,
	ratio float8 DEFAULT 1,
	alternative text DEFAULT 'two-sided',
	method text DEFAULT 't',
	variance_reduction float8 DEFAULT 0)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'personalize_sample_size_means';

COMMENT ON FUNCTION sample_size_means(float8, float8, float8, float8, float8, text, text, float8) IS
'units of the first arm that a test of a difference of means needs, not rounded; ratio is units of the second arm by those of the first';

CREATE FUNCTION power_means(
	effect float8,
	sd float8,
	n float8,
	alpha float8 DEFAULT 0.05,
	ratio float8 DEFAULT 1,
	alternative text DEFAULT 'two-sided',
	method text DEFAULT 't',
	variance_reduction float8 DEFAULT 0)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'personalize_power_means';

COMMENT ON FUNCTION power_means(float8, float8, float8, float8, float8, text, text, float8) IS
'chance that a test of a difference of means with n units in the first arm rejects';

CREATE FUNCTION minimum_detectable_effect_means(
	n float8,
	sd float8 DEFAULT 1,
	alpha float8 DEFAULT 0.05,
	power float8 DEFAULT 0.8,
	ratio float8 DEFAULT 1,
	alternative text DEFAULT 'two-sided',
	method text DEFAULT 't',
	variance_reduction float8 DEFAULT 0)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'personalize_minimum_detectable_effect_means';

COMMENT ON FUNCTION minimum_detectable_effect_means(float8, float8, float8, float8, float8, text, text, float8) IS
'difference of means that a test with n units in the first arm finds with the given power';

CREATE FUNCTION sample_size_proportions(
	p1 float8,
	p2 float8,
	alpha float8 DEFAULT 0.05,
	power float8 DEFAULT 0.8,
	ratio float8 DEFAULT 1,
	alternative text DEFAULT 'two-sided',
	method text DEFAULT 'unpooled')
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_sample_size_proportions';

COMMENT ON FUNCTION sample_size_proportions(float8, float8, float8, float8, float8, text, text) IS
'units of the first arm that a test of a difference of proportions needs, not rounded; ratio is units of the second arm by those of the first';

CREATE FUNCTION power_proportions(
	p1 float8,
	p2 float8,
	n float8,
	alpha float8 DEFAULT 0.05,
	ratio float8 DEFAULT 1,
	alternative text DEFAULT 'two-sided',
	method text DEFAULT 'unpooled')
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_power_proportions';

COMMENT ON FUNCTION power_proportions(float8, float8, float8, float8, float8, text, text) IS
'chance that a test of a difference of proportions with n units in the first arm rejects';

CREATE FUNCTION minimum_detectable_effect_proportions(
	n float8,
	p1 float8,
	alpha float8 DEFAULT 0.05,
	power float8 DEFAULT 0.8,
	ratio float8 DEFAULT 1,
	alternative text DEFAULT 'two-sided',
	method text DEFAULT 'unpooled',
	direction text DEFAULT NULL)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_minimum_detectable_effect_proportions';

COMMENT ON FUNCTION minimum_detectable_effect_proportions(float8, float8, float8, float8, float8, text, text, text) IS
'difference from p1 that a test of proportions with n units in the first arm finds with the given power: an increase, unless direction or alternative says otherwise';

CREATE FUNCTION experiment_duration(
	n float8,
	daily_traffic float8,
	coverage float8 DEFAULT 1,
	arms int DEFAULT 2,
	ratio float8 DEFAULT 1,
	whole_weeks boolean DEFAULT false)
RETURNS int
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_experiment_duration';

COMMENT ON FUNCTION experiment_duration(float8, float8, float8, int, float8, boolean) IS
'days until arms have n units in the first one and ratio times as many in each other, of so much new traffic a day';

CREATE FUNCTION additional_sample(
	n float8,
	stderr float8,
	effect float8,
	alpha float8 DEFAULT 0.05,
	power float8 DEFAULT 0.8,
	tuning float8 DEFAULT NULL,
	alternative text DEFAULT 'two-sided')
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_additional_sample';

COMMENT ON FUNCTION additional_sample(float8, float8, float8, float8, float8, float8, text) IS
'how many more units, of all arms, an experiment of n units needs that estimates an effect to stderr now; with tuning for always-valid intervals';
