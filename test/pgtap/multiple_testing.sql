-- srm() and p_adjust() against SQL that is written from their definitions, and against mpmath and statsmodels.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(19);

CREATE FUNCTION draw(seed bigint, x bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(x, seed) & 9223372036854775807) / 9223372036854775808.0::float8 $$;
CREATE FUNCTION close(a float8, b float8, tolerance float8 DEFAULT 1e-12) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(abs(a - b) <= tolerance * greatest(abs(a), abs(b)), a IS NULL AND b IS NULL) $$;

--
-- srm, with 40 digits in mpmath
--
SELECT ok(close(s.statistic, 36.790671217292378, 1e-11) AND s.df = 2 AND close(s.p_value, 1.0256690540464425e-8, 1e-10), 'three arms') FROM srm('{50312,25004,24011}', '{2,1,1}') s;
SELECT ok(close(s.statistic, 456.85279187817259, 1e-11) AND close(s.p_value, 2.32692918557618e-101, 1e-10), 'far in the tail') FROM srm('{1000000,970000}') s;
SELECT ok(close(s.statistic, 1.1911111111111111, 1e-11) AND s.df = 4 AND close(s.p_value, 0.87955993603828512, 1e-10), 'five arms') FROM srm('{10,20,15,12,18}', '{0.1,0.3,0.2,0.15,0.25}') s;
SELECT results_eq($$ SELECT unnest((srm('{50312,25004,24011}', '{2,1,1}')).expected) $$, $$ VALUES (99327 / 2.0::float8), (99327 / 4.0::float8), (99327 / 4.0::float8) $$, 'what is expected');

CREATE TABLE split AS
SELECT x, (draw(1, x) * 1000)::bigint AS a, (draw(2, x) * 1000)::bigint AS b, (draw(3, x) * 100)::bigint AS c, draw(4, x) AS p, draw(5, x) AS q, draw(6, x) / 10 AS r
FROM generate_series(1, 300) x;
SELECT is_empty($$ SELECT * FROM split, srm(ARRAY[a, b, c], ARRAY[p, q, r]) s, LATERAL (SELECT (a + b + c) / (p + q + r) AS f) e
	WHERE NOT close(s.statistic, (a - p * f) ^ 2 / (p * f) + (b - q * f) ^ 2 / (q * f) + (c - r * f) ^ 2 / (r * f), 1e-10) OR s.df <> 2 OR NOT CASE WHEN s.statistic < 1400 THEN close(s.p_value, exp(-s.statistic / 2), 1e-10) ELSE s.p_value < 1e-303 END $$,
	'the statistic, and the tail of two degrees of freedom');
SELECT is_empty($$ SELECT * FROM split, srm(ARRAY[a, b, c], ARRAY[p, q, r]) s, srm(ARRAY[c, a, b], ARRAY[r, p, q]) t, srm(ARRAY[a, b, c], ARRAY[p * 4, q * 4, r * 4]) u
	WHERE (s.statistic, s.p_value) <> (t.statistic, t.p_value) OR (s.statistic, s.p_value) <> (u.statistic, u.p_value) $$, 'order and size of weights do not matter, to the last bit');

--
-- p_adjust
--
CREATE TABLE tests AS SELECT set, i, CASE set WHEN 1 THEN draw(7, i) WHEN 2 THEN draw(8, i) ^ 12 WHEN 3 THEN floor(draw(9, i) * 8) / 8 WHEN 4 THEN exp(-690 * draw(10, i)) ELSE 0.25 END AS p
FROM generate_series(1, 5) set, generate_series(1, 157) i;
CREATE TABLE sets AS SELECT set, array_agg(p ORDER BY i) AS p FROM tests GROUP BY set;
-- by the definitions: the largest over what is smaller, or the smallest over what is larger
CREATE TABLE ranked AS SELECT *, rank() OVER w AS first, count(*) OVER (PARTITION BY set ORDER BY p) AS last, count(*) OVER (PARTITION BY set) AS n FROM tests WINDOW w AS (PARTITION BY set ORDER BY p);
CREATE TABLE wanted AS
SELECT set, i, least(1, n * p) AS bonferroni, 1 - exp(greatest(n * ln(greatest(1 - p, 1e-300)), -700)) AS sidak,
	(SELECT least(1, max((r.n - r.first + 1) * r.p)) FROM ranked r WHERE r.set = o.set AND r.p <= o.p) AS holm,
	(SELECT least(1, min((r.n - r.last + 1) * r.p)) FROM ranked r WHERE r.set = o.set AND r.p >= o.p) AS hochberg,
	(SELECT least(1, min(r.p * r.n / r.last)) FROM ranked r WHERE r.set = o.set AND r.p >= o.p) AS bh,
	(SELECT least(1, min(r.p * r.n / r.last) * (SELECT sum(1.0::float8 / k) FROM generate_series(1, 157) k)) FROM ranked r WHERE r.set = o.set AND r.p >= o.p) AS by
