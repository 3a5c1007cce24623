-- Matching of what is unlike the tables it was made for, and by models edited by hand.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = public, personalize;

-- words in other than Latin letters are compared by the hundred thousand in little memory (kB, where the system tells)
CREATE TABLE cyrillic AS
SELECT i AS id, (SELECT string_agg(translate(substr(md5(i::text || w), 1, 8), '0123456789abcdef', 'абвгдежзийклмноп'), ' ') FROM generate_series(1, 3) w) AS name
FROM generate_series(1, 700) i;
CREATE FUNCTION peak() RETURNS int LANGUAGE sql VOLATILE AS
$$ SELECT coalesce(substring(pg_read_file('/proc/self/status', 0, 100000, true) FROM 'VmHWM:\s+(\d+)')::int, 0) $$;
SELECT peak() AS before \gset
SELECT match_train('{"id": "id", "comparisons": [{"column": "name", "kind": "full_name"}], "blocking": [["prefix(name)"]]}', 'cyrillic') -> 'training' -> 'pairs' AS pairs;
SELECT peak() - :before < 40000 AS in_little_memory;

-- two columns that each name the other: swapped counts once
SELECT explain -> 'a' ->> 'level' AS a, explain -> 'b' ->> 'level' AS b, round(weight::numeric, 3) AS weight
FROM match_compare('{"id": "id", "prior": 0.5, "comparisons": [
	{"column": "a", "kind": "name", "with": "b", "levels": [{"level": "equal", "m": 0.5, "u": 0.25}, {"level": "swapped", "m": 0.25, "u": 0.125}, {"level": "else", "m": 0.25, "u": 0.625}]},
	{"column": "b", "kind": "name", "with": "a", "levels": [{"level": "equal", "m": 0.5, "u": 0.25}, {"level": "swapped", "m": 0.25, "u": 0.125}, {"level": "else", "m": 0.25, "u": 0.625}]}]}',
	'{"a": "Anna", "b": "Berg"}', '{"a": "Berg", "b": "Anna"}');

-- m of all levels is 1 however few there are
CREATE TABLE few AS SELECT i AS id, 'Ann' || i % 50 AS a, 'Lee' || i % 7 AS b FROM generate_series(1, 200) i;
SELECT levels, round((SELECT sum((l ->> 'm')::numeric) FROM jsonb_path_query(trained, '$.comparisons[0].levels[*]') l), 4) AS m
FROM unnest(ARRAY['["equal", "else"]', '["equal", "words 1", "else"]', '["equal", "words 1", "words 0.5", "else"]']) AS levels,
	match_train(format('{"id": "id", "comparisons": [{"column": "a", "kind": "full_name", "levels": %s}, {"column": "b", "kind": "name"}], "blocking": [["a"]]}', levels)::jsonb, 'few') AS trained;

-- training leaves levels as they are, to the last digit
SELECT jsonb_path_query_array(match_train('{"id": "id", "comparisons": [{"column": "id", "kind": "number", "levels": ["equal", "within 1234567", "within 0.1", "jaro_winkler 0.9234567", "else"]}],
	"blocking": [["prefix(id)"]]}', 'few'), '$.comparisons[0].levels[*].level') AS levels;

-- a wide relation, where every column would have several keys
SELECT format('CREATE TABLE wide AS SELECT i AS id, %s FROM generate_series(1, 300) i', string_agg(format('(i * %s %% 97) || '' old mill '' || i * %s %% 91 AS a%s', k * 7 + 1, k * 13 + 5, k), ', '))
FROM generate_series(1, 16) k \gexec
SELECT jsonb_array_length(model -> 'comparisons') AS comparisons, jsonb_array_length(model -> 'blocking') > 0 AS has_rules FROM match_model('wide', 'id') AS model;

-- a collation by which letters of either size are the same (where there is ICU), which regular expressions do not take
DO $$ BEGIN
	CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
EXCEPTION WHEN feature_not_supported THEN
	CREATE COLLATION any_case FROM "C";
END $$;
CREATE TABLE collated AS
SELECT i AS id, ('name' || i % 50) COLLATE any_case AS surname, to_char(date '1950-01-01' + i % 97 * 175, 'MM/DD/YYYY') COLLATE any_case AS born
FROM generate_series(1, 300) i;
SELECT c ->> 'column' AS "column", c ->> 'kind' AS kind FROM jsonb_array_elements(match_model('collated', 'id') -> 'comparisons') c;
SELECT match_train('{"id": "id", "comparisons": [{"column": "surname", "kind": "name"}, {"column": "born", "kind": "date"}], "blocking": [["surname"]]}', 'collated') -> 'training' -> 'pairs' AS pairs;

-- a view whose function finds its table by the caller's search path; operators of the caller's are not asked
CREATE FUNCTION name_of(int) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT a FROM few WHERE id = $1); END $$;
CREATE VIEW by_function AS SELECT id, name_of(id) AS first_name, b FROM few;
CREATE SCHEMA other;
CREATE FUNCTION other.fails(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not this one'; END $$;
CREATE OPERATOR other.~ (LEFTARG = text, RIGHTARG = text, FUNCTION = other.fails);
CREATE OPERATOR other.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = other.fails);
SET search_path = other, public, personalize, pg_catalog;
SELECT c ->> 'column' AS "column", c ->> 'kind' AS kind FROM jsonb_array_elements(match_model('by_function', 'id') -> 'comparisons') c;
SET search_path = public, personalize;

