-- post_stratify(), factorial_2x2(), segment_heterogeneity(), segment_effects(), lift_quantile(), winsorize()
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
CREATE SCHEMA effects;
SET search_path = effects, personalize;
SET extra_float_digits = -3;
\pset null (null)

-- every function of this part has a comment and the volatility it claims
SELECT p.oid::regprocedure AS function, prokind, provolatile, proparallel, proisstrict,
	obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
WHERE proname ~ '^(post_stratify|factorial_2x2|segment_heterogeneity|segment_tests|segment_effects|lift_quantile|quantile_lift|quantile_effect|winsorize)'
ORDER BY p.oid::regprocedure::text COLLATE "C";

-- and so has every type, with each of its columns
SELECT t.oid::regtype AS type, obj_description(t.oid, 'pg_type') <> '' AS comment,
	(SELECT count(*) FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NULL) AS without
FROM pg_type t WHERE t.typname IN ('factorial_test', 'heterogeneity_test', 'segment_effect', 'quantile_test', 'quantile_lift_state')
ORDER BY t.typname COLLATE "C";

-- one shop, two strata: the treatment has more of those who spend little
CREATE TABLE unit AS
SELECT i, i % 3 = 0 AS big, (i % 5) % (CASE WHEN i % 3 = 0 THEN 3 ELSE 2 END) = 0 AS treated,
	(CASE WHEN i % 3 = 0 THEN 50 ELSE 10 END + (i * 7919) % 13 + CASE WHEN (i % 5) % (CASE WHEN i % 3 = 0 THEN 3 ELSE 2 END) = 0 THEN 2 ELSE 0 END)::float8 AS spent,
	((i * 104729) % 17 + (i * 7919) % 13)::float8 AS before
FROM generate_series(1, 300) i;
CREATE TABLE stratum AS
SELECT big, moments(spent) FILTER (WHERE NOT treated) AS control, moments(spent) FILTER (WHERE treated) AS treatment,
	moments(spent, before) FILTER (WHERE NOT treated) AS control2, moments(spent, before) FILTER (WHERE treated) AS treatment2
FROM unit GROUP BY big;

\x on
SELECT t.* FROM (SELECT array_agg(control ORDER BY big) AS c, array_agg(treatment ORDER BY big) AS t FROM stratum) s, post_stratify(s.c, s.t) t;
SELECT t.* FROM (SELECT array_agg(control2 ORDER BY big) AS c, array_agg(treatment2 ORDER BY big) AS t FROM stratum) s, post_stratify(s.c, s.t, 0.1, 'greater') t;

-- nothing varies; a control of mean 0
SELECT t.* FROM post_stratify(ARRAY[moments_of(3, 1, 0), moments_of(2, 1, 0)], ARRAY[moments_of(3, 1, 0), moments_of(4, 1, 0)]) t;
SELECT t.* FROM post_stratify(ARRAY[moments_of(3, -1, 1), moments_of(2, 1, 1)], ARRAY[moments_of(3, 2, 1), moments_of(4, 2, 1)]) t;
\x off

-- refused
SELECT post_stratify(ARRAY[moments_of(3, 1, 1), NULL], ARRAY[moments_of(3, 1, 1), moments_of(3, 1, 1)]);
SELECT post_stratify(ARRAY[moments_of(3, 1, 1)], ARRAY[moments_of(1, 1, 0)]);
SELECT post_stratify(ARRAY[moments_of(3, 1, 1)], ARRAY[moments_of(2, 1, 0), moments_of(2, 1, 0)]);
SELECT post_stratify(ARRAY[]::moments[], '{}');
SELECT post_stratify(NULL, ARRAY[moments_of(3, 1, 1)]);
SELECT post_stratify(ARRAY[moments_of(3, 1, 1)], NULL);
SELECT post_stratify(ARRAY[[moments_of(3, 1, 1)]], ARRAY[moments_of(3, 1, 1)]);
SELECT post_stratify(ARRAY[moments_of(3, 1, 1)], ARRAY[moments_of_matrix(3, '{1,1}'::float8[], '{{1,0},{0,1}}')]);
SELECT post_stratify(ARRAY[moments_of_matrix(3, '{1,1,1,1}'::float8[], '{{1,0,0,0},{0,1,0,0},{0,0,1,0},{0,0,0,1}}')], ARRAY[moments_of(3, 1, 1)]);
SELECT post_stratify(ARRAY[moments_of(3, 1, 1)], ARRAY[moments_of(3, 1, 1)], alpha => 0);
SELECT post_stratify(ARRAY[moments_of(3, 1, 1)], ARRAY[moments_of(3, 1, 1)], alpha => 'NaN');
SELECT post_stratify(ARRAY[moments_of(3, 1, 1)], ARRAY[moments_of(3, 1, 1)], alpha => NULL);
SELECT post_stratify(ARRAY[moments_of(3, 1, 1)], ARRAY[moments_of(3, 1, 1)], alternative => 'more');
SELECT post_stratify(ARRAY[moments_of(3, 1, 1)], ARRAY[moments_of(3, 1, 1)], alternative => 'less', alpha => 0.6);

