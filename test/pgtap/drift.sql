-- psi() and its like, and the tests, against plain SQL and against published implementations.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(27);

CREATE FUNCTION draw(seed bigint, x bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(x, seed) & 9223372036854775807) / 9223372036854775808.0::float8 $$;
CREATE FUNCTION close(a float8, b float8, tolerance float8 DEFAULT 1e-9) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(abs(a - b) <= tolerance * greatest(abs(a), abs(b)) + 1e-13, a IS NULL AND b IS NULL) $$;

-- pairs of samples: smooth, shifted, of few distinct values, one of one value, of very different sizes
CREATE TABLE measured AS
SELECT pair, s, x, CASE pair
	WHEN 1 THEN draw(s, x) + draw(s + 2, x)
	WHEN 2 THEN -ln(1 - draw(s + 4, x)) * s
	WHEN 3 THEN floor(draw(s + 6, x) * 5 * s)
	WHEN 4 THEN 7
	ELSE draw(s + 8, x) - s END AS value
FROM generate_series(1, 5) pair, generate_series(1, 2) s, generate_series(1, CASE WHEN pair = 5 AND s = 1 THEN 3 ELSE 400 + 30 * s END) x;
CREATE TABLE pairs AS
SELECT pair, array_agg(value) FILTER (WHERE s = 1) AS a, array_agg(value) FILTER (WHERE s = 2) AS b FROM measured GROUP BY pair;

CREATE TABLE edges AS
SELECT DISTINCT pair, bins, percentile_cont(i::float8 / bins) WITHIN GROUP (ORDER BY value) AS edge
FROM measured, (VALUES (2), (10), (37)) b(bins), generate_series(1, bins - 1) i WHERE s = 1 GROUP BY pair, bins, i;
CREATE TABLE binned AS
SELECT pair, bins, bin, coalesce(sum(n) FILTER (WHERE s = 1), 0)::float8 AS a, coalesce(sum(n) FILTER (WHERE s = 2), 0)::float8 AS b
FROM (SELECT m.pair, bins, s, (SELECT count(*) FROM edges e WHERE (e.pair, e.bins) = (m.pair, b.bins) AND edge < value) AS bin, count(*) AS n
	FROM measured m, (VALUES (2), (10), (37)) b(bins) GROUP BY 1, 2, 3, 4) s
GROUP BY 1, 2, 3;

SELECT is(count(*), 15::bigint, 'pairs to compare') FROM (SELECT DISTINCT pair, bins FROM binned) s;
SELECT results_eq($$ SELECT pair, bins, bin_edges(a, bins) FROM pairs, (VALUES (2), (10), (37)) v(bins) ORDER BY 1, 2 $$,
	$$ SELECT pair, bins, array_agg(edge ORDER BY edge) FROM edges GROUP BY 1, 2 ORDER BY 1, 2 $$, 'bin_edges is percentile_cont, each edge once');
SELECT is_empty($$ SELECT * FROM (SELECT pair, bins, unnest(bin_counts(p.a, bin_edges(p.a, bins))) AS n, generate_series(0, cardinality(bin_edges(p.a, bins))) AS bin FROM pairs p, (VALUES (2), (10), (37)) v(bins)) s
		LEFT JOIN binned USING (pair, bins, bin) WHERE n <> coalesce(a, 0) $$, 'bin_counts of the reference');
SELECT is_empty($$ SELECT * FROM (SELECT pair, bins, unnest(bin_counts(p.b, bin_edges(p.a, bins))) AS n, generate_series(0, cardinality(bin_edges(p.a, bins))) AS bin FROM pairs p, (VALUES (2), (10), (37)) v(bins)) s
		LEFT JOIN binned d USING (pair, bins, bin) WHERE n <> coalesce(d.b, 0) $$, 'bin_counts of the current sample');
SELECT is((SELECT sum(n) FROM pairs, unnest(bin_counts(b, bin_edges(a, 10))) n), 2300::numeric, 'no value is lost');

