-- group_fairness(), exposure(), gini() and concentration(): against plain SQL, in parts, in any order, as stored states.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(50);

CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

-- names of one byte, of many, of none, and such as begin alike; some columns unknown
CREATE TABLE shown (id int, grp text, selected boolean, label boolean, rank int, relevance float8);
INSERT INTO shown
SELECT x, CASE draw(1, x, 12) WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'Zürich' WHEN 3 THEN repeat('x', 300) WHEN 4 THEN repeat('x', 299)
		ELSE 'g' || sqrt(draw(2, x, 400))::int END,
	CASE WHEN draw(3, x, 50) > 0 THEN draw(4, x, 7) < 2 + draw(1, x, 12) % 3 END,
	CASE WHEN draw(5, x, 9) > 0 THEN draw(6, x, 3) = 0 END,
	CASE WHEN draw(7, x, 60) > 0 THEN 1 + draw(8, x, 100) END,
	CASE WHEN draw(9, x, 10) > 0 THEN draw(10, x, 1000) / 7.0 END
FROM generate_series(1, 20000) x;

-- ---- against plain SQL ----

CREATE VIEW rates AS
SELECT grp, count(*) AS n, count(*) FILTER (WHERE selected) AS selected, avg(selected::int)::float8 AS rate,
	count(*) FILTER (WHERE label) AS positives, count(*) FILTER (WHERE NOT label) AS negatives,
	(avg(selected::int) FILTER (WHERE label))::float8 AS tpr, (avg(selected::int) FILTER (WHERE NOT label))::float8 AS fpr
FROM shown WHERE grp IS NOT NULL AND selected IS NOT NULL GROUP BY grp;
CREATE TABLE fair AS SELECT (group_fairness(grp, selected, label)).* FROM shown;
SELECT results_eq('SELECT g.* FROM fair, unnest(groups) g', 'SELECT * FROM rates ORDER BY grp COLLATE "C"', 'groups, by name');
SELECT is((demographic_parity_difference, demographic_parity_ratio, equal_opportunity_difference, equalized_odds_difference, four_fifths)::text,
	(SELECT (max(rate) - min(rate), min(rate) / max(rate), max(tpr) - min(tpr), greatest(max(tpr) - min(tpr), max(fpr) - min(fpr)), min(rate) >= 0.8 * max(rate))::text FROM rates),
	'differences and ratio') FROM fair;
SELECT is((SELECT count(*) FROM rates), 25::bigint, 'there are many groups');
SELECT is(group_fairness(grp, selected), group_fairness(grp, selected, NULL), 'without labels') FROM shown;

CREATE VIEW exposed AS
SELECT grp, count(*) AS items, sum(1 / log(2, 1 + rank)) AS exposure, sum(1 / log(2, 1 + rank)) / sum(sum(1 / log(2, 1 + rank))) OVER () AS share,
	avg(1 / log(2, 1 + rank)) AS mean_exposure, avg(relevance::numeric) AS mean_relevance, avg(1 / log(2, 1 + rank)) / avg(relevance::numeric) AS per_relevance
FROM shown WHERE grp IS NOT NULL AND rank IS NOT NULL GROUP BY grp;
CREATE TABLE exposures AS SELECT (exposure(grp, rank, relevance)).* FROM shown;
SELECT is_empty($$ SELECT * FROM (SELECT g.* FROM exposures, unnest(groups) g) g FULL JOIN exposed e USING (grp)
	WHERE (g.items = e.items AND abs(g.exposure / e.exposure - 1) < 1e-12 AND abs(g.share / e.share - 1) < 1e-12 AND abs(g.mean_exposure / e.mean_exposure - 1) < 1e-12
		AND abs(g.mean_relevance / e.mean_relevance - 1) < 1e-12 AND abs(exposure_per_relevance / per_relevance - 1) < 1e-12) IS NOT TRUE $$, 'exposure of groups');
