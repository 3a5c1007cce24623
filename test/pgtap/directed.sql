-- Directed models against their formula in SQL, and what is recommended by them.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(39);

CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;
CREATE FUNCTION hash_order(i int) RETURNS numeric LANGUAGE sql IMMUTABLE AS
$$ SELECT hashint4extended(i, 0)::numeric + CASE WHEN hashint4extended(i, 0) < 0 THEN 18446744073709551616 ELSE 0 END $$;

CREATE TABLE steps (s int, i int, at timestamptz);

-- items come again, times are shared and missing; of two neighbours the later one is more often the higher
CREATE FUNCTION fill(seed bigint, subjects int, items int, rows int, moments int) RETURNS void LANGUAGE sql AS $$
	TRUNCATE steps;
	INSERT INTO steps
	SELECT draw(seed, x, subjects), (draw(seed + 1, x, items) * (draw(seed + 2, x, items) + 1) / items + m) % items,
		CASE WHEN draw(seed + 4, x, 30) > 0 THEN timestamptz '2024-01-01' + m * interval '1 hour' END
	FROM (SELECT x, draw(seed + 3, x, moments) AS m FROM generate_series(1, rows) x) x $$;

-- a subject's items, the latest first
CREATE VIEW places AS
SELECT s, i, at, row_number() OVER (PARTITION BY s ORDER BY at DESC NULLS LAST, hash_order(i)) AS p, count(*) OVER (PARTITION BY s)::float8 AS d,
	rank() OVER (PARTITION BY s ORDER BY at DESC NULLS LAST) - 1 AS later
FROM (SELECT s, i, max(at) AS at FROM steps GROUP BY s, i) x;

-- Tests of one case: the score at each place of each list, and of each neighbour with its support.
CREATE FUNCTION check_model(name text, span int, decay float8, backward float8, g float8, q float8, sharp float8, k int, min_support int)
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	n bigint; oneway bigint;
BEGIN
	EXECUTE format('CREATE INDEX steps_similarity ON steps USING similarity (s, i) INCLUDE (at) WITH (direction = forward, '
		'method = cooccurrence, forward_window = %s, forward_decay = %s, backward_weight = %s, subject_exponent = %s, '
		'popularity_exponent = %s, sharpness = %s, neighbors = %s, min_support = %s)', span, decay, backward, g, q, sharp, k, min_support);
	CREATE TEMP TABLE expected ON COMMIT DROP AS
		WITH degrees AS (SELECT i, count(*)::float8 AS d FROM places GROUP BY 1),
			pairs AS (SELECT a.i, b.i AS j, a.d,
					CASE WHEN b.p < a.p THEN 1 ELSE backward END * CASE WHEN abs(a.p - b.p) = 1 THEN 1 ELSE decay ^ (abs(a.p - b.p) - 1) END AS weight
				FROM places a JOIN places b USING (s) WHERE a.p <> b.p AND abs(a.p - b.p) <= span),
			c AS (SELECT i, j, sum(d ^ -g * weight) AS c, count(*) AS support FROM pairs WHERE weight > 0 GROUP BY 1, 2)
		SELECT *, raw / sum(raw) FILTER (WHERE place <= k) OVER (PARTITION BY i) AS score FROM (
			SELECT c.i, c.j, (c / degrees.d ^ q) ^ sharp AS raw, support,
				row_number() OVER (PARTITION BY c.i ORDER BY (c / degrees.d ^ q) ^ sharp DESC) AS place
			FROM c JOIN degrees ON degrees.i = c.j WHERE support >= min_support) x;
	CREATE TEMP TABLE actual ON COMMIT DROP AS
		SELECT x.i, l.item AS j, l.score, l.support, row_number() OVER (PARTITION BY x.i ORDER BY l.score DESC) AS place
		FROM (SELECT DISTINCT i FROM steps) x, similar_items('steps', x.i, item_type => NULL::int, k => 1000) l;
	SELECT count(*), count(*) FILTER (WHERE a.j IS NULL OR b.j IS NULL OR a.score > 1.5 * b.score) INTO n, oneway
	FROM actual a FULL JOIN actual b ON b.i = a.j AND b.j = a.i;
	RETURN NEXT ok(n > 700 AND oneway > 100, format('%s: %s pairs, %s of them not the same both ways', name, n, oneway));
	RETURN NEXT is(count(*) FILTER (WHERE a.i IS NULL OR e.i IS NULL OR abs(a.score - e.score) > 2e-7 * e.score), 0::bigint,
		name || ': score at each place of each list')
		FROM actual a FULL JOIN (SELECT * FROM expected WHERE expected.place <= k) e USING (i, place);
	RETURN NEXT is(count(*) FILTER (WHERE e.i IS NULL OR abs(a.score - e.score) > 2e-7 * e.score), 0::bigint,
		name || ': score of each neighbour')
		FROM actual a LEFT JOIN expected e USING (i, j);
	RETURN NEXT is(count(*) FILTER (WHERE a.support IS DISTINCT FROM e.support), 0::bigint, name || ': support')
		FROM actual a LEFT JOIN expected e USING (i, j);
	DROP TABLE expected, actual;
	DROP INDEX steps_similarity;
