/* Did it work?  Means and variances of arms, and the difference between two of them. */

/* Arms */

CREATE TYPE moments;

CREATE FUNCTION moments_in(cstring) RETURNS moments
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_moments_in';

COMMENT ON FUNCTION moments_in(cstring) IS
'input function of moments';

CREATE FUNCTION moments_out(moments) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_moments_out';

COMMENT ON FUNCTION moments_out(moments) IS
'output function of moments';

CREATE FUNCTION moments_recv(internal) RETURNS moments
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_moments_recv';

COMMENT ON FUNCTION moments_recv(internal) IS
'binary input function of moments';

CREATE FUNCTION moments_send(moments) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_moments_send';

COMMENT ON FUNCTION moments_send(moments) IS
'binary output function of moments';

CREATE TYPE moments (
	INPUT = moments_in,
	OUTPUT = moments_out,
	RECEIVE = moments_recv,
	SEND = moments_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE moments IS
'the rows of an arm as count, means, variances and covariances, to be compared, stored or merged';

CREATE FUNCTION moments_add(moments, float8) RETURNS moments
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_moments_add';

COMMENT ON FUNCTION moments_add(moments, float8) IS
'transition function of moments(float8); a row with a null is skipped';

CREATE FUNCTION moments_add(moments, numeric) RETURNS moments
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_moments_add_numeric';

COMMENT ON FUNCTION moments_add(moments, numeric) IS
'transition function of moments(numeric); a row with a null is skipped';

CREATE FUNCTION moments_add(moments, float8, float8) RETURNS moments
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_moments_add_pair';

COMMENT ON FUNCTION moments_add(moments, float8, float8) IS
'transition function of moments(float8, float8); a row with a null is skipped';

CREATE FUNCTION moments_add(moments, numeric, numeric) RETURNS moments
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_moments_add_pair_numeric';

COMMENT ON FUNCTION moments_add(moments, numeric, numeric) IS
'transition function of moments(numeric, numeric); a row with a null is skipped';

CREATE FUNCTION moments_add(moments, float8, float8, float8, float8) RETURNS moments
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_moments_add_four';

COMMENT ON FUNCTION moments_add(moments, float8, float8, float8, float8) IS
'transition function of moments(float8, float8, float8, float8); a row with a null is skipped';

CREATE FUNCTION moments_combine(moments, moments) RETURNS moments
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_moments_combine';

COMMENT ON FUNCTION moments_combine(moments, moments) IS
'combine function of moments()';

CREATE AGGREGATE moments(outcome float8) (
	SFUNC = moments_add,
	STYPE = moments,
	SSPACE = 64,
	COMBINEFUNC = moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE moments(float8) IS
'count, mean and variance of outcomes, for compare()';

CREATE AGGREGATE moments(outcome float8, covariate float8) (
	SFUNC = moments_add,
	STYPE = moments,
	SSPACE = 112,
	COMBINEFUNC = moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE moments(float8, float8) IS
'count, means, variances and covariance of outcome and covariate, for compare(), or of numerator and denominator, for compare_ratio()';

CREATE AGGREGATE moments_partial(outcome float8) (
	SFUNC = moments_add,
	STYPE = moments,
	SSPACE = 64,
	COMBINEFUNC = moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE moments_partial(float8) IS
'the same as moments(): its result can be stored and merged as it is; count, mean and variance of outcomes, for compare()';

CREATE AGGREGATE moments_partial(outcome float8, covariate float8) (
	SFUNC = moments_add,
	STYPE = moments,
	SSPACE = 112,
	COMBINEFUNC = moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE moments_partial(float8, float8) IS
'the same as moments(): its result can be stored and merged as it is; count, means, variances and covariance of outcome and covariate, for compare(), or of numerator and denominator, for compare_ratio()';

CREATE AGGREGATE moments(outcome numeric) (
	SFUNC = moments_add,
	STYPE = moments,
	SSPACE = 64,
	COMBINEFUNC = moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE moments(numeric) IS
'count, mean and variance of outcomes, for compare()';

CREATE AGGREGATE moments(outcome numeric, covariate numeric) (
	SFUNC = moments_add,
	STYPE = moments,
	SSPACE = 112,
	COMBINEFUNC = moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE moments(numeric, numeric) IS
'count, means, variances and covariance of outcome and covariate, for compare(), or of numerator and denominator, for compare_ratio()';

CREATE AGGREGATE moments_partial(outcome numeric) (
	SFUNC = moments_add,
	STYPE = moments,
	SSPACE = 64,
	COMBINEFUNC = moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE moments_partial(numeric) IS
'the same as moments(): its result can be stored and merged as it is; count, mean and variance of outcomes, for compare()';

CREATE AGGREGATE moments_partial(outcome numeric, covariate numeric) (
	SFUNC = moments_add,
	STYPE = moments,
	SSPACE = 112,
	COMBINEFUNC = moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE moments_partial(numeric, numeric) IS
'the same as moments(): its result can be stored and merged as it is; count, means, variances and covariance of outcome and covariate, for compare(), or of numerator and denominator, for compare_ratio()';

CREATE AGGREGATE moments(numerator float8, denominator float8, numerator_before float8, denominator_before float8) (
	SFUNC = moments_add,
	STYPE = moments,
	SSPACE = 272,
	COMBINEFUNC = moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE moments(float8, float8, float8, float8) IS
'moments of numerator and denominator, and of both before the experiment, for compare_ratio()';

CREATE AGGREGATE moments_partial(numerator float8, denominator float8, numerator_before float8, denominator_before float8) (
	SFUNC = moments_add,
	STYPE = moments,
	SSPACE = 272,
	COMBINEFUNC = moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE moments_partial(float8, float8, float8, float8) IS
'the same as moments(): its result can be stored and merged as it is; moments of numerator and denominator, and of both before the experiment, for compare_ratio()';

CREATE AGGREGATE moments_merge(moments moments) (
	SFUNC = moments_combine,
	STYPE = moments,
	SSPACE = 272,
	COMBINEFUNC = moments_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE moments_merge(moments) IS
'moments of parts, such as days, as those of the whole';

CREATE FUNCTION moments_of(n bigint, mean float8, variance float8) RETURNS moments
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_moments_of';

COMMENT ON FUNCTION moments_of(bigint, float8, float8) IS
'moments of figures that are known otherwise, as from a report; variance is that of a sample, by n - 1';

CREATE FUNCTION moments_of_matrix(n bigint, means float8[], covariances float8[]) RETURNS moments
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_moments_of_matrix';

COMMENT ON FUNCTION moments_of_matrix(bigint, float8[], float8[]) IS
'moments of 1, 2 or 4 variables from their means and their covariance matrix';

CREATE TYPE moments_figures AS (
	n bigint,
	mean float8,
	variance float8,
	stddev float8,
	stderr float8,
	covariate_mean float8,
	covariate_variance float8,
	covariance float8,
	correlation float8
);

COMMENT ON TYPE moments_figures IS
'result of moments_figures(): what moments say, in numbers';
COMMENT ON COLUMN moments_figures.n IS 'number of rows';
COMMENT ON COLUMN moments_figures.mean IS 'mean of the outcome';
COMMENT ON COLUMN moments_figures.variance IS 'its variance, by n - 1; null of a single row';
COMMENT ON COLUMN moments_figures.stddev IS 'square root of the variance';
COMMENT ON COLUMN moments_figures.stderr IS 'standard error of the mean';
COMMENT ON COLUMN moments_figures.covariate_mean IS 'mean of the covariate; null without one';
COMMENT ON COLUMN moments_figures.covariate_variance IS 'variance of the covariate';
COMMENT ON COLUMN moments_figures.covariance IS 'covariance of both';
COMMENT ON COLUMN moments_figures.correlation IS 'correlation of both; null if either is constant';

CREATE FUNCTION moments_figures(moments moments) RETURNS moments_figures
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_moments_summary';

COMMENT ON FUNCTION moments_figures(moments) IS
'what moments say, in numbers: one row, to be read as (moments_figures(m)).*';

/* The difference between two arms */

CREATE TYPE lift_test AS (
	n_control bigint,
	n_treatment bigint,
	mean_control float8,
	mean_treatment float8,
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
	fieller_ci_low float8,
	fieller_ci_high float8,
	t float8,
	df float8,
	theta float8,
	variance_reduction float8
);

COMMENT ON TYPE lift_test IS
'result of lift() and compare(): two arms, their difference, and its intervals; intervals and p-values are null where an arm has fewer than two units or nothing varies';
COMMENT ON COLUMN lift_test.n_control IS 'units of the control';
COMMENT ON COLUMN lift_test.n_treatment IS 'units of the treatment';
COMMENT ON COLUMN lift_test.mean_control IS 'mean of the control, or its ratio';
COMMENT ON COLUMN lift_test.mean_treatment IS 'mean of the treatment, or its ratio';
COMMENT ON COLUMN lift_test.difference IS 'treatment less control, adjusted where there is a covariate';
COMMENT ON COLUMN lift_test.stderr IS 'standard error of difference';
COMMENT ON COLUMN lift_test.ci_low IS 'lower end of its confidence interval';
COMMENT ON COLUMN lift_test.ci_high IS 'upper end';
COMMENT ON COLUMN lift_test.p_value IS 'chance of a difference at least as large if there is none';
COMMENT ON COLUMN lift_test.relative_difference IS 'difference by the mean of the control, .05 for 5 percent more; null if that is 0';
COMMENT ON COLUMN lift_test.relative_stderr IS 'standard error of relative_difference, by the delta method';
COMMENT ON COLUMN lift_test.relative_ci_low IS 'lower end of its confidence interval';
COMMENT ON COLUMN lift_test.relative_ci_high IS 'upper end';
COMMENT ON COLUMN lift_test.relative_p_value IS 'chance of a difference at least as large if there is none';
COMMENT ON COLUMN lift_test.fieller_ci_low IS 'lower end of another interval of relative_difference, by Fieller: it holds 0 exactly if that of difference does; null where the mean of the control cannot be told from 0';
COMMENT ON COLUMN lift_test.fieller_ci_high IS 'upper end';
COMMENT ON COLUMN lift_test.t IS 'difference by its standard error';
COMMENT ON COLUMN lift_test.df IS 'degrees of freedom by Welch and Satterthwaite; infinite if always valid';
COMMENT ON COLUMN lift_test.theta IS 'coefficient of the covariate; null without one';
COMMENT ON COLUMN lift_test.variance_reduction IS 'part of the variance that the covariate takes away; null without one';

CREATE FUNCTION compare(
	control moments,
	treatment moments,
	alpha float8 DEFAULT 0.05,
	alternative text DEFAULT 'two-sided',
	always_valid boolean DEFAULT false,
	tuning float8 DEFAULT 5000) RETURNS lift_test
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_compare';

COMMENT ON FUNCTION compare(moments, moments, float8, text, boolean, float8) IS
'difference of the means of two arms by Welch''s test, adjusted for the covariate if there is one (CUPED); always_valid for intervals that bear any number of looks, narrowest at tuning units';

CREATE FUNCTION compare_ratio(
	control moments,
	treatment moments,
	alpha float8 DEFAULT 0.05,
	alternative text DEFAULT 'two-sided',
	always_valid boolean DEFAULT false,
	tuning float8 DEFAULT 5000) RETURNS lift_test
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_compare_ratio';

COMMENT ON FUNCTION compare_ratio(moments, moments, float8, text, boolean, float8) IS
'difference of the ratios of two means, as of clicks to views, by the delta method';

/* Both arms in one aggregate */

CREATE TYPE lift_state;

CREATE FUNCTION lift_state_in(cstring) RETURNS lift_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_state_in';

COMMENT ON FUNCTION lift_state_in(cstring) IS
'input function of lift_state';

CREATE FUNCTION lift_state_out(lift_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_state_out';

COMMENT ON FUNCTION lift_state_out(lift_state) IS
'output function of lift_state';

CREATE FUNCTION lift_state_recv(internal) RETURNS lift_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_state_recv';

COMMENT ON FUNCTION lift_state_recv(internal) IS
'binary input function of lift_state';

CREATE FUNCTION lift_state_send(lift_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_state_send';

COMMENT ON FUNCTION lift_state_send(lift_state) IS
'binary output function of lift_state';

CREATE TYPE lift_state (
	INPUT = lift_state_in,
	OUTPUT = lift_state_out,
	RECEIVE = lift_state_recv,
	SEND = lift_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE lift_state IS
'the rows of both arms, as lift(), lift_ratio() and lift_proportion() keep them: a partial result to be stored or merged';

CREATE FUNCTION lift_add(lift_state, float8, boolean) RETURNS lift_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_add';

COMMENT ON FUNCTION lift_add(lift_state, float8, boolean) IS
'transition function of lift(outcome, treated); a row with a null is skipped';

CREATE FUNCTION lift_add(lift_state, float8, boolean, float8) RETURNS lift_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_add_covariate';

COMMENT ON FUNCTION lift_add(lift_state, float8, boolean, float8) IS
'transition function of lift(outcome, treated, covariate); a row with a null is skipped';

CREATE FUNCTION lift_ratio_add(lift_state, float8, float8, boolean) RETURNS lift_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_ratio_add';

COMMENT ON FUNCTION lift_ratio_add(lift_state, float8, float8, boolean) IS
'transition function of lift_ratio(numerator, denominator, treated); a row with a null is skipped';

CREATE FUNCTION lift_add(lift_state, numeric, boolean) RETURNS lift_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_add_numeric';

COMMENT ON FUNCTION lift_add(lift_state, numeric, boolean) IS
'transition function of lift(outcome, treated); a row with a null is skipped';

CREATE FUNCTION lift_add(lift_state, numeric, boolean, numeric) RETURNS lift_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_add_covariate_numeric';

COMMENT ON FUNCTION lift_add(lift_state, numeric, boolean, numeric) IS
'transition function of lift(outcome, treated, covariate); a row with a null is skipped';

CREATE FUNCTION lift_ratio_add(lift_state, numeric, numeric, boolean) RETURNS lift_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_ratio_add_numeric';

COMMENT ON FUNCTION lift_ratio_add(lift_state, numeric, numeric, boolean) IS
'transition function of lift_ratio(numerator, denominator, treated); a row with a null is skipped';

CREATE FUNCTION lift_ratio_add(lift_state, float8, float8, boolean, float8, float8) RETURNS lift_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_ratio_add_before';

COMMENT ON FUNCTION lift_ratio_add(lift_state, float8, float8, boolean, float8, float8) IS
'transition function of lift_ratio(numerator, denominator, treated, numerator_before, denominator_before); a row with a null is skipped';

CREATE FUNCTION lift_combine(lift_state, lift_state) RETURNS lift_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_combine';

COMMENT ON FUNCTION lift_combine(lift_state, lift_state) IS
'combine function of lift(), lift_ratio() and lift_proportion()';

CREATE FUNCTION lift_result(lift_state) RETURNS lift_test
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_result';

COMMENT ON FUNCTION lift_result(lift_state) IS
'final function of lift() and lift_ratio()';

CREATE AGGREGATE lift(outcome float8, treated boolean) (
	SFUNC = lift_add,
	STYPE = lift_state,
	SSPACE = 128,
	FINALFUNC = lift_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift(float8, boolean) IS
'what a treatment changed: difference of the mean outcomes, with intervals of 95 percent, by Welch''s test';

CREATE AGGREGATE lift(outcome float8, treated boolean, covariate float8) (
	SFUNC = lift_add,
	STYPE = lift_state,
	SSPACE = 256,
	FINALFUNC = lift_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift(float8, boolean, float8) IS
'what a treatment changed: difference of the mean outcomes, with intervals of 95 percent, by Welch''s test, adjusted for a covariate of before the experiment (CUPED)';

CREATE AGGREGATE lift_partial(outcome float8, treated boolean) (
	SFUNC = lift_add,
	STYPE = lift_state,
	SSPACE = 128,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_partial(float8, boolean) IS
'the state of lift(), to be stored, merged, or read by compare()';

CREATE AGGREGATE lift_partial(outcome float8, treated boolean, covariate float8) (
	SFUNC = lift_add,
	STYPE = lift_state,
	SSPACE = 256,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_partial(float8, boolean, float8) IS
'the state of lift(), to be stored, merged, or read by compare()';

CREATE AGGREGATE lift_ratio(numerator float8, denominator float8, treated boolean) (
	SFUNC = lift_ratio_add,
	STYPE = lift_state,
	SSPACE = 256,
	FINALFUNC = lift_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_ratio(float8, float8, boolean) IS
'what a treatment changed in a ratio, as of clicks to views: difference with intervals of 95 percent, by the delta method';

CREATE AGGREGATE lift_ratio_partial(numerator float8, denominator float8, treated boolean) (
	SFUNC = lift_ratio_add,
	STYPE = lift_state,
	SSPACE = 256,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_ratio_partial(float8, float8, boolean) IS
'the state of lift_ratio(), to be stored, merged, or read by compare()';

CREATE AGGREGATE lift(outcome numeric, treated boolean) (
	SFUNC = lift_add,
	STYPE = lift_state,
	SSPACE = 128,
	FINALFUNC = lift_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift(numeric, boolean) IS
'what a treatment changed: difference of the mean outcomes, with intervals of 95 percent, by Welch''s test';

CREATE AGGREGATE lift(outcome numeric, treated boolean, covariate numeric) (
	SFUNC = lift_add,
	STYPE = lift_state,
	SSPACE = 256,
	FINALFUNC = lift_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift(numeric, boolean, numeric) IS
'what a treatment changed: difference of the mean outcomes, with intervals of 95 percent, by Welch''s test, adjusted for a covariate of before the experiment (CUPED)';

CREATE AGGREGATE lift_partial(outcome numeric, treated boolean) (
	SFUNC = lift_add,
	STYPE = lift_state,
	SSPACE = 128,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_partial(numeric, boolean) IS
'the state of lift(), to be stored, merged, or read by compare()';

CREATE AGGREGATE lift_partial(outcome numeric, treated boolean, covariate numeric) (
	SFUNC = lift_add,
	STYPE = lift_state,
	SSPACE = 256,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_partial(numeric, boolean, numeric) IS
'the state of lift(), to be stored, merged, or read by compare()';

CREATE AGGREGATE lift_ratio(numerator numeric, denominator numeric, treated boolean) (
	SFUNC = lift_ratio_add,
	STYPE = lift_state,
	SSPACE = 256,
	FINALFUNC = lift_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_ratio(numeric, numeric, boolean) IS
'what a treatment changed in a ratio, as of clicks to views: difference with intervals of 95 percent, by the delta method';

CREATE AGGREGATE lift_ratio_partial(numerator numeric, denominator numeric, treated boolean) (
	SFUNC = lift_ratio_add,
	STYPE = lift_state,
	SSPACE = 256,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_ratio_partial(numeric, numeric, boolean) IS
'the state of lift_ratio(), to be stored, merged, or read by compare()';

CREATE AGGREGATE lift_ratio(numerator float8, denominator float8, treated boolean, numerator_before float8, denominator_before float8) (
	SFUNC = lift_ratio_add,
	STYPE = lift_state,
	SSPACE = 544,
	FINALFUNC = lift_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_ratio(float8, float8, boolean, float8, float8) IS
'what a treatment changed in a ratio, adjusted for the same ratio before the experiment';

CREATE AGGREGATE lift_ratio_partial(numerator float8, denominator float8, treated boolean, numerator_before float8, denominator_before float8) (
	SFUNC = lift_ratio_add,
	STYPE = lift_state,
	SSPACE = 544,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_ratio_partial(float8, float8, boolean, float8, float8) IS
'the state of lift_ratio(), to be stored, merged, or read by compare()';

CREATE AGGREGATE lift_merge(state lift_state) (
	SFUNC = lift_combine,
	STYPE = lift_state,
	SSPACE = 256,
	FINALFUNC = lift_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_merge(lift_state) IS
'lift() of what lift_partial() has kept';

CREATE AGGREGATE lift_ratio_merge(state lift_state) (
	SFUNC = lift_combine,
	STYPE = lift_state,
	SSPACE = 256,
	FINALFUNC = lift_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_ratio_merge(lift_state) IS
'lift_ratio() of what lift_ratio_partial() has kept';

CREATE FUNCTION compare(
	lift lift_state,
	alpha float8 DEFAULT 0.05,
	alternative text DEFAULT 'two-sided',
	always_valid boolean DEFAULT false,
	tuning float8 DEFAULT 5000) RETURNS lift_test
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_compare_lift';

COMMENT ON FUNCTION compare(lift_state, float8, text, boolean, float8) IS
'difference of the arms of lift_partial() or lift_ratio_partial(), with options';

/* Shares */

CREATE TYPE proportion_test AS (
	n_control bigint,
	n_treatment bigint,
	successes_control bigint,
	successes_treatment bigint,
	rate_control float8,
	rate_control_low float8,
	rate_control_high float8,
	rate_treatment float8,
	rate_treatment_low float8,
	rate_treatment_high float8,
	difference float8,
	stderr float8,
	ci_low float8,
	ci_high float8,
	wald_ci_low float8,
	wald_ci_high float8,
	relative_difference float8,
	relative_ci_low float8,
	relative_ci_high float8,
	z float8,
	p_value float8,
	yates_p_value float8,
	fisher_p_value float8
);

COMMENT ON TYPE proportion_test IS
'result of lift_proportion() and compare_proportions(): two shares, their difference, its intervals, and tests of it';
COMMENT ON COLUMN proportion_test.n_control IS 'units of the control';
COMMENT ON COLUMN proportion_test.n_treatment IS 'units of the treatment';
COMMENT ON COLUMN proportion_test.successes_control IS 'how many of the control did it';
COMMENT ON COLUMN proportion_test.successes_treatment IS 'how many of the treatment did it';
COMMENT ON COLUMN proportion_test.rate_control IS 'share of the control that did it';
COMMENT ON COLUMN proportion_test.rate_control_low IS 'lower end of its interval, by Wilson';
COMMENT ON COLUMN proportion_test.rate_control_high IS 'upper end';
COMMENT ON COLUMN proportion_test.rate_treatment IS 'share of the treatment that did it';
COMMENT ON COLUMN proportion_test.rate_treatment_low IS 'lower end of its interval, by Wilson';
COMMENT ON COLUMN proportion_test.rate_treatment_high IS 'upper end';
COMMENT ON COLUMN proportion_test.difference IS 'rate of the treatment less that of the control';
COMMENT ON COLUMN proportion_test.stderr IS 'standard error of difference, not pooled';
COMMENT ON COLUMN proportion_test.ci_low IS 'lower end of its confidence interval, by Newcombe';
COMMENT ON COLUMN proportion_test.ci_high IS 'upper end';
COMMENT ON COLUMN proportion_test.wald_ci_low IS 'lower end of Wald''s interval, difference -+ z stderr, poor for rates near 0 and 1';
COMMENT ON COLUMN proportion_test.wald_ci_high IS 'upper end';
COMMENT ON COLUMN proportion_test.relative_difference IS 'difference by the rate of the control; null if that is 0';
COMMENT ON COLUMN proportion_test.relative_ci_low IS 'lower end of its interval, by Katz; null if a rate is 0';
COMMENT ON COLUMN proportion_test.relative_ci_high IS 'upper end';
COMMENT ON COLUMN proportion_test.z IS 'difference by its standard error if both rates were the same';
COMMENT ON COLUMN proportion_test.p_value IS 'chance of a z as far out if both rates are the same';
COMMENT ON COLUMN proportion_test.yates_p_value IS 'the same with the correction for continuity, always two-sided';
COMMENT ON COLUMN proportion_test.fisher_p_value IS 'chance by Fisher''s exact test; null of more than 1e12 units';

CREATE FUNCTION compare_proportions(
	successes_control bigint,
	n_control bigint,
	successes_treatment bigint,
	n_treatment bigint,
	alpha float8 DEFAULT 0.05,
	alternative text DEFAULT 'two-sided') RETURNS proportion_test
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_compare_proportions';

COMMENT ON FUNCTION compare_proportions(bigint, bigint, bigint, bigint, float8, text) IS
'difference of two shares, as of visitors who bought, from counts';

CREATE FUNCTION lift_proportion_add(lift_state, boolean, boolean) RETURNS lift_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_proportion_add';

COMMENT ON FUNCTION lift_proportion_add(lift_state, boolean, boolean) IS
'transition function of lift_proportion(); a row with a null is skipped';

CREATE FUNCTION lift_proportion_result(lift_state) RETURNS proportion_test
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lift_proportion_result';

COMMENT ON FUNCTION lift_proportion_result(lift_state) IS
'final function of lift_proportion()';

CREATE AGGREGATE lift_proportion(success boolean, treated boolean) (
	SFUNC = lift_proportion_add,
	STYPE = lift_state,
	SSPACE = 128,
	FINALFUNC = lift_proportion_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_proportion(boolean, boolean) IS
'what a treatment changed in a share, as of visitors who bought: difference with an interval of 95 percent, and tests';

CREATE AGGREGATE lift_proportion_partial(success boolean, treated boolean) (
	SFUNC = lift_proportion_add,
	STYPE = lift_state,
	SSPACE = 128,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_proportion_partial(boolean, boolean) IS
'the state of lift_proportion(), to be stored or merged';

CREATE AGGREGATE lift_proportion_merge(state lift_state) (
	SFUNC = lift_combine,
	STYPE = lift_state,
	SSPACE = 128,
	FINALFUNC = lift_proportion_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = lift_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE lift_proportion_merge(lift_state) IS
'lift_proportion() of what lift_proportion_partial() has kept';
