-- Fits of the models of purchases and spending: what they find, and that they find it in whatever way the customers come.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;
SET LOCAL max_parallel_workers_per_gather = 0;

SELECT no_plan();

-- Simulated customers.  With whole shapes, gamma variates are sums of logarithms and those of Beta(1, b) roots.
CREATE FUNCTION simulate(model text, n int, seed float8, OUT id int, OUT x float8, OUT t_x float8, OUT t float8, OUT m float8)
RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
	rate float8; leave float8; ends float8; now float8;
BEGIN
	PERFORM setseed(seed);
	FOR i IN 1 .. n LOOP
		id := i; x := 0; t_x := 0; m := 0; now := 0;
		IF model = 'gamma_gamma' THEN		-- p 2, q 3, v 30
			x := 1 + floor(5 * random());
			rate := -ln((1 - random()) * (1 - random()) * (1 - random())) / 30;
			FOR j IN 1 .. 2 * x LOOP
				m := m - ln(1 - random()) / rate / x;
			END LOOP;
		ELSIF model = 'bgbb' THEN			-- alpha 1, beta 2, gamma 1, delta 4
			t := 10;
			rate := 1 - sqrt(random());
			leave := 1 - random() ^ (1 / 4.0);
			FOR j IN 1 .. 10 LOOP
				EXIT WHEN random() < leave;
				IF random() < rate THEN
					x := x + 1;
					t_x := j;
				END IF;
			END LOOP;
		ELSE								-- r 2, alpha 10, a 1, b 4 or s 1, beta 20
			t := 20 + 80 * random();
			rate := -ln((1 - random()) * (1 - random())) / 10;
			leave := CASE WHEN model = 'pareto_nbd' THEN 0 ELSE 1 - random() ^ (1 / 4.0) END;
			ends := CASE WHEN model = 'pareto_nbd' THEN least(t, ln(1 - random()) / ln(1 - random()) * 20) ELSE t END;
			IF model = 'mbgnbd' AND random() < leave THEN ends := 0; END IF;
			LOOP
				now := now - ln(1 - random()) / rate;
				EXIT WHEN now > ends;
				x := x + 1;
				t_x := now;
				EXIT WHEN random() < leave;
			END LOOP;
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;

CREATE TABLE bgnbd AS SELECT * FROM simulate('bgnbd', 2000, 0.1);
CREATE TABLE mbgnbd AS SELECT * FROM simulate('mbgnbd', 2000, 0.2);
CREATE TABLE pareto AS SELECT * FROM simulate('pareto_nbd', 2000, 0.3);
CREATE TABLE bgbb AS SELECT * FROM simulate('bgbb', 2000, 0.4);
CREATE TABLE spend AS SELECT * FROM simulate('gamma_gamma', 2000, 0.5);

CREATE TABLE fits AS
SELECT (f).*, truth FROM (SELECT bgnbd_fit(x, t_x, t) AS f FROM bgnbd) s, (VALUES ('{2,10,1,4}'::float8[])) v (truth)
UNION ALL SELECT (f).*, '{2,10,1,4}' FROM (SELECT mbgnbd_fit(x, t_x, t) AS f FROM mbgnbd) s
UNION ALL SELECT (f).*, '{2,10,1,20}' FROM (SELECT pareto_nbd_fit(x, t_x, t) AS f FROM pareto) s
UNION ALL SELECT (f).*, '{1,2,1,4}' FROM (SELECT bgbb_fit(x, t_x, t) AS f FROM bgbb) s;
INSERT INTO fits
SELECT 'gamma_gamma', (f).params, (f).standard_errors, (f).log_likelihood, (f).customers, (f).iterations, (f).converged, (f).reason, '{2,3,30}'
FROM (SELECT gamma_gamma_fit(x, m) AS f FROM spend) s;

-- 2000 customers are enough for errors of a few percent to a third
SELECT ok(converged AND reason IS NULL AND customers = 2000 AND iterations > 0, model || ' converges') FROM fits ORDER BY 1;
SELECT ok(bool_and(abs(p - t) < 3.5 * e AND e BETWEEN 0.005 * p AND 0.4 * p), model || ' finds the parameters: ' || array_agg(round(p::numeric, 3) || ' +- ' || round(e::numeric, 3))::text)
FROM fits, unnest(params, standard_errors, truth) AS u (p, e, t) GROUP BY model ORDER BY model;

