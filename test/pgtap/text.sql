-- Measures and normal forms of text: published values, plain recomputations, properties
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_encoding = 'UTF8';

SELECT plan(26);

-- Winkler (1990), and table 6 of Winkler (2006), "Overview of record linkage and current research directions": Jaro's
-- and Winkler's similarity.  The tables write zero for pairs that they hold to be unlike (JON and JAN; HARDIN and
-- MARTINEZ; ITMAN and SMITH); those are left out here.
CREATE TABLE winkler (a text, b text, winkler numeric, jaro numeric);
INSERT INTO winkler VALUES
	('SHACKLEFORD', 'SHACKELFORD', 0.982, 0.970), ('DUNNINGHAM', 'CUNNIGHAM', 0.896, 0.896), ('NICHLESON', 'NICHULSON', 0.956, 0.926),
	('JONES', 'JOHNSON', 0.832, 0.790), ('MASSEY', 'MASSIE', 0.933, 0.889), ('ABROMS', 'ABRAMS', 0.922, 0.889),
	('JERALDINE', 'GERALDINE', 0.926, 0.926), ('MARHTA', 'MARTHA', 0.961, 0.944), ('MICHELLE', 'MICHAEL', 0.921, 0.869),
	('JULIES', 'JULIUS', 0.933, 0.889), ('TANYA', 'TONYA', 0.880, 0.867), ('DWAYNE', 'DUANE', 0.840, 0.822),
	('SEAN', 'SUSAN', 0.805, 0.783), ('JON', 'JOHN', 0.933, 0.917), ('DIXON', 'DICKSONX', 0.813, 0.767);
SELECT is_empty('SELECT a, b, jaro(a, b), jaro FROM winkler WHERE abs(jaro(a, b) - jaro::float8) > 0.000501', 'Jaro''s similarities as published');
SELECT is_empty('SELECT a, b, jaro_winkler(a, b), winkler FROM winkler WHERE abs(jaro_winkler(a, b) - winkler::float8) > 0.000501', 'Winkler''s as well');
SELECT is_empty('SELECT a, b, jaro(a, b), jaro FROM winkler WHERE abs(jaro(lower(a) || ''ß'', lower(b) || ''ß'') - jaro(a || ''x'', b || ''x'')) > 1e-15', 'the same with a character beyond ASCII');

-- From Damerau (1964) on the four errors of a single letter, and from the literature on the distance of more
SELECT is(damerau_levenshtein(a, b), expected, format('%L and %L', a, b)) FROM (VALUES
	('CA', 'ABC', 2), ('a cat', 'an abct', 3), ('kitten', 'sitting', 3), ('Saturday', 'Sunday', 3), ('smtih', 'smith', 1)) v (a, b, expected);

