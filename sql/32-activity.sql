/* What customers do lately, how often, and in which order: decayed sums, affinities, funnels, sessions. */

/* Decayed sums */

CREATE TYPE decayed_sum_state;

CREATE FUNCTION decayed_sum_state_in(cstring) RETURNS decayed_sum_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_decayed_sum_state_in';

COMMENT ON FUNCTION decayed_sum_state_in(cstring) IS 'input function of decayed_sum_state';

CREATE FUNCTION decayed_sum_state_out(decayed_sum_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_decayed_sum_state_out';

COMMENT ON FUNCTION decayed_sum_state_out(decayed_sum_state) IS 'output function of decayed_sum_state';

CREATE FUNCTION decayed_sum_state_recv(internal) RETURNS decayed_sum_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_decayed_sum_state_recv';

COMMENT ON FUNCTION decayed_sum_state_recv(internal) IS 'binary input function of decayed_sum_state';

CREATE FUNCTION decayed_sum_state_send(decayed_sum_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_decayed_sum_state_send';

COMMENT ON FUNCTION decayed_sum_state_send(decayed_sum_state) IS 'binary output function of decayed_sum_state';

CREATE TYPE decayed_sum_state (
	INPUT = decayed_sum_state_in,
	OUTPUT = decayed_sum_state_out,
	RECEIVE = decayed_sum_state_recv,
	SEND = decayed_sum_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE decayed_sum_state IS
'a sum whose summands halve in every half-life: read by decayed_value() and its kin, stored, or merged';

CREATE FUNCTION decayed_sum_add(decayed_sum_state, float8, timestamptz, interval) RETURNS decayed_sum_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_decayed_sum_add';

COMMENT ON FUNCTION decayed_sum_add(decayed_sum_state, float8, timestamptz, interval) IS
'transition function of decayed_sum(value, at, half_life); rows with a null value or time are skipped';

CREATE FUNCTION decayed_sum_add(decayed_sum_state, float8, timestamptz, interval, timestamptz) RETURNS decayed_sum_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_decayed_sum_add_as_of';

COMMENT ON FUNCTION decayed_sum_add(decayed_sum_state, float8, timestamptz, interval, timestamptz) IS
'transition function of decayed_sum(value, at, half_life, as_of); rows with a null value or time are skipped';

CREATE FUNCTION decayed_sum_add(decayed_sum_state, numeric, timestamptz, interval) RETURNS decayed_sum_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_decayed_sum_add_numeric';

COMMENT ON FUNCTION decayed_sum_add(decayed_sum_state, numeric, timestamptz, interval) IS
'transition function of decayed_sum(value, at, half_life); rows with a null value or time are skipped';

CREATE FUNCTION decayed_sum_add(decayed_sum_state, numeric, timestamptz, interval, timestamptz) RETURNS decayed_sum_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_decayed_sum_add_numeric_as_of';

COMMENT ON FUNCTION decayed_sum_add(decayed_sum_state, numeric, timestamptz, interval, timestamptz) IS
'transition function of decayed_sum(value, at, half_life, as_of); rows with a null value or time are skipped';

CREATE FUNCTION decayed_sum_combine(decayed_sum_state, decayed_sum_state) RETURNS decayed_sum_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_decayed_sum_combine';

COMMENT ON FUNCTION decayed_sum_combine(decayed_sum_state, decayed_sum_state) IS
'combine function of decayed_sum()';

CREATE FUNCTION decayed_sum_combine(decayed_sum_state, decayed_sum_state, timestamptz) RETURNS decayed_sum_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_decayed_sum_combine_as_of';

COMMENT ON FUNCTION decayed_sum_combine(decayed_sum_state, decayed_sum_state, timestamptz) IS
'transition function of decayed_sum_merge(state, as_of)';

CREATE FUNCTION decayed_sum_result(decayed_sum_state) RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_decayed_sum_result';

COMMENT ON FUNCTION decayed_sum_result(decayed_sum_state) IS
'final function of decayed_sum(value, at, half_life, as_of)';

CREATE AGGREGATE decayed_sum(value float8, at timestamptz, half_life interval) (
	SFUNC = decayed_sum_add,
	STYPE = decayed_sum_state,
	SSPACE = 64,
	COMBINEFUNC = decayed_sum_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE decayed_sum(float8, timestamptz, interval) IS
'the sum of values that halve in every half_life, to be read at any later time by decayed_value()';

CREATE AGGREGATE decayed_sum(value float8, at timestamptz, half_life interval, as_of timestamptz) (
	SFUNC = decayed_sum_add,
	STYPE = decayed_sum_state,
	SSPACE = 64,
	FINALFUNC = decayed_sum_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = decayed_sum_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE decayed_sum(float8, timestamptz, interval, timestamptz) IS
'the sum of value * 2^(-(as_of - at) / half_life); rows after as_of do not count';

CREATE AGGREGATE decayed_sum_partial(value float8, at timestamptz, half_life interval) (
	SFUNC = decayed_sum_add,
	STYPE = decayed_sum_state,
	SSPACE = 64,
	COMBINEFUNC = decayed_sum_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE decayed_sum_partial(float8, timestamptz, interval) IS
'the state of decayed_sum(), to be stored or merged';

CREATE AGGREGATE decayed_sum(value numeric, at timestamptz, half_life interval) (
	SFUNC = decayed_sum_add,
	STYPE = decayed_sum_state,
	SSPACE = 64,
	COMBINEFUNC = decayed_sum_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE decayed_sum(numeric, timestamptz, interval) IS
'the sum of values that halve in every half_life, to be read at any later time by decayed_value()';

CREATE AGGREGATE decayed_sum(value numeric, at timestamptz, half_life interval, as_of timestamptz) (
	SFUNC = decayed_sum_add,
	STYPE = decayed_sum_state,
	SSPACE = 64,
	FINALFUNC = decayed_sum_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = decayed_sum_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE decayed_sum(numeric, timestamptz, interval, timestamptz) IS
'the sum of value * 2^(-(as_of - at) / half_life); rows after as_of do not count';

CREATE AGGREGATE decayed_sum_partial(value numeric, at timestamptz, half_life interval) (
	SFUNC = decayed_sum_add,
	STYPE = decayed_sum_state,
	SSPACE = 64,
	COMBINEFUNC = decayed_sum_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE decayed_sum_partial(numeric, timestamptz, interval) IS
'the state of decayed_sum(), to be stored or merged';

CREATE AGGREGATE decayed_sum_merge(state decayed_sum_state) (
	SFUNC = decayed_sum_combine,
	STYPE = decayed_sum_state,
	SSPACE = 64,
	COMBINEFUNC = decayed_sum_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE decayed_sum_merge(decayed_sum_state) IS
'decayed_sum() of partial results';

CREATE AGGREGATE decayed_sum_merge(state decayed_sum_state, as_of timestamptz) (
	SFUNC = decayed_sum_combine,
	STYPE = decayed_sum_state,
	SSPACE = 64,
	FINALFUNC = decayed_sum_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = decayed_sum_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE decayed_sum_merge(decayed_sum_state, timestamptz) IS
'decayed_sum() of partial results as of a time, which must not be before any of their events';

CREATE FUNCTION decayed_value(state decayed_sum_state, at timestamptz DEFAULT now()) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_decayed_value';

COMMENT ON FUNCTION decayed_value(decayed_sum_state, timestamptz) IS
'a decayed sum as of a time, which must not be before its latest event';

CREATE FUNCTION decayed_count(state decayed_sum_state, at timestamptz DEFAULT now()) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_decayed_count';

COMMENT ON FUNCTION decayed_count(decayed_sum_state, timestamptz) IS
'the number of events of a decayed sum, each halving in every half-life, as of a time, which must not be before the latest';

CREATE FUNCTION decayed_mean(state decayed_sum_state) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_decayed_mean';

COMMENT ON FUNCTION decayed_mean(decayed_sum_state) IS
'the mean of the values of a decayed sum, each weighing half in every half-life; decay does not change it';

CREATE FUNCTION decayed_rate(state decayed_sum_state, at timestamptz DEFAULT now(), per interval DEFAULT '1 day') RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_decayed_rate';

COMMENT ON FUNCTION decayed_rate(decayed_sum_state, timestamptz, interval) IS
'a decayed sum as a rate in a unit of time: value * ln 2 / half_life';

/* Affinities */

CREATE TYPE affinity_state;

CREATE FUNCTION affinity_state_in(cstring) RETURNS affinity_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_affinity_state_in';

COMMENT ON FUNCTION affinity_state_in(cstring) IS 'input function of affinity_state';

CREATE FUNCTION affinity_state_out(affinity_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_affinity_state_out';

COMMENT ON FUNCTION affinity_state_out(affinity_state) IS 'output function of affinity_state';

CREATE FUNCTION affinity_state_recv(internal) RETURNS affinity_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_affinity_state_recv';

COMMENT ON FUNCTION affinity_state_recv(internal) IS 'binary input function of affinity_state';

CREATE FUNCTION affinity_state_send(affinity_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_affinity_state_send';

COMMENT ON FUNCTION affinity_state_send(affinity_state) IS 'binary output function of affinity_state';

CREATE TYPE affinity_state (
	INPUT = affinity_state_in,
	OUTPUT = affinity_state_out,
	RECEIVE = affinity_state_recv,
	SEND = affinity_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE affinity_state IS
'the weights of keys: a partial result of affinity() to be stored or merged';

CREATE TYPE affinity_share AS (
	key text,
	share float8,
	weight float8
);

COMMENT ON TYPE affinity_share IS 'a key of affinity()';
COMMENT ON COLUMN affinity_share.key IS 'the key';
COMMENT ON COLUMN affinity_share.share IS 'its part of the weight of all keys, also of those that are not returned';
COMMENT ON COLUMN affinity_share.weight IS 'its weight, decayed up to the latest event of the group';

CREATE FUNCTION affinity_add(affinity_state, text, float8, timestamptz, interval, int) RETURNS affinity_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_affinity_add';

COMMENT ON FUNCTION affinity_add(affinity_state, text, float8, timestamptz, interval, int) IS
'transition function of affinity(key, weight, at, half_life, k); rows with a null key, weight or time are skipped';

CREATE FUNCTION affinity_add(affinity_state, text, float8, int) RETURNS affinity_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_affinity_add_timeless';

COMMENT ON FUNCTION affinity_add(affinity_state, text, float8, int) IS
'transition function of affinity(key, weight, k); rows with a null key or weight are skipped';

CREATE FUNCTION affinity_combine(affinity_state, affinity_state) RETURNS affinity_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_affinity_combine';

COMMENT ON FUNCTION affinity_combine(affinity_state, affinity_state) IS
'combine function of affinity()';

CREATE FUNCTION affinity_result(affinity_state) RETURNS affinity_share[]
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_affinity_result';

COMMENT ON FUNCTION affinity_result(affinity_state) IS
'final function of affinity()';

CREATE AGGREGATE affinity(key text, weight float8, at timestamptz, half_life interval, k int) (
	SFUNC = affinity_add,
	STYPE = affinity_state,
	SSPACE = 256,
	FINALFUNC = affinity_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = affinity_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE affinity(text, float8, timestamptz, interval, int) IS
'the k keys with the largest shares of the weight of all, which halves in every half_life';

CREATE AGGREGATE affinity(key text, weight float8, k int) (
	SFUNC = affinity_add,
	STYPE = affinity_state,
	SSPACE = 256,
	FINALFUNC = affinity_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = affinity_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE affinity(text, float8, int) IS
'the k keys with the largest shares of the weight of all';

CREATE AGGREGATE affinity_partial(key text, weight float8, at timestamptz, half_life interval, k int) (
	SFUNC = affinity_add,
	STYPE = affinity_state,
	SSPACE = 256,
	COMBINEFUNC = affinity_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE affinity_partial(text, float8, timestamptz, interval, int) IS
'the state of affinity(), to be stored or merged';

CREATE AGGREGATE affinity_partial(key text, weight float8, k int) (
	SFUNC = affinity_add,
	STYPE = affinity_state,
	SSPACE = 256,
	COMBINEFUNC = affinity_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE affinity_partial(text, float8, int) IS
'the state of affinity(), to be stored or merged';

CREATE AGGREGATE affinity_merge(state affinity_state) (
	SFUNC = affinity_combine,
	STYPE = affinity_state,
	SSPACE = 256,
	FINALFUNC = affinity_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = affinity_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE affinity_merge(affinity_state) IS
'affinity() of partial results';

CREATE FUNCTION hour_of_week(at timestamptz, time_zone text DEFAULT 'UTC') RETURNS int
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_hour_of_week';

COMMENT ON FUNCTION hour_of_week(timestamptz, text) IS
'the hour of the week in a time zone, from 0, the first of Monday, to 167: a key for affinity()';

/* Funnels and sessions */

CREATE TYPE funnel_state;

CREATE FUNCTION funnel_state_in(cstring) RETURNS funnel_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_funnel_state_in';

COMMENT ON FUNCTION funnel_state_in(cstring) IS 'input function of funnel_state';

CREATE FUNCTION funnel_state_out(funnel_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_funnel_state_out';

COMMENT ON FUNCTION funnel_state_out(funnel_state) IS 'output function of funnel_state';

CREATE FUNCTION funnel_state_recv(internal) RETURNS funnel_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_funnel_state_recv';

COMMENT ON FUNCTION funnel_state_recv(internal) IS 'binary input function of funnel_state';

CREATE FUNCTION funnel_state_send(funnel_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_funnel_state_send';

COMMENT ON FUNCTION funnel_state_send(funnel_state) IS 'binary output function of funnel_state';

CREATE TYPE funnel_state (
	INPUT = funnel_state_in,
	OUTPUT = funnel_state_out,
	RECEIVE = funnel_state_recv,
	SEND = funnel_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE funnel_state IS
'the rows of a funnel: a partial result of funnel() to be stored or merged';

CREATE TYPE funnel_result AS (
	reached int,
	times timestamptz[]
);

COMMENT ON TYPE funnel_result IS 'how far a funnel was passed';
COMMENT ON COLUMN funnel_result.reached IS 'the number of steps reached in order, 0 where nobody entered';
COMMENT ON COLUMN funnel_result.times IS 'when each of them was reached';

CREATE FUNCTION funnel_add(funnel_state, timestamptz, interval, VARIADIC boolean[]) RETURNS funnel_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_funnel_add';

COMMENT ON FUNCTION funnel_add(funnel_state, timestamptz, interval, VARIADIC boolean[]) IS
'transition function of funnel(); rows with a null time or array of steps are skipped';

CREATE FUNCTION funnel_combine(funnel_state, funnel_state) RETURNS funnel_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_funnel_combine';

COMMENT ON FUNCTION funnel_combine(funnel_state, funnel_state) IS
'combine function of funnel()';

CREATE FUNCTION funnel_result(funnel_state) RETURNS funnel_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_funnel_result';

COMMENT ON FUNCTION funnel_result(funnel_state) IS
'final function of funnel()';

CREATE AGGREGATE funnel(at timestamptz, within interval, VARIADIC steps boolean[]) (
	SFUNC = funnel_add,
	STYPE = funnel_state,
	SSPACE = 128,
	FINALFUNC = funnel_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = funnel_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE funnel(timestamptz, interval, VARIADIC boolean[]) IS
'the furthest step reached in order, each by another row, within a time from the first step';

CREATE AGGREGATE funnel_partial(at timestamptz, within interval, VARIADIC steps boolean[]) (
	SFUNC = funnel_add,
	STYPE = funnel_state,
	SSPACE = 128,
	COMBINEFUNC = funnel_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE funnel_partial(timestamptz, interval, VARIADIC boolean[]) IS
'the state of funnel(), to be stored or merged';

CREATE AGGREGATE funnel_merge(state funnel_state) (
	SFUNC = funnel_combine,
	STYPE = funnel_state,
	SSPACE = 128,
	FINALFUNC = funnel_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = funnel_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE funnel_merge(funnel_state) IS
'funnel() of partial results';

CREATE FUNCTION sessionize(at timestamptz, gap interval DEFAULT '30 minutes') RETURNS bigint
LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_sessionize';

COMMENT ON FUNCTION sessionize(timestamptz, interval) IS
'window function: the number of the session in a partition, a new one beginning after a pause longer than gap';
