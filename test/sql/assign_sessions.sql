-- assign_sessions(): what a user types and sees
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = public, personalize;
SET timezone = 'UTC';
SET datestyle = 'ISO';
\set VERBOSITY default

SELECT p.oid::regprocedure AS function, provolatile::text || proparallel::text || CASE WHEN proisstrict THEN 's' ELSE '' END AS declared, obj_description(p.oid, 'pg_proc') IS NOT NULL AS comment
FROM pg_proc p WHERE proname = 'assign_sessions';

CREATE TABLE page_views (device int, at timestamptz, person text);
INSERT INTO page_views VALUES
	-- one person's device
	(1, '2026-03-01 09:00', NULL), (1, '2026-03-01 09:50', NULL), (1, '2026-03-01 10:00', 'ann'), (1, '2026-03-01 10:05', 'ann'), (1, '2026-03-01 10:30', NULL),
	(1, '2026-03-08 10:05', NULL), (1, '2026-03-08 10:06', NULL),
	-- a shared one
	(2, '2026-03-01 10:00', 'ann'), (2, '2026-03-01 10:10', NULL), (2, '2026-03-01 10:35', 'bob'), (2, '2026-03-01 11:00', NULL),
	(2, '2026-03-01 12:00', NULL), (2, '2026-03-01 12:30', 'ann'), (2, '2026-03-01 12:31', NULL),
	-- nobody's
	(3, '2026-03-01 10:00', NULL), (3, '2026-03-02 10:00', NULL),
	-- clock ties
	(4, '2026-03-01 10:00', NULL), (4, '2026-03-01 10:00', 'cem'), (4, '2026-03-01 10:00', 'bob'), (4, '2026-03-01 09:59', NULL), (4, '2026-03-01 10:01', NULL), (4, '2026-03-01 10:00', NULL),
	-- no device
	(NULL, '2026-03-01 10:00', NULL), (NULL, '2026-03-01 10:01', 'dee'), (NULL, '2026-03-01 10:02', NULL);

SELECT * FROM assign_sessions('SELECT * FROM page_views') ORDER BY device COLLATE "C", at, person COLLATE "C", assigned_by COLLATE "C";

-- other windows: their ends belong to them, and zero leaves the instant
SELECT * FROM assign_sessions('SELECT * FROM page_views WHERE device = 2', forward => '1 hour') ORDER BY at;
SELECT * FROM assign_sessions('SELECT * FROM page_views WHERE device = 2', '20 minutes', '0') ORDER BY at;
SELECT * FROM assign_sessions('SELECT * FROM page_views WHERE device = 4', back => '0', forward => '0') ORDER BY at, person COLLATE "C", assigned_by COLLATE "C";
SELECT at, person, assigned_by FROM assign_sessions('SELECT 1 AS device, at, person FROM (VALUES (timestamptz ''2026-03-01 10:00'', NULL), (''2026-03-01 10:30'', ''ann''), (''2026-03-08 10:30'', NULL), (''2026-03-08 10:30:00.000001'', NULL)) v (at, person)') ORDER BY at;

-- columns in any order and of any type, a comment at the end, a semicolon, a volatile query
SELECT * FROM assign_sessions($$ SELECT 7::numeric AS person, '2026-03-01 10:00+01'::timestamptz AS at, '6f9619ff-8b86-d011-b42d-00cf4fc964ff'::uuid AS device; -- all of them $$);
SELECT * FROM assign_sessions('VALUES (1)') LIMIT 1;
SELECT * FROM assign_sessions('WITH v (device, at, person) AS (VALUES (''x'', timestamptz ''2026-03-01'', NULL)) TABLE v');
SELECT * FROM assign_sessions('SELECT * FROM page_views WHERE false');
SELECT count(*) FROM assign_sessions('SELECT * FROM page_views ORDER BY random() LIMIT 5');

-- text that looks alike is not the same
SELECT * FROM assign_sessions($$SELECT device, timestamptz '2026-03-01 10:00' AS at, person FROM (VALUES ('a', 'ann'), ('A', NULL), ('a ', NULL), ('', NULL), ('á', NULL)) v (device, person)$$) ORDER BY device COLLATE "C";

-- in a function, in a cursor, within itself, in a transaction that only reads
CREATE FUNCTION whose(device int, at timestamptz) RETURNS text STABLE LANGUAGE sql AS $$
	SELECT person FROM personalize.assign_sessions(format('SELECT * FROM public.page_views WHERE device = %s', $1)) a WHERE a.at = $2 $$;
