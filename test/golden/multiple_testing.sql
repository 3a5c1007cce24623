/* exp_srm.json and exp_multiple_testing.json. */

/* {counts, weights} */
CREATE FUNCTION golden.srm_pvalue(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('p', s.p_value, 'chi2', s.statistic, 'df', s.df)
	FROM srm(runner.numbers(input -> 'counts')::bigint[], runner.numbers(input -> 'weights')) s;
$$;

/* {p, alpha}, by the method of the function's name */
CREATE FUNCTION golden.adjusted(input jsonb, method text) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('adj', to_jsonb(adj), 'reject',
		(SELECT jsonb_agg(a <= (input ->> 'alpha')::float8 + 1e-12 ORDER BY i) FROM unnest(adj) WITH ORDINALITY AS u(a, i)))
	FROM p_adjust(runner.numbers(input -> 'p'), method) adj;
$$;

CREATE FUNCTION golden.adjust_bonferroni(input jsonb) RETURNS jsonb LANGUAGE sql RETURN golden.adjusted(input, 'bonferroni');
CREATE FUNCTION golden.adjust_holm(input jsonb) RETURNS jsonb LANGUAGE sql RETURN golden.adjusted(input, 'holm');
CREATE FUNCTION golden.adjust_hochberg(input jsonb) RETURNS jsonb LANGUAGE sql RETURN golden.adjusted(input, 'hochberg');
CREATE FUNCTION golden.adjust_bh(input jsonb) RETURNS jsonb LANGUAGE sql RETURN golden.adjusted(input, 'bh');
CREATE FUNCTION golden.adjust_by(input jsonb) RETURNS jsonb LANGUAGE sql RETURN golden.adjusted(input, 'by');
CREATE FUNCTION golden.adjust_sidak(input jsonb) RETURNS jsonb LANGUAGE sql RETURN golden.adjusted(input, 'sidak');
