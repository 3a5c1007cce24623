-- What reads an index, against recommend() and against plain SQL, on random data; filters on a large catalogue.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

SELECT plan(35);

CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int $$;

-- some without a time, many at the same one
CREATE TABLE plays (s int, i int, at timestamptz, n int);
INSERT INTO plays
SELECT draw(1, x, 300), draw(2, x, 80) * (draw(3, x, 80) + 1) / 80,
	CASE WHEN x % 40 <> 0 THEN timestamptz '2024-06-01' - draw(4, x, 300) * interval '5 hours' END, 1 + draw(5, x, 9)
FROM generate_series(1, 5000) x;
CREATE INDEX ON plays USING similarity (s, i) INCLUDE (at, n);
CREATE INDEX plays_plain ON plays USING similarity (s, i);
CREATE TEMP TABLE indexes (source regclass, half_life interval);
INSERT INTO indexes VALUES ('plays_s_i_at_n_idx', NULL), ('plays_s_i_at_n_idx', '3 days'), ('plays_s_i_at_n_idx', '2 hours'), ('plays_plain', NULL);

-- ---- explain_recommendation ----
CREATE TEMP TABLE recommended AS
SELECT x.source, x.half_life, s, r.*
FROM indexes x, generate_series(0, 299, 3) s,
	recommend(x.source, s, item_type => NULL::int, k => 40, seen => true, half_life => x.half_life) r
WHERE reason = 'similar';
CREATE TEMP TABLE explained AS
SELECT r.source, r.half_life, s, r.item, e.*
FROM recommended r, explain_recommendation(r.source, s, r.item, NULL::int, r.half_life) WITH ORDINALITY AS e (because, at, similarity, contribution, place);
SELECT cmp_ok(count(*), '>', 10000::bigint, 'recommendations to explain') FROM recommended;
SELECT is(count(*) FILTER (WHERE (abs(total - score) <= 1e-6 * score) IS NOT TRUE), 0::bigint, 'contributions sum to the score, to float4')
FROM recommended LEFT JOIN (SELECT source, half_life, s, item, sum(contribution) AS total FROM explained GROUP BY 1, 2, 3, 4) e
	ON (e.source, e.s, e.item) = (recommended.source, recommended.s, recommended.item) AND e.half_life IS NOT DISTINCT FROM recommended.half_life;
SELECT is(count(*), (SELECT count(*) FROM recommended), 'the first is the because of recommend()')
FROM recommended r JOIN explained e ON (e.source, e.s, e.item, e.because) = (r.source, r.s, r.item, r.because)
	AND e.half_life IS NOT DISTINCT FROM r.half_life AND e.place = 1;
SELECT is(count(*), 0::bigint, '... and the largest')
FROM explained e JOIN explained f ON (e.source, e.s, e.item) = (f.source, f.s, f.item) AND e.half_life IS NOT DISTINCT FROM f.half_life
	AND f.place = e.place + 1 WHERE e.contribution < f.contribution * (1 - 1e-7) - 1e-45;
-- similarity by similar_items(), weight and time from the table
CREATE TEMP TABLE lists AS
SELECT x.source, i, l.item AS j, l.score
FROM (SELECT DISTINCT source FROM indexes) x, (SELECT DISTINCT i FROM plays) p, similar_items(x.source, i, item_type => NULL::int, k => 1000) l;
CREATE TEMP TABLE histories AS
SELECT s, i, max(at) AS at, log(2, 1 + sum(n))::float8 AS weight, max(max(at)) OVER (PARTITION BY s) AS newest FROM plays GROUP BY s, i;
SELECT is(count(*) FILTER (WHERE (e.similarity = l.score AND e.at IS NOT DISTINCT FROM h.at AND abs(e.contribution -
		l.score * h.weight * coalesce(2 ^ -(extract(epoch FROM newest - h.at) / extract(epoch FROM half_life))::float8, (half_life IS NULL)::int)) <= 1e-9) IS NOT TRUE),
	0::bigint, 'similarity, time and contribution by SQL')
FROM explained e LEFT JOIN lists l ON l.source = e.source AND l.i = e.because AND l.j = e.item LEFT JOIN histories h ON h.s = e.s AND h.i = e.because
WHERE e.source = 'plays_s_i_at_n_idx'::regclass;
SELECT is(count(*), (SELECT count(*) FROM recommended r JOIN histories h USING (s) JOIN lists l ON l.source = r.source AND l.i = h.i AND l.j = r.item
		WHERE r.source = 'plays_plain'::regclass), 'a row for each item of the history whose list has it')
FROM explained WHERE source = 'plays_plain'::regclass;

