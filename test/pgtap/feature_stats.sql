-- feature_stats() against exact arithmetic, standardize() and back, and the state in any order and any split.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(40);

-- evenly in [0, 1), the same on every machine
CREATE FUNCTION draw(seed bigint, x bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(x, seed) & 1048575) / 1048576.0::float8 $$;

-- unlike magnitudes: ordinary, times since 1970 a second apart, tiny, equal, of both signs
CREATE TABLE points AS
SELECT x AS id, (draw(5, x) * 10)::int AS part, ARRAY[
	draw(1, x), 1.7e9 + draw(2, x), draw(3, x) * 1e-9, 0.1, (draw(4, x) - 0.5) * 1e12]::float8[] AS f
FROM generate_series(1, 4000) x;
CREATE TABLE whole AS SELECT feature_stats(f) AS s, feature_stats(f)::text AS t FROM points;

-- 2^120 times a number, all of its bits; so its sums are exact, and their quotient is the answer to the last bit or two
CREATE FUNCTION exact(x float8) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
	SELECT floor(x)::bigint * 2::numeric ^ 120 + floor(f)::bigint * 2::numeric ^ 60 + ((f - floor(f)) * 2 ^ 60)::bigint
	FROM (SELECT (x - floor(x)) * 2 ^ 60 AS f) z $$;
CREATE TABLE decimals AS
SELECT i, sum(v) / 4000 / 2::numeric ^ 120 AS mean, sqrt((4000 * sum(v * v) - sum(v) * sum(v)) / 16000000) / 2::numeric ^ 120 AS sd
FROM (SELECT i, exact(f[i]) AS v FROM points, generate_series(1, 5) i) x GROUP BY i;
SELECT ok(abs((s).means[i] / mean::float8 - 1) <= 4e-16, 'mean of feature ' || i) FROM whole, decimals ORDER BY i;
SELECT ok(CASE i WHEN 4 THEN (s).sds[i] = 0 ELSE abs((s).sds[i] / sd::float8 - 1) <= 4e-16 END, 'sd of feature ' || i || ': ' || (s).sds[i]) FROM whole, decimals ORDER BY i;
SELECT is((s).n, 4000::bigint, 'rows') FROM whole;
SELECT ok(abs((s).sds[1] / stddev_pop(f[1]) - 1) < 1e-14 AND abs((s).sds[5] / stddev_pop(f[5]) - 1) < 1e-14, 'as stddev_pop()') FROM whole, points GROUP BY s;
SELECT is(feature_stats(ARRAY[v])::text, format('(7,{%s},{0})', v), 'equal numbers have no deviation: ' || v)
FROM unnest('{0.1,-1e139,3e-120,123456.789,1.7e9}'::float8[]) v, generate_series(1, 7) GROUP BY v;

-- standardised: mean 0, deviation 1; and back
SELECT ok(bool_and(abs((z).means[i]) < 1e-6 AND abs((z).sds[i] - CASE i WHEN 4 THEN 0 ELSE 1 END) < 1e-6), 'standardize()')
FROM (SELECT feature_stats(standardize(f, s)) AS z FROM points, whole) x, generate_series(1, 5) i;
SELECT is(count(*), 0::bigint, 'unstandardize()')
FROM (SELECT f, s, unstandardize(standardize(f, s), s) AS back FROM points, whole) x, generate_series(1, 5) i WHERE abs(back[i] - f[i]) > 4e-16 * (abs(f[i]) + abs((s).means[i]));
SELECT is(count(*), 0::bigint, '... statistics that differ by row')
FROM (SELECT part, feature_stats(f) AS s FROM points GROUP BY part) x JOIN points p USING (part), generate_series(1, 3) i
WHERE abs((standardize(f, s))[i] - (f[i] - (s).means[i]) / (s).sds[i]) > 1e-12;
SELECT is(standardize('[0:1]={1,2}', s), '[0:1]={-1,0}', '... keeps the bounds') FROM (SELECT feature_stats(v) AS s FROM (VALUES ('{1,2}'::float8[]), ('{3,2}')) x (v)) x;

