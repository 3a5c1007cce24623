-- bayes_effect(), bayes_proportion(), bayes_rate()
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = personalize;
SET extra_float_digits = -6;

SELECT p.oid::regprocedure AS function, provolatile, proparallel, proisstrict, obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
WHERE proname ~ '^bayes_' ORDER BY p.oid::regprocedure::text COLLATE "C";

SELECT * FROM bayes_effect(0.05, 0.04);
SELECT * FROM bayes_effect(0.05, 0.04, prior_variance => 0.0016, alpha => 0.1);
SELECT * FROM bayes_effect(0.01, 1e-9);
SELECT * FROM bayes_proportion(49, 100, 51, 100);
SELECT * FROM bayes_proportion(0, 0, 0, 0);
SELECT * FROM bayes_proportion(0, 50, 0, 60, 0.5, 0.5, alpha => 0.2);
SELECT * FROM bayes_rate(10, 100, 14, 100);
SELECT * FROM bayes_rate(0, 10, 0, 1);

-- refused
SELECT bayes_effect('NaN', 1);
SELECT bayes_effect(0.1, 0);
SELECT bayes_effect(0.1, 1, prior_mean => NULL);
SELECT bayes_effect(0.1, 1, prior_variance => 0);
SELECT bayes_effect(0.1, 1, alpha => 1);
SELECT bayes_effect(1e308, 1e-308);
SELECT bayes_proportion(-1, 10, 1, 10);
SELECT bayes_proportion(11, 10, 1, 10);
SELECT bayes_proportion(1, 10, 11, 10);
SELECT bayes_proportion(NULL, 10, 1, 10);
SELECT bayes_proportion(1, 10, 1, 10, prior_alpha => 0);
SELECT bayes_proportion(1, 10, 1, 10, prior_beta => 'NaN');
SELECT bayes_proportion(1, 10, 1, 10, alpha => 0);
SELECT bayes_rate(-1, 10, 1, 10);
SELECT bayes_rate(1, 0, 1, 10);
SELECT bayes_rate(1, 10, 'Infinity', 10);
SELECT bayes_rate(1, 10, 1, 10, prior_shape => 0);
SELECT bayes_rate(1, 10, 1, 10, prior_rate => -1);
