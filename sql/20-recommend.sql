/* What reads a similarity index: doc/recommend.md */

CREATE FUNCTION recommend(
	source regclass,
	subject anycompatible,
	k int DEFAULT 10,
	seen boolean DEFAULT false,
	among "any" DEFAULT NULL,
	exclude "any" DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item text, score float8, because text, reason text)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_recommend';

COMMENT ON FUNCTION recommend(regclass, anycompatible, int, boolean, "any", "any", interval) IS
'the k items that a subject most likely wants, from its history in a similarity index';

CREATE FUNCTION recommend(
	source regclass,
	subject anycompatible,
	item_type anyelement,
	k int DEFAULT 10,
	seen boolean DEFAULT false,
	among "any" DEFAULT NULL,
	exclude "any" DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item anyelement, score float8, because anyelement, reason text)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_recommend_typed';

COMMENT ON FUNCTION recommend(regclass, anycompatible, anyelement, int, boolean, "any", "any", interval) IS
'recommend() with items in the type of item_type instead of text';

CREATE FUNCTION recommend_at(
	relation oid,
	source regclass,
	subject anycompatible,
	k int DEFAULT 10,
	seen boolean DEFAULT false,
	among "any" DEFAULT NULL,
	exclude "any" DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item text, score float8, because text, reason text)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_recommend_at';

COMMENT ON FUNCTION recommend_at(oid, regclass, anycompatible, int, boolean, "any", "any", interval) IS
'recommend() by the model of one partition or shard, for queries that run there';

CREATE FUNCTION recommend_at(
	relation oid,
	source regclass,
	subject anycompatible,
	item_type anyelement,
	k int DEFAULT 10,
	seen boolean DEFAULT false,
	among "any" DEFAULT NULL,
	exclude "any" DEFAULT NULL,
	half_life interval DEFAULT NULL)
RETURNS TABLE (item anyelement, score float8, because anyelement, reason text)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_recommend_at_typed';

COMMENT ON FUNCTION recommend_at(oid, regclass, anycompatible, anyelement, int, boolean, "any", "any", interval) IS
'recommend_at() with items in the type of item_type instead of text';

CREATE FUNCTION recommend_from(
	source regclass,
	items anycompatiblearray,
	k int DEFAULT 10,
	seen boolean DEFAULT false,
	among "any" DEFAULT NULL,
	exclude "any" DEFAULT NULL)
RETURNS TABLE (item text, score float8, because text, reason text)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_recommend_from';

COMMENT ON FUNCTION recommend_from(regclass, anycompatiblearray, int, boolean, "any", "any") IS
'the k items that go best with the given ones, such as a basket or a session';

CREATE FUNCTION recommend_from(
	source regclass,
	items anycompatiblearray,
	item_type anyelement,
	k int DEFAULT 10,
	seen boolean DEFAULT false,
	among "any" DEFAULT NULL,
	exclude "any" DEFAULT NULL)
RETURNS TABLE (item anyelement, score float8, because anyelement, reason text)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_recommend_from_typed';

COMMENT ON FUNCTION recommend_from(regclass, anycompatiblearray, anyelement, int, boolean, "any", "any") IS
'recommend_from() with items in the type of item_type instead of text';

CREATE FUNCTION similar_items(
	source regclass,
	item anycompatible,
	k int DEFAULT 10)
RETURNS TABLE (item text, score float8, support bigint)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 500 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_similar_items';

COMMENT ON FUNCTION similar_items(regclass, anycompatible, int) IS
'the k items most similar to an item, by the subjects that have both';

CREATE FUNCTION similar_items(
	source regclass,
	item anycompatible,
	item_type anyelement,
	k int DEFAULT 10)
RETURNS TABLE (item anyelement, score float8, support bigint)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 500 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_similar_items_typed';

COMMENT ON FUNCTION similar_items(regclass, anycompatible, anyelement, int) IS
'similar_items() with items in the type of item_type instead of text';

CREATE FUNCTION trending(
	source regclass,
	k int DEFAULT 10,
	half_life interval DEFAULT NULL,
	as_of timestamptz DEFAULT now())
RETURNS TABLE (item text, score float8, recent float8, before float8)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 20000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_trending';

COMMENT ON FUNCTION trending(regclass, int, interval, timestamptz) IS
'the k items of most recent interactions, each halving in weight every half_life';

CREATE FUNCTION trending(
	source regclass,
	item_type anyelement,
	k int DEFAULT 10,
	half_life interval DEFAULT NULL,
	as_of timestamptz DEFAULT now())
RETURNS TABLE (item anyelement, score float8, recent float8, before float8)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 20000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_trending_typed';

COMMENT ON FUNCTION trending(regclass, anyelement, int, interval, timestamptz) IS
'trending() with items in the type of item_type instead of text';

CREATE FUNCTION evaluate(
	source regclass,
	k int DEFAULT 20,
	holdout text DEFAULT 'random',
	share float8 DEFAULT 0.1,
	seed int DEFAULT 0,
	subjects int DEFAULT 2000,
	against regclass DEFAULT NULL)
RETURNS TABLE (
	contender text,
	recall float8,
	ndcg float8,
	hit_rate float8,
	mrr float8,
	"precision" float8,
	coverage float8,
	covered_items bigint,
	gini float8,
	novelty float8,
	evaluated_subjects bigint,
	held_out bigint,
	sampled float8,
	parameters jsonb)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000000 ROWS 3
AS 'MODULE_PATHNAME', 'personalize_evaluate';

COMMENT ON FUNCTION evaluate(regclass, int, text, float8, int, int, regclass) IS
'how well a similarity index, another one, and popularity find interactions that are held out';

CREATE FUNCTION evaluation_lists(
	source regclass,
	k int DEFAULT 20,
	holdout text DEFAULT 'random',
	share float8 DEFAULT 0.1,
	seed int DEFAULT 0,
	subjects int DEFAULT 2000,
	against regclass DEFAULT NULL)
RETURNS TABLE (
	contender text,
	subject text,
	rank int,
	item text,
	score float8,
	held_out boolean)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000000 ROWS 100000
AS 'MODULE_PATHNAME', 'personalize_evaluation_lists';

COMMENT ON FUNCTION evaluation_lists(regclass, int, text, float8, int, int, regclass) IS
'the lists that evaluate() judges, and what was held out: an item that is not on the list has no rank';
