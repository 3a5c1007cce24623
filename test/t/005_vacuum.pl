# VACUUM: forgets, gives back space, and trains when it is time to.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;

my $node = start_node('vacuum', 'autovacuum_naptime = 1s', 'autovacuum_vacuum_insert_threshold = 500',
	'autovacuum_vacuum_insert_scale_factor = 0', 'autovacuum_vacuum_threshold = 500');
my $vacuum = 'VACUUM (INDEX_CLEANUP ON) events';

sub sql { return $node->safe_psql('postgres', $_[0]) }

sub stat_of
{
	my ($columns, $source) = @_;
	$source //= 'events';
	return sql("SELECT $columns FROM personalize.similarity_stats('$source')");
}

# ---- rows that are gone have never been ----

create_events($node, 20_000);
sql('CREATE TABLE never (LIKE events)');
sql('INSERT INTO never SELECT * FROM events WHERE s % 5 <> 0 AND (s + i) % 4 <> 0');
sql('CREATE INDEX never_similarity ON never USING similarity (s, i) INCLUDE (at) WITH (neighbors = 30, tuning_budget = 0)');
my $subjects = sql('SELECT count(DISTINCT s) FROM events');
sql('DELETE FROM events WHERE s % 5 = 0');
check_history($node, 'deleted, before VACUUM');
is(stat_of('subjects'), $subjects, 'before VACUUM the index knows of them');
sql($vacuum);
is(stat_of('subjects, interactions'), sql('SELECT count(DISTINCT s), count(*) FROM events'), 'subjects without rows have gone');
sql('DELETE FROM events WHERE (s + i) % 4 = 0');
sql($vacuum);
sql(q{SELECT personalize.retrain('events')});
is(answers($node, 'events'), answers($node, 'never'), 'answers are those of an index that never had the deleted rows');
is(stat_of('subjects, interactions'), stat_of('subjects, interactions', 'never'), 'subjects and interactions, too');
sql($_) foreach 'DELETE FROM never WHERE at = (SELECT max(at) FROM never)', 'VACUUM (INDEX_CLEANUP ON) never', q{SELECT personalize.retrain('never')};
isnt(answers($node, 'events'), answers($node, 'never'), '... and a single row would have made a difference');
check_history($node, 'deleted');

# ---- a subject with a chain of more chunks than are pruned at once ----

sql('CREATE TABLE lengthy (s int, i int, n int)');
sql('CREATE INDEX lengthy_similarity ON lengthy USING similarity (s, i) WITH (history = 10000)');
sql('INSERT INTO lengthy SELECT 1, n, n FROM generate_series(1, 40000) n');
sql('INSERT INTO lengthy SELECT 2, n, n FROM generate_series(1, 10) n');
my $lengthy = q{SELECT (SELECT count(*) FROM lengthy) = interactions, subjects FROM personalize.similarity_stats('lengthy')};
my $bytes = stat_of('posting_bytes', 'lengthy');
sql('DELETE FROM lengthy WHERE s = 1 AND n % 4000 < 3000');
sql('VACUUM (INDEX_CLEANUP ON) lengthy');
is(sql($lengthy), 't|2', 'holes in a long chain');
is(sql(q{SELECT count(*) FROM personalize.recommend('lengthy', 1, item_type => NULL::int, k => 50000, seen => true) WHERE item > 40000}), '0', '... which is still read to its end');
sql(q{INSERT INTO lengthy SELECT 1, 50000 + n, n FROM generate_series(1, 300) n});
sql('DELETE FROM lengthy WHERE s = 1 AND n <= 30000 AND i < 50000');
sql('VACUUM (INDEX_CLEANUP ON) lengthy');
is(sql($lengthy), 't|2', '... and grows again');
sql('DELETE FROM lengthy WHERE s = 1');
sql('VACUUM (INDEX_CLEANUP ON) lengthy');
is(sql($lengthy), 't|1', '... and goes');
cmp_ok(stat_of('posting_bytes', 'lengthy'), '<', $bytes / 10, '... with its pages');

# ---- trending() forgets at VACUUM what came after the last training ----

sql(q{CREATE TABLE latest (s int, i int, at timestamptz)});
sql(q{INSERT INTO latest SELECT x, x % 3, '2026-01-01' FROM generate_series(1, 30) x});
sql('CREATE INDEX ON latest USING similarity (s, i) INCLUDE (at) WITH (retrain_after = 0)');
my $counts = q{SELECT string_agg(item || ':' || recent, ' ' ORDER BY item)
	FROM personalize.trending('latest', half_life => '7 days', as_of => '2026-01-02')};
sql(q{INSERT INTO latest SELECT x, 7, '2026-01-01' FROM generate_series(1, 5) x});
is(sql($counts), '0:10 1:10 2:10 7:5', 'new rows trend at once');
sql('DELETE FROM latest WHERE i = 7 AND s > 2');
sql('VACUUM (INDEX_CLEANUP ON) latest');
is(sql($counts), '0:10 1:10 2:10 7:2', 'deleted ones no longer after VACUUM, without a training');

# ---- the places of rows that are gone are other rows' ----

sql('CREATE TABLE places AS SELECT ctid AS place FROM events WHERE s % 3 = 1');
sql('DELETE FROM events WHERE s % 3 = 1');
check_history($node, 'deleted once more');
sql($vacuum);
sql('INSERT INTO events (s, i) SELECT 3 * draw(11, x, 500), draw(12, x, 600) FROM generate_series(1, 6000) x');
cmp_ok(sql('SELECT count(*) FROM events e JOIN places p ON e.ctid = p.place'), '>', 1000, 'new rows took their places');
check_history($node, 'places taken by others');
check_against_fresh($node, 'places taken by others');