-- an id of whatever name: the first rows by it are looked at
CREATE TABLE numbered AS SELECT i AS v, CASE WHEN i > 25000 THEN 'Ann' ELSE 'Lee' || i % 100 END AS surname FROM generate_series(1, 50000) i;
SELECT jsonb_array_length(match_model('numbered', 'v') -> 'comparisons') AS comparisons;

-- two records are compared in next to no memory
SET maintenance_work_mem = '1MB';
SELECT round(probability::numeric, 6) AS probability FROM match_compare('{"id": "id", "prior": 0.5, "comparisons": [{"column": "a", "kind": "name", "levels": [{"level": "equal", "m": 0.75, "u": 0.25}, {"level": "else", "m": 0.25, "u": 0.75}]}]}', '{"a": "Ann"}', '{"a": "ann"}');
RESET maintenance_work_mem;

-- spaces, dashes and accents that are not of ASCII, and the same without them
SELECT kind, a, explain -> 'a' ->> 'level' AS level
FROM (VALUES ('name', U&'Anna \2013 Maria', 'Anna - Maria'), ('name', U&'Anna\00A0Maria', 'anna maria'), ('name', U&'Jose\0301', 'José'), ('name', U&'O\2019Brien', 'obrien'),
	('text', U&'\00D7 Stadt', 'stadt'), ('phone', U&'030\00A0123\201345\202F67', '030 1234567'), ('code', U&'AB\20131\00A02', 'ab12'), ('email', U&'a\2010b@example.org', 'a-b@example.org')) v (kind, a, b),
	match_compare(format('{"id": "id", "prior": 0.5, "comparisons": [{"column": "a", "kind": "%s", "levels": [{"level": "equal", "m": 0.75, "u": 0.25}, {"level": "else", "m": 0.25, "u": 0.75}]}]}', kind)::jsonb,
		jsonb_build_object('a', a), jsonb_build_object('a', b));

-- relations that are none
SELECT match_train('{"id": "id", "comparisons": [{"column": "a", "kind": "name"}], "blocking": [["a"]]}', 0::regclass);
SELECT match_train('{"id": "id", "comparisons": [{"column": "a", "kind": "name"}], "blocking": [["a"]]}', 'few', '-');

-- certain as far as a number can tell
CREATE TABLE certain AS SELECT * FROM (VALUES (1, 'ann', 'lee'), (2, 'ann', 'lee'), (3, 'ann', 'kim')) v (id, a, b);
SELECT id_a, id_b, round(weight) AS weight, probability FROM match_pairs('{"id": "id", "prior": 0.5, "blocking": [["a"]],
	"comparisons": [{"column": "a", "kind": "name", "levels": [{"level": "equal", "m": 0.9, "u": 1e-9}, {"level": "else", "m": 0.1, "u": 1}]},
		{"column": "b", "kind": "name", "levels": [{"level": "equal", "m": 0.9, "u": 1e-9}, {"level": "else", "m": 0.1, "u": 1}]}]}', 'certain', threshold => 1);
