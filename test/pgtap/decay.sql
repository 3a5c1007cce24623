-- decayed_sum() against golden values and plain SQL, in any order and any split
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

SELECT plan(60);

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

--
-- golden values: half_life, at, value, rate, mean, value of the first and the second half, events
--
CREATE TYPE event AS (at float8, weight float8);
CREATE TABLE golden (id text, half_life float8, at float8, value float8, rate float8, mean float8, first_half float8, second_half float8, events event[]);
INSERT INTO golden VALUES
	('decay_sum.0', 86400.0, 1767428065.679, 3.5253328742356973, 2.8282112758237983e-05, 1.0, 0.9317295833357002, 2.5936032908999973, '{"(1767248694.169,1.0)","(1767382635.55,1.0)","(1767389081.177,1.0)","(1767409580.469,1.0)","(1767428065.679,1.0)"}'),
	('decay_sum.1', 3600.0, 1767264509.185, 0.3532086506922747, 6.800710566020354e-05, 0.6902497853661751, 0.003390401445484568, 0.3498182492467901, '{"(1767229646.511,2.789)","(1767240842.586,5.08)","(1767260909.185,0.593)"}'),
	('decay_sum.3', 60.0, 1767228054.141, 2.0192164615947945, 0.023326903288244348, 4.70034758966029, 1.7163307675757054e-07, 2.019216289961718, '{"(1767225628.504,5.465)","(1767225628.81,5.631)","(1767225634.124,4.798)","(1767225636.248,0.601)","(1767225643.464,2.502)","(1767225706.422,6.202)","(1767225784.172,0.848)","(1767225830.887,2.685)","(1767225890.406,0.444)","(1767225924.468,2.989)","(1767226007.405,1.246)","(1767226019.554,0.885)","(1767226030.763,5.891)","(1767226062.322,4.479)","(1767226087.178,6.178)","(1767226214.092,2.841)","(1767226231.644,7.826)","(1767226262.726,1.327)","(1767226270.807,3.164)","(1767226360.307,1.539)","(1767226373.494,8.118)","(1767226414.32,5.434)","(1767226513.783,0.382)","(1767226521.575,1.824)","(1767226563.908,1.376)","(1767226611.846,0.995)","(1767226925.299,0.352)","(1767226955.149,8.154)","(1767226979.292,4.242)","(1767226992.623,2.22)","(1767227019.627,3.919)","(1767227106.704,1.947)","(1767227119.371,1.329)","(1767227139.571,4.917)","(1767227149.641,2.406)","(1767227189.675,7.056)","(1767227281.905,8.956)","(1767227300.113,2.026)","(1767227308.097,4.857)","(1767227403.603,3.06)","(1767227423.809,6.049)","(1767227489.307,1.81)","(1767227529.954,2.472)","(1767227563.016,3.503)","(1767227585.056,4.556)","(1767227717.777,4.558)","(1767227743.354,2.68)","(1767227807.27,2.223)","(1767227810.882,3.39)","(1767227934.141,5.879)"}'),
	('decay_sum.4', 86400.0, 1768123032.407, 0.0009765625, 7.8345086055043e-09, 1.0, 0.0, 0.0009765625, '{"(1767259032.407,1.0)"}'),
	('decay_sum.6', 10.0, 1767238495.71, 0.125, 0.008664339756999316, 1.0, 9.363355576310611e-186, 0.125, '{"(1767226056.504,1.0)","(1767226498.154,1.0)","(1767231437.719,1.0)","(1767232349.194,1.0)","(1767232511.416,1.0)","(1767234838.65,1.0)","(1767236087.622,1.0)","(1767238465.71,1.0)"}'),
	('decay_sum.7', 86400.0, 1767233901.729, 42.649443382964385, 0.00034215672955269417, 3.651371307486097, 19.022817738867296, 23.62662564409709, '{"(1767226513.05,2.05)","(1767227303.888,7.523)","(1767227866.778,2.864)","(1767228358.197,6.114)","(1767229578.38,0.481)","(1767229661.07,0.946)","(1767229760.178,7.122)","(1767232461.027,3.789)","(1767233061.953,6.68)","(1767233752.68,1.413)","(1767233886.665,4.516)","(1767233901.729,0.43)"}'),
	('decay_sum.9', 86400.0, 1767225600.0, 0.0, NULL, NULL, NULL, NULL, '{}');
