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
