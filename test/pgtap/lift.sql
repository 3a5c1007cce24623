-- moments(), lift() and compare(): against plain SQL and exact arithmetic, in any order and any split, and over many experiments
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(118);

\ir state_checksum.psql

-- evenly in (0, 1), the same on every machine, and normal by Box and Muller
CREATE FUNCTION draw(seed bigint, x bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT ((hashint8extended(x, seed) & 1048575) + 0.5) / 1048576.0::float8 $$;
CREATE FUNCTION normal_draw(seed bigint, x bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT sqrt(-2 * ln(draw(seed, x))) * cos(2 * pi() * draw(seed + 1000000, x)) $$;

--
-- means and variances
--

-- outcomes of unlike shapes, all of them whole multiples of 2^-20, but for a power of two of some; so bigint holds them exactly
CREATE FUNCTION grid(x float8, bits int DEFAULT 20) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT round(x * 2::float8 ^ bits) / 2::float8 ^ bits $$;
CREATE FUNCTION scaled(shape text, value float8, power int DEFAULT 1) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE shape WHEN 'tiny' THEN value * 2::float8 ^ (498 * power) WHEN 'huge' THEN value * 2::float8 ^ (-398 * power) ELSE value END $$;
CREATE TABLE outcome AS
SELECT shape, id, y, (scaled(shape, y) * 1048576)::bigint * 0.00000095367431640625 AS exact, x, (x * 1048576)::bigint * 0.00000095367431640625 AS exact_x, t
FROM (SELECT id, draw(1, id) < 0.5 AS t, grid(10 + 3 * normal_draw(2, id)) AS x, grid(normal_draw(3, id)) AS e FROM generate_series(1, 5000) id) u,
	LATERAL (VALUES ('ordinary', 2 * x + e + 100), ('offset 1e9', 1e9 + e), ('offset 1e12', 1e12 + grid(e, 10)), ('tiny', e * 2::float8 ^ -498),
		('huge', e * 2::float8 ^ 398), ('an outlier first', CASE WHEN id = 1 THEN 1e8 ELSE e END), ('two values', (e > 1)::int), ('both signs', grid(e * exp(5 * draw(9, id))))) s(shape, y);
CREATE TABLE exact AS
SELECT shape, t, count(*) AS n, sum(exact) / count(*) AS mean, (sum(exact * exact) - sum(exact) * sum(exact) / count(*)) / (count(*) - 1) AS variance,
	(sum(exact * exact_x) - sum(exact) * sum(exact_x) / count(*)) / (count(*) - 1) AS covariance
FROM outcome GROUP BY shape, t;
CREATE TABLE arm AS SELECT shape, t, moments(y, x) AS m FROM outcome GROUP BY shape, t;

SELECT ok(bool_and((f).n = e.n AND abs(scaled(shape, (f).variance, 2) / e.variance::float8 - 1) < 1e-12
	AND abs(scaled(shape, (f).covariance, 1) - e.covariance::float8) < 1e-12 * sqrt(e.variance::float8 * (f).covariate_variance)
	AND abs(scaled(shape, (f).mean, 1) - e.mean::float8) <= 1e-15 * (abs(e.mean::float8) + sqrt(e.variance::float8))), 'exact to 1e-12: ' || shape)
FROM (SELECT shape, t, moments_figures(m) AS f FROM arm) a JOIN exact e USING (shape, t) GROUP BY shape ORDER BY shape;
SELECT cmp_ok(max(abs((moments_figures(m)).variance / v - 1)), '<', 1e-12::float8, 'as var_samp(): ' || shape)
FROM arm JOIN (SELECT shape, t, var_samp(exact)::float8 AS v FROM outcome GROUP BY shape, t) x USING (shape, t) WHERE shape IN ('ordinary', 'offset 1e9', 'offset 1e12', 'two values') GROUP BY shape ORDER BY shape;
SELECT is((moments_figures(moments(v))).variance, 0::float8, 'equal numbers do not vary: ' || v)
FROM unnest('{0.1,1e300,-3e-300,123456.789}'::float8[]) v, generate_series(1, 7) GROUP BY v;
SELECT cmp_ok(abs((moments_figures(moments(1e9 + x % 2))).variance - 0.2500250025002500), '<', 1e-15::float8, 'a mean of 1e9 leaves the variance its digits') FROM generate_series(1, 10000) x;

-- numbers that are no multiples of anything, the first of them far off: what each deviation from it would be rounded by adds up
SELECT ok(bool_and(abs((e.f).mean - e.mean) < 1e-13 * (e.f).stderr AND abs((e.f).variance / e.variance - 1) < 1e-13), 'a first row far off leaves all others their digits')
FROM (SELECT moments_figures(moments(y ORDER BY i)) AS f, moments_figures(moments(y ORDER BY i DESC)) AS g, avg(y::numeric)::float8 AS mean, var_samp(y::numeric)::float8 AS variance
	FROM (SELECT i, CASE i WHEN 1 THEN 1e9 + 0.3 ELSE 0.1 + i % 7 / 10.0::float8 END AS y FROM generate_series(1, 100000) i) r) x,
	LATERAL (SELECT x.mean, x.variance, unnest(ARRAY[f, g]) AS f) e(mean, variance, f);

-- numeric as float8
SELECT is(moments(y::numeric)::text, moments(y)::text, 'numeric is read as the number it is') FROM (SELECT round(y::numeric, 3)::float8 AS y FROM outcome WHERE shape = 'ordinary') o;

--
-- any order, any split: to 1e-12
--
CREATE FUNCTION apart(one lift_test, other lift_test) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN num_nulls(VARIADIC ARRAY[(one).difference, (one).stderr, (one).p_value, (other).difference, (other).stderr, (other).p_value]) > 0 THEN 'Infinity'
		ELSE greatest(abs((one).difference - (other).difference) / (one).stderr, abs((one).stderr / (other).stderr - 1), abs((one).mean_control / (other).mean_control - 1),
			abs((one).df / (other).df - 1), abs(coalesce((one).theta / nullif((other).theta, 0) - 1, 0)) * coalesce(sign((one).variance_reduction - 0.01), 0)) END $$;
CREATE TABLE whole AS SELECT shape, lift(y, t) AS l, lift(y, t, x) AS a FROM outcome GROUP BY shape;
CREATE FUNCTION agrees(what text, variant text, what_of text DEFAULT 'l') RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT cmp_ok(max(apart(w.%I, v.l)), ''<'', 1e-12::float8, %L || shape) FROM (%s) v JOIN whole w USING (shape) GROUP BY shape ORDER BY shape', what_of, what || ': ', variant);
END $$;
SELECT agrees('backwards', 'SELECT shape, lift(y, t ORDER BY id DESC) AS l FROM outcome GROUP BY shape');
SELECT agrees('by size', 'SELECT shape, lift(y, t, x ORDER BY y) AS l FROM outcome GROUP BY shape', 'a');
SELECT agrees('split', 'SELECT shape, lift_merge(s ORDER BY part) AS l FROM (SELECT shape, id % 7 AS part, lift_partial(y, t) AS s FROM outcome GROUP BY 1, 2) x GROUP BY shape');
SELECT agrees('split by size, merged backwards, as text', 'SELECT shape, lift_merge(s::text::lift_state ORDER BY part DESC) AS l FROM
	(SELECT shape, part, lift_partial(y, t, x) AS s FROM (SELECT *, ntile(500) OVER (PARTITION BY shape ORDER BY y) AS part FROM outcome) o GROUP BY 1, 2) x GROUP BY shape', 'a');
SELECT agrees('from the arms', 'SELECT shape, compare(max(m::text) FILTER (WHERE NOT t)::moments, max(m::text) FILTER (WHERE t)::moments) AS l FROM arm GROUP BY shape', 'a');

-- in parallel and by partitions; both plans are looked at
CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text; lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP lines := lines || line || E'\n'; END LOOP;
	RETURN lines;
END $$;
CREATE TABLE parted (id int, y float8, t boolean) PARTITION BY HASH (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT id, y, t FROM outcome WHERE shape = 'offset 1e9';
ANALYZE parted;
SET LOCAL enable_partitionwise_aggregate = on;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT matches(plan_of('SELECT lift(y, t) FROM parted'), 'Finalize Aggregate.*Append.*Partial Aggregate', 'an aggregate of each partition');
SELECT cmp_ok(apart(l, (SELECT lift(y, t) FROM parted)), '<', 1e-12::float8, 'a plan by partitions') FROM whole WHERE shape = 'offset 1e9';
SET LOCAL enable_partitionwise_aggregate = off;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT matches(plan_of('SELECT lift(y, t), lift_ratio(y, y, t), lift_proportion(t, t), moments(y) FROM parted'), 'Finalize Aggregate.*Gather.*Partial Aggregate', 'a parallel plan');
SELECT cmp_ok(apart(l, (SELECT lift(y, t) FROM parted)), '<', 1e-12::float8, 'a parallel plan says the same') FROM whole WHERE shape = 'offset 1e9';

-- a window
SELECT is(count(*), 0::bigint, 'a window') FROM (SELECT id, (lift(y, t) OVER (ORDER BY id)).n_control AS n, count(*) FILTER (WHERE NOT t) OVER (ORDER BY id) AS expected FROM parted) w WHERE n <> expected;

-- by hand the argument stays as it is
CREATE TABLE stored AS SELECT lift_partial(y, t) AS s FROM parted;
SELECT is((SELECT count(*) FROM (SELECT lift_add(s, 5, true) AS added, s::text AS after FROM stored) x, stored WHERE stored.s::text = after AND added::text <> after), 1::bigint, 'a state is not changed outside of an aggregate');

--
-- states that cannot be
--
CREATE FUNCTION refusal(type text, body text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; detail text;
BEGIN
	EXECUTE format('SELECT %L::%s', body || encode(state_checksum(decode(body, 'hex')), 'hex'), type);
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN coalesce(nullif(detail, ''), message);
END $$;
CREATE TABLE good AS SELECT left(moments(x)::text, -8) AS m, left(lift_partial(x, x > 1)::text, -8) AS l FROM unnest('{1,2,4}'::float8[]) x;
SELECT is(refusal('moments', m), 'accepted', 'the forger is up to its work') FROM good;
SELECT is(refusal('lift_state', l), 'accepted', '... twice') FROM good;
SELECT is(refusal('moments', overlay(m PLACING '03' FROM 7)), 'Its number of variables is not known.', 'moments of three') FROM good;
SELECT is(refusal('moments', overlay(m PLACING '02' FROM 7)), 'insufficient data left in message', 'moments that are cut') FROM good;
SELECT is(refusal('moments', m || '00'), 'It is longer than its contents.', 'moments with more behind') FROM good;
SELECT is(refusal('moments', overlay(m PLACING 'ff' FROM 9)), 'Its count is negative.', 'a negative count') FROM good;
SELECT is(refusal('moments', overlay(m PLACING '0000000000000000' FROM 9)), 'It has sums of no rows.', 'no rows') FROM good;
SELECT is(refusal('moments', left(m, 8) || repeat('00', 48)), 'It has no rows.', 'no rows, no sums') FROM good;
SELECT is(refusal('moments', overlay(m PLACING '7ff8000000000000' FROM 25)), 'A sum is not finite.', 'a shift that is no number') FROM good;
SELECT is(refusal('moments', overlay(m PLACING 'c024' FROM 73)), 'A sum of squares is negative.', 'negative squares') FROM good;
SELECT is(refusal('lift_state', overlay(l PLACING '07' FROM 7)), 'Its kind is not known.', 'an unknown metric') FROM good;
SELECT is(refusal('lift_state', overlay(l PLACING '02' FROM 9)), 'insufficient data left in message', 'another number of variables') FROM good;
SELECT is(refusal('lift_state', overlay(l PLACING '0204' FROM 7)), 'Its kind is not known.', 'a proportion of four') FROM good;
SELECT is(refusal('lift_state', overlay(l PLACING '02' FROM 7)), 'Its successes are not among its rows.', 'a proportion that is a mean of 2 and 4') FROM good;

--
-- the tests themselves, against their formulas in plain SQL
--
CREATE FUNCTION near(got float8, expected float8) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT abs(got - expected) <= 1e-10 * abs(expected) $$;
CREATE TABLE plain AS
SELECT count(y) FILTER (WHERE NOT t)::float8 AS n, count(y) FILTER (WHERE t)::float8 AS m, avg(y) FILTER (WHERE NOT t) AS ya, avg(y) FILTER (WHERE t) AS yb,
	var_samp(y) FILTER (WHERE NOT t) AS va, var_samp(y) FILTER (WHERE t) AS vb, avg(x) FILTER (WHERE NOT t) AS xa, avg(x) FILTER (WHERE t) AS xb,
	var_samp(x) FILTER (WHERE NOT t) AS wa, var_samp(x) FILTER (WHERE t) AS wb, covar_samp(y, x) FILTER (WHERE NOT t) AS ca, covar_samp(y, x) FILTER (WHERE t) AS cb,
	covar_samp(y, x) / var_samp(x) AS theta FROM outcome WHERE shape = 'ordinary';
SELECT ok(near((l).difference, yb - ya) AND near((l).stderr, sqrt(va / n + vb / m)) AND near((l).df, (va / n + vb / m) ^ 2 / ((va / n) ^ 2 / (n - 1) + (vb / m) ^ 2 / (m - 1)))
	AND near((l).p_value, 2 * student_t_tail(abs((l).t), (l).df)) AND near((l).ci_high, (l).difference + student_t_quantile(0.975, (l).df) * (l).stderr), 'Welch''s test')
FROM whole, plain WHERE shape = 'ordinary';
SELECT ok(near((l).relative_difference, yb / ya - 1) AND near((l).relative_stderr, sqrt(vb / m / ya ^ 2 + va / n * yb ^ 2 / ya ^ 4)), 'the relative difference') FROM whole, plain WHERE shape = 'ordinary';
SELECT ok(near((a).theta, theta) AND near((a).difference, yb - ya - theta * (xb - xa))
	AND near((a).stderr, sqrt((va + theta ^ 2 * wa - 2 * theta * ca) / n + (vb + theta ^ 2 * wb - 2 * theta * cb) / m))
	AND near((a).variance_reduction, 1 - (a).stderr ^ 2 / (va / n + vb / m)), 'CUPED: theta of covar_samp() and var_samp() over both arms') FROM whole, plain WHERE shape = 'ordinary';
SELECT ok(near((r).mean_control, ya / xa) AND near((r).difference, yb / xb - ya / xa)
	AND near((r).stderr, sqrt((va - 2 * ya / xa * ca + (ya / xa) ^ 2 * wa) / xa ^ 2 / n + (vb - 2 * yb / xb * cb + (yb / xb) ^ 2 * wb) / xb ^ 2 / m)), 'a ratio by the delta method')
FROM plain, (SELECT lift_ratio(y, x, t) AS r FROM outcome WHERE shape = 'ordinary') z;
-- the same before: nothing is left of the difference
SELECT ok(abs((r).difference) < 1e-12 AND (r).variance_reduction > 1 - 1e-9, 'a ratio adjusted by itself') FROM (SELECT lift_ratio(y, x, t, y, x) AS r FROM outcome WHERE shape = 'ordinary') z;
SELECT ok(near((r).theta, 2), 'theta of a ratio and its half is 2') FROM (SELECT lift_ratio(y, x, t, y / 2, x) AS r FROM outcome WHERE shape = 'ordinary') z;

-- Fieller's interval: the ends are where a test of the treatment against 1 + r times the control just fails
SELECT ok(bool_and(abs(abs((yb - (1 + r) * ya) / sqrt(vb / m + (1 + r) ^ 2 * va / n)) / student_t_quantile(0.975, (l).df) - 1) < 1e-9) AND min(r) < min((l).relative_difference) AND max(r) > min((l).relative_difference), 'Fieller''s interval')
FROM whole, plain, LATERAL (VALUES ((l).fieller_ci_low), ((l).fieller_ci_high)) e (r) WHERE shape = 'ordinary';
SELECT ok(bool_and(abs(abs(((a).difference - r * ya) / sqrt((a).stderr ^ 2 + r ^ 2 * va / n + 2 * r * (va - theta * ca) / n)) / student_t_quantile(0.975, (a).df) - 1) < 1e-9), '... with a covariate')
FROM whole, plain, LATERAL (VALUES ((a).fieller_ci_low), ((a).fieller_ci_high)) e (r) WHERE shape = 'ordinary';
SELECT ok(abs((p).fieller_ci_low + (q).fieller_ci_high) < 1e-15 AND abs((p).fieller_ci_high + (q).fieller_ci_low) < 1e-15, '... of a negative control')
FROM (SELECT compare(moments_of(50, 3, 4), moments_of(60, 4, 5)) AS p, compare(moments_of(50, -3, 4), moments_of(60, -4, 5)) AS q) z;
SELECT is((compare(moments_of(50, 0.2, 4), moments_of(60, 4, 5))).fieller_ci_low, NULL, '... of a control that cannot be told from 0');
SELECT ok((g).fieller_ci_high = 'Infinity' AND (g).fieller_ci_low < 0 AND (g).p_value > 0.05 AND (h).fieller_ci_low > 0 AND (h).p_value < 0.05 AND (s).fieller_ci_low = '-Infinity' AND (s).fieller_ci_high > 0, '... one-sided')
FROM (SELECT compare(moments_of(50, 3, 4), moments_of(60, 3.5, 5), alternative => 'greater') AS g, compare(moments_of(50, 3, 4), moments_of(60, 4.5, 5), alternative => 'greater') AS h,
	compare(moments_of(50, 3, 4), moments_of(60, 3.5, 5), alternative => 'less') AS s) z;

-- chances far out in the tail, against values of 40 digits: n, variance, difference of equal arms
SELECT ok(abs((compare(moments_of(n, 0, v), moments_of(n, d, v))).p_value / p - 1) < 1e-10, 'a p-value of ' || p)
FROM (VALUES (50, 1, 0.5, 0.014079755374771979252), (1000, 4, 0.3, 0.00081110817439991569986), (500, 1, 2.5, 2.0956377932613668399e-206), (20000, 1, 0.36, 2.4690265938833819156e-279),
	(200000, 9, 0.35, 1.8863379280122492918e-297), (3, 1, 1e5, 2.6666666654814814819e-20)) x (n, v, d, p);
SELECT is((compare(moments_of(50000, 0, 1), moments_of(50000, 1, 1))).p_value, 0::float8, '... one that is too small for a number is 0');

SELECT ok(abs(student_t_quantile(0.975, 41.14795503007679) / 2.019320463425212578 - 1) < 1e-14, 'the quantile that the reference of a golden case has wrong at the tenth digit');

-- who has not done it is as good an outcome: nothing is lost of rates near 1 or near each other; 40 digits in mpmath
CREATE TABLE counts AS SELECT * FROM (VALUES (1000000000::bigint, 10::bigint, 1000000000::bigint, 30::bigint), (10000000, 1, 20000001, 17), (1000003, 500007, 999983, 500003)) c(n, x, m, y);
SELECT ok(bool_and(near((p).z, -(q).z) AND near((p).p_value, (q).p_value) AND near((p).yates_p_value, (q).yates_p_value) AND near((p).stderr, (q).stderr) AND near((p).difference, -(q).difference)
	AND near((p).ci_low, -(q).ci_high)), 'successes and failures change places')
FROM (SELECT compare_proportions(x, n, y, m) AS p, compare_proportions(n - x, n, m - y, m) AS q FROM counts) c;
SELECT ok(near((p).z, -3.1622776917911564) AND near((p).yates_p_value, 0.0026631189961663758) AND near((p).stderr, 6.3245552412798167e-9), 'all but a few of a billion') FROM compare_proportions(999999990, 1000000000, 999999970, 1000000000) p;
SELECT ok(near((p).difference, 1.5000000000005e-12) AND near((p).p_value, 0.99999830743124936), 'halves of a trillion that differ by two') FROM compare_proportions(499999999999, 999999999999, 500000000001, 1000000000000) p;
-- Fisher's exact test against all tables of the same margins
CREATE FUNCTION choose(n int, k int) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT factorial(n) / factorial(k) / factorial(n - k) $$;
CREATE FUNCTION fisher(a int, n int, b int, m int, alternative text) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
	SELECT sum(w) FILTER (WHERE CASE alternative WHEN 'greater' THEN x >= b WHEN 'less' THEN x <= b ELSE w <= at * (1 + 1e-7) END) / sum(w) FROM (SELECT x, choose(m, x) * choose(n, a + b - x) AS w FROM generate_series(greatest(0, a + b - n), least(m, a + b)) x) t,
		LATERAL (SELECT choose(m, b) * choose(n, a) AS at) o $$;
SELECT is(count(*), 0::bigint, 'Fisher''s test by enumeration') FROM (SELECT (draw(21, i) * 30)::int AS n, (draw(22, i) * 40)::int AS m, i FROM generate_series(1, 400) i) s,
	LATERAL (SELECT (draw(23, i) * n)::int AS a, (draw(24, i) * m)::int AS b, ('{two-sided,greater,less}'::text[])[1 + i % 3] AS alternative) c
WHERE n > 0 AND m > 0 AND NOT near((compare_proportions(a, n, b, m, alternative => alternative)).fisher_p_value, fisher(a, n, b, m, alternative)::float8);
-- the other side, seen from there
SELECT ok(bool_and(near((p).p_value, (q).p_value) AND near((p).z, -(q).z) AND near((p).fisher_p_value, (q).fisher_p_value) AND near((p).ci_high, -(q).ci_low) AND near((p).wald_ci_high, -(q).wald_ci_low)
	AND (p).ci_low = -1 AND (q).ci_high = 1 AND (p).wald_ci_low = -1 AND (q).wald_ci_high = 1 AND (p).relative_ci_low = -1 AND (q).relative_ci_high = 'Infinity'
	AND near(1 + (p).relative_ci_high, 1 / (1 + (q).relative_ci_low)) AND (p).p_value < 0.5), 'less is greater with the arms exchanged')
FROM (SELECT compare_proportions(x, n, y, m, 0.1, 'less') AS p, compare_proportions(y, m, x, n, 0.1, 'greater') AS q FROM (VALUES (40, 100, 25, 90), (7, 10, 5, 11), (300, 1000, 290, 1001)) v(x, n, y, m)) c;
SELECT ok(near((p).fisher_p_value, 1 / choose(110, 50)::float8), '... and of 50 of 50 against 0 of 60, which is 1 in 110 over 50') FROM compare_proportions(50, 50, 0, 60) p;
SELECT ok(abs((p).fisher_p_value - (p).yates_p_value) < 1e-5, '... of a billion units as the chi-square says') FROM compare_proportions(500000000, 1000000000, 500030000, 1000000000) p;

--
-- over many experiments
--

-- 1,000 of 60 units each, skewed outcomes, no effect: p-values are even, intervals hold the 0 they should
CREATE TABLE nothing AS
SELECT e, lift(y, t) AS l, lift(y, t, x) AS a
FROM (SELECT e, i, draw(31, e * 1000 + i) < 0.5 AS t, x, x + normal_draw(33, e * 1000 + i) AS y FROM generate_series(1, 1000) e, generate_series(1, 60) i, LATERAL (SELECT 2 * normal_draw(32, e * 1000 + i) AS x) c) u GROUP BY e;
SELECT cmp_ok((ks_2samp(array_agg((l).p_value), array(SELECT (i - 0.5) / 2000 FROM generate_series(1, 2000) i))).p_value, '>', 0.01::float8, 'without an effect p-values are even') FROM nothing;
SELECT cmp_ok((ks_2samp(array_agg((a).p_value), array(SELECT (i - 0.5) / 2000 FROM generate_series(1, 2000) i))).p_value, '>', 0.01::float8, '... with a covariate, too') FROM nothing;
-- 1,000 draws of a chance of .05 are between 31 and 71 but once in 1,000 times
SELECT ok(count(*) FILTER (WHERE (l).ci_low > 0 OR (l).ci_high < 0) BETWEEN 31 AND 71, 'intervals of 95 percent leave the truth out in 5 of 100') FROM nothing;
SELECT ok(abs(avg((a).variance_reduction) - 0.8) < 0.02, 'a covariate that explains four fifths takes away four fifths') FROM nothing;
SELECT is(count(*) FILTER (WHERE ((l).p_value < 0.05) <> ((l).ci_low > 0 OR (l).ci_high < 0)), 0::bigint, 'p-value and interval agree') FROM nothing;

-- 400 without an effect, 40 units a day for 30 days, looked at each day
CREATE TABLE looked_at AS
SELECT e, day, compare(control, treatment) AS once, compare(control, treatment, always_valid => true, tuning => 600) AS valid
FROM (SELECT e, day, moments_merge(c) OVER w AS control, moments_merge(t) OVER w AS treatment
	FROM (SELECT e, day, moments(y) FILTER (WHERE NOT t) AS c, moments(y) FILTER (WHERE t) AS t
		FROM (SELECT e, day, draw(41, k) < 0.5 AS t, -ln(draw(42, k)) AS y FROM generate_series(1, 400) e, generate_series(1, 30) day, generate_series(1, 40) i, LATERAL (SELECT e * 10000 + day * 100 + i AS k) z) u GROUP BY e, day) d
	WINDOW w AS (PARTITION BY e ORDER BY day)) s;
CREATE TABLE alarms AS SELECT e, bool_or((once).p_value < 0.05) AS once, bool_or((valid).p_value < 0.05) AS valid FROM looked_at GROUP BY e;
SELECT cmp_ok(count(*) FILTER (WHERE once), '>', 60::bigint, 'who stops at the first p below .05 finds something in more than 15 of 100 experiments without effect') FROM alarms;
SELECT cmp_ok(count(*) FILTER (WHERE valid), '<=', 20::bigint, 'the always-valid test in at most 5 of 100') FROM alarms;
SELECT is(count(*) FILTER (WHERE ((valid).ci_low > 0 OR (valid).ci_high < 0) <> ((valid).fieller_ci_low > 0 OR (valid).fieller_ci_high < 0)), 0::bigint, 'Fieller''s always-valid interval agrees with that of the difference') FROM looked_at WHERE (valid).fieller_ci_low IS NOT NULL;
SELECT is(count(*) FILTER (WHERE ((once).p_value < 0.05) <> ((once).fieller_ci_low > 0 OR (once).fieller_ci_high < 0)), 0::bigint, '... and that of one look with its p-value') FROM looked_at WHERE (once).fieller_ci_low IS NOT NULL;
SELECT is(count(*) FILTER (WHERE ((valid).p_value < 0.05) <> ((valid).ci_low > 0 OR (valid).ci_high < 0)), 0::bigint, 'the always-valid p-value and interval agree') FROM looked_at WHERE abs((valid).p_value - 0.05) > 1e-9;
-- one-sided it finds no more, and of a real effect it finds most
CREATE TABLE real_effect AS
SELECT e, compare(control, treatment, always_valid => true, tuning => 600, alternative => 'greater') AS greater, compare(control, treatment, always_valid => true, tuning => 600, alternative => 'less') AS less, effect
FROM (SELECT e, effect, moments(y) FILTER (WHERE NOT t) AS control, moments(y + CASE WHEN t THEN effect ELSE 0 END) FILTER (WHERE t) AS treatment
	FROM (SELECT e, e % 2 * 0.4 AS effect, draw(51, k) < 0.5 AS t, -ln(draw(52, k)) AS y FROM generate_series(1, 400) e, generate_series(1, 600) i, LATERAL (SELECT e * 1000 + i AS k) z) u GROUP BY e, effect) s;
SELECT ok(count(*) FILTER (WHERE effect > 0 AND (greater).p_value < 0.05) > 150 AND count(*) FILTER (WHERE effect = 0 AND (greater).p_value < 0.05) <= 10
	AND count(*) FILTER (WHERE effect > 0 AND (less).p_value < 0.05) = 0, 'one-sided, most of a real effect is found, on its side') FROM real_effect;

-- a relative interval covers the truth
SELECT ok(count(*) FILTER (WHERE (l).relative_ci_low < 0.1 AND (l).relative_ci_high > 0.1) BETWEEN 929 AND 969, 'relative intervals of 95 percent hold the truth in 95 of 100')
FROM (SELECT e, lift(y * CASE WHEN t THEN 1.1 ELSE 1 END, t) AS l FROM (SELECT e, draw(61, k) < 0.5 AS t, 5 + normal_draw(62, k) AS y FROM generate_series(1, 1000) e, generate_series(1, 60) i, LATERAL (SELECT e * 1000 + i AS k) z) u GROUP BY e) x;

SELECT ok(count(*) FILTER (WHERE (l).fieller_ci_low < 0.1 AND (l).fieller_ci_high > 0.1) BETWEEN 929 AND 969, '... those of Fieller, of skewed outcomes and few units, too')
FROM (SELECT e, lift(y * CASE WHEN t THEN 1.1 ELSE 1 END, t) AS l FROM (SELECT e, draw(63, k) < 0.5 AS t, -ln(draw(64, k)) AS y FROM generate_series(1, 1000) e, generate_series(1, 60) i, LATERAL (SELECT e * 1000 + i AS k) z) u GROUP BY e) x;

SELECT * FROM finish();
ROLLBACK;
