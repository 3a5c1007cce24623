/* Assignment: a hash that applications can compute as well puts units into buckets. */

CREATE FUNCTION hash_bucket(seed text, unit text, version int DEFAULT 2) RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_hash_bucket_text';

COMMENT ON FUNCTION hash_bucket(text, text, int) IS
'where in [0, 1) FNV-1a puts the unit, which is hashed as the bytes of UTF-8, under the seed: by version 1 in thousandths, by version 2 in ten thousandths; null for a null unit';

CREATE FUNCTION hash_bucket(seed text, unit bigint, version int DEFAULT 2) RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_hash_bucket_bigint';

COMMENT ON FUNCTION hash_bucket(text, bigint, int) IS
'where in [0, 1) FNV-1a puts the unit, which is hashed as its decimal digits, under the seed: by version 1 in thousandths, by version 2 in ten thousandths; null for a null unit';

CREATE FUNCTION hash_bucket(seed text, unit uuid, version int DEFAULT 2) RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_hash_bucket_uuid';

COMMENT ON FUNCTION hash_bucket(text, uuid, int) IS
'where in [0, 1) FNV-1a puts the unit, which is hashed as its text in lower case, under the seed: by version 1 in thousandths, by version 2 in ten thousandths; null for a null unit';

CREATE FUNCTION assign(
	experiment text,
	unit text,
	variants text[] DEFAULT '{control,treatment}',
	weights float8[] DEFAULT NULL,
	coverage float8 DEFAULT 1)
RETURNS text
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_assign_text';

COMMENT ON FUNCTION assign(text, text, text[], float8[], float8) IS
'the variant of the experiment that the unit has, by its hash_bucket() and the weights, equal ones if null; null if the unit is null or not among the covered';

CREATE FUNCTION assign(
	experiment text,
	unit bigint,
	variants text[] DEFAULT '{control,treatment}',
	weights float8[] DEFAULT NULL,
	coverage float8 DEFAULT 1)
RETURNS text
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_assign_bigint';

COMMENT ON FUNCTION assign(text, bigint, text[], float8[], float8) IS
'the variant of the experiment that the unit has, by its hash_bucket() and the weights, equal ones if null; null if the unit is null or not among the covered';

CREATE FUNCTION assign(
	experiment text,
	unit uuid,
	variants text[] DEFAULT '{control,treatment}',
	weights float8[] DEFAULT NULL,
	coverage float8 DEFAULT 1)
RETURNS text
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_assign_uuid';

COMMENT ON FUNCTION assign(text, uuid, text[], float8[], float8) IS
'the variant of the experiment that the unit has, by its hash_bucket() and the weights, equal ones if null; null if the unit is null or not among the covered';

CREATE FUNCTION in_namespace("namespace" text, unit text, range_start float8, range_end float8) RETURNS boolean
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_in_namespace_text';

COMMENT ON FUNCTION in_namespace(text, text, float8, float8) IS
'whether the unit is in a range of the namespace: ranges that do not overlap have no unit in common; null for a null unit';

CREATE FUNCTION in_namespace("namespace" text, unit bigint, range_start float8, range_end float8) RETURNS boolean
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_in_namespace_bigint';

COMMENT ON FUNCTION in_namespace(text, bigint, float8, float8) IS
'whether the unit is in a range of the namespace: ranges that do not overlap have no unit in common; null for a null unit';

CREATE FUNCTION in_namespace("namespace" text, unit uuid, range_start float8, range_end float8) RETURNS boolean
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_in_namespace_uuid';

COMMENT ON FUNCTION in_namespace(text, uuid, float8, float8) IS
'whether the unit is in a range of the namespace: ranges that do not overlap have no unit in common; null for a null unit';

CREATE FUNCTION in_holdout(seed text, unit text, share float8) RETURNS boolean
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_in_holdout_text';

COMMENT ON FUNCTION in_holdout(text, text, float8) IS
'whether the unit is among the share of all units that is held out; a larger share holds out the same ones and more; null for a null unit';

CREATE FUNCTION in_holdout(seed text, unit bigint, share float8) RETURNS boolean
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_in_holdout_bigint';

COMMENT ON FUNCTION in_holdout(text, bigint, float8) IS
'whether the unit is among the share of all units that is held out; a larger share holds out the same ones and more; null for a null unit';

CREATE FUNCTION in_holdout(seed text, unit uuid, share float8) RETURNS boolean
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_in_holdout_uuid';

COMMENT ON FUNCTION in_holdout(text, uuid, float8) IS
'whether the unit is among the share of all units that is held out; a larger share holds out the same ones and more; null for a null unit';

CREATE FUNCTION variant_ranges(weights float8[], coverage float8 DEFAULT 1) RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_variant_ranges';

COMMENT ON FUNCTION variant_ranges(float8[], float8) IS
'ranges of buckets as GrowthBook has them, {{low, high}, ...}: each variant has the first part, as large as the coverage, of its share of [0, 1); the weights may sum to 0.99 to 1.01';

CREATE FUNCTION choose_variant(bucket float8, ranges float8[]) RETURNS int
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_choose_variant';

COMMENT ON FUNCTION choose_variant(float8, float8[]) IS
'the first range that has the bucket, low <= bucket < high, counted from 1; null if none has, or for a null bucket';
