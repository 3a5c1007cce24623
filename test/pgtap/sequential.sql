-- Always-valid inference and group-sequential bounds: values of 18 digits, properties, and false alarms counted.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(23);

-- two looks by integration with 40 digits
CREATE TABLE known (information float8[], alpha float8, spending text, alternative text, z float8[]);
INSERT INTO known VALUES
	('{0.5,1}', 0.05, 'obrien_fleming', 'two-sided', '{2.96258804272756679,1.96859564059365585}'),
	('{0.5,1}', 0.05, 'pocock', 'two-sided', '{2.15699921834468211,2.20097695521146659}'),
	('{0.3,0.9}', 0.05, 'power', 'two-sided', '{3.2051331801847845,2.10017876207530306}'),
	('{0.25,0.3}', 0.01, 'pocock', 'two-sided', '{2.91352430216819177,3.13711599670355375}'),
	('{0.1,0.7}', 0.05, 'obrien_fleming', 'greater', '{6.08789287458868641,2.07163721766565206}'),
	('{0.001,1}', 0.1, 'power', 'greater', '{6.3613409024040562,1.28155156603410538}'),
	('{0.05,0.06}', 0.05, 'obrien_fleming', 'two-sided', '{9.95514557745584309,9.07532009123758133}');
SELECT is_empty($$ SELECT * FROM known k, LATERAL sequential_bounds(information, alpha, spending, alternative) b WHERE abs(b.z / k.z[look] - 1) > 1e-10 $$, 'two looks');
SELECT is_empty($$ SELECT * FROM sequential_bounds('{0.2,0.4,0.6,0.8,1}') b, unnest('{4.8769,3.3570,2.6803,2.2898,2.0310}'::float8[]) WITH ORDINALITY k(z, look)
	WHERE k.look = b.look AND abs(b.z - k.z) > 6e-5 $$, 'five looks, as published programs print them');

CREATE TABLE looks AS
SELECT s AS spending, a AS alternative, n, (SELECT array_agg((i::float8 / n) ^ 1.3 ORDER BY i) FROM generate_series(1, n) i) AS information
FROM unnest('{obrien_fleming,pocock,power}'::text[]) s, unnest('{two-sided,greater,less}'::text[]) a, unnest('{1,4,13}'::int[]) n;
SELECT is_empty($$ SELECT * FROM looks, LATERAL (SELECT count(*), max(alpha_spent), min(look), max(look) FROM sequential_bounds(information, 0.03, spending, alternative)) b(rows, spent, first, last)
	WHERE abs(spent / 0.03 - 1) > 1e-12 OR rows <> n OR first <> 1 OR last <> n $$, 'all of alpha is spent at last, a row a look');
SELECT is_empty($$ SELECT * FROM looks l, LATERAL sequential_bounds(l.information, 0.03, spending, alternative) b
	WHERE abs(p_value / CASE alternative WHEN 'two-sided' THEN 2 * normal_tail(z) WHEN 'greater' THEN normal_tail(z) ELSE normal_cdf(z) END - 1) > 1e-12 $$, 'p_value is that of z');
SELECT is_empty($$ SELECT * FROM looks l, LATERAL sequential_bounds(l.information, 0.03, spending, 'less') b, LATERAL sequential_bounds(l.information, 0.03, spending, 'greater') c
	WHERE alternative = 'less' AND b.look = c.look AND b.z <> -c.z $$, 'less mirrors greater');
SELECT is_empty($$ SELECT * FROM looks l, LATERAL sequential_bounds(l.information, 0.05, spending) b, LATERAL sequential_bounds(l.information, 0.025, spending, 'greater') c
	WHERE alternative = 'two-sided' AND b.look = c.look AND (b.z > c.z + 1e-12 OR b.z < c.z - 1e-3) $$, 'two sides are hardly less than two single ones');
SELECT is_empty($$ SELECT * FROM sequential_bounds('{0.01,0.02,1}', spending => 'obrien_fleming') WHERE look = 1 AND (z < 20 OR z = 'Infinity') $$, 'bounds far out');
SELECT results_eq($$ SELECT z FROM sequential_bounds('{0.0001}') $$, $$ VALUES ('Infinity'::float8) $$, 'nothing to be spent');
SELECT results_eq($$ SELECT z::numeric(8,6) FROM sequential_bounds('{1}') $$, $$ VALUES (1.959964) $$, 'one look is the ordinary test');
-- close looks need narrow panels; a look more cannot lower what comes after much
SELECT is_empty($$ SELECT b.z, c.z FROM sequential_bounds('{0.5,0.50001,0.6,1}', spending => 'pocock') b, sequential_bounds('{0.5,0.6,1}', spending => 'pocock') c
	WHERE b.information = c.information AND abs(b.z - c.z) > 3e-4 $$, 'a look just after another hardly counts');

-- always-valid: interval and p-value say the same
CREATE TABLE grid AS
SELECT n, alpha, tuning, alternative FROM unnest('{1,300,1e5,1e12}'::float8[]) n, unnest('{0.3,0.05,1e-4}'::float8[]) alpha, unnest('{10,5000}'::float8[]) tuning, unnest('{two-sided,greater,less}'::text[]) alternative;
SELECT is_empty($$ SELECT * FROM grid, LATERAL always_valid_halfwidth(0.7, n, alpha, tuning, alternative) h
	WHERE abs(always_valid_p(CASE alternative WHEN 'less' THEN -h ELSE h END, 0.7, n, alpha, tuning, alternative) / alpha - 1) > 1e-11 $$, 'an interval that ends at 0 has p = alpha');
