-- identity graphs: what a user types and sees
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS personalize;
RESET client_min_messages;
SET search_path = public, personalize;
SET timezone = 'UTC';
\set VERBOSITY default

-- persons are numbered as identifiers are; here from 1001 on
SELECT setval('personalize.identity_vertex_id_seq', 1000);

-- every function is declared as it is
SELECT p.oid::regprocedure AS function, provolatile::text || proparallel::text || CASE WHEN proisstrict THEN 's' ELSE '' END AS declared
FROM pg_proc p WHERE pronamespace = 'personalize'::regnamespace AND p.oid::regprocedure::text COLLATE "C" ~
	'^(create_|alter_|drop_|rebuild_|check_)identity_graph|^(set_identifier|set_link|block_id|unblock_|link\(|unlink|expire_|must_|may_|person_of|resolve_|identifiers_of|why)'
ORDER BY p.oid::regprocedure::text COLLATE "C";

-- graphs
SELECT create_identity_graph('shop');
SELECT graph, owner = current_user AS mine, reader, created_at <= now() AS dated FROM identity_graphs;
SELECT * FROM identity_rules;
SELECT count(*) FILTER (WHERE value IS NOT NULL) > 30 AS values, count(*) FILTER (WHERE pattern IS NOT NULL) AS patterns FROM identity_blocks WHERE graph = 'shop' AND type IS NULL;
SELECT count(*) AS unlike_default FROM (SELECT value, pattern FROM identity_blocks EXCEPT SELECT value, pattern FROM identity_blocked_default) x;
SELECT create_identity_graph('shop');
SELECT create_identity_graph('');
SELECT create_identity_graph(NULL);
SELECT create_identity_graph('other', 'no such role');
SELECT create_identity_graph('other', reader => 'no such role');
SELECT alter_identity_graph('shopp');
SELECT drop_identity_graph('shopp');

-- types of identifiers
SELECT set_identifier_type('shop', 'account', max_per_person => 1);
SELECT set_identifier_type('shop', 'email', max_per_person => 3, normal_form => 'email');
SELECT set_identifier_type('shop', 'phone', max_per_person => NULL, normal_form => 'phone', region => 'DE');
SELECT set_identifier_type('shop', 'cookie', max_per_person => NULL, max_degree => 3, priority => 200);
SELECT * FROM identity_types ORDER BY type;
SELECT set_identifier_type('shopp', 'email', 1);
SELECT set_identifier_type('shop', '', 1);
SELECT set_identifier_type('shop', NULL, 1);
SELECT set_identifier_type('shop', 'email');
SELECT set_identifier_type('shop', 'email', 0);
SELECT set_identifier_type('shop', 'email', 1, max_degree => -1);
SELECT set_identifier_type('shop', 'email', 1, priority => NULL);
SELECT set_identifier_type('shop', 'email', 1, normal_form => 'mail');
SELECT set_identifier_type('shop', 'email', 1, normal_form => NULL);
SELECT set_identifier_type('shop', 'email', 1, normal_form => 'email', region => 'DE');
SELECT set_identifier_type('shop', 'fax', NULL, normal_form => 'phone', region => 'Germany');

-- rules
SELECT set_link_rule('shop', 'login', priority => 10);
SELECT set_link_rule('shop', 'match', priority => 300, min_weight => 5);
SELECT * FROM identity_rules ORDER BY priority;
SELECT set_link_rule('shopp', 'login');
SELECT set_link_rule('shop', '');
SELECT set_link_rule('shop', NULL);
SELECT set_link_rule('shop', 'login', NULL);
SELECT set_link_rule('shop', 'login', min_weight => 'NaN');

-- one link
SELECT * FROM link('shop', 'account', 'ann', 'email', 'Ann@Example.com', 'login', at => '2026-03-01');
SELECT * FROM link('shop', 'account', 'ann', 'cookie', 'c1', at => '2026-03-02');
-- the same again, and seen once more
SELECT * FROM link('shop', 'cookie', 'c1', 'account', 'ann', at => '2026-03-02');
SELECT * FROM link('shop', 'cookie', 'c1', 'account', 'ann', at => '2026-03-05', weight => 2);
SELECT * FROM link('shop', 'cookie', 'c1', 'account', 'ann', at => '2026-03-04', source => 'app');
-- one identifier that is known alone, and one linked with itself
SELECT * FROM link('shop', 'account', 'bob', NULL, NULL);
SELECT * FROM link('shop', 'email', 'ANN@example.com', 'email', 'ann@example.com');
-- a limit
SELECT * FROM link('shop', 'account', 'bob', 'cookie', 'c1', at => '2026-03-06');
-- evidence that is weighed before what there was
SELECT * FROM link('shop', 'account', 'bob', 'cookie', 'c1', 'login', at => '2026-03-06');
SELECT type_a, value_a, type_b, value_b, rule, weight, first_seen, last_seen, source, status FROM identity_edge ORDER BY first_seen, rule, source;
SELECT * FROM identity_node ORDER BY type, value;
SELECT * FROM identity_person ORDER BY person;

