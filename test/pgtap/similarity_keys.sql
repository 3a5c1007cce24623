-- Keys of different types that stand for the same things give the same model.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(33);

CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

CREATE TABLE plain AS
SELECT x, draw(1, x, 150) * (draw(2, x, 150) + 1) / 150 AS s, draw(3, x, 80) * (draw(4, x, 80) + 1) / 80 AS i
FROM generate_series(1, 2500) x;
CREATE INDEX ON plain USING similarity (s, i) WITH (neighbors = 500);
CREATE TEMP TABLE model AS
SELECT x.i, l.item AS j, l.score, l.support
FROM (SELECT DISTINCT i FROM plain) x, similar_items('plain', x.i, item_type => NULL::int, k => 1000) l;
SELECT ok(count(*) > 3000, 'a model of ' || count(*) || ' neighbours') FROM model;

CREATE DOMAIN item_no AS int CHECK (VALUE >= 0);
CREATE TYPE place AS (street text, number int);

-- The expressions make a key of s and of i; x may vary how it is written.  One half of the rows is there at
-- the build, the other comes by inserts.
CREATE FUNCTION check_type(type text, subject text, item text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TEMP TABLE named ON COMMIT DROP AS SELECT DISTINCT ON (i) i, (%2$s)::%1$s AS name FROM plain', type, item);
	EXECUTE format('CREATE TABLE keys (s %1$s, i %1$s)', type);
	EXECUTE format('INSERT INTO keys SELECT %1$s, %2$s FROM plain WHERE x %% 2 = 0', subject, item);
	CREATE INDEX ON keys USING similarity (s, i) WITH (neighbors = 500);
	EXECUTE format('INSERT INTO keys SELECT %1$s, %2$s FROM plain WHERE x %% 2 = 1', subject, item);
	PERFORM retrain('keys');

	EXECUTE format('CREATE TEMP TABLE got ON COMMIT DROP AS '
		'SELECT n.i, m.i AS j, l.score, l.support FROM named n, '
		'similar_items(''keys'', n.name, item_type => NULL::%1$s, k => 1000) l JOIN named m ON m.name = l.item', type);
	RETURN NEXT is(count(*), 0::bigint, type || ': the same model')
		FROM ((TABLE got EXCEPT ALL TABLE model) UNION ALL (TABLE model EXCEPT ALL TABLE got)) d;
	RETURN NEXT is((items, subjects, interactions), (SELECT (count(DISTINCT i), count(DISTINCT s), count(*)) FROM plain),
		type || ': as many items, subjects and interactions') FROM similarity_stats('keys');
	DROP TABLE keys, named, got;
END $$;

SELECT check_type('smallint', 's::int2', 'i::int2');
SELECT check_type('bigint', 's + 5000000000', 'i * 100000000000');
SELECT check_type('item_no', 's', 'i');
SELECT check_type('text', '''customer '' || s', 'repeat(''x'', i) || i');
SELECT check_type('varchar(20)', '''c'' || s', '''p'' || i');
SELECT check_type('uuid', 'md5(s::text)::uuid', 'md5(i::text)::uuid');
-- 1.0 and 1.00 are one number
SELECT check_type('numeric', '(s + 0.5)::numeric(20, 5)', 'round(i + 0.5, 1 + x % 7)');
SELECT check_type('float8', 's / 3.0', 'CASE WHEN i = 0 AND x % 2 = 0 THEN ''-0'' ELSE i END');
SELECT check_type('timestamptz', 'to_timestamp(s)', 'to_timestamp(i)');
SELECT check_type('inet', '''10.0.0.0''::inet + s', '''10.1.0.0''::inet + i');
SELECT check_type('int[]', 'ARRAY[s, 7]', 'ARRAY[i, NULL, i]');
SELECT check_type('place', 'row(''a'', s)::place', 'row(''b'' || i, i)::place');
SELECT check_type('char(10)', '''c'' || s', 'rpad(''p'' || i, 4 + x % 7)');

-- long keys, compressible or not
CREATE TABLE long (s text, i text);
INSERT INTO long SELECT repeat(md5(s::text), 46) || s, repeat('.', 1500) || i FROM plain;
CREATE INDEX ON long USING similarity (s, i) WITH (neighbors = 500);
SELECT is(count(*), (SELECT count(*) FROM model), 'keys of 1,500 bytes')
FROM (SELECT DISTINCT i FROM plain) x CROSS JOIN similar_items('long', repeat('.', 1500) || x.i, 1000) l
	JOIN model m ON m.i = x.i AND l.item = repeat('.', 1500) || m.j AND m.score = l.score AND m.support = l.support;
INSERT INTO long SELECT repeat('s', 1500) || g, string_agg(md5(g || ' ' || x), '') FROM generate_series(1, 20) g, generate_series(1, 47) x GROUP BY g;
SELECT is(interactions, (SELECT count(*) FROM long), 'more of them by inserts') FROM similarity_stats('long');
SELECT throws_ok($$INSERT INTO long VALUES ('a', repeat('x', 3000))$$, '54000', NULL, 'an item of 3,000 bytes');
SELECT throws_ok($$INSERT INTO long VALUES (repeat('x', 3000), 'a')$$, '54000', NULL, 'a subject of 3,000 bytes');
CREATE TABLE too_long (s text, i text);
INSERT INTO too_long VALUES ('a', repeat('x', 3000));
SELECT throws_ok('CREATE INDEX ON too_long USING similarity (s, i)', '54000', NULL, 'an item of 3,000 bytes at the build');
-- nor do they break a question
SELECT is_empty($$SELECT * FROM similar_items('long', repeat('x', 3000))$$, 'an item of 3,000 bytes has no neighbours');

SELECT * FROM finish();
ROLLBACK;
