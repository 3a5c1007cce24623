-- rfm(), interpurchase(), next_purchase(), purchase_overdue(), lifecycle_stage(), cohort()
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
CREATE SCHEMA rfm;
SET search_path = rfm, personalize;
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';
SET intervalstyle = 'postgres';
\set VERBOSITY default

-- every function of this part has a comment and the properties it claims
SELECT p.oid::regprocedure, prokind, provolatile, proparallel, proisstrict,
	obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
WHERE proname ~ '^(rfm(_add|_combine|_combine_same|_final|_merge|_partial|_state_.*)?|interpurchase.*|next_purchase|purchase_overdue|lifecycle_stage|cohort)$'
ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT t.oid::regtype, obj_description(t.oid, 'pg_type') <> '' AS comment,
	(SELECT count(*) FROM pg_attribute WHERE attrelid = typrelid AND col_description(attrelid, attnum) IS NULL) AS undescribed
FROM pg_type t WHERE typname IN ('rfm_state', 'rfm_summary', 'interpurchase_state', 'interpurchase_summary', 'cohort_period')
ORDER BY 1;
SELECT count(*) AS aggregates,
	bool_and(aggcombinefn <> 0 AND aggtranstype::regtype::text ~ '_state$' AND aggfinalmodify = 'r') AS as_they_should_be
FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid WHERE proname ~ '^(rfm|interpurchase)(_partial|_merge)?$';

-- a table small enough to check by hand
CREATE TABLE orders (customer text, at timestamptz, amount numeric(10,2));
INSERT INTO orders VALUES
	('ann', '2024-05-01 09:00', 10),    -- three on her first day
	('ann', '2024-05-01 00:00', 20),
	('ann', '2024-05-01 23:59:59.999999', 30),
	('ann', '2024-05-11 12:00', 40),
	('ann', '2024-05-21 12:00', 50),
	('ann', '2024-05-21 13:00', 60),
	('bob', '2024-05-03 12:00', 5.50),  -- once
	('cid', '2024-05-01 12:00', 100),   -- sent one thing back
	('cid', '2024-05-09 12:00', 60),
	('cid', '2024-05-20 12:00', -25),
	('dan', '2024-05-04 12:00', -3),    -- sent back what he bought before
	('eve', '2024-05-31 12:00', 7),     -- later
	('fay', '2024-05-02 12:00', 0),     -- for free; and later
	('fay', '2024-05-30 00:00:00.000001', 9),
	('fay', '2024-05-31 12:00', 9),
	('guy', NULL, 9),                   -- nothing that counts
	('guy', '2024-05-04 12:00', NULL),
	('hal', '2024-04-01 12:00', 1),     -- every week
	('hal', '2024-04-08 12:00', 2),
	('hal', '2024-04-15 12:00', 3),
	('hal', '2024-04-22 12:00', 4);

SELECT customer, (rfm(at, amount, '2024-05-30')).* FROM orders GROUP BY customer ORDER BY customer;
-- float8 gives the same, and other units of time
SELECT customer, rfm(at, amount, '2024-05-30') IS NOT DISTINCT FROM rfm(at, amount::float8, '2024-05-30') AS float8,
	rfm(at, amount, '2024-05-30') IS NOT DISTINCT FROM rfm(at, amount, '2024-05-30', '24 hours') AS day,
	rfm(at, amount, '2024-05-30', '12 hours'), rfm(at, amount::float8, '2024-05-30', '1 week')
FROM orders WHERE customer IN ('ann', 'guy', 'hal') GROUP BY customer ORDER BY customer;
-- by parts
SELECT customer, rfm_merge(part) IS NOT DISTINCT FROM
	(SELECT rfm(at, amount, '2024-05-30') FROM orders o WHERE o.customer = p.customer) AS same
FROM (SELECT customer, date_trunc('day', at) AS day, rfm_partial(at, amount, '2024-05-30') AS part
	FROM orders GROUP BY customer, date_trunc('day', at)) p
