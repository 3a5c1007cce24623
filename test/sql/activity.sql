-- Decayed sums, affinities, funnels and sessions: what a user types and sees
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = public, personalize;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
\set VERBOSITY default

-- every object of this part has a comment, and is declared as it is
SELECT p.oid::regprocedure AS function, provolatile::text || proparallel::text || CASE WHEN proisstrict THEN 's' ELSE '' END AS declared
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'personalize')
WHERE proname ~ '^(decayed|affinity|funnel|sessionize|hour_of_week)' AND proname !~ '_(in|out|send|recv)$'
ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT count(*) > 50 AS many, count(*) FILTER (WHERE obj_description(objid, classid::regclass::text) IS NULL) AS without_comment
FROM pg_depend d
WHERE deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'personalize')
	AND pg_describe_object(classid, objid, objsubid) ~ ' (decayed|affinity|funnel|sessionize|hour_of_week)'
	AND (classid <> 'pg_type'::regclass OR (SELECT typelem = 0 FROM pg_type WHERE oid = objid));

CREATE TABLE visits (customer text, at timestamptz, event text, category text, amount numeric);
INSERT INTO visits VALUES
	('ann', '2024-03-01 10:00', 'view', 'shoes', NULL),
	('ann', '2024-03-01 10:05', 'cart', 'shoes', NULL),
	('ann', '2024-03-01 10:20', 'order', 'shoes', 80),
	('ann', '2024-03-03 10:00', 'view', 'hats', NULL),
	('ann', '2024-03-03 10:40', 'order', 'hats', 20),
	('bob', '2024-03-02 09:00', 'cart', 'shoes', NULL),
	('bob', '2024-03-02 09:10', 'view', 'socks', NULL),
	('bob', '2024-03-02 12:00', 'cart', 'socks', NULL),
	('cleo', '2024-03-04 00:00', 'view', NULL, NULL),
	('cleo', NULL, 'order', 'hats', 5),
	('dan', '2024-03-04 00:00', 'search', 'hats', NULL);

--
-- decayed sums
--
SELECT customer, round(decayed_sum(amount, at, '1 day', '2024-03-04 10:40')::numeric, 9) AS spend FROM visits GROUP BY customer ORDER BY 1;
SELECT customer, round(decayed_sum(1, at, '1 day', '2024-03-02 10:20')::numeric, 9) AS events FROM visits GROUP BY customer ORDER BY 1;

-- a state can be read at any later time
CREATE TABLE activity AS SELECT customer, decayed_sum(amount, at, '1 day') AS spend FROM visits GROUP BY customer;
SELECT customer, round(decayed_value(spend, '2024-03-03 10:40')::numeric, 9) AS latest, round(decayed_value(spend, '2024-03-04 10:40')::numeric, 9) AS later,
	round(decayed_count(spend, '2024-03-03 10:40')::numeric, 9) AS count, round(decayed_mean(spend)::numeric, 9) AS mean,
	round(decayed_rate(spend, '2024-03-03 10:40')::numeric, 9) AS a_day, round(decayed_rate(spend, '2024-03-03 10:40', '7 days')::numeric, 9) AS a_week
FROM activity ORDER BY 1;
SELECT decayed_value(spend) < 1e-100 AS long_ago, decayed_count(spend) < 1e-100 AS long_ago, decayed_rate(spend) < 1e-100 AS long_ago FROM activity WHERE customer = 'ann';

-- states of days, stored and merged
CREATE TABLE days AS SELECT at::date AS day, decayed_sum_partial(amount, at, '1 day') AS spend FROM visits GROUP BY 1;
SELECT round(decayed_sum_merge(spend, '2024-03-04 10:40')::numeric, 9) AS spend, round(decayed_value(decayed_sum_merge(spend), '2024-03-04 10:40')::numeric, 9) AS same FROM days;
SELECT round(decayed_sum(amount, at, '1 day', '2024-03-04 10:40')::numeric, 9) AS same FROM visits;

-- a running sum
SELECT at, round(decayed_value(decayed_sum(amount, at, '1 day') OVER (ORDER BY at), at)::numeric, 9) AS spend FROM visits WHERE amount > 0 AND isfinite(at) ORDER BY at;

-- refunds, and what is left of them
SELECT decayed_sum(v, at, '1 hour', '2024-01-01 02:00') FROM (VALUES (8.0, timestamptz '2024-01-01'), (-2.5, '2024-01-01 01:00')) x (v, at);
SELECT decayed_sum(-1, '2000-01-01', '1 second', '2024-01-01') AS nothing_left;

