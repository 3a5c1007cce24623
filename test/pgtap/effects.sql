-- Effects by stratum, design, segment and quantile: against reference values, against each other, and states in any order and split.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(133);

-- evenly in (0, 1), the same on every machine
CREATE FUNCTION draw(seed bigint, x bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 1048575) + 0.5) / 1048576.0::float8 $$;
CREATE FUNCTION near(got float8, want float8, what text, tolerance float8 DEFAULT 1e-10) RETURNS text LANGUAGE sql AS
$$ SELECT ok(abs(got - want) <= tolerance * abs(want), what || ': ' || coalesce(got::text, 'null') || ', wanted ' || want) $$;

CREATE TABLE unit AS
SELECT x AS id, (draw(1, x) * 4)::int AS part, draw(2, x) < 0.4 + 0.1 * (draw(1, x) * 4)::int AS treated,
	(draw(1, x) * 4)::int * 5 - ln(draw(3, x)) * (1 + (draw(1, x) * 4)::int) AS y, draw(4, x) - ln(draw(3, x)) AS before
FROM generate_series(1, 3000) x;
CREATE TABLE arms AS
SELECT part, moments(y) FILTER (WHERE NOT treated) AS c, moments(y) FILTER (WHERE treated) AS t,
	moments(y, before) FILTER (WHERE NOT treated) AS c2, moments(y, before) FILTER (WHERE treated) AS t2
FROM unit GROUP BY part;
CREATE TABLE lists AS
SELECT array_agg(part::text ORDER BY part) AS names, array_agg(c ORDER BY part) AS c, array_agg(t ORDER BY part) AS t,
	array_agg(c2 ORDER BY part) AS c2, array_agg(t2 ORDER BY part) AS t2 FROM arms;

