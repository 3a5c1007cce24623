/* Bandits: which arm to choose with which probability, and what an arm's features say of its reward. */

CREATE FUNCTION ucb1(n bigint[], sums float8[], exploration float8 DEFAULT 1) RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_ucb1';

COMMENT ON FUNCTION ucb1(bigint[], float8[], float8) IS
'upper confidence bound of each arm: its mean reward plus exploration * sqrt(2 ln N / n); infinite for an arm that was never tried';

CREATE FUNCTION bandit_probabilities(
	method text,
	n bigint[],
	sums float8[],
	sum_squares float8[] DEFAULT NULL,
	epsilon float8 DEFAULT 0.1,
	temperature float8 DEFAULT 0.1,
	exploration float8 DEFAULT 1,
	prior_success float8 DEFAULT 1,
	prior_failure float8 DEFAULT 1,
	prior_mean float8 DEFAULT 0,
	prior_variance float8 DEFAULT 'Infinity',
	min_weight float8 DEFAULT 0,
	top_two boolean DEFAULT false)
RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'personalize_bandit_probabilities';

COMMENT ON FUNCTION bandit_probabilities(text, bigint[], float8[], float8[], float8, float8, float8, float8, float8, float8, float8, float8, boolean) IS
'with which probability to choose each arm, by its number of trials and the sum of its rewards; methods are epsilon_greedy, softmax, ucb1, thompson and thompson_gaussian';

CREATE FUNCTION bandit_uniform(seed text, unit text) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_bandit_uniform';

COMMENT ON FUNCTION bandit_uniform(text, text) IS
'the number in [0, 1) by which bandit_pick() decides: a hash of seed and unit, of 53 bits';

CREATE FUNCTION bandit_uniform(seed text, unit bigint) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_bandit_uniform_bigint';

COMMENT ON FUNCTION bandit_uniform(text, bigint) IS
'the number in [0, 1) by which bandit_pick() decides: a hash of seed and unit, of 53 bits';

CREATE FUNCTION bandit_pick(probabilities float8[], seed text, unit text) RETURNS int
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_bandit_pick';

COMMENT ON FUNCTION bandit_pick(float8[], text, text) IS
'number of an arm, from 1, that is picked for a unit by the arms'' probabilities: always the same one for the same arguments';

CREATE FUNCTION bandit_pick(probabilities float8[], seed text, unit bigint) RETURNS int
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_bandit_pick_bigint';

COMMENT ON FUNCTION bandit_pick(float8[], text, bigint) IS
'number of an arm, from 1, that is picked for a unit by the arms'' probabilities: always the same one for the same arguments';

CREATE FUNCTION bandit_pick(arms text[], probabilities float8[], seed text, unit text) RETURNS text
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_bandit_pick_arm';

COMMENT ON FUNCTION bandit_pick(text[], float8[], text, text) IS
'an arm that is picked for a unit by the arms'' probabilities: always the same one for the same arguments';

CREATE FUNCTION bandit_pick(arms text[], probabilities float8[], seed text, unit bigint) RETURNS text
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_bandit_pick_arm_bigint';

COMMENT ON FUNCTION bandit_pick(text[], float8[], text, bigint) IS
'an arm that is picked for a unit by the arms'' probabilities: always the same one for the same arguments';

/* LinUCB */

CREATE TYPE linucb_state;

CREATE FUNCTION linucb_state_in(cstring) RETURNS linucb_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_linucb_state_in';

COMMENT ON FUNCTION linucb_state_in(cstring) IS 'input function of linucb_state';

CREATE FUNCTION linucb_state_out(linucb_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_linucb_state_out';

COMMENT ON FUNCTION linucb_state_out(linucb_state) IS 'output function of linucb_state';

CREATE FUNCTION linucb_state_recv(internal) RETURNS linucb_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_linucb_state_recv';

COMMENT ON FUNCTION linucb_state_recv(internal) IS 'binary input function of linucb_state';

CREATE FUNCTION linucb_state_send(linucb_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_linucb_state_send';

COMMENT ON FUNCTION linucb_state_send(linucb_state) IS 'binary output function of linucb_state';

CREATE TYPE linucb_state (
	INPUT = linucb_state_in,
	OUTPUT = linucb_state_out,
	RECEIVE = linucb_state_recv,
	SEND = linucb_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE linucb_state IS
'what the rewards of an arm say of its features: read by linucb_score() and linucb_coefficients(), stored, or merged';

CREATE FUNCTION linucb_add(linucb_state, float8[], float8) RETURNS linucb_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_linucb_add';

COMMENT ON FUNCTION linucb_add(linucb_state, float8[], float8) IS
'transition function of linucb(); rows with null features or reward are skipped';

CREATE FUNCTION linucb_combine(linucb_state, linucb_state) RETURNS linucb_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_linucb_combine';

COMMENT ON FUNCTION linucb_combine(linucb_state, linucb_state) IS
'combine function of linucb()';

CREATE AGGREGATE linucb(features float8[], reward float8) (
	SFUNC = linucb_add,
	STYPE = linucb_state,
	SSPACE = 2048,
	COMBINEFUNC = linucb_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE linucb(float8[], float8) IS
'what the rewards of an arm say of its features, for linucb_score()';

CREATE AGGREGATE linucb_partial(features float8[], reward float8) (
	SFUNC = linucb_add,
	STYPE = linucb_state,
	SSPACE = 2048,
	COMBINEFUNC = linucb_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE linucb_partial(float8[], float8) IS
'the state of linucb(), to be stored or merged';

CREATE AGGREGATE linucb_merge(state linucb_state) (
	SFUNC = linucb_combine,
	STYPE = linucb_state,
	SSPACE = 2048,
	COMBINEFUNC = linucb_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE linucb_merge(linucb_state) IS
'linucb() of all the rows in the states together';

CREATE FUNCTION linucb_score(state linucb_state, features float8[], alpha float8 DEFAULT 1, l2 float8 DEFAULT 1) RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'personalize_linucb_score';

COMMENT ON FUNCTION linucb_score(linucb_state, float8[], float8, float8) IS
'upper confidence bound of an arm''s reward for these features; a null state is an arm that was never tried';

CREATE FUNCTION linucb_coefficients(state linucb_state, l2 float8 DEFAULT 1) RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'personalize_linucb_coefficients';

COMMENT ON FUNCTION linucb_coefficients(linucb_state, float8) IS
'coefficients of the ridge regression of an arm''s rewards on its features';

CREATE FUNCTION linucb_count(state linucb_state) RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_linucb_count';

COMMENT ON FUNCTION linucb_count(linucb_state) IS
'how many rows a state of linucb() has';