GROUP BY customer ORDER BY customer;
-- by parts that are each as of the end of their day: as of the last of them, and as of a given time
CREATE VIEW days AS SELECT customer, rfm_partial(at, amount, date_trunc('day', at) + interval '1 day') AS state
FROM orders WHERE at IS NOT NULL GROUP BY customer, date_trunc('day', at);
SELECT customer, rfm_merge(state), rfm_merge(state, '2024-06-30') FROM days GROUP BY customer ORDER BY customer;
-- a state knows when its last row was, order or refund
SELECT customer, rfm_merge(state, '2024-05-21 13:00') FROM days WHERE customer IN ('ann', 'cid', 'dan') GROUP BY customer ORDER BY customer;
SELECT rfm_merge(state, '2024-05-21 12:59:59.999999') FROM days WHERE customer = 'ann';
SELECT rfm_merge(state, '2024-05-20 11:59:59.999999') FROM days WHERE customer = 'cid';
SELECT rfm_merge(state, '2024-05-04') FROM days WHERE customer = 'dan';
-- rows that were left out are missing at any later time, but not at an earlier one
SELECT rfm_merge(state, as_of) FROM (SELECT rfm_partial(at, amount, '2024-05-30') FROM orders WHERE customer = 'fay') v(state),
	(VALUES (timestamptz '2024-05-30'), ('2024-05-02 12:00')) w(as_of) GROUP BY as_of ORDER BY as_of;
SELECT rfm_merge(state, '2024-05-30 00:00:00.000001') FROM (SELECT rfm_partial(at, amount, '2024-05-30') FROM orders WHERE customer = 'fay') v(state);
SELECT rfm_merge(state) FROM (SELECT rfm_partial(at, amount, '2024-05-30') FROM orders WHERE customer = 'fay'
	UNION ALL SELECT rfm_partial('2024-05-28', 1::float8, '2024-05-29')) v(state);
SELECT rfm_merge(state) FROM (SELECT rfm_partial(at, amount, '2024-05-30') FROM orders WHERE customer = 'fay'
	UNION ALL SELECT rfm_partial('2024-05-28', 1::float8, '2024-05-31')) v(state);
-- what a state looks like
SELECT rfm_partial('2024-05-01', 2::float8, '2024-05-30') AS state;
SELECT interpurchase_partial(at) AS state FROM (VALUES (timestamptz '2024-05-01'), ('2024-05-02'), ('2024-12-02')) v(at);
-- days of another time zone: in Berlin, eight orders fall on three days, in UTC on four
SELECT (rfm(at, 1::float8, '2024-06-01')).frequency AS utc,
	(rfm((at AT TIME ZONE 'Europe/Berlin') AT TIME ZONE 'UTC', 1::float8, '2024-06-01')).frequency AS berlin
FROM generate_series(timestamptz '2024-05-01 22:00', '2024-05-04 20:00', '10 hours') at;
-- nothing
SELECT rfm(at, amount, '2024-05-30') FROM orders WHERE false;
SELECT rfm_merge(NULL), rfm_merge(NULL, NULL), rfm_partial(NULL, 1::float8, '2024-05-30'), rfm_partial('2024-05-01', NULL::numeric, '2024-05-30');
-- before 2000 a period begins before its number's multiple too
SELECT rfm(at, 1::float8, '2000-01-02') FROM (VALUES (timestamptz '1999-12-31 23:00'), ('2000-01-01 01:00')) v(at);
-- the whole of time
SELECT rfm(at, 1::float8, '294276-12-31', unit) FROM (VALUES (timestamptz '4713-01-01 BC'), ('294276-12-31')) v(at),
	(VALUES (interval '1 microsecond'), ('1 day'), ('106751000 days')) u(unit) GROUP BY unit ORDER BY unit;

-- mistakes
SELECT rfm(at, amount, NULL) FROM orders;
SELECT rfm(at, amount, 'infinity') FROM orders;
SELECT rfm('-infinity', amount, '2024-05-30') FROM orders;
SELECT rfm(at, 'NaN'::numeric, '2024-05-30') FROM orders;
SELECT rfm(at, 'NaN'::float8, '2024-05-30') FROM orders;
SELECT rfm(at, '-Infinity'::float8, '2024-05-30') FROM orders;
SELECT rfm(at, 'Infinity'::numeric, '2024-05-30') FROM orders;
SELECT rfm(at, 1e308::float8, '2024-05-30') FROM orders;
SELECT rfm(at, -1e308::float8, '2024-05-30') FROM orders;
SELECT rfm(at, amount, '2024-05-30', NULL) FROM orders;
SELECT rfm(at, amount, '2024-05-30', '1 month') FROM orders;
SELECT rfm(at, amount, '2024-05-30', '0 days') FROM orders;
SELECT rfm(at, amount, '2024-05-30', '-1 day') FROM orders;
SELECT rfm(at, amount, '2024-05-30', '300000000 days') FROM orders;
SELECT rfm(at, amount, at + interval '1 day') FROM orders;
SELECT rfm(at, amount, '2024-05-30', amount * interval '1 day') FROM orders WHERE amount > 0;
SELECT rfm_merge(s, a) FROM (SELECT rfm_partial('2024-05-01', 1::float8, '2024-05-30'), timestamptz '2024-05-30' UNION ALL
	SELECT rfm_partial('2024-05-01', 1::float8, '2024-05-30'), '2024-05-31') v(s, a);
