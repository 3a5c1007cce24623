/* ---- the similarity index ---- */

CREATE FUNCTION similarity_handler(internal)
RETURNS index_am_handler
LANGUAGE C
AS 'MODULE_PATHNAME', 'similarity_handler';

COMMENT ON FUNCTION similarity_handler(internal) IS
'handler of the similarity index access method';

CREATE ACCESS METHOD similarity TYPE INDEX HANDLER similarity_handler;

COMMENT ON ACCESS METHOD similarity IS
'index that trains and serves item-to-item recommendations: USING similarity (subject, item) INCLUDE (time, strength)';

CREATE OPERATOR CLASS any_ops DEFAULT FOR TYPE anyelement
USING similarity AS STORAGE anyelement;

COMMENT ON OPERATOR CLASS any_ops USING similarity IS
'keys of any type with a hash and an equality';

COMMENT ON OPERATOR FAMILY any_ops USING similarity IS
'keys of any type with a hash and an equality';

CREATE FUNCTION retrain(source regclass)
RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000
AS 'MODULE_PATHNAME', 'personalize_retrain';

COMMENT ON FUNCTION retrain(regclass) IS
'train the model of a similarity index anew, in place, from the interactions it holds; for the owner of the table';

CREATE FUNCTION similarity_stats(
	source regclass,
	OUT index regclass,
	OUT subjects bigint,
	OUT items bigint,
	OUT interactions bigint,
	OUT trained_at timestamptz,
	OUT generation bigint,
	OUT changed bigint,
	OUT sampled float8,
	OUT training_memory bigint,
	OUT total_bytes bigint,
	OUT directory_bytes bigint,
	OUT posting_bytes bigint,
	OUT item_posting_bytes bigint,
	OUT neighbor_bytes bigint,
	OUT popular_bytes bigint,
	OUT free_bytes bigint)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000
AS 'MODULE_PATHNAME', 'personalize_similarity_stats';

COMMENT ON FUNCTION similarity_stats(regclass) IS
'what a similarity index holds, when and on what its model was trained, and its size by kind of page; reads the whole index';
