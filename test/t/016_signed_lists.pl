# Neighbour lists with negative weights: what speaks against an item counts, and is no reason for it.
#
# The weights of a model are lowered by a constant in the file, so that the tails of all lists turn negative;
# in SQL the same is done to the lists as they were.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;

use constant { BLOCK => 8192, PAGE_HEADER => 24, LIST_HEADER => 24, KIND_LIST => 9 };

my $node = start_node('signed');
my $less = 0.03125;    # about the mean, and exact in binary

if ($node->safe_psql('postgres', 'SHOW data_checksums') eq 'on')
{
	$node->stop;
	command_ok([ 'pg_checksums', '--disable', '-D', $node->data_dir ], 'checksums off');
	$node->start;
}
create_events($node, 20_000);
$node->safe_psql('postgres', <<~SQL);
	CREATE TABLE lists AS
		SELECT i, l.item AS j, (l.score::float4 - $less\::float4)::float8 AS score
		FROM (SELECT DISTINCT i FROM events) x, personalize.similar_items('events', i, item_type => NULL::int, k => 1000) l;
	CREATE TABLE histories AS SELECT s, i, max(at) AS at FROM events GROUP BY s, i;
	SQL
my $negative = $node->safe_psql('postgres', 'SELECT count(*) FILTER (WHERE score < 0) > 1000 AND count(*) FILTER (WHERE score > 0) > 1000 FROM lists');
is($negative, 't', 'weights of both signs');

# Every list is a header (hash, generation, item, length, highest number), then numbers, then weights.
my $file = $node->data_dir . '/' . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('events_similarity')});
my $expected = $node->safe_psql('postgres', 'SELECT count(*) FROM lists');
my $generation = $node->safe_psql('postgres', q{SELECT generation FROM personalize.similarity_stats('events')});
$node->stop;
my $image = slurp_file($file);
my $changed = 0;
for (my $start = 0; $start < length $image; $start += BLOCK)
{
	# a page's header, and what stands in its last bytes
	my ($lower, undef, $special) = unpack('x12 v3', substr($image, $start, PAGE_HEADER));
	next if $special != BLOCK - PAGE_HEADER;
	my $kind = unpack('x20 v', substr($image, $start + $special, PAGE_HEADER));

	next if $kind != KIND_LIST;
	for (my $at = PAGE_HEADER; $at + LIST_HEADER <= $lower;)
	{
		my ($its_generation, undef, $n) = unpack('x8 V3', substr($image, $start + $at, LIST_HEADER));
		my $weights = $start + $at + LIST_HEADER + 4 * $n;

		last if $its_generation != $generation;
		substr($image, $weights, 4 * $n) = pack('f<*', map { $_ - $less } unpack('f<*', substr($image, $weights, 4 * $n)));
		$changed += $n;
		$at += (LIST_HEADER + 12 * $n + 7) & ~7;
	}
}
is($changed, $expected, 'every weight was found');
open(my $handle, '>:raw', $file) or die "$file: $!";
print $handle $image;
close $handle or die $!;
$node->start;


is($node->safe_psql('postgres', <<~'SQL'), '0|t', 'similar_items() returns the positive ones, all of them');
	SELECT count(*) FILTER (WHERE (l.score = s.score) IS NOT TRUE), count(*) > 1000
	FROM (SELECT * FROM lists WHERE score > 0) l FULL JOIN (SELECT i, s.item AS j, s.score FROM (SELECT DISTINCT i FROM events) x,
		personalize.similar_items('events', i, item_type => NULL::int, k => 1000) s) s USING (i, j)
	SQL

# scores by SQL; of equal contributions the reason is the latest
$node->safe_psql('postgres', <<~'SQL');
	CREATE TABLE expected AS
	SELECT s, j, sum(c) AS score, (array_agg(i ORDER BY c::float4 DESC, at DESC))[1] AS because, count(*) FILTER (WHERE c < 0) AS against
	FROM (SELECT h.s, h.i, l.j, h.at, l.score * 2 ^ -(extract(epoch FROM max(at) OVER (PARTITION BY h.s) - at) / 10000)::float8 AS c
		FROM histories h JOIN lists l USING (i) WHERE h.s < 300) x
	GROUP BY s, j;
	CREATE INDEX ON expected (s, j);
	CREATE TABLE found AS
	SELECT s, r.* FROM generate_series(0, 299) s,
		personalize.recommend('events', s, item_type => NULL::int, k => 1000, seen => true, half_life => '10000 seconds') r
	WHERE reason = 'similar';
	SQL
is($node->safe_psql('postgres', 'SELECT count(*) FILTER (WHERE score < 0 AND against > 0) > 1000 AND count(*) FILTER (WHERE score > 0 AND against > 0) > 1000 FROM expected'),
	't', 'totals of both signs have parts of both');
is($node->safe_psql('postgres', <<~'SQL'), '0|t', 'recommend() returns what has a positive total, with its largest reason');
	SELECT count(*) FILTER (WHERE (abs(e.score - f.score) < 1e-9 AND e.because = f.because) IS NOT TRUE AND abs(coalesce(e.score, f.score)) > 1e-12), count(*) > 1000
	FROM (SELECT * FROM expected WHERE score > 0) e FULL JOIN found f ON f.s = e.s AND f.item = e.j
	SQL
is($node->safe_psql('postgres', <<~'SQL'), '0|t', '... among some items too');
	SELECT count(*) FILTER (WHERE r IS DISTINCT FROM f), count(*) > 100
	FROM (SELECT s, r.* FROM generate_series(0, 99) s, personalize.recommend('events', s, item_type => NULL::int, k => 1000, seen => true,
			half_life => '10000 seconds', among => ARRAY(SELECT generate_series(0, 400, 7))) r WHERE reason = 'similar') r
	FULL JOIN (SELECT * FROM found WHERE s < 100 AND item % 7 = 0) f USING (s, item)
	SQL
is($node->safe_psql('postgres', <<~'SQL'), '0|t', 'relevance() is 0 where the total is not positive');
	SELECT count(*) FILTER (WHERE r IS DISTINCT FROM coalesce(f.score, 0)), count(*) FILTER (WHERE r = 0) > 100
	FROM (SELECT s, i AS item, personalize.relevance('events', s, i, half_life => '10000 seconds') AS r
		FROM generate_series(0, 99) s, generate_series(0, 399, 5) i) r LEFT JOIN found f USING (s, item)
	SQL
is($node->safe_psql('postgres', <<~'SQL'), '0|t|t', 'contributions of both signs sum to the total');
	SELECT count(*) FILTER (WHERE (abs(x.total - e.score) < 1e-9) IS NOT TRUE), count(*) FILTER (WHERE e.score < 0) > 100, sum(x.against) = sum(e.against)
	FROM (SELECT * FROM expected WHERE s < 40) e, LATERAL (SELECT sum(contribution) AS total, count(*) FILTER (WHERE contribution < 0) AS against
		FROM personalize.explain_recommendation('events', s, j, half_life => '10000 seconds')) x
	SQL
is($node->safe_psql('postgres', q{SELECT count(*) FILTER (WHERE similarity NOT BETWEEN 0 AND 1), count(*)
	FROM personalize.diversify('events', ARRAY(SELECT generate_series(0, 199)), ARRAY(SELECT 1.0 FROM generate_series(0, 199)), k => 200)}),
	'0|200', 'diversify() takes what is negative for no similarity');

$node->stop;
done_testing();
