-- scores, segments, tiers, classes and the report of segments
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = public, personalize;
SET timezone = 'UTC';
SET extra_float_digits = 0;
\set VERBOSITY default

-- every function of this part with the volatility it claims, and a comment
SELECT p.oid::regprocedure, prokind, provolatile, proparallel, proisstrict, prorows,
	obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
WHERE proname ~ '^(rfm_(breaks|score|ntile|segment|rule)|value_tier|engagement_level|behaviour_class|segment_report)'
ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT attname, col_description(attrelid, attnum) AS comment
FROM pg_attribute WHERE attrelid = 'rfm_rule'::regclass AND attnum > 0 ORDER BY attnum;

-- twelve customers small enough to check by hand
CREATE TABLE customers (id int PRIMARY KEY, recency int, orders int, monetary numeric);
INSERT INTO customers VALUES
	(1, 3, 12, 1500), (2, 10, 7, 400), (3, 20, 4, 300), (4, 31, 3, 150),
	(5, 45, 2, 90), (6, 60, 1, 80), (7, 61, 1, 40), (8, 90, 1, 30.5),
	(9, 150, 1, 20), (10, 200, 2, 10), (11, 365, 5, 0), (12, NULL, NULL, NULL);

-- breaks, and scores by them
SELECT rfm_breaks(recency, 5) AS r, rfm_breaks(orders, 5) AS f, rfm_breaks(monetary, 4) AS m FROM customers;
SELECT rfm_breaks(orders, 1), rfm_breaks(orders, 2) FROM customers;
SELECT rfm_breaks(x, 7) FROM unnest('{3,5}'::float8[]) x;
SELECT rfm_breaks(x, 4) FROM unnest('{7}'::float8[]) x;
SELECT rfm_breaks(orders, 5) FROM customers WHERE id = 12;
SELECT rfm_breaks(orders, 5) FROM customers WHERE false;
SELECT rfm_breaks_merge(s) AS merged, rfm_breaks_merge(s, 2) AS halves, rfm_breaks_merge(s, 1) AS whole
FROM (SELECT rfm_breaks_partial(recency, 5) AS s FROM customers GROUP BY id % 3) p;
SELECT id, recency, rfm_score(recency, r, reverse => true), rfm_score(orders, f), rfm_score(monetary, '{20,100,300}')
FROM customers, (SELECT rfm_breaks(recency, 5) AS r, rfm_breaks(orders, 5) AS f FROM customers) b ORDER BY id;
SELECT rfm_score(1, '{}'), rfm_score(1, '{}', true), rfm_score(1, '{1,1,1}'), rfm_score(1.5, '{1,1,1}'), rfm_score(NULL, NULL);
SELECT rfm_score(3, ('{NULL,2,4}'::float8[])[2:3]);

SELECT rfm_breaks(orders, 0) FROM customers;
SELECT rfm_breaks(orders, 32768) FROM customers;
SELECT rfm_breaks(orders, NULL) FROM customers;
SELECT rfm_breaks(orders, orders) FROM customers WHERE id < 3;
SELECT rfm_breaks(x, 5) FROM unnest('{1,NaN}'::float8[]) x;
SELECT rfm_breaks(x, 5) FROM unnest('{1,-Infinity}'::float8[]) x;
SELECT rfm_breaks_merge(s) FROM (SELECT rfm_breaks_partial(orders, id) AS s FROM customers WHERE id < 3 GROUP BY id) p;
SELECT rfm_breaks_merge(s, 0) FROM (SELECT rfm_breaks_partial(orders, 5) AS s FROM customers) p;
SELECT rfm_breaks_merge(sample_state_add(NULL, 1));
SELECT rfm_score('NaN', '{1,2}');
SELECT rfm_score('Infinity', '{1,2}');
SELECT rfm_score(1, NULL);
SELECT rfm_score(1, '{1,2}', NULL);
SELECT rfm_score(1, '{2,1}');
SELECT rfm_score(1, '{1,NULL}');
SELECT rfm_score(1, '{1,NaN}');
SELECT rfm_score(1, '{1,Infinity}');
SELECT rfm_score(1, '{{1,2},{3,4}}');

