-- kmeans(), nearest_centroid(), feature_stats(), standardize(): what a user types and sees
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
CREATE SCHEMA cluster;
SET search_path = cluster, personalize;
SET extra_float_digits = 0;

-- two heaps and a lone row
CREATE TABLE customers (name text, features float8[]);
INSERT INTO customers VALUES
	('a', '{1,1}'), ('b', '{1,2}'), ('c', '{2,1}'), ('d', '{2,2}'), ('e', NULL),
	('f', '{11,11}'), ('g', '{11,12}'), ('h', '{12,11}'), ('i', '{30,0}');

SELECT (kmeans(features, 3)).* FROM customers;
SELECT (kmeans(features, 1)).* FROM customers;
SELECT (kmeans(features, 2, seed)).sizes FROM customers, generate_series(-1, 1) seed GROUP BY seed ORDER BY seed;
-- as many clusters as rows
SELECT (kmeans(features, 8)).* FROM customers;
-- one row; equal rows
SELECT (kmeans(features, 1)).* FROM customers WHERE name = 'i';
SELECT (kmeans('{5,7}'::float8[], 1)).* FROM generate_series(1, 4);
-- whole numbers and numeric will do
SELECT (kmeans(ARRAY[x, x % 3], 2)).centroids FROM generate_series(1, 9) x;
SELECT (kmeans(ARRAY[x, 0.5], 2)).centroids FROM generate_series(1, 8) x;

-- no rows, no features: null
SELECT kmeans(features, 3) FROM customers WHERE false;
SELECT kmeans(features, 3) FROM customers WHERE name = 'e';
SELECT kmeans_partial(features, 3) IS NULL AS none FROM customers WHERE false;
SELECT kmeans_merge(NULL::points_state);

-- the cluster of each row
CREATE TABLE model AS SELECT kmeans(features, 3) AS m FROM customers;
SELECT name, nearest_centroid(features, m), centroid_distance(features, m)
FROM customers, model ORDER BY name;
SELECT nearest_centroid(features, (m).centroids), count(*), (m).sizes
FROM customers, model WHERE features IS NOT NULL GROUP BY 1, 3 ORDER BY 1;
SELECT nearest_centroid('{3,4}'::float8[], '{{0,0},{3,3},{9,9}}'), centroid_distance('{3,4}'::float8[], '{{0,0},{9,9}}');
-- the first of several
SELECT nearest_centroid('{1}'::float8[], '{{5},{0},{2}}');
SELECT nearest_centroid(NULL::float8[], m) FROM model;
SELECT nearest_centroid('{1,2}', NULL::kmeans_model), nearest_centroid('{1,2}', NULL::float8[]);

-- partial results, merged later
CREATE TABLE parts AS
SELECT name < 'd' AS part, kmeans_partial(features, 3) AS state FROM customers GROUP BY 1;
SELECT kmeans_merge(state) = (SELECT m FROM model) AS same FROM parts;
SELECT kmeans_merge(kmeans_partial) FROM (SELECT kmeans_partial(features, 1) FROM customers WHERE name IN ('a', 'b') GROUP BY name) x;
SELECT kmeans_partial('{1.5,-2}'::float8[], 4, 7);

-- rows that cannot be
SELECT kmeans('{1,NULL,3}'::float8[], 2);
SELECT kmeans('{1,NaN}'::float8[], 2);
SELECT kmeans('{1,2,Infinity}'::float8[], 2);
SELECT kmeans('{-Infinity}'::float8[], 2);
SELECT kmeans('{1e200}'::float8[], 2);
SELECT kmeans('{}'::float8[], 2);
SELECT kmeans('{{1,2},{3,4}}'::float8[], 2);
SELECT kmeans(array_fill(1::float8, ARRAY[10001]), 2);
SELECT kmeans(array_fill('NaN'::float8, ARRAY[100]), 2);
SELECT kmeans(CASE WHEN x < 3 THEN ARRAY[x, 1, 2] ELSE ARRAY[x] END, 2) FROM generate_series(1, 4) x;
SELECT kmeans(features, 9) FROM customers;
SELECT kmeans('{1}'::float8[], 2) FROM generate_series(1, 100);

