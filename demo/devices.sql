-- The same purchases as the web server saw them: by cookie, and by customer only
-- where somebody had logged in.  Part of shop.sql, which has the settings.
--
-- A customer has one to three devices, each with a cookie: a phone, three in five a
-- computer, one in eight a tablet.  In every fifth household of three customers it is
-- the same tablet, which three in four of them use.  On one device in four its user never logs in; a click in a
-- newsletter may still give away whose it is.

CREATE TEMPORARY TABLE device_draw AS
WITH wanted AS (
    SELECT c.id AS customer_id, d.*,
           -- what tells a device from all others: whose it is
           CASE WHEN family AND d.device = 'tablet' THEN format('household %s', (c.id - 1) / 3)
                ELSE format('%s %s', d.device, c.id) END AS owner
    FROM shop.customers c
    CROSS JOIN LATERAL (SELECT shop.chance('family tablet', (c.id - 1) / 3) < 0.2 AS family) AS h
    JOIN (VALUES (1, 'phone', 0.50), (2, 'computer', 0.35), (3, 'tablet', 0.25)) AS d(n, device, weight)
      ON d.n = 1
      OR d.n = 2 AND shop.chance('computer', c.id) < 0.6
      OR d.n = 3 AND shop.chance('tablet', c.id) < CASE WHEN family THEN 0.75 ELSE 0.125 END
)
SELECT substr(md5(format('%s of shop %s', owner, :seed)), 1, 12) AS cookie, customer_id, device,
       count(*) OVER (PARTITION BY owner) > 1 AS shared,
       customer_id * 4 + n AS key,
       -- which part of a customer's orders comes from here
       (sum(weight) OVER mine - weight) / sum(weight) OVER (PARTITION BY customer_id) AS lower,
       CASE WHEN n = max(n) OVER (PARTITION BY customer_id) THEN 1
            ELSE sum(weight) OVER mine / sum(weight) OVER (PARTITION BY customer_id) END AS upper,
       -- how often somebody who orders here has logged in
       CASE WHEN shop.chance('never logs in', customer_id * 4 + n) < 0.25 THEN 0
            ELSE 0.2 + 0.7 * shop.chance('habit', customer_id * 4 + n) END AS habit
FROM wanted
WINDOW mine AS (PARTITION BY customer_id ORDER BY n ROWS UNBOUNDED PRECEDING);

CREATE TABLE shop.cookies AS
SELECT DISTINCT cookie, device FROM device_draw ORDER BY 1;

-- The truth again, for the tour's checks alone.
CREATE TABLE shop.cookie_users AS
SELECT cookie, customer_id FROM device_draw ORDER BY 1, 2;

CREATE TEMPORARY TABLE web_order AS
SELECT o.id AS order_id, o.customer_id, o.ordered_at, d.cookie, d.habit,
       shop.chance('logged in', o.id) < d.habit AS logged_in,
       shop.chance('logs in otherwise', o.id) AS otherwise
FROM shop.orders o
JOIN device_draw d ON d.customer_id = o.customer_id
    AND shop.chance('ordered on', o.id) >= d.lower AND shop.chance('ordered on', o.id) < d.upper;

CREATE TABLE shop.web_log AS
SELECT row_number() OVER (ORDER BY at, cookie, event, product_id) AS id, *
FROM (
    SELECT ordered_at AS at, cookie, 'purchase' AS event,
           CASE WHEN logged_in THEN o.customer_id END AS customer_id, NULL AS email, order_id, product_id
    FROM web_order o JOIN shop.purchases p USING (order_id, ordered_at)
    UNION ALL
    -- before an order; or soon after it, to see where the parcel is; or earlier that day
    SELECT date_trunc('second', ordered_at + CASE
               WHEN logged_in THEN interval '-1 minute' * (2 + 13 * shop.chance('before', order_id))
               WHEN otherwise < 0.3 THEN interval '1 minute' * (2 + 23 * shop.chance('after', order_id))
               ELSE interval '-1 hour' * (1 + 15 * shop.chance('earlier', order_id)) END),
           cookie, 'login', customer_id, NULL, NULL, NULL
    FROM web_order
    WHERE logged_in OR habit > 0 AND otherwise < 0.5
    UNION ALL
    -- an address in a link is not always written as the account has it
    SELECT date_trunc('second', c.first_at + (c.last_at - c.first_at) * shop.chance('clicks at', d.key)),
           d.cookie, 'newsletter', NULL,
           CASE WHEN shop.chance('capitals', d.key) < 0.2 THEN upper(s.email) ELSE s.email END, NULL, NULL
    FROM device_draw d
    JOIN customer_draw c ON c.id = d.customer_id
    JOIN shop.customers s ON s.id = d.customer_id
    WHERE shop.chance('clicks', d.key) < CASE WHEN d.shared THEN 0.1 ELSE 0.4 END
) AS e
WHERE at <= :'anchor'::timestamptz
ORDER BY id;

ALTER TABLE shop.cookies ADD PRIMARY KEY (cookie);
ALTER TABLE shop.cookie_users ADD PRIMARY KEY (cookie, customer_id),
    ADD FOREIGN KEY (cookie) REFERENCES shop.cookies,
    ADD FOREIGN KEY (customer_id) REFERENCES shop.customers;
ALTER TABLE shop.web_log ADD PRIMARY KEY (id),
    ALTER at SET NOT NULL, ALTER cookie SET NOT NULL, ALTER event SET NOT NULL,
    ADD CHECK (event IN ('login', 'newsletter', 'purchase')),
    ADD FOREIGN KEY (cookie) REFERENCES shop.cookies,
    ADD FOREIGN KEY (customer_id) REFERENCES shop.customers,
    ADD FOREIGN KEY (product_id) REFERENCES shop.products;
CREATE INDEX web_log_cookie ON shop.web_log (cookie, at);
