-- The tour through the demo shop of shop.sql.  demo/run shows it; by hand:
--
--   psql -X -q -f demo/tour.sql
--
-- A statement between :show and :hide is printed as it is run; the others only
-- choose the examples.  The shop must be new: the tour makes its indexes.

\set ON_ERROR_STOP on
\if :{?bold} \else \set bold '' \endif
\if :{?code} \else \set code '' \endif
\if :{?plain} \else \set plain '' \endif
\set show '\\echo \\echo -n :code \\set ECHO queries'
\set hide '\\set ECHO none \\echo -n :plain'
-- an almost empty title parts a statement from its result, and ends its colour
\set title :plain' '
\pset title :title
\pset footer off
\pset null '-'
\pset pager off
\pset linestyle ascii
\pset border 1
SET client_min_messages = warning;
SET timezone = 'UTC';
SET search_path = shop;
SELECT anchor, (SELECT max(id) FROM customers) AS customers FROM about \gset


\echo
\echo :bold'1. An outdoor shop':plain
\echo
\echo 'Eighteen months of made-up orders. Every customer has one or two tastes, such'
\echo 'as climbing or family camping, but what follows reads none of the columns that'
\echo 'would say so: only who bought what, and when.'
:show
SELECT (SELECT count(*) FROM customers) AS customers,
       (SELECT count(*) FROM products) AS products,
       (SELECT count(*) FROM orders) AS orders,
       count(*) AS purchases,
       min(ordered_at)::date AS first, max(ordered_at)::date AS last
FROM purchases;
:hide


\echo
\echo :bold'2. One index':plain
\echo
\echo 'An index on who, what and when learns what belongs together. It is an index'
\echo 'like any other: it follows every INSERT and DELETE, and is replicated, backed'
\echo 'up and recovered with the database.'
:show
CREATE EXTENSION IF NOT EXISTS personalize;
SET search_path = shop, personalize;
:hide
\timing on
:show
CREATE INDEX purchases_similarity ON purchases
    USING similarity (customer_id, product_id) INCLUDE (ordered_at);
:hide
\timing off
:show
SELECT pg_size_pretty(pg_relation_size('purchases')) AS "table",
       pg_size_pretty(pg_relation_size('purchases_similarity')) AS "index",
       subjects, items, interactions, trained_at::timestamp(0)
FROM similarity_stats('purchases');
:hide


-- A climber who has bought about ten things, nearly all for climbing, but none
-- in the last weeks.
SELECT c.id AS customer, c.name AS customer_name
FROM customers c
JOIN customer_tastes ct ON ct.customer_id = c.id AND ct.main AND ct.taste = 'climber'
JOIN purchases b ON b.customer_id = c.id
LEFT JOIN product_tastes pt ON pt.product_id = b.product_id AND pt.taste = 'climber'
WHERE NOT EXISTS (SELECT FROM customer_tastes x WHERE x.customer_id = c.id AND NOT x.main)
GROUP BY c.id
ORDER BY avg(coalesce(pt.affinity, 0)) - 0.12 * abs(count(DISTINCT b.product_id) - 10)
         - 0.5 * (max(b.ordered_at) > :'anchor'::timestamptz - interval '20 days')::int DESC, c.id
LIMIT 1 \gset

\echo
\echo :bold'3. Recommended for you':plain
\echo
\echo 'What' :customer_name', customer' :customer', has bought lately:'
:show
SELECT b.ordered_at::date AS ordered, p.name, p.category
FROM purchases b JOIN products p ON p.id = b.product_id
WHERE b.customer_id = :customer
ORDER BY b.ordered_at DESC, p.id LIMIT 6;
:hide
\echo 'And what to offer next. "because" is the purchase that speaks most for it.'
:show
SELECT r.score::numeric(6,3), p.name, p.category, h.name AS because, r.reason
FROM recommend('purchases', :customer, item_type => NULL::int, k => 8) AS r
JOIN products p ON p.id = r.item
LEFT JOIN products h ON h.id = r.because
ORDER BY r.reason DESC, r.score DESC;
:hide


