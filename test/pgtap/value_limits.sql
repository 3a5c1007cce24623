-- Models of purchases and spending where numbers become large: nothing may hang, be NaN or be wrong without saying so.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;
SET LOCAL statement_timeout = '20s';

SELECT no_plan();

CREATE FUNCTION near(got float8, expected float8, tolerance float8 DEFAULT 1e-12) RETURNS boolean LANGUAGE sql
RETURN abs(got / expected - 1) <= tolerance;

-- where rounding keeps two rules of quadrature from agreeing, halving intervals must end; 2 F1(a, b; c; z) is between its Euler integrand's bounds
SELECT ok(log_hyp2f1(6438782.151133383, 10806.749932568953, 14182.324123436238, 0.9999999999999989) BETWEEN 1e7 AND 1e9, 'an integral of noise ends');
SELECT throws_ok('SELECT log_hyp2f1(1e12, 1e10, 1, 0.999999)', '22003', NULL, 'a recurrence of too many steps is refused');
SELECT throws_ok('SELECT log_hyp2f1(1e300, 1e300, 1e-300, 0.9)', '22003', NULL, '... of 10^300, too');

-- a horizon far beyond alpha: the chance of no purchase must not be rounded away (values of 50 digits)
SELECT ok(near(purchase_pmf(purchase_model('bgnbd', 0.0625, 0.0009765625, 1, 0.5), 20, 1e7), 0.00090466791211136269259), 'a chance of purchases within a long time');
SELECT ok(near(purchase_pmf(purchase_model('bgnbd', 0.0625, 0.0009765625, 0.5, 0.25), 254, 6e7), 0.000030536291798861103116), '... of many');

-- 100 terms of the series exceed a double from about 46000 purchases on, if beta is far above alpha
SELECT ok(near(log_likelihood(m, 100000, 300, 300.25), 477620.50117590294385) AND near(p_alive(m, 100000, 300, 300.015625), 0.99973051034026588549), 'a hundred thousand purchases')
FROM purchase_model('pareto_nbd', 0.5, 10, 0.75, 1024) m;
-- no purchases are an empty product, of whatever factors
SELECT ok(near(log_likelihood(m, 0, 0, 4), -0.79999999999984) AND near(purchase_pmf(m, 0, 4), 0.44932896411729348406), 'none, and large parameters')
FROM purchase_model('bgnbd', 2e12, 1e13, 2e12, 3e12) m;
SELECT throws_ok($$ SELECT p_alive(purchase_model('pareto_nbd', 1e215, 3e227, 1e-184, 1e184), 1, 2e19, 7e19) $$, '22003', NULL, 'NaN is no answer');

-- units that leave no room for a ratio or a square
SELECT ok((f).params IS NULL AND NOT (f).converged AND (f).reason LIKE 'tenures are too large or too small%', (f).model || ': ' || unit)
FROM (SELECT unit, unnest(ARRAY[bgnbd_fit(2 + i % 3, i * unit, 30 * unit), mbgnbd_fit(2 + i % 3, i * unit, 30 * unit), pareto_nbd_fit(2 + i % 3, i * unit, 30 * unit)]) AS f
	FROM generate_series(1, 20) i, unnest('{1e-310,1e306}'::float8[]) unit GROUP BY unit) s;
SELECT ok((f).params IS NULL AND NOT (f).converged AND (f).reason LIKE 'mean values are too large or too small%', 'gamma_gamma: ' || unit)
FROM (SELECT unit, gamma_gamma_fit(2 + i % 3, i * unit) AS f FROM generate_series(1, 20) i, unnest('{1e-310,1e306}'::float8[]) unit GROUP BY unit) s;
SELECT ok(NOT (f).converged AND (f).reason IS NOT NULL, 'values that are too far apart: ' || (f).reason)
FROM (SELECT gamma_gamma_fit(2 + i % 3, CASE WHEN i = 1 THEN 1e-310 ELSE i END) AS f FROM generate_series(1, 20) i) s;

-- a state of a customer whom no aggregate takes in, with -0: its hash would differ from that of 0
\ir state_checksum.psql
CREATE FUNCTION signed(state text) RETURNS text LANGUAGE sql
RETURN left(state, -8) || encode(state_checksum(decode(left(state, -8), 'hex')), 'hex');
SELECT is(signed(s), s, 'a checksum') FROM (SELECT bgnbd_fit_partial(0, 0, 4)::text AS s) x;
SELECT throws_ok(format('SELECT %L::fit_sample', signed(overlay(s PLACING '80' FROM 17 FOR 2))), '22P03', NULL, '-0 is refused') FROM (SELECT bgnbd_fit_partial(0, 0, 4)::text AS s) x;

SELECT * FROM finish();
ROLLBACK;