# without a second VACUUM, too: page pruning alone must not let a place be reused
sql('UPDATE events SET i = (i + 1) % 500 WHERE s % 7 = 2') for 1 .. 3;
check_history($node, 'updated thrice');
check_against_fresh($node, 'updated thrice');

# ---- space ----

sql('CREATE TABLE churn (s text, i int, at timestamptz DEFAULT now()); CREATE INDEX churn_similarity ON churn USING similarity (s, i) INCLUDE (at)');
my @sizes;
foreach my $cycle (1 .. 12)
{
	# other subjects each time, and after the first cycles no new items
	sql("INSERT INTO churn (s, i) SELECT md5(($cycle * 10000 + draw($cycle, x, 2500))::text), draw($cycle + 100, x, 300) FROM generate_series(1, 8000) x");
	sql("DELETE FROM churn WHERE at < (SELECT max(at) FROM churn)");
	sql('VACUUM (INDEX_CLEANUP ON) churn');
	sql(q{SELECT personalize.retrain('churn')}) if $cycle % 2;
	push @sizes, sql(q{SELECT pg_relation_size('churn_similarity')});
}
note("sizes: @sizes");
cmp_ok($sizes[11], '<=', 1.1 * $sizes[4], 'insert, delete and VACUUM for ever: the index does not grow');
is(sql(q{SELECT total_bytes - directory_bytes - posting_bytes - neighbor_bytes - popular_bytes - free_bytes FROM personalize.similarity_stats('churn')}),
	'0', 'every page is accounted for');
is(sql(q{SELECT interactions, subjects FROM personalize.similarity_stats('churn')}), sql('SELECT count(*), count(DISTINCT s) FROM churn'),
	'... and holds the rows that are left');
sql('DELETE FROM churn');
sql('VACUUM (INDEX_CLEANUP ON) churn') for 1 .. 2;
is(stat_of('subjects, interactions, posting_bytes', 'churn'), '0|0|0', 'all rows deleted: no postings left');
cmp_ok(stat_of('free_bytes::float8 / total_bytes', 'churn'), '>', 0.5, '... and most pages free');

# without VACUUM, too: the pages of the model before the last one are the next one's
@sizes = map { sql(q{SELECT personalize.retrain('events')}); sql(q{SELECT pg_relation_size('events_similarity')}) } 1 .. 8;
is($sizes[7], $sizes[1], 'trainings reuse the pages of those before');

# ---- when VACUUM trains ----

sub generation_after
{
	my ($change, $how) = @_;
	sql($change);
	sql($how // 'VACUUM (INDEX_CLEANUP ON) due');
	return stat_of('generation', 'due');
}

sql('CREATE TABLE due (s int, i int); CREATE INDEX due_similarity ON due USING similarity (s, i) WITH (retrain_after = 0.2)');
is(generation_after(''), '0', 'an empty table needs no training');
is(generation_after('INSERT INTO due SELECT x % 100, x / 100 FROM generate_series(0, 999) x'), '1', 'first VACUUM trains');
is(generation_after(''), '1', 'nothing changed');
is(generation_after('INSERT INTO due SELECT x % 100, x / 100 FROM generate_series(1000, 1198) x'), '1', '19.9 % inserted');
is(stat_of('changed', 'due'), '199', '... are counted');
is(generation_after('INSERT INTO due VALUES (99, 11)', 'VACUUM due'), '2', '20 % inserted');
is(stat_of('changed', 'due'), '0', '... and counting starts anew');
is(generation_after('DELETE FROM due WHERE i = 0'), '2', '8.3 % deleted');
is(stat_of('changed', 'due'), '100', '... are counted');
is(generation_after('UPDATE due SET i = 7 WHERE i = 8'), '3', '8.3 % updated on top, which are deleted and inserted');
is(generation_after('ALTER INDEX due_similarity SET (retrain_after = 0)'), '3', 'retrain_after = 0');
is(generation_after('INSERT INTO due SELECT x % 100, x / 100 FROM generate_series(0, 4999) x'), '3', '... never trains');
sql(q{SELECT personalize.retrain('due')});
is(stat_of('generation', 'due'), '4', '... but retrain() does');
sql('ALTER INDEX due_similarity SET (retrain_after = 100)');
is(generation_after('INSERT INTO due SELECT x % 100, x / 100 FROM generate_series(0, 4999) x'), '4', 'retrain_after = 100');

# ---- autovacuum ----

sql('CREATE TABLE auto (s int, i int); CREATE INDEX auto_similarity ON auto USING similarity (s, i)');
$node->append_conf('postgresql.conf', 'autovacuum = on');
$node->reload;
sql('INSERT INTO auto SELECT x % 100, x / 100 FROM generate_series(0, 999) x');
ok($node->poll_query_until('postgres', q{SELECT generation = 1 FROM personalize.similarity_stats('auto')}), 'autovacuum trains the first time');
sql('INSERT INTO auto SELECT x % 100, x / 100 FROM generate_series(1000, 1999) x');
ok($node->poll_query_until('postgres', q{SELECT generation = 2 AND changed = 0 FROM personalize.similarity_stats('auto')}), 'autovacuum trains anew');
is(sql(q{SELECT count(*) FROM personalize.similar_items('auto', 15, 100)}), '19', '... with the new rows');

$node->stop;
done_testing();
