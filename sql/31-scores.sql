/* Scores, segments and tiers of customers. */

/* Breaks: quantiles to score by. */

CREATE FUNCTION rfm_breaks_add(sample_state, float8, int) RETURNS sample_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_breaks_add';

COMMENT ON FUNCTION rfm_breaks_add(sample_state, float8, int) IS
'transition function of rfm_breaks; a null number is skipped';

CREATE FUNCTION rfm_breaks_add_state(sample_state, sample_state, int) RETURNS sample_state
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_breaks_merge';

COMMENT ON FUNCTION rfm_breaks_add_state(sample_state, sample_state, int) IS
'transition function of rfm_breaks_merge(state, k)';

CREATE FUNCTION rfm_breaks_result(sample_state) RETURNS float8[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'personalize_rfm_breaks_final';

COMMENT ON FUNCTION rfm_breaks_result(sample_state) IS 'final function of rfm_breaks';

CREATE AGGREGATE rfm_breaks(v float8, k int) (
	SFUNC = rfm_breaks_add,
	STYPE = sample_state,
	FINALFUNC = rfm_breaks_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = sample_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE rfm_breaks(float8, int) IS
'the k - 1 quantiles that cut the values into k parts, as percentile_cont has them: what rfm_score() scores by';

CREATE AGGREGATE rfm_breaks_partial(v float8, k int) (
	SFUNC = rfm_breaks_add,
	STYPE = sample_state,
	COMBINEFUNC = sample_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE rfm_breaks_partial(float8, int) IS
'a partial result of rfm_breaks, to be stored and merged';

CREATE AGGREGATE rfm_breaks_merge(state sample_state) (
	SFUNC = sample_state_combine,
	STYPE = sample_state,
	FINALFUNC = rfm_breaks_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = sample_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE rfm_breaks_merge(sample_state) IS
'rfm_breaks of all that partial results have seen';

CREATE AGGREGATE rfm_breaks_merge(state sample_state, k int) (
	SFUNC = rfm_breaks_add_state,
	STYPE = sample_state,
	FINALFUNC = rfm_breaks_result,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = sample_state_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE rfm_breaks_merge(sample_state, int) IS
'rfm_breaks of all that partial results have seen, with a k of its own';

/* Scores and tiers. */

CREATE FUNCTION rfm_score(v float8, breaks float8[], reverse boolean DEFAULT false) RETURNS int
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_score';

COMMENT ON FUNCTION rfm_score(float8, float8[], boolean) IS
'1 + the number of breaks below v; reversed, so that the lowest values score highest, as for recency';

CREATE FUNCTION rfm_ntile(v float8, k int, reverse boolean DEFAULT false, ties text DEFAULT 'quantile') RETURNS int
LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_ntile';

COMMENT ON FUNCTION rfm_ntile(float8, int, boolean, text) IS
'window function: score of v from 1 to k among all rows of the partition; ties is quantile (as rfm_score by rfm_breaks: equal values score equally, the lowest 1), ntile (parts of equal size, equal values in the order of the window), cume_dist or percent_rank';

CREATE FUNCTION value_tier(monetary float8, cuts float8[] DEFAULT '{0.8,0.95}') RETURNS text
LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_value_tier';

COMMENT ON FUNCTION value_tier(float8, float8[]) IS
'window function: A for the customers who bring the first 80 % of the partition''s revenue, B up to 95 %, C; a negative value counts as 0, equal values follow the order of the window';

CREATE FUNCTION engagement_level(activity float8, cuts float8[] DEFAULT '{0.5,2,8}') RETURNS text
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_engagement_level';

COMMENT ON FUNCTION engagement_level(float8, float8[]) IS
'dormant, low, medium or high: which of the cuts a decayed activity reaches';

/* Rule sets: segments by scores. */

CREATE TABLE rfm_rule (
	ruleset text NOT NULL CHECK (ruleset <> ''),
	priority int NOT NULL,
	segment text NOT NULL CHECK (segment <> ''),
	r_min smallint NOT NULL DEFAULT 1,
	r_max smallint NOT NULL DEFAULT 5,
	f_min smallint NOT NULL DEFAULT 1,
	f_max smallint NOT NULL DEFAULT 5,
	m_min smallint NOT NULL DEFAULT 1,
	m_max smallint NOT NULL DEFAULT 5,
	PRIMARY KEY (ruleset, priority),
	CONSTRAINT rfm_rule_r_check CHECK (r_min >= 1 AND r_min <= r_max AND r_max <= 100),
	CONSTRAINT rfm_rule_f_check CHECK (f_min >= 1 AND f_min <= f_max AND f_max <= 100),
	CONSTRAINT rfm_rule_m_check CHECK (m_min >= 1 AND m_min <= m_max AND m_max <= 100)
);

COMMENT ON TABLE rfm_rule IS
'rule sets of rfm_segment(): the first rule, by priority, whose bounds hold the scores names the segment';
COMMENT ON COLUMN rfm_rule.ruleset IS 'name of the set';
COMMENT ON COLUMN rfm_rule.priority IS 'the lowest number is tried first';
COMMENT ON COLUMN rfm_rule.segment IS 'what the segment is called';
COMMENT ON COLUMN rfm_rule.r_min IS 'lowest recency score';
COMMENT ON COLUMN rfm_rule.r_max IS 'highest recency score; scores of a set go from 1 to the highest bound of all its rules';
COMMENT ON COLUMN rfm_rule.f_min IS 'lowest frequency score';
COMMENT ON COLUMN rfm_rule.f_max IS 'highest frequency score';
COMMENT ON COLUMN rfm_rule.m_min IS 'lowest monetary score';
COMMENT ON COLUMN rfm_rule.m_max IS 'highest monetary score';

-- the 25 cells of recency and frequency, as many publications have them
INSERT INTO rfm_rule (ruleset, priority, segment, r_min, r_max, f_min, f_max) VALUES
	('rf25', 1, 'Champions', 5, 5, 4, 5),
	('rf25', 2, 'Loyal', 3, 4, 4, 5),
	('rf25', 3, 'Potential Loyalists', 4, 5, 2, 3),
	('rf25', 4, 'New', 5, 5, 1, 1),
	('rf25', 5, 'Promising', 4, 4, 1, 1),
	('rf25', 6, 'Need Attention', 3, 3, 3, 3),
	('rf25', 7, 'About To Sleep', 3, 3, 1, 2),
	('rf25', 8, 'Can''t Lose', 1, 2, 5, 5),
	('rf25', 9, 'At Risk', 1, 2, 3, 4),
	('rf25', 10, 'Hibernating', 1, 2, 1, 2);

-- intervals of all three scores, as in the R package rfm
INSERT INTO rfm_rule VALUES
	('rfm10', 1, 'Champions', 5, 5, 5, 5, 5, 5),
	('rfm10', 2, 'Potential Loyalist', 3, 5, 3, 5, 2, 5),
	('rfm10', 3, 'Loyal Customers', 2, 4, 2, 4, 2, 4),
	('rfm10', 4, 'Promising', 3, 4, 1, 3, 3, 5),
	('rfm10', 5, 'New Customers', 4, 5, 1, 3, 1, 5),
	('rfm10', 6, 'Can''t Lose Them', 1, 2, 3, 4, 4, 5),
	('rfm10', 7, 'At Risk', 1, 2, 2, 5, 4, 5),
	('rfm10', 8, 'Need Attention', 1, 3, 3, 5, 3, 5),
	('rfm10', 9, 'About To Sleep', 2, 3, 1, 3, 1, 4),
	('rfm10', 10, 'Lost', 1, 1, 1, 5, 1, 5),
	('rfm10', 11, 'Others', 1, 5, 1, 5, 1, 5);

GRANT SELECT ON rfm_rule TO PUBLIC;

-- the names of the sets above stand here and as arguments of the triggers
SELECT pg_catalog.pg_extension_config_dump('rfm_rule', 'WHERE ruleset NOT IN (''rf25'', ''rfm10'')');

CREATE FUNCTION rfm_rule_changed() RETURNS trigger
LANGUAGE C
AS 'MODULE_PATHNAME', 'personalize_rfm_rule_changed';

COMMENT ON FUNCTION rfm_rule_changed() IS
'trigger function of rfm_rule: warns of scores without a segment and of rules that never match';

CREATE TRIGGER inserted AFTER INSERT ON rfm_rule
REFERENCING NEW TABLE AS new_rules
FOR EACH STATEMENT EXECUTE FUNCTION rfm_rule_changed('rf25', 'rfm10');

CREATE TRIGGER updated AFTER UPDATE ON rfm_rule
REFERENCING OLD TABLE AS old_rules NEW TABLE AS new_rules
FOR EACH STATEMENT EXECUTE FUNCTION rfm_rule_changed('rf25', 'rfm10');

CREATE TRIGGER deleted AFTER DELETE ON rfm_rule
REFERENCING OLD TABLE AS old_rules
FOR EACH STATEMENT EXECUTE FUNCTION rfm_rule_changed('rf25', 'rfm10');

CREATE TRIGGER truncated BEFORE TRUNCATE ON rfm_rule
FOR EACH STATEMENT EXECUTE FUNCTION rfm_rule_changed('rf25', 'rfm10');

CREATE FUNCTION rfm_segment(r int, f int, m int, ruleset text DEFAULT 'rf25') RETURNS text
LANGUAGE C STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_rfm_segment';

COMMENT ON FUNCTION rfm_segment(int, int, int, text) IS
'the segment of a customer''s scores by a rule set; null if a score is null, or no rule matches';

CREATE FUNCTION rfm_segments(ruleset text DEFAULT 'rf25')
RETURNS TABLE (r int, f int, m int, segment text)
LANGUAGE C STABLE PARALLEL SAFE COST 100 ROWS 125
AS 'MODULE_PATHNAME', 'personalize_rfm_segments';

COMMENT ON FUNCTION rfm_segments(text) IS
'all scores of a rule set with their segments, to be joined with; segment is null where no rule matches';

CREATE FUNCTION rfm_ruleset_gaps(ruleset text)
RETURNS TABLE (r int, f int, m int)
LANGUAGE SQL STABLE PARALLEL SAFE COST 100 ROWS 10
BEGIN ATOMIC
	SELECT s.r, s.f, s.m FROM rfm_segments($1) s WHERE s.segment IS NULL;
END;

COMMENT ON FUNCTION rfm_ruleset_gaps(text) IS 'the scores for which a rule set has no segment';

/* Visitors by what they did. */

CREATE FUNCTION behaviour_class_add(int, text) RETURNS int
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_behaviour_class_add';

COMMENT ON FUNCTION behaviour_class_add(int, text) IS
'transition function of behaviour_class: the furthest step so far';

CREATE FUNCTION behaviour_class_add(int, text, text[]) RETURNS int
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_behaviour_class_add_named';

COMMENT ON FUNCTION behaviour_class_add(int, text, text[]) IS
'transition function of behaviour_class with event names';

CREATE FUNCTION behaviour_class_result(int) RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_behaviour_class_final';

COMMENT ON FUNCTION behaviour_class_result(int) IS 'final function of behaviour_class';

CREATE AGGREGATE behaviour_class(event text) (
	SFUNC = behaviour_class_add,
	STYPE = int,
	FINALFUNC = behaviour_class_result,
	COMBINEFUNC = int4larger,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE behaviour_class(text) IS
'purchaser, checkout_abandoner, cart_abandoner, searcher or browser, by the furthest of the events purchase, checkout_start, add_to_cart, search and view; null if there is none of them';

CREATE AGGREGATE behaviour_class(event text, names text[]) (
	SFUNC = behaviour_class_add,
	STYPE = int,
	FINALFUNC = behaviour_class_result,
	COMBINEFUNC = int4larger,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE behaviour_class(text, text[]) IS
'behaviour_class with five names of your own for the events view, search, add_to_cart, checkout_start and purchase';

CREATE AGGREGATE behaviour_class_partial(event text) (
	SFUNC = behaviour_class_add,
	STYPE = int,
	COMBINEFUNC = int4larger,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE behaviour_class_partial(text) IS
'a partial result of behaviour_class, to be stored and merged: the furthest step, 1 to 5';

CREATE AGGREGATE behaviour_class_partial(event text, names text[]) (
	SFUNC = behaviour_class_add,
	STYPE = int,
	COMBINEFUNC = int4larger,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE behaviour_class_partial(text, text[]) IS
'a partial result of behaviour_class with event names';

CREATE AGGREGATE behaviour_class_merge(state int) (
	SFUNC = int4larger,
	STYPE = int,
	FINALFUNC = behaviour_class_result,
	COMBINEFUNC = int4larger,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE behaviour_class_merge(int) IS
'behaviour_class of all that partial results have seen';

/* What the segments are worth. */

CREATE FUNCTION segment_report(query text)
RETURNS TABLE (
	segment text,
	customers bigint,
	share float8,
	revenue float8,
	revenue_share float8,
	average_order_value float8,
	frequency float8,
	lifetime_value float8)
LANGUAGE C VOLATILE COST 100000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_segment_report';

COMMENT ON FUNCTION segment_report(text) IS
'size, revenue, order value, orders a customer and mean lifetime value of each segment; the query returns one row a customer: segment, orders, monetary and, if wanted, lifetime_value';
