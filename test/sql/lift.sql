-- moments(), compare(), lift(), lift_ratio(), lift_proportion(): what a user types and sees
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
CREATE SCHEMA lift;
SET search_path = lift, personalize;
SET extra_float_digits = -3;
\pset null '(null)'

-- two arms, what each spent, and what it had spent before
CREATE TABLE outcomes (unit int, arm text, spent numeric(8,2), before float8, clicks int, views int, bought boolean);
INSERT INTO outcomes VALUES
	(1, 'control', 10.00, 8, 1, 10, false), (2, 'control', 12.50, 11, 0, 12, false), (3, 'control', 9.00, 9, 2, 8, true),
	(4, 'control', 20.00, 17, 1, 20, true), (5, 'control', 11.50, 12, 1, 5, false),
	(6, 'treatment', 12.00, 8, 2, 9, true), (7, 'treatment', 15.00, 12, 3, 14, true), (8, 'treatment', 11.00, 9, 0, 10, false),
	(9, 'treatment', 22.00, 16, 4, 18, true), (10, 'treatment', 14.50, 13, 2, 6, true), (11, 'treatment', 13.00, 10, 1, 7, true),
	-- none of an arm, none with an outcome
	(12, NULL, 99.00, 9, 9, 9, true), (13, 'treatment', NULL, 9, NULL, 9, NULL);
\x
SELECT (lift(spent, arm = 'treatment')).* FROM outcomes;
SELECT (lift(spent::float8, arm = 'treatment', before)).* FROM outcomes;
SELECT (lift_ratio(clicks, views, arm = 'treatment')).* FROM outcomes;
SELECT (lift_ratio(spent, before, arm = 'treatment')).* FROM outcomes;
SELECT (lift_ratio(clicks, views, arm = 'treatment', before, views)).difference FROM outcomes;
SELECT (lift_proportion(bought, arm = 'treatment')).* FROM outcomes;
SELECT (moments_figures(moments(spent))).* FROM outcomes WHERE arm = 'control';
SELECT (moments_figures(moments(spent, before::numeric))).* FROM outcomes WHERE arm = 'control';

-- with options, from the aggregate's state or from the arms
SELECT (compare(lift_partial(spent, arm = 'treatment'), alpha => 0.1, alternative => 'greater')).* FROM outcomes;
SELECT (compare(moments(spent) FILTER (WHERE arm = 'control'), moments(spent) FILTER (WHERE arm = 'treatment'), alternative => 'less')).* FROM outcomes;
SELECT (compare(lift_partial(spent, arm = 'treatment'), always_valid => true, tuning => 12)).* FROM outcomes;
SELECT (compare(lift_partial(spent, arm = 'treatment'), always_valid => true, tuning => 12, alternative => 'greater')).p_value FROM outcomes;
SELECT (compare(lift_ratio_partial(clicks, views, arm = 'treatment'), alpha => 0.2)).p_value FROM outcomes;
SELECT (compare_ratio(moments(clicks, views) FILTER (WHERE arm = 'control'), moments(clicks, views) FILTER (WHERE arm = 'treatment'))).p_value FROM outcomes;
-- figures of another tool
SELECT (compare(moments_of(3407, 0.41, 15.2), moments_of(3461, 0.70, 38.4))).*;
SELECT (compare(moments_of_matrix(100, '{5,4}', '{{4,3},{3,4}}'), moments_of_matrix(100, '{6,4.1}', '{{4,3},{3,4}}'))).*;
-- an array whose null has been replaced keeps its bitmap of nulls
CREATE TABLE figures (means float8[]);
INSERT INTO figures VALUES ('{5,NULL}');
UPDATE figures SET means[2] = 4;
SELECT moments_of_matrix(100, means, '{{4,3},{3,4}}')::text = moments_of_matrix(100, '{5,4}', '{{4,3},{3,4}}')::text AS same FROM figures;
SELECT (compare_proportions(49, 1000, 71, 1010)).*;
SELECT (compare_proportions(5, 10, 9, 10, alpha => 0.1, alternative => 'greater')).*;
\x