-- The times of these values are doubles, whose seconds since 1970 are off by up to 0.12 microseconds: of a half-life of
-- 10 s, a relative 8e-9.  Stretched a thousandfold, their differences fit the microseconds of a timestamp.
CREATE TABLE golden_events AS
SELECT id, stretch, g.half_life * stretch * interval '1 second' AS half_life, e.weight, n > cardinality(events) / 2 AS second,
	CASE stretch WHEN 1 THEN to_timestamp(g.at) ELSE '2026-01-01' END AS as_of,
	CASE stretch WHEN 1 THEN to_timestamp(e.at) ELSE timestamptz '2026-01-01' - (g.at - e.at) * stretch * interval '1 second' END AS at
FROM golden g, unnest('{1,1000}'::int[]) stretch, unnest(events) WITH ORDINALITY AS e (at, weight, n);
CREATE FUNCTION near(got float8, expected float8, tolerance float8 DEFAULT 1e-9) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(got = expected OR abs(got - expected) <= greatest(tolerance * abs(expected), 1e-300), got IS NULL AND expected IS NULL) $$;

SELECT is(bool_and(near(coalesce(v.value, 0), g.value) AND near(coalesce(merged, 0), g.value) AND near(coalesce(as_of_merged, 0), g.value)), true, id || ': value ' || g.value)
FROM golden g
	LEFT JOIN (SELECT id, stretch, decayed_sum(weight, at, half_life, as_of) AS value FROM golden_events GROUP BY id, stretch) v USING (id)
	LEFT JOIN (SELECT id, stretch, decayed_value(decayed_sum_merge(s), as_of) AS merged, decayed_sum_merge(s, as_of) AS as_of_merged
		FROM (SELECT id, stretch, as_of, decayed_sum_partial(weight, at, half_life) AS s FROM golden_events GROUP BY id, stretch, as_of, second) x
		GROUP BY id, stretch, as_of) m USING (id, stretch)
GROUP BY id, g.value ORDER BY id;
SELECT is(bool_and(near(decayed_rate(s, as_of, stretch * interval '1 second'), rate) AND near(decayed_rate(s, as_of), rate * 86400 / stretch)
	AND near(decayed_mean(s), mean)), true, id || ': rate and mean')
FROM golden g LEFT JOIN (SELECT id, stretch, as_of, decayed_sum(weight, at, half_life) AS s FROM golden_events GROUP BY id, stretch, as_of) v USING (id)
GROUP BY id ORDER BY id;
SELECT is(bool_and(near(coalesce(one, 0), coalesce(first_half, 0), CASE stretch WHEN 1 THEN 8e-9 ELSE 1e-9 END)
	AND near(coalesce(other, 0), coalesce(second_half, 0))), true, id || ': halves')
FROM golden g
	LEFT JOIN (SELECT id, stretch, decayed_sum(weight, at, half_life, as_of) FILTER (WHERE NOT second) AS one,
		decayed_sum(weight, at, half_life, as_of) FILTER (WHERE second) AS other FROM golden_events GROUP BY id, stretch) v USING (id)
GROUP BY id ORDER BY id;

--
-- random events of a quarter of a century, with half-lives from a minute to 500 years
--
CREATE TABLE half_lives AS SELECT h::interval AS half_life FROM unnest('{1 minute,1 hour,1 day 7 seconds,30 days,3000 days,200000 days}'::text[]) h;
CREATE TABLE events AS
SELECT x AS id, draw(1, x, 5) AS g, draw(2, x, 8) AS part, (draw(3, x, 20001) - 4000) / 100.0 AS value,
	CASE WHEN x % 3 = 0 THEN timestamptz '2024-06-01' - draw(4, x, 40 * 86400 * 1000000::bigint) * interval '1 microsecond'
		ELSE timestamptz '2024-06-01' - draw(4, x, 25 * 365) * interval '1 day 1 second' END AS at
FROM generate_series(1, 2500) x;
INSERT INTO events SELECT 4000 + x, 9, x % 2, x, '1999-12-31' FROM generate_series(1, 3) x;

CREATE FUNCTION expected(as_of timestamptz, half_life interval, OUT g bigint, OUT value float8, OUT weight float8, OUT scale float8) RETURNS SETOF record LANGUAGE sql AS $$
	SELECT g, sum(value::float8 * w), sum(w), sum(abs(value::float8) * w)
	FROM (SELECT g, value, CASE WHEN age > 1000 THEN 0 ELSE 2 ^ -age END AS w
		FROM (SELECT g, value, (extract(epoch FROM as_of - at) / extract(epoch FROM half_life))::float8 AS age FROM events WHERE at <= as_of) x) y
	GROUP BY g $$;
CREATE FUNCTION unlike(got float8, expected float8, scale float8) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT (abs(got - expected) <= 1e-12 * scale + 1e-290) IS NOT TRUE $$;

