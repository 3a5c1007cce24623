# Identity graphs outlive a crash, are the same on a standby, and come back from a dump.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Identity;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;
use Time::HiRes qw(sleep);

my $node = start_node('durable', 'max_connections = 30');
$node->safe_psql('postgres', <<~'SQL');
	CREATE ROLE shop;
	CREATE ROLE analyst;
	CREATE TABLE written (a text, b text);
	SQL
new_graph($node, 'shop', 1, 40);
$node->safe_psql('postgres', <<~'SQL');
	SELECT personalize.alter_identity_graph('shop', 'shop', 'analyst');
	SELECT personalize.set_link_rule('shop', 'guess', 200, 0.5), personalize.set_identifier_type('shop', 'email', NULL, normal_form => 'email');
	SELECT personalize.block_identifier('shop', 'kiosk'), personalize.unblock_identifier('shop', 'guest'), personalize.block_identifier('shop', pattern => '^x', type => 'cookie');
	GRANT INSERT ON written TO shop;
	SQL

# A crash amid links: each transaction tells by a row of its own that it was committed.
my $links = <<~'SQL';
	\set a random(1, 300)
	\set b random(1, 60)
	\set c random(1, 300)
	BEGIN;
	SELECT personalize.link('shop', 'cookie', 'c' || :a, 'login', 'l' || :b, at => timestamptz '2024-01-01' + :a * interval '1 hour');
	INSERT INTO written VALUES ('c' || :a, 'l' || :b);
	COMMIT;
	BEGIN;
	SELECT personalize.link('shop', 'cookie', 'c' || :a, 'cookie', 'c' || (1 + :c), 'guess', weight => 0.7);
	INSERT INTO written VALUES ('c' || :a, 'c' || (1 + :c));
	COMMIT;
	SQL
my $unlinks = "\\set b random(1, 60)\nSELECT personalize.unlink('shop', type_a, value_a, type_b, value_b) FROM (SELECT * FROM personalize.identity_edge WHERE 'l' || :b IN (value_a, value_b) AND status = 'accepted' LIMIT 1) e;\n";
foreach my $round (1 .. 3)
{
	my $before = $node->safe_psql('postgres', 'SELECT count(*) FROM written');
	my $run = run_pgbench($node, 8, [ '-T', 60, '--max-tries=100', 'client_min_messages=warning' ], [ $links, 10 ], [ $unlinks, 1 ],
		[ "SELECT personalize.set_identifier_type('shop', 'cookie', NULL, 30 + :client_id);\n", 1 ]);

	sleep(1.5);
	$node->safe_psql('postgres', 'CHECKPOINT') if $round == 2;
	$node->stop('immediate');
	$run->{handle}->finish;
	$node->start;
	cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM written'), '>', $before, "crash $round: links came before it");
	is_right($node, 'shop', "crash $round");
	is($node->safe_psql('postgres', <<~'SQL'), '0|0', "crash $round: evidence is what was committed, all of it and nothing else");
		WITH linked AS (SELECT value_a AS a, value_b AS b FROM personalize.identity_edge UNION SELECT value_b, value_a FROM personalize.identity_edge),
		told AS (SELECT a, b FROM written WHERE a <> b UNION SELECT b, a FROM written WHERE a <> b)
		SELECT (SELECT count(*) FROM (TABLE linked EXCEPT TABLE told) x), (SELECT count(*) FROM (TABLE told EXCEPT TABLE linked) x)
		SQL
}

# a graph with some of everything
$node->safe_psql('postgres', <<~'SQL');
	SELECT personalize.set_identifier_type('shop', 'cookie', NULL, 25);
	SELECT personalize.link('shop', 'email', 'Ann <Ann@Example.net>', 'login', 'l1'), personalize.link('shop', 'login', 'l2', 'cookie', 'kiosk');
	SELECT personalize.must_not_link('shop', 'cookie', 'c1', 'cookie', 'c2'), personalize.must_not_link('shop', 'cookie', 'c1', 'cookie', 'c3'), personalize.may_link('shop', 'cookie', 'c3', 'cookie', 'c1');
	SELECT personalize.create_identity_graph('other'), personalize.set_identifier_type('other', 'login', 2);
	SELECT personalize.link('other', 'login', 'a', 'login', 'b');
	SQL
my $everything = join ' UNION ALL ', map { "SELECT '$_' AS name, t::text AS row FROM personalize.$_ t" } qw(identity_graphs identity_types identity_rules identity_blocks
	identity_node identity_person identity_edge identity_kept_apart identity_history identity_alias identity_vertex identity_evidence identity_apart identity_log);
