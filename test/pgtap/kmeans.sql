-- kmeans() against plain SQL, and its state: any order, any split, any way of moving it.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(61);

-- evenly in [0, 1), the same on every machine
CREATE FUNCTION draw(seed bigint, x bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(x, seed) & 1048575) / 1048576.0::float8 $$;

CREATE TABLE points AS
SELECT x AS id, ARRAY[
	(x % 4) * 3 + draw(1, x) + draw(2, x),
	(x % 3) * 2 - draw(3, x),
	ln(1 + 5 * draw(4, x))]::float8[] AS f, (draw(5, x) * 10)::int AS part
FROM generate_series(1, 1200) x;

-- The result is what plain SQL finds from the centroids
CREATE TABLE models AS SELECT k, kmeans(f, k) AS m FROM points, unnest('{1,2,5,20}'::int[]) k GROUP BY k;
CREATE VIEW nearest AS
SELECT k, p.id, p.f, c.j, c.d FROM models, points p, LATERAL (
	SELECT j, sum((p.f[i] - (m).centroids[j][i]) ^ 2) AS d
	FROM generate_series(1, k) j, generate_series(1, 3) i GROUP BY j ORDER BY 2, 1 LIMIT 1) c;
CREATE TABLE assigned AS TABLE nearest;

SELECT is(array_agg(n ORDER BY j), (SELECT (m).sizes FROM models m WHERE m.k = a.k), 'sizes, k = ' || k)
FROM (SELECT k, j, count(*) AS n FROM assigned GROUP BY k, j) a GROUP BY k ORDER BY k;
SELECT ok(abs(sum(d) / (SELECT (m).inertia FROM models m WHERE m.k = a.k) - 1) < 1e-12, 'inertia, k = ' || k)
FROM assigned a GROUP BY k ORDER BY k;
SELECT cmp_ok(max(abs(mean - (m).centroids[j][i])), '<', 1e-12::float8, 'centroids are means, k = ' || k)
FROM (SELECT k, j, i, avg(f[i]) AS mean FROM assigned, generate_series(1, 3) i GROUP BY k, j, i) a JOIN models USING (k) GROUP BY k ORDER BY k;
SELECT ok(bool_and((m).converged AND (m).iterations > 0 AND (m).n = 1200), 'converged, counted') FROM models;
SELECT ok(bool_and((m).sizes = (SELECT array_agg(s ORDER BY s DESC) FROM unnest((m).sizes) s)), 'the largest first') FROM models;
SELECT is(count(*), 0::bigint, 'nearest_centroid() and centroid_distance() agree')
FROM assigned JOIN models USING (k) WHERE nearest_centroid(f, m) <> j OR nearest_centroid(f, (m).centroids) <> j
	OR abs(centroid_distance(f, m) ^ 2 - d) > 1e-12;

-- In one dimension the best clusters are intervals, so that all can be tried
CREATE TABLE line AS SELECT s AS grp, x, round((draw(s, x) ^ 3 * 100)::numeric, 1)::float8 AS v FROM generate_series(1, 12) s, generate_series(1, 25) x;
CREATE FUNCTION best_of_three(grp int) RETURNS float8 LANGUAGE sql AS $$
	WITH r AS (SELECT v, row_number() OVER (ORDER BY v)::int AS n FROM line WHERE line.grp = $1),
	costs AS MATERIALIZED (SELECT a, b, (SELECT sum((v - mean) ^ 2) FROM r, (SELECT avg(v) AS mean FROM r WHERE n BETWEEN a AND b) z WHERE n BETWEEN a AND b) AS c
		FROM generate_series(1, 25) a, generate_series(a, 25) b)
	SELECT min(x.c + y.c + z.c) FROM costs x JOIN costs y ON y.a = x.b + 1 JOIN costs z ON z.a = y.b + 1 WHERE x.a = 1 AND z.b = 25 $$;
