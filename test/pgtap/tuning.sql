-- The choice of parameters, tune() and evaluate().
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(49);

CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

-- Subjects of one of 12 tastes; an item is of a taste, and few of them are popular.
CREATE FUNCTION fill(name text, subjects int, rows int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I (s int, i int, at timestamptz, n int)', name);
	EXECUTE format($f$
		INSERT INTO %I
		SELECT s, CASE WHEN draw(2, x, 4) = 0 THEN draw(3, x, 240) * (draw(4, x, 240) + 1) / 240
				ELSE (draw(5, x, 20) * (draw(6, x, 20) + 1) / 20) * 12 + s %% 12 END,
			timestamptz '2024-01-01' + x * interval '1 minute', 1 + draw(7, x, 4)
		FROM (SELECT x, draw(1, x, %s) AS s FROM generate_series(1, %s) x) y $f$, name, subjects, rows);
END $$;

SELECT fill('plays', 500, 8000);
CREATE INDEX plays_similarity ON plays USING similarity (s, i) INCLUDE (at);

-- ---- the choice ----

-- all candidates and what they were judged by, but for the time it took
CREATE FUNCTION digest(candidates jsonb) RETURNS text LANGUAGE sql AS $$ SELECT md5(candidates::text) $$;
CREATE FUNCTION choice(source regclass) RETURNS text LANGUAGE sql AS
$$ SELECT digest(jsonb_agg(to_jsonb(c) - 'cpu' ORDER BY candidate)) FROM similarity_candidates(source) c $$;

SELECT is(chosen_by, 'choice', 'enough data: parameters are chosen') FROM similarity_stats('plays');
SELECT is((SELECT count(*) FROM similarity_candidates('plays')), candidates::bigint, 'all candidates are kept') FROM similarity_stats('plays');
SELECT is(count(*), 1::bigint, 'one is chosen') FROM similarity_candidates('plays') WHERE chosen;
SELECT ok(c.ndcg = s.validation_ndcg AND c.recall = s.validation_recall AND c.parameters = s.parameters
	AND c.ndcg = (SELECT max(ndcg) FROM similarity_candidates('plays')), '... the best, and it is the model''s')
FROM similarity_candidates('plays') c, similarity_stats('plays') s WHERE c.chosen;
SELECT ok(validation_subjects BETWEEN 200 AND 500 AND validation_held_out BETWEEN 1000 AND 2000 AND tuning_sampled = 1
	AND candidates_left_out = 0 AND tuning_budget = 60 AND tuning_cost BETWEEN 0 AND 60, 'what it was chosen by')
FROM similarity_stats('plays');
SELECT ok(sum(cost) - max(s.tuning_cost) BETWEEN -1e-6 AND 1e-6, 'costs add up')
FROM similarity_candidates('plays'), similarity_stats('plays') s;

-- the same rows in another order, in a table of its own, built and grown
CREATE TABLE other AS SELECT * FROM plays ORDER BY draw(9, extract(epoch FROM at)::bigint, 1000000);
CREATE INDEX other_similarity ON other USING similarity (s, i) INCLUDE (at);
SELECT is(choice('other'), choice('plays'), 'the same choice whatever the order of rows');
CREATE TABLE grown (LIKE plays);
SET LOCAL client_min_messages = error;
CREATE INDEX grown_similarity ON grown USING similarity (s, i) INCLUDE (at);
SET LOCAL client_min_messages = warning;
INSERT INTO grown SELECT * FROM plays ORDER BY i, s;
SELECT is(chosen_by, NULL, 'untrained, nothing chosen') FROM similarity_stats('grown');
SELECT retrain('grown');
SELECT is(choice('grown'), choice('plays'), 'the same choice in an index that grew');

CREATE INDEX seed_1 ON plays USING similarity (s, i) INCLUDE (at) WITH (seed = 1);
SELECT isnt(choice('seed_1'), choice('plays_similarity'), 'another seed draws another sample');
SELECT is(chosen_by, 'choice', '... and chooses') FROM similarity_stats('seed_1');
DROP INDEX seed_1;

-- ---- what the user sets ----

CREATE INDEX partly ON plays USING similarity (s, i) INCLUDE (at) WITH (method = cooccurrence, subject_exponent = 0.9, low_pass = 0);
SELECT ok(bool_and((parameters ->> 'subject_exponent')::float8 = 0.9 AND parameters ->> 'method' = 'cooccurrence') AND count(*) > 10,
	'what is set is the same in all candidates') FROM similarity_candidates('partly');
DROP INDEX partly;
CREATE INDEX wholly ON plays USING similarity (s, i) WITH (method = cooccurrence, subject_exponent = 0.9, popularity_exponent = 0.4,
	sharpness = 2, neighbors = 30, low_pass = 0);
SELECT ok(chosen_by = 'options' AND candidates = 0 AND parameters = '{"method": "cooccurrence", "subject_exponent": 0.9,
	"popularity_exponent": 0.4, "sharpness": 2, "neighbors": 30, "low_pass": 0}', 'nothing left to choose') FROM similarity_stats('wholly');
DROP INDEX wholly;
CREATE INDEX never ON plays USING similarity (s, i) WITH (tuning_budget = 0);
SELECT ok(chosen_by = 'defaults: no tuning_budget' AND candidates = 0 AND parameters = '{"method": "cooccurrence", "subject_exponent": 0.5,
	"popularity_exponent": 0.35, "sharpness": 1.3, "neighbors": 100, "low_pass": 0}', 'tuning_budget = 0: the defaults') FROM similarity_stats('never');
DROP INDEX never;
CREATE INDEX cheap ON plays USING similarity (s, i) WITH (tuning_budget = 0.02);
SELECT ok(chosen_by = 'choice' AND candidates > 0 AND candidates_left_out > 0 AND tuning_cost <= 0.02, 'a small budget leaves candidates out')
FROM similarity_stats('cheap');
DROP INDEX cheap;

-- ---- how long a choice stands ----

CREATE TEMP TABLE first_choice ON COMMIT DROP AS SELECT choice('plays') AS c, generation, parameters FROM similarity_stats('plays');
INSERT INTO plays SELECT s, (i * 7 + 3) % 240, at + interval '1 year', n FROM plays;
SELECT retrain('plays');
SELECT ok(s.generation = f.generation + 1 AND s.parameters = f.parameters AND choice('plays') = f.c AND s.chosen_by = 'choice', 'a retraining keeps the choice')
FROM similarity_stats('plays') s, first_choice f;
ALTER INDEX plays_similarity SET (sharpness = 2.9);
SELECT is(s.parameters, f.parameters, 'a parameter takes effect at the next training') FROM similarity_stats('plays') s, first_choice f;
SELECT retrain('plays');
SELECT ok(s.parameters = f.parameters || '{"sharpness": 2.9}' AND choice('plays') = f.c, '... and the rest of the choice stays')
FROM similarity_stats('plays') s, first_choice f;
ALTER INDEX plays_similarity RESET (sharpness);
SELECT retrain('plays');
SELECT is(s.parameters, f.parameters, 'without it the choice is whole again') FROM similarity_stats('plays') s, first_choice f;
REINDEX INDEX plays_similarity;
SELECT ok(choice('plays') <> f.c AND s.chosen_by = 'choice', 'REINDEX chooses anew') FROM similarity_stats('plays') s, first_choice f;

CREATE TABLE fixed_then (LIKE other);
INSERT INTO fixed_then TABLE other;
CREATE INDEX fixed_then_similarity ON fixed_then USING similarity (s, i) INCLUDE (at) WITH (sharpness = 5);
ALTER INDEX fixed_then_similarity RESET (sharpness);
SELECT retrain('fixed_then');
SELECT is(choice('fixed_then'), choice('other'), 'what was set at the choice and is open now is chosen');

SELECT fill('few', 100, 900);
CREATE INDEX few_similarity ON few USING similarity (s, i) INCLUDE (at);
SELECT ok(chosen_by = 'defaults: too little data' AND candidates = 0 AND validation_subjects BETWEEN 50 AND 100 AND parameters = '{"method": "cooccurrence",
	"subject_exponent": 0.5, "popularity_exponent": 0.35, "sharpness": 1.3, "neighbors": 100, "low_pass": 0}', 'too little data: the defaults')
FROM similarity_stats('few');
SELECT is(count(*), 0::bigint, '... and no candidates') FROM similarity_candidates('few');
SELECT is(count(*), 0::bigint, '... and tune() has none either') FROM tune('few');
INSERT INTO few TABLE other;
SELECT retrain('few');
SELECT is(chosen_by, 'choice', 'as soon as there is enough a training chooses') FROM similarity_stats('few');
CREATE TEMP TABLE small_choice ON COMMIT DROP AS SELECT choice('few') AS c;
INSERT INTO few SELECT s + 500 * x, (i + x * s) % 240, at, n FROM other, generate_series(1, 9) x;
SELECT retrain('few');
SELECT is(choice('few'), c, 'nine times as much: the choice stands') FROM small_choice;
INSERT INTO few SELECT s + 500 * x, (i + x * s) % 240, at, n FROM other, generate_series(10, 11) x;
SELECT retrain('few');
SELECT isnt(choice('few'), c, 'ten times as much: a training chooses anew') FROM small_choice;

-- ---- tune() ----

SELECT is((SELECT digest(jsonb_agg(to_jsonb(t) - 'cpu' - 'command' ORDER BY candidate)) FROM tune('other') t), choice('other'), 'tune() shows the choice');
SELECT is(generation, 1::bigint, '... and writes nothing') FROM similarity_stats('other');
SELECT isnt((SELECT count(*) FROM tune('other', budget => 0.05)), (SELECT count(*) FROM similarity_candidates('other')), 'tune() with a budget');
CREATE TEMP TABLE tuned ON COMMIT DROP AS SELECT * FROM tune('grown', apply => true);
SELECT ok(s.generation = 2 AND s.chosen_by = 'choice' AND s.parameters = t.parameters AND choice('grown') = choice('other'), 'tune(apply => true) trains by the best')
FROM similarity_stats('grown') s, tuned t WHERE t.chosen;
SELECT ok(t.command = format('ALTER INDEX public.grown_similarity SET (%s)', replace(array_to_string(c.reloptions, ', '), '=', ' = ')), '... and sets it')
FROM pg_class c, tuned t WHERE c.relname = 'grown_similarity' AND t.chosen;
SELECT is(count(*), 1::bigint, 'what is set is not tried again') FROM tune('grown');
SELECT is((SELECT digest(jsonb_agg(to_jsonb(t) - 'cpu' - 'command' ORDER BY candidate)) FROM tune('grown', anew => true) t), choice('other'), '... but anew');
SELECT retrain('grown');
SELECT is(chosen_by, 'choice', 'a choice that was applied is known after the next training') FROM similarity_stats('grown');

-- each command makes the model that its candidate stands for
SELECT * FROM (SELECT command FROM tune('other') WHERE NOT chosen ORDER BY candidate DESC LIMIT 1) t \gset
:command;
SELECT retrain('other');
SELECT is(s.parameters, c.parameters, 'ALTER INDEX as shown') FROM similarity_stats('other') s,
	(SELECT parameters FROM similarity_candidates('grown') WHERE NOT chosen ORDER BY candidate DESC LIMIT 1) c;

-- ---- evaluate() ----

CREATE TABLE shop AS SELECT DISTINCT ON (s, i) * FROM other ORDER BY s, i;
CREATE INDEX shop_similarity ON shop USING similarity (s, i) INCLUDE (at, n) WITH (tuning_budget = 0, neighbors = 40);
CREATE INDEX shop_plain ON shop USING similarity (s, i) WITH (tuning_budget = 0, min_support = 3);

CREATE TEMP TABLE lists ON COMMIT DROP AS SELECT * FROM evaluation_lists('shop_similarity', k => 7, share => 0.25, seed => 5, against => 'shop_plain');

-- the metrics in SQL, from the lists
CREATE FUNCTION measured(k int) RETURNS TABLE (contender text, recall numeric, ndcg numeric, hit_rate numeric, mrr numeric,
	"precision" numeric, covered_items bigint, subjects bigint, held_out bigint) LANGUAGE sql AS $$
	WITH per_subject AS (
		SELECT contender, subject, count(*) FILTER (WHERE held_out) AS t, count(*) FILTER (WHERE held_out AND rank IS NOT NULL) AS hits,
			coalesce(sum(1 / log(2, rank + 1)) FILTER (WHERE held_out), 0) AS dcg, min(rank) FILTER (WHERE held_out) AS first
		FROM lists GROUP BY 1, 2)
	SELECT contender, round(avg(hits::numeric / t), 9),
		round(avg(dcg / (SELECT sum(1 / log(2, r + 1)) FROM generate_series(1, least(k, t)) r)), 9),
		round(avg((hits > 0)::int), 9), round(avg(coalesce(1.0 / first, 0)), 9), round(avg(hits::numeric / k), 9),
		(SELECT count(DISTINCT item) FROM lists l WHERE l.contender = p.contender AND rank IS NOT NULL), count(*), sum(t)::bigint
	FROM per_subject p GROUP BY contender $$;

SELECT set_eq($$ SELECT contender, round(recall::numeric, 9) AS a, round(ndcg::numeric, 9) AS b, round(hit_rate::numeric, 9) AS c,
	round(mrr::numeric, 9) AS d, round("precision"::numeric, 9) AS e, covered_items, evaluated_subjects, held_out
	FROM evaluate('shop_similarity', k => 7, share => 0.25, seed => 5, against => 'shop_plain') $$,
	'SELECT * FROM measured(7)', 'metrics are those of the lists');
SELECT ok(count(*) = 3 AND min(recall) FILTER (WHERE contender <> 'popularity') > max(recall) FILTER (WHERE contender = 'popularity'),
	'both indexes beat popularity') FROM evaluate('shop_similarity', against => 'shop_plain');

CREATE TEMP TABLE held ON COMMIT DROP AS SELECT DISTINCT subject::int AS s, item::int AS i FROM lists WHERE held_out;
SELECT ok(count(*) FILTER (WHERE x.s IS NULL) = 0 AND count(*) BETWEEN 1000 AND 3000, 'what is held out is there')
FROM held h LEFT JOIN shop x USING (s, i);
SELECT is(count(*), 0::bigint, 'no list has what its subject has') FROM lists l JOIN shop x ON l.subject = x.s::text AND l.item = x.i::text WHERE NOT held_out;

-- and recommend() answers the same on a table of what is left
CREATE TABLE rest AS SELECT * FROM shop x WHERE NOT EXISTS (SELECT FROM held h WHERE h.s = x.s AND h.i = x.i);
CREATE INDEX rest_similarity ON rest USING similarity (s, i) INCLUDE (at, n) WITH (tuning_budget = 0, neighbors = 40);
CREATE INDEX rest_plain ON rest USING similarity (s, i) WITH (tuning_budget = 0, min_support = 3);
SELECT set_eq(format($$ SELECT subject, rank, item, score FROM lists WHERE contender = 'shop_%1$s' AND rank IS NOT NULL $$, x),
	format($$ SELECT s::text, rank, item, score FROM (SELECT DISTINCT s FROM held) h,
		recommend('rest_%1$s', s, 7) WITH ORDINALITY r(item, score, because, reason, rank) WHERE reason = 'similar' $$, x),
	format('recommend() on what is left: %s', x)) FROM (VALUES ('similarity'), ('plain')) v (x);
SELECT set_eq($$ SELECT subject, rank, score FROM lists WHERE contender = 'popularity' AND rank IS NOT NULL $$,
	$$ SELECT s::text, rank::int, n::float8 FROM (SELECT DISTINCT s FROM held) h,
		LATERAL (SELECT n, row_number() OVER (ORDER BY n DESC) AS rank FROM (SELECT i, count(*) AS n FROM rest GROUP BY i) c
			WHERE NOT EXISTS (SELECT FROM rest r WHERE r.s = h.s AND r.i = c.i)) p WHERE rank <= 7 $$, 'popularity is that of what is left');

-- what is said of all lists together
WITH shown AS (
	SELECT c.i, count(l.item) AS n FROM (SELECT DISTINCT i FROM rest) c
	LEFT JOIN lists l ON l.item = c.i::text AND l.rank IS NOT NULL AND contender = 'shop_similarity' GROUP BY c.i),
ranked AS (SELECT n, row_number() OVER (ORDER BY n) AS r, count(*) OVER () AS items FROM shown),
gini AS (SELECT sum((2 * r - items - 1) * n)::float8 / (max(items) * sum(n))::float8 AS gini FROM ranked),
novelty AS (SELECT avg(-log(2, d.d::numeric / (SELECT count(DISTINCT s) FROM rest)))::float8 AS novelty
	FROM lists l JOIN (SELECT i::text AS item, count(*) AS d FROM rest GROUP BY i) d USING (item) WHERE rank IS NOT NULL AND contender = 'shop_similarity')
SELECT ok(abs(e.gini - g.gini) < 1e-9 AND abs(e.novelty - n.novelty) < 1e-9 AND e.coverage = e.covered_items / (SELECT count(*) FROM shown)::float8,
	'gini, novelty and coverage') FROM evaluate('shop_similarity', k => 7, share => 0.25, seed => 5) e, gini g, novelty n
WHERE contender = 'shop_similarity';

-- the last interaction
SELECT set_eq($$ SELECT DISTINCT subject::int, item::int FROM evaluation_lists('shop_similarity', holdout => 'last') WHERE held_out $$,
	$$ SELECT DISTINCT ON (s) s, i FROM shop WHERE s IN (SELECT s FROM shop GROUP BY s HAVING count(*) > 1) ORDER BY s, at DESC $$, 'the last interaction is held out');
SELECT is(evaluated_subjects, 100::bigint, 'as many subjects as are asked for') FROM evaluate('shop_similarity', subjects => 100) WHERE contender = 'popularity';

-- another table's index: what is held out is not there either, by key
CREATE TABLE views AS SELECT s, i FROM shop UNION ALL SELECT s, (i + 1) % 260 FROM shop;
CREATE INDEX ON views USING similarity (s, i) WITH (tuning_budget = 0);
CREATE TABLE views_left AS SELECT v.* FROM views v WHERE NOT EXISTS (SELECT FROM held h WHERE h.s = v.s AND h.i = v.i);
CREATE INDEX ON views_left USING similarity (s, i) WITH (tuning_budget = 0);
SELECT set_eq($$ SELECT subject, rank, item FROM evaluation_lists('shop_similarity', k => 7, share => 0.25, seed => 5, against => 'views')
		WHERE contender = 'views_s_i_idx' AND rank IS NOT NULL $$,
	$$ SELECT s::text, rank, item FROM (SELECT DISTINCT s FROM held) h,
		recommend('views_left', s, 7) WITH ORDINALITY r(item, score, because, reason, rank) WHERE reason = 'similar' $$, 'against another table');

-- by the reader's own snapshot
DELETE FROM shop WHERE s = 7;
SELECT is(count(*), 0::bigint, 'a subject that is gone is not asked') FROM evaluation_lists('shop_similarity', subjects => 1000) WHERE subject = '7';
SELECT is((SELECT jsonb_agg(e ORDER BY contender) FROM evaluate('other', seed => 9) e), (SELECT jsonb_agg(e ORDER BY contender) FROM evaluate('other', seed => 9) e), 'evaluate() is deterministic');

SELECT * FROM finish();
ROLLBACK;
