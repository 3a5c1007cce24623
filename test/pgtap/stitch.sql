-- stitch() against a recursive query on random graphs, in every type and any order, and on graphs whose components are known.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(33);

CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

-- 240 graphs of 1 to 60 nodes and up to 90 edges, from sparse to dense, with repeated edges, edges of a node to itself
-- and ends that are null.
CREATE TABLE graph AS
SELECT g, e, CASE WHEN draw(3, x, 12) = 0 THEN NULL ELSE draw(4, x, nodes) END AS a,
	CASE WHEN draw(5, x, 12) = 0 THEN NULL WHEN draw(6, x, 15) = 0 THEN draw(4, x, nodes) ELSE draw(7, x, nodes) END AS b
FROM (SELECT g, 1 + draw(1, g, 60) AS nodes, 1 + draw(2, g, 90) AS edges FROM generate_series(1, 240) g) s,
	generate_series(1, edges) e, LATERAL (SELECT g * 1000 + e AS x) y;
CREATE INDEX ON graph (g);

-- The names of nodes: their order has nothing to do with their numbers.  Texts share beginnings, and some are long.
CREATE FUNCTION as_bigint(x int) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT hashint8extended(x, 11) $$;
CREATE FUNCTION as_integer(x int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT hashint4(x) $$;
CREATE FUNCTION as_smallint(x int) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$ SELECT (x * 487 % 1009 - 500)::smallint $$;
CREATE FUNCTION as_uuid(x int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN x % 3 = 0
	THEN '80000000-0000-0000-' || to_hex(32768 + x * 77 % 10000) || '-000000000000' ELSE md5(x::text) END::uuid $$;
CREATE FUNCTION as_text(x int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE x % 4 WHEN 0 THEN '' WHEN 1 THEN 'Ä' WHEN 2 THEN 'cookie' ELSE repeat('ab', 70) END || repeat(chr(97 + x % 2), x / 4) $$;

-- The components of one graph: each node with the smallest that can be reached from it, row by row as an array.
CREATE FUNCTION expected(graph int, type regtype) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE result text[];
BEGIN
	EXECUTE format($q$
		WITH RECURSIVE node AS (SELECT a AS x FROM graph WHERE g = $1 AND a IS NOT NULL UNION SELECT b FROM graph WHERE g = $1 AND b IS NOT NULL),
		edge AS (SELECT a, b FROM graph WHERE g = $1 UNION ALL SELECT b, a FROM graph WHERE g = $1),
		reached AS (SELECT x, x AS y FROM node UNION SELECT r.x, e.b FROM reached r JOIN edge e ON e.a = r.y WHERE e.b IS NOT NULL),
		named AS (SELECT as_%1$s(x) AS x, as_%1$s(y) %2$s AS y FROM reached),
		least AS (SELECT x, (array_agg(y ORDER BY y))[1] AS y FROM named GROUP BY x)
		SELECT array_agg(x || ' ' || y ORDER BY (x || ' ' || y) COLLATE "C") FROM least $q$, type, CASE WHEN type = 'text'::regtype THEN 'COLLATE "C"' END)
	INTO result USING graph;
	RETURN coalesce(result, '{}');
END $$;

CREATE FUNCTION actual(query text, type regtype) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE result text[];
BEGIN
	EXECUTE format($q$ SELECT array_agg(x ORDER BY x COLLATE "C") FROM (SELECT node || ' ' || canonical AS x FROM stitch(%L, NULL::%s)) s $q$, query, type)
	INTO result;
	RETURN coalesce(result, '{}');
END $$;

CREATE FUNCTION edges(graph int, type regtype) RETURNS text LANGUAGE sql AS
$$ SELECT format('SELECT as_%s(a), as_%1$s(b) FROM graph WHERE g = %s', type, graph) $$;
-- in another order, half of the edges turned round, some twice
CREATE FUNCTION shuffled(graph int, type regtype, seed int) RETURNS text LANGUAGE sql AS $$
	SELECT format('SELECT CASE WHEN draw(%1$s, e, 2) = 0 THEN as_%2$s(a) ELSE as_%2$s(b) END,
		CASE WHEN draw(%1$s, e, 2) = 0 THEN as_%2$s(b) ELSE as_%2$s(a) END
		FROM graph, generate_series(1, 1 + draw(%1$s, e, 3)) copy WHERE g = %3$s ORDER BY draw(%1$s + copy, e, 1000000)', seed, type, graph) $$;

SELECT cmp_ok(count(*) FILTER (WHERE components = 1), '>', 20::bigint, 'graphs of one component ...') FROM (
	SELECT g, count(DISTINCT split_part(x, ' ', 2)) AS components FROM generate_series(1, 240) g, unnest(expected(g, 'bigint')) x GROUP BY g) s;
SELECT cmp_ok(count(*) FILTER (WHERE components > 3), '>', 60::bigint, '... and of many') FROM (
	SELECT g, count(DISTINCT split_part(x, ' ', 2)) AS components FROM generate_series(1, 240) g, unnest(expected(g, 'bigint')) x GROUP BY g) s;
SELECT is(count(DISTINCT x), 60::bigint, 'names are distinct: ' || name) FROM generate_series(0, 59) n,
	LATERAL (VALUES ('bigint', as_bigint(n)::text), ('integer', as_integer(n)::text), ('smallint', as_smallint(n)::text), ('uuid', as_uuid(n)::text), ('text', as_text(n))) v (name, x)
	GROUP BY name ORDER BY name;
SELECT is(count(*) FILTER (WHERE expected(g, type) <> actual(edges(g, type), type)), 0::bigint, type || ': as the recursive query has it')
FROM generate_series(1, 240) g, unnest('{bigint,integer,smallint,uuid,text}'::regtype[]) type
WHERE to_regprocedure('as_' || type || '(int)') IS NOT NULL GROUP BY type ORDER BY type;
SELECT is(count(*) FILTER (WHERE actual(edges(g, type), type) <> actual(shuffled(g, type, seed), type)), 0::bigint, type || ': in any order, turned round and repeated')
FROM generate_series(1, 240) g, generate_series(1, 2) seed, unnest('{bigint,smallint,uuid,text}'::regtype[]) type GROUP BY type ORDER BY type;
SELECT is(count(*) FILTER (WHERE actual(edges(g, 'bigint'), 'bigint') <>
	(SELECT coalesce(array_agg(x ORDER BY x COLLATE "C"), '{}') FROM (SELECT node || ' ' || canonical AS x FROM stitch(edges(g, 'bigint'))) s)), 0::bigint, 'without a type: the same as bigint')
FROM generate_series(1, 240) g;

-- Graphs that are known: component c has the nodes c, c + parts, c + 2 parts, ...; each hangs on an earlier one.
CREATE TABLE known AS
SELECT i, i % 300 AS c, i % 300 + 300 * draw(21, i, i / 300) AS parent FROM generate_series(300, 60000) i;
CREATE FUNCTION wrong(query text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FILTER (WHERE canonical <> node % 300) + abs(count(*) - 60001) + abs(count(DISTINCT node) - 60001) FROM stitch(query) $$;
SELECT is(wrong('SELECT i, parent FROM known ORDER BY i'), 0::bigint, 'trees as they grew');
SELECT is(wrong('SELECT parent, i FROM known ORDER BY i DESC'), 0::bigint, '... from the leaves');
SELECT is(wrong('SELECT i, parent FROM known ORDER BY draw(22, i, 2000000000)'), 0::bigint, '... at random');
SELECT is(count(*), 0::bigint, '... as text, whatever the order of the names')
FROM (SELECT canonical, count(*) AS n, count(DISTINCT split_part(node, ':', 2)::int % 300) AS parts, min(node COLLATE "C") AS least
	FROM stitch($$ SELECT 'n:' || i, 'n:' || parent FROM known ORDER BY draw(23, i, 2000000000) $$, NULL::text) GROUP BY canonical) s
WHERE parts <> 1 OR n NOT IN (200, 201) OR least <> canonical;
SELECT is(count(*), 0::bigint, '... as uuid')
FROM (SELECT canonical, count(*) AS n, (array_agg(node ORDER BY node))[1] AS least
	FROM stitch($$ SELECT md5(i::text)::uuid, md5(parent::text)::uuid FROM known ORDER BY draw(23, i, 2000000000) $$, NULL::uuid) GROUP BY canonical) s
WHERE n NOT IN (200, 201) OR least <> canonical;

-- long paths, which take as many rounds as they have nodes where labels are passed on
CREATE FUNCTION one_component(query text) RETURNS text LANGUAGE sql AS $$ SELECT count(*) || ' ' || min(canonical) || ' ' || max(canonical) FROM stitch(query) $$;
SELECT is(one_component('SELECT i, i + 1 FROM generate_series(1, 200000) i'), '200001 1 1', 'a path from its beginning');
SELECT is(one_component('SELECT i, i + 1 FROM generate_series(200000, 1, -1) i'), '200001 1 1', '... from its end');
SELECT is(one_component('SELECT i, i + 1 FROM generate_series(1, 200000) i ORDER BY draw(31, i, 2000000000)'), '200001 1 1', '... at random');
SELECT is(one_component('SELECT i, i + 1 FROM generate_series(1, 200000) i ORDER BY i % 2, i'), '200001 1 1', '... pairs first');
SELECT is(one_component('SELECT 0, i FROM generate_series(-200000, -1) i'), '200001 -200000 -200000', 'a star');
-- keys that differ in few bits, or only in the upper ones
SELECT is(one_component('SELECT i * 4294967296 * 1024, (i + 1) * 4294967296 * 1024 FROM generate_series(1, 100000) i'), '100001 4398046511104 4398046511104', 'numbers that differ above');

-- keys of one hash: the inverse of the mixing gave the numbers, hashtext() of the stored form the texts
SELECT is(string_agg(node || ' ' || canonical, ', ' ORDER BY node), '1 1, 1930705036966732462 1, 4625810634556543114 4625810634556543114, 6865563278654402498 6865563278654402498',
	'numbers of one hash are different nodes')
FROM stitch('VALUES (6865563278654402498, NULL), (1930705036966732462, 1), (NULL, 4625810634556543114), (1930705036966732462, NULL)');
SELECT is(count(DISTINCT canonical), 3::bigint, '... uuids, too')
FROM stitch($$ SELECT x::uuid, NULL::uuid FROM unnest('{5f47616d-3729-6fc2-0000-000000000000,1acb3e00-7675-a2ae-0000-000000000000,40322e43-76f7-908a-0000-000000000000}'::text[]) x $$, NULL::uuid);
SELECT is(count(DISTINCT canonical), 12::bigint, '... and texts')
FROM stitch($$ SELECT x, NULL::text FROM unnest('{n41969,n378411,n43829,n367479,n154334,n360814,n308752,n341571,n227286,n369460,n140172,n337371}'::text[]) x $$, NULL::text);

-- the query may run in parallel
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
ANALYZE known;
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || query; END $$;
SELECT matches(string_agg(x, ' '), 'Gather', 'a plan with workers') FROM plan_of('SELECT i, parent FROM known WHERE i % 7 >= 0') x;
SELECT is(wrong('SELECT i, parent FROM known WHERE i % 7 >= 0'), 0::bigint, '... gives the same');

SELECT * FROM finish();
ROLLBACK;