-- parts, merged later
CREATE TABLE daily AS SELECT unit % 3 AS day, lift_partial(spent, arm = 'treatment', before::numeric) AS l, lift_ratio_partial(clicks, views, arm = 'treatment') AS r,
	lift_proportion_partial(bought, arm = 'treatment') AS p, moments_partial(spent) AS m FROM outcomes GROUP BY 1;
SELECT (lift_merge(l)).difference, (lift_ratio_merge(r)).difference AS ratio, (lift_proportion_merge(p)).difference AS share, (moments_figures(moments_merge(m))).mean FROM daily;
SELECT (lift(spent, arm = 'treatment', before::numeric)).difference, (lift_ratio(clicks, views, arm = 'treatment')).difference AS ratio, (lift_proportion(bought, arm = 'treatment')).difference AS share, avg(spent) FROM outcomes;

-- no rows: null
SELECT lift(spent, true), lift_ratio(clicks, views, true), lift_proportion(bought, true), moments(spent) FROM outcomes WHERE false;
SELECT lift_merge(NULL), lift_proportion_merge(NULL), moments_merge(NULL), compare(NULL::lift_state), moments_figures(NULL);
-- an arm without units, an arm of one, both of one, two of one and two of the other
SELECT lift(spent, true) FROM outcomes WHERE unit < 4;
SELECT lift(spent, arm = 'treatment') FROM outcomes WHERE unit < 7;
SELECT lift(spent, arm = 'treatment', before::numeric) FROM outcomes WHERE unit IN (1, 6);
SELECT compare(NULL, moments(spent)), compare(moments(spent), NULL), compare(NULL, NULL::moments) FROM outcomes WHERE unit < 4;
SELECT lift_proportion(bought, false) FROM outcomes WHERE unit < 4;
SELECT compare_proportions(0, 0, 1, 2);
-- nothing varies; nothing varies in one arm; the covariate does not
SELECT lift(5, unit > 3) FROM outcomes;
SELECT lift(CASE WHEN unit > 3 THEN spent ELSE 7 END, unit > 3) FROM outcomes WHERE unit < 7;
SELECT (lift(spent, arm = 'treatment', 3)).theta, (lift(spent, arm = 'treatment', 3)).p_value = (lift(spent, arm = 'treatment')).p_value AS same FROM outcomes;
-- a control of mean 0 has no relative difference, a denominator of 0 no ratio
SELECT (lift(x, x > 1)).difference, (lift(x, x > 1)).relative_difference FROM unnest('{-1,1,2,3}'::float8[]) x;
SELECT lift_ratio(x, 0, x > 1) FROM unnest('{-1,1,2,3}'::float8[]) x;
-- the difference is by the size of the control, whatever its sign
SELECT (lift(x, x > -2)).relative_difference, (lift(x, x > -2)).relative_ci_low FROM unnest('{-5,-3,-1,-2.5,1}'::float8[]) x;
-- nobody, everybody
SELECT (p).rate_control, (p).rate_control_high, (p).ci_low, (p).ci_high, (p).relative_ci_low, (p).z, (p).p_value, (p).yates_p_value, (p).fisher_p_value FROM compare_proportions(0, 50, 0, 60) p;
SELECT (p).rate_control_low, (p).ci_low, (p).ci_high, (p).p_value, (p).fisher_p_value FROM compare_proportions(50, 50, 0, 60) p;

-- more units than Fisher's test takes in any time
SELECT n, (p).p_value = 1 AS p_value, (p).fisher_p_value FROM unnest('{500000000000,500000000001,9000000000000000000}'::bigint[]) n, LATERAL (SELECT compare_proportions(n / 3, n, n / 3, n) AS p) c;

-- outcomes that cannot be
SELECT lift('NaN'::float8, true);
SELECT lift('NaN'::numeric, true);
SELECT lift(1, true, 'Infinity'::float8);
SELECT lift_ratio(1, '-Infinity'::float8, true);
SELECT moments(1, 'NaN'::float8);
SELECT moments('NaN'::float8);
SELECT lift(x, true) FROM unnest('{1e200,-1e200}'::float8[]) x;
SELECT moments_figures(moments(x)) FROM unnest('{1e308,-1e308}'::float8[]) x;

