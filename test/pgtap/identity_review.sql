-- The living graph: what batches say of themselves, what they cost, and what odd values and damaged tables do.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
SET LOCAL jit = off;
\ir identity_reference.psql

SELECT plan(14);

/* Batches under limits, hubs that turn shared in the middle of them, and persons that must be computed anew */
CREATE FUNCTION draw(n int) RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT floor(random() * n)::int $$;
CREATE FUNCTION batches(seed int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said link_summary;
	query text;
	since bigint;
	bad text;
BEGIN
	PERFORM drop_identity_graph(graph) FROM identity_graphs;
	TRUNCATE identity_graph, identity_type, identity_rule, identity_blocked, identity_vertex, identity_evidence, identity_apart, identity_log;
	PERFORM setseed(seed / 1000.0), create_identity_graph('g');
	PERFORM set_identifier_type('g', 'login', 1), set_identifier_type('g', 'cookie', NULL, (ARRAY[NULL, 4, 7])[1 + draw(3)], 90 + 10 * draw(2)),
		set_identifier_type('g', 'device', 2, NULL), set_link_rule('g', 'typed', 50), set_link_rule('g', 'guess', 200, 0.5);
	FOR batch IN 1 .. 6 LOOP
		-- evidence of its own, some of it between the same two by several rules
		SELECT format('SELECT * FROM (VALUES %s) v (type_a, value_a, type_b, value_b, rule, weight, at, source)',
				string_agg(format('(%L, %L, %L, %L, %L, %s, timestamptz %L, %L)', type_a, left(type_a, 1) || a, type_b, left(type_b, 1) || b, rule,
					(ARRAY[0.3, 1, 1, 2])[1 + draw(4)], timestamptz '2024-01-01' + draw(5) * interval '1 day', 'batch' || batch), ', '))
		INTO query
		FROM (SELECT DISTINCT ON (least(x, y), greatest(x, y), rule) * FROM (
				SELECT a, b, type_a, type_b, rule, type_a || a AS x, type_b || b AS y FROM (
					SELECT draw(14) AS a, draw(14) AS b, (ARRAY['login', 'cookie', 'cookie', 'device'])[1 + draw(4)] AS type_a,
						(ARRAY['login', 'cookie', 'cookie', 'device'])[1 + draw(4)] AS type_b,
						(ARRAY['observed', 'observed', 'typed', 'guess'])[1 + draw(4)] AS rule
					FROM generate_series(0, 2 + draw(24))) z) y
			WHERE x <> y) e;
		CONTINUE WHEN query IS NULL;
		SELECT coalesce(max(id), 0) INTO since FROM identity_log;
		EXECUTE format('SELECT * FROM link(''g'', %L)', query) INTO said;
		SELECT string_agg((n.type, n.value, n.state, n.person, r.state, r.person)::text, '; ') INTO bad
		FROM (SELECT * FROM identity_node WHERE graph = 'g') n FULL JOIN reference_nodes('g') r USING (type, value)
		WHERE (n.state, n.person) IS DISTINCT FROM (r.state, r.person);
		IF bad IS NOT NULL THEN
			RETURN format('seed %s, batch %s: persons %s', seed, batch, bad);
		END IF;
		SELECT format('it says %s, and evidence is %s', said, counts) INTO bad
		FROM (SELECT row(count(*), count(*) FILTER (WHERE status = 'accepted'), count(*) FILTER (WHERE status = 'rejected'), count(*) FILTER (WHERE status = 'inert'))::text AS counts
			FROM identity_edge WHERE source = 'batch' || batch) x WHERE counts <> row(said.links, said.accepted, said.rejected, said.inert)::text;
		IF bad IS NULL THEN
			SELECT string_agg(x::text, '; ') INTO bad FROM (
				SELECT (least((type_a, value_a), (type_b, value_b)))::text, (greatest((type_a, value_a), (type_b, value_b)))::text, rule,
					sum(CASE kind WHEN 'log' THEN 1 ELSE -1 END)
				FROM (SELECT 'log' AS kind, type_a, value_a, type_b, value_b, rule FROM identity_history WHERE id > since AND action = 'reject'
					UNION ALL SELECT 'edge', type_a, value_a, type_b, value_b, rule FROM identity_edge WHERE source = 'batch' || batch AND status = 'rejected') y
				GROUP BY 1, 2, 3 HAVING sum(CASE kind WHEN 'log' THEN 1 ELSE -1 END) <> 0) x;
			bad := 'rejections in the log: ' || bad;
		END IF;
		IF bad IS NOT NULL THEN
			RETURN left(format('seed %s, batch %s: %s after %s', seed, batch, bad, query), 1000);
		END IF;
	END LOOP;
	RETURN NULL;
END $$;
SELECT is(string_agg(bad, E'\n'), NULL, 'batches tell what became of each link, and so does the log')
FROM (SELECT batches(seed) AS bad FROM generate_series(1, 40) seed) x WHERE bad IS NOT NULL;

/* A person that rejects many links is looked through once */
SELECT lives_ok($$SELECT create_identity_graph('large'), set_identifier_type('large', 'login', 1), set_identifier_type('large', 'cookie', NULL)$$);
SELECT is(link('large', $$SELECT 'cookie' AS type_a, 'c' || x AS value_a, 'login' AS type_b, 'one' AS value_b, timestamptz '2024-01-01' AS at FROM generate_series(1, 4000) x$$),
	ROW(4000, 4000, 0, 0, 0, 0, 4001, 0)::link_summary);
SELECT is(link('large', $$SELECT 'cookie' AS type_a, 'd' || x AS value_a, 'login' AS type_b, 'l' || x AS value_b, timestamptz '2024-01-01' AS at FROM generate_series(1, 2000) x$$),
	ROW(2000, 2000, 0, 0, 0, 0, 4000, 0)::link_summary);
SET LOCAL statement_timeout = '5s'; -- once for each link takes ten times as long
SELECT is(link('large', $$SELECT 'cookie' AS type_a, 'c' || x AS value_a, 'login' AS type_b, 'l' || x AS value_b, timestamptz '2024-02-01' AS at FROM generate_series(1, 2000) x$$),
	ROW(2000, 0, 2000, 0, 0, 0, 0, 0)::link_summary, 'many links that one large person rejects');
SET LOCAL statement_timeout = 0;

/* What anybody may have is not what is written in other letters */
SELECT is((link('large', 'login', value, NULL, NULL)).status, 'alone', value) FROM unnest(ARRAY['иван', '田中', 'ñ', 'é1']) value;
DO $$BEGIN PERFORM link('large', 'login', value, NULL, NULL) FROM unnest(ARRAY['00-00', '-', '{0}', E' \t~', 'a0']) value; END$$;
SELECT is((SELECT array_agg(value ORDER BY value) FROM identity_node WHERE graph = 'large' AND state = 'blocked'), ARRAY[E' \t~', '-', '00-00', '{0}'],
	'signs and zeros are still blocked');

/* Sources are part of a key, and no longer than that can be */
SELECT throws_ok($$SELECT link('large', 'login', 'a', 'cookie', 'b', source => repeat('x', 2001))$$, '54000', 'source of a link is too long');
SELECT lives_ok($$SELECT link('large', 'login', 'a', 'cookie', 'b', source => (SELECT left(string_agg(md5(x::text), ''), 2000) FROM generate_series(1, 80) x))$$, 'as long as it may be');

/* Damage is told of, or repaired */
UPDATE identity_vertex SET person = -1 WHERE id IN (SELECT root FROM identity_vertex WHERE value = 'd1');
SELECT cmp_ok(rebuild_identity_graph('large'), '>', 0::bigint, 'a person with a number that is nobody''s is repaired');
DELETE FROM identity_vertex WHERE value = 'd2';
SELECT throws_like($$SELECT check_identity_graph('large')$$, 'identity graph has lost the identifier %', 'evidence of an identifier that is gone');

SELECT * FROM finish();
ROLLBACK;