SELECT ok(abs(parity_ratio / (SELECT min(mean_exposure) / max(mean_exposure) FROM exposed) - 1) < 1e-12
	AND abs(treatment_ratio / (SELECT min(per_relevance) / max(per_relevance) FROM exposed) - 1) < 1e-12, 'ratios of exposure') FROM exposures;
SELECT is((SELECT array_agg(g.grp) FROM exposures, unnest(groups) g), (SELECT array_agg(grp ORDER BY grp COLLATE "C") FROM exposed), 'groups by name');

CREATE VIEW spread AS
SELECT count(*) AS n, sum((2 * i - n - 1) * v) / (n * sum(v)) AS gini, -sum(CASE WHEN v > 0 THEN v / total * ln(v / total) ELSE 0 END) AS entropy, sum((v / total) ^ 2) AS hhi, avg((v > 0)::int) AS coverage
FROM (SELECT relevance::numeric AS v, row_number() OVER (ORDER BY relevance) AS i, count(*) OVER () AS n, sum(relevance::numeric) OVER () AS total FROM shown WHERE relevance IS NOT NULL) s GROUP BY n;
SELECT ok(abs(c.gini / s.gini - 1) < 1e-12 AND abs(c.entropy / s.entropy - 1) < 1e-12 AND abs(c.hhi / s.hhi - 1) < 1e-12 AND abs(c.coverage / s.coverage - 1) < 1e-12 AND items = n, 'concentration')
FROM spread s, (SELECT (concentration(relevance)).* FROM shown) c;
SELECT is((SELECT gini(relevance) FROM shown), (SELECT (concentration(relevance)).gini FROM shown), 'gini alone');

-- ---- any order, any split ----

CREATE TABLE whole AS
SELECT group_fairness(grp, selected, label) AS fairness, exposure(grp, rank, relevance) AS exposure, gini(relevance) AS gini, concentration(relevance) AS concentration FROM shown;
CREATE FUNCTION same(t text) RETURNS text LANGUAGE sql AS
$$ SELECT CASE WHEN t = (SELECT w::text FROM whole w) THEN 'same' ELSE t END $$;

SELECT is(same((SELECT s::text FROM (SELECT group_fairness(grp, selected, label), exposure(grp, rank, relevance), gini(relevance), concentration(relevance)
	FROM (SELECT * FROM shown ORDER BY draw(seed, id, 1000000)) o) s)), 'same', 'in another order: ' || seed) FROM generate_series(20, 23) seed;

CREATE TABLE parts AS
SELECT seed, part, group_fairness_partial(grp, selected, label) AS fairness, exposure_partial(grp, rank, relevance) AS exposure, gini_partial(relevance) AS gini, concentration_partial(relevance) AS concentration
FROM shown, generate_series(30, 33) seed, LATERAL (SELECT draw(seed, id, (ARRAY[2, 7, 100, 3000])[seed - 29])) p(part) GROUP BY seed, part;
SELECT is(same((SELECT s::text FROM (SELECT group_fairness_merge(fairness), exposure_merge(exposure), gini_merge(gini), concentration_merge(concentration)
	FROM parts WHERE parts.seed = s.seed) s)), 'same', 'in parts: ' || seed) FROM generate_series(30, 33) s(seed);
-- parts of parts: a merge is a partial as well
SELECT is(same((SELECT s::text FROM (SELECT group_fairness_final(group_fairness_combine(f1, f2)), exposure_final(exposure_combine(e1, e2)), gini_final(sample_state_combine(g1, g2)), concentration_final(sample_state_combine(g2, g1))
	FROM (SELECT max(fairness::text) FILTER (WHERE part = 0)::group_fairness_state AS f1, max(fairness::text) FILTER (WHERE part = 1)::group_fairness_state AS f2,
		max(exposure::text) FILTER (WHERE part = 0)::exposure_state AS e1, max(exposure::text) FILTER (WHERE part = 1)::exposure_state AS e2,
		max(gini::text) FILTER (WHERE part = 0)::sample_state AS g1, max(gini::text) FILTER (WHERE part = 1)::sample_state AS g2 FROM parts WHERE seed = 30) p) s)), 'same', 'combined by hand');