SELECT rfm_merge(state, NULL) FROM days;
SELECT rfm_merge(state, 'infinity') FROM days;
SELECT rfm_merge(s) FROM (SELECT rfm_partial('2024-05-01', 1::float8, '2024-05-30') UNION ALL
	SELECT rfm_partial('2024-05-01', 1::float8, '2024-05-30', '7 days')) v(s);
SELECT rfm_merge(s, '2024-05-30') FROM (SELECT rfm_partial('2024-05-01', 1::float8, '2024-05-30') UNION ALL
	SELECT rfm_partial('2024-05-01', 1::float8, '2024-05-30', '7 days')) v(s);
SELECT 'a5'::rfm_state;
SELECT 'a502010000'::rfm_state;
SELECT 'gg'::rfm_state;
SELECT ''::interpurchase_state;

-- the rhythm of purchases
SELECT customer, (interpurchase(at)).* FROM orders GROUP BY customer ORDER BY customer;
SELECT customer, interpurchase(at, '1 week'), interpurchase(at, '36 hours') FROM orders WHERE customer IN ('ann', 'hal')
GROUP BY customer ORDER BY customer;
SELECT interpurchase(at) FROM orders WHERE false;
SELECT interpurchase_merge(NULL), interpurchase_partial(NULL);
SELECT interpurchase(at, unit) FROM (VALUES (timestamptz '4713-01-01 BC'), ('294276-12-31')) v(at),
	(VALUES (interval '1 microsecond'), ('1 day')) u(unit) GROUP BY unit ORDER BY unit;
SELECT interpurchase('infinity');
SELECT interpurchase('2024-05-01', NULL);
SELECT interpurchase('2024-05-01', '1 year');
SELECT interpurchase(at, extract(day FROM at) * interval '1 day') FROM orders WHERE customer = 'hal';
SELECT interpurchase_merge(s) FROM (SELECT interpurchase_partial('2024-05-01') UNION ALL
	SELECT interpurchase_partial('2024-05-01', '7 days')) v(s);
SELECT interpurchase('4713-01-01 BC', '106751000 days');

-- the next purchase: by the own rhythm, by the usual gap too, and by another weight of it
CREATE VIEW rhythms AS SELECT customer, interpurchase(at) AS rhythm FROM orders GROUP BY customer;
SELECT customer, next_purchase(rhythm), next_purchase(rhythm, 30) AS usual,
	next_purchase(rhythm, usual => 30, weight => 0) AS own, purchase_overdue(rhythm, '2024-06-01') AS overdue,
	purchase_overdue(rhythm, '2024-06-01', usual => 30) AS overdue_usual
FROM rhythms ORDER BY customer;
SELECT next_purchase(NULL, 30), purchase_overdue(NULL, '2024-06-01');
SELECT purchase_overdue(interpurchase(at)) > 0 AS overdue FROM orders;
SELECT next_purchase(rhythm, 0) FROM rhythms;
SELECT next_purchase(rhythm, 'NaN') FROM rhythms;
SELECT next_purchase(rhythm, 30, -1) FROM rhythms;
SELECT next_purchase(rhythm, 30, NULL) FROM rhythms;
SELECT next_purchase(rhythm, 1e9) FROM rhythms WHERE customer = 'ann';
SELECT purchase_overdue(rhythm, NULL) FROM rhythms;
SELECT purchase_overdue(rhythm, 'infinity') FROM rhythms;
SELECT next_purchase(ROW(2, 1, '2024-05-02', '2024-05-01', '2024-05-03', 1, 1, NULL, NULL, '1 day')::interpurchase_summary);
SELECT next_purchase(ROW(2, 1, '2024-05-01', '2024-05-01', '2024-05-03', 1, 'NaN', NULL, NULL, '1 day')::interpurchase_summary);
SELECT next_purchase(ROW(2, 1, '2024-05-01', '2024-05-01', '2024-05-03', 1, 1, NULL, NULL, NULL)::interpurchase_summary);

