-- Tuning and evaluation where something else matters too: directions, weights, long lists, memory.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(12);

CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

-- Subjects of one of 12 tastes; some items are shared by all, and few are popular.
CREATE FUNCTION fill(name text, subjects int, rows int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I (s int, i int, at timestamptz, n real)', name);
	EXECUTE format($f$
		INSERT INTO %I
		SELECT s, CASE WHEN draw(2, x, 4) = 0 THEN draw(3, x, 240) * (draw(4, x, 240) + 1) / 240
				ELSE (draw(5, x, 20) * (draw(6, x, 20) + 1) / 20) * 12 + s %% 12 END,
			timestamptz '2024-01-01' + draw(8, x, 1000) * interval '1 hour', 1 + draw(7, x, 40)
		FROM (SELECT x, draw(1, x, %s) AS s FROM generate_series(1, %s) x) y $f$, name, subjects, rows);
END $$;
SELECT fill('plays', 500, 8000);

-- ---- evaluate() of a directed model ----

CREATE INDEX forward ON plays USING similarity (s, i) INCLUDE (at, n)
	WITH (method = cooccurrence, direction = forward, forward_decay = 0.5, tuning_budget = 0);
CREATE TEMP TABLE lists ON COMMIT DROP AS SELECT * FROM evaluation_lists('forward', k => 7, share => 0.25, seed => 3);
CREATE TABLE rest AS SELECT * FROM plays x WHERE NOT EXISTS (SELECT FROM lists h WHERE h.held_out AND h.subject = x.s::text AND h.item = x.i::text);
CREATE INDEX rest_forward ON rest USING similarity (s, i) INCLUDE (at, n)
	WITH (method = cooccurrence, direction = forward, forward_decay = 0.5, tuning_budget = 0);
SELECT is(count(*) FILTER (WHERE r.item IS NULL OR l.item IS NULL OR abs(r.score - l.score) > 1e-12 * r.score), 0::bigint, 'as recommend() on what is left')
FROM (SELECT s::text AS subject, r.* FROM (SELECT DISTINCT subject::int AS s FROM lists) h, recommend('rest_forward', s, 7) r WHERE reason = 'similar') r
FULL JOIN (SELECT * FROM lists WHERE contender = 'forward' AND rank IS NOT NULL) l USING (subject, item);
ALTER INDEX forward SET (direction = both, forward_decay = 0.9);
SELECT results_eq($$SELECT subject, rank, item, score FROM evaluation_lists('forward', k => 7, share => 0.25, seed => 3) WHERE contender = 'forward' AND rank IS NOT NULL$$,
	$$SELECT subject, rank, item, score FROM lists WHERE contender = 'forward' AND rank IS NOT NULL$$,
	'a direction that no training has put into effect is not evaluated');
DROP INDEX forward;

-- ---- a choice that was made without a direction ----

SELECT fill('dense', 500, 40000);
CREATE INDEX dense_similarity ON dense USING similarity (s, i) INCLUDE (at);
SELECT ok(parameters ->> 'method' = 'ridge' OR (parameters ->> 'low_pass')::float8 > 0, 'a choice of counts that are the same both ways: ' || parameters::text)
FROM similarity_stats('dense');
ALTER INDEX dense_similarity SET (direction = forward);
SELECT retrain('dense');
SELECT ok(chosen_by = 'choice' AND parameters ->> 'method' <> 'ridge' AND (parameters ->> 'low_pass')::float8 = 0, '... does not stand with a direction')
FROM similarity_stats('dense');
DROP INDEX dense_similarity;

-- ---- weights ----

CREATE INDEX weighted ON plays USING similarity (s, i) INCLUDE (at, n) WITH (training_strength = on, strength_scale = raw, training_half_life = '10 days');
SELECT results_eq($$SELECT candidate, parameters, ndcg FROM tune('weighted', anew => true)$$,
	$$SELECT candidate, parameters, ndcg FROM similarity_candidates('weighted')$$, 'tune(anew => true) weighs as a training does');
DROP INDEX weighted;

-- a sum of strengths beyond what a float4 holds
CREATE TABLE heavy AS SELECT s, i, at, CASE WHEN s = 1 THEN 3e38::real ELSE n END AS n FROM plays;
INSERT INTO heavy SELECT * FROM heavy WHERE s = 1;
SELECT lives_ok($$CREATE INDEX ON heavy USING similarity (s, i) INCLUDE (n)
	WITH (training_strength = on, strength_scale = raw, low_pass = 0.5, low_pass_factors = 32, tuning_budget = 0)$$, 'strengths as large as can be');

-- ---- memory ----

CREATE INDEX weighted ON dense USING similarity (s, i) INCLUDE (n) WITH (training_strength = on, method = cooccurrence, tuning_budget = 0);
SELECT is((SELECT parameters ->> 'method' FROM similarity_stats('weighted')), 'cooccurrence', 'weighted co-occurrence');

-- what the ridge method takes besides histories, less a quarter of these
SELECT set_config('maintenance_work_mem', ((training_memory + 933360 - 4 * (SELECT count(DISTINCT (s, i)) FROM dense)) / 1024)::bigint || 'kB', true)
FROM similarity_stats('weighted') \gset
CREATE INDEX too_much ON dense USING similarity (s, i) INCLUDE (n) WITH (training_strength = on, method = ridge, ridge_sources = 120, tuning_budget = 0);
SELECT results_eq($$SELECT x, l.* FROM generate_series(0, 239) x, similar_items('too_much', x, k => 100) l$$,
	$$SELECT x, l.* FROM generate_series(0, 239) x, similar_items('weighted', x, k => 100) l$$, 'weights count in the memory that a method finds');
SET LOCAL maintenance_work_mem = '3MB';
CREATE INDEX nothing_fits ON plays USING similarity (s, i) WITH (method = ridge, ridge_sources = 500);
SELECT is(chosen_by, 'defaults: too little memory', 'memory is what is missing') FROM similarity_stats('nothing_fits');
RESET maintenance_work_mem;
CREATE INDEX too_dear ON plays USING similarity (s, i) WITH (tuning_budget = 1e-9);
SELECT is(chosen_by, 'defaults: no tuning_budget', 'budget is what is missing') FROM similarity_stats('too_dear');

-- ---- digits ----

CREATE TEMP TABLE digits ON COMMIT DROP AS SELECT candidate, parameters, command FROM tune('too_dear', budget => 5);
SET LOCAL extra_float_digits = -14;
SELECT results_eq($$SELECT candidate, parameters, command FROM tune('too_dear', budget => 5)$$, 'TABLE digits', 'parameters have all digits');
RESET extra_float_digits;

-- ---- long lists ----

CREATE INDEX long_lists ON plays USING similarity (s, i) WITH (neighbors = 400);
SELECT ok(chosen_by = 'choice' AND candidates > 20 AND candidates_left_out = 0, 'lists of 400 leave the rest to choose') FROM similarity_stats('long_lists');

SELECT * FROM finish();
ROLLBACK;