SELECT p.id AS liked, p.name AS liked_name
FROM purchases b JOIN products p ON p.id = b.product_id
WHERE p.category = 'climbing'
GROUP BY p.id ORDER BY count(*) DESC, p.id LIMIT 1 \gset

\echo
\echo :bold'4. Customers who bought this also bought':plain
\echo
\echo 'For the page of product' :liked',' :liked_name'. "support" is the number of'
\echo 'customers who bought both.'
:show
SELECT s.score::numeric(6,3), s.support, p.name, p.category
FROM similar_items('purchases', :liked, item_type => NULL::int, k => 6) AS s
JOIN products p ON p.id = s.item
ORDER BY s.score DESC;
:hide


SELECT p.id AS tent, p.name AS tent_name
FROM order_items i JOIN products p ON p.id = i.product_id
WHERE p.name LIKE '%family tent' OR p.name LIKE '%2-person tent'
GROUP BY p.id ORDER BY count(*) DESC, p.id LIMIT 1 \gset

\echo
\echo :bold'5. Bought together':plain
\echo
\echo 'Who and what can be anything. With orders in the place of customers the index'
\echo 'learns what goes into one basket.'
\timing on
:show
CREATE INDEX order_items_similarity ON order_items
    USING similarity (order_id, product_id);
:hide
\timing off
\echo
\echo 'In the basket lies product' :tent',' :tent_name'. Anything forgotten?'
:show
SELECT s.score::numeric(6,3), s.support, p.name, p.category
FROM similar_items('order_items', :tent, item_type => NULL::int, k => 5) AS s
JOIN products p ON p.id = s.item
ORDER BY s.score DESC;
:hide


\echo
\echo :bold'6. Trending':plain
\echo
\echo 'What sells now: a purchase counts half after a week, a quarter after two. "recent"'
\echo 'are the purchases of the last seven days, "before" those of the seven before.'
:show
SELECT t.score::numeric(8,1), t.recent, t.before, p.name, p.category
FROM trending('purchases', item_type => NULL::int, k => 8, as_of => :'anchor') AS t
JOIN products p ON p.id = t.item
ORDER BY t.score DESC;
:hide


SELECT max(f.id) FILTER (WHERE f.kind = 'fly rod') AS rod,
       max(f.id) FILTER (WHERE f.kind = 'fly reel') AS reel,
       max(f.id) FILTER (WHERE f.kind = 'fly line') AS line,
       (SELECT max(id) + 1 FROM orders) AS new_order
FROM (SELECT DISTINCT ON (k.kind) p.id, k.kind
      FROM (VALUES ('fly rod'), ('fly reel'), ('fly line')) AS k(kind)
      JOIN products p ON p.name LIKE '%' || k.kind
      JOIN purchases b ON b.product_id = p.id
      GROUP BY p.id, k.kind ORDER BY k.kind, count(*) DESC, p.id) AS f \gset
CREATE TEMPORARY TABLE a_moment_ago AS
SELECT * FROM recommend('purchases', :customer, item_type => NULL::int, k => 50, half_life => '30 days')
     WITH ORDINALITY AS r (item, score, because, reason, place);

\echo
\echo :bold'7. A purchase counts at once':plain
\echo
\echo :customer_name' takes up fishing and buys a fly rod, a reel and a line.'
:show
INSERT INTO purchases (customer_id, product_id, order_id, ordered_at)
SELECT :customer, unnest(ARRAY[:rod, :reel, :line]), :new_order, :'anchor';
:hide
\echo
\echo 'The next call knows. With half_life, what was bought 30 days before the latest'
\echo 'purchase counts half. "was" is the place among the 50 best of a moment ago.'
:show
SELECT r.place, f.place AS was, p.name, p.category, h.name AS because
FROM recommend('purchases', :customer, item_type => NULL::int, k => 8, half_life => '30 days')
     WITH ORDINALITY AS r (item, score, because, reason, place)
JOIN products p ON p.id = r.item
LEFT JOIN products h ON h.id = r.because
LEFT JOIN a_moment_ago AS f ON f.item = r.item
ORDER BY r.place;
:hide


