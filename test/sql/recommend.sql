-- recommend(), recommend_from(), similar_items(), trending()
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = public, personalize;
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';
SET intervalstyle = 'postgres';

-- what an error says: its state, message, detail and hint
CREATE FUNCTION refusal(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	EXECUTE query;
	RETURN NEXT 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN NEXT state || ': ' || message;
	IF detail <> '' THEN RETURN NEXT 'DETAIL: ' || detail; END IF;
	IF hint <> '' THEN RETURN NEXT 'HINT: ' || hint; END IF;
END $$;

-- every function of this part has a comment, a cost and the volatility it claims
SELECT p.oid::regprocedure, provolatile, proparallel, proisstrict, prorows,
	obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
WHERE proname IN ('recommend', 'recommend_at', 'recommend_from', 'similar_items', 'trending')
ORDER BY p.oid::regprocedure::text COLLATE "C";

-- a table small enough to check by hand
CREATE TABLE purchases (customer_id int, product text, ordered_at timestamptz, quantity int);
INSERT INTO purchases VALUES
	(1, 'tent',  '2024-05-01 12:00', 1),
	(1, 'stove', '2024-05-08 12:00', 3),
	(2, 'tent',  '2024-05-02 12:00', 1),
	(2, 'stove', '2024-05-02 12:00', 1),
	(2, 'lamp',  '2024-05-20 12:00', 1),
	(3, 'tent',  '2024-05-10 12:00', 1),
	(3, 'mat',   '2024-05-10 12:00', 2),
	(4, 'stove', '2024-05-15 12:00', 1),
	(4, 'lamp',  '2024-05-22 12:00', 1),
	(4, 'mat',   '2024-05-22 12:00', 1),
	(5, 'lamp',  '2024-05-28 12:00', 2),
	(5, 'book',  '2024-05-28 12:00', 1);
CREATE INDEX purchases_similarity ON purchases
	USING similarity (customer_id, product) INCLUDE (ordered_at, quantity);
CREATE VIEW rounded AS SELECT customer_id, product FROM purchases;

SELECT item, round(score::numeric, 6) AS score, support FROM similar_items('purchases', 'tent');
SELECT item, round(score::numeric, 6) AS score, because, reason FROM recommend('purchases', 1);
SELECT item, round(score::numeric, 6) AS score, because, reason FROM recommend_from('purchases', '{tent,stove}');
SELECT item, round(score::numeric, 6) AS score, recent, before
FROM trending('purchases', half_life => '7 days', as_of => '2024-05-29 12:00');

-- the index itself as the source
SELECT count(*) FROM (
	(SELECT * FROM recommend('purchases', 1) EXCEPT ALL SELECT * FROM recommend('purchases_similarity', 1))
	UNION ALL
	(SELECT * FROM recommend('purchases_similarity', 1) EXCEPT ALL SELECT * FROM recommend('purchases', 1))) d;

-- k
SELECT item FROM recommend('purchases', 1, 2);
SELECT item FROM recommend('purchases', 1, 0);
SELECT item FROM recommend('purchases', 1, 2147483647);
-- NULL is no number: in third place it was meant to be the type
SELECT refusal($$SELECT recommend('purchases', 1, NULL::int)$$);
SELECT refusal($$SELECT trending('purchases', k => NULL)$$);
SELECT item FROM recommend_from('purchases', '{tent}', 1);
SELECT item FROM recommend_from('purchases', '{tent}', 0);
SELECT item FROM similar_items('purchases', 'tent', 1);
SELECT item FROM similar_items('purchases', 'tent', 0);
SELECT item FROM trending('purchases', 1, as_of => '2024-05-29 12:00');
SELECT item FROM trending('purchases', 0, as_of => '2024-05-29 12:00');
SELECT refusal($$SELECT recommend('purchases', 1, -1)$$);
SELECT refusal($$SELECT recommend_from('purchases', '{tent}', -1)$$);
SELECT refusal($$SELECT similar_items('purchases', 'tent', -1)$$);
SELECT refusal($$SELECT trending('purchases', -1)$$);

-- seen
SELECT item, round(score::numeric, 6) AS score, because, reason FROM recommend('purchases', 1, seen => true);
SELECT item FROM recommend('purchases', 1, seen => NULL);
SELECT item, because FROM recommend_from('purchases', '{tent}', 3, seen => true);

-- among: before the cut, unknown and NULL items ignored, popular items too
SELECT item, reason FROM recommend('purchases', 1, 1, among => ARRAY['mat']);
SELECT item, reason FROM recommend('purchases', 1, among => '{book,boat,mat,NULL,tent}');
SELECT item, reason FROM recommend('purchases', 1, among => '{boat}');
SELECT item, reason FROM recommend('purchases', 1, among => '{}');
SELECT item, reason FROM recommend('purchases', 1, among => NULL);
SELECT item, reason FROM recommend('purchases', 99, among => '{book,boat,mat}');
SELECT item, reason FROM recommend('purchases', 1, among => '{{tent,mat},{book,lamp}}', seen => true);

-- exclude
SELECT item, reason FROM recommend('purchases', 1, exclude => ARRAY['lamp']);
SELECT item, reason FROM recommend('purchases', 1, exclude => '{book,boat,NULL}');
SELECT item, reason FROM recommend('purchases', 1, exclude => '{}');
SELECT item, reason FROM recommend('purchases', 1, among => '{mat,lamp}', exclude => '{lamp}');
SELECT item, reason FROM recommend('purchases', 99, exclude => '{lamp,tent}');
SELECT item, reason FROM recommend_from('purchases', '{stove}', among => '{mat,lamp,book}', exclude => '{mat}');

-- half_life: 7 days older counts half as much; forever is no decay
SELECT item, round(score::numeric, 6) AS score, because FROM recommend('purchases', 1, 2, half_life => '7 days');
SELECT item, round(score::numeric, 6) AS score, because FROM recommend('purchases', 1, 2, half_life => '1 hour');
SELECT a.item, round((a.score / b.score)::numeric, 6) AS ratio
FROM recommend('purchases', 1, 2, half_life => '100000 years') a JOIN recommend('purchases', 1) b USING (item);
SELECT refusal($$SELECT recommend('purchases', 1, half_life => '0')$$);
SELECT refusal($$SELECT recommend('purchases', 1, half_life => '-1 day')$$);

-- who has no history gets what is popular
SELECT item, round(score::numeric, 6) AS score, because, reason FROM recommend('purchases', 99);
SELECT item, reason FROM recommend('purchases', NULL, 2);
SELECT item, reason FROM recommend('purchases', NULL::int, 2);
SELECT item, reason FROM recommend_from('purchases', '{}', 2);
SELECT item, reason FROM recommend_from('purchases', NULL, 2);
SELECT item, reason FROM recommend_from('purchases', '{boat,NULL}', 2);
SELECT item, reason FROM recommend_from('purchases', '{boat}', 2, exclude => '{lamp}');

-- recommend_from: what is there twice counts once
SELECT item, score = (SELECT score FROM recommend_from('purchases', '{tent}', 1)) AS once
FROM recommend_from('purchases', '{tent,tent,tent}', 1);

-- similar_items: of the unknown, nothing
SELECT * FROM similar_items('purchases', 'boat');
SELECT * FROM similar_items('purchases', NULL);
SELECT round(sum(score)::numeric, 6) FROM similar_items('purchases', 'lamp');

-- trending: later than as_of does not count, nor do ages underflow
SELECT item, recent, before FROM trending('purchases', half_life => '7 days', as_of => '2024-05-15 11:59:59');
SELECT item, recent, before FROM trending('purchases', half_life => '7 days', as_of => '2024-05-15 12:00');
SELECT item, recent, before FROM trending('purchases', half_life => '7 days', as_of => '2024-05-22 12:00');
SELECT * FROM trending('purchases', as_of => '2024-05-01 11:59');
SELECT item, score FROM trending('purchases', half_life => '1 second', as_of => '2024-05-29 12:00');
SELECT item, recent, before FROM trending('purchases', half_life => NULL, as_of => NULL);
SELECT refusal($$SELECT trending('purchases', as_of => 'infinity')$$);
SELECT refusal($$SELECT trending('purchases', as_of => '-infinity')$$);
SELECT refusal($$SELECT trending('purchases', half_life => '0 days')$$);

-- typed forms
SELECT item, pg_typeof(item), pg_typeof(because) FROM recommend('purchases', 1, NULL::text, k => 1);
SELECT item, pg_typeof(item) FROM recommend_from('purchases', '{tent}', NULL::text, k => 1);
SELECT item, pg_typeof(item) FROM similar_items('purchases', 'tent', item_type => NULL::text, k => 1);
SELECT item, pg_typeof(item) FROM trending('purchases', item_type => ''::text, k => 1, as_of => '2024-05-29');
SELECT refusal($$SELECT recommend('purchases', 1, NULL::int, k => 1)$$);
SELECT refusal($$SELECT recommend_from('purchases', '{tent}', NULL::uuid, k => 1)$$);
SELECT refusal($$SELECT similar_items('purchases', 'tent', item_type => NULL::numeric)$$);
SELECT refusal($$SELECT trending('purchases', item_type => NULL::int[])$$);

-- arguments of the wrong shape
SELECT refusal($$SELECT recommend(NULL, 1)$$);
SELECT refusal($$SELECT recommend_from(NULL, '{tent}')$$);
SELECT refusal($$SELECT similar_items(NULL, 'tent')$$);
SELECT refusal($$SELECT trending(NULL)$$);
SELECT refusal($$SELECT recommend('purchases', 'one')$$);
SELECT refusal($$SELECT recommend('purchases', 1, among => 'mat'::text)$$);
SELECT refusal($$SELECT recommend('purchases', 1, exclude => 7)$$);
SELECT refusal($$SELECT recommend('purchases', 1, exclude => '{mat')$$);
SELECT refusal($$SELECT recommend(0, 1)$$);

-- how calls arrive
PREPARE untyped AS SELECT item FROM recommend('purchases', $1, k => $2);
EXECUTE untyped('1', 1);
EXECUTE untyped('4', 2);
PREPARE typed(int, text[]) AS SELECT item FROM recommend('purchases', $1, among => $2);
EXECUTE typed(1, '{mat}');
EXECUTE typed(1, NULL);
DEALLOCATE ALL;
SELECT c, r.item FROM generate_series(1, 5) c, recommend('purchases', c, 1) r ORDER BY c;
SELECT c, (recommend('purchases', c, 1)).item FROM generate_series(1, 2) c;
SELECT item FROM recommend('purchases', 1::bigint, 1) UNION ALL SELECT item FROM recommend('purchases', '1', 1);

-- own rows, DELETE and UPDATE count at once, and only as long as they are there
BEGIN;
INSERT INTO purchases VALUES (77, 'tent', '2024-05-28', 1);
SELECT item, because, reason FROM recommend('purchases', 77, 1);
SAVEPOINT s;
INSERT INTO purchases VALUES (77, 'stove', '2024-05-28', 1);
SELECT item, reason FROM recommend('purchases', 77, 4);
ROLLBACK TO s;
SELECT item, because, reason FROM recommend('purchases', 77, 1);
DELETE FROM purchases WHERE customer_id = 77;
SELECT DISTINCT reason FROM recommend('purchases', 77);
INSERT INTO purchases VALUES (77, 'tent', '2024-05-28', 1);
UPDATE purchases SET product = 'book' WHERE customer_id = 77;
SELECT item, because, reason FROM recommend('purchases', 77, 1);
UPDATE purchases SET customer_id = 78 WHERE customer_id = 77;
SELECT DISTINCT reason FROM recommend('purchases', 77);
SELECT item, because, reason FROM recommend('purchases', 78, 1);
ROLLBACK;
SELECT DISTINCT reason FROM recommend('purchases', 77);
SELECT DISTINCT reason FROM recommend('purchases', 78);

-- tables that cannot be read, or not by this name
CREATE TABLE plain (a int, b int);
CREATE INDEX plain_a ON plain (a);
CREATE TABLE twice (a int, b int);
CREATE TABLE parts (a int, b int) PARTITION BY HASH (a);
SET client_min_messages = warning;
CREATE INDEX twice_ab ON twice USING similarity (a, b);
CREATE INDEX twice_ba ON twice USING similarity (b, a);
RESET client_min_messages;
SELECT refusal($$SELECT recommend('plain', 1)$$);
SELECT refusal($$SELECT recommend('plain_a', 1)$$);
SELECT refusal($$SELECT similar_items('twice', 1)$$);
SELECT count(*) FROM trending('twice_ba');
SELECT refusal($$SELECT trending('rounded')$$);
SELECT refusal($$SELECT recommend_from('parts', '{1}')$$);

-- untrained: what is popular, and no neighbours, with a word why
SET client_min_messages = warning;
CREATE TABLE fresh (a int, b int, at timestamp);
CREATE INDEX ON fresh USING similarity (a, b) INCLUDE (at);
RESET client_min_messages;
SELECT * FROM recommend('fresh', 1);
INSERT INTO fresh VALUES (1, 10, '2024-05-01'), (1, 11, '2024-05-02'), (2, 10, '2024-05-03');
SELECT item, reason FROM recommend('fresh', 1);
SELECT item, reason FROM recommend('fresh', 2, seen => true);
SELECT item FROM similar_items('fresh', 10);
SELECT item, recent FROM trending('fresh', as_of => '2024-05-04');
SELECT retrain('fresh');
SELECT item, score, support FROM similar_items('fresh', 10);

-- wall-clock times are taken in the session's time zone
SELECT item, recent FROM trending('fresh', as_of => '2024-05-02 20:00+00');
SET timezone = 'Asia/Tokyo';
SELECT item, recent FROM trending('fresh', as_of => '2024-05-02 20:00+00');
SET timezone = 'UTC';

-- without times and strengths
CREATE TABLE bare (a int, b int);
INSERT INTO bare VALUES (1, 1), (1, 2), (1, 2), (2, 1), (2, 3), (3, 2), (3, 3), (4, 3), (4, 2);
CREATE INDEX ON bare USING similarity (a, b);
SELECT * FROM trending('bare');
SELECT * FROM trending('bare', as_of => 'infinity');
SELECT item, reason, score FROM recommend('bare', 99);
SELECT refusal($$SELECT recommend('bare', 1, half_life => '1 day')$$);
SELECT refusal($$SELECT trending('bare', half_life => '1 day')$$);
SELECT item, round(score::numeric, 6) AS score, because FROM recommend('bare', 1);

-- times that are missing: as old as can be, unless all are
CREATE TABLE undated (a int, b int, at date);
INSERT INTO undated VALUES
	(1, 1, '2024-05-01'), (1, 2, NULL), (1, 3, 'infinity'),
	(2, 1, NULL), (2, 4, NULL), (3, 2, NULL), (3, 5, NULL), (4, 2, NULL), (4, 1, NULL);
CREATE INDEX ON undated USING similarity (a, b) INCLUDE (at);
SELECT item, because, reason FROM recommend('undated', 1) WHERE reason = 'similar' ORDER BY 1;
SELECT item, because, reason FROM recommend('undated', 1, half_life => '1 day') WHERE reason = 'similar' ORDER BY 1;
SELECT item, because, reason FROM recommend('undated', 4, half_life => '1 day') WHERE reason = 'similar' ORDER BY 1;
SELECT item, recent, before FROM trending('undated', as_of => '2024-05-02');

-- far apart: what is much older keeps its order
CREATE TABLE ages (a int, b text, at timestamptz);
INSERT INTO ages VALUES (1, 'new', '2999-12-31'), (2, 'old', '2001-01-01'), (3, 'older', '2000-01-01'),
	(4, 'old twice', '2000-12-31'), (5, 'old twice', '2000-12-31'), (6, 'oldest', '1000-01-01');
CREATE INDEX ON ages USING similarity (a, b) INCLUDE (at);
SELECT item, score, reason FROM recommend('ages', 0);
SELECT item, score, recent FROM trending('ages', as_of => '2024-01-01');

-- keys of other types: equal as their type says
CREATE TABLE kinds (s numeric, u uuid, n numeric, d date, c "char", v varchar(20));
CREATE DOMAIN sku AS text CHECK (VALUE <> 'forbidden');
ALTER TABLE kinds ADD k sku;
INSERT INTO kinds SELECT s, ('00000000-0000-0000-0000-00000000000' || i)::uuid, i + 0.50, date '2024-01-01' + i,
	chr(64 + i)::"char", 'v' || i, 'k' || i
FROM (VALUES (1.0, 1), (1.00, 2), (2.0, 1), (2.0, 3), (3, 2), (3, 3), (3, 4)) x(s, i);
CREATE INDEX kinds_u ON kinds USING similarity (s, u);
CREATE INDEX kinds_n ON kinds USING similarity (s, n);
CREATE INDEX kinds_d ON kinds USING similarity (s, d);
CREATE INDEX kinds_c ON kinds USING similarity (s, c);
CREATE INDEX kinds_v ON kinds USING similarity (s, v);
CREATE INDEX kinds_k ON kinds USING similarity (s, k);
CREATE INDEX kinds_x ON kinds USING similarity (s, upper(v));
SELECT * FROM (VALUES ('u'), ('n'), ('d'), ('c'), ('v'), ('k'), ('x')) i(i),
	recommend(('kinds_' || i)::regclass, 1, 2);
SELECT item, because FROM recommend('kinds_n', 1.000, NULL::numeric, k => 1);
SELECT item FROM recommend('kinds_u', 1, NULL::uuid, k => 1);
SELECT item FROM recommend('kinds_v', 1, NULL::varchar, k => 1) UNION ALL
SELECT item FROM recommend('kinds_v', 1, NULL::text, k => 1);
SELECT item, pg_typeof(item) FROM recommend('kinds_k', 1, NULL::sku, k => 1);
SELECT item, pg_typeof(item) FROM recommend('kinds_k', 1, NULL::text, k => 1);
SELECT item FROM recommend('kinds_n', 1, exclude => ARRAY[3.500]);
SELECT item FROM recommend('kinds_n', 1, among => '{4.50,3.5000}'::float8[]);
SELECT item FROM recommend_from('kinds_u', ARRAY['00000000-0000-0000-0000-000000000004']::uuid[], 1);
SELECT item FROM similar_items('kinds_d', date '2024-01-05', 1);
SELECT refusal($$SELECT recommend_from('kinds_u', '{1}')$$);
SELECT refusal($$SELECT recommend('kinds_k', 1, NULL::int, k => 1)$$);
-- a domain over the items' type is checked, as any value that becomes one
CREATE DOMAIN not_k3 AS text CHECK (VALUE <> 'k3');
SELECT item, pg_typeof(item) FROM recommend('kinds_k', 1, NULL::not_k3, k => 1, exclude => '{k3}');
SELECT refusal($$SELECT recommend('kinds_k', 1, NULL::not_k3, k => 1)$$);

-- privileges
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA personalize TO regress_reader;
SET ROLE regress_reader;
SELECT refusal($$SELECT recommend('purchases', 1)$$);
SELECT refusal($$SELECT recommend_from('purchases_similarity', '{tent}')$$);
SELECT refusal($$SELECT similar_items('purchases', 'tent')$$);
SELECT refusal($$SELECT trending('purchases')$$);
RESET ROLE;
GRANT SELECT (customer_id, product) ON purchases TO regress_reader;
SET ROLE regress_reader;
SELECT refusal($$SELECT recommend('purchases', 1)$$);
RESET ROLE;
GRANT SELECT (ordered_at, quantity) ON purchases TO regress_reader;
SET ROLE regress_reader;
SELECT item FROM recommend('purchases', 1, 1);
RESET ROLE;
REVOKE ALL ON purchases FROM regress_reader;
REVOKE ALL (customer_id, product, ordered_at, quantity) ON purchases FROM regress_reader;
GRANT SELECT ON purchases TO regress_reader;
SET ROLE regress_reader;
SELECT item FROM recommend('purchases', 1, 1);
RESET ROLE;

-- row-level security
ALTER TABLE purchases ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON purchases USING (customer_id = 1);
CREATE FUNCTION recommend_to_me() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER
	SET search_path = public, personalize AS $$ SELECT item FROM recommend('purchases', 1, 1) $$;
SET ROLE regress_reader;
SELECT refusal($$SELECT recommend('purchases', 1)$$);
SELECT refusal($$SELECT similar_items('purchases', 'tent')$$);
SELECT refusal($$SELECT trending('purchases')$$);
SELECT recommend_to_me();
RESET ROLE;
SELECT item FROM recommend('purchases', 1, 1);
ALTER TABLE purchases FORCE ROW LEVEL SECURITY;
ALTER TABLE purchases OWNER TO regress_reader;
SET ROLE regress_reader;
SELECT refusal($$SELECT recommend('purchases', 1)$$);
RESET ROLE;
ALTER TABLE purchases OWNER TO CURRENT_USER;
ALTER TABLE purchases NO FORCE ROW LEVEL SECURITY;
ALTER TABLE purchases DISABLE ROW LEVEL SECURITY;

-- the formulas, on 400 subjects and 60 items, against SQL
CREATE TABLE plays (s int, i int, at timestamptz, n int);
INSERT INTO plays
SELECT x % 400, (abs(hashint4(x)) % 60) * (abs(hashint4(x + 7)) % 60) / 60,
	timestamptz '2024-01-01' + abs(hashint4(x + 13)) % 8640 * interval '1 minute', 1 + abs(hashint4(x + 17)) % 5
FROM generate_series(1, 4000) x;
CREATE INDEX plays_similarity ON plays USING similarity (s, i) INCLUDE (at, n);

CREATE TEMP TABLE model AS
WITH p AS (SELECT DISTINCT s, i FROM plays),
	u AS (SELECT s, count(*) AS d FROM p GROUP BY 1),
	j AS (SELECT i, count(*) AS d FROM p GROUP BY 1),
	c AS (SELECT a.i AS i, b.i AS j, sum(u.d ^ -0.5::float8) AS c, count(*) AS support
		FROM p a JOIN p b USING (s) JOIN u USING (s) WHERE a.i <> b.i GROUP BY 1, 2),
	raw AS (SELECT c.i, c.j, (c.c / j.d ^ 0.35::float8) ^ 1.3::float8 AS raw, support
		FROM c JOIN j ON j.i = c.j)
SELECT i, j, raw / sum(raw) OVER (PARTITION BY i) AS score, support FROM raw;

CREATE TEMP TABLE lists AS
SELECT i, l.item AS j, l.score, l.support
FROM (SELECT DISTINCT i FROM plays) x, similar_items('plays', i, item_type => NULL::int, k => 1000) l;
SELECT count(*) > 2000 AS many, count(*) FILTER (WHERE m.support IS DISTINCT FROM l.support) AS supports_differ,
	count(*) FILTER (WHERE (abs(m.score - l.score) < 1e-6 * m.score) IS NOT TRUE) AS scores_differ
FROM model m FULL JOIN lists l USING (i, j);

-- recommend() from these lists, with weights by strength and age
CREATE TEMP TABLE histories AS
SELECT s, i, log(2, 1 + sum(n))::float8 AS w, max(at) AS at, max(max(at)) OVER (PARTITION BY s) AS newest
FROM plays GROUP BY s, i;
CREATE FUNCTION expected(half_life interval, only_even boolean, OUT s int, OUT rank bigint, OUT item int, OUT score numeric, OUT because int)
RETURNS SETOF record LANGUAGE sql AS $$
	SELECT s, rank, j, round(score::numeric, 9), because
	FROM (
		SELECT h.s, l.j, sum(c.c) AS score, (array_agg(h.i ORDER BY c.c::float4 DESC, h.at DESC))[1] AS because,
			row_number() OVER (PARTITION BY h.s ORDER BY sum(c.c) DESC, l.j) AS rank
		FROM histories h JOIN lists l USING (i),
			LATERAL (SELECT w * l.score * coalesce(2 ^ -(extract(epoch FROM newest - at) / extract(epoch FROM half_life))::float8, 1) AS c) c
		WHERE NOT EXISTS (SELECT FROM histories g WHERE g.s = h.s AND g.i = l.j) AND (l.j % 2 = 0 OR NOT only_even)
		GROUP BY h.s, l.j) x
	WHERE rank <= 10 $$;
CREATE FUNCTION actual(half_life interval, only_even boolean, OUT s int, OUT rank bigint, OUT item int, OUT score numeric, OUT because int)
RETURNS SETOF record LANGUAGE sql AS $$
	SELECT s, ordinality, item, round(score::numeric, 9), because
	FROM (SELECT DISTINCT s FROM plays) x,
		recommend('plays', s, NULL::int, k => 10, half_life => half_life, among => CASE WHEN only_even THEN ARRAY(SELECT generate_series(0, 60, 2)) END)
			WITH ORDINALITY r
	WHERE reason = 'similar' $$;
SELECT half_life, only_even, count(*) > 3500 AS many, count(*) FILTER (WHERE e IS NULL OR a IS NULL) AS differ
FROM (VALUES (NULL::interval), ('2 days'), ('6 hours')) h(half_life), (VALUES (false), (true)) o(only_even),
	LATERAL (SELECT e, a FROM expected(half_life, only_even) e
		FULL JOIN actual(half_life, only_even) a USING (s, rank, item, score, because)) d
GROUP BY 1, 2 ORDER BY 1, 2;

-- recommend_from() is recommend() of a history with weights of 1
CREATE TABLE flat AS SELECT s, i, max(at) AS at FROM plays GROUP BY s, i;
CREATE INDEX flat_similarity ON flat USING similarity (s, i) INCLUDE (at);
SELECT count(*) AS rows_that_differ FROM (SELECT s, array_agg(i ORDER BY at, i DESC) AS basket FROM flat GROUP BY s) x,
	LATERAL (SELECT r FROM recommend('flat', s) r EXCEPT ALL SELECT r FROM recommend_from('flat', basket) r) d;

-- the same rows in another order, numbered otherwise: the same answers to the last bit
CREATE TABLE shuffled AS TABLE plays;
TRUNCATE shuffled;
SET client_min_messages = warning;
CREATE INDEX shuffled_similarity ON shuffled USING similarity (s, i) INCLUDE (at, n);
RESET client_min_messages;
INSERT INTO shuffled SELECT * FROM plays ORDER BY hashint4(s * 1000 + i), at, n;
SELECT retrain('shuffled');
CREATE INDEX plays_timeless ON plays USING similarity (s, i);
CREATE INDEX shuffled_timeless ON shuffled USING similarity (s, i);
SELECT p, count(*) > 3500 AS many, count(*) FILTER (WHERE a.item IS DISTINCT FROM b.item OR a.score IS DISTINCT FROM b.score
	OR a.because IS DISTINCT FROM b.because OR a.reason IS DISTINCT FROM b.reason) AS differ
FROM (VALUES ('plays_similarity'::regclass, 'shuffled_similarity'::regclass), ('plays_timeless', 'shuffled_timeless')) i(p, q),
	generate_series(0, 399) s,
	LATERAL (SELECT * FROM recommend(p, s, 9) WITH ORDINALITY) a
	FULL JOIN LATERAL (SELECT * FROM recommend(q, s, 9) WITH ORDINALITY) b USING (ordinality)
GROUP BY p ORDER BY p::text;
DROP INDEX plays_timeless;

-- equal scores: by item, at the cut too
CREATE TABLE ties (s int, i int);
INSERT INTO ties SELECT g, x FROM generate_series(1, 20) g, LATERAL (VALUES (1000), (1000 - g)) v(x);
CREATE INDEX ON ties USING similarity (s, i);
SELECT string_agg(item, ' ' ORDER BY ordinality) FROM similar_items('ties', 1000, 5) WITH ORDINALITY;
SELECT string_agg(item, ' ' ORDER BY ordinality) FROM recommend_from('ties', '{1000}', 5) WITH ORDINALITY;
SELECT item, score, because FROM recommend_from('ties', '{980,999}');
SELECT item, score, because FROM recommend_from('ties', '{999,980}');
SELECT item, score, because FROM recommend_from('ties', '{999,980,999}');
SELECT string_agg(item, ' ' ORDER BY ordinality) FROM trending('ties', 6) WITH ORDINALITY;
SELECT string_agg(item, ' ' ORDER BY ordinality) FROM recommend('ties', 0, 6) WITH ORDINALITY;

-- in parallel workers
CREATE FUNCTION gathers(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
	depth int;
BEGIN
	-- is the function's scan below the Gather, or beside it?
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		IF line LIKE '%Gather%' THEN depth := position('Gather' IN line); END IF;
		IF line LIKE '%Function Scan%' THEN RETURN coalesce(position('Function Scan' IN line) > depth, false); END IF;
	END LOOP;
	RETURN NULL;
END $$;
\set scored 'SELECT count(*), sum(hashtext(r.*::text)) FROM flat f, recommend(''plays'', f.s, 5) r'
CREATE TEMP TABLE serially AS :scored;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT gathers(:'scored');
-- only where the owner says that it never reads a temporary table
BEGIN;
ALTER FUNCTION recommend(regclass, anycompatible, int, boolean, "any", "any", interval) PARALLEL SAFE;
SELECT gathers(:'scored');
CREATE TEMP TABLE in_parallel AS :scored;
SELECT count(*) AS same FROM serially JOIN in_parallel USING (count, sum);
ROLLBACK;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- a key type whose functions themselves call recommend(); since PostgreSQL 17 CREATE INDEX
-- runs them with a search_path of pg_catalog alone
CREATE TYPE boxed AS (id int);
CREATE FUNCTION boxed_hash(boxed) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	PERFORM personalize.recommend('public.plays', ($1).id);
	RETURN hashint4(($1).id);
END $$;
CREATE FUNCTION boxed_cmp(boxed, boxed) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	PERFORM personalize.recommend('public.plays', ($1).id, half_life => '1 day');
	RETURN btint4cmp(($1).id, ($2).id);
END $$;
DO $$
DECLARE
	op text;
BEGIN
	FOREACH op IN ARRAY '{<,<=,=,>=,>}'::text[] LOOP
		EXECUTE format('CREATE FUNCTION %I(boxed, boxed) RETURNS boolean LANGUAGE sql IMMUTABLE AS %L',
			'boxed ' || op, 'SELECT public.boxed_cmp($1, $2) ' || op || ' 0');
		EXECUTE format('CREATE OPERATOR #%s (LEFTARG = boxed, RIGHTARG = boxed, FUNCTION = %I)', op, 'boxed ' || op);
	END LOOP;
END $$;
CREATE OPERATOR CLASS boxed_ops DEFAULT FOR TYPE boxed USING btree AS
	OPERATOR 1 #<, OPERATOR 2 #<=, OPERATOR 3 #=, OPERATOR 4 #>=, OPERATOR 5 #>, FUNCTION 1 boxed_cmp(boxed, boxed);
CREATE OPERATOR CLASS boxed_hash_ops DEFAULT FOR TYPE boxed USING hash AS
	OPERATOR 1 #=, FUNCTION 1 boxed_hash(boxed);
CREATE TABLE inside (s int, i boxed);
INSERT INTO inside SELECT s, row(i)::boxed FROM flat WHERE s < 40;
CREATE INDEX ON inside USING similarity (s, i);
CREATE TABLE outside AS SELECT s, (i).id AS i FROM inside;
CREATE INDEX ON outside USING similarity (s, i);
SELECT count(*) AS rows_that_differ FROM generate_series(1, 20) s, LATERAL (
	SELECT trim('()' FROM item), round(score::numeric, 9) FROM recommend('inside', s, 5, exclude => ARRAY[row(3)::boxed]) WHERE reason = 'similar'
	EXCEPT SELECT item, round(score::numeric, 9) FROM recommend('outside', s, 1000, exclude => ARRAY[3])) d;

DROP OWNED BY regress_reader;
DROP ROLE regress_reader;

-- beyond the history's limit items do not count, but are still not offered again
CREATE TABLE long_history (subject int, item text, at timestamptz);
INSERT INTO long_history
SELECT s, chr(ascii('a') + i), timestamptz '2024-01-01 00:00+00' + i * interval '1 day'
FROM generate_series(1, 3) AS s, generate_series(0, 5) AS i WHERE s > 1 OR i < 5;
CREATE INDEX ON long_history USING similarity (subject, item) INCLUDE (at) WITH (history = 2);
SELECT item, because, reason FROM recommend('long_history', 1, k => 10);
SELECT item, because, reason FROM recommend('long_history', 1, k => 10, seen => true) ORDER BY item;
DROP TABLE long_history;

-- one partition's model
CREATE TABLE shards (subject int, item text, other int) PARTITION BY HASH (subject);
CREATE TABLE shards_0 PARTITION OF shards FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shards_1 PARTITION OF shards FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO shards
SELECT s, item FROM generate_series(1, 40) AS s, unnest('{a,b,c}'::text[]) AS item WHERE s > 1 OR item < 'c';
CREATE INDEX ON shards USING similarity (subject, item);
SELECT refusal($$SELECT recommend('shards', 1)$$);
SELECT r.* FROM (SELECT tableoid AS t FROM shards WHERE subject = 1 LIMIT 1) s,
	LATERAL (SELECT item, because, reason FROM recommend_at(s.t, 'shards', 1, k => 2)) r;
SELECT r.* FROM (SELECT tableoid AS t FROM shards WHERE subject = 1 LIMIT 1) s,
	LATERAL (SELECT item, because, reason FROM recommend_at(s.t, 'shards_subject_item_idx', 1, item_type => NULL::text, k => 2)) r;
SELECT refusal($$SELECT recommend_at(NULL, 'shards', 1)$$);
SELECT refusal($$SELECT recommend_at('shards_0'::regclass, NULL, 1)$$);
SELECT refusal($$SELECT recommend_at(0, 'shards', 1)$$);
SELECT refusal($$SELECT recommend_at('shards'::regclass, 'shards', 1)$$);
SELECT refusal($$SELECT recommend_at('pg_class'::regclass, 'shards', 1)$$);
SELECT refusal($$SELECT recommend_at('shards_0'::regclass, 'pg_class', 1)$$);
CREATE INDEX ON shards USING similarity (item, subject);
SELECT refusal($$SELECT recommend_at('shards_0'::regclass, 'shards', 1)$$);
DROP INDEX shards_subject_item_idx;
-- of two indexes on the same columns the partition of the one that is named, by expression too
CREATE INDEX shards_plain ON shards USING similarity (subject, item);
CREATE INDEX shards_short ON shards USING similarity (subject, item) INCLUDE (other) WITH (neighbors = 1);
CREATE INDEX shards_swapped ON shards USING similarity ((item || ''), (subject + 0));
CREATE INDEX shards_worded ON shards USING similarity ((subject + 0), (item || ''));
SELECT p.index, count(*) FILTER (WHERE reason = 'similar') AS similar, count(*)
FROM (VALUES ('shards_plain', '1'), ('shards_short', '1'), ('shards_worded', '1'), ('shards_swapped', 'a')) AS p (index, subject),
	recommend_at((SELECT tableoid FROM shards WHERE subject = 1 LIMIT 1), p.index::regclass, p.subject, k => 50, seen => true)
GROUP BY 1 ORDER BY 1;
SELECT refusal($$SELECT recommend_at('shards_0'::regclass, 99999999, 1)$$);
SELECT refusal($$SELECT recommend_at('shards_0'::regclass, 'pg_class_oid_index', 1)$$);
DROP INDEX shards_plain, shards_short, shards_swapped, shards_worded;
CREATE TABLE namesake (subject int, item text);
CREATE INDEX ON namesake USING similarity (subject, item);
SELECT refusal($$SELECT recommend_at('namesake'::regclass, 'shards', 1)$$);
DROP TABLE namesake, shards;

-- a filter does not starve: where popularity is known of the leaders only, the rest of among fills
CREATE TABLE many (subject int, item int, at timestamptz);
INSERT INTO many SELECT x % 500, x % 3000, timestamptz '2024-06-01 00:00+00' FROM generate_series(0, 20999) AS x WHERE x % 3000 < 2997;
INSERT INTO many SELECT -x, 2997 + x % 3, timestamptz '2020-01-01 00:00+00' FROM generate_series(1, 3) AS x;
CREATE INDEX ON many USING similarity (subject, item) INCLUDE (at);
SELECT count(*) FROM recommend('many', -9, k => 3000);
SELECT * FROM recommend('many', -9, item_type => NULL::int, k => 5, among => '{2999,2997,7777,2998,2999}');
SELECT * FROM recommend('many', -9, item_type => NULL::int, k => 2, among => '{2999,2997,7777,2998}', exclude => '{2998}');
SELECT item, reason FROM recommend('many', -1, item_type => NULL::int, k => 5, among => '{2999,2997,2998}');
DROP TABLE many;

-- a date in the far future does not make all others old
CREATE TABLE booked (subject int, item int, at timestamptz);
INSERT INTO booked SELECT x, x % 3 + 1, timestamptz '2024-06-01 00:00+00' + x * interval '1 hour' FROM generate_series(1, 12) AS x;
INSERT INTO booked VALUES (99, 99, '9999-12-31');
CREATE INDEX ON booked USING similarity (subject, item) INCLUDE (at);
SELECT item, round(score::numeric, 3) AS score, reason FROM recommend('booked', -1, k => 4);
DELETE FROM booked WHERE at < '9999-12-31';
REINDEX TABLE booked;
SELECT item, round(score::numeric, 3) AS score, reason FROM recommend('booked', -1, k => 4);
DROP TABLE booked;
