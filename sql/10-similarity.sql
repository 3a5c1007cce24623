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
	OUT free_bytes bigint,
	OUT method text,
	OUT parameters jsonb,
	OUT chosen_by text,
	OUT validation_ndcg float8,
	OUT validation_recall float8,
	OUT validation_subjects bigint,
	OUT validation_held_out bigint,
	OUT candidates int,
	OUT candidates_left_out int,
	OUT tuning_sampled float8,
	OUT tuning_budget float8,
	OUT tuning_cost float8)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000
AS 'MODULE_PATHNAME', 'personalize_similarity_stats';

COMMENT ON FUNCTION similarity_stats(regclass) IS
'what a similarity index holds, when and on what its model was trained, its size by kind of page, and by which parameters and why; reads the whole index';

CREATE FUNCTION similarity_candidates(source regclass)
RETURNS TABLE (
	candidate int,
	parameters jsonb,
	ndcg float8,
	recall float8,
	hit_rate float8,
	mrr float8,
	"precision" float8,
	cost float8,
	cpu float8,
	chosen boolean)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 1000 ROWS 40
AS 'MODULE_PATHNAME', 'personalize_similarity_candidates';

COMMENT ON FUNCTION similarity_candidates(regclass) IS
'the parameters among which those of a similarity index were chosen, in the order of trying, with what they were judged by';

CREATE FUNCTION tune(
	source regclass,
	apply boolean DEFAULT false,
	budget float8 DEFAULT NULL,
	anew boolean DEFAULT false)
RETURNS TABLE (
	candidate int,
	parameters jsonb,
	ndcg float8,
	recall float8,
	hit_rate float8,
	mrr float8,
	"precision" float8,
	cost float8,
	cpu float8,
	chosen boolean,
	command text)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 40
AS 'MODULE_PATHNAME', 'personalize_tune';

COMMENT ON FUNCTION tune(regclass, boolean, float8, boolean) IS
'tries parameters of a similarity index on interactions held out and marks the best; apply sets them and retrains; for the owner of the table';
