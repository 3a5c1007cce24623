/* The report of an experiment: a row an arm, for people to read. */

CREATE TYPE experiment_arm AS (
	arm text,
	units bigint,
	mean numeric,
	change text,
	"interval" text,
	p_value text,
	verdict text,
	chart text
);

COMMENT ON TYPE experiment_arm IS
'a row of experiment_report(): an arm of an experiment, compared with the control, in rounded figures; compare() has the exact ones';
COMMENT ON COLUMN experiment_arm.arm IS 'name of the arm; the control comes first';
COMMENT ON COLUMN experiment_arm.units IS 'its units';
COMMENT ON COLUMN experiment_arm.mean IS 'mean of the outcome, or ratio, to four digits';
COMMENT ON COLUMN experiment_arm.change IS 'difference by the mean of the control, in percent, or as it is where that mean cannot be told from 0; null of the control';
COMMENT ON COLUMN experiment_arm.interval IS 'confidence interval of change, by Fieller, so that it agrees with the p-value of the difference';
COMMENT ON COLUMN experiment_arm.p_value IS 'chance of a change as large if there is none, adjusted for the number of arms, to two digits';
COMMENT ON COLUMN experiment_arm.verdict IS 'what may be said at this time, in words';
COMMENT ON COLUMN experiment_arm.chart IS 'the interval as a drawing, on one axis for all arms; the line is no change';

/* A number to so many digits that count. */
CREATE FUNCTION to_digits(value float8, digits int) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN value IN ('NaN', 'Infinity', '-Infinity') THEN value::numeric
	WHEN value OPERATOR(pg_catalog.=) 0 THEN 0
	ELSE round(value::numeric, greatest(digits OPERATOR(pg_catalog.-) 1 OPERATOR(pg_catalog.-) floor(log(abs(value)))::int, 0))
END;

COMMENT ON FUNCTION to_digits(float8, int) IS
'a number rounded to so many digits that count, all digits before the point being kept';

