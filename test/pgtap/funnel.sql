-- funnel() against every chain of rows, and sessionize() against plain SQL
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

SELECT plan(57);

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

-- Small random inputs.  Times are few, so that many rows have the same; a row has any number of the steps, or none.
CREATE TABLE visits AS
SELECT x AS id, g, draw(1, g, 4) + 1 AS steps, make_interval(mins => draw(2, g, 6)::int + 1) AS within,
	timestamptz '2024-01-01' + draw(3, x, 2 + g % 12) * interval '1 minute' AS at, draw(4, x, 16)::int & (draw(5, x, 16)::int | 15 * (g % 3 / 2)) AS mask
FROM (SELECT row_number() OVER () AS x, g FROM generate_series(1, 2500) g, generate_series(1, draw(6, g, 10)) r) x;
CREATE FUNCTION flags(mask int, steps bigint) RETURNS boolean[] LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg(CASE WHEN mask >> i & 1 = 1 THEN true WHEN i % 2 = 0 THEN false END ORDER BY i) FROM generate_series(0, steps::int - 1) i $$;
ALTER TABLE visits ADD flags boolean[], ADD day int;
UPDATE visits SET mask = mask & ((1 << steps::int) - 1), flags = flags(mask, steps), day = id % 7;
-- all chains of different rows, in any order of those at the same time
CREATE TABLE expected AS
WITH RECURSIVE chain AS (
	SELECT g, 1 AS reached, ARRAY[id] AS ids, ARRAY[at] AS times FROM visits WHERE mask & 1 = 1
	UNION ALL
	SELECT g, reached + 1, ids || id, times || at
	FROM chain JOIN visits v USING (g)
	WHERE mask >> reached & 1 = 1 AND NOT id = ANY (ids) AND at >= times[reached] AND at - times[1] <= within)
SELECT DISTINCT ON (g) g, coalesce(reached, 0) AS reached, coalesce(times, '{}') AS times
FROM (SELECT DISTINCT g FROM visits) v LEFT JOIN chain USING (g)
ORDER BY g, reached DESC, times[1], times[reached], times;
CREATE TABLE got AS SELECT g, (f).* FROM (SELECT g, funnel(at, within, VARIADIC flags) AS f FROM visits GROUP BY g) x;
SELECT results_eq('SELECT * FROM got ORDER BY g', 'SELECT * FROM expected ORDER BY g', 'as the best of all chains');
SELECT ok(min(n) > 50 AND count(*) = 5, 'which go through it to different steps: ' || array_agg(n ORDER BY reached)::text) FROM (SELECT reached, count(*) AS n FROM got GROUP BY reached) x;
SELECT ok(count(*) > 50, 'with several steps at one time: ' || count(*)) FROM got WHERE times[1] = times[2] AND times[2] <> times[reached];
SELECT ok(count(*) > 50, 'with entries after the first that was possible: ' || count(*)) FROM got JOIN (SELECT g, min(at) AS first FROM visits WHERE mask & 1 = 1 GROUP BY g) v USING (g) WHERE times[1] > first;

-- more rows, steps and ties at fewer times: against the furthest steps by matchings, moment by moment
CREATE TABLE crowds AS
SELECT g, 6 AS steps, interval '1 second' AS within, timestamptz '2024-01-01' AS at, 1 << draw(7, x, 7)::int & 63 | (1 << draw(8, x, 8)::int & 63) AS mask
FROM (SELECT row_number() OVER () AS x, g FROM generate_series(1, 300) g, generate_series(1, 2 + draw(9, g, 6)) r) x;
-- Hall: the first n steps can be matched to different rows if any set of them has as many rows
CREATE FUNCTION hall(masks int[], n int) RETURNS boolean LANGUAGE sql AS $$
	SELECT bool_and((SELECT count(*) FROM unnest(masks) mask WHERE mask & subset <> 0) >= length(replace(subset::bit(6)::text, '0', '')))
	FROM generate_series(1, (1 << n) - 1) subset $$;
SELECT results_eq('SELECT g, (funnel(at, within, VARIADIC flags(mask, steps))).reached FROM crowds GROUP BY g ORDER BY g',
	'SELECT g, (SELECT coalesce(max(n), 0) FROM generate_series(1, 6) n WHERE hall(masks, n)) FROM (SELECT g, array_agg(mask) AS masks FROM crowds GROUP BY g) x ORDER BY g', 'rows of one time, by the theorem of Hall');