-- no rows, rows without a value, only later rows
SELECT decayed_sum(amount, at, '1 day') IS NULL AS none, decayed_sum(amount, at, '1 day', now()) AS none FROM visits WHERE false;
SELECT decayed_sum(amount, at, '1 day') IS NULL AS none, decayed_sum(amount, at, '1 day', now()) AS none FROM visits WHERE amount IS NULL OR at IS NULL;
SELECT decayed_sum(amount, at, '1 day', '2023-01-01') AS none, decayed_sum(0, at, '1 day', '2024-03-01 10:00') AS zero FROM visits;
SELECT decayed_value(NULL) AS none, decayed_mean(NULL) AS none, decayed_rate(spend, per => NULL) AS none FROM activity WHERE customer = 'ann';

-- mistakes
SELECT decayed_value(spend, '2024-03-03') FROM activity WHERE customer = 'ann';
SELECT decayed_value(spend, 'infinity') FROM activity WHERE customer = 'ann';
SELECT decayed_count(spend, '2024-03-03') FROM activity WHERE customer = 'ann';
SELECT decayed_rate(spend, '2024-03-03') FROM activity WHERE customer = 'ann';
SELECT decayed_rate(spend, '2024-03-04', '1 month') FROM activity WHERE customer = 'ann';
SELECT decayed_rate(spend, '2024-03-04', '0') FROM activity WHERE customer = 'ann';
SELECT decayed_sum_merge(spend, '2024-03-03') FROM days;
SELECT decayed_sum_merge(spend, at) FROM activity, (VALUES (timestamptz '2100-01-01'), ('2101-01-01')) x (at) WHERE customer = 'ann';
SELECT decayed_sum_merge(spend, NULL) FROM days;
SELECT decayed_sum(amount, at, '1 month') FROM visits;
SELECT decayed_sum(amount, at, '0') FROM visits;
SELECT decayed_sum(amount, at, '-1 day') FROM visits;
SELECT decayed_sum(amount, at, NULL) FROM visits;
SELECT decayed_sum(amount, at, '1 day', NULL) FROM visits;
SELECT decayed_sum(amount, at, '1 day', 'infinity') FROM visits;
SELECT decayed_sum(amount, at, amount * interval '1 hour') FROM visits;
SELECT decayed_sum(amount, at, CASE WHEN amount = 20 THEN NULL ELSE interval '1 hour' END) FROM visits;
SELECT decayed_sum(amount, at, '1 day', at) FROM visits;
SELECT decayed_sum('NaN'::float8, at, '1 day') FROM visits;
SELECT decayed_sum('NaN'::numeric, at, '1 day') FROM visits;
SELECT decayed_sum('Infinity'::float8, at, '1 day') FROM visits;
SELECT decayed_sum('-Infinity'::numeric, at, '1 day', now()) FROM visits;
SELECT decayed_sum(1e309, at, '1 day') FROM visits;
SELECT decayed_value(decayed_sum(1.7e308::float8, '2024-03-01', '1 day'), '2024-03-01') FROM visits;
SELECT decayed_value(decayed_sum(1.7e308::float8, '2024-03-01', '1 day'), '2024-03-08') < 1.7e308 AS fine FROM visits;
SELECT decayed_sum(1.7e308::float8, at, '1000 days', '2024-03-05') FROM visits;
SELECT decayed_sum(1, 'infinity', '1 day') FROM visits;
SELECT decayed_sum_merge(s) FROM (SELECT decayed_sum(1, at, '1 day') s FROM visits UNION ALL SELECT decayed_sum(1, at, '2 days') FROM visits) x;
SELECT decayed_sum_merge(s, now()) FROM (SELECT decayed_sum(1, at, '1 day') s FROM visits UNION ALL SELECT decayed_sum(1, at, '2 days') FROM visits) x;
SELECT 'a504'::decayed_sum_state;
SELECT 'state'::decayed_sum_state;
SELECT spend::text::affinity_state FROM activity WHERE customer = 'ann';

