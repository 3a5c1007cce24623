-- trending() against plain SQL.  As long as the last training saw at most 16,384 interactions, and few came since,
-- every one is kept; of more, the index keeps sums.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

SELECT plan(21);

CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

CREATE TABLE plays (s int, i int, at timestamptz);
CREATE TABLE timeless (s int, i int);
CREATE TABLE dated (s int, i int, at date);
CREATE FUNCTION fill(seed bigint, rows int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO plays
	SELECT draw(seed, x, 500), draw(seed + 1, x, 90) * (draw(seed + 2, x, 90) + 1) / 90,
		CASE WHEN x % 50 = 0 THEN NULL WHEN x % 51 = 0 THEN 'infinity'
			ELSE timestamptz '2024-06-01' - draw(seed + 3, x, 5000) * interval '31 minutes' END
	FROM generate_series(1, rows) x $$;

-- times that cannot be counted, and later ones, do not count
CREATE FUNCTION expected(half_life interval, as_of timestamptz, OUT item int, OUT score float8, OUT recent float8, OUT before float8)
RETURNS SETOF record LANGUAGE sql AS $$
	SELECT i, sum(CASE WHEN age < 1000 THEN 2 ^ -age ELSE 0 END), count(*) FILTER (WHERE age < 1), count(*) FILTER (WHERE age >= 1 AND age < 2)
	FROM (SELECT i, (extract(epoch FROM as_of - at) / extract(epoch FROM half_life))::float8 AS age FROM plays
		WHERE at <= as_of AND isfinite(at)) x
	GROUP BY i $$;
CREATE FUNCTION differences(half_life interval, as_of timestamptz, tolerance float8 DEFAULT 1e-9) RETURNS bigint LANGUAGE sql AS $$
	SELECT CASE WHEN count(*) < 30 THEN -1 ELSE count(*) FILTER (WHERE (abs(e.score - t.score) <= tolerance * e.score + 1e-290
		AND (e.recent, e.before) = (t.recent, t.before)) IS NOT TRUE) END
	FROM expected(half_life, as_of) e
		FULL JOIN trending('plays', NULL::int, k => 1000, half_life => half_life, as_of => as_of) t USING (item) $$;

SELECT fill(1, 9000);
CREATE INDEX ON plays USING similarity (s, i) INCLUDE (at);
SELECT is(differences('7 days', '2024-06-02'), 0::bigint, 'after the build');
SELECT is(differences('2 hours', '2024-06-01'), 0::bigint, '... with a short half-life');
SELECT is(differences('36500 days', '2024-06-01'), 0::bigint, '... with a long one');
SELECT is(differences('3 days', '2024-04-10 15:30'), 0::bigint, '... looking back');
SELECT is(count(*), 1::bigint, '... half_life is 7 days by default') FROM (
	SELECT array_agg(t) FROM trending('plays', as_of => '2024-06-02') t
	UNION SELECT array_agg(t) FROM trending('plays', half_life => '7 days', as_of => '2024-06-02') t) x;
SELECT fill(100, 1500);
SELECT is(differences('7 days', '2024-06-02'), 0::bigint, 'after inserts');
SELECT is(differences('3 hours', '2024-05-20'), 0::bigint, '... looking back');
SELECT retrain('plays');
SELECT is(differences('7 days', '2024-06-02'), 0::bigint, 'after retrain()');
SELECT fill(200, 1500);
SELECT is(differences('7 days', '2024-06-02'), 0::bigint, 'inserts after retrain()');
SELECT is(differences('3 hours', '2024-05-20'), 0::bigint, '... looking back');

SELECT results_eq($$SELECT item, round(score::numeric, 9) FROM trending('plays', item_type => NULL::int, k => 10, as_of => '2024-06-02')$$,
	$$SELECT item, round(score::numeric, 9) FROM expected('7 days', '2024-06-02') ORDER BY score DESC, item LIMIT 10$$, 'the order, and k');

-- an index that grew from nothing and was never trained
CREATE TABLE copy AS TABLE plays;
TRUNCATE plays;
INSERT INTO plays TABLE copy ORDER BY s, i LIMIT 2000;
SELECT is(differences('7 days', '2024-06-02'), 0::bigint, 'untrained');

-- dates
INSERT INTO dated SELECT s, i, CASE WHEN isfinite(at) THEN at::date END FROM copy;
CREATE INDEX ON dated USING similarity (s, i) INCLUDE (at);
SELECT results_eq($$SELECT item, recent, before FROM trending('dated', item_type => NULL::int, k => 1000, half_life => '5 days', as_of => '2024-05-31') ORDER BY 1$$,
	$$SELECT i, count(*) FILTER (WHERE at > '2024-05-26')::float8, count(*) FILTER (WHERE at > '2024-05-21' AND at <= '2024-05-26')::float8
		FROM dated WHERE at <= '2024-05-31' GROUP BY i ORDER BY 1$$, 'dates');

-- without times: how many
INSERT INTO timeless SELECT s, i FROM copy;
CREATE INDEX ON timeless USING similarity (s, i);
CREATE VIEW counted AS SELECT i, count(*)::float8 AS score, count(*)::float8 AS recent, NULL::float8 AS before FROM timeless GROUP BY i;
SELECT results_eq($$SELECT * FROM trending('timeless', item_type => NULL::int, k => 1000)$$,
	'SELECT * FROM counted ORDER BY score DESC, i', 'without times');
INSERT INTO timeless SELECT x % 100, 77 FROM generate_series(1, 1000) x;
INSERT INTO timeless SELECT x % 100, 500 + x % 3 FROM generate_series(1, 1000) x;
SELECT results_eq($$SELECT * FROM trending('timeless', item_type => NULL::int, k => 1000)$$,
	'SELECT * FROM counted ORDER BY score DESC, i', '... after inserts');

-- More than are kept one by one: sums are exact where nothing depends on age, and near where it does.
INSERT INTO timeless SELECT s, i FROM copy, generate_series(1, 2);
SELECT retrain('timeless');
SELECT results_eq($$SELECT * FROM trending('timeless', item_type => NULL::int, k => 1000)$$,
	'SELECT * FROM counted ORDER BY score DESC, i', 'many without times');
TRUNCATE plays;
SELECT fill(300, 40000);
SELECT ok(count(*) > 20 AND bool_and(t.score BETWEEN 0.6 * e.score AND 1.6 * e.score), 'untrained and many: a sample, about right: ' || count(*) || ' items from ' || min(t.score / e.score) || ' to ' || max(t.score / e.score))
FROM expected('30 days', '2024-06-02') e
	LEFT JOIN trending('plays', NULL::int, k => 1000, half_life => '30 days', as_of => '2024-06-02') t USING (item)
WHERE e.recent > 100;
SELECT retrain('plays');
SELECT ok(count(*) > 80 AND max(abs(t.score - e.score) / (e.score + 1)) < 0.005, 'trained on many: within 0.5 % of what counts')
FROM expected('7 days', '2024-06-02') e
	LEFT JOIN trending('plays', NULL::int, k => 1000, as_of => '2024-06-02') t USING (item);
SELECT fill(400, 400);
SELECT ok(count(*) > 80 AND max(abs(t.score - e.score) / (e.score + 1)) < 0.005, '... after inserts')
FROM expected('7 days', '2024-06-02') e
	LEFT JOIN trending('plays', NULL::int, k => 1000, as_of => '2024-06-02') t USING (item);
SELECT cmp_ok(differences('7 days', '2024-06-02'), '>', 0::bigint, '... but not exact: this test would see a difference');

-- times on both sides of the training, as of bookings: windows of whole days are right
CREATE TABLE ahead AS
SELECT x % 997 AS s, x % 50 AS i, now() + ((x % 2001) - 1000) * interval '1 hour' AS at FROM generate_series(1, 40000) x;
CREATE INDEX ON ahead USING similarity (s, i) INCLUDE (at);
SELECT ok(bool_and(abs(t.recent / e.recent - 1) < 0.02 AND abs(t.score / e.score - 1) < 0.05), 'past and future')
FROM unnest('{-300,-100,0,50,300,510}'::int[]) AS h,
	LATERAL (SELECT sum(score) AS score, sum(recent) AS recent
		FROM trending('ahead', item_type => NULL::int, k => 50, as_of => now() + h * interval '1 hour')) t,
	LATERAL (SELECT sum(2 ^ (-age / 168)) AS score, count(*) FILTER (WHERE age < 168) AS recent
		FROM (SELECT h - extract(epoch FROM at - now())::float8 / 3600 AS age FROM ahead) a WHERE age >= 0) e;

SELECT * FROM finish();
ROLLBACK;
