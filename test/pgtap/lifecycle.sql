-- lifecycle_stage(), next_purchase(), purchase_overdue() and cohort() against plain SQL
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

SELECT plan(29);

CREATE FUNCTION draw(seed bigint, x bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(x, seed) & 9223372036854775807) % n $$;

CREATE TABLE visits AS
SELECT draw(1, x, 700) AS c, timestamptz '2023-01-01' + power(draw(2, x, 1000) / 1000.0, 1.5) * interval '730 days' AS at FROM generate_series(1, 3000) x;
INSERT INTO visits SELECT 1000 + x, timestamptz '2024-12-31 07:00' - x * interval '2 days' FROM generate_series(1, 40) x;

-- by days: the rule as it is written, on dates
CREATE FUNCTION by_days(as_of date, active int, risk int, lapse int) RETURNS TABLE (c bigint, stage text) LANGUAGE sql AS $$
	SELECT c, CASE WHEN count(day) = 0 THEN 'prospect'
		WHEN as_of - min(day) <= active THEN 'new'
		WHEN as_of - max(day) <= active AND max(day) - (array_agg(day ORDER BY day DESC NULLS LAST))[2] > lapse THEN 'reactivated'
		WHEN as_of - max(day) <= active THEN 'active'
		WHEN as_of - max(day) <= risk THEN 'at_risk'
		WHEN as_of - max(day) <= lapse THEN 'lapsing'
		ELSE 'lost' END
	FROM (SELECT DISTINCT v.c, CASE WHEN at < as_of THEN at::date END AS day FROM visits v) d GROUP BY c
$$;
CREATE FUNCTION of_days(as_of timestamptz, active interval, risk interval, lapse interval) RETURNS TABLE (c bigint, stage text) LANGUAGE sql AS $$
	SELECT c, lifecycle_stage((i).first_at, (i).last_at, (i).previous_at, as_of, active, risk, lapse)
	FROM (SELECT c, interpurchase(at) FILTER (WHERE at < as_of) AS i FROM visits GROUP BY c) x
$$;
SELECT set_eq(format('SELECT * FROM of_days(%L, make_interval(days => %s), make_interval(days => %s), make_interval(days => %s))', as_of, active, risk, lapse),
	format('SELECT * FROM by_days(%L, %s, %s, %s)', as_of, active, risk, lapse), format('by days: %s %s %s %s', as_of, active, risk, lapse))
FROM (VALUES ('2024-12-31', 30, 90, 180), ('2024-06-30', 30, 90, 180), ('2023-06-30', 7, 14, 28), ('2024-12-31', 28, 56, 112), ('2024-12-31', 0, 0, 0), ('2022-12-31', 30, 90, 180)) v(as_of, active, risk, lapse);
SELECT is((SELECT count(DISTINCT stage) FROM of_days('2024-12-31', '30 days', '60 days', '90 days')), 6::bigint, '... which has all stages to tell');
-- of first and last time as rfm() has them, the stage is the same
SELECT set_eq($$SELECT c, lifecycle_stage((r).first_at, (r).last_at, (i).previous_at, '2024-12-31', '30 days', '60 days', '90 days')
	FROM (SELECT c, rfm(at, 1::float8, '2024-12-31') AS r, interpurchase(at) FILTER (WHERE at <= '2024-12-31') AS i FROM visits GROUP BY c) x$$,
	$$SELECT * FROM by_days('2024-12-31', 30, 60, 90)$$, 'from times of day');
-- nor does the session's time zone matter
SET LOCAL timezone = 'Pacific/Auckland';
SELECT set_eq($$SELECT c, lifecycle_stage((i).first_at, (i).last_at, (i).previous_at, '2024-12-31 00:00 UTC', '30 days', '60 days', '90 days')
	FROM (SELECT c, interpurchase(at) FILTER (WHERE at < '2024-12-31 00:00 UTC') AS i FROM visits GROUP BY c) x$$,
	$$SELECT c, stage FROM (SELECT set_config('timezone', 'UTC', true)) z, LATERAL by_days('2024-12-31', 30, 60, 90)$$, 'in Auckland');
SET LOCAL timezone = 'UTC';

-- by the own rhythm
CREATE TABLE rhythms AS SELECT c, interpurchase(at) AS r FROM visits GROUP BY c;
CREATE FUNCTION gap(r interpurchase_summary, usual float8, weight float8) RETURNS float8 LANGUAGE sql AS
$$ SELECT CASE WHEN usual IS NULL THEN (r).median ELSE ((r).gaps * coalesce((r).median, 0) + weight * usual) / nullif((r).gaps + weight, 0) END $$;
SELECT is(count(*) FILTER (WHERE next_purchase(r, usual, weight) IS DISTINCT FROM (r).last_at + make_interval(secs => round((gap(r, usual, weight) * 86400)::numeric, 6)::float8)), 0::bigint,
	format('next_purchase(): usual %s, weight %s', usual, weight))