-- the four rules for ties, and both directions
SELECT id, orders,
	rfm_ntile(orders, 4) OVER w AS quantile,
	rfm_ntile(orders, 4, ties => 'ntile') OVER w AS ntile,
	rfm_ntile(orders, 4, ties => 'cume_dist') OVER w AS cume_dist,
	rfm_ntile(orders, 4, ties => 'percent_rank') OVER w AS percent_rank
FROM customers WINDOW w AS (ORDER BY id) ORDER BY orders, id;
SELECT id, orders,
	rfm_ntile(orders, 4, true) OVER w AS quantile,
	rfm_ntile(orders, 4, true, 'ntile') OVER w AS ntile,
	rfm_ntile(orders, 4, true, 'cume_dist') OVER w AS cume_dist,
	rfm_ntile(orders, 4, true, 'percent_rank') OVER w AS percent_rank
FROM customers WINDOW w AS (ORDER BY id) ORDER BY orders, id;
-- equal values take the order of the window, which is free to be any
SELECT id, rfm_ntile(orders, 2, ties => 'ntile') OVER (ORDER BY id DESC) FROM customers WHERE orders = 1 ORDER BY id;
-- one row, more parts than rows, nulls alone, partitions
SELECT rfm_ntile(x, 5) OVER w AS quantile, rfm_ntile(x, 5, false, 'ntile') OVER w AS ntile,
	rfm_ntile(x, 5, false, 'cume_dist') OVER w AS cume_dist, rfm_ntile(x, 5, false, 'percent_rank') OVER w AS percent_rank
FROM (VALUES (7)) v (x) WINDOW w AS ();
SELECT x, rfm_ntile(x, 9) OVER w AS quantile, rfm_ntile(x, 9, false, 'ntile') OVER w AS ntile,
	rfm_ntile(x, 9, false, 'cume_dist') OVER w AS cume_dist, rfm_ntile(x, 9, false, 'percent_rank') OVER w AS percent_rank
FROM generate_series(1, 3) x WINDOW w AS ();
SELECT rfm_ntile(NULL, 5) OVER w, rfm_ntile(NULL, 5, true, 'ntile') OVER w, value_tier(NULL) OVER w
FROM generate_series(1, 2) WINDOW w AS ();
SELECT id, id % 2 AS part, recency, rfm_ntile(recency, 2 + id % 2, true) OVER (PARTITION BY id % 2) FROM customers ORDER BY id % 2, recency;
SELECT rfm_ntile(orders, 5) OVER () FROM customers WHERE false;

SELECT rfm_ntile(orders, 0) OVER () FROM customers;
SELECT rfm_ntile(orders, NULL) OVER () FROM customers;
SELECT rfm_ntile(orders, 5, NULL) OVER () FROM customers;
SELECT rfm_ntile(orders, 5, true, NULL) OVER () FROM customers;
SELECT rfm_ntile(orders, 5, true, 'first') OVER () FROM customers;
SELECT rfm_ntile(orders, id) OVER (ORDER BY id) FROM customers;
SELECT rfm_ntile(x, 5) OVER () FROM unnest('{1,NaN}'::float8[]) x;
SELECT rfm_ntile(orders, 5) FROM customers;

