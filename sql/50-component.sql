/* Who belongs together, by edges: doc/identity.md */

CREATE FUNCTION stitch(query text)
RETURNS TABLE (node bigint, canonical bigint)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 100000
AS 'MODULE_PATHNAME', 'personalize_stitch';

COMMENT ON FUNCTION stitch(text) IS
'the connected components of the edges that a query returns: each node with the smallest of its component';

CREATE FUNCTION stitch(query text, node_type anyelement)
RETURNS TABLE (node anyelement, canonical anyelement)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 100000
AS 'MODULE_PATHNAME', 'personalize_stitch_typed';

COMMENT ON FUNCTION stitch(text, anyelement) IS
'stitch() of nodes of the type of node_type: bigint, integer, smallint, uuid or text';
