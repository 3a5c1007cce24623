/*
 * clv_*.json: models of purchases and of spend, fitted and applied.
 *
 * The names of these cases are a model and a quantity: bgnbd_ll, mbgnbd_p_alive.
 * runner.purchase_quantity and runner.spend_quantity answer for all of them; what makes the
 * functions of the golden schema stands at the end.
 */

/* A model by any of the names it goes by: pnbd, Pareto/NBD, pareto_nbd. */
CREATE FUNCTION runner.model_name(name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	bare text := regexp_replace(lower(name), '[^a-z]', '', 'g');
	found text := CASE
		WHEN bare IN ('bgnbd', 'betageo') THEN 'bgnbd'
		WHEN bare IN ('mbgnbd', 'modifiedbetageo') THEN 'mbgnbd'
		WHEN bare IN ('pnbd', 'paretonbd') THEN 'pareto_nbd'
		WHEN bare IN ('bgbb', 'betageobetabinom') THEN 'bgbb' END;
BEGIN
	IF found IS NULL THEN
		RAISE 'the model "%" is not known', name;
	END IF;
	RETURN found;
END $$;

/* What a model's parameters are called, in order. */
CREATE FUNCTION runner.param_names(model text) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN (CASE model WHEN 'pareto_nbd' THEN '{r,alpha,s,beta}' WHEN 'bgbb' THEN '{alpha,beta,gamma,delta}'
	WHEN 'gamma_gamma' THEN '{p,q,v}' ELSE '{r,alpha,a,b}' END)::text[];

/* Parameters, as a list or by their names. */
CREATE FUNCTION runner.params(model text, params jsonb) RETURNS float8[]
LANGUAGE sql IMMUTABLE
RETURN CASE jsonb_typeof(params) WHEN 'object' THEN
		array(SELECT (params ->> n)::float8 FROM unnest(runner.param_names(model)) WITH ORDINALITY u(n, i) ORDER BY i)
	ELSE runner.numbers(params) END;

CREATE FUNCTION runner.named_params(model text, params float8[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN (SELECT jsonb_object_agg(n, p) FROM unnest(runner.param_names(model), params) u(n, p));

CREATE FUNCTION runner.purchase_model_of(model text, params jsonb) RETURNS purchase_fit
LANGUAGE sql AS $$ SELECT purchase_model(model, VARIADIC runner.params(model, params)) $$;

CREATE FUNCTION runner.spend_model_of(params jsonb) RETURNS spend_fit
LANGUAGE sql AS $$
	SELECT spend_model(p[1], p[2], p[3]) FROM (SELECT runner.params('gamma_gamma', params) AS p) x;
$$;

/* The last day of calibration that a case names: cal_end, or "cal end 1997-09-30" beside the data set's name. */
CREATE FUNCTION runner.calibration_end(input jsonb) RETURNS date
LANGUAGE sql IMMUTABLE
RETURN coalesce(input ->> 'cal_end', substring(input ->> 'dataset' FROM '\mcal(?:ibration)?[ _]end\s*[:=]?\s*(\d{4}-\d\d-\d\d)'))::date;

/* Days in the unit of time that is meant; weeks if nothing is said, as clv_bgnbd.json has it. */
CREATE FUNCTION runner.days_a_unit(words text) RETURNS float8
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN words ~ '\mweek' THEN 7 WHEN words ~ '\mmonth' THEN 365.25 / 12 WHEN words ~ '\mdays?\M' THEN 1 ELSE 7 END;

/*
 * {dataset [, cal_end]}: x, t_x, T and mean value of each customer.  Of a summary they are
 * columns; of a log of purchases rfm() makes them, by days, up to the end of the last day
 * of calibration: purchases of a day are one, and whoever came later is not there yet.
 */
CREATE FUNCTION runner.customers(input jsonb)
RETURNS TABLE (customer text, frequency float8, recency float8, tenure float8, mean_value float8, weight float8)
LANGUAGE plpgsql AS $$
DECLARE
	source regclass := runner.table_of(input ->> 'dataset');
	t text := runner.column_of(source, 't', 'tenure', 'periods', 'n');
	until date := runner.calibration_end(input);
	unit float8 := runner.days_a_unit(input ->> 'dataset');
BEGIN
	IF t IS NOT NULL THEN
		RETURN QUERY EXECUTE format('SELECT %s::text, %s::float8, %s::float8, %s::float8, %s::float8, %s::float8 FROM %s',
			coalesce(runner.column_of(source, 'customer_id', 'id'), 'NULL'), runner.needed_column(source, 'frequency', 'x'),
			runner.needed_column(source, 'recency', 't_x'), t, coalesce(runner.column_of(source, 'monetary_value', 'mean_value', 'm'), 'NULL'),
			coalesce(runner.column_of(source, 'weights', 'weight', 'customers'), '1'), source);
		RETURN;
	END IF;
	RETURN QUERY
		SELECT c.customer, (c.s).frequency::float8, (c.s).recency / unit, (c.s).tenure / unit, (c.s).mean_value, 1::float8
		FROM (SELECT o.customer, rfm(o.at, o.amount, coalesce(until + 1 - interval '1 microsecond',
				(SELECT max(l.at) FROM runner.orders(input ->> 'dataset') l))) AS s
			FROM runner.orders(input ->> 'dataset') o GROUP BY o.customer) c
		WHERE (c.s).orders > 0;
END $$;

CREATE FUNCTION runner.fit_purchases(model text, input jsonb) RETURNS purchase_fit
LANGUAGE plpgsql AS $$
DECLARE
	fit purchase_fit;
BEGIN
	EXECUTE format('SELECT (f).* FROM (SELECT personalize.%I(frequency, recency, tenure, weight) AS f FROM runner.customers($1)) x',
		model || '_fit') INTO fit USING input;
	RETURN fit;
END $$;

/* A fit: it must have the likelihood that it says. */
CREATE FUNCTION runner.purchase_fit_answer(model text, input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	fit purchase_fit := runner.fit_purchases(model, input);
	summed float8 := (SELECT sum(weight * log_likelihood(fit, frequency, recency, tenure)) FROM runner.customers(input));
BEGIN
	IF (abs(summed - fit.log_likelihood) <= 1e-9 * abs(summed)) IS NOT TRUE THEN
		RAISE 'a fit of log-likelihood %, where the customers have %: %', fit.log_likelihood, summed, fit;
	END IF;
	RETURN jsonb_build_object('params', runner.named_params(model, fit.params), 'll', fit.log_likelihood,
		'standard_errors', runner.named_params(model, fit.standard_errors));
END $$;

/*
 * {dataset, cal_end, t_star_weeks, params: "fitted" or a list}: what is expected of each
 * customer after calibration, against the days on which he did buy.
 */
CREATE FUNCTION runner.holdout_answer(model text, input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	horizon float8 := coalesce((input ->> 't_star_weeks')::float8 * 7, (input ->> 't_star_days')::float8,
		(input ->> 't_star')::float8 * runner.days_a_unit(input ->> 'dataset'));
	fit purchase_fit := CASE WHEN jsonb_typeof(input -> 'params') IN ('array', 'object')
		THEN runner.purchase_model_of(model, input -> 'params') ELSE runner.fit_purchases(model, input) END;
	until date := runner.calibration_end(input);
BEGIN
	RETURN (
		WITH actual AS (
			SELECT customer, count(DISTINCT at::date) AS n FROM runner.orders(input ->> 'dataset')
			WHERE at::date > until AND at::date <= until + horizon * interval '1 day' GROUP BY customer),
		guess AS (
			SELECT conditional_expected_purchases(fit, c.frequency, c.recency, c.tenure,
				horizon / runner.days_a_unit(input ->> 'dataset')) AS expected, coalesce(a.n, 0)::float8 AS actual
			FROM runner.customers(input) c LEFT JOIN actual a USING (customer))
		SELECT jsonb_build_object('sum_expected', sum(expected), 'sum_actual', sum(actual), 'mae', avg(abs(expected - actual)),
			'rmse', sqrt(avg((expected - actual) ^ 2)), 'corr', corr(expected, actual)) FROM guess);
END $$;

/*
 * {params, x, t_x, T (bgbb: n), t, n, m, d}: a quantity of a model and a customer.  x, t_x
 * and T are what the customer did, t is the time ahead; bgbb counts opportunities, n so far
 * and m ahead.
 */
CREATE FUNCTION runner.purchase_quantity(model text, quantity text, input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	fit purchase_fit := runner.purchase_model_of(model, input -> 'params');
	x float8 := (input ->> 'x')::float8;
	t_x float8 := (input ->> 't_x')::float8;
	tenure float8 := coalesce(input ->> 'T', input ->> 'n')::float8;
	ahead float8 := coalesce(input ->> 't', input ->> 'm')::float8;
	answer float8;
BEGIN
	CASE quantity
		WHEN 'll' THEN
			answer := log_likelihood(fit, x, t_x, tenure);
		WHEN 'p_alive' THEN
			IF model = 'bgbb' AND input ? 'm' THEN
				answer := bgbb_p_alive(fit, x, t_x, tenure, (input ->> 'm')::int);
			ELSE
				answer := p_alive(fit, x, t_x, tenure);
			END IF;
		WHEN 'expected_purchases' THEN
			answer := expected_purchases(fit, ahead);
		WHEN 'cond_expected_purchases' THEN
			answer := conditional_expected_purchases(fit, x, t_x, tenure, ahead);
		WHEN 'cond_expected_total' THEN
			SELECT sum(weight * conditional_expected_purchases(fit, frequency, recency, c.tenure, ahead)) INTO answer
				FROM runner.customers(input) c;
		WHEN 'pmf' THEN
			answer := purchase_pmf(fit, (input ->> 'n')::int, ahead);
		WHEN 'dert' THEN
			answer := pareto_nbd_dert(fit, x, t_x, tenure, (input ->> 'd')::float8);
	END CASE;
	RETURN to_jsonb(answer);
END $$;

/*
 * The same where a case gives what a paper printed.  Papers print their estimates rounded,
 * but computed their figures with the estimates themselves: with r = .243, alpha = 4.414,
 * a = .793 and b = 2.426, E[X(32)] is 1.0452, not the 1.0437 of Hardie's spreadsheet.
 * These models' papers all estimate from the CDNOW sample.  So if our own fit of it is,
 * rounded to as many digits, what the case gives, the fit is what the paper used; if not,
 * the parameters are taken as they are.
 */
CREATE FUNCTION runner.published_quantity(model text, quantity text, input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	cdnow jsonb := jsonb_build_object('dataset', 'data/cdnow_sample.csv', 'cal_end', '1997-09-30');
	fitted float8[];
BEGIN
	IF model IN ('bgnbd', 'mbgnbd', 'pareto_nbd') THEN
		SELECT (runner.fit_purchases(model, cdnow)).params INTO fitted;
		IF (SELECT bool_and(round(f::numeric, scale(p::numeric)) = p::numeric)
			FROM unnest(fitted, array(SELECT jsonb_array_elements_text(input -> 'params'))) u(f, p)) THEN
			input := input || jsonb_build_object('params', to_jsonb(fitted));
		END IF;
	END IF;
	RETURN runner.purchase_quantity(model, quantity, input);
END $$;

/*
 * The functions of the purchase models, of which a case may ask by several names: what
 * stands behind a quantity ("published", "stress") tells where its numbers come from.
 */
DO $$
DECLARE
	model text;
	quantity text;
	name text;
BEGIN
	FOREACH model IN ARRAY '{bgnbd,mbgnbd,pnbd,pareto_nbd,bgbb}'::text[] LOOP
		FOR quantity, name IN VALUES ('ll', 'll'), ('ll', 'll_alpha_lt_beta'), ('p_alive', 'p_alive'), ('p_alive', 'p_alive_stress'),
				('expected_purchases', 'expected_purchases'), ('expected_purchases', 'expected_purchases_published'),
				('expected_purchases', 'expected'), ('cond_expected_purchases', 'cond_expected_purchases'),
				('cond_expected_purchases', 'cond_expected'), ('cond_expected_total', 'cond_expected_total'),
				('pmf', 'pmf'), ('dert', 'dert') LOOP
			EXECUTE format('CREATE FUNCTION golden.%I(input jsonb) RETURNS jsonb LANGUAGE sql AS %L', model || '_' || name,
				format('SELECT runner.%I(%L, %L, input)', CASE WHEN name ~ '_published$' THEN 'published_quantity' ELSE 'purchase_quantity' END,
					runner.model_name(model), quantity));
		END LOOP;
		EXECUTE format('CREATE FUNCTION golden.%I(input jsonb) RETURNS jsonb LANGUAGE sql AS %L', model || '_fit',
			format('SELECT runner.purchase_fit_answer(%L, input)', runner.model_name(model)));
		EXECUTE format('CREATE FUNCTION golden.%I(input jsonb) RETURNS jsonb LANGUAGE sql AS %L', model || '_holdout',
			format('SELECT runner.holdout_answer(%L, input)', runner.model_name(model)));
	END LOOP;
END $$;

/* {params, x, m} */
CREATE FUNCTION golden.gg_ll(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT to_jsonb(log_likelihood(runner.spend_model_of(input -> 'params'), (input ->> 'x')::float8, (input ->> 'm')::float8));
$$;

CREATE FUNCTION golden.gg_expected_spend(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT to_jsonb(expected_spend(runner.spend_model_of(input -> 'params'), (input ->> 'x')::float8, (input ->> 'm')::float8));
$$;

CREATE FUNCTION golden.gg_expected_spend_published(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$ SELECT golden.gg_expected_spend(input) $$;

/* {dataset}; who bought once or for nothing, gamma_gamma_fit() leaves out by itself. */
CREATE FUNCTION golden.gg_fit(input jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	fit spend_fit;
	summed float8;
BEGIN
	fit := (SELECT gamma_gamma_fit(frequency, mean_value, weight) FROM runner.customers(input));
	SELECT sum(weight * log_likelihood(fit, frequency, mean_value)) INTO summed FROM runner.customers(input)
		WHERE frequency > 0 AND mean_value > 0;
	IF (abs(summed - fit.log_likelihood) <= 1e-9 * abs(summed)) IS NOT TRUE THEN
		RAISE 'a fit of log-likelihood %, where the customers have %: %', fit.log_likelihood, summed, fit;
	END IF;
	RETURN jsonb_build_object('params', runner.named_params('gamma_gamma', fit.params), 'll', fit.log_likelihood);
END $$;

/* {model, params, gg_params, x, t_x, T, m [, months] [, monthly_discount] [, periods_per_month] [, margin]} */
CREATE FUNCTION golden.clv_discounted(input jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT to_jsonb(customer_lifetime_value(runner.purchase_model_of(model, input -> 'params'),
		runner.spend_model_of(input -> 'gg_params'), (input ->> 'x')::float8, (input ->> 't_x')::float8,
		coalesce(input ->> 'T', input ->> 'n')::float8, (input ->> 'm')::float8,
		period => coalesce((input ->> 'periods_per_month')::float8, 4.345), months => coalesce((input ->> 'months')::int, 12),
		discount => coalesce((input ->> 'monthly_discount')::float8, 0.01), margin => coalesce((input ->> 'margin')::float8, 1)))
	FROM (SELECT runner.model_name(input ->> 'model') AS model) x;
$$;
