# Cancelling: at once wherever it strikes, and the index goes on as if nothing had been.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;
use Time::HiRes qw(time);

# The promise is 50 ms; what is tested is that nothing runs to its end, on machines that are busy with other things.
my $patience = 0.7;

my $node = start_node('cancel', 'maintenance_work_mem = 64MB');

sub sql { return $node->safe_psql('postgres', $_[0]) }

sub seconds_of
{
	my $start = time;
	sql($_[0]);
	return time - $start;
}

# Run with a timeout; returns whether it was cancelled, and how long after the timeout it ended.
sub run_cancelled
{
	my ($query, $timeout) = @_;
	my $milliseconds = int(1000 * $timeout) || 1;
	my $start = time;
	my ($status, $out, $err) = $node->psql('postgres', $query,
		connstr => $node->connstr('postgres') . " options='-c statement_timeout=$milliseconds'");
	my $late = time - $start - $timeout;

	die $err if $status != 0 && $err !~ /canceling statement due to statement timeout/;
	return ($status != 0, $late);
}

# The same, undone and repeated where it was late: a busy machine is late now and then, code always.
sub cancelled_in_time
{
	my ($query, $timeout, $undo) = @_;
	my ($was, $late);

	for (1 .. 3)
	{
		($was, $late) = run_cancelled($query, $timeout);
		sql($undo) if defined $undo;
		last if !$was || $late < $patience;
	}
	return ($was, $late);
}

# Many items a subject, so that training takes its time; the numbers are such that no item is twice in one history.
sql(<<~'SQL');
	CREATE TABLE big (s int, i int);
	INSERT INTO big SELECT s, (s * 7919 + x * (1 + 2 * (s % 11))) % 4001 FROM generate_series(1, 1600) s, generate_series(1, 300) x;
	SQL
my $create = 'CREATE INDEX big_similarity ON big USING similarity (s, i) WITH (history = 300, neighbors = 200, retrain_after = 0, tuning_budget = 0)';
my $build;
foreach (1 .. 3)
{
	my $seconds = seconds_of($create);

	$build = $seconds if !defined $build || $seconds < $build;
	sql('DROP INDEX big_similarity');
}
note("the build takes $build s");
cmp_ok($build, '>', 0.1, 'the build takes long enough');

my ($cancelled, $worst) = (0, 0);
foreach my $share (.05, .15, .25, .35, .45, .55, .65, .75, .85)
{
	my ($was, $late) = cancelled_in_time($create, $share * $build, 'DROP INDEX IF EXISTS big_similarity');
	next if !$was;
	$cancelled++;
	$worst = $late if $late > $worst;
}
cmp_ok($cancelled, '>=', 6, "$cancelled of 9 builds cancelled");
cmp_ok($worst, '<', $patience, sprintf('... the slowest %.0f ms after the timeout', 1000 * $worst));

# ---- trainings ----

sql($create);
my ($train) = sort { $a <=> $b } map { seconds_of(q{SELECT personalize.retrain('big')}) } 1 .. 3;
note("a training takes $train s");
my $generation = q{SELECT generation FROM personalize.similarity_stats('big')};
my $model_bytes = q{SELECT neighbor_bytes + popular_bytes FROM personalize.similarity_stats('big')};
my $model = q{SELECT sum(hash_record_extended((x, l.item, l.score, l.support), 1)::numeric)
	FROM generate_series(0, 4000, 10) x, personalize.similar_items('big', x, 1000) l};
my $before = sql($model);
my $bytes_before = sql($model_bytes);

