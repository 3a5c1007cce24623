/* What a customer's purchases say: recency, frequency, monetary value, rhythm, stage of life, cohort */

CREATE TYPE rfm_summary AS (
	first_at timestamptz,
	last_at timestamptz,
	orders bigint,
	frequency bigint,
	recency float8,
	tenure float8,
	since_last float8,
	monetary float8,
	mean_value float8,
	refunded float8,
	later bigint
);

COMMENT ON TYPE rfm_summary IS 'a customer''s purchases, as rfm() sums them up';
COMMENT ON COLUMN rfm_summary.first_at IS 'time of the first order; null without one';
COMMENT ON COLUMN rfm_summary.last_at IS 'time of the last order; null without one';
COMMENT ON COLUMN rfm_summary.orders IS 'orders: rows whose amount is not negative; the F of RFM';
COMMENT ON COLUMN rfm_summary.frequency IS 'repeat purchases: distinct periods with an order, without the first one; the x of lifetime models; null without an order';
COMMENT ON COLUMN rfm_summary.recency IS 'units of time from the first order''s period to the last one''s; the t_x of lifetime models; null without an order';
COMMENT ON COLUMN rfm_summary.tenure IS 'units of time from the first order''s period to that of as_of; the T of lifetime models; null without an order';
COMMENT ON COLUMN rfm_summary.since_last IS 'units of time from the last order''s period to that of as_of; the R of RFM; null without an order';
COMMENT ON COLUMN rfm_summary.monetary IS 'sum of all amounts, refunds taken off; the M of RFM';
COMMENT ON COLUMN rfm_summary.mean_value IS 'orders'' total outside the first period by frequency, 0 if there is none; the m of the Gamma-Gamma model; null without an order';
COMMENT ON COLUMN rfm_summary.refunded IS 'sum of the negative amounts, as a positive number';
COMMENT ON COLUMN rfm_summary.later IS 'rows later than as_of, which nothing else counts';

CREATE TYPE interpurchase_summary AS (
	purchases bigint,
	gaps bigint,
	first_at timestamptz,
	previous_at timestamptz,
	last_at timestamptz,
	mean float8,
	median float8,
	sd float8,
	cv float8,
	unit interval
);

COMMENT ON TYPE interpurchase_summary IS 'the rhythm of a customer''s purchases, as interpurchase() finds it';
COMMENT ON COLUMN interpurchase_summary.purchases IS 'distinct periods with a purchase';
COMMENT ON COLUMN interpurchase_summary.gaps IS 'gaps between them: one less';
COMMENT ON COLUMN interpurchase_summary.first_at IS 'start of the first period';
COMMENT ON COLUMN interpurchase_summary.previous_at IS 'start of the last period but one; null if there is one only';
COMMENT ON COLUMN interpurchase_summary.last_at IS 'start of the last period';
COMMENT ON COLUMN interpurchase_summary.mean IS 'mean gap in units of time; null without a gap';
COMMENT ON COLUMN interpurchase_summary.median IS 'median gap in units of time; null without a gap';
COMMENT ON COLUMN interpurchase_summary.sd IS 'sample standard deviation of the gaps; null with fewer than two';
COMMENT ON COLUMN interpurchase_summary.cv IS 'coefficient of variation, sd by mean: below 1 more regular than chance; null with fewer than two gaps';
COMMENT ON COLUMN interpurchase_summary.unit IS 'the unit of time, which is the length of a period';

CREATE TYPE cohort_period AS (
	cohort date,
	period int
);

COMMENT ON TYPE cohort_period IS 'where an event stands in the life of its cohort, as cohort() tells it';
COMMENT ON COLUMN cohort_period.cohort IS 'first day of the calendar period of the first event';
COMMENT ON COLUMN cohort_period.period IS 'calendar periods between the first event and this one';

CREATE TYPE rfm_state;

CREATE FUNCTION rfm_state_in(cstring) RETURNS rfm_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_state_in';

COMMENT ON FUNCTION rfm_state_in(cstring) IS 'input function of rfm_state';

