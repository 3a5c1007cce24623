/*
 * Drawings for a terminal.
 *
 * Characters are made by chr() of what depends on the encoding: the script stays ASCII,
 * and a database that is not in UTF-8 gets ASCII too.  A database's encoding never changes,
 * so that these are immutable all the same.
 */

CREATE FUNCTION bar(value float8, max float8, width int DEFAULT 20) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT repeat(chr(CASE WHEN utf8 THEN 9608 ELSE 35 END), eighths / 8)
		|| CASE WHEN eighths % 8 = 0 THEN '' ELSE chr(9616 - eighths % 8) END
	FROM (SELECT utf8, CASE WHEN utf8 THEN round(part * greatest(width, 0) * 8)::int ELSE round(part * greatest(width, 0))::int * 8 END AS eighths
		FROM (SELECT getdatabaseencoding() = 'UTF8' AS utf8,
				CASE WHEN value = 'NaN' OR max = 'NaN' THEN NULL
					WHEN value <= 0 OR max <= 0 THEN 0
					WHEN value >= max THEN 1
					WHEN max > 1 AND value < 1e-100 THEN 0	-- where the quotient might underflow
					ELSE value / max END AS part) AS p) AS e);

COMMENT ON FUNCTION bar(float8, float8, int) IS
'a bar for the terminal, whose length is to width as value is to max, to an eighth of a character; empty for what is not above 0, width for what is above max; null if value or max is null or NaN';

CREATE FUNCTION sparkline("values" float8[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN "values" IS NOT NULL THEN coalesce((
	SELECT string_agg(CASE WHEN v IS NULL THEN ' '
			WHEN getdatabaseencoding() = 'UTF8' THEN chr(9600 + level)
			ELSE substr('_.-:=+*#', level, 1) END, '' ORDER BY i)
	FROM (SELECT i, v, CASE WHEN low = high THEN 4 ELSE least(width_bucket(v, low, high, 8), 8) END AS level
		FROM (SELECT i, v, min(v) OVER () AS low, max(v) OVER () AS high
			-- within what width_bucket() can multiply
			FROM (SELECT i, CASE WHEN v NOT IN ('NaN', 'Infinity', '-Infinity') THEN greatest(least(v, 1e300), -1e300) END AS v
				FROM unnest("values") WITH ORDINALITY AS u(v, i)) AS f) AS r) AS l), '') END;

COMMENT ON FUNCTION sparkline(float8[]) IS
'a character for each value, whose height is the value''s place between the lowest and the highest; blank for a value that is null or not finite, in the middle if all are the same';

CREATE FUNCTION interval_bar(
	low float8,
	high float8,
	estimate float8,
	axis_low float8,
	axis_high float8,
	width int DEFAULT 30)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN axis_low < axis_high AND axis_low > -1e300 AND axis_high < 1e300 AND width > 0 AND estimate <> 'NaN' THEN (
	SELECT string_agg(CASE
			WHEN i = middle THEN chr(CASE WHEN utf8 THEN 9679 ELSE ascii('o') END)
			WHEN i = 1 AND first < 1 THEN chr(CASE WHEN utf8 THEN 9668 ELSE ascii('<') END)
			WHEN i = width AND last > width THEN chr(CASE WHEN utf8 THEN 9658 ELSE ascii('>') END)
			WHEN i = first THEN chr(CASE WHEN utf8 THEN 9500 ELSE ascii('[') END)
			WHEN i = last THEN chr(CASE WHEN utf8 THEN 9508 ELSE ascii(']') END)
			WHEN i > first AND i < last AND i = zero THEN chr(CASE WHEN utf8 THEN 9532 ELSE ascii('+') END)
			WHEN i > first AND i < last THEN chr(CASE WHEN utf8 THEN 9472 ELSE ascii('-') END)
			WHEN i = zero THEN chr(CASE WHEN utf8 THEN 9474 ELSE ascii('|') END)
			ELSE ' ' END, '' ORDER BY i)
	FROM (SELECT getdatabaseencoding() = 'UTF8' AS utf8) AS e,
		-- a number on the upper end of the axis is still in the last cell
		(SELECT max(cell) FILTER (WHERE which = 1) AS first, max(cell) FILTER (WHERE which = 2) AS last,
				max(cell) FILTER (WHERE which = 3) AS middle, max(cell) FILTER (WHERE which = 4) AS zero
			FROM (SELECT which, CASE WHEN x = axis_high THEN width ELSE width_bucket(x, axis_low, axis_high, width) END AS cell
				FROM (VALUES (1, coalesce(nullif(low, 'NaN'), '-Infinity')), (2, coalesce(nullif(high, 'NaN'), 'Infinity')),
					(3, estimate), (4, 0)) AS v(which, x)) AS c) AS cells,
		generate_series(1, width) AS i) END;

COMMENT ON FUNCTION interval_bar(float8, float8, float8, float8, float8, int) IS
'an interval with its estimate on an axis that shows where 0 is, for the terminal; a bound that is null or NaN, or beyond the axis, is an arrow at its end; null without an estimate or an axis';
