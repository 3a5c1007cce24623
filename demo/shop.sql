-- The demo shop: an outdoor shop in the schema "shop", made up from a seed.
--
--   psql -v size=medium -v seed=1 -v anchor='2026-03-01 12:00+00' -f shop.sql
--
-- size    small | medium | large
-- seed    another integer makes another shop; the same one makes the same shop
-- anchor  the moment the data end; the default is the current hour.  All times
--         are relative to it, and the seasons follow its calendar, so a fixed
--         anchor and seed give the same rows everywhere.
--
-- Randomness comes from hashes of (what, row number, seed) alone, therefore no
-- row depends on a plan, on the order of execution or on random().

\set ON_ERROR_STOP on
\if :{?size} \else \set size medium \endif
\if :{?seed} \else \set seed 1 \endif
\if :{?anchor} \else \set anchor '' \endif

SET client_min_messages = warning;
SET timezone = 'UTC';
SET jit = off;          -- the tables are new, estimates are wild, compiling never pays

SELECT coalesce(nullif(:'anchor', '')::timestamptz, date_trunc('hour', now())) AS anchor,
       :'seed'::int AS seed \gset

-- How big each size is.  cards is the resolution of the random draws below.
CREATE TEMPORARY TABLE size_list (
    size text, customers int, products int, orders_each float8, cards int);
INSERT INTO size_list VALUES
    ('small',    300,  150, 11.5,  700),
    ('medium',  5000,  600, 17.0, 2000),
    ('large',  50000, 3000, 26.5, 4000);
SELECT customers AS n_customers, products AS n_products, orders_each, cards
FROM size_list WHERE size = :'size' \gset

-- A schema called shop that we did not make is never touched.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_namespace
               WHERE nspname = 'shop'
                 AND obj_description(oid, 'pg_namespace') IS DISTINCT FROM 'demo shop of personalize')
    THEN
        RAISE EXCEPTION 'schema "shop" exists already and is not the demo''s'
            USING HINT = 'Choose an empty database with PGDATABASE.';
    END IF;
END
$$;

BEGIN;
DROP SCHEMA IF EXISTS shop CASCADE;
CREATE SCHEMA shop;
COMMENT ON SCHEMA shop IS 'demo shop of personalize';
\ir catalogue.sql

CREATE TABLE shop.about AS
SELECT :'size' AS size, :seed AS seed, :'anchor'::timestamptz AS anchor;

-- The only source of chance: a number in [0, 1) fixed by what is drawn, for
-- which row, and the seed.
\set body 'SELECT (hashint8extended(n, hashtextextended(what, ' :seed ')) & 4503599627370495)::float8 / 4503599627370496'
CREATE FUNCTION shop.chance(what text, n bigint) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS :'body';

-- Demand has five periods: winter 0, spring 1, summer 2, autumn 3, and the
-- last seven days (4), in which everyone talks of a few products.
CREATE FUNCTION shop.period(at timestamptz, anchor timestamptz) RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN at > anchor - interval '7 days' THEN 4
                ELSE extract(month FROM at AT TIME ZONE 'UTC')::int % 12 / 3 END
$$;


-- Products: kinds times series, one of each kind at least, the rest by demand.
CREATE TABLE shop.products (
    id int PRIMARY KEY, name text NOT NULL UNIQUE, category text NOT NULL,
    price numeric(8,2) NOT NULL, in_stock boolean NOT NULL, launched_at timestamptz NOT NULL);

CREATE TEMPORARY TABLE product_draw AS
WITH combination AS (
    SELECT k.*, s.series, s.level, format('%s %s', s.series, k.kind) AS name,
           shop.chance('version', hashtext(k.kind || s.series)) AS u
    FROM kind_list k, series_list s
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY u, name) AS nth
    FROM combination
), picked AS (
    SELECT * FROM ranked
    ORDER BY nth > 1, ln(1 - u) / demand DESC, name
    LIMIT :n_products
), numbered AS (
    SELECT *, row_number() OVER (ORDER BY shop.chance('shelf', hashtext(name)), name) AS id
    FROM picked
), famed AS (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY shop.chance('fame', id)) AS fame
    FROM numbered
)
SELECT id::int, name, kind, series, category, level, season, refill, tastes,
       round(price * (0.45 + 0.3 * level) * (0.92 + 0.16 * shop.chance('price', id))) - 0.05 AS price,
       -- demand of a kind spreads over its products by Zipf's law
       demand * power(fame, -0.9) / sum(power(fame, -0.9)) OVER (PARTITION BY kind) AS weight,
       fame = 1 AND tastes <> '{everyone}' AND shop.chance('talk', hashtext(kind)) < 0.08 AS talked_of
