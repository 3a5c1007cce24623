-- Posteriors of effects, proportions and rates: values of 18 digits, closed forms, and identities.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(27);

-- by integration with 30 digits and more
CREATE TABLE known (success_a bigint, n_a bigint, success_b bigint, n_b bigint, prior_alpha float8, prior_beta float8, chance float8, loss_a float8, loss_b float8);
INSERT INTO known VALUES
	(49, 100, 51, 100, 1, 1, '0.610770522687839444', '0.0387243043393441532', '0.0191164612020892513'),
	(0, 10, 1, 10, 1, 1, '0.7619047619047619', '0.10144927536231884', '0.018115942028985507'),
	(3, 4, 1, 5, 0.5, 0.5, '0.0482867284908674581', '0.00587567210466773506', '0.455875672104667735'),
	(0, 0, 0, 0, 1, 1, '0.5', '0.16666666666666667', '0.16666666666666667'),
	(0, 0, 5, 9, 2, 3, '0.664705882352941175', '0.155882352941176471', '0.0558823529411764706'),
	(20, 100, 90, 100, 1, 1, '1.0', '0.686274509803921569', '6.77509143178492556e-28'),
	(90, 100, 20, 100, 1, 1, '9.81682136477439714e-26', '6.77509143178492556e-28', '0.686274509803921569'),
	(0, 50, 0, 60, 0.5, 0.5, '0.471154905712271941', '0.00492338673505391098', '0.00653058699220595213'),
	(5, 1000, 17, 990, 1, 1, '0.995245263928792851', '0.0121646100096479839', '7.4726714212116128e-6'),
	(950, 1000, 900, 1000, 1, 1, '9.91268341691566768e-6', '2.52824118636118238e-8', '0.0499002248832102668');
SELECT is_empty($$ SELECT * FROM known k, LATERAL bayes_proportion(success_a, n_a, success_b, n_b, prior_alpha, prior_beta) r
	WHERE greatest(abs(chance_to_win / chance - 1), abs(expected_loss_a / loss_a - 1), abs(expected_loss_b / loss_b - 1)) > 1e-10 $$, 'bayes_proportion');

-- Miller's sum, in logarithms
CREATE FUNCTION miller(a1 int, b1 int, a2 int, b2 int) RETURNS float8 LANGUAGE sql AS
$$ SELECT sum(exp(greatest(log_beta(a1 + i, b1 + b2) - ln((b2 + i)::float8) - log_beta(1 + i, b2) - log_beta(a1, b1), -700))) FROM generate_series(0, a2 - 1) i $$;
SELECT is_empty($$ SELECT * FROM (VALUES (40, 60, 300, 500), (7, 900, 12, 1100), (2000, 3000, 1900, 3100), (1, 1, 1, 30), (400, 10, 900, 60)) v(a1, b1, a2, b2)
	WHERE abs((bayes_proportion(a1 - 1, a1 + b1 - 2, a2 - 1, a2 + b2 - 2)).chance_to_win / miller(a1, b1, a2, b2) - 1) > 1e-9 $$, 'the closed form');

CREATE TABLE pairs AS
SELECT (n * p)::bigint AS success_a, n::bigint AS n_a, round(m * least(p * f, 1))::bigint AS success_b, m::bigint AS n_b
FROM (VALUES (10::float8, 20::float8), (1000, 300), (1e6, 1e6), (1e9, 2e9), (40, 1e6)) v(n, m), unnest('{0,0.001,0.4,1}'::float8[]) p, unnest('{0.8,1.0001}'::float8[]) f;
CREATE TABLE results AS SELECT p.*, r.*, s.chance_to_win AS other_chance, s.expected_loss_a AS other_loss_a, s.ci_low AS other_low
FROM pairs p, LATERAL bayes_proportion(success_a, n_a, success_b, n_b) r, LATERAL bayes_proportion(success_b, n_b, success_a, n_a) s;
SELECT is(count(*), 40::bigint, 'pairs of proportions') FROM results;
SELECT is_empty($$ SELECT * FROM results WHERE abs(chance_to_win + other_chance - 1) > 1e-10 $$, 'one of the two wins');
SELECT is_empty($$ SELECT * FROM results WHERE abs(expected_loss_a - expected_loss_b - difference) > 1e-11 * greatest(expected_loss_a, expected_loss_b) + 1e-16 $$, 'losses differ by the difference of means');
SELECT is_empty($$ SELECT * FROM results WHERE abs(expected_loss_b - other_loss_a) > 1e-10 * expected_loss_b $$, 'the other way round');
SELECT is_empty($$ SELECT * FROM results WHERE abs(ci_high + other_low) > 1e-9 * (ci_high - ci_low) $$, 'and so the intervals');
SELECT is_empty($$ SELECT * FROM results WHERE NOT (ci_low < difference AND difference < ci_high AND ci_low > -1 AND ci_high < 1) $$, 'the difference is in its interval');