-- any order, any split: the same to the last bit
CREATE FUNCTION same(what text, variant text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	got text;
BEGIN
	EXECUTE variant INTO got;
	RETURN is(got, (SELECT t FROM whole), what);
END $$;
SELECT same('backwards', 'SELECT feature_stats(f ORDER BY id DESC) FROM points');
SELECT same('by contents', 'SELECT feature_stats(f ORDER BY f[5]) FROM points');
SELECT same('split', 'SELECT feature_stats_merge(s) FROM (SELECT feature_stats_partial(f) s FROM points GROUP BY part) x');
SELECT same('split and shuffled', 'SELECT feature_stats_merge(s ORDER BY n) FROM (SELECT count(*) n, feature_stats_partial(f ORDER BY draw(9, id)) s FROM points GROUP BY (draw(6, id) * 500)::int UNION ALL SELECT 0, NULL) x');
SELECT same('as text', 'SELECT feature_stats_merge(s::text::feature_stats_state) FROM (SELECT feature_stats_partial(f) s FROM points GROUP BY part) x');
SELECT same('FILTER and nulls', 'SELECT feature_stats(f) FILTER (WHERE keep) FROM (SELECT f, true AS keep FROM points UNION ALL SELECT ''{1,2}'', false UNION ALL SELECT NULL, true) x');
SELECT is(count(*), 0::bigint, 'a window')
FROM (SELECT id, feature_stats(f) OVER (ORDER BY id) AS s, avg(f[1]) OVER (ORDER BY id) AS mean FROM points) x WHERE (s).n <> id OR abs((s).means[1] - mean) > 1e-12;

CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP lines := lines || line || E'\n'; END LOOP;
	RETURN lines;
END $$;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT matches(plan_of('SELECT feature_stats(f) FROM points'), 'Gather.*Partial Aggregate', 'a parallel plan');
SELECT same('... finds the same', 'SELECT feature_stats(f) FROM points');

-- binary, through COPY
CREATE TABLE states AS SELECT part, feature_stats_partial(f) AS s FROM points GROUP BY part;
CREATE TABLE copied (LIKE states);
SELECT format('COPY states TO %L BINARY', current_setting('data_directory') || '/stats.copy') AS out,
	format('COPY copied FROM %L BINARY', current_setting('data_directory') || '/stats.copy') AS back,
	format('COPY (SELECT) TO PROGRAM %L', 'rm "' || current_setting('data_directory') || '/stats.copy"; cat >/dev/null') AS remove \gset
:out;
:back;
:remove;
SELECT same('binary', 'SELECT feature_stats_merge(s) FROM copied');

-- states that are not
\ir state_checksum.psql
CREATE FUNCTION crafted(rows bigint, width int, VARIADIC numbers float8[]) RETURNS text LANGUAGE sql AS $$
	SELECT encode(b || state_checksum(b), 'hex') FROM (
		SELECT '\xa50801' || int8send(rows) || int4send(width) || string_agg(float8send(x), '') AS b FROM unnest(numbers) x) z $$;
CREATE FUNCTION refused(value text, why text, test text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	PERFORM value::feature_stats_state;
	RETURN fail(test || ': accepted');
EXCEPTION WHEN invalid_binary_representation THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN is(detail, why, test);
END $$;
SELECT is(crafted(2, 1, 4, 0, 0, 10, 0, 0), feature_stats_partial(v)::text, 'crafted as it is written') FROM (VALUES ('{1}'::float8[]), ('{3}')) x (v);
SELECT refused(crafted(0, 1, 4, 0, 0, 10, 0, 0), 'It has no rows.', 'no rows');
SELECT refused(crafted(-1, 1, 4, 0, 0, 10, 0, 0), 'It has no rows.', 'less than none');
SELECT refused(crafted(2, 0, 4, 0, 0, 10, 0, 0), 'Its count does not fit its size.', 'no features');
SELECT refused(crafted(2, 2, 4, 0, 0, 10, 0, 0), 'Its count does not fit its size.', 'too few numbers');
SELECT refused(crafted(2, 1, 4, 0, 0, 10, 0, 'NaN'), 'A sum is out of range.', 'NaN');
SELECT refused(crafted(2, 1, 4, '-Infinity', 0, 10, 0, 0), 'A sum is out of range.', 'infinity');
SELECT refused(crafted(2, 1, 4, 0, 0, -10, 0, 0), 'A sum of squares is negative.', 'negative squares');

SELECT throws_ok(format('SELECT feature_stats_merge(%L::feature_stats_state) FROM generate_series(1, 3)', crafted(4611686018427387904, 1, 4, 0, 0, 10, 0, 0)),
	'22003', 'the number of rows is out of range', 'more rows than a bigint counts');

SELECT * FROM finish();
ROLLBACK;
