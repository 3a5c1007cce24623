# The runner of golden cases: what is right passes, what is wrong fails, and nothing passes for want of being compared.
use strict;
use warnings;

use File::Copy qw(copy);
use FindBin;
use lib $FindBin::RealBin;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;

my $node = start_node('golden');
my $runner = "$FindBin::RealBin/../golden";
my $tmp = PostgreSQL::Test::Utils::tempdir();
my $json = JSON::PP->new->canonical->allow_nonref;
my $folders = 0;

local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;

# ---- the comparison ----

$node->safe_psql('postgres', 'CREATE SCHEMA runner');
$node->safe_psql('postgres', slurp_file("$runner/runner/compare.sql"));

# how many failures and remarks the verdict has
sub verdict
{
	my ($expected, $got, $tol) = @_;
	my @quoted = map { defined $_ ? "'" . s/'/''/gr . "'" : 'NULL' } $expected, $got, $tol;
	my ($status, $out, $err) = $node->psql('postgres', 'SELECT cardinality(failures), cardinality(remarks) FROM runner.verdict('
		. join(', ', @quoted) . ')');

	return $status == 0 ? $out : $err;
}

foreach my $case (
	[ '1',     '1',            '{}', 'a number' ],
	[ '1',     '1.0',          '{"abs": 0}', '... written in another way' ],
	[ '1',     '1.000000001',  '{"rel": 1e-8}', '... within its relative bound' ],
	[ '-2',    '-2.1',         '{"abs": 0.2}', '... within its absolute bound' ],
	[ '100',   '101',          '{"abs": 1e-9, "rel": 0.02}', '... within one of two bounds' ],
	[ '0',     '0.01',         '{"abs": 0.02, "rel": 1e-9}', '... and within the other' ],
	[ '0.5',   '0.51',         '{"exact_abs": 1e-9, "mc_abs": 0.02}', '... within what sampling may miss by' ],
	[ '0.2',   '0.20000000000000001', '{"hll": "3*1.04/sqrt(m)"}', 'a fraction but for its last digit, where a sketch would have room' ],
	[ '{"a": {"b": [1, "x", null, true]}}', '{"a": {"b": [1, "x", null, true], "c": 1}, "d": 2}', '{}', 'a tree, in which there is more' ],
	[ '"NaN"', '"NaN"',        '{"rel": 1}', 'not a number' ],
	[ '{"ll": -100, "params": {"r": 1}}', '{"ll": -100.01, "params": {"r": 1.001}}', '{"ll_abs": 0.02, "params_rel": 0.01, "primary": "ll"}', 'a fit' ],
	[ '{"ll": -100}', '{"ll": -90}', '{"ll_abs": 0.02}', '... and a better one' ],
	[ '{"inertia": 100, "silhouette": 0.5, "centroids": [[1]], "sizes_desc": [3, 2]}', '{"inertia": 100.9, "centroids": [[2]], "sizes_desc": [3, 2]}',
		'{"inertia_rel": 0.01}', 'clusters' ])
{
	my ($expected, $got, $tol, $name) = @$case;
	is(verdict($expected, $got, $tol), '0|0', "passes: $name");
}

foreach my $case (
	[ '1',           '1.000000001', '{}', 'a number without bounds' ],
	[ '1',           '1.00000002',  '{"rel": 1e-8}', 'a number beyond its relative bound' ],
	[ '-2',          '-2.3',        '{"abs": 0.2}', '... and its absolute one' ],
	[ '-2',          '2',           '{"abs": 0.2}', 'the wrong sign' ],
	[ '0',           '1e-300',      '{"rel": 1e-9}', 'nothing is relative to 0' ],
	[ '100',         '103',         '{"abs": 1e-9, "rel": 0.02}', 'a number beyond both' ],
	[ '1',           'null',        '{"abs": 1e9}', 'null for a number' ],
	[ '1',           '"1"',         '{"abs": 1e9}', 'text for a number' ],
	[ '1',           '"NaN"',       '{"abs": 1e9}', 'NaN for a number' ],
	[ 'true',        'false',       '{"abs": 1e9}', 'another boolean' ],
	[ '"a"',         '"A"',         '{"abs": 1e9}', 'another text' ],
	[ '150000',      '150001',      '{"hll": "3*1.04/sqrt(m)"}', 'a count that a sketch might give' ],
	[ '{"a": 1, "b": 2}', '{"a": 1}', '{"abs": 1e9}', 'a key that is missing' ],
	[ '{"a": null}', '{}',          '{}', '... though null is expected' ],
	[ '[1, 2]',      '[1]',         '{"abs": 1e9}', 'a shorter list' ],
	[ '[1]',         '[1, 2]',      '{"abs": 1e9}', 'a longer list' ],
	[ '{"a": [{"b": 1}, {"b": 2}]}', '{"a": [{"b": 1}, {"b": 3}]}', '{}', 'one leaf of a tree' ],
	[ '[1]',         '{"0": 1}',    '{}', 'an object for a list' ],
	[ '1',           undef,         '{}', 'no answer' ],
	[ '{"ll": -100}', '{"ll": -100.03}', '{"ll_abs": 0.02}', 'a worse fit' ],
	[ '{"ll": -100}', '{"ll": null}', '{"ll_abs": 0.02}', 'no fit' ],
	[ '{"ll": -100}', '{"ll": "NaN"}', '{"ll_abs": 0.02}', '... that can be compared' ],
	[ '{"ll": -100}', '{"ll": "Infinity"}', '{"ll_abs": 0.02}', '... a fit too good' ],
	[ '{"ll": -100}', undef, '{"ll_abs": 0.02}', '... no answer' ],
	[ '{"inertia": 100}', '{"inertia": 101.1}', '{"inertia_rel": 0.01}', 'worse clusters' ],
	[ '{"inertia": 100}', '{"inertia": -1}', '{"inertia_rel": 0.01}', 'impossible clusters' ])
{
	my ($expected, $got, $tol, $name) = @$case;
	is(verdict($expected, $got, $tol), '1|0', "fails: $name");
}
like(verdict('1', '1', '{"relative": 1}'), qr/a bound of the name "relative" is not known/, 'an unknown bound is an error');
like(verdict('{"a": 1}', '{"a": 1}', '{"ll_abs": 1}'), qr/neither a likelihood nor an inertia/, 'as is a fit without likelihood');
is(verdict('{"ll": -100, "params": {"r": 1, "a": 2}}', '{"ll": -100, "params": {"r": 1.02, "a": 2}}', '{"ll_abs": 0.02, "params_rel": 0.01}'),
	'0|1', 'parameters that differ are a remark');

# ---- the runner ----

# runs cases: [fn, input, expected, tol], and returns the output and the exit status
sub run_cases
{
	my ($program, @cases) = @_;
	my $n = 0;
	my @list = map { { id => 'case.' . $n++, fn => $_->[0], input => $_->[1], expected => $_->[2], tol => $_->[3] // {} } } @cases;

	return run_text($program, $json->encode({ name => 'case', description => 'made for this test', cases => \@list }));
}

sub run_text
{
	my ($program, $text) = @_;
	my $top = "$tmp/with a space " . ++$folders;

	mkdir $_ foreach $top, "$top/golden", "$top/data";
	append_to_file("$top/golden/case.json", $text);
	append_to_file("$top/data/tiny.csv", "\"InvoiceDate\",\"CustomerID\",\"StockCode\"\n2011-01-31 23:59:59,1,a\n2011-02-01 00:00:00,1,b\n"
		. "2011-01-05 00:00:00,2,a\n2011-02-28 10:00:00,3,a\n2011-01-05 00:00:00,,a\n");
	return run_golden($program, "$top/golden");
}

sub run_golden
{
	my ($program, $dir) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ $program, $dir ], '<', \undef, '>', \$out, '2>', \$err);
	return ($out, $? >> 8, $err);
}

my @right = (
	[ 'range_overlap', { a => [ 1, 10 ], b => [ 5, 14 ] }, { a => 10, b => 10, union => 14, intersection => 6 }, { hll => '3*1.04/sqrt(m)' } ],
	[ 'monthly_customer_overlap', { dataset => 'data/tiny.csv rows with CustomerID', month_a => '2011-01', month_b => '2011-02' },
		{ a => 2, b => 2, union => 3, intersection => 1, jaccard => 1 / 3 }, { hll => '' } ],
	[ 'concentration', { counts => [ 1, 1, 1, 1 ] }, { gini => 0, hhi => 0.25 }, { rel => 1e-9 } ]);
my ($out, $status, $err) = run_cases("$runner/run", @right, [ 'no_such_function', {}, 1 ]);
is($status, 0, 'what is right passes') or diag $out, $err;
like($out, qr/^range_overlap: 1 passed, 0 failed, 0 skipped$/m, '... counted by function');
like($out, qr/^no_such_function: 0 passed, 0 failed, 1 skipped$/m, '... and a case of an unknown one is skipped');
like($out, qr/^no_such_function: case\.3$/m, '... and named');
like($out, qr/\n3 passed, 0 failed, 1 skipped\n\z/, '... the total is the last line');

($out, $status) = run_cases("$runner/run", @right,
	[ 'range_overlap', { a => [ 1, 10 ], b => [ 5, 14 ] }, { a => 10, b => 10, union => 15, intersection => 6 }, { hll => '' } ],
	[ 'concentration', { counts => [ -1 ] }, { gini => 0 } ],
	[ 'concentration', { counts => [ 'x' ] }, { gini => 0 } ],
	[ 'monthly_customer_overlap', { dataset => 'data/none.csv', month_a => '2011-01', month_b => '2011-02' }, { a => 0 } ],
	[ 'concentration', { counts => [ 1, 1 ] }, { gini => 0 }, { closely => 1 } ]);
is($status, 1, 'what is wrong fails');
like($out, qr/^case\.3 \(range_overlap\)\n    union: expected 15, got 14$/m, '... with what was expected and got');
like($out, qr/^case\.4 \(concentration\)\n    error /m, '... an error of ours fails');
like($out, qr/^case\.6 \(monthly_customer_overlap\)\n    error [^\n]*no data set/m, '... as does a data set that is not there');
like($out, qr/^case\.7 [^\n]*\n    error [^\n]*"closely" is not known/m, '... and a bound that says nothing to us');
like($out, qr/\n3 passed, 5 failed, 0 skipped\n\z/, '... and all are counted');

($out, $status) = run_cases("$runner/run", map { [ 'range_overlap', { a => [ 1, 1 ], b => [ 1, 1 ] }, { a => 2 } ] } 1 .. 25);
is(() = $out =~ /^case\.\d+ /mg, 20, 'the first 20 failures are shown');
like($out, qr/^the first 20 failures:\n/m, '... and called so');

# a mapping that ends its session, and one that needs NaN in the input
mkdir $_ foreach "$tmp/copy", "$tmp/copy/runner";
foreach my $file ('run', glob("$runner/*.sql"), glob("$runner/runner/*.sql"))
{
	my $name = $file =~ s,^\Q$runner\E/,,r;
	copy("$runner/$name", "$tmp/copy/$name") or die "$name: $!";
}
chmod 0755, "$tmp/copy/run";
append_to_file("$tmp/copy/zz.sql", <<~'SQL');
	CREATE FUNCTION golden.goes_away(input jsonb) RETURNS jsonb LANGUAGE sql AS
		$$ SELECT to_jsonb(pg_terminate_backend(pg_backend_pid())) FROM pg_sleep(0) $$;
	CREATE FUNCTION golden.the_same(input jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT input -> 'x' $$;
	SQL
($out, $status) = run_cases("$tmp/copy/run", $right[0], [ 'goes_away', {}, JSON::PP::true ], $right[0]);
is($status, 1, 'a case that ends the session fails');
like($out, qr/^case\.1 \(goes_away\)\n    did not end: .*terminat/m, '... is told from the others');
like($out, qr/\n2 passed, 1 failed, 0 skipped\n\z/, '... which go on');

($out, $status) = run_text("$tmp/copy/run", '{"cases": [{"id": "n", "fn": "the_same", "input": {"x": [NaN, -Infinity, "a NaN"]}, '
	. '"expected": [NaN, -Infinity, "a NaN"]}, {"id": "m", "fn": "the_same", "input": {"x": NaN}, "expected": 1, "tol": {"abs": 9}}]}');
like($out, qr/\n1 passed, 1 failed, 0 skipped\n\z/, 'NaN equals NaN and nothing else');

foreach my $case (
	[ '{"cases": [', qr/case\.json: invalid input syntax for type json/, 'a broken file' ],
	[ '{"name": "x"}', qr/case\.json: no array "cases"/, 'a file without cases' ],
	[ '{"cases": [{"id": "x", "fn": "concentration", "input": {}}]}', qr/case\.json: a case without id, fn, input or expected/, 'half a case' ])
{
	my ($text, $message, $name) = @$case;
	($out, $status, $err) = run_text("$runner/run", $text);
	cmp_ok($status, '>', 0, "$name is refused");
	like($err, $message, '... with a reason');
}
mkdir "$tmp/empty";
($out, $status, $err) = run_golden("$runner/run", "$tmp/empty");
cmp_ok($status, '>', 0, 'a folder without cases is refused');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_database WHERE datname LIKE 'personalize_golden%'}), '0', 'no database is left behind');

