-- recommend_session() and similar_subjects() against their formulas in SQL, on random tables full of ties.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(46);

-- the same numbers from 0 up to n on every machine and every time
CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

-- the order of hashes, which are unsigned
CREATE FUNCTION hash_order(s int) RETURNS numeric LANGUAGE sql IMMUTABLE AS
$$ SELECT hashint4extended(s, 0)::numeric + CASE WHEN hashint4extended(s, 0) < 0 THEN 18446744073709551616 ELSE 0 END $$;

CREATE TABLE clicks (s int, i int, at timestamptz);
CREATE TABLE trained (s int, i int);

-- Few moments for many clicks, sessions that last, items that come back, some clicks without a time.
CREATE FUNCTION fill(seed bigint, sessions int, items int, rows int, moments int) RETURNS void LANGUAGE sql AS $$
	TRUNCATE clicks;
	INSERT INTO clicks
	SELECT s, draw(seed + 2, x, items) * (draw(seed + 3, x, items) + 1) / items,
		CASE WHEN draw(seed + 4, x, 50) > 0
			THEN timestamptz '2024-01-01' + (s * moments / sessions + draw(seed + 5, x, 4)) * interval '1 minute' END
	FROM (SELECT x, draw(seed + 1, x, sessions) AS s FROM generate_series(1, rows) x) x $$;

-- Go back through the clicks on items of the session until m sessions are met; of those, the n most similar.
CREATE FUNCTION neighbors_of(session int[], m int, n int, OUT s int, OUT similarity float8, OUT match int, OUT shared int[])
RETURNS SETOF record LANGUAGE sql AS $$
	WITH given AS (SELECT i, cardinality(session) + 1 - max(place) AS p, cardinality(session) AS length
			FROM unnest(session) WITH ORDINALITY u (i, place) GROUP BY i),
		rows AS (SELECT c.s, c.i, p, length, coalesce(at, '-infinity') AS at FROM clicks c JOIN given USING (i)),
		met AS (SELECT rows.s, max(at) AS at FROM rows GROUP BY 1 ORDER BY 2 DESC, hash_order(rows.s) LIMIT m),
		hits AS (SELECT DISTINCT r.s, met.at, p, length FROM rows r JOIN met USING (s)
			WHERE r.at >= (SELECT CASE WHEN count(*) = m THEN min(at) ELSE '-infinity' END FROM met))
	SELECT s, sum(length - p + 1)::float8 / max(length), min(p)::int, array_agg(p::int) FROM hits
	GROUP BY s, at ORDER BY 2 DESC, at DESC, hash_order(s) LIMIT n $$;

CREATE FUNCTION scores_of(session int[], m int, n int, OUT i int, OUT score float8, OUT reasons int[])
RETURNS SETOF record LANGUAGE sql AS $$
	WITH h AS (SELECT t.i, count(DISTINCT t.s) AS h FROM trained t GROUP BY 1),
		idf AS (SELECT c.i, ln((SELECT count(DISTINCT t.s) FROM trained t)::float8 / coalesce(h, 1)) AS idf
			FROM (SELECT DISTINCT c.i FROM clicks c) c LEFT JOIN h USING (i)),
		near AS (SELECT *, greatest(0, 1 - 0.1 * match) AS weight FROM neighbors_of(session, m, n)),
		given AS (SELECT i, cardinality(session) + 1 - max(place) AS p, cardinality(session) AS length
			FROM unnest(session) WITH ORDINALITY u (i, place) GROUP BY i),
		items AS (SELECT DISTINCT s, c.i FROM clicks c),
		total AS (SELECT items.i, sum(weight * similarity * idf) AS score FROM near JOIN items USING (s) JOIN idf USING (i) GROUP BY 1),
		part AS (SELECT items.i, g.i AS given, sum(weight * (length - p + 1)::float8 / length) AS part
			FROM near JOIN items USING (s) JOIN given g ON g.p = ANY (shared) GROUP BY 1, 2)
	SELECT t.i, t.score, (SELECT array_agg(given) FROM part WHERE part.i = t.i
		AND part > 0.999999999 * (SELECT max(part) FROM part x WHERE x.i = t.i))
	FROM total t WHERE score > 1e-12 $$;

