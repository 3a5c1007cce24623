/* How alike two strings are, and normal forms of identifiers: doc/text.md */

CREATE FUNCTION jaro(a text, b text) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_jaro';

COMMENT ON FUNCTION jaro(text, text) IS
'the similarity of Jaro between two strings: 1 for equal ones, 0 for such that share nothing nearby';

CREATE FUNCTION jaro_winkler(a text, b text, prefix_weight float8 DEFAULT 0.1) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_jaro_winkler';

COMMENT ON FUNCTION jaro_winkler(text, text, float8) IS
'jaro(), and where that is above 0.7, more for each of up to four first characters that are alike';

CREATE FUNCTION damerau_levenshtein(a text, b text) RETURNS int
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_damerau_levenshtein';

COMMENT ON FUNCTION damerau_levenshtein(text, text) IS
'the fewest insertions, deletions, substitutions and swaps of neighbours that make one string of the other, without restriction';

CREATE FUNCTION normalize_email(email text, provider_rules boolean DEFAULT false) RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2
AS 'MODULE_PATHNAME', 'personalize_normalize_email';

COMMENT ON FUNCTION normalize_email(text, boolean) IS
'the normal form of an e-mail address, NULL where the text is none; by rules of large providers too, if wanted';

CREATE FUNCTION normalize_phone(phone text, default_region text DEFAULT NULL) RETURNS text
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2
AS 'MODULE_PATHNAME', 'personalize_normalize_phone';

COMMENT ON FUNCTION normalize_phone(text, text) IS
'a telephone number as in E.164, such as +4930123456, NULL where the text cannot be one';
