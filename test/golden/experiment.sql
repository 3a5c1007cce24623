/* exp_mean_tests.json, exp_ratio_cuped.json, and of exp_sequential.json what compares arms. */

/* {n, sum, sum_sq} as moments: exact sums, rounded once */
CREATE FUNCTION runner.moments_of_sums(input jsonb) RETURNS moments
LANGUAGE sql IMMUTABLE AS $$
	SELECT moments_of(n::bigint, (s / n)::float8, ((ss - s * s / n) / (n - 1))::float8)
	FROM (SELECT (input ->> 'n')::numeric AS n, (input ->> 'sum')::numeric AS s, (input ->> 'sum_sq')::numeric AS ss) x
$$;

/* [successes, n]: the variance is p (1 - p), without the factor n / (n - 1) */
CREATE FUNCTION runner.moments_of_share(input jsonb) RETURNS moments
LANGUAGE sql IMMUTABLE AS $$
	SELECT moments_of(n, x / n, x / n * (1 - x / n))
	FROM (SELECT (input ->> 0)::float8 AS x, (input ->> 1)::bigint AS n) x
$$;

/*
 * Two variables, with the sum of their products.  Means and covariances are divided to more
 * digits than numeric would by itself.
 */
CREATE FUNCTION runner.moments_of_pair(one jsonb, other jsonb, products jsonb) RETURNS moments
LANGUAGE sql IMMUTABLE AS $$
	SELECT moments_of_matrix(n::bigint, ARRAY[s / n, t / n]::float8[],
		ARRAY[[(ss - s * s / n) / (n - 1), (st - s * t / n) / (n - 1)], [(st - s * t / n) / (n - 1), (tt - t * t / n) / (n - 1)]]::float8[])
	FROM (SELECT (one ->> 'n')::numeric AS n, (one ->> 'sum')::numeric AS s, (one ->> 'sum_sq')::numeric AS ss,
		(other ->> 'sum')::numeric AS t, (other ->> 'sum_sq')::numeric AS tt, (products #>> '{}')::numeric AS st) x
$$;

/* Strict JSON knows no infinity. */
CREATE FUNCTION runner.json_number(value float8) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN value IN ('Infinity', '-Infinity', 'NaN') THEN to_jsonb(value::text) ELSE to_jsonb(value) END
$$;

/*
 * What the reference reports of a comparison.  It tells arms of which nothing can be said by
 * an error and figures of 0; ours are null.
 */
CREATE FUNCTION runner.effect(test lift_test, difference text) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN (test).p_value IS NULL OR difference = 'relative' AND (test).relative_p_value IS NULL THEN
			'{"expected": 0, "ci": [0, 0], "p": 1, "stderr": 0, "error": "ZERO_NEGATIVE_VARIANCE"}'::jsonb
		WHEN difference = 'relative' THEN
			jsonb_build_object('expected', (test).relative_difference, 'p', (test).relative_p_value, 'stderr', (test).relative_stderr, 'error', NULL,
				'ci', jsonb_build_array(runner.json_number((test).relative_ci_low), runner.json_number((test).relative_ci_high)))
		ELSE
			jsonb_build_object('expected', (test).difference, 'p', (test).p_value, 'stderr', (test).stderr, 'error', NULL,
				'ci', jsonb_build_array(runner.json_number((test).ci_low), runner.json_number((test).ci_high)))
	END
$$;

CREATE FUNCTION golden.welch_from_moments(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT runner.effect(compare(runner.moments_of_sums(input -> 'a'), runner.moments_of_sums(input -> 'b'), (input ->> 'alpha')::float8), input ->> 'difference')
$$;

CREATE FUNCTION golden.welch_one_sided(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT runner.effect(compare(runner.moments_of_sums(input -> 'a'), runner.moments_of_sums(input -> 'b'), (input ->> 'alpha')::float8,
		input ->> 'alternative'), input ->> 'difference')
$$;

CREATE FUNCTION golden.gb_proportion_ttest(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT runner.effect(compare(runner.moments_of_share(input -> 'a'), runner.moments_of_share(input -> 'b')), input ->> 'difference')
$$;

CREATE FUNCTION golden.two_proportion_ztest(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('z_pooled', z, 'p_pooled', p_value, 'diff', difference, 'ci_wald', ARRAY[wald_ci_low, wald_ci_high],
		'ci_newcombe', ARRAY[ci_low, ci_high], 'wilson_b', ARRAY[rate_treatment_low, rate_treatment_high], 'fisher_p', fisher_p_value,
		'chi2_yates_p', yates_p_value)
	FROM compare_proportions((input ->> 'x_a')::bigint, (input ->> 'n_a')::bigint, (input ->> 'x_b')::bigint, (input ->> 'n_b')::bigint)
$$;

/*
 * From the rows, by the aggregate.  The reference's quantile of Student's t is off by up to
 * 4e-9: at p = .975 and df = 41.14795503007679 it has 2.01932045708, where 40 digits have
 * 2.01932046342521, as we do (test/pgtap/lift.sql).
 */
CREATE FUNCTION golden.welch_raw(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('t', (l).t, 'p', (l).p_value, 'df', (l).df, 'ci', ARRAY[(l).ci_low, (l).ci_high],
		'_bounds', '{"ci": {"rel": 2e-8}}'::jsonb, 'mw_u', (m).statistic, 'mw_p', (m).p_value, 'ks_d', (ks_2samp(a, b)).statistic)
	FROM (SELECT runner.numbers(input -> 'a') AS a, runner.numbers(input -> 'b') AS b) x,
		LATERAL (SELECT lift(y, treated) AS l FROM (SELECT unnest(a) AS y, false AS treated UNION ALL SELECT unnest(b), true) u) y,
		LATERAL (SELECT mann_whitney(b, a) AS m) z
$$;

CREATE FUNCTION golden.ratio_delta(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT runner.effect(l, input ->> 'difference') || jsonb_build_object('ratio_a', (l).mean_control, 'ratio_b', (l).mean_treatment,
		'cov_a', (f).covariance, 'var_ratio_a',
		((f).variance - 2 * (l).mean_control * (f).covariance + (l).mean_control ^ 2 * (f).covariate_variance) / (f).covariate_mean ^ 2)
	FROM (SELECT runner.moments_of_pair(input #> '{a,num}', input #> '{a,den}', input #> '{a,num_den_sum}') AS a,
			runner.moments_of_pair(input #> '{b,num}', input #> '{b,den}', input #> '{b,num_den_sum}') AS b) x,
		LATERAL (SELECT compare_ratio(a, b, (input ->> 'alpha')::float8) AS l, moments_figures(a) AS f) y
$$;

CREATE FUNCTION golden.cuped(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT runner.effect(l, input ->> 'difference') || jsonb_build_object('theta', theta, 'adj_mean_a', (f).mean - theta * (f).covariate_mean,
		'adj_mean_b', (g).mean - theta * (g).covariate_mean,
		'adj_var_a', (f).variance + theta ^ 2 * (f).covariate_variance - 2 * theta * (f).covariance,
		'adj_var_b', (g).variance + theta ^ 2 * (g).covariate_variance - 2 * theta * (g).covariance,
		'stderr_unadjusted', unadjusted, 'variance_reduction_abs',
		CASE input ->> 'difference' WHEN 'relative' THEN 1 - ((l).relative_stderr / unadjusted) ^ 2 ELSE (l).variance_reduction END)
	FROM (SELECT runner.moments_of_pair(input #> '{a,post}', input #> '{a,pre}', input #> '{a,post_pre_sum}') AS a,
			runner.moments_of_pair(input #> '{b,post}', input #> '{b,pre}', input #> '{b,post_pre_sum}') AS b,
			compare(runner.moments_of_sums(input #> '{a,post}'), runner.moments_of_sums(input #> '{b,post}')) AS u) x,
		LATERAL (SELECT compare(a, b, (input ->> 'alpha')::float8) AS l, moments_figures(a) AS f, moments_figures(b) AS g,
			CASE input ->> 'difference' WHEN 'relative' THEN (u).relative_stderr ELSE (u).stderr END AS unadjusted) y,
		LATERAL (SELECT (l).theta) z
$$;

/* both arms are the same rows */
CREATE FUNCTION golden.theta(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT to_jsonb((lift(y, treated, x)).theta)
	FROM unnest(runner.numbers(input -> 'post'), runner.numbers(input -> 'pre')) AS u(y, x), unnest('{true,false}'::boolean[]) treated
$$;

/* {n, m_post: [sum, sum of squares], ..., m_post_m_pre: sum of products, ...} */
CREATE FUNCTION runner.moments_of_ratios(input jsonb) RETURNS moments
LANGUAGE sql IMMUTABLE AS $$
	WITH names(i, name) AS (VALUES (1, 'm_post'), (2, 'd_post'), (3, 'm_pre'), (4, 'd_pre')),
		size(n) AS (VALUES ((input ->> 'n')::numeric)),
		sums AS (SELECT i, name, (input -> name ->> 0)::numeric AS s FROM names),
		cells AS (SELECT a.i, b.i AS j, (coalesce(input ->> (a.name || '_' || b.name), input ->> (b.name || '_' || a.name),
			input -> a.name ->> 1)::numeric - a.s * b.s / n) / (n - 1) AS c FROM sums a, sums b, size)
	SELECT moments_of_matrix(n::bigint, (SELECT array_agg((s / n)::float8 ORDER BY i) FROM sums),
		(SELECT array_agg(r ORDER BY i) FROM (SELECT i, array_agg(c::float8 ORDER BY j) AS r FROM cells GROUP BY i) q)) FROM size
$$;

CREATE FUNCTION golden.cuped_ratio(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT runner.effect(compare_ratio(runner.moments_of_ratios(input -> 'a'), runner.moments_of_ratios(input -> 'b')), input ->> 'difference')
$$;

CREATE FUNCTION golden.sequential_ttest(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT runner.effect(compare(runner.moments_of_sums(input -> 'a'), runner.moments_of_sums(input -> 'b'), (input ->> 'alpha')::float8,
		always_valid => true, tuning => (input ->> 'tuning')::float8), input ->> 'difference')
$$;

CREATE FUNCTION golden.sequential_proportion(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT runner.effect(compare(runner.moments_of_share(input -> 'a'), runner.moments_of_share(input -> 'b'), (input ->> 'alpha')::float8,
		always_valid => true, tuning => (input ->> 'tuning')::float8), input ->> 'difference')
$$;
