-- Many rows: an index that grows from empty through hundreds of splits, and builds in little memory.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(20);

CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

-- 300,000 interactions of 60,000 subjects with 20,000 items, some of both with hundreds
CREATE TABLE events (s int, i text, at timestamptz);
CREATE INDEX events_grown ON events USING similarity (s, i) INCLUDE (at) WITH (neighbors = 20, tuning_budget = 0);
INSERT INTO events
SELECT CASE WHEN x % 20 = 0 THEN draw(1, x, 50) ELSE draw(2, x, 60000) END,
	'item ' || CASE WHEN x % 3 = 0 THEN draw(3, x, 300) ELSE draw(4, x, 20000) END,
	timestamptz '2024-01-01' + x * interval '1 second'
FROM generate_series(1, 300000) x;

SELECT results_eq($$SELECT subjects, items, interactions FROM similarity_stats('events')$$,
	$$SELECT count(DISTINCT s), count(DISTINCT i), count(*) FROM events$$, 'statistics of 300,000 inserts');
SELECT is(total_bytes - directory_bytes - posting_bytes - neighbor_bytes - popular_bytes - free_bytes, 0::bigint,
	'every page is accounted for') FROM similarity_stats('events');
SELECT is(total_bytes, pg_relation_size('events_grown'), '... and the size is the size') FROM similarity_stats('events');
SELECT retrain('events');
SELECT ok(sampled = 1 AND changed = 0 AND generation = 1, 'trained on all of them') FROM similarity_stats('events');

-- histories, of subjects with few interactions and with many: recommend() answers as for the rows themselves
CREATE TEMP TABLE baskets AS
SELECT s, array_agg(i ORDER BY at) AS basket FROM (
	SELECT s, i, max(at) AS at, row_number() OVER (PARTITION BY s ORDER BY max(at) DESC) AS place FROM events
	WHERE s < 1500 OR s > 59000 GROUP BY s, i) x
WHERE place <= 200 GROUP BY s;
SELECT ok(count(*) > 2400 AND max(cardinality(basket)) = 200 AND min(cardinality(basket)) < 3, 'baskets of all lengths') FROM baskets;
SELECT is(count(*), 0::bigint, 'histories') FROM baskets
WHERE ARRAY(SELECT r::text FROM recommend('events', s, 10, seen => true) r)
	<> ARRAY(SELECT r::text FROM recommend_from('events', basket, 10, seen => true) r);
SELECT is(count(*), (SELECT count(*) FROM baskets WHERE cardinality(basket) > 1), '... that are found') FROM baskets
WHERE cardinality(basket) > 1 AND EXISTS (SELECT FROM recommend('events', s, 1, seen => true) WHERE reason = 'similar');

-- the same as built at once, and in how much memory makes no difference as long as it suffices
CREATE FUNCTION model(source regclass) RETURNS TABLE (rows bigint, sum numeric) LANGUAGE sql AS $$
	SELECT count(*), sum(hash_record_extended((x, l.item, l.score, l.support, l.ordinality), 7)::numeric)
	FROM generate_series(0, 19999, 7) x, similar_items(source, 'item ' || x, 1000) WITH ORDINALITY l $$;
SELECT cmp_ok(rows, '>', 20000::bigint, rows || ' neighbours') FROM model('events_grown');
SET LOCAL maintenance_work_mem = '64MB';
CREATE INDEX events_built ON events USING similarity (s, i) INCLUDE (at) WITH (neighbors = 20, tuning_budget = 0);
SET LOCAL maintenance_work_mem = '8MB';
CREATE INDEX events_batches ON events USING similarity (s, i) INCLUDE (at) WITH (neighbors = 20, tuning_budget = 0);
SELECT is(sampled, 1::float8, 'a build in 8 MB trains on all') FROM similarity_stats('events_batches');
SELECT is((SELECT m FROM model('events_grown') m), (SELECT m FROM model('events_built') m), 'the grown model is the built one');
SELECT is((SELECT m FROM model('events_batches') m), (SELECT m FROM model('events_built') m), '... and that of a build in 8 MB');
SELECT results_eq($$SELECT subjects, items, interactions FROM similarity_stats('events_batches')$$,
	$$SELECT subjects, items, interactions FROM similarity_stats('events_built')$$, '... which has the same rows');

-- Less memory than that: a sample of the subjects, the same whatever the order of rows.
CREATE TABLE reversed AS SELECT * FROM events ORDER BY at DESC;
SET LOCAL maintenance_work_mem = '1MB';
CREATE INDEX events_sampled ON events USING similarity (s, i) INCLUDE (at) WITH (neighbors = 20, tuning_budget = 0);
CREATE INDEX ON reversed USING similarity (s, i) INCLUDE (at) WITH (neighbors = 20, tuning_budget = 0);
CREATE TEMP TABLE sampled AS SELECT * FROM similarity_stats('events_sampled');
SELECT ok(sampled BETWEEN 0.02 AND 0.5, 'a build in 1 MB trains on a sample: ' || sampled) FROM sampled;
SELECT ok(abs(log(2, sampled::numeric) - round(log(2, sampled::numeric))) < 0.2, '... of 1 in 2, 4, 8, ...') FROM sampled;
SELECT is(training_memory, (SELECT training_memory FROM similarity_stats('events_built')), 'and says how much the whole takes') FROM sampled;
SELECT results_eq($$SELECT subjects, items, interactions FROM sampled$$,
	$$SELECT subjects, items, interactions FROM similarity_stats('events_built')$$, '... but holds all rows');
SELECT isnt((SELECT m FROM model('events_sampled') m), (SELECT m FROM model('events_built') m), 'the model of a sample is another');
SELECT is((SELECT m FROM model('events_sampled') m), (SELECT m FROM model('reversed') m), '... but the same in another order of rows');
SELECT set_config('maintenance_work_mem', ceil(training_memory / 1024.0) || 'kB', true) AS setting FROM sampled \gset
SELECT retrain('events_sampled');
SELECT is(sampled, 1::float8, 'as much memory as said is enough') FROM similarity_stats('events_sampled');
SELECT is((SELECT m FROM model('events_sampled') m), (SELECT m FROM model('events_built') m), '... for the whole model');

SELECT * FROM finish();
ROLLBACK;
