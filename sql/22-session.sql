/* What reads the postings of items: doc/recommend.md */

CREATE FUNCTION recommend_session(
	source regclass,
	items anycompatiblearray,
	k int DEFAULT 10,
	seen boolean DEFAULT false,
	among "any" DEFAULT NULL,
	exclude "any" DEFAULT NULL,
	recent_sessions int DEFAULT 500,
	neighbors int DEFAULT 100)
RETURNS TABLE (item text, score float8, because text, reason text)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 20000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_recommend_session';

COMMENT ON FUNCTION recommend_session(regclass, anycompatiblearray, int, boolean, "any", "any", int, int) IS
'the k items that come in the recent sessions most similar to the given one, whose items are oldest first (VMIS-kNN)';

CREATE FUNCTION recommend_session(
	source regclass,
	items anycompatiblearray,
	item_type anyelement,
	k int DEFAULT 10,
	seen boolean DEFAULT false,
	among "any" DEFAULT NULL,
	exclude "any" DEFAULT NULL,
	recent_sessions int DEFAULT 500,
	neighbors int DEFAULT 100)
RETURNS TABLE (item anyelement, score float8, because anyelement, reason text)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 20000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_recommend_session_typed';

COMMENT ON FUNCTION recommend_session(regclass, anycompatiblearray, anyelement, int, boolean, "any", "any", int, int) IS
'recommend_session() with items in the type of item_type instead of text';

CREATE FUNCTION similar_subjects(
	source regclass,
	subject anycompatible,
	k int DEFAULT 10)
RETURNS TABLE (subject text, score float8, shared bigint)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 200000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_similar_subjects';

COMMENT ON FUNCTION similar_subjects(regclass, anycompatible, int) IS
'the k subjects whose items are most like those of a subject';

CREATE FUNCTION similar_subjects(
	source regclass,
	subject anycompatible,
	subject_type anyelement,
	k int DEFAULT 10)
RETURNS TABLE (subject anyelement, score float8, shared bigint)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 200000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_similar_subjects_typed';

COMMENT ON FUNCTION similar_subjects(regclass, anycompatible, anyelement, int) IS
'similar_subjects() with subjects in the type of subject_type instead of text';