END $$;

SELECT fill(1, 150, 40, 2500, 300);
SELECT check_model('defaults', 10, 0.7, 0.3, 0.5, 0.35, 1.3, 100, 1);
SELECT check_model('next item only', 1, 0.5, 0, 0.5, 0.35, 1, 100, 1);
SELECT check_model('no decay', 3, 1, 0.5, 0, 0, 1, 100, 1);
SELECT check_model('as good as next only', 7, 0, 0.25, 0.75, 0.5, 1.6, 12, 1);
SELECT fill(50, 90, 45, 4000, 8);
SELECT check_model('many ties', 4, 0.6, 0, 0.5, 0.2, 1.3, 20, 2);
SELECT check_model('whole histories', 1000, 1, 1, 0.5, 0.35, 1.3, 15, 1);

-- With neither window, decay nor direction to speak of, it is the model that knows none.
CREATE INDEX forward ON steps USING similarity (s, i) INCLUDE (at)
	WITH (method = cooccurrence, direction = forward, forward_window = 1000, forward_decay = 1, backward_weight = 1);
CREATE INDEX undirected ON steps USING similarity (s, i) INCLUDE (at) WITH (method = cooccurrence, direction = both);
SELECT is_empty($$SELECT i, (similar_items('forward', i, k => 1000)).* FROM generate_series(0, 45) i
	EXCEPT SELECT i, (similar_items('undirected', i, k => 1000)).* FROM generate_series(0, 45) i$$, 'the limit is the model without direction');
SELECT results_eq($$SELECT s, r.* FROM generate_series(0, 90) s, recommend('forward', s) r$$,
	$$SELECT s, r.* FROM generate_series(0, 90) s, recommend('undirected', s) r$$, '... and so are recommendations');
DROP INDEX forward, undirected;

-- the same rows give the same model, to the last bit, in whatever order they come
CREATE TABLE grown (LIKE steps);
CREATE INDEX grown_similarity ON grown USING similarity (s, i) INCLUDE (at) WITH (direction = forward, history = 9, postings = on);
INSERT INTO grown SELECT * FROM steps ORDER BY hashint4extended(s, 5), i DESC, at;
CREATE INDEX steps_similarity ON steps USING similarity (s, i) INCLUDE (at) WITH (direction = forward, history = 9);
SELECT retrain('grown');
SELECT results_eq($$SELECT i, l.* FROM generate_series(0, 45) i, similar_items('grown', i, k => 1000) l$$,
	$$SELECT i, l.* FROM generate_series(0, 45) i, similar_items('steps', i, k => 1000) l$$, 'grown and built: model');