-- intervals: of uniform posteriors the difference is triangular; for many units it is normal
SELECT ok(abs((bayes_proportion(0, 0, 0, 0)).ci_high - (1 - sqrt(0.05))) < 1e-10, 'a triangular distribution');
SELECT ok(abs((bayes_proportion(0, 0, 0, 0, alpha => 0.5)).ci_low + (1 - sqrt(0.5))) < 1e-10, 'and another part of it');
SELECT ok(abs(((bayes_proportion(300000000, 1000000000, 300010000, 1000000000)).ci_high - 1e-5) / (sqrt(0.42e-9) * normal_quantile(0.975)) - 1) < 1e-5, 'a nearly normal distribution');
SELECT is((bayes_proportion(1000000000, 1000000000, 0, 1000000000)).chance_to_win, 0::float8, 'a chance that is too small for a number');

-- rates: exponential posteriors have closed forms
SELECT is_empty($$ SELECT * FROM (VALUES (10.0, 1.0), (0.3, 700.0), (5.0, 5.0)) v(p, q), LATERAL bayes_rate(0, p, 0, q) r
	WHERE abs(chance_to_win / (p / (p + q)) - 1) > 1e-10 OR abs(expected_loss_a / (p / (p + q) / q) - 1) > 1e-10 OR abs(expected_loss_b / (q / (p + q) / p) - 1) > 1e-10
		OR (p / (p + q) > 0.025 AND abs(ci_high / (ln(p / (p + q) / 0.025) / q) - 1) > 1e-9) $$, 'exponential posteriors');
CREATE TABLE rates AS SELECT count_a, exposure_a, count_b, exposure_b, r.*, s.chance_to_win AS other_chance
FROM (VALUES (0::float8), (3), (2.5e4), (1e6)) a(count_a), (VALUES (0.1::float8), (1e6)) b(exposure_a), (VALUES (1.03::float8), (0.5)) f(factor), LATERAL (SELECT count_a * factor) c(count_b), (VALUES (1::float8), (7)) d(exposure_b),
	LATERAL bayes_rate(count_a, exposure_a, count_b, exposure_b, 0.5, 0.001) r, LATERAL bayes_rate(count_b, exposure_b, count_a, exposure_a, 0.5, 0.001) s;
SELECT is_empty($$ SELECT * FROM rates WHERE abs(chance_to_win + other_chance - 1) > 1e-10 $$, 'one of two rates wins');
SELECT is_empty($$ SELECT * FROM rates WHERE abs(expected_loss_a - expected_loss_b - difference) > 1e-10 * greatest(expected_loss_a, expected_loss_b) $$, 'losses of rates differ by the difference of means');
SELECT is_empty($$ SELECT * FROM rates WHERE NOT (ci_low < difference AND difference < ci_high) $$, 'the difference of rates is in its interval');

-- beliefs of very different widths; where b is exponential, and a far from 0, the tail of the difference is too
SET LOCAL statement_timeout = '2s';
SELECT is_empty($$ SELECT * FROM (VALUES (1e12::float8, 1e12::float8, 1::float8), (1e6, 1e6, 1), (1e12, 1e11, 0.02), (4e7, 1e6, 0.1)) v(count, exposure, other), LATERAL bayes_rate(count, exposure, 0, other) r,
		LATERAL bayes_rate(0, other, count, exposure) s, LATERAL (SELECT other / exposure) x(x), LATERAL (SELECT -(count + 1) * x * (1 - x / 2 + x * x / 3)) l(log_mean)
	WHERE abs(r.ci_high - (log_mean - ln(0.025)) / other) > 1e-9 * abs(r.ci_high) OR abs(r.ci_low - (log_mean - ln(0.975)) / other) > 1e-9 * abs(r.ci_low)
		OR abs(r.chance_to_win / exp(log_mean) - 1) > 1e-9
		OR abs(r.expected_loss_a / exp(log_mean) * other - 1) > 1e-9 OR abs(r.ci_low + s.ci_high) + abs(r.ci_high + s.ci_low) > 1e-9 * abs(r.ci_high) $$, 'an exponential and a nearly certain rate');
