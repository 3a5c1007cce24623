-- psi(), ks_2samp() and their like; group_fairness(), exposure(), gini(), concentration()
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
CREATE SCHEMA drift;
SET search_path = drift, personalize;
SET extra_float_digits = -3;
\pset null (null)

-- every function of this part has a comment and the volatility it claims
SELECT p.oid::regprocedure AS function, prokind, provolatile, proparallel, proisstrict,
	obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
WHERE proname IN ('bin_edges', 'bin_counts', 'psi', 'psi_counts', 'js_divergence', 'ks_2samp', 'wasserstein', 'chi_square')
	OR proname ~ '^(group_fairness|exposure|gini|concentration)'
ORDER BY p.oid::regprocedure::text COLLATE "C";

-- bins of the reference, in which the current sample is counted
CREATE TABLE weeks AS
SELECT array_agg(x) FILTER (WHERE week = 1) AS reference, array_agg(x) FILTER (WHERE week = 2) AS current
FROM (SELECT 1, x::float8 FROM generate_series(1, 20) x UNION ALL SELECT 2, x * 1.25 + 1 FROM generate_series(1, 20) x) s(week, x);

SELECT bin_edges(reference, 4), bin_counts(reference, bin_edges(reference, 4)), bin_counts(current, bin_edges(reference, 4)) FROM weeks;
SELECT psi(reference, current), psi(reference, current, bins => 4), psi(reference, current, floor_share => 0.01), psi(reference, reference) FROM weeks;
SELECT psi_counts(bin_counts(reference, bin_edges(reference, 4)), bin_counts(current, bin_edges(reference, 4))) FROM weeks;
SELECT psi_counts('{50,50}', '{10,90}'), psi_counts('{10,0}', '{0,10}'), psi_counts('{10,0}', '{0,10}', 0.01);
SELECT js_divergence('{1,1}', '{1,1}'), js_divergence('{1,0}', '{0,1}'), ln(2::float8), js_divergence('{3,1,0}', '{1,2,3}');

-- values on an edge belong to the bin below; edges that come twice count once
SELECT bin_counts('{1,2,2,3}', '{2}'), bin_counts('{1,2,2,3}', '{}'), bin_counts('{}', '{1,2}');
SELECT bin_edges('{5,5,5,5,6}', 10), bin_edges('{5}', 3), psi('{5,5}', '{5,6}', 2);

-- tests
SELECT (ks_2samp(reference, current)).*, (ks_2samp(reference, reference)).* FROM weeks;
SELECT ks_2samp('{1,2}', '{3,4}'), ks_2samp('{1}', '{1}'), ks_2samp('{1}', '{2}');
SELECT (chi_square('{50,50}', '{10,90}')).*;
SELECT chi_square('{50,0,50}', '{10,0,90}'), chi_square('{7}', '{8}'), chi_square('{1,0}', '{0,1}');
SELECT wasserstein('{1,2,3}', '{2,3,4}'), wasserstein('{0}', '{1,2,3}'), wasserstein('{1,1}', '{1}');

-- numbers at the ends of their range
SELECT bin_edges('{-1.7e308,1.7e308}', 4), psi_counts('{0,1}', '{1,0}', 1e-307), psi_counts('{0,1}', '{1,0}', 1e-309);

-- nulls in a sample are left out, and what is empty has no answer
SELECT psi('{1,NULL,2}', '{NULL,2}', 2) = psi('{1,2}', '{2}', 2) AS psi,
	ks_2samp('{1,NULL,2}', '{3}') = ks_2samp('{1,2}', '{3}') AS ks,
	wasserstein('{NULL,1}', '{2}') AS wasserstein;
SELECT psi('{}', '{1}'), psi('{1}', '{NULL}'), psi(NULL, '{1}'), ks_2samp('{1}', '{}'), ks_2samp('{1}', NULL), wasserstein('{}', '{}'),
	bin_edges('{}', 2), bin_edges(NULL, 2), bin_counts(NULL, '{1}'), bin_counts('{1}', NULL);
SELECT psi_counts(NULL, '{1}'), js_divergence('{1}', NULL), chi_square(NULL, NULL);

-- refused
SELECT psi('{1,NaN}', '{1}');
SELECT psi('{1}', '{1,2,Infinity}');
SELECT psi('{1}', '{1}', bins => 1);
SELECT psi('{1}', '{1}', bins => 10001);
SELECT psi('{1}', '{1}', bins => NULL);
SELECT psi('{1}', '{1}', floor_share => 0);
SELECT psi('{1}', '{1}', floor_share => 'NaN');
SELECT psi('{1}', '{1}', floor_share => NULL);
SELECT psi('{{1,2},{3,4}}', '{1}');
SELECT ks_2samp('{1}', '{-Infinity}');
SELECT wasserstein('{1}', '{NaN}');
SELECT bin_edges('{1,2}', 0);
SELECT bin_counts('{1,2}', '{1,1}');
SELECT bin_counts('{1,2}', '{1,NULL}');
SELECT bin_counts('{1,2}', '{1,NaN}');
SELECT psi_counts('{1,2}', '{1,2,3}');
SELECT psi_counts('{1,-2}', '{1,2}');
SELECT psi_counts('{1,2}', '{0,0}');
SELECT js_divergence('{}', '{}');
SELECT js_divergence('{1,2}', '{1,NULL}');
SELECT chi_square('{1,2}', '{1,2,3}');
SELECT chi_square('{0,0}', '{1,2}');
SELECT chi_square('{1e308,1e308}', '{1,2}');
SELECT chi_square('{1e308,1}', '{1,1e308}');
SELECT chi_square('{1e-310,1e-310}', '{1e-310,2e-310}');
SELECT wasserstein('{-1.7e308}', '{1.7e308}');

