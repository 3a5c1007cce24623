-- qini(), uplift_curve()
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
CREATE SCHEMA uplift;
SET search_path = uplift, personalize;
SET extra_float_digits = -3;
\pset null (null)

-- every function of this part has a comment and the volatility it claims
SELECT p.oid::regprocedure AS function, prokind, provolatile, proparallel, proisstrict,
	obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
WHERE proname ~ '^(qini|uplift)'
ORDER BY p.oid::regprocedure::text COLLATE "C";

SELECT t.oid::regtype AS type, obj_description(t.oid, 'pg_type') <> '' AS comment,
	(SELECT count(*) FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NULL) AS without
FROM pg_type t WHERE t.typname IN ('qini_result', 'qini_state', 'uplift_point')
ORDER BY t.typname COLLATE "C";

-- eight units, by hand: gains 1, 1, 2, 1, 1/2, 0, -2/3, 0; the best would be 1, 2, 2, 2, 2, 2, 1, 0
CREATE TABLE sent (score float8, treated boolean, outcome float8);
INSERT INTO sent VALUES (0.9, true, 1), (0.8, false, 0), (0.7, true, 1), (0.6, false, 1), (0.5, true, 0), (0.4, true, 0), (0.3, false, 1), (0.2, false, 0);
\x on
SELECT (qini(score, treated, outcome)).* FROM sent;
\x off
SELECT c.* FROM (SELECT qini_partial(score, treated, outcome) AS s FROM sent) s, uplift_curve(s.s, 8) c;
-- a buyer of the control comes first
SELECT c.* FROM (SELECT qini_partial(CASE WHEN score = 0.6 THEN 1 ELSE score END, treated, outcome) AS s FROM sent) s, uplift_curve(s.s, 8) c;
-- shares that fall between two units, and a single step
SELECT c.* FROM (SELECT qini_partial(score, treated, outcome) AS s FROM sent) s, uplift_curve(s.s, 3) c;
SELECT c.* FROM (SELECT qini_partial(score, treated, outcome) AS s FROM sent) s, uplift_curve(s.s, 1) c;
SELECT count(*) FROM (SELECT qini_partial(score, treated, outcome) AS s FROM sent) s, uplift_curve(s.s) c;

-- units of one score are one point: no order among them
SELECT c.* FROM (SELECT qini_partial(round(score::numeric, 0), treated, outcome) AS s FROM sent) s, uplift_curve(s.s, 4) c;
SELECT (qini(1, treated, outcome)).* FROM sent;
-- the order that knows the outcomes; the opposite one; outcomes that are all alike
SELECT (qini(CASE WHEN treated THEN outcome ELSE -outcome END, treated, outcome)).* FROM sent;
SELECT (qini(CASE WHEN treated THEN -outcome ELSE outcome END, treated, outcome)).* FROM sent;
SELECT (qini(score, treated, 0)).* FROM sent;

-- one arm alone, one unit, no rows
SELECT (qini(score, treated, outcome)).* FROM sent WHERE treated;
SELECT (qini(score, treated, outcome)).* FROM sent WHERE NOT treated;
SELECT (qini(score, treated, outcome)).* FROM sent WHERE score = 0.9;
SELECT c.* FROM (SELECT qini_partial(score, treated, outcome) AS s FROM sent WHERE treated) s, uplift_curve(s.s) c;
SELECT qini(score, treated, outcome), qini_partial(score, treated, outcome) FROM sent WHERE false;
SELECT * FROM uplift_curve(NULL);

-- nulls are skipped, -0 is 0, numeric is read
SELECT qini(score, treated, outcome) = (SELECT qini(score::numeric, treated, outcome::int) FROM sent) AS same
FROM (SELECT * FROM sent UNION ALL VALUES (NULL, true, 1), (0.95, NULL, 1), (0.95, true, NULL)) x;
SELECT qini_partial(x, false, x)::text = qini_partial(-x, false, 0)::text AS same FROM (VALUES (0::float8)) v(x);

-- states
SELECT qini_merge(s) = (SELECT qini(score, treated, outcome) FROM sent) AS same FROM (SELECT qini_partial(score, treated, outcome) AS s FROM sent GROUP BY outcome) x;
SELECT qini_partial(x, x > 1, -x) FROM generate_series(1, 2) x;
SELECT 'abc'::qini_state;
SELECT 'a5'::qini_state;
SELECT lift_quantile_partial(1, true, 0.5)::text::qini_state;

-- refused
SELECT qini('NaN', true, 1);
SELECT qini(1, true, 'NaN');
SELECT qini('-Infinity', true, 1);
SELECT qini(1, true, 'Infinity');
SELECT qini(x, x % 2 = 0, 1e308) FROM generate_series(1, 6) x;
SELECT qini(x, x % 2 = 0, CASE WHEN x % 2 = 0 THEN 1e307 ELSE 0 END) FROM generate_series(1, 20) x;
SELECT uplift_curve(qini_partial(1, true, 1), 0);
SELECT uplift_curve(qini_partial(1, true, 1), 100001);
SELECT uplift_curve(qini_partial(1, true, 1), NULL);

DROP TABLE sent;
