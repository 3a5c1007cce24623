-- CREATE INDEX ... USING similarity, and what else is done with indexes
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
CREATE SCHEMA similarity_index;
SET search_path = similarity_index, personalize;
SET timezone = 'UTC';

-- every object of the extension has a comment, but for the types that come with another (of arrays, of rows)
SELECT pg_describe_object(d.classid, d.objid, 0) AS without_comment
FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'personalize' AND d.deptype = 'e'
	AND NOT EXISTS (SELECT FROM pg_description c WHERE c.classoid = d.classid AND c.objoid = d.objid AND c.objsubid = 0)
	AND NOT EXISTS (SELECT FROM pg_type t LEFT JOIN pg_class r ON r.oid = t.typrelid
		WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid AND (t.typcategory = 'A' OR r.relkind IN ('r', 'v')));
SELECT count(*) > 10 AS objects FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'personalize' AND d.deptype = 'e';

SELECT a.attrelid::regclass, a.attname AS without_comment
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'personalize'::regnamespace AND c.relkind IN ('r', 'c', 'v') AND a.attnum > 0
	AND col_description(a.attrelid, a.attnum) IS NULL;

-- the access method and its operator class
SELECT amname, amtype, amhandler FROM pg_am WHERE amname = 'similarity';
SELECT opcname, opcintype::regtype, opckeytype::regtype, opcdefault, amvalidate(oid) FROM pg_opclass
WHERE opcmethod = (SELECT oid FROM pg_am WHERE amname = 'similarity');
SELECT property, pg_indexam_has_property(oid, property)
FROM pg_am, unnest('{can_order,can_unique,can_multi_col,can_exclude,can_include}'::text[]) property
WHERE amname = 'similarity';
CREATE OPERATOR CLASS bad_ops FOR TYPE json USING similarity AS STORAGE json;
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'bad_ops';
CREATE OPERATOR CLASS worse_ops FOR TYPE int USING similarity AS OPERATOR 1 = (int, int);
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'worse_ops';
DROP OPERATOR CLASS worse_ops USING similarity;
DROP OPERATOR FAMILY worse_ops USING similarity;

CREATE TABLE purchases (customer int, product text, at timestamptz, quantity int, day date, note text, extra json, price numeric);
INSERT INTO purchases SELECT x % 20, 'p' || x % 7, timestamptz '2024-01-01' + x * interval '1 hour', 1 + x % 3, date '2024-01-01' + x % 90
FROM generate_series(1, 100) x;

-- an empty table: untrained, and said so
CREATE TABLE empty (LIKE purchases);
CREATE INDEX empty_similarity ON empty USING similarity (customer, product);
SELECT subjects, items, interactions, trained_at, generation, changed, sampled, training_memory FROM similarity_stats('empty');
SELECT retrain('empty');
SELECT subjects, items, interactions, trained_at IS NOT NULL AS trained, generation, changed, sampled FROM similarity_stats('empty');
REINDEX INDEX empty_similarity;
INSERT INTO empty SELECT * FROM purchases;
SELECT item FROM similar_items('empty', 'p1');
VACUUM empty;
SELECT item FROM similar_items('empty', 'p1') ORDER BY 1;
-- rows that are no interactions leave it as empty
CREATE TABLE nulls (s int, i int);
INSERT INTO nulls VALUES (NULL, 1), (1, NULL), (NULL, NULL);
CREATE INDEX nulls_similarity ON nulls USING similarity (s, i);

-- options
CREATE INDEX tuned ON purchases USING similarity (customer, product) INCLUDE (at, quantity)
	WITH (neighbors = 50, history = 20, min_support = 2, retrain_after = 0, subject_exponent = 0.75, popularity_exponent = 0, sharpness = 2);
\d tuned
SELECT indexdef FROM pg_indexes WHERE indexname = 'tuned';
ALTER INDEX tuned SET (neighbors = 3, retrain_after = 1.5);
ALTER INDEX tuned RESET (history, min_support);
SELECT pg_get_indexdef('tuned'::regclass);
-- they take effect at the next training
SELECT count(*) FROM similar_items('tuned', 'p1', 100);
SELECT retrain('tuned');
SELECT count(*) FROM similar_items('tuned', 'p1', 100);
ALTER INDEX tuned SET (min_support = 1000);
SELECT retrain('tuned');
SELECT count(*) FROM similar_items('tuned', 'p1', 100);
DROP INDEX tuned;