FROM famed;

INSERT INTO shop.products
SELECT id, name, category, price, shop.chance('stock', id) < 0.88,
       -- one in six came to the shop within the 18 months, the others earlier
       date_trunc('day', :'anchor'::timestamptz - interval '1 day'
           * CASE WHEN shop.chance('new', id) < 1.0 / 6 THEN 20 + 520 * shop.chance('launch', id)
                  ELSE 550 + 1100 * shop.chance('launch', id) END)
FROM product_draw ORDER BY id;

-- The truth behind the data.  The indexes never see these tables; the tour
-- uses them to check what came out.
CREATE TABLE shop.product_tastes (
    product_id int REFERENCES shop.products, taste text, affinity float8,
    PRIMARY KEY (product_id, taste));
INSERT INTO shop.product_tastes
SELECT d.id, t.taste, power(2, 1 - nth)
FROM product_draw d, unnest(d.tastes) WITH ORDINALITY AS t(taste, nth)
WHERE t.taste <> 'everyone';

-- Which products share a basket: per product and companion kind two fixed
-- companions, of the same series where there is one, else of a similar level.
-- The likelier takes the first 70 % of the pair's chance, the other the rest.
CREATE TEMPORARY TABLE product_pairs AS
SELECT product_id, pair, companion_id,
       CASE nth WHEN 1 THEN 0 ELSE 0.7 * chance END AS lower,
       CASE nth WHEN 1 THEN 0.7 * chance ELSE chance END AS upper
FROM (SELECT a.id AS product_id, hashtext(b.kind) AS pair, b.id AS companion_id, p.chance,
             row_number() OVER (PARTITION BY a.id, b.kind
                 ORDER BY a.series <> b.series, abs(a.level - b.level),
                          shop.chance('pair', a.id * 10000 + b.id), b.id) AS nth
      FROM pair_list p
      JOIN product_draw a ON a.kind = p.kind
      JOIN product_draw b ON b.kind = p.companion) AS candidate
WHERE nth <= 2;


-- Decks of cards to draw products from, one for each taste, price level and
-- period.  A product has as many cards as it is likely, so that a draw is an
-- equality join on the number of a card.
CREATE TEMPORARY TABLE taste_range AS
SELECT taste, row_number() OVER (ORDER BY share DESC, taste)::int - 1 AS n,
       sum(share) OVER ranked - share AS lower, sum(share) OVER ranked AS upper
FROM taste_list WINDOW ranked AS (ORDER BY share DESC, taste);
UPDATE taste_range SET upper = 1 WHERE n = 9;      -- whatever rounding left

CREATE TEMPORARY TABLE deck AS
WITH calendar AS (
    SELECT period, CASE period WHEN 4 THEN shop.period(:'anchor'::timestamptz - interval '8 days',
                                                       :'anchor') ELSE period END AS season
    FROM generate_series(0, 4) AS period
), weighted AS (
    SELECT t.n AS taste, l.level, c.period, d.id AS product_id,
           d.weight
           * CASE WHEN d.tastes = '{everyone}' THEN 0.25
                  ELSE power(2, 1 - array_position(d.tastes, t.taste)) END
           * (array[1, 0.35, 0.12])[1 + abs(l.level - d.level)]
           * CASE WHEN d.season IS NULL THEN 1
                  WHEN d.season = (array['winter', 'spring', 'summer', 'autumn'])[1 + c.season] THEN 2.2
                  WHEN d.season = (array['summer', 'autumn', 'winter', 'spring'])[1 + c.season] THEN 0.2
                  ELSE 0.9 END
           * CASE WHEN d.talked_of AND c.period = 4 THEN 8 ELSE 1 END AS w
    FROM taste_range t
    CROSS JOIN calendar c
    CROSS JOIN generate_series(1, 3) AS l(level)
    JOIN product_draw d ON t.taste = ANY (d.tastes) OR d.tastes = '{everyone}'
), stacked AS (
    SELECT taste, level, period, product_id,
           sum(w) OVER stack / sum(w) OVER (PARTITION BY taste, level, period) AS upto,
           w / sum(w) OVER (PARTITION BY taste, level, period) AS part
    FROM weighted
    WINDOW stack AS (PARTITION BY taste, level, period ORDER BY product_id
                     ROWS UNBOUNDED PRECEDING)
)
SELECT taste, level, period, card, product_id
FROM stacked,
     generate_series(round((upto - part) * :cards)::int, round(upto * :cards)::int - 1) AS card;