-- one stratum is Welch's test, with a covariate CUPED
CREATE FUNCTION alike(a lift_test, b lift_test, what text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT ok(CASE WHEN key = 'variance_reduction' THEN true WHEN x.value = 'null' THEN y.value = 'null'
		ELSE abs(x.value::float8 - y.value::float8) <= 1e-11 * abs(y.value::float8) END, what || ': ' || key || ' ' || x.value || ', ' || y.value)
	FROM jsonb_each(to_jsonb(a)) x JOIN jsonb_each(to_jsonb(b)) y USING (key) $$;
SELECT alike(post_stratify(ARRAY[moments(y) FILTER (WHERE NOT treated)], ARRAY[moments(y) FILTER (WHERE treated)], 0.1),
	compare(moments(y) FILTER (WHERE NOT treated), moments(y) FILTER (WHERE treated), 0.1), 'one stratum') FROM unit;
SELECT alike(post_stratify(ARRAY[moments(y, before) FILTER (WHERE NOT treated)], ARRAY[moments(y, before) FILTER (WHERE treated)]),
	compare(moments(y, before) FILTER (WHERE NOT treated), moments(y, before) FILTER (WHERE treated)), 'one stratum, covariate') FROM unit;
SELECT near((post_stratify(ARRAY[c2], ARRAY[t2])).variance_reduction, (compare(c2, t2)).variance_reduction, 'variance that the covariate takes away', 1e-9)
FROM (SELECT moments(y, before) FILTER (WHERE NOT treated) AS c2, moments(y, before) FILTER (WHERE treated) AS t2 FROM unit) x;

-- three strata with a covariate, against the matrix form in numpy, the interval by mpmath
CREATE FUNCTION pair(n bigint, y float8, x float8, var_y float8, cov float8, var_x float8) RETURNS moments LANGUAGE sql AS
$$ SELECT moments_of_matrix(n, ARRAY[y, x], ARRAY[[var_y, cov], [cov, var_x]]) $$;
CREATE TABLE three AS SELECT ARRAY[pair(20, 10, 5, 4, 1.5, 3), pair(30, 14, 6, 9, 2, 5), pair(12, 3, 1, 1, .25, 2)] AS c,
	ARRAY[pair(25, 11, 5.5, 5, 2, 3.5), pair(18, 15.5, 5.8, 8, 2.5, 4), pair(40, 3.2, 1.5, 1.2, .5, 1.8)] AS t;
SELECT unnest(ARRAY[near((r).theta, 0.4479471856401854, 'theta'), near((r).difference, 0.7584472722661849, 'difference'),
	near((r).stderr, 0.34640218657276506, 'stderr'), near((r).df, 88.76460195452142, 'df'),
	near((r).p_value, 0.031183643602199836, 'p_value'), near((r).ci_low, 0.0701283544171929505, 'ci_low')])
FROM (SELECT post_stratify(c, t) AS r FROM three) x;

-- the order of strata does not matter; they take variance away, and the difference is that within them
SELECT is(post_stratify((SELECT array_agg(c ORDER BY part DESC) FROM arms), (SELECT array_agg(t ORDER BY part DESC) FROM arms)), post_stratify(c, t), 'strata backwards') FROM lists;
SELECT near((post_stratify(c, t)).difference, (SELECT sum((s).difference * ((s).n_control + (s).n_treatment)) / 3000 FROM (SELECT compare(c, t) AS s FROM arms) x), 'weighted by the units of both arms')
FROM lists;
SELECT cmp_ok((post_stratify(c, t)).variance_reduction, '>', 0.1::float8, 'strata that tell of the outcome take variance away') FROM lists;
SELECT near((s).variance_reduction, 1 - (s).stderr ^ 2 / (compare(a.c, a.t)).stderr ^ 2, 'how much, against all units in one')
FROM lists l, LATERAL (SELECT post_stratify(l.c, l.t) AS s) x, (SELECT moments(y) FILTER (WHERE NOT treated) AS c, moments(y) FILTER (WHERE treated) AS t FROM unit) a;

-- means that are large beside the difference
SELECT near((post_stratify(array[moments_of(31, m, 1), moments_of(77, -m * 1.1, 1), moments_of(33, m * 7, 1)],
	array[moments_of(37, m + 0.5, 1), moments_of(73, -m * 1.1 + 0.5, 1), moments_of(30, m * 7 + 0.5, 1)])).difference, 0.5, 'means of ' || m)
FROM unnest('{1e6,1e9,1e12,3e14}'::float8[]) m;

-- two treatments: ordinary least squares of statsmodels, cells of unlike size
CREATE TABLE design AS
SELECT (i % 3 = 0) AS a, i % 4 < 2 AS b, ((i * i) % 11 + CASE WHEN i % 3 = 0 THEN 2 ELSE 0 END + CASE WHEN i % 4 < 2 THEN 1 ELSE 0 END
	+ CASE WHEN i % 3 = 0 AND i % 4 < 2 THEN 3 ELSE 0 END)::float8 AS y FROM generate_series(1, 23) i;
SELECT unnest(ARRAY[near((r).main_a, 3.4375, 'a'), near((r).main_a_stderr, 1.336379469955782, 'a: stderr'), near((r).main_a_t, 2.572248434880356, 'a: t'),
	near((r).main_a_p_value, 0.0186562352921882, 'a: p'), near((r).main_a_ci_low, 1.1267224098559243, 'a: low'), near((r).main_a_ci_high, 5.748277590144076, 'a: high'),
	near((r).main_b, 0.9375, 'b'), near((r).main_b_stderr, 1.336379469955782, 'b: stderr'), near((r).main_b_t, 0.701522300421916, 'b: t'),
	near((r).main_b_p_value, 0.4914813171426856, 'b: p', 1e-9), near((r).main_b_ci_low, -1.3732775901440761, 'b: low'), near((r).main_b_ci_high, 3.2482775901440744, 'b: high'),
	near((r).interaction, -0.875, 'interaction'), near((r).interaction_stderr, 2.672758939911565, 'interaction: stderr'), near((r).interaction_t, -0.327377073530227, 'interaction: t'),
	near((r).interaction_p_value, 0.746962260012934, 'interaction: p'), near((r).interaction_ci_low, -5.496555180288151, 'interaction: low'), near((r).interaction_ci_high, 3.7465551802881554, 'interaction: high'),
	near((r).df, 19, 'df'), near((r).mse, 8.57236842105263, 'mse')])
FROM (SELECT factorial_2x2(moments(y) FILTER (WHERE NOT a AND NOT b), moments(y) FILTER (WHERE a AND NOT b),
	moments(y) FILTER (WHERE b AND NOT a), moments(y) FILTER (WHERE a AND b), alpha => 0.1) AS r FROM design) x;

-- heterogeneity: combine_effects() of statsmodels, method dl
SELECT unnest(ARRAY[near((r).effect, 0.20642923219241444, 'fixed effect'), near((r).stderr, 0.03649794388034842, '... stderr'),
	near((r).ci_low, 0.13489457667716748, '... low'), near((r).p_value, 1.5501906825026682e-08, '... p'),
	near((r).q, 7.999872802960223, 'Q'), near((r).q_p_value, 0.09158285394489289, '... p'), near((r).i2, 0.4999920500586128, 'I2'), near((r).tau2, 0.008256372923429447, 'tau2'),
	near((r).random_effect, 0.1932084559529178, 'random effect'), near((r).random_stderr, 0.05967267131631863, '... stderr'), near((r).random_p_value, 0.001204532341165294, '... p')])
FROM (SELECT segment_heterogeneity('{0.12,0.31,-0.05,0.22,0.4}'::float8[], '{0.1,0.08,0.12,0.05,0.2}') AS r) x;
SELECT ok(abs((a).q / (b).q - 1) < 1e-12 AND abs((a).tau2 * 1e200 * 1e200 / (b).tau2 - 1) < 1e-12, 'far from 1')
FROM (SELECT segment_heterogeneity('{0.12e-150,0.31e-150,-0.05e-150}'::float8[], '{0.1e-150,0.08e-150,0.12e-150}') AS a,
	segment_heterogeneity('{0.12e50,0.31e50,-0.05e50}'::float8[], '{0.1e50,0.08e50,0.12e50}') AS b) x;
SELECT is(segment_heterogeneity(c2, t2), (SELECT segment_heterogeneity(array_agg((r).difference), array_agg((r).stderr)) FROM (SELECT compare(c2, t2) AS r FROM arms) x), 'of moments: that of the differences, adjusted for the covariate')
FROM lists;
-- one segment much surer than the others: the divisor as products of weights, in numeric
SELECT unnest(ARRAY[near((a).tau2, want, 'tau2 beside an error of ' || e), near((b).tau2, 0, 'no tau2 beside it'), near((b).random_effect, (b).effect, 'the effects are one')])
FROM (SELECT e, segment_heterogeneity(array[0, 5, 7], array[e, 1, 2]) AS a, segment_heterogeneity(array[0, 0.5, 1], array[e, 1, 2]) AS b,
		((25 + 49 / 4.0 - (5 + 7 / 4.0) * (5 + 7 / 4.0) / total - 2) * total / (2 * (w + w / 4 + 1 / 4.0)))::float8 AS want
	FROM unnest('{0.1,1e-6,1e-9,1e-12}'::float8[]) e, LATERAL (SELECT 1 / (e::numeric * e::numeric) AS w) v, LATERAL (SELECT w + 1.25 AS total) t) x;
-- slices of arrays with nulls have room for nulls, and none
SELECT is(segment_heterogeneity((ARRAY[0.12, 0.31, NULL]::float8[])[1:2], (ARRAY[0.1, 0.08, NULL]::float8[])[1:2]), segment_heterogeneity('{0.12,0.31}'::float8[], '{0.1,0.08}'), 'slices');
SELECT is(moments_of_matrix(5, (ARRAY[1, 2, NULL]::float8[])[1:2], (ARRAY[[4, 1], [1, 9], [NULL, 0]]::float8[])[1:2][1:2])::text, moments_of_matrix(5, '{1,2}', '{{4,1},{1,9}}')::text, 'slices of means and covariances');
-- where all segments have the same effect, Q is chi-square: it is beyond its 5 percent in about 5 percent of 400 experiments
SELECT ok(abs(avg(((h).q_p_value < 0.05)::int) - 0.05) < 0.03, 'alarms where there is nothing: ' || avg(((h).q_p_value < 0.05)::int))
FROM (SELECT segment_heterogeneity(array_agg(0.3 + sqrt(-2 * ln(draw(11, i))) * cos(2 * pi() * draw(12, i)) * (1 + i % 4)), array_agg((1 + i % 4)::float8)) AS h
	FROM generate_series(1, 2000) i GROUP BY i / 5) x;

-- a row for each segment is what compare() and p_adjust() say
SELECT is(count(*), 5::bigint, 'effects of segments')
FROM lists l, segment_effects(l.names, l.c, l.t, 0.1, 'bonferroni', 'less') e JOIN arms a ON a.part::text = e.segment, compare(a.c, a.t, 0.1, 'less') r
WHERE (e.n_control, e.n_treatment, e.mean_control, e.mean_treatment, e.difference, e.stderr, e.ci_low, e.ci_high, e.p_value)
	= (r.n_control, r.n_treatment, r.mean_control, r.mean_treatment, r.difference, r.stderr, r.ci_low, r.ci_high, r.p_value)
	AND (e.relative_difference, e.relative_stderr, e.relative_ci_low, e.relative_ci_high, e.relative_p_value)
	= (r.relative_difference, r.relative_stderr, r.relative_ci_low, r.relative_ci_high, r.relative_p_value)
	AND abs(e.adjusted_p_value - least(5 * e.p_value, 1)) < 1e-15;
SELECT is(array_agg(e.adjusted_p_value ORDER BY e.segment), p_adjust(array_agg(e.p_value ORDER BY e.segment), 'holm'), 'holm is the default') FROM lists l, segment_effects(l.names, l.c, l.t) e;
SELECT throws_ok($$ SELECT segment_effects(names, c, t, method => 'none of these') FROM lists $$, '22023', NULL, 'unknown method');
SELECT throws_ok($$ SELECT segment_effects(names, c, t, method => NULL) FROM lists $$, '22004', NULL, 'no method');

-- a quantile and its bounds as percentile_cont gives them
SELECT is(lift_quantile(y, treated, 0.8), quantile_effect(0.8,
	count(*) FILTER (WHERE NOT treated), percentile_cont(0.8) WITHIN GROUP (ORDER BY y) FILTER (WHERE NOT treated),
	percentile_cont(0.8 - z * sqrt(0.16 / n_c)) WITHIN GROUP (ORDER BY y) FILTER (WHERE NOT treated), percentile_cont(0.8 + z * sqrt(0.16 / n_c)) WITHIN GROUP (ORDER BY y) FILTER (WHERE NOT treated),
	count(*) FILTER (WHERE treated), percentile_cont(0.8) WITHIN GROUP (ORDER BY y) FILTER (WHERE treated),
	percentile_cont(0.8 - z * sqrt(0.16 / n_t)) WITHIN GROUP (ORDER BY y) FILTER (WHERE treated), percentile_cont(0.8 + z * sqrt(0.16 / n_t)) WITHIN GROUP (ORDER BY y) FILTER (WHERE treated)),
	'by percentile_cont')
FROM unit, (SELECT 1.9599639845400538::float8 AS z, sum((NOT treated)::int)::float8 AS n_c, sum(treated::int)::float8 AS n_t FROM unit) n GROUP BY z, n_c, n_t;
-- 600 experiments of 300 units, outcomes exponential, the treatment adding 0.5: how often the interval has it
SELECT ok(abs(avg((0.5 BETWEEN (q).ci_low AND (q).ci_high)::int) - 0.95) < 0.025, 'cover of nu ' || nu || ': ' || round(avg((0.5 BETWEEN (q).ci_low AND (q).ci_high)::int), 4))
FROM unnest('{0.25,0.5,0.8}'::float8[]) nu,
	LATERAL (SELECT lift_quantile(-ln(draw(21, x)) + CASE WHEN x % 2 = 0 THEN 0.5 ELSE 0 END, x % 2 = 0, nu) AS q FROM generate_series(1, 180000) x GROUP BY x / 300 HAVING count(*) > 1) e
GROUP BY nu ORDER BY nu;

-- any order, any split: the same to the last bit
CREATE TABLE whole AS SELECT lift_quantile(y, treated, 0.3)::text AS t, lift_quantile_partial(y, treated, 0.3)::text AS s FROM unit;
CREATE FUNCTION same(what text, variant text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	got text;
BEGIN
	EXECUTE variant INTO got;
	RETURN is(got, (SELECT t FROM whole), what);
END $$;
SELECT same('backwards', 'SELECT lift_quantile(y, treated, 0.3 ORDER BY id DESC) FROM unit');
SELECT same('one arm after the other', 'SELECT lift_quantile(y, treated, 0.3 ORDER BY treated, y) FROM unit');
SELECT same('split', 'SELECT lift_quantile_merge(s) FROM (SELECT lift_quantile_partial(y, treated, 0.3) s FROM unit GROUP BY part) x');
SELECT same('split and shuffled', 'SELECT lift_quantile_merge(s ORDER BY n) FROM (SELECT count(*) n, lift_quantile_partial(y, treated, 0.3 ORDER BY draw(9, id)) s FROM unit GROUP BY (draw(6, id) * 500)::int, treated UNION ALL SELECT 0, NULL) x');
SELECT same('as text', 'SELECT lift_quantile_merge(s::text::quantile_lift_state) FROM (SELECT lift_quantile_partial(y, treated, 0.3) s FROM unit GROUP BY part) x');
SELECT same('FILTER', 'SELECT lift_quantile(y, treated, 0.3) FILTER (WHERE keep) FROM (SELECT y, treated, true AS keep FROM unit UNION ALL SELECT 7, false, false) x');
SELECT is(lift_quantile_partial(y, treated, 0.3 ORDER BY y)::text, (SELECT s FROM whole), 'equal states have equal forms') FROM unit;
SELECT is(count(*), 0::bigint, 'a window')
FROM (SELECT id, lift_quantile(y, treated, 0.3) OVER (ORDER BY id) AS q FROM unit WHERE id <= 300) x WHERE (q).n_control + (q).n_treatment <> id;

CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP lines := lines || line || E'\n'; END LOOP;
	RETURN lines;
END $$;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT matches(plan_of('SELECT lift_quantile(y, treated, 0.3) FROM unit'), 'Gather.*Partial Aggregate', 'a parallel plan');
SELECT same('... finds the same', 'SELECT lift_quantile(y, treated, 0.3) FROM unit');
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- binary, through COPY
CREATE TABLE states AS SELECT part, lift_quantile_partial(y, treated, 0.3) AS s FROM unit GROUP BY part;
CREATE TABLE copied (LIKE states);
SELECT format('COPY states TO %L BINARY', current_setting('data_directory') || '/quantile.copy') AS out,
	format('COPY copied FROM %L BINARY', current_setting('data_directory') || '/quantile.copy') AS back,
	format('COPY (SELECT) TO PROGRAM %L', 'rm "' || current_setting('data_directory') || '/quantile.copy"; cat >/dev/null') AS remove \gset
:out;
:back;
:remove;
SELECT same('binary', 'SELECT lift_quantile_merge(s) FROM copied');

-- states that are not
\ir state_checksum.psql
CREATE FUNCTION crafted(nu float8, n_control bigint, n_treatment bigint, VARIADIC numbers float8[]) RETURNS text LANGUAGE sql AS $$
	SELECT encode(b || state_checksum(b), 'hex') FROM (
		SELECT '\xa51101' || float8send(nu) || int8send(n_control) || int8send(n_treatment) || coalesce(string_agg(float8send(x), '' ORDER BY i), '') AS b
		FROM unnest(numbers) WITH ORDINALITY u(x, i)) z $$;
CREATE FUNCTION refused(value text, why text, test text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	PERFORM value::quantile_lift_state;
	RETURN fail(test || ': accepted');
EXCEPTION WHEN invalid_binary_representation THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN is(detail, why, test);
END $$;
SELECT is(crafted(0.5, 1, 2, 7, 8, 9), lift_quantile_partial(x, x > 7, 0.5)::text, 'crafted as it is written') FROM generate_series(7, 9) x;
SELECT refused(crafted(0, 1, 2, 7, 8, 9), 'Its nu is out of range.', 'no quantile');
SELECT refused(crafted('NaN', 1, 2, 7, 8, 9), 'Its nu is out of range.', 'no number');
SELECT refused(crafted(0.5, 1, 1, 7, 8, 9), 'Its counts do not fit its size.', 'too many numbers');
SELECT refused(crafted(0.5, 2, 2, 7, 8, 9), 'Its counts do not fit its size.', 'too few');
SELECT refused(crafted(0.5, -1, 4, 7, 8, 9), 'Its counts do not fit its size.', 'less than none');
SELECT refused(crafted(0.5, 9223372036854775807, -9223372036854775806, 7), 'Its counts do not fit its size.', 'more than can be counted');
SELECT refused(crafted(0.5, 0, 0, VARIADIC '{}'), 'It has no rows.', 'no rows');
SELECT refused(crafted(0.5, 1, 2, 7, 'NaN', 9), 'A number is not finite.', 'NaN');
SELECT refused(crafted(0.5, 1, 2, 7, 8, 'Infinity'), 'A number is not finite.', 'infinity');

-- as GREATEST and LEAST have it
SELECT ok(bool_and(winsorize(y, 0.5, 2) = least(greatest(y, 0.5), 2) AND winsorize(y::numeric, 0.5, 2) = least(greatest(y::numeric, 0.5), 2)), 'winsorize()') FROM unit;

SELECT * FROM finish();
ROLLBACK;
