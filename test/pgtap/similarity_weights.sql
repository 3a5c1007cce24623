-- Interactions that weigh by strength and age in training, against the formula in SQL.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(18);

CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

-- subjects without any time, and interactions without one
CREATE TABLE plays AS
SELECT x, draw(1, x, 150) * (draw(2, x, 150) + 1) / 150 AS s, draw(3, x, 80) * (draw(4, x, 80) + 1) / 80 AS i,
	CASE WHEN draw(5, x, 20) > 0 AND draw(1, x, 150) % 17 > 0
		THEN timestamptz '2024-01-01' + draw(6, x, 50000) * interval '20 minutes' END AS at,
	(1 + draw(7, x, 5))::float8 / 2 AS n
FROM generate_series(1, 4000) x;

CREATE FUNCTION weight(scale text, strength float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE scale WHEN 'log' THEN ln(1 + strength) / ln(2::float8) WHEN 'raw' THEN strength ELSE 1 END $$;

-- what is left of a weight after the time from at to newest, half-lives being given in days
CREATE FUNCTION decay(newest timestamptz, at timestamptz, days float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN days IS NULL OR newest IS NULL THEN 1 WHEN at IS NULL THEN 0
	ELSE 2 ^ -(extract(epoch FROM newest - at)::float8 / 86400 / days) END $$;

CREATE FUNCTION expected_pairs(scale text, days float8, OUT i int, OUT j int, OUT score float8)
RETURNS SETOF record LANGUAGE sql AS $$
	WITH h AS (SELECT s, i, weight(scale, sum(n)) AS w, max(at) AS at FROM plays GROUP BY s, i),
		u AS (SELECT s, count(*)::float8 AS d, max(at) AS newest, max(w) AS strongest FROM h GROUP BY s),
		p AS (SELECT s, i, w / strongest * decay(newest, at, days * 2) AS w FROM h JOIN u USING (s)),
		f AS (SELECT s, d ^ -0.5 * decay((SELECT max(at) FROM plays), newest, days) AS f FROM u),
		d AS (SELECT i, count(*)::float8 AS d FROM h GROUP BY i),
		c AS (SELECT a.i, b.i AS j, sum(f * a.w * b.w) AS c FROM p a JOIN p b USING (s) JOIN f USING (s)
			WHERE a.i <> b.i GROUP BY 1, 2),
		raw AS (SELECT c.i, c.j, (c / d.d ^ 0.35) ^ 1.3 AS raw FROM c JOIN d ON d.i = c.j)
	SELECT i, j, raw / sum(raw) OVER (PARTITION BY i) FROM raw $$;

CREATE FUNCTION check_weights(name text, options text, scale text, days float8) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	n bigint; wrong bigint; plain bigint;
BEGIN
	EXECUTE 'CREATE INDEX plays_similarity ON plays USING similarity (s, i) INCLUDE (at, n) WITH (neighbors = 500,
		method = cooccurrence, subject_exponent = 0.5, popularity_exponent = 0.35, sharpness = 1.3, low_pass = 0, ' || options || ')';
	SELECT count(*),
		count(*) FILTER (WHERE (e.score > 1e-9 AND a.score IS NULL) OR e.score IS NULL OR abs(a.score - e.score) > 1e-6 * e.score + 1e-12),
		count(*) FILTER (WHERE abs(p.score - a.score) > 1e-3 * p.score)
	INTO n, wrong, plain
	FROM (SELECT x.i, l.item AS j, l.score
			FROM (SELECT DISTINCT i FROM plays) x, similar_items('plays', x.i, item_type => NULL::int, k => 1000) l) a
		FULL JOIN expected_pairs(scale, days) e USING (i, j)
		FULL JOIN expected_pairs('none', NULL) p USING (i, j);
	DROP INDEX plays_similarity;
	RETURN NEXT ok(n > 3000 AND wrong = 0, format('%s: %s of %s scores are not the formula''s', name, wrong, n));
	RETURN NEXT ok(plain > n / 2 OR (scale = 'none' AND days IS NULL), format('%s: %s differ from those without weights', name, plain));
END $$;

SELECT check_weights('no weights', 'training_strength = off', 'none', NULL);
SELECT check_weights('strengths that do not count', 'training_strength = on, strength_scale = none', 'none', NULL);
SELECT check_weights('logarithms', 'training_strength = on', 'log', NULL);
SELECT check_weights('raw', 'training_strength = on, strength_scale = raw', 'raw', NULL);
SELECT check_weights('half-life', 'training_half_life = ''90 days''', 'none', 90);
SELECT check_weights('both', 'training_half_life = ''120 days'', training_strength = on', 'log', 120);

-- built = grown, in another order
CREATE TABLE grown (LIKE plays);
CREATE INDEX ON grown USING similarity (s, i) INCLUDE (at, n) WITH (training_strength = on, training_half_life = '1 month');
INSERT INTO grown SELECT * FROM plays ORDER BY draw(9, x, 1000000);
SELECT retrain('grown');
CREATE INDEX ON plays USING similarity (s, i) INCLUDE (at, n) WITH (training_strength = on, training_half_life = '1 month');
SELECT is((SELECT count(*) FROM (
		SELECT i, l.* FROM generate_series(0, 79) i, similar_items('grown', i, k => 1000) l
		EXCEPT SELECT i, l.* FROM generate_series(0, 79) i, similar_items('plays', i, k => 1000) l) x), 0::bigint,
	'the order of rows does not matter');

-- in scoring
DROP INDEX plays_s_i_at_n_idx;
CREATE INDEX plays_similarity ON plays USING similarity (s, i) INCLUDE (n) WITH (strength_scale = raw);
CREATE TEMP TABLE lists AS
SELECT x.i, l.item AS j, l.score FROM (SELECT DISTINCT i FROM plays) x, similar_items('plays', x.i, item_type => NULL::int, k => 1000) l;
CREATE FUNCTION wrong_scores(scale text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FILTER (WHERE abs(e.score - r.score) > 1e-9 * e.score) + 1000 * (count(*) < 100)::int
	FROM (SELECT h.s, l.j AS item, sum(weight(scale, h.n) * l.score) AS score
			FROM (SELECT s, i, sum(n) AS n FROM plays GROUP BY s, i) h JOIN lists l USING (i) GROUP BY 1, 2) e
		JOIN (SELECT x.s, r.item, r.score FROM (SELECT DISTINCT s FROM plays) x, recommend('plays', x.s, NULL::int, k => 5) r
			WHERE reason = 'similar') r USING (s, item) $$;
SELECT is(wrong_scores('raw'), 0::bigint, 'raw strengths in scoring');
ALTER INDEX plays_similarity SET (strength_scale = none);
SELECT is(wrong_scores('none'), 0::bigint, 'no strengths in scoring, at once');
ALTER INDEX plays_similarity RESET (strength_scale);
SELECT is(wrong_scores('log'), 0::bigint, 'logarithms in scoring');

-- what tune() leaves open is the formula, not what an interaction weighs
CREATE TABLE many AS
SELECT draw(1, x, 400) AS s, draw(2, x, 40) * (draw(3, x, 40) + 1) / 40 * 12 + draw(1, x, 400) % 12 AS i, (1 + draw(7, x, 50))::float8 AS n
FROM generate_series(1, 12000) x;
CREATE INDEX ON many USING similarity (s, i) INCLUDE (n) WITH (tuning_budget = 0, training_strength = on, strength_scale = raw);
CREATE TEMP TABLE tuned AS SELECT candidate, parameters, ndcg FROM tune('many', budget => 60);
SELECT cmp_ok((SELECT count(*) FROM tuned), '>', 10::bigint, 'candidates');
SELECT is((SELECT count(*) FROM (TABLE tuned EXCEPT SELECT candidate, parameters, ndcg FROM tune('many', budget => 60, anew => true)) x), 0::bigint,
	'anew keeps strengths');

SELECT * FROM finish();
ROLLBACK;
