/* Scores of items that the caller chooses, and their reasons: doc/recommend.md */

CREATE FUNCTION relevance(
	source regclass,
	subject anycompatible,
	item "any",
	half_life interval DEFAULT NULL)
RETURNS float8
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100
AS 'MODULE_PATHNAME', 'personalize_relevance';

COMMENT ON FUNCTION relevance(regclass, anycompatible, "any", interval) IS
'the score that recommend() has for an item, 0 without one; to rank what a query finds';

CREATE FUNCTION relevances(
	source regclass,
	subject anycompatible,
	items "any",
	half_life interval DEFAULT NULL)
RETURNS float8[]
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000
AS 'MODULE_PATHNAME', 'personalize_relevances';

COMMENT ON FUNCTION relevances(regclass, anycompatible, "any", interval) IS
'relevance() of each element of an array';

CREATE FUNCTION explain_recommendation(
	source regclass,
	subject anycompatible,
	item "any",
	half_life interval DEFAULT NULL)
RETURNS TABLE (because text, at timestamptz, similarity float8, contribution float8)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_explain_recommendation';

COMMENT ON FUNCTION explain_recommendation(regclass, anycompatible, "any", interval) IS
'what each item of a subject''s history adds to the score of an item';

CREATE FUNCTION explain_recommendation(
	source regclass,
	subject anycompatible,
	item "any",
	item_type anyelement,
	half_life interval DEFAULT NULL)
RETURNS TABLE (because anyelement, at timestamptz, similarity float8, contribution float8)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_explain_recommendation_typed';

COMMENT ON FUNCTION explain_recommendation(regclass, anycompatible, "any", anyelement, interval) IS
'explain_recommendation() with items in the type of item_type instead of text';
