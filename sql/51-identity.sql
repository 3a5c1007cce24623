/* The living graph of identity: doc/identity.md */

CREATE TABLE identity_graph (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	graph text COLLATE "C" NOT NULL UNIQUE CHECK (graph <> ''),
	owner name NOT NULL,
	reader name,
	created_at timestamptz NOT NULL DEFAULT now());

COMMENT ON TABLE identity_graph IS 'identity graphs; see the view identity_graphs';
COMMENT ON COLUMN identity_graph.id IS 'number of the graph';
COMMENT ON COLUMN identity_graph.graph IS 'its name';
COMMENT ON COLUMN identity_graph.owner IS 'the role whose members may change the graph';
COMMENT ON COLUMN identity_graph.reader IS 'the role whose members may read it, besides its owner; NULL: nobody else';
COMMENT ON COLUMN identity_graph.created_at IS 'when it was created';

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

COMMENT ON TABLE identity_type IS 'types of identifiers, such as email or cookie; see the view identity_types';
COMMENT ON COLUMN identity_type.id IS 'number of the type';
COMMENT ON COLUMN identity_type.graph_id IS 'the graph';
COMMENT ON COLUMN identity_type.type IS 'name of the type';
COMMENT ON COLUMN identity_type.max_per_person IS 'how many identifiers of the type one person may have; NULL: any number';
COMMENT ON COLUMN identity_type.max_degree IS 'an identifier that is linked with more others is shared and joins nobody; NULL: any number';
COMMENT ON COLUMN identity_type.priority IS 'evidence whose weaker type has the smaller number is weighed first';
COMMENT ON COLUMN identity_type.normal_form IS 'how values are brought into one form: none, lower, email or phone';
COMMENT ON COLUMN identity_type.region IS 'of phone numbers without a country code, such as DE';

CREATE TABLE identity_rule (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	graph_id int NOT NULL REFERENCES identity_graph ON DELETE CASCADE,
	rule text COLLATE "C" NOT NULL CHECK (rule <> ''),
	priority int NOT NULL,
	min_weight float8 NOT NULL CHECK (min_weight = min_weight AND min_weight <> 'NaN'),
	UNIQUE (graph_id, rule));

COMMENT ON TABLE identity_rule IS 'kinds of evidence, such as login or match; see the view identity_rules';
COMMENT ON COLUMN identity_rule.id IS 'number of the rule';
COMMENT ON COLUMN identity_rule.graph_id IS 'the graph';
COMMENT ON COLUMN identity_rule.rule IS 'name of the rule';
COMMENT ON COLUMN identity_rule.priority IS 'evidence of the rule with the smaller number is weighed first';
COMMENT ON COLUMN identity_rule.min_weight IS 'evidence of less weight counts for nothing';

CREATE TABLE identity_blocked (
	graph_id int NOT NULL REFERENCES identity_graph ON DELETE CASCADE,
	type_id int REFERENCES identity_type ON DELETE CASCADE,
	value text COLLATE "C",
	pattern text,
	CHECK ((value IS NULL) <> (pattern IS NULL)));

COMMENT ON TABLE identity_blocked IS 'values that anybody may have, and that join nobody; see the view identity_blocks';
COMMENT ON COLUMN identity_blocked.graph_id IS 'the graph';
COMMENT ON COLUMN identity_blocked.type_id IS 'the type of identifiers that is meant; NULL: any';
COMMENT ON COLUMN identity_blocked.value IS 'the value, in lower case, or NULL';
COMMENT ON COLUMN identity_blocked.pattern IS 'a regular expression over the value in lower case, or NULL';

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