-- who is who
SELECT person_of('shop', 'email', ' ANN@EXAMPLE.COM ') AS ann, person_of('shop', 'account', 'bob') AS bob, person_of('shop', 'cookie', 'c2') AS unknown, person_of('shop', 'cookie', NULL) AS null_value;
SELECT * FROM identifiers_of('shop', person_of('shop', 'account', 'ann')) ORDER BY type, value;
SELECT * FROM identifiers_of('shop', 999);
SELECT * FROM identifiers_of('shop', NULL);
SELECT resolve_person('shop', 1001) AS ann, resolve_person('shop', 1003) AS cookie_c1, resolve_person('shop', 999) AS nobody, resolve_person('shop', NULL) AS null_number;
SELECT person_of('shopp', 'email', 'a@b.de');
SELECT person_of('shop', 'mail', 'a@b.de');
SELECT person_of(NULL, 'email', 'a@b.de');
SELECT person_of('shop', NULL, 'a@b.de');
SELECT resolve_person('shopp', 1);
SELECT * FROM identifiers_of('shopp', 1);

-- normal forms: e-mail addresses, phone numbers with and without a country, and what is none
SELECT status, reason FROM link('shop', 'account', 'cem', 'phone', '030 901820', at => '2026-03-01');
SELECT status, reason FROM link('shop', 'email', 'Cem <cem@example.org>', 'phone', '+49 (30) 90 18-20', at => '2026-03-01');
SELECT status, reason FROM link('shop', 'account', 'cem', 'phone', 'call me', at => '2026-03-01');
SELECT status, reason FROM link('shop', 'account', 'cem', 'email', 'cem', at => '2026-03-01');
SELECT set_identifier_type('shop', 'mobile', NULL, normal_form => 'phone');
SELECT status, reason FROM link('shop', 'account', 'cem', 'mobile', '030 901820', at => '2026-03-01');
SELECT type, value, original, state FROM identity_node WHERE type IN ('phone', 'email') ORDER BY type, value;
SELECT * FROM identifiers_of('shop', person_of('shop', 'phone', '0049 30 901820')) ORDER BY type, value;
SELECT set_identifier_type('shop', 'email', 3);
SELECT set_identifier_type('shop', 'phone', NULL, normal_form => 'phone', region => 'AT');
SELECT set_identifier_type('shop', 'email', 2, normal_form => 'email');
SELECT set_identifier_type('shop', 'name', NULL, normal_form => 'lower');
SELECT status FROM link('shop', 'name', ' Cem Ö. ', 'account', 'cem', at => '2026-03-01');
SELECT value, original FROM identity_node WHERE type = 'name';

-- values that anybody may have
SELECT link.* FROM (VALUES ('unknown'), ('NULL'), (''), ('0'), ('00000000-0000-0000-0000-000000000000'), ('--'), ('7'), ('Ξένια'), ('李')) v (value),
	LATERAL link('shop', 'cookie', value, 'account', 'dot', at => '2026-03-01');
SELECT status, reason FROM link('shop', 'phone', '00000000', 'account', 'dot', at => '2026-03-01');
SELECT status, reason FROM link('shop', 'phone', '+11 1111 1111', 'account', 'dot', at => '2026-03-01');
SELECT status, reason FROM link('shop', 'email', 'Test@Test.com', 'account', 'dot', at => '2026-03-01');
SELECT person_of('shop', 'cookie', 'unknown');
SELECT state, person FROM identity_node WHERE value = 'unknown';
SELECT block_identifier('shop', 'C1') AS now_blocked, block_identifier('shop', 'c1') AS again;
SELECT person_of('shop', 'cookie', 'c1');
SELECT type_a, value_a, type_b, value_b, status FROM identity_edge WHERE 'c1' IN (value_a, value_b) ORDER BY status, rule, source, first_seen, value_b;
SELECT * FROM identity_blocks WHERE value = 'c1';
SELECT unblock_identifier('shop', 'c1') AS unblocked, unblock_identifier('shop', 'c1') AS again;
SELECT person_of('shop', 'cookie', 'c1') = person_of('shop', 'account', 'bob') AS as_before;
SELECT block_identifier('shop', pattern => '@example\.org$', type => 'email');
SELECT state, person FROM identity_node WHERE value = 'cem@example.org';
SELECT status, reason FROM link('shop', 'email', 'xy@EXAMPLE.org', 'account', 'dot', at => '2026-03-01');
SELECT unblock_identifier('shop', pattern => '@example\.org$') AS of_any_type, unblock_identifier('shop', pattern => '@example\.org$', type => 'email') AS of_email;
SELECT unblock_identifier('shop', 'unknown') AS a_default;
SELECT state FROM identity_node WHERE value = 'unknown';
SELECT block_identifier('shop', '(030) 901820', type => 'phone');
SELECT value, state FROM identity_node WHERE type = 'phone' AND value ~ '901820';
SELECT unblock_identifier('shop', '030 90 18 20', type => 'phone');
SELECT block_identifier('shop');
SELECT block_identifier('shop', 'a', 'b');
SELECT unblock_identifier('shop');
SELECT block_identifier('shop', pattern => '(');
SELECT block_identifier('shop', 'x', type => 'mail');
SELECT block_identifier('shop', '');
SELECT block_identifier('shopp', 'x');

-- an identifier that too many share, and shares no more
SELECT account, status, reason FROM (VALUES ('e1'), ('e2'), ('e3'), ('e4'), ('e4')) v (account),
	LATERAL link('shop', 'account', account, 'cookie', 'library', at => '2026-03-01');