-- ---- relevance ----
CREATE TEMP TABLE relevant AS
SELECT x.source, x.half_life, s, i, relevance(x.source, s, i, x.half_life)
FROM indexes x, generate_series(0, 299, 3) s, generate_series(0, 81) i;
SELECT is(count(*) FILTER (WHERE v.relevance IS DISTINCT FROM coalesce(r.score, 0)), 0::bigint, 'relevance() is the score of recommend(), to the last bit, or 0')
FROM relevant v LEFT JOIN (SELECT x.source, x.half_life, s, r.* FROM indexes x, generate_series(0, 299, 3) s,
		recommend(x.source, s, item_type => NULL::int, k => 100, seen => true, half_life => x.half_life) r WHERE reason = 'similar') r
	ON (r.source, r.s, r.item) = (v.source, v.s, v.i) AND r.half_life IS NOT DISTINCT FROM v.half_life;
SELECT is(count(*) FILTER (WHERE relevance > 0) > 1000 AND count(*) FILTER (WHERE relevance = 0) > 1000, true, '... both of which occur') FROM relevant;
SELECT is(count(*), 0::bigint, 'relevances() is relevance() of each')
FROM (SELECT source, half_life, s, array_agg(i ORDER BY i) AS items, array_agg(relevance ORDER BY i) AS expected FROM relevant GROUP BY 1, 2, 3) v
WHERE relevances(source, s, items, half_life) IS DISTINCT FROM expected;
-- in an order that changes subject, half-life and source all the time
SELECT is(count(*), 0::bigint, 'in whatever order it is called')
FROM (SELECT *, relevance(source, s, i, half_life) AS again FROM (SELECT * FROM relevant ORDER BY draw(9, i * 1000 + s, 1000000) LIMIT 3000) x) v
WHERE again IS DISTINCT FROM relevance;

-- ---- blend ----
CREATE TEMP TABLE wishes AS
SELECT t, l, (ARRAY[1, 2.5, 0, 0.1])[1 + draw(20 + l, t, 4)]::float8 AS weight,
	ARRAY(SELECT nullif(draw(30 + l, t * 100 + x, 25), 24) FROM generate_series(1, draw(40 + l, t, 30)) x) AS items
FROM generate_series(1, 60) t, generate_series(1, 5) l;
CREATE FUNCTION fused(test int, smoothing float8, OUT rank bigint, OUT item int, OUT score numeric, OUT sources text[])
RETURNS SETOF record LANGUAGE sql AS $$
	SELECT row_number() OVER (ORDER BY round(sum(weight / (smoothing + place))::numeric, 12) DESC, item), item,
		round(sum(weight / (smoothing + place))::numeric, 12), array_agg('list ' || l ORDER BY l)
	FROM (SELECT l, weight, i AS item, min(place) AS place FROM wishes, unnest(items) WITH ORDINALITY AS u (i, place)
		WHERE t = test AND i IS NOT NULL AND weight > 0 GROUP BY 1, 2, 3) x
	GROUP BY item $$;
SELECT is(count(*) FILTER (WHERE d IS NOT NULL), 0::bigint, 'blend() against SQL, smoothing ' || c) FROM (VALUES (60::float8), (0), (1.5)) v (c), generate_series(1, 60) test
LEFT JOIN LATERAL ((SELECT rank, item, score, sources FROM fused(test, c)
	EXCEPT ALL SELECT rank, item, round(score::numeric, 12), sources
	FROM blend((SELECT array_agg(item_list('list ' || l, items, weight) ORDER BY l) FROM wishes WHERE t = test), item_type => NULL::int, k => 1000, smoothing => c)
		WITH ORDINALITY AS b (item, score, sources, rank))) d ON true
GROUP BY c ORDER BY c;
SELECT is(count(*), 0::bigint, '... as text the same but for the order of equal scores')
FROM generate_series(1, 60) test, LATERAL (SELECT array_agg(item_list('list ' || l, items, weight) ORDER BY l) AS lists FROM wishes WHERE t = test) w,
	LATERAL (SELECT item, score, sources FROM blend(lists, 1000) EXCEPT ALL SELECT item::text, score, sources FROM blend(lists, item_type => NULL::int, k => 1000)) d;
SELECT is(count(*), 0::bigint, '... and any order of the lists gives the same scores')
FROM generate_series(1, 60) test, LATERAL (SELECT array_agg(item_list('list ' || l, items, weight) ORDER BY l) AS lists,
		array_agg(item_list('list ' || l, items, weight) ORDER BY draw(7, l, 1000)) AS shuffled FROM wishes WHERE t = test) w,
	LATERAL (SELECT b.item, b.score, b.n FROM blend(lists, 1000) WITH ORDINALITY AS b (item, score, sources, n)
		EXCEPT ALL SELECT b.item, b.score, b.n FROM blend(shuffled, 1000) WITH ORDINALITY AS b (item, score, sources, n)) d;

