/*
 * audience_overlap.json: exact sizes and overlaps of audiences.  They are plain SQL (sketches
 * are another extension's), so these functions stand for the recipe.
 */

/* Of the persons with the groups they are in, how many are in a, in b, in either and in both. */
CREATE FUNCTION runner.overlap(a bigint, b bigint, both_of_them bigint) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN jsonb_build_object('a', a, 'b', b, 'union', a + b - both_of_them, 'intersection', both_of_them,
	'jaccard', both_of_them::float8 / nullif(a + b - both_of_them, 0));

/* The overlap of those rows of a data set that two conditions select, by person. */
CREATE FUNCTION runner.customer_overlap(dataset text, condition_a text, condition_b text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	source regclass := runner.table_of(dataset);
	answer jsonb;
BEGIN
	EXECUTE format('SELECT runner.overlap(count(*) FILTER (WHERE a), count(*) FILTER (WHERE b), count(*) FILTER (WHERE a AND b))
		FROM (SELECT bool_or(%s) AS a, bool_or(%s) AS b FROM %s WHERE (%1$s OR %2$s) AND %4$s AND %5$s IS NOT NULL GROUP BY %5$s) AS x',
		condition_a, condition_b, source, coalesce(runner.rows_with(source, dataset), 'true'),
		runner.needed_column(source, 'customerid', 'customer_id', 'user_id'))
		INTO answer;
	RETURN answer;
END $$;

/* {a: [first, last], b: [first, last]} */
CREATE FUNCTION golden.range_overlap(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT runner.overlap(count(a), count(b), count(*) FILTER (WHERE a = b))
	FROM generate_series((input #>> '{a,0}')::bigint, (input #>> '{a,1}')::bigint) AS a
		FULL JOIN generate_series((input #>> '{b,0}')::bigint, (input #>> '{b,1}')::bigint) AS b ON a = b;
$$;

/* {dataset, month_a, month_b}: months as "2010-12" */
CREATE FUNCTION golden.monthly_customer_overlap(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	source regclass := runner.table_of(input ->> 'dataset');
	at text := runner.time_in(source, runner.needed_column(source, 'invoicedate', 'ordered_at', 'date', 'at', 'ts'));
	condition text := '%1$s >= %2$L::timestamptz AND %1$s < %2$L::timestamptz + interval ''1 month''';
BEGIN
	RETURN runner.customer_overlap(input ->> 'dataset', format(condition, at, (input ->> 'month_a') || '-01'),
		format(condition, at, (input ->> 'month_b') || '-01'));
END $$;

/* {dataset, stock_a, stock_b} */
CREATE FUNCTION golden.product_audience_overlap(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	item text := runner.needed_column(runner.table_of(input ->> 'dataset'), 'stockcode', 'stock_code', 'item');
BEGIN
	RETURN runner.customer_overlap(input ->> 'dataset', format('%s = %L', item, input ->> 'stock_a'),
		format('%s = %L', item, input ->> 'stock_b'));
END $$;

/*
 * {dataset}: customers, items bought by a known customer, and those who bought in each of the
 * last three months that the data cover to their end.
 */
CREATE FUNCTION golden.distinct_counts(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	source regclass := runner.table_of(input ->> 'dataset');
	at text := runner.time_in(source, runner.needed_column(source, 'invoicedate', 'ordered_at', 'date', 'at', 'ts'));
	answer jsonb;
BEGIN
	EXECUTE format($query$
		WITH visit AS MATERIALIZED (
			SELECT %1$s AS customer, %2$s AS item, date_trunc('month', %3$s) AS month, %3$s::date AS day
			FROM %4$s WHERE %1$s IS NOT NULL),
		closing AS (
			SELECT CASE WHEN extract(month FROM max(day) + 1) <> extract(month FROM max(day)) THEN max(month)
				ELSE max(month) - interval '1 month' END AS month FROM visit),
		core AS (
			SELECT customer FROM visit v, closing c
			WHERE v.month BETWEEN c.month - interval '2 months' AND c.month
			GROUP BY customer HAVING count(DISTINCT v.month) = 3)
		SELECT jsonb_build_object('customers', count(DISTINCT customer), 'stock_codes_with_customer', count(DISTINCT item),
			'three_month_core', (SELECT count(*) FROM core)) FROM visit $query$,
		runner.needed_column(source, 'customerid', 'customer_id', 'user_id'), runner.needed_column(source, 'stockcode', 'item'),
		at, source)
		INTO answer;
	RETURN answer;
END $$;
