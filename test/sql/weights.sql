-- strength and age in training
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;

CREATE TABLE weighed (s int, i int, at timestamptz, n int);
INSERT INTO weighed VALUES (1, 1, '2026-01-01', 1), (1, 2, '2026-01-02', 2), (2, 1, '2026-01-03', 3), (2, 2, NULL, NULL);
CREATE INDEX weighed_bad ON weighed USING similarity (s, i) WITH (strength_scale = square);
CREATE INDEX weighed_bad ON weighed USING similarity (s, i) WITH (training_half_life = 'a while');
CREATE INDEX weighed_bad ON weighed USING similarity (s, i) WITH (training_half_life = '-1 day');
CREATE INDEX weighed_bad ON weighed USING similarity (s, i) WITH (training_half_life = '0');
CREATE INDEX weighed_bad ON weighed USING similarity (s, i) INCLUDE (n) WITH (training_half_life = '30 days');
CREATE INDEX weighed_bad ON weighed USING similarity (s, i) INCLUDE (at) WITH (training_strength = on);
CREATE INDEX weighed_bad ON weighed USING similarity (s, i) WITH (training_strength = perhaps);
-- nor on an empty table
CREATE TABLE weighed_empty (LIKE weighed);
CREATE INDEX weighed_bad ON weighed_empty USING similarity (s, i) WITH (training_half_life = '30 days');
CREATE INDEX weighed_bad ON weighed_empty USING similarity (s, i) WITH (training_strength = on);
DROP TABLE weighed_empty;

-- set later, they hold from the next training on, which must not fail
CREATE INDEX weighed_similarity ON weighed USING similarity (s, i);
ALTER INDEX weighed_similarity SET (training_half_life = '30 days', training_strength = on);
SELECT personalize.retrain('weighed');
DROP INDEX weighed_similarity;

-- without a time, as old as can be: the pair of subject 2 hardly counts, but is one
CREATE INDEX weighed_similarity ON weighed USING similarity (s, i) INCLUDE (at, n)
	WITH (training_half_life = '1 day', training_strength = on, strength_scale = raw);
SELECT item, score, support FROM personalize.similar_items('weighed', 1);

-- no time at all: none is older than another
UPDATE weighed SET at = NULL;
REINDEX INDEX weighed_similarity;
SELECT item, score, support FROM personalize.similar_items('weighed', 1);
DROP TABLE weighed;