-- Random strings of two to ten different characters, from nothing to 160 long
CREATE FUNCTION draw(seed bigint, length bigint, characters int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(string_agg(substr('abcdeÄß日yz', 1 + ((hashint8extended(i, seed) & 1048575) % characters)::int, 1), '' ORDER BY i), '') FROM generate_series(1, length) i $$;
CREATE TABLE pairs AS
SELECT draw(x, x % 13, 2 + x % 9) AS a, draw(x + 100000, (x / 13) % 13, 2 + x % 9) AS b FROM generate_series(1, 3000) x
UNION ALL
SELECT draw(x, 55 + x % 31, 2 + x % 9), draw(x + 1000, 55 + x % 51, 2 + x % 9) FROM generate_series(1, 40) x
UNION ALL
SELECT draw(x, 150, 2 + x % 9), draw(x, x % 20, 4) || left(draw(x, 150, 2 + x % 9), 70) || draw(x + 7, x % 11, 4) || substr(draw(x, 150, 2 + x % 9), 76) FROM generate_series(1, 40) x;
CREATE TABLE measured AS SELECT a, b, jaro(a, b), jaro_winkler(a, b) AS winkler, damerau_levenshtein(a, b) AS distance FROM pairs;

-- The whole matrix, as Lowrance and Wagner (1975) fill it: cell (i, j) stands at (i + 1) * width + j + 2.
CREATE FUNCTION matrix_distance(a text, b text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	n int := length(a); m int := length(b); width int := length(b) + 2; h int[] := array_fill(1000, ARRAY[(length(a) + 2) * (length(b) + 2)]);
	x text[] := string_to_array(a, NULL); y text[] := string_to_array(b, NULL); rows jsonb := '{}'; k int; l int; seen int;
BEGIN
	FOR i IN 0 .. n LOOP h[(i + 1) * width + 2] := i; END LOOP;
	FOR j IN 0 .. m LOOP h[width + j + 2] := j; END LOOP;
	FOR i IN 1 .. n LOOP
		seen := 0;
		FOR j IN 1 .. m LOOP
			k := coalesce((rows ->> y[j])::int, 0);
			l := seen;
			h[(i + 1) * width + j + 2] := least(h[i * width + j + 1] + (x[i] <> y[j])::int, h[(i + 1) * width + j + 1] + 1, h[i * width + j + 2] + 1,
				CASE WHEN k > 0 AND l > 0 THEN h[k * width + l + 1] + i - k - 1 + 1 + j - l - 1 ELSE 1000 END);
			IF x[i] = y[j] THEN seen := j; END IF;
		END LOOP;
		rows := rows || jsonb_build_object(x[i], i);
	END LOOP;
	RETURN h[(n + 1) * width + m + 2];
END $$;
CREATE FUNCTION plain_jaro(a text, b text) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	n int := length(a); m int := length(b); span int := greatest(greatest(length(a), length(b)) / 2 - 1, 0);
	x text[] := string_to_array(a, NULL); y text[] := string_to_array(b, NULL); taken boolean[] := array_fill(false, ARRAY[length(b)]);
	p text[] := '{}'; q text[] := '{}'; misplaced int := 0; matches float8;
BEGIN
	IF n = 0 OR m = 0 THEN RETURN (n = m)::int; END IF;
	FOR i IN 1 .. n LOOP
		FOR j IN greatest(1, i - span) .. least(m, i + span) LOOP
			IF NOT taken[j] AND x[i] = y[j] THEN taken[j] := true; p := p || x[i]; EXIT; END IF;
		END LOOP;
	END LOOP;
	FOR j IN 1 .. m LOOP IF taken[j] THEN q := q || y[j]; END IF; END LOOP;
	matches := cardinality(p);
	IF matches = 0 THEN RETURN 0; END IF;
	FOR i IN 1 .. matches LOOP misplaced := misplaced + (p[i] <> q[i])::int; END LOOP;
	RETURN (matches / n + matches / m + (matches - misplaced / 2) / matches) / 3;
END $$;
SELECT cmp_ok(count(DISTINCT distance)::int, '>', 40, 'many distances') FROM measured;
SELECT is_empty('SELECT * FROM measured WHERE distance <> matrix_distance(a, b)', 'damerau_levenshtein() as by the matrix');
SELECT is_empty('SELECT * FROM measured WHERE jaro <> plain_jaro(a, b)', 'jaro() as by two loops');
SELECT is_empty($$SELECT * FROM measured WHERE abs(winkler - CASE WHEN jaro <= 0.7 THEN jaro ELSE jaro + 0.1 * (1 - jaro) *
	CASE WHEN least(length(a), length(b)) >= 4 AND left(a, 4) = left(b, 4) THEN 4 WHEN least(length(a), length(b)) >= 3 AND left(a, 3) = left(b, 3) THEN 3
		WHEN least(length(a), length(b)) >= 2 AND left(a, 2) = left(b, 2) THEN 2 WHEN length(b) > 0 AND left(a, 1) = left(b, 1) THEN 1 ELSE 0 END END) > 1e-15$$, 'jaro_winkler() adds for the prefix');
SELECT is_empty('SELECT * FROM measured WHERE jaro <> jaro(b, a) OR winkler <> jaro_winkler(b, a) OR distance <> damerau_levenshtein(b, a)', 'all are symmetric');
SELECT is_empty('SELECT * FROM measured WHERE (distance = 0) <> (a = b) OR (jaro = 1) <> (a = b) OR jaro NOT BETWEEN 0 AND 1 OR winkler NOT BETWEEN jaro AND 1', 'only equal strings are equal; all stay in their range');
SELECT is_empty('SELECT * FROM measured WHERE distance NOT BETWEEN abs(length(a) - length(b)) AND greatest(length(a), length(b))', 'no distance is more than the longer string, or less than the difference');
SELECT is_empty('SELECT 1 FROM (SELECT a, b FROM pairs LIMIT 60) x, (SELECT a AS c FROM pairs OFFSET 100 LIMIT 60) y
	WHERE damerau_levenshtein(a, b) > damerau_levenshtein(a, c) + damerau_levenshtein(c, b)', 'the triangle inequality, which the restricted distance breaks');

-- Long strings, whose distances are known: each edit is far from the others
SELECT is(damerau_levenshtein(a, b), 40, 'few edits in 10,000 characters')
FROM (SELECT string_agg(draw(x, 997, 10) || 'ab', '' ORDER BY x) AS a, string_agg('Q' || left(draw(x, 997, 10), 500) || 'R' || substr(draw(x, 997, 10), 502) || 'ba' || 'S', '' ORDER BY x) AS b FROM generate_series(1, 10) x) s;
SELECT is(damerau_levenshtein(repeat('x', 3000), repeat('y', 3100)), 3100, 'nothing in common');
SELECT is(damerau_levenshtein(repeat('ab', 2000) || 'x', 'x' || repeat('ba', 2000)), 2, 'two ends replaced: what lies between is the same');

-- normal forms of normal forms are the same
CREATE TABLE emails AS SELECT * FROM unnest(ARRAY['Ann <A.N.N+x@GoogleMail.com>', 'mailto:B.ob+y@Outlook.com?subject=x', '+a.b+c@gmail.com', 'a.b@me.com', 'Jürgen@Example.com.', '+.@gmail.com', '+@gmail.com', '+a.@gmail.com']) AS email;
SELECT is_empty('SELECT email, x FROM emails, unnest(ARRAY[false, true]) AS rules, normalize_email(email, rules) AS x WHERE normalize_email(x, rules) IS DISTINCT FROM x', 'e-mail addresses are normal once and for all');
SELECT is(count(*), count(normalize_email(normalize_email(email, true))), '... and still addresses') FROM emails WHERE normalize_email(email) IS NOT NULL;

-- every region: ISO 3166-1 but for Bouvet's like, which have what their states have
CREATE TABLE regions AS SELECT unnest(string_to_array('AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW', ' ')) AS region;
CREATE TABLE numbers AS SELECT region, n, normalize_phone(n, region) AS normal FROM regions, unnest(ARRAY['2345678', '23456789', '234567891', '2345678912']) AS n;
SELECT is(count(DISTINCT region), (SELECT count(*) FROM regions), 'each region knows some of these numbers') FROM numbers WHERE normal IS NOT NULL;
SELECT is_empty('SELECT * FROM numbers WHERE normal !~ ''^[+][1-9][0-9]{6,14}$''', 'each is a plus and 7 to 15 digits');
SELECT is_empty('SELECT * FROM numbers WHERE normal <> normalize_phone(normal) OR normal <> normalize_phone(normal, ''JP'') OR normal <> normalize_phone(''00'' || substr(normal, 2))', 'it is normal wherever it is read');
SELECT is_empty($$SELECT * FROM numbers WHERE normal IS NOT NULL AND region IN ('DE', 'FR', 'GB', 'TR', 'IN', 'BR', 'ZA', 'JP', 'KR', 'AU') AND normal IS DISTINCT FROM normalize_phone('0' || n, region)$$, 'with the trunk zero, or without');

-- which code is whose, from the list of the ITU
SELECT is_empty($$SELECT region, code, normalize_phone('234567891', region) FROM (VALUES
	('EG', 20), ('ZA', 27), ('GR', 30), ('NL', 31), ('BE', 32), ('FR', 33), ('ES', 34), ('HU', 36), ('IT', 39), ('RO', 40), ('CH', 41), ('AT', 43), ('GB', 44), ('SE', 46), ('NO', 47),
	('PL', 48), ('DE', 49), ('PE', 51), ('CU', 53), ('AR', 54), ('BR', 55), ('CL', 56), ('CO', 57), ('VE', 58), ('MY', 60), ('AU', 61), ('ID', 62), ('PH', 63), ('NZ', 64), ('SG', 65), ('TH', 66),
	('JP', 81), ('KR', 82), ('VN', 84), ('CN', 86), ('TR', 90), ('IN', 91), ('PK', 92), ('LK', 94), ('IR', 98), ('MA', 212), ('DZ', 213), ('TN', 216), ('LY', 218), ('SN', 221), ('CI', 225),
	('GH', 233), ('NG', 234), ('CM', 237), ('AO', 244), ('ET', 251), ('KE', 254), ('TZ', 255), ('UG', 256), ('MZ', 258), ('PT', 351), ('LU', 352), ('IE', 353), ('IS', 354), ('AL', 355), ('MT', 356),
	('CY', 357), ('FI', 358), ('BG', 359), ('LV', 371), ('EE', 372), ('MD', 373), ('AM', 374), ('BY', 375), ('UA', 380), ('RS', 381), ('ME', 382), ('HR', 385), ('SI', 386), ('BA', 387), ('MK', 389),
	('CZ', 420), ('SK', 421), ('LI', 423), ('GT', 502), ('SV', 503), ('HN', 504), ('CR', 506), ('PA', 507), ('BO', 591), ('EC', 593), ('PY', 595), ('UY', 598), ('HK', 852), ('KH', 855), ('LA', 856),
	('BD', 880), ('TW', 886), ('LB', 961), ('JO', 962), ('SY', 963), ('IQ', 964), ('KW', 965), ('SA', 966), ('YE', 967), ('OM', 968), ('AE', 971), ('IL', 972), ('BH', 973), ('QA', 974),
	('NP', 977), ('TJ', 992), ('AZ', 994), ('GE', 995), ('KG', 996), ('UZ', 998)) v (region, code) WHERE normalize_phone('234567891', region) IS DISTINCT FROM '+' || code || '234567891'$$, 'calling codes');

SELECT * FROM finish();
ROLLBACK;
