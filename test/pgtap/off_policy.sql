-- ope() against plain SQL, in any order and split, at the ends of its range, and against the truth of a simulated log
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(35);

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
CREATE FUNCTION accepted_flips(type text, state text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM generate_series(0, length(state) / 2 - 1) i
	WHERE refusal(type, encode(set_byte(decode(state, 'hex'), i, get_byte(decode(state, 'hex'), i) # 16), 'hex')) = 'accepted' $$;
CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text; lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP lines := lines || line || E'\n'; END LOOP;
	RETURN lines;
END $$;
CREATE FUNCTION near(got float8, expected float8, tolerance float8 DEFAULT 1e-12) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(got = expected OR abs(got - expected) <= tolerance * abs(expected), got IS NULL AND expected IS NULL) $$;

--
-- two contexts, three actions: a log, and a policy that prefers other actions
--
CREATE TABLE action (x int, a int, logged_p float8, target_p float8, q float8, model float8, PRIMARY KEY (x, a));
INSERT INTO action VALUES
	(0, 1, 0.7, 0.1, 0.2, 0.25), (0, 2, 0.2, 0.3, 0.4, 0.3), (0, 3, 0.1, 0.6, 0.7, 0.5),
	(1, 1, 0.6, 0.0, 0.3, 0.3), (1, 2, 0.3, 0.2, 0.1, 0.3), (1, 3, 0.1, 0.8, 0.5, 0.4);
CREATE TABLE log AS
SELECT i, x, a, logged_p, target_p, model AS q_logged, (SELECT sum(o.target_p * o.model) FROM action o WHERE o.x = d.x) AS q_target,
	CASE WHEN bandit_uniform('reward', i) < q THEN 1.0 ELSE 0 END::float8 AS reward
FROM (SELECT i, CASE WHEN bandit_uniform('context', i) < 0.4 THEN 0 ELSE 1 END AS x FROM generate_series(1, 20000) i) c
	JOIN LATERAL (SELECT x, bandit_pick(array_agg(logged_p ORDER BY o.a), 'log', i) AS a FROM action o WHERE o.x = c.x GROUP BY o.x) d USING (x)
	JOIN action USING (x, a);
CREATE TABLE truth AS SELECT 0.4 * sum(target_p * q) FILTER (WHERE x = 0) + 0.6 * sum(target_p * q) FILTER (WHERE x = 1) AS value FROM action;
CREATE TABLE estimate AS SELECT (ope(reward, logged_p, target_p, q_logged, q_target, 3)).* FROM log;

SELECT is(n, 20000::bigint, 'all rows count') FROM estimate;
SELECT cmp_ok(abs(ips - value), '<', 4 * ips_se, 'ips is the truth') FROM estimate, truth;
SELECT cmp_ok(abs(snips - value), '<', 4 * snips_se, 'snips is the truth') FROM estimate, truth;
SELECT cmp_ok(abs(dr - value), '<', 4 * dr_se, 'dr is the truth, with a model that is wrong') FROM estimate, truth;
SELECT cmp_ok(dr_se, '<', ips_se, 'and surer than ips') FROM estimate;
SELECT cmp_ok(abs(dm - value), '>', 5 * dr_se, 'that model by itself is not') FROM estimate, truth;
SELECT cmp_ok(value - clipped_ips, '>', 10 * clipped_ips_se, 'clipping errs on the low side') FROM estimate, truth;
SELECT cmp_ok(abs(naive - value), '>', 20 * se, 'the mean of the rewards that were logged is another thing')
FROM truth, (SELECT avg(reward) AS naive, stddev(reward) / sqrt(count(*)) AS se FROM log) m;
SELECT cmp_ok(abs(mean_weight - 1), '<', 0.05::float8, 'weights have a mean of 1') FROM estimate;
-- with the true model, dr needs no right probabilities
SELECT cmp_ok(abs((e).dr - value), '<', 4 * (e).dr_se, 'dr is the truth by wrong probabilities and a right model') FROM truth, (
	SELECT ope(reward, 1 / 3.0, l.target_p, q, (SELECT sum(o.target_p * o.q) FROM action o WHERE o.x = l.x)) AS e FROM log l JOIN action USING (x, a)) s;
-- the policy that was followed is worth what it earned
SELECT ok(near((e).ips, mean) AND near((e).snips, mean) AND near((e).ips_se, se) AND (e).ess = 20000 AND (e).max_weight = 1, 'the same policy')
FROM (SELECT ope(reward, logged_p, logged_p) AS e, avg(reward) AS mean, stddev(reward) / sqrt(count(*)) AS se FROM log) s;

--
-- the formulas, in numeric
--
CREATE TABLE weighed AS SELECT log.*, (target_p / logged_p)::numeric AS w, reward::numeric AS r, q_logged::numeric AS ql, q_target::numeric AS qt FROM log WHERE i <= 500;
CREATE TABLE expected AS
SELECT avg(w * r) AS ips, stddev(w * r) / sqrt(500.0) AS ips_se, s AS snips, sqrt(sum(w * w * (r - s) * (r - s))) / sum(w) AS snips_se,
	avg(least(w, 3) * r) AS clipped, stddev(least(w, 3) * r) / sqrt(500.0) AS clipped_se, avg(qt) AS dm, stddev(qt) / sqrt(500.0) AS dm_se,
	avg(qt + w * (r - ql)) AS dr, stddev(qt + w * (r - ql)) / sqrt(500.0) AS dr_se, sum(w) * sum(w) / sum(w * w) AS ess, avg(w) AS mean_weight, max(w) AS max_weight
FROM weighed, (SELECT sum(w * r) / sum(w) AS s FROM weighed) t GROUP BY s;
CREATE TABLE got AS SELECT (ope(reward, logged_p, target_p, q_logged, q_target, 3)).* FROM weighed;
SELECT ok(near(got.ips, e.ips::float8) AND near(got.ips_se, e.ips_se::float8), 'ips') FROM got, expected e;
SELECT ok(near(got.snips, e.snips::float8) AND near(got.snips_se, e.snips_se::float8), 'snips') FROM got, expected e;
SELECT ok(near(clipped_ips, e.clipped::float8) AND near(clipped_ips_se, e.clipped_se::float8) AND clip = 3, 'clipped_ips') FROM got, expected e;
SELECT ok(near(got.dm, e.dm::float8) AND near(got.dm_se, e.dm_se::float8), 'dm') FROM got, expected e;
SELECT ok(near(got.dr, e.dr::float8) AND near(got.dr_se, e.dr_se::float8), 'dr') FROM got, expected e;
SELECT ok(near(got.ess, e.ess::float8) AND near(got.mean_weight, e.mean_weight::float8) AND near(got.max_weight, e.max_weight::float8), 'weights') FROM got, expected e;
-- each form says what the longest one says, but for what it was not told
SELECT ok(ROW(e.*) IS NOT DISTINCT FROM ROW(got.n, got.ips, got.ips_se, got.snips, got.snips_se, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, got.ess, got.mean_weight, got.max_weight), 'three arguments')
FROM got, (SELECT (ope(reward, logged_p, target_p)).* FROM weighed) e;
SELECT ok(ROW(e.*) IS NOT DISTINCT FROM ROW(got.n, got.ips, got.ips_se, got.snips, got.snips_se, got.clipped_ips, got.clipped_ips_se, got.clip, NULL::float8, NULL::float8, NULL::float8, NULL::float8, got.ess, got.mean_weight, got.max_weight), 'four arguments')
FROM got, (SELECT (ope(reward, logged_p, target_p, 3)).* FROM weighed) e;
SELECT ok(ROW(e.*) IS NOT DISTINCT FROM ROW(got.n, got.ips, got.ips_se, got.snips, got.snips_se, NULL::float8, NULL::float8, NULL::float8, got.dm, got.dm_se, got.dr, got.dr_se, got.ess, got.mean_weight, got.max_weight), 'five arguments')
FROM got, (SELECT (ope(reward, logged_p, target_p, q_logged, q_target)).* FROM weighed) e;

--
-- any order, any split; digits
--
CREATE TABLE hard AS
SELECT i, 1e6 + bandit_uniform('r', i) AS reward, CASE WHEN i % 10 = 0 THEN 1e-6 ELSE 1 END * (0.1 + 0.9 * bandit_uniform('p', i)) AS logged_p, bandit_uniform('t', i) AS target_p,
	1e6 + bandit_uniform('q', i) AS q FROM generate_series(1, 3000) i;
CREATE TABLE whole AS SELECT ope(reward, logged_p, target_p, q, q, 100) AS e FROM hard;
SELECT is((SELECT ope(reward, logged_p, target_p, q, q, 100 ORDER BY target_p / logged_p DESC) FROM hard), e, 'in another order') FROM whole;
SELECT is((SELECT ope_merge(s ORDER BY g) FROM (SELECT i % 11 AS g, ope_partial(reward, logged_p, target_p, q, q, 100) AS s FROM hard GROUP BY 1) p), e, 'merged') FROM whole;
SELECT is((SELECT ope_merge(s) FROM (SELECT ope_partial(reward, logged_p, target_p, q, q, 100)::text::ope_state AS s FROM hard GROUP BY i / 1000 UNION ALL SELECT NULL) p), e, 'merged, by way of text') FROM whole;
SELECT ok(near((e).dr_se, (SELECT (stddev(q::numeric + (target_p / logged_p)::numeric * (reward - q)::numeric) / sqrt(3000.0))::float8 FROM hard), 1e-9)
	AND near((e).snips_se, (SELECT (sqrt(sum(w * w * (r - s) * (r - s))) / sum(w))::float8
		FROM (SELECT (target_p / logged_p)::numeric AS w, reward::numeric AS r FROM hard) h, (SELECT sum((target_p / logged_p)::numeric * reward::numeric) / sum((target_p / logged_p)::numeric) AS s FROM hard) t), 1e-6), 'weights of a million beside those of one') FROM whole;
SELECT is(ROW((e).snips, (e).snips_se, (e).ips_se > 0), ROW(1::float8, 0::float8, true), 'rewards that are all 1: snips is sure, ips is not') FROM (SELECT ope(1, logged_p, target_p) AS e FROM hard) s;

SET LOCAL max_parallel_workers_per_gather = 4;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT alike(plan_of('SELECT ope(reward, logged_p, target_p, q, q, 100) FROM hard'), '%Partial Aggregate%', 'in parallel');
SELECT is((SELECT ope(reward, logged_p, target_p, q, q, 100) FROM hard), e, 'the same in parallel') FROM whole;

--
-- states
--
CREATE TABLE state AS SELECT ope_partial(reward, logged_p, target_p, q, q, 100)::text AS s FROM hard;
SELECT is(accepted_flips('ope_state', s), 0::bigint, 'a state with a changed byte is refused') FROM state;
SELECT is(refusal('ope_state', forge(s, place, bytes)), expected, expected) FROM state, (VALUES
	(3, '\x02'::bytea, 'Its flags are not known.'), (4, '\x0000000000000000', 'It has no rows.'), (12, '\xbff0000000000000', 'Its clip is out of range.'),
	(20, '\x7ff0000000000000', 'Its largest weight is out of range.'), (28, '\x7ff8000000000000', 'A sum is not finite.'), (28, '\xfff0000000000000', 'A sum is not finite.'),
	(52, '\xc3f0000000000000', 'A sum of squares is negative.')) v(place, bytes, expected);

SELECT finish();
ROLLBACK;