-- tiers: A while the customers before bring less than 80 %, who brings nothing last
SELECT id, monetary, value_tier(monetary) OVER w, value_tier(monetary, '{0.5,0.9,1}') OVER w AS four, value_tier(monetary, '{}') OVER w AS one
FROM customers WINDOW w AS (ORDER BY id) ORDER BY monetary DESC NULLS LAST;
SELECT x, value_tier(x) OVER () FROM unnest('{-5,10,0,-1,90}'::float8[]) x;
SELECT x, value_tier(x) OVER () FROM unnest('{-5,0}'::float8[]) x;
SELECT value_tier(x) OVER (ORDER BY x) FROM (VALUES (1), (1), (1), (1), (1)) v (x);
SELECT value_tier(x) OVER () FROM unnest('{1,NaN}'::float8[]) x;
SELECT value_tier(x) OVER () FROM unnest('{1,Infinity}'::float8[]) x;
SELECT value_tier(x) OVER () FROM unnest('{1e308,1e308}'::float8[]) x;
SELECT value_tier(1, NULL) OVER ();
SELECT value_tier(1, '{0.9,0.8}') OVER ();
SELECT value_tier(1, '{80,95}') OVER ();
SELECT value_tier(1, '{0,0.5}') OVER ();
SELECT value_tier(1, (SELECT array_agg(0.5) FROM generate_series(1, 26))) OVER ();
SELECT value_tier(1, ARRAY[x * 0.1]) OVER () FROM generate_series(1, 2) x;

-- levels of activity
SELECT x, engagement_level(x), engagement_level(x, '{1,10,100}') FROM unnest('{-1,0,0.5,1.99,2,7,8,1000,NULL}'::float8[]) x;
SELECT engagement_level('NaN');
SELECT engagement_level(1, '{1,2}');
SELECT engagement_level(1, '{3,2,1}');
SELECT engagement_level(1, NULL);

-- segments by scores, from the two sets that come along
SELECT ruleset, priority, segment, r_min, r_max, f_min, f_max, m_min, m_max FROM rfm_rule ORDER BY ruleset, priority;
SELECT r, string_agg(DISTINCT segment || ' ' || f, ', ' ORDER BY segment || ' ' || f) AS segments FROM rfm_segments() GROUP BY r ORDER BY r;
SELECT segment, count(*), min(ARRAY[r, f, m]), max(ARRAY[r, f, m]) FROM rfm_segments('rfm10') GROUP BY segment ORDER BY min(ARRAY[r, f, m]);
SELECT count(*) FROM rfm_ruleset_gaps('rf25');
SELECT count(*) FROM rfm_ruleset_gaps('rfm10');
SELECT rfm_segment(5, 5, 1), rfm_segment(5, 5, 1, 'rfm10'), rfm_segment(5, 5, 5, ruleset => 'rfm10');
SELECT rfm_segment(NULL, 5, 5), rfm_segment(5, NULL, 5), rfm_segment(5, 5, NULL), rfm_segment(0, 1, 1), rfm_segment(6, 1, 1), rfm_segment(1, 1, -2147483648);
SELECT id, rfm_segment(rfm_ntile(recency, 5, true) OVER (), rfm_ntile(orders, 5) OVER (), rfm_ntile(monetary, 5) OVER ()) FROM customers ORDER BY id;
SELECT rfm_segment(5, 5, 5, 'rf26');
SELECT rfm_segment(NULL, 5, 5, 'rf26');
SELECT rfm_segment(5, 5, 5, NULL);
SELECT * FROM rfm_segments('rf26');
SELECT * FROM rfm_segments(NULL);
SELECT * FROM rfm_ruleset_gaps('rf26');

-- a set of one's own: what it leaves out, and what it never uses, is said at once
INSERT INTO rfm_rule (ruleset, priority, segment, r_min, f_min) VALUES ('mine', 10, 'best', 4, 4);
INSERT INTO rfm_rule (ruleset, priority, segment, r_min, f_min, m_min) VALUES ('mine', 20, 'rich', 5, 4, 5);
INSERT INTO rfm_rule (ruleset, priority, segment) VALUES ('mine', 30, 'rest');
UPDATE rfm_rule SET m_max = 4 WHERE ruleset = 'mine' AND priority = 10;
SELECT rfm_segment(r, 4, 5, 'mine') FROM generate_series(1, 5) r;
SELECT * FROM rfm_ruleset_gaps('mine');
UPDATE rfm_rule SET m_min = 2 WHERE ruleset = 'mine' AND priority = 30;
SELECT count(*), min(ARRAY[r, f, m]), max(ARRAY[r, f, m]) FROM rfm_ruleset_gaps('mine');
UPDATE rfm_rule SET ruleset = 'yours' WHERE ruleset = 'mine' AND priority = 30;
DELETE FROM rfm_rule WHERE ruleset = 'yours';
-- one gap, and a scale of ten
INSERT INTO rfm_rule VALUES ('ten', 1, 'low', 1, 5, 1, 10, 1, 10), ('ten', 2, 'high', 6, 10, 1, 10, 1, 9), ('ten', 3, 'top', 6, 10, 2, 10, 10, 10),
	('ten', 4, 'top', 7, 10, 1, 10, 10, 10);
