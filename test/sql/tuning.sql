-- tune(), evaluate() and what is told of a choice: surface, errors, privileges
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = public, personalize;

SELECT p.oid::regprocedure, provolatile, proparallel, proisstrict, prorows,
	obj_description(p.oid, 'pg_proc') <> '' AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
WHERE proname IN ('tune', 'evaluate', 'evaluation_lists', 'similarity_stats', 'similarity_candidates')
ORDER BY p.oid::regprocedure::text COLLATE "C";

CREATE TABLE bought (customer int, product text, at date);
INSERT INTO bought VALUES (1, 'tent', '2024-05-01'), (1, 'stove', '2024-05-02'), (1, 'lamp', '2024-05-03'),
	(2, 'tent', '2024-05-02'), (2, 'stove', '2024-05-04'), (3, 'tent', '2024-05-02'), (3, 'lamp', '2024-05-05'), (4, 'mat', '2024-05-01');
CREATE INDEX bought_similarity ON bought USING similarity (customer, product) INCLUDE (at);

-- a table this small is trained by the defaults
\x
SELECT method, parameters, chosen_by, validation_ndcg, validation_recall, validation_subjects, validation_held_out,
	candidates, candidates_left_out, tuning_sampled, tuning_budget, tuning_cost
FROM similarity_stats('bought');
\x
SELECT * FROM similarity_candidates('bought');
SELECT * FROM tune('bought');
SELECT * FROM tune('bought', apply => true);
SELECT reloptions FROM pg_class WHERE relname = 'bought_similarity';

-- each customer's last purchase, from what is left of the others'
SELECT * FROM evaluation_lists('bought', k => 2, holdout => 'last');
SELECT contender, recall, ndcg, hit_rate, mrr, "precision", coverage, covered_items, round(gini::numeric, 6) AS gini,
	round(novelty::numeric, 6) AS novelty, evaluated_subjects, held_out, sampled, parameters ->> 'method' AS method
FROM evaluate('bought', k => 2, holdout => 'last');

-- nothing to hold out
CREATE TABLE single (s int, i int);
INSERT INTO single SELECT x, x FROM generate_series(1, 10) x;
CREATE INDEX single_similarity ON single USING similarity (s, i);
SELECT contender, recall, ndcg, coverage, gini, novelty, evaluated_subjects, held_out FROM evaluate('single');
SELECT * FROM evaluation_lists('single');

-- untrained
CREATE TABLE nobody (s int, i int);
CREATE INDEX nobody_similarity ON nobody USING similarity (s, i);
SELECT method, parameters, chosen_by, candidates FROM similarity_stats('nobody');
SELECT contender, recall, evaluated_subjects FROM evaluate('nobody');
SELECT * FROM tune('nobody');

-- what cannot be
SELECT * FROM evaluate(NULL);
SELECT * FROM evaluate('single', k => 0);
SELECT * FROM evaluate('single', k => NULL);
SELECT * FROM evaluate('single', k => 100000);
SELECT * FROM evaluate('single', holdout => 'first');
SELECT * FROM evaluate('single', holdout => NULL);
SELECT * FROM evaluate('single', holdout => 'last');
SELECT * FROM evaluate('single', share => 0);
SELECT * FROM evaluate('single', share => 1);
SELECT * FROM evaluate('single', share => 'NaN');
SELECT * FROM evaluate('single', seed => -1);
SELECT * FROM evaluate('single', subjects => 0);
SELECT * FROM evaluate('bought', against => 'single');
SELECT * FROM evaluate('single', against => 'pg_class');
SELECT * FROM evaluation_lists('single', holdout => 'last');
SELECT * FROM tune(NULL);
SELECT * FROM tune('bought', budget => 0);
SELECT * FROM tune('bought', budget => 'Infinity');
SELECT * FROM similarity_candidates(NULL);
CREATE INDEX failed ON single USING similarity (s, i) WITH (tuning_budget = -1);
BEGIN READ ONLY;
SELECT count(*) FROM tune('bought');
SELECT * FROM tune('bought', apply => true);
ROLLBACK;

-- who may
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA personalize TO regress_reader;
GRANT SELECT ON bought TO regress_reader;
SET ROLE regress_reader;
SELECT count(*) FROM evaluate('bought');
SELECT count(*) FROM similarity_candidates('bought');
SELECT count(*) FROM tune('bought');
SELECT count(*) FROM evaluate('single');
SELECT count(*) FROM similarity_candidates('single');
RESET ROLE;
ALTER TABLE bought ENABLE ROW LEVEL SECURITY;
SET ROLE regress_reader;
SELECT count(*) FROM evaluate('bought');
SELECT count(*) FROM evaluation_lists('bought');
RESET ROLE;

-- a choice, applied and taken back
CREATE TABLE played AS
SELECT x % 300 AS s, (x * x + x / 300 * 7) % 97 * (1 + x % 3) % 97 AS i FROM generate_series(1, 6000) x;
CREATE INDEX played_similarity ON played USING similarity (s, i) WITH (method = cooccurrence, low_pass = 0, tuning_budget = 5);
SELECT chosen_by, candidates > 20 AS candidates, validation_ndcg BETWEEN 0 AND 1 AS ndcg FROM similarity_stats('played');
BEGIN;
SELECT count(*) = 1 AS applied FROM tune('played', apply => true) WHERE chosen;
SELECT array_length(reloptions, 1) FROM pg_class WHERE relname = 'played_similarity';
ROLLBACK;
SELECT reloptions FROM pg_class WHERE relname = 'played_similarity';
DO $$ BEGIN PERFORM FROM tune('played', apply => true); END $$;
SELECT array_length(reloptions, 1) FROM pg_class WHERE relname = 'played_similarity';

DROP TABLE bought, single, nobody, played;
REVOKE USAGE ON SCHEMA personalize FROM regress_reader;
DROP ROLE regress_reader;
