/* Effects by stratum and segment, of two treatments at once, of quantiles, of outcomes without extremes. */

/* Post-stratification */

CREATE FUNCTION post_stratify(
	control moments[],
	treatment moments[],
	alpha float8 DEFAULT 0.05,
	alternative text DEFAULT 'two-sided') RETURNS lift_test
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_post_stratify';

COMMENT ON FUNCTION post_stratify(moments[], moments[], float8, text) IS
'difference of two arms as if both had the same share of units in each stratum: an element of control and treatment for each stratum; variance_reduction is that by strata and covariate together';

/* Two treatments at once */

CREATE TYPE factorial_test AS (
	n bigint,
	mean_neither float8,
	mean_a float8,
	mean_b float8,
	mean_both float8,
	main_a float8,
	main_a_stderr float8,
	main_a_ci_low float8,
	main_a_ci_high float8,
	main_a_t float8,
	main_a_p_value float8,
	main_b float8,
	main_b_stderr float8,
	main_b_ci_low float8,
	main_b_ci_high float8,
	main_b_t float8,
	main_b_p_value float8,
	interaction float8,
	interaction_stderr float8,
	interaction_ci_low float8,
	interaction_ci_high float8,
	interaction_t float8,
	interaction_p_value float8,
	df float8,
	mse float8
);

COMMENT ON TYPE factorial_test IS
'result of factorial_2x2(): two treatments, and how they change each other; intervals and p-values are null where nothing varies within cells';
COMMENT ON COLUMN factorial_test.n IS 'units of all four cells';
COMMENT ON COLUMN factorial_test.mean_neither IS 'mean of the cell without a treatment';
COMMENT ON COLUMN factorial_test.mean_a IS 'mean of the cell with a alone';
COMMENT ON COLUMN factorial_test.mean_b IS 'mean of the cell with b alone';
COMMENT ON COLUMN factorial_test.mean_both IS 'mean of the cell with both';
COMMENT ON COLUMN factorial_test.main_a IS 'effect of a, averaged over with and without b';
COMMENT ON COLUMN factorial_test.main_a_stderr IS 'its standard error';
COMMENT ON COLUMN factorial_test.main_a_ci_low IS 'lower end of its confidence interval';
COMMENT ON COLUMN factorial_test.main_a_ci_high IS 'upper end';
COMMENT ON COLUMN factorial_test.main_a_t IS 'main_a by its standard error';
COMMENT ON COLUMN factorial_test.main_a_p_value IS 'chance of one at least as large if there is none';
COMMENT ON COLUMN factorial_test.main_b IS 'effect of b, averaged over with and without a';
COMMENT ON COLUMN factorial_test.main_b_stderr IS 'its standard error';
COMMENT ON COLUMN factorial_test.main_b_ci_low IS 'lower end of its confidence interval';
COMMENT ON COLUMN factorial_test.main_b_ci_high IS 'upper end';
COMMENT ON COLUMN factorial_test.main_b_t IS 'main_b by its standard error';
COMMENT ON COLUMN factorial_test.main_b_p_value IS 'chance of one at least as large if there is none';
COMMENT ON COLUMN factorial_test.interaction IS 'effect of a with b less that without b';
COMMENT ON COLUMN factorial_test.interaction_stderr IS 'its standard error';
COMMENT ON COLUMN factorial_test.interaction_ci_low IS 'lower end of its confidence interval';
COMMENT ON COLUMN factorial_test.interaction_ci_high IS 'upper end';
COMMENT ON COLUMN factorial_test.interaction_t IS 'interaction by its standard error';
COMMENT ON COLUMN factorial_test.interaction_p_value IS 'chance of one at least as large if there is none';
COMMENT ON COLUMN factorial_test.df IS 'degrees of freedom: units less four';
COMMENT ON COLUMN factorial_test.mse IS 'variance within cells, pooled; null with one unit in each';

CREATE FUNCTION factorial_2x2(
	neither moments,
	only_a moments,
	only_b moments,
	"both" moments,
	alpha float8 DEFAULT 0.05) RETURNS factorial_test
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_factorial_2x2';

COMMENT ON FUNCTION factorial_2x2(moments, moments, moments, moments, float8) IS
'main effects and interaction of two treatments that were assigned independently, from the moments of the four cells';

/* Does the effect differ by segment? */

