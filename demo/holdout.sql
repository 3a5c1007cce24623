-- How much people are worth to recommend(): everything until 30 days before the
-- data end makes the indexes, and what was bought since is to be guessed.
--
--   psql -X -q -f demo/holdout.sql -c 'TABLE recall_by_subject'
--
-- It needs the shop of shop.sql and leaves temporary tables: the tour and
-- bench/persons read them.
--
-- Each order of the 30 days is a visit.  A visit gets the 20 products that
-- recommend() has for whoever the shop takes the visitor for at that moment; wanted
-- are the products of the order that its customer never bought before.  Recall@20 is
-- the part of them among the 20, averaged over visits.  Nothing of the time after a
-- visit tells who it was.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET timezone = 'UTC';
SET jit = off;
CREATE EXTENSION IF NOT EXISTS personalize;
SET search_path = shop, personalize;
SELECT anchor - interval '30 days' AS split FROM about \gset
\o /dev/null

BEGIN;
CREATE TEMPORARY TABLE past_log AS SELECT * FROM web_log WHERE at < :'split';
CREATE INDEX ON past_log (cookie, at);
ANALYZE past_log;

-- People, as the tour makes them, from the past alone
SELECT drop_identity_graph(graph) FROM identity_graphs WHERE graph = 'demo_holdout';
SELECT create_identity_graph('demo_holdout');
SELECT set_identifier_type('demo_holdout', 'customer', max_per_person => 1);
SELECT set_identifier_type('demo_holdout', 'email', max_per_person => NULL, normal_form => 'email');
SELECT set_identifier_type('demo_holdout', 'cookie', max_per_person => NULL);
SELECT set_link_rule('demo_holdout', 'account', priority => 10);
SELECT set_link_rule('demo_holdout', 'login', priority => 20);
SELECT set_link_rule('demo_holdout', 'newsletter', priority => 30);
CREATE TEMPORARY VIEW past_evidence AS
    SELECT 'customer' AS type_a, id::text AS value_a, 'email' AS type_b, email AS value_b, 'account' AS rule, joined_at AS at
    FROM customers WHERE joined_at < :'split'
    UNION ALL
    SELECT 'cookie', cookie, 'customer', customer_id::text, 'login', at FROM past_log WHERE event = 'login'
    UNION ALL
    SELECT 'cookie', cookie, 'email', email, 'newsletter', at FROM past_log WHERE event = 'newsletter'
    UNION ALL
    SELECT DISTINCT 'cookie', cookie, NULL, NULL, NULL, NULL::timestamptz FROM past_log;
SELECT link('demo_holdout', 'SELECT * FROM past_evidence');
CREATE TEMPORARY TABLE past_shared AS
SELECT DISTINCT CASE 'cookie' WHEN type_a THEN value_a WHEN type_b THEN value_b END AS cookie
FROM identity_edge WHERE graph = 'demo_holdout' AND status = 'rejected';
ANALYZE past_shared;

CREATE TEMPORARY TABLE account_person AS
SELECT id AS customer_id, person_of('demo_holdout', 'customer', id::text) AS person FROM customers;

-- The same evidence without limits: whatever hangs together is one
CREATE TEMPORARY TABLE component AS
SELECT node, canonical
FROM stitch($$SELECT type_a || ' ' || value_a, type_b || ' ' || lower(value_b) FROM past_evidence$$, NULL::text);
ANALYZE component;

-- What each kind of subject bought
CREATE TEMPORARY TABLE past_cookie AS
SELECT cookie AS subject, product_id, at
FROM past_log WHERE event = 'purchase';
CREATE TEMPORARY TABLE past_login AS
SELECT customer_id AS subject, product_id, at
FROM past_log WHERE event = 'purchase' AND customer_id IS NOT NULL;
CREATE TEMPORARY TABLE past_component AS
SELECT canonical AS subject, product_id, at
FROM past_log JOIN component ON node = coalesce('customer ' || customer_id, 'cookie ' || cookie) WHERE event = 'purchase';
CREATE TEMPORARY TABLE past_person AS
WITH guess AS (
    SELECT DISTINCT device, at, person
    FROM assign_sessions('SELECT cookie AS device, at, customer_id AS person FROM past_log JOIN past_shared USING (cookie)')
    WHERE assigned_by IN ('forward', 'back')
)
SELECT CASE WHEN l.customer_id IS NOT NULL THEN person_of('demo_holdout', 'customer', l.customer_id::text)
            WHEN s.cookie IS NULL THEN person_of('demo_holdout', 'cookie', l.cookie)
            ELSE person_of('demo_holdout', 'customer', g.person) END AS subject, product_id, l.at, order_id
