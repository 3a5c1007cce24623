/* The living graph of identity: doc/identity.md */

CREATE TABLE identity_graph (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	graph text COLLATE "C" NOT NULL UNIQUE CHECK (graph <> ''),
	owner name NOT NULL,
	reader name,
	created_at timestamptz NOT NULL DEFAULT now());

CREATE TABLE identity_type (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	graph_id int NOT NULL REFERENCES identity_graph ON DELETE CASCADE,
	type text COLLATE "C" NOT NULL CHECK (type <> ''),
	max_per_person int CHECK (max_per_person > 0),
	max_degree int CHECK (max_degree > 0),
	priority int NOT NULL,
	normal_form text NOT NULL CHECK (normal_form IN ('none', 'lower', 'email', 'phone')),
	region text,
	UNIQUE (graph_id, type));

CREATE TABLE identity_rule (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	graph_id int NOT NULL REFERENCES identity_graph ON DELETE CASCADE,
	rule text COLLATE "C" NOT NULL CHECK (rule <> ''),
	priority int NOT NULL,
	min_weight float8 NOT NULL CHECK (min_weight = min_weight AND min_weight <> 'NaN'),
	UNIQUE (graph_id, rule));

CREATE TABLE identity_blocked (
	graph_id int NOT NULL REFERENCES identity_graph ON DELETE CASCADE,
	type_id int REFERENCES identity_type ON DELETE CASCADE,
	value text COLLATE "C",
	pattern text,
	CHECK ((value IS NULL) <> (pattern IS NULL)));

CREATE UNIQUE INDEX identity_blocked_key ON identity_blocked
	(graph_id, COALESCE(type_id, 0), COALESCE(value, ''), COALESCE(pattern, ''));

CREATE TABLE identity_vertex (
	id bigint GENERATED ALWAYS AS IDENTITY,
	root bigint NOT NULL,
	person bigint NOT NULL,
	graph_id int NOT NULL,
	type_id int NOT NULL,
	size int NOT NULL,
	state "char" NOT NULL,
	apart boolean NOT NULL,
	value text COLLATE "C" NOT NULL,
	original text,
	CONSTRAINT identity_vertex_pkey PRIMARY KEY (id),
	CONSTRAINT identity_vertex_value_key UNIQUE (type_id, value))
	WITH (fillfactor = 85);

CREATE INDEX identity_vertex_root_idx ON identity_vertex (root, type_id);
CREATE INDEX identity_vertex_apart_idx ON identity_vertex (root) WHERE apart;

CREATE TABLE identity_evidence (
	a bigint NOT NULL,
	b bigint NOT NULL,
	graph_id int NOT NULL,
	rule_id int NOT NULL,
	weight float8 NOT NULL,
	first_seen timestamptz NOT NULL,
	last_seen timestamptz NOT NULL,
	revoked_at timestamptz,
	source text COLLATE "C" NOT NULL,
	CONSTRAINT identity_evidence_pkey PRIMARY KEY (a, b, rule_id, source),
	CHECK (a < b));

CREATE INDEX identity_evidence_b_idx ON identity_evidence (b);

CREATE TABLE identity_apart (
	a bigint NOT NULL,
	b bigint NOT NULL,
	graph_id int NOT NULL,
	created_at timestamptz NOT NULL,
	source text NOT NULL,
	revoked_at timestamptz,
	CONSTRAINT identity_apart_pkey PRIMARY KEY (a, b),
	CHECK (a < b));

CREATE INDEX identity_apart_b_idx ON identity_apart (b);

CREATE TABLE identity_log (
	id bigint GENERATED ALWAYS AS IDENTITY,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	graph_id int NOT NULL,
	rule_id int,
	person bigint,
	former bigint,
	a bigint,
	b bigint,
	identifiers int,
	action text NOT NULL,
	detail text,
	actor name NOT NULL);

CREATE INDEX identity_log_person_idx ON identity_log (person, id);
CREATE INDEX identity_log_former_idx ON identity_log (former, id) WHERE former IS NOT NULL;

ALTER TABLE identity_graph ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity_type ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity_rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity_blocked ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity_vertex ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity_evidence ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity_apart ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity_log ENABLE ROW LEVEL SECURITY;

CREATE POLICY readers ON identity_graph FOR SELECT USING (
	EXISTS (SELECT FROM pg_catalog.pg_roles r
		WHERE (r.rolname OPERATOR(pg_catalog.=) owner OR r.rolname OPERATOR(pg_catalog.=) reader)
			AND pg_catalog.pg_has_role(r.oid, 'USAGE')));
