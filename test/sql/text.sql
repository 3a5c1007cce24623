-- Measures and normal forms of text: what a user types and sees
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET client_encoding = 'UTF8';
SET search_path = public, personalize;
\set VERBOSITY default

-- every function of this part has a comment, and is declared as it is
SELECT p.oid::regprocedure AS function, provolatile::text || proparallel::text || CASE WHEN proisstrict THEN 's' ELSE '' END AS declared,
	obj_description(p.oid, 'pg_proc') IS NOT NULL AS comment
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'personalize')
WHERE proname IN ('jaro', 'jaro_winkler', 'damerau_levenshtein', 'normalize_email', 'normalize_phone')
ORDER BY p.oid::regprocedure::text COLLATE "C";

--
-- jaro, jaro_winkler
--
SELECT jaro('MARTHA', 'MARHTA'), jaro_winkler('MARTHA', 'MARHTA');
SELECT round(jaro('DWAYNE', 'DUANE')::numeric, 3) AS jaro, round(jaro_winkler('DWAYNE', 'DUANE')::numeric, 3) AS winkler,
	round(jaro_winkler('DWAYNE', 'DUANE', 0.2)::numeric, 3) AS heavier, round(jaro_winkler('DWAYNE', 'DUANE', prefix_weight => 0)::numeric, 3) AS jaro;

-- no more than four characters of a prefix; and none where the strings are unlike
SELECT round(jaro_winkler('abcdefgh', 'abcdxxgh')::numeric, 4) AS four, round(jaro_winkler('abcdefgh', 'abcdexgh')::numeric, 4) AS five;
SELECT round(jaro('abcxxxxx', 'abcyyyyy')::numeric, 4) AS unlike, jaro('abcxxxxx', 'abcyyyyy') = jaro_winkler('abcxxxxx', 'abcyyyyy') AS not_raised;

-- characters, not bytes; case and accents are differences
SELECT jaro('Müller', 'Mueller'), jaro('Jürgen', 'Jrügen'), jaro('ürgen', 'urgen'), jaro('ANN', 'ann'), jaro('日本語', '日本語'), jaro('日本語', '日語本');

-- nothing, and null
SELECT jaro('', '') AS equal, jaro('', 'a') AS none, jaro('a', '') AS none, jaro_winkler('', '') AS equal, jaro_winkler('a', '') AS none;
SELECT jaro(NULL, 'a'), jaro('a', NULL), jaro_winkler(NULL, 'a'), jaro_winkler('a', NULL), jaro_winkler('a', 'b', NULL);

SELECT jaro_winkler('a', 'b', 0.3);
SELECT jaro_winkler('a', 'b', -0.1);
SELECT jaro_winkler('a', 'b', 'NaN');
SELECT jaro_winkler('a', 'b', 'infinity');

--
-- damerau_levenshtein
--
SELECT damerau_levenshtein('CA', 'ABC'), damerau_levenshtein('Smith', 'Simth'), damerau_levenshtein('kitten', 'sitting'), damerau_levenshtein('a cat', 'an abct'),
	damerau_levenshtein('Jürgen', 'Jrügen'), damerau_levenshtein('日本語', '日語本');
SELECT damerau_levenshtein('', ''), damerau_levenshtein('', 'abc'), damerau_levenshtein('abc', ''), damerau_levenshtein('same', 'same');
SELECT damerau_levenshtein(NULL, 'a'), damerau_levenshtein('a', NULL);

-- ten thousand characters, with nothing in common, with everything, and cancelled
SELECT damerau_levenshtein(repeat('a', 10000), repeat('b', 10000)), damerau_levenshtein(repeat('ab', 5000), repeat('ba', 5000)),
	damerau_levenshtein(repeat('ä', 10000), repeat('ä', 9000) || repeat('ö', 1000)), damerau_levenshtein('', repeat('x', 1000000));