CREATE FUNCTION rfm_state_out(rfm_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_state_out';

COMMENT ON FUNCTION rfm_state_out(rfm_state) IS 'output function of rfm_state';

CREATE FUNCTION rfm_state_recv(internal) RETURNS rfm_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_state_recv';

COMMENT ON FUNCTION rfm_state_recv(internal) IS 'binary input function of rfm_state';

CREATE FUNCTION rfm_state_send(rfm_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_state_send';

COMMENT ON FUNCTION rfm_state_send(rfm_state) IS 'binary output function of rfm_state';

CREATE TYPE rfm_state (
	INPUT = rfm_state_in,
	OUTPUT = rfm_state_out,
	RECEIVE = rfm_state_recv,
	SEND = rfm_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE rfm_state IS
'what rfm() has seen of a customer: a partial result to be stored or merged';

CREATE FUNCTION rfm_add(rfm_state, timestamptz, float8, timestamptz) RETURNS rfm_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_float8_add';

COMMENT ON FUNCTION rfm_add(rfm_state, timestamptz, float8, timestamptz) IS
'transition function of rfm()';

CREATE FUNCTION rfm_add(rfm_state, timestamptz, float8, timestamptz, interval) RETURNS rfm_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_float8_add';

COMMENT ON FUNCTION rfm_add(rfm_state, timestamptz, float8, timestamptz, interval) IS
'transition function of rfm()';

CREATE FUNCTION rfm_add(rfm_state, timestamptz, numeric, timestamptz) RETURNS rfm_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_numeric_add';

COMMENT ON FUNCTION rfm_add(rfm_state, timestamptz, numeric, timestamptz) IS
'transition function of rfm()';

CREATE FUNCTION rfm_add(rfm_state, timestamptz, numeric, timestamptz, interval) RETURNS rfm_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_numeric_add';

COMMENT ON FUNCTION rfm_add(rfm_state, timestamptz, numeric, timestamptz, interval) IS
'transition function of rfm()';

CREATE FUNCTION rfm_combine(rfm_state, rfm_state) RETURNS rfm_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_combine';

COMMENT ON FUNCTION rfm_combine(rfm_state, rfm_state) IS
'both states as one, as of the later of their times: the earlier one must have left out no row; either may be null';

CREATE FUNCTION rfm_combine_same(rfm_state, rfm_state) RETURNS rfm_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_combine_same';

COMMENT ON FUNCTION rfm_combine_same(rfm_state, rfm_state) IS
'combine function of rfm(): as rfm_combine(), but both states must be as of the same time';

CREATE FUNCTION rfm_combine(rfm_state, rfm_state, timestamptz) RETURNS rfm_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_combine_as_of';

COMMENT ON FUNCTION rfm_combine(rfm_state, rfm_state, timestamptz) IS
'transition function of rfm_merge(state, as_of)';

CREATE FUNCTION rfm_final(rfm_state) RETURNS rfm_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_final';

COMMENT ON FUNCTION rfm_final(rfm_state) IS
'final function of rfm()';

CREATE AGGREGATE rfm(at timestamptz, amount float8, as_of timestamptz) (
	SFUNC = rfm_add,
	STYPE = rfm_state,
	SSPACE = 160,
	COMBINEFUNC = rfm_combine_same,
	FINALFUNC = rfm_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE rfm(timestamptz, float8, timestamptz) IS
'a customer''s purchases up to as_of, with time counted in days; amounts below 0 are refunds';

CREATE AGGREGATE rfm_partial(at timestamptz, amount float8, as_of timestamptz) (
	SFUNC = rfm_add,
	STYPE = rfm_state,
	SSPACE = 160,
	COMBINEFUNC = rfm_combine_same,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE rfm_partial(timestamptz, float8, timestamptz) IS
'the state of rfm() over the same rows, for rfm_merge()';

CREATE AGGREGATE rfm(at timestamptz, amount float8, as_of timestamptz, unit interval) (
	SFUNC = rfm_add,
	STYPE = rfm_state,
	SSPACE = 160,
	COMBINEFUNC = rfm_combine_same,
	FINALFUNC = rfm_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE rfm(timestamptz, float8, timestamptz, interval) IS
'a customer''s purchases up to as_of, with time counted in units; amounts below 0 are refunds';

CREATE AGGREGATE rfm_partial(at timestamptz, amount float8, as_of timestamptz, unit interval) (
	SFUNC = rfm_add,
	STYPE = rfm_state,
	SSPACE = 160,
	COMBINEFUNC = rfm_combine_same,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE rfm_partial(timestamptz, float8, timestamptz, interval) IS
'the state of rfm() over the same rows, for rfm_merge()';

CREATE AGGREGATE rfm(at timestamptz, amount numeric, as_of timestamptz) (
	SFUNC = rfm_add,
	STYPE = rfm_state,
	SSPACE = 160,
	COMBINEFUNC = rfm_combine_same,
	FINALFUNC = rfm_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE rfm(timestamptz, numeric, timestamptz) IS
'a customer''s purchases up to as_of, with time counted in days; amounts below 0 are refunds';

CREATE AGGREGATE rfm_partial(at timestamptz, amount numeric, as_of timestamptz) (
	SFUNC = rfm_add,
	STYPE = rfm_state,
	SSPACE = 160,
	COMBINEFUNC = rfm_combine_same,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE rfm_partial(timestamptz, numeric, timestamptz) IS
'the state of rfm() over the same rows, for rfm_merge()';

CREATE AGGREGATE rfm(at timestamptz, amount numeric, as_of timestamptz, unit interval) (
	SFUNC = rfm_add,
	STYPE = rfm_state,
	SSPACE = 160,
	COMBINEFUNC = rfm_combine_same,
	FINALFUNC = rfm_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE rfm(timestamptz, numeric, timestamptz, interval) IS
'a customer''s purchases up to as_of, with time counted in units; amounts below 0 are refunds';

CREATE AGGREGATE rfm_partial(at timestamptz, amount numeric, as_of timestamptz, unit interval) (
	SFUNC = rfm_add,
	STYPE = rfm_state,
	SSPACE = 160,
	COMBINEFUNC = rfm_combine_same,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE rfm_partial(timestamptz, numeric, timestamptz, interval) IS
'the state of rfm() over the same rows, for rfm_merge()';

CREATE AGGREGATE rfm_merge(state rfm_state) (
	SFUNC = rfm_combine,
	STYPE = rfm_state,
	SSPACE = 160,
	COMBINEFUNC = rfm_combine,
	FINALFUNC = rfm_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE rfm_merge(rfm_state) IS
'the result of rfm() from states of its parts, as of the latest of their times; states as of an earlier one must have left out no row';

CREATE AGGREGATE rfm_merge(state rfm_state, as_of timestamptz) (
	SFUNC = rfm_combine,
	STYPE = rfm_state,
	SSPACE = 160,
	COMBINEFUNC = rfm_combine_same,
	FINALFUNC = rfm_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE rfm_merge(rfm_state, timestamptz) IS
'the result of rfm() from states of its parts, as of a time that is not before any row in them; states as of an earlier one must have left out no row';

CREATE TYPE interpurchase_state;

CREATE FUNCTION interpurchase_state_in(cstring) RETURNS interpurchase_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_interpurchase_state_in';

COMMENT ON FUNCTION interpurchase_state_in(cstring) IS 'input function of interpurchase_state';

CREATE FUNCTION interpurchase_state_out(interpurchase_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_interpurchase_state_out';

COMMENT ON FUNCTION interpurchase_state_out(interpurchase_state) IS 'output function of interpurchase_state';

CREATE FUNCTION interpurchase_state_recv(internal) RETURNS interpurchase_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_interpurchase_state_recv';

COMMENT ON FUNCTION interpurchase_state_recv(internal) IS 'binary input function of interpurchase_state';

CREATE FUNCTION interpurchase_state_send(interpurchase_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_interpurchase_state_send';

COMMENT ON FUNCTION interpurchase_state_send(interpurchase_state) IS 'binary output function of interpurchase_state';

CREATE TYPE interpurchase_state (
	INPUT = interpurchase_state_in,
	OUTPUT = interpurchase_state_out,
	RECEIVE = interpurchase_state_recv,
	SEND = interpurchase_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE interpurchase_state IS
'what interpurchase() has seen of a customer: a partial result to be stored or merged';

CREATE FUNCTION interpurchase_add(interpurchase_state, timestamptz) RETURNS interpurchase_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_interpurchase_add';

COMMENT ON FUNCTION interpurchase_add(interpurchase_state, timestamptz) IS
'transition function of interpurchase()';

CREATE FUNCTION interpurchase_add(interpurchase_state, timestamptz, interval) RETURNS interpurchase_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_interpurchase_add';

COMMENT ON FUNCTION interpurchase_add(interpurchase_state, timestamptz, interval) IS
'transition function of interpurchase()';

CREATE FUNCTION interpurchase_combine(interpurchase_state, interpurchase_state) RETURNS interpurchase_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_interpurchase_combine';

COMMENT ON FUNCTION interpurchase_combine(interpurchase_state, interpurchase_state) IS
'combine function of interpurchase(); either state may be null';

CREATE FUNCTION interpurchase_final(interpurchase_state) RETURNS interpurchase_summary
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_interpurchase_final';

COMMENT ON FUNCTION interpurchase_final(interpurchase_state) IS
'final function of interpurchase()';

CREATE AGGREGATE interpurchase(at timestamptz) (
	SFUNC = interpurchase_add,
	STYPE = interpurchase_state,
	SSPACE = 96,
	COMBINEFUNC = interpurchase_combine,
	FINALFUNC = interpurchase_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE interpurchase(timestamptz) IS
'the gaps between the days with a purchase';

CREATE AGGREGATE interpurchase_partial(at timestamptz) (
	SFUNC = interpurchase_add,
	STYPE = interpurchase_state,
	SSPACE = 96,
	COMBINEFUNC = interpurchase_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE interpurchase_partial(timestamptz) IS
'the state of interpurchase() over the same rows, for interpurchase_merge()';

CREATE AGGREGATE interpurchase(at timestamptz, unit interval) (
	SFUNC = interpurchase_add,
	STYPE = interpurchase_state,
	SSPACE = 96,
	COMBINEFUNC = interpurchase_combine,
	FINALFUNC = interpurchase_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE interpurchase(timestamptz, interval) IS
'the gaps between the periods with a purchase';

CREATE AGGREGATE interpurchase_partial(at timestamptz, unit interval) (
	SFUNC = interpurchase_add,
	STYPE = interpurchase_state,
	SSPACE = 96,
	COMBINEFUNC = interpurchase_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE interpurchase_partial(timestamptz, interval) IS
'the state of interpurchase() over the same rows, for interpurchase_merge()';

CREATE AGGREGATE interpurchase_merge(state interpurchase_state) (
	SFUNC = interpurchase_combine,
	STYPE = interpurchase_state,
	SSPACE = 96,
	COMBINEFUNC = interpurchase_combine,
	FINALFUNC = interpurchase_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE interpurchase_merge(interpurchase_state) IS
'the result of interpurchase() from states of its parts';

CREATE FUNCTION next_purchase(
	rhythm interpurchase_summary,
	usual float8 DEFAULT NULL,
	weight float8 DEFAULT 2)
RETURNS timestamptz
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_next_purchase';

COMMENT ON FUNCTION next_purchase(interpurchase_summary, float8, float8) IS
'when the next purchase is due: the median gap after the last one, drawn towards the usual gap with the weight of so many gaps';

CREATE FUNCTION purchase_overdue(
	rhythm interpurchase_summary,
	as_of timestamptz DEFAULT now(),
	usual float8 DEFAULT NULL,
	weight float8 DEFAULT 2)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_purchase_overdue';

COMMENT ON FUNCTION purchase_overdue(interpurchase_summary, timestamptz, float8, float8) IS
'units of time since the next purchase was due, below 0 if it is not yet';

CREATE FUNCTION lifecycle_stage(
	first_at timestamptz,
	last_at timestamptz,
	previous_at timestamptz,
	as_of timestamptz DEFAULT now(),
	active interval DEFAULT '30 days',
	risk interval DEFAULT '90 days',
	lapse interval DEFAULT '180 days')
RETURNS text
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lifecycle_stage_days';

COMMENT ON FUNCTION lifecycle_stage(timestamptz, timestamptz, timestamptz, timestamptz, interval, interval, interval) IS
'prospect, new, reactivated, active, at_risk, lapsing or lost, by whole days (UTC) since the first, the last and the last but one day with a purchase';

CREATE FUNCTION lifecycle_stage(
	rhythm interpurchase_summary,
	as_of timestamptz,
	usual float8,
	active float8 DEFAULT 1.5,
	risk float8 DEFAULT 3,
	lapse float8 DEFAULT 6,
	weight float8 DEFAULT 2)
RETURNS text
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lifecycle_stage_rhythm';

COMMENT ON FUNCTION lifecycle_stage(interpurchase_summary, timestamptz, float8, float8, float8, float8, float8) IS
'lifecycle_stage() by the customer''s own rhythm: thresholds are multiples of the gap that next_purchase() expects';

CREATE FUNCTION lifecycle_stage(
	p_alive float8,
	frequency float8,
	active float8 DEFAULT 0.8,
	risk float8 DEFAULT 0.5,
	lapse float8 DEFAULT 0.2)
RETURNS text
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_lifecycle_stage_alive';

COMMENT ON FUNCTION lifecycle_stage(float8, float8, float8, float8, float8) IS
'lifecycle_stage() by the probability that the customer is still one: new (alive, no repeat purchase yet), active, at_risk, lapsing, lost; prospect if both are null';

CREATE FUNCTION cohort(
	first_at timestamptz,
	at timestamptz,
	unit text DEFAULT 'month',
	time_zone text DEFAULT 'UTC')
RETURNS cohort_period
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_cohort';

COMMENT ON FUNCTION cohort(timestamptz, timestamptz, text, text) IS
'the day, week, month, quarter or year in which a customer began, and how many of them later an event is';