SELECT is(count(*), 0::bigint, 'the optimum, in one dimension') FROM (
	SELECT grp, (kmeans(ARRAY[v], 3)).inertia FROM line GROUP BY grp) x WHERE abs(inertia / best_of_three(grp) - 1) > 1e-12;

-- No row alone could go to another cluster and leave less inertia.
CREATE TABLE grid AS SELECT ARRAY[round(ln(1 + x % 97)::numeric, 1), floor(draw(60, x) ^ 3 * 12)]::float8[] AS f FROM generate_series(1, 400) x;
SELECT is(count(*) FILTER (WHERE d * n / (n + w) < (1 - 1e-9) * centroid_distance(f, m) ^ 2 * (m).sizes[own] / ((m).sizes[own] - w)), 0::bigint,
	'no row would better go, of ' || count(*))
FROM (SELECT seed, f, w, m, nearest_centroid(f, m) AS own FROM (SELECT f, count(*) AS w FROM grid GROUP BY f) g,
	(SELECT seed, kmeans(f, 12, seed) AS m FROM grid, generate_series(1, 8) seed GROUP BY seed) z) x,
	LATERAL (SELECT j, (f[1] - (m).centroids[j][1]) ^ 2 + (f[2] - (m).centroids[j][2]) ^ 2 AS d, (m).sizes[j] AS n FROM generate_series(1, 12) j) c
WHERE j <> own AND (m).sizes[own] > w;

