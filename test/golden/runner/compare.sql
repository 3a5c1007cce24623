/*
 * Does an answer agree with what is expected?  Both are walked together.  Of an object
 * every expected key must be there, others may be; arrays have the same length; text,
 * booleans and nulls are the same; numbers are within the bounds of tol, or the same
 * when there are none.
 */

/*
 * The bounds, as of differences: {"abs": …, "rel": …}, one of which suffices.
 *
 * "exact_abs" and "mc_abs…" are bounds of the difference too (what a sampling
 * implementation may miss by is told beside what others may).  "hll" bounds a sketch; what
 * counts exactly is held to the exact number, but for the last digits of a fraction.
 * "primary", "params_rel" and "reject_rule" are for the reader.  A bound of another name is an error: it
 * must not pass for none.
 */
CREATE FUNCTION runner.bounds(tol jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	key text;
	value jsonb;
	abs numeric;
	rel numeric;
BEGIN
	FOR key, value IN SELECT * FROM jsonb_each(coalesce(tol, '{}')) LOOP
		IF key IN ('abs', 'exact_abs') OR key LIKE 'mc\_abs%' THEN
			abs := greatest(abs, value::numeric);
		ELSIF key = 'rel' THEN
			rel := value::numeric;
		ELSIF key = 'hll' THEN
			rel := 1e-14;
		ELSIF key NOT IN ('primary', 'params_rel', 'reject_rule') THEN
			RAISE 'a bound of the name "%" is not known', key;
		END IF;
	END LOOP;
	RETURN jsonb_build_object('abs', abs, 'rel', rel);
END $$;

CREATE FUNCTION runner.close_enough(expected numeric, got numeric, bounds jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN expected = got
	OR coalesce(abs(got - expected) <= (bounds ->> 'abs')::numeric, false)
	OR coalesce(abs(got - expected) <= (bounds ->> 'rel')::numeric * abs(expected), false);

/* Where the two differ, and how: "path: expected …, got …". */
CREATE FUNCTION runner.differences(expected jsonb, got jsonb, bounds jsonb, path text DEFAULT '') RETURNS SETOF text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	kind text := jsonb_typeof(expected);
	key text;
	i int;
BEGIN
	IF got IS NULL THEN
		RETURN NEXT format('%sexpected %s, got no such key', path, expected);
	ELSIF kind IS DISTINCT FROM jsonb_typeof(got) THEN
		RETURN NEXT format('%sexpected %s, got %s', path, expected, got);
	ELSIF kind = 'object' THEN
		FOR key IN SELECT jsonb_object_keys(expected) LOOP
			RETURN QUERY SELECT runner.differences(expected -> key, got -> key, bounds, path || key || ': ');
		END LOOP;
	ELSIF kind = 'array' THEN
		IF jsonb_array_length(expected) <> jsonb_array_length(got) THEN
			RETURN NEXT format('%sexpected %s elements, got %s: %s', path, jsonb_array_length(expected),
				jsonb_array_length(got), got);
			RETURN;
		END IF;
		FOR i IN 0 .. jsonb_array_length(expected) - 1 LOOP
			RETURN QUERY SELECT runner.differences(expected -> i, got -> i, bounds, format('%s[%s]: ', path, i));
		END LOOP;
	ELSIF kind = 'number' THEN
		IF NOT runner.close_enough(expected::numeric, got::numeric, bounds) THEN
			RETURN NEXT format('%sexpected %s, got %s', path, expected, got);
		END IF;
	ELSIF expected <> got THEN
		RETURN NEXT format('%sexpected %s, got %s', path, expected, got);
	END IF;
END $$;

/*
 * A case's verdict.  Failures make it fail; remarks are differences that do not count.
 *
 * Two kinds of bound judge one number instead of all.  With "ll_abs" a fit passes that
 * reaches the expected log-likelihood "ll" but for ll_abs: parameters are compared within
 * params_rel, as a remark.  With "inertia_rel" clusters pass whose "inertia" is at most
 * that much above the expected: sizes are a remark; centroids are not compared, being
 * rounded and without an order of their own, nor the silhouette, which kmeans() does not
 * offer and which another solution with less inertia may well miss.
 *
 * A mapping that knows the reference to be less exact than tol says so of single keys, by
 * "_bounds": {"key": {"rel": …}} in its answer; what lies between the two bounds is a remark.
 */
CREATE FUNCTION runner.verdict(expected jsonb, got jsonb, tol jsonb, OUT failures text[], OUT remarks text[])
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	inexact text[];
BEGIN
	IF tol ? 'll_abs' THEN
		-- as text NaN would be a number, and above all others
		IF jsonb_typeof(got -> 'll') = 'number' AND (got ->> 'll')::numeric >= (expected ->> 'll')::numeric - (tol ->> 'll_abs')::numeric THEN
			remarks := array(SELECT runner.differences(expected - 'll', got, jsonb_build_object('rel', tol -> 'params_rel')));
		ELSE
			failures := array(SELECT runner.differences(expected, got, '{}'));
		END IF;
	ELSIF tol ? 'inertia_rel' THEN
		IF jsonb_typeof(got -> 'inertia') = 'number' AND (got ->> 'inertia')::numeric BETWEEN 0
				AND (expected ->> 'inertia')::numeric * (1 + (tol ->> 'inertia_rel')::numeric) THEN
			remarks := array(SELECT runner.differences(expected - '{inertia,centroids,silhouette}'::text[], got, '{}'));
		ELSE
			failures := array(SELECT runner.differences(expected - '{centroids,silhouette}'::text[], got, '{}'));
		END IF;
	ELSIF jsonb_typeof(got) = 'object' AND got ? '_bounds' THEN
		inexact := array(SELECT jsonb_object_keys(got -> '_bounds'));
		failures := array(SELECT runner.differences(expected - inexact, got, runner.bounds(tol))
			UNION ALL SELECT runner.differences(jsonb_build_object(key, expected -> key), got, runner.bounds(got #> ARRAY['_bounds', key])) FROM unnest(inexact) key);
		remarks := array(SELECT runner.differences(jsonb_build_object(key, expected -> key), got, runner.bounds(tol)) FROM unnest(inexact) key);
	ELSE
		failures := array(SELECT runner.differences(expected, got, runner.bounds(tol)));
	END IF;
	IF (tol ? 'll_abs' OR tol ? 'inertia_rel') AND failures = '{}' THEN
		RAISE 'neither a likelihood nor an inertia to compare: %', got;
	END IF;
	failures := coalesce(failures, '{}');
	remarks := coalesce(remarks, '{}');
END $$;