SELECT jaro(repeat('ab', 5000), repeat('ba', 5000)) > 0.66, jaro(repeat('a', 10000), repeat('b', 10000)), jaro(repeat('ä', 1000000), repeat('ä', 1000000));
SET statement_timeout = '200ms';
SELECT damerau_levenshtein(repeat('abcdefghij', 30000), repeat('jihgfedcba', 30000));
RESET statement_timeout;

--
-- normalize_email
--
SELECT email, normalize_email(email), normalize_email(email, provider_rules => true) AS by_provider
FROM (VALUES
	('Ann@Example.COM'),
	(E' \t ann@example.com \r\n'),
	('Ann Smith <Ann@Example.com>'),
	('"Smith, Ann" <ann@example.com>'),
	('ann@example.com <ann@example.com>'),
	('<ann@example.com>'),
	('mailto:ann@example.com?subject=Hello'),
	('<MAILTO:ann@example.com>'),
	('ann@example.com.'),
	('a.nn+news@example.com'),
	('A.nn+News@Gmail.com'),
	('a.n.n@googlemail.com'),
	('a.nn+x+y@outlook.com'),
	('ann-news@yahoo.com'),
	('a.nn+x@me.com'),
	('ann+x@mac.com'),
	('ann+x@icloud.com'),
	('ann+x@fastmail.fm'),
	('ann+x@proton.me'),
	('+ann@gmail.com'),
	('+a.b+c@gmail.com'),
	('ann+x@mail.gmail.com'),
	('jürgen@müller.example'),
	('JÜRGEN@EXAMPLE.COM'),
	('o''neil!#$%&*/=?^_`{|}~-@ex-ample.co.uk'),
	('ann@xn--mller-kva.example'),
	('1@2.example')) v (email);

-- none of these is one
SELECT email, normalize_email(email) FROM (VALUES
	(''), (' '), ('@'), ('ann'), ('ann@'), ('@example.com'), ('ann@example'), ('ann@localhost'), ('ann@@example.com'), ('ann@b@example.com'),
	('.ann@example.com'), ('ann.@example.com'), ('a..nn@example.com'), ('an n@example.com'), ('ann@exa mple.com'), ('ann@-example.com'), ('ann@example-.com'),
	('ann@.example.com'), ('ann@example..com'), ('ann@example.com..'), ('ann@example_1.com'), ('ann@[192.168.0.1]'), ('ann@192.168.0.1'), ('"ann b"@example.com'),
	('ann@example.com, bob@example.com'), ('<ann@example.com>, <bob@example.com>'), ('ann@example.com, Bob <bob@example.com>'), ('ann@example.com>'), ('Ann <ann@example.com'),
	('ann(work)@example.com'), ('<>'), ('mailto:'), ('null'), (E'ann\x01@example.com'), (NULL)) v (email)
WHERE normalize_email(email) IS NOT NULL OR email IS NULL;

-- the longest that there are
SELECT normalize_email(repeat('a', 64) || '@example.com') IS NOT NULL AS local_64, normalize_email(repeat('a', 65) || '@example.com') IS NULL AS local_65,
	normalize_email('a@' || repeat('b', 63) || '.com') IS NOT NULL AS label_63, normalize_email('a@' || repeat('b', 64) || '.com') IS NULL AS label_64,
	normalize_email('a@' || repeat('b.', 124) || 'com') IS NOT NULL AS all_253, normalize_email('a@' || repeat('b.', 125) || 'co') IS NOT NULL AS all_254,
	normalize_email('a@' || repeat('b.', 125) || 'com') IS NULL AS all_255;
SELECT normalize_email('ann@example.com', NULL), normalize_email(repeat('a', 1000000));