ANALYZE deck;


-- Customers.  Each has a main taste, two of five a second one, and a price level.
CREATE TABLE shop.customers (
    id bigint PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE,
    city text NOT NULL, joined_at timestamptz NOT NULL);

CREATE TEMPORARY TABLE customer_draw AS
SELECT c.id, t.n AS main, t2.n AS second,
       1 + floor(3 * shop.chance('level', c.id))::int AS level, joined_at,
       first_at,
       -- one in three has left by now, without saying so
       first_at + (:'anchor'::timestamptz - first_at)
           * CASE WHEN shop.chance('leaves', c.id) < 1.0 / 3 THEN shop.chance('left', c.id) ELSE 1 END AS last_at
FROM generate_series(1, :n_customers) AS c(id)
CROSS JOIN LATERAL (SELECT :'anchor'::timestamptz - interval '1 day'
                           * (2 + 1200 * shop.chance('joined', c.id)) AS joined_at) AS j
CROSS JOIN LATERAL (SELECT greatest(joined_at, :'anchor'::timestamptz - interval '548 days') AS first_at) AS f
JOIN taste_range t ON shop.chance('taste', c.id) >= t.lower AND shop.chance('taste', c.id) < t.upper
LEFT JOIN taste_range t2 ON shop.chance('second taste', c.id) >= t2.lower
    AND shop.chance('second taste', c.id) < t2.upper
    AND t2.n <> t.n AND shop.chance('has second', c.id) < 0.4;

INSERT INTO shop.customers
SELECT d.id, f.word || ' ' || l.word, lower(f.word || '.' || l.word) || d.id || '@example.com',
       c.word, date_trunc('second', d.joined_at)
FROM customer_draw d
JOIN word_list f ON f.list = 'first' AND f.n = floor(60 * shop.chance('first', d.id))
JOIN word_list l ON l.list = 'last' AND l.n = floor(76 * shop.chance('last', d.id))
-- the first towns have more customers than the last
JOIN word_list c ON c.list = 'city' AND c.n = floor(30 * power(shop.chance('city', d.id), 1.6))
ORDER BY d.id;

-- The truth about customers, like that about products: nothing but the tour's checks reads it.
CREATE TABLE shop.departures (
    customer_id bigint PRIMARY KEY REFERENCES shop.customers, left_at timestamptz NOT NULL);
INSERT INTO shop.departures
SELECT id, last_at FROM customer_draw WHERE last_at < :'anchor'::timestamptz ORDER BY id;

CREATE TABLE shop.customer_tastes (
    customer_id bigint REFERENCES shop.customers, taste text, main boolean,
    PRIMARY KEY (customer_id, taste));
INSERT INTO shop.customer_tastes
SELECT d.id, t.taste, t.n = d.main
FROM customer_draw d JOIN taste_range t ON t.n IN (d.main, d.second)
ORDER BY 1, 3 DESC;