SELECT post_stratify(ARRAY[moments_of(3, 1e308, 1)], ARRAY[moments_of(3, -1e308, 1)]);
SELECT post_stratify(ARRAY[moments_of(3, 1, 1e308)], ARRAY[moments_of(3, 1, 1e308)]);
SELECT post_stratify(ARRAY[moments_of(9e18::bigint, 1, 1), moments_of(9e18::bigint, 1, 1)], ARRAY[moments_of(3, 1, 1), moments_of(3, 1, 1)]);

-- two treatments at once
\x on
SELECT t.* FROM factorial_2x2(moments_of(10, 5, 4), moments_of(12, 6, 5), moments_of(9, 5.5, 4.5), moments_of(11, 8, 4.2)) t;
SELECT t.main_a, t.main_a_ci_low, t.main_a_ci_high
FROM factorial_2x2(moments_of(10, 5, 4), moments_of(12, 6, 5), moments_of(9, 5.5, 4.5), moments_of(11, 8, 4.2), alpha => 0.5) t;
-- one unit in each cell; nothing varies; one unit in some cells
SELECT t.* FROM factorial_2x2(moments_of(1, 5, 0), moments_of(1, 6, 0), moments_of(1, 7, 0), moments_of(1, 8, 0)) t;
SELECT t.main_a, t.main_a_stderr, t.main_a_ci_low, t.main_a_p_value, t.df, t.mse
FROM factorial_2x2(moments_of(2, 5, 0), moments_of(1, 6, 0), moments_of(3, 7, 0), moments_of(1, 8, 0)) t;
SELECT t.main_a, t.main_a_stderr, t.main_a_ci_low, t.main_a_p_value, t.df, t.mse
FROM factorial_2x2(moments_of(2, 5, 2), moments_of(1, 6, 0), moments_of(3, 7, 3), moments_of(1, 8, 0)) t;
\x off
SELECT factorial_2x2(NULL, moments_of(1, 6, 0), moments_of(1, 7, 0), moments_of(1, 8, 0));
SELECT factorial_2x2(moments_of(1, 6, 0), moments_of(1, 6, 0), moments_of(1, 7, 0), NULL);
SELECT factorial_2x2(moments_of(1, 6, 0), moments_of_matrix(3, '{1,1}'::float8[], '{{1,0},{0,1}}'), moments_of(1, 7, 0), moments_of(1, 6, 0));
SELECT factorial_2x2(moments_of(1, 6, 0), moments_of(1, 6, 0), moments_of(1, 7, 0), moments_of(1, 6, 0), alpha => 1);
SELECT factorial_2x2(moments_of(1, 6, 0), moments_of(1, 6, 0), moments_of(1, 7, 0), moments_of(1, 6, 0), alpha => NULL);

SELECT factorial_2x2(moments_of(3, 1e308, 1), moments_of(3, -1e308, 1), moments_of(3, 1e308, 1), moments_of(3, -1e308, 1));
SELECT factorial_2x2(moments_of(3, 1, 1e308), moments_of(3, 1, 1e308), moments_of(1, 7, 0), moments_of(1, 6, 0));
SELECT factorial_2x2(moments_of(9e18::bigint, 1, 1), moments_of(9e18::bigint, 1, 1), moments_of(3, 1, 1), moments_of(3, 1, 1));