CREATE TABLE shares AS
SELECT pair, bins, bin, a, b, a / sum(a) OVER w AS p, b / sum(b) OVER w AS q FROM binned WINDOW w AS (PARTITION BY pair, bins);
-- a bin that neither sample has adds nothing, as both shares are raised to the floor
SELECT is_empty($$ SELECT pair, bins, want, psi(p.a, p.b, bins), psi(p.a, p.b, bins, 0.01)
	FROM pairs p JOIN (SELECT pair, bins, sum((greatest(q, 1e-4) - greatest(p, 1e-4)) * ln(greatest(q, 1e-4) / greatest(p, 1e-4))) AS want,
		sum((greatest(q, 0.01) - greatest(p, 0.01)) * ln(greatest(q, 0.01) / greatest(p, 0.01))) AS want_more FROM shares GROUP BY 1, 2) s USING (pair)
	WHERE NOT close(want, psi(p.a, p.b, bins)) OR NOT close(want_more, psi(p.a, p.b, bins, 0.01)) $$, 'psi');
CREATE TABLE counted AS
SELECT pair, bins, array_agg(a ORDER BY bin) AS a, array_agg(b ORDER BY bin) AS b,
	sum((greatest(q, 1e-4) - greatest(p, 1e-4)) * ln(greatest(q, 1e-4) / greatest(p, 1e-4))) AS psi,
	sum(CASE WHEN p > 0 THEN p * ln(2 * p / (p + q)) ELSE 0 END + CASE WHEN q > 0 THEN q * ln(2 * q / (p + q)) ELSE 0 END) / 2 AS js
FROM shares GROUP BY pair, bins;
SELECT is_empty($$ SELECT * FROM counted WHERE NOT close(psi, psi_counts(a, b)) $$, 'psi_counts');
SELECT is_empty($$ SELECT * FROM counted WHERE NOT close(js, js_divergence(a, b)) $$, 'js_divergence');
SELECT is_empty($$ SELECT * FROM counted WHERE js_divergence(a, b) NOT BETWEEN 0 AND ln(2::float8) + 1e-15 OR NOT close(js_divergence(a, b), js_divergence(b, a)) $$,
	'js_divergence is symmetric, from 0 to ln 2');
SELECT cmp_ok((SELECT count(*) FROM counted WHERE psi > 0.1 AND js > 0.01), '>=', 6::bigint, 'some of them differ');

-- chi-square by its textbook form, of expected counts
SELECT is_empty($$ SELECT * FROM counted c, LATERAL chi_square(a, b) t, LATERAL (
		SELECT sum((x - all_x * (x + y) / (all_x + all_y)) ^ 2 / (all_x * (x + y) / (all_x + all_y)) + (y - all_y * (x + y) / (all_x + all_y)) ^ 2 / (all_y * (x + y) / (all_x + all_y))) AS want, count(*) - 1 AS df
		FROM (SELECT x, y, sum(x) OVER () AS all_x, sum(y) OVER () AS all_y FROM unnest(a, b) u(x, y) WHERE x + y > 0) u) w
	WHERE NOT close(statistic, want) OR t.df <> w.df OR NOT close(p_value, CASE WHEN w.df = 0 THEN 1 ELSE chi_square_tail(want, w.df) END, 1e-7) $$, 'chi_square');
SELECT ok(close((chi_square('{10,20,30,40}', '{1000,2000,3000,4000}')).statistic, 0), 'the same shares of other totals');