--
-- affinities
--
SELECT customer, affinity(category, 1, 2) FROM visits GROUP BY customer ORDER BY 1;
SELECT customer, a.key, round(a.share::numeric, 9) AS share, round(a.weight::numeric, 9) AS weight
FROM (SELECT customer, affinity(category, 1, at, '2 days', 2) AS keys FROM visits GROUP BY customer) v, unnest(keys) a ORDER BY 1, share DESC;
SELECT customer, a.key, round(a.share::numeric, 3) AS share
FROM (SELECT customer, affinity(hour_of_week(at)::text, 1, 2) AS hours FROM visits GROUP BY customer) v, unnest(hours) a ORDER BY 1, share DESC, key;
SELECT a.key, round(a.share::numeric, 9) AS share, round(a.weight::numeric, 9) AS weight
FROM unnest((SELECT affinity_merge(s) FROM (SELECT affinity_partial(category, 1, at, '2 days', 2) s FROM visits GROUP BY event) x)) a;
SELECT affinity_merge(s) FROM (SELECT affinity_partial(category, 1, 2) s FROM visits GROUP BY event) x;

-- ties go by the bytes of the key; the empty key is one
SELECT affinity(key, 1, 3) FROM unnest('{b,a,Z,"",ä}'::text[]) key;
-- keys of no weight have no share
SELECT affinity(key, weight, 9) FROM (VALUES ('a', 0), ('b', 3)) x (key, weight);
SELECT affinity('a', 0, 9) AS empty, affinity(NULL, 1, 9) AS none, affinity('a', NULL, 9) AS none, affinity('a', 1, NULL, '1 day', 9) AS none;
SELECT affinity(category, 1, 2) AS none FROM visits WHERE false;

-- mistakes
SELECT affinity('a', -1, 2);
SELECT affinity('a', -1, now(), '1 day', 2);
SELECT affinity('a', 'NaN', 2);
SELECT affinity('a', 1, 0);
SELECT affinity('a', 1, NULL);
SELECT affinity('a', 1, now(), '1 day', -1);
SELECT affinity('a', 1, now(), NULL, 2);
SELECT affinity('a', 1, now(), '1 year', 2);
SELECT affinity('a', 1, '-infinity', '1 day', 2);
SELECT affinity('a', 1, k) FROM generate_series(1, 2) k;
SELECT affinity('a', 1, now(), '1 day', k) FROM generate_series(1, 2) k;
SELECT affinity('a', 1, now(), h * interval '1 hour', 2) FROM generate_series(1, 2) h;
SELECT affinity('a', 1e308, 2) FROM generate_series(1, 2);
SELECT affinity(k::text, 1e308, 2) FROM generate_series(1, 2) k;
SELECT affinity_merge(s) FROM (SELECT affinity_partial('a', 1, 2) s UNION ALL SELECT affinity_partial('a', 1, 3)) x;
SELECT affinity_merge(s) FROM (SELECT affinity_partial('a', 1, 2) s UNION ALL SELECT affinity_partial('a', 1, now(), '1 day', 2)) x;
SELECT affinity_merge(s) FROM (SELECT affinity_partial('a', 1, now(), '1 hour', 2) s UNION ALL SELECT affinity_partial('a', 1, now(), '1 day', 2)) x;

--
-- hours of the week
--
SELECT hour_of_week('2024-01-01 00:00') AS monday, hour_of_week('2024-01-07 23:59:59.999999') AS sunday,
	hour_of_week('2024-01-01 00:30', 'America/New_York') AS sunday_evening, hour_of_week('2024-06-30 22:30', 'Europe/Berlin') AS monday,
	hour_of_week('1999-12-31 23:30') AS friday, hour_of_week('2024-01-01 00:30', 'Asia/Kolkata') AS kolkata, hour_of_week(NULL) AS none;
SELECT hour_of_week(now(), 'Mars/Olympus');
SELECT hour_of_week('infinity');

--
-- funnels
--
SELECT customer, (f).reached, (f).times
FROM (SELECT customer, funnel(at, '1 hour', event = 'view', event = 'cart', event = 'order') AS f FROM visits GROUP BY customer) x ORDER BY 1;
SELECT count(*) FILTER (WHERE (f).reached >= 1) AS viewed, count(*) FILTER (WHERE (f).reached >= 2) AS carted, count(*) FILTER (WHERE (f).reached >= 3) AS ordered
FROM (SELECT funnel(at, '1 hour', event = 'view', event = 'cart', event = 'order') AS f FROM visits GROUP BY customer) x;