SELECT state, person FROM identity_node WHERE value = 'library';
SELECT count(DISTINCT person_of('shop', 'account', a)) FROM unnest('{e1,e2,e3,e4}'::text[]) a;
SELECT status, reason FROM why('shop', 'e1', 'library');
SELECT unlink('shop', 'account', 'e4', 'cookie', 'library');
SELECT state FROM identity_node WHERE value = 'library';
SELECT value_a, value_b, status FROM identity_edge WHERE 'library' IN (value_a, value_b) ORDER BY value_a, value_b;

-- many links, of two types
SELECT * FROM link('shop', 'account', ARRAY['fay', 'gus', NULL, 'hal', NULL, 'gus'], 'email', ARRAY['fay@x.de', 'gus@x.de', 'alone@x.de', NULL, NULL, 'GUS@x.de'], 'login', at => '2026-03-01');
SELECT * FROM link('shop', 'account', ARRAY['fay', 'gus'], 'email', ARRAY['fay@x.de', 'gus@x.de'], 'login', at => '2026-03-01');
SELECT * FROM link('shop', 'account', '{}'::text[], 'email', '{}'::text[]);
SELECT * FROM link('shop', 'account', ARRAY['fay', 'gus'], 'email', ARRAY['fay@x.de']);
SELECT * FROM link('shop', 'account', NULL::text[], 'email', ARRAY['fay@x.de']);
SELECT * FROM link('shop', NULL, ARRAY['fay'], 'email', ARRAY['fay@x.de']);
SELECT * FROM link('shop', 'account', ARRAY['fay'], 'mail', ARRAY['fay@x.de']);
SELECT * FROM link('shop', 'account', ARRAY['fay'], 'email', ARRAY['fay@x.de'], 'bought');

-- many links, from a query
CREATE TABLE logins (account int, cookie text, email varchar(20), at timestamptz, day date);
INSERT INTO logins VALUES (1, 'q1', 'One@x.de', '2026-03-01', '2026-03-01'), (2, 'q2', NULL, '2026-03-02', '2026-03-02'), (1, 'q2', 'one@x.de', '2026-03-03', '2026-03-03'), (NULL, NULL, NULL, NULL, NULL);
SELECT * FROM link('shop', $$ SELECT 'account' AS type_a, account AS value_a, 'cookie' AS type_b, cookie AS value_b, at FROM logins $$);
SELECT * FROM link('shop', $$ SELECT 'account' AS type_a, account AS value_a, 'email' AS type_b, email AS value_b, 'login' AS rule, 2 AS weight,
	min(at) AS first_seen, max(at) AS last_seen, 'crm' AS source FROM logins GROUP BY account, email $$);
SELECT type_a, value_a, type_b, value_b, rule, weight, first_seen, last_seen, source, status FROM identity_edge WHERE value_a IN ('1', '2') OR value_b IN ('1', '2') ORDER BY rule, first_seen;
SELECT * FROM link('shop', 'SELECT * FROM logins WHERE false');
SELECT * FROM link('shop', $$ SELECT 'account' AS type_a, account AS value_a, 'cookie' AS type_b, cookie AS value_b FROM logins WHERE false $$);
-- a table in the caller's search path, and what DELETE returns
SELECT links, accepted, unchanged FROM link('shop', $$ WITH gone AS (DELETE FROM logins WHERE account = 2 RETURNING *) SELECT 'account' AS type_a, account AS value_a, 'cookie' AS type_b, cookie AS value_b, at FROM gone $$);
SELECT links, accepted, unchanged FROM link('shop', $$ DELETE FROM logins WHERE account IS NULL RETURNING 'account' AS type_a, account AS value_a, 'cookie' AS type_b, cookie AS value_b $$);
SELECT count(*) FROM logins;
SELECT * FROM link('shop', NULL);
SELECT * FROM link('shopp', 'SELECT 1');
SELECT * FROM link('shop', '');
SELECT * FROM link('shop', 'SELECT 1; SELECT 2');
SELECT * FROM link('shop', 'SELEC 1');
SELECT * FROM link('shop', 'SELECT * FROM no_such_table');
SELECT * FROM link('shop', 'UPDATE logins SET cookie = NULL');
SELECT * FROM link('shop', 'BEGIN');
SELECT * FROM link('shop', $$ SELECT 'account' AS type_a, 'x' AS value_a, 'cookie' AS type_b, 'y' AS value_b, 1 AS wieght $$);
SELECT * FROM link('shop', $$ SELECT 'account' AS type_a, 'x' AS value_a, 'y' AS value_b $$);
SELECT * FROM link('shop', $$ SELECT 'account' AS type_a, 'x' AS value_a, 'cookie' AS type_b, 'y' AS value_b, 'z' AS value_b $$);
SELECT * FROM link('shop', $$ SELECT 'account' AS type_a, account AS value_a, 'cookie' AS type_b, cookie AS value_b, day AS at FROM logins $$);
SELECT * FROM link('shop', $$ SELECT 'account' AS type_a, account AS value_a, 'cookie' AS type_b, cookie AS value_b, at, at AS last_seen FROM logins $$);
SELECT * FROM link('shop', $$ SELECT 'account' AS type_a, account AS value_a, 'cookie' AS type_b, cookie AS value_b, at AS first_seen, at - interval '1 day' AS last_seen FROM logins $$);
SELECT * FROM link('shop', $$ SELECT NULL AS type_a, account AS value_a, 'cookie' AS type_b, cookie AS value_b FROM logins $$);
SELECT * FROM link('shop', $$ SELECT 'acount' AS type_a, account AS value_a, 'cookie' AS type_b, cookie AS value_b FROM logins $$);
SELECT * FROM link('shop', $$ SELECT 'account' AS type_a, account AS value_a, 'cookie' AS type_b, cookie AS value_b, 'heavy' AS weight FROM logins $$);
SELECT * FROM link('shop', $$ SELECT 'account' AS type_a, account AS value_a, 'cookie' AS type_b, cookie AS value_b, 'Infinity' AS weight FROM logins $$);
SELECT * FROM link('shop', $$ SELECT 'account' AS type_a, account AS value_a, 'cookie' AS type_b, cookie AS value_b, timestamptz 'infinity' AS at FROM logins $$);
SELECT * FROM link('shop', $$ SELECT 'account' AS type_a, 1 / 0 AS value_a, 'cookie' AS type_b, 'x' AS value_b $$);

