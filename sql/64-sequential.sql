/* Looking at an experiment while it runs: always-valid inference, group-sequential bounds. */

CREATE FUNCTION sequential_rho(
	alpha float8 DEFAULT 0.05,
	tuning float8 DEFAULT 5000,
	alternative text DEFAULT 'two-sided')
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_sequential_rho';

COMMENT ON FUNCTION sequential_rho(float8, float8, text) IS
'parameter of the mixture that makes always-valid intervals of level 1 - alpha narrowest at about tuning units';

CREATE FUNCTION always_valid_halfwidth(
	stderr float8,
	n float8,
	alpha float8 DEFAULT 0.05,
	tuning float8 DEFAULT 5000,
	alternative text DEFAULT 'two-sided')
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_always_valid_halfwidth';

COMMENT ON FUNCTION always_valid_halfwidth(float8, float8, float8, float8, text) IS
'from an estimate to an end of its always-valid interval: the intervals of all looks together miss the truth with chance alpha at most';

CREATE FUNCTION always_valid_p(
	estimate float8,
	stderr float8,
	n float8,
	alpha float8 DEFAULT 0.05,
	tuning float8 DEFAULT 5000,
	alternative text DEFAULT 'two-sided')
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_always_valid_p';

COMMENT ON FUNCTION always_valid_p(float8, float8, float8, float8, float8, text) IS
'p-value that may be looked at any number of times: the chance that it ever falls to alpha is alpha at most where there is no effect';

CREATE TYPE sequential_bound AS (
	look int,
	information float8,
	alpha_spent float8,
	z float8,
	p_value float8
);

COMMENT ON TYPE sequential_bound IS
'a look of sequential_bounds(): when it is, what has been spent then, and from which statistic on the test stops';
COMMENT ON COLUMN sequential_bound.look IS 'number of the look, from 1';
COMMENT ON COLUMN sequential_bound.information IS 'part of all units that has been seen';
COMMENT ON COLUMN sequential_bound.alpha_spent IS 'chance of a false alarm at this look or before';
COMMENT ON COLUMN sequential_bound.z IS 'the test stops where the statistic is as far from 0 as this, or farther; infinite where nothing can be spent';
COMMENT ON COLUMN sequential_bound.p_value IS 'the same as an ordinary p-value: the test stops where it is as small, or smaller';

CREATE FUNCTION sequential_bounds(
	information float8[],
	alpha float8 DEFAULT 0.05,
	spending text DEFAULT 'obrien_fleming',
	alternative text DEFAULT 'two-sided',
	rho float8 DEFAULT 3)
RETURNS SETOF sequential_bound
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_sequential_bounds';

COMMENT ON FUNCTION sequential_bounds(float8[], float8, text, text, float8) IS
'bounds of a group-sequential test that spends alpha over looks at given parts of the information (Lan and DeMets): spending is obrien_fleming, pocock or power, which has exponent rho';

CREATE TYPE msprt_result AS (
	likelihood_ratio float8,
	p_value float8,
	ci_halfwidth float8
);

COMMENT ON TYPE msprt_result IS
'result of msprt(): the likelihood ratio of the mixture, the p-value and the half-width of an interval that hold at all looks at once';
COMMENT ON COLUMN msprt_result.likelihood_ratio IS 'likelihood of the data under the mixture by that under no effect; the test may stop where it reaches 1 / alpha';
COMMENT ON COLUMN msprt_result.p_value IS 'always-valid p-value of this look: 1 / likelihood_ratio, at most 1';
COMMENT ON COLUMN msprt_result.ci_halfwidth IS 'from the difference to an end of its always-valid interval';

CREATE FUNCTION msprt(
	mean_difference float8,
	variance float8,
	n_per_arm float8,
	tau2 float8,
	alpha float8 DEFAULT 0.05)
RETURNS msprt_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_msprt';

COMMENT ON FUNCTION msprt(float8, float8, float8, float8, float8) IS
'mixture sequential probability ratio test of two means of a common variance; tau2 is the variance of the effects to be expected';
