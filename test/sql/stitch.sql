-- stitch(): what a user types and sees
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = public, personalize;
\set VERBOSITY default

-- every object of this part has a comment, and is declared as it is
SELECT p.oid::regprocedure AS function, provolatile::text || proparallel::text || CASE WHEN proisstrict THEN 's' ELSE '' END AS declared,
	obj_description(p.oid, 'pg_proc') IS NOT NULL AS comment
FROM pg_proc p WHERE pronamespace = 'personalize'::regnamespace AND proname = 'stitch' ORDER BY 1;

CREATE TABLE logins (cookie bigint, account bigint);
INSERT INTO logins VALUES (11, 1), (12, 1), (12, 2), (13, 3), (14, NULL), (NULL, 5), (NULL, NULL), (15, 15), (13, 3), (3, 13);
SELECT * FROM stitch('SELECT cookie, account FROM logins') ORDER BY canonical, node;

-- people, each with all that is theirs
SELECT canonical, array_agg(node ORDER BY node) AS nodes FROM stitch('TABLE logins') GROUP BY canonical HAVING count(*) > 1 ORDER BY 1;

-- ends of other widths, and numbers below zero
SELECT * FROM stitch('SELECT 7::smallint, -2::int UNION ALL SELECT 8::smallint, -2') ORDER BY 1;
SELECT * FROM stitch('SELECT * FROM (VALUES (7::smallint, 70000000000), (NULL, -9223372036854775808), (7, NULL), (7, 9223372036854775807)) v') ORDER BY 1;

-- the same in other types
SELECT * FROM stitch('SELECT cookie::int, account::int FROM logins', NULL::int) WHERE node < 13 ORDER BY 1;
SELECT pg_typeof(node), pg_typeof(canonical), count(*) FROM stitch('SELECT 1::smallint, 2::smallint', NULL::smallint) GROUP BY 1, 2;
SELECT pg_typeof(node), pg_typeof(canonical), count(*) FROM stitch('SELECT 1::smallint, 2::int', NULL::bigint) GROUP BY 1, 2;
SELECT * FROM stitch($$ VALUES ('f0000000-0000-0000-0000-000000000001'::uuid, '0f000000-0000-0000-0000-000000000002'::uuid),
	('0f000000-0000-0000-0000-000000000001', '0f000000-0000-0000-0000-000000000002'),
	('7f000000-0000-0000-ff00-000000000000', '7f000000-0000-0000-0f00-000000000000'), (NULL, '80000000-0000-0000-0000-000000000000') $$, NULL::uuid) ORDER BY 1;
SELECT node COLLATE "C", canonical FROM stitch($$ VALUES ('cookie:1', 'ann@example.com'), ('cookie:2', 'ann@example.com'), ('Zoë', 'zoë'), ('', NULL), ('zo', 'zoë') $$, NULL::text) ORDER BY 1;
SELECT pg_typeof(node), node, canonical FROM stitch($$ SELECT 'b'::varchar(5), 'a'::text $$, 'any'::varchar) ORDER BY node;

-- the smallest is that by bytes, whatever the collation; equal is what has the same bytes
SELECT canonical, count(*) FROM stitch($$ VALUES ('a', 'B'), ('B', 'é') $$, NULL::text) GROUP BY 1;
SELECT count(*) FROM stitch($$ VALUES ('a', 'A'), ('b', 'b ') $$, NULL::text);

-- long texts: in the row, compressed, out of line, and larger than any batch
CREATE TABLE long (a text, b text);
ALTER TABLE long ALTER b SET STORAGE EXTERNAL;
INSERT INTO long SELECT repeat(chr(97 + n::int), size), repeat(chr(98 + n::int), size + 1) FROM unnest('{1,124,125,126,127,128,2000,9000,300000}'::int[]) WITH ORDINALITY s (size, n);
INSERT INTO long SELECT b, a FROM long;
INSERT INTO long SELECT a, 'hub' FROM long WHERE length(a) IN (126, 2000, 300000);
SELECT length(canonical), left(canonical, 3), count(*), sum(length(node)), count(DISTINCT node) FROM stitch('TABLE long', NULL::text) GROUP BY canonical ORDER BY 1, 2;
SELECT count(*) FROM (SELECT a FROM long UNION SELECT b FROM long) x FULL JOIN stitch('TABLE long', NULL::text) s ON s.node = x.a WHERE s.node IS NULL OR x.a IS NULL;

