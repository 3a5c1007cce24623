-- Two experiments in the demo shop: the tour and doc/experiments.md read them.
--
--   psql -X -q -f demo/experiment.sql
--
-- It needs the shop of shop.sql, and makes in its schema
--
--   free_delivery    an experiment of the last 60 days, with an effect that is planted: of the
--                    customers who would not have ordered, about one in eight does if delivery
--                    is free.  A row a customer: arm, device, what was before, what became of it.
--   shown            what a holdout saw for 30 days, the products that sell best, and what all
--                    others saw, recommend(): nothing is planted, it is measured.  A row for
--                    each customer who bought something new then, which is fair only as nobody
--                    reads the lists.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET timezone = 'UTC';
SET jit = off;
CREATE EXTENSION IF NOT EXISTS personalize;
SET search_path = shop, personalize;
SELECT anchor - interval '60 days' AS start, anchor - interval '30 days' AS split FROM about \gset
\o /dev/null

BEGIN;
DROP TABLE IF EXISTS free_delivery, shown, past_purchases;

CREATE TABLE free_delivery AS
WITH spending AS (
    SELECT o.customer_id,
           count(DISTINCT o.id) FILTER (WHERE o.ordered_at < :'start') AS orders_before,
           coalesce(sum(i.quantity * i.price) FILTER (WHERE o.ordered_at >= timestamptz :'start' - interval '180 days' AND o.ordered_at < :'start'), 0) AS spent_before,
           coalesce(sum(i.quantity * i.price) FILTER (WHERE o.ordered_at >= :'start'), 0) AS spent,
           count(*) FILTER (WHERE o.ordered_at >= :'start') > 0 AS ordered,
           min(o.ordered_at) FILTER (WHERE o.ordered_at >= :'start') AS ordered_at
    FROM orders o JOIN order_items i ON i.order_id = o.id
    GROUP BY o.customer_id
), unit AS (
    SELECT c.id AS customer_id, assign('free delivery', c.id) AS arm,
           CASE WHEN chance('own device', c.id) < 0.6 THEN 'phone' ELSE 'desktop' END AS device,
           coalesce(orders_before, 0) AS orders_before, coalesce(spent_before, 0) AS spent_before,
           coalesce(spent, 0) AS spent, coalesce(ordered, false) AS ordered, ordered_at,
           -- they come over the first 40 days
           timestamptz :'start' + interval '40 days' * chance('comes', c.id) AS came_at
    FROM customers c LEFT JOIN spending s ON s.customer_id = c.id
    WHERE c.joined_at < :'start'
)
SELECT customer_id, arm, device, came_at, orders_before, spent_before,
       ordered OR persuaded AS ordered,
       spent + CASE WHEN persuaded THEN round((20 + 80 * chance('first basket', customer_id))::numeric, 2) ELSE 0 END AS spent
FROM (SELECT *, arm = 'treatment' AND NOT ordered AND chance('persuaded', customer_id) < 0.12 AS persuaded FROM unit) u
ORDER BY came_at;
COMMENT ON TABLE free_delivery IS 'an experiment with a planted effect, a row a customer';

-- What was bought before makes the model; who ordered since had been shown ten products.
CREATE TABLE past_purchases AS
SELECT customer_id, product_id, ordered_at FROM purchases WHERE ordered_at < :'split';
-- (by the fixed defaults: to choose among methods, as the tour's index does, takes seconds)
CREATE INDEX past_purchases_similarity ON past_purchases
    USING similarity (customer_id, product_id) INCLUDE (ordered_at) WITH (tuning_budget = 0);

CREATE TABLE shown AS
WITH visitor AS (
    SELECT customer_id, array_agg(product_id) AS bought
    FROM purchases p
    WHERE ordered_at >= :'split'
      AND NOT EXISTS (SELECT FROM past_purchases t WHERE t.customer_id = p.customer_id AND t.product_id = p.product_id)
    GROUP BY customer_id
), seller AS (
    SELECT array_agg(product_id) AS items
    FROM (SELECT product_id FROM past_purchases GROUP BY product_id ORDER BY count(*) DESC, product_id LIMIT 10) s
), list AS (
    SELECT v.customer_id, v.bought, NOT in_holdout('recommendations', v.customer_id, 0.3) AS recommended,
           ARRAY(SELECT r.item FROM recommend('past_purchases', v.customer_id, item_type => NULL::int, k => 10) AS r) AS own,
           s.items AS best
    FROM visitor v, seller s
)
SELECT customer_id, recommended, CASE WHEN recommended THEN own ELSE best END AS items,
       bought && CASE WHEN recommended THEN own ELSE best END AS bought_one
FROM list ORDER BY customer_id;
COMMENT ON TABLE shown IS 'customers who bought something new within 30 days, what they were shown, and whether they bought some of it; a holdout was shown the best sellers';
COMMIT;
\o
