/* Special functions; relative errors are below 1e-10, but near zeros. */

CREATE FUNCTION log_gamma(x float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_log_gamma';

COMMENT ON FUNCTION log_gamma(float8) IS
'the natural logarithm of the gamma function of x > 0';

CREATE FUNCTION digamma(x float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_digamma';

COMMENT ON FUNCTION digamma(float8) IS
'the first derivative of log_gamma(x), x > 0';

CREATE FUNCTION trigamma(x float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_trigamma';

COMMENT ON FUNCTION trigamma(float8) IS
'the second derivative of log_gamma(x), x > 0';

CREATE FUNCTION log_beta(a float8, b float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_log_beta';

COMMENT ON FUNCTION log_beta(float8, float8) IS
'the natural logarithm of the beta function of a, b > 0';

CREATE FUNCTION gamma_p(a float8, x float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_gamma_p';

COMMENT ON FUNCTION gamma_p(float8, float8) IS
'the lower incomplete gamma function P(a, x), as a part of 1: the chance that a gamma variable of shape a is at most x';

CREATE FUNCTION gamma_q(a float8, x float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_gamma_q';

COMMENT ON FUNCTION gamma_q(float8, float8) IS
'the upper incomplete gamma function Q(a, x), as a part of 1: the chance that a gamma variable of shape a is above x';

CREATE FUNCTION beta_inc(a float8, b float8, x float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_beta_inc';

COMMENT ON FUNCTION beta_inc(float8, float8, float8) IS
'the incomplete beta function, as a part of 1: the chance that a beta(a, b) variable is at most x';

CREATE FUNCTION log_beta_inc(a float8, b float8, x float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_log_beta_inc';

COMMENT ON FUNCTION log_beta_inc(float8, float8, float8) IS
'the natural logarithm of beta_inc(a, b, x), also where that is too small for a number; -Infinity for x = 0';

CREATE FUNCTION chi_square_tail(x float8, df float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_chi_square_tail';

COMMENT ON FUNCTION chi_square_tail(float8, float8) IS
'the chance that a chi-square variable of df degrees of freedom is above x: the p-value of a test';

CREATE FUNCTION normal_cdf(x float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_normal_cdf';

COMMENT ON FUNCTION normal_cdf(float8) IS
'the chance that a standard normal variable is at most x';

CREATE FUNCTION normal_tail(x float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_normal_tail';

COMMENT ON FUNCTION normal_tail(float8) IS
'the chance that a standard normal variable is above x, small ones with all their digits';

CREATE FUNCTION normal_quantile(p float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_normal_quantile';

COMMENT ON FUNCTION normal_quantile(float8) IS
'the x of which normal_cdf(x) is p, from 0 to 1';

CREATE FUNCTION student_t_tail(t float8, df float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_student_t_tail';

COMMENT ON FUNCTION student_t_tail(float8, float8) IS
'the chance that Student''s t of df > 0 degrees of freedom is above t, small ones with all their digits; infinite df stand for the normal distribution';

CREATE FUNCTION student_t_quantile(p float8, df float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_student_t_quantile';

COMMENT ON FUNCTION student_t_quantile(float8, float8) IS
'where the lower tail of Student''s t of df > 0 degrees of freedom is p, from 0 to 1; infinite df stand for the normal distribution';
