/* Models of purchases and spending, fitted as aggregates: doc/value.md */

CREATE TYPE fit_sample;

CREATE FUNCTION fit_sample_in(cstring) RETURNS fit_sample
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_fit_sample_in';

COMMENT ON FUNCTION fit_sample_in(cstring) IS
'input function of fit_sample';

CREATE FUNCTION fit_sample_out(fit_sample) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_fit_sample_out';

COMMENT ON FUNCTION fit_sample_out(fit_sample) IS
'output function of fit_sample';

CREATE FUNCTION fit_sample_recv(internal) RETURNS fit_sample
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_fit_sample_recv';

COMMENT ON FUNCTION fit_sample_recv(internal) IS
'binary input function of fit_sample';

CREATE FUNCTION fit_sample_send(fit_sample) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_fit_sample_send';

COMMENT ON FUNCTION fit_sample_send(fit_sample) IS
'binary output function of fit_sample';

CREATE TYPE fit_sample (
	INPUT = fit_sample_in,
	OUTPUT = fit_sample_out,
	RECEIVE = fit_sample_recv,
	SEND = fit_sample_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE fit_sample IS
'the distinct customers a fit has seen and how many of each: a partial result to be stored or merged';

CREATE FUNCTION fit_sample_add_customer(fit_sample, float8, float8, float8) RETURNS fit_sample
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_fit_sample_add_customer';

COMMENT ON FUNCTION fit_sample_add_customer(fit_sample, float8, float8, float8) IS
'transition function of fits to customers in continuous time; a row with a null is skipped';

CREATE FUNCTION fit_sample_add_customer(fit_sample, float8, float8, float8, float8) RETURNS fit_sample
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_fit_sample_add_customer';

COMMENT ON FUNCTION fit_sample_add_customer(fit_sample, float8, float8, float8, float8) IS
'transition function of weighted fits to customers in continuous time; a row with a null is skipped';

CREATE FUNCTION fit_sample_add_opportunities(fit_sample, float8, float8, float8) RETURNS fit_sample
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_fit_sample_add_opportunities';

COMMENT ON FUNCTION fit_sample_add_opportunities(fit_sample, float8, float8, float8) IS
'transition function of fits to customers in discrete time; a row with a null is skipped';

CREATE FUNCTION fit_sample_add_opportunities(fit_sample, float8, float8, float8, float8) RETURNS fit_sample
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_fit_sample_add_opportunities';

COMMENT ON FUNCTION fit_sample_add_opportunities(fit_sample, float8, float8, float8, float8) IS
'transition function of weighted fits to customers in discrete time; a row with a null is skipped';

CREATE FUNCTION fit_sample_add_spend(fit_sample, float8, float8) RETURNS fit_sample
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_fit_sample_add_spend';

COMMENT ON FUNCTION fit_sample_add_spend(fit_sample, float8, float8) IS
'transition function of fits to spending; a row with a null is skipped';

CREATE FUNCTION fit_sample_add_spend(fit_sample, float8, float8, float8) RETURNS fit_sample
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_fit_sample_add_spend';

COMMENT ON FUNCTION fit_sample_add_spend(fit_sample, float8, float8, float8) IS
'transition function of weighted fits to spending; a row with a null is skipped';

CREATE FUNCTION fit_sample_combine(fit_sample, fit_sample) RETURNS fit_sample
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'personalize_fit_sample_combine';

COMMENT ON FUNCTION fit_sample_combine(fit_sample, fit_sample) IS
'combine function of fits';

CREATE FUNCTION bgnbd_fit_final(fit_sample) RETURNS purchase_fit
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
AS 'MODULE_PATHNAME', 'personalize_bgnbd_fit_final';

COMMENT ON FUNCTION bgnbd_fit_final(fit_sample) IS 'final function of bgnbd_fit()';

CREATE FUNCTION mbgnbd_fit_final(fit_sample) RETURNS purchase_fit
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
AS 'MODULE_PATHNAME', 'personalize_mbgnbd_fit_final';

COMMENT ON FUNCTION mbgnbd_fit_final(fit_sample) IS 'final function of mbgnbd_fit()';

CREATE FUNCTION pareto_nbd_fit_final(fit_sample) RETURNS purchase_fit
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
AS 'MODULE_PATHNAME', 'personalize_pareto_nbd_fit_final';

COMMENT ON FUNCTION pareto_nbd_fit_final(fit_sample) IS 'final function of pareto_nbd_fit()';

CREATE FUNCTION bgbb_fit_final(fit_sample) RETURNS purchase_fit
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
AS 'MODULE_PATHNAME', 'personalize_bgbb_fit_final';

COMMENT ON FUNCTION bgbb_fit_final(fit_sample) IS 'final function of bgbb_fit()';

CREATE FUNCTION fit_best_final(fit_sample) RETURNS purchase_fit
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
AS 'MODULE_PATHNAME', 'personalize_fit_best_final';

COMMENT ON FUNCTION fit_best_final(fit_sample) IS 'final function of fit_best()';

CREATE FUNCTION gamma_gamma_fit_final(fit_sample) RETURNS spend_fit
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000
AS 'MODULE_PATHNAME', 'personalize_gamma_gamma_fit_final';

COMMENT ON FUNCTION gamma_gamma_fit_final(fit_sample) IS 'final function of gamma_gamma_fit()';

CREATE AGGREGATE bgnbd_fit(frequency float8, recency float8, tenure float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	FINALFUNC = bgnbd_fit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE bgnbd_fit(float8, float8, float8) IS
'fit of BG/NBD to customers'' repeat purchases, time of the last one and time observed, both since the first purchase';

CREATE AGGREGATE bgnbd_fit(frequency float8, recency float8, tenure float8, weight float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	FINALFUNC = bgnbd_fit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE bgnbd_fit(float8, float8, float8, float8) IS
'bgnbd_fit() of customers that count as often as weight says';

CREATE AGGREGATE bgnbd_fit_partial(frequency float8, recency float8, tenure float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE bgnbd_fit_partial(float8, float8, float8) IS
'what bgnbd_fit() has seen, for bgnbd_fit_merge()';

CREATE AGGREGATE bgnbd_fit_partial(frequency float8, recency float8, tenure float8, weight float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE bgnbd_fit_partial(float8, float8, float8, float8) IS
'what bgnbd_fit() has seen, for bgnbd_fit_merge(), by weight';

CREATE AGGREGATE bgnbd_fit_merge(sample fit_sample) (
	SFUNC = fit_sample_combine,
	STYPE = fit_sample,
	FINALFUNC = bgnbd_fit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE bgnbd_fit_merge(fit_sample) IS 'the fit to partial results of bgnbd_fit_partial()';

CREATE AGGREGATE mbgnbd_fit(frequency float8, recency float8, tenure float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	FINALFUNC = mbgnbd_fit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mbgnbd_fit(float8, float8, float8) IS
'fit of MBG/NBD to customers'' repeat purchases, time of the last one and time observed, both since the first purchase';

CREATE AGGREGATE mbgnbd_fit(frequency float8, recency float8, tenure float8, weight float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	FINALFUNC = mbgnbd_fit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mbgnbd_fit(float8, float8, float8, float8) IS
'mbgnbd_fit() of customers that count as often as weight says';

CREATE AGGREGATE mbgnbd_fit_partial(frequency float8, recency float8, tenure float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mbgnbd_fit_partial(float8, float8, float8) IS
'what mbgnbd_fit() has seen, for mbgnbd_fit_merge()';

CREATE AGGREGATE mbgnbd_fit_partial(frequency float8, recency float8, tenure float8, weight float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mbgnbd_fit_partial(float8, float8, float8, float8) IS
'what mbgnbd_fit() has seen, for mbgnbd_fit_merge(), by weight';

CREATE AGGREGATE mbgnbd_fit_merge(sample fit_sample) (
	SFUNC = fit_sample_combine,
	STYPE = fit_sample,
	FINALFUNC = mbgnbd_fit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mbgnbd_fit_merge(fit_sample) IS 'the fit to partial results of mbgnbd_fit_partial()';

CREATE AGGREGATE pareto_nbd_fit(frequency float8, recency float8, tenure float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	FINALFUNC = pareto_nbd_fit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE pareto_nbd_fit(float8, float8, float8) IS
'fit of Pareto/NBD to customers'' repeat purchases, time of the last one and time observed, both since the first purchase';

CREATE AGGREGATE pareto_nbd_fit(frequency float8, recency float8, tenure float8, weight float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	FINALFUNC = pareto_nbd_fit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE pareto_nbd_fit(float8, float8, float8, float8) IS
'pareto_nbd_fit() of customers that count as often as weight says';

CREATE AGGREGATE pareto_nbd_fit_partial(frequency float8, recency float8, tenure float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE pareto_nbd_fit_partial(float8, float8, float8) IS
'what pareto_nbd_fit() has seen, for pareto_nbd_fit_merge()';

CREATE AGGREGATE pareto_nbd_fit_partial(frequency float8, recency float8, tenure float8, weight float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE pareto_nbd_fit_partial(float8, float8, float8, float8) IS
'what pareto_nbd_fit() has seen, for pareto_nbd_fit_merge(), by weight';

CREATE AGGREGATE pareto_nbd_fit_merge(sample fit_sample) (
	SFUNC = fit_sample_combine,
	STYPE = fit_sample,
	FINALFUNC = pareto_nbd_fit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE pareto_nbd_fit_merge(fit_sample) IS 'the fit to partial results of pareto_nbd_fit_partial()';

CREATE AGGREGATE bgbb_fit(frequency float8, recency float8, tenure float8) (
	SFUNC = fit_sample_add_opportunities,
	STYPE = fit_sample,
	FINALFUNC = bgbb_fit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE bgbb_fit(float8, float8, float8) IS
'fit of BG/BB to customers'' repeat purchases, the opportunity of the last one and the number of opportunities';

CREATE AGGREGATE bgbb_fit(frequency float8, recency float8, tenure float8, weight float8) (
	SFUNC = fit_sample_add_opportunities,
	STYPE = fit_sample,
	FINALFUNC = bgbb_fit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE bgbb_fit(float8, float8, float8, float8) IS
'bgbb_fit() of customers that count as often as weight says';

CREATE AGGREGATE bgbb_fit_partial(frequency float8, recency float8, tenure float8) (
	SFUNC = fit_sample_add_opportunities,
	STYPE = fit_sample,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE bgbb_fit_partial(float8, float8, float8) IS
'what bgbb_fit() has seen, for bgbb_fit_merge()';

CREATE AGGREGATE bgbb_fit_partial(frequency float8, recency float8, tenure float8, weight float8) (
	SFUNC = fit_sample_add_opportunities,
	STYPE = fit_sample,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE bgbb_fit_partial(float8, float8, float8, float8) IS
'what bgbb_fit() has seen, for bgbb_fit_merge(), by weight';

CREATE AGGREGATE bgbb_fit_merge(sample fit_sample) (
	SFUNC = fit_sample_combine,
	STYPE = fit_sample,
	FINALFUNC = bgbb_fit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE bgbb_fit_merge(fit_sample) IS 'the fit to partial results of bgbb_fit_partial()';

CREATE AGGREGATE fit_best(frequency float8, recency float8, tenure float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	FINALFUNC = fit_best_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE fit_best(float8, float8, float8) IS
'fit of whichever of BG/NBD, MBG/NBD and Pareto/NBD is most likely, to customers'' repeat purchases, time of the last one and time observed, both since the first purchase';

CREATE AGGREGATE fit_best(frequency float8, recency float8, tenure float8, weight float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	FINALFUNC = fit_best_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE fit_best(float8, float8, float8, float8) IS
'fit_best() of customers that count as often as weight says';

CREATE AGGREGATE fit_best_partial(frequency float8, recency float8, tenure float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE fit_best_partial(float8, float8, float8) IS
'what fit_best() has seen, for fit_best_merge()';

CREATE AGGREGATE fit_best_partial(frequency float8, recency float8, tenure float8, weight float8) (
	SFUNC = fit_sample_add_customer,
	STYPE = fit_sample,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE fit_best_partial(float8, float8, float8, float8) IS
'what fit_best() has seen, for fit_best_merge(), by weight';

CREATE AGGREGATE fit_best_merge(sample fit_sample) (
	SFUNC = fit_sample_combine,
	STYPE = fit_sample,
	FINALFUNC = fit_best_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE fit_best_merge(fit_sample) IS 'the fit to partial results of fit_best_partial()';

CREATE AGGREGATE gamma_gamma_fit(frequency float8, mean_value float8) (
	SFUNC = fit_sample_add_spend,
	STYPE = fit_sample,
	FINALFUNC = gamma_gamma_fit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE gamma_gamma_fit(float8, float8) IS
'fit of Gamma-Gamma to customers'' numbers and mean values of repeat purchases; rows without either are left out';

CREATE AGGREGATE gamma_gamma_fit(frequency float8, mean_value float8, weight float8) (
	SFUNC = fit_sample_add_spend,
	STYPE = fit_sample,
	FINALFUNC = gamma_gamma_fit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE gamma_gamma_fit(float8, float8, float8) IS
'gamma_gamma_fit() of customers that count as often as weight says';

CREATE AGGREGATE gamma_gamma_fit_partial(frequency float8, mean_value float8) (
	SFUNC = fit_sample_add_spend,
	STYPE = fit_sample,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE gamma_gamma_fit_partial(float8, float8) IS
'what gamma_gamma_fit() has seen, for gamma_gamma_fit_merge()';

CREATE AGGREGATE gamma_gamma_fit_partial(frequency float8, mean_value float8, weight float8) (
	SFUNC = fit_sample_add_spend,
	STYPE = fit_sample,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE gamma_gamma_fit_partial(float8, float8, float8) IS
'what gamma_gamma_fit() has seen, for gamma_gamma_fit_merge(), by weight';

CREATE AGGREGATE gamma_gamma_fit_merge(sample fit_sample) (
	SFUNC = fit_sample_combine,
	STYPE = fit_sample,
	FINALFUNC = gamma_gamma_fit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = fit_sample_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE gamma_gamma_fit_merge(fit_sample) IS 'the fit to partial results of gamma_gamma_fit_partial()';