-- options that cannot be
SELECT kmeans(features, 0) FROM customers;
SELECT kmeans(features, -1) FROM customers;
SELECT kmeans(features, 10001) FROM customers;
SELECT kmeans(features, NULL) FROM customers;
SELECT kmeans(features, 2, NULL) FROM customers;
SELECT kmeans(features, CASE name WHEN 'c' THEN 2 ELSE 3 END) FROM customers;
SELECT kmeans(features, 2, length(name) + CASE name WHEN 'c' THEN 1 ELSE 0 END) FROM customers;
SELECT kmeans_merge(state) FROM (TABLE parts UNION ALL SELECT true, kmeans_partial(features, 4) FROM customers) x;
SELECT kmeans_merge(state) FROM (TABLE parts UNION ALL SELECT true, kmeans_partial(features, 3, 1) FROM customers) x;
SELECT kmeans_merge(state) FROM (TABLE parts UNION ALL SELECT true, kmeans_partial('{1,2,3}'::float8[], 3)) x;

-- centroids that cannot be
SELECT nearest_centroid('{1,2}'::float8[], '{1,2}');
SELECT nearest_centroid('{1,2}'::float8[], '{}');
SELECT nearest_centroid('{1,2}'::float8[], '{{1,2,3}}');
SELECT nearest_centroid('{1,2}'::float8[], '{{1,NULL}}');
SELECT nearest_centroid('{1,2}'::float8[], '{{1,2},{NaN,2}}');
SELECT nearest_centroid('{1,NaN}'::float8[], '{{1,2}}');
SELECT centroid_distance('{1,2,3}', m) FROM model;
SELECT nearest_centroid('{1,2}'::float8[], ROW(NULL, NULL, 0, 0, true, 0)::kmeans_model);

-- features on one scale
CREATE TABLE stats AS SELECT feature_stats(ARRAY[x, 100 * x, 7]) AS s FROM generate_series(1, 5) x;
SELECT (s).* FROM stats;
SELECT x, standardize(ARRAY[x, 100 * x, 7], s), unstandardize(standardize(ARRAY[x, 100 * x, 7], s), s)
FROM stats, generate_series(1, 5) x;
-- no deviation: 0, whatever the number
SELECT standardize('{3,300,1e9}', s) FROM stats;
-- rows of features, such as centroids
SELECT unstandardize('{{0,0,0},{1,1,1}}', s), standardize('{{3,300,7}}', s) FROM stats;
SELECT feature_stats('{2.5}'::float8[]), feature_stats(NULL::float8[]);
SELECT feature_stats(features) FROM customers WHERE false;
SELECT standardize(NULL, s), standardize('{1,2,3}', NULL) FROM stats;
SELECT feature_stats_merge(p), count(*) FROM (SELECT feature_stats_partial(ARRAY[x, 100 * x, 7]) AS p FROM generate_series(1, 5) x GROUP BY x % 2) x;
SELECT feature_stats_merge(NULL::feature_stats_state), feature_stats_partial(NULL) IS NULL AS none;

SELECT feature_stats('{1,NULL}'::float8[]);
SELECT feature_stats('{NaN}'::float8[]);
SELECT feature_stats('{{1}}'::float8[]);
SELECT feature_stats('{}'::float8[]);
SELECT feature_stats(CASE WHEN x < 3 THEN ARRAY[x, 1, 2] ELSE ARRAY[x] END) FROM generate_series(1, 4) x;
SELECT feature_stats_merge(p) FROM (SELECT feature_stats_partial('{1}') AS p UNION ALL SELECT feature_stats_partial('{1,2}')) x;
SELECT standardize('{1,2}', s) FROM stats;
SELECT unstandardize('{{1,2}}', s) FROM stats;
SELECT standardize('{1,2,NULL}', s) FROM stats;
SELECT standardize('{}', s) FROM stats;
SELECT standardize('{1,2}', ROW(1, NULL, '{1,1}')::feature_stats_summary);
SELECT standardize('{1,2}', ROW(1, '{1,1}', '{1}')::feature_stats_summary);
SELECT standardize('{1,2}', ROW(1, '{1,1}', '{1,-1}')::feature_stats_summary);
SELECT standardize('{1e139}', ROW(1, '{1}', '{1e-300}')::feature_stats_summary);

-- states that no aggregate has returned
SELECT 'a5'::points_state;
SELECT 'xyz'::points_state;
SELECT feature_stats_partial('{1}')::text::points_state;
SELECT ''::feature_stats_state;

SET client_min_messages = warning;
DROP SCHEMA cluster CASCADE;
DROP EXTENSION personalize;