--
-- normalize_phone
--
SELECT phone, region, normalize_phone(phone, region) FROM (VALUES
	('+49 30 123456', NULL),
	('+49 (0)30 123456', NULL),
	('(+49) 030/123-456', NULL),
	('0049 30 123456', NULL),
	('+0049 30 123456', NULL),
	('tel:+49-30-123456', NULL),
	('030 123456', NULL),
	('030 123456', 'DE'),
	('030 123456', 'de'),
	('30 123456', 'DE'),
	('0043 1 58858', 'DE'),
	('+49 30 123456 ext. 12', NULL),
	('+49 30 123456 x12', NULL),
	('+49 30 123456#12', NULL),
	('tel:+49-30-123456;ext=12', NULL),
	('+49 30 123456 extension: 1 2', NULL),
	('(212) 555-2368', 'US'),
	('1-212-555-2368', 'US'),
	('+1 212.555.2368', NULL),
	('011 49 30 123456', 'US'),
	('00 49 30 123456', 'US'),
	('555-2368', 'US'),
	('012 555 2368', 'US'),
	('112 555 2368', 'US'),
	('020 7946 0018', 'GB'),
	('+44 (0) 20 7946 0018', 'US'),
	('06 698 12345', 'IT'),
	('+39 06 698 12345', NULL),
	('01 23 45 67 89', 'FR'),
	('1 23 45 67 8', 'FR'),
	('8 (495) 123-45-67', 'RU'),
	('7 495 123 45 67', 'RU'),
	('800 123 45 67', 'RU'),
	('8 800 123 45 67', 'RU'),
	('8 10 49 30 123456', 'RU'),
	('06 1 234 5678', 'HU'),
	('+36 06 1 234 5678', NULL),
	('+52 1 55 1234 5678', NULL),
	('0011 49 30 123456', 'AU'),
	('010 1 212 555 2368', 'JP'),
	('02-312-3456', 'KR'),
	('00700 49 30 123456', 'KR'),
	('8 029 123-45-67', 'BY'),
	('029 123-45-67', 'BY'),
	('8 801 123 4567', 'BY'),
	('8 66 905 01 23', 'UZ'),
	('011 44 12 34', 'GA'),
	('0027 11 555 1234', 'TW'),
	('002 49 30 123456', 'TW'),
	('+225 01 23 45 67 89', NULL),
	('+883 5100 1234', NULL),
	('+683 4000', NULL)) v (phone, region);

-- signs that programs put in: no-break and invisible spaces, dashes, full width and other digits
SELECT normalize_phone(U&'\202A+49\00A030\2011123456\202C'), normalize_phone(U&'\FF0B\FF14\FF19 30 123456'), normalize_phone(U&'\0660\0660\0664\0669 \06F3\06F0 123456');

-- none of these can be one
SELECT phone, region, normalize_phone(phone, region) FROM (VALUES
	('', NULL), (' ', 'DE'), ('+', 'DE'), ('+49', NULL), ('110', 'DE'), ('+1 212 555 236', NULL), ('+1 212 555 23680', NULL), ('+49 30 1234567890123', NULL),
	('030 123456 or 030 123457', 'DE'), ('030 123456, 030 123457', 'DE'), ('1-800-FLOWERS', 'US'), ('unknown', 'DE'), ('0000000000', 'DE'), ('0000000', 'US'),
	('49+30 123456', 'DE'), ('++49 30 123456', NULL), ('010 999 30 123456', 'JP'), ('01 44 12 34', 'GA'), ('+999 30 123456', NULL), ('+210 30 123456', NULL), ('123456789012345678901234567890123456', 'DE'),
	('x12', 'DE'), ('030 123456 x', 'DE'), ('030 123456 xyz', 'DE'), ('*100#', 'DE'), (NULL, 'DE'), (NULL, NULL)) v (phone, region)
WHERE normalize_phone(phone, region) IS NOT NULL OR phone IS NULL;

SELECT normalize_phone('030 123456', 'UK');
SELECT normalize_phone('+49 30 123456', '');
SELECT normalize_phone('+49 30 123456', 'Germany');
SELECT normalize_phone(NULL, 'Germany');
