/* The effect in each segment, its p-value adjusted for their number. */

CREATE FUNCTION segment_effects(
	segments text[],
	control moments[],
	treatment moments[],
	alpha float8 DEFAULT 0.05,
	method text DEFAULT 'holm',
	alternative text DEFAULT 'two-sided')
RETURNS SETOF segment_effect
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 10
BEGIN ATOMIC
	WITH tests AS MATERIALIZED (
		SELECT *
		FROM segment_tests(segments, control, treatment, alpha, alternative)
			WITH ORDINALITY AS t(segment, n_control, n_treatment, mean_control, mean_treatment, difference, stderr, ci_low, ci_high, p_value,
				adjusted_p_value, relative_difference, relative_stderr, relative_ci_low, relative_ci_high, relative_p_value, place)
	), adjusted AS MATERIALIZED (
		SELECT p_adjust(coalesce(array_agg(t.p_value ORDER BY t.place), '{}'), method) AS p FROM tests AS t
	)
	SELECT t.segment, t.n_control, t.n_treatment, t.mean_control, t.mean_treatment, t.difference, t.stderr, t.ci_low, t.ci_high, t.p_value, a.p[t.place::int],
		t.relative_difference, t.relative_stderr, t.relative_ci_low, t.relative_ci_high, t.relative_p_value
	FROM tests AS t CROSS JOIN adjusted AS a
	ORDER BY t.place;
END;

COMMENT ON FUNCTION segment_effects(text[], moments[], moments[], float8, text, text) IS
'difference of two arms in each segment, a row for each: an element of control and treatment for each segment, p-values adjusted for their number as p_adjust() does';