CREATE POLICY readers ON identity_type FOR SELECT USING (graph_id IN (SELECT g.id FROM @extschema@.identity_graph g));
CREATE POLICY readers ON identity_rule FOR SELECT USING (graph_id IN (SELECT g.id FROM @extschema@.identity_graph g));
CREATE POLICY readers ON identity_blocked FOR SELECT USING (graph_id IN (SELECT g.id FROM @extschema@.identity_graph g));
CREATE POLICY readers ON identity_vertex FOR SELECT USING (graph_id IN (SELECT g.id FROM @extschema@.identity_graph g));
CREATE POLICY readers ON identity_evidence FOR SELECT USING (graph_id IN (SELECT g.id FROM @extschema@.identity_graph g));
CREATE POLICY readers ON identity_apart FOR SELECT USING (graph_id IN (SELECT g.id FROM @extschema@.identity_graph g));
CREATE POLICY readers ON identity_log FOR SELECT USING (graph_id IN (SELECT g.id FROM @extschema@.identity_graph g));

GRANT SELECT ON identity_graph, identity_type, identity_rule, identity_blocked, identity_vertex,
	identity_evidence, identity_apart, identity_log TO PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('identity_graph', '');
SELECT pg_catalog.pg_extension_config_dump('identity_type', '');
SELECT pg_catalog.pg_extension_config_dump('identity_rule', '');
SELECT pg_catalog.pg_extension_config_dump('identity_blocked', '');
SELECT pg_catalog.pg_extension_config_dump('identity_vertex', '');
SELECT pg_catalog.pg_extension_config_dump('identity_evidence', '');
SELECT pg_catalog.pg_extension_config_dump('identity_apart', '');
SELECT pg_catalog.pg_extension_config_dump('identity_log', '');
SELECT pg_catalog.pg_extension_config_dump('identity_graph_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('identity_type_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('identity_rule_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('identity_vertex_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('identity_log_id_seq', '');

/* What anybody may have: the values that each new graph blocks */
CREATE VIEW identity_blocked_default AS
SELECT v.value COLLATE "C" AS value, NULL::text AS pattern
FROM (VALUES ('null'), ('nil'), ('none'), ('nan'), ('n/a'), ('na'), ('undefined'), ('unknown'), ('unbekannt'),
	('anonymous'), ('anon'), ('guest'), ('not set'), ('(not set)'), ('not provided'), ('(not provided)'),
	('not available'), ('no email'), ('noemail'), ('[object object]'), ('true'), ('false'), ('default'), ('-1'),
	('test'), ('test@test.com'), ('test@example.com'), ('test@test.test'), ('example@example.com'), ('user@example.com'),
	('email@example.com'), ('email@email.com'), ('no@email.com'), ('noemail@noemail.com'), ('none@none.com'),
	('na@na.com'), ('a@a.com'), ('a@b.com'), ('abc@abc.com'), ('unknown@unknown.com'), ('anonymous@anonymous.com'),
	('noreply@noreply.com'), ('no-reply@no-reply.com'), ('+0123456789'), ('+1234567890'), ('0123456789'), ('1234567890')) v (value)
UNION ALL
/* nothing but zeros and signs: the zero phone, the zero UUID, the empty string */
SELECT NULL, '^[[:cntrl:] -0:-@[-`{-~]*$'
UNION ALL
/* a phone number of one digit only */
SELECT NULL, '^[+]?([0-9])\1{6,}$';

CREATE VIEW identity_graphs WITH (security_invoker = true) AS
SELECT g.graph, g.owner, g.reader, g.created_at
FROM @extschema@.identity_graph g;

CREATE VIEW identity_types WITH (security_invoker = true) AS
SELECT g.graph, t.type, t.max_per_person, t.max_degree, t.priority, t.normal_form, t.region
FROM @extschema@.identity_type t
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) t.graph_id;

CREATE VIEW identity_rules WITH (security_invoker = true) AS
SELECT g.graph, r.rule, r.priority, r.min_weight
FROM @extschema@.identity_rule r
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) r.graph_id;

CREATE VIEW identity_blocks WITH (security_invoker = true) AS
SELECT g.graph, t.type, b.value, b.pattern
FROM @extschema@.identity_blocked b
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) b.graph_id
LEFT JOIN @extschema@.identity_type t ON t.id OPERATOR(pg_catalog.=) b.type_id;

CREATE VIEW identity_node WITH (security_invoker = true) AS
SELECT g.graph, t.type, v.value, COALESCE(v.original, v.value) AS original,
	CASE v.state WHEN 'b' THEN 'blocked' WHEN 's' THEN 'shared' ELSE 'active' END AS state,
	CASE WHEN v.state OPERATOR(pg_catalog.=) 'a' THEN r.person END AS person
