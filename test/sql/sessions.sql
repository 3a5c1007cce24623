-- recommend_session(), similar_subjects(), item postings and directed models: what a user types and sees
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = public, personalize;
SET TimeZone = 'UTC';

CREATE TABLE visits (visitor int, page text, at timestamptz);
INSERT INTO visits VALUES
	(1, 'home', '2024-01-01 10:00'), (1, 'shoes', '2024-01-01 10:01'), (1, 'boots', '2024-01-01 10:02'),
	(2, 'home', '2024-01-02 10:00'), (2, 'shoes', '2024-01-02 10:01'), (2, 'socks', '2024-01-02 10:02'),
	(3, 'home', '2024-01-03 10:00'), (3, 'hats', '2024-01-03 10:01'),
	(4, 'hats', NULL), (4, 'gloves', '2024-01-04 10:00'), (5, 'belts', '2024-01-05 10:00');

-- ---- without item postings ----

CREATE INDEX visits_similarity ON visits USING similarity (visitor, page) INCLUDE (at);
SELECT item_posting_bytes FROM similarity_stats('visits');
SELECT * FROM recommend_session('visits', '{home,shoes}');
SELECT subject, round(score::numeric, 4) AS score, shared FROM similar_subjects('visits', 1);
CREATE INDEX timeless ON visits USING similarity (visitor, page) WITH (postings = on);
SELECT * FROM recommend_session('timeless', '{home,shoes}');
SELECT subject, round(score::numeric, 4) AS score, shared FROM similar_subjects('timeless', 1);
DROP INDEX timeless;

-- ---- when they come and go ----

ALTER INDEX visits_similarity SET (postings = on);
SELECT * FROM recommend_session('visits', '{home,shoes}');
SELECT retrain('visits');
REINDEX INDEX visits_similarity;
SELECT item_posting_bytes > 0 AS kept FROM similarity_stats('visits');
SELECT retrain('visits');
SELECT item, round(score::numeric, 4) AS score, because, reason FROM recommend_session('visits', '{home,shoes}', 3);
ALTER INDEX visits_similarity SET (postings = off);
SELECT retrain('visits');
SELECT item, round(score::numeric, 4) AS score, because, reason FROM recommend_session('visits', '{home,shoes}', 3);
ALTER INDEX visits_similarity SET (postings = on);
ALTER INDEX visits_similarity SET (postings = perhaps);
CREATE SCHEMA "Other";
CREATE TABLE "Other"."Visits" AS TABLE visits;
CREATE INDEX "Odd name" ON "Other"."Visits" USING similarity (visitor, page) INCLUDE (at);
SELECT * FROM recommend_session('"Other"."Visits"', '{home}');

-- ---- arguments of recommend_session() ----

SELECT pg_typeof(item), pg_typeof(because), count(*) FROM recommend_session('visits', '{home}', NULL::text, k => 2) GROUP BY 1, 2;
SELECT item, reason FROM recommend_session('visits', ARRAY['home', 'shoes'], 10, seen => true);
SELECT item, reason FROM recommend_session('visits', '{home,shoes}', among => '{socks,belts,home,nothing}');
SELECT item, reason FROM recommend_session('visits', '{home,shoes}', among => '{}');
SELECT item, reason FROM recommend_session('visits', '{home,shoes}', 2, exclude => '{socks,boots}');
SELECT item, because FROM recommend_session('visits', '{home,shoes}', recent_sessions => 1) WHERE reason = 'similar';
SELECT item, because FROM recommend_session('visits', '{home,shoes}', neighbors => 1) WHERE reason = 'similar';
SELECT item, because FROM recommend_session('visits', '{home,shoes}', recent_sessions => NULL, neighbors => NULL, k => 1);
-- nothing to go by: what is popular
SELECT item, because, reason FROM recommend_session('visits', '{}', 1);
SELECT item, because, reason FROM recommend_session('visits', NULL::text[], 1);
SELECT item, because, reason FROM recommend_session('visits', '{unheard of,NULL}', 1);
SELECT * FROM recommend_session('visits', '{home}', 0);
SELECT * FROM recommend_session('visits', '{home}', NULL::int);
SELECT * FROM recommend_session('visits', '{home}', -1);
SELECT * FROM recommend_session('visits', '{home}', recent_sessions => 0);
SELECT * FROM recommend_session('visits', '{home}', neighbors => -5);
SELECT * FROM recommend_session('visits', '{home}', NULL::int, k => 1);
SELECT * FROM recommend_session(NULL, '{home}');
SELECT * FROM recommend_session('pg_class', '{home}');
-- a match that is further back than nine clicks counts for nothing
SELECT item, reason FROM recommend_session('visits', '{shoes,a,b,c,d,e,f,g,h}', 1);
SELECT item, reason FROM recommend_session('visits', '{shoes,a,b,c,d,e,f,g,h,i}', 1);

