-- bar(), sparkline(), interval_bar(): drawings
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET client_encoding = 'UTF8';
SET search_path = public, personalize;
\pset null (null)

SELECT p.oid::regprocedure AS function, provolatile::text || proparallel::text || CASE WHEN proisstrict THEN 's' ELSE '' END AS declared,
	obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
WHERE proname IN ('bar', 'sparkline', 'interval_bar') ORDER BY p.oid::regprocedure::text COLLATE "C";

SELECT value, '|' || bar(value, 16, 4) || '|' AS bar FROM unnest('{-3,0,0.2,0.5,1,1.5,2,2.5,3,3.5,4,4.5,10,16,17,Infinity,NaN,NULL}'::float8[]) value;
SELECT bar(5, 10), bar(5, 10, 0) AS width_0, bar(5, 10, -1) AS negative_width, bar(1, 0) AS max_0, bar(1, 'Infinity') AS infinite_max, bar(1, NULL) AS null_max, bar(1, 'NaN') AS nan,
	bar(1e-320, 1e300) AS tiny, bar(1e300, 1e-320, 3) AS huge, bar(5e-324, 5e-324, 3) AS least;

SELECT sparkline('{1,2,3,4,5,6,7,8}'), sparkline('{0,7,3.5,1,7,0}'), sparkline('{5,5,5}') AS constant, sparkline('{3}') AS one, sparkline('{}') AS empty, sparkline(NULL);
SELECT '|' || sparkline('{1,NULL,3,NaN,2,Infinity,-Infinity}') || '|' AS blanks, sparkline('{-1.7e308,0,1.7e308}') AS wide, '|' || sparkline('{NULL,NULL}') || '|' AS nulls, sparkline('{1,1.0000000000000002}') AS near;
SELECT sparkline(array_agg(sin(x / 4.0) ORDER BY x)) FROM generate_series(0, 40) x;

SELECT low, high, estimate, '|' || interval_bar(low, high, estimate, -10, 10) || '|' AS drawing
FROM (VALUES (-3::float8, 5::float8, 1::float8), (1, 9, 5), (-9, -2, -5), (-20, 5, 0.1), (-20, 20, 0.1), (12, 15, 13), (-15, -12, -13), (NULL, 3, 1), (-1, NULL, 2), ('-Infinity', 'Infinity', -4),
	('NaN', 'NaN', 2), (2, 2, 2), (-1, 10, 10), (-10, 1, -10), (1, 3, NULL), (1, 3, 'NaN')) v(low, high, estimate);
SELECT interval_bar(1, 3, 2, 0, 4, 9) AS narrow, interval_bar(1, 3, 2, 0.5, 4, 9) AS no_zero, interval_bar(1, 3, 2, 0, 4, 1) AS one;
SELECT interval_bar(1, 3, 2, 4, 4), interval_bar(1, 3, 2, 4, 0), interval_bar(1, 3, 2, 0, 4, 0), interval_bar(1, 3, 2, '-Infinity', 4), interval_bar(1, 3, 2, 0, 'NaN'), interval_bar(1, 3, 2, NULL, 4), interval_bar(1, 3, 2, 0, 4, NULL);

-- for a database whose encoding has no such characters, there is ASCII; see test/t