-- stages, by days: the limits belong to the better side, and times of day do not matter
SELECT first, last, previous, lifecycle_stage(first, last, previous, '2024-12-31 00:00') AS stage
FROM (VALUES (NULL::timestamptz, NULL::timestamptz, NULL::timestamptz),
	('2025-01-01', '2025-01-01', NULL), ('2024-12-31', '2024-12-31', NULL),
	('2024-12-01', '2024-12-31', '2024-12-01'), ('2024-11-30', '2024-12-30', '2024-11-30'),
	('2024-12-01 23:59', '2024-12-01 23:59', NULL), ('2024-11-30 23:59', '2024-12-01', '2024-11-30 23:59'),
	('2024-11-30', '2024-11-30', NULL),
	('2024-01-01', '2024-12-30', '2024-07-03'), ('2024-01-01', '2024-12-30', '2024-07-02 23:59'), ('2024-01-01', '2024-12-30', NULL),
	('2024-01-01', '2024-10-02', NULL), ('2024-01-01', '2024-10-01', NULL),
	('2024-01-01', '2024-07-04', NULL), ('2024-01-01', '2024-07-03', NULL)) v(first, last, previous);
SELECT lifecycle_stage('2024-01-01'::timestamptz, '2024-12-21', NULL, '2024-12-31', active => '9 days', risk => '10 days', lapse => '11 days');
SELECT lifecycle_stage('2024-12-31'::timestamptz, '2024-12-31', NULL, '2024-12-31', '0', '0', '0');
SELECT lifecycle_stage('2000-01-01'::timestamptz, '2001-01-01', NULL);
SELECT lifecycle_stage('2024-01-01'::timestamptz, '2024-12-21', NULL, NULL);
SELECT lifecycle_stage('2024-01-01'::timestamptz, NULL, NULL, '2024-12-31');
SELECT lifecycle_stage(NULL::timestamptz, '2024-01-01', NULL, '2024-12-31');
SELECT lifecycle_stage('2024-01-01'::timestamptz, '2025-12-21', NULL, '2024-12-31');
SELECT lifecycle_stage('2024-01-03'::timestamptz, '2024-01-02', NULL, '2024-12-31');
SELECT lifecycle_stage('2024-01-01'::timestamptz, '2024-01-02', '2024-01-03', '2024-12-31');
SELECT lifecycle_stage('2024-01-03'::timestamptz, '2024-12-30', '2024-01-02', '2024-12-31');
SELECT lifecycle_stage('2024-01-03 12:00'::timestamptz, '2024-12-30', '2024-01-03', '2024-12-31');
SELECT lifecycle_stage('-infinity'::timestamptz, '2024-01-02', NULL, '2024-12-31');
SELECT lifecycle_stage('2024-01-01'::timestamptz, '2024-01-02', NULL, '2024-12-31', active => NULL);
SELECT lifecycle_stage('2024-01-01'::timestamptz, '2024-01-02', NULL, '2024-12-31', active => '1 month');
SELECT lifecycle_stage('2024-01-01'::timestamptz, '2024-01-02', NULL, '2024-12-31', active => '-1 day');
SELECT lifecycle_stage('2024-01-01'::timestamptz, '2024-01-02', NULL, '2024-12-31', risk => '200 days');

-- stages by the own rhythm: hal comes every 7 days, which with the usual 30 are expected to be 16.2
SELECT as_of, lifecycle_stage(rhythm, as_of, 30) AS stage, lifecycle_stage(rhythm, as_of, 7) AS usual_7,
	lifecycle_stage(rhythm, as_of, 30, active => 1, risk => 1.5, lapse => 2, weight => 0) AS narrow
FROM rhythms, (VALUES (timestamptz '2024-03-31'), ('2024-04-22'), ('2024-04-30'), ('2024-05-10'), ('2024-05-17'),
	('2024-06-09'), ('2024-06-10'), ('2024-07-28'), ('2024-07-29')) v(as_of)