CREATE FUNCTION try(options text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE 'CREATE INDEX tried ON purchases USING similarity (customer, product) WITH (' || options || ')';
	DROP INDEX tried;
	RETURN options || ': accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || SQLERRM || '; ' || detail;
END $$;
SELECT try(o) FROM unnest('{
	neighbors = 0,neighbors = 1,neighbors = 500,neighbors = 501,neighbors = many,
	history = 0,history = 1,history = 10000,history = 10001,
	min_support = 0,min_support = 1,min_support = 2147483647,min_support = -3,
	retrain_after = -0.1,retrain_after = 0,retrain_after = 100,retrain_after = 100.1,retrain_after = NaN,
	subject_exponent = -1,subject_exponent = 0,subject_exponent = 2,subject_exponent = 2.1,subject_exponent = NaN,
	popularity_exponent = -0.01,popularity_exponent = 0,popularity_exponent = 2,popularity_exponent = 3,popularity_exponent = NaN,
	sharpness = 0,sharpness = 0.1,sharpness = 10,sharpness = 10.5,sharpness = NaN,
	fillfactor = 50,neighbours = 10,sharpness = Infinity}'::text[]) o;
CREATE INDEX again ON purchases USING similarity (customer, product);
ALTER INDEX again SET (neighbors = 1000000);
ALTER INDEX again SET (sharpness = 'NaN');
ALTER INDEX again SET (unknown = 1);
DROP INDEX again;

-- columns of another shape
CREATE INDEX ON purchases USING similarity (customer);
CREATE INDEX ON purchases USING similarity (customer, product, day);
CREATE INDEX ON purchases USING similarity (customer, product) INCLUDE (note);
CREATE INDEX ON purchases USING similarity (customer, product) INCLUDE (at, day);
CREATE INDEX ON purchases USING similarity (customer, product) INCLUDE (quantity, at, price);
CREATE INDEX ON purchases USING similarity (customer, product) INCLUDE (extra);
CREATE INDEX ON empty USING similarity (customer);
-- nothing is left of them
SELECT count(*) FROM pg_indexes WHERE schemaname = 'similarity_index' AND tablename = 'purchases';

-- what INCLUDE recognises, in any order: with a time trending() has a half-life
CREATE DOMAIN moment AS timestamp;
CREATE DOMAIN weight AS numeric CHECK (VALUE > 0);
CREATE TABLE shapes (s int, i int, tz timestamptz, ts timestamp, d date, m moment,
	i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric, w weight);
INSERT INTO shapes SELECT x % 5, x % 3, at, at, at, at, 2, 2, 2, 2, 2, 2, 2
FROM generate_series(1, 30) x, LATERAL (SELECT timestamp '2024-01-01' + x * interval '1 day') t(at);
CREATE FUNCTION shape(columns text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	weight numeric; dated boolean = true;
BEGIN
	EXECUTE 'CREATE INDEX shape ON shapes USING similarity (s, i) ' || columns;
	-- strength 2 makes a weight of log2(1 + 2 * rows), without one it is log2(2) = 1 or log2(1 + rows)
	SELECT round(sum(score)::numeric, 3) INTO weight FROM recommend('shape', 1, 100, seen => true) WHERE reason = 'similar';
	BEGIN
		PERFORM * FROM trending('shape', half_life => '1 day');
	EXCEPTION WHEN invalid_parameter_value THEN
		dated = false;
	END;
	DROP INDEX shape;
	RETURN format('%s: scores sum to %s, %s', columns, weight, CASE WHEN dated THEN 'has a time' ELSE 'has no time' END);
END $$;
SELECT shape(c) FROM unnest(ARRAY['', 'INCLUDE (tz)', 'INCLUDE (ts)', 'INCLUDE (d)', 'INCLUDE (m)', 'INCLUDE (i2)', 'INCLUDE (i4)',
	'INCLUDE (i8)', 'INCLUDE (f4)', 'INCLUDE (f8)', 'INCLUDE (n)', 'INCLUDE (w)', 'INCLUDE (w, m)', 'INCLUDE (tz, f4)', 'INCLUDE (f8, d)']) c;

-- keys of types that cannot be
CREATE INDEX ON purchases USING similarity (customer, extra);
CREATE INDEX ON purchases USING similarity (extra, product);
CREATE COLLATION insensitive (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE words (s text COLLATE insensitive, i text);
INSERT INTO words VALUES ('a', 'b');
CREATE INDEX ON words USING similarity (s, i);
CREATE INDEX ON words USING similarity (i, s);
CREATE INDEX words_c ON words USING similarity ((s COLLATE "C"), i);
DROP TABLE words;

-- what other access methods have
CREATE UNIQUE INDEX ON purchases USING similarity (customer, product);
CREATE INDEX ON purchases USING similarity (customer DESC, product);
CREATE INDEX ON purchases USING similarity (customer, product NULLS FIRST);
ALTER TABLE purchases ADD EXCLUDE USING similarity (customer WITH =, product WITH =);
CREATE INDEX again ON purchases USING similarity (customer, product);
CLUSTER purchases USING again;

-- the planner does not use it, even where there is nothing else
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		-- PostgreSQL 18 says of a node that it was not wanted
		CONTINUE WHEN line LIKE '%Disabled: true';
		RETURN NEXT line;
	END LOOP;
END $$;
SET enable_seqscan = off;
SELECT plan($$SELECT * FROM purchases WHERE customer = 1 AND product = 'p1'$$);
SELECT plan($$SELECT customer, product FROM purchases ORDER BY customer, product$$);
RESET enable_seqscan;
DROP FUNCTION plan;
SELECT pg_get_indexdef('again'::regclass);
DROP INDEX again;

-- strength must be positive; NULL is 1
CREATE TABLE rated (s int, i int, stars numeric);
INSERT INTO rated VALUES (1, 1, 5), (1, 2, NULL), (2, 1, 0.5), (2, 3, 1);
CREATE INDEX rated_similarity ON rated USING similarity (s, i) INCLUDE (stars);
INSERT INTO rated VALUES (7, 8, 0);
INSERT INTO rated VALUES (7, 8, -2.5);
INSERT INTO rated VALUES (7, 8, 'NaN');
INSERT INTO rated VALUES (7, 8, 1e39);
INSERT INTO rated VALUES (7, 8, 1e-50);
INSERT INTO rated VALUES (7, 8, '1e400');
UPDATE rated SET stars = 0 WHERE s = 1;
INSERT INTO rated VALUES (NULL, 8, -1), (7, NULL, -1);
SELECT interactions FROM similarity_stats('rated');
DROP INDEX rated_similarity;
INSERT INTO rated VALUES (7, 8, 0);
CREATE INDEX ON rated USING similarity (s, i) INCLUDE (stars);
CREATE INDEX rated_partial ON rated USING similarity (s, i) INCLUDE (stars) WHERE stars > 0;
SELECT interactions FROM similarity_stats('rated');

-- rows with a NULL key are no interactions
CREATE TABLE gaps (s int, i int);
INSERT INTO gaps VALUES (1, 1), (1, NULL), (NULL, 1), (NULL, NULL), (2, 1), (2, 2), (1, 2);
CREATE INDEX ON gaps USING similarity (s, i);
SELECT subjects, items, interactions FROM similarity_stats('gaps');
INSERT INTO gaps VALUES (3, NULL), (NULL, 3), (3, 3);
SELECT subjects, items, interactions FROM similarity_stats('gaps');
UPDATE gaps SET i = NULL WHERE s = 3;
VACUUM (INDEX_CLEANUP ON) gaps;
SELECT subjects, interactions FROM similarity_stats('gaps');

-- an UPDATE of other columns, which leaves the index alone (HOT): the row stays in the history, VACUUM or not
CREATE TABLE hot (s int, i int, note text) WITH (fillfactor = 50);
INSERT INTO hot SELECT x % 5, x % 4 FROM generate_series(1, 40) x;
CREATE INDEX ON hot USING similarity (s, i);
-- what the subject has is not offered, so that this is what is missing from its history
CREATE FUNCTION missing() RETURNS text LANGUAGE sql AS
$$ SELECT coalesce(string_agg(item, ' ' ORDER BY item), 'none') FROM recommend('hot', 1) $$;
SELECT missing();
UPDATE hot SET note = 'once';
UPDATE hot SET note = 'twice';
SELECT pg_stat_force_next_flush();
SELECT n_tup_hot_upd > 40 AS hot FROM pg_stat_user_tables WHERE relid = 'hot'::regclass;
SELECT missing(), interactions FROM similarity_stats('hot');
VACUUM (INDEX_CLEANUP ON) hot;
SELECT missing(), interactions FROM similarity_stats('hot');
DELETE FROM hot WHERE i = 1;
SELECT missing(), interactions FROM similarity_stats('hot');
VACUUM (INDEX_CLEANUP ON) hot;
SELECT missing(), interactions FROM similarity_stats('hot');

-- what reads counts as a scan
SELECT count(*) > 0 AS found FROM recommend('hot', 99);
SELECT count(*) > 0 AS found FROM similar_items('hot', 2);
SELECT count(*) > 0 AS found FROM trending('hot');
SELECT pg_stat_force_next_flush();
SELECT idx_scan > 2 AS counted FROM pg_stat_user_indexes WHERE relid = 'hot'::regclass;

-- partial and expression indexes
CREATE INDEX by_month ON purchases USING similarity (customer, (upper(product))) INCLUDE (at) WHERE quantity > 1;
SELECT pg_get_indexdef('by_month'::regclass);
SELECT interactions = (SELECT count(*) FROM purchases WHERE quantity > 1) AS partial FROM similarity_stats('by_month');
SELECT count(*) > 0 AS upper, bool_and(item = upper(item)) FROM recommend('by_month', 1);
INSERT INTO purchases VALUES (100, 'p1', '2024-02-01', 1), (100, 'p2', '2024-02-01', 2);
SELECT DISTINCT because FROM recommend('by_month', 100) WHERE reason = 'similar';
DROP INDEX by_month;
DELETE FROM purchases WHERE customer = 100;

-- REINDEX, TRUNCATE, and tables that are rewritten
CREATE INDEX purchases_similarity ON purchases USING similarity (customer, product) INCLUDE (at, quantity);
CREATE FUNCTION all_answers() RETURNS text LANGUAGE sql AS
$$ SELECT md5(string_agg(r::text, ' ' ORDER BY s, ordinality)) FROM generate_series(0, 25) s, recommend('purchases', s) WITH ORDINALITY r $$;
CREATE TABLE noted AS SELECT all_answers() AS answers;
REINDEX INDEX purchases_similarity;
SELECT all_answers() = answers AS reindexed FROM noted;
REINDEX INDEX CONCURRENTLY purchases_similarity;
SELECT all_answers() = answers AS reindexed_concurrently FROM noted;
VACUUM FULL purchases;
SELECT all_answers() = answers AS vacuumed_full FROM noted;
ALTER TABLE purchases ALTER customer TYPE bigint;
SELECT all_answers() = answers AS retyped FROM noted;
ALTER INDEX purchases_similarity RENAME TO renamed;
ALTER TABLE purchases RENAME COLUMN product TO article;
SELECT all_answers() = answers AS renamed FROM noted;
ALTER TABLE purchases RENAME COLUMN article TO product;
CREATE INDEX CONCURRENTLY concurrent ON purchases USING similarity (customer, product) INCLUDE (at, quantity);
DROP INDEX renamed;
SELECT all_answers() = answers AS created_concurrently FROM noted;
TRUNCATE purchases;
SELECT subjects, items, interactions, generation FROM similarity_stats('purchases');
SELECT * FROM recommend('purchases', 1);
INSERT INTO purchases SELECT * FROM empty;
SELECT retrain('purchases');
SELECT all_answers() = answers AS reloaded FROM noted;
BEGIN;
TRUNCATE purchases;
INSERT INTO purchases (customer, product) VALUES (1, 'p1');
ROLLBACK;
SELECT all_answers() = answers AS rolled_back FROM noted;

-- unlogged and temporary tables
CREATE UNLOGGED TABLE transient AS SELECT * FROM purchases;
CREATE INDEX ON transient USING similarity (customer, product);
SELECT interactions FROM similarity_stats('transient');
ALTER TABLE transient SET LOGGED;
SELECT count(*) FROM similar_items('transient', 'p1');
CREATE TEMP TABLE own AS SELECT * FROM purchases;
CREATE INDEX ON own USING similarity (customer, product);
INSERT INTO own SELECT * FROM purchases;
SELECT retrain('own');
SELECT interactions, changed FROM similarity_stats('own');

-- a materialized view: REFRESH trains, CONCURRENTLY by inserts and deletes
CREATE MATERIALIZED VIEW summary AS SELECT DISTINCT customer, product FROM purchases;
CREATE UNIQUE INDEX ON summary (customer, product);
CREATE INDEX ON summary USING similarity (customer, product);
SELECT interactions, generation, changed FROM similarity_stats('summary');
DELETE FROM purchases WHERE customer = 1;
INSERT INTO purchases (customer, product) VALUES (50, 'p1'), (50, 'p8'), (51, 'p8');
REFRESH MATERIALIZED VIEW CONCURRENTLY summary;
SELECT because FROM recommend('summary', 51, 1);
SELECT retrain('summary');
SELECT because FROM recommend('summary', 51, 1);
REFRESH MATERIALIZED VIEW summary;
SELECT interactions = (SELECT count(*) FROM summary) AS all_rows, generation, changed FROM similarity_stats('summary');

-- partitions have their own; the whole has none
CREATE TABLE parts (s int, i int) PARTITION BY HASH (s);
CREATE TABLE part_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT x % 10, x % 7 FROM generate_series(1, 100) x;
CREATE INDEX parts_similarity ON parts USING similarity (s, i);
SELECT retrain('parts');
SELECT * FROM similarity_stats('parts');
SELECT * FROM similarity_stats('parts_similarity');
SELECT sum(interactions) FROM (VALUES ('part_0'), ('part_1')) p(name), similarity_stats(name::regclass);

-- too little memory for all: a sample, and said so
CREATE TABLE much (s int, i int);
INSERT INTO much SELECT x / 100, x % 100 FROM generate_series(1, 200000) x;
SET maintenance_work_mem = '1MB';
CREATE INDEX much_similarity ON much USING similarity (s, i);
SELECT retrain('much');
RESET maintenance_work_mem;
SELECT interactions, sampled < 0.8 AS sample FROM similarity_stats('much');
SELECT retrain('much');
SELECT interactions, sampled FROM similarity_stats('much');

-- retrain() and similarity_stats(): of what, and by whom
CREATE TABLE bare (s int, i int);
CREATE INDEX bare_btree ON bare (s);
CREATE VIEW looked_at AS SELECT * FROM bare;
SELECT retrain('bare');
SELECT retrain('bare_btree');
SELECT retrain('looked_at');
SELECT retrain(NULL);
SELECT retrain(0);
SELECT retrain('missing');
SELECT * FROM similarity_stats('bare');
SELECT * FROM similarity_stats('bare_btree');
SELECT * FROM similarity_stats('looked_at');
SELECT * FROM similarity_stats(NULL);
SELECT index FROM similarity_stats('much');
SELECT index FROM similarity_stats('much_similarity');
CREATE ROLE regress_owner;
CREATE ROLE regress_other;
GRANT USAGE ON SCHEMA similarity_index, personalize TO regress_owner, regress_other;
ALTER TABLE much OWNER TO regress_owner;
SET ROLE regress_other;
SELECT retrain('much');
SELECT * FROM similarity_stats('much');
RESET ROLE;
GRANT ALL ON much TO regress_other;
SET ROLE regress_other;
SELECT retrain('much');
SELECT interactions FROM similarity_stats('much');
SET ROLE regress_owner;
SELECT retrain('much');
RESET ROLE;

-- an index that a failed CREATE INDEX CONCURRENTLY left
CREATE TABLE halfway (s int, i int, n int);
INSERT INTO halfway VALUES (1, 1, 1), (1, 2, 0);
CREATE INDEX CONCURRENTLY halfway_similarity ON halfway USING similarity (s, i) INCLUDE (n);
SELECT retrain('halfway');
SELECT * FROM recommend('halfway', 1);
UPDATE halfway SET n = 1;
REINDEX INDEX halfway_similarity;
SELECT interactions FROM similarity_stats('halfway');

-- sizes add up
SELECT total_bytes = pg_relation_size(index) AS total,
	total_bytes = directory_bytes + posting_bytes + neighbor_bytes + popular_bytes + free_bytes AS parts
FROM unnest('{purchases,much,summary,own,gaps,empty}'::regclass[]) source, similarity_stats(source);

SET client_min_messages = warning;
DROP SCHEMA similarity_index CASCADE;
DROP OWNED BY regress_owner, regress_other;
DROP ROLE regress_owner, regress_other;
