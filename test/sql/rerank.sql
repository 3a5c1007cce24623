-- item_list(), blend(), diversify()
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
CREATE SCHEMA test_rerank;
SET search_path = test_rerank, personalize;
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';

-- what an error says: its state, message, detail and hint
CREATE FUNCTION refusal(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	EXECUTE query;
	RETURN NEXT 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN NEXT state || ': ' || message;
	IF detail <> '' THEN RETURN NEXT 'DETAIL: ' || detail; END IF;
	IF hint <> '' THEN RETURN NEXT 'HINT: ' || hint; END IF;
END $$;

SELECT p.oid::regprocedure, provolatile, proparallel, proisstrict, procost, prorows,
	obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
WHERE proname IN ('item_list', 'blend', 'diversify')
ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT obj_description('item_list'::regtype, 'pg_type');

-- ---- item_list ----
SELECT item_list('bought', ARRAY[3, 1, 2]), item_list('viewed', '{b,a}', 0.5), item_list('none', NULL::int[]), item_list('null', '{}', NULL);
SELECT (item_list('dates', ARRAY[date '2024-05-01'])).items, (item_list(name => 'x', items => ARRAY['a'], weight => 2)).weight;
-- nothing of it depends on search_path
SET search_path = '';
SELECT personalize.item_list('bought', ARRAY[3, 1, 2]);
SET search_path = test_rerank, personalize;

-- ---- blend ----
-- by hand: 2 is first and second, 1 second and third, ...
SELECT item, round(score::numeric, 6) AS score, sources
FROM blend(ARRAY[item_list('bought', ARRAY[2, 1, 4]), item_list('viewed', ARRAY[3, 2, 1])]);
SELECT round(1 / 61.0 + 1 / 62.0, 6) AS "2", round(1 / 62.0 + 1 / 63.0, 6) AS "1", round(1 / 61.0, 6) AS "3", round(1 / 63.0, 6) AS "4";
-- weights and smoothing
SELECT item, round(score::numeric, 6) AS score, sources
FROM blend(ARRAY[item_list('bought', ARRAY[2, 1, 4], 3), item_list('viewed', ARRAY[3, 2, 1], 0.5)], smoothing => 0);
-- a weight of 0 switches a list off, NULL is 1
SELECT item, round(score::numeric, 6) AS score, sources
FROM blend(ARRAY[item_list('off', ARRAY[1, 2], 0), item_list('on', ARRAY[3], NULL)], smoothing => NULL);
-- k
SELECT item FROM blend(ARRAY[item_list('a', ARRAY[1, 2, 3])], 2);
SELECT item FROM blend(ARRAY[item_list('a', ARRAY[1, 2, 3])], 0);
SELECT item FROM blend(ARRAY[item_list('a', ARRAY(SELECT generate_series(1, 20)))]);
SELECT count(*) FROM blend(ARRAY[item_list('a', ARRAY(SELECT generate_series(1, 2000)))], 2147483647);
-- twice in a list: where it stands first; it keeps its place, as NULL does
SELECT item, round(1 / score::numeric, 6) AS place, sources
FROM blend(ARRAY[item_list('a', ARRAY[7, 7, NULL, 8, 7, 9])], smoothing => 0);
-- the same item as its type has it; text by its letters
SELECT item, sources FROM blend(ARRAY[item_list('a', ARRAY[1.0]), item_list('b', ARRAY[1.00, 2])], item_type => NULL::numeric);
SELECT item, sources FROM blend(ARRAY[item_list('a', ARRAY[1.0]), item_list('b', ARRAY[1.00, 2])]);
-- equal scores: by item, in its type or as text
SELECT item, sources FROM blend(ARRAY[item_list('a', ARRAY[10, 9]), item_list('b', ARRAY[9, 10])]);
SELECT item, pg_typeof(item), sources FROM blend(ARRAY[item_list('a', ARRAY[10, 9]), item_list('b', ARRAY[9, 10])], NULL::int, k => 5);
SELECT string_agg(item, ' ' ORDER BY ordinality) FROM blend(ARRAY[item_list('a', '{b}'), item_list('c', '{B}'), item_list('d', '{a}')]) WITH ORDINALITY;
-- the lists' order decides that of sources, and nothing else
SELECT DISTINCT array_agg((item, score)) FROM (VALUES (1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)) p (x, y, z),
	LATERAL (SELECT ARRAY[item_list('a', ARRAY[1, 2, 3, 4], .1), item_list('b', ARRAY[2, 3, 4, 1], .2), item_list('c', ARRAY[3, 4, 1, 2], .3)] AS l) l,
	LATERAL blend(ARRAY[l[x], l[y], l[z]]) b GROUP BY x, y, z;
SELECT item, sources FROM blend(ARRAY[item_list('z', '{x}'), item_list('a', '{x}'), item_list('a', '{x}')]);
-- nothing
SELECT count(*) FROM blend(NULL);
SELECT count(*) FROM blend('{}');
SELECT count(*) FROM blend(ARRAY[NULL, item_list('a', NULL::int[]), item_list('b', '{}'), item_list('c', ARRAY[NULL])]::item_list[]);
-- a domain's rules hold
CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0);
SELECT item, pg_typeof(item) FROM blend(ARRAY[item_list('a', ARRAY[4, 2])], item_type => NULL::even);
SELECT refusal($$SELECT blend(ARRAY[item_list('a', ARRAY[4, 3])], item_type => NULL::even)$$);
-- errors
SELECT refusal($$SELECT blend(ARRAY[item_list('a', '{1}')], -1)$$);
SELECT refusal($$SELECT blend(ARRAY[item_list('a', '{1}')], k => NULL)$$);
SELECT refusal($$SELECT blend(ARRAY[item_list('a', '{1}', -0.5)])$$);
SELECT refusal($$SELECT blend(ARRAY[item_list('a', '{1}', 'NaN')])$$);
SELECT refusal($$SELECT blend(ARRAY[item_list('a', '{1}'), item_list('b', '{1}', 'infinity')])$$);
SELECT refusal($$SELECT blend(ARRAY[item_list('a', '{1}', 1e308), item_list('b', '{1}', 1.7e308)], smoothing => 0)$$);
SELECT refusal($$SELECT blend(ARRAY[item_list('a', '{1}'), item_list(NULL, '{1}')])$$);
SELECT refusal($$SELECT blend(ARRAY[item_list('a', '{1}')], smoothing => -1)$$);
SELECT refusal($$SELECT blend(ARRAY[item_list('a', '{1}')], smoothing => 'NaN')$$);
SELECT refusal($$SELECT blend(ARRAY[item_list('a', '{one}')], item_type => NULL::int)$$);
SELECT refusal($$SELECT blend(ARRAY[item_list('a', '{1}')], item_type => NULL::json)$$);
-- values made without the constructor
SELECT item, sources FROM blend(ARRAY[ROW('a', '{{x,y},{z,w}}', 1)]::item_list[]);