WHERE customer = 'hal' ORDER BY as_of;
SELECT customer, lifecycle_stage(rhythm, '2024-06-15', 20) FROM rhythms ORDER BY customer;
-- one purchase: the usual gap alone, even if it has no weight
SELECT lifecycle_stage(rhythm, '2024-05-04', 20, weight => 0), lifecycle_stage(rhythm, '2024-06-03', 20, weight => 0) FROM rhythms WHERE customer = 'bob';
-- came back after a year
SELECT lifecycle_stage(interpurchase(at), '2024-01-05', 14) FROM (VALUES (timestamptz '2022-12-01'), ('2022-12-10'), ('2022-12-20'), ('2024-01-01')) v(at);
SELECT lifecycle_stage(rhythm, '2024-05-21', 30) FROM rhythms WHERE customer = 'fay';
SELECT lifecycle_stage(rhythm, '2024-06-15', NULL) FROM rhythms;
SELECT lifecycle_stage(rhythm, NULL, 30) FROM rhythms;
SELECT lifecycle_stage(rhythm, '2024-06-15', -5) FROM rhythms;
SELECT lifecycle_stage(rhythm, '2024-06-15', 30, active => 4) FROM rhythms;
SELECT lifecycle_stage(rhythm, '2024-06-15', 30, active => 'Infinity') FROM rhythms;

-- stages by the probability to be alive
SELECT p, x, lifecycle_stage(p, x) FROM (VALUES (1, 0), (0.8, 0), (0.79, 0), (0.1, 0), (0.8, 3), (0.79, 3), (0.5, 3), (0.49, 3),
	(0.2, 3), (0.19, 3), (0, 254), (NULL, NULL)) v(p, x);
SELECT lifecycle_stage(0.7, 3::bigint, active => 0.7, risk => 0.3, lapse => 0);
SELECT lifecycle_stage(1.1, 3);
SELECT lifecycle_stage(-0.1, 3);
SELECT lifecycle_stage('NaN'::float8, 3);
SELECT lifecycle_stage(0.5, -1);
SELECT lifecycle_stage(0.5, NULL);
SELECT lifecycle_stage(NULL, 3);
SELECT lifecycle_stage(0.5, 3, active => 0.4);
SELECT lifecycle_stage(0.5, 3, risk => 2);
SELECT lifecycle_stage(0.5, 3, lapse => NULL);

-- cohorts
SELECT unit, cohort('2023-11-16 12:00', '2024-03-01', unit) FROM unnest('{day,week,month,quarter,year,MONTH}'::text[]) unit;
SELECT cohort('2024-05-05 23:59', '2024-05-06', 'week') AS sunday, cohort('2024-05-06', '2024-05-12 23:59', 'week') AS monday,
	cohort('2024-12-31', '2025-01-01') AS new_year, cohort('2024-02-29', '2025-02-28', 'year') AS leap;
SELECT cohort('2024-01-31 22:30', '2024-01-31 23:30') AS utc, cohort('2024-01-31 22:30', '2024-01-31 23:30', time_zone => 'Europe/Berlin') AS berlin;
SELECT (cohort('4713-12-31 BC', '294276-12-31', 'day')).*, (cohort('0001-01-01 BC', '0001-01-01', 'year')).period AS no_year_0;
SELECT cohort('4714-11-24 BC', '4714-12-01 BC', 'week'), cohort('4714-12-01 BC', '4714-12-31 BC', 'month');
SELECT cohort(NULL, '2024-01-01'), cohort('2024-01-01', NULL);
SELECT customer, array_agg((k).period ORDER BY at) AS periods
FROM (SELECT customer, at, cohort(min(at) OVER (PARTITION BY customer), at, 'week') AS k FROM orders) s GROUP BY customer ORDER BY customer;
SELECT cohort('2024-01-02', '2024-01-01');
SELECT cohort('2024-01-01', 'infinity');
SELECT cohort('4714-11-30 BC', '4714-11-30 BC', 'month');
SELECT cohort('2024-01-01', '2024-01-02', 'fortnight');
SELECT cohort('2024-01-01', '2024-01-02', NULL);
SELECT cohort('2024-01-01', '2024-01-02', time_zone => 'Mars/Olympus');
SELECT cohort('2024-01-01', '2024-01-02', time_zone => NULL);

DROP VIEW rhythms, days;
DROP TABLE orders;
