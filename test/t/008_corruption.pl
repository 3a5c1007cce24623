# Pages that are not what they should be: an error that says which and what to do, never an answer.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;

my $node = start_node('corruption');

$node->safe_psql('postgres', <<~'SQL');
	CREATE TABLE events (s int, i int);
	INSERT INTO events SELECT x % 300, x % 97 FROM generate_series(1, 5000) x;
	CREATE INDEX events_similarity ON events USING similarity (s, i);
	SQL
my $file = $node->data_dir . '/' . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('events_similarity')});
my $blocks = $node->safe_psql('postgres', q{SELECT pg_relation_size('events_similarity') / 8192});
my $answers = q{SELECT count(*), count(DISTINCT item) FROM generate_series(0, 299) s, personalize.recommend('events', s, k => 5)};
my $expected = $node->safe_psql('postgres', $answers);

# Bytes of the file, old ones returned.
sub overwrite
{
	my ($offset, $bytes) = @_;

	open(my $handle, '+<:raw', $file) or die "$file: $!";
	seek($handle, $offset, 0);
	read($handle, my $old, length $bytes) == length $bytes or die 'short read';
	seek($handle, $offset, 0);
	print $handle $bytes;
	close $handle or die $!;
	return $old;
}

# Run with some bytes changed, then put them back.
sub error_with
{
	my ($offset, $bytes, $query) = @_;

	$node->stop;
	my $old = overwrite($offset, $bytes);
	$node->start;
	my ($status, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$query");
	$node->stop;
	overwrite($offset, $old);
	$node->start;
	return $status == 0 ? "no error: $out" : $err;
}

# The metapage: magic and version are its first eight bytes after the page header of 24.
my $one = q{SELECT * FROM personalize.recommend('events', 7)};
my $err = error_with(24, pack('L', 12345), $one);
like($err, qr/ERROR:  XX002: index "events_similarity" has no valid metapage/, 'magic');
like($err, qr/HINT:  Please REINDEX it\./, '... and what to do');
$err = error_with(28, pack('L', 99), $one);
like($err, qr/ERROR:  0A000: index "events_similarity" has version 99 of the similarity format, this library reads version \d+/, 'version');
like($err, qr/HINT:  Please REINDEX it\./, '... and what to do');
$err = error_with(28, pack('L', 99), 'INSERT INTO events VALUES (1, 1)');
like($err, qr/ERROR:  0A000: index "events_similarity" has version 99/, '... which an INSERT refuses as well');

# Every page in turn loses what marks it as one of ours: all that is read of it must be refused.
my ($refused, $other) = (0, 0);
foreach my $block (0 .. $blocks - 1)
{
	$err = error_with($block * 8192 + 8190, pack('S', 7),
		"$answers;\nSELECT count(*) FROM personalize.similar_items('events', 5);\nSELECT personalize.retrain('events')");
	if ($err =~ /ERROR:  XX002: index "events_similarity" has a page that is not of a similarity index at block $block\b/) { $refused++ }
	else { $other++; note("block $block: $err") }
	last if $block == 30;
}
cmp_ok($refused, '>', 5, 'pages of another kind are refused by block');
cmp_ok($other, '<=', 12, '... but for those that are not checked (lists, which are known by generation) or not read');

# A bucket that nobody leads to: the map of the subjects' directory (block 1) points at the items' (block 4)
$err = error_with(8192 + 24, pack('L', 1), $one);
like($err, qr/ERROR:  XX002: index "events_similarity" has no bucket of its hash directory at block 1/, 'a map that leads astray');

is($node->safe_psql('postgres', $answers), $expected, 'put back, all is as it was');
$node->stop;
done_testing();
