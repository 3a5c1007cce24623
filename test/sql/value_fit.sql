-- Fits of the models of purchases and spending
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
CREATE SCHEMA value_fit;
SET search_path = value_fit, personalize;
SET extra_float_digits = -9;

-- Donors by gifts in six years and year of the last one (Fader, Hardie and Shang 2010, table 1): alpha 1.204, beta 0.750, gamma 0.657, delta 2.783, LL -33225.6
CREATE TABLE donors (gifts int, last int, donors int);
INSERT INTO donors VALUES (6, 6, 1203), (5, 6, 728), (4, 6, 512), (3, 6, 357), (2, 6, 234), (1, 6, 129), (5, 5, 335), (4, 5, 284), (3, 5, 225), (2, 5, 173),
	(1, 5, 119), (4, 4, 240), (3, 4, 181), (2, 4, 155), (1, 4, 78), (3, 3, 322), (2, 3, 255), (1, 3, 129), (2, 2, 613), (1, 2, 277), (1, 1, 1091), (0, 0, 3464);
SELECT (f).model, (f).params, (f).standard_errors, round((f).log_likelihood::numeric, 2) AS log_likelihood, (f).customers, (f).converged, (f).reason
FROM (SELECT bgbb_fit(gifts, last, 6, donors) AS f FROM donors) s;

-- One row a customer
CREATE TABLE shop AS
SELECT customer, frequency, CASE WHEN frequency = 0 THEN 0 ELSE tenure * (CASE WHEN frequency <= 2 AND customer % 3 > 0 THEN 1 ELSE 7 + customer % 4 END) / 10 END AS recency, tenure, 10 + customer * 37 % 50 AS mean_value
FROM (SELECT i AS customer, 9 / (1 + i % 13) AS frequency, 80 + i * 13 % 40 AS tenure FROM generate_series(1, 400) i) s;
SELECT (f).model, (f).params, (f).standard_errors, (f).log_likelihood, (f).customers, (f).iterations BETWEEN 10 AND 200 AS iterated, (f).converged, (f).reason
FROM (SELECT unnest(ARRAY[bgnbd_fit(frequency, recency, tenure), mbgnbd_fit(frequency, recency, tenure), pareto_nbd_fit(frequency, recency, tenure), fit_best(frequency, recency, tenure)]) AS f FROM shop) s;
SELECT (f).params, (f).standard_errors, (f).log_likelihood, (f).customers, (f).converged, (f).reason FROM (SELECT gamma_gamma_fit(frequency, mean_value) AS f FROM shop) s;

-- parts, stored and merged
CREATE TABLE parts AS SELECT customer % 3 AS part, bgnbd_fit_partial(frequency, recency, tenure) AS sample, gamma_gamma_fit_partial(frequency, mean_value) AS spend FROM shop GROUP BY 1;
SELECT bgnbd_fit_merge(sample) = (SELECT bgnbd_fit(frequency, recency, tenure) FROM shop) AS same, gamma_gamma_fit_merge(spend) = (SELECT gamma_gamma_fit(frequency, mean_value) FROM shop) AS same_spend FROM parts;
SELECT bgnbd_fit_partial(2, 3, 4, 0.5);
SELECT bgnbd_fit_partial(NULL, 3, 4), bgnbd_fit_partial(2, 3, 4, 0), gamma_gamma_fit_partial(0, 5), gamma_gamma_fit_partial(2, -5);

-- no fit
SELECT bgnbd_fit(frequency, recency, tenure) FROM shop WHERE false;
SELECT (bgnbd_fit(frequency, recency, tenure)).* FROM shop WHERE customer <= 3;
SELECT (fit_best(frequency, recency, tenure)).reason FROM shop WHERE frequency = 0;
SELECT (pareto_nbd_fit(0, 0, 0)).reason FROM shop;
SELECT (gamma_gamma_fit(frequency, mean_value)).* FROM shop WHERE customer <= 11;
SELECT (gamma_gamma_fit(frequency, 20)).reason FROM shop;
SELECT (f).params IS NOT NULL AS params, (f).standard_errors, (f).converged, (f).reason FROM (SELECT bgnbd_fit(frequency, tenure, tenure) AS f FROM shop WHERE frequency > 0) s;

-- rows that cannot be
SELECT bgnbd_fit(1.5, 3, 4);
SELECT bgnbd_fit(-1, 3, 4);
SELECT bgnbd_fit('NaN', 3, 4);
SELECT mbgnbd_fit(2, 5, 4);
SELECT mbgnbd_fit(2, 'NaN', 4);
SELECT pareto_nbd_fit(2, 3, 'Infinity');
SELECT pareto_nbd_fit(0, 3, 4);
SELECT bgbb_fit(3, 2, 6);
SELECT bgbb_fit(1, 2, 6.5);
SELECT fit_best(2, 3, 4, -1);
SELECT fit_best(2, 3, 4, 'NaN');
SELECT fit_best(2, 3, 4, 'Infinity');
SELECT fit_best(2, 3, 4, 1e101);
SELECT gamma_gamma_fit(-1, 20);
SELECT gamma_gamma_fit(1.5, 20);
SELECT gamma_gamma_fit('Infinity', 20);
SELECT gamma_gamma_fit(2, 'NaN');
SELECT gamma_gamma_fit(2, 20, -1);

-- samples
SELECT pareto_nbd_fit_merge(spend) FROM parts;
SELECT bgbb_fit_merge(sample) FROM parts;
SELECT gamma_gamma_fit_merge(sample) FROM parts;
SELECT fit_sample_combine(sample, spend) FROM parts;
SELECT fit_sample_add_opportunities(sample, 1, 2, 3) FROM parts;
SELECT 'nonsense'::fit_sample;
SELECT 'a50b'::fit_sample;
SELECT 'a50b0101000000010000000000000000000000000000000040100000000000003ff00000000000000000000000000000deadbeef'::fit_sample;

-- every object of this part has a comment
SELECT p.oid::regprocedure AS uncommented FROM pg_proc p
WHERE p.pronamespace = 'personalize'::regnamespace AND p.proname ~ '(_fit|^fit)(_|$)' AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT count(*) FILTER (WHERE prokind = 'a') AS aggregates, count(*) FILTER (WHERE prokind = 'f') AS functions, bool_and(proparallel = 's' AND provolatile = 'i') AS immutable_and_safe
FROM pg_proc p WHERE p.pronamespace = 'personalize'::regnamespace AND p.proname ~ '(_fit|^fit)(_|$)';