-- ---- diversify ----
-- the definition, word for word
CREATE TABLE pairs AS
WITH halves AS (SELECT i, j, score / max(score) OVER (PARTITION BY i) / 2 AS half FROM lists WHERE source = 'plays_plain'::regclass)
SELECT a, b, coalesce(x.half, 0) + coalesce(y.half, 0) AS similarity
FROM (SELECT DISTINCT i AS a FROM plays) a CROSS JOIN (SELECT DISTINCT i AS b FROM plays) b
	LEFT JOIN halves x ON x.i = a AND x.j = b LEFT JOIN halves y ON y.i = b AND y.j = a;
ALTER TABLE pairs ADD PRIMARY KEY (a, b);
CREATE FUNCTION marginal(items int[], scores float8[], trade_off float8) RETURNS TABLE (item int, score float8, similarity float8)
LANGUAGE plpgsql AS $$
DECLARE
	chosen int[] := '{}';
	highest float8 := (SELECT max(x) FROM unnest(scores) x);
BEGIN
	FOR step IN 1 .. cardinality(items) LOOP
		SELECT c.item, c.score, c.closest INTO item, score, similarity
		FROM (SELECT u.item, u.score, coalesce((SELECT max(p.similarity) FROM pairs p WHERE a = u.item AND b = ANY (chosen)), 0) AS closest
			FROM unnest(items, scores) AS u (item, score) WHERE u.item <> ALL (chosen)) c
		ORDER BY trade_off * (c.score / highest) - (1 - trade_off) * c.closest DESC, c.score DESC, c.item LIMIT 1;
		chosen := chosen || item;
		RETURN NEXT;
	END LOOP;
END $$;
CREATE TEMP TABLE shelves AS
SELECT s, array_agg(item ORDER BY score DESC, item) AS items, array_agg(score ORDER BY score DESC, item) AS scores
FROM generate_series(0, 299, 20) s, recommend('plays_plain', s, item_type => NULL::int, k => 25) WHERE reason = 'similar' GROUP BY s;
SELECT is(count(*) FILTER (WHERE ours::text IS DISTINCT FROM theirs::text), 0::bigint, 'diversify() against PL/pgSQL, trade_off ' || l)
FROM (VALUES (0.7::float8), (0.3), (0), (1)) v (l), shelves,
	LATERAL (SELECT array_agg(d ORDER BY n) AS ours FROM diversify('plays_plain', items, scores, item_type => NULL::int, k => 100, trade_off => l) WITH ORDINALITY AS d (item, score, similarity, n)) a,
	LATERAL (SELECT array_agg(d ORDER BY n) AS theirs FROM marginal(items, scores, l) WITH ORDINALITY AS d (item, score, similarity, n)) b
GROUP BY l
UNION ALL SELECT is(count(*), 15::bigint, '... of 15 subjects') FROM shelves;
SELECT is(count(*), 0::bigint, 'k cuts, and changes nothing before the cut')
FROM shelves, diversify('plays_plain', items, scores, item_type => NULL::int, k => 5) WITH ORDINALITY AS a (item, score, similarity, n)
	FULL JOIN LATERAL (SELECT * FROM diversify('plays_plain', items, scores, item_type => NULL::int, k => 100) WITH ORDINALITY AS b (item, score, similarity, n) LIMIT 5) b USING (item, score, similarity, n)
WHERE a IS NULL OR b IS NULL;

-- ---- filters that cannot starve ----
-- 100,000 items; popularity is known of a thousand of them
CREATE TABLE visits (s int, i int, at timestamptz);
INSERT INTO visits
SELECT draw(50, x, 20000), CASE WHEN x <= 100000 THEN x - 1 ELSE (exp(ln(100001.0) * draw(51, x, 1000000) / 1000000))::int - 1 END,
	timestamptz '2024-06-01' - draw(52, x, 1000) * interval '1 hour'
FROM generate_series(1, 250000) x;
CREATE INDEX ON visits USING similarity (s, i) INCLUDE (at);
CREATE INDEX ON visits (s);
ANALYZE visits;
SELECT is(count(*), 100000::bigint, 'a catalogue of 100,000') FROM (SELECT DISTINCT i FROM visits) x;
-- all that there is for a subject: what is similar, what is popular, and the rest of a filter by item
CREATE FUNCTION filtered(subject int, among int[], exclude int[], k int) RETURNS TABLE (n bigint, item int, score float8, reason text) LANGUAGE sql AS $$
	WITH everything AS (SELECT * FROM recommend('visits', subject, item_type => NULL::int, k => 2147483647) WITH ORDINALITY AS r (item, score, because, reason, place)),
		left_over AS (SELECT DISTINCT i AS item FROM unnest(among) i
			WHERE i IN (SELECT i FROM visits) AND i NOT IN (SELECT i FROM visits WHERE s = subject) AND i NOT IN (SELECT item FROM everything)),
		rows AS (SELECT item, score, reason, place FROM everything WHERE item IN (SELECT unnest(among)) OR among IS NULL
			UNION ALL SELECT item, 0, 'popular', NULL FROM left_over)
	SELECT row_number() OVER (ORDER BY place, item), item, score, reason FROM rows
	WHERE item NOT IN (SELECT unnest(exclude)) ORDER BY 1 LIMIT k $$;