-- heterogeneity
\x on
SELECT h.* FROM segment_heterogeneity('{0.12,0.31,-0.05,0.22,0.4}'::float8[], '{0.1,0.08,0.12,0.05,0.2}') h;
SELECT h.* FROM segment_heterogeneity('{0.2,0.2}'::float8[], '{0.1,0.3}', alpha => 0.2) h;
SELECT h.* FROM segment_heterogeneity('{0.2}'::float8[], '{0.1}') h;
SELECT h.* FROM (SELECT array_agg(control ORDER BY big) AS c, array_agg(treatment ORDER BY big) AS t FROM stratum) s, segment_heterogeneity(s.c, s.t) h;
\x off
SELECT segment_heterogeneity('{0.1,0.2}'::float8[], '{0.1}');
SELECT segment_heterogeneity('{}'::float8[], '{}');
SELECT segment_heterogeneity('{0.1,0.2}'::float8[], '{0.1,0}');
SELECT segment_heterogeneity('{0.1,0.2}'::float8[], '{-0.1,0.1}');
SELECT segment_heterogeneity('{0.1,NaN}'::float8[], '{0.1,0.1}');
SELECT segment_heterogeneity('{0.1,0.1}'::float8[], '{0.1,Infinity}');
SELECT segment_heterogeneity('{0.1,NULL}'::float8[], '{0.1,0.1}');
SELECT segment_heterogeneity(NULL::float8[], '{0.1,0.1}');
SELECT segment_heterogeneity('{0.1}'::float8[], NULL::float8[]);
SELECT segment_heterogeneity('{{0.1}}'::float8[], '{0.1}');
SELECT segment_heterogeneity('{0.1}'::float8[], '{0.1}', alpha => 2);
SELECT segment_heterogeneity('{1e308,-1e308}'::float8[], '{1e-10,1e-10}');
SELECT segment_heterogeneity('{1e200,-1e200}'::float8[], '{1e190,1e190}');
SELECT segment_heterogeneity(ARRAY[moments_of(3, 1e308, 1)], ARRAY[moments_of(3, -1e308, 1)]);
SELECT segment_heterogeneity(ARRAY[moments_of(3, 1, 1), moments_of(3, 1, 0)], ARRAY[moments_of(3, 1, 1), moments_of(3, 1, 0)]);
SELECT segment_heterogeneity(ARRAY[moments_of(3, 1, 1), NULL], ARRAY[moments_of(3, 1, 1), moments_of(3, 1, 1)]);
SELECT segment_heterogeneity(ARRAY[moments_of(3, 1, 1)], ARRAY[moments_of(1, 1, 0)]);
SELECT segment_heterogeneity(ARRAY[moments_of(3, 1, 1)], ARRAY[moments_of(3, 1, 1), moments_of(3, 1, 1)]);
SELECT segment_heterogeneity(ARRAY[]::moments[], ARRAY[]::moments[]);

-- a row for each segment, whatever there is of it
\x on
SELECT e.* FROM (SELECT array_agg(big::text ORDER BY big) AS s, array_agg(control ORDER BY big) AS c, array_agg(treatment ORDER BY big) AS t FROM stratum) s,
	segment_effects(s.s, s.c, s.t) e;
\x off
CREATE TABLE segments AS
SELECT '{one,two,three,four,five,six,NULL}'::text[] AS names,
	ARRAY[moments_of(50, 1, 1), moments_of(40, 1, 1), NULL, moments_of(30, 2, 0), moments_of(50, 1, 2), moments_of(1, 2, 0), moments_of(9, 0, 2)] AS control,
	ARRAY[moments_of(50, 1.5, 1), moments_of(40, 1.1, 1), moments_of(9, 1, 1), moments_of(30, 2, 0), moments_of(1, 1.5, 0), moments_of(50, 3, 2), moments_of(10, 2, 3)] AS treatment;
