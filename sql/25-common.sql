/* What several parts use: lists of numbers as the state of an aggregate. */

CREATE TYPE sample_state;

CREATE FUNCTION sample_state_in(cstring) RETURNS sample_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_sample_state_in';

COMMENT ON FUNCTION sample_state_in(cstring) IS 'input function of sample_state';

CREATE FUNCTION sample_state_out(sample_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_sample_state_out';

COMMENT ON FUNCTION sample_state_out(sample_state) IS 'output function of sample_state';

CREATE FUNCTION sample_state_recv(internal) RETURNS sample_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_sample_state_recv';

COMMENT ON FUNCTION sample_state_recv(internal) IS 'binary input function of sample_state';

CREATE FUNCTION sample_state_send(sample_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_sample_state_send';

COMMENT ON FUNCTION sample_state_send(sample_state) IS 'binary output function of sample_state';

CREATE TYPE sample_state (
	INPUT = sample_state_in,
	OUTPUT = sample_state_out,
	RECEIVE = sample_state_recv,
	SEND = sample_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE sample_state IS
'the numbers an aggregate has seen, in any order: a partial result to be stored or merged';

CREATE FUNCTION sample_state_add(sample_state, float8) RETURNS sample_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_sample_state_add';

COMMENT ON FUNCTION sample_state_add(sample_state, float8) IS
'transition function of aggregates over a list of numbers; a null number is skipped';

CREATE FUNCTION sample_state_combine(sample_state, sample_state) RETURNS sample_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_sample_state_combine';

COMMENT ON FUNCTION sample_state_combine(sample_state, sample_state) IS
'combine function of aggregates over a list of numbers';
