# A streaming standby answers as the primary does, while it replays and once it is promoted.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;

my $primary = start_node('primary', "wal_consistency_checking = 'generic'");
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
# VACUUM's conflict with a snapshot is PostgreSQL's own and not ours to test
$standby->append_conf('postgresql.conf', "hot_standby_feedback = on\nmax_standby_streaming_delay = -1\n");
$standby->start;

# relevance(), explain_recommendation(), diversify() and blend(), as one number each
my $readers = <<~'SQL';
	SET search_path = public, personalize;
	SELECT sum(hash_record_extended((s, i, relevance('events', s, i)), 1)::numeric), sum(relevance('events', s, i)) > 0
	FROM generate_series(0, 200) s, generate_series(0, 399, 20) i;
	SELECT sum(hash_record_extended((s, r.item, e.because, e.at, e.similarity, e.contribution), 1)::numeric), count(*) > 0
	FROM generate_series(0, 200) s, recommend('events', s, k => 3) r, explain_recommendation('events', s, r.item) e;
	SELECT sum(hash_record_extended((s, d.item, d.score, d.similarity), 1)::numeric), sum(d.similarity) > 0
	FROM generate_series(0, 200) s, LATERAL (SELECT array_agg(item) AS items, array_agg(score) AS scores FROM recommend('events', s, k => 20)) r,
		diversify('events', items, scores, 10) d;
	SELECT sum(hash_record_extended((s, b.item, b.score, b.sources), 1)::numeric), count(*) > 0
	FROM generate_series(0, 200) s, blend(ARRAY[item_list('a', ARRAY(SELECT item FROM recommend('events', s))),
		item_list('b', ARRAY(SELECT item FROM similar_items('events', s)), 0.5)]) b;
	SQL

sub same_answers
{
	my ($name) = @_;
	my $stats = q{SELECT subjects, items, interactions, generation, changed, trained_at, total_bytes, free_bytes
		FROM personalize.similarity_stats('events')};

	# a training has no transaction id, so that nobody waits until its WAL is written; this one's is
	$primary->safe_psql('postgres', q{SELECT pg_logical_emit_message(true, 'test', '')});
	$primary->wait_for_catchup($standby);
	my $expected = answers($primary, 'events');
	unlike($expected, qr/\|$/m, "$name: there are answers");
	is(answers($standby, 'events'), $expected, "$name: the standby's answers are the primary's");
	is($standby->safe_psql('postgres', $stats), $primary->safe_psql('postgres', $stats), "$name: statistics too");
	is($standby->safe_psql('postgres', $readers), $primary->safe_psql('postgres', $readers), "$name: and the other readers' answers");
	check_history($standby, "$name, on the standby");
}

create_events($primary, 20_000);
same_answers('built index');

$primary->safe_psql('postgres', 'INSERT INTO events (s, i) SELECT draw(6, x, 2000), draw(7, x, 555) FROM generate_series(1, 5000) x');
same_answers('inserts');

# experiments: assigned to the same arms, and read alike, also from kept states
$primary->safe_psql('postgres', <<~'SQL');
	CREATE TABLE daily AS SELECT x % 7 AS day, personalize.lift_partial(x % 13, personalize.assign('buttons', x) = 'treatment') AS l,
		personalize.moments(x % 13) AS m FROM generate_series(1, 5000) x GROUP BY 1;
	SQL
my $experiment = <<~'SQL';
	SET search_path = public, personalize;
	SELECT md5(string_agg(assign('buttons', s, '{a,b,c}', coverage => 0.8) || in_holdout('all', s, 0.2) || in_namespace('layer', s, 0, 0.5), ',' ORDER BY s)) FROM generate_series(1, 2000) s;
	SELECT md5(string_agg(bandit_pick('{0.2,0.3,0.5}', 'banner', s)::text, '' ORDER BY s)) FROM generate_series(1, 2000) s;
	SELECT lift_merge(l ORDER BY day), moments_merge(m ORDER BY day) FROM daily;
	SELECT * FROM experiment_report('SELECT assign(''buttons'', s) AS arm, count(*) AS outcome FROM events GROUP BY s');
	SQL
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $experiment), $primary->safe_psql('postgres', $experiment), 'experiments are the same on the standby');
like($standby->safe_psql('postgres', $experiment), qr/treatment.*(above|below|no difference)/, '... and say something');