CREATE TYPE heterogeneity_test AS (
	segments int,
	effect float8,
	stderr float8,
	ci_low float8,
	ci_high float8,
	p_value float8,
	q float8,
	df int,
	q_p_value float8,
	i2 float8,
	tau2 float8,
	random_effect float8,
	random_stderr float8,
	random_ci_low float8,
	random_ci_high float8,
	random_p_value float8
);

COMMENT ON TYPE heterogeneity_test IS
'result of segment_heterogeneity(): the effect common to all segments, whether it differs between them, and its mean if so';
COMMENT ON COLUMN heterogeneity_test.segments IS 'number of segments';
COMMENT ON COLUMN heterogeneity_test.effect IS 'effect common to all segments: mean weighted by inverse variances';
COMMENT ON COLUMN heterogeneity_test.stderr IS 'its standard error';
COMMENT ON COLUMN heterogeneity_test.ci_low IS 'lower end of its confidence interval';
COMMENT ON COLUMN heterogeneity_test.ci_high IS 'upper end';
COMMENT ON COLUMN heterogeneity_test.p_value IS 'chance of an effect at least as large if there is none';
COMMENT ON COLUMN heterogeneity_test.q IS 'Cochran''s Q: squared distances of the effects from the common one, in standard errors';
COMMENT ON COLUMN heterogeneity_test.df IS 'its degrees of freedom: segments less one';
COMMENT ON COLUMN heterogeneity_test.q_p_value IS 'chance of a Q at least as large if the effect is the same in all; null for one segment';
COMMENT ON COLUMN heterogeneity_test.i2 IS 'part of the variation of effects that is not chance, 0 to 1; null for one segment';
COMMENT ON COLUMN heterogeneity_test.tau2 IS 'variance of the effect between segments, by DerSimonian and Laird; null for one segment';
COMMENT ON COLUMN heterogeneity_test.random_effect IS 'mean of effects that differ by segment';
COMMENT ON COLUMN heterogeneity_test.random_stderr IS 'its standard error';
COMMENT ON COLUMN heterogeneity_test.random_ci_low IS 'lower end of its confidence interval';
COMMENT ON COLUMN heterogeneity_test.random_ci_high IS 'upper end';
COMMENT ON COLUMN heterogeneity_test.random_p_value IS 'chance of an effect at least as large if there is none';

CREATE FUNCTION segment_heterogeneity(
	effects float8[],
	stderrs float8[],
	alpha float8 DEFAULT 0.05) RETURNS heterogeneity_test
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_segment_heterogeneity';

COMMENT ON FUNCTION segment_heterogeneity(float8[], float8[], float8) IS
'whether an effect differs by segment more than chance allows, from its estimate and standard error in each';

CREATE FUNCTION segment_heterogeneity(
	control moments[],
	treatment moments[],
	alpha float8 DEFAULT 0.05) RETURNS heterogeneity_test
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_segment_heterogeneity_of_moments';

COMMENT ON FUNCTION segment_heterogeneity(moments[], moments[], float8) IS
'whether the difference of two arms differs by segment more than chance allows: an element of control and treatment for each segment';

CREATE TYPE segment_effect AS (
	segment text,
	n_control bigint,
	n_treatment bigint,
	mean_control float8,
	mean_treatment float8,
	difference float8,
	stderr float8,
	ci_low float8,
	ci_high float8,
	p_value float8,
	adjusted_p_value float8,
	relative_difference float8,
	relative_stderr float8,
	relative_ci_low float8,
	relative_ci_high float8,
	relative_p_value float8
);

COMMENT ON TYPE segment_effect IS
'a row of segment_effects(): two arms within a segment; intervals and p-values are null where an arm has fewer than two units or nothing varies';
COMMENT ON COLUMN segment_effect.segment IS 'name of the segment';
COMMENT ON COLUMN segment_effect.n_control IS 'units of the control';
COMMENT ON COLUMN segment_effect.n_treatment IS 'units of the treatment';
COMMENT ON COLUMN segment_effect.mean_control IS 'mean of the control';
COMMENT ON COLUMN segment_effect.mean_treatment IS 'mean of the treatment';
COMMENT ON COLUMN segment_effect.difference IS 'treatment less control, adjusted where there is a covariate';
COMMENT ON COLUMN segment_effect.stderr IS 'standard error of difference';
COMMENT ON COLUMN segment_effect.ci_low IS 'lower end of its confidence interval';
COMMENT ON COLUMN segment_effect.ci_high IS 'upper end';
COMMENT ON COLUMN segment_effect.p_value IS 'chance of a difference at least as large if there is none';
COMMENT ON COLUMN segment_effect.adjusted_p_value IS 'p_value adjusted for the number of segments';
COMMENT ON COLUMN segment_effect.relative_difference IS 'difference by the mean of the control, .05 for 5 percent more; null if that is 0';
COMMENT ON COLUMN segment_effect.relative_stderr IS 'standard error of relative_difference, by the delta method';
COMMENT ON COLUMN segment_effect.relative_ci_low IS 'lower end of its confidence interval';
COMMENT ON COLUMN segment_effect.relative_ci_high IS 'upper end';
COMMENT ON COLUMN segment_effect.relative_p_value IS 'chance of a difference at least as large if there is none';

