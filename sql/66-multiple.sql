/* Whether arms got their shares of units, and p-values of several tests. */

CREATE TYPE srm_test AS (statistic float8, df int, p_value float8, expected float8[]);

COMMENT ON TYPE srm_test IS
'result of srm(): a test of whether units came to the arms of an experiment as its weights have it; a p-value below 0.001 says that they did not, and that its results are not to be trusted';
COMMENT ON COLUMN srm_test.statistic IS 'Pearson''s chi-square; infinite if an arm of weight 0 has units';
COMMENT ON COLUMN srm_test.df IS 'degrees of freedom: arms, less one; an arm of weight 0 without units does not count';
COMMENT ON COLUMN srm_test.p_value IS 'chance of as large a statistic if the weights are true; 1 without any unit';
COMMENT ON COLUMN srm_test.expected IS 'the units that each arm should have by its weight';

CREATE FUNCTION srm(counts bigint[], weights float8[] DEFAULT NULL) RETURNS srm_test
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_srm';

COMMENT ON FUNCTION srm(bigint[], float8[]) IS
'tests for a sample ratio mismatch: do the units of the arms agree with the weights, which need not sum to one and are equal if null';

CREATE FUNCTION p_adjust(p float8[], method text DEFAULT 'holm') RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_p_adjust';

COMMENT ON FUNCTION p_adjust(float8[], text) IS
'p-values of several tests adjusted for their number, each in its place, by bonferroni, holm, hochberg or sidak (chance of any false alarm), bh, which is also fdr, or by (share of false alarms); null elements stay null and do not count';
