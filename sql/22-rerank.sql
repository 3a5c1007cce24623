/* Lists made of other lists: doc/recommend.md */

CREATE TYPE item_list AS (name text, items text[], weight float8);

COMMENT ON TYPE item_list IS
'items in an order, the best first, for blend()';

COMMENT ON COLUMN item_list.name IS 'what the list is called among the sources of a blended item';
COMMENT ON COLUMN item_list.items IS 'the items as text, the best first';
COMMENT ON COLUMN item_list.weight IS 'how much the list counts; NULL is 1';

CREATE FUNCTION item_list(
	name text,
	items anycompatiblearray,
	weight float8 DEFAULT 1)
RETURNS item_list
LANGUAGE sql STABLE PARALLEL SAFE COST 10
AS 'SELECT ROW(name, items::pg_catalog.text[], weight)::@extschema@.item_list';

COMMENT ON FUNCTION item_list(text, anycompatiblearray, float8) IS
'a list for blend(): its name, its items of any type, the best first, and how much it counts';

CREATE FUNCTION blend(
	lists item_list[],
	k int DEFAULT 10,
	smoothing float8 DEFAULT 60)
RETURNS TABLE (item text, score float8, sources text[])
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_blend';

COMMENT ON FUNCTION blend(item_list[], int, float8) IS
'one list of k items from several, by reciprocal rank fusion';

CREATE FUNCTION blend(
	lists item_list[],
	item_type anyelement,
	k int DEFAULT 10,
	smoothing float8 DEFAULT 60)
RETURNS TABLE (item anyelement, score float8, sources text[])
LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_blend_typed';

COMMENT ON FUNCTION blend(item_list[], anyelement, int, float8) IS
'blend() with items in the type of item_type instead of text';

CREATE FUNCTION diversify(
	source regclass,
	items anycompatiblearray,
	scores float8[],
	k int DEFAULT 10,
	trade_off float8 DEFAULT 0.7)
RETURNS TABLE (item text, score float8, similarity float8)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_diversify';

COMMENT ON FUNCTION diversify(regclass, anycompatiblearray, float8[], int, float8) IS
'k of the items, of high scores and different from each other, by maximal marginal relevance';

CREATE FUNCTION diversify(
	source regclass,
	items anycompatiblearray,
	scores float8[],
	item_type anyelement,
	k int DEFAULT 10,
	trade_off float8 DEFAULT 0.7)
RETURNS TABLE (item anyelement, score float8, similarity float8)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_diversify_typed';

COMMENT ON FUNCTION diversify(regclass, anycompatiblearray, float8[], anyelement, int, float8) IS
'diversify() with items in the type of item_type instead of text';