-- Orders: their number falls off exponentially; one in twelve is a present
-- or a whim, of any taste.
CREATE TEMPORARY TABLE order_draw AS
SELECT row_number() OVER (ORDER BY at, customer_id) AS id, *, shop.period(at, :'anchor') AS period
FROM (SELECT c.id AS customer_id, c.level,
             date_trunc('second', c.first_at
                 + (c.last_at - c.first_at) * shop.chance('ordered', key)) AS at,
             CASE WHEN shop.chance('whim', key) < 1.0 / 12 THEN floor(10 * shop.chance('any', key))::int
                  WHEN shop.chance('which taste', key) < 0.35 THEN coalesce(c.second, c.main)
                  ELSE c.main END AS taste,
             least(9, 1 + floor(-1.75 * ln(1 - shop.chance('lines', key))))::int AS lines
      FROM customer_draw c
      CROSS JOIN LATERAL generate_series(1, least(200, 1 + floor(-ln(1 - shop.chance('orders', c.id))
          * :orders_each
          * extract(epoch FROM c.last_at - c.first_at) / (548 * 86400.0)))::int) AS nth
      CROSS JOIN LATERAL (SELECT c.id * 1000 + nth AS key) AS k) AS o;

CREATE TEMPORARY TABLE line_draw AS
WITH draw AS MATERIALIZED (
    SELECT id AS order_id, taste, level, period,
           floor(:cards * shop.chance('card', id * 10 + nth))::int AS card
    FROM order_draw CROSS JOIN LATERAL generate_series(1, lines) AS nth
)
SELECT order_id, product_id FROM draw JOIN deck USING (taste, level, period, card);
ANALYZE line_draw, order_draw, product_draw, product_pairs, shop.products;

INSERT INTO line_draw
SELECT order_id, companion_id
FROM (SELECT l.order_id, p.companion_id, p.lower, p.upper,
             shop.chance('companion', (l.order_id * 10000 + l.product_id) * 1000 + pair) AS u
      FROM line_draw l JOIN product_pairs p USING (product_id)) AS offered
WHERE u >= lower AND u < upper;

-- The shop's own tables.  purchases repeats customer and time of the order in
-- every line: one row is one interaction.  Nobody needs a tent a month: of a
-- kind that lasts, a customer seldom buys another one.
CREATE TABLE shop.purchases AS
SELECT customer_id, product_id, order_id, ordered_at,
       CASE WHEN refill THEN 1 + floor(4 * power(shop.chance('quantity', key), 2))::int
            ELSE 1 END AS quantity
FROM (SELECT o.customer_id, d.id AS product_id, o.id AS order_id, o.at AS ordered_at, d.refill,
             o.id * 10000 + d.id AS key,
             row_number() OVER (PARTITION BY o.customer_id, d.kind ORDER BY o.id, d.id) AS nth,
             row_number() OVER (PARTITION BY o.customer_id, d.kind, d.id ORDER BY o.id) AS nth_same,
             row_number() OVER (PARTITION BY o.customer_id, d.kind, o.id ORDER BY d.id) AS nth_in_order
      FROM (SELECT DISTINCT order_id, product_id FROM line_draw) AS l
      JOIN order_draw o ON o.id = l.order_id
      JOIN shop.products p ON p.id = l.product_id AND p.launched_at <= o.at
      JOIN product_draw d ON d.id = p.id) AS wanted
WHERE nth = 1 OR refill OR (nth_same = 1 AND nth_in_order = 1 AND shop.chance('another', key) < 0.2)
ORDER BY order_id, product_id;

CREATE TABLE shop.orders AS
SELECT id, customer_id, at AS ordered_at
FROM order_draw o
WHERE EXISTS (SELECT FROM shop.purchases p WHERE p.order_id = o.id)
ORDER BY id;

CREATE TABLE shop.order_items AS
SELECT b.order_id, b.product_id, b.quantity,
       -- one order in seven came with ten per cent off
       round(p.price * CASE WHEN shop.chance('discount', b.order_id) < 1.0 / 7 THEN 0.9 ELSE 1 END, 2) AS price
FROM shop.purchases b JOIN shop.products p ON p.id = b.product_id
ORDER BY b.order_id, b.product_id;


-- Sessions of the last 90 days: one for each order, and nearly as many by
-- people who did not log in.
CREATE TEMPORARY TABLE session_draw AS
SELECT row_number() OVER (ORDER BY started_at, order_id, key) AS id, *,
       shop.period(started_at, :'anchor') AS period
