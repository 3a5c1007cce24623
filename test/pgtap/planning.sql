-- Sample size, power and detectable effect against values of 18 digits and against each other.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(31);

-- powers of the t test by integration with 40 digits
CREATE TABLE known (effect float8, sd float8, n float8, alpha float8, ratio float8, alternative text, power float8);
INSERT INTO known VALUES
	(0.2, 1, 100, 0.05, 1, 'two-sided', '0.290645871659086624'),
	(0.2, 1, 100, 0.05, 1, 'greater', '0.406920860724938463'),
	(-0.2, 1, 100, 0.05, 1, 'less', '0.406920860724938463'),
	(0.2, 1, 100, 0.05, 1, 'less', '0.00112810764571542662'),
	(0.5, 1, 10, 0.05, 1, 'two-sided', '0.185095656291166125'),
	(1, 2, 7, 0.01, 3, 'two-sided', '0.066761122171494897'),
	(3, 25, 5000, 0.05, 0.5, 'two-sided', '0.99835038047484549'),
	(0.01, 1, 100000, 0.001, 1, 'two-sided', '0.145829559261092418'),
	(0, 1, 30, 0.05, 1, 'two-sided', '0.05'),
	(2, 1, 4, 0.05, 1, 'two-sided', '0.656875875094991348'),
	(0.05, 1, 1000000, 0.05, 1, 'greater', '1.0'),
	(-0.004, 1, 1000000, 0.05, 9, 'two-sided', '0.96673003088104849'),
	(0.3, 1, 2, 0.2, 1, 'two-sided', '0.212855588581993315'),
	(0.5, 1, 3, 1e-6, 2, 'two-sided', '3.06281199940172728e-6');
SELECT is_empty($$ SELECT *, power_means(effect, sd, n, alpha, ratio, alternative) FROM known
	WHERE abs(power_means(effect, sd, n, alpha, ratio, alternative) / power - 1) > 1e-10 $$, 'power_means');
-- of 2 units in each arm the power has a closed form, whose critical value is as large as 1 / sqrt(alpha)
CREATE TABLE few AS SELECT alpha, power, 2 * (1 - alpha) ^ 2 / alpha / (2 - alpha) AS square
FROM unnest('{0.05,1e-4,1e-6,1e-12,1e-15,1e-50}'::float8[]) alpha, unnest('{0.8,0.999,0.999999999}'::float8[]) power;
CREATE TABLE few_effects AS SELECT *, sqrt(-(square + 2) * (ln(1 - power) + 0.5 * ln(1 + 2 / square))) AS effect FROM few;
SET LOCAL statement_timeout = '3s';
SELECT is_empty($$ SELECT * FROM few_effects WHERE abs(power_means(effect, 1, 2, alpha) / power - 1) > 1e-11 $$, 'power_means of very few units');
SELECT is_empty($$ SELECT * FROM few_effects WHERE abs(minimum_detectable_effect_means(2, 1, alpha, power) / effect - 1) > 1e-10 $$, 'and their detectable effect');
SELECT is_empty($$ SELECT * FROM few_effects WHERE abs(sample_size_means(effect / 2, 1, alpha, power) / sample_size_means(-effect / 2, 1, alpha, power) - 1) > 1e-10
	OR abs(power_means(effect / 2, 1, sample_size_means(effect / 2, 1, alpha, power), alpha) / power - 1) > 1e-10 $$, 'and a sample size that is hardly larger');
RESET statement_timeout;
SELECT isnt_empty($$ SELECT * FROM known WHERE abs(power_means(effect, sd, n, alpha, ratio, alternative, 'z') / power - 1) > 1e-10 $$, 'the normal distribution is another');

-- each inverts the other
CREATE TABLE plans AS
SELECT effect, sd, alpha, power, ratio, alternative, CASE alternative WHEN 'less' THEN -effect ELSE effect END AS signed
FROM unnest('{0.003,0.2}'::float8[]) effect, unnest('{0.7}'::float8[]) sd, (VALUES (0.05, 0.8), (0.001, 0.99999), (0.2, 0.3)) v(alpha, power),
	unnest('{0.1,1}'::float8[]) ratio, unnest('{two-sided,greater,less}'::text[]) alternative;
