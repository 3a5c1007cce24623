# The postings of items: through crashes, VACUUM, concurrent sessions, builds beside writers, and on a standby they are
# those of the table's rows.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;
use Time::HiRes qw(sleep);

my $node = start_node('items', "wal_consistency_checking = 'generic'", 'maintenance_work_mem = 16MB', 'max_connections = 40');
my $vacuum = "VACUUM (INDEX_CLEANUP ON) events;\n";
my $retrain = "SELECT personalize.retrain('events');\n";

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\n");
$standby->start;

create_events($node, 20_000);
$node->safe_psql('postgres', <<~'SQL');
	ALTER INDEX events_similarity SET (postings = on);
	REINDEX INDEX events_similarity;

	-- whom sixty subjects are like, by the index; and by the table
	CREATE VIEW chosen AS SELECT s FROM (SELECT DISTINCT s FROM events) x ORDER BY hashint4extended(s, 3) LIMIT 60;
	CREATE FUNCTION alike(source regclass) RETURNS TABLE (s int, other int, score float8, shared bigint) LANGUAGE sql AS
		'SELECT c.s, r.* FROM chosen c, personalize.similar_subjects(source, c.s, NULL::int, 100000) r';
	CREATE VIEW alike AS
		WITH p AS (SELECT DISTINCT s, i FROM events), d AS (SELECT s, count(*)::float8 AS d FROM p GROUP BY 1),
			pairs AS (SELECT a.s, b.s AS other, count(*) AS shared FROM p a JOIN p b USING (i) JOIN chosen ON chosen.s = a.s
				WHERE a.s <> b.s GROUP BY 1, 2)
		SELECT pairs.s, other, shared / sqrt(u.d * v.d) AS score, shared
		FROM pairs JOIN d u ON u.s = pairs.s JOIN d v ON v.s = other;

	-- the answers to 400 sessions, as one number
	CREATE FUNCTION sessions(source regclass) RETURNS numeric LANGUAGE sql AS $$
		SELECT sum(hash_record_extended((x, r.item, r.score, r.because, r.reason, r.ordinality), 1)::numeric)
		FROM generate_series(1, 400) x, personalize.recommend_session(source, ARRAY(SELECT draw(x, y, 560) FROM generate_series(0, x % 6) y), 15)
			WITH ORDINALITY r $$;
	SQL

sub check_postings
{
	my ($where, $source, $name) = @_;

	is($where->safe_psql('postgres', <<~SQL), 't|0|0', "$name: the postings of items are those of the table");
		WITH a AS MATERIALIZED (SELECT * FROM alike('$source')), e AS MATERIALIZED (SELECT * FROM alike)
		SELECT (SELECT count(*) FROM a) > 1000, (SELECT count(*) FROM (SELECT * FROM a EXCEPT ALL SELECT * FROM e) x),
			(SELECT count(*) FROM (SELECT * FROM e EXCEPT ALL SELECT * FROM a) x)
		SQL
	return;
}

# after VACUUM and a training: as an index that was made today
sub check_fresh_postings
{
	my ($name) = @_;

	check_against_fresh($node, $name);
	$node->safe_psql('postgres', <<~'SQL');
		DROP INDEX fresh_s_i_at_idx;
		CREATE INDEX fresh_s_i_at_idx ON fresh USING similarity (s, i) INCLUDE (at) WITH (neighbors = 30, postings = on, tuning_budget = 0);
		SQL
	is($node->safe_psql('postgres', q{SELECT sessions('events')}), $node->safe_psql('postgres', q{SELECT sessions('fresh')}),
		"$name: recommend_session() answers as a fresh index does");
	check_postings($node, 'events', $name);
	return;
}

check_postings($node, 'events', 'built');
check_fresh_postings('built');

my $insert = <<~'SQL';
	\set s random_zipfian(1, 2000, 1.05)
	\set i random_zipfian(1, 500, 1.05)
	INSERT INTO events (s, i) VALUES (:s, :i);
	SQL
my $undone = <<~'SQL';
	\set a random(1, 2000)
	BEGIN;
	INSERT INTO events (s, i) SELECT (:a + x * 37) % 2000, (:a * x) % 550 FROM generate_series(1, 30) x;
	ROLLBACK;
	SQL
