/* Drift between samples, fairness between groups, concentration over items. */

CREATE FUNCTION bin_edges("values" float8[], bins int) RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'personalize_bin_edges';

COMMENT ON FUNCTION bin_edges(float8[], int) IS
'the inner edges of bins that hold equal shares of the values, as percentile_cont gives them; an edge that comes more than once is given once';

CREATE FUNCTION bin_counts("values" float8[], edges float8[]) RETURNS bigint[]
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'personalize_bin_counts';

COMMENT ON FUNCTION bin_counts(float8[], float8[]) IS
'how many values there are up to the first edge, above it up to the second, and so on, and above the last one';

CREATE FUNCTION psi(
	reference float8[],
	current float8[],
	bins int DEFAULT 10,
	floor_share float8 DEFAULT 1e-4)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'personalize_psi';

COMMENT ON FUNCTION psi(float8[], float8[], int, float8) IS
'population stability index of two samples over bins that hold equal shares of the reference; a bin''s share counts as floor_share at least';

CREATE FUNCTION psi_counts(
	reference float8[],
	current float8[],
	floor_share float8 DEFAULT 1e-4)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_psi_counts';

COMMENT ON FUNCTION psi_counts(float8[], float8[], float8) IS
'population stability index of counts of the same categories; a category''s share counts as floor_share at least';

CREATE FUNCTION js_divergence(reference_counts float8[], current_counts float8[]) RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_js_divergence';

COMMENT ON FUNCTION js_divergence(float8[], float8[]) IS
'Jensen-Shannon divergence of counts of the same categories, in nats: from 0, the same shares, to ln 2, nothing in common';

CREATE TYPE ks_test AS (statistic float8, p_value float8);

COMMENT ON TYPE ks_test IS
'result of ks_2samp(): the largest distance between two distribution functions, and the chance of as large a one between samples of one distribution';
COMMENT ON COLUMN ks_test.statistic IS 'largest distance between the two distribution functions';
COMMENT ON COLUMN ks_test.p_value IS 'chance of as large a distance between samples of one distribution';

CREATE FUNCTION ks_2samp(reference float8[], current float8[]) RETURNS ks_test
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'personalize_ks_2samp';

COMMENT ON FUNCTION ks_2samp(float8[], float8[]) IS
'two-sample Kolmogorov-Smirnov test; the p-value is exact if m n / (m + n), rounded, is below 10 and no values are equal, and that of one sample of so many values if not below 10';

CREATE FUNCTION wasserstein(a float8[], b float8[]) RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'personalize_wasserstein';

COMMENT ON FUNCTION wasserstein(float8[], float8[]) IS
'how far the values of one sample must be moved, on average, to make the other (first Wasserstein or earth mover''s distance), in their own unit';

CREATE TYPE mann_whitney_test AS (statistic float8, z float8, p_value float8);

COMMENT ON TYPE mann_whitney_test IS
'result of mann_whitney(): the statistic U of the first sample, its standard score, and the chance of one as far out between samples of one distribution';
COMMENT ON COLUMN mann_whitney_test.statistic IS 'pairs of which the value of the first sample is larger, equal ones as one half';
COMMENT ON COLUMN mann_whitney_test.z IS 'its standard score, corrected for continuity and ties; above 0 if the first sample''s values are larger';
COMMENT ON COLUMN mann_whitney_test.p_value IS 'two-sided, by the normal approximation; 1 if all values are equal';

CREATE FUNCTION mann_whitney(a float8[], b float8[]) RETURNS mann_whitney_test
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'personalize_mann_whitney';

COMMENT ON FUNCTION mann_whitney(float8[], float8[]) IS
'Mann-Whitney U test, also called Wilcoxon rank-sum test: are values of one sample larger than those of the other? Null elements are left out';

CREATE TYPE chi_square_test AS (statistic float8, df int, p_value float8);

COMMENT ON TYPE chi_square_test IS
'result of chi_square(): the statistic, its degrees of freedom, and the chance of as large a one by chance alone';
COMMENT ON COLUMN chi_square_test.statistic IS 'Pearson''s chi-square';
COMMENT ON COLUMN chi_square_test.df IS 'degrees of freedom: categories that either has, less one';
COMMENT ON COLUMN chi_square_test.p_value IS 'chance of as large a statistic if both have the same shares; 1 with one category';

CREATE FUNCTION chi_square(counts_a float8[], counts_b float8[]) RETURNS chi_square_test
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_chi_square';

COMMENT ON FUNCTION chi_square(float8[], float8[]) IS
'chi-square test of homogeneity of counts of the same categories, without continuity correction; a category that neither has does not count';

CREATE TYPE group_fairness_state;

CREATE FUNCTION group_fairness_state_in(cstring) RETURNS group_fairness_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_group_fairness_state_in';