-- distances of distribution functions
CREATE FUNCTION part(sample float8[], upto float8) RETURNS float8 LANGUAGE sql AS $$ SELECT avg((x <= upto)::int) FROM unnest(sample) x $$;
CREATE TABLE steps AS
SELECT pair, value, lead(value) OVER (PARTITION BY pair ORDER BY value) - value AS width, abs(part(a, value) - part(b, value)) AS distance
FROM pairs JOIN (SELECT DISTINCT pair, value FROM measured) m USING (pair);
SELECT is_empty($$ SELECT * FROM pairs JOIN (SELECT pair, max(distance) AS d FROM steps GROUP BY 1) s USING (pair) WHERE NOT close(d, (ks_2samp(a, b)).statistic) $$, 'ks_2samp: statistic');
SELECT is_empty($$ SELECT * FROM pairs JOIN (SELECT pair, sum(distance * width) AS area FROM steps GROUP BY 1) s USING (pair) WHERE NOT close(coalesce(area, 0), wasserstein(a, b)) $$, 'wasserstein');
SELECT is_empty($$ SELECT * FROM pairs WHERE NOT close(wasserstein(a, b), wasserstein(b, a)) OR ks_2samp(a, b) IS DISTINCT FROM ks_2samp(b, a) $$, 'both are symmetric');
SELECT ok(close(wasserstein(array_agg(x), array_agg(x * 1.0 + 2.5)), 2.5), 'a shift is its own distance') FROM (SELECT draw(20, x) AS x FROM generate_series(1, 1000) x) s;

-- p-values: samples 1..m and k further on, of distance k / m; the values are SciPy's, kstwo.sf(k / m, m / 2)
CREATE TABLE shifted (m int, k int, p float8);
INSERT INTO shifted VALUES
	(20, 1, 1.0),
	(20, 5, 0.4841115325000003),
	(20, 10, 0.00777741),
	(20, 19, 1.9531250000000172e-13),
	(40, 3, 0.9993813369935705),
	(40, 12, 0.04306706665851623),
	(100, 5, 0.9990238098461883),
	(100, 11, 0.5439007965907301),
	(100, 30, 0.00017353260202718738),
	(100, 70, 4.405451055671056e-25),
	(280, 10, 0.9913662873821174),
	(280, 40, 0.0058933151006163535),
	(280, 100, 1.7261078685929594e-16),
	(282, 6, 0.9999997797795211),
	(282, 20, 0.45650600333548985),
	(282, 35, 0.023707439082165438),
	(282, 60, 4.428119502802147e-06),
	(600, 12, 0.9995956727697175),
	(600, 35, 0.24922914106255667),
	(600, 60, 0.004595673656972621),
	(600, 80, 4.1184991018494675e-05),
	(2000, 20, 0.9999496745370611),
	(2000, 60, 0.3226902143914636),
	(2000, 150, 2.445848323871376e-05),
	(2000, 700, 5.191516620172647e-110),
	(10000, 100, 0.6954557253913853),
	(10000, 200, 0.03613941395325637),
	(10000, 1500, 1.1243331036053069e-98),
	(40000, 400, 0.03638603905248727);
SELECT is_empty($$ SELECT m, k, p, t FROM shifted, LATERAL (SELECT ks_2samp(array_agg(x), array_agg(x + k)) AS t FROM generate_series(1, m) i, float8(i) x) s
	WHERE NOT close((t).statistic, k::float8 / m) OR abs((t).p_value / p - 1) > 1e-8 $$, 'ks_2samp: p-values of large samples');
-- SciPy's exact ones, ks_2samp(1..m, c i + 0.25, i = 1..n)
CREATE TABLE small (m int, n int, c float8, d float8, p float8);
INSERT INTO small VALUES
	(3, 3, 1.3, 0.3333333333333333, 1.0),
	(5, 4, 2.0, 0.55, 0.4285714285714286),
	(7, 9, 0.55, 0.31746031746031744, 0.7136363636363634),
	(1, 1000, 7.0, 1.0, 0.0019980019980019967),
	(9, 50, 0.1, 0.4955555555555556, 0.030821728736613336),
	(12, 15, 1.6, 0.5333333333333333, 0.029668899772547632),
	(18, 20, 0.3, 0.6722222222222223, 0.00015704991078085517),
	(2, 7, 4.0, 1.0, 0.05555555555555555),
	(9, 2000, 150.0, 1.0, 1.3860116378970776e-24);
