/* lifecycle.json: lifecycle stages, cohorts and the time between purchases. */

/* {dataset, as_of, active_days, risk_days, lapse_days}; only what was bought before the day of as_of counts. */
CREATE FUNCTION golden.lifecycle_stage_counts(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	WITH stage AS (
		SELECT lifecycle_stage((i.s).first_at, (i.s).last_at, (i.s).previous_at, (input ->> 'as_of')::timestamptz,
			(input ->> 'active_days')::int * interval '1 day', (input ->> 'risk_days')::int * interval '1 day',
			(input ->> 'lapse_days')::int * interval '1 day') AS name
		FROM (SELECT interpurchase(at) AS s FROM runner.orders(input ->> 'dataset')
			WHERE at < (input ->> 'as_of')::timestamptz GROUP BY customer) i)
	SELECT jsonb_object_agg(name, n) FROM (
		SELECT name, (SELECT count(*) FROM stage s WHERE s.name = u.name) AS n
		FROM (SELECT unnest('{prospect,new,reactivated,active,at_risk,lapsing,lost}'::text[]) UNION SELECT name FROM stage) u(name)) x;
$$;

/* Where a cohort begins: "2010-12", "2010-12-06", "2010-W49", "2010-11-29/2010-12-05", "2010Q4", "2010" */
CREATE FUNCTION runner.cohort_start(label text) RETURNS date
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	label := split_part(label, '/', 1);
	RETURN CASE
		WHEN label ~ '^\d{4}-\d\d-\d\d$' THEN label::date
		WHEN label ~ '^\d{4}-\d\d$' THEN (label || '-01')::date
		WHEN label ~ '^\d{4}-?W\d\d$' THEN to_date(regexp_replace(label, '-?W', ''), 'IYYYIW')
		WHEN label ~ '^\d{4}-?Q[1-4]$' THEN make_date(left(label, 4)::int, right(label, 1)::int * 3 - 2, 1)
		WHEN label ~ '^\d{4}$' THEN (label || '-01-01')::date
		ELSE label::date END;
END $$;

/*
 * {dataset, cohort, unit}: customers who bought first in the cohort; of each unit of time
 * from then on, up to the data's last one, how many of them bought, and for how much.
 */
CREATE FUNCTION runner.cohort_periods(input jsonb, OUT customers jsonb, OUT revenue jsonb)
LANGUAGE sql AS $$
	WITH purchase AS (
		SELECT o.customer, o.at, o.amount, min(o.at) OVER (PARTITION BY o.customer) AS first_at
		FROM runner.orders(input ->> 'dataset') o),
	placed AS (
		SELECT p.*, (cohort(p.first_at, p.at, coalesce(input ->> 'unit', 'month'))).* FROM purchase p),
	member AS (
		SELECT period AS n, count(DISTINCT customer) AS customers, sum(amount) AS revenue
		FROM placed WHERE placed.cohort = runner.cohort_start(input ->> 'cohort') GROUP BY period),
	span AS (
		SELECT generate_series(0, (cohort(runner.cohort_start(input ->> 'cohort')::timestamptz, max(at),
			coalesce(input ->> 'unit', 'month'))).period) AS n FROM purchase)
	SELECT jsonb_agg(coalesce(m.customers, 0) ORDER BY n), jsonb_agg(coalesce(m.revenue, 0) ORDER BY n)
	FROM span LEFT JOIN member m USING (n);
$$;

CREATE FUNCTION golden.cohort_retention(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$ SELECT customers FROM runner.cohort_periods(input) $$;

CREATE FUNCTION golden.cohort_revenue(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$ SELECT revenue FROM runner.cohort_periods(input) $$;

/* {dataset, customer_id, as_of}: days between a customer's purchases, and when the next is due. */
CREATE FUNCTION golden.inter_purchase(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('n_gaps', (i.s).gaps, 'mean_days', (i.s).mean, 'median_days', (i.s).median, 'sd_days', (i.s).sd,
		'cv', (i.s).cv, 'next_purchase_median', to_char(next_purchase(i.s), 'YYYY-MM-DD HH24:MI:SS'),
		'days_overdue_vs_median', purchase_overdue(i.s, (input ->> 'as_of')::timestamptz))
	FROM (SELECT interpurchase(at) AS s FROM runner.orders(input ->> 'dataset')
		WHERE customer = input ->> 'customer_id' AND at <= (input ->> 'as_of')::timestamptz) i;
$$;

/*
 * {dataset}: all customers' gaps together.  Their number and mean come from the customers'
 * own; the quantiles of the pool are rfm_breaks() over the gaps, in twentieths.
 */
CREATE FUNCTION golden.inter_purchase_population(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	WITH purchase AS MATERIALIZED (SELECT customer, at FROM runner.orders(input ->> 'dataset')),
	rhythm AS (SELECT interpurchase(at) AS s FROM purchase GROUP BY customer),
	pool AS (
		SELECT rfm_breaks(gap, 20) AS edges FROM (
			SELECT day - lag(day) OVER (PARTITION BY customer ORDER BY day) AS gap
			FROM (SELECT DISTINCT customer, at::date AS day FROM purchase) d) g)
	SELECT jsonb_build_object('gaps', sum((s).gaps), 'mean', sum((s).gaps * (s).mean) / sum((s).gaps),
		'repeat_customers', count(*) FILTER (WHERE (s).gaps > 0), 'median', (SELECT edges[10] FROM pool),
		'p10', (SELECT edges[2] FROM pool), 'p25', (SELECT edges[5] FROM pool), 'p75', (SELECT edges[15] FROM pool),
		'p90', (SELECT edges[18] FROM pool))
	FROM rhythm;
$$;
