-- Properties of matching, on people made up for it: what was simulated is found again, whatever the order of rows.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;

SELECT plan(20);

CREATE FUNCTION draw(x bigint, seed int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9007199254740991) + 0.5) / 9007199254740992 $$;
-- a made-up word, one of so many
CREATE FUNCTION word(n int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT string_agg(substr('bdfgklmnprstvz', 1 + (hashint8extended(n, i) & 1023)::int % 14, 1) || substr('aeiou', 1 + (hashint8extended(n, 10 + i) & 1023)::int % 5, 1), '')
	FROM generate_series(1, 3 + n % 2) i $$;

-- Fields that are equal or not: u by the number of values, m by how often the second record has another one.
-- 4,000 people, every fourth twice.
CREATE TABLE simulated AS
SELECT person * 2 + copy AS id, person,
	word(CASE WHEN copy = 1 AND draw(person, 11) < 0.10 THEN (draw(person, 12) * 50)::int ELSE (draw(person, 1) * 50)::int END) AS given_name,
	word(1000 + CASE WHEN copy = 1 AND draw(person, 13) < 0.20 THEN (draw(person, 14) * 500)::int ELSE (draw(person, 2) * 500)::int END) AS surname,
	word(3000 + CASE WHEN copy = 1 AND draw(person, 15) < 0.30 THEN (draw(person, 16) * 200)::int ELSE (draw(person, 3) * 200)::int END) AS town,
	CASE WHEN draw(person * 2 + copy, 19) > 0.1 THEN
	word(5000 + CASE WHEN copy = 1 AND draw(person, 17) < 0.05 THEN (draw(person, 18) * 2000)::int ELSE (draw(person, 4) * 2000)::int END) END AS email
FROM generate_series(1, 4000) person, generate_series(0, 1) copy WHERE copy = 0 OR person % 4 = 0;
CREATE TABLE model AS SELECT '{"id": "id", "comparisons": [
	{"column": "given_name", "kind": "name", "levels": ["equal", "else"]}, {"column": "surname", "kind": "name", "levels": ["equal", "else"]},
	{"column": "town", "kind": "text", "levels": ["equal", "else"]}, {"column": "email", "kind": "code", "levels": ["equal", "else"]}],
	"blocking": [["surname"], ["email"], ["given_name", "town"]]}'::jsonb AS plain;
ALTER TABLE model ADD trained jsonb;
UPDATE model SET trained = match_train(plain, 'simulated');
CREATE FUNCTION probability(which text, of text) RETURNS float8 LANGUAGE sql STABLE AS $$
	SELECT (c -> 'levels' -> 0 ->> which)::float8 FROM model, jsonb_array_elements(trained -> 'comparisons') c WHERE c ->> 'column' = of $$;
CREATE FUNCTION observed(of text, same boolean) RETURNS float8 LANGUAGE plpgsql STABLE AS $$
DECLARE
	result float8;
BEGIN
	EXECUTE format('SELECT avg((a.%1$I = b.%1$I)::int) FROM simulated a JOIN simulated b ON a.id < b.id AND %2$s',
		of, CASE WHEN same THEN 'a.person = b.person' ELSE 'a.person <> b.person AND a.person % 7 = 0' END) INTO result;
	RETURN result;
END $$;
SELECT ok(abs(probability('m', c) - observed(c, true)) < 0.035, format('m of %s: %s, in truth %s', c, round(probability('m', c)::numeric, 3), round(observed(c, true)::numeric, 3)))
FROM unnest('{given_name,surname,town,email}'::text[]) c;
SELECT ok(abs(probability('u', c) / observed(c, false) - 1) < 0.15, format('u of %s: %s, in truth %s', c, round(probability('u', c)::numeric, 6), round(observed(c, false)::numeric, 6)))
FROM unnest('{given_name,surname,town,email}'::text[]) c;
SELECT ok(abs((trained ->> 'prior')::float8 / (1000 / (5000 * 4999 / 2.0)) - 1) < 0.05, 'the prior is the share of matches among all pairs, not among candidates: ' || (trained ->> 'prior'))
FROM model;

-- as the pairs say, so it is
CREATE TABLE scored AS
SELECT p.*, a.person = b.person AS is_match FROM model, match_pairs(trained, 'simulated', threshold => 0) p
	JOIN simulated a ON a.id = id_a::int JOIN simulated b ON b.id = id_b::int;