sub answers_of
{
	my ($server, $database) = @_;

	return $server->safe_psql($database, <<~SQL);
		SELECT * FROM ($everything) x ORDER BY name, row COLLATE "C";
		SELECT type, value, personalize.person_of('shop', type, value) FROM personalize.identity_node WHERE graph = 'shop' ORDER BY type, value COLLATE "C";
		SELECT person, i FROM personalize.identity_person p, personalize.identifiers_of(p.graph, p.person) i WHERE p.graph = 'shop' ORDER BY person, i::text COLLATE "C";
		SELECT former, personalize.resolve_person('shop', former) FROM personalize.identity_alias WHERE graph = 'shop' ORDER BY 1;
		SELECT e.value_a, e.value_b, w FROM (SELECT * FROM personalize.identity_edge WHERE graph = 'shop' ORDER BY value_a, value_b, rule COLLATE "C" LIMIT 200) e,
			personalize.why('shop', type_a, value_a, type_b, value_b) w;
		SQL
}
my $expected = answers_of($node, 'postgres');
like($expected, qr/^identity_edge\|.*$_/m, "there is evidence that is $_") foreach qw(accepted rejected inert revoked);
like($expected, qr/^identity_alias\|/m, 'there are former numbers');

# A standby answers the same, and changes nothing.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', q{SELECT personalize.link('shop', 'cookie', 'late', 'login', 'l1', at => '2024-05-01')});
$expected = answers_of($node, 'postgres');
$node->wait_for_catchup($standby);
ok(answers_of($standby, 'postgres') eq $expected, 'a standby gives the same answers');
# what a session there remembers of the rules follows the primary
my $watcher = run_pgbench($standby, 1, [ '-t', 1 ], <<~'SQL');
	SELECT personalize.person_of('shop', 'login', 'l1');
	SELECT pg_sleep(1);
	SELECT 1 / (personalize.person_of('shop', 'phone', '1') IS NULL)::int;
	SQL
sleep(0.3);
$node->safe_psql('postgres', q{SELECT personalize.set_identifier_type('shop', 'phone', 1)});
wait_pgbench($watcher, 'a session on the standby knows of a new type');
foreach my $change (q{link('shop', 'cookie', 'z', 'login', 'l1')}, q{link('shop', 'SELECT ''cookie'' AS type_a, ''z'' AS value_a, NULL AS type_b, NULL AS value_b')},
	q{unlink('shop', 'cookie', 'late', 'login', 'l1')}, q{must_not_link('shop', 'cookie', 'c5', 'cookie', 'c6')}, q{rebuild_identity_graph('shop')},
	q{set_link_rule('shop', 'guess', 1)}, q{check_identity_graph('shop')})
{
	my ($status, $out, $err) = $standby->psql('postgres', "SELECT personalize.$change");

	like($err, qr/^psql:<stdin>:1: ERROR:  cannot execute a change of an identity graph (during recovery|in a read-only transaction)/, "on a standby: $change") or diag("$status $out");
}
my ($status, $out, $err) = $standby->psql('postgres', q{SELECT personalize.create_identity_graph('new')});
like($err, qr/ERROR:  cannot execute .* during recovery|read-only transaction/, 'on a standby: create_identity_graph()');
$node->stop;
$standby->promote;
$standby->safe_psql('postgres', q{SELECT personalize.link('shop', 'cookie', 'after', 'login', 'l1')});
is_right($standby, 'shop', 'promoted');
$node = $standby;
$expected = answers_of($node, 'postgres');

# A dump keeps all: rules, evidence, numbers, the log, and where the numbers go on.
my $file = $node->basedir . '/dump';
my $new_number = sub { $node->safe_psql($_[0], q{SELECT (personalize.link('shop', 'cookie', 'brand new', NULL, NULL)).person}) };
foreach my $format (qw(plain custom))
{
	$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-F', $format, '-f', "$file.$format" ], "pg_dump, $format");
}
my $logged = $node->safe_psql('postgres', 'SELECT max(id) FROM personalize.identity_log');
my $next = $new_number->('postgres');
sub restore
{
	my ($format, $target) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $target");
	if ($format eq 'plain')
	{
		$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($target), '-f', "$file.$format" ], "$target: restored by psql");
	}
	else
	{
		$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr($target), "$file.$format" ], "$target: restored by pg_restore");
	}
	return;
}
foreach my $format (qw(plain custom))
{
	my $target = "restored_$format";

	restore($format, $target);
	ok(answers_of($node, $target) eq $expected, "$format: the answers are the same");
	is($node->safe_psql($target, q{SELECT * FROM personalize.check_identity_graph('shop')}), '', "$format: check_identity_graph() finds nothing");
	is($new_number->($target), $next, "$format: the next identifier gets the next number");
	is($node->safe_psql($target, q{SELECT personalize.set_identifier_type('shop', 'device', NULL), personalize.set_link_rule('shop', 'typed', 10), personalize.create_identity_graph('third'), personalize.set_identifier_type('third', 'login', 1);
		SELECT (personalize.link('shop', 'device', 'd1', 'login', 'l1', 'typed')).status}), "|||\naccepted", "$format: new graphs, types, rules and evidence find their numbers");
	is($node->safe_psql($target, qq{SELECT count(*) = count(DISTINCT id) AND max(id) > $logged FROM personalize.identity_log}), 't',
		"$format: so does the log");
	is($node->safe_psql($target, q{SELECT personalize.rebuild_identity_graph('shop')}), '0', "$format: nobody is another when all is computed anew");
}
$node->command_ok([ 'pg_dump', '--schema-only', '-d', $node->connstr('postgres'), '-f', "$file.schema" ], 'pg_dump --schema-only');
unlike(slurp_file("$file.plain"), qr/CREATE (TABLE|POLICY|VIEW|SEQUENCE) personalize/, 'no object of the extension is in the dump');

