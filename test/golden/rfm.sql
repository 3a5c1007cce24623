/* rfm.json: recency, frequency and monetary value of customers, their scores, segments and tiers. */

/*
 * {dataset, as_of}: the three measures of each customer.  place is the rank by customer,
 * which decides between equals where a method asks for it: shorter ids first, so that
 * numbers come in their order.
 */
CREATE FUNCTION runner.rfm_base(input jsonb)
RETURNS TABLE (customer text, recency float8, frequency float8, monetary float8, place bigint)
LANGUAGE sql AS $$
	SELECT c.customer, (c.s).since_last, (c.s).orders, (c.s).monetary, row_number() OVER (ORDER BY length(c.customer), c.customer)
	FROM (SELECT o.customer, rfm(o.at, o.amount, (input ->> 'as_of')::timestamptz) AS s
		FROM runner.orders(input ->> 'dataset') o GROUP BY o.customer) c
	WHERE (c.s).orders > 0;
$$;

/*
 * How a method scores one of the measures R, F and M: the tie rule of rfm_ntile().  A
 * method of the notebooks, "pandas qcut(R) + qcut(rank(first) of F, …)", names its measures
 * one by one, and may cut the ranks instead of the values.
 */
CREATE FUNCTION runner.scoring(method text, measure text, OUT ties text, OUT by_rank boolean)
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	ties := CASE
		WHEN method ~ '^(quantile|pandas qcut)' THEN 'quantile'
		WHEN method ~ '^ntile' THEN 'ntile'
		WHEN method ~ '^cume_dist' THEN 'cume_dist'
		WHEN method ~ '^percent_rank' THEN 'percent_rank' END;
	IF ties IS NULL THEN
		RAISE 'the method "%" is not known', method;
	END IF;
	by_rank := method ~ ('\mqcut\(\s*rank\(first\)\s+of\s+' || measure || '\M');
END $$;

/* Every customer's scores. */
CREATE FUNCTION runner.rfm_scores(input jsonb, method text, k int)
RETURNS TABLE (customer text, recency float8, frequency float8, monetary float8, r int, f int, m int)
LANGUAGE plpgsql AS $$
DECLARE
	scoring_r record := runner.scoring(method, 'R');
	scoring_f record := runner.scoring(method, 'F');
	scoring_m record := runner.scoring(method, 'M');
BEGIN
	RETURN QUERY
		SELECT b.customer, b.recency, b.frequency, b.monetary,
			rfm_ntile(CASE WHEN scoring_r.by_rank THEN b.rank_r ELSE b.recency END, k, true, scoring_r.ties) OVER w,
			rfm_ntile(CASE WHEN scoring_f.by_rank THEN b.rank_f ELSE b.frequency END, k, false, scoring_f.ties) OVER w,
			rfm_ntile(CASE WHEN scoring_m.by_rank THEN b.rank_m ELSE b.monetary END, k, false, scoring_m.ties) OVER w
		FROM (SELECT x.*, row_number() OVER (ORDER BY x.recency, x.place) AS rank_r,
				row_number() OVER (ORDER BY x.frequency, x.place) AS rank_f,
				row_number() OVER (ORDER BY x.monetary, x.place) AS rank_m
			FROM runner.rfm_base(input) x) b
		WINDOW w AS (ORDER BY b.place);
END $$;

/* {"1": …, …, "k": …}: how many have each score */
CREATE FUNCTION runner.score_counts(scores int[], k int) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_object_agg(score, (SELECT count(*) FROM unnest(scores) s WHERE s = score)) FROM generate_series(1, k) score;
$$;

