# stitch() can be cancelled at every stage: reading, growing, joining, shortening paths, returning rows; and
# counts what memory it takes.
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
my $patience = 0.5;

my $node = start_node('stitch');

sub sql { return $node->safe_psql('postgres', $_[0]) }

sub seconds_of
{
	my $start = time;
	sql($_[0]);
	return time - $start;
}

# Run with a timeout; returns whether it was cancelled, how long after the timeout that was, and what came of the
# query that the same session ran afterwards.
sub run_cancelled
{
	my ($query, $timeout) = @_;
	my $milliseconds = int(1000 * $timeout) || 1;
	my $start = time;
	my ($status, $out, $err) = $node->psql('postgres', "SET statement_timeout = $milliseconds;\n$query;\n\\echo :ERROR\n"
		. "SET statement_timeout = 0;\nSELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'stitch%';\n",
		on_error_stop => 0);
	my $late = time - $start - $timeout;
	my @lines = split(/\n/, $out);

	die $err if $err ne '' && $err !~ /canceling statement due to statement timeout/;
	return ($lines[-2] eq 'true', $late, $lines[-1]);
}

sql(<<~'SQL');
	CREATE TABLE edges AS SELECT i AS a, i - 1 - (hashint8extended(i, 1) & 255) % least(i, 200) AS b FROM generate_series(1, 1500000) i;
	VACUUM ANALYZE edges;
	SQL

foreach my $case (['bigint', 'SELECT count(canonical) FROM personalize.stitch($$ TABLE edges $$)'],
	['text', 'SELECT count(canonical) FROM personalize.stitch($$ SELECT a::text, b::text FROM edges $$, NULL::text)'])
{
	my ($type, $query) = @$case;
	my ($all) = sort { $a <=> $b } map { seconds_of($query) } 1 .. 3;
	my ($cancelled, $worst, $left) = (0, 0, 0);

	note("$type: $all s");
	foreach my $share (.02, .05, .1, .15, .2, .3, .4, .5, .6, .7, .8, .9)
	{
		my ($was, $late, $contexts);

		for (1 .. 3)
		{
			($was, $late, $contexts) = run_cancelled($query, $share * $all);
			last if !$was || $late < $patience;
		}
		next if !$was;
		$cancelled++;
		$left += $contexts;
		$worst = $late if $late > $worst;
	}
	cmp_ok($cancelled, '>=', 8, "$type: $cancelled of 12 cancelled");
	cmp_ok($worst, '<', $patience, sprintf('... the slowest %.0f ms after the timeout', 1000 * $worst));
	is($left, 0, '... nothing is left of them');
}

# What a server has in memory is not more than what is counted, but for a few MB of the query itself.
sub peak_of
{
	return sql(qq{$_[0];
		SELECT substring(pg_read_file('/proc/self/status', 0, 10000), 'VmHWM:\\s*(\\d+)')::int / 1024}) =~ /(\d+)\s*\z/ ? $1 : die 'no VmHWM';
}

SKIP:
{
	skip 'no /proc', 2 if !-r '/proc/self/status';
	my $without = peak_of('SELECT count(*), max(i), min(i) FROM generate_series(1, 10) i');
	my $with = peak_of(q{SET personalize.stitch_memory = '64MB'; SELECT count(*) FROM personalize.stitch('SELECT i, i / 2 FROM generate_series(1, 1400000) i OFFSET 0')});
	my ($status, $out, $err) = $node->psql('postgres',
		q{SET personalize.stitch_memory = '64MB'; SELECT count(*) FROM personalize.stitch('SELECT i, i / 2 FROM generate_series(1, 3000000) i')});

	cmp_ok($with - $without, '<', 64 + 40, 'peak ' . ($with - $without) . ' MB with 64 MB allowed');
	like($err, qr/needs more memory than personalize\.stitch_memory allows/, '... and no more is taken');
}

$node->stop;
done_testing();
