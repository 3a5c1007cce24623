/* kmeans.json: clusters of real data. */

/*
 * The expressions of the features that a data set's words ask for:
 *
 *     data/iris.csv, raw 4 features                          the first four columns
 *     data/wine.csv, z-score (population sd)                 all columns but a class or id
 *     data/x.csv: z-score (…) of ln(1+recency), frequency    these
 *
 * An expression is made of column names, numbers, arithmetic and the functions listed.
 */
CREATE FUNCTION runner.feature_expressions(source regclass, words text) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
	wanted text := substring(words FROM '\mof\s+(\S.*)$');
	how_many int := substring(words FROM '(\d+) features')::int;
	chosen text[];
	expression text;
	name text;
BEGIN
	IF wanted IS NULL THEN
		SELECT array_agg(quote_ident(c.name) || '::float8' ORDER BY c.place) INTO chosen FROM runner.columns_of(source) c
			WHERE lower(c.name) NOT IN ('species', 'cls', 'class', 'label', 'target', 'id', 'customer_id');
		RETURN chosen[: coalesce(how_many, cardinality(chosen))];
	END IF;
	FOREACH expression IN ARRAY regexp_split_to_array(wanted, '\s*(,|\mand\M)\s*') LOOP
		FOR name IN SELECT DISTINCT m[1] FROM regexp_matches(expression, '[a-z_][a-z_0-9]*', 'gi') m LOOP
			CONTINUE WHEN name IN ('ln', 'sqrt', 'abs', 'exp');
			expression := regexp_replace(expression, '\m' || name || '\M', runner.needed_column(source, lower(name)) || '::float8', 'g');
		END LOOP;
		IF expression !~ '^[[:alnum:]_+*/ ().:"-]+$' THEN
			RAISE 'the feature "%" is not understood', expression;
		END IF;
		chosen := chosen || expression;
	END LOOP;
	RETURN chosen;
END $$;

/* The features of a data set, prepared as its words say. */
CREATE FUNCTION runner.features(dataset text) RETURNS SETOF float8[]
LANGUAGE plpgsql AS $$
DECLARE
	source regclass := runner.table_of(dataset);
	words text := regexp_replace(dataset, '^\s*[[:alnum:]_./-]+\.[ct]sv(\.gz)?\s*[,:]?\s*', '');
	features text := array_to_string(runner.feature_expressions(source, words), ', ');
BEGIN
	IF words ~ 'z-score' AND words !~ 'sample sd' THEN
		RETURN QUERY EXECUTE format('SELECT standardize(x, s)
			FROM (SELECT array[%s] AS x FROM %s) p, (SELECT feature_stats(array[%1$s]) AS s FROM %2$s) q', features, source);
	ELSIF words ~ '^(raw\M.*)?$' THEN
		RETURN QUERY EXECUTE format('SELECT array[%s] FROM %s', features, source);
	ELSE
		RAISE 'what to make of "%" is not understood', words;
	END IF;
END $$;

/*
 * {dataset, k}.  What the model says of itself is checked against the points: the inertia
 * is the sum of squared distances to the nearest centroids, the sizes are how many are there.
 */
CREATE FUNCTION runner.clusters(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	model kmeans_model;
	inertia float8;
	sizes bigint[];
BEGIN
	CREATE TEMP TABLE point AS SELECT x FROM runner.features(input ->> 'dataset') x;
	model := (SELECT kmeans(x, (input ->> 'k')::int) FROM point);
	SELECT sum(centroid_distance(x, model.centroids) ^ 2) INTO inertia FROM point;
	sizes := array(SELECT (SELECT count(*) FROM point WHERE nearest_centroid(x, model.centroids) = i)
		FROM generate_series(1, (input ->> 'k')::int) i ORDER BY i);
	DROP TABLE point;
	IF abs(model.inertia - inertia) > 1e-9 * inertia OR model.sizes <> sizes THEN
		RAISE 'a model of inertia % and sizes % where the points have % and %', model.inertia, model.sizes, inertia, sizes;
	END IF;
	RETURN jsonb_build_object('inertia', model.inertia, 'sizes_desc', model.sizes, 'centroids', model.centroids);
END $$;

CREATE FUNCTION golden.kmeans_iris(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$ SELECT runner.clusters(input) $$;

CREATE FUNCTION golden.kmeans_wine_std(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$ SELECT runner.clusters(input) $$;

CREATE FUNCTION golden.kmeans_online_retail_rfm(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$ SELECT runner.clusters(input) $$;
