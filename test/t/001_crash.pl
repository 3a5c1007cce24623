# Crashes at any point: of inserts, of VACUUM, of a training.  Every page that is replayed is compared with what
# the primary wrote.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;
use Time::HiRes qw(sleep);

my $node = start_node('crash', "wal_consistency_checking = 'generic'", 'maintenance_work_mem = 16MB');
create_events($node, 20_000);
check_history($node, 'before');

my $insert = <<~'SQL';
	\set s random_zipfian(1, 2000, 1.05)
	\set i random_zipfian(1, 500, 1.05)
	INSERT INTO events (s, i) VALUES (:s, :i);
	SQL
my $insert_many = <<~'SQL';
	\set a random(1, 2000)
	BEGIN;
	INSERT INTO events (s, i) SELECT (:a + x * 37) % 2000, (:a * x) % 550 FROM generate_series(1, 30) x;
	ROLLBACK;
	SQL
my $vacuum = "VACUUM (INDEX_CLEANUP ON) events;\n";
my $retrain = "SELECT personalize.retrain('events');\n";

my @rounds = (
	[ 'inserts', [] ],
	[ 'VACUUM', [$vacuum] ],
	[ 'training', [$retrain] ],
	[ 'VACUUM and training', [ $vacuum, $retrain ] ],
	[ 'VACUUM and training again', [ $vacuum, $retrain ] ]);

# what is to be seen of the load: rows, generation, VACUUMs
my $seen = q{SELECT (SELECT count(*) FROM events), generation,
	(SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'events'),
	(SELECT n_tup_del FROM pg_stat_user_tables WHERE relname = 'events'),
	(SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'events')
	FROM personalize.similarity_stats('events')};

srand(7);
foreach my $round (@rounds)
{
	my ($what, $maintenance) = @$round;
	my @start = split /\|/, $node->safe_psql('postgres', $seen);
	my @runs = background_pgbench($node, 4, 60, [ $insert, 20 ], [ $insert_many, 1 ], [ $change_script, 6 ], [ $delete_script, 2 ]);

	push @runs, background_pgbench($node, 1, 60, @$maintenance) if @$maintenance;
	$node->safe_psql('postgres', 'CHECKPOINT') if rand() < 0.5;
	sleep(1.2 + rand(0.8));
	my @now = split /\|/, $node->safe_psql('postgres', $seen);

	cmp_ok($now[2], '>', $start[2], "rows come before a crash during $what");
	cmp_ok($now[3], '>', $start[3], '... and go');
	cmp_ok($now[1], '>', $start[1], '... and trainings end') if grep { $_ eq $retrain } @$maintenance;
	cmp_ok($now[4], '>', $start[4], '... and VACUUMs') if grep { $_ eq $vacuum } @$maintenance;

	my $before = $node->safe_psql('postgres',
		q{SELECT count(*), (SELECT generation FROM personalize.similarity_stats('events')) FROM events});
	$node->stop('immediate');
	$_->{handle}->finish foreach @runs;
	$node->start;
	note("rows and generation before the crash: $before, after it: "
		. $node->safe_psql('postgres', q{SELECT count(*), (SELECT generation FROM personalize.similarity_stats('events')) FROM events}));
	check_history($node, "after a crash during $what");
	check_against_fresh($node, "after a crash during $what");
}

# a build that a crash ends leaves nothing behind
my $build = background_pgbench($node, 1, 60, <<~'SQL');
	CREATE INDEX doomed ON events USING similarity (i, s);
	DROP INDEX doomed;
	SQL
sleep(0.7);
$node->stop('immediate');
$build->{handle}->finish;
$node->start;
$node->safe_psql('postgres', 'DROP INDEX IF EXISTS doomed');
check_history($node, 'after a crash during CREATE INDEX');

# what was chosen outlives a crash, and a choice that a crash ends leaves nothing behind
my $choice = q{SELECT chosen_by, parameters, candidates, (SELECT sum(hashtextextended(c::text, 0)) FROM personalize.similarity_candidates('chosen') c)
	FROM personalize.similarity_stats('chosen')};
$node->safe_psql('postgres', 'CREATE TABLE chosen AS TABLE events; CREATE INDEX chosen_similarity ON chosen USING similarity (s, i) WITH (tuning_budget = 2)');
my $chosen = $node->safe_psql('postgres', $choice);
like($chosen, qr/^choice\|/, 'parameters are chosen');
my $bytes = $node->safe_psql('postgres', q{SELECT neighbor_bytes FROM personalize.similarity_stats('chosen')});
my $tune = background_pgbench($node, 1, 60, "SELECT count(*) FROM personalize.tune('chosen', apply => true, anew => true, budget => 2);\n");
$node->poll_query_until('postgres', q{SELECT generation >= 2 FROM personalize.similarity_stats('chosen')}) or die 'tune() does not end';
sleep(rand(0.5));
$node->stop('immediate');
$tune->{handle}->finish;
$node->start;
is($node->safe_psql('postgres', $choice =~ s/\(SELECT sum.*?\) c\)/0/sr), $chosen =~ s/[-0-9]+$/0/r, 'the choice after a crash during tune()');
$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP ON) chosen');
is($node->safe_psql('postgres', q{SELECT count(*) = max(s.candidates) FROM personalize.similarity_candidates('chosen'), personalize.similarity_stats('chosen') s}),
	't', '... and its candidates are there');
cmp_ok(abs($node->safe_psql('postgres', q{SELECT neighbor_bytes FROM personalize.similarity_stats('chosen')}) - $bytes), '<', 65536, '... and no others');

# an unlogged table is empty after a crash, and so is its index
$node->safe_psql('postgres', <<~'SQL');
	CREATE UNLOGGED TABLE transient (s int, i int);
	INSERT INTO transient SELECT x % 50, x % 17 FROM generate_series(1, 1000) x;
	CREATE INDEX ON transient USING similarity (s, i);
	SQL
my $stats = q{SELECT interactions, subjects, items, generation FROM personalize.similarity_stats('transient')};
is($node->safe_psql('postgres', $stats), '1000|50|17|1', 'unlogged table before the crash');
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', $stats), '0|0|0|0', 'unlogged table after the crash');
$node->safe_psql('postgres', q{INSERT INTO transient VALUES (1, 1), (1, 2), (2, 1), (2, 3); SELECT personalize.retrain('transient')});
is($node->safe_psql('postgres', q{SELECT item FROM personalize.recommend('transient', 2, 1)}), '2', '... and new rows find their way');

$node->stop;
done_testing();