-- rates of selection by group
CREATE TABLE offers (region text, sent boolean, wanted boolean);
INSERT INTO offers
SELECT region, sent, wanted
FROM (VALUES ('north', 6, true, true), ('north', 2, true, false), ('north', 3, false, true), ('north', 9, false, false),
	('south', 3, true, true), ('south', 1, true, false), ('south', 5, false, true), ('south', 11, false, false)) v(region, n, sent, wanted),
	generate_series(1, n);

SELECT g.* FROM (SELECT group_fairness(region, sent, wanted) AS r FROM offers) s, unnest((r).groups) g;
SELECT (r).demographic_parity_difference, (r).demographic_parity_ratio, (r).equal_opportunity_difference, (r).equalized_odds_difference, (r).four_fifths
FROM (SELECT group_fairness(region, sent, wanted) AS r FROM offers) s;
SELECT group_fairness(region, sent) FROM offers;

-- rows without a label count for the selection rate alone
SELECT g.* FROM (SELECT group_fairness(region, sent, CASE WHEN sent THEN wanted END) AS r FROM offers) s, unnest((r).groups) g;

-- exactly four fifths will do; nobody selected is no ratio; one group is like itself
SELECT (group_fairness(grp, i <= limit_)).four_fifths FROM (VALUES ('a', 30, 10), ('b', 30, 8)) v(grp, n, limit_), generate_series(1, n) i;
SELECT (group_fairness(grp, i <= limit_)).four_fifths FROM (VALUES ('a', 30, 10), ('b', 31, 8)) v(grp, n, limit_), generate_series(1, n) i;
SELECT group_fairness(grp, false, true) FROM (VALUES ('a'), ('b')) v(grp);
SELECT group_fairness('all', x > 2, x > 1) FROM generate_series(1, 4) x;
SELECT group_fairness(grp, selected, label) FROM (VALUES (NULL, true, true), ('a', NULL, false)) v(grp, selected, label);
SELECT group_fairness(region, sent, wanted) FROM offers WHERE false;

-- exposure in ranked lists
CREATE TABLE shelves (list int, rank int, brand text, relevance float8);
INSERT INTO shelves VALUES (0, 1, 'x', 0.625), (0, 2, 'x', 0.925), (0, 3, 'y', 0.58), (0, 4, 'y', 0.556), (0, 5, 'x', 0.627),
	(1, 1, 'x', 0.935), (1, 2, 'y', 0.806), (1, 3, 'x', 0.763), (1, 4, 'y', 0), (1, 5, 'x', 0.555);

SELECT g.* FROM (SELECT exposure(brand, rank, relevance) AS r FROM shelves) s, unnest((r).groups) g;
SELECT (r).parity_ratio, (r).treatment_ratio FROM (SELECT exposure(brand, rank, relevance) AS r FROM shelves) s;
SELECT exposure(brand, rank) FROM shelves WHERE list = 0;
SELECT exposure(brand, rank, nullif(relevance, 0)) FROM shelves WHERE rank = 4;
SELECT exposure(brand, rank, 0) FROM shelves WHERE rank <= 2;
SELECT exposure(NULL, 1), exposure('x', NULL), exposure('x', NULL, 1);

SELECT exposure(brand, 0) FROM shelves;
SELECT exposure(brand, rank, -1) FROM shelves;
SELECT exposure(brand, rank, 'NaN') FROM shelves;
SELECT exposure(brand, rank, 1e308) FROM shelves;

-- concentration
SELECT gini(x), (concentration(x)).* FROM unnest('{10,5,3,1,1}'::float8[]) x;
SELECT gini(x), (concentration(x)).* FROM unnest('{0,0,0,4}'::float8[]) x;
SELECT gini(x), (concentration(x)).* FROM unnest('{7,NULL,7}'::float8[]) x;
SELECT gini(x), (concentration(x)).* FROM unnest('{0,-0}'::float8[]) x;
SELECT gini(x), concentration(x) FROM unnest('{NULL}'::float8[]) x;
SELECT gini(1e-320), concentration(1e300) FROM generate_series(1, 2);

SELECT gini(x) FROM unnest('{1,-3}'::float8[]) x;
SELECT concentration(x) FROM unnest('{1,-3}'::float8[]) x;
SELECT gini(x) FROM unnest('{1,Infinity}'::float8[]) x;
SELECT gini(x) FROM unnest('{1e308,1e308}'::float8[]) x;

-- states by day, merged later
CREATE TABLE by_list AS
SELECT list, exposure_partial(brand, rank, relevance) AS exposure, gini_partial(relevance) AS relevance FROM shelves GROUP BY list;
SELECT exposure_merge(exposure) = (SELECT exposure(brand, rank, relevance) FROM shelves) AS exposure,
	gini_merge(relevance) = (SELECT gini(relevance) FROM shelves) AS gini,
	concentration_merge(relevance) = (SELECT concentration(relevance) FROM shelves) AS concentration
FROM by_list;
SELECT group_fairness_merge(state) = (SELECT group_fairness(region, sent, wanted) FROM offers) AS fairness
FROM (SELECT group_fairness_partial(region, sent, wanted) AS state FROM offers GROUP BY wanted) s;
SELECT group_fairness_partial('a', true, false);

-- malformed states
SELECT 'abc'::group_fairness_state;
SELECT 'a5'::exposure_state;
SELECT group_fairness_partial('a', true, false)::text::exposure_state;

DROP TABLE weeks, offers, shelves, by_list;