SELECT is_empty($$ SELECT * FROM grid WHERE alternative = 'two-sided' AND abs(always_valid_halfwidth(2, n, alpha, tuning) /
		(2 * sqrt(2 * (n * sequential_rho(alpha, tuning) ^ 2 + 1) / (n * sequential_rho(alpha, tuning) ^ 2) * ln(sqrt(n * sequential_rho(alpha, tuning) ^ 2 + 1) / alpha))) - 1) > 1e-12 $$, 'equation 9');
SELECT is_empty($$ SELECT * FROM grid WHERE alternative = 'greater' AND abs(always_valid_halfwidth(2, n, alpha, tuning, alternative) /
		(2 * sqrt(2 * (n * sequential_rho(2 * alpha, tuning) ^ 2 + 1) / (n * sequential_rho(2 * alpha, tuning) ^ 2) * ln(1 + sqrt(n * sequential_rho(2 * alpha, tuning) ^ 2 + 1) / (2 * alpha)))) - 1) > 1e-12 $$, 'equation 134');
SELECT is_empty($$ SELECT * FROM grid WHERE always_valid_halfwidth(1, n, alpha, tuning, alternative) <= -normal_quantile(alpha / CASE alternative WHEN 'two-sided' THEN 2 ELSE 1 END) $$, 'wider than an interval for one look');
SELECT ok(abs(always_valid_p(30, 1, 5000) / exp(-450 * 5000 * sequential_rho() ^ 2 / (5000 * sequential_rho() ^ 2 + 1) + 0.5 * ln(5000 * sequential_rho() ^ 2 + 1)) - 1) < 1e-11
	AND always_valid_p(30, 1, 5000) < 1e-170, 'small p-values');
SELECT is(ARRAY[always_valid_p(0, 1, 100), always_valid_p(-3, 1, 100, alternative => 'greater'), always_valid_p(1, 0, 100), always_valid_p(0, 0, 100), always_valid_p(1000, 1, 100), always_valid_halfwidth(0, 10)],
	'{1,1,0,1,0,0}'::float8[], 'the ends');
SELECT is_empty($$ SELECT * FROM unnest('{30,5000,2e5}'::float8[]) m WHERE always_valid_halfwidth(1, m, tuning => m) > always_valid_halfwidth(1, m, tuning => 3 * m)
	OR always_valid_halfwidth(1, m, tuning => m) > always_valid_halfwidth(1, m, tuning => m / 3) $$, 'narrowest where it is tuned for');

-- 400 experiments without an effect, looked at after each of 300 units from the 20th
CREATE TABLE alarms AS
WITH draws AS (
	SELECT e, i, CASE WHEN hashint8extended(i, e) % 1000 > 0 THEN 1.0 ELSE -1.0 END::float8 AS x FROM generate_series(1, 400) e, generate_series(1, 300) i
), sums AS (
	SELECT e, i, avg(x) OVER w AS mean FROM draws WINDOW w AS (PARTITION BY e ORDER BY i)
)
SELECT e, bool_or(always_valid_p(mean, 1 / sqrt(i), i, 0.1, 200) <= 0.1) AS always_valid, bool_or(always_valid_p(mean, 1 / sqrt(i), i, 0.1, 200, 'greater') <= 0.1) AS one_sided,
	bool_or(2 * normal_tail(abs(mean) * sqrt(i)) <= 0.1) AS ordinary,
	bool_or((msprt(mean, 0.5, i, 0.01, 0.1)).p_value <= 0.1) AS msprt
FROM sums WHERE i >= 20 GROUP BY e;
SELECT cmp_ok(count(*) FILTER (WHERE ordinary), '>', 120::bigint, 'ordinary p-values give false alarms') FROM alarms;
SELECT cmp_ok(count(*) FILTER (WHERE always_valid), '<=', 50::bigint, 'always-valid ones do so at most with chance alpha') FROM alarms;
SELECT cmp_ok(count(*) FILTER (WHERE one_sided), '<=', 50::bigint, 'one-sided ones too') FROM alarms;
SELECT cmp_ok(count(*) FILTER (WHERE msprt), '<=', 50::bigint, 'and the mixture test') FROM alarms;

-- mSPRT
SELECT is_empty($$ SELECT * FROM unnest('{10,1e6}'::float8[]) n, unnest('{1e-6,0.3}'::float8[]) tau2, LATERAL msprt(0, 2, n, tau2, 0.02) m
	WHERE abs((msprt(m.ci_halfwidth, 2, n, tau2)).p_value / 0.02 - 1) > 1e-10 OR abs((msprt(m.ci_halfwidth, 2, n, tau2)).likelihood_ratio * 0.02 - 1) > 1e-10 $$, 'its interval ends where p is alpha');
SELECT is((msprt(100, 1, 1000, 1))::text, '(Infinity,0,' || (msprt(0, 1, 1000, 1)).ci_halfwidth || ')', 'a likelihood ratio beyond a number');

SELECT finish();
ROLLBACK;
