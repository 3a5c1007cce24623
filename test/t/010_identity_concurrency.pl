# Many sessions link at the same time: no merge is lost, nobody waits in a circle, no limit is broken for an instant.
# A naive way, under the same load, loses merges, and the test sees it.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Identity;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;

my $node = start_node('identity', 'max_connections = 60', 'deadlock_timeout = 100ms', 'fsync = off');
my $reference = slurp_file("$FindBin::RealBin/../pgtap/identity_reference.psql");
$node->safe_psql('postgres', "SET search_path = public, personalize; $reference");

my $edges = "SELECT type_a || ':' || value_a AS a, type_b || ':' || value_b AS b FROM work";
my %shapes = (
	chain => sub { "SELECT 'cookie' AS type_a, x::text AS value_a, 'cookie' AS type_b, (x + 1)::text AS value_b, timestamptz '2024-01-01' AS at
		FROM generate_series(1, $_[0]) x ORDER BY hashint4(x)" },
	'chain in order' => sub { "SELECT 'cookie' AS type_a, x::text AS value_a, 'cookie' AS type_b, (x + 1)::text AS value_b, timestamptz '2024-01-01' AS at
		FROM generate_series(1, $_[0]) x ORDER BY x" },
	star => sub { "SELECT 'cookie' AS type_a, 'hub' AS value_a, 'cookie' AS type_b, x::text AS value_b, timestamptz '2024-01-01' AS at
		FROM generate_series(1, $_[0]) x" },
	# few identifiers, so that all are wanted by many at once
	random => sub { "SELECT 'cookie' AS type_a, (1 + abs(hashint4(x)) % ($_[0] / 2))::text AS value_a, CASE WHEN x % 3 = 0 THEN 'login' ELSE 'cookie' END AS type_b,
		(1 + abs(hashint4(-x)) % ($_[0] / 3))::text AS value_b, timestamptz '2024-01-01' + x % 7 * interval '1 day' AS at FROM generate_series(1, $_[0]) x" });
my $graphs = 0;

# All of the work, in turns; without limits persons are the components of a recursive query.
sub plain
{
	my ($shape, $clients, $total) = @_;
	my $graph = 'plain' . ++$graphs;
	my $name = "$shape, $clients sessions";

	new_graph($node, $graph, 'NULL', 'NULL');
	draw_work($node, $shapes{$shape}->($total));
	wait_pgbench(run_pgbench($node, $clients, [ '-t', $total / $clients ], work_script($graph, 1)), $name);
	is_right($node, $graph, $name);
	is($node->safe_psql('postgres', "SELECT count(*) FROM personalize.identity_person WHERE graph = '$graph'"), components($node, $edges),
		"$name: as many persons as a recursive query finds");
	is($node->safe_psql('postgres', "SELECT count(*) FROM work WHERE personalize.person_of('$graph', type_a, value_a) IS DISTINCT FROM personalize.person_of('$graph', type_b, value_b)"),
		'0', "$name: whoever is linked is one person");
	return;
}
foreach my $clients (4, 8, 16)
{
	plain($_, $clients, 800) foreach ('chain', 'chain in order', 'star', 'random');
}

# The naive way: two look up their components and make one of them.
sub naive
{
	my ($shape, $clients, $total) = @_;

	draw_work($node, $shapes{$shape}->($total));
	$node->safe_psql('postgres', <<~'SQL');
		DROP TABLE IF EXISTS naive;
		CREATE TABLE naive (identifier text PRIMARY KEY, component text);
		CREATE INDEX ON naive (component);
		CREATE OR REPLACE FUNCTION naive_link(a text, b text) RETURNS void LANGUAGE plpgsql AS $$
		DECLARE
			component_a text;
			component_b text;
		BEGIN
			INSERT INTO naive VALUES (least(a, b), least(a, b)), (greatest(a, b), greatest(a, b)) ON CONFLICT DO NOTHING;
			SELECT component INTO component_a FROM naive WHERE identifier = a;
			SELECT component INTO component_b FROM naive WHERE identifier = b;
			UPDATE naive SET component = least(component_a, component_b) WHERE component = greatest(component_a, component_b) AND component_a <> component_b;
		END $$;
		SQL
	my $run = run_pgbench($node, $clients, [ '-t', $total / $clients, '--max-tries=1000' ],
		"\\if :n1 = 0\nSELECT nextval('turn') AS n1 \\gset\n\\endif\n"
		. "SELECT naive_link(type_a || ':' || value_a, type_b || ':' || value_b) FROM work WHERE n = :n1;\n\\set n1 0\n");
	wait_pgbench($run, "naive, $shape, $clients sessions");
	return $node->safe_psql('postgres', 'SELECT count(DISTINCT component) FROM naive') - components($node, $edges);
}
my $lost = 0;
for my $round (1 .. 30)
{
	last if $lost > 0;
	$lost = naive('chain', 16, 800);
}
cmp_ok($lost, '>', 0, 'the naive way loses merges under the same load, and this test sees it');
note("merges lost by the naive way: $lost");

# With limits, and everything that changes who is who, while a reader looks all the time.
sub look
{
	my ($graph) = @_;

	return <<~SQL;
		SELECT 1 / (count(*) = 0)::int FROM (SELECT person FROM personalize.identity_node
			WHERE graph = '$graph' AND type = 'login' AND person IS NOT NULL GROUP BY person HAVING count(*) > 1) x;
		SELECT 1 / (count(*) = 0)::int FROM personalize.identity_kept_apart k
			JOIN personalize.identity_node a ON (a.graph, a.type, a.value) = (k.graph, k.type_a, k.value_a)
			JOIN personalize.identity_node b ON (b.graph, b.type, b.value) = (k.graph, k.type_b, k.value_b)
			WHERE k.graph = '$graph' AND k.revoked_at IS NULL AND a.person = b.person;
		SELECT 1 / (count(*) = 0)::int FROM (SELECT v.root FROM personalize.identity_vertex v
			LEFT JOIN personalize.identity_vertex r ON r.id = v.root AND r.root = r.id
			GROUP BY v.root, r.size, r.person HAVING (r.size, r.person) IS DISTINCT FROM (count(*)::int, min(v.id))) x;
		SQL
}
sub follows_reference
{
	my ($graph, $name) = @_;

	is($node->safe_psql('postgres', <<~SQL), '', "$name: as the second implementation says");
		SET search_path = public, personalize;
		SELECT * FROM (SELECT type, value, state, person FROM identity_node WHERE graph = '$graph') n
			FULL JOIN reference_nodes('$graph') r USING (type, value)
		WHERE (n.state, n.person) IS DISTINCT FROM (r.state, r.person) LIMIT 5
		SQL
	return;
}
sub limited
{
	my ($clients, $total) = @_;
	my $graph = 'limited' . ++$graphs;
	my $name = "limits, $clients sessions";

	new_graph($node, $graph, 1, 'NULL');
	draw_work($node, $shapes{random}->($total));
	my $reader = run_pgbench($node, 1, [ '-T', 3 ], look($graph));
	wait_pgbench(run_pgbench($node, $clients, [ '-t', $total / $clients ], work_script($graph, 1)), $name);
	wait_pgbench($reader, "$name: each snapshot is whole");
	is_right($node, $graph, $name);
	follows_reference($graph, $name);
	cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM personalize.identity_edge WHERE graph = '$graph' AND status = 'rejected'"), '>', 10,
		"$name: they mattered");
	return;
}
limited($_, 480) foreach (4, 8, 16);

my $storm = 'storm';
new_graph($node, $storm, 1, 30);
$node->safe_psql('postgres', "SELECT personalize.set_link_rule('$storm', 'guess', 200)");
my $two = "\\set a random(1, 400)\n\\set b random(1, 100)\n\\set c random(1, 400)\n\\set w random(1, 5)\n\\set d random(1, 4)\n";
my %change = (
	link => "SELECT personalize.link('$storm', 'cookie', :a::text, 'login', :b::text, weight => :w, at => timestamptz '2024-01-01' + :d * interval '1 day');",
	'link cookies' => "SELECT personalize.link('$storm', 'cookie', :a::text, 'cookie', :c::text, 'guess', :w, now(), 's' || :d);",
	'link by query' => "SELECT personalize.link('$storm', 'SELECT ''cookie'' AS type_a, ((:a * x) % 401)::text AS value_a, ''cookie'' AS type_b, ((:c * x + 1) % 401)::text AS value_b, ''guess'' AS rule, ''s9'' AS source FROM generate_series(1, 20) x');",
	'link arrays' => "SELECT personalize.link('$storm', 'login', ARRAY[:b, :d]::text[], 'cookie', ARRAY[:c, :a]::text[], weight => :w, source => 's' || :d);",
	unlink => "SELECT count(personalize.unlink('$storm', type_a, value_a, type_b, value_b)) FROM (SELECT * FROM personalize.identity_edge WHERE graph = '$storm' AND status = 'accepted' AND :a::text IN (value_a, value_b) LIMIT 1) e;",
	'must_not_link' => "\\if :a <> :c\nSELECT personalize.must_not_link('$storm', 'cookie', :a::text, 'cookie', :c::text);\n\\endif",
	'may_link' => "SELECT personalize.may_link('$storm', type_a, value_a, type_b, value_b) FROM (SELECT * FROM personalize.identity_kept_apart WHERE graph = '$storm' AND revoked_at IS NULL LIMIT 1) k;",
	'set_link_rule' => "SELECT personalize.set_link_rule('$storm', 'guess', 50 * :d, :w - 3);",
	'set_identifier_type' => "SELECT personalize.set_identifier_type('$storm', 'cookie', NULL, 25 + :w, 40 * :d);",
	block => "SELECT personalize.block_identifier('$storm', :a::text, type => 'cookie');",
	unblock => "SELECT personalize.unblock_identifier('$storm', value) FROM (SELECT value FROM personalize.identity_blocks WHERE graph = '$storm' AND value ~ '^[1-9]' AND length(value) < 4 ORDER BY value LIMIT 1) b;\nSELECT personalize.unblock_identifier('$storm', value, type => 'cookie') FROM (SELECT value FROM personalize.identity_blocks WHERE graph = '$storm' AND type = 'cookie' ORDER BY value LIMIT 1) b;",
	'unlink_source' => "SELECT personalize.unlink_source('$storm', 's' || :d);",
	'expire_links' => "SELECT personalize.expire_links('$storm', timestamptz '2024-01-01' + :d * interval '1 day', 'login');");
my %weight = (link => 60, 'link cookies' => 60, 'link arrays' => 20, 'link by query' => 5, unlink => 20, must_not_link => 10, may_link => 10, unblock => 3);
my $reader = run_pgbench($node, 2, [ '-T', 8 ], look($storm));
wait_pgbench(run_pgbench($node, 16, [ '-T', 7, 'client_min_messages=warning' ], map { [ "$two$change{$_}\n", $weight{$_} // 1 ] } sort keys %change), 'everything at once');
wait_pgbench($reader, 'everything at once: each snapshot is whole');
is_right($node, $storm, 'everything at once');
follows_reference($storm, 'everything at once');
like($node->safe_psql('postgres', "SELECT string_agg(status, ' ' ORDER BY status) FROM (SELECT status FROM personalize.identity_edge WHERE graph = '$storm' GROUP BY 1 HAVING count(*) >= 10) x"),
	qr/accepted.* rejected revoked/, 'everything at once: evidence of all kinds');

# Batches lock many persons, of whom others make one meanwhile; identifiers that are blocked are not locked at all.
new_graph($node, 'batches', 'NULL', 'NULL');
wait_pgbench(run_pgbench($node, 16, [ '-T', 6 ],
	[ "SELECT personalize.link('batches', 'cookie', array_agg((random() * 400)::int::text), 'cookie', array_agg((random() * 400)::int::text), source => 's' || :client_id) FROM generate_series(1, 4);\n", 30 ],
	[ "SELECT personalize.unlink_source('batches', 's' || :client_id);\n", 1 ]), 'batches');
is_right($node, 'batches', 'batches');
$node->safe_psql('postgres', q{SELECT personalize.block_identifier('batches', pattern => '^b')});
wait_pgbench(run_pgbench($node, 16, [ '-T', 2 ],
	"SELECT personalize.link('batches', 'cookie', array_agg('b' || (random() * 20)::int), 'login', array_agg('b' || (random() * 20)::int)) FROM generate_series(1, 40);\n"), 'batches of blocked');
is_right($node, 'batches', 'batches of blocked');

# Two who unlink the same shared identifier each leave it one link too many, and both together do not.
$node->safe_psql('postgres', <<~'SQL');
	SELECT personalize.create_identity_graph('hubs');
	SELECT personalize.set_identifier_type('hubs', 'cookie', NULL, 3), personalize.set_identifier_type('hubs', 'login', NULL);
	SELECT personalize.link('hubs', 'SELECT ''cookie'' AS type_a, ''hub'' AS value_a, ''login'' AS type_b, ''l'' || x AS value_b FROM generate_series(1, 5) x');
	SQL
my $slow = run_pgbench($node, 1, [ '-t', 1 ], "BEGIN;\nSELECT personalize.unlink('hubs', 'cookie', 'hub', 'login', 'l1');\nSELECT pg_sleep(0.7);\nCOMMIT;\n");
$node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(0.7);')}) or die 'nobody sleeps';
$node->safe_psql('postgres', q{SELECT personalize.unlink('hubs', 'cookie', 'hub', 'login', 'l2')});
wait_pgbench($slow, 'two unlinks of a shared identifier');
is_right($node, 'hubs', 'two unlinks of a shared identifier');
is($node->safe_psql('postgres', q{SELECT state FROM personalize.identity_node WHERE graph = 'hubs' AND value = 'hub'}), 'active', '... after which it is shared no more');

# Transactions that keep their snapshot fail with 40001, and succeed when they are tried again.
foreach my $isolation ('repeatable read', 'serializable')
{
	foreach my $shape ('chain', 'random')
	{
		my $graph = 'isolated' . ++$graphs;
		my $name = "$isolation, $shape";
		my $limited = $shape eq 'random';

		new_graph($node, $graph, $limited ? 1 : 'NULL', 'NULL');
		draw_work($node, $shapes{$shape}->(240));
		my $run = run_pgbench($node, 8, [ '-t', 30, '--max-tries=100000', 'default_transaction_isolation=' . $isolation =~ s/ /\\ /r ], work_script($graph, 1));
		wait_pgbench($run, $name);
		my ($retried) = $run->{out} =~ /number of transactions retried: (\d+)/;
		cmp_ok($retried // 0, '>', 0, "$name: some had to be tried again");
		is_right($node, $graph, $name);
		is($node->safe_psql('postgres', "SELECT count(*) FROM work WHERE personalize.person_of('$graph', type_a, value_a) IS DISTINCT FROM personalize.person_of('$graph', type_b, value_b)"),
			'0', "$name: nothing is lost") unless $limited;
		follows_reference($graph, $name);
	}
}
# the error says what it is
$node->safe_psql('postgres', q{SELECT personalize.create_identity_graph('late'), personalize.set_identifier_type('late', 'cookie', NULL); SELECT personalize.link('late', 'cookie', 'a', 'cookie', 'b')});
my $snapshot = run_pgbench($node, 1, [ '-t', 1, '--verbose-errors', 'default_transaction_isolation=repeatable\ read' ],
	"BEGIN;\nSELECT count(*) FROM personalize.identity_vertex;\nSELECT pg_sleep(0.7);\nSELECT personalize.link('late', 'cookie', 'a', 'cookie', 'd');\nCOMMIT;\n");
$node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(0.7);')}) or die 'nobody sleeps';
$node->safe_psql('postgres', q{SELECT personalize.link('late', 'cookie', 'c', 'cookie', 'b')});
$snapshot->{handle}->finish;
like($snapshot->{out}, qr/failed transactions: 1 /, 'a snapshot that is too old fails');
like($snapshot->{err}, qr/could not serialize access due to concurrent update/, '... and says so');

# Several links in one transaction may meet others in a circle: one of them is told so (40P01), and tries again.
foreach my $shape ('random', 'chain')
{
	my $graph = 'several' . ++$graphs;

	new_graph($node, $graph, $shape eq 'random' ? 1 : 'NULL', 'NULL');
	draw_work($node, $shapes{$shape}->(720));
	my $run = run_pgbench($node, 8, [ '-t', 30, '--max-tries=100000' ], work_script($graph, 3));
	wait_pgbench($run, "three links in a transaction, $shape");
	note(join ', ', grep { /retried/ } split /\n/, $run->{out});
	is_right($node, $graph, "three links in a transaction, $shape");
	is($node->safe_psql('postgres', "SELECT count(*) FROM personalize.identity_edge WHERE graph = '$graph'"),
		$node->safe_psql('postgres', q{SELECT count(DISTINCT (least(type_a || value_a, type_b || value_b), greatest(type_a || value_a, type_b || value_b))) FROM work WHERE (type_a, value_a) <> (type_b, value_b)}),
		"three links in a transaction, $shape: all evidence is there");
}

$node->stop;
done_testing();