# ---- real cases, made wrong ----

# another value everywhere
sub doctored
{
	my ($value) = @_;

	return { map { $_ => doctored($value->{$_}) } keys %$value } if ref $value eq 'HASH';
	return [ map { doctored($_) } @$value ] if ref $value eq 'ARRAY';
	return $value ? JSON::PP::false : JSON::PP::true if JSON::PP::is_bool($value);
	return undef if !defined $value;
	return $value =~ /^-?[\d.]+(e-?\d+)?$/i ? $value * 1.01 + 10 : "not $value";
}

SKIP:
{
	my $golden = ($ENV{PERSONALIZE_SHARED} // '') . '/golden';
	my @files = grep { -r "$golden/$_.json" } qw(decay_counters drift fairness);

	skip 'needs golden cases in the folder of PERSONALIZE_SHARED', 4 if !$ENV{PERSONALIZE_SHARED} || !@files;
	mkdir $_ foreach "$tmp/shared", "$tmp/shared/golden", "$tmp/shared/doctored", "$tmp/shared/data";
	my $count = 0;
	foreach my $file (@files)
	{
		my $content = $json->decode(slurp_file("$golden/$file.json"));

		$count += @{ $content->{cases} };
		append_to_file("$tmp/shared/golden/$file.json", $json->encode($content));
		$_->{expected} = doctored($_->{expected}) foreach @{ $content->{cases} };
		append_to_file("$tmp/shared/doctored/$file.json", $json->encode($content));
	}
	($out, $status) = run_golden("$runner/run", "$tmp/shared/golden");
	is($status, 0, 'real cases pass') or diag $out;
	like($out, qr/\n$count passed, 0 failed, 0 skipped\n\z/, '... all of them');
	($out, $status) = run_golden("$runner/run", "$tmp/shared/doctored");
	is($status, 1, 'doctored they fail');
	like($out, qr/\n0 passed, $count failed, 0 skipped\n\z/, '... all of them');
}

$node->stop;
done_testing();
