-- ucb1(), bandit_probabilities(), bandit_pick(), linucb()
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
CREATE SCHEMA bandit;
SET search_path = bandit, personalize;
SET extra_float_digits = -3;
\pset null (null)

-- every function of this part has a comment and the volatility it claims
SELECT p.oid::regprocedure AS function, prokind, provolatile, proparallel, proisstrict,
	obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
WHERE proname ~ '^(ucb1|bandit_|linucb)'
ORDER BY p.oid::regprocedure::text COLLATE "C";

-- upper confidence bounds; an arm that nobody tried comes first
SELECT ucb1('{5,5,5}', '{4,1,3}'), ucb1('{5,5,5}', '{4,1,3}', 0), ucb1('{5,0}', '{4,0}'), ucb1('{1}', '{1}'), ucb1('{0,0}', '{0,0}');

-- one number for each arm, whose sum is 1
SELECT method, bandit_probabilities(method, '{40,40,40}', '{8,12,9}', '{8,12,9}') AS p, bandit_probabilities(method, '{40,40,40}', '{8,12,9}', '{8,12,9}', min_weight => 0.1) AS floored
FROM unnest('{epsilon_greedy,softmax,ucb1,thompson,thompson_gaussian}'::text[]) method;
SELECT method, bandit_probabilities(method, '{40,40,40}', '{8,12,9}', '{8,12,9}', top_two => true) FROM unnest('{thompson,thompson_gaussian}'::text[]) method;
SELECT epsilon, bandit_probabilities('epsilon_greedy', '{4,4}', '{1,2}', epsilon => epsilon) FROM unnest('{0,0.5,1}'::float8[]) epsilon;
SELECT temperature, bandit_probabilities('softmax', '{4,4}', '{1,2}', temperature => temperature) FROM unnest('{1e-300,0.1,1,1e300}'::float8[]) temperature;
SELECT exploration, bandit_probabilities('ucb1', '{4,40}', '{1,20}', exploration => exploration) FROM unnest('{0,1}'::float8[]) exploration;
SELECT prior, bandit_probabilities('thompson', '{4,4}', '{1,2}', prior_success => prior, prior_failure => prior) FROM unnest('{0.001,1,1000,1e12}'::float8[]) prior;
SELECT variance, bandit_probabilities('thompson_gaussian', '{4,4}', '{1,2}', '{1,2}', prior_mean => 1, prior_variance => variance) FROM unnest('{1e-9,0.1,Infinity}'::float8[]) variance;

-- ties go to the first; of arms that nobody tried too
SELECT method, bandit_probabilities(method, '{4,4,4}', '{1,2,2}') AS tie, bandit_probabilities(method, '{4,0,0}', '{4,0,0}') AS untried
FROM unnest('{epsilon_greedy,softmax,ucb1,thompson}'::text[]) method;
SELECT bandit_probabilities('thompson_gaussian', '{4,0,1}', '{4,0,1}', '{5,0,1}') AS untried,
	bandit_probabilities('thompson_gaussian', '{0,0}', '{0,0}', '{0,0}') AS all_untried,
	bandit_probabilities('thompson_gaussian', '{4,0}', '{4,0}', '{5,0}', prior_variance => 1) AS untried_with_prior;
-- one arm
SELECT method, bandit_probabilities(method, '{4}', '{1}', '{1}') AS tried, bandit_probabilities(method, '{0}', '{0}', '{0}') AS untried
FROM unnest('{epsilon_greedy,softmax,ucb1,thompson,thompson_gaussian}'::text[]) method;
SELECT bandit_probabilities('thompson', '{4}', '{1}', top_two => true);
-- no variance; chances that are nothing; many trials
SELECT bandit_probabilities('thompson_gaussian', '{3,3,3}', '{3,6,6}', '{3,12,12}'),
	bandit_probabilities('thompson', '{1000000000,1000000000}', '{100000000,900000000}'),
	bandit_probabilities('thompson', '{9000000000000000000,9000000000000000000}', '{4500000000000000000,4500000000000000000}');
SELECT bandit_probabilities('softmax', '{1,1}', '{1e308,-1e308}', temperature => 1e-300);
SELECT bandit_probabilities('epsilon_greedy', '{1,2,3}', '{1,1,1}', min_weight => 0.333333333333333333);