-- the standard errors are those of estimates: over samples, (estimate - truth) / error has variance 1
SELECT ok(count(*) = 160 AND avg(((p - t) / e) ^ 2) BETWEEN 0.6 AND 1.6, 'standard errors are right: ' || avg(((p - t) / e) ^ 2))
FROM (SELECT bgnbd_fit(x, t_x, t) AS f FROM simulate('bgnbd', 12000, 0.6) GROUP BY id % 40) s, unnest((f).params, (f).standard_errors, '{2,10,1,4}'::float8[]) AS u (p, e, t);

-- The log likelihood is the sum of those of customers, which the models compute by other formulas; and no parameters near by have a higher one.
CREATE VIEW customers AS SELECT 'bgnbd' AS model, * FROM bgnbd UNION ALL SELECT 'mbgnbd', * FROM mbgnbd UNION ALL SELECT 'pareto_nbd', * FROM pareto
UNION ALL SELECT 'bgbb', * FROM bgbb;
SELECT ok(abs(log_likelihood / total - 1) < 1e-11, model || ': the log likelihood is that of the customers: ' || log_likelihood || ', ' || total)
FROM (SELECT model, f.log_likelihood, sum(log_likelihood(purchase_model(model, VARIADIC f.params), c.x, c.t_x, c.t)) AS total FROM fits f JOIN customers c USING (model) GROUP BY 1, 2
	UNION ALL SELECT model, f.log_likelihood, sum(log_likelihood(spend_model(params[1], params[2], params[3]), s.x, s.m)) FROM fits f, spend s WHERE model = 'gamma_gamma' GROUP BY 1, 2) x ORDER BY model;
-- ... few customers of very different rates, far apart in time, as integrals over long pieces have it
CREATE TABLE sparse AS SELECT id, x, CASE WHEN x > 0 THEN t_x ELSE 0 END AS t_x, t
FROM (SELECT id, floor(0.1 * 1.35 ^ id) AS x, 900 * (0.1 + 0.13 * (id % 7)) AS t_x, 900 + 100 * (id % 3) AS t FROM generate_series(1, 30) id) s;
SELECT ok(abs((f).log_likelihood / total - 1) < 1e-12, '... far apart: ' || f::text || ' ' || total)
FROM (SELECT f, sum(log_likelihood(f, x, t_x, t)) AS total FROM (SELECT unnest(ARRAY[bgnbd_fit(x, t_x, t), mbgnbd_fit(x, t_x, t), pareto_nbd_fit(x, t_x, t)]) AS f FROM sparse) fitted, sparse GROUP BY f) s;
CREATE TABLE few AS
SELECT (f).* FROM (SELECT unnest(ARRAY[(SELECT bgnbd_fit(x, t_x, t) FROM bgnbd WHERE id <= 400), (SELECT mbgnbd_fit(x, t_x, t) FROM mbgnbd WHERE id <= 400),
	(SELECT pareto_nbd_fit(x, t_x, t) FROM pareto WHERE id <= 400), (SELECT bgbb_fit(x, t_x, t) FROM bgbb WHERE id <= 400)]) AS f) s;
CREATE VIEW near AS
SELECT model, log_likelihood, ARRAY(SELECT p * CASE WHEN j = i THEN f ELSE 1 END FROM unnest(params) WITH ORDINALITY AS u (p, j)) AS moved
FROM (SELECT model, log_likelihood, params FROM few UNION ALL SELECT model, log_likelihood, params FROM fits WHERE model = 'gamma_gamma') s, generate_series(1, cardinality(params)) i, unnest('{0.999,1.001}'::float8[]) f;
SELECT ok(bool_and(total < log_likelihood AND total > log_likelihood - 1) AND count(*) = 2 * max(cardinality(moved)), model || ': it is the highest')
FROM (SELECT n.*, (SELECT sum(log_likelihood(purchase_model(model, VARIADIC moved), c.x, c.t_x, c.t)) FROM customers c WHERE c.model = n.model AND c.id <= 400) AS total FROM near n WHERE model <> 'gamma_gamma'
	UNION ALL SELECT n.*, (SELECT sum(log_likelihood(spend_model(moved[1], moved[2], moved[3]), s.x, s.m)) FROM spend s) FROM near n WHERE model = 'gamma_gamma') x
GROUP BY model ORDER BY model;