-- ---- diversify ----
-- Two groups of which each has its own subjects, with an item of both; item 9 stands alone.
CREATE TABLE shelf (s int, i int);
INSERT INTO shelf SELECT s, i FROM generate_series(1, 8) s, unnest(CASE WHEN s < 5 THEN '{1,2,3}' ELSE '{4,5,6}' END::int[]) i;
INSERT INTO shelf VALUES (1, 7), (5, 7), (9, 9);
CREATE INDEX shelf_similarity ON shelf USING similarity (s, i);
-- the similarity is a neighbour's weight in its list, the nearest one's being 1, in the mean of both lists
SELECT item, round((score / max(score) OVER ())::numeric, 6) AS similarity FROM similar_items('shelf', 1);
SELECT item, round((score / max(score) OVER ())::numeric, 6) AS similarity FROM similar_items('shelf', 7);
SELECT item, score, round(similarity::numeric, 6) AS similarity
FROM diversify('shelf', ARRAY[1, 2, 3, 4, 5, 7, 9], ARRAY[1, .9, .8, .7, .6, .5, .4]);
-- 1: by score; 0: by nothing but differences, ties by score
SELECT item, round(similarity::numeric, 6) AS similarity FROM diversify('shelf', ARRAY[2, 1, 4, 9], ARRAY[.9, 1, .7, .4], trade_off => 1);
SELECT item, round(similarity::numeric, 6) AS similarity FROM diversify('shelf', ARRAY[2, 1, 4, 9], ARRAY[.9, 1, .7, .4], trade_off => 0);
SELECT item FROM diversify('shelf', ARRAY[2, 1, 4, 9], ARRAY[.9, 1, .7, .4], 3, NULL);
SELECT item FROM diversify('shelf', ARRAY[2, 1, 4, 9], ARRAY[.9, 1, .7, .4], 0);
-- scale makes no difference, ties are in the order of the type
SELECT array_agg(item) FROM diversify('shelf', ARRAY[2, 1, 4, 9], ARRAY[900, 1000, 700, 400]);
SELECT array_agg(item) FROM diversify('shelf', ARRAY[12, 11, 10, 9, 8], ARRAY[1, 1, 1, 1, 1]);
SELECT array_agg(item) FROM diversify('shelf', ARRAY[3, 5, 1], ARRAY[0, 0, 0]);
-- twice: where it stands first; NULL is no item; items that the index does not know are like nothing
SELECT item, pg_typeof(item), score FROM diversify('shelf', ARRAY[1, NULL, 1, 99, 4], ARRAY[.5, 9, 1, .2, .3], item_type => NULL::int);
SELECT item, score, similarity FROM diversify('shelf', '{{x},{y}}', ARRAY[1, 2]) LIMIT 0;
SELECT item FROM diversify('shelf', '{{1,2},{4,9}}', ARRAY[1, .9, .8, .7], 2);
SELECT count(*) FROM diversify('shelf', '{}', '{}');
SELECT count(*) FROM diversify('shelf', NULL::int[], NULL);
-- from recommend() to a page
SELECT d.item, round(d.score::numeric, 6) AS score, round(d.similarity::numeric, 6) AS similarity
FROM (SELECT array_agg(item) AS items, array_agg(score) AS scores FROM recommend('shelf', 1, NULL::int, k => 50, seen => true) WHERE reason = 'similar') r,
	diversify('shelf', items, scores, item_type => NULL::int, k => 4) d;