SELECT is_empty($$ SELECT m, n, t FROM small, LATERAL (SELECT ks_2samp((SELECT array_agg(x::float8) FROM generate_series(1, m) x), (SELECT array_agg(c * i + 0.25) FROM generate_series(1, n) i)) AS t) s
	WHERE NOT close((t).statistic, d) OR NOT close((t).p_value, p) $$, 'ks_2samp: p-values of small samples');
-- all ways to deal 8 numbers into 4 and 4
SELECT is_empty($$ WITH dealt AS (SELECT ks_2samp(array_agg(x::float8) FILTER (WHERE w & (1 << x) > 0), array_agg(x::float8) FILTER (WHERE w & (1 << x) = 0)) AS t
		FROM generate_series(0, 255) w, generate_series(0, 7) x GROUP BY w HAVING count(*) FILTER (WHERE w & (1 << x) > 0) = 4)
	SELECT t FROM dealt a WHERE NOT close((t).p_value, (SELECT avg(((b.t).statistic >= (a.t).statistic - 1e-9)::int) FROM dealt b)) $$, 'ks_2samp: p-values by enumeration');
-- under the null hypothesis a p-value is uniform
SELECT setseed(0.5);
SELECT cmp_ok((SELECT abs(avg((p < 0.3)::int) - 0.3) FROM (SELECT (ks_2samp(array_agg(random()) FILTER (WHERE x <= 90), array_agg(random()) FILTER (WHERE x > 90))).p_value AS p
	FROM generate_series(1, 1000) t, generate_series(1, 200) x GROUP BY t) s), '<', 0.06::numeric, 'samples of one distribution rarely differ');

-- any order, nulls between
SELECT is_empty($$ SELECT * FROM pairs p JOIN (SELECT pair, array_agg(value ORDER BY draw(30, x)) FILTER (WHERE s = 1) || NULL::float8 AS a, NULL::float8 || array_agg(value ORDER BY value DESC) FILTER (WHERE s = 2) AS b FROM measured GROUP BY pair) o USING (pair)
	WHERE (psi(p.a, p.b), ks_2samp(p.a, p.b), wasserstein(p.a, p.b), bin_edges(p.a, 7)) IS DISTINCT FROM (psi(o.a, o.b), ks_2samp(o.a, o.b), wasserstein(o.a, o.b), bin_edges(o.a, 7)) $$, 'the order of a sample does not matter, nor do nulls');

-- negative zero is zero; values as far apart as numbers go
SELECT is(ks_2samp('{0}', '{-0}')::text || bin_counts('{-0,0}', '{0}')::text, '(0,1){2,0}', 'negative zero');
SELECT is(bin_edges('{-1.7e308,0,1.7e308}', 2), '{0}'::float8[], 'numbers far apart');

-- an index may hold them, and a large sample is no burden
SELECT lives_ok($$ CREATE INDEX ON pairs (psi(a, b), wasserstein(a, b)) $$, 'they are immutable');
SELECT ok(psi(a, b) BETWEEN 0 AND 1e-3 AND (ks_2samp(a, b)).p_value > 1e-6 AND wasserstein(a, b) < 0.01, 'a hundred thousand values')
FROM (SELECT array_agg(draw(40, x)) AS a, array_agg(draw(41, x)) AS b FROM generate_series(1, 100000) x) s;

-- nor are large samples that are nearly the same: a test takes the time of sorting them
CREATE TABLE large AS SELECT array_agg(x::float8) AS a, array_agg(x + 46::float8) AS near, array_agg(x + 100000::float8) AS far FROM generate_series(1, 1000000) x;
CREATE FUNCTION seconds(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE start timestamptz := clock_timestamp();
BEGIN
	EXECUTE query;
	RETURN extract(epoch FROM clock_timestamp() - start);
END $$;
SELECT is((ks_2samp(a, near)).p_value, 1::float8, 'a million values, hardly moved') FROM large;
SELECT cmp_ok(seconds('SELECT ks_2samp(a, near) FROM large'), '<', 5 * seconds('SELECT ks_2samp(a, far) FROM large'), '... at once');

SELECT finish();
ROLLBACK;
