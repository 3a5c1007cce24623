# pg_dump and restore: the index comes back with its options, and trained.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;

my $node = start_node('dump');
my $file = $node->basedir . '/dump';
my $psql = sub { $node->safe_psql(@_) };

create_events($node, 15_000);
$psql->('postgres', <<~'SQL');
	ALTER INDEX events_similarity SET (min_support = 2, popularity_exponent = 0.5, sharpness = 1.6, retrain_after = 0, history = 50, subject_exponent = 0.75);
	CREATE INDEX parted ON events USING similarity ((i % 50), s) INCLUDE (at) WHERE s > 5;
	CREATE MATERIALIZED VIEW matter AS SELECT s, i FROM events;
	CREATE INDEX ON matter USING similarity (s, i);
	SELECT personalize.retrain('events_similarity');
	DELETE FROM events WHERE s % 10 = 4;
	CREATE TABLE kept AS SELECT personalize.moments(s) AS m, personalize.lift_proportion_partial(i > 9, s > 50) AS l FROM events;
	INSERT INTO events (s, i) SELECT draw(6, x, 2000), draw(7, x, 555) FROM generate_series(1, 3000) x;
	SQL
my $definitions = q{SELECT indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indexrelid
	JOIN pg_am a ON a.oid = c.relam WHERE amname = 'similarity' ORDER BY c.relname};
my $before = $psql->('postgres', $definitions);
like($before, qr/^events_similarity\|CREATE INDEX events_similarity ON public\.events USING similarity \(s, i\) INCLUDE \(at\) WITH \(.*sharpness='1\.6'/m,
	'the definition has the options');

foreach my $format (qw(plain custom))
{
	my $target = "restored_$format";

	$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-F', $format, '-f', "$file.$format" ], "pg_dump, $format");
	$node->safe_psql('postgres', "CREATE DATABASE $target");
	if ($format eq 'plain')
	{
		$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($target), '-f', "$file.$format" ], 'restored by psql');
	}
	else
	{
		$node->command_ok([ 'pg_restore', '-j', 2, '--exit-on-error', '-d', $node->connstr($target), "$file.$format" ], 'restored by pg_restore');
	}
	is($psql->($target, $definitions), $before, "$format: the definitions are the same");
	is($psql->($target, 'SELECT max(personalize.moments_figures(m)::text), personalize.lift_proportion_merge(l) FROM kept'),
		$psql->('postgres', 'SELECT max(personalize.moments_figures(m)::text), personalize.lift_proportion_merge(l) FROM kept'), "$format: states of aggregates come back");
	is($psql->($target, q{SELECT generation, changed, interactions = (SELECT count(*) FROM events) FROM personalize.similarity_stats('events_similarity')}),
		'1|0|t', "$format: the index is trained, on all rows");
	is($psql->($target, q{SELECT generation, interactions > 10000 FROM personalize.similarity_stats('matter')}), '1|t',
		"$format: so is that of the materialized view");
	is($psql->($target, q{SELECT extname, extversion = (SELECT default_version FROM pg_available_extensions WHERE name = 'personalize')
		FROM pg_extension WHERE extname = 'personalize'}), 'personalize|t', "$format: the extension is one");
}

# the restored answers are those of the original once it has forgotten what it should
$psql->('postgres', 'VACUUM (INDEX_CLEANUP ON) events');
$psql->('postgres', q{SELECT personalize.retrain('events_similarity')});
my $expected = join "\n", map { $psql->('postgres', "SELECT $_('events_similarity')") } qw(model recommendations popular);
unlike($expected, qr/^$/m, 'there are answers');
foreach my $target (qw(restored_plain restored_custom))
{
	is(join("\n", map { $psql->($target, "SELECT $_('events_similarity')") } qw(model recommendations popular)), $expected,
		"$target: answers are the original's");
}

# an extension that is dumped is not dumped in parts, and goes as one
unlike(slurp_file("$file.plain"), qr/CREATE (FUNCTION|ACCESS METHOD|OPERATOR CLASS) personalize/, 'no object of the extension is in the dump');
my ($status, $out, $err) = $node->psql('restored_plain', 'DROP EXTENSION personalize');
like($err, qr/cannot drop extension personalize because other objects depend on it.*index events_similarity depends on/s,
	'an index keeps the extension from being dropped');
$psql->('restored_plain', 'DROP EXTENSION personalize CASCADE');
is($psql->('restored_plain', 'SELECT count(*) FROM pg_indexes WHERE tablename IN (\'events\', \'matter\')'), '0', '... unless CASCADE says so');
$psql->('restored_plain', 'INSERT INTO events (s, i) VALUES (1, 2)');

$node->stop;
done_testing();