SELECT whose(2, '2026-03-01 10:10');
BEGIN READ ONLY;
DECLARE c CURSOR FOR SELECT device, person FROM assign_sessions('SELECT * FROM page_views WHERE device = 1') ORDER BY at;
FETCH 2 FROM c;
FETCH 1 FROM c;
COMMIT;
SELECT assigned_by, count(*) FROM assign_sessions('SELECT device, at, person FROM personalize.assign_sessions(''SELECT * FROM page_views'')') GROUP BY 1 ORDER BY 1;

-- whole sessions
SELECT s.device, s.started_at, s.events, a.person, a.assigned_by
FROM (SELECT device, session, min(at) AS started_at, count(*) AS events FROM (SELECT device, at, sessionize(at) OVER (PARTITION BY device ORDER BY at) AS session FROM page_views WHERE device < 3) v GROUP BY device, session) s
JOIN assign_sessions($$
	SELECT device, min(at) AS at, (array_agg(person ORDER BY at) FILTER (WHERE person IS NOT NULL))[1] AS person
	FROM (SELECT device, at, person, sessionize(at) OVER (PARTITION BY device ORDER BY at) AS session FROM page_views WHERE device < 3) v GROUP BY device, session$$) a
	ON a.device = s.device::text AND a.at = s.started_at
ORDER BY 1, 2;

-- more than fits into memory
SET work_mem = '64kB';
SELECT count(*), count(*) FILTER (WHERE assigned_by = 'forward') AS forward, count(*) FILTER (WHERE assigned_by = 'back') AS back, count(person) AS persons
FROM assign_sessions($$SELECT i % 3 AS device, timestamptz '2026-03-01' + i * interval '10 ms' AS at, CASE WHEN i = 60000 THEN 'ann' END AS person FROM generate_series(1, 100000) i$$);
RESET work_mem;
SET statement_timeout = '300ms';
SELECT count(*) FROM assign_sessions('SELECT 1 AS device, timestamptz ''2026-03-01'' + i * interval ''1 us'' AS at, NULL AS person FROM generate_series(1, 100000000) i');
RESET statement_timeout;

-- mistakes
SELECT * FROM assign_sessions(NULL);
SELECT * FROM assign_sessions('SELECT * FROM page_views', NULL);
SELECT * FROM assign_sessions('SELECT * FROM page_views', forward => NULL);
SELECT * FROM assign_sessions('SELECT * FROM page_views', back => '-1 day');
SELECT * FROM assign_sessions('SELECT * FROM page_views', back => '1 month');
SELECT * FROM assign_sessions('SELECT * FROM page_views', back => '200000000 days');
SELECT * FROM assign_sessions('SELECT * FROM page_views', forward => '-1 second');
SELECT * FROM assign_sessions('SELECT device, at FROM page_views');
SELECT * FROM assign_sessions('SELECT device, at, person, 1 AS page FROM page_views');
SELECT * FROM assign_sessions('SELECT device, at, person, at FROM page_views');
SELECT * FROM assign_sessions('SELECT device, at::timestamp, person FROM page_views');
SELECT * FROM assign_sessions('SELECT device, NULL::timestamptz AS at, person FROM page_views');
SELECT * FROM assign_sessions('SELECT NULL AS device, NULL::timestamptz AS at, person FROM page_views');
SELECT * FROM assign_sessions('SELECT device, timestamptz ''infinity'' AS at, person FROM page_views');
SELECT * FROM assign_sessions('SELECT device, timestamptz ''-infinity'' AS at, person FROM page_views');
SELECT * FROM assign_sessions('SELECT device, at, person FROM no_such_table');
SELECT * FROM assign_sessions('SELECT 1/0 AS device, at, person FROM page_views');
SELECT * FROM assign_sessions('SELECT device, at, person FROM page_views; SELECT 1');
SELECT * FROM assign_sessions('SELECT device, at, person FROM page_views) q; DELETE FROM page_views; SELECT * FROM (SELECT 1');
SELECT * FROM assign_sessions('DELETE FROM page_views RETURNING device, at, person');
SELECT * FROM assign_sessions('WITH gone AS (DELETE FROM page_views RETURNING *) SELECT * FROM gone');
SELECT * FROM assign_sessions('');
SELECT * FROM assign_sessions('SELECT device, at, person FROM page_views WHERE device = $1');
SELECT assign_sessions('SELECT device, at, person FROM page_views WHERE device = 3');

-- as whoever calls
CREATE ROLE personalize_reader;
GRANT USAGE ON SCHEMA personalize TO personalize_reader;
SET ROLE personalize_reader;
SELECT * FROM assign_sessions('SELECT * FROM page_views');
RESET ROLE;
REVOKE USAGE ON SCHEMA personalize FROM personalize_reader;
DROP ROLE personalize_reader;

SELECT count(*) FROM page_views;
DROP FUNCTION whose;
DROP TABLE page_views;