SELECT is(count(*) FILTER (WHERE unlike(e.value, s.value, e.scale) OR unlike(e.value, s.value_f, e.scale)), 0::bigint, 'as of ' || as_of || ', of ' || count(*))
FROM unnest('{2024-06-01,2023-12-31 12:34:56.789,2005-01-01}'::timestamptz[]) as_of, half_lives,
	LATERAL expected(as_of, half_life) e
	LEFT JOIN LATERAL (SELECT g, decayed_sum(value, at, half_life, as_of) AS value, decayed_sum(value::float8, at, half_life, as_of) AS value_f FROM events GROUP BY g) s USING (g)
GROUP BY as_of;
SELECT is(count(*) FILTER (WHERE unlike(e.value, decayed_value(s.state, as_of), e.scale) OR unlike(e.weight, decayed_count(s.state, as_of), e.weight)
	OR unlike(e.value / e.weight, decayed_mean(s.state), e.scale / e.weight)
	OR unlike(e.value * ln(2::float8) / extract(epoch FROM half_life)::float8 * 604800, decayed_rate(s.state, as_of, '7 days'), e.scale * 604800)), 0::bigint, 'states at ' || as_of || ', of ' || count(*))
FROM unnest('{2024-06-01,2024-06-01 00:00:17,2025-01-01}'::timestamptz[]) as_of, half_lives,
	LATERAL (SELECT * FROM expected(as_of, half_life) WHERE weight > 0) e
	LEFT JOIN LATERAL (SELECT g, decayed_sum(value, at, half_life) AS state FROM events GROUP BY g) s USING (g)
GROUP BY as_of;
SELECT is(decayed_sum(value, at, '1 day', '1990-01-01'), NULL, 'only later rows') FROM events;

-- the result does not depend on the order, not in the last bit
CREATE VIEW in_order AS SELECT half_life, g, decayed_sum(value, at, half_life ORDER BY at) AS state, decayed_sum(value, at, half_life, '2024-06-02') AS value FROM events, half_lives GROUP BY 1, 2;
SELECT results_eq('SELECT half_life, g, decayed_value(state, $$2024-06-02$$), decayed_count(state, $$2024-06-02$$), value FROM in_order ORDER BY 1, 2', format($$
	SELECT half_life, g, decayed_value(state, '2024-06-02'), decayed_count(state, '2024-06-02'), value
	FROM (SELECT half_life, g, decayed_sum(value, at, half_life ORDER BY %s) AS state, decayed_sum(value, at, half_life, '2024-06-02' ORDER BY %1$s) AS value
		FROM events, half_lives GROUP BY 1, 2) x ORDER BY 1, 2$$, o), 'order by ' || o)
FROM unnest('{at DESC,id,"hashint8(id)"}'::text[]) o;

-- nor on the split, and states survive as text and as binary
CREATE TABLE parts AS SELECT half_life, g, part, decayed_sum_partial(value, at, half_life) AS state FROM events, half_lives GROUP BY 1, 2, 3;
CREATE TABLE copies (LIKE parts);
INSERT INTO copies SELECT half_life, g, part, state::text::decayed_sum_state FROM parts;
SELECT results_eq('SELECT half_life, g, decayed_value(state, $$2024-06-02$$), value FROM in_order ORDER BY 1, 2',
	$$SELECT half_life, g, decayed_value(decayed_sum_merge(state), '2024-06-02'), decayed_sum_merge(state, '2024-06-02') FROM copies GROUP BY 1, 2 ORDER BY 1, 2$$, 'merged, by text');
TRUNCATE copies;
COPY parts TO PROGRAM 'cat >decayed_sum.copy' (FORMAT binary);
COPY copies FROM PROGRAM 'cat decayed_sum.copy; rm decayed_sum.copy' (FORMAT binary);
SELECT results_eq('SELECT half_life, g, decayed_value(state, $$2024-06-02$$), value FROM in_order ORDER BY 1, 2',
	$$SELECT half_life, g, decayed_value(decayed_sum_merge(state), '2024-06-02'), decayed_sum_merge(state, '2024-06-02') FROM copies GROUP BY 1, 2 ORDER BY 1, 2$$, '... by binary');
SELECT is(decayed_sum_merge(NULL::decayed_sum_state)::text, NULL, 'nothing merged') FROM parts;
SELECT is(decayed_sum_merge(CASE WHEN part = 1 THEN state END)::text, min(state::text) FILTER (WHERE part = 1), 'one state merged with nulls') FROM parts WHERE (half_life, g) = ('1 day 7 seconds', 1);

