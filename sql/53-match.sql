/* Probabilistic matching of records. */

CREATE TYPE match_pair AS (
	id_a text,
	id_b text,
	weight float8,
	probability float8,
	explain jsonb
);

COMMENT ON TYPE match_pair IS 'two records that may be of one person, and what speaks for it';
COMMENT ON COLUMN match_pair.id_a IS 'id of the record that comes first in the order of ids, or of the one in the first relation';
COMMENT ON COLUMN match_pair.id_b IS 'id of the other record';
COMMENT ON COLUMN match_pair.weight IS 'log2 of the odds that the records match: the prior''s, plus the weight of each comparison';
COMMENT ON COLUMN match_pair.probability IS 'that the records match';
COMMENT ON COLUMN match_pair.explain IS 'for the prior and each column: the level that was found, m, u, the frequency of the value where it counts, and the weight; the weights add up to that of the pair';

CREATE FUNCTION match_model(relation regclass, id name, columns jsonb DEFAULT NULL) RETURNS jsonb
LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000
AS 'MODULE_PATHNAME', 'personalize_match_model';

COMMENT ON FUNCTION match_model(regclass, name, jsonb) IS
'a model suggested for the records of a relation, from the names, types and values of its columns; columns gives some of them a kind of one''s own, or leaves them out by null';

CREATE FUNCTION match_train(model jsonb, relation regclass, other regclass DEFAULT NULL, max_pairs bigint DEFAULT 5000000) RETURNS jsonb
LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000
AS 'MODULE_PATHNAME', 'personalize_match_train';

COMMENT ON FUNCTION match_train(jsonb, regclass, regclass, bigint) IS
'the model with m and u of every level and the prior, estimated from pairs within the relation, or between it and the other one; of more than max_pairs candidates a sample is taken';

CREATE FUNCTION match_pairs(model jsonb, relation regclass, other regclass DEFAULT NULL, threshold float8 DEFAULT 0.5) RETURNS SETOF match_pair
LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000
AS 'MODULE_PATHNAME', 'personalize_match_pairs';

COMMENT ON FUNCTION match_pairs(jsonb, regclass, regclass, float8) IS
'the pairs of records within the relation, or between it and the other one, that match with a probability of threshold or more';

CREATE FUNCTION match_compare(model jsonb, a jsonb, b jsonb) RETURNS match_pair
LANGUAGE C STABLE PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'personalize_match_compare';

COMMENT ON FUNCTION match_compare(jsonb, jsonb, jsonb) IS
'two records, as by to_jsonb(), compared by a trained model, without frequencies of values, which need a relation';
