-- Nearest neighbours of pgvector as one of the lists of blend(); skipped where pgvector is not installed.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(1);
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS installed \gset
\if :installed
CREATE EXTENSION vector;
CREATE TABLE products (id int PRIMARY KEY, embedding vector(2));
INSERT INTO products VALUES (1, '[1,0]'), (2, '[0.9,0.1]'), (3, '[0.7,0.7]'), (4, '[0,1]');
CREATE TABLE purchases (customer_id int, product_id int);
INSERT INTO purchases VALUES (1, 1), (1, 4), (2, 1), (2, 4), (3, 1), (3, 2);
CREATE INDEX ON purchases USING similarity (customer_id, product_id);
SELECT results_eq($$
	SELECT b.item, b.sources
	FROM (SELECT id, embedding FROM products WHERE id = 1) AS page,
		blend(ARRAY[
			item_list('also bought', ARRAY(SELECT item FROM similar_items('purchases', page.id, k => 30))),
			item_list('nearest', ARRAY(SELECT id FROM products p WHERE p.id <> page.id ORDER BY p.embedding <=> page.embedding LIMIT 30))],
			item_type => NULL::int) AS b $$,
	$$VALUES (2, '{"also bought",nearest}'::text[]), (4, '{"also bought",nearest}'), (3, '{nearest}')$$,
	'what is bought together and what is near');
\else
SELECT skip('the extension vector (pgvector) is not installed', 1);
\endif

SELECT * FROM finish();
ROLLBACK;