CREATE FUNCTION differs(subject int, among int[], exclude int[], k int) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM filtered(subject, among, exclude, k) e
	FULL JOIN recommend('visits', subject, item_type => NULL::int, k => k, among => among, exclude => exclude) WITH ORDINALITY AS r (item, score, because, reason, n)
		USING (n, item, score, reason) WHERE e.n IS NULL OR r.n IS NULL $$;
-- three that are left: one similar, one popular, one of which nothing is known
CREATE TEMP TABLE offered AS
SELECT s, r.item, r.reason FROM generate_series(1, 12) s, recommend('visits', s, item_type => NULL::int, k => 2147483647) r;
CREATE TEMP TABLE three AS
SELECT s, max(item) FILTER (WHERE reason = 'similar') AS alike, min(item) FILTER (WHERE reason = 'popular') AS sold,
	(SELECT max(i) FROM (SELECT i FROM visits EXCEPT SELECT item FROM offered WHERE s = o.s EXCEPT SELECT i FROM visits WHERE s = o.s) x) AS other
FROM offered o GROUP BY s HAVING count(*) FILTER (WHERE reason = 'similar') > 0 ORDER BY s LIMIT 8;
SELECT cmp_ok(count(*), '>=', 5::bigint, 'subjects for whom three items are left') FROM three;
SELECT is(count(*), (SELECT count(*) FROM three), 'among leaves three of 100,000: they come by score, then by reason')
FROM three, LATERAL (SELECT array_agg(item ORDER BY n) AS items, array_agg(reason ORDER BY n) AS reasons, array_agg(score > 0 ORDER BY n) AS scored
	FROM recommend('visits', s, item_type => NULL::int, among => ARRAY[other, sold, alike, 1000000]) WITH ORDINALITY AS r (item, score, because, reason, n)) r
WHERE items = ARRAY[alike, sold, other] AND reasons = '{similar,popular,popular}' AND scored = '{t,t,f}';
SELECT is(count(*), (SELECT count(*) FROM three), '... as does what a list of 99,997 excludes leaves')
FROM three, LATERAL (SELECT array_agg(item ORDER BY n) AS items
	FROM recommend('visits', s, item_type => NULL::int, among => ARRAY(SELECT generate_series(0, 99999)),
		exclude => ARRAY(SELECT i FROM generate_series(0, 99999) i WHERE i NOT IN (alike, sold, other))) WITH ORDINALITY AS r (item, score, because, reason, n)) r
WHERE items = ARRAY[alike, sold, other];
SELECT is(sum(differs(s, ARRAY[other, sold, alike], NULL, 10)), 0::numeric, 'short among') FROM three;
SELECT is(sum(differs(s, ARRAY(SELECT generate_series(0, 99999, 2)), NULL, k)), 0::numeric, 'long among, k = ' || k) FROM (SELECT s FROM three LIMIT 4) t, (VALUES (3), (50), (3000)) v (k) GROUP BY k ORDER BY k;
SELECT is(sum(differs(s, NULL, ARRAY(SELECT generate_series(0, 99999, 2)), k)), 0::numeric, 'long exclude, k = ' || k) FROM (SELECT s FROM three LIMIT 4) t, (VALUES (3), (50), (3000)) v (k) GROUP BY k ORDER BY k;
SELECT is(sum(differs(s, ARRAY(SELECT generate_series(0, 99999, 2)), ARRAY(SELECT generate_series(0, 99999, 3)), 2000)), 0::numeric, 'both long') FROM (SELECT s FROM three LIMIT 4) t;
SELECT is(sum(differs(s, ARRAY[other, sold, alike, alike + 1], ARRAY(SELECT generate_series(0, 9999)) || alike, 10)), 0::numeric, 'short among, long exclude') FROM three;
SELECT is(sum(differs(s, ARRAY(SELECT generate_series(0, 99999)), ARRAY[other, sold, alike], 2000)), 0::numeric, 'long among, short exclude') FROM (SELECT * FROM three LIMIT 2) t;

SELECT * FROM finish();
ROLLBACK;
