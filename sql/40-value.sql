/*
 * Models of purchases and spending: what customers will buy, and what they are
 * worth.
 */

CREATE TYPE purchase_fit AS (
	model text,
	params float8[],
	standard_errors float8[],
	log_likelihood float8,
	customers float8,
	iterations int,
	converged boolean,
	reason text
);

COMMENT ON TYPE purchase_fit IS 'a model of purchases and its parameters, fitted or given';
COMMENT ON COLUMN purchase_fit.model IS 'bgnbd, mbgnbd, pareto_nbd or bgbb';
COMMENT ON COLUMN purchase_fit.params IS
'r, alpha, a, b of bgnbd and mbgnbd; r, alpha, s, beta of pareto_nbd; alpha, beta, gamma, delta of bgbb; null if the fit failed';
COMMENT ON COLUMN purchase_fit.standard_errors IS 'standard errors of the parameters; null if unknown';
COMMENT ON COLUMN purchase_fit.log_likelihood IS 'natural logarithm of the likelihood of the customers that were fitted';
COMMENT ON COLUMN purchase_fit.customers IS 'number of customers that were fitted, or the sum of their weights';
COMMENT ON COLUMN purchase_fit.iterations IS 'steps of the optimisation';
COMMENT ON COLUMN purchase_fit.converged IS 'whether the parameters are those of highest likelihood';
COMMENT ON COLUMN purchase_fit.reason IS 'why the fit failed or has not converged';

CREATE TYPE spend_fit AS (
	params float8[],
	standard_errors float8[],
	log_likelihood float8,
	customers float8,
	iterations int,
	converged boolean,
	reason text
);

COMMENT ON TYPE spend_fit IS 'parameters of the Gamma-Gamma model of spending, fitted or given';
COMMENT ON COLUMN spend_fit.params IS 'p, q, v; null if the fit failed';
COMMENT ON COLUMN spend_fit.standard_errors IS 'standard errors of the parameters; null if unknown';
COMMENT ON COLUMN spend_fit.log_likelihood IS 'natural logarithm of the likelihood of the customers that were fitted';
COMMENT ON COLUMN spend_fit.customers IS 'number of customers that were fitted, or the sum of their weights';
COMMENT ON COLUMN spend_fit.iterations IS 'steps of the optimisation';
COMMENT ON COLUMN spend_fit.converged IS 'whether the parameters are those of highest likelihood';
COMMENT ON COLUMN spend_fit.reason IS 'why the fit failed or has not converged';

CREATE FUNCTION purchase_model(model text, VARIADIC params float8[]) RETURNS purchase_fit
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_purchase_model';

COMMENT ON FUNCTION purchase_model(text, float8[]) IS
'a model of purchases with given parameters, such as published ones: bgnbd, mbgnbd, pareto_nbd or bgbb';

CREATE FUNCTION spend_model(p float8, q float8, v float8) RETURNS spend_fit
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_spend_model';

COMMENT ON FUNCTION spend_model(float8, float8, float8) IS
'the Gamma-Gamma model of spending with given parameters';

