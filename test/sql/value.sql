-- Models of purchases and spending: predictions, lifetime value, special functions
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = public, personalize;
SET extra_float_digits = -5;

-- what an error says: its state, message, detail and hint
CREATE FUNCTION value_refusal(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	EXECUTE query;
	RETURN NEXT 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN NEXT state || ': ' || message;
	IF detail <> '' THEN RETURN NEXT 'DETAIL: ' || detail; END IF;
	IF hint <> '' THEN RETURN NEXT 'HINT: ' || hint; END IF;
END $$;

-- Published parameters: CDNOW in weeks, and donors
SELECT * FROM purchase_model('bgnbd', .243, 4.414, .793, 2.426);
SELECT * FROM purchase_model('pareto_nbd', VARIADIC '{.553, 10.578, .606, 11.669}');
SELECT * FROM spend_model(6.25, 3.74, 15.44);
SELECT purchase_model(NULL, 1, 2, 3, 4), purchase_model('bgnbd', VARIADIC NULL), spend_model(1, NULL, 3);
CREATE TABLE models AS
SELECT * FROM (VALUES (1, purchase_model('bgnbd', .243, 4.414, .793, 2.426)), (2, purchase_model('mbgnbd', .5248, 6.183, .8914, 1.614)),
	(3, purchase_model('pareto_nbd', .553, 10.578, .606, 11.669)), (4, purchase_model('bgbb', 1.204, .75, .657, 2.783))) v(id, m);
CREATE TABLE spend AS SELECT spend_model(6.25, 3.74, 15.44) AS s;

-- New customers
SELECT (m).model, h AS horizon, expected_purchases(m, h), purchase_pmf(m, 0, h) AS none, purchase_pmf(m, 3, h) AS three FROM models, (VALUES (1), (52)) v(h) ORDER BY id, h;

-- Customers
CREATE TABLE shoppers (name text, frequency int, recency float8, tenure float8, mean_value float8);
INSERT INTO shoppers VALUES ('new', 0, 0, 1, 0), ('once', 0, 0, 39, 0), ('regular', 6, 36, 39, 25.5), ('gone', 6, 8, 39, 25.5), ('fan', 30, 39, 39, 12), ('unknown', NULL, NULL, NULL, NULL);
SELECT name, (m).model, log_likelihood(m, frequency, recency, tenure), p_alive(m, frequency, recency, tenure), conditional_expected_purchases(m, frequency, recency, tenure, 52) AS next_year
FROM shoppers, models ORDER BY shoppers.ctid, id;
SELECT name, expected_spend(s, frequency, mean_value), log_likelihood(s, frequency, mean_value), customer_lifetime_value(m, s, frequency, recency, tenure, mean_value, period => 4.345) AS a_year,
	customer_lifetime_value(m, s, frequency, recency, tenure, mean_value, period => 4.345, months => 36, discount => 0.02, margin => 0.4) AS margin_of_three
FROM shoppers, models, spend WHERE id = 1 ORDER BY shoppers.ctid;
SELECT name, pareto_nbd_dert(m, frequency, recency, tenure, discount => ln(1.15) / 52) FROM shoppers, models WHERE id = 3 ORDER BY shoppers.ctid;
SELECT name, bgbb_p_alive(m, frequency, recency, tenure, ahead => 0) AS last, bgbb_p_alive(m, frequency, recency, tenure) AS next, bgbb_p_alive(m, frequency, recency, tenure, ahead => 10) AS later
FROM shoppers, models WHERE id = 4 ORDER BY shoppers.ctid;

-- as rfm() describes them
CREATE TABLE summaries AS SELECT name, jsonb_populate_record(NULL::rfm_summary, to_jsonb(shoppers)) AS customer FROM shoppers;
SELECT name, log_likelihood(m, customer), p_alive(m, customer), conditional_expected_purchases(m, customer, 52) AS next_year, expected_spend(s, customer), customer_lifetime_value(m, s, customer, 4.345) AS a_year
FROM summaries, models, spend WHERE id = 1 ORDER BY summaries.ctid;
SELECT name, pareto_nbd_dert(m, customer, ln(1.15) / 52) FROM summaries, models WHERE id = 3 ORDER BY summaries.ctid;

-- Models that cannot be
SELECT value_refusal($$ SELECT purchase_model('bg/nbd', 1, 2, 3, 4) $$);
SELECT value_refusal($$ SELECT purchase_model('bgnbd', 1, 2, 3) $$);
SELECT value_refusal($$ SELECT purchase_model('bgbb', VARIADIC '{}') $$);
SELECT value_refusal($$ SELECT purchase_model('bgbb', VARIADIC '{{1,2},{3,4}}') $$);
SELECT value_refusal($$ SELECT purchase_model('pareto_nbd', 1, 2, NULL, 4) $$);
SELECT value_refusal($$ SELECT purchase_model('mbgnbd', 1, 2, 0, 4) $$);
SELECT value_refusal($$ SELECT purchase_model('bgnbd', 1, 2, 3, 'NaN') $$);
SELECT value_refusal($$ SELECT spend_model(1, 'Infinity', 2) $$);

-- Fits that failed, and those that are none
SELECT value_refusal($$ SELECT p_alive(ROW('bgnbd', NULL, NULL, NULL, 7, 0, false, 'too few customers')::purchase_fit, 1, 1, 2) $$);
SELECT value_refusal($$ SELECT expected_spend(ROW(NULL, NULL, NULL, 7, 0, false, NULL)::spend_fit, 1, 1) $$);
SELECT value_refusal($$ SELECT p_alive(ROW(NULL, '{1,2,3,4}', NULL, NULL, NULL, NULL, true, NULL)::purchase_fit, 1, 1, 2) $$);
SELECT value_refusal($$ SELECT p_alive(ROW('best', '{1,2,3,4}', NULL, NULL, NULL, NULL, true, NULL)::purchase_fit, 1, 1, 2) $$);
SELECT value_refusal($$ SELECT p_alive(ROW('bgnbd', '{1,2}', NULL, NULL, NULL, NULL, true, NULL)::purchase_fit, 1, 1, 2) $$);

-- Customers that cannot be
SELECT value_refusal(format('SELECT p_alive(m, %s) FROM models WHERE id = %s', customer, id))
FROM (VALUES (1, '2.5, 3, 4'), (1, '-1, 3, 4'), (2, $$'NaN', 3, 4$$), (2, '2, -3, 4'), (3, $$2, 3, 'Infinity'$$), (3, '2, 5, 4'), (1, '0, 1, 4'), (4, '2, 2.5, 4'), (4, '2, 3, 4.5'), (4, '3, 2, 4'), (4, '3, 4, 2000000')) v(id, customer);
SELECT value_refusal($$ SELECT expected_spend(s, -1, 20) FROM spend $$);
SELECT value_refusal($$ SELECT expected_spend(s, 2, -20) FROM spend $$);
SELECT value_refusal($$ SELECT log_likelihood(s, 2, 'NaN') FROM spend $$);

-- Questions that cannot be
SELECT value_refusal($$ SELECT expected_purchases(m, -1) FROM models WHERE id = 1 $$);
SELECT value_refusal($$ SELECT conditional_expected_purchases(m, 2, 3, 4, 'NaN') FROM models WHERE id = 2 $$);
SELECT value_refusal($$ SELECT purchase_pmf(m, 2, 6.5) FROM models WHERE id = 4 $$);
SELECT value_refusal($$ SELECT expected_purchases(m, 1e7) FROM models WHERE id = 4 $$);
SELECT value_refusal($$ SELECT bgbb_p_alive(m, 2, 3, 4) FROM models WHERE id = 1 $$);
SELECT value_refusal($$ SELECT bgbb_p_alive(m, 2, 3, 4, -1) FROM models WHERE id = 4 $$);
SELECT value_refusal($$ SELECT pareto_nbd_dert(m, 2, 3, 4, 0.01) FROM models WHERE id = 1 $$);
SELECT value_refusal($$ SELECT pareto_nbd_dert(m, 2, 3, 4, 0) FROM models WHERE id = 3 $$);
SELECT value_refusal(format('SELECT customer_lifetime_value(m, s, 2, 3, 4, 20, %s) FROM models, spend WHERE id = %s', options, id))
FROM (VALUES (1, '0'), (1, $$'Infinity'$$), (1, '30, -1'), (1, '30, 1201'), (1, '30, 12, -1'), (1, $$30, 12, 'NaN'$$), (1, $$30, 12, 0.01, 'Infinity'$$), (1, $$1e300, 1200, 0.01$$), (4, '4.345'), (1, '1e308')) v(id, options);

-- Special functions
SELECT exp(log_hyp2f1(1, 1, 2, 0.5)) AS ln_4, exp(log_hyp2f1(0.5, 0.5, 1.5, 0.25)) AS pi_by_3, log_hyp2f1(300, 200, 450, 0.9999), exp(log_hyperu(1, 1, 1)) AS gompertz, log_hyperu(0.5, -3, 1000);
SELECT value_refusal($$ SELECT log_hyp2f1(-1, 1, 2, 0.5) $$);
SELECT value_refusal($$ SELECT log_hyp2f1(1, 1, 2, 1) $$);
SELECT value_refusal($$ SELECT log_hyp2f1(3, 2, 1, -1) $$);
SELECT value_refusal($$ SELECT log_hyperu(1, 'NaN', 2) $$);
SELECT value_refusal($$ SELECT log_hyperu(1, 1, 0) $$);

DROP TABLE models, spend, shoppers, summaries;
DROP FUNCTION value_refusal;