COMMENT ON TABLE identity_vertex IS 'identifiers, and what follows from the evidence; see the views identity_node and identity_person';
COMMENT ON COLUMN identity_vertex.id IS 'number of the identifier';
COMMENT ON COLUMN identity_vertex.root IS 'the identifier that stands for the whole person';
COMMENT ON COLUMN identity_vertex.person IS 'number of the person, in the row of the root; elsewhere out of date';
COMMENT ON COLUMN identity_vertex.graph_id IS 'the graph';
COMMENT ON COLUMN identity_vertex.type_id IS 'the type';
COMMENT ON COLUMN identity_vertex.size IS 'how many identifiers the person has, in the row of the root; elsewhere out of date';
COMMENT ON COLUMN identity_vertex.state IS 'a: active, b: blocked, s: shared';
COMMENT ON COLUMN identity_vertex.apart IS 'whether must_not_link() keeps it apart from any other';
COMMENT ON COLUMN identity_vertex.value IS 'the value in its normal form';
COMMENT ON COLUMN identity_vertex.original IS 'the value as it was first given; NULL: the same';

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

COMMENT ON TABLE identity_evidence IS 'evidence that two identifiers are one persons, the only truth; see the view identity_edge';
COMMENT ON COLUMN identity_evidence.a IS 'one identifier, that of the smaller number';
COMMENT ON COLUMN identity_evidence.b IS 'the other one';
COMMENT ON COLUMN identity_evidence.graph_id IS 'the graph';
COMMENT ON COLUMN identity_evidence.rule_id IS 'the rule';
COMMENT ON COLUMN identity_evidence.weight IS 'the greatest weight that it came with';
COMMENT ON COLUMN identity_evidence.first_seen IS 'the earliest time that it came with';
COMMENT ON COLUMN identity_evidence.last_seen IS 'the latest time that it came with';
COMMENT ON COLUMN identity_evidence.revoked_at IS 'when it was revoked; it counts again once it is seen after that';
COMMENT ON COLUMN identity_evidence.source IS 'where it came from';

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

COMMENT ON TABLE identity_apart IS 'pairs of identifiers that are never one persons; see the view identity_kept_apart';
COMMENT ON COLUMN identity_apart.a IS 'one identifier, that of the smaller number';
COMMENT ON COLUMN identity_apart.b IS 'the other one';
COMMENT ON COLUMN identity_apart.graph_id IS 'the graph';
COMMENT ON COLUMN identity_apart.created_at IS 'when must_not_link() was called';
COMMENT ON COLUMN identity_apart.source IS 'who says so';
COMMENT ON COLUMN identity_apart.revoked_at IS 'when may_link() was called; NULL: they are kept apart';

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

COMMENT ON TABLE identity_log IS 'every change and what caused it, only ever added to; see the view identity_history';
COMMENT ON COLUMN identity_log.id IS 'number of the entry';
COMMENT ON COLUMN identity_log.at IS 'when it happened';
COMMENT ON COLUMN identity_log.graph_id IS 'the graph';
COMMENT ON COLUMN identity_log.rule_id IS 'the rule of the evidence that caused it';
COMMENT ON COLUMN identity_log.person IS 'number of the person';
COMMENT ON COLUMN identity_log.former IS 'the number that some or all of its identifiers had before';
COMMENT ON COLUMN identity_log.a IS 'an identifier of what caused it';
COMMENT ON COLUMN identity_log.b IS 'the other one';
COMMENT ON COLUMN identity_log.identifiers IS 'how many identifiers got another number';
COMMENT ON COLUMN identity_log.action IS 'add, merge, split, reject, revoke, expire, blocked, unblocked, shared, unshared, must_not_link, may_link or rule';
COMMENT ON COLUMN identity_log.detail IS 'more about it, for people to read';
COMMENT ON COLUMN identity_log.actor IS 'the role that asked for it';

/* what an identifier adds to a person is found by that identifier, which is the newest */
CREATE INDEX identity_log_person_idx ON identity_log (person, id) WHERE action <> 'add';
CREATE INDEX identity_log_added_idx ON identity_log (b) WHERE action = 'add';
CREATE INDEX identity_log_former_idx ON identity_log (former, id) WHERE former IS NOT NULL;