CREATE FUNCTION log_likelihood(fit purchase_fit, frequency float8, recency float8, tenure float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30
AS 'MODULE_PATHNAME', 'personalize_log_likelihood_purchases';

COMMENT ON FUNCTION log_likelihood(purchase_fit, float8, float8, float8) IS
'natural logarithm of the likelihood of one customer''s purchases';

CREATE FUNCTION log_likelihood(fit spend_fit, frequency float8, mean_value float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'personalize_log_likelihood_spending';

COMMENT ON FUNCTION log_likelihood(spend_fit, float8, float8) IS
'natural logarithm of the likelihood of the mean value of one customer''s repeat purchases; null where a fit leaves the customer out, without such a purchase or value';

CREATE FUNCTION p_alive(fit purchase_fit, frequency float8, recency float8, tenure float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'personalize_p_alive';

COMMENT ON FUNCTION p_alive(purchase_fit, float8, float8, float8) IS
'the probability that a customer is still one; for bgbb, at the next opportunity';

CREATE FUNCTION bgbb_p_alive(fit purchase_fit, frequency float8, recency float8, tenure float8, ahead int DEFAULT 1) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'personalize_bgbb_p_alive';

COMMENT ON FUNCTION bgbb_p_alive(purchase_fit, float8, float8, float8, int) IS
'the probability that a customer is still one at so many opportunities ahead; 0 is the last one';

CREATE FUNCTION expected_purchases(fit purchase_fit, horizon float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'personalize_expected_purchases';

COMMENT ON FUNCTION expected_purchases(purchase_fit, float8) IS
'how many repeat purchases a new customer makes on average within the horizon, in the fit''s unit of time or opportunities';

CREATE FUNCTION conditional_expected_purchases(fit purchase_fit, frequency float8, recency float8, tenure float8, horizon float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30
AS 'MODULE_PATHNAME', 'personalize_conditional_expected_purchases';

COMMENT ON FUNCTION conditional_expected_purchases(purchase_fit, float8, float8, float8, float8) IS
'how many purchases a customer will make on average within the horizon from now, in the fit''s unit of time or opportunities';

CREATE FUNCTION purchase_pmf(fit purchase_fit, n int, horizon float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
AS 'MODULE_PATHNAME', 'personalize_purchase_pmf';

COMMENT ON FUNCTION purchase_pmf(purchase_fit, int, float8) IS
'the probability that a new customer makes exactly n repeat purchases within the horizon';

CREATE FUNCTION pareto_nbd_dert(fit purchase_fit, frequency float8, recency float8, tenure float8, discount float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 300
AS 'MODULE_PATHNAME', 'personalize_pareto_nbd_dert';

COMMENT ON FUNCTION pareto_nbd_dert(purchase_fit, float8, float8, float8, float8) IS
'discounted expected residual transactions: all purchases to come of a customer, at a continuous discount rate per unit of time';

CREATE FUNCTION expected_spend(fit spend_fit, frequency float8, mean_value float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
AS 'MODULE_PATHNAME', 'personalize_expected_spend';

COMMENT ON FUNCTION expected_spend(spend_fit, float8, float8) IS
'the mean value of a customer''s purchases to come, between the customer''s own mean and that of all, which a frequency of 0 gives; Infinity where p * frequency + q <= 1, as there is no mean';

CREATE FUNCTION customer_lifetime_value(
	fit purchase_fit,
	spend spend_fit,
	frequency float8,
	recency float8,
	tenure float8,
	mean_value float8,
	period float8,
	months int DEFAULT 12,
	discount float8 DEFAULT 0.01,
	margin float8 DEFAULT 1)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 300
AS 'MODULE_PATHNAME', 'personalize_customer_lifetime_value';

COMMENT ON FUNCTION customer_lifetime_value(purchase_fit, spend_fit, float8, float8, float8, float8, float8, int, float8, float8) IS
'what a customer will spend in the months to come, each discounted by its end; period is a month in the fit''s unit of time, 30.4 for days or 4.345 for weeks';

/* The same for what rfm() returns; SQL functions of one expression, which are inlined. */

CREATE FUNCTION log_likelihood(fit purchase_fit, customer rfm_summary) RETURNS float8
LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 30
RETURN log_likelihood(fit, (customer).frequency::float8, (customer).recency, (customer).tenure);

COMMENT ON FUNCTION log_likelihood(purchase_fit, rfm_summary) IS
'natural logarithm of the likelihood of one customer''s purchases';

CREATE FUNCTION p_alive(fit purchase_fit, customer rfm_summary) RETURNS float8
LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 20
RETURN p_alive(fit, (customer).frequency::float8, (customer).recency, (customer).tenure);

COMMENT ON FUNCTION p_alive(purchase_fit, rfm_summary) IS
'the probability that a customer is still one; for bgbb, at the next opportunity';

CREATE FUNCTION conditional_expected_purchases(fit purchase_fit, customer rfm_summary, horizon float8) RETURNS float8
LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 30
RETURN conditional_expected_purchases(fit, (customer).frequency::float8, (customer).recency, (customer).tenure, horizon);

COMMENT ON FUNCTION conditional_expected_purchases(purchase_fit, rfm_summary, float8) IS
'how many purchases a customer will make on average within the horizon from now, in the unit of rfm() and the fit';

CREATE FUNCTION pareto_nbd_dert(fit purchase_fit, customer rfm_summary, discount float8) RETURNS float8
LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 300
RETURN pareto_nbd_dert(fit, (customer).frequency::float8, (customer).recency, (customer).tenure, discount);

COMMENT ON FUNCTION pareto_nbd_dert(purchase_fit, rfm_summary, float8) IS
'discounted expected residual transactions: all purchases to come of a customer, at a continuous discount rate per unit of time';

CREATE FUNCTION expected_spend(fit spend_fit, customer rfm_summary) RETURNS float8
LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 5
RETURN expected_spend(fit, (customer).frequency::float8, (customer).mean_value);

COMMENT ON FUNCTION expected_spend(spend_fit, rfm_summary) IS
'the mean value of a customer''s purchases to come, between the customer''s own mean and that of all';

CREATE FUNCTION customer_lifetime_value(
	fit purchase_fit,
	spend spend_fit,
	customer rfm_summary,
	period float8,
	months int DEFAULT 12,
	discount float8 DEFAULT 0.01,
	margin float8 DEFAULT 1)
RETURNS float8
LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 300
RETURN customer_lifetime_value(fit, spend, (customer).frequency::float8, (customer).recency, (customer).tenure,
	(customer).mean_value, period, months, discount, margin);

COMMENT ON FUNCTION customer_lifetime_value(purchase_fit, spend_fit, rfm_summary, float8, int, float8, float8) IS
'what a customer will spend in the months to come, each discounted by its end; period is a month in the unit of rfm() and the fit, 30.4 for days';

/* Hypergeometric functions, for models of one's own; relative errors are below 1e-10, but near zeros. */

CREATE FUNCTION log_hyp2f1(a float8, b float8, c float8, z float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'personalize_log_hyp2f1';

COMMENT ON FUNCTION log_hyp2f1(float8, float8, float8, float8) IS
'the natural logarithm of Gauss''s hypergeometric function 2F1(a, b; c; z) for a, b, c > 0 and z < 1; where z < 0, for c >= a or c >= b';

CREATE FUNCTION log_hyperu(a float8, b float8, z float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200
AS 'MODULE_PATHNAME', 'personalize_log_hyperu';

COMMENT ON FUNCTION log_hyperu(float8, float8, float8) IS
'the natural logarithm of Tricomi''s confluent hypergeometric function U(a, b, z) for a, z > 0';
