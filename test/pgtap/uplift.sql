-- qini() and uplift_curve() against plain SQL, scores that know nothing and all, and states in any order and split.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(41);

-- evenly in (0, 1), the same on every machine
CREATE FUNCTION draw(seed bigint, x bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 1048575) + 0.5) / 1048576.0::float8 $$;

-- four kinds of people: those who buy if asked, anyway, never, and unless asked
CREATE TABLE unit AS
SELECT x AS id, draw(1, x) AS noise, draw(2, x) < 0.6 AS treated, kind, (draw(7, x) * 20)::int AS part,
	(CASE kind WHEN 0 THEN draw(2, x) < 0.6 WHEN 1 THEN true WHEN 2 THEN false ELSE draw(2, x) >= 0.6 END)::int AS bought
FROM (SELECT x, (draw(3, x) * 4)::int % 4 AS kind FROM generate_series(1, 4000) x) k;

-- the definition, in SQL: a point for each score
CREATE VIEW point AS
SELECT score, n, gain, n - lag(n, 1, 0::float8) OVER (ORDER BY score DESC) AS width, lag(gain, 1, 0::float8) OVER (ORDER BY score DESC) AS before
FROM (SELECT score, (sum(nt) OVER w + sum(nc) OVER w)::float8 AS n,
		sum(yt) OVER w - coalesce(sum(yc) OVER w * sum(nt) OVER w / nullif(sum(nc) OVER w, 0), 0) AS gain
	FROM (SELECT score, sum(treated::int)::float8 AS nt, sum((NOT treated)::int)::float8 AS nc, sum(y * treated::int) AS yt, sum(y * (NOT treated)::int) AS yc
		FROM (SELECT round(noise::numeric, 3) AS score, treated, bought * (1 + noise) AS y FROM unit) r GROUP BY score) s
	WINDOW w AS (ORDER BY score DESC)) c;
CREATE FUNCTION near(got float8, want float8, what text, tolerance float8 DEFAULT 1e-11) RETURNS text LANGUAGE sql AS
$$ SELECT ok(abs(got - want) <= tolerance * abs(want), what || ': ' || coalesce(got::text, 'null') || ', wanted ' || want) $$;

CREATE TABLE tied AS SELECT qini_partial(round(noise::numeric, 3), treated, bought * (1 + noise)) AS s, qini(round(noise::numeric, 3), treated, bought * (1 + noise)) AS q FROM unit;
SELECT near((q).area_curve, (SELECT sum(width * (before + gain) / 2) FROM point), 'area') FROM tied;
SELECT near((q).final, (SELECT gain FROM point ORDER BY score LIMIT 1), 'final') FROM tied;
SELECT near((q).area_random, (q).final * 2000, 'area of a random order') FROM tied;
SELECT near((q).qini_area, (q).area_curve - (q).area_random, 'area between') FROM tied;
SELECT near((q).qini_coefficient, (q).qini_area / (best - (q).area_random), 'against the best order')
FROM tied, (SELECT sum(part * (4000.5 - place)) AS best FROM (
	SELECT part, row_number() OVER (ORDER BY part DESC) AS place
	FROM (SELECT bought * (1 + noise) * CASE WHEN treated THEN 1 ELSE -ratio END AS part
		FROM unit, (SELECT sum(treated::int)::float8 / sum((NOT treated)::int) AS ratio FROM unit) r) p) o) b;
SELECT is(count(*), 0::bigint, 'the curve goes through the points of the definition')
FROM tied, uplift_curve(s, 4000) c JOIN point p ON abs(c.n - p.n) < 1e-9 WHERE abs(c.gain - p.gain) > 1e-10;
SELECT is(count(*), 0::bigint, 'and straight between them')
FROM tied, uplift_curve(s, 4000) c JOIN point p ON c.n > p.n - p.width AND c.n < p.n
WHERE abs(c.gain - (p.before + (p.gain - p.before) * (c.n - p.n + p.width) / p.width)) > 1e-10;
SELECT is(count(*), 0::bigint, 'uplift is the difference of the means')
FROM (SELECT qini_partial(kind, treated, bought) AS s FROM unit) q, generate_series(0, 2) k,
	LATERAL (SELECT count(*)::float8 AS n, avg(bought) FILTER (WHERE treated) - avg(bought) FILTER (WHERE NOT treated) AS uplift FROM unit WHERE kind >= k) d
	JOIN uplift_curve(s, 4000) c ON abs(c.n - d.n) < 1e-9 WHERE abs(c.uplift - d.uplift) > 1e-12;
