-- Assignment against a port written from its description in Python, and against chance.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(41);

--
-- The vectors of doc/assignment.md.
--
CREATE TABLE vector (seed text, unit text, v1 float8, v2 float8, variant text, of_half text, in_range boolean, held_out boolean);
INSERT INTO vector VALUES
	('', 'a', 0.22, 0.0216, 'control', NULL, true, false),
	('seed', 'a', 0.913, 0.0505, 'control', NULL, true, false),
	('foo', 'ab', 0.194, 0.2575, 'control', 'b', false, false),
	('foo', 'def', 0.284, 0.2019, 'control', 'b', false, false),
	('90850943850283058242805', '123', 0.527, 0.7516, 'treatment', NULL, true, false),
	('()**(%$##$%#$#', '___)((*":&', 0.468, 0.0128, 'control', 'a', false, true),
	('', 'b', 0.077, 0.9054, 'treatment', NULL, true, true),
	('ef', 'd', 0.652, 0.8601, 'treatment', NULL, true, false),
	('asdf', '8952klfjas09ujk', 0.549, 0.8546, 'treatment', NULL, false, false),
	('', '', 0.261, 0.2305, 'control', 'b', true, false),
	('checkout', '1', 0.904, 0.4164, 'control', NULL, true, true),
	('checkout', '42', 0.135, 0.4063, 'control', NULL, false, true),
	('checkout', '-7', 0.585, 0.6534, 'treatment', NULL, true, false),
	('checkout', '9223372036854775807', 0.231, 0.5714, 'treatment', 'c', true, true),
	('checkout', 'user_27559113', 0.144, 0.0785, 'control', 'a', false, false),
	('checkout', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 0.675, 0.8905, 'treatment', NULL, false, false),
	('prix', 'é', 0.762, 0.0558, 'control', 'a', true, true),
	('prix', 'ÿ', 0.636, 0.1304, 'control', 'a', true, false),
	('Größe', 'Jürgen Müller', 0.974, 0.6536, 'treatment', 'c', true, false),
	('価格', '日本語', 0.458, 0.2821, 'control', 'b', true, false),
	('цена', 'Москва', 0.074, 0.5825, 'treatment', NULL, false, false),
	('🎲', '🙂', 0.738, 0.6599, 'treatment', 'c', true, false),
	('السعر', 'مرحبا', 0.711, 0.784, 'treatment', 'c', true, false),
	('a b', '  x ', 0.106, 0.357, 'control', 'b', false, true);
SELECT is_empty($$ SELECT seed, unit, hash_bucket(seed, unit, 1), v1 FROM vector WHERE hash_bucket(seed, unit, 1) IS DISTINCT FROM v1 $$, 'version 1');
SELECT is_empty($$ SELECT seed, unit, hash_bucket(seed, unit), v2 FROM vector WHERE hash_bucket(seed, unit) IS DISTINCT FROM v2 $$, 'version 2');
SELECT is_empty($$ SELECT seed, unit FROM vector WHERE assign(seed, unit) IS DISTINCT FROM variant $$, 'two variants');
SELECT is_empty($$ SELECT seed, unit FROM vector WHERE assign(seed, unit, '{a,b,c}', '{0.2,0.3,0.5}', 0.5) IS DISTINCT FROM of_half $$, 'three variants, half of all units');
SELECT is_empty($$ SELECT seed, unit FROM vector WHERE in_namespace(seed, unit, 0.25, 0.75) IS DISTINCT FROM in_range $$, 'in_namespace');
SELECT is_empty($$ SELECT seed, unit FROM vector WHERE in_holdout(seed, unit, 0.3) IS DISTINCT FROM held_out $$, 'in_holdout');
SELECT ok(count(DISTINCT of_half) = 3 AND count(*) FILTER (WHERE of_half IS NULL) > 3 AND count(DISTINCT in_range) = 2 AND count(DISTINCT held_out) = 2, '... which are of all kinds') FROM vector;

