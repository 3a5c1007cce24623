/* Bayesian readings of an experiment. */

CREATE TYPE bayes_effect_result AS (
	mean float8,
	stddev float8,
	ci_low float8,
	ci_high float8,
	chance_to_win float8,
	risk_control float8,
	risk_treatment float8
);

COMMENT ON TYPE bayes_effect_result IS
'result of bayes_effect(): the posterior of an effect, the chance that it is positive, and what a wrong choice loses on average';
COMMENT ON COLUMN bayes_effect_result.mean IS 'posterior mean of the effect';
COMMENT ON COLUMN bayes_effect_result.stddev IS 'posterior standard deviation of the effect';
COMMENT ON COLUMN bayes_effect_result.ci_low IS 'low end of the credible interval, of level 1 - alpha and equal tails';
COMMENT ON COLUMN bayes_effect_result.ci_high IS 'high end of it';
COMMENT ON COLUMN bayes_effect_result.chance_to_win IS 'chance that the effect is above 0';
COMMENT ON COLUMN bayes_effect_result.risk_control IS 'what is lost on average by keeping the control: the mean of the effect, counted as 0 where it is negative';
COMMENT ON COLUMN bayes_effect_result.risk_treatment IS 'what is lost on average by choosing the treatment';

CREATE FUNCTION bayes_effect(
	estimate float8,
	stderr float8,
	prior_mean float8 DEFAULT 0,
	prior_variance float8 DEFAULT NULL,
	alpha float8 DEFAULT 0.05)
RETURNS bayes_effect_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_bayes_effect';

COMMENT ON FUNCTION bayes_effect(float8, float8, float8, float8, float8) IS
'posterior of an effect from its estimate and standard error and a normal prior, flat if prior_variance is null';

CREATE TYPE bayes_comparison AS (
	mean_a float8,
	mean_b float8,
	difference float8,
	ci_low float8,
	ci_high float8,
	chance_to_win float8,
	expected_loss_a float8,
	expected_loss_b float8
);

COMMENT ON TYPE bayes_comparison IS
'result of bayes_proportion() and bayes_rate(): posterior means, the difference with its credible interval, the chance that b is above a, and what a wrong choice loses on average';
COMMENT ON COLUMN bayes_comparison.mean_a IS 'posterior mean of a';
COMMENT ON COLUMN bayes_comparison.mean_b IS 'posterior mean of b';
COMMENT ON COLUMN bayes_comparison.difference IS 'mean_b less mean_a';
COMMENT ON COLUMN bayes_comparison.ci_low IS 'low end of the credible interval of b less a, of level 1 - alpha and equal tails';
COMMENT ON COLUMN bayes_comparison.ci_high IS 'high end of it';
COMMENT ON COLUMN bayes_comparison.chance_to_win IS 'chance that b is above a';
COMMENT ON COLUMN bayes_comparison.expected_loss_a IS 'what is lost on average by choosing a: the mean of b less a, counted as 0 where a is the better';
COMMENT ON COLUMN bayes_comparison.expected_loss_b IS 'what is lost on average by choosing b';

CREATE FUNCTION bayes_proportion(
	success_a bigint,
	n_a bigint,
	success_b bigint,
	n_b bigint,
	prior_alpha float8 DEFAULT 1,
	prior_beta float8 DEFAULT 1,
	alpha float8 DEFAULT 0.05)
RETURNS bayes_comparison
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'personalize_bayes_proportion';

COMMENT ON FUNCTION bayes_proportion(bigint, bigint, bigint, bigint, float8, float8, float8) IS
'two proportions compared by their beta posteriors, without approximation; both have the prior beta(prior_alpha, prior_beta)';

CREATE FUNCTION bayes_rate(
	count_a float8,
	exposure_a float8,
	count_b float8,
	exposure_b float8,
	prior_shape float8 DEFAULT 1,
	prior_rate float8 DEFAULT 0,
	alpha float8 DEFAULT 0.05)
RETURNS bayes_comparison
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'personalize_bayes_rate';

COMMENT ON FUNCTION bayes_rate(float8, float8, float8, float8, float8, float8, float8) IS
'two rates of events, such as orders a visitor, compared by their gamma posteriors, without approximation; both have the prior gamma(prior_shape, prior_rate)';