SELECT is_empty($$ SELECT * FROM plans, LATERAL sample_size_means(signed, sd, alpha, power, ratio, alternative) n
	WHERE n > 2 / least(1, ratio) AND abs(power_means(signed, sd, n, alpha, ratio, alternative) - power) > 1e-11 $$, 'sample_size_means has the power');
SELECT is_empty($$ SELECT * FROM plans, LATERAL sample_size_means(signed, sd, alpha, power, ratio, alternative) n
	WHERE n > 2 / least(1, ratio) AND abs(minimum_detectable_effect_means(n, sd, alpha, power, ratio, alternative) / signed - 1) > 1e-10 $$, 'its effect is the detectable one');
SELECT is_empty($$ SELECT * FROM plans, LATERAL sample_size_means(signed, sd, alpha, power, ratio, alternative, 'z') n
	WHERE abs(minimum_detectable_effect_means(n, sd, alpha, power, ratio, alternative, 'z') / signed - 1) > 1e-12 $$, 'and so it is by the normal distribution');
SELECT is_empty($$ SELECT * FROM plans WHERE alternative <> 'two-sided'
	AND abs(power_means(signed, sd, sample_size_means(signed, sd, alpha, power, ratio, alternative, 'z'), alpha, ratio, alternative, 'z') - power) > 1e-11 $$, 'whose power is exact one-sided');
SELECT is_empty($$ SELECT * FROM plans WHERE sample_size_means(signed, sd, alpha, power, ratio, alternative) < sample_size_means(signed, sd, alpha, power, ratio, alternative, 'z') - 1e-4
	AND alternative <> 'two-sided' $$, 'a t test needs more units');
SELECT is(count(*), 36::bigint, 'plans that were compared') FROM plans;
SELECT ok(abs(sample_size_means(0.2, variance_reduction => 0.36) / sample_size_means(0.2, 0.8) - 1) < 1e-14, 'a covariate of correlation 0.6 leaves 0.8 of the standard deviation');
SELECT ok(abs(power_means(0.2, 1, 90, variance_reduction => 0.36) / power_means(0.2, 0.8, 90) - 1) < 1e-12, 'and so in power_means');
SELECT ok(abs(minimum_detectable_effect_means(90, 2, variance_reduction => 0.36) / minimum_detectable_effect_means(90, 1.6) - 1) < 1e-12, 'and so in the detectable effect');
SELECT ok(abs(sample_size_means(1e-6) / sample_size_means(1e-6, method => 'z') - 1) < 1e-5 AND sample_size_means(1e-6) > 1e13, 'many units');
SELECT is(sample_size_means(1000, ratio => 0.25), 8::float8, 'no fewer than 2 units in either arm');

-- proportions
CREATE TABLE shares AS
SELECT p1, p2, alpha, power, ratio, method, direction FROM unnest('{0.001,0.3,0.97}'::float8[]) p1, (VALUES ('increase', 1.02), ('decrease', 0.9)) v(direction, factor),
	LATERAL (SELECT p1 * factor) s(p2), (VALUES (0.05, 0.8), (0.001, 0.999)) w(alpha, power), unnest('{1,4}'::float8[]) ratio, unnest('{unpooled,pooled,arcsine}'::text[]) method;
SELECT is_empty($$ SELECT *, d FROM shares, LATERAL sample_size_proportions(p1, p2, alpha, power, ratio, method => method) n,
	LATERAL minimum_detectable_effect_proportions(n, p1, alpha, power, ratio, method => method, direction => direction) d WHERE abs(d / (p2 - p1) - 1) > 1e-10 $$, 'the detectable difference is that of the sample size');