-- arguments of a combine function stay as they are
CREATE FUNCTION unchanged() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	a parts; b parts; before text; combined text;
BEGIN
	SELECT * INTO a FROM parts WHERE (seed, part) = (30, 0);
	SELECT * INTO b FROM parts WHERE (seed, part) = (30, 1);
	before := a::text || b::text;
	combined := group_fairness_combine(a.fairness, b.fairness)::text || exposure_combine(a.exposure, b.exposure)::text || group_fairness_final(a.fairness)::text || gini_final(a.gini)::text;
	RETURN before = a::text || b::text AND strpos(combined, a.fairness::text) = 0;
END $$;
SELECT ok(unchanged(), 'states are not changed by functions that read them');

SELECT is((group_fairness_merge(s), exposure_merge(NULL), gini_merge(NULL))::text, '(,,)', 'nothing to merge') FROM (VALUES (NULL::group_fairness_state)) v(s);
SELECT is((group_fairness_combine(NULL, fairness)::text = fairness::text, group_fairness_combine(fairness, NULL)::text = fairness::text,
	exposure_combine(NULL, exposure)::text = exposure::text, exposure_combine(exposure, NULL)::text = exposure::text,
	group_fairness_combine(NULL, NULL) IS NULL, exposure_combine(NULL, NULL) IS NULL)::text, '(t,t,t,t,t,t)', 'one side empty') FROM parts WHERE (seed, part) = (31, 3);

-- ---- as text and in binary ----

SELECT is(same((SELECT s::text FROM (SELECT group_fairness_merge(fairness::text::group_fairness_state), exposure_merge(exposure::text::exposure_state), gini_merge(gini::text::sample_state), concentration_merge(concentration::text::sample_state)
	FROM parts WHERE seed = 31) s)), 'same', 'through text');
CREATE TABLE returned (LIKE parts);
DO $$
DECLARE
	file text := current_setting('data_directory') || '/fairness.states';