-- mistakes in one link
SELECT link('shopp', 'account', 'a', 'email', 'a@x.de');
SELECT link(NULL, 'account', 'a', 'email', 'a@x.de');
SELECT link('shop', 'acount', 'a', 'email', 'a@x.de');
SELECT link('shop', 'account', 'a', 'mail', 'a@x.de');
SELECT link('shop', 'account', 'a', 'email', 'a@x.de', 'bought');
SELECT link('shop', 'account', 'a', 'email', 'a@x.de', NULL);
SELECT link('shop', 'account', NULL, 'email', 'a@x.de');
SELECT link('shop', 'account', 'a', 'email', NULL);
SELECT link('shop', 'account', 'a', 'email', 'a@x.de', weight => NULL);
SELECT link('shop', 'account', 'a', 'email', 'a@x.de', weight => 'NaN');
SELECT link('shop', 'account', 'a', 'email', 'a@x.de', weight => '-Infinity');
SELECT link('shop', 'account', 'a', 'email', 'a@x.de', at => 'infinity');
SELECT link('shop', 'account', 'a', 'email', 'a@x.de', source => NULL);
SELECT link('shop', 'account', repeat('a', 2001), 'email', 'a@x.de');
SELECT status FROM link('shop', 'account', repeat('a', 2000), 'email', 'long@x.de', at => '2026-03-01');
SELECT link('shop', 'account', 17, 'email', 'a@x.de');
SELECT person_of('shop', 'account', 'a') AS nothing_is_left;

-- a limit that changes, and evidence that is too weak
SELECT status, reason FROM link('shop', 'email', 'gus@x.de', 'email', 'fay@x.de', 'match', weight => 4.5, at => '2026-03-01');
SELECT set_link_rule('shop', 'match', priority => 300, min_weight => 4);
SELECT status FROM identity_edge WHERE rule = 'match';
SELECT set_identifier_type('shop', 'account', max_per_person => 2);
SELECT status FROM identity_edge WHERE rule = 'match';
SELECT type, value FROM identifiers_of('shop', person_of('shop', 'email', 'fay@x.de')) ORDER BY 1, 2;
SELECT set_identifier_type('shop', 'account', max_per_person => 1);
SELECT status FROM identity_edge WHERE rule = 'match';
SELECT person_of('shop', 'account', 'fay') <> person_of('shop', 'account', 'gus') AS parted;

-- why
\set path 'SELECT step, from_type, from_value, to_type, to_value, rule, weight, first_seen, source, status, regexp_replace(reason, ''at 2.*'', ''at ...'') AS reason FROM'
SELECT link('shop', 'account', 'ida', 'cookie', 'tablet', at => '2026-03-01', source => 'web'), link('shop', 'account', 'jo', 'cookie', 'tablet', at => '2026-03-02', source => 'web'),
	link('shop', 'account', 'ida', 'email', 'ida@x.de', 'login', at => '2026-03-03', source => 'crm');
:path why('shop', 'email', 'ida@x.de', 'cookie', 'tablet');
:path why('shop', 'ida@x.de', 'jo');
:path why('shop', 'jo', 'tablet');
-- nothing leads from one to the other; an identifier to itself
:path why('shop', 'jo', 'fay');
:path why('shop', 'jo', 'jo');
-- revoked
SELECT unlink('shop', 'account', 'jo', 'cookie', 'tablet', rule => 'observed', source => 'web');
:path why('shop', 'jo', 'tablet');
SELECT unlink('shop', 'account', 'jo', 'cookie', 'tablet');
SELECT status, reason FROM link('shop', 'account', 'jo', 'cookie', 'tablet', at => '2026-03-02', source => 'web');
SELECT status, reason FROM link('shop', 'account', 'jo', 'cookie', 'tablet', source => 'web');
-- blocked
:path why('shop', 'unknown', 'dot');
:path why('shop', 'test@test.com', 'dot');
:path why('shop', 'phone', 'call me', 'account', 'cem');
-- a value of two types, one that is not known, and mistakes
SELECT status FROM link('shop', 'cookie', 'ida', 'account', 'kim', at => '2026-03-01');
:path why('shop', 'ida', 'tablet');
:path why('shop', 'cookie', 'ida', 'account', 'kim');
:path why('shop', 'nobody', 'tablet');
:path why('shop', 'account', 'nobody', 'cookie', 'tablet');
:path why('shop', 'acount', 'ida', 'cookie', 'tablet');
:path why('shop', NULL, 'tablet');
:path why('shop', 'account', NULL, 'cookie', 'tablet');
:path why('shopp', 'ida', 'tablet');

