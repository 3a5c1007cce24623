-- rfm() and interpurchase() against plain SQL, whatever the rows' order and however they are split; their states
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

SELECT plan(121);

CREATE FUNCTION draw(seed bigint, x bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(x, seed) & 9223372036854775807) % n $$;

-- 300 customers, some with very many orders, some with two; refunds, missing values, times before 2000 and after as_of
CREATE TABLE orders (id int, c int, at timestamptz, amount numeric);
INSERT INTO orders
SELECT x, CASE WHEN x % 3 = 0 THEN draw(1, x, 6) ELSE draw(2, x, 300) END,
	CASE WHEN x % 97 = 0 THEN NULL ELSE timestamptz '1999-11-15 07:30' + draw(3, x, 200) * interval '1 day'
		+ draw(4, x, 86400000) * interval '1 millisecond' END,
	CASE WHEN x % 101 = 0 THEN NULL ELSE round(((draw(5, x, 30000) - 2000) / 100.0), 2) END
FROM generate_series(1, 9000) x;
-- one of refunds only, one later only, one without anything, one single order, one of whom all is on one day
INSERT INTO orders SELECT 10000 + x, 1001, timestamptz '2000-01-01' + x * interval '1 hour', -x FROM generate_series(1, 20) x;
INSERT INTO orders SELECT 10100 + x, 1002, timestamptz '2000-06-01' + x * interval '1 day', x FROM generate_series(1, 20) x;
INSERT INTO orders SELECT 10200 + x, 1003, NULL, x FROM generate_series(1, 20) x;
INSERT INTO orders VALUES (10300, 1004, '1999-12-31 23:59:59.999999', 0.10);
INSERT INTO orders SELECT 10400 + x, 1005, timestamptz '1999-12-31' + x * interval '1 hour', 0.10 FROM generate_series(0, 23) x;

-- The same by plain SQL, in numeric: exact.  Microseconds since the origin, as numeric, cut to units.
CREATE FUNCTION expected(as_of timestamptz, unit interval)
RETURNS TABLE (c int, first_at timestamptz, last_at timestamptz, orders bigint, frequency bigint, recency float8, tenure float8,
	since_last float8, monetary float8, mean_value float8, refunded float8, later bigint)
LANGUAGE sql AS $$
	WITH counted AS (
		SELECT o.c, at, amount, amount >= 0 AS is_order, at > as_of AS is_later,
			floor(extract(epoch FROM at - timestamptz '2000-01-01 00:00 UTC') / extract(epoch FROM unit)) AS period,
			floor(extract(epoch FROM as_of - timestamptz '2000-01-01 00:00 UTC') / extract(epoch FROM unit)) AS now
		FROM orders o WHERE at IS NOT NULL AND amount IS NOT NULL),
	firsts AS (
		SELECT *, min(period) FILTER (WHERE is_order AND NOT is_later) OVER (PARTITION BY c) AS first FROM counted)
	SELECT f.c, min(at) FILTER (WHERE is_order), max(at) FILTER (WHERE is_order), count(*) FILTER (WHERE is_order),
		nullif(count(DISTINCT period) FILTER (WHERE is_order), 0) - 1,
		(max(period) FILTER (WHERE is_order) - min(first))::float8,
		(min(now) - min(first))::float8,
		(min(now) - max(period) FILTER (WHERE is_order))::float8,
		sum(amount)::float8,
		CASE WHEN min(first) IS NULL THEN NULL
			ELSE coalesce(sum(amount) FILTER (WHERE is_order AND period > first)::float8
				/ nullif(count(DISTINCT period) FILTER (WHERE is_order) - 1, 0), 0) END,
		coalesce(-sum(amount) FILTER (WHERE NOT is_order), 0)::float8,
		coalesce((SELECT count(*) FROM counted l WHERE l.c = f.c AND l.is_later), 0)
	FROM firsts f WHERE NOT is_later GROUP BY f.c
$$;