COMMENT ON FUNCTION group_fairness_state_in(cstring) IS 'input function of group_fairness_state';

CREATE FUNCTION group_fairness_state_out(group_fairness_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_group_fairness_state_out';

COMMENT ON FUNCTION group_fairness_state_out(group_fairness_state) IS 'output function of group_fairness_state';

CREATE FUNCTION group_fairness_state_recv(internal) RETURNS group_fairness_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_group_fairness_state_recv';

COMMENT ON FUNCTION group_fairness_state_recv(internal) IS 'binary input function of group_fairness_state';

CREATE FUNCTION group_fairness_state_send(group_fairness_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_group_fairness_state_send';

COMMENT ON FUNCTION group_fairness_state_send(group_fairness_state) IS 'binary output function of group_fairness_state';

CREATE TYPE group_fairness_state (
	INPUT = group_fairness_state_in,
	OUTPUT = group_fairness_state_out,
	RECEIVE = group_fairness_state_recv,
	SEND = group_fairness_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE group_fairness_state IS
'what group_fairness() has counted of each group: a partial result to be stored or merged';

CREATE TYPE group_rate AS (
	grp text,
	n bigint,
	selected bigint,
	rate float8,
	positives bigint,
	negatives bigint,
	tpr float8,
	fpr float8
);

COMMENT ON TYPE group_rate IS
'a group in group_fairness_report: its rows, how many are selected, and the rates of selection among all, among those whose label is true (tpr) and among those whose label is false (fpr); a rate of none is null';
COMMENT ON COLUMN group_rate.grp IS 'name of the group';
COMMENT ON COLUMN group_rate.n IS 'its rows';
COMMENT ON COLUMN group_rate.selected IS 'how many of them are selected';
COMMENT ON COLUMN group_rate.rate IS 'selected by n';
COMMENT ON COLUMN group_rate.positives IS 'rows whose label is true';
COMMENT ON COLUMN group_rate.negatives IS 'rows whose label is false';
COMMENT ON COLUMN group_rate.tpr IS 'true positive rate: part of the positives that is selected; null if there are none';
COMMENT ON COLUMN group_rate.fpr IS 'false positive rate: part of the negatives that is selected; null if there are none';

CREATE TYPE group_fairness_report AS (
	groups group_rate[],
	demographic_parity_difference float8,
	demographic_parity_ratio float8,
	equal_opportunity_difference float8,
	equalized_odds_difference float8,
	four_fifths boolean
);

COMMENT ON TYPE group_fairness_report IS
'result of group_fairness(): the groups by name, and over them the highest less the lowest rate, the lowest divided by the highest, the differences of tpr and of tpr or fpr whichever is larger, and whether the ratio is four fifths at least; there is no ratio if nobody is selected';
COMMENT ON COLUMN group_fairness_report.groups IS 'the groups, in the order of their names'' bytes';
COMMENT ON COLUMN group_fairness_report.demographic_parity_difference IS 'highest rate less the lowest';
COMMENT ON COLUMN group_fairness_report.demographic_parity_ratio IS 'lowest rate by the highest; null if nobody is selected';
COMMENT ON COLUMN group_fairness_report.equal_opportunity_difference IS 'highest tpr less the lowest; null if there is none';
COMMENT ON COLUMN group_fairness_report.equalized_odds_difference IS 'difference of tpr or of fpr, whichever is larger; null if either is';
COMMENT ON COLUMN group_fairness_report.four_fifths IS 'whether the ratio is four fifths at least; null if nobody is selected';

CREATE FUNCTION group_fairness_add(group_fairness_state, text, boolean) RETURNS group_fairness_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_group_fairness_add';

COMMENT ON FUNCTION group_fairness_add(group_fairness_state, text, boolean) IS
'transition function of group_fairness(grp, selected)';

CREATE FUNCTION group_fairness_add(group_fairness_state, text, boolean, boolean) RETURNS group_fairness_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_group_fairness_add';

COMMENT ON FUNCTION group_fairness_add(group_fairness_state, text, boolean, boolean) IS
'transition function of group_fairness(grp, selected, label)';

CREATE FUNCTION group_fairness_combine(group_fairness_state, group_fairness_state) RETURNS group_fairness_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_group_fairness_combine';

COMMENT ON FUNCTION group_fairness_combine(group_fairness_state, group_fairness_state) IS
'combine function of group_fairness()';

CREATE FUNCTION group_fairness_final(group_fairness_state) RETURNS group_fairness_report
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_group_fairness_final';

COMMENT ON FUNCTION group_fairness_final(group_fairness_state) IS
'final function of group_fairness()';

CREATE AGGREGATE group_fairness(grp text, selected boolean) (
	SFUNC = group_fairness_add,
	STYPE = group_fairness_state,
	FINALFUNC = group_fairness_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = group_fairness_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE group_fairness(text, boolean) IS
'rates of selection by group, and how far they differ';

CREATE AGGREGATE group_fairness(grp text, selected boolean, label boolean) (
	SFUNC = group_fairness_add,
	STYPE = group_fairness_state,
	FINALFUNC = group_fairness_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = group_fairness_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE group_fairness(text, boolean, boolean) IS
'rates of selection by group, the true and false positive rates, and how far they differ; a row without a label counts for the selection rate alone';

CREATE AGGREGATE group_fairness_partial(grp text, selected boolean) (
	SFUNC = group_fairness_add,
	STYPE = group_fairness_state,
	COMBINEFUNC = group_fairness_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE group_fairness_partial(text, boolean) IS
'the state of group_fairness(grp, selected), for group_fairness_merge()';

CREATE AGGREGATE group_fairness_partial(grp text, selected boolean, label boolean) (
	SFUNC = group_fairness_add,
	STYPE = group_fairness_state,
	COMBINEFUNC = group_fairness_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE group_fairness_partial(text, boolean, boolean) IS
'the state of group_fairness(grp, selected, label), for group_fairness_merge()';

CREATE AGGREGATE group_fairness_merge(state group_fairness_state) (
	SFUNC = group_fairness_combine,
	STYPE = group_fairness_state,
	FINALFUNC = group_fairness_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = group_fairness_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE group_fairness_merge(group_fairness_state) IS
'group_fairness() of all the rows in the states together';

CREATE TYPE exposure_state;

CREATE FUNCTION exposure_state_in(cstring) RETURNS exposure_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_exposure_state_in';

COMMENT ON FUNCTION exposure_state_in(cstring) IS 'input function of exposure_state';

CREATE FUNCTION exposure_state_out(exposure_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_exposure_state_out';

COMMENT ON FUNCTION exposure_state_out(exposure_state) IS 'output function of exposure_state';

CREATE FUNCTION exposure_state_recv(internal) RETURNS exposure_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_exposure_state_recv';

COMMENT ON FUNCTION exposure_state_recv(internal) IS 'binary input function of exposure_state';

CREATE FUNCTION exposure_state_send(exposure_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_exposure_state_send';

COMMENT ON FUNCTION exposure_state_send(exposure_state) IS 'binary output function of exposure_state';

CREATE TYPE exposure_state (
	INPUT = exposure_state_in,
	OUTPUT = exposure_state_out,
	RECEIVE = exposure_state_recv,
	SEND = exposure_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE exposure_state IS
'what exposure() has summed for each group: a partial result to be stored or merged';

CREATE TYPE exposure_group AS (
	grp text,
	items bigint,
	exposure float8,
	share float8,
	mean_exposure float8,
	mean_relevance float8,
	exposure_per_relevance float8
);

COMMENT ON TYPE exposure_group IS
'a group in exposure_report: its places in lists, what they are worth together, as a share of all and each on average, and the mean relevance of what stood there; null where it is not known';
COMMENT ON COLUMN exposure_group.grp IS 'name of the group';
COMMENT ON COLUMN exposure_group.items IS 'its rows: places in lists';
COMMENT ON COLUMN exposure_group.exposure IS 'what these are worth: the sum of 1 / log2(1 + rank)';
COMMENT ON COLUMN exposure_group.share IS 'its part of the exposure of all groups';
COMMENT ON COLUMN exposure_group.mean_exposure IS 'exposure by items';
COMMENT ON COLUMN exposure_group.mean_relevance IS 'mean relevance of the rows that have one; null if none has';
COMMENT ON COLUMN exposure_group.exposure_per_relevance IS 'mean_exposure by mean_relevance; null if that is null or 0';

CREATE TYPE exposure_report AS (
	groups exposure_group[],
	parity_ratio float8,
	treatment_ratio float8
);

COMMENT ON TYPE exposure_report IS
'result of exposure(): the groups by name, and the lowest divided by the highest of their mean exposures, and of their exposures per relevance, groups of no relevance left out';
COMMENT ON COLUMN exposure_report.groups IS 'the groups, in the order of their names'' bytes';
COMMENT ON COLUMN exposure_report.parity_ratio IS 'lowest mean_exposure by the highest';
COMMENT ON COLUMN exposure_report.treatment_ratio IS 'lowest exposure_per_relevance by the highest; null if there is none';

CREATE FUNCTION exposure_add(exposure_state, text, int) RETURNS exposure_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_exposure_add';

COMMENT ON FUNCTION exposure_add(exposure_state, text, int) IS
'transition function of exposure(grp, rank)';

CREATE FUNCTION exposure_add(exposure_state, text, int, float8) RETURNS exposure_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_exposure_add';

COMMENT ON FUNCTION exposure_add(exposure_state, text, int, float8) IS
'transition function of exposure(grp, rank, relevance)';

CREATE FUNCTION exposure_combine(exposure_state, exposure_state) RETURNS exposure_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_exposure_combine';

COMMENT ON FUNCTION exposure_combine(exposure_state, exposure_state) IS
'combine function of exposure()';

CREATE FUNCTION exposure_final(exposure_state) RETURNS exposure_report
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_exposure_final';

COMMENT ON FUNCTION exposure_final(exposure_state) IS
'final function of exposure()';

CREATE AGGREGATE exposure(grp text, rank int) (
	SFUNC = exposure_add,
	STYPE = exposure_state,
	FINALFUNC = exposure_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = exposure_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE exposure(text, int) IS
'how much groups are shown in ranked lists, a place being worth 1 / log2(1 + rank)';

CREATE AGGREGATE exposure(grp text, rank int, relevance float8) (
	SFUNC = exposure_add,
	STYPE = exposure_state,
	FINALFUNC = exposure_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = exposure_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE exposure(text, int, float8) IS
'how much groups are shown in ranked lists, a place being worth 1 / log2(1 + rank), also compared with their relevance';

CREATE AGGREGATE exposure_partial(grp text, rank int) (
	SFUNC = exposure_add,
	STYPE = exposure_state,
	COMBINEFUNC = exposure_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE exposure_partial(text, int) IS
'the state of exposure(grp, rank), for exposure_merge()';

CREATE AGGREGATE exposure_partial(grp text, rank int, relevance float8) (
	SFUNC = exposure_add,
	STYPE = exposure_state,
	COMBINEFUNC = exposure_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE exposure_partial(text, int, float8) IS
'the state of exposure(grp, rank, relevance), for exposure_merge()';

CREATE AGGREGATE exposure_merge(state exposure_state) (
	SFUNC = exposure_combine,
	STYPE = exposure_state,
	FINALFUNC = exposure_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = exposure_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE exposure_merge(exposure_state) IS
'exposure() of all the rows in the states together';

CREATE TYPE concentration_report AS (
	items bigint,
	gini float8,
	entropy float8,
	hhi float8,
	coverage float8
);

COMMENT ON TYPE concentration_report IS
'result of concentration(): the number of values, their Gini coefficient, the entropy of their shares in nats, the sum of the squared shares (Herfindahl-Hirschman index), and the part of them that is not 0';
COMMENT ON COLUMN concentration_report.items IS 'number of values';
COMMENT ON COLUMN concentration_report.gini IS 'Gini coefficient; null if the total is 0';
COMMENT ON COLUMN concentration_report.entropy IS 'Shannon''s entropy of the shares, in nats; null if the total is 0';
COMMENT ON COLUMN concentration_report.hhi IS 'Herfindahl-Hirschman index, the sum of the squared shares; null if the total is 0';
COMMENT ON COLUMN concentration_report.coverage IS 'part of the values that is not 0';

CREATE FUNCTION gini_final(sample_state) RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_gini_final';

COMMENT ON FUNCTION gini_final(sample_state) IS
'final function of gini()';

CREATE FUNCTION concentration_final(sample_state) RETURNS concentration_report
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_concentration_final';

COMMENT ON FUNCTION concentration_final(sample_state) IS
'final function of concentration()';

CREATE AGGREGATE gini(value float8) (
	SFUNC = sample_state_add,
	STYPE = sample_state,
	FINALFUNC = gini_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = sample_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE gini(float8) IS
'Gini coefficient of values that are not negative: 0 if all are equal, near 1 if one has it all; null if their total is 0';

CREATE AGGREGATE gini_partial(value float8) (
	SFUNC = sample_state_add,
	STYPE = sample_state,
	COMBINEFUNC = sample_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE gini_partial(float8) IS
'the state of gini(), for gini_merge() or concentration_merge()';

CREATE AGGREGATE gini_merge(state sample_state) (
	SFUNC = sample_state_combine,
	STYPE = sample_state,
	FINALFUNC = gini_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = sample_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE gini_merge(sample_state) IS
'gini() of all the values in the states together';

CREATE AGGREGATE concentration(value float8) (
	SFUNC = sample_state_add,
	STYPE = sample_state,
	FINALFUNC = concentration_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = sample_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE concentration(float8) IS
'how unevenly a total is spread over items, such as sales over products; measures of shares are null if the total is 0';

CREATE AGGREGATE concentration_partial(value float8) (
	SFUNC = sample_state_add,
	STYPE = sample_state,
	COMBINEFUNC = sample_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE concentration_partial(float8) IS
'the state of concentration(), for concentration_merge() or gini_merge()';

CREATE AGGREGATE concentration_merge(state sample_state) (
	SFUNC = sample_state_combine,
	STYPE = sample_state,
	FINALFUNC = concentration_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = sample_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE concentration_merge(sample_state) IS
'concentration() of all the values in the states together';