sql('DELETE FROM big WHERE s < 160');
($cancelled, $worst) = (0, 0);
foreach my $share (.05, .12, .19, .26, .33, .4)
{
	my ($was, $late) = cancelled_in_time(q{SELECT personalize.retrain('big')}, $share * $train);
	last if !$was;
	$cancelled++;
	$worst = $late if $late > $worst;
}
is($cancelled, 6, 'trainings cancelled');
cmp_ok($worst, '<', $patience, sprintf('... the slowest %.0f ms after the timeout', 1000 * $worst));
is(sql($generation), '4', '... and none took effect');
is(sql($model), $before, '... the model is the old one');
cmp_ok(sql($model_bytes), '>', $bytes_before, '... they left pages');
sql('VACUUM (INDEX_CLEANUP ON) big');
is(sql($model_bytes), $bytes_before, '... which VACUUM takes back');
is(sql(q{SELECT interactions FROM personalize.similarity_stats('big')}), sql('SELECT count(*) FROM big'), 'the index holds the rows');
my $size = sql(q{SELECT pg_relation_size('big_similarity')});
sql(q{SELECT personalize.retrain('big')}) for 1 .. 3;
my $grown = sql(q{SELECT pg_relation_size('big_similarity')});
cmp_ok($grown - $size, '<=', $bytes_before * 1.2, 'trainings afterwards take one more model\'s pages at most');
sql('CREATE TABLE copy AS TABLE big');
sql($create =~ s/\bbig/copy/gr);
is(sql($model =~ s/'big'/'copy'/r), sql($model), '... and give the model of a fresh index');

# ---- VACUUM ----

sql('CREATE TABLE doomed AS TABLE big');
sql($create =~ s/\bbig/doomed/gr);
sql('DELETE FROM doomed WHERE i % 2 = 0');
($cancelled, $worst) = (0, 0);
foreach my $timeout (.02, .04, .08, .12, .2)
{
	my ($was, $late) = cancelled_in_time('VACUUM (INDEX_CLEANUP ON) doomed', $timeout);
	last if !$was;
	$cancelled++;
	$worst = $late if $late > $worst;
}
cmp_ok($cancelled, '>=', 1, "$cancelled times VACUUM cancelled");
cmp_ok($worst, '<', $patience, sprintf('... the slowest %.0f ms after the timeout', 1000 * $worst));
sql('VACUUM (INDEX_CLEANUP ON) doomed');
is(sql(q{SELECT interactions FROM personalize.similarity_stats('doomed')}), sql('SELECT count(*) FROM doomed'),
	'... and what it left is what the next one does');

# ---- the choice of parameters, which takes longer than all else ----

($cancelled, $worst) = (0, 0);
my $choose = $create =~ s/big_similarity/chosen/r =~ s/tuning_budget = 0/tuning_budget = 20/r =~ s/neighbors = 200, //r;
foreach my $query ($choose, q{SELECT count(*) FROM personalize.tune('big', budget => 20, anew => true)},
	q{SELECT count(*) FROM personalize.evaluate('big')})
{
	foreach my $timeout (.2, .4, .8, 1.6, 3.2)
	{
		my ($was, $late) = cancelled_in_time($query, $timeout, 'DROP INDEX IF EXISTS chosen');
		last if !$was;
		$cancelled++;
		$worst = $late if $late > $worst;
	}
}
cmp_ok($cancelled, '>=', 6, "$cancelled times a choice or an evaluation cancelled");
cmp_ok($worst, '<', $patience, sprintf('... the slowest %.0f ms after the timeout', 1000 * $worst));
my $tuning = background_pgbench($node, 1, 300, "$choose;\nDROP INDEX chosen;\n");
ok($node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_stat_progress_create_index
	WHERE phase = 'building index: tuning' AND tuples_done > 0)}), 'the choice tells its phase and the candidates it has tried');
stop_pgbench($tuning);
$node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM pg_stat_progress_create_index)});
sql('DROP INDEX IF EXISTS chosen');

# ---- a client that hangs up, and pg_cancel_backend() ----

my $busy = background_pgbench($node, 1, 300, $create =~ s/big_similarity/other/r . ";\nDROP INDEX other;\n");
$node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE phase LIKE 'building index: %')})
	or die 'no build is under way';
like(sql(q{SELECT string_agg(DISTINCT phase, ',') FROM pg_stat_progress_create_index}), qr/^building index: (loading|grouping|training|writing)/,
	'the build tells its phase');
sql(q{SELECT pg_cancel_backend(pid) FROM pg_stat_progress_create_index});
my $start = time;
$node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM pg_stat_progress_create_index)});
cmp_ok(time - $start, '<', $patience + 0.2, 'cancelled by another session');
stop_pgbench($busy);

$node->stop;
done_testing();
