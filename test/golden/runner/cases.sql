/* The cases, running them, and telling how it went. */

CREATE TABLE runner.golden_case (
	n serial PRIMARY KEY,
	id text NOT NULL,
	fn text NOT NULL,
	input jsonb NOT NULL,
	expected jsonb NOT NULL,
	tol jsonb NOT NULL,
	state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'started', 'passed', 'failed', 'skipped')),
	problems text[] NOT NULL DEFAULT '{}',	-- why it failed
	remarks text[] NOT NULL DEFAULT '{}'	-- what differs and does not count
);

/* What a file's description says once for all of its cases: the data set, and the day to look back from. */
CREATE FUNCTION runner.said_once(description text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN jsonb_strip_nulls(jsonb_build_object(
	'dataset', substring(description FROM 'data/[[:alnum:]_./-]+\.[ct]sv'),
	'as_of', substring(description FROM '\mas_of (\d{4}-\d\d-\d\d)')));

CREATE FUNCTION runner.load(file text, content text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	document jsonb;
BEGIN
	BEGIN
		document := content;
	EXCEPTION WHEN data_exception THEN
		RAISE '%: %', file, SQLERRM;
	END;
	IF jsonb_typeof(document -> 'cases') IS DISTINCT FROM 'array' THEN
		RAISE '%: no array "cases"', file;
	END IF;
	INSERT INTO runner.golden_case (id, fn, input, expected, tol)
		SELECT c ->> 'id', c ->> 'fn', runner.said_once(document ->> 'description') || (c -> 'input'),
			c -> 'expected', coalesce(c -> 'tol', '{}')
		FROM jsonb_array_elements(document -> 'cases') WITH ORDINALITY AS x(c, i)
		ORDER BY i;
EXCEPTION WHEN not_null_violation THEN
	RAISE '%: a case without id, fn, input or expected: %', file, SQLERRM;
END $$;

/* Runs a case.  Committed in between: if it never ends, it is known which one it was. */
CREATE PROCEDURE runner.run_case(which int)
LANGUAGE plpgsql AS $$
DECLARE
	c runner.golden_case;
	got jsonb;
	failures text[];
	what_differs text[];
	context text;
BEGIN
	UPDATE runner.golden_case SET state = 'started' WHERE n = which RETURNING * INTO c;
	COMMIT;
	IF to_regprocedure(format('golden.%I(jsonb)', c.fn)) IS NULL THEN
		UPDATE runner.golden_case SET state = 'skipped' WHERE n = which;
		RETURN;
	END IF;
	BEGIN
		EXECUTE format('SELECT golden.%I($1)', c.fn) INTO got USING c.input;
		SELECT v.failures, v.remarks INTO failures, what_differs FROM runner.verdict(c.expected, got, c.tol) v;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
		failures := array[format('error %s: %s (%s)', SQLSTATE, SQLERRM, split_part(context, E'\n', 1))];
		what_differs := '{}';
	END;
	UPDATE runner.golden_case SET state = CASE WHEN failures = '{}' THEN 'passed' ELSE 'failed' END,
		problems = failures, remarks = what_differs WHERE n = which;
END $$;

CREATE FUNCTION runner.fail_started(message text) RETURNS void
LANGUAGE sql AS $$
	UPDATE runner.golden_case SET state = 'failed', problems = array['did not end: ' || right(message, 500)]
	WHERE state = 'started';
$$;

CREATE TABLE runner.report_line (n serial, line text);

CREATE FUNCTION runner.report(shown int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	failed bigint := (SELECT count(*) FROM runner.golden_case WHERE state = 'failed');
BEGIN
	INSERT INTO runner.report_line (line)
		SELECT format('%s: %s passed, %s failed, %s skipped', fn, count(*) FILTER (WHERE state = 'passed'),
			count(*) FILTER (WHERE state = 'failed'), count(*) FILTER (WHERE state = 'skipped'))
		FROM runner.golden_case GROUP BY fn ORDER BY min(n);

	INSERT INTO runner.report_line (line)
		SELECT E'\n' || CASE WHEN failed > shown THEN format('the first %s failures:', shown) ELSE 'failures:' END
		WHERE failed > 0;
	INSERT INTO runner.report_line (line)
		SELECT format('%s (%s)', id, fn) || (SELECT string_agg(E'\n    ' || left(p, 1000), '' ORDER BY i) FROM unnest(problems)
				WITH ORDINALITY AS u(p, i) WHERE i <= 5)
			|| CASE WHEN cardinality(problems) > 5 THEN format(E'\n    and %s more', cardinality(problems) - 5) ELSE '' END
		FROM runner.golden_case WHERE state = 'failed' ORDER BY n LIMIT shown;

	INSERT INTO runner.report_line (line)
		SELECT E'\nremarks (passed by the bound that counts; these values differ):'
		WHERE EXISTS (SELECT FROM runner.golden_case WHERE remarks <> '{}');
	INSERT INTO runner.report_line (line)
		SELECT format('%s: %s', id, left(array_to_string(remarks, '; '), 300))
		FROM runner.golden_case WHERE remarks <> '{}' ORDER BY n;

	INSERT INTO runner.report_line (line)
		SELECT E'\nskipped, for want of a mapping:' WHERE EXISTS (SELECT FROM runner.golden_case WHERE state = 'skipped');
	INSERT INTO runner.report_line (line)
		SELECT format('%s: %s', fn, string_agg(id, ' ' ORDER BY n))
		FROM runner.golden_case WHERE state = 'skipped' GROUP BY fn ORDER BY min(n);

	INSERT INTO runner.report_line (line)
		SELECT format(E'\n%s passed, %s failed, %s skipped', count(*) FILTER (WHERE state = 'passed'), failed,
			count(*) FILTER (WHERE state = 'skipped')) FROM runner.golden_case;
END $$;