/* 0.0523 as +5.23 %. */
CREATE FUNCTION to_percent(value float8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN value IN ('Infinity', '-Infinity') THEN 'any'
	ELSE (CASE WHEN value OPERATOR(pg_catalog.>) 0 THEN '+' ELSE '' END)
		OPERATOR(pg_catalog.||) round(personalize.to_digits(value OPERATOR(pg_catalog.*) 100, 3), least(2, scale(personalize.to_digits(value OPERATOR(pg_catalog.*) 100, 3))))::text
		OPERATOR(pg_catalog.||) ' %'
END;

COMMENT ON FUNCTION to_percent(float8) IS
'a part as percent with its sign, 0.0523 as +5.23 %, to three digits that count but at most two behind the point; any for an infinite one, which is the open end of an interval';

CREATE FUNCTION experiment_control(arms text[], outcomes int, control text, planned_units bigint) RETURNS int
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_experiment_control';

COMMENT ON FUNCTION experiment_control(text[], int, text, bigint) IS
'the place of the control among the arms; checks arguments of experiment_report()';

CREATE FUNCTION split_is_broken(p_value float8) RETURNS boolean
LANGUAGE C VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_split_is_broken';

COMMENT ON FUNCTION split_is_broken(float8) IS
'whether the p-value of srm() is below 0.001, which is also warned of';

CREATE FUNCTION experiment_arms(
	query text,
	variants text[] DEFAULT NULL,
	weights float8[] DEFAULT NULL,
	OUT arm text,
	OUT outcome moments,
	OUT is_ratio boolean)
RETURNS SETOF record
LANGUAGE C STABLE ROWS 3 COST 100000
AS 'MODULE_PATHNAME', 'personalize_experiment_arms';

COMMENT ON FUNCTION experiment_arms(text, text[], float8[]) IS
'moments of each arm of an experiment, those of variants if given, in their order; the query returns one row a unit: arm and outcome and, if wanted, covariate, or arm, numerator and denominator and, if wanted, numerator_before and denominator_before; units of no arm are left out; weights are refused without variants, whose order they are in';

/* What a row of the report says. */
CREATE FUNCTION experiment_verdict(
	is_control boolean,
	is_broken boolean,
	units bigint,
	planned_units bigint,
	always_valid boolean,
	estimate float8,
	p_value float8,
	alpha float8)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN is_broken THEN 'not to be read: the split is broken'
	WHEN is_control THEN 'control'
	WHEN p_value IS NULL THEN 'too little to compare'
	WHEN NOT always_valid AND units OPERATOR(pg_catalog.<) planned_units
		THEN format('wait: %s of %s planned units', units, planned_units)
	WHEN p_value OPERATOR(pg_catalog.>) alpha
		THEN CASE WHEN always_valid AND units OPERATOR(pg_catalog.<) planned_units THEN 'no difference shown so far' ELSE 'no difference shown' END
	ELSE (CASE WHEN estimate OPERATOR(pg_catalog.>) 0 THEN 'above control' ELSE 'below control' END)
		OPERATOR(pg_catalog.||) CASE WHEN always_valid OR planned_units IS NOT NULL THEN '' ELSE ', if looked at only once' END
END;

COMMENT ON FUNCTION experiment_verdict(boolean, boolean, bigint, bigint, boolean, float8, float8, float8) IS
'the words of experiment_report() for an arm';

CREATE FUNCTION experiment_report(
	arms text[],
	outcomes moments[],
	control text DEFAULT NULL,
	weights float8[] DEFAULT NULL,
	planned_units bigint DEFAULT NULL,
	alpha float8 DEFAULT 0.05,
	alternative text DEFAULT 'two-sided',
	always_valid boolean DEFAULT false,
	ratio boolean DEFAULT false,
	method text DEFAULT 'holm')
RETURNS SETOF experiment_arm
LANGUAGE sql VOLATILE ROWS 3
BEGIN ATOMIC
	WITH chosen AS MATERIALIZED (
		SELECT personalize.experiment_control(experiment_report.arms, cardinality(outcomes), control, planned_units) AS place
	), arm AS (
		SELECT a.arm, a.outcome, a.i, (personalize.moments_figures(a.outcome)).n AS units,
			a.i OPERATOR(pg_catalog.=) (SELECT place FROM chosen) AS is_control
		FROM ROWS FROM (unnest(experiment_report.arms), unnest(outcomes)) WITH ORDINALITY AS a(arm, outcome, i)
	), split AS MATERIALIZED (
		SELECT CASE WHEN (SELECT place FROM chosen) OPERATOR(pg_catalog.>) 0
			THEN personalize.split_is_broken((personalize.srm(array_agg(coalesce(a.units, 0) ORDER BY a.i), weights)).p_value) END AS broken
		FROM arm a
	), test AS (
		SELECT a.*, CASE WHEN a.is_control THEN NULL
				WHEN ratio THEN personalize.compare_ratio(c.outcome, a.outcome, alpha, alternative, always_valid, coalesce(2.0::float8 OPERATOR(pg_catalog.*) planned_units, 5000))
				ELSE personalize.compare(c.outcome, a.outcome, alpha, alternative, always_valid, coalesce(2.0::float8 OPERATOR(pg_catalog.*) planned_units, 5000)) END AS t,
			coalesce(c.units, 0) AS control_units
		FROM arm a LEFT JOIN arm c ON c.is_control
	), figure AS (
		-- in percent, unless the mean of the control cannot be told from 0
		SELECT t.*, (t.t).p_value AS p, (t.t).fieller_ci_low IS NULL AND ((t.t).p_value IS NOT NULL OR (t.t).relative_difference IS NULL) AS absolute,
			CASE WHEN (t.t).fieller_ci_low IS NULL AND (t.t).p_value IS NOT NULL THEN (t.t).difference ELSE coalesce((t.t).relative_difference, (t.t).difference) END AS estimate,
			CASE WHEN (t.t).fieller_ci_low IS NULL THEN (t.t).ci_low ELSE (t.t).fieller_ci_low END AS low,
			CASE WHEN (t.t).fieller_ci_low IS NULL THEN (t.t).ci_high ELSE (t.t).fieller_ci_high END AS high
		FROM test t
	), adjusted AS (
		SELECT f.*, (personalize.p_adjust(array_agg(f.p) OVER w, method))[row_number() OVER w] AS adjusted_p,
			-- an axis that shows all intervals, and 0
			least(0, min(nullif(f.low, '-Infinity')) OVER (), min(f.estimate) OVER ()) AS axis_low,
			greatest(0, max(nullif(f.high, 'Infinity')) OVER (), max(f.estimate) OVER ()) AS axis_high
		FROM figure f
		WINDOW w AS (ORDER BY f.i ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
	)
	SELECT ROW(a.arm, coalesce(a.units, 0),
		personalize.to_digits((personalize.moments_figures(a.outcome)).mean OPERATOR(pg_catalog./)
			CASE WHEN ratio THEN nullif((personalize.moments_figures(a.outcome)).covariate_mean, 0) ELSE 1 END, 4),
		CASE WHEN a.absolute THEN personalize.to_digits(a.estimate, 3)::text ELSE personalize.to_percent(a.estimate) END,
		CASE WHEN a.p IS NULL THEN NULL
			WHEN a.absolute THEN format('%s to %s', personalize.to_digits(a.low, 3), personalize.to_digits(a.high, 3))
			ELSE format('%s to %s', personalize.to_percent(a.low), personalize.to_percent(a.high)) END,
		CASE WHEN a.adjusted_p OPERATOR(pg_catalog.<) 0.0001 THEN '<0.0001' ELSE personalize.to_digits(a.adjusted_p, 2)::text END,
		personalize.experiment_verdict(a.is_control, s.broken, least(a.units, a.control_units), planned_units, always_valid, a.estimate, a.adjusted_p, alpha),
		CASE WHEN a.p IS NOT NULL THEN personalize.interval_bar(a.low, a.high, a.estimate, a.axis_low, a.axis_high, 24) END)::personalize.experiment_arm
	FROM adjusted a, split s
	ORDER BY NOT a.is_control, a.i;
END;

COMMENT ON FUNCTION experiment_report(text[], moments[], text, float8[], bigint, float8, text, boolean, boolean, text) IS
'the arms of an experiment compared with the control, a row an arm, in rounded figures and words; warns if units are not split as the weights have it';

CREATE FUNCTION experiment_report(
	query text,
	variants text[] DEFAULT NULL,
	control text DEFAULT NULL,
	weights float8[] DEFAULT NULL,
	planned_units bigint DEFAULT NULL,
	alpha float8 DEFAULT 0.05,
	alternative text DEFAULT 'two-sided',
	always_valid boolean DEFAULT false,
	method text DEFAULT 'holm')
RETURNS SETOF experiment_arm
LANGUAGE sql VOLATILE ROWS 3
BEGIN ATOMIC
	SELECT r.*
	FROM (SELECT coalesce(array_agg(e.arm ORDER BY e.i), '{}') AS arms, coalesce(array_agg(e.outcome ORDER BY e.i), '{}') AS outcomes, coalesce(bool_or(e.is_ratio), false) AS is_ratio
			FROM personalize.experiment_arms(query, variants, weights) WITH ORDINALITY AS e(arm, outcome, is_ratio, i)) AS a,
		LATERAL personalize.experiment_report(a.arms, a.outcomes,
			coalesce(control, CASE WHEN NOT ('control' OPERATOR(pg_catalog.=) ANY (variants)) THEN variants[array_lower(variants, 1)] END),
			weights, planned_units, alpha, alternative, always_valid, a.is_ratio, method) AS r;
END;

COMMENT ON FUNCTION experiment_report(text, text[], text, float8[], bigint, float8, text, boolean, text) IS
'the arms of an experiment compared with the control, a row an arm, in rounded figures and words; the query returns one row a unit: arm and outcome and, if wanted, covariate, or arm, numerator and denominator and, if wanted, numerator_before and denominator_before; variants and weights are those of assign()';
