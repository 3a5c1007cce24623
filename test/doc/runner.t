#!/usr/bin/perl
# The runner of the documentation's examples: what is right passes, what is wrong fails.
use strict;
use warnings;
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use FindBin;
use Test::More;

my $tmp = tempdir(CLEANUP => 1);
delete $ENV{PERSONALIZE_SHARED};

# what a run prints, both streams, and whether it succeeded
sub run
{
	my ($fixture, @options) = @_;
	my $file = $fixture =~ m,/, ? $fixture : "$FindBin::Bin/fixtures/$fixture.md";
	my $output = `$^X '$FindBin::Bin/run' @options '$file' 2>&1`;

	return ($output, $? == 0);
}

my ($output, $success) = run('good');
ok($success, 'what is right passes') or diag $output;
like($output, qr/^1\.\.8$/m, 'each block is counted');
like($output, qr/# SKIP not run: it takes an hour/, 'what is left out is told with its reason');
like($output, qr/# SKIP PERSONALIZE_SHARED is not set/, 'as is what lacks its data');
{
	local $ENV{PERSONALIZE_SHARED} = $tmp;
	($output, $success) = run('good');
	ok($success && $output !~ /is not set/, 'with data it runs') or diag $output;
}

($output, $success) = run('wrong-output');
ok(!$success, 'a wrong output fails');
like($output, qr/not ok 1 .*\n# -   2\n# \+   1\n/s, 'and its difference is shown');
like($output, qr/^ok 2/m, 'the example after it is still judged by itself');

($output, $success) = run('fails');
ok(!$success, 'an error fails');
like($output, qr/^not ok 1 .*ERROR:  relation "no_such_table" does not exist/ms, 'with its message');
like($output, qr/^not ok 2 [^\n]*\n[^\n]*\n# did not run: an example before it failed/m, 'and so does what could not run');

foreach my $case (
	[ 'no-error',          qr/should have failed/ ],
	[ 'no-semicolon',      qr/does not end in a semicolon/ ],
	[ 'unknown-directive', qr/unknown directive "example: skipped"/ ],
	[ 'stray-directive',   qr/no sql block follows/ ])
{
	my ($fixture, $message) = @$case;
	($output, $success) = run($fixture);
	ok(!$success, "$fixture fails");
	like($output, $message, "$fixture says why");
}

($output, $success) = run('no-examples');
ok($success, 'a page without examples passes');
like($output, qr/^1\.\.0 # SKIP/, 'as skipped');

($output, $success) = run('stand-in');
ok($success, 'on other data, outputs are not compared') or diag $output;
{
	local $ENV{PERSONALIZE_SHARED} = $tmp;
	($output, $success) = run('stand-in');
	ok(!$success, 'on the real ones they are');
	like($output, qr/^ok 1 .*# SKIP PERSONALIZE_SHARED is set/m, 'and nothing stands in');
}

my $page = "$tmp/page.md";
copy("$FindBin::Bin/fixtures/wrong-output.md", $page) or die "$!\n";
run($page, '--update');
($output, $success) = run($page);
ok($success, 'an updated page passes') or diag $output;
open(my $in, '<', $page) or die "$!\n";
my $text = do { local $/; <$in> };
like($text, qr/\n   1\n.*The next one is right all the same.*\n     3\n/s, 'and keeps its prose');

done_testing();