\echo
\echo :bold'8. So does a deletion':plain
\echo
\echo 'The order is sent back, and every trace of it is gone from the answer.'
:show
DELETE FROM purchases WHERE customer_id = :customer AND order_id = :new_order;
:hide
:show
SELECT r.place, f.place AS was, p.name, p.category, h.name AS because
FROM recommend('purchases', :customer, item_type => NULL::int, k => 5, half_life => '30 days')
     WITH ORDINALITY AS r (item, score, because, reason, place)
JOIN products p ON p.id = r.item
LEFT JOIN products h ON h.id = r.because
LEFT JOIN a_moment_ago AS f ON f.item = r.item
ORDER BY r.place;
:hide


-- A visitor who looked at a few things that share a taste.
SELECT s.id AS visit, s.device
FROM sessions s
JOIN session_views v ON v.session_id = s.id
LEFT JOIN product_tastes pt ON pt.product_id = v.product_id AND pt.taste = 'camper'
WHERE s.customer_id IS NULL
GROUP BY s.id
ORDER BY least(count(*), 4) * sum(coalesce(pt.affinity, -0.5)) / count(*) DESC, s.id DESC
LIMIT 1 \gset

\echo
\echo :bold'9. Nobody has logged in':plain
\echo
\echo 'A visitor on a' :device 'has looked at these, the last one last:'
:show
SELECT v.viewed_at::timestamp, p.name, p.category
FROM session_views v JOIN products p ON p.id = v.product_id
WHERE v.session_id = :visit
ORDER BY v.viewed_at;
:hide
\echo 'A list of items serves as well as a customer: a visit, a basket, a wish list.'
:show
SELECT r.score::numeric(6,3), p.name, p.category, h.name AS because
FROM recommend_from('purchases',
         ARRAY(SELECT product_id FROM session_views
               WHERE session_id = :visit ORDER BY viewed_at),
         item_type => NULL::int, k => 5) AS r
JOIN products p ON p.id = r.item
LEFT JOIN products h ON h.id = r.because
ORDER BY r.reason DESC, r.score DESC;
:hide


\echo
\echo :bold'10. Only what may be offered':plain
\echo
\echo 'Jackets in stock below 300 for' :customer_name'. The filter comes before the'
\echo 'choice of the best, so there are as many as there can be.'
:show
SELECT r.score::numeric(6,3), p.name, p.price, h.name AS because, r.reason
FROM recommend('purchases', :customer, item_type => NULL::int, k => 4,
         among => ARRAY(SELECT id FROM products
                        WHERE category = 'jackets' AND in_stock AND price < 300)) AS r
JOIN products p ON p.id = r.item
LEFT JOIN products h ON h.id = r.because
ORDER BY r.reason DESC, r.score DESC;
:hide


\echo
\echo :bold'11. What it is, and why':plain
\echo
\echo 'For a product that is new no purchase speaks yet. What it is does: with tags in the'
\echo 'place of customers, an index learns what is alike.'
:show
CREATE MATERIALIZED VIEW product_tags AS
SELECT id AS product_id, tag
FROM products, unnest(string_to_array(lower(name), ' ')
         || ARRAY['category ' || category, 'price ' || width_bucket(price, ARRAY[25, 60, 150, 350])]) AS tag;
CREATE INDEX product_tags_similarity ON product_tags USING similarity (tag, product_id);
CREATE INDEX session_views_similarity ON session_views
    USING similarity (session_id, product_id) INCLUDE (viewed_at);
:hide
\echo 'One list for' :customer_name 'of three: bought by the same people, looked at'
\echo 'together, alike. Places count, not scores; "sources" are the lists that have it.'
:show
CREATE TEMPORARY TABLE offer AS
SELECT b.*
FROM (SELECT array_agg(DISTINCT product_id) AS items FROM purchases WHERE customer_id = :customer) AS had,
     blend(ARRAY[
         item_list('bought', ARRAY(SELECT item FROM recommend('purchases', :customer, k => 50))),
         item_list('viewed', ARRAY(SELECT item FROM recommend_from('session_views', had.items, k => 50)
                                   WHERE reason = 'similar'), 0.5),
         item_list('alike', ARRAY(SELECT item FROM recommend_from('product_tags', had.items, k => 50)
                                  WHERE reason = 'similar'), 0.5)],
         item_type => NULL::int, k => 6) WITH ORDINALITY AS b (item, score, sources, place);