SELECT segment, n_control, n_treatment, difference, stderr, p_value, adjusted_p_value, relative_difference FROM segments, segment_effects(names, control, treatment);
SELECT segment, ci_low, ci_high, p_value, adjusted_p_value FROM segments, segment_effects(names, control, treatment, 0.1, 'bonferroni', 'greater');
SELECT segment, p_value, adjusted_p_value FROM segment_effects('{a}', ARRAY[NULL::moments], ARRAY[NULL::moments]);
SELECT * FROM segment_effects('{}', '{}', '{}');
SELECT * FROM segment_effects('{a,b}', ARRAY[moments_of(3, 1, 1)], ARRAY[moments_of(3, 1, 1)]);
SELECT * FROM segment_effects('{{a},{b}}', ARRAY[moments_of(3, 1, 1), NULL], ARRAY[moments_of(3, 1, 1), NULL]);
SELECT * FROM segment_effects('{a}', ARRAY[moments_of(3, 1, 1)], '{}');
SELECT * FROM segment_effects('{a}', ARRAY[moments_of(3, 1, 1)], ARRAY[moments_of_matrix(3, ARRAY[1,1]::float8[], ARRAY[[1,0],[0,1]])]);
SELECT * FROM segment_effects(NULL, ARRAY[moments_of(3, 1, 1)], ARRAY[moments_of(3, 1, 1)]);
SELECT * FROM segment_effects('{a}', ARRAY[moments_of(3, 1, 1)], NULL);
SELECT * FROM segment_effects('{a}', ARRAY[moments_of(3, 1e308, 1)], ARRAY[moments_of(3, -1e308, 1)]);
SELECT * FROM segment_effects('{a}', ARRAY[moments_of(3, 1, 1)], ARRAY[moments_of(3, 1, 1)], alpha => -1);
SELECT * FROM segment_effects('{a}', ARRAY[moments_of(3, 1, 1)], ARRAY[moments_of(3, 1, 1)], alternative => 'both');

-- quantiles
CREATE TABLE wait AS
SELECT i, i % 2 = 0 AS treated, ((i * 7919) % 1009)::float8 / 100 + CASE WHEN i % 2 = 0 THEN 1 ELSE 0 END AS seconds FROM generate_series(1, 1000) i;
\x on
SELECT (lift_quantile(seconds, treated, 0.5)).* FROM wait;
SELECT (lift_quantile(seconds, treated, 0.9)).* FROM wait;
SELECT q.* FROM (SELECT lift_quantile_partial(seconds, treated, 0.9) AS s FROM wait) s, quantile_effect(s.s, 0.01, 'greater') q;
SELECT q.* FROM quantile_effect(0.5, 500, 3, 2.5, 3.6, 520, 3.4, 2.9, 4.1) q;
-- too far out for so few units; units that are all alike; one arm alone; one unit; a control of 0
SELECT (lift_quantile(seconds, treated, 0.99)).* FROM wait WHERE i <= 100;
SELECT (lift_quantile(seconds, treated, 0.01)).* FROM wait WHERE i <= 100;
SELECT (lift_quantile(round(seconds / 100), treated, 0.5)).* FROM wait;
SELECT (lift_quantile(seconds, treated, 0.5)).* FROM wait WHERE treated;
SELECT (lift_quantile(seconds, treated, 0.5)).* FROM wait WHERE i = 1;
SELECT q.difference, q.p_value, q.relative_difference, q.relative_p_value FROM quantile_effect(0.5, 500, 0, -1, 1, 520, 3.4, 2.9, 4.1) q;
SELECT q.difference, q.stderr, q.p_value, q.relative_stderr, q.relative_p_value, q.t, q.df FROM quantile_effect(0.5, 1, 3, 2.5, 3.6, 520, 3.4, 2.9, 4.1) q;
\x off
-- quantiles are those of percentile_cont
SELECT nu, (q).quantile_treatment = percentile AS same
FROM unnest('{0.1,0.25,0.5,0.75,0.99}'::float8[]) nu,
	LATERAL (SELECT lift_quantile(seconds, treated, nu) AS q, percentile_cont(nu) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE treated) AS percentile FROM wait) x;