-- FNV-1a in SQL, for long units and whatever a constant seed keeps
CREATE FUNCTION fnv(bytes bytea) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE h bigint := 2166136261;
BEGIN
	FOR i IN 0 .. length(bytes) - 1 LOOP
		h := ((h # get_byte(bytes, i)) * 16777619) & 4294967295;
	END LOOP;
	RETURN h;
END $$;
CREATE TABLE written AS SELECT 's' || i % 7 AS seed, repeat(chr(32 + i * 37 % 20000), i % 90) || i AS unit FROM generate_series(1, 300) i;
SELECT is_empty($$ SELECT * FROM written WHERE hash_bucket(seed, unit) <> fnv(fnv(convert_to(seed || unit, 'UTF8'))::text::bytea) % 10000 / 10000.0::float8 $$, 'version 2 in SQL');
SELECT is_empty($$ SELECT * FROM written WHERE hash_bucket(seed, unit, 1) <> fnv(convert_to(unit || seed, 'UTF8')) % 1000 / 1000.0::float8 $$, 'version 1 in SQL');
SELECT is_empty($$ SELECT * FROM written WHERE hash_bucket('s3', unit) <> hash_bucket('s' || length(seed || '1'), unit) $$, 'a constant seed is a seed');
SELECT is_empty($$ SELECT * FROM written WHERE assign('s3', unit, '{a,b,c}', '{0.2,0.3,0.5}', 0.7) IS DISTINCT FROM
	assign('s' || length(seed || '1'), unit, string_to_array('a,b,c', left(',', length(seed))), CASE WHEN seed <> '' THEN '{0.2,0.3,0.5}'::float8[] END, 0.7) $$, '... and so are constant variants');

--
-- Shares.  p-values of many salts, if chance alone is at work, are even: their distances from
-- that, and how many are small, are within what has a chance of one in a thousand.
--
CREATE FUNCTION even(p float8[], what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	n int := cardinality(p);
	distance float8 := (SELECT max(greatest(x - (i - 1.0) / n, i / n::float8 - x)) FROM (SELECT x, row_number() OVER (ORDER BY x) AS i FROM unnest(p) x) s);
	below_5 int := (SELECT count(*) FROM unnest(p) x WHERE x < 0.05);
	below_1 int := (SELECT count(*) FROM unnest(p) x WHERE x < 0.01);
BEGIN
	RETURN NEXT cmp_ok(distance * sqrt(n), '<', 1.95::float8, what || ': p-values are even');
	RETURN NEXT ok(abs(below_5 - 0.05 * n) <= 3.29 * sqrt(n * 0.05 * 0.95) AND abs(below_1 - 0.01 * n) <= 3.29 * sqrt(n * 0.01 * 0.99) + 1,
		format('%s: %s of %s below 0.05, %s below 0.01', what, below_5, n, below_1));
END $$;

CREATE TABLE buckets AS
SELECT salt, hash_bucket('exp-' || salt, unit) AS variant, hash_bucket('exp-' || salt || ':coverage', unit) AS coverage,
	hash_bucket('exp-' || salt || ':holdout', unit) AS holdout, hash_bucket('exp-' || salt + 1, unit) AS next, hash_bucket('__exp-' || salt, unit, 1) AS namespace
FROM generate_series(1, 1500) salt, generate_series(1, 400) unit;
CREATE FUNCTION counts(n bigint[], bins int) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg(coalesce(c, 0) ORDER BY b) FROM generate_series(0, bins - 1) b LEFT JOIN (SELECT x, count(*) AS c FROM unnest(n) x GROUP BY x) s ON x = b $$;
CREATE TABLE split AS SELECT salt, counts(array_agg(floor(variant * 10)::bigint), 10) AS tenths, counts(array_agg((variant >= 0.5)::int::bigint), 2) AS halves,
	counts(array_agg(round(variant * 10000)::bigint % 16), 16) AS low_bits FROM buckets GROUP BY salt;
SELECT even(array_agg((srm(tenths)).p_value), 'tenths') FROM split;
SELECT even(array_agg((srm(low_bits)).p_value), 'the low bits') FROM split;
-- of halves a p-value is one of few
SELECT ok(abs(count(*) FILTER (WHERE (srm(halves)).p_value < 0.05) - 1500 * 0.0510) < 3.29 * sqrt(1500 * 0.0510 * 0.9490), 'halves differ as by chance') FROM split;

-- what one bucket says of another: nothing.  Each pair in one table of 4 x 4, over all salts.
CREATE FUNCTION crossed(a text, b text, cells int DEFAULT 4, lowest boolean DEFAULT false) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE
	part text := CASE WHEN lowest THEN 'round(%I * 10000)::bigint %% %s' ELSE 'floor(%I * %s)::bigint' END;
	p float8[];
BEGIN
	EXECUTE format('SELECT array_agg((srm(counts(c, %1$s * %1$s))).p_value) FROM (SELECT salt, array_agg(%2$s * %1$s + %3$s) AS c FROM buckets GROUP BY salt) s',
		cells, format(part, a, cells), format(part, b, cells)) INTO p;
	RETURN p;
END $$;
SELECT even(crossed('variant', 'coverage'), 'variant and coverage');
SELECT even(crossed('variant', 'coverage', 2, true), 'parities of variant and coverage');
SELECT even(crossed('variant', 'holdout'), 'variant and holdout');
SELECT even(crossed('coverage', 'holdout'), 'coverage and holdout');
SELECT even(crossed('variant', 'next'), 'two experiments');
SELECT even(crossed('variant', 'next', 4, true), 'low bits of two experiments');
-- within those who are covered
SELECT even(array_agg((srm(c)).p_value), 'variants among a quarter of the units')
FROM (SELECT salt, counts(array_agg(floor(variant * 4)::bigint) FILTER (WHERE coverage < 0.25), 4) AS c FROM buckets GROUP BY salt) s;
-- a namespace, which is of version 1, and the variants; but not two namespaces whose names differ in their ends only
SELECT cmp_ok((chi_square(a, b)).p_value, '>', 0.001::float8, 'a namespace and the variants')
FROM (SELECT counts(array_agg(floor(variant * 10)::bigint) FILTER (WHERE namespace < 0.5), 10)::float8[] AS a,
	counts(array_agg(floor(variant * 10)::bigint) FILTER (WHERE namespace >= 0.5), 10)::float8[] AS b FROM buckets) s;
SELECT cmp_ok((chi_square(a, b)).p_value, '<', 1e-10::float8, 'version 1 of two seeds that begin alike is not independent: the test would see it')
FROM (SELECT counts(array_agg(floor(hash_bucket('ns2', u, 1) * 10)::bigint) FILTER (WHERE hash_bucket('ns1', u, 1) < 0.5), 10)::float8[] AS a,
	counts(array_agg(floor(hash_bucket('ns2', u, 1) * 10)::bigint) FILTER (WHERE hash_bucket('ns1', u, 1) >= 0.5), 10)::float8[] AS b FROM generate_series(1, 10000) u) s;

--
-- Assignment as a function of its arguments.
--
CREATE TABLE unit AS SELECT u, assign('price', u) AS variant, assign('price', u, '{a,b,c,d}', '{0.1,0.2,0.3,0.4}') AS of_four FROM generate_series(1, 100000) u;
SELECT cmp_ok((srm(array_agg(n ORDER BY of_four), '{0.1,0.2,0.3,0.4}')).p_value, '>', 0.001::float8, 'weights give shares')
FROM (SELECT of_four, count(*) AS n FROM unit GROUP BY of_four) s;
SELECT is_empty($$ SELECT u FROM unit WHERE variant <> CASE WHEN hash_bucket('price', u) < 0.5 THEN 'control' ELSE 'treatment' END $$, 'full coverage is the bucket alone');
SELECT is_empty($$ SELECT u FROM unit WHERE of_four <> ('{a,b,c,d}'::text[])[choose_variant(hash_bucket('price', u), variant_ranges('{0.1,0.2,0.3,0.4}'))] $$, '... as by ranges');
SELECT is_empty($$ SELECT u, c FROM unit, unnest('{0,0.01,0.1,0.37,0.9999}'::float8[]) c
	WHERE assign('price', u, coverage => c) IS DISTINCT FROM CASE WHEN hash_bucket('price:coverage', u) < c THEN variant END $$, 'raising coverage moves nobody');
SELECT is_empty($$ SELECT u, s FROM unit, unnest('{0,0.01,0.1,0.37,1}'::float8[]) s WHERE in_holdout('price', u, s) <> (hash_bucket('price:holdout', u) < s) $$, 'nor does raising the share held out');
SELECT is(count(*) FILTER (WHERE a::int + b::int + c::int <> 1), 0::bigint, 'ranges of a namespace exclude each other and cover everyone')
FROM (SELECT in_namespace('layer', u, 0, 0.2) AS a, in_namespace('layer', u, 0.2, 0.7) AS b, in_namespace('layer', u, 0.7, 1) AS c FROM unit) s;

-- equal weights, of any number of variants
SELECT is_empty($$ SELECT n FROM generate_series(1, 60) n, LATERAL (SELECT array_agg('v' || i ORDER BY i) AS v, array_fill(1.0 / n::float8, ARRAY[n]) AS w FROM generate_series(1, n) i) x, generate_series(1, 200) u
	WHERE assign('n', u, v) IS DISTINCT FROM v[choose_variant(hash_bucket('n', u), variant_ranges(w))] OR assign('n', u, v) <> assign('n', u, v, w) $$, 'equal shares');

-- in workers
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || query; END $$;
SELECT matches((SELECT string_agg(l, ' ') FROM plan_of($$ SELECT count(*) FROM unit WHERE assign('price', u) = 'control' $$) l), 'Gather', 'a plan with workers');
SELECT is(count(*) FILTER (WHERE assign('price', u) = variant AND assign('price', u, '{a,b,c,d}', '{0.1,0.2,0.3,0.4}') = of_four), 100000::bigint, '... assigns the same') FROM unit;

SELECT * FROM finish();
ROLLBACK;
