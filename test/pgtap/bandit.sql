-- Probabilities of arms against arithmetic of twenty digits and their own laws; picks; LinUCB; regret by simulation
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(73);

\ir state_checksum.psql
-- the text form of a state with some of its bytes, counted from 0, replaced by others
CREATE FUNCTION forge(state text, place int, bytes bytea) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT encode(body, 'hex') || encode(state_checksum(body), 'hex')
	FROM (SELECT overlay(decode(left(state, -8), 'hex') PLACING bytes FROM place + 1 FOR length(bytes)) AS body) x $$;
CREATE FUNCTION refusal(type text, state text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; detail text;
BEGIN
	EXECUTE format('SELECT %L::%s', state, type);
	RETURN 'accepted';
EXCEPTION WHEN invalid_binary_representation OR feature_not_supported OR protocol_violation OR invalid_text_representation THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN coalesce(nullif(detail, ''), message);
END $$;
-- the largest difference of two arrays, relative to what is expected where that is above `tiny`
CREATE FUNCTION off_by(got float8[], expected float8[], tiny float8 DEFAULT 0) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN cardinality(got) = cardinality(expected) THEN max(abs(g - e) / greatest(abs(e), tiny)) ELSE 'Infinity' END FROM unnest(got, expected) u(g, e) $$;
CREATE FUNCTION total(x float8[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT sum(v) FROM unnest(x) v $$;
-- arms whose posteriors are normal with these means and standard deviations: two rewards each, mean - sd and mean + sd
CREATE FUNCTION normal_best(mean float8[], sd float8[], top_two boolean DEFAULT false) RETURNS float8[] LANGUAGE sql IMMUTABLE AS $$
	SELECT bandit_probabilities('thompson_gaussian', array_agg(2 ORDER BY i), array_agg(2 * m ORDER BY i),
		array_agg(2 * m * m + 2 * s * s ORDER BY i), top_two => top_two)
	FROM ROWS FROM (unnest(mean), unnest(sd)) WITH ORDINALITY u(m, s, i) $$;

--
-- P(arm is best), by mpmath: quadrature with 20 digits, the distribution functions of large arms by Gauss's rule with 24 nodes
--
CREATE TABLE reference (id text, n bigint[], sums float8[], prior float8, top_two boolean, expected float8[]);
INSERT INTO reference VALUES
	('three arms', '{20,30,25}', '{3,8,4}', 1, false, '{0.15215034565773794,0.69999987771873918,0.14784977662352288}'),
	('three arms, the best two', '{20,30,25}', '{3,8,4}', 1, true, '{0.2565327209821595,0.46631177519478657,0.27715550382305393}'),
	('densities with poles', '{3,0,7}', '{0,0,7}', 0.5, false, '{0.0003215258238542383,0.13178235557925044,0.86789611859689531}'),
	('almost no prior', '{0,1,2}', '{0,1,0}', 0.001, false, '{0.25000081849555955,0.74999886036008111,3.2114435934283756e-7}'),
	('steep on one side', '{1000,3,5}', '{1000,3,4}', 0.01, false, '{0.52893855761521641,0.47105892528801995,2.5170967636437646e-6}'),
	('steep on one side, the best two', '{1000,3,5}', '{1000,3,4}', 0.01, true, '{0.49998230322113086,0.49533850937932824,0.0046791873995408905}'),
	('no failure among many trials', '{576877,49794142984509}', '{117843,49794142984509}', 0.001, true, '{0.5,0.5}'),
	('a narrow one inside of a wide one', '{100000,3}', '{50000,1}', 1, false, '{0.68749625016874184,0.31250374983125785}'),
	('a small chance', '{100,100}', '{10,60}', 1, false, '{1.0572507934014784e-14,0.99999999999998943}'),
	('of four widths', '{50,500,5000,50000}', '{10,95,1020,10010}', 1, false, '{0.50331108118503121,0.12042162455949668,0.29330704652935923,0.082960247726112888}'),
	('a billion trials', '{1000000000,1000000000}', '{100000000,100010000}', 1, false, '{0.22803327573363972,0.77196672426636028}'),
	('of a thousand to a billion trials', '{1000000000,1000000,1000}', '{100000000,100100,105}', 1, false, '{0.10383645927930334,0.18408456307860519,0.71207897764209147}');
SELECT cmp_ok(off_by(bandit_probabilities('thompson', n, sums, prior_success => prior, prior_failure => prior, top_two => top_two), expected, 1e-6), '<', 1e-11::float8, id)
FROM reference ORDER BY id;

-- arms with normal posteriors
SELECT cmp_ok(off_by(normal_best('{1,1.05,0.9,1.2}', '{0.1,0.2,0.05,0.001}'), '{0.018707324565262521,0.22552047898980424,7.6510602502264015e-10,0.75577219567982721}'),
	'<', 1e-10::float8, 'normal posteriors');
SELECT cmp_ok(off_by(normal_best('{1,1.05,0.9,1.2}', '{0.1,0.2,0.05,0.001}', true), '{0.18959782670217126,0.28672673731807361,0.026254387652584278,0.49742104832717085}'),
	'<', 1e-10::float8, 'normal posteriors, the best two');
SELECT cmp_ok(off_by(normal_best('{0,0,1e-6}', '{1,1e-6,2e-6}'), '{0.49999940964094225,0.16368027590758246,0.33632031445147529}'),
	'<', 1e-10::float8, 'a millionth as wide');
-- two of them have a closed form, by scipy.stats.norm.sf of the difference
SELECT is_empty($$ SELECT gap, sd, p, normal_tail(gap / sqrt(1 + sd * sd)) AS closed
	FROM (SELECT gap, sd, (normal_best(array[0, gap], array[1, sd]))[1] AS p
		FROM generate_series(0, 7) gap, unnest('{1e-6,0.1,1,30,1e5}'::float8[]) sd) s
	WHERE abs(p / normal_tail(gap / sqrt(1 + sd * sd)) - 1) > 1e-9 $$, 'two normal posteriors: the closed form, down to 1e-12');
SELECT ok(x[1] BETWEEN 3.5573e-27 AND 3.5574e-27 AND x[2] = 1, 'even a chance of 3.6e-27 has some digits') FROM normal_best('{0,12}', '{1,0.5}') x;
SELECT is(normal_best('{0,1000}', '{1,1}'), '{0,1}', 'what cannot be is 0');
SELECT cmp_ok(off_by(bandit_probabilities('thompson_gaussian', n, sums, squares), expected), '<', 1e-12::float8, 'best_arm_prob_exact: ' || expected::text)
FROM (VALUES ('{3000,3000,3000}'::bigint[], '{300,330,360}'::float8[], '{300,330,360}'::float8[], '{0.0034675890987037323,0.11142261643904137,0.8851097944622551}'::float8[]),
	('{500,520,480}', '{1000,1100,1010}', '{4000,4300,3900}', '{0.08194576965218286,0.4929466999145179,0.42510753043329985}'),
	('{5000,5000,5000,5000}', '{500,510,490,560}', '{500,510,490,560}', '{0.02019825653707957,0.04817357443421361,0.007476728713960858,0.9241514403147459}')) v(n, sums, squares, expected);

--
-- laws, on arms drawn at random
--
CREATE TABLE arms AS
SELECT trial, array_agg(n ORDER BY arm) AS n, array_agg(floor(n * rate) ORDER BY arm) AS sums
FROM (SELECT trial, arm, floor(10 ^ (5 * bandit_uniform('n', trial * 1000 + arm)))::bigint - 1 AS n, bandit_uniform('rate', trial * 1000 + arm) ^ 3 AS rate
	FROM generate_series(1, 60) trial, generate_series(1, 2 + trial % 9) arm) s
GROUP BY trial;
CREATE TABLE laws AS
SELECT a.*, method, top_two, bandit_probabilities(method, n, sums, sums, top_two => top_two) AS p
FROM arms a, unnest('{thompson,thompson_gaussian}'::text[]) method, unnest('{f,t}'::boolean[]) top_two;
SELECT is(count(*), 240::bigint, 'arms to look at') FROM laws;
SELECT is_empty($$ SELECT * FROM laws WHERE abs(total(p) - 1) > 1e-12 OR cardinality(p) <> cardinality(n) OR 0 > ANY (p) OR 1 < ANY (p) $$, 'probabilities sum to 1');
SELECT is_empty($$ SELECT * FROM laws WHERE top_two AND 0.5 + 1e-12 < ANY (p) $$, 'no arm is more than one of the best two');
SELECT is_empty($$ SELECT * FROM laws, LATERAL (
		SELECT bandit_probabilities(method, array_agg(x ORDER BY i DESC), array_agg(y ORDER BY i DESC), array_agg(y ORDER BY i DESC), top_two => top_two) AS reversed, array_agg(z ORDER BY i DESC) AS back
		FROM ROWS FROM (unnest(n), unnest(sums), unnest(p)) WITH ORDINALITY u(x, y, z, i)) s
	WHERE reversed <> back $$, 'the order of the arms changes nothing');
SELECT is_empty($$ SELECT trial, p, q FROM laws, LATERAL (SELECT bandit_probabilities('thompson', n || n, sums || sums) AS q) s
	WHERE method = 'thompson' AND NOT top_two AND q[: cardinality(n)] <> q[cardinality(n) + 1 :] $$, 'equal arms have equal probabilities');
SELECT is_empty($$ SELECT trial, p, more FROM laws, LATERAL (SELECT bandit_probabilities('thompson', n, array[sums[1] + 1] || sums[2 :]) AS more) s
	WHERE method = 'thompson' AND NOT top_two AND n[1] > sums[1] AND p[1] BETWEEN 1e-14 AND 1 - 1e-14 AND (more[1] <= p[1] OR more[2] > p[2] + 1e-15) $$, 'one more success makes an arm better, and no other');
SELECT is_empty($$ SELECT * FROM laws WHERE NOT top_two AND abs(total(bandit_probabilities(method, n, sums, sums, min_weight => 0.02)) - 1) > 1e-12
	OR off_by(bandit_probabilities(method, n, sums, sums, min_weight => 0.02, top_two => top_two), (SELECT array_agg(0.02 + (1 - cardinality(n) * 0.02) * x ORDER BY i) FROM unnest(p) WITH ORDINALITY u(x, i))) > 1e-12 $$,
	'min_weight takes each arm''s share off first');
-- failures are successes of the opposite: of two arms the chances change places
SELECT is_empty($$ SELECT n, s, bandit_probabilities('thompson', n, s), bandit_probabilities('thompson', n, f)
	FROM (SELECT n[1:2] AS n, sums[1:2] AS s, array[n[1] - sums[1], n[2] - sums[2]] AS f FROM arms) x
	WHERE off_by(bandit_probabilities('thompson', n, s), (SELECT array[q[2], q[1]] FROM bandit_probabilities('thompson', n, f) q), 1e-10) > 1e-10 $$, 'mirrored');
-- so many equal arms that each is best with one chance in as many
SELECT cmp_ok(off_by(bandit_probabilities(method, array_fill(7, array[k]), array_fill(3.0, array[k]), array_fill(3.0, array[k]), top_two => top_two), array_fill(1.0 / k, array[k])), '<', 1e-14::float8,
	format('%s equal arms, %s, top_two %s', k, method, top_two))
FROM (VALUES (1, 'thompson', false), (250, 'thompson_gaussian', true)) v(k, method, top_two);
SELECT ok(abs(total(p) - 1) < 1e-12 AND p = (SELECT array_agg(x ORDER BY x) FROM unnest(p) x) AND p[1] BETWEEN 1e-4 AND 0.005 AND p[100] BETWEEN 0.02 AND 0.1, 'a hundred arms that differ a little')
FROM (SELECT bandit_probabilities('thompson', array_agg(1000000 + i), array_agg(500000 + 10.0 * i)) AS p FROM generate_series(1, 100) i) s;

-- arms that nobody tried, with normal posteriors: the limit of a prior that is ever wider
SELECT is_empty($$ SELECT n, top_two, exact, nearly FROM unnest('{f,t}'::boolean[]) top_two, (VALUES ('{9,0,9}'::bigint[]), ('{9,0,0}'), ('{0,9,0}'), ('{9,8,0}'), ('{0,0,9}'), ('{9,0,0}')) v(n),
		LATERAL (SELECT array_agg(CASE WHEN x > 0 THEN x / 2.0 ELSE 0 END) AS sums, array_agg(CASE WHEN x > 0 THEN x ELSE 0 END::float8) AS squares FROM unnest(n) x) s,
		LATERAL (SELECT bandit_probabilities('thompson_gaussian', n, sums, squares, top_two => top_two) AS exact,
			bandit_probabilities('thompson_gaussian', n, sums, squares, top_two => top_two, prior_variance => 1e24) AS nearly) p
	WHERE off_by(exact, nearly) > 1e-9 OR abs(total(exact) - 1) > 1e-15 $$, 'unknown arms');
SELECT is(bandit_probabilities('thompson_gaussian', '{0,1,0,0}', '{0,5,0,0}', '{0,25,0,0}', top_two => top_two), '{0.25,0.25,0.25,0.25}', 'none is known')
FROM unnest('{f,t}'::boolean[]) top_two;
-- a posterior with a prior: precisions add up
SELECT cmp_ok(off_by(bandit_probabilities('thompson_gaussian', '{2,2}', '{4,2}', '{10,4}', prior_mean => 3, prior_variance => 0.5),
	normal_best(array[(2 / 1.0 + 3 / 0.5) / (1 / 1.0 + 1 / 0.5), (1 / 1.0 + 3 / 0.5) / (1 / 1.0 + 1 / 0.5)], array[sqrt(1 / 3.0), sqrt(1 / 3.0)])), '<', 1e-12::float8, 'prior_mean, prior_variance');
-- rewards that say nothing beside the prior: as if there were none
SELECT cmp_ok(off_by(bandit_probabilities('thompson_gaussian', '{2,2}', '{0,2}', array[v, 2.5], prior_variance => 1),
	bandit_probabilities('thompson_gaussian', '{0,2}', '{0,2}', '{0,2.5}', prior_variance => 1)), '<', 2.5 / v + 1e-12, 'a variance of the rewards of ' || v)
FROM unnest('{1e9,1e13,1e17,1e25}'::float8[]) v;
-- rewards that were all alike
SELECT is(normal_best('{1,2,2,0}', '{0,0,0,0}'), '{0,0.5,0.5,0}', 'points');
SELECT cmp_ok(off_by(normal_best('{0,1,-5}', '{1,0,0}'), array[normal_tail(1), 1 - normal_tail(1), 0], 1e-9), '<', 1e-9::float8, 'a point beside a normal posterior');

--
-- picks
--
SELECT is(bandit_uniform(seed, unit), expected::float8, format('bandit_uniform(%L, %L)', seed, unit))
FROM (VALUES ('', '', 0.7295423265634143), ('a', 'b', 0.30036729040884813), ('banner', '1', 0.5972070843459452), ('banner', 'user-42', 0.3668526605889765),
	(U&'gr\00F6\00DFe', U&'\65E5\672C\8A9E', 0.14887285912469672)) v(seed, unit, expected)
WHERE pg_encoding_to_char((SELECT encoding FROM pg_database WHERE datname = current_database())) = 'UTF8' OR seed !~ '[^a-z]';
SELECT is(bandit_uniform('banner', (-9223372036854775808)::bigint), 0.817432728687688::float8, 'a number counts as its digits');
SELECT is_empty($$ SELECT arm, p, n FROM (SELECT arm, p, (SELECT count(*) FROM generate_series(1, 40000) unit WHERE bandit_pick('{0.5,0,0.3,0.199,0.001}', 'share', unit) = arm) AS n
		FROM unnest('{0.5,0,0.3,0.199,0.001}'::float8[]) WITH ORDINALITY u(p, arm)) s
	WHERE abs(n - 40000 * p) > 4 * sqrt(40000 * p * (1 - p)) $$, 'arms are picked as often as they should');
SELECT is(bandit_pick('{0,0,1,0}', 'x', unit), 3, 'an arm of probability 0 is never picked') FROM generate_series(1, 2) unit;
SELECT is_empty($$ SELECT unit FROM generate_series(1, 500) unit WHERE bandit_pick('{a,b,c}', '{0.2,0.3,0.5}', 'arms', unit::text) IS DISTINCT FROM ('{a,b,c}'::text[])[bandit_pick('{0.2,0.3,0.5}', 'arms', unit)]
	OR bandit_pick('{0.2,0.3,0.5}', 'arms', unit) <> CASE WHEN bandit_uniform('arms', unit) < 0.2 THEN 1 WHEN bandit_uniform('arms', unit) < 0.5 THEN 2 ELSE 3 END $$, 'by name, by number, by bandit_uniform');

--
-- LinUCB
--
CREATE FUNCTION score_of(x float8[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT linucb_score(linucb(array[v, v], 0), '{1,-1}') FROM unnest(x) v);
EXCEPTION WHEN numeric_value_out_of_range THEN
	RETURN SQLERRM;
END $$;
CREATE TABLE clicks AS
SELECT i, array[1, bandit_uniform('x', i) - 0.5, 3 * bandit_uniform('y', i)] AS features, 2 - bandit_uniform('x', i) + bandit_uniform('noise', i) AS reward
FROM generate_series(1, 2000) i;
-- the same by sums in SQL and Cramer's rule, of two features
SELECT cmp_ok(off_by((SELECT linucb_coefficients(linucb(features[2:3], reward), 0.5) FROM clicks),
	(SELECT array[(u * c - v * b) / (a * c - b * b), (v * a - u * b) / (a * c - b * b)]
	FROM (SELECT sum(x * x) + 0.5 AS a, sum(x * y) AS b, sum(y * y) + 0.5 AS c, sum(x * r) AS u, sum(y * r) AS v
		FROM (SELECT features[2] AS x, features[3] AS y, reward AS r FROM clicks) f) s)), '<', 1e-12::float8, 'coefficients');
-- a feature twice: across the two there is nothing but l2, which is found or missed, and never half found
SELECT is(score ~ '^1\.414[12]|^l2 is too small', true, format('twice a feature of %s: %s', f, score))
FROM unnest('{1e4,1e6,1e7,1.7e9,1e10}'::float8[]) f, LATERAL score_of(array[1.1 * f, 2.3 * f, 3.7 * f]) AS score;
SELECT is((SELECT linucb_score(linucb(features, reward ORDER BY i), '{1,2,3}') FROM clicks), (SELECT linucb_score(linucb(features, reward ORDER BY reward), '{1,2,3}') FROM clicks), 'rows in any order');
SELECT is((SELECT linucb(features, reward ORDER BY i)::text FROM clicks), (SELECT linucb(features, reward ORDER BY reward)::text FROM clicks), 'the same state of rows in any order');
SELECT is((SELECT linucb_score(linucb_merge(s), '{1,2,3}') FROM (SELECT linucb_partial(features, reward) AS s FROM clicks GROUP BY i % 7) p),
	(SELECT linucb_score(linucb(features, reward), '{1,2,3}') FROM clicks), 'merged, of any split');
SELECT is((SELECT linucb_count(linucb_merge(s)) FROM (SELECT linucb(features, reward) AS s FROM clicks GROUP BY i % 7 UNION ALL SELECT NULL) p), 2000::bigint, 'linucb_count');
SELECT is((SELECT linucb(features, reward)::text::linucb_state::text FROM clicks), (SELECT linucb(features, reward)::text FROM clicks), 'a state as text');
CREATE TABLE state AS SELECT linucb(features, reward)::text AS s FROM clicks;
SELECT is(refusal('linucb_state', forge(s, place, bytes)), expected, expected) FROM state, (VALUES
	(3, '\x0000000000000000'::bytea, 'It has no rows.'), (11, '\x00000000', 'Its count does not fit its size.'), (11, '\x00000004', 'Its count does not fit its size.'),
	(11, '\x7fffffff', 'Its count does not fit its size.'), (15, '\x7ff0000000000000', 'A sum is not finite.'), (15, '\xc0f0000000000000', 'A sum of squares is negative.')) v(place, bytes, expected);

--
-- regret: 20 runs of 2000 rounds in batches of 50, by policy, of arms that pay with a chance of 0.2, 0.3 and 0.4
--
CREATE TABLE run AS
SELECT run, policy, '{0,0,0}'::bigint[] AS n, '{0,0,0}'::float8[] AS sums FROM generate_series(1, 20) run, unnest('{uniform,epsilon_greedy,thompson}'::text[]) policy;
CREATE FUNCTION play(batches int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR batch IN 1 .. batches LOOP
		UPDATE run SET n = after.n, sums = after.sums
		FROM (SELECT run, policy, array_agg(coalesce(tried, 0) + run.n[arm] ORDER BY arm) AS n, array_agg(coalesce(won, 0) + run.sums[arm] ORDER BY arm) AS sums
			FROM run CROSS JOIN generate_series(1, 3) arm LEFT JOIN (
				SELECT run, policy, arm, count(*) AS tried, count(*) FILTER (WHERE bandit_uniform('reward ' || arm, unit) < 0.1 + 0.1 * arm) AS won
				FROM (SELECT run, policy, unit, bandit_pick(p, 'pick', unit) AS arm
					FROM (SELECT run, policy, CASE policy WHEN 'uniform' THEN '{0.3333333333333333,0.3333333333333333,0.3333333333333334}' ELSE bandit_probabilities(policy, n, sums) END AS p FROM run OFFSET 0) r,
						generate_series(run * 100000 + batch * 50, run * 100000 + batch * 50 + 49) unit) picked
				GROUP BY run, policy, arm) counted USING (run, policy, arm)
			GROUP BY run, policy) after
		WHERE (run.run, run.policy) = (after.run, after.policy);
	END LOOP;
END $$;
SELECT play(40);
CREATE TABLE regret AS SELECT policy, avg(0.2 * n[1] + 0.1 * n[2]) AS regret, min(n[1] + n[2] + n[3]) AS rounds FROM run GROUP BY policy;
SELECT is(array_agg(rounds), '{2000,2000,2000}', 'all rounds were played') FROM regret;
SELECT ok(uniform BETWEEN 190 AND 210, 'uniform assignment costs what it must') FROM (SELECT regret AS uniform FROM regret WHERE policy = 'uniform') s;
SELECT cmp_ok((SELECT regret FROM regret WHERE policy = 'thompson'), '<', (SELECT regret FROM regret WHERE policy = 'epsilon_greedy'), 'Thompson sampling regrets less than epsilon-greedy');
SELECT cmp_ok((SELECT regret FROM regret WHERE policy = 'epsilon_greedy'), '<', (SELECT regret / 2 FROM regret WHERE policy = 'uniform'), 'and that less than half of uniform assignment');
SELECT diag(format('regret of 2000 rounds: %s', string_agg(format('%s %s', policy, round(regret::numeric, 1)), ', ' ORDER BY policy))) FROM regret;

SELECT finish();
ROLLBACK;
