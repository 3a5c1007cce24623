/* bandits.json: what policies do with what is known of the arms. */

/* {"1": {"n": …, "sum": …}, …}: arms by number, and answers likewise */
CREATE FUNCTION runner.arm_numbers(arms jsonb, field text) RETURNS float8[]
LANGUAGE sql IMMUTABLE
RETURN (SELECT array_agg((value ->> field)::float8 ORDER BY key::int) FROM jsonb_each(arms));

CREATE FUNCTION runner.by_arm(arms jsonb, answers float8[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN (SELECT jsonb_object_agg(key, answers[place])
	FROM (SELECT key, row_number() OVER (ORDER BY key::int) AS place FROM jsonb_object_keys(arms) key) arm);

/* {arms, total, alpha}; total is the sum of n */
CREATE FUNCTION golden.ucb1(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	n bigint[] := runner.arm_numbers(input -> 'arms', 'n')::bigint[];
BEGIN
	IF (SELECT sum(x) FROM unnest(n) x) <> (input ->> 'total')::numeric THEN
		RAISE 'the arms have not % trials in total', input ->> 'total';
	END IF;
	RETURN runner.by_arm(input -> 'arms', ucb1(n, runner.arm_numbers(input -> 'arms', 'sum'), (input ->> 'alpha')::float8));
END $$;

/* {arms, tau} */
CREATE FUNCTION golden.softmax(input jsonb) RETURNS jsonb
LANGUAGE sql
RETURN runner.by_arm(input -> 'arms', bandit_probabilities('softmax', runner.arm_numbers(input -> 'arms', 'n')::bigint[],
	runner.arm_numbers(input -> 'arms', 'sum'), temperature => (input ->> 'tau')::float8));

/* {arms, epsilon} */
CREATE FUNCTION golden.epsilon_greedy_probs(input jsonb) RETURNS jsonb
LANGUAGE sql
RETURN runner.by_arm(input -> 'arms', bandit_probabilities('epsilon_greedy', runner.arm_numbers(input -> 'arms', 'n')::bigint[],
	runner.arm_numbers(input -> 'arms', 'sum'), epsilon => (input ->> 'epsilon')::float8));

/* {arms, prior: [success, failure]} */
CREATE FUNCTION golden.thompson_bernoulli_best_prob(input jsonb) RETURNS jsonb
LANGUAGE sql
RETURN runner.by_arm(input -> 'arms', bandit_probabilities('thompson', runner.arm_numbers(input -> 'arms', 'n')::bigint[],
	runner.arm_numbers(input -> 'arms', 'sum'), prior_success => (input -> 'prior' ->> 0)::float8,
	prior_failure => (input -> 'prior' ->> 1)::float8));

/*
 * {n, sum, sum_sq, top_two, min_weight}.  The runner compares all with the bound of what was
 * sampled, the wider one of the two; test/pgtap/bandit.sql holds the exact ones to 1e-12.
 */
CREATE FUNCTION golden.growthbook_bandit_weights(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	n bigint[] := runner.numbers(input -> 'n')::bigint[];
	sums float8[] := runner.numbers(input -> 'sum');
	squares float8[] := runner.numbers(input -> 'sum_sq');
	best float8[] := bandit_probabilities('thompson_gaussian', n, sums, squares);
BEGIN
	RETURN jsonb_build_object('best_arm_prob_exact', best, 'best_arm_prob_mc', best,
		'weights', bandit_probabilities('thompson_gaussian', n, sums, squares,
			min_weight => (input ->> 'min_weight')::float8, top_two => (input ->> 'top_two')::boolean));
END $$;

/* {contexts, arms, rewards, query, alpha, l2}: scores of each arm for each context of the query */
CREATE FUNCTION golden.linucb_disjoint(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	WITH arm AS (
		SELECT arm #>> '{}' AS arm, linucb(runner.numbers(context), (reward #>> '{}')::float8) AS state
		FROM ROWS FROM (jsonb_array_elements(input -> 'contexts'), jsonb_array_elements(input -> 'arms'),
			jsonb_array_elements(input -> 'rewards')) AS row (context, arm, reward)
		GROUP BY 1)
	SELECT jsonb_agg(scores ORDER BY place)
	FROM (SELECT place, jsonb_object_agg(arm, linucb_score(state, runner.numbers(query),
			(input ->> 'alpha')::float8, (input ->> 'l2')::float8)) AS scores
		FROM arm, jsonb_array_elements(input -> 'query') WITH ORDINALITY AS q (query, place)
		GROUP BY place) AS answer
$$;