-- the best of three
SELECT is((f).model, truth, 'fit_best() finds ' || truth) FROM (
	SELECT 'bgnbd' AS truth, fit_best(x, t_x, t) AS f FROM bgnbd UNION ALL SELECT 'mbgnbd', fit_best(x, t_x, t) FROM mbgnbd UNION ALL SELECT 'pareto_nbd', fit_best(x, t_x, t) FROM pareto) s;
SELECT ok((b).log_likelihood = greatest((f1).log_likelihood, (f2).log_likelihood, (f3).log_likelihood) AND b = f3, '... which is that fit')
FROM (SELECT fit_best(x, t_x, t) AS b, bgnbd_fit(x, t_x, t) AS f1, mbgnbd_fit(x, t_x, t) AS f2, pareto_nbd_fit(x, t_x, t) AS f3 FROM pareto) s;

-- units: what is longer by a factor has so much larger times as parameters, and a density as much lower for each purchase
SELECT ok(bool_and(abs(p2 / p1 / CASE WHEN i IN (2, 4) THEN unit ELSE 1 END - 1) < 1e-5 AND abs((f2.log_likelihood + purchases * ln(unit)) / f1.log_likelihood - 1) < 1e-10), 'units of time: ' || unit)
FROM unnest('{7,1e-9,1e12}'::float8[]) unit, (SELECT (pareto_nbd_fit(x, t_x, t)).* FROM pareto) f1, LATERAL (SELECT (pareto_nbd_fit(x, t_x * unit, t * unit)).*, sum(x) AS purchases FROM pareto) f2,
	unnest(f1.params, f2.params) WITH ORDINALITY AS u (p1, p2, i) GROUP BY unit;

