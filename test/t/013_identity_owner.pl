# Whoever waits for a graph is asked again, once it is his turn, whether it is his: meanwhile it may have been given to
# somebody else, or dropped, and another one of the same name created.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;

my $node = start_node('owner', 'deadlock_timeout = 100ms');
$node->safe_psql('postgres', <<~'SQL');
	CREATE ROLE alice LOGIN;
	CREATE ROLE bob LOGIN;
	GRANT USAGE ON SCHEMA personalize TO PUBLIC;
	SQL

# What alice is told who waits while somebody else changes the graph
sub meanwhile
{
	my ($change, $statement) = @_;
	my $err = '';
	my $name = 'g' . int(rand(1e9));

	s/%G/'$name'/g foreach ($change, $statement);
	$node->safe_psql('postgres', <<~SQL);
		SELECT personalize.create_identity_graph('$name', owner => 'alice');
		SELECT personalize.set_identifier_type('$name', 'cookie', NULL);
		SELECT personalize.link('$name', 'cookie', 'a', 'cookie', 'b');
		SQL
	my $other = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', "BEGIN; $change SELECT pg_sleep(0.7); COMMIT" ],
		'<', \undef, '>', \my $out, '2>', \my $trouble);
	$node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep')") or die 'nobody sleeps';
	$node->psql('postgres', $statement, connstr => $node->connstr('postgres') . ' user=alice', stderr => \$err);
	$other->finish or die $trouble;
	return ($name, $err);
}

my $give = "SELECT personalize.set_link_rule(%G, 'typed'); SELECT personalize.alter_identity_graph(%G, owner => 'bob');";
my $anew = "SELECT personalize.drop_identity_graph(%G); SELECT personalize.create_identity_graph(%G, owner => 'bob');";
my $again = "SELECT personalize.drop_identity_graph(%G); SELECT personalize.create_identity_graph(%G, owner => 'alice');";
my $link = "SELECT personalize.link(%G, 'cookie', 'a', 'cookie', 'c')";
my $drop = 'SELECT personalize.drop_identity_graph(%G)';

my ($graph, $error) = meanwhile($give, $link);
like($error, qr/must be owner of identity graph "$graph"/, 'a link waits while the graph is given away');
is($node->safe_psql('postgres', "SELECT count(*) FROM personalize.identity_node WHERE graph = '$graph'"), '2', '... and is not made');
($graph, $error) = meanwhile($anew, $link);
like($error, qr/must be owner of identity graph "$graph"/, 'a link waits while somebody else creates the graph anew');
($graph, $error) = meanwhile($again, $link);
like($error, qr/was dropped and created anew/, '... or its owner does');

foreach my $change ($give, $anew)
{
	($graph, $error) = meanwhile($change, $drop);
	like($error, qr/must be owner of identity graph "$graph"/, 'whoever waits to drop a graph no longer may');
	is($node->safe_psql('postgres', "SELECT owner FROM personalize.identity_graphs WHERE graph = '$graph'"), 'bob', '... and it is still there');
	($graph, $error) = meanwhile($change, "SELECT personalize.alter_identity_graph(%G, reader => 'alice')");
	like($error, qr/must be owner of identity graph "$graph"/, '... nor change its reader');
}

$node->stop;
done_testing();