-- rows of a that are not in b within rounding, and the other way round; -1 if there are suspiciously few
CREATE FUNCTION differences(as_of timestamptz, unit interval) RETURNS bigint LANGUAGE sql AS $$
	SELECT CASE WHEN count(*) < 200 THEN -1 ELSE count(*) FILTER (WHERE ((e.first_at, e.last_at, e.orders, e.frequency, e.recency, e.tenure, e.since_last, e.later)
			IS NOT DISTINCT FROM (a.first_at, a.last_at, a.orders, a.frequency, a.recency, a.tenure, a.since_last, a.later)
		AND abs(e.monetary - a.monetary) <= 1e-9 AND abs(e.refunded - a.refunded) <= 1e-9
		AND (abs(e.mean_value - a.mean_value) <= 1e-9 OR e.mean_value IS NULL AND a.mean_value IS NULL)) IS NOT TRUE) END
	FROM expected(as_of, unit) e
		FULL JOIN (SELECT c, (r).* FROM (SELECT c, rfm(at, amount, as_of, unit) AS r FROM orders GROUP BY c) x WHERE r IS DISTINCT FROM NULL) a USING (c)
$$;
SELECT is(differences('2000-05-20 12:34', unit::interval), 0::bigint, 'rfm(), unit ' || unit)
FROM unnest('{1 day, 7 days, 1 hour, 90 minutes, 1 second, 1 millisecond, 365 days, 0.3 seconds}'::text[]) unit;
SELECT is(differences('2000-02-20', '1 day'), 0::bigint, '... many rows later');
SELECT is(differences('1999-12-20', '1 day'), 0::bigint, '... all before 2000');
SELECT is(array_agg(c ORDER BY c), '{1002,1003}', 'null for who has nothing up to as_of')
FROM (SELECT c FROM orders GROUP BY c HAVING rfm(at, amount, '2000-05-20') IS NOT DISTINCT FROM NULL) x;

-- the same whichever way; monetary and mean_value to the last bit
CREATE TABLE whole AS SELECT c, rfm(at, amount, '2000-05-20') AS r, rfm(at, amount, '2000-05-20', '1 second') AS s,
	interpurchase(at) AS i, interpurchase(at, '1 minute') AS j FROM orders GROUP BY c;