-- the result does not depend on the order, nor on the split; states survive as text and as binary
SELECT results_eq('SELECT * FROM got ORDER BY g', format('SELECT g, (f).* FROM (SELECT g, funnel(at, within, VARIADIC flags ORDER BY %s) AS f FROM visits GROUP BY g) x ORDER BY g', o), 'order by ' || o)
FROM unnest('{at,"at DESC, id",hashint8(id)}'::text[]) o;
CREATE TABLE parts AS SELECT g, draw(10, id, 3) AS part, funnel_partial(at, within, VARIADIC flags) AS state FROM visits GROUP BY g, part;
CREATE TABLE copies (LIKE parts);
INSERT INTO copies SELECT g, part, state::text::funnel_state FROM parts;
SELECT results_eq('SELECT * FROM got ORDER BY g', 'SELECT g, (f).* FROM (SELECT g, funnel_merge(state) AS f FROM copies GROUP BY g) x ORDER BY g', 'merged, by text');
TRUNCATE copies;
COPY parts TO PROGRAM 'cat >funnel.copy' (FORMAT binary);
COPY copies FROM PROGRAM 'cat funnel.copy; rm funnel.copy' (FORMAT binary);
SELECT results_eq('SELECT * FROM got ORDER BY g', 'SELECT g, (f).* FROM (SELECT g, funnel_merge(state ORDER BY part DESC) AS f FROM copies GROUP BY g) x ORDER BY g', '... by binary, in another order');
SELECT is(funnel_partial(at, within, VARIADIC flags ORDER BY id)::text, funnel_partial(at, within, VARIADIC flags ORDER BY id DESC)::text, 'the text of a state is always the same')
FROM visits WHERE g = (SELECT g FROM visits WHERE mask <> 0 GROUP BY g ORDER BY count(*) DESC, g LIMIT 1);
SELECT is(funnel_merge(NULL::funnel_state), NULL, 'nothing merged') FROM parts;

-- malformed states
CREATE TABLE one AS SELECT funnel_partial(at, '1 hour', VARIADIC steps)::text AS state
FROM (VALUES (timestamptz '2024-01-01', '{t,f,f}'::boolean[]), ('2024-01-01', '{f,t,f}'), ('2024-01-02', '{f,t,t}')) x (at, steps);
SELECT is(accepted_flips('funnel_state', state), 0::bigint, 'no byte can be changed') FROM one;
SELECT is(refusal('funnel_state', forge(state, 0, '\xa5')), 'accepted', 'the forger can write') FROM one;
-- after 3 bytes of head: within, number of steps, n; of each row its time and steps
SELECT is(refusal('funnel_state', forge(state, place, bytes)), refused, refused || ' ' || bytes)
FROM one, (VALUES (1, '\x05'::bytea, 'It does not begin as values of this type do.'), (2, '\x02', 'Versions up to 1 are.'),
	(3, '\xff', 'Its duration is out of range.'), (3, '\x0000000000000000', 'Its duration is out of range.'), (3, '\x7fffffffffffffff', 'Its duration is out of range.'),
	(11, '\x00000000', 'Its number of steps is out of range.'), (11, '\x00000041', 'Its number of steps is out of range.'), (11, '\xff', 'Its number of steps is out of range.'),
	(11, '\x00000002', 'A step is not one of its steps.'),
	(15, '\x7fffffffffffffff', 'Its count does not fit its size.'), (15, '\xffffffffffffffff', 'Its count does not fit its size.'), (22, '\x02', 'Its count does not fit its size.'), (22, '\x04', 'Its count does not fit its size.'),
	(23, '\x7fffffffffffffff', 'A time is out of range.'), (23, '\x8000000000000000', 'A time is out of range.'), (31, '\x0000000000000000', 'A step is not one of its steps.'),
	(31, '\x80', 'A step is not one of its steps.'), (38, '\x04', 'Its rows are not in order.'), (40, '\x01', 'Its rows are not in order.')) f (place, bytes, refused);

--
-- large groups
--
-- each step is due 1 s after the one before, among rows of the others: 60 steps in 59 s
CREATE TABLE long_way AS SELECT timestamptz '2024-01-01' + x * interval '1 second' AS at, (x * 7) % 60 AS step FROM generate_series(0, 59999) x;
CREATE FUNCTION single(step int) RETURNS boolean[] LANGUAGE sql IMMUTABLE AS $$ SELECT array_agg(i = step ORDER BY i) FROM generate_series(0, 59) i $$;
CREATE TABLE singles AS SELECT step, single(step) AS steps FROM generate_series(0, 59) step;
-- the next step comes 43 rows later (7 * 43 = 301 = 1 modulo 60)
SELECT is((funnel(at, make_interval(secs => seconds), VARIADIC steps)).reached, seconds / 43 + 1, '60,000 rows, 60 steps, ' || seconds || ' s')
FROM long_way JOIN singles USING (step), unnest('{1,43,1000,2536}'::int[]) seconds GROUP BY seconds ORDER BY seconds;
SELECT is((funnel(at, '2537 seconds', VARIADIC steps)).times[60], (timestamptz '2024-01-01' + interval '2537 seconds'), '... and all') FROM long_way JOIN singles USING (step);
-- all at one time, every row any step
SELECT is((funnel('2024-01-01', '1 second', VARIADIC array_fill(true, '{64}'))).reached, least(n, 64), n || ' rows of one time')
FROM unnest('{1,63,64,65,20000}'::int[]) n, generate_series(1, n) GROUP BY n ORDER BY n;
-- step i by rows 1 to i only: each row must make room for the next
SELECT is((funnel('2024-01-01', '1 second', VARIADIC (SELECT array_agg(row <= step ORDER BY step DESC) FROM generate_series(1, 40) step))).reached, 40, 'rows that must make room') FROM generate_series(1, 40) row;
-- a span that does not fit 64 bits
SELECT is(funnel(at, '290000 years'::interval - '290000 years'::interval + '106000000 days', true, true)::text, '(1,"{""4713-01-01 00:00:00+00 BC""}")', 'from the first of times to the last')
FROM (VALUES (timestamptz '4713-01-01 BC'), ('294276-12-31')) x (at);

