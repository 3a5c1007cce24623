-- Scores, segments, tiers and classes against plain SQL, however the rows are split, ordered or moved.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = error;
SET LOCAL timezone = 'UTC';

SELECT plan(69);

CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

-- many equal values, negative ones, nulls, and magnitudes from 1e-9 to 1e12
CREATE TABLE c AS
SELECT x AS id, draw(1, x, 7) AS part, CASE WHEN x % 97 <> 0 THEN draw(2, x, 365) END AS recency,
	CASE WHEN x % 89 <> 0 THEN draw(3, x, 12) * draw(4, x, 12) / 11 END AS orders,
	CASE WHEN x % 83 <> 0 THEN (draw(5, x, 3000) - 100) * 10.0 ^ (draw(6, x, 15) - 9) END AS monetary
FROM generate_series(1, 6007) x;
ALTER TABLE c ALTER monetary TYPE float8;
CREATE TABLE ks AS SELECT unnest('{1,2,3,4,5,7,10,64,7001}'::int[]) AS k;

/* rfm_breaks, rfm_score */

-- the definition in whole numbers, and percentile_cont, which rounds i / k
CREATE FUNCTION expected_breaks(v float8[], k int) RETURNS float8[] LANGUAGE sql AS $$
	WITH s AS (SELECT array_agg(x ORDER BY x) AS s, count(*) AS n FROM unnest(v) x WHERE x IS NOT NULL)
	SELECT coalesce(array_agg(CASE WHEN (n - 1) * i % k = 0 THEN s[(n - 1) * i / k + 1]
		ELSE s[(n - 1) * i / k + 1] + (s[(n - 1) * i / k + 2] - s[(n - 1) * i / k + 1]) * (((n - 1) * i % k)::float8 / k) END ORDER BY i), '{}')
	FROM s, generate_series(1, k - 1) i $$;
CREATE FUNCTION near(a float8[], b float8[]) RETURNS boolean LANGUAGE sql AS $$
	SELECT cardinality(a) = cardinality(b) AND coalesce(bool_and(abs(x - y) <= 1e-9 * (abs(x) + abs(y))), true) FROM unnest(a, b) u (x, y) $$;

SELECT ok(bool_and(near(b, e)), 'rfm_breaks of ' || name || ' is what its definition says')
FROM (SELECT name, k, rfm_breaks(v, k) AS b, expected_breaks(array_agg(v), k) AS e
	FROM ks, c, LATERAL (VALUES ('recency', recency::float8), ('orders', orders), ('monetary', monetary)) l (name, v)
	GROUP BY name, k) x GROUP BY name ORDER BY name;
SELECT ok(bool_and(near(b, p)), '... and percentile_cont')
FROM (SELECT k, rfm_breaks(monetary, k) AS b,
		percentile_cont((SELECT array_agg(i::float8 / k) FROM generate_series(1, k - 1) i)) WITHIN GROUP (ORDER BY monetary) AS p
	FROM c, ks WHERE k > 1 GROUP BY k) x;
SELECT is(rfm_breaks(x, 49), (SELECT array_agg(i::float8) FROM generate_series(1, 48) i), 'a break that is a value is that value')
FROM generate_series(0, 49) x;
SELECT is(rfm_breaks(x, 2), '{0}', 'differences may overflow') FROM unnest('{-1.7e308,1.7e308}'::float8[]) x;
SELECT is(rfm_breaks(x, 3)::text, '{0,0}', 'minus zero is zero') FROM unnest('{-0,-0}'::float8[]) x;

SELECT is(rfm_breaks_merge(s), (SELECT rfm_breaks(monetary, 7) FROM c), 'merged in any order, split by any key: ' || what)
FROM (SELECT 'by ' || m AS what, m, rfm_breaks_partial(monetary, 7 ORDER BY draw(m, id, 1000000)) AS s
	FROM c, unnest('{2,13,6007}'::int[]) m GROUP BY m, draw(10, id, m)) x GROUP BY what ORDER BY what;