BEGIN
	EXECUTE format('COPY parts TO %L (FORMAT binary)', file);
	EXECUTE format('COPY returned FROM %L (FORMAT binary)', file);
	EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'rm -f ''' || file || '''');
END $$;
SELECT results_eq('SELECT seed, part, fairness::text, exposure::text FROM returned ORDER BY 1, 2', 'SELECT seed, part, fairness::text, exposure::text FROM parts ORDER BY 1, 2', 'through COPY BINARY');
SELECT is(encode(group_fairness_state_send(fairness), 'hex') || encode(exposure_state_send(exposure), 'hex'), fairness::text || exposure::text, 'text is binary in hexadecimal') FROM parts WHERE (seed, part) = (30, 1);
SELECT is(group_fairness_partial(grp, selected, label ORDER BY id)::text, group_fairness_partial(grp, selected, label ORDER BY id DESC)::text, 'equal states have one form') FROM shown;

-- ---- malformed states ----

-- a form with another body under a right checksum (CRC-32C)
\ir state_checksum.psql
CREATE FUNCTION signed(body bytea) RETURNS text LANGUAGE sql AS $$ SELECT encode(body || state_checksum(body), 'hex') $$;
CREATE FUNCTION head(kind int, groups int) RETURNS bytea LANGUAGE sql AS $$ SELECT '\xa5'::bytea || set_byte('\x00', 0, kind) || '\x01'::bytea || int4send(groups) $$;
CREATE FUNCTION fairness_group(key bytea, VARIADIC counts bigint[]) RETURNS bytea LANGUAGE sql AS
$$ SELECT int4send(length(key)) || key || string_agg(int8send(c), '' ORDER BY i) FROM unnest(counts) WITH ORDINALITY u(c, i) $$;
CREATE FUNCTION exposure_group(key bytea, items bigint, rated bigint, VARIADIC sums float8[]) RETURNS bytea LANGUAGE sql AS
$$ SELECT int4send(length(key)) || key || int8send(items) || int8send(rated) || string_agg(float8send(s), '' ORDER BY i) FROM unnest(sums) WITH ORDINALITY u(s, i) $$;

SELECT is(signed(head(9, 1) || fairness_group('a', 3, 2, 1, 1, 1, 0))::group_fairness_state::text,
	(SELECT group_fairness_partial('a', s, l)::text FROM (VALUES (true, true), (false, false), (true, NULL)) v(s, l)), 'a form made by hand is that of the aggregate');
SELECT is(signed(head(10, 1) || exposure_group('a', 1, 1, 1, 0, 2.5, 0))::exposure_state::text, exposure_partial('a', 1, 2.5)::text, 'and for exposure');
SELECT is(group_fairness_merge(signed(head(9, 0))::group_fairness_state), NULL, 'a state without groups');

CREATE TABLE malformed (type text, what text, body bytea);
INSERT INTO malformed VALUES
	('group_fairness_state', 'a negative number of groups', head(9, -1)),
	('group_fairness_state', 'more groups than there are', head(9, 2) || fairness_group('a', 3, 2, 1, 1, 1, 0)),
	('group_fairness_state', 'a thousand million groups', head(9, 1000000000)),
	('group_fairness_state', 'fewer groups than there are', head(9, 0) || fairness_group('a', 3, 2, 1, 1, 1, 0)),
	('group_fairness_state', 'a group twice', head(9, 2) || fairness_group('a', 3, 2, 1, 1, 1, 0) || fairness_group('a', 3, 2, 1, 1, 1, 0)),
	('group_fairness_state', 'a key of negative length', head(9, 1) || int4send(-1) || fairness_group('a', 3, 2, 1, 1, 1, 0)),
	('group_fairness_state', 'a key longer than the rest', head(9, 1) || int4send(1000) || fairness_group('a', 3, 2, 1, 1, 1, 0)),
	('group_fairness_state', 'nobody in a group', head(9, 1) || fairness_group('a', 0, 0, 0, 0, 0, 0)),
	('group_fairness_state', 'more selected than there are', head(9, 1) || fairness_group('a', 3, 4, 1, 1, 1, 0)),
	('group_fairness_state', 'a negative count', head(9, 1) || fairness_group('a', 3, 2, -1, -1, 1, 0)),
	('group_fairness_state', 'more labels than rows', head(9, 1) || fairness_group('a', 3, 2, 2, 1, 2, 1)),
	('group_fairness_state', 'more selected of a label than have it', head(9, 1) || fairness_group('a', 3, 2, 1, 2, 1, 0)),
	('group_fairness_state', 'more selected of the labels than in all', head(9, 1) || fairness_group('a', 3, 1, 1, 1, 1, 1)),
	('group_fairness_state', 'fewer rows than selected without a label', head(9, 1) || fairness_group('a', 3, 3, 2, 1, 1, 1)),
	('group_fairness_state', 'counts that overflow', head(9, 1) || fairness_group('a', 9223372036854775807, 1, 9223372036854775807, 1, 9223372036854775807, 0)),
	('exposure_state', 'another kind', head(9, 1) || exposure_group('a', 1, 1, 1, 0, 2.5, 0)),
	('exposure_state', 'no items', head(10, 1) || exposure_group('a', 0, 0, 1, 0, 0, 0)),
	('exposure_state', 'no exposure', head(10, 1) || exposure_group('a', 1, 1, 0, 0, 2.5, 0)),
	('exposure_state', 'more exposure than first places', head(10, 1) || exposure_group('a', 1, 1, 1.5, 0, 2.5, 0)),
	('exposure_state', 'negative exposure', head(10, 1) || exposure_group('a', 1, 1, -1, 0, 2.5, 0)),
	('exposure_state', 'exposure not a number', head(10, 1) || exposure_group('a', 1, 1, 'NaN', 0, 2.5, 0)),
	('exposure_state', 'a remainder not a number', head(10, 1) || exposure_group('a', 1, 1, 1, 'NaN', 2.5, 0)),
	('exposure_state', 'a remainder larger than the sum', head(10, 1) || exposure_group('a', 1, 1, 0.5, -0.4, 2.5, 0)),
	('exposure_state', 'infinite relevance', head(10, 1) || exposure_group('a', 1, 1, 1, 0, 'Infinity', 0)),
	('exposure_state', 'negative relevance', head(10, 1) || exposure_group('a', 1, 1, 1, 0, -2.5, 0)),
	('exposure_state', 'more rated than items', head(10, 1) || exposure_group('a', 1, 2, 1, 0, 2.5, 0)),
	('exposure_state', 'relevance of none', head(10, 1) || exposure_group('a', 1, 0, 1, 0, 2.5, 0)),
	('exposure_state', 'more than its groups', head(10, 1) || exposure_group('a', 1, 1, 1, 0, 2.5, 0) || '\x00'),
	('exposure_state', 'less than its group', head(10, 1) || substr(exposure_group('a', 1, 1, 1, 0, 2.5, 0), 1, 50)),
	('exposure_state', 'a key that is no text', head(10, 1) || exposure_group('\xff', 1, 1, 1, 0, 2.5, 0)),
	('exposure_state', 'a zero byte', head(10, 1) || exposure_group('\x00', 1, 1, 1, 0, 2.5, 0));

CREATE FUNCTION state_of_error(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is_empty($$ SELECT what, e FROM malformed, LATERAL state_of_error(format('SELECT %L::%s', signed(body), type)) e WHERE e NOT IN ('22P03', '22021', '08P01') $$, 'what cannot be is refused');
SELECT is(state_of_error(format('SELECT %L::group_fairness_state', signed(set_byte(head(9, 0), 2, 2)))), '0A000', 'a later version');
CREATE FUNCTION flips(type text, form text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT state_of_error(format('SELECT %L::%s', encode(set_byte(b, i, get_byte(b, i) # 4), 'hex'), type)) FROM decode(form, 'hex') b, generate_series(0, length(b) - 1) i $$;
SELECT is_empty($$ SELECT f FROM (SELECT flips('group_fairness_state', fairness::text) FROM parts WHERE (seed, part) = (32, 5)) s(f) WHERE f NOT IN ('22P03', '0A000') $$, 'any byte changed is refused');
SELECT is_empty($$ SELECT f FROM (SELECT flips('exposure_state', exposure::text) FROM parts WHERE (seed, part) = (32, 5)) s(f) WHERE f NOT IN ('22P03', '0A000') $$, 'any byte changed is refused, of exposure too');
SELECT throws_ok($$ SELECT ''::exposure_state $$, '22P03', 'invalid value of type exposure_state');
SELECT throws_ok($$ SELECT 'xy'::exposure_state $$, '22P02', 'invalid input syntax for type exposure_state');

-- ---- in plans ----

CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text; lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP lines := lines || line || E'\n'; END LOOP;
	RETURN lines;
END $$;
CREATE FUNCTION over_table(name text) RETURNS text LANGUAGE sql AS
$$ SELECT format('SELECT group_fairness(grp, selected, label), exposure(grp, rank, relevance), gini(relevance), concentration(relevance) FROM %I', name) $$;
CREATE FUNCTION result_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT s::text FROM (%s) s', query) INTO result;
	RETURN result;
END $$;

ANALYZE shown;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 3;
SELECT alike(plan_of(over_table('shown')), '%Gather%Partial Aggregate%', 'a parallel plan');
SELECT is(same(result_of(over_table('shown'))), 'same', 'in parallel');
SET LOCAL max_parallel_workers_per_gather = 0;

CREATE TABLE split (LIKE shown) PARTITION BY HASH (id);
CREATE TABLE split_0 PARTITION OF split FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE split_1 PARTITION OF split FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE split_2 PARTITION OF split FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO split SELECT * FROM shown;
ANALYZE split;
SET LOCAL enable_partitionwise_aggregate = on;
SELECT alike(plan_of(over_table('split')), '%Partial Aggregate%Partial Aggregate%Partial Aggregate%', 'a partitionwise plan');
SELECT is(same(result_of(over_table('split'))), 'same', 'by partition');

SELECT is(group_fairness(grp, selected, label) FILTER (WHERE id % 3 = 0)::text, (SELECT group_fairness(grp, selected, label)::text FROM shown WHERE id % 3 = 0), 'FILTER') FROM shown;
SELECT results_eq($$ SELECT id, exposure(grp, rank, relevance) OVER w, gini(relevance) OVER w, group_fairness(grp, selected) OVER w FROM shown WHERE id <= 40 WINDOW w AS (ORDER BY id) ORDER BY id $$,
	$$ SELECT id, exposure(s.grp, s.rank, s.relevance), gini(s.relevance), group_fairness(s.grp, s.selected) FROM (SELECT id FROM shown WHERE id <= 40) o, LATERAL (SELECT grp, rank, relevance, selected FROM shown i WHERE i.id <= o.id) s GROUP BY id ORDER BY id $$, 'over a window');
SELECT results_eq($$ SELECT id % 7, (exposure(grp, rank)).parity_ratio, group_fairness(grp, selected, label) FROM shown GROUP BY 1 ORDER BY 1 $$,
	$$ SELECT i, (SELECT (exposure(grp, rank)).parity_ratio FROM shown WHERE id % 7 = i), (SELECT group_fairness(grp, selected, label) FROM shown WHERE id % 7 = i) FROM generate_series(0, 6) i $$, 'GROUP BY');

-- ---- many groups ----

CREATE TABLE sellers AS SELECT 's' || draw(50, x, 30000) AS seller, 1 + draw(51, x, 20) AS rank FROM generate_series(1, 60000) x;
SELECT results_eq('SELECT g.grp, g.items FROM (SELECT exposure(seller, rank) AS r FROM sellers) s, unnest((r).groups) g',
	'SELECT seller, count(*) FROM sellers GROUP BY seller ORDER BY seller COLLATE "C"', 'tens of thousands of groups');
SELECT is((SELECT array_length((exposure_merge(s)).groups, 1) FROM (SELECT exposure_partial(seller, rank) FROM sellers GROUP BY rank) p(s)), (SELECT count(DISTINCT seller)::int FROM sellers), 'and merged');

-- ---- what they mean ----

SELECT is((group_fairness(g, s)).demographic_parity_ratio, 1::float8, 'equal rates') FROM (VALUES ('a', true), ('a', false), ('b', true), ('b', false)) v(g, s);
SELECT is((group_fairness(g, s, l)).equalized_odds_difference, 1::float8, 'what one group never gets wrong and the other always') FROM (VALUES ('a', true, true), ('a', false, false), ('b', true, true), ('b', true, false)) v(g, s, l);
SELECT is((group_fairness(g, s, l)).equalized_odds_difference, NULL, 'odds are unknown without negatives') FROM (VALUES ('a', true, true), ('b', false, true)) v(g, s, l);
SELECT is((SELECT gini(1) FROM generate_series(1, 1000)), 0::float8, 'equality');
SELECT ok(abs((SELECT gini(x) FROM (SELECT 0 FROM generate_series(1, 999) UNION ALL SELECT 5) s(x)) - 0.999) < 1e-12, 'one has it all');
SELECT is((SELECT gini(x) FROM generate_series(1, 100) x), (SELECT gini(x * 1024) FROM generate_series(1, 100) x), 'no unit');
SELECT is((SELECT (concentration(x)).hhi FROM generate_series(5, 5) x), 1::float8, 'one item');

SELECT finish();
ROLLBACK;