COMMENT ON SEQUENCE identity_graph_id_seq IS 'numbers of graphs';
COMMENT ON SEQUENCE identity_type_id_seq IS 'numbers of types';
COMMENT ON SEQUENCE identity_rule_id_seq IS 'numbers of rules';
COMMENT ON SEQUENCE identity_vertex_id_seq IS 'numbers of identifiers, and so of persons';
COMMENT ON SEQUENCE identity_log_id_seq IS 'numbers of entries of the log';

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
SELECT NULL, '^[0[:space:][:punct:]]*$'
UNION ALL
/* a phone number of one digit only */
SELECT NULL, '^[+]?([0-9])\1{6,}$';

COMMENT ON VIEW identity_blocked_default IS 'values that anybody may have, which each new graph blocks';
COMMENT ON COLUMN identity_blocked_default.value IS 'a value in lower case, or NULL';
COMMENT ON COLUMN identity_blocked_default.pattern IS 'a regular expression over values in lower case, or NULL';

CREATE VIEW identity_graphs WITH (security_invoker = true) AS
SELECT g.graph, g.owner, g.reader, g.created_at
FROM @extschema@.identity_graph g;

COMMENT ON VIEW identity_graphs IS 'the identity graphs that you may read';
COMMENT ON COLUMN identity_graphs.graph IS 'name of the graph';
COMMENT ON COLUMN identity_graphs.owner IS 'the role whose members may change it';
COMMENT ON COLUMN identity_graphs.reader IS 'the role whose members may read it, besides its owner; NULL: nobody else';
COMMENT ON COLUMN identity_graphs.created_at IS 'when it was created';

CREATE VIEW identity_types WITH (security_invoker = true) AS
SELECT g.graph, t.type, t.max_per_person, t.max_degree, t.priority, t.normal_form, t.region
FROM @extschema@.identity_type t
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) t.graph_id;

COMMENT ON VIEW identity_types IS 'types of identifiers, as set_identifier_type() sets them';
COMMENT ON COLUMN identity_types.graph IS 'name of the graph';
COMMENT ON COLUMN identity_types.type IS 'name of the type';
COMMENT ON COLUMN identity_types.max_per_person IS 'how many identifiers of the type one person may have; NULL: any number';
COMMENT ON COLUMN identity_types.max_degree IS 'an identifier that is linked with more others is shared and joins nobody; NULL: any number';
COMMENT ON COLUMN identity_types.priority IS 'evidence whose weaker type has the smaller number is weighed first';
COMMENT ON COLUMN identity_types.normal_form IS 'how values are brought into one form: none, lower, email or phone';
COMMENT ON COLUMN identity_types.region IS 'of phone numbers without a country code, such as DE';

CREATE VIEW identity_rules WITH (security_invoker = true) AS
SELECT g.graph, r.rule, r.priority, r.min_weight
FROM @extschema@.identity_rule r
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) r.graph_id;

COMMENT ON VIEW identity_rules IS 'kinds of evidence, as set_link_rule() sets them';
COMMENT ON COLUMN identity_rules.graph IS 'name of the graph';
COMMENT ON COLUMN identity_rules.rule IS 'name of the rule';
COMMENT ON COLUMN identity_rules.priority IS 'evidence of the rule with the smaller number is weighed first';
COMMENT ON COLUMN identity_rules.min_weight IS 'evidence of less weight counts for nothing';

CREATE VIEW identity_blocks WITH (security_invoker = true) AS
SELECT g.graph, t.type, b.value, b.pattern
FROM @extschema@.identity_blocked b
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) b.graph_id
LEFT JOIN @extschema@.identity_type t ON t.id OPERATOR(pg_catalog.=) b.type_id;

COMMENT ON VIEW identity_blocks IS 'values that join nobody, as block_identifier() and unblock_identifier() set them';
COMMENT ON COLUMN identity_blocks.graph IS 'name of the graph';
COMMENT ON COLUMN identity_blocks.type IS 'the type of identifiers that is meant; NULL: any';
COMMENT ON COLUMN identity_blocks.value IS 'a value in lower case, or NULL';
COMMENT ON COLUMN identity_blocks.pattern IS 'a regular expression over values in lower case, or NULL';