SELECT is(rfm_breaks_merge(s, 5), (SELECT rfm_breaks(monetary, 5) FROM c), 'a partial result serves another k')
FROM (SELECT rfm_breaks_partial(monetary, 7) AS s FROM c GROUP BY part) x;
SELECT is(rfm_breaks_merge(s, 5), (SELECT rfm_breaks(monetary, 5) FROM c), '... as does one without k, and null is skipped')
FROM (SELECT CASE WHEN part = 3 THEN sample_state_add(NULL, NULL) ELSE s END AS s
	FROM (SELECT part, rfm_breaks_partial(monetary, CASE WHEN part % 2 = 0 THEN 7 ELSE 9 END) AS s FROM c GROUP BY part) y
	UNION ALL SELECT sample_state_add(NULL, monetary) FROM c WHERE part = 3) x;
SELECT is(rfm_breaks_merge(s), NULL, 'nothing merged is null') FROM (SELECT NULL::sample_state AS s) x;

CREATE TABLE states AS SELECT part, rfm_breaks_partial(monetary, 7) AS s FROM c GROUP BY part;
CREATE TABLE before AS SELECT part, s::text AS t FROM states;
SELECT is(rfm_breaks_merge(t::sample_state), (SELECT rfm_breaks(monetary, 7) FROM c), 'through text') FROM before;
SELECT ok(bool_and(t = t::sample_state::text AND decode(t, 'hex') = sample_state_send(t::sample_state)), '... without loss') FROM before;
CREATE TABLE received (part int, s sample_state);
\set tmp .
\getenv tmp PERSONALIZE_TMP
\set file :tmp '/scores.copy'
\set receive '\\copy received FROM ' :file ' (FORMAT binary)'
COPY states TO STDOUT (FORMAT binary) \g :file
:receive
\setenv file :file
\! rm -f "$file"
SELECT results_eq('SELECT part, s::text FROM received ORDER BY 1', 'SELECT part, t FROM before ORDER BY 1', 'through binary');
-- called as plain functions they leave a stored state as it is, with room for more and short enough to lie in the row itself
CREATE TABLE inline AS SELECT rfm_breaks_partial(x, 7) AS s FROM generate_series(1, 12) x;
SELECT ok(rfm_breaks_add(s, 5, 7)::text <> s::text AND rfm_breaks_add_state(s, s, 7)::text <> s::text
	AND sample_state_add(s, 0)::text <> s::text AND sample_state_combine(s, s)::text <> s::text, 'functions return changed states') FROM inline;
SELECT is(rfm_breaks_merge(s, 3), rfm_breaks_merge(s, 3), 'merging a state') FROM inline;
SELECT is(s::text, e, '... leaves it as it was') FROM inline, (SELECT rfm_breaks_partial(x, 7)::text AS e FROM generate_series(1, 12) x) x;

