# The metrics of evaluate() are those that an independent tool computes from the very lists, on real purchases.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;

my $shared = $ENV{PERSONALIZE_SHARED} // '';
my $tool = "$shared/tools/evaluate_recommendations.py";
my $data = "$shared/data/online-retail/train.tsv.gz";
my ($python) = grep { system("$_ -c 'import numpy' >/dev/null 2>&1") == 0 } grep { defined } $ENV{PYTHON}, 'python3', '/usr/bin/python3';

plan skip_all => 'PERSONALIZE_SHARED does not lead to the tool and the data' if !-e $tool || !-e $data;
plan skip_all => 'no python3 with numpy' if !defined $python;

my $node = start_node('evaluation', 'maintenance_work_mem = 256MB');
my $loaded = $node->basedir . '/train.tsv';
system("gzip -dc '$data' >'$loaded'") == 0 or die 'gzip failed';
$node->safe_psql('postgres', <<~SQL);
	CREATE TABLE train (subject int, item int, quantity int, at bigint);
	COPY train FROM '$loaded';
	CREATE TABLE retail AS SELECT subject, item, quantity, to_timestamp(at) AS at FROM train;
	CREATE INDEX dense ON retail USING similarity (subject, item) INCLUDE (at) WITH (tuning_budget = 0, neighbors = 20,
		subject_exponent = 0.75, popularity_exponent = 0.5, sharpness = 1.6);
	CREATE INDEX plain ON retail USING similarity (subject, item) INCLUDE (at, quantity) WITH (tuning_budget = 0);
	SQL

foreach my $case ([ 20, "k => 20" ], [ 5, "k => 5, holdout => 'last', subjects => 700" ], [ 10, "k => 10, share => 0.3, seed => 4" ])
{
	my ($k, $options) = @$case;

	$node->safe_psql('postgres', "DROP TABLE IF EXISTS lists; CREATE TABLE lists AS SELECT * FROM personalize.evaluation_lists('dense', $options, against => 'plain')");
	foreach my $contender (qw(dense plain popularity))
	{
		my ($lists, $held) = map { $node->basedir . "/$_.tsv" } qw(lists held);

		$node->safe_psql('postgres', "COPY (SELECT subject, rank, item FROM lists WHERE rank IS NOT NULL AND contender = '$contender') TO '$lists'");
		$node->safe_psql('postgres', "COPY (SELECT subject, item FROM lists WHERE held_out AND contender = '$contender') TO '$held'");
		my $told = `$python '$tool' '$lists' '$held' -k $k`;
		my ($users) = $told =~ /^users (\d+)/m or die $told;
		my %theirs = $told =~ /(\w+)=([0-9.]+)/g;
		my %ours = $node->safe_psql('postgres', <<~SQL) =~ /(\w+)=([-0-9.e]+)/g;
			SELECT format('users=%s recall=%s ndcg=%s prec=%s hr=%s mrr=%s coverage=%s', evaluated_subjects, recall, ndcg, "precision",
				hit_rate, mrr, covered_items)
			FROM personalize.evaluate('dense', $options, against => 'plain') WHERE contender = '$contender'
			SQL

		# theirs are rounded to five places
		$theirs{users} = $users;
		my @different = grep { !defined $ours{$_} || abs($ours{$_} - $theirs{$_}) > 5.1e-6 } qw(users recall ndcg prec hr mrr coverage);
		is("@different", '', "$contender, $options: users $users, recall $theirs{recall}")
			or diag(map { "$_: " . ($ours{$_} // 'none') . ", not $theirs{$_}\n" } @different);
	}
}

$node->stop;
done_testing();