SELECT rfm_segment(6, 1, 10, 'ten'), rfm_segment(6, 1, 9, 'ten'), rfm_segment(10, 10, 10, 'ten');
SELECT count(*) FROM rfm_segments('ten');
DELETE FROM rfm_rule WHERE ruleset IN ('mine', 'ten') RETURNING ruleset, priority;
INSERT INTO rfm_rule (ruleset, priority, segment, r_min) VALUES ('mine', 1, 'best', 6);
INSERT INTO rfm_rule (ruleset, priority, segment, f_max) VALUES ('mine', 1, 'best', 101);
INSERT INTO rfm_rule (ruleset, priority, segment, m_min) VALUES ('mine', 1, 'best', 0);
INSERT INTO rfm_rule (ruleset, priority, segment) VALUES ('', 1, 'best');
INSERT INTO rfm_rule (ruleset, priority, segment) VALUES ('mine', 1, '');
INSERT INTO rfm_rule (ruleset, priority, segment) VALUES ('mine', 1, 'a'), ('mine', 1, 'b');
-- those that come along stay as they are, as no dump has them
INSERT INTO rfm_rule (ruleset, priority, segment) VALUES ('rf25', 0, 'all');
UPDATE rfm_rule SET segment = 'Top' WHERE ruleset = 'rfm10' AND priority = 1;
UPDATE rfm_rule SET ruleset = 'mine' WHERE ruleset = 'rf25' AND priority = 10;
DELETE FROM rfm_rule;
TRUNCATE rfm_rule;
DELETE FROM rfm_rule WHERE false;
SELECT extcondition[array_position(extconfig, 'rfm_rule'::regclass)] FROM pg_extension WHERE extname = 'personalize';
-- anybody may read, only the owner may write
CREATE ROLE regress_personalize_reader;
GRANT USAGE ON SCHEMA personalize TO regress_personalize_reader;
SET ROLE regress_personalize_reader;
SELECT rfm_segment(5, 5, 5);
INSERT INTO rfm_rule (ruleset, priority, segment) VALUES ('mine', 1, 'all');
RESET ROLE;
REVOKE USAGE ON SCHEMA personalize FROM regress_personalize_reader;
DROP ROLE regress_personalize_reader;
SELECT rfm_rule_changed();
CREATE TRIGGER inserted AFTER INSERT ON customers FOR EACH ROW EXECUTE FUNCTION rfm_rule_changed();
INSERT INTO customers VALUES (13);
DROP TRIGGER inserted ON customers;
CREATE TABLE own_rules (ruleset text);
CREATE TRIGGER inserted AFTER INSERT ON own_rules REFERENCING NEW TABLE AS new_rules FOR EACH STATEMENT EXECUTE FUNCTION rfm_rule_changed();
INSERT INTO own_rules VALUES (NULL);
DROP TABLE own_rules;
CREATE TABLE new_rules AS SELECT NULL AS ruleset;
CREATE TRIGGER another AFTER INSERT ON rfm_rule REFERENCING NEW TABLE AS other_rules FOR EACH STATEMENT EXECUTE FUNCTION rfm_rule_changed();
INSERT INTO rfm_rule (ruleset, priority, segment) VALUES ('mine', 40, 'more');
DROP TRIGGER another ON rfm_rule;
DROP TABLE new_rules;

