/* Clustering: kmeans, the nearest centroid, features on one scale */

CREATE TYPE points_state;

CREATE FUNCTION points_state_in(cstring) RETURNS points_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_points_state_in';

COMMENT ON FUNCTION points_state_in(cstring) IS 'input function of points_state';

CREATE FUNCTION points_state_out(points_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_points_state_out';

COMMENT ON FUNCTION points_state_out(points_state) IS 'output function of points_state';

CREATE FUNCTION points_state_recv(internal) RETURNS points_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_points_state_recv';

COMMENT ON FUNCTION points_state_recv(internal) IS 'binary input function of points_state';

CREATE FUNCTION points_state_send(points_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_points_state_send';

COMMENT ON FUNCTION points_state_send(points_state) IS 'binary output function of points_state';

CREATE TYPE points_state (
	INPUT = points_state_in,
	OUTPUT = points_state_out,
	RECEIVE = points_state_recv,
	SEND = points_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE points_state IS
'the rows of features that kmeans() has seen: a partial result to be stored or merged';

CREATE TYPE kmeans_model AS (
	centroids float8[],
	sizes bigint[],
	inertia float8,
	iterations int,
	converged boolean,
	n bigint
);

COMMENT ON TYPE kmeans_model IS
'the clusters that kmeans() found, the largest first';
COMMENT ON COLUMN kmeans_model.centroids IS 'the mean of each cluster, one row for each: k by as many as there are features';
COMMENT ON COLUMN kmeans_model.sizes IS 'rows nearest to each centroid';
COMMENT ON COLUMN kmeans_model.inertia IS 'sum of the squared distances of rows from their centroids';
COMMENT ON COLUMN kmeans_model.iterations IS 'iterations of the best start';
COMMENT ON COLUMN kmeans_model.converged IS 'whether it came to an end by itself: false after too many iterations';
COMMENT ON COLUMN kmeans_model.n IS 'rows in all';

CREATE FUNCTION points_state_add(points_state, float8[], int) RETURNS points_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_points_state_add';

COMMENT ON FUNCTION points_state_add(points_state, float8[], int) IS
'transition function of kmeans(); null features are skipped';

CREATE FUNCTION points_state_add(points_state, float8[], int, bigint) RETURNS points_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_points_state_add';

COMMENT ON FUNCTION points_state_add(points_state, float8[], int, bigint) IS
'transition function of kmeans() with a seed; null features are skipped';

CREATE FUNCTION points_state_combine(points_state, points_state) RETURNS points_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_points_state_combine';

COMMENT ON FUNCTION points_state_combine(points_state, points_state) IS
'combine function of kmeans()';

CREATE FUNCTION kmeans_final(points_state) RETURNS kmeans_model
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
AS 'MODULE_PATHNAME', 'personalize_kmeans_final';

COMMENT ON FUNCTION kmeans_final(points_state) IS
'final function of kmeans()';

CREATE AGGREGATE kmeans(features float8[], k int) (
	SFUNC = points_state_add,
	STYPE = points_state,
	FINALFUNC = kmeans_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = points_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE kmeans(float8[], int) IS
'k clusters of rows that leave the least inertia';

CREATE AGGREGATE kmeans_partial(features float8[], k int) (
	SFUNC = points_state_add,
	STYPE = points_state,
	COMBINEFUNC = points_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE kmeans_partial(float8[], int) IS
'the state of kmeans(), to be stored or merged by kmeans_merge()';

CREATE AGGREGATE kmeans(features float8[], k int, seed bigint) (
	SFUNC = points_state_add,
	STYPE = points_state,
	FINALFUNC = kmeans_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = points_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE kmeans(float8[], int, bigint) IS
'k clusters of rows that leave the least inertia, by another random choice of beginnings';

CREATE AGGREGATE kmeans_partial(features float8[], k int, seed bigint) (
	SFUNC = points_state_add,
	STYPE = points_state,
	COMBINEFUNC = points_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE kmeans_partial(float8[], int, bigint) IS
'the state of kmeans(), to be stored or merged by kmeans_merge()';

CREATE AGGREGATE kmeans_merge(state points_state) (
	SFUNC = points_state_combine,
	STYPE = points_state,
	FINALFUNC = kmeans_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = points_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE kmeans_merge(points_state) IS
'kmeans() of all rows of the states that kmeans_partial() returned';

CREATE FUNCTION nearest_centroid(features float8[], centroids float8[]) RETURNS int
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'personalize_nearest_centroid';

COMMENT ON FUNCTION nearest_centroid(float8[], float8[]) IS
'number of the centroid that is nearest to a row, from 1, the first of several';

CREATE FUNCTION nearest_centroid(features float8[], model kmeans_model) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
RETURN nearest_centroid(features, (model).centroids);

COMMENT ON FUNCTION nearest_centroid(float8[], kmeans_model) IS
'number of the cluster that a row belongs to, from 1';

CREATE FUNCTION centroid_distance(features float8[], centroids float8[]) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'personalize_centroid_distance';

COMMENT ON FUNCTION centroid_distance(float8[], float8[]) IS
'distance of a row from the nearest centroid';

CREATE FUNCTION centroid_distance(features float8[], model kmeans_model) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
RETURN centroid_distance(features, (model).centroids);

COMMENT ON FUNCTION centroid_distance(float8[], kmeans_model) IS
'distance of a row from the centroid of its cluster';

CREATE TYPE feature_stats_state;

CREATE FUNCTION feature_stats_state_in(cstring) RETURNS feature_stats_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_feature_stats_state_in';

COMMENT ON FUNCTION feature_stats_state_in(cstring) IS 'input function of feature_stats_state';

CREATE FUNCTION feature_stats_state_out(feature_stats_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_feature_stats_state_out';

COMMENT ON FUNCTION feature_stats_state_out(feature_stats_state) IS 'output function of feature_stats_state';

CREATE FUNCTION feature_stats_state_recv(internal) RETURNS feature_stats_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_feature_stats_state_recv';

COMMENT ON FUNCTION feature_stats_state_recv(internal) IS 'binary input function of feature_stats_state';

CREATE FUNCTION feature_stats_state_send(feature_stats_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_feature_stats_state_send';

COMMENT ON FUNCTION feature_stats_state_send(feature_stats_state) IS 'binary output function of feature_stats_state';

CREATE TYPE feature_stats_state (
	INPUT = feature_stats_state_in,
	OUTPUT = feature_stats_state_out,
	RECEIVE = feature_stats_state_recv,
	SEND = feature_stats_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE feature_stats_state IS
'sums by feature that feature_stats() has made: a partial result to be stored or merged';

CREATE TYPE feature_stats_summary AS (
	n bigint,
	means float8[],
	sds float8[]
);

COMMENT ON TYPE feature_stats_summary IS
'means and standard deviations of features';
COMMENT ON COLUMN feature_stats_summary.n IS 'rows';
COMMENT ON COLUMN feature_stats_summary.means IS 'the mean of each feature';
COMMENT ON COLUMN feature_stats_summary.sds IS 'the standard deviation of each feature, of the population: divided by n';

CREATE FUNCTION feature_stats_state_add(feature_stats_state, float8[]) RETURNS feature_stats_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_feature_stats_state_add';

COMMENT ON FUNCTION feature_stats_state_add(feature_stats_state, float8[]) IS
'transition function of feature_stats(); null features are skipped';

CREATE FUNCTION feature_stats_state_combine(feature_stats_state, feature_stats_state) RETURNS feature_stats_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_feature_stats_state_combine';

COMMENT ON FUNCTION feature_stats_state_combine(feature_stats_state, feature_stats_state) IS
'combine function of feature_stats()';

CREATE FUNCTION feature_stats_final(feature_stats_state) RETURNS feature_stats_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_feature_stats_final';

COMMENT ON FUNCTION feature_stats_final(feature_stats_state) IS
'final function of feature_stats()';

CREATE AGGREGATE feature_stats(features float8[]) (
	SFUNC = feature_stats_state_add,
	STYPE = feature_stats_state,
	FINALFUNC = feature_stats_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = feature_stats_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE feature_stats(float8[]) IS
'mean and standard deviation of each feature';

CREATE AGGREGATE feature_stats_partial(features float8[]) (
	SFUNC = feature_stats_state_add,
	STYPE = feature_stats_state,
	COMBINEFUNC = feature_stats_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE feature_stats_partial(float8[]) IS
'the state of feature_stats(), to be stored or merged by feature_stats_merge()';

CREATE AGGREGATE feature_stats_merge(state feature_stats_state) (
	SFUNC = feature_stats_state_combine,
	STYPE = feature_stats_state,
	FINALFUNC = feature_stats_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = feature_stats_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE feature_stats_merge(feature_stats_state) IS
'feature_stats() of all rows of the states that feature_stats_partial() returned';

CREATE FUNCTION standardize(features float8[], stats feature_stats_summary) RETURNS float8[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_standardize';

COMMENT ON FUNCTION standardize(float8[], feature_stats_summary) IS
'features, or rows of them, as standard deviations from the mean; 0 where there is no deviation';

CREATE FUNCTION unstandardize(features float8[], stats feature_stats_summary) RETURNS float8[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_unstandardize';

COMMENT ON FUNCTION unstandardize(float8[], feature_stats_summary) IS
'what standardize() made, such as centroids, on its first scale again';
