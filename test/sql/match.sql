-- Matching of records: models, training, pairs, and what goes wrong.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = public, personalize;

CREATE TABLE people (id int PRIMARY KEY, first_name text, surname text, born date, town text, email text);
INSERT INTO people VALUES
	(1, 'Anna', 'Lindqvist', '1980-04-12', 'Uppsala', 'anna.l@example.org'),
	(2, 'Ana', 'Lindqvist', '1980-12-04', 'Uppsala', NULL),
	(3, 'Lindqvist', 'Anna', '1980-04-12', 'uppsala ', 'anna.l@example.org'),
	(4, 'Robert', 'O''Brien', '1975-01-30', 'Cork', 'rob@example.org'),
	(5, 'Bob', 'OBrien', '1975-01-30', 'Cork', 'rob@example.com'),
	(6, 'Jürgen', 'Groß', '1990-07-01', 'Köln', NULL),
	(7, 'Jurgen', 'Gross', '1990-07-01', 'Koln', 'jg@example.org'),
	(8, 'Maria', 'Silva', NULL, 'Porto', 'unknown'),
	(9, 'Joao', 'Silva', '2001-02-03', 'Porto', 'joao@example.org'),
	(10, NULL, NULL, NULL, NULL, NULL);

-- a model is suggested, and can be read
SELECT jsonb_pretty(match_model('people', 'id') - 'blocking');
SELECT jsonb_array_elements(match_model('people', 'id') -> 'blocking') AS rule LIMIT 5;
-- columns may be given kinds, or left out
SELECT c ->> 'column' AS "column", c ->> 'kind' AS kind
FROM jsonb_array_elements(match_model('people', 'id', '{"email": null, "town": "category"}') -> 'comparisons') c;

-- a model worked by hand: prior 1/1025, so odds 1 : 1024
CREATE TABLE by_hand (model jsonb);
INSERT INTO by_hand VALUES ('{
	"id": "id",
	"comparisons": [
		{"column": "first_name", "kind": "name", "with": "surname", "levels": [
			{"level": "equal", "m": 0.5, "u": 0.0078125}, {"level": "swapped", "m": 0.0625, "u": 0.00003051757812500},
			{"level": "nickname", "m": 0.125, "u": 0.0078125}, {"level": "edits 1", "m": 0.25, "u": 0.015625},
			{"level": "else", "m": 0.0625, "u": 0.96871948}]},
		{"column": "surname", "kind": "name", "term_frequency": true, "levels": [
			{"level": "equal", "m": 0.75, "u": 0.01171875}, {"level": "edits 1", "m": 0.125, "u": 0.0078125},
			{"level": "else", "m": 0.125, "u": 0.98046875}]},
		{"column": "born", "kind": "date", "levels": [
			{"level": "equal", "m": 0.5, "u": 0.0009765625}, {"level": "day_month", "m": 0.25, "u": 0.00048828125},
			{"level": "else", "m": 0.25, "u": 0.998535}]}],
	"blocking": [["born"], ["soundex(surname)"]],
	"prior": 0.000975609756097561}');
-- 4 + 6 + 9 - 10, without frequencies
SELECT id_a, id_b, round(weight::numeric, 6) AS weight, round(probability::numeric, 6) AS probability, jsonb_pretty(explain) AS explain
FROM by_hand, match_compare(model, to_jsonb((SELECT p FROM people p WHERE id = 1)), to_jsonb((SELECT p FROM people p WHERE id = 2)));
-- swapped: 11 for both names, and the date
SELECT round(weight::numeric, 6) AS weight, explain -> 'first_name' ->> 'level' AS first_name, explain -> 'surname' ->> 'level' AS surname
FROM by_hand, match_compare(model, '{"first_name": "Anna", "surname": "Lindqvist", "born": "12 April 1980"}',
	'{"first_name": "Lindqvist", "surname": "Anna", "born": "1980-04-12"}');
-- a nickname; apostrophes, accents and capital letters do not count; nothing is known of a date
SELECT round(weight::numeric, 6) AS weight, explain
FROM by_hand, match_compare(model, '{"first_name": "ROBERT", "surname": "O''Brien"}', '{"first_name": "Bob", "surname": "obrien", "born": "unknown"}');
-- nothing in common but missing values: the prior
SELECT round(weight::numeric, 6) AS weight, probability FROM by_hand, match_compare(model, '{}', '{}');

-- all pairs of a relation, with the frequency of the surname
SELECT id_a, id_b, round(weight::numeric, 3) AS weight, round(probability::numeric, 4) AS probability,
	explain -> 'first_name' ->> 'level' AS first_name, explain -> 'surname' ->> 'level' AS surname, explain -> 'born' ->> 'level' AS born,
	round((explain -> 'surname' ->> 'term_frequency')::numeric, 4) AS frequency
FROM by_hand, match_pairs(model, 'people', threshold => 0) ORDER BY weight DESC, id_a, id_b;
-- what explains a pair adds up to its weight
SELECT count(*) AS pairs, count(*) FILTER (WHERE abs(weight - (SELECT sum((value ->> 'weight')::float8) FROM jsonb_each(explain))) < 1e-9) AS add_up
FROM by_hand, match_pairs(model, 'people', threshold => 0);
SELECT id_a, id_b FROM by_hand, match_pairs(model, 'people') ORDER BY 1, 2;
-- between two relations
CREATE VIEW others AS SELECT 100 + id AS id, first_name, surname, to_char(born, 'DD/MM/YYYY') AS born FROM people WHERE id > 3;
SELECT id_a, id_b, explain -> 'born' ->> 'level' AS born FROM by_hand, match_pairs(model, 'people', 'others', 0.9) ORDER BY 1, 2;