-- refused
SELECT ucb1(NULL, '{1}');
SELECT ucb1('{1}', NULL);
SELECT ucb1('{1}', '{1}', NULL);
SELECT ucb1('{1}', '{1}', -1);
SELECT ucb1('{1}', '{1}', 'NaN');
SELECT ucb1('{1,1}', '{1,1}', 1.7e308);
SELECT ucb1('{1,1000}', '{1,1000}', 1.7e308);
SELECT ucb1('{}', '{}');
SELECT ucb1('{{1,2},{3,4}}', '{1,2,3,4}');
SELECT ucb1('{1,NULL}', '{1,2}');
SELECT ucb1('{1,-1}', '{1,2}');
SELECT ucb1('{1,2}', '{1}');
SELECT ucb1('{1,2}', '{1,NULL}');
SELECT ucb1('{1,2}', '{1,NaN}');
SELECT ucb1('{1,0}', '{1,2}');
SELECT bandit_probabilities('thomson', '{1}', '{1}');
SELECT bandit_probabilities(NULL, '{1}', '{1}');
SELECT bandit_probabilities('thompson', '{4}', '{5}');
SELECT bandit_probabilities('thompson', '{4}', '{-1}');
SELECT bandit_probabilities('thompson_gaussian', '{4}', '{5}');
SELECT bandit_probabilities('thompson_gaussian', '{4,4}', '{5,5}', '{7,6}');
SELECT bandit_probabilities('thompson_gaussian', '{4,4}', '{5,5}', '{7}');
SELECT bandit_probabilities('thompson_gaussian', '{4,4}', '{5,5}', '{7,Infinity}');
SELECT bandit_probabilities('thompson_gaussian', '{4,0}', '{5,0}', '{7,1}');
SELECT bandit_probabilities('epsilon_greedy', '{4}', '{5}', epsilon => 1.1);
SELECT bandit_probabilities('epsilon_greedy', '{4}', '{5}', epsilon => NULL);
SELECT bandit_probabilities('softmax', '{4}', '{5}', temperature => 0);
SELECT bandit_probabilities('ucb1', '{4}', '{5}', exploration => 'Infinity');
SELECT bandit_probabilities('thompson', '{4}', '{4}', prior_success => 0);
SELECT bandit_probabilities('thompson', '{4}', '{4}', prior_failure => 1e13);
SELECT bandit_probabilities('thompson_gaussian', '{4}', '{4}', '{4}', prior_mean => 'NaN');
SELECT bandit_probabilities('thompson_gaussian', '{4}', '{4}', '{4}', prior_variance => 0);
SELECT bandit_probabilities('thompson_gaussian', '{4}', '{4}', '{4}', prior_variance => 'NaN');
SELECT bandit_probabilities('thompson_gaussian', '{4}', '{4}', '{4}', prior_variance => NULL);
SELECT bandit_probabilities('thompson', '{4,4}', '{4,4}', min_weight => -0.1);
SELECT bandit_probabilities('thompson', '{4,4}', '{4,4}', min_weight => 0.51);
SELECT bandit_probabilities('softmax', '{4,4}', '{4,4}', top_two => true);
SELECT bandit_probabilities('thompson', '{4,4}', '{4,4}', top_two => NULL);

-- picks: the same for the same unit, whatever type it has
SELECT unit, bandit_uniform('banner', unit) AS number, bandit_pick('{0.2,0.3,0.5}', 'banner', unit) AS arm, bandit_pick('{0.2,0.3,0.5}', 'banner', unit::text) AS same,
	bandit_pick('{red,green,blue}', '{0.2,0.3,0.5}', 'banner', unit) AS colour, bandit_pick('{red,green,blue}', '{0.2,0.3,0.5}', 'banner', unit::text) AS same,
	bandit_pick('{0.2,0.3,0.5}', 'another', unit) AS other_seed