SELECT o.place, p.name, p.category, o.sources FROM offer o JOIN products p ON p.id = o.item ORDER BY o.place;
:hide
\echo 'Why the first of them? What each purchase adds to its score, the most first:'
:show
SELECT e.contribution::numeric(6,3), e.similarity::numeric(6,3), h.name AS because, e.at::date AS bought
FROM offer o, explain_recommendation('purchases', :customer, o.item, item_type => NULL::int) AS e
JOIN products h ON h.id = e.because
WHERE o.place = 1
ORDER BY e.contribution DESC LIMIT 4;
:hide


SELECT least(500, :customers) AS sampled \gset
\echo
\echo :bold'12. Is it any good?':plain
\echo
\echo 'This shop is made up, so the truth is known: the tables customer_tastes and'
\echo 'product_tastes, which no index has seen. Ten products are offered to each of' :sampled
\echo 'customers, but nothing that is for everyone, such as sun cream. How many are to'
\echo 'their taste?'
:show
WITH sample AS (
    SELECT id FROM customers ORDER BY chance('sample', id) LIMIT :sampled
), bestsellers AS (
    SELECT product_id, count(*) AS sold
    FROM purchases JOIN (SELECT DISTINCT product_id FROM product_tastes) AS t USING (product_id)
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 300
), offered AS (
    SELECT 'recommend()' AS list, s.id AS customer_id, r.item AS product_id
    FROM sample s,
         recommend('purchases', s.id, item_type => NULL::int, k => 10,
                   among => ARRAY(SELECT product_id FROM product_tastes)) AS r
    UNION ALL
    SELECT 'bestsellers not bought yet', s.id, b.product_id
    FROM sample s,
         LATERAL (SELECT product_id FROM bestsellers
                  WHERE product_id NOT IN (SELECT product_id FROM purchases
                                           WHERE customer_id = s.id)
                  ORDER BY sold DESC, product_id LIMIT 10) AS b
)
SELECT list, round(100 * avg((EXISTS (
           SELECT FROM customer_tastes c JOIN product_tastes p USING (taste)
           WHERE c.customer_id = o.customer_id AND p.product_id = o.product_id))::int), 1)
       AS "to their taste, %",
       count(DISTINCT product_id) AS "different products"
FROM offered o GROUP BY list ORDER BY 2 DESC;
:hide


\echo
\echo :bold'13. Who are the customers?':plain
\echo
\echo 'One aggregate reads the orders of a customer; scores, segments and the expected'
\echo 'value of the next twelve months are functions of what it returns.'
:show
CREATE MATERIALIZED VIEW customer_rfm AS
SELECT customer_id, (r).*
FROM (SELECT o.customer_id, rfm(o.ordered_at, v.amount, a.anchor) AS r
      FROM orders o
      JOIN (SELECT order_id, sum(quantity * price) AS amount
            FROM order_items GROUP BY order_id) v ON v.order_id = o.id,
           about a
      GROUP BY o.customer_id) AS s;
CREATE MATERIALIZED VIEW value_models AS
SELECT fit_best(frequency, recency, tenure) AS purchases,
       gamma_gamma_fit(frequency, mean_value) AS spending
FROM customer_rfm;
CREATE MATERIALIZED VIEW customer_segments AS
SELECT c.*, segment,
       p_alive(purchases, frequency, recency, tenure) AS p_alive,
       customer_lifetime_value(purchases, spending, frequency, recency, tenure,
                               mean_value, period => 30.4) AS lifetime_value
FROM (SELECT *, rfm_ntile(since_last, 5, true) OVER () AS r, rfm_ntile(orders, 5) OVER () AS f,
             rfm_ntile(monetary, 5) OVER () AS m
      FROM customer_rfm) AS c
JOIN rfm_segments() USING (r, f, m), value_models;
:hide
\echo 'A report of the segments, as a merchandiser reads it:'
:show
SELECT segment, customers, round(100 * revenue_share) AS "revenue, %",
       round(average_order_value) AS "order value", round(frequency::numeric, 1) AS orders,
       round(lifetime_value) AS "next 12 months"
