/* Uplift: does a score find those whom the treatment moves? */

CREATE TYPE qini_result AS (
	n bigint,
	n_treatment bigint,
	final float8,
	area_curve float8,
	area_random float8,
	qini_area float8,
	qini_coefficient float8
);

COMMENT ON TYPE qini_result IS
'result of qini(): how far a score finds those whom the treatment moves; all but the numbers of units is null without units of one arm';
COMMENT ON COLUMN qini_result.n IS 'units';
COMMENT ON COLUMN qini_result.n_treatment IS 'of which in the treatment';
COMMENT ON COLUMN qini_result.final IS 'gain once all are targeted: outcomes of the treatment beyond what those of the control predict';
COMMENT ON COLUMN qini_result.area_curve IS 'area under the curve of gain by units targeted, the highest scores first';
COMMENT ON COLUMN qini_result.area_random IS 'the same if the order were random';
COMMENT ON COLUMN qini_result.qini_area IS 'area_curve less area_random';
COMMENT ON COLUMN qini_result.qini_coefficient IS 'qini_area by that of an order that knows the outcomes; null if no order is better than another';

CREATE TYPE uplift_point AS (
	targeted float8,
	n float8,
	gain float8,
	random_gain float8,
	uplift float8
);

COMMENT ON TYPE uplift_point IS
'a row of uplift_curve(): what targeting a share of the units gains';
COMMENT ON COLUMN uplift_point.targeted IS 'share of the units that is targeted, the highest scores first';
COMMENT ON COLUMN uplift_point.n IS 'how many these are';
COMMENT ON COLUMN uplift_point.gain IS 'outcomes of those of them in the treatment, beyond what those in the control predict';
COMMENT ON COLUMN uplift_point.random_gain IS 'gain of as many units at random';
COMMENT ON COLUMN uplift_point.uplift IS 'difference of the mean outcome of the two arms among them; null without units of both';

CREATE TYPE qini_state;

CREATE FUNCTION qini_state_in(cstring) RETURNS qini_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_qini_state_in';

COMMENT ON FUNCTION qini_state_in(cstring) IS
'input function of qini_state';

CREATE FUNCTION qini_state_out(qini_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_qini_state_out';

COMMENT ON FUNCTION qini_state_out(qini_state) IS
'output function of qini_state';

CREATE FUNCTION qini_state_recv(internal) RETURNS qini_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_qini_state_recv';

COMMENT ON FUNCTION qini_state_recv(internal) IS
'binary input function of qini_state';

CREATE FUNCTION qini_state_send(qini_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_qini_state_send';

COMMENT ON FUNCTION qini_state_send(qini_state) IS
'binary output function of qini_state';

CREATE TYPE qini_state (
	INPUT = qini_state_in,
	OUTPUT = qini_state_out,
	RECEIVE = qini_state_recv,
	SEND = qini_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE qini_state IS
'scores and outcomes of both arms, as qini() keeps them: a partial result to be stored, merged, or read by uplift_curve()';

CREATE FUNCTION qini_add(qini_state, float8, boolean, float8) RETURNS qini_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_qini_add';

COMMENT ON FUNCTION qini_add(qini_state, float8, boolean, float8) IS
'transition function of qini(); a row with a null is skipped';

CREATE FUNCTION qini_combine(qini_state, qini_state) RETURNS qini_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_qini_combine';

COMMENT ON FUNCTION qini_combine(qini_state, qini_state) IS
'combine function of qini()';

CREATE FUNCTION qini_result(qini_state) RETURNS qini_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_qini_result';

COMMENT ON FUNCTION qini_result(qini_state) IS
'final function of qini()';

CREATE AGGREGATE qini(score float8, treated boolean, outcome float8) (
	SFUNC = qini_add,
	STYPE = qini_state,
	SSPACE = 1024,
	FINALFUNC = qini_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = qini_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE qini(float8, boolean, float8) IS
'how far a score finds those whom the treatment moves: area under its uplift curve, beyond that of a random order';

CREATE AGGREGATE qini_partial(score float8, treated boolean, outcome float8) (
	SFUNC = qini_add,
	STYPE = qini_state,
	SSPACE = 1024,
	COMBINEFUNC = qini_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE qini_partial(float8, boolean, float8) IS
'the state of qini(), to be stored, merged, or read by uplift_curve()';

CREATE AGGREGATE qini_merge(state qini_state) (
	SFUNC = qini_combine,
	STYPE = qini_state,
	SSPACE = 1024,
	FINALFUNC = qini_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = qini_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE qini_merge(qini_state) IS
'qini() of what qini_partial() has kept';

CREATE FUNCTION uplift_curve(state qini_state, points int DEFAULT 10) RETURNS SETOF uplift_point
LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 11
AS 'MODULE_PATHNAME', 'personalize_uplift_curve';

COMMENT ON FUNCTION uplift_curve(qini_state, int) IS
'what targeting shares of the units gains, from none to all in so many steps; no rows without units of both arms';
