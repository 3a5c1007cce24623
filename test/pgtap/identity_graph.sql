-- The living graph: whatever is linked, revoked, re-ruled or blocked, in whatever order, persons are those that a second
-- implementation finds in the evidence (identity_reference.psql), and the log explains how they came about.
--     PERSONALIZE_ROUNDS=20 .ci/with-cluster -- pg_prove -v test/pgtap/identity_graph.sql
-- tries twenty times as many graphs.  What fails is printed with its seed and all statements that led to it.
BEGIN;
CREATE EXTENSION pgtap;
CREATE EXTENSION personalize;
SET LOCAL search_path = public, personalize;
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
SET LOCAL jit = off;
SET LOCAL plan_cache_mode = force_generic_plan; -- a plan for each statement, made once
\ir identity_reference.psql
\set rounds `echo "${PERSONALIZE_ROUNDS:-1}"`

SELECT plan(36);

/* A mirror of the evidence and the rules, kept by plain statements */
CREATE TABLE mirror_edge (type_a text, value_a text, type_b text, value_b text, rule text, source text, weight float8,
	first_seen timestamptz, last_seen timestamptz, revoked_at timestamptz,
	PRIMARY KEY (type_a, value_a, type_b, value_b, rule, source));
CREATE TABLE mirror_apart (type_a text, value_a text, type_b text, value_b text, PRIMARY KEY (type_a, value_a, type_b, value_b));
CREATE TABLE mirror_node (type text, value text, PRIMARY KEY (type, value));
CREATE TABLE mirror_type (type text PRIMARY KEY, max_per_person int, max_degree int, priority int);
CREATE TABLE mirror_rule (rule text PRIMARY KEY, priority int, min_weight float8);