FROM segment_report('SELECT segment, orders, monetary, lifetime_value FROM customer_segments');
:hide
\echo 'Worth much, and probably gone: whom to write to first.'
:show
SELECT name, orders, round(monetary) AS spent, last_at::date AS last_order,
       round(p_alive::numeric, 2) AS "P(alive)"
FROM customer_segments JOIN customers ON customers.id = customer_id
WHERE p_alive < 0.5 AND orders >= 4 ORDER BY monetary DESC LIMIT 5;
:hide
\echo 'This shop is made up, so we know who has left. Was the model right?'
:show
SELECT width_bucket(p_alive, ARRAY[0.25, 0.5, 0.75]) + 1 AS quarter,
       round(avg(p_alive)::numeric, 2) AS "P(alive)",
       round(avg((left_at IS NULL)::int), 2) AS "still here", count(*) AS customers
FROM customer_segments LEFT JOIN departures USING (customer_id)
GROUP BY quarter ORDER BY quarter;
:hide


\echo
\echo :bold'14. And fast?':plain
\echo
\echo 'A thousand calls, for one customer after the other:'
SELECT clock_timestamp() AS started \gset
:show
SELECT count(*) AS items
FROM generate_series(1, 1000) AS n,
     recommend('purchases', 1 + n % :customers, item_type => NULL::int, k => 10) AS r;
:hide
SELECT extract(epoch FROM clock_timestamp() - :'started') * 1000 AS per_call \gset
\echo 'Plain SQL on the same table, which only counts who bought the same, ten times.'
\echo '(bench/README.md has a faster opponent: SQL over a table of neighbours made before.)'
SELECT clock_timestamp() AS started \gset
:show
SELECT count(*) AS items
FROM generate_series(1, 10) AS n,
     LATERAL (SELECT theirs.product_id
              FROM purchases mine
              JOIN purchases same USING (product_id)
              JOIN purchases theirs ON theirs.customer_id = same.customer_id
              WHERE mine.customer_id = 1 + n % :customers
                AND NOT EXISTS (SELECT FROM purchases had
                                WHERE had.customer_id = mine.customer_id
                                  AND had.product_id = theirs.product_id)
              GROUP BY 1 ORDER BY count(*) DESC LIMIT 10) AS r;
:hide
SELECT extract(epoch FROM clock_timestamp() - :'started') * 100000 AS per_query \gset
\echo 'In microseconds a customer:'
\echo
\pset title
SELECT round(:per_call) AS "recommend()", round(:per_query) AS "plain SQL",
       round(:per_query / :per_call) AS "times";
\pset title :title
\echo 'One call reads a list of neighbours for each thing bought: no join, no sort.'
:show
EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF)
SELECT * FROM recommend('purchases', :customer, item_type => NULL::int, k => 10);
:hide


-- The graph of an earlier tour, whose shop is gone
\o /dev/null
SELECT drop_identity_graph(graph) FROM identity_graphs WHERE graph = 'demo_shop';
\o

\echo
\echo :bold'15. From cookies to people':plain
\echo
\echo 'So far each purchase came with its customer. A web server sees less: cookies, and a'
\echo 'customer only while somebody is logged in. The table web_log has the same purchases'
\echo 'as it saw them, the logins, and clicks on links in the newsletter, which carry an'
\echo 'address.'
:show
SELECT event, count(*) AS events, count(DISTINCT cookie) AS cookies,
       count(customer_id) AS "with a customer"
FROM web_log GROUP BY event ORDER BY event;
:hide
\echo 'Most customers have several devices, and some households share a tablet. An identity'
\echo 'graph collects what is evidence that two identifiers are one person''s. One limit'
\echo 'protects it: nobody has two customer accounts. Where evidence contradicts evidence,'
\echo 'the rule of the lower priority number wins.'
\o /dev/null
:show
SELECT create_identity_graph('demo_shop');
SELECT set_identifier_type('demo_shop', 'customer', max_per_person => 1),
       set_identifier_type('demo_shop', 'email', max_per_person => NULL, normal_form => 'email'),
       set_identifier_type('demo_shop', 'cookie', max_per_person => NULL);