-- errors
SELECT refusal($$SELECT diversify(NULL, '{1}', '{1}')$$);
SELECT refusal($$SELECT diversify('shelf', '{1}', '{1}', -1)$$);
SELECT refusal($$SELECT diversify('shelf', '{1}', '{1}', k => NULL)$$);
SELECT refusal($$SELECT diversify('shelf', '{1,2}', '{1}')$$);
SELECT refusal($$SELECT diversify('shelf', '{1,2}', NULL)$$);
SELECT refusal($$SELECT diversify('shelf', '{1,2}', '{1,NULL}')$$);
SELECT refusal($$SELECT diversify('shelf', '{1,2}', '{1,-1}')$$);
SELECT refusal($$SELECT diversify('shelf', '{1,2}', '{1,NaN}')$$);
SELECT refusal($$SELECT diversify('shelf', '{1,2}', '{1,Infinity}')$$);
SELECT refusal($$SELECT diversify('shelf', '{1,2}', '{1,1}', trade_off => 1.5)$$);
SELECT refusal($$SELECT diversify('shelf', '{1,2}', '{1,1}', trade_off => 'NaN')$$);
SELECT refusal($$SELECT diversify('shelf', '{one}', '{1}')$$);
SELECT refusal($$SELECT diversify('shelf', '{1}', '{1}', item_type => NULL::text)$$);
SELECT refusal($$SELECT diversify('pg_class', '{1}', '{1}')$$);
-- untrained: by score, with a word why
SET client_min_messages = warning;
CREATE TABLE fresh (s int, i int);
CREATE INDEX ON fresh USING similarity (s, i);
RESET client_min_messages;
INSERT INTO fresh TABLE shelf;
SELECT array_agg(item) FROM diversify('fresh', ARRAY[2, 1, 4], ARRAY[.9, 1, .7]);
-- privileges, temporary tables
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA personalize, test_rerank TO regress_reader;
SET ROLE regress_reader;
SELECT refusal($$SELECT diversify('shelf', '{1}', '{1}')$$);
SELECT item FROM blend(ARRAY[item_list('a', '{1}')]);
RESET ROLE;
GRANT SELECT ON shelf TO regress_reader;
SET ROLE regress_reader;
SELECT item FROM diversify('shelf', '{1}', '{1}');
RESET ROLE;
ALTER TABLE shelf ENABLE ROW LEVEL SECURITY;
SET ROLE regress_reader;
SELECT refusal($$SELECT diversify('shelf', '{1}', '{1}')$$);
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;
CREATE TEMP TABLE mine AS TABLE shelf;
CREATE INDEX ON mine USING similarity (s, i);
SELECT array_agg(item) FROM diversify('mine', ARRAY[2, 1, 4], ARRAY[.9, 1, .7]);