SELECT is(count(*), 0::bigint, 'no uplift as long as there is none of the control, wherever the share falls')
FROM generate_series(5, 11) k, LATERAL (SELECT qini_partial(CASE WHEN x = 1 THEN 6 WHEN x <= k + 1 THEN 5 ELSE 1 END, x <= k + 1, 1) AS s FROM generate_series(1, k + 10) x) q,
	generate_series(3, 60) points, uplift_curve(s, points) c WHERE c.n <= k + 1 AND c.uplift IS NOT NULL;
SELECT is(array_agg(c.targeted), array_agg(i / 7.0::float8), 'shares') FROM tied, uplift_curve(s, 7) WITH ORDINALITY c(targeted, n, gain, random_gain, uplift, k) JOIN generate_series(0, 7) i ON i = k - 1;
SELECT is(max(c.gain) FILTER (WHERE c.targeted = 1), max((q).final), 'ends at final') FROM tied, uplift_curve(s) c;

-- a score that knows nothing, over 40 of them; one that knows who is moved, above all other orders of the four kinds
SELECT ok(abs(avg(c)) < 0.01 AND max(abs(c)) < 0.06, 'random scores: ' || avg(c) || ', at most ' || max(abs(c)))
FROM (SELECT (qini(draw(100 + k, id), treated, bought)).qini_coefficient AS c FROM unit, generate_series(1, 40) k GROUP BY k) x;
CREATE TABLE orders AS
SELECT a, b, c, d, (qini(CASE kind WHEN 0 THEN a WHEN 1 THEN b WHEN 2 THEN c ELSE d END, treated, bought)).qini_area AS area
FROM unit, generate_series(1, 3) a, generate_series(1, 3) b, generate_series(1, 3) c, generate_series(1, 3) d GROUP BY a, b, c, d;
SELECT ok(best = max(area), 'the true order of kinds: ' || best || ', the best of 81: ' || max(area))
FROM orders, (SELECT area AS best FROM orders WHERE (a, b, c, d) = (3, 2, 2, 1)) x GROUP BY best;
SELECT ok(bool_and(area < best), 'it beats whatever puts those first who are moved the wrong way')
FROM orders, (SELECT area AS best FROM orders WHERE (a, b, c, d) = (3, 2, 2, 1)) x WHERE orders.d >= orders.a;
SELECT is((qini(bought * CASE WHEN treated THEN 1 ELSE -1 END, treated, bought)).qini_coefficient, 1::float8, 'the order that knows the outcomes has 1') FROM unit;
SELECT cmp_ok((qini(-bought * CASE WHEN treated THEN 1 ELSE -1 END, treated, bought)).qini_coefficient, '<', -0.2::float8, 'the opposite is below 0') FROM unit;
SELECT is((qini(7, treated, bought)).qini_area, 0::float8, 'one score for all has none') FROM unit;
SELECT is(qini(noise, treated, bought), qini(ln(noise) * 5 - 3, treated, bought), 'only the order of scores counts') FROM unit;
SELECT near((a).qini_coefficient, (b).qini_coefficient, 'and not the unit of outcomes') FROM (SELECT qini(noise, treated, bought) AS a, qini(noise, treated, bought * 1e200) AS b FROM unit) x;