CREATE VIEW identity_node WITH (security_invoker = true) AS
SELECT g.graph, t.type, v.value, COALESCE(v.original, v.value) AS original,
	CASE v.state WHEN 'b' THEN 'blocked' WHEN 's' THEN 'shared' ELSE 'active' END AS state,
	CASE WHEN v.state OPERATOR(pg_catalog.=) 'a' THEN r.person END AS person
FROM @extschema@.identity_vertex v
JOIN @extschema@.identity_vertex r ON r.id OPERATOR(pg_catalog.=) v.root
JOIN @extschema@.identity_type t ON t.id OPERATOR(pg_catalog.=) v.type_id
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) v.graph_id;

COMMENT ON VIEW identity_node IS 'identifiers and whose they are';
COMMENT ON COLUMN identity_node.graph IS 'name of the graph';
COMMENT ON COLUMN identity_node.type IS 'its type';
COMMENT ON COLUMN identity_node.value IS 'its value in the normal form of the type';
COMMENT ON COLUMN identity_node.original IS 'its value as it was first given';
COMMENT ON COLUMN identity_node.state IS 'active, blocked (anybody may have it) or shared (it is linked with more than max_degree others)';
COMMENT ON COLUMN identity_node.person IS 'number of the person; NULL if it is blocked or shared';

CREATE VIEW identity_person WITH (security_invoker = true) AS
SELECT g.graph, v.person, v.size AS identifiers
FROM @extschema@.identity_vertex v
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) v.graph_id
WHERE v.id OPERATOR(pg_catalog.=) v.root AND v.state OPERATOR(pg_catalog.=) 'a';

COMMENT ON VIEW identity_person IS 'persons, each with at least one identifier';
COMMENT ON COLUMN identity_person.graph IS 'name of the graph';
COMMENT ON COLUMN identity_person.person IS 'number of the person';
COMMENT ON COLUMN identity_person.identifiers IS 'how many identifiers it has';

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

COMMENT ON VIEW identity_edge IS 'evidence, and what became of it';
COMMENT ON COLUMN identity_edge.graph IS 'name of the graph';
COMMENT ON COLUMN identity_edge.type_a IS 'type of one identifier';
COMMENT ON COLUMN identity_edge.value_a IS 'its value in normal form';
COMMENT ON COLUMN identity_edge.type_b IS 'type of the other one';
COMMENT ON COLUMN identity_edge.value_b IS 'its value in normal form';
COMMENT ON COLUMN identity_edge.rule IS 'name of the rule';
COMMENT ON COLUMN identity_edge.weight IS 'the greatest weight that it came with';
COMMENT ON COLUMN identity_edge.first_seen IS 'the earliest time that it came with';
COMMENT ON COLUMN identity_edge.last_seen IS 'the latest time that it came with';
COMMENT ON COLUMN identity_edge.source IS 'where it came from';
COMMENT ON COLUMN identity_edge.revoked_at IS 'when it was revoked; it counts again once it is seen after that';
COMMENT ON COLUMN identity_edge.status IS 'accepted (one person has both), rejected (a limit keeps them apart), inert (an identifier is blocked or shared, or the weight too small) or revoked';

CREATE VIEW identity_kept_apart WITH (security_invoker = true) AS
SELECT g.graph, ta.type AS type_a, a.value AS value_a, tb.type AS type_b, b.value AS value_b,
	x.created_at, x.source, x.revoked_at
FROM @extschema@.identity_apart x
JOIN @extschema@.identity_vertex a ON a.id OPERATOR(pg_catalog.=) x.a
JOIN @extschema@.identity_vertex b ON b.id OPERATOR(pg_catalog.=) x.b
JOIN @extschema@.identity_type ta ON ta.id OPERATOR(pg_catalog.=) a.type_id
JOIN @extschema@.identity_type tb ON tb.id OPERATOR(pg_catalog.=) b.type_id
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) x.graph_id;