CREATE FUNCTION segment_tests(
	segments text[],
	control moments[],
	treatment moments[],
	alpha float8 DEFAULT 0.05,
	alternative text DEFAULT 'two-sided') RETURNS SETOF segment_effect
LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 10
AS 'MODULE_PATHNAME', 'personalize_segment_tests';

COMMENT ON FUNCTION segment_tests(text[], moments[], moments[], float8, text) IS
'what segment_effects() adjusts: compare() for each segment, without adjusted_p_value';

/* Quantiles */

CREATE TYPE quantile_test AS (
	nu float8,
	n_control bigint,
	n_treatment bigint,
	quantile_control float8,
	quantile_treatment float8,
	difference float8,
	stderr float8,
	ci_low float8,
	ci_high float8,
	p_value float8,
	relative_difference float8,
	relative_stderr float8,
	relative_ci_low float8,
	relative_ci_high float8,
	relative_p_value float8,
	t float8,
	df float8
);

COMMENT ON TYPE quantile_test IS
'result of lift_quantile() and quantile_effect(): a quantile of both arms, the difference, and its intervals; these are null where an arm has too few units or too many equal ones';
COMMENT ON COLUMN quantile_test.nu IS 'which quantile: 0.5 is the median';
COMMENT ON COLUMN quantile_test.n_control IS 'units of the control';
COMMENT ON COLUMN quantile_test.n_treatment IS 'units of the treatment';
COMMENT ON COLUMN quantile_test.quantile_control IS 'quantile of the control';
COMMENT ON COLUMN quantile_test.quantile_treatment IS 'quantile of the treatment';
COMMENT ON COLUMN quantile_test.difference IS 'treatment less control';
COMMENT ON COLUMN quantile_test.stderr IS 'standard error of difference';
COMMENT ON COLUMN quantile_test.ci_low IS 'lower end of its confidence interval';
COMMENT ON COLUMN quantile_test.ci_high IS 'upper end';
COMMENT ON COLUMN quantile_test.p_value IS 'chance of a difference at least as large if there is none';
COMMENT ON COLUMN quantile_test.relative_difference IS 'difference by the quantile of the control, .05 for 5 percent more; null if that is 0';
COMMENT ON COLUMN quantile_test.relative_stderr IS 'standard error of relative_difference, by the delta method';
COMMENT ON COLUMN quantile_test.relative_ci_low IS 'lower end of its confidence interval';
COMMENT ON COLUMN quantile_test.relative_ci_high IS 'upper end';
COMMENT ON COLUMN quantile_test.relative_p_value IS 'chance of a difference at least as large if there is none';
COMMENT ON COLUMN quantile_test.t IS 'difference by its standard error';
COMMENT ON COLUMN quantile_test.df IS 'degrees of freedom by Welch and Satterthwaite';

CREATE TYPE quantile_lift_state;

CREATE FUNCTION quantile_lift_state_in(cstring) RETURNS quantile_lift_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_quantile_lift_state_in';

COMMENT ON FUNCTION quantile_lift_state_in(cstring) IS
'input function of quantile_lift_state';