-- ---- what the snapshot sees ----

BEGIN;
INSERT INTO visits VALUES (6, 'shoes', '2024-01-06'), (6, 'laces', '2024-01-06');
SELECT item FROM recommend_session('visits', '{shoes}', 10) WHERE reason = 'similar';
SELECT subject, shared FROM similar_subjects('visits', 6);
DELETE FROM visits WHERE visitor = 2;
SELECT item FROM recommend_session('visits', '{shoes}', 10) WHERE reason = 'similar';
ROLLBACK;
SELECT item FROM recommend_session('visits', '{shoes}', 10) WHERE reason = 'similar';
VACUUM (INDEX_CLEANUP ON) visits;
SELECT item FROM recommend_session('visits', '{shoes}', 10) WHERE reason = 'similar';

-- ---- arguments of similar_subjects() ----

SELECT subject, round(score::numeric, 4) AS score, shared FROM similar_subjects('visits', 1);
SELECT pg_typeof(subject), subject FROM similar_subjects('visits', 1, NULL::int, 1);
SELECT * FROM similar_subjects('visits', 5);
SELECT * FROM similar_subjects('visits', 77);
SELECT * FROM similar_subjects('visits', NULL::int);
SELECT * FROM similar_subjects('visits', 1, 0);
SELECT * FROM similar_subjects('visits', 1, -1);
SELECT * FROM similar_subjects('visits', 1, k => NULL);
SELECT * FROM similar_subjects('visits', 1, subject_type => NULL::text);
SELECT * FROM similar_subjects('visits', 'one');
SELECT * FROM similar_subjects(NULL, 1);

-- ---- who may ----

CREATE ROLE regress_session_reader;
GRANT USAGE ON SCHEMA personalize TO regress_session_reader;
SET ROLE regress_session_reader;
SELECT * FROM recommend_session('visits', '{home}');
SELECT * FROM similar_subjects('visits', 1);
RESET ROLE;
GRANT SELECT (visitor, page, at) ON visits TO regress_session_reader;
SET ROLE regress_session_reader;
SELECT item FROM recommend_session('visits', '{home}', 1);
SELECT subject FROM similar_subjects('visits', 1, 1);
RESET ROLE;
ALTER TABLE visits ENABLE ROW LEVEL SECURITY;
SET ROLE regress_session_reader;
SELECT * FROM recommend_session('visits', '{home}');
SELECT * FROM similar_subjects('visits', 1);
RESET ROLE;
ALTER TABLE visits DISABLE ROW LEVEL SECURITY;

-- ---- directed models ----

CREATE INDEX ON visits USING similarity (visitor, page) WITH (direction = forward);
CREATE INDEX ON visits USING similarity (visitor, page) INCLUDE (at) WITH (direction = forward, method = ridge);
CREATE INDEX ON visits USING similarity (visitor, page) INCLUDE (at) WITH (direction = forward, low_pass = 0.5);
CREATE INDEX ON visits USING similarity (visitor, page) INCLUDE (at) WITH (direction = backward);
CREATE INDEX ON visits USING similarity (visitor, page) INCLUDE (at) WITH (direction = forward, forward_window = 0);
CREATE INDEX ON visits USING similarity (visitor, page) INCLUDE (at) WITH (direction = forward, forward_decay = 1.1);
CREATE INDEX ON visits USING similarity (visitor, page) INCLUDE (at) WITH (direction = forward, backward_weight = -1);
CREATE INDEX directed ON visits USING similarity (visitor, page) INCLUDE (at) WITH (direction = forward, backward_weight = 0, method = cooccurrence);
SELECT item, round(score::numeric, 4) AS score, support FROM similar_items('directed', 'home');
SELECT item, support FROM similar_items('directed', 'boots');
DROP INDEX directed;
CREATE INDEX undirected ON visits USING similarity (visitor, page);
ALTER INDEX undirected SET (direction = forward);
SELECT retrain('undirected');
REINDEX INDEX undirected;
VACUUM visits;
INSERT INTO visits VALUES (8, 'home', '2024-01-08'), (8, 'boots', '2024-01-08');
VACUUM visits;
DROP INDEX undirected;
SELECT item, support FROM similar_items('visits', 'boots');

DROP TABLE visits;
DROP TABLE "Other"."Visits";
DROP SCHEMA "Other";
REVOKE ALL ON SCHEMA personalize FROM regress_session_reader;
DROP ROLE regress_session_reader;