/* {dataset, as_of} */
CREATE FUNCTION golden.rfm_base(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('customers', count(*), 'orders', sum(frequency), 'recency_sum', sum(recency),
		'frequency_sum', sum(frequency), 'monetary_sum', sum(monetary), 'max_recency', max(recency),
		'max_frequency', max(frequency), 'max_monetary', max(monetary))
	FROM runner.rfm_base(input);
$$;

/* {method, k} */
CREATE FUNCTION golden.score_counts(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('r', runner.score_counts(array_agg(r), (input ->> 'k')::int),
		'f', runner.score_counts(array_agg(f), (input ->> 'k')::int), 'm', runner.score_counts(array_agg(m), (input ->> 'k')::int))
	FROM runner.rfm_scores(input, input ->> 'method', (input ->> 'k')::int);
$$;

/* {k} */
CREATE FUNCTION golden.quantile_breaks(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('r', rfm_breaks(recency, (input ->> 'k')::int), 'f', rfm_breaks(frequency, (input ->> 'k')::int),
		'm', rfm_breaks(monetary, (input ->> 'k')::int))
	FROM runner.rfm_base(input);
$$;

/* {thresholds: {r, f, m}} */
CREATE FUNCTION golden.fixed_threshold_counts(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object(
		'r', runner.score_counts(array_agg(rfm_score(recency, t.r, true)), cardinality(t.r) + 1),
		'f', runner.score_counts(array_agg(rfm_score(frequency, t.f)), cardinality(t.f) + 1),
		'm', runner.score_counts(array_agg(rfm_score(monetary, t.m)), cardinality(t.m) + 1))
	FROM runner.rfm_base(input), (SELECT runner.numbers(input #> '{thresholds,r}') AS r,
		runner.numbers(input #> '{thresholds,f}') AS f, runner.numbers(input #> '{thresholds,m}') AS m) t
	GROUP BY t.r, t.f, t.m;
$$;

/*
 * {customer_id [, k]}: the measures; by each method the three scores under the method's
 * name, and the standard segment as "segment25_" and that name, also without its last word
 * (cume_dist_ceil, cume_dist).
 */
CREATE FUNCTION golden.customer_scores(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	method text;
	answer jsonb := '{}';
	c record;
BEGIN
	FOREACH method IN ARRAY '{quantile_cut,ntile_tiebreak_id,cume_dist_ceil,percent_rank_floor}'::text[] LOOP
		SELECT s.*, rfm_segment(s.r, s.f, s.m) AS segment INTO STRICT c
			FROM runner.rfm_scores(input, method, coalesce((input ->> 'k')::int, 5)) s WHERE s.customer = input ->> 'customer_id';
		answer := answer || jsonb_build_object('recency', c.recency, 'frequency', c.frequency, 'monetary', c.monetary,
			method, jsonb_build_array(c.r, c.f, c.m), 'segment25_' || method, c.segment,
			'segment25_' || regexp_replace(method, '_[a-z]+(_id)?$', ''), c.segment);
	END LOOP;
	RETURN answer;
END $$;

/* Customers and revenue of each segment; every name that the rule set has is there. */
CREATE FUNCTION runner.segment_counts(input jsonb, rules text, others text)
RETURNS TABLE (segment text, customers bigint, revenue float8)
LANGUAGE sql AS $$
	SELECT n.name, count(s.customer), coalesce(sum(s.monetary), 0)
	FROM (SELECT DISTINCT u.segment AS name FROM rfm_rule u WHERE u.ruleset = rules UNION SELECT others WHERE others IS NOT NULL) n
		LEFT JOIN (SELECT x.*, coalesce(rfm_segment(x.r, x.f, x.m, rules), others) AS segment
			FROM runner.rfm_scores(input, input ->> 'method', coalesce((input ->> 'k')::int, 5)) x) s ON s.segment = n.name
	GROUP BY n.name;
$$;

/*
 * {method [, k] [, map: [[pattern, segment], …]]}.  The patterns are regular expressions
 * for the digits R and F; the first that matches wins.  They become a rule set, one rule a
 * cell.  Without a map it is the standard rule set, and only counts are asked for.
 */
CREATE FUNCTION golden.segment25(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	k int := coalesce((input ->> 'k')::int, 5);
BEGIN
	IF NOT input ? 'map' THEN
		RETURN (SELECT jsonb_object_agg(segment, customers) FROM runner.segment_counts(input, 'rf25', NULL));
	END IF;
	DELETE FROM rfm_rule WHERE ruleset = 'golden';
	INSERT INTO rfm_rule (ruleset, priority, segment, r_min, r_max, f_min, f_max)
		SELECT DISTINCT ON (r, f) 'golden', r * 100 + f, rule ->> 1, r, r, f, f
		FROM generate_series(1, k) r, generate_series(1, k) f, jsonb_array_elements(input -> 'map') WITH ORDINALITY u(rule, n)
		WHERE r::text || f ~ ('^(?:' || (rule ->> 0) || ')$')
		ORDER BY r, f, n;
	RETURN (SELECT jsonb_object_agg(segment, jsonb_build_object('count', customers, 'revenue', revenue))
		FROM runner.segment_counts(input, 'golden', NULL));
END $$;

/*
 * {method, k, names, intervals: {rl, ru, fl, fu, ml, mu}, rule: "… none -> Others"}: the
 * first whose bounds hold all three scores.
 */
CREATE FUNCTION golden.segment_intervals(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM rfm_rule WHERE ruleset = 'golden';
	INSERT INTO rfm_rule (ruleset, priority, segment, r_min, r_max, f_min, f_max, m_min, m_max)
		SELECT 'golden', n, name, (i -> 'rl' ->> n - 1)::int, (i -> 'ru' ->> n - 1)::int, (i -> 'fl' ->> n - 1)::int,
			(i -> 'fu' ->> n - 1)::int, (i -> 'ml' ->> n - 1)::int, (i -> 'mu' ->> n - 1)::int
		FROM (SELECT input -> 'intervals' AS i) x, jsonb_array_elements_text(input -> 'names') WITH ORDINALITY u(name, ordinal),
			LATERAL (SELECT ordinal::int AS n) y;
	RETURN (SELECT jsonb_object_agg(segment, customers)
		FROM runner.segment_counts(input, 'golden', coalesce(substring(input ->> 'rule' FROM 'none -> ([[:alnum:] ]+)'), 'Others')));
END $$;

/*
 * {cuts}: how many are in each tier, concentration of revenue, and the share of the best
 * fifth of customers, rounded up to whole ones, which is plain SQL.
 */
CREATE FUNCTION golden.value_tiers_pareto(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	WITH tiered AS (
		SELECT monetary, value_tier(monetary, runner.numbers(input -> 'cuts')) OVER (ORDER BY place) AS tier,
			row_number() OVER (ORDER BY monetary DESC) <= ceil(count(*) OVER () * 0.2) AS top
		FROM runner.rfm_base(input))
	SELECT (SELECT jsonb_object_agg(chr(64 + i), (SELECT count(*) FROM tiered WHERE tier = chr(64 + i)))
			FROM generate_series(1, jsonb_array_length(input -> 'cuts') + 1) i)
		|| jsonb_build_object('top20pct_revenue_share', sum(monetary) FILTER (WHERE top) / sum(monetary), 'gini', gini(monetary))
	FROM tiered;
$$;