-- a block that is too large is left out, and named; its pairs are found by other rules
SELECT id_a, id_b FROM by_hand, match_pairs(model || '{"block_limit": 2, "blocking": [["year(born)"], ["born"]]}', 'people', threshold => 0) ORDER BY 1, 2;

-- training: too little data says little, but works, and is the same in any order of rows
SELECT (t ->> 'prior')::float8 BETWEEN 0.02 AND 0.2 AS prior, t -> 'training' ->> 'pairs' AS pairs
FROM match_train(match_model('people', 'id'), 'people') t;
CREATE TABLE backwards AS SELECT * FROM people ORDER BY id DESC;
SELECT match_train(match_model('people', 'id'), 'people') = match_train(match_model('backwards', 'id'), 'backwards') AS same;

-- what cannot be: models
SELECT match_compare('[]', '{}', '{}');
SELECT match_compare('{}', '{}', '{}');
SELECT match_compare('{"id": 1}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparison": []}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": []}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"kind": "name"}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "nom"}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name", "weight": 2}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name"}, {"column": "a", "kind": "text"}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name", "with": "b"}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name", "term_frequency": 1}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name", "levels": ["equal", "similar", "else"]}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name", "levels": ["equal", "edits", "else"]}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name", "levels": ["equal", "jaro_winkler 2", "else"]}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name", "levels": ["edits 1", "else"]}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name", "levels": ["equal", "else", "else"]}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name", "levels": ["equal", "swapped", "else"]}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name", "levels": [{"level": "equal", "m": 0.9}, "else"]}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name", "levels": [{"level": "equal", "m": 0.9, "u": 0}, "else"]}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name", "levels": [{"level": "equal", "m": 0.9, "u": 0.1}, "else"]}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name"}], "prior": 0.1}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name"}], "block_limit": 1}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name"}], "blocking": ["a"]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name"}], "blocking": [[]]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name"}], "blocking": [["b"]]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name"}], "blocking": [["metaphone(a)"]]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name"}], "related": {"friends": 0.1}}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name"}], "prior": 0.5, "related": {"household": 0.5}}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "a", "kind": "name"}]}', '{}', '{}');
SELECT match_compare('{"id": "id", "comparisons": [{"column": "prior", "kind": "name"}]}', '{}', '{}');
-- arguments
SELECT match_compare(NULL, '{}', '{}');
SELECT match_compare(model, NULL, '{}') FROM by_hand;
SELECT match_compare(model, '[1]', '{}') FROM by_hand;
SELECT match_compare(model, '{"surname": ["Silva"]}', '{}') FROM by_hand;
SELECT match_model(NULL, 'id');
SELECT match_model('people', NULL);
SELECT match_model('people', 'number');
SELECT match_model('people', 'id', '[]');
SELECT match_model('people', 'id', '{"city": "text"}');
SELECT match_model('people', 'id', '{"town": "place"}');
SELECT match_model('people', 'id', '{"town": 1}');
SELECT * FROM match_pairs('{"id": "id", "comparisons": [{"column": "town", "kind": "text"}], "blocking": [["town"]]}', 'people');
SELECT match_train('{"id": "id", "comparisons": [{"column": "town", "kind": "text"}]}', 'people');
SELECT match_train('{"id": "id", "comparisons": [{"column": "city", "kind": "text"}], "blocking": [["city"]]}', 'people');
SELECT match_train(match_model('people', 'id'), 'people', max_pairs => 0);
SELECT match_train(match_model('people', 'id'), NULL);
SELECT count(*) FROM by_hand, match_pairs(model, 'people', threshold => 1.5);
SELECT count(*) FROM by_hand, match_pairs(model, 'people', threshold => NULL);
-- records
CREATE TABLE nobody (LIKE people);
SELECT match_model('nobody', 'id');
SELECT match_train(match_model('people', 'id'), 'nobody');
SELECT count(*) FROM by_hand, match_pairs(model, 'nobody');
INSERT INTO nobody SELECT (people).* FROM people, generate_series(1, 2) WHERE id = 4;
SELECT count(*) FROM by_hand, match_pairs(model, 'nobody');
ALTER TABLE nobody ALTER id DROP NOT NULL;
UPDATE nobody SET id = NULL;
SELECT count(*) FROM by_hand, match_pairs(model, 'nobody');
-- memory
SET maintenance_work_mem = '1MB';
SELECT count(*) FROM by_hand, match_pairs(model, 'people');
RESET maintenance_work_mem;
-- rights are the caller's
CREATE ROLE regress_match_stranger;
GRANT USAGE ON SCHEMA personalize TO regress_match_stranger;
SET ROLE regress_match_stranger;
\set SHOW_CONTEXT never
SELECT personalize.match_model('people', 'id');
RESET ROLE;
REVOKE USAGE ON SCHEMA personalize FROM regress_match_stranger;
DROP ROLE regress_match_stranger;

DROP VIEW others;
DROP TABLE people, backwards, by_hand, nobody;
