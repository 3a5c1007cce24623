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

# Checksums, the default since PostgreSQL 18, would find it before we do.
if ($node->safe_psql('postgres', 'SHOW data_checksums') eq 'on')
{
	$node->stop;
	command_ok([ 'pg_checksums', '--disable', '-D', $node->data_dir ], 'checksums off');
	$node->start;
}

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

# What a crash of VACUUM may leave between the last chunk and the record of a subject: a record without a chain.
$node->safe_psql('postgres', <<~'SQL');
	CREATE TABLE lone (s int, i int);
	INSERT INTO lone VALUES (42, 1);
	CREATE INDEX lone_similarity ON lone USING similarity (s, i);
	SQL
$file = $node->data_dir . '/' . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('lone_similarity')});

sub cut_chain
{
	my $cut = 0;

	$node->stop;
	open(my $handle, '+<:raw', $file) or die "$file: $!";
	for (my $block = 0; seek($handle, $block * 8192, 0) && read($handle, my $page, 8192) == 8192; $block++)
	{
		next if unpack('S', substr($page, 8188, 2)) != 6;		# SIM_PAGE_SUBJECT
		my $record = unpack('L', substr($page, 24, 4)) & 0x7fff;	# where the first line pointer leads
		seek($handle, $block * 8192 + $record + 8, 0);				# behind the hash: the head of the chain
		print $handle pack('L', 0xffffffff);
		$cut++;
	}
	close $handle or die $!;
	$node->start;
	return $cut;
}

my $subjects = q{SELECT subjects FROM personalize.similarity_stats('lone')};
is(cut_chain(), 1, 'a record without a chain');
is($node->safe_psql('postgres', q{SELECT count(*) FROM personalize.recommend('lone', 42) WHERE reason = 'similar'}), '0', '... can be read');
$node->safe_psql('postgres', 'INSERT INTO lone VALUES (42, 2)');
is($node->safe_psql('postgres', q{SELECT item FROM personalize.recommend('lone', 42)}), '1', '... gets a new chain by an INSERT, whose item is seen');
is(cut_chain(), 1, 'once more');
is($node->safe_psql('postgres', $subjects), '1', '... it is there');
$node->safe_psql('postgres', 'VACUUM lone');
is($node->safe_psql('postgres', $subjects), '0', '... and goes at VACUUM');
$node->stop;
done_testing();