FROM generate_series(1, 6) unit;
SELECT bandit_pick('{1}', 'x', 1), bandit_pick('{0,1,0}', 'x', 1), bandit_pick('{0.3333333,0.3333333,0.3333333}', 'x', 1), bandit_pick('{1}', 'x', NULL::text), bandit_pick('{a}', '{1}', 'x', NULL::bigint), bandit_uniform('x', NULL::text);
SELECT bandit_pick(NULL, 'x', 1);
SELECT bandit_pick('{1}', NULL, 1);
SELECT bandit_pick('{}', 'x', 1);
SELECT bandit_pick('{0.5,0.4}', 'x', 1);
SELECT bandit_pick('{1.5,-0.5}', 'x', 1);
SELECT bandit_pick('{1,NULL}', 'x', 1);
SELECT bandit_pick('{1,NaN}', 'x', 1);
SELECT bandit_pick('{{0.5,0.5}}', 'x', 1);
SELECT bandit_pick('{a,b}', '{1}', 'x', 1);
SELECT bandit_pick('{{a,b}}', '{0.5,0.5}', 'x', 1);
SELECT bandit_pick('{a,NULL}', '{0.5,0.5}', 'x', 1);
SELECT bandit_pick(NULL, '{1}', 'x', 1);
SELECT bandit_pick('{a}', NULL, 'x', 1);
SELECT bandit_pick('{a}', '{1}', NULL, 1);

-- LinUCB
CREATE TABLE shown (arm text, features float8[], reward float8);
INSERT INTO shown VALUES ('a', '{1,0}', 1), ('a', '{1,1}', 3), ('a', '{1,2}', 4), ('b', '{1,1}', 2), ('b', NULL, 2), ('b', '{1,1}', NULL);
SELECT arm, linucb_count(state), linucb_coefficients(state), linucb_coefficients(state, 1e-9), linucb_score(state, '{1,1}'), linucb_score(state, '{1,1}', 0), linucb_score(state, '{1,1}', alpha => 2, l2 => 0.5)
FROM (SELECT arm, linucb(features, reward) AS state FROM shown GROUP BY arm) s ORDER BY arm;
-- of an arm that was never shown there is the prior
SELECT linucb_score(NULL, '{3,4}'), linucb_score(NULL, '{3,4}', l2 => 4), linucb_score(NULL, NULL), linucb_coefficients(NULL), linucb_count(NULL);
SELECT linucb(features, reward) FROM shown WHERE false;
SELECT linucb_coefficients(linucb_merge(state)) = (SELECT linucb_coefficients(linucb(features, reward)) FROM shown) AS merged
FROM (SELECT arm, linucb_partial(features, reward) AS state FROM shown GROUP BY arm) s;
SELECT linucb_merge(NULL::linucb_state);
SELECT linucb('{1,NULL}'::float8[], 1);
SELECT linucb('{1,NaN}'::float8[], 1);
SELECT linucb('{}'::float8[], 1);
SELECT linucb('{{1}}'::float8[], 1);
SELECT linucb('{1}'::float8[], 'Infinity');
SELECT linucb('{1}'::float8[], 1e140);
SELECT linucb('{1e140}'::float8[], 1);
SELECT linucb(array_fill(1::float8, array[101]), 1);
SELECT linucb(f, 1) FROM (VALUES ('{1}'::float8[]), ('{1,2}')) v(f);
SELECT linucb_merge(s) FROM (SELECT linucb(f, 1) AS s FROM (VALUES ('{1}'::float8[]), ('{1,2}')) v(f) GROUP BY f) p;
SELECT linucb_score(linucb('{1,2}'::float8[], 1), '{1}');
SELECT linucb_score(NULL, '{1}', alpha => -1);
SELECT linucb_score(NULL, '{1}', alpha => NULL);
SELECT linucb_score(NULL, '{1}', l2 => 0);
SELECT linucb_score(NULL, '{1}', l2 => 'NaN');
SELECT linucb_score(NULL, '{1,NULL}');
SELECT linucb_score(NULL, '{1e139}', l2 => 1e-300, alpha => 1e300);
SELECT linucb_score(linucb('{1e10,1e10}'::float8[], 1), '{1,1}', l2 => 1e-9);
SELECT linucb_coefficients(NULL, l2 => NULL);
SELECT 'a5'::linucb_state;
SELECT ''::linucb_state;

DROP SCHEMA bandit CASCADE;