-- Any order, any split: the same to the last bit
CREATE TABLE whole AS SELECT kmeans(f, 5, 1)::text AS m FROM points;
CREATE FUNCTION same(what text, variant text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	got text;
BEGIN
	EXECUTE variant INTO got;
	RETURN is(got, (SELECT m FROM whole), what);
END $$;
SELECT same('backwards', 'SELECT kmeans(f, 5, 1 ORDER BY id DESC) FROM points');
SELECT same('by contents', 'SELECT kmeans(f, 5, 1 ORDER BY f) FROM points');
SELECT same('shuffled ' || s, format('SELECT kmeans(f, 5, 1 ORDER BY draw(%s, id)) FROM points', s)) FROM generate_series(10, 12) s;
SELECT same('split', 'SELECT kmeans_merge(s) FROM (SELECT kmeans_partial(f, 5, 1) s FROM points GROUP BY part) x');
SELECT same('split and shuffled', 'SELECT kmeans_merge(s ORDER BY n DESC) FROM (SELECT count(*) n, kmeans_partial(f, 5, 1 ORDER BY id DESC) s FROM points GROUP BY (draw(13, id) * 100)::int) x');
SELECT same('with parts that have no rows', 'SELECT kmeans_merge(s) FROM (SELECT kmeans_partial(f, 5, 1) FILTER (WHERE part > 3) s FROM points GROUP BY part UNION ALL SELECT kmeans_partial(f, 5, 1) FROM points WHERE part <= 3) x');
SELECT same('as text', 'SELECT kmeans_merge(s::text::points_state) FROM (SELECT kmeans_partial(f, 5, 1) s FROM points GROUP BY part) x');
SELECT same('with nulls', 'SELECT kmeans(f, 5, 1) FROM (SELECT f FROM points UNION ALL SELECT NULL FROM points) x');
SELECT same('FILTER', 'SELECT kmeans(f, 5, 1) FILTER (WHERE keep) FROM (SELECT f, true AS keep FROM points UNION ALL SELECT ''{1,2,3}'', false FROM points) x');
SELECT is(kmeans(ARRAY[f[1], -f[2]], 3), kmeans(ARRAY[f[1], 0 - f[2]], 3), '-0 is 0') FROM (SELECT ARRAY[x % 10, x % 3]::float8[] AS f FROM generate_series(1, 40) x) x;

-- more rows than the sample for starting has, with and without equal ones
CREATE TABLE many AS SELECT x AS id, ARRAY[draw(21, x) + x % 3, draw(22, x) ^ 2, draw(23, x)] AS f, ARRAY[floor(draw(24, x) * 60), x % 7, 4.5] AS g FROM generate_series(1, 22000) x;
SELECT is(kmeans(f, 4 ORDER BY draw(30, id))::text, kmeans(f, 4)::text, 'many: any order') FROM many;
SELECT is((SELECT kmeans_merge(s)::text FROM (SELECT kmeans_partial(f, 4) AS s FROM many GROUP BY id % 13) x), (SELECT kmeans(f, 4)::text FROM many), '... any split');
SELECT ok((m).converged AND abs((m).inertia / s - 1) < 1e-12 AND (m).sizes = c, '... inertia and sizes')
FROM (SELECT m, sum(d) AS s, array_agg(c ORDER BY j) AS c FROM (
	SELECT m, nearest_centroid(f, m) AS j, count(*) AS c, sum(centroid_distance(f, m) ^ 2) AS d FROM many, (SELECT kmeans(f, 4) AS m FROM many) z GROUP BY 1, 2) x GROUP BY m) x;
SELECT is(kmeans(g, 6)::text, (SELECT kmeans(g, 6 ORDER BY g DESC)::text FROM many), 'equal rows') FROM many;
SELECT ok(max(i) / min(i) < 1.01, 'seeds differ by little: ' || min(i) || ' to ' || max(i))
FROM (SELECT (kmeans(f, 4, s)).inertia AS i FROM many, generate_series(1, 3) s GROUP BY s) x;

-- a few heavy rows among many others, close together, are not missed
SELECT ok((m).sizes = '{30000,30000,30000,12000}', 'heavy rows: ' || (m).sizes::text)
FROM (SELECT kmeans(f || array_fill(0::float8, '{13}'), 4) AS m FROM (
	SELECT ARRAY[draw(40, x), draw(41, x)] AS f FROM generate_series(1, 12000) x
	UNION ALL SELECT f FROM (VALUES ('{100,100}'::float8[]), ('{100,101}'), ('{101,100}')) v (f), generate_series(1, 30000)) x) x;

-- numbers so small that their squares are nothing
SELECT ok((m).n = 20 AND (SELECT sum(s) FROM unnest((m).sizes) s) = 20, 'squares that underflow')
FROM (SELECT kmeans(ARRAY[x * 1e-200], 5) AS m FROM generate_series(1, 20) x) x;
SELECT is((m).sizes, '{10,5}', 'large numbers') FROM (SELECT kmeans(ARRAY[CASE WHEN x <= 10 THEN -9e139 ELSE 9e139 END + x * 1e130], 2) AS m FROM generate_series(1, 15) x) x;
-- what lies far from zero
SELECT ok(abs((m).inertia / 250 - 1) < 1e-9, 'far from zero: ' || (m).inertia)
FROM (SELECT kmeans(ARRAY[1.7e9 + (x % 2) * 1000 + x % 4 / 2], 2) AS m FROM generate_series(1, 1000) x) x;

-- parallel, partitions, windows
CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP lines := lines || line || E'\n'; END LOOP;
	RETURN lines;
END $$;
CREATE TABLE expected AS SELECT kmeans(f, 4)::text AS whole FROM many;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT matches(plan_of('SELECT kmeans(f, 4) FROM many'), 'Gather.*Partial Aggregate', 'a parallel plan');
SELECT is(kmeans(f, 4)::text, (SELECT whole FROM expected), '... finds the same') FROM many;
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE TABLE split (id bigint, f float8[], part int) PARTITION BY HASH (id);
CREATE TABLE split0 PARTITION OF split FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE split1 PARTITION OF split FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE split2 PARTITION OF split FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO split SELECT id, f, part FROM points;
ANALYZE split;
SET LOCAL enable_partitionwise_aggregate = on;
SELECT matches(plan_of('SELECT part, kmeans(f, 2) FROM split GROUP BY part'), 'Partial.*Aggregate.*Partial.*Aggregate', 'a plan by partition');
SELECT results_eq('SELECT part, kmeans(f, 2)::text FROM split GROUP BY part ORDER BY part', 'SELECT part, kmeans(f, 2)::text FROM points GROUP BY part ORDER BY part', '... finds the same');
SELECT is(count(*), 0::bigint, 'a window')
FROM (SELECT id, kmeans(f, 1) OVER (ORDER BY id) AS m, avg(f[1]) OVER (ORDER BY id) AS mean FROM points WHERE id <= 100) x
WHERE (m).n <> id OR abs((m).centroids[1][1] - mean) > 1e-12;

-- binary, through COPY
CREATE TABLE states AS SELECT part, kmeans_partial(f, 5, 1) AS s FROM points GROUP BY part;
CREATE TABLE copied (LIKE states);
SELECT format('COPY states TO %L BINARY', current_setting('data_directory') || '/kmeans.copy') AS out,
	format('COPY copied FROM %L BINARY', current_setting('data_directory') || '/kmeans.copy') AS back,
	format('COPY (SELECT) TO PROGRAM %L', 'rm "' || current_setting('data_directory') || '/kmeans.copy"; cat >/dev/null') AS remove \gset
:out;
:back;
:remove;
SELECT same('binary', 'SELECT kmeans_merge(s) FROM copied');
SELECT is(points_state_send(kmeans_partial(f, 5 ORDER BY id)), points_state_send(kmeans_partial(f, 5 ORDER BY f)), 'equal groups have equal forms') FROM points;

-- states that are not
\ir state_checksum.psql
-- as state_out writes one
CREATE FUNCTION crafted(k int, width int, rows bigint, VARIADIC numbers float8[]) RETURNS text LANGUAGE sql AS $$
	SELECT encode(b || state_checksum(b), 'hex') FROM (
		SELECT '\xa50701' || int4send(k) || int4send(width) || int8send(3) || int8send(rows) || string_agg(float8send(x), '') AS b FROM unnest(numbers) x) z $$;
CREATE FUNCTION refused(value text, why text, test text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	PERFORM value::points_state;
	RETURN fail(test || ': accepted');
EXCEPTION WHEN invalid_binary_representation THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN is(detail, why, test);
END $$;
SELECT is(crafted(2, 2, 2, 1, 2, 3, 4)::points_state::text, (SELECT kmeans_partial(f, 2, 3)::text FROM (VALUES ('{1,2}'::float8[]), ('{3,4}')) v (f)), 'crafted as it is written')
WHERE (SELECT kmeans_partial(f, 2, 3)::text FROM (VALUES ('{1,2}'::float8[]), ('{3,4}')) v (f)) IS NOT NULL;
SELECT refused(crafted(0, 1, 1, 1), 'Its k is out of range.', 'k 0');
SELECT refused(crafted(10001, 1, 1, 1), 'Its k is out of range.', 'k too large');
SELECT refused(crafted(2, 0, 1, 1), 'Its number of features is out of range.', 'no features');
SELECT refused(crafted(2, -1, -1, 1), 'Its number of features is out of range.', 'less than none');
SELECT refused(crafted(2, 1, -1, 1), 'Its count does not fit its size.', 'less than no rows');
SELECT refused(crafted(2, 1, 0, 1), 'Its count does not fit its size.', 'no rows');
SELECT refused(crafted(2, 2, 1, 1, 2, 3), 'Its count does not fit its size.', 'a number too many');
SELECT refused(crafted(2, 2, 4611686018427387904, 1, 2), 'Its count does not fit its size.', 'a count that overflows');
SELECT refused(crafted(2, 2, 1, 1, 'NaN'), 'A number is out of range.', 'NaN');
SELECT refused(crafted(2, 2, 1, 1e140, 1), 'A number is out of range.', 'a number too large');

CREATE FUNCTION accepted(value bytea) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM encode(value, 'hex')::points_state;
	RETURN true;
EXCEPTION WHEN invalid_binary_representation OR feature_not_supported THEN
	RETURN false;
END $$;
SELECT is(count(*) FILTER (WHERE accepted(set_byte(b, i, get_byte(b, i) # (1 << i % 8)))), 0::bigint, 'a byte changed: ' || count(*))
FROM (SELECT points_state_send(kmeans_partial(f, 2)) AS b FROM points WHERE id < 6) x, generate_series(0, length(b) - 1) i;
SELECT is(count(*) FILTER (WHERE accepted(substr(b, 1, i))), 0::bigint, 'cut off')
FROM (SELECT points_state_send(kmeans_partial(f, 2)) AS b FROM points WHERE id < 6) x, generate_series(0, length(b) - 1) i;

-- Rows made so that hashes would leave all of them out of a sample: fourteen zeros and a number, by the hash of rows.c.
CREATE FUNCTION number(x bigint) RETURNS numeric LANGUAGE sql AS $$ SELECT mod(x + 18446744073709551616, 18446744073709551616) $$;
CREATE FUNCTION bits(x numeric) RETURNS bigint LANGUAGE sql AS $$
	SELECT (mod(x + 9223372036854775808, 18446744073709551616) - 9223372036854775808)::bigint $$;
CREATE FUNCTION shifted(x bigint, n int) RETURNS bigint LANGUAGE sql AS $$ SELECT x >> n & (1::bigint << 64 - n) - 1 $$;
CREATE FUNCTION mixed(x bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	x := x # shifted(x, 30);
	x := bits(number(x) * 13787848793156543929);
	x := x # shifted(x, 27);
	x := bits(number(x) * 10723151780598845931);
	RETURN x # shifted(x, 31);
END $$;
CREATE FUNCTION hashed(before bigint, feature float8) RETURNS bigint LANGUAGE sql AS $$
	SELECT mixed(bits(number(before) * 11400714819323198485 + number(('x' || encode(float8send(feature), 'hex'))::bit(64)::bigint) + 1)) $$;
CREATE TABLE avoiding AS WITH RECURSIVE zeros AS (
	SELECT 1 AS n, hashed(0, 0) AS h UNION ALL SELECT n + 1, hashed(h, 0) FROM zeros WHERE n < 14)
SELECT x, shifted(mixed(hashed(h, x)), 11) / 9007199254740992.0 AS draw FROM zeros, generate_series(1, 8300) x WHERE n = 14 ORDER BY 2 DESC LIMIT 4001;
SELECT cmp_ok(min(draw), '>', 2000.0 / 4001, 'rows that are in no sample') FROM avoiding;
SELECT is((SELECT sum(s) FROM unnest((m).sizes) s), 4001::numeric, '... are clustered all the same')
FROM (SELECT kmeans(array_fill(0, ARRAY[14])::float8[] || x::float8, 3) AS m FROM avoiding) z;

-- Cancelled in time: many clusters take long.
CREATE TABLE long AS SELECT kmeans_partial(ARRAY[draw(50, x), draw(51, x)], 3000) AS s FROM generate_series(1, 40000) x;
CREATE FUNCTION cancelled_after() RETURNS interval LANGUAGE plpgsql AS $$
DECLARE
	began timestamptz := clock_timestamp();
BEGIN
	PERFORM kmeans_merge(s) FROM long;
	RETURN NULL;
EXCEPTION WHEN query_canceled THEN
	RETURN clock_timestamp() - began;
END $$;
SET LOCAL statement_timeout = '300ms';
SELECT cancelled_after() AS after \gset
SET LOCAL statement_timeout = 0;
SELECT cmp_ok(:'after'::interval, '<', interval '1.3 seconds', 'statement_timeout: ' || :'after');

SELECT * FROM finish();
ROLLBACK;