-- malformed states
CREATE VIEW one AS SELECT state::text AS state FROM parts WHERE (half_life, g, part) = ('1 day 7 seconds', 1, 1);
SELECT is(accepted_flips('decayed_sum_state', state), 0::bigint, 'no byte can be changed') FROM one;
SELECT is(refusal('decayed_sum_state', forge(state, 0, '\xa5')), 'accepted', 'the forger can write') FROM one;
-- after 3 bytes of head: flags, half_life, as_of, and two sums of two numbers
SELECT is(refusal('decayed_sum_state', forge(state, place, bytes)), refused, refused || ' ' || bytes)
FROM one, (VALUES (0, '\xa4'::bytea, 'It does not begin as values of this type do.'), (2, '\x02', 'Versions up to 1 are.'), (2, '\x00', 'Versions up to 1 are.'),
	(3, '\x00', 'Its flags are not known.'), (3, '\x04', 'Its flags are not known.'), (3, '\x01', 'Its weight is out of range.'),
	(4, '\xff', 'Its half-life is out of range.'), (4, '\x0000000000000000', 'Its half-life is out of range.'), (4, '\x7fffffffffffffff', 'Its half-life is out of range.'),
	(12, '\x7fffffffffffffff', 'Its time is out of range.'), (12, '\x8000000000000000', 'Its time is out of range.'),
	(20, '\x7ff8000000000000', 'A sum is not finite.'), (28, '\x7ff0000000000000', 'A sum is not finite.'),
	(36, '\xbff0000000000000', 'Its weight is out of range.'), (36, '\x00000000000000000000000000000000', 'Its weight is out of range.'),
	(52, '\x00', 'It is longer than its contents.')) f (place, bytes, refused);
SELECT is(refusal('decayed_sum_state', forge(left(state, -10), 0, '\xa5')), 'insufficient data left in message', 'too short') FROM one;

--
-- plans
--
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
ALTER TABLE events SET (parallel_workers = 2);
ANALYZE events;
CREATE FUNCTION sums() RETURNS TABLE (g bigint, state_value float8, value float8) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'SELECT g, decayed_value(decayed_sum(value, at, $q$1 day$q$), $q$2024-06-02$q$), decayed_sum(value, at, $q$1 day$q$, $q$2024-06-02$q$) FROM events GROUP BY g ORDER BY g';
END $$;
CREATE TABLE parallel AS SELECT * FROM sums();
SELECT matches(plan_of('SELECT g, decayed_sum(value, at, $$1 day$$), decayed_sum(value, at, $$1 day$$, $$2024-06-02$$) FROM events GROUP BY g'), 'Partial (Hash|Group)?Aggregate', 'a parallel plan');
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT results_eq('SELECT * FROM parallel ORDER BY g', 'SELECT * FROM sums()', '... and a serial one');
ALTER TABLE events RENAME TO whole;
CREATE TABLE events (LIKE whole) PARTITION BY HASH (id);
CREATE TABLE events0 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE events1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO events SELECT * FROM whole;
ANALYZE events;
SET LOCAL enable_partitionwise_aggregate = on;
SELECT matches(plan_of('SELECT g, decayed_sum(value, at, $$1 day$$), decayed_sum(value, at, $$1 day$$, $$2024-06-02$$) FROM events GROUP BY g'), 'Partial (Hash|Group)?Aggregate', 'a partitionwise plan');
SELECT results_eq('SELECT * FROM parallel ORDER BY g', 'SELECT * FROM sums()', '... gives the same');

-- a moving window, and a filter
SELECT is(count(*) FILTER (WHERE unlike(got, expected, scale)), 0::bigint, 'a window of 3 rows, of ' || count(*))
FROM (SELECT decayed_value(decayed_sum(value, at, '30 days') OVER w, at) AS got, scale,
		value + coalesce(lag(value) OVER o * 2 ^ -(extract(epoch FROM at - lag(at) OVER o)::float8 / 2592000), 0)
			+ coalesce(lag(value, 2) OVER o * 2 ^ -(extract(epoch FROM at - lag(at, 2) OVER o)::float8 / 2592000), 0) AS expected
	FROM whole, (VALUES (200)) s (scale) WHERE g = 3 WINDOW o AS (ORDER BY at, id), w AS (ORDER BY at, id ROWS 2 PRECEDING)) x;
SELECT is(decayed_sum(value, at, '1 day', '2024-06-02') FILTER (WHERE g = 3), (SELECT value FROM parallel WHERE g = 3), 'FILTER') FROM whole;

SELECT * FROM finish();
ROLLBACK;