# Roles may be missing where it is restored.  Then a superuser can do all, and give the graph away.
$node->safe_psql('postgres', 'DROP OWNED BY shop, analyst');
$node->safe_psql('restored_plain', 'DROP OWNED BY shop, analyst');
$node->safe_psql('restored_custom', 'DROP OWNED BY shop, analyst');
$node->safe_psql('postgres', 'DROP ROLE shop; DROP ROLE analyst');
$node->safe_psql('postgres', 'ALTER TABLE written OWNER TO CURRENT_USER');
$node->command_ok([ 'pg_dump', '-x', '-d', $node->connstr('postgres'), '-F', 'custom', '-f', "$file.custom" ], 'pg_dump without the roles');
restore('custom', 'without_roles');
is($node->safe_psql('without_roles', q{SELECT owner, reader FROM personalize.identity_graphs WHERE graph = 'shop'}), 'shop|analyst', 'a graph names roles that are not there');
is($node->safe_psql('without_roles', q{SELECT (personalize.link('shop', 'cookie', 'n1', 'cookie', 'n2')).status, personalize.person_of('shop', 'login', 'l1') IS NOT NULL}), 'accepted|t',
	'... and a superuser goes on');
$node->safe_psql('postgres', 'CREATE ROLE bystander; CREATE ROLE heir; CREATE ROLE shop');
$node->safe_psql('without_roles', 'GRANT USAGE ON SCHEMA personalize TO bystander, heir, shop');
($status, $out, $err) = $node->psql('without_roles', q{SET ROLE bystander; SELECT personalize.person_of('shop', 'login', 'l1')});
like($err, qr/ERROR:/, '... others do not');
is($node->safe_psql('without_roles', q{SET ROLE bystander; SELECT count(*) FROM personalize.identity_node}), '0', '... nor do they see rows');
is($node->safe_psql('without_roles', q{SET ROLE shop; SELECT personalize.person_of('shop', 'login', 'l1') IS NOT NULL, (SELECT count(*) > 0 FROM personalize.identity_node), (personalize.link('shop', 'cookie', 'n1', 'cookie', 'n3')).status}),
	't|t|accepted', 'a role that is created again has its graph again');
$node->safe_psql('without_roles', q{SELECT personalize.alter_identity_graph('shop', 'heir')});
is($node->safe_psql('without_roles', q{SET ROLE heir; SELECT (personalize.link('shop', 'cookie', 'n1', 'cookie', 'n4')).status}), 'accepted', 'a graph can be given to another');
($status, $out, $err) = $node->psql('without_roles', q{SET ROLE shop; SELECT personalize.link('shop', 'cookie', 'n1', 'cookie', 'n5')});
like($err, qr/ERROR:/, '... and is the former owner\'s no more');

# the extension goes as one, and can come back
($status, $out, $err) = $node->psql('without_roles', 'DROP EXTENSION personalize CASCADE');
is($status, 0, 'DROP EXTENSION CASCADE') or diag($err);
is($node->safe_psql('without_roles', q{SELECT count(*) FROM pg_class WHERE relname LIKE 'identity%'}), '0', '... leaves nothing');
is($node->safe_psql('without_roles', q{CREATE EXTENSION personalize; SELECT personalize.create_identity_graph('shop'), personalize.set_identifier_type('shop', 'login', 1);
	SELECT (personalize.link('shop', 'login', 'a', NULL, NULL)).person}), "|\n1", '... and a new one starts anew');
# a session whose plans and rules are of an extension that is gone
is($node->safe_psql('without_roles', q{SET client_min_messages = error; SELECT personalize.link('shop', 'login', 'b', NULL, NULL); DROP EXTENSION personalize CASCADE; CREATE EXTENSION personalize;
	SELECT personalize.create_identity_graph('shop'), personalize.set_identifier_type('shop', 'login', 1), personalize.set_identifier_type('shop', 'cookie', NULL);
	SELECT (personalize.link('shop', 'login', 'a', 'cookie', 'b')).status}), "(alone,2,)\n||\naccepted", '... in one session, too');

$node->stop;
done_testing();