FROM (SELECT id AS key, id AS order_id, customer_id, taste, level,
             date_trunc('second', at - interval '1 minute' * (9 + 20 * shop.chance('browsed', id))) AS started_at
      FROM order_draw WHERE at > :'anchor'::timestamptz - interval '90 days'
      UNION ALL
      SELECT o.id, NULL, NULL, t.n, 1 + floor(3 * shop.chance('visitor level', o.id))::int,
             date_trunc('second', :'anchor'::timestamptz
                 - interval '90 days' * shop.chance('visit', o.id))
      FROM order_draw o
      JOIN taste_range t ON shop.chance('visitor', o.id) >= t.lower AND shop.chance('visitor', o.id) < t.upper
      WHERE o.at > :'anchor'::timestamptz - interval '90 days'
        AND shop.chance('visits', o.id) < 0.8) AS s;
ANALYZE session_draw, shop.order_items;

CREATE TABLE shop.sessions AS
SELECT id, customer_id, started_at,
       CASE WHEN shop.chance('device', id) < 0.55 THEN 'phone'
            WHEN shop.chance('device', id) < 0.9 THEN 'desktop' ELSE 'tablet' END AS device
FROM session_draw ORDER BY id;

CREATE TABLE shop.session_views AS
WITH draw AS MATERIALIZED (
    SELECT id, started_at, taste, level, period,
           floor(:cards * shop.chance('look', id * 10 + nth))::int AS card
    FROM session_draw
    CROSS JOIN LATERAL generate_series(1, 2 + floor(4 * shop.chance('looks', id))::int) AS nth
)
SELECT session_id, product_id,
       started_at + interval '1 second' * (10 + 85 * (row_number() OVER (PARTITION BY session_id
           ORDER BY shop.chance('looked', session_id * 10000 + product_id), product_id) - 1)
           + floor(80 * shop.chance('pause', session_id * 10000 + product_id))) AS viewed_at
FROM (SELECT s.id AS session_id, s.started_at, p.id AS product_id
      FROM draw s
      JOIN deck d USING (taste, level, period, card)
      JOIN shop.products p ON p.id = d.product_id AND p.launched_at <= s.started_at
      UNION
      SELECT s.id, s.started_at, i.product_id
      FROM session_draw s JOIN shop.order_items i USING (order_id)) AS v
ORDER BY viewed_at, session_id, product_id;


-- Keys come last: loading goes faster without them.
ALTER TABLE shop.orders ADD PRIMARY KEY (id),
    ADD FOREIGN KEY (customer_id) REFERENCES shop.customers;
ALTER TABLE shop.order_items ADD PRIMARY KEY (order_id, product_id),
    ADD FOREIGN KEY (order_id) REFERENCES shop.orders,
    ADD FOREIGN KEY (product_id) REFERENCES shop.products,
    ALTER quantity SET NOT NULL, ALTER price SET NOT NULL;
ALTER TABLE shop.purchases ADD PRIMARY KEY (order_id, product_id),
    ADD FOREIGN KEY (customer_id) REFERENCES shop.customers,
    ADD FOREIGN KEY (product_id) REFERENCES shop.products,
    ALTER customer_id SET NOT NULL, ALTER ordered_at SET NOT NULL,
    ALTER quantity SET DEFAULT 1, ALTER quantity SET NOT NULL;
CREATE INDEX purchases_customer ON shop.purchases (customer_id);
CREATE INDEX purchases_product ON shop.purchases (product_id);
ALTER TABLE shop.sessions ADD PRIMARY KEY (id),
    ADD FOREIGN KEY (customer_id) REFERENCES shop.customers;
ALTER TABLE shop.session_views ADD PRIMARY KEY (session_id, product_id),
    ADD FOREIGN KEY (session_id) REFERENCES shop.sessions,
    ADD FOREIGN KEY (product_id) REFERENCES shop.products;

\ir devices.sql
COMMIT;
VACUUM (ANALYZE) shop.purchases, shop.order_items, shop.orders, shop.sessions,
    shop.session_views, shop.customers, shop.products, shop.customer_tastes, shop.product_tastes,
    shop.cookies, shop.cookie_users, shop.web_log;