COMMENT ON VIEW identity_kept_apart IS 'pairs of identifiers that must_not_link() keeps apart, or once did';
COMMENT ON COLUMN identity_kept_apart.graph IS 'name of the graph';
COMMENT ON COLUMN identity_kept_apart.type_a IS 'type of one identifier';
COMMENT ON COLUMN identity_kept_apart.value_a IS 'its value in normal form';
COMMENT ON COLUMN identity_kept_apart.type_b IS 'type of the other one';
COMMENT ON COLUMN identity_kept_apart.value_b IS 'its value in normal form';
COMMENT ON COLUMN identity_kept_apart.created_at IS 'when must_not_link() was called';
COMMENT ON COLUMN identity_kept_apart.source IS 'who says so';
COMMENT ON COLUMN identity_kept_apart.revoked_at IS 'when may_link() was called; NULL: they are kept apart';

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

COMMENT ON VIEW identity_history IS 'every change and what caused it, in the order of id';
COMMENT ON COLUMN identity_history.graph IS 'name of the graph';
COMMENT ON COLUMN identity_history.id IS 'number of the entry';
COMMENT ON COLUMN identity_history.at IS 'when it happened';
COMMENT ON COLUMN identity_history.action IS 'add, merge, split, reject, revoke, expire, blocked, unblocked, shared, unshared, must_not_link, may_link or rule';
COMMENT ON COLUMN identity_history.person IS 'number of the person';
COMMENT ON COLUMN identity_history.former IS 'the number that some or all of its identifiers had before';
COMMENT ON COLUMN identity_history.identifiers IS 'how many identifiers got another number';
COMMENT ON COLUMN identity_history.type_a IS 'type of an identifier of what caused it';
COMMENT ON COLUMN identity_history.value_a IS 'its value in normal form';
COMMENT ON COLUMN identity_history.type_b IS 'type of the other one';
COMMENT ON COLUMN identity_history.value_b IS 'its value in normal form';
COMMENT ON COLUMN identity_history.rule IS 'name of the rule of the evidence';
COMMENT ON COLUMN identity_history.detail IS 'more about it, for people to read';
COMMENT ON COLUMN identity_history.actor IS 'the role that asked for it';

CREATE VIEW identity_alias WITH (security_invoker = true) AS
SELECT g.graph, v.id AS former, r.person
FROM @extschema@.identity_vertex v
JOIN @extschema@.identity_vertex r ON r.id OPERATOR(pg_catalog.=) v.root
JOIN @extschema@.identity_graph g ON g.id OPERATOR(pg_catalog.=) v.graph_id
WHERE v.id OPERATOR(pg_catalog.<>) r.person AND v.state OPERATOR(pg_catalog.=) 'a'
	AND EXISTS (SELECT FROM @extschema@.identity_log l WHERE l.former OPERATOR(pg_catalog.=) v.id);

COMMENT ON VIEW identity_alias IS 'numbers that persons had, and the persons of today that resolve_person() gives for them';
COMMENT ON COLUMN identity_alias.graph IS 'name of the graph';
COMMENT ON COLUMN identity_alias.former IS 'a number that is no persons any more';
COMMENT ON COLUMN identity_alias.person IS 'number of the person who has that identifier now';

GRANT SELECT ON identity_blocked_default, identity_graphs, identity_types, identity_rules, identity_blocks, identity_node,
	identity_person, identity_edge, identity_kept_apart, identity_history, identity_alias TO PUBLIC;

/* Graphs and their rules */

CREATE FUNCTION create_identity_graph(graph text, owner name DEFAULT NULL, reader name DEFAULT NULL)
RETURNS void LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_create_identity_graph';

COMMENT ON FUNCTION create_identity_graph(text, name, name) IS
'a new identity graph, of the calling role unless owner is given; members of reader may read it; it has the rule observed and blocks what identity_blocked_default has';

CREATE FUNCTION alter_identity_graph(graph text, owner name DEFAULT NULL, reader name DEFAULT NULL)
RETURNS void LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_alter_identity_graph';

COMMENT ON FUNCTION alter_identity_graph(text, name, name) IS
'give a graph another owner (NULL: the same) and reader (NULL: none)';

