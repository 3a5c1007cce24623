-- experiment_report(): what an analyst reads in psql
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
CREATE SCHEMA experiment_report;
SET search_path = experiment_report, personalize;

CREATE TABLE outcomes AS
SELECT i AS unit, CASE i % 3 WHEN 0 THEN 'control' WHEN 1 THEN 'green' ELSE 'blue' END AS arm,
	(i * 7919 % 1000) / 1000.0 + CASE i % 3 WHEN 1 THEN 0.05 ELSE 0 END AS spent, i % 7 AS visits, (i * 7919 % 1000) / 1100.0 AS before, i * 7919 % 1000 < 300 AS bought
FROM generate_series(1, 3000) i;

SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes');
-- numbers of before make it narrower; units that are in no arm, or without an outcome, are left out
SELECT * FROM experiment_report('SELECT arm, spent AS outcome, before AS covariate FROM outcomes UNION ALL SELECT NULL, 1, 1 UNION ALL SELECT ''blue'', NULL, 1;');
SELECT arm, units FROM experiment_report('SELECT arm, nullif(unit, 2) AS numerator, nullif(unit, 3) AS denominator FROM outcomes');
-- a share, with a control of another name, one-sided
SELECT * FROM experiment_report('SELECT arm, bought AS outcome FROM outcomes', control => 'blue', alternative => 'greater');
-- a ratio
SELECT * FROM experiment_report('SELECT arm, spent AS numerator, visits AS denominator FROM outcomes');
SELECT * FROM experiment_report('SELECT arm, spent AS numerator, visits AS denominator, before AS numerator_before, visits AS denominator_before FROM outcomes');
-- with the units named, rows of an event instead of a unit are noticed, and units in two arms
SELECT arm, units FROM experiment_report('SELECT unit, arm, spent AS outcome FROM outcomes');
SELECT arm, units FROM experiment_report('SELECT unit, arm, spent AS outcome FROM outcomes UNION ALL SELECT unit, arm, 5 FROM outcomes WHERE unit IN (7, 8)');
SELECT arm, units FROM experiment_report('SELECT unit, arm, spent AS outcome FROM outcomes UNION ALL SELECT 9, ''blue'', 5');
-- before its planned size an experiment says nothing, whatever the p-value
SELECT arm, p_value, verdict FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes', planned_units => 1001);
SELECT arm, p_value, verdict FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes', planned_units => 1000);
-- unless it is made to be looked at any time
SELECT arm, p_value, verdict FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes', planned_units => 5000, always_valid => true);
-- the variants and weights of assign(): an arm without units is seen, and so is a broken split
SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes WHERE arm <> ''green'' OR unit % 5 > 0', variants => '{control,green,blue}', weights => '{0.3334,0.3333,0.3333}');
SELECT arm, units, mean, verdict FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes WHERE unit < 9', variants => '{blue,control,green,red}');
SELECT arm, units, verdict FROM experiment_report('SELECT ''a'' || unit % 2 AS arm, spent AS outcome FROM outcomes', variants => '{a1,a0}');
-- a split is broken below 0.001
SELECT n, (srm(ARRAY[500, n])).p_value < 0.001 AS broken, verdict FROM unnest('{608,610}'::bigint[]) n, experiment_report('{control,a}'::text[], ARRAY[moments_of(500, 1, 1), moments_of(n, 1, 1)]) WHERE arm = 'a';
SELECT arm, units, verdict FROM experiment_report('SELECT CASE WHEN unit < 2900 THEN ''control'' ELSE ''treatment'' END AS arm, spent AS outcome FROM outcomes');
-- from moments that are kept by day
CREATE TABLE daily AS SELECT unit % 10 AS day, arm, moments(spent) AS m FROM outcomes GROUP BY 1, 2;
SELECT r.* FROM (SELECT array_agg(arm) AS arms, array_agg(m) AS ms FROM (SELECT arm, moments_merge(m) AS m FROM daily GROUP BY arm ORDER BY arm) g) a, experiment_report(arms, ms, control => 'control') r;

-- little, and nothing to say: one unit, nothing that varies, a control of 0, no units
SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes WHERE unit < 4');
SELECT * FROM experiment_report('SELECT arm, 7 AS outcome FROM outcomes');
SELECT * FROM experiment_report('SELECT arm, spent * (arm <> ''control'')::int AS outcome FROM outcomes');
SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes WHERE false');
SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes WHERE false', variants => '{a,b}');
SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes WHERE arm = ''control''');

-- queries that cannot be
SELECT * FROM experiment_report(NULL::text);
SELECT * FROM experiment_report('DELETE FROM outcomes');
SELECT * FROM experiment_report('SELECT 1; SELECT 2');
SELECT * FROM experiment_report('SELECT spent AS outcome FROM outcomes');
SELECT * FROM experiment_report('SELECT arm FROM outcomes');
SELECT * FROM experiment_report('SELECT arm, spent FROM outcomes');
SELECT * FROM experiment_report('SELECT arm, spent AS outcome, visits AS outcome FROM outcomes');
SELECT * FROM experiment_report('SELECT arm, arm AS outcome FROM outcomes');
SELECT * FROM experiment_report('SELECT arm, spent AS numerator FROM outcomes');
SELECT * FROM experiment_report('SELECT arm, spent AS outcome, visits AS denominator FROM outcomes');
SELECT * FROM experiment_report('SELECT arm, spent AS numerator, visits AS denominator, before AS numerator_before FROM outcomes');
SELECT * FROM experiment_report('SELECT arm, spent AS outcome, 1 AS numerator, visits AS denominator FROM outcomes');
SELECT * FROM experiment_report('SELECT arm, ''NaN''::float8 AS outcome FROM outcomes');
-- arguments that cannot be
SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes', variants => '{control,green}');
SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes', variants => '{control,green,green}');
SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes', variants => '{control,green,NULL}');
SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes', control => 'red');
SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes', weights => '{0.5,0.5}');
SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes', '{control,green,blue}', weights => '{0.5,0.5}');
SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes', alpha => 1);
SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes', alternative => 'more');
SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes', method => 'none');
SELECT * FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes', planned_units => 0);
-- a unit for an arm, by mistake: neither the message nor the query is without end
SELECT * FROM experiment_report('SELECT unit AS arm, spent AS outcome FROM outcomes');
SET statement_timeout = '20s';
SELECT count(*) FROM experiment_report('SELECT unit AS arm, spent AS outcome FROM outcomes', control => '1');
RESET statement_timeout;
SELECT arm, verdict FROM experiment_report('SELECT arm, spent AS outcome FROM outcomes', planned_units => 9223372036854775807);
SELECT * FROM experiment_report('{a,b}'::text[], NULL);
SELECT * FROM experiment_report('{a,b}'::text[], '{NULL,NULL}');
SELECT * FROM experiment_report('{control,b}'::text[], '{NULL}');
SELECT * FROM experiment_report(NULL::text[], '{NULL}');

-- the words and figures that it is made of
SELECT to_digits(x, 3), to_percent(x) FROM unnest('{0,0.000123456,-0.05,0.0523456,1,12.3456,1234.56,Infinity,NaN,NULL}'::float8[]) x;

DROP SCHEMA experiment_report CASCADE;