FROM ranked o;
SELECT is_empty(format($$ SELECT set, i, u.a, %1$I FROM sets JOIN wanted USING (set), unnest(p_adjust(p, '%1$s')) WITH ORDINALITY u(a, j) WHERE i = j AND NOT close(u.a, %1$I, 1e-12) $$, m), m)
FROM unnest('{bonferroni,holm,hochberg,bh,by}'::text[]) m;
SELECT is_empty($$ SELECT set, i, u.a, sidak FROM sets JOIN wanted USING (set), unnest(p_adjust(p, 'sidak')) WITH ORDINALITY u(a, j) WHERE i = j AND abs(u.a - sidak) > 1e-13 $$, 'sidak');
SELECT ok(close((p_adjust('{1e-20,0.5,0.5}', 'sidak'))[1], 3e-20) AND close((p_adjust('{1e-300,1}', 'bh'))[1], 2e-300), 'small numbers keep their digits');
-- statsmodels 0.13.5, multipletests() by fdr_by and simes-hochberg
SELECT ok(bool_and(close(a, w)), 'by, of statsmodels') FROM unnest(p_adjust('{0.001,0.2,0.03,0.0004,0.7,0.05}', 'by'), '{0.00735,0.588,0.14699999999999996,0.00588,1.0,0.18375}'::float8[]) u(a, w);
SELECT ok(bool_and(close(a, w)), 'hochberg, of statsmodels') FROM unnest(p_adjust('{0.001,0.2,0.03,0.0004,0.7,0.05}', 'hochberg'), '{0.005,0.4,0.12,0.0024000000000000002,0.7,0.15000000000000002}'::float8[]) u(a, w);

CREATE TABLE method AS SELECT m FROM unnest('{bonferroni,holm,hochberg,bh,by,sidak}'::text[]) m;
SELECT is_empty($$ SELECT set, m FROM method, sets s, LATERAL (SELECT array_agg(t.p ORDER BY draw(11, i)) AS p, array_agg(i ORDER BY draw(11, i)) AS places FROM tests t WHERE t.set = s.set) shuffled,
	LATERAL unnest(p_adjust(shuffled.p, m), places) u(a, i) WHERE a <> (p_adjust(s.p, m))[u.i] $$, 'the same bits in any order');
SELECT is_empty($$ SELECT set, m FROM method, sets s WHERE array_remove(p_adjust(NULL::float8 || p || NULL::float8, m), NULL) <> p_adjust(p, m) $$, 'nulls are no tests');
SELECT is_empty($$ SELECT set, m, i FROM method, sets s, LATERAL unnest(s.p, p_adjust(s.p, m)) WITH ORDINALITY u(p, a, i) WHERE a < u.p OR a > 1 $$, 'nothing becomes smaller, or more than 1');
-- equal numbers stay equal, and the order stays
SELECT is_empty($$ SELECT set, m FROM method, sets s, LATERAL (SELECT q, a, lag(q) OVER w AS q0, lag(a) OVER w AS a0 FROM unnest(s.p, p_adjust(s.p, m)) u(q, a) WINDOW w AS (ORDER BY q)) x WHERE a < a0 OR q = q0 AND a <> a0 $$, 'the order stays');

SELECT * FROM finish();
ROLLBACK;