SELECT set_link_rule('demo_shop', 'account', priority => 10),
       set_link_rule('demo_shop', 'login', priority => 20),
       set_link_rule('demo_shop', 'newsletter', priority => 30);
\o
:hide
\echo
\echo 'Evidence comes in bulk from a query. The last part names the cookies about which'
\echo 'nothing is known, so that each is a person of its own.'
\timing on
:show
SELECT links, accepted, rejected, identifiers FROM link('demo_shop', $$
    SELECT 'customer' AS type_a, id::text AS value_a, 'email' AS type_b, email AS value_b,
           'account' AS rule, joined_at AS at
    FROM customers
    UNION ALL
    SELECT 'cookie', cookie, 'customer', customer_id::text, 'login', at
    FROM web_log WHERE event = 'login'
    UNION ALL
    SELECT 'cookie', cookie, 'email', email, 'newsletter', at
    FROM web_log WHERE event = 'newsletter'
    UNION ALL
    SELECT 'cookie', cookie, NULL, NULL, NULL, NULL
    FROM cookies $$);
:hide
\timing off

-- A shared tablet, of two customers if there is one, and eight events in a row there
-- among which each answer of assign_sessions() occurs.
CREATE TEMPORARY TABLE tablet_events AS
SELECT a.*, users, row_number() OVER (PARTITION BY device ORDER BY at) AS n
FROM assign_sessions('SELECT DISTINCT cookie AS device, at, customer_id AS person FROM web_log') AS a
JOIN (SELECT cookie AS device, count(*) AS users FROM cookie_users GROUP BY cookie) AS u USING (device)
WHERE device IN (SELECT CASE 'cookie' WHEN type_a THEN value_a ELSE value_b END
                 FROM identity_edge WHERE graph = 'demo_shop' AND rule = 'login' AND status = 'rejected');
SELECT e.device AS tablet, e.at AS tablet_from
FROM tablet_events e
JOIN tablet_events f ON f.device = e.device AND f.n BETWEEN e.n AND e.n + 7
GROUP BY e.device, e.at, e.users
ORDER BY e.users, count(DISTINCT coalesce(f.assigned_by, 'nobody')) DESC, least(count(DISTINCT f.person), 2) DESC,
         abs(6 - count(f.person)), count(*) DESC, max(f.at) - min(f.at), 1, 2
LIMIT 1 \gset
SELECT min(customer) FILTER (WHERE status = 'accepted') AS owner,
       min(customer) FILTER (WHERE status = 'rejected') AS other,
       'customer ' || min(customer) FILTER (WHERE status = 'accepted') AS owner_title,
       'customer ' || min(customer) FILTER (WHERE status = 'rejected') AS other_title
FROM (SELECT status, CASE 'customer' WHEN type_a THEN value_a WHEN type_b THEN value_b END AS customer
      FROM identity_edge WHERE graph = 'demo_shop' AND rule = 'login' AND :'tablet' IN (value_a, value_b)) AS i \gset

\echo 'What was rejected happened on shared tablets, such as the cookie' :tablet'. Whose'
\echo 'is it, and why are the two customers who log in there not one person?'
:show
SELECT person_of('demo_shop', 'cookie', :'tablet') AS tablet,
       person_of('demo_shop', 'customer', :'owner') AS :"owner_title",
       person_of('demo_shop', 'customer', :'other') AS :"other_title";

SELECT step, from_type, from_value, to_type, to_value, rule, status, reason
FROM why('demo_shop', 'customer', :'owner', 'customer', :'other');
:hide
\echo 'The first one to log in has the tablet, but not all that is done there without a'
\echo 'login. That assign_sessions() gives away event by event: to the next login within'
\echo 'half an hour, else to the last of seven days, else to nobody.'
:show
SELECT a.at::timestamp,
       (SELECT min(event) FROM web_log WHERE cookie = a.device AND at = a.at) AS event,
       a.person AS customer, c.name, a.assigned_by