-- options that cannot be
SELECT compare(moments_of(9, 1, 1), moments_of(9, 1, 1), alpha => 0);
SELECT compare(moments_of(9, 1, 1), moments_of(9, 1, 1), alpha => 1);
SELECT compare(moments_of(9, 1, 1), moments_of(9, 1, 1), alpha => 'NaN');
SELECT compare(moments_of(9, 1, 1), moments_of(9, 1, 1), alpha => NULL);
SELECT compare(moments_of(9, 1, 1), moments_of(9, 1, 1), alternative => 'bigger');
SELECT compare(moments_of(9, 1, 1), moments_of(9, 1, 1), alternative => NULL);
SELECT compare(moments_of(9, 1, 1), moments_of(9, 1, 1), always_valid => NULL);
SELECT compare(moments_of(9, 1, 1), moments_of(9, 1, 1), always_valid => true, tuning => 0);
SELECT compare(moments_of(9, 1, 1), moments_of(9, 1, 1), always_valid => true, tuning => 'Infinity');
SELECT compare(lift_proportion_partial(bought, arm = 'treatment')) FROM outcomes;
SELECT compare(moments(spent), moments(spent, before::numeric)) FROM outcomes;
SELECT compare_ratio(moments(spent), moments(spent)) FROM outcomes;
SELECT compare(moments(1, 1, 1, 1), moments(1, 1, 1, 1)) FROM outcomes;
SELECT compare_proportions(-1, 10, 1, 10);
SELECT compare_proportions(11, 10, 1, 10);
SELECT compare_proportions(1, 10, 1, NULL);
SELECT compare_proportions(1, 10, 1, 10, alpha => 2);

-- figures that cannot be
SELECT moments_of(0, 1, 1);
SELECT moments_of(NULL, 1, 1);
SELECT moments_of(5, NULL, 1);
SELECT moments_of(5, 'NaN', 1);
SELECT moments_of(5, 1, -1);
SELECT moments_of_matrix(5, '{1,2,3}', '{{1,0,0},{0,1,0},{0,0,1}}');
SELECT moments_of_matrix(5, '{1,2}', '{{1,0}}');
SELECT moments_of_matrix(5, '{1,2}', '{{1,0,0,1}}');
SELECT moments_of_matrix(5, '{1,2}', '{{1,2},{3,1}}');
SELECT moments_of_matrix(5, '{1,2}', '{{1,0},{0,-1}}');
SELECT moments_of_matrix(5, '{1,NULL}', '{{1,0},{0,1}}');
SELECT moments_of_matrix(5, '{{1}}', '{{1}}');
SELECT moments_of_matrix(5, '{1,2}', NULL);

-- states that do not go together
SELECT lift_merge(s) FROM (SELECT lift_partial(spent, true) AS s FROM outcomes UNION ALL SELECT lift_partial(spent, true, before::numeric) FROM outcomes) x;
SELECT lift_merge(s) FROM (SELECT lift_partial(spent, true) AS s FROM outcomes UNION ALL SELECT lift_proportion_partial(bought, true) FROM outcomes) x;
SELECT lift_merge(lift_proportion_partial) FROM (SELECT lift_proportion_partial(bought, true) FROM outcomes) x;
SELECT lift_proportion_merge(lift_partial) FROM (SELECT lift_partial(spent, true) FROM outcomes) x;
SELECT moments_merge(m) FROM (SELECT moments(spent) AS m FROM outcomes UNION ALL SELECT moments(spent, spent) FROM outcomes) x;
-- more rows than can be counted
SELECT moments_merge(moments_of(9223372036854775807, 1, 1)) FROM generate_series(1, 2);
-- states as text: their form is fixed, so that what is stored can be read later
SELECT moments(x) FROM unnest('{1,2,4}'::float8[]) x;
SELECT lift_partial(x, x > 1) FROM unnest('{1,2,4}'::float8[]) x;
SELECT (moments_figures(moments(x)::text::moments)).* FROM unnest('{1,2,4}'::float8[]) x;
SELECT 'a5'::moments;
SELECT ''::lift_state;

-- are values of one sample larger?
SELECT (mann_whitney('{1,2,3,4}', '{3,5,6,NULL}')).*;
SELECT (mann_whitney('{2,2}', '{2,2,2}')).*, mann_whitney('{}', '{1}'), mann_whitney(NULL, '{1}');
SELECT mann_whitney('{1,NaN}', '{1}');

DROP SCHEMA lift CASCADE;
