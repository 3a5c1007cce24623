# Sessions that insert, update, delete, vacuum, train and read at the same time; and indexes built beside them.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;
use Time::HiRes qw(sleep);

my $node = start_node('concurrency', 'max_connections = 40');
create_events($node, 20_000);
$node->safe_psql('postgres', 'CREATE SEQUENCE meeting');

my $insert = <<~'SQL';
	\set s random_zipfian(1, 2000, 1.05)
	\set i random_zipfian(1, 500, 1.05)
	INSERT INTO events (s, i) VALUES (:s, :i);
	SQL
# several at once want the same item, which is new, and the same subject
my $meet = <<~'SQL';
	INSERT INTO events (s, i) SELECT 1990 + n % 200, 600 + n % 900 FROM (SELECT nextval('meeting') / 4 AS n) x;
	SQL
my $many = <<~'SQL';
	\set a random(1, 2000)
	BEGIN;
	SAVEPOINT s;
	INSERT INTO events (s, i) SELECT (:a + x * 37) % 2000, (:a * x) % 550 FROM generate_series(1, 20) x;
	ROLLBACK TO s;
	INSERT INTO events (s, i) SELECT (:a + x) % 2000, (:a * x) % 550 FROM generate_series(1, 5) x;
	COMMIT;
	SQL
my $read = <<~'SQL';
	\set s random(0, 2200)
	\set i random(0, 600)
	SELECT count(*) FROM personalize.recommend('events', :s);
	SELECT count(*) FROM personalize.similar_items('events', :i);
	SELECT count(*) FROM personalize.recommend('events', :s, half_life => '1 hour', among => ARRAY[:i, 1, 2, 3]);
	SQL
my $read_all = <<~'SQL';
	SELECT count(*) FROM personalize.trending('events', 10);
	SELECT interactions FROM personalize.similarity_stats('events');
	SQL
my $vacuum = "VACUUM (INDEX_CLEANUP ON) events;\n";
my $retrain = "SELECT personalize.retrain('events');\n";

# What a session sees of its own subject is what it wrote, whatever VACUUM and trainings do meanwhile: division by
# zero if not.  Subjects from 1000000 on are one session's each.
my $own = <<~'SQL';
	\set s 1000000 + :client_id
	\set i random(1, 500)
	BEGIN;
	DELETE FROM events WHERE s = :s;
	INSERT INTO events (s, i) VALUES (:s, :i), (:s, 5), (:s, 6);
	SELECT 1 / (count(*) = 0)::int FROM (SELECT because FROM personalize.recommend('events', :s, 50, seen => true) WHERE reason = 'similar') r
		WHERE because NOT IN ('5', '6', ':i');
	SELECT 1 / (count(*) > 0)::int FROM personalize.recommend('events', :s, 50, seen => true) WHERE reason = 'similar';
	COMMIT;
	SQL

my @runs = (
	[ 'writers', background_pgbench($node, 4, 8, [ $insert, 20 ], [ $meet, 6 ], [ $many, 2 ], [ $change_script, 6 ], [ $delete_script, 1 ]) ],
	[ 'VACUUM', background_pgbench($node, 1, 8, $vacuum) ],
	[ 'training', background_pgbench($node, 1, 8, $retrain) ],
	[ 'readers', background_pgbench($node, 3, 8, [ $read, 30 ], [ $read_all, 1 ]) ],
	[ 'sessions with a subject of their own', background_pgbench($node, 2, 8, $own) ]);
end_pgbench($_->[1], $_->[0]) foreach @runs;
$node->safe_psql('postgres', 'DELETE FROM events WHERE s >= 1000000');
check_history($node, 'after the storm');
check_against_fresh($node, 'after the storm');

# Indexes made beside writers: every row once.  Readers are served throughout.
my $counts = q{SELECT (SELECT interactions FROM personalize.similarity_stats('%s')) - (SELECT count(*) FROM events)};
my $writers = background_pgbench($node, 4, 300, [ $insert, 20 ], [ $change_script, 6 ], [ $delete_script, 1 ], [ $many, 1 ]);
my $readers = background_pgbench($node, 1, 300, $read);
for my $n (1 .. 5)
{
	$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY events_similarity');
	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP ON) events') if $n % 2;
}
# the readers name the table, which must not have two
stop_pgbench($readers);
unlike($readers->{err}, qr/error|abort/i, 'readers during REINDEX CONCURRENTLY') or diag($readers->{err});
for my $n (1 .. 3)
{
	$node->safe_psql('postgres', "CREATE INDEX CONCURRENTLY beside_$n ON events USING similarity (s, i) INCLUDE (at) WITH (neighbors = 30, tuning_budget = 0)");
}
$node->safe_psql('postgres', 'REINDEX TABLE CONCURRENTLY events');
stop_pgbench($writers);
unlike($writers->{err}, qr/error|abort/i, 'writers during all of them') or diag($writers->{err});

$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP ON) events');
foreach my $index (qw(events_similarity beside_1 beside_2 beside_3))
{
	is($node->safe_psql('postgres', sprintf($counts, $index)), '0', "$index holds each row once");
	$node->safe_psql('postgres', "SELECT personalize.retrain('$index')");
}
is(answers($node, "beside_$_"), answers($node, 'events_similarity'), "beside_$_ answers as events_similarity does") for 1 .. 3;
$node->safe_psql('postgres', 'DROP INDEX beside_1, beside_2, beside_3');
check_history($node, 'after the builds');
check_against_fresh($node, 'after the builds');

# two trainings, or a training and VACUUM, wait for each other; writers and readers do not
my $holder = background_pgbench($node, 1, 300, "BEGIN; SELECT personalize.retrain('events'); SELECT pg_sleep(300);\n");
$node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(300)%')})
	or die 'no training is under way';
foreach my $case (
	[ q{SELECT personalize.retrain('events')}, 1 ],
	[ q{VACUUM events}, 1 ],
	[ q{INSERT INTO events (s, i) VALUES (1, 1)}, 0 ],
	[ q{SELECT count(*) FROM personalize.recommend('events', 1)}, 0 ])
{
	my ($query, $waits) = @$case;
	my ($status, $out, $err) = $node->psql('postgres', $query,
		connstr => $node->connstr('postgres') . " options='-c lock_timeout=300ms'");

	is($status == 0 ? 'done' : $err =~ s/^.*ERROR: +//sr, $waits ? 'canceling statement due to lock timeout' : 'done',
		"beside a training: $query");
}
stop_pgbench($holder);

$node->stop;
done_testing();
