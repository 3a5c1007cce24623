# What the tests of identity graphs share: loads that many sessions make together, and whether what is stored follows
# from the evidence.
package Identity;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_graph draw_work work_script run_pgbench wait_pgbench is_right components);

# A graph of logins and cookies.  Work is a table of links that sessions take one by one.
sub new_graph
{
	my ($node, $graph, $max_logins, $max_degree) = @_;

	$node->safe_psql('postgres', <<~SQL);
		SELECT personalize.create_identity_graph('$graph');
		SELECT personalize.set_identifier_type('$graph', 'login', $max_logins);
		SELECT personalize.set_identifier_type('$graph', 'cookie', NULL, $max_degree);
		SQL
	return;
}

# The links of a query (type_a, value_a, type_b, value_b, at), numbered from 1
sub draw_work
{
	my ($node, $query) = @_;

	return $node->safe_psql('postgres', <<~SQL);
		DROP TABLE IF EXISTS work;
		CREATE TABLE work AS SELECT (row_number() OVER ())::int AS n, q.* FROM ($query) q;
		ALTER TABLE work ADD PRIMARY KEY (n);
		DROP SEQUENCE IF EXISTS turn;
		CREATE SEQUENCE turn;
		SELECT count(*) FROM work;
		SQL
}

# A transaction of some links, whose turn it is, made by a statement (its default is ours; %s are the work's columns).
# pgbench starts a script anew when it tries again: then it must not draw other turns.  It wants -D n1=0.
sub work_script
{
	my ($graph, $links, $statement) = @_;
	my $draw = join('', map { "SELECT nextval('turn') AS n$_ \\gset\n" } 1 .. $links);
	my $link = sprintf($statement // "SELECT personalize.link('$graph', %s, at => at)", 'type_a, value_a, type_b, value_b');
	my $work = join('', map { "$link FROM work WHERE n = :n$_;\n" } 1 .. $links);

	$work = "BEGIN;\n${work}COMMIT;\n" if $links > 1;
	return "\\if :n1 = 0\n$draw\\endif\n$work\\set n1 0\n";
}

# Start pgbench: scripts are text or [text, weight], options as they are, but for settings of the session.
my $runs = 0;
sub run_pgbench
{
	my ($node, $clients, $options, @scripts) = @_;
	my %run = (out => '', err => '');
	# who would try again for ever is to fail
	my $settings = join(' ', map { "-c $_" } 'statement_timeout=60s', grep { /^\w+=/ } @$options);
	my @files;

	foreach my $script (@scripts)
	{
		my ($text, $weight) = ref $script ? @$script : ($script, 1);
		my $file = $node->basedir . '/identity_' . ++$runs;

		append_to_file($file, $text);
		push @files, '-f', "$file\@$weight";
	}
	# pgbench of 15 takes no connection string
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'postgres';
	local $ENV{PGOPTIONS} = $settings;
	$run{handle} = IPC::Run::start([ 'pgbench', '-n', '-c', $clients, '-j', 1, '-D', 'n1=0', grep({ !/^\w+=/ } @$options), @files ],
		'<', \undef, '>', \$run{out}, '2>', \$run{err});
	return \%run;
}

# Wait for the end; nobody may have failed.
sub wait_pgbench
{
	my ($run, $name) = @_;
	my $good = $run->{handle}->finish;
	my ($done) = $run->{out} =~ /transactions actually processed: (\d+)/;
	my ($failed) = $run->{out} =~ /number of failed transactions: (\d+)/;

	ok($good && $done && !$failed && $run->{err} !~ /(error|abort|fatal|deadlock)/i, "$name: " . ($done // 'no') . ' transactions, no error')
		or diag(substr($run->{err}, 0, 2000));
	return $done;
}

# By a recursive query: how many components the links of a query (a, b) have
sub components
{
	my ($node, $query) = @_;

	return $node->safe_psql('postgres', <<~SQL);
		WITH RECURSIVE edge AS MATERIALIZED (SELECT a, b FROM ($query) q UNION SELECT b, a FROM ($query) q),
		reach (start, at) AS (SELECT a, a FROM edge UNION SELECT r.start, e.b FROM reach r JOIN edge e ON e.a = r.at)
		SELECT count(*) FROM (SELECT at FROM reach GROUP BY at HAVING min(start) = at) x
		SQL
}

# What is stored is what follows from the evidence.
sub is_right
{
	my ($node, $graph, $name) = @_;

	is($node->safe_psql('postgres', "SELECT * FROM personalize.check_identity_graph('$graph') LIMIT 5"), '', "$name: check_identity_graph() finds nothing");
	is($node->safe_psql('postgres', "SELECT personalize.rebuild_identity_graph('$graph')"), '0', "$name: nobody is another when all is computed anew");
	return;
}

1;