SELECT is_empty($$ SELECT * FROM shares, LATERAL sample_size_proportions(p1, p2, alpha, power, ratio, method => method) n
	WHERE abs(power_proportions(p1, p2, n, alpha, ratio, method => method) - power) > CASE method WHEN 'arcsine' THEN 1e-11 WHEN 'pooled' THEN 1e-4 ELSE 3e-6 END $$, 'sample_size_proportions has the power');
SELECT is_empty($$ SELECT * FROM shares, LATERAL (SELECT CASE direction WHEN 'increase' THEN 'greater' ELSE 'less' END) a(alternative),
		LATERAL sample_size_proportions(p1, p2, alpha, power, ratio, alternative, method) n
	WHERE abs(power_proportions(p1, p2, n, alpha, ratio, alternative, method) - power) > 1e-11 $$, 'one-sided, exactly so');
SELECT is_empty($$ SELECT * FROM shares WHERE abs(sample_size_proportions(p1, p2, alpha, power, 1, method => method) / sample_size_proportions(1 - p1, 1 - p2, alpha, power, 1, method => method) - 1) > 1e-9 $$,
	'failures count as successes do');
SELECT is_empty($$ SELECT * FROM (VALUES (0.8698, 0.2166, 0.0015, 0.23, 0.0617, 'less'), (0.6732, 0.0255, 0.07, 0.216, 0.327, 'less'), (0.1837, 0.6107, 0.0044, 0.0633, 0.113, 'greater')) v(p1, p2, alpha, power, ratio, alternative),
		LATERAL sample_size_proportions(p1, p2, alpha, power, ratio, alternative, 'pooled') n, LATERAL minimum_detectable_effect_proportions(n, p1, alpha, power, ratio, alternative, 'pooled') d
	WHERE abs(power_proportions(p1, p1 + d, n, alpha, ratio, alternative, 'pooled') - power) > 1e-10 $$, 'a low power that is not highest at a proportion of 0 or 1');
SELECT ok(abs(power_proportions(0.2, 0.2, 500) - 0.05) < 1e-15, 'without a difference the power is alpha');
SELECT ok(minimum_detectable_effect_proportions(1e12, 0.1) BETWEEN 1.18e-6 AND 1.19e-6, 'small differences of many units');

-- duration
SELECT is(experiment_duration(3838.1, 1000, 0.5), 16, 'two arms of 3839 units at 500 a day');
SELECT is(experiment_duration(700, 1000, arms => 3), 3, 'three arms of 700 units at 1000 a day');
SELECT is(experiment_duration(100, 50, ratio => 2.5), 7, '100 and 250 units at 50 a day are 7 days');

SELECT is(experiment_duration(29, 200, 0.29), 1, '58 units at 58 a day are a day, though 200 * 0.29 is less than 58 as a number');
SELECT is(experiment_duration(100, 210, ratio => 1.1), 1, 'and 110 units are 100 * 1.1');
SELECT is(experiment_duration(29.01, 200, 0.29), 2, 'but 60 are not');

-- halfway
SELECT ok(abs(additional_sample(1000, 0.1, 0.05) / 1000 + 1 - (0.1 / 0.05 * (normal_quantile(0.975) + normal_quantile(0.8))) ^ 2) < 1e-10, 'additional_sample by a fixed plan');
SELECT is_empty($$ SELECT * FROM unnest('{1,400,1e5}'::float8[]) n, unnest('{0.3,0.02}'::float8[]) stderr, unnest('{two-sided,greater}'::text[]) alternative,
		LATERAL additional_sample(n, stderr, 0.05, tuning => 2000, alternative => alternative) more
	WHERE abs((0.05 - always_valid_halfwidth(stderr * sqrt(n / (n + more)), n + more, tuning => 2000, alternative => alternative)) / (stderr * sqrt(n / (n + more))) - normal_quantile(0.8)) > 1e-9 AND more > 0 $$,
	'additional_sample for always-valid intervals');

SELECT finish();
ROLLBACK;
