-- The methods of training against their formulas, in SQL and PL/pgSQL, on small random tables.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(35);

CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

CREATE TABLE plays (s int, i int);

-- distinct interactions of subjects, few of whom have many, with items, few of which are popular
CREATE FUNCTION fill(seed bigint, subjects int, items int, rows int) RETURNS void LANGUAGE sql AS $$
	TRUNCATE plays;
	INSERT INTO plays
	SELECT DISTINCT draw(seed, x, subjects) * (draw(seed + 1, x, subjects) + 1) / subjects,
		draw(seed + 2, x, items) * (draw(seed + 3, x, items) + 1) / items
	FROM generate_series(1, rows) x $$;

CREATE FUNCTION pairs(g float8, OUT i int, OUT j int, OUT c float8, OUT support bigint) RETURNS SETOF record LANGUAGE sql AS $$
	WITH u AS (SELECT s, count(*)::float8 AS d FROM plays GROUP BY 1)
	SELECT a.i, b.i, sum(u.d ^ -g), count(*) FROM plays a JOIN plays b USING (s) JOIN u USING (s) GROUP BY 1, 2 $$;
CREATE FUNCTION degrees(OUT i int, OUT d float8) RETURNS SETOF record LANGUAGE sql AS $$
	SELECT i, count(*)::float8 FROM plays GROUP BY 1 $$;

-- normalised co-occurrence
CREATE FUNCTION cooccurrence(g float8, q float8, sharp float8, k int, min_support int, OUT i int, OUT j int, OUT v float8)
RETURNS SETOF record LANGUAGE sql AS $$
	SELECT i, j, raw / sum(raw) OVER (PARTITION BY i) FROM (
		SELECT p.i, p.j, (c / d ^ q) ^ sharp AS raw, row_number() OVER (PARTITION BY p.i ORDER BY c / d ^ q DESC) AS place
		FROM pairs(g) p JOIN degrees() d ON d.i = p.j WHERE p.i <> p.j AND support >= min_support) x
	WHERE place <= k $$;

-- What is in the index.
CREATE FUNCTION lists(OUT i int, OUT j int, OUT v float8, OUT support bigint, OUT place bigint) RETURNS SETOF record LANGUAGE sql AS $$
	SELECT x.i, l.item, l.score, l.support, row_number() OVER (PARTITION BY x.i ORDER BY l.score DESC)
	FROM (SELECT DISTINCT i FROM plays) x, similar_items('plays', x.i, item_type => NULL::int, k => 1000) l $$;

CREATE TABLE expected (i int, j int, v float8);

-- The index made with these options has the K highest values of each row of expected, of which positive ones are returned.
CREATE FUNCTION check_lists(name text, options text, k int, min_support int, tolerance float8) RETURNS SETOF text
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE INDEX plays_similarity ON plays USING similarity (s, i) WITH (neighbors = %s, min_support = %s, tuning_budget = 0, %s)',
		k, min_support, options);
	CREATE TEMP TABLE actual ON COMMIT DROP AS SELECT * FROM lists();
	CREATE TEMP TABLE wanted ON COMMIT DROP AS
		SELECT e.*, coalesce(p.support, 0) AS support, row_number() OVER (PARTITION BY i ORDER BY v DESC) AS place,
			max(abs(v)) OVER (PARTITION BY i) AS largest
		FROM expected e LEFT JOIN pairs(0) p USING (i, j)
		WHERE i <> j AND (min_support = 1 OR p.support >= min_support);
	RETURN NEXT ok(count(*) > 300, format('%s: %s neighbours, %s of them negative, %s never seen together', name, count(*),
		count(*) FILTER (WHERE v < 0), count(*) FILTER (WHERE support = 0))) FROM actual;
	RETURN NEXT is(count(*) FILTER (WHERE a.v IS NULL OR w.v IS NULL OR abs(a.v - w.v) > tolerance * w.largest), 0::bigint,
		name || ': value at each place') FROM actual a FULL JOIN (SELECT * FROM wanted WHERE wanted.place <= k AND wanted.v > 0) w USING (i, place);
	RETURN NEXT is(count(*) FILTER (WHERE w.v IS NULL OR abs(a.v - w.v) > tolerance * w.largest OR a.support <> w.support),
		0::bigint, name || ': value and support of each neighbour') FROM actual a LEFT JOIN wanted w USING (i, j);
	DROP TABLE actual, wanted;
	DROP INDEX plays_similarity;
	TRUNCATE expected;
END $$;

-- ---- sharpened: W = S - beta S B ----