-- nulls are skipped, numeric is read, no rows give nothing
SELECT lift_quantile(seconds, treated, 0.5) = (SELECT lift_quantile(seconds::numeric, treated, 0.5) FROM wait) AS same
FROM (SELECT seconds, treated FROM wait UNION ALL VALUES (NULL, true), (7, NULL)) x;
SELECT lift_quantile(seconds, treated, 0.5), lift_quantile_partial(seconds, treated, 0.5) FROM wait WHERE false;
SELECT lift_quantile_merge(NULL), quantile_effect(NULL::quantile_lift_state);
SELECT lift_quantile_merge(s) = (SELECT lift_quantile(seconds, treated, 0.5) FROM wait) AS same
FROM (SELECT lift_quantile_partial(seconds, treated, 0.5) AS s FROM wait GROUP BY i % 7) x;
SELECT lift_quantile_partial(x, x > 1, 0.5) FROM generate_series(1, 2) x;

-- refused
SELECT lift_quantile(1, true, 0);
SELECT lift_quantile(1, true, 1);
SELECT lift_quantile(1, true, NULL);
SELECT lift_quantile(1, true, 'NaN');
SELECT lift_quantile('NaN', true, 0.5);
SELECT lift_quantile('Infinity', true, 0.5);
SELECT lift_quantile(x, true, x / 3) FROM generate_series(1, 2) x(x), generate_series(1, 2);
SELECT lift_quantile(x, true, x / 4.0) FROM generate_series(1, 2) x;
SELECT lift_quantile_merge(s) FROM (SELECT lift_quantile_partial(x, true, x / 4.0) AS s FROM generate_series(1, 2) x GROUP BY x) x;
SELECT quantile_effect(lift_quantile_partial(1, true, 0.5), alpha => 0);
SELECT quantile_effect(lift_quantile_partial(1, true, 0.5), alternative => 'none');
SELECT quantile_effect(1, 500, 3, 2.5, 3.6, 520, 3.4, 2.9, 4.1);
SELECT quantile_effect(0.5, 0, 3, 2.5, 3.6, 520, 3.4, 2.9, 4.1);
SELECT quantile_effect(0.5, 500, 3, 3.6, 2.5, 520, 3.4, 2.9, 4.1);
SELECT quantile_effect(0.5, 500, 3, 2.5, 3.6, 520, 4.4, 2.9, 4.1);
SELECT quantile_effect(0.5, 500, 3, 2.5, 3.6, NULL, 3.4, 2.9, 4.1);
SELECT quantile_effect(0.5, 500, 3, 2.5, 3.6, 520, 'NaN', 2.9, 4.1);
SELECT quantile_effect(0.5, 500, 1e308, 1e308, 1e308, 520, -1e308, -1e308, -1e308);
SELECT quantile_effect(0.5, 500, 3, 2.5, NULL, 520, 3.4, 2.9, 4.1);
SELECT quantile_effect(0.5, 500, 3, 2.5, 3.6, 520, 3.4, 2.9, 4.1, alpha => 1);

-- outcomes without extremes
SELECT x, winsorize(x, 2, 4), winsorize(x, NULL, 4), winsorize(x, 2, NULL), winsorize(x, NULL, NULL), winsorize(x, 3, 3)
FROM unnest('{1,2,3.5,4,5,NULL}'::float8[]) x;
SELECT x, winsorize(x, 2, 4), winsorize(x, NULL, 4.50), winsorize(x, 2.00, NULL), winsorize(x, NULL, NULL), pg_typeof(winsorize(x, 2, 4))
FROM unnest('{1,2,3.50,4,5,NULL}'::numeric[]) x;
SELECT winsorize(5::float8, 4, 2);
SELECT winsorize(5::numeric, 4, 2);
SELECT winsorize(NULL::float8, 4, 2);
SELECT winsorize(NULL::numeric, 4, 2);
SELECT winsorize('NaN'::float8, 1, 2);
SELECT winsorize('Infinity'::float8, 1, 2);
SELECT winsorize('NaN'::numeric, 1, 2);
SELECT winsorize('-Infinity'::numeric, 1, 2);
SELECT winsorize(1::float8, 'NaN', 2);
SELECT winsorize(1::numeric, 1, 'Infinity');

-- malformed states
SELECT 'abc'::quantile_lift_state;
SELECT 'a5'::quantile_lift_state;
SELECT qini_partial(1, true, 1)::text::quantile_lift_state;

DROP TABLE unit, stratum, segments, wait;
