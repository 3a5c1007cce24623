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
