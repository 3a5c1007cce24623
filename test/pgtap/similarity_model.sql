-- The model against its formula in SQL, on random tables and with different options.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(34);

-- the same numbers from 0 up to n on every machine and every time
CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

CREATE TABLE plays (s int, i int, at timestamptz, n int);

-- rows interactions of subjects, few of whom have many, with items, few of which are popular
CREATE FUNCTION fill(seed bigint, subjects int, items int, rows int) RETURNS void LANGUAGE sql AS $$
	TRUNCATE plays;
	INSERT INTO plays
	SELECT draw(seed, x, subjects) * (draw(seed + 1, x, subjects) + 1) / subjects,
		draw(seed + 2, x, items) * (draw(seed + 3, x, items) + 1) / items,
		timestamptz '2024-01-01' + x * interval '1 minute' + draw(seed + 4, x, 50000) * interval '20 minutes',
		1 + draw(seed + 5, x, 5)
	FROM generate_series(1, rows) x $$;

-- the formula: raw similarity of all pairs
CREATE FUNCTION raw_pairs(g float8, q float8, sharp float8, min_support int, history int,
	OUT i int, OUT j int, OUT raw float8, OUT support bigint)
RETURNS SETOF record LANGUAGE sql AS $$
	WITH p AS (SELECT s, i FROM (
			SELECT s, i, row_number() OVER (PARTITION BY s ORDER BY max(at) DESC) AS place FROM plays GROUP BY s, i) x
			WHERE place <= history),
		u AS (SELECT s, count(*)::float8 AS d FROM p GROUP BY 1),
		d AS (SELECT i, count(*)::float8 AS d FROM p GROUP BY 1),
		c AS (SELECT a.i AS i, b.i AS j, sum(u.d ^ -g) AS c, count(*) AS support
			FROM p a JOIN p b USING (s) JOIN u USING (s) WHERE a.i <> b.i GROUP BY 1, 2)
	SELECT c.i, c.j, (c.c / d.d ^ q) ^ sharp, support FROM c JOIN d ON d.i = c.j WHERE support >= min_support $$;

-- One case: tests of its own.  Which of equal neighbours are kept at the cut is the index's choice, so a
-- list is compared place by place, and each neighbour with the pair it stands for.
CREATE FUNCTION check_model(name text, g float8, q float8, sharp float8, k int, min_support int, history int)
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	n bigint; cut bigint;
BEGIN
	EXECUTE format('CREATE INDEX plays_similarity ON plays USING similarity (s, i) INCLUDE (at, n) WITH ('
		'subject_exponent = %s, popularity_exponent = %s, sharpness = %s, neighbors = %s, min_support = %s, history = %s)',
		g, q, sharp, k, min_support, history);
	CREATE TEMP TABLE expected ON COMMIT DROP AS
		SELECT *, raw / sum(raw) FILTER (WHERE place <= k) OVER (PARTITION BY i) AS score FROM (
			SELECT *, row_number() OVER (PARTITION BY i ORDER BY raw DESC) AS place
			FROM raw_pairs(g, q, sharp, min_support, history)) x;
	CREATE TEMP TABLE actual ON COMMIT DROP AS
		SELECT x.i, l.item AS j, l.score, l.support, row_number() OVER (PARTITION BY x.i ORDER BY l.score DESC) AS place
		FROM (SELECT DISTINCT i FROM plays) x, similar_items('plays', x.i, item_type => NULL::int, k => 1000) l;

	SELECT count(*), count(*) FILTER (WHERE place = k + 1) INTO n, cut FROM expected;
	RETURN NEXT ok(n > 1500, format('%s: %s pairs, %s lists are cut', name, n, cut));
	RETURN NEXT is(count(*) FILTER (WHERE a.i IS NULL OR e.i IS NULL OR abs(a.score - e.score) > 1.2e-7 * e.score), 0::bigint,
		name || ': score at each place of each list')
		FROM actual a FULL JOIN (SELECT * FROM expected WHERE expected.place <= k) e USING (i, place);
	RETURN NEXT is(count(*) FILTER (WHERE e.i IS NULL OR abs(a.score - e.score) > 1.2e-7 * e.score), 0::bigint,
		name || ': score of each neighbour')
		FROM actual a LEFT JOIN expected e USING (i, j);
	RETURN NEXT is(count(*) FILTER (WHERE a.support IS DISTINCT FROM e.support), 0::bigint, name || ': support')
		FROM actual a LEFT JOIN expected e USING (i, j);
	DROP TABLE expected, actual;
	DROP INDEX plays_similarity;
