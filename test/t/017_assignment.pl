# Units are hashed as UTF-8 whatever the database's encoding, and drawings need no character that it has not.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Similarity;
use Test::More;

my $node = start_node('assignment');

# Written as escapes, so that the same query suits every encoding that has the letters.
my $buckets = <<~'SQL';
	SET search_path = public, personalize;
	SELECT hash_bucket(U&'prix', U&'\00e9'), hash_bucket(U&'Gr\00f6\00dfe', U&'J\00fcrgen M\00fcller', 1), assign(U&'\00e9', U&'\00ff', ARRAY[U&'\00e0', U&'\00e8']) = U&'\00e8',
		in_namespace(U&'\00e9', 'x', 0, 0.5), in_holdout(U&'\00e9', U&'\00e9', 0.5), hash_bucket('plain', 'ascii');
	SQL
my %databases = (UTF8 => 'utf8', LATIN1 => 'latin1', WIN1252 => 'win1252');

foreach my $encoding (keys %databases)
{
	$node->safe_psql('postgres', "CREATE DATABASE $databases{$encoding} TEMPLATE template0 ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C'");
	$node->safe_psql($databases{$encoding}, 'CREATE EXTENSION personalize');
}
my $expected = $node->safe_psql('utf8', $buckets);
like($expected, qr/^0\.0558\|0\.974\|/, 'the published buckets');
is($node->safe_psql($databases{$_}, $buckets), $expected, "in $_") foreach qw(LATIN1 WIN1252);

# a database that does not know its encoding takes bytes as they come
$node->safe_psql('postgres', "CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'");
$node->safe_psql('bytes', 'CREATE EXTENSION personalize');
is($node->safe_psql('bytes', q{SELECT personalize.hash_bucket('prix', E'\xc3\xa9')}), '0.0558', 'bytes of UTF-8 in SQL_ASCII');

my $drawings = q{SELECT personalize.bar(5.2, 10, 10), personalize.sparkline('{1,2,3,4,5,6,7,8}'), personalize.interval_bar(-1, 3, 1, -5, 5, 20)};
is($node->safe_psql($_, $drawings), '#####|_.-:=+*#|        [-+-o---]   ', "drawings in $_") foreach qw(latin1 bytes);
isnt($node->safe_psql('utf8', $drawings), $node->safe_psql('latin1', $drawings), '... and others in UTF8');

$node->stop;
done_testing();