SELECT results_eq($$SELECT s, r.* FROM generate_series(0, 90) s, recommend('grown', s, k => 30) r$$,
	$$SELECT s, r.* FROM generate_series(0, 90) s, recommend('steps', s, k => 30) r$$, 'grown and built: recommendations');
DROP INDEX steps_similarity;

-- what is recommended: each item counts decay for every item of the history that is more recent
CREATE INDEX steps_similarity ON steps USING similarity (s, i) INCLUDE (at) WITH (direction = forward, forward_decay = 0.6, forward_window = 5);
CREATE TEMP TABLE lists ON COMMIT DROP AS
SELECT i, l.item AS j, l.score FROM generate_series(0, 45) i, similar_items('steps', i, NULL::int, 1000) l;
SELECT ok(count(*) > 500, 'there are lists') FROM lists;
SELECT is(count(*) FILTER (WHERE a.score IS NULL OR e.score IS NULL OR abs(a.score - e.score) > 1e-9 * e.score), 0::bigint, 'recommend() by time')
FROM (SELECT s, j, sum(0.6 ^ later * score) AS score FROM places JOIN lists USING (i) GROUP BY 1, 2) e
FULL JOIN (SELECT s, r.item AS j, r.score FROM generate_series(0, 89) s, recommend('steps', s, NULL::int, k => 1000, seen => true) r
	WHERE reason = 'similar') a USING (s, j);
SELECT is(count(*) FILTER (WHERE a.score IS NULL OR e.score IS NULL OR abs(a.score - e.score) > 1e-9 * e.score), 0::bigint,
	'recommend_from() by place, the last one first')
FROM (SELECT j, sum(0.6 ^ later * score) AS score FROM (VALUES (7, 0), (3, 2), (12, 3), (30, 4)) v (i, later) JOIN lists USING (i) GROUP BY 1) e
FULL JOIN recommend_from('steps', '{12,7,30,12,NULL,3,1000,7}', NULL::int, k => 1000, seen => true) a ON a.item = e.j
WHERE a.reason = 'similar';
SELECT isnt((SELECT array_agg(item) FROM recommend_from('steps', '{12,30,3,7}')), (SELECT array_agg(item) FROM recommend_from('steps', '{7,3,30,12}')),
	'the order of the items matters');
ALTER INDEX steps_similarity SET (direction = both);
SELECT isnt((SELECT array_agg(item) FROM recommend_from('steps', '{12,30,3,7}')), (SELECT array_agg(item) FROM recommend_from('steps', '{7,3,30,12}')),
	'... until a training puts the new direction into effect');
SELECT retrain('steps');
SELECT is((SELECT array_agg((item, score::numeric(8, 6))::text) FROM recommend_from('steps', '{12,30,3,7}')),
	(SELECT array_agg((item, score::numeric(8, 6))::text) FROM recommend_from('steps', '{7,3,30,12}')), '... after which it does not');

-- what cannot be
SELECT throws_ok('CREATE INDEX ON steps USING similarity (s, i) WITH (direction = forward)', '22023', NULL, 'a direction needs times');
SELECT throws_ok('CREATE INDEX ON steps USING similarity (s, i) INCLUDE (at) WITH (direction = forward, method = ridge)', '22023', NULL,
	'the ridge method takes no direction');
SELECT throws_ok('CREATE INDEX ON steps USING similarity (s, i) INCLUDE (at) WITH (direction = forward, low_pass = 1)', '22023', NULL,
	'the low-pass part takes no direction');
CREATE INDEX timeless ON steps USING similarity (s, i);
ALTER INDEX timeless SET (direction = forward);
SELECT throws_ok($$SELECT retrain('timeless')$$, '22023', NULL, 'retrain() refuses what CREATE INDEX does');
SELECT ok((SELECT count(*) FROM recommend_from('timeless', '{1,2}')) > 0, '... and the model stays');

SELECT * FROM finish();
ROLLBACK;