-- any order, any split: the same to the last bit
CREATE TABLE whole AS SELECT qini(round(noise::numeric, 2), treated, bought + noise)::text AS t, qini_partial(round(noise::numeric, 2), treated, bought + noise)::text AS s FROM unit;
CREATE VIEW u AS SELECT id, part, round(noise::numeric, 2)::float8 AS score, treated, bought + noise AS y FROM unit;
CREATE FUNCTION same(what text, variant text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	got text;
BEGIN
	EXECUTE variant INTO got;
	RETURN is(got, (SELECT t FROM whole), what);
END $$;
SELECT same('backwards', 'SELECT qini(score, treated, y ORDER BY id DESC) FROM u');
SELECT same('one arm after the other', 'SELECT qini(score, treated, y ORDER BY treated, y) FROM u');
SELECT same('split', 'SELECT qini_merge(s) FROM (SELECT qini_partial(score, treated, y) s FROM u GROUP BY part) x');
SELECT same('split and shuffled', 'SELECT qini_merge(s ORDER BY n) FROM (SELECT count(*) n, qini_partial(score, treated, y ORDER BY draw(9, id)) s FROM u GROUP BY (draw(6, id) * 500)::int, treated UNION ALL SELECT 0, NULL) x');
SELECT same('as text', 'SELECT qini_merge(s::text::qini_state) FROM (SELECT qini_partial(score, treated, y) s FROM u GROUP BY part) x');
SELECT same('FILTER', 'SELECT qini(score, treated, y) FILTER (WHERE keep) FROM (SELECT score, treated, y, true AS keep FROM u UNION ALL SELECT 7, false, 1, false) x');
SELECT is(qini_partial(score, treated, y ORDER BY y)::text, (SELECT s FROM whole), 'equal states have equal forms') FROM u;
SELECT is(count(*), 0::bigint, 'a window') FROM (SELECT id, qini(score, treated, y) OVER (ORDER BY id) AS q FROM u WHERE id <= 200) x WHERE (q).n <> id;

CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP lines := lines || line || E'\n'; END LOOP;
	RETURN lines;
END $$;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT matches(plan_of('SELECT qini(score, treated, y) FROM u'), 'Gather.*Partial Aggregate', 'a parallel plan');
SELECT same('... finds the same', 'SELECT qini(score, treated, y) FROM u');
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- binary, through COPY
CREATE TABLE states AS SELECT part, qini_partial(score, treated, y) AS s FROM u GROUP BY part;
CREATE TABLE copied (LIKE states);
SELECT format('COPY states TO %L BINARY', current_setting('data_directory') || '/qini.copy') AS out,
	format('COPY copied FROM %L BINARY', current_setting('data_directory') || '/qini.copy') AS back,
	format('COPY (SELECT) TO PROGRAM %L', 'rm "' || current_setting('data_directory') || '/qini.copy"; cat >/dev/null') AS remove \gset
:out;
:back;
:remove;
SELECT same('binary', 'SELECT qini_merge(s) FROM copied');

-- states that are not
\ir state_checksum.psql
CREATE FUNCTION crafted(n_control bigint, n_treatment bigint, VARIADIC numbers float8[]) RETURNS text LANGUAGE sql AS $$
	SELECT encode(b || state_checksum(b), 'hex') FROM (
		SELECT '\xa51001' || int8send(n_control) || int8send(n_treatment) || coalesce(string_agg(float8send(x), '' ORDER BY i), '') AS b
		FROM unnest(numbers) WITH ORDINALITY u(x, i)) z $$;
CREATE FUNCTION refused(value text, why text, test text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	PERFORM value::qini_state;
	RETURN fail(test || ': accepted');
EXCEPTION WHEN invalid_binary_representation THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN is(detail, why, test);
END $$;
SELECT is(crafted(1, 2, 7, -7, 8, -8, 9, -9), qini_partial(x, x > 7, -x)::text, 'crafted as it is written') FROM generate_series(7, 9) x;
SELECT refused(crafted(1, 1, 7, -7, 8, -8, 9, -9), 'Its counts do not fit its size.', 'too many numbers');
SELECT refused(crafted(2, 2, 7, -7, 8, -8, 9, -9), 'Its counts do not fit its size.', 'too few');
SELECT refused(crafted(1, 2, 7, -7, 8, -8, 9), 'Its counts do not fit its size.', 'half a row');
SELECT refused(crafted(1, 1, 7, -7, 8, -8, 9), 'Its counts do not fit its size.', 'half a row too many');
SELECT refused(crafted(-1, 4, 7, -7, 8, -8, 9, -9), 'Its counts do not fit its size.', 'less than none');
SELECT refused(crafted(4, -1, 7, -7, 8, -8, 9, -9), 'Its counts do not fit its size.', 'less than none of the treatment');
SELECT refused(crafted(9223372036854775807, -9223372036854775806, 7, -7), 'Its counts do not fit its size.', 'more than can be counted');
SELECT refused(crafted(0, 0, VARIADIC '{}'), 'It has no rows.', 'no rows');
SELECT refused(crafted(1, 2, 7, 'NaN', 8, -8, 9, -9), 'A number is not finite.', 'NaN');
SELECT refused(crafted(1, 2, 7, -7, 8, -8, '-Infinity', -9), 'A number is not finite.', 'infinity');

SELECT * FROM finish();
ROLLBACK;