CREATE FUNCTION form(type text, value text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE type WHEN 'email' THEN lower(value) ELSE value END $$;

CREATE FUNCTION mirror_link(type_a text, value_a text, type_b text, value_b text, rule text, weight float8, at timestamptz, source text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	value_a := form(type_a, value_a);
	value_b := form(type_b, value_b);
	INSERT INTO mirror_node SELECT * FROM (VALUES (type_a, value_a), (type_b, value_b)) v (t, v) WHERE v IS NOT NULL ON CONFLICT DO NOTHING;
	IF value_a IS NULL OR value_b IS NULL OR (type_a, value_a) = (type_b, value_b) THEN
		RETURN;
	END IF;
	INSERT INTO mirror_edge AS e SELECT (least(a, b))[1], (least(a, b))[2], (greatest(a, b))[1], (greatest(a, b))[2], $5, $8, $6, $7, $7
	FROM (VALUES (ARRAY[type_a, value_a], ARRAY[type_b, value_b])) v (a, b)
	ON CONFLICT ON CONSTRAINT mirror_edge_pkey DO UPDATE SET weight = greatest(e.weight, excluded.weight),
		first_seen = least(e.first_seen, excluded.first_seen), last_seen = greatest(e.last_seen, excluded.last_seen);
END $$;

/* What was before the last statement */
CREATE TABLE was (id bigint PRIMARY KEY, person bigint, state text);
CREATE TABLE numbers (person bigint PRIMARY KEY); -- that anybody ever had
CREATE VIEW is_now AS
	SELECT v.id, r.person, v.state::text FROM identity_vertex v JOIN identity_vertex r ON r.id = v.root
	JOIN identity_graph g ON g.id = v.graph_id WHERE g.graph = 'fuzz';
CREATE FUNCTION remember() RETURNS bigint LANGUAGE sql AS $$
	DELETE FROM was;
	INSERT INTO was SELECT * FROM is_now;
	INSERT INTO numbers SELECT person FROM identity_person WHERE graph = 'fuzz' ON CONFLICT DO NOTHING;
	SELECT coalesce(max(id), 0) FROM identity_log $$;

/*
 * The moves of identifiers between numbers that the log tells of.  What is new has its own number until the first row
 * that adds it to a person; such a row names no former number, as nobody has seen it, but the link.
 */
CREATE TABLE flow (action text, former bigint, person bigint, identifiers bigint);
CREATE TABLE replay (id bigint PRIMARY KEY, key text, person bigint);
CREATE FUNCTION replay_since(since bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	l record;
	ends bigint[];
	bad text := '';
BEGIN
	DELETE FROM flow;
	DELETE FROM replay;
	INSERT INTO replay SELECT v.id, t.type || ':' || v.value, coalesce(w.person, v.id)
	FROM identity_vertex v JOIN identity_type t ON t.id = v.type_id LEFT JOIN was w ON w.id = v.id;
	FOR l IN SELECT h.* FROM identity_history h WHERE h.graph = 'fuzz' AND h.id > since AND h.person IS NOT NULL ORDER BY h.id LOOP
		IF l.action = 'add' THEN
			ends := ARRAY(SELECT r.person FROM replay r WHERE r.key IN (l.type_a || ':' || l.value_a, l.type_b || ':' || l.value_b) ORDER BY r.person <> l.person);
			IF ends[1] <> l.person OR EXISTS (SELECT FROM replay r JOIN was w ON w.id = r.id WHERE r.person = ends[2])
				OR (SELECT count(*) FROM replay r WHERE r.person = ends[2]) <> l.identifiers THEN
				bad := bad || format('; %s identifiers added to %s, not those of %s', l.identifiers, l.person, ends);
			END IF;
			l.former := ends[2];
		END IF;
		INSERT INTO flow VALUES (l.action, l.former, l.person, l.identifiers);
		-- where not all move, they are persons computed anew, and nothing is added after them
		IF l.identifiers = (SELECT count(*) FROM replay r WHERE r.person = l.former) THEN
			UPDATE replay r SET person = l.person WHERE r.person = l.former;
		END IF;
	END LOOP;
	RETURN bad;
END $$;

/* Whether the log since a row explains how persons came to be what they are; an empty text if it does */
CREATE FUNCTION unexplained(since bigint) RETURNS text LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	said text := replay_since(since);
BEGIN
	RETURN (
	WITH RECURSIVE change AS MATERIALIZED (
		SELECT id, coalesce(w.person, id) AS former, n.person, w.state AS state_before, n.state FROM is_now n LEFT JOIN was w USING (id)),
	log AS MATERIALIZED (SELECT * FROM identity_history h WHERE h.graph = 'fuzz' AND h.id > since),
	way AS (
		SELECT former AS start, person FROM flow
		UNION SELECT w.start, f.person FROM way w JOIN flow f ON f.former = w.person),
	problem (text) AS (
		SELECT said WHERE said <> ''
		UNION ALL
		SELECT format('nothing in the log leads identifier %s from %s to %s', id, former, person) AS text
		FROM change c WHERE former <> person AND NOT EXISTS (SELECT FROM way w WHERE (w.start, w.person) = (c.former, c.person))
		UNION ALL
		SELECT format('person %s has %s more identifiers, the log says %s', person, sum(n), sum(said))
		FROM (SELECT person, 1 AS n, 0 AS said FROM change UNION ALL SELECT former, -1, 0 FROM change
			UNION ALL SELECT person, 0, identifiers FROM flow UNION ALL SELECT former, 0, -identifiers FROM flow) x
		GROUP BY person HAVING sum(n) <> sum(said)
		UNION ALL
		SELECT format('%s of %s into %s for no change', action, former, person) FROM log
		WHERE action IN ('merge', 'split', 'add') AND NOT EXISTS (SELECT FROM change WHERE former <> person)
		UNION ALL
		SELECT format('%s of %s into %s without a cause', action, former, person) FROM log
		WHERE action IN ('merge', 'split', 'add') AND type_a IS NULL AND detail IS NULL
		UNION ALL
		SELECT format('identifier %s turned from %s to %s without a word', c.id, c.state_before, c.state)
		FROM change c JOIN identity_vertex v USING (id) JOIN identity_type t ON t.id = v.type_id
		WHERE c.state_before <> c.state AND NOT EXISTS (SELECT FROM log l WHERE (l.type_a, l.value_a) = (t.type, v.value)
			AND l.action = CASE WHEN c.state = 'b' THEN 'blocked' WHEN c.state = 's' THEN 'shared' WHEN c.state_before = 'b' THEN 'unblocked' ELSE 'unshared' END))
	SELECT coalesce(string_agg(text, '; '), '') FROM problem);
END $$;

/* All that must hold after each statement; an empty text if it does */
CREATE FUNCTION wrong(since bigint) RETURNS text LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
	RETURN (
	WITH edge AS MATERIALIZED (
		SELECT (least(a, b))[1] AS type_a, (least(a, b))[2] AS value_a, (greatest(a, b))[1] AS type_b, (greatest(a, b))[2] AS value_b,
			rule, source, weight, first_seen, last_seen, revoked_at < 'infinity' AND last_seen <= revoked_at AS revoked, status,
			(type_a, value_a) AS one, (type_b, value_b) AS other
		FROM (SELECT *, ARRAY[type_a, value_a] AS a, ARRAY[type_b, value_b] AS b FROM identity_edge WHERE graph = 'fuzz') x),
	node AS MATERIALIZED (SELECT * FROM identity_node WHERE graph = 'fuzz'),
	reference AS MATERIALIZED (SELECT * FROM reference_nodes('fuzz')),
	problem AS (
		SELECT 'evidence: ' || x AS text FROM (
			(SELECT type_a, value_a, type_b, value_b, rule, source, weight, first_seen, last_seen, coalesce(revoked, false) FROM edge
			EXCEPT SELECT type_a, value_a, type_b, value_b, rule, source, weight, first_seen, last_seen, coalesce(last_seen <= revoked_at, false) FROM mirror_edge)
			UNION ALL
			(SELECT type_a, value_a, type_b, value_b, rule, source, weight, first_seen, last_seen, coalesce(last_seen <= revoked_at, false) FROM mirror_edge
			EXCEPT SELECT type_a, value_a, type_b, value_b, rule, source, weight, first_seen, last_seen, coalesce(revoked, false) FROM edge)) x
		UNION ALL
		SELECT 'identifier: ' || x FROM (
			(SELECT type, value FROM node EXCEPT TABLE mirror_node) UNION ALL (TABLE mirror_node EXCEPT SELECT type, value FROM node)) x
		UNION ALL
		SELECT 'rules: ' || x FROM (
			(SELECT type, max_per_person, max_degree, priority FROM identity_types WHERE graph = 'fuzz' EXCEPT TABLE mirror_type)
			UNION ALL (TABLE mirror_type EXCEPT SELECT type, max_per_person, max_degree, priority FROM identity_types WHERE graph = 'fuzz')) x
		UNION ALL
		SELECT 'rules: ' || x FROM (
			(SELECT rule, priority, min_weight FROM identity_rules WHERE graph = 'fuzz' EXCEPT TABLE mirror_rule)
			UNION ALL (TABLE mirror_rule EXCEPT SELECT rule, priority, min_weight FROM identity_rules WHERE graph = 'fuzz')) x
		UNION ALL
		SELECT 'kept apart: ' || x FROM (
			(SELECT (least(a, b))[1], (least(a, b))[2], (greatest(a, b))[1], (greatest(a, b))[2]
				FROM (SELECT ARRAY[type_a, value_a] AS a, ARRAY[type_b, value_b] AS b FROM identity_kept_apart WHERE graph = 'fuzz' AND revoked_at IS NULL) y
			EXCEPT TABLE mirror_apart)) x
		UNION ALL
		SELECT format('%s %s is %s of %s, should be %s of %s', type, value, n.state, n.person, r.state, r.person)
		FROM node n FULL JOIN reference r USING (type, value) WHERE (n.state, coalesce(n.person, 0)) IS DISTINCT FROM (r.state, coalesce(r.person, 0))
		UNION ALL
		SELECT format('%s %s %s-%s is called %s', one, other, rule, source, status)
		FROM edge e JOIN mirror_rule USING (rule)
			JOIN reference a ON (a.type, a.value) = (e.type_a, e.value_a) JOIN reference b ON (b.type, b.value) = (e.type_b, e.value_b)
		WHERE status <> CASE WHEN coalesce(revoked, false) THEN 'revoked' WHEN a.state <> 'active' OR b.state <> 'active'
			OR weight < min_weight THEN 'inert' WHEN a.person = b.person THEN 'accepted' ELSE 'rejected' END
		UNION ALL
		SELECT 'check_identity_graph: ' || c FROM check_identity_graph('fuzz') c
		UNION ALL
		SELECT format('person %s has %s of type %s', person, count(*), type) FROM node JOIN mirror_type USING (type)
		WHERE person IS NOT NULL GROUP BY person, type, max_per_person HAVING count(*) > max_per_person
		UNION ALL
		SELECT format('person %s has both %s and %s', a.person, (k.type_a, k.value_a), (k.type_b, k.value_b)) FROM mirror_apart k
			JOIN node a ON (a.type, a.value) = (k.type_a, k.value_a) JOIN node b ON (b.type, b.value) = (k.type_b, k.value_b)
		WHERE a.person = b.person
		UNION ALL
		SELECT format('person_of(%s, %s) is %s', type, value, person_of('fuzz', type, value)) FROM node
		WHERE person_of('fuzz', type, value) IS DISTINCT FROM person
		UNION ALL
		SELECT format('identifiers_of(%s)', p.person) FROM identity_person p WHERE p.graph = 'fuzz'
			AND (ARRAY(SELECT (type, value, original)::text FROM identifiers_of('fuzz', p.person) ORDER BY 1) <> ARRAY(SELECT (type, value, original)::text FROM node n WHERE n.person = p.person ORDER BY 1)
			OR p.identifiers <> (SELECT count(*) FROM node n WHERE n.person = p.person))
		UNION ALL
		SELECT format('resolve_person(%s) is %s', numbers.person, resolve_person('fuzz', numbers.person)) FROM numbers JOIN is_now i ON i.id = numbers.person
		WHERE i.state = 'a' AND resolve_person('fuzz', numbers.person) IS DISTINCT FROM i.person
		UNION ALL
		SELECT 'log: ' || u FROM unexplained(since) u WHERE u <> '')
	SELECT coalesce(string_agg(text, E'\n'), '') FROM problem);
END $$;

/* Draws */
CREATE FUNCTION draw(n int) RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT floor(random() * n)::int $$;
CREATE FUNCTION pick(VARIADIC choices text[]) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT choices[1 + draw(cardinality(choices))] $$;
CREATE TYPE a_link AS (type_a text, value_a text, type_b text, value_b text, rule text, weight float8, at timestamptz, source text);
/* few values, weights and times, so that they meet again and tie; what is to be seen again after it was revoked comes in 2100 */
CREATE FUNCTION draw_value(type text) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN random() < 0.02 THEN pick('null', '000')
		ELSE CASE WHEN type = 'email' AND random() < 0.3 THEN upper(left(type, 1)) ELSE left(type, 1) END || 1 + draw(CASE type WHEN 'login' THEN 3 ELSE 4 END) END $$;
CREATE FUNCTION draw_link(step int) RETURNS a_link LANGUAGE plpgsql AS $$
DECLARE
	type_a text := pick('cookie', 'device', 'email', 'login');
	type_b text := pick('cookie', 'device', 'email', 'login');
BEGIN
	RETURN ROW(type_a, draw_value(type_a), type_b, CASE WHEN random() < 0.97 THEN draw_value(type_b) END, pick('observed', 'observed', 'typed', 'guess'),
		pick('0.3', '0.5', '1', '1')::float8, CASE WHEN random() < 0.15 THEN timestamptz '2100-01-01' + step * interval '1 hour'
			ELSE timestamptz '2024-01-01' + draw(3) * interval '1 day' END, pick('', '', 's1', 's2'))::a_link;
END $$;
CREATE FUNCTION mirror_link(l a_link) RETURNS void LANGUAGE sql AS $$
	SELECT mirror_link(l.type_a, l.value_a, l.type_b, l.value_b, l.rule, l.weight, l.at, l.source) $$;
CREATE FUNCTION link_text(g text, l a_link) RETURNS text LANGUAGE sql AS $$
	SELECT format('SELECT link(%L, %L, %L, %L, %L, %L, %s, %L, %L)', g, l.type_a, l.value_a, CASE WHEN l.value_b IS NOT NULL THEN l.type_b END, l.value_b,
		l.rule, l.weight, l.at, l.source) $$;
CREATE FUNCTION link_text(g text, links a_link[]) RETURNS text LANGUAGE sql AS $$
	SELECT format('SELECT link(%L, %L)', g, 'SELECT * FROM (VALUES '
		|| string_agg(format('(%L, %L, %L, %L, %L, %L::float8, timestamptz %L, %L)', l.type_a, l.value_a, l.type_b, l.value_b, l.rule, l.weight, l.at, l.source), ', ')
		|| ') v (type_a, value_a, type_b, value_b, rule, weight, at, source)') FROM unnest(links) l $$;

/* A graph with rules at random, of those that a family of graphs has */
CREATE FUNCTION new_graph(g text, family text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	script text := format('SELECT create_identity_graph(%L)', g);
	statement text;
	kind text;
BEGIN
	EXECUTE script;
	FOREACH kind IN ARRAY ARRAY['cookie', 'device', 'email', 'login'] LOOP
		statement := set_type_text(g, kind, family);
		EXECUTE statement;
		script := script || E';\n' || statement;
	END LOOP;
	FOREACH kind IN ARRAY ARRAY['typed', 'guess'] LOOP
		statement := format('SELECT set_link_rule(%L, %L, %s, %L)', g, kind, pick('10', '100', '200'), CASE family WHEN 'plain' THEN NULL ELSE pick(NULL, '0.5') END);
		EXECUTE statement;
		script := script || E';\n' || statement;
	END LOOP;
	RETURN script;
END $$;
CREATE FUNCTION set_type_text(g text, type text, family text) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT format('SELECT set_identifier_type(%L, %L, %L, %L, %s, %L)', g, type,
		CASE WHEN family IN ('limits', 'all') THEN CASE type WHEN 'login' THEN '1' ELSE pick(NULL, NULL, '1', '2') END END,
		CASE WHEN family IN ('degrees', 'all') THEN pick(NULL, '2', '3') END,
		CASE WHEN family IN ('limits', 'all') THEN pick('100', '100', '50') ELSE '100' END, CASE type WHEN 'email' THEN 'lower' ELSE 'none' END) $$;
CREATE FUNCTION read_rules() RETURNS void LANGUAGE sql AS $$
	DELETE FROM mirror_type; DELETE FROM mirror_rule;
	INSERT INTO mirror_type SELECT type, max_per_person, max_degree, priority FROM identity_types WHERE graph = 'fuzz';
	INSERT INTO mirror_rule SELECT rule, priority, min_weight FROM identity_rules WHERE graph = 'fuzz' $$;

/* One statement at random; what it should do is done to the mirror. */
CREATE FUNCTION next_statement(family text, step int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	what float8 := random();
	l a_link := draw_link(step);
	links a_link[];
	known mirror_edge;
	kind text;
	one text[];
	other text[];
	rules boolean := family <> 'plain';
BEGIN
	-- evidence that is there, more often than not, for what revokes or repeats
	SELECT * INTO known FROM mirror_edge ORDER BY random() LIMIT 1;
	IF what < 0.36 OR known IS NULL THEN
		PERFORM mirror_link(l);
		RETURN link_text('fuzz', l);
	ELSIF what < 0.44 THEN -- seen again, by the same source or another
		l := ROW(known.type_b, known.value_b, known.type_a, known.value_a, known.rule, l.weight, l.at, CASE WHEN random() < 0.5 THEN known.source ELSE l.source END)::a_link;
		PERFORM mirror_link(l);
		RETURN link_text('fuzz', l);
	ELSIF what < 0.52 THEN
		links := ARRAY(SELECT draw_link(step) FROM generate_series(0, draw(9)) x);
		PERFORM mirror_link(x.*::a_link) FROM unnest(links) x;
		RETURN link_text('fuzz', links);
	ELSIF what < 0.57 THEN
		one := ARRAY(SELECT CASE WHEN x > 3 THEN NULL ELSE draw_value(l.type_a) END FROM generate_series(0, draw(5)) x);
		other := ARRAY(SELECT CASE WHEN random() < 0.95 THEN draw_value(l.type_b) END FROM unnest(one) x);
		PERFORM mirror_link(l.type_a, o.a, l.type_b, o.b, l.rule, l.weight, l.at, l.source) FROM unnest(one, other) o (a, b);
		RETURN format('SELECT link(%L, %L, %L::text[], %L, %L::text[], %L, %s, %L, %L)', 'fuzz', l.type_a, one, l.type_b, other, l.rule, l.weight, l.at, l.source);
	ELSIF what < 0.72 THEN
		IF random() < 0.2 THEN -- perhaps nothing
			known.value_b := draw_value(known.type_b);
		END IF;
		l.rule := CASE WHEN random() < 0.3 THEN known.rule END;
		l.source := CASE WHEN random() < 0.3 THEN known.source END;
		UPDATE mirror_edge e SET revoked_at = greatest(clock_timestamp(), e.last_seen)
		WHERE (e.type_a, e.value_a, e.type_b, e.value_b) IN ((known.type_a, known.value_a, known.type_b, form(known.type_b, known.value_b)),
				(known.type_b, form(known.type_b, known.value_b), known.type_a, known.value_a))
			AND (e.revoked_at IS NULL OR e.last_seen > e.revoked_at) AND e.rule = coalesce(l.rule, e.rule) AND e.source = coalesce(l.source, e.source);
		RETURN format('SELECT unlink(%L, %L, %L, %L, %L, %L, %L)', 'fuzz', known.type_a, known.value_a, known.type_b, known.value_b, l.rule, l.source);
	ELSIF what < 0.76 THEN
		IF l.value_b IS NULL OR (l.type_a, form(l.type_a, l.value_a)) = (l.type_b, form(l.type_b, l.value_b)) THEN
			RETURN 'SELECT 1';
		END IF;
		PERFORM mirror_link(l.type_a, l.value_a, l.type_b, NULL, '', 1, NULL, ''), mirror_link(l.type_a, NULL, l.type_b, l.value_b, '', 1, NULL, '');
		one := ARRAY[l.type_a, form(l.type_a, l.value_a)];
		other := ARRAY[l.type_b, form(l.type_b, l.value_b)];
		INSERT INTO mirror_apart VALUES ((least(one, other))[1], (least(one, other))[2], (greatest(one, other))[1], (greatest(one, other))[2]) ON CONFLICT DO NOTHING;
		RETURN format('SELECT must_not_link(%L, %L, %L, %L, %L)', 'fuzz', l.type_a, l.value_a, l.type_b, l.value_b);
	ELSIF what < 0.80 THEN
		SELECT ARRAY[type_a, value_a], ARRAY[type_b, value_b] INTO one, other FROM mirror_apart ORDER BY random() LIMIT 1;
		IF one IS NULL THEN
			RETURN 'SELECT 1';
		END IF;
		DELETE FROM mirror_apart WHERE (type_a, value_a, type_b, value_b) = (one[1], one[2], other[1], other[2]);
		RETURN format('SELECT may_link(%L, %L, %L, %L, %L)', 'fuzz', other[1], other[2], one[1], one[2]);
	ELSIF what < 0.85 AND rules THEN
		RETURN set_type_text('fuzz', l.type_a, family);
	ELSIF what < 0.89 AND rules THEN
		RETURN format('SELECT set_link_rule(%L, %L, %s, %L)', 'fuzz', l.rule, pick('10', '100', '200'), pick(NULL, '0.4', '0.6', '2'));
	ELSIF what < 0.94 THEN
		kind := CASE WHEN random() < 0.5 THEN format('value => %L', upper(draw_value(l.type_a))) ELSE format('pattern => %L', pick('^.[12]$', '^c', '3$')) END;
		RETURN format('SELECT %s(%L, %s, type => %L)', CASE WHEN random() < 0.4 THEN 'block_identifier' ELSE 'unblock_identifier' END, 'fuzz', kind,
			CASE WHEN random() < 0.5 THEN l.type_a END);
	ELSIF what < 0.955 THEN
		UPDATE mirror_edge e SET revoked_at = greatest(clock_timestamp(), e.last_seen)
		WHERE e.source = l.source AND l.source <> '' AND (e.revoked_at IS NULL OR e.last_seen > e.revoked_at);
		RETURN format('SELECT unlink_source(%L, %L)', 'fuzz', CASE WHEN l.source = '' THEN 's3' ELSE l.source END);
	ELSIF what < 0.965 THEN
		l.at := timestamptz '2024-01-01' + (1 + draw(2)) * interval '1 day';
		kind := CASE WHEN random() < 0.8 THEN l.type_a END;
		UPDATE mirror_edge e SET revoked_at = greatest(clock_timestamp(), e.last_seen)
		WHERE e.last_seen < l.at AND (kind IS NULL OR kind IN (e.type_a, e.type_b)) AND (e.revoked_at IS NULL OR e.last_seen > e.revoked_at);
		RETURN format('SELECT expire_links(%L, %L, %L)', 'fuzz', l.at, kind);
	ELSIF what < 0.975 THEN
		RETURN 'SELECT 1 / (rebuild_identity_graph(''fuzz'') = 0)::int';
	END IF;
	PERFORM mirror_link(l);
	RETURN link_text('fuzz', l);
END $$;

/* Statements that are tried on top of a state, to be undone by what comes after them; NULL for none */
CREATE FUNCTION there_and_back(step int) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	a mirror_node;
	b mirror_node;
	t mirror_type;
	r mirror_rule;
	what int := draw(5);
BEGIN
	SELECT * INTO a FROM mirror_node ORDER BY random() LIMIT 1;
	SELECT * INTO b FROM mirror_node WHERE (type, value) <> (a.type, a.value) ORDER BY random() LIMIT 1;
	SELECT * INTO t FROM mirror_type ORDER BY random() LIMIT 1;
	SELECT * INTO r FROM mirror_rule ORDER BY random() LIMIT 1;
	IF b.value IS NULL THEN
		RETURN NULL;
	ELSIF what = 0 THEN
		RETURN ARRAY[format('SELECT link(%L, %L, %L, %L, %L, %L, 100, %L, %L)', 'fuzz', a.type, a.value, b.type, b.value, 'observed', '2023-01-01', 'probe' || step),
			format('SELECT unlink(%L, %L, %L, %L, %L, source => %L)', 'fuzz', b.type, b.value, a.type, a.value, 'probe' || step)];
	ELSIF what = 1 AND NOT EXISTS (SELECT FROM mirror_apart WHERE (type_a, value_a, type_b, value_b) IN ((a.type, a.value, b.type, b.value), (b.type, b.value, a.type, a.value))) THEN
		RETURN ARRAY[format('SELECT must_not_link(%L, %L, %L, %L, %L)', 'fuzz', a.type, a.value, b.type, b.value),
			format('SELECT may_link(%L, %L, %L, %L, %L)', 'fuzz', a.type, a.value, b.type, b.value)];
	ELSIF what = 2 THEN
		RETURN ARRAY[format('SELECT set_identifier_type(%L, %L, 1, 2, 1, %L)', 'fuzz', t.type, CASE t.type WHEN 'email' THEN 'lower' ELSE 'none' END),
			format('SELECT set_identifier_type(%L, %L, %L, %L, %s, %L)', 'fuzz', t.type, t.max_per_person, t.max_degree, t.priority, CASE t.type WHEN 'email' THEN 'lower' ELSE 'none' END)];
	ELSIF what = 3 THEN
		RETURN ARRAY[format('SELECT set_link_rule(%L, %L, 1, 0.7)', 'fuzz', r.rule),
			format('SELECT set_link_rule(%L, %L, %s, %L)', 'fuzz', r.rule, r.priority, r.min_weight)];
	ELSE
		RETURN ARRAY[format('SELECT block_identifier(%L, pattern => %L)', 'fuzz', '^' || lower(a.value) || '$'),
			format('SELECT unblock_identifier(%L, pattern => %L)', 'fuzz', '^' || lower(a.value) || '$')];
	END IF;
END $$;

/* Many statements on one graph; an empty text if all is well after each. */
CREATE FUNCTION fuzz(family text, seed int, steps int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	script text;
	statement text;
	probe text[];
	since bigint;
	before text;
	said text;
	bad text;
BEGIN
	PERFORM drop_identity_graph(graph) FROM identity_graphs;
	-- dead rows of this transaction would slow down what comes
	TRUNCATE identity_graph, identity_type, identity_rule, identity_blocked, identity_vertex, identity_evidence, identity_apart, identity_log;
	PERFORM setseed(seed / 100000.0);
	TRUNCATE mirror_edge, mirror_apart, mirror_node, was, numbers;
	script := new_graph('fuzz', family);
	PERFORM read_rules();
	FOR step IN 1 .. steps LOOP
		since := remember();
		statement := next_statement(family, step);
		script := script || E';\n' || statement;
		EXECUTE statement INTO said;
		IF statement LIKE '%set_%' THEN
			PERFORM read_rules();
		END IF;
		bad := wrong(since);
		IF bad = '' AND statement LIKE 'SELECT link%' AND random() < 0.3 THEN -- once more changes nothing
			since := remember();
			SELECT md5(string_agg((e, e.xmin, e.cmin)::text, '' ORDER BY a, b, rule_id, source)) INTO before FROM identity_evidence e;
			EXECUTE statement INTO said;
			SELECT wrong(since) || CASE WHEN before IS DISTINCT FROM md5(string_agg((e, e.xmin, e.cmin)::text, '' ORDER BY a, b, rule_id, source)) THEN 'evidence written again' ELSE '' END
				|| CASE WHEN EXISTS (SELECT FROM identity_log WHERE id > since) THEN 'logged again' ELSE '' END INTO bad FROM identity_evidence e;
		END IF;
		IF bad = '' AND random() < 0.15 THEN -- and what is undone leaves no trace
			probe := there_and_back(step);
			CONTINUE WHEN probe IS NULL;
			SELECT string_agg(x::text, ',' ORDER BY id) INTO before FROM is_now x;
			EXECUTE probe[1] INTO said;
			script := script || E';\n' || probe[1];
			SELECT string_agg((n.type, n.value, n.state, coalesce(n.person, 0), r.state, coalesce(r.person, 0))::text, E'\n') INTO bad
			FROM identity_node n FULL JOIN reference_nodes('fuzz') r USING (type, value)
			WHERE n.graph = 'fuzz' AND (n.state, coalesce(n.person, 0)) IS DISTINCT FROM (r.state, coalesce(r.person, 0));
			EXECUTE probe[2] INTO said;
			script := script || E';\n' || probe[2];
			DELETE FROM personalize.identity_evidence WHERE source LIKE 'probe%';
			SELECT coalesce(bad, '') || CASE WHEN string_agg(x::text, ',' ORDER BY id) <> before THEN 'undone, but not what it was: ' || before ELSE '' END INTO bad FROM is_now x;
		END IF;
		IF bad <> '' THEN
			RETURN format(E'family %s, seed %s, step %s: %s\nafter\n%s', family, seed, step, bad, script);
		END IF;
	END LOOP;
	RETURN '';
END $$;

/* What the families of graphs met, so that a test that no longer meets what it is for is found out */
CREATE TABLE met (family text, what text);
CREATE FUNCTION fuzz_family(family text, first_seed int, seeds int, steps int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	bad text;
BEGIN
	FOR seed IN first_seed .. first_seed + seeds - 1 LOOP
		bad := fuzz(family, seed, steps);
		IF bad <> '' THEN
			RETURN bad;
		END IF;
		INSERT INTO met SELECT DISTINCT family, action FROM identity_history
			UNION ALL SELECT DISTINCT family, 'an edge ' || status FROM identity_edge;
	END LOOP;
	RETURN '';
END $$;
SELECT is(fuzz_family('plain', 1, 5 * :rounds, 60), '', 'after each of many statements: graphs without limits');
SELECT is(fuzz_family('limits', 1001, 9 * :rounds, 60), '', '... with limits');
SELECT is(fuzz_family('degrees', 2001, 8 * :rounds, 60), '', '... with shared identifiers');
SELECT is(fuzz_family('all', 3001, 11 * :rounds, 60), '', '... with all of these');
SELECT bag_has($$SELECT DISTINCT f, w FROM met m (f, w)$$, $$SELECT f, w FROM unnest(ARRAY['limits', 'all']) f,
	unnest(ARRAY['add', 'merge', 'split', 'reject', 'revoke', 'expire', 'rule', 'must_not_link', 'may_link', 'blocked', 'unblocked',
		'an edge accepted', 'an edge rejected', 'an edge inert', 'an edge revoked']) w
	UNION ALL SELECT f, w FROM unnest(ARRAY['degrees', 'all']) f, unnest(ARRAY['shared', 'unshared']) w$$, '... all of which came about');

/* Any order, in parts of any size: the same persons */
CREATE TABLE script (n int, l a_link);
CREATE FUNCTION new_graph_like(g text) RETURNS text LANGUAGE sql AS $$
	SELECT create_identity_graph(g);
	SELECT set_identifier_type(g, type, max_per_person, max_degree, priority, normal_form) FROM identity_types WHERE graph = 'fuzz';
	SELECT set_link_rule(g, rule, priority, min_weight) FROM identity_rules WHERE graph = 'fuzz';
	SELECT g $$;
CREATE FUNCTION flipped(l a_link) RETURNS a_link LANGUAGE sql AS $$
	SELECT CASE WHEN random() < 0.5 OR l.value_b IS NULL THEN l ELSE ROW(l.type_b, l.value_b, l.type_a, l.value_a, l.rule, l.weight, l.at, l.source)::a_link END $$;
CREATE FUNCTION load_script(g text, how text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	links a_link[];
	l a_link;
	done int := 0;
	n int;
	said text;
BEGIN
	IF how = 'rules last' THEN
		PERFORM create_identity_graph(g);
		PERFORM set_identifier_type(g, type, NULL, normal_form => normal_form) FROM identity_types WHERE graph = 'fuzz';
		PERFORM set_link_rule(g, rule) FROM identity_rules WHERE graph = 'fuzz';
	ELSE
		PERFORM new_graph_like(g);
	END IF;
	SELECT array_agg(CASE WHEN how = 'as they come' THEN s.l ELSE flipped(s.l) END ORDER BY CASE WHEN how = 'as they come' THEN s.n ELSE random() END) INTO links FROM script s;
	IF how = 'arrays' THEN
		PERFORM link(g, a.ta, a.va, a.tb, a.vb, a.rule, a.weight, a.at, a.source) FROM (
			SELECT (x).type_a AS ta, array_agg((x).value_a ORDER BY random()) AS va, (x).type_b AS tb, array_agg((x).value_b ORDER BY random()) AS vb,
				(x).rule, (x).weight, (x).at, (x).source
			FROM unnest(links) x GROUP BY (x).type_a, (x).type_b, (x).rule, (x).weight, (x).at, (x).source, CASE WHEN random() < 0.5 THEN random() END
			HAVING count(*) = 1 ORDER BY random()) a;
		-- values_a and values_b are to stay together, so groups of several go in the order of both
		PERFORM link(g, a.ta, a.va, a.tb, a.vb, a.rule, a.weight, a.at, a.source) FROM (
			SELECT (x).type_a AS ta, array_agg((x).value_a ORDER BY x) AS va, (x).type_b AS tb, array_agg((x).value_b ORDER BY x) AS vb,
				(x).rule, (x).weight, (x).at, (x).source
			FROM unnest(links) x GROUP BY (x).type_a, (x).type_b, (x).rule, (x).weight, (x).at, (x).source ORDER BY random()) a;
	ELSE
		WHILE done < cardinality(links) LOOP
			n := CASE how WHEN 'batches' THEN 1 + draw(8) WHEN 'at once' THEN cardinality(links) ELSE 1 END;
			IF n = 1 THEN
				EXECUTE link_text(g, links[done + 1]) INTO said;
			ELSE
				EXECUTE link_text(g, links[done + 1 : done + n]) INTO said;
			END IF;
			done := done + n;
		END LOOP;
	END IF;
	IF how = 'rules last' THEN
		PERFORM set_identifier_type(g, type, max_per_person, max_degree, priority, normal_form) FROM identity_types WHERE graph = 'fuzz' ORDER BY random();
		PERFORM set_link_rule(g, rule, priority, min_weight) FROM identity_rules WHERE graph = 'fuzz' ORDER BY random();
	END IF;
	RETURN (SELECT coalesce(string_agg(p::text, ' ' ORDER BY p), 'nobody') FROM people(g) p);
END $$;
CREATE FUNCTION any_order(first_seed int, seeds int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	expected text;
	found text;
	how text;
	script_text text;
BEGIN
	FOR seed IN first_seed .. first_seed + seeds - 1 LOOP
		PERFORM setseed(seed / 100000.0);
		PERFORM drop_identity_graph(graph) FROM identity_graphs;
		TRUNCATE identity_graph, identity_type, identity_rule, identity_blocked, identity_vertex, identity_evidence, identity_apart, identity_log;
		TRUNCATE script;
		script_text := new_graph('fuzz', pick('plain', 'limits', 'all', 'all'));
		INSERT INTO script SELECT n, draw_link(0) FROM generate_series(1, 8 + draw(20)) n;
		SELECT string_agg(link_text('fuzz', l), E';\n' ORDER BY n) INTO script_text FROM script;
		FOREACH how IN ARRAY ARRAY['as they come', 'one by one', 'one by one', 'one by one', 'batches', 'batches', 'at once', 'at once', 'arrays', 'rules last'] LOOP
			found := load_script('other', how);
			IF expected IS NULL OR how = 'as they come' THEN
				SELECT string_agg((type, value, state, CASE WHEN state = 'active' THEN first END)::text, ' ' ORDER BY type, value) INTO expected
				FROM (SELECT s.*, min(type || ':' || value COLLATE "C") OVER (PARTITION BY number) AS first FROM reference_sets('other') s) x;
			END IF;
			IF found IS DISTINCT FROM expected OR EXISTS (SELECT FROM check_identity_graph('other')) THEN
				RETURN format(E'seed %s, %s: %s\nnot %s\n%s', seed, how, found, expected, script_text);
			END IF;
			PERFORM drop_identity_graph('other');
		END LOOP;
	END LOOP;
	RETURN '';
END $$;
SELECT is(any_order(1, 10 * :rounds), '', 'any order, alone, in batches, as arrays, with the rules first or last: the same persons');

/* Without limits persons are what can be reached, by a recursive query too. */
CREATE FUNCTION plain_graphs(first_seed int, seeds int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
	bad text;
BEGIN
	FOR seed IN first_seed .. first_seed + seeds - 1 LOOP
		PERFORM setseed(seed / 100000.0);
		PERFORM drop_identity_graph(graph) FROM identity_graphs;
		PERFORM new_graph('fuzz', 'degrees');
		FOR part IN 1 .. 4 LOOP
			EXECUTE link_text('fuzz', ARRAY(SELECT draw_link(0) FROM generate_series(1, 5))) INTO said;
			SELECT string_agg(x::text, ' ') INTO bad FROM (SELECT type, value, state, person FROM identity_node WHERE graph = 'fuzz' EXCEPT SELECT * FROM reachable_nodes('fuzz')) x;
			IF bad IS NOT NULL THEN
				RETURN format('seed %s, part %s: %s', seed, part, bad);
			END IF;
		END LOOP;
	END LOOP;
	RETURN '';
END $$;
SELECT is(plain_graphs(1, 10 * :rounds), '', 'without limits: what can be reached');
SELECT drop_identity_graph(graph) FROM identity_graphs;
TRUNCATE identity_graph, identity_type, identity_rule, identity_blocked, identity_vertex, identity_evidence, identity_apart, identity_log RESTART IDENTITY;

/* By hand: numbers and the log */
SELECT create_identity_graph('shop');
SELECT set_identifier_type('shop', 'login', 1), set_identifier_type('shop', 'cookie', NULL);
CREATE VIEW shop AS SELECT string_agg(value || '=' || coalesce(person::text, state), ' ' ORDER BY value) AS persons FROM identity_node WHERE graph = 'shop';
CREATE FUNCTION story(since bigint) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', action, former, 'to', person, '(' || identifiers || ')', value_a, value_b, rule) FROM identity_history WHERE id > since ORDER BY id $$;
SELECT is(link('shop', 'login', 'ann', 'cookie', 'c1', at => '2024-01-01'), ('accepted', 1, NULL)::link_result, 'a link of two who are new');
SELECT is(link('shop', 'cookie', 'c2', 'login', 'bob', at => '2024-01-02'), ('accepted', 3, NULL)::link_result, '... and of two more');
SELECT is(persons, 'ann=1 bob=3 c1=1 c2=3', 'two persons') FROM shop;
SELECT is(link('shop', 'cookie', 'c3', 'cookie', 'c2', at => '2024-01-03'), ('accepted', 3, NULL)::link_result, 'the survivor keeps its number');
SELECT results_eq($$SELECT s FROM story(0) s WHERE s NOT LIKE 'rule%'$$, ARRAY['add to 1 (1) ann c1 observed', 'add to 3 (1) c2 bob observed', 'add to 3 (1) c3 c2 observed'], 'so says the log');
SELECT is(link('shop', 'cookie', 'c1', 'cookie', 'c3', at => '2024-01-04', source => 'shared tablet'),
	('rejected', 1, 'one person would have 2 identifiers of type "login", at most 1 allowed')::link_result, 'two logins are not one person');
SELECT is(persons, 'ann=1 bob=3 c1=1 c2=3 c3=3', '... by whatever cookie') FROM shop;
SELECT set_identifier_type('shop', 'login', NULL);
SELECT is(persons, 'ann=1 bob=1 c1=1 c2=1 c3=1', '... unless the rule is dropped') FROM shop;
SELECT is(resolve_person('shop', n), 1::bigint, format('number %s is 1 now', n)) FROM generate_series(1, 5) n;
SELECT results_eq('SELECT former, person FROM identity_alias ORDER BY 1', 'VALUES (3::bigint, 1::bigint)', '... and the one that was somebody''s is an alias');
SELECT is(unlink('shop', 'cookie', 'c3', 'cookie', 'c1', source => 'shared tablet'), 1::bigint, 'unlink() revokes one piece of evidence');
SELECT is(persons, 'ann=1 bob=3 c1=1 c2=3 c3=3', '... and all have their numbers back') FROM shop;
SELECT results_eq('SELECT story((SELECT max(id) FROM identity_history WHERE action = ''reject''))',
	ARRAY['rule to', 'merge 3 to 1 (3)', 'revoke to c1 c3 observed', 'split 1 to 3 (3) c1 c3'], '... which the log tells, too');
SELECT is(link('shop', 'cookie', 'c3', 'cookie', 'c1', at => '2024-01-05', source => 'shared tablet'),
	('revoked', 3, 'it was revoked, and has not been seen since')::link_result, 'what is older than its revocation stays revoked');
SELECT is(unlink('shop', 'cookie', 'c1', 'cookie', 'c1'), 0::bigint, 'an identifier cannot be unlinked from itself');
SELECT is(persons, 'ann=1 bob=3 c1=1 c2=3 c3=3', '... and stays who it is') FROM shop;

/* Her number is the cookie's.  The cookie turns shared: whoever knows her by that number still finds her. */
SAVEPOINT s;
SELECT set_identifier_type('shop', 'cookie', NULL, max_degree => 1);
CREATE TEMP TABLE gil AS SELECT person FROM link('shop', 'cookie', 'c7', 'login', 'gil');
SELECT link('shop', 'cookie', 'c7', 'login', 'hal');
SELECT is((person_of('shop', 'cookie', 'c7'), person_of('shop', 'login', 'gil') > person, resolve_person('shop', person)),
	(NULL::bigint, true, person_of('shop', 'login', 'gil')), 'a number that is a shared identifier''s leads to who took over') FROM gil;
ROLLBACK TO s;

/* A whole transaction that is rolled back leaves no trace, in what the session remembers of the rules neither. */
SAVEPOINT s;
SELECT set_identifier_type('shop', 'login', NULL), set_identifier_type('shop', 'phone', 1);
SELECT is((link('shop', 'cookie', 'c1', 'cookie', 'c2', at => '2024-01-06', source => 'x')).status, 'accepted', 'in a transaction: without the limit');
ROLLBACK TO s;
SELECT is((link('shop', 'cookie', 'c1', 'cookie', 'c2', at => '2024-01-06', source => 'x')).status, 'accepted', 'rolled back: there is none, as before');
SELECT throws_ok($$SELECT person_of('shop', 'phone', '1')$$, '42704', NULL, '... and a type is unknown again');

/* NULL */
SELECT is(person_of('shop', 'login', NULL), NULL, 'nobody has NULL');
SELECT is(resolve_person('shop', NULL), NULL, '... nor is NULL a person');
SELECT is_empty($$SELECT * FROM identifiers_of('shop', NULL)$$, '... who would have identifiers');
SELECT is(link('shop', 'login', ARRAY['eve', NULL, 'fay', NULL], 'cookie', ARRAY['c9', 'c8', NULL, NULL], at => '2024-02-01'),
	(1, 1, 0, 0, 0, 0, 4, 0)::link_summary, 'a NULL on one side is an identifier alone, on both nothing');
SELECT throws_ok($$SELECT link('shop', 'login', NULL, 'cookie', 'c1')$$, '22004', NULL, 'an identifier must have a value');

SELECT * FROM finish();
ROLLBACK;
