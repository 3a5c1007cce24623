-- hash_bucket(), assign(), in_namespace(), in_holdout(): what a user types and sees
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET client_encoding = 'UTF8';
SET search_path = public, personalize;
\pset null (null)

-- every function of this part has a comment, and is declared as it is
SELECT p.oid::regprocedure AS function, provolatile::text || proparallel::text || CASE WHEN proisstrict THEN 's' ELSE '' END AS declared,
	obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
WHERE proname IN ('hash_bucket', 'assign', 'in_namespace', 'in_holdout', 'variant_ranges', 'choose_variant')
ORDER BY p.oid::regprocedure::text COLLATE "C";

--
-- hash_bucket
--
SELECT hash_bucket('seed', 'a'), hash_bucket('seed', 'a', 2), hash_bucket('', 'a', version => 1), hash_bucket('', ''), hash_bucket('', '', 1);
-- characters count as they are in UTF-8
SELECT hash_bucket('prix', 'é'), hash_bucket('prix', 'é', 1), hash_bucket('価格', '日本語'), hash_bucket('🎲', '🙂', 1);

-- numbers as their digits, uuids in lower case, and whatever type an application has
CREATE TABLE visitor (id int, small smallint, big bigint, name varchar(10), code char(5), key uuid);
INSERT INTO visitor VALUES (42, 42, 42, '42', '42', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11');
SELECT hash_bucket('x', '42') AS text, hash_bucket('x', id) AS int, hash_bucket('x', small) AS smallint, hash_bucket('x', big) AS bigint,
	hash_bucket('x', name) AS varchar, hash_bucket('x', code) AS char, hash_bucket('x', 42) AS literal, hash_bucket('x', -42) = hash_bucket('x', '-42') AS negative FROM visitor;
SELECT hash_bucket('x', key) = hash_bucket('x', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11') AS uuid,
	hash_bucket('x', (-9223372036854775808)::bigint) = hash_bucket('x', '-9223372036854775808') AS lowest FROM visitor;
SELECT assign('x', id) = assign('x', '42') AS int, assign('x', key) = assign('x', key::text) AS uuid,
	in_namespace('x', id, 0, 0.5) = in_namespace('x', '42', 0, 0.5) AS namespace, in_namespace('x', key, 0, 0.5) = in_namespace('x', key::text, 0, 0.5) AS uuid,
	in_holdout('x', id, 0.5) = in_holdout('x', '42', 0.5) AS holdout, in_holdout('x', key, 0.5) = in_holdout('x', key::text, 0.5) AS uuid FROM visitor;

SELECT hash_bucket('x', NULL), hash_bucket('x', NULL::bigint), hash_bucket('x', NULL::uuid, 1);
SELECT hash_bucket(NULL, 'a');
SELECT hash_bucket('x', 'a', NULL);
SELECT hash_bucket('x', 'a', 3);
SELECT hash_bucket('x', NULL, 0);

--
-- assign
--
SELECT id, assign('checkout', id), assign('checkout', id, '{a,b,c}'), assign('checkout', id, '{a,b,c}', '{0.2,0.3,0.5}') AS weighted,
	assign('checkout', id, coverage => 0.5) AS half
FROM generate_series(1, 12) id;
-- one weight too few is told as that, not by the sum
SELECT assign('x', 1, '{a,b}', '{0.9}');
-- one variant is a rollout; weights of 0 get nobody; and nobody falls out by rounding
SELECT count(*), count(assign('rollout', id, '{new}', coverage => 0.25)) AS quarter, count(assign('rollout', id, coverage => 0)) AS none,
	count(DISTINCT assign('z', id, '{a,b,c}', '{0,1,0}')) AS variants, count(assign('thirds', id, '{a,b,c}', '{0.333333,0.333333,0.333333}')) AS all
FROM generate_series(1, 10000) id;
-- arguments that differ from row to row
CREATE TABLE experiment (name text, variants text[], weights float8[], coverage float8);
INSERT INTO experiment VALUES ('one', '{a,b}', NULL, 1), ('two', '{x,y,z}', '{0.1,0.1,0.8}', 1), ('two', '{x,y,z}', '{0.8,0.1,0.1}', 1), ('three', '{new}', NULL, 0.3);
SELECT name, weights, string_agg(coalesce(assign(name, id, variants, weights, coverage), '-'), ' ' ORDER BY id) FROM experiment, generate_series(1, 10) id GROUP BY name, variants, weights ORDER BY name, weights;
-- of one set of variants, an experiment that differs from row to row
SELECT string_agg(assign(name, 7), ' ' ORDER BY name) AS by_row, concat_ws(' ', assign('a', 7), assign('b', 7), assign('c', 7), assign('d', 7), assign('e', 7)) AS one_by_one FROM unnest('{a,b,c,d,e}'::text[]) name;
-- a call in PL/pgSQL, which is kept from one to the next
CREATE FUNCTION variant_of(experiment text, id int, variants text[]) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN assign(experiment, id, variants); END $$;
SELECT variant_of('one', 1, '{a,b}'), variant_of('two', 1, '{x,y,z}'), assign('one', 1, '{a,b}'), assign('two', 1, '{x,y,z}');
CREATE FUNCTION bucket_of(seed text, id int) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RETURN hash_bucket(seed, id); END $$;
SELECT bucket_of('one', 1), bucket_of('two', 1), hash_bucket('one', 1), hash_bucket('two', 1);
-- an index may hold it, and an array that is stored compressed is read
CREATE INDEX ON visitor (assign('checkout', id));
CREATE TABLE wide AS SELECT array_agg('variant ' || repeat('x', 100) || i) AS variants FROM generate_series(1, 100) i;
SELECT count(DISTINCT assign('wide', id, variants)), min(length(assign('wide', id, variants))) FROM wide, generate_series(1, 3000) id;

SELECT assign('x', NULL), assign('x', NULL::int), assign('x', NULL::uuid);
SELECT assign(NULL, 1);
SELECT assign('x', 1, NULL);
SELECT assign('x', 1, '{}');
SELECT assign('x', 1, '{a,NULL}');
SELECT assign('x', 1, '{a,b,a}');
SELECT assign('x', 1, '{{a,b},{c,d}}');
SELECT assign('x', 1, '{a,b}', '{0.5,0.4}');
SELECT assign('x', 1, '{a,b}', '{0.5,0.500002}');
SELECT assign('x', 1, '{a,b}', '{1.5,-0.5}');
SELECT assign('x', 1, '{a,b}', '{0.5,NULL}');
SELECT assign('x', 1, '{a,b}', '{0.5,NaN}');
SELECT assign('x', 1, '{a,b}', '{Infinity,0}');
SELECT assign('x', 1, '{a,b}', '{1}');
SELECT assign('x', 1, '{a,b}', '{}');
SELECT assign('x', 1, '{a,b}', '{{0.5,0.5}}');
SELECT assign('x', 1, coverage => 1.1);
SELECT assign('x', 1, coverage => -0.1);
SELECT assign('x', 1, coverage => 'NaN');
SELECT assign('x', 1, coverage => NULL);
-- far too many variants can be cancelled
SET statement_timeout = '100ms';
SELECT assign('x', 1, array_agg('v' || i)) FROM generate_series(1, 100000) i;
RESET statement_timeout;
-- bad input is bad for no unit, too
SELECT assign('x', NULL, '{a,a}');

--
-- in_namespace, in_holdout
--
SELECT id, in_namespace('pricing', id, 0, 0.5) AS first, in_namespace('pricing', id, 0.5, 1) AS second, in_namespace('pricing', id, 0, 1) AS all, in_namespace('pricing', id, 0.3, 0.3) AS none,
	in_holdout('2026', id, 0.2) AS fifth, in_holdout('2026', id, 0.5) AS half, in_holdout('2026', id, 1) AS all, in_holdout('2026', id, 0) AS none
FROM generate_series(1, 8) id;
SELECT in_namespace('n', NULL, 0, 1), in_holdout('s', NULL::bigint, 0.1);
SELECT in_namespace(NULL, 1, 0, 1);
SELECT in_namespace('n', 1, 0.5, 0.4);
SELECT in_namespace('n', 1, -0.1, 0.4);
SELECT in_namespace('n', 1, 0, 'NaN');
SELECT in_namespace('n', 1, 0, NULL);
SELECT in_holdout(NULL, 1, 0.1);
SELECT in_holdout('s', 1, NULL);
SELECT in_holdout('s', 1, 10);

--
-- variant_ranges, choose_variant
--
SELECT variant_ranges('{0.5,0.5}'), variant_ranges('{0.25,0.75}', 0.5), variant_ranges('{1}', 0), variant_ranges('{0.4,0.599}');
SELECT bucket, choose_variant(bucket, '{{0,0.25},{0.5,0.5},{0.5,0.75}}') FROM unnest('{0,0.25,0.5,0.75,NULL}'::float8[]) bucket;
SELECT choose_variant(0.1, '{{0,0.5},{0,1}}') AS first_of_two, choose_variant(1, '{{0,1}}') AS above;
SELECT variant_ranges(NULL);
SELECT variant_ranges('{0.5,0.4}');
SELECT variant_ranges('{0.5,0.5}', 2);
SELECT variant_ranges('{0.5,0.5}', NULL);
SELECT variant_ranges('{NULL}');
SELECT choose_variant(0.5, NULL);
SELECT choose_variant(0.5, '{}');
SELECT choose_variant(0.5, '{0,1}');
SELECT choose_variant(0.5, '{{0,1,2}}');
SELECT choose_variant(0.5, '{{0,NULL}}');
SELECT choose_variant(0.5, '{{0,1},{1,0.5}}');
SELECT choose_variant(0.5, '{{0,Infinity}}');
SELECT choose_variant('NaN', '{{0,1}}');

DROP TABLE visitor, experiment, wide;
DROP FUNCTION variant_of, bucket_of;