CREATE FUNCTION drop_identity_graph(graph text)
RETURNS void LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_drop_identity_graph';

COMMENT ON FUNCTION drop_identity_graph(text) IS
'remove a graph with all its evidence and history';

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

COMMENT ON FUNCTION set_identifier_type(text, text, int, int, int, text, text) IS
'declare a type of identifiers, or change it: how many of them one person may have (NULL: any number), with how many others one may be linked, its place among others, and how values are normalised; people are computed anew';

CREATE FUNCTION set_link_rule(graph text, rule text, priority int DEFAULT 100, min_weight float8 DEFAULT NULL)
RETURNS void LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_set_link_rule';

COMMENT ON FUNCTION set_link_rule(text, text, int, float8) IS
'declare a kind of evidence, or change it: its place among others, and the least weight that counts (NULL: any); people are computed anew';

CREATE FUNCTION block_identifier(graph text, value text DEFAULT NULL, pattern text DEFAULT NULL, type text DEFAULT NULL)
RETURNS boolean LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_block_identifier';

COMMENT ON FUNCTION block_identifier(text, text, text, text) IS
'let a value, or the values that a regular expression matches, join nobody any more, of one type or of any; returns whether that is new';

CREATE FUNCTION unblock_identifier(graph text, value text DEFAULT NULL, pattern text DEFAULT NULL, type text DEFAULT NULL)
RETURNS boolean LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_unblock_identifier';

COMMENT ON FUNCTION unblock_identifier(text, text, text, text) IS
'undo block_identifier(), or a default of the graph; returns whether there was such an entry';

CREATE FUNCTION rebuild_identity_graph(graph text)
RETURNS bigint LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_rebuild_identity_graph';

COMMENT ON FUNCTION rebuild_identity_graph(text) IS
'compute all people of a graph anew from the evidence; returns how many identifiers and persons had to change, 0 if all was right';

CREATE FUNCTION check_identity_graph(graph text)
RETURNS TABLE (type text, value text, problem text, stored bigint, computed bigint)
LANGUAGE C VOLATILE ROWS 10
AS 'MODULE_PATHNAME', 'personalize_check_identity_graph';

COMMENT ON FUNCTION check_identity_graph(text) IS
'what is stored of people otherwise than the evidence gives it; no rows if all is right';

/* Evidence */

CREATE TYPE link_result AS (status text, person bigint, reason text);

COMMENT ON TYPE link_result IS 'what became of one link()';
COMMENT ON COLUMN link_result.status IS 'accepted, rejected, inert, revoked or alone';
COMMENT ON COLUMN link_result.person IS 'number of the person of the first identifier; NULL if that one is blocked or shared';
COMMENT ON COLUMN link_result.reason IS 'why the link did not join the two; NULL if it did';

CREATE TYPE link_summary AS (
	links bigint,
	accepted bigint,
	rejected bigint,
	inert bigint,
	revoked bigint,
	unchanged bigint,
	identifiers bigint,
	merged bigint);

COMMENT ON TYPE link_summary IS 'what became of many links';
COMMENT ON COLUMN link_summary.links IS 'links between two identifiers';
COMMENT ON COLUMN link_summary.accepted IS 'of which both ends are one persons';
COMMENT ON COLUMN link_summary.rejected IS 'which a limit or must_not_link() does not let join two persons';
COMMENT ON COLUMN link_summary.inert IS 'of an identifier that is blocked or shared, or of too little weight';
COMMENT ON COLUMN link_summary.revoked IS 'which were revoked, and not seen since';
COMMENT ON COLUMN link_summary.unchanged IS 'which told nothing new, among those of any status';
COMMENT ON COLUMN link_summary.identifiers IS 'identifiers that are new';
COMMENT ON COLUMN link_summary.merged IS 'persons that became part of others';

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

COMMENT ON FUNCTION link(text, text, text, text, text, text, float8, timestamptz, text) IS
'evidence that two identifiers are one persons; with the second one NULL, an identifier that is known alone';

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