-- domains
CREATE DOMAIN account_id AS bigint CHECK (VALUE > 0);
SELECT pg_typeof(node), node, canonical FROM stitch('SELECT 5::account_id, 4::account_id', NULL::account_id) ORDER BY 2;
SELECT node, canonical FROM stitch('SELECT 5::account_id, 4::account_id') ORDER BY 1;
SELECT * FROM stitch('SELECT 5, -4', NULL::account_id);

-- no edges
SELECT * FROM stitch('SELECT 1, 2 WHERE false');
SELECT * FROM stitch('SELECT NULL::bigint, NULL::bigint');
SELECT * FROM stitch('SELECT NULL::text, NULL::text', NULL::text);

-- a weight or a kind may be there
SELECT count(*) FROM stitch('SELECT 1, 2, NULL::numeric AS weight');
SELECT count(*) FROM stitch('SELECT 1, 2, 0.5 AS weight UNION ALL SELECT 2, 3, ''NaN''');
SELECT count(*) FROM stitch($$ SELECT 1, 2, 'login' AS kind $$);
SELECT * FROM stitch('SELECT 1, 2, 3 AS strength');
SELECT * FROM stitch('SELECT 1, 2, 3 AS "How much"');
SELECT * FROM stitch($$ SELECT 1, 2, 'much' AS weight $$);
SELECT * FROM stitch('SELECT 1, 2, 3 AS kind');

-- what is not edges
SELECT * FROM stitch(NULL);
SELECT * FROM stitch(NULL, NULL::bigint);
SELECT * FROM stitch('SELECT 1');
SELECT * FROM stitch('SELECT 1, 2, 3 AS weight, 4 AS kind');
SELECT * FROM stitch('SELECT');
SELECT * FROM stitch('');
SELECT * FROM stitch('SELECT 1, 2; SELECT 3, 4');
SELECT * FROM stitch('TABLE missing');
SELECT * FROM stitch('SELECT a, b FROM WHERE');
SELECT * FROM stitch('SELECT $1, 2');
SELECT * FROM stitch('CREATE TABLE made (a int, b int)');
SELECT * FROM stitch('BEGIN');
SELECT * FROM stitch('COPY logins TO STDOUT');
SELECT * FROM stitch('EXPLAIN SELECT 1, 2');

-- columns of another type
SELECT * FROM stitch($$ SELECT 'a' AS cookie, 'b' AS account $$);
SELECT * FROM stitch('SELECT 1 AS cookie, gen_random_uuid() AS account');
SELECT * FROM stitch('SELECT gen_random_uuid() AS cookie, gen_random_uuid() AS account');
SELECT * FROM stitch('SELECT 1::bigint AS cookie, 1 AS account', NULL::int);
SELECT * FROM stitch('SELECT 1::int AS cookie, 1::bigint AS account', NULL::smallint);
SELECT * FROM stitch('SELECT 1 AS cookie, 1 AS account', NULL::text);
SELECT * FROM stitch($$ SELECT 'a'::varchar AS cookie, 'b'::varchar AS account $$, NULL::uuid);
SELECT * FROM stitch('SELECT 1.5 AS "Cookie", 1 AS account');
SELECT * FROM stitch('SELECT 1.5 AS "Cookie", now() AS account');
SELECT * FROM stitch('SELECT 1 AS cookie, 1.5 AS account', NULL::text);
SELECT * FROM stitch($$ SELECT 'a' AS cookie, 'b'::char(3) AS account $$, NULL::text);
SELECT * FROM stitch('SELECT now(), now()', NULL::timestamptz);
SELECT * FROM stitch('SELECT 1, 2', NULL);

-- where it may stand
SELECT stitch('SELECT 1, 2');
SELECT (stitch('SELECT 1, 2')).canonical;
SELECT person, node FROM (VALUES ('SELECT 3, 4'), ('SELECT 5, 6')) q (query), LATERAL stitch(query) s (node, person) ORDER BY 2;
SELECT node FROM stitch('SELECT 1, 2 UNION ALL SELECT 3, 4') LIMIT 1;
CREATE FUNCTION people() RETURNS TABLE (node bigint, person bigint) LANGUAGE plpgsql AS $$
BEGIN
	FOR node, person IN SELECT * FROM stitch('TABLE logins') s ORDER BY 1 LIMIT 3 LOOP
		RETURN NEXT;
	END LOOP;
END $$;
SELECT * FROM people();
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM stitch('TABLE logins') ORDER BY 1;
FETCH 2 FROM c;
MOVE 3 IN c;
FETCH 1 FROM c;
COMMIT;
PREPARE p (text) AS SELECT count(*), count(DISTINCT canonical) FROM stitch($1);
EXECUTE p ('TABLE logins');
EXECUTE p ('SELECT 1, 2');