-- Answers that are not as the formula says, over random sessions of up to 13 items, two of them unknown.
CREATE FUNCTION differences(seed bigint, m int, n int, seen boolean DEFAULT true, among int[] DEFAULT NULL, exclude int[] DEFAULT NULL)
RETURNS bigint LANGUAGE sql AS $$
	WITH sessions AS (SELECT x, ARRAY(SELECT draw(seed + y, x, 42) * (draw(seed + y + 50, x, 42) + 1) / 42 FROM generate_series(0, draw(seed, x, 13)) y) AS session
			FROM generate_series(1, 25) x),
		expected AS (SELECT x, e.*, row_number() OVER (PARTITION BY x ORDER BY score DESC) AS place
			FROM sessions, scores_of(session, m, n) e
			WHERE (seen OR i <> ALL (session)) AND (among IS NULL OR i = ANY (among)) AND i <> ALL (coalesce(exclude, '{}'))),
		actual AS (SELECT x, r.item AS i, r.score, r.because
			FROM sessions, recommend_session('clicks', session, NULL::int, k => 1000, seen => seen, among => among,
				exclude => exclude, recent_sessions => m, neighbors => n) r
			WHERE reason = 'similar')
	SELECT CASE WHEN count(*) < 100 THEN -1 ELSE count(*) FILTER (WHERE e.score IS NULL OR a.score IS NULL
		OR abs(a.score - e.score) > 1e-9 * e.score OR a.because <> ALL (e.reasons)) END
	FROM expected e FULL JOIN actual a USING (x, i) $$;

