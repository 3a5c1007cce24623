# Real purchases (UCI Online Retail): all customers are served, baskets too, and what was held out is found again.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;

my $data = ($ENV{PERSONALIZE_SHARED} // '') . '/data/online-retail';

plan skip_all => 'needs the data set online-retail: set PERSONALIZE_SHARED to the folder that has it in data/'
	if !$ENV{PERSONALIZE_SHARED};
plan skip_all => "needs the data set online-retail, of which there is no purchases.tsv.gz in $data"
	if !-r "$data/purchases.tsv.gz";

my $node = start_node('retail', 'maintenance_work_mem = 256MB');

sub sql { return $node->safe_psql('postgres', $_[0]) }

sub load
{
	my ($table, $file) = @_;
	my $quoted = "$data/$file" =~ s/'/'\\''/gr;

	IPC::Run::run([ 'sh', '-c', "gzip -dc '$quoted'" ], '|',
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-c', "COPY $table FROM STDIN" ])
		or die "could not load $file";
	return;
}

# ---- everything that was bought ----

sql('CREATE TABLE raw (customer int, item text, quantity int, at bigint, invoice text, price numeric)');
load('raw', 'purchases.tsv.gz');
sql('CREATE TABLE purchases AS SELECT customer, item, quantity, to_timestamp(at) AS at, invoice FROM raw');
is(sql('SELECT count(*), count(DISTINCT customer), count(DISTINCT item) FROM purchases'), '397924|4339|3665', 'the data are as expected');
sql('CREATE INDEX by_customer ON purchases USING similarity (customer, item) INCLUDE (at, quantity) WHERE quantity > 0');
sql('CREATE INDEX by_invoice ON purchases USING similarity (invoice, item) WITH (history = 1000)');
is(sql(q{SELECT interactions, subjects, items, generation, sampled FROM personalize.similarity_stats('by_customer')}),
	sql('SELECT count(*), count(DISTINCT customer), count(DISTINCT item), 1, 1 FROM purchases WHERE quantity > 0'), 'counts by customer');
is(sql(q{SELECT interactions, subjects, items, generation, sampled FROM personalize.similarity_stats('by_invoice')}),
	sql('SELECT count(*), count(DISTINCT invoice), count(DISTINCT item), 1, 1 FROM purchases'), 'counts by invoice');
sql('VACUUM (ANALYZE) purchases');

is(sql(q{SELECT count(*) FILTER (WHERE n = 20), count(*) FROM (
	SELECT (SELECT count(DISTINCT item) FROM personalize.recommend('by_customer', customer, 20)) AS n
	FROM (SELECT DISTINCT customer FROM purchases) c) x}), '4339|4339', 'every customer gets 20 different items');
is(sql(q{SELECT count(*) FROM (SELECT customer, array_agg(DISTINCT item) AS bought FROM purchases GROUP BY 1) c,
	personalize.recommend('by_customer', customer, 20) r WHERE r.item = ANY (bought) AND cardinality(bought) <= 200}), '0',
	'... that the customer does not have');
is(sql(q{SELECT count(*) FROM (SELECT customer, array_agg(DISTINCT item) AS bought FROM purchases GROUP BY 1) c,
	personalize.recommend('by_customer', customer, 20) r WHERE reason = 'similar' AND because <> ALL (bought)}), '0',
	'... because of one that the customer has');
# the parts of one set are bought together
like(sql(q{SELECT string_agg(item, ' ') FROM personalize.similar_items('by_invoice', '22697', 2)}), qr/^22699 22698|22698 22699$/,
	'with the green teacup go the roses and the pink one');
like(sql(q{SELECT item FROM personalize.recommend_from('by_invoice', '{22697,22699}', 1)}), qr/^22698$/, '... and with two of them the third');

# ---- what was held out ----

sql('CREATE TABLE train (s int, i int, quantity int, at bigint); CREATE TABLE test (LIKE train)');
load('train', 'train.tsv.gz');
load('test', 'test.tsv.gz');
sql('CREATE INDEX ON train USING similarity (s, i) WITH (neighbors = 20, history = 10000, subject_exponent = 0.75, popularity_exponent = 0.5, sharpness = 1.6)');
sql('CREATE UNIQUE INDEX ON train (s, i)');
sql('VACUUM ANALYZE train');
sql('CREATE TABLE held_out AS SELECT s, array_agg(DISTINCT i) AS items FROM test GROUP BY s');

# recall: the share of a subject's held-out items among the 20, averaged over subjects
my $recall = q{SELECT round(avg(hits::numeric / cardinality(items)), 4) FROM (
	SELECT items, (SELECT count(*) FROM %s r WHERE r.item = ANY (items)) AS hits FROM held_out) x};
my $ours = sql(sprintf($recall, 'personalize.recommend(\'train\', s, NULL::int, k => 20)'));
sql('CREATE TABLE leaders AS SELECT i AS item, count(DISTINCT s) AS n FROM train GROUP BY i ORDER BY n DESC, i LIMIT 1000');
my $popular = sql(sprintf($recall, '(SELECT item FROM leaders l WHERE NOT EXISTS (SELECT FROM train t WHERE t.s = held_out.s AND t.i = l.item)
	ORDER BY n DESC, item LIMIT 20)'));
note("Recall\@20: $ours; of what is popular: $popular");
cmp_ok($ours, '>=', 0.31, "Recall\@20 is $ours");
cmp_ok($popular, '<', 0.1, "... where popularity gets $popular");
cmp_ok($popular, '>', 0.03, '... measured as it should be');

$node->stop;
done_testing();