-- two who are not one, whatever the evidence
SELECT link('shop', 'email', 'lea@x.de', 'cookie', 'phone-l', at => '2026-03-01'), link('shop', 'email', 'max@x.de', 'cookie', 'phone-l', at => '2026-03-02');
SELECT person_of('shop', 'email', 'lea@x.de') = person_of('shop', 'email', 'max@x.de') AS one;
SELECT must_not_link('shop', 'email', 'Lea@x.de', 'email', 'max@x.de', source => 'support') AS new, must_not_link('shop', 'email', 'max@x.de', 'email', 'lea@x.de') AS again;
SELECT person_of('shop', 'email', 'lea@x.de') = person_of('shop', 'email', 'max@x.de') AS one;
:path why('shop', 'lea@x.de', 'max@x.de');
SELECT status, reason FROM link('shop', 'email', 'max@x.de', 'email', 'lea@x.de', 'login', at => '2026-03-01');
SELECT graph, type_a, value_a, type_b, value_b, source, revoked_at FROM identity_kept_apart;
SELECT may_link('shop', 'email', 'lea@x.de', 'email', 'max@x.de') AS was_kept, may_link('shop', 'email', 'lea@x.de', 'email', 'max@x.de') AS again;
SELECT person_of('shop', 'email', 'lea@x.de') = person_of('shop', 'email', 'max@x.de') AS one;
SELECT value_a, value_b, source, revoked_at IS NOT NULL AS revoked FROM identity_kept_apart;
-- of identifiers that come later
SELECT must_not_link('shop', 'email', 'new@x.de', 'account', 'newer');
SELECT person_of('shop', 'email', 'new@x.de') IS NOT NULL AS known, person_of('shop', 'account', 'newer') IS NOT NULL AS known_too;
SELECT status, reason FROM link('shop', 'email', 'new@x.de', 'account', 'newer', at => '2026-03-01');
SELECT must_not_link('shop', 'email', 'a@x.de', 'email', 'A@x.de');
SELECT must_not_link('shop', 'email', NULL, 'email', 'a@x.de');
SELECT must_not_link('shop', 'mail', 'a@x.de', 'email', 'b@x.de');
SELECT must_not_link('shop', 'email', 'a@x.de', 'email', 'b@x.de', NULL);
SELECT must_not_link('shopp', 'email', 'a@x.de', 'email', 'b@x.de');
SELECT may_link('shop', 'email', 'never@x.de', 'email', 'b@x.de');
SELECT may_link('shop', 'email', 'a@x.de', NULL, 'b@x.de');

-- evidence that is revoked: of two identifiers, a source, old times
SELECT unlink('shop', 'email', 'max@x.de', 'cookie', 'phone-l') AS revoked, unlink('shop', 'email', 'max@x.de', 'cookie', 'phone-l') AS again;
SELECT unlink('shop', 'email', 'nobody@x.de', 'cookie', 'phone-l');
SELECT unlink('shop', 'email', 'lea@x.de', 'email', 'lea@x.de');
SELECT unlink('shop', 'email', 'lea@x.de', 'cookie', 'phone-l', rule => 'login'), unlink('shop', 'email', 'lea@x.de', 'cookie', 'phone-l', source => 'crm');
SELECT unlink('shop', 'email', 'lea@x.de', 'cookie', 'phone-l', rule => 'bought');
SELECT unlink('shop', 'email', 'lea@x.de', 'cookie', NULL);
SELECT unlink('shop', 'mail', 'lea@x.de', 'cookie', 'phone-l');
SELECT unlink_source('shop', 'web') AS revoked, unlink_source('shop', 'web') AS again, unlink_source('shop', 'nowhere') AS unknown;
SELECT unlink_source('shop', NULL);
SELECT count(*) AS old FROM identity_edge WHERE status <> 'revoked' AND last_seen < '2026-03-02' AND 'cookie' IN (type_a, type_b);
SELECT expire_links('shop', '2026-03-02', 'cookie') AS expired, expire_links('shop', '2026-03-02', type => 'cookie') AS again, expire_links('shop', '-infinity') AS none;
SELECT count(*) AS old FROM identity_edge WHERE status <> 'revoked' AND last_seen < '2026-03-02' AND 'cookie' IN (type_a, type_b);
SELECT expire_links('shop', NULL);
SELECT expire_links('shop', now(), 'mail');
SELECT expire_links('shopp', now());