-- and what may stand in it
SELECT * FROM stitch($$ SELECT node + 1, canonical FROM stitch('SELECT 1, 3 UNION ALL SELECT 3, 4') $$) ORDER BY 1;
PREPARE edges AS SELECT cookie, account FROM logins WHERE cookie < 13;
SELECT * FROM stitch('EXECUTE edges') ORDER BY 1;
BEGIN;
DECLARE c CURSOR FOR SELECT 1, 2 UNION ALL SELECT 2, 3 UNION ALL SELECT 3, 4;
SELECT * FROM stitch('FETCH 2 FROM c') ORDER BY 1;
COMMIT;
-- a query may write what it returns
CREATE TABLE queue (a int, b int);
INSERT INTO queue VALUES (1, 2), (2, 3), (8, 9);
SELECT * FROM stitch('DELETE FROM queue RETURNING a, b') ORDER BY 1;
SELECT * FROM stitch('WITH i AS (INSERT INTO queue VALUES (5, 6) RETURNING *) SELECT * FROM i') ORDER BY 1;
TABLE queue;
-- columns are checked before anything is written
SELECT * FROM stitch('DELETE FROM queue RETURNING a, b::numeric');
TABLE queue;
-- a query that fails
SELECT * FROM stitch('SELECT i, 1 / (3 - i) FROM generate_series(1, 5) i');
DO $$
BEGIN
	PERFORM * FROM stitch('SELECT i, 1 / (30000 - i) FROM generate_series(1, 50000) i');
EXCEPTION WHEN division_by_zero THEN
	RAISE NOTICE 'caught, and it goes on: % nodes', (SELECT count(*) FROM stitch('TABLE logins'));
END $$;

-- nothing is written in a transaction that must not
BEGIN READ ONLY;
SELECT count(*) FROM stitch('TABLE logins');
SELECT * FROM stitch('DELETE FROM queue RETURNING a, b');
ROLLBACK;

-- with the rights of who calls
CREATE ROLE regress_stitch;
GRANT USAGE ON SCHEMA public, personalize TO regress_stitch;
SET ROLE regress_stitch;
SELECT * FROM stitch('TABLE logins');
RESET ROLE;
GRANT SELECT ON logins TO regress_stitch;
SET ROLE regress_stitch;
SELECT count(*) FROM stitch('TABLE logins');
RESET ROLE;
DROP OWNED BY regress_stitch;
DROP ROLE regress_stitch;

-- memory
SHOW personalize.stitch_memory;
SET personalize.stitch_memory = '64kB';
SELECT count(*) FROM stitch('SELECT i, i / 2 FROM generate_series(1, 1000) i');
SELECT count(*) FROM stitch('SELECT i, i / 2 FROM generate_series(1, 100000) i');
SELECT count(*) FROM stitch($$ SELECT 'a', repeat('x', 100000) $$, NULL::text);
SET personalize.stitch_memory = '8MB';
SELECT count(*) FROM stitch('SELECT i, i / 2 FROM generate_series(1, 100000) i');
SELECT count(*) FROM stitch('SELECT i, i / 2 FROM generate_series(1, 1000000) i');
-- nothing of it is left, nor after any other error
DO $$
BEGIN
	PERFORM stitch('SELECT i, i / 2 FROM generate_series(1, 1000000) i');
EXCEPTION WHEN configuration_limit_exceeded THEN
	RAISE NOTICE 'caught: % contexts left', (SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'stitch%');
END $$;
SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'stitch%';
-- repetitions need none
SET personalize.stitch_memory = '64kB';
SELECT count(*) FROM stitch('SELECT i % 1000, i % 7 FROM generate_series(1, 200000) i');
SELECT count(*) FROM stitch($$ SELECT 'node ' || i % 100, 'node ' || i % 7 FROM generate_series(1, 20000) i $$, NULL::text);
\set VERBOSITY sqlstate
SET personalize.stitch_memory = '63kB';
SET personalize.stitch_memory = '0';
\set VERBOSITY default
RESET personalize.stitch_memory;
SET personalize.stich_memory = '2GB';

-- a query without end can be cancelled
SET statement_timeout = '100ms';
SELECT count(*) FROM stitch('SELECT i % 1000, i % 777 FROM generate_series(1, 1000000000000) i');
RESET statement_timeout;

-- a domain that limits the length of a text would not be checked
CREATE DOMAIN short_text AS varchar(3);
SELECT * FROM stitch($$ VALUES ('abcdef', 'b') $$, NULL::short_text);
DROP DOMAIN short_text;

DROP TABLE logins, long, queue;
DROP DOMAIN account_id;
DROP FUNCTION people;
DEALLOCATE ALL;