FROM assign_sessions('SELECT DISTINCT cookie AS device, at, customer_id AS person
                      FROM web_log') AS a
LEFT JOIN customers c ON c.id = a.person::bigint
WHERE a.device = :'tablet' AND a.at >= :'tablet_from'
ORDER BY a.at LIMIT 8;
:hide
\echo 'Now all purchases find their people: by login, else by cookie, and on a shared one'
\echo 'by the logins around it.'
:show
CREATE VIEW shared_cookies AS
SELECT DISTINCT CASE 'cookie' WHEN type_a THEN value_a WHEN type_b THEN value_b END AS cookie
FROM identity_edge
WHERE graph = 'demo_shop' AND status = 'rejected';

CREATE MATERIALIZED VIEW person_purchases AS
WITH guests AS (
    SELECT DISTINCT device AS cookie, at, person AS customer
    FROM assign_sessions('SELECT cookie AS device, at, customer_id AS person
                          FROM shop.web_log JOIN shop.shared_cookies USING (cookie)')
    WHERE assigned_by IN ('forward', 'back')
)
SELECT CASE WHEN w.customer_id IS NOT NULL
                THEN person_of('demo_shop', 'customer', w.customer_id::text)
            WHEN s.cookie IS NULL
                THEN person_of('demo_shop', 'cookie', w.cookie)
            ELSE person_of('demo_shop', 'customer', g.customer)
       END AS person, w.product_id, w.at AS ordered_at
FROM web_log w
LEFT JOIN shared_cookies s USING (cookie)
LEFT JOIN guests g ON g.cookie = w.cookie AND g.at = w.at AND w.customer_id IS NULL
WHERE w.event = 'purchase';

CREATE INDEX person_purchases_similarity ON person_purchases
    USING similarity (person, product_id) INCLUDE (ordered_at);
:hide
\echo

-- The cookie's view of the same, to compare with
CREATE MATERIALIZED VIEW cookie_purchases AS
SELECT cookie, product_id, at AS ordered_at FROM web_log WHERE event = 'purchase';
CREATE INDEX cookie_purchases_similarity ON cookie_purchases
    USING similarity (cookie, product_id) INCLUDE (ordered_at);
ANALYZE person_purchases, cookie_purchases;
-- A cookie without a login that has bought one or two things, which say little, of
-- somebody of one taste who has bought about ten.
WITH guest AS MATERIALIZED (
    SELECT cookie, lower(max(email)) AS email, array_agg(product_id) AS products
    FROM web_log
    GROUP BY cookie
    HAVING count(DISTINCT product_id) BETWEEN 1 AND 2 AND count(customer_id) = 0 AND count(email) > 0
), person AS MATERIALIZED (
    SELECT g.*, t.taste, person_of('demo_shop', 'cookie', g.cookie) AS person,
           person_of('demo_shop', 'customer', c.id::text) AS account
    FROM guest g
    JOIN customers c USING (email)
    JOIN customer_tastes t ON t.customer_id = c.id AND t.main
    WHERE NOT EXISTS (SELECT FROM customer_tastes x WHERE x.customer_id = c.id AND NOT x.main)
      AND g.cookie NOT IN (SELECT cookie FROM shared_cookies)
)
SELECT p.cookie AS visitor
FROM person p
JOIN person_purchases b USING (person)
LEFT JOIN product_tastes pt ON pt.product_id = b.product_id AND pt.taste = p.taste
WHERE p.person = p.account
GROUP BY p.cookie
ORDER BY avg(coalesce(pt.affinity, 0)) - 0.1 * abs(count(DISTINCT b.product_id) - 10)
         - coalesce(avg(pt.affinity) FILTER (WHERE b.product_id = ANY (p.products)), 0) DESC, p.cookie
LIMIT 1 \gset

\echo 'A visitor comes with the cookie' :visitor'. Nobody ever logged in with it, but a'
\echo 'click in a newsletter leads to an address, and that to an account:'
:show
SELECT type, original FROM identifiers_of('demo_shop', person_of('demo_shop', 'cookie', :'visitor'));

SELECT (SELECT string_agg(DISTINCT p.name, ', ') FROM cookie_purchases JOIN products p ON p.id = product_id
        WHERE cookie = :'visitor') AS "the cookie bought",
       (SELECT count(DISTINCT product_id) FROM person_purchases
        WHERE person = person_of('demo_shop', 'cookie', :'visitor')) AS "products the person bought";

SELECT place, c.name AS "for the cookie", p.name AS "for the person", b.name AS because
FROM recommend('cookie_purchases', :'visitor'::text, item_type => NULL::int, k => 6)
     WITH ORDINALITY AS rc (item, score, because, reason, place)
JOIN recommend('person_purchases', person_of('demo_shop', 'cookie', :'visitor'), item_type => NULL::int, k => 6)
     WITH ORDINALITY AS rp (item, score, because, reason, place) USING (place)
JOIN products c ON c.id = rc.item
JOIN products p ON p.id = rp.item
LEFT JOIN products b ON b.id = rp.because
ORDER BY place;
:hide
\ir holdout.sql
SELECT count(*) AS visits FROM visit \gset
\echo 'Does it pay? What was known 30 days ago makes the indexes and the people, and what was'
\echo 'bought in the' :visits 'visits since is to be guessed: what part of it is among 20 recommended'
\echo 'products (recall@20)? Guests are visits without a login. demo/holdout.sql measures it.'
:show
SELECT subjects, round(guests::numeric, 3) AS guests, round(logged_in::numeric, 3) AS "logged in",
       round(recall::numeric, 3) AS "all visits"
FROM recall_by_subject WHERE subjects <> 'components' ORDER BY n;
:hide
\echo 'Whoever visits, the shop knows more of a person than of a cookie or of a login. The last'
\echo 'line is out of reach: every purchase under the customer who made it, as in the steps'
\echo 'before.'


\ir experiment.sql
\echo
\echo :bold'16. Did it work?':plain
\echo
\echo 'For 60 days one half of the customers had free delivery. Who gets it is a hash of the'
\echo 'name of the experiment and the customer, so that every server and application comes to'
\echo 'the same answer without asking. To see the share of those who order rise from 48 to 53'
\echo 'percent takes this many customers in each arm:'
:show
SELECT ceil(sample_size_proportions(0.48, 0.53)) AS planned;

SELECT * FROM experiment_report('SELECT arm, ordered AS outcome FROM free_delivery', planned_units => 1566);
:hide
\echo 'The effect was planted: about 12 percent of those who would not have ordered did. The'
\echo 'report says nothing of who is above before the planned size is reached. And if visits'
\echo 'get lost on their way into the table, as on one phone in three, where the page crashes,'
\echo 'it says nothing at all, as soon as there are enough to tell:'
:show
SELECT arm, units, change, verdict
FROM experiment_report($$SELECT arm, ordered AS outcome FROM free_delivery
    WHERE NOT (arm = 'treatment' AND device = 'phone' AND hash_bucket('crash', customer_id) < 0.33)$$);
:hide
\echo 'And is recommend() worth anything? For 30 days a holdout of 30 percent of the customers'
\echo 'saw what sells best, all others what recommend() has for them. Of those who bought'
\echo 'something new, who bought what was on the list? Here nothing is planted. No size was'
\echo 'planned either, so that the verdict holds for one look:'
:show
SELECT * FROM experiment_report($$
    SELECT CASE WHEN recommended THEN 'recommend()' ELSE 'best sellers' END AS arm, bought_one AS outcome FROM shown$$,
    variants => '{best sellers,recommend()}', weights => '{0.3,0.7}');
:hide
\echo 'doc/experiments.md goes on from here: spending, adjusted for what was spent before; looks'
\echo 'at any time; segments; and what not to conclude.'


\echo
\echo :bold'That was the tour.':plain
\echo
\echo 'README.md shows how to begin with a table of your own; doc/ has a page for each part.'
\echo 'To keep this shop and look around in it, run demo/run on a database of yours: it makes'
\echo 'a schema "shop" there, and DROP SCHEMA shop CASCADE removes it; the identity graph goes'
\echo 'with SELECT personalize.drop_identity_graph(''demo_shop'').'
\echo