-- what visitors did
CREATE TABLE events (visitor int, event text);
INSERT INTO events VALUES
	(1, 'view'), (1, 'search'), (1, 'add_to_cart'), (1, 'checkout_start'), (1, 'purchase'), (1, 'view'),
	(2, 'checkout_start'), (2, 'view'), (3, 'view'), (3, 'add_to_cart'), (3, NULL),
	(4, 'search'), (4, 'view'), (5, 'view'), (6, 'login'), (6, 'Purchase'), (7, NULL);
SELECT visitor, behaviour_class(event) FROM events GROUP BY visitor ORDER BY visitor;
SELECT visitor, behaviour_class(event, '{login,NULL,view,search,Purchase}') FROM events GROUP BY visitor ORDER BY visitor;
SELECT behaviour_class(event) FROM events WHERE false;
SELECT behaviour_class_merge(s) FROM (SELECT behaviour_class_partial(event) AS s FROM events WHERE visitor > 2 GROUP BY visitor) p;
SELECT behaviour_class(event, '{a,b,c,d}') FROM events;
SELECT behaviour_class(event, '{{a,b,c,d,e}}') FROM events;
SELECT behaviour_class(event, NULL) FROM events;
SELECT behaviour_class_merge(6);

-- the report
SELECT * FROM segment_report('SELECT CASE WHEN orders > 3 THEN ''regular'' WHEN orders > 0 THEN ''rare'' END AS segment, orders, monetary FROM customers');
SELECT * FROM segment_report($$
	SELECT monetary * 1.5 AS lifetime_value, monetary, id % 2 AS segment, orders::float8 FROM customers -- in any order
	WHERE orders > 0; $$);
SELECT * FROM segment_report('SELECT ''a'' AS segment, 1 AS orders, -2 AS monetary UNION ALL SELECT ''b'', 0, 0 UNION ALL SELECT ''c'', NULL, NULL');
SELECT * FROM segment_report('SELECT ''a''::text AS segment, 1 AS orders, 1 AS monetary WHERE false');
SELECT * FROM segment_report('WITH c AS (SELECT * FROM customers) SELECT ''a'' AS segment, orders, monetary FROM c ORDER BY id LIMIT 2');
SELECT * FROM segment_report(NULL);
SELECT * FROM segment_report('SELECT id, orders, monetary FROM customers');
SELECT * FROM segment_report('SELECT id AS segment, orders FROM customers');
SELECT * FROM segment_report('SELECT id AS segment, orders, monetary, orders FROM customers');
SELECT * FROM segment_report('SELECT id AS segment, orders, monetary::text FROM customers');
SELECT * FROM segment_report('SELECT id AS segment, orders, monetary::money FROM customers');
SELECT * FROM segment_report('SELECT id AS segment, -orders AS orders, monetary FROM customers');
SELECT * FROM segment_report('SELECT ''x'' AS segment, orders, ''NaN''::numeric AS monetary FROM customers');
SELECT * FROM segment_report('SELECT NULL AS segment, orders, monetary, ''Infinity''::float8 AS lifetime_value FROM customers');
SELECT * FROM segment_report('SELECT id AS segment, orders, monetary FROM no_such_table');
SELECT * FROM segment_report('SELECT 1 AS segment, 1 AS orders, 1 AS monetary; SELECT 2');
SELECT * FROM segment_report('SELECT 1 AS segment, 1 AS orders, 1 AS monetary) q; DELETE FROM customers; SELECT * FROM (SELECT 1');
SELECT * FROM segment_report('SELECT id AS segment, orders, monetary INTO copied FROM customers');
SELECT * FROM segment_report('DELETE FROM customers RETURNING id AS segment, orders, monetary');
SELECT * FROM segment_report('SHOW ALL');
SELECT * FROM segment_report('');
SELECT * FROM segment_report('SELECT $1');
SELECT count(*) FROM customers;

DROP TABLE customers, events;
