/* exp_power.json: sample size, power, detectable effect. */

/* {p1, p2, alpha, power, ratio_n2_n1} */
CREATE FUNCTION golden.sample_size_proportions(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_object_agg(name, sample_size_proportions((input ->> 'p1')::float8, (input ->> 'p2')::float8, (input ->> 'alpha')::float8,
		(input ->> 'power')::float8, (input ->> 'ratio_n2_n1')::float8, method => method))
	FROM (VALUES ('n1_cohen_h', 'arcsine'), ('n1_unpooled', 'unpooled'), ('n1_pooled_null', 'pooled')) v(name, method)
$$;

/* {effect_d, alpha, power, ratio} */
CREATE FUNCTION golden.sample_size_means(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_object_agg('n1_' || method, sample_size_means((input ->> 'effect_d')::float8, 1, (input ->> 'alpha')::float8,
		(input ->> 'power')::float8, (input ->> 'ratio')::float8, method => method))
	FROM unnest('{t,z}'::text[]) method
$$;

/* {n_per_arm, sd, alpha, power}, by normal quantiles */
CREATE FUNCTION golden.mde_means(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT to_jsonb(minimum_detectable_effect_means((input ->> 'n_per_arm')::float8, (input ->> 'sd')::float8, (input ->> 'alpha')::float8,
		(input ->> 'power')::float8, method => 'z'))
$$;

/* {effect_d, n_per_arm, alpha} */
CREATE FUNCTION golden.power_means(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_object_agg(method, power_means((input ->> 'effect_d')::float8, 1, (input ->> 'n_per_arm')::float8, (input ->> 'alpha')::float8, method => method))
	FROM unnest('{t,z}'::text[]) method
$$;

/* {a: [n, sum, sum_sq], b, kind: freq | seq, target_power, target_mde, alpha, tuning}: units still needed by those there are */
CREATE FUNCTION golden.mid_experiment_scaling(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	a float8[] := runner.numbers(input -> 'a');
	b float8[] := runner.numbers(input -> 'b');
	mean_a float8 := a[2] / a[1];
	mean_b float8 := b[2] / b[1];
	var_a float8 := (a[3] - a[2] ^ 2 / a[1]) / (a[1] - 1);
	var_b float8 := (b[3] - b[2] ^ 2 / b[1]) / (b[1] - 1);
	-- of the relative effect, by the delta method
	stderr float8 := sqrt(var_b / b[1] / mean_a ^ 2 + var_a / a[1] * mean_b ^ 2 / mean_a ^ 4);
BEGIN
	IF input ->> 'difference' <> 'relative' THEN
		RAISE 'a difference that is not relative';
	END IF;
	RETURN to_jsonb(additional_sample(a[1] + b[1], stderr, (input ->> 'target_mde')::float8, (input ->> 'alpha')::float8, (input ->> 'target_power')::float8,
		CASE input ->> 'kind' WHEN 'seq' THEN (input ->> 'tuning')::float8 END) / (a[1] + b[1]));
END $$;
