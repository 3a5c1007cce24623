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