my $read = <<~'SQL';
	\set s random(0, 2200)
	\set i random(0, 600)
	SELECT count(*) FROM personalize.recommend_session('events', ARRAY[:i, :s % 50, 3]);
	SELECT count(*) FROM personalize.similar_subjects('events', :s, 5);
	SQL

# ---- rows that are gone have never been; their places are other rows' ----

$node->safe_psql('postgres', 'CREATE TABLE places AS SELECT ctid AS place FROM events WHERE s % 5 = 0 OR (s + i) % 4 = 0');
$node->safe_psql('postgres', $_) foreach 'DELETE FROM events WHERE s % 5 = 0 OR (s + i) % 4 = 0', $vacuum;
check_fresh_postings('deleted');
$node->safe_psql('postgres', 'INSERT INTO events (s, i) SELECT draw(11, x, 1800), draw(12, x, 600) FROM generate_series(1, 8000) x');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM events e JOIN places p ON e.ctid = p.place'), '>', 1000, 'new rows took their places');
check_postings($node, 'events', 'places taken by others');
check_fresh_postings('places taken by others');

# a chain of more chunks than are pruned at once
$node->safe_psql('postgres', <<~'SQL');
	CREATE TABLE lengthy (s int, i int, at timestamptz);
	CREATE INDEX lengthy_similarity ON lengthy USING similarity (s, i) INCLUDE (at) WITH (postings = on, tuning_budget = 0);
	INSERT INTO lengthy SELECT n, 1, timestamptz '2024-01-01' + n * interval '1 minute' FROM generate_series(1, 60000) n;
	INSERT INTO lengthy SELECT n, 2, timestamptz '2024-01-01' FROM generate_series(1, 60000, 997) n;
	SQL
my $bytes = $node->safe_psql('postgres', q{SELECT item_posting_bytes FROM personalize.similarity_stats('lengthy')});
cmp_ok($bytes, '>', 1_000_000, 'a long chain');
$node->safe_psql('postgres', $_) foreach 'DELETE FROM lengthy WHERE i = 1 AND s % 6000 < 5000', 'VACUUM (INDEX_CLEANUP ON) lengthy';
my $others = q{SELECT count(*), sum(shared) FROM personalize.similar_subjects('lengthy', 59821, k => 100000)};
is($node->safe_psql('postgres', $others), $node->safe_psql('postgres',
	q{SELECT count(DISTINCT b.s), count(*) FROM lengthy a JOIN lengthy b USING (i) WHERE a.s = 59821 AND b.s <> a.s}), 'holes in a long chain');
$node->safe_psql('postgres', $_) foreach 'DELETE FROM lengthy', 'VACUUM (INDEX_CLEANUP ON) lengthy';
is($node->safe_psql('postgres', q{SELECT item_posting_bytes FROM personalize.similarity_stats('lengthy')}), '0', '... and nothing is left of it');

# churn does not make the index grow, and every page is accounted for
my @sizes;
foreach my $cycle (1 .. 8)
{
	$node->safe_psql('postgres', $_) foreach
		"INSERT INTO lengthy SELECT draw($cycle, x, 2500), draw($cycle + 100, x, 300), timestamptz '2024-01-01' + x * interval '1 s' FROM generate_series(1, 6000) x",
		'DELETE FROM lengthy WHERE s % 10 > 0', 'VACUUM (INDEX_CLEANUP ON) lengthy';
	push @sizes, $node->safe_psql('postgres', q{SELECT pg_relation_size('lengthy_similarity')});
}
note("sizes: @sizes");
cmp_ok($sizes[7], '<=', 1.1 * $sizes[3], 'insert, delete and VACUUM for ever: the index does not grow');
is($node->safe_psql('postgres', q{SELECT total_bytes - directory_bytes - posting_bytes - item_posting_bytes - neighbor_bytes - popular_bytes - free_bytes
	FROM personalize.similarity_stats('lengthy')}), '0', 'every byte is accounted for');

# ---- crashes ----