CREATE FUNCTION expect_sharpened(g float8, q float8, sharp float8, k int, q2 float8, sharp2 float8, k2 int, beta float8, min_support int)
RETURNS void LANGUAGE sql AS $$
	INSERT INTO expected
	WITH s AS MATERIALIZED (SELECT * FROM cooccurrence(g, q, sharp, k, min_support)),
		b AS MATERIALIZED (SELECT * FROM cooccurrence(g, q2, sharp2, k2, min_support))
	SELECT i, j, sum(v) FROM (
		SELECT * FROM s UNION ALL SELECT s.i, b.j, -beta * s.v * b.v FROM s JOIN b ON b.i = s.j) x
	GROUP BY 1, 2 HAVING sum(v) <> 0 $$;

SELECT fill(1, 200, 60, 2500);
SELECT expect_sharpened(.5, .3, 1.6, 30, .5, 1.6, 12, .6, 1);
SELECT check_lists('sharpened', 'method = sharpened, subject_exponent = 0.5, popularity_exponent = 0.3, sharpness = 1.6,
	two_step_popularity_exponent = 0.5, two_step_sharpness = 1.6, two_step_neighbors = 12, two_step_weight = 0.6', 30, 1, 2e-7);
SELECT fill(10, 150, 80, 900);
SELECT expect_sharpened(.75, .5, 1, 500, .2, 2.2, 500, 2, 1);
SELECT check_lists('sharpened, all pairs', 'method = sharpened, subject_exponent = 0.75, popularity_exponent = 0.5, sharpness = 1,
	two_step_popularity_exponent = 0.2, two_step_sharpness = 2.2, two_step_neighbors = 500, two_step_weight = 2', 500, 1, 5e-7);
SELECT expect_sharpened(.5, .35, 1.3, 500, .5, 1.6, 500, .6, 3);
SELECT check_lists('sharpened, support of 3', 'method = sharpened, subject_exponent = 0.5, popularity_exponent = 0.35, sharpness = 1.3,
	two_step_popularity_exponent = 0.5, two_step_sharpness = 1.6, two_step_neighbors = 500, two_step_weight = 0.6', 500, 3, 5e-7);

-- without a weight it is co-occurrence
SELECT expect_sharpened(.5, .35, 1.3, 500, .5, 1.6, 50, 0, 1);
SELECT check_lists('sharpened by nothing', 'method = sharpened, subject_exponent = 0.5, popularity_exponent = 0.35, sharpness = 1.3,
	two_step_weight = 0', 500, 1, 1.2e-7);

-- ---- ridge: a regression for each target, by Gauss's elimination ----

CREATE FUNCTION solve(matrix float8[], rhs float8[]) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE
	n int := cardinality(rhs);
	x float8[] := array_fill(0::float8, ARRAY[n]);
	factor float8;
BEGIN
	FOR p IN 1 .. n LOOP
		FOR r IN p + 1 .. n LOOP
			factor := matrix[r][p] / matrix[p][p];
			CONTINUE WHEN factor = 0;
			FOR c IN p .. n LOOP
				matrix[r][c] := matrix[r][c] - factor * matrix[p][c];
			END LOOP;
			rhs[r] := rhs[r] - factor * rhs[p];
		END LOOP;
	END LOOP;
	FOR p IN REVERSE n .. 1 LOOP
		x[p] := rhs[p];
		FOR c IN p + 1 .. n LOOP
			x[p] := x[p] - matrix[p][c] * x[c];
		END LOOP;
		x[p] := x[p] / matrix[p][p];
	END LOOP;
	RETURN x;
END $$;

CREATE FUNCTION expect_ridge(g float8, m int, penalty float8, q float8, sharp float8, min_support int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	target record; sources int[]; matrix float8[]; rhs float8[];
BEGIN
	CREATE TEMP TABLE normal ON COMMIT DROP AS
		SELECT p.i, p.j, c / sqrt(a.d * b.d) AS v FROM pairs(g) p JOIN degrees() a ON a.i = p.i JOIN degrees() b ON b.i = p.j
		WHERE support >= min_support OR p.i = p.j;
	CREATE TEMP TABLE coefficients (i int, j int, b float8) ON COMMIT DROP;
	FOR target IN SELECT * FROM degrees() LOOP
		SELECT array_agg(i ORDER BY v DESC, i), array_agg(v ORDER BY v DESC, i) INTO sources, rhs
		FROM (SELECT i, v FROM normal WHERE j = target.i AND i <> j ORDER BY v DESC, i LIMIT m) x;
		CONTINUE WHEN sources IS NULL;
		SELECT array_agg(line ORDER BY r) INTO matrix FROM (
			SELECT r, array_agg(coalesce(v, 0) + CASE WHEN r = c THEN penalty ELSE 0 END ORDER BY c) AS line
			FROM generate_subscripts(sources, 1) r CROSS JOIN generate_subscripts(sources, 1) c
				LEFT JOIN normal n ON n.i = sources[r] AND n.j = sources[c] GROUP BY r) x;
		INSERT INTO coefficients SELECT i, target.i, b FROM unnest(sources, solve(matrix, rhs)) x (i, b) WHERE b > 0;
	END LOOP;
	INSERT INTO expected
		SELECT i, j, raw / sum(raw) OVER (PARTITION BY i) FROM (
			SELECT c.i, c.j, (b * d ^ (.5 - q)) ^ sharp AS raw FROM coefficients c JOIN degrees() d ON d.i = c.j) x;
	DROP TABLE normal, coefficients;
END $$;

SELECT fill(30, 120, 40, 1200);
SELECT expect_ridge(.5, 12, .3, .2, 1.3, 1);
SELECT check_lists('ridge', 'method = ridge, subject_exponent = 0.5, ridge_sources = 12, ridge_penalty = 0.3,
	popularity_exponent = 0.2, sharpness = 1.3', 500, 1, 1e-6);
SELECT expect_ridge(.25, 500, .1, .5, 1, 1);
SELECT check_lists('ridge of all items', 'method = ridge, subject_exponent = 0.25, ridge_sources = 500, ridge_penalty = 0.1,
	popularity_exponent = 0.5, sharpness = 1', 20, 1, 1e-6);
SELECT fill(40, 100, 50, 900);
SELECT expect_ridge(.5, 500, 1, .3, 1.3, 2);
SELECT check_lists('ridge, support of 2', 'method = ridge, subject_exponent = 0.5, ridge_sources = 500, ridge_penalty = 1,
	popularity_exponent = 0.3, sharpness = 1.3', 500, 2, 1e-6);

-- ---- low-pass ----

/*
 * With all factors and spectrum 2, V sigma^2 V' is A'A: W + alpha r L with L_ij = d_i^-a d_j^c (A'A)_ij and r the ratio of the
 * root mean squares.
 */
CREATE FUNCTION expect_product(base text, gs float8, item float8, source float8, target float8, alpha float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE low ON COMMIT DROP AS
		SELECT x.i, y.i AS j, coalesce(n.c, 0) * (x.d * y.d) ^ -item * x.d ^ -source * y.d ^ target AS v
		FROM degrees() x CROSS JOIN degrees() y LEFT JOIN pairs(gs) n ON n.i = x.i AND n.j = y.i;
	EXECUTE 'CREATE TEMP TABLE base ON COMMIT DROP AS ' || base;
	INSERT INTO expected
		SELECT low.i, low.j, coalesce(base.v, 0) + alpha * low.v * sqrt((SELECT sum(v * v) FROM base) / (SELECT sum(v * v) FROM low))
		FROM low LEFT JOIN base USING (i, j) WHERE low.v <> 0 OR base.v IS NOT NULL;
	DROP TABLE low, base;
END $$;

SELECT fill(50, 200, 50, 1500);
SELECT expect_product('SELECT * FROM cooccurrence(.5, .35, 1.3, 25, 1)', .7, .4, .5, .05, .5);
SELECT check_lists('co-occurrence and low-pass', 'method = cooccurrence, subject_exponent = 0.5, popularity_exponent = 0.35, sharpness = 1.3,
	low_pass = 0.5, low_pass_factors = 256, low_pass_subject_exponent = 0.7, low_pass_item_exponent = 0.4,
	low_pass_source_exponent = 0.5, low_pass_target_exponent = 0.05, low_pass_spectrum = 2', 25, 1, 3e-6);

-- The first factor alone, found by the power method.  There are more items than columns, so that the subspace is iterated,
-- which stops long before the last digit.
CREATE FUNCTION expect_first(base text, gs float8, item float8, alpha float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'CREATE TEMP TABLE base ON COMMIT DROP AS ' || base;
	CREATE TEMP TABLE product ON COMMIT DROP AS
		SELECT n.i, n.j, n.c * (x.d * y.d) ^ -item AS v FROM pairs(gs) n JOIN degrees() x ON x.i = n.i JOIN degrees() y ON y.i = n.j;
	CREATE TEMP TABLE vector ON COMMIT DROP AS SELECT i, 1::float8 AS v FROM degrees();
	FOR step IN 1 .. 25 LOOP
		CREATE TEMP TABLE next ON COMMIT DROP AS
			SELECT i, x / sqrt(sum(x * x) OVER ()) AS v FROM (
				SELECT product.i, sum(product.v * vector.v) AS x FROM product JOIN vector ON vector.i = product.j GROUP BY 1) y;
		DROP TABLE vector;
		ALTER TABLE next RENAME TO vector;
	END LOOP;
	INSERT INTO expected
		SELECT x.i, y.i, coalesce(base.v, 0) + alpha * x.v * y.v * sqrt((SELECT sum(v * v) FROM base))
		FROM vector x CROSS JOIN vector y LEFT JOIN base ON base.i = x.i AND base.j = y.i;
	DROP TABLE vector, base, product;
END $$;

SELECT fill(60, 300, 90, 1500);
SELECT expect_first('SELECT * FROM cooccurrence(.5, .35, 1.3, 500, 1)', .6, .3, 1);
SELECT check_lists('the first factor', 'method = cooccurrence, subject_exponent = 0.5, popularity_exponent = 0.35, sharpness = 1.3,
	low_pass = 1, low_pass_factors = 1, low_pass_subject_exponent = 0.6, low_pass_item_exponent = 0.3,
	low_pass_source_exponent = 0, low_pass_target_exponent = 0, low_pass_spectrum = -2', 500, 1, 5e-3);

-- ---- what support forbids ----

SELECT fill(70, 150, 60, 900);
CREATE FUNCTION least_support(options text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	least bigint;
BEGIN
	EXECUTE format('CREATE INDEX plays_similarity ON plays USING similarity (s, i) WITH (tuning_budget = 0, min_support = 3, %s)', options);
	SELECT min(p.support) INTO least FROM lists() l LEFT JOIN pairs(0) p USING (i, j) WHERE p.support IS NOT DISTINCT FROM l.support;
	IF EXISTS (SELECT FROM lists() l LEFT JOIN pairs(0) p USING (i, j) WHERE p.support IS DISTINCT FROM l.support) THEN
		least := -1;
	END IF;
	DROP INDEX plays_similarity;
	RETURN least;
END $$;
SELECT is(least_support('method = sharpened'), 3::bigint, 'no pair of fewer subjects than min_support: sharpened');
SELECT is(least_support('method = ridge'), 3::bigint, '... ridge');
SELECT is(least_support('method = cooccurrence, low_pass = 1'), 3::bigint, '... low-pass');

-- ---- degenerate tables: every method trains, and every value is a finite number ----

CREATE TABLE odd (s int, i int);
CREATE FUNCTION odd_values(rows text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	method text; part text; answer text := '';
BEGIN
	TRUNCATE odd;
	EXECUTE 'INSERT INTO odd ' || rows;
	FOREACH method IN ARRAY '{cooccurrence,sharpened,ridge}'::text[] LOOP
		FOREACH part IN ARRAY '{low_pass = 0,low_pass = 1}'::text[] LOOP
			EXECUTE format('CREATE INDEX odd_similarity ON odd USING similarity (s, i) WITH (method = %s, %s, low_pass_factors = 1024, '
				'ridge_penalty = 0.000001, neighbors = 500)', method, part);
			SELECT answer || ' ' || count(*) || CASE WHEN bool_or(l.score IN ('NaN', 'Infinity', '-Infinity')) THEN '!' ELSE '' END
			INTO answer FROM (SELECT DISTINCT i FROM odd) x, similar_items('odd', x.i, 1000) l;
			DROP INDEX odd_similarity;
		END LOOP;
	END LOOP;
	RETURN answer;
END $$;
SELECT is(odd_values('VALUES (1, 1)'), ' 0 0 0 0 0 0', 'one subject with one item');
SELECT is(odd_values('SELECT 1, x FROM generate_series(1, 20) x'), ' 380 380 380 380 380 380', 'one subject');
SELECT is(odd_values('SELECT x, 1 FROM generate_series(1, 20) x'), ' 0 0 0 0 0 0', 'one item');
SELECT is(odd_values('SELECT x, y FROM generate_series(1, 9) x, generate_series(1, 7) y'), ' 42 42 42 42 42 42', 'all have all');
SELECT is(odd_values('SELECT x, x FROM generate_series(1, 9) x'), ' 0 0 0 0 0 0', 'nothing occurs with anything');

SELECT * FROM finish();
ROLLBACK;