FROM past_log l
LEFT JOIN past_shared s USING (cookie)
LEFT JOIN guess g ON g.device = l.cookie AND g.at = l.at AND l.customer_id IS NULL
WHERE event = 'purchase';
CREATE TEMPORARY TABLE past_truth AS
SELECT customer_id AS subject, product_id, ordered_at AS at FROM purchases WHERE ordered_at < :'split';
CREATE INDEX ON past_truth (subject, product_id);
CREATE INDEX past_cookie_similarity ON past_cookie USING similarity (subject, product_id) INCLUDE (at);
CREATE INDEX past_login_similarity ON past_login USING similarity (subject, product_id) INCLUDE (at);
CREATE INDEX past_component_similarity ON past_component USING similarity (subject, product_id) INCLUDE (at);
CREATE INDEX past_person_similarity ON past_person USING similarity (subject, product_id) INCLUDE (at);
CREATE INDEX past_truth_similarity ON past_truth USING similarity (subject, product_id) INCLUDE (at);
ANALYZE past_cookie, past_login, past_component, past_person, past_truth;

-- The visits, and whom the shop takes the visitor for
CREATE TEMPORARY TABLE visit AS
WITH wanted AS (
    SELECT l.order_id, l.at, l.cookie, l.customer_id AS login, p.customer_id AS truth, array_agg(l.product_id) AS wanted
    FROM web_log l JOIN purchases p USING (order_id, product_id)
    WHERE l.at >= :'split' AND l.event = 'purchase'
      AND NOT EXISTS (SELECT FROM past_truth t WHERE t.subject = p.customer_id AND t.product_id = l.product_id)
    GROUP BY 1, 2, 3, 4, 5
), guess AS (
    -- at a visit its future is not known: forward => '0'
    SELECT DISTINCT device, at, person
    FROM assign_sessions('SELECT cookie AS device, at, customer_id AS person FROM web_log JOIN past_shared USING (cookie)',
                         forward => '0')
    WHERE assigned_by = 'back'
)
SELECT w.*, c.canonical AS component,
       CASE WHEN w.login IS NOT NULL THEN person_of('demo_holdout', 'customer', w.login::text)
            WHEN s.cookie IS NULL THEN person_of('demo_holdout', 'cookie', w.cookie)
            ELSE person_of('demo_holdout', 'customer', g.person) END AS person
FROM wanted w
LEFT JOIN past_shared s USING (cookie)
LEFT JOIN guess g ON g.device = w.cookie AND g.at = w.at AND w.login IS NULL
LEFT JOIN component c ON c.node = coalesce('customer ' || w.login, 'cookie ' || w.cookie);
ANALYZE visit;

CREATE TEMPORARY TABLE visit_list AS
SELECT 1 AS n, order_id, r.item
FROM visit, recommend('past_cookie', cookie, item_type => NULL::int, k => 20) AS r
UNION ALL
SELECT 2, order_id, r.item
FROM visit, recommend('past_login', login, item_type => NULL::int, k => 20) AS r
UNION ALL
SELECT 3, order_id, r.item
FROM visit, recommend('past_component', component, item_type => NULL::int, k => 20) AS r
UNION ALL
SELECT 4, order_id, r.item
FROM visit, recommend('past_person', person, item_type => NULL::int, k => 20) AS r
UNION ALL
SELECT 5, order_id, r.item
FROM visit, recommend('past_truth', truth, item_type => NULL::int, k => 20) AS r;

CREATE TEMPORARY TABLE visit_recall AS
SELECT n, order_id, login IS NOT NULL AS logged_in,
       count(*) FILTER (WHERE item = ANY (wanted))::float8 / cardinality(wanted) AS recall
FROM visit_list JOIN visit USING (order_id) GROUP BY n, order_id, login, wanted;

CREATE TEMPORARY TABLE recall_by_subject AS
SELECT CASE n WHEN 1 THEN 'cookies' WHEN 2 THEN 'logins' WHEN 3 THEN 'components'
              WHEN 4 THEN 'people' ELSE 'people, if all were known' END AS subjects,
       avg(recall) FILTER (WHERE NOT logged_in) AS guests, avg(recall) FILTER (WHERE logged_in) AS logged_in,
       avg(recall) AS recall, n
FROM visit_recall GROUP BY n;
SELECT drop_identity_graph('demo_holdout');
COMMIT;
\o