CREATE FUNCTION same(query text, description text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE n bigint; total bigint;
BEGIN
	EXECUTE format('SELECT count(*), count(*) FILTER (WHERE (w.r, w.s, w.i, w.j) IS DISTINCT FROM (q.r, q.s, q.i, q.j)) FROM whole w FULL JOIN (%s) q USING (c)', query)
		INTO total, n;
	RETURN is(array[total, n], array[(SELECT count(*) FROM whole), 0], description);
END $$;
SELECT same($$SELECT c, rfm(at, amount::float8, '2000-05-20') AS r, rfm(at, amount::float8, '2000-05-20', '1 second') AS s,
	interpurchase(at, '24 hours') AS i, interpurchase(at, '60 seconds') AS j FROM orders GROUP BY c$$, 'float8 as numeric');
SELECT same(format($$SELECT c, rfm(at, amount, '2000-05-20' ORDER BY %1$s) AS r, rfm(at, amount, '2000-05-20', '1 second' ORDER BY %1$s) AS s,
	interpurchase(at ORDER BY %1$s) AS i, interpurchase(at, '1 minute' ORDER BY %1$s) AS j FROM orders GROUP BY c$$, o), 'rows by ' || o)
FROM unnest('{at, at DESC, amount, draw(9\,id\,1000000), draw(10\,id\,1000000)}'::text[]) o;
SELECT same(format($$SELECT c, rfm_merge(r%2$s) AS r, rfm_merge(s%2$s) AS s, interpurchase_merge(i%2$s) AS i, interpurchase_merge(j%2$s) AS j
	FROM (SELECT c, %1$s AS part, rfm_partial(at, amount, '2000-05-20') AS r, rfm_partial(at, amount::float8, '2000-05-20', '1 second') AS s,
		interpurchase_partial(at) AS i, interpurchase_partial(at, '1 minute') AS j FROM orders GROUP BY c, part) p GROUP BY c$$, part, o),
	'merged from parts by ' || part || o)
FROM (VALUES ('draw(11, id, 2)', ''), ('draw(12, id, 7)', ''), ('draw(12, id, 7)', ' ORDER BY part'), ('draw(12, id, 7)', ' ORDER BY part DESC'),
	('id', ''), ('id', ' ORDER BY draw(13, part, 1000000)'), ('date_trunc(''month'', at)', ' ORDER BY part DESC'), ('amount > 0', '')) v(part, o);

-- states that are stored, read back and merged
CREATE TABLE stored AS SELECT c, draw(14, id, 3) AS part, rfm_partial(at, amount, '2000-05-20') AS r, rfm_partial(at, amount, '2000-05-20', '1 second') AS s,
	interpurchase_partial(at) AS i, interpurchase_partial(at, '1 minute') AS j FROM orders GROUP BY c, part;
\set merged 'SELECT c, rfm_merge(r) AS r, rfm_merge(s) AS s, interpurchase_merge(i) AS i, interpurchase_merge(j) AS j FROM %s GROUP BY c'
SELECT same(format(:'merged', 'stored'), 'merged from a table');
SELECT same(format(:'merged', '(SELECT c, r::text::rfm_state AS r, s::text::rfm_state AS s, i::text::interpurchase_state AS i, j::text::interpurchase_state AS j FROM stored) t'),
	'... by way of text');
SELECT current_setting('data_directory') AS file \gset
\getenv file PERSONALIZE_TMP
SELECT :'file' || '/rfm_states' AS file \gset
COPY stored TO :'file' (FORMAT binary);
CREATE TABLE read (LIKE stored);
COPY read FROM :'file' (FORMAT binary);
SELECT same(format(:'merged', 'read'), '... by way of binary');
SELECT is(count(*) FILTER (WHERE rfm_state_send(r) = decode(r::text, 'hex') AND interpurchase_state_send(j) = decode(j::text, 'hex')), count(r) FILTER (WHERE j IS NOT NULL),
	'text is binary in hexadecimal') FROM stored;
SELECT is(count(*) FILTER (WHERE a.s::text = b.s::text AND a.j::text = b.j::text), (SELECT count(*) FROM stored WHERE s IS NOT NULL AND j IS NOT NULL), 'what was read writes the same')
FROM stored a JOIN read b USING (c, part);
-- nothing about a state depends on the order but the last bits of its sums
SELECT is(count(DISTINCT i), 1::bigint, 'one state for the same purchases')
FROM (SELECT interpurchase_partial(at ORDER BY at)::text AS i FROM orders UNION ALL SELECT interpurchase_partial(at ORDER BY id)::text FROM orders
	UNION ALL SELECT interpurchase_merge_state FROM (SELECT interpurchase_combine(a, b)::text AS interpurchase_merge_state
		FROM (SELECT interpurchase_partial(at) FILTER (WHERE id % 2 = 0) AS a, interpurchase_partial(at) FILTER (WHERE id % 2 = 1) AS b FROM orders) x) y) z;
-- a support function leaves its arguments as they are
CREATE TABLE two AS SELECT (SELECT s FROM stored WHERE c = 1 AND part = 0) AS a, (SELECT s FROM stored WHERE c = 1 AND part = 1) AS b;
CREATE TABLE two_before AS SELECT a::text AS a, b::text AS b FROM two;
SELECT isnt(rfm_combine(a, b)::text, a::text, 'a combine function called by hand') FROM two;
SELECT is((SELECT (a::text, b::text) FROM two), (SELECT (a, b) FROM two_before), '... does not change what is stored');
SELECT is(rfm_combine(a, NULL)::text, a::text, '... nor with one') FROM two;
SELECT is(rfm_combine(NULL, NULL)::text, NULL, '... nor none');
SELECT is((rfm_final(rfm_add(rfm_add(NULL, '2024-01-01', 1::float8, '2024-01-03'), '2024-01-02', 2::float8, '2024-01-03'))).monetary, 3::float8, 'a transition function called by hand');

-- states that are each as of the end of their day, merged: as of the last day, or as of a given time
CREATE TABLE by_day AS SELECT c, at::date AS day, rfm_partial(at, amount, at::date + interval '1 day') AS s,
	rfm_partial(at, amount, at::date + interval '1 day', '90 minutes') AS t FROM orders WHERE at IS NOT NULL GROUP BY c, at::date;
CREATE TABLE by_day_whole AS SELECT o.c, rfm(at, amount, last) AS s, rfm(at, amount, last, '90 minutes') AS t, rfm(at, amount, '2001-01-01') AS u
FROM orders o JOIN (SELECT c, max(at)::date + interval '1 day' AS last FROM orders WHERE amount IS NOT NULL GROUP BY c) l USING (c) WHERE at IS NOT NULL GROUP BY o.c;
SELECT is(array[count(*) FILTER (WHERE (w.s, w.t, w.u) IS NOT DISTINCT FROM (m.s, m.t, m.u)), count(*)], array[(SELECT count(*) FROM by_day_whole), count(*)], 'days merged, ' || o)
FROM by_day_whole w JOIN (
	SELECT 'by day' AS o, c, rfm_merge(s ORDER BY day) AS s, rfm_merge(t ORDER BY day) AS t, rfm_merge(s, '2001-01-01' ORDER BY day) AS u FROM by_day GROUP BY c
	UNION ALL SELECT 'backwards', c, rfm_merge(s ORDER BY day DESC), rfm_merge(t ORDER BY day DESC), rfm_merge(s, '2001-01-01' ORDER BY day DESC) FROM by_day GROUP BY c
	UNION ALL SELECT 'in any order', c, rfm_merge(s ORDER BY draw(15, day - '1990-01-01', 1000000)), rfm_merge(t ORDER BY draw(16, day - '1990-01-01', 1000000)),
		rfm_merge(s, '2001-01-01' ORDER BY draw(17, day - '1990-01-01', 1000000)) FROM by_day GROUP BY c
	UNION ALL SELECT 'by way of text', c, rfm_merge(s::text::rfm_state), rfm_merge(t::text::rfm_state), rfm_merge(s::text::rfm_state, '2001-01-01') FROM by_day GROUP BY c) m USING (c)
GROUP BY o ORDER BY o;
-- whether states can be merged does not depend on their order either: only those as of the last time may have left out rows
CREATE FUNCTION outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	EXECUTE query INTO result;
	RETURN result;
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN SQLERRM;
END $$;
CREATE TABLE dated AS SELECT x, as_of, later, rfm_partial(at, 1::float8, timestamptz '2024-01-01' + as_of * interval '1 day') AS s
FROM (VALUES (1, 2, 0), (2, 5, 0), (3, 5, 1), (4, 9, 0), (5, 9, 2)) v(x, as_of, later),
	LATERAL (SELECT timestamptz '2024-01-01' UNION ALL SELECT timestamptz '2025-01-01' FROM generate_series(1, later)) r(at) GROUP BY x, as_of, later;
CREATE TABLE picked AS SELECT row_number() OVER () AS p, picks FROM (
	SELECT array[a.x, b.x, c.x] AS picks FROM dated a, dated b, dated c WHERE a.x <> b.x AND b.x <> c.x AND a.x <> c.x) q;
SELECT is(count(*) FILTER (WHERE outcome(format('SELECT (m).orders || '' '' || (m).later || '' '' || (m).tenure FROM (SELECT rfm_merge(s ORDER BY array_position(%L, x)) AS m FROM dated WHERE x = ANY (%1$L)) q', picks)) =
		CASE WHEN early > 0 THEN 'a state that left out rows cannot be taken as of a later time' ELSE '3 ' || late || ' ' || last END), 60::bigint, 'which states can be merged')
FROM picked, LATERAL (SELECT max(as_of) AS last FROM dated WHERE x = ANY (picks)) l,
	LATERAL (SELECT sum(later) FILTER (WHERE as_of < last) AS early, sum(later) FILTER (WHERE as_of = last) AS late FROM dated WHERE x = ANY (picks)) e;
SELECT is(count(*) FILTER (WHERE outcome(format('SELECT (m).orders || '' '' || (m).later || '' '' || (m).tenure FROM (SELECT rfm_merge(s, ''2024-01-06'' ORDER BY array_position(%L, x)) AS m FROM dated WHERE x = ANY (%1$L)) q', picks)) =
		CASE WHEN early > 0 THEN 'a state that left out rows cannot be taken as of a later time' ELSE '3 ' || late || ' 5' END), 60::bigint, '... as of a given time')
FROM picked, LATERAL (SELECT coalesce(sum(later) FILTER (WHERE as_of < 5), 0) AS early, coalesce(sum(later) FILTER (WHERE as_of >= 5), 0) AS late FROM dated WHERE x = ANY (picks)) e;
-- what is stored stays as it is
CREATE TABLE dated_before AS SELECT x, s::text AS s FROM dated;
SELECT is(count(*), 1::bigint, '... of a single state') FROM dated WHERE x = 1 HAVING (rfm_merge(s, '2024-02-01')).tenure = 31;
SELECT is(rfm_combine(NULL, s, '2024-02-01')::text = s::text, false, '... by hand') FROM dated WHERE x = 1;
SELECT is(count(*), 5::bigint, '... which does not change') FROM dated d JOIN dated_before b USING (x) WHERE d.s::text = b.s;

-- one customer with very many periods, in units that need two, four and eight bytes
CREATE TABLE many AS
SELECT x, timestamptz '2000-01-01' + (draw(20, x, 60000) - 20000) * interval '37 minutes' AS at, draw(21, x, 1000)::float8 AS amount FROM generate_series(1, 30000) x;
SELECT is((rfm(at, amount, '2010-01-01', unit::interval)).frequency, count(DISTINCT floor(extract(epoch FROM at) / extract(epoch FROM unit::interval))) - 1,
	'many periods, unit ' || unit || ', ' || o)
FROM (SELECT at, amount, unit, o, row_number() OVER (PARTITION BY unit, o ORDER BY CASE o WHEN 'ascending' THEN at END, CASE o WHEN 'descending' THEN at END DESC,
		CASE o WHEN 'random' THEN x WHEN 'from within' THEN abs(extract(epoch FROM at) - 950000000) END)
	FROM many, unnest('{ascending, descending, random, from within}'::text[]) o, unnest('{1 day, 10 minutes, 1 microsecond}'::text[]) unit OFFSET 0) q
GROUP BY unit, o ORDER BY unit, o;
SELECT is((SELECT rfm_merge(s) FROM (SELECT rfm_partial(at, amount, '2010-01-01', '1 minute') AS s FROM many GROUP BY x % 50) p),
	(SELECT rfm(at, amount, '2010-01-01', '1 minute') FROM many), '... merged');
SELECT is((SELECT rfm_merge(s::text::rfm_state) FROM (SELECT rfm_partial(at, amount, '2010-01-01', '1 minute') AS s FROM many GROUP BY x % 3) p),
	(SELECT rfm(at, amount, '2010-01-01', '1 minute') FROM many), '... by way of text');
SELECT is(array[(i).gaps, (i).mean, (i).median, round((i).sd::numeric, 9), round((i).cv::numeric, 9)]::text, (SELECT array[count(gap), avg(gap), percentile_cont(0.5) WITHIN GROUP (ORDER BY gap),
		round(stddev_samp(gap)::numeric, 9), round((stddev_samp(gap) / avg(gap))::numeric, 9)]::text
	FROM (SELECT period - lag(period) OVER (ORDER BY period) AS gap FROM (SELECT DISTINCT floor(extract(epoch FROM at) / 60)::float8 AS period FROM many) p) g),
	'... and their gaps') FROM (SELECT interpurchase(at, '1 minute') AS i FROM many) x;

-- gaps against plain SQL
SELECT is(count(*), 0::bigint, 'interpurchase() against plain SQL') FROM (
	SELECT c, (i).purchases, (i).gaps, (i).first_at, (i).previous_at, (i).last_at, round((i).mean::numeric, 9) AS mean, (i).median,
		round((i).sd::numeric, 9) AS sd, round((i).cv::numeric, 9) AS cv FROM whole WHERE i IS DISTINCT FROM NULL) a
	FULL JOIN (SELECT c, count(*) AS purchases, count(gap) AS gaps, min(day)::timestamptz AS first_at, (array_agg(day ORDER BY day DESC))[2]::timestamptz AS previous_at,
		max(day)::timestamptz AS last_at, round(avg(gap), 9) AS mean, percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS median,
		round(stddev_samp(gap), 9) AS sd, round(stddev_samp(gap) / avg(gap), 9) AS cv
	FROM (SELECT c, day, day - lag(day) OVER (PARTITION BY c ORDER BY day) AS gap FROM (SELECT DISTINCT c, at::date AS day FROM orders WHERE at IS NOT NULL) d) g GROUP BY c) e
	USING (c) WHERE a IS DISTINCT FROM e;

-- FILTER, and as a window function, whose frame only grows
SELECT is(count(*), 0::bigint, 'FILTER') FROM (SELECT c, rfm(at, amount, '2000-05-20') FILTER (WHERE amount > 50) AS r FROM orders GROUP BY c) a
	FULL JOIN (SELECT c, rfm(at, amount, '2000-05-20') AS r FROM orders WHERE amount > 50 GROUP BY c) b USING (c) WHERE a.r IS DISTINCT FROM b.r;
SELECT is(count(*), 0::bigint, 'as a window function') FROM (
	SELECT c, id, rfm(at, amount, '2000-05-20') OVER (PARTITION BY c ORDER BY id) AS r FROM orders WHERE c BETWEEN 100 AND 120) a
	JOIN (SELECT o.c, o.id, rfm(p.at, p.amount, '2000-05-20') AS r FROM orders o JOIN orders p ON p.c = o.c AND p.id <= o.id
		WHERE o.c BETWEEN 100 AND 120 GROUP BY o.c, o.id) b USING (c, id) WHERE a.r IS DISTINCT FROM b.r;
SELECT is(count(*), 0::bigint, '... with a frame that moves') FROM (
	SELECT c, id, interpurchase(at) OVER (PARTITION BY c ORDER BY id ROWS 3 PRECEDING) AS i,
		array_agg(at) OVER (PARTITION BY c ORDER BY id ROWS 3 PRECEDING) AS ats FROM orders WHERE c BETWEEN 100 AND 120) a
	WHERE i IS DISTINCT FROM (SELECT interpurchase(at) FROM unnest(ats) at);

-- parallel and by partition
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
CREATE FUNCTION explained(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP plan := plan || line || E'\n'; END LOOP;
	RETURN plan;
END $$;
\set all_four 'SELECT c, rfm(at, amount, ''2000-05-20'') AS r, rfm(at, amount, ''2000-05-20'', ''1 second'') AS s, interpurchase(at) AS i, interpurchase(at, ''1 minute'') AS j FROM %s GROUP BY c'
ANALYZE orders;
SELECT matches(explained(format(:'all_four', 'orders')), 'Gather.*Partial', 'a parallel plan');
SELECT same(format(:'all_four', 'orders'), '... gives the same');
SELECT matches(explained($$SELECT rfm(at, amount::float8, '2000-05-20') FROM orders$$), 'Finalize.*Gather.*Partial', 'a parallel plan without groups');
SELECT is((SELECT rfm(at, amount::float8, '2000-05-20') FROM orders), (SELECT rfm(at, amount::float8, '2000-05-20' ORDER BY id) FROM orders), '... gives the same');

SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL enable_partitionwise_aggregate = on;
CREATE TABLE parted (LIKE orders) PARTITION BY HASH (id);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO parted TABLE orders;
ANALYZE parted;
SELECT matches(explained(format(:'all_four', 'parted')), 'Finalize.*Append.*Partial.*Partial.*Partial', 'aggregated by partition');
SELECT same(format(:'all_four', 'parted'), '... gives the same');
-- as_of is compared across the parts, too
CREATE TABLE apart (at timestamptz) PARTITION BY LIST (at);
CREATE TABLE apart_1 PARTITION OF apart FOR VALUES IN ('2024-01-01');
CREATE TABLE apart_2 PARTITION OF apart FOR VALUES IN ('2024-01-02');
INSERT INTO apart VALUES ('2024-01-01'), ('2024-01-02');
SELECT matches(explained('SELECT rfm(at, 1::float8, at) FROM apart'), 'Finalize.*Append.*Partial.*Partial', 'two parts');
SELECT throws_ok('SELECT rfm(at, 1::float8, at) FROM apart', '22023', 'as_of must be the same for all rows of a group', '... of different as_of');
SELECT throws_ok('SELECT rfm_partial(at, 1::float8, at) FROM apart', '22023', 'as_of must be the same for all rows of a group', '... as a partial result');
SELECT throws_ok($$SELECT rfm_merge(rfm_add(NULL, '2024-01-01', 1::float8, '2024-01-01'), at) FROM apart$$, '22023', 'as_of must be the same for all rows of a group', '... merged');
SELECT is((SELECT rfm_merge(rfm_add(NULL, at, 1::float8, at)) FROM apart), (SELECT rfm(at, 1::float8, '2024-01-02') FROM apart), 'parts of different as_of merged');
SELECT is((SELECT rfm_merge(rfm_add(NULL, at, 1::float8, at), '2024-02-01') FROM apart), (SELECT rfm(at, 1::float8, '2024-02-01') FROM apart), '... as of a given time');
CREATE TABLE by_customer (LIKE orders) PARTITION BY HASH (c);
CREATE TABLE by_customer_0 PARTITION OF by_customer FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_customer_1 PARTITION OF by_customer FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO by_customer TABLE orders;
SELECT same(format(:'all_four', 'by_customer'), '... and partitioned by the group');

-- states that no aggregate has written: a checksum tells most of them, and so it is made right here
\ir state_checksum.psql
CREATE FUNCTION forged(fields bytea) RETURNS text LANGUAGE sql AS $$ SELECT encode(fields || state_checksum(fields), 'hex') $$;
CREATE FUNCTION refusal(type text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; detail text; message text;
BEGIN
	EXECUTE format('SELECT %L::%s', value, type);
	RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, detail = PG_EXCEPTION_DETAIL, message = MESSAGE_TEXT;
	RETURN coalesce(nullif(detail, ''), message);
END $$;
-- a state of rfm(), any of whose fields may be replaced
CREATE FUNCTION rfm_fields(unit bigint DEFAULT 86400000000, as_of timestamptz DEFAULT '2000-03-01', later bigint DEFAULT 0,
	refunded float8 DEFAULT 5, refunded_low float8 DEFAULT 0, refund_at bytea DEFAULT timestamptz_send('2000-02-01'), orders bigint DEFAULT 3, first_at timestamptz DEFAULT '2000-01-03', last_at timestamptz DEFAULT '2000-01-31',
	first float8 DEFAULT 1, first_low float8 DEFAULT 0, rest float8 DEFAULT 2, rest_low float8 DEFAULT 0, n bigint DEFAULT 2, periods bytea DEFAULT '\x00000000000000021c', rest_of_it bytea DEFAULT '')
RETURNS bytea LANGUAGE sql AS $$
	SELECT '\xa50101' || int8send(unit) || timestamptz_send(as_of) || int8send(later) || float8send(refunded) || float8send(refunded_low) || refund_at || int8send(orders)
		|| timestamptz_send(first_at) || timestamptz_send(last_at) || float8send(first) || float8send(first_low) || float8send(rest) || float8send(rest_low)
		|| int8send(n) || periods || rest_of_it
$$;
SELECT is(rfm_merge(forged(rfm_fields())::rfm_state), ROW('2000-01-03', '2000-01-31', 3, 1, 28, 58, 30, -2, 2, 5, 0)::rfm_summary, 'a state made by hand');
SELECT is(refusal('rfm_state', forged(fields)), detail, why) FROM (VALUES
	(rfm_fields(unit => 0), 'Its unit is out of range.', 'unit 0'),
	(rfm_fields(unit => -1), 'Its unit is out of range.', 'negative unit'),
	(rfm_fields(unit => 9223372036854775807), 'Its unit is out of range.', 'endless unit'),
	(rfm_fields(as_of => 'infinity'), 'A time is out of range.', 'infinite as_of'),
	(rfm_fields(later => -1), 'A count is negative.', 'negative count'),
	(rfm_fields(orders => -1), 'A count is negative.', 'negative orders'),
	(rfm_fields(refund_at => timestamptz_send('2000-03-01 00:00:00.000001')), 'A refund is later than as_of.', 'a later refund'),
	(rfm_fields(refund_at => timestamptz_send('-infinity')), 'A time is out of range.', 'infinite time of a refund'),
	(rfm_fields(refunded => 0, refund_at => ''), 'taken', 'no refund'),
	(rfm_fields(refunded => 'NaN'), 'A sum is out of range.', 'NaN'),
	(rfm_fields(rest => 'Infinity'), 'A sum is out of range.', 'infinite sum'),
	(rfm_fields(first => -1), 'A sum is out of range.', 'negative sum'),
	(rfm_fields(rest_low => 'NaN'), 'A sum is out of range.', 'NaN below'),
	(rfm_fields(first_low => 2), 'A sum is out of range.', 'more below than above'),
	(rfm_fields(first_at => '-infinity'), 'A time is out of range.', 'infinite first_at'),
	(rfm_fields(last_at => '2000-01-02'), 'Its orders contradict each other.', 'last before first'),
	(rfm_fields(as_of => '2000-01-30', refund_at => timestamptz_send('2000-01-30')), 'Its orders contradict each other.', 'last after as_of'),
	(rfm_fields(first_at => '2000-01-04'), 'Its orders contradict each other.', 'another first period'),
	(rfm_fields(last_at => '2000-01-30'), 'Its orders contradict each other.', 'another last period'),
	(rfm_fields(orders => 1), 'Its orders contradict each other.', 'more periods than orders'),
	(rfm_fields(n => 0, periods => ''), 'Its orders contradict each other.', 'orders without periods'),
	(rfm_fields(last_at => '2000-01-03', n => 1, periods => '\x0000000000000002'), 'Its orders contradict each other.', 'a rest without periods'),
	(rfm_fields(n => -1), 'It counts more periods than it holds.', 'negative count of periods'),
	(rfm_fields(n => 1000000000), 'It counts more periods than it holds.', 'count of periods beyond the end'),
	(rfm_fields(periods => '\x000000000000000200'), 'Its periods do not ascend.', 'a period twice'),
	(rfm_fields(periods => '\x00000000000000029c00'), 'Its periods do not ascend.', 'more digits than needed'),
	(rfm_fields(periods => '\x0000000000000002ffffffffffffffffff01'), 'Its periods do not ascend.', 'a period beyond the last'),
	(rfm_fields(periods => '\x0000000000000002ffffffffffffffffffff01'), 'Its periods do not ascend.', 'endless digits'),
	(rfm_fields(rest_of_it => '\x00'), 'It is longer than its contents.', 'a byte too many'),
	(rfm_fields(orders => 0), 'It is longer than its contents.', 'periods without orders'),
	(substr(rfm_fields(), 1, 60), 'insufficient data left in message', 'cut'),
	(set_byte(rfm_fields(), 1, 2), 'It does not begin as values of this type do.', 'of another type'),
	(set_byte(rfm_fields(), 2, 2), 'Versions up to 1 are.', 'of a later version'),
	(set_byte(rfm_fields(), 2, 0), 'Versions up to 1 are.', 'of no version')) v(fields, detail, why);
SELECT is(refusal('interpurchase_state', forged('\xa50201' || fields)), detail, 'interpurchase: ' || why) FROM (VALUES
	('\x0000000000000000000000000000000100000000000000021c'::bytea, 'Its unit is out of range.', 'unit 0'),
	('\x000000141dd760000000000000000000', 'It holds no purchase.', 'empty'),
	('\x000000141dd7600000000000000000017000000000000000', 'A time is out of range.', 'later than all times'),
	('\x000000141dd760000000000000000001ffffffff00000000', 'A time is out of range.', 'earlier than all times'),
	('\x000000141dd7600000000000000000020000000000000002', 'no data left in message', 'cut'),
	('\x000000141dd76000000000000000000200000000000000021c', 'taken', 'as it should be')) v(fields, detail, why);
-- any byte, flipped
SELECT is(count(*) FILTER (WHERE refusal('rfm_state', encode(set_byte(state, i, get_byte(state, i) # (1 << (i % 8))), 'hex')) = 'taken'), 0::bigint, 'each byte counts')
FROM (SELECT rfm_state_send(s) AS state FROM stored WHERE c = 200 AND part = 0) s, generate_series(0, length(state) - 1) i;
SELECT is(count(*) FILTER (WHERE refusal('rfm_state', encode(substr(state, 1, i), 'hex')) = 'taken'), 0::bigint, '... and the end')
FROM (SELECT rfm_state_send(s) AS state FROM stored WHERE c = 200 AND part = 0) s, generate_series(0, length(state) - 1) i;

-- the size that a group takes
SELECT cmp_ok(pg_column_size(rfm_partial(timestamptz '2024-01-01' + x * interval '5 days', 1::float8, '2025-01-01')), '<=', 128, 'small states for few orders')
FROM generate_series(1, 16) x;

SELECT * FROM finish();
ROLLBACK;