-- too slow for the order; slow enough for a window; an array of steps
SELECT funnel(at, '10 minutes', event = 'view', event = 'cart', event = 'order') FROM visits WHERE customer = 'ann';
SELECT funnel(at, '20 minutes', event = 'view', event = 'cart', event = 'order') FROM visits WHERE customer = 'ann';
SELECT funnel(at, '3 days', VARIADIC ARRAY[event = 'view', event = 'order', event = 'order']) FROM visits WHERE customer = 'ann';
-- one row is one step, rows of the same time follow each other in any order
SELECT funnel(at, '1 hour', true, true, true) FROM (VALUES (timestamptz '2024-01-01'), ('2024-01-01')) x (at);
SELECT funnel(at, '1 hour', e ~ 'a', e ~ 'b', e ~ 'c') FROM (VALUES (timestamptz '2024-01-01', 'c'), ('2024-01-01', 'ab'), ('2024-01-01', 'a')) x (at, e);
-- the entry that leads furthest, not the first; among those the first
SELECT funnel(at, '1 hour', e = 'a', e = 'b') FROM (VALUES (timestamptz '2024-01-01 01:00', 'a'), ('2024-01-01 05:00', 'a'), ('2024-01-01 05:10', 'a'), ('2024-01-01 05:30', 'b'), ('2024-01-01 06:00', 'b')) x (at, e);

-- nobody, nothing, and unknown
SELECT funnel(at, '1 hour', false, event = 'view') FROM visits;
SELECT funnel(at, '1 hour', NULL, event = 'view', NULL) FROM visits;
SELECT funnel(at, '1 hour', event = 'view', NULL, event = 'order') FROM visits;
SELECT funnel(at, '1 hour', event = 'view') IS NULL AS none, funnel(at, '1 hour', VARIADIC NULL::boolean[]) IS NULL AS none, funnel(NULL, '1 hour', true) IS NULL AS none FROM visits WHERE customer = 'none';
SELECT funnel(at, '1 hour', VARIADIC NULL::boolean[]) IS NULL AS none, funnel(NULL, '1 hour', true) IS NULL AS none FROM visits;
SELECT (funnel(at, '1 hour', VARIADIC array_fill(true, '{64}'))).reached FROM visits;
SELECT funnel_merge(s) FROM (SELECT funnel_partial(at, '1 hour', event = 'view', event = 'cart', event = 'order') s FROM visits WHERE customer = 'ann' GROUP BY category, event) x;

-- mistakes
SELECT funnel(at, '1 month', event = 'view') FROM visits;
SELECT funnel(at, NULL, event = 'view') FROM visits;
SELECT funnel(at, '0', event = 'view') FROM visits;
SELECT funnel('infinity', '1 hour', event = 'view') FROM visits;
SELECT funnel(at, h * interval '1 hour', event = 'view') FROM visits, generate_series(1, 2) h;
SELECT funnel(at, '1 hour', VARIADIC array_fill(true, '{65}')) FROM visits;
SELECT funnel(at, '1 hour', VARIADIC '{}') FROM visits;
SELECT funnel(at, '1 hour', VARIADIC '{{t,f},{t,f}}') FROM visits;
SELECT funnel(at, '1 hour', VARIADIC array_fill(true, ARRAY[n])) FROM visits, generate_series(1, 2) n;
SELECT funnel_merge(s) FROM (SELECT funnel_partial(at, '1 hour', true) s FROM visits UNION ALL SELECT funnel_partial(at, '1 hour', true, true) FROM visits) x;
SELECT funnel_merge(s) FROM (SELECT funnel_partial(at, '1 hour', true) s FROM visits UNION ALL SELECT funnel_partial(at, '2 hours', true) FROM visits) x;

--
-- sessions
--
SELECT customer, at, sessionize(at) OVER w AS session, sessionize(at, '10 minutes') OVER w AS short, sessionize(at, gap => '2 days') OVER w AS long
FROM visits WINDOW w AS (PARTITION BY customer ORDER BY at) ORDER BY customer, at;
-- a pause of exactly the gap does not end a session
SELECT at, sessionize(at) OVER (ORDER BY at) FROM (VALUES (timestamptz '2024-01-01'), ('2024-01-01 00:30'), ('2024-01-01 01:00:00.000001'), ('2024-01-01 01:00:00.000001')) x (at);
SELECT sessionize(NULL) OVER () AS none;

-- mistakes
SELECT sessionize(at) OVER (ORDER BY at DESC) FROM visits WHERE customer = 'ann';
SELECT sessionize(at) OVER (ORDER BY customer) FROM (VALUES ('a', timestamptz '2024-01-02'), ('b', '2024-01-01')) x (customer, at);
SELECT sessionize(at, NULL) OVER (ORDER BY at) FROM visits;
SELECT sessionize(at, '1 month') OVER (ORDER BY at) FROM visits;
SELECT sessionize(at, '0') OVER (ORDER BY at) FROM visits;
SELECT sessionize('infinity') OVER ();
SELECT sessionize(at) FROM visits;

DROP TABLE visits, activity, days;
