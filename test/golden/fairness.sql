/* fairness.json: how groups are treated, and how concentrated something is. */

/* {counts_group_n_label_selected: [[group, how many, label, selected], …]} */
CREATE FUNCTION golden.group_fairness(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	report group_fairness_report;
BEGIN
	report := (SELECT group_fairness(c ->> 0, (c ->> 3)::int = 1, (c ->> 2)::int = 1)
		FROM jsonb_array_elements(input -> 'counts_group_n_label_selected') c, generate_series(1, (c ->> 1)::int));
	RETURN jsonb_build_object('selection_rate', (SELECT jsonb_object_agg(g.grp, g.rate) FROM unnest(report.groups) g),
		'true_positive_rate', (SELECT jsonb_object_agg(g.grp, g.tpr) FROM unnest(report.groups) g),
		'false_positive_rate', (SELECT jsonb_object_agg(g.grp, g.fpr) FROM unnest(report.groups) g),
		'demographic_parity_difference', report.demographic_parity_difference,
		'demographic_parity_ratio', report.demographic_parity_ratio,
		'equal_opportunity_difference', report.equal_opportunity_difference,
		'equalized_odds_difference', report.equalized_odds_difference, 'four_fifths_pass', report.four_fifths);
END $$;

/*
 * {rows_list_rank_group_relevance: [[list, rank, group, relevance], …], discount}.  The
 * ratio of treatments is told for every two groups; of all of them our report has the
 * least by the greatest, which must be the least of those.
 */
CREATE FUNCTION golden.exposure(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	report exposure_report;
	ratios jsonb;
	least_ratio float8;
BEGIN
	IF coalesce(input ->> 'discount', '1/log2(1+rank)') <> '1/log2(1+rank)' THEN
		RAISE 'exposure() does not know the discount %', input ->> 'discount';
	END IF;
	report := (SELECT exposure(r ->> 2, (r ->> 1)::int, (r ->> 3)::float8)
		FROM jsonb_array_elements(input -> 'rows_list_rank_group_relevance') r);
	SELECT jsonb_object_agg(format('disparate_treatment_ratio_%s_over_%s', a.grp, b.grp), ratio), min(ratio) INTO ratios, least_ratio
		FROM unnest(report.groups) a, unnest(report.groups) b,
			LATERAL (SELECT a.mean_exposure / nullif(a.mean_relevance, 0) / nullif(b.mean_exposure / nullif(b.mean_relevance, 0), 0) AS ratio) t;
	IF abs(least_ratio - report.treatment_ratio) > 1e-12 THEN
		RAISE 'the ratio of treatments is %, where the groups have %', report.treatment_ratio, ratios;
	END IF;
	RETURN ratios || jsonb_build_object('exposure', (SELECT jsonb_object_agg(g.grp, g.exposure) FROM unnest(report.groups) g),
		'share', (SELECT jsonb_object_agg(g.grp, g.share) FROM unnest(report.groups) g),
		'mean_exposure', (SELECT jsonb_object_agg(g.grp, g.mean_exposure) FROM unnest(report.groups) g),
		'exposure_parity_ratio', report.parity_ratio);
END $$;

/* {counts} */
CREATE FUNCTION golden.concentration(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('gini', (c).gini, 'entropy_nats', (c).entropy, 'hhi', (c).hhi, 'coverage', (c).coverage)
	FROM (SELECT concentration(v) AS c FROM unnest(runner.numbers(input -> 'counts')) v) x;
$$;
