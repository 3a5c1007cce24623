/* exp_sequential.json and exp_advanced.json: what may be looked at while an experiment runs. */

/* {alpha, tuning} */
CREATE FUNCTION golden.sequential_rho(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$ SELECT to_jsonb(sequential_rho((input ->> 'alpha')::float8, (input ->> 'tuning')::float8)) $$;

/* {n_per_arm, mean_diff, variance, tau2, alpha} */
CREATE FUNCTION golden.msprt(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('lambda_', likelihood_ratio, 'p_always_valid', p_value, 'ci_halfwidth', ci_halfwidth)
	FROM msprt((input ->> 'mean_diff')::float8, (input ->> 'variance')::float8, (input ->> 'n_per_arm')::float8, (input ->> 'tau2')::float8, (input ->> 'alpha')::float8)
$$;

/* {information, alpha_two_sided, spending} */
CREATE FUNCTION golden.alpha_spending_bounds(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_agg(z ORDER BY look) FROM sequential_bounds(runner.numbers(input -> 'information'), (input ->> 'alpha_two_sided')::float8, input ->> 'spending')
$$;