FROM @extschema@.identity_vertex v
JOIN @extschema@.identity_vertex r ON r.id OPERATOR(pg_catalog.=) v.root
JOIN @extschema@.identity_type t ON t.id OPERATOR(pg_catalog.=) v.type_id
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) v.graph_id;

CREATE VIEW identity_person WITH (security_invoker = true) AS
SELECT g.graph, v.person, v.size AS identifiers
FROM @extschema@.identity_vertex v
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) v.graph_id
WHERE v.id OPERATOR(pg_catalog.=) v.root AND v.state OPERATOR(pg_catalog.=) 'a';

CREATE VIEW identity_edge WITH (security_invoker = true) AS
SELECT g.graph, ta.type AS type_a, a.value AS value_a, tb.type AS type_b, b.value AS value_b,
	u.rule, e.weight, e.first_seen, e.last_seen, e.source, e.revoked_at,
	CASE WHEN e.last_seen OPERATOR(pg_catalog.<=) e.revoked_at THEN 'revoked'
		WHEN a.state OPERATOR(pg_catalog.<>) 'a' OR b.state OPERATOR(pg_catalog.<>) 'a'
			OR e.weight OPERATOR(pg_catalog.<) u.min_weight THEN 'inert'
		WHEN a.root OPERATOR(pg_catalog.=) b.root THEN 'accepted'
		ELSE 'rejected' END AS status
FROM @extschema@.identity_evidence e
JOIN @extschema@.identity_vertex a ON a.id OPERATOR(pg_catalog.=) e.a
JOIN @extschema@.identity_vertex b ON b.id OPERATOR(pg_catalog.=) e.b
JOIN @extschema@.identity_type ta ON ta.id OPERATOR(pg_catalog.=) a.type_id
JOIN @extschema@.identity_type tb ON tb.id OPERATOR(pg_catalog.=) b.type_id
JOIN @extschema@.identity_rule u ON u.id OPERATOR(pg_catalog.=) e.rule_id
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) e.graph_id;

CREATE VIEW identity_kept_apart WITH (security_invoker = true) AS
SELECT g.graph, ta.type AS type_a, a.value AS value_a, tb.type AS type_b, b.value AS value_b,
	x.created_at, x.source, x.revoked_at
FROM @extschema@.identity_apart x
JOIN @extschema@.identity_vertex a ON a.id OPERATOR(pg_catalog.=) x.a
JOIN @extschema@.identity_vertex b ON b.id OPERATOR(pg_catalog.=) x.b
JOIN @extschema@.identity_type ta ON ta.id OPERATOR(pg_catalog.=) a.type_id
JOIN @extschema@.identity_type tb ON tb.id OPERATOR(pg_catalog.=) b.type_id
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) x.graph_id;

CREATE VIEW identity_history WITH (security_invoker = true) AS
SELECT g.graph, l.id, l.at, l.action, l.person, l.former, l.identifiers,
	ta.type AS type_a, a.value AS value_a, tb.type AS type_b, b.value AS value_b, u.rule, l.detail, l.actor
FROM @extschema@.identity_log l
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) l.graph_id
LEFT JOIN @extschema@.identity_vertex a ON a.id OPERATOR(pg_catalog.=) l.a
LEFT JOIN @extschema@.identity_vertex b ON b.id OPERATOR(pg_catalog.=) l.b
LEFT JOIN @extschema@.identity_type ta ON ta.id OPERATOR(pg_catalog.=) a.type_id
LEFT JOIN @extschema@.identity_type tb ON tb.id OPERATOR(pg_catalog.=) b.type_id
LEFT JOIN @extschema@.identity_rule u ON u.id OPERATOR(pg_catalog.=) l.rule_id;

CREATE VIEW identity_alias WITH (security_invoker = true) AS
SELECT g.graph, v.id AS former, r.person
FROM @extschema@.identity_vertex v
JOIN @extschema@.identity_vertex r ON r.id OPERATOR(pg_catalog.=) v.root
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) v.graph_id
WHERE v.id OPERATOR(pg_catalog.<>) r.person AND v.state OPERATOR(pg_catalog.=) 'a'
	AND EXISTS (SELECT FROM @extschema@.identity_log l WHERE l.former OPERATOR(pg_catalog.=) v.id);

GRANT SELECT ON identity_blocked_default, identity_graphs, identity_types, identity_rules, identity_blocks, identity_node,
	identity_person, identity_edge, identity_kept_apart, identity_history, identity_alias TO PUBLIC;

/* Graphs and their rules */

CREATE FUNCTION create_identity_graph(graph text, owner name DEFAULT NULL, reader name DEFAULT NULL)
RETURNS void LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_create_identity_graph';

CREATE FUNCTION alter_identity_graph(graph text, owner name DEFAULT NULL, reader name DEFAULT NULL)
RETURNS void LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_alter_identity_graph';

