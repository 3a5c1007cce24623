/* off_policy.json and off_policy_small.json: a policy judged by the log of another one. */

/* {reward, propensity, target_prob_of_action | target_prob, q_hat_logged, dm, …} */
CREATE FUNCTION golden.ope(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT to_jsonb(e) || jsonb_build_object('clipped_ips_5', (e).clipped_ips)
	FROM (SELECT ope(reward, p, target, q, dm, 5) AS e
		FROM unnest(runner.numbers(input -> 'reward'), runner.numbers(input -> 'propensity'),
			runner.numbers(coalesce(input -> 'target_prob_of_action', input -> 'target_prob')),
			runner.numbers(input -> 'q_hat_logged'), runner.numbers(input -> 'dm')) AS row (reward, p, target, q, dm)) AS estimate
$$;