-- numbers of persons: the smaller one stays, the other one leads there, and comes back
SELECT create_identity_graph('numbers');
SELECT set_identifier_type('numbers', 'n', NULL);
SELECT setval('personalize.identity_vertex_id_seq', 2000);
SELECT link('numbers', 'n', 'a', 'n', 'b', at => '2026-03-01'), link('numbers', 'n', 'c', 'n', 'd', at => '2026-03-01');
SELECT * FROM link('numbers', 'n', 'd', 'n', 'b', at => '2026-03-02');
SELECT * FROM identity_person WHERE graph = 'numbers';
SELECT * FROM identity_alias WHERE graph = 'numbers';
SELECT resolve_person('numbers', 2003), resolve_person('shop', 2003) AS of_another_graph;
SELECT count(*) FROM identifiers_of('numbers', 2003);
SELECT unlink('numbers', 'n', 'd', 'n', 'b');
SELECT * FROM identity_person WHERE graph = 'numbers' ORDER BY person;
SELECT * FROM identity_alias WHERE graph = 'numbers';
-- the first one leaves: the number goes with it
SELECT unlink('numbers', 'n', 'a', 'n', 'b');
SELECT * FROM identity_node WHERE graph = 'numbers' ORDER BY value;
SELECT action, person, former, identifiers, type_a, value_a, type_b, value_b, rule, detail, actor = current_user AS by_me FROM identity_history WHERE graph = 'numbers' ORDER BY id;

-- check and rebuild
SELECT * FROM check_identity_graph('shop');
SELECT rebuild_identity_graph('shop');
-- whoever writes the tables as their owner can break them
UPDATE identity_vertex SET root = 2001 WHERE id = 2004;
UPDATE identity_vertex SET state = 'b', apart = true WHERE id = 2002;
SELECT * FROM check_identity_graph('numbers') ORDER BY value, problem;
SELECT rebuild_identity_graph('numbers');
SELECT * FROM check_identity_graph('numbers') ORDER BY value, problem;
SELECT value, state, person FROM identity_node WHERE graph = 'numbers' ORDER BY value;
SELECT * FROM check_identity_graph('shopp');
SELECT rebuild_identity_graph(NULL);
SELECT drop_identity_graph('numbers');
SELECT person_of('numbers', 'n', 'a');
SELECT count(*) FROM identity_vertex WHERE id BETWEEN 2001 AND 2004;

-- part of the caller's transaction
BEGIN;
SELECT set_identifier_type('shop', 'account', max_per_person => 1);
SAVEPOINT s;
SELECT set_identifier_type('shop', 'badge', max_per_person => 1);
SELECT status FROM link('shop', 'account', 'fay', 'badge', 'b1');
SELECT person_of('shop', 'badge', 'b1') = person_of('shop', 'account', 'fay') AS one;
ROLLBACK TO s;
SELECT person_of('shop', 'badge', 'b1');
ROLLBACK TO s;
SELECT status FROM link('shop', 'account', 'fay', 'cookie', 'sp1');
ROLLBACK TO s;
SELECT person_of('shop', 'cookie', 'sp1');
SELECT status FROM link('shop', 'account', 'fay', 'cookie', 'sp2');
COMMIT;
SELECT person_of('shop', 'cookie', 'sp2') = person_of('shop', 'account', 'fay') AS one;
BEGIN;
SELECT create_identity_graph('brief');
ROLLBACK;
SELECT person_of('brief', 'n', 'a');
DO $$
BEGIN
	PERFORM link('shop', 'account', 'fay', 'cookie', 'do1');
	BEGIN
		PERFORM link('shop', 'account', 'fay', 'cookie', 'do2');
		PERFORM link('shop', 'account', 'fay', 'cooky', 'do2');
	EXCEPTION WHEN undefined_object THEN
		RAISE NOTICE 'caught: %', sqlerrm;
	END;
END $$;
SELECT person_of('shop', 'cookie', 'do1') IS NOT NULL AS do1, person_of('shop', 'cookie', 'do2') IS NOT NULL AS do2;

-- a transaction that writes nothing, and one that keeps its snapshot
BEGIN READ ONLY;
SELECT person_of('shop', 'account', 'fay') IS NOT NULL AS found;
SELECT count(*) FROM why('shop', 'fay', 'fay@x.de');
SELECT link('shop', 'account', 'fay', 'cookie', 'ro1');
ROLLBACK;
BEGIN READ ONLY;
SELECT * FROM check_identity_graph('shop');
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM identity_graphs;
SELECT status FROM link('shop', 'account', 'fay', 'cookie', 'rr1');
SELECT person_of('shop', 'cookie', 'rr1') = person_of('shop', 'account', 'fay') AS one;
SELECT unlink('shop', 'account', 'fay', 'cookie', 'rr1');
SELECT person_of('shop', 'cookie', 'rr1') = person_of('shop', 'account', 'fay') AS one;
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT status FROM link('shop', 'account', 'fay', 'cookie', 'se1');
COMMIT;