END $$;

SELECT fill(1, 300, 60, 3000);
SELECT check_model('defaults', 0.5, 0.35, 1.3, 100, 1, 200);
SELECT check_model('short lists', 0.5, 0.35, 1.3, 7, 1, 200);
SELECT check_model('one neighbour', 0.5, 0.35, 1.3, 1, 1, 200);
SELECT check_model('cosine', 0, 0.5, 1, 20, 1, 200);
SELECT fill(100, 120, 400, 2500);
SELECT check_model('support of 2', 0.75, 0.5, 1.6, 10, 2, 200);
SELECT check_model('extreme exponents', 2, 2, 10, 30, 1, 200);
SELECT fill(200, 90, 150, 4000);
SELECT check_model('history of 12', 0.3, 0.2, 2.2, 25, 1, 12);

-- what recommend() makes of the lists
SELECT fill(300, 200, 120, 4000);
CREATE INDEX plays_similarity ON plays USING similarity (s, i) INCLUDE (at, n) WITH (neighbors = 25, history = 15);
CREATE TEMP TABLE lists ON COMMIT DROP AS
SELECT x.i, l.item AS j, l.score
FROM (SELECT DISTINCT i FROM plays) x, similar_items('plays', x.i, item_type => NULL::int, k => 1000) l;
CREATE TEMP TABLE histories ON COMMIT DROP AS
SELECT * FROM (
	SELECT s, i, log(2, 1 + sum(n))::float8 AS w, max(at) AS at, max(max(at)) OVER (PARTITION BY s) AS newest,
		row_number() OVER (PARTITION BY s ORDER BY max(at) DESC) AS place
	FROM plays GROUP BY s, i) x
WHERE place <= 15;
SELECT ok(count(*) > 20, 'there are subjects with more items than history') FROM (
	SELECT s FROM plays GROUP BY s HAVING count(DISTINCT i) > 15) x;

-- Answers of recommend() for all subjects that are not those of the sum.  What a subject has is left out, even
-- what is too old to count.
CREATE FUNCTION differences(half_life interval, seen boolean, among int[], exclude int[]) RETURNS bigint LANGUAGE sql AS $$
	WITH expected AS (
		SELECT h.s, l.j AS item,
			sum(w * l.score * coalesce(2 ^ -(extract(epoch FROM newest - at) / extract(epoch FROM half_life))::float8, 1)) AS score
		FROM histories h JOIN lists l USING (i)
		WHERE (seen OR NOT EXISTS (SELECT FROM plays o WHERE o.s = h.s AND o.i = l.j))
			AND (among IS NULL OR l.j = ANY (among)) AND l.j <> ALL (coalesce(exclude, '{}'))
		GROUP BY h.s, l.j),
	actual AS (
		SELECT x.s, r.item, r.score FROM (SELECT DISTINCT s FROM plays) x,
			recommend('plays', x.s, NULL::int, k => 1000, seen => seen, half_life => half_life, among => among, exclude => exclude) r
		WHERE r.reason = 'similar')
	SELECT CASE WHEN count(*) < 500 THEN -1 ELSE
		count(*) FILTER (WHERE a.score IS NULL OR e.score IS NULL OR abs(a.score - e.score) > 1e-9 * e.score) END
	FROM expected e FULL JOIN actual a USING (s, item) $$;

SELECT is(differences(NULL, false, NULL, NULL), 0::bigint, 'recommend() is the weighted sum');
SELECT is(differences('3 days', false, NULL, NULL), 0::bigint, 'recommend() with half_life');
SELECT is(differences(NULL, true, NULL, '{0,1,2,3}'), 0::bigint, 'recommend() with seen and exclude');
SELECT is(differences('1 week', false, '{1,3,5,7,9,11,13,15,17,19,21,23,25,27,29}', '{7,9}'), 0::bigint,
	'recommend() with among and exclude');
SELECT is(differences(NULL, true, '{1,3,5,7,9,11,13,15,17,19,21,23,25,27,29}', NULL), 0::bigint, 'recommend() with seen and among');

SELECT * FROM finish();
ROLLBACK;