my ($status, $out, $err) = $standby->psql('postgres', q{SELECT personalize.retrain('events')});
isnt($status, 0, 'retrain() fails on the standby');
like($err, qr/ERROR:  recovery is in progress.*HINT:/s, '... and says why and what to do');
is($standby->safe_psql('postgres', q{SELECT count(*) > 0 FROM personalize.recommend('events', 5)}), 't', '... without harm');

# a choice of parameters, and what can be asked of it
$primary->safe_psql('postgres', 'CREATE TABLE chosen AS TABLE events; CREATE INDEX chosen_similarity ON chosen USING similarity (s, i) WITH (tuning_budget = 1)');
$primary->wait_for_catchup($standby);
foreach my $query (q{SELECT s.*, c.* FROM personalize.similarity_stats('chosen') s, personalize.similarity_candidates('chosen') c},
	q{SELECT to_jsonb(t) - 'cpu' FROM personalize.tune('chosen') t}, q{SELECT * FROM personalize.evaluate('chosen')},
	q{SELECT * FROM personalize.evaluation_lists('chosen', k => 3, subjects => 100)})
{
	my $expected = $primary->safe_psql('postgres', $query);

	isnt($expected, '', "there is an answer: $query");
	is($standby->safe_psql('postgres', $query), $expected, '... the same on the standby');
}
($status, $out, $err) = $standby->psql('postgres', q{SELECT personalize.tune('chosen', apply => true)});
like($err, qr/ERROR:  recovery is in progress.*HINT:  tune\(\) can only be applied on the primary/s, 'tune() applies nothing on the standby');

# reads while the primary does everything at once
my $write = <<~'SQL';
	\set s random(1, 2000)
	\set i random_zipfian(1, 500, 1.05)
	INSERT INTO events (s, i) VALUES (:s, :i);
	SQL
my $delete = <<~'SQL';
	\set s random(1, 2000)
	DELETE FROM events WHERE s = :s;
	SQL
my $read = <<~'SQL';
	\set s random(0, 2200)
	\set i random(0, 600)
	SELECT count(*) FROM personalize.recommend('events', :s);
	SELECT count(*) FROM personalize.similar_items('events', :i);
	SELECT count(*) FROM personalize.recommend_from('events', ARRAY[:i, 3, 4]);
	SELECT sum(personalize.relevance('events', :s, i)) FROM generate_series(1, 20) i;
	SELECT count(*) FROM personalize.explain_recommendation('events', :s, :i);
	SELECT count(*) FROM personalize.diversify('events', ARRAY[:i, 3, 4], ARRAY[3, 2, 1]);
	SQL
my $trending = "SELECT count(*) FROM personalize.trending('events', 10);\n";
my @runs = (
	[ 'writes', background_pgbench($primary, 2, 5, [ $write, 40 ], [ $delete, 1 ]) ],
	[ 'VACUUM and training', background_pgbench($primary, 1, 5, 'VACUUM (INDEX_CLEANUP ON) events;', q{SELECT personalize.retrain('events');}) ],
	[ 'reads on the standby', background_pgbench($standby, 2, 5, [ $read, 50 ], [ $trending, 1 ]) ]);
end_pgbench($_->[1], $_->[0]) foreach @runs;
same_answers('after a storm');

$primary->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY events_similarity');
same_answers('REINDEX CONCURRENTLY');
$primary->safe_psql('postgres', 'TRUNCATE events');
$primary->safe_psql('postgres', q{INSERT INTO events (s, i) SELECT draw(4, x, 1500), draw(5, x, 555) FROM generate_series(1, 15000) x; VACUUM events});
same_answers('TRUNCATE, and trained by VACUUM');

# an unlogged index is not there: said, and no empty answer
$primary->safe_psql('postgres', 'CREATE UNLOGGED TABLE transient (s int, i int); CREATE INDEX ON transient USING similarity (s, i)');
$primary->wait_for_catchup($standby);
foreach my $query (q{personalize.recommend('transient', 1)}, q{personalize.trending('transient')},
	q{personalize.similar_items('transient', 1)}, q{personalize.similarity_stats('transient')})
{
	($status, $out, $err) = $standby->psql('postgres', "SELECT * FROM $query");
	like($err, qr/cannot access temporary or unlogged relations during recovery/, "unlogged: $query");
}

$primary->stop;
$standby->promote;
$standby->safe_psql('postgres', 'INSERT INTO events (s, i) SELECT draw(8, x, 1700), draw(9, x, 577) FROM generate_series(1, 5000) x; DELETE FROM events WHERE s % 7 = 3');
check_history($standby, 'promoted');
check_against_fresh($standby, 'promoted');

$standby->stop;
done_testing();