CREATE FUNCTION quantile_lift_state_out(quantile_lift_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_quantile_lift_state_out';

COMMENT ON FUNCTION quantile_lift_state_out(quantile_lift_state) IS
'output function of quantile_lift_state';

CREATE FUNCTION quantile_lift_state_recv(internal) RETURNS quantile_lift_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_quantile_lift_state_recv';

COMMENT ON FUNCTION quantile_lift_state_recv(internal) IS
'binary input function of quantile_lift_state';

CREATE FUNCTION quantile_lift_state_send(quantile_lift_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_quantile_lift_state_send';

COMMENT ON FUNCTION quantile_lift_state_send(quantile_lift_state) IS
'binary output function of quantile_lift_state';

CREATE TYPE quantile_lift_state (
	INPUT = quantile_lift_state_in,
	OUTPUT = quantile_lift_state_out,
	RECEIVE = quantile_lift_state_recv,
	SEND = quantile_lift_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE quantile_lift_state IS
'the outcomes of both arms, as lift_quantile() keeps them: a partial result to be stored or merged';

CREATE FUNCTION lift_quantile_add(quantile_lift_state, float8, boolean, float8) RETURNS quantile_lift_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_quantile_add';

COMMENT ON FUNCTION lift_quantile_add(quantile_lift_state, float8, boolean, float8) IS
'transition function of lift_quantile(); a row with a null outcome or treated is skipped';

CREATE FUNCTION lift_quantile_combine(quantile_lift_state, quantile_lift_state) RETURNS quantile_lift_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_quantile_combine';

COMMENT ON FUNCTION lift_quantile_combine(quantile_lift_state, quantile_lift_state) IS
'combine function of lift_quantile()';

CREATE FUNCTION lift_quantile_result(quantile_lift_state) RETURNS quantile_test
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_quantile_result';

COMMENT ON FUNCTION lift_quantile_result(quantile_lift_state) IS
'final function of lift_quantile()';

CREATE AGGREGATE lift_quantile(outcome float8, treated boolean, nu float8) (
	SFUNC = lift_quantile_add,
	STYPE = quantile_lift_state,
	SSPACE = 1024,
	FINALFUNC = lift_quantile_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = lift_quantile_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_quantile(float8, boolean, float8) IS
'what a treatment changed at quantile nu of the outcome, such as 0.5 for the median, with intervals of 95 percent';

CREATE AGGREGATE lift_quantile_partial(outcome float8, treated boolean, nu float8) (
	SFUNC = lift_quantile_add,
	STYPE = quantile_lift_state,
	SSPACE = 1024,
	COMBINEFUNC = lift_quantile_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_quantile_partial(float8, boolean, float8) IS
'the state of lift_quantile(), to be stored, merged, or read by quantile_effect()';

CREATE AGGREGATE lift_quantile_merge(state quantile_lift_state) (
	SFUNC = lift_quantile_combine,
	STYPE = quantile_lift_state,
	SSPACE = 1024,
	FINALFUNC = lift_quantile_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = lift_quantile_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_quantile_merge(quantile_lift_state) IS
'lift_quantile() of what lift_quantile_partial() has kept';

CREATE FUNCTION quantile_effect(
	state quantile_lift_state,
	alpha float8 DEFAULT 0.05,
	alternative text DEFAULT 'two-sided') RETURNS quantile_test
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_quantile_effect_of_state';

COMMENT ON FUNCTION quantile_effect(quantile_lift_state, float8, text) IS
'difference of a quantile between the arms of lift_quantile_partial(), with options';

CREATE FUNCTION quantile_effect(
	nu float8,
	n_control bigint,
	quantile_control float8,
	lower_control float8,
	upper_control float8,
	n_treatment bigint,
	quantile_treatment float8,
	lower_treatment float8,
	upper_treatment float8,
	alpha float8 DEFAULT 0.05,
	alternative text DEFAULT 'two-sided') RETURNS quantile_test
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_quantile_effect';

COMMENT ON FUNCTION quantile_effect(float8, bigint, float8, float8, float8, bigint, float8, float8, float8, float8, text) IS
'difference of a quantile between two arms, from the quantile and the ends of its interval of 95 percent in each';

/* Outcomes without extremes */

CREATE FUNCTION winsorize(
	value float8,
	low float8,
	high float8) RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_winsorize';

COMMENT ON FUNCTION winsorize(float8, float8, float8) IS
'low where the value is below it, high where it is above that, the value otherwise; a null bound is none';

CREATE FUNCTION winsorize(
	value numeric,
	low numeric,
	high numeric) RETURNS numeric
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_winsorize_numeric';

COMMENT ON FUNCTION winsorize(numeric, numeric, numeric) IS
'low where the value is below it, high where it is above that, the value otherwise; a null bound is none';