srand(11);
foreach my $maintenance ([], [$vacuum], [ $vacuum, $retrain ], [ $vacuum, $retrain ])
{
	my $what = 'a crash beside ' . scalar(@$maintenance) . ' kinds of maintenance';
	my @runs = background_pgbench($node, 4, 60, [ $insert, 20 ], [ $undone, 1 ], [ $change_script, 6 ], [ $delete_script, 2 ], [ $read, 1 ]);
	my $rows = $node->safe_psql('postgres', q{SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'events'});

	push @runs, background_pgbench($node, 1, 60, @$maintenance) if @$maintenance;
	$node->safe_psql('postgres', 'CHECKPOINT') if rand() < 0.5;
	sleep(1.2 + rand(0.8));
	cmp_ok($node->safe_psql('postgres', q{SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'events'}), '>', $rows, "rows come before $what");
	$node->stop('immediate');
	$_->{handle}->finish foreach @runs;
	$node->start;
	check_postings($node, 'events', "after $what");
	check_history($node, "after $what");
	check_fresh_postings("after $what");
}

# ---- everything at once ----

# Two subjects of one session have three items that nobody else has: it finds one by the other, whatever VACUUM does.
my $own = <<~'SQL';
	\set s 1000000 + :client_id
	\set i 2000000 + 10 * :client_id
	BEGIN;
	DELETE FROM events WHERE s IN (:s, :s + 1000);
	INSERT INTO events (s, i) VALUES (:s, :i), (:s + 1000, :i), (:s, :i + 1), (:s + 1000, :i + 1), (:s, :i + 2), (:s + 1000, :i + 2), (:s, :i);
	SELECT 1 / (count(*) = 1 AND bool_and(subject = :s + 1000 AND score = 1 AND shared = 3))::int
		FROM personalize.similar_subjects('events', :s, NULL::int, 50);
	COMMIT;
	SQL
my @runs = (
	[ 'writers', background_pgbench($node, 4, 8, [ $insert, 20 ], [ $undone, 1 ], [ $change_script, 6 ], [ $delete_script, 1 ]) ],
	[ 'VACUUM', background_pgbench($node, 1, 8, $vacuum) ],
	[ 'training', background_pgbench($node, 1, 8, $retrain) ],
	[ 'readers', background_pgbench($node, 2, 8, $read) ],
	[ 'readers on the standby', background_pgbench($standby, 2, 8, $read) ],
	[ 'sessions with items of their own', background_pgbench($node, 2, 8, $own) ]);
end_pgbench($_->[1], $_->[0]) foreach @runs;
$node->safe_psql('postgres', 'DELETE FROM events WHERE s >= 1000000');
check_postings($node, 'events', 'after the storm');
check_fresh_postings('after the storm');

# a training has no transaction id, so that nobody waits until its WAL is written; this one's is
$node->safe_psql('postgres', q{SELECT pg_logical_emit_message(true, 'test', '')});
$node->wait_for_catchup($standby);
check_postings($standby, 'events', 'on the standby');
is($standby->safe_psql('postgres', q{SELECT sessions('events')}), $node->safe_psql('postgres', q{SELECT sessions('events')}),
	"the standby's answers are the primary's");

# ---- builds beside writers ----

my $writers = background_pgbench($node, 4, 300, [ $insert, 20 ], [ $change_script, 6 ], [ $delete_script, 1 ], [ $undone, 1 ]);
for my $n (1 .. 3)
{
	$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY events_similarity');
	$node->safe_psql('postgres', "CREATE INDEX CONCURRENTLY beside_$n ON events USING similarity (s, i) INCLUDE (at) WITH (neighbors = 30, postings = on, tuning_budget = 0)");
	$node->safe_psql('postgres', $vacuum) if $n == 2;
}
stop_pgbench($writers);
unlike($writers->{err}, qr/error|abort/i, 'writers during all of them') or diag($writers->{err});
$node->safe_psql('postgres', $vacuum);
foreach my $index (qw(events_similarity beside_1 beside_2 beside_3))
{
	is($node->safe_psql('postgres', "SELECT (SELECT interactions FROM personalize.similarity_stats('$index')) - (SELECT count(*) FROM events)"),
		'0', "$index holds each row once");
	check_postings($node, $index, $index);
	$node->safe_psql('postgres', "SELECT personalize.retrain('$index')");
}
is($node->safe_psql('postgres', "SELECT sessions('beside_$_')"), $node->safe_psql('postgres', q{SELECT sessions('events_similarity')}),
	"beside_$_ answers as events_similarity does") for 1 .. 3;

$standby->stop;
$node->stop;
done_testing();