CREATE FUNCTION drop_identity_graph(graph text)
RETURNS void LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_drop_identity_graph';

CREATE FUNCTION set_identifier_type(
	graph text,
	type text,
	max_per_person int,
	max_degree int DEFAULT NULL,
	priority int DEFAULT 100,
	normal_form text DEFAULT 'none',
	region text DEFAULT NULL)
RETURNS void LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_set_identifier_type';

CREATE FUNCTION set_link_rule(graph text, rule text, priority int DEFAULT 100, min_weight float8 DEFAULT NULL)
RETURNS void LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_set_link_rule';

CREATE FUNCTION block_identifier(graph text, value text DEFAULT NULL, pattern text DEFAULT NULL, type text DEFAULT NULL)
RETURNS boolean LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_block_identifier';

CREATE FUNCTION unblock_identifier(graph text, value text DEFAULT NULL, pattern text DEFAULT NULL, type text DEFAULT NULL)
RETURNS boolean LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_unblock_identifier';

CREATE FUNCTION rebuild_identity_graph(graph text)
RETURNS bigint LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_rebuild_identity_graph';

CREATE FUNCTION check_identity_graph(graph text)
RETURNS TABLE (type text, value text, problem text, stored bigint, computed bigint)
LANGUAGE C VOLATILE ROWS 10
AS 'MODULE_PATHNAME', 'personalize_check_identity_graph';

/* Evidence */

CREATE TYPE link_result AS (status text, person bigint, reason text);

CREATE TYPE link_summary AS (
	links bigint,
	accepted bigint,
	rejected bigint,
	inert bigint,
	revoked bigint,
	unchanged bigint,
	identifiers bigint,
	merged bigint);

CREATE FUNCTION link(
	graph text,
	type_a text,
	value_a text,
	type_b text,
	value_b text,
	rule text DEFAULT 'observed',
	weight float8 DEFAULT 1,
	at timestamptz DEFAULT NULL,
	source text DEFAULT '')
RETURNS link_result LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_link';

CREATE FUNCTION link(
	graph text,
	type_a text,
	values_a text[],
	type_b text,
	values_b text[],
	rule text DEFAULT 'observed',
	weight float8 DEFAULT 1,
	at timestamptz DEFAULT NULL,
	source text DEFAULT '')
RETURNS link_summary LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_link_arrays';

CREATE FUNCTION link(graph text, query text)
RETURNS link_summary LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_link_query';

CREATE FUNCTION unlink(
	graph text,
	type_a text,
	value_a text,
	type_b text,
	value_b text,
	rule text DEFAULT NULL,
	source text DEFAULT NULL)
RETURNS bigint LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_unlink';

CREATE FUNCTION unlink_source(graph text, source text)
RETURNS bigint LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_unlink_source';

CREATE FUNCTION expire_links(graph text, before timestamptz, type text DEFAULT NULL)
RETURNS bigint LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_expire_links';

CREATE FUNCTION must_not_link(
	graph text,
	type_a text,
	value_a text,
	type_b text,
	value_b text,
	source text DEFAULT '')
RETURNS boolean LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_must_not_link';

CREATE FUNCTION may_link(graph text, type_a text, value_a text, type_b text, value_b text)
RETURNS boolean LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_may_link';

/* People */

CREATE FUNCTION person_of(graph text, type text, value text)
RETURNS bigint LANGUAGE C STABLE PARALLEL SAFE COST 200
AS 'MODULE_PATHNAME', 'personalize_person_of';

CREATE FUNCTION resolve_person(graph text, person bigint)
RETURNS bigint LANGUAGE C STABLE PARALLEL SAFE COST 200
AS 'MODULE_PATHNAME', 'personalize_resolve_person';

CREATE FUNCTION identifiers_of(graph text, person bigint)
RETURNS TABLE (type text, value text, original text)
LANGUAGE C STABLE PARALLEL SAFE COST 500 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_identifiers_of';

CREATE FUNCTION why(graph text, type_a text, value_a text, type_b text, value_b text)
RETURNS TABLE (step int, from_type text, from_value text, to_type text, to_value text, rule text, weight float8,
	first_seen timestamptz, last_seen timestamptz, source text, status text, reason text)
LANGUAGE C STABLE COST 5000 ROWS 5
AS 'MODULE_PATHNAME', 'personalize_why';

CREATE FUNCTION why(graph text, value_a text, value_b text)
RETURNS TABLE (step int, from_type text, from_value text, to_type text, to_value text, rule text, weight float8,
	first_seen timestamptz, last_seen timestamptz, source text, status text, reason text)
LANGUAGE C STABLE COST 5000 ROWS 5
AS 'MODULE_PATHNAME', 'personalize_why_values';