--
-- plans
--
CREATE VIEW query AS SELECT $$SELECT day, funnel(timestamptz '2024-01-01' + draw(13, id, 90000) * interval '1 second', '10 minutes', id % 11 = 1, id % 11 = 2, id % 11 = 3, id % 11 = 4) FROM visits GROUP BY day$$::text AS q;
CREATE TABLE whole AS SELECT day, funnel(timestamptz '2024-01-01' + draw(13, id, 90000) * interval '1 second', '10 minutes', id % 11 = 1, id % 11 = 2, id % 11 = 3, id % 11 = 4) FROM visits GROUP BY day;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
ALTER TABLE visits SET (parallel_workers = 2);
ANALYZE visits;
SELECT is(count(DISTINCT funnel), 7::bigint, 'groups that differ') FROM whole;
SELECT matches(plan_of(q), 'Partial (Hash|Group)?Aggregate', 'a parallel plan') FROM query;
SELECT results_eq('SELECT * FROM whole ORDER BY day', q || ' ORDER BY day', '... gives the same') FROM query;
SET LOCAL max_parallel_workers_per_gather = 0;
ALTER TABLE visits RENAME TO all_visits;
CREATE TABLE visits (LIKE all_visits) PARTITION BY HASH (id);
CREATE TABLE visits0 PARTITION OF visits FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE visits1 PARTITION OF visits FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO visits SELECT * FROM all_visits;
ANALYZE visits;
SET LOCAL enable_partitionwise_aggregate = on;
SELECT matches(plan_of(q), 'Partial (Hash|Group)?Aggregate', 'a partitionwise plan') FROM query;
SELECT results_eq('SELECT * FROM whole ORDER BY day', q || ' ORDER BY day', '... gives the same') FROM query;
SELECT is(count(*) FILTER (WHERE running IS DISTINCT FROM again), 0::bigint, 'a running window with a FILTER, of ' || count(*))
FROM (SELECT funnel(at, '1 hour', mask & 1 = 1, mask & 2 = 2) FILTER (WHERE id % 3 > 0) OVER (ORDER BY id) AS running,
		(SELECT funnel(at, '1 hour', mask & 1 = 1, mask & 2 = 2) FROM all_visits x WHERE x.id <= e.id AND id % 3 > 0) AS again
	FROM all_visits e WHERE id <= 100) x;

--
-- sessions
--
CREATE TABLE clicks AS SELECT x AS id, draw(11, x, 40) AS g, CASE WHEN x % 17 > 0 THEN timestamptz '2024-01-01' + draw(12, x, 60000) * interval '10 seconds' END AS at FROM generate_series(1, 5000) x;
SELECT is(count(*) FILTER (WHERE got IS DISTINCT FROM expected), 0::bigint, 'sessions with a gap of ' || gap || ', of ' || count(*) || ', up to ' || max(got))
FROM unnest('{10 seconds,30 minutes,2 hours,3 days}'::interval[]) gap,
	LATERAL (SELECT id, sessionize(at, gap) OVER (PARTITION BY g ORDER BY at NULLS FIRST) AS got FROM clicks) x
	JOIN LATERAL (SELECT id, 1 + count(*) FILTER (WHERE at - before > gap) OVER (PARTITION BY g ORDER BY at RANGE UNBOUNDED PRECEDING) AS expected
		FROM (SELECT *, lag(at) OVER (PARTITION BY g ORDER BY at, id) AS before FROM clicks WHERE at IS NOT NULL) y
		UNION ALL SELECT id, NULL FROM clicks WHERE at IS NULL) z USING (id)
GROUP BY gap;
SELECT results_eq('SELECT sessionize(at) OVER (PARTITION BY g ORDER BY at) FROM clicks ORDER BY id', $$SELECT sessionize(at, '30 minutes') OVER (PARTITION BY g ORDER BY at) FROM clicks ORDER BY id$$, 'a gap is 30 minutes by default');
SELECT results_eq('SELECT sessionize(at) OVER (ORDER BY n) FROM (VALUES (1, NULL), (2, timestamptz $$4713-01-01 BC$$), (3, NULL), (4, $$294276-12-31$$), (5, NULL)) x (n, at)',
	'VALUES (NULL::bigint), (1), (NULL), (2), (NULL)', 'nulls in between, and a span that does not fit 64 bits');

SELECT * FROM finish();
ROLLBACK;
