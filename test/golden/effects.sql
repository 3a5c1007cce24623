/* exp_advanced.json and uplift_hte.json: quantiles, strata, segments, two treatments at once, extremes, uplift curves. */

/* {n, sum, sum_sq} */
CREATE FUNCTION golden.moments_of_sums(sums jsonb) RETURNS moments
LANGUAGE sql IMMUTABLE
RETURN moments_of((sums ->> 'n')::bigint, ((sums ->> 'sum')::numeric / (sums ->> 'n')::numeric)::float8,
	(((sums ->> 'sum_sq')::numeric - (sums ->> 'sum')::numeric ^ 2 / (sums ->> 'n')::numeric) / ((sums ->> 'n')::numeric - 1))::float8);

/* {nu, a, b: {n, q, lower95, upper95}, difference} */
CREATE FUNCTION golden.quantile_effect(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	a jsonb := input -> 'a';
	b jsonb := input -> 'b';
	relative boolean := input ->> 'difference' = 'relative';
	effect quantile_test := quantile_effect((input ->> 'nu')::float8,
		(a ->> 'n')::bigint, (a ->> 'q')::float8, (a ->> 'lower95')::float8, (a ->> 'upper95')::float8,
		(b ->> 'n')::bigint, (b ->> 'q')::float8, (b ->> 'lower95')::float8, (b ->> 'upper95')::float8);
	/* the variance of one arm is that of its difference from an arm that is the same, halved */
	twice quantile_test := quantile_effect((input ->> 'nu')::float8,
		(a ->> 'n')::bigint, (a ->> 'q')::float8, (a ->> 'lower95')::float8, (a ->> 'upper95')::float8,
		(a ->> 'n')::bigint, (a ->> 'q')::float8, (a ->> 'lower95')::float8, (a ->> 'upper95')::float8);
BEGIN
	RETURN jsonb_build_object(
		'expected', CASE WHEN relative THEN effect.relative_difference ELSE effect.difference END,
		'ci', CASE WHEN relative THEN jsonb_build_array(effect.relative_ci_low, effect.relative_ci_high)
			ELSE jsonb_build_array(effect.ci_low, effect.ci_high) END,
		'p', CASE WHEN relative THEN effect.relative_p_value ELSE effect.p_value END,
		'stderr', CASE WHEN relative THEN effect.relative_stderr ELSE effect.stderr END,
		'variance_a', twice.stderr ^ 2 / 2 * (a ->> 'n')::float8);
END $$;

/* {strata: [{a, b}], difference} */
CREATE FUNCTION golden.post_stratification(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('estimate', CASE WHEN relative THEN t.relative_difference ELSE t.difference END,
		'stderr', CASE WHEN relative THEN t.relative_stderr ELSE t.stderr END, 'error', NULL)
	FROM (SELECT input ->> 'difference' = 'relative' AS relative, array_agg(golden.moments_of_sums(s -> 'a')) AS a,
			array_agg(golden.moments_of_sums(s -> 'b')) AS b FROM jsonb_array_elements(input -> 'strata') s) x,
		post_stratify(a, b) t;
$$;

/* {rows: [{segment, n_c, x_c, n_t, x_t}]}: successes, the variance being p (1 - p) / n */
CREATE FUNCTION golden.segment_uplift(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	WITH arm AS (
		SELECT i, r.segment, r.n_c, r.x_c / r.n_c AS p_c, r.n_t, r.x_t / r.n_t AS p_t
		FROM ROWS FROM (jsonb_to_recordset(input -> 'rows') AS (segment text, n_c float8, x_c float8, n_t float8, x_t float8))
			WITH ORDINALITY AS r(segment, n_c, x_c, n_t, x_t, i)
	), arms AS (
		SELECT array_agg(segment ORDER BY i) AS segments,
			array_agg(moments_of(n_c::bigint, p_c, p_c * (1 - p_c)) ORDER BY i) AS control,
			array_agg(moments_of(n_t::bigint, p_t, p_t * (1 - p_t)) ORDER BY i) AS treatment
		FROM arm
	), tests AS (
		SELECT jsonb_agg(e.difference ORDER BY i) AS uplift, jsonb_agg(e.stderr ORDER BY i) AS se
		FROM arms, segment_effects(segments, control, treatment) WITH ORDINALITY AS
			e(segment, n_control, n_treatment, mean_control, mean_treatment, difference, stderr, ci_low, ci_high, p_value,
				adjusted_p_value, relative_difference, relative_stderr, relative_ci_low, relative_ci_high, relative_p_value, i)
	)
	SELECT jsonb_build_object('uplift', uplift, 'se', se, 'fixed_effect', h.effect, 'fixed_effect_se', h.stderr,
		'cochran_q', h.q, 'q_df', h.df, 'q_p', h.q_p_value, 'i2', h.i2)
	FROM tests, arms, segment_heterogeneity(control, treatment) h;
$$;

/* {cells: [{a, b, n, sum, sum_sq}]} */
CREATE FUNCTION golden.factorial_2x2(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('interaction', t.interaction, 'interaction_se', t.interaction_stderr, 'interaction_t', t.interaction_t,
		'interaction_p', t.interaction_p_value, 'main_a', t.main_a, 'main_b', t.main_b, 'main_se', t.main_a_stderr, 'df', t.df, 'mse', t.mse)
	FROM (SELECT jsonb_object_agg((c ->> 'a') || (c ->> 'b'), c) AS cell FROM jsonb_array_elements(input -> 'cells') c) x,
		factorial_2x2(golden.moments_of_sums(cell -> '00'), golden.moments_of_sums(cell -> '10'),
			golden.moments_of_sums(cell -> '01'), golden.moments_of_sums(cell -> '11')) t;
$$;

/* {dataset: "FILE column NAME", lower, upper}: shares that are drawn in at both ends */
CREATE FUNCTION golden.winsorize(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	source regclass := runner.table_of(input ->> 'dataset');
	result jsonb;
BEGIN
	EXECUTE format($q$
		WITH bounds AS (
			SELECT percentile_cont($1) WITHIN GROUP (ORDER BY %1$I::float8) AS low, percentile_cont($2) WITHIN GROUP (ORDER BY %1$I::float8) AS high
			FROM %2$s
		), capped AS (SELECT %1$I::float8 AS raw, winsorize(%1$I::float8, low, high) AS value, low, high FROM %2$s, bounds)
		SELECT jsonb_build_object('lower_value', min(low), 'upper_value', min(high), 'mean_raw', avg(raw), 'mean', avg(value),
			'sd_raw', stddev_samp(raw), 'sd', stddev_samp(value),
			'n_capped_high', count(*) FILTER (WHERE value < raw), 'n_capped_low', count(*) FILTER (WHERE value > raw))
		FROM capped $q$, substring(input ->> 'dataset' FROM 'column (\w+)'), source)
	INTO result USING (input ->> 'lower')::float8, (input ->> 'upper')::float8;
	RETURN result;
END $$;

/* {score, treatment, outcome} */
CREATE FUNCTION golden.qini(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	WITH unit AS (
		SELECT * FROM unnest(runner.numbers(input -> 'score'), runner.numbers(input -> 'treatment'), runner.numbers(input -> 'outcome'))
			u(score, treatment, outcome)
	), state AS (SELECT qini_partial(score, treatment = 1, outcome) AS s, qini(score, treatment = 1, outcome) AS q FROM unit)
	SELECT jsonb_build_object('final', (q).final, 'area_curve', (q).area_curve, 'area_random', (q).area_random, 'qini_area', (q).qini_area,
		'curve_at_deciles', (SELECT jsonb_agg(gain ORDER BY targeted) FROM uplift_curve(s)))
	FROM state;
$$;
