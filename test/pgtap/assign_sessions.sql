-- assign_sessions() against plain SQL, on random events of shared devices
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL timezone = 'UTC';

SELECT plan(16);

CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

-- 120 devices, each of one to four people; every ten minutes, so that there are many ties and many just at the end of a window; one event in five is a login
CREATE TABLE events AS
SELECT CASE WHEN draw(1, x, 40) > 0 THEN 'd' || draw(2, x, 120) END AS device,
	timestamptz '2026-03-01' + draw(3, x, 720) * interval '10 minutes' AS at,
	CASE WHEN draw(4, x, 5) = 0 THEN 'p' || draw(2, x, 120) + draw(5, x, 1 + draw(2, x, 4)) END AS person
FROM generate_series(1, 20000) x;

-- Whose each event is, from the definition
CREATE FUNCTION expected(back interval, forward interval) RETURNS TABLE (device text, at timestamptz, person text, assigned_by text) LANGUAGE sql AS $$
	SELECT e.device, e.at, coalesce(e.person, f.person, b.person),
		CASE WHEN e.person IS NOT NULL THEN 'login' WHEN f.person IS NOT NULL THEN 'forward' WHEN b.person IS NOT NULL THEN 'back' END
	FROM events e
		LEFT JOIN LATERAL (SELECT l.person FROM events l WHERE l.device = e.device AND l.person IS NOT NULL AND l.at >= e.at AND l.at <= e.at + forward
			ORDER BY l.at, l.person COLLATE "C" LIMIT 1) f ON true
		LEFT JOIN LATERAL (SELECT l.person FROM events l WHERE l.device = e.device AND l.person IS NOT NULL AND l.at < e.at
			AND l.at = (SELECT max(at) FROM events m WHERE m.device = e.device AND m.person IS NOT NULL AND m.at < e.at) AND l.at >= e.at - back
			ORDER BY l.person COLLATE "C" LIMIT 1) b ON true $$;
CREATE INDEX ON events (device, at);
ANALYZE events;

SELECT cmp_ok(count(*)::int, '>', 500, 'many instants at which several people log in on a device, or one does and somebody is there')
FROM (SELECT 1 FROM events WHERE device IS NOT NULL GROUP BY device, at HAVING count(*) > 1 AND count(person) > 0) x;

SELECT bag_eq(format('SELECT * FROM assign_sessions(''TABLE events'', %L, %L)', back, forward), format('SELECT * FROM expected(%L, %L)', back, forward),
	format('back %s, forward %s', back, forward))
FROM (VALUES ('7 days', '30 minutes'), ('1 hour', '1 hour'), ('0', '30 minutes'), ('30 minutes', '0'), ('0', '0'), ('10 minutes', '10 minutes'), ('30 days', '30 days'), ('0', '30 days')) v (back, forward);
SELECT bag_eq('SELECT * FROM assign_sessions(''TABLE events'')', 'SELECT * FROM expected(''7 days'', ''30 minutes'')', 'by default 7 days and 30 minutes');

SELECT bag_eq('SELECT * FROM assign_sessions(''SELECT person, at, device FROM events ORDER BY person DESC, at DESC'')', 'SELECT * FROM expected(''7 days'', ''30 minutes'')', 'whatever the order of the rows');

SELECT bag_eq($$SELECT assigned_by, count(*) > 0 FROM assign_sessions('TABLE events') GROUP BY 1$$, $$VALUES ('login', true), ('forward', true), ('back', true), (NULL, true)$$, 'all four happen');
SELECT is(count(*), (SELECT count(*) FROM events), 'one row each') FROM assign_sessions('TABLE events');

-- nobody is given what another device's login says
SELECT is_empty($$SELECT * FROM assign_sessions('TABLE events') a WHERE person IS NOT NULL AND device IS NOT NULL AND NOT EXISTS (SELECT FROM events e WHERE e.device = a.device AND e.person = a.person)$$,
	'a person is only found on devices of their own logins');

-- many waiting at once: the room for them grows, and moves to the front
CREATE TABLE crowd AS SELECT 'x' AS device, timestamptz '2026-03-01' + x * interval '1 second' AS at, CASE WHEN x % 9001 = 0 THEN 'p' || x END AS person FROM generate_series(1, 30000) x;
CREATE VIEW crowded AS
SELECT device, at, coalesce(person, CASE WHEN next_at <= at + interval '1 hour' THEN next END, CASE WHEN last_at >= at - interval '1 hour' THEN last END) AS person
FROM (SELECT *, 'p' || (x + 9000) / 9001 * 9001 AS next, timestamptz '2026-03-01' + (x + 9000) / 9001 * 9001 * interval '1 second' AS next_at,
		'p' || x / 9001 * 9001 AS last, timestamptz '2026-03-01' + x / 9001 * 9001 * interval '1 second' AS last_at
	FROM (SELECT *, extract(epoch FROM at - timestamptz '2026-03-01')::int AS x FROM crowd) c) n;
SELECT bag_eq($$SELECT at, person FROM assign_sessions('TABLE crowd', '1 hour', '1 hour') WHERE at BETWEEN '2026-03-01 02:30:01' AND '2026-03-01 07:30:03'$$,
	$$SELECT at, person FROM crowded WHERE at BETWEEN '2026-03-01 02:30:01' AND '2026-03-01 07:30:03'$$, 'thousands that wait');

-- the ends of time
SELECT results_eq($$SELECT at, person, assigned_by FROM assign_sessions($q$SELECT 1 AS device, * FROM (VALUES (timestamptz '4713-01-01 BC', NULL), ('294276-12-31', 'ann')) v (at, person)$q$, '7 days', '100000000 days') ORDER BY at$$,
	$$VALUES (timestamptz '4713-01-01 BC', NULL, NULL), (timestamptz '294276-12-31', 'ann', 'login')$$, 'times that are further apart than numbers go');

SELECT * FROM finish();
ROLLBACK;
