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
