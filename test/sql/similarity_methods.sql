-- Methods of training: what is refused, and what is done where memory is short.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = public, personalize;
CREATE TABLE methods (s int, i int);
INSERT INTO methods
SELECT x % 2500, (x::bigint * 7919 + x / 2500 * 13) % 3000 FROM generate_series(1, 20000) x;

CREATE INDEX ON methods USING similarity (s, i) WITH (method = magic);
CREATE INDEX ON methods USING similarity (s, i) WITH (ridge_penalty = 0);
CREATE INDEX ON methods USING similarity (s, i) WITH (ridge_sources = 501);
CREATE INDEX ON methods USING similarity (s, i) WITH (two_step_weight = 2.5);
CREATE INDEX ON methods USING similarity (s, i) WITH (two_step_neighbors = 0);
CREATE INDEX ON methods USING similarity (s, i) WITH (low_pass = -1);
CREATE INDEX ON methods USING similarity (s, i) WITH (low_pass_factors = 1025);
CREATE INDEX ON methods USING similarity (s, i) WITH (low_pass_spectrum = 3);
CREATE INDEX ON methods USING similarity (s, i) WITH (seed = -1);

-- less memory than a method takes
SET maintenance_work_mem = '1MB';
CREATE INDEX methods_similarity ON methods USING similarity (s, i) WITH (method = sharpened, tuning_budget = 0);
ALTER INDEX methods_similarity SET (method = ridge);
SELECT retrain('methods');
ALTER INDEX methods_similarity SET (method = sharpened, two_step_neighbors = 5, low_pass = 1);
SELECT retrain('methods');
SET maintenance_work_mem = '2MB';
SELECT retrain('methods');

-- what was left out does without: the same lists as when it is not asked for
CREATE FUNCTION lists() RETURNS numeric LANGUAGE sql AS $$
	SELECT sum(hash_record_extended((x.i, l.item, l.score, l.support), 7)::numeric)
	FROM (SELECT DISTINCT i FROM methods) x, similar_items('methods', x.i, 1000) l $$;
SET maintenance_work_mem = '1MB';
SELECT retrain('methods');
SELECT lists() AS without \gset
SET maintenance_work_mem = '64MB';
ALTER INDEX methods_similarity SET (low_pass = 0);
SELECT retrain('methods');
SELECT lists() = :without AS equal;

-- with enough, nothing is said, and the seed decides where factors are fewer than items
ALTER INDEX methods_similarity SET (low_pass = 1, low_pass_factors = 8);
SELECT retrain('methods');
SELECT lists() AS first \gset
SELECT retrain('methods');
SELECT lists() = :first AS "same seed";
ALTER INDEX methods_similarity SET (seed = 1);
SELECT retrain('methods');
SELECT lists() = :first AS "another seed";

-- a training can be cancelled in any of its steps
ALTER INDEX methods_similarity SET (low_pass_factors = 1024);
SET statement_timeout = '200ms';
SELECT retrain('methods');
RESET statement_timeout;
DROP TABLE methods;
