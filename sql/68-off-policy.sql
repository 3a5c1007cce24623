/* Off-policy evaluation: what another policy would have earned, by the log of the one that was followed. */

CREATE TYPE ope_state;

CREATE FUNCTION ope_state_in(cstring) RETURNS ope_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_ope_state_in';

COMMENT ON FUNCTION ope_state_in(cstring) IS 'input function of ope_state';

CREATE FUNCTION ope_state_out(ope_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_ope_state_out';

COMMENT ON FUNCTION ope_state_out(ope_state) IS 'output function of ope_state';

CREATE FUNCTION ope_state_recv(internal) RETURNS ope_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_ope_state_recv';

COMMENT ON FUNCTION ope_state_recv(internal) IS 'binary input function of ope_state';

CREATE FUNCTION ope_state_send(ope_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_ope_state_send';

COMMENT ON FUNCTION ope_state_send(ope_state) IS 'binary output function of ope_state';

CREATE TYPE ope_state (
	INPUT = ope_state_in,
	OUTPUT = ope_state_out,
	RECEIVE = ope_state_recv,
	SEND = ope_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE ope_state IS
'what ope() has summed over a log: a partial result to be stored or merged';

CREATE TYPE off_policy_estimate AS (
	n bigint,
	ips float8,
	ips_se float8,
	snips float8,
	snips_se float8,
	clipped_ips float8,
	clipped_ips_se float8,
	clip float8,
	dm float8,
	dm_se float8,
	dr float8,
	dr_se float8,
	ess float8,
	mean_weight float8,
	max_weight float8
);

COMMENT ON TYPE off_policy_estimate IS
'result of ope(): the mean reward that the target policy would have had, by several estimators, their standard errors, and how much of the log speaks of it';
COMMENT ON COLUMN off_policy_estimate.n IS 'rows that count';
COMMENT ON COLUMN off_policy_estimate.ips IS 'inverse propensity score: mean of w * reward, w being target_p / logged_p';
COMMENT ON COLUMN off_policy_estimate.ips_se IS 'standard error of ips; null for one row, as are the other standard errors';
COMMENT ON COLUMN off_policy_estimate.snips IS 'self-normalised ips: sum of w * reward by the sum of w; null if all weights are 0, or below 1e-150';
COMMENT ON COLUMN off_policy_estimate.snips_se IS 'standard error of snips, by the delta method';
COMMENT ON COLUMN off_policy_estimate.clipped_ips IS 'mean of min(w, clip) * reward; null without clip';
COMMENT ON COLUMN off_policy_estimate.clipped_ips_se IS 'standard error of clipped_ips, which says nothing of its bias';
COMMENT ON COLUMN off_policy_estimate.clip IS 'the largest weight that clipped_ips lets count; null without';
COMMENT ON COLUMN off_policy_estimate.dm IS 'direct method: mean of q_target; null without a model';
COMMENT ON COLUMN off_policy_estimate.dm_se IS 'standard error of dm, which says nothing of the model''s bias';
COMMENT ON COLUMN off_policy_estimate.dr IS 'doubly robust: mean of q_target + w * (reward - q_logged); null without a model';
COMMENT ON COLUMN off_policy_estimate.dr_se IS 'standard error of dr';
COMMENT ON COLUMN off_policy_estimate.ess IS 'effective sample size after Kish: (sum of w)^2 by the sum of w^2; 0 if all weights are 0, or below 1e-150';
COMMENT ON COLUMN off_policy_estimate.mean_weight IS 'mean of w, which is 1 on average if the logged probabilities are right';
COMMENT ON COLUMN off_policy_estimate.max_weight IS 'largest w';

CREATE FUNCTION ope_add(ope_state, float8, float8, float8) RETURNS ope_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_ope_add';

COMMENT ON FUNCTION ope_add(ope_state, float8, float8, float8) IS
'transition function of ope(reward, logged_p, target_p); rows with a null reward or probability are skipped';

CREATE FUNCTION ope_add(ope_state, float8, float8, float8, float8) RETURNS ope_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_ope_add';

COMMENT ON FUNCTION ope_add(ope_state, float8, float8, float8, float8) IS
'transition function of ope(reward, logged_p, target_p, clip); rows with a null reward or probability are skipped';

CREATE FUNCTION ope_add(ope_state, float8, float8, float8, float8, float8) RETURNS ope_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_ope_add';

COMMENT ON FUNCTION ope_add(ope_state, float8, float8, float8, float8, float8) IS
'transition function of ope(reward, logged_p, target_p, q_logged, q_target); rows with a null reward or probability are skipped';

CREATE FUNCTION ope_add(ope_state, float8, float8, float8, float8, float8, float8) RETURNS ope_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_ope_add';

COMMENT ON FUNCTION ope_add(ope_state, float8, float8, float8, float8, float8, float8) IS
'transition function of ope(reward, logged_p, target_p, q_logged, q_target, clip); rows with a null reward or probability are skipped';

CREATE FUNCTION ope_combine(ope_state, ope_state) RETURNS ope_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_ope_combine';

COMMENT ON FUNCTION ope_combine(ope_state, ope_state) IS
'combine function of ope()';

CREATE FUNCTION ope_final(ope_state) RETURNS off_policy_estimate
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_ope_final';

COMMENT ON FUNCTION ope_final(ope_state) IS
'final function of ope()';

CREATE AGGREGATE ope(reward float8, logged_p float8, target_p float8) (
	SFUNC = ope_add,
	STYPE = ope_state,
	SSPACE = 320,
	FINALFUNC = ope_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = ope_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE ope(float8, float8, float8) IS
'the mean reward that the target policy would have had, by the log of another one';

CREATE AGGREGATE ope(reward float8, logged_p float8, target_p float8, clip float8) (
	SFUNC = ope_add,
	STYPE = ope_state,
	SSPACE = 320,
	FINALFUNC = ope_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = ope_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE ope(float8, float8, float8, float8) IS
'the mean reward that the target policy would have had, by the log of another one; weights above clip count as clip in clipped_ips';

CREATE AGGREGATE ope(reward float8, logged_p float8, target_p float8, q_logged float8, q_target float8) (
	SFUNC = ope_add,
	STYPE = ope_state,
	SSPACE = 320,
	FINALFUNC = ope_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = ope_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE ope(float8, float8, float8, float8, float8) IS
'the mean reward that the target policy would have had, by the log of another one; with the rewards that a model expects of the logged action and of the target policy';

CREATE AGGREGATE ope(reward float8, logged_p float8, target_p float8, q_logged float8, q_target float8, clip float8) (
	SFUNC = ope_add,
	STYPE = ope_state,
	SSPACE = 320,
	FINALFUNC = ope_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = ope_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE ope(float8, float8, float8, float8, float8, float8) IS
'the mean reward that the target policy would have had, by the log of another one; with the rewards that a model expects, and weights above clip counting as clip in clipped_ips';

CREATE AGGREGATE ope_partial(reward float8, logged_p float8, target_p float8) (
	SFUNC = ope_add,
	STYPE = ope_state,
	SSPACE = 320,
	COMBINEFUNC = ope_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE ope_partial(float8, float8, float8) IS
'the state of ope(reward, logged_p, target_p), for ope_merge()';

CREATE AGGREGATE ope_partial(reward float8, logged_p float8, target_p float8, clip float8) (
	SFUNC = ope_add,
	STYPE = ope_state,
	SSPACE = 320,
	COMBINEFUNC = ope_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE ope_partial(float8, float8, float8, float8) IS
'the state of ope(reward, logged_p, target_p, clip), for ope_merge()';

CREATE AGGREGATE ope_partial(reward float8, logged_p float8, target_p float8, q_logged float8, q_target float8) (
	SFUNC = ope_add,
	STYPE = ope_state,
	SSPACE = 320,
	COMBINEFUNC = ope_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE ope_partial(float8, float8, float8, float8, float8) IS
'the state of ope(reward, logged_p, target_p, q_logged, q_target), for ope_merge()';

CREATE AGGREGATE ope_partial(reward float8, logged_p float8, target_p float8, q_logged float8, q_target float8, clip float8) (
	SFUNC = ope_add,
	STYPE = ope_state,
	SSPACE = 320,
	COMBINEFUNC = ope_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE ope_partial(float8, float8, float8, float8, float8, float8) IS
'the state of ope(reward, logged_p, target_p, q_logged, q_target, clip), for ope_merge()';

CREATE AGGREGATE ope_merge(state ope_state) (
	SFUNC = ope_combine,
	STYPE = ope_state,
	SSPACE = 320,
	FINALFUNC = ope_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = ope_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE ope_merge(ope_state) IS
'ope() of all the rows in the states together';
