/* behavioural_classes.json and decay_counters.json */

/*
 * {dataset, rule: "…: purchase > checkout_start (…) > … > view (…)"}: how many visitors are
 * of each class.  The rule's events, from the last to the first, are the names that
 * behaviour_class() is told.
 */
CREATE FUNCTION golden.visitor_class_counts(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	source regclass := runner.table_of(input ->> 'dataset');
	names text[];
	answer jsonb;
BEGIN
	SELECT array_agg(substring(step FROM '\w+') ORDER BY n DESC) INTO names
		FROM unnest(string_to_array(regexp_replace(input ->> 'rule', '^[^:>]*:', ''), '>')) WITH ORDINALITY u(step, n);
	EXECUTE format('
		WITH visitor AS (SELECT behaviour_class(%s, $1) AS class FROM %s GROUP BY %s)
		SELECT jsonb_object_agg(class, (SELECT count(*) FROM visitor v WHERE v.class = u.class))
		FROM unnest(''{purchaser,checkout_abandoner,cart_abandoner,searcher,browser}''::text[]) u(class)',
		runner.needed_column(source, 'event'), source, runner.needed_column(source, 'user_id', 'customer_id', 'customerid'))
		INTO answer USING coalesce(names, '{view,search,add_to_cart,checkout_start,purchase}');
	RETURN answer;
END $$;

/*
 * {half_life_s, events: [[unix time, weight], …], at}.  The value is that of the merged
 * halves of the list, and must be the whole's too, by either way to ask for it.
 */
CREATE FUNCTION golden.decay_sum(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	half_life interval := (input ->> 'half_life_s')::float8 * interval '1 second';
	as_of timestamptz := to_timestamp((input ->> 'at')::float8);
	former decayed_sum_state;
	latter decayed_sum_state;
	merged decayed_sum_state;
	whole decayed_sum_state;
	value float8;
	direct float8;
BEGIN
	-- a state cannot tell its value before its latest event, so what is later stays out
	SELECT decayed_sum_partial(e.weight, e.at, half_life) FILTER (WHERE e.at <= as_of AND e.n <= e.half),
			decayed_sum_partial(e.weight, e.at, half_life) FILTER (WHERE e.at <= as_of AND e.n > e.half),
			decayed_sum(e.weight, e.at, half_life) FILTER (WHERE e.at <= as_of), decayed_sum(e.weight, e.at, half_life, as_of)
		INTO former, latter, whole, direct
		FROM (SELECT (event ->> 1)::float8 AS weight, to_timestamp((event ->> 0)::float8) AS at, n, count(*) OVER () / 2 AS half
			FROM jsonb_array_elements(input -> 'events') WITH ORDINALITY u(event, n)) e;
	SELECT decayed_sum_merge(s) INTO merged FROM unnest(array[latter, former]) s;
	value := coalesce(decayed_value(merged, as_of), 0);
	IF abs(value - coalesce(decayed_value(whole, as_of), 0)) > 1e-12 * abs(value) OR abs(value - coalesce(direct, 0)) > 1e-12 * abs(value) THEN
		RAISE 'the value of the merged halves is %, of the whole %, by as_of %', value, decayed_value(whole, as_of), direct;
	END IF;
	RETURN jsonb_build_object('value', value, 'rate_per_s', coalesce(decayed_rate(merged, as_of, '1 second'), 0),
		'decayed_mean_weight', decayed_mean(merged), 'first_half', coalesce(decayed_value(former, as_of), 0),
		'second_half', coalesce(decayed_value(latter, as_of), 0));
END $$;
