-- relevance(), relevances(), explain_recommendation()
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
CREATE SCHEMA test_relevance;
SET search_path = test_relevance, personalize;
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';

-- what an error says: its state, message, detail and hint
CREATE FUNCTION refusal(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
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

SELECT p.oid::regprocedure, provolatile, proparallel, proisstrict, procost, prorows,
	obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
WHERE proname IN ('relevance', 'relevances', 'explain_recommendation')
ORDER BY p.oid::regprocedure::text COLLATE "C";

CREATE TABLE purchases (customer_id int, product text, ordered_at timestamptz, quantity int);
INSERT INTO purchases VALUES
	(1, 'tent',  '2024-05-01 12:00', 1),
	(1, 'stove', '2024-05-08 12:00', 3),
	(2, 'tent',  '2024-05-02 12:00', 1),
	(2, 'stove', '2024-05-02 12:00', 1),
	(2, 'lamp',  '2024-05-20 12:00', 1),
	(3, 'tent',  '2024-05-10 12:00', 1),
	(3, 'mat',   '2024-05-10 12:00', 2),
	(4, 'stove', '2024-05-15 12:00', 1),
	(4, 'lamp',  '2024-05-22 12:00', 1),
	(4, 'mat',   '2024-05-22 12:00', 1),
	(5, 'lamp',  '2024-05-28 12:00', 2),
	(5, 'book',  '2024-05-28 12:00', 1);
CREATE INDEX purchases_similarity ON purchases
	USING similarity (customer_id, product) INCLUDE (ordered_at, quantity);
CREATE TABLE products (product text);
INSERT INTO products VALUES ('tent'), ('stove'), ('lamp'), ('mat'), ('book'), ('boat'), (NULL);

-- what recommend() says, of what the subject has too; 0 for what is popular, or unknown
SELECT p.product, r.reason, r.score = relevance('purchases', 1, p.product) AS same,
	round(relevance('purchases', 1, p.product)::numeric, 6) AS relevance,
	round(relevance('purchases', 1, p.product, half_life => '7 days')::numeric, 6) AS decayed
FROM products p LEFT JOIN recommend('purchases', 1, seen => true) r ON r.item = p.product ORDER BY 1;
SELECT DISTINCT relevance('purchases', 99, product), relevance('purchases', NULL, product) FROM products;
SELECT relevance('purchases', NULL::int, NULL::text), relevance('purchases', 1, NULL), relevance('purchases', 1, NULL, NULL);
SELECT round(relevance('purchases', 1, 'lamp')::numeric, 6), round(relevance('purchases_similarity', '1', 'lamp'::varchar)::numeric, 6);
-- the subject changes from row to row
SELECT c, round(relevance('purchases', c, 'lamp')::numeric, 6) AS lamp, round(relevance('purchases', c, 'tent')::numeric, 6) AS tent
FROM unnest('{1,2,1,NULL,3,99,3}'::int[]) WITH ORDINALITY AS u (c, n) ORDER BY n;
-- so do the half-life, the source and the user
SELECT h, round(relevance('purchases', 1, 'lamp', h)::numeric, 6) AS relevance
FROM unnest('{7 days,NULL,1 day,7 days}'::interval[]) WITH ORDINALITY AS u (h, n) ORDER BY n;
-- of one statement's calls for one subject, one scans the index
BEGIN;
SELECT pg_stat_get_xact_numscans('purchases_similarity'::regclass) AS before \gset
SELECT count(relevance('purchases', 1, p.product)) FROM products p, generate_series(1, 100);
SELECT pg_stat_get_xact_numscans('purchases_similarity'::regclass) - :before AS scans;
ROLLBACK;
-- of an array
SELECT relevances('purchases', 1, '{lamp,NULL,boat,mat,lamp}') = ARRAY[relevance('purchases', 1, 'lamp'), NULL, 0,
	relevance('purchases', 1, 'mat'), relevance('purchases', 1, 'lamp')] AS same;
SELECT relevances('purchases', 1, ARRAY['book', 'boat']), relevances('purchases', NULL, '{lamp,NULL}'),
	relevances('purchases', 1, '{}'), relevances('purchases', 1, NULL), relevances('purchases', 1, NULL::text[]);
SELECT (SELECT sum(r) FROM unnest(relevances('purchases', 1, '{{lamp,mat},{stove,tent}}')) r) =
	(SELECT sum(score) FROM recommend('purchases', 1, seen => true) WHERE reason = 'similar') AS flattened;

-- contributions sum to the score; the first is recommend()'s because
SELECT because, at, round(similarity::numeric, 6) AS similarity, round(contribution::numeric, 6) AS contribution
FROM explain_recommendation('purchases', 1, 'lamp');
SELECT because, at, round(similarity::numeric, 6) AS similarity, round(contribution::numeric, 6) AS contribution
FROM explain_recommendation('purchases', 1, 'lamp', half_life => '7 days');
SELECT because, round(contribution::numeric, 6) AS contribution, pg_typeof(because), pg_typeof(at)
FROM explain_recommendation('purchases', 1, 'mat', item_type => NULL::text, half_life => '7 days');
SELECT count(*) FROM explain_recommendation('purchases', 1, 'book');
SELECT count(*) FROM explain_recommendation('purchases', 1, 'boat');
SELECT count(*) FROM explain_recommendation('purchases', 1, NULL);
SELECT count(*) FROM explain_recommendation('purchases', 99, 'lamp');
SELECT count(*) FROM explain_recommendation('purchases', NULL, 'lamp');
-- what the subject has is explained by the rest of it
SELECT because, round(contribution::numeric, 6) AS contribution FROM explain_recommendation('purchases', 1, 'tent');

-- errors
SELECT refusal($$SELECT relevance(NULL, 1, 'lamp')$$);
SELECT refusal($$SELECT relevance('purchases', 'one', 'lamp')$$);
SELECT refusal($$SELECT relevance('purchases', 1, 'lamp', half_life => '0')$$);
SELECT refusal($$SELECT relevance('products', 1, 'lamp')$$);
SELECT refusal($$SELECT relevances('purchases', 1, 'lamp'::text)$$);
SELECT refusal($$SELECT relevances('purchases', 1, '{lamp')$$);
SELECT refusal($$SELECT explain_recommendation(NULL, 1, 'lamp')$$);
SELECT refusal($$SELECT explain_recommendation('purchases', 1, 'lamp', half_life => '-1 day')$$);
SELECT refusal($$SELECT explain_recommendation('purchases', 1, 'lamp', item_type => NULL::int)$$);
SELECT refusal($$SELECT explain_recommendation('products', 1, 'lamp')$$);
-- an error in one row does no harm to the next ones
CREATE FUNCTION or_error(c text, p text) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
	RETURN round(relevance('purchases', c, p)::numeric, 6);
EXCEPTION WHEN invalid_text_representation THEN
	RETURN -1;
END $$;
SELECT or_error(c, 'lamp') FROM unnest('{1,1,x,1,2,y,1}'::text[]) WITH ORDINALITY AS u (c, n) ORDER BY n;

-- times of a column without time zone are the session's; those that are missing are NULL
CREATE TABLE local (s int, i int, at timestamp);
INSERT INTO local VALUES (1, 1, '2024-05-01 12:00'), (1, 2, NULL), (2, 1, '2024-05-02'), (2, 2, '2024-05-02'), (2, 3, '2024-05-02');
CREATE INDEX ON local USING similarity (s, i) INCLUDE (at);
SET timezone = 'Asia/Tokyo';
SELECT because, at FROM explain_recommendation('local', 1, 3) ORDER BY because;
SET timezone = 'UTC';
SELECT because, at, pg_typeof(because) FROM explain_recommendation('local', 1, 3, NULL::int) ORDER BY because;
-- infinitely old: no contribution
SELECT because FROM explain_recommendation('local', 1, 3, half_life => '1 day');
SELECT refusal($$SELECT relevance('local', 1, 'three')$$);

-- without a time
CREATE TABLE bare (s int, i int);
INSERT INTO bare SELECT s, i FROM generate_series(1, 3) s, generate_series(1, 3) i WHERE s > 1 OR i < 3;
CREATE INDEX ON bare USING similarity (s, i);
SELECT because, at, similarity = contribution AS plain FROM explain_recommendation('bare', 1, 3) ORDER BY because;
SELECT refusal($$SELECT relevance('bare', 1, 3, half_life => '1 day')$$);
SELECT refusal($$SELECT explain_recommendation('bare', 1, 3, half_life => '1 day')$$);

-- untrained: nothing is relevant
SET client_min_messages = warning;
CREATE TABLE fresh (s int, i int);
CREATE INDEX ON fresh USING similarity (s, i);
RESET client_min_messages;
INSERT INTO fresh TABLE bare;
SELECT relevance('fresh', 1, 3), relevances('fresh', 1, '{2,3}'), (SELECT count(*) FROM explain_recommendation('fresh', 1, 3));

-- what changes within a transaction is seen by the next command, a subtransaction rolled back too,
-- though one prepared expression is asked all the time
CREATE FUNCTION lamp(half_life interval DEFAULT NULL) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
	RETURN round(relevance('purchases', 1, 'lamp', half_life)::numeric, 6);
END $$;
CREATE FUNCTION steps() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	step int;
	r numeric;
BEGIN
	FOR step IN 1 .. 9 LOOP
		BEGIN
			IF step = 2 THEN DELETE FROM purchases WHERE customer_id = 1 AND product = 'tent'; END IF;
			IF step = 4 THEN INSERT INTO purchases VALUES (1, 'mat', '2024-05-09', 1); END IF;
			IF step = 6 THEN UPDATE purchases SET quantity = 1 WHERE customer_id = 1; END IF;
			IF step = 8 THEN ALTER INDEX purchases_similarity SET (sharpness = 3); PERFORM retrain('purchases'); END IF;
			r := round(relevance('purchases', 1, 'lamp')::numeric, 6);
			IF step IN (4) THEN RAISE division_by_zero; END IF;
		EXCEPTION WHEN division_by_zero THEN
			RETURN NEXT step || ': ' || r || ', rolled back';
			CONTINUE;
		END;
		RETURN NEXT step || ': ' || r || ' ' || CASE WHEN r = (SELECT round(score::numeric, 6) FROM recommend('purchases', 1, seen => true) WHERE item = 'lamp')
			THEN 'as recommend() says' ELSE 'WRONG' END;
	END LOOP;
END $$;
BEGIN;
SELECT steps();
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT steps();
ROLLBACK;
-- without any subtransaction
CREATE FUNCTION changes() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	step int;
BEGIN
	FOR step IN 1 .. 3 LOOP
		IF step = 2 THEN INSERT INTO purchases VALUES (1, 'mat', '2024-05-09', 1); END IF;
		IF step = 3 THEN DELETE FROM purchases WHERE customer_id = 1; END IF;
		RETURN NEXT step || ': ' || round(relevance('purchases', 1, 'lamp')::numeric, 6);
	END LOOP;
END $$;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT changes();
ROLLBACK;
-- a training changes no row and no snapshot
ALTER INDEX bare_s_i_idx SET (sharpness = 3);
CREATE FUNCTION trained() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	step int;
BEGIN
	FOR step IN 1 .. 2 LOOP
		IF step = 2 THEN PERFORM retrain('bare'); END IF;
		RETURN NEXT step || ': ' || round(relevance('bare', 1, 3)::numeric, 6);
	END LOOP;
END $$;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT trained();
ROLLBACK;
-- an insert by a subtransaction that is rolled back, seen and unseen by the same expression
CREATE FUNCTION undone() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	step int;
	r numeric;
BEGIN
	FOR step IN 1 .. 3 LOOP
		BEGIN
			IF step = 2 THEN INSERT INTO purchases VALUES (1, 'mat', '2024-05-09', 1); END IF;
			r := round(relevance('purchases', 1, 'lamp')::numeric, 6);
			IF step = 2 THEN RAISE division_by_zero; END IF;
		EXCEPTION WHEN division_by_zero THEN NULL;
		END;
		RETURN NEXT step || ': ' || r;
	END LOOP;
END $$;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT undone();
ROLLBACK;
-- a cursor keeps its snapshot
BEGIN;
DECLARE c CURSOR FOR SELECT round(relevance('purchases', 1, 'lamp')::numeric, 6) FROM generate_series(1, 4);
FETCH 1 FROM c;
DELETE FROM purchases WHERE customer_id = 1 AND product = 'tent';
FETCH 1 FROM c;
SELECT lamp();
SET LOCAL client_min_messages = warning;
FETCH 1 FROM c;
ROLLBACK;

-- privileges: for each user anew
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA personalize, test_relevance TO regress_reader;
SET ROLE regress_reader;
SELECT refusal($$SELECT relevance('purchases', 1, 'lamp')$$);
SELECT refusal($$SELECT relevances('purchases', 1, '{lamp}')$$);
SELECT refusal($$SELECT explain_recommendation('purchases', 1, 'lamp')$$);
RESET ROLE;
GRANT SELECT ON purchases TO regress_reader;
SET ROLE regress_reader;
SELECT relevance('purchases', 1, 'lamp') > 0 AS allowed;
RESET ROLE;
ALTER TABLE purchases ENABLE ROW LEVEL SECURITY;
SET ROLE regress_reader;
SELECT refusal($$SELECT relevance('purchases', 1, 'lamp')$$);
SELECT refusal($$SELECT explain_recommendation('purchases', 1, 'lamp')$$);
RESET ROLE;
ALTER TABLE purchases DISABLE ROW LEVEL SECURITY;
REVOKE SELECT ON purchases FROM regress_reader;
CREATE FUNCTION as_user(name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('role', name, true);
	RETURN round(relevance('purchases', 1, 'lamp')::numeric, 6);
EXCEPTION WHEN insufficient_privilege THEN
	RETURN 'refused';
END $$;
SELECT as_user(u) FROM unnest('{none,regress_reader,none}'::text[]) WITH ORDINALITY AS x (u, n) ORDER BY n;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;

-- a temporary table, and the index dropped and made anew in between
CREATE TEMP TABLE mine AS TABLE bare;
CREATE INDEX mine_similarity ON mine USING similarity (s, i);
SELECT round(relevance('mine', 1, 3)::numeric, 6) AS relevance, (SELECT count(*) FROM explain_recommendation('mine', 1, 3)) AS contributions;
CREATE FUNCTION anew() RETURNS SETOF numeric LANGUAGE plpgsql AS $$
DECLARE
	step int;
BEGIN
	FOR step IN 1 .. 3 LOOP
		IF step = 2 THEN DROP INDEX mine_similarity; CREATE INDEX ON mine USING similarity (s, i) WITH (neighbors = 1); END IF;
		IF step = 3 THEN REINDEX TABLE mine; END IF;
		RETURN NEXT round(relevance('mine', 2, 3)::numeric, 6);
	END LOOP;
END $$;
SELECT anew();

-- keys of other types
CREATE TABLE kinds (s numeric, u uuid, d date);
INSERT INTO kinds SELECT s, ('00000000-0000-0000-0000-00000000000' || i)::uuid, date '2024-01-01' + i
FROM generate_series(1, 3) s, generate_series(1, 4) i WHERE i <> s;
CREATE INDEX kinds_u ON kinds USING similarity (s, u);
CREATE INDEX kinds_d ON kinds USING similarity (s, d);
SELECT round(relevance('kinds_u', 1.00, '00000000-0000-0000-0000-000000000001')::numeric, 6) AS uuid,
	round(relevance('kinds_d', 1, date '2024-01-02')::numeric, 6) AS date;
SELECT because, pg_typeof(because) FROM explain_recommendation('kinds_u', 1, '00000000-0000-0000-0000-000000000001', item_type => NULL::uuid) ORDER BY 1;
SELECT refusal($$SELECT relevance('kinds_u', 1, 'x')$$);
