/* drift.json: how far a current sample is from a reference. */

/* {reference, current [, bins]} */
CREATE FUNCTION golden.psi_ks(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	reference float8[] := runner.numbers(input -> 'reference');
	current float8[] := runner.numbers(input -> 'current');
	bins int := coalesce((input ->> 'bins')::int, 10);
	edges float8[] := bin_edges(reference, bins);
	ref_counts bigint[] := bin_counts(reference, edges);
	cur_counts bigint[] := bin_counts(current, edges);
	ks ks_test := ks_2samp(reference, current);
BEGIN
	RETURN jsonb_build_object('psi', psi(reference, current, bins), 'edges', edges, 'ref_counts', ref_counts,
		'cur_counts', cur_counts, 'ks_d', ks.statistic, 'ks_p_asymptotic', ks.p_value,
		'js_divergence_nats', js_divergence(ref_counts::float8[], cur_counts::float8[]), 'wasserstein1', wasserstein(reference, current));
END $$;

/* {ref_counts, cur_counts [, floor]} */
CREATE FUNCTION golden.psi_categorical(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	ref_counts float8[] := runner.numbers(input -> 'ref_counts');
	cur_counts float8[] := runner.numbers(input -> 'cur_counts');
	chi2 chi_square_test := chi_square(ref_counts, cur_counts);
BEGIN
	RETURN jsonb_build_object('psi', psi_counts(ref_counts, cur_counts, coalesce((input ->> 'floor')::float8, 1e-4)),
		'chi2', chi2.statistic, 'df', chi2.df, 'p', chi2.p_value, 'js_divergence_nats', js_divergence(ref_counts, cur_counts));
END $$;