COMMENT ON FUNCTION link(text, text, text[], text, text[], text, float8, timestamptz, text) IS
'evidence for many pairs of identifiers of two types, the elements of two arrays of the same length';

CREATE FUNCTION link(graph text, query text)
RETURNS link_summary LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_link_query';

COMMENT ON FUNCTION link(text, text) IS
'evidence from a query that returns type_a, value_a, type_b and value_b, and may return rule, weight, at (or first_seen and last_seen) and source';

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

COMMENT ON FUNCTION unlink(text, text, text, text, text, text, text) IS
'revoke the evidence between two identifiers, of any rule and source unless given; returns how much there was';

CREATE FUNCTION unlink_source(graph text, source text)
RETURNS bigint LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_unlink_source';

COMMENT ON FUNCTION unlink_source(text, text) IS
'revoke all evidence of a source; returns how much there was';

CREATE FUNCTION expire_links(graph text, before timestamptz, type text DEFAULT NULL)
RETURNS bigint LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_expire_links';

COMMENT ON FUNCTION expire_links(text, timestamptz, text) IS
'revoke evidence that was last seen before a time, of one type of identifiers or of any; returns how much there was';

CREATE FUNCTION must_not_link(
	graph text,
	type_a text,
	value_a text,
	type_b text,
	value_b text,
	source text DEFAULT '')
RETURNS boolean LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_must_not_link';

COMMENT ON FUNCTION must_not_link(text, text, text, text, text, text) IS
'keep two identifiers apart, whatever the evidence; returns whether that is new';

CREATE FUNCTION may_link(graph text, type_a text, value_a text, type_b text, value_b text)
RETURNS boolean LANGUAGE C VOLATILE
AS 'MODULE_PATHNAME', 'personalize_may_link';

COMMENT ON FUNCTION may_link(text, text, text, text, text) IS
'undo must_not_link(); returns whether there was anything to undo';

/* People */

CREATE FUNCTION person_of(graph text, type text, value text)
RETURNS bigint LANGUAGE C STABLE PARALLEL SAFE COST 200
AS 'MODULE_PATHNAME', 'personalize_person_of';

COMMENT ON FUNCTION person_of(text, text, text) IS
'number of the person who has an identifier; NULL if it is not known, blocked or shared';

CREATE FUNCTION resolve_person(graph text, person bigint)
RETURNS bigint LANGUAGE C STABLE PARALLEL SAFE COST 200
AS 'MODULE_PATHNAME', 'personalize_resolve_person';

COMMENT ON FUNCTION resolve_person(text, bigint) IS
'number of today of the person that has or had a number; NULL if nobody had it';

CREATE FUNCTION identifiers_of(graph text, person bigint)
RETURNS TABLE (type text, value text, original text)
LANGUAGE C STABLE PARALLEL SAFE COST 500 ROWS 10
AS 'MODULE_PATHNAME', 'personalize_identifiers_of';

COMMENT ON FUNCTION identifiers_of(text, bigint) IS
'identifiers of the person that has or had a number';

CREATE FUNCTION why(graph text, type_a text, value_a text, type_b text, value_b text)
RETURNS TABLE (step int, from_type text, from_value text, to_type text, to_value text, rule text, weight float8,
	first_seen timestamptz, last_seen timestamptz, source text, status text, reason text)
LANGUAGE C STABLE COST 5000 ROWS 5
AS 'MODULE_PATHNAME', 'personalize_why';

COMMENT ON FUNCTION why(text, text, text, text, text) IS
'the path of evidence from one identifier to another, and what of it was rejected and why; without a path, the evidence between the two that does not count';

CREATE FUNCTION why(graph text, value_a text, value_b text)
RETURNS TABLE (step int, from_type text, from_value text, to_type text, to_value text, rule text, weight float8,
	first_seen timestamptz, last_seen timestamptz, source text, status text, reason text)
LANGUAGE C STABLE COST 5000 ROWS 5
AS 'MODULE_PATHNAME', 'personalize_why_values';

COMMENT ON FUNCTION why(text, text, text) IS
'the same for two values, whatever their types';
