-- ope()
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
CREATE SCHEMA off_policy;
SET search_path = off_policy, personalize;
SET extra_float_digits = -3;
\pset null (null)

-- every function of this part has a comment and the volatility it claims
SELECT p.oid::regprocedure AS function, prokind, provolatile, proparallel, proisstrict,
	obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
WHERE proname ~ '^ope_?'
ORDER BY p.oid::regprocedure::text COLLATE "C";

CREATE TABLE log (i int, reward float8, logged_p float8, target_p float8, q_logged float8, q_target float8);
INSERT INTO log VALUES (1, 1, 0.5, 1, 0.8, 0.6), (2, 0, 0.5, 0, 0.2, 0.6), (3, 1, 0.1, 0.8, 0.7, 0.5), (4, 0, 0.9, 0.2, 0.3, 0.5);
\x
SELECT (ope(reward, logged_p, target_p)).* FROM log;
SELECT (ope(reward, logged_p, target_p, 4)).* FROM log;
SELECT (ope(reward, logged_p, target_p, q_logged, q_target)).* FROM log;
SELECT (ope(reward, logged_p, target_p, q_logged, q_target, 4)).* FROM log;
-- one row; no weights; nothing
SELECT (ope(reward, logged_p, target_p, q_logged, q_target, 4)).* FROM log WHERE i = 1;
SELECT (ope(reward, logged_p, 0, q_logged, q_target, 4)).* FROM log;
SELECT (ope(i, 1, 1e-200)).* FROM log;
SELECT (ope(i, 1, 1e-149)).* FROM log;
\x
SELECT ope(reward, logged_p, target_p) FROM log WHERE false;
SELECT ope_partial(reward, logged_p, target_p) FROM log WHERE false;
SELECT ope_merge(NULL);
-- rows with a null are skipped
SELECT (ope(reward, p, t, q, q, 4)).n FROM (VALUES (1.0, 0.5, 0.5, 1.0), (NULL, 0.5, 0.5, 1), (1, NULL, 0.5, 1), (1, 0.5, NULL, NULL)) v(reward, p, t, q);
SELECT ope_merge(state) = (SELECT ope(reward, logged_p, target_p, q_logged, q_target, 4) FROM log) AS merged
FROM (SELECT ope_partial(reward, logged_p, target_p, q_logged, q_target, 4) AS state FROM log GROUP BY i % 2) s;

-- refused
SELECT ope(1, 0, 0.5);
SELECT ope(1, 1.1, 0.5);
SELECT ope(1, -0.5, 0.5);
SELECT ope(1, 'NaN', 0.5);
SELECT ope(1, 0.5, 1.1);
SELECT ope(1, 0.5, -0.1);
SELECT ope(1, 0.5, 'NaN');
SELECT ope('NaN', 0.5, 0.5);
SELECT ope('Infinity', 0.5, 0.5);
SELECT ope(1e200, 0.5, 0.5);
SELECT ope(1e200, 1, 1e-100);
SELECT ope(1, 1e-200, 0.5);
SELECT ope(1, 0.5, 0.5, 0);
SELECT ope(1, 0.5, 0.5, -1);
SELECT ope(1, 0.5, 0.5, 'NaN');
SELECT ope(1, 0.5, 0.5, NULL);
SELECT ope(1, 0.5, 0.5, i) FROM generate_series(1, 2) i;
SELECT ope(1, 0.5, 0.5, NULL, 1);
SELECT ope(1, 0.5, 0.5, 1, NULL);
SELECT ope(1, 0.5, 0.5, 'NaN', 1);
SELECT ope(1, 0.5, 0.5, 1, '-Infinity');
SELECT ope_merge(s) FROM (SELECT ope_partial(1, 0.5, 0.5, 2) AS s UNION ALL SELECT ope_partial(1, 0.5, 0.5)) p;
SELECT ope_merge(s) FROM (SELECT ope_partial(1, 0.5, 0.5, 1, 1) AS s UNION ALL SELECT ope_partial(1, 0.5, 0.5)) p;
SELECT ope_add(ope_partial(1, 0.5, 0.5, 1, 1), 1, 0.5, 0.5);
SELECT ope_add(ope_partial(1, 0.5, 0.5), 1, 0.5, 0.5, 1, 1);
SELECT 'a5'::ope_state;

DROP SCHEMA off_policy CASCADE;