FROM rhythms, (VALUES (NULL::float8, 2::float8), (30, 2), (30, 0), (12.5, 0.5)) v(usual, weight) GROUP BY usual, weight ORDER BY usual, weight;
SELECT is(count(*) FILTER (WHERE next_purchase(r, 30) IS DISTINCT FROM next_purchase(r, 30, 2) OR next_purchase(r) IS DISTINCT FROM next_purchase(r, NULL, 7)), 0::bigint, '... defaults')
FROM rhythms;
SELECT is(count(*) FILTER (WHERE abs(purchase_overdue(r, '2025-02-03 04:05', 30) - extract(epoch FROM '2025-02-03 04:05' - next_purchase(r, 30)) / 86400) <= 1e-9), count(*), 'purchase_overdue()') FROM rhythms;
SELECT is(count(*) FILTER (WHERE purchase_overdue(interpurchase, '2025-02-03 04:05', 4) = purchase_overdue(minutes, '2025-02-03 04:05', 4 * 24 * 7 * 60) / (24 * 7 * 60)), 1::bigint, '... in units')
FROM (SELECT interpurchase('2025-01-04 00:00', '7 days'), interpurchase('2025-01-04 00:00', '1 minute') AS minutes) x;
SELECT is(count(*) FILTER (WHERE purchase_overdue(r) BETWEEN purchase_overdue(r, now() - interval '1 second') AND purchase_overdue(r, now() + interval '1 second')), count(*) FILTER (WHERE (r).gaps > 0),
	'... as of now') FROM rhythms;
SELECT is(count(*) FILTER (WHERE stage IS DISTINCT FROM CASE
	WHEN (r).first_at > as_of THEN 'prospect'
	WHEN first <= active THEN 'new'
	WHEN last <= active AND coalesce(before, 0) > lapse THEN 'reactivated'
	WHEN last <= active THEN 'active' WHEN last <= risk THEN 'at_risk' WHEN last <= lapse THEN 'lapsing' ELSE 'lost' END), 0::bigint,
	format('by rhythm: %s %s', as_of, usual))
FROM (SELECT r, as_of, usual, active, risk, lapse, lifecycle_stage(r, as_of, usual, active, risk, lapse, weight) AS stage,
		extract(epoch FROM as_of - (r).first_at) / 86400 / gap AS first, extract(epoch FROM as_of - (r).last_at) / 86400 / gap AS last,
		extract(epoch FROM (r).last_at - (r).previous_at) / 86400 / gap AS before
	FROM rhythms, (VALUES (timestamptz '2025-01-01', 30::float8, 1.5::float8, 3::float8, 6::float8, 2::float8), ('2025-03-01 07:00', 12, 1.5, 3, 6, 2),
		('2025-01-01', 45, 0.9, 1.2, 1.3, 0.5)) v(as_of, usual, active, risk, lapse, weight), LATERAL gap(r, usual, weight)) x GROUP BY as_of, usual;
SELECT is(array_agg(DISTINCT lifecycle_stage(r, '2025-01-01', 45, 0.9, 1.2, 1.3, 0.5) COLLATE "C"), '{active,at_risk,lapsing,lost,new,reactivated}', '... which has all stages to tell') FROM rhythms;
SELECT is(count(*) FILTER (WHERE lifecycle_stage(r, '2025-01-01', 30) IS DISTINCT FROM lifecycle_stage(r, '2025-01-01', 30, 1.5, 3, 6, 2)), 0::bigint, '... defaults') FROM rhythms;
SELECT is(lifecycle_stage(NULL::interpurchase_summary, '2025-01-01', 30), 'prospect', '... nobody');

-- by the probability to be alive
SELECT is(count(*) FILTER (WHERE lifecycle_stage(p, x, a, r, l) IS DISTINCT FROM CASE WHEN p < l THEN 'lost' WHEN p < r THEN 'lapsing' WHEN p < a THEN 'at_risk'
	WHEN x > 0 THEN 'active' ELSE 'new' END), 0::bigint, 'by P(alive)')
FROM (SELECT i / 40.0 AS p FROM generate_series(0, 40) i) p, generate_series(0, 2) x,
	(VALUES (0.8, 0.5, 0.2), (1, 1, 1), (0, 0, 0), (0.9, 0.9, 0.1)) v(a, r, l);

-- cohorts
CREATE FUNCTION calendar(unit text, at timestamptz, zone text) RETURNS bigint LANGUAGE sql AS $$
	SELECT CASE unit WHEN 'day' THEN local::date - date '2000-01-03' WHEN 'week' THEN (date_trunc('week', local)::date - date '2000-01-03') / 7
		WHEN 'month' THEN extract(year FROM local) * 12 + extract(month FROM local)
		WHEN 'quarter' THEN extract(year FROM local) * 4 + extract(quarter FROM local) ELSE extract(year FROM local) END
	FROM (SELECT at AT TIME ZONE zone) l(local)
$$;
SELECT is(count(*) FILTER (WHERE cohort(a, b, unit, zone) IS DISTINCT FROM
		ROW(date_trunc(unit, a AT TIME ZONE zone)::date, calendar(unit, b, zone) - calendar(unit, a, zone))::cohort_period), 0::bigint, 'cohort(): ' || unit)
FROM (SELECT timestamptz '1990-01-01' + draw(5, x, 700000) * interval '1 hour' AS a, draw(6, x, 40000) * interval '15 minutes' AS d FROM generate_series(1, 300) x) r,
	LATERAL (SELECT a + d AS b) s,
	unnest('{UTC,America/New_York,Asia/Kathmandu}'::text[]) zone, unnest('{day,week,month,quarter,year}'::text[]) unit
GROUP BY unit ORDER BY unit;

SELECT * FROM finish();
ROLLBACK;