-- Whatever the order, and however split: the same to the last bit.
CREATE TABLE days AS SELECT id, x, ceil(t_x / 4) AS t_x, ceil(t / 4) AS t, 1 + id % 4 AS w, (1 + id % 7) / 10.0::float8 AS part_of FROM bgnbd;
CREATE TABLE whole AS
SELECT bgnbd_fit(x, t_x, t) AS bgnbd, bgnbd_fit(x, t_x, t, w) AS weighted, mbgnbd_fit(x, t_x, t, part_of) AS mbgnbd, pareto_nbd_fit(x, t_x, t) AS pareto, fit_best(x, t_x, t, part_of) AS best FROM days;
CREATE TABLE whole_spend AS SELECT gamma_gamma_fit(x, m) AS f, gamma_gamma_fit(x, m, x / 3) AS w FROM spend;
SELECT ok((bgnbd).converged AND (weighted).converged AND abs((mbgnbd).customers - 800) < 1 AND (weighted).customers = 5000, 'fits of weighted customers') FROM whole;
SELECT results_eq('SELECT bgnbd_fit(x, t_x, t), bgnbd_fit(x, t_x, t, w), mbgnbd_fit(x, t_x, t, part_of), pareto_nbd_fit(x, t_x, t), fit_best(x, t_x, t, part_of)
	FROM (SELECT * FROM days ORDER BY ' || o || ') s', 'TABLE whole', 'ordered by ' || o) FROM unnest('{t desc,hashint8(id)}'::text[]) o;
SELECT results_eq('SELECT gamma_gamma_fit(x, m), gamma_gamma_fit(x, m, x / 3) FROM (SELECT * FROM spend ORDER BY ' || o || ') s', 'TABLE whole_spend', '... spending') FROM unnest('{m,x desc}'::text[]) o;
CREATE TABLE parts AS
SELECT id % 13 AS part, bgnbd_fit_partial(x, t_x, t) AS plain, bgnbd_fit_partial(x, t_x, t, w) AS weighted, mbgnbd_fit_partial(x, t_x, t, part_of) AS portions FROM days GROUP BY 1;
SELECT results_eq('SELECT bgnbd_fit_merge(plain), bgnbd_fit_merge(weighted), mbgnbd_fit_merge(portions), pareto_nbd_fit_merge(plain), fit_best_merge(portions) FROM parts', 'TABLE whole', 'merged from parts');
SELECT results_eq('SELECT gamma_gamma_fit_merge(a), gamma_gamma_fit_merge(b) FROM (SELECT gamma_gamma_fit_partial(x, m) AS a, gamma_gamma_fit_partial(x, m, x / 3) AS b FROM spend GROUP BY hashint8(id) % 5) s',
	'TABLE whole_spend', '... spending');
SELECT ok(bgbb_fit_merge(s) = f, '... opportunities')
FROM (SELECT bgbb_fit_partial(x, t_x, t) AS s FROM bgbb GROUP BY id % 3) p, (SELECT bgbb_fit(x, t_x, t) AS f FROM bgbb) w GROUP BY f;
SELECT is(bgnbd_fit(x, t_x, t), (SELECT weighted FROM whole), 'weights are repetitions') FROM days, generate_series(1, w);
SELECT is(bgnbd_fit(x, t_x, t, 1), (SELECT bgnbd FROM whole), '... one is one') FROM days;
SELECT is(bgnbd_fit(x, t_x, t, CASE WHEN n = 0 THEN 0 ELSE 1 END), (SELECT bgnbd FROM whole), '... and none is none') FROM (SELECT *, 1 AS n FROM days UNION ALL SELECT *, 0 FROM days WHERE id < 100) s;
SELECT is(bgnbd_fit(x, t_x, t), (SELECT bgnbd FROM whole), 'rows with a null are skipped')
FROM (SELECT x, t_x, t FROM days UNION ALL SELECT NULL, 0, 5 FROM days UNION ALL SELECT 3, NULL, 5 UNION ALL SELECT 3, 2, NULL) s;
SELECT is(bgnbd_fit(x, t_x, t, v), (SELECT bgnbd FROM whole), '... a null weight too') FROM (SELECT *, 1 AS v FROM days UNION ALL SELECT *, NULL FROM days) s;
SELECT ok(bgnbd_fit(x, t_x, t) FILTER (WHERE id % 2 = 0) = (SELECT bgnbd_fit(x, t_x, t) FROM days WHERE id % 2 = 0)
	AND gamma_gamma_fit(x, t) FILTER (WHERE false) IS NULL, 'FILTER') FROM days;
SELECT results_eq('SELECT DISTINCT w, bgnbd_fit(x, t_x, t) OVER (PARTITION BY w) FROM days ORDER BY 1', 'SELECT w, bgnbd_fit(x, t_x, t) FROM days GROUP BY w ORDER BY 1', 'as window functions');
SELECT results_eq('SELECT id, bgnbd_fit(x, t_x, t) OVER (ORDER BY id) FROM days WHERE id <= 40 ORDER BY 1, 2 LIMIT 60',
	'SELECT d.id, (SELECT bgnbd_fit(x, t_x, t) FROM days e WHERE e.id <= d.id) FROM days d WHERE id <= 40 ORDER BY 1, 2 LIMIT 60', '... running');
SELECT ok(bgnbd_fit(x, t_x, t) IS NULL AND gamma_gamma_fit(x, m) IS NULL AND bgbb_fit(x, t_x, t) IS NULL AND fit_best_partial(x, t_x, t) IS NULL, 'no rows, no fit') FROM bgbb WHERE false;
SELECT ok(bgnbd_fit(NULL, t_x, t) IS NULL AND bgnbd_fit(x, t_x, t, 0) IS NULL AND gamma_gamma_fit(0, 5) IS NULL AND bgnbd_fit_merge(NULL) IS NULL, '... nor of rows that do not count') FROM bgbb;

-- a large sample begins with a part of itself; one of 42000 customers who differ in the seventh digit is one of 2000 who count 21 times
CREATE TABLE large AS SELECT id, x, t_x, t + j * 1e-7 AS t FROM bgnbd, generate_series(0, 20) j;
SELECT ok((f).converged AND (f).customers = 42000 AND bool_and(abs(p / q - 1) < 1e-4), 'a large sample: ' || (f).params::text)
FROM (SELECT bgnbd_fit(x, t_x, t) AS f FROM large) a, (SELECT bgnbd_fit(x, t_x, t, 21) AS g FROM bgnbd) b, unnest((f).params || (f).standard_errors, (g).params || (g).standard_errors) AS u (p, q) GROUP BY f;
SELECT is(bgnbd_fit_merge(s), (SELECT bgnbd_fit(x, t_x, t) FROM (SELECT * FROM large ORDER BY t) o), '... in any order') FROM (SELECT bgnbd_fit_partial(x, t_x, t) AS s FROM large GROUP BY id % 3) p;

-- plans
CREATE FUNCTION plan_has(query text, what text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		IF line LIKE '%' || what || '%' THEN RETURN true; END IF;
	END LOOP;
	RETURN false;
END $$;
\set query 'SELECT bgnbd_fit(x, t_x, t), bgnbd_fit(x, t_x, t, w), mbgnbd_fit(x, t_x, t, part_of), pareto_nbd_fit(x, t_x, t), fit_best(x, t_x, t, part_of) FROM days'
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
SELECT ok(plan_has(:'query', 'Gather') AND plan_has(:'query', 'Partial Aggregate'), 'a parallel plan');
SELECT results_eq(:'query', 'TABLE whole', '... agrees with the serial one');
SELECT ok(plan_has('SELECT bgnbd_fit_merge(plain) FROM parts', 'Partial'), 'a parallel plan of merging');
SELECT results_eq('SELECT bgnbd_fit_merge(plain), bgnbd_fit_merge(weighted), mbgnbd_fit_merge(portions), pareto_nbd_fit_merge(plain), fit_best_merge(portions) FROM parts', 'TABLE whole', '... agrees too');
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE TABLE spread (LIKE days) PARTITION BY HASH (id);
CREATE TABLE spread_0 PARTITION OF spread FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE spread_1 PARTITION OF spread FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO spread TABLE days;
SET LOCAL enable_partitionwise_aggregate = on;
SELECT ok(plan_has(replace(:'query', 'days', 'spread'), 'Partial Aggregate'), 'partitions are aggregated one by one');
SELECT results_eq(replace(:'query', 'days', 'spread'), 'TABLE whole', '... to the same result');

-- states outside
CREATE TABLE before AS SELECT part, plain::text AS t, portions::text AS p FROM parts;
SELECT ok(bool_and(t::fit_sample::text = t AND p::fit_sample::text = p), 'through text') FROM before;
SELECT results_eq('SELECT bgnbd_fit_merge(t::fit_sample), mbgnbd_fit_merge(p::fit_sample) FROM before', 'SELECT bgnbd, mbgnbd FROM whole', '... to the same fit');
CREATE TABLE received (LIKE parts);
\set tmp .
\getenv tmp PERSONALIZE_TMP
\set file :tmp '/value_fit.copy'
\set receive '\\copy received FROM ' :file ' (FORMAT binary)'
COPY parts TO STDOUT (FORMAT binary) \g :file
:receive
\setenv file :file
\! rm -f "$file"
SELECT results_eq('SELECT part, plain::text, portions::text FROM received ORDER BY 1', 'TABLE before ORDER BY 1', 'through binary');
SELECT is(bgnbd_fit_merge(weighted), (SELECT weighted FROM whole), '... to the same fit') FROM received;
SELECT ok(bool_and(fit_sample_add_customer(plain, 1, 2, 3)::text <> t AND fit_sample_combine(plain, plain)::text <> t), 'as plain functions the state functions work') FROM parts JOIN before USING (part);
SELECT results_eq('SELECT part, plain::text, portions::text FROM parts ORDER BY 1', 'TABLE before ORDER BY 1', '... and leave what was stored as it was');
SELECT is((SELECT a.plain::text FROM (SELECT bgnbd_fit_partial(x, t_x, t) AS plain FROM (SELECT * FROM days ORDER BY t DESC) o) a),
	bgnbd_fit_partial(x, t_x, t)::text, 'equal samples have equal forms') FROM days;

CREATE FUNCTION refused(state text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM state::fit_sample;
	RETURN false;
EXCEPTION WHEN invalid_binary_representation OR feature_not_supported THEN
	RETURN true;
END $$;
\ir state_checksum.psql
CREATE FUNCTION sealed(kind int, n int, VARIADIC numbers float8[]) RETURNS text LANGUAGE sql AS $$
	SELECT encode(d || state_checksum(d), 'hex') FROM (SELECT '\xa50b01'::bytea || substr(int2send(kind::int2), 2) || int4send(n) || string_agg(float8send(x), '' ORDER BY i) AS d
		FROM unnest(numbers) WITH ORDINALITY AS u (x, i)) s $$;
CREATE TABLE small AS SELECT decode(bgnbd_fit_partial(x, t_x, t)::text, 'hex') AS s FROM (VALUES (2, 3.5, 7), (0, 0, 4), (2, 3.5, 7)) v (x, t_x, t);
SELECT is(encode(s, 'hex'), sealed(1, 2, 0, 0, 4, 1, 0, 2, 3.5, 7, 2, 0), 'this test knows the form of a state') FROM small;
SELECT ok(bool_and(refused(encode(set_byte(s, i, get_byte(s, i) # bit), 'hex'))), 'a changed byte is refused') FROM small, generate_series(0, length(s) - 1) i, unnest('{1,128}'::int[]) bit;
SELECT ok(bool_and(refused(encode(substr(s, 1, i), 'hex'))), '... and a cut state') FROM small, generate_series(0, length(s) - 1) i;
SELECT ok(refused(state), '... and for all its checksum one with ' || what) FROM (VALUES
	(sealed(0, 1, 0, 0, 4, 1, 0), 'no kind'), (sealed(4, 1, 0, 0, 4, 1, 0), 'an unknown kind'),
	(sealed(1, 0, 0, 0, 4, 1, 0), 'a row too many'), (sealed(1, 2, 0, 0, 4, 1, 0), 'a row too few'), (sealed(1, -1, 0, 0, 4, 1, 0), 'a negative count'),
	(sealed(1, 1, 0, 0, 4, 1, 0, 5), 'something behind it'),
	(sealed(1, 2, 2, 3, 7, 1, 0, 0, 0, 4, 1, 0), 'rows in disorder'), (sealed(1, 2, 0, 0, 4, 1, 0, 0, 0, 4, 1, 0), 'a row twice'),
	(sealed(1, 1, 0, 0, 4, 0, 0), 'weight 0'), (sealed(1, 1, 0, 0, 4, -1, 0), 'a negative weight'), (sealed(1, 1, 0, 0, 4, 'NaN', 0), 'weight NaN'), (sealed(1, 1, 0, 0, 4, 'Infinity', 0), 'infinite weight'),
	(sealed(1, 1, 0, 0, 4, 1, 1), 'a weight of two parts'), (sealed(1, 1, 0, 0, 4, 1, 'NaN'), 'NaN within a weight'),
	(sealed(1, 1, 'NaN', 0, 4, 1, 0), 'frequency NaN'), (sealed(1, 1, -1, 0, 4, 1, 0), 'negative frequency'), (sealed(1, 1, 1.5, 0, 4, 1, 0), 'half a purchase'), (sealed(1, 1, 'Infinity', 0, 4, 1, 0), 'infinite frequency'),
	(sealed(1, 1, 3e9, 1, 4, 1, 0), 'too many purchases'), (sealed(2, 1, 1, 1, 1000001, 1, 0), 'too many opportunities'), (sealed(1, 1, 1, -1, 4, 1, 0), 'negative recency'), (sealed(1, 1, 1, 5, 4, 1, 0), 'recency beyond tenure'), (sealed(1, 1, 0, 1, 4, 1, 0), 'recency without purchases'), (sealed(1, 1, 1, 1, 'Infinity', 1, 0), 'infinite tenure'),
	(sealed(2, 1, 1, 1.5, 4, 1, 0), 'recency between opportunities'), (sealed(2, 1, 3, 2, 4, 1, 0), 'more purchases than opportunities'), (sealed(2, 1, 1, 1, 4.5, 1, 0), 'half an opportunity'),
	(sealed(3, 1, 0, 5, 0, 1, 0), 'spending of nothing bought'), (sealed(3, 1, 1, 0, 0, 1, 0), 'spending nothing'), (sealed(3, 1, 1, 5, 1, 1, 0), 'spending with a tenure')) v (state, what);
SELECT ok(NOT refused(sealed(1, 1, 3, 2, 4, 1e-9, 0)) AND NOT refused(sealed(2, 1, 1, 1, 1, 5, 0)) AND NOT refused(sealed(3, 1, 1, 0.5, 0, 1, 1e-20)), '... not one that is right');
SELECT throws_ok('SELECT ' || name || '_merge(s) FROM (SELECT gamma_gamma_fit_partial(x, m) AS s FROM spend) p', '22023', NULL, name || '_merge() refuses another kind') FROM unnest('{bgnbd_fit,fit_best,bgbb_fit}'::text[]) name;
SELECT throws_ok('SELECT fit_sample_combine(a, b) FROM (SELECT bgnbd_fit_partial(1, 2, 3) AS a, bgbb_fit_partial(1, 2, 3) AS b) p', '22023', NULL, 'so does merging itself');

-- Where there is no fit there is a reason.
CREATE FUNCTION given(fit purchase_fit, what text) RETURNS boolean LANGUAGE sql AS $$ SELECT coalesce((fit).params IS NULL AND (fit).standard_errors IS NULL AND (fit).log_likelihood IS NULL AND NOT (fit).converged AND (fit).reason LIKE what, false) $$;
SELECT ok(given(bgnbd_fit(2, 3, 4), 'too few%are 1') AND (bgnbd_fit(2, 3, 4)).customers = 1 AND (bgnbd_fit(2, 3, 4)).model = 'bgnbd', 'one customer');
SELECT ok(bool_and(given(f, 'too few%are 9')), 'too few customers') FROM (SELECT unnest(ARRAY[bgnbd_fit(x, t_x, t), mbgnbd_fit(x, t_x, t), pareto_nbd_fit(x, t_x, t), fit_best(x, t_x, t), bgbb_fit(x, ceil(t_x) + x, 200)]) AS f FROM bgnbd WHERE id <= 9) s;
SELECT ok(bool_and((f).reason IS DISTINCT FROM 'x' AND (f).params IS NOT NULL AND (f).customers = 10), '... and just enough') FROM (SELECT unnest(ARRAY[bgnbd_fit(x, t_x, t), mbgnbd_fit(x, t_x, t), pareto_nbd_fit(x, t_x, t), fit_best(x, t_x, t)]) AS f FROM bgnbd WHERE id <= 10) s;
SELECT ok(bool_and(given(f, 'no customer has a repeat purchase')), 'nobody came again') FROM (SELECT unnest(ARRAY[bgnbd_fit(0, 0, t), mbgnbd_fit(0, 0, t), pareto_nbd_fit(0, 0, t), fit_best(0, 0, t), bgbb_fit(0, 0, ceil(t))]) AS f FROM bgnbd) s;
SELECT ok(bool_and(given(f, 'no customer was observed%')), 'all came today') FROM (SELECT unnest(ARRAY[bgnbd_fit(0, 0, 0), mbgnbd_fit(0, 0, 0), pareto_nbd_fit(0, 0, 0), fit_best(0, 0, 0), bgbb_fit(0, 0, 0)]) AS f FROM bgnbd) s;
SELECT ok((f).params IS NULL AND NOT (f).converged AND (f).reason LIKE 'too few customers%with repeat purchases%are 4', 'too few spend') FROM (SELECT gamma_gamma_fit(CASE WHEN id > 4 AND id % 2 = 0 THEN 0 ELSE x END, CASE WHEN id > 4 AND id % 2 = 1 THEN -m * (id % 3) ELSE m END) AS f FROM spend) s;
SELECT ok((f).params IS NULL AND NOT (f).converged AND (f).reason LIKE 'every customer has the same mean value', 'all spend the same') FROM (SELECT gamma_gamma_fit(x, 5) AS f FROM spend) s;

-- Without a maximum the likelihood tells which way it rises, and what is returned is as good as it gets.
SELECT setseed(0.7);
CREATE TABLE alike AS SELECT id, n AS x, CASE WHEN n > 0 THEN last ELSE 0 END AS t_x, t
FROM (SELECT id, count(at) AS n, max(at) AS last, 50::float8 AS t FROM generate_series(1, 600) id LEFT JOIN LATERAL (
	SELECT at FROM (SELECT sum(-ln(1 - random())) OVER (ORDER BY j) * 10 AS at FROM generate_series(1, 30) j WHERE id > 0) s WHERE at <= 50) a ON true GROUP BY id) s;
CREATE TABLE flat AS SELECT (unnest(ARRAY[bgnbd_fit(x, t_x, t), mbgnbd_fit(x, t_x, t), pareto_nbd_fit(x, t_x, t), fit_best(x, t_x, t)])).* FROM alike;
SELECT ok(NOT converged AND params IS NOT NULL AND standard_errors IS NULL AND reason LIKE 'the likelihood has no maximum%grow%', 'customers who are all alike and never leave: ' || model || ' ' || params::text || ': ' || reason) FROM flat;
-- ... the limit is that of Poisson customers of one rate
SELECT ok(log_likelihood BETWEEN best - 0.001 AND best + 3, '... at least as likely as the limit: ' || log_likelihood || ', ' || best)
FROM flat, (SELECT sum(x) * ln(sum(x) / sum(t)) - sum(x) AS best FROM alike) b;
SELECT ok(NOT (f).converged AND (f).params IS NOT NULL AND (f).reason LIKE 'the likelihood has no maximum%', 'customers who are all the same: ' || (f).reason) FROM (SELECT bgnbd_fit(3, 20, 30) AS f FROM bgnbd) s;

-- extremes: none may hang, crash or be silent
SELECT ok((f).converged OR (f).reason IS NOT NULL, what || ': ' || coalesce((f).reason, (f).params::text)) FROM (
	SELECT 'very active customers' AS what, bgnbd_fit(x * 1000, t_x, t) AS f FROM bgnbd WHERE id <= 300
	UNION ALL SELECT 'one who dwarfs the others', pareto_nbd_fit(CASE WHEN id = 1 THEN 2000000 ELSE x END, CASE WHEN id = 1 THEN t ELSE t_x END, t) FROM pareto WHERE id <= 300
	UNION ALL SELECT 'last purchases today', bgnbd_fit(x + 1, t, t) FROM bgnbd WHERE id <= 500
	UNION ALL SELECT 'last purchases at once', bgnbd_fit(x, 0, t) FROM bgnbd WHERE id <= 500
	UNION ALL SELECT 'many opportunities', bgbb_fit(x, ceil(t_x) + x, 1000) FROM bgnbd WHERE id <= 100
	UNION ALL SELECT 'bought at every opportunity', bgbb_fit(10, 10, 10) FROM bgbb
	UNION ALL SELECT 'tiny weights', bgnbd_fit(x, t_x, t, 1e-300) FROM bgnbd WHERE id <= 500
	UNION ALL SELECT 'huge weights', bgnbd_fit(x, t_x, t, 1e100) FROM bgnbd WHERE id <= 500) s;

-- Published results, where the data are there.
\set shared ''
\getenv shared PERSONALIZE_SHARED
\set file :shared '/data/cdnow_sample.csv'
\setenv file :file
\set found `test -r "$file" && echo true || echo false`
\if :found
	CREATE TABLE log (master_id int, customer_id int, date date, cds int, amount float8);
	\set copy '\\copy log FROM ' :file ' (FORMAT csv, HEADER)'
	:copy
	CREATE TABLE cdnow AS
	SELECT customer_id, count(*) - 1 AS x, (max(date) - min(date)) / 7.0::float8 AS t_x, (date '1997-09-30' - min(date)) / 7.0::float8 AS t, coalesce(avg(amount) FILTER (WHERE date > first), 0) AS m
	FROM (SELECT customer_id, date, sum(amount) AS amount, min(date) OVER (PARTITION BY customer_id) AS first FROM log WHERE date <= '1997-09-30' GROUP BY 1, 2) s GROUP BY 1;
	CREATE FUNCTION near(got float8[], expected float8[], tolerance float8) RETURNS boolean LANGUAGE sql AS $$ SELECT bool_and(abs(g / e - 1) <= tolerance) FROM unnest(got, expected) AS u (g, e) $$;
	SELECT ok((f).converged AND near((f).params, '{0.2425945, 4.4136019, 0.7929199, 2.4258881}', 2e-5) AND abs((f).log_likelihood + 9582.429) < 0.001, 'BG/NBD of CDNOW: ' || f::text) FROM (SELECT bgnbd_fit(x, t_x, t) AS f FROM cdnow) s;
	SELECT ok((f).converged AND near((f).params, '{0.5248431, 6.1830851, 0.8913595, 1.6140026}', 2e-5) AND abs((f).log_likelihood + 9582.1357) < 0.001, 'MBG/NBD of CDNOW: ' || f::text) FROM (SELECT mbgnbd_fit(x, t_x, t) AS f FROM cdnow) s;
	SELECT ok((f).converged AND near((f).params, '{0.55315, 10.57633, 0.60625, 11.67150}', 5e-4) AND abs((f).log_likelihood + 9594.976) < 0.001
		AND near((f).standard_errors, '{0.0476264, 0.8427222, 0.1872594, 6.2105448}', 5e-4), 'Pareto/NBD of CDNOW: ' || f::text) FROM (SELECT pareto_nbd_fit(x, t_x, t) AS f FROM cdnow) s;
	SELECT is((f).model, 'mbgnbd', 'of these MBG/NBD is best') FROM (SELECT fit_best(x, t_x, t) AS f FROM cdnow) s;
	SELECT ok((f).converged AND (f).customers = 946 AND near((f).params, '{6.2495745, 3.7442244, 15.4435135}', 2e-5) AND abs((f).log_likelihood + 4055.9177) < 0.001, 'Gamma-Gamma of CDNOW: ' || f::text) FROM (SELECT gamma_gamma_fit(x, m) AS f FROM cdnow) s;
\else
	SELECT skip('needs the data of CDNOW: set PERSONALIZE_SHARED to the folder that has data/cdnow_sample.csv', 5);
\endif

SELECT * FROM finish();
ROLLBACK;
