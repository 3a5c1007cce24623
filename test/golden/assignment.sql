/* exp_assignment.json: what GrowthBook's SDK assigns. */

/* {seed, value, version} */
CREATE FUNCTION golden.hash(input jsonb) RETURNS jsonb
LANGUAGE sql
RETURN to_jsonb(hash_bucket(input ->> 'seed', input ->> 'value', (input ->> 'version')::int));

/* {user, namespace: [name, start, end]} */
CREATE FUNCTION golden.in_namespace(input jsonb) RETURNS jsonb
LANGUAGE sql
RETURN to_jsonb(in_namespace(input #>> '{namespace,0}', input ->> 'user',
	(input #>> '{namespace,1}')::float8, (input #>> '{namespace,2}')::float8));

/*
 * Where the SDK corrects its input without a word, our functions refuse it: a coverage
 * out of range, which it clamps, and weights that do not sum to one, for which it takes
 * equal ones.  Its correction is made here, and only once ours have refused.
 */
CREATE FUNCTION golden.sdk_ranges(n int, coverage float8, weights float8[]) RETURNS float8[]
LANGUAGE plpgsql AS $$
DECLARE
	equal float8[] := array_fill(1.0 / n::float8, ARRAY[n]);
	total float8 := (SELECT sum(w) FROM unnest(weights) w);
BEGIN
	RETURN variant_ranges(coalesce(weights, equal), coverage);
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN variant_ranges(CASE WHEN total BETWEEN 0.99 AND 1.01 THEN weights ELSE equal END, least(greatest(coverage, 0), 1));
END $$;

/* Null, for equal ones, if there are none. */
CREATE FUNCTION golden.weights_of(weights jsonb) RETURNS float8[]
LANGUAGE sql
RETURN CASE jsonb_typeof(weights) WHEN 'array' THEN runner.numbers(weights) END;

CREATE FUNCTION golden.ranges_of(ranges jsonb) RETURNS float8[]
LANGUAGE sql
RETURN translate(ranges::text, '[]', '{}')::float8[];

/* {num_variations, coverage, weights} */
CREATE FUNCTION golden.bucket_ranges(input jsonb) RETURNS jsonb
LANGUAGE sql
RETURN to_jsonb(golden.sdk_ranges((input ->> 'num_variations')::int, (input ->> 'coverage')::float8, golden.weights_of(input -> 'weights')));

/* {n, ranges}; the SDK counts from 0, and says -1 for none */
CREATE FUNCTION golden.choose_variation(input jsonb) RETURNS jsonb
LANGUAGE sql
RETURN to_jsonb(coalesce(choose_variant((input ->> 'n')::float8, golden.ranges_of(input -> 'ranges')), 0) - 1);

/* {n}; of equal ranges, which we refuse to make for nobody */
CREATE FUNCTION golden.equal_weights(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	n int := (input ->> 'n')::int;
	ranges float8[];
BEGIN
	ranges := variant_ranges(array_fill(1 / n::float8, ARRAY[greatest(n, 0)]));
	RETURN (SELECT jsonb_agg(ranges[i][2] - ranges[i][1] ORDER BY i) FROM generate_subscripts(ranges, 1) i);
EXCEPTION WHEN array_subscript_error OR division_by_zero THEN
	RETURN '[]';
END $$;

/* {attributes, experiment: {key [, seed, hashVersion, hashAttribute, variations, weights, coverage, ranges, namespace]}} */
CREATE FUNCTION golden.run_experiment(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	e jsonb := input -> 'experiment';
	unit text := input #>> ARRAY['attributes', coalesce(e ->> 'hashAttribute', 'id')];
	variant int;
BEGIN
	-- an experiment of one variation has nobody, by the SDK
	IF jsonb_array_length(e -> 'variations') > 1
		AND (e -> 'namespace' IS NULL OR (golden.in_namespace(jsonb_build_object('user', unit, 'namespace', e -> 'namespace')))::boolean)
	THEN
		variant := choose_variant(hash_bucket(coalesce(e ->> 'seed', e ->> 'key'), unit, coalesce((e ->> 'hashVersion')::int, 1)),
			coalesce(golden.ranges_of(e -> 'ranges'),
				golden.sdk_ranges(jsonb_array_length(e -> 'variations'), coalesce((e ->> 'coverage')::float8, 1), golden.weights_of(e -> 'weights'))));
	END IF;
	RETURN jsonb_build_object('value', e -> 'variations' -> (coalesce(variant, 1) - 1), 'in_experiment', variant IS NOT NULL, 'hash_used', variant IS NOT NULL);
END $$;

/* {seed, version, weights, coverage}: of the units 1 to 100000, by one hash */
CREATE FUNCTION golden.assignment_counts(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	WITH assigned AS (
		SELECT choose_variant(hash_bucket(input ->> 'seed', i, (input ->> 'version')::int), ranges) AS variant
		FROM (SELECT variant_ranges(runner.numbers(input -> 'weights'), (input ->> 'coverage')::float8) AS ranges) r, generate_series(1, 100000) i)
	SELECT jsonb_build_object('not_included', (SELECT count(*) FROM assigned WHERE variant IS NULL),
		'counts', (SELECT jsonb_agg(n ORDER BY variant) FROM (SELECT variant, count(*) AS n FROM assigned WHERE variant IS NOT NULL GROUP BY variant) s));
$$;