-- privileges
CREATE ROLE identity_owner;
CREATE ROLE identity_member IN ROLE identity_owner;
CREATE ROLE identity_reader;
CREATE ROLE identity_stranger;
GRANT USAGE ON SCHEMA personalize TO identity_owner, identity_reader, identity_stranger;
GRANT CREATE ON SCHEMA public TO identity_stranger, identity_owner;
SET ROLE identity_owner;
SELECT create_identity_graph('theirs', reader => 'identity_reader');
SELECT create_identity_graph('not theirs', owner => 'identity_stranger');
SELECT set_identifier_type('theirs', 'n', 1), set_identifier_type('theirs', 'm', NULL);
SELECT status FROM link('theirs', 'n', 'a', 'm', 'b');
SELECT must_not_link('theirs', 'n', 'a', 'm', 'c');
SELECT graph FROM identity_graphs;
SELECT link('shop', 'account', 'fay', 'cookie', 'mine');
SET ROLE identity_member;
SELECT status FROM link('theirs', 'n', 'a', 'm', 'd');
SELECT alter_identity_graph('theirs', 'identity_stranger', 'identity_reader');
SELECT value, state FROM identity_node ORDER BY value;
SET ROLE identity_reader;
SELECT graph, owner, reader FROM identity_graphs;
SELECT person_of('theirs', 'n', 'a') = person_of('theirs', 'm', 'b') AS one, (SELECT count(*) FROM identifiers_of('theirs', person_of('theirs', 'n', 'a'))) AS identifiers;
SELECT status FROM why('theirs', 'a', 'b');
SELECT (SELECT count(*) FROM identity_types) AS types, (SELECT count(*) FROM identity_rules) AS rules, (SELECT count(*) > 9 FROM identity_blocks) AS blocks, (SELECT count(*) FROM identity_node) AS nodes,
	(SELECT count(*) FROM identity_person) AS persons, (SELECT count(*) FROM identity_edge) AS edges, (SELECT count(*) FROM identity_kept_apart) AS apart, (SELECT count(*) > 1 FROM identity_history) AS history;
SELECT link('theirs', 'n', 'a', 'm', 'e');
SELECT unlink('theirs', 'n', 'a', 'm', 'b');
SELECT check_identity_graph('theirs');
SELECT alter_identity_graph('theirs', 'identity_reader');
SELECT drop_identity_graph('theirs');
SET ROLE identity_stranger;
SELECT (SELECT count(*) FROM identity_graphs) AS graphs, (SELECT count(*) FROM identity_types) AS types, (SELECT count(*) FROM identity_rules) AS rules, (SELECT count(*) FROM identity_blocks) AS blocks, (SELECT count(*) FROM identity_node) AS nodes,
	(SELECT count(*) FROM identity_person) AS persons, (SELECT count(*) FROM identity_edge) AS edges, (SELECT count(*) FROM identity_kept_apart) AS apart, (SELECT count(*) FROM identity_history) AS history, (SELECT count(*) FROM identity_alias) AS alias;
SELECT (SELECT count(*) FROM identity_graph) AS graphs, (SELECT count(*) FROM identity_vertex) AS vertices, (SELECT count(*) FROM identity_evidence) AS evidence, (SELECT count(*) FROM identity_apart) AS apart, (SELECT count(*) FROM identity_log) AS log;
SELECT person_of('theirs', 'n', 'a');
SELECT resolve_person('theirs', 1);
SELECT * FROM identifiers_of('theirs', 1);
SELECT * FROM why('theirs', 'a', 'b');
SELECT link('theirs', 'n', 'a', 'm', 'f');
SELECT link('theirs', 'n', ARRAY['a'], 'm', ARRAY['f']);
SELECT link('theirs', 'SELECT 1 / 0');
SELECT set_identifier_type('theirs', 'n', NULL);
SELECT set_link_rule('theirs', 'r');
SELECT block_identifier('theirs', 'a');
SELECT unblock_identifier('theirs', 'a');
SELECT unlink_source('theirs', '');
SELECT expire_links('theirs', 'infinity');
SELECT must_not_link('theirs', 'n', 'a', 'm', 'b');
SELECT may_link('theirs', 'n', 'a', 'm', 'c');
SELECT rebuild_identity_graph('theirs');

-- nobody but the extension's owner writes its tables
INSERT INTO identity_graph (graph, owner) VALUES ('g', 'identity_stranger');
UPDATE identity_graph SET owner = 'identity_stranger';
DELETE FROM identity_vertex;
INSERT INTO identity_evidence SELECT * FROM identity_evidence;
UPDATE identity_apart SET revoked_at = now();
DELETE FROM identity_log;
TRUNCATE identity_log;
SELECT nextval('personalize.identity_vertex_id_seq');
UPDATE identity_rule SET priority = 1;
UPDATE identity_type SET priority = 1;
DELETE FROM identity_blocked;
UPDATE identity_node SET person = 1;
SET ROLE identity_owner;
UPDATE identity_graph SET owner = 'identity_owner';
DELETE FROM identity_evidence;
DELETE FROM identity_history;
RESET ROLE;
SELECT DISTINCT privilege_type, grantee FROM information_schema.role_table_grants
WHERE table_schema = 'personalize' AND table_name ~ '^identity_' AND grantee <> current_user;

-- what a caller puts before pg_catalog does nothing: this would make the owner of the tables give them away
CREATE SCHEMA trap AUTHORIZATION identity_owner;
SET ROLE identity_owner;
CREATE FUNCTION trap.spring(anyelement, anyelement) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RAISE WARNING 'run as %', current_user;
	RETURN false;