-- a state with any byte changed is refused; so is one that is right but for its k
CREATE FUNCTION refused(state text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM state::sample_state;
	RETURN false;
EXCEPTION WHEN invalid_binary_representation OR feature_not_supported THEN
	RETURN true;
END $$;
\ir state_checksum.psql
CREATE FUNCTION sealed(head int, k int, n bigint, numbers bytea) RETURNS text LANGUAGE sql AS $$
	SELECT encode(d || state_checksum(d), 'hex') FROM (SELECT '\xa5'::bytea || substr(int4send(head), 3) || int4send(k) || int8send(n) || numbers AS d) x $$;
CREATE TABLE small AS SELECT decode(rfm_breaks_partial(x, 5)::text, 'hex') AS s FROM unnest('{1,2.5,-3}'::float8[]) x;
SELECT is(encode(s, 'hex'), sealed(769, 5, 3, float8send(-3) || float8send(1) || float8send(2.5)), 'this test knows the form of a state') FROM small;
SELECT ok(bool_and(refused(encode(set_byte(s, i, get_byte(s, i) # bit), 'hex'))), 'a changed byte is refused')
FROM small, generate_series(0, length(s) - 1) i, unnest('{1,128}'::int[]) bit;
SELECT ok(bool_and(refused(encode(substr(s, 1, i), 'hex'))), '... and a cut one') FROM small, generate_series(0, length(s) - 1) i;
SELECT is(ARRAY[refused(sealed(769, -1, 1, float8send(1))), refused(sealed(769, 32768, 1, float8send(1))), refused(sealed(769, 5, 2, float8send(1))),
	refused(sealed(769, 5, -1, '')), refused(sealed(769, 5, 1, float8send('NaN'))), refused(sealed(769, 5, 1, float8send(1) || '\x00')),
	refused(sealed(769, 5, 0, '')), refused(sealed(769, 32767, 1, float8send(1)))],
	'{t,t,t,t,t,t,f,f}'::boolean[], '... and one that contradicts itself, for all its checksum');
SELECT is(rfm_breaks_merge(sealed(769, 5, 0, '')::sample_state), NULL, 'a state of no numbers is none');

CREATE FUNCTION plan_has(query text, what text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		IF line LIKE '%' || what || '%' THEN RETURN true; END IF;
	END LOOP;
	RETURN false;
END $$;
CREATE TABLE serial AS SELECT part, rfm_breaks(monetary, 5) AS b, behaviour_class('view') AS v,
	behaviour_class(CASE WHEN id % 100 = part THEN 'purchase' WHEN id % 3 = 0 THEN 'search' END) AS v2 FROM c GROUP BY part;
\set query 'SELECT part, rfm_breaks(monetary, 5), behaviour_class(\'view\'), behaviour_class(CASE WHEN id % 100 = part THEN \'purchase\' WHEN id % 3 = 0 THEN \'search\' END) FROM c GROUP BY part'
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
SELECT ok(plan_has(:'query', 'Gather') AND plan_has(:'query', 'Partial'), 'a parallel plan');
SELECT results_eq(:'query' || ' ORDER BY 1', 'SELECT * FROM serial ORDER BY 1', '... agrees with the serial one');
SELECT ok(plan_has('SELECT rfm_breaks_merge(s), rfm_breaks_merge(s, 3) FROM states', 'Partial'), 'a parallel plan of merging');
SELECT results_eq('SELECT rfm_breaks_merge(s), rfm_breaks_merge(s, 3) FROM states', 'SELECT rfm_breaks(monetary, 7), rfm_breaks(monetary, 3) FROM c',
	'... agrees too');
SELECT ok(plan_has('SELECT rfm_segment(part, part, part) FROM c', 'Gather'), 'rfm_segment in workers');
SELECT results_eq('SELECT segment, count(*) FROM (SELECT rfm_segment(part, part, 1) AS segment FROM c) x GROUP BY 1 ORDER BY 1',
	'SELECT segment, count(*) FROM c LEFT JOIN (SELECT * FROM rfm_segments() WHERE m = 1) s ON s.r = part AND s.f = part GROUP BY 1 ORDER BY 1', '... agrees');
SET LOCAL max_parallel_workers_per_gather = 0;

CREATE TABLE split (LIKE c) PARTITION BY HASH (id);
CREATE TABLE split0 PARTITION OF split FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE split1 PARTITION OF split FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE split2 PARTITION OF split FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO split SELECT * FROM c;
ANALYZE split;
SET LOCAL enable_partitionwise_aggregate = on;
SELECT set_config('test.query', replace(:'query', 'FROM c', 'FROM split'), true) <> '' AS set \gset
SELECT ok(plan_has(current_setting('test.query'), 'Partial'), 'partitionwise aggregation');
SELECT results_eq(current_setting('test.query') || ' ORDER BY 1', 'SELECT * FROM serial ORDER BY 1', '... agrees');

SELECT is(rfm_breaks(monetary, 5) FILTER (WHERE part = 2), (SELECT b FROM serial WHERE part = 2), 'FILTER') FROM c;
SELECT ok(bool_and(b = e), 'in a window') FROM (
	SELECT rfm_breaks(orders, 4) OVER (ORDER BY id) AS b, expected_breaks(array_agg(orders::float8) OVER (ORDER BY id), 4) AS e FROM c WHERE id < 80) x;

-- a score is the number of breaks that it is above, so it does not matter who counts
SELECT ok(bool_and(rfm_score(v, b) = (SELECT 1 + count(*) FROM unnest(b) e WHERE e < v)
	AND rfm_score(v, b, true) = k + 1 - rfm_score(v, b)), 'rfm_score counts breaks')
FROM (SELECT k, rfm_breaks(orders, k) AS b FROM c, ks WHERE k < 100 GROUP BY k) x, generate_series(-1, 13) v;

/* rfm_ntile, against the window functions that PostgreSQL has */

CREATE FUNCTION mistakes(v text, k int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
	EXECUTE format($q$
		SELECT count(*) FILTER (WHERE (q1, n1, c1, p1, q2, n2, c2, p2) IS DISTINCT FROM (eq1, en1, ec1, ep1, eq2, en2, ec2, ep2))
			+ CASE WHEN count(q1) > 5000 THEN 0 ELSE 1000000 END
		FROM (SELECT
			rfm_ntile(%1$I, %2$s) OVER w AS q1, rfm_score(%1$I, b) AS eq1,
			rfm_ntile(%1$I, %2$s, true) OVER w AS q2, rfm_score(%1$I, b, true) AS eq2,
			rfm_ntile(%1$I, %2$s, false, 'ntile') OVER w AS n1, CASE WHEN %1$I IS NOT NULL THEN ntile(%2$s) OVER (PARTITION BY %1$I IS NULL ORDER BY %1$I, id DESC) END AS en1,
			rfm_ntile(%1$I, %2$s, true, 'ntile') OVER w AS n2, CASE WHEN %1$I IS NOT NULL THEN ntile(%2$s) OVER (PARTITION BY %1$I IS NULL ORDER BY %1$I DESC, id DESC) END AS en2,
			rfm_ntile(%1$I, %2$s, false, 'cume_dist') OVER w AS c1, CASE WHEN %1$I IS NOT NULL THEN ceil(count(*) OVER up * %2$s::numeric / n)::int END AS ec1,
			rfm_ntile(%1$I, %2$s, true, 'cume_dist') OVER w AS c2, CASE WHEN %1$I IS NOT NULL THEN ceil(count(*) OVER down * %2$s::numeric / n)::int END AS ec2,
			rfm_ntile(%1$I, %2$s, false, 'percent_rank') OVER w AS p1, CASE WHEN %1$I IS NOT NULL THEN least(%2$s, 1 + floor((rank() OVER up - 1) * %2$s::numeric / (n - 1)))::int END AS ep1,
			rfm_ntile(%1$I, %2$s, true, 'percent_rank') OVER w AS p2, CASE WHEN %1$I IS NOT NULL THEN least(%2$s, 1 + floor((rank() OVER down - 1) * %2$s::numeric / (n - 1)))::int END AS ep2
			FROM c, (SELECT rfm_breaks(%1$I, %2$s) AS b, count(%1$I) AS n FROM c) x
			WINDOW w AS (ORDER BY id DESC), up AS (PARTITION BY %1$I IS NULL ORDER BY %1$I), down AS (PARTITION BY %1$I IS NULL ORDER BY %1$I DESC)) y $q$, v, k) INTO n;
	RETURN n;
END $$;
SELECT is(mistakes(v, k), 0::bigint, 'rfm_ntile(' || v || ', ' || k || ') by all four rules, both ways')
FROM unnest('{recency,orders,monetary}'::text[]) v, unnest('{1,5,11,101}'::int[]) k ORDER BY v, k;
SELECT ok(bool_and(abs(100 * ceil(cume_dist * 5) - 100 * s) < 1), '... and cume_dist() itself')
FROM (SELECT cume_dist() OVER (ORDER BY orders), rfm_ntile(orders, 5, false, 'cume_dist') OVER () AS s FROM c WHERE orders IS NOT NULL) x;
-- where the lowest value is frequent, quantile, the default, calls it 1, and cume_dist does not
SELECT is((min(q), min(c)), (1, 2), 'the lowest score') FROM (
	SELECT rfm_ntile(orders, 5) OVER () AS q, rfm_ntile(orders, 5, ties => 'cume_dist') OVER () AS c FROM c WHERE orders IS NOT NULL) x;
SELECT is(max(n), 1::bigint, 'equal values, equal scores')
FROM (SELECT count(DISTINCT s) AS n FROM (SELECT orders, rfm_ntile(orders, 5) OVER (ORDER BY id) AS s FROM c WHERE orders IS NOT NULL) x GROUP BY orders) y;
SET LOCAL work_mem = '64kB';
SELECT is(mistakes('monetary', 5), 0::bigint, 'a partition that does not fit in work_mem');
RESET work_mem;
SELECT ok(bool_and(a = b), 'numeric, and partitions') FROM (
	SELECT rfm_ntile(monetary::numeric, 3) OVER (PARTITION BY part) AS a, rfm_score(monetary, rfm_breaks(monetary, 3) OVER (PARTITION BY part)) AS b FROM c
	WHERE monetary IS NOT NULL) x;

/* value_tier */

SELECT is(count(*) FILTER (WHERE (tier, tiers) IS DISTINCT FROM
	(CASE WHEN monetary IS NULL THEN NULL WHEN share < 0.8 THEN 'A' WHEN share < 0.95 THEN 'B' ELSE 'C' END,
	CASE WHEN monetary IS NULL THEN NULL WHEN share < 0.25 THEN 'A' WHEN share < 0.5 THEN 'B' WHEN share < 0.999 THEN 'C' WHEN share < 1 THEN 'D' ELSE 'E' END)), 0::bigint,
	'value_tier by exact sums: ' || count(DISTINCT tier) || ' and ' || count(DISTINCT tiers) || ' tiers')
FROM (SELECT id, monetary, value_tier(monetary) OVER (ORDER BY id) AS tier, value_tier(monetary, '{0.25,0.5,0.999,1}') OVER (ORDER BY id) AS tiers,
		CASE WHEN monetary <= 0 THEN 1 ELSE coalesce(sum(greatest(monetary::numeric, 0)) OVER (ORDER BY monetary DESC NULLS LAST, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
			/ sum(greatest(monetary::numeric, 0)) OVER () END AS share
	FROM c WHERE monetary IS NULL OR abs(monetary) > 1) x;
SELECT ok(min(n) > 0 AND count(*) = 5, '... all of which have customers')
FROM (SELECT tier, count(*) AS n FROM (SELECT value_tier(monetary, '{0.25,0.5,0.999,1}') OVER () AS tier FROM c WHERE monetary IS NOT NULL) x GROUP BY tier) y;

/* rule sets */

CREATE FUNCTION looked_up(set_name text, r int, f int, m int) RETURNS text LANGUAGE sql AS $$
	SELECT segment FROM rfm_rule WHERE ruleset = set_name AND r BETWEEN r_min AND r_max AND f BETWEEN f_min AND f_max AND m BETWEEN m_min AND m_max
	ORDER BY priority LIMIT 1 $$;
INSERT INTO rfm_rule SELECT 'random' || s, x, 'segment ' || draw(20, x + 50 * s, 5), least(a[1], a[2]), greatest(a[1], a[2]), least(a[3], a[4]), greatest(a[3], a[4]),
	least(a[5], a[6]), greatest(a[5], a[6])
FROM generate_series(1, 3) s, generate_series(-4, 15) x, LATERAL (SELECT array_agg(1 + draw(21, s * 7919 + x * 31 + i, 3 + s)) AS a FROM generate_series(1, 6) i) l;
CREATE TABLE scores AS SELECT ruleset, r, f, m
FROM (SELECT ruleset, max(greatest(r_max, f_max, m_max)) AS scale FROM rfm_rule GROUP BY ruleset) x,
	generate_series(1, scale) r, generate_series(1, scale) f, generate_series(1, scale) m;
CREATE TABLE unfolded AS SELECT * FROM (SELECT DISTINCT ruleset FROM rfm_rule) x, rfm_segments(ruleset);
SELECT is(count(*) FILTER (WHERE (looked_up(ruleset, r, f, m), rfm_segment(r, f, m, ruleset)) IS DISTINCT FROM (segment, segment)), 0::bigint,
	'five rule sets, ' || count(*) || ' scores, ' || count(*) - count(segment) || ' without a segment')
FROM scores FULL JOIN unfolded USING (ruleset, r, f, m);
SELECT set_eq('SELECT ruleset, r, f, m FROM unfolded', 'SELECT * FROM scores', 'all scores of their scales');
SELECT results_eq($$SELECT r, f, m FROM rfm_ruleset_gaps('random2') ORDER BY 1, 2, 3$$,
	$$SELECT r, f, m FROM generate_series(1, 5) r, generate_series(1, 5) f, generate_series(1, 5) m WHERE looked_up('random2', r, f, m) IS NULL ORDER BY 1, 2, 3$$,
	'gaps are gaps');
SELECT is(array_agg(rfm_segment(5, 5, 1, ruleset) ORDER BY ruleset), '{Champions,Others}', 'sets of several names in one query')
FROM unnest('{rf25,rfm10}'::text[]) ruleset, generate_series(1, 1);

-- a call site that lives on sees every change of the rules
CREATE FUNCTION seen(OUT result text[]) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 7 LOOP
		IF i = 2 THEN INSERT INTO rfm_rule (ruleset, priority, segment) VALUES ('live', 5, 'inserted'); END IF;
		IF i = 3 THEN UPDATE rfm_rule SET segment = 'updated' WHERE ruleset = 'live' AND priority = 5; END IF;
		IF i = 5 THEN
			BEGIN
				INSERT INTO rfm_rule (ruleset, priority, segment) VALUES ('live', 1, 'rolled back');
				RAISE division_by_zero;
			EXCEPTION WHEN division_by_zero THEN NULL;
			END;
		END IF;
		IF i = 7 THEN DELETE FROM rfm_rule WHERE ruleset = 'live' AND priority = 5; END IF;
		result := result || rfm_segment(1, 1, 1, 'live');
	END LOOP;
END $$;
INSERT INTO rfm_rule (ruleset, priority, segment) VALUES ('live', 9, 'first');
SELECT is(seen(), '{first,inserted,updated,updated,updated,updated,first}', 'changes between calls');
CREATE FUNCTION seen_within(OUT result text[]) LANGUAGE plpgsql AS $$
DECLARE done boolean := false;
BEGIN
	FOR i IN 1 .. 2 LOOP
		BEGIN
			IF i = 1 THEN
				INSERT INTO rfm_rule (ruleset, priority, segment) VALUES ('live', 1, 'rolled back');
				-- a later transaction that ends before
				BEGIN
					INSERT INTO rfm_rule (ruleset, priority, segment) VALUES ('live', 0, 'twice');
					RAISE division_by_zero;
				EXCEPTION WHEN division_by_zero THEN NULL;
				END;
			END IF;
			FOR j IN 1 .. 2 LOOP
				result := result || rfm_segment(1, 1, 1, 'live');
				IF i = 1 AND j = 2 THEN RAISE division_by_zero; END IF;
			END LOOP;
		EXCEPTION WHEN division_by_zero THEN NULL;
		END;
	END LOOP;
END $$;
SELECT is(seen_within(), '{"rolled back","rolled back",first,first}', 'a change that is rolled back');
SELECT throws_ok($$INSERT INTO rfm_rule SELECT 'rfm10', -priority, segment FROM rfm_rule WHERE ruleset = 'rf25'$$, '55000', NULL, 'sets of the extension are not changed');

/* behaviour_class */

CREATE TABLE e AS SELECT draw(30, x, 400) AS visitor, (ARRAY['view', 'view', 'view', 'search', 'add_to_cart', 'checkout_start', 'purchase', 'login', NULL])[1 + draw(31, x, 9) * draw(32, x, 9) / 9] AS event
FROM generate_series(1, 1200) x;
SELECT is(count(*) FILTER (WHERE (class, named, merged) IS DISTINCT FROM (expected, expected, expected)), 0::bigint, 'behaviour_class by rank: ' || count(DISTINCT class) || ' classes')
FROM (SELECT behaviour_class(event) AS class, behaviour_class(upper(event), '{VIEW,SEARCH,ADD_TO_CART,CHECKOUT_START,PURCHASE}') AS named,
		(SELECT behaviour_class_merge(s) FROM (SELECT behaviour_class_partial(event) AS s FROM e e2 WHERE e2.visitor = e.visitor GROUP BY event) p) AS merged,
		CASE WHEN bool_or(event = 'purchase') THEN 'purchaser' WHEN bool_or(event = 'checkout_start') THEN 'checkout_abandoner' WHEN bool_or(event = 'add_to_cart') THEN 'cart_abandoner'
			WHEN bool_or(event = 'search') THEN 'searcher' WHEN bool_or(event = 'view') THEN 'browser' END AS expected
	FROM e GROUP BY visitor) x;

/* segment_report */

SELECT set_config('test.query', 'SELECT CASE part WHEN 0 THEN NULL ELSE ''part '' || part END AS segment, abs(orders) AS orders, monetary, recency::real AS lifetime_value FROM c', true) <> '' AS set \gset
SELECT results_eq($$SELECT segment, customers, round(share::numeric, 9), round(revenue::numeric, 3), round(revenue_share::numeric, 9), round(average_order_value::numeric, 3),
		round(frequency::numeric, 9), round(lifetime_value::numeric, 3) FROM segment_report(current_setting('test.query'))$$,
	$$SELECT segment, count(*), round(count(*) / 6007.0, 9), round(sum(monetary)::numeric, 3), round((sum(monetary) / (SELECT sum(monetary) FROM c))::numeric, 9),
		round((sum(monetary) / sum(orders))::numeric, 3), round(sum(orders) / count(*)::numeric, 9), round(avg(lifetime_value)::numeric, 3)
	FROM (SELECT CASE part WHEN 0 THEN NULL ELSE 'part ' || part END AS segment, orders, monetary, recency AS lifetime_value FROM c) x GROUP BY segment ORDER BY sum(monetary) DESC$$,
	'segment_report by plain SQL');
SELECT ok(abs(sum(share) - 1) < 1e-12 AND abs(sum(revenue_share) - 1) < 1e-12, 'shares add up') FROM segment_report(current_setting('test.query'));
CREATE DOMAIN euros AS numeric CHECK (value > -1e15);
SELECT is(revenue, 2.5::float8, 'a domain over a number is a number') FROM segment_report('SELECT ''x''::varchar AS segment, 1::int2 AS orders, 2.5::euros AS monetary');
-- it runs with the rights of its caller, and its text cannot leave its place
CREATE ROLE personalize_test_reporter;
GRANT USAGE ON SCHEMA personalize TO personalize_test_reporter;
SET LOCAL ROLE personalize_test_reporter;
SELECT throws_ok($$SELECT * FROM personalize.segment_report('SELECT part AS segment, orders, monetary FROM public.c')$$, '42501', NULL, 'a table that the caller may not read');
RESET ROLE;
SELECT is(customers, 1::bigint, 'a comment at the end, and a semicolon after it') FROM segment_report(E'SELECT 1 AS segment, 1 AS orders, 1 AS monetary -- all\n ; -- done');

-- nor does it matter whose names are found first
CREATE SCHEMA shadows;
SELECT set_config('test.german', (SELECT collname FROM pg_collation WHERE collname = 'de-x-icu'), true) IS NOT NULL AS german \gset
\if :german
CREATE COLLATION shadows."C" FROM "de-x-icu";
SET LOCAL search_path = shadows, pg_catalog, public, personalize;
SELECT is((SELECT string_agg(segment, '') FROM segment_report('SELECT unnest(''{b,B,a}''::text[]) AS segment, 1 AS orders, 1 AS monetary')), 'Bab',
	'a collation that is called "C" too');
INSERT INTO rfm_rule (ruleset, priority, segment) VALUES ('a', 1, 'all'), ('B', 1, 'all');
CREATE FUNCTION hint_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
	EXECUTE query;
	RETURN NULL;
EXCEPTION WHEN undefined_object THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END $$;
SELECT matches(hint_of($$SELECT rfm_segment(1, 1, 1, 'none')$$), 'There are: B, a, ', '... nor in the list of sets');
SET LOCAL search_path = public, personalize;
\else
SELECT skip('no ICU', 2);
\endif

SELECT * FROM finish();
ROLLBACK;