SELECT ok(abs((bayes_proportion(500, 1000000000000, 1, 1)).expected_loss_b / (501.0::float8 * 502 * 503 / 3 / (1e12 + 2) / (1e12 + 3) / (1e12 + 4)) - 1) < 1e-10, 'what choosing far more loses, in the rare case');
SELECT is((bayes_rate(1e12, 1, 0, 1)).expected_loss_b, 1e12::float8, 'what choosing far less loses');
SELECT is((bayes_rate(1e12, 1e6, 1e12, 1)).expected_loss_a, 1e12::float8 - 999999, 'and of two that are nearly certain');
CREATE TABLE uneven AS SELECT * FROM (VALUES (500, 1000000000000, 0, 1), (500, 1000000000000, 0, 100000), (3, 1000000, 1, 2), (5080, 254000, 0, 4), (0, 10, 4000, 4000), (20, 100, 300000, 1000000)) v(success_a, n_a, success_b, n_b),
	LATERAL bayes_proportion(success_a, n_a, success_b, n_b) r;
SELECT is_empty($$ SELECT * FROM uneven, LATERAL bayes_proportion(success_a + 1, n_a + 1, success_b, n_b) s, LATERAL bayes_proportion(success_a, n_a, success_b + 1, n_b + 1) t
	WHERE abs(uneven.mean_b * t.chance_to_win - uneven.mean_a * s.chance_to_win - uneven.expected_loss_a) > 1e-10 * uneven.expected_loss_a $$, 'losses by the chances of other posteriors');
SELECT is_empty($$ SELECT * FROM uneven, LATERAL bayes_proportion(success_b, n_b, success_a, n_a) s
	WHERE abs(uneven.ci_low + s.ci_high) + abs(uneven.ci_high + s.ci_low) > 1e-9 * (uneven.ci_high - uneven.ci_low) OR abs(uneven.chance_to_win + s.chance_to_win - 1) > 1e-10 $$, 'uneven proportions the other way round');

-- priors near 0, whose proportions can be too near to 0 for a number
SELECT is_empty($$ SELECT * FROM unnest('{0.1,1e-3,1e-5}'::float8[]) prior_alpha, unnest('{1,1e-3}'::float8[]) prior_beta, unnest('{0,10}'::bigint[]) n, LATERAL bayes_proportion(0, n, 0, n, prior_alpha, prior_beta) r
	WHERE abs(chance_to_win - 0.5) > 1e-10 OR ci_low < -1 OR ci_high > 1 OR ci_low <> -ci_high $$, 'alike they win alike');
RESET statement_timeout;
-- where the rest of the chance leaves no digits of it; by another integral
SELECT ok(abs((bayes_proportion(3000, 10000, 2000, 10000, alpha => 1e-14)).ci_high / -0.05283269063145495 - 1) < 1e-9, 'an end far out that is still on the same side of 0');

-- effects
SELECT is_empty($$ SELECT * FROM unnest('{-37,-11,-9,-3,0,0.2,9.99,10.01,30}'::float8[]) z, LATERAL bayes_effect(z * 0.5, 0.5) r
	WHERE abs(risk_control - risk_treatment - mean) > 1e-13 * abs(mean) OR abs(chance_to_win / normal_cdf(z) - 1) > 1e-13 $$, 'risks differ by the mean');
-- the integral of the normal tail
SELECT is_empty($$ SELECT * FROM (VALUES (-9.9, '2.061535290454836e-24'::float8), (-9.99, '8.27633335563096707e-25'), (-10, '7.47456025458932804e-25'), (-10.01, '6.74979664035454935e-25'), (-10.5, '4.04189568211134012e-27'),
	(-20, '1.37001249472957994e-90'), (-35, '3.20880448260247676e-270')) v(z, want), LATERAL bayes_effect(z, 1) r WHERE abs(risk_control / want - 1) > 1e-11 $$, 'risks far out');
SELECT ok(abs((bayes_effect(2, 1, 0, 1e300)).mean - 2) < 1e-12 AND abs((bayes_effect(2, 1, 1, 1)).mean - 1.5) < 1e-15 AND abs((bayes_effect(2, 1, 1, 1)).stddev ^ 2 - 0.5) < 1e-15 AND abs((bayes_effect(2, 1, 1, 1e-30)).mean - 1) < 1e-15,
	'priors of no weight, of equal weight, and of all');

SELECT finish();
ROLLBACK;
