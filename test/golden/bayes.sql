/* exp_bayes.json: Bayesian readings of an experiment. */

/*
 * {a, b, kind, difference [, prior: {mean, variance}], alpha}; an arm is [successes, n] of a proportion, [n, sum, sum_sq] of a mean.  The
 * effect is relative, its standard error by the delta method, the variance of a proportion p (1 - p).
 */
CREATE FUNCTION golden.bayes_effect(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	a float8[] := runner.numbers(input -> 'a');
	b float8[] := runner.numbers(input -> 'b');
	mean_a float8;
	mean_b float8;
	error_a float8; -- squared, of the mean
	error_b float8;
	r bayes_effect_result;
BEGIN
	IF input ->> 'difference' <> 'relative' THEN
		RAISE 'a difference that is not relative';
	END IF;
	IF input ->> 'kind' = 'proportion' THEN
		mean_a := a[1] / a[2];
		mean_b := b[1] / b[2];
		error_a := mean_a * (1 - mean_a) / a[2];
		error_b := mean_b * (1 - mean_b) / b[2];
	ELSE
		mean_a := a[2] / a[1];
		mean_b := b[2] / b[1];
		error_a := (a[3] - a[2] ^ 2 / a[1]) / (a[1] - 1) / a[1];
		error_b := (b[3] - b[2] ^ 2 / b[1]) / (b[1] - 1) / b[1];
	END IF;
	r := bayes_effect(mean_b / mean_a - 1, sqrt(error_b / mean_a ^ 2 + error_a * mean_b ^ 2 / mean_a ^ 4),
		coalesce((input #>> '{prior,mean}')::float8, 0), (input #>> '{prior,variance}')::float8, (input ->> 'alpha')::float8);
	RETURN jsonb_build_object('expected', r.mean, 'ci', array[r.ci_low, r.ci_high], 'chance_to_win', r.chance_to_win,
		'risk', array[r.risk_control, r.risk_treatment], 'stddev', r.stddev, 'error', NULL);
END $$;

/* {mean, sd} of a normal effect */
CREATE FUNCTION golden.normal_risk(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_array(risk_control, risk_treatment) FROM bayes_effect((input ->> 'mean')::float8, (input ->> 'sd')::float8)
$$;

/* {success_a, n_a, success_b, n_b, prior: [alpha, beta]} */
CREATE FUNCTION golden.beta_binomial_ab(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('prob_b_beats_a', chance_to_win, 'expected_loss_choosing_a', expected_loss_a, 'expected_loss_choosing_b', expected_loss_b)
	FROM bayes_proportion((input ->> 'success_a')::bigint, (input ->> 'n_a')::bigint, (input ->> 'success_b')::bigint, (input ->> 'n_b')::bigint,
		(input #>> '{prior,0}')::float8, (input #>> '{prior,1}')::float8)
$$;

/* {shape_a, rate_a, shape_b, rate_b} of the posteriors: the prior's shape is 1 and its rate 0 */
CREATE FUNCTION golden.gamma_poisson_ab(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT to_jsonb(chance_to_win)
	FROM bayes_rate((input ->> 'shape_a')::float8 - 1, (input ->> 'rate_a')::float8, (input ->> 'shape_b')::float8 - 1, (input ->> 'rate_b')::float8)
$$;
