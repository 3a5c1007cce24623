-- sequential_rho(), always_valid_halfwidth(), always_valid_p(), sequential_bounds(), msprt()
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = personalize;
SET extra_float_digits = -3;

SELECT p.oid::regprocedure AS function, provolatile, proparallel, proisstrict, obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
WHERE proname ~ '^(sequential_|always_valid_|msprt)' ORDER BY p.oid::regprocedure::text COLLATE "C";

SELECT sequential_rho(), sequential_rho(0.01, 20000), sequential_rho(alternative => 'less');
SELECT always_valid_halfwidth(0.13, 6461), always_valid_halfwidth(0.13, 6461, tuning => 6461), always_valid_halfwidth(0.13, 6461, alternative => 'greater'), always_valid_halfwidth(0, 10);
SELECT always_valid_p(0.23, 0.13, 6461), always_valid_p(0.5, 0.034, 6461), always_valid_p(0.5, 0.13, 6461, alternative => 'greater'), always_valid_p(0.5, 0.13, 6461, alternative => 'less'), always_valid_p(1, 0, 10), always_valid_p(0, 0, 10);
SELECT * FROM sequential_bounds('{0.2,0.4,0.6,0.8,1}');
SELECT * FROM sequential_bounds('{0.2,0.4,0.6,0.8,1}', spending => 'pocock');
SELECT * FROM sequential_bounds('{0.5,1}', alpha => 0.025, spending => 'power', alternative => 'less', rho => 2);
SELECT * FROM sequential_bounds('{0.001,0.5}');
SELECT (msprt(0.03, 0.25, 5000, 0.0004)).*, (msprt(0, 1, 50, 0.2)).*;

-- refused
SELECT sequential_rho(alpha => 1);
SELECT sequential_rho(alpha => 0.5, alternative => 'greater');
SELECT sequential_rho(tuning => 0);
SELECT sequential_rho(tuning => NULL);
SELECT always_valid_halfwidth(-1, 10);
SELECT always_valid_halfwidth(1, 0);
SELECT always_valid_halfwidth(1e308, 1e-300);
SELECT always_valid_p('Infinity', 1, 10);
SELECT always_valid_p(1, 'NaN', 10);
SELECT always_valid_p(1, 1, 10, alternative => 'more');
SELECT sequential_bounds('{}');
SELECT sequential_bounds(NULL);
SELECT sequential_bounds('{0.5,NULL}');
SELECT sequential_bounds('{{0.5,1}}');
SELECT sequential_bounds('{0.5,0.5}');
SELECT sequential_bounds('{0.5,0.4}');
SELECT sequential_bounds('{0,1}');
SELECT sequential_bounds('{0.5,1.1}');
SELECT sequential_bounds('{NaN}');
SELECT sequential_bounds('{1}', spending => 'haybittle');
SELECT sequential_bounds('{1}', rho => 0);
SELECT sequential_bounds('{1}', alpha => 0);
SELECT sequential_bounds(array_agg(i / 2000.0::float8)) FROM generate_series(1, 2000) i;
SELECT msprt(0.1, 0, 10, 1);
SELECT msprt(0.1, 1, 10, 0);
SELECT msprt('NaN', 1, 10, 1);
SELECT msprt(0.1, 1, 0, 1);
SELECT msprt(0.1, 1, 10, 1, alpha => 2);
