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
 * The value of a list of events [unix time, weight] at a time, and those of its halves, with
 * one second of the case lasting so many of ours.  That of the whole is the merged halves',
 * and must be the same by the other ways to ask for it.
 */
CREATE FUNCTION runner.decay(events jsonb, at float8, half_life_s float8, second interval)
RETURNS TABLE (value float8, rate float8, mean float8, first_half float8, second_half float8)
LANGUAGE plpgsql AS $$
DECLARE
	half_life interval := half_life_s * second;
	as_of timestamptz := to_timestamp(at);
	former decayed_sum_state;
	latter decayed_sum_state;
	merged decayed_sum_state;
	whole decayed_sum_state;
	direct float8;
BEGIN
	-- a state cannot tell its value before its latest event, so what is later stays out
	SELECT decayed_sum_partial(e.weight, e.at, half_life) FILTER (WHERE e.at <= as_of AND e.n <= e.half),
			decayed_sum_partial(e.weight, e.at, half_life) FILTER (WHERE e.at <= as_of AND e.n > e.half),
			decayed_sum(e.weight, e.at, half_life) FILTER (WHERE e.at <= as_of), decayed_sum(e.weight, e.at, half_life, as_of)
		INTO former, latter, whole, direct
		FROM (SELECT (event ->> 1)::float8 AS weight, as_of + ((event ->> 0)::float8 - decay.at) * second AS at,
				n, count(*) OVER () / 2 AS half
			FROM jsonb_array_elements(events) WITH ORDINALITY u(event, n)) e;
	SELECT decayed_sum_merge(s) INTO merged FROM unnest(array[latter, former]) s;
	value := coalesce(decayed_value(merged, as_of), 0);
	IF abs(value - coalesce(decayed_value(whole, as_of), 0)) > 1e-12 * abs(value) OR abs(value - coalesce(direct, 0)) > 1e-12 * abs(value) THEN
		RAISE 'the value of the merged halves is %, of the whole %, by as_of %', value, decayed_value(whole, as_of), direct;
	END IF;
	rate := coalesce(decayed_rate(merged, as_of, second), 0);
	mean := decayed_mean(merged);
	first_half := coalesce(decayed_value(former, as_of), 0);
	second_half := coalesce(decayed_value(latter, as_of), 0);
	RETURN NEXT;
END $$;

/*
 * {half_life_s, events: [[unix time, weight], …], at}.  The times are binary fractions, known
 * to some 1e-7 s; with a half-life of seconds the ninth digit depends on what is lost when
 * they become whole microseconds.  So a second of the case is put as 1000 of ours, and the
 * answer for plain seconds must differ by no more than a microsecond makes.
 */
CREATE FUNCTION golden.decay_sum(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	half_life_s float8 := (input ->> 'half_life_s')::float8;
	slow record;
	plain record;
BEGIN
	SELECT * INTO slow FROM runner.decay(input -> 'events', (input ->> 'at')::float8, half_life_s, '1000 seconds');
	SELECT * INTO plain FROM runner.decay(input -> 'events', (input ->> 'at')::float8, half_life_s, '1 second');
	IF abs(slow.value - plain.value) > (1e-12 + 1e-6 / half_life_s) * abs(slow.value) THEN
		RAISE 'the value is %, but % with the times a thousandfold', plain.value, slow.value;
	END IF;
	RETURN jsonb_build_object('value', slow.value, 'rate_per_s', slow.rate, 'decayed_mean_weight', slow.mean,
		'first_half', slow.first_half, 'second_half', slow.second_half);
END $$;
