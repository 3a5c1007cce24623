-- affinity() and hour_of_week() against plain SQL, in any order and any split
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

SELECT plan(63);

-- CRC-32C, to forge states whose checksum is right
\ir state_checksum.psql
-- the text form of a state with some of its bytes, counted from 0, replaced by others
CREATE FUNCTION forge(state text, place int, bytes bytea) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT encode(body, 'hex') || encode(state_checksum(body), 'hex')
	FROM (SELECT overlay(decode(left(state, -8), 'hex') PLACING bytes FROM place + 1 FOR length(bytes)) AS body) x $$;
-- what the input function of a type says to a text
CREATE FUNCTION refusal(type text, state text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; detail text;
BEGIN
	EXECUTE format('SELECT %L::%s', state, type);
	RETURN 'accepted';
EXCEPTION WHEN invalid_binary_representation OR feature_not_supported OR protocol_violation OR invalid_text_representation OR character_not_in_repertoire THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN coalesce(nullif(detail, ''), message);
END $$;
-- how many of the changes of one byte of a state are not refused
CREATE FUNCTION accepted_flips(type text, state text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM generate_series(0, length(state) / 2 - 1) i
	WHERE refusal(type, encode(set_byte(decode(state, 'hex'), i, get_byte(decode(state, 'hex'), i) # 16), 'hex')) = 'accepted' $$;
CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text; lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP lines := lines || line || E'\n'; END LOOP;
	RETURN lines;
END $$;
CREATE FUNCTION draw(seed bigint, x bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (hashint8extended(x, seed) & 9223372036854775807) % n $$;

-- subjects with 3, 40 and 3000 keys, some of them long, not of ASCII, or of no bytes; weights in quarters tie often
CREATE TABLE events AS
SELECT x AS id, draw(1, x, 3) AS g, draw(2, x, 7) AS part, draw(3, x, 9) / 4.0::float8 AS weight,
	timestamptz '2024-06-01' - draw(4, x, 400) * interval '1 day 1 second' AS at,
	CASE draw(5, x, CASE draw(1, x, 3) WHEN 0 THEN 3 WHEN 1 THEN 40 ELSE 3000 END)
		WHEN 0 THEN '' WHEN 1 THEN 'ä€😀' WHEN 2 THEN repeat('long ', 500)
		ELSE 'key ' || draw(5, x, CASE draw(1, x, 3) WHEN 0 THEN 3 WHEN 1 THEN 40 ELSE 3000 END) END AS key
FROM generate_series(1, 6000) x;

-- half_life NULL: without decay
CREATE FUNCTION expected(half_life interval, k int, OUT g bigint, OUT rank bigint, OUT key text, OUT share float8, OUT weight float8) RETURNS SETOF record LANGUAGE sql AS $$
	SELECT * FROM (
		SELECT g, row_number() OVER (PARTITION BY g ORDER BY weight DESC, key COLLATE "C"), key, weight / sum(weight) OVER (PARTITION BY g), weight
		FROM (SELECT g, key, sum(weight * coalesce(2 ^ -(extract(epoch FROM last - at) / extract(epoch FROM half_life))::float8, 1)) AS weight
			FROM events JOIN (SELECT g, max(at) AS last FROM events GROUP BY g) l USING (g) GROUP BY g, key) x
		WHERE weight > 0) y (g, rank, key, share, weight)
	WHERE rank <= k $$;
CREATE FUNCTION unfold(shares affinity_share[], OUT rank bigint, OUT key text, OUT share float8, OUT weight float8) RETURNS SETOF record LANGUAGE sql AS
$$ SELECT n, key, share, weight FROM unnest(shares) WITH ORDINALITY AS s (key, share, weight, n) $$;

SELECT results_eq(format('SELECT g, u.* FROM (SELECT g, affinity(key, weight, %s) AS a FROM events GROUP BY g) s, unfold(a) u ORDER BY g, rank', k),
	format('SELECT * FROM expected(NULL, %s) ORDER BY g, rank', k), 'without decay, k = ' || k)
FROM unnest('{1,3,5000}'::int[]) k;
-- sums of decayed weights differ in the last digits, and with them the order of what ties
CREATE FUNCTION differences(half_life interval, OUT n bigint, OUT wrong bigint) LANGUAGE sql AS $$
	SELECT count(*), count(*) FILTER (WHERE (abs(a.share - e.share) <= 1e-12 * e.share AND abs(a.weight - e.weight) <= 1e-12 * e.weight) IS NOT TRUE)
	FROM expected(half_life, 5000) e
		FULL JOIN (SELECT g, u.* FROM (SELECT g, affinity(key, weight, at, half_life, 5000) AS a FROM events GROUP BY g) s, unfold(a) u) a USING (g, key) $$;
SELECT is(wrong, 0::bigint, 'half_life ' || h || ', of ' || n) FROM unnest('{100 days,7 days 5 seconds,200000 days}'::interval[]) h, differences(h);
SELECT is(count(*) FILTER (WHERE (a.key = e.key AND abs(a.share - e.share) <= 1e-12) IS NOT TRUE), 0::bigint, '... in order, of ' || count(*))
FROM expected('7 days 5 seconds', 20) e
	FULL JOIN (SELECT g, u.* FROM (SELECT g, affinity(key, weight, at, '7 days 5 seconds', 20) AS a FROM events GROUP BY g) s, unfold(a) u) a USING (g, rank);
SELECT ok(max(share) FILTER (WHERE rank = 1) > 0.2 AND count(DISTINCT key) > 20, 'which are not all alike') FROM expected('7 days 5 seconds', 20);
-- minutes of half-life: only what came last is left, of years before nothing
SELECT results_eq($$SELECT g, (u).* FROM (SELECT g, unfold(affinity(key, weight, at, '1 minute', 5000)) AS u FROM events WHERE weight > 0 GROUP BY g) x ORDER BY g, 2$$,
	$$SELECT g, row_number() OVER (PARTITION BY g ORDER BY weight DESC, key COLLATE "C"), key, weight / sum(weight) OVER (PARTITION BY g), weight
	FROM (SELECT g, key, sum(weight) AS weight FROM (SELECT *, max(at) OVER (PARTITION BY g) AS last FROM events WHERE weight > 0) x WHERE at = last GROUP BY g, key) y ORDER BY 1, 2$$, 'a short half-life');

-- the result does not depend on the order, nor on the split; states survive as text and as binary
CREATE TABLE whole AS SELECT g, affinity(key, weight, at, '2 days', 50) AS decayed, affinity(key, weight, 50) AS plain FROM events GROUP BY g;
SELECT results_eq('SELECT * FROM whole ORDER BY g', format('SELECT g, affinity(key, weight, at, $$2 days$$, 50 ORDER BY %s), affinity(key, weight, 50 ORDER BY %1$s) FROM events GROUP BY g ORDER BY g', o), 'order by ' || o)
FROM unnest('{at,at DESC,hashint8(id),key}'::text[]) o;
CREATE TABLE parts AS SELECT g, part, affinity_partial(key, weight, at, '2 days', 50) AS decayed, affinity_partial(key, weight, 50) AS plain FROM events GROUP BY g, part;
CREATE TABLE copies (LIKE parts);
INSERT INTO copies SELECT g, part, decayed::text::affinity_state, plain::text::affinity_state FROM parts;
SELECT results_eq('SELECT * FROM whole ORDER BY g', 'SELECT g, affinity_merge(decayed), affinity_merge(plain) FROM copies GROUP BY g ORDER BY g', 'merged, by text');
SELECT results_eq('SELECT * FROM whole ORDER BY g', 'SELECT g, affinity_merge(decayed ORDER BY part DESC), affinity_merge(plain ORDER BY hashint8(part)) FROM copies GROUP BY g ORDER BY g', '... in other orders');
TRUNCATE copies;
COPY parts TO PROGRAM 'cat >affinity.copy' (FORMAT binary);
COPY copies FROM PROGRAM 'cat affinity.copy; rm affinity.copy' (FORMAT binary);
SELECT results_eq('SELECT * FROM whole ORDER BY g', 'SELECT g, affinity_merge(decayed), affinity_merge(plain) FROM copies GROUP BY g ORDER BY g', '... by binary');
SELECT is(decayed::text, decayed::text::affinity_state::text, 'the text of a state is always the same') FROM parts WHERE (g, part) = (1, 1);
SELECT is(affinity_merge(NULL::affinity_state), NULL, 'nothing merged') FROM parts;
SELECT results_eq('SELECT affinity_merge(CASE WHEN part = 1 THEN decayed END) FROM parts WHERE g = 2',
	$$SELECT affinity(key, weight, at, '2 days', 50) FROM events WHERE g = 2 AND part = 1$$, 'one state merged with nulls');

-- malformed states
CREATE TABLE one AS SELECT affinity_partial(key, 1, timestamptz '2024-01-01' + n * interval '1 second', '1 day', 2)::text AS state FROM unnest('{a,bc}'::text[]) WITH ORDINALITY x (key, n);
SELECT is(accepted_flips('affinity_state', state), 0::bigint, 'no byte can be changed') FROM one;
SELECT is(refusal('affinity_state', forge(state, 0, '\xa5')), 'accepted', 'the forger can write') FROM one;
-- after 3 bytes of head: half_life, latest, k, encoding, n; of each key its length, bytes, landmark, and a sum of two numbers
SELECT is(refusal('affinity_state', forge(state, place, bytes)), refused, refused || ' ' || bytes)
FROM one, (VALUES (1, '\x04'::bytea, 'It does not begin as values of this type do.'), (2, '\x02', 'Versions up to 1 are.'),
	(3, '\xff', 'Its half-life is out of range.'), (3, '\x7fffffffffffffff', 'Its half-life is out of range.'),
	(3, '\x0000000000000000', 'A key''s time is out of range.'), (3, '\x0000000000000001', 'A key''s time is out of range.'),
	(3, '\x7000000000000000', 'A key''s time is out of range.'),
	(11, '\x7fffffffffffffff', 'Its time is out of range.'), (11, '\x0000000000000000', 'A key''s time is out of range.'),
	(19, '\x00000000', 'Its k is out of range.'), (19, '\xff', 'Its k is out of range.'), (23, '\x7f', 'Its encoding is not known.'),
	(24, '\x7fffffff', 'Its count does not fit its size.'), (24, '\xffffffff', 'Its count does not fit its size.'), (24, '\x00000001', 'It is longer than its contents.'),
	(28, '\x000000ff', 'A key is longer than the value.'), (28, '\xffffffff', 'A key is longer than the value.'),
	(32, '\x63', 'Its keys are not in order.'), (32, '\x00', 'invalid byte sequence for encoding "UTF8": 0x00'), (32, '\xe4', 'invalid byte sequence for encoding "UTF8": 0xe4'),
	(33, '\x0000000000000000', 'A key''s time is out of range.'), (33, '\x7f', 'A key''s time is out of range.'), (40, '\x01', 'A key''s time is out of range.'),
	(41, '\x7ff8000000000000', 'A weight is out of range.'), (49, '\x7ff0000000000000', 'A weight is out of range.'), (41, '\xbff0000000000000', 'A weight is out of range.')
	) f (place, bytes, refused);
SELECT is(refusal('affinity_state', forge(affinity_partial(key, 1, 2)::text, 33, '\x01')), 'A key''s time is out of range.', 'no time without decay') FROM unnest('{a,b}'::text[]) key;
SELECT is(refusal('affinity_state', forge(affinity_partial(key, 1, 2)::text, 61, '\x61')), 'Its keys are not in order.', 'one key twice') FROM unnest('{a,b}'::text[]) key;

--
-- plans
--
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
ALTER TABLE events SET (parallel_workers = 2);
ANALYZE events;
CREATE VIEW query AS SELECT $$SELECT g, affinity(key, weight, at, '2 days', 50), affinity(key, weight, 50) FROM events GROUP BY g$$::text AS q;
SELECT matches(plan_of(q), 'Partial (Hash|Group)?Aggregate', 'a parallel plan') FROM query;
SELECT results_eq('SELECT * FROM whole ORDER BY g', q || ' ORDER BY g', '... gives the same') FROM query;
SET LOCAL max_parallel_workers_per_gather = 0;
ALTER TABLE events RENAME TO all_events;
CREATE TABLE events (LIKE all_events) PARTITION BY HASH (id);
CREATE TABLE events0 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE events1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO events SELECT * FROM all_events;
ANALYZE events;
SET LOCAL enable_partitionwise_aggregate = on;
SELECT matches(plan_of(q), 'Partial (Hash|Group)?Aggregate', 'a partitionwise plan') FROM query;
SELECT results_eq('SELECT * FROM whole ORDER BY g', q || ' ORDER BY g', '... gives the same') FROM query;
-- FILTER, and a running window
SELECT is(affinity(key, weight, 50) FILTER (WHERE g = 1), (SELECT plain FROM whole WHERE g = 1), 'FILTER') FROM all_events;
SELECT is(count(*) FILTER (WHERE running IS DISTINCT FROM again), 0::bigint, 'a running window, of ' || count(*))
FROM (SELECT affinity(key, weight, at, '30 days', 9) OVER (ORDER BY id) AS running,
		(SELECT affinity(key, weight, at, '30 days', 9) FROM all_events x WHERE x.id <= e.id) AS again
	FROM all_events e WHERE id <= 100) x;

--
-- hours of the week, through changes of daylight saving time
--
SELECT is(count(*) FILTER (WHERE hour_of_week(at, zone) IS DISTINCT FROM
	((extract(isodow FROM at AT TIME ZONE zone) - 1) * 24 + extract(hour FROM at AT TIME ZONE zone))::int), 0::bigint, zone || ', of ' || count(*))
FROM unnest('{UTC,Europe/Berlin,America/New_York,Asia/Kathmandu,Australia/Lord_Howe,+05:30}'::text[]) zone,
	generate_series(timestamptz '1999-12-01 00:17', '2001-02-01', '37 minutes') at
GROUP BY zone;
SELECT is(count(DISTINCT hour_of_week(at)), 168::bigint, 'all hours') FROM generate_series(timestamptz '1969-12-30', '1970-01-06', '1 hour') at;
SET LOCAL timezone = 'Asia/Tokyo';
SELECT is(hour_of_week('2024-01-01 00:00+00'), 0, 'the time zone of the session does not matter');

SELECT * FROM finish();
ROLLBACK;
