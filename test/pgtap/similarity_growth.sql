-- The same rows give the same model, to the last bit, however and in whatever order they came.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(65);

CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

CREATE TABLE rows AS
SELECT x, 's' || draw(1, x, 700) * (draw(2, x, 700) + 1) / 700 AS s, draw(3, x, 200) * (draw(4, x, 200) + 1) / 200 AS i,
	timestamptz '2024-01-01' + draw(5, x, 1000) * interval '1 hour' AS at, (1 + draw(6, x, 9))::real / 4 AS n
FROM generate_series(1, 12000) x;

CREATE TABLE built (s text, i int, at timestamptz, n real);
CREATE TABLE reversed (LIKE built);
CREATE TABLE grown (LIKE built);
CREATE TABLE retrained (LIKE built);

-- small lists and a cut history, so that ties and samples have to be decided; times repeat
CREATE FUNCTION make_index(t regclass, include text, options text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE INDEX %1$s_similarity ON %1$s USING similarity (s, i) %2$s WITH (tuning_budget = 0, neighbors = 15, history = 10%3$s)', t, include, options);
END $$;

-- All the model and all that is answered from it; as a hash, for the bits count.  The floats' own hashes
-- rather than their text: that rounds if extra_float_digits says so.
CREATE FUNCTION model(source regclass) RETURNS TABLE (rows bigint, sum numeric) LANGUAGE sql AS $$
	SELECT count(*), sum(hash_record_extended((x.i, l.item, l.score, l.support, l.ordinality), 7)::numeric)
	FROM (SELECT DISTINCT i FROM rows) x, similar_items(source, x.i, 1000) WITH ORDINALITY l $$;
CREATE FUNCTION answers(source regclass) RETURNS TABLE (rows bigint, sum numeric) LANGUAGE sql AS $$
	SELECT count(*), sum(hash_record_extended((x.s, r.item, r.score, r.because, r.reason, r.ordinality), 7)::numeric)
	FROM (SELECT DISTINCT s FROM rows) x, recommend(source, x.s, 30) WITH ORDINALITY r $$;
CREATE FUNCTION popular(source regclass, as_of timestamptz) RETURNS TABLE (rows bigint, sum numeric) LANGUAGE sql AS $$
	SELECT count(*), sum(hash_record_extended((t.item, t.score, t.recent, t.before, t.ordinality), 7)::numeric)
	FROM trending(source, 1000, as_of => as_of) WITH ORDINALITY t $$;

CREATE FUNCTION check_growth(name text, include text, options text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	as_of timestamptz = CASE WHEN include = '' THEN NULL ELSE '2024-02-01' END;
BEGIN
	TRUNCATE built, reversed, grown, retrained;
	INSERT INTO built SELECT s, i, at, n FROM rows ORDER BY x;
	INSERT INTO reversed SELECT s, i, at, n FROM rows ORDER BY x DESC;
	PERFORM make_index('built', include, options), make_index('reversed', include, options), make_index('grown', include, options),
		make_index('retrained', include, options);

	-- row after row in random order, in several batches
	FOR batch IN 0 .. 9 LOOP
		INSERT INTO grown SELECT s, i, at, n FROM rows WHERE draw(8, x, 10) = batch ORDER BY hashint8(x);
		INSERT INTO retrained SELECT s, i, at, n FROM rows WHERE draw(9, x, 10) = batch ORDER BY hashint8(x + 99999);
		IF batch % 3 = 1 THEN
			PERFORM retrain('retrained');
		END IF;
	END LOOP;
	RETURN NEXT isnt((SELECT m FROM model('built') m), (SELECT m FROM model('retrained') m),
		name || ': the model of some of the rows is another');
	PERFORM retrain('grown'), retrain('retrained');

	RETURN NEXT ok(m.rows > 2000, format('%s: %s neighbours', name, m.rows)) FROM model('built') m;
	RETURN NEXT is((SELECT m FROM model('reversed') m), (SELECT m FROM model('built') m), name || ': model, rows in reversed order');
	RETURN NEXT is((SELECT m FROM model('grown') m), (SELECT m FROM model('built') m), name || ': model, grown by inserts');
	RETURN NEXT is((SELECT m FROM model('retrained') m), (SELECT m FROM model('built') m), name || ': model, retrained on the way');
	RETURN NEXT ok(m.rows > 5000, format('%s: %s recommendations', name, m.rows)) FROM answers('built') m;
	RETURN NEXT is((SELECT m FROM answers('reversed') m), (SELECT m FROM answers('built') m), name || ': answers, rows in reversed order');
	RETURN NEXT is((SELECT m FROM answers('grown') m), (SELECT m FROM answers('built') m), name || ': answers, grown by inserts');
	RETURN NEXT is((SELECT m FROM popular('reversed', as_of) m), (SELECT m FROM popular('built', as_of) m),
		name || ': trending, rows in reversed order');
	RETURN NEXT is((SELECT m FROM popular('grown', as_of) m), (SELECT m FROM popular('built', as_of) m),
		name || ': trending, grown by inserts');
	DROP INDEX built_similarity, reversed_similarity, grown_similarity, retrained_similarity;
END $$;

SELECT check_growth('with times', 'INCLUDE (at, n)');
SELECT check_growth('without times', '');

-- sums of floating-point numbers, as the other methods make them; low-pass factors fewer than items, and as many
SELECT check_growth('sharpened', 'INCLUDE (at, n)', ', method = sharpened, two_step_neighbors = 20');
SELECT check_growth('ridge', 'INCLUDE (at, n)', ', method = ridge, ridge_sources = 25');
SELECT check_growth('low-pass', 'INCLUDE (at, n)', ', method = sharpened, low_pass = 0.7, low_pass_factors = 40');
SELECT check_growth('all factors', 'INCLUDE (at, n)', ', method = ridge, low_pass = 0.7, low_pass_factors = 300');

-- A subject with more items than history counts as one with so many: each then holds 10 * 9 pairs.
TRUNCATE built;
INSERT INTO built SELECT s, i, at, n FROM rows;
CREATE INDEX all_neighbors ON built USING similarity (s, i) WITH (tuning_budget = 0, neighbors = 500, history = 10);
CREATE INDEX all_history ON built USING similarity (s, i) WITH (tuning_budget = 0, neighbors = 500, history = 10000);
CREATE FUNCTION pairs(source regclass) RETURNS bigint LANGUAGE sql AS
$$ SELECT sum(l.support)::bigint FROM (SELECT DISTINCT i FROM rows) x, similar_items(source, x.i, 1000) l $$;
CREATE FUNCTION pairs_of(history bigint) RETURNS bigint LANGUAGE sql AS
$$ SELECT sum(d * (d - 1))::bigint FROM (SELECT least(count(DISTINCT i), history) AS d FROM rows GROUP BY s) x $$;
SELECT is(pairs('all_neighbors'), pairs_of(10), 'pairs in histories of at most 10');
SELECT is(pairs('all_history'), pairs_of(10000), 'pairs in whole histories');
SELECT cmp_ok(pairs_of(10), '<', pairs_of(10000) / 2, '... which differ much');

-- of a long history the most recent items count; of those at the same time, the same ones for any order of rows
CREATE TABLE long (s int, i int, at date);
INSERT INTO long SELECT 1, i, date '2024-01-01' + i FROM generate_series(1, 50) i;
INSERT INTO long VALUES (1, 3, '2025-01-01'), (1, 40, '2023-01-01'), (1, 50, NULL);
CREATE INDEX ON long USING similarity (s, i) INCLUDE (at) WITH (history = 5);
SELECT results_eq($$SELECT x FROM generate_series(1, 50) x WHERE EXISTS (SELECT FROM similar_items('long', x)) ORDER BY x$$,
	$$VALUES (3), (47), (48), (49), (50)$$, 'the five most recent items have neighbours');
SELECT results_eq($$SELECT item FROM recommend('long', 1, item_type => NULL::int, seen => true) WHERE reason = 'similar' ORDER BY 1$$,
	$$VALUES (3), (47), (48), (49), (50)$$, 'and are what is scored');

SELECT * FROM finish();
ROLLBACK;