CREATE FUNCTION check_sessions(name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT is(differences(1, 500, 100), 0::bigint, name || ': defaults');
	RETURN NEXT is(differences(2, 30, 10), 0::bigint, name || ': 10 of 30');
	RETURN NEXT is(differences(3, 7, 7), 0::bigint, name || ': 7 of 7');
	RETURN NEXT is(differences(4, 60, 1), 0::bigint, name || ': one neighbour');
	RETURN NEXT is(differences(5, 100000, 100000), 0::bigint, name || ': all');
	RETURN NEXT is(differences(6, 40, 20, seen => false, exclude => '{0,1}'), 0::bigint, name || ': without seen and excluded');
	RETURN NEXT is(differences(7, 40, 20, among => ARRAY(SELECT generate_series(3, 40, 3))), 0::bigint, name || ': among');
END $$;

SELECT fill(1, 300, 40, 1500, 60);
CREATE INDEX clicks_similarity ON clicks USING similarity (s, i) INCLUDE (at) WITH (postings = on);
INSERT INTO trained SELECT s, i FROM clicks;
SELECT check_sessions('built');

-- rows that came later, out of order, and some that are gone
INSERT INTO clicks SELECT 250 + draw(21, x, 100), draw(22, x, 45),
	timestamptz '2024-01-01' + draw(23, x, 70) * interval '1 minute' FROM generate_series(1, 900) x;
DELETE FROM clicks WHERE s % 7 = 3;
UPDATE clicks SET i = i + 1 WHERE s % 11 = 4;
SAVEPOINT undone;
INSERT INTO clicks SELECT x, x % 40, '2025-01-01' FROM generate_series(1, 200) x;
ROLLBACK TO undone;
SELECT check_sessions('with rows inserted, deleted, updated, rolled back');

TRUNCATE trained;
INSERT INTO trained SELECT s, i FROM clicks;
SELECT retrain('clicks');
-- rows that the transaction has deleted are still trained on
SELECT isnt(differences(1, 500, 100), 0::bigint, 'the counts of a training are of all rows in the index');
DROP INDEX clicks_similarity;

-- a chain that is in any order but that of time, and batches
SELECT fill(100, 2500, 30, 7500, 2000);
CREATE TABLE shuffled AS SELECT * FROM clicks ORDER BY hashint4extended(s, 9), i;
TRUNCATE clicks, trained;
INSERT INTO clicks SELECT * FROM shuffled WHERE s % 3 > 0;
CREATE INDEX clicks_similarity ON clicks USING similarity (s, i) INCLUDE (at) WITH (postings = on);
INSERT INTO trained SELECT s, i FROM clicks;
INSERT INTO clicks SELECT * FROM shuffled WHERE s % 3 = 0;
SELECT check_sessions('in any order');

-- a model is not needed
SELECT fill(5, 200, 30, 800, 40);
SELECT ok(count(*) > 100 AND bool_and(n > 0), 'TRUNCATE leaves the index untrained, and sessions are found without a model')
FROM generate_series(0, 200) x, LATERAL (SELECT count(*) AS n FROM recommend_session('clicks', ARRAY[x % 25], seen => true) WHERE reason = 'similar') r;

-- ---- similar_subjects() ----

CREATE FUNCTION subject_differences(k int) RETURNS bigint LANGUAGE sql AS $$
	WITH p AS (SELECT DISTINCT s, i FROM clicks),
		d AS (SELECT s, count(*) AS d FROM p GROUP BY 1),
		pairs AS (SELECT a.s, b.s AS other, count(*) AS shared FROM p a JOIN p b USING (i) WHERE a.s <> b.s GROUP BY 1, 2),
		expected AS (SELECT * FROM (
			SELECT s, other, score, shared, row_number() OVER (PARTITION BY s ORDER BY score DESC, other) AS place
			FROM (SELECT pairs.s, other, shared / sqrt(u.d::float8 * v.d) AS score, shared
				FROM pairs JOIN d u ON u.s = pairs.s JOIN d v ON v.s = other) x) x WHERE place <= k),
		actual AS (SELECT x.s, r.subject AS other, r.score, r.shared, r.place
			FROM (SELECT DISTINCT s FROM clicks) x, similar_subjects('clicks', x.s, NULL::int, k) WITH ORDINALITY r (subject, score, shared, place))
	SELECT CASE WHEN count(*) < 300 THEN -1 ELSE count(*) FILTER (WHERE a IS DISTINCT FROM e) END
	FROM expected e FULL JOIN actual a USING (s, place) $$;

CREATE FUNCTION check_subjects(name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT is(subject_differences(1), 0::bigint, name || ': the nearest subject');
	RETURN NEXT is(subject_differences(10), 0::bigint, name || ': the ten nearest');
	RETURN NEXT is(subject_differences(100000), 0::bigint, name || ': all');
END $$;

SELECT fill(31, 350, 80, 2500, 60);
SELECT check_subjects('by the postings of items, grown');
DELETE FROM clicks WHERE s % 13 = 5 OR i % 17 = 2;
SELECT check_subjects('with rows deleted');
REINDEX INDEX clicks_similarity;
SELECT check_subjects('built');
ALTER INDEX clicks_similarity SET (postings = off);
SELECT check_subjects('switched off, but not yet rebuilt');
SELECT is(differences(11, 500, 100) >= 0, true, '... which recommend_session() goes on with');
REINDEX INDEX clicks_similarity;
SELECT check_subjects('by the items of all subjects');
DROP INDEX clicks_similarity;
CREATE INDEX clicks_similarity ON clicks USING similarity (s, i) WITH (postings = on);
SELECT check_subjects('without times');
SELECT is((SELECT count(*) FROM similar_subjects('clicks', 1, 1000) a FULL JOIN similar_subjects('clicks', 1, subject_type => NULL::int, k => 1000) b
	ON a.subject = b.subject::text AND a.score = b.score AND a.shared = b.shared WHERE a.subject IS NULL OR b.subject IS NULL),
	0::bigint, 'the text form agrees with the typed form');
SELECT is_empty($$SELECT * FROM similar_subjects('clicks', NULL::int)$$, 'nobody is like NULL');
SELECT is_empty($$SELECT * FROM similar_subjects('clicks', -1)$$, 'nobody is like an unknown subject');

-- a long session of rare items takes memory as its rows do; where the system tells how much that was
CREATE FUNCTION peak() RETURNS bigint LANGUAGE sql VOLATILE AS
$$ SELECT substring(pg_read_file('/proc/self/status', 0, 100000, true) from 'VmPeak:\s*(\d+)')::bigint $$;
CREATE TABLE rare (s int, i int, at timestamptz);
INSERT INTO rare SELECT n, n, '2024-01-01' FROM generate_series(1, 20000) n;
CREATE INDEX ON rare USING similarity (s, i) INCLUDE (at) WITH (postings = on, method = cooccurrence, tuning_budget = 0);
CREATE TABLE peaks AS SELECT peak() AS before;
SELECT count(*) FROM recommend_session('rare', ARRAY(SELECT generate_series(1, 20000)));
SELECT cmp_ok(coalesce((SELECT peak() - before FROM peaks), 0), '<', 150000::bigint, 'memory of a long session, in kB');

SELECT * FROM finish();
ROLLBACK;