SELECT ok(count(*) > 100 AND abs(avg(probability) - avg(is_match::int)) < 0.1, 'calibrated from .1 to .9: ' || round(avg(probability)::numeric, 2) || ' promised, ' || round(avg(is_match::int), 2) || ' are')
FROM scored WHERE probability BETWEEN 0.1 AND 0.9;
SELECT ok(bool_and(abs(weight - (SELECT sum((value ->> 'weight')::float8) FROM jsonb_each(explain))) < 1e-9), 'what explains a weight adds up to it') FROM scored;
SELECT ok(bool_and(abs(probability - 1 / (1 + 2 ^ (-weight))) < 1e-12), 'the probability is that of the weight') FROM scored;
-- the candidates, each once
SELECT set_eq('SELECT id_a::int, id_b::int FROM scored', 'SELECT a.id, b.id AS other FROM simulated a JOIN simulated b ON a.id < b.id
	AND (a.surname = b.surname OR a.email = b.email OR (a.given_name, a.town) = (b.given_name, b.town))', 'the pairs of the blocking rules');
SELECT is((SELECT count(*) FROM scored), (SELECT count(DISTINCT (id_a, id_b)) FROM scored), '... each once');

-- neither the order of rows nor the place of the table counts
CREATE TABLE shuffled AS SELECT * FROM simulated ORDER BY draw(id, 77);
SELECT is(match_train(plain, 'shuffled'), trained, 'training does not depend on the order of rows') FROM model;
SELECT set_eq('SELECT p FROM model, match_pairs(trained, ''shuffled'', threshold => 0.2) p',
	'SELECT p FROM model, match_pairs(trained, ''simulated'', threshold => 0.2) p', '... nor do pairs');

-- Families: brothers and sisters share surname, address, town and telephone, and are many more than the matches.
CREATE TABLE families AS
SELECT person * 2 + copy AS id, person,
	word(CASE WHEN copy = 1 AND draw(person, 31) < 0.08 THEN (draw(person, 32) * 120)::int ELSE (draw(person, 33) * 120)::int END) AS first_name,
	word(1000 + (draw(person / 4, 34) ^ 2 * 800)::int) AS last_name,
	date '1950-01-01' + (draw(CASE WHEN copy = 1 AND draw(person, 35) < 0.08 THEN person + 100000 ELSE person END, 36) * 20000)::int AS birth_date,
	(1 + draw(person / 4, 37) * 90)::int || ' ' || word(3000 + (draw(person / 4, 38) * 300)::int) || CASE WHEN copy = 1 THEN ' St' ELSE ' Street' END AS address,
	word(5000 + (draw(person / 4, 39) * 100)::int) AS town,
	(20000 + (draw(person / 4, 39) * 100)::int)::text AS postcode
FROM generate_series(0, 3999) person, generate_series(0, 1) copy WHERE copy = 0 OR draw(person, 40) < 0.2;
CREATE TABLE family_pairs AS
SELECT p.*, a.person = b.person AS is_match
FROM match_pairs(match_train(match_model('families', 'id', '{"person": null}'), 'families'), 'families') p
	JOIN families a ON a.id = id_a::int JOIN families b ON b.id = id_b::int;
SELECT cmp_ok((SELECT round(2.0 * count(*) FILTER (WHERE is_match) / (count(*) + (SELECT count(*) FROM families WHERE id % 2 = 1)), 3) FROM family_pairs), '>=', 0.9,
	'members of a family are not taken for one person');
SELECT ok(bool_and((explain -> 'related' ->> 'weight')::float8 <= 0), 'what related people share counts against a match') FROM family_pairs;

-- where nobody is there twice, nothing is found, or next to nothing
CREATE TABLE strangers AS SELECT * FROM families WHERE id % 2 = 0;
SELECT cmp_ok(count(*), '<', 200::bigint, 'families without duplicates: so few of 4000 people in pairs: ' || count(*))
FROM match_pairs(match_train(match_model('strangers', 'id', '{"person": null}'), 'strangers'), 'strangers');

-- A register with much that is wrong or missing, so that many pairs stay doubtful.  What they promise is what they are.
CREATE TABLE register AS
SELECT person * 2 + copy AS id, person,
	CASE WHEN draw(key, 51) > .1 THEN word(CASE WHEN draw(key, 52) < .1 THEN (draw(key, 53) ^ 2 * 150)::int ELSE (draw(person, 54) ^ 2 * 150)::int END) END AS first_name,
	word(1000 + CASE WHEN draw(key, 55) < .1 THEN (draw(key, 56) ^ 2 * 600)::int ELSE (draw(person, 57) ^ 2 * 600)::int END) AS last_name,
	CASE WHEN draw(key, 58) > .15 THEN date '1950-01-01' + CASE WHEN draw(key, 59) < .1 THEN (draw(key, 60) * 15000)::int ELSE (draw(person, 61) * 15000)::int END END AS birth_date,
	CASE WHEN draw(key, 62) > .1 THEN word(5000 + CASE WHEN draw(key, 63) < .15 THEN (draw(key, 64) ^ 2 * 200)::int ELSE (draw(person, 65) ^ 2 * 200)::int END) END AS town
FROM generate_series(0, 5999) person, generate_series(0, 1) copy, LATERAL (SELECT person * 2 + copy AS key) k WHERE copy = 0 OR person % 3 = 0;
CREATE TABLE register_pairs AS SELECT p.*, a.person = b.person AS is_match
FROM match_pairs(match_train(match_model('register', 'id', '{"person": null}'), 'register'), 'register', threshold => 0.05) p
	JOIN register a ON a.id = id_a::int JOIN register b ON b.id = id_b::int;
SELECT ok(count(*) > 150 AND abs(avg(probability) - avg(is_match::int)) < 0.15, 'with defaults calibrated from .5 to .9: '
	|| round(avg(probability)::numeric, 2) || ' promised, ' || round(avg(is_match::int), 2) || ' of ' || count(*) || ' are')
FROM register_pairs WHERE probability BETWEEN 0.5 AND 0.9;

SELECT * FROM finish();
ROLLBACK;