END $$;
CREATE OPERATOR trap.= (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = trap.spring);
CREATE OPERATOR trap.<> (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = trap.spring);
CREATE FUNCTION trap.equal(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'run as %', current_user; RETURN false; END $$;
CREATE FUNCTION trap.equal(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'run as %', current_user; RETURN false; END $$;
CREATE FUNCTION trap.equal(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'run as %', current_user; RETURN false; END $$;
CREATE OPERATOR trap.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = trap.equal);
CREATE OPERATOR trap.= (LEFTARG = int, RIGHTARG = int, FUNCTION = trap.equal);
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.equal);
CREATE FUNCTION trap.unnest(anyarray) RETURNS SETOF anyelement LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'run as %', current_user; END $$;
CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'run as %', current_user; RETURN NULL; END $$;
CREATE TABLE trap.identity_vertex (id bigint);
-- plans of a session are made once: this is another one
\c -
SET ROLE identity_owner;
CREATE TEMP TABLE identity_evidence (a bigint);
SET search_path = trap, pg_catalog, personalize, public;
SELECT 1 = 1 AS sprung;
SELECT create_identity_graph('trapped'), set_identifier_type('trapped', 'n', 1, max_degree => 2), set_identifier_type('trapped', 'm', NULL), set_link_rule('trapped', 'r', min_weight => 0);
SELECT status FROM link('trapped', 'n', 'a', 'm', 'b');
SELECT accepted FROM link('trapped', 'n', ARRAY['a', 'c'], 'm', ARRAY['x', 'y']);
SELECT accepted FROM link('trapped', $$ SELECT 'n' AS type_a, 'd' AS value_a, 'm' AS type_b, 'z' AS value_b $$);
SELECT status FROM link('trapped', 'n', 'a', 'm', 'y');
SELECT unlink('trapped', 'n', 'a', 'm', 'b'), must_not_link('trapped', 'n', 'a', 'm', 'b'), may_link('trapped', 'n', 'a', 'm', 'b');
SELECT block_identifier('trapped', 'x'), unblock_identifier('trapped', 'x'), rebuild_identity_graph('trapped'), expire_links('trapped', '2000-01-01'), unlink_source('trapped', 'x');
SELECT count(*) FROM check_identity_graph('trapped');
SELECT person_of('trapped', 'n', 'c') IS NOT NULL AS found;
SELECT count(*) FROM identifiers_of('trapped', person_of('trapped', 'n', 'c'));
SELECT count(*) FROM identity_node;
SELECT count(*) FROM identity_edge;
SELECT count(*) FROM identity_history;
SELECT count(*) FROM why('trapped', 'c', 'y');
SELECT alter_identity_graph('trapped', reader => 'identity_reader');
SELECT drop_identity_graph('trapped');
RESET ROLE;
SET search_path = public, personalize;
SET timezone = 'UTC';
SET client_min_messages = warning;
DROP SCHEMA trap CASCADE;
RESET client_min_messages;

-- the query of link() runs as the caller: with the caller's rights, and nobody else's
CREATE TABLE secret (account text);
INSERT INTO secret VALUES ('a');
SET ROLE identity_owner;
SELECT link('theirs', $$ SELECT 'n' AS type_a, account AS value_a, 'm' AS type_b, 'x' AS value_b FROM secret $$);
SELECT link('theirs', $$ DELETE FROM personalize.identity_log RETURNING 'n' AS type_a, 'a' AS value_a, 'm' AS type_b, 'x' AS value_b $$);
SELECT accepted FROM link('theirs', $$ SELECT 'n' AS type_a, current_user AS value_a, 'm' AS type_b, session_user <> current_user AS value_b $$);
SELECT value FROM identity_node WHERE value IN ('identity_owner', 'true') ORDER BY 1;
-- and may change graphs itself
SELECT accepted FROM link('theirs', $$ SELECT 'n' AS type_a, 'inner' AS value_a, 'm' AS type_b, (link('theirs', 'n', 'inner', 'm', 'i')).status AS value_b $$);
-- what the caller has set stays as it was, after an error too
SET enable_seqscan = on;
SELECT status FROM link('theirs', 'n', 'a', 'm', 'b');
SELECT link('theirs', 'n', 'a', 'm', repeat('b', 3000));
SELECT current_setting('enable_seqscan') AS enable_seqscan, current_setting('search_path') AS search_path, current_user;

DROP TABLE pg_temp.identity_evidence;

-- the owner goes, and the graph stays
RESET ROLE;
SELECT alter_identity_graph('theirs', 'identity_stranger');
SELECT graph, owner, reader FROM identity_graphs WHERE graph = 'theirs';
REVOKE CREATE ON SCHEMA public FROM identity_stranger, identity_owner;
REVOKE USAGE ON SCHEMA personalize FROM identity_owner, identity_reader, identity_stranger;
DROP ROLE identity_member, identity_reader, identity_stranger, identity_owner;
SELECT graph, owner FROM identity_graphs WHERE graph = 'theirs';
SELECT alter_identity_graph('theirs');
SELECT drop_identity_graph('theirs');

SELECT * FROM check_identity_graph('shop');
SELECT drop_identity_graph('shop');
SELECT (SELECT count(*) FROM identity_graphs) AS graphs, (SELECT count(*) FROM identity_types) AS types, (SELECT count(*) FROM identity_vertex) AS vertices, (SELECT count(*) FROM identity_evidence) AS evidence, (SELECT count(*) FROM identity_log) AS log;
DROP TABLE logins, secret;
