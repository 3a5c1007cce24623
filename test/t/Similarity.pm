# What the tests of this folder share: a server, a table with a similarity index, and whether
# the two agree.
package Similarity;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw($change_script $delete_script start_node create_events background_pgbench end_pgbench stop_pgbench answers check_history check_against_fresh);

# What clients do to the rows that are there.
our $change_script = <<~'SQL';
	\set s random(1, 2000)
	UPDATE events SET i = (i + 7) % 500 WHERE ctid = (SELECT ctid FROM events WHERE s = :s LIMIT 1);
	SQL
our $delete_script = <<~'SQL';
	\set s random(1, 2000)
	DELETE FROM events WHERE s = :s AND i % 3 = 0;
	SQL

# A started server without autovacuum; settings are lines of postgresql.conf.
sub start_node
{
	my ($name, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => 1);
	$node->append_conf('postgresql.conf', join("\n", 'autovacuum = off', 'log_statement = none',
		'checkpoint_timeout = 1h', 'max_wal_size = 4GB', 'shared_buffers = 128MB', "timezone = 'UTC'", @settings) . "\n");
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION personalize');
	return $node;
}

# events (s, i, at): no two rows have the same time, so that a history has one order.
sub create_events
{
	my ($node, $rows) = @_;

	$node->safe_psql('postgres', <<~SQL);
		CREATE SEQUENCE clock CACHE 100;
		CREATE TABLE events (s int, i int,
			at timestamptz DEFAULT timestamptz '2024-01-01' + nextval('clock') * interval '1 second');
		CREATE FUNCTION draw(seed bigint, x bigint, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
			'SELECT ((hashint8extended(x, seed) & 9223372036854775807) % n)::int';
		INSERT INTO events (s, i)
			SELECT draw(1, x, 1500), draw(2, x, 400) * (draw(3, x, 400) + 1) / 400 FROM generate_series(1, $rows) x;
		CREATE INDEX events_similarity ON events USING similarity (s, i) INCLUDE (at) WITH (neighbors = 30, tuning_budget = 0);

		-- all that the index says, as one number; scores to the last bit
		CREATE FUNCTION model(source regclass) RETURNS numeric LANGUAGE sql AS \$\$
			SELECT sum(hash_record_extended((x, l.item, l.score, l.support, l.ordinality), 1)::numeric)
			FROM generate_series(0, 1500) x, personalize.similar_items(source, x, 1000) WITH ORDINALITY l \$\$;
		CREATE FUNCTION recommendations(source regclass) RETURNS numeric LANGUAGE sql AS \$\$
			SELECT sum(hash_record_extended((x, r.item, r.score, r.because, r.reason, r.ordinality), 1)::numeric)
			FROM generate_series(0, 2200) x, personalize.recommend(source, x, 15) WITH ORDINALITY r \$\$;
		CREATE FUNCTION popular(source regclass) RETURNS numeric LANGUAGE sql AS \$\$
			SELECT sum(hash_record_extended((t.item, t.score, t.recent, t.before, t.ordinality), 1)::numeric)
			FROM personalize.trending(source, 1000, '1 hour', '2024-01-03') WITH ORDINALITY t \$\$;
		SQL
	return;
}

# pgbench with scripts (text, or [text, weight]) until it is stopped or its seconds are over
sub background_pgbench
{
	my ($node, $clients, $seconds, @scripts) = @_;
	my %run = (out => '', err => '');
	my @files;
	my $n = 0;

	foreach my $script (@scripts)
	{
		my ($text, $weight) = ref $script ? @$script : ($script, 1);
		my $file = $node->basedir . '/pgbench_' . $node->name . "_${clients}_" . ++$n . '_' . time . rand();

		append_to_file($file, $text);
		push @files, '-f', "$file\@$weight";
	}
	# pgbench of 15 takes no connection string
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'postgres';
	$run{handle} = IPC::Run::start([ 'pgbench', '-n', '-c', $clients, '-j', 1, '-T', $seconds, @files ],
		'<', \undef, '>', \$run{out}, '2>', \$run{err});
	return \%run;
}

# Wait for its end: no client may have failed, and some transactions must have been.
sub end_pgbench
{
	my ($run, $name) = @_;
	my $good = $run->{handle}->finish;
	my ($done) = $run->{out} =~ /transactions actually processed: (\d+)/;

	ok($good && $done && $run->{err} !~ /(error|abort|fatal)/i, "$name: " . ($done // 'no') . ' transactions, no error')
		or diag(substr($run->{err}, 0, 2000));
	return $done;
}

# End one that would go on.  Not by SIGINT: whoever was started in the background may ignore it.
sub stop_pgbench
{
	my ($run) = @_;

	$run->{handle}->signal('TERM');
	$run->{handle}->finish;
	return;
}

# The answers of all readers, as text
sub answers
{
	my ($node, $source) = @_;

	return $node->safe_psql('postgres',
		"SELECT 'model', model('$source') UNION ALL SELECT 'recommendations', recommendations('$source') "
		. "UNION ALL SELECT 'popular', popular('$source')");
}

# Each subject's history is that of the table: recommend() answers as recommend_from() does with the rows that
# are there, and has nothing to go by for whom there are none.
sub check_history
{
	my ($node, $name) = @_;

	is($node->safe_psql('postgres', <<~SQL), "0|0|t", "$name: histories are those of the table");
		WITH baskets AS MATERIALIZED (
			SELECT s, array_agg(i ORDER BY at) AS basket FROM (
				SELECT s, i, max(at) AS at, row_number() OVER (PARTITION BY s ORDER BY max(at) DESC) AS place
				FROM events GROUP BY s, i) x
			WHERE place <= 200 GROUP BY s),
		both_ways AS MATERIALIZED (
			SELECT s,
				ARRAY(SELECT (item, score, because, reason, ordinality)::text FROM personalize.recommend('events', s, 12, seen => true) WITH ORDINALITY) AS stored,
				ARRAY(SELECT (item, score, because, reason, ordinality)::text FROM personalize.recommend_from('events', basket, 12, seen => true) WITH ORDINALITY) AS given,
				EXISTS (SELECT FROM personalize.recommend('events', s, 1) WHERE reason = 'similar') AS found
			FROM baskets)
		SELECT (SELECT count(*) FROM both_ways WHERE stored <> given),
			(SELECT count(*) FROM generate_series(0, 2200) s WHERE NOT EXISTS (SELECT FROM baskets b WHERE b.s = s.s)
				AND EXISTS (SELECT FROM personalize.recommend('events', s.s) WHERE reason = 'similar')),
			(SELECT count(*) FROM both_ways WHERE found) > 500
		SQL
	return;
}

# After VACUUM the index holds the table's rows, no more and no less; and after a training it is as one that was
# made today.
sub check_against_fresh
{
	my ($node, $name) = @_;

	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP ON) events');
	is($node->safe_psql('postgres', q{SELECT interactions, subjects FROM personalize.similarity_stats('events')}),
		$node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT s) FROM events'),
		"$name: the index holds the table's rows");
	$node->safe_psql('postgres', <<~SQL);
		SELECT personalize.retrain('events');
		DROP TABLE IF EXISTS fresh;
		CREATE TABLE fresh AS TABLE events;
		CREATE INDEX ON fresh USING similarity (s, i) INCLUDE (at) WITH (neighbors = 30, tuning_budget = 0);
		SQL
	is(answers($node, 'events'), answers($node, 'fresh'), "$name: answers are those of a fresh index");
	return;
}

1;
